/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 connections: requests come out of them whole, answers and streams go in. It knows nothing
 * of Kubernetes.
 *
 * libevent's own HTTP server is not used here: it tells neither when it accepts nor when it closes a
 * connection, so they could not be counted, timed, or turned away; and it refuses a body that is too
 * large with no answer of ours. Everything: [loop-thread]
 */
#ifndef DEVAPI_HTTP_CONN_H
#define DEVAPI_HTTP_CONN_H

#include "base/log.h"
#include "base/loop.h"
#include "devapi/http_parse.h"

struct ssl_ctx_st;

typedef struct http_server http_server_t;
typedef struct http_conn http_conn_t;

typedef struct http_server_options {
    loop_t *loop;
    log_t *log;             /* borrowed; may be NULL */
    const char *address;    /* numeric */
    uint16_t port;          /* 0: a free one */
    struct ssl_ctx_st *tls; /* SSL_CTX, borrowed until http_server_stop; NULL: plain */
    unsigned max_connections;
    size_t max_body;   /* of one request */
    size_t max_bodies; /* of all requests that are being received or answered */
    size_t max_unread; /* bytes of a stream that a client may leave unread before it is cut */
    /* A request is there, or what cannot be served as one. mistake: 0, or the status to refuse it
     * with (then there is no head, or no body, and the connection ends with the answer). It is
     * answered now or later, once: by http_conn_answer, a stream, or http_conn_cut. */
    void (*on_request)(void *arg, http_conn_t *conn, int mistake);
    void *arg;
} http_server_options_t;

/* Caller owns *out. LH_EIO when the port is taken. */
HOST_MUST_USE int http_server_start(const http_server_options_t *o, http_server_t **out,
                                    lh_error_t *err);
/* Closes all connections; requests that are being answered learn of it by gone(). */
void http_server_stop(http_server_t *s); /* NULL is allowed */
uint16_t http_server_port(const http_server_t *s);

/* -- The request at hand; borrowed until it is answered -- */

const http_head_t *http_conn_head(const http_conn_t *c); /* empty after some mistakes */
const buf_t *http_conn_body(const http_conn_t *c);
/* Until the request is answered: gone(arg) is called when the client has closed the connection, or
 * when it was cut; then conn must not be used any more. */
void http_conn_hold(http_conn_t *c, void (*gone)(void *arg), void *arg);

typedef struct http_answer {
    int code;
    const char *type;    /* Content-Type; NULL: none */
    const char *headers; /* further lines, each with its "\r\n"; NULL: none */
    const char *body;
    size_t len;
} http_answer_t;

void http_conn_answer(http_conn_t *c, const http_answer_t *a);
/* A body whose end is not known; a->body is its first piece. */
void http_conn_stream(http_conn_t *c, const http_answer_t *a);
void http_conn_send(http_conn_t *c, const char *data, size_t len); /* the next piece */
void http_conn_end(http_conn_t *c);                                /* the end of the stream */
/* Closes the connection without a word; gone() comes from the loop, never from here. */
void http_conn_cut(http_conn_t *c);

#endif
