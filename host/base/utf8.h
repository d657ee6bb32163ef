/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 where text of unknown origin is printed. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Length of the character that s begins with (1 to 4), 0 when it is not valid UTF-8: overlong,
 * a surrogate, above U+10FFFF, or cut off by len. len is at least 1. [any-thread] */
size_t utf8_char(const char *s, size_t len);

/* The greatest length up to len that does not end inside a character, for text that is cut.
 * [any-thread] */
size_t utf8_cut(const char *s, size_t len);

#endif
