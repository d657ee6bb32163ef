/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loop takes keys from its queue and hands them to a runner's workers, which hand them back, while
 * terms flip, and now and then it takes them back: every key that was handed over comes back once,
 * run or not; what was not run is put back; one key is never out twice.
 */
#include "base/loop.h"
#include "plugin/runner.h"
#include "queue/queue.h"
#include "stress.h"
#include "unit/plugin/hooks.h"

#include <leasehold/types.h>
#include <poll.h>
#include <string.h>

enum { KEYS = 40, ROOM = 12, WORKERS = 4 };

typedef struct stress {
    hooks_t hooks; /* first */
    loop_t *loop;
    queue_t *queue;
    plugin_runner_t *runner;
    plugin_table_t table;
    void *entries[ROOM]; /* by ctx, NULL: free. The loop's */
    long handed, back, dropped;
    _Atomic int out[KEYS];
    _Atomic long ran;
    _Atomic bool created, activated, deactivated, gone;
} stress_t;

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    stress_t *s = (stress_t *) h;
    const int key = (int) strtol(request->key->name, NULL, 10);

    (void) completion;
    CHECK(atomic_fetch_add(&s->out[key], 1) == 0, "key %d is out twice", key);
    atomic_fetch_add(&s->ran, 1);
    atomic_fetch_sub(&s->out[key], 1);
}

/* -- What the runner reports -- */

static void on_created(void *arg, int code, const lh_error_t *err)
{
    CHECK(code == 0, "create: %s", err->text);
    atomic_store(&((stress_t *) arg)->created, true);
}

static void on_activated(void *arg, int code, const lh_error_t *err)
{
    CHECK(code == 0, "activate: %s", err->text);
    atomic_store(&((stress_t *) arg)->activated, true);
}

static void on_deactivated(void *arg)
{
    atomic_store(&((stress_t *) arg)->deactivated, true);
}

typedef struct returned {
    loop_task_t task;
    stress_t *stress;
    uint64_t ctx;
    bool ran;
} returned_t;

static void take_back(loop_task_t *task)
{
    returned_t *b = HOST_CONTAINER(task, returned_t, task);
    stress_t *s = b->stress;
    void *entry = host_steal(s->entries[b->ctx]);

    CHECK(entry != NULL, "ctx %d came back twice", (int) b->ctx);
    s->back++;
    s->dropped += !b->ran;
    queue_finish(s->queue, entry, b->ran ? QUEUE_REQUEUE : QUEUE_PUT_BACK, 0, clock_now());
    free(b);
}

static void on_returned(void *arg, uint64_t ctx, bool ran, int64_t entered)
{
    (void) entered;
    returned_t *b = host_xcalloc(1, sizeof(*b));

    *b = (returned_t){.task = {.fn = take_back}, .stress = arg, .ctx = ctx, .ran = ran};
    loop_post(((stress_t *) arg)->loop, &b->task);
}

static void on_destroyed(void *arg)
{
    atomic_store(&((stress_t *) arg)->gone, true);
}

/* -- The loop -- */

static void await(stress_t *s, const _Atomic bool *flag)
{
    while (!atomic_load(flag)) {
        loop_turn(s->loop);
        poll(NULL, 0, 0);
    }
}

static void hand_over(stress_t *s)
{
    queue_run_t q;

    for (uint64_t ctx = 0; ctx < ROOM; ctx++) {
        if (s->entries[ctx] != NULL)
            continue;
        if (!queue_take(s->queue, clock_now(), &q))
            return;
        const plugin_job_t job = {
            .ctx = ctx, .completion = ctx, .ns = q.key.ns, .name = q.key.name, .uid = ""};
        s->entries[ctx] = q.entry;
        s->handed++;
        s->runner->ops->reconcile(s->runner, &job);
    }
}

static void play_term(stress_t *s, unsigned *seed)
{
    atomic_store(&s->activated, false);
    atomic_store(&s->deactivated, false);
    s->runner->ops->activate(s->runner, 0);
    await(s, &s->activated);
    for (int i = rand_r(seed) % 30; i >= 0; i--) {
        hand_over(s);
        if (i % 4 == 0)
            s->runner->ops->take_back(s->runner);
        loop_turn(s->loop);
    }
    hand_over(s);
    s->runner->ops->cancel(s->runner);
    while (s->back < s->handed)
        loop_turn(s->loop);
    s->runner->ops->deactivate(s->runner);
    await(s, &s->deactivated);
    CHECK(queue_running(s->queue) == 0, "%zu keys are out", queue_running(s->queue));
    CHECK(queue_ready(s->queue) + queue_waiting(s->queue) == KEYS, "%zu + %zu keys of %d",
          queue_ready(s->queue), queue_waiting(s->queue), KEYS);
}

static void start(stress_t *s)
{
    char config[64];
    lh_error_t err = {0};

    snprintf(config, sizeof(config), "{\"hooks\":%llu}", (unsigned long long) (uintptr_t) s);
    const plugin_runner_options_t options = {.path = HOOKED,
                                             .name = "handover",
                                             .config = config,
                                             .workers = WORKERS,
                                             .table = &s->table,
                                             .sink = {.on_created = on_created,
                                                      .on_activated = on_activated,
                                                      .on_deactivated = on_deactivated,
                                                      .on_returned = on_returned,
                                                      .on_destroyed = on_destroyed,
                                                      .arg = s}};
    CHECK(loop_create(&s->loop, &err) == 0, "%s", err.text);
    s->queue = queue_create(&(queue_options_t){.name = "handover"});
    for (int i = 0; i < KEYS; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%d", i);
        const queue_key_t key = {0, "ns", name};
        CHECK(queue_add(s->queue, &key, LH_REASON_CHANGED, QUEUE_LIVE, clock_now()) == 0, "queue");
    }
    CHECK(plugin_local_create(&options, &s->runner, &err) == 0, "%s", err.text);
    await(s, &s->created);
}

int main(void)
{
    static stress_t s = {.hooks = {.reconcile = reconcile}};
    const int64_t end = clock_now() + STRESS_TIME;
    unsigned seed = 1;
    int terms = 0;

    start(&s);
    for (; clock_now() < end; terms++)
        play_term(&s, &seed);
    s.runner->ops->destroy(s.runner);
    await(&s, &s.gone);
    queue_destroy(s.queue);
    loop_destroy(s.loop);
    printf("%d terms, %ld handed over, %ld of them dropped\n", terms, s.handed, s.dropped);
    CHECK(s.handed == s.ran + s.dropped, "%ld handed over, %ld ran, %ld dropped", s.handed, s.ran,
          s.dropped);
    CHECK(s.ran > 0 && s.dropped > 0, "a case was not reached");
    return 0;
}
