/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest nested ten thousand deep. */
#include "bad.h"

__asm__(".pushsection .note.leasehold,\"a\",@note\n"
        ".balign 4\n.long 10, 10000, 1\n.asciz \"Leasehold\"\n.balign 4\n.fill 10000, 1, 0x5b\n"
        ".popsection\n");
GOOD_ENTRY;
GOOD_RECONCILE
