/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing is wrong with this one: the neighbour that must come to no harm. */
#include "bad.h"

BAD_MANIFEST("good");
GOOD_ENTRY;
GOOD_RECONCILE
