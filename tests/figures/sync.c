/* SPDX-License-Identifier: Apache-2.0 */
/* The first sync of 100,000 ConfigMaps (objects.c) by a host with one plugin, on the embedded server. */
#include "base/clock.h"
#include "figures/figures.h"
#include "figures/objects.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CREATORS = 8, OBJECTS = 100000, NAMESPACES = 10, LIMIT = 300000 };

typedef struct creator {
    const char *kind;
    int first;
    bool failed;
} creator_t;

/* What only a server sets is left out. */
static void cut_metadata(char *text)
{
    char *from = strstr(text, ",\"uid\""), *to = strstr(text, ",\"labels\"");

    memmove(from, to, strlen(to) + 1);
}

static void *create_some(void *arg)
{
    creator_t *c = arg;
    api_t *api = api_open(NULL);
    buf_t text = BUF_INIT;
    char ns[16], name[24], path[96];

    for (int i = c->first; i < OBJECTS; i += CREATORS) {
        figures_object(c->kind, i, &text);
        cut_metadata(text.data);
        figures_names(i, ns, name);
        snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", ns);
        API_REPLY r = api_post(api, path, "%s", text.data);
        c->failed = c->failed || r.status != 201;
    }
    buf_fini(&text);
    api_close(api);
    return NULL;
}

static void create_all(e2e_t *e, const char *kind)
{
    pthread_t threads[CREATORS];
    creator_t c[CREATORS];

    for (int i = 0; i < NAMESPACES; i++) {
        API_REPLY r =
            api_post(e->api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"bench-%d\"}}", i);
        REQUIRE_INT(r.status, 201);
    }
    for (int i = 0; i < CREATORS; i++) {
        c[i] = (creator_t){kind, i, false};
        REQUIRE_INT(pthread_create(&threads[i], NULL, create_some, &c[i]), 0);
    }
    for (int i = 0; i < CREATORS; i++) {
        pthread_join(threads[i], NULL);
        EXPECT_TRUE(!c[i].failed);
    }
}

/* KiB of a line of /proc/PID/status. */
static long status_kib(pid_t pid, const char *line)
{
    char path[64], text[256];
    long kib = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
    FILE *f = fopen(path, "re");

    while (f != NULL && fgets(text, sizeof(text), f) != NULL) {
        if (strncmp(text, line, strlen(line)) == 0)
            kib = strtol(text + strlen(line), NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

static void print_store(replica_t *r)
{
    static const char labels[] = "group=\"\",version=\"v1\",resource=\"configmaps\",namespace=\"\","
                                 "selector=\"\",projection=\"full\"";
    char bytes[256], text[256];

    snprintf(bytes, sizeof(bytes), "leasehold_watch_store_bytes{%s}", labels);
    snprintf(text, sizeof(text), "leasehold_watch_store_text_bytes{%s}", labels);
    tap_note("  store: %.0f bytes an object, %.0f as text", replica_metric(r, bytes) / OBJECTS,
             replica_metric(r, text) / OBJECTS);
}

static void measure(const char *kind)
{
    static const char total[] =
        "controller_runtime_reconcile_total{controller=\"reader\",result=\"success\"}";
    const int64_t begun = clock_now();
    replica_t *r =
        replica_start(&(replica_options_t){.name = kind,
                                           .lease = NULL,
                                           .ns = "*",
                                           .binary = getenv("LEASEHOLD_TEST_HOST"),
                                           .plugins = (const char *const[]){READER_PLUGIN, NULL}});
    const pid_t pid = replica_pid(r);

    REQUIRE_TRUE(replica_logged(r, "synced: reconciles begin", LIMIT));
    const double synced = (double) (clock_now() - begun) / CLOCK_S,
                 synced_cpu = figures_cpu_us(pid);
    const long synced_peak = status_kib(pid, "VmHWM:");

    while (replica_metric(r, total) < OBJECTS)
        usleep(20000);
    tap_note(
        "%s: synced after %.2f s (CPU %.2f s, peak RSS %ld MB); all reconciled after %.2f s (CPU "
        "%.2f s, peak RSS %ld MB, RSS then %ld MB)",
        kind, synced, synced_cpu / 1e6, synced_peak / 1000,
        (double) (clock_now() - begun) / CLOCK_S, figures_cpu_us(pid) / 1e6,
        status_kib(pid, "VmHWM:") / 1000, status_kib(pid, "VmRSS:") / 1000);
    print_store(r);
    replica_free(r);
}

void figures_sync(void *arg)
{
    create_all(arg, "config");
    measure("config");
    measure("config");
}

void figures_random(void *arg)
{
    create_all(arg, "random");
    measure("random");
    measure("random");
}
