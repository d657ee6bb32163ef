/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host table: everything that a plugin can ask of Leasehold.
 *
 * A plugin links nothing from the host; it gets this table in create() and keeps the pointer,
 * which is valid until destroy() returns (a complete() that comes later still is counted and
 * ignored). Threads are named by the tags of docs/threads.md. Text that goes in is copied by the
 * host; what comes out says who owns it.
 *
 * Call its functions through the wrappers of api.h, which check that the host is new enough to have
 * them.
 */
#ifndef LEASEHOLD_HOST_H
#define LEASEHOLD_HOST_H

#include <leasehold/error.h>
#include <leasehold/types.h>

/*
 * A request to the API server. Anything but GET is a write: it is sent under the fence of the
 * ctx's term or not at all. Borrowed during the call.
 */
typedef struct lh_api_request {
    uint32_t struct_size;
    uint32_t reserved;        /* 0 */
    const char *method;       /* "GET", "POST", "PUT", "PATCH" or "DELETE" */
    const char *path;         /* begins with "/api/" or "/apis/"; percent-encoded; with its query */
    const char *content_type; /* of the body; NULL: "application/json" */
    const char *body;         /* NULL with body_len 0: none */
    uint64_t body_len;        /* bytes; at most 3 MiB, the API server's own limit */
    int64_t timeout_ns;       /* 0: 30 s */
} lh_api_request_t;

/* Which cached objects a walk visits. Borrowed during the call. */
typedef struct lh_query {
    uint32_t struct_size;
    uint32_t watch;             /* index into the manifest's "watches" */
    const char *ns;             /* NULL: every namespace that the watch covers */
    const char *label_selector; /* NULL: all; else as in a list request */
    const char *owner_uid;      /* NULL: all; else objects with this uid among their owners */
} lh_query_t;

/* Type of an Event. */
enum { LH_EVENT_NORMAL = 0, LH_EVENT_WARNING = 1 };

/* A Kubernetes Event (events.k8s.io/v1) about one object. Borrowed during the call. */
typedef struct lh_event {
    uint32_t struct_size;
    uint32_t type;                  /* LH_EVENT_* */
    const lh_snapshot_t *regarding; /* the object that it is about */
    const char *reason;             /* CamelCase, at most 128 bytes */
    const char *action;             /* what was done; at most 128 bytes; NULL: reason */
    const char *note;               /* for people; cut after 1 KiB */
} lh_event_t;

/* How a metric takes its value. */
enum {
    LH_METRIC_COUNTER = 0,  /* value is added; less than 0 is refused */
    LH_METRIC_GAUGE = 1,    /* value replaces */
    LH_METRIC_HISTOGRAM = 2 /* value is observed, in seconds, with controller-runtime's buckets */
};

/* One value of one series. The host prints it as leasehold_plugin_<name>{controller="...",...}.
 * At most 64 names and 1000 series an instance. A name does not end in _bucket, _sum, _count or
 * _created; in _total that of a counter alone, which should. Borrowed during the call. */
typedef struct lh_metric {
    uint32_t struct_size;
    uint32_t type;                   /* LH_METRIC_*; fixed by the first use of a name */
    const char *name;                /* [a-z_][a-z0-9_]*, at most 64 bytes */
    const char *help;                /* NULL: none */
    const char *const *label_names;  /* label_count names; the same ones at each use */
    const char *const *label_values; /* label_count values, cut after 128 bytes */
    uint32_t label_count;            /* at most 8 */
    uint32_t reserved;               /* 0 */
    double value;
} lh_metric_t;

enum { LH_LOG_DEBUG = 0, LH_LOG_INFO = 1, LH_LOG_WARN = 2, LH_LOG_ERROR = 3 };

/*
 * Answer to request(). code is 0 and response set (caller owns, release with response_release())
 * when the API server answered 2xx; otherwise response is NULL, code and err say why. err is
 * borrowed until the callback returns. Called exactly once if request() returned 0. [plugin-thread]
 */
typedef void (*lh_callback_t)(void *arg, int code, lh_response_t *response, const lh_error_t *err);

struct lh_host {
    uint32_t abi_major;
    uint32_t struct_size;

    /* Completes a reconcile, before or after reconcile_async() returns. Every call after the first
     * for one completion is counted and ignored. [any-thread] */
    void (*complete)(const lh_host_t *host, lh_completion_t completion, const lh_result_t *result);

    /* Sends a request and waits for the answer. 0 when the API server answered 2xx: *out is set,
     * caller owns, release with response_release(). A Status answer becomes its code (LH_ENOTFOUND,
     * LH_ECONFLICT, LH_EEXISTS, ... else LH_EAPI) with its message in err. LH_EUNKNOWN: a write was
     * cut and may have been carried out. LH_ESTATE on any other thread. [worker-thread]
     * [plugin-thread] */
    int (*call)(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *request,
                lh_response_t **out, lh_error_t *err);

    /* Sends a request; callback gets the answer. On an error code the callback is never called.
     * [any-thread] */
    int (*request)(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *request,
                   lh_callback_t callback, void *arg, lh_error_t *err);

    /* The cached state of one object of any of the plugin's watches; never waits for the network.
     * Sees the plugin's own acknowledged writes. Caller owns *out, release with
     * snapshot_release(). LH_ENOTFOUND: there is none. LH_EUNAVAILABLE: that watch has not synced
     * yet, or its kind is not installed. In a worker process the first read of the reconcile's own
     * key gives the state that came with it, unless that is older than 20 ms or the plugin has had
     * an answer, has walked, or has read that key or asked for another one since. [any-thread] */
    int (*cache_get)(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key, lh_snapshot_t **out,
                     lh_error_t *err);

    /* Starts a walk over cached objects: the keys are fixed now, each object is shown as it is when
     * the walk comes to it, and what has gone by then is skipped. In a worker process objects come
     * in batches of about 192 KiB, each as it was when its batch was fetched, which is after the
     * answer to the plugin's last write; what others change meanwhile cache_get() shows first. Caller owns *out, release with
     * cursor_release(). LH_EUNAVAILABLE as above. LH_EINVAL: a selector that cannot be parsed, also for a
     * value of more than 63 characters. LH_EBUSY: too many walks of a worker process are under way,
     * or over too many objects.
     * [any-thread] */
    int (*cache_list)(const lh_host_t *host, lh_ctx_t ctx, const lh_query_t *query,
                      lh_cursor_t **out, lh_error_t *err);

    /* The next object of the walk; *out is NULL at the end. Caller owns *out, release with
     * snapshot_release(). One thread at a time. [any-thread] */
    int (*cursor_next)(const lh_host_t *host, lh_cursor_t *cursor, lh_snapshot_t **out,
                       lh_error_t *err);

    /* NULL is allowed. [any-thread] */
    void (*cursor_release)(const lh_host_t *host, lh_cursor_t *cursor);

    /* The object as JSON, terminated by a NUL that *len (may be NULL) does not count. Borrowed
     * until the snapshot is released. [any-thread] */
    const char *(*snapshot_text)(const lh_host_t *host, const lh_snapshot_t *snapshot, size_t *len);

    /* One more reference; needed to keep a snapshot of a request. Caller owns the result, release
     * with snapshot_release(). [any-thread] */
    lh_snapshot_t *(*snapshot_retain)(const lh_host_t *host, const lh_snapshot_t *snapshot);

    /* NULL is allowed. [any-thread] */
    void (*snapshot_release)(const lh_host_t *host, lh_snapshot_t *snapshot);

    /* HTTP status of the answer. [any-thread] */
    int32_t (*response_status)(const lh_host_t *host, const lh_response_t *response);

    /* The body, terminated by a NUL that *len (may be NULL) does not count. Borrowed until the
     * response is released. [any-thread] */
    const char *(*response_text)(const lh_host_t *host, const lh_response_t *response, size_t *len);

    /* NULL is allowed. [any-thread] */
    void (*response_release)(const lh_host_t *host, lh_response_t *response);

    /* Puts a key of a primary watch on the controller's queue; a key already waiting is not added
     * twice. The key need not have an object, but LH_EBUSY when 100,000 that have none wait already.
     * [any-thread] */
    int (*enqueue)(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err);

    /* Records an Event about an object. Returns when it is queued; Events may be dropped when the
     * API server is slow, never a reconcile. The same one (object, type, reason, action, note) again
     * within six minutes becomes a series of the first (RBAC: patch). About one object there are at
     * most 25 new ones, and one more every five minutes; what is beyond is dropped. [any-thread] */
    int (*event)(const lh_host_t *host, lh_ctx_t ctx, const lh_event_t *event, lh_error_t *err);

    /* Adds to, sets or observes a metric. [any-thread] */
    int (*metric)(const lh_host_t *host, const lh_metric_t *metric, lh_error_t *err);

    /* One line of the host's log, with the controller's name and, from ctx (id 0: none), the
     * object's. level is LH_LOG_*; text is cut after 4 KiB. [any-thread] */
    void (*log)(const lh_host_t *host, lh_ctx_t ctx, uint32_t level, const char *text);

    /* Nanoseconds of CLOCK_BOOTTIME. [any-thread] */
    int64_t (*now)(const lh_host_t *host);

    /* 0 while ctx is live, else LH_ECANCELED or LH_EFENCED. Long loops ask it. [any-thread] */
    int (*cancelled)(const lh_host_t *host, lh_ctx_t ctx);

    /* This instance's own line in /readyz?verbose. It makes the host unready only where the user has
     * set `health.plugins: required`. text may be NULL. [any-thread] */
    void (*set_ready)(const lh_host_t *host, uint32_t ready, const char *text);

    /* Runs fn(arg) on the plugin thread; free_arg(arg) (may be NULL) is called exactly once, also
     * when fn is not called any more because the instance ends. On an error neither is called.
     * [any-thread] */
    int (*post)(const lh_host_t *host, void (*fn)(void *arg), void *arg,
                void (*free_arg)(void *arg), lh_error_t *err);

    /* An optional part of the host by its id ("lh.<name>/<rev>"), NULL when it has none of that
     * name. Valid until destroy(). [any-thread] */
    const void *(*get_extension)(const lh_host_t *host, const char *id);
};

#endif
