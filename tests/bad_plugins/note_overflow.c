/* SPDX-License-Identifier: Apache-2.0 */
/* A note whose length, rounded up, is more than 32 bits hold. */
#include "bad.h"

__asm__(".pushsection .note.leasehold,\"a\",@note\n"
        ".balign 4\n.long 10, 0xffffffff, 1\n.asciz \"Leasehold\"\n.balign 4\n.ascii \"{}  \"\n"
        ".popsection\n");
GOOD_ENTRY;
GOOD_RECONCILE
