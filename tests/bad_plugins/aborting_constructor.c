/* SPDX-License-Identifier: Apache-2.0 */
/* Aborts as soon as it is mapped. */
#include "bad.h"

BAD_MANIFEST("aborting-constructor");

__attribute__((constructor)) static void start(void)
{
    (void) fputs("aborting constructor: goodbye\n", stderr);
    abort();
}

GOOD_ENTRY;
GOOD_RECONCILE
