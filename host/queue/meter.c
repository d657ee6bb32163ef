/* SPDX-License-Identifier: Apache-2.0 */
#include "queue/meter.h"

#include "base/clock.h"

static const char *const labels[] = {"name", "controller", NULL};
static const char *const depth_labels[] = {"name", "controller", "priority", NULL};
/* ExponentialBuckets(10e-9, 10, 12) */
static const double buckets[] = {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000};
/* controller-runtime's numbers for these classes. */
static const char *const priorities[QUEUE_PRIORITIES] = {"0", "-100"};

static double seconds(int64_t ns)
{
    return (double) ns / (double) CLOCK_S;
}

void queue_meter_init(queue_meter_t *m, metrics_t *metrics, const char *name)
{
    *m = (queue_meter_t){0};
    if (metrics == NULL)
        return;
    const char *const values[] = {name, name, NULL};
    metric_t *depth =
        metrics_gauge(metrics, "workqueue_depth",
                      "Current depth of workqueue by workqueue and priority", depth_labels);

    for (int p = 0; p < QUEUE_PRIORITIES; p++) {
        const char *const with_priority[] = {name, name, priorities[p], NULL};

        m->depth[p] = metric_cell(depth, with_priority);
    }
#define CELL(kind, metric, help) metric_cell(metrics_##kind(metrics, metric, help, labels), values)
#define HISTOGRAM(metric, help)                                                                    \
    metric_cell(metrics_histogram(metrics, metric, help, labels, buckets, HOST_LEN(buckets)),      \
                values)
    m->adds = CELL(counter, "workqueue_adds_total", "Total number of adds handled by workqueue");
    m->retries =
        CELL(counter, "workqueue_retries_total", "Total number of retries handled by workqueue");
    m->merged = CELL(counter, "leasehold_workqueue_merged_tombstones_total",
                     "Deletions that got no run of their own because a key had too many waiting");
    m->poison = CELL(gauge, "leasehold_workqueue_poison_keys",
                     "Keys whose last ten runs or more have failed");
    m->waited = HISTOGRAM("workqueue_queue_duration_seconds",
                          "How long in seconds an item stays in workqueue before being requested");
    m->worked = HISTOGRAM("workqueue_work_duration_seconds",
                          "How long in seconds processing an item from workqueue takes.");
    m->unfinished = CELL(gauge, "workqueue_unfinished_work_seconds",
                         "How many seconds of work has been done that is in progress and hasn't "
                         "been observed by work_duration");
    m->longest = CELL(gauge, "workqueue_longest_running_processor_seconds",
                      "How many seconds has the longest running processor for workqueue been "
                      "running");
#undef HISTOGRAM
#undef CELL
}

void queue_meter_added(const queue_meter_t *m)
{
    if (m->adds != NULL)
        metric_add(m->adds, 1);
}

void queue_meter_retried(const queue_meter_t *m)
{
    if (m->retries != NULL)
        metric_add(m->retries, 1);
}

void queue_meter_merged(const queue_meter_t *m)
{
    if (m->merged != NULL)
        metric_add(m->merged, 1);
}

void queue_meter_taken(const queue_meter_t *m, int64_t waited)
{
    if (m->waited != NULL)
        metric_observe(m->waited, seconds(waited));
}

void queue_meter_worked(const queue_meter_t *m, int64_t worked)
{
    if (m->worked != NULL)
        metric_observe(m->worked, seconds(worked));
}

void queue_meter_depth(const queue_meter_t *m, const size_t count[QUEUE_PRIORITIES])
{
    if (m->adds == NULL)
        return;
    for (int p = 0; p < QUEUE_PRIORITIES; p++) {
        metric_set(m->depth[p], (double) count[p]);
    }
}

void queue_meter_poison(const queue_meter_t *m, size_t count)
{
    if (m->poison != NULL)
        metric_set(m->poison, (double) count);
}

void queue_meter_running(const queue_meter_t *m, int64_t unfinished, int64_t longest)
{
    if (m->adds == NULL)
        return;
    metric_set(m->unfinished, seconds(unfinished));
    metric_set(m->longest, seconds(longest));
}
