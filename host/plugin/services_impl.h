/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the services share among themselves. */
#ifndef PLUGIN_SERVICES_IMPL_H
#define PLUGIN_SERVICES_IMPL_H

#include "base/bucket.h"
#include "base/list.h"
#include "plugin/services.h"

#include <pthread.h>
#include <uthash.h>

/* A ctx that was given out. One reference while it is open, one for each request. */
typedef struct ctx_entry {
    uint64_t id;
    plugin_services_t *services;
    uint32_t refs;         /* under services->lock */
    bool is_term;          /* of activate(); never completes */
    bool cancelled, swept; /* under services->lock */
    const char *ns, *name; /* of a reconcile, for the log, in text; NULL for a term's */
    fence_t *fence;
    list_t ops;         /* requests under way, under services->lock */
    lh_result_t result; /* once completed; text is owned */
    int64_t completed_at;
    loop_task_t task;  /* brings the completion to the loop */
    UT_hash_handle hh; /* in services->open by id, under services->lock */
    char text[];
} ctx_entry_t;

/* A metric name of the instance, as its first use has fixed it. */
typedef struct metric_use {
    char *name;
    uint32_t type;
    uint32_t label_count;
    char **label_names;
    size_t series;
    metric_t *family;
    UT_hash_handle hh;
} metric_use_t;

struct plugin_services {
    plugin_shared_t *shared;
    char *name, *user;
    const plugin_manifest_t *manifest;
    plugin_services_hooks_t hooks;
    log_t *log;
    health_check_t *ready;
    metric_cell_t *stray_completions, *events_dropped;

    loop_timer_t sweep; /* of services_events.c [loop-thread] */
    bucket_t rate;      /* of requests [loop-thread] */
    int64_t told_at;    /* that they wait [loop-thread] */

    _Atomic int64_t limit;    /* plugin_services_limit */
    _Atomic int32_t patience; /* plugin_services_set_patience */
    /* Keys asked for that the loop has not taken yet, and those without an object that it has. */
    _Atomic size_t asked, guests;

    pthread_mutex_t lock; /* all below */
    fence_t *fence;       /* of the present term, NULL between terms */
    uint64_t first_ctx;   /* ids below belong to earlier terms */
    ctx_entry_t *open;    /* by id: live, or cancelled and not completed */
    list_t orphans;       /* writes under way whose reconcile is completed */
    list_t events;        /* Events under way; they belong to no ctx */
    size_t event_count;
    struct event_series *series_by_key;
    struct event_budget *budgets;
    uint64_t series_made;
    plugin_cache_slot_t *slots;
    size_t slot_count;
    metric_use_t *metrics;
    size_t series;
};

/* ctx_state with the lock held; *entry (may be NULL) is the live entry when 0 is returned. */
int services_ctx_state(plugin_services_t *s, lh_ctx_t ctx, ctx_entry_t **entry);
/* The sentence for a code of services_ctx_state; returns the code. */
int services_ctx_fail(lh_error_t *err, int code);
void services_entry_unref(ctx_entry_t *e); /* with the lock held; may free */

/* services_request.c */
int services_request(void *self, lh_ctx_t ctx, const lh_api_request_t *request, plugin_done_fn done,
                     void *arg, lh_error_t *err);
/* A write that belongs to the term, not to a ctx. On an error code done is never called; LH_EBUSY: 256 are
 * under way. */
int services_send_event(plugin_services_t *s, fence_t *fence, const lh_api_request_t *request,
                        plugin_done_fn done, void *arg, lh_error_t *err);
/* Ends the requests of a list at once: what was not sent, reads, and writes under way when `all`.
 * [loop-thread] */
void services_end_requests(plugin_services_t *s, list_t *ops, bool all);

/* services_cache.c */
int services_cache_get(void *self, lh_ctx_t ctx, const lh_key_t *key, const watch_snapshot_t *held,
                       watch_snapshot_t **out, lh_error_t *err);
/* That the cache shows the object of a primary watch. */
bool services_has_object(plugin_services_t *s, const lh_key_t *key);
int services_cache_list(void *self, lh_ctx_t ctx, const lh_query_t *query, plugin_cursor_t **out,
                        lh_error_t *err);
int services_cursor_next(void *self, plugin_cursor_t *cursor, watch_snapshot_t **out,
                         lh_error_t *err);
void services_cursor_back(void *self, plugin_cursor_t *cursor, uint32_t count);
size_t services_cursor_names(void *self, const plugin_cursor_t *cursor);
void services_cursor_free(void *self, plugin_cursor_t *cursor);

/* services_events.c */
int services_event(void *self, lh_ctx_t ctx, const lh_event_t *event, lh_error_t *err);
void services_sweep_events(loop_timer_t *timer); /* [loop-thread] */
/* At the end of a term: the next leader begins anew. [loop-thread] */
void services_events_forget(plugin_services_t *s);

/* services_report.c */
size_t services_cut_length(const char *text, size_t max); /* cut after max bytes */
int services_metric(void *self, const lh_metric_t *metric, lh_error_t *err);
void services_log(void *self, lh_ctx_t ctx, uint32_t level, const char *text);
void services_set_ready(void *self, bool ready, const char *text);
void services_metrics_free(plugin_services_t *s);

#endif
