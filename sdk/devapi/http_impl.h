/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP side share: one request on its way from its arrival to its answer.
 * Everything: [loop-thread] */
#ifndef DEVAPI_HTTP_IMPL_H
#define DEVAPI_HTTP_IMPL_H

#include "base/list.h"
#include "devapi/faults.h"
#include "devapi/http.h"
#include "devapi/http_conn.h"

struct dev_http {
    dev_http_options_t o;
    char *token, *version;
    http_server_t *server;
    dev_faults_t *faults; /* NULL: not served */
    list_t exchanges;     /* that are not answered yet, watches among them */
};

/* What a path names. "" for the core group; NULL for what it does not name. */
typedef struct dev_target {
    char *text;    /* owned; what follows borrows from it */
    bool resource; /* it is of the form /api/V/... or /apis/G/V/...; else the rest is unset */
    const char *group, *version, *ns, *name, *sub;
    const char *plural; /* the resource; NULL: the group version itself */
    bool too_long;      /* segments are left behind the subresource */
    bool watch;         /* of the deprecated form /api/V/watch/... */
} dev_target_t;

/* What Accept asks for. */
typedef struct dev_accept {
    enum { DEV_ACCEPT_JSON, DEV_ACCEPT_UNKNOWN, DEV_ACCEPT_UNKNOWN_FORM } result;
    enum dev_shape shape;
    bool list;       /* PartialObjectMetadataList, not PartialObjectMetadata */
    bool aggregated; /* APIGroupDiscoveryList of v2 */
} dev_accept_t;

typedef struct exchange {
    list_t link;
    dev_http_t *http;
    http_conn_t *conn;
    const http_head_t *head; /* of conn */
    http_query_t query;
    dev_target_t target;
    bool watches;     /* it asks for a watch */
    const char *verb; /* as RBAC names it: "get", "list", "deletecollection", ... */
    bool pretty;

    /* what a rule of faults has to do with it */
    dev_fault_t fault;
    loop_timer_t timer; /* of the delay before it is served, or answered */
    int code;           /* of an answer that waits; 0: it is not served yet */
    char *type, *headers;
    buf_t body;

    dev_watch_t *watch; /* that is being answered; NULL: none */
} exchange_t;

/* -- http_path.c -- */

/* Takes apart a decoded path; free with dev_target_fini. */
void dev_target_parse(const char *path, dev_target_t *out);
void dev_target_fini(dev_target_t *t);
/* The verb of a request, as RBAC names it. */
const char *dev_target_verb(const dev_target_t *t, const char *method, bool watch);
/* 403, as a user without rights gets it. */
void dev_target_forbid(const dev_target_t *t, const char *verb, const char *user, const char *path,
                       dev_status_t *st);

/* -- http_accept.c -- */

/* accept NULL: none. discovery: the forms of discovery are asked for, not those of objects. */
dev_accept_t dev_accept_parse(const char *accept, bool discovery);

/* -- http_reply.c: each of them ends the exchange, which is freed -- */

void exchange_answer(exchange_t *x, int code, const char *type, const char *headers,
                     const char *text, size_t len);
void exchange_json(exchange_t *x, int code, const char *type, const buf_t *body);
void exchange_reply(exchange_t *x, dev_reply_t *reply); /* takes reply's content */
void exchange_refuse(exchange_t *x, dev_status_t *st);  /* likewise */
void exchange_fail(exchange_t *x, int code, const char *reason, const char *message);
void exchange_not_found(exchange_t *x);                           /* "404 page not found" */
void exchange_no_resource(exchange_t *x);                         /* 404 as Status */
void exchange_no_method(exchange_t *x);                           /* 405 as Status */
void exchange_not_acceptable(exchange_t *x, const char *message); /* 406 as Status */
void exchange_cut(exchange_t *x);                                 /* the connection is closed */
void exchange_free(exchange_t *x);                                /* without an answer */
/* Appends json with indents, as Go's encoder puts it. */
void dev_pretty(const char *json, size_t len, buf_t *out);

/* -- http_serve.c -- */

void exchange_serve(exchange_t *x); /* after authentication and delays */

/* -- http_options.c -- */

/* Fills in what the query says; borrowed from it. */
void exchange_take_options(const exchange_t *x, dev_request_t *r);

/* -- http_watch.c -- */

/* Opens the watch, or refuses. */
void exchange_watch(exchange_t *x, const dev_request_t *r);

/* -- http_faults.c: /devapi/... -- */

void exchange_faults(exchange_t *x);
/* Looks for a rule; false when the exchange is over, or will be served later. */
bool exchange_disturb(exchange_t *x);

/* -- review.c: authorization.k8s.io and authentication.k8s.io -- */

/* The kinds that can only be created; *count of them. */
const dev_kind_t *dev_review_kinds(size_t *count);
bool dev_review_serves(const dev_target_t *t);
void exchange_review(exchange_t *x);

/* -- openapi.c -- */

/* True when path is below /openapi and answered. */
bool exchange_openapi(exchange_t *x);

#endif
