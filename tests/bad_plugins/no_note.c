/* SPDX-License-Identifier: Apache-2.0 */
/* No manifest at all. */
#include "bad.h"

GOOD_ENTRY;
GOOD_RECONCILE
