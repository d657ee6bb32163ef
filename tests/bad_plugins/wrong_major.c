/* SPDX-License-Identifier: Apache-2.0 */
/* Its manifest is of this ABI, its entry of ABI 99. */
#include "bad.h"

BAD_MANIFEST("wrong-major");
LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = 99,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = good_create,
    .destroy = good_destroy,
};
GOOD_RECONCILE
