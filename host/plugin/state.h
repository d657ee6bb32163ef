/* SPDX-License-Identifier: Apache-2.0 */
/* The states of an instance, their names, and the metric that shows them. */
#ifndef PLUGIN_STATE_H
#define PLUGIN_STATE_H

#include "base/metrics.h"

enum instance_state {
    STATE_CREATING,     /* create() runs */
    STATE_IDLE,         /* created, inactive */
    STATE_ACTIVATING,   /* activate() runs */
    STATE_ACTIVE,       /* reconciles */
    STATE_DRAINING,     /* the term is given up: reconciles are coming to their end */
    STATE_DEACTIVATING, /* deactivate() runs */
    STATE_DELAYED,      /* no runner, or not activated: tried again by the timer */
    STATE_FAILED,       /* given up until the host is started again, or what holds it up is over */
    STATE_DESTROYING,
    STATE_ENDED,
    STATE_COUNT
};

const char *plugin_state_name(enum instance_state state); /* [any-thread] */

/* leasehold_plugin_state{controller,state}: 1 for the present one. */
typedef struct plugin_state_gauge {
    metric_cell_t *cells[STATE_COUNT];
} plugin_state_gauge_t;

void plugin_state_gauge_init(plugin_state_gauge_t *g, metrics_t *metrics, const char *controller);
void plugin_state_show(plugin_state_gauge_t *g, enum instance_state old, enum instance_state now);

/* The same of what is no instance: refused for as long as the host runs. name: the instance that it
 * would have been, or a file's name without its directory. [loop-thread] */
void plugin_state_refused(metrics_t *metrics, const char *name);

/* Counts worker processes that died, and calls that never returned. The cells are borrowed until the
 * registry drops the controller's. [loop-thread] */
metric_cell_t *plugin_state_restarts(metrics_t *metrics, const char *controller);
metric_cell_t *plugin_state_abandoned(metrics_t *metrics, const char *controller);

#endif
