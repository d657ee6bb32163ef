/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/meters.h"

#include "base/clock.h"

#include <leasehold/types.h>

void plugin_meters_init(plugin_meters_t *k, metrics_t *metrics, const char *controller)
{
    static const char *const by_result[] = {"controller", "result", NULL};
    static const char *const plain[] = {"controller", NULL};
    static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3,  0.35,
                                     0.4,   0.45, 0.5,   0.6,  0.7, 0.8,  0.9, 1.0,  1.25, 1.5,
                                     1.75,  2.0,  2.5,   3.0,  3.5, 4.0,  4.5, 5,    6,    7,
                                     8,     9,    10,    15,   20,  25,   30,  40,   50,   60};
    const char *const name[] = {controller, NULL};
    metric_t *total = metrics_counter(metrics, "controller_runtime_reconcile_total",
                                      "Reconciles per controller and result.", by_result);
    metric_t *errors = metrics_counter(metrics, "controller_runtime_reconcile_errors_total",
                                       "Reconciles that failed.", plain);
    metric_t *terminal =
        metrics_counter(metrics, "controller_runtime_terminal_reconcile_errors_total",
                        "Reconciles that failed and are not retried.", plain);
    metric_t *time = metrics_histogram(metrics, "controller_runtime_reconcile_time_seconds",
                                       "Time from the call to its completion.", plain, buckets,
                                       HOST_LEN(buckets));
    metric_t *panics = metrics_counter(metrics, "controller_runtime_reconcile_panics_total",
                                       "Deaths of the worker process amid reconciles.", plain);
    metric_t *timeouts = metrics_counter(metrics, "controller_runtime_reconcile_timeouts_total",
                                         "Reconciles that were given up.", plain);
    metric_t *active =
        metrics_gauge(metrics, "controller_runtime_active_workers", "Reconciles under way.", plain);
    metric_t *most = metrics_gauge(metrics, "controller_runtime_max_concurrent_reconciles",
                                   "Reconciles that may be under way at a time.", plain);

    k->success = metric_cell(total, (const char *[]){controller, "success"});
    k->error = metric_cell(total, (const char *[]){controller, "error"});
    k->requeue_after = metric_cell(total, (const char *[]){controller, "requeue_after"});
    (void) metric_cell(total, (const char *[]){controller, "requeue"}); /* there, and always 0 */
    k->errors = metric_cell(errors, name);
    k->terminal_errors = metric_cell(terminal, name);
    k->time = metric_cell(time, name);
    k->panics = metric_cell(panics, name);
    k->timeouts = metric_cell(timeouts, name);
    k->active = metric_cell(active, name);
    k->most = metric_cell(most, name);
}

void plugin_meters_count(plugin_meters_t *k, uint32_t action, int64_t ns)
{
    metric_cell_t *const by_action[] = {
        [LH_DONE] = k->success,
        [LH_REQUEUE_AFTER] = k->requeue_after,
        [LH_RETRY] = k->error,
        [LH_FAIL] = k->error,
    };

    metric_add(by_action[action], 1);
    metric_observe(k->time, (double) ns / (double) CLOCK_S);
    if (action == LH_RETRY || action == LH_FAIL)
        metric_add(k->errors, 1);
    if (action == LH_FAIL)
        metric_add(k->terminal_errors, 1);
}
