/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The black box: a small file in the identity's state directory that says which plugin each thread
 * of the host is inside of, and for what key. When a plugin in thread mode takes the process down,
 * by a fatal signal or exit(), the thread's line is marked, and the next process reads whom to
 * blame. A plugin file that has done so twice is quarantined.
 *
 * A death on a thread that the plugin has started itself, or by SIGKILL, blames nobody. A fault in
 * the host's own code, called by a plugin, blames the plugin: most likely it was given a bad pointer.
 */
#ifndef PLUGIN_BLACKBOX_H
#define PLUGIN_BLACKBOX_H

#include "base/log.h"

#include <leasehold/error.h>

typedef struct plugin_blackbox plugin_blackbox_t;
typedef struct plugin_blackbox_line plugin_blackbox_line_t;

/* Opens or makes dir/black-box, counts and logs the death that it tells of, and from now on catches
 * this process's own. At most one in a process. Caller owns *out. LH_EIO when the file cannot be
 * used (another process of this identity has it, the disk is full): the host then runs without. [loop-thread] */
HOST_MUST_USE int plugin_blackbox_open(const char *dir, const log_t *log, plugin_blackbox_t **out,
                                       lh_error_t *err);
void plugin_blackbox_close(plugin_blackbox_t *b); /* NULL is allowed */

/* True when the file of this digest has taken the host down twice; reason then says how and what to
 * do. b may be NULL. [loop-thread] */
bool plugin_blackbox_quarantined(plugin_blackbox_t *b, const char *digest, char *reason,
                                 size_t size);

/* A line for the calling thread, given back by the same thread; NULL when b is NULL or all 512 are
 * taken. The other functions do nothing with a NULL line. [plugin-thread], [worker-thread] */
plugin_blackbox_line_t *plugin_blackbox_take(plugin_blackbox_t *b, const char *instance,
                                             const char *digest);
void plugin_blackbox_give(plugin_blackbox_line_t *line);
/* The thread enters the plugin: what is the function ("reconcile"), key that of a reconcile or "".
 * Both are copied, and cut where they are too long. [plugin-thread], [worker-thread] */
void plugin_blackbox_enter(plugin_blackbox_line_t *line, const char *what, const char *ns,
                           const char *name);
void plugin_blackbox_leave(plugin_blackbox_line_t *line); /* [plugin-thread], [worker-thread] */

#endif
