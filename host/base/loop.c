/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass of a loop: wait for file descriptors, then the timers that are due, then what was
 * posted. libevent knows two events of our own, a timerfd that is armed for the earliest timer
 * and an eventfd that loop_post() rings; both only end the wait. Which timers are due is decided
 * by clock_now() alone, so that tests that link the fake clock fire them by loop_turn().
 */
#include "base/loop.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <event2/event.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* How long timers and posted tasks may run before file descriptors are looked at again. */
#define SLICE (20 * CLOCK_MS)

/* As long as they took less, those that they set and posted are run before that too. */
#define SHORT CLOCK_MS

typedef struct tasks {
    loop_task_t *head, *tail; /* head is NULL: there are none */
} tasks_t;

struct loop {
    struct event_base *base;
    int timer_fd, post_fd;
    struct event *timer_event, *post_event;
    _Atomic pthread_t owner;
    _Atomic bool stopping;

    loop_timer_t **heap; /* binary heap, the earliest first */
    size_t heap_len, heap_cap;
    int64_t armed; /* what timer_fd is set to; CLOCK_NEVER: not set */

    tasks_t taken; /* of those posted, to be run in this pass or the next */

    _Atomic unsigned ringing; /* how many threads are about to write to post_fd, without the lock */

    pthread_mutex_t post_lock; /* guards what follows, and next of its tasks */
    bool waiting;              /* nothing but post_fd tells the loop of a task */
    tasks_t posted;
};

/* --- create and destroy --- */

/* Takes the count out of a timerfd or eventfd; that it woke the loop is all that it is for. */
static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void) what;
    (void) arg;
    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
}

static struct event *watch_fd(struct event_base *base, int fd)
{
    struct event *event = event_new(base, fd, EV_READ | EV_PERSIST, on_wake, NULL);

    if (event != NULL && event_add(event, NULL) < 0) {
        event_free(event);
        return NULL;
    }
    return event;
}

int loop_create(loop_t **out, lh_error_t *err)
{
    loop_t *loop = host_xcalloc(1, sizeof(*loop));

    pthread_mutex_init(&loop->post_lock, NULL);
    atomic_init(&loop->owner, pthread_self());
    atomic_init(&loop->stopping, false);
    loop->armed = CLOCK_NEVER;
    loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    loop->post_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->timer_fd < 0 || loop->post_fd < 0) {
        int saved = errno;

        loop_destroy(loop);
        return host_fail(err, LH_EIO, "event loop: %s", strerror(saved));
    }
    loop->base = event_base_new(); /* its own timers are not used: coarse ones will do */
    if (loop->base != NULL) {
        loop->timer_event = watch_fd(loop->base, loop->timer_fd);
        loop->post_event = watch_fd(loop->base, loop->post_fd);
    }
    if (loop->timer_event == NULL || loop->post_event == NULL) {
        loop_destroy(loop);
        return host_fail(err, LH_EIO, "event loop: libevent cannot be set up");
    }
    *out = loop;
    return 0;
}

void loop_destroy(loop_t *loop)
{
    if (loop == NULL)
        return;
    while (atomic_load(&loop->ringing) > 0) /* what they have posted may have led here */
        sched_yield();
    if (loop->timer_event != NULL)
        event_free(loop->timer_event);
    if (loop->post_event != NULL)
        event_free(loop->post_event);
    if (loop->base != NULL)
        event_base_free(loop->base);
    host_closep(&loop->timer_fd);
    host_closep(&loop->post_fd);
    pthread_mutex_destroy(&loop->post_lock);
    free(loop->heap);
    free(loop);
}

struct event_base *loop_base(loop_t *loop)
{
    return loop->base;
}

bool loop_is_own(const loop_t *loop)
{
    return pthread_equal(atomic_load_explicit(&loop->owner, memory_order_relaxed),
                         pthread_self()) != 0;
}

/* --- timers: a binary heap, each timer knows its slot --- */

static void heap_put(loop_t *loop, size_t slot, loop_timer_t *t)
{
    loop->heap[slot] = t;
    t->slot = slot;
}

/* Puts t where it belongs, given that slot is free and may be too low or too high for it. */
static void heap_place(loop_t *loop, size_t slot, loop_timer_t *t)
{
    while (slot > 0 && t->at < loop->heap[(slot - 1) / 2]->at) {
        heap_put(loop, slot, loop->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    for (size_t child; (child = 2 * slot + 1) < loop->heap_len; slot = child) {
        if (child + 1 < loop->heap_len && loop->heap[child + 1]->at < loop->heap[child]->at)
            child++;
        if (t->at <= loop->heap[child]->at)
            break;
        heap_put(loop, slot, loop->heap[child]);
    }
    heap_put(loop, slot, t);
}

static void heap_grow(loop_t *loop)
{
    size_t cap = HOST_MAX(2 * loop->heap_cap, (size_t) 16);
    loop_timer_t **heap = host_xcalloc(cap, sizeof(loop_timer_t *));

    if (loop->heap_len != 0)
        memcpy(heap, loop->heap, loop->heap_len * sizeof(loop_timer_t *));
    free(loop->heap);
    loop->heap = heap;
    loop->heap_cap = cap;
}

void loop_timer_init(loop_timer_t *t, loop_t *loop, void (*fn)(loop_timer_t *))
{
    *t = (loop_timer_t){.loop = loop, .fn = fn, .at = CLOCK_NEVER};
}

void loop_timer_clear(loop_timer_t *t)
{
    loop_t *loop = t->loop;

    if (t->at == CLOCK_NEVER)
        return;
    HOST_ASSERT_LOOP(loop);
    loop_timer_t *last = loop->heap[--loop->heap_len];

    if (last != t)
        heap_place(loop, t->slot, last);
    t->at = CLOCK_NEVER;
}

void loop_timer_set(loop_timer_t *t, int64_t at)
{
    loop_t *loop = t->loop;

    HOST_ASSERT_LOOP(loop);
    loop_timer_clear(t);
    if (at == CLOCK_NEVER)
        return;
    if (loop->heap_len == loop->heap_cap)
        heap_grow(loop);
    t->at = at;
    heap_place(loop, loop->heap_len++, t);
}

static int64_t earliest(const loop_t *loop)
{
    return loop->heap_len != 0 ? loop->heap[0]->at : CLOCK_NEVER;
}

/* A timer that has fired stays armed in our books until another time is the earliest: that one time
 * was enough to wake us, and setting a time that is past again and again would spin. */
static void arm(loop_t *loop)
{
    int64_t at = earliest(loop);
    struct itimerspec spec = {0};

    if (at == loop->armed)
        return;
    if (at != CLOCK_NEVER) {
        int64_t ns = HOST_MAX(at, 1); /* 0 would disarm */

        spec.it_value.tv_sec = ns / CLOCK_S;
        spec.it_value.tv_nsec = ns % CLOCK_S;
    }
    timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
    loop->armed = at;
}

/* Fires what was due at now. At most as many as were set at the start, so that a timer that sets
 * itself to the past does not keep the loop here. */
static void run_timers(loop_t *loop, int64_t now, int64_t until)
{
    for (size_t left = loop->heap_len; left > 0 && earliest(loop) <= now; left--) {
        loop_timer_t *t = loop->heap[0];

        loop_timer_clear(t);
        t->fn(t);
        if (clock_now() >= until)
            break;
    }
}

/* --- posted tasks --- */

static void wake(loop_t *loop)
{
    uint64_t one = 1;

    /* EAGAIN means that the counter is full: the loop has been rung often enough. */
    while (write(loop->post_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void append(tasks_t *list, loop_task_t *head, loop_task_t *tail)
{
    if (list->head == NULL)
        list->head = head;
    else
        list->tail->next = head;
    list->tail = tail;
}

static bool find_and_remove(tasks_t *list, const loop_task_t *task)
{
    loop_task_t *before = NULL, *at = list->head;

    for (; at != NULL && at != task; at = at->next)
        before = at;
    if (at == NULL)
        return false;
    if (before == NULL)
        list->head = at->next;
    else
        before->next = at->next;
    if (list->tail == at)
        list->tail = before;
    return true;
}

/* With the lock held. */
static void enqueue(loop_t *loop, loop_task_t *task)
{
    if (atomic_exchange(&task->queued, true))
        return;
    task->next = NULL;
    append(&loop->posted, task, task);
}

/* With the lock held. True when the caller must ring() without it. What the loop's own thread posts
 * it finds before it waits. */
static bool end_wait(loop_t *loop)
{
    if (!loop->waiting || loop_is_own(loop))
        return false;
    loop->waiting = false;
    atomic_fetch_add(&loop->ringing, 1);
    return true;
}

/* Not under the lock: the loop, once awake, wants that at once. */
static void ring(loop_t *loop)
{
    wake(loop);
    atomic_fetch_sub(&loop->ringing, 1); /* from here on the loop may be gone */
}

void loop_post(loop_t *loop, loop_task_t *task)
{
    pthread_mutex_lock(&loop->post_lock);
    enqueue(loop, task);
    const bool waits = end_wait(loop);
    pthread_mutex_unlock(&loop->post_lock);
    if (waits)
        ring(loop);
}

void loop_post_quietly(loop_t *loop, loop_task_t *task)
{
    pthread_mutex_lock(&loop->post_lock);
    enqueue(loop, task);
    pthread_mutex_unlock(&loop->post_lock);
}

void loop_wake(loop_t *loop)
{
    pthread_mutex_lock(&loop->post_lock);
    const bool waits = end_wait(loop);
    pthread_mutex_unlock(&loop->post_lock);
    if (waits)
        ring(loop);
}

void loop_withdraw(loop_t *loop, loop_task_t *task)
{
    HOST_ASSERT_LOOP(loop);
    if (!atomic_load(&task->queued))
        return;
    if (!find_and_remove(&loop->taken, task)) {
        pthread_mutex_lock(&loop->post_lock);
        find_and_remove(&loop->posted, task);
        pthread_mutex_unlock(&loop->post_lock);
    }
    atomic_store(&task->queued, false);
}

/* False when there is something to do at once; else whoever posts from now on wakes the loop. */
static bool begin_wait(loop_t *loop, int64_t now)
{
    const bool idle = earliest(loop) > now && loop->taken.head == NULL;

    pthread_mutex_lock(&loop->post_lock);
    const bool waiting = loop->waiting = idle && loop->posted.head == NULL;

    pthread_mutex_unlock(&loop->post_lock);
    return waiting;
}

/* Takes what is posted now behind what an earlier pass had no time for; the loop does not wait any
 * more. */
static void take_posted(loop_t *loop)
{
    pthread_mutex_lock(&loop->post_lock);
    if (loop->posted.head != NULL)
        append(&loop->taken, loop->posted.head, loop->posted.tail);
    loop->posted = (tasks_t){0};
    loop->waiting = false;
    pthread_mutex_unlock(&loop->post_lock);
}

/* Runs the tasks that are queued now; those that they post come with the next pass. */
static void run_tasks(loop_t *loop, int64_t until)
{
    take_posted(loop);
    for (loop_task_t *task; (task = loop->taken.head) != NULL;) {
        loop->taken.head = task->next;
        /* From here on a post is for one more run. An exchange: this run is to see what was written
         * before a post that has found the task queued. */
        atomic_exchange(&task->queued, false);
        task->fn(task);
        if (clock_now() >= until)
            break;
    }
}

/* --- running --- */

static void take_ownership(loop_t *loop)
{
    atomic_store_explicit(&loop->owner, pthread_self(), memory_order_relaxed);
}

static bool is_stopping(const loop_t *loop)
{
    return atomic_load_explicit(&loop->stopping, memory_order_acquire);
}

/* Runs what is due and posted, and for a short time what comes of it. True when nothing is left to
 * do: then the loop waits. */
static bool run_due(loop_t *loop)
{
    const int64_t begun = clock_now();
    int64_t now = begun;
    bool wait;

    do {
        run_timers(loop, now, now + SLICE);
        run_tasks(loop, now + SLICE);
        now = clock_now();
        wait = begin_wait(loop, now);
    } while (!wait && now - begun < SHORT && !is_stopping(loop));
    return wait;
}

void loop_run(loop_t *loop)
{
    take_ownership(loop);
    bool wait = begin_wait(loop, clock_now());

    while (!is_stopping(loop)) {
        if (wait) /* else the timers that are due are found without being told */
            arm(loop);
        event_base_loop(loop->base, EVLOOP_ONCE | (wait ? 0 : EVLOOP_NONBLOCK));
        wait = run_due(loop);
    }
    atomic_store_explicit(&loop->stopping, false, memory_order_release);
}

void loop_turn(loop_t *loop)
{
    take_ownership(loop);
    event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    run_timers(loop, clock_now(), CLOCK_NEVER);
    run_tasks(loop, CLOCK_NEVER);
}

void loop_stop(loop_t *loop)
{
    atomic_fetch_add(&loop->ringing, 1);
    atomic_store_explicit(&loop->stopping, true, memory_order_release);
    ring(loop);
}

typedef struct sync_call {
    loop_task_t task;
    void (*fn)(void *arg);
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
} sync_call_t;

static void run_sync_call(loop_task_t *task)
{
    sync_call_t *call = HOST_CONTAINER(task, sync_call_t, task);

    call->fn(call->arg);
    pthread_mutex_lock(&call->lock);
    call->done = true;
    pthread_cond_signal(&call->done_cond);
    pthread_mutex_unlock(&call->lock);
}

void loop_call_sync(loop_t *loop, void (*fn)(void *arg), void *arg)
{
    sync_call_t call = {.task = {.fn = run_sync_call}, .fn = fn, .arg = arg};

    pthread_mutex_init(&call.lock, NULL);
    pthread_cond_init(&call.done_cond, NULL);
    loop_post(loop, &call.task);
    pthread_mutex_lock(&call.lock);
    while (!call.done)
        pthread_cond_wait(&call.done_cond, &call.lock);
    pthread_mutex_unlock(&call.lock);
    pthread_cond_destroy(&call.done_cond);
    pthread_mutex_destroy(&call.lock);
}
