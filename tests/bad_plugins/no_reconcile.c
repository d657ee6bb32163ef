/* SPDX-License-Identifier: Apache-2.0 */
/* Exports lh_plugin but no reconcile_async(). */
#include "bad.h"

BAD_MANIFEST("no-reconcile");
GOOD_ENTRY;
