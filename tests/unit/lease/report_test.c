/* SPDX-License-Identifier: Apache-2.0 */
/* What people see of an elector that waits. */
#include "lease/report.h"

#include "base/clock.h"
#include "support/expect.h"
#include "support/fake_clock.h"

#define S(n) ((n) *CLOCK_S)

static health_t *health;
static metrics_t *metrics;
static lease_report_t *report;

static void setup(void)
{
    fake_clock_set(S(1000));
    health = health_create();
    metrics = metrics_create();
    report = lease_report_create(&(lease_report_options_t){.namespace = "ns",
                                                           .name = "x",
                                                           .identity = "a",
                                                           .retry_period = S(2),
                                                           .metrics = metrics,
                                                           .health = health});
}

static void teardown(void)
{
    lease_report_destroy(report);
    metrics_destroy(metrics);
    health_destroy(health);
}

TestSuite(report, .init = setup, .fini = teardown);

static lease_status_t seen(enum lease_state state)
{
    return (lease_status_t){.state = state,
                            .observed = true,
                            .uid = "u",
                            .holder = "b",
                            .since = "",
                            .trouble = "",
                            .term = 5,
                            .duration = S(86400),
                            .seen_at = S(940),
                            .wait_until = S(940) + S(86400)};
}

static void expect_leader(const char *part)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    health_document(health, "/leader", &out);
    EXPECT_HAS(buf_text(&out), part);
}

static double wait_metric(void)
{
    return metrics_read(metrics, "leasehold_lease_wait_seconds", (const char *const[]){"x"});
}

Test(report, a_candidate_that_waits_out_a_day_says_so)
{
    const lease_status_t status = seen(LEASE_STANDBY);

    lease_report_update(report, &status, clock_now());
    expect_leader("\"term\":5,\"leaseAge\":60.000,\"leaseDuration\":86400.000,\"secondsToWait\":"
                  "86340.000,\"secondsToDeadline\":null}");
    EXPECT_INT(wait_metric(), 86340);
    fake_clock_advance(S(86400));
    lease_report_update(report, &status, clock_now());
    expect_leader("\"secondsToWait\":0.000,");
    EXPECT_INT(wait_metric(), 0);
}

Test(report, a_leader_waits_for_nothing)
{
    lease_status_t status = seen(LEASE_LEADING);

    status.deadline = S(1008);
    status.wait_until = 0;
    lease_report_update(report, &status, clock_now());
    expect_leader("\"secondsToWait\":null,\"secondsToDeadline\":8.000}");
    EXPECT_INT(wait_metric(), 0);
}

Test(report, before_the_first_sight_nobody_knows_how_long_to_wait)
{
    expect_leader("\"term\":null,\"leaseAge\":null,\"leaseDuration\":null,\"secondsToWait\":null,");
    EXPECT_INT(wait_metric(), 0);
}
