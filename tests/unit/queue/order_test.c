/* SPDX-License-Identifier: Apache-2.0 */
/* Priorities, aging, and fairness between namespaces. */
#include "fixture.h"

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
