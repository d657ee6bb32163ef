/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API without HTTP: what a request does and what is answered. One thread, the loop's.
 *
 * dev_core_serve answers everything but watches at once; a watch stays open until one of the two
 * sides ends it. Controllers (garbage collection, namespaces, CRDs) run as posted tasks of the loop.
 */
#ifndef DEVAPI_CORE_H
#define DEVAPI_CORE_H

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "devapi/kind.h"

typedef struct dev_core dev_core_t;

/* Something that has happened to an object; borrowed. */
typedef struct dev_change {
    const char *what; /* "created", "changed", "deleted" */
    const dev_kind_t *kind;
    const char *ns, *name; /* ns "" for a cluster-scoped kind */
} dev_change_t;

typedef struct dev_core_options {
    loop_t *loop;
    log_t *log;        /* borrowed; may be NULL */
    size_t max_bytes;  /* of all stored objects with history; 0: 1 GiB. Beyond: 507 */
    size_t max_events; /* of history, for watches and old lists; 0: 20,000 */
    const char *ca; /* PEM for each namespace's kube-root-ca.crt, borrowed for the call; NULL: none
                        * of them */
    /* Appends the one YAML document of text as JSON, for server-side apply; NULL: only JSON is read. */
    int (*read_yaml)(const char *text, size_t len, buf_t *json, lh_error_t *err);
    /* After each change, by whomever; NULL: nobody is told. Must not call the core. */
    void (*on_change)(void *arg, const dev_change_t *change);
    void *arg;
} dev_core_options_t;

HOST_MUST_USE int dev_core_create(const dev_core_options_t *o, dev_core_t **out, lh_error_t *err);
void dev_core_destroy(dev_core_t *core); /* open watches end first */

enum dev_verb {
    DEV_GET,
    DEV_LIST,
    DEV_WATCH,
    DEV_CREATE,
    DEV_UPDATE,
    DEV_PATCH,
    DEV_DELETE,
    DEV_DELETE_COLLECTION
};

enum dev_shape { DEV_SHAPE_FULL, DEV_SHAPE_METADATA, DEV_SHAPE_TABLE };

/* Everything is borrowed for the call; absent texts are NULL. */
typedef struct dev_request {
    enum dev_verb verb;
    const dev_kind_t *kind;
    const char *version;      /* of the path */
    const char *ns;           /* NULL: cluster-scoped kind, or all namespaces */
    const char *name;         /* for a watch or a list: NULL */
    const char *subresource;  /* "status", "scale", "finalize"; else NULL */
    const char *content_type; /* of body, without parameters */
    const char *body;
    size_t body_len;
    enum dev_shape shape; /* asked for by Accept */
    const char *user;
    const char *user_agent; /* NULL: none */
    /* query */
    const char *label_selector, *field_selector, *field_manager, *field_validation, *dry_run;
    const char *force; /* of a server-side apply */
    const char *resource_version, *resource_version_match, *limit, *continue_token;
    const char *timeout_seconds, *allow_bookmarks, *send_initial_events;
    const char *propagation_policy, *grace_period; /* query forms of DeleteOptions */
    const char *include_object; /* of a Table's rows: "None", "Metadata" (default), "Object" */
} dev_request_t;

typedef struct dev_reply {
    int code;
    buf_t body;      /* JSON; caller frees by dev_reply_fini */
    int retry_after; /* seconds; 0: none */
    char *warning;   /* texts of Warning headers, a line each, owned; NULL: none */
} dev_reply_t;
void dev_reply_fini(dev_reply_t *r);

/* The kind of a path's group, version, resource; NULL: none. Borrowed until the next event of the
 * loop. */
const dev_kind_t *dev_core_kind(dev_core_t *core, const char *group, const char *version,
                                const char *resource);
/* All kinds, for discovery; calls each(arg, kind). */
void dev_core_kinds(dev_core_t *core, void (*each)(void *arg, const dev_kind_t *kind), void *arg);

void dev_core_serve(dev_core_t *core, const dev_request_t *request, dev_reply_t *reply);

/* -- Watches -- */

typedef struct dev_watch dev_watch_t;

/* One end of a watch's stream, the HTTP side's. */
typedef struct dev_sink {
    /* Whole frames, each a JSON text and its newline: what is there already comes at once, what
     * happens one by one; borrowed. Never calls back into the watch. */
    void (*frame)(void *arg, const char *data, size_t len);
    /* The watch has ended by itself (timeout, error frame sent, shutdown); it is freed afterwards.
     * dev_watch_close must not be called any more. */
    void (*ended)(void *arg);
    void *arg;
} dev_sink_t;

/* Opens a watch: *out is owned by the sink's side until it closes it or ended() is called; or
 * refuses with *reply. Frames that exist already are sent from a posted task, never from here. */
int dev_watch_open(dev_core_t *core, const dev_request_t *request, const dev_sink_t *sink,
                   dev_watch_t **out, dev_reply_t *reply);
void dev_watch_close(dev_watch_t *w);
/* A frozen watch sends nothing until it is thawed; then everything that it held back, up to 64 MiB,
 * and ends if that was not all or its time is over. */
void dev_watch_freeze(dev_watch_t *w, bool frozen);
/* Ends it with ended(). */
void dev_watch_cut(dev_watch_t *w);

/* -- Hands of the operator -- */

void dev_core_compact(dev_core_t *core); /* history is forgotten: older watches and lists get 410 */
/* Sends a bookmark to each watch that allows them; how many there are. */
int dev_core_bookmarks(dev_core_t *core);
int64_t dev_core_version(dev_core_t *core); /* the latest resourceVersion */
/* The clock of creationTimestamp and the like is shifted by this much (ns). */
void dev_core_shift_clock(dev_core_t *core, int64_t shift);
/* All objects as one JSON document, and back into an empty core. */
int dev_core_save(dev_core_t *core, const char *path, lh_error_t *err);
int dev_core_load(dev_core_t *core, const char *path, lh_error_t *err);

typedef struct dev_core_stats {
    int64_t objects, bytes, watches, events;
} dev_core_stats_t;
void dev_core_stats(dev_core_t *core, dev_core_stats_t *out);

#endif
