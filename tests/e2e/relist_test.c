/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches that end, versions that are too old, API servers that restart, again and again: after each the
 * cache is what a quorum list says, and nothing grows. LEASEHOLD_TEST_CYCLES says how often; one takes
 * twelve seconds, for a list that expires sooner than after ten is repeated after a back-off.
 */
#include "e2e/e2e.h"

#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

enum { OBJECTS = 10000, CYCLES = 6, EVERY_MS = 10200, RESTART_EVERY = 12, LIMIT = 60000 };

typedef struct cycles {
    e2e_t *e;
    replica_t *replica;
    const char *ns;
    char collection[128];
    int checks, retries;
    int64_t listed; /* when the cache was right again */
} cycles_t;

typedef struct used {
    long rss_kib;
    int fds, threads;
} used_t;

static int entries(pid_t pid, const char *what)
{
    char path[64];
    int n = 0;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, what);
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL)
        n++;
    if (dir != NULL)
        closedir(dir);
    return n - 2;
}

static used_t used_by(pid_t pid)
{
    char path[64], line[256];
    used_t u = {.fds = entries(pid, "fd"), .threads = entries(pid, "task")};

    snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            u.rss_kib = strtol(line + 6, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return u;
}

/* -- The check -- */

static uint64_t add(uint64_t hash, const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        hash = (hash ^ (unsigned char) *p) * UINT64_C(1099511628211);
    return (hash ^ '/') * UINT64_C(1099511628211);
}

/* What the ledger has to say about a quorum list. */
static void expected(const cycles_t *c, int n, char out[128])
{
    API_REPLY list = api_get(c->e->api, "%s", c->collection);
    const cJSON *item;
    uint64_t sum = 0;
    int count = 0;

    REQUIRE_INT(list.status, 200);
    cJSON_ArrayForEach (item, api_at(list.json, "/items")) {
        uint64_t hash = UINT64_C(14695981039346656037);

        hash = add(hash, api_str(item, "/metadata/name"));
        hash = add(hash, api_str(item, "/metadata/uid"));
        sum += add(hash, api_str(item, "/metadata/resourceVersion"));
        count++;
    }
    snprintf(out, 128, "ledger n=%d count=%d sum=%016" PRIx64, n, count, sum);
}

/* The marker's event comes after those of all that was done before it. While a list is under way the
 * cache may still be behind, so an answer that differs is asked for again; it has to come right. */
static void check(cycles_t *c)
{
    const int64_t until = replica_now_ms() + LIMIT;
    char want[128], mine[32], path[192];

    snprintf(path, sizeof(path), "%s/check", c->collection);
    for (int tries = 0;; tries++) {
        const int n = ++c->checks;
        API_REPLY r = api_patch(c->e->api, path, "merge", "{\"data\":{\"n\":\"%d\"}}", n);

        REQUIRE_INT(r.status, 200);
        expected(c, n, want);
        snprintf(mine, sizeof(mine), "ledger n=%d ", n);
        REQUIRE_TRUE(replica_logged(c->replica, mine, LIMIT));
        if (replica_logged(c->replica, want, 0) || replica_now_ms() > until)
            break;
        c->retries++;
    }
    c->listed = replica_now_ms();
    EXPECT_TRUE(replica_logged(c->replica, want, 0));
}

/* -- The faults -- */

static void change(cycles_t *c, int cycle)
{
    char path[192];

    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "%s/many-%d", c->collection, (cycle * 5 + i) % OBJECTS);
        API_REPLY r = api_patch(c->e->api, path, "merge", "{\"data\":{\"c\":\"%d\"}}", cycle);
        EXPECT_TRUE(r.status == 200 || r.status == 404);
    }
    API_REPLY gone = api_delete(c->e->api, "%s/many-%d", c->collection, OBJECTS - 1 - cycle);
    EXPECT_INT(gone.status, 200);
    API_REPLY made =
        api_post(c->e->api, c->collection,
                 "{\"metadata\":{\"name\":\"made-%d\"},\"data\":{\"k\":\"v\"}}", cycle);
    EXPECT_INT(made.status, 201);
    snprintf(path, sizeof(path), "%s/many-%d", c->collection, 100 + cycle); /* and made again */
    API_REPLY again = api_delete(c->e->api, "%s", path);
    EXPECT_INT(again.status, 200);
    API_REPLY anew =
        api_post(c->e->api, c->collection,
                 "{\"metadata\":{\"name\":\"many-%d\"},\"data\":{\"k\":\"w\"}}", 100 + cycle);
    EXPECT_INT(anew.status, 201);
}

static void fault(cycles_t *c, const char *what)
{
    char path[64];

    snprintf(path, sizeof(path), "/devapi/faults/%s", what);
    API_REPLY r = api_post(c->e->api, path, "{\"resource\":\"configmaps\"}");
    EXPECT_INT(r.status, 200);
}

/* On the embedded server watches are cut, and mostly the history is lost before that; the real one
 * forgets it when it restarts. */
static void break_watch(cycles_t *c, int cycle)
{
    const bool embedded = getenv("LEASEHOLD_TEST_CLUSTER_SCRIPTS") != NULL;

    if (!embedded || cycle % RESTART_EVERY == RESTART_EVERY - 1) {
        change(c, cycle);
        e2e_script("compact", NULL);
        e2e_script("restart", NULL);
        return;
    }
    fault(c, "freeze-watches");
    change(c, cycle);
    e2e_script("compact", NULL);
    fault(c, "cut-watches");
}

static void wait_for_the_next(cycles_t *c)
{
    const int64_t left = c->listed + EVERY_MS - replica_now_ms();

    if (left > 0)
        usleep((unsigned) left * 1000);
}

static void after_every_relist_the_cache_is_what_a_quorum_list_says(void *arg)
{
    e2e_t *e = arg;
    const char *given = getenv("LEASEHOLD_TEST_CYCLES");
    const int cycles = given != NULL ? (int) strtol(given, NULL, 10) : CYCLES;
    cycles_t c = {.e = e, .ns = e->ns};
    used_t first = {0}, last = {0};

    snprintf(c.collection, sizeof(c.collection), "%s", e->configmaps);
    e2e_make_many(e, c.ns, "many", OBJECTS);
    e2e_make_configmap(e, "check", NULL);
    c.replica = e2e_replica(e, "a", NULL, (const char *const[]){LEDGER_PLUGIN, NULL});
    REQUIRE_TRUE(replica_logged(c.replica, "synced: reconciles begin", LIMIT));
    check(&c);
    for (int i = 0; i < cycles; i++) {
        wait_for_the_next(&c);
        break_watch(&c, i);
        check(&c);
        last = used_by(replica_pid(c.replica));
        if (i == cycles / 4)
            first = last;
        if (i % 20 == 0 || i == cycles - 1)
            tap_note("after %3d cycles: RSS %ld KiB, %d descriptors, %d threads; %d retries", i + 1,
                     last.rss_kib, last.fds, last.threads, c.retries);
    }
#ifndef LEASEHOLD_SANITIZED /* it keeps what was freed, to see who still uses it */
    EXPECT_TRUE(last.rss_kib <= first.rss_kib + first.rss_kib / 10);
#endif
    EXPECT_TRUE(last.fds <= first.fds + 2);
    EXPECT_INT(last.threads, first.threads);
    EXPECT_TRUE(replica_log_count(c.replica, "lists again: expired") >= cycles / 2);
    replica_free(c.replica);
}

static const tap_test_t all[] = {
    {"after every relist the cache is what a quorum list says",
     after_every_relist_the_cache_is_what_a_quorum_list_says},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "relist", all, sizeof(all) / sizeof(all[0]));
}
