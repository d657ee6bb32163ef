/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store alone: memory for an object, CPU of a put and of a read, the longest that the loop is
 * held, for 10,000, 100,000 and 1,000,000 objects.
 *   figures_store [config|random|metadata [COUNT]]...
 * Objects as the benchmarks' loader makes them: a ConfigMap of 1 KiB with settings as people write
 * them, or with random text; or the metadata of the first alone.
 */
#include "base/clock.h"
#include "base/loop.h"
#include "figures/objects.h"
#include "watch/packer.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / CLOCK_S;
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

static int64_t longest;

/* One turn of the loop; how long it took is kept. */
static void turn(loop_t *loop)
{
    const int64_t begun = clock_now();

    loop_turn(loop);
    longest = HOST_MAX(longest, clock_now() - begun);
}

static void fill(loop_t *loop, watch_store_t *store, const char *kind, int count, double *put_us)
{
    buf_t text = BUF_INIT;
    double put = 0;

    for (int i = 0; i < count; i++) {
        watch_snapshot_t *object = NULL, *old = NULL;

        figures_object(kind, i, &text);
        const double begun = cpu();

        if (watch_snapshot_create(text.data, text.len, "v1", "ConfigMap", &object, NULL) < 0)
            abort();
        (void) watch_store_put(store, object, &old);
        watch_snapshot_unref(old);
        watch_snapshot_unref(object);
        put += cpu() - begun;
        if (i % 100 == 0)
            turn(loop);
    }
    buf_fini(&text);
    *put_us = put / count * 1e6;
}

static double read_all(watch_store_t *store, int count)
{
    char ns[16], name[24];
    const double begun = cpu();

    for (int i = 0; i < count; i++) {
        figures_names(i, ns, name);
        watch_snapshot_t *object = watch_store_get(store, ns, name);

        if (object == NULL || watch_snapshot_text(object, NULL)[0] != '{')
            abort();
        watch_snapshot_unref(object);
    }
    return (cpu() - begun) / count * 1e6;
}

#define LABEL "app.kubernetes.io/instance"

/* Milliseconds for the names of the objects with one label; one in 500 has it. */
static double list_by_label(watch_store_t *store)
{
    watch_selector_t *labels = NULL;
    watch_name_t *names = NULL;
    size_t count = 0;

    if (watch_selector_parse(LABEL "=app-7", &labels, NULL) < 0)
        abort();
    const double begun = cpu();

    if (watch_store_names(store, NULL, labels, NULL, &names, &count, NULL) < 0 || count == 0)
        abort();
    const double ms = (cpu() - begun) * 1e3;

    watch_names_free(names, count);
    watch_selector_destroy(labels);
    return ms;
}

/* As for a subscriber that comes late. */
static void index_label(watch_store_t *store)
{
    watch_store_walk_t walk;
    watch_snapshot_t *object;

    watch_store_index_labels(store, LABEL);
    watch_store_walk_begin(store, &walk);
    while ((object = watch_store_walk_next(store, &walk)) != NULL)
        watch_snapshot_unref(object);
    watch_store_walk_end(store, &walk);
}

static void measure_list(watch_store_t *store, int count)
{
    const double all_ms = list_by_label(store);
    const size_t bytes = watch_store_usage(store).bytes;
    const double begun = cpu();

    index_label(store);
    const double index_us = (cpu() - begun) / count * 1e6;

    printf("         list by label %.2f ms; by an index of it %.2f ms, which takes %zu B each, and "
           "%.2f us when it is made\n",
           all_ms, list_by_label(store), (watch_store_usage(store).bytes - bytes) / (size_t) count,
           index_us);
}

static void measure(const char *kind, int count)
{
    loop_t *loop;
    double put_us;

    if (loop_create(&loop, NULL) < 0)
        abort();
    const long before = status_kib("VmRSS:");
    const double cpu_before = cpu();
    const int64_t begun = clock_now();
    watch_packer_t *packer = watch_packer_create(loop);
    watch_store_t *store = watch_store_create();
    watch_packing_t *packing = watch_packing_begin(packer, store);

    longest = 0;
    fill(loop, store, kind, count, &put_us);
    for (int i = 0; i < 200; i++) {
        turn(loop);
    }
    const double s = (double) (clock_now() - begun) / CLOCK_S, cpu_s = cpu() - cpu_before;
    const long steady = status_kib("VmRSS:"), peak = status_kib("VmHWM:");
    const watch_store_usage_t u = watch_store_usage(store);
    const double get_us = read_all(store, count);

    printf("%-8s %8d objects of %4zu B: %4zu B each, RSS %+5ld B each, peak %+5ld B each; put %.2f "
           "us, "
           "read %.2f us; in all %.2f s, CPU %.2f s; loop held %.1f ms at "
           "most\n",
           kind, count, u.text_bytes / (size_t) count, u.bytes / (size_t) count,
           (steady - before) * 1024 / count, (peak - before) * 1024 / count, put_us, get_us, s,
           cpu_s, (double) longest / CLOCK_MS);
    measure_list(store, count);
    watch_packing_end(packing);
    watch_store_unref(store);
    watch_packer_destroy(packer);
    loop_destroy(loop);
}

int main(int argc, char **argv)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10); /* as the host does */
    measure(argc > 1 ? argv[1] : "config", argc > 2 ? (int) strtol(argv[2], NULL, 10) : 100000);
    return 0;
}
