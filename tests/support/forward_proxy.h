/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small forward proxy on a port of 127.0.0.1, for tests: HTTP CONNECT and SOCKS5. Every tunnel leads
 * to one server, whatever name was asked for, and what was asked is kept. Ends the program with a text
 * when the machine refuses a socket or a thread.
 */
#ifndef SUPPORT_FORWARD_PROXY_H
#define SUPPORT_FORWARD_PROXY_H

#include "support/http_server.h"

typedef struct forward_proxy forward_proxy_t;

/* server_port: on 127.0.0.1. password: "user:password" that must be shown, by Basic or in the SOCKS
 * way; NULL: none; borrowed. tls: the proxy itself speaks TLS with its certificate; NULL: not; borrowed
 * during this call. Caller owns the result, free with forward_proxy_stop. */
forward_proxy_t *forward_proxy_start(int server_port, const char *password, const http_tls_t *tls);
void forward_proxy_stop(forward_proxy_t *p); /* NULL is allowed */

int forward_proxy_port(const forward_proxy_t *p);
size_t forward_proxy_tunnels(forward_proxy_t *p); /* opened so far */
size_t forward_proxy_refused(forward_proxy_t *p); /* for want of the password */
/* What the last one asked for: "CONNECT host:port HTTP/1.1" and its headers, or "SOCKS5 host:port".
 * The caller frees it. */
char *forward_proxy_asked(forward_proxy_t *p);

#endif
