/* SPDX-License-Identifier: Apache-2.0 */
/* From a changed object to the primaries that it concerns. */
#ifndef PLUGIN_MAP_H
#define PLUGIN_MAP_H

#include "plugin/manifest.h"
#include "watch/snapshot.h"

/* Calls add for each primary that object (of watch `watch`) leads to: itself (primary), its
 * controller owner (owned), or what the manifest's map says. ns and name are borrowed during the
 * call. [any-thread] */
void plugin_map(const plugin_manifest_t *m, uint32_t watch, const watch_snapshot_t *object,
                void (*add)(void *arg, uint32_t primary, const char *ns, const char *name),
                void *arg);

#endif
