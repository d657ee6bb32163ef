/* SPDX-License-Identifier: Apache-2.0 */
/* When a candidate may take the Lease. Names: l* and k* are rows of client-go's own tests, rule_*
 * those of docs/election.md. */
#include "sim.h"

/* Held by a stranger, renewed in 2001 by its own clock. */
#define HELD                                                                                       \
    "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15,\"leaseTransitions\":4,"                \
    "\"renewTime\":\"2001-01-01T00:00:00.000000Z\"}"
#define EMPTIED                                                                                    \
    "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,\"leaseTransitions\":4,"                  \
    "\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}"
#define SEQ_OF_X "9/0123456789abcdef0123456789abcdef/x"

/* Stands at most this long after it may: jitter and two round trips. */
#define SOON MS(30)

static sim_t *s;

static void setup(void)
{
    s = sim_create();
}

static void teardown(void)
{
    EXPECT_INT(s->overlap, 0);
    sim_destroy(s);
}

TestSuite(acquire, .init = setup, .fini = teardown);

/* --- from nothing --- */

Test(acquire, l1_an_absent_lease_is_created_with_no_transitions)
{
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    EXPECT_STR(sim_ops(a), "GET 404, POST 201");
    EXPECT_STR(sim_lease(s), "a/15/0");
}

Test(acquire, rule_6_a_fresh_process_that_creates_the_lease_leads_only_a_lease_duration_later)
{
    sim_host_t *a = sim_start(s, "a");
    lease_status_t status;

    sim_run(s, S(14));
    EXPECT_INT(a->begun, 0);
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.state, LEASE_HOLDING);
    EXPECT_INT(status.deadline, 0);
    EXPECT_STR(sim_annotation(s, LEASE_ANNOTATION_HOLDING),
               sim_annotation(s, LEASE_ANNOTATION_SEQ));
    EXPECT_WITHIN(sim_until_leading(a, S(10)), S(1), S(1) + SOON);
    EXPECT_STR(sim_annotation(s, LEASE_ANNOTATION_HOLDING), "");
    EXPECT_HAS(a->said, "create an empty Lease beforehand");
}

Test(acquire, rule_6_the_fence_counts_from_the_send_of_the_renewal_that_opened_it)
{
    sim_host_t *a = sim_start(s, "a");

    sim_until_leading(a, S(30));
    EXPECT_INT(atomic_load(&a->fence->deadline_ns), a->begun_at - 2 * SIM_LATENCY + S(10));
}

Test(acquire, rule_6_a_holder_that_never_led_does_not_lead_sooner_by_losing_touch)
{
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    a->net.cut = true;
    sim_run(s, S(12));
    a->net.cut = false;
    EXPECT_WITHIN(sim_until_leading(a, S(10)), S(2), S(5));
}

Test(acquire, l2_rule_5_an_empty_lease_made_beforehand_is_led_at_once)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(1)), 0, SOON);
    EXPECT_STR(sim_ops(a), "GET 200, PUT 200");
    EXPECT_STR(sim_lease(s), "a/15/1");
    EXPECT_INT(a->term, 1);
}

Test(acquire, l4_rule_5_a_lease_released_by_a_stranger_is_led_at_once)
{
    sim_create_lease(s, EMPTIED, NULL);
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(1)), 0, SOON);
    EXPECT_STR(sim_lease(s), "a/15/5");
}

Test(acquire, k5_the_loser_of_two_creates_learns_who_won_and_waits)
{
    sim_host_t *a = sim_start(s, "a"), *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_host_t *loser = strcmp(sim_lease(s), "a/15/0") == 0 ? b : a;
    const char *ops = sim_ops(loser);

    cr_expect(strcmp(ops, "GET 404, POST 409, GET 200") == 0 ||
                  strcmp(ops, "GET 404, GET 200") == 0,
              "the loser asked: %s", ops);
    sim_run(s, S(40));
    EXPECT_INT(a->begun + b->begun, 1);
    EXPECT_INT(loser->begun, 0);
}

/* --- from a holder --- */

Test(acquire, l7_a_held_lease_is_watched_after_one_get)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(4));
    EXPECT_STR(sim_ops(a), "GET 200");
    EXPECT_INT(a->watches, 1);
    EXPECT_STR(a->observed, "x");
    EXPECT_INT(a->observed_mine, false);
    EXPECT_STR(sim_lease(s), "x/15/4");
}

Test(acquire, l5_rule_4_a_silent_holder_is_waited_for_from_the_first_sight_however_old_its_time)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(15), S(15) + SOON);
    EXPECT_STR(sim_lease(s), "a/15/5");
}

Test(acquire, l3_rule_4_the_duration_in_the_lease_counts_not_our_own)
{
    sim_create_lease(s,
                     "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":3,"
                     "\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}",
                     NULL);
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(3), S(3) + SOON);
    EXPECT_STR(sim_lease(s), "a/15/1");
}

Test(acquire, rule_4_a_lease_without_duration_is_waited_for_as_long_as_our_own)
{
    sim_create_lease(s, "{\"holderIdentity\":\"x\"}", NULL);
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(15), S(15) + SOON);
}

Test(acquire, rule_4_a_changed_label_is_no_sign_of_life)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(10));
    sim_label(s, "k", "v");
    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(5), S(5) + SOON);
}

Test(acquire, rule_4_a_changed_spec_is_a_sign_of_life)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(10));
    sim_edit(s, "{\"renewTime\":\"2026-01-01T00:00:09.000000Z\"}");
    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(15), S(15) + SOON);
}

Test(acquire, rule_4_a_changed_seq_is_a_sign_of_life)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(10));
    sim_annotate(s, LEASE_ANNOTATION_SEQ, SEQ_OF_X);
    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(15), S(15) + SOON);
}

Test(acquire, rule_4_a_duration_cut_short_does_not_shorten_the_wait)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"leaseDurationSeconds\":1}");
    EXPECT_WITHIN(sim_until_leading(a, S(30)), S(14), S(14) + SOON);
}

Test(acquire, rule_4_a_longer_duration_lengthens_the_wait)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"leaseDurationSeconds\":40}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(40), S(40) + SOON);
}

Test(acquire, rule_4_a_duration_of_a_day_is_told_once)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    EXPECT_INT(strstr(a->said, "the lease states") == NULL, true);
    sim_edit(s, "{\"holderIdentity\":\"y\",\"leaseDurationSeconds\":86400}");
    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"z\"}");
    sim_run(s, S(60));
    EXPECT_INT(a->begun, 0);
    const char *told = strstr(a->said, "W the lease states 86400 s for 'y'");

    cr_assert_not_null(told, "%s", a->said);
    EXPECT_INT(strstr(told + 10, "the lease states") == NULL, true);
}

Test(acquire, rule_6_a_lease_deleted_under_the_watch_is_waited_out_and_then_led_at_once)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_delete_lease(s);
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(10), S(10) + SOON);
    EXPECT_STR(sim_lease(s), "a/15/5");
    EXPECT_STR(sim_annotation(s, LEASE_ANNOTATION_HOLDING), "");
}

Test(acquire, rule_6_a_released_lease_that_is_deleted_is_created_and_led_at_once)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    b->fixed_random = MS(10); /* it would stand 10 ms after the release */
    sim_release(a, true, true);
    sim_run(s, MS(4));
    sim_delete_lease(s);
    EXPECT_WITHIN(sim_until_leading(b, S(60)), 0, SOON);
}

Test(acquire, rule_6_a_create_that_arrives_after_another_came_and_went_is_held_first)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_delete_lease(s);
    sim_run(s, S(9));
    a->net.request_delay = S(3); /* its create is under way from 10 s to 13 s after the deletion */
    sim_run(s, S(2));
    sim_create_lease(s, HELD, NULL);
    sim_run(s, MS(500));
    sim_delete_lease(s); /* whoever that was may not know yet */
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(14), S(20));
}

Test(acquire, rule_6_a_create_is_led_by_the_order_of_the_watch_and_not_by_its_answer)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_delete_lease(s);
    sim_run(s, S(9));
    a->net.freeze_watch = true;
    sim_run(s, S(2));
    EXPECT_STR(sim_lease(s), "a/15/5");
    EXPECT_INT(a->begun, 0); /* the answer is in, the watch has not told of it */
    a->net.freeze_watch = false;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, S(2));
}

Test(acquire, rule_6_a_lease_found_deleted_without_a_watch_is_created_and_held_first)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    a->net.watch_status = 403;
    sim_cut_watch(a, 403, 0);
    sim_delete_lease(s);
    sim_run(s, S(4));
    EXPECT_STR(sim_lease(s), "a/15/5");
    EXPECT_INT(a->begun, 0);
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(11), S(15) + SOON);
}

Test(acquire, rule_6_holding_lasts_at_least_as_long_as_the_longest_lease_seen)
{
    sim_create_lease(s,
                     "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":60,"
                     "\"renewTime\":\"2026-01-01T00:00:00.000000Z\"}",
                     NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    a->net.watch_status = 403;
    sim_cut_watch(a, 403, 0);
    sim_delete_lease(s);
    EXPECT_WITHIN(sim_until_leading(a, S(90)), S(59), S(59) + S(1));
}

/* --- an empty holder --- */

Test(acquire, l6_rule_5_a_stranger_that_lets_go_is_believed)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    EXPECT_WITHIN(sim_until_leading(a, S(30)), 0, SOON);
}

Test(acquire, rule_5_an_empty_lease_made_anew_does_not_cut_the_wait_for_a_holder_that_was_seen)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_host_t *b = sim_start(s, "b");
    sim_run(s, S(1));
    a->net.cut = true; /* it hears of nothing and leads on */
    sim_delete_lease(s);
    sim_run(s, MS(100));
    sim_create_lease(s, "{}", NULL);
    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(13), S(15));
    EXPECT_INT(s->overlap, 0);
}

Test(acquire, rule_5_nor_the_wait_for_one_whose_record_was_emptied)
{
    sim_create_lease(s, EMPTIED, "{\"leasehold.dev/seq\":\"" SEQ_OF_X "\"}");
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_delete_lease(s);
    sim_create_lease(s, "{}", NULL);
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(13), S(15));
}

Test(acquire, rule_5_the_holder_itself_takes_a_lease_made_anew_at_once)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_delete_lease(s);
    sim_run(s, S(1));
    sim_create_lease(s, "{}", NULL);
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, SOON);
    EXPECT_INT(a->term, 2);
}

Test(acquire, rule_5_a_stranger_that_lets_go_does_not_speak_for_the_holder_before)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_host_t *b = sim_start(s, "b");
    sim_run(s, S(1));
    a->net.cut = true; /* it hears of nothing and leads on */
    sim_edit(s, "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":1}");
    sim_run(s, MS(100));
    sim_edit(s, "{\"holderIdentity\":\"\"}");
    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(13), S(15));
    EXPECT_INT(s->overlap, 0);
}

Test(acquire, rule_5_a_record_of_leasehold_emptied_by_another_is_not_believed)
{
    sim_create_lease(s, HELD, "{\"leasehold.dev/seq\":\"" SEQ_OF_X "\"}");
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_5_the_mark_of_an_older_release_is_not_believed)
{
    sim_create_lease(s, HELD,
                     "{\"leasehold.dev/seq\":\"" SEQ_OF_X "\",\"leasehold.dev/released\":"
                     "\"8/0123456789abcdef0123456789abcdef/x\"}");
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_5_a_fresh_process_does_not_believe_an_emptied_record_of_leasehold)
{
    sim_create_lease(s, EMPTIED, "{\"leasehold.dev/seq\":\"" SEQ_OF_X "\"}");
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_5_a_record_of_leasehold_was_held_even_if_somebody_took_its_times_away)
{
    sim_create_lease(s, "{}", "{\"leasehold.dev/seq\":\"" SEQ_OF_X "\"}");
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_5_a_marked_release_is_believed_by_a_fresh_process)
{
    sim_create_lease(s, EMPTIED,
                     "{\"leasehold.dev/seq\":\"" SEQ_OF_X
                     "\",\"leasehold.dev/released\":\"" SEQ_OF_X "\"}");
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, SOON);
}

Test(acquire, rule_5_a_mark_kept_by_a_stranger_that_holds_the_lease_says_nothing)
{
    sim_create_lease(s, HELD,
                     "{\"leasehold.dev/seq\":\"" SEQ_OF_X
                     "\",\"leasehold.dev/released\":\"" SEQ_OF_X "\"}");
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_5_a_stranger_whose_seq_changed_before_it_was_emptied_is_not_believed)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    a->net.watch_status = 403;
    sim_cut_watch(a, 403, 0);
    sim_run(s, S(5));
    /* between two looks a Leasehold takes over and is emptied */
    sim_edit(s, "{\"holderIdentity\":\"y\"}");
    sim_annotate(s, LEASE_ANNOTATION_SEQ, "1/0123456789abcdef0123456789abcdef/y");
    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(18));
}

/* --- terms --- */

Test(acquire, rule_7_the_term_is_above_every_number_ever_seen)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"leaseTransitions\":50}");
    sim_run(s, S(1));
    sim_edit(s, "{\"leaseTransitions\":2}");
    sim_until_leading(a, S(60));
    EXPECT_INT(a->term, 51);
    EXPECT_STR(sim_lease(s), "a/15/51");
}

Test(acquire, rule_7_a_lease_that_has_used_up_its_terms_is_deleted_and_created_anew)
{
    sim_create_lease(s, "{\"leaseTransitions\":2147483647}", NULL);
    sim_host_t *a = sim_start(s, "a");
    int64_t took = sim_until_leading(a, S(60));

    EXPECT_HAS(sim_ops(a), "GET 200, DELETE 200");
    EXPECT_WITHIN(took, 0, S(15) + S(1));
    EXPECT_STR(sim_lease(s), "a/15/0");
}

/* --- names --- */

Test(acquire, rule_1_a_lease_that_names_us_without_our_instance_is_somebody_elses)
{
    sim_create_lease(s, "{\"holderIdentity\":\"a\",\"leaseDurationSeconds\":15}", NULL);
    sim_host_t *a = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_1_another_live_process_of_our_name_is_told)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *first = sim_start(s, "a");

    sim_run(s, S(5));
    sim_host_t *second = sim_start(s, "a");
    lease_status_t status;

    sim_run(s, S(20));
    EXPECT_INT(first->begun, 1);
    EXPECT_INT(second->begun, 0);
    EXPECT_INT(second->duplicates, 1);
    EXPECT_HAS(second->said, "E another live process uses the name 'a'");
    lease_elector_status(second->elector, &status);
    EXPECT_INT(status.duplicate, true);
}

Test(acquire, rule_1_a_dead_process_of_our_name_is_no_duplicate)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *first = sim_start(s, "a");

    sim_run(s, S(5));
    sim_kill(first);
    sim_host_t *second = sim_start(s, "a");

    EXPECT_WITHIN(sim_until_leading(second, S(60)), S(15), S(15) + SOON);
    EXPECT_INT(second->duplicates, 0);
}

Test(acquire, rule_17_a_process_that_continues_a_dead_one_resumes_at_once_as_a_new_term)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *first = sim_start(s, "a");

    sim_run(s, S(5));
    sim_kill(first);
    sim_host_t *second = sim_restart(s, "a", first->instance);

    EXPECT_WITHIN(sim_until_leading(second, S(60)), 0, SOON);
    EXPECT_INT(second->term, first->term + 1);
    EXPECT_STR(second->transitions, "resumed ");
}

Test(acquire, rule_17_the_lease_of_another_instance_is_not_resumed)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *first = sim_start(s, "a");

    sim_run(s, S(5));
    sim_kill(first);
    sim_host_t *second = sim_restart(s, "a", "ffffffffffffffffffffffffffffffff");

    EXPECT_WITHIN(sim_until_leading(second, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_17_a_process_that_had_not_led_yet_is_not_continued_at_once)
{
    sim_host_t *first = sim_start(s, "a");

    sim_run(s, S(5));
    sim_kill(first);
    sim_host_t *second = sim_restart(s, "a", first->instance);

    EXPECT_WITHIN(sim_until_leading(second, S(60)), S(15), S(15) + SOON);
}

Test(acquire, rule_14_a_standby_whose_main_loop_is_stuck_does_not_stand)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    a->wedged_at = clock_now();
    sim_run(s, S(30));
    EXPECT_INT(a->writes, 0);
    EXPECT_HAS(a->said, "main loop has not turned");
    a->wedged_at = CLOCK_NEVER;
    EXPECT_WITHIN(sim_until_leading(a, S(10)), 0, S(2));
}

Test(acquire, rule_13_a_lagging_answer_does_not_bring_back_an_older_record)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(12));
    /* silent for long enough that it asks; the answer is on its way while the holder renews */
    a->net.reply_delay = MS(1500);
    sim_run(s, S(2));
    EXPECT_INT(a->reads, 6);
    sim_edit(s, "{\"renewTime\":\"2026-01-01T00:00:20.000000Z\"}");
    a->net.reply_delay = 0;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
}

/* Somebody puts his name on the record of a leader, which has not been told yet. */
static sim_host_t *rob_a_leader(const char *spec)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    a->net.cut = true; /* it hears of nothing and leads on */
    sim_edit(s, spec);
    return a;
}

Test(acquire, rule_5_a_stranger_that_lets_go_does_not_speak_for_a_leader_never_seen)
{
    rob_a_leader("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15}");
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\"}");
    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(13), S(15));
    EXPECT_INT(s->overlap, 0);
}

Test(acquire, rule_4_the_duration_of_a_stranger_does_not_speak_for_a_leader_never_seen)
{
    rob_a_leader("{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":1}");
    sim_host_t *b = sim_start(s, "b");

    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(15), S(15) + SOON);
    EXPECT_INT(s->overlap, 0);
}

Test(acquire, rule_4_a_leader_is_waited_for_although_somebody_cut_its_duration_before_it_was_seen)
{
    rob_a_leader("{\"leaseDurationSeconds\":1}");
    sim_host_t *b = sim_start(s, "b");

    EXPECT_WITHIN(sim_until_leading(b, S(60)), S(15), S(15) + SOON);
    EXPECT_INT(s->overlap, 0);
}

Test(acquire, rule_5_a_stranger_that_is_back_does_not_speak_for_an_emptied_leader)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    a->net.watch_status = 403;
    sim_cut_watch(a, 403, 0);
    sim_run(s, S(5));
    /* between two looks a Leasehold takes over and is emptied */
    sim_edit(s, "{\"holderIdentity\":\"y\"}");
    sim_annotate(s, LEASE_ANNOTATION_SEQ, "1/0123456789abcdef0123456789abcdef/y");
    sim_edit(s, "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}");
    sim_run(s, S(3));
    sim_edit(s, "{\"holderIdentity\":\"x\"}");
    sim_run(s, S(3));
    sim_edit(s, "{\"holderIdentity\":\"\"}");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(9), S(12));
}

Test(acquire, rule_5_a_stranger_that_took_a_released_lease_is_believed_by_a_fresh_process)
{
    sim_create_lease(s, HELD,
                     "{\"leasehold.dev/seq\":\"9/0123456789abcdef0123456789abcdef/y\","
                     "\"leasehold.dev/released\":\"9/0123456789abcdef0123456789abcdef/y\"}");
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\"}");
    EXPECT_WITHIN(sim_until_leading(a, S(30)), 0, SOON);
}
