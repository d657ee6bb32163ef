/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscription to the metadata of many objects, from the bytes of a streaming list on: the first
 * list, a list after 410 that finds nothing new, the end. Speaks the watch protocol in place of a
 * server, so that nothing but the host's side is measured.
 *   figures_stream COUNT...       a JSON line for each; tests/bench/plot.py draws them
 */
#include "base/clock.h"
#include "base/metrics.h"
#include "figures/objects.h"
#include "support/fake_kube.h"
#include "watch/hub.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AT_A_TIME = 64 << 10 }; /* bytes, as they come from a connection */

/* Of the process, or of this thread. */
static double cpu_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / CLOCK_S;
}

static double cpu(void)
{
    return cpu_of(CLOCK_PROCESS_CPUTIME_ID);
}

static long status_kib(const char *line)
{
    FILE *f = fopen("/proc/self/status", "re");
    char text[128];
    long kib = 0;

    while (f != NULL && fgets(text, sizeof(text), f) != NULL) {
        if (strncmp(text, line, strlen(line)) == 0)
            kib = strtol(text + strlen(line), NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

typedef struct world {
    loop_t *loop;
    fake_kube_t *kube;
    watch_hub_t *hub;
    watch_sub_t *sub;
    long events;
    int synced;
    double longest; /* turn of the loop, in CPU seconds */
} world_t;

static void on_event(void *arg, const watch_event_t *event)
{
    (void) event;
    ((world_t *) arg)->events++;
}

static void on_synced(void *arg)
{
    ((world_t *) arg)->synced++;
}

static void on_state(void *arg, const char *problem)
{
    (void) arg;
    (void) problem;
}

static const watch_handler_t handler = {on_event, on_synced, on_state};

static void turn(world_t *w)
{
    const double begun = cpu_of(CLOCK_THREAD_CPUTIME_ID);

    loop_turn(w->loop);
    fake_kube_answer_lookups(w->kube);
    const double took = cpu_of(CLOCK_THREAD_CPUTIME_ID) - begun;

    w->longest = HOST_MAX(w->longest, took);
}

static kube_call_t *await_call(world_t *w, const char *part)
{
    kube_call_t *call;

    while ((call = fake_kube_find(w->kube, part)) == NULL) {
        turn(w);
    }
    return call;
}

static void give(world_t *w, const char *part, buf_t *bytes)
{
    if (!fake_kube_data(await_call(w, part), buf_text(bytes)))
        abort();
    buf_clear(bytes);
    turn(w);
}

/* The CPU time of the host's side of a streaming list of all objects. */
static double list(world_t *w, int count)
{
    buf_t bytes = BUF_INIT, object = BUF_INIT;
    double took = 0;

    (void) await_call(w, "sendInitialEvents"); /* again only after a back-off */
    for (int i = 0; i < count; i++) {
        figures_object("metadata", i, &object);
        buf_puts(&bytes, "{\"type\":\"ADDED\",\"object\":");
        buf_append(&bytes, object.data, object.len);
        buf_puts(&bytes, "}\n");
        if (bytes.len < AT_A_TIME && i + 1 < count)
            continue;
        const double begun = cpu();

        give(w, "sendInitialEvents", &bytes);
        took += cpu() - begun;
    }
    buf_printf(&bytes,
               "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{"
               "\"resourceVersion\":\"%d\",\"annotations\":{\"k8s.io/initial-events-end\":"
               "\"true\"}}}}\n",
               count + 2000);
    give(w, "sendInitialEvents", &bytes);
    buf_fini(&bytes);
    buf_fini(&object);
    return took;
}

/* Turns the loop until nothing is left to do; CPU seconds. */
static double settle(world_t *w)
{
    const double begun = cpu_of(CLOCK_THREAD_CPUTIME_ID);

    for (int quiet = 0; quiet < 1000;) {
        const double before = cpu_of(CLOCK_THREAD_CPUTIME_ID);

        turn(w);
        quiet = cpu_of(CLOCK_THREAD_CPUTIME_ID) - before < 1e-4 ? quiet + 1 : 0;
        usleep(1000);
    }
    return cpu_of(CLOCK_THREAD_CPUTIME_ID) - begun;
}

static void measure(int count)
{
    world_t w = {0};

    if (loop_create(&w.loop, NULL) < 0)
        abort();
    w.kube = fake_kube_create();
    w.hub = watch_hub_create(&(watch_hub_options_t){.loop = w.loop,
                                                    .client = fake_kube_client(w.kube),
                                                    .discovery = fake_kube_discovery(w.kube)});
    const watch_spec_t spec = {.gvr = {"", "v1", "configmaps"}, .metadata_only = true};
    const long before = status_kib("VmRSS:");

    if (watch_subscribe(w.hub, &spec, &handler, &w, &w.sub, NULL) < 0)
        abort();
    const double first = list(&w, count), after = settle(&w);
    const long steady = status_kib("VmRSS:"), peak = status_kib("VmHWM:"), events = w.events;
    buf_t gone = BUF_INIT;

    if (w.synced != 1 || events != count)
        abort();
    buf_puts(&gone, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                    "\"message\":\"too old\"}}\n");
    (void) fake_kube_data(await_call(&w, "watch=1"), buf_text(&gone));
    buf_fini(&gone);
    const double again = list(&w, count);

    (void) settle(&w);
    if (w.events != events)
        abort();
    const long listed = status_kib("VmHWM:");

    watch_unsubscribe(w.sub);
    const double end = settle(&w);

    printf("{\"objects\": %d, \"bytes_each\": %ld, \"peak_bytes_each\": %ld, "
           "\"list_cpu_us_each\": %.2f, \"list_cpu_s\": %.2f, \"list_again_cpu_us_each\": %.2f, "
           "\"list_again_peak_bytes_each\": %ld, \"loop_held_ms\": %.1f, \"end_cpu_s\": %.2f, "
           "\"rss_kib_left\": %ld}\n",
           count, (steady - before) * 1024 / count, (peak - before) * 1024 / count,
           first / count * 1e6, first + after, again / count * 1e6,
           (listed - before) * 1024 / count, w.longest * 1e3, end, status_kib("VmRSS:") - before);
    watch_hub_destroy(w.hub);
    fake_kube_destroy(w.kube);
    loop_destroy(w.loop);
}

int main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10); /* as the host does */
    for (int i = 1; i < argc; i++) {
        measure((int) strtol(argv[i], NULL, 10));
    }
    return 0;
}
