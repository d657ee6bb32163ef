/* SPDX-License-Identifier: Apache-2.0 */
/* The core over HTTP/1.1: paths and headers into dev_request_t, replies and watches back. */
#ifndef DEVAPI_HTTP_H
#define DEVAPI_HTTP_H

#include "devapi/core.h"

#define DEV_USER "leasehold-dev" /* who everybody with the token is */

typedef struct dev_http dev_http_t;

typedef struct dev_http_options {
    loop_t *loop;
    log_t *log;               /* borrowed; may be NULL */
    dev_core_t *core;         /* borrowed until dev_http_stop */
    const char *address;      /* numeric */
    uint16_t port;            /* 0: a free one */
    const char *token;        /* every request but health and version must carry it; copied */
    const char *version;      /* of Leasehold; copied */
    struct ssl_ctx_st *tls;   /* SSL_CTX, borrowed until dev_http_stop; NULL: plain HTTP */
    bool faults;              /* see faults.h */
    unsigned max_connections; /* 0: 1000 */
} dev_http_options_t;

/* Caller owns *out. LH_EIO when the port is taken. [loop-thread] */
HOST_MUST_USE int dev_http_start(const dev_http_options_t *o, dev_http_t **out, lh_error_t *err);
void dev_http_stop(dev_http_t *h); /* closes every connection; NULL is allowed */
uint16_t dev_http_port(const dev_http_t *h);

/* discovery.c: answers what describes the API. path: decoded, without a slash at its end;
 * aggregated: in one document. The status (200, 404) with the document in out, or 0 when path is
 * none of that. */
int dev_discovery(dev_core_t *core, const char *path, bool aggregated, buf_t *out,
                  const char **content_type);
/* What is known of a group version: nothing, the group, or the version too. */
enum dev_known { DEV_KNOWN_NOTHING, DEV_KNOWN_GROUP, DEV_KNOWN_VERSION };
enum dev_known dev_discovery_knows(dev_core_t *core, const char *group, const char *version);

#endif
