/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/fields.h"

#include "support/expect.h"

static void destroyp(watch_fields_t **f)
{
    watch_fields_destroy(*f);
}

#define FIELDS(f, paths)                                                                           \
    host_cleanup(destroyp) watch_fields_t *f = NULL;                                               \
    do {                                                                                           \
        lh_error_t err_;                                                                           \
        ASSERT_OK(watch_fields_parse((paths), &f, &err_), err_);                                   \
    } while (0)

/* What is kept of an object with these members beside a name. */
static void expect_kept(const char *paths, const char *members, const char *expected)
{
    FIELDS(f, paths);
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"kind\":\"K\",\"metadata\":{\"name\":\"a\"}%s}", members);
    host_cleanup(host_freep) char *kept = host_xprintf(
        "{\"apiVersion\":\"v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"a\"}%s}", expected);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = NULL;
    lh_error_t err;

    ASSERT_OK(watch_fields_snapshot(f, text, strlen(text), "v1", "K", &s, &err), err);
    EXPECT_STR(watch_snapshot_text(s, NULL), kept);
}

Test(fields, without_paths_all_is_kept)
{
    expect_kept(NULL, ",\"spec\":{\"a\":1}", ",\"spec\":{\"a\":1}");
}

Test(fields, only_what_is_named_is_kept)
{
    static const char members[] = ",\"spec\":{\"a\":1,\"b\":{\"c\":\"x,}\",\"d\":[]},\"e\":null},"
                                  "\"status\":{\"f\":true},\"data\":{\"g\":\"\"}";

    expect_kept("/spec/a", members, ",\"spec\":{\"a\":1}");
    expect_kept("/spec/b/c", members, ",\"spec\":{\"b\":{\"c\":\"x,}\"}}");
    expect_kept("/spec/b,/spec/b/c", members, ",\"spec\":{\"b\":{\"c\":\"x,}\",\"d\":[]}}");
    expect_kept("/spec/e,/status", members, ",\"spec\":{\"e\":null},\"status\":{\"f\":true}");
    expect_kept("/data/g", members, ",\"data\":{\"g\":\"\"}");
    expect_kept("/none", members, "");
    expect_kept("/spec/none", members, ",\"spec\":{}");
    expect_kept("/spec/a/none", members, ",\"spec\":{}"); /* a scalar has nothing below it */
}

Test(fields, a_path_goes_on_in_each_element_of_an_array)
{
    static const char members[] =
        ",\"spec\":{\"containers\":[{\"image\":\"i\",\"name\":\"n\"},{\"name\":\"m\"},7,\"s\",[]]}";

    expect_kept("/spec/containers/image", members,
                ",\"spec\":{\"containers\":[{\"image\":\"i\"},{},7,\"s\",[]]}");
    expect_kept("/spec/containers", members, members);
}

Test(fields, keys_are_compared_unescaped)
{
    expect_kept("/a~1b,/c~0d", ",\"a\\/b\":1,\"c~d\":2,\"a\":3", ",\"a\\/b\":1,\"c~d\":2");
}

Test(fields, an_object_that_is_broken_in_what_is_left_out_cannot_be_read)
{
    static const char text[] = "{\"metadata\":{\"name\":\"a\"},\"data\":{\"x\":tru}}";
    watch_snapshot_t *s = NULL;
    lh_error_t err;

    FIELDS(f, "/spec");
    EXPECT_INT(watch_fields_snapshot(f, text, strlen(text), "v1", "K", &s, &err), LH_EPARSE);
}

Test(fields, metadata_is_kept_but_for_managed_fields)
{
    static const char text[] =
        "{\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"labels\":{\"l\":\"v\"},"
        "\"managedFields\":[{}]},\"spec\":{}}";
    watch_snapshot_t *s = NULL;
    lh_error_t err;

    FIELDS(f, "/status");
    ASSERT_OK(watch_fields_snapshot(f, text, strlen(text), "v1", "K", &s, &err), err);
    EXPECT_STR(watch_snapshot_text(s, NULL),
               "{\"apiVersion\":\"v1\",\"kind\":\"K\","
               "\"metadata\":{\"name\":\"a\",\"uid\":\"u\",\"labels\":{\"l\":\"v\"}}}");
    EXPECT_STR(watch_snapshot_uid(s), "u");
    watch_snapshot_unref(s);
}

Test(fields, what_is_no_path_is_refused)
{
    static const char deep[] = "/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3";
    static const char *const bad[] = {"",        "/",    "spec", "/spec,", ",/spec",
                                      "/spec,x", "/a~2", "/a~",  deep};
    watch_fields_t *f = NULL;

    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        lh_error_t err;

        cr_expect(watch_fields_parse(bad[i], &f, &err) == LH_EINVAL, "'%s' is taken", bad[i]);
        EXPECT_HAS(err.text, "JSON Pointer");
    }
    cr_expect(f == NULL);
}

Test(fields, it_is_known_what_is_kept_whole)
{
    FIELDS(f, "/spec/a,/status");
    cr_expect(watch_fields_keep(f, "/spec/a"));
    cr_expect(watch_fields_keep(f, "/spec/a/b"));
    cr_expect(watch_fields_keep(f, "/metadata/labels/x"));
    cr_expect(!watch_fields_keep(f, "/spec"));
    cr_expect(!watch_fields_keep(f, "/spec/b"));
    cr_expect(watch_fields_keep(NULL, "/spec/b"), "without fields all is kept");
}
