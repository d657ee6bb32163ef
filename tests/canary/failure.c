/* SPDX-License-Identifier: Apache-2.0 */
/* A test that fails. */
#include <criterion/criterion.h>

Test(canary, fails)
{
    cr_assert_eq(1, 2, "1 is not 2, as it must be");
}
