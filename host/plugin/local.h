/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of this process, as the host table (table.c) sees it. */
#ifndef PLUGIN_LOCAL_H
#define PLUGIN_LOCAL_H

#include "plugin/runner.h"

typedef struct plugin_local plugin_local_t;

/* Fills the table. [any-thread] */
void plugin_table_init(plugin_table_t *t, const plugin_backend_t *backend, plugin_local_t *local);
/* The plugin is destroyed: a thread that it has left behind may still complete a reconcile, which
 * is only counted from now on. Returns when no completion is inside. [plugin-thread] */
void plugin_table_end(plugin_table_t *t);

/* True on the plugin thread and the workers, the threads that may block in call(). [any-thread] */
bool plugin_local_may_block(plugin_local_t *l);

/* The object that came with the reconcile on this thread, if key is its: borrowed while that has not
 * returned; NULL: none. l NULL: nothing runs behind the table. [any-thread] */
const watch_snapshot_t *plugin_local_object(const plugin_local_t *l, const lh_key_t *key);

/* A callback that is owed to the plugin thread. */
typedef struct plugin_owed plugin_owed_t;
/* Books a callback; NULL when memory is out. Ended by exactly one of the two below. [any-thread] */
plugin_owed_t *plugin_local_owe(plugin_local_t *l, lh_callback_t fn, void *arg);
/* Runs it on the plugin thread with this outcome; response is taken. [any-thread] */
void plugin_local_settle(plugin_owed_t *o, int code, plugin_response_t *response,
                         const lh_error_t *err);
/* The request was refused: no callback. [any-thread] */
void plugin_local_cancel_owed(plugin_owed_t *o);

/* What lh_host_t's post() promises. [any-thread] */
int plugin_local_post(plugin_local_t *l, void (*fn)(void *), void *arg, void (*free_arg)(void *),
                      lh_error_t *err);

#endif
