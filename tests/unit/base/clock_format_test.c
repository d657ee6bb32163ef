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

static void expect_parsed(const char *text, int64_t expected)
{
    int64_t wall = -1;

    cr_expect(clock_parse(text, &wall), "'%s' was refused", text);
    EXPECT_INT(wall, expected);
}

Test(clock_format, reads_rfc3339_with_any_fraction_and_zone)
{
    expect_parsed("2026-01-02T03:04:05Z", INT64_C(1767323045000000000));
    expect_parsed("2026-01-02T03:04:05.000006Z", INT64_C(1767323045000006000));
    expect_parsed("2026-01-02T03:04:05.1234567891Z", INT64_C(1767323045123456789));
    expect_parsed("2026-01-02T05:34:05+02:30", INT64_C(1767323045000000000));
    expect_parsed("2026-01-01T22:04:05-05:00", INT64_C(1767323045000000000));
    expect_parsed("1970-01-01T00:00:00Z", 0);
    expect_parsed("9999-12-31T23:59:59Z", CLOCK_NEVER);
}

Test(clock_format, reads_nothing_else)
{
    static const char *const bad[] = {"",
                                      "2026-01-02",
                                      "2026-01-02T03:04:05",
                                      "2026-01-02 03:04:05Z",
                                      "2026-1-2T3:4:5Z",
                                      "2026-13-02T03:04:05Z",
                                      "2026-02-30T03:04:05Z",
                                      "2026-01-02T24:04:05Z",
                                      "2026-01-02T03:04:05.Z",
                                      "2026-01-02T03:04:05Zz",
                                      "2026-01-02T03:04:05+0200",
                                      "2026-01-02T03:04:05+25:00",
                                      "1767323045"};
    int64_t wall;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect(!clock_parse(bad[i], &wall), "'%s' was taken", bad[i]);
}
