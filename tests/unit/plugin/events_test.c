/* SPDX-License-Identifier: Apache-2.0 */
/* The same Event again becomes a series; too many about one object are dropped. */
#include "services_rig.h"

#include <stdio.h>
#include <string.h>

#define EVENTS "/apis/events.k8s.io/v1/namespaces/ns/events"
#define FIRST EVENTS "/one.1886caf21c964970"

static rig_t *r;
static lh_snapshot_t *one, *two;

static void start(void)
{
    r = rig_create();
    one = rig_object("one", "ns");
    two = rig_object("two", "ns");
}

static void finish(void)
{
    r->host->snapshot_release(r->host, one);
    r->host->snapshot_release(r->host, two);
    rig_destroy(r);
}

TestSuite(events, .init = start, .fini = finish);

static void tell(const lh_snapshot_t *regarding, const char *note)
{
    const lh_event_t event = {sizeof(event), LH_EVENT_NORMAL, regarding, "Made", NULL, note};

    EXPECT_INT(r->host->event(r->host, r->run, &event, NULL), 0);
    loop_turn(r->loop);
}

/* Expects the only request under way, and answers it. */
static void expect_sent(const char *method, const char *path, const char *part, int status)
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

static void advance(int64_t ns)
{
    fake_clock_advance(ns);
    loop_turn(r->loop);
    loop_turn(r->loop);
}

Test(events, of_one_kind_become_a_series)
{
    tell(one, "n");
    expect_sent("POST", EVENTS, "\"note\":\"n\"", 201);
    advance(CLOCK_S);
    tell(one, "n");
    expect_sent("PATCH", FIRST,
                "{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-01-02T03:04:06.000006Z\"}}",
                200);
    for (int i = 0; i < 5; i++)
        tell(one, "n");
    EXPECT_INT(fake_kube_open(r->kube), 0);
}

Test(events, of_a_series_are_told_when_it_has_become_quiet)
{
    tell(one, "n");
    expect_sent("POST", EVENTS, "", 201);
    for (int i = 0; i < 2; i++)
        tell(one, "n");
    expect_sent("PATCH", FIRST, "\"count\":2", 200);
    advance(300 * CLOCK_S);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    advance(120 * CLOCK_S);
    expect_sent("PATCH", FIRST, "\"count\":3", 200);
    tell(one, "n"); /* a new one */
    expect_sent("POST", EVENTS, "", 201);
}

/* The loop has not got round to forgetting it yet. */
Test(events, after_six_quiet_minutes_are_new_ones)
{
    tell(one, "n");
    expect_sent("POST", EVENTS, "", 201);
    fake_clock_advance(361 * CLOCK_S);
    tell(one, "n");
    expect_sent("POST", EVENTS, "\"eventTime\":\"2026-01-02T03:10:06.000006Z\"", 201);
}

Test(events, of_a_long_series_are_told_every_half_hour)
{
    tell(one, "n");
    expect_sent("POST", EVENTS, "", 201);
    tell(one, "n");
    expect_sent("PATCH", FIRST, "\"count\":2", 200);
    for (int i = 0; i < 5; i++) {
        advance(300 * CLOCK_S);
        tell(one, "n");
        EXPECT_INT(fake_kube_open(r->kube), 0);
    }
    advance(300 * CLOCK_S);
    expect_sent("PATCH", FIRST, "\"count\":7", 200);
}

Test(events, that_came_while_the_first_was_under_way_are_not_lost)
{
    for (int i = 0; i < 3; i++)
        tell(one, "n");
    expect_sent("POST", EVENTS, "", 201);
    expect_sent("PATCH", FIRST, "\"count\":3", 200);
}

/* What the server does not have, or not any more, is told anew. */
Test(events, are_told_anew_when_their_first_is_not_there)
{
    tell(one, "n");
    expect_sent("POST", EVENTS, "", 403);
    tell(one, "n");
    expect_sent("POST", EVENTS, "", 201);
    tell(one, "n");
    expect_sent("PATCH", FIRST, "", 404);
    tell(one, "n");
    expect_sent("POST", EVENTS, "", 201);
}

Test(events, that_differ_are_no_series)
{
    tell(one, "n");
    expect_sent("POST", EVENTS, "\"note\":\"n\"", 201);
    tell(one, "m");
    expect_sent("POST", EVENTS, "\"note\":\"m\"", 201);
    tell(two, "n");
    expect_sent("POST", EVENTS, "\"name\":\"two\"", 201);
}

static int dropped(void)
{
    static const char name[] = "leasehold_plugin_events_dropped_total{controller=\"rig\"} ";
    host_cleanup(host_freep) char *text = rig_metrics(r);
    const char *at = strstr(text, name);

    return at != NULL ? (int) strtol(at + strlen(name), NULL, 10) : -1;
}

static void tell_many(const lh_snapshot_t *object, int from, int to)
{
    char note[16];

    for (int i = from; i < to; i++) {
        (void) snprintf(note, sizeof(note), "%d", i);
        tell(object, note);
    }
}

Test(events, about_one_object_are_25_and_then_one_in_five_minutes)
{
    tell_many(one, 0, 30);
    EXPECT_INT(fake_kube_sent(r->kube), 25);
    EXPECT_INT(dropped(), 5);
    tell_many(two, 0, 1);
    EXPECT_INT(fake_kube_sent(r->kube), 26);
    advance(299 * CLOCK_S);
    tell_many(one, 100, 101);
    EXPECT_INT(fake_kube_sent(r->kube), 26);
    advance(CLOCK_S);
    tell_many(one, 101, 103);
    EXPECT_INT(fake_kube_sent(r->kube), 27);
}

Test(events, begin_anew_with_a_term)
{
    tell_many(one, 0, 25);
    plugin_services_end(r->services);
    rig_begin(r, 2);
    tell_many(one, 0, 1);
    EXPECT_INT(fake_kube_open(r->kube), 1);
    advance(3600 * CLOCK_S);
}
