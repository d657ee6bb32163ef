/* SPDX-License-Identifier: Apache-2.0 */
/* create is NULL. */
#include "bad.h"

BAD_MANIFEST("null-create");
LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .destroy = good_destroy,
};
GOOD_RECONCILE
