/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance will watch when a term begins, known to the hub beforehand: so that plugins which want
 * less of the same need no streams of their own. On a warm standby the streams are open between terms
 * already: the caches follow, and what they bring is nobody's until the controller subscribes too.
 */
#ifndef PLUGIN_KEEPER_H
#define PLUGIN_KEEPER_H

#include "plugin/manifest.h"
#include "watch/hub.h"

typedef struct plugin_keeper plugin_keeper_t;

/* Announces the watches. namespaces: NULL-terminated; NULL or empty: all. Pointers are borrowed until
 * plugin_keeper_destroy. Caller owns the result. [loop-thread] */
plugin_keeper_t *plugin_keeper_create(watch_hub_t *hub, const plugin_manifest_t *manifest,
                                      const char *const *namespaces, const log_t *log);
void plugin_keeper_open(plugin_keeper_t *k);    /* the streams; harmless when they are open */
void plugin_keeper_destroy(plugin_keeper_t *k); /* NULL is allowed */

#endif
