/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of the queue have client-go's names, labels and exact values. */
#include "fixture.h"

static double value(metrics_t *m, const char *series)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    metrics_render(m, METRICS_TEXT, &out);
    for (const char *line = buf_text(&out); *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, series, strlen(series)) == 0 && line[strlen(series)] == ' ')
            return strtod(line + strlen(series), NULL);
    }
    cr_assert_fail("no series '%s' in\n%s", series, buf_text(&out));
    return -1;
}

#define EXPECT_METRIC(m, series, expected)                                                         \
    do {                                                                                           \
        double v_ = value((m), (series));                                                          \
        cr_expect(v_ > (expected) -1e-9 && v_ < (expected) + 1e-9, "%s is %g, expected %g",        \
                  (series), v_, (double) (expected));                                              \
    } while (0)

#define LABELS "{name=\"test\",controller=\"test\"}"
#define DEPTH(p) "workqueue_depth{name=\"test\",controller=\"test\",priority=\"" p "\"}"

static void destroy_metrics(metrics_t **m)
{
    metrics_destroy(*m);
}

#define METERED(f, m, ...)                                                                         \
    host_cleanup(destroy_metrics) metrics_t *m = metrics_create();                                 \
    FIXTURE(f, .metrics = m, __VA_ARGS__)

Test(meter, depth_counts_ready_keys_by_priority)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    add_initial(&f, "b");
    add_initial(&f, "c");
    add_after(&f, "later", CLOCK_S);
    EXPECT_METRIC(m, DEPTH("0"), 1);
    EXPECT_METRIC(m, DEPTH("-100"), 2);
    add(&f, "b");
    EXPECT_METRIC(m, DEPTH("0"), 2);
    EXPECT_METRIC(m, DEPTH("-100"), 1);
    TAKE(&f, "a", &run);
    EXPECT_METRIC(m, DEPTH("0"), 1);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    f.now += CLOCK_S;
    queue_tick(f.q, f.now);
    EXPECT_METRIC(m, DEPTH("0"), 2);
    queue_clear(f.q);
    EXPECT_METRIC(m, DEPTH("0"), 0);
    EXPECT_METRIC(m, DEPTH("-100"), 0);
}

Test(meter, depth_of_a_delayed_key_that_is_asked_for_with_a_higher_priority)
{
    METERED(f, m);
    queue_run_t run;

    add_initial(&f, "a");
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    EXPECT_METRIC(m, DEPTH("0"), 0);
    EXPECT_METRIC(m, DEPTH("-100"), 0);
    add(&f, "a");
    EXPECT_METRIC(m, DEPTH("0"), 1);
    EXPECT_METRIC(m, DEPTH("-100"), 0);
    RUN(&f, "a");
    EXPECT_METRIC(m, DEPTH("0"), 0);
    EXPECT_METRIC(m, DEPTH("-100"), 0);
}

Test(meter, adds_counts_what_was_not_waiting_already)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    add(&f, "a");
    EXPECT_METRIC(m, "workqueue_adds_total" LABELS, 1);
    TAKE(&f, "a", &run);
    add(&f, "a");
    add(&f, "a");
    EXPECT_METRIC(m, "workqueue_adds_total" LABELS, 2);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_adds_total" LABELS, 2);
}

Test(meter, retries_counts_every_delay)
{
    METERED(f, m);
    queue_run_t run;

    add_after(&f, "a", CLOCK_S);
    add_after(&f, "a", CLOCK_S);
    EXPECT_METRIC(m, "workqueue_retries_total" LABELS, 2);
    f.now += CLOCK_S;
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    EXPECT_METRIC(m, "workqueue_retries_total" LABELS, 3);
}

Test(meter, queue_duration_is_the_time_from_add_to_take)
{
    METERED(f, m);
    add(&f, "a");
    f.now += 3 * CLOCK_S;
    add(&f, "a"); /* does not start the time anew */
    f.now += 2 * CLOCK_S;
    RUN(&f, "a");
    EXPECT_METRIC(m, "workqueue_queue_duration_seconds_count" LABELS, 1);
    EXPECT_METRIC(m, "workqueue_queue_duration_seconds_sum" LABELS, 5);
}

Test(meter, work_duration_is_the_time_from_take_to_finish)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    f.now += 4 * CLOCK_S;
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_work_duration_seconds_count" LABELS, 1);
    EXPECT_METRIC(m, "workqueue_work_duration_seconds_sum" LABELS, 4);
}

/* A key handed out early, to a worker that is still busy, waits and does no work. */
Test(meter, a_key_handed_out_waits_until_its_run_begins)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    cr_assert(queue_take(f.q, f.now, &run));
    f.now += 5 * CLOCK_S;
    queue_tick(f.q, f.now);
    EXPECT_METRIC(m, "workqueue_longest_running_processor_seconds" LABELS, 0);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, 0);
    queue_started(f.q, run.entry, f.now);
    EXPECT_METRIC(m, "workqueue_queue_duration_seconds_sum" LABELS, 5);
    f.now += 2 * CLOCK_S;
    queue_tick(f.q, f.now);
    EXPECT_METRIC(m, "workqueue_longest_running_processor_seconds" LABELS, 2);
    queue_started(f.q, run.entry, f.now - CLOCK_S); /* as it turns out */
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_work_duration_seconds_sum" LABELS, 1);
    EXPECT_METRIC(m, "workqueue_queue_duration_seconds_count" LABELS, 1);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, 0);
}

Test(meter, work_duration_has_the_buckets_of_client_go)
{
    METERED(f, m);
    add(&f, "a");
    RUN(&f, "a");
    EXPECT_METRIC(m,
                  "workqueue_work_duration_seconds_bucket{name=\"test\",controller=\"test\","
                  "le=\"1e-08\"}",
                  1);
    EXPECT_METRIC(m,
                  "workqueue_work_duration_seconds_bucket{name=\"test\",controller=\"test\","
                  "le=\"1000\"}",
                  1);
}

Test(meter, unfinished_work_and_longest_run_grow_with_time)
{
    METERED(f, m);
    queue_run_t a, b;

    add(&f, "a");
    add(&f, "b");
    TAKE(&f, "a", &a);
    f.now += 2 * CLOCK_S;
    TAKE(&f, "b", &b);
    f.now += 3 * CLOCK_S;
    queue_tick(f.q, f.now);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, 8);
    EXPECT_METRIC(m, "workqueue_longest_running_processor_seconds" LABELS, 5);
    queue_finish(f.q, a.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, 3);
    EXPECT_METRIC(m, "workqueue_longest_running_processor_seconds" LABELS, 3);
    queue_finish(f.q, b.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, 0);
    EXPECT_METRIC(m, "workqueue_longest_running_processor_seconds" LABELS, 0);
}

Test(meter, what_was_put_back_did_no_work)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    f.now += CLOCK_S;
    queue_finish(f.q, run.entry, QUEUE_PUT_BACK, 0, f.now);
    EXPECT_METRIC(m, "workqueue_adds_total" LABELS, 1);
    EXPECT_METRIC(m, "workqueue_work_duration_seconds_count" LABELS, 0);
    EXPECT_METRIC(m, DEPTH("0"), 1);
}

/* The event between the two made its wait look as short as its own. */
Test(meter, a_run_has_waited_until_it_began_whatever_has_come_meanwhile)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    cr_assert(queue_take(f.q, f.now, &run));
    f.now += CLOCK_S;
    add(&f, "a");
    queue_started(f.q, run.entry, f.now);
    EXPECT_METRIC(m, "workqueue_queue_duration_seconds_sum" LABELS, 1);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_queue_duration_seconds_sum" LABELS, 1);
}

Test(meter, a_cleared_run_is_not_measured)
{
    METERED(f, m);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    queue_clear(f.q);
    f.now += CLOCK_S;
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    EXPECT_METRIC(m, "workqueue_work_duration_seconds_count" LABELS, 0);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, 0);
}

#define POISON "leasehold_workqueue_poison_keys" LABELS

/* Fails a key n times in a row. */
static void fail(fixture_t *f, const char *name, uint32_t n, enum queue_verdict verdict)
{
    queue_run_t run;

    for (uint32_t i = 0; i < n; i++) {
        add(f, name);
        TAKE(f, name, &run);
        queue_finish(f->q, run.entry, verdict, 0, f->now);
    }
}

Test(meter, poison_keys_are_those_that_have_failed_ten_times_in_a_row)
{
    METERED(f, m);
    fail(&f, "a", 9, QUEUE_RETRY);
    EXPECT_METRIC(m, POISON, 0);
    fail(&f, "a", 1, QUEUE_RETRY);
    EXPECT_METRIC(m, POISON, 1);
    fail(&f, "a", 5, QUEUE_RETRY);
    fail(&f, "b", 12, QUEUE_RETRY);
    EXPECT_METRIC(m, POISON, 2);
    fail(&f, "a", 1, QUEUE_FAIL); /* the count stays */
    EXPECT_METRIC(m, POISON, 2);
    fail(&f, "a", 1, QUEUE_DONE);
    EXPECT_METRIC(m, POISON, 1);
    fail(&f, "b", 1, QUEUE_REQUEUE);
    EXPECT_METRIC(m, POISON, 0);
}

Test(meter, no_poison_is_left_when_the_queue_is_cleared)
{
    METERED(f, m);
    queue_run_t run;

    fail(&f, "a", 10, QUEUE_RETRY);
    fail(&f, "b", 10, QUEUE_RETRY);
    add(&f, "b");
    TAKE(&f, "b", &run);
    EXPECT_METRIC(m, POISON, 2);
    queue_clear(f.q);
    EXPECT_METRIC(m, POISON, 0);
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    EXPECT_METRIC(m, POISON, 0);
}

Test(meter, the_poison_of_an_object_ends_with_it)
{
    METERED(f, m);
    const queue_key_t key = key_of("ns", "a");
    queue_run_t run;

    fail(&f, "a", 10, QUEUE_RETRY);
    cr_assert_eq(queue_add_tombstone(f.q, &key, LH_REASON_GONE, "u", NULL, f.now), 0);
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_FAIL, 0, f.now);
    EXPECT_METRIC(m, POISON, 0);
}

/* Each run of a host that has been up for long adds its start time. */
Test(meter, the_work_of_many_runs_is_told_after_a_month_of_uptime)
{
    enum { RUNS = 4096 };
    METERED(f, m);

    f.now = INT64_C(31) * 86400 * CLOCK_S;
    for (int i = 0; i < RUNS; i++) {
        char name[16];
        queue_run_t run;

        snprintf(name, sizeof(name), "n%d", i);
        add(&f, name);
        cr_assert(queue_take(f.q, f.now, &run));
        queue_started(f.q, run.entry, f.now);
    }
    f.now += CLOCK_S;
    queue_tick(f.q, f.now);
    EXPECT_METRIC(m, "workqueue_unfinished_work_seconds" LABELS, RUNS);
}
