/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/state.h"

const char *plugin_state_name(enum instance_state state)
{
    static const char *const names[STATE_COUNT] = {
        [STATE_CREATING] = "creating",     [STATE_IDLE] = "standby",
        [STATE_ACTIVATING] = "activating", [STATE_ACTIVE] = "active",
        [STATE_DRAINING] = "draining",     [STATE_DEACTIVATING] = "deactivating",
        [STATE_DELAYED] = "waiting",       [STATE_FAILED] = "failed",
        [STATE_DESTROYING] = "ending",     [STATE_ENDED] = "ended",
    };

    return names[state];
}

void plugin_state_gauge_init(plugin_state_gauge_t *g, metrics_t *metrics, const char *controller)
{
    metric_t *f = metrics_gauge(metrics, "leasehold_plugin_state",
                                "1 for the state in which the instance is.",
                                (const char *const[]){"controller", "state", NULL});

    for (int state = 0; state < STATE_COUNT; state++) {
        g->cells[state] = metric_cell(
            f, (const char *const[]){controller, plugin_state_name((enum instance_state) state)});
    }
}

void plugin_state_show(plugin_state_gauge_t *g, enum instance_state old, enum instance_state now)
{
    metric_set(g->cells[old], 0);
    metric_set(g->cells[now], 1);
}

void plugin_state_refused(metrics_t *metrics, const char *name)
{
    plugin_state_gauge_t g;

    plugin_state_gauge_init(&g, metrics, name);
    plugin_state_show(&g, STATE_CREATING, STATE_FAILED);
}

static const char *const labels[] = {"controller", NULL};

metric_cell_t *plugin_state_restarts(metrics_t *metrics, const char *controller)
{
    return metric_cell(metrics_counter(metrics, "leasehold_plugin_restarts_total",
                                       "Worker processes that died.", labels),
                       &controller);
}

metric_cell_t *plugin_state_abandoned(metrics_t *metrics, const char *controller)
{
    return metric_cell(metrics_gauge(metrics, "leasehold_plugin_abandoned_calls",
                                     "Calls that never returned and were given up.", labels),
                       &controller);
}
