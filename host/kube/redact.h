/* SPDX-License-Identifier: Apache-2.0 */
/* What another program has printed, made fit for a log: one line, bounded, without secrets. */
#ifndef KUBE_REDACT_H
#define KUBE_REDACT_H

#include "base/buf.h"

/* Writes the last `max` bytes of text to out: white space and control characters become one space;
 * "***" stands for the texts in secrets (NULL-terminated; those under 4 bytes are left), for what
 * follows words such as "token=", for user and password of URLs, and for long runs of letters and digits, as tokens, keys and their
 * base64 are. The result is valid UTF-8. [any-thread] */
void kube_redact(const char *text, size_t len, const char *const *secrets, size_t max, buf_t *out);

#endif
