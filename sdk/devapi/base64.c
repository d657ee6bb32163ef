/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const char *data, size_t len)
{
    const unsigned char *in = (const unsigned char *) data;
    char *out = malloc((len + 2) / 3 * 4 + 1), *to = out;

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = HOST_MIN(len - i, 3);
        unsigned bits = (unsigned) in[i] << 16 | (n > 1 ? (unsigned) in[i + 1] << 8 : 0) |
                        (n > 2 ? (unsigned) in[i + 2] : 0);

        *to++ = alphabet[bits >> 18];
        *to++ = alphabet[bits >> 12 & 63];
        *to++ = n > 1 ? alphabet[bits >> 6 & 63] : '=';
        *to++ = n > 2 ? alphabet[bits & 63] : '=';
    }
    *to = '\0';
    return out;
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

size_t base64_size(const char *text)
{
    size_t digits = 0;

    for (; *text != '\0'; text++) {
        if (*text != '=' && !is_line_end(*text))
            digits++;
    }
    return digits * 3 / 4;
}

static size_t skip_line_ends(const char *text, size_t at)
{
    while (is_line_end(text[at]))
        at++;
    return at;
}

/* After the digits of the last group: its padding and nothing more. */
static long check_padding(const char *text, size_t at, int digits)
{
    for (; digits < 4; digits++) {
        if (text[at] != '=')
            return (long) at;
        at = skip_line_ends(text, at + 1);
    }
    return text[at] == '\0' ? -1 : (long) at;
}

long base64_mistake(const char *text)
{
    size_t at = skip_line_ends(text, 0);

    while (text[at] != '\0') {
        size_t start = at;
        int digits = 0;

        while (digits < 4 && text[at] != '\0' && strchr(alphabet, text[at]) != NULL) {
            digits++;
            at = skip_line_ends(text, at + 1);
        }
        if (digits == 4)
            continue;
        if (text[at] == '=' && digits >= 2)
            return check_padding(text, at, digits);
        return text[at] == '\0' ? (long) start : (long) at;
    }
    return -1;
}

char *base64_decode(const char *text, size_t len, size_t *out_len)
{
    unsigned bits = 0;
    int digits = 0;
    char *out;
    size_t n = 0;

    if (base64_mistake(text) >= 0)
        return NULL;
    out = malloc(len / 4 * 3 + 4);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < len && text[i] != '='; i++) {
        if (is_line_end(text[i]))
            continue;
        bits = bits << 6 | (unsigned) (strchr(alphabet, text[i]) - alphabet);
        digits++;
        if (digits % 4 != 1)
            out[n++] = (char) (bits >> (digits % 4 == 2 ? 4 : digits % 4 == 3 ? 2 : 0));
    }
    out[n] = '\0';
    *out_len = n;
    return out;
}
