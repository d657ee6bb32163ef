/* SPDX-License-Identifier: Apache-2.0 */
/* The services of one instance behind a host table, without a plugin: tests call the table as one
 * would. Its runner is missing, so call(), request() and post() are for rigs with a plugin; requests
 * go by services_send(). */
#ifndef UNIT_PLUGIN_SERVICES_RIG_H
#define UNIT_PLUGIN_SERVICES_RIG_H

#include "base/clock.h"
#include "plugin/local.h"
#include "plugin/services.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/fake_kube.h"

typedef struct rig {
    loop_t *loop;
    fake_kube_t *kube;
    plugin_shared_t shared;
    plugin_manifest_t *manifest;
    plugin_services_t *services;
    plugin_table_t table;
    const lh_host_t *host;
    int log_fd;

    fence_t *fence;     /* of the term that is on */
    lh_ctx_t term, run; /* its ctx, and one of a reconcile of ns/one */

    /* What the hooks were told last, and how often. */
    uint64_t completed;
    lh_result_t result;
    char text[2048];
    int completions, enqueued, written, fenced;
    char key[600];
} rig_t;

/* Watches: 0 ConfigMaps (primary), 1 Secrets (owned). A term is on. */
rig_t *rig_create(void);
void rig_destroy(rig_t *r);
void rig_begin(rig_t *r, uint64_t term);
lh_ctx_t rig_open(rig_t *r);
void rig_complete(rig_t *r, lh_ctx_t ctx);
char *rig_log(rig_t *r);     /* what was logged; free() */
char *rig_metrics(rig_t *r); /* free() */

/* A snapshot of {"metadata": {"name", "namespace" (NULL: none)}}. */
lh_snapshot_t *rig_object(const char *name, const char *ns);

/* A request straight to the backend. */
typedef struct rig_request {
    int done, code, status;
    char text[504];
} rig_request_t;
int rig_send(rig_t *r, lh_ctx_t ctx, const char *method, const char *path, const char *body,
             rig_request_t *out);

/* All of a store, for a slot of rig_set_cache. */
watch_view_t *rig_view(watch_store_t *store);
/* Shows the caches to the plugin; the views are taken. */
void rig_set_cache(rig_t *r, const plugin_cache_slot_t *slots, size_t count);

#endif
