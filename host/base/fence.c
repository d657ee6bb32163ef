/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fence.h"

#include "base/base.h"
#include "base/clock.h"

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the fence must be lock-free");

enum { CLOSED = 0 };

#define MOST_AHEAD CLOCK_S     /* of the wall clock, rule 15 */
#define NOT_COMPARED INT64_MAX /* no offset was given */

fence_t *fence_create(uint64_t term, int64_t deadline_ns)
{
    fence_t *f = host_xcalloc(1, sizeof(*f));

    f->term = term;
    atomic_init(&f->refs, 1);
    atomic_init(&f->gate_closed, false);
    atomic_init(&f->deadline_ns, HOST_MAX(deadline_ns, CLOSED));
    atomic_init(&f->offset_ns, NOT_COMPARED);
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
    /* The offset first: whoever sees that of after a jump sees the suspension that came before it.
     * Then the deadline: read after the clock, a long pause between the two would let an old time
     * stand beside it. BOOTTIME last: a pause before it only makes the wall clock look behind. */
    const int64_t offset = atomic_load_explicit(&f->offset_ns, memory_order_acquire);
    const int64_t deadline = atomic_load_explicit(&f->deadline_ns, memory_order_acquire);
    const int64_t wall = offset != NOT_COMPARED ? clock_wall() : 0;
    const int64_t now = clock_now();

    return deadline > CLOSED && now < deadline &&
           (offset == NOT_COMPARED || wall - now - offset <= MOST_AHEAD);
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

void fence_set_offset(fence_t *f, int64_t offset_ns)
{
    atomic_store_explicit(&f->offset_ns, offset_ns, memory_order_release);
}

void fence_close(fence_t *f)
{
    atomic_store_explicit(&f->deadline_ns, CLOSED, memory_order_release);
}

void fence_close_gate(fence_t *f)
{
    atomic_store_explicit(&f->gate_closed, true, memory_order_release);
}
