/* SPDX-License-Identifier: Apache-2.0 */
#include "served.h"

#include "devapi/managed.h"
#include "devapi/managed_text.h"

TestSuite(managed, .init = served_start, .fini = served_finish);

#define ENTRY(manager, operation, version, time, fields)                                           \
    "{'manager':'" manager "','operation':'" operation "','apiVersion':'" version                  \
    "','time':'" time "','fieldsType':'FieldsV1','fieldsV1':" fields "}"
#define T1 "2026-01-01T00:00:01Z"
#define T2 "2026-01-01T00:00:02Z"

static managed_t managed_of(const char *json)
{
    cJSON *tree = json_of(json);
    managed_t m;

    cr_assert(managed_read(tree, &m) == 0, "%s cannot be read", json);
    cJSON_Delete(tree);
    return m;
}

/* "manager version, ..." */
static void expect_managers(managed_t *m, const char *expected)
{
    cJSON *json = managed_json(m);
    const cJSON *item;
    host_cleanup(buf_fini) buf_t names = BUF_INIT;

    cJSON_ArrayForEach (item, json)
        buf_printf(&names, "%s%s %s", names.len > 0 ? ", " : "", tree_text(item, "manager"),
                   tree_text(item, "apiVersion"));
    EXPECT_STR(buf_text(&names), expected);
    cJSON_Delete(json);
}

Test(managed, entries_come_in_order)
{
    managed_t m = managed_of("[" ENTRY("d", "Update", "v1", T1, "{'f:a':{}}") "," ENTRY(
        "c", "Update", "v2", T2,
        "{'f:a':{}}") "," ENTRY("b", "Update", "v1", T2,
                                "{'f:a':{}}") "," ENTRY("z", "Apply", "v1", T2, "{'f:a':{}}") "]");

    expect_managers(&m, "z v1, d v1, b v1, c v2");
    managed_fini(&m);
}

Test(managed, an_applier_has_one_entry_whatever_the_version)
{
    managed_t m = managed_of("[" ENTRY("a", "Apply", "v1", T1, "{'f:a':{}}") "]");
    const managed_entry_t other = {.name = (char *) "a",
                                   .version = (char *) "v2",
                                   .subresource = (char *) "",
                                   .applied = true};
    managed_entry_t update = other;

    update.applied = false;
    cr_expect(managed_find(&m, &other) == &m.at[0]);
    cr_expect(managed_find(&m, &update) == NULL);
    managed_fini(&m);
}

Test(managed, what_this_server_has_not_written_is_refused)
{
    static const char *const rows[] = {"{}",
                                       "[{}]",
                                       "[" ENTRY("a", "Other", "v1", T1, "{}") "]",
                                       "[" ENTRY("a", "Apply", "", T1, "{}") "]",
                                       "[" ENTRY("a", "Apply", "v1", "noon", "{}") "]",
                                       "[" ENTRY("a", "Apply", "v1", T1, "{'x':{}}") "]"};

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *tree = json_of(rows[i]);
        managed_t m;

        cr_expect(managed_read(tree, &m) < 0, "%s was read", rows[i]);
        EXPECT_INT((int) m.n, 0);
        cJSON_Delete(tree);
    }
}

Test(managed, an_empty_list_or_entry_asks_for_nothing_to_be_managed)
{
    static const struct {
        const char *json;
        bool reset;
    } rows[] = {{"[]", true}, {"[{}]", true}, {"[{},{}]", false}, {"[{'manager':'a'}]", false}};

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *tree = json_of(rows[i].json);
        EXPECT_INT(managed_is_reset(tree), rows[i].reset);
        cJSON_Delete(tree);
    }
    EXPECT_INT(managed_is_reset(NULL), false);
}

Test(managed, the_oldest_of_many_updaters_become_one)
{
    managed_t m = {0};

    for (int i = 0; i < 13; i++) {
        host_cleanup(host_freep) char *name = host_xprintf("m%02d", i);
        host_cleanup(host_freep) char *step = host_xprintf("f:%02d", i);
        host_cleanup(host_freep) char *time = host_xprintf("2026-01-01T00:00:%02dZ", i);
        managed_entry_t *e = managed_reach(
            &m,
            &(managed_entry_t){.name = name, .version = (char *) "v1", .subresource = (char *) ""});

        field_set_insert(&e->fields, FIELD_STEP(NULL, step));
        managed_set_time(e, time);
        managed_cap(&m);
    }
    expect_managers(&m,
                    "ancient-changes v1, m04 v1, m05 v1, m06 v1, m07 v1, m08 v1, m09 v1, m10 v1, "
                    "m11 v1, m12 v1");
    EXPECT_INT((int) field_set_size(&m.at[0].fields), 4);
    EXPECT_STR(m.at[0].time, "2026-01-01T00:00:03Z");
    managed_fini(&m);
}

/* -- As stores keep them -- */

Test(managed, objects_that_differ_in_times_share_a_text)
{
    managed_texts_t *texts = managed_texts_create();
    cJSON *a = json_of("[" ENTRY("a", "Update", "v1", T1, "{'f:time':{}}") "]");
    cJSON *b = json_of("[" ENTRY("a", "Update", "v1", T2, "{'f:time':{}}") "]");
    int64_t first[2], second[2];
    managed_text_t *x = managed_text_of(texts, a, first, 2);
    managed_text_t *y = managed_text_of(texts, b, second, 2);
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    cJSON *again;

    cr_assert(x != NULL);
    cr_expect(x == y);
    EXPECT_INT((int) managed_text_times(x), 1);
    managed_text_put(y, second, &out);
    again = cJSON_Parse(buf_text(&out));
    cr_expect(cJSON_Compare(again, b, true), "%s", buf_text(&out));
    managed_text_unref(x);
    cr_expect(managed_texts_bytes(texts) > 0);
    managed_text_unref(y);
    EXPECT_INT((int) managed_texts_bytes(texts), 0);
    managed_texts_destroy(texts);
    cJSON_Delete(a);
    cJSON_Delete(b);
    cJSON_Delete(again);
}

Test(managed, what_cannot_be_shared_stays_with_its_object)
{
    static const char *const rows[] = {
        "{}", "[" ENTRY("a", "Update", "v1", "2026-01-01T00:00:01.5Z", "{}") "]", "[{'time':1}]",
        "[" ENTRY("a", "Update", "v1", T1, "{}") "," ENTRY("b", "Update", "v1", T1, "{}") "]"};
    managed_texts_t *texts = managed_texts_create();

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        cJSON *tree = json_of(rows[i]);
        int64_t times[1];

        cr_expect(managed_text_of(texts, tree, times, 1) == NULL, "%s is shared", rows[i]);
        cJSON_Delete(tree);
    }
    managed_texts_destroy(texts);
}

Test(managed, a_text_outlives_its_store)
{
    managed_texts_t *texts = managed_texts_create();
    cJSON *json = json_of("[" ENTRY("a", "Update", "v1", T1, "{}") "]");
    int64_t times[1];
    managed_text_t *text = managed_text_of(texts, json, times, 1);
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    managed_texts_destroy(texts);
    managed_text_put(text, times, &out);
    EXPECT_HAS(buf_text(&out), "\"time\":\"" T1 "\"");
    managed_text_unref(text);
    cJSON_Delete(json);
}

/* -- Through the core -- */

static dev_request_t apply_of(const char *name, const char *manager)
{
    dev_request_t r = request_of(DEV_PATCH, CONFIGMAPS, name);

    r.content_type = "application/apply-patch+yaml";
    r.field_manager = manager;
    return r;
}

/* Of an apply of the ConfigMap "a". Caller owns. */
static cJSON *apply_as(int code, const char *manager, const char *body)
{
    cJSON *patch = json_of(body);
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(patch);

    cJSON_Delete(patch);
    return serve_as(code, apply_of("a", manager), text);
}

#define MAP(data) "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'a'},'data':" data "}"

Test(managed, a_snapshot_keeps_who_owns_what)
{
    lh_error_t err = {0};
    char path[] = "/tmp/leasehold-managed-XXXXXX";
    const int fd = mkstemp(path);

    cr_assert(fd >= 0);
    close(fd);
    cJSON_Delete(apply_as(201, "one", MAP("{'k':'1'}")));
    ASSERT_OK(dev_core_save(served.core, path, &err), err);
    served_finish();
    served_start();
    ASSERT_OK(dev_core_load(served.core, path, &err), err);
    cJSON *refused = apply_as(409, "two", MAP("{'k':'2'}"));
    EXPECT_HAS(tree_text(refused, "message"), "conflict with \"one\": .data.k");
    cJSON_Delete(refused);
    unlink(path);
}

Test(managed, a_list_tells_who_owns_what)
{
    dev_request_t list = request_of(DEV_LIST, CONFIGMAPS, NULL);

    cJSON_Delete(apply_as(201, "one", MAP("{'k':'1'}")));
    list.field_selector = "metadata.name=a";
    cJSON *all = serve_as(200, list, NULL);
    const cJSON *item = cJSON_GetArrayItem(tree_get(all, "items"), 0);
    const cJSON *entry = cJSON_GetArrayItem(tree_at(item, "metadata.managedFields"), 0);
    EXPECT_STR(tree_text(entry, "manager"), "one");
    cJSON_Delete(all);
}

Test(managed, a_server_without_a_reader_of_yaml_says_so)
{
    cJSON *refused = serve_as(400, apply_of("a", "one"), "kind: ConfigMap\n");

    EXPECT_HAS(tree_text(refused, "message"), "only JSON is read here");
    cJSON_Delete(refused);
}
