/* SPDX-License-Identifier: Apache-2.0 */
/* activate() never returns. */
#include "bad.h"

#include <unistd.h>

BAD_MANIFEST("hanging-activate");

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    (void) self;
    (void) ctx;
    (void) err;
    while (pause() < 0)
        continue;
    return 0;
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = good_create,
    .destroy = good_destroy,
    .activate = activate,
};
GOOD_RECONCILE
