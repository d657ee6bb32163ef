/* SPDX-License-Identifier: Apache-2.0 */
/* The watches of leader and standby, and what stands in for them. */
#include "sim.h"

static sim_t *s;
static sim_host_t *a, *b; /* a leads, since 5 s; b stands by, since 4 s */

static void setup(void)
{
    s = sim_create();
    sim_create_lease(s, "{}", NULL);
    a = sim_start(s, "a");
    sim_run(s, S(1));
    b = sim_start(s, "b");
    sim_run(s, S(4));
    cr_assert(sim_leads(a));
    sim_ops(a);
    sim_ops(b);
    a->watches = b->watches = 0;
}

static void teardown(void)
{
    EXPECT_INT(s->overlap, 0);
    sim_destroy(s);
}

TestSuite(watch, .init = setup, .fini = teardown);

Test(watch, rule_13_a_silent_standby_watch_is_helped_out_by_a_get_every_retry_period)
{
    b->net.freeze_watch = true;
    sim_run(s, S(5));
    size_t reads = b->reads;

    sim_run(s, S(20));
    cr_expect(b->reads - reads >= 9 && b->reads - reads <= 11, "%zu GETs in 20 s",
              b->reads - reads);
    EXPECT_INT(b->writes, 0);
}

Test(watch, rule_13_a_silent_standby_watch_is_opened_anew_on_a_fresh_connection)
{
    b->net.freeze_watch = true;
    sim_run(s, S(12));
    cr_expect(b->watches >= 1 && b->watches <= 2, "%zu watches in 12 s", b->watches);
    cr_expect(b->fresh >= 1);
    b->net.freeze_watch = false;
    sim_run(s, S(10));
    size_t reads = b->reads;

    sim_run(s, S(20));
    EXPECT_INT(b->reads - reads, 0); /* it speaks again */
}

/* How long after the release a standby leads that draws this delay. */
static int64_t takes_over_after(int64_t delay)
{
    b->fixed_random = delay;
    sim_release(a, true, true);
    const int64_t took = sim_until_leading(b, S(5));

    sim_release(b, true, true);
    sim_run(s, S(40)); /* a leads again */
    cr_assert(sim_leads(a));
    sim_run(s, S(2));
    return took;
}

Test(watch, rule_13_a_marked_release_is_acted_on_after_a_delay_of_0_to_10_ms)
{
    const int64_t least = takes_over_after(0), most = takes_over_after(S(1000));

    EXPECT_WITHIN(least, 0, MS(6)); /* three ways through the network */
    EXPECT_WITHIN(most - least, MS(10) - MS(1), MS(10) + MS(1));
}

Test(watch, s17_a_takeover_needs_no_watch)
{
    b->net.freeze_watch = true;
    sim_run(s, S(1));
    sim_kill(a);
    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(13), S(17));
}

Test(watch, without_permission_to_watch_the_standby_asks_every_retry_period_with_jitter)
{
    b->net.watch_status = 403;
    sim_cut_watch(b, 403, 0);
    size_t reads = b->reads;

    sim_run(s, S(60));
    cr_expect(b->reads - reads >= 25 && b->reads - reads <= 30, "%zu GETs in a minute",
              b->reads - reads);
    EXPECT_INT(b->watches, 0);
    EXPECT_HAS(b->said, "asking every 2.0 s instead");
    sim_release(a, true, true);
    EXPECT_WITHIN(sim_until_leading(b, S(60)), 0, S(3));
}

Test(watch, a_refused_watch_is_tried_again_after_a_while)
{
    b->net.watch_status = 403;
    sim_cut_watch(b, 403, 0);
    sim_run(s, S(290));
    EXPECT_INT(b->watches, 0);
    b->net.watch_status = 0;
    sim_run(s, S(15));
    EXPECT_INT(b->watches, 1);
    size_t reads = b->reads;

    sim_run(s, S(20));
    EXPECT_INT(b->reads - reads, 0);
}

Test(watch, without_permission_to_watch_the_leader_learns_of_a_loss_by_its_renewal)
{
    a->net.watch_status = 403;
    sim_cut_watch(a, 403, 0);
    int64_t now = clock_now();

    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(3));
    EXPECT_INT(a->end, LEASE_END_LOST);
    EXPECT_WITHIN(a->fell_at - now, 0, S(2) + MS(5));
}

Test(watch, a_watch_that_ends_in_order_goes_on_from_where_it_was)
{
    sim_cut_watch(b, 200, 0);
    sim_run(s, MS(10));
    EXPECT_INT(b->watches, 1);
    EXPECT_STR(sim_ops(b), "");
    sim_release(a, true, true);
    EXPECT_WITHIN(sim_until_leading(b, S(10)), 0, MS(20));
}

Test(watch, what_happened_while_the_watch_was_down_is_not_missed)
{
    sim_cut_watch(b, 0, 0);
    sim_release(a, true, true);
    EXPECT_WITHIN(sim_until_leading(b, S(10)), 0, MS(250));
    EXPECT_STR(b->transitions, "released ");
}

Test(watch, a_watch_that_keeps_failing_is_opened_no_faster_than_the_retry_period)
{
    b->net.watch_status = 500;
    sim_cut_watch(b, 500, 0);
    sim_run(s, S(60));
    cr_expect(b->watches >= 14 && b->watches <= 31, "%zu watches in a minute", b->watches);
    cr_expect(b->reads <= 30, "%zu GETs in a minute", b->reads);
}

Test(watch, a_watch_honours_retry_after)
{
    b->net.watch_status = 0;
    sim_cut_watch(b, 429, S(30));
    sim_run(s, S(29));
    EXPECT_INT(b->watches, 0);
    sim_run(s, S(2));
    EXPECT_INT(b->watches, 1);
}

Test(watch, rule_13_after_410_one_get_decides_on_the_standby)
{
    sim_cut_watch(b, 410, 0);
    sim_run(s, S(1));
    EXPECT_STR(sim_ops(b), "GET 200");
    EXPECT_INT(b->watches, 1);
}

Test(watch, rule_13_after_410_one_get_decides_on_the_leader)
{
    sim_cut_watch(a, 410, 0);
    sim_run(s, MS(500));
    EXPECT_HAS(sim_ops(a), "GET 200");
    EXPECT_INT(a->watches, 1);
    EXPECT_INT(a->ends, 0);
    sim_cut_watch(a, 410, 0);
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, MS(500));
    EXPECT_INT(a->end, LEASE_END_LOST);
}

Test(watch, rule_13_the_leader_watches_from_the_version_of_its_acquisition)
{
    sim_release(a, true, true);
    b->net.freeze_watch = false;
    cr_assert(sim_until_leading(b, S(10)) >= 0);
    EXPECT_INT(b->watches, 1);
    int64_t now = clock_now();

    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(1));
    EXPECT_WITHIN(b->fell_at - now, 0, MS(2));
}

Test(watch, s17_a_frozen_watch_of_the_leader_is_opened_anew)
{
    a->net.freeze_watch = true;
    sim_run(s, S(8));
    a->net.freeze_watch = false;
    sim_run(s, S(8));
    cr_expect(a->watches >= 1 && a->watches <= 2, "%zu watches", a->watches);
    int64_t now = clock_now();

    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(1));
    EXPECT_WITHIN(a->fell_at - now, 0, MS(2));
}

/* An event by hand, as a server that lags behind would send it. */
static void send_event(sim_host_t *h, const char *version, const char *holder, bool deleted)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"uid-1\",\"resourceVersion\":"
                     "\"%s\"},\"spec\":{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15}}",
                     version, holder);
    lease_record_t *r = NULL;
    lease_time_t t = sim_time(h);

    cr_assert(lease_record_parse(text, strlen(text), &r, NULL) == 0);
    lease_elector_event(h->elector, &t, deleted ? LEASE_EVENT_DELETED : LEASE_EVENT_SEEN, r, NULL);
}

Test(watch, rule_13_s17_an_event_older_than_what_is_known_is_ignored)
{
    send_event(a, "900", "x", false);
    EXPECT_INT(a->ends, 0);
    send_event(a, "900", "x", true);
    EXPECT_INT(a->ends, 0);
    send_event(a, "999999", "x", false);
    EXPECT_INT(a->ends, 1);
}

Test(watch, a_bookmark_is_a_sign_of_the_stream_but_not_of_the_holder)
{
    sim_kill(a);
    int64_t last = clock_now() - S(1);

    for (int i = 0; i < 9; i++) {
        lease_time_t t = sim_time(b);

        lease_elector_event(b->elector, &t, LEASE_EVENT_BOOKMARK, NULL, "1500");
        sim_run(s, S(1));
    }
    EXPECT_STR(sim_ops(b), ""); /* it need not ask */
    sim_until_leading(b, S(60));
    EXPECT_WITHIN(b->begun_at - last, S(15), S(15) + MS(30));
}

Test(watch, observers_are_told_of_each_change_of_holder_once)
{
    EXPECT_INT(b->observations, 1);
    EXPECT_STR(b->observed, "a");
    sim_run(s, S(10));
    EXPECT_INT(b->observations, 1);
    sim_release(a, true, true);
    sim_run(s, S(1));
    EXPECT_STR(b->observed, "b");
    EXPECT_INT(b->observed_mine, true);
    EXPECT_STR(a->observed, "b");
    EXPECT_INT(a->observed_mine, false);
}
