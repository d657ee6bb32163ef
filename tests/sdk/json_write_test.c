/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <inttypes.h>
#include <leasehold/json_covers.h>
#include <leasehold/json_write.h>

#define EXPECT_JSON(expected, ...)                                                                 \
    do {                                                                                           \
        char *json_ = lh_json_printf(__VA_ARGS__);                                                 \
        EXPECT_STR(json_, expected);                                                               \
        free(json_);                                                                               \
    } while (0)

Test(json_write, prints_with_single_quotes)
{
    EXPECT_JSON("{\"name\":\"a\",\"n\":-3,\"big\":9223372036854775807,\"x\":[1,2],\"p\":\"50%\"}",
                "{'name':'%s','n':%d,'big':%" PRId64 ",'x':%s,'p':'%d%%'}", "a", -3, INT64_MAX,
                "[1,2]", 50);
    EXPECT_JSON("{\"l\":1,\"ll\":2}", "{'l':%ld,'ll':%lld}", 1L, 2LL);
    EXPECT_JSON("\"it's\"", "'it\\'s'");
}

Test(json_write, escapes_text_between_quotes)
{
    EXPECT_JSON("\"\\\"\\\\\\u000a\\u0001'/\xc3\xa9\"", "'%s'", "\"\\\n\x01'/\xc3\xa9");
    EXPECT_JSON("\"x\\\",\\\"y\\\":\\\"\"", "'%s'", "x\",\"y\":\"");
}

Test(json_write, cuts_a_string_by_its_precision)
{
    EXPECT_JSON("{\"a\":\"ab\",\"b\":\"q\"}", "{'a':'%.*s','b':%.*s}", 2, "abcdef", 3, "\"q\"tail");
    EXPECT_JSON("\"\"", "'%.*s'", -1, "abc");
}

Test(json_write, takes_only_json_outside_of_quotes)
{
    static const char *const bad[] = {"", "x", "1,\"admin\":true", "[1", "\"a\" \"b\""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *text = lh_json_printf("{'a':%s}", bad[i]);
        cr_expect(text == NULL, "'%s' became %s", bad[i], text);
        free(text);
    }
}

/* It was read, and crashed. */
Test(json_write, fails_on_a_null_string)
{
    const char *volatile null = NULL; /* the compiler must not see it */

    cr_expect(lh_json_printf("'%s'", null) == NULL);
    cr_expect(lh_json_printf("%s", null) == NULL);
    cr_expect(lh_json_printf("'%.*s'", 3, null) == NULL);
}

Test(json_write, refuses_other_formats)
{
    cr_expect_null(lh_json_printf("{'a':%u}", 1u), "%%u was taken");
    cr_expect_null(lh_json_printf("{'a':%5d}", 1), "%%5d was taken");
    cr_expect_null(lh_json_printf("{'a':1"
                                  "'}"),
                   "an open string was taken");
}

static int covers(const char *actual, const char *wanted)
{
    return lh_json_covers(lh_json_text(actual, strlen(actual)),
                          lh_json_text(wanted, strlen(wanted)));
}

Test(json_covers, compares_only_what_is_wanted)
{
    static const struct {
        const char *actual, *wanted;
        int expected;
    } table[] = {
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", 1},
        {"{\"a\":1}", "{\"a\":1,\"b\":2}", 0},
        {"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}", 1},
        {"{\"a\":[{\"x\":1,\"d\":0}]}", "{\"a\":[{\"x\":1}]}", 1},
        {"{\"a\":[1,2]}", "{\"a\":[1]}", 0},
        {"{\"a\":[1]}", "{\"a\":[1,2]}", 0},
        {"{\"a\":[]}", "{\"a\":[]}", 1},
        {"{\"a\":1}", "{\"b\":null}", 1},
        {"{\"a\":1}", "{\"a\":null}", 0},
        {"{\"a\":null}", "{\"a\":null}", 1},
        {"{\"a\":\"\\u0062\"}", "{\"\\u0061\":\"b\"}", 1},
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", 0},
        {"{\"a\":1.0}", "{\"a\":1}", 1},
        {"{\"a\":9007199254740993}", "{\"a\":9007199254740992}", 0},
        {"{\"a\":\"1\"}", "{\"a\":1}", 0},
        {"{\"a\":true}", "{\"a\":false}", 0},
        {"{\"a\":{}}", "{\"a\":[]}", 0},
        {"{\"a\":", "{\"a\":1}", 0},
        {"{\"a\":1}", "{\"a\":1", 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const int got = covers(table[i].actual, table[i].wanted);
        cr_expect(got == table[i].expected, "%s covers %s: %d, expected %d", table[i].actual,
                  table[i].wanted, got, table[i].expected);
    }
}
