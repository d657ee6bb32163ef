/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that fail again and again are shown: the worst of them, and by Events, but not too many. */
#include "plugin/poison.h"

#include "services_rig.h"

#include <stdio.h>
#include <string.h>

static rig_t *r;
static plugin_poison_t poison;
static const watch_snapshot_t *object;

static void start(void)
{
    r = rig_create();
    object = (const watch_snapshot_t *) rig_object("one", "ns");
    plugin_poison_init(&poison, r->shared.health, "web", r->services);
}

static void finish(void)
{
    plugin_poison_fini(&poison);
    r->host->snapshot_release(r->host, (lh_snapshot_t *) (uintptr_t) object);
    rig_destroy(r);
}

TestSuite(poison, .init = start, .fini = finish);

static void failed(const char *name, uint32_t failures)
{
    const queue_key_t key = {.watch = 0, .ns = "ns", .name = name};

    plugin_poison_failed(&poison, &key, failures, "websites", "no such image", NULL);
}

static void over(const char *name)
{
    const queue_key_t key = {.watch = 0, .ns = "ns", .name = name};

    plugin_poison_over(&poison, &key);
}

/* What the board has, as "NAME FAILURES " for each. */
static void expect_worst(const char *expected)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT, worst = BUF_INIT;

    EXPECT_INT(health_document(r->shared.health, "/poison/web", &text), 200);
    for (const char *at = buf_text(&text); (at = strstr(at, "\"failures\":")) != NULL; at++) {
        const char *name = strstr(at, "\"name\":\"") + strlen("\"name\":\"");

        buf_printf(&worst, "%.*s %ld ", (int) strcspn(name, "\""), name,
                   strtol(at + strlen("\"failures\":"), NULL, 10));
    }
    EXPECT_STR(buf_text(&worst), expected);
}

Test(poison, the_board_has_a_place_for_it_from_the_beginning)
{
    expect_worst("");
}

Test(poison, a_key_is_shown_with_all_that_is_known)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    failed("a", 10);
    EXPECT_INT(health_document(r->shared.health, "/poison/web", &text), 200);
    EXPECT_STR(buf_text(&text), "[{\"failures\":10,\"resource\":\"websites\",\"namespace\":\"ns\","
                                "\"name\":\"a\",\"error\":\"no such image\"}]");
}

Test(poison, the_five_worst_are_shown_the_worst_first)
{
    failed("a", 10);
    failed("b", 12);
    failed("c", 11);
    failed("d", 10);
    failed("e", 10);
    expect_worst("b 12 c 11 a 10 d 10 e 10 ");
    failed("f", 10); /* not worse than any */
    expect_worst("b 12 c 11 a 10 d 10 e 10 ");
    failed("f", 11);
    expect_worst("b 12 c 11 f 11 a 10 d 10 ");
    failed("a", 13);
    expect_worst("a 13 b 12 c 11 f 11 d 10 ");
}

Test(poison, what_recovers_leaves_its_place_to_the_next_that_fails)
{
    const char *const names[] = {"a", "b", "c", "d", "e"};

    for (size_t i = 0; i < HOST_LEN(names); i++)
        failed(names[i], 20);
    over("c");
    over("never-seen");
    expect_worst("a 20 b 20 d 20 e 20 ");
    failed("f", 10);
    expect_worst("a 20 b 20 d 20 e 20 f 10 ");
    plugin_poison_clear(&poison);
    expect_worst("");
}

Test(poison, keys_of_one_name_in_other_namespaces_and_watches_are_others)
{
    const queue_key_t keys[] = {{0, "ns", "a"}, {1, "ns", "a"}, {0, "other", "a"}};

    for (size_t i = 0; i < HOST_LEN(keys); i++)
        plugin_poison_failed(&poison, &keys[i], 10 + (uint32_t) i, "websites", "x", NULL);
    expect_worst("a 12 a 11 a 10 ");
    plugin_poison_over(&poison, &keys[1]);
    expect_worst("a 12 a 10 ");
}

Test(poison, a_long_reason_is_cut_between_characters)
{
    const queue_key_t key = {.ns = "ns", .name = "a"};
    char why[1001] = "";
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    for (int i = 0; i < 500; i++)
        memcpy(why + 2 * i, "\xc3\xa4", 3);
    plugin_poison_failed(&poison, &key, 10, "websites", why, NULL);
    (void) health_document(r->shared.health, "/poison/web", &text);
    EXPECT_INT(strlen(strstr(buf_text(&text), "\"error\":")), strlen("\"error\":\"\"}]") + 300);
}

static void failed_object(const char *why, uint32_t failures)
{
    const queue_key_t key = {.ns = "ns", .name = "one"};

    plugin_poison_failed(&poison, &key, failures, "websites", why, object);
    loop_turn(r->loop);
}

Test(poison, its_object_gets_an_event_and_then_a_series)
{
    failed_object("no such image", 10);
    kube_call_t *call = fake_kube_find(r->kube, "/apis/events.k8s.io/v1/namespaces/ns/events");
    cr_assert_not_null(call);
    const kube_request_t *q = fake_kube_request(call);
    host_cleanup(host_freep) char *body = host_xprintf("%.*s", (int) q->body_len, q->body);
    EXPECT_STR(q->method, "POST");
    EXPECT_HAS(body, "\"type\":\"Warning\"");
    EXPECT_HAS(body, "\"reason\":\"BackOff\",\"action\":\"Reconcile\"");
    EXPECT_HAS(body, "\"note\":\"reconciling fails again and again: no such image\"");
    EXPECT_HAS(body, "\"kind\":\"Website\",\"namespace\":\"ns\",\"name\":\"one\"");
    fake_kube_end(call, 201, "{}");
    fake_clock_advance(5 * CLOCK_S);
    failed_object("no such image", 11);
    EXPECT_STR(fake_kube_request(fake_kube_find(r->kube, "/events/one."))->method, "PATCH");
}

Test(poison, its_events_are_limited)
{
    size_t sent = 0;

    for (int i = 0; i < 1000; i++) {
        host_cleanup(host_freep) char *name = host_xprintf("object-%d", i);
        lh_snapshot_t *other = rig_object(name, "ns");
        const queue_key_t key = {.ns = "ns", .name = name};

        plugin_poison_failed(&poison, &key, 10, "websites", "x", (const watch_snapshot_t *) other);
        r->host->snapshot_release(r->host, other);
        loop_turn(r->loop);
        sent = fake_kube_sent(r->kube);
    }
    EXPECT_INT(sent, 25);
    fake_clock_advance(5 * CLOCK_S);
    failed_object("x", 10);
    EXPECT_INT(fake_kube_sent(r->kube), 26);
}

Test(poison, without_a_term_there_is_no_event)
{
    plugin_services_end(r->services);
    failed_object("x", 10);
    EXPECT_INT(fake_kube_sent(r->kube), 0);
}
