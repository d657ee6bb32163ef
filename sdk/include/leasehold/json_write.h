/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes JSON text from a printf format in which single quotes stand for double ones:
 *
 *   char *body = lh_json_printf("{'metadata':{'name':'%s'},'spec':{'replicas':%d,'ports':%s}}",
 *                               name, replicas, ports);
 *   ...
 *   free(body);
 *
 * Conversions are %s, %.*s (exactly so many bytes), %d, %ld, %lld and %% (PRId64 is one of them). A %s between quotes is
 * text and is escaped, whatever it holds; a %s outside of quotes is a piece of JSON and must be one
 * well-formed value. So no input can break out of its place. A backslash before it makes a single
 * quote of a single quote. A NULL for %s fails, as what is no JSON does.
 */
#ifndef LEASEHOLD_JSON_WRITE_H
#define LEASEHOLD_JSON_WRITE_H

#include <leasehold/json_scan.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Where text goes; counts on beyond its end, so that a first run with size 0 tells the length. */
typedef struct lh_json_out {
    char *text;
    size_t size, len;
    int quoted, failed;
} lh_json_out_t;

/* Appends bytes as they are. [any-thread] */
static inline void lh_json_put_(lh_json_out_t *out, const char *text, size_t len)
{
    if (out->len < out->size)
        memcpy(out->text + out->len, text, len < out->size - out->len ? len : out->size - out->len);
    out->len += len;
}

/* Appends bytes as the inside of a JSON string. [any-thread] */
static inline void lh_json_put_escaped_(lh_json_out_t *out, const char *text, size_t len)
{
    char escape[8];

    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char) text[i];
        if (c == '"' || c == '\\')
            lh_json_put_(out, "\\", 1);
        if (c >= 0x20) {
            lh_json_put_(out, text + i, 1);
        } else {
            (void) snprintf(escape, sizeof(escape), "\\u%04x", c);
            lh_json_put_(out, escape, 6);
        }
    }
}

/* Appends the string of a %s: escaped between quotes, else a value of its own. [any-thread] */
static inline void lh_json_put_string_(lh_json_out_t *out, const char *text, size_t len)
{
    if (text == NULL) {
        out->failed = 1;
        return;
    }
    if (out->quoted) {
        lh_json_put_escaped_(out, text, len);
        return;
    }
    const char *const end = lh_json_skip_(text, text + len);
    if (end == NULL || lh_json_space_(end, text + len) != text + len)
        out->failed = 1;
    lh_json_put_(out, text, len);
}

/* Appends what the conversion at *format (behind '%') asks for. [any-thread] */
static inline void lh_json_convert_(lh_json_out_t *out, const char **format, va_list *args)
{
    static const char *const names[] = {"%", "s", ".*s", "d", "ld", "lld"};
    char number[24];
    size_t i = 0;
    const char *text;
    int max;

    while (i < 6 && strncmp(*format, names[i], strlen(names[i])) != 0)
        i++;
    if (i == 6) { /* the types of what follows are unknown: nothing can be taken from args */
        out->failed = 1;
        *format += strlen(*format);
        return;
    }
    *format += strlen(names[i]);
    switch (i) {
    case 0:
        lh_json_put_(out, "%", 1);
        return;
    case 1:
        text = va_arg(*args, const char *);
        lh_json_put_string_(out, text, text != NULL ? strlen(text) : 0);
        return;
    case 2:
        max = va_arg(*args, int);
        text = va_arg(*args, const char *);
        lh_json_put_string_(out, text, max > 0 ? (size_t) max : 0);
        return;
    case 3:
        (void) snprintf(number, sizeof(number), "%d", va_arg(*args, int));
        break;
    case 4:
        (void) snprintf(number, sizeof(number), "%ld", va_arg(*args, long));
        break;
    default:
        (void) snprintf(number, sizeof(number), "%lld", va_arg(*args, long long));
        break;
    }
    lh_json_put_(out, number, strlen(number));
}

/* One run over the format. [any-thread] */
static inline void lh_json_run_(lh_json_out_t *out, const char *format, va_list *args)
{
    while (*format != '\0' && !out->failed) {
        const char c = *format++;
        if (c == '%') {
            lh_json_convert_(out, &format, args);
        } else if (c == '\'') {
            out->quoted = !out->quoted;
            lh_json_put_(out, "\"", 1);
        } else {
            lh_json_put_(out, c == '\\' && *format == '\'' ? format++ : &c, 1);
        }
    }
}

/* JSON text, terminated; NULL when memory is out, the format is none of the above, or a %s outside
 * of quotes is no JSON. Caller owns, free with free(). [any-thread] */
__attribute__((format(printf, 1, 2))) static inline char *lh_json_printf(const char *format, ...)
{
    lh_json_out_t out = {NULL, 0, 0, 0, 0};
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    lh_json_run_(&out, format, &args);
    va_end(args);
    if (!out.failed && !out.quoted)
        out.text = (char *) malloc(out.len + 1);
    if (out.text != NULL) {
        out.size = out.len;
        out.len = 0;
        lh_json_run_(&out, format, &again);
        out.text[out.len] = '\0';
    }
    va_end(again);
    return out.text;
}

#endif
