/* SPDX-License-Identifier: Apache-2.0 */
/* The CA and the client certificate of one client: read again when their files change, or when the
 * credential plugin gives another. Not shared between threads. */
#ifndef KUBE_CERTS_H
#define KUBE_CERTS_H

#include "base/log.h"
#include "kube/credentials.h"

#include <curl/curl.h>
#include <sys/stat.h>

/* A file, and what it was when it was read. */
typedef struct kube_pem_file {
    const char *path; /* NULL: none */
    struct stat seen;
} kube_pem_file_t;

typedef struct kube_certs {
    const kube_credentials_t *credentials; /* borrowed */
    const log_t *log;                      /* borrowed */
    kube_pem_file_t ca_file, cert_file, key_file;
    char *ca, *cert, *key; /* PEM in use; NULL: none */
    uint64_t generation;   /* of the plugin's credential */
    char *trouble;         /* the warning that was logged last; NULL: all is well */
} kube_certs_t;

/* Copies or reads them. LH_EINVAL: certificate and key do not belong together, or the key is none or
 * asks for a passphrase; err names both. credentials and log are borrowed until kube_certs_fini. */
HOST_MUST_USE int kube_certs_init(kube_certs_t *c, const kube_credentials_t *credentials,
                                  const log_t *log, lh_error_t *err);
void kube_certs_fini(kube_certs_t *c); /* also a zeroed one */

/* Looks at the files and at the plugin. True when connections must be made anew. What cannot be
 * read, or is half replaced, leaves the last ones in use, with a warning in the log. */
bool kube_certs_refresh(kube_certs_t *c);
/* Of a client certificate in use that has expired: which one, and when. Caller owns the result, free with
 * free(); NULL: there is none, or it is still good. */
char *kube_certs_expired(const kube_certs_t *c);
/* Makes easy's connections use them, that to a proxy of https the CA. */
void kube_certs_apply(const kube_certs_t *c, CURL *easy);

#endif
