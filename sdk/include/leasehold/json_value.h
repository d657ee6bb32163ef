/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values inside a text: their type, walks over objects and arrays, and paths. json.h says how
 * paths and codes work.
 */
#ifndef LEASEHOLD_JSON_VALUE_H
#define LEASEHOLD_JSON_VALUE_H

#include <leasehold/error.h>
#include <leasehold/json_scan.h>

/* One value inside a text: no copy, valid as long as the text is. */
typedef struct lh_json {
    const char *text; /* not terminated */
    size_t len;
} lh_json_t;

/* A walk over the members of an object or the items of an array. */
typedef struct lh_json_iter {
    const char *p, *end; /* p: the brace, bracket or comma before the next one */
    char closer;         /* '}' or ']'; '\0' when the walk is over */
    int code;            /* 0, or why it ended early: LH_EINVAL (no container), LH_EPARSE */
} lh_json_iter_t;

/* A text to read from. Borrowed as long as the result is used. [any-thread] */
static inline lh_json_t lh_json_text(const char *text, size_t len)
{
    const lh_json_t value = {text, len};

    return value;
}

/* 's' string, '0' number, 't' true, 'f' false, 'n' null, '{' object, '[' array, '\0' none of these;
 * judged by the first character. [any-thread] */
static inline char lh_json_type(lh_json_t value)
{
    const char *const p = lh_json_space_(value.text, value.text + value.len);
    const char c = p < value.text + value.len ? *p : '\0';

    if (c == '"')
        return 's';
    if (c == '-' || (c >= '0' && c <= '9'))
        return '0';
    return c != '\0' && strchr("tfn{[", c) != NULL ? c : '\0';
}

/*
 * Walks an object or an array; name is empty in an array and a quoted string in an object.
 *   lh_json_iter_t it = lh_json_each(ports);
 *   while (lh_json_next(&it, &name, &port))
 *       ...
 *   if (it.code < 0)
 *       ...
 * [any-thread]
 */
static inline lh_json_iter_t lh_json_each(lh_json_t value)
{
    const char type = lh_json_type(value);
    lh_json_iter_t it = {value.text, value.text + value.len, '\0', LH_EINVAL};

    if (type == '{' || type == '[') {
        it.p = lh_json_space_(it.p, it.end);
        it.closer = type == '{' ? '}' : ']';
        it.code = 0;
    }
    return it;
}

/* 1 with the next member or item, whose value begins at *rest and ends somewhere in it; lh_json_end_()
 * tells where. 0 at the end. [any-thread] */
static inline int lh_json_begin_(lh_json_iter_t *it, lh_json_t *name, lh_json_t *rest)
{
    const char closer = it->closer;

    if (closer == '\0')
        return 0;
    const char *const start = lh_json_space_(it->p + 1, it->end);
    const int empty = *it->p != ',' && start < it->end && *start == closer;
    const char *const named = closer == '}' ? lh_json_skip_string_(start, it->end) : start;
    const char *const from = closer == '}' ? lh_json_behind_name_(named, it->end) : start;
    if (empty || from == NULL) {
        it->closer = '\0';
        it->code = empty ? it->code : LH_EPARSE;
        return 0;
    }
    *name = lh_json_text(start, (size_t) (named - start));
    *rest = lh_json_text(from, (size_t) (it->end - from));
    return 1;
}

/* Cuts the value at its end; 0 when it is malformed. [any-thread] */
static inline int lh_json_end_(lh_json_iter_t *it, lh_json_t *value)
{
    const char closer = it->closer;
    const char *const to = lh_json_skip_(value->text, it->end);
    const char *const then = to != NULL ? lh_json_space_(to, it->end) : it->end;

    it->closer = '\0';
    if (then >= it->end || (*then != ',' && *then != closer)) {
        it->code = LH_EPARSE;
        return 0;
    }
    value->len = (size_t) (to - value->text);
    it->p = then;
    it->closer = *then == ',' ? closer : '\0';
    return 1;
}

/* 1 with the next member or item, 0 at the end. [any-thread] */
static inline int lh_json_next(lh_json_iter_t *it, lh_json_t *name, lh_json_t *value)
{
    return lh_json_begin_(it, name, value) && lh_json_end_(it, value);
}

/* 1 when the quoted string is this pointer token, len bytes with ~0 and ~1. [any-thread] */
static inline int lh_json_is_token_(lh_json_t string, const char *token, size_t len)
{
    const char *p = string.text + 1;
    char out[4];
    size_t at = 0;
    int n;

    while ((n = lh_json_char_(&p, string.text + string.len, out)) > 0) {
        for (int i = 0; i < n; i++) {
            if (at >= len)
                return 0;
            char c = token[at++];
            if (c == '~' && at < len)
                c = token[at++] == '1' ? '/' : '~';
            if (c != out[i])
                return 0;
        }
    }
    return n == 0 && at == len;
}

/* The member or item of value that a pointer token names. When the pointer goes on behind it, all that
 * stands behind its beginning, as only what is found at last is read to its end. [any-thread] */
static inline int lh_json_child_(lh_json_t value, const char *token, size_t len, lh_json_t *out)
{
    lh_json_iter_t it = lh_json_each(value);
    const int is_object = it.closer == '}';
    lh_json_t name, item;
    size_t index = 0;

    for (size_t i = 0; !is_object && i < len; i++) {
        if (token[i] < '0' || token[i] > '9' || len > 9 || (i > 0 && token[0] == '0'))
            return LH_ENOTFOUND;
        index = index * 10 + (size_t) (token[i] - '0');
    }
    while (lh_json_begin_(&it, &name, &item)) {
        const int found = is_object ? lh_json_is_token_(name, token, len) : len > 0 && index-- == 0;
        if (!(found && token[len] == '/') && !lh_json_end_(&it, &item))
            break;
        if (found) {
            *out = item;
            return 0;
        }
    }
    return it.code == LH_EPARSE ? LH_EPARSE : LH_ENOTFOUND;
}

/* The value at a path, a null too; what stands behind it in the text is not looked at.
 * [any-thread] */
static inline int lh_json_at(lh_json_t value, const char *pointer, lh_json_t *out)
{
    const char *const text = lh_json_space_(value.text, value.text + value.len);
    int ret;

    if (*pointer == '\0') {
        const char *const end = lh_json_skip_(text, value.text + value.len);
        if (end == NULL)
            return LH_EPARSE;
        value = lh_json_text(text, (size_t) (end - text));
    }
    while (*pointer != '\0') {
        if (*pointer != '/')
            return LH_EINVAL;
        const size_t len = strcspn(++pointer, "/");
        ret = lh_json_child_(value, pointer, len, &value);
        if (ret < 0)
            return ret;
        pointer += len;
    }
    *out = value;
    return 0;
}

#endif
