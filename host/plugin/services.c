/* SPDX-License-Identifier: Apache-2.0 */
/* The ctx table and the life of a term. */
#include "base/clock.h"
#include "base/error.h"
#include "plugin/run_log.h"
#include "plugin/services_impl.h"

#include <string.h>

#define RESULT_TEXT_MAX 1024u

static void entry_free(ctx_entry_t *e)
{
    fence_unref(e->fence);
    free((char *) e->result.text);
    free(e);
}

void services_entry_unref(ctx_entry_t *e)
{
    if (--e->refs == 0)
        entry_free(e);
}

/* -- The state of a ctx -- */

static int dead_code(const fence_t *fence)
{
    return fence != NULL && fence_lives(fence) ? LH_ECANCELED : LH_EFENCED;
}

int services_ctx_state(plugin_services_t *s, lh_ctx_t ctx, ctx_entry_t **entry)
{
    ctx_entry_t *e = NULL;

    HASH_FIND(hh, s->open, &ctx.id, sizeof(ctx.id), e);
    if (e == NULL) {
        if (ctx.id == 0 || ctx.id >= atomic_load(&s->shared->next_ctx))
            return LH_EINVAL;
        return ctx.id < s->first_ctx ? LH_EFENCED : dead_code(s->fence);
    }
    if (e->cancelled || fence_gate_closed(e->fence) || !fence_lives(e->fence))
        return dead_code(e->fence);
    if (entry != NULL)
        *entry = e;
    return 0;
}

int services_ctx_fail(lh_error_t *err, int code)
{
    if (code == LH_EINVAL)
        return host_fail(err, LH_EINVAL, "ctx: this id was never given out");
    if (code == LH_EFENCED)
        return host_fail(err, LH_EFENCED, "ctx: its term is over; nothing was sent");
    return host_fail(err, LH_ECANCELED,
                     "ctx: its reconcile is completed or cancelled; nothing was sent");
}

static int services_state(void *self, lh_ctx_t ctx)
{
    plugin_services_t *s = self;

    pthread_mutex_lock(&s->lock);
    const int code = services_ctx_state(s, ctx, NULL);
    pthread_mutex_unlock(&s->lock);
    return code;
}

/* -- Completion -- */

static void copy_result(lh_result_t *out, const lh_result_t *in)
{
    *out = *in;
    out->text = in->text != NULL ? strndup(in->text, RESULT_TEXT_MAX) : NULL;
    if (out->action > LH_FAIL)
        out->action = LH_FAIL;
    if (out->after_ns < 0)
        out->after_ns = 0;
}

static void entry_completed(loop_task_t *task) /* [loop-thread] */
{
    ctx_entry_t *e = HOST_CONTAINER(task, ctx_entry_t, task);
    plugin_services_t *s = e->services;
    const bool over = e->id < s->first_ctx; /* its term has ended since */

    services_end_requests(s, &e->ops, over);
    s->hooks.on_complete(s->hooks.arg, e->id, &e->result, e->completed_at);
    pthread_mutex_lock(&s->lock);
    for (list_t *n; (n = list_pop(&e->ops)) != NULL;)
        list_append(&s->orphans, n); /* the table does not lead to them any more */
    services_entry_unref(e);
    pthread_mutex_unlock(&s->lock);
}

static void log_stray(const plugin_services_t *s, uint64_t ctx)
{
    char id[RUN_ID_SIZE];

    if (!log_enabled(s->log, LOG_DEBUG))
        return;
    plugin_run_id(s->shared, ctx, id);
    log_t *log = log_with(s->log, "reconcileID", id);
    log_debug(log, "a completion is used up or belongs to an earlier term; ignored");
    log_destroy(log);
}

/* The loop sets its patience before it looks for tasks and waits; here it is read after the task is
 * there: so one of the two sees the other. */
static void services_complete(void *self, lh_completion_t completion, const lh_result_t *result)
{
    plugin_services_t *s = self;
    ctx_entry_t *e = NULL;
    bool urgent = result->action != LH_DONE;

    pthread_mutex_lock(&s->lock);
    HASH_FIND(hh, s->open, &completion.id, sizeof(completion.id), e);
    if (e != NULL && e->is_term)
        e = NULL;
    if (e != NULL) {
        HASH_DEL(s->open, e);
        e->cancelled = true;
        e->completed_at = clock_now();
        copy_result(&e->result, result);
        urgent = urgent || !list_empty(&e->ops); /* they are ended */
    }
    pthread_mutex_unlock(&s->lock);
    if (e != NULL) {
        loop_post_quietly(s->shared->loop, &e->task);
        if (urgent || atomic_load(&s->patience) <= 0)
            loop_wake(s->shared->loop);
        return;
    }
    /* Late results of an ended term are no fault of the plugin; both are ignored. */
    metric_add(s->stray_completions, 1);
    log_stray(s, completion.id);
}

void plugin_services_tell(plugin_services_t *s, loop_task_t *task, bool urgent)
{
    loop_post_quietly(s->shared->loop, task);
    if (urgent || atomic_fetch_sub(&s->patience, 1) <= 1)
        loop_wake(s->shared->loop);
}

void plugin_services_set_patience(plugin_services_t *s, int32_t returns)
{
    atomic_store(&s->patience, returns);
}

/* -- The term -- */

uint64_t plugin_services_open(plugin_services_t *s, const lh_key_t *key)
{
    const size_t ns = key != NULL ? strlen(key->ns) + 1 : 0;
    const size_t name = key != NULL ? strlen(key->name) + 1 : 0;
    ctx_entry_t *e = host_xcalloc(1, sizeof(*e) + ns + name);

    *e = (ctx_entry_t){
        .services = s, .refs = 1, .is_term = key == NULL, .task = {.fn = entry_completed}};
    if (key != NULL) {
        e->ns = memcpy(e->text, key->ns, ns);
        e->name = memcpy(e->text + ns, key->name, name);
    }
    list_init(&e->ops);
    e->id = atomic_fetch_add(&s->shared->next_ctx, 1);
    pthread_mutex_lock(&s->lock);
    e->fence = fence_ref(s->fence);
    HASH_ADD(hh, s->open, id, sizeof(e->id), e);
    pthread_mutex_unlock(&s->lock);
    return e->id;
}

void plugin_services_begin(plugin_services_t *s, fence_t *fence)
{
    pthread_mutex_lock(&s->lock);
    s->fence = fence_ref(fence);
    s->first_ctx = atomic_load(&s->shared->next_ctx);
    pthread_mutex_unlock(&s->lock);
}

static void forget(plugin_services_t *s, ctx_entry_t *e) /* taken out of the table already */
{
    services_end_requests(s, &e->ops, true);
    pthread_mutex_lock(&s->lock);
    services_entry_unref(e);
    pthread_mutex_unlock(&s->lock);
}

void plugin_services_drop(plugin_services_t *s, uint64_t ctx)
{
    ctx_entry_t *e = NULL;

    pthread_mutex_lock(&s->lock);
    HASH_FIND(hh, s->open, &ctx, sizeof(ctx), e);
    if (e != NULL) {
        HASH_DEL(s->open, e);
        e->cancelled = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (e != NULL)
        forget(s, e);
}

void plugin_services_limit(plugin_services_t *s, int64_t until)
{
    atomic_store(&s->limit, until);
}

void plugin_services_cancel(plugin_services_t *s)
{
    pthread_mutex_lock(&s->lock);
    for (ctx_entry_t *e = s->open; e != NULL; e = e->hh.next)
        e->cancelled = true;
    pthread_mutex_unlock(&s->lock);
    /* Entries leave the table by completion, on other threads, but are freed on this one only. */
    for (;;) {
        ctx_entry_t *next = NULL;
        pthread_mutex_lock(&s->lock);
        for (ctx_entry_t *e = s->open; e != NULL && next == NULL; e = e->hh.next) {
            if (!list_empty(&e->ops) && !e->swept)
                next = e;
        }
        if (next != NULL) {
            next->swept = true;
            next->refs++;
        }
        pthread_mutex_unlock(&s->lock);
        if (next == NULL)
            return;
        services_end_requests(s, &next->ops, false);
        pthread_mutex_lock(&s->lock);
        services_entry_unref(next);
        pthread_mutex_unlock(&s->lock);
    }
}

void plugin_services_end(plugin_services_t *s)
{
    fence_t *fence;

    for (;;) {
        pthread_mutex_lock(&s->lock);
        ctx_entry_t *e = s->open;
        if (e != NULL) {
            HASH_DEL(s->open, e);
            e->cancelled = true;
        }
        pthread_mutex_unlock(&s->lock);
        if (e == NULL)
            break;
        forget(s, e);
    }
    services_end_requests(s, &s->orphans, true);
    services_end_requests(s, &s->events, true);
    services_events_forget(s);
    pthread_mutex_lock(&s->lock);
    fence = host_steal(s->fence);
    s->first_ctx = atomic_load(&s->shared->next_ctx);
    pthread_mutex_unlock(&s->lock);
    fence_unref(fence);
}

/* -- Enqueue -- */

typedef struct enqueue {
    loop_task_t task;
    plugin_services_t *services;
    uint32_t watch;
    uint64_t ctx;
    char *ns, *name;
} enqueue_t;

static void run_enqueue(loop_task_t *task) /* [loop-thread] */
{
    enqueue_t *q = HOST_CONTAINER(task, enqueue_t, task);
    plugin_services_t *s = q->services;

    atomic_fetch_sub_explicit(&s->asked, 1, memory_order_relaxed);
    if (q->ctx >= s->first_ctx && s->fence != NULL)
        s->hooks.on_enqueue(s->hooks.arg, q->watch, q->ns, q->name);
    free(q->ns);
    free(q->name);
    free(q);
}

/* Keys that have an object are bounded by the objects, but not before the loop has taken them. */
static bool has_too_many(plugin_services_t *s, const lh_key_t *key)
{
    const size_t asked = atomic_load_explicit(&s->asked, memory_order_relaxed);
    const size_t guests = atomic_load_explicit(&s->guests, memory_order_relaxed);

    return asked >= PLUGIN_GUESTS_MAX ||
           (asked + guests >= PLUGIN_GUESTS_MAX && !services_has_object(s, key));
}

void plugin_services_set_guests(plugin_services_t *s, size_t count)
{
    atomic_store_explicit(&s->guests, count, memory_order_relaxed);
}

static int services_enqueue(void *self, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err)
{
    plugin_services_t *s = self;

    if (key->watch >= s->manifest->watch_count ||
        s->manifest->watches[key->watch].role != PLUGIN_ROLE_PRIMARY)
        return host_fail(err, LH_EINVAL, "enqueue: watch %u is not a primary watch of the manifest",
                         key->watch);
    const int code = services_state(s, ctx);
    if (code < 0)
        return services_ctx_fail(err, code);
    if (has_too_many(s, key))
        return host_fail(err, LH_EBUSY, "enqueue: %u keys without an object wait already",
                         PLUGIN_GUESTS_MAX);

    enqueue_t *q = calloc(1, sizeof(*q));
    if (q == NULL || (q->ns = strdup(key->ns)) == NULL || (q->name = strdup(key->name)) == NULL) {
        if (q != NULL)
            free(q->ns);
        free(q);
        return host_fail(err, LH_ENOMEM, "enqueue: out of memory");
    }
    q->task.fn = run_enqueue;
    q->services = s;
    q->watch = key->watch;
    q->ctx = ctx.id;
    atomic_fetch_add_explicit(&s->asked, 1, memory_order_relaxed);
    loop_post(s->shared->loop, &q->task);
    return 0;
}

/* -- Life -- */

static const plugin_backend_ops_t services_ops = {
    .ctx_state = services_state,
    .request = services_request,
    .cache_get = services_cache_get,
    .cache_list = services_cache_list,
    .cursor_next = services_cursor_next,
    .cursor_back = services_cursor_back,
    .cursor_names = services_cursor_names,
    .cursor_free = services_cursor_free,
    .enqueue = services_enqueue,
    .event = services_event,
    .metric = services_metric,
    .log = services_log,
    .set_ready = services_set_ready,
    .complete = services_complete,
};

plugin_backend_t plugin_services_backend(plugin_services_t *s)
{
    return (plugin_backend_t){.ops = &services_ops, .self = s};
}

metric_cell_t *plugin_services_strays(const plugin_services_t *s)
{
    return s->stray_completions;
}

plugin_services_t *plugin_services_create(plugin_shared_t *shared, const char *name,
                                          const char *user, const plugin_manifest_t *manifest,
                                          const plugin_services_hooks_t *hooks)
{
    static const char *const labels[] = {"controller", NULL};
    plugin_services_t *s = host_xcalloc(1, sizeof(*s));

    s->shared = shared;
    s->name = host_xstrdup(name);
    s->user = user != NULL ? host_xstrdup(user) : NULL;
    s->manifest = manifest;
    s->hooks = *hooks;
    s->log = log_named(shared->log, "controller", name);
    s->stray_completions = metric_cell(
        metrics_counter(shared->metrics, "leasehold_plugin_stray_completions_total",
                        "Completions that were used up or belonged to an earlier term.", labels),
        (const char *[]){name, NULL});
    s->events_dropped =
        metric_cell(metrics_counter(shared->metrics, "leasehold_plugin_events_dropped_total",
                                    "Events that were not recorded.", labels),
                    (const char *[]){name, NULL});
    atomic_init(&s->limit, CLOCK_NEVER);
    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->orphans);
    list_init(&s->events);
    loop_timer_init(&s->sweep, shared->loop, services_sweep_events);
    s->first_ctx = atomic_load(&shared->next_ctx);
    return s;
}

void plugin_services_destroy(plugin_services_t *s)
{
    if (s == NULL)
        return;
    plugin_services_end(s);
    plugin_services_set_cache(s, NULL, 0);
    services_metrics_free(s);
    if (s->ready != NULL)
        health_remove(s->shared->health, s->ready);
    log_destroy(s->log);
    pthread_mutex_destroy(&s->lock);
    free(s->name);
    free(s->user);
    free(s);
}
