/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/times.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* One piece of the layout: digits, or a text of its own. */
typedef struct piece {
    const char *name; /* as messages say it */
    size_t digits;    /* 0: the text itself */
    int min, max;
    const char *range; /* "month"; NULL: any */
} piece_t;

static const piece_t pieces[] = {
    {"2006", 4, 0, 9999, NULL}, {"-", 0, 0, 0, NULL},       {"01", 2, 1, 12, "month"},
    {"-", 0, 0, 0, NULL},       {"02", 2, 1, 31, "day"},    {"T", 0, 0, 0, NULL},
    {"15", 2, 0, 23, "hour"},   {":", 0, 0, 0, NULL},       {"04", 2, 0, 59, "minute"},
    {":", 0, 0, 0, NULL},       {"05", 2, 0, 59, "second"},
};

static bool all_digits(const char *s, size_t n)
{
    return strspn(s, "0123456789") >= n;
}

/* The number of the first n digits. */
static int number(const char *s, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++)
        value = value * 10 + (s[i] - '0');
    return value;
}

/* Takes one piece; false with *range set when it is out of range, NULL when it cannot be read. */
static bool take(const piece_t *piece, const char **at, int *value, const char **range)
{
    *range = NULL;
    if (piece->digits == 0) {
        if (**at != piece->name[0])
            return false;
        *at += 1;
        return true;
    }
    if (!all_digits(*at, piece->digits))
        return false;
    *value = number(*at, piece->digits);
    *at += piece->digits;
    if (*value < piece->min || *value > piece->max) {
        *range = piece->range;
        return false;
    }
    return true;
}

/* Z, or an offset such as +02:00. */
static bool take_zone(const char **at)
{
    const char *p = *at;

    if (*p == 'Z') {
        *at += 1;
        return true;
    }
    if ((*p != '+' && *p != '-') || !all_digits(p + 1, 2) || p[3] != ':' || !all_digits(p + 4, 2))
        return false;
    *at += 6;
    return true;
}

static bool take_fraction(const char **at, bool micro)
{
    size_t digits;

    if (**at != '.')
        return !micro;
    digits = strspn(*at + 1, "0123456789");
    if (micro ? digits < 6 : digits == 0)
        return false;
    *at += 1 + (micro ? 6 : digits);
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

bool times_check(const char *text, bool micro, buf_t *mistake)
{
    const char *at = text, *range = NULL, *wanted = NULL;
    int values[HOST_LEN(pieces)] = {0};

    for (size_t i = 0; i < HOST_LEN(pieces) && wanted == NULL && range == NULL; i++) {
        if (!take(&pieces[i], &at, &values[i], &range) && range == NULL)
            wanted = pieces[i].name;
    }
    if (wanted == NULL && range == NULL && !take_fraction(&at, micro))
        wanted = ".000000";
    if (wanted == NULL && range == NULL && !take_zone(&at))
        wanted = "Z07:00";
    if (wanted == NULL && range == NULL && *at == '\0' && values[4] > days_in(values[0], values[2]))
        range = "day";
    if (wanted == NULL && range == NULL && *at == '\0')
        return true;
    buf_printf(mistake, "parsing time \"%s\"", text);
    if (range != NULL)
        buf_printf(mistake, ": %s out of range", range);
    else if (wanted == NULL)
        buf_printf(mistake, ": extra text: \"%s\"", at);
    else
        buf_printf(mistake, " as \"2006-01-02T15:04:05%sZ07:00\": cannot parse \"%s\" as \"%s\"",
                   micro ? ".000000" : "", at, wanted);
    return false;
}

void times_print(const char *text, bool micro, char out[TIMES_SIZE])
{
    enum { ZONE_LEN = 6 }; /* "+02:00" */
    const size_t len = strlen(text);
    struct tm tm = {0};
    const char *fraction = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    size_t end;
    time_t at = timegm(&tm);

    if (text[len - 1] != 'Z') {
        const char *zone = text + len - ZONE_LEN;
        const int offset = 3600 * number(zone + 1, 2) + 60 * number(zone + 4, 2);

        at -= *zone == '-' ? -offset : offset;
    }
    gmtime_r(&at, &tm);
    end = strftime(out, TIMES_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + end, TIMES_SIZE - end, micro ? "%.7sZ" : "Z", fraction);
}
