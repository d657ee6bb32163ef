/* SPDX-License-Identifier: Apache-2.0 */
/* Watches of the core, frame by frame. */
#include "served.h"

#include "devapi/core_impl.h"

typedef struct peer {
    buf_t frames; /* "ADDED a, BOOKMARK, ..." */
    cJSON *last;  /* the last frame */
    int ended;
} peer_t;

static peer_t peer;
static dev_watch_t *watch;

static void take_frame(peer_t *p, const char *data, size_t len)
{
    cJSON_Delete(p->last);
    p->last = cJSON_ParseWithLength(data, len);
    cr_assert(p->last != NULL, "no frame: %.*s", (int) len, data);
    buf_printf(&p->frames, "%s%s", p->frames.len > 0 ? ", " : "", tree_text(p->last, "type"));
    const char *name = tree_text(tree_at(p->last, "object.metadata"), "name");
    if (name[0] != '\0')
        buf_printf(&p->frames, " %s", name);
}

static void on_frame(void *arg, const char *data, size_t len)
{
    cr_assert_eq(data[len - 1], '\n');
    for (const char *at = data, *end = data + len, *line; at < end; at = line + 1) {
        line = memchr(at, '\n', (size_t) (end - at));
        take_frame(arg, at, (size_t) (line - at));
    }
}

static void on_ended(void *arg)
{
    peer_t *p = arg;

    p->ended++;
    watch = NULL;
}

static void start(void)
{
    peer = (peer_t){0};
    watch = NULL;
    served_start();
}

static void finish(void)
{
    if (watch != NULL)
        dev_watch_close(watch);
    served_finish();
    buf_fini(&peer.frames);
    cJSON_Delete(peer.last);
}

TestSuite(watch, .init = start, .fini = finish, .timeout = 20);

static int open_watch(dev_request_t r)
{
    const dev_sink_t sink = {on_frame, on_ended, &peer};
    dev_reply_t reply;
    int code = 0;

    r.label_selector = r.label_selector == NULL ? "set=w" : r.label_selector;
    if (dev_watch_open(served.core, &r, &sink, &watch, &reply) < 0)
        code = reply.code;
    dev_reply_fini(&reply);
    return code;
}

static dev_request_t watch_request(void)
{
    return request_of(DEV_WATCH, CONFIGMAPS, NULL);
}

static void make(const char *name)
{
    make_configmap(name, ",'labels':{'set':'w'}");
}

static void patch(const char *name, const char *body)
{
    dev_request_t r = request_of(DEV_PATCH, CONFIGMAPS, name);

    r.content_type = "application/merge-patch+json";
    cJSON_Delete(serve_as(200, r, body));
}

Test(watch, nothing_is_sent_from_opening)
{
    make("a");
    EXPECT_INT(open_watch(watch_request()), 0);
    EXPECT_STR(buf_text(&peer.frames), "");
    settle();
    EXPECT_STR(buf_text(&peer.frames), "ADDED a");
}

Test(watch, events_come_in_order_and_once)
{
    open_watch(watch_request());
    make("a"); /* before the watch has begun: what is there */
    settle();
    patch("a", "{\"data\":{\"k\":\"2\"}}");
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, CONFIGMAPS, "a"), NULL));
    EXPECT_STR(buf_text(&peer.frames), "ADDED a, MODIFIED a, DELETED a");
    EXPECT_STR(tree_text(tree_at(peer.last, "object.data"), "k"), "2");
}

Test(watch, leaving_a_selector_is_the_last_match_under_the_new_version)
{
    make("a");
    open_watch(watch_request());
    settle();
    patch("a", "{\"metadata\":{\"labels\":{\"set\":\"no\"}},\"data\":{\"k\":\"2\"}}");
    EXPECT_STR(buf_text(&peer.frames), "ADDED a, DELETED a");
    EXPECT_STR(tree_text(tree_at(peer.last, "object.data"), "k"), "v");
    host_cleanup(host_freep) char *now =
        host_xprintf("%lld", (long long) dev_core_version(served.core));
    EXPECT_STR(tree_text(tree_at(peer.last, "object.metadata"), "resourceVersion"), now);
}

Test(watch, history_is_sent_from_a_version)
{
    dev_request_t r = watch_request();

    make("a");
    host_cleanup(host_freep) char *version =
        host_xprintf("%lld", (long long) dev_core_version(served.core));
    make("b");
    make("c");
    r.resource_version = version;
    open_watch(r);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "ADDED b, ADDED c");
}

Test(watch, a_compacted_version_is_an_expired_error)
{
    dev_request_t r = watch_request();

    make("a");
    make("b");
    dev_core_compact(served.core);
    r.resource_version = "1";
    EXPECT_INT(open_watch(r), 0);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "ERROR");
    EXPECT_INT(tree_number(tree_get(peer.last, "object"), "code", 0), 410);
    EXPECT_STR(tree_text(tree_get(peer.last, "object"), "reason"), "Expired");
    EXPECT_INT(peer.ended, 1);
}

Test(watch, initial_events_end_with_a_mark)
{
    dev_request_t r = watch_request();

    make("a");
    r.send_initial_events = "true";
    r.allow_bookmarks = "true";
    r.resource_version_match = "NotOlderThan";
    open_watch(r);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "ADDED a, BOOKMARK");
    EXPECT_STR(
        tree_text(tree_at(peer.last, "object.metadata.annotations"), "k8s.io/initial-events-end"),
        "true");
}

Test(watch, options_that_do_not_fit_are_refused)
{
    dev_request_t r = watch_request();

    r.send_initial_events = "true";
    r.resource_version_match = "Exact"; /* without a version: this ended the server once */
    EXPECT_INT(open_watch(r), 422);
    r = watch_request();
    r.resource_version = "abc";
    EXPECT_INT(open_watch(r), 500);
    r.resource_version = "99999999";
    EXPECT_INT(open_watch(r), 0);
}

Test(watch, bookmarks_come_about_once_a_minute)
{
    dev_request_t r = watch_request();

    r.allow_bookmarks = "true";
    open_watch(r);
    settle();
    fake_clock_advance(59 * CLOCK_S);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "");
    fake_clock_advance(2 * CLOCK_S);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "BOOKMARK");
}

Test(watch, a_bookmark_comes_two_seconds_before_its_end)
{
    dev_request_t r = watch_request();

    r.allow_bookmarks = "true";
    r.timeout_seconds = "3";
    open_watch(r);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "");
    fake_clock_advance(CLOCK_S);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "BOOKMARK");
    EXPECT_INT(peer.ended, 0);
    fake_clock_advance(2 * CLOCK_S);
    settle();
    EXPECT_STR(buf_text(&peer.frames), "BOOKMARK");
    EXPECT_INT(peer.ended, 1);
}

Test(watch, it_ends_at_its_time)
{
    dev_request_t r = watch_request();

    r.timeout_seconds = "5";
    open_watch(r);
    settle();
    EXPECT_INT(peer.ended, 0);
    fake_clock_advance(6 * CLOCK_S);
    settle();
    EXPECT_INT(peer.ended, 1);
}

Test(watch, a_frozen_one_holds_back_until_it_is_thawed)
{
    open_watch(watch_request());
    settle();
    dev_watch_freeze(watch, true);
    make("a");
    make("b");
    settle();
    EXPECT_STR(buf_text(&peer.frames), "");
    dev_watch_freeze(watch, false);
    EXPECT_STR(buf_text(&peer.frames), "ADDED a, ADDED b");
}

Test(watch, a_cut_one_ends_and_closing_is_silent)
{
    dev_core_stats_t stats;

    open_watch(watch_request());
    dev_watch_cut(watch);
    EXPECT_INT(peer.ended, 1);
    open_watch(watch_request());
    dev_watch_close(watch);
    watch = NULL;
    EXPECT_INT(peer.ended, 1);
    dev_core_stats(served.core, &stats);
    EXPECT_INT(stats.watches, 0);
}

/* -- Kinds that change under their watches -- */

#define CRDS "apiextensions.k8s.io", "customresourcedefinitions"

/* Makes the kind "things" of x.dev. */
static void define_things(void)
{
    cJSON_Delete(serve_as(
        201, request_of(DEV_CREATE, CRDS, NULL),
        "{'metadata':{'name':'things.x.dev'},'spec':{'group':'x.dev','scope':'Namespaced','names':{"
        "'plural':'things','kind':'Thing'},'versions':[{'name':'v1','served':true,'storage':true,"
        "'schema':{'openAPIV3Schema':{'type':'object'}}}]}}"));
    settle();
}

static void change_things(const char *short_name)
{
    host_cleanup(host_freep) char *body =
        host_xprintf("{\"spec\":{\"names\":{\"shortNames\":[\"%s\"]}}}", short_name);
    dev_request_t r = request_of(DEV_PATCH, CRDS, "things.x.dev");

    r.content_type = "application/merge-patch+json";
    cJSON_Delete(serve_as(200, r, body));
    settle();
}

static int count_customs(void)
{
    int count = 0;

    for (const dev_custom_t *k = served.core->customs; k != NULL; k = k->next)
        count++;
    return count;
}

Test(watch, changes_of_a_crd_free_its_old_kinds)
{
    define_things();
    for (int i = 1; i <= 5; i++) {
        host_cleanup(host_freep) char *name = host_xprintf("t%d", i);
        change_things(name);
    }
    EXPECT_INT(count_customs(), 1);
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, CRDS, "things.x.dev"), NULL));
    settle();
    EXPECT_INT(count_customs(), 0);
}

Test(watch, a_frozen_one_keeps_its_kind_until_it_is_thawed)
{
    define_things();
    open_watch(request_of(DEV_WATCH, "x.dev", "things", NULL));
    settle();
    dev_watch_freeze(watch, true);
    change_things("t1");
    EXPECT_INT(peer.ended, 0);
    EXPECT_INT(count_customs(), 2);
    dev_watch_freeze(watch, false);
    EXPECT_INT(peer.ended, 1);
    change_things("t2");
    EXPECT_INT(count_customs(), 1);
}
