/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 as Go's StdEncoding: padded, line ends are skipped. */
#ifndef DEVAPI_BASE64_H
#define DEVAPI_BASE64_H

#include "base/base.h"

/* Caller owns the text; NULL without memory. */
char *base64_encode(const char *data, size_t len);
/* The data, *out_len bytes and a NUL behind them. Caller owns it; NULL when text (NUL-terminated after
 * len) is not valid, or without memory. */
char *base64_decode(const char *text, size_t len, size_t *out_len);
/* Bytes that a valid text stands for. */
size_t base64_size(const char *text);
/* -1 for a valid text, else the offset that Go reports. */
long base64_mistake(const char *text);

#endif
