/* SPDX-License-Identifier: Apache-2.0 */
/* metav1.Status: why the API server refused a request. */
#ifndef KUBE_STATUS_H
#define KUBE_STATUS_H

#include "base/base.h"

typedef struct kube_status {
    bool named;          /* the body is a metav1.Status */
    char reason[64];     /* "AlreadyExists"; "" when it has none */
    char message[384];   /* cut when longer */
    int64_t retry_after; /* details.retryAfterSeconds in ns; 0: none */
} kube_status_t;

/* Reads a body that may be anything. [any-thread] */
void kube_status_parse(const char *body, size_t len, kube_status_t *out);

/* The LH_E* code of an HTTP status (0 for 2xx) and, where it decides, of a reason. [any-thread] */
int kube_status_code(int http_status, const char *reason);

/* The usual words for an HTTP status ("Not Found"), "" for a number without. [any-thread] */
const char *kube_status_words(int http_status);

#endif
