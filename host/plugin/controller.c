/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/controller.h"

#include "base/clock.h"
#include "base/error.h"
#include "json/skim.h"
#include "plugin/map.h"

#include <string.h>
#include <uthash.h>

/* One subscription: a watch of the manifest in one namespace (NULL: all). */
typedef struct source {
    plugin_controller_t *controller;
    uint32_t watch;
    const char *ns;
    watch_sub_t *sub;
    watch_store_t *store;
    bool synced;
    char *problem;
} source_t;

/* A key handed to the runner. Over when it has both returned and been completed. */
typedef struct run {
    uint64_t ctx;
    void *entry; /* of the queue */
    queue_key_t key; /* borrowed from the entry */
    int64_t started;
    bool returned, completed;
    enum queue_verdict verdict;
    int64_t after;
    UT_hash_handle hh;
} run_t;

typedef struct meters {
    metric_cell_t *success, *error, *requeue, *requeue_after; /* reconcile_total by result */
    metric_cell_t *errors, *terminal_errors, *time, *active;
} meters_t;

struct plugin_controller {
    plugin_controller_options_t o;
    char *name;
    queue_t *queue;
    source_t *sources;
    size_t source_count;
    plugin_runner_t *runner; /* NULL while paused or closed */
    fence_t *fence;
    bool open, ready; /* ready: every source has synced in this term */
    run_t *runs;      /* by ctx */
    uint32_t inside;  /* runs that have not returned */
    loop_timer_t timer;
    loop_task_t pump;
    meters_t meters;
};

/* -- From events to keys -- */

typedef struct add {
    plugin_controller_t *controller;
    uint32_t reason;
    enum queue_priority priority;
} add_t;

static source_t *source_of(plugin_controller_t *c, uint32_t watch, const char *ns)
{
    for (size_t i = 0; i < c->source_count; i++) {
        source_t *s = &c->sources[i];
        if (s->watch == watch && (s->ns == NULL || strcmp(s->ns, ns) == 0))
            return s;
    }
    return NULL;
}

static void add_key(void *arg, uint32_t primary, const char *ns, const char *name)
{
    const add_t *a = arg;
    plugin_controller_t *c = a->controller;
    const source_t *s = source_of(c, primary, ns);

    if (s == NULL)
        return; /* outside the namespaces of this instance */
    const bool cluster = s->synced && !watch_sub_namespaced(s->sub);
    const queue_key_t key = {.watch = primary, .ns = cluster ? "" : ns, .name = name};
    if (queue_add(c->queue, &key, a->reason, a->priority, clock_now()) < 0)
        log_error(c->o.log, "out of memory: '%s/%s' is not queued", ns, name);
}

static void source_event(void *arg, const watch_event_t *event) /* [loop-thread] */
{
    source_t *s = arg;
    plugin_controller_t *c = s->controller;
    const plugin_manifest_t *m = c->o.manifest;
    const int64_t now = clock_now();
    add_t add = {c, event->initial ? LH_REASON_INITIAL : LH_REASON_CHANGED,
                 event->initial ? QUEUE_INITIAL : QUEUE_LIVE};

    if (m->watches[s->watch].role == PLUGIN_ROLE_PRIMARY && event->object == NULL) {
        if (event->old == NULL)
            return;
        const queue_key_t key = {s->watch, watch_snapshot_ns(event->old),
                                 watch_snapshot_name(event->old)};
        const uint32_t reason =
            event->type == WATCH_EVENT_LEFT ? LH_REASON_LEFT : LH_REASON_GONE;
        if (queue_add_tombstone(c->queue, &key, reason, watch_snapshot_uid(event->old), event->old,
                                now) < 0)
            log_error(c->o.log, "out of memory: the end of '%s/%s' is not queued", key.ns, key.name);
    } else {
        if (event->object != NULL)
            plugin_map(m, s->watch, event->object, add_key, &add);
        /* What it led to before matters too: an owner or label may have been taken away. */
        if (event->old != NULL && m->watches[s->watch].role != PLUGIN_ROLE_PRIMARY)
            plugin_map(m, s->watch, event->old, add_key, &add);
    }
    loop_post(c->o.shared->loop, &c->pump);
}

/* -- The state of the sources -- */

static void tell_state(plugin_controller_t *c)
{
    const char *problem = NULL;
    bool ready = true;

    for (size_t i = 0; i < c->source_count; i++) {
        if (problem == NULL)
            problem = c->sources[i].problem;
        ready = ready && c->sources[i].synced;
    }
    if (ready && !c->ready) {
        c->ready = true;
        log_info(c->o.log, "synced: reconciles begin");
        loop_post(c->o.shared->loop, &c->pump);
    }
    c->o.on_state(c->o.arg, problem != NULL ? problem : ready ? NULL : "waiting for the first list");
}

static void source_synced(void *arg) /* [loop-thread] */
{
    source_t *s = arg;

    s->synced = true;
    tell_state(s->controller);
}

static void source_state(void *arg, const char *problem) /* [loop-thread] */
{
    source_t *s = arg;
    const kube_gvr_t *gvr = &s->controller->o.manifest->watches[s->watch].gvr;

    free(s->problem);
    s->problem = problem == NULL ? NULL
                                 : host_xprintf("%s%s%s: %s", gvr->resource,
                                                gvr->group[0] != '\0' ? "." : "", gvr->group,
                                                problem);
    if (problem != NULL)
        log_warn(s->controller->o.log, "%s", s->problem);
    tell_state(s->controller);
}

static const watch_handler_t source_handler = {
    .on_event = source_event,
    .on_synced = source_synced,
    .on_state = source_state,
};

/* -- From keys to runs -- */

static uint32_t absent_reason(const plugin_controller_t *c, uint32_t watch)
{
    const plugin_watch_t *w = &c->o.manifest->watches[watch];

    /* Under a selector absence does not prove that the object is gone. */
    return w->label_selector != NULL || w->field_selector != NULL ? LH_REASON_LEFT : LH_REASON_GONE;
}

static void start_run(plugin_controller_t *c, const queue_run_t *q)
{
    const lh_key_t key = {sizeof(key), q->key.watch, q->key.ns, q->key.name};
    const source_t *s = source_of(c, q->key.watch, q->key.ns);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;
    run_t *r = host_xcalloc(1, sizeof(*r));
    uint32_t reason = q->reason;

    const bool tombstone = reason == LH_REASON_GONE || reason == LH_REASON_LEFT;
    if (!tombstone && s != NULL)
        object = watch_store_get(s->store, q->key.ns, q->key.name);
    if (!tombstone && object == NULL)
        reason = absent_reason(c, q->key.watch);
    *r = (run_t){.ctx = plugin_services_open(c->o.services, &key), .entry = q->entry,
                 .key = q->key, .started = clock_now()};
    HASH_ADD(hh, c->runs, ctx, sizeof(r->ctx), r);
    c->inside++;
    metric_add(c->meters.active, 1);

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
    };
    c->runner->ops->reconcile(c->runner, &job);
}

/* One job more than there are workers waits in the runner, so that a worker need not wait for the
 * loop; the rest stays in the queue, where priorities count. */
static bool has_room(const plugin_controller_t *c)
{
    return c->inside < 2 * c->o.workers && HASH_COUNT(c->runs) < c->o.max_in_flight;
}

static void pump(plugin_controller_t *c)
{
    queue_run_t q;

    if (!c->open)
        return;
    while (c->ready && c->runner != NULL && has_room(c) && fence_admits(c->fence) &&
           queue_take(c->queue, clock_now(), &q))
        start_run(c, &q);
    loop_timer_set(&c->timer, queue_next(c->queue));
}

static void pump_task(loop_task_t *task)
{
    pump(HOST_CONTAINER(task, plugin_controller_t, pump));
}

static void pump_timer(loop_timer_t *timer)
{
    pump(HOST_CONTAINER(timer, plugin_controller_t, timer));
}

/* -- The end of runs -- */

static void end_run(plugin_controller_t *c, run_t *r)
{
    if (!r->returned || !r->completed)
        return;
    HASH_DEL(c->runs, r);
    metric_add(c->meters.active, -1);
    queue_finish(c->queue, r->entry, r->verdict, r->after, clock_now());
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
    log_t *with_ns = log_with(c->o.log, "namespace", r->key.ns);
    log_t *with_name = log_with(with_ns, "name", r->key.name);

    log_error(with_name, "reconcile failed%s: %s",
              result->action == LH_FAIL ? " for good" : ", will be tried again",
              result->text != NULL ? result->text : "no reason was given");
    log_destroy(with_name);
    log_destroy(with_ns);
}

static void count_result(plugin_controller_t *c, const run_t *r, const lh_result_t *result)
{
    metric_cell_t *by_action[] = {c->meters.success, c->meters.requeue_after, c->meters.error,
                                  c->meters.error};

    metric_add(by_action[result->action], 1);
    metric_observe(c->meters.time, (double) (clock_now() - r->started) / (double) CLOCK_S);
    if (result->action == LH_RETRY || result->action == LH_FAIL) {
        metric_add(c->meters.errors, 1);
        log_failure(c, r, result);
    }
    if (result->action == LH_FAIL)
        metric_add(c->meters.terminal_errors, 1);
}

void plugin_controller_completed(plugin_controller_t *c, uint64_t ctx, const lh_result_t *result)
{
    static const enum queue_verdict verdicts[] = {QUEUE_DONE, QUEUE_REQUEUE, QUEUE_RETRY,
                                                  QUEUE_FAIL};
    run_t *r = find_run(c, ctx);

    if (r == NULL)
        return;
    count_result(c, r, result);
    r->completed = true;
    r->verdict = verdicts[result->action];
    r->after = result->after_ns;
    end_run(c, r);
}

void plugin_controller_returned(plugin_controller_t *c, uint64_t ctx, bool ran)
{
    run_t *r = find_run(c, ctx);

    if (r == NULL || r->returned)
        return;
    r->returned = true;
    c->inside--;
    if (!ran) {
        plugin_services_drop(c->o.services, ctx);
        r->completed = true;
        r->verdict = QUEUE_PUT_BACK;
    }
    if (c->open)
        loop_post(c->o.shared->loop, &c->pump);
    end_run(c, r);
}

void plugin_controller_forget(plugin_controller_t *c)
{
    run_t *r, *tmp;

    HASH_ITER(hh, c->runs, r, tmp) {
        HASH_DEL(c->runs, r);
        plugin_services_drop(c->o.services, r->ctx);
        metric_add(c->meters.active, -1);
        queue_finish(c->queue, r->entry, QUEUE_PUT_BACK, 0, clock_now());
        free(r);
    }
    c->inside = 0;
}

size_t plugin_controller_running(const plugin_controller_t *c)
{
    return HASH_COUNT(c->runs);
}

/* -- Read your writes -- */

/* "/api/v1/..." or "/apis/<group>/<version>/...": the path names gvr's resource. */
static bool path_names(const char *path, const kube_gvr_t *gvr)
{
    host_cleanup(buf_fini) buf_t all = BUF_INIT;
    const char *rest;

    if (kube_path(&all, gvr, NULL, NULL) < 0)
        return false;
    const size_t len = all.len - strlen(gvr->resource); /* up to the resource's slash */
    if (strncmp(path, buf_text(&all), len) != 0)
        return false;
    rest = path + len;
    if (strncmp(rest, "namespaces/", 11) == 0 && strchr(rest + 11, '/') != NULL &&
        strcmp(gvr->resource, "namespaces") != 0)
        rest = strchr(rest + 11, '/') + 1;
    const size_t resource = strlen(gvr->resource);
    return strncmp(rest, gvr->resource, resource) == 0 &&
           (rest[resource] == '\0' || rest[resource] == '/' || rest[resource] == '?');
}

static bool selects(const plugin_watch_t *w, skim_span_t labels)
{
    watch_selector_t *selector = NULL;

    if (w->field_selector != NULL)
        return false; /* only the server can tell */
    if (w->label_selector == NULL)
        return true;
    if (watch_selector_parse(w->label_selector, &selector, NULL) < 0)
        return false;
    const bool match = watch_selector_match(selector, labels);
    watch_selector_destroy(selector);
    return match;
}

/* A Status that says a deletion is complete: details name the object. */
static void note_delete(source_t *s, const char *path, const char *body, size_t len)
{
    const skim_span_t details = skim_get((skim_span_t){.p = body, .len = len}, "details");
    host_cleanup(host_freep) char *name = skim_dup(skim_get(details, "name"));
    host_cleanup(host_freep) char *uid = skim_dup(skim_get(details, "uid"));
    char ns[254] = "";
    const char *at = strstr(path, "/namespaces/");

    if (at != NULL && watch_sub_namespaced(s->sub)) {
        const size_t n = strcspn(at + 12, "/?");
        if (n >= sizeof(ns))
            return;
        memcpy(ns, at + 12, n);
        ns[n] = '\0';
    }
    if (name != NULL && uid != NULL && (s->ns == NULL || strcmp(s->ns, ns) == 0))
        watch_store_note_delete(s->store, ns, name, uid);
}

static void note_object(source_t *s, const plugin_watch_t *w, const skim_meta_t *meta,
                        const char *body, size_t len)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;

    if (!skim_equal(meta->kind, w->kind) || !selects(w, meta->labels))
        return; /* a subresource of another kind, or outside this watch */
    if (watch_snapshot_create(body, len, NULL, NULL, &object, NULL) < 0)
        return;
    if (s->ns == NULL || strcmp(s->ns, watch_snapshot_ns(object)) == 0)
        watch_store_note_write(s->store, object);
}

void plugin_controller_written(plugin_controller_t *c, const char *method, const char *path,
                               const char *body, size_t len)
{
    skim_meta_t meta;

    if (skim_meta(body, len, &meta, NULL) < 0)
        return;
    for (size_t i = 0; i < c->source_count; i++) {
        source_t *s = &c->sources[i];
        const plugin_watch_t *w = &c->o.manifest->watches[s->watch];
        if (!path_names(path, &w->gvr))
            continue;
        if (strcmp(method, "DELETE") == 0 && skim_equal(meta.kind, "Status"))
            note_delete(s, path, body, len);
        else
            note_object(s, w, &meta, body, len);
    }
}

void plugin_controller_enqueue(plugin_controller_t *c, uint32_t watch, const char *ns,
                               const char *name)
{
    add_t add = {c, LH_REASON_REQUEUED, QUEUE_LIVE};

    if (!c->open)
        return;
    add_key(&add, watch, ns, name);
    loop_post(c->o.shared->loop, &c->pump);
}

/* -- Opening and closing -- */

static void close_sources(plugin_controller_t *c)
{
    plugin_services_set_cache(c->o.services, NULL, 0);
    for (size_t i = 0; i < c->source_count; i++) {
        source_t *s = &c->sources[i];
        if (s->sub != NULL)
            watch_unsubscribe(s->sub);
        watch_store_unref(s->store);
        free(s->problem);
    }
    free(host_steal(c->sources));
    c->source_count = 0;
}

static int open_source(plugin_controller_t *c, uint32_t watch, const char *ns, lh_error_t *err)
{
    const plugin_watch_t *w = &c->o.manifest->watches[watch];
    const watch_spec_t spec = {.gvr = w->gvr, .kind = w->kind, .ns = ns,
                               .label_selector = w->label_selector,
                               .field_selector = w->field_selector,
                               .metadata_only = w->metadata_only};
    source_t *s = &c->sources[c->source_count];

    *s = (source_t){.controller = c, .watch = watch, .ns = ns};
    const int ret = watch_subscribe(c->o.hub, &spec, &source_handler, s, &s->sub, err);
    if (ret < 0)
        return ret;
    s->store = watch_sub_store(s->sub);
    c->source_count++;
    return 0;
}

static int open_sources(plugin_controller_t *c, lh_error_t *err)
{
    static const char *const all[] = {NULL};
    const bool everywhere = c->o.namespaces == NULL || c->o.namespaces[0] == NULL;
    size_t namespaces = 1;

    while (!everywhere && c->o.namespaces[namespaces] != NULL)
        namespaces++;
    c->sources = host_xcalloc(c->o.manifest->watch_count * namespaces + 1, sizeof(*c->sources));
    for (uint32_t w = 0; w < c->o.manifest->watch_count; w++) {
        for (size_t n = 0; n < namespaces; n++) {
            const int ret = open_source(c, w, everywhere ? all[0] : c->o.namespaces[n], err);
            if (ret < 0)
                return host_error_wrap(err, ret, "watch %u of the manifest", w);
        }
    }
    return 0;
}

int plugin_controller_open(plugin_controller_t *c, plugin_runner_t *runner, fence_t *fence,
                           lh_error_t *err)
{
    const int ret = open_sources(c, err);

    if (ret < 0) {
        close_sources(c);
        return ret;
    }
    plugin_cache_slot_t *slots = host_xcalloc(c->source_count + 1, sizeof(*slots));
    for (size_t i = 0; i < c->source_count; i++) {
        const source_t *s = &c->sources[i];
        slots[i] = (plugin_cache_slot_t){s->watch, s->ns, s->store};
    }
    plugin_services_set_cache(c->o.services, slots, c->source_count);
    free(slots);
    c->runner = runner;
    c->fence = fence_ref(fence);
    c->open = true;
    c->ready = false;
    tell_state(c);
    return 0;
}

void plugin_controller_pause(plugin_controller_t *c)
{
    c->runner = NULL;
    plugin_controller_forget(c);
}

void plugin_controller_resume(plugin_controller_t *c, plugin_runner_t *runner)
{
    c->runner = runner;
    loop_post(c->o.shared->loop, &c->pump);
}

void plugin_controller_close(plugin_controller_t *c)
{
    if (!c->open)
        return;
    c->open = c->ready = false;
    c->runner = NULL;
    loop_timer_clear(&c->timer);
    close_sources(c);
    queue_clear(c->queue);
    fence_unref(host_steal(c->fence));
}

/* -- Life -- */

static void make_meters(plugin_controller_t *c)
{
    static const char *const by_result[] = {"controller", "result", NULL};
    static const char *const plain[] = {"controller", NULL};
    static const double buckets[] = {
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5,
        0.6,   0.7,  0.8,   0.9,  1.0, 1.25, 1.5, 1.75, 2.0, 2.5,  3.0, 3.5,  4.0,
        4.5,   5,    6,     7,    8,   9,    10,  15,   20,  25,   30,  40,   50, 60};
    metrics_t *m = c->o.shared->metrics;
    meters_t *k = &c->meters;
    const char *name[] = {c->name};

    metric_t *total = metrics_counter(m, "controller_runtime_reconcile_total",
                                      "Reconciles per controller and result.", by_result);
    k->success = metric_cell(total, (const char *[]){c->name, "success"});
    k->error = metric_cell(total, (const char *[]){c->name, "error"});
    k->requeue = metric_cell(total, (const char *[]){c->name, "requeue"});
    k->requeue_after = metric_cell(total, (const char *[]){c->name, "requeue_after"});
    k->errors = metric_cell(metrics_counter(m, "controller_runtime_reconcile_errors_total",
                                            "Reconciles that failed.", plain), name);
    k->terminal_errors =
        metric_cell(metrics_counter(m, "controller_runtime_terminal_reconcile_errors_total",
                                    "Reconciles that failed and are not retried.", plain), name);
    k->time = metric_cell(metrics_histogram(m, "controller_runtime_reconcile_time_seconds",
                                            "Time from dispatch to completion.", plain, buckets,
                                            HOST_LEN(buckets)), name);
    k->active = metric_cell(metrics_gauge(m, "controller_runtime_active_workers",
                                          "Reconciles under way.", plain), name);
    metric_set(metric_cell(metrics_gauge(m, "controller_runtime_max_concurrent_reconciles",
                                         "Reconciles that may be under way at a time.", plain),
                           name), c->o.max_in_flight);
}

plugin_controller_t *plugin_controller_create(const plugin_controller_options_t *options)
{
    plugin_controller_t *c = host_xcalloc(1, sizeof(*c));

    c->o = *options;
    c->name = host_xstrdup(options->name);
    c->queue = queue_create(
        &(queue_options_t){.metrics = options->shared->metrics, .name = c->name});
    c->pump.fn = pump_task;
    loop_timer_init(&c->timer, options->shared->loop, pump_timer);
    make_meters(c);
    return c;
}

void plugin_controller_destroy(plugin_controller_t *c)
{
    if (c == NULL)
        return;
    plugin_controller_close(c);
    plugin_controller_forget(c);
    loop_withdraw(c->o.shared->loop, &c->pump);
    queue_destroy(c->queue);
    free(c->name);
    free(c);
}
