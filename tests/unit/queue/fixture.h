/* SPDX-License-Identifier: Apache-2.0 */
/* A queue with a time of its own, and what tests of it say again and again. */
#ifndef UNIT_QUEUE_FIXTURE_H
#define UNIT_QUEUE_FIXTURE_H

#include "base/clock.h"
#include "queue/queue.h"
#include "support/expect.h"

#include <leasehold/types.h>

typedef struct fixture {
    queue_t *q;
    int64_t now;
} fixture_t;

/* No jitter: back-offs are exact. */
static inline int64_t no_jitter(int64_t bound)
{
    (void) bound;
    return 0;
}

static inline fixture_t fixture_create(const queue_options_t *options)
{
    queue_options_t o = *options;

    if (o.rand_below == NULL)
        o.rand_below = no_jitter;
    if (o.name == NULL)
        o.name = "test";
    return (fixture_t){.q = queue_create(&o), .now = 1000 * CLOCK_S};
}

static inline void fixture_destroy(fixture_t *f)
{
    queue_destroy(f->q);
}

#define FIXTURE(f, ...)                                                                            \
    host_cleanup(fixture_destroy) fixture_t f =                                                    \
        fixture_create(&(const queue_options_t){__VA_ARGS__})

static inline queue_key_t key_of(const char *ns, const char *name)
{
    return (queue_key_t){.watch = 0, .ns = ns, .name = name};
}

static inline void add_as(fixture_t *f, const char *ns, const char *name, uint32_t reason,
                          enum queue_priority priority)
{
    queue_key_t key = key_of(ns, name);

    cr_assert_eq(queue_add(f->q, &key, reason, priority, f->now), 0);
}

static inline void add(fixture_t *f, const char *name)
{
    add_as(f, "ns", name, LH_REASON_CHANGED, QUEUE_LIVE);
}

static inline void add_initial(fixture_t *f, const char *name)
{
    add_as(f, "ns", name, LH_REASON_INITIAL, QUEUE_INITIAL);
}

static inline void add_after(fixture_t *f, const char *name, int64_t after)
{
    queue_key_t key = key_of("ns", name);

    cr_assert_eq(queue_add_at(f->q, &key, f->now + after, f->now), 0);
}

/* The next run; its name must be this one ("": none is expected). */
/* Takes the next key, which begins at once. */
#define TAKE(f, expected, run)                                                                     \
    do {                                                                                           \
        *(run) = (queue_run_t){0};                                                                 \
        bool took_ = queue_take((f)->q, (f)->now, (run));                                          \
        const char *name_ = took_ ? (run)->key.name : "";                                          \
        cr_assert_str_eq(name_, (expected), "took '%s', expected '%s'", name_, (expected));        \
        if (took_)                                                                                 \
            queue_started((f)->q, (run)->entry, (f)->now);                                         \
    } while (0)

/* Takes the next key and is done with it. */
#define RUN(f, expected)                                                                           \
    do {                                                                                           \
        queue_run_t run_;                                                                          \
        TAKE((f), (expected), &run_);                                                              \
        if (run_.entry != NULL)                                                                    \
            queue_finish((f)->q, run_.entry, QUEUE_DONE, 0, (f)->now);                             \
    } while (0)

#endif
