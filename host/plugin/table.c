/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host table as the plugin sees it. Brings structs of any age to the host's own size, checks
 * what comes in, and hands on to the backend.
 */
#include "base/clock.h"
#include "base/error.h"
#include "plugin/local.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#define TABLE_ENDED 0x80000000u

/* Copies a struct of the plugin's age into one of ours; fields it does not have are zero, which is
 * what their comments say for "absent". */
#define ADOPT(ours, theirs) adopt(&(ours), sizeof(ours), (theirs), (theirs)->struct_size)

static void adopt(void *ours, size_t our_size, const void *theirs, uint32_t their_size)
{
    const uint32_t size = (uint32_t) our_size;
    /* Every struct is made of units of 8 bytes: a size that ends inside one is no older struct but a
     * mistake, and half a pointer must not be taken. */
    const size_t whole = their_size - their_size % sizeof(uint64_t);

    memset(ours, 0, our_size);
    memcpy(ours, theirs, HOST_MIN(our_size, whole));
    memcpy(ours, &size, sizeof(size)); /* struct_size comes first in every struct */
}

static const plugin_table_t *table_of(const lh_host_t *host)
{
    return (const plugin_table_t *) host;
}

static void table_complete(const lh_host_t *host, lh_completion_t completion,
                           const lh_result_t *result)
{
    plugin_table_t *t = (plugin_table_t *) host;
    lh_result_t r = {.struct_size = sizeof(r), .action = LH_FAIL, .text = "no result was given"};

    if (result != NULL && LH_HAS_SIZE(result, action))
        ADOPT(r, result);
    if ((atomic_fetch_add(&t->completing, 1) & TABLE_ENDED) == 0)
        t->backend.ops->complete(t->backend.self, completion, &r);
    else if (t->strays != NULL)
        metric_add(t->strays, 1);
    atomic_fetch_sub(&t->completing, 1);
}

void plugin_table_end(plugin_table_t *t)
{
    atomic_fetch_or(&t->completing, TABLE_ENDED);
    while (atomic_load(&t->completing) != TABLE_ENDED)
        sched_yield(); /* it only posts */
}

static bool good_method(const char *method)
{
    static const char *const known[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < HOST_LEN(known); i++) {
        if (strcmp(method, known[i]) == 0)
            return true;
    }
    return false;
}

/* Printable ASCII without blanks: nothing that could end a request line or a header. */
static bool good_token(const char *s, bool blanks)
{
    for (const char *p = s; *p != '\0'; p++) {
        if (*p < '!' || *p > '~') {
            if (!blanks || *p != ' ')
                return false;
        }
    }
    return true;
}

int plugin_request_check(const lh_api_request_t *r, lh_error_t *err)
{
    const uint64_t max_body = UINT64_C(3) << 20;

    if (r->method == NULL || !good_method(r->method))
        return host_fail(err, LH_EINVAL,
                         "request: method is none of GET, POST, PUT, PATCH, DELETE");
    if (r->path == NULL ||
        (strncmp(r->path, "/api/", 5) != 0 && strncmp(r->path, "/apis/", 6) != 0))
        return host_fail(err, LH_EINVAL, "request: path does not begin with /api/ or /apis/");
    if (strlen(r->path) > 8192 || !good_token(r->path, false))
        return host_fail(err, LH_EINVAL,
                         "request: path is too long or holds characters that must be "
                         "percent-encoded");
    if (r->content_type != NULL &&
        (strlen(r->content_type) > 256 || !good_token(r->content_type, true)))
        return host_fail(err, LH_EINVAL, "request: content_type is not a media type");
    if (r->body == NULL && r->body_len > 0)
        return host_fail(err, LH_EINVAL, "request: body is NULL but body_len is not 0");
    if (r->body_len > max_body)
        return host_fail(err, LH_ETOOBIG, "request: body of %llu bytes, the API server takes %llu",
                         (unsigned long long) r->body_len, (unsigned long long) max_body);
    return 0;
}

static int adopt_request(const lh_api_request_t *request, lh_api_request_t *out, lh_error_t *err)
{
    if (request == NULL)
        return host_fail(err, LH_EINVAL, "request: request is NULL");
    ADOPT(*out, request);
    return plugin_request_check(out, err);
}

/* A call that a thread waits for. A semaphore, as who posts it does not touch it once the waiter is awake,
 * whose stack it is on; a condition would have to be signalled under its lock, which the waiter wants. */
typedef struct waiter {
    sem_t done;
    int code;
    plugin_response_t *response;
    lh_error_t error;
} waiter_t;

static void waiter_done(void *arg, int code, plugin_response_t *response, const lh_error_t *err)
{
    waiter_t *w = arg;

    w->code = code;
    w->response = response;
    if (err != NULL)
        w->error = *err;
    sem_post(&w->done);
}

static int await(waiter_t *w, lh_response_t **out, lh_error_t *err)
{
    while (sem_wait(&w->done) < 0 && errno == EINTR)
        ;
    if (w->code == 0)
        *out = (lh_response_t *) w->response;
    else if (err != NULL)
        *err = w->error;
    return w->code;
}

static int table_call(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *request,
                      lh_response_t **out, lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_api_request_t r;

    if (out == NULL)
        return host_fail(err, LH_EINVAL, "call: out is NULL");
    if (!plugin_local_may_block(t->local))
        return host_fail(err, LH_ESTATE,
                         "call: blocks, so it is for worker and plugin threads; use request()");
    int ret = adopt_request(request, &r, err);
    if (ret < 0)
        return ret;

    waiter_t w = {0};
    sem_init(&w.done, 0, 0);
    ret = t->backend.ops->request(t->backend.self, ctx, &r, waiter_done, &w, err);
    if (ret == 0)
        ret = await(&w, out, err);
    sem_destroy(&w.done);
    return ret;
}

static void owed_done(void *arg, int code, plugin_response_t *response, const lh_error_t *err)
{
    plugin_local_settle(arg, code, response, err);
}

static int table_request(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *request,
                         lh_callback_t callback, void *arg, lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_api_request_t r;

    if (callback == NULL)
        return host_fail(err, LH_EINVAL, "request: callback is NULL");
    int ret = adopt_request(request, &r, err);
    if (ret < 0)
        return ret;
    plugin_owed_t *owed = plugin_local_owe(t->local, callback, arg);
    if (owed == NULL)
        return host_fail(err, LH_ENOMEM, "request: out of memory");
    ret = t->backend.ops->request(t->backend.self, ctx, &r, owed_done, owed, err);
    if (ret < 0)
        plugin_local_cancel_owed(owed);
    return ret;
}

int plugin_key_check(const lh_key_t *key, lh_error_t *err)
{
    if (key->ns == NULL || key->name == NULL || key->name[0] == '\0')
        return host_fail(err, LH_EINVAL, "key: ns or name is missing (ns may be \"\")");
    if (strlen(key->ns) > 253 || strlen(key->name) > 253)
        return host_fail(err, LH_EINVAL, "key: ns or name is longer than 253 bytes");
    return 0;
}

static int adopt_key(const lh_key_t *key, lh_key_t *out, lh_error_t *err)
{
    if (key == NULL)
        return host_fail(err, LH_EINVAL, "key is NULL");
    ADOPT(*out, key);
    return plugin_key_check(out, err);
}

static int table_cache_get(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key,
                           lh_snapshot_t **out, lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_key_t k;

    if (out == NULL)
        return host_fail(err, LH_EINVAL, "cache_get: out is NULL");
    const int ret = adopt_key(key, &k, err);
    if (ret < 0)
        return ret;
    return t->backend.ops->cache_get(t->backend.self, ctx, &k, plugin_local_object(t->local, &k),
                                     (watch_snapshot_t **) out, err);
}

static int table_cache_list(const lh_host_t *host, lh_ctx_t ctx, const lh_query_t *query,
                            lh_cursor_t **out, lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_query_t q;

    if (out == NULL || query == NULL)
        return host_fail(err, LH_EINVAL, "cache_list: query or out is NULL");
    if (!LH_HAS_SIZE(query, watch))
        return host_fail(err, LH_EINVAL, "cache_list: struct_size of the query is not set");
    ADOPT(q, query);
    return t->backend.ops->cache_list(t->backend.self, ctx, &q, (plugin_cursor_t **) out, err);
}

static int table_cursor_next(const lh_host_t *host, lh_cursor_t *cursor, lh_snapshot_t **out,
                             lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);

    if (cursor == NULL || out == NULL)
        return host_fail(err, LH_EINVAL, "cursor_next: cursor or out is NULL");
    return t->backend.ops->cursor_next(t->backend.self, (plugin_cursor_t *) cursor,
                                       (watch_snapshot_t **) out, err);
}

static void table_cursor_release(const lh_host_t *host, lh_cursor_t *cursor)
{
    const plugin_table_t *t = table_of(host);

    if (cursor != NULL)
        t->backend.ops->cursor_free(t->backend.self, (plugin_cursor_t *) cursor);
}

static const char *table_snapshot_text(const lh_host_t *host, const lh_snapshot_t *snapshot,
                                       size_t *len)
{
    size_t unused;

    (void) host;
    if (len == NULL)
        len = &unused;
    *len = 0;
    return snapshot != NULL ? watch_snapshot_text((const watch_snapshot_t *) snapshot, len) : "";
}

static lh_snapshot_t *table_snapshot_retain(const lh_host_t *host, const lh_snapshot_t *snapshot)
{
    (void) host;
    if (snapshot == NULL)
        return NULL;
    return (lh_snapshot_t *) watch_snapshot_ref((const watch_snapshot_t *) snapshot);
}

static void table_snapshot_release(const lh_host_t *host, lh_snapshot_t *snapshot)
{
    (void) host;
    watch_snapshot_unref((watch_snapshot_t *) snapshot);
}

static int32_t table_response_status(const lh_host_t *host, const lh_response_t *response)
{
    (void) host;
    return response != NULL ? ((const plugin_response_t *) response)->status : 0;
}

static const char *table_response_text(const lh_host_t *host, const lh_response_t *response,
                                       size_t *len)
{
    const plugin_response_t *r = (const plugin_response_t *) response;

    (void) host;
    if (len != NULL)
        *len = r != NULL ? r->len : 0;
    return r != NULL ? r->text : "";
}

static void table_response_release(const lh_host_t *host, lh_response_t *response)
{
    (void) host;
    free(response);
}

static int table_enqueue(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_key_t k;
    const int ret = adopt_key(key, &k, err);

    if (ret < 0)
        return ret;
    return t->backend.ops->enqueue(t->backend.self, ctx, &k, err);
}

static int table_event(const lh_host_t *host, lh_ctx_t ctx, const lh_event_t *event,
                       lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_event_t e;

    if (event == NULL)
        return host_fail(err, LH_EINVAL, "event: event is NULL");
    ADOPT(e, event);
    if (e.regarding == NULL || e.reason == NULL || e.reason[0] == '\0')
        return host_fail(err, LH_EINVAL, "event: regarding or reason is missing");
    return t->backend.ops->event(t->backend.self, ctx, &e, err);
}

static int table_metric(const lh_host_t *host, const lh_metric_t *metric, lh_error_t *err)
{
    const plugin_table_t *t = table_of(host);
    lh_metric_t m;

    if (metric == NULL)
        return host_fail(err, LH_EINVAL, "metric: metric is NULL");
    ADOPT(m, metric);
    return t->backend.ops->metric(t->backend.self, &m, err);
}

static void table_log(const lh_host_t *host, lh_ctx_t ctx, uint32_t level, const char *text)
{
    const plugin_table_t *t = table_of(host);

    if (text != NULL)
        t->backend.ops->log(t->backend.self, ctx, level, text);
}

static int64_t table_now(const lh_host_t *host)
{
    (void) host;
    return clock_now();
}

static int table_cancelled(const lh_host_t *host, lh_ctx_t ctx)
{
    const plugin_table_t *t = table_of(host);

    return t->backend.ops->ctx_state(t->backend.self, ctx);
}

static void table_set_ready(const lh_host_t *host, uint32_t ready, const char *text)
{
    const plugin_table_t *t = table_of(host);

    t->backend.ops->set_ready(t->backend.self, ready != 0, text);
}

static int table_post(const lh_host_t *host, void (*fn)(void *arg), void *arg,
                      void (*free_arg)(void *arg), lh_error_t *err)
{
    if (fn == NULL)
        return host_fail(err, LH_EINVAL, "post: fn is NULL");
    return plugin_local_post(table_of(host)->local, fn, arg, free_arg, err);
}

static const void *table_get_extension(const lh_host_t *host, const char *id)
{
    (void) host;
    (void) id; /* this host has no extension yet */
    return NULL;
}

void plugin_table_init(plugin_table_t *t, const plugin_backend_t *backend, plugin_local_t *local)
{
    *t = (plugin_table_t){
        .host =
            {
                .abi_major = LH_ABI_MAJOR,
                .struct_size = sizeof(lh_host_t),
                .complete = table_complete,
                .call = table_call,
                .request = table_request,
                .cache_get = table_cache_get,
                .cache_list = table_cache_list,
                .cursor_next = table_cursor_next,
                .cursor_release = table_cursor_release,
                .snapshot_text = table_snapshot_text,
                .snapshot_retain = table_snapshot_retain,
                .snapshot_release = table_snapshot_release,
                .response_status = table_response_status,
                .response_text = table_response_text,
                .response_release = table_response_release,
                .enqueue = table_enqueue,
                .event = table_event,
                .metric = table_metric,
                .log = table_log,
                .now = table_now,
                .cancelled = table_cancelled,
                .set_ready = table_set_ready,
                .post = table_post,
                .get_extension = table_get_extension,
            },
        .backend = *backend,
        .local = local,
    };
}
