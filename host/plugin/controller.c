/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/controller.h"

#include "base/clock.h"
#include "base/error.h"
#include "plugin/ahead.h"
#include "plugin/flood.h"
#include "plugin/meters.h"
#include "plugin/poison.h"
#include "plugin/run_log.h"
#include "plugin/sources.h"

#include <string.h>
#include <uthash.h>

#define LOOK_AGAIN (CLOCK_S / 2)

enum { CLEAR_BY = 10000 }; /* keys in one turn of the loop: about a millisecond */

/* A key handed to the runner. Over when it has both returned and been completed. */
typedef struct run {
    list_t link; /* among those handed over, until a worker is free for it */
    uint64_t ctx, term;
    void *entry;     /* of the queue */
    queue_key_t key; /* borrowed from the entry */
    int64_t handed_at, entered_at, completed_at, returned_at;
    bool entered, returned, completed;
    uint32_t action; /* of the completion; LH_DONE ... LH_FAIL */
    bool absent;     /* the key has no object */
    bool tombstone;  /* the run is about one that is not there any more */
    uint32_t attempt;
    enum queue_verdict verdict;
    int64_t after;
    UT_hash_handle hh;
} run_t;

struct plugin_controller {
    plugin_controller_options_t o;
    char *name;
    queue_t *queue;
    plugin_sources_t *sources;
    plugin_runner_t *runner; /* NULL while paused or closed */
    fence_t *fence;
    bool open, ready; /* ready: every source has synced in this term */
    bool clearing;    /* keys of an earlier term are left in the queue */
    run_t *runs;      /* by ctx */
    list_t handed;    /* of these, those for which no worker is free yet, oldest first */
    uint32_t inside;  /* runs that have not returned */
    uint32_t calls;   /* of these, those that have been entered */
    bool async;       /* a call has returned before its completion */
    bool expected;    /* the end of a run that is out means work */
    plugin_ahead_t ahead;
    loop_timer_t timer;
    loop_task_t pump;
    plugin_meters_t meters;
    plugin_poison_t poison;
    plugin_flood_t flood;
};

/* -- From the sources -- */

/* The loop must hear at once of the end of the runs that are out. */
static void expect_end(plugin_controller_t *c)
{
    if (c->runs != NULL && !c->expected) {
        c->expected = true;
        plugin_services_set_patience(c->o.services, 0);
    }
}

/* Keys have come, perhaps of runs that are out. */
static void keys_added(void *arg) /* [loop-thread] */
{
    plugin_controller_t *c = arg;

    expect_end(c);
    loop_post(c->o.shared->loop, &c->pump);
}

static void sources_state(void *arg, bool ready, const char *problem) /* [loop-thread] */
{
    plugin_controller_t *c = arg;

    if (ready && !c->ready) {
        c->ready = true;
        log_info(c->o.log, "synced: reconciles begin");
        loop_post(c->o.shared->loop, &c->pump);
    }
    c->o.on_state(c->o.arg, problem != NULL ? problem
                            : ready         ? NULL
                                            : "waiting for the first list");
}

/* -- From keys to runs -- */

static uint32_t absent_reason(const plugin_controller_t *c, uint32_t watch)
{
    const plugin_watch_t *w = &c->o.manifest->watches[watch];

    /* Under a selector absence does not prove that the object is gone. */
    return w->label_selector != NULL || w->field_selector != NULL ? LH_REASON_LEFT : LH_REASON_GONE;
}

/* What can be under way at a time: a plugin that completes within the call has its workers, one that
 * completes later has maxInFlight. Which of the two it is shows. */
static void show_most(const plugin_controller_t *c)
{
    metric_set(c->meters.most,
               c->async ? c->o.max_in_flight : HOST_MIN(c->o.workers, c->o.max_in_flight));
}

static void set_entered(plugin_controller_t *c, run_t *r)
{
    list_remove(&r->link);
    r->entered = true;
    r->entered_at = clock_now();
    c->calls++;
    plugin_ahead_begun(&c->ahead, r->entered_at);
    metric_add(c->meters.active, 1);
    queue_started(c->queue, r->entry, r->entered_at);
}

/* Workers take jobs in the order in which they were handed over, as soon as they are free: so it is
 * known here which calls have begun, without a message about each. */
static void enter_next(plugin_controller_t *c)
{
    while (c->calls < c->o.workers && !list_empty(&c->handed)) {
        set_entered(c, LIST_ENTRY(c->handed.next, run_t, link));
    }
}

/* The object that the run is about; none for a tombstone, whose last state is made readable. */
static int read_object(plugin_controller_t *c, const queue_run_t *q, bool tombstone,
                       watch_snapshot_t **object)
{
    watch_view_t *view = plugin_sources_view(c->sources, q->key.watch, q->key.ns);

    if (tombstone)
        return q->last != NULL ? watch_snapshot_reserve(q->last) : 0;
    return view != NULL ? watch_view_read(view, q->key.ns, q->key.name, NULL, object) : 0;
}

/* The object is read and sent in one turn of the loop: a worker that hears of a newer state hears of it
 * after this job (worker_ctx.c). */
static void start_run(plugin_controller_t *c, const queue_run_t *q)
{
    const int64_t read_at = clock_now();
    const lh_key_t key = {sizeof(key), q->key.watch, q->key.ns, q->key.name};
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;
    uint32_t reason = q->reason;

    const bool tombstone = reason == LH_REASON_GONE || reason == LH_REASON_LEFT;
    if (read_object(c, q, tombstone, &object) < 0) {
        log_error(c->o.log, "out of memory: '%s/%s' is put off", key.ns, key.name);
        queue_finish(c->queue, q->entry, QUEUE_RETRY, 0, clock_now());
        return;
    }
    run_t *r = host_xcalloc(1, sizeof(*r));

    if (!tombstone && object == NULL)
        reason = absent_reason(c, q->key.watch);
    *r = (run_t){.ctx = plugin_services_open(c->o.services, &key),
                 .term = c->fence->term,
                 .entry = q->entry,
                 .key = q->key,
                 .absent = !tombstone && object == NULL,
                 .tombstone = tombstone,
                 .attempt = q->attempt,
                 .handed_at = clock_now()};
    HASH_ADD(hh, c->runs, ctx, sizeof(r->ctx), r);
    list_append(&c->handed, &r->link);
    c->inside++;
    enter_next(c);

    const plugin_job_t job = {
        .ctx = r->ctx,
        .completion = r->ctx,
        .reason = reason,
        .attempt = q->attempt,
        .term = c->fence->term,
        .watch = q->key.watch,
        .ns = q->key.ns,
        .name = q->key.name,
        .uid = object != NULL ? watch_snapshot_uid(object) : q->uid,
        .object = object,
        .last = q->last,
        .read_at = read_at,
    };
    c->runner->ops->reconcile(c->runner, &job);
}

static bool has_room(const plugin_controller_t *c)
{
    return c->inside < (1 + c->ahead.count) * c->o.workers &&
           HASH_COUNT(c->runs) < c->o.max_in_flight;
}

/* What was handed over in advance is not to wait behind calls that take long: it goes back to where
 * priorities count. */
static void take_back(plugin_controller_t *c)
{
    if (c->calls < c->o.workers || !plugin_ahead_is_over(&c->ahead, clock_now()))
        return;
    if (!list_empty(&c->handed))
        c->runner->ops->take_back(c->runner);
}

/* While keys wait, the loop hears of returns when half of what waits in the runner is done. */
static int32_t patience(const plugin_controller_t *c)
{
    const bool waiting = queue_ready(c->queue) > 0;

    if (waiting && !c->async)
        return (int32_t) ((c->inside - c->calls) / 2 + 1);
    return waiting || c->expected ? 0 : PLUGIN_PATIENT;
}

/* Looks again when a delayed key is due, or what waits in the runner has waited for long. While runs
 * are out, often enough for the gauges of unfinished work, which client-go updates as often; and
 * while keys are ready: nobody tells when a suspended fence admits runs again. */
static void arm_timer(plugin_controller_t *c)
{
    const int64_t now = clock_now();

    queue_tick(c->queue, now);
    const int64_t next = queue_next(c->queue);
    const bool soon = c->runs != NULL || queue_ready(c->queue) > 0;
    const int64_t due = list_empty(&c->handed) ? CLOCK_NEVER : plugin_ahead_due(&c->ahead);
    const int64_t at = HOST_MIN(HOST_MIN(next, due), soon ? now + LOOK_AGAIN : CLOCK_NEVER);
    /* Sooner does no harm, and to move a timer at every run costs more than to look once in vain. */
    if (at < c->timer.at)
        loop_timer_set(&c->timer, at);
}

/* The queue is needed: what is left of an earlier term goes at once. */
static void end_clearing(plugin_controller_t *c)
{
    if (c->clearing)
        queue_clear(c->queue);
    c->clearing = false;
}

static void clear_slice(plugin_controller_t *c)
{
    c->clearing = queue_clear_some(c->queue, CLEAR_BY);
    plugin_services_set_guests(c->o.services, queue_guests(c->queue));
    if (c->clearing)
        loop_timer_set(&c->timer, clock_now());
}

static void pump(plugin_controller_t *c)
{
    queue_run_t q;

    if (c->clearing)
        clear_slice(c);
    if (!c->open)
        return;
    c->expected = c->expected && c->runs != NULL;
    take_back(c);
    while (c->ready && c->runner != NULL && has_room(c) && fence_admits(c->fence) &&
           queue_take(c->queue, clock_now(), &q))
        start_run(c, &q);
    plugin_services_set_patience(c->o.services, patience(c));
    arm_timer(c);
}

static void pump_task(loop_task_t *task)
{
    pump(HOST_CONTAINER(task, plugin_controller_t, pump));
}

/* After the returns that nobody has told the loop of yet. */
static void pump_timer(loop_timer_t *timer)
{
    loop_post(timer->loop, &HOST_CONTAINER(timer, plugin_controller_t, timer)->pump);
}

/* -- The end of runs -- */

static void end_run(plugin_controller_t *c, run_t *r)
{
    if (!r->returned || !r->completed)
        return;
    /* The loop may hear of it later. A worker process may say anything of its beginning. */
    const int64_t ended = HOST_MAX(r->entered_at, HOST_MAX(r->completed_at, r->returned_at));

    HASH_DEL(c->runs, r);
    if (r->entered)
        metric_add(c->meters.active, -1);
    if (r->verdict != QUEUE_PUT_BACK)
        plugin_meters_count(&c->meters, r->action, HOST_MAX(r->completed_at - r->entered_at, 0));
    queue_finish(c->queue, r->entry, r->verdict, r->after, ended);
    plugin_services_set_guests(c->o.services, queue_guests(c->queue));
    free(r);
    if (c->open)
        loop_post(c->o.shared->loop, &c->pump);
    else if (c->runs == NULL)
        c->o.on_idle(c->o.arg);
}

static run_t *find_run(plugin_controller_t *c, uint64_t ctx)
{
    run_t *r = NULL;

    HASH_FIND(hh, c->runs, &ctx, sizeof(ctx), r);
    return r;
}

static void log_failure(plugin_controller_t *c, const run_t *r, const lh_result_t *result)
{
    host_cleanup(host_freep) char *line = host_xprintf(
        "reconcile failed%s: %s", result->action == LH_FAIL ? " for good" : ", will be tried again",
        result->text != NULL ? result->text : "no reason was given");

    if (!plugin_flood_shows(&c->flood, line, r->key.ns, r->key.name, r->attempt > 0))
        return;
    log_t *log = plugin_run_log(c->o.log, c->o.shared, r->ctx, r->term, r->key.ns, r->key.name);

    log_error(log, "%s", line);
    log_destroy(log);
}

/* Shows a key that fails again and again, and forgets it when it does not. LH_FAIL is a failure too, but not
 * of an object that is gone. */
static void note_poison(plugin_controller_t *c, const run_t *r, const lh_result_t *result)
{
    const bool retried = result->action == LH_RETRY;
    const bool failed = retried || (result->action == LH_FAIL && !r->absent && !r->tombstone);
    const uint32_t failures = failed ? r->attempt + retried : 0;

    if (!c->open || r->term != c->fence->term)
        return;
    if (failures < QUEUE_POISON) {
        if (r->attempt >= QUEUE_POISON)
            plugin_poison_over(&c->poison, &r->key);
        return;
    }
    watch_view_t *view = plugin_sources_view(c->sources, r->key.watch, r->key.ns);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
        view != NULL ? watch_view_get(view, r->key.ns, r->key.name) : NULL;

    plugin_poison_failed(&c->poison, &r->key, failures,
                         c->o.manifest->watches[r->key.watch].gvr.resource,
                         result->text != NULL ? result->text : "no reason was given", object);
}

void plugin_controller_completed(plugin_controller_t *c, uint64_t ctx, const lh_result_t *result,
                                 int64_t at)
{
    static const enum queue_verdict verdicts[] = {QUEUE_DONE, QUEUE_REQUEUE, QUEUE_RETRY,
                                                  QUEUE_FAIL};
    run_t *r = find_run(c, ctx);

    if (r == NULL)
        return;
    const bool failed = result->action == LH_RETRY || result->action == LH_FAIL;

    if (failed && c->open) /* else the next leader does it: mostly its requests were cancelled */
        log_failure(c, r, result);
    note_poison(c, r, result);
    r->completed = true;
    r->completed_at = at;
    r->action = result->action;
    /* Nothing is kept of a key that has no object: there may be any number of them. */
    r->verdict = result->action == LH_FAIL && r->absent ? QUEUE_DONE : verdicts[result->action];
    r->after = result->after_ns;
    if (r->verdict != QUEUE_DONE)
        expect_end(c);
    end_run(c, r);
}

/* The call is over; the runner knows best when it began. A worker process may say anything. */
static void take_times(plugin_controller_t *c, run_t *r, int64_t entered)
{
    if (!r->entered)
        set_entered(c, r);
    c->calls--;
    if (entered >= r->handed_at && entered <= clock_now()) {
        r->entered_at = entered;
        queue_started(c->queue, r->entry, entered);
    }
    plugin_ahead_returned(&c->ahead, r->returned_at - r->entered_at);
    if (!r->completed && !c->async) {
        c->async = true;
        show_most(c);
    }
}

void plugin_controller_returned(plugin_controller_t *c, uint64_t ctx, bool ran, int64_t entered,
                                int64_t at)
{
    run_t *r = find_run(c, ctx);

    if (r == NULL || r->returned)
        return;
    r->returned = true;
    r->returned_at = at;
    c->inside--;
    if (ran) {
        take_times(c, r, entered);
    } else {
        list_remove(&r->link);
        c->calls -= r->entered;
        plugin_services_drop(c->o.services, ctx);
        r->completed = true;
        r->verdict = QUEUE_PUT_BACK;
    }
    enter_next(c);
    if (c->open)
        loop_post(c->o.shared->loop, &c->pump);
    end_run(c, r);
}

static run_t *latest_run(const plugin_controller_t *c)
{
    return c->runs != NULL ? ELMT_FROM_HH(c->runs->hh.tbl, c->runs->hh.tbl->tail) : NULL;
}

/* died: with the runner; what it had begun has failed, so that others get their turn before one that kills
 * it each time. The others are put back in front, so the latest come first. */
static void forget_runs(plugin_controller_t *c, bool died)
{
    static const lh_result_t failure = {.action = LH_RETRY,
                                        .text = "the worker process died during the reconcile"};

    for (run_t *r; (r = latest_run(c)) != NULL;) {
        const bool failed = died && r->entered;

        if (failed)
            note_poison(c, r, &failure);
        HASH_DEL(c->runs, r);
        plugin_services_drop(c->o.services, r->ctx);
        list_remove(&r->link);
        if (r->entered)
            metric_add(c->meters.active, -1);
        queue_finish(c->queue, r->entry, failed ? QUEUE_RETRY : QUEUE_PUT_BACK, 0, clock_now());
        free(r);
    }
    c->inside = c->calls = 0;
}

void plugin_controller_forget(plugin_controller_t *c)
{
    run_t *r, *tmp;

    HASH_ITER (hh, c->runs, r, tmp) {
        if (r->entered)
            metric_add(c->meters.timeouts, 1);
    }
    forget_runs(c, false);
}

void plugin_controller_pause(plugin_controller_t *c)
{
    if (c->calls > 0)
        metric_add(c->meters.panics, 1);
    c->runner = NULL;
    forget_runs(c, true);
}

size_t plugin_controller_running(const plugin_controller_t *c)
{
    return HASH_COUNT(c->runs);
}

/* -- What the services report -- */

void plugin_controller_written(plugin_controller_t *c, const char *method, const char *path,
                               const char *body, size_t len)
{
    plugin_sources_written(c->sources, method, path, body, len);
}

void plugin_controller_enqueue(plugin_controller_t *c, uint32_t watch, const char *ns,
                               const char *name)
{
    const queue_key_t key = {.watch = watch, .ns = ns, .name = name};
    watch_view_t *view = plugin_sources_view(c->sources, watch, ns);

    end_clearing(c);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
        view != NULL ? watch_view_get(view, ns, name) : NULL;

    if (!plugin_sources_cover(c->sources, ns))
        log_warn(c->o.log, "enqueue: '%s/%s' is outside the namespaces of this instance", ns, name);
    else if ((object != NULL
                  ? queue_add(c->queue, &key, LH_REASON_REQUEUED, QUEUE_LIVE, clock_now())
                  : queue_add_guest(c->queue, &key, clock_now())) < 0)
        log_error(c->o.log, "out of memory: '%s/%s' is not queued", ns, name);
    else
        keys_added(c);
    plugin_services_set_guests(c->o.services, queue_guests(c->queue));
}

/* -- Opening and closing -- */

int plugin_controller_open(plugin_controller_t *c, plugin_runner_t *runner, fence_t *fence,
                           lh_error_t *err)
{
    const int ret = plugin_sources_open(c->sources, err);

    end_clearing(c);
    if (ret < 0)
        return ret;
    c->runner = runner;
    c->fence = fence_ref(fence);
    c->open = true;
    c->ready = false;
    plugin_sources_tell(c->sources);
    return 0;
}

void plugin_controller_resume(plugin_controller_t *c, plugin_runner_t *runner)
{
    c->runner = runner;
    plugin_sources_tell(c->sources);
    loop_post(c->o.shared->loop, &c->pump);
}

void plugin_controller_close(plugin_controller_t *c)
{
    c->open = c->ready = false;
    c->runner = NULL;
    plugin_poison_clear(&c->poison);
    plugin_services_set_patience(c->o.services, 0); /* on_idle waits for the last run */
    loop_timer_clear(&c->timer);
    plugin_sources_close(c->sources);
    clear_slice(c); /* what was put there while the term began, too */
    fence_unref(host_steal(c->fence));
}

/* -- Life -- */

plugin_controller_t *plugin_controller_create(const plugin_controller_options_t *options)
{
    plugin_controller_t *c = host_xcalloc(1, sizeof(*c));

    c->o = *options;
    c->name = host_xstrdup(options->name);
    c->queue = queue_create(&(queue_options_t){.metrics = options->shared->metrics,
                                               .name = c->name,
                                               .retry_qps = options->retry_qps,
                                               .retry_burst = options->retry_burst});
    c->sources =
        plugin_sources_create(&(plugin_sources_options_t){.hub = options->hub,
                                                          .manifest = options->manifest,
                                                          .namespaces = options->namespaces,
                                                          .queue = c->queue,
                                                          .services = options->services,
                                                          .log = options->log,
                                                          .on_keys = keys_added,
                                                          .on_state = sources_state,
                                                          .arg = c});
    c->pump.fn = pump_task;
    loop_timer_init(&c->timer, options->shared->loop, pump_timer);
    list_init(&c->handed);
    plugin_ahead_init(&c->ahead);
    plugin_meters_init(&c->meters, options->shared->metrics, c->name);
    plugin_poison_init(&c->poison, options->shared->health, c->name, options->services);
    plugin_flood_init(&c->flood, options->shared->loop, options->log);
    show_most(c);
    return c;
}

void plugin_controller_destroy(plugin_controller_t *c)
{
    if (c == NULL)
        return;
    plugin_controller_close(c);
    plugin_controller_forget(c);
    loop_timer_clear(&c->timer); /* the queue goes as a whole */
    loop_withdraw(c->o.shared->loop, &c->pump);
    plugin_sources_destroy(c->sources);
    queue_destroy(c->queue);
    plugin_poison_fini(&c->poison);
    plugin_flood_fini(&c->flood);
    free(c->name);
    free(c);
}
