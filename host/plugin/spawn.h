/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: this binary, executed again. */
#ifndef PLUGIN_SPAWN_H
#define PLUGIN_SPAWN_H

#include "base/base.h"

#include <leasehold/error.h>
#include <sys/types.h>

/* The child that this process has started. */
typedef struct plugin_child {
    pid_t pid;
    int pidfd; /* readable when it has ended */
} plugin_child_t;

typedef struct plugin_spawn {
    const char *const *args; /* after the program's name, NULL-terminated */
    int fds[4]; /* what the child has as 0, 1, 2 and 3; -1: /dev/null, for 3: nothing */
} plugin_spawn_t;

/*
 * Executes /proc/self/exe in a process group of its own, with default signals and an environment
 * that holds nothing of the host's but where to find programs, libraries, zones and languages: no
 * credentials. No other fd than the four is passed on. Caller owns *out, end with
 * plugin_child_reap. [any-thread]
 */
HOST_MUST_USE int plugin_child_spawn(const plugin_spawn_t *how, plugin_child_t *out,
                                     lh_error_t *err);

/* SIGKILL to the child alone. Harmless when it has ended already. [any-thread] */
void plugin_child_kill(const plugin_child_t *child);

/* Waits until it has ended, kills what is left of its process group, closes pidfd. Returns the
 * status as waitpid does. [any-thread] */
int plugin_child_reap(plugin_child_t *child);

/* "exited with status 3", "killed by signal 11 (Segmentation fault)". Caller owns, free with
 * free(). [any-thread] */
char *plugin_child_describe(int status);

#endif
