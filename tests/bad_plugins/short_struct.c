/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry ends behind the size: there is no create(). */
#include "bad.h"

BAD_MANIFEST("short-struct");
LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = 8,
    .create = good_create,
    .destroy = good_destroy,
};
GOOD_RECONCILE
