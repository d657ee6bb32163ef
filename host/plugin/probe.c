/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/probe.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/utf8.h"
#include "plugin/load.h"
#include "plugin/scan.h"
#include "plugin/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_TIME (5 * CLOCK_S)
#define PASSED "passed\n"
enum { TAIL = 256, VERDICT_MAX = 512 };

/* -- The child's side -- */

static void limit(int what, rlim_t value)
{
    struct rlimit now;

    if (getrlimit((__rlimit_resource_t) what, &now) < 0)
        return;
    now.rlim_max = HOST_MIN(now.rlim_max, value);
    now.rlim_cur = now.rlim_max;
    (void) setrlimit((__rlimit_resource_t) what, &now); /* limits are lowered, which may be done */
}

static void set_limits(void)
{
    limit(RLIMIT_CPU, 5);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, 64);
#ifndef LEASEHOLD_SANITIZED /* sanitizers map terabytes that they never touch */
    limit(RLIMIT_AS, (rlim_t) 4 << 30);
#endif
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(2); /* the parent is gone */
}

int plugin_probe_main(const char *path)
{
    /* What the file prints is not the verdict: it goes where errors go. */
    host_cleanup(host_closep) int verdict = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    plugin_module_t *module = NULL;
    lh_error_t err = {0};

    if (verdict < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return 2;
    set_limits();
    if (plugin_module_open(path, NULL, &module, &err) < 0) {
        say(verdict, err.text);
        say(verdict, "\n");
        return 1;
    }
    plugin_module_close(module); /* destructors are tried too */
    say(verdict, PASSED);
    return 0;
}

/* -- The parent's side -- */

/* Keeps the last bytes of what comes. */
typedef struct tail {
    char text[TAIL];
    size_t len;
} tail_t;

static void tail_add(tail_t *t, const char *data, size_t len)
{
    if (len >= TAIL) {
        data += len - TAIL;
        len = TAIL;
    }
    const size_t keep = HOST_MIN(t->len, TAIL - len);

    memmove(t->text, t->text + t->len - keep, keep);
    memcpy(t->text + keep, data, len);
    t->len = keep + len;
}

/* Both read what is there; false at the end. */
static bool read_verdict(int fd, buf_t *verdict)
{
    char chunk[VERDICT_MAX];
    const ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n > 0)
        (void) buf_append(verdict, chunk, (size_t) n); /* too much is no verdict */
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static bool read_tail(int fd, tail_t *t)
{
    char chunk[4096];
    const ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n > 0)
        tail_add(t, chunk, (size_t) n);
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Reads until the child has ended; false when its time was up first. */
static bool watch_child(const child_t *child, int out, int errors, buf_t *verdict, tail_t *t)
{
    const int64_t deadline = clock_now() + PROBE_TIME;
    struct pollfd fds[] = {{child->pidfd, POLLIN, 0}, {out, POLLIN, 0}, {errors, POLLIN, 0}};

    for (;;) {
        const int64_t left = deadline - clock_now();
        const int n = left > 0 ? poll(fds, HOST_LEN(fds), (int) (left / CLOCK_MS) + 1) : 0;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (fds[1].revents != 0 && !read_verdict(out, verdict))
            fds[1].fd = -1;
        if (fds[2].revents != 0 && !read_tail(errors, t))
            fds[2].fd = -1;
        /* Last, with nothing else to read: a grandchild may hold the pipes open for ever. */
        if (fds[0].revents != 0 && fds[1].revents == 0 && fds[2].revents == 0)
            return true;
    }
}

/* Appends "; it printed: ..." with what a terminal must not get made visible. */
static void append_tail(buf_t *reason, const tail_t *t)
{
    size_t len = t->len;

    while (len > 0 && (t->text[len - 1] == '\n' || t->text[len - 1] == ' '))
        len--;
    if (len == 0)
        return;
    (void) buf_puts(reason, t->len == TAIL ? "; it printed: ..." : "; it printed: ");
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_char(t->text + i, len - i);

        if (n > 1 || (n == 1 && t->text[i] >= ' ' && t->text[i] != 0x7f))
            (void) buf_append(reason, t->text + i, n);
        else if (t->text[i] == '\n')
            (void) buf_puts(reason, " | ");
        else
            (void) buf_printf(reason, "\\x%02x", (unsigned char) t->text[i]);
        i += n > 0 ? n : 1;
    }
}

static int judge(int status, bool in_time, buf_t *verdict, const tail_t *t, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t reason = BUF_INIT;
    host_cleanup(host_freep) char *end = child_describe(status);
    const char *said = buf_text(verdict);

    if (!in_time) {
        (void) buf_puts(&reason, "loading it takes longer than 5 s: its constructors must not "
                                 "block");
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && strcmp(said, PASSED) == 0) {
        return 0;
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && said[0] != '\0') {
        (void) buf_append(&reason, said, strcspn(said, "\n"));
    } else {
        (void) buf_printf(&reason,
                          "loading it ends the process (%s): look at its constructors and static "
                          "objects, and whether the file is whole",
                          end);
    }
    append_tail(&reason, t);
    return host_fail(err, LH_EPLUGIN, "%s", buf_text(&reason));
}

int plugin_probe(const char *path, lh_error_t *err)
{
    int out[2] = {-1, -1}, errors[2] = {-1, -1};

    if (pipe2(out, O_CLOEXEC) < 0)
        return host_fail(err, LH_EIO, "probe: pipe: %s", strerror(errno));
    host_cleanup(host_closep) int out_read = out[0];
    host_cleanup(host_closep) int out_write = out[1];

    if (pipe2(errors, O_CLOEXEC) < 0)
        return host_fail(err, LH_EIO, "probe: pipe: %s", strerror(errno));
    host_cleanup(host_closep) int errors_read = errors[0];
    host_cleanup(host_closep) int errors_write = errors[1];
    const char *const args[] = {"probe", path, NULL};
    const plugin_spawn_t how = {args, {-1, out_write, errors_write, -1}};
    host_cleanup(buf_fini) buf_t verdict = BUF_INIT_MAX(VERDICT_MAX);
    child_t child;
    tail_t tail = {.len = 0};
    const int ret = plugin_spawn(&how, &child, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "probe");
    host_closep(&out_write);
    host_closep(&errors_write);
    const bool in_time = watch_child(&child, out_read, errors_read, &verdict, &tail);

    if (!in_time)
        child_kill(&child);
    const int status = child_reap(&child);

    return judge(status, in_time, &verdict, &tail, err);
}
