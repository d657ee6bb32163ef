/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads add, observe, make and drop series while one renders: no value is lost. */
#include "base/metrics.h"
#include "stress.h"

#include <string.h>

enum { WRITERS = 4 };

static const double buckets[] = {1, 2, 3};

typedef struct writer {
    metrics_t *metrics;
    int64_t end;
    int number;
    long adds;
} writer_t;

static void *write_values(void *arg)
{
    writer_t *w = arg;
    char own[16];

    snprintf(own, sizeof(own), "w%d", w->number);
    const char *const labels[] = {"controller", NULL};
    const char *const values[] = {own, NULL};

    while (clock_now() < w->end) {
        metric_t *shared = metrics_counter(w->metrics, "shared_total", "Shared", NULL);
        metric_t *mine = metrics_gauge(w->metrics, "own", "Own", labels);
        metric_t *took = metrics_histogram(w->metrics, "took_seconds", "Took", NULL, buckets, 3);

        for (int i = 0; i < 50; i++) {
            metric_add(metric_cell(shared, NULL), 1);
            metric_observe(metric_cell(took, NULL), i % 5);
            metric_set(metric_cell(mine, values), i);
            w->adds++;
        }
        metrics_drop(w->metrics, "controller", own);
    }
    return NULL;
}

typedef struct reader {
    metrics_t *metrics;
    _Atomic bool stop;
    long renderings;
} reader_t;

static void *render(void *arg)
{
    reader_t *r = arg;
    double last = 0;

    while (!atomic_load(&r->stop)) {
        host_cleanup(buf_fini) buf_t out = BUF_INIT;
        int ret = metrics_render(r->metrics, METRICS_TEXT, &out);

        CHECK(ret == 0 && (out.len == 0 || out.data[out.len - 1] == '\n'), "%d", ret);
        const char *line = strstr(buf_text(&out), "\nshared_total ");
        double value = line != NULL ? strtod(line + 14, NULL) : 0;

        CHECK(value >= last, "a counter went back from %g to %g", last, value);
        last = value;
        r->renderings++;
    }
    return NULL;
}

int main(void)
{
    metrics_t *metrics = metrics_create();
    writer_t writers[WRITERS];
    pthread_t threads[WRITERS];
    reader_t reader = {.metrics = metrics};
    pthread_t reading = stress_spawn(render, &reader);
    long adds = 0;

    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (writer_t){.metrics = metrics, .end = clock_now() + STRESS_TIME, .number = i};
        threads[i] = stress_spawn(write_values, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        adds += writers[i].adds;
    }
    atomic_store(&reader.stop, true);
    pthread_join(reading, NULL);

    double shared =
        metric_value(metric_cell(metrics_counter(metrics, "shared_total", "", NULL), NULL));
    double took = metric_value(
        metric_cell(metrics_histogram(metrics, "took_seconds", "", NULL, buckets, 3), NULL));

    printf("%ld adds, %ld renderings\n", adds, reader.renderings);
    CHECK(shared == (double) adds, "%g of %ld", shared, adds);
    CHECK(took == (double) adds, "%g of %ld", took, adds);
    CHECK(adds > 0 && reader.renderings > 0, "nothing happened");
    metrics_destroy(metrics);
    return 0;
}
