/* SPDX-License-Identifier: Apache-2.0 */
/* How a leader keeps the Lease. */
#include "lease/state.h"
#include "sim.h"

#include <stdio.h>

static sim_t *s;
static sim_host_t *a; /* the leader, since 100 ms */

static void setup(void)
{
    s = sim_create();
    sim_create_lease(s, "{}", NULL);
    a = sim_start(s, "a");
    sim_run(s, MS(100));
    cr_assert(sim_leads(a));
    sim_ops(a);
    a->watches = 0;
}

static void teardown(void)
{
    EXPECT_INT(s->overlap, 0);
    sim_destroy(s);
}

TestSuite(renew, .init = setup, .fini = teardown);

static int64_t deadline(void)
{
    return atomic_load(&a->fence->deadline_ns);
}

Test(renew, l8_l18_a_renewal_is_one_put_every_retry_period_without_a_get)
{
    sim_run(s, S(8));
    EXPECT_STR(sim_ops(a), "PUT 200, PUT 200, PUT 200, PUT 200");
    EXPECT_STR(sim_lease(s), "a/15/1");
    EXPECT_INT(a->watches, 0);
}

Test(renew, an_idle_minute_costs_the_leader_thirty_puts_and_the_standby_nothing)
{
    sim_host_t *b = sim_start(s, "b");

    sim_run(s, S(5));
    size_t writes = a->writes, reads = a->reads;

    b->reads = b->writes = b->watches = 0;
    sim_run(s, S(60));
    EXPECT_INT(a->writes - writes, 30);
    EXPECT_INT(a->reads - reads, 0);
    EXPECT_INT(b->reads, 0);
    EXPECT_INT(b->writes, 0);
    EXPECT_INT(b->watches, 0);
    EXPECT_INT(a->watches, 0);
}

Test(renew, the_deadline_counts_from_the_send_of_the_last_acknowledged_renewal)
{
    a->net.reply_delay = MS(700);
    int64_t before = deadline();

    sim_run(s, S(3));
    EXPECT_INT(deadline() - before, S(2));
}

Test(renew, rule_1_every_write_has_the_next_seq)
{
    host_cleanup(host_freep) char *first = host_xstrdup(sim_annotation(s, LEASE_ANNOTATION_SEQ));
    host_cleanup(host_freep) char *second = NULL;

    sim_run(s, S(2));
    second = host_xprintf("2/%s/a", a->instance);
    EXPECT_HAS(first, "1/");
    EXPECT_STR(sim_annotation(s, LEASE_ANNOTATION_SEQ), second);
}

Test(renew, k11_foreign_labels_and_annotations_survive)
{
    sim_label(s, "team", "x");
    sim_annotate(s, "note", "kept");
    sim_run(s, S(10));
    EXPECT_STR(sim_annotation(s, "note"), "kept");
    EXPECT_INT(a->ends, 0);
}

/* --- conflicts --- */

Test(renew, l19_rule_8_after_a_conflict_the_lease_is_read_and_renewed_at_once)
{
    a->net.freeze_watch = true; /* so that the watch does not tell first */
    sim_annotate(s, "note", "1");
    sim_run(s, S(2));
    EXPECT_STR(sim_ops(a), "PUT 409, GET 200, PUT 200");
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(a->slow_paths, 1);
}

Test(renew, rule_8_an_annotation_by_somebody_leaves_the_deadline)
{
    int64_t before = deadline();

    sim_annotate(s, "note", "1");
    sim_run(s, MS(500));
    EXPECT_INT(deadline(), before);
}

Test(renew, rule_13_an_annotation_seen_by_the_watch_costs_no_conflict)
{
    sim_annotate(s, "note", "1");
    sim_run(s, S(2));
    EXPECT_STR(sim_ops(a), "PUT 200");
}

Test(renew, s2_annotated_every_second_for_longer_than_the_lease_it_is_kept)
{
    for (int i = 0; i < 40; i++) {
        sim_annotate(s, "note", i % 2 != 0 ? "x" : "y");
        sim_run(s, S(1));
    }
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(sim_leads(a), true);
    cr_expect(a->writes <= 45, "%zu PUTs in 40 s", a->writes);
}

Test(renew, s2_annotated_a_hundred_times_a_second_it_is_kept_with_bounded_requests)
{
    for (int i = 0; i < 3000; i++) {
        sim_annotate(s, "note", i % 2 != 0 ? "x" : "y");
        sim_run(s, MS(10));
    }
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(sim_leads(a), true);
    cr_expect(a->writes + a->reads <= 240, "%zu requests in 30 s", a->writes + a->reads);
}

Test(renew, s2_a_duration_cut_to_a_second_is_put_right_within_a_retry_period)
{
    sim_edit(s, "{\"leaseDurationSeconds\":1}");
    sim_run(s, S(1));
    EXPECT_STR(sim_lease(s), "a/15/1");
    EXPECT_INT(a->ends, 0);
}

/* --- unknown outcomes --- */

Test(renew, rule_8_a_lost_reply_is_made_good_by_the_watch)
{
    int64_t before = deadline();

    a->net.lose_replies = true;
    sim_run(s, S(30));
    EXPECT_INT(a->ends, 0);
    cr_expect(deadline() >= before + S(28), "the deadline has moved by %.3f s",
              (double) (deadline() - before) / CLOCK_S);
}

Test(renew, rule_8_without_replies_and_watch_a_conflict_tells_which_write_landed)
{
    int64_t before = deadline();

    a->net.freeze_watch = true;
    a->net.lose_write_replies = true;
    sim_run(s, S(6)); /* the first landed, those after it met conflicts that were lost too */
    a->net.lose_write_replies = false;
    sim_run(s, S(2));
    EXPECT_INT(a->ends, 0);
    cr_expect(deadline() >= before + S(8), "the deadline has moved by %.3f s",
              (double) (deadline() - before) / CLOCK_S);
}

Test(renew, s5_a_reply_as_late_as_the_deadline_counts_from_its_send)
{
    int64_t before = deadline();

    a->net.freeze_watch = true;
    a->net.reply_delay = S(7);
    sim_run(s, S(2) + MS(200));
    a->net.cut = true; /* after one request */
    sim_run(s, S(7) + MS(500));
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(deadline() - before, S(2));
    sim_run(s, S(3));
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    EXPECT_WITHIN(a->fell_at - before, S(2), S(2) + MS(1));
}

Test(renew, rule_9_one_dead_flow_does_not_cost_the_lease)
{
    a->net.old_connections_dead = true;
    sim_run(s, S(60));
    EXPECT_INT(a->ends, 0);
    cr_expect(a->fresh >= 1);
}

Test(renew, rule_8_a_refused_connection_is_tried_again_every_retry_period)
{
    a->net.refuse = true;
    size_t before = a->writes;

    sim_run(s, S(7));
    cr_expect(a->writes - before == 3, "%zu tries in 7 s", a->writes - before);
    a->net.refuse = false;
    sim_run(s, S(2));
    EXPECT_INT(a->ends, 0);
    cr_expect(a->fresh == 3, "%zu on fresh connections", a->fresh);
}

Test(renew, s18_after_a_401_a_fresh_connection_shows_a_rotated_certificate)
{
    a->net.fail_status = 401;
    sim_run(s, S(3)); /* one renewal is refused */
    a->net.fail_status = 0;
    EXPECT_INT(a->fresh, 0);
    sim_run(s, S(2));
    EXPECT_INT(a->fresh, 1);
    EXPECT_INT(a->ends, 0);
}

Test(renew, s11_no_error_of_the_server_is_a_loss)
{
    static const int statuses[] = {400, 401, 403, 404, 408, 410, 422, 429, 500, 502, 503, 504};

    for (size_t i = 0; i < HOST_LEN(statuses); i++) {
        a->net.fail_status = statuses[i];
        sim_run(s, S(6));
        cr_expect(a->ends == 0, "%d ended the term: %s", statuses[i], a->end_reason);
        a->net.fail_status = 0;
        sim_run(s, S(4));
        cr_expect(sim_leads(a), "not leading after %d", statuses[i]);
    }
}

Test(renew, s11_retry_after_is_honoured_within_the_deadline)
{
    a->net.fail_status = 429;
    a->net.fail_retry_after = S(5);
    size_t before = a->writes;

    sim_run(s, S(6));
    EXPECT_INT(a->writes - before, 1);
    a->net.fail_retry_after = S(3600); /* then there would be none before the deadline */
    sim_run(s, S(1) + MS(500));
    a->net.fail_status = 0;
    sim_run(s, S(2));
    EXPECT_INT(a->ends, 0);
    EXPECT_INT(sim_leads(a), true);
}

Test(renew, s3_failing_renewals_close_the_fence_at_the_deadline)
{
    int64_t before = deadline();

    a->net.fail_status = 503;
    sim_run(s, S(20));
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    EXPECT_WITHIN(a->fell_at - before, 0, MS(1));
}

Test(renew, rule_13_an_answer_that_the_watch_has_overtaken_is_no_news)
{
    sim_run(s, MS(1800));
    a->net.reply_delay = MS(300);
    sim_run(s, MS(200)); /* a renewal has landed, and the watch has told of it */
    sim_annotate(s, "note", "1");
    sim_run(s, MS(400)); /* and now comes its answer, with an older version */
    a->net.reply_delay = 0;
    sim_run(s, S(2));
    EXPECT_STR(sim_ops(a), "PUT 200, PUT 200");
}

Test(renew, rule_14_no_renewal_while_the_main_loop_is_stuck)
{
    int64_t before = deadline();

    a->wedged_at = clock_now();
    sim_run(s, S(6));
    size_t writes = a->writes;

    sim_run(s, S(20));
    EXPECT_INT(a->writes - writes, 0);
    EXPECT_INT(a->end, LEASE_END_EXPIRED);
    cr_expect(a->fell_at <= before + S(6), "fell %.1f s after the last deadline",
              (double) (a->fell_at - before) / CLOCK_S);
}

Test(renew, rule_14_a_main_loop_that_turns_again_is_renewed_for_at_once)
{
    a->wedged_at = clock_now();
    sim_run(s, S(8));
    a->wedged_at = CLOCK_NEVER;
    sim_run(s, S(1));
    EXPECT_INT(a->ends, 0);
    cr_expect(deadline() > clock_now() + S(8));
}

Test(renew, other_times_than_the_defaults_keep_their_proportions)
{
    sim_host_t *b;

    sim_release(a, true, true);
    sim_run(s, MS(50));
    b = sim_start_with(s, "b", S(3), S(2), CLOCK_S / 2);
    cr_assert(sim_until_leading(b, S(1)) >= 0);
    b->writes = 0;
    sim_run(s, S(10));
    EXPECT_INT(b->writes, 20);
    EXPECT_STR(sim_lease(s), "b/3/2");
}

Test(renew, many_tries_in_a_short_period_stay_bounded)
{
    sim_release(a, true, true);
    sim_run(s, MS(50));
    sim_host_t *b = sim_start_with(s, "b", S(15), S(10), MS(100));

    cr_assert(sim_until_leading(b, S(1)) >= 0);
    b->writes = b->reads = 0;
    b->net.cut = true;
    sim_run(s, S(9));
    cr_expect(b->writes <= 91, "%zu PUTs in 9 s", b->writes);
    b->net.cut = false;
    sim_run(s, MS(500));
    EXPECT_INT(b->ends, 0);
    EXPECT_INT(sim_leads(b), true);
}
