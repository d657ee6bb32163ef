/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"
#include "json/skim.h"

#include <criterion/criterion.h>
#include <string.h>

static skim_span_t span(const char *s)
{
    return (skim_span_t){.p = s, .len = strlen(s)};
}

static void expect_span(skim_span_t got, const char *want)
{
    cr_expect(got.len == strlen(want) && memcmp(got.p, want, got.len) == 0,
              "got '%.*s', expected '%s'", (int) got.len, got.p, want);
}

Test(skim_walk, pairs_come_in_order_with_their_ends)
{
    const skim_span_t object =
        span("{ \"a\" : \"1\", \"b\\n\":\"\\\"\" ,\"c\":[{\"d\":\"}\"}],\"e\":-2}");
    const char *at = NULL;
    skim_span_t key, value;

    cr_assert(skim_pair_next(object, &at, &key, &value));
    expect_span(key, "a");
    expect_span(value, "1");
    cr_expect_not(value.escaped);
    cr_assert(skim_pair_next(object, &at, &key, &value));
    expect_span(key, "b\\n");
    cr_expect(key.escaped);
    expect_span(value, "\\\"");
    cr_expect(value.escaped);
    cr_assert(skim_pair_next(object, &at, &key, &value));
    expect_span(value, "[{\"d\":\"}\"}]");
    cr_assert(skim_pair_next(object, &at, &key, &value));
    expect_span(value, "-2");
    cr_expect_not(skim_pair_next(object, &at, &key, &value));
    cr_expect_not(skim_pair_next(object, &at, &key, &value), "stays at the end");
}

Test(skim_walk, elements_come_in_order)
{
    const skim_span_t array = span(" [ {\"a\":[]} ,\"x,]\", 3,null ,[[]]] ");
    static const char *const want[] = {"{\"a\":[]}", "x,]", "3", "null", "[[]]"};
    const char *at = NULL;
    skim_span_t element;

    for (size_t i = 0; i < HOST_LEN(want); i++) {
        cr_assert(skim_element_next(array, &at, &element), "element %zu", i);
        expect_span(element, want[i]);
    }
    cr_expect_not(skim_element_next(array, &at, &element));
}

Test(skim_walk, empty_and_absent_have_nothing)
{
    const char *at = NULL;
    skim_span_t key, value;

    cr_expect_not(skim_pair_next(span("{ }"), &at, &key, &value));
    at = NULL;
    cr_expect_not(skim_element_next(span("[\n]"), &at, &value));
    at = NULL;
    cr_expect_not(skim_pair_next((skim_span_t){0}, &at, &key, &value));
    at = NULL;
    cr_expect_not(skim_element_next((skim_span_t){0}, &at, &value));
    cr_expect_null(skim_get((skim_span_t){0}, "a").p);
}

Test(skim_walk, get_finds_the_last_of_a_name)
{
    expect_span(skim_get(span("{\"a\":1,\"b\":2,\"a\":\"3\"}"), "a"), "3");
    expect_span(skim_get(span("{\"\\u0061\":{}}"), "a"), "{}");
    cr_expect_null(skim_get(span("{\"x\":{\"a\":1}}"), "a").p);
}

Test(skim_walk, bad_text_ends_the_walk_within_the_text)
{
    static const char *const bad[] = {
        "",          "{",     "[",   "{\"a", "{\"a\"",   "{\"a\":",        "{\"a\":1",
        "{\"a\" 1}", "{a:1}", "{,}", "[,]",  "[\"",      "[\"\\",          "[{",
        "[1",        "x",     "{]",  "[}",   "{\"a\":}", "{\"a\":\"b\\\"}"};

    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        /* An own block, so that a read beyond the end is seen. */
        const size_t len = strlen(bad[i]);
        char *copy = malloc(len + 1);
        const skim_span_t text = {.p = copy, .len = len};
        const char *at = NULL;
        skim_span_t key, value;
        int steps = 0;

        memcpy(copy, bad[i], len);
        while (skim_pair_next(text, &at, &key, &value)) {
            steps++;
        }
        at = NULL;
        while (skim_element_next(text, &at, &value)) {
            steps++;
        }
        cr_expect(steps <= 1, "'%s': %d steps", bad[i], steps);
        free(copy);
    }
}

static int event_of(const char *text, skim_event_t *out, lh_error_t *err)
{
    return skim_event(text, strlen(text), out, err);
}

Test(skim_walk, event_gives_type_and_object)
{
    skim_event_t e;

    cr_assert_eq(event_of(DOC_FRAME_ADDED "\n", &e, NULL), 0);
    expect_span(e.type, "ADDED");
    expect_span(e.object, DOC_CONFIG_MAP);
    cr_assert_eq(event_of("{\"object\":{},\"more\":[1],\"type\":\"A\",\"type\":\"B\"}", &e, NULL),
                 0);
    expect_span(e.type, "B");
    expect_span(e.object, "{}");
}

Test(skim_walk, event_that_is_none_is_refused)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{}", "a watch event has no type"},
        {"{\"type\":\"ADDED\"}", "a watch event has no object"},
        {"{\"type\":null,\"object\":{}}", "a watch event has no type"},
        {"{\"type\":\"ADDED\",\"object\":null}", "a watch event has no object"},
        {"{\"type\":\"ADDED\",\"object\":{}", "a watch event is not a JSON object"},
        {"{\"type\":\"ADDED\",\"object\":{}} x", "a watch event is not a JSON object"},
        {"[]", "a watch event is not a JSON object"},
        {"", "a watch event is not a JSON object"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        skim_event_t e;
        lh_error_t err = {0};
        const int rc = event_of(rows[i].text, &e, &err);

        cr_expect_eq(rc, LH_EPARSE, "'%s' gives %d", rows[i].text, rc);
        cr_expect_str_eq(err.text, rows[i].want, "'%s'", rows[i].text);
    }
}
