/* SPDX-License-Identifier: Apache-2.0 */
/* Ends the process, with success, as soon as it is mapped. */
#include "bad.h"

BAD_MANIFEST("exiting-constructor");

__attribute__((constructor)) static void start(void)
{
    exit(0);
}

GOOD_ENTRY;
GOOD_RECONCILE
