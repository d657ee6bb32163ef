/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions share streams; they come and go at any time. */
#include "watch/hub.h"
#include "watch/view.h"

#include "fixture.h"

static int trims; /* memory was given back to the system */

int __real_malloc_trim(size_t pad);
int __wrap_malloc_trim(size_t pad);

int __wrap_malloc_trim(size_t pad)
{
    trims++;
    return __real_malloc_trim(pad);
}

typedef struct listener {
    buf_t seen;
    watch_sub_t *sub;
    watch_sub_t **ends; /* ended at the next event */
} listener_t;

typedef struct world {
    fixture_t f; /* without its informer */
    watch_hub_t *hub;
    listener_t a, b;
} world_t;

static void on_event(void *arg, const watch_event_t *e)
{
    listener_t *l = arg;

    see(&l->seen, e);
    if (l->ends != NULL) {
        watch_unsubscribe(*l->ends);
        *l->ends = NULL;
        l->ends = NULL;
    }
}

static void on_synced(void *arg)
{
    buf_puts(&((listener_t *) arg)->seen, "synced ");
}

static void on_state(void *arg, const char *problem)
{
    buf_printf(&((listener_t *) arg)->seen, "(%.4s) ", problem != NULL ? problem : "ok");
}

static const watch_handler_t handler = {on_event, on_synced, on_state};

static void subscribe_to(world_t *w, listener_t *l, const watch_spec_t *spec)
{
    lh_error_t err;

    ASSERT_OK(watch_subscribe(w->hub, spec, &handler, l, &l->sub, &err), err);
}

#define CONFIGMAPS(...)                                                                            \
    &(const watch_spec_t)                                                                          \
    {                                                                                              \
        .gvr = {"", "v1", "configmaps"}, __VA_ARGS__                                               \
    }

static void subscribe(world_t *w, listener_t *l)
{
    subscribe_to(w, l, CONFIGMAPS());
}

static void end(listener_t *l)
{
    if (l->sub != NULL)
        watch_unsubscribe(host_steal(l->sub));
}

static void world_open(world_t *w)
{
    fixture_open(&w->f, &(const watch_spec_t){0});
    watch_informer_destroy(host_steal(w->f.informer));
    w->hub = watch_hub_create(&w->f.options);
}

static void world_close(world_t *w)
{
    end(&w->a);
    end(&w->b);
    watch_hub_destroy(w->hub);
    buf_fini(&w->a.seen);
    buf_fini(&w->b.seen);
    fixture_close(&w->f);
}

#define WORLD(w)                                                                                   \
    host_cleanup(world_close) world_t w = {0};                                                     \
    world_open(&w)
#define EXPECT_HEARD(l, expected) EXPECT_SEEN(l, expected)

/* How many objects its view shows. */
static int count_in(watch_view_t *view)
{
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    ASSERT_OK(watch_view_names(view, NULL, NULL, NULL, &names, &count, &err), err);
    watch_names_free(names, count);
    return (int) count;
}

static int count_of(const listener_t *l)
{
    watch_view_t *view = watch_sub_view(l->sub);
    const int count = count_in(view);

    watch_view_unref(view);
    return count;
}

Test(hub, events_begin_from_the_loop)
{
    WORLD(w);
    subscribe(&w, &w.a);
    EXPECT_INT(fake_kube_lookups(w.f.kube), 0);
    list_stream(&w.f, "x", 10);
    EXPECT_HEARD(&w.a, "+x@1* synced ");
}

Test(hub, the_memory_of_a_stream_is_given_back_when_it_has_ended)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xyz", 10);
    EXPECT_INT(trims, 0);
    end(&w.a);
    turn(&w.f);
    EXPECT_INT(trims, 1);
    turn(&w.f);
    EXPECT_INT(trims, 1);
}

Test(hub, one_stream_serves_all_who_ask_for_the_same)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe(&w, &w.b);
    list_stream(&w.f, "x", 10);
    event(&w.f, "MODIFIED", "x", "x", 11);
    EXPECT_HEARD(&w.a, "+x@1* synced +x@11 ");
    EXPECT_HEARD(&w.b, "+x@1* synced +x@11 ");
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
    EXPECT_INT(count_of(&w.a), 1);
    EXPECT_INT(count_of(&w.b), 1);
}

/* Only the server can apply field selectors, and what is narrower cannot serve what is wider. */
Test(hub, what_no_open_stream_holds_is_another_stream)
{
    static const struct {
        watch_spec_t open, asked;
    } rows[] = {
        {{.ns = NULL}, {.field_selector = "metadata.name=a"}},
        {{.ns = NULL}, {.gvr = {"", "v1", "secrets"}}},
        {{.ns = "ns"}, {.ns = NULL}},
        {{.ns = "ns"}, {.ns = "other"}},
        {{.label_selector = "a=b"}, {.ns = NULL}},
        {{.label_selector = "a=b"}, {.label_selector = "a=b,c=d"}},
        {{.label_selector = "a=b"}, {.label_selector = "a=c"}},
        {{.field_selector = "metadata.name=a"}, {.ns = NULL}},
        {{.metadata_only = true}, {.ns = NULL}},
        {{.metadata_only = true}, {.ns = "ns"}},
        {{.ns = "ns"}, {.metadata_only = true}},
        {{.ns = NULL}, {.fields = "/data/a"}},
        {{.fields = "/data/a"}, {.ns = NULL}},
        {{.fields = "/data/a"}, {.ns = "ns", .fields = "/data/b"}},
        {{.fields = "/data/a"}, {.metadata_only = true}},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        watch_spec_t open = rows[i].open, asked = rows[i].asked;
        WORLD(w);

        open.gvr = (kube_gvr_t){"", "v1", "configmaps"};
        if (asked.gvr.resource == NULL)
            asked.gvr = open.gvr;
        subscribe_to(&w, &w.a, &open);
        turn(&w.f);
        subscribe_to(&w, &w.b, &asked);
        turn(&w.f);
        cr_expect_eq(fake_kube_open(w.f.kube), 2, "row %zu shares a stream", i);
    }
}

Test(hub, fields_that_cannot_be_parsed_are_refused)
{
    WORLD(w);
    lh_error_t err;

    EXPECT_INT(watch_subscribe(w.hub, CONFIGMAPS(.fields = "data"), &handler, &w.a, &w.a.sub, &err),
               LH_EINVAL);
    EXPECT_HAS(err.text, "'data'");
}

Test(hub, a_field_selector_does_not_hide_fields_that_cannot_be_parsed)
{
    WORLD(w);
    lh_error_t err;

    EXPECT_INT(watch_subscribe(w.hub,
                               CONFIGMAPS(.fields = "data", .field_selector = "metadata.name=a"),
                               &handler, &w.a, &w.a.sub, &err),
               LH_EINVAL);
}

Test(hub, an_empty_selector_is_none)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe_to(&w, &w.b, CONFIGMAPS(.ns = "", .label_selector = "", .field_selector = ""));
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
}

Test(hub, a_late_subscriber_is_shown_what_is_there)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xy", 10);
    event(&w.f, "MODIFIED", "x", "x", 11);
    EXPECT_HEARD(&w.a, "+x@1* +y@1* synced +x@11 ");
    subscribe(&w, &w.b);
    EXPECT_HEARD(&w.b, "");
    turn(&w.f);
    EXPECT_HEARD(&w.b, "+y@1* +x@11* synced ");
    EXPECT_HEARD(&w.a, "");
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
}

/* Objects of its view that have the label were found among how many. */
static int looked_at;

bool __real_watch_selector_match(const watch_selector_t *s, skim_span_t labels);
bool __wrap_watch_selector_match(const watch_selector_t *s, skim_span_t labels);

bool __wrap_watch_selector_match(const watch_selector_t *s, skim_span_t labels)
{
    looked_at += s != NULL;
    return __real_watch_selector_match(s, labels);
}

static int looked_at_for(const listener_t *l, const char *labels)
{
    watch_view_t *view = watch_sub_view(l->sub);
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    looked_at = 0;
    ASSERT_OK(watch_view_names(view, NULL, labels, NULL, &names, &count, &err), err);
    watch_names_free(names, count);
    watch_view_unref(view);
    return looked_at;
}

Test(hub, a_label_that_a_subscriber_asks_for_is_indexed)
{
    WORLD(w);
    subscribe_to(&w, &w.a, CONFIGMAPS(.index_labels = "app"));
    list_stream(&w.f, "xy", 10);
    EXPECT_INT(looked_at_for(&w.a, "app=web"), 0);
    EXPECT_INT(looked_at_for(&w.a, "tier=back"), 2);
}

Test(hub, a_label_that_a_late_subscriber_asks_for_is_indexed_when_it_has_seen_all)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xy", 10);
    subscribe_to(&w, &w.b, CONFIGMAPS(.index_labels = "app"));
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
    EXPECT_INT(looked_at_for(&w.a, "app=web"), 2);
    turn(&w.f);
    EXPECT_INT(looked_at_for(&w.a, "app=web"), 0);
    EXPECT_INT(looked_at_for(&w.b, "app=web"), 0);
}

Test(hub, one_who_comes_during_the_list_is_synced_with_it)
{
    WORLD(w);
    subscribe(&w, &w.a);
    turn(&w.f);
    event(&w.f, "ADDED", "x", "x", 5);
    subscribe(&w, &w.b);
    turn(&w.f);
    EXPECT_HEARD(&w.b, "+x@5* ");
    bookmark(&w.f, 10, true);
    turn(&w.f);
    EXPECT_HEARD(&w.b, "synced ");
}

Test(hub, a_late_subscriber_is_told_the_problem)
{
    WORLD(w);
    fake_kube_set_kind(w.f.kube, NULL);
    subscribe(&w, &w.a);
    turn(&w.f);
    EXPECT_HEARD(&w.a, "(reso) ");
    subscribe(&w, &w.b);
    turn(&w.f);
    EXPECT_HEARD(&w.b, "(reso) ");
}

Test(hub, everybody_is_synced_again_after_the_kind_was_away)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "x", 10);
    fake_kube_set_kind(w.f.kube, NULL);
    bookmark(&w.f, 11, false);
    fake_kube_end(call(&w.f, "watch=1"), 200, "");
    turn(&w.f);
    fake_kube_end(call(&w.f, "watch=1"), 404, "");
    turn(&w.f);
    pass(&w.f, 3 * CLOCK_S);
    EXPECT_HEARD(&w.a, "+x@1* synced (reso) -x@1 ");
    fake_kube_set_kind(w.f.kube, &kind);
    pass(&w.f, CLOCK_S);
    list_stream(&w.f, "y", 20);
    EXPECT_HEARD(&w.a, "+y@1* (ok) synced ");
}

Test(hub, nothing_comes_after_the_end)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe(&w, &w.b);
    list_stream(&w.f, "x", 10);
    buf_clear(&w.a.seen);
    end(&w.a);
    event(&w.f, "MODIFIED", "x", "x", 11);
    EXPECT_HEARD(&w.a, "");
    EXPECT_HEARD(&w.b, "+x@1* synced +x@11 ");
}

Test(hub, the_last_one_to_leave_closes_the_stream)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe(&w, &w.b);
    list_stream(&w.f, "x", 10);
    end(&w.a);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
    end(&w.b);
    EXPECT_INT(fake_kube_open(w.f.kube), 0);
    subscribe(&w, &w.a);
    turn(&w.f);
    EXPECT_INT(fake_kube_sent(w.f.kube), 2);
}

Test(hub, the_store_stays_readable_after_the_end)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "x", 10);
    watch_view_t *view = watch_sub_view(w.a.sub);

    end(&w.a);
    EXPECT_INT(count_in(view), 1);
    cr_expect(!watch_view_synced(view), "it is not kept up any more");
    watch_view_unref(view);
}

Test(hub, a_store_is_not_freed_on_the_spot_nor_while_it_is_read)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xy", 10);
    watch_view_t *view = watch_sub_view(w.a.sub);

    end(&w.a);
    turn(&w.f);
    EXPECT_INT(count_in(view), 2);
    watch_view_unref(view);
    pass(&w.f, CLOCK_S); /* and goes then: AddressSanitizer tells */
}

Test(hub, one_may_end_itself_within_an_event)
{
    WORLD(w);
    subscribe(&w, &w.a);
    turn(&w.f);
    w.a.ends = &w.a.sub;
    event(&w.f, "ADDED", "x", "x", 5);
    event(&w.f, "ADDED", "y", "y", 5);
    EXPECT_HEARD(&w.a, "+x@5* ");
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 0);
}

Test(hub, one_may_end_another_within_an_event)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe(&w, &w.b);
    turn(&w.f);
    w.a.ends = &w.b.sub;
    event(&w.f, "ADDED", "x", "x", 5);
    EXPECT_HEARD(&w.a, "+x@5* ");
    EXPECT_HEARD(&w.b, "");
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
}

Test(hub, one_may_end_itself_while_it_is_shown_what_is_there)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xyz", 10);
    subscribe(&w, &w.b);
    w.b.ends = &w.b.sub;
    turn(&w.f);
    EXPECT_HEARD(&w.b, "+x@1* ");
}

Test(hub, a_stream_that_was_given_up_within_an_event_can_be_taken_up_again)
{
    WORLD(w);
    subscribe(&w, &w.a);
    turn(&w.f);
    w.a.ends = &w.a.sub;
    event(&w.f, "ADDED", "x", "x", 5);
    subscribe(&w, &w.a);
    turn(&w.f);
    bookmark(&w.f, 10, true);
    turn(&w.f);
    EXPECT_HEARD(&w.a, "+x@5* +x@5* synced ");
    EXPECT_INT(fake_kube_sent(w.f.kube), 1);
}

Test(hub, selectors_that_cannot_be_parsed_are_refused)
{
    WORLD(w);
    watch_sub_t *sub = NULL;
    lh_error_t err = {0};

    EXPECT_INT(
        watch_subscribe(w.hub, CONFIGMAPS(.label_selector = "a="), &handler, &w.a, &sub, &err), 0);
    watch_unsubscribe(sub);
    sub = NULL;
    EXPECT_INT(
        watch_subscribe(w.hub, CONFIGMAPS(.label_selector = "=a"), &handler, &w.a, &sub, &err),
        LH_EINVAL);
    EXPECT_INT(
        watch_subscribe(w.hub, CONFIGMAPS(.field_selector = "a"), &handler, &w.a, &sub, &err),
        LH_EINVAL);
    cr_expect(sub == NULL, "nothing may be opened");
}

Test(hub, knows_whether_the_kind_is_namespaced)
{
    WORLD(w);
    subscribe(&w, &w.a);
    cr_expect(!watch_sub_namespaced(w.a.sub), "not known yet");
    turn(&w.f);
    cr_expect(watch_sub_namespaced(w.a.sub), "discovery says so");
}

/* -- client-go's scenarios of shared informers -- */

Test(hub, everybody_sees_what_happened_while_the_watch_was_disrupted)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe(&w, &w.b);
    list_stream(&w.f, "xyz", 10);
    buf_clear(&w.a.seen);
    buf_clear(&w.b.seen);
    fake_clock_advance(60 * CLOCK_S);
    error_event(&w.f, 410, "too old"); /* y changed, z went and n came, and no event told */
    turn(&w.f);
    event(&w.f, "ADDED", "x", "x", 1);
    event(&w.f, "ADDED", "y", "y", 14);
    event(&w.f, "ADDED", "n", "n", 13);
    bookmark(&w.f, 15, true);
    turn(&w.f);
    EXPECT_HEARD(&w.a, "+y@14 +n@13 -z@1 ");
    EXPECT_HEARD(&w.b, "+y@14 +n@13 -z@1 ");
}

Test(hub, one_handler_may_subscribe_twice)
{
    WORLD(w);
    lh_error_t err;
    watch_sub_t *second = NULL;

    subscribe(&w, &w.a);
    ASSERT_OK(watch_subscribe(w.hub, CONFIGMAPS(), &handler, &w.a, &second, &err), err);
    list_stream(&w.f, "x", 10);
    EXPECT_HEARD(&w.a, "+x@1* +x@1* synced synced ");
    watch_unsubscribe(second);
    event(&w.f, "MODIFIED", "x", "x", 11);
    EXPECT_HEARD(&w.a, "+x@11 ");
}

Test(hub, an_event_before_a_late_subscribers_turn_is_followed_by_no_older_state)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xy", 10);
    subscribe(&w, &w.b);
    event(&w.f, "MODIFIED", "x", "x", 11);
    event(&w.f, "DELETED", "y", "y", 12);
    turn(&w.f);
    EXPECT_HEARD(&w.b, "+x@11 -y@12 +x@11* synced ");
}

Test(hub, a_subscriber_leaves_the_others_undisturbed_by_a_gap)
{
    WORLD(w);
    subscribe(&w, &w.a);
    subscribe(&w, &w.b);
    list_stream(&w.f, "x", 10);
    fake_clock_advance(60 * CLOCK_S);
    error_event(&w.f, 410, "too old");
    turn(&w.f);
    end(&w.b); /* amid the list */
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
    list_stream(&w.f, "", 11);
    EXPECT_HEARD(&w.a, "+x@1* synced -x@1 ");
    EXPECT_HEARD(&w.b, "+x@1* synced ");
}
