/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fence.h"

#include "base/base.h"
#include "base/clock.h"

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the fence must be lock-free");

enum { CLOSED = 0 };

fence_t *fence_create(uint64_t term, int64_t deadline_ns)
{
    fence_t *f = host_xcalloc(1, sizeof(*f));

    f->term = term;
    atomic_init(&f->refs, 1);
    atomic_init(&f->gate_closed, false);
    atomic_init(&f->deadline_ns, HOST_MAX(deadline_ns, CLOSED));
    return f;
}

fence_t *fence_ref(fence_t *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void fence_unref(fence_t *f)
{
    if (f != NULL && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
        free(f);
}

void fence_unrefp(fence_t **f)
{
    fence_unref(*f);
}

bool fence_open(const fence_t *f)
{
    int64_t deadline = atomic_load_explicit(&f->deadline_ns, memory_order_acquire);

    /* The deadline first: read the other way round, a long pause between the two would let an old
     * time stand beside it. */
    return deadline > CLOSED && clock_now() < deadline;
}

bool fence_lives(const fence_t *f)
{
    int64_t deadline = atomic_load_explicit(&f->deadline_ns, memory_order_acquire);

    return clock_now() < (deadline < 0 ? -deadline : deadline);
}

bool fence_gate_closed(const fence_t *f)
{
    return atomic_load_explicit(&f->gate_closed, memory_order_acquire);
}

bool fence_admits(const fence_t *f)
{
    return !fence_gate_closed(f) && fence_open(f);
}

bool fence_extend(fence_t *f, int64_t deadline_ns)
{
    int64_t old = atomic_load_explicit(&f->deadline_ns, memory_order_acquire);
    int64_t next;

    do {
        /* A suspended fence keeps the deadline that it had, with its sign turned. */
        int64_t deadline = old < 0 ? -old : old;

        if (deadline == CLOSED || clock_now() >= deadline)
            return false;
        next = HOST_MAX(deadline, deadline_ns);
    } while (!atomic_compare_exchange_weak_explicit(&f->deadline_ns, &old, next,
                                                    memory_order_acq_rel, memory_order_acquire));
    return true;
}

void fence_suspend(fence_t *f)
{
    int64_t old = atomic_load_explicit(&f->deadline_ns, memory_order_acquire);

    while (old > CLOSED &&
           !atomic_compare_exchange_weak_explicit(&f->deadline_ns, &old, -old, memory_order_acq_rel,
                                                  memory_order_acquire))
        ;
}

void fence_close(fence_t *f)
{
    atomic_store_explicit(&f->deadline_ns, CLOSED, memory_order_release);
}

void fence_close_gate(fence_t *f)
{
    atomic_store_explicit(&f->gate_closed, true, memory_order_release);
}
