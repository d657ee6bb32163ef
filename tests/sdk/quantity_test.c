/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <leasehold/quantity_math.h>

static lh_quantity_t quantity(const char *text)
{
    lh_quantity_t q = {0};
    lh_error_t err = {0};

    cr_expect(lh_quantity_parse(text, &q, &err) == 0, "'%s': %s", text, err.text);
    return q;
}

/* As API servers are asked by tests/e2e/client_test.c. */
Test(quantity, is_printed_in_the_canonical_form)
{
    static const char *const table[][2] = {
        {"0", "0"},
        {"0.0", "0"},
        {"0Ki", "0"},
        {"1", "1"},
        {"+1", "1"},
        {"-1", "-1"},
        {"1000m", "1"},
        {"1500m", "1500m"},
        {"0.5", "500m"},
        {".5", "500m"},
        {"5.", "5"},
        {"-0.1", "-100m"},
        {"1000", "1k"},
        {"12345", "12345"},
        {"1000000", "1M"},
        {"1.5k", "1500"},
        {"1.5Gi", "1536Mi"},
        {"1024Ki", "1Mi"},
        {"0.5Ki", "512"},
        {"1025Ki", "1025Ki"},
        {"1.0001Ki", "1024102400u"},
        {"1024.5Ki", "1049088"},
        {"512", "512"},
        {"100n", "100n"},
        {"1000n", "1u"},
        {"0.1n", "1n"},
        {"1.0000000001", "1000000001n"},
        {"-1.0000000001", "-1000000001n"},
        {"1e3", "1e3"},
        {"1E3", "1e3"},
        {"1e-3", "1e-3"},
        {"1.5e3", "1500"},
        {"100e1", "1e3"},
        {"1e0", "1"},
        {"1E", "1E"},
        {"7Ei", "7Ei"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775807", "-9223372036854775807"},
        {"9223372036854775806.123456789", "9223372036854775806123456789n"},
        {"0.000000000000000000001", "1n"},
        {"1e-100", "1e-9"},
        {"0e1000", "0"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[LH_QUANTITY_SIZE];
        lh_quantity_print(quantity(table[i][0]), text);
        cr_expect(strcmp(text, table[i][1]) == 0, "%s is printed as %s, expected %s", table[i][0],
                  text, table[i][1]);
    }
}

Test(quantity, refuses_what_is_none)
{
    static const struct {
        const char *text;
        int code;
    } table[] = {
        {"", LH_EPARSE},       {"m", LH_EPARSE},
        {".", LH_EPARSE},      {"1.2.3", LH_EPARSE},
        {"1K", LH_EPARSE},     {"1ki", LH_EPARSE},
        {"1 ", LH_EPARSE},     {" 1", LH_EPARSE},
        {"1mm", LH_EPARSE},    {"1e", LH_EPARSE},
        {"1e+", LH_EPARSE},    {"1e3x", LH_EPARSE},
        {"--1", LH_EPARSE},    {"1Mib", LH_EPARSE},
        {"0x10", LH_EPARSE},   {"9223372036854775808", LH_ETOOBIG},
        {"8Ei", LH_ETOOBIG},   {"10E", LH_ETOOBIG},
        {"1e100", LH_ETOOBIG}, {"99999999999999999999999999999999999999999999", LH_ETOOBIG}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        lh_quantity_t q = {7, 7, 7};
        lh_error_t err = {0};
        const int ret = lh_quantity_parse(table[i].text, &q, &err);
        cr_expect(ret == table[i].code && err.code == ret && q.whole == 7, "'%s': %d, expected %d",
                  table[i].text, ret, table[i].code);
    }
}

Test(quantity, is_a_number)
{
    int64_t milli = 0;

    EXPECT_INT(lh_quantity_value(quantity("1.5Gi")), 1610612736);
    EXPECT_INT(lh_quantity_value(quantity("100m")), 1);
    EXPECT_INT(lh_quantity_value(quantity("-100m")), -1);
    EXPECT_INT(lh_quantity_milli(quantity("1.5"), &milli), 0);
    EXPECT_INT(milli, 1500);
    EXPECT_INT(lh_quantity_milli(quantity("1u"), &milli), 0);
    EXPECT_INT(milli, 1);
    EXPECT_INT(lh_quantity_milli(quantity("7Ei"), &milli), LH_ETOOBIG);
}

Test(quantity, is_compared_added_and_subtracted)
{
    lh_quantity_t sum = {0};
    char text[LH_QUANTITY_SIZE];

    EXPECT_INT(lh_quantity_compare(quantity("1Gi"), quantity("1073741824")), 0);
    EXPECT_INT(lh_quantity_compare(quantity("999m"), quantity("1")), -1);
    EXPECT_INT(lh_quantity_compare(quantity("-1"), quantity("-2")), 1);
    EXPECT_INT(lh_quantity_add(&sum, quantity("512Mi")), 0);
    EXPECT_INT(lh_quantity_add(&sum, quantity("1.5Gi")), 0);
    lh_quantity_print(sum, text);
    EXPECT_STR(text, "2Gi");
    EXPECT_INT(lh_quantity_subtract(&sum, quantity("3Gi")), 0);
    lh_quantity_print(sum, text);
    EXPECT_STR(text, "-1Gi");
    sum = quantity("7Ei");
    EXPECT_INT(lh_quantity_add(&sum, quantity("7Ei")), LH_ETOOBIG);
    EXPECT_INT(lh_quantity_compare(sum, quantity("7Ei")), 0);
    sum = quantity("100m");
    EXPECT_INT(lh_quantity_subtract(&sum, quantity("0.2")), 0);
    lh_quantity_print(sum, text);
    EXPECT_STR(text, "-100m");
}

Test(quantity, is_read_from_an_object)
{
    static const char object[] = "{\"cpu\": \"500m\", \"n\": 1.5, \"bad\": true, \"odd\": \"x\"}";
    const lh_json_t json = lh_json_text(object, sizeof(object) - 1);
    lh_quantity_t q = {0};
    lh_error_t err = {0};

    ASSERT_OK(lh_json_quantity(json, "/cpu", &q, &err), err);
    EXPECT_INT(lh_quantity_compare(q, quantity("0.5")), 0);
    ASSERT_OK(lh_json_quantity(json, "/n", &q, &err), err);
    EXPECT_INT(lh_quantity_compare(q, quantity("1500m")), 0);
    EXPECT_INT(lh_json_quantity(json, "/bad", &q, &err), LH_EINVAL);
    EXPECT_STR(err.text, "/bad: invalid argument");
    EXPECT_INT(lh_json_quantity(json, "/odd", &q, &err), LH_EPARSE);
    EXPECT_STR(err.text, "'x' is no quantity such as \"500m\" or \"1.5Gi\"");
    EXPECT_INT(lh_json_quantity(json, "/none", &q, &err), LH_ENOTFOUND);
}
