/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include "support/expect.h"

Test(rand, below_stays_in_its_range_and_reaches_all_of_it)
{
    int seen[7] = {0};

    for (int i = 0; i < 2000; i++) {
        int64_t v = rand_below(7);

        cr_assert(v >= 0 && v < 7, "%lld is outside [0, 7)", (long long) v);
        seen[v]++;
    }
    for (int i = 0; i < 7; i++) /* expected 286; below 100 once in 10^38 */
        cr_expect(seen[i] > 100, "%d came %d times of 2000", i, seen[i]);
}

Test(rand, below_of_huge_bounds_is_not_negative)
{
    for (int i = 0; i < 200; i++)
        cr_assert(rand_below(INT64_MAX) >= 0);
}

Test(rand, below_has_only_zero_for_small_bounds)
{
    EXPECT_INT(rand_below(1), 0);
    EXPECT_INT(rand_below(0), 0);
    EXPECT_INT(rand_below(-3), 0);
    EXPECT_INT(rand_below(INT64_MIN), 0);
}

Test(rand, hex_writes_two_lower_case_digits_a_byte)
{
    char a[33], b[33], none[2] = "x";

    rand_hex(a, 16);
    rand_hex(b, 16);
    EXPECT_INT(strlen(a), 32);
    EXPECT_INT(strspn(a, "0123456789abcdef"), 32);
    cr_expect(strcmp(a, b) != 0, "two of 128 bits are equal: %s", a);
    rand_hex(none, 0);
    EXPECT_STR(none, "");
}

Test(rand, bytes_fills_all_of_the_memory_and_no_more)
{
    unsigned char bytes[66] = {0};
    int nonzero = 0;

    bytes[64] = bytes[65] = 0xaa;
    rand_bytes(bytes, 64);
    for (int i = 0; i < 64; i++)
        nonzero += bytes[i] != 0;
    cr_expect(nonzero > 48, "%d of 64 bytes were written", nonzero);
    EXPECT_INT(bytes[64], 0xaa);
    EXPECT_INT(bytes[65], 0xaa);
}
