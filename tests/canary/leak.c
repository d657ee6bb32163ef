/* SPDX-License-Identifier: Apache-2.0 */
/* A leak in a test that passes: Criterion's exit status stays 0, only the log shows it. */
#include <criterion/criterion.h>
#include <stdlib.h>

Test(canary, leaks)
{
    char *volatile p = malloc(64);

    cr_assert_neq((void *) p, NULL, "malloc failed");
    p[0] = 'x';
    p = NULL;
}
