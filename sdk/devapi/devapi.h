/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded API server: an in-memory Kubernetes API for authors without a cluster, for the quick
 * start and for tests. docs/devapi.md says what it serves and what it does not.
 */
#ifndef DEVAPI_DEVAPI_H
#define DEVAPI_DEVAPI_H

#include "devapi/core.h"

typedef struct devapi devapi_t;

typedef struct devapi_options {
    loop_t *loop;       /* everything happens on its thread */
    log_t *log;         /* borrowed; may be NULL */
    const char *listen; /* "ADDRESS:PORT"; NULL: 127.0.0.1:0. Others than loopback are refused
                               unless any_address */
    bool any_address;
    const char *dir;      /* for ca.crt, ca.key, token, kubeconfig; made if absent, mode 0700. CA
                               and token are kept when they are there */
    bool plain;           /* HTTP without TLS, still with the token */
    bool faults;          /* serves /devapi/faults, see faults.h */
    const char *snapshot; /* file loaded at start if there, written at stop; NULL: none */
    size_t max_bytes;     /* see core.h */
    unsigned max_connections; /* 0: 1000 */
    const char *version;      /* of Leasehold, shown by /version */
    int (*read_yaml)(const char *text, size_t len, buf_t *json, lh_error_t *err); /* see core.h */
    void (*on_change)(void *arg, const dev_change_t *change);                     /* likewise */
    void *arg;
} devapi_options_t;

/* Caller owns *out, free with devapi_stop. LH_EINVAL for a bad address or a folder that cannot be
 * written or has a server already, LH_EIO when the port is taken or the snapshot cannot be written.
 * [loop's thread] */
HOST_MUST_USE int devapi_start(const devapi_options_t *o, devapi_t **out, lh_error_t *err);
/* Ends watches, closes connections, writes the snapshot: 0, or the error of that, whose text is in
 * the log; the file is then as it was. */
int devapi_stop(devapi_t *d);

dev_core_t *devapi_core(devapi_t *d); /* borrowed until devapi_stop */
int devapi_port(const devapi_t *d);
const char *devapi_kubeconfig(const devapi_t *d); /* path; borrowed until devapi_stop */
const char *devapi_url(const devapi_t *d);        /* "https://127.0.0.1:6443"; likewise */

#endif
