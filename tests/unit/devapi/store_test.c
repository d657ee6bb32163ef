/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/store.h"

#include "content.h"

static dev_store_t *store;
static dev_table_t *table;
static int seen;
static bool last_gone;

static void on_event(void *arg, const dev_event_t *e)
{
    (void) arg;
    seen++;
    last_gone = e->gone;
}

static void start(void)
{
    seen = 0;
    store = dev_store_create(
        &(dev_store_options_t){.max_bytes = 100000, .max_events = 4, .on_event = on_event});
    table = dev_store_table(store, "/things");
}

static void finish(void)
{
    dev_store_destroy(store);
}

TestSuite(store, .init = start, .fini = finish, .timeout = 20);

static const dev_object_t *put(const char *ns, const char *name, const char *more)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{'kind':'T','apiVersion':'v1','spec':1,'metadata':{'namespace':'%s','name':'%"
                     "s','uid':'u'%s}}",
                     ns, name, more);
    cJSON *tree = json_of(text);
    const dev_object_t *o = dev_store_put(store, table, tree);

    cJSON_Delete(tree);
    return o;
}

Test(store, text_begins_with_metadata_and_has_no_kind)
{
    const dev_object_t *o = put("a", "x", "");

    EXPECT_STR(o->text, "{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\",\"uid\":\"u\","
                        "\"resourceVersion\":\"1\"},\"spec\":1}");
    EXPECT_INT(o->version, 1);
    EXPECT_STR(o->ns, "a");
}

Test(store, flags_are_those_of_metadata_not_of_the_text)
{
    cJSON *tree =
        json_of("{'metadata':{'name':'x'},'data':{'deletionTimestamp':'no','ownerReferences':[]}}");
    const dev_object_t *o = dev_store_put(store, table, tree);

    EXPECT_INT(o->deleting, false);
    EXPECT_INT(o->owned, false);
    cJSON_Delete(tree);
    o = put("", "y", ",'deletionTimestamp':'t','ownerReferences':[{'uid':'u'}]");
    EXPECT_INT(o->deleting, true);
    EXPECT_INT(o->owned, true);
}

Test(store, objects_are_in_order_of_namespace_and_name)
{
    static const char *const order[] = {"a/x", "a/y", "b/a"};

    put("b", "a", "");
    put("a", "y", "");
    put("a", "x", "");
    EXPECT_INT(dev_table_count(table), 3);
    for (size_t i = 0; i < HOST_LEN(order); i++) {
        const dev_object_t *o = dev_table_at(table, i);
        host_cleanup(host_freep) char *place = host_xprintf("%s/%s", o->ns, o->name);
        EXPECT_STR(place, order[i]);
    }
    EXPECT_INT(dev_table_lower(table, "a", "xx"), 1);
    cr_expect(dev_table_find(table, "b", "x") == NULL, "found what is not there");
}

Test(store, a_change_takes_the_place_of_the_old_one)
{
    put("a", "x", "");
    put("a", "x", ",'labels':{'l':'1'}");
    EXPECT_INT(dev_table_count(table), 1);
    EXPECT_INT(dev_table_find(table, "a", "x")->version, 2);
    EXPECT_JSON(dev_table_find(table, "a", "x")->labels, "{'l':'1'}");
    EXPECT_INT(seen, 2);
}

Test(store, a_deletion_has_a_version_of_its_own)
{
    const dev_object_t *o = put("a", "x", "");
    const dev_object_t *last = dev_store_remove(store, table, o);

    EXPECT_INT(last->version, 2);
    EXPECT_HAS(last->text, "\"resourceVersion\":\"2\"");
    EXPECT_INT(dev_table_count(table), 0);
    EXPECT_INT(last_gone, true);
}

/* "a/x:1 ..." of the table at a version. */
static char *past_of(int64_t version)
{
    size_t count;
    dev_object_t **past = dev_store_past(store, table, version, &count);
    buf_t out = BUF_INIT;

    buf_puts(&out, "");
    for (size_t i = 0; i < count; i++) {
        buf_printf(&out, "%s%s:%lld", i > 0 ? " " : "", past[i]->name,
                   (long long) past[i]->version);
        dev_object_unref(past[i]);
    }
    free(past);
    return out.data == NULL ? host_xstrdup("") : buf_steal(&out);
}

static void expect_past(int64_t version, const char *expected)
{
    host_cleanup(host_freep) char *past = past_of(version);

    EXPECT_STR(past, expected);
}

Test(store, the_past_is_told_from_history)
{
    put("", "a", "");                                               /* 1 */
    put("", "b", "");                                               /* 2 */
    put("", "a", ",'labels':{'l':'1'}");                            /* 3 */
    dev_store_remove(store, table, dev_table_find(table, "", "b")); /* 4 */
    expect_past(0, "");
    expect_past(1, "a:1");
    expect_past(2, "a:1 b:2");
    expect_past(3, "a:3 b:2");
    expect_past(4, "a:3");
}

Test(store, history_forgets_the_oldest)
{
    for (int i = 0; i < 6; i++)
        put("", "a", "");
    EXPECT_INT(dev_store_version(store), 6);
    EXPECT_INT(dev_store_oldest(store), 2);
    dev_store_compact(store);
    EXPECT_INT(dev_store_oldest(store), 6);
    expect_past(6, "a:6");
}

static bool stop_at_second(void *arg, const dev_event_t *e)
{
    int64_t *versions = arg;

    versions[versions[0] == 0 ? 0 : 1] = e->version;
    return versions[1] == 0;
}

Test(store, events_behind_a_version_come_in_order)
{
    int64_t versions[2] = {0, 0};

    for (int i = 0; i < 4; i++)
        put("", "a", "");
    dev_store_events(store, 1, stop_at_second, versions);
    EXPECT_INT(versions[0], 2);
    EXPECT_INT(versions[1], 3);
}

Test(store, history_gives_way_to_objects)
{
    char big[20001] = "";
    dev_store_stats_t stats;

    memset(big, 'x', sizeof(big) - 1);
    host_cleanup(host_freep) char *more = host_xprintf(",'annotations':{'a':'%s'}", big);
    for (int i = 0; i < 20; i++)
        put("", "a", more);
    dev_store_stats(store, &stats);
    cr_expect(stats.bytes <= 100000, "%zu bytes, expected at most 100000", stats.bytes);
    EXPECT_INT(stats.objects, 1);
    EXPECT_INT(dev_store_full(store, 200000), true);
}
