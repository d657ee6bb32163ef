/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of requests, under the names, labels and buckets of client-go. */
#ifndef KUBE_METERS_H
#define KUBE_METERS_H

#include "base/metrics.h"

typedef struct kube_meters {
    metric_t *requests; /* all NULL: nothing is measured */
    metric_t *durations, *lookups, *waits, *request_sizes, *response_sizes, *retries;
    const char *host; /* of the server, with its port; borrowed */
    char *name;       /* the same without the port; NULL: an address, nothing is looked up */
} kube_meters_t;

/* metrics may be NULL; host is borrowed until kube_meters_fini. */
void kube_meters_init(kube_meters_t *k, metrics_t *metrics, const char *host);
void kube_meters_fini(kube_meters_t *k);

/* The head of an answer came so long after the call was made; status 0: none came. */
void kube_meters_answer(const kube_meters_t *k, const char *method, int status, int64_t took);
/* A connection was made, and the name of the server looked up for it. */
void kube_meters_lookup(const kube_meters_t *k, int64_t took);
/* A call with a body of so many bytes is given to the transport; it had to wait that long for it. */
void kube_meters_start(const kube_meters_t *k, const char *method, int64_t waited, size_t bytes);
/* The body of an answer is in. */
void kube_meters_body(const kube_meters_t *k, const char *method, size_t bytes);
/* A call with this answer (0: none) is made once more. */
void kube_meters_retry(const kube_meters_t *k, const char *method, int status);

#endif
