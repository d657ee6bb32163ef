/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controller of one instance: subscriptions bring events, events become keys, keys become runs
 * of its runner. Everything here is of the loop thread.
 *
 *   open (a term begins) -> pause (the worker died) <-> resume -> close -> (last run over) idle
 */
#ifndef PLUGIN_CONTROLLER_H
#define PLUGIN_CONTROLLER_H

#include "plugin/runner.h"
#include "plugin/services.h"
#include "queue/queue.h"
#include "watch/hub.h"

typedef struct plugin_controller plugin_controller_t;

typedef struct plugin_controller_options {
    plugin_shared_t *shared;
    watch_hub_t *hub;
    const char *name; /* of the instance; copied */
    const plugin_manifest_t *manifest;
    plugin_services_t *services;
    const char *const *namespaces; /* NULL-terminated; NULL or empty: all. Borrowed */
    uint32_t workers, max_in_flight;
    double retry_qps; /* of the queue; 0: no limit */
    int64_t retry_burst;
    const log_t *log;
    void (*on_idle)(void *arg); /* closed, and no run is left */
    /* Why nothing is reconciled, for people; NULL when all is well. */
    void (*on_state)(void *arg, const char *problem);
    void *arg;
} plugin_controller_options_t;

/* Pointers are borrowed until plugin_controller_destroy. Caller owns the result. */
plugin_controller_t *plugin_controller_create(const plugin_controller_options_t *options);
void plugin_controller_destroy(plugin_controller_t *c); /* closed and idle; NULL is allowed */

/* Opens every subscription. Reconciles begin when all of them have synced. */
HOST_MUST_USE int plugin_controller_open(plugin_controller_t *c, plugin_runner_t *runner,
                                         fence_t *fence, lh_error_t *err);
/* The runner has died: runs that it had begun have failed, the others are put back, events go on being
 * queued. */
void plugin_controller_pause(plugin_controller_t *c);
void plugin_controller_resume(plugin_controller_t *c, plugin_runner_t *runner);
/* Closes the subscriptions and clears the queue; runs under way go on until they are over. */
void plugin_controller_close(plugin_controller_t *c);
/* Gives up runs under way; what they still report is ignored. No on_idle. */
void plugin_controller_forget(plugin_controller_t *c);
size_t plugin_controller_running(const plugin_controller_t *c);

/* What the services and the runner report, and when it happened (BOOTTIME). Unknown ctx are ignored. */
void plugin_controller_completed(plugin_controller_t *c, uint64_t ctx, const lh_result_t *result,
                                 int64_t at);
/* entered: when the call began, as the runner says; 0 when it did not. */
void plugin_controller_returned(plugin_controller_t *c, uint64_t ctx, bool ran, int64_t entered,
                                int64_t at);
void plugin_controller_enqueue(plugin_controller_t *c, uint32_t watch, const char *ns,
                               const char *name);
void plugin_controller_written(plugin_controller_t *c, const char *method, const char *path,
                               const char *body, size_t len);

#endif
