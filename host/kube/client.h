/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An asynchronous HTTP client for one API server, on one loop: a libcurl multi handle with its own
 * connections (HTTP/2 where the server speaks it). Separate clients for separate purposes keep the
 * elector, the watches and the plugins' writes from waiting for each other.
 *
 * A KUBE_CLIENT_WRITES client sends nothing under a closed fence: the fence of the request's term
 * is tested before the multi handle is driven, in the pre-request callback of every attempt (so
 * libcurl's silent retry on a reused connection is refused) and in the read callback that feeds the
 * body. kube_client_cut() disconnects its sockets from another thread.
 *
 * A read is repeated once by itself when its connection died before an answer, and when a 401
 * answered a token that has been replaced since. A write never is: it ends with LH_EUNKNOWN, or
 * with another code when its last byte was not sent, so that it has no effect. A request that got
 * no answer in its time, or 401, leaves its connection: the next ones use another. So they do when
 * the file of the CA or of the client certificate has changed.
 *
 * With a credential plugin requests wait for its first run, within their time; after that they go out
 * with what it gave last. A read that got 401 waits for a run that is under way, a write does not.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "base/fence.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "kube/credentials.h"

typedef struct kube_client kube_client_t;
typedef struct kube_call kube_call_t;

enum kube_client_kind {
    KUBE_CLIENT_READS,  /* lists, watches, discovery; refuses anything else */
    KUBE_CLIENT_WRITES, /* everything that plugins send */
    KUBE_CLIENT_LEASE   /* the elector's */
};

typedef struct kube_client_options {
    loop_t *loop;                          /* borrowed until kube_client_destroy */
    const kube_credentials_t *credentials; /* borrowed until kube_client_destroy */
    enum kube_client_kind kind;
    const log_t *log;           /* borrowed; may be NULL */
    metrics_t *metrics;         /* rest_client_*; borrowed; may be NULL */
    int64_t write_user_timeout; /* TCP_USER_TIMEOUT of write sockets, ns; 0: none */
    const char *address; /* "ADDR:PORT" to connect to instead of where the credentials' server is;
                            TLS still asks for that one's name. Copied; NULL: none */
} kube_client_options_t;

/* The answer, or why there is none. Borrowed until on_done returns. */
typedef struct kube_result {
    int code;           /* 0: 2xx. Else LH_E*; a Status answer is decoded to its code */
    int status;         /* HTTP status; 0: no answer */
    const char *reason; /* Status.reason ("AlreadyExists"); "" when the body is no Status */
    const char *body;   /* NUL-terminated; what on_data did not take; "" when there is none */
    size_t body_len;
    int64_t sent_at;     /* clock_now() just before the first byte could leave; 0: nothing did */
    int64_t retry_after; /* ns from Retry-After or Status.details; 0: none */
    bool named_status;   /* a refusal, and its body is a metav1.Status (not a proxy's page) */
    lh_error_t error;    /* text for people when code is not 0; never holds a secret */
} kube_result_t;

/* Whom a request is made as, under which term: impersonation, and the extras that the policies of
 * server-side fencing look at. */
typedef struct kube_actor {
    const char *user;
    const char *holder;
    uint64_t term;
} kube_actor_t;

typedef struct kube_request {
    const char *method; /* "GET", ... */
    const char *path;   /* begins with '/'; with its query */
    const char *body;   /* NULL: none. A write without a body gets an empty JSON object (DELETE:
                           DeleteOptions), so that its end never passes untested */
    size_t body_len;
    const char *content_type; /* NULL: application/json */
    const char *accept;       /* NULL: application/json */
    const char *agent;        /* plugin id for the User-Agent; NULL: none */
    const kube_actor_t *as;   /* NULL: the credentials' own user */
    int64_t timeout; /* ns in all; 0: none (watches; a frozen one is the caller's matter) */
    fence_t *fence;  /* of the term; a reference is taken. A write of a KUBE_CLIENT_WRITES
                              client must have one; a read that has one ends with it */
    int64_t waited;  /* for the metrics: ns that its caller has held it back for a limit, and the
                              HTTP status on account of which it is sent again; 0: neither */
    int repeated;
    bool fresh_connection; /* a new connection, with the name resolved anew */
    size_t max_body;       /* of the collected body; 0: 16 MiB */

    /* Takes the bytes of a 2xx body as they come; a code below 0 (with err set) ends the call with
     * it. NULL: the body is collected into the result. [loop's thread] */
    int (*on_data)(void *arg, const char *data, size_t len, lh_error_t *err);
    /* Called exactly once unless the call is cancelled; the call is gone afterwards. Never from
     * within kube_client_send. [loop's thread] */
    void (*on_done)(void *arg, const kube_result_t *result);
    void *arg;
} kube_request_t;

/* Caller owns *out, free with kube_client_destroy. [loop's thread] */
HOST_MUST_USE int kube_client_create(const kube_client_options_t *options, kube_client_t **out,
                                     lh_error_t *err);
/* Cancels what is still under way (no on_done) and closes every connection. NULL is allowed. Not
 * from within a callback of this client. */
void kube_client_destroy(kube_client_t *c);

/* Starts a request; everything in it is copied. *out (may be NULL) is borrowed until on_done or
 * kube_call_cancel. At once: LH_EFENCED when its fence is closed, LH_ECANCELED when only the gate
 * is, LH_EUNAVAILABLE when it is suspended, LH_EINVAL for what would break the protocol, and what
 * the token file or the credential plugin says. */
HOST_MUST_USE int kube_client_send(kube_client_t *c, const kube_request_t *request,
                                   kube_call_t **out, lh_error_t *err);

/* Ends the call without on_done. A write that may have been sent keeps its connection until its
 * answer is in or the fence falls: taking a handle away does not unsend it. Not from within the
 * call's own callbacks, except on_done of another call. */
void kube_call_cancel(kube_call_t *call);
/* The HTTP status of the answer whose head has come; 0: none yet. */
int kube_call_status(const kube_call_t *call);

/* Disconnects every socket of a KUBE_CLIENT_WRITES client so that queued bytes are dropped by the
 * kernel (connect to AF_UNSPEC): used when the fence falls. Requests under way end with
 * LH_EUNKNOWN, those not yet sent with LH_EFENCED. [any-thread] */
void kube_client_cut(kube_client_t *c);

/* Writes handed to the kernel whose answer is not in yet. */
size_t kube_client_in_flight(const kube_client_t *c);
/* True when a write sent since `since` (BOOTTIME) ended without a known outcome. An answer of 5xx
 * counts as none: a server that gave up waiting may still commit. */
bool kube_client_unknown_since(const kube_client_t *c, int64_t since);

#endif
