/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of one stream: leasehold_watch_*{group,version,resource,namespace,selector,
 * projection}, and client-go's informer_*{name,group,version,resource}. */
#ifndef WATCH_GAUGES_H
#define WATCH_GAUGES_H

#include "base/metrics.h"
#include "watch/hub.h"

typedef struct watch_gauges {
    /* with one label more; all NULL: nothing is measured */
    metric_t *lists, *relists, *restarts, *confirmations, *reads;
    metric_t *families[7]; /* of the cells */
    metric_cell_t *watches, *unparsable, *last_event, *last_bookmark;
    watch_store_meters_t store;     /* for the store to set */
    const char *labels[6];          /* values */
    metric_t *informer_families[3]; /* of the cells that follow */
    metric_cell_t *processing, *store_version;
    const char *informer_labels[4];
    char *name; /* the first of them: what tells streams of one kind apart */
} watch_gauges_t;

/* metrics may be NULL. The strings are borrowed for the life of g. */
void watch_gauges_init(watch_gauges_t *g, metrics_t *metrics, const watch_spec_t *spec,
                       const char *selector);
/* The stream has ended, and its series with it. */
void watch_gauges_fini(watch_gauges_t *g);

void watch_gauges_list(const watch_gauges_t *g, const char *mode);
void watch_gauges_relist(const watch_gauges_t *g, const char *cause);
void watch_gauges_restart(const watch_gauges_t *g, const char *cause);
void watch_gauges_confirmed(const watch_gauges_t *g, const char *how);
void watch_gauges_watch(const watch_gauges_t *g);
void watch_gauges_unparsable(const watch_gauges_t *g);
/* An event came now, and began to be taken into the store at this time. */
void watch_gauges_event(const watch_gauges_t *g, int64_t begun);
/* The store has come to this resourceVersion. */
void watch_gauges_version(const watch_gauges_t *g, const char *version);
void watch_gauges_bookmark(const watch_gauges_t *g); /* now */

#endif
