/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token bucket: `burst` tokens, refilled by `qps` a second. What is taken beyond what is there is owed:
 * whoever comes later waits longer. As golang.org/x/time/rate, on which client-go's limiters stand.
 * No clock and no lock of its own: `now` comes with each call.
 */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include <stdint.h>

typedef struct bucket {
    double qps, burst;
    double tokens; /* at `at`; below 0: owed */
    int64_t at;
} bucket_t;

void bucket_init(bucket_t *b, double qps, int64_t burst); /* full; qps 0: without a limit */
/* How long somebody who comes now would wait, in ns; takes nothing. */
int64_t bucket_wait(const bucket_t *b, int64_t now);
/* Takes one token; the same time, after which it may be used. */
int64_t bucket_take(bucket_t *b, int64_t now);

#endif
