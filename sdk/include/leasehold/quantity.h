/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantities of resources: "500m" of a CPU, "1.5Gi" of memory, "1e3"; exact down to a billionth, which
 * is what Kubernetes keeps.
 *
 *   lh_quantity_t memory;
 *   ret = lh_json_quantity(pod, "/spec/containers/0/resources/limits/memory", &memory, err);
 *   bytes = lh_quantity_value(memory);
 */
#ifndef LEASEHOLD_QUANTITY_H
#define LEASEHOLD_QUANTITY_H

#include <leasehold/json.h>

#define LH_QUANTITY_SIZE 40 /* enough for any of them, with its end */

/* How a quantity is written. */
enum {
    LH_QUANTITY_DECIMAL = 0, /* "500m", "2", "3k" */
    LH_QUANTITY_BINARY = 1,  /* "512Mi" */
    LH_QUANTITY_EXPONENT = 2 /* "3e3" */
};

/* whole + nano / 10^9; 0 <= nano < 10^9, so that -0.1 is -1 and 900000000. {0} is 0. */
typedef struct lh_quantity {
    int64_t whole;
    int32_t nano;
    uint32_t form; /* LH_QUANTITY_* */
} lh_quantity_t;

__extension__ typedef __int128 lh_quantity_wide_t_; /* billionths of any quantity, and products */

#define LH_QUANTITY_NANO_ 1000000000

/* As one number of billionths. [any-thread] */
static inline lh_quantity_wide_t_ lh_quantity_nano_(lh_quantity_t q)
{
    return (lh_quantity_wide_t_) q.whole * LH_QUANTITY_NANO_ + q.nano;
}

/* The quotient, rounded away from zero. [any-thread] */
static inline lh_quantity_wide_t_ lh_quantity_divide_(lh_quantity_wide_t_ n, int32_t by)
{
    const lh_quantity_wide_t_ rest = n % by;

    return n / by + (rest > 0) - (rest < 0);
}

/* From billionths. LH_ETOOBIG: beyond 2^63 - 1, either way. [any-thread] */
static inline int lh_quantity_of_(lh_quantity_wide_t_ nano, lh_quantity_t *out)
{
    const lh_quantity_wide_t_ limit = (lh_quantity_wide_t_) INT64_MAX * LH_QUANTITY_NANO_;
    const int32_t part = (int32_t) (nano % LH_QUANTITY_NANO_);

    if (nano > limit || nano < -limit)
        return LH_ETOOBIG;
    out->whole = (int64_t) (nano / LH_QUANTITY_NANO_) - (part < 0);
    out->nano = part < 0 ? part + LH_QUANTITY_NANO_ : part;
    return 0;
}

/* The power of ten or 1024 that a suffix stands for, and the form. LH_EPARSE: none. [any-thread] */
static inline int lh_quantity_suffix_(const char *p, int *power, uint32_t *form)
{
    static const char decimal[] = "num kMGTPE", binary[] = "KMGTPE";
    const char *at;
    int n = 0;

    *power = 0;
    *form = LH_QUANTITY_DECIMAL;
    if (*p == '\0')
        return 0;
    if (p[1] == '\0' && *p != ' ' && (at = strchr(decimal, *p)) != NULL) {
        *power = (int) (at - decimal) * 3 - 9;
        return 0;
    }
    if (p[1] == 'i' && p[2] == '\0' && (at = strchr(binary, *p)) != NULL) {
        *power = (int) (at - binary) + 1;
        *form = LH_QUANTITY_BINARY;
        return 0;
    }
    const int negative = p[1] == '-';
    const char *digit = p + 1 + (p[1] == '-' || p[1] == '+');
    if ((*p != 'e' && *p != 'E') || *digit == '\0')
        return LH_EPARSE;
    for (; *digit >= '0' && *digit <= '9'; digit++)
        n = n < 1000 ? n * 10 + (*digit - '0') : n;
    *power = negative ? -n : n;
    *form = LH_QUANTITY_EXPONENT;
    return *digit == '\0' ? 0 : LH_EPARSE;
}

/* Multiplies by 10 or 1024 so often, or divides by 10; *rest: something was lost. LH_ETOOBIG.
 * [any-thread] */
static inline int lh_quantity_scale_(lh_quantity_wide_t_ *n, int by, int times, int *rest)
{
    const lh_quantity_wide_t_ limit = (lh_quantity_wide_t_) INT64_MAX * INT64_MAX;

    for (; times > 0 && *n != 0; times--) {
        if (*n > limit / by)
            return LH_ETOOBIG;
        *n *= by;
    }
    for (; times < 0 && *n != 0; times++) {
        *rest = *rest || *n % by != 0;
        *n /= by;
    }
    return 0;
}

/* The digits at *p with a point, as a whole number, and how many were behind the point; *rest: those
 * beyond 18 were lost. [any-thread] */
static inline int lh_quantity_digits_(const char **p, lh_quantity_wide_t_ *n, int *behind,
                                      int *rest)
{
    const lh_quantity_wide_t_ limit = (lh_quantity_wide_t_) INT64_MAX * INT64_MAX / 10 - 9;
    int point = 0, digits = 0;

    for (; (**p >= '0' && **p <= '9') || (**p == '.' && !point); (*p)++) {
        if (**p == '.') {
            point = 1;
            continue;
        }
        digits++;
        if (point && *behind == 18) {
            *rest = *rest || **p != '0';
            continue;
        }
        if (*n > limit)
            return LH_ETOOBIG;
        *n = *n * 10 + (**p - '0');
        *behind += point;
    }
    return digits > 0 ? 0 : LH_EPARSE;
}

/* Reads a quantity; what is less than a billionth is rounded away from zero. LH_EPARSE: it is none;
 * LH_ETOOBIG: beyond 2^63 - 1, either way. [any-thread] */
static inline int lh_quantity_parse(const char *text, lh_quantity_t *out, lh_error_t *err)
{
    const char *p = text + (*text == '-' || *text == '+');
    lh_quantity_wide_t_ n = 0;
    lh_quantity_t q = {0, 0, LH_QUANTITY_DECIMAL};
    int behind = 0, rest = 0, power = 0;
    int ret = lh_quantity_digits_(&p, &n, &behind, &rest);

    if (ret == 0)
        ret = lh_quantity_suffix_(p, &power, &q.form);
    if (ret == 0 && q.form == LH_QUANTITY_BINARY) {
        ret = lh_quantity_scale_(&n, 1024, power, &rest);
        power = 0;
    }
    if (ret == 0)
        ret = lh_quantity_scale_(&n, 10, power - behind + 9, &rest);
    if (ret == 0)
        ret = lh_quantity_of_((*text == '-' ? -1 : 1) * (n + rest), &q);
    if (ret < 0)
        return lh_errorf(err, ret, "'%.64s' is %s", text,
                         ret == LH_EPARSE ? "no quantity such as \"500m\" or \"1.5Gi\""
                                          : "too big a quantity");
    *out = q;
    return 0;
}

/* The quantity at a path of an object, written as a string or a number. LH_ENOTFOUND, LH_EINVAL and
 * the codes above. [any-thread] */
static inline int lh_json_quantity(lh_json_t value, const char *pointer, lh_quantity_t *out,
                                   lh_error_t *err)
{
    char text[64];
    lh_json_t found;
    int ret = lh_json_string(value, pointer, text, sizeof(text));

    if (ret == LH_EINVAL && lh_json_typed_(value, pointer, '0', &found) == 0 &&
        found.len < sizeof(text)) {
        (void) snprintf(text, sizeof(text), "%.*s", (int) found.len, found.text);
        ret = 0;
    }
    return ret == 0 ? lh_quantity_parse(text, out, err)
                    : lh_errorf(err, ret, "%s: %s", pointer, lh_strerror(ret));
}

#endif
