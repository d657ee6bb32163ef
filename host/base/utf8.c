/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

size_t utf8_char(const char *s, size_t len)
{
    const uint8_t *b = (const uint8_t *) s;
    uint8_t low = 0x80, high = 0xbf; /* bounds of the second byte */
    size_t n;

    if (b[0] < 0x80)
        return 1;
    if (b[0] >= 0xc2 && b[0] <= 0xdf) {
        n = 2;
    } else if (b[0] >= 0xe0 && b[0] <= 0xef) {
        n = 3;
        low = b[0] == 0xe0 ? 0xa0 : 0x80;  /* overlong */
        high = b[0] == 0xed ? 0x9f : 0xbf; /* surrogates */
    } else if (b[0] >= 0xf0 && b[0] <= 0xf4) {
        n = 4;
        low = b[0] == 0xf0 ? 0x90 : 0x80;
        high = b[0] == 0xf4 ? 0x8f : 0xbf; /* above U+10FFFF */
    } else {
        return 0;
    }
    if (len < n || b[1] < low || b[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if (!is_tail(b[i]))
            return 0;
    }
    return n;
}

size_t utf8_cut(const char *s, size_t len)
{
    size_t start = len;

    for (size_t back = 0; back < 4 && start > 0; back++) {
        start--;
        if (!is_tail((uint8_t) s[start]))
            return utf8_char(s + start, len - start) != 0 ? len : start;
    }
    return len; /* not UTF-8 anyway */
}
