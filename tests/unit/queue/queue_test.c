/* SPDX-License-Identifier: Apache-2.0 */
/* The sets of the work queue: dirty, processing, and what comes back. */
#include "fixture.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

Test(queue, hands_out_keys_in_the_order_of_arrival)
{
    FIXTURE(f);
    add(&f, "a");
    add(&f, "b");
    add(&f, "c");
    RUN(&f, "a");
    RUN(&f, "b");
    RUN(&f, "c");
    RUN(&f, "");
}

Test(queue, many_adds_of_one_key_are_one_run)
{
    FIXTURE(f);
    for (int i = 0; i < 10; i++) {
        add(&f, "a");
    }
    EXPECT_INT(queue_ready(f.q), 1);
    RUN(&f, "a");
    RUN(&f, "");
}

Test(queue, keys_differ_by_watch_namespace_and_name)
{
    FIXTURE(f);
    const queue_key_t keys[] = {{0, "a", "x"}, {1, "a", "x"}, {0, "b", "x"},
                                {0, "a", "y"}, {0, "", "ax"}, {0, "ax", ""}};

    for (size_t i = 0; i < HOST_LEN(keys); i++) {
        cr_assert_eq(queue_add(f.q, &keys[i], LH_REASON_CHANGED, QUEUE_LIVE, f.now), 0);
    }
    EXPECT_INT(queue_ready(f.q), HOST_LEN(keys));
}

Test(queue, a_key_is_never_handed_out_twice_at_a_time)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    add(&f, "a");
    EXPECT_INT(queue_ready(f.q), 0);
    RUN(&f, "");
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "a");
}

Test(queue, events_during_a_run_mean_exactly_one_more_run)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    for (int i = 0; i < 5; i++) {
        add(&f, "a");
    }
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "a");
    RUN(&f, "");
}

Test(queue, a_key_can_be_added_again_after_its_run)
{
    FIXTURE(f);
    add(&f, "a");
    RUN(&f, "a");
    add(&f, "a");
    RUN(&f, "a");
    RUN(&f, "");
}

Test(queue, other_keys_go_on_while_one_is_running)
{
    FIXTURE(f);
    queue_run_t a;

    add(&f, "a");
    add(&f, "b");
    TAKE(&f, "a", &a);
    RUN(&f, "b");
    EXPECT_INT(queue_running(f.q), 1);
    queue_finish(f.q, a.entry, QUEUE_DONE, 0, f.now);
    EXPECT_INT(queue_running(f.q), 0);
}

Test(queue, counts_ready_waiting_and_running_apart)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "ready");
    add(&f, "second");
    add_after(&f, "later", CLOCK_S);
    TAKE(&f, "ready", &run);
    EXPECT_INT(queue_ready(f.q), 1);
    EXPECT_INT(queue_waiting(f.q), 1);
    EXPECT_INT(queue_running(f.q), 1);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
}

static void expect_reason(uint32_t first, uint32_t second, uint32_t expected)
{
    FIXTURE(f);
    queue_run_t run;

    add_as(&f, "ns", "a", first, QUEUE_LIVE);
    add_as(&f, "ns", "a", second, QUEUE_LIVE);
    TAKE(&f, "a", &run);
    cr_expect_eq(run.reason, expected, "%u and %u gave %u, expected %u", first, second, run.reason,
                 expected);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
}

Test(queue, keeps_the_reason_that_says_most)
{
    expect_reason(LH_REASON_CHANGED, LH_REASON_INITIAL, LH_REASON_CHANGED);
    expect_reason(LH_REASON_REQUEUED, LH_REASON_CHANGED, LH_REASON_CHANGED);
    expect_reason(LH_REASON_INITIAL, LH_REASON_REQUEUED, LH_REASON_INITIAL);
    expect_reason(LH_REASON_REQUEUED, LH_REASON_REQUEUED, LH_REASON_REQUEUED);
}

Test(queue, the_reason_of_one_run_does_not_stick_to_the_next)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    add_as(&f, "ns", "a", LH_REASON_REQUEUED, QUEUE_LIVE);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    TAKE(&f, "a", &run);
    EXPECT_INT(run.reason, LH_REASON_REQUEUED);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
}

Test(queue, what_was_put_back_is_next_again_with_its_reason_and_counts_no_failure)
{
    FIXTURE(f);
    queue_run_t run;

    add_as(&f, "ns", "a", LH_REASON_INITIAL, QUEUE_LIVE);
    add(&f, "b");
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_PUT_BACK, 0, f.now);
    TAKE(&f, "a", &run);
    EXPECT_INT(run.reason, LH_REASON_INITIAL);
    EXPECT_INT(run.attempt, 0);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "b");
}

/* The event made it as young as itself. */
Test(queue, what_was_put_back_is_as_old_as_before_whatever_has_come_meanwhile)
{
    FIXTURE(f);
    queue_run_t run;

    add_initial(&f, "old");
    TAKE(&f, "old", &run);
    f.now += 31 * CLOCK_S;
    add_initial(&f, "old");
    queue_finish(f.q, run.entry, QUEUE_PUT_BACK, 0, f.now);
    add(&f, "live");
    add(&f, "live2");
    RUN(&f, "old"); /* it has waited for more than the 30 s of aging */
    RUN(&f, "live");
    RUN(&f, "live2");
    RUN(&f, "");
}

/* The turns of their namespaces were put last, the latest first. */
Test(queue, what_was_put_back_of_several_namespaces_stands_in_the_old_order)
{
    static const char *const spaces[] = {"a", "b", "c", "d"};
    FIXTURE(f);
    queue_run_t runs[3];

    for (int i = 0; i < 4; i++)
        add_as(&f, spaces[i], spaces[i], LH_REASON_CHANGED, QUEUE_LIVE);
    for (int i = 0; i < 3; i++)
        TAKE(&f, spaces[i], &runs[i]);
    for (int i = 2; i >= 0; i--)
        queue_finish(f.q, runs[i].entry, QUEUE_PUT_BACK, 0, f.now);
    for (int i = 0; i < 4; i++)
        RUN(&f, spaces[i]);
}

Test(queue, clear_forgets_ready_and_waiting_keys)
{
    FIXTURE(f);
    add(&f, "a");
    add_initial(&f, "b");
    add_after(&f, "c", CLOCK_S);
    queue_clear(f.q);
    EXPECT_INT(queue_ready(f.q) + queue_waiting(f.q) + queue_running(f.q), 0);
    f.now += 10 * CLOCK_S;
    RUN(&f, "");
    EXPECT_INT(queue_next(f.q) == CLOCK_NEVER, 1);
}

Test(queue, a_late_result_of_a_cleared_run_changes_nothing)
{
    FIXTURE(f);
    queue_run_t old, fresh;

    add(&f, "a");
    TAKE(&f, "a", &old);
    queue_clear(f.q);
    EXPECT_STR(old.key.name, "a"); /* stays valid until it is finished */
    add(&f, "a");
    TAKE(&f, "a", &fresh);
    queue_finish(f.q, old.entry, QUEUE_RETRY, 0, f.now);
    EXPECT_INT(queue_running(f.q), 1);
    EXPECT_INT(queue_waiting(f.q), 0);
    queue_finish(f.q, fresh.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "");
}

Test(queue, may_be_destroyed_with_runs_handed_out)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    add(&f, "b");
    TAKE(&f, "a", &run);
    queue_clear(f.q);
    add(&f, "c");
    TAKE(&f, "c", &run);
}

Test(queue, ten_thousand_keys_come_out_once_each)
{
    FIXTURE(f);
    enum { KEYS = 10000 };
    bool *seen = host_xcalloc(KEYS, sizeof(*seen));
    queue_run_t run;
    char name[16];
    size_t runs = 0;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < KEYS; i++) {
            snprintf(name, sizeof(name), "%d", i);
            add(&f, name);
        }
    }
    while (queue_take(f.q, f.now, &run)) {
        long i = strtol(run.key.name, NULL, 10);

        cr_assert(!seen[i], "key %ld came twice", i);
        seen[i] = true;
        runs++;
        queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    }
    EXPECT_INT(runs, KEYS);
    free(seen);
}

static void run_many(fixture_t *f)
{
    char name[16];
    queue_run_t run;

    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "%d", i);
        add(f, name);
    }
    while (queue_take(f->q, f->now, &run))
        queue_finish(f->q, run.entry, QUEUE_DONE, 0, f->now);
}

Test(queue, nothing_is_kept_of_a_key_that_is_done)
{
    FIXTURE(f);
    run_many(&f); /* what is kept for all */
    const struct mallinfo2 before = mallinfo2();

    for (int i = 0; i < 5; i++)
        run_many(&f);
    const struct mallinfo2 after = mallinfo2();

    /* the caches of the C library are a few KB; a byte for each key would be 50000 */
    cr_expect(after.uordblks < before.uordblks + 32768, "%zu bytes more, expected next to none",
              after.uordblks - before.uordblks);
}

Test(queue, guests_are_counted_until_an_event_or_the_end_of_their_entry)
{
    FIXTURE(f);
    queue_t *q = f.q;
    const queue_key_t a = {0, "ns", "a"}, b = {0, "ns", "b"}, c = {0, "ns", "c"};
    queue_run_t run;

    EXPECT_INT(queue_add(q, &c, LH_REASON_CHANGED, QUEUE_LIVE, f.now), 0);
    EXPECT_INT(queue_add_guest(q, &a, f.now), 0);
    EXPECT_INT(queue_add_guest(q, &a, f.now), 0);
    EXPECT_INT(queue_add_guest(q, &b, f.now), 0);
    EXPECT_INT(queue_add_guest(q, &c, f.now), 0); /* is there already */
    EXPECT_INT(queue_guests(q), 2);
    EXPECT_INT(queue_add(q, &a, LH_REASON_CHANGED, QUEUE_LIVE, f.now), 0);
    EXPECT_INT(queue_guests(q), 1);
    for (int i = 0; i < 3; i++) {
        cr_assert(queue_take(q, f.now, &run));
        queue_finish(q, run.entry, strcmp(run.key.name, "b") == 0 ? QUEUE_RETRY : QUEUE_DONE, 0,
                     f.now);
    }
    EXPECT_INT(queue_guests(q), 1); /* is tried again */
    queue_clear(q);
    EXPECT_INT(queue_guests(q), 0);
}

Test(queue, a_large_queue_is_cleared_in_parts)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    add(&f, "b");
    add(&f, "c");
    add_after(&f, "d", CLOCK_S);
    TAKE(&f, "a", &run);
    cr_expect(queue_clear_some(f.q, 3));
    cr_expect(!queue_clear_some(f.q, 3));
    EXPECT_INT(queue_ready(f.q), 0);
    EXPECT_INT(queue_waiting(f.q), 0);
    EXPECT_INT(queue_running(f.q), 0);
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    add(&f, "a");
    RUN(&f, "a");
}
