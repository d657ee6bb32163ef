/* SPDX-License-Identifier: Apache-2.0 */
/* destroy is NULL. */
#include "bad.h"

BAD_MANIFEST("null-destroy");
LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = good_create,
};
GOOD_RECONCILE
