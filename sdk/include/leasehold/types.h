/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values that travel between host and plugin: keys, handles, requests and results.
 */
#ifndef LEASEHOLD_TYPES_H
#define LEASEHOLD_TYPES_H

#include <leasehold/abi.h>

/* The author's own state, made by create(); the host only carries the pointer. */
typedef struct lh_plugin lh_plugin_t;

/* The services of the host; see host.h. */
typedef struct lh_host lh_host_t;

/*
 * Reference-counted handles, made by the host and released by the plugin. They may outlive the
 * request, the term and the object that they show, but not the instance (destroy()).
 */
typedef struct lh_snapshot lh_snapshot_t; /* the JSON text of one object at one time */
typedef struct lh_response lh_response_t; /* the API server's answer to a call */
typedef struct lh_cursor lh_cursor_t;     /* a walk over the cache */

/*
 * Names an instance, a term and (in a reconcile) a key. Copied freely. Calls with a ctx whose
 * reconcile has completed, was cancelled, or whose term is being given up return LH_ECANCELED;
 * after the end of the term they return LH_EFENCED. In both cases nothing was sent.
 */
typedef struct lh_ctx {
    uint64_t id;
} lh_ctx_t;

/* Stands for one reconcile that is to be completed once. An id that is used or unknown is counted
 * and ignored. */
typedef struct lh_completion {
    uint64_t id;
} lh_completion_t;

/* An object by its place: a watch of the manifest and a name in it. */
typedef struct lh_key {
    uint32_t struct_size;
    uint32_t watch;   /* index into the manifest's "watches" */
    const char *ns;   /* namespace; "" for a cluster-scoped object */
    const char *name; /* metadata.name */
} lh_key_t;

/* Why a reconcile is called. */
enum {
    LH_REASON_CHANGED = 0,  /* the object, or something that leads to it, changed */
    LH_REASON_GONE = 1,     /* the object does not exist any more */
    LH_REASON_LEFT = 2,     /* it exists but does not match the watch's selector any more */
    LH_REASON_REQUEUED = 3, /* requeue_after, retry or enqueue() asked for it */
    LH_REASON_INITIAL = 4   /* first look at the object in this term */
};

/*
 * One reconcile. Borrowed until reconcile_async() returns: what is needed later is copied, or, for
 * the snapshots, retained with snapshot_retain().
 */
typedef struct lh_request {
    uint32_t struct_size;
    uint32_t reason; /* LH_REASON_* */
    lh_ctx_t ctx;
    const lh_key_t *key;
    const char *uid;             /* metadata.uid; "" when it was never seen */
    const lh_snapshot_t *object; /* the object now; NULL when it is gone or left */
    const lh_snapshot_t *last;   /* for gone and left: the last state seen, may be NULL */
    uint32_t attempt;            /* 0 for the first try, +1 for every retry of this key */
    uint32_t reserved;           /* 0 */
    uint64_t term;               /* number of the term (fencing token) */
} lh_request_t;

/* What a reconcile asks for. */
enum {
    LH_DONE = 0,          /* nothing more to do until something changes; resets the back-off */
    LH_REQUEUE_AFTER = 1, /* once more after after_ns; resets the back-off */
    LH_RETRY = 2,         /* failed: once more with back-off */
    LH_FAIL = 3           /* failed, and trying again is useless until something changes */
};

typedef struct lh_result {
    uint32_t struct_size;
    uint32_t action;  /* LH_DONE ... LH_FAIL; any other value counts as LH_FAIL */
    int64_t after_ns; /* for LH_REQUEUE_AFTER; nanoseconds, less than 0 counts as 0 */
    const char *text; /* for people; may be NULL; copied, cut after 1 KiB */
} lh_result_t;

#endif
