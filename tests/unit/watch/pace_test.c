/* SPDX-License-Identifier: Apache-2.0 */
/* Many streams on one API server: few lists at a time, and no stampede when it is started again. */
#include "watch/pace.h"

#include "fixture.h"
#include "watch/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 100 };

static void ignore_event(void *arg, const watch_event_t *e)
{
    (void) arg;
    (void) e;
}

static void count_synced(void *arg)
{
    ++*(int *) arg;
}

static void ignore_state(void *arg, const char *problem)
{
    (void) arg;
    (void) problem;
}

static const watch_handler_t handler = {ignore_event, count_synced, ignore_state};

typedef struct world {
    fixture_t f; /* without its informer */
    watch_hub_t *hub;
    watch_sub_t *subs[STREAMS];
    int synced;
} world_t;

/* A hub with a stream for each of STREAMS namespaces, none of which has been listed. */
static void world_open(world_t *w, size_t max_lists)
{
    lh_error_t err;

    ASSERT_OK(loop_create(&w->f.loop, &err), err);
    w->f.kube = fake_kube_create();
    w->f.metrics = metrics_create();
    w->hub = watch_hub_create(&(watch_hub_options_t){.loop = w->f.loop,
                                                     .client = fake_kube_client(w->f.kube),
                                                     .discovery = fake_kube_discovery(w->f.kube),
                                                     .metrics = w->f.metrics,
                                                     .max_lists = max_lists});
    for (int i = 0; i < STREAMS; i++) {
        char ns[8];

        snprintf(ns, sizeof(ns), "ns%02d", i);
        const watch_spec_t spec = {.gvr = {"", "v1", "configmaps"}, .ns = ns};
        ASSERT_OK(watch_subscribe(w->hub, &spec, &handler, &w->synced, &w->subs[i], &err), err);
    }
    turn(&w->f);
}

static void world_close(world_t *w)
{
    for (int i = 0; i < STREAMS; i++) {
        if (w->subs[i] != NULL)
            watch_unsubscribe(w->subs[i]);
    }
    watch_hub_destroy(w->hub);
    EXPECT_INT(fake_kube_open(w->f.kube), 0);
    fake_kube_destroy(w->f.kube);
    metrics_destroy(w->f.metrics);
    loop_destroy(w->f.loop);
}

#define WORLD(w, max_lists)                                                                        \
    host_cleanup(world_close) world_t w = {0};                                                     \
    world_open(&w, max_lists)

/* Completes a list, which becomes a watch on the same stream. */
static void complete(world_t *w, kube_call_t *list)
{
    fake_kube_data(list, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"ConfigMap\",\"metadata\":{"
                         "\"resourceVersion\":\"10\",\"annotations\":{"
                         "\"k8s.io/initial-events-end\":\"true\"}}}}\n");
    turn(&w->f);
}

/* The list that was begun as the n-th. */
static kube_call_t *list_at(world_t *w, int n)
{
    kube_call_t *c = call(&w->f, "sendInitialEvents");

    for (int i = 0; i < n; i++)
        c = fake_kube_next(w->f.kube, c, "sendInitialEvents");
    cr_assert(c != NULL, "list %d was not begun", n);
    return c;
}

/* All are listed, and watched for longer than what tells a watch from a refusal. */
static void settle_down(world_t *w)
{
    for (int i = 0; i < STREAMS; i++)
        complete(w, list_at(w, i));
    EXPECT_INT(w->synced, STREAMS);
    pass(&w->f, 60 * CLOCK_S);
    EXPECT_INT(fake_kube_open(w->f.kube), STREAMS);
}

/* -- Lists -- */

Test(pace, no_more_lists_are_read_at_a_time_than_configured)
{
    WORLD(w, 8);
    for (int i = 0; i < STREAMS; i++) {
        EXPECT_INT(w.synced, i);
        EXPECT_INT(fake_kube_sent(w.f.kube), HOST_MIN(i + 8, STREAMS));
        complete(&w, list_at(&w, i));
    }
    EXPECT_INT(w.synced, STREAMS);
}

Test(pace, zero_is_no_limit)
{
    WORLD(w, 0);
    EXPECT_INT(fake_kube_sent(w.f.kube), STREAMS);
}

/* A list that fails waits for its next try without keeping others from theirs. */
Test(pace, a_list_that_fails_leaves_its_place)
{
    WORLD(w, 1);
    for (size_t i = 1; i < 5; i++) {
        EXPECT_INT(fake_kube_open(w.f.kube), 1);
        EXPECT_INT(fake_kube_sent(w.f.kube), i);
        fake_kube_end_later(call(&w.f, "sendInitialEvents"), 429, 20 * CLOCK_S);
        turn(&w.f);
    }
}

Test(pace, a_list_whose_kind_is_missing_leaves_its_place)
{
    WORLD(w, 1);
    fake_kube_end(call(&w.f, "sendInitialEvents"), 404, "");
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
    EXPECT_INT(fake_kube_sent(w.f.kube), 2);
}

/* Which of the streams the last request was for. */
static int last_stream(const world_t *w)
{
    const char *at = strstr(fake_kube_last_path(w->f.kube), "/ns");

    cr_assert_not_null(at);
    return (int) strtol(at + 3, NULL, 10);
}

Test(pace, pages_are_one_list)
{
    WORLD(w, 1);
    const int first = last_stream(&w);

    fake_kube_end(call(&w.f, "/configmaps"), 422, ""); /* no streaming lists */
    turn(&w.f);
    for (int i = 0; i < 3; i++) {
        EXPECT_INT(fake_kube_open(w.f.kube), 1);
        EXPECT_HAS(fake_kube_last_path(w.f.kube), "/configmaps?limit=500");
        EXPECT_INT(last_stream(&w), first);
        list_page(&w.f, "", 10, i < 2 ? "more" : "");
    }
    EXPECT_INT(fake_kube_open(w.f.kube), 2); /* its watch, and the next list */
    cr_expect(last_stream(&w) != first, "it lists again");
}

Test(pace, a_stream_that_ends_while_it_waits_or_lists_leaves_its_place)
{
    WORLD(w, 1);
    const int first = last_stream(&w), waiting = (first + 50) % STREAMS;

    watch_unsubscribe(host_steal(w.subs[waiting]));
    watch_unsubscribe(host_steal(w.subs[first]));
    turn(&w.f);
    EXPECT_INT(fake_kube_open(w.f.kube), 1);
    EXPECT_INT(fake_kube_sent(w.f.kube), 2);
    const int second = last_stream(&w);

    for (int i = 0; i < STREAMS; i++) {
        if (i != second && w.subs[i] != NULL)
            watch_unsubscribe(host_steal(w.subs[i]));
    }
    complete(&w, list_at(&w, 0));
    EXPECT_INT(w.synced, 1);
    EXPECT_INT(fake_kube_sent(w.f.kube), 2);
}

/* -- After a restart of the API server -- */

/* Ends every watch at once; when within the next 3 s requests were sent, by tenths of a second. */
static void stampede(world_t *w, int status, size_t sent[30])
{
    size_t before = fake_kube_sent(w->f.kube);
    kube_call_t *open;

    for (int i = 0; i < STREAMS; i++) {
        open = call(&w->f, "watch=1");
        if (status == 0)
            fake_kube_cut(open);
        else
            fake_kube_end(open, status, "");
    }
    for (int i = 0; i < 30; i++) {
        for (int step = 0; step < 10; step++)
            pass(&w->f, 10 * CLOCK_MS);
        sent[i] = fake_kube_sent(w->f.kube) - before;
        before += sent[i];
    }
}

static void expect_spread(const size_t sent[30], const char *what)
{
    size_t sum = 0, most = 0, tenths = 0;

    for (int i = 0; i < 30; i++) {
        sum += sent[i];
        most = HOST_MAX(most, sent[i]);
        tenths += sent[i] > 0;
    }
    cr_expect(sum == STREAMS, "%s: %zu requests, expected %d", what, sum, STREAMS);
    cr_expect(sent[0] >= 10, "%s: %zu within a tenth of a second, expected 10 at least", what,
              sent[0]);
    cr_expect(most <= 30, "%s: %zu requests within a tenth of a second, expected 30 at most", what,
              most);
    cr_expect(tenths >= 9, "%s: within %zu tenths of a second, expected 9 at least", what, tenths);
}

Test(pace, a_hundred_watches_that_were_cut_do_not_come_back_at_once)
{
    WORLD(w, 8);
    size_t sent[30];

    settle_down(&w);
    stampede(&w, 0, sent);
    expect_spread(sent, "watches");
    EXPECT_INT(fake_kube_open(w.f.kube), STREAMS);
}

Test(pace, nor_do_those_that_the_server_closed)
{
    WORLD(w, 8);
    size_t sent[30];

    settle_down(&w);
    stampede(&w, 200, sent);
    expect_spread(sent, "watches");
}

/* A server whose watch cache is empty says of every version that it is too old. */
Test(pace, a_hundred_lists_after_410_do_not_come_at_once)
{
    WORLD(w, 0);
    size_t sent[30];

    settle_down(&w);
    stampede(&w, 410, sent);
    expect_spread(sent, "lists");
    EXPECT_HAS(fake_kube_last_path(w.f.kube), "sendInitialEvents");
}

Test(pace, one_stream_does_not_wait)
{
    WORLD(w, 8);

    settle_down(&w);
    const size_t before = fake_kube_sent(w.f.kube);
    fake_kube_cut(call(&w.f, "watch=1"));
    turn(&w.f);
    EXPECT_INT(fake_kube_sent(w.f.kube), before + 1);
}
