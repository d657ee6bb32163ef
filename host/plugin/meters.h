/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of one controller, under controller-runtime's names, so that its dashboards work. */
#ifndef PLUGIN_METERS_H
#define PLUGIN_METERS_H

#include "base/metrics.h"

typedef struct plugin_meters {
    metric_cell_t *success, *error, *requeue_after; /* reconcile_total by result */
    metric_cell_t *errors, *terminal_errors, *time;
    metric_cell_t *panics;   /* deaths of the worker process with reconciles inside */
    metric_cell_t *timeouts; /* reconciles that were given up */
    metric_cell_t *active;   /* runs under way; moved by the controller */
    metric_cell_t *most;     /* how many there may be at a time */
} plugin_meters_t;

/* The cells are borrowed until the registry drops the controller's. [loop-thread] */
void plugin_meters_init(plugin_meters_t *k, metrics_t *metrics, const char *controller);
/* One reconcile was completed so long after its call had begun; action is LH_DONE ... LH_FAIL.
 * [loop-thread] */
void plugin_meters_count(plugin_meters_t *k, uint32_t action, int64_t ns);

#endif
