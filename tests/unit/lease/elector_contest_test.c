/* SPDX-License-Identifier: Apache-2.0 */
/* Several hosts, and the promise itself: no two fences open at the same time. */
#include "sim.h"

static sim_t *s;

static void setup(void)
{
    s = sim_create();
}

static void teardown(void)
{
    sim_destroy(s);
}

TestSuite(contest, .init = setup, .fini = teardown);

static size_t begun(void)
{
    size_t n = 0;

    for (size_t i = 0; i < s->host_count; i++)
        n += (size_t) s->hosts[i]->begun;
    return n;
}

Test(contest, s10_of_five_standbys_one_takes_over_with_bounded_requests)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *leader = sim_start(s, "leader");
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    size_t before = 0, after = 0;

    sim_run(s, S(5));
    for (size_t i = 0; i < 5; i++)
        sim_start(s, names[i]);
    sim_run(s, S(5));
    for (size_t i = 1; i < 6; i++)
        before += s->hosts[i]->reads + s->hosts[i]->writes + s->hosts[i]->watches;
    sim_kill(leader);
    sim_run(s, S(20));
    for (size_t i = 1; i < 6; i++)
        after += s->hosts[i]->reads + s->hosts[i]->writes + s->hosts[i]->watches;
    EXPECT_INT(begun(), 2);
    EXPECT_INT(s->overlap, 0);
    /* after 5 s of silence each asks every 2 s for 10 s: 25; then the race, and 3 renewals */
    cr_expect(after - before <= 45, "%zu requests", after - before);
}

Test(contest, s16_a_hundred_handovers_leave_milliseconds_without_a_leader)
{
    sim_create_lease(s, "{}", NULL);
    int64_t worst = 0;

    sim_start(s, "a");
    sim_start(s, "b");
    sim_start(s, "c");
    sim_run(s, S(3));
    for (int i = 0; i < 100; i++) {
        sim_host_t *leader = sim_leader(s);
        int64_t from = clock_now();

        cr_assert(leader != NULL, "no leader before handover %d", i);
        sim_release(leader, true, true);
        while (sim_leader(s) == NULL && clock_now() < from + S(30))
            sim_run(s, MS(1));
        worst = HOST_MAX(worst, clock_now() - from);
        sim_run(s, S(1));
    }
    EXPECT_WITHIN(worst, 0, MS(20));
    EXPECT_INT(s->overlap, 0);
    EXPECT_INT(begun(), 101);
}

Test(contest, takeover_after_kill_9_takes_the_rest_of_the_lease)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a");

    sim_run(s, S(5));
    sim_host_t *b = sim_start(s, "b");

    for (int i = 0; i < 10; i++) {
        sim_run(s, S(3) + MS(170));
        sim_kill(a);
        EXPECT_WITHIN(sim_until_leading(b, S(30)), S(13), S(15) + MS(30));
        a = b;
        b = sim_start(s, "next");
        if (s->host_count == SIM_MAX_HOSTS)
            break;
    }
    EXPECT_INT(s->overlap, 0);
}

Test(contest, s9_two_processes_with_one_name_do_not_both_lead)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "same");
    sim_host_t *b = sim_start(s, "same");

    sim_run(s, S(60));
    EXPECT_INT(begun(), 1);
    EXPECT_INT(a->duplicates + b->duplicates, 1);
    EXPECT_INT(s->overlap, 0);
}

Test(contest, s12_a_server_gone_for_minutes_is_waited_for_by_all)
{
    sim_create_lease(s, "{}", NULL);
    sim_host_t *a = sim_start(s, "a"), *b = sim_start(s, "b");

    sim_run(s, S(10));
    a->net.refuse = b->net.refuse = true;
    sim_run(s, S(300));
    EXPECT_INT(sim_leader(s) == NULL, true);
    cr_expect(a->reads + a->writes + a->watches < 400, "%zu", a->reads + a->writes + a->watches);
    a->net.refuse = b->net.refuse = false;
    sim_run(s, S(20));
    EXPECT_INT(sim_leader(s) != NULL, true);
    EXPECT_INT(s->overlap, 0);
}

/* --- random histories --- */

static uint64_t dice_state;

static unsigned dice(unsigned sides)
{
    dice_state = dice_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned) ((dice_state >> 33) % sides);
}

static const char *const names[] = {"a", "b", "c"};

/* One fault of host i, or its end. */
static void fault(size_t i)
{
    sim_host_t *h = s->hosts[i];
    sim_net_t *net = &h->net;

    switch (dice(14)) {
    case 0:
        net->cut = true;
        break;
    case 1:
        net->lose_replies = true;
        break;
    case 2:
        net->lose_write_replies = true;
        break;
    case 3:
        net->request_delay = MS(dice(12000));
        break;
    case 4:
        net->reply_delay = MS(dice(12000));
        break;
    case 5:
        net->fail_status = (int[]){429, 500, 503, 401, 409, 404}[dice(6)];
        break;
    case 6:
        net->freeze_watch = true;
        break;
    case 7:
        net->watch_status = (int[]){403, 500, 410}[dice(3)];
        break;
    case 8:
        sim_pause(h);
        break;
    case 9:
        h->wedged_at = clock_now();
        break;
    case 10:
        sim_release(h, dice(4) != 0, dice(2) != 0);
        break;
    case 11:
        net->old_connections_dead = true;
        break;
    case 12:
        if (h->stream_open && !h->paused)
            sim_cut_watch(h, (int[]){0, 200, 410, 500}[dice(4)], 0);
        break;
    default:
        net->refuse = true;
        break;
    }
}

static void heal(size_t i)
{
    sim_host_t *h = s->hosts[i];

    h->net = (sim_net_t){.fail_verb = -1};
    h->wedged_at = CLOCK_NEVER;
    if (h->paused)
        sim_resume(h);
}

/* What strangers do to the Lease. */
enum { DELETES = 1, EDITS = 2 };

static void meddle(int strangers)
{
    /* Not to nobody, nor to a shorter duration: who has not seen the holder before believes these, and
     * it may lead on until it hears of it, at most to its deadline. */
    static const char *const edits[] = {"{\"holderIdentity\":\"x\"}", "{\"holderIdentity\":\"a\"}",
                                        "{\"holderIdentity\":\"b\"}"};

    if (dice(4) == 0 && s->lease != NULL)
        sim_annotate(s, "note", dice(2) != 0 ? "x" : "y");
    if ((strangers & DELETES) != 0 && dice(30) == 0 && s->lease != NULL)
        sim_delete_lease(s);
    if ((strangers & EDITS) != 0 && dice(12) == 0 && s->lease != NULL)
        sim_edit(s, edits[dice(HOST_LEN(edits))]);
}

/* Runs one history; returns how many terms began. */
static size_t history(uint64_t seed, int strangers)
{
    dice_state = seed * 2654435761u + 1;
    s = sim_create();
    for (size_t i = 0; i < HOST_LEN(names); i++)
        sim_start(s, names[i]);
    for (int step = 0; step < 60; step++) {
        sim_run(s, MS(dice(6000)));
        size_t i = dice(HOST_LEN(names));

        if (dice(3) != 0)
            fault(i);
        else
            heal(i);
        meddle(strangers);
    }
    for (size_t i = 0; i < HOST_LEN(names); i++)
        heal(i);
    sim_run(s, S(120));
    size_t n = begun();

    cr_expect(sim_leader(s) != NULL, "seed %llu: nobody leads after 120 s without a fault",
              (unsigned long long) seed);
    return n;
}

/* Returns how many terms began in all. */
static size_t histories(uint64_t first, uint64_t last, int strangers)
{
    size_t terms = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        sim_destroy(s);
        terms += history(seed, strangers);
        cr_expect(s->overlap == 0, "seed %llu: two fences were open for %.3f s",
                  (unsigned long long) seed, (double) s->overlap / CLOCK_S);
    }
    return terms;
}

Test(contest, in_random_histories_no_two_fences_are_open_together, .timeout = 100)
{
    size_t terms = histories(1, 300, 0);

    cr_expect(terms > 900, "%zu terms in all", terms);
}

Test(contest, nor_when_somebody_deletes_the_lease_now_and_then, .timeout = 100)
{
    size_t terms = histories(1001, 1300, DELETES);

    cr_expect(terms > 600, "%zu terms in all", terms);
}

Test(contest, nor_when_somebody_gives_the_lease_to_another_holder_now_and_then, .timeout = 100)
{
    size_t terms = histories(2001, 2300, EDITS);

    cr_expect(terms > 600, "%zu terms in all", terms);
}

Test(contest, nor_when_it_is_edited_and_deleted, .timeout = 100)
{
    size_t terms = histories(3001, 3300, EDITS | DELETES);

    cr_expect(terms > 600, "%zu terms in all", terms);
}
