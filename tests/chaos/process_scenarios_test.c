/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to processes and clocks: S1, S8, S9, S10, S13, S16. */
#include "chaos/scenario.h"

/* -- S1 -- */

static void a_frozen_leader_that_was_told_to_end(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s1"});
    const int old = contest_leader(&c);
    side_t *s = leader(&c);

    side_stop(s);
    replica_signal(s->replica, SIGTERM);
    EXPECT_TRUE(contest_writes(&c, old, LIMIT));
    const uint64_t then = newest(&c);
    side_resume(s);
    EXPECT_INT(replica_wait(s->replica, LIMIT), 0);
    wait_ms(&c, RP);
    EXPECT_INT(written_since(&c, s->name, then), 0);
    scenario_close(&c);
}

/* -- S8 -- */

static void stopped_and_resumed(void *arg)
{
    static const int lengths[] = {50, RD / 2, RD + 50, LD + LD / 4, 2 * LD};
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s8"});

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        side_t *s = leader(&c);
        side_stop(s);
        wait_ms(&c, lengths[i]);
        side_resume(s);
        EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    }
    EXPECT_INT(scenario_close(&c).at_seam, 0);
}

enum { STOPS = 3 };

static verdict_t stopped_at_the_seam(world_t *w, const contest_options_t *o)
{
    contest_t c = scenario_open(w, o);

    for (int i = 0; i < STOPS; i++) {
        side_t *s = leader(&c);
        const int old = contest_leader(&c);
        side_disturbed(s);
        atomic_store(&s->control->stop, 1);
        EXPECT_TRUE(contest_writes(&c, old, LIMIT));
        replica_signal(s->replica, SIGCONT);
        wait_ms(&c, RP);
    }
    const verdict_t v = scenario_close(&c);
    tap_note("%ld writes that had passed their check, in %d stops; %ld of them were committed",
             v.at_seam, STOPS, v.at_seam_committed);
    EXPECT_TRUE(v.at_seam <= STOPS);
    return v;
}

static void stopped_between_check_and_send(void *arg)
{
    stopped_at_the_seam(arg, &(contest_options_t){.name = "s8-seam"});
}

static void stopped_there_with_fencing_by_the_server(void *arg)
{
    const verdict_t v = stopped_at_the_seam(
        arg, &(contest_options_t){.name = "s8-fenced", .durations = SLOW, .fenced = true});
    EXPECT_TRUE(v.at_seam > 0);
    EXPECT_INT(v.at_seam_committed, 0);
}

/* -- S9, S10 -- */

static void two_processes_of_one_name(void *arg)
{
    contest_t c =
        scenario_open(arg, &(contest_options_t){.name = "s9", .durations = SLOW, .identity = "a"});
    const uint64_t then = newest(&c);

    wait_ms(&c, 2 * SLOW_LD);
    keeps_its_term(&c, then);
    scenario_close(&c);
}

static void one_of_five_standbys_takes_over(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s10", .sides = 6});
    const int old = contest_leader(&c);
    world_t *w = arg;

    wait_ms(&c, LD / 2);
    const uint64_t then = newest(&c);
    if (w->server != NULL)
        server_lease_requests(w->server, w->e.api);
    side_kill(&c.side[old]);
    const int64_t from = contest_now();
    EXPECT_TRUE(contest_writes(&c, old, LIMIT));
    const int took = (int) ((contest_now() - from) / MS);
    EXPECT_INT(acquired_since(&c, then), 1);
    if (w->server != NULL) {
        const long requests = server_lease_requests(w->server, w->e.api);
        tap_note("%ld requests to the Lease by 5 candidates in %d ms", requests, took);
        EXPECT_TRUE(requests <= 30);
    }
    tap_note("written again %d ms after the kill", took);
    EXPECT_TRUE(took < LD + 1000);
    scenario_close(&c);
}

/* -- S13 -- */

static void the_wall_clock_steps_by_years(void *arg)
{
    static const int64_t years_s = INT64_C(100000000);
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s13", .durations = SLOW});
    const uint64_t then = newest(&c);

    for (int i = 0; i < 2 * c.sides; i++) {
        const int64_t step = (i % 2 == 0 ? years_s : -2 * years_s) * 1000 * MS;
        atomic_fetch_add(&c.side[i % c.sides].control->wall_shift, step);
        wait_ms(&c, 1200);
    }
    edit(&c, "{\"spec\":{\"renewTime\":\"1991-01-01T00:00:00.000000Z\"}}");
    wait_ms(&c, 1200);
    edit(&c, "{\"spec\":{\"renewTime\":\"2091-01-01T00:00:00.000000Z\"}}");
    wait_ms(&c, 1200);
    keeps_its_term(&c, then);
    scenario_close(&c);
}

/* -- S16 -- */

static void rolling_restarts(void *arg)
{
    world_t *w = arg;
    const int times = w->server != NULL ? 10 : 100;
    contest_t c = scenario_open(
        w,
        &(contest_options_t){.name = "s16", .sides = 3, .durations = "15s/10s/2s", .every_ms = 40});
    for (int i = 0; i < times; i++) {
        const int old = contest_leader(&c);
        side_t *s = leader(&c);
        replica_signal(s->replica, SIGTERM);
        if (!EXPECT_TRUE(contest_writes(&c, old, LIMIT))) {
            scenario_tell_logs(&c);
            break;
        }
        EXPECT_INT(replica_wait(s->replica, LIMIT), 0);
        side_restart(s);
        REQUIRE_TRUE(replica_answers(s->replica, "/readyz", 200, LIMIT));
    }
    verdict_t v = scenario_close(&c);
    const double worst = quantile(v.gap_ms, (size_t) v.transitions, 1);
    tap_note("%d restarts at 15/10/2 s", times);
    tap_note("from a release to the next acquisition: %d, p50 %.1f ms, worst %.1f ms", v.handovers,
             quantile(v.handover_ms, (size_t) v.handovers, 0.5),
             quantile(v.handover_ms, (size_t) v.handovers, 1));
    tap_note("between two leaders' writes: p50 %.1f ms, worst %.1f ms",
             quantile(v.gap_ms, (size_t) v.transitions, 0.5), worst);
    EXPECT_TRUE(v.handovers >= times);
    EXPECT_TRUE(v.transitions >= times);
    EXPECT_TRUE(worst < 2500); /* a busy machine with a sanitizer; a free one has 100 ms */
    EXPECT_INT(v.committed_late, 0);
}

int main(int argc, char **argv)
{
    static const scenario_t all[] = {
        {{"S1: frozen past its lease, told to end, it neither writes nor touches the Lease",
          a_frozen_leader_that_was_told_to_end},
         ON_BOTH},
        {{"S8: stopped for any time and resumed", stopped_and_resumed}, ON_BOTH},
        {{"S8: stopped between the check of the fence and the send",
          stopped_between_check_and_send},
         ON_BOTH},
        {{"S8: stopped between the check of the fence and the send, with fencing by the server",
          stopped_there_with_fencing_by_the_server},
         ON_CLUSTER},
        {{"S9: two processes of one name", two_processes_of_one_name}, ON_BOTH},
        {{"S10: one of five standbys takes over", one_of_five_standbys_takes_over}, ON_BOTH},
        {{"S13: the wall clock is stepped by years", the_wall_clock_steps_by_years}, ON_BOTH},
        {{"S16: a rolling restart of three replicas", rolling_restarts}, ON_BOTH},
    };

    return scenario_main(argc, argv, all, sizeof(all) / sizeof(*all));
}
