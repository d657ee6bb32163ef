/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of serve/ share; for no other folder. */
#ifndef SERVE_INTERNAL_H
#define SERVE_INTERNAL_H

#include "base/list.h"
#include "base/loop.h"
#include "serve/serve.h"

struct event;

enum {
    SERVE_MAX_CONNECTIONS = 64,
    SERVE_MAX_REQUEST = 8192, /* bytes of request line and headers */
    SERVE_RESERVE = 4
};

/* --- address.c --- */

/* Opens a listening socket. Caller owns *out, close(). */
HOST_MUST_USE int serve_listen(const char *address, int *out, uint16_t *port, lh_error_t *err);

/* --- request.c --- */

typedef struct serve_request {
    char *method;
    char *path;    /* decoded */
    char *query;   /* as sent; "" when there is none */
    char *headers; /* what follows the request line */
} serve_request_t;

/* Splits the request line at the start of text, a header section that ends with an empty line; out
 * borrows from text, which is changed. False when it is not HTTP/1. [serve-thread] */
bool serve_request_parse(char *text, serve_request_t *out);

/* Takes the next "name=value" or "name" from *query, decoded; *value is "" when there is none. NULL
 * at the end; what cannot be decoded is left out. The result borrows from *query. [serve-thread] */
char *serve_request_parameter(char **query, char **value);

/* --- accept.c --- */

/* True when the client prefers OpenMetrics 1 to Prometheus' own text. headers: of a request.
 * [serve-thread] */
bool serve_prefers_openmetrics(const char *headers);

/* --- routes.c --- */

typedef struct serve_answer {
    int status;
    const char *content_type;
    bool varies; /* by the Accept header */
    buf_t body;
} serve_answer_t;

/* Fills a zeroed answer; its body is the caller's. [serve-thread] */
void serve_route(const serve_options_t *options, serve_request_t *request, serve_answer_t *answer);

/* --- connection.c --- */

/* Accepts clients on a loop; borrowed by its connections. [serve-thread] */
typedef struct serve_listener {
    const serve_options_t *options;
    loop_t *loop;
    int fd;
    struct event *readable;
    list_t open; /* of connections, the oldest first */
    size_t count;
    int reserve[SERVE_RESERVE]; /* given up one at a time to turn clients away when fds are out */
    loop_timer_t resume;        /* accepting goes on then */
    int64_t warned;             /* when the log last heard that fds are out; 0: never */
} serve_listener_t;

/* Takes over fd. */
HOST_MUST_USE int serve_listener_init(serve_listener_t *l, loop_t *loop,
                                      const serve_options_t *options, int fd, lh_error_t *err);
/* Cuts all connections; only after serve_listener_init, whatever it returned. */
void serve_listener_fini(serve_listener_t *l);

#endif
