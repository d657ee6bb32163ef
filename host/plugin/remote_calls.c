/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker asks for, carried out on the host's backend. Nothing here waits. */
#include "base/error.h"
#include "plugin/remote.h"

#include <string.h>

/* What a worker's walks may keep in the host: about 64 bytes a name. One alone may have any number. */
enum { WALKS_MAX = 256, WALK_NAMES_MAX = 8000000, BATCH = 192 * 1024 };

static int malformed(const plugin_incoming_t *in, lh_error_t *err)
{
    return host_fail(err, LH_EPARSE, "a malformed message of type %u", in->type);
}

static lh_ctx_t take_ctx(plugin_incoming_t *in)
{
    return (lh_ctx_t){plugin_incoming_u64(in)};
}

static void reply(plugin_remote_t *r, uint64_t id, int code, const lh_error_t *err)
{
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REPLY, id);

    plugin_message_error(m, code, err);
    plugin_remote_send(r, m);
}

/* -- Requests -- */

typedef struct open_request {
    plugin_remote_t *remote; /* a reference */
    uint64_t id;
    size_t size;
    bool write;
} open_request_t;

static open_request_t *request_open(plugin_remote_t *r, uint64_t id, const lh_api_request_t *q)
{
    open_request_t *o = host_xcalloc(1, sizeof(*o));

    *o = (open_request_t){r, id, q->body_len, strcmp(q->method, "GET") != 0};
    plugin_remote_ref(r);
    atomic_fetch_add(&r->requests, 1);
    atomic_fetch_add(&r->bodies, o->size);
    return o;
}

static void request_close(open_request_t *o)
{
    atomic_fetch_sub(&o->remote->requests, 1);
    atomic_fetch_sub(&o->remote->bodies, o->size);
    plugin_remote_unref(o->remote);
    free(o);
}

static void request_done(void *arg, int code, plugin_response_t *response, const lh_error_t *err)
{
    open_request_t *o = arg;
    plugin_remote_t *r = o->remote;
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_ANSWER, o->id);
    lh_error_t why = {0};

    /* A worker that takes no answers must not fill the host with them. */
    if (code == 0 && plugin_wire_waiting(r->wire) > PLUGIN_WIRE_ANSWERS) {
        code = host_fail(&why, o->write ? LH_EUNKNOWN : LH_EBUSY,
                         "the worker does not take its answers; this one was dropped");
        err = &why;
        free(host_steal(response));
    }
    plugin_message_error(m, code, err);
    if (code == 0) {
        plugin_message_u32(m, (uint32_t) response->status);
        plugin_message_attach(m, response->text, response->len, free, response);
    }
    /* The credit is given back before the worker can learn of it. */
    plugin_remote_ref(r);
    request_close(o);
    plugin_remote_send(r, m);
    plugin_remote_unref(r);
}

static int call_request(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const lh_ctx_t ctx = take_ctx(in);
    lh_api_request_t request;
    lh_error_t why = {0};

    if (!plugin_take_request(in, &request))
        return malformed(in, err);
    if (atomic_load(&r->requests) >= PLUGIN_WIRE_REQUESTS ||
        atomic_load(&r->bodies) + request.body_len > PLUGIN_WIRE_BODIES)
        return host_fail(err, LH_EPARSE, "more open requests than it has credit for");
    int ret = plugin_request_check(&request, &why);

    if (ret == 0) {
        open_request_t *o = request_open(r, in->id, &request);

        ret = r->backend.ops->request(r->backend.self, ctx, &request, request_done, o, &why);
        if (ret < 0)
            request_close(o);
    }
    reply(r, in->id, ret, &why);
    return 0;
}

/* -- The cache -- */

static void release_snapshot(void *snapshot)
{
    watch_snapshot_unref(snapshot);
}

static int call_cache_get(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const lh_ctx_t ctx = take_ctx(in);
    watch_snapshot_t *object = NULL;
    lh_error_t why = {0};
    lh_key_t key;
    size_t len = 0;

    if (!plugin_take_key(in, &key))
        return malformed(in, err);
    int ret = plugin_key_check(&key, &why);

    if (ret == 0)
        ret = r->backend.ops->cache_get(r->backend.self, ctx, &key, NULL, &object, &why);
    plugin_message_t *m = plugin_message_new(PLUGIN_WIRE_REPLY, in->id);

    plugin_message_error(m, ret, &why);
    if (ret == 0) {
        const char *text = watch_snapshot_text(object, &len);

        plugin_message_attach(m, text, len, release_snapshot, object);
    }
    plugin_remote_send(r, m);
    return 0;
}

static void walk_drop(plugin_remote_t *r, plugin_remote_walk_t *w)
{
    HASH_DEL(r->walks, w);
    r->walk_names -= r->backend.ops->cursor_names(r->backend.self, w->cursor);
    r->backend.ops->cursor_free(r->backend.self, w->cursor);
    free(w);
}

void plugin_remote_drop_walks(plugin_remote_t *r)
{
    plugin_remote_walk_t *w, *next;

    HASH_ITER (hh, r->walks, w, next) {
        walk_drop(r, w);
    }
}

/* Replies with the next objects of the walk. With the last ones it stays, for the worker may want them
 * once more; without any it is gone. An error that comes after objects comes again at the next call. */
static int reply_batch(plugin_remote_t *r, uint64_t call, plugin_remote_walk_t *w)
{
    plugin_message_t *objects = plugin_message_new(PLUGIN_WIRE_REPLY, call);
    lh_error_t why = {0};
    bool over = false;
    int ret = 0;
    uint32_t count = 0;

    w->sent = 0;
    plugin_message_error(objects, 0, NULL);
    while (plugin_message_size(objects) < BATCH) {
        watch_snapshot_t *object = NULL;
        size_t len;

        ret = r->backend.ops->cursor_next(r->backend.self, w->cursor, &object, &why);
        over = ret == 0 && object == NULL;
        if (ret < 0 || over)
            break;
        const char *text = watch_snapshot_text(object, &len);

        plugin_message_text(objects, text, len);
        watch_snapshot_unref(object);
        count++;
    }
    if (ret < 0 && count == 0) {
        plugin_message_destroy(objects);
        reply(r, call, ret, &why);
        return ret;
    }
    w->sent = count;
    plugin_message_text(objects, NULL, 0);
    plugin_message_u64(objects, count > 0 ? w->id : 0);
    plugin_message_u32(objects, over);
    if (count == 0)
        walk_drop(r, w);
    plugin_remote_send(r, objects);
    return 0;
}

static int begin_walk(plugin_remote_t *r, lh_ctx_t ctx, const lh_query_t *query,
                      plugin_remote_walk_t **out, lh_error_t *err)
{
    plugin_cursor_t *cursor = NULL;

    if (HASH_COUNT(r->walks) >= WALKS_MAX)
        return host_fail(err, LH_EBUSY, "cache_list: %d walks are under way; release their cursors",
                         WALKS_MAX);
    const int ret = r->backend.ops->cache_list(r->backend.self, ctx, query, &cursor, err);

    if (ret < 0)
        return ret;
    const size_t names = r->backend.ops->cursor_names(r->backend.self, cursor);

    if (r->walks != NULL && r->walk_names + names > WALK_NAMES_MAX) {
        r->backend.ops->cursor_free(r->backend.self, cursor);
        return host_fail(
            err, LH_EBUSY,
            "cache_list: walks of %zu objects are under way, and this one is of %zu more; "
            "release their cursors",
            r->walk_names, names);
    }
    plugin_remote_walk_t *w = host_xcalloc(1, sizeof(*w));

    *w = (plugin_remote_walk_t){.id = ++r->last_walk, .cursor = cursor};
    r->walk_names += names;
    HASH_ADD(hh, r->walks, id, sizeof(w->id), w);
    *out = w;
    return 0;
}

static int call_cache_list(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const lh_ctx_t ctx = take_ctx(in);
    plugin_remote_walk_t *w = NULL;
    lh_error_t why = {0};
    lh_query_t query;

    if (!plugin_take_query(in, &query))
        return malformed(in, err);
    const int ret = begin_walk(r, ctx, &query, &w, &why);

    if (ret < 0)
        reply(r, in->id, ret, &why);
    else if (reply_batch(r, in->id, w) < 0)
        walk_drop(r, w); /* the worker does not know of it */
    return 0;
}

static plugin_remote_walk_t *take_walk(plugin_remote_t *r, uint64_t id)
{
    plugin_remote_walk_t *w = NULL;

    HASH_FIND(hh, r->walks, &id, sizeof(id), w);
    return w;
}

static int call_cursor_next(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    plugin_remote_walk_t *w = take_walk(r, plugin_incoming_u64(in));
    const uint32_t taken = plugin_incoming_u32(in);

    if (!plugin_incoming_done(in) || w == NULL || taken > w->sent)
        return malformed(in, err);
    r->backend.ops->cursor_back(r->backend.self, w->cursor, w->sent - taken);
    (void) reply_batch(r, in->id, w);
    return 0;
}

/* -- The rest -- */

static int call_ctx_state(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const lh_ctx_t ctx = take_ctx(in);

    if (!plugin_incoming_done(in))
        return malformed(in, err);
    reply(r, in->id, r->backend.ops->ctx_state(r->backend.self, ctx), NULL);
    return 0;
}

static int call_enqueue(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const lh_ctx_t ctx = take_ctx(in);
    lh_error_t why = {0};
    lh_key_t key;

    if (!plugin_take_key(in, &key))
        return malformed(in, err);
    int ret = plugin_key_check(&key, &why);

    if (ret == 0)
        ret = r->backend.ops->enqueue(r->backend.self, ctx, &key, &why);
    reply(r, in->id, ret, &why);
    return 0;
}

static int call_event(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const lh_ctx_t ctx = take_ctx(in);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *regarding = NULL;
    plugin_text_t object;
    lh_error_t why = {0};
    lh_event_t event;

    if (!plugin_take_event(in, &event, &object))
        return malformed(in, err);
    int ret = watch_snapshot_create(object.p, object.len, NULL, NULL, &regarding, &why);

    if (ret == 0) {
        event.regarding = (const lh_snapshot_t *) regarding;
        ret = r->backend.ops->event(r->backend.self, ctx, &event, &why);
    }
    reply(r, in->id, ret, &why);
    return 0;
}

static int call_metric(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    lh_error_t why = {0};
    plugin_metric_t m;

    if (!plugin_take_metric(in, &m))
        return malformed(in, err);
    reply(r, in->id, r->backend.ops->metric(r->backend.self, &m.metric, &why), &why);
    return 0;
}

static int on_complete(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    lh_result_t result;

    if (!plugin_take_result(in, &result))
        return malformed(in, err);
    r->backend.ops->complete(r->backend.self, (lh_completion_t){in->id}, &result);
    return 0;
}

static int on_log(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const uint32_t level = plugin_incoming_u32(in);
    const char *text = plugin_incoming_string(in);

    if (!plugin_incoming_done(in) || text == NULL)
        return malformed(in, err);
    r->backend.ops->log(r->backend.self, (lh_ctx_t){in->id}, level, text);
    return 0;
}

static int on_set_ready(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    const uint32_t ready = plugin_incoming_u32(in);
    const char *text = plugin_incoming_string(in);

    if (!plugin_incoming_done(in))
        return malformed(in, err);
    r->backend.ops->set_ready(r->backend.self, ready != 0, text);
    return 0;
}

static int on_cursor_free(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    plugin_remote_walk_t *w = take_walk(r, in->id);

    if (!plugin_incoming_done(in) || w == NULL)
        return malformed(in, err);
    walk_drop(r, w);
    return 0;
}

int plugin_remote_call(plugin_remote_t *r, plugin_incoming_t *in, lh_error_t *err)
{
    static int (*const calls[])(plugin_remote_t *, plugin_incoming_t *, lh_error_t *) = {
        [PLUGIN_WIRE_COMPLETE] = on_complete,
        [PLUGIN_WIRE_LOG] = on_log,
        [PLUGIN_WIRE_SET_READY] = on_set_ready,
        [PLUGIN_WIRE_CURSOR_FREE] = on_cursor_free,
        [PLUGIN_WIRE_CTX_STATE] = call_ctx_state,
        [PLUGIN_WIRE_REQUEST] = call_request,
        [PLUGIN_WIRE_CACHE_GET] = call_cache_get,
        [PLUGIN_WIRE_CACHE_LIST] = call_cache_list,
        [PLUGIN_WIRE_CURSOR_NEXT] = call_cursor_next,
        [PLUGIN_WIRE_ENQUEUE] = call_enqueue,
        [PLUGIN_WIRE_EVENT] = call_event,
        [PLUGIN_WIRE_METRIC] = call_metric,
    };

    if (in->type >= HOST_LEN(calls) || calls[in->type] == NULL)
        return malformed(in, err);
    return calls[in->type](r, in, err);
}
