/* SPDX-License-Identifier: Apache-2.0 */
/* Its manifest says that it was built for ABI 99. */
#include "bad.h"

LH_MANIFEST(BAD_JSON("99", "wrong-major-manifest"));
GOOD_ENTRY;
GOOD_RECONCILE
