/* SPDX-License-Identifier: Apache-2.0 */
/* The backend of a worker's host table: every function is a message to the host, which decides.
 * Only what the host has said already (a ctx is live, a job's object, a batch of objects) is
 * answered here. */
#include "base/error.h"
#include "plugin/worker.h"

#include <string.h>

enum { ARGUMENTS_MAX = 64 * 1024, LOG_MAX = 4096, READY_MAX = 1024 };

/* -- Calls -- */

static uint64_t next_id(plugin_worker_t *w)
{
    pthread_mutex_lock(&w->lock);
    const uint64_t id = ++w->last_id;
    pthread_mutex_unlock(&w->lock);
    return id;
}

static plugin_message_t *call_new(plugin_worker_t *w, enum plugin_wire_type type, lh_ctx_t ctx)
{
    plugin_message_t *m = plugin_message_new(type, next_id(w));

    plugin_message_u64(m, ctx.id);
    return m;
}

static void call_fini(plugin_worker_call_t *c)
{
    free(c->body);
}

/* Sends m (taken) and waits for the reply. Returns the reply's code; c->reply stands behind it. End
 * with call_fini. */
static int call(plugin_worker_t *w, plugin_message_t *m, plugin_worker_call_t *c, lh_error_t *err)
{
    *c = (plugin_worker_call_t){.id = plugin_message_id(m), .answered = PTHREAD_COND_INITIALIZER};
    pthread_mutex_lock(&w->lock);
    HASH_ADD(hh, w->calls, id, sizeof(c->id), c);
    pthread_mutex_unlock(&w->lock);
    plugin_worker_send(w, m);
    pthread_mutex_lock(&w->lock);
    while (!c->done) {
        pthread_cond_wait(&c->answered, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    pthread_cond_destroy(&c->answered);
    if (c->body == NULL)
        return host_fail(err, LH_ENOMEM, "out of memory for the host's reply");
    return plugin_incoming_error(&c->reply, err);
}

/* A call of which only the code counts; m is taken. */
static int call_plain(plugin_worker_t *w, plugin_message_t *m, const char *what, lh_error_t *err)
{
    plugin_worker_call_t c;

    if (plugin_message_size(m) > ARGUMENTS_MAX) {
        plugin_message_destroy(m);
        return host_fail(err, LH_EINVAL, "%s: more than %d bytes of arguments", what,
                         ARGUMENTS_MAX);
    }
    const int ret = call(w, m, &c, err);

    call_fini(&c);
    return ret;
}

bool plugin_worker_on_reply(plugin_worker_t *w, plugin_incoming_t *in)
{
    const size_t len = (size_t) (in->end - in->at);
    char *body = malloc(len + 1);
    plugin_worker_call_t *c = NULL;

    if (body != NULL)
        memcpy(body, in->at, len);
    pthread_mutex_lock(&w->lock);
    HASH_FIND(hh, w->calls, &in->id, sizeof(in->id), c);
    if (c != NULL) {
        HASH_DEL(w->calls, c);
        c->body = body;
        c->reply = (plugin_incoming_t){in->type, in->id, body, body + len, false};
        c->done = true;
        pthread_cond_signal(&c->answered);
    }
    pthread_mutex_unlock(&w->lock);
    if (c == NULL)
        free(body);
    return c != NULL;
}

/* -- Live ctx -- */

/* Why a ctx is dead, and whether one that was never given to this worker is, the host knows. */
static int backend_ctx_state(void *self, lh_ctx_t ctx)
{
    plugin_worker_t *w = self;

    pthread_mutex_lock(&w->lock);
    const bool live = plugin_worker_ctx_live(w, ctx);
    pthread_mutex_unlock(&w->lock);
    if (live)
        return 0;
    return call_plain(w, call_new(w, PLUGIN_WIRE_CTX_STATE, ctx), "cancelled", NULL);
}

/* -- Requests -- */

/* Waits for credit, takes it, and books the request; NULL when ctx has died by then, for nobody may
 * be left to give credit back. */
static plugin_worker_request_t *request_open(plugin_worker_t *w, lh_ctx_t ctx,
                                             const lh_api_request_t *request, plugin_done_fn done,
                                             void *arg)
{
    const size_t size = request->body_len;
    plugin_worker_request_t *q = host_xcalloc(1, sizeof(*q));

    pthread_mutex_lock(&w->lock);
    while (HASH_COUNT(w->requests) >= PLUGIN_WIRE_REQUESTS ||
           w->bodies + size > PLUGIN_WIRE_BODIES) {
        if (!plugin_worker_ctx_live(w, ctx)) {
            pthread_mutex_unlock(&w->lock);
            free(q);
            return NULL;
        }
        pthread_cond_wait(&w->room, &w->lock);
    }
    *q = (plugin_worker_request_t){.id = ++w->last_id,
                                   .size = size,
                                   .write = strcmp(request->method, "GET") != 0,
                                   .done = done,
                                   .arg = arg};
    HASH_ADD(hh, w->requests, id, sizeof(q->id), q);
    w->bodies += size;
    pthread_mutex_unlock(&w->lock);
    return q;
}

/* Takes the request out of the book and gives its credit back; NULL when it is not in it. Caller
 * owns the result, free with free(). */
static plugin_worker_request_t *request_close(plugin_worker_t *w, uint64_t id)
{
    plugin_worker_request_t *q = NULL;

    pthread_mutex_lock(&w->lock);
    HASH_FIND(hh, w->requests, &id, sizeof(id), q);
    if (q != NULL) {
        HASH_DEL(w->requests, q);
        w->bodies -= q->size;
        pthread_cond_broadcast(&w->room);
    }
    pthread_mutex_unlock(&w->lock);
    return q;
}

static int backend_request(void *self, lh_ctx_t ctx, const lh_api_request_t *request,
                           plugin_done_fn done, void *arg, lh_error_t *err)
{
    plugin_worker_t *w = self;
    const plugin_worker_request_t *q = request_open(w, ctx, request, done, arg);

    if (q == NULL) {
        const int state = backend_ctx_state(w, ctx);
        const int code = state < 0 ? state : LH_ECANCELED;

        return host_fail(err, code, "request: %s", lh_strerror(code));
    }
    const uint64_t id = q->id;
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REQUEST, id);
    plugin_worker_call_t c;

    plugin_message_u64(m, ctx.id);
    plugin_put_request(m, request);
    const int ret = call(w, m, &c, err);

    call_fini(&c);
    if (ret < 0)
        free(request_close(w, id)); /* refused: no answer will come */
    return ret;
}

/* The response of an answer, NULL when memory is out. */
static plugin_response_t *take_response(plugin_incoming_t *in)
{
    const int32_t status = (int32_t) plugin_incoming_u32(in);
    size_t len;
    const char *text = plugin_incoming_text(in, &len);

    if (text == NULL || !plugin_incoming_done(in)) {
        in->bad = true;
        return NULL;
    }
    plugin_response_t *response = malloc(sizeof(*response) + len + 1);

    if (response == NULL)
        return NULL;
    response->status = status;
    response->len = len;
    memcpy(response->text, text, len + 1);
    return response;
}

/* A batch of objects and, behind them, where the walk goes on. */
struct plugin_cursor {
    list_t link; /* in worker->cursors */
    plugin_worker_call_t batch;
    uint32_t taken;        /* objects of the batch */
    uint64_t walk;         /* at the host, known when read; 0: nothing is left there */
    bool read;             /* to the end of the batch */
    bool over;             /* nothing comes after it; known when read */
    _Atomic bool outdated; /* the plugin has written since it was fetched */
};

/* A plugin sees its own writes, also on a walk: what was fetched before is fetched again. */
static void cursors_outdate(plugin_worker_t *w)
{
    pthread_mutex_lock(&w->lock);
    for (list_t *n = w->cursors.next; n != &w->cursors; n = n->next)
        atomic_store(&LIST_ENTRY(n, plugin_cursor_t, link)->outdated, true);
    pthread_mutex_unlock(&w->lock);
}

bool plugin_worker_on_answer(plugin_worker_t *w, plugin_incoming_t *in)
{
    plugin_worker_request_t *q = request_close(w, in->id);
    plugin_response_t *response = NULL;
    lh_error_t err = {0};

    if (q == NULL)
        return false;
    if (q->write)
        cursors_outdate(w);
    plugin_worker_ctx_outdate(w);
    int code = plugin_incoming_error(in, &err);

    if (code == 0) {
        response = take_response(in);
        if (response == NULL) /* it was answered all the same, so what it did is not known */
            code = host_fail(&err, LH_EUNKNOWN, "out of memory for the answer");
    }
    q->done(q->arg, code, response, code == 0 ? NULL : &err);
    free(q);
    return !in->bad;
}

/* -- The cache -- */

static int take_snapshot(plugin_incoming_t *in, watch_snapshot_t **out, lh_error_t *err)
{
    size_t len;
    const char *text = plugin_incoming_text(in, &len);

    if (text == NULL)
        return host_fail(err, LH_EIO, "a malformed reply of the host");
    return watch_snapshot_create(text, len, NULL, NULL, out, err);
}

static int backend_cache_get(void *self, lh_ctx_t ctx, const lh_key_t *key,
                             const watch_snapshot_t *held, watch_snapshot_t **out, lh_error_t *err)
{
    plugin_worker_t *w = self;
    watch_snapshot_t *brought = plugin_worker_ctx_object(w, ctx, key);

    (void) held; /* only the host knows whether it is the present state */
    if (brought != NULL) {
        *out = brought;
        return 0;
    }
    plugin_message_t *m = call_new(w, PLUGIN_WIRE_CACHE_GET, ctx);
    plugin_worker_call_t c;

    plugin_put_key(m, key);
    int ret = call(w, m, &c, err);

    plugin_worker_ctx_asked(w, ctx, key);
    if (ret == 0)
        ret = take_snapshot(&c.reply, out, err);
    call_fini(&c);
    return ret;
}

static void cursor_take(plugin_worker_t *w, plugin_cursor_t *c, plugin_worker_call_t *batch)
{
    plugin_worker_ctx_outdate(w);
    call_fini(&c->batch);
    c->batch = *batch;
    c->read = false;
    c->taken = 0;
}

static void cursor_open(plugin_worker_t *w, plugin_cursor_t *c)
{
    pthread_mutex_lock(&w->lock);
    list_append(&w->cursors, &c->link);
    pthread_mutex_unlock(&w->lock);
}

static void cursor_close(plugin_worker_t *w, plugin_cursor_t *c)
{
    pthread_mutex_lock(&w->lock);
    list_remove(&c->link);
    pthread_mutex_unlock(&w->lock);
}

/* Where the walk stands, which comes after the objects. */
static void cursor_read_end(plugin_cursor_t *c)
{
    c->walk = plugin_incoming_u64(&c->batch.reply);
    c->over = plugin_incoming_u32(&c->batch.reply) != 0;
    c->read = true;
}

static void cursor_skip(plugin_cursor_t *c)
{
    size_t len;

    while (!c->read) {
        if (plugin_incoming_text(&c->batch.reply, &len) == NULL)
            cursor_read_end(c);
    }
}

static int backend_cache_list(void *self, lh_ctx_t ctx, const lh_query_t *query,
                              plugin_cursor_t **out, lh_error_t *err)
{
    plugin_worker_t *w = self;
    host_cleanup(host_freep) plugin_cursor_t *cursor = calloc(1, sizeof(*cursor));

    if (cursor == NULL)
        return host_fail(err, LH_ENOMEM, "cache_list: out of memory");
    plugin_message_t *m = call_new(w, PLUGIN_WIRE_CACHE_LIST, ctx);
    plugin_worker_call_t c;

    plugin_put_query(m, query);
    if (plugin_message_size(m) > ARGUMENTS_MAX) {
        plugin_message_destroy(m);
        return host_fail(err, LH_EINVAL, "cache_list: more than %d bytes of arguments",
                         ARGUMENTS_MAX);
    }
    cursor_open(w, cursor); /* before the batch is made: from then on a write outdates it */
    const int ret = call(w, m, &c, err);

    if (ret < 0) {
        cursor_close(w, cursor);
        call_fini(&c);
        return ret;
    }
    cursor_take(w, cursor, &c);
    *out = host_steal(cursor);
    return 0;
}

/* The next batch from the host; what is left of the present one is in it again. */
static int cursor_fetch(plugin_worker_t *w, plugin_cursor_t *cursor, lh_error_t *err)
{
    plugin_message_t *m = call_new(w, PLUGIN_WIRE_CURSOR_NEXT, (lh_ctx_t){cursor->walk});
    plugin_worker_call_t c;

    plugin_message_u32(m, cursor->taken);
    const int ret = call(w, m, &c, err);

    if (ret == 0) {
        cursor_take(w, cursor, &c);
        return 0;
    }
    call_fini(&c);
    cursor->taken = 0; /* of what the host has given meanwhile */
    return ret;
}

/* Drops what was fetched before the plugin's last write. */
static int cursor_renew(plugin_worker_t *w, plugin_cursor_t *cursor, lh_error_t *err)
{
    if (!atomic_exchange(&cursor->outdated, false))
        return 0;
    cursor_skip(cursor);
    if (cursor->walk == 0)
        return 0;
    const int ret = cursor_fetch(w, cursor, err);

    if (ret < 0)
        atomic_store(&cursor->outdated, true);
    return ret;
}

static int backend_cursor_next(void *self, plugin_cursor_t *cursor, watch_snapshot_t **out,
                               lh_error_t *err)
{
    int ret = cursor_renew(self, cursor, err);

    while (ret == 0) {
        size_t len;

        if (cursor->read && (cursor->over || cursor->walk == 0)) {
            *out = NULL;
            return 0;
        }
        if (cursor->read)
            ret = cursor_fetch(self, cursor, err);
        if (ret < 0)
            break;
        const char *text = plugin_incoming_text(&cursor->batch.reply, &len);

        if (text == NULL) {
            cursor_read_end(cursor);
            continue;
        }
        ret = watch_snapshot_create(text, len, NULL, NULL, out, err);
        cursor->taken++;
        return ret;
    }
    return ret;
}

static void backend_cursor_free(void *self, plugin_cursor_t *cursor)
{
    cursor_close(self, cursor);
    cursor_skip(cursor);
    if (cursor->walk != 0)
        plugin_worker_send(self, plugin_message_new(PLUGIN_WIRE_CURSOR_FREE, cursor->walk));
    call_fini(&cursor->batch);
    free(cursor);
}

/* -- The rest -- */

static int backend_enqueue(void *self, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err)
{
    plugin_message_t *m = call_new(self, PLUGIN_WIRE_ENQUEUE, ctx);

    plugin_put_key(m, key);
    return call_plain(self, m, "enqueue", err);
}

static int backend_event(void *self, lh_ctx_t ctx, const lh_event_t *event, lh_error_t *err)
{
    plugin_message_t *m = call_new(self, PLUGIN_WIRE_EVENT, ctx);
    const int ret = plugin_put_event(m, event, err);

    if (ret == 0)
        return call_plain(self, m, "event", err);
    plugin_message_destroy(m);
    return ret;
}

static int backend_metric(void *self, const lh_metric_t *metric, lh_error_t *err)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_METRIC, next_id(self));
    const int ret = plugin_put_metric(m, metric, err);

    if (ret == 0)
        return call_plain(self, m, "metric", err);
    plugin_message_destroy(m);
    return ret;
}

static void backend_log(void *self, lh_ctx_t ctx, uint32_t level, const char *text)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_LOG, ctx.id);

    plugin_message_u32(m, level);
    plugin_message_text(m, text, strnlen(text, LOG_MAX));
    plugin_worker_send(self, m);
}

static void backend_set_ready(void *self, bool ready, const char *text)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_SET_READY, 0);

    plugin_message_u32(m, ready);
    plugin_message_text(m, text, text != NULL ? strnlen(text, READY_MAX) : 0);
    plugin_worker_send(self, m);
}

static void backend_complete(void *self, lh_completion_t completion, const lh_result_t *result)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_COMPLETE, completion.id);

    plugin_put_result(m, result);
    plugin_worker_ctx_end(self, completion.id); /* the number of its ctx */
    plugin_worker_send(self, m);
}

plugin_backend_t plugin_worker_backend(plugin_worker_t *w)
{
    static const plugin_backend_ops_t ops = {
        .ctx_state = backend_ctx_state,
        .request = backend_request,
        .cache_get = backend_cache_get,
        .cache_list = backend_cache_list,
        .cursor_next = backend_cursor_next,
        .cursor_free = backend_cursor_free,
        .enqueue = backend_enqueue,
        .event = backend_event,
        .metric = backend_metric,
        .log = backend_log,
        .set_ready = backend_set_ready,
        .complete = backend_complete,
    };

    return (plugin_backend_t){.ops = &ops, .self = w};
}
