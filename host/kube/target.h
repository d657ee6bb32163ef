/* SPDX-License-Identifier: Apache-2.0 */
/* Where a client's requests go, and how the connection is made: URL, TLS, names. */
#ifndef KUBE_TARGET_H
#define KUBE_TARGET_H

#include "kube/credentials.h"

#include <curl/curl.h>

typedef struct kube_target {
    const kube_credentials_t *credentials; /* borrowed */
    char *base;                    /* what a path is appended to; its host is the one TLS checks */
    char *host;                    /* "host:port" as configured: Host header, label of metrics */
    struct curl_slist *connect_to; /* where base really is; NULL: there */
    bool tls;
} kube_target_t;

/* credentials is borrowed until kube_target_fini. address: "ADDR:PORT" to connect to; NULL: what the
 * credentials say. */
HOST_MUST_USE int kube_target_init(kube_target_t *t, const kube_credentials_t *credentials,
                                   const char *address, lh_error_t *err);
void kube_target_fini(kube_target_t *t); /* also on a zeroed one */
/* Sets the options of easy that concern the connection. */
void kube_target_apply(const kube_target_t *t, CURL *easy);

#endif
