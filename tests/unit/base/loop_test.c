/* SPDX-License-Identifier: Apache-2.0 */
/* One thread and the fake clock; loop_thread_test.c has the rest. */
#include "base/loop.h"

#include "support/expect.h"
#include "support/fake_clock.h"

#include <event2/event.h>
#include <unistd.h>

#define IN(ms) (FAKE_CLOCK_START + (ms) *CLOCK_MS)

static loop_t *loop;
static char order[64]; /* the names of what has run */

static void start(void)
{
    lh_error_t err = {0};

    ASSERT_OK(loop_create(&loop, &err), err);
}

static void finish(void)
{
    loop_destroy(loop);
}

TestSuite(loop, .init = start, .fini = finish, .timeout = 20);

static void ran(char name)
{
    size_t len = strlen(order);

    cr_assert_lt(len, sizeof(order) - 1);
    order[len] = name;
}

/* --- posts --- */

typedef struct job {
    loop_task_t task;
    char name;
    loop_task_t *also; /* posted when it runs */
} job_t;

static void run_job(loop_task_t *task)
{
    job_t *job = HOST_CONTAINER(task, job_t, task);

    ran(job->name);
    if (job->also != NULL)
        loop_post(loop, job->also);
}

#define JOB(n)                                                                                     \
    {                                                                                              \
        .task = {.fn = run_job}, .name = (n)                                                       \
    }

Test(loop, tasks_run_in_the_order_of_posting)
{
    job_t a = JOB('a'), b = JOB('b'), c = JOB('c');

    loop_post(loop, &b.task);
    loop_post(loop, &c.task);
    loop_post(loop, &a.task);
    EXPECT_STR(order, "");
    loop_turn(loop);
    EXPECT_STR(order, "bca");
    loop_turn(loop);
    EXPECT_STR(order, "bca");
}

Test(loop, a_task_already_queued_is_not_queued_twice)
{
    job_t a = JOB('a'), b = JOB('b');

    loop_post(loop, &a.task);
    loop_post(loop, &b.task);
    loop_post(loop, &a.task);
    loop_turn(loop);
    loop_turn(loop);
    EXPECT_STR(order, "ab");
    loop_post(loop, &a.task);
    loop_turn(loop);
    EXPECT_STR(order, "aba");
}

Test(loop, a_task_may_post_itself_and_others_for_the_next_turn)
{
    job_t a = JOB('a'), b = JOB('b');

    a.also = &a.task;
    b.also = &a.task;
    loop_post(loop, &a.task);
    loop_post(loop, &b.task);
    loop_turn(loop);
    EXPECT_STR(order, "ab");
    loop_turn(loop);
    EXPECT_STR(order, "aba");
}

static void run_and_free(loop_task_t *task)
{
    ran('f');
    free(task);
}

Test(loop, a_task_may_free_itself)
{
    loop_task_t *task = host_xcalloc(1, sizeof(*task));
    job_t b = JOB('b');

    task->fn = run_and_free;
    loop_post(loop, task);
    loop_post(loop, &b.task);
    loop_turn(loop);
    EXPECT_STR(order, "fb");
}

static job_t others[4];

/* Withdraws the second and posts the fourth in its place. */
static void run_and_withdraw(loop_task_t *task)
{
    (void) task;
    ran('w');
    loop_withdraw(loop, &others[1].task);
    loop_post(loop, &others[3].task);
}

Test(loop, a_task_withdrawn_by_an_earlier_one_does_not_run)
{
    loop_task_t first = {.fn = run_and_withdraw};

    for (int i = 0; i < 4; i++)
        others[i] = (job_t){.task = {.fn = run_job}, .name = (char) ('a' + i)};
    loop_post(loop, &first);
    for (int i = 0; i < 3; i++)
        loop_post(loop, &others[i].task);
    loop_turn(loop);
    EXPECT_STR(order, "wac");
    loop_post(loop, &others[1].task);
    loop_turn(loop);
    EXPECT_STR(order, "wacdb");
}

Test(loop, a_task_withdrawn_before_the_turn_leaves_its_place_to_the_next)
{
    job_t a = JOB('a'), b = JOB('b'), c = JOB('c');

    loop_post(loop, &a.task);
    loop_post(loop, &b.task);
    loop_withdraw(loop, &b.task);
    loop_withdraw(loop, &b.task);
    loop_post(loop, &c.task);
    loop_withdraw(loop, &a.task);
    loop_post(loop, &a.task);
    loop_turn(loop);
    EXPECT_STR(order, "ca");
}

Test(loop, destroy_runs_nothing_that_is_queued)
{
    job_t a = JOB('a');
    loop_t *other = NULL;
    lh_error_t err = {0};

    ASSERT_OK(loop_create(&other, &err), err);
    loop_post(other, &a.task);
    loop_destroy(other);
    loop_destroy(NULL);
    EXPECT_STR(order, "");
}

/* --- timers --- */

typedef struct alarm {
    loop_timer_t timer;
    char name;
    struct alarm *target; /* what happens when it fires */
    int64_t target_at;
} alarm_t;

static void on_alarm(loop_timer_t *t)
{
    alarm_t *a = HOST_CONTAINER(t, alarm_t, timer);

    EXPECT_INT(t->at, CLOCK_NEVER);
    ran(a->name);
    if (a->target != NULL)
        loop_timer_set(&a->target->timer, a->target_at); /* CLOCK_NEVER clears */
}

static void alarm_init(alarm_t *a, char name)
{
    *a = (alarm_t){.name = name};
    loop_timer_init(&a->timer, loop, on_alarm);
}

static void turn_at(int64_t at)
{
    fake_clock_set(at);
    loop_turn(loop);
}

Test(loop, timers_fire_when_their_time_has_come)
{
    alarm_t a;

    alarm_init(&a, 'a');
    loop_timer_set(&a.timer, IN(10));
    turn_at(IN(10) - 1);
    EXPECT_STR(order, "");
    turn_at(IN(10));
    EXPECT_STR(order, "a");
    turn_at(IN(100));
    EXPECT_STR(order, "a");
}

Test(loop, timers_fire_in_the_order_of_their_time)
{
    alarm_t timers[26];
    char expected[27] = "";

    for (int i = 0; i < 26; i++) { /* 7 and 26 have no common divisor: every time comes once */
        alarm_init(&timers[i], (char) ('a' + i * 7 % 26));
        loop_timer_set(&timers[i].timer, IN(i * 7 % 26));
        expected[i] = (char) ('a' + i);
    }
    turn_at(IN(100));
    EXPECT_STR(order, expected);
}

Test(loop, timers_fire_before_tasks)
{
    job_t j = JOB('j');
    alarm_t a;

    alarm_init(&a, 'a');
    loop_post(loop, &j.task);
    loop_timer_set(&a.timer, IN(0));
    loop_turn(loop);
    EXPECT_STR(order, "aj");
}

Test(loop, setting_a_timer_again_moves_it)
{
    alarm_t a, b, c;

    alarm_init(&a, 'a');
    alarm_init(&b, 'b');
    alarm_init(&c, 'c');
    loop_timer_set(&a.timer, IN(10));
    loop_timer_set(&b.timer, IN(20));
    loop_timer_set(&c.timer, IN(30));
    loop_timer_set(&c.timer, IN(5));
    loop_timer_set(&a.timer, IN(25));
    turn_at(IN(21));
    EXPECT_STR(order, "cb");
    turn_at(IN(25));
    EXPECT_STR(order, "cba");
}

Test(loop, a_cleared_timer_does_not_fire)
{
    alarm_t a, b;

    alarm_init(&a, 'a');
    alarm_init(&b, 'b');
    loop_timer_clear(&a.timer);
    loop_timer_set(&a.timer, IN(10));
    loop_timer_set(&b.timer, IN(10));
    loop_timer_clear(&a.timer);
    loop_timer_clear(&a.timer);
    loop_timer_set(&b.timer, CLOCK_NEVER);
    turn_at(IN(20));
    EXPECT_STR(order, "");
}

Test(loop, a_timer_may_clear_another_one_that_is_due)
{
    alarm_t a, b, c;

    alarm_init(&a, 'a');
    alarm_init(&b, 'b');
    alarm_init(&c, 'c');
    loop_timer_set(&a.timer, IN(1));
    loop_timer_set(&b.timer, IN(2));
    loop_timer_set(&c.timer, IN(3));
    a.target = &b;
    a.target_at = CLOCK_NEVER;
    turn_at(IN(10));
    EXPECT_STR(order, "ac");
}

Test(loop, a_timer_may_move_another_one)
{
    alarm_t a, b, c;

    alarm_init(&a, 'a');
    alarm_init(&b, 'b');
    alarm_init(&c, 'c');
    loop_timer_set(&a.timer, IN(1));
    loop_timer_set(&b.timer, IN(2));
    loop_timer_set(&c.timer, IN(3));
    a.target = &b;
    a.target_at = IN(5);
    turn_at(IN(4));
    EXPECT_STR(order, "ac");
    turn_at(IN(5));
    EXPECT_STR(order, "acb");
}

Test(loop, a_timer_set_to_the_past_in_its_own_callback_does_not_hang_the_turn)
{
    alarm_t a;

    alarm_init(&a, 'a');
    a.target = &a;
    a.target_at = IN(0);
    loop_timer_set(&a.timer, IN(0));
    turn_at(IN(1));
    EXPECT_STR(order, "a");
    loop_turn(loop);
    EXPECT_STR(order, "aa");
    loop_timer_clear(&a.timer);
}

static void free_alarm(loop_timer_t *t)
{
    alarm_t *a = HOST_CONTAINER(t, alarm_t, timer);

    ran(a->name);
    free(a);
}

Test(loop, a_timer_may_free_itself)
{
    alarm_t *a = host_xcalloc(1, sizeof(*a));
    alarm_t b;

    a->name = 'a';
    loop_timer_init(&a->timer, loop, free_alarm);
    alarm_init(&b, 'b');
    loop_timer_set(&a->timer, IN(1));
    loop_timer_set(&b.timer, IN(2));
    turn_at(IN(3));
    EXPECT_STR(order, "ab");
}

/* Every change is checked against a plain array. */
Test(loop, random_changes_keep_the_order)
{
    enum { N = 40 };
    alarm_t timers[N];
    uint32_t seed = 12345;

    for (int i = 0; i < N; i++)
        alarm_init(&timers[i], 'x');
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1664525u + 1013904223u;
        alarm_t *a = &timers[(seed >> 8) % N];
        unsigned action = (seed >> 16) % 4;

        if (action == 0)
            loop_timer_clear(&a->timer);
        else
            loop_timer_set(&a->timer, IN((seed >> 18) % 1000));
    }
    int64_t last = 0;
    int set = 0, fired = 0;

    for (int i = 0; i < N; i++)
        set += timers[i].timer.at != CLOCK_NEVER;
    cr_assert_gt(set, N / 2);
    for (int64_t at = IN(0); at <= IN(1000); at += CLOCK_MS) {
        int due = 0;

        for (int i = 0; i < N; i++)
            due += timers[i].timer.at <= at;
        memset(order, 0, sizeof(order));
        turn_at(at);
        cr_assert_eq(strlen(order), (size_t) due, "at %lld %zu fired, expected %d", (long long) at,
                     strlen(order), due);
        fired += due;
        last = at;
    }
    EXPECT_INT(last, IN(1000));
    EXPECT_INT(fired, set);
}

/* --- file descriptors --- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    char byte;

    (void) what;
    (void) arg;
    EXPECT_INT(read(fd, &byte, 1), 1);
    ran(byte);
}

Test(loop, a_turn_serves_file_descriptors_too)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    struct event *event =
        event_new(loop_base(loop), fds[0], EV_READ | EV_PERSIST, on_readable, NULL);

    event_add(event, NULL);
    loop_turn(loop);
    EXPECT_STR(order, "");
    EXPECT_INT(write(fds[1], "r", 1), 1);
    loop_turn(loop);
    EXPECT_STR(order, "r");
    event_free(event);
    close(fds[0]);
    close(fds[1]);
}

/* --- slices --- */

static int chore_fds[2];

/* Takes 8 ms, and finds at the first time that somebody has written. */
static void run_chore(loop_task_t *task)
{
    const job_t *job = HOST_CONTAINER(task, job_t, task);

    ran(job->name);
    fake_clock_advance(8 * CLOCK_MS);
    if (job->name == 'a')
        EXPECT_INT(write(chore_fds[1], "r", 1), 1);
    if (job->also != NULL)
        loop_post(loop, job->also);
    if (job->name == 'e')
        loop_stop(loop);
}

Test(loop, rule_14_chores_give_way_to_file_descriptors_after_20_ms)
{
    job_t jobs[5];

    cr_assert_eq(pipe(chore_fds), 0);
    struct event *event =
        event_new(loop_base(loop), chore_fds[0], EV_READ | EV_PERSIST, on_readable, NULL);

    event_add(event, NULL);
    for (int i = 0; i < 5; i++) {
        jobs[i] = (job_t){.task = {.fn = run_chore}, .name = (char) ('a' + i)};
        loop_post(loop, &jobs[i].task);
    }
    loop_run(loop);
    EXPECT_STR(order, "abcrde");
    event_free(event);
    close(chore_fds[0]);
    close(chore_fds[1]);
}

Test(loop, what_a_pass_had_no_time_for_runs_before_what_was_posted_meanwhile)
{
    job_t jobs[5], later = JOB('z');

    cr_assert_eq(pipe(chore_fds), 0);
    for (int i = 0; i < 5; i++) {
        jobs[i] = (job_t){.task = {.fn = run_chore}, .name = (char) ('a' + i)};
        loop_post(loop, &jobs[i].task);
    }
    jobs[0].also = &later.task;
    loop_run(loop);
    EXPECT_STR(order, "abcdez");
    close(chore_fds[0]);
    close(chore_fds[1]);
}

static job_t errands[3];
static int64_t per_errand;

/* Posts the next one; the first lets a descriptor become readable. */
static void run_errand(loop_task_t *task)
{
    const job_t *job = HOST_CONTAINER(task, job_t, task);

    ran(job->name);
    fake_clock_advance(per_errand);
    if (job->name == 'a')
        EXPECT_INT(write(chore_fds[1], "r", 1), 1);
    if (job != &errands[2])
        loop_post(loop, &errands[job - errands + 1].task);
}

static void stop_when_readable(evutil_socket_t fd, short what, void *arg)
{
    on_readable(fd, what, arg);
    loop_stop(loop);
}

/* What ran until the descriptor was looked at, each errand posting the next. */
static void run_errands(int64_t each)
{
    per_errand = each;
    for (int i = 0; i < 3; i++) {
        errands[i] = (job_t){.task = {.fn = run_errand}, .name = (char) ('a' + i)};
    }
    cr_assert_eq(pipe(chore_fds), 0);
    struct event *event =
        event_new(loop_base(loop), chore_fds[0], EV_READ | EV_PERSIST, stop_when_readable, NULL);

    event_add(event, NULL);
    loop_post(loop, &errands[0].task);
    loop_run(loop);
    event_free(event);
    close(chore_fds[0]);
    close(chore_fds[1]);
}

Test(loop, what_comes_of_short_tasks_runs_at_once)
{
    run_errands(CLOCK_MS / 10);
    EXPECT_STR(order, "abcr");
}

Test(loop, what_comes_of_tasks_gives_way_to_file_descriptors_after_1_ms)
{
    run_errands(6 * CLOCK_MS / 10);
    EXPECT_STR(order, "abrc"); /* the stop lets the pass end */
}

/* --- stop --- */

static void stop_loop(loop_task_t *task)
{
    (void) task;
    ran('s');
    loop_stop(loop);
}

Test(loop, run_ends_when_a_task_stops_it_and_can_be_run_again)
{
    loop_task_t stop = {.fn = stop_loop};

    loop_post(loop, &stop);
    loop_run(loop);
    EXPECT_STR(order, "s");
    loop_post(loop, &stop);
    loop_run(loop);
    EXPECT_STR(order, "ss");
}

Test(loop, a_stop_that_comes_before_run_is_not_lost)
{
    job_t a = JOB('a');

    loop_post(loop, &a.task);
    loop_stop(loop);
    loop_run(loop);
    EXPECT_STR(order, "");
}
