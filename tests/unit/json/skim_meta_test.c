/* SPDX-License-Identifier: Apache-2.0 */
#include "documents.h"
#include "json/skim.h"

#include <criterion/criterion.h>
#include <string.h>

static skim_meta_t skim(const char *text)
{
    skim_meta_t meta;
    lh_error_t err = {0};
    const int rc = skim_meta(text, strlen(text), &meta, &err);

    cr_assert_eq(rc, 0, "%s: %s", text, err.text);
    return meta;
}

static void expect_span(skim_span_t span, const char *want)
{
    if (want == NULL)
        cr_expect_null(span.p, "got '%.*s', expected none", (int) span.len, span.p);
    else
        cr_expect(skim_equal(span, want), "got '%.*s', expected '%s'", (int) span.len, span.p,
                  want);
}

static void expect_error(const char *text, size_t len, const char *want)
{
    skim_meta_t meta;
    lh_error_t err = {0};
    const int rc = skim_meta(text, len, &meta, &err);

    cr_expect_eq(rc, LH_EPARSE, "'%.*s' gives %d", (int) HOST_MIN(len, 80), text, rc);
    cr_expect_str_eq(err.text, want, "'%.*s'", (int) HOST_MIN(len, 80), text);
}

Test(skim_meta, takes_every_field_of_a_real_object)
{
    const skim_meta_t m = skim(DOC_CONFIG_MAP);

    expect_span(m.api_version, NULL);
    expect_span(m.kind, NULL);
    expect_span(m.name, "kube-root-ca.crt");
    expect_span(m.ns, "default");
    expect_span(m.uid, "0c7b1a55-6f0e-4c39-8f6b-0b8a3c3a5f11");
    expect_span(m.resource_version, "312");
    expect_span(m.deletion_timestamp, NULL);
    expect_span(m.continue_token, NULL);
    expect_span(skim_get(m.labels, "app"), "web");
    expect_span(skim_get(m.labels, "tier"), "");
    expect_span(skim_get(m.labels, "none"), NULL);
    expect_span(skim_get(m.annotations, "kubernetes.io/description"),
                "Contains a CA bundle, {\"x\": [1]}\n");
    expect_span(m.finalizers, "[\"a/b\",\"c\"]");
    cr_expect_eq(m.owner_references.p[0], '[');
    cr_expect_eq(m.owner_references.p[m.owner_references.len - 1], ']');
    cr_expect_eq(strncmp(m.managed_fields.p, "\"managedFields\":[{", 18), 0);
    cr_expect_eq(m.managed_fields.p[m.managed_fields.len - 1], ']');
    cr_expect_eq(m.generation, 0);
}

Test(skim_meta, takes_generation_and_list_fields)
{
    cr_expect_eq(skim(DOC_SECOND).generation, 7);
    expect_span(skim(DOC_LIST).continue_token, "abc");
    expect_span(skim(DOC_LIST).kind, "ConfigMapList");
    expect_span(skim(DOC_LIST).resource_version, "400");
}

Test(skim_meta, generation_that_is_no_integer_counts_as_absent)
{
    cr_expect_eq(skim("{\"metadata\":{\"generation\":9223372036854775807}}").generation, INT64_MAX);
    cr_expect_eq(skim("{\"metadata\":{\"generation\":9223372036854775808}}").generation, 0);
    cr_expect_eq(skim("{\"metadata\":{\"generation\":1.5}}").generation, 0);
    cr_expect_eq(skim("{\"metadata\":{\"generation\":-1}}").generation, 0);
    cr_expect_eq(skim("{\"metadata\":{\"generation\":\"5\"}}").generation, 0);
}

Test(skim_meta, last_of_duplicate_keys_counts)
{
    expect_span(skim("{\"metadata\":{\"name\":\"a\",\"name\":\"b\"}}").name, "b");
    expect_span(skim("{\"metadata\":{\"name\":\"a\",\"name\":null}}").name, NULL);
    const skim_meta_t m = skim("{\"kind\":\"K\",\"metadata\":{\"name\":\"a\",\"uid\":\"u\"},"
                               "\"metadata\":{\"name\":\"b\"}}");

    expect_span(m.name, "b");
    expect_span(m.uid, NULL);
    expect_span(m.kind, "K");
    expect_span(skim("{\"metadata\":{\"name\":\"a\"},\"metadata\":null}").name, NULL);
}

Test(skim_meta, fields_of_another_type_count_as_absent)
{
    const skim_meta_t m = skim("{\"kind\":1,\"metadata\":{\"name\":5,\"labels\":[],\"uid\":null,"
                               "\"finalizers\":{}}}");

    expect_span(m.kind, NULL);
    expect_span(m.name, NULL);
    expect_span(m.labels, NULL);
    expect_span(m.uid, NULL);
    expect_span(m.finalizers, NULL);
}

Test(skim_meta, keys_may_be_escaped_and_deeper_keys_do_not_count)
{
    const skim_meta_t m = skim(" {\"spec\":{\"metadata\":{\"name\":\"x\"}},\"\\u006detadata\" :\t"
                               "{\"n\\u0061me\":\"y\\u0021\",\"labels\":{\"name\":\"z\"}}}\r\n ");

    expect_span(m.name, "y!");
    cr_expect(m.name.escaped);
}

Test(skim_meta, every_cut_of_a_document_is_refused)
{
    const char *text = DOC_LIST;
    const size_t whole = strlen(text) - 1; /* without the newline */

    for (size_t len = 0; len < whole; len++) {
        skim_meta_t meta;
        char *copy = malloc(len + 1); /* so that a read beyond the end is seen */

        memcpy(copy, text, len);
        const int rc = skim_meta(copy, len, &meta, NULL);

        cr_expect_eq(rc, LH_EPARSE, "cut at %zu gives %d", len, rc);
        free(copy);
    }
}

Test(skim_meta, refusals_name_byte_and_reason)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "byte 0: the text ends early"},
        {"[]", "byte 0: an object is missing"},
        {"null", "byte 0: an object is missing"},
        {"{} {}", "byte 3: something follows the object"},
        {"{\"a\":1,}", "byte 7: a string is missing"},
        {"{a:1}", "byte 1: a string is missing"},
        {"{\"a\" 1}", "byte 5: ':' is missing"},
        {"{\"a\":1 \"b\":2}", "byte 7: ',' or '}' is missing"},
        {"{\"a\":[1,]}", "byte 8: a value is missing"},
        {"{\"a\":[1 2]}", "byte 8: ',' or ']' is missing"},
        {"{\"a\":[1}", "byte 7: ',' or ']' is missing"},
        {"{\"a\":]}", "byte 5: a value is missing"},
        {"{\"a\":True}", "byte 5: a value is missing"},
        {"{\"a\":truE}", "byte 5: a value is missing"},
        {"{\"a\":nullx}", "byte 9: ',' or '}' is missing"},
        {"{\"a\":01}", "byte 6: ',' or '}' is missing"},
        {"{\"a\":-}", "byte 6: bad number"},
        {"{\"a\":1.}", "byte 7: bad number"},
        {"{\"a\":1e+}", "byte 8: bad number"},
        {"{\"a\":.5}", "byte 5: a value is missing"},
        {"{\"a\":+5}", "byte 5: a value is missing"},
        {"{\"a\":\"\\q\"}", "byte 6: bad escape in a string"},
        {"{\"a\":\"\\ud800\"}", "byte 6: bad escape in a string"},
        {"{\"a\":\"x\ny\"}", "byte 7: bad character in a string"},
        {"{\"a\":\"\xc3(\"}", "byte 6: bad character in a string"},
        {"{\"\xff\":1}", "byte 2: bad character in a string"},
        {"{\"a\":/* */1}", "byte 5: a value is missing"},
        {"\xef\xbb\xbf{}", "byte 0: an object is missing"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        expect_error(rows[i].text, strlen(rows[i].text), rows[i].want);
    }
    expect_error("{}\0", 3, "byte 2: something follows the object");
    expect_error("{\"a\0b\":1}", 9, "byte 3: bad character in a string");
}

/* {"a": nested arrays, depth of all containers together. */
static char *nested(unsigned depth, char open, char close)
{
    buf_t b = BUF_INIT;

    cr_assert_eq(buf_puts(&b, "{\"a\":"), 0);
    for (unsigned i = 1; i < depth; i++) {
        cr_assert_eq(
            open == '[' ? buf_puts(&b, "[") : buf_puts(&b, i + 1 < depth ? "{\"k\":" : "{"), 0);
    }
    for (unsigned i = 1; i < depth; i++) {
        cr_assert_eq(buf_append(&b, &close, 1), 0);
    }
    cr_assert_eq(buf_puts(&b, "}"), 0);
    return buf_steal(&b);
}

Test(skim_meta, depth_is_bounded)
{
    char *deep = nested(SKIM_MAX_DEPTH, '[', ']');
    char *too_deep = nested(SKIM_MAX_DEPTH + 1, '[', ']');
    char *deep_objects = nested(SKIM_MAX_DEPTH, '{', '}');
    char *too_deep_objects = nested(SKIM_MAX_DEPTH + 1, '{', '}');

    skim(deep);
    skim(deep_objects);
    expect_error(too_deep, strlen(too_deep), "byte 516: nested too deeply");
    expect_error(too_deep_objects, strlen(too_deep_objects), "byte 2560: nested too deeply");
    free(deep);
    free(too_deep);
    free(deep_objects);
    free(too_deep_objects);
}

static void expect_strip(const char *text, const char *want)
{
    const skim_meta_t m = skim(text);
    buf_t out = BUF_INIT;

    strip(text, strlen(text), &m, &out);
    cr_expect_str_eq(buf_text(&out), want);
    buf_fini(&out);
}

Test(skim_meta, managed_is_the_member_with_one_comma)
{
    expect_strip("{\"metadata\":{\"a\":1,\"managedFields\":[{}],\"b\":2}}",
                 "{\"metadata\":{\"a\":1,\"b\":2}}");
    expect_strip("{\"metadata\":{\"managedFields\":[{}] , \"b\":2}}", "{\"metadata\":{ \"b\":2}}");
    expect_strip("{\"metadata\":{\"a\":1 , \"managedFields\":[{}]\n}}",
                 "{\"metadata\":{\"a\":1 }}");
    expect_strip("{\"metadata\":{\"managedFields\":null}}", "{\"metadata\":{}}");
    expect_strip("{\"metadata\":{}}", "{\"metadata\":{}}");
    expect_strip("{\"managedFields\":1,\"metadata\":{\"x\":{\"managedFields\":1}}}",
                 "{\"managedFields\":1,\"metadata\":{\"x\":{\"managedFields\":1}}}");
}

static skim_event_t read_event(const char *text)
{
    skim_event_t event;
    lh_error_t err = {0};
    const int rc = skim_event(text, strlen(text), &event, &err);

    cr_assert_eq(rc, 0, "%s: %s", text, err.text);
    return event;
}

Test(skim_meta, an_event_brings_the_metadata_of_its_object)
{
    const skim_event_t e = read_event(DOC_FRAME_ADDED);
    const skim_meta_t m = skim(DOC_CONFIG_MAP);

    cr_expect(e.judged);
    expect_span(e.type, "ADDED");
    expect_span(e.object, DOC_CONFIG_MAP);
    expect_span(e.meta.name, "kube-root-ca.crt");
    cr_expect_eq(e.meta.labels.len, m.labels.len);
    cr_expect_eq(e.meta.managed_fields.len, m.managed_fields.len);
}

Test(skim_meta, the_last_object_of_an_event_counts_with_its_metadata)
{
    const skim_event_t e =
        read_event("{\"object\":{\"metadata\":{\"name\":\"a\",\"uid\":\"u\"}},"
                   "\"type\":\"X\",\"object\":{\"metadata\":{\"name\":\"b\"}},\"type\":\"Y\"}");

    cr_expect(e.judged);
    expect_span(e.type, "Y");
    expect_span(e.meta.name, "b");
    expect_span(e.meta.uid, NULL);
}

/* One bad object must not end a stream: it is found, and left to be judged. */
Test(skim_meta, an_event_that_is_no_json_is_found_but_not_judged)
{
    static const char *const bad[] = {
        "{\"metadata\":{\"name\":\"\xff\"}}",
        "{\"metadata\":{\"name\":\"a\",}}",
        "{\"n\":01}",
        "{\"s\":\"\\ud800\"}",
        "{\"a\" 1}",
    };

    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        char text[200];

        snprintf(text, sizeof(text), "{\"type\":\"ADDED\",\"object\":%s}", bad[i]);
        const skim_event_t e = read_event(text);

        cr_expect_not(e.judged, "row %zu", i);
        expect_span(e.type, "ADDED");
        expect_span(e.object, bad[i]);
    }
}

/* As deep as an object may be alone, it is too deep for the reader of its event. */
Test(skim_meta, an_object_may_be_as_deep_in_an_event_as_alone)
{
    char *deep = nested(SKIM_MAX_DEPTH, '{', '}');
    buf_t text = BUF_INIT;

    cr_assert_eq(buf_printf(&text, "{\"type\":\"ADDED\",\"object\":%s}", deep), 0);
    const skim_event_t e = read_event(text.data);

    expect_span(e.object, deep);
    cr_expect(!e.judged, "nobody would judge it again");
    skim(deep);
    buf_fini(&text);
    free(deep);
}
