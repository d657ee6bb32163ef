/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest of 1 MiB, most of it blanks; four times what is allowed. */
#include "bad.h"

__asm__(".pushsection .note.leasehold,\"a\",@note\n"
        ".balign 4\n.long 10, 1048576, 1\n.asciz \"Leasehold\"\n.balign 4\n"
        ".ascii \"{}\"\n.fill 1048574, 1, 0x20\n"
        ".popsection\n");
GOOD_ENTRY;
GOOD_RECONCILE
