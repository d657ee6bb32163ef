/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/utf8.h"

#include <leasehold/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MIN_CAP = 64 };

static int fail(buf_t *b, int code)
{
    b->failed = true;
    return code;
}

/* Makes room for len more bytes and the terminator. */
static int reserve(buf_t *b, size_t len)
{
    if (b->failed)
        return LH_ENOMEM;
    if (len >= SIZE_MAX / 2 - b->len)
        return fail(b, LH_ENOMEM);
    size_t need = b->len + len;

    if (b->max != 0 && need > b->max)
        return fail(b, LH_ETOOBIG);
    if (need < b->cap)
        return 0;
    size_t cap = HOST_MAX(b->cap * 2, HOST_MAX(need + 1, (size_t) MIN_CAP));

    if (b->max != 0 && cap > b->max)
        cap = b->max + 1;
    char *data = realloc(b->data, cap);

    if (data == NULL)
        return fail(b, LH_ENOMEM);
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return 0;
}

int buf_append(buf_t *b, const void *data, size_t len)
{
    int ret = reserve(b, len);

    if (ret < 0)
        return ret;
    if (len != 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int buf_puts(buf_t *b, const char *s)
{
    return buf_append(b, s, strlen(s));
}

int buf_printf(buf_t *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0)
        return fail(b, LH_ENOMEM);

    int ret = reserve(b, (size_t) len);

    if (ret < 0)
        return ret;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t) len + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t) len;
    return 0;
}

/* The escape of c in JSON, NULL when it stands for itself. */
static const char *json_escape(unsigned char c, char out[8])
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        if (c >= 0x20 && c != 0x7f)
            return NULL;
        snprintf(out, 8, "\\u%04x", c);
        return out;
    }
}

static int append_json(buf_t *b, const char *s, size_t len)
{
    char hex[8];
    size_t plain = 0; /* bytes before s that are not appended yet */

    for (size_t n; len > 0; s += n, len -= n) {
        n = utf8_char(s, len);
        const char *escape = n == 0 ? UTF8_REPLACEMENT : json_escape((unsigned char) *s, hex);

        if (escape == NULL) {
            plain += n;
            continue;
        }
        n = 1;
        if (buf_append(b, s - plain, plain) < 0)
            return LH_ENOMEM;
        plain = 0;
        if (buf_puts(b, escape) < 0)
            return LH_ENOMEM;
    }
    return buf_append(b, s - plain, plain);
}

int buf_json_string(buf_t *b, const char *s, size_t len)
{
    size_t before = b->len;
    int ret = buf_puts(b, "\"");

    if (ret == 0)
        ret = append_json(b, s, len);
    if (ret == 0)
        ret = buf_puts(b, "\"");
    if (ret < 0 && b->data != NULL) {
        b->len = before;
        b->data[before] = '\0';
    }
    return ret;
}

void buf_printable(buf_t *b, const char *s, size_t len)
{
    while (len > 0) {
        size_t n = utf8_char(s, len);
        unsigned char c = (unsigned char) s[0];

        if (n == 0)
            buf_puts(b, UTF8_REPLACEMENT);
        else if (c == '\n')
            buf_puts(b, "\\n");
        else if (c == '\t')
            buf_puts(b, "\\t");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(b, "\\u%04x", c);
        else if (n == 2 && c == 0xc2 && (unsigned char) s[1] < 0xa0) /* C1 controls */
            buf_printf(b, "\\u%04x", (unsigned char) s[1]);
        else
            buf_append(b, s, n);
        n = HOST_MAX(n, 1u);
        s += n;
        len -= n;
    }
}

char *buf_printable_copy(const char *s)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;

    buf_printable(&b, s, strlen(s));
    return host_xstrdup(buf_text(&b));
}

const char *buf_text(const buf_t *b)
{
    return b->data != NULL ? b->data : "";
}

char *buf_steal(buf_t *b)
{
    char *text = NULL;

    if (reserve(b, 0) == 0) /* an empty text is a text too */
        text = host_steal(b->data);
    buf_fini(b);
    return text;
}

void buf_clear(buf_t *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void buf_fini(buf_t *b)
{
    free(b->data);
    *b = BUF_INIT_MAX(b->max);
}
