/* SPDX-License-Identifier: Apache-2.0 */
#include "loading.h"

TestSuite(rules, .init = loading_enter, .fini = loading_leave);

Test(rules, rule_16_lease_duration_is_whole_seconds)
{
    loading_refused("leaderElection:\n  leaseDuration: 15.5s\n", NULL, NULL,
                    "leaderElection.leaseDuration must be a whole number of seconds: it is "
                    "15s500ms (leasehold.yaml:2)");
}

Test(rules, rule_16_lease_duration_covers_deadline_and_stop)
{
    static const char *const flags[] = {"stopBudget=4.5s", NULL};

    loading_refused("leaderElection: {leaseDuration: 10s}\n", NULL, NULL,
                    "leaderElection: leaseDuration * (1 - 2 * clockSkew) must be at least "
                    "renewDeadline + stopBudget: 10s (leasehold.yaml:1) * (1 - 2 * 0.02) is less "
                    "than 10s (default) + 200ms (default)");
    loading_refused("", NULL, flags,
                    "leaderElection: leaseDuration * (1 - 2 * clockSkew) must be at least "
                    "renewDeadline + stopBudget: 15s (default) * (1 - 2 * 0.02) is less than 10s "
                    "(default) + 4s500ms (--set)");
}

Test(rules, rule_16_the_limit_itself_is_fine)
{
    /* 10 s * (1 - 2 * 0.05) = 9 s = 8.8 s + 200 ms; 8.8 s = 2 * 4.4 s */
    config_destroy(loading_ok("leaderElection: {leaseDuration: 10s, renewDeadline: 8.8s, "
                              "retryPeriod: 4.4s, clockSkew: 0.05}\n",
                              NULL, NULL));
    config_destroy(loading_ok("leaderElection: {leaseDuration: 1s, renewDeadline: 200ms, "
                              "retryPeriod: 100ms}\nstopBudget: 50ms\n",
                              NULL, NULL));
}

Test(rules, rule_16_deadline_covers_two_retries)
{
    static const char *const env[] = {LOADING_ENV, "LEASEHOLD_LEADER_ELECTION_RETRY_PERIOD=5001ms",
                                      NULL};

    loading_refused(NULL, env, NULL,
                    "leaderElection: renewDeadline must be at least 2 * retryPeriod: 10s (default) "
                    "is less than 2 * 5s1ms (environment LEASEHOLD_LEADER_ELECTION_RETRY_PERIOD)");
}

Test(rules, rule_16_hold_with_election_off_too)
{
    loading_refused("leaderElection: {enabled: false, retryPeriod: 6s}\n", NULL, NULL,
                    "leaderElection: renewDeadline must be at least 2 * retryPeriod: 10s (default) "
                    "is less than 2 * 6s (leasehold.yaml:1)");
}

Test(rules, server_side_fencing_needs_a_lease_and_a_name_that_fits_a_header)
{
    loading_refused("fencing: server\nleaderElection: {enabled: false}\n", NULL, NULL,
                    "fencing: server (leasehold.yaml:1) needs leaderElection.enabled, which is "
                    "false (leasehold.yaml:2)");
    loading_refused("fencing: server\nname: \"caf\u00e9\"\n", NULL, NULL,
                    "fencing: server (leasehold.yaml:1) needs a name of printable ASCII that does "
                    "not begin or end with a space (leasehold.yaml:2)");
    config_destroy(loading_ok("fencing: server\nname: a b\n", NULL, NULL));
}
