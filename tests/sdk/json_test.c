/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <leasehold/json.h>
#include <stdio.h>

static lh_json_t json(const char *text)
{
    return lh_json_text(text, strlen(text));
}

static const char object[] =
    " {\"a\": {\"b\": [10, {\"c\": true}, \"x\"]}, \"s/l~\": 1, \"n\": null, \"\": 2,\n"
    " \"text\": \"q\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00!\", \"f\": false,"
    " \"big\": 9223372036854775807, \"small\": -9223372036854775808, \"real\": -1.5e2,"
    " \"over\": 9223372036854775808, \"\\u0061b\": 3}";

Test(json, finds_values_by_pointer)
{
    static const struct {
        const char *pointer;
        long long value;
    } table[] = {{"/a/b/0", 10}, {"/s~1l~0", 1}, {"/", 2}, {"/ab", 3}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t value = 0;
        const int ret = lh_json_int64(json(object), table[i].pointer, &value);
        cr_expect(ret == 0 && value == table[i].value, "%s: %d, %lld, expected %lld",
                  table[i].pointer, ret, (long long) value, table[i].value);
    }
}

Test(json, says_what_is_wrong_with_a_path)
{
    static const struct {
        const char *pointer;
        int code;
    } table[] = {{"/none", LH_ENOTFOUND},
                 {"/n", LH_ENOTFOUND},
                 {"/a/b/3", LH_ENOTFOUND},
                 {"/a/b/-", LH_ENOTFOUND},
                 {"/a/b/00", LH_ENOTFOUND},
                 {"/a/b/", LH_ENOTFOUND},
                 {"/text/x", LH_ENOTFOUND},
                 {"/a", LH_EINVAL},
                 {"/text", LH_EINVAL},
                 {"a", LH_EINVAL},
                 {"/real", LH_EINVAL},
                 {"/over", LH_ETOOBIG},
                 {"/a/b/99999999999999999999", LH_ENOTFOUND}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t value = 77;
        const int ret = lh_json_int64(json(object), table[i].pointer, &value);
        cr_expect(ret == table[i].code && value == 77, "%s: %d and %lld, expected %d and 77",
                  table[i].pointer, ret, (long long) value, table[i].code);
    }
}

Test(json, reads_numbers_to_their_limits)
{
    int64_t i = 0;
    double d = 0;

    EXPECT_INT(lh_json_int64(json(object), "/big", &i), 0);
    EXPECT_INT(i, INT64_MAX);
    EXPECT_INT(lh_json_int64(json(object), "/small", &i), 0);
    cr_expect(i == INT64_MIN, "%lld", (long long) i);
    EXPECT_INT(lh_json_double(json(object), "/real", &d), 0);
    cr_expect(d == -150.0, "%g", d);
    EXPECT_INT(lh_json_double(json("1e999"), "", &d), LH_ETOOBIG);
    EXPECT_INT(lh_json_int64(json("-9223372036854775809"), "", &i), LH_ETOOBIG);
    EXPECT_INT(lh_json_int64(json("-0"), "", &i), 0);
    EXPECT_INT(i, 0);
}

Test(json, reads_booleans)
{
    int value = 7;

    EXPECT_INT(lh_json_bool(json(object), "/a/b/1/c", &value), 0);
    EXPECT_INT(value, 1);
    EXPECT_INT(lh_json_bool(json(object), "/f", &value), 0);
    EXPECT_INT(value, 0);
    EXPECT_INT(lh_json_bool(json(object), "/big", &value), LH_EINVAL);
}

Test(json, decodes_strings)
{
    char buf[64];

    EXPECT_INT(lh_json_string(json(object), "/text", buf, sizeof(buf)), 0);
    EXPECT_STR(buf, "q\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80!");
    cr_expect(lh_json_equals(json(object), "/text", buf), "it does not equal itself");
    cr_expect(!lh_json_equals(json(object), "/text", "q\""), "it equals its beginning");
    cr_expect(!lh_json_equals(json(object), "/a/b/2", "xy"), "it equals something longer");
}

Test(json, writes_no_string_that_does_not_fit)
{
    char buf[4] = "abc";

    EXPECT_INT(lh_json_string(json("\"1234\""), "", buf, sizeof(buf)), LH_ETOOBIG);
    EXPECT_STR(buf, "abc");
    EXPECT_INT(lh_json_string(json("\"123\""), "", buf, sizeof(buf)), 0);
    EXPECT_STR(buf, "123");
    EXPECT_INT(lh_json_string(json("\"\\u0000\""), "", buf, sizeof(buf)), LH_EINVAL);
    EXPECT_INT(lh_json_string(json("\"\""), "", buf, 0), LH_ETOOBIG);
}

Test(json, replaces_lone_surrogates)
{
    char buf[16];

    EXPECT_INT(lh_json_string(json("\"\\ud800x\\udc00\\ud800\\u0041\""), "", buf, sizeof(buf)), 0);
    EXPECT_STR(buf, "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd"
                    "A");
}

Test(json, refuses_what_is_no_json)
{
    static const char *const texts[] = {
        "",           " ",         "{",     "[",   "[1,",     "[1,]",        "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{a:1}",     "[1 2]", "tru", "nul",     "[01]",        "1.",      "-",
        "1e",         "+1",        ".5",    "\"",  "\"\\x\"", "\"\\u12g4\"", "\"\n\"",  "\"\\",
        "[}",         "{\"a\":1]", "NaN",   "'a'", "[\"a]",   "{\"a\" 1}",   "\"\\u12"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        lh_json_t out;
        const int ret = lh_json_at(json(texts[i]), "", &out);
        cr_expect(ret == LH_EPARSE, "%s: %d", texts[i], ret);
    }
}

Test(json, takes_what_is_json)
{
    static const char *const texts[] = {
        "{}",   "[]", "[[],{}]", "0", "-0.0e+1", "\"\"", "true", "[1 , 2]", "{\"a\":{\"b\":[]}}",
        "null", "1E5"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        lh_json_t out;
        const int ret = lh_json_at(json(texts[i]), "", &out);
        cr_expect(ret == 0 && out.len == strlen(texts[i]), "%s: %d, %zu", texts[i], ret, out.len);
    }
}

/* Strings are skipped eight bytes at a time: each byte, at each place in such a word and behind it. */
Test(json, finds_the_end_of_a_string_whatever_is_where_in_it)
{
    char text[40];
    lh_json_t found;

    for (int byte = 1; byte < 256; byte++) {
        const int ends = byte == '"', fails = byte < 0x20 || byte == '\\'; /* "\z" is no escape */

        for (size_t at = 1; at < 28; at++) {
            memset(text, 'z', sizeof(text));
            text[0] = text[30] = '"';
            text[at] = (char) byte;
            const int ret = lh_json_at(lh_json_text(text, sizeof(text)), "", &found);

            cr_expect(ret == (fails ? LH_EPARSE : 0), "byte %d at %zu: %d", byte, at, ret);
            if (ret == 0)
                cr_expect(found.len == (ends ? at + 1 : 31), "byte %d at %zu: %zu bytes", byte, at,
                          found.len);
        }
    }
}

Test(json, looks_at_nothing_behind_what_it_finds)
{
    const lh_json_t value = json("{\"a\":{\"b\":[{\"c\":1},2],\"d\":tru");
    int64_t n = 0;

    EXPECT_INT(lh_json_int64(value, "/a/b/0/c", &n), 0);
    EXPECT_INT(n, 1);
    EXPECT_INT(lh_json_int64(value, "/a/b/1", &n), 0);
    EXPECT_INT(n, 2);
    EXPECT_INT(lh_json_int64(value, "/a/d", &n), LH_EPARSE);
    EXPECT_INT(lh_json_int64(value, "/a/e", &n), LH_EPARSE);
    EXPECT_INT(lh_json_int64(value, "/a/b/0/c/x", &n), LH_ENOTFOUND);
}

Test(json, bounds_the_depth)
{
    char text[4 * LH_JSON_DEPTH];
    lh_json_t out;

    for (int over = 0; over < 2; over++) {
        const size_t depth = LH_JSON_DEPTH + (size_t) over;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        EXPECT_INT(lh_json_at(lh_json_text(text, 2 * depth), "", &out), over ? LH_EPARSE : 0);
    }
}

Test(json, walks_objects_and_arrays)
{
    lh_json_t name, value;
    lh_json_iter_t it = lh_json_each(json(" { \"a\" : 1 , \"b\" : [ 2 ] } "));
    char seen[64] = "";

    while (lh_json_next(&it, &name, &value)) {
        const size_t len = strlen(seen);
        (void) snprintf(seen + len, sizeof(seen) - len, "%.*s=%.*s;", (int) name.len, name.text,
                        (int) value.len, value.text);
    }
    EXPECT_STR(seen, "\"a\"=1;\"b\"=[ 2 ];");
    EXPECT_INT(it.code, 0);
    EXPECT_INT(lh_json_next(&it, &name, &value), 0);

    it = lh_json_each(json("[]"));
    EXPECT_INT(lh_json_next(&it, &name, &value), 0);
    EXPECT_INT(it.code, 0);
    it = lh_json_each(json("\"x\""));
    EXPECT_INT(lh_json_next(&it, &name, &value), 0);
    EXPECT_INT(it.code, LH_EINVAL);
    it = lh_json_each(json("[1, 2"));
    EXPECT_INT(lh_json_next(&it, &name, &value), 1);
    EXPECT_INT(lh_json_next(&it, &name, &value), 0);
    EXPECT_INT(it.code, LH_EPARSE);
}

/* Every prefix and many mutations, each in memory of its exact size: ASan sees a byte too far. */
static void read_all(const char *text, size_t len)
{
    static const char *const pointers[] = {"", "/a/b/1/c", "/text", "/s~1l~0", "/big", "/none"};
    char buf[32], *copy = malloc(len > 0 ? len : 1);
    lh_json_t out;
    int64_t i;
    double d;
    int b;

    memcpy(copy, text, len);
    const lh_json_t value = lh_json_text(copy, len);
    for (size_t p = 0; p < sizeof(pointers) / sizeof(pointers[0]); p++) {
        const int ret = lh_json_at(value, pointers[p], &out);
        cr_assert(ret <= 0 && ret >= LH_EPARSE, "%d", ret);
        cr_assert(ret < 0 || (out.text >= copy && out.text + out.len <= copy + len));
        (void) lh_json_string(value, pointers[p], buf, sizeof(buf));
        (void) lh_json_int64(value, pointers[p], &i);
        (void) lh_json_double(value, pointers[p], &d);
        (void) lh_json_bool(value, pointers[p], &b);
        (void) lh_json_equals(value, pointers[p], "q\"");
    }
    free(copy);
}

Test(json, survives_any_bytes)
{
    static const char bytes[] = "{}[],:\"\\ue0-.1tfn \xff\n";
    char text[sizeof(object)];
    uint32_t random = 12345;

    for (size_t len = 0; len < sizeof(object); len++)
        read_all(object, len);
    for (int round = 0; round < 20000; round++) {
        memcpy(text, object, sizeof(object));
        for (int change = 0; change < 3; change++) {
            random = random * 1664525u + 1013904223u;
            const size_t at = (random >> 8) % (sizeof(object) - 1);
            random = random * 1664525u + 1013904223u;
            text[at] = bytes[(random >> 8) % sizeof(bytes)];
        }
        read_all(text, sizeof(object) - 1);
    }
}
