/* SPDX-License-Identifier: Apache-2.0 */
/* What the stress programs share: a time limit, and one way to say that something is wrong. */
#ifndef STRESS_STRESS_H
#define STRESS_STRESS_H

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define STRESS_TIME (1200 * CLOCK_MS)

/* Ends the program when cond does not hold. */
#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond);                             \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline pthread_t stress_spawn(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, fn, arg);

    CHECK(failed == 0, "pthread_create gave %d", failed);
    return thread;
}

#endif
