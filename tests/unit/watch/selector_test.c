/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/selector.h"

#include "support/expect.h"

static bool matches(const char *text, const char *labels)
{
    watch_selector_t *s = NULL;
    lh_error_t err;
    skim_span_t span = {.p = labels, .len = labels != NULL ? strlen(labels) : 0};

    ASSERT_OK(watch_selector_parse(text, &s, &err), err);
    bool match = watch_selector_match(s, span);
    const uint64_t needs = watch_selector_digest(s);

    cr_expect(!match || (watch_labels_digest(span) & needs) == needs,
              "'%s' matches, but not by its digest", text);

    watch_selector_destroy(s);
    return match;
}

/* The labels of an object that has none. */
static const char *const no_labels = NULL;

#define EXPECT_MATCH(text, labels)                                                                 \
    cr_expect(matches(text, labels), "'%s' must match " #labels, text)
#define EXPECT_NO_MATCH(text, labels)                                                              \
    cr_expect(!matches(text, labels), "'%s' must not match " #labels, text)

#define WEB "{\"app\":\"web\",\"tier\":\"a\"}"

Test(selector, equality)
{
    EXPECT_MATCH("app=web", WEB);
    EXPECT_MATCH("app==web", WEB);
    EXPECT_NO_MATCH("app=api", WEB);
    EXPECT_NO_MATCH("other=web", WEB);
    EXPECT_NO_MATCH("app=we", WEB);
}

Test(selector, a_digest_tells_most_others_apart)
{
    watch_selector_t *s = NULL;
    lh_error_t err;
    int alike = 0;

    ASSERT_OK(watch_selector_parse("app=web-7", &s, &err), err);
    for (int i = 0; i < 1000; i++) {
        host_cleanup(host_freep) char *labels =
            host_xprintf("{\"app\":\"web-%d\",\"tier\":\"t-%d\",\"team\":\"a\"}", i, i % 50);
        const skim_span_t span = {.p = labels, .len = strlen(labels)};
        const uint64_t needs = watch_selector_digest(s);

        alike += (watch_labels_digest(span) & needs) == needs;
    }
    cr_expect(alike >= 1 && alike < 100, "%d of 1000 have the digest of one", alike);
    watch_selector_destroy(s);
}

Test(selector, labels_with_escapes_are_never_told_apart_by_their_digest)
{
    EXPECT_MATCH("a/b=c", "{\"a\\/b\":\"c\"}");
    EXPECT_MATCH("a=b", "{\"a\":\"\\u0062\"}");
}

Test(selector, inequality_also_matches_what_has_no_such_label)
{
    EXPECT_MATCH("app!=api", WEB);
    EXPECT_NO_MATCH("app!=web", WEB);
    EXPECT_MATCH("other!=web", WEB);
}

Test(selector, sets)
{
    EXPECT_MATCH("tier in (a,b)", WEB);
    EXPECT_NO_MATCH("tier in (b, c)", WEB);
    EXPECT_NO_MATCH("other in (a)", WEB);
    EXPECT_MATCH("tier notin (b,c)", WEB);
    EXPECT_NO_MATCH("tier notin (a)", WEB);
    EXPECT_MATCH("other notin (a)", WEB);
}

Test(selector, existence)
{
    EXPECT_MATCH("app", WEB);
    EXPECT_NO_MATCH("old", WEB);
    EXPECT_MATCH("!old", WEB);
    EXPECT_NO_MATCH("!app", WEB);
}

Test(selector, numbers)
{
    EXPECT_MATCH("n>4", "{\"n\":\"5\"}");
    EXPECT_NO_MATCH("n>5", "{\"n\":\"5\"}");
    EXPECT_MATCH("n<6", "{\"n\":\"5\"}");
    EXPECT_NO_MATCH("n<6", "{\"n\":\"five\"}");
    EXPECT_NO_MATCH("n<6", WEB);
}

Test(selector, all_requirements_must_hold)
{
    EXPECT_MATCH("app=web,tier in (a,b),!old", WEB);
    EXPECT_NO_MATCH("app=web,tier in (b),!old", WEB);
}

Test(selector, white_space_does_not_matter)
{
    EXPECT_MATCH("  app = web ,\ttier  in ( a , b ) , ! old ", WEB);
}

Test(selector, an_empty_value_is_a_value)
{
    EXPECT_MATCH("app=", "{\"app\":\"\"}");
    EXPECT_NO_MATCH("app=", WEB);
    EXPECT_MATCH("app in (,web)", WEB);
}

Test(selector, empty_text_and_no_selector_match_everything)
{
    EXPECT_MATCH("", WEB);
    EXPECT_MATCH("  ", no_labels);
    cr_expect(watch_selector_match(NULL, (skim_span_t){0}), "no selector must match");
}

Test(selector, an_object_without_labels_has_none)
{
    EXPECT_NO_MATCH("app", no_labels);
    EXPECT_MATCH("!app", no_labels);
}

Test(selector, prefixed_names)
{
    EXPECT_MATCH("app.kubernetes.io/name=web", "{\"app.kubernetes.io/name\":\"web\"}");
    EXPECT_NO_MATCH("app.kubernetes.io/name=web", "{\"name\":\"web\"}");
}

Test(selector, escaped_labels_are_compared_unescaped)
{
    EXPECT_MATCH("app=web", "{\"\\u0061pp\":\"w\\u0065b\"}");
}

static void expect_bad(const char *text, const char *part)
{
    watch_selector_t *s = NULL;
    lh_error_t err = {0};

    EXPECT_INT(watch_selector_parse(text, &s, &err), LH_EINVAL);
    EXPECT_HAS(err.text, part);
    EXPECT_HAS(err.text, "at character");
}

Test(selector, bad_ones_are_refused_with_their_place)
{
    expect_bad("app=web,", "a label's name is missing at character 9");
    expect_bad("=web", "a label's name is missing at character 1");
    expect_bad("app in web", "'(' is missing");
    expect_bad("app in (web", "')' is missing");
    expect_bad("app in (web))", "a comma is missing");
    expect_bad("app foo", "an operator is missing");
    expect_bad("app!web", "'=' is missing");
    expect_bad("a b=c", "an operator is missing");
    expect_bad("-app=web", "no label's name");
    expect_bad("app=web-", "no label's value");
    expect_bad("UPPER.io/x=1", "no label's name");
    expect_bad("n>many", "no whole number");
    expect_bad("app=0123456789012345678901234567890123456789012345678901234567890123",
               "a label's value of more than 63 characters ends at character 69");
}

/* A plugin may ask for anything, and the cache is held while it is looked up. */
Test(selector, one_that_is_too_long_is_refused)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    watch_selector_t *s = NULL;
    lh_error_t err = {0};

    for (int i = 0; i < 256; i++)
        buf_printf(&text, "%sa", i > 0 ? "," : "");
    ASSERT_OK(watch_selector_parse(buf_text(&text), &s, &err), err);
    EXPECT_INT(watch_selector_size(s), 256);
    watch_selector_destroy(s);
    buf_puts(&text, ",a");
    expect_bad(buf_text(&text), "more requirements than are allowed begin at character 513");
    buf_clear(&text);
    buf_puts(&text, "a in (b");
    while (text.len < 64 * 1024)
        buf_puts(&text, ",b");
    buf_puts(&text, ")");
    EXPECT_INT(watch_selector_parse(buf_text(&text), &s, &err), LH_EINVAL);
    EXPECT_HAS(err.text, "label selector: longer than 65536 bytes");
}

Test(selector, labels_that_must_have_one_value_are_told)
{
    watch_selector_t *s = NULL;
    const char *key, *value;
    size_t at = 0;
    lh_error_t err;

    cr_expect(!watch_selector_next_equal(NULL, &at, &key, &value), "no selector asks for none");
    ASSERT_OK(watch_selector_parse("a,b=1,c!=2,d in (3),e in (4,5),!f,g>6,h==7", &s, &err), err);
    host_cleanup(buf_fini) buf_t told = BUF_INIT;
    while (watch_selector_next_equal(s, &at, &key, &value))
        buf_printf(&told, "%s=%s ", key, value);
    EXPECT_STR(buf_text(&told), "b=1 d=3 h=7 ");
    watch_selector_destroy(s);
}

Test(selector, fields_need_a_name_and_an_operator)
{
    lh_error_t err = {0};

    EXPECT_INT(watch_field_selector_check("", &err), 0);
    EXPECT_INT(watch_field_selector_check("metadata.name=a", &err), 0);
    EXPECT_INT(watch_field_selector_check("spec.nodeName=,status.phase!=Failed", &err), 0);
    EXPECT_INT(watch_field_selector_check("a==b\\,c=d", &err), 0);
    EXPECT_INT(watch_field_selector_check("metadata.name", &err), LH_EINVAL);
    EXPECT_INT(watch_field_selector_check("a=b,", &err), LH_EINVAL);
    EXPECT_INT(watch_field_selector_check("a=b,c!d", &err), LH_EINVAL);
    EXPECT_INT(watch_field_selector_check("=b", &err), LH_EINVAL);
    EXPECT_HAS(err.text, "field selector '=b'");
}
