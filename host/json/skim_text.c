/* SPDX-License-Identifier: Apache-2.0 */
#include "json/skim_ops.h"

#include "base/utf8.h"

#include <endian.h>
#include <string.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES * 0x80)

/* Marks with its high bit each byte of v that is 0. Bytes above the lowest marked one may be marked
 * wrongly, which does not matter: only the lowest is looked at. */
static inline uint64_t zeros(uint64_t v)
{
    return (v - ONES) & ~v & HIGHS;
}

static inline bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

const char *skim_plain(const char *p, const char *end)
{
    uint64_t v;

    while (end - p >= (ptrdiff_t) sizeof(v)) {
        memcpy(&v, p, sizeof(v));
        v = le64toh(v); /* the first byte is the lowest */
        const uint64_t special = zeros(v ^ (ONES * '"')) | zeros(v ^ (ONES * '\\')) | (v & HIGHS) |
                                 ((v - ONES * 0x20) & ~v & HIGHS);

        if (special != 0)
            return p + __builtin_ctzll(special) / 8;
        p += sizeof(v);
    }
    while (p < end && is_plain((unsigned char) *p)) {
        p++;
    }
    return p;
}

const char *skim_string_plain(const char *p, const char *end, bool *escaped)
{
    for (;;) {
        p = skim_plain(p, end);
        if (end - p < 2 || *p != '\\' || !skim_is_short_escape(p[1]))
            return p;
        *escaped = true;
        p += 2;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u; -1 when they are not there. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int d = hex_digit(p[i]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static size_t put_utf8(uint32_t u, char out[4])
{
    if (u < 0x80) {
        out[0] = (char) u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char) (0xc0 | u >> 6);
        out[1] = (char) (0x80 | (u & 0x3f));
        return 2;
    }
    if (u < 0x10000) {
        out[0] = (char) (0xe0 | u >> 12);
        out[1] = (char) (0x80 | (u >> 6 & 0x3f));
        out[2] = (char) (0x80 | (u & 0x3f));
        return 3;
    }
    out[0] = (char) (0xf0 | u >> 18);
    out[1] = (char) (0x80 | (u >> 12 & 0x3f));
    out[2] = (char) (0x80 | (u >> 6 & 0x3f));
    out[3] = (char) (0x80 | (u & 0x3f));
    return 4;
}

/* *p stands after "\u". */
static size_t unicode_escape(const char **p, const char *end, char out[4])
{
    int32_t u = hex4(*p, end);

    if (u < 0)
        return 0;
    *p += 4;
    if (u >= 0xd800 && u < 0xdc00) {
        if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
            return 0;
        const int32_t low = hex4(*p + 2, end);

        if (low < 0xdc00 || low > 0xdfff)
            return 0;
        *p += 6;
        u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
    } else if (u >= 0xdc00 && u < 0xe000) {
        return 0;
    }
    return put_utf8((uint32_t) u, out);
}

/* *p stands after the backslash. */
static size_t escape(const char **p, const char *end, char out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

    if (*p == end)
        return 0;
    const char c = *(*p)++;
    if (c == 'u')
        return unicode_escape(p, end, out);
    const char *at = memchr(from, c, sizeof(from) - 1);

    if (at == NULL)
        return 0;
    out[0] = to[at - from];
    return 1;
}

size_t skim_char(const char **p, const char *end, char out[4])
{
    if (*p == end || (unsigned char) **p < 0x20)
        return 0;
    if (**p == '\\') {
        (*p)++;
        return escape(p, end, out);
    }
    const size_t n = utf8_char(*p, (size_t) (end - *p));

    memcpy(out, *p, n);
    *p += n;
    return n;
}

bool skim_equal(skim_span_t span, const char *s)
{
    const size_t len = strlen(s);
    size_t at = 0;

    if (span.p == NULL)
        return false;
    if (!span.escaped)
        return span.len == len && memcmp(span.p, s, len) == 0;
    for (const char *p = span.p, *end = span.p + span.len; p < end;) {
        char c[4];
        const size_t n = skim_char(&p, end, c);

        if (n == 0 || n > len - at || memcmp(c, s + at, n) != 0)
            return false;
        at += n;
    }
    return at == len;
}

ssize_t skim_copy(skim_span_t span, char *out)
{
    const char *p = span.p, *end = span.p + span.len;
    size_t at = 0;

    if (p == NULL)
        return -1;
    while (p < end) {
        const size_t plain = (size_t) (skim_plain(p, end) - p);

        memcpy(out + at, p, plain);
        at += plain;
        p += plain;
        if (p == end)
            break;
        char c[4];
        const size_t n = skim_char(&p, end, c);

        /* An escape is never shorter than what it stands for, so out is long enough. */
        if (n == 0 || c[0] == '\0')
            return -1;
        memcpy(out + at, c, n);
        at += n;
    }
    out[at] = '\0';
    return (ssize_t) at;
}

char *skim_dup(skim_span_t span)
{
    char *out = span.p != NULL ? malloc(span.len + 1) : NULL;

    if (out != NULL && skim_copy(span, out) < 0) {
        free(out);
        return NULL;
    }
    return out;
}
