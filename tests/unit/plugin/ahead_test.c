/* SPDX-License-Identifier: Apache-2.0 */
/* How many keys a runner is given ahead of its workers, and when the loop hears that it needs more. */
#include "runtime_rig.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SHORT_CALLS = 64, KEYS = 40, AHEAD = 16, INSIDE = 1 };

#define QUEUED "workqueue_depth{name=\"puppet\",controller=\"puppet\",priority=\"0\"}"

/* Calls wait for `go` when `blocking`. */
typedef struct calls {
    hooks_t hooks; /* first */
    rig_t *rig;
    sem_t go;
    _Atomic bool blocking;
    _Atomic int begun;
} calls_t;

/* Stand in for the real ones by the linker's --wrap: how many returns have been told, and what would have
 * woken the loop. */
static _Atomic int told, woken;
static loop_t *rig_loop;

void wrap_wake(loop_t *loop) __asm__("__wrap_loop_wake");
void wrap_wake(loop_t *loop)
{
    woken += loop == rig_loop;
}

void real_tell(plugin_services_t *s, loop_task_t *task,
               bool urgent) __asm__("__real_plugin_services_tell");
void wrap_tell(plugin_services_t *s, loop_task_t *task,
               bool urgent) __asm__("__wrap_plugin_services_tell");
void wrap_tell(plugin_services_t *s, loop_task_t *task, bool urgent)
{
    real_tell(s, task, urgent);
    told++;
}

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    static const lh_result_t done = {.struct_size = sizeof(done), .action = LH_DONE};
    calls_t *c = (calls_t *) h;

    (void) request;
    c->begun++;
    while (c->blocking && sem_wait(&c->go) < 0 && errno == EINTR)
        ;
    h->host->complete(h->host, completion, &done);
}

static bool have_begun(rig_t *r, const void *arg)
{
    (void) r;
    return ((const calls_t *) arg)->begun >= SHORT_CALLS;
}

static void queue_keys(calls_t *c, int version)
{
    char name[16];

    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        rig_event(c->rig, "MODIFIED", name, version);
    }
}

/* One worker has ended many calls that took no time; then a call is inside and keys wait. */
static calls_t *calls_create(void)
{
    calls_t *c = host_xcalloc(1, sizeof(*c));
    static char names[SHORT_CALLS][16];
    const char *words[SHORT_CALLS + 1] = {NULL};

    for (int i = 0; i < SHORT_CALLS; i++) {
        snprintf(names[i], sizeof(names[i]), "k%d", i);
        words[i] = names[i];
    }
    c->hooks = (hooks_t){.reconcile = reconcile};
    sem_init(&c->go, 0, 0);
    c->rig = rig_create_with(&(rig_options_t){.hooks = &c->hooks, .workers = 1});
    rig_lead(c->rig, 1, words);
    rig_until(c->rig, have_begun, c, "the short calls");
    rig_idle(c->rig);
    c->blocking = true;
    queue_keys(c, 200);
    rig_idle(c->rig);
    EXPECT_INT(c->begun, SHORT_CALLS + INSIDE);
    return c;
}

/* So many calls end, and are told of; the loop is not turned. */
static void end_calls(calls_t *c, int count)
{
    const int expected = told + count;

    for (int i = 0; i < count; i++)
        sem_post(&c->go);
    for (int i = 0; i < 5000 && told < expected; i++)
        poll(NULL, 0, 1);
    EXPECT_INT(told, expected);
}

static void calls_destroy(calls_t *c)
{
    c->blocking = false;
    sem_post(&c->go);
    rig_end(c->rig, true, CLOCK_S);
    rig_until_flag(c->rig, &c->rig->rested, "rested");
    rig_destroy(c->rig);
    sem_destroy(&c->go);
    free(c);
}

/* A thread was woken twice for each of 100,000 calls of ten microseconds. */
Test(ahead, short_calls_are_handed_over_in_advance)
{
    calls_t *c = calls_create();

    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE - AHEAD);
    calls_destroy(c);
}

Test(ahead, after_a_long_call_keys_stay_in_the_queue)
{
    calls_t *c = calls_create();

    fake_clock_advance(CLOCK_S);
    end_calls(c, 8); /* one was long, and eight wait in the runner */
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE - AHEAD);
    calls_destroy(c);
}

Test(ahead, the_loop_is_woken_when_half_of_what_was_handed_over_is_done)
{
    calls_t *c = calls_create();

    rig_loop = c->rig->loop;
    end_calls(c, AHEAD / 2);
    EXPECT_INT(woken, 0);
    end_calls(c, 1);
    EXPECT_INT(woken, 1);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE - AHEAD - (AHEAD / 2 + 1));
    calls_destroy(c);
}
