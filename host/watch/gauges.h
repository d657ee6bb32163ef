/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of one stream: leasehold_watch_*{group,version,resource,namespace,selector,
 * projection}. */
#ifndef WATCH_GAUGES_H
#define WATCH_GAUGES_H

#include "base/metrics.h"
#include "watch/hub.h"

typedef struct watch_gauges {
    metric_t *lists, *relists, *restarts; /* with one label more; all NULL: nothing is measured */
    metric_t *families[5];                /* of the cells */
    metric_cell_t *watches, *unparsable, *objects, *last_event, *last_bookmark;
    const char *labels[6]; /* values */
} watch_gauges_t;

/* metrics may be NULL. The strings are borrowed for the life of g. */
void watch_gauges_init(watch_gauges_t *g, metrics_t *metrics, const watch_spec_t *spec,
                       const char *selector);
/* The stream has ended, and its series with it. */
void watch_gauges_fini(watch_gauges_t *g);

void watch_gauges_list(const watch_gauges_t *g, const char *mode);
void watch_gauges_relist(const watch_gauges_t *g, const char *cause);
void watch_gauges_restart(const watch_gauges_t *g, const char *cause);
void watch_gauges_watch(const watch_gauges_t *g);
void watch_gauges_unparsable(const watch_gauges_t *g);
void watch_gauges_event(const watch_gauges_t *g);    /* now */
void watch_gauges_bookmark(const watch_gauges_t *g); /* now */
void watch_gauges_objects(const watch_gauges_t *g, size_t count);

#endif
