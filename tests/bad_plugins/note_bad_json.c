/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest that is no JSON. */
#include "bad.h"

LH_MANIFEST("{\"abi\": 0, \"id\": \"note-bad-json\", ");
GOOD_ENTRY;
GOOD_RECONCILE
