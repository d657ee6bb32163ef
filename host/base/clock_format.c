/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True when text begins with a digit for each '0' of the pattern, and the like for all else. */
static bool fits(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++) {
        if (*pattern == '0' ? !is_digit(*text) : *text != *pattern)
            return false;
    }
    return true;
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Takes "Z" or "+02:00" to the end of text, in seconds east of Greenwich. */
static bool parse_zone(const char *text, int64_t *east)
{
    *east = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    if ((text[0] != '+' && text[0] != '-') || !fits(text + 1, "00:00") || text[6] != '\0' ||
        two_digits(text + 1) > 23 || two_digits(text + 4) > 59)
        return false;
    *east = INT64_C(60) * (two_digits(text + 1) * 60 + two_digits(text + 4));
    if (text[0] == '-')
        *east = -*east;
    return true;
}

bool clock_parse(const char *text, int64_t *wall)
{
    struct tm tm = {0};
    int64_t fraction = 0, unit = CLOCK_S, east;

    if (!fits(text, "0000-00-00T00:00:00"))
        return false;
    const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (at != text + strlen("0000-00-00T00:00:00"))
        return false;
    if (*at == '.' && is_digit(at[1])) {
        for (at++; is_digit(*at); at++) {
            unit /= 10;
            fraction += unit * (*at - '0');
        }
    }
    const int day = tm.tm_mday;
    const time_t seconds = timegm(&tm);

    if (tm.tm_mday != day || !parse_zone(at, &east)) /* timegm makes 1 March of 30 February */
        return false;
    if (seconds < 0 || seconds - east >= CLOCK_NEVER / CLOCK_S)
        *wall = seconds < 0 ? 0 : CLOCK_NEVER;
    else
        *wall = (seconds - east) * CLOCK_S + fraction;
    return true;
}
