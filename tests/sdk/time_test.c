/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <leasehold/duration.h>
#include <time.h>

static void expect_time(const char *text, int code, int64_t expected)
{
    lh_error_t err = {0};
    int64_t ns = 77;
    const int ret = lh_time_parse(text, &ns, &err);

    cr_expect(ret == code && ns == (code == 0 ? expected : 77),
              "'%s': %d and %lld, expected %d and %lld", text, ret, (long long) ns, code,
              (long long) expected);
    EXPECT_INT(err.code, code);
}

Test(time, reads_rfc_3339)
{
    expect_time("1970-01-01T00:00:00Z", 0, 0);
    expect_time("2026-02-03T04:05:06Z", 0, INT64_C(1770091506) * LH_SECOND);
    expect_time("2026-02-03T04:05:06.789Z", 0, INT64_C(1770091506789) * LH_MILLISECOND);
    expect_time("2026-02-03T04:05:06.123456789123Z", 0, INT64_C(1770091506123456789));
    expect_time("2026-02-03T05:35:06+01:30", 0, INT64_C(1770091506) * LH_SECOND);
    expect_time("2026-02-02T23:05:06-05:00", 0, INT64_C(1770091506) * LH_SECOND);
    expect_time("2024-02-29T00:00:00Z", 0, INT64_C(1709164800) * LH_SECOND);
    expect_time("1969-12-31T23:59:59.5Z", 0, -LH_SECOND / 2);
    expect_time("1900-01-01T00:00:00Z", 0, INT64_C(-2208988800) * LH_SECOND);
}

Test(time, refuses_what_is_no_time)
{
    static const char *const table[] = {
        "",
        "2026",
        "2026-02-03",
        "2026-02-03 04:05:06Z",
        "2026-02-03t04:05:06z",
        "2026-02-03T04:05:06",
        "2026-02-03T04:05:06.Z",
        "2026-02-03T04:05:06Zx",
        "2026-02-30T04:05:06Z",
        "2025-02-29T04:05:06Z",
        "2026-13-01T04:05:06Z",
        "2026-00-01T04:05:06Z",
        "2026-02-00T04:05:06Z",
        "2026-02-03T24:05:06Z",
        "2026-02-03T04:60:06Z",
        "2026-02-03T04:05:60Z",
        "2026-02-03T04:05:06+1:00",
        "2026-02-03T04:05:06+24:00",
        "2026-02-03T04:05:06+01:60",
        "2026-02-03T04:05:06+",
        "-026-02-03T04:05:06Z",
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_time(table[i], LH_EPARSE, 0);
    expect_time("9999-12-31T23:59:59Z", LH_ETOOBIG, 0);
    expect_time("0001-01-01T00:00:00Z", LH_ETOOBIG, 0);
}

/* Against the C library's calendar. */
Test(time, prints_every_day_as_the_calendar_has_it)
{
    for (int64_t day = -100000; day < 100000; day += 13) {
        const int64_t ns = (day * 86400 + 86399) * LH_SECOND + 999999999;
        const time_t seconds = (time_t) (day * 86400 + 86399);
        char text[LH_TIME_SIZE], expected[64];
        struct tm utc;
        int64_t again = 0;

        (void) strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
        lh_time_print(ns, text);
        EXPECT_STR(text, expected);
        lh_time_print_micro(ns, text);
        cr_expect(lh_time_parse(text, &again, NULL) == 0 && again == ns - 999, "%s is %lld", text,
                  (long long) again);
    }
}

Test(time, prints_micro_time)
{
    char text[LH_TIME_SIZE];

    lh_time_print_micro(INT64_C(1770091506000789999), text);
    EXPECT_STR(text, "2026-02-03T04:05:06.000789Z");
    lh_time_print_micro(-1, text);
    EXPECT_STR(text, "1969-12-31T23:59:59.999999Z");
    lh_time_print(INT64_MAX, text);
    EXPECT_STR(text, "2262-04-11T23:47:16Z");
    lh_time_print(INT64_MIN, text);
    EXPECT_STR(text, "1677-09-21T00:12:43Z");
}

Test(time, is_read_from_an_object)
{
    static const char object[] = "{\"at\": \"1970-01-01T00:00:01Z\", \"bad\": \"soon\", \"n\": 3}";
    const lh_json_t json = lh_json_text(object, sizeof(object) - 1);
    int64_t ns = 0;

    EXPECT_INT(lh_json_time(json, "/at", &ns), 0);
    EXPECT_INT(ns, LH_SECOND);
    EXPECT_INT(lh_json_time(json, "/bad", &ns), LH_EPARSE);
    EXPECT_INT(lh_json_time(json, "/n", &ns), LH_EINVAL);
    EXPECT_INT(lh_json_time(json, "/none", &ns), LH_ENOTFOUND);
    cr_expect(lh_time_now() > INT64_C(1700000000) * LH_SECOND);
}

static void expect_duration(const char *text, int code, int64_t expected)
{
    lh_error_t err = {0};
    int64_t ns = 77;
    const int ret = lh_duration_parse(text, &ns, &err);

    cr_expect(ret == code && ns == (code == 0 ? expected : 77),
              "'%s': %d and %lld, expected %d and %lld", text, ret, (long long) ns, code,
              (long long) expected);
    EXPECT_INT(err.code, code);
}

Test(duration, reads_go_durations)
{
    expect_duration("0", 0, 0);
    expect_duration("-0", 0, 0);
    expect_duration("90s", 0, 90 * LH_SECOND);
    expect_duration("1h30m", 0, 90 * LH_MINUTE);
    expect_duration("1h1m1s1ms1us1ns", 0, LH_HOUR + LH_MINUTE + LH_SECOND + 1001001);
    expect_duration("1.5h", 0, 90 * LH_MINUTE);
    expect_duration(".5s", 0, LH_SECOND / 2);
    expect_duration("5.s", 0, 5 * LH_SECOND);
    expect_duration("-1m", 0, -LH_MINUTE);
    expect_duration("+1m", 0, LH_MINUTE);
    expect_duration("2\xc2\xb5s", 0, 2000);
    expect_duration("0.000000001s", 0, 1);
}

Test(duration, refuses_what_is_no_duration)
{
    static const char *const table[] = {"",     "1",   "s",  "1d",   "1 h",    "h1",
                                        "--1s", "1s ", ".s", "1x2s", "1.2.3s", "-"};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_duration(table[i], LH_EPARSE, 0);
    expect_duration("3000000h", LH_ETOOBIG, 0);
    expect_duration("99999999999999999999ns", LH_ETOOBIG, 0);
    expect_duration("2562047h47m16s1h", LH_ETOOBIG, 0);
}
