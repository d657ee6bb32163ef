/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the code of one instance runs. Two kinds with one interface: in this process, on a plugin
 * thread and worker threads (plugin_local_create), or in a worker process behind a socketpair
 * (plugin_remote_create), which runs the local kind in turn.
 *
 *   create -> on_loaded -> on_created -> (activate -> on_activated -> reconcile... -> deactivate
 *          -> on_deactivated)* -> destroy -> on_destroyed
 *
 * Calls come from the loop thread, in that order, and never block; answers come through the sink on
 * any thread.
 */
#ifndef PLUGIN_RUNNER_H
#define PLUGIN_RUNNER_H

#include "base/log.h"
#include "base/metrics.h"
#include "plugin/backend.h"
#include "plugin/blackbox.h"

#include <stdatomic.h>

typedef struct plugin_runner plugin_runner_t;

/* One reconcile to run. Everything is copied or referenced by the runner. */
typedef struct plugin_job {
    uint64_t ctx, completion;
    uint32_t reason, attempt;
    uint64_t term;
    uint32_t watch;
    const char *ns, *name, *uid;
    const watch_snapshot_t *object, *last; /* may be NULL */
    int64_t read_at;                       /* BOOTTIME, before object was read */
} plugin_job_t;

typedef struct plugin_sink {
    void (*on_created)(void *arg, int code, const lh_error_t *err);   /* [any-thread] */
    void (*on_activated)(void *arg, int code, const lh_error_t *err); /* [any-thread] */
    void (*on_deactivated)(void *arg);                                /* [any-thread] */
    /* The call of reconcile_async for this ctx has returned (ran), or never took place because
     * cancel() came first. Says nothing about its completion. entered: clock_now() when the call
     * began, 0 when it did not. [any-thread] */
    void (*on_returned)(void *arg, uint64_t ctx, bool ran, int64_t entered);
    /* The last call of every runner: nothing of the plugin runs any more, the runner is freed as
     * soon as it returns. After on_died too. [any-thread] */
    void (*on_destroyed)(void *arg);
    /* Process mode: the worker has ended without being asked to ("killed by signal 11
     * (Segmentation fault)"). Its jobs will not complete or return. The owner's last call is
     * abandon(), then on_destroyed follows: until it the runner takes calls. [any-thread] */
    void (*on_died)(void *arg, const char *reason);
    void *arg;
    void (*on_loaded)(void *arg); /* create() is about to be entered; may be NULL. [any-thread] */
} plugin_sink_t;

/* The host table of one local runner; `host` comes first, so that the pointer given to the plugin
 * leads back here. */
typedef struct plugin_table {
    lh_host_t host;
    plugin_backend_t backend;
    struct plugin_local *local;
    _Atomic uint32_t completing; /* threads inside complete(), and TABLE_ENDED */
    metric_cell_t *strays;       /* counts completions that come after the end; NULL: nobody does */
} plugin_table_t;

typedef struct plugin_runner_options {
    const char *path, *digest; /* the verified copy; copied */
    const char *name;          /* of the instance; copied */
    const char *config;        /* JSON object; copied */
    uint32_t workers;
    const log_t *log;         /* borrowed until on_destroyed */
    plugin_backend_t backend; /* borrowed until on_destroyed */
    plugin_blackbox_t *box;   /* of a local runner; borrowed until on_destroyed; NULL: none */
    plugin_table_t *table;    /* of a local runner; must outlive every thread of the plugin's own */
    metric_cell_t *strays;    /* for the table, and as long as it; NULL: none */
    plugin_sink_t sink;
} plugin_runner_options_t;

typedef struct plugin_runner_ops {
    void (*activate)(plugin_runner_t *r, uint64_t ctx);
    void (*reconcile)(plugin_runner_t *r, const plugin_job_t *job);
    /* The term is being given up: jobs that have not started are dropped (on_returned, not ran). The
     * backend answers LH_ECANCELED by now; a remote runner tells its worker. */
    void (*cancel)(plugin_runner_t *r);
    /* Drops the jobs that have not started (on_returned, not ran), the latest first; the others go on.
     * It may be too late for one whose worker becomes free meanwhile. */
    void (*take_back)(plugin_runner_t *r);
    /* Calls of the plugin that have not returned. */
    uint32_t (*inside)(plugin_runner_t *r);
    /* Waits until no call is inside, then deactivates. Callbacks of requests that are still open
     * have been delivered before. */
    void (*deactivate)(plugin_runner_t *r);
    /* Ends it; inactive by then. */
    void (*destroy)(plugin_runner_t *r);
    /* Gives up on it: local: when its last call returns it deactivates and destroys itself;
     * remote: the worker is killed now. Nothing else may be called after; on_destroyed follows,
     * perhaps never. */
    void (*abandon)(plugin_runner_t *r);
} plugin_runner_ops_t;

/* Every runner begins with its table. */
struct plugin_runner {
    const plugin_runner_ops_t *ops;
};

/* Both start at once: threads are made, the file is mapped and create() called on the plugin
 * thread; on_created follows. Failure here is about threads and processes only. [loop-thread] */
HOST_MUST_USE int plugin_local_create(const plugin_runner_options_t *options, plugin_runner_t **out,
                                      lh_error_t *err);
HOST_MUST_USE int plugin_remote_create(const plugin_runner_options_t *options,
                                       plugin_runner_t **out, lh_error_t *err);

/* Kills the worker process of a remote runner at once, from the elector thread, when the stop
 * budget of a fallen fence is over; does nothing for a local one. [any-thread] */
void plugin_runner_kill(plugin_runner_t *r);

/* The worker process: `leasehold worker FD`. Returns the exit status. */
int plugin_worker_main(int fd);

#endif
