/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: this binary, executed again. */
#ifndef PLUGIN_SPAWN_H
#define PLUGIN_SPAWN_H

#include "base/child.h"

typedef struct plugin_spawn {
    const char *const *args; /* after the program's name, NULL-terminated */
    int fds[4]; /* what the child has as 0, 1, 2 and 3; -1: /dev/null, for 3: nothing */
} plugin_spawn_t;

/* Executes /proc/self/exe as child_spawn does, with an environment that holds nothing of the host's
 * but where to find programs, libraries, zones and languages: no credentials. Caller owns *out, end
 * with child_reap. [any-thread] */
HOST_MUST_USE int plugin_spawn(const plugin_spawn_t *how, child_t *out, lh_error_t *err);

#endif
