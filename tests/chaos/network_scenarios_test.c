/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on the way to the API server, and to it: S3, S5, S7, S11, S12. */
#include "chaos/scenario.h"

static const proxy_fault_t nothing;

/* -- S3, S5 -- */

static void renewals_without_an_answer(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s3"});
    const int old = contest_leader(&c);

    proxy_set(c.side[old].proxy, &(proxy_fault_t){.lost = {[PROXY_DOWN] = true}});
    EXPECT_TRUE(contest_writes(&c, old, LIMIT));
    proxy_set(c.side[old].proxy, &nothing);
    wait_ms(&c, LD / 2);
    EXPECT_INT(scenario_close(&c).transitions, 1);
}

static void a_late_reply_and_then_a_partition(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s5"});
    const int old = contest_leader(&c);

    proxy_set(c.side[old].proxy, &(proxy_fault_t){.delay_ms = {[PROXY_DOWN] = RD - RP}});
    wait_ms(&c, RD);
    proxy_set(c.side[old].proxy, &(proxy_fault_t){.held = {true, true}});
    EXPECT_TRUE(contest_writes(&c, old, LIMIT));
    proxy_set(c.side[old].proxy, &nothing);
    wait_ms(&c, LD / 2);
    scenario_close(&c);
}

/* -- S7: of a release see elector_release_test.c -- */

static void a_renewal_whose_reply_is_lost(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s7-renew", .durations = SLOW});
    const uint64_t then = newest(&c);

    for (int i = 0; i < 2; i++) {
        proxy_set(leader(&c)->proxy, &(proxy_fault_t){.lost = {[PROXY_DOWN] = true}});
        wait_ms(&c, SLOW_RP * 5 / 4); /* one of them at least */
        proxy_set(leader(&c)->proxy, &nothing);
        wait_ms(&c, SLOW_LD); /* for a new connection on a busy machine */
    }
    keeps_its_term(&c, then);
    scenario_close(&c);
}

static void a_takeover_whose_reply_is_lost(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s7-take"});
    const int old = contest_leader(&c);
    const uint64_t then = newest(&c);

    side_kill(&c.side[old]);
    wait_ms(&c, LD / 2);
    proxy_set(c.side[1 - old].proxy, &(proxy_fault_t){.lost = {[PROXY_DOWN] = true}});
    wait_ms(&c, LD);
    proxy_set(c.side[1 - old].proxy, &nothing);
    EXPECT_TRUE(contest_writes(&c, old, LIMIT));
    EXPECT_TRUE(acquired_since(&c, then) <=
                2); /* its reply may be older than the deadline by then */
    scenario_close(&c);
}

static void a_creation_whose_reply_is_lost(void *arg)
{
    world_t *w = arg;

    server_rule(w->server, w->e.api, "\"verb\":\"create\",\"dropReply\":true,\"count\":1", false);
    contest_t c = scenario_open(w, &(contest_options_t){.name = "s7-create", .no_lease = true});
    EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    server_rule(w->server, w->e.api, "", false);
    scenario_close(&c);
}

/* -- S11: on the embedded API server -- */

static void storms(void *arg)
{
    static const char *const answers[] = {"\"status\":429,\"retryAfter\":1",
                                          "\"status\":500",
                                          "\"status\":503",
                                          "\"status\":401",
                                          "\"status\":403",
                                          "\"status\":409",
                                          "\"status\":422"};
    world_t *w = arg;
    contest_t c = scenario_open(w, &(contest_options_t){.name = "s11", .durations = SLOW});
    const uint64_t then = newest(&c);

    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        server_rule(w->server, w->e.api, answers[i], i % 2 == 1);
        wait_ms(&c, 2 * SLOW_RP);
        server_rule(w->server, w->e.api, "", false);
        wait_ms(&c, 2 * SLOW_RP);
        if (i == 0)
            wait_ms(&c, 1000); /* that it was told to wait */
    }
    keeps_its_term(&c, then);
    server_rule(w->server, w->e.api, "\"status\":503", true);
    wait_ms(&c, SLOW_LD + SLOW_RP);
    server_rule(w->server, w->e.api, "", false);
    EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    scenario_close(&c);
}

/* -- S12 -- */

static void flows_dropped_silently(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s12-flows", .durations = SLOW});
    const uint64_t then = newest(&c);
    const proxy_fault_t dropped = {.lost = {true, true}, .open_flows = true, .silent = true};

    for (int i = 0; i < c.sides; i++)
        proxy_set(c.side[i].proxy, &dropped);
    wait_ms(&c, 2 * SLOW_LD);
    for (int i = 0; i < c.sides; i++)
        proxy_set(c.side[i].proxy, &nothing);
    keeps_its_term(&c, then);
    scenario_close(&c);
}

static void the_server_is_gone_for_longer_than_the_lease(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s12-gone"});

    e2e_script("restart", "kill");
    const int64_t until = contest_now() + 2 * LD * MS;
    while (contest_now() < until)
        usleep(10000);
    e2e_script("restart", "start");
    EXPECT_TRUE(contest_writes(&c, -1, 4 * LIMIT));
    for (int i = 0; i < c.sides; i++) {
        EXPECT_TRUE(replica_running(c.side[i].replica));
        EXPECT_INT(replica_log_count(c.side[i].replica, "identity '"), 1); /* the same process */
    }
    scenario_close(&c);
}

int main(int argc, char **argv)
{
    static const scenario_t all[] = {
        {{"S3: renewals are not answered", renewals_without_an_answer}, ON_BOTH},
        {{"S5: a reply is late, then a partition", a_late_reply_and_then_a_partition}, ON_BOTH},
        {{"S7: the reply to a renewal is lost", a_renewal_whose_reply_is_lost}, ON_BOTH},
        {{"S7: the reply to a takeover is lost", a_takeover_whose_reply_is_lost}, ON_BOTH},
        {{"S7: the reply to a creation is lost", a_creation_whose_reply_is_lost}, ON_DEVAPI},
        {{"S12: a load balancer drops the flows silently", flows_dropped_silently}, ON_BOTH},
        {{"S11: storms of errors", storms}, ON_DEVAPI},
        {{"S12: the API server is gone for longer than the lease",
          the_server_is_gone_for_longer_than_the_lease},
         ON_CLUSTER},
    };

    return scenario_main(argc, argv, all, sizeof(all) / sizeof(*all));
}
