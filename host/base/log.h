/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line per message, as text ("2026-01-02T03:04:05.000006Z INFO  elector: text
 * key=value") or as JSON ({"ts","level","logger","msg",...}). The one place of the host that
 * prints. A log carries bound fields; log_with makes a child with one more. The level can be changed
 * while it is used, for all of it and for the named parts of it (log_named) each by itself.
 *
 * A reader that stops reading holds nobody up for longer than 100 ms: after that lines are dropped,
 * and the first one that gets through again is preceded by their number.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

typedef struct log log_t;

/* Writes to fd (borrowed). Caller owns the result, free with log_destroy. */
log_t *log_create(int fd, enum log_format format, enum log_level level);
/* A child of parent with one more field; key "logger" replaces the component's name instead. value
 * is copied. Caller owns the result, free with log_destroy, before the parent. [any-thread] */
log_t *log_with(const log_t *parent, const char *key, const char *value);
/* The same with several fields, none of them "logger". */
typedef struct log_field {
    const char *key, *value;
} log_field_t;
log_t *log_with_fields(const log_t *parent, const log_field_t *fields, size_t count);
/* The same as log_with, and the child and all that is made of it have a level of their own once
 * log_set_level has given one to the name `value`, also before. [any-thread] */
log_t *log_named(const log_t *parent, const char *key, const char *value);
void log_destroy(log_t *log); /* NULL is allowed */

/* The word of a level, and back; -1 for no level. [any-thread] */
const char *log_level_word(enum log_level level);
int log_level_of(const char *word);

#define LOG_LEVEL_WORDS "debug, info, warn, error" /* for texts */

enum { LOG_AS_THE_REST = -1 }; /* of a name: no level of its own */
/* The level of everything without one of its own (name NULL), or of a name, which may also be
 * LOG_AS_THE_REST. [any-thread] */
void log_set_level(const log_t *log, const char *name, int level);
int log_get_level(const log_t *log, const char *name);

bool log_enabled(const log_t *log, enum log_level level); /* [any-thread] */

/* One message; a sentence without a final full stop. Cut after 8 KiB; control characters are
 * escaped. A NULL log prints nothing. [any-thread] */
void log_write(const log_t *log, enum log_level level, const char *fmt, ...) HOST_PRINTF(3, 4);

#define log_debug(log, ...) log_write((log), LOG_DEBUG, __VA_ARGS__)
#define log_info(log, ...) log_write((log), LOG_INFO, __VA_ARGS__)
#define log_warn(log, ...) log_write((log), LOG_WARN, __VA_ARGS__)
#define log_error(log, ...) log_write((log), LOG_ERROR, __VA_ARGS__)

#endif
