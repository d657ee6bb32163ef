/* SPDX-License-Identifier: Apache-2.0 */
/* Giving the Lease back. */
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
    a->teardown = CLOCK_NEVER;
}

static void teardown(void)
{
    EXPECT_INT(s->overlap, 0);
    sim_destroy(s);
}

TestSuite(release, .init = setup, .fini = teardown);

Test(release, l12_m8_rule_12_a_release_empties_the_holder_and_keeps_the_transitions)
{
    sim_release(a, true, false);
    sim_run(s, S(1));
    EXPECT_STR(sim_lease(s), "/1/1");
    EXPECT_STR(sim_annotation(s, LEASE_ANNOTATION_RELEASED),
               sim_annotation(s, LEASE_ANNOTATION_SEQ));
    EXPECT_INT(a->end, LEASE_END_RELEASED);
    EXPECT_STR(a->end_reason, "the lease was released");
    EXPECT_INT(a->falls, 0);
}

Test(release, l13_rule_12_a_release_is_one_put_without_a_get_before)
{
    sim_release(a, true, false);
    sim_run(s, S(1));
    EXPECT_STR(sim_ops(a), "PUT 200");
}

Test(release, rule_11_the_fence_is_closed_before_the_release_is_sent)
{
    sim_release(a, true, false);
    EXPECT_INT(fence_open(a->fence), false);
    EXPECT_STR(sim_lease(s), "a/15/1");
}

Test(release, an_acknowledgement_between_the_owners_close_and_its_call_is_no_forced_end)
{
    fence_close(a->fence); /* as lease_release() does, on another thread */
    sim_run(s, S(3));      /* a renewal is acknowledged */
    EXPECT_INT(a->ends, 0);
    sim_release(a, true, false);
    sim_run(s, S(1));
    EXPECT_INT(a->end, LEASE_END_RELEASED);
    EXPECT_INT(a->falls, 0);
    EXPECT_STR(sim_lease(s), "/1/1");
}

Test(release, a_closed_fence_without_a_release_ends_at_its_deadline)
{
    fence_close(a->fence);
    sim_run(s, S(15));
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
}

Test(release, rule_11_with_an_unknown_write_the_lease_is_left_to_expire)
{
    sim_release(a, false, false);
    sim_run(s, S(20));
    EXPECT_STR(sim_lease(s), "a/15/1");
    EXPECT_STR(sim_ops(a), "");
    EXPECT_INT(a->end, LEASE_END_RELEASED);
    EXPECT_HAS(a->end_reason, "left to expire");
}

Test(release, l14_rule_12_after_a_conflict_it_is_released_once_more_with_the_version_found)
{
    a->net.freeze_watch = true;
    sim_annotate(s, "note", "1");
    sim_release(a, true, false);
    sim_run(s, S(1));
    EXPECT_STR(sim_ops(a), "PUT 409, GET 200, PUT 200");
    EXPECT_STR(sim_lease(s), "/1/1");
}

Test(release, l14_rule_12_a_conflict_that_the_watch_explains_needs_no_get)
{
    sim_annotate(s, "note", "1");
    sim_release(a, true, false);
    sim_run(s, S(1));
    EXPECT_STR(sim_ops(a), "PUT 409, PUT 200");
    EXPECT_STR(sim_lease(s), "/1/1");
}

Test(release, l15_a_renewal_in_flight_does_not_take_the_lease_back)
{
    sim_run(s, MS(900));
    a->net.request_delay = MS(300);
    sim_run(s, MS(200)); /* a renewal is on its way */
    a->net.request_delay = 0;
    sim_release(a, true, false);
    sim_run(s, S(3));
    EXPECT_STR(sim_lease(s), "/1/1");
    EXPECT_INT(a->end, LEASE_END_RELEASED);
}

Test(release, l16_a_get_in_flight_does_not_hinder_the_release)
{
    a->net.freeze_watch = true;
    sim_annotate(s, "note", "1");
    sim_run(s, MS(995));
    a->net.reply_delay = MS(300);
    sim_run(s, MS(310)); /* 409, and then a GET is on its way */
    a->net.reply_delay = 0;
    sim_release(a, true, false);
    sim_run(s, S(3));
    EXPECT_STR(sim_lease(s), "/1/1");
    EXPECT_INT(a->end, LEASE_END_RELEASED);
}

Test(release, rule_12_what_somebody_else_holds_is_not_released)
{
    a->net.freeze_watch = true;
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_release(a, true, false);
    sim_run(s, S(3));
    EXPECT_STR(sim_lease(s), "x/15/1");
    EXPECT_HAS(a->end_reason, "somebody else's");
    EXPECT_HAS(sim_ops(a), "PUT 409, GET 200");
}

Test(release, rule_12_another_instance_of_our_name_is_not_released)
{
    a->net.freeze_watch = true;
    sim_annotate(s, LEASE_ANNOTATION_SEQ, "1/0123456789abcdef0123456789abcdef/a");
    sim_release(a, true, false);
    sim_run(s, S(3));
    EXPECT_STR(sim_lease(s), "a/15/1");
}

Test(release, s4_a_release_on_its_way_does_not_bring_back_a_deleted_lease)
{
    a->net.request_delay = MS(500);
    sim_release(a, true, false);
    sim_run(s, MS(100));
    sim_delete_lease(s);
    sim_run(s, S(3));
    EXPECT_STR(sim_lease(s), "absent");
    EXPECT_INT(a->end, LEASE_END_RELEASED);
}

Test(release, s7_a_release_whose_reply_is_lost_is_known_by_the_watch)
{
    a->net.lose_replies = true;
    int64_t now = clock_now();

    sim_release(a, true, false);
    sim_run(s, S(1));
    EXPECT_STR(sim_lease(s), "/1/1");
    EXPECT_STR(a->end_reason, "the lease was released");
    EXPECT_WITHIN(a->ended_at - now, 0, MS(3));
}

Test(release, s7_a_release_whose_reply_is_lost_is_found_by_asking)
{
    a->net.freeze_watch = true;
    a->net.lose_write_replies = true;
    sim_release(a, true, false);
    sim_run(s, S(1));
    a->net.lose_write_replies = false;
    sim_run(s, S(3));
    EXPECT_STR(a->end_reason, "the lease was released");
    EXPECT_STR(sim_ops(a), "PUT 409, GET 200");
}

Test(release, rule_8_an_unanswered_release_is_tried_until_the_deadline_and_then_left)
{
    int64_t deadline = atomic_load(&a->fence->deadline_ns);

    a->net.cut = true;
    sim_release(a, true, false);
    sim_run(s, S(15));
    EXPECT_INT(a->end, LEASE_END_RELEASED);
    EXPECT_HAS(a->end_reason, "left to expire");
    EXPECT_WITHIN(a->ended_at - deadline, 0, MS(1));
    EXPECT_STR(sim_lease(s), "a/15/1");
}

Test(release, a_released_lease_is_taken_by_the_standby_in_milliseconds)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(3));
    sim_release(a, true, true);
    EXPECT_WITHIN(sim_until_leading(b, S(10)), 0, MS(20));
    EXPECT_STR(b->transitions, "released ");
    EXPECT_INT(b->term, 2);
}

Test(release, rule_11_after_step_down_the_host_stands_back_for_a_lease_duration)
{
    a->teardown = MS(10);
    int64_t now = clock_now();

    sim_release(a, true, true);
    sim_until_leading(a, S(60));
    EXPECT_WITHIN(a->begun_at - now, S(15), S(15) + MS(30));
}

Test(release, rule_11_it_stands_back_also_when_the_lease_was_left_to_expire)
{
    a->teardown = MS(10);
    int64_t now = clock_now();

    sim_release(a, false, true);
    sim_until_leading(a, S(60));
    EXPECT_WITHIN(a->begun_at - now, S(15), S(15) + MS(30));
}

Test(release, rule_11_it_stands_again_once_another_holder_was_seen)
{
    a->teardown = MS(10);
    sim_release(a, true, true);
    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\"}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, MS(30));
}

/* The step-down was cut short: its term ended by itself before it was released. */
static void end_by_deadline(void)
{
    a->teardown = CLOCK_NEVER;
    a->net.refuse = true;
    sim_run(s, S(11));
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    a->net.refuse = false;
}

static void stand_back_and_rest(void)
{
    lease_time_t t = sim_time(a);

    lease_elector_stand_back(a->elector, &t);
    lease_elector_rested(a->elector, &t);
}

Test(release, rule_11_a_step_down_that_the_deadline_cut_short_stands_back_too)
{
    end_by_deadline();
    int64_t now = clock_now();

    stand_back_and_rest();
    sim_until_leading(a, S(60));
    EXPECT_WITHIN(a->begun_at - now, S(15), S(15) + MS(30));
}

Test(release, rule_11_standing_back_ends_with_the_next_holder_seen)
{
    end_by_deadline();
    stand_back_and_rest();
    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":1}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(1), S(4)); /* the rest of the leases it has seen */
}

Test(release, rule_11_after_a_loss_to_another_holder_there_is_no_need_to_stand_back)
{
    a->teardown = CLOCK_NEVER;
    sim_edit(s, "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":1}");
    sim_run(s, MS(10));
    EXPECT_INT(a->end, LEASE_END_LOST);
    sim_run(s, S(10)); /* a long teardown */
    stand_back_and_rest();
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(3), S(5));
}

Test(release, without_standing_back_it_takes_the_lease_again)
{
    a->teardown = MS(10);
    sim_release(a, true, false);
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, MS(40));
    EXPECT_INT(a->term, 2);
}

Test(release, is_ignored_when_the_term_has_ended_by_itself)
{
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, MS(10));
    sim_ops(a);
    sim_release(a, true, true);
    sim_run(s, S(5));
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(a->end, LEASE_END_LOST);
    EXPECT_STR(sim_lease(s), "x/15/1");
}

Test(release, s1_frozen_past_the_lease_a_stop_touches_nothing)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_pause(a);
    cr_assert(sim_until_leading(b, S(30)) > 0);
    sim_resume(a);
    sim_ops(a);
    sim_release(a, true, false); /* SIGTERM was pending */
    sim_run(s, S(5));
    EXPECT_STR(sim_lease(s), "b/15/2");
    EXPECT_INT(b->ends, 0);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    EXPECT_STR(sim_ops(a), "");
}

Test(release, s19_client_go_empties_our_record_and_no_standby_believes_it)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    sim_run(s, S(14));
    EXPECT_INT(b->begun, 0);
    EXPECT_WITHIN(sim_until_leading(b, S(10)), 0, S(2));
}
