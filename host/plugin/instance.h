/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance of a plugin, through its whole life: it is created on every replica, activated and
 * deactivated with the terms, restarted when its worker process dies, given up when it hangs.
 *
 *   created -> [begin] -> active -> [end] -> drained, deactivated -> rested -> ... -> [stop] ended
 *
 * Its failures are its own: they are told by log, health and metrics, and never leave this file.
 */
#ifndef PLUGIN_INSTANCE_H
#define PLUGIN_INSTANCE_H

#include "plugin/scan.h"
#include "plugin/services.h"
#include "watch/hub.h"

typedef struct plugin_instance plugin_instance_t;

typedef struct plugin_instance_options {
    plugin_shared_t *shared;
    watch_hub_t *hub;
    const char *name;            /* copied */
    const plugin_file_t *file;   /* prepared; borrowed until plugin_instance_destroy */
    plugin_manifest_t *manifest; /* the instance's own; taken */
    const char *user;            /* as whom its requests are made; copied; NULL: the host */
    const char *config;          /* JSON object, checked against the schema; copied */
    bool process;                /* isolation: process */
    bool warm;                   /* its streams stay open between terms */
    uint32_t workers, max_in_flight;
    const char *const *namespaces; /* NULL-terminated; NULL: all; borrowed */
    /* Each may be called from within the calls below. [loop-thread] */
    void (*on_settled)(void *arg); /* created, refused, or to be tried again later; once */
    void (*on_rested)(void *arg);  /* after plugin_instance_end: nothing of the term is left */
    void (*on_ended)(void *arg);   /* after plugin_instance_stop */
    void *arg;
} plugin_instance_options_t;

/* Starts it; on_settled follows. Caller owns the result. [loop-thread] */
plugin_instance_t *plugin_instance_create(const plugin_instance_options_t *options);

/* A term begins; never before the on_rested of the last one. [loop-thread] */
void plugin_instance_begin(plugin_instance_t *i, fence_t *fence);
/* The term ends, by force (the fence is closed) or voluntarily (its gate is). What has not drained
 * and deactivated by `deadline` (BOOTTIME) is given up. on_rested follows. [loop-thread] */
void plugin_instance_end(plugin_instance_t *i, int64_t deadline);
/* The host ends; a term that is on ends with it. on_ended follows by `deadline`. [loop-thread] */
void plugin_instance_stop(plugin_instance_t *i, int64_t deadline);
/* After on_ended. A runner that was given up and still runs keeps its memory: true then, and the
 * process must end by _exit. [loop-thread] */
bool plugin_instance_destroy(plugin_instance_t *i);

/* Kills the worker process, if it has one, unless nothing of the term is left in it: it has rested, or
 * there is none. [any-thread] */
void plugin_instance_kill(plugin_instance_t *i);

const char *plugin_instance_name(const plugin_instance_t *i);
/* "creating", "standby", "activating", "active", "draining", "deactivating", "waiting" (to be tried
 * again), "failed", "ending" or "ended". [any-thread] */
const char *plugin_instance_state(const plugin_instance_t *i);

#endif
