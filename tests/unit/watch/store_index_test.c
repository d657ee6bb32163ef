/* SPDX-License-Identifier: Apache-2.0 */
/* What is found by namespace, owner and label without a look at the other objects. */
#include "store_rig.h"

static int looked_at; /* objects whose labels were compared */

bool __real_watch_selector_match(const watch_selector_t *s, skim_span_t labels);
bool __wrap_watch_selector_match(const watch_selector_t *s, skim_span_t labels);

bool __wrap_watch_selector_match(const watch_selector_t *s, skim_span_t labels)
{
    looked_at += s != NULL;
    return __real_watch_selector_match(s, labels);
}

static void selector_destroyp(watch_selector_t **s)
{
    watch_selector_destroy(*s);
}

/* The names of those in ns that match and have the owner (NULL: any), in the order of the alphabet: "a,b". */
static char *found(watch_store_t *s, const char *ns, const char *selector, const char *owner)
{
    host_cleanup(selector_destroyp) watch_selector_t *labels = NULL;
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    bool there[26] = {false};
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    looked_at = 0;
    ASSERT_OK(watch_selector_parse(selector, &labels, &err), err);
    ASSERT_OK(watch_store_names(s, ns, labels, owner, &names, &count, &err), err);
    for (size_t i = 0; i < count; i++) {
        EXPECT_STR(names[i].ns, ns != NULL ? ns : "ns");
        there[names[i].name[0] - 'a'] = true;
    }
    watch_names_free(names, count);
    for (int i = 0; i < 26; i++) {
        if (there[i])
            buf_printf(&out, "%s%c", out.len > 0 ? "," : "", 'a' + i);
    }
    return host_xstrdup(buf_text(&out));
}

#ifdef STORE_PACKED /* most others are told apart by their digests */
#define EXPECT_LOOKED_AT(among) cr_expect(looked_at <= (among), "%d", looked_at)
#else
#define EXPECT_LOOKED_AT(among) EXPECT_INT(looked_at, among)
#endif
/* Which names match, and among how many objects they are found. */
#define EXPECT_FOUND_OF(s, ns, selector, owner, expected, among)                                   \
    do {                                                                                           \
        host_cleanup(host_freep) char *t_ = found(s, ns, selector, owner);                         \
        EXPECT_STR(t_, expected);                                                                  \
        EXPECT_LOOKED_AT(among);                                                                   \
    } while (0)
#define EXPECT_FOUND(s, selector, expected, among)                                                 \
    EXPECT_FOUND_OF(s, NULL, selector, NULL, expected, among)

static void put_labelled(watch_store_t *s, const char *name, int version, const char *labels)
{
    host_cleanup(host_freep) char *more = host_xprintf(",\"labels\":{%s}", labels);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with(name, name, version, more);

    watch_store_put(s, o, NULL);
}

static void put_three_apps(watch_store_t *s)
{
    put_labelled(s, "a", 1, "\"app\":\"web\",\"tier\":\"front\"");
    put_labelled(s, "b", 1, "\"app\":\"web\",\"tier\":\"back\"");
    put_labelled(s, "c", 1, "\"app\":\"db\"");
    put(s, "d", "d", 1);
}

static void walk(watch_store_t *s)
{
    watch_store_walk_t w;
    watch_snapshot_t *object;

    watch_store_walk_begin(s, &w);
    while ((object = watch_store_walk_next(s, &w)) != NULL)
        watch_snapshot_unref(object);
    watch_store_walk_end(s, &w);
}

Test(store, objects_are_found_by_a_label_that_is_indexed)
{
    STORE(s);
    watch_store_index_labels(s, "app,tier");
    put_three_apps(s);
    EXPECT_FOUND(s, "app=web", "a,b", 0);
    EXPECT_FOUND(s, "app in (db)", "c", 0);
    EXPECT_FOUND(s, "app=web,tier=back", "b", 1);
    EXPECT_FOUND(s, "tier=back,app=web", "b", 1);
    EXPECT_FOUND(s, "app=db,tier=back", "", 1);
    EXPECT_FOUND(s, "app=none,tier=back", "", 0);
    EXPECT_FOUND(s, "tier=back,app=none", "", 0);
    EXPECT_FOUND(s, "app=web,tier!=back", "a", 2);
}

Test(store, what_the_index_does_not_tell_is_found_all_the_same)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put_three_apps(s);
    EXPECT_FOUND(s, "tier=back", "b", 4);
    EXPECT_FOUND(s, "app", "a,b,c", 4);
    EXPECT_FOUND(s, "app!=web", "c,d", 4);
    EXPECT_FOUND(s, "app in (web,db)", "a,b,c", 4);
}

Test(store, the_index_of_labels_follows_changes)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put_three_apps(s);
    put_labelled(s, "a", 2, "\"app\":\"db\"");
    put_labelled(s, "b", 2, "\"tier\":\"back\"");
    EXPECT_FOUND(s, "app=web", "", 0);
    EXPECT_FOUND(s, "app=db", "a,c", 0);
    EXPECT_REMOVED(s, "c", "c", "3", "c@1");
    EXPECT_FOUND(s, "app=db", "a", 0);
}

Test(store, a_noted_write_is_found_by_its_label)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put_three_apps(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with("c", "c", 5, ",\"labels\":{\"app\":\"web\"}");
    watch_store_note_write(s, o);
    EXPECT_FOUND(s, "app=web", "a,b,c", 0);
    EXPECT_FOUND(s, "app=db", "", 0);
}

Test(store, what_is_there_is_looked_at_until_a_walk_has_indexed_it)
{
    STORE(s);
    watch_store_walk_t early;
    put_three_apps(s);
    watch_store_walk_begin(s, &early);
    watch_store_index_labels(s, "app");
    EXPECT_FOUND(s, "app=web", "a,b", 4);
    for (watch_snapshot_t *o; (o = watch_store_walk_next(s, &early)) != NULL;)
        watch_snapshot_unref(o);
    watch_store_walk_end(s, &early);
    EXPECT_FOUND(s, "app=web", "a,b", 4);
    walk(s);
    EXPECT_FOUND(s, "app=web", "a,b", 0);
    watch_store_index_labels(s, "app,tier");
    EXPECT_FOUND(s, "app=web", "a,b", 0);
    EXPECT_FOUND(s, "tier=back", "b", 4);
}

Test(store, a_write_that_the_stream_has_not_brought_is_indexed_without_a_walk)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with("n", "n", 5, ",\"labels\":{\"app\":\"web\"}");
    watch_store_note_write(s, o);
    watch_store_index_labels(s, "app");
    walk(s);
    EXPECT_FOUND(s, "app=web", "n", 0);
}

static void put_in(watch_store_t *s, const char *ns, const char *name)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\","
                     "\"resourceVersion\":\"1\",\"labels\":{\"app\":\"web\"}}}",
                     name, ns, name);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = NULL;
    lh_error_t err;

    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &o, &err), err);
    watch_store_put(s, o, NULL);
}

Test(store, of_another_namespace_nothing_is_looked_at)
{
    STORE(s);
    put_three_apps(s);
    put_in(s, "other", "a");
    EXPECT_FOUND_OF(s, "other", "app=web", NULL, "a", 1);
    EXPECT_FOUND_OF(s, "ns", "app=web", NULL, "a,b", 4);
    EXPECT_FOUND_OF(s, "none", "app=web", NULL, "", 0);
    EXPECT_REMOVED(s, "a", "a", "2", "a@1");
    put_in(s, "third", "z"); /* in the place of what was removed */
    EXPECT_FOUND_OF(s, "ns", "app=web", NULL, "b", 3);
    EXPECT_FOUND_OF(s, "third", "app=web", NULL, "z", 1);
}

Test(store, the_smaller_of_namespace_and_label_is_looked_at)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put_three_apps(s);
    put_in(s, "other", "a");
    EXPECT_FOUND_OF(s, "other", "app=web", NULL, "a", 1);
    EXPECT_FOUND_OF(s, "ns", "app=web", NULL, "a,b", 0);
    EXPECT_FOUND_OF(s, "ns", "app=db", NULL, "c", 0);
    EXPECT_FOUND_OF(s, "other", "app=db", NULL, "", 0);
}

Test(store, an_owner_that_is_called_like_a_label_is_another_thing)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with("a", "a", 1, ",\"ownerReferences\":[{\"uid\":\"app=web\"},{\"uid\":\"web\"}]");
    watch_store_put(s, o, NULL);
    EXPECT_FOUND(s, "app=web", "", 0);
    EXPECT_INT(owned_by(s, "app=web"), 1);
    EXPECT_INT(owned_by(s, "web"), 1);
}

Test(store, an_owners_objects_are_found_by_their_labels_too)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put_labelled(s, "c", 1, "\"app\":\"db\"");
    for (int i = 0; i < 2; i++) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = object_with(
            i == 0 ? "a" : "b", "u", 1,
            i == 0 ? ",\"labels\":{\"app\":\"web\"},\"ownerReferences\":[{\"uid\":\"o\"}]"
                   : ",\"ownerReferences\":[{\"uid\":\"o\"}]");
        watch_store_put(s, o, NULL);
    }
    EXPECT_FOUND_OF(s, NULL, "app=web", "o", "a", 2);
    EXPECT_FOUND_OF(s, NULL, "app=db", "o", "", 2);
    EXPECT_FOUND_OF(s, NULL, "app=web", "p", "", 0);
}

Test(store, an_object_that_names_an_owner_twice_is_listed_once)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with("a", "a", 1,
                    ",\"ownerReferences\":[{\"uid\":\"o\",\"apiVersion\":\"v1\"},{\"uid\":\"p\"},"
                    "{\"uid\":\"o\",\"apiVersion\":\"v2\"}]");
    watch_store_put(s, o, NULL);
    EXPECT_INT(owned_by(s, "o"), 1);
    EXPECT_INT(owned_by(s, "p"), 1);
    EXPECT_REMOVED(s, "a", "a", "2", "a@1");
    EXPECT_INT(owned_by(s, "o"), 0);
}

Test(store, labels_beyond_those_that_can_be_indexed_are_looked_at)
{
    STORE(s);
    for (int i = 0; i < 20; i++) {
        char key[16];

        snprintf(key, sizeof(key), "label-%d", i);
        watch_store_index_labels(s, key);
    }
    put_labelled(s, "a", 1, "\"label-15\":\"x\",\"label-16\":\"x\"");
    put(s, "b", "b", 1);
    EXPECT_FOUND(s, "label-15=x", "a", 0);
    EXPECT_FOUND(s, "label-16=x", "a", 2);
}

Test(store, a_label_is_found_however_it_is_written)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put_labelled(s, "b", 1, "\"app\":\"w\\u0065b\"");
    EXPECT_FOUND(s, "app=web", "b", 0);
}

Test(store, the_index_is_counted_and_given_back)
{
    STORE(s);
    watch_store_index_labels(s, "app");
    put(s, "keeps-the-tables", "k", 1);
    put_labelled(s, "b", 1, "\"app\":\"web\"");
    EXPECT_REMOVED(s, "b", "b", "2", "b@1");
    const size_t without = watch_store_usage(s).bytes;
    put_labelled(s, "b", 3, "\"app\":\"web\"");
    const size_t with = watch_store_usage(s).bytes;
    put_labelled(s, "b", 4, "\"ppa\":\"web\"");
    cr_expect(watch_store_usage(s).bytes < with);
    EXPECT_REMOVED(s, "b", "b", "5", "b@4");
    EXPECT_INT(watch_store_usage(s).bytes, without);
}

/* Which way a list took: nothing else showed an operator that an index is used. */
Test(store, lists_are_counted_by_what_found_their_objects)
{
    static const char *const labels[] = {"by", NULL};
    metrics_t *metrics = metrics_create();
    metric_t *f = metrics_counter(metrics, "reads_total", "Reads.", labels);
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    STORE(s);

    watch_store_index_labels(s, "app");
    put_three_apps(s);
    watch_store_set_meters(
        s, &(watch_store_meters_t){
               .reads = {[WATCH_BY_OWNER] = metric_cell(f, &(const char *){"owner"}),
                         [WATCH_BY_LABEL] = metric_cell(f, &(const char *){"label"}),
                         [WATCH_BY_NAMESPACE] = metric_cell(f, &(const char *){"ns"}),
                         [WATCH_BY_ALL] = metric_cell(f, &(const char *){"all"})}});
    EXPECT_FOUND_OF(s, "ns", "app=web", "o", "", 0);
    EXPECT_FOUND(s, "app=web", "a,b", 0);
    EXPECT_FOUND(s, "app=web,tier", "a,b", 2);
    EXPECT_FOUND_OF(s, "ns", "tier=back", NULL, "b", 4);
    EXPECT_FOUND_OF(s, "other", "app=web", "o", "", 0);
    EXPECT_FOUND_OF(s, "other", "app=web", NULL, "", 0);
    put_labelled(s, "e", 1, "\"app\":\"db\""); /* and still the namespace has more */
    EXPECT_FOUND_OF(s, "ns", "app=db", NULL, "c,e", 0);
    EXPECT_FOUND_OF(s, "other", "tier=back", NULL, "", 0);
    for (int i = 0; i < 4; i++)
        EXPECT_FOUND(s, "tier=back", "b", 5);
    metrics_render(metrics, METRICS_TEXT, &out);
    EXPECT_HAS(buf_text(&out), "reads_total{by=\"owner\"} 2\n");
    EXPECT_HAS(buf_text(&out), "reads_total{by=\"label\"} 4\n");
    EXPECT_HAS(buf_text(&out), "reads_total{by=\"ns\"} 2\n");
    EXPECT_HAS(buf_text(&out), "reads_total{by=\"all\"} 4\n");
    watch_store_set_meters(s, &(watch_store_meters_t){0});
    metrics_destroy(metrics);
}
