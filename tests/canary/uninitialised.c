/* SPDX-License-Identifier: Apache-2.0 */
/* A branch on memory that was never written: visible to valgrind alone. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(canary, branches_on_uninitialised_memory)
{
    char *volatile p = malloc(64);

    cr_assert_neq((void *) p, NULL, "malloc failed");
    if (p[3] == 'x')
        puts("x");
    free(p);
}
