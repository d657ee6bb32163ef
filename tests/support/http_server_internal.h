/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by http_server.c (threads, steering) and http_exchange.c (the protocol). */
#ifndef SUPPORT_HTTP_SERVER_INTERNAL_H
#define SUPPORT_HTTP_SERVER_INTERNAL_H

#include "support/http_server.h"

#include <openssl/ssl.h>
#include <pthread.h>

struct http_record {
    char *line; /* "METHOD PATH" */
    char *method, *path;
    char *headers; /* lines, each ended by a NUL; an empty one ends the list */
    char *body;
    size_t body_len;
    size_t number, conn_number;
};

struct http_conn {
    http_conn_t *next; /* under the server's lock */
    http_server_t *server;
    int fd;
    SSL *ssl;
    size_t number;
    char *in; /* read and not yet consumed */
    size_t in_len, in_cap;
    bool dropped, reset; /* under the server's lock */
};

struct http_exchange {
    http_conn_t *conn;
    struct http_record *record; /* of the server */
    bool replied, keep;
};

struct http_server {
    http_server_options_t options;
    SSL_CTX *ctx;
    int listener, stop_event;
    uint16_t port;
    char url[48];
    pthread_t acceptor;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    pthread_t *threads; /* one for each connection ever accepted */
    size_t accepted, open;
    http_conn_t *conns;
    struct http_record **records;
    size_t record_count;
    bool held, stopping;
};

void http_must_(bool ok, const char *what);
bool http_serve_one_(http_conn_t *c); /* one request; false: the connection is at its end */
bool http_wait_release_(http_conn_t *c);
void http_record_add_(http_server_t *s, struct http_record *r);
void http_record_free_(struct http_record *r);
const char *http_record_header_(const struct http_record *r, const char *name);

#endif
