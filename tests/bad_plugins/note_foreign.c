/* SPDX-License-Identifier: Apache-2.0 */
/* A note of the right type by somebody else, and one of ours of another type. */
#include "bad.h"

__asm__(".pushsection .note.other,\"a\",@note\n"
        ".balign 4\n.long 6, 4, 1\n.asciz \"Other\"\n.balign 4\n.ascii \"{}  \"\n"
        ".long 10, 4, 7\n.asciz \"Leasehold\"\n.balign 4\n.ascii \"{}  \"\n"
        ".popsection\n");
GOOD_ENTRY;
GOOD_RECONCILE
