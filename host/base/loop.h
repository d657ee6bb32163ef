/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop: one libevent base owned by one thread, with timers on CLOCK_BOOTTIME and a post
 * queue. The main thread, the elector and the HTTP server have one each. All state of a loop is
 * touched by its thread only; loop_post() is the one call for others.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/base.h"
#include "base/list.h"

#include <leasehold/error.h>
#include <pthread.h>
#include <stdatomic.h>

struct event_base;

typedef struct loop loop_t;

/* Work for a loop, embedded in its owner: posting needs no memory. */
typedef struct loop_task {
    void (*fn)(struct loop_task *task);
    struct loop_task *next; /* of the loop while queued */
    _Atomic bool queued;    /* of the loop */
} loop_task_t;

/* A timer, embedded in its owner; zeroed by loop_timer_init. */
typedef struct loop_timer {
    loop_t *loop;
    void (*fn)(struct loop_timer *timer); /* may set or clear any timer, and free its own memory */
    int64_t at;                           /* BOOTTIME ns; CLOCK_NEVER: not set */
    size_t slot;                          /* of the loop's heap */
} loop_timer_t;

/* Caller owns *out, free with loop_destroy. The thread that calls loop_run owns the loop from then
 * on; before that, the creating thread. */
HOST_MUST_USE int loop_create(loop_t **out, lh_error_t *err);
void loop_destroy(loop_t *loop); /* NULL is allowed; runs nothing that is still queued */

/* Borrowed until loop_destroy. For fd events and signals. [loop's thread] */
struct event_base *loop_base(loop_t *loop);

/* Runs until loop_stop. Timers fire in order of their time, posted tasks in order of posting; file
 * descriptors are looked at again after at most 20 ms of them. A stop that came before loop_run
 * ends it at once. */
void loop_run(loop_t *loop);
/* One pass without waiting: file descriptors, then the timers due by clock_now(), then what was
 * posted; what these post in turn is left to the next pass. For tests and for draining. */
void loop_turn(loop_t *loop);
void loop_stop(loop_t *loop); /* [any-thread] */

/* Queues task; a task already queued is not queued twice (its run is still to come and will see
 * everything written before this call). task->fn may post it again or free it. [any-thread] */
void loop_post(loop_t *loop, loop_task_t *task);

/* The same, but a loop that waits goes on waiting: the task runs with whatever wakes it next. For news
 * that nobody needs at once; a timer must bound the wait. [any-thread] */
void loop_post_quietly(loop_t *loop, loop_task_t *task);
/* Wakes the loop when it waits: what was posted quietly before this call runs now. [any-thread] */
void loop_wake(loop_t *loop);

/* Takes a task out of the queue, so that its owner may be freed; nothing happens when it is not
 * queued. Nobody may post it meanwhile. [loop's thread] */
void loop_withdraw(loop_t *loop, loop_task_t *task);

/* What loop_call_sync runs; used by tests and by other threads that need one answer. Returns when
 * fn(arg) has run on the loop's thread. Never from the loop's own thread. [any-thread] */
void loop_call_sync(loop_t *loop, void (*fn)(void *arg), void *arg);

void loop_timer_init(loop_timer_t *t, loop_t *loop, void (*fn)(loop_timer_t *));
void loop_timer_set(loop_timer_t *t, int64_t at); /* moves it when already set */
void loop_timer_clear(loop_timer_t *t);           /* also on one that is not set */

/* True on the thread that owns the loop. */
bool loop_is_own(const loop_t *loop);
/* Ends a debug build when called on another thread. */
#define HOST_ASSERT_LOOP(loop) assert(loop_is_own(loop))

#endif
