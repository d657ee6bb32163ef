/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below json.h: finds where a JSON value ends, without memory of its own. Plugins use json.h.
 *
 * The text need not be terminated and may be anything: no function reads outside [p, end), and
 * nesting deeper than LH_JSON_DEPTH is refused. The grammar is RFC 8259's.
 */
#ifndef LEASEHOLD_JSON_SCAN_H
#define LEASEHOLD_JSON_SCAN_H

#include <leasehold/json_chars.h>

#define LH_JSON_DEPTH 128

/* The end of the string that begins at p, NULL when there is none. [any-thread] */
static inline const char *lh_json_skip_string_(const char *p, const char *end)
{
    char out[4];
    int n = -1;

    if (p < end && *p == '"') {
        p++;
        do {
            p = lh_json_plain_(p, end);
            n = lh_json_char_(&p, end, out);
        } while (n > 0);
    }
    return n == 0 ? p : NULL;
}

/* The end of the digits at p, NULL when there is none. [any-thread] */
static inline const char *lh_json_digits_(const char *p, const char *end)
{
    const char *const start = p;

    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > start ? p : NULL;
}

/* The end of the number at p, NULL when it is none. [any-thread] */
static inline const char *lh_json_skip_number_(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    p = p < end && *p == '0' ? p + 1 : lh_json_digits_(p, end);
    if (p != NULL && p < end && *p == '.')
        p = lh_json_digits_(p + 1, end);
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = lh_json_digits_(p, end);
    }
    return p;
}

/* The end of the string, number or word at p, NULL when it is none. [any-thread] */
static inline const char *lh_json_skip_scalar_(const char *p, const char *end)
{
    static const char *const words[] = {"true", "false", "null"};

    if (p < end && *p == '"')
        return lh_json_skip_string_(p, end);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t len = strlen(words[i]);
        if ((size_t) (end - p) >= len && memcmp(p, words[i], len) == 0)
            return p + len;
    }
    return lh_json_skip_number_(p, end);
}

/* The value behind a name: p stands behind the name, and may be NULL. NULL when there is no colon.
 * [any-thread] */
static inline const char *lh_json_behind_name_(const char *p, const char *end)
{
    p = p != NULL ? lh_json_space_(p, end) : end;
    return p < end && *p == ':' ? lh_json_space_(p + 1, end) : NULL;
}

/* The value of the next member or item: p stands behind '{', '[' or ','. NULL when the name before
 * it is malformed. [any-thread] */
static inline const char *lh_json_member_(const char *p, const char *end, char closer)
{
    p = lh_json_space_(p, end);
    return closer == ']' ? p : lh_json_behind_name_(lh_json_skip_string_(p, end), end);
}

/* The end of the value at p, whatever it is; NULL when it is malformed. [any-thread] */
static inline const char *lh_json_skip_(const char *p, const char *end)
{
    char closers[LH_JSON_DEPTH];
    size_t depth = 0;

    while (p != NULL) {
        p = lh_json_space_(p, end);
        if (p < end && (*p == '{' || *p == '[')) {
            if (depth == LH_JSON_DEPTH)
                return NULL;
            closers[depth++] = *p == '{' ? '}' : ']';
            p = lh_json_space_(p + 1, end);
            if (p >= end || *p != closers[depth - 1]) {
                p = lh_json_member_(p, end, closers[depth - 1]);
                continue;
            }
        } else {
            p = lh_json_skip_scalar_(p, end);
            if (p == NULL || depth == 0)
                return p;
            p = lh_json_space_(p, end);
        }
        while (p < end && *p == closers[depth - 1]) {
            if (--depth == 0)
                return p + 1;
            p = lh_json_space_(p + 1, end);
        }
        if (p >= end || *p != ',')
            return NULL;
        p = lh_json_member_(p + 1, end, closers[depth - 1]);
    }
    return NULL;
}

#endif
