/* SPDX-License-Identifier: Apache-2.0 */
/* Takeovers with a cold and with a warm cache: from the commit of the leader's release, as a watch of
 * the Lease tells it, to the standby's first reconcile; and what each mode asks of the API server. */
#include "figures/figures.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 3, WRITERS = 4, LIMIT = 120000, STANDBY_S = 30, PAYLOAD = 1024 };

typedef struct batch {
    pthread_t thread;
    const char *ns;
    int from, to, failed;
} batch_t;

static void *make_batch(void *arg)
{
    batch_t *b = arg;
    api_t *api = api_open(NULL);
    char path[256], data[PAYLOAD + 1];

    memset(data, 'x', PAYLOAD);
    data[PAYLOAD] = '\0';
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", b->ns);
    for (int i = b->from; i < b->to; i++) {
        API_REPLY r = api_post(
            api, path, "{\"metadata\":{\"name\":\"object-%d\"},\"data\":{\"k\":\"%s\"}}", i, data);
        b->failed += r.status != 201;
    }
    api_close(api);
    return NULL;
}

static void make_objects(const char *ns, int count)
{
    batch_t batches[WRITERS];

    for (int i = 0; i < WRITERS; i++) {
        batches[i] =
            (batch_t){.ns = ns, .from = count * i / WRITERS, .to = count * (i + 1) / WRITERS};
        REQUIRE_INT(pthread_create(&batches[i].thread, NULL, make_batch, &batches[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(batches[i].thread, NULL);
        REQUIRE_INT(batches[i].failed, 0);
    }
}

/* Changes one object twenty times a second. */
typedef struct writer {
    pthread_t thread;
    const char *ns;
    _Atomic bool over;
} writer_t;

static void *write_on(void *arg)
{
    writer_t *w = arg;
    api_t *api = api_open(NULL);
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/object-0", w->ns);
    for (int i = 0; !w->over; i++) {
        API_REPLY r = api_patch(api, path, "merge", "{\"data\":{\"n\":\"%d\"}}", i);
        (void) r;
        usleep(50000);
    }
    api_close(api);
    return NULL;
}

/* -- What a process asks of the server -- */

enum { CONNECTIONS = 32 };

typedef struct cost {
    double requests;
    struct {
        char local[64];
        double bytes; /* received, with TLS */
    } connections[CONNECTIONS];
    int count;
} cost_t;

static double requests_of(replica_t *r)
{
    static const char family[] = "\nrest_client_requests_total{";
    char *body = NULL;
    double sum = 0;

    replica_get(r, "/metrics", &body);
    for (const char *at = body; at != NULL && (at = strstr(at, family)) != NULL; at++)
        sum += strtod(strstr(at, "} ") + 2, NULL);
    free(body);
    return sum;
}

/* What ss says of all connections; the caller closes it. */
static FILE *connections(void)
{
    FILE *out = tmpfile();

    REQUIRE_TRUE(out != NULL);
    const pid_t child = fork();
    REQUIRE_TRUE(child >= 0);
    if (child == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        execlp("ss", "ss", "-tinpHO", "state", "established", (char *) NULL);
        _exit(127);
    }
    int status;
    REQUIRE_TRUE(waitpid(child, &status, 0) == child);
    rewind(out);
    return out;
}

/* The open connections of a process, as the kernel counts them. */
static void read_connections(pid_t pid, cost_t *out)
{
    char mark[32], line[4096];
    FILE *f = connections();

    snprintf(mark, sizeof(mark), "pid=%d,", (int) pid);
    while (out->count < CONNECTIONS && fgets(line, sizeof(line), f) != NULL) {
        const char *at = strstr(line, "bytes_received:"), *p = line;

        if (at == NULL || strstr(line, mark) == NULL)
            continue;
        for (int column = 0; column < 2; column++) { /* after the two queues */
            p += strcspn(p, " ");
            p += strspn(p, " ");
        }
        snprintf(out->connections[out->count].local, sizeof(out->connections[0].local), "%.*s",
                 (int) strcspn(p, " "), p);
        out->connections[out->count++].bytes = strtod(at + strlen("bytes_received:"), NULL);
    }
    fclose(f);
}

static cost_t cost_of(replica_t *r)
{
    cost_t c = {.requests = requests_of(r)};

    read_connections(replica_pid(r), &c);
    return c;
}

/* What came since `before`, but for what came last on connections that were closed meanwhile. */
static double bytes_since(const cost_t *before, const cost_t *after)
{
    double sum = 0;

    for (int i = 0; i < after->count; i++) {
        sum += after->connections[i].bytes;
        for (int k = 0; before != NULL && k < before->count; k++) {
            if (strcmp(before->connections[k].local, after->connections[i].local) == 0)
                sum -= before->connections[k].bytes;
        }
    }
    return sum;
}

/* CPU time of the API server in ms, where its process is known. */
static double server_ms(void)
{
    const char *dir = getenv("LEASEHOLD_TEST_CLUSTER_DIR"),
               *own = getenv("LEASEHOLD_TEST_SERVER_PID");
    char path[512], text[32] = "";

    if (own != NULL)
        return figures_cpu_us((pid_t) strtol(own, NULL, 10)) / 1e3;
    snprintf(path, sizeof(path), "%s/api.pid", dir != NULL ? dir : ".");
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    if (fgets(text, sizeof(text), f) == NULL)
        text[0] = '\0';
    fclose(f);
    return figures_cpu_us((pid_t) strtol(text, NULL, 10)) / 1e3;
}

/* -- A takeover -- */

static replica_t *start(const e2e_t *e, const char *name, const char *lease, const char *ns,
                        const char *mode)
{
    char config[32], instances[128];

    snprintf(config, sizeof(config), "standby: %s", mode);
    snprintf(instances, sizeof(instances), "    first: {namespaces: [%s]}", ns);
    return replica_start(&(replica_options_t){.name = name,
                                              .lease = lease,
                                              .ns = e->ns,
                                              .durations = "15s/10s/2s",
                                              .plugins = (const char *const[]){FIRST_PLUGIN, NULL},
                                              .instances = instances,
                                              .config = config});
}

/* The wall clock at the log line that holds text, in ms. */
static double logged_at(replica_t *r, const char *text)
{
    char *log = replica_log(r), *line = strstr(log, text);
    struct tm tm = {0};
    double ms = 0;

    REQUIRE_TRUE(line != NULL);
    while (line > log && line[-1] != '\n')
        line--;
    char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &tm);
    REQUIRE_TRUE(rest != NULL);
    if (*rest == '.')
        ms = strtod(rest, NULL) * 1e3;
    ms += (double) timegm(&tm) * 1e3;
    free(log);
    return ms;
}

/* The wall clock when the Lease was seen without a holder, in ms. */
static double released_at(api_watch_t *w)
{
    const int64_t until = replica_now_ms() + LIMIT;

    while (replica_now_ms() < until) {
        API_EVENT event = api_watch_next(w, LIMIT);
        if (strcmp(event.type, "MODIFIED") == 0 &&
            api_str(event.object, "/spec/holderIdentity")[0] == '\0')
            return (double) (clock_wall() - (clock_now() - event.came)) / 1e6;
    }
    REQUIRE_TRUE(false);
    return 0;
}

typedef struct pair {
    e2e_t *e;
    const char *ns, *mode, *what;
    int count;
    replica_t *leader, *standby;
} pair_t;

static void stand_by(pair_t *p, const char *lease)
{
    e2e_make_lease(p->e, lease);
    p->leader = start(p->e, "leader", lease, p->ns, p->mode);
    REQUIRE_TRUE(replica_logged(p->leader, "first reconcile", LIMIT));
    p->standby = start(p->e, "standby", lease, p->ns, p->mode);
    REQUIRE_TRUE(replica_answers(p->standby, "/readyz", 200, LIMIT));
    if (strcmp(p->mode, "warm") == 0) {
        const double begun = server_ms();
        REQUIRE_TRUE(replica_logged(p->standby, "objects listed in", LIMIT));
        const cost_t c = cost_of(p->standby);
        tap_note("%s: filling the cache: %.0f requests, %.1f MB, server's CPU %.0f ms", p->what,
                 c.requests, bytes_since(NULL, &c) / 1e6, server_ms() - begun);
    }
    sleep(3); /* the leader's first reconciles are over */
}

static void print_standby(pair_t *p)
{
    const cost_t before = cost_of(p->standby);
    const double server = server_ms();

    sleep(STANDBY_S);
    const cost_t after = cost_of(p->standby);
    tap_note("%s: standby for %d s: %.0f requests, %.1f kB, server's CPU %.0f ms (with all else); "
             "memory PSS %.1f MB",
             p->what, STANDBY_S, after.requests - before.requests,
             bytes_since(&before, &after) / 1e3, server_ms() - server,
             (double) figures_kib(replica_pid(p->standby), "Pss:") / 1e3);
}

static void one(pair_t *p, int run)
{
    char lease[48];

    snprintf(lease, sizeof(lease), "standby-%s-%d", p->mode, p->count++);
    stand_by(p, lease);
    if (run == 1)
        print_standby(p);
    api_watch_t *w =
        api_watch(p->e->api, "%s?watch=1&fieldSelector=metadata.name%%3D%s", p->e->leases, lease);
    const cost_t before = cost_of(p->standby);
    const double server = server_ms();

    replica_signal(p->leader, SIGTERM);
    const double released = released_at(w);
    REQUIRE_TRUE(replica_logged(p->standby, "first reconcile", LIMIT));
    const double took = logged_at(p->standby, "first reconcile") - released;
    const cost_t after = cost_of(p->standby);
    tap_note(
        "%s %d: first reconcile %8.1f ms after the release; until then %.0f requests, %.2f MB, "
        "server's CPU %.0f ms",
        p->what, run, took, after.requests - before.requests, bytes_since(&before, &after) / 1e6,
        server_ms() - server);
    api_watch_close(w);
    EXPECT_INT(replica_wait(p->leader, LIMIT), 0);
    replica_free(p->leader);
    replica_free(p->standby);
}

void figures_standby(void *arg)
{
    e2e_t *e = arg;
    const char *wanted = getenv("LEASEHOLD_TEST_OBJECTS");
    const int count = wanted != NULL ? (int) strtol(wanted, NULL, 10) : 100000;
    pair_t cold = {.e = e, .mode = "cold", .what = "cold"},
           quiet = {.e = e, .mode = "warm", .what = "warm, quiet kind"},
           busy = {.e = e, .mode = "warm", .what = "warm, 20 changes a second", .count = RUNS};

    cold.ns = quiet.ns = busy.ns = e2e_make_namespace(e, "standby");
    tap_note("%d ConfigMaps of %d bytes, at 15 s/10 s/2 s", count, PAYLOAD);
    make_objects(cold.ns, count);
    for (int run = 1; run <= RUNS; run++) {
        one(&cold, run);
        one(&quiet, run);
    }
    writer_t writer = {.ns = busy.ns};
    REQUIRE_INT(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    for (int run = 1; run <= RUNS; run++)
        one(&busy, run);
    writer.over = true;
    pthread_join(writer.thread, NULL);
}
