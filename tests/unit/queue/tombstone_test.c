/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are gone or left: each is reported in a run of its own. */
#include "fixture.h"

static void bury_as(fixture_t *f, uint32_t reason, const char *uid, const watch_snapshot_t *last)
{
    queue_key_t key = key_of("ns", "a");

    cr_assert_eq(queue_add_tombstone(f->q, &key, reason, uid, last, f->now), 0);
}

static void bury(fixture_t *f, const char *uid)
{
    bury_as(f, LH_REASON_GONE, uid, NULL);
}

/* Takes the key, which must be about this uid, and ends the run. */
static void run_uid(fixture_t *f, uint32_t reason, const char *uid, enum queue_verdict verdict)
{
    queue_run_t run;

    TAKE(f, "a", &run);
    EXPECT_INT(run.reason, reason);
    EXPECT_STR(run.uid, uid);
    queue_finish(f->q, run.entry, verdict, 0, f->now);
}

static watch_snapshot_t *snapshot(void)
{
    static const char text[] = "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"1\"}}";
    watch_snapshot_t *s = NULL;
    lh_error_t err;

    ASSERT_OK(watch_snapshot_create(text, sizeof(text) - 1, NULL, NULL, &s, &err), err);
    return s;
}

Test(tombstone, is_delivered_with_its_uid_and_last_state)
{
    FIXTURE(f);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *last = snapshot();
    queue_run_t run;

    bury_as(&f, LH_REASON_GONE, "1", last);
    TAKE(&f, "a", &run);
    EXPECT_INT(run.reason, LH_REASON_GONE);
    EXPECT_STR(run.uid, "1");
    cr_expect(run.last == last, "last state is %p, expected %p", (const void *) run.last,
              (const void *) last);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "");
}

Test(tombstone, comes_before_the_new_object)
{
    FIXTURE(f);
    bury(&f, "1");
    add(&f, "a");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    run_uid(&f, LH_REASON_CHANGED, "", QUEUE_DONE);
    RUN(&f, "");
}

Test(tombstone, takes_the_place_of_a_run_for_the_object_that_it_buries)
{
    FIXTURE(f);
    add(&f, "a");
    bury(&f, "1");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    RUN(&f, "");
}

Test(tombstone, several_are_delivered_in_order_one_run_each)
{
    FIXTURE(f);
    bury(&f, "1");
    bury(&f, "2");
    bury(&f, "3");
    add(&f, "a");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    run_uid(&f, LH_REASON_GONE, "2", QUEUE_DONE);
    run_uid(&f, LH_REASON_GONE, "3", QUEUE_DONE);
    run_uid(&f, LH_REASON_CHANGED, "", QUEUE_DONE);
}

Test(tombstone, more_than_eight_are_merged_into_the_oldest_and_counted)
{
    metrics_t *m = metrics_create();

    {
        FIXTURE(f, .metrics = m);
        char uid[8];

        for (int i = 0; i < 11; i++) {
            snprintf(uid, sizeof(uid), "%d", i);
            bury(&f, uid);
        }
        for (int i = 3; i < 11; i++) {
            snprintf(uid, sizeof(uid), "%d", i);
            run_uid(&f, LH_REASON_GONE, uid, QUEUE_DONE);
        }
        RUN(&f, "");
    }
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    metrics_render(m, METRICS_TEXT, &out);
    EXPECT_HAS(buf_text(&out),
               "leasehold_workqueue_merged_tombstones_total{name=\"test\",controller=\"test\"} 3");
    metrics_destroy(m);
}

Test(tombstone, left_that_turns_out_gone_is_one_run)
{
    FIXTURE(f);
    bury_as(&f, LH_REASON_LEFT, "1", NULL);
    bury(&f, "1");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    RUN(&f, "");
}

Test(tombstone, left_that_was_delivered_and_turns_out_gone_is_a_second_run)
{
    FIXTURE(f);
    bury_as(&f, LH_REASON_LEFT, "1", NULL);
    run_uid(&f, LH_REASON_LEFT, "1", QUEUE_DONE);
    bury(&f, "1");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    RUN(&f, "");
}

Test(tombstone, added_during_a_run_is_one_more_run)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    bury(&f, "1");
    RUN(&f, "");
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    RUN(&f, "");
}

Test(tombstone, a_failed_run_is_repeated_with_it_before_the_new_object)
{
    FIXTURE(f);
    bury(&f, "1");
    add(&f, "a");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_RETRY);
    RUN(&f, "");
    f.now = queue_next(f.q);
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    run_uid(&f, LH_REASON_CHANGED, "", QUEUE_DONE);
}

Test(tombstone, is_delivered_again_when_put_back)
{
    FIXTURE(f);
    bury(&f, "1");
    bury(&f, "2");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_PUT_BACK);
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    run_uid(&f, LH_REASON_GONE, "2", QUEUE_DONE);
}

/* The object was reported as gone twice: once by its tombstone, once because it was not there. */
Test(tombstone, takes_the_place_of_a_run_that_is_put_back)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    bury(&f, "1");
    queue_finish(f.q, run.entry, QUEUE_PUT_BACK, 0, f.now);
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    RUN(&f, "");
}

Test(tombstone, ends_the_delay_of_a_requeued_object)
{
    FIXTURE(f);
    add_after(&f, "a", CLOCK_S);
    bury(&f, "1");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    f.now += 10 * CLOCK_S;
    RUN(&f, "");
}

Test(tombstone, a_delay_asked_for_in_its_run_does_not_delay_the_new_object)
{
    FIXTURE(f);
    queue_run_t run;

    bury(&f, "1");
    add(&f, "a");
    TAKE(&f, "a", &run);
    add_after(&f, "a", CLOCK_S);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    run_uid(&f, LH_REASON_CHANGED, "", QUEUE_DONE);
}

Test(tombstone, the_failures_of_an_object_end_with_it)
{
    FIXTURE(f);
    queue_run_t run;

    add(&f, "a");
    TAKE(&f, "a", &run);
    queue_finish(f.q, run.entry, QUEUE_RETRY, 0, f.now);
    bury(&f, "1");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_FAIL);
    add(&f, "a");
    TAKE(&f, "a", &run);
    EXPECT_INT(run.attempt, 0);
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
}

Test(tombstone, is_as_urgent_as_a_live_event)
{
    FIXTURE(f);
    add_initial(&f, "b");
    add_initial(&f, "a");
    bury(&f, "1");
    run_uid(&f, LH_REASON_GONE, "1", QUEUE_DONE);
    RUN(&f, "b");
}

Test(tombstone, those_of_a_cleared_queue_are_released)
{
    FIXTURE(f);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *last = snapshot();
    queue_run_t run;

    bury_as(&f, LH_REASON_GONE, "1", last);
    TAKE(&f, "a", &run);
    bury_as(&f, LH_REASON_GONE, "2", last);
    queue_clear(f.q);
    EXPECT_STR(run.uid, "1");
    queue_finish(f.q, run.entry, QUEUE_DONE, 0, f.now);
    RUN(&f, "");
}
