/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance where it does not go straight: ends and stops that come early or twice, a
 * plugin that hangs, refuses or lingers. (runtime_test.c has the straight one.) */
#include "runtime_rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* What the hooks of this file count, and where they wait. */
typedef struct seen {
    hooks_t hooks; /* first */
    rig_t *rig;
    sem_t go;
    _Atomic int created, destroyed, activated, deactivated, reconciled;
    _Atomic int ran, freed, answered, code;
    lh_ctx_t ctx;
    lh_completion_t completion;
} seen_t;

static seen_t *seen_of(hooks_t *h)
{
    return (seen_t *) h;
}

static void wait_to_go(seen_t *s)
{
    while (sem_wait(&s->go) < 0 && errno == EINTR)
        ;
}

static int count_create(hooks_t *h, lh_error_t *err)
{
    (void) err;
    seen_of(h)->created++;
    return 0;
}

static void count_destroy(hooks_t *h)
{
    seen_of(h)->destroyed++;
}

static int count_activate(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) err;
    seen_of(h)->ctx = ctx;
    seen_of(h)->activated++;
    return 0;
}

static void count_deactivate(hooks_t *h)
{
    seen_of(h)->deactivated++;
}

static void keep_completion(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    seen_of(h)->ctx = request->ctx;
    seen_of(h)->completion = completion;
    seen_of(h)->reconciled++;
}

static void complete(hooks_t *h, lh_completion_t completion)
{
    const lh_result_t done = {.struct_size = sizeof(done)};

    h->host->complete(h->host, completion, &done);
}

static seen_t *seen_create(void)
{
    seen_t *s = host_xcalloc(1, sizeof(*s));

    s->hooks = (hooks_t){.create = count_create,
                         .destroy = count_destroy,
                         .activate = count_activate,
                         .deactivate = count_deactivate};
    sem_init(&s->go, 0, 0);
    return s;
}

static void seen_start(seen_t *s)
{
    s->rig = rig_create_with(&(rig_options_t){.hooks = &s->hooks});
}

static void seen_destroy(seen_t *s)
{
    rig_destroy(s->rig);
    sem_destroy(&s->go);
    free(s);
}

static bool reached(rig_t *r, const void *arg)
{
    (void) r;
    return *(const _Atomic int *) arg > 0;
}

/* Without turning the loop: what the plugin's threads do by themselves. */
static void await(const _Atomic int *count)
{
    for (int i = 0; i < 5000 && *count == 0; i++)
        poll(NULL, 0, 1);
    cr_assert(*count > 0, "waited 5 s in vain");
    poll(NULL, 0, 20); /* what follows on that thread */
}

/* -- Stop -- */

static int slow_create(hooks_t *h, lh_error_t *err)
{
    wait_to_go(seen_of(h));
    return count_create(h, err);
}

Test(instance, a_stop_while_it_is_created_ends_as_soon_as_create_returns)
{
    seen_t *s = seen_create();

    s->hooks.create = slow_create;
    s->rig = rig_create_with(&(rig_options_t){.hooks = &s->hooks, .unsettled = true});
    plugin_instance_stop(s->rig->instance, clock_now() + 60 * CLOCK_S);
    rig_idle(s->rig);
    EXPECT_INT(s->rig->ended, 0);
    sem_post(&s->go);
    rig_until_flag(s->rig, &s->rig->ended, "ended, long before the deadline");
    EXPECT_INT(s->destroyed, 1);
    seen_destroy(s);
}

static int slow_refusal(hooks_t *h, lh_error_t *err)
{
    wait_to_go(seen_of(h));
    snprintf(err->text, sizeof(err->text), "no");
    return -1;
}

Test(instance, a_stop_while_create_refuses_ends_too)
{
    seen_t *s = seen_create();

    s->hooks.create = slow_refusal;
    s->rig = rig_create_with(&(rig_options_t){.hooks = &s->hooks, .unsettled = true});
    plugin_instance_stop(s->rig->instance, clock_now() + 60 * CLOCK_S);
    sem_post(&s->go);
    rig_until_flag(s->rig, &s->rig->ended, "ended, long before the deadline");
    seen_destroy(s);
}

Test(instance, a_create_that_hangs_does_not_hold_up_the_end)
{
    seen_t *s = seen_create();

    s->hooks.create = slow_create;
    s->rig = rig_create_with(&(rig_options_t){.hooks = &s->hooks, .unsettled = true});
    plugin_instance_stop(s->rig->instance, clock_now() + CLOCK_S);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(s->rig, &s->rig->ended, "ended at the deadline");
    cr_expect(plugin_instance_destroy(s->rig->instance),
              "its thread is inside, but nobody says so");
    sem_post(&s->go);
    rig_until(s->rig, reached, &s->destroyed, "it ended by itself");
    rig_idle(s->rig);
    seen_destroy(s);
}

/* The runner frees itself on its own thread; news of that is still in the loop's queue when the
 * deadline comes. */
Test(instance, a_deadline_that_comes_just_after_the_runner_is_gone_does_not_touch_it)
{
    seen_t *s = seen_create();

    seen_start(s);
    plugin_instance_stop(s->rig->instance, clock_now() + CLOCK_S);
    await(&s->destroyed);
    fake_clock_advance(CLOCK_S);
    loop_turn(s->rig->loop);
    EXPECT_INT(s->rig->ended, 1);
    seen_destroy(s);
}

Test(instance, a_stop_ends_a_term_that_is_on)
{
    seen_t *s = seen_create();

    seen_start(s);
    s->hooks.reconcile = keep_completion;
    rig_lead(s->rig, 1, (const char *const[]){"one", NULL});
    rig_until(s->rig, reached, &s->reconciled, "reconciled");
    plugin_instance_stop(s->rig->instance, clock_now() + 60 * CLOCK_S);
    rig_until_flag(s->rig, &s->rig->ended, "ended");
    EXPECT_INT(s->deactivated, 1);
    EXPECT_INT(s->destroyed, 1);
    EXPECT_INT(fake_kube_open(s->rig->kube), 0);
    seen_destroy(s);
}

/* It was ignored, but not counted. */
Test(instance, a_completion_after_destroy_is_counted_and_ignored)
{
    seen_t *s = seen_create();

    seen_start(s);
    s->hooks.reconcile = keep_completion;
    rig_lead(s->rig, 1, (const char *const[]){"one", NULL});
    rig_until(s->rig, reached, &s->reconciled, "reconciled");
    complete(&s->hooks, s->completion);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    plugin_instance_stop(s->rig->instance, clock_now() + 60 * CLOCK_S);
    rig_until_flag(s->rig, &s->rig->ended, "ended");
    complete(&s->hooks, s->completion); /* its runner is freed by now */
    rig_idle(s->rig);
    EXPECT_INT(
        rig_series(s->rig, "leasehold_plugin_stray_completions_total{controller=\"puppet\"}"), 1);
    EXPECT_INT(s->destroyed, 1);
    seen_destroy(s);
}

/* -- Create -- */

static void ran(void *arg)
{
    ((seen_t *) arg)->ran++;
}

static void freed(void *arg)
{
    ((seen_t *) arg)->freed++;
}

static int refuse_after_post(hooks_t *h, lh_error_t *err)
{
    const lh_host_t *host = h->host;

    EXPECT_INT(host->post(host, ran, h, freed, NULL), 0);
    snprintf(err->text, sizeof(err->text), "no");
    err->code = 7; /* no error code */
    return -1;
}

Test(instance, what_a_refused_create_has_posted_is_freed_and_never_run)
{
    seen_t *s = seen_create();

    s->hooks.create = refuse_after_post;
    seen_start(s);
    EXPECT_INT(s->ran, 0);
    EXPECT_INT(s->freed, 1);
    EXPECT_INT(s->destroyed, 0);
    rig_until_health(s->rig, "create: no");
    seen_destroy(s);
}

/* -- Activate -- */

static int unterminated(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) ctx;
    memset(err->text, 'x', sizeof(err->text));
    return seen_of(h)->activated++ == 0 ? LH_EAPI : 0;
}

Test(instance, an_error_text_without_an_end_is_cut)
{
    seen_t *s = seen_create();

    s->hooks.activate = unterminated;
    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until(s->rig, reached, &s->activated, "activated");
    rig_idle(s->rig);
    rig_until_health(s->rig, "activate: xxx");
    rig_end(s->rig, false, CLOCK_S);
    EXPECT_INT(s->rig->rested, 1);
    seen_destroy(s);
}

static int positive(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) ctx;
    (void) err;
    seen_of(h)->activated++;
    return 3;
}

Test(instance, a_number_that_is_no_error_code_is_a_failure)
{
    seen_t *s = seen_create();

    s->hooks.activate = positive;
    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until(s->rig, reached, &s->activated, "activated");
    rig_idle(s->rig);
    rig_until_health(s->rig, "activate returned 3");
    rig_end(s->rig, false, CLOCK_S);
    EXPECT_INT(s->deactivated, 0);
    seen_destroy(s);
}

static int fail_once(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) ctx;
    snprintf(err->text, sizeof(err->text), "not now");
    return seen_of(h)->activated++ == 0 ? LH_EUNAVAILABLE : 0;
}

Test(instance, a_new_term_does_not_wait_for_the_delay_of_the_last)
{
    seen_t *s = seen_create();

    s->hooks.activate = fail_once;
    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until_health(s->rig, "not now");
    rig_end(s->rig, false, CLOCK_S);
    EXPECT_INT(s->rig->rested, 1);
    rig_lead(s->rig, 2, NULL);
    EXPECT_INT(s->activated, 2);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    EXPECT_INT(s->deactivated, 1);
    seen_destroy(s);
}

static int slow_activate(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) count_activate(h, ctx, err);
    wait_to_go(seen_of(h));
    return 0;
}

Test(instance, an_end_while_it_is_activated_deactivates_it_then)
{
    seen_t *s = seen_create();

    s->hooks.activate = slow_activate;
    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until(s->rig, reached, &s->activated, "activated");
    rig_end(s->rig, false, CLOCK_S);
    EXPECT_INT(s->hooks.host->cancelled(s->hooks.host, s->ctx), LH_ECANCELED);
    rig_idle(s->rig);
    EXPECT_INT(s->rig->rested, 0);
    sem_post(&s->go);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    EXPECT_INT(s->deactivated, 1);
    EXPECT_INT(fake_kube_lookups(s->rig->kube), 0); /* no watch was opened */
    seen_destroy(s);
}

Test(instance, activations_that_hang_are_given_up_for_as_many_as_there_are_workers)
{
    seen_t *s = seen_create();

    s->hooks.activate = slow_activate;
    seen_start(s); /* two workers */
    for (uint64_t term = 1; term <= 3; term++) {
        s->activated = 0;
        rig_begin(s->rig, term);
        rig_until(s->rig, reached, &s->activated, "activated");
        rig_end(s->rig, true, CLOCK_S);
        fake_clock_advance(CLOCK_S);
        rig_until_flag(s->rig, &s->rig->rested, "rested");
    }
    rig_until_health(s->rig, "too many calls never returned");
    EXPECT_INT(s->created, 3); /* and none in the place of the third */
    for (int i = 0; i < 3; i++)
        sem_post(&s->go);
    for (int i = 0; i < 500 && s->destroyed < 3; i++)
        rig_idle(s->rig);
    EXPECT_INT(s->destroyed, 3);
    rig_until_health(s->rig, "ok"); /* now there is one */
    EXPECT_INT(s->created, 4);
    seen_destroy(s);
}

/* Waits, as for an API server that is silent, until its call is ended. */
static int patient_activate(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    const struct timespec step = {0, 1000000};

    (void) count_activate(h, ctx, err);
    while (seen_of(h)->activated == 1 && h->host->cancelled(h->host, ctx) == 0)
        nanosleep(&step, NULL);
    return seen_of(h)->activated == 1 ? seen_of(h)->code : 0;
}

static seen_t *activated_slowly(int code)
{
    seen_t *s = seen_create();

    s->hooks.activate = patient_activate;
    s->code = code;
    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until(s->rig, reached, &s->activated, "activated");
    fake_clock_advance(10 * CLOCK_S);
    return s;
}

static void then_activated_again(seen_t *s)
{
    s->code = 0;
    fake_clock_advance(CLOCK_S);
    (void) rig_stream(s->rig, "configmaps?"); /* it leads */
    EXPECT_INT(s->activated, 2);
    EXPECT_INT(s->created, 1);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    seen_destroy(s);
}

/* It was off until the host was started again. */
Test(instance, an_activation_that_returns_when_it_is_cancelled_is_tried_again)
{
    seen_t *s = activated_slowly(LH_ECANCELED);

    rig_until_health(s->rig, "activate: ");
    EXPECT_INT(s->deactivated, 0);
    then_activated_again(s);
}

/* Its ctx is dead: everything that it does later by it would fail. */
Test(instance, an_activation_that_succeeds_too_late_is_undone_and_tried_again)
{
    seen_t *s = activated_slowly(0);

    rig_until_health(s->rig, "activate has not returned after 10 s");
    EXPECT_INT(s->deactivated, 1);
    then_activated_again(s);
}

static void deactivate_when_told(hooks_t *h)
{
    wait_to_go(seen_of(h));
    count_deactivate(h);
}

Test(instance, an_end_while_a_late_activation_is_undone_waits_for_it)
{
    seen_t *s = seen_create();

    s->hooks.activate = patient_activate;
    s->hooks.deactivate = deactivate_when_told;
    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until(s->rig, reached, &s->activated, "activated");
    fake_clock_advance(10 * CLOCK_S);
    rig_idle(s->rig);
    rig_end(s->rig, false, CLOCK_S);
    rig_idle(s->rig);
    EXPECT_INT(s->rig->rested, 0);
    sem_post(&s->go);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    EXPECT_INT(s->deactivated, 1);
    EXPECT_INT(s->created, 1);
    seen_destroy(s);
}

/* -- The end of a term -- */

Test(instance, an_end_that_turns_from_voluntary_to_forced_has_the_shorter_time)
{
    seen_t *s = seen_create();

    seen_start(s);
    s->hooks.reconcile = keep_completion;
    rig_lead(s->rig, 1, (const char *const[]){"one", NULL});
    rig_until(s->rig, reached, &s->reconciled, "reconciled");
    rig_end(s->rig, false, 10 * CLOCK_S);
    rig_end(s->rig, true, CLOCK_S);
    rig_end(s->rig, true, 5 * CLOCK_S); /* longer again: does not count */
    fake_clock_advance(CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    seen_destroy(s);
}

Test(instance, an_end_after_the_end_is_answered_again)
{
    seen_t *s = seen_create();

    seen_start(s);
    rig_lead(s->rig, 1, NULL);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_end(s->rig, true, CLOCK_S);
    EXPECT_INT(s->rig->rested, 1);
    EXPECT_INT(s->deactivated, 1);
    seen_destroy(s);
}

static void hang(hooks_t *h)
{
    count_deactivate(h);
    wait_to_go(seen_of(h));
}

/* It once stayed off for good, though on a busy machine it may have been a moment too slow. */
Test(instance, a_deactivate_that_hangs_holds_up_nobody_and_its_instance_until_it_returns)
{
    seen_t *s = seen_create();

    s->hooks.deactivate = hang;
    seen_start(s);
    rig_lead(s->rig, 1, NULL);
    rig_end(s->rig, true, CLOCK_S);
    rig_until(s->rig, reached, &s->deactivated, "deactivate is inside");
    fake_clock_advance(CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_until_health(s->rig, "deactivate, or a callback before it, has not returned");
    EXPECT_INT(s->created, 1);
    EXPECT_INT(rig_series(s->rig, "leasehold_plugin_abandoned_calls{controller=\"puppet\"}"), 1);
    s->activated = s->created = 0;
    rig_begin(s->rig, 2);
    rig_idle(s->rig);
    EXPECT_INT(s->activated, 0);
    sem_post(&s->go);
    rig_until(s->rig, reached, &s->destroyed, "it ended by itself");
    rig_until(s->rig, reached, &s->activated, "a fresh one is activated in the same term");
    EXPECT_INT(s->created, 1);
    sem_post(&s->go); /* its own deactivate */
    seen_destroy(s);
}

Test(instance, a_standby_does_not_show_what_was_wrong_with_the_watches_of_the_last_term)
{
    seen_t *s = seen_create();

    seen_start(s);
    rig_begin(s->rig, 1);
    rig_until(s->rig, reached, &s->activated, "activated");
    rig_idle(s->rig);
    rig_until_health(s->rig, "waiting for the first list");
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_until_health(s->rig, "[+]plugin-puppet ok");
    seen_destroy(s);
}

/* -- Requests and posts -- */

static void on_answer(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    seen_t *s = arg;

    (void) err;
    s->hooks.host->response_release(s->hooks.host, response);
    s->code = code;
    s->answered++;
}

/* Starts a write and completes without waiting for it. */
static void fire_and_forget(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    const lh_api_request_t put = {.struct_size = sizeof(put),
                                  .method = "PUT",
                                  .path = "/api/v1/namespaces/ns/configmaps/out",
                                  .body = "{}",
                                  .body_len = 2};

    EXPECT_INT(h->host->request(h->host, request->ctx, &put, on_answer, h, NULL), 0);
    complete(h, completion);
    seen_of(h)->reconciled++;
}

#define OUT "/configmaps/out"

static bool is_sent(rig_t *r, const void *arg)
{
    return fake_kube_find(r->kube, arg) != NULL;
}

Test(instance, a_write_that_nobody_waits_for_is_answered_before_deactivate)
{
    seen_t *s = seen_create();

    s->hooks.reconcile = fire_and_forget;
    seen_start(s);
    rig_lead(s->rig, 1, (const char *const[]){"one", NULL});
    rig_until(s->rig, is_sent, OUT, "the write is sent");
    rig_end(s->rig, false, CLOCK_S);
    rig_idle(s->rig);
    EXPECT_INT(s->deactivated, 0);
    fake_kube_end(fake_kube_find(s->rig->kube, OUT), 200, "{}");
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    EXPECT_INT(s->answered, 1);
    EXPECT_INT(s->code, 0);
    EXPECT_INT(s->deactivated, 1);
    seen_destroy(s);
}

Test(instance, a_write_that_is_never_answered_ends_with_the_time_for_draining)
{
    seen_t *s = seen_create();

    s->hooks.reconcile = fire_and_forget;
    seen_start(s);
    rig_lead(s->rig, 1, (const char *const[]){"one", NULL});
    rig_until(s->rig, is_sent, OUT, "the write is sent");
    rig_end(s->rig, false, CLOCK_S);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_until(s->rig, reached, &s->answered, "answered");
    EXPECT_INT(s->code, LH_EUNKNOWN);
    EXPECT_INT(fake_kube_open(s->rig->kube), 0);
    rig_until(s->rig, reached, &s->destroyed, "the old one is gone");
    seen_destroy(s);
}

static void *call_on_foreign_thread(void *arg)
{
    seen_t *s = arg;
    const lh_api_request_t get = {.struct_size = sizeof(get), .method = "GET", .path = "/api/v1/x"};
    lh_response_t *response = NULL;

    s->code = s->hooks.host->call(s->hooks.host, s->ctx, &get, &response, NULL);
    return NULL;
}

Test(instance, a_thread_of_the_plugins_own_may_not_block_in_call)
{
    seen_t *s = seen_create();
    pthread_t thread;

    seen_start(s);
    rig_lead(s->rig, 1, NULL);
    cr_assert(pthread_create(&thread, NULL, call_on_foreign_thread, s) == 0);
    pthread_join(thread, NULL);
    EXPECT_INT(s->code, LH_ESTATE);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    seen_destroy(s);
}

static void post_once_more(hooks_t *h)
{
    seen_of(h)->code = h->host->post(h->host, ran, h, freed, NULL);
    count_destroy(h);
}

Test(instance, a_post_runs_once_and_is_refused_when_the_instance_ends)
{
    seen_t *s = seen_create();

    s->hooks.destroy = post_once_more;
    seen_start(s);
    EXPECT_INT(s->hooks.host->post(s->hooks.host, ran, s, freed, NULL), 0);
    await(&s->freed);
    EXPECT_INT(s->ran, 1);
    EXPECT_INT(s->freed, 1);
    plugin_instance_stop(s->rig->instance, clock_now() + 60 * CLOCK_S);
    rig_until_flag(s->rig, &s->rig->ended, "ended");
    EXPECT_INT(s->code, LH_ESTATE);
    EXPECT_INT(s->ran, 1);
    EXPECT_INT(s->freed, 1);
    seen_destroy(s);
}
