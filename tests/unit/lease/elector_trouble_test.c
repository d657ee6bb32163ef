/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates whose requests fail, are refused or lose their replies. rule_*: those of docs/election.md. */
#include "sim.h"

/* Held by a stranger, renewed in 2001 by its own clock. */
#define HELD                                                                                       \
    "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15,\"leaseTransitions\":4,"                \
    "\"renewTime\":\"2001-01-01T00:00:00.000000Z\"}"

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

TestSuite(trouble, .init = setup, .fini = teardown);

Test(trouble, an_unreachable_server_is_asked_every_retry_period_until_it_answers)
{
    sim_create_lease(s, "{}", NULL);
    s->unreachable = true;
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(21));
    cr_expect(a->reads >= 8 && a->reads <= 11, "%zu GETs in 21 s", a->reads);
    a->net.refuse = false;
    EXPECT_WITHIN(sim_until_leading(a, S(10)), 0, S(3));
    EXPECT_HAS(a->said, "answers for the lease again");
}

/* A service account without rights on the Lease once looked like a server out of reach. */
Test(trouble, why_the_lease_cannot_be_read_is_shown_until_it_can)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");
    lease_status_t status;

    a->net.fail_status = 403;
    sim_run(s, S(5));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.observed, false);
    EXPECT_HAS(status.trouble, "get lease: ");
    a->net.fail_status = 0;
    sim_run(s, S(5));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.observed, true);
    EXPECT_STR(status.trouble, "");
}

/* Every try once logged the refusal, and the GET before it that the server answers again. */
Test(trouble, a_refused_write_is_told_once_however_often_the_lease_is_read)
{
    sim_host_t *a = sim_start(s, "a");
    lease_status_t status;

    a->net.fail_status = 403;
    a->net.fail_verb = LEASE_CREATE;
    sim_run(s, S(30));
    cr_expect(a->reads > 5, "%zu GETs", a->reads);
    EXPECT_HAS(a->said, "W create lease: ");
    cr_assert_null(strstr(strstr(a->said, "W create lease: ") + 1, "W create lease: "), "%s",
                   a->said);
    cr_assert_null(strstr(a->said, "answers for the lease again"), "%s", a->said);
    lease_elector_status(a->elector, &status);
    EXPECT_HAS(status.trouble, "create lease: ");
    a->net.fail_status = 0;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, S(30));
    EXPECT_HAS(a->said, "answers for the lease again");
    lease_elector_status(a->elector, &status);
    EXPECT_STR(status.trouble, "");
}

/* A standby that hears the leader renew once showed the failure of its own last try for ever. */
Test(trouble, another_state_of_the_lease_ends_what_was_told_of_a_write)
{
    static const int answers[] = {403, 500};

    for (size_t i = 0; i < HOST_LEN(answers); i++) {
        sim_host_t *a = sim_start(s, i == 0 ? "a" : "b");
        lease_status_t status;

        a->net.fail_status = answers[i];
        a->net.fail_verb = i == 0 ? LEASE_CREATE : LEASE_UPDATE;
        sim_run(s, i == 0 ? S(5) : S(40));
        lease_elector_status(a->elector, &status);
        EXPECT_HAS(status.trouble, i == 0 ? "create lease: " : "update lease: ");
        if (i == 0)
            sim_create_lease(s, HELD, NULL);
        else
            sim_edit(s, "{\"holderIdentity\":\"y\"}");
        sim_run(s, S(5));
        lease_elector_status(a->elector, &status);
        EXPECT_STR(status.trouble, "");
        sim_kill(a);
    }
}

Test(trouble, a_404_that_does_not_name_the_lease_proves_nothing)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    a->net.fail_status = 404; /* a proxy's page */
    sim_run(s, S(5));
    EXPECT_INT(a->writes, 0);
    a->net.fail_missing = "another"; /* a Status about something else */
    sim_run(s, S(5));
    EXPECT_INT(a->writes, 0);
    EXPECT_STR(a->observed, "");
    EXPECT_INT(a->observations, 0);
}

Test(trouble, retry_after_is_honoured_by_a_candidate)
{
    sim_host_t *a = sim_start(s, "a");

    a->net.fail_status = 429;
    a->net.fail_retry_after = S(30);
    sim_run(s, S(25));
    EXPECT_INT(a->reads, 1);
}

Test(trouble, rule_8_a_takeover_whose_reply_is_lost_is_found_by_the_watch)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    a->net.lose_write_replies = true;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(15), S(15) + SOON);
    EXPECT_INT(a->term, 5);
    EXPECT_INT(atomic_load(&a->fence->deadline_ns), a->begun_at - 2 * SIM_LATENCY + S(10));
    a->net.lose_write_replies = false;
    sim_run(s, S(60));
    EXPECT_INT(a->begun, 1);
    EXPECT_STR(sim_lease(s), "a/15/5");
}

Test(trouble, rule_8_a_takeover_whose_reply_is_lost_is_found_without_a_watch_too)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(14));
    a->net.freeze_watch = true;
    a->net.lose_write_replies = true;
    sim_run(s, S(2));
    a->net.lose_write_replies = false;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, S(3));
    EXPECT_INT(a->term, 5);
    /* the deadline counts from the first write: the second was refused */
    EXPECT_INT(atomic_load(&a->fence->deadline_ns) < a->begun_at + S(9), true);
}

Test(trouble, rule_8_a_create_whose_reply_is_lost_is_found_by_asking)
{
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, MS(1));
    a->net.lose_write_replies = true;
    sim_run(s, S(2));
    a->net.lose_write_replies = false;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(13), S(16));
    EXPECT_STR(sim_lease(s), "a/15/0");
}

Test(trouble, rule_8_a_takeover_that_landed_too_long_ago_is_renewed_before_it_is_led)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(14));
    a->net.lose_replies = true;
    a->net.freeze_watch = true;
    sim_run(s, S(13)); /* it lands at 15 s and is not heard of before 27 s */
    a->net.lose_replies = false;
    EXPECT_STR(sim_lease(s), "a/15/5");
    EXPECT_WITHIN(sim_until_leading(a, S(60)), 0, S(3));
    EXPECT_STR(sim_lease(s), "a/15/5");
    cr_expect(atomic_load(&a->fence->deadline_ns) >= a->begun_at + S(9), "begun with %.3f s",
              (double) (atomic_load(&a->fence->deadline_ns) - a->begun_at) / CLOCK_S);
}

Test(trouble, rule_9_an_unanswered_try_is_repeated_on_a_fresh_connection)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(14));
    a->net.old_connections_dead = true;
    EXPECT_WITHIN(sim_until_leading(a, S(60)), S(3), S(3) + SOON);
    EXPECT_INT(a->fresh, 1);
}
