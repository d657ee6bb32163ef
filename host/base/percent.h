/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding of URLs (RFC 3986, 2.1). */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include <stdbool.h>

/* The value of a hexadecimal digit; -1: none. [any-thread] */
int percent_hex(char c);

/* Decodes in place; plus_is_space: as in the query of a form. False, with s half done, for what is no
 * text: a bad escape, or %00. [any-thread] */
bool percent_decode(char *s, bool plus_is_space);

#endif
