/* SPDX-License-Identifier: Apache-2.0 */
/* Priorities, aging, and fairness between namespaces. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

Test(order, live_keys_go_before_those_of_the_initial_list)
{
    FIXTURE(f);
    add_initial(&f, "old1");
    add_initial(&f, "old2");
    add(&f, "live");
    RUN(&f, "live");
    RUN(&f, "old1");
    RUN(&f, "old2");
}

Test(order, a_raised_key_goes_to_the_end_of_the_higher_class)
{
    FIXTURE(f);
    add_initial(&f, "a");
    add_initial(&f, "b");
    add(&f, "live");
    add(&f, "a");
    RUN(&f, "live");
    RUN(&f, "a");
    RUN(&f, "b");
}

Test(order, priority_is_never_lowered)
{
    FIXTURE(f);
    add(&f, "a");
    add_initial(&f, "b");
    add_initial(&f, "a");
    RUN(&f, "a");
    RUN(&f, "b");
}

Test(order, an_event_during_a_run_raises_the_next_run)
{
    FIXTURE(f);
    queue_run_t run;

    add_initial(&f, "a");
    add_initial(&f, "b");
    TAKE(&f, "a", &run);
    add(&f, "a");
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "a");
    RUN(&f, "b");
}

Test(order, a_retried_key_keeps_its_priority)
{
    FIXTURE(f);
    queue_run_t run;

    add_initial(&f, "a");
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    f.now += CLOCK_S;
    queue_tick(f.q, f.now);
    add(&f, "live");
    RUN(&f, "live");
    RUN(&f, "a");
}

Test(order, a_key_that_was_done_starts_anew)
{
    FIXTURE(f);
    add(&f, "a");
    RUN(&f, "a");
    add_initial(&f, "a");
    add(&f, "live");
    RUN(&f, "live");
    RUN(&f, "a");
}

Test(order, aged_keys_get_every_second_turn_oldest_first)
{
    FIXTURE(f, .aging = 10 * CLOCK_S);
    add_initial(&f, "old1");
    add_initial(&f, "old2");
    f.now += 10 * CLOCK_S;
    add(&f, "live1");
    add(&f, "live2");
    add(&f, "live3");
    RUN(&f, "old1");
    RUN(&f, "live1");
    RUN(&f, "old2");
    RUN(&f, "live2");
    RUN(&f, "live3");
}

Test(order, keys_that_have_not_aged_wait)
{
    FIXTURE(f, .aging = 10 * CLOCK_S);
    add_initial(&f, "old");
    f.now += 10 * CLOCK_S - 1;
    add(&f, "live1");
    add(&f, "live2");
    RUN(&f, "live1");
    RUN(&f, "live2");
    RUN(&f, "old");
}

Test(order, namespaces_take_turns)
{
    FIXTURE(f);
    add_as(&f, "big", "1", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "big", "2", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "big", "3", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "small", "4", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "other", "5", LH_REASON_CHANGED, QUEUE_LIVE);
    RUN(&f, "1");
    RUN(&f, "4");
    RUN(&f, "5");
    RUN(&f, "2");
    RUN(&f, "3");
}

Test(order, a_namespace_that_comes_late_waits_for_one_turn_of_the_others_only)
{
    FIXTURE(f);
    add_as(&f, "big", "1", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "big", "2", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "big", "3", LH_REASON_CHANGED, QUEUE_LIVE);
    RUN(&f, "1");
    add_as(&f, "small", "4", LH_REASON_CHANGED, QUEUE_LIVE);
    RUN(&f, "2");
    RUN(&f, "4");
    RUN(&f, "3");
}

Test(order, turns_are_taken_within_a_priority)
{
    FIXTURE(f);
    add_as(&f, "a", "initial", LH_REASON_INITIAL, QUEUE_INITIAL);
    add_as(&f, "b", "1", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "b", "2", LH_REASON_CHANGED, QUEUE_LIVE);
    RUN(&f, "1");
    RUN(&f, "2");
    RUN(&f, "initial");
}

Test(order, a_live_key_that_became_due_goes_before_initial_ones_that_are_ready)
{
    FIXTURE(f);
    add_after(&f, "due", CLOCK_S);
    add_initial(&f, "initial");
    f.now += CLOCK_S;
    RUN(&f, "due");
    RUN(&f, "initial");
}

Test(order, a_key_that_became_due_goes_to_the_end_of_its_class)
{
    FIXTURE(f);
    add_after(&f, "due", CLOCK_S);
    add(&f, "a");
    add(&f, "b");
    f.now += CLOCK_S;
    RUN(&f, "a");
    RUN(&f, "b");
    RUN(&f, "due");
}

/* -- Floods -- */

enum { FLOOD = 100000 };

/* FLOOD keys of one namespace. */
static void flood(fixture_t *f, const char *ns, uint32_t reason, enum queue_priority priority)
{
    char name[16];

    for (int i = 0; i < FLOOD; i++) {
        snprintf(name, sizeof(name), "%d", i);
        add_as(f, ns, name, reason, priority);
    }
}

/* Hands out keys until this one comes; how many others came before it. Each run takes a millisecond; what
 * was run for a change is changed again during it, when `again`. */
static int runs_before(fixture_t *f, const char *wanted, bool again)
{
    queue_run_t run;

    for (int n = 0; n < 4 * FLOOD && queue_take(f->q, f->now, &run); n++) {
        queue_started(f->q, run.entry, f->now);
        const bool found = strcmp(run.key.name, wanted) == 0;
        f->now += CLOCK_MS;
        if (again && !found && run.reason == LH_REASON_CHANGED)
            cr_assert_eq(queue_add(f->q, &run.key, LH_REASON_CHANGED, QUEUE_LIVE, f->now), 0);
        queue_finish(f->q, run.entry, QUEUE_DONE, 0, f->now);
        if (found)
            return n;
    }
    return -1;
}

Test(order, one_key_waits_for_one_run_of_a_namespace_with_a_hundred_thousand)
{
    FIXTURE(f);
    flood(&f, "big", LH_REASON_CHANGED, QUEUE_LIVE);
    add_as(&f, "small", "one", LH_REASON_CHANGED, QUEUE_LIVE);
    EXPECT_INT(runs_before(&f, "one", false), 1);
}

Test(order, one_key_waits_for_one_run_also_where_all_are_changed_all_the_time)
{
    FIXTURE(f);
    flood(&f, "big", LH_REASON_CHANGED, QUEUE_LIVE);
    for (int i = 0; i < 100; i++) {
        add_as(&f, "small", "one", LH_REASON_CHANGED, QUEUE_LIVE);
        const int before = runs_before(&f, "one", true);
        cr_assert(before <= 1, "round %d: %d runs before it, expected 1 at most", i, before);
    }
}

Test(order, one_key_of_the_first_list_waits_for_one_run_of_a_hundred_thousand)
{
    FIXTURE(f);
    flood(&f, "big", LH_REASON_INITIAL, QUEUE_INITIAL);
    add_as(&f, "small", "one", LH_REASON_INITIAL, QUEUE_INITIAL);
    EXPECT_INT(runs_before(&f, "one", false), 1);
}

/* Two adversaries at once: events that never end, and older keys of another namespace. */
Test(order, an_aged_key_waits_for_neither_endless_events_nor_older_keys_of_others)
{
    FIXTURE(f, .aging = 10 * CLOCK_S);
    const int64_t begun = f.now;

    flood(&f, "big", LH_REASON_INITIAL, QUEUE_INITIAL);
    add_as(&f, "small", "one", LH_REASON_INITIAL, QUEUE_INITIAL);
    for (int i = 0; i < 10; i++) {
        char name[16];

        snprintf(name, sizeof(name), "live%d", i);
        add_as(&f, "busy", name, LH_REASON_CHANGED, QUEUE_LIVE);
    }
    const int before = runs_before(&f, "one", true);

    /* 10 s of events, a millisecond each; then every second turn is for the first list. */
    cr_expect(before >= 10000 && before <= 10003, "%d runs before it, expected 10000 to 10003",
              before);
    cr_expect(f.now - begun <= 10 * CLOCK_S + 4 * CLOCK_MS, "it waited %lld ms",
              (long long) ((f.now - begun) / CLOCK_MS));
}

Test(order, a_first_list_behind_endless_events_is_run_to_its_end)
{
    FIXTURE(f, .aging = CLOCK_S);
    flood(&f, "big", LH_REASON_INITIAL, QUEUE_INITIAL);
    for (int i = 0; i < 10; i++) {
        char name[16];

        snprintf(name, sizeof(name), "live%d", i);
        add_as(&f, "busy", name, LH_REASON_CHANGED, QUEUE_LIVE);
    }
    const int before = runs_before(&f, "99999", true);

    cr_expect(before >= 2 * FLOOD && before <= 2 * FLOOD + 1000 + 2,
              "%d runs before the last one, expected about %d", before, 2 * FLOOD + 1000);
}

Test(order, what_fails_all_the_time_holds_up_nobody)
{
    FIXTURE(f);
    queue_run_t run;
    int good = 0, bad = 0;

    for (int i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof(name), "bad%d", i);
        add_as(&f, "ns", name, LH_REASON_CHANGED, QUEUE_LIVE);
    }
    for (const int64_t end = f.now + 600 * CLOCK_S; f.now < end; f.now += 10 * CLOCK_MS) {
        add(&f, "good");
        while (queue_take(f.q, f.now, &run)) {
            const bool fails = strncmp(run.key.name, "bad", 3) == 0;

            *(fails ? &bad : &good) += 1;
            queue_started(f.q, run.entry, f.now);
            queue_finish(f.q, run.entry, fails ? QUEUE_RETRY : QUEUE_DONE, 0, f.now);
        }
    }
    EXPECT_INT(good, 60000);
    /* 5 ms doubled: 17 tries in 328 s, the next one after 656 s. */
    EXPECT_INT(bad, 1700);
}
