/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a plugin: copied on the caller's thread, sent and answered on the loop. Reads go by
 * the reads' connections, writes by their own under the fence of the ctx's term.
 *
 * Before it is sent a request waits for its turn (plugin_services_set_rate). After a 429 that says when, it
 * is sent again then, ten times at most (client-go: rest/with_retry.go; of 5xx here reads alone, for a
 * write may have been carried out).
 */
#include "base/clock.h"
#include "base/error.h"
#include "plugin/services_impl.h"
#include "json/skim.h"

#include <string.h>

#define DEFAULT_TIMEOUT (30 * CLOCK_S)
#define LONGEST_TIMEOUT (3600 * CLOCK_S)
#define EVENTS_MAX 256u
#define REPEATS_MAX 10u
#define TOLD_EVERY (60 * CLOCK_S)

typedef struct op {
    list_t link; /* in entry->ops, services->orphans or services->events */
    plugin_services_t *services;
    ctx_entry_t *entry; /* a reference; NULL for an Event */
    fence_t *fence;
    loop_task_t task;   /* in the loop's post queue from its first moment in a list on */
    loop_timer_t timer; /* while it waits for its turn, or to be sent again */
    char *method, *path, *content_type, *body; /* one allocation, freed with method */
    size_t body_len;
    int64_t deadline; /* BOOTTIME, until which it is to be answered */
    int64_t waited;   /* for its turn */
    unsigned repeats;
    int refused;       /* HTTP status of the last answer, if it is sent again; 0: it is not */
    kube_call_t *call; /* while under way; NULL: waiting */
    plugin_done_fn done;
    void *arg;
} op_t;

static bool is_read(const op_t *op)
{
    return strcmp(op->method, "GET") == 0;
}

/* A write that changes nothing, whatever its answer shows. */
static bool is_dry_run(const op_t *op)
{
    const char *query = strchr(op->path, '?');
    const skim_span_t body = {.p = op->body, .len = op->body_len};
    skim_meta_t meta;

    if (query != NULL && strstr(query, "dryRun=") != NULL)
        return true;
    /* DeleteOptions may say so. */
    return strcmp(op->method, "DELETE") == 0 && op->body_len > 0 &&
           skim_meta(op->body, op->body_len, &meta, NULL) == 0 &&
           skim_get(body, "dryRun").p != NULL;
}

/* Takes the op out of its list, tells the outcome, frees. [loop-thread] */
static void op_finish(op_t *op, int code, plugin_response_t *response, const lh_error_t *err)
{
    plugin_services_t *s = op->services;

    loop_timer_clear(&op->timer);
    pthread_mutex_lock(&s->lock);
    list_remove(&op->link);
    if (op->entry == NULL)
        s->event_count--;
    pthread_mutex_unlock(&s->lock);
    op->done(op->arg, code, response, err);
    pthread_mutex_lock(&s->lock);
    if (op->entry != NULL)
        services_entry_unref(op->entry);
    pthread_mutex_unlock(&s->lock);
    fence_unref(op->fence);
    free(op->method);
    free(op);
}

static void op_fail(op_t *op, int code, const char *text)
{
    lh_error_t err = {0};

    host_error_set(&err, code, "%s %.200s: %s", op->method, op->path, text);
    op_finish(op, code, NULL, &err);
}

static void op_dead(op_t *op, int code)
{
    op_fail(op, code, lh_strerror(code));
}

/* By a policy of server-side fencing: nothing was carried out. */
static bool is_fenced(const op_t *op, const kube_result_t *result)
{
    const char *policy = op->services->shared->policy;

    if (op->services->user == NULL || policy == NULL || is_read(op) || !result->named_status)
        return false;
    host_cleanup(host_freep) char *quoted = host_xprintf("ValidatingAdmissionPolicy '%s", policy);
    return strstr(result->body, quoted) != NULL;
}

static void op_fenced(op_t *op)
{
    const plugin_shared_t *shared = op->services->shared;

    shared->on_fenced(shared->fenced_arg);
    op_fail(op, LH_EFENCED, "refused by the API server: it knows of another term");
}

/* Puts it off, unless its time is over by then. */
static bool op_later(op_t *op, int64_t delay)
{
    const int64_t at = clock_now() + delay;

    if (at >= op->deadline)
        return false;
    loop_timer_set(&op->timer, at);
    return true;
}

/* Its reconcile goes on; an Event belongs to none. */
static bool is_wanted(const op_t *op)
{
    pthread_mutex_lock(&op->services->lock);
    const bool wanted = op->entry == NULL || !op->entry->cancelled;
    pthread_mutex_unlock(&op->services->lock);
    return wanted;
}

/* Refused before anything was done, and to be sent again when the server wants it. */
static bool op_repeat(op_t *op, const kube_result_t *result)
{
    const bool undone = result->status == 429 || (is_read(op) && result->status >= 500);

    if (!undone || result->retry_after == 0 || op->repeats == REPEATS_MAX || !is_wanted(op) ||
        !op_later(op, result->retry_after))
        return false;
    op->repeats++;
    op->refused = result->status;
    return true;
}

static void op_done(void *arg, const kube_result_t *result) /* [loop-thread] */
{
    op_t *op = arg;
    plugin_services_t *s = op->services;

    op->call = NULL;
    if (result->code != 0 && is_fenced(op, result)) {
        op_fenced(op);
        return;
    }
    if (result->code != 0 && op_repeat(op, result))
        return;
    if (result->code != 0) {
        op_finish(op, result->code, NULL, &result->error);
        return;
    }
    plugin_response_t *response = malloc(sizeof(*response) + result->body_len + 1);
    if (response == NULL) {
        /* A write was carried out all the same: its outcome is not known to the plugin. */
        op_fail(op, is_read(op) ? LH_ENOMEM : LH_EUNKNOWN, "out of memory for the answer");
        return;
    }
    response->status = result->status;
    response->len = result->body_len;
    memcpy(response->text, result->body, result->body_len);
    response->text[result->body_len] = '\0';
    if (!is_read(op) && !is_dry_run(op))
        s->hooks.on_written(s->hooks.arg, op->method, op->path, response->text, response->len);
    op_finish(op, 0, response, NULL);
}

static bool is_over(const op_t *op)
{
    return fence_gate_closed(op->fence) || !fence_lives(op->fence);
}

static void op_send(op_t *op) /* [loop-thread] */
{
    plugin_services_t *s = op->services;
    lh_error_t err = {0};

    if (is_over(op)) {
        op_dead(op, fence_lives(op->fence) ? LH_ECANCELED : LH_EFENCED);
        return;
    }
    const kube_actor_t actor = {
        .user = s->user, .holder = s->shared->identity, .term = op->fence->term};
    const kube_request_t request = {
        .method = op->method,
        .path = op->path,
        .content_type = op->content_type,
        .body = op->body,
        .body_len = op->body_len,
        .agent = s->manifest->id,
        .as = s->user != NULL ? &actor : NULL,
        .timeout = HOST_MAX(op->deadline - clock_now(), CLOCK_MS),
        .waited = op->refused == 0 ? op->waited : 0,
        .repeated = op->refused,
        .fence = is_read(op) ? NULL : op->fence,
        .on_done = op_done,
        .arg = op,
    };
    kube_client_t *client = is_read(op) ? s->shared->reads : s->shared->writes;
    const int ret = kube_client_send(client, &request, &op->call, &err);
    if (ret < 0)
        op_finish(op, ret, NULL, &err);
}

static void on_turn(loop_timer_t *timer)
{
    op_send(HOST_CONTAINER(timer, op_t, timer));
}

static void tell_waiting(plugin_services_t *s, int64_t wait)
{
    const int64_t now = clock_now();

    if (wait < CLOCK_S || (s->told_at != 0 && now - s->told_at < TOLD_EVERY))
        return;
    s->told_at = now;
    log_warn(s->log, "requests are held back for %.1f s: the instance makes more than its qps, %g",
             (double) wait / (double) CLOCK_S, s->rate.qps);
}

static void op_start(loop_task_t *task) /* [loop-thread] */
{
    op_t *op = HOST_CONTAINER(task, op_t, task);
    plugin_services_t *s = op->services;
    const int64_t wait = is_over(op) ? 0 : bucket_wait(&s->rate, clock_now());

    tell_waiting(s, wait);
    if (wait > 0 && !op_later(op, wait)) {
        op_fail(op, LH_ETIMEDOUT,
                "it would wait longer than its time for the instance's qps; nothing was sent");
        return;
    }
    (void) bucket_take(&s->rate, clock_now());
    op->waited = wait;
    if (wait == 0)
        op_send(op);
}

void plugin_services_set_rate(plugin_services_t *s, double qps, int64_t burst)
{
    bucket_init(&s->rate, qps, burst);
}

void services_end_requests(plugin_services_t *s, list_t *ops, bool all) /* [loop-thread] */
{
    list_t mine;

    /* The list may grow no more: its ctx is refused. What is left standing goes back. */
    list_init(&mine);
    pthread_mutex_lock(&s->lock);
    for (list_t *n; (n = list_pop(ops)) != NULL;)
        list_append(&mine, n);
    pthread_mutex_unlock(&s->lock);
    for (list_t *n; (n = list_pop(&mine)) != NULL;) {
        op_t *op = LIST_ENTRY(n, op_t, link);
        const int code = fence_lives(op->fence) ? LH_ECANCELED : LH_EFENCED;
        if (op->call == NULL) {
            loop_withdraw(s->shared->loop, &op->task);
            op_dead(op, code);
        } else if (all || is_read(op)) {
            kube_call_cancel(host_steal(op->call));
            op_dead(op, is_read(op) ? code : LH_EUNKNOWN);
        } else {
            pthread_mutex_lock(&s->lock);
            list_append(ops, &op->link);
            pthread_mutex_unlock(&s->lock);
        }
    }
}

/* Copies what is needed; NULL when memory is out. */
static op_t *op_create(plugin_services_t *s, const lh_api_request_t *r, plugin_done_fn done,
                       void *arg)
{
    const size_t method = strlen(r->method) + 1, path = strlen(r->path) + 1;
    const size_t type = r->content_type != NULL ? strlen(r->content_type) + 1 : 0;
    op_t *op = calloc(1, sizeof(*op));
    char *text = op != NULL ? malloc(method + path + type + (size_t) r->body_len + 1) : NULL;

    if (text == NULL) {
        free(op);
        return NULL;
    }
    op->services = s;
    op->method = memcpy(text, r->method, method);
    op->path = memcpy(text + method, r->path, path);
    if (type > 0)
        op->content_type = memcpy(text + method + path, r->content_type, type);
    if (r->body_len > 0)
        op->body = memcpy(text + method + path + type, r->body, (size_t) r->body_len);
    op->body_len = (size_t) r->body_len;
    op->deadline = clock_now() +
                   (r->timeout_ns > 0 ? HOST_MIN(r->timeout_ns, LONGEST_TIMEOUT) : DEFAULT_TIMEOUT);
    op->deadline = HOST_MIN(op->deadline, atomic_load(&s->limit));
    op->task.fn = op_start;
    loop_timer_init(&op->timer, s->shared->loop, on_turn);
    op->done = done;
    op->arg = arg;
    return op;
}

int services_request(void *self, lh_ctx_t ctx, const lh_api_request_t *request, plugin_done_fn done,
                     void *arg, lh_error_t *err)
{
    plugin_services_t *s = self;
    ctx_entry_t *e = NULL;
    op_t *op = op_create(s, request, done, arg);

    if (op == NULL)
        return host_fail(err, LH_ENOMEM, "request: out of memory");
    pthread_mutex_lock(&s->lock);
    const int code = services_ctx_state(s, ctx, &e);
    if (code == 0) {
        e->refs++;
        op->entry = e;
        op->fence = fence_ref(e->fence);
        list_append(&e->ops, &op->link);
        loop_post(s->shared->loop, &op->task); /* under the lock: who finds it may withdraw it */
    }
    pthread_mutex_unlock(&s->lock);
    if (code == 0)
        return 0;
    free(op->method);
    free(op);
    return services_ctx_fail(err, code);
}

int services_send_event(plugin_services_t *s, fence_t *fence, const lh_api_request_t *request,
                        plugin_done_fn done, void *arg, lh_error_t *err)
{
    op_t *op = op_create(s, request, done, arg);

    if (op == NULL)
        return host_fail(err, LH_ENOMEM, "event: out of memory");
    pthread_mutex_lock(&s->lock);
    const bool room = s->event_count < EVENTS_MAX;
    if (room) {
        s->event_count++;
        op->fence = fence_ref(fence);
        list_append(&s->events, &op->link);
        loop_post(s->shared->loop, &op->task);
    }
    pthread_mutex_unlock(&s->lock);
    if (room)
        return 0;
    free(op->method);
    free(op);
    return host_fail(err, LH_EBUSY, "event: %u are under way", EVENTS_MAX);
}
