/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the client. A client has lanes, a lane is one libcurl multi handle; where HTTP/2 is
 * spoken it holds one connection. Three facts about libcurl 7.88 ask for lanes:
 *   - with a second connection under way in one multi handle it puts further requests on it before
 *     it is connected; so each multi handle gets KUBE_LANE_CALLS at most, what a kube-apiserver
 *     allows on one connection, and the next request opens the next lane;
 *   - it cannot be told to leave a connection; so a lane whose connection failed, or whose server
 *     did not answer, is retired: it finishes its calls and gets no new ones;
 *   - a handle that waits for another's connection has no timeout; so timeouts are our own timers;
 *   - the RST_STREAM of a handle that is taken away stays in its buffer until something else is sent
 *     on that connection, and the server goes on serving a watch that is over; so a lane that such a
 *     stream has left empty is closed.
 * All of it belongs to the loop's thread, but what sockets.c guards with its mutex.
 */
#ifndef KUBE_CLIENT_INTERNAL_H
#define KUBE_CLIENT_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "kube/certs.h"
#include "kube/client.h"
#include "kube/exec.h"
#include "kube/meters.h"
#include "kube/sockets.h"
#include "kube/status.h"
#include "kube/target.h"
#include "kube/token.h"

#include <curl/curl.h>
#include <stdatomic.h>

enum { KUBE_LANE_CALLS = 100 };

typedef struct kube_lane {
    list_t node; /* in client->lanes, the oldest first */
    kube_client_t *client;
    CURLM *multi;
    loop_timer_t timer; /* libcurl's */
    size_t calls;
    uint64_t cuts; /* of the client when it was created: later ones have cut its connection */
    bool retired;
    bool held_reset; /* a stream was taken away unfinished, and nothing was sent since */
} kube_lane_t;

struct kube_client {
    loop_t *loop;
    enum kube_client_kind kind;
    const log_t *log;
    kube_target_t target;
    kube_token_t token;
    kube_certs_t certs;
    kube_exec_t *exec;             /* the credentials' plugin; NULL: none */
    kube_exec_listener_t listener; /* of that */
    kube_sockets_t sockets;
    kube_meters_t meters;

    list_t lanes;
    list_t calls;      /* under way */
    list_t waiting;    /* sent from within a callback of libcurl: started after it */
    list_t held;       /* until the credential plugin has run */
    list_t doomed;     /* cancelled from within a callback of libcurl: freed after it */
    unsigned driving;  /* inside libcurl */
    loop_timer_t tidy; /* settles soon, after a cancellation */

    _Atomic uint64_t cuts; /* calls of kube_client_cut */
    size_t in_flight;
    int64_t last_unknown; /* sent_at of the latest write without a known outcome; 0: none */
};

struct kube_call {
    list_t node;
    kube_client_t *client;
    kube_lane_t *lane; /* NULL while not started */
    CURL *easy;
    struct curl_slist *headers;
    loop_timer_t timer;
    kube_request_t request; /* its texts point into `texts` */
    kube_actor_t actor;     /* what request.as points to, if anything; likewise */
    char *texts;
    bool write;

    unsigned attempts; /* how often libcurl was about to send it */
    unsigned restarts; /* how often we gave it to libcurl again */
    size_t fed;        /* bytes of the body that libcurl has taken */
    size_t received;   /* bytes of the answer's body */
    int64_t started_at, sent_at;
    uint64_t cuts; /* of the client when it was sent */
    uint64_t token_generation;
    bool cancelled;
    bool held;           /* in client->held */
    bool second_attempt; /* libcurl wanted to send it again */

    int stop_code; /* set by a callback that ended the call, with its error */
    lh_error_t stop_error;
    int status;
    int64_t retry_after;
    buf_t in;
    char curl_text[CURL_ERROR_SIZE];
};

/* -- client.c -- */
/* Ends the calls whose fence has fallen, and cuts the sockets before that if anything of them may
 * be under way. Before everything that may make libcurl send. */
void kube_client_guard(kube_client_t *c);
/* Takes up what has ended and what was put off. After everything that ran libcurl. */
void kube_client_settle(kube_client_t *c);
loop_t *kube_client_loop(const kube_client_t *c);

/* -- lane.c -- */
/* A lane with room; retires all others first when fresh. NULL when out of memory. */
kube_lane_t *kube_lane_get(kube_client_t *c, bool fresh);
void kube_lane_destroy(kube_lane_t *lane); /* has no calls */

/* -- call.c -- */
/* Copies request. Caller owns *out, free with kube_call_free. */
HOST_MUST_USE int kube_call_create(kube_client_t *c, const kube_request_t *request,
                                   kube_call_t **out, lh_error_t *err);
/* Gives the call to libcurl, in lane. */
HOST_MUST_USE int kube_call_start(kube_call_t *call, kube_lane_t *lane, lh_error_t *err);
/* Takes it back; the call may be started again or freed. */
void kube_call_detach(kube_call_t *call);
void kube_call_free(kube_call_t *call);
/* True when its fence or a cut forbids that anything more of it is sent. */
bool kube_call_fallen(const kube_call_t *call);
/* Of a fallen one: its term goes on, writes only wait for a renewal. */
bool kube_call_suspended(const kube_call_t *call);
#define KUBE_TEXT_SUSPENDED "writes wait until the lease has been renewed; nothing was sent"

/* -- outcome.c -- */
/* What a call that libcurl has ended with `curl` came to. status keeps the texts of *out. */
void kube_outcome(kube_call_t *call, CURLcode curl, kube_status_t *status, kube_result_t *out);
/* The same for a call that is ended by us with code; text says why. */
void kube_outcome_stopped(kube_call_t *call, int code, const char *text, kube_result_t *out);
/* True for a write that the server may have whole, and so may have carried out. One whose body
 * libcurl has not taken to its last byte cannot have any effect. */
bool kube_call_may_count(const kube_call_t *call);
/* Counts the answer (its status), or that there was none (0). */
void kube_count(kube_call_t *call, int status);
/* "METHOD /path" without the query, for texts. */
const char *kube_call_label(const kube_call_t *call, char out[192]);

#endif
