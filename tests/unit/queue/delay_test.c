/* SPDX-License-Identifier: Apache-2.0 */
/* Delays, requeue_after and back-off. */
#include "fixture.h"

#include <stdio.h>

/* Takes the key and ends the run with this verdict. */
static void run_as(fixture_t *f, const char *name, uint32_t attempt, enum queue_verdict verdict,
                   int64_t after)
{
    queue_run_t run;

    TAKE(f, name, &run);
    EXPECT_INT(run.attempt, attempt);
    queue_finish(f->q, run.entry, verdict, after, f->now);
}

Test(delay, a_delayed_key_is_not_ready_before_its_time)
{
    FIXTURE(f);
    add_after(&f, "a", CLOCK_S);
    EXPECT_INT(queue_next(f.q), f.now + CLOCK_S);
    f.now += CLOCK_S - 1;
    RUN(&f, "");
    f.now += 1;
    RUN(&f, "a");
    EXPECT_INT(queue_next(f.q) == CLOCK_NEVER, 1);
}

Test(delay, a_time_that_is_past_means_now)
{
    FIXTURE(f);
    add_after(&f, "a", 0);
    add_after(&f, "b", -CLOCK_S);
    RUN(&f, "a");
    RUN(&f, "b");
}

Test(delay, the_earlier_of_two_times_counts)
{
    FIXTURE(f);
    add_after(&f, "a", 2 * CLOCK_S);
    add_after(&f, "a", CLOCK_S);
    add_after(&f, "a", 3 * CLOCK_S);
    EXPECT_INT(queue_waiting(f.q), 1);
    EXPECT_INT(queue_next(f.q), f.now + CLOCK_S);
    f.now += CLOCK_S;
    RUN(&f, "a");
    f.now += 10 * CLOCK_S;
    RUN(&f, "");
}

Test(delay, keys_come_in_the_order_of_their_times)
{
    FIXTURE(f);
    add_after(&f, "3", 3 * CLOCK_MS);
    add_after(&f, "1", 1 * CLOCK_MS);
    add_after(&f, "5", 5 * CLOCK_MS);
    add_after(&f, "2", 2 * CLOCK_MS);
    add_after(&f, "4", 4 * CLOCK_MS);
    f.now += CLOCK_S;
    RUN(&f, "1");
    RUN(&f, "2");
    RUN(&f, "3");
    RUN(&f, "4");
    RUN(&f, "5");
}

Test(delay, many_times_in_odd_order_come_out_sorted)
{
    FIXTURE(f);
    enum { KEYS = 1000 };
    char name[16];
    int64_t last = 0;

    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof(name), "%d", i * 7919 % KEYS);
        add_after(&f, name, (1 + i * 7919 % KEYS) * CLOCK_MS);
    }
    for (int i = 0; i < KEYS / 2; i++) { /* moved to an earlier time, before all others */
        snprintf(name, sizeof(name), "%d", 2 * i);
        add_after(&f, name, 1 + i);
    }
    for (size_t i = 0; i < KEYS; i++) {
        int64_t next = queue_next(f.q);

        cr_assert(next >= last && next != CLOCK_NEVER, "key %zu at %lld after %lld", i,
                  (long long) next, (long long) last);
        last = f.now = next;
        run_as(&f,
               i < KEYS / 2 ? (snprintf(name, sizeof(name), "%zu", 2 * i), name)
                            : (snprintf(name, sizeof(name), "%zu", 2 * (i - KEYS / 2) + 1), name),
               0, QUEUE_DONE, 0);
    }
}

Test(delay, an_event_makes_a_delayed_key_ready_now_and_ends_the_delay)
{
    FIXTURE(f);
    add_after(&f, "a", CLOCK_S);
    add(&f, "a");
    EXPECT_INT(queue_waiting(f.q), 0);
    RUN(&f, "a");
    f.now += 2 * CLOCK_S;
    RUN(&f, "");
}

Test(delay, a_ready_key_is_not_delayed)
{
    FIXTURE(f);
    add(&f, "a");
    add_after(&f, "a", CLOCK_S);
    RUN(&f, "a");
    f.now += 2 * CLOCK_S;
    RUN(&f, "");
}

Test(delay, a_delay_asked_for_during_the_run_counts_from_then)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    add_after(&f, "a", CLOCK_S);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now + CLOCK_MS);
    RUN(&f, "");
    f.now += CLOCK_S;
    RUN(&f, "a");
}

Test(delay, a_delay_that_ends_during_the_run_means_one_more_run)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    add_after(&f, "a", CLOCK_S);
    f.now += 2 * CLOCK_S;
    queue_tick(f.q, f.now);
    RUN(&f, "");
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "a");
    RUN(&f, "");
}

Test(delay, tick_makes_due_keys_ready_although_nothing_is_taken)
{
    FIXTURE(f);
    add_after(&f, "a", CLOCK_S);
    f.now += CLOCK_S;
    queue_tick(f.q, f.now);
    EXPECT_INT(queue_ready(f.q), 1);
    EXPECT_INT(queue_next(f.q) == CLOCK_NEVER, 1);
}

Test(delay, requeue_after_is_exact)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    run_as(&f, "a", 0, QUEUE_REQUEUE, 1234567);
    EXPECT_INT(queue_next(f.q), f.now + 1234567);
    f.now += 1234567;
    TAKE(&f, "a", &run);
    EXPECT_INT(run.reason, LH_REASON_REQUEUED);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "");
}

Test(delay, requeue_after_nothing_and_for_ever)
{
    FIXTURE(f);
    add(&f, "a");
    run_as(&f, "a", 0, QUEUE_REQUEUE, -5);
    run_as(&f, "a", 0, QUEUE_REQUEUE, 0);
    run_as(&f, "a", 0, QUEUE_REQUEUE, INT64_MAX);
    EXPECT_INT(queue_waiting(f.q), 1);
    RUN(&f, "");
    add(&f, "a");
    RUN(&f, "a");
}

Test(delay, backoff_doubles_up_to_the_cap)
{
    FIXTURE(f, .backoff_base = CLOCK_MS, .backoff_cap = 10 * CLOCK_MS);
    const int64_t expected[] = {1, 2, 4, 8, 10, 10};

    add(&f, "a");
    for (uint32_t i = 0; i < HOST_LEN(expected); i++) {
        run_as(&f, "a", i, QUEUE_RETRY, 0);
        EXPECT_INT(queue_next(f.q) - f.now, expected[i] * CLOCK_MS);
        f.now = queue_next(f.q);
    }
}

Test(delay, backoff_defaults_are_five_milliseconds_to_a_thousand_seconds)
{
    FIXTURE(f);
    add(&f, "a");
    run_as(&f, "a", 0, QUEUE_RETRY, 0);
    EXPECT_INT(queue_next(f.q) - f.now, 5 * CLOCK_MS);
    for (uint32_t i = 1; i < 200; i++) { /* far beyond the bits of a shift */
        f.now = queue_next(f.q);
        run_as(&f, "a", i, QUEUE_RETRY, 0);
    }
    EXPECT_INT(queue_next(f.q) - f.now, 1000 * CLOCK_S);
}

static int64_t most(int64_t bound)
{
    return bound - 1;
}

Test(delay, jitter_takes_at_most_half)
{
    FIXTURE(f, .backoff_base = 8 * CLOCK_MS, .rand_below = most);
    add(&f, "a");
    run_as(&f, "a", 0, QUEUE_RETRY, 0);
    EXPECT_INT(queue_next(f.q) - f.now, 4 * CLOCK_MS);
}

Test(delay, success_and_requeue_reset_the_backoff)
{
    FIXTURE(f);
    const enum queue_verdict good[] = {QUEUE_DONE, QUEUE_REQUEUE};

    for (size_t i = 0; i < HOST_LEN(good); i++) {
        add(&f, "a");
        run_as(&f, "a", 0, QUEUE_RETRY, 0);
        f.now += CLOCK_S;
        run_as(&f, "a", 1, QUEUE_RETRY, 0);
        f.now += CLOCK_S;
        run_as(&f, "a", 2, good[i], CLOCK_S);
    }
    f.now += CLOCK_S;
    run_as(&f, "a", 0, QUEUE_DONE, 0);
}

Test(delay, the_backoff_of_one_key_does_not_delay_another)
{
    FIXTURE(f);
    add(&f, "a");
    for (uint32_t i = 0; i < 5; i++) {
        run_as(&f, "a", i, QUEUE_RETRY, 0);
        f.now = queue_next(f.q);
    }
    run_as(&f, "a", 5, QUEUE_RETRY, 0);
    add(&f, "b");
    run_as(&f, "b", 0, QUEUE_RETRY, 0);
    EXPECT_INT(queue_next(f.q) - f.now, 5 * CLOCK_MS);
}

Test(delay, an_event_during_a_failed_run_is_not_held_back_by_the_backoff)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    add(&f, "a");
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    TAKE(&f, "a", &run);
    EXPECT_INT(run.attempt, 1);
    EXPECT_INT(run.reason, LH_REASON_CHANGED);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
}

Test(delay, fail_is_not_repeated_by_itself_and_keeps_the_count)
{
    FIXTURE(f);
    add(&f, "a");
    run_as(&f, "a", 0, QUEUE_RETRY, 0);
    f.now += CLOCK_S;
    run_as(&f, "a", 1, QUEUE_FAIL, 0);
    f.now += 10000 * CLOCK_S;
    RUN(&f, "");
    add(&f, "a");
    run_as(&f, "a", 1, QUEUE_RETRY, 0);
    EXPECT_INT(queue_next(f.q) - f.now, 10 * CLOCK_MS);
}

Test(delay, an_event_during_a_run_that_fails_for_good_is_run)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    add(&f, "a");
    queue_finish(f.q, run.entry, QUEUE_FAIL, 0, f.now);
    RUN(&f, "a");
}

/* -- The rate of all retries -- */

static int64_t delay_after(fixture_t *f, const char *name)
{
    queue_run_t run;

    add(f, name);
    TAKE(f, name, &run);
    queue_finish(f->q, run.entry, QUEUE_RETRY, 0, f->now);
    return queue_next(f->q) - f->now;
}

Test(delay, retries_of_all_keys_together_keep_to_their_rate)
{
    FIXTURE(f, .retry_qps = 10, .retry_burst = 3);
    char name[8];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%d", i);
        EXPECT_INT(delay_after(&f, name), 5 * CLOCK_MS);
    }
    f.now += CLOCK_MS; /* what is next is due by then */
    for (int i = 3; i < 53; i++) {
        snprintf(name, sizeof(name), "%d", i);
        (void) delay_after(&f, name);
    }
    EXPECT_INT(queue_waiting(f.q), 53);
    /* what comes beyond the burst is due every 100 ms: at the rate, and evenly */
    int64_t last = f.now - CLOCK_MS;
    f.now += 4 * CLOCK_MS;
    RUN(&f, "0");
    RUN(&f, "1");
    RUN(&f, "2");
    for (int i = 3; i < 53; i++) {
        const int64_t next = queue_next(f.q);

        EXPECT_INT(next - last, 100 * CLOCK_MS);
        last = f.now = next;
        snprintf(name, sizeof(name), "%d", i);
        RUN(&f, name);
    }
}

Test(delay, a_back_off_longer_than_the_rate_asks_for_counts_and_takes_its_token_all_the_same)
{
    FIXTURE(f, .retry_qps = 10, .retry_burst = 1, .backoff_base = CLOCK_S);
    EXPECT_INT(delay_after(&f, "a"), CLOCK_S);
    EXPECT_INT(delay_after(&f, "b"), CLOCK_S);
    queue_clear(f.q);
    for (int i = 0; i < 18; i++) { /* with b: 19 tokens are owed, 1.9 s */
        (void) delay_after(&f, "x");
        queue_clear(f.q);
    }
    EXPECT_INT(delay_after(&f, "c"), 2 * CLOCK_S);
}

Test(delay, the_rate_of_retries_delays_neither_events_nor_requeue_after)
{
    FIXTURE(f, .retry_qps = 0.1, .retry_burst = 1);
    queue_run_t run;

    (void) delay_after(&f, "a");
    (void) delay_after(&f, "b");
    add(&f, "b");
    run_as(&f, "b", 1, QUEUE_REQUEUE, 37 * CLOCK_MS);
    f.now += 5 * CLOCK_MS;
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    EXPECT_INT(queue_next(f.q) - f.now, 32 * CLOCK_MS);
}

/* Nothing is dropped: it comes back for ever, at the cap. */
Test(delay, a_key_that_fails_for_ever_is_slowed_and_never_dropped)
{
    FIXTURE(f);
    add(&f, "a");
    for (uint32_t i = 0; i < 10000; i++) {
        run_as(&f, "a", i, QUEUE_RETRY, 0);
        EXPECT_INT(queue_next(f.q) - f.now,
                   HOST_MIN(i < 20 ? 5 * CLOCK_MS << i : CLOCK_NEVER, 1000 * CLOCK_S));
        f.now = queue_next(f.q);
    }
    run_as(&f, "a", 10000, QUEUE_DONE, 0);
    EXPECT_INT(queue_waiting(f.q) + queue_ready(f.q), 0);
}
