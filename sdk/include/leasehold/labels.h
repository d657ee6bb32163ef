/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels and annotations of an object: reading one, and what a label may be.
 *
 *   char team[LH_LABEL_SIZE];
 *   if (lh_label(object, "example.com/team", team, sizeof(team)) == 0)
 *       ...
 */
#ifndef LEASEHOLD_LABELS_H
#define LEASEHOLD_LABELS_H

#include <leasehold/json.h>

#define LH_LABEL_SIZE 64 /* of the longest value of a label, with its end */

/* The value of a member of this name, which is no path, in the object at a path. Codes as in json.h.
 * [any-thread] */
static inline int lh_json_entry_(lh_json_t object, const char *pointer, const char *key, char *buf,
                                 size_t size)
{
    const size_t key_len = strlen(key);
    lh_json_t map, name, item;
    const int ret = lh_json_at(object, pointer, &map);

    if (ret < 0)
        return ret;
    lh_json_iter_t it = lh_json_each(map);
    while (lh_json_next(&it, &name, &item)) {
        const char *p = name.text + 1;
        char out[4];
        size_t at = 0;
        int n;
        while ((n = lh_json_char_(&p, name.text + name.len, out)) > 0) {
            if (key_len - at < (size_t) n || memcmp(key + at, out, (size_t) n) != 0)
                break;
            at += (size_t) n;
        }
        if (n == 0 && at == key_len)
            return lh_json_string(item, "", buf, size);
    }
    return it.code == LH_EPARSE ? LH_EPARSE : LH_ENOTFOUND;
}

/* A label of an object. LH_ENOTFOUND: it has none of this name; others as in json.h. [any-thread] */
static inline int lh_label(lh_json_t object, const char *key, char *buf, size_t size)
{
    return lh_json_entry_(object, "/metadata/labels", key, buf, size);
}

/* An annotation of an object; codes as lh_label(). [any-thread] */
static inline int lh_annotation(lh_json_t object, const char *key, char *buf, size_t size)
{
    return lh_json_entry_(object, "/metadata/annotations", key, buf, size);
}

/* 1 when len bytes are at most max, and letters and digits with one of `inner` between them only.
 * [any-thread] */
static inline int lh_label_is_word_(const char *text, size_t len, size_t max, const char *inner)
{
    static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    for (size_t i = 0; i < len; i++) {
        const int plain = text[i] != '\0' && strchr(alnum, text[i]) != NULL;
        if (!plain && (i == 0 || i + 1 == len || text[i] == '\0' || strchr(inner, text[i]) == NULL))
            return 0;
    }
    return len <= max;
}

/* 1 when the text may be the value of a label. [any-thread] */
static inline int lh_label_value_is_valid(const char *text)
{
    return lh_label_is_word_(text, strlen(text), LH_LABEL_SIZE - 1, "-_.");
}

/* 1 when len bytes are a DNS name: words of lower-case letters, digits and '-' with dots between them.
 * [any-thread] */
static inline int lh_label_is_dns_(const char *text, size_t len)
{
    const char *dot = text;

    for (size_t i = 0; i < len; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z')
            return 0;
    }
    for (size_t left = len; dot != NULL;) {
        dot = (const char *) memchr(text, '.', left);
        const size_t part = dot != NULL ? (size_t) (dot - text) : left;
        if (part == 0 || !lh_label_is_word_(text, part, part, "-"))
            return 0;
        text += part + 1;
        left -= dot != NULL ? part + 1 : part;
    }
    return len <= 253;
}

/* 1 when len bytes may be the key of a label or an annotation. [any-thread] */
static inline int lh_label_is_key_(const char *text, size_t len)
{
    const char *const slash = (const char *) memchr(text, '/', len);

    if (slash != NULL && !lh_label_is_dns_(text, (size_t) (slash - text)))
        return 0;
    const char *const name = slash != NULL ? slash + 1 : text;
    const size_t name_len = len - (size_t) (name - text);
    return name_len > 0 && lh_label_is_word_(name, name_len, 63, "-_.");
}

/* 1 when the text may be the key of a label or an annotation: "team", "example.com/team".
 * [any-thread] */
static inline int lh_label_key_is_valid(const char *text)
{
    return lh_label_is_key_(text, strlen(text));
}

#endif
