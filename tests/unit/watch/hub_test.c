/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions share streams; they come and go at any time. */
#include "watch/hub.h"

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
        .gvr = {"", "v1", "configmaps"}, .kind = "", __VA_ARGS__                                   \
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
    watch_store_t *a = watch_sub_store(w.a.sub), *b = watch_sub_store(w.b.sub);

    cr_expect(a == b, "the store is shared too");
    watch_store_unref(a);
    watch_store_unref(b);
}

Test(hub, whatever_differs_is_another_stream)
{
    WORLD(w);
    const watch_spec_t *const specs[] = {
        CONFIGMAPS(.ns = "ns"),
        CONFIGMAPS(.label_selector = "a=b"),
        CONFIGMAPS(.field_selector = "metadata.name=a"),
        CONFIGMAPS(.metadata_only = true),
        CONFIGMAPS(.fields = "/data/a"),
        &(const watch_spec_t){.gvr = {"", "v1", "secrets"}, .kind = ""}};

    subscribe(&w, &w.a);
    turn(&w.f);
    for (size_t i = 0; i < HOST_LEN(specs); i++) {
        subscribe_to(&w, &w.b, specs[i]);
        turn(&w.f);
        cr_expect_eq(fake_kube_open(w.f.kube), 2, "spec %zu shares a stream", i);
        end(&w.b);
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
    EXPECT_HEARD(&w.a, "(kind) ");
    subscribe(&w, &w.b);
    turn(&w.f);
    EXPECT_HEARD(&w.b, "(kind) ");
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
    EXPECT_HEARD(&w.a, "+x@1* synced (kind) -x@1 ");
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
    watch_store_t *store = watch_sub_store(w.a.sub);

    end(&w.a);
    EXPECT_INT(watch_store_count(store), 1);
    cr_expect(!watch_store_synced(store), "it is not kept up any more");
    watch_store_unref(store);
}

Test(hub, a_store_is_not_freed_on_the_spot_nor_while_it_is_read)
{
    WORLD(w);
    subscribe(&w, &w.a);
    list_stream(&w.f, "xy", 10);
    watch_store_t *store = watch_sub_store(w.a.sub);

    end(&w.a);
    turn(&w.f);
    EXPECT_INT(watch_store_count(store), 2);
    cr_expect(watch_store_is_shared(store), "it waits in the hub");
    watch_store_unref(store);
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
