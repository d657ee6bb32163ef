/* SPDX-License-Identifier: Apache-2.0 */
/* All but the manifest and reconcile_async() of a plugin that keeps nothing but its host. Included once, by
 * the source that has these. */
#ifndef SUPPORT_PLAIN_PLUGIN_H
#define SUPPORT_PLAIN_PLUGIN_H

#include <leasehold/leasehold.h>

struct lh_plugin {
    const lh_host_t *host;
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = malloc(sizeof(*self));

    (void) instance;
    if (self == NULL)
        (void) lh_errorf(err, LH_ENOMEM, "out of memory");
    else
        self->host = host;
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};

#endif
