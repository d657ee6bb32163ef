/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "support/expect.h"

static void expect_char(const char *s, size_t expected)
{
    size_t n = utf8_char(s, strlen(s));

    cr_expect(n == expected, "'%s' (%02x ...) is %zu, expected %zu", s, (unsigned char) s[0], n,
              expected);
}

Test(utf8, knows_the_first_and_last_character_of_each_length)
{
    expect_char("\x01", 1);
    expect_char("\x7f", 1);
    expect_char("\xc2\x80", 2);
    expect_char("\xdf\xbf", 2);
    expect_char("\xe0\xa0\x80", 3);
    expect_char("\xed\x9f\xbf", 3);
    expect_char("\xee\x80\x80", 3);
    expect_char("\xef\xbf\xbf", 3);
    expect_char("\xf0\x90\x80\x80", 4);
    expect_char("\xf4\x8f\xbf\xbf", 4);
}

Test(utf8, refuses_what_lies_just_outside)
{
    expect_char("\x80", 0);
    expect_char("\xc1\xbf", 0); /* overlong */
    expect_char("\xc2\x7f", 0); /* no tail */
    expect_char("\xc2\xc0", 0);
    expect_char("\xe0\x9f\xbf", 0);     /* overlong */
    expect_char("\xed\xa0\x80", 0);     /* surrogate */
    expect_char("\xf0\x8f\xbf\xbf", 0); /* overlong */
    expect_char("\xf4\x90\x80\x80", 0); /* above U+10FFFF */
    expect_char("\xf5\x80\x80\x80", 0);
    expect_char("\xe2\x82", 0); /* cut off */
    expect_char("\xe2\x82x", 0);
}

Test(utf8, cuts_between_characters)
{
    const char *s = "aé€\xf0\x9f\x98\x80";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};

    for (size_t len = 0; len < sizeof(expected) / sizeof(expected[0]); len++)
        EXPECT_INT(utf8_cut(s, len), expected[len]);
}

Test(utf8, cuts_what_is_not_utf8_anywhere)
{
    EXPECT_INT(utf8_cut("\x80\x80\x80\x80\x80\x80", 5), 5);
    EXPECT_INT(utf8_cut("ab\xff", 3), 2);
}
