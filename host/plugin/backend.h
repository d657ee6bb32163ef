/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running plugin needs of the host, as an interface: the host table (run/table.c) is written
 * against it. In thread mode it is the host's services (services.h); in a process worker it is a
 * proxy that speaks over the socket (worker.c), whose other end (remote.c) calls the services.
 *
 * Handles: an lh_snapshot_t is a watch_snapshot_t; responses and cursors are made here.
 */
#ifndef PLUGIN_BACKEND_H
#define PLUGIN_BACKEND_H

#include "watch/snapshot.h"

#include <leasehold/host.h>

/* An answer of the API server. */
typedef struct plugin_response {
    int32_t status;
    size_t len;
    char text[]; /* NUL-terminated */
} plugin_response_t;

/* Gets the outcome of a request exactly once, on any thread. response is taken (free()); NULL
 * unless code is 0. */
typedef void (*plugin_done_fn)(void *arg, int code, plugin_response_t *response,
                               const lh_error_t *err);

typedef struct plugin_cursor plugin_cursor_t; /* of the backend */

typedef struct plugin_backend_ops {
    /* 0, LH_ECANCELED or LH_EFENCED; LH_EINVAL for a ctx that was never given out. */
    int (*ctx_state)(void *self, lh_ctx_t ctx);
    /* Starts a request; on an error code done is never called. A request of a ctx that dies ends
     * with LH_ECANCELED, LH_EFENCED or LH_EUNKNOWN. */
    int (*request)(void *self, lh_ctx_t ctx, const lh_api_request_t *request, plugin_done_fn done,
                   void *arg, lh_error_t *err);
    /* held: as of watch_store_read. */
    int (*cache_get)(void *self, lh_ctx_t ctx, const lh_key_t *key, const watch_snapshot_t *held,
                     watch_snapshot_t **out, lh_error_t *err);
    int (*cache_list)(void *self, lh_ctx_t ctx, const lh_query_t *query, plugin_cursor_t **out,
                      lh_error_t *err);
    int (*cursor_next)(void *self, plugin_cursor_t *cursor, watch_snapshot_t **out,
                       lh_error_t *err);
    /* Takes back the last count objects that cursor_next gave: it gives them again, as they are then.
     * NULL in a worker, where nobody calls it. */
    void (*cursor_back)(void *self, plugin_cursor_t *cursor, uint32_t count);
    /* How many objects' names it keeps. NULL in a worker. */
    size_t (*cursor_names)(void *self, const plugin_cursor_t *cursor);
    void (*cursor_free)(void *self, plugin_cursor_t *cursor);
    int (*enqueue)(void *self, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err);
    int (*event)(void *self, lh_ctx_t ctx, const lh_event_t *event, lh_error_t *err);
    int (*metric)(void *self, const lh_metric_t *metric, lh_error_t *err);
    void (*log)(void *self, lh_ctx_t ctx, uint32_t level, const char *text);
    void (*set_ready)(void *self, bool ready, const char *text);
    void (*complete)(void *self, lh_completion_t completion, const lh_result_t *result);
} plugin_backend_ops_t;

/* All functions: [any-thread]. Structs that came from the plugin have passed no check but
 * struct_size: the implementation validates what it reads. */
typedef struct plugin_backend {
    const plugin_backend_ops_t *ops;
    void *self;
} plugin_backend_t;

/* What the host table checks before a request or a key gets to a backend (table.c). A process that
 * serves a worker checks again: the worker's table may have been tampered with. LH_EINVAL or
 * LH_ETOOBIG. [any-thread] */
HOST_MUST_USE int plugin_request_check(const lh_api_request_t *request, lh_error_t *err);
HOST_MUST_USE int plugin_key_check(const lh_key_t *key, lh_error_t *err);

#endif
