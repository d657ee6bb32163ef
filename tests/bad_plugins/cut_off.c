/* SPDX-License-Identifier: Apache-2.0 */
/* A good one, of which only the beginning is copied to cut_off.so and cut_off_early.so. */
#include "bad.h"

BAD_MANIFEST("cut-off");
GOOD_ENTRY;
GOOD_RECONCILE
