/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a worker process, shared by remote.c (its life) and remote_calls.c (what it
 * asks for). Whatever the worker sends, it is the word of a stranger.
 */
#ifndef PLUGIN_REMOTE_H
#define PLUGIN_REMOTE_H

#include "plugin/codec.h"
#include "plugin/spawn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uthash.h>

/* A walk that the worker has under way. */
typedef struct plugin_remote_walk {
    uint64_t id;
    plugin_cursor_t *cursor;
    uint32_t sent; /* objects of the last batch */
    UT_hash_handle hh;
} plugin_remote_walk_t;

/* A reconcile that the worker has been given and that has not returned. */
typedef struct plugin_remote_job {
    uint64_t ctx;
    UT_hash_handle hh;
} plugin_remote_job_t;

typedef struct plugin_remote {
    plugin_runner_t runner; /* first */
    plugin_sink_t sink;
    plugin_backend_t backend;
    const log_t *log;
    char *name;
    plugin_wire_t *wire;
    int wake;              /* eventfd: there is something to send */
    _Atomic uint32_t refs; /* the serving thread's, and one for each open request */

    _Atomic uint32_t expected; /* bits of reports that have been asked for */
    _Atomic bool abandoned, killed;

    pthread_mutex_t lock; /* the two below */
    child_t child;        /* pidfd -1: reaped */
    plugin_remote_job_t *jobs;

    _Atomic uint32_t requests;   /* open */
    _Atomic uint64_t bodies;     /* bytes of their bodies */
    plugin_remote_walk_t *walks; /* the serving thread's alone, as the next */
    size_t walk_names;           /* that they keep, together */
    uint64_t last_walk;
    bool destroyed; /* it has said so */
} plugin_remote_t;

/* Puts m behind what waits and wakes the serving thread. m is taken. [any-thread] */
void plugin_remote_send(plugin_remote_t *r, plugin_message_t *m);
void plugin_remote_ref(plugin_remote_t *r);   /* [any-thread] */
void plugin_remote_unref(plugin_remote_t *r); /* the last one frees [any-thread] */

/* Carries out what the worker asks for and replies. LH_EPARSE: it does not keep the rules and is to
 * be ended. [plugin-thread] */
HOST_MUST_USE int plugin_remote_call(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err);
/* Ends all walks. [plugin-thread] */
void plugin_remote_drop_walks(plugin_remote_t *r);

#endif
