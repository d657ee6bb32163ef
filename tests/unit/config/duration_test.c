/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "config/table.h"
#include "support/expect.h"

Test(duration, every_form_is_read_and_printed_in_the_shortest)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *printed;
    } rows[] = {
        {"15s", 15 * CLOCK_S, "15s"},
        {"500ms", 500 * CLOCK_MS, "500ms"},
        {"1m30s", 90 * CLOCK_S, "1m30s"},
        {"1h", 3600 * CLOCK_S, "1h"},
        {"1.5h", 5400 * CLOCK_S, "1h30m"},
        {"1h1m1s1ms1us1ns", 3661 * CLOCK_S + CLOCK_MS + CLOCK_US + 1, "1h1m1s1ms1us1ns"},
        {"15", 15 * CLOCK_S, "15s"},
        {"0.25", 250 * CLOCK_MS, "250ms"},
        {"1.5s", 1500 * CLOCK_MS, "1s500ms"},
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"90s", 90 * CLOCK_S, "1m30s"},
        {"00:00:15", 15 * CLOCK_S, "15s"},
        {"01:02:03.5", 3723 * CLOCK_S + 500 * CLOCK_MS, "1h2m3s500ms"},
        {"1.0000000001s", CLOCK_S, "1s"},
        {"9223372036s", 9223372036 * CLOCK_S, "2562047h47m16s"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        buf_t out = BUF_INIT;
        int64_t ns = -1, again = -1;
        lh_error_t err = {0};

        ASSERT_OK(config_duration_parse(rows[i].text, &ns, &err), err);
        EXPECT_INT(ns, rows[i].ns);
        config_duration_print(ns, &out);
        EXPECT_STR(buf_text(&out), rows[i].printed);
        ASSERT_OK(config_duration_parse(buf_text(&out), &again, &err), err);
        EXPECT_INT(again, ns);
        buf_fini(&out);
    }
}

Test(duration, all_else_is_refused)
{
    static const char *const bad[] = {"",
                                      "s",
                                      "ms",
                                      "-5s",
                                      "+5s",
                                      "5 s",
                                      "5S",
                                      "5sec",
                                      "1.s",
                                      ".5s",
                                      "1..5",
                                      "1.2.3",
                                      "1m30",
                                      "1e3s",
                                      "0x10",
                                      "5s ",
                                      "1:2:3",
                                      "00:15",
                                      "00:60:00",
                                      "00:00:60",
                                      "00:00:150",
                                      "0:00:15",
                                      "00:00:15x",
                                      "::",
                                      "9223372037s",
                                      "9223372036.9s",
                                      "99999999999999999999",
                                      "99999999999h",
                                      "inf",
                                      "nan"};

    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        int64_t ns = -1;
        lh_error_t err = {0};
        const int rc = config_duration_parse(bad[i], &ns, &err);

        cr_expect(rc == LH_EINVAL, "'%s' gives %d", bad[i], rc);
        cr_expect(ns == -1, "'%s' changed the value to %lld", bad[i], (long long) ns);
        EXPECT_HAS(err.text, "is no duration: write 15s, 500ms, 1m30s or a number of seconds");
    }
}
