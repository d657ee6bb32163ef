/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of the embedded API server: a CA that is made once and kept, and a server
 * certificate for loopback and the address that it listens on, made at each start. */
#ifndef DEVAPI_TLS_H
#define DEVAPI_TLS_H

#include "base/buf.h"

#include <leasehold/error.h>
#include <openssl/ssl.h>

/* Reads dir/ca.crt and dir/ca.key, or makes them (0600). *out is owned by the caller, free with
 * SSL_CTX_free; the CA's certificate is appended to ca as PEM. LH_EIO. [any-thread] */
HOST_MUST_USE int dev_tls_open(const char *dir, const char *address, SSL_CTX **out, buf_t *ca,
                               lh_error_t *err);

#endif
