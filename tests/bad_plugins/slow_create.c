/* SPDX-License-Identifier: Apache-2.0 */
/* create() takes two minutes; it has 10 s. */
#include "bad.h"

#include <unistd.h>

BAD_MANIFEST("slow-create");

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    (void) sleep(120);
    return good_create(host, instance, err);
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = good_destroy,
};
GOOD_RECONCILE
