/* SPDX-License-Identifier: Apache-2.0 */
/* deactivate() never returns. */
#include "bad.h"

#include <unistd.h>

BAD_MANIFEST("hanging-deactivate");

static void deactivate(lh_plugin_t *self)
{
    (void) self;
    for (;;)
        (void) pause();
}

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = good_create,
    .destroy = good_destroy,
    .deactivate = deactivate,
};
GOOD_RECONCILE
