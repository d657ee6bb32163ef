/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes JSON text: copies of it with one value put in or taken out.
 *
 *   char *next = lh_json_with(site, "/spec/replicas", "3");
 *   char *none = lh_json_without(site, "/metadata/labels/app.kubernetes.io~1name");
 *
 * Paths are those of json.h. The results are owned by the caller, free with free().
 */
#ifndef LEASEHOLD_JSON_EDIT_H
#define LEASEHOLD_JSON_EDIT_H

#include <leasehold/json.h>
#include <leasehold/json_write.h>

/* A pointer token, decoded, as a quoted name. [any-thread] */
static inline void lh_json_put_token_(lh_json_out_t *out, const char *token, size_t len)
{
    lh_json_put_(out, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        char c = token[i];
        if (c == '~' && i + 1 < len)
            c = token[++i] == '1' ? '/' : '~';
        lh_json_put_escaped_(out, &c, 1);
    }
    lh_json_put_(out, "\"", 1);
}

/* What is to be at pointer where there is nothing yet: objects within objects. [any-thread] */
static inline void lh_json_put_path_(lh_json_out_t *out, const char *pointer, const char *text)
{
    int depth = 0;

    for (; *pointer == '/'; depth++) {
        const size_t len = strcspn(++pointer, "/");
        lh_json_put_(out, "{", 1);
        lh_json_put_token_(out, pointer, len);
        lh_json_put_(out, ":", 1);
        pointer += len;
    }
    lh_json_put_(out, text, strlen(text));
    while (depth-- > 0)
        lh_json_put_(out, "}", 1);
}

/* The copy; text NULL: without. [any-thread] */
static inline void lh_json_put_edited_(lh_json_out_t *out, lh_json_t value, const char *pointer,
                                       const char *text)
{
    const char *const token = pointer + 1;
    const size_t len = *pointer == '/' ? strcspn(token, "/") : 0;
    const char type = lh_json_type(value);
    lh_json_iter_t it = lh_json_each(value);
    lh_json_t name, item, at = {NULL, 0};
    int count = 0;

    if (*pointer == '\0' || type == 'n') {
        lh_json_put_path_(out, text != NULL ? pointer : "", text != NULL ? text : "null");
        return;
    }
    if (*pointer != '/' || it.code < 0) {
        out->failed = 1;
        return;
    }
    (void) lh_json_child_(value, token, len, &at);
    lh_json_put_(out, type == '{' ? "{" : "[", 1);
    while (lh_json_next(&it, &name, &item)) {
        if (item.text == at.text && text == NULL && token[len] == '\0')
            continue;
        lh_json_put_(out, ",", count++ > 0);
        lh_json_put_(out, name.text, name.len);
        lh_json_put_(out, ":", type == '{');
        if (item.text == at.text)
            lh_json_put_edited_(out, item, token + len, text);
        else
            lh_json_put_(out, item.text, item.len);
    }
    if (at.text == NULL && text != NULL) {
        lh_json_put_(out, ",", count > 0);
        if (type == '{') {
            lh_json_put_token_(out, token, len);
            lh_json_put_(out, ":", 1);
        } else if (len != 1 || *token != '-') {
            out->failed = 1;
        }
        lh_json_put_path_(out, token + len, text);
    }
    lh_json_put_(out, type == '{' ? "}" : "]", 1);
    if (it.code < 0)
        out->failed = 1;
}

/* Runs twice: for the length, and for the text. [any-thread] */
static inline char *lh_json_edited_(lh_json_t value, const char *pointer, const char *text)
{
    lh_json_out_t out = {NULL, 0, 0, 0, 0};

    if (lh_json_at(value, "", &value) < 0)
        return NULL;
    lh_json_put_edited_(&out, value, pointer, text);
    if (!out.failed)
        out.text = (char *) malloc(out.len + 1);
    if (out.text != NULL) {
        out.size = out.len;
        out.len = 0;
        lh_json_put_edited_(&out, value, pointer, text);
        out.text[out.len] = '\0';
    }
    return out.text;
}

/*
 * A copy in which the value at a path is this JSON text. Objects that are missing on the way are
 * made; an item of an array is replaced, and "-" at the path's end appends one. NULL when memory is
 * out, a text is no JSON, or the path leads through what is no container. Caller owns, free with
 * free(). [any-thread]
 */
static inline char *lh_json_with(lh_json_t value, const char *pointer, const char *text)
{
    const char *const end = lh_json_skip_(text, text + strlen(text));

    if (end == NULL || *lh_json_space_(end, text + strlen(text)) != '\0')
        return NULL;
    return lh_json_edited_(value, pointer, text);
}

/* A copy without the value at a path, which need not be there. NULL as above. Caller owns, free with
 * free(). [any-thread] */
static inline char *lh_json_without(lh_json_t value, const char *pointer)
{
    return lh_json_edited_(value, pointer, NULL);
}

/* The copy without members that are null; of a value known to be well-formed. [any-thread] */
static inline void lh_json_put_present_(lh_json_out_t *out, lh_json_t value)
{
    const char type = lh_json_type(value);
    lh_json_iter_t it = lh_json_each(value);
    lh_json_t name, item;
    int count = 0;

    if (type != '{' && type != '[') {
        lh_json_put_(out, value.text, value.len);
        return;
    }
    lh_json_put_(out, type == '{' ? "{" : "[", 1);
    while (lh_json_next(&it, &name, &item)) {
        if (type == '{' && lh_json_type(item) == 'n')
            continue;
        lh_json_put_(out, ",", count++ > 0);
        lh_json_put_(out, name.text, name.len);
        lh_json_put_(out, ":", type == '{');
        lh_json_put_present_(out, item);
    }
    lh_json_put_(out, type == '{' ? "}" : "]", 1);
}

/* A copy without members that are null, at any depth: a merge patch made into what it leads to where
 * there was nothing. NULL as above. Caller owns, free with free(). [any-thread] */
static inline char *lh_json_without_nulls(lh_json_t value)
{
    lh_json_out_t out = {NULL, 0, 0, 0, 0};

    if (lh_json_at(value, "", &value) < 0)
        return NULL;
    out.text = (char *) malloc(value.len + 1); /* it only gets shorter */
    if (out.text != NULL) {
        out.size = value.len;
        lh_json_put_present_(&out, value);
        out.text[out.len] = '\0';
    }
    return out.text;
}

#endif
