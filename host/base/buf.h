/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a limit. Always NUL-terminated when data is not NULL; the terminator
 * is not counted. Errors are sticky: after a failed append every further one fails too, so a caller
 * may check once at the end. Not shared between threads. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

typedef struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* 0: no limit */
    bool failed;
} buf_t;

#define BUF_INIT ((buf_t){0})
#define BUF_INIT_MAX(max_) ((buf_t){.max = (max_)})

/* 0, LH_ENOMEM or LH_ETOOBIG; on failure the content is unchanged. */
int buf_append(buf_t *b, const void *data, size_t len);
int buf_puts(buf_t *b, const char *s);
int buf_printf(buf_t *b, const char *fmt, ...) HOST_PRINTF(2, 3);
/* Appends s as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
int buf_json_string(buf_t *b, const char *s, size_t len);
/* Appends s so that it can neither end nor forge a line, nor speak to a terminal: control characters as
 * \n, \t or \u001b; invalid UTF-8 becomes U+FFFD. For names and texts of unknown origin. */
void buf_printable(buf_t *b, const char *s, size_t len);
/* Such a text alone. Caller owns the result, free with free(). */
char *buf_printable_copy(const char *s);
/* The text ("" when nothing was appended). Borrowed until the next change. */
const char *buf_text(const buf_t *b);
/* Caller owns the text, free with free(); NULL when an append has failed. Leaves b empty. */
char *buf_steal(buf_t *b);
void buf_clear(buf_t *b); /* empties, keeps the memory */
void buf_fini(buf_t *b);  /* frees; b may be used again */

#endif
