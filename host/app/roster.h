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

/* Whether an instance may be made of what app_roster gave: its configuration fits the plugin's manifest. 0,
 * and *out is the instance's own manifest (caller owns, plugin_manifest_destroy); LH_ENOTFOUND without
 * a file; else LH_EINVAL, with the place in the configuration. Nothing of the plugin runs. [any-thread] */
HOST_MUST_USE int app_roster_check(const config_instance_t *c, const plugin_file_t *file,
                                   plugin_manifest_t **out, lh_error_t *err);

/* What the instance watches: its own namespaces, else the host's. NULL or empty: all. Borrowed. */
char **app_roster_namespaces(const config_t *config, const config_instance_t *c);

#endif
