/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/gauges.h"

#include "base/clock.h"

#include <string.h>

enum { COMMON_LABELS = 4 };

static metric_t *family(metrics_t *m, const char *name, const char *help, const char *more)
{
    const char *const labels[] = {"group", "resource", "namespace", "selector", more, NULL};

    return metrics_counter(m, name, help, labels);
}

static metric_cell_t *gauge(watch_gauges_t *g, metrics_t *m, const char *name, const char *help)
{
    static const char *const labels[] = {"group", "resource", "namespace", "selector", NULL};

    return metric_cell(metrics_gauge(m, name, help, labels), g->labels);
}

static metric_cell_t *counter(watch_gauges_t *g, metrics_t *m, const char *name, const char *help)
{
    return metric_cell(family(m, name, help, NULL), g->labels);
}

void watch_gauges_init(watch_gauges_t *g, metrics_t *metrics, const char *group,
                       const char *resource, const char *ns, const char *selector)
{
    *g = (watch_gauges_t){.labels = {group, resource, ns, selector, NULL}};
    if (metrics == NULL)
        return;
    g->lists = family(metrics, "leasehold_watch_lists_total", "Lists begun, by mode", "mode");
    g->relists =
        family(metrics, "leasehold_watch_relists_total", "Lists begun again, by cause", "cause");
    g->restarts = family(metrics, "leasehold_watch_restarts_total",
                         "Watches opened again without a list, by cause", "cause");
    g->watches = counter(g, metrics, "leasehold_watch_watches_total", "Watches opened");
    g->unparsable = counter(g, metrics, "leasehold_watch_unparsable_objects_total",
                            "Objects and events that were skipped as they could not be read");
    g->objects = gauge(g, metrics, "leasehold_watch_objects", "Objects in the cache");
    g->last_event = gauge(g, metrics, "leasehold_watch_last_event_time_seconds",
                          "When the last event came, in Unix time");
    g->last_bookmark = gauge(g, metrics, "leasehold_watch_last_bookmark_time_seconds",
                             "When the last bookmark came, in Unix time");
}

static void count(const watch_gauges_t *g, metric_t *f, const char *more)
{
    const char *values[COMMON_LABELS + 1];

    if (f == NULL)
        return;
    memcpy(values, g->labels, sizeof(values));
    values[COMMON_LABELS] = more;
    metric_add(metric_cell(f, values), 1);
}

void watch_gauges_list(const watch_gauges_t *g, const char *mode)
{
    count(g, g->lists, mode);
}

void watch_gauges_relist(const watch_gauges_t *g, const char *cause)
{
    count(g, g->relists, cause);
}

void watch_gauges_restart(const watch_gauges_t *g, const char *cause)
{
    count(g, g->restarts, cause);
}

void watch_gauges_watch(const watch_gauges_t *g)
{
    if (g->watches != NULL)
        metric_add(g->watches, 1);
}

void watch_gauges_unparsable(const watch_gauges_t *g)
{
    if (g->unparsable != NULL)
        metric_add(g->unparsable, 1);
}

static void set_now(metric_cell_t *cell)
{
    if (cell != NULL)
        metric_set(cell, (double) clock_wall() / (double) CLOCK_S);
}

void watch_gauges_event(const watch_gauges_t *g)
{
    set_now(g->last_event);
}

void watch_gauges_bookmark(const watch_gauges_t *g)
{
    set_now(g->last_bookmark);
}

void watch_gauges_objects(const watch_gauges_t *g, size_t n)
{
    if (g->objects != NULL)
        metric_set(g->objects, (double) n);
}
