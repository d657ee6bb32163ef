/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_MESSAGE = 8192 };

/* How long a line waits for a reader that is behind. Every thread logs, the elector too: when the
 * time is over lines are dropped and counted until somebody reads again. */
enum { PATIENCE_MS = 100 };

/* A name with a level of its own; lives as long as the root. */
typedef struct named_level {
    list_t link;
    _Atomic int level; /* LOG_AS_THE_REST: none */
    char name[];
} named_level_t;

/* What all logs made from one log_create() share. */
typedef struct log_root {
    int fd;
    enum log_format format;
    _Atomic int level;
    bool is_socket;
    int own_fd; /* what fd was opened as once more; -1: fd itself is used */

    pthread_mutex_t lock; /* lines longer than a pipe's atomic write stay whole; all below */
    bool stuck;           /* the last line waited in vain */
    bool torn;            /* it was written in part */
    unsigned long dropped;
    list_t names;
} log_root_t;

struct log {
    log_root_t *root;
    bool owns_root;
    named_level_t *named; /* NULL: the root's level */
    char *logger;         /* the component's name, NULL: none */
    char *fields;         /* the bound fields as they stand at the end of a line */
};

/* Sees to it that a write cannot block even when other processes write to the same pipe. O_NONBLOCK
 * belongs to the open file, which those share, so a pipe is opened once more; a socket has a flag for
 * each write. Everything else is asked by poll() alone. */
static void open_own(log_root_t *root)
{
    char path[32];
    struct stat st;

    root->own_fd = -1;
    if (fstat(root->fd, &st) < 0)
        return;
    root->is_socket = S_ISSOCK(st.st_mode);
    if (!S_ISFIFO(st.st_mode))
        return;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", root->fd);
    root->own_fd =
        open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC); /* may fail: another user's pipe */
}

log_t *log_create(int fd, enum log_format format, enum log_level level)
{
    log_t *log = host_xcalloc(1, sizeof(*log));

    log->root = host_xcalloc(1, sizeof(*log->root));
    log->root->fd = fd;
    log->root->format = format;
    atomic_init(&log->root->level, (int) level);
    list_init(&log->root->names);
    pthread_mutex_init(&log->root->lock, NULL);
    open_own(log->root);
    log->owns_root = true;
    log->fields = host_xstrdup("");
    return log;
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
    buf_printable(out, key, strlen(key));
    buf_puts(out, "=");
    if (needs_quotes(value))
        buf_json_string(out, value, strlen(value));
    else
        buf_puts(out, value);
}

log_t *log_with_fields(const log_t *parent, const log_field_t *fields, size_t count)
{
    log_t *log = host_xcalloc(1, sizeof(*log));
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    log->root = parent->root;
    log->named = parent->named;
    log->logger = parent->logger != NULL ? host_xstrdup(parent->logger) : NULL;
    buf_puts(&text, parent->fields);
    for (size_t i = 0; i < count; i++)
        append_field(&text, log->root->format, fields[i].key, fields[i].value);
    log->fields = host_xstrdup(buf_text(&text));
    return log;
}

log_t *log_with(const log_t *parent, const char *key, const char *value)
{
    const bool is_logger = strcmp(key, "logger") == 0;
    log_t *log = log_with_fields(parent, &(const log_field_t){key, value}, is_logger ? 0 : 1);

    if (is_logger) {
        free(log->logger);
        log->logger = host_xstrdup(value);
    }
    return log;
}

static named_level_t *find_name(log_root_t *root, const char *name)
{
    named_level_t *found = NULL;

    pthread_mutex_lock(&root->lock);
    LIST_EACH (&root->names, it, tmp) {
        named_level_t *n = LIST_ENTRY(it, named_level_t, link);

        if (strcmp(n->name, name) == 0)
            found = n;
    }
    if (found == NULL) {
        found = host_xcalloc(1, sizeof(*found) + strlen(name) + 1);
        memcpy(found->name, name, strlen(name) + 1);
        atomic_init(&found->level, LOG_AS_THE_REST);
        list_append(&root->names, &found->link);
    }
    pthread_mutex_unlock(&root->lock);
    return found;
}

log_t *log_named(const log_t *parent, const char *key, const char *value)
{
    log_t *log = log_with(parent, key, value);

    log->named = find_name(log->root, value);
    return log;
}

static void root_destroy(log_root_t *root)
{
    list_t *node;

    while ((node = list_pop(&root->names)) != NULL)
        free(LIST_ENTRY(node, named_level_t, link));
    pthread_mutex_destroy(&root->lock);
    host_closep(&root->own_fd);
    free(root);
}

void log_destroy(log_t *log)
{
    if (log == NULL)
        return;
    if (log->owns_root)
        root_destroy(log->root);
    free(log->logger);
    free(log->fields);
    free(log);
}

/* -- Levels -- */

static const char *const level_words[] = {"debug", "info", "warn", "error"};

const char *log_level_word(enum log_level level)
{
    return level_words[level];
}

int log_level_of(const char *word)
{
    for (size_t i = 0; i < HOST_LEN(level_words); i++) {
        if (strcmp(level_words[i], word) == 0)
            return (int) i;
    }
    return -1;
}

void log_set_level(const log_t *log, const char *name, int level)
{
    if (name == NULL)
        atomic_store(&log->root->level, level);
    else
        atomic_store(&find_name(log->root, name)->level, level);
}

int log_get_level(const log_t *log, const char *name)
{
    return atomic_load(name == NULL ? &log->root->level : &find_name(log->root, name)->level);
}

bool log_enabled(const log_t *log, enum log_level level)
{
    int lowest = LOG_AS_THE_REST;

    if (log == NULL)
        return false;
    if (log->named != NULL)
        lowest = atomic_load_explicit(&log->named->level, memory_order_relaxed);
    if (lowest == LOG_AS_THE_REST)
        lowest = atomic_load_explicit(&log->root->level, memory_order_relaxed);
    return (int) level >= lowest;
}

static void format_text(buf_t *line, const log_t *log, enum log_level level, const char *ts,
                        const char *msg, size_t len)
{
    static const char *const names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

    buf_printf(line, "%s %s ", ts, names[level]);
    if (log->logger != NULL) {
        buf_printable(line, log->logger, strlen(log->logger));
        buf_puts(line, ": ");
    }
    buf_printable(line, msg, len);
    buf_puts(line, log->fields);
    buf_puts(line, "\n");
}

static void format_json(buf_t *line, const log_t *log, enum log_level level, const char *ts,
                        const char *msg, size_t len)
{
    buf_printf(line, "{\"ts\":\"%s\",\"level\":\"%s\"", ts, log_level_word(level));
    if (log->logger != NULL)
        append_field(line, LOG_JSON, "logger", log->logger);
    buf_puts(line, ",\"msg\":");
    buf_json_string(line, msg, len);
    buf_puts(line, log->fields);
    buf_puts(line, "}\n");
}

/* True when there is room, or something else to learn by writing. */
static bool wait_for_room(const log_root_t *root)
{
    struct pollfd p = {root->own_fd >= 0 ? root->own_fd : root->fd, POLLOUT, 0};

    return poll(&p, 1, root->stuck ? 0 : PATIENCE_MS) != 0;
}

/* Writes what there is room for; as write(), but does not block. */
static ssize_t write_piece(const log_root_t *root, const char *data, size_t len)
{
    if (root->is_socket)
        return send(root->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (root->own_fd >= 0)
        return write(root->own_fd, data, len);
    if (wait_for_room(root))
        return write(root->fd, data, len);
    errno = EAGAIN;
    return -1;
}

/* In pieces that a pipe takes whole. False when there was no room in time. Under the lock. */
static bool write_text(log_root_t *root, const char *data, size_t len)
{
    bool waited = false;

    while (len > 0) {
        const ssize_t n = write_piece(root, data, HOST_MIN(len, (size_t) PIPE_BUF));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && !waited && wait_for_room(root)) {
            waited = true;
            continue;
        }
        root->stuck = n < 0 && errno == EAGAIN;
        if (n < 0)
            return !root->stuck; /* another error: nobody is left to tell */
        waited = false;
        root->torn = (size_t) n < len;
        data += n;
        len -= (size_t) n;
    }
    return true;
}

/* Ends a line that was torn, and says what is missing. */
static bool write_gap(log_root_t *root)
{
    host_cleanup(buf_fini) buf_t line = BUF_INIT;
    char ts[32];

    if (root->torn)
        buf_puts(&line, "\n");
    clock_format(clock_wall(), ts);
    buf_printf(&line,
               root->format == LOG_JSON
                   ? "{\"ts\":\"%s\",\"level\":\"warn\",\"msg\":\"%lu lines were dropped: nobody "
                     "read them\"}\n"
                   : "%s WARN  %lu lines were dropped: nobody read them\n",
               ts, root->dropped);
    if (line.failed || !write_text(root, line.data, line.len))
        return false;
    root->dropped = 0;
    return true;
}

static void write_line(log_root_t *root, const char *data, size_t len)
{
    pthread_mutex_lock(&root->lock);
    if ((root->dropped > 0 && !write_gap(root)) || !write_text(root, data, len))
        root->dropped++;
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
