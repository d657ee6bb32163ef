/* SPDX-License-Identifier: Apache-2.0 */
/* Which instances a configuration and the files of its plugin directory give. */
#ifndef APP_ROSTER_H
#define APP_ROSTER_H

#include "config/config.h"
#include "plugin/scan.h"

/* Everything is borrowed during the call. file is NULL when no usable file has the plugin's id. */
typedef void app_roster_fn(void *arg, const config_instance_t *c, const plugin_file_t *file);

/* Calls fn for each configured instance, then for each file that none of them names: it gives one
 * named by its id. */
void app_roster(const config_t *config, const plugin_scan_t *scan, app_roster_fn *fn, void *arg);

/* What the instance watches: its own namespaces, else the host's. NULL or empty: all. Borrowed. */
char **app_roster_namespaces(const config_t *config, const config_instance_t *c);

#endif
