/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of the test build, in the place of host/base/clock.c: the judge can step the wall clock. */
#include "base/clock.h"
#include "chaos/seam.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts = {0};

    clock_gettime(id, &ts);
    return (int64_t) ts.tv_sec * CLOCK_S + ts.tv_nsec;
}

static _Thread_local int64_t last;

int64_t clock_now(void)
{
    last = read_clock(CLOCK_BOOTTIME);
    return last;
}

int64_t seam_last_now(void)
{
    return last;
}

int64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME) + atomic_load(&seam_control()->wall_shift);
}
