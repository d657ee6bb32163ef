/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_MESSAGE = 8192 };

/* What all logs made from one log_create() share. */
typedef struct log_root {
    int fd;
    enum log_format format;
    _Atomic int level;
    pthread_mutex_t lock; /* lines longer than a pipe's atomic write stay whole */
} log_root_t;

struct log {
    log_root_t *root;
    bool owns_root;
    char *logger; /* the component's name, NULL: none */
    char *fields; /* the bound fields as they stand at the end of a line */
};

log_t *log_create(int fd, enum log_format format, enum log_level level)
{
    log_t *log = host_xcalloc(1, sizeof(*log));

    log->root = host_xcalloc(1, sizeof(*log->root));
    log->root->fd = fd;
    log->root->format = format;
    atomic_init(&log->root->level, (int) level);
    pthread_mutex_init(&log->root->lock, NULL);
    log->owns_root = true;
    log->fields = host_xstrdup("");
    return log;
}

/* Appends s so that it cannot end or forge a line: control characters as \n, \t or \u001b. */
static void append_printable(buf_t *out, const char *s, size_t len)
{
    while (len > 0) {
        size_t n = utf8_char(s, len);
        unsigned char c = (unsigned char) s[0];

        if (n == 0)
            buf_puts(out, UTF8_REPLACEMENT);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c == '\t')
            buf_puts(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u%04x", c);
        else if (n == 2 && c == 0xc2 && (unsigned char) s[1] < 0xa0) /* C1 controls */
            buf_printf(out, "\\u%04x", (unsigned char) s[1]);
        else
            buf_append(out, s, n);
        n = HOST_MAX(n, 1u);
        s += n;
        len -= n;
    }
}

static bool needs_quotes(const char *value)
{
    if (*value == '\0')
        return true;
    for (const char *p = value; *p != '\0'; p++) {
        unsigned char c = (unsigned char) *p;

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
            return true;
    }
    return false;
}

static void append_field(buf_t *out, enum log_format format, const char *key, const char *value)
{
    if (format == LOG_JSON) {
        buf_puts(out, ",");
        buf_json_string(out, key, strlen(key));
        buf_puts(out, ":");
        buf_json_string(out, value, strlen(value));
        return;
    }
    buf_puts(out, " ");
    append_printable(out, key, strlen(key));
    buf_puts(out, "=");
    if (needs_quotes(value))
        buf_json_string(out, value, strlen(value));
    else
        buf_puts(out, value);
}

log_t *log_with(const log_t *parent, const char *key, const char *value)
{
    log_t *log = host_xcalloc(1, sizeof(*log));
    host_cleanup(buf_fini) buf_t fields = BUF_INIT;

    log->root = parent->root;
    buf_puts(&fields, parent->fields);
    if (strcmp(key, "logger") == 0) {
        log->logger = host_xstrdup(value);
    } else {
        log->logger = parent->logger != NULL ? host_xstrdup(parent->logger) : NULL;
        append_field(&fields, log->root->format, key, value);
    }
    log->fields = host_xstrdup(buf_text(&fields));
    return log;
}

void log_destroy(log_t *log)
{
    if (log == NULL)
        return;
    if (log->owns_root) {
        pthread_mutex_destroy(&log->root->lock);
        free(log->root);
    }
    free(log->logger);
    free(log->fields);
    free(log);
}

void log_set_level(log_t *log, enum log_level level)
{
    atomic_store_explicit(&log->root->level, (int) level, memory_order_relaxed);
}

bool log_enabled(const log_t *log, enum log_level level)
{
    return log != NULL &&
           (int) level >= atomic_load_explicit(&log->root->level, memory_order_relaxed);
}

static void format_text(buf_t *line, const log_t *log, enum log_level level, const char *ts,
                        const char *msg, size_t len)
{
    static const char *const names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

    buf_printf(line, "%s %s ", ts, names[level]);
    if (log->logger != NULL) {
        append_printable(line, log->logger, strlen(log->logger));
        buf_puts(line, ": ");
    }
    append_printable(line, msg, len);
    buf_puts(line, log->fields);
    buf_puts(line, "\n");
}

static void format_json(buf_t *line, const log_t *log, enum log_level level, const char *ts,
                        const char *msg, size_t len)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    buf_printf(line, "{\"ts\":\"%s\",\"level\":\"%s\"", ts, names[level]);
    if (log->logger != NULL)
        append_field(line, LOG_JSON, "logger", log->logger);
    buf_puts(line, ",\"msg\":");
    buf_json_string(line, msg, len);
    buf_puts(line, log->fields);
    buf_puts(line, "}\n");
}

static void write_line(log_root_t *root, const char *data, size_t len)
{
    pthread_mutex_lock(&root->lock);
    while (len > 0) {
        ssize_t n = write(root->fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break; /* nobody left to tell */
        data += n;
        len -= (size_t) n;
    }
    pthread_mutex_unlock(&root->lock);
}

void log_write(const log_t *log, enum log_level level, const char *fmt, ...)
{
    char msg[MAX_MESSAGE + 1];
    char ts[32];
    host_cleanup(buf_fini) buf_t line = BUF_INIT;
    int saved = errno; /* callers log between a failure and its strerror() */
    va_list ap;

    if (!log_enabled(log, level))
        return;
    va_start(ap, fmt);
    int n = vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t) n;

    if (len > MAX_MESSAGE)
        len = utf8_cut(msg, MAX_MESSAGE);
    clock_format(clock_wall(), ts);
    if (log->root->format == LOG_JSON)
        format_json(&line, log, level, ts, msg, len);
    else
        format_text(&line, log, level, ts, msg, len);
    if (!line.failed)
        write_line(log->root, line.data, line.len);
    errno = saved;
}
