/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance: terms, runs, results, cancellation, what is given up. */
#include "runtime_rig.h"

#include <unistd.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool nothing_runs(rig_t *r, const void *arg)
{
    (void) arg;
    return rig_series(r, "controller_runtime_active_workers{controller=\"puppet\"}") == 0;
}

Test(runtime, initial_objects_are_reconciled_once_with_that_reason)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("one", "two"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_until_count(r, "runs", "two", "reason 4", 1);
    rig_idle(r);
    EXPECT_INT(rig_count(r, "runs", "one", "reason 4"), 1);
    EXPECT_INT(rig_count(r, "activated", "live", ""), 1);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    EXPECT_INT(rig_count(r, "deactivated", "", ""), 1);
    rig_destroy(r);
}

Test(runtime, nothing_runs_before_the_first_list_is_complete)
{
    rig_t *r = rig_create(NULL);

    r->fence = fence_create(1, CLOCK_NEVER);
    plugin_instance_begin(r->instance, r->fence);
    rig_until_count(r, "activated", "live", "", 1);
    for (int i = 0; i < 5 && fake_kube_find(r->kube, "watch=") == NULL; i++) {
        fake_kube_answer_lookups(r->kube);
        rig_idle(r);
    }
    rig_event(r, "ADDED", "early", 1);
    rig_idle(r);
    EXPECT_INT(rig_count(r, "runs", "early", "reason 4"), 0);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_change_runs_again_and_a_deletion_comes_with_the_last_state)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_event(r, "MODIFIED", "one", 101);
    rig_until_count(r, "runs", "one", "reason 0", 1);
    rig_event(r, "DELETED", "one", 102);
    rig_until_count(r, "runs", "one", "reason 1", 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_retry_comes_with_back_off_and_the_next_attempt)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("retry"));
    rig_until_count(r, "attempts", "retry", "attempt 0", 1);
    rig_until(r, nothing_runs, NULL, "the first run is over");
    EXPECT_INT(rig_count(r, "attempts", "retry", "attempt 1"), 0);
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "attempts", "retry", "attempt 1", 1);
    EXPECT_INT(
        rig_series(r, "controller_runtime_reconcile_errors_total{controller=\"puppet\"}") >= 1, 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, requeue_after_comes_at_its_time)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("later"));
    rig_until_count(r, "runs", "later", "reason 4", 1);
    rig_until(r, nothing_runs, NULL, "the first run is over");
    fake_clock_advance(5 * CLOCK_S - 1);
    rig_idle(r);
    EXPECT_INT(rig_count(r, "runs", "later", "reason 3"), 0);
    fake_clock_advance(1);
    rig_until_count(r, "runs", "later", "reason 3", 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_failure_for_good_is_not_run_again)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("fail"));
    rig_until_count(r, "runs", "fail", "reason 4", 1);
    rig_until(r, nothing_runs, NULL, "the run is over");
    fake_clock_advance(3600 * CLOCK_S);
    rig_idle(r);
    EXPECT_INT(rig_count(r, "runs", "fail", "reason 3"), 0);
    EXPECT_INT(rig_series(r, "controller_runtime_terminal_reconcile_errors_total"
                             "{controller=\"puppet\"}"),
               1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_second_completion_is_counted_and_ignored)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("twice", "one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_until_count(r, "runs", "twice", "reason 4", 1);
    rig_until_count(r, "state_after", "-5", "", 2); /* the ctx of a completed run is dead */
    rig_until_series(r, "leasehold_plugin_stray_completions_total{controller=\"puppet\"}", 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

static bool request_is_sent(rig_t *r, const void *arg)
{
    return fake_kube_find(r->kube, arg) != NULL;
}

#define OUT "/configmaps/out"

Test(runtime, a_call_waits_for_its_answer)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("get"));
    rig_until(r, request_is_sent, OUT, "the request is sent");
    EXPECT_STR(fake_kube_request(fake_kube_find(r->kube, OUT))->method, "GET");
    fake_kube_end(fake_kube_find(r->kube, OUT), 200, "{}");
    rig_until_count(r, "got", "0", "", 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_blocked_read_is_woken_by_the_end_of_the_term)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("get"));
    rig_until(r, request_is_sent, OUT, "the request is sent");
    rig_end(r, false, CLOCK_S);
    rig_until_count(r, "got", "-5", "", 1);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_write_under_way_is_answered_during_a_voluntary_stop)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("put"));
    rig_until(r, request_is_sent, OUT, "the request is sent");
    rig_end(r, false, CLOCK_S);
    rig_idle(r);
    EXPECT_INT(r->rested, 0);
    fake_kube_end(fake_kube_find(r->kube, OUT), 200,
                  "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\",\"namespace\":\"ns\","
                  "\"uid\":\"u\",\"resourceVersion\":\"200\"}}");
    rig_until_count(r, "put", "0", "", 1);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, the_cache_shows_an_acknowledged_write_at_once)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("put"));
    rig_until(r, request_is_sent, OUT, "the request is sent");
    fake_kube_end(fake_kube_find(r->kube, OUT), 200,
                  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"out\","
                  "\"namespace\":\"ns\",\"uid\":\"u\",\"resourceVersion\":\"200\"}}");
    rig_until_count(r, "seen", "0", "", 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_closed_fence_refuses_a_write_before_the_loop_has_heard_of_it)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("hang"));
    rig_until_count(r, "runs", "hang", "reason 4", 1);
    fence_close(r->fence);
    cr_assert(write(r->pipe[1], "x", 1) == 1);
    rig_until_count(r, "after_hang", "-6", "", 1); /* LH_EFENCED */
    cr_expect(fake_kube_find(r->kube, OUT) == NULL, "a write was sent under a closed fence");
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_run_that_never_completes_is_given_up_at_the_deadline)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("never"));
    rig_until_count(r, "runs", "never", "reason 4", 1);
    rig_end(r, false, CLOCK_S);
    rig_idle(r);
    EXPECT_INT(r->rested, 0);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_until_count(r, "destroyed", "", "", 1); /* the old one, for nothing was inside it */
    rig_until_count(r, "created", "", "", 2);
    rig_lead(r, 2, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_call_that_hangs_gets_a_fresh_instance_and_stays_fenced)
{
    rig_t *r = rig_create(NULL);

    rig_lead(r, 1, WORDS("hang"));
    rig_until_count(r, "runs", "hang", "reason 4", 1);
    rig_end(r, true, CLOCK_S / 5);
    fake_clock_advance(CLOCK_S / 5);
    rig_until_flag(r, &r->rested, "rested");
    EXPECT_INT(rig_series(r, "leasehold_plugin_abandoned_calls{controller=\"puppet\"}"), 1);
    EXPECT_INT(rig_count(r, "deactivated", "", ""), 0); /* never while a call is inside */
    rig_lead(r, 2, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);

    cr_assert(write(r->pipe[1], "x", 1) == 1); /* it wakes in the second term and writes */
    EXPECT_INT(rig_series(r, "controller_runtime_reconcile_timeouts_total{controller=\"puppet\"}"),
               1);
    EXPECT_INT(rig_series(r, "controller_runtime_reconcile_panics_total{controller=\"puppet\"}"),
               0);
    rig_until_count(r, "after_hang", "-6", "", 1);
    rig_until_count(r, "destroyed", "", "", 1);
    EXPECT_INT(rig_count(r, "deactivated", "", ""), 1);
    cr_expect(fake_kube_find(r->kube, OUT) == NULL, "a write of the first term was sent");
    rig_until_series(r, "leasehold_plugin_abandoned_calls{controller=\"puppet\"}", 0);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, a_refused_create_is_the_instances_own_problem)
{
    rig_t *r = rig_create("{\"create\":\"refuse\"}");

    rig_until_health(r, "create: I will not");
    r->fence = fence_create(1, CLOCK_NEVER);
    plugin_instance_begin(r->instance, r->fence);
    rig_idle(r);
    rig_end(r, false, CLOCK_S);
    EXPECT_INT(r->rested, 1);
    rig_destroy(r);
}

Test(runtime, a_failed_instance_makes_the_host_unready_where_plugins_are_required_alone)
{
    rig_t *shown = rig_create("{\"create\":\"refuse\"}");
    rig_t *required = rig_create_with(
        &(rig_options_t){.config = "{\"create\":\"refuse\"}", .counts = HEALTH_READYZ});

    rig_until_health(shown, "create: I will not");
    rig_until_health(shown, "readyz check passed");
    rig_until_health(required, "create: I will not");
    rig_until_health(required, "readyz check failed");
    rig_destroy(shown);
    rig_destroy(required);
}

Test(runtime, a_failed_activation_is_tried_again_after_a_delay)
{
    rig_t *r = rig_create("{\"activate\":\"fail\"}");

    r->fence = fence_create(1, CLOCK_NEVER);
    plugin_instance_begin(r->instance, r->fence);
    rig_until_health(r, "activate: not now");
    EXPECT_INT(rig_count(r, "activated", "live", ""), 1);
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "activated", "live", "", 2);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(runtime, an_activation_that_hangs_is_given_up_a_second_after_its_ten)
{
    char config[64];
    rig_t *r = rig_create(NULL);

    snprintf(config, sizeof(config), "{\"fd\":%d,\"activate\":\"hang\"}", r->pipe[0]);
    rig_destroy(r);
    r = rig_create(config); /* the pipe gets the same numbers */
    r->fence = fence_create(1, CLOCK_NEVER);
    plugin_instance_begin(r->instance, r->fence);
    rig_until_count(r, "activated", "live", "", 1);
    fake_clock_advance(10 * CLOCK_S);
    rig_idle(r);
    fake_clock_advance(CLOCK_S);
    rig_until_health(r, "activate has not returned after 10 s");
    rig_end(r, false, CLOCK_S);
    EXPECT_INT(r->rested, 1);
    cr_assert(write(r->pipe[1], "x", 1) == 1);
    rig_until_count(r, "destroyed", "", "", 1);
    rig_destroy(r);
}

Test(runtime, twenty_terms_leave_nothing_behind)
{
    rig_t *r = rig_create(NULL);

    for (uint64_t term = 1; term <= 20; term++) {
        rig_lead(r, term, WORDS("one"));
        rig_until_count(r, "runs", "one", "reason 4", (double) term);
        rig_end(r, term % 2 == 0, CLOCK_S);
        rig_until_flag(r, &r->rested, "rested");
    }
    EXPECT_INT(rig_count(r, "created", "", ""), 1);
    EXPECT_INT(rig_count(r, "activated", "live", ""), 20);
    EXPECT_INT(rig_count(r, "deactivated", "", ""), 20);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    rig_destroy(r);
}
