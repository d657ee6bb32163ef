/* SPDX-License-Identifier: Apache-2.0 */
/* Exports reconcile_async() but no lh_plugin. */
#include "bad.h"

BAD_MANIFEST("no-symbol");
GOOD_RECONCILE
