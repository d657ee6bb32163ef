/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "support/expect.h"

static const char *json(buf_t *b, const char *s, size_t len)
{
    buf_clear(b);
    EXPECT_INT(buf_json_string(b, s, len), 0);
    return buf_text(b);
}

Test(buf, is_an_empty_text_at_first)
{
    buf_t b = BUF_INIT;

    EXPECT_STR(buf_text(&b), "");
    buf_fini(&b);
}

Test(buf, appends_and_terminates)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;

    EXPECT_INT(buf_append(&b, "ab\0c", 4), 0);
    EXPECT_INT(b.len, 4);
    EXPECT_INT(memcmp(b.data, "ab\0c", 5), 0);
    EXPECT_INT(buf_append(&b, NULL, 0), 0);
    EXPECT_INT(buf_puts(&b, "d"), 0);
    EXPECT_INT(buf_printf(&b, "%d-%s", 42, "x"), 0);
    EXPECT_INT(b.len, 9);
    EXPECT_STR(b.data + 3, "cd42-x");
}

Test(buf, grows_over_many_appends)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;

    for (int i = 0; i < 1000; i++)
        EXPECT_INT(buf_printf(&b, "%03d", i), 0);
    EXPECT_INT(b.len, 3000);
    EXPECT_STR(b.data + 2997, "999");
    EXPECT_INT(strncmp(b.data + 300, "100101", 6), 0);
}

Test(buf, may_be_filled_to_its_limit_and_not_over_it)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT_MAX(5);

    EXPECT_INT(buf_puts(&b, "123"), 0);
    EXPECT_INT(buf_puts(&b, "45"), 0);
    EXPECT_INT(buf_puts(&b, "6"), LH_ETOOBIG);
    EXPECT_STR(buf_text(&b), "12345");
    EXPECT_INT(b.failed, true);
}

Test(buf, errors_are_sticky_until_cleared)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT_MAX(3);

    EXPECT_INT(buf_puts(&b, "ab"), 0);
    EXPECT_INT(buf_printf(&b, "%s", "cd"), LH_ETOOBIG);
    cr_expect(buf_puts(&b, "c") < 0, "an append after a failed one succeeded");
    EXPECT_STR(buf_text(&b), "ab");
    buf_clear(&b);
    EXPECT_INT(buf_puts(&b, "xyz"), 0);
    EXPECT_STR(buf_text(&b), "xyz");
}

Test(buf, refuses_lengths_that_overflow)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;

    EXPECT_INT(buf_puts(&b, "ab"), 0);
    EXPECT_INT(buf_append(&b, "x", SIZE_MAX - 1), LH_ENOMEM);
    EXPECT_STR(buf_text(&b), "ab");
}

Test(buf, steal_hands_over_and_leaves_it_empty)
{
    buf_t b = BUF_INIT_MAX(8);

    buf_puts(&b, "text");
    host_cleanup(host_freep) char *text = buf_steal(&b);

    EXPECT_STR(text, "text");
    EXPECT_INT(b.len, 0);
    EXPECT_INT(b.max, 8);
    EXPECT_STR(buf_text(&b), "");
}

Test(buf, steal_of_nothing_is_an_empty_text)
{
    buf_t b = BUF_INIT;
    host_cleanup(host_freep) char *text = buf_steal(&b);

    EXPECT_STR(text, "");
}

Test(buf, steal_after_a_failure_is_null)
{
    buf_t b = BUF_INIT_MAX(2);

    buf_puts(&b, "ab");
    buf_puts(&b, "c");
    cr_expect_null(buf_steal(&b));
    EXPECT_INT(buf_puts(&b, "ok"), 0);
    buf_fini(&b);
}

Test(buf, json_escapes_what_json_demands)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;

    EXPECT_STR(json(&b, "", 0), "\"\"");
    EXPECT_STR(json(&b, "plain", 5), "\"plain\"");
    EXPECT_STR(json(&b, "a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
    EXPECT_STR(json(&b, "\b\f\n\r\t", 5), "\"\\b\\f\\n\\r\\t\"");
    EXPECT_STR(json(&b, "\0\x1b\x7f", 3), "\"\\u0000\\u001b\\u007f\"");
}

Test(buf, json_keeps_valid_utf8)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;
    const char *s = "é€😀\xf4\x8f\xbf\xbf";

    EXPECT_INT(buf_json_string(&b, s, strlen(s)), 0);
    EXPECT_STR(buf_text(&b), "\"é€😀\xf4\x8f\xbf\xbf\"");
}

Test(buf, json_replaces_each_invalid_byte)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT;

    EXPECT_STR(json(&b, "a\xff!", 3), "\"a\xef\xbf\xbd!\"");
    EXPECT_STR(json(&b, "\xc0\x80", 2), "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong */
    EXPECT_STR(json(&b, "\xe0\x9f\xbf", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    EXPECT_STR(json(&b, "\xed\xa0\x80", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* D800 */
    EXPECT_STR(json(&b, "\xf4\x90\x80\x80", 1), "\"\xef\xbf\xbd\"");
    EXPECT_STR(json(&b, "\xe2\x82", 2), "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut off */
    EXPECT_STR(json(&b, "\xe2(\xa1", 3), "\"\xef\xbf\xbd(\xef\xbf\xbd\"");
}

Test(buf, json_that_does_not_fit_leaves_the_content)
{
    host_cleanup(buf_fini) buf_t b = BUF_INIT_MAX(8);

    buf_puts(&b, "key:");
    EXPECT_INT(buf_json_string(&b, "long value", 10), LH_ETOOBIG);
    EXPECT_STR(buf_text(&b), "key:");
}
