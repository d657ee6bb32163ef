/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Formats into out; the result is always terminated and never ends inside a character. */
HOST_PRINTF(3, 0)
static size_t format(char *out, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(out, size, fmt, ap);

    if (n < 0)
        n = 0;
    size_t len = (size_t) n < size ? (size_t) n : utf8_cut(out, size - 1);

    out[len] = '\0';
    return len;
}

void host_error_set(lh_error_t *err, int code, const char *fmt, ...)
{
    char text[sizeof(err->text)]; /* the arguments may point into err */
    va_list ap;

    if (err == NULL)
        return;
    va_start(ap, fmt);
    size_t len = format(text, sizeof(text), fmt, ap);
    va_end(ap);

    err->code = code;
    err->status = 0;
    memcpy(err->text, text, len + 1);
}

int host_error_wrap(lh_error_t *err, int code, const char *fmt, ...)
{
    char text[sizeof(err->text)];
    va_list ap;

    if (err == NULL)
        return code;
    va_start(ap, fmt);
    size_t len = format(text, sizeof(text), fmt, ap);
    va_end(ap);

    size_t room = sizeof(text) - len;
    int n = snprintf(text + len, room, ": %s", err->text);

    if (n > 0)
        len = (size_t) n < room ? len + (size_t) n : utf8_cut(text, sizeof(text) - 1);
    text[len] = '\0';
    err->code = code;
    memcpy(err->text, text, len + 1);
    return code;
}
