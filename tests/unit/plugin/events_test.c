/* SPDX-License-Identifier: Apache-2.0 */
/* The same Event again becomes a series; too many about one object are dropped. */
#include "services_rig.h"

#include <stdio.h>
#include <string.h>

#define EVENTS "/apis/events.k8s.io/v1/namespaces/ns/events"
#define FIRST EVENTS "/one.1886caf21c964970"

static void tell(rig_t *r, const lh_snapshot_t *regarding, const char *note)
{
    const lh_event_t event = {sizeof(event), LH_EVENT_NORMAL, regarding, "Made", NULL, note};

    EXPECT_INT(r->host->event(r->host, r->run, &event, NULL), 0);
    loop_turn(r->loop);
}

/* Expects the only request under way, and answers it. */
static void expect_sent(rig_t *r, const char *method, const char *path, const char *part,
                        int status)
{
    loop_turn(r->loop);
    EXPECT_INT(fake_kube_open(r->kube), 1);
    kube_call_t *call = fake_kube_find(r->kube, path);
    cr_assert_not_null(call, "the last one was to %s", fake_kube_last_path(r->kube));
    const kube_request_t *q = fake_kube_request(call);
    host_cleanup(host_freep) char *body = host_xprintf("%.*s", (int) q->body_len, q->body);
    EXPECT_STR(q->method, method);
    EXPECT_HAS(body, part);
    fake_kube_end(call, status, "{}");
    loop_turn(r->loop);
}

static void advance(rig_t *r, int64_t ns)
{
    fake_clock_advance(ns);
    loop_turn(r->loop);
    loop_turn(r->loop);
}

Test(events, of_one_kind_become_a_series)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "\"note\":\"n\"", 201);
    advance(r, CLOCK_S);
    tell(r, one, "n");
    expect_sent(r, "PATCH", FIRST,
                "{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-01-02T03:04:06.000006Z\"}}",
                200);
    for (int i = 0; i < 5; i++)
        tell(r, one, "n");
    EXPECT_INT(fake_kube_open(r->kube), 0);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(events, of_a_series_are_told_when_it_has_become_quiet)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 201);
    for (int i = 0; i < 2; i++)
        tell(r, one, "n");
    expect_sent(r, "PATCH", FIRST, "\"count\":2", 200);
    advance(r, 300 * CLOCK_S);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    advance(r, 120 * CLOCK_S);
    expect_sent(r, "PATCH", FIRST, "\"count\":3", 200);
    tell(r, one, "n"); /* a new one */
    expect_sent(r, "POST", EVENTS, "", 201);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

/* The loop has not got round to forgetting it yet. */
Test(events, after_six_quiet_minutes_are_new_ones)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 201);
    fake_clock_advance(361 * CLOCK_S);
    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "\"eventTime\":\"2026-01-02T03:10:06.000006Z\"", 201);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(events, of_a_long_series_are_told_every_half_hour)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 201);
    tell(r, one, "n");
    expect_sent(r, "PATCH", FIRST, "\"count\":2", 200);
    for (int i = 0; i < 5; i++) {
        advance(r, 300 * CLOCK_S);
        tell(r, one, "n");
        EXPECT_INT(fake_kube_open(r->kube), 0);
    }
    advance(r, 300 * CLOCK_S);
    expect_sent(r, "PATCH", FIRST, "\"count\":7", 200);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(events, that_came_while_the_first_was_under_way_are_not_lost)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    for (int i = 0; i < 3; i++)
        tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 201);
    expect_sent(r, "PATCH", FIRST, "\"count\":3", 200);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

/* What the server does not have, or not any more, is told anew. */
Test(events, are_told_anew_when_their_first_is_not_there)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 403);
    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 201);
    tell(r, one, "n");
    expect_sent(r, "PATCH", FIRST, "", 404);
    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "", 201);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}

Test(events, that_differ_are_no_series)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns"), *two = rig_object("two", "ns");

    tell(r, one, "n");
    expect_sent(r, "POST", EVENTS, "\"note\":\"n\"", 201);
    tell(r, one, "m");
    expect_sent(r, "POST", EVENTS, "\"note\":\"m\"", 201);
    tell(r, two, "n");
    expect_sent(r, "POST", EVENTS, "\"name\":\"two\"", 201);
    r->host->snapshot_release(r->host, one);
    r->host->snapshot_release(r->host, two);
    rig_destroy(r);
}

static int dropped(rig_t *r)
{
    static const char name[] = "leasehold_plugin_events_dropped_total{controller=\"rig\"} ";
    host_cleanup(host_freep) char *text = rig_metrics(r);
    const char *at = strstr(text, name);

    return at != NULL ? (int) strtol(at + strlen(name), NULL, 10) : -1;
}

static void tell_many(rig_t *r, const lh_snapshot_t *object, int from, int to)
{
    char note[16];

    for (int i = from; i < to; i++) {
        (void) snprintf(note, sizeof(note), "%d", i);
        tell(r, object, note);
    }
}

Test(events, about_one_object_are_25_and_then_one_in_five_minutes)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns"), *two = rig_object("two", "ns");

    tell_many(r, one, 0, 30);
    EXPECT_INT(fake_kube_sent(r->kube), 25);
    EXPECT_INT(dropped(r), 5);
    tell_many(r, two, 0, 1);
    EXPECT_INT(fake_kube_sent(r->kube), 26);
    advance(r, 299 * CLOCK_S);
    tell_many(r, one, 100, 101);
    EXPECT_INT(fake_kube_sent(r->kube), 26);
    advance(r, CLOCK_S);
    tell_many(r, one, 101, 103);
    EXPECT_INT(fake_kube_sent(r->kube), 27);
    r->host->snapshot_release(r->host, one);
    r->host->snapshot_release(r->host, two);
    rig_destroy(r);
}

Test(events, begin_anew_with_a_term)
{
    rig_t *r = rig_create();
    lh_snapshot_t *one = rig_object("one", "ns");

    tell_many(r, one, 0, 25);
    plugin_services_end(r->services);
    rig_begin(r, 2);
    tell_many(r, one, 0, 1);
    EXPECT_INT(fake_kube_open(r->kube), 1);
    advance(r, 3600 * CLOCK_S);
    r->host->snapshot_release(r->host, one);
    rig_destroy(r);
}
