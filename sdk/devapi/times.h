/* SPDX-License-Identifier: Apache-2.0 */
/* Times as the API accepts them, and Go's words when it does not. */
#ifndef DEVAPI_TIMES_H
#define DEVAPI_TIMES_H

#include "base/buf.h"

/* True for a valid RFC 3339 time; micro: with exactly six digits of a second (MicroTime). Else
 * appends `parsing time "x" as "...": ...`. */
bool times_check(const char *text, bool micro, buf_t *mistake);

enum { TIMES_SIZE = 32 };
/* A valid time as the API answers it: in UTC, in whole seconds or (micro) with six digits. */
void times_print(const char *text, bool micro, char out[TIMES_SIZE]);

#endif
