/* SPDX-License-Identifier: Apache-2.0 */
/* create() refuses, and says why. */
#include "bad.h"

BAD_MANIFEST("refusing-create");

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    (void) host;
    (void) instance;
    lh_errorf(err, LH_EINVAL, "I will not work on a Tuesday");
    return NULL;
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = good_destroy,
};
GOOD_RECONCILE
