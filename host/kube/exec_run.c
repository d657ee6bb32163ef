/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a program, with limits. */
#include "base/child.h"
#include "base/clock.h"
#include "base/error.h"
#include "kube/exec.h"
#include "kube/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERRORS_KEPT = 4096 };

/* Our ends of its pipes, both non-blocking; -1: it has ended. */
typedef struct output {
    int out, errors;
} output_t;

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *kube_exec_find(const char *command, const char *const *env)
{
    host_cleanup(host_freep) char *folders = host_xstrdup(kube_env_get(env, "PATH"));
    char *rest = folders, *folder;

    if (strchr(command, '/') != NULL)
        return is_program(command) ? host_xstrdup(command) : NULL;
    while ((folder = strsep(&rest, ":")) != NULL) {
        host_cleanup(host_freep) char *path = host_xprintf("%s/%s", folder, command);
        if (folder[0] == '/' && is_program(path)) /* what the working folder holds is no answer */
            return host_steal(path);
    }
    return NULL;
}

static void output_close(output_t *o)
{
    host_closep(&o->out);
    host_closep(&o->errors);
}

/* The last bytes are those that matter. What a cut has left of a word might be half a secret. */
static void keep_last(buf_t *errors)
{
    if (errors->len <= ERRORS_KEPT)
        return;
    size_t from = errors->len - ERRORS_KEPT;

    while (from < errors->len && strchr(" \t\r\n", errors->data[from]) == NULL)
        from++;
    memmove(errors->data, errors->data + from, errors->len - from + 1);
    errors->len -= from;
}

/* Takes what is there, but not for ever; closes *fd at its end. */
static int take(int *fd, buf_t *to, bool keep_all)
{
    char part[4096];
    ssize_t n = 1;
    int ret = 0;

    for (int i = 0; i < 32 && ret == 0 && n > 0; i++) {
        n = read(*fd, part, sizeof(part));
        if (n > 0)
            ret = buf_append(to, part, (size_t) n);
        if (!keep_all)
            keep_last(to);
    }
    if (n == 0)
        host_closep(fd);
    explicit_bzero(part, sizeof(part));
    return ret;
}

static int timeout_ms(int64_t deadline)
{
    return (int) HOST_MAX((deadline - clock_now() + CLOCK_MS - 1) / CLOCK_MS, INT64_C(0));
}

/* Until it ends, or must. */
static int follow(const kube_exec_run_t *run, const child_t *child, output_t *o, buf_t *out,
                  buf_t *errors, lh_error_t *err)
{
    const int64_t from = clock_now(), deadline = from + run->time_limit;
    int64_t notice = run->on_slow != NULL ? from + run->patience : CLOCK_NEVER;

    for (;;) {
        struct pollfd fds[] = {{.fd = o->out, .events = POLLIN},
                               {.fd = o->errors, .events = POLLIN},
                               {.fd = child->pidfd, .events = POLLIN},
                               {.fd = run->stop_fd, .events = POLLIN}};
        if (poll(fds, HOST_LEN(fds), timeout_ms(HOST_MIN(deadline, notice))) < 0 && errno != EINTR)
            return host_fail(err, LH_EIO, "poll: %s", strerror(errno));
        if (o->errors >= 0)
            (void) take(&o->errors, errors, false);
        if (o->out >= 0 && take(&o->out, out, true) < 0)
            return host_fail(err, LH_ETOOBIG, "it has printed more than %zu bytes", out->max);
        if ((fds[3].revents & POLLIN) != 0)
            return host_fail(err, LH_ECANCELED, "it was stopped");
        if ((fds[2].revents & POLLIN) != 0)
            return 0;
        if (clock_now() >= deadline)
            return host_fail(err, LH_ETIMEDOUT, "it did not end within %.3g s",
                             (double) run->time_limit / (double) CLOCK_S);
        if (run->on_slow != NULL && clock_now() >= notice) {
            notice = CLOCK_NEVER;
            run->on_slow(run->arg);
        }
    }
}

/* A pipe whose reading end does not block. */
static int open_pipe(int *ours, int *its, lh_error_t *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return host_fail(err, LH_EIO, "pipe: %s", strerror(errno));
    *ours = fds[0];
    *its = fds[1];
    if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
        return host_fail(err, LH_EIO, "pipe: %s", strerror(errno));
    return 0;
}

static int start(const kube_exec_run_t *run, output_t *o, child_t *child, lh_error_t *err)
{
    host_cleanup(host_closep) int out = -1, errors = -1;
    int ret = open_pipe(&o->out, &out, err);

    if (ret == 0)
        ret = open_pipe(&o->errors, &errors, err);
    if (ret < 0)
        return ret;
    return child_spawn(
        &(child_spawn_t){
            .path = run->path, .argv = run->argv, .env = run->env, .fds = {-1, out, errors, -1}},
        child, err);
}

int kube_exec_run(const kube_exec_run_t *run, buf_t *out, buf_t *errors, int *status,
                  lh_error_t *err)
{
    host_cleanup(output_close) output_t o = {-1, -1};
    child_t child;
    int ret = start(run, &o, &child, err);

    *status = KUBE_EXEC_NOT_STARTED;
    if (ret < 0)
        return ret;
    ret = follow(run, &child, &o, out, errors, err);
    child_kill(&child);
    const int end = child_reap(&child);

    *status = ret == 0 && WIFEXITED(end) ? WEXITSTATUS(end) : KUBE_EXEC_KILLED;
    if (ret == 0 && end != 0) {
        host_cleanup(host_freep) char *how = child_describe(end);
        ret = host_fail(err, LH_EUNAVAILABLE, "it %s%s", WIFEXITED(end) ? "" : "was ", how);
    }
    return ret;
}
