/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/contest.h"

#include "base/base.h"
#include "kube/credentials.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

enum { START_LIMIT_MS = 20000, STOP_LIMIT_MS = 8000 };
enum { AT_ONCE = 5 }; /* of the journal; a real API server is slower */
enum { EVERY_MS = 10, EVERY_MS_ON_CLUSTER = 40 };

int64_t contest_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t) t.tv_sec * 1000 * MS + t.tv_nsec;
}

/* -- The world -- */

static void open_lock(world_t *w)
{
    const char *dir = getenv("LEASEHOLD_TEST_CLUSTER_DIR");
    char path[512];

    snprintf(path, sizeof(path), "%s/chaos.lock", dir != NULL ? dir : "");
    w->lock = dir != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
}

/* Shared by who makes objects, alone who takes the server away. */
static void lock_server(const world_t *w, int how)
{
    if (w->lock >= 0 && flock(w->lock, how) < 0) {
        perror("chaos: flock");
        exit(1);
    }
}

void world_open(world_t *w, bool cluster, bool fence_off)
{
    char name[8];

    *w = (world_t){.binary = fence_off ? UNFENCED_BINARY : CHAOS_BINARY, .lock = -1};
    if (cluster) {
        open_lock(w);
    } else {
        w->server = server_start();
        setenv("LEASEHOLD_TEST_KUBECONFIG", server_kubeconfig(w->server), 1);
    }
    lock_server(w, LOCK_SH);
    e2e_open(&w->e, "chaos");
    lock_server(w, LOCK_UN);
    w->proxies = proxies_open();
    for (int i = 0; i < SIDES_MAX; i++) {
        char url[64];
        w->proxy[i] = proxy_open(w->proxies, api_credentials(w->e.api)->server);
        snprintf(name, sizeof(name), "%c", 'a' + i);
        snprintf(url, sizeof(url), "https://127.0.0.1:%d", proxy_port(w->proxy[i]));
        w->kubeconfig[i] = e2e_kubeconfig(&w->e, name, url, NULL);
    }
}

void world_close(world_t *w)
{
    proxies_close(w->proxies);
    lock_server(w, LOCK_SH);
    e2e_close(&w->e);
    lock_server(w, LOCK_UN);
    server_stop(w->server);
    if (w->lock >= 0)
        close(w->lock);
}

void world_restart_server(world_t *w, bool kill)
{
    lock_server(w, LOCK_EX);
    e2e_script("restart", kill ? "kill" : "stop");
    e2e_script("restart", "start");
    lock_server(w, LOCK_UN);
}

/* -- A side -- */

void side_disturbed(side_t *s)
{
    const int64_t now = contest_now();

    s->disturbed = s->disturbed < now ? s->disturbed : now;
}

void side_stop(side_t *s)
{
    side_disturbed(s);
    replica_signal(s->replica, SIGSTOP);
    s->stopped = true;
    s->stops++;
}

void side_resume(side_t *s)
{
    replica_signal(s->replica, SIGCONT);
    s->stopped = false;
}

void side_kill(side_t *s)
{
    side_disturbed(s);
    if (!replica_running(s->replica))
        return;
    replica_signal(s->replica, SIGKILL);
    replica_wait(s->replica, STOP_LIMIT_MS);
}

void side_restart(side_t *s)
{
    s->stopped = false;
    if (!replica_running(s->replica))
        replica_restart(s->replica);
}

static void map_control(side_t *s)
{
    char path[300];

    snprintf(path, sizeof(path), "%s.control", s->seam);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(seam_control_t)) < 0) {
        perror("chaos: the seam's file");
        exit(1);
    }
    s->control = mmap(NULL, sizeof(*s->control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
}

static void start_side(contest_t *c, int i, const contest_options_t *o)
{
    static const char *const plugins[] = {CHAOS_JOURNAL, NULL};
    side_t *s = &c->side[i];
    const char *identity = o->identity != NULL ? o->identity : s->name;
    const int usual_ms = c->w->server != NULL ? EVERY_MS : EVERY_MS_ON_CLUSTER;
    const int every_ms = o->every_ms != 0 ? o->every_ms : usual_ms;
    char instances[512], config[128];

    snprintf(s->name, sizeof(s->name), "%c", 'a' + i);
    s->seam = host_xprintf("%s/%s-%s", c->w->e.dir, c->lease, s->name);
    s->env = host_xprintf(SEAM_VARIABLE "=%s", s->seam);
    s->sent_path = host_xprintf("%s.sent", s->seam);
    s->proxy = c->w->proxy[i];
    s->disturbed = INT64_MAX;
    map_control(s);
    snprintf(
        instances, sizeof(instances),
        "    chaos: {isolation: %s, config: {path: \"%s/%s\", by: %s, everyMs: %d, atOnce: %d}}",
        o->isolation, c->w->e.configmaps, c->journal, identity, every_ms, AT_ONCE);
    snprintf(config, sizeof(config), "drainTimeout: 2s\nstopBudget: 100ms\n%s",
             o->fenced ? "fencing: server" : "");
    s->replica = replica_start(&(replica_options_t){.name = identity,
                                                    .lease = c->lease,
                                                    .ns = c->w->e.ns,
                                                    .kubeconfig = c->w->kubeconfig[i],
                                                    .plugins = plugins,
                                                    .durations = o->durations,
                                                    .instances = instances,
                                                    .config = config,
                                                    .binary = c->w->binary,
                                                    .env = s->env});
}

static void end_side(side_t *s)
{
    side_resume(s);
    replica_signal(s->replica, SIGTERM);
}

static void free_side(side_t *s)
{
    replica_free(s->replica);
    munmap(s->control, sizeof(*s->control));
    free(s->seam);
    free(s->env);
    free(s->sent_path);
}

/* -- The contest -- */

static void make_journal(contest_t *c)
{
    char name[80], labels[96];

    snprintf(labels, sizeof(labels), "{\"journal\":\"%s\"}", c->lease);
    for (int i = 0; i < AT_ONCE; i++) {
        snprintf(name, sizeof(name), "%s-%d", c->journal, i);
        e2e_make_configmap(&c->w->e, name, labels);
    }
}

bool contest_open(contest_t *c, world_t *w, const contest_options_t *o)
{
    *c = (contest_t){.w = w, .sides = o->sides};
    snprintf(c->lease, sizeof(c->lease), "%s", o->name);
    snprintf(c->journal, sizeof(c->journal), "journal-%s", o->name);
    snprintf(c->lease_path, sizeof(c->lease_path), "%s/%s", w->e.leases, c->lease);
    lock_server(w, LOCK_SH);
    make_journal(c);
    if (o->fenced)
        fenced_open_for(&c->fenced, &w->e, c->lease, CHAOS_JOURNAL, "chaos");
    else if (!o->no_lease)
        e2e_make_lease(&w->e, c->lease);
    lock_server(w, LOCK_UN);
    c->history = history_open(w->e.api, w->e.leases, c->lease, w->e.configmaps);
    for (int i = 0; i < o->sides; i++)
        start_side(c, i, o);
    return contest_writes(c, -1, START_LIMIT_MS);
}

static void print_leases(const history_t *h, FILE *trace)
{
    size_t count;
    const lease_seen_t *all = history_leases(h, &count);
    const lease_seen_t *last = NULL;

    for (size_t i = 0; i < count; i++) {
        const lease_seen_t *l = &all[i];
        if (last == NULL || last->kind != l->kind || last->term != l->term ||
            strcmp(last->holder, l->holder) != 0)
            fprintf(trace, "lease at %.3f ms: %s '%s' (written by '%s'), term %ld%s\n",
                    (double) l->came / MS,
                    (const char *const[]){"never held", "held by", "released", "edited"}[l->kind],
                    l->holder, l->writer, l->term, l->deleted ? ", deleted" : "");
        last = l;
    }
}

/* What the host said beside what the client saw. */
static void print_story(contest_t *c, FILE *trace)
{
    print_leases(c->history, trace);
    for (int i = 0; i < c->sides; i++) {
        char *log = replica_log(c->side[i].replica);
        fprintf(trace, "log of %s:\n%s", c->side[i].name, log);
        free(log);
    }
}

static void wait_for_ends(contest_t *c)
{
    const int64_t until = contest_now() + STOP_LIMIT_MS * MS;

    for (int i = 0; i < c->sides; i++) {
        while (replica_running(c->side[i].replica) && contest_now() < until)
            contest_wait(c, contest_now() + 5 * MS);
        side_kill(&c->side[i]);
    }
}

verdict_t contest_close(contest_t *c, FILE *trace)
{
    sent_t *sent = NULL;
    size_t count = 0;

    for (int i = 0; i < c->sides; i++)
        end_side(&c->side[i]);
    wait_for_ends(c);
    contest_wait(c, contest_now() + 50 * MS);
    for (int i = 0; i < c->sides; i++)
        judge_read(c->side[i].sent_path, c->side[i].disturbed, &sent, &count);
    const verdict_t v = judge(c->history, sent, count, trace);
    if (trace != NULL)
        print_story(c, trace);
    for (int i = 0; i < c->sides; i++)
        free_side(&c->side[i]);
    free(sent);
    if (c->fenced.e != NULL)
        fenced_close(&c->fenced);
    history_close(c->history);
    return v;
}

void contest_wait(contest_t *c, int64_t until)
{
    do {
        history_read(c->history);
        const int64_t left = until - contest_now();
        if (left > 0)
            usleep((useconds_t) ((left < 5 * MS ? left : 5 * MS) / 1000) + 1);
    } while (contest_now() < until);
}

int contest_leader(contest_t *c)
{
    history_read(c->history);
    const char *holder = history_holder(c->history);

    for (int i = 0; i < c->sides; i++) {
        if (strcmp(c->side[i].name, holder) == 0)
            return i;
    }
    return -1;
}

long contest_term(contest_t *c)
{
    size_t count;

    history_read(c->history);
    const lease_seen_t *all = history_leases(c->history, &count);

    return count > 0 ? all[count - 1].term : -1;
}

bool contest_writes(contest_t *c, int not, int ms)
{
    const int64_t until = contest_now() + ms * MS;
    size_t before, count;

    history_read(c->history);
    history_commits(c->history, &before);
    while (contest_now() < until) {
        contest_wait(c, contest_now() + 5 * MS);
        const commit_seen_t *all = history_commits(c->history, &count);
        const int leader = contest_leader(c);
        if (leader >= 0 && leader != not &&count > before &&
            strncmp(all[count - 1].by, c->side[leader].name, 1) == 0)
            return true;
    }
    return false;
}
