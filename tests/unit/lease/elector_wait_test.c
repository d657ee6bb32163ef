/* SPDX-License-Identifier: Apache-2.0 */
/* What the status says of how long a candidate waits. rule_*: those of docs/election.md. */
#include "sim.h"

#define HELD                                                                                       \
    "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15,"                                       \
    "\"renewTime\":\"2001-01-01T00:00:00.000000Z\"}"
#define SOON MS(30) /* two round trips, and jitter */

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

TestSuite(wait, .init = setup, .fini = teardown);

/* The log alone said so, once: /leader, status and metrics did not. */
Test(wait, rule_4_the_status_tells_the_wait_also_when_a_long_duration_was_mended)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");
    lease_status_t status;

    sim_run(s, S(1));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.duration, S(15));
    EXPECT_WITHIN(status.wait_until - clock_now(), S(14), S(15));
    sim_edit(s, "{\"holderIdentity\":\"y\",\"leaseDurationSeconds\":86400}");
    sim_run(s, S(60));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.duration, S(86400));
    EXPECT_WITHIN(status.wait_until - clock_now(), S(86340), S(86340) + SOON);
    sim_edit(s, "{\"leaseDurationSeconds\":15}");
    sim_run(s, S(60));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.duration, S(15));
    EXPECT_WITHIN(status.wait_until - clock_now(), S(86280), S(86280) + SOON);
    EXPECT_INT(a->begun, 0);
}

Test(wait, rule_6_the_status_tells_the_wait_for_a_deleted_lease_that_ran_for_long)
{
    sim_create_lease(s, "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":3600}", NULL);
    sim_host_t *a = sim_start(s, "a");
    lease_status_t status;

    sim_run(s, S(1));
    a->net.watch_status = 403;
    sim_cut_watch(a, 403, 0);
    a->net.fail_status = 403;
    a->net.fail_verb = LEASE_CREATE;
    sim_delete_lease(s);
    sim_run(s, S(5));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.state, LEASE_STANDBY); /* it would hold it from now on */
    EXPECT_WITHIN(status.wait_until - clock_now(), S(3594), S(3594) + SOON);
    a->net.fail_status = 0;
    sim_run(s, S(5));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.state, LEASE_HOLDING);
    EXPECT_WITHIN(status.wait_until - clock_now(), S(3589), S(3589) + SOON);
}

Test(wait, a_leader_and_a_candidate_for_a_free_lease_wait_for_nothing)
{
    sim_create_lease(s, HELD, NULL);
    sim_host_t *a = sim_start(s, "a");
    lease_status_t status;

    a->net.fail_status = 403;
    a->net.fail_verb = LEASE_UPDATE;
    sim_run(s, S(1));
    sim_edit(s, "{\"holderIdentity\":\"\"}"); /* a stranger lets go, and is believed */
    sim_run(s, S(5));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.state, LEASE_STANDBY);
    EXPECT_INT(status.observed, true);
    EXPECT_INT(HOST_MAX(status.wait_until - clock_now(), 0), 0);
    a->net.fail_status = 0;
    sim_run(s, S(10));
    lease_elector_status(a->elector, &status);
    EXPECT_INT(status.state, LEASE_LEADING);
    EXPECT_INT(status.wait_until, 0);
    EXPECT_INT(status.duration, S(15));
}
