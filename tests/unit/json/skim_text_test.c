/* SPDX-License-Identifier: Apache-2.0 */
#include "json/skim_text.h"

#include <criterion/criterion.h>
#include <string.h>

static skim_span_t escaped(const char *s)
{
    return (skim_span_t){.p = s, .len = strlen(s), .escaped = true};
}

struct row {
    const char *in, *out; /* out NULL: refused */
};

static const struct row rows[] = {
    {"", ""},
    {"plain", "plain"},
    {"a\\n\\t\\r\\b\\f\\\\\\/\\\"", "a\n\t\r\b\f\\/\""},
    {"\\u0041\\u00e9\\u20aC", "A\xc3\xa9\xe2\x82\xac"},
    {"\\ud83d\\ude00!", "\xf0\x9f\x98\x80!"},
    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"\\ud83d", NULL},          /* lone high surrogate */
    {"\\ud83dxxxxxx", NULL},    /* high surrogate, then text */
    {"\\ud83d\\u0041", NULL},   /* high surrogate, then no low one */
    {"\\ude00", NULL},          /* lone low surrogate */
    {"\\u00", NULL},            /* cut escape */
    {"\\u00g0", NULL},          /* no hex digit */
    {"\\x41", NULL},            /* no JSON escape */
    {"\\", NULL},               /* cut */
    {"a\\u0000b", NULL},        /* NUL cannot be in a C string */
    {"a\nb", NULL},             /* raw control character */
    {"\x80", NULL},             /* continuation byte alone */
    {"\xc3", NULL},             /* cut sequence */
    {"\xc0\xaf", NULL},         /* overlong, 2 bytes */
    {"\xe0\x80\xaf", NULL},     /* overlong, 3 bytes */
    {"\xf0\x80\x80\xaf", NULL}, /* overlong, 4 bytes */
    {"\xed\xa0\x80", NULL},     /* surrogate as UTF-8 */
    {"\xf4\x90\x80\x80", NULL}, /* beyond U+10FFFF */
    {"\xff", NULL},
};

Test(skim_text, dup_decodes_escapes_and_refuses_what_is_not_utf8)
{
    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        char *got = skim_dup(escaped(rows[i].in));

        if (rows[i].out == NULL)
            cr_expect_null(got, "row %zu: got '%s', expected a refusal", i, got ? got : "");
        else
            cr_expect_str_eq(got, rows[i].out, "row %zu", i);
        free(got);
    }
}

Test(skim_text, dup_of_an_absent_span_is_null)
{
    cr_expect_null(skim_dup((skim_span_t){0}));
}

Test(skim_text, equal_compares_the_decoded_string)
{
    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        if (rows[i].out == NULL) {
            cr_expect_not(skim_equal(escaped(rows[i].in), "a"), "row %zu", i);
            continue;
        }
        cr_expect(skim_equal(escaped(rows[i].in), rows[i].out), "row %zu", i);
        cr_expect_not(skim_equal(escaped(rows[i].in), "something else"), "row %zu", i);
    }
    cr_expect_not(skim_equal(escaped("ab"), "abc"));
    cr_expect_not(skim_equal(escaped("abc"), "ab"));
    cr_expect_not(skim_equal((skim_span_t){0}, ""), "absent is not empty");
    cr_expect(skim_equal((skim_span_t){.p = "", .len = 0}, ""));
}

Test(skim_text, plain_stops_at_every_special_byte_at_every_distance)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        const bool special = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';

        for (size_t at = 0; at < 24; at++) {
            char text[25];

            memset(text, 'x', sizeof(text));
            text[at] = (char) byte;
            const size_t got = (size_t) (skim_plain(text, text + 24) - text);

            cr_expect_eq(got, special ? at : 24, "byte 0x%02x at %zu: stopped at %zu", byte, at,
                         got);
        }
    }
}
