/* SPDX-License-Identifier: Apache-2.0 */
/* Never comes back from dlopen(). */
#include "bad.h"

#include <unistd.h>

BAD_MANIFEST("hanging-constructor");

__attribute__((constructor)) static void start(void)
{
    for (;;)
        (void) pause();
}

GOOD_ENTRY;
GOOD_RECONCILE
