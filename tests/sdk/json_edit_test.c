/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <leasehold/json_covers.h>
#include <leasehold/json_edit.h>

static lh_json_t json(const char *text)
{
    return lh_json_text(text, strlen(text));
}

/* text NULL: without. expected NULL: refused. */
static void expect_edit(const char *value, const char *pointer, const char *text,
                        const char *expected)
{
    char *out = text != NULL ? lh_json_with(json(value), pointer, text)
                             : lh_json_without(json(value), pointer);
    const int same = out == NULL || expected == NULL ? out == expected : strcmp(out, expected) == 0;

    cr_expect(same, "%s with %s at '%s' is\n  %s\nexpected\n  %s", value,
              text != NULL ? text : "nothing", pointer, out != NULL ? out : "(refused)",
              expected != NULL ? expected : "(refused)");
    free(out);
}

Test(json_edit, puts_a_value_in)
{
    static const char *const table[][4] = {
        {"{}", "", "3", "3"},
        {"{}", "/a", "1", "{\"a\":1}"},
        {"{}", "/a/b", "1", "{\"a\":{\"b\":1}}"},
        {" {\"a\" : 1 , \"b\":2}", "/a", "{}", "{\"a\":{},\"b\":2}"},
        {"{\"a\":{\"b\":[1,2]},\"c\":3}", "/a/b/1", "\"x\"", "{\"a\":{\"b\":[1,\"x\"]},\"c\":3}"},
        {"{\"a\":[]}", "/a/-", "1", "{\"a\":[1]}"},
        {"{\"a\":[1]}", "/a/-", "2", "{\"a\":[1,2]}"},
        {"{\"a\":null}", "/a/b", "1", "{\"a\":{\"b\":1}}"},
        {"{}", "/x~1y~0z\"", "1", "{\"x/y~z\\\"\":1}"},
        {"{\"x/y\":1}", "/x~1y", "2", "{\"x/y\":2}"},
        {"{\"a\":1}", "/a", " null ", "{\"a\": null }"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_edit(table[i][0], table[i][1], table[i][2], table[i][3]);
}

Test(json_edit, takes_a_value_out)
{
    static const char *const table[][3] = {
        {"{\"a\":1}", "/a", "{}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "/a", "{\"b\":2,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "/b", "{\"a\":1,\"c\":3}"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "/c", "{\"a\":1,\"b\":2}"},
        {"{\"a\":[1,2,3]}", "/a/1", "{\"a\":[1,3]}"},
        {"{\"a\":{\"b\":1}}", "/a/b", "{\"a\":{}}"},
        {"{\"a\":1}", "/b", "{\"a\":1}"},
        {"{\"a\":1}", "/b/c", "{\"a\":1}"},
        {"{\"a\":[1]}", "/a/7", "{\"a\":[1]}"},
        {"{\"a\":null}", "/a/b", "{\"a\":null}"}, /* nothing is made on the way to what goes */
        {"null", "/a", "null"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_edit(table[i][0], table[i][1], NULL, table[i][2]);
}

Test(json_edit, refuses_what_would_be_no_json)
{
    static const char *const table[][3] = {
        {"{\"a\":1", "/a", "1"}, {"{}", "/a", "1 2"},        {"{}", "/a", ""},
        {"{}", "a", "1"},        {"{\"a\":1}", "/a/b", "1"}, {"[1]", "/1", "2"},
        {"", "/a", "1"},         {"{}", "/a", "{"},          {"{\"a\":[1]}", "/a/x", "1"}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        expect_edit(table[i][0], table[i][1], table[i][2], NULL);
    expect_edit("{\"a\"}", "/a", NULL, NULL);
}

Test(json_edit, drops_nulls)
{
    static const char *const table[][2] = {
        {"{\"a\":null}", "{}"},
        {" {\"a\": null , \"b\": {\"c\": null, \"d\": 1}, \"e\": [null, {\"f\": null}]}",
         "{\"b\":{\"d\":1},\"e\":[null,{}]}"},
        {"null", "null"},
        {"\"null\"", "\"null\""}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char *out = lh_json_without_nulls(json(table[i][0]));
        EXPECT_STR(out, table[i][1]);
        free(out);
    }
    cr_expect_null(lh_json_without_nulls(json("{\"a\":")));
}

Test(json_edit, knows_equal_values)
{
    static const struct {
        const char *a, *b;
        int same;
    } table[] = {{"1", "1.0", 1},
                 {"{\"a\":1,\"b\":[1,2]}", " {\"b\" : [1, 2], \"a\":1}", 1},
                 {"{\"a\":1}", "{\"a\":1,\"b\":2}", 0},
                 {"{\"a\":1,\"b\":2}", "{\"a\":1}", 0},
                 {"{\"a\":1}", "{\"b\":1}", 0},
                 {"[1,2]", "[2,1]", 0},
                 {"[1]", "[1,2]", 0},
                 {"\"\\u0061\"", "\"a\"", 1},
                 {"null", "{}", 0},
                 {"{", "{", 0}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const int same = lh_json_same(json(table[i].a), json(table[i].b));
        cr_expect(same == table[i].same, "%s and %s: %d, expected %d", table[i].a, table[i].b, same,
                  table[i].same);
    }
}
