/* SPDX-License-Identifier: Apache-2.0 */
/* The core over HTTP/1.1: paths and headers into dev_request_t, replies and watches back. */
#ifndef DEVAPI_HTTP_H
#define DEVAPI_HTTP_H

#include "devapi/core.h"

#include <event2/http.h>

typedef struct dev_http dev_http_t;

typedef struct dev_http_options {
    loop_t *loop;
    dev_core_t *core;       /* borrowed until dev_http_stop */
    const char *address;    /* numeric */
    uint16_t port;          /* 0: a free one */
    const char *token;      /* every request but health and version must carry it; copied */
    const char *version;    /* of Leasehold; copied */
    struct ssl_ctx_st *tls; /* SSL_CTX, borrowed until dev_http_stop; NULL: plain HTTP */
} dev_http_options_t;

/* Caller owns *out. LH_EIO when the port is taken. [loop-thread] */
HOST_MUST_USE int dev_http_start(const dev_http_options_t *o, dev_http_t **out, lh_error_t *err);
void dev_http_stop(dev_http_t *h); /* closes every connection; NULL is allowed */
uint16_t dev_http_port(const dev_http_t *h);

/* discovery.c: answers what describes the API; false when path is none of that. */
bool dev_discovery(dev_core_t *core, const char *path, const char *accept, buf_t *out,
                   const char **content_type);

#endif
