/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as metav1.Duration holds them: Go's form, "1h30m", "250ms", "-1.5h", "0". */
#ifndef LEASEHOLD_DURATION_H
#define LEASEHOLD_DURATION_H

#include <leasehold/time.h>

/* The unit at *p in nanoseconds, which moves behind it; 0: none. [any-thread] */
static inline int64_t lh_duration_unit_(const char **p)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {
        {"ns", 1},           {"us", 1000},           {"\xc2\xb5s", 1000}, /* with the micro sign, and with the letter mu */
        {"\xce\xbcs", 1000}, {"ms", LH_MILLISECOND}, {"s", LH_SECOND},    {"m", LH_MINUTE},
        {"h", LH_HOUR}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        const size_t len = strlen(units[i].name);
        if (strncmp(*p, units[i].name, len) == 0) {
            *p += len;
            return units[i].ns;
        }
    }
    return 0;
}

/* One number with its unit at *p, which moves behind it. LH_EPARSE, LH_ETOOBIG. [any-thread] */
static inline int lh_duration_part_(const char **p, int64_t *ns)
{
    const char *const start = *p;
    int64_t whole = 0, fraction = 0, scale = 1;
    int digits = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++, digits++) {
        if (whole > (INT64_MAX - 9) / 10)
            return LH_ETOOBIG;
        whole = whole * 10 + (**p - '0');
    }
    if (**p == '.') {
        for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, digits++) {
            if (scale < INT64_C(1000000000000000)) {
                fraction = fraction * 10 + (**p - '0');
                scale *= 10;
            }
        }
    }
    const int64_t unit = digits > 0 ? lh_duration_unit_(p) : 0;
    if (unit == 0 || *p == start)
        return LH_EPARSE;
    if (whole > (INT64_MAX - unit) / unit)
        return LH_ETOOBIG;
    *ns = whole * unit + (int64_t) ((double) fraction * ((double) unit / (double) scale));
    return 0;
}

/* Reads a duration; what is less than a nanosecond is dropped. LH_EPARSE: it is none; LH_ETOOBIG: more
 * than 292 years. [any-thread] */
static inline int lh_duration_parse(const char *text, int64_t *ns, lh_error_t *err)
{
    const int negative = *text == '-';
    const char *p = text + (*text == '-' || *text == '+');
    int64_t sum = 0, part = 0;
    int ret = *p == '\0' ? LH_EPARSE : 0;

    if (strcmp(p, "0") == 0)
        p++;
    while (ret == 0 && *p != '\0') {
        ret = lh_duration_part_(&p, &part);
        if (ret == 0 && sum > INT64_MAX - part)
            ret = LH_ETOOBIG;
        sum += ret == 0 ? part : 0;
    }
    if (ret == LH_EPARSE)
        return lh_errorf(err, ret, "'%.64s' is no duration such as \"1h30m\"", text);
    if (ret < 0)
        return lh_errorf(err, ret, "'%.64s' is too long a time", text);
    *ns = negative ? -sum : sum;
    return 0;
}

#endif
