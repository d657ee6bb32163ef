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

static char *informer_name(const watch_spec_t *spec, const char *selector)
{
    buf_t name = BUF_INIT;

    buf_puts(&name, spec->ns != NULL ? spec->ns : "all");
    if (*selector != '\0')
        buf_printf(&name, " %s", selector);
    if (spec->metadata_only)
        buf_puts(&name, " metadata");
    if (spec->fields != NULL)
        buf_printf(&name, " %s", spec->fields);
    return buf_steal(&name);
}

/* The cell of the common labels and one more. */
static metric_cell_t *cell_with(const watch_gauges_t *g, metric_t *f, const char *more)
{
    const char *values[COMMON_LABELS + 1];

    memcpy(values, g->labels, sizeof(g->labels));
    values[COMMON_LABELS] = more;
    return metric_cell(f, values);
}

static void init_reads(watch_gauges_t *g, metrics_t *m)
{
    static const char *const ways[WATCH_WAYS] = {[WATCH_BY_OWNER] = "owner",
                                                 [WATCH_BY_LABEL] = "label",
                                                 [WATCH_BY_NAMESPACE] = "namespace",
                                                 [WATCH_BY_ALL] = "all"};

    g->reads = family(m, "leasehold_watch_cache_lists_total",
                      "Lists of cached objects by plugins, by what found them", "by");
    for (size_t i = 0; i < WATCH_WAYS; i++)
        g->store.reads[i] = cell_with(g, g->reads, ways[i]);
}

/* Under the names, labels and buckets of client-go. Nothing waits in a queue: events are taken into the
 * store as they are read. */
static void init_informer(watch_gauges_t *g, metrics_t *m, const watch_spec_t *spec,
                          const char *selector)
{
    static const char *const names[] = {"name", "group", "version", "resource", NULL};
    static const double buckets[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                     0.25,  0.5,   1,    2.5,   5,    10};

    g->name = informer_name(spec, selector);
    g->informer_labels[0] = g->name;
    memcpy(g->informer_labels + 1, g->labels, 3 * sizeof(g->labels[0]));
    g->informer_families[0] = metrics_gauge(m, "informer_queued_items",
                                            "Number of items currently queued in the FIFO.", names);
    g->informer_families[1] =
        metrics_histogram(m, "informer_processing_latency_seconds",
                          "Time taken to process events after popping from the queue.", names,
                          buckets, HOST_LEN(buckets));
    g->informer_families[2] = metrics_gauge(
        m, "informer_store_resource_version",
        "The 15 least significant digits of the resource version of the store.", names);
    (void) metric_cell(g->informer_families[0], g->informer_labels);
    g->processing = metric_cell(g->informer_families[1], g->informer_labels);
    g->store_version = metric_cell(g->informer_families[2], g->informer_labels);
}

void watch_gauges_init(watch_gauges_t *g, metrics_t *m, const watch_spec_t *spec,
                       const char *selector)
{
    static const char *const plain[] = {LABELS, NULL};

    *g = (watch_gauges_t){.labels = {spec->gvr.group, spec->gvr.version, spec->gvr.resource,
                                     spec->ns != NULL ? spec->ns : "", selector,
                                     spec->metadata_only    ? "metadata"
                                     : spec->fields != NULL ? spec->fields
                                                            : "full"}};
    if (m == NULL)
        return;
    g->lists = family(m, "leasehold_watch_lists_total", "Lists begun, by mode", "mode");
    g->relists = family(m, "leasehold_watch_relists_total", "Lists begun again, by cause", "cause");
    g->restarts = family(m, "leasehold_watch_restarts_total",
                         "Watches opened again without a list, by cause", "cause");
    g->confirmations = family(m, "leasehold_watch_confirmations_total",
                              "Caches filled before a term that it took over, by method", "how");
    g->watches = cell(g, 0, family(m, "leasehold_watch_watches_total", "Watches opened", NULL));
    g->unparsable =
        cell(g, 1,
             family(m, "leasehold_watch_unparsable_objects_total",
                    "Objects and events that were skipped as they could not be read", NULL));
    g->store = (watch_store_meters_t){
        .objects =
            cell(g, 2, metrics_gauge(m, "leasehold_watch_objects", "Objects in the cache", plain)),
        .bytes = cell(g, 5,
                      metrics_gauge(m, "leasehold_watch_store_bytes",
                                    "Memory that the cache takes, without malloc's share", plain)),
        .text_bytes = cell(g, 6,
                           metrics_gauge(m, "leasehold_watch_store_text_bytes",
                                         "Length of the cached objects as JSON", plain))};
    g->last_event = cell(g, 3,
                         metrics_gauge(m, "leasehold_watch_last_event_time_seconds",
                                       "When the last event came, in Unix time", plain));
    g->last_bookmark = cell(g, 4,
                            metrics_gauge(m, "leasehold_watch_last_bookmark_time_seconds",
                                          "When the last bookmark came, in Unix time", plain));
    init_reads(g, m);
    init_informer(g, m, spec, selector);
}

void watch_gauges_fini(watch_gauges_t *g)
{
    metric_t *const more[] = {g->lists, g->relists, g->restarts, g->confirmations, g->reads};

    for (size_t i = 0; g->lists != NULL && i < HOST_LEN(more); i++) {
        metric_drop(more[i], g->labels, COMMON_LABELS);
    }
    for (size_t i = 0; g->lists != NULL && i < HOST_LEN(g->families); i++) {
        metric_drop(g->families[i], g->labels, COMMON_LABELS);
    }
    for (size_t i = 0; g->lists != NULL && i < HOST_LEN(g->informer_families); i++) {
        metric_drop(g->informer_families[i], g->informer_labels, HOST_LEN(g->informer_labels));
    }
    free(g->name);
    *g = (watch_gauges_t){0};
}

static void count(const watch_gauges_t *g, metric_t *f, const char *more)
{
    if (f != NULL)
        metric_add(cell_with(g, f, more), 1);
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

void watch_gauges_confirmed(const watch_gauges_t *g, const char *how)
{
    count(g, g->confirmations, how);
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

void watch_gauges_event(const watch_gauges_t *g, int64_t begun)
{
    set_now(g->last_event);
    if (g->processing != NULL)
        metric_observe(g->processing, (double) (clock_now() - begun) / (double) CLOCK_S);
}

void watch_gauges_version(const watch_gauges_t *g, const char *version)
{
    const size_t len = strspn(version, "0123456789");

    if (g->store_version != NULL && len > 0 && version[len] == '\0')
        metric_set(g->store_version, strtod(version + (len > 15 ? len - 15 : 0), NULL));
}

void watch_gauges_bookmark(const watch_gauges_t *g)
{
    set_now(g->last_bookmark);
}
