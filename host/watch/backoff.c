/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/backoff.h"

#include "base/base.h"
#include "base/clock.h"
#include "base/rand.h"

#define FIRST (800 * CLOCK_MS)
#define CAP (30 * CLOCK_S)
#define CALM (120 * CLOCK_S)

enum { LAST_STEP = 6 }; /* beyond the cap */

int64_t watch_backoff_next(watch_backoff_t *b, int64_t now)
{
    if (now - b->last > CALM)
        b->step = 0;
    int64_t delay = HOST_MIN(FIRST << b->step, CAP);

    b->last = now;
    if (b->step < LAST_STEP)
        b->step++;
    return delay + rand_below(delay);
}
