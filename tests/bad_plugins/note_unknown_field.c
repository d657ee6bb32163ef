/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest with a field that is none: most likely a slip of the pen. */
#include "bad.h"

LH_MANIFEST_JSON({"abi" : 0, "id" : "note-unknown-field", "version" : "1.0.0", "watch" : []});
GOOD_ENTRY;
GOOD_RECONCILE
