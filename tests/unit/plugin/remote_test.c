/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a worker process, and what it may ask for. */
#include "remote_rig.h"

TestSuite(remote, .init = setup, .timeout = 60);

/* -- Life -- */

Test(remote, a_life_goes_through_all_its_states)
{
    start_active(1);
    end_well();
    EXPECT_STR(fake.log_text, "0 1 deactivated");
    EXPECT_INT(owner.loaded, 1);
    EXPECT_INT(owner.created, 1);
    EXPECT_INT(owner.deactivated, 1);
}

Test(remote, two_terms_in_one_process)
{
    start_active(1);
    expect_result("a", "0 0 default/a u0 reason 0 attempt 2 term 9");
    runner->ops->deactivate(runner);
    AWAIT(deactivated, 1);
    runner->ops->activate(runner, 2000);
    AWAIT(activated, 2);
    expect_result("b", "0 0 default/b u0 reason 0 attempt 2 term 9");
    runner->ops->deactivate(runner);
    AWAIT(deactivated, 2);
    end_well();
}

Test(remote, a_refusal_of_create_comes_with_its_text)
{
    start("{\"do\":\"create-refuse\"}", 1);
    AWAIT(created, 1);
    EXPECT_INT(owner.code, LH_EINVAL);
    EXPECT_HAS(owner.text, "no luck today");
    runner->ops->destroy(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 0);
}

Test(remote, a_refusal_of_activate_comes_with_its_text)
{
    start("{\"do\":\"activate-fail\"}", 1);
    AWAIT(created, 1);
    runner->ops->activate(runner, 5);
    AWAIT(activated, 1);
    EXPECT_INT(owner.code, LH_EUNAVAILABLE);
    EXPECT_HAS(owner.text, "not now");
    runner->ops->destroy(runner);
    AWAIT(destroyed, 1);
}

Test(remote, nothing_of_the_process_is_left_at_its_end)
{
    unsigned before = 0, after = 0;
    DIR *d = opendir("/proc/self/fd");

    while (readdir(d) != NULL)
        before++;
    closedir(d);
    start_active(2);
    end_well();
    /* The serving thread frees after its last report. */
    for (unsigned i = 0; i < 1000; i++) {
        after = 0;
        d = opendir("/proc/self/fd");
        while (readdir(d) != NULL)
            after++;
        closedir(d);
        if (after == before)
            break;
        poll(NULL, 0, 5);
    }
    EXPECT_INT(after, before);
    EXPECT_INT(waitpid(-1, NULL, WNOHANG), -1);
}

/* -- Services -- */

Test(remote, a_job_arrives_with_its_objects)
{
    start_active(1);
    fake.object_size = 3u << 20;
    watch_snapshot_t *big = fake_object(&fake, 0);
    size_t len;
    char expected[128];

    watch_snapshot_text(big, &len);
    reconcile(1, "a", big);
    watch_snapshot_unref(big);
    AWAIT_FAKE(completions, 1);
    snprintf(expected, sizeof(expected), "%zu 0 default/a u0 reason 0 attempt 2 term 9", len);
    EXPECT_STR(fake.result_text, expected);
    EXPECT_INT(fake.last_completion, 1);
    AWAIT(returned, 1);
    EXPECT_INT(runner->ops->inside(runner), 0);
    end_well();
}

Test(remote, cache_get_gives_objects_and_errors)
{
    start_active(1);
    expect_result("get", "cache: none");
    fake.objects = 1;
    fake.object_size = 0;
    reconcile(7, "get", NULL);
    AWAIT_FAKE(completions, 2);
    EXPECT_HAS(fake.result_text, "\"name\":\"o0\"");
    end_well();
}

/* Runs one reconcile with the object of its key at version 9; the host's cache has version 5 or newer. */
static void run_with_object(const char *name)
{
    const unsigned before = fake.completions;
    watch_snapshot_t *object = NULL;
    lh_error_t err = {0};
    char text[160];

    snprintf(text, sizeof(text),
             "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\","
             "\"resourceVersion\":\"9\"}}",
             name);
    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &object, &err), err);
    fake.objects = 1;
    reconcile(before + 1, name, object);
    watch_snapshot_unref(object);
    AWAIT_FAKE(completions, before + 1);
}

Test(remote, the_first_read_of_the_object_that_came_with_a_job_asks_nobody)
{
    unsigned gets;

    start_active(1);
    do { /* again when the machine was busy for longer than the object is fresh */
        gets = fake.gets;
        run_with_object("reads");
    } while (fake.gets == gets + 2 && fake.completions < 50);
    EXPECT_STR(fake.result_text, "v9 v5 ");
    EXPECT_INT(fake.gets, gets + 1);
    end_well();
}

Test(remote, a_read_after_a_write_or_a_walk_asks_the_host)
{
    start_active(1);
    run_with_object("write-and-read");
    EXPECT_STR(fake.result_text, "v6 ");
    run_with_object("walk-and-read");
    EXPECT_STR(fake.result_text, "v6 ");
    EXPECT_INT(fake.gets, 2);
    end_well();
}

Test(remote, a_walk_over_100000_objects_takes_few_round_trips)
{
    fake.objects = 100000;
    start_active(1);
    const int64_t begin = clock_now();

    reconcile(1, "walk", NULL);
    AWAIT_FAKE(completions, 1);
    EXPECT_STR(fake.result_text, "100000 objects, 30000000 bytes, 0");
    EXPECT_INT(fake.nexts, 100001);
    fprintf(stderr, "100000 objects in %lld ms\n", (long long) ((clock_now() - begin) / CLOCK_MS));
    end_well();
}

Test(remote, a_walk_over_objects_larger_than_a_frame)
{
    fake.objects = 7;
    fake.object_size = 1u << 20;
    start_active(1);
    expect_result("walk", "7 objects, 7340032 bytes, 0");
    end_well();
}

Test(remote, an_empty_walk_ends_at_once)
{
    start_active(1);
    expect_result("walk", "0 objects, 0 bytes, 0");
    end_well();
}

/* It showed what a batch had held before the plugin's own writes; in a thread it did not. */
Test(remote, a_walk_shows_what_the_plugin_has_written_meanwhile)
{
    fake.objects = 4; /* one batch */
    start_active(1);
    expect_result("walk-and-write", "o0 v5, o1 v6, o2 v7, o3 v8, ");
    end_well();
}

Test(remote, walks_that_are_left_early_are_freed)
{
    fake.objects = 100; /* more than a batch */
    fake.object_size = 8192;
    start_active(1);
    expect_result("walks", "0");
    EXPECT_INT(fake.lists, 1000);
    end_well();
}

Test(remote, a_worker_keeps_so_many_walks_and_no_more)
{
    fake.objects = 1;
    start_active(1);
    expect_result("hoard",
                  "256, then 256: cache_list: 256 walks are under way; release their cursors");
    end_well();
}

/* 256 walks of 100000 objects each took 1.6 GB of the host's memory. */
Test(remote, a_worker_keeps_walks_of_so_many_objects_together)
{
    fake.objects = 1;
    fake.walk_names = 3000000;
    start_active(1);
    expect_result("hoard",
                  "2, then 2: cache_list: walks of 6000000 objects are under way, and this one "
                  "is of 3000000 more; release their cursors");
    end_well();
}

Test(remote, one_walk_alone_may_be_of_any_number)
{
    fake.objects = 1;
    fake.walk_names = 9000000;
    start_active(1);
    expect_result("hoard",
                  "1, then 1: cache_list: walks of 9000000 objects are under way, and this one "
                  "is of 9000000 more; release their cursors");
    end_well();
}

Test(remote, a_blocking_call_and_an_async_one_bring_the_answer)
{
    start_active(1);
    expect_result("call", "201 11 {\"ok\":true}");
    expect_result("async", "{\"ok\":true}");
    end_well();
}

Test(remote, a_large_answer_comes_whole)
{
    fake.response_size = 16u << 20;
    start_active(1);
    expect_result("call", "201 16777216 yyyyyyyyyyyyyyyyyyyy");
    end_well();
}

Test(remote, more_requests_than_there_is_credit_for_wait_in_the_worker)
{
    start_active(1);
    expect_result("many", "1000 answers");
    EXPECT_INT(fake.requests, 1000);
    end_well();
}

/* It waited for the answer to another one, which a silent API server need not give for long. */
Test(remote, a_request_that_waits_for_credit_hears_of_the_cancellation)
{
    fake.hold_requests = true;
    start_active(1);
    reconcile(1, "fill", NULL);
    AWAIT_FAKE(requests, PLUGIN_WIRE_REQUESTS);
    FAKE_LOCKED(&fake, fake.ctx_code = LH_ECANCELED);
    runner->ops->cancel(runner);
    AWAIT_FAKE(completions, 1);
    EXPECT_STR(fake.result_text, "-5");
    fake_answer_all(&fake, 0);
    AWAIT(returned, 1);
    end_well();
}

Test(remote, a_request_that_fails_brings_its_error)
{
    fake.hold_requests = true;
    start_active(1);
    reconcile(1, "call", NULL);
    AWAIT_FAKE(requests, 1);
    fake_answer_all(&fake, LH_EUNKNOWN);
    AWAIT_FAKE(completions, 1);
    EXPECT_STR(fake.result_text, "as the test wants it");
    EXPECT_INT(fake.result.action, LH_RETRY);
    end_well();
}

Test(remote, a_dead_ctx_is_refused_by_the_host_for_every_call)
{
    start_active(1);
    fake.ctx_code = LH_EFENCED;
    expect_result("call", "the term is over; nothing was sent");
    expect_result("async", "the term is over; nothing was sent");
    expect_result("get", "the term is over; nothing was sent");
    expect_result("walk", "0 objects, 0 bytes, -6");
    EXPECT_INT(fake.requests, 0);
    end_well();
}

Test(remote, reports_reach_the_backend)
{
    start_active(1);
    watch_snapshot_t *object = fake_object(&fake, 0);

    reconcile(4, "reports", object);
    watch_snapshot_unref(object);
    AWAIT_FAKE(completions, 1);
    EXPECT_STR(fake.result_text, "reported");
    EXPECT_INT(fake.result.action, LH_REQUEUE_AFTER);
    EXPECT_STR(fake.log_text, "4 2 a line");
    EXPECT_STR(fake.ready_text, "warming up");
    EXPECT_STR(fake.event_text, "1 default/o0 u0: a \"note\"");
    EXPECT_STR(fake.event_reason, "Seen");
    EXPECT_STR(fake.metric_text, "seen_total{code=200} 2.5");
    EXPECT_STR(fake.enqueued, "0 default/other");
    end_well();
}

Test(remote, a_flood_of_logs_is_taken_without_loss)
{
    start_active(1);
    expect_result("flood", "flooded");
    EXPECT_INT(fake.logs, 20000);
    end_well();
}

Test(remote, the_worker_has_no_secrets_of_the_environment)
{
    setenv("KUBECONFIG", "/secret", 1);
    start_active(1);
    expect_result("environment", "clean");
    end_well();
}

/* -- Cancelling -- */

Test(remote, cancelled_is_answered_in_the_worker_until_the_host_cancels)
{
    start_active(1);
    reconcile(1, "until-cancelled", NULL);
    AWAIT_FAKE(logs, 1);
    poll(NULL, 0, 50);
    EXPECT_INT(fake.states, 0);
    fake.ctx_code = LH_ECANCELED;
    runner->ops->cancel(runner);
    AWAIT_FAKE(completions, 1);
    EXPECT_STR(fake.result_text, "-5 -5");
    cr_expect(fake.states >= 1, "the host was not asked");
    end_well();
}

Test(remote, cancel_gives_back_the_jobs_that_have_not_started)
{
    start_active(1);
    reconcile(1, "until-cancelled", NULL);
    AWAIT_FAKE(logs, 1);
    reconcile(2, "a", NULL);
    reconcile(3, "b", NULL);
    EXPECT_INT(runner->ops->inside(runner), 3);
    fake.ctx_code = LH_ECANCELED;
    runner->ops->cancel(runner);
    AWAIT(returned, 3);
    EXPECT_INT(owner.not_ran, 2);
    EXPECT_INT(fake.completions, 1);
    EXPECT_INT(runner->ops->inside(runner), 0);
    end_well();
}

Test(remote, what_is_taken_back_comes_back_latest_first_and_the_rest_goes_on)
{
    start_active(1);
    reconcile(1, "until-cancelled", NULL);
    AWAIT_FAKE(logs, 1);
    reconcile(2, "a", NULL);
    reconcile(3, "b", NULL);
    runner->ops->take_back(runner);
    AWAIT(returned, 2);
    EXPECT_INT(owner.not_ran, 2);
    EXPECT_INT(owner.last, 2);
    EXPECT_INT(runner->ops->inside(runner), 1);
    EXPECT_INT(fake.states, 0); /* its ctx is live, and the host is not asked */
    EXPECT_INT(fake.completions, 0);
    fake.ctx_code = LH_ECANCELED;
    runner->ops->cancel(runner);
    AWAIT(returned, 3);
    EXPECT_INT(owner.not_ran, 2);
    EXPECT_INT(fake.completions, 1);
    end_well();
}
