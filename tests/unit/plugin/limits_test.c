/* SPDX-License-Identifier: Apache-2.0 */
/* Politeness of an instance: its own limit of requests, and what the API server asks for. */
#include "services_rig.h"

#include <stdio.h>
#include <string.h>

#define OUT "/api/v1/namespaces/ns/configmaps"

enum { MANY = 20 };

static void pass(rig_t *r, int64_t time)
{
    fake_clock_advance(time);
    loop_turn(r->loop);
}

/* Asks for MANY objects at once. */
static void ask(rig_t *r, rig_request_t q[MANY])
{
    for (int i = 0; i < MANY; i++) {
        host_cleanup(host_freep) char *path = host_xprintf(OUT "/%02d", i);

        EXPECT_INT(
            rig_send(r, r->run, i % 2 == 0 ? "GET" : "PUT", path, i % 2 == 0 ? NULL : "{}", &q[i]),
            0);
    }
    loop_turn(r->loop);
}

static kube_call_t *find(rig_t *r)
{
    kube_call_t *call = fake_kube_find(r->kube, OUT);

    cr_assert(call != NULL, "nothing is under way");
    return call;
}

/* -- qps and burst -- */

Test(limits, without_a_limit_all_is_sent_at_once)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY];

    ask(r, q);
    EXPECT_INT(fake_kube_sent(r->kube), MANY);
    rig_destroy(r);
}

Test(limits, a_burst_is_sent_at_once_and_the_rest_by_the_rate_in_order)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY];

    plugin_services_set_rate(r->services, 10, 5);
    ask(r, q);
    EXPECT_INT(fake_kube_sent(r->kube), 5);
    for (size_t i = 5; i < MANY; i++) {
        char name[8];

        pass(r, 100 * CLOCK_MS - 1);
        EXPECT_INT(fake_kube_sent(r->kube), i);
        pass(r, 1);
        EXPECT_INT(fake_kube_sent(r->kube), i + 1);
        snprintf(name, sizeof(name), "/%02zu", i);
        EXPECT_HAS(fake_kube_last_path(r->kube), name);
    }
    rig_destroy(r);
}

Test(limits, what_waited_has_so_much_less_time_left_and_says_how_long_it_waited)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY];

    plugin_services_set_rate(r->services, 1, 1);
    ask(r, q);
    EXPECT_INT(fake_kube_request(fake_kube_find(r->kube, "/00"))->waited, 0);
    pass(r, CLOCK_S);
    pass(r, CLOCK_S);
    EXPECT_INT(fake_kube_request(fake_kube_find(r->kube, "/02"))->waited, 2 * CLOCK_S);
    EXPECT_INT(fake_kube_request(fake_kube_find(r->kube, "/02"))->timeout, 28 * CLOCK_S);
    rig_destroy(r);
}

Test(limits, what_would_wait_for_longer_than_its_time_ends_at_once_and_takes_no_turn)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY], later;

    plugin_services_set_rate(r->services, 0.25, 1); /* 30 s of time: 7 that wait */
    ask(r, q);
    for (int i = 0; i < MANY; i++)
        EXPECT_INT(q[i].code, i <= 7 ? 0 : LH_ETIMEDOUT);
    EXPECT_HAS(q[8].text, "nothing was sent");
    for (int i = 0; i < 7; i++)
        pass(r, 4 * CLOCK_S);
    EXPECT_INT(fake_kube_sent(r->kube), 8);
    EXPECT_INT(rig_send(r, r->run, "GET", OUT "/later", NULL, &later), 0);
    loop_turn(r->loop);
    pass(r, 4 * CLOCK_S);
    EXPECT_INT(fake_kube_sent(r->kube), 9);
    rig_destroy(r);
}

Test(limits, what_waits_for_its_turn_ends_with_its_reconcile_as_not_sent)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY];

    plugin_services_set_rate(r->services, 1, 1);
    ask(r, q);
    fence_close_gate(r->fence);
    plugin_services_cancel(r->services);
    for (int i = 0; i < MANY; i++)
        EXPECT_INT(q[i].code, LH_ECANCELED);
    pass(r, 60 * CLOCK_S);
    EXPECT_INT(fake_kube_sent(r->kube), 1);
    rig_destroy(r);
}

Test(limits, a_turn_that_comes_after_the_term_sends_nothing)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY];

    plugin_services_set_rate(r->services, 1, 1);
    ask(r, q);
    fence_close(r->fence);
    pass(r, CLOCK_S);
    EXPECT_INT(q[1].code, LH_EFENCED);
    EXPECT_INT(fake_kube_sent(r->kube), 1);
    rig_destroy(r);
}

Test(limits, that_requests_are_held_back_is_logged_once_a_minute)
{
    rig_t *r = rig_create();
    rig_request_t q[MANY];

    plugin_services_set_rate(r->services, 2, 1);
    ask(r, q);
    host_cleanup(host_freep) char *log = rig_log(r);
    EXPECT_HAS(log, "requests are held back for 1.0 s: the instance makes more than its qps, 2");
    cr_expect(strstr(strstr(log, "held back") + 1, "held back") == NULL, "told twice:\n%s", log);
    rig_destroy(r);
}

/* -- Retry-After -- */

Test(limits, a_write_that_is_told_to_come_later_is_sent_again_then)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "/a", "{}", &q), 0);
    loop_turn(r->loop);
    fake_kube_end_later(find(r), 429, 3 * CLOCK_S);
    EXPECT_INT(q.done, 0);
    pass(r, 3 * CLOCK_S - 1);
    EXPECT_INT(fake_kube_sent(r->kube), 1);
    pass(r, 1);
    EXPECT_INT(fake_kube_sent(r->kube), 2);
    EXPECT_STR(fake_kube_request(find(r))->method, "PUT");
    EXPECT_INT(fake_kube_request(find(r))->body_len, 2);
    EXPECT_INT(fake_kube_request(find(r))->repeated, 429);
    EXPECT_INT(fake_kube_request(find(r))->timeout, 27 * CLOCK_S);
    fake_kube_end(find(r), 200, "{}");
    EXPECT_INT(q.done, 1);
    EXPECT_INT(q.status, 200);
    rig_destroy(r);
}

Test(limits, a_server_that_refuses_eleven_times_has_refused)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "GET", OUT "/a", NULL, &q), 0);
    loop_turn(r->loop);
    for (int i = 0; i < 10; i++) {
        fake_kube_end_later(find(r), 429, CLOCK_S);
        EXPECT_INT(q.done, 0);
        pass(r, CLOCK_S);
    }
    fake_kube_end_later(find(r), 429, CLOCK_S);
    EXPECT_INT(q.done, 1);
    EXPECT_INT(q.code, LH_ETHROTTLED);
    EXPECT_INT(fake_kube_sent(r->kube), 11);
    rig_destroy(r);
}

Test(limits, only_what_can_still_be_answered_and_did_nothing_is_sent_again)
{
    static const struct {
        const char *method;
        int status;
        int64_t after;
        int code;
    } refusals[] = {
        {"PUT", 429, 0, LH_ETHROTTLED},            /* it did not say when */
        {"PUT", 429, 30 * CLOCK_S, LH_ETHROTTLED}, /* after the request's time */
        {"PUT", 503, CLOCK_S, LH_EUNAVAILABLE},    /* it may have been carried out */
        {"GET", 422, CLOCK_S, LH_EAPI},            /* that is an answer */
    };

    for (size_t i = 0; i < HOST_LEN(refusals); i++) {
        rig_t *r = rig_create();
        rig_request_t q;

        EXPECT_INT(rig_send(r, r->run, refusals[i].method, OUT "/a", NULL, &q), 0);
        loop_turn(r->loop);
        fake_kube_end_later(find(r), refusals[i].status, refusals[i].after);
        cr_expect(q.done == 1, "%s %d: %d answers, expected 1", refusals[i].method,
                  refusals[i].status, q.done);
        EXPECT_INT(q.code, refusals[i].code);
        rig_destroy(r);
    }
}

Test(limits, a_read_is_sent_again_also_after_5xx)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "GET", OUT "/a", NULL, &q), 0);
    loop_turn(r->loop);
    fake_kube_end_later(find(r), 503, CLOCK_S);
    pass(r, CLOCK_S);
    fake_kube_end(find(r), 200, "{}");
    EXPECT_INT(q.status, 200);
    rig_destroy(r);
}

Test(limits, a_write_whose_reconcile_is_completed_is_not_sent_again)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "/a", "{}", &q), 0);
    loop_turn(r->loop);
    rig_complete(r, r->run);
    loop_turn(r->loop);
    fake_kube_end_later(find(r), 429, CLOCK_S);
    EXPECT_INT(q.code, LH_ETHROTTLED);
    pass(r, CLOCK_S);
    EXPECT_INT(fake_kube_sent(r->kube), 1);
    rig_destroy(r);
}

Test(limits, what_waits_to_be_sent_again_ends_with_the_term)
{
    rig_t *r = rig_create();
    rig_request_t q;

    EXPECT_INT(rig_send(r, r->run, "PUT", OUT "/a", "{}", &q), 0);
    loop_turn(r->loop);
    fake_kube_end_later(find(r), 429, CLOCK_S);
    fence_close(r->fence);
    plugin_services_end(r->services);
    EXPECT_INT(q.code, LH_EFENCED);
    rig_destroy(r);
}
