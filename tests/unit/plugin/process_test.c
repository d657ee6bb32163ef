/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance in a worker process, which may end at any moment. */
#include "runtime_rig.h"

#define REEXEC_WORKER plugin_worker_main
#include "plugin/runner.h"
#include "support/reexec.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUEUED "workqueue_depth{name=\"puppet\",controller=\"puppet\",priority=\"0\"}"
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static rig_t *process_rig(const char *config)
{
    return rig_create_with(&(rig_options_t){
        .config = config != NULL ? config : "{}", .process = true, .unsettled = true});
}

static bool restarted(rig_t *r, const void *arg)
{
    return rig_series(r, "leasehold_plugin_restarts_total{controller=\"puppet\"}") ==
           *(const double *) arg;
}

static void until_restarts(rig_t *r, double n)
{
    rig_until(r, restarted, &n, "the worker has died that often");
}

/* The process of the only worker. */
static pid_t worker_pid(void)
{
    char path[64], text[32] = "", *end;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int) getpid());
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    cr_assert(fgets(text, sizeof(text), f) != NULL, "no worker process");
    fclose(f);
    const long pid = strtol(text, &end, 10);
    cr_assert(pid > 0 && strspn(end, " ") == strlen(end), "worker processes: %s", text);
    return (pid_t) pid;
}

Test(process, reconciles_and_ends)
{
    rig_t *r = process_rig(NULL);

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    EXPECT_INT(rig_count(r, "deactivated", "", ""), 1);
    rig_destroy(r);
}

Test(process, a_worker_that_dies_in_create_is_started_again_with_a_doubled_delay)
{
    rig_t *r = process_rig("{\"create\":\"die\"}");

    rig_until_flag(r, &r->settled, "settled");
    EXPECT_INT(restarted(r, &(double){1}), 1);
    rig_until_health(r, "the worker process exited with status 7");
    fake_clock_advance(CLOCK_S);
    until_restarts(r, 2);
    fake_clock_advance(CLOCK_S);
    rig_idle(r);
    EXPECT_INT(restarted(r, &(double){2}), 1);
    fake_clock_advance(CLOCK_S);
    until_restarts(r, 3);
    rig_destroy(r);
}

Test(process, a_worker_that_dies_in_a_reconcile_comes_back_in_the_same_term)
{
    rig_t *r = process_rig(NULL);

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_event(r, "ADDED", "die", 101);
    until_restarts(r, 1);
    EXPECT_INT(rig_series(r, "controller_runtime_reconcile_panics_total{controller=\"puppet\"}"),
               1);
    EXPECT_INT(rig_series(r, "leasehold_plugin_state{controller=\"puppet\",state=\"waiting\"}"), 1);
    EXPECT_INT(rig_series(r, "leasehold_plugin_state{controller=\"puppet\",state=\"active\"}"), 0);
    rig_event(r, "DELETED", "die", 102);
    rig_until_health(r, "the worker process exited"); /* not that its watches are fine */
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "activated", "live", "", 2);
    rig_event(r, "ADDED", "two", 103);
    rig_until_count(r, "runs", "two", "reason 0", 1);
    rig_until_health(r, "[+]plugin-puppet ok");
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    EXPECT_INT(rig_series(r, "controller_runtime_reconcile_panics_total{controller=\"puppet\"}"),
               1);
    EXPECT_INT(rig_series(r, "controller_runtime_reconcile_timeouts_total{controller=\"puppet\"}"),
               0);
    rig_destroy(r);
}

/* It was put back in front, and with one worker nothing else was ever run. */
Test(process, a_key_that_kills_its_worker_lets_others_run_and_is_shown)
{
    rig_t *r = rig_create_with(
        &(rig_options_t){.config = "{}", .process = true, .unsettled = true, .workers = 1});
    host_cleanup(buf_fini) buf_t worst = BUF_INIT;

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, WORDS("die", "two"));
    until_restarts(r, 1);
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "runs", "two", "reason 4", 1);
    for (double n = 2; n <= 10; n++) {
        until_restarts(r, n);
        fake_clock_advance(600 * CLOCK_S);
    }
    EXPECT_INT(
        rig_series(r, "leasehold_workqueue_poison_keys{name=\"puppet\",controller=\"puppet\"}"), 1);
    EXPECT_INT(health_document(r->shared.health, "/poison/puppet", &worst), 200);
    EXPECT_HAS(buf_text(&worst), "\"name\":\"die\",\"error\":\"the worker process died");
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(process, a_worker_that_is_killed_while_the_term_ends_holds_up_nobody)
{
    rig_t *r = process_rig(NULL);

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, WORDS("hang"));
    rig_until_count(r, "runs", "hang", "reason 4", 1);
    rig_end(r, true, CLOCK_S);
    rig_idle(r);
    EXPECT_INT(r->rested, 0);
    plugin_instance_kill(r->instance); /* as the elector does when the stop budget is over */
    rig_until_flag(r, &r->rested, "rested");
    rig_until_health(r, "it had not stopped in time");
    rig_destroy(r);
}

Test(process, a_worker_that_has_rested_in_time_survives_the_kill_of_one_that_has_not)
{
    rig_t *good = process_rig(NULL);
    rig_until_flag(good, &good->settled, "settled");
    const pid_t pid = worker_pid();
    rig_t *stuck = rig_create(NULL); /* in a thread, where it cannot be killed */

    rig_lead(good, 1, WORDS("one"));
    rig_lead(stuck, 1, WORDS("hang"));
    rig_until_count(good, "runs", "one", "reason 4", 1);
    rig_until_count(stuck, "runs", "hang", "reason 4", 1);
    rig_end(good, true, CLOCK_S);
    rig_end(stuck, true, CLOCK_S);
    rig_until_flag(good, &good->rested, "rested");
    EXPECT_INT(stuck->rested, 0);
    plugin_instance_kill(good->instance); /* as the elector does when the stop budget is over */
    plugin_instance_kill(stuck->instance);
    rig_idle(good);
    EXPECT_INT(kill(pid, 0), 0);
    EXPECT_INT(worker_pid(), pid);
    EXPECT_INT(restarted(good, &(double){1}), 0);
    rig_lead(good, 2, WORDS("two"));
    rig_until_count(good, "runs", "two", "reason 4", 1);
    plugin_instance_kill(good->instance); /* the loop may be stuck before it has ended anything */
    until_restarts(good, 1);
    cr_assert_eq(write(stuck->pipe[1], "x", 1), 1);
    rig_until_flag(stuck, &stuck->rested, "rested");
    rig_destroy(stuck);
    rig_destroy(good);
}

Test(process, a_hang_with_more_jobs_waiting_does_not_fail_the_instance)
{
    rig_t *r = process_rig(NULL); /* two workers */

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, WORDS("hang"));
    rig_until_count(r, "runs", "hang", "reason 4", 1);
    for (int i = 0; i < 4; i++) {
        char word[8] = "hang";
        word[4] = (char) ('a' + i); /* says "hang" only as a name */
        rig_event(r, "ADDED", word, 101 + i);
    }
    rig_event(r, "MODIFIED", "hang", 110);
    rig_end(r, true, CLOCK_S);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_until_count(r, "created", "", "", 2); /* at once: the next term must not wait */
    rig_lead(r, 2, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

/* One worker, after many calls that took no time; then one hangs, and two keys are handed over behind
 * it, the second of which would hang too. */
static rig_t *hang_before_others(void)
{
    enum { SHORT_CALLS = 64 };
    rig_t *r = rig_create_with(
        &(rig_options_t){.config = "{}", .process = true, .unsettled = true, .workers = 1});
    char name[SHORT_CALLS][8];
    const char *words[SHORT_CALLS + 1] = {NULL};

    for (int i = 0; i < SHORT_CALLS; i++) {
        snprintf(name[i], sizeof(name[i]), "k%d", i);
        words[i] = name[i];
    }
    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, words);
    for (int i = 0; i < SHORT_CALLS; i++)
        rig_until_count(r, "runs", name[i], "reason 4", 1);
    rig_event(r, "ADDED", "hang", 201);
    rig_until_count(r, "runs", "hang", "reason 0", 1);
    rig_event(r, "ADDED", "one", 202);
    rig_object(r, "configmaps?", "ADDED",
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"two\","
               "\"namespace\":\"ns\",\"uid\":\"uid-two\",\"resourceVersion\":\"203\"},"
               "\"data\":{\"do\":\"hang\"}}");
    rig_idle(r);
    EXPECT_INT(rig_series(r, QUEUED), 0);
    return r;
}

/* The worker is killed; after its restart the two run, in their order and as if for the first time. */
static void expect_others_next(rig_t *r)
{
    plugin_instance_kill(r->instance);
    until_restarts(r, 1);
    EXPECT_INT(rig_series(r, "workqueue_retries_total{name=\"puppet\",controller=\"puppet\"}"), 1);
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "runs", "one", "reason 0", 1);
    rig_until_count(r, "attempts", "one", "attempt 0", 1);
    rig_until_count(r, "attempts", "two", "attempt 0", 1);
    EXPECT_INT(rig_count(r, "attempts", "hang", "attempt 1"), 0);
    rig_end(r, true, CLOCK_S);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

Test(process, keys_behind_a_call_that_hangs_are_taken_back)
{
    rig_t *r = hang_before_others();

    fake_clock_advance(10 * CLOCK_MS);
    rig_until_series(r, QUEUED, 2);
    expect_others_next(r);
}

/* Each was put in front of the others, so that the last came first. */
Test(process, keys_behind_a_call_that_died_are_not_blamed_and_keep_their_order)
{
    expect_others_next(hang_before_others());
}

Test(process, a_worker_that_dies_during_the_stop_ends_it)
{
    rig_t *r = process_rig("{\"create\":\"hang\"}");

    rig_until_count(r, "created", "", "", 1);
    plugin_instance_stop(r->instance, clock_now() + 60 * CLOCK_S);
    rig_idle(r);
    EXPECT_INT(r->ended, 0);
    cr_assert_eq(kill(worker_pid(), SIGKILL), 0);
    rig_until_flag(r, &r->ended, "ended, long before the deadline");
    rig_destroy(r); /* nothing of it runs any more */
}

Test(process, a_stop_just_after_a_worker_has_died_waits_until_it_is_gone)
{
    rig_t *r = process_rig(NULL);

    rig_until_flag(r, &r->settled, "settled");
    cr_assert_eq(kill(worker_pid(), SIGKILL), 0);
    until_restarts(r, 1);
    rig_destroy(r);
}

/* It was off until the host was started again, though nothing of the worker was left. */
Test(process, an_activation_that_hangs_is_tried_again_with_a_fresh_worker)
{
    rig_t *r = process_rig("{\"activate\":\"hang\"}");

    rig_until_flag(r, &r->settled, "settled");
    rig_begin(r, 1);
    rig_until_count(r, "activated", "live", "", 1);
    fake_clock_advance(10 * CLOCK_S);
    rig_idle(r);
    fake_clock_advance(CLOCK_S);
    rig_until_health(r, "activate has not returned after 10 s");
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "created", "", "", 2);
    rig_until_count(r, "activated", "live", "", 2);
    rig_end(r, true, CLOCK_S);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_until_count(r, "created", "", "", 3);
    rig_destroy(r);
}

Test(process, a_create_that_hangs_is_tried_again_with_a_fresh_worker)
{
    rig_t *r = process_rig("{\"create\":\"hang\"}");

    rig_until_count(r, "created", "", "", 1); /* told when create() is entered */
    fake_clock_advance(10 * CLOCK_S);
    rig_until_health(r, "create has not returned after 10 s");
    EXPECT_INT(r->settled, 1);
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "created", "", "", 2);
    plugin_instance_stop(r->instance, clock_now() + CLOCK_S); /* destroy() waits for create() */
    fake_clock_advance(CLOCK_S);
    rig_until_flag(r, &r->ended, "ended");
    rig_destroy(r);
}

/* A loaded machine was taken for a plugin that hangs. */
Test(process, a_worker_that_starts_slowly_has_its_ten_seconds_for_create_all_the_same)
{
    rig_t *r = process_rig(NULL);

    fake_clock_advance(20 * CLOCK_S); /* nothing has been heard of it */
    rig_until_flag(r, &r->settled, "settled");
    rig_until_health(r, "[+]plugin-puppet ok");
    EXPECT_INT(rig_count(r, "created", "", ""), 1);
    rig_destroy(r);
}

/* An API server that is slow for ten seconds cost a fresh worker, and a thread its instance. */
Test(process, an_activation_that_ends_when_it_is_cancelled_keeps_its_worker)
{
    rig_t *r = process_rig("{\"activate\":\"until cancelled\"}");

    rig_until_flag(r, &r->settled, "settled");
    rig_begin(r, 1);
    rig_until_count(r, "activated", "live", "", 1);
    fake_clock_advance(10 * CLOCK_S);
    rig_until_health(r, "activate: cancelled");
    fake_clock_advance(CLOCK_S);
    rig_until_count(r, "activated", "live", "", 2);
    EXPECT_INT(rig_count(r, "created", "", ""), 1);
    rig_destroy(r);
}

/* Leading without it for up to 5 min. */
Test(process, a_new_term_does_not_wait_until_a_dead_worker_is_started_again)
{
    rig_t *r = process_rig(NULL);

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, WORDS("one"));
    rig_until_count(r, "runs", "one", "reason 4", 1);
    rig_event(r, "ADDED", "die", 101);
    until_restarts(r, 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_begin(r, 2);
    rig_until_count(r, "activated", "live", "", 2);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

/* A worker answers cancelled() by what it knows: nobody had told it, so it was killed in the end. */
Test(process, an_activation_under_way_hears_of_the_terms_end)
{
    rig_t *r = process_rig("{\"activate\":\"until cancelled\"}");

    rig_until_flag(r, &r->settled, "settled");
    rig_begin(r, 1);
    rig_until_count(r, "activated", "live", "", 1);
    rig_end(r, false, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    EXPECT_INT(rig_count(r, "created", "", ""), 1);
    rig_destroy(r);
}

Test(process, an_activation_under_way_hears_of_the_hosts_end)
{
    rig_t *r = process_rig("{\"activate\":\"until cancelled\"}");

    rig_until_flag(r, &r->settled, "settled");
    rig_begin(r, 1);
    rig_until_count(r, "activated", "live", "", 1);
    rig_destroy(r); /* its deadline is 60 s away, by a clock that stands still */
}

/* Runs an instance with its worker and tells the worker's pid. */
static void be_host(int out)
{
    rig_t *r = process_rig(NULL);

    rig_until_flag(r, &r->settled, "settled");
    const pid_t worker = worker_pid();

    if (write(out, &worker, sizeof(worker)) == sizeof(worker))
        pause();
    _exit(1);
}

/* Or the next process of the name would lead beside what the last one has left running. */
Test(process, rule_17_a_worker_dies_with_its_host_even_when_it_is_stopped)
{
    int fds[2], status = 0;
    pid_t worker = 0;

    cr_assert(pipe(fds) == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    const pid_t host = fork();

    cr_assert(host >= 0);
    if (host == 0)
        be_host(fds[1]);
    cr_assert_eq(read(fds[0], &worker, sizeof(worker)), sizeof(worker));
    cr_assert_eq(kill(worker, SIGSTOP), 0);
    cr_assert_eq(kill(host, SIGKILL), 0);
    cr_assert_eq(waitpid(host, &status, 0), host);
    pid_t ended = 0;

    for (int i = 0; i < 5000 && ended == 0; i++) {
        ended = waitpid(worker, &status, WNOHANG); /* it is ours now */
        usleep(1000);
    }
    if (ended == 0)
        kill(worker, SIGKILL);
    EXPECT_INT(ended, worker);
    EXPECT_INT(WIFSIGNALED(status), true);
    EXPECT_INT(WTERMSIG(status), SIGKILL);
}
