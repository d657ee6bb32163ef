/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/snapshot.h"

#include "support/expect.h"

static void make(const char *text, const char *api_version, const char *kind,
                 watch_snapshot_t **out)
{
    lh_error_t err;

    ASSERT_OK(watch_snapshot_create(text, strlen(text), api_version, kind, out, &err), err);
}

#define SNAPSHOT(s, text, api_version, kind)                                                       \
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = NULL;                                \
    make(text, api_version, kind, &s)

static void expect_span(skim_span_t span, const char *expected)
{
    host_cleanup(host_freep) char *text = span.p != NULL ? strndup(span.p, span.len) : NULL;

    EXPECT_STR(text != NULL ? text : "(absent)", expected);
}

Test(snapshot, knows_the_names_of_its_object)
{
    SNAPSHOT(s,
             "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"n\","
             "\"namespace\":\"ns\",\"uid\":\"u-1\",\"resourceVersion\":\"42\"}}",
             "v1", "ConfigMap");
    EXPECT_STR(watch_snapshot_name(s), "n");
    EXPECT_STR(watch_snapshot_ns(s), "ns");
    EXPECT_STR(watch_snapshot_uid(s), "u-1");
    EXPECT_STR(watch_snapshot_version(s), "42");
}

Test(snapshot, absent_names_are_empty)
{
    SNAPSHOT(s, "{\"metadata\":{\"name\":\"n\"}}", NULL, NULL);
    EXPECT_STR(watch_snapshot_ns(s), "");
    EXPECT_STR(watch_snapshot_uid(s), "");
    EXPECT_STR(watch_snapshot_version(s), "");
    expect_span(watch_snapshot_labels(s), "(absent)");
    expect_span(watch_snapshot_owners(s), "(absent)");
}

Test(snapshot, keeps_the_text_as_it_is)
{
    static const char text[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"X\",\"metadata\":{\"name\":\"n\"},"
        "\"data\":{\"a\":\"\\u00e4 \\n\"}}";
    SNAPSHOT(s, text, "v2", "X");
    size_t len;

    EXPECT_STR(watch_snapshot_text(s, &len), text);
    EXPECT_INT(len, strlen(text));
}

Test(snapshot, white_space_around_the_object_is_dropped)
{
    SNAPSHOT(s, " \n{\"metadata\":{\"name\":\"n\"}}\n", NULL, NULL);
    EXPECT_STR(watch_snapshot_text(s, NULL), "{\"metadata\":{\"name\":\"n\"}}");
}

Test(snapshot, elements_of_lists_get_their_type)
{
    SNAPSHOT(s, "{\"metadata\":{\"name\":\"n\"}}", "apps/v1", "Deployment");
    EXPECT_STR(
        watch_snapshot_text(s, NULL),
        "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"n\"}}");
}

Test(snapshot, only_what_is_missing_of_the_type_is_put_in)
{
    SNAPSHOT(s, "{\"kind\":\"Scale\",\"metadata\":{\"name\":\"n\"}}", "apps/v1", "Scale");
    EXPECT_STR(watch_snapshot_text(s, NULL),
               "{\"apiVersion\":\"apps/v1\",\"kind\":\"Scale\",\"metadata\":{\"name\":\"n\"}}");
}

Test(snapshot, partial_object_metadata_gets_the_type_of_its_object)
{
    SNAPSHOT(s,
             "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":"
             "{\"name\":\"n\",\"managedFields\":[],\"labels\":{\"a\":\"b\"}}}",
             "apps/v1", "Deployment");
    EXPECT_STR(watch_snapshot_text(s, NULL),
               "{\"kind\":\"Deployment\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"n\","
               "\"labels\":{\"a\":\"b\"}}}");
    expect_span(watch_snapshot_labels(s), "{\"a\":\"b\"}");
}

Test(snapshot, managed_fields_are_removed)
{
    SNAPSHOT(s,
             "{\"metadata\":{\"name\":\"n\",\"managedFields\":[{\"manager\":\"m\",\"fieldsV1\":"
             "{\"f:data\":{}}}],\"uid\":\"u\"},\"data\":{\"managedFields\":\"stay\"}}",
             NULL, NULL);
    EXPECT_STR(
        watch_snapshot_text(s, NULL),
        "{\"metadata\":{\"name\":\"n\",\"uid\":\"u\"},\"data\":{\"managedFields\":\"stay\"}}");
}

Test(snapshot, labels_and_owners_are_found_on_both_sides_of_managed_fields)
{
    SNAPSHOT(s,
             "{\"metadata\":{\"labels\":{\"a\":\"1\"},\"managedFields\":[{\"manager\":\"m\"}],"
             "\"name\":\"n\",\"ownerReferences\":[{\"uid\":\"o\"}]}}",
             "v1", "ConfigMap");
    expect_span(watch_snapshot_labels(s), "{\"a\":\"1\"}");
    expect_span(watch_snapshot_owners(s), "[{\"uid\":\"o\"}]");
}

Test(snapshot, names_are_unescaped)
{
    SNAPSHOT(s, "{\"metadata\":{\"name\":\"a\\u002eb\",\"namespace\":\"n\\u0073\"}}", NULL, NULL);
    EXPECT_STR(watch_snapshot_name(s), "a.b");
    EXPECT_STR(watch_snapshot_ns(s), "ns");
}

static void expect_refused(const char *text)
{
    watch_snapshot_t *s = NULL;
    lh_error_t err = {0};
    int ret = watch_snapshot_create(text, strlen(text), "v1", "X", &s, &err);

    cr_expect_eq(ret, LH_EPARSE, "'%s' gave %d, expected LH_EPARSE", text, ret);
    cr_expect(s == NULL && err.text[0] != '\0', "'%s': nothing made and a text expected", text);
}

Test(snapshot, what_is_no_object_is_refused)
{
    expect_refused("");
    expect_refused("[]");
    expect_refused("{");
    expect_refused("{\"metadata\":{\"name\":\"n\"}");
    expect_refused("{\"metadata\":{\"name\":\"n\"}} x");
    expect_refused("{\"metadata\":{}}");
    expect_refused("{\"metadata\":{\"name\":\"\"}}");
    expect_refused("{\"metadata\":{\"name\":7}}");
    expect_refused("{\"metadata\":null}");
}

Test(snapshot, an_object_of_another_kind_is_refused)
{
    expect_refused("{\"kind\":\"Y\",\"metadata\":{\"name\":\"n\"}}");
    expect_refused("{\"kind\":\"Table\",\"metadata\":{\"name\":\"n\"},\"rows\":[]}");
}

Test(snapshot, lives_until_its_last_reference_goes)
{
    watch_snapshot_t *s = NULL;

    make("{\"metadata\":{\"name\":\"n\"}}", NULL, NULL, &s);
    watch_snapshot_t *again = watch_snapshot_ref(s);

    watch_snapshot_unref(s);
    EXPECT_STR(watch_snapshot_name(again), "n");
    watch_snapshot_unref(again);
    watch_snapshot_unref(NULL);
}

Test(snapshot, versions_are_compared_as_numbers)
{
    EXPECT_INT(watch_version_compare("9", "10"), -1);
    EXPECT_INT(watch_version_compare("10", "9"), 1);
    EXPECT_INT(watch_version_compare("10", "10"), 0);
    EXPECT_INT(watch_version_compare("18446744073709551616", "18446744073709551615"), 1);
}

Test(snapshot, versions_that_are_no_numbers_are_only_equal_or_not)
{
    EXPECT_INT(watch_version_compare("abc", "abc"), 0);
    EXPECT_INT(watch_version_compare("abc", "abd"), 2);
    EXPECT_INT(watch_version_compare("010", "9"), 2);
    EXPECT_INT(watch_version_compare("0", "1"), 2);
    EXPECT_INT(watch_version_compare("", "1"), 2);
    EXPECT_INT(watch_version_compare("", ""), 0);
    EXPECT_INT(watch_version_compare("1a", "2"), 2);
}
