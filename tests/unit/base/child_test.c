/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include "base/buf.h"
#include "support/expect.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static lh_error_t err;

static int spawn(const char *command, int out, child_t *child)
{
    return child_spawn(&(child_spawn_t){.path = "/bin/sh",
                                        .argv = (const char *const[]){"sh", "-c", command, NULL},
                                        .env = (const char *const[]){"GREETING=hello", NULL},
                                        .fds = {-1, out, -1, -1}},
                       child, &err);
}

Test(child, has_the_descriptors_and_the_environment_that_are_named, .timeout = 30)
{
    char text[64] = "";
    int fds[2];
    child_t child;

    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    cr_assert_eq(dup2(fds[0], 200), 200); /* not close-on-exec */
    ASSERT_OK(spawn("echo $GREETING; cat; [ -e /proc/self/fd/200 ] || echo closed", fds[1], &child),
              err);
    close(fds[1]);
    EXPECT_INT(child_reap(&child), 0);
    EXPECT_INT(child.pidfd, -1);
    cr_assert(read(fds[0], text, sizeof(text) - 1) > 0);
    EXPECT_STR(text, "hello\nclosed\n");
    close(fds[0]);
    close(200);
}

Test(child, that_is_no_program_is_told, .timeout = 30)
{
    child_t child;

    EXPECT_INT(child_spawn(&(child_spawn_t){.path = "/nowhere/program",
                                            .argv = (const char *const[]){"program", NULL},
                                            .env = (const char *const[]){NULL},
                                            .fds = {-1, -1, -1, -1}},
                           &child, &err),
               LH_ENOTFOUND);
    EXPECT_STR(err.text, "start a process: No such file or directory");
}

Test(child, that_is_killed_is_described, .timeout = 30)
{
    child_t child;

    ASSERT_OK(spawn("sleep 1000", -1, &child), err);
    child_kill(&child);
    host_cleanup(host_freep) char *end = child_describe(child_reap(&child));
    EXPECT_STR(end, "killed by signal 9 (Killed)");
    ASSERT_OK(spawn("exit 3", -1, &child), err);
    host_cleanup(host_freep) char *status = child_describe(child_reap(&child));
    EXPECT_STR(status, "exited with status 3");
}
