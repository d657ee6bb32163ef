/* SPDX-License-Identifier: Apache-2.0 */
/* A test that is skipped. */
#include <criterion/criterion.h>

Test(canary, is_skipped)
{
    cr_skip_test("on purpose");
}
