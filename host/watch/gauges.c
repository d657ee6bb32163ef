/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/gauges.h"

#include "base/clock.h"

#include <string.h>

#define LABELS "group", "version", "resource", "namespace", "selector", "projection"
enum { COMMON_LABELS = 6 };

static metric_t *family(metrics_t *m, const char *name, const char *help, const char *more)
{
    const char *const labels[] = {LABELS, more, NULL};

    return metrics_counter(m, name, help, labels);
}

/* The i-th family with the common labels alone, and its cell. */
static metric_cell_t *cell(watch_gauges_t *g, size_t i, metric_t *f)
{
    g->families[i] = f;
    return metric_cell(f, g->labels);
}

void watch_gauges_init(watch_gauges_t *g, metrics_t *m, const watch_spec_t *spec,
                       const char *selector)
{
    static const char *const plain[] = {LABELS, NULL};

    *g = (watch_gauges_t){.labels = {spec->gvr.group, spec->gvr.version, spec->gvr.resource,
                                     spec->ns != NULL ? spec->ns : "", selector,
                                     spec->metadata_only ? "metadata" : "full"}};
    if (m == NULL)
        return;
    g->lists = family(m, "leasehold_watch_lists_total", "Lists begun, by mode", "mode");
    g->relists = family(m, "leasehold_watch_relists_total", "Lists begun again, by cause", "cause");
    g->restarts = family(m, "leasehold_watch_restarts_total",
                         "Watches opened again without a list, by cause", "cause");
    g->watches = cell(g, 0, family(m, "leasehold_watch_watches_total", "Watches opened", NULL));
    g->unparsable =
        cell(g, 1,
             family(m, "leasehold_watch_unparsable_objects_total",
                    "Objects and events that were skipped as they could not be read", NULL));
    g->objects =
        cell(g, 2, metrics_gauge(m, "leasehold_watch_objects", "Objects in the cache", plain));
    g->last_event = cell(g, 3,
                         metrics_gauge(m, "leasehold_watch_last_event_time_seconds",
                                       "When the last event came, in Unix time", plain));
    g->last_bookmark = cell(g, 4,
                            metrics_gauge(m, "leasehold_watch_last_bookmark_time_seconds",
                                          "When the last bookmark came, in Unix time", plain));
}

void watch_gauges_fini(watch_gauges_t *g)
{
    metric_t *const more[] = {g->lists, g->relists, g->restarts};

    for (size_t i = 0; g->lists != NULL && i < HOST_LEN(more); i++) {
        metric_drop(more[i], g->labels, COMMON_LABELS);
    }
    for (size_t i = 0; g->lists != NULL && i < HOST_LEN(g->families); i++) {
        metric_drop(g->families[i], g->labels, COMMON_LABELS);
    }
    *g = (watch_gauges_t){0};
}

static void count(const watch_gauges_t *g, metric_t *f, const char *more)
{
    const char *values[COMMON_LABELS + 1];

    if (f == NULL)
        return;
    memcpy(values, g->labels, sizeof(g->labels));
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
