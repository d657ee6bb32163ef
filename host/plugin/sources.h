/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subscriptions of one instance, one for each watch of its manifest and each of its namespaces: their
 * events become keys of its queue, their caches are what its plugin reads. All on the loop's thread.
 */
#ifndef PLUGIN_SOURCES_H
#define PLUGIN_SOURCES_H

#include "plugin/services.h"
#include "queue/queue.h"
#include "watch/hub.h"

typedef struct plugin_sources plugin_sources_t;

typedef struct plugin_sources_options {
    watch_hub_t *hub;
    const plugin_manifest_t *manifest;
    const char *const *namespaces; /* NULL-terminated; NULL or empty: all */
    queue_t *queue;
    plugin_services_t *services; /* is shown the caches */
    const log_t *log;
    void (*on_keys)(void *arg); /* the queue has got some */
    /* ready: all have synced since they were opened. problem: of the first that has one, else NULL. */
    void (*on_state)(void *arg, bool ready, const char *problem);
    void *arg;
} plugin_sources_options_t;

/* Pointers are borrowed until plugin_sources_destroy. Caller owns the result. */
plugin_sources_t *plugin_sources_create(const plugin_sources_options_t *options);
void plugin_sources_destroy(plugin_sources_t *all); /* NULL is allowed */

/* Subscribes to everything, or to nothing. No callback comes from within. */
HOST_MUST_USE int plugin_sources_open(plugin_sources_t *all, lh_error_t *err);
void plugin_sources_close(plugin_sources_t *all); /* closed already: does nothing */
void plugin_sources_tell(plugin_sources_t *all);  /* on_state, now */

/* The cache that has the objects of a watch in a namespace; NULL: none has. Borrowed for the present turn
 * of the loop. */
watch_view_t *plugin_sources_view(const plugin_sources_t *all, uint32_t watch, const char *ns);
bool plugin_sources_cover(const plugin_sources_t *all, const char *ns); /* "": always */
/* Takes the answer to a write of the plugin into the caches that will bring it. */
void plugin_sources_written(plugin_sources_t *all, const char *method, const char *path,
                            const char *body, size_t len);

#endif
