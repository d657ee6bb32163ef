/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <leasehold/label_selector.h>

static lh_json_t json(const char *text)
{
    return lh_json_text(text, strlen(text));
}

static const char pod[] = "{\"metadata\":{\"labels\":{\"app\":\"web\",\"example.com/tier\":\"a\","
                          "\"n\":\"5\",\"empty\":\"\",\"in\":\"notin\"},"
                          "\"annotations\":{\"example.com/note\":\"any text\"}}}";

Test(labels, are_read_by_their_key)
{
    char value[LH_LABEL_SIZE] = "";

    EXPECT_INT(lh_label(json(pod), "example.com/tier", value, sizeof(value)), 0);
    EXPECT_STR(value, "a");
    EXPECT_INT(lh_annotation(json(pod), "example.com/note", value, sizeof(value)), 0);
    EXPECT_STR(value, "any text");
    EXPECT_INT(lh_label(json(pod), "ap", value, sizeof(value)), LH_ENOTFOUND);
    EXPECT_INT(lh_label(json(pod), "apps", value, sizeof(value)), LH_ENOTFOUND);
    EXPECT_INT(lh_label(json("{}"), "app", value, sizeof(value)), LH_ENOTFOUND);
    EXPECT_INT(lh_label(json(pod), "app", value, 3), LH_ETOOBIG);
    EXPECT_STR(value, "any text");
}

Test(labels, have_valid_keys_and_values)
{
    static const char *const keys[] = {"a", "app", "A.b_c-9", "example.com/a", "a-b.c/d"};
    static const char *const bad_keys[] = {"",      "-a",     "a-",   "a b",  "/a",    "a/",
                                           "A.b/c", "a..b/c", ".a/b", "a./b", "a/b/c", "-a/b"};
    char longest[65];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        cr_expect(lh_label_key_is_valid(keys[i]), "'%s' is refused", keys[i]);
    for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++)
        cr_expect(!lh_label_key_is_valid(bad_keys[i]), "'%s' is accepted", bad_keys[i]);
    memset(longest, 'x', 64);
    longest[64] = '\0';
    cr_expect(!lh_label_value_is_valid(longest) && !lh_label_key_is_valid(longest));
    cr_expect(lh_label_value_is_valid(longest + 1) && lh_label_key_is_valid(longest + 1));
    cr_expect(lh_label_value_is_valid("") && !lh_label_value_is_valid("a/b"));
}

static void expect_match(const char *selector, int expected)
{
    lh_error_t err = {0};
    const int ret = lh_selector_matches(selector, json(pod), &err);

    cr_expect(ret == expected, "'%s': %d, expected %d: %s", selector, ret, expected, err.text);
    EXPECT_INT(err.code, expected < 0 ? expected : 0);
}

Test(selector, matches_labels)
{
    static const char *const yes[] = {"",
                                      "  ",
                                      "app",
                                      "app=web",
                                      "app==web",
                                      "app!=db",
                                      "none!=x",
                                      "!none",
                                      "! none",
                                      "app in (db, web)",
                                      "app in(web)",
                                      "app notin (db)",
                                      "none notin (db)",
                                      "example.com/tier=a , app = web",
                                      "n>4",
                                      "n<6,n > 4",
                                      "empty=",
                                      "empty in ()",
                                      "empty",
                                      "in=notin",
                                      "in in (notin)"};
    static const char *const no[] = {"none",         "none=",      "app=",        "app=db",
                                     "app!=web",     "!app",       "app in (db)", "app notin (web)",
                                     "n>5",          "n<5",        "app>1",       "app=web,none",
                                     "none,app=web", "none in ()", "none>0"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        expect_match(yes[i], 1);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        expect_match(no[i], 0);
}

Test(selector, refuses_what_is_none)
{
    static const char *const table[] = {",",          "app,",       "app=web,",     "=web",
                                        "app=web db", "app in web", "app in (a",    "app in",
                                        "!app=web",   "app===web",  "app=a/b",      "n>x",
                                        "n>",         "a b",        "app in (a;b)", "-a=1",
                                        "(",          "app=web;",   "app>1 2"};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_match(table[i], LH_EPARSE);
}

Test(selector, says_where_it_is_wrong)
{
    lh_error_t err = {0};

    EXPECT_INT(lh_selector_matches("app in web", json(pod), &err), LH_EPARSE);
    EXPECT_STR(err.text, "selector 'app in web': expected '(' at byte 7");
}

static void expect_print(const char *selector, int code, const char *expected)
{
    char text[128] = "untouched";
    lh_error_t err = {0};

    EXPECT_INT(lh_selector_print(json(selector), text, sizeof(text), &err), code);
    if (code == 0)
        EXPECT_STR(text, expected);
    EXPECT_INT(err.code, code);
}

Test(selector, is_printed_from_an_object)
{
    expect_print("{}", 0, "");
    expect_print("{\"matchLabels\":{\"app\":\"web\",\"t/x\":\"\"}}", 0, "app=web,t/x=");
    expect_print(
        "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"x\",\"y\"]"
        "},{\"key\":\"b\",\"operator\":\"NotIn\",\"values\":[\"z\"]},"
        "{\"key\":\"c\",\"operator\":\"Exists\"},"
        "{\"key\":\"d\",\"operator\":\"DoesNotExist\"}],\"matchLabels\":{\"m\":\"1\"}}",
        0, "m=1,a in (x,y),b notin (z),c,!d");
    expect_print("[]", LH_EINVAL, NULL);
    expect_print("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Gt\"}]}", LH_EINVAL, NULL);
    expect_print("{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\"}]}", LH_EINVAL, NULL);
    expect_print("{\"matchLabels\":{\"a\":1}}", LH_EINVAL, NULL);
    expect_print(
        "{\"matchLabels\":{\"a\":\"0123456789012345678901234567890123456789012345678901234567"
        "8901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "\"}}",
        LH_ETOOBIG, NULL);
}
