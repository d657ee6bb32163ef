/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_clock.h"

#include <stdatomic.h>

static _Atomic int64_t now_ns = FAKE_CLOCK_START;
static _Atomic int64_t wall_ns = FAKE_CLOCK_WALL_START;

int64_t clock_now(void)
{
    return atomic_load(&now_ns);
}

int64_t clock_wall(void)
{
    return atomic_load(&wall_ns);
}

void fake_clock_set(int64_t now)
{
    atomic_store(&now_ns, now);
}

void fake_clock_set_wall(int64_t wall)
{
    atomic_store(&wall_ns, wall);
}

void fake_clock_advance(int64_t ns)
{
    atomic_fetch_add(&now_ns, ns);
    atomic_fetch_add(&wall_ns, ns);
}
