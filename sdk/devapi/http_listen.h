/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket on a loop. */
#ifndef DEVAPI_HTTP_LISTEN_H
#define DEVAPI_HTTP_LISTEN_H

#include "base/loop.h"

typedef struct http_listener http_listener_t;

/* client(arg, fd) takes over each connection, a non-blocking socket. Caller owns *out. LH_EINVAL for
 * an address that is not numeric, LH_EIO when the port is taken. [loop-thread] */
HOST_MUST_USE int http_listen(loop_t *loop, const char *address, uint16_t port,
                              void (*client)(void *arg, int fd), void *arg, http_listener_t **out,
                              lh_error_t *err);
void http_listener_destroy(http_listener_t *l); /* NULL is allowed */
uint16_t http_listener_port(const http_listener_t *l);

#endif
