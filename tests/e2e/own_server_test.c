/* SPDX-License-Identifier: Apache-2.0 */
/* What needs the server's own hands: its restart, compaction, and its audit log. Runs on tests/cluster
 * only. */
#include "e2e/busy.h"
#include "kube/credentials.h"
#include "support/relay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LIMIT = 15000, LOADED = 40, EDITS = 5 };

/* -- Restart under load -- */

/* Writes to its ConfigMaps one after the other until told to stop; remembers what was acknowledged. */
typedef struct load {
    pthread_t thread;
    const char *configmaps;
    atomic_bool stop;
    int acknowledged[LOADED];
    int writes, failures;
} load_t;

static void *run_load(void *arg)
{
    load_t *l = arg;
    api_t *api = api_open(NULL);
    char path[256];

    for (int n = 1; !atomic_load(&l->stop); n++) {
        const int i = n % LOADED;
        snprintf(path, sizeof(path), "%s/load-%d", l->configmaps, i);
        API_REPLY r = api_patch(api, path, "merge", "{\"data\":{\"n\":\"%d\"}}", n);
        if (r.status == 200) {
            l->acknowledged[i] = n;
            l->writes++;
        } else {
            l->failures++;
            usleep(10000);
        }
    }
    api_close(api);
    return NULL;
}

static void make_loaded(e2e_t *e)
{
    char name[32];

    for (int i = 0; i < LOADED; i++) {
        snprintf(name, sizeof(name), "load-%d", i);
        e2e_make_configmap(e, name, "{\"witness\":\"yes\"}");
    }
}

/* The last state of each object must have been reconciled. */
static int count_lost(replica_t *r, const load_t *l)
{
    int lost = 0;
    char text[64];

    for (int i = 0; i < LOADED; i++) {
        snprintf(text, sizeof(text), "/load-%d reason=", i);
        char object[32];
        snprintf(object, sizeof(object), " object=%d ", l->acknowledged[i]);
        char *log = replica_log(r), *last = NULL;
        for (char *at = log; (at = strstr(at, text)) != NULL; at++)
            last = at;
        if (last != NULL)
            last[strcspn(last, "\n")] = '\0';
        if (last == NULL || strstr(last, object) == NULL) {
            tap_note("load-%d: acknowledged %d, last seen: %s", i, l->acknowledged[i],
                     last != NULL ? last : "nothing");
            lost++;
        }
        free(log);
    }
    return lost;
}

static replica_t *wait_leader(replica_t *a, replica_t *b)
{
    const int64_t until = replica_now_ms() + LIMIT;

    while (replica_now_ms() < until) {
        if (replica_get(a, "/leader", NULL) == 200)
            return a;
        if (replica_get(b, "/leader", NULL) == 200)
            return b;
        usleep(10000);
    }
    return NULL;
}

static void restart_under_load(e2e_t *e, const char *lease, const char *how)
{
    static const char *const plugins[] = {LABELLED_PLUGIN, HELLO_PLUGIN, NULL};
    load_t load = {.configmaps = e->configmaps};
    char text[64];

    e2e_make_lease(e, lease);
    replica_t *a = e2e_replica(e, "a", lease, plugins);
    replica_t *b = e2e_replica(e, "b", lease, plugins);
    REQUIRE_TRUE(replica_answers(a, "/readyz", 200, LIMIT));
    REQUIRE_TRUE(replica_answers(b, "/readyz", 200, LIMIT));
    REQUIRE_INT(pthread_create(&load.thread, NULL, run_load, &load), 0);
    const int64_t begin = replica_now_ms();
    if (how != NULL)
        e2e_script("restart", how);
    e2e_script("restart", how != NULL ? "start" : NULL);
    const int64_t back = replica_now_ms();
    EXPECT_TRUE(replica_running(a));
    EXPECT_TRUE(replica_running(b));
    replica_t *leader = wait_leader(a, b);
    REQUIRE_TRUE(leader != NULL);
    /* Deleted when the watch may not be back yet: only a comparison can show it. */
    snprintf(text, sizeof(text), "%s-gone", lease);
    e2e_make_configmap(e, text, "{\"witness\":\"yes\"}");
    snprintf(text, sizeof(text), "/%s-gone reason=", lease);
    EXPECT_TRUE(replica_logged(leader, text, 35000));
    tap_note("server away for %lld ms, reconciling again %lld ms after it was back",
             (long long) (back - begin), (long long) (replica_now_ms() - back));
    atomic_store(&load.stop, true);
    pthread_join(load.thread, NULL);
    e2e_make_configmap(e, leader == a ? "flush-a" : "flush-b", "{\"witness\":\"yes\"}");
    EXPECT_TRUE(
        replica_logged(leader, leader == a ? "/flush-a reason=" : "/flush-b reason=", LIMIT));
    EXPECT_INT(count_lost(leader, &load), 0);
    tap_note("%d writes acknowledged, %d not", load.writes, load.failures);
    EXPECT_TRUE(replica_running(a) && replica_running(b));
    EXPECT_TRUE(replica_answers(a, "/readyz", 200, LIMIT));
    EXPECT_TRUE(replica_answers(b, "/readyz", 200, LIMIT));
    replica_free(a);
    replica_free(b);
    API_REPLY r = api_delete(e->api, "%s/%s", e->configmaps, leader == a ? "flush-a" : "flush-b");
}

static void a_restart_under_load(void *arg)
{
    make_loaded(arg);
    restart_under_load(arg, "restarted", NULL);
}

static void a_kill_under_load(void *arg)
{
    restart_under_load(arg, "server-killed", "kill");
}

/* -- Compaction -- */

static void write_n(e2e_t *e, const char *name, int n)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", e->configmaps, name);
    API_REPLY r = api_patch(e->api, path, "merge", "{\"data\":{\"n\":\"%d\"}}", n);
    REQUIRE_INT(r.status, 200);
}

/* What happens while the leader is cut off is compacted away: it can only list again and compare. */
static void a_compaction_while_leading(void *arg)
{
    static const char *const names[] = {"kept", "changed", "deleted"};
    e2e_t *e = arg;
    relay_t *relay = relay_open(api_credentials(e->api)->server, RELAY_OPEN);
    char server[64];

    e2e_make_lease(e, "compacted");
    for (int i = 0; i < 3; i++) {
        e2e_make_configmap(e, names[i], "{\"witness\":\"yes\"}");
        write_n(e, names[i], 1);
    }
    snprintf(server, sizeof(server), "https://127.0.0.1:%d", relay_port(relay));
    replica_t *a = replica_start(
        &(replica_options_t){.name = "a",
                             .lease = "compacted",
                             .ns = e->ns,
                             .durations = "60s/50s/2s",
                             .kubeconfig = e2e_kubeconfig(e, "compacted", server, NULL),
                             .plugins = (const char *const[]){LABELLED_PLUGIN, NULL}});
    for (int i = 0; i < 3; i++) {
        char text[64];
        snprintf(text, sizeof(text), "/%s reason=initial object=1", names[i]);
        REQUIRE_TRUE(replica_logged(a, text, LIMIT));
    }
    replica_mark(a);
    relay_set(relay, RELAY_AWAY);
    write_n(e, "changed", 2);
    API_REPLY gone = api_delete(e->api, "%s/deleted", e->configmaps);
    EXPECT_INT(gone.status, 200);
    e2e_make_configmap(e, "created", "{\"witness\":\"yes\"}");
    e2e_script("compact", NULL);
    e2e_script("restart", NULL);
    const int64_t back = replica_now_ms();
    relay_set(relay, RELAY_OPEN);
    EXPECT_TRUE(replica_logged(a, "/changed reason=changed object=2", 35000));
    EXPECT_TRUE(replica_logged(a, "/deleted reason=gone object=no last=1 uid=yes", LIMIT));
    EXPECT_TRUE(replica_logged(a, "/created reason=changed object=-", LIMIT));
    tap_note("compared %lld ms after the server could be reached again",
             (long long) (replica_now_ms() - back));
    EXPECT_INT(replica_log_count(a, "/kept reason="), 1); /* a list is not a change */
    EXPECT_INT(replica_log_count(a, "the term has ended"), 0);
    EXPECT_INT(replica_get(a, "/leader", NULL), 200);
    replica_free(a);
    relay_close(relay);
}

/* -- Idle -- */

/* Watches on `resource` that were open from `from` to `to`. */
static int count_open(const e2e_audit_t *all, size_t count, const char *resource, double from,
                      double to)
{
    int open = 0;

    for (size_t i = 0; i < count; i++) {
        if (e2e_is_watch(&all[i], resource) && all[i].over && all[i].received <= from &&
            all[i].done >= to)
            open++;
    }
    return open;
}

static int count_received(const e2e_audit_t *all, size_t count, const char *verb, double from,
                          double to)
{
    int received = 0;

    for (size_t i = 0; i < count; i++) {
        if (all[i].received >= from && all[i].received <= to && all[i].over &&
            (verb == NULL || strcmp(all[i].verb, verb) == 0))
            received++;
    }
    return received;
}

static void an_idle_pair(void *arg)
{
    enum { WINDOW_S = 20 };
    static const char *const plugins[] = {HELLO_PLUGIN, LABELLED_PLUGIN, NULL};
    e2e_t *e = arg;
    replica_t *r[2];
    const char *const names[2] = {"idle-a", "idle-b"};
    const long start = e2e_audit_end();
    e2e_audit_t *all;
    size_t count;

    e2e_make_lease(e, "idle");
    for (int i = 0; i < 2; i++) {
        r[i] = replica_start(&(replica_options_t){.name = names[i],
                                                  .lease = "idle",
                                                  .ns = e->ns,
                                                  .durations = "15s/10s/2s",
                                                  .kubeconfig = e2e_make_user(e, names[i]),
                                                  .plugins = plugins});
        REQUIRE_TRUE(replica_answers(r[i], i == 0 ? "/leader" : "/readyz", 200, LIMIT));
        REQUIRE_TRUE(e2e_wait_lease_watch(start, e2e_user_name(e, names[i])));
    }
    REQUIRE_TRUE(replica_logged(r[0], "synced: reconciles begin controller=labelled", LIMIT));
    const double from = e2e_now();
    sleep(WINDOW_S); /* a window of time is what is measured */
    const double to = e2e_now();
    for (int i = 1; i >= 0; i--) { /* the standby first, or it would lead */
        replica_signal(r[i], SIGTERM);
        EXPECT_INT(replica_wait(r[i], LIMIT), 0);
        replica_free(r[i]);
    }

    long at = start;
    all = e2e_audit(&at, e2e_user_name(e, "idle-b"), &count);
    EXPECT_INT(count_received(all, count, NULL, from, to), 0);
    EXPECT_INT(count_open(all, count, "leases", from, to), 1);
    EXPECT_INT(count_open(all, count, "configmaps", from, to), 0);
    tap_note("standby: %zu entries in all, %d in %d s", count,
             count_received(all, count, NULL, from, to), WINDOW_S);
    free(all);
    at = start;
    all = e2e_audit(&at, e2e_user_name(e, "idle-a"), &count);
    const int renewals = count_received(all, count, "update", from, to);
    EXPECT_INT(count_received(all, count, NULL, from, to), renewals);
    EXPECT_TRUE(renewals >= WINDOW_S / 2 - 2 && renewals <= WINDOW_S / 2 + 2);
    EXPECT_INT(count_open(all, count, "leases", from, to), 1);
    EXPECT_INT(count_open(all, count, "configmaps", from, to), 1); /* both plugins share it */
    tap_note("leader: %d renewals in %d s, one Lease watch, one plugin watch, nothing else",
             renewals, WINDOW_S);
    free(all);
}

/* -- The edited Lease of a busy leader -- */

static void an_edited_lease_on_a_busy_leader(void *arg)
{
    busy_t busy;
    double writes = 0, watches = -1;

    busy_start(&busy, arg);
    for (int i = 0; i < EDITS; i++) {
        const busy_edit_t edit = busy_edit(&busy);
        EXPECT_INT(edit.late, 0);
        EXPECT_INT(edit.watches, 1);
        EXPECT_TRUE(edit.watches_end < 0.5);
        writes = edit.writes_end > writes ? edit.writes_end : writes;
        watches = edit.watches_end > watches ? edit.watches_end : watches;
    }
    tap_note("worst of %d: last write received %.1f ms after the answer to the edit, last watch "
             "ended %.1f ms after it",
             EDITS, writes * 1e3, watches * 1e3);
    busy_end(&busy);
}

static const tap_test_t tests[] = {
    {"an idle standby holds one Lease watch and sends nothing else; the leader renews",
     an_idle_pair},
    {"no plugin write is received 100 ms after a busy leader's Lease was edited",
     an_edited_lease_on_a_busy_leader},
    {"a compaction while leading leads to a comparison, not to another term",
     a_compaction_while_leading},
    {"an API server that is restarted under load: no exit, no lost event", a_restart_under_load},
    {"an API server that is killed under load: no exit, no lost event", a_kill_under_load},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "own", tests, sizeof(tests) / sizeof(tests[0]));
}
