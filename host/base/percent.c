/* SPDX-License-Identifier: Apache-2.0 */
#include "base/percent.h"

int percent_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(char *s, bool plus_is_space)
{
    char *to = s;

    for (; *s != '\0'; s++) {
        char c = *s;

        if (c == '%') {
            const int high = percent_hex(s[1]);
            const int low = high >= 0 ? percent_hex(s[2]) : -1;

            if (low < 0 || (high == 0 && low == 0))
                return false;
            c = (char) (high << 4 | low);
            s += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}
