/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small scripted HTTP/1.1 server for tests, on a loopback port of its own, one thread per
 * connection. A handler answers each request; while it runs it may wait, stream, or drop the
 * connection. Every request is recorded. With a http_tls it speaks TLS.
 *
 *   static void answer(void *arg, http_exchange_t *x)
 *   {
 *       if (strcmp(http_path(x), "/api/v1/pods") == 0)
 *           http_reply(x, 200, "application/json", "{\"items\":[]}");
 *       else
 *           http_reply_status(x, 404, "NotFound", "no such thing");
 *   }
 *   http_server_t *s = http_server_start(&(http_server_options_t) {.handler = answer});
 *   ... http_server_url(s) ...
 *   http_server_stop(s);
 *
 * Everything ends the test with a text (abort) when the machine refuses a socket or memory.
 * All functions are [any-thread] unless said otherwise.
 */
#ifndef SUPPORT_HTTP_SERVER_H
#define SUPPORT_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct http_server http_server_t;
typedef struct http_exchange http_exchange_t; /* one request and its reply */
typedef struct http_conn http_conn_t;         /* one connection */

/* A CA, a certificate of the server and two of clients, all made by http_tls_create; PEM texts. */
typedef struct http_tls {
    char *ca;
    char *cert, *key;
    char *client_cert, *client_key;
    char *other_client_cert, *other_client_key;
} http_tls_t;

/* names: subjectAltName of the server, e.g. "DNS:localhost,IP:127.0.0.1". The client's certificate
 * has CN "test-client", the other one "other-client". Caller owns the result, free with http_tls_destroy. */
http_tls_t *http_tls_create(const char *names);
void http_tls_destroy(http_tls_t *tls);

typedef struct http_server_options {
    /* Answers x with one of the http_reply functions, or drops it. Runs on the connection's thread;
     * NULL: every request is answered with 200 and "{}". */
    void (*handler)(void *arg, http_exchange_t *x);
    /* Called for each new connection before anything is read from it (after the TLS handshake);
     * false: the server speaks no HTTP on it and closes it. For odd behaviour with http_conn_read
     * and http_conn_write. May be NULL. */
    bool (*on_connection)(void *arg, http_conn_t *conn);
    void *arg;
    const http_tls_t *tls;   /* borrowed during http_server_start; NULL: plain HTTP */
    bool demand_client_cert; /* one signed by tls->ca */
    int receive_buffer;      /* SO_RCVBUF of connections, to make writers block early; 0: default */
    uint16_t port;           /* 0: any; else this one (e.g. the port of a server stopped before) */
} http_server_options_t;

http_server_t *http_server_start(const http_server_options_t *options);
/* Closes all connections, waits for all threads (blocked replies and waits end), frees. */
void http_server_stop(http_server_t *s);
uint16_t http_server_port(const http_server_t *s);
/* "http://127.0.0.1:PORT" or "https://127.0.0.1:PORT". Borrowed until http_server_stop. */
const char *http_server_url(const http_server_t *s);

/* -- What has happened -- */
size_t http_server_connections(http_server_t *s);      /* accepted ever */
size_t http_server_open_connections(http_server_t *s); /* now */
size_t http_server_requests(http_server_t *s);         /* received whole, ever */
/* Waits until n requests (connections) have come; false when they have not after ms. */
bool http_server_wait_requests(http_server_t *s, size_t n, int ms);
bool http_server_wait_connections(http_server_t *s, size_t n, int ms);
/* Waits until no connection is open. */
bool http_server_wait_idle(http_server_t *s, int ms);
/* The i-th request as a text "METHOD PATH" and its body; borrowed until http_server_stop, NULL when
 * there is none. */
const char *http_server_line(http_server_t *s, size_t i);
const char *http_server_body(http_server_t *s, size_t i);
/* The value of a header (any case) of the i-th request; NULL when it has none. Borrowed until
 * http_server_stop. */
const char *http_server_header(http_server_t *s, size_t i, const char *name);
/* The number (from 0) of the connection that the i-th request came on. */
size_t http_server_connection_of(http_server_t *s, size_t i);

/* -- Steering -- */
/* While held, every reply waits before its first byte; release lets them go. */
void http_server_hold(http_server_t *s);
void http_server_release(http_server_t *s);
/* Ends all open connections now: with a FIN after what is sent, or by a reset. */
void http_server_drop_all(http_server_t *s, bool reset);

/* -- In a handler [the connection's thread] -- */
const char *http_method(const http_exchange_t *x);
const char *http_path(const http_exchange_t *x);                     /* with the query */
const char *http_header(const http_exchange_t *x, const char *name); /* NULL: absent */
const char *http_body(const http_exchange_t *x);                     /* NUL-terminated */
size_t http_body_len(const http_exchange_t *x);
size_t http_number(const http_exchange_t *x); /* of the request, from 0 */
/* Whether the client has shown a certificate with this CN. */
bool http_client_is(const http_exchange_t *x, const char *cn);

void http_reply(http_exchange_t *x, int status, const char *type, const char *body);
/* With one more header line, e.g. "Retry-After: 3". */
void http_reply_with(http_exchange_t *x, int status, const char *type, const char *header,
                     const char *body);
/* A metav1.Status of kind Failure. */
void http_reply_status(http_exchange_t *x, int status, const char *reason, const char *message);
/* A chunked reply: begin, any number of chunks, end. False when the peer has gone. */
bool http_chunk_begin(http_exchange_t *x, int status, const char *type);
bool http_chunk(http_exchange_t *x, const void *data, size_t len);
bool http_chunk_end(http_exchange_t *x);
/* Ends the connection without (the rest of) a reply; the handler returns then. */
void http_drop(http_exchange_t *x, bool reset);
/* Waits until the peer closes the connection or the server is stopped. */
void http_wait_closed(http_exchange_t *x);
/* Waits, but not beyond the server's stop; false when it is being stopped. */
bool http_sleep(http_exchange_t *x, int ms);

/* -- In on_connection [the connection's thread] -- */
/* Reads what is there, at least one byte; 0 at the end, -1 on an error or a reset. */
long http_conn_read(http_conn_t *conn, void *data, size_t size);
bool http_conn_write(http_conn_t *conn, const void *data, size_t len);
size_t http_conn_number(const http_conn_t *conn); /* from 0 */

#endif
