/* SPDX-License-Identifier: Apache-2.0 */
/* activate() always fails. */
#include "bad.h"

BAD_MANIFEST("failing-activate");

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    (void) self;
    (void) ctx;
    return lh_errorf(err, LH_EBUSY, "the moon is not full");
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = good_create,
    .destroy = good_destroy,
    .activate = activate,
};
GOOD_RECONCILE
