/* SPDX-License-Identifier: Apache-2.0 */
/* A note that says it is longer than its section. */
#include "bad.h"

__asm__(".pushsection .note.leasehold,\"a\",@note\n"
        ".balign 4\n.long 10, 4000, 1\n.asciz \"Leasehold\"\n.balign 4\n.ascii \"{\\\"abi\\\"\"\n"
        ".popsection\n");
GOOD_ENTRY;
GOOD_RECONCILE
