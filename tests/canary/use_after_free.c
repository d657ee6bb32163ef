/* SPDX-License-Identifier: Apache-2.0 */
/* A read of freed memory. */
#include <criterion/criterion.h>
#include <stdlib.h>

Test(canary, reads_freed_memory)
{
    char *volatile p = malloc(64);
    volatile char c;

    cr_assert_neq((void *) p, NULL, "malloc failed");
    p[3] = 'x';
    free(p);
    c = p[3];
    (void) c;
}
