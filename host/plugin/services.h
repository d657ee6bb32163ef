/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's services for one instance: the backend of its host table. Knows which ctx are live,
 * sends the plugin's requests, answers from the cache, and records events, metrics and logs.
 *
 * A ctx is a number that is never used twice in the life of the process, so a number of an older
 * term is told from one of this term by comparing: handles of an old term stay fenced for ever.
 */
#ifndef PLUGIN_SERVICES_H
#define PLUGIN_SERVICES_H

#include "base/fence.h"
#include "base/health.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "kube/client.h"
#include "plugin/backend.h"
#include "plugin/blackbox.h"
#include "plugin/manifest.h"
#include "watch/view.h"

/* What all instances of the host share. Made once by app/; all pointers are borrowed. */
typedef struct plugin_shared {
    loop_t *loop;
    kube_client_t *reads, *writes;
    const log_t *log;
    metrics_t *metrics;
    health_t *health;
    unsigned counts;        /* endpoints that fail with a check of a plugin; 0: none */
    const char *identity;   /* Name, for Events */
    plugin_blackbox_t *box; /* borrowed; NULL: none */
    const char *policy;     /* that fences on the server, by name; NULL: none does */
    /* A write was refused by it. [loop-thread] */
    void (*on_fenced)(void *arg);
    void *fenced_arg;
    uint64_t run_seed;         /* random: what makes reconcileIDs differ between processes */
    _Atomic uint64_t next_ctx; /* starts at 1 */
} plugin_shared_t;

/* Keys without an object that an instance may have asked for at a time: nothing else bounds them. */
#define PLUGIN_GUESTS_MAX 100000u

typedef struct plugin_services plugin_services_t;

/* What the instance learns, on the loop thread. */
typedef struct plugin_services_hooks {
    /* A reconcile has been completed, at this time (BOOTTIME); result is borrowed. Ids of an earlier
     * term may come. */
    void (*on_complete)(void *arg, uint64_t ctx, const lh_result_t *result, int64_t at);
    void (*on_enqueue)(void *arg, uint32_t watch, const char *ns, const char *name);
    /* A write of the plugin was answered 2xx; body is the object in the reply (or a Status). */
    void (*on_written)(void *arg, const char *method, const char *path, const char *body,
                       size_t len);
    void *arg;
} plugin_services_hooks_t;

/* manifest is borrowed until plugin_services_destroy; name, user and hooks are copied. user: as whom
 * the plugin's requests are made; NULL: the host. Caller owns the result, free with
 * plugin_services_destroy. [loop-thread] */
plugin_services_t *plugin_services_create(plugin_shared_t *shared, const char *name,
                                          const char *user, const plugin_manifest_t *manifest,
                                          const plugin_services_hooks_t *hooks);
/* After the last runner has reported on_destroyed. */
void plugin_services_destroy(plugin_services_t *s);
plugin_backend_t plugin_services_backend(plugin_services_t *s);
/* Counts completions that were ignored; lives until the instance's metrics are dropped. */
metric_cell_t *plugin_services_strays(const plugin_services_t *s);

/* Limits its requests, and its Events among them, to qps a second beyond a burst: what comes sooner waits
 * its turn, and what would wait longer than its time ends at once with LH_ETIMEDOUT. 0: no limit, as at
 * first. [loop-thread] */
void plugin_services_set_rate(plugin_services_t *s, double qps, int64_t burst);

/* -- The term, [loop-thread] -- */

void plugin_services_begin(plugin_services_t *s, fence_t *fence); /* takes its own reference */
/* A new live ctx: of the term (key NULL), or of a reconcile. */
uint64_t plugin_services_open(plugin_services_t *s, const lh_key_t *key);
/* The reconcile never ran, or its worker died: the ctx is dead and will not complete. */
void plugin_services_drop(plugin_services_t *s, uint64_t ctx);
/* Requests that are made from now on are answered by this time (BOOTTIME; CLOCK_NEVER: no limit), so
 * that a function with a time of its own can return before it is over. */
void plugin_services_limit(plugin_services_t *s, int64_t until);
/* Every ctx is refused new calls from now on. Requests that were not sent and reads end; writes
 * under way are left to be answered. */
void plugin_services_cancel(plugin_services_t *s);
/* The term is over: every ctx is forgotten; what is still under way ends as LH_EUNKNOWN (writes) or
 * LH_EFENCED. */
void plugin_services_end(plugin_services_t *s);

/* The end of a run means nothing for the loop. */
#define PLUGIN_PATIENT INT32_MAX
/* How many more calls may return until the loop must hear of the ends of runs, since a worker will
 * soon have nothing to do. 0: it hears of each at once, completions too, as a key of them has changed
 * meanwhile or the term is ending. [loop-thread] */
void plugin_services_set_patience(plugin_services_t *s, int32_t returns);
/* Posts a task that tells that a call has returned: at once when it is urgent or the loop's patience is
 * at its end, else with what the loop does next. [any-thread] */
void plugin_services_tell(plugin_services_t *s, loop_task_t *task, bool urgent);

/* How many keys that have no object wait on the plugin's demand. */
void plugin_services_set_guests(plugin_services_t *s, size_t count);

/* Records an Event of the host about an object, a warning, as those of the plugin are recorded: of the same
 * ones a series is made, and there are limits. What cannot be told is dropped. [loop-thread] */
void plugin_services_warn(plugin_services_t *s, const watch_snapshot_t *object, const char *reason,
                          const char *note);

/* -- The cache -- */

/* One store that answers for a watch; ns NULL: for all namespaces. */
typedef struct plugin_cache_slot {
    uint32_t watch;
    const char *ns;
    watch_view_t *view;
} plugin_cache_slot_t;
/* Replaces the stores that cache_get and cache_list read; count 0: none. Copied, with references of
 * its own. [loop-thread] */
void plugin_services_set_cache(plugin_services_t *s, const plugin_cache_slot_t *slots,
                               size_t count);

#endif
