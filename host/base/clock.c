/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts = {0};

    clock_gettime(id, &ts); /* cannot fail: both clocks exist on every supported kernel */
    return (int64_t) ts.tv_sec * CLOCK_S + ts.tv_nsec;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}
