/* SPDX-License-Identifier: Apache-2.0 */
/* How many keys a runner is given ahead of its workers, and when the loop hears that it needs more. */
#include "runtime_rig.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SHORT_CALLS = 64, KEYS = 40, AHEAD = 16, INSIDE = 1, CALLS_MAX = 256 };

#define QUEUED "workqueue_depth{name=\"puppet\",controller=\"puppet\",priority=\"0\"}"
#define INITIAL "workqueue_depth{name=\"puppet\",controller=\"puppet\",priority=\"-100\"}"
#define PATIENCE (10 * CLOCK_MS) /* what has not begun by then is taken back */

typedef struct seen {
    char name[16];
    uint32_t reason, attempt;
} seen_t;

/* Calls wait for `go` when `blocking`; that of k0 for `k0_go` when `k0_hangs`. */
typedef struct calls {
    hooks_t hooks; /* first */
    rig_t *rig;
    sem_t go, k0_go;
    _Atomic bool blocking, k0_hangs;
    _Atomic int entered, begun;
    seen_t seen[CALLS_MAX]; /* in the order of their beginning */
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

static void wait_for(sem_t *go)
{
    while (sem_wait(go) < 0 && errno == EINTR)
        ;
}

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    static const lh_result_t done = {.struct_size = sizeof(done), .action = LH_DONE};
    calls_t *c = (calls_t *) h;
    seen_t *seen = &c->seen[c->entered++];

    snprintf(seen->name, sizeof(seen->name), "%s", request->key->name);
    seen->reason = request->reason;
    seen->attempt = request->attempt;
    c->begun++;
    if (c->k0_hangs && strcmp(seen->name, "k0") == 0)
        wait_for(&c->k0_go);
    else if (c->blocking)
        wait_for(&c->go);
    h->host->complete(h->host, completion, &done);
}

typedef struct wanted {
    const calls_t *calls;
    int begun;
} wanted_t;

static bool have_begun(rig_t *r, const void *arg)
{
    const wanted_t *w = arg;

    (void) r;
    return w->calls->begun >= w->begun;
}

static void until_begun(calls_t *c, int count)
{
    rig_until(c->rig, have_begun, &(wanted_t){c, count}, "that many calls");
    rig_idle(c->rig);
    EXPECT_INT(c->begun, count);
}

static void queue_keys(calls_t *c, int version)
{
    char name[16];

    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof(name), "k%d", i);
        rig_event(c->rig, "MODIFIED", name, version);
    }
}

static void lead(calls_t *c, uint64_t term)
{
    static char names[SHORT_CALLS][16];
    const char *words[SHORT_CALLS + 1] = {NULL};

    for (int i = 0; i < SHORT_CALLS; i++) {
        snprintf(names[i], sizeof(names[i]), "k%d", i);
        words[i] = names[i];
    }
    rig_lead(c->rig, term, words);
}

/* Many calls have ended that took no time. */
static calls_t *calls_start(int workers)
{
    calls_t *c = host_xcalloc(1, sizeof(*c));

    c->hooks = (hooks_t){.reconcile = reconcile};
    sem_init(&c->go, 0, 0);
    sem_init(&c->k0_go, 0, 0);
    c->rig = rig_create_with(&(rig_options_t){.hooks = &c->hooks, .workers = (uint32_t) workers});
    lead(c, 1);
    until_begun(c, SHORT_CALLS);
    return c;
}

/* After that a call of each worker is inside and keys wait. */
static calls_t *calls_create_with(int workers)
{
    calls_t *c = calls_start(workers);

    c->blocking = true;
    c->k0_hangs = workers > 1;
    queue_keys(c, 200);
    until_begun(c, SHORT_CALLS + INSIDE * workers);
    return c;
}

static calls_t *calls_create(void)
{
    return calls_create_with(1);
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

/* What is inside returns, and nothing waits any more. */
static void let_go(calls_t *c)
{
    c->blocking = c->k0_hangs = false;
    sem_post(&c->go);
    sem_post(&c->k0_go);
}

static void calls_destroy(calls_t *c)
{
    let_go(c);
    rig_end(c->rig, true, CLOCK_S);
    rig_until_flag(c->rig, &c->rig->rested, "rested");
    rig_destroy(c->rig);
    sem_destroy(&c->go);
    sem_destroy(&c->k0_go);
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

Test(ahead, after_a_rest_keys_are_handed_over_as_before)
{
    calls_t *c = calls_start(1);

    fake_clock_advance(CLOCK_S);
    c->blocking = true;
    queue_keys(c, 200);
    until_begun(c, SHORT_CALLS + INSIDE);
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

/* They waited for as long as the call in front took, up to 16 of them, in an order that nothing changed. */
Test(ahead, what_has_waited_ten_milliseconds_behind_a_call_is_taken_back)
{
    calls_t *c = calls_create();

    fake_clock_advance(PATIENCE - 1);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE - AHEAD);
    fake_clock_advance(1);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE);
    fake_clock_advance(CLOCK_S);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE);
    let_go(c);
    until_begun(c, SHORT_CALLS + KEYS);
    for (int i = 0; i < KEYS; i++) {
        const seen_t *seen = &c->seen[SHORT_CALLS + i];
        char name[16];

        snprintf(name, sizeof(name), "k%d", i);
        EXPECT_STR(seen->name, name);
        EXPECT_INT(seen->reason, LH_REASON_CHANGED);
        EXPECT_INT(seen->attempt, 0);
    }
    calls_destroy(c);
}

/* The loop has not heard of the returns when its timer is due: all of it is new to it at once. */
Test(ahead, what_flows_is_not_taken_back)
{
    calls_t *c = calls_create();

    end_calls(c, AHEAD / 2);
    const int before = told;
    fake_clock_advance(PATIENCE);
    rig_idle(c->rig);
    EXPECT_INT(told, before);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE - AHEAD - AHEAD / 2);
    calls_destroy(c);
}

Test(ahead, after_a_long_call_keys_are_handed_over_one_at_a_time_until_one_is_short)
{
    calls_t *c = calls_create();

    fake_clock_advance(PATIENCE);
    rig_idle(c->rig);
    end_calls(c, 1);
    until_begun(c, SHORT_CALLS + 2);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - 2);
    end_calls(c, 1);
    until_begun(c, SHORT_CALLS + 3);
    cr_expect_lt(rig_series(c->rig, QUEUED), KEYS - 3);
    calls_destroy(c);
}

Test(ahead, a_more_urgent_key_passes_what_was_taken_back)
{
    calls_t *c = calls_start(1);

    rig_end(c->rig, false, CLOCK_S);
    rig_until_flag(c->rig, &c->rig->rested, "rested");
    c->blocking = true;
    lead(c, 2);
    until_begun(c, SHORT_CALLS + INSIDE);
    EXPECT_INT(rig_series(c->rig, INITIAL), SHORT_CALLS - INSIDE - AHEAD);
    fake_clock_advance(PATIENCE);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, INITIAL), SHORT_CALLS - INSIDE);
    rig_event(c->rig, "MODIFIED", "k40", 200);
    let_go(c);
    until_begun(c, 2 * SHORT_CALLS);
    EXPECT_STR(c->seen[SHORT_CALLS].name, "k0");
    EXPECT_STR(c->seen[SHORT_CALLS + 1].name, "k40");
    EXPECT_STR(c->seen[SHORT_CALLS + 2].name, "k1");
    EXPECT_STR(c->seen[SHORT_CALLS + 3].name, "k2");
    calls_destroy(c);
}

static void expect_seen_last(const calls_t *c, int from, const char *name, uint32_t reason)
{
    int times = 0;

    for (const seen_t *seen = &c->seen[from]; seen < &c->seen[c->begun]; seen++) {
        if (strcmp(seen->name, name) != 0)
            continue;
        times++;
        EXPECT_INT(seen->reason, reason);
        EXPECT_INT(seen->attempt, 0);
    }
    EXPECT_INT(times, 1);
}

Test(ahead, what_has_changed_while_it_waited_in_the_runner_runs_once)
{
    calls_t *c = calls_create();

    rig_event(c->rig, "MODIFIED", "k3", 300);
    rig_event(c->rig, "DELETED", "k5", 301);
    fake_clock_advance(PATIENCE);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - INSIDE);
    let_go(c);
    until_begun(c, SHORT_CALLS + KEYS);
    expect_seen_last(c, SHORT_CALLS, "k3", LH_REASON_CHANGED);
    expect_seen_last(c, SHORT_CALLS, "k5", LH_REASON_GONE);
    calls_destroy(c);
}

/* Two workers, and one of them never comes back. */
Test(ahead, what_was_taken_back_is_begun_by_the_worker_that_is_free_first)
{
    calls_t *c = calls_create_with(2);

    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - 2 * (INSIDE + AHEAD));
    fake_clock_advance(PATIENCE);
    rig_idle(c->rig);
    EXPECT_INT(rig_series(c->rig, QUEUED), KEYS - 2 * INSIDE);
    c->blocking = false;
    sem_post(&c->go);
    until_begun(c, SHORT_CALLS + KEYS);
    for (int i = 2; i < KEYS; i++) {
        char name[16];

        snprintf(name, sizeof(name), "k%d", i);
        EXPECT_STR(c->seen[SHORT_CALLS + i].name, name);
    }
    calls_destroy(c);
}

Test(ahead, what_a_call_has_not_let_begin_before_the_deadline_has_not_timed_out)
{
    calls_t *c = calls_create();

    rig_end(c->rig, false, CLOCK_S);
    fake_clock_advance(CLOCK_S);
    rig_until_flag(c->rig, &c->rig->rested, "rested");
    EXPECT_INT(
        rig_series(c->rig, "controller_runtime_reconcile_timeouts_total{controller=\"puppet\"}"),
        1);
    EXPECT_INT(c->begun, SHORT_CALLS + INSIDE);
    calls_destroy(c);
}
