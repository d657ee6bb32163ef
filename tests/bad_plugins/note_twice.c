/* SPDX-License-Identifier: Apache-2.0 */
/* Two manifests. */
#include "bad.h"

BAD_MANIFEST("note-twice");
__asm__(".pushsection .note.leasehold,\"a\",@note\n"
        ".balign 4\n.long 10, 4, 1\n.asciz \"Leasehold\"\n.balign 4\n.ascii \"{}  \"\n"
        ".popsection\n");
GOOD_ENTRY;
GOOD_RECONCILE
