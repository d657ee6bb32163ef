/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: started with nothing of the host's but what is named, waited for by pid. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include "base/base.h"

#include <leasehold/error.h>
#include <sys/types.h>

/* The child that this process has started. */
typedef struct child {
    pid_t pid;
    int pidfd; /* readable when it has ended */
} child_t;

typedef struct child_spawn {
    const char *path;        /* of the program */
    const char *const *argv; /* with its name, NULL-terminated */
    const char *const *env;  /* all of it, NULL-terminated */
    int fds[4]; /* what the child has as 0, 1, 2 and 3; -1: /dev/null, for 3: nothing */
} child_spawn_t;

/* Executes path in a process group of its own, with default signals. No other fd than the four is
 * passed on. Caller owns *out, end with child_reap. LH_ENOTFOUND: there is no such program.
 * [any-thread] */
HOST_MUST_USE int child_spawn(const child_spawn_t *how, child_t *out, lh_error_t *err);

/* SIGKILL to the child alone. Harmless when it has ended already. [any-thread] */
void child_kill(const child_t *child);

/* Waits until it has ended, kills what is left of its process group, closes pidfd. Returns the
 * status as waitpid does. [any-thread] */
int child_reap(child_t *child);

/* "exited with status 3", "killed by signal 11 (Segmentation fault)". Caller owns, free with
 * free(). [any-thread] */
char *child_describe(int status);

#endif
