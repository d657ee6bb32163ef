/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is an object already as it is wanted? Compares what a controller wants with what is there, and
 * ignores everything else: fields that the API server filled in, and other people's. Or, with
 * lh_json_same(), nothing.
 */
#ifndef LEASEHOLD_JSON_COVERS_H
#define LEASEHOLD_JSON_COVERS_H

#include <leasehold/json.h>

/* 1 when two quoted strings decode to the same text. [any-thread] */
static inline int lh_json_same_string_(lh_json_t a, lh_json_t b)
{
    const char *p = a.text + 1, *q = b.text + 1;
    char c[4], d[4];

    for (;;) {
        const int m = lh_json_char_(&p, a.text + a.len, c);
        const int n = lh_json_char_(&q, b.text + b.len, d);
        if (m != n || m < 0 || memcmp(c, d, (size_t) m) != 0)
            return 0;
        if (m == 0)
            return 1;
    }
}

/* 1 when two scalars are equal; 1 and 1.0 are. [any-thread] */
static inline int lh_json_same_scalar_(lh_json_t a, lh_json_t b)
{
    double c, d;

    if (lh_json_type(a) == 's')
        return lh_json_same_string_(a, b);
    if (a.len == b.len && memcmp(a.text, b.text, a.len) == 0)
        return 1;
    /* whole numbers too big for a double are compared as text only */
    return lh_json_double(a, "", &c) == 0 && lh_json_double(b, "", &d) == 0 &&
           (a.len < 16 || b.len < 16) && c == d;
}

/* The member of an object with the quoted name. [any-thread] */
static inline int lh_json_member_of_(lh_json_t object, lh_json_t name, lh_json_t *out)
{
    lh_json_iter_t it = lh_json_each(object);
    lh_json_t other, item;

    while (lh_json_next(&it, &other, &item)) {
        if (lh_json_same_string_(name, other)) {
            *out = item;
            return 1;
        }
    }
    return 0;
}

/* lh_json_covers() of values known to be well-formed, so that its depth is bounded.
 * [any-thread] */
static inline int lh_json_covers_(lh_json_t actual, lh_json_t wanted)
{
    const char type = lh_json_type(wanted);
    lh_json_iter_t want = lh_json_each(wanted), have = lh_json_each(actual);
    lh_json_t name, item, other_name, other;

    if (lh_json_type(actual) != type)
        return 0;
    if (type == '{') {
        while (lh_json_next(&want, &name, &item)) {
            const int found = lh_json_member_of_(actual, name, &other);
            if (lh_json_type(item) == 'n' ? found && lh_json_type(other) != 'n'
                                          : !found || !lh_json_covers_(other, item))
                return 0;
        }
        return 1;
    }
    if (type == '[') {
        while (lh_json_next(&want, &name, &item)) {
            if (!lh_json_next(&have, &other_name, &other) || !lh_json_covers_(other, item))
                return 0;
        }
        return !lh_json_next(&have, &other_name, &other);
    }
    return lh_json_same_scalar_(wanted, actual);
}

/*
 * 1 when everything in wanted is in actual too: objects may have more members, those within arrays
 * included, since the server adds defaults; arrays must have as many items, each covered; a null
 * means "absent". 0 when something is missing or differs, or a text is malformed. What others have
 * added to an object is not seen, so it is not undone either. [any-thread]
 */
static inline int lh_json_covers(lh_json_t actual, lh_json_t wanted)
{
    return lh_json_at(actual, "", &actual) == 0 && lh_json_at(wanted, "", &wanted) == 0 &&
           lh_json_covers_(actual, wanted);
}

/* 1 when each member and item of a is in b too, 0 otherwise; of values known to be well-formed.
 * [any-thread] */
static inline int lh_json_same_(lh_json_t a, lh_json_t b)
{
    const char type = lh_json_type(a);
    lh_json_iter_t it = lh_json_each(a), other = lh_json_each(b);
    lh_json_t name, item, other_name, match;
    int more = 1;

    if (lh_json_type(b) != type)
        return 0;
    if (type != '{' && type != '[')
        return lh_json_same_scalar_(a, b);
    while (lh_json_next(&it, &name, &item)) {
        more = lh_json_next(&other, &other_name, &match);
        if (!more || (type == '{' && !lh_json_member_of_(b, name, &match)) ||
            !lh_json_same_(item, match))
            return 0;
    }
    return !lh_json_next(&other, &other_name, &match);
}

/* 1 when two values are equal, whatever the order of members and the white space; 0 when they differ
 * or a text is malformed. [any-thread] */
static inline int lh_json_same(lh_json_t a, lh_json_t b)
{
    return lh_json_at(a, "", &a) == 0 && lh_json_at(b, "", &b) == 0 && lh_json_same_(a, b);
}

#endif
