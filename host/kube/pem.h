/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys as PEM texts. */
#ifndef KUBE_PEM_H
#define KUBE_PEM_H

#include "base/buf.h"

#include <leasehold/error.h>

enum { KUBE_MAX_PEM = 1024 * 1024 };

/* Decodes base64 (white space allowed) that holds PEM. NULL when it does not. Caller owns the
 * result, free with kube_wipe. [any-thread] */
char *kube_pem_decode(const char *base64);

/* text in base64. Caller owns the result; NULL when out of memory. [any-thread] */
char *kube_base64(const char *text, size_t len);

/* The PEM text in the file at path. Caller owns *out, free with kube_wipe. [any-thread] */
HOST_MUST_USE int kube_pem_read(const char *path, char **out, lh_error_t *err);

/* That the first certificate of cert and the key belong together. [any-thread] */
HOST_MUST_USE int kube_pem_check_pair(const char *cert, const char *key, lh_error_t *err);

/* When the first certificate of cert expires (its notAfter), on the wall clock, in ns; CLOCK_NEVER when that
 * cannot be read, or lies behind the clock's range; what lies before it is as old as the clock can tell.
 * [any-thread] */
int64_t kube_pem_expiry(const char *cert);

/* Overwrites and frees s; NULL is allowed. [any-thread] */
void kube_wipe(char *s);
static inline void kube_wipep(char **s) /* for host_cleanup */
{
    kube_wipe(*s);
}

/* For host_cleanup: the text of a file that may hold a secret. */
void kube_wipe_buf(buf_t *text);

#endif
