/* SPDX-License-Identifier: Apache-2.0 */
/* Undefined behaviour that goes unnoticed without UndefinedBehaviorSanitizer. */
#include <criterion/criterion.h>
#include <limits.h>

Test(canary, overflows_an_int)
{
    volatile int i = INT_MAX;

    i = i + 1;
}
