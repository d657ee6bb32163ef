/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below json.h: decodes the strings of a JSON text, character by character. Plugins use json.h.
 *
 * The text need not be terminated and may be anything: no function reads outside [p, end). That
 * strings are UTF-8 is not checked.
 */
#ifndef LEASEHOLD_JSON_CHARS_H
#define LEASEHOLD_JSON_CHARS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first byte that is no white space, or end. [any-thread] */
static inline const char *lh_json_space_(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* The first byte at or behind p that is no plain character of a string: a quote, a backslash or a control
 * character; or end. Takes eight bytes at a time. [any-thread] */
static inline const char *lh_json_plain_(const char *p, const char *end)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    for (; end - p >= 8; p += 8) {
        memcpy(&word, p, sizeof(word));
        const uint64_t quote = word ^ (ones * '"'), backslash = word ^ (ones * '\\');
        /* The lowest bit set is that of the first such byte: a borrow only reaches those behind it. */
        const uint64_t found = (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                                ((word - ones * 0x20) & ~word)) &
                               (ones * 0x80);
        if (found != 0)
            return p + __builtin_ctzll(found) / 8;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char) *p >= 0x20)
        p++;
    return p;
}

/* The value of a hexadecimal digit, -1 when it is none. [any-thread] */
static inline int lh_json_hex_(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits at p as a number, -1 when they are none. [any-thread] */
static inline int32_t lh_json_hex4_(const char *p, const char *end)
{
    int32_t value = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = lh_json_hex_(p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Writes a code point as UTF-8; returns the number of bytes. [any-thread] */
static inline int lh_json_utf8_(uint32_t c, char out[4])
{
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    const int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (int i = n - 1; i > 0; i--) {
        out[i] = (char) (0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char) (lead[n % 5] | c);
    if (n == 1)
        out[0] = (char) c;
    return n;
}

/* The escape after "\u" at *p; a surrogate without its partner becomes U+FFFD. [any-thread] */
static inline int lh_json_unicode_(const char **p, const char *end, char out[4])
{
    const int32_t first = lh_json_hex4_(*p, end);
    uint32_t c = (uint32_t) first;

    if (first < 0)
        return -1;
    *p += 4;
    if (first >= 0xd800 && first <= 0xdfff) {
        c = 0xfffd;
        if (first < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
            const int32_t second = lh_json_hex4_(*p + 2, end);
            if (second >= 0xdc00 && second <= 0xdfff) {
                c = 0x10000 + (((uint32_t) first - 0xd800) << 10) + ((uint32_t) second - 0xdc00);
                *p += 6;
            }
        }
    }
    return lh_json_utf8_(c, out);
}

/* What a backslash before c stands for, '\0' for nothing. [any-thread] */
static inline char lh_json_escaped_(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return '\0';
    }
}

/*
 * Decodes the next character of a string: *p moves on, out gets 1 to 4 bytes. Returns their number,
 * 0 at the closing quote (*p then stands behind it), -1 when the string is malformed. [any-thread]
 */
static inline int lh_json_char_(const char **p, const char *end, char out[4])
{
    char c;

    if (*p >= end || (unsigned char) **p < 0x20)
        return -1;
    c = *(*p)++;
    if (c == '"')
        return 0;
    out[0] = c;
    if (c != '\\')
        return 1;
    if (*p >= end)
        return -1;
    c = *(*p)++;
    if (c == 'u')
        return lh_json_unicode_(p, end, out);
    out[0] = lh_json_escaped_(c);
    return out[0] != '\0' ? 1 : -1;
}

#endif
