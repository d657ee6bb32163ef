/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

void clock_format(int64_t wall, char out[32])
{
    int64_t s = wall / CLOCK_S;
    int64_t ns = wall % CLOCK_S;

    if (ns < 0) {
        s--;
        ns += CLOCK_S;
    }
    time_t seconds = (time_t) s;
    struct tm tm = {0};

    /* An int64_t of nanoseconds ends in the year 2262, so this cannot fail and fits. */
    gmtime_r(&seconds, &tm);
    size_t len = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);

    snprintf(out + len, 32 - len, ".%06dZ", (int) (ns / CLOCK_US));
}
