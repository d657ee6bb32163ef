/* SPDX-License-Identifier: Apache-2.0 */
/* The loop with other threads and the real clock. */
#include "base/loop.h"

#include "base/clock.h"
#include "support/expect.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static loop_t *loop;
static pthread_t thread;
static _Atomic int count;

static void *run(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void start(void)
{
    lh_error_t err = {0};

    ASSERT_OK(loop_create(&loop, &err), err);
    pthread_create(&thread, NULL, run, loop);
}

static void finish(void)
{
    loop_stop(loop);
    pthread_join(thread, NULL);
    loop_destroy(loop);
}

TestSuite(loop_thread, .init = start, .fini = finish, .timeout = 20);

static void nothing(void *arg)
{
    (void) arg;
}

static void note_own(void *arg)
{
    *(bool *) arg = loop_is_own(loop);
}

Test(loop_thread, call_sync_runs_on_the_loops_thread)
{
    bool own = false;

    loop_call_sync(loop, note_own, &own);
    EXPECT_INT(own, true);
    EXPECT_INT(loop_is_own(loop), false);
}

static void count_up(loop_task_t *task)
{
    (void) task;
    atomic_fetch_add(&count, 1);
}

Test(loop_thread, a_post_wakes_the_loop)
{
    loop_task_t task = {.fn = count_up};

    loop_call_sync(loop, nothing, NULL);
    loop_post(loop, &task);
    loop_call_sync(loop, nothing, NULL); /* tasks run in order: task has run */
    EXPECT_INT(count, 1);
}

/* Stands in for the real one by the linker's --wrap, to count what rings the loop. */
static _Atomic int rung;
ssize_t real_write(int fd, const void *data, size_t len) __asm__("__real_write");
ssize_t wrap_write(int fd, const void *data, size_t len) __asm__("__wrap_write");
ssize_t wrap_write(int fd, const void *data, size_t len)
{
    rung += len == sizeof(uint64_t);
    return real_write(fd, data, len);
}

/* Likewise, to count what the kernel is asked to wake the loop for. */
static _Atomic int armed;
int real_settime(int fd, int flags, const struct itimerspec *to,
                 struct itimerspec *was) __asm__("__real_timerfd_settime");
int wrap_settime(int fd, int flags, const struct itimerspec *to,
                 struct itimerspec *was) __asm__("__wrap_timerfd_settime");
int wrap_settime(int fd, int flags, const struct itimerspec *to, struct itimerspec *was)
{
    armed++;
    return real_settime(fd, flags, to, was);
}

static void find_tid(void *arg)
{
    *(pid_t *) arg = gettid();
}

/* Returns when the loop waits, for good. */
static void until_it_waits(void)
{
    char path[64], line[256] = "";
    pid_t tid = 0;

    loop_call_sync(loop, find_tid, &tid);
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int) tid);
    while (strstr(line, ") S ") == NULL) {
        FILE *f = fopen(path, "r");

        cr_assert(f != NULL && fgets(line, sizeof(line), f) != NULL);
        fclose(f);
    }
}

static void post_from_within(void *arg)
{
    rung = 0;
    loop_post(loop, arg);
    EXPECT_INT(rung, 0);
}

Test(loop_thread, a_loop_is_rung_only_when_it_waits)
{
    loop_task_t task = {.fn = count_up}, other = {.fn = count_up};

    loop_call_sync(loop, post_from_within, &task);
    until_it_waits();
    EXPECT_INT(count, 1);
    rung = 0;
    loop_post(loop, &task);
    EXPECT_INT(rung, 1);
    loop_post(loop, &other);
    loop_call_sync(loop, nothing, NULL);
    EXPECT_INT(count, 3);
}

Test(loop_thread, a_quiet_post_runs_with_what_wakes_the_loop_next)
{
    loop_task_t task = {.fn = count_up};

    until_it_waits();
    rung = 0;
    loop_post_quietly(loop, &task);
    EXPECT_INT(rung, 0);
    EXPECT_INT(count, 0);
    loop_call_sync(loop, nothing, NULL);
    EXPECT_INT(count, 1);
}

Test(loop_thread, a_wake_ends_the_wait_for_what_was_posted_quietly)
{
    loop_task_t task = {.fn = count_up};

    until_it_waits();
    rung = 0;
    loop_post_quietly(loop, &task);
    loop_wake(loop);
    EXPECT_INT(rung, 1);
    while (count == 0)
        usleep(100);
    EXPECT_INT(count, 1);
}

/* The post found the task queued and left the loop asleep. */
Test(loop_thread, a_post_of_what_was_posted_quietly_wakes_the_loop)
{
    loop_task_t task = {.fn = count_up};

    until_it_waits();
    loop_post_quietly(loop, &task);
    loop_post(loop, &task);
    while (count == 0)
        usleep(100);
    EXPECT_INT(count, 1);
}

typedef struct poster {
    loop_task_t task;
    int value; /* not atomic: a run sees what was written before the post */
    int seen;
} poster_t;

static void see(loop_task_t *task)
{
    poster_t *p = HOST_CONTAINER(task, poster_t, task);

    p->seen = p->value;
}

static void *post_once(void *arg)
{
    poster_t *p = arg;

    p->value = 42;
    loop_post(loop, &p->task);
    return NULL;
}

Test(loop_thread, posts_of_many_threads_all_run_and_see_what_was_written)
{
    poster_t posters[16] = {0};
    pthread_t threads[16];

    for (int i = 0; i < 16; i++) {
        posters[i].task.fn = see;
        pthread_create(&threads[i], NULL, post_once, &posters[i]);
    }
    for (int i = 0; i < 16; i++)
        pthread_join(threads[i], NULL);
    loop_call_sync(loop, nothing, NULL);
    for (int i = 0; i < 16; i++)
        EXPECT_INT(posters[i].seen, 42);
}

typedef struct alarm {
    loop_timer_t timer;
    int64_t delay, set_for, fired_at;
    _Atomic bool fired;
} alarm_t;

static void on_alarm(loop_timer_t *t)
{
    alarm_t *a = HOST_CONTAINER(t, alarm_t, timer);

    a->fired_at = clock_now();
    atomic_store(&a->fired, true);
}

static void set_alarm(void *arg)
{
    alarm_t *a = arg;

    loop_timer_init(&a->timer, loop, on_alarm);
    a->set_for = clock_now() + a->delay;
    loop_timer_set(&a->timer, a->set_for);
}

static void clear_alarm(void *arg)
{
    loop_timer_clear(&((alarm_t *) arg)->timer);
}

static void await(_Atomic bool *flag)
{
    while (!atomic_load(flag)) /* the suite's time limit ends it */
        nanosleep(&(struct timespec){.tv_nsec = CLOCK_MS}, NULL);
}

Test(loop_thread, a_timer_wakes_the_loop_at_its_time)
{
    alarm_t a = {.delay = 30 * CLOCK_MS};

    loop_call_sync(loop, set_alarm, &a);
    await(&a.fired);
    cr_expect(a.fired_at >= a.set_for, "fired %lld ns early", (long long) (a.set_for - a.fired_at));
    cr_expect(a.fired_at - a.set_for < CLOCK_S, "fired %lld ms late",
              (long long) ((a.fired_at - a.set_for) / CLOCK_MS));
}

Test(loop_thread, a_timer_that_is_due_at_once_is_not_armed)
{
    alarm_t past = {.delay = 0}, late = {.delay = 3600 * CLOCK_S};

    until_it_waits();
    armed = 0;
    loop_call_sync(loop, set_alarm, &past);
    await(&past.fired);
    until_it_waits();
    EXPECT_INT(armed, 0);
    loop_call_sync(loop, set_alarm, &late);
    until_it_waits();
    EXPECT_INT(armed, 1);
    loop_call_sync(loop, clear_alarm, &late);
}

Test(loop_thread, an_earlier_timer_moves_the_wake_up_forward)
{
    alarm_t late = {.delay = 3600 * CLOCK_S};
    alarm_t early = {.delay = 20 * CLOCK_MS};
    alarm_t past = {.delay = -CLOCK_S};

    loop_call_sync(loop, set_alarm, &late);
    loop_call_sync(loop, set_alarm, &early);
    await(&early.fired);
    loop_call_sync(loop, set_alarm, &past);
    await(&past.fired);
    loop_call_sync(loop, clear_alarm, &late);
    EXPECT_INT(late.fired, false);
}

/* --- slices --- */

static _Atomic bool readable_seen;

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    char byte;

    (void) what;
    (void) arg;
    EXPECT_INT(read(fd, &byte, 1), 1);
    atomic_store(&readable_seen, true);
}

typedef struct slow {
    loop_task_t task;
    int fd;    /* where it writes a byte first; negative: nowhere */
    bool *saw; /* set to whether the file descriptor had been served before */
} slow_t;

static void run_slow(loop_task_t *task)
{
    slow_t *slow = HOST_CONTAINER(task, slow_t, task);
    int64_t until = clock_now() + 10 * CLOCK_MS;

    *slow->saw = atomic_load(&readable_seen);
    if (slow->fd >= 0)
        EXPECT_INT(write(slow->fd, "x", 1), 1);
    while (clock_now() < until)
        ;
}

typedef struct flood {
    slow_t tasks[10];
    bool saw[10];
    int fd, write_fd;
    struct event *event;
} flood_t;

static void start_flood(void *arg)
{
    flood_t *f = arg;

    f->event = event_new(loop_base(loop), f->fd, EV_READ | EV_PERSIST, on_readable, NULL);
    event_add(f->event, NULL);
    for (int i = 0; i < 10; i++) {
        f->tasks[i] =
            (slow_t){.task = {.fn = run_slow}, .fd = i == 0 ? f->write_fd : -1, .saw = &f->saw[i]};
        loop_post(loop, &f->tasks[i].task);
    }
}

static void end_flood(void *arg)
{
    event_free(((flood_t *) arg)->event);
}

Test(loop_thread, many_tasks_do_not_keep_file_descriptors_waiting)
{
    flood_t f = {0};
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    f.fd = fds[0];
    f.write_fd = fds[1];
    loop_call_sync(loop, start_flood, &f);
    loop_call_sync(loop, end_flood, &f);
    EXPECT_INT(f.saw[0], false);
    EXPECT_INT(f.saw[9], true); /* after 90 ms of tasks, in slices of 20 ms */
    close(fds[0]);
    close(fds[1]);
}

typedef struct ender {
    loop_task_t task;
    loop_t *loop;
} ender_t;

static void end_own_loop(loop_task_t *task)
{
    loop_stop(HOST_CONTAINER(task, ender_t, task)->loop);
}

static void *post_end(void *arg)
{
    ender_t *e = arg;

    loop_post(e->loop, &e->task);
    return NULL;
}

Test(loop_thread, a_loop_may_be_destroyed_while_whose_post_has_ended_it_still_rings)
{
    for (int i = 0; i < 500; i++) {
        ender_t e = {.task = {.fn = end_own_loop}};
        lh_error_t err = {0};
        pthread_t poster;

        ASSERT_OK(loop_create(&e.loop, &err), err);
        pthread_create(&poster, NULL, post_end, &e);
        loop_run(e.loop);
        loop_destroy(e.loop);
        pthread_join(poster, NULL);
    }
}

Test(loop_thread, stop_from_another_thread_ends_run)
{
    loop_t *other = NULL;
    lh_error_t err = {0};
    pthread_t runner;

    ASSERT_OK(loop_create(&other, &err), err);
    pthread_create(&runner, NULL, run, other);
    loop_call_sync(other, nothing, NULL); /* it waits by now, or will soon */
    loop_stop(other);
    EXPECT_INT(pthread_join(runner, NULL), 0);
    loop_destroy(other);
}
