/* SPDX-License-Identifier: Apache-2.0 */
/* How a term ends by force, and what comes after. */
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
    sim_destroy(s);
}

TestSuite(loss, .init = setup, .fini = teardown);

/* The term has fallen within a round trip after `since`. */
static void expect_lost_at_once(int64_t since)
{
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(a->falls, 1);
    EXPECT_INT(a->end, LEASE_END_LOST);
    EXPECT_WITHIN(a->fell_at - since, 0, MS(2));
    EXPECT_INT(fence_open(a->fence), false);
}

Test(loss, s2_rule_10_an_edit_to_another_holder_closes_the_fence_at_once)
{
    int64_t now = clock_now();

    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(1));
    expect_lost_at_once(now);
    EXPECT_STR(a->end_reason, "the lease is held by 'x'");
    EXPECT_STR(a->observed, "x");
    EXPECT_STR(sim_ops(a), "");
}

Test(loss, s2_an_emptied_holder_closes_the_fence_at_once)
{
    int64_t now = clock_now();

    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    sim_run(s, S(1));
    expect_lost_at_once(now);
    EXPECT_INT(s->writes, 5); /* it does not take back what it does not believe to be free */
}

Test(loss, s4_a_deleted_lease_closes_the_fence_at_once)
{
    int64_t now = clock_now();

    sim_delete_lease(s);
    sim_run(s, S(1));
    expect_lost_at_once(now);
    EXPECT_STR(a->end_reason, "the lease was deleted");
    EXPECT_STR(sim_lease(s), "absent");
}

Test(loss, s4_rule_6_the_old_leader_waits_its_own_lease_out_before_it_creates_it_again)
{
    int64_t last = clock_now() - CLOCK_S; /* the send of its last renewal */

    sim_delete_lease(s);
    sim_until_leading(a, S(60));
    EXPECT_WITHIN(a->begun_at - last, S(15), S(15) + MS(200));
    EXPECT_STR(sim_lease(s), "a/15/2");
}

Test(loss, s4_a_lease_deleted_and_made_again_is_another_one)
{
    int64_t now = clock_now();

    sim_delete_lease(s);
    sim_create_lease(s, "{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15}", NULL);
    sim_run(s, S(1));
    expect_lost_at_once(now);
}

Test(loss, rule_2_a_renewal_of_a_deleted_lease_does_not_create_it_again)
{
    a->net.freeze_watch = true;
    sim_delete_lease(s);
    sim_run(s, S(3));
    EXPECT_INT(a->end, LEASE_END_LOST);
    EXPECT_HAS(sim_ops(a), "PUT 409, GET 404");
}

Test(loss, rule_8_another_holder_found_after_a_conflict_is_definite_loss)
{
    a->net.freeze_watch = true;
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(2));
    EXPECT_INT(a->end, LEASE_END_LOST);
    EXPECT_HAS(sim_ops(a), "PUT 409, GET 200");
    EXPECT_STR(sim_lease(s), "x/15/1");
}

Test(loss, rule_8_another_instance_of_our_name_is_definite_loss)
{
    int64_t now = clock_now();

    sim_annotate(s, LEASE_ANNOTATION_SEQ, "1/0123456789abcdef0123456789abcdef/a");
    sim_run(s, S(1));
    expect_lost_at_once(now);
    EXPECT_HAS(a->end_reason, "another process of our name");
}

Test(loss, rule_2_a_put_that_created_the_lease_is_definite_loss)
{
    a->net.fail_status = 201; /* a server that ignores the uid */
    sim_run(s, S(3));
    EXPECT_INT(a->end, LEASE_END_LOST);
}

Test(loss, rule_8_a_404_that_names_the_lease_is_definite_loss)
{
    a->net.fail_status = 404;
    a->net.fail_missing = SIM_LEASE;
    sim_run(s, S(3));
    EXPECT_INT(a->end, LEASE_END_LOST);
}

Test(loss, rule_10_a_good_reply_after_the_deadline_does_not_open_the_fence)
{
    a->net.freeze_watch = true;
    sim_run(s, MS(900));
    a->net.reply_delay = S(9) + MS(900);
    sim_run(s, S(2));
    sim_net_t net = a->net;

    net.cut = true;
    a->net = net;
    a->teardown = CLOCK_NEVER;
    sim_run(s, S(20));
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(fence_open(a->fence), false);
    EXPECT_INT(a->begun, 1);
}

Test(loss, rule_10_after_teardown_our_own_lease_is_taken_again_at_once_as_a_new_term)
{
    fence_t *old = fence_ref(a->fence);

    a->net.fail_status = 503;
    a->teardown = S(1);
    sim_run(s, S(12));
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    a->net.fail_status = 0;
    EXPECT_WITHIN(sim_until_leading(a, S(10)), 0, S(3));
    EXPECT_INT(a->term, 2);
    EXPECT_INT(fence_open(old), false);
    EXPECT_INT(fence_open(a->fence), true);
    fence_unref(old);
}

Test(loss, rule_10_an_acquisition_of_a_former_term_does_not_begin_another_under_its_number)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_release(a, true, true);
    cr_assert(sim_until_leading(b, S(1)) >= 0);
    b->net.cut = true; /* the Lease goes on showing the write that acquired it */
    sim_run(s, S(12));
    EXPECT_INT(b->end, LEASE_END_EXPIRED);
    b->net.cut = false;
    cr_assert(sim_until_leading(b, S(2)) >= 0);
    EXPECT_INT(b->term, 3);
}

Test(loss, rule_10_nothing_is_taken_before_the_owner_has_torn_down)
{
    a->net.fail_status = 503;
    a->teardown = CLOCK_NEVER;
    sim_run(s, S(12));
    a->net.fail_status = 0;
    size_t writes = a->writes;

    sim_run(s, S(60));
    EXPECT_INT(a->writes, writes);
    EXPECT_INT(a->begun, 1);
}

Test(loss, rule_11_a_teardown_that_lasts_too_long_is_told_after_the_stop_budget)
{
    a->teardown = CLOCK_NEVER;
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(1));
    EXPECT_INT(a->overdues, 1);
    EXPECT_WITHIN(a->overdue_at - a->fell_at, CLOCK_S / 5, CLOCK_S / 5 + MS(1));
}

Test(loss, rule_11_the_stop_budget_ends_at_the_kill_limit)
{
    int64_t last = clock_now() - CLOCK_S;

    a->teardown = CLOCK_NEVER;
    sim_pause(a); /* until shortly before LD * (1 - 2 * rho) = 14.4 s after the last send */
    sim_run(s, S(13) + MS(300));
    sim_resume(a);
    sim_run(s, S(1));
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    EXPECT_WITHIN(a->overdue_at - last, S(14) + MS(390), S(14) + MS(402));
}

Test(loss, rule_11_a_quick_teardown_is_not_told_overdue)
{
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(5));
    EXPECT_INT(a->overdues, 0);
}

Test(loss, rule_11_an_owner_that_gives_up_at_the_limit_it_was_told_is_not_overdue)
{
    a->teardown = SIM_LIMIT;
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(5));
    EXPECT_INT(a->overdues, 0);
}

Test(loss, rule_11_nor_is_it_at_the_kill_limit)
{
    a->teardown = SIM_LIMIT;
    sim_pause(a);
    sim_run(s, S(13) + MS(300));
    sim_resume(a);
    sim_run(s, S(1));
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    EXPECT_INT(a->overdues, 0);
}

/* A create that is 60 s on its way, of a host that has led and lost in the meantime. */
Test(loss, rule_10_an_own_create_that_lands_late_is_not_resumed)
{
    sim_kill(a);
    sim_delete_lease(s);
    a = sim_start(s, "a");
    a->net.request_delay = S(60);
    while (a->writes == 0)
        sim_run(s, MS(1));
    const int64_t lands = clock_now() + S(60);

    a->net.request_delay = 0;
    cr_assert(sim_until_leading(a, S(30)) > 0);
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(5));
    a->net.fail_status = 500;
    a->net.fail_verb = LEASE_CREATE;
    sim_delete_lease(s);
    cr_assert(sim_until_leading(b, S(30)) > 0);
    sim_run(s, lands - clock_now() - S(1));
    b->net.cut = true; /* it does not hear of this */
    sim_delete_lease(s);
    sim_run(s, MS(500));
    a->net.fail_status = 0;
    sim_run(s, S(1));
    EXPECT_STR(sim_lease(s), "a/15/0");
    EXPECT_INT(sim_leads(b), true);
    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(14), S(16));
    EXPECT_INT(s->overlap, 0);
}

Test(loss, rule_10_an_own_record_that_an_edit_brings_back_waits_for_who_was_put_in_between)
{
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"a\"}"); /* with the seq that we wrote */
    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(13), S(15));
}

Test(loss, rule_10_a_renewal_that_lands_after_the_fall_is_resumed_at_once)
{
    sim_run(s, S(1) + MS(100)); /* the next is sent 900 ms from now */
    a->net.request_delay = S(12);
    sim_run(s, S(1));
    a->net.cut = true;
    sim_run(s, S(11) + MS(500)); /* the deadline has passed; it has landed since */
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    a->net = (sim_net_t){.fail_verb = -1};
    EXPECT_WITHIN(sim_until_leading(a, S(30)), 0, S(3));
}

Test(loss, rule_13_what_the_loser_has_seen_counts_for_its_next_wait)
{
    int64_t now = clock_now();

    a->teardown = S(5);
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_until_leading(a, S(60));
    EXPECT_WITHIN(a->begun_at - now, S(15), S(15) + MS(30));
}

Test(loss, rule_11_nothing_is_released_by_force)
{
    a->net.fail_status = 503;
    sim_run(s, S(12));
    EXPECT_STR(sim_lease(s), "a/15/1");
    EXPECT_STR(sim_annotation(s, LEASE_ANNOTATION_RELEASED), "");
}

Test(loss, any_number_of_terms_in_one_process)
{
    for (int i = 1; i <= 20; i++) {
        EXPECT_INT(a->begun, i);
        sim_edit(s, "{\"holderIdentity\":\"x\"}");
        sim_run(s, S(16));
        EXPECT_INT(a->term, i + 1);
    }
    EXPECT_INT(a->ends, 20);
}

/* -- A Fence that has a later term -- */

Test(loss, rule_7_a_term_that_is_outnumbered_ends_and_the_next_one_counts_on)
{
    const lease_time_t t = sim_time(a);

    lease_elector_outnumbered(a->elector, &t, a->term, 41);
    EXPECT_INT(a->end, LEASE_END_LOST);
    EXPECT_STR(a->end_reason, "the Fence has term 41 already");
    EXPECT_INT(fence_open(a->fence), false);
    EXPECT_WITHIN(sim_until_leading(a, S(5)), 0, MS(100));
    EXPECT_INT(a->term, 42);
    EXPECT_STR(sim_lease(s), "a/15/42");
}

Test(loss, rule_7_what_outnumbers_a_former_term_does_not_end_this_one)
{
    const lease_time_t t = sim_time(a);

    lease_elector_outnumbered(a->elector, &t, a->term + 1, 41);
    sim_run(s, S(1));
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(sim_leads(a), true);
}
