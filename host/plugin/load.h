/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin file mapped into this process. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include "base/base.h"

#include <leasehold/plugin.h>

typedef void (*plugin_reconcile_fn)(lh_plugin_t *, const lh_request_t *, lh_completion_t);

typedef struct plugin_module {
    void *dl;
    const lh_plugin_entry_t *entry;
    plugin_reconcile_fn reconcile;
} plugin_module_t;

/* Maps the file at path (absolute, regular; its SHA-256 must be digest, NULL: not checked) with
 * RTLD_NOW | RTLD_LOCAL, and checks both symbols and the entry's sizes. Caller owns *out, free with
 * plugin_module_close. LH_EABI, LH_EINVAL or LH_EIO, each with its text; nothing is left behind.
 * [plugin-thread] */
HOST_MUST_USE int plugin_module_open(const char *path, const char *digest, plugin_module_t **out,
                                     lh_error_t *err);
void plugin_module_close(plugin_module_t *m); /* NULL is allowed [plugin-thread] */

#endif
