/* SPDX-License-Identifier: Apache-2.0 */
/* Ages as people read them: package duration's HumanDuration. */
#include "devapi/core_impl.h"

#include <time.h>

/* Whole `big` of `unit`, and what is left in `small`, "3h20m"; without the rest when it is 0. */
static void put_two(buf_t *out, int64_t seconds, int64_t big, char big_unit, int64_t small,
                    char small_unit)
{
    const int64_t rest = seconds % big / small;

    buf_printf(out, "%lld%c", (long long) (seconds / big), big_unit);
    if (rest > 0)
        buf_printf(out, "%lld%c", (long long) rest, small_unit);
}

static void put_duration(buf_t *out, int64_t seconds)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400, YEAR = 365 * 86400 };

    if (seconds < -1)
        buf_puts(out, "<invalid>");
    else if (seconds < 2 * MINUTE)
        buf_printf(out, "%llds", (long long) HOST_MAX(seconds, 0));
    else if (seconds < 10 * MINUTE)
        put_two(out, seconds, MINUTE, 'm', 1, 's');
    else if (seconds < 3 * HOUR)
        buf_printf(out, "%lldm", (long long) seconds / MINUTE);
    else if (seconds < 8 * HOUR)
        put_two(out, seconds, HOUR, 'h', MINUTE, 'm');
    else if (seconds < 48 * HOUR)
        buf_printf(out, "%lldh", (long long) seconds / HOUR);
    else if (seconds < 8 * DAY)
        put_two(out, seconds, DAY, 'd', HOUR, 'h');
    else if (seconds < 2 * YEAR)
        buf_printf(out, "%lldd", (long long) seconds / DAY);
    else if (seconds < 8 * YEAR)
        put_two(out, seconds, YEAR, 'y', DAY, 'd');
    else
        buf_printf(out, "%lldy", (long long) seconds / YEAR);
}

void dev_age_print(const char *time, int64_t now, buf_t *out)
{
    struct tm tm = {0};

    if (strptime(time, "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
        buf_puts(out, "<unknown>");
    else
        put_duration(out, now - (int64_t) timegm(&tm));
}
