/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities as numbers and as text again: quantity.h reads them. */
#ifndef LEASEHOLD_QUANTITY_MATH_H
#define LEASEHOLD_QUANTITY_MATH_H

#include <leasehold/quantity.h>

/* The whole number (bytes), rounded away from zero. [any-thread] */
static inline int64_t lh_quantity_value(lh_quantity_t q)
{
    return (int64_t) lh_quantity_divide_(lh_quantity_nano_(q), LH_QUANTITY_NANO_);
}

/* Thousandths (of a CPU), rounded away from zero. LH_ETOOBIG: more than 2^63 - 1 of them.
 * [any-thread] */
static inline int lh_quantity_milli(lh_quantity_t q, int64_t *out)
{
    const lh_quantity_wide_t_ milli = lh_quantity_divide_(lh_quantity_nano_(q), 1000000);

    if (milli > INT64_MAX || milli < -INT64_MAX)
        return LH_ETOOBIG;
    *out = (int64_t) milli;
    return 0;
}

/* Less than 0, 0 or more than 0, as a is less than b, equal or more; how they are written does not
 * count. [any-thread] */
static inline int lh_quantity_compare(lh_quantity_t a, lh_quantity_t b)
{
    const lh_quantity_wide_t_ m = lh_quantity_nano_(a), n = lh_quantity_nano_(b);

    return (m > n) - (m < n);
}

/* *sum += q; a sum of 0 takes the form of q. LH_ETOOBIG: *sum stays. [any-thread] */
static inline int lh_quantity_add(lh_quantity_t *sum, lh_quantity_t q)
{
    if (sum->whole == 0 && sum->nano == 0)
        sum->form = q.form;
    return lh_quantity_of_(lh_quantity_nano_(*sum) + lh_quantity_nano_(q), sum);
}

/* *rest -= q; as lh_quantity_add(). [any-thread] */
static inline int lh_quantity_subtract(lh_quantity_t *rest, lh_quantity_t q)
{
    if (rest->whole == 0 && rest->nano == 0)
        rest->form = q.form;
    return lh_quantity_of_(lh_quantity_nano_(*rest) - lh_quantity_nano_(q), rest);
}

/* Writes digits and suffix of n * 10^power. [any-thread] */
static inline void lh_quantity_decimal_(lh_quantity_wide_t_ n, uint32_t form, char *out)
{
    static const char suffixes[] = "num kMGTPE";
    int power = -9;
    char suffix[8] = "";

    while (n != 0 && n % 10 == 0) {
        n /= 10;
        power++;
    }
    while (power % 3 != 0) {
        n *= 10;
        power--;
    }
    if (form == LH_QUANTITY_EXPONENT && power != 0)
        (void) snprintf(suffix, sizeof(suffix), "e%d", power);
    else if (power != 0)
        (void) snprintf(suffix, sizeof(suffix), "%c", suffixes[power / 3 + 3]);
    if (n > INT64_MAX || n < -INT64_MAX) { /* printf knows no 128 bits */
        const int64_t high = (int64_t) (n / LH_QUANTITY_NANO_);
        const int64_t low = (int64_t) (n % LH_QUANTITY_NANO_);
        (void) snprintf(out, LH_QUANTITY_SIZE, "%lld%09lld%s", (long long) high,
                        (long long) (low < 0 ? -low : low), suffix);
        return;
    }
    (void) snprintf(out, LH_QUANTITY_SIZE, "%lld%s", (long long) n, suffix);
}

/*
 * Writes a quantity in the canonical form of Kubernetes: whole digits with the biggest suffix that needs
 * no point, "1536Mi" for 1.5Gi, "1" for 1000m. The binary form becomes the decimal one below 1024 and
 * where it would lose a fraction. [any-thread]
 */
static inline void lh_quantity_print(lh_quantity_t q, char out[LH_QUANTITY_SIZE])
{
    static const char suffixes[] = "KMGTPE";
    int64_t n = q.whole;
    int times = 0;

    if (n == 0 && q.nano == 0) {
        (void) snprintf(out, LH_QUANTITY_SIZE, "0");
    } else if (q.form != LH_QUANTITY_BINARY || q.nano != 0 || (n < 1024 && n > -1024)) {
        lh_quantity_decimal_(lh_quantity_nano_(q), q.form, out);
    } else {
        for (; n % 1024 == 0; times++)
            n /= 1024;
        if (times == 0)
            (void) snprintf(out, LH_QUANTITY_SIZE, "%lld", (long long) n);
        else
            (void) snprintf(out, LH_QUANTITY_SIZE, "%lld%ci", (long long) n, suffixes[times - 1]);
    }
}

#endif
