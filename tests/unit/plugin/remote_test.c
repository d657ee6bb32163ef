/* SPDX-License-Identifier: Apache-2.0 */
/* Real worker processes (this program, executed again) with a fake backend behind them. */
#include "plugin/runner.h"

#include "base/clock.h"
#include "fake_backend.h"

#define REEXEC_WORKER evil_or_real_worker
#include "evil_worker.h"
#include "support/reexec.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static fake_backend_t fake;
static plugin_runner_t *runner;

/* -- The owner of the runner -- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned loaded, created, activated, deactivated, returned, not_ran, died, destroyed;
    uint64_t last; /* that has returned */
    int code;
    char text[600];
} owner;

#define OWNER_LOCKED(...)                                                                          \
    do {                                                                                           \
        pthread_mutex_lock(&owner.lock);                                                           \
        __VA_ARGS__;                                                                               \
        pthread_cond_broadcast(&owner.changed);                                                    \
        pthread_mutex_unlock(&owner.lock);                                                         \
    } while (0)

static void keep_outcome(int code, const lh_error_t *err)
{
    owner.code = code;
    snprintf(owner.text, sizeof(owner.text), "%s", err != NULL ? err->text : "");
}

static void on_loaded(void *arg)
{
    (void) arg;
    OWNER_LOCKED(owner.loaded += owner.created == 0);
}

static void on_created(void *arg, int code, const lh_error_t *err)
{
    (void) arg;
    OWNER_LOCKED(owner.created++; keep_outcome(code, err));
}

static void on_activated(void *arg, int code, const lh_error_t *err)
{
    (void) arg;
    OWNER_LOCKED(owner.activated++; keep_outcome(code, err));
}

static void on_deactivated(void *arg)
{
    (void) arg;
    OWNER_LOCKED(owner.deactivated++);
}

static void on_returned(void *arg, uint64_t ctx, bool ran, int64_t entered)
{
    (void) entered;
    (void) arg;
    OWNER_LOCKED(owner.returned++; owner.last = ctx; owner.not_ran += !ran);
}

static void on_destroyed(void *arg)
{
    (void) arg;
    OWNER_LOCKED(owner.destroyed++);
}

static void on_died(void *arg, const char *reason)
{
    (void) arg;
    OWNER_LOCKED(owner.died++; snprintf(owner.text, sizeof(owner.text), "%s", reason));
}

/* Waits until *what is at least `expected`; the test fails after 20 s. */
static void await(pthread_mutex_t *lock, pthread_cond_t *changed, const unsigned *what,
                  unsigned expected, const char *name)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(lock);
    while (*what < expected) {
        if (pthread_cond_timedwait(changed, lock, &until) != 0)
            break;
    }
    const unsigned now = *what;

    pthread_mutex_unlock(lock);
    cr_assert(now >= expected, "%s is %u after 20 s, expected %u; text: %s", name, now, expected,
              owner.text);
}

#define AWAIT(what, expected)                                                                      \
    await(&owner.lock, &owner.changed, &owner.what, (expected), "owner." #what)
#define AWAIT_FAKE(what, expected)                                                                 \
    await(&fake.lock, &fake.changed, &fake.what, (expected), "fake." #what)

static void setup(void)
{
    fake_backend_init(&fake);
    memset(&owner, 0, sizeof(owner));
    pthread_mutex_init(&owner.lock, NULL);
    pthread_cond_init(&owner.changed, NULL);
    runner = NULL;
}

TestSuite(remote, .init = setup, .timeout = 60);

static void start(const char *config, uint32_t workers)
{
    const plugin_runner_options_t o = {
        .path = FIXTURES "/by_name.so",
        .name = "by-name",
        .config = config,
        .workers = workers,
        .backend = fake_backend(&fake),
        .sink = {.on_loaded = on_loaded,
                 .on_created = on_created,
                 .on_activated = on_activated,
                 .on_deactivated = on_deactivated,
                 .on_returned = on_returned,
                 .on_destroyed = on_destroyed,
                 .on_died = on_died},
    };
    lh_error_t err = {0};

    ASSERT_OK(plugin_remote_create(&o, &runner, &err), err);
}

static void start_active(uint32_t workers)
{
    start("{}", workers);
    AWAIT(created, 1);
    cr_assert(owner.code == 0, "created with %d: %s", owner.code, owner.text);
    runner->ops->activate(runner, 1000);
    AWAIT(activated, 1);
    cr_assert(owner.code == 0, "activated with %d: %s", owner.code, owner.text);
}

static void reconcile(uint64_t ctx, const char *name, const watch_snapshot_t *object)
{
    const plugin_job_t job = {.ctx = ctx,
                              .completion = ctx,
                              .reason = LH_REASON_CHANGED,
                              .attempt = 2,
                              .term = 9,
                              .ns = "default",
                              .name = name,
                              .uid = "u0",
                              .object = object,
                              .read_at = clock_now()};

    runner->ops->reconcile(runner, &job);
}

static void end_well(void)
{
    runner->ops->deactivate(runner);
    AWAIT(deactivated, 1);
    runner->ops->destroy(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 0);
    EXPECT_INT(fake.cursors_open, 0);
}

/* After a death: the owner's last call. */
static void end_dead(const char *reason)
{
    AWAIT(died, 1);
    EXPECT_HAS(owner.text, reason);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 1);
    EXPECT_INT(fake.cursors_open, 0);
}

/* Runs one reconcile of this name and expects the text of its result. */
static void expect_result(const char *name, const char *text)
{
    const unsigned before = fake.completions;

    reconcile(before + 1, name, NULL);
    AWAIT_FAKE(completions, before + 1);
    AWAIT(returned, before + 1);
    EXPECT_STR(fake.result_text, text);
}

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
                  "256: cache_list: 256 walks are under way; release their cursors; then 0");
    end_well();
}

/* 256 walks of 100000 objects each took 1.6 GB of the host's memory. */
Test(remote, a_worker_keeps_walks_of_so_many_objects_together)
{
    fake.objects = 1;
    fake.walk_names = 3000000;
    start_active(1);
    expect_result("hoard", "2: cache_list: walks of 6000000 objects are under way; release their "
                           "cursors; then 0");
    end_well();
}

Test(remote, one_walk_alone_may_be_of_any_number)
{
    fake.objects = 1;
    fake.walk_names = 9000000;
    start_active(1);
    expect_result("hoard", "1: cache_list: walks of 9000000 objects are under way; release their "
                           "cursors; then 0");
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

/* -- Death -- */

/* Workers that start from now on die of their own crash, not of a sanitizer's report about it. */
static void crash_without_report(void)
{
    const char *now = getenv("ASAN_OPTIONS");
    char *options = host_xprintf("%s:handle_segv=0", now != NULL ? now : "");

    setenv("ASAN_OPTIONS", options, 1);
    free(options);
}

Test(remote, a_segfault_is_told_and_harms_nobody)
{
    crash_without_report();
    start_active(1);
    reconcile(1, "segfault", NULL);
    end_dead("killed by signal 11 (Segmentation fault)");
}

Test(remote, exit_in_a_reconcile_is_told)
{
    start_active(1);
    reconcile(1, "exit", NULL);
    end_dead("exited with status 3");
}

Test(remote, exit_in_create_is_told)
{
    start("{\"do\":\"create-exit\"}", 1);
    end_dead("exited with status 3");
    EXPECT_INT(owner.created, 0);
}

Test(remote, an_abort_in_destroy_is_told)
{
    start("{\"do\":\"destroy-abort\"}", 1);
    AWAIT(created, 1);
    runner->ops->destroy(runner);
    end_dead("killed by signal 6 (Aborted)");
}

Test(remote, calls_after_a_death_are_harmless_until_the_owner_knows)
{
    start_active(1);
    reconcile(1, "exit", NULL);
    AWAIT(died, 1);
    reconcile(2, "a", NULL);
    runner->ops->cancel(runner);
    EXPECT_INT(runner->ops->inside(runner), 2);
    runner->ops->deactivate(runner);
    plugin_runner_kill(runner);
    end_dead("exited with status 3");
}

Test(remote, a_hanging_worker_is_killed_by_abandon_without_a_word)
{
    start_active(1);
    reconcile(1, "hang", NULL);
    EXPECT_INT(runner->ops->inside(runner), 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 0);
}

Test(remote, a_create_that_hangs_is_killed_by_abandon)
{
    start("{\"do\":\"create-hang\"}", 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.created, 0);
}

static void *kill_runner(void *arg)
{
    plugin_runner_kill(arg);
    return NULL;
}

Test(remote, another_thread_may_kill_it)
{
    pthread_t thread;

    start_active(1);
    reconcile(1, "hang", NULL);
    cr_assert(pthread_create(&thread, NULL, kill_runner, runner) == 0, "thread");
    end_dead("killed by the host: it had not stopped in time");
    pthread_join(thread, NULL);
}

Test(remote, answers_that_come_after_the_end_are_dropped)
{
    fake.hold_requests = true;
    start_active(1);
    reconcile(1, "call", NULL);
    AWAIT_FAKE(requests, 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    fake_answer_all(&fake, 0);
}

Test(remote, other_workers_live_on_when_one_dies)
{
    plugin_runner_t *first;

    crash_without_report();
    start_active(1);
    first = runner;
    start("{}", 1);
    AWAIT(created, 2);
    reconcile(1, "segfault", NULL);
    AWAIT(died, 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    runner = first;
    reconcile(2, "a", NULL);
    AWAIT_FAKE(completions, 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 2);
}

/* The only child of a process; 0 when it has none. */
static pid_t child_of(pid_t parent)
{
    char path[64], text[64] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) parent, (int) parent);
    f = fopen(path, "r");
    cr_assert(f != NULL, "%s", path);
    if (fgets(text, sizeof(text), f) == NULL)
        text[0] = '\0';
    fclose(f);
    return (pid_t) strtol(text, NULL, 10);
}

Test(remote, a_worker_that_hangs_does_not_outlive_its_host)
{
    int ready[2], status = 0;
    char byte;

    cr_assert(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(ready) == 0, "prctl, pipe");
    const pid_t host = fork();

    if (host == 0) {
        start_active(1);
        reconcile(1, "hang", NULL);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    cr_assert(read(ready[0], &byte, 1) == 1, "the host did not start");
    const pid_t worker = child_of(host);

    cr_assert(worker > 0, "the host has no worker");
    kill(host, SIGKILL);
    cr_assert(waitpid(host, NULL, 0) == host, "the host was not there");
    cr_assert(waitpid(worker, &status, 0) == worker, "the worker was not there");
    cr_expect(WIFSIGNALED(status) || WEXITSTATUS(status) == 1, "status %#x", (unsigned) status);
}

/* -- Workers that break the rules -- */

static void expect_evil(const char *how, const char *reason)
{
    setup();
    fake.objects = 3;
    start(how, 1);
    end_dead(reason);
    if (fake.held_count > 0)
        fake_answer_all(&fake, 0);
}

Test(remote, garbage_and_oversize_messages_end_the_worker)
{
    expect_evil("{\"do\":\"evil-garbage\"}", "killed by the host: it sent a frame");
    expect_evil("{\"do\":\"evil-huge\"}", "killed by the host: it sent a message of type 70 with "
                                          "more than 4194304 bytes");
}

Test(remote, messages_out_of_turn_or_malformed_end_the_worker)
{
    expect_evil("{\"do\":\"evil-early\"}", "a message of type 66 that is malformed or out of turn");
    expect_evil("{\"do\":\"evil-twice\"}", "a message of type 64 that is malformed or out of turn");
    expect_evil("{\"do\":\"evil-type\"}", "a malformed message of type 77");
    expect_evil("{\"do\":\"evil-returned\"}", "a report about a reconcile that it does not have");
    expect_evil("{\"do\":\"evil-cursor\"}", "a malformed message of type 72");
    expect_evil("{\"do\":\"evil-walk\"}", "a malformed message of type 132");
    expect_evil("{\"do\":\"evil-short\"}", "a malformed message of type 69");
}

static void expect_credit(const char *how, unsigned requests)
{
    setup();
    fake.hold_requests = true;
    start(how, 1);
    end_dead("more open requests than it has credit for");
    EXPECT_INT(fake.requests, requests);
    fake_answer_all(&fake, 0);
}

Test(remote, more_requests_than_the_credit_end_the_worker)
{
    expect_credit("{\"do\":\"evil-requests\"}", PLUGIN_WIRE_REQUESTS);
    expect_credit("{\"do\":\"evil-bodies\"}", 8);
}

Test(remote, a_request_that_no_table_would_let_through_is_refused)
{
    start("{\"do\":\"evil-path\"}", 1);
    AWAIT(created, 1);
    poll(NULL, 0, 100);
    EXPECT_INT(fake.requests, 0);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
}

Test(remote, a_worker_that_closes_its_socket_and_stays_is_killed)
{
    const int64_t begin = clock_now();

    start("{\"do\":\"evil-closes\"}", 1);
    end_dead("killed by signal 9 (Killed)");
    cr_expect(clock_now() - begin < 10 * CLOCK_S, "it took too long");
}

Test(remote, a_worker_that_does_not_read_costs_bounded_memory)
{
    fake.objects = 1;
    fake.object_size = 64u << 10;
    start("{\"do\":\"evil-never-reads\"}", 1);
    end_dead("exited with status 7");
    /* A window of 1 MiB and the socket's buffer full of replies of 64 KiB. */
    cr_expect(fake.gets < 50, "%u of 100000 calls were carried out", fake.gets);
    fprintf(stderr, "%u calls were carried out for a worker that reads nothing\n", fake.gets);
}
