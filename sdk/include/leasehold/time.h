/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as Kubernetes writes them: RFC 3339, "2026-02-03T04:05:06Z" (metadata, conditions) or with
 * six digits of a second (Leases, Events); durations as Go writes them ("1h30m").
 *
 * In C they are nanoseconds: a time since 1970 in UTC, so from 1677 to 2262, a duration as such. A
 * time of the wall is not lh_now(), which is the clock to measure with.
 */
#ifndef LEASEHOLD_TIME_H
#define LEASEHOLD_TIME_H

#include <leasehold/json.h>

#include <time.h>

#define LH_MILLISECOND INT64_C(1000000) /* in nanoseconds, the unit of every duration */
#define LH_SECOND INT64_C(1000000000)
#define LH_MINUTE (60 * LH_SECOND)
#define LH_HOUR (60 * LH_MINUTE)

#define LH_TIME_SIZE 48 /* enough for a time of either form, with its end */

/* Days since 1970-01-01 of a day of the Gregorian calendar. [any-thread] */
static inline int64_t lh_time_days_(int64_t year, int month, int day)
{
    const int64_t y =
        month > 2 ? year : year - 1; /* it begins in March, so that leap days end it */
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t of_era = y - era * 400;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + in_year - 719468;
}

/* The number of `count` digits at *p, which moves behind them and then behind `then`; -1 when it is
 * none or not followed by it. [any-thread] */
static inline int lh_time_digits_(const char **p, int count, char then)
{
    int n = 0;

    for (int i = 0; i < count; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        n = n * 10 + (**p - '0');
    }
    if (then != '\0' && *(*p)++ != then)
        return -1;
    return n;
}

/* The nanoseconds of a fraction at *p, which moves behind it; more than nine digits are cut.
 * [any-thread] */
static inline int64_t lh_time_fraction_(const char **p)
{
    int64_t ns = 0, unit = LH_SECOND;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        unit /= 10;
        ns += (**p - '0') * unit;
    }
    return ns;
}

/* The offset from UTC at *p in seconds, which moves behind it; -1: none. [any-thread] */
static inline int lh_time_offset_(const char **p, int64_t *out)
{
    const char sign = *(*p)++;

    *out = 0;
    if (sign == 'Z')
        return 0;
    if (sign != '+' && sign != '-')
        return -1;
    const int hours = lh_time_digits_(p, 2, ':');
    const int minutes = hours >= 0 ? lh_time_digits_(p, 2, '\0') : -1;
    if (hours > 23 || minutes < 0 || minutes > 59)
        return -1;
    *out = (hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    return 0;
}

/* The days of a date at *p, which moves behind its 'T'; LH_EPARSE: none. [any-thread] */
static inline int lh_time_date_(const char **p, int64_t *days)
{
    const int year = lh_time_digits_(p, 4, '-');
    const int month = year >= 0 ? lh_time_digits_(p, 2, '-') : -1;
    const int day = month >= 1 && month <= 12 ? lh_time_digits_(p, 2, 'T') : -1;

    if (day < 1)
        return LH_EPARSE;
    *days = lh_time_days_(year, month, day);
    return *days < lh_time_days_(month < 12 ? year : year + 1, month < 12 ? month + 1 : 1, 1)
               ? 0
               : LH_EPARSE;
}

/* The seconds of a day at *p, which moves behind them; -1: none. [any-thread] */
static inline int lh_time_of_day_(const char **p)
{
    const int hour = lh_time_digits_(p, 2, ':');
    const int minute = hour >= 0 ? lh_time_digits_(p, 2, ':') : -1;
    const int second = minute >= 0 ? lh_time_digits_(p, 2, '\0') : -1;

    if (hour > 23 || minute > 59 || second < 0 || second > 59)
        return -1;
    return (hour * 60 + minute) * 60 + second;
}

/* Reads a time of RFC 3339; digits beyond nanoseconds are dropped. LH_EPARSE: it is none; LH_ETOOBIG:
 * before 1678 or after 2261. [any-thread] */
static inline int lh_time_parse(const char *text, int64_t *ns, lh_error_t *err)
{
    const char *p = text;
    int64_t days = 0, fraction = 0, offset = 0;
    const int ret = lh_time_date_(&p, &days);
    const int second = ret == 0 ? lh_time_of_day_(&p) : -1;
    int fine = second >= 0;

    if (fine && *p == '.') {
        p++;
        fine = *p >= '0' && *p <= '9';
        fraction = lh_time_fraction_(&p);
    }
    if (!fine || lh_time_offset_(&p, &offset) < 0 || *p != '\0')
        return lh_errorf(err, LH_EPARSE, "'%.64s' is no time of RFC 3339", text);
    if (days <= lh_time_days_(1678, 1, 1) || days >= lh_time_days_(2262, 1, 1))
        return lh_errorf(err, LH_ETOOBIG, "'%.64s' is too far away", text);
    *ns = (days * 86400 + second - offset) * LH_SECOND + fraction;
    return 0;
}

/* The form of a time; digits: 0 or 6 of a second. [any-thread] */
static inline void lh_time_write_(int64_t ns, int digits, char out[LH_TIME_SIZE])
{
    const int64_t part = ns % LH_SECOND < 0 ? ns % LH_SECOND + LH_SECOND : ns % LH_SECOND;
    const int64_t seconds = ns / LH_SECOND - (ns % LH_SECOND < 0);
    const int second = (int) (seconds % 86400 < 0 ? seconds % 86400 + 86400 : seconds % 86400);
    const int64_t days = (seconds - second) / 86400;
    int year = 1970 + (int) (days >= 0 ? days / 366 : days / 365 - 1), month = 1; /* or later */
    char fraction[16] = "";

    while (lh_time_days_(year + 1, 1, 1) <= days)
        year++;
    while (month < 12 && lh_time_days_(year, month + 1, 1) <= days)
        month++;
    if (digits > 0)
        (void) snprintf(fraction, sizeof(fraction), ".%06d", (int) (part / 1000));
    (void) snprintf(out, LH_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%.7sZ", year, month,
                    (int) (days - lh_time_days_(year, month, 1)) + 1, second / 3600,
                    second / 60 % 60, second % 60, fraction);
}

/* Writes "2026-02-03T04:05:06Z"; parts of a second are dropped. [any-thread] */
static inline void lh_time_print(int64_t ns, char out[LH_TIME_SIZE])
{
    lh_time_write_(ns, 0, out);
}

/* Writes "2026-02-03T04:05:06.789000Z". [any-thread] */
static inline void lh_time_print_micro(int64_t ns, char out[LH_TIME_SIZE])
{
    lh_time_write_(ns, 6, out);
}

/* The time of the wall, which an administrator may set back. [any-thread] */
static inline int64_t lh_time_now(void)
{
    struct timespec now;

    (void) timespec_get(&now, TIME_UTC);
    return now.tv_sec * LH_SECOND + now.tv_nsec;
}

/* The time at a path of an object; codes as in json.h, and LH_EPARSE when it is a string that is no
 * time. [any-thread] */
static inline int lh_json_time(lh_json_t value, const char *pointer, int64_t *ns)
{
    char text[64];
    const int ret = lh_json_string(value, pointer, text, sizeof(text));

    return ret == 0 ? lh_time_parse(text, ns, NULL) : ret == LH_ETOOBIG ? LH_EPARSE : ret;
}

#endif
