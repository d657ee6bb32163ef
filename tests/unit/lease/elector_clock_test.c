/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks that step, machines that sleep, processes that are frozen. */
#include "sim.h"

static sim_t *s;
static sim_host_t *a; /* the leader, since 5 s */

static void setup(void)
{
    s = sim_create();
    sim_create_lease(s, "{}", NULL);
    a = sim_start(s, "a");
    sim_run(s, S(5));
    cr_assert(sim_leads(a));
    sim_ops(a);
}

static void teardown(void)
{
    EXPECT_INT(s->overlap, 0);
    sim_destroy(s);
}

TestSuite(clocks, .init = setup, .fini = teardown);

static void step_wall(int64_t by)
{
    fake_clock_set_wall(clock_wall() + by);
}

static void tick(sim_host_t *h)
{
    lease_time_t t = sim_time(h);

    lease_elector_tick(h->elector, &t);
}

Test(clocks, rule_15_a_wall_clock_that_ran_ahead_suspends_the_fence_until_a_new_renewal)
{
    step_wall(S(2));
    tick(a);
    EXPECT_INT(sim_leads(a), false);
    EXPECT_INT(a->ends, 0);
    sim_run(s, MS(10));
    EXPECT_INT(sim_leads(a), true);
    EXPECT_STR(sim_ops(a), "PUT 200");
    EXPECT_INT(a->begun, 1);
}

Test(clocks, rule_15_nothing_is_sent_even_before_the_elector_has_looked)
{
    step_wall(S(2));
    EXPECT_INT(sim_leads(a), false);
    tick(a);
    EXPECT_INT(sim_leads(a), false);
    sim_run(s, MS(10));
    EXPECT_INT(sim_leads(a), true);
}

Test(clocks, rule_15_a_reply_to_an_earlier_renewal_does_not_open_a_suspended_fence)
{
    sim_run(s, MS(900));
    a->net.freeze_watch = true;
    a->net.reply_delay = S(1);
    sim_run(s, MS(200)); /* a renewal is on its way */
    a->net.lose_replies = true;
    step_wall(S(2));
    tick(a);
    sim_run(s, S(1) + MS(500));
    EXPECT_HAS(sim_ops(a), "PUT 200");
    EXPECT_INT(sim_leads(a), false);
    a->net = (sim_net_t){.fail_verb = -1};
    sim_run(s, S(3));
    EXPECT_INT(sim_leads(a), true);
    EXPECT_INT(a->ends, 0);
}

Test(clocks, rule_15_a_suspended_fence_that_passes_its_deadline_has_fallen)
{
    a->net.cut = true;
    step_wall(S(2));
    tick(a);
    sim_run(s, S(10));
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
}

Test(clocks, rule_15_a_small_difference_is_no_reason)
{
    step_wall(MS(900));
    tick(a);
    EXPECT_INT(sim_leads(a), true);
    sim_run(s, S(4));
    step_wall(MS(900)); /* each difference counts from the last check */
    tick(a);
    EXPECT_INT(sim_leads(a), true);
}

Test(clocks, s13_a_wall_clock_stepped_back_by_years_changes_nothing)
{
    step_wall(-S(200000000));
    sim_run(s, S(20));
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(sim_leads(a), true);
}

Test(clocks, s13_a_wall_clock_stepped_forward_by_years_keeps_the_term)
{
    step_wall(S(200000000));
    sim_run(s, S(20));
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(a->begun, 1);
    EXPECT_INT(sim_leads(a), true);
}

Test(clocks, s13_a_standby_does_not_read_the_holders_clock)
{
    sim_host_t *b = sim_start(s, "b");

    step_wall(S(200000000));
    sim_run(s, S(60));
    EXPECT_INT(b->begun, 0);
    sim_kill(a);
    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(13), S(15) + MS(30));
}

Test(clocks, rule_15_an_acquisition_sent_before_the_clocks_disagreed_is_renewed_before_it_is_led)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_release(a, true, true);
    b->net.reply_delay = MS(500);
    b->net.freeze_watch = false;
    b->fixed_random = 0;
    sim_run(s, MS(2)); /* it has seen the release and sent its PUT */
    b->net.freeze_watch = true;
    sim_run(s, MS(10));
    step_wall(S(5));
    sim_run(s, S(1));
    EXPECT_HAS(sim_ops(b), "PUT 200, PUT 200");
    EXPECT_INT(b->begun, 1);
}

Test(clocks, s8_a_leader_frozen_past_its_lease_finds_its_fence_closed)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_pause(a);
    cr_assert(sim_until_leading(b, S(30)) > 0);
    sim_run(s, S(5));
    EXPECT_INT(fence_open(a->fence), false);
    sim_resume(a);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    sim_run(s, S(5));
    EXPECT_STR(a->observed, "b");
    EXPECT_INT(b->ends, 0);
}

Test(clocks, s8_a_leader_frozen_for_less_than_its_deadline_goes_on)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_pause(a);
    sim_run(s, S(7));
    sim_resume(a);
    sim_run(s, S(20));
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(b->begun, 0);
}

Test(clocks, s8_frozen_between_deadline_and_lease_end_the_term_is_over_and_a_new_one_begins)
{
    sim_pause(a);
    sim_run(s, S(12));
    EXPECT_INT(fence_open(a->fence), false);
    sim_resume(a);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    sim_run(s, S(1));
    EXPECT_INT(a->begun, 2);
    EXPECT_INT(a->term, 2);
}

Test(clocks, s8_a_standby_frozen_with_its_takeover_under_way_does_not_lead_on_the_old_answer)
{
    sim_host_t *b = sim_start(s, "b"), *c = sim_start(s, "c");

    sim_run(s, S(1));
    c->net.cut = true;
    b->fixed_random = 0;
    sim_kill(a);
    while (b->writes == 0)
        sim_run(s, MS(1));
    sim_pause(b); /* its PUT lands; it does not hear of it */
    c->net.cut = false;
    cr_assert(sim_until_leading(c, S(60)) > 0);
    sim_resume(b);
    EXPECT_INT(sim_leads(b), false);
    sim_run(s, S(5));
    EXPECT_INT(b->begun, 0);
    EXPECT_INT(c->ends, 0);
}
