/* SPDX-License-Identifier: Apache-2.0 */
/* Worker processes that die, hang, or break the rules. */
#include "remote_rig.h"

TestSuite(remote_death, .init = setup, .timeout = 60);

/* -- Death -- */

/* Workers that start from now on die of their own crash, not of a sanitizer's report about it. */
static void crash_without_report(void)
{
    const char *now = getenv("ASAN_OPTIONS");
    char *options = host_xprintf("%s:handle_segv=0", now != NULL ? now : "");

    setenv("ASAN_OPTIONS", options, 1);
    free(options);
}

Test(remote_death, a_segfault_is_told_and_harms_nobody)
{
    crash_without_report();
    start_active(1);
    reconcile(1, "segfault", NULL);
    end_dead("killed by signal 11 (Segmentation fault)");
}

Test(remote_death, exit_in_a_reconcile_is_told)
{
    start_active(1);
    reconcile(1, "exit", NULL);
    end_dead("exited with status 3");
}

Test(remote_death, exit_in_create_is_told)
{
    start("{\"do\":\"create-exit\"}", 1);
    end_dead("exited with status 3");
    EXPECT_INT(owner.created, 0);
}

Test(remote_death, an_abort_in_destroy_is_told)
{
    start("{\"do\":\"destroy-abort\"}", 1);
    AWAIT(created, 1);
    runner->ops->destroy(runner);
    end_dead("killed by signal 6 (Aborted)");
}

Test(remote_death, calls_after_a_death_are_harmless_until_the_owner_knows)
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

Test(remote_death, a_hanging_worker_is_killed_by_abandon_without_a_word)
{
    start_active(1);
    reconcile(1, "hang", NULL);
    EXPECT_INT(runner->ops->inside(runner), 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    EXPECT_INT(owner.died, 0);
}

Test(remote_death, a_create_that_hangs_is_killed_by_abandon)
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

Test(remote_death, another_thread_may_kill_it)
{
    pthread_t thread;

    start_active(1);
    reconcile(1, "hang", NULL);
    cr_assert(pthread_create(&thread, NULL, kill_runner, runner) == 0, "thread");
    end_dead("killed by the host: it had not stopped in time");
    pthread_join(thread, NULL);
}

Test(remote_death, answers_that_come_after_the_end_are_dropped)
{
    fake.hold_requests = true;
    start_active(1);
    reconcile(1, "call", NULL);
    AWAIT_FAKE(requests, 1);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
    fake_answer_all(&fake, 0);
}

Test(remote_death, other_workers_live_on_when_one_dies)
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

Test(remote_death, a_worker_that_hangs_does_not_outlive_its_host)
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

Test(remote_death, garbage_and_oversize_messages_end_the_worker)
{
    expect_evil("{\"do\":\"evil-garbage\"}", "killed by the host: it sent a frame");
    expect_evil("{\"do\":\"evil-huge\"}", "killed by the host: it sent a message of type 70 with "
                                          "more than 4194304 bytes");
}

Test(remote_death, messages_out_of_turn_or_malformed_end_the_worker)
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

Test(remote_death, more_requests_than_the_credit_end_the_worker)
{
    expect_credit("{\"do\":\"evil-requests\"}", PLUGIN_WIRE_REQUESTS);
    expect_credit("{\"do\":\"evil-bodies\"}", 8);
}

Test(remote_death, a_request_that_no_table_would_let_through_is_refused)
{
    start("{\"do\":\"evil-path\"}", 1);
    AWAIT(created, 1);
    poll(NULL, 0, 100);
    EXPECT_INT(fake.requests, 0);
    runner->ops->abandon(runner);
    AWAIT(destroyed, 1);
}

Test(remote_death, a_worker_that_closes_its_socket_and_stays_is_killed)
{
    const int64_t begin = clock_now();

    start("{\"do\":\"evil-closes\"}", 1);
    end_dead("killed by signal 9 (Killed)");
    cr_expect(clock_now() - begin < 10 * CLOCK_S, "it took too long");
}

Test(remote_death, a_worker_that_does_not_read_costs_bounded_memory)
{
    fake.objects = 1;
    fake.object_size = 64u << 10;
    start("{\"do\":\"evil-never-reads\"}", 1);
    end_dead("exited with status 7");
    /* A window of 1 MiB and the socket's buffer full of replies of 64 KiB. */
    cr_expect(fake.gets < 50, "%u of 100000 calls were carried out", fake.gets);
    fprintf(stderr, "%u calls were carried out for a worker that reads nothing\n", fake.gets);
}
