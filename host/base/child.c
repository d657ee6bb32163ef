/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* From above, so that a socket that stands at 0, because the host has no stdin, is not covered. */
static int place_fds(posix_spawn_file_actions_t *actions, const int fds[4])
{
    int ret = 0;

    for (int i = 3; ret == 0 && i >= 0; i--) {
        if (fds[i] >= 0)
            ret = posix_spawn_file_actions_adddup2(actions, fds[i], i);
        else if (i < 3)
            ret = posix_spawn_file_actions_addopen(actions, i, "/dev/null",
                                                   i == 0 ? O_RDONLY : O_WRONLY, 0);
    }
    const int first_closed = fds[3] >= 0 ? 4 : 3;

    return ret != 0 ? ret : posix_spawn_file_actions_addclosefrom_np(actions, first_closed);
}

static int set_attributes(posix_spawnattr_t *attr)
{
    const short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none, all;
    int ret;

    sigemptyset(&none);
    sigfillset(&all);
    ret = posix_spawnattr_setflags(attr, flags);
    if (ret == 0)
        ret = posix_spawnattr_setpgroup(attr, 0);
    if (ret == 0)
        ret = posix_spawnattr_setsigmask(attr, &none);
    if (ret == 0)
        ret = posix_spawnattr_setsigdefault(attr, &all);
    return ret;
}

int child_spawn(const child_spawn_t *how, child_t *out, lh_error_t *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    child_t child = {.pidfd = -1};
    int ret;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    ret = set_attributes(&attr);
    if (ret == 0)
        ret = place_fds(&actions, how->fds);
    if (ret == 0)
        ret = posix_spawn(&child.pid, how->path, &actions, &attr, (char *const *) how->argv,
                          (char *const *) how->env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (ret != 0)
        return host_fail(err, ret == ENOENT ? LH_ENOTFOUND : LH_EIO, "start a process: %s",
                         strerror(ret));
    child.pidfd = pidfd_open(child.pid, 0); /* not reaped yet, so the number is still its own */
    if (child.pidfd < 0) {
        ret = host_fail(err, LH_EIO, "pidfd_open: %s", strerror(errno));
        kill(child.pid, SIGKILL);
        child_reap(&child);
        return ret;
    }
    *out = child;
    return 0;
}

void child_kill(const child_t *child)
{
    (void) pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
}

int child_reap(child_t *child)
{
    siginfo_t info;
    int status = 0;

    /* Until it is reaped its number, which is the group's too, belongs to nobody else. */
    while (waitid(P_PID, (id_t) child->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        continue;
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    host_closep(&child->pidfd);
    return status;
}

char *child_describe(int status)
{
    if (WIFEXITED(status))
        return host_xprintf("exited with status %d", WEXITSTATUS(status));
    const int sig = WTERMSIG(status);
    const char *name = sigdescr_np(sig);

    return host_xprintf("killed by signal %d (%s)", sig, name != NULL ? name : "unknown");
}
