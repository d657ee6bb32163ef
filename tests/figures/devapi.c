/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded API server itself: writes, fan-out to watches, memory. Over TLS, as everything here. */
#include "base/clock.h"
#include "figures/figures.h"

#include <pthread.h>
#include <stdlib.h>

enum { WRITERS = 8, WRITES = 2000, WATCHES = 100, UPDATES = 100, OBJECTS = 100000, LIMIT = 10000 };

typedef struct writer {
    const char *prefix, *ns;
    int first, count;
    bool failed;
} writer_t;

static void *write_all(void *arg)
{
    writer_t *w = arg;
    api_t *api = api_open(NULL);
    char path[160];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", w->ns);
    for (int i = w->first; i < w->first + w->count; i++) {
        API_REPLY r = api_post(api, path,
                               "{\"metadata\":{\"name\":\"%s-%d\",\"labels\":{\"app\":\"a\"}},"
                               "\"data\":{\"key\":\"value\"}}",
                               w->prefix, i);
        w->failed = w->failed || r.status != 201;
    }
    api_close(api);
    return NULL;
}

/* Creates `count` objects by `writers` clients; the time that it took. */
static double create(const char *prefix, const char *ns, int writers, int count)
{
    pthread_t threads[WRITERS];
    writer_t w[WRITERS];
    const int64_t begun = clock_now();

    for (int i = 0; i < writers; i++) {
        w[i] = (writer_t){prefix, ns, i * (count / writers), count / writers, false};
        REQUIRE_INT(pthread_create(&threads[i], NULL, write_all, &w[i]), 0);
    }
    for (int i = 0; i < writers; i++) {
        pthread_join(threads[i], NULL);
        EXPECT_TRUE(!w[i].failed);
    }
    return (double) (clock_now() - begun) / CLOCK_S;
}

static void print_writes(const char *ns, int writers)
{
    char prefix[16];

    snprintf(prefix, sizeof(prefix), "w%d", writers);
    const double s = create(prefix, ns, writers, WRITES * writers);
    tap_note("%d client%s: %.0f creates a second", writers, writers == 1 ? "" : "s",
             WRITES * writers / s);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}

/* From the begin of a patch to the moment at which the last watch has its event. */
static void print_fan_out(e2e_t *e)
{
    api_watch_t *watches[WATCHES];
    double ms[UPDATES];
    char path[160];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps/w1-0", e->ns);
    for (int i = 0; i < WATCHES; i++) {
        watches[i] = api_watch(e->api,
                               "/api/v1/namespaces/%s/configmaps?watch=1&"
                               "fieldSelector=metadata.name=w1-0",
                               e->ns);
        API_EVENT first = api_watch_next(watches[i], LIMIT);
        REQUIRE_STR(first.type, "ADDED");
    }
    for (int u = 0; u < UPDATES; u++) {
        const int64_t begun = clock_now();
        API_REPLY r = api_patch(e->api, path, "merge", "{\"data\":{\"key\":\"%d\"}}", u);
        REQUIRE_INT(r.status, 200);
        for (int i = 0; i < WATCHES; i++) {
            API_EVENT event = api_watch_next(watches[i], LIMIT);
            REQUIRE_STR(event.type, "MODIFIED");
        }
        ms[u] = (double) (clock_now() - begun) / CLOCK_MS;
    }
    for (int i = 0; i < WATCHES; i++)
        api_watch_close(watches[i]);
    qsort(ms, UPDATES, sizeof(ms[0]), by_size);
    tap_note("a change is at all of %d watches after %.2f ms (median), %.2f ms (worst of %d)",
             WATCHES, ms[UPDATES / 2], ms[UPDATES - 1], UPDATES);
}

static void print_memory(const char *ns)
{
    const char *text = getenv("LEASEHOLD_TEST_SERVER_PID");
    const pid_t pid = text == NULL ? 0 : (pid_t) strtol(text, NULL, 10);

    REQUIRE_TRUE(pid > 0);
    const long before = figures_kib(pid, "Pss:");
    const double s = create("m", ns, WRITERS, OBJECTS);
    const long after = figures_kib(pid, "Pss:");
    tap_note("%d small ConfigMaps: PSS %ld MiB, %ld bytes each; created in %.0f s", OBJECTS,
             after / 1024, (after - before) * 1024 / OBJECTS, s);
}

void figures_devapi(void *arg)
{
    e2e_t *e = arg;

    print_writes(e->ns, 1);
    print_writes(e->ns, WRITERS);
    print_fan_out(e);
    print_memory(e->ns);
}
