/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks for less than a stream brings is served from it. */
#include "watch/view.h"

#include "fixture.h"
#include "packing.h"

/* A hub with two subscribers: `wide` sees all ConfigMaps, `narrow` what a test asks for. */
typedef struct side {
    buf_t seen;
    watch_sub_t *sub;
} side_t;

typedef struct world {
    fixture_t f; /* without its informer */
    watch_hub_t *hub;
    side_t wide, narrow;
} world_t;

static void on_event(void *arg, const watch_event_t *e)
{
    see(&((side_t *) arg)->seen, e);
}

static void on_synced(void *arg)
{
    buf_puts(&((side_t *) arg)->seen, "synced ");
}

static void on_state(void *arg, const char *problem)
{
    buf_printf(&((side_t *) arg)->seen, "(%.4s) ", problem != NULL ? problem : "ok");
}

static const watch_handler_t handler = {on_event, on_synced, on_state};

static watch_spec_t configmaps(const watch_spec_t *spec)
{
    watch_spec_t s = *spec;

    s.gvr = (kube_gvr_t){"", "v1", "configmaps"};
    return s;
}

static void subscribe(world_t *w, side_t *side, const watch_spec_t *spec)
{
    const watch_spec_t s = configmaps(spec);
    lh_error_t err;

    ASSERT_OK(watch_subscribe(w->hub, &s, &handler, side, &side->sub, &err), err);
}

static void end(side_t *side)
{
    if (side->sub != NULL)
        watch_unsubscribe(host_steal(side->sub));
}

static void world_open(world_t *w)
{
    fixture_open(&w->f, &(const watch_spec_t){0});
    watch_informer_destroy(host_steal(w->f.informer));
    w->hub = watch_hub_create(&w->f.options);
}

static void world_close(world_t *w)
{
    end(&w->wide);
    end(&w->narrow);
    watch_hub_destroy(w->hub);
    buf_fini(&w->wide.seen);
    buf_fini(&w->narrow.seen);
    fixture_close(&w->f);
}

#define WORLD(w)                                                                                   \
    host_cleanup(world_close) world_t w = {0};                                                     \
    world_open(&w)

/* What `side` sees in its cache: "ns/name ns/name ", sorted by nothing but the store's order. */
static void expect_cache(const side_t *side, const char *labels, const char *expected)
{
    watch_view_t *view = watch_sub_view(side->sub);
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    ASSERT_OK(watch_view_names(view, NULL, labels, NULL, &names, &count, &err), err);
    for (size_t i = 0; i < count; i++) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s =
            watch_view_get(view, names[i].ns, names[i].name);
        buf_printf(&out, "%s%s/%s ", s != NULL ? "" : "!", names[i].ns, names[i].name);
    }
    EXPECT_STR(buf_text(&out), expected);
    watch_names_free(names, count);
    watch_view_unref(view);
}

static bool sees(const side_t *side, const char *ns, const char *name)
{
    watch_view_t *view = watch_sub_view(side->sub);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = watch_view_get(view, ns, name);

    watch_view_unref(view);
    return s != NULL;
}

static void send(world_t *w, const char *type, const char *ns, const char *name, int version,
                 const char *labels)
{
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\","
        "\"namespace\":\"%s\",\"uid\":\"%s-%s\",\"resourceVersion\":\"%d\",\"labels\":{%s}},"
        "\"data\":{\"k\":\"v\"}}",
        name, ns, ns, name, version, labels);

    send_event(&w->f, type, text);
}

#define A "\"app\":\"a\""
#define B "\"app\":\"b\""

/* Both have synced on one stream: a/x and b/z with label app=a, a/y with app=b. */
static void open_both(world_t *w, const watch_spec_t *spec)
{
    subscribe(w, &w->wide, &(const watch_spec_t){0});
    subscribe(w, &w->narrow, spec);
    turn(&w->f);
    EXPECT_INT(fake_kube_open(w->f.kube), 1);
    send(w, "ADDED", "a", "x", 1, A);
    send(w, "ADDED", "a", "y", 2, B);
    send(w, "ADDED", "b", "z", 3, A);
    bookmark(&w->f, 10, true);
    turn(&w->f);
    EXPECT_SEEN(&w->wide, "+x@1* +y@2* +z@3* synced ");
}

Test(view, a_namespace_is_served_from_the_whole)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.ns = "a"});
    EXPECT_SEEN(&w.narrow, "+x@1* +y@2* synced ");
    expect_cache(&w.narrow, NULL, "a/x a/y ");
    expect_cache(&w.narrow, "app=b", "a/y ");
    cr_expect(!sees(&w.narrow, "b", "z"), "another namespace");
    send(&w, "MODIFIED", "b", "z", 11, A);
    send(&w, "DELETED", "b", "z", 12, A);
    send(&w, "DELETED", "a", "x", 13, A);
    EXPECT_SEEN(&w.narrow, "-x@13 ");
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
}

Test(view, a_label_selector_is_served_from_the_whole)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.label_selector = "app=a"});
    EXPECT_SEEN(&w.narrow, "+x@1* +z@3* synced ");
    expect_cache(&w.narrow, NULL, "a/x b/z ");
    expect_cache(&w.narrow, "app=b", "");
    expect_cache(&w.narrow, "app in (a,b)", "a/x b/z ");
    cr_expect(!sees(&w.narrow, "a", "y"), "another label");
}

/* As on a stream of one's own, but that no GET needs to ask: the stream shows that it is there. */
Test(view, what_does_not_match_any_more_has_left)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.label_selector = "app=a"});
    buf_clear(&w.narrow.seen);
    send(&w, "MODIFIED", "a", "x", 11, B);
    EXPECT_SEEN(&w.narrow, "~x@1 ");
    cr_expect(!sees(&w.narrow, "a", "x"), "it has left");
    send(&w, "MODIFIED", "a", "x", 12, B);
    send(&w, "DELETED", "a", "x", 13, B);
    EXPECT_SEEN(&w.narrow, "");
    send(&w, "MODIFIED", "a", "y", 14, A);
    EXPECT_SEEN(&w.narrow, "+y@14 ");
    send(&w, "DELETED", "a", "y", 15, A);
    EXPECT_SEEN(&w.narrow, "-y@15 ");
    turn(&w.f);
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
}

Test(view, an_object_that_enters_has_no_earlier_state)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.label_selector = "app=a"});
    const watch_event_t entered = {.type = WATCH_EVENT_CHANGED,
                                   .object = object_with("n", "n", 2, ",\"labels\":{" A "}"),
                                   .old = object_with("n", "n", 1, ",\"labels\":{" B "}")};
    watch_view_t *view = watch_sub_view(w.narrow.sub);
    watch_view_event_t shown;

    cr_assert(watch_view_show(view, &entered, &shown));
    EXPECT_INT(shown.event.type, WATCH_EVENT_CHANGED);
    cr_expect(shown.event.old == NULL, "it was not shown before");
    watch_view_event_fini(&shown);
    watch_snapshot_unref((watch_snapshot_t *) entered.object);
    watch_snapshot_unref((watch_snapshot_t *) entered.old);
    watch_view_unref(view);
}

Test(view, what_is_replaced_by_another_uid_is_gone_whether_the_new_one_matches_or_not)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.label_selector = "app=a"});
    buf_clear(&w.narrow.seen);
    send_event(&w.f, "MODIFIED",
               "{\"metadata\":{\"name\":\"x\",\"namespace\":\"a\",\"uid\":\"new\","
               "\"resourceVersion\":\"11\",\"labels\":{" B "}}}");
    EXPECT_SEEN(&w.narrow, "-x@1 ");
}

Test(view, metadata_is_served_from_the_whole)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.metadata_only = true});
    watch_view_t *view = watch_sub_view(w.narrow.sub), *whole = watch_sub_view(w.wide.sub);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s = watch_view_get(view, "a", "x");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *all = watch_view_get(whole, "a", "x");

    EXPECT_STR(watch_snapshot_text(s, NULL),
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\","
               "\"namespace\":\"a\",\"uid\":\"a-x\",\"resourceVersion\":\"1\",\"labels\":{" A
               "}}}");
    EXPECT_HAS(watch_snapshot_text(all, NULL), "\"data\"");
    watch_view_unref(view);
    watch_view_unref(whole);
}

Test(view, the_last_state_of_what_is_gone_is_metadata_too)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.metadata_only = true});
    watch_view_t *view = watch_sub_view(w.narrow.sub);
    static const char text[] = "{\"metadata\":{\"name\":\"n\"},\"data\":{}}";
    watch_snapshot_t *last = NULL;
    lh_error_t err;
    watch_view_event_t shown;

    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &last, &err), err);
    cr_assert(watch_view_show(view, &(const watch_event_t){.type = WATCH_EVENT_GONE, .old = last},
                              &shown));
    cr_expect(strstr(watch_snapshot_text(shown.event.old, NULL), "\"data\"") == NULL,
              "it is whole");
    watch_view_event_fini(&shown);
    watch_snapshot_unref(last);
    watch_view_unref(view);
}

Test(view, a_late_one_is_shown_what_it_asks_for_of_what_is_there)
{
    WORLD(w);
    subscribe(&w, &w.wide, &(const watch_spec_t){0});
    turn(&w.f);
    send(&w, "ADDED", "a", "x", 1, A);
    send(&w, "ADDED", "b", "z", 3, A);
    bookmark(&w.f, 10, true);
    turn(&w.f);
    buf_clear(&w.wide.seen);
    subscribe(&w, &w.narrow, &(const watch_spec_t){.ns = "b"});
    turn(&w.f);
    EXPECT_SEEN(&w.narrow, "+z@3* synced ");
    end(&w.narrow);
    send(&w, "MODIFIED", "a", "x", 11, A);
    EXPECT_SEEN(&w.wide, "+x@11 "); /* neither its coming nor its going disturbed the other */
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
}

Test(view, the_wider_one_may_leave)
{
    WORLD(w);
    open_both(&w, &(const watch_spec_t){.ns = "a"});
    buf_clear(&w.narrow.seen);
    end(&w.wide);
    turn(&w.f);
    send(&w, "MODIFIED", "a", "x", 11, A);
    EXPECT_SEEN(&w.narrow, "+x@11 ");
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
}

Test(view, a_wider_one_that_comes_later_has_a_stream_of_its_own_and_disturbs_nobody)
{
    WORLD(w);
    subscribe(&w, &w.narrow, &(const watch_spec_t){.ns = "a"});
    turn(&w.f);
    send(&w, "ADDED", "a", "x", 1, A);
    bookmark(&w.f, 10, true);
    turn(&w.f);
    EXPECT_SEEN(&w.narrow, "+x@1* synced ");
    subscribe(&w, &w.wide, &(const watch_spec_t){0});
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 2);
    EXPECT_SEEN(&w.narrow, "");
}

Test(view, a_wider_one_that_is_announced_is_opened_for_who_comes_first)
{
    WORLD(w);
    const watch_spec_t all = configmaps(&(const watch_spec_t){0});
    watch_plan_t *plan = watch_announce(w.hub, &all);

    subscribe(&w, &w.narrow, &(const watch_spec_t){.ns = "a"});
    turn(&w.f);
    EXPECT_HAS(fake_kube_last_path(w.f.kube), "/api/v1/configmaps?");
    subscribe(&w, &w.wide, &(const watch_spec_t){0});
    turn(&w.f);
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
    end(&w.wide);
    end(&w.narrow);
    watch_withdraw(plan);
    subscribe(&w, &w.narrow, &(const watch_spec_t){.ns = "a"});
    turn(&w.f);
    EXPECT_HAS(fake_kube_last_path(w.f.kube), "/namespaces/a/configmaps?");
}

/* A plugin that asks for more than the host may see must not stop one that does not. */
Test(view, a_wider_stream_that_is_denied_is_left_for_one_of_its_own)
{
    WORLD(w);
    const watch_spec_t all = configmaps(&(const watch_spec_t){0});
    watch_plan_t *plan = watch_announce(w.hub, &all);

    subscribe(&w, &w.narrow, &(const watch_spec_t){.ns = "a"});
    subscribe(&w, &w.wide, &(const watch_spec_t){0});
    turn(&w.f);
    fake_kube_end(call(&w.f, "/api/v1/configmaps?"), 403, "");
    turn(&w.f);
    (void) call(&w.f, "/namespaces/a/configmaps?");
    send(&w, "ADDED", "a", "x", 1, A);
    bookmark(&w.f, 10, true);
    turn(&w.f);
    EXPECT_STR(buf_text(&w.narrow.seen), "(the ) +x@1* synced ");
    expect_cache(&w.narrow, NULL, "a/x ");
    side_t third = {.seen = BUF_INIT}; /* and nobody goes there again */
    subscribe(&w, &third, &(const watch_spec_t){.ns = "b"});
    turn(&w.f);
    (void) call(&w.f, "/namespaces/b/configmaps?");
    end(&third);
    buf_fini(&third.seen);
    watch_withdraw(plan);
}

Test(view, a_cluster_scoped_kind_is_whole_whatever_the_namespace_asked_for)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = false, .watchable = true};
    WORLD(w);

    fake_kube_set_kind(w.f.kube, &kind);
    subscribe(&w, &w.wide, &(const watch_spec_t){0});
    subscribe(&w, &w.narrow, &(const watch_spec_t){.ns = "a"});
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
    send_event(&w.f, "ADDED",
               "{\"metadata\":{\"name\":\"x\",\"uid\":\"x\",\"resourceVersion\":\"1\"}}");
    bookmark(&w.f, 10, true);
    turn(&w.f);
    EXPECT_SEEN(&w.narrow, "+x@1* synced ");
    expect_cache(&w.narrow, NULL, "/x ");
}

static void unref_store(watch_store_t **s)
{
    watch_store_unref(*s);
}

static void unref_view(watch_view_t **v)
{
    watch_view_unref(*v);
}

Test(view, a_state_that_is_held_comes_again_only_where_it_is_shown_as_it_is)
{
    const watch_spec_t all = {0}, metadata = {.metadata_only = true},
                       other = {.label_selector = "n=2"};
    const watch_spec_t *const specs[] = {&all, &metadata, &other};
    host_cleanup(unref_store) watch_store_t *s = watch_store_create();
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = settings("a", "a", 1);
    watch_snapshot_t *seen[HOST_LEN(specs)];
    CODEC(c);
    DICT(d);
    lh_error_t err;

    watch_store_set_codec(s, c, NULL, NULL);
    watch_store_set_dict(s, d);
    (void) watch_store_put(s, o, NULL);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *held = watch_store_get(s, "ns", "a");

    for (size_t i = 0; i < HOST_LEN(specs); i++) {
        host_cleanup(unref_view) watch_view_t *v = NULL;

        ASSERT_OK(watch_view_create(specs[i], &v, &err), err);
        watch_view_set(v, &all, s);
        EXPECT_INT(watch_view_read(v, "ns", "a", held, &seen[i]), 0);
    }
    cr_expect(seen[0] == held, "the whole object");
    cr_assert(seen[1] != NULL && seen[1] != held, "its metadata");
    cr_expect(strstr(watch_snapshot_text(seen[1], NULL), "settings") == NULL,
              "the data is cut off");
    cr_expect(seen[2] == NULL, "it is not selected");
    watch_snapshot_unref(seen[0]);
    watch_snapshot_unref(seen[1]);
}

/* The labels and the metadata that a view reads are in the compressed text. */
Test(view, of_compressed_objects_the_same_is_shown)
{
    host_cleanup(unref_store) watch_store_t *s = watch_store_create();
    host_cleanup(unref_view) watch_view_t *v = NULL;
    CODEC(c);
    DICT(d);
    lh_error_t err;

    watch_store_set_codec(s, c, NULL, NULL);
    watch_store_set_dict(s, d);
    for (int i = 1; i <= 2; i++) {
        const char *name = i == 1 ? "a" : "b";
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = settings(name, name, i);

        (void) watch_store_put(s, o, NULL);
    }
    ASSERT_OK(watch_view_create(
                  &(const watch_spec_t){.label_selector = "n=1", .metadata_only = true}, &v, &err),
              err);
    watch_view_set(v, &(const watch_spec_t){0}, s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *shown = NULL, *hidden = NULL;

    EXPECT_INT(watch_view_read(v, "ns", "a", NULL, &shown), 0);
    EXPECT_INT(watch_view_read(v, "ns", "b", NULL, &hidden), 0);
    cr_assert(shown != NULL);
    cr_expect(hidden == NULL);
    EXPECT_HAS(watch_snapshot_text(shown, NULL), "\"n\":\"1\"");
    cr_expect(strstr(watch_snapshot_text(shown, NULL), "settings") == NULL, "the data is cut off");
    watch_name_t *names = NULL;
    size_t count = 0;

    ASSERT_OK(watch_view_names(v, NULL, NULL, NULL, &names, &count, &err), err);
    EXPECT_INT(count, 1);
    watch_names_free(names, count);
}
