/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "support/expect.h"

static void expect_time(int64_t wall, const char *expected)
{
    char text[32];

    clock_format(wall, text);
    EXPECT_STR(text, expected);
}

Test(clock_format, writes_rfc3339_with_microseconds)
{
    expect_time(INT64_C(1767323045000006000), "2026-01-02T03:04:05.000006Z");
    expect_time(0, "1970-01-01T00:00:00.000000Z");
    expect_time(INT64_C(951782400) * CLOCK_S, "2000-02-29T00:00:00.000000Z");
}

Test(clock_format, cuts_nanoseconds_off)
{
    expect_time(CLOCK_S - 1, "1970-01-01T00:00:00.999999Z");
    expect_time(999, "1970-01-01T00:00:00.000000Z");
}

Test(clock_format, goes_back_before_1970)
{
    expect_time(-1, "1969-12-31T23:59:59.999999Z");
    expect_time(-CLOCK_S, "1969-12-31T23:59:59.000000Z");
}

Test(clock_format, holds_every_time_of_64_bits)
{
    expect_time(INT64_MAX, "2262-04-11T23:47:16.854775Z");
    expect_time(INT64_MIN, "1677-09-21T00:12:43.145224Z");
}
