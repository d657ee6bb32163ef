/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/error.h"
#include "config/table.h"

#include <string.h>

struct unit {
    const char *name;
    int64_t ns;
};

/* Longer names before those that they begin with. */
static const struct unit units[] = {
    {"h", 3600 * CLOCK_S}, {"ms", CLOCK_MS}, {"m", 60 * CLOCK_S},
    {"s", CLOCK_S},        {"us", CLOCK_US}, {"ns", 1},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add(int64_t *sum, int64_t count, int64_t unit)
{
    int64_t part;

    return !__builtin_mul_overflow(count, unit, &part) && !__builtin_add_overflow(*sum, part, sum);
}

/* "12" or "1.5" times unit; *p moves behind. Digits of the fraction beyond a nanosecond are cut. */
static bool take_number(const char **p, int64_t unit, int64_t *sum)
{
    int64_t whole = 0;
    const char *from = *p;

    for (; is_digit(**p); ++*p) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, **p - '0', &whole))
            return false;
    }
    if (*p == from || !add(sum, whole, unit))
        return false;
    if (**p != '.')
        return true;
    if (!is_digit(*++*p))
        return false;
    for (; is_digit(**p); ++*p) {
        unit /= 10;
        if (!add(sum, **p - '0', unit))
            return false;
    }
    return true;
}

/* The unit behind the number at p; seconds when nothing follows a lone number. */
static const struct unit *unit_after(const char *p)
{
    p += strspn(p, "0123456789.");
    for (size_t i = 0; i < HOST_LEN(units); i++) {
        if (strncmp(p, units[i].name, strlen(units[i].name)) == 0)
            return &units[i];
    }
    return NULL;
}

static bool take_units(const char *p, int64_t *sum)
{
    while (*p != '\0') {
        const struct unit *unit = unit_after(p);

        if (unit == NULL || !take_number(&p, unit->ns, sum) ||
            strncmp(p, unit->name, strlen(unit->name)) != 0)
            return false;
        p += strlen(unit->name);
    }
    return true;
}

/* hh:mm:ss, with a fraction or not. */
static bool take_clock(const char *p, int64_t *sum)
{
    static const int64_t places[] = {3600 * CLOCK_S, 60 * CLOCK_S, CLOCK_S};

    for (size_t i = 0; i < HOST_LEN(places); i++) {
        if (!is_digit(p[0]) || !is_digit(p[1]) || (i > 0 && p[0] > '5'))
            return false;
        if (i == 2)
            return !is_digit(p[2]) && take_number(&p, places[i], sum) && *p == '\0';
        if (p[2] != ':')
            return false;
        (void) add(sum, (p[0] - '0') * 10 + (p[1] - '0'), places[i]);
        p += 3;
    }
    return false;
}

static bool take_seconds(const char *p, int64_t *sum)
{
    return take_number(&p, CLOCK_S, sum) && *p == '\0';
}

int config_duration_parse(const char *text, int64_t *ns, lh_error_t *err)
{
    int64_t sum = 0;
    bool fine;

    if (strchr(text, ':') != NULL)
        fine = take_clock(text, &sum);
    else if (text[strspn(text, "0123456789.")] == '\0')
        fine = take_seconds(text, &sum);
    else
        fine = take_units(text, &sum);
    if (!fine)
        return host_fail(err, LH_EINVAL,
                         "'%.64s' is no duration: write 15s, 500ms, 1m30s or a number of seconds",
                         text);
    *ns = sum;
    return 0;
}

void config_duration_print(int64_t ns, buf_t *out)
{
    static const struct unit order[] = {
        {"h", 3600 * CLOCK_S}, {"m", 60 * CLOCK_S}, {"s", CLOCK_S},
        {"ms", CLOCK_MS},      {"us", CLOCK_US},    {"ns", 1},
    };

    if (ns == 0)
        buf_puts(out, "0s");
    for (size_t i = 0; i < HOST_LEN(order); i++) {
        if (ns >= order[i].ns)
            buf_printf(out, "%lld%s", (long long) (ns / order[i].ns), order[i].name);
        ns %= order[i].ns;
    }
}
