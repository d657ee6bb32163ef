/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label selectors in the form of objects (spec.selector of a Deployment: matchLabels and
 * matchExpressions), as text for selector.h and for list requests.
 */
#ifndef LEASEHOLD_LABEL_SELECTOR_H
#define LEASEHOLD_LABEL_SELECTOR_H

#include <leasehold/selector.h>

/* Appends a string without its quotes. [any-thread] */
static inline void lh_selector_put_(lh_json_out_t *out, lh_json_t string)
{
    const char *p = string.text + 1;
    char c[4];
    int n;

    while ((n = lh_json_char_(&p, string.text + string.len, c)) > 0)
        lh_json_put_(out, c, (size_t) n);
    if (n < 0 || lh_json_type(string) != 's')
        out->failed = 1;
}

/* Appends a comma unless it is the first. [any-thread] */
static inline void lh_selector_comma_(lh_json_out_t *out, size_t first)
{
    lh_json_put_(out, ",", out->len > first);
}

/* An item of matchExpressions. [any-thread] */
static inline void lh_selector_put_expression_(lh_json_out_t *out, lh_json_t expression)
{
    const int in = lh_json_equals(expression, "/operator", "In");
    const int not_in = lh_json_equals(expression, "/operator", "NotIn");
    const int absent = lh_json_equals(expression, "/operator", "DoesNotExist");
    lh_json_t key = {"", 0}, values = {"[]", 2}, name, value;

    if ((!in && !not_in && !absent && !lh_json_equals(expression, "/operator", "Exists")) ||
        lh_json_at(expression, "/key", &key) < 0) {
        out->failed = 1;
        return;
    }
    lh_json_put_(out, "!", absent);
    lh_selector_put_(out, key);
    if (!in && !not_in)
        return;
    lh_json_put_(out, in ? " in (" : " notin (", in ? 5 : 8);
    const size_t first = out->len;
    (void) lh_json_at(expression, "/values", &values);
    lh_json_iter_t it = lh_json_each(values);
    while (lh_json_next(&it, &name, &value)) {
        lh_selector_comma_(out, first);
        lh_selector_put_(out, value);
    }
    if (out->len == first)
        out->failed = 1;
    lh_json_put_(out, ")", 1);
}

/*
 * Writes a LabelSelector as text, terminated; the empty one, which matches all, becomes "". LH_EINVAL:
 * it is none; an absent one, which matches nothing, is for the caller to tell. LH_ETOOBIG: more than
 * size bytes. [any-thread]
 */
static inline int lh_selector_print(lh_json_t selector, char *buf, size_t size, lh_error_t *err)
{
    lh_json_out_t out = {buf, size, 0, 0, 0};
    lh_json_t list, name, item;

    if (lh_json_type(selector) != '{')
        return lh_errorf(err, LH_EINVAL, "a label selector that is no object");
    if (lh_json_at(selector, "/matchLabels", &list) == 0) {
        lh_json_iter_t it = lh_json_each(list);
        while (lh_json_next(&it, &name, &item)) {
            lh_selector_comma_(&out, 0);
            lh_selector_put_(&out, name);
            lh_json_put_(&out, "=", 1);
            lh_selector_put_(&out, item);
        }
    }
    if (lh_json_at(selector, "/matchExpressions", &list) == 0) {
        lh_json_iter_t it = lh_json_each(list);
        while (lh_json_next(&it, &name, &item)) {
            lh_selector_comma_(&out, 0);
            lh_selector_put_expression_(&out, item);
        }
    }
    if (out.len >= size)
        return lh_errorf(err, LH_ETOOBIG, "a label selector of %d bytes", (int) out.len);
    buf[out.len] = '\0';
    if (out.failed)
        return lh_errorf(err, LH_EINVAL, "a label selector with a bad expression or value");
    return 0;
}

#endif
