/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads values out of JSON text by path, without a library and without memory of its own.
 *
 *   lh_json_t site = lh_snapshot_json(host, request->object);
 *   int64_t replicas;
 *   char image[256];
 *   ret = lh_json_int64(site, "/spec/replicas", &replicas);
 *   ret = lh_json_string(site, "/spec/image", image, sizeof(image));
 *
 * Paths are JSON Pointers (RFC 6901: "/a/0/b"; in a name "~1" for a slash and "~0" for a tilde; ""
 * is the value itself). Each read walks the text once: fine for the few fields that a reconcile
 * needs; cjson.h is for more. Of two members with one name the first counts.
 *
 * Codes: LH_ENOTFOUND the path is not there, or null; LH_EINVAL it is of another type, or the
 * pointer is none; LH_ETOOBIG it does not fit; LH_EPARSE the text is no JSON or nested too deep.
 * On failure nothing is written.
 *
 * json_value.h, included here, has lh_json_t, lh_json_at(), lh_json_type() and the walk over
 * objects and arrays; json_write.h makes JSON.
 */
#ifndef LEASEHOLD_JSON_H
#define LEASEHOLD_JSON_H

#include <leasehold/json_value.h>

#include <float.h>
#include <stdlib.h>

/* The value at a path if it has this type ('t' stands for both booleans). [any-thread] */
static inline int lh_json_typed_(lh_json_t value, const char *pointer, char type, lh_json_t *out)
{
    lh_json_t found;
    const int ret = lh_json_at(value, pointer, &found);
    char is;

    if (ret < 0)
        return ret;
    is = lh_json_type(found);
    if (is == 'n')
        return LH_ENOTFOUND;
    if ((is == 'f' ? 't' : is) != type)
        return LH_EINVAL;
    *out = found;
    return 0;
}

/* A string, decoded and terminated, in the caller's buffer of size bytes. LH_EINVAL also when it
 * holds a NUL character. [any-thread] */
static inline int lh_json_string(lh_json_t value, const char *pointer, char *buf, size_t size)
{
    lh_json_t string;
    char out[4];
    size_t len = 0, at = 0;
    int ret = lh_json_typed_(value, pointer, 's', &string), n;
    const char *p;

    if (ret < 0)
        return ret;
    for (p = string.text + 1; (n = lh_json_char_(&p, string.text + string.len, out)) > 0;) {
        if (n == 1 && out[0] == '\0')
            return LH_EINVAL;
        len += (size_t) n;
    }
    if (len >= size)
        return LH_ETOOBIG;
    for (p = string.text + 1; (n = lh_json_char_(&p, string.text + string.len, out)) > 0;) {
        memcpy(buf + at, out, (size_t) n);
        at += (size_t) n;
    }
    buf[len] = '\0';
    return 0;
}

/* A whole number; LH_EINVAL when it has a fraction or an exponent. [any-thread] */
static inline int lh_json_int64(lh_json_t value, const char *pointer, int64_t *out)
{
    lh_json_t number;
    const int ret = lh_json_typed_(value, pointer, '0', &number);
    int64_t n = 0;
    size_t i;

    if (ret < 0)
        return ret;
    const int negative = number.text[0] == '-';
    for (i = (size_t) negative; i < number.len; i++) {
        const int digit = number.text[i] - '0';
        if (digit < 0 || digit > 9)
            return LH_EINVAL;
        if (n < (INT64_MIN + digit) / 10)
            return LH_ETOOBIG;
        n = n * 10 - digit; /* below zero, where there is one number more */
    }
    if (!negative && n == INT64_MIN)
        return LH_ETOOBIG;
    *out = negative ? n : -n;
    return 0;
}

/* Any number of at most 127 characters. [any-thread] */
static inline int lh_json_double(lh_json_t value, const char *pointer, double *out)
{
    lh_json_t number;
    const int ret = lh_json_typed_(value, pointer, '0', &number);
    char text[128];

    if (ret < 0)
        return ret;
    if (number.len >= sizeof(text))
        return LH_ETOOBIG;
    memcpy(text, number.text, number.len);
    text[number.len] = '\0';
    const double n = strtod(text, NULL);
    if (n > DBL_MAX || n < -DBL_MAX)
        return LH_ETOOBIG;
    *out = n;
    return 0;
}

/* 1 or 0 in *out. [any-thread] */
static inline int lh_json_bool(lh_json_t value, const char *pointer, int *out)
{
    lh_json_t found;
    const int ret = lh_json_typed_(value, pointer, 't', &found);

    if (ret < 0)
        return ret;
    *out = found.text[0] == 't';
    return 0;
}

/* 1 when there is a string at the path and it is this text, else 0. [any-thread] */
static inline int lh_json_equals(lh_json_t value, const char *pointer, const char *text)
{
    lh_json_t string;
    char out[4];
    size_t at = 0;
    const size_t len = strlen(text);
    int n;

    if (lh_json_typed_(value, pointer, 's', &string) < 0)
        return 0;
    const char *p = string.text + 1;
    while ((n = lh_json_char_(&p, string.text + string.len, out)) > 0) {
        if (len - at < (size_t) n || memcmp(text + at, out, (size_t) n) != 0)
            return 0;
        at += (size_t) n;
    }
    return n == 0 && at == len;
}

#endif
