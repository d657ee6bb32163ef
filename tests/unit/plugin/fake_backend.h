/* SPDX-License-Identifier: Apache-2.0 */
/* A backend that a test scripts and asks afterwards. */
#ifndef UNIT_FAKE_BACKEND_H
#define UNIT_FAKE_BACKEND_H

#include "base/base.h"
#include "base/buf.h"
#include "plugin/backend.h"

#include "support/expect.h"

#include <pthread.h>
#include <string.h>

typedef struct fake_backend {
    /* -- Script, before the runner starts -- */
    size_t objects; /* in the cache, each of object_size bytes */
    size_t object_size;
    size_t walk_names;    /* that each walk says it keeps */
    bool hold_requests;   /* requests are never answered until fake_answer_all */
    size_t response_size; /* 0: {"ok":true} */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* -- What happened, under the lock -- */
    int ctx_code; /* of every ctx */
    unsigned gets, lists, nexts, cursors_open, requests, states;
    size_t held_count;
    struct {
        plugin_done_fn done;
        void *arg;
    } held[1024];
    unsigned completions;
    uint64_t last_completion;
    lh_result_t result;
    char result_text[2048];
    unsigned logs;
    char log_text[256], ready_text[256], event_text[256], event_reason[64], metric_text[256],
        enqueued[64];
    bool ready;
    int64_t slow_log_ns;
} fake_backend_t;

struct plugin_cursor {
    size_t at;
};

static watch_snapshot_t *fake_object(const fake_backend_t *f, size_t index)
{
    buf_t text = BUF_INIT;
    watch_snapshot_t *s = NULL;
    lh_error_t err = {0};

    buf_printf(&text,
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"o%zu\","
               "\"namespace\":\"default\",\"uid\":\"u%zu\",\"resourceVersion\":\"%u\"},\"data\":\"",
               index, index, f->requests + 5);
    while (text.len + 2 < f->object_size)
        buf_append(&text, "xxxxxxxxxxxxxxxx", HOST_MIN((size_t) 16, f->object_size - 2 - text.len));
    buf_puts(&text, "\"}");
    ASSERT_OK(watch_snapshot_create(text.data, text.len, NULL, NULL, &s, &err), err);
    buf_fini(&text);
    return s;
}

#define FAKE_LOCKED(f, ...)                                                                        \
    do {                                                                                           \
        pthread_mutex_lock(&(f)->lock);                                                            \
        __VA_ARGS__;                                                                               \
        pthread_cond_broadcast(&(f)->changed);                                                     \
        pthread_mutex_unlock(&(f)->lock);                                                          \
    } while (0)

static int fake_ctx_state(void *self, lh_ctx_t ctx)
{
    fake_backend_t *f = self;
    int code;

    (void) ctx;
    FAKE_LOCKED(f, code = f->ctx_code; f->states++);
    return code;
}

static int fake_check(fake_backend_t *f, lh_error_t *err)
{
    int code;

    FAKE_LOCKED(f, code = f->ctx_code);
    if (code < 0)
        snprintf(err->text, sizeof(err->text), "%s", lh_strerror(code));
    return code;
}

static plugin_response_t *fake_response(size_t size)
{
    const char *text = "{\"ok\":true}";
    const size_t len = size != 0 ? size : strlen(text);
    plugin_response_t *r = calloc(1, sizeof(*r) + len + 1);

    memset(r->text, 'y', len);
    if (size == 0)
        memcpy(r->text, text, len);
    r->status = 201;
    r->len = len;
    return r;
}

static int fake_request(void *self, lh_ctx_t ctx, const lh_api_request_t *request,
                        plugin_done_fn done, void *arg, lh_error_t *err)
{
    fake_backend_t *f = self;
    const int code = fake_check(f, err);
    bool held = false;

    (void) ctx;
    (void) request;
    if (code < 0)
        return code;
    FAKE_LOCKED(
        f, f->requests++; held = f->hold_requests; if (held) {
            f->held[f->held_count].done = done;
            f->held[f->held_count++].arg = arg;
        });
    if (!held)
        done(arg, 0, fake_response(f->response_size), NULL);
    return 0;
}

static void fake_answer_all(fake_backend_t *f, int code)
{
    const lh_error_t err = {.code = code, .text = "as the test wants it"};

    for (size_t i = 0; i < f->held_count; i++) {
        f->held[i].done(f->held[i].arg, code, code == 0 ? fake_response(f->response_size) : NULL,
                        code == 0 ? NULL : &err);
    }
    f->held_count = 0;
}

static int fake_cache_get(void *self, lh_ctx_t ctx, const lh_key_t *key,
                          const watch_snapshot_t *held, watch_snapshot_t **out, lh_error_t *err)
{
    fake_backend_t *f = self;
    const int code = fake_check(f, err);

    (void) ctx;
    (void) key;
    (void) held;
    FAKE_LOCKED(f, f->gets++);
    if (code < 0)
        return code;
    if (f->objects == 0) {
        snprintf(err->text, sizeof(err->text), "cache: none");
        return LH_ENOTFOUND;
    }
    *out = fake_object(f, 0);
    return 0;
}

static int fake_cache_list(void *self, lh_ctx_t ctx, const lh_query_t *query, plugin_cursor_t **out,
                           lh_error_t *err)
{
    fake_backend_t *f = self;
    const int code = fake_check(f, err);

    (void) ctx;
    (void) query;
    if (code < 0)
        return code;
    *out = calloc(1, sizeof(**out));
    FAKE_LOCKED(f, f->lists++; f->cursors_open++);
    return 0;
}

static int fake_cursor_next(void *self, plugin_cursor_t *cursor, watch_snapshot_t **out,
                            lh_error_t *err)
{
    fake_backend_t *f = self;

    (void) err;
    *out = cursor->at < f->objects ? fake_object(f, cursor->at++) : NULL;
    FAKE_LOCKED(f, f->nexts++);
    return 0;
}

static void fake_cursor_back(void *self, plugin_cursor_t *cursor, uint32_t count)
{
    (void) self;
    cursor->at -= count;
}

static size_t fake_cursor_names(void *self, const plugin_cursor_t *cursor)
{
    const fake_backend_t *f = self;

    (void) cursor;
    return f->walk_names;
}

static void fake_cursor_free(void *self, plugin_cursor_t *cursor)
{
    fake_backend_t *f = self;

    free(cursor);
    FAKE_LOCKED(f, f->cursors_open--);
}

static int fake_enqueue(void *self, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err)
{
    fake_backend_t *f = self;

    (void) ctx;
    FAKE_LOCKED(
        f, snprintf(f->enqueued, sizeof(f->enqueued), "%u %s/%s", key->watch, key->ns, key->name));
    return fake_check(f, err);
}

static int fake_event(void *self, lh_ctx_t ctx, const lh_event_t *event, lh_error_t *err)
{
    fake_backend_t *f = self;
    const watch_snapshot_t *s = (const watch_snapshot_t *) event->regarding;

    (void) ctx;
    FAKE_LOCKED(f, snprintf(f->event_text, sizeof(f->event_text), "%u %s/%s %s: %s", event->type,
                            watch_snapshot_ns(s), watch_snapshot_name(s), watch_snapshot_uid(s),
                            event->note);
                snprintf(f->event_reason, sizeof(f->event_reason), "%s", event->reason));
    return fake_check(f, err);
}

static int fake_metric(void *self, const lh_metric_t *m, lh_error_t *err)
{
    fake_backend_t *f = self;

    (void) err;
    FAKE_LOCKED(f, snprintf(f->metric_text, sizeof(f->metric_text), "%s{%s=%s} %g", m->name,
                            m->label_names[0], m->label_values[0], m->value));
    return 0;
}

static void fake_log(void *self, lh_ctx_t ctx, uint32_t level, const char *text)
{
    fake_backend_t *f = self;

    FAKE_LOCKED(f, f->logs++; snprintf(f->log_text, sizeof(f->log_text), "%llu %u %s",
                                       (unsigned long long) ctx.id, level, text));
}

static void fake_set_ready(void *self, bool ready, const char *text)
{
    fake_backend_t *f = self;

    FAKE_LOCKED(f, f->ready = ready;
                snprintf(f->ready_text, sizeof(f->ready_text), "%s", text != NULL ? text : ""));
}

static void fake_complete(void *self, lh_completion_t completion, const lh_result_t *result)
{
    fake_backend_t *f = self;

    FAKE_LOCKED(f, f->completions++; f->last_completion = completion.id; f->result = *result;
                snprintf(f->result_text, sizeof(f->result_text), "%s",
                         result->text != NULL ? result->text : ""));
}

static void fake_backend_init(fake_backend_t *f)
{
    memset(f, 0, sizeof(*f));
    f->object_size = 300;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
}

static plugin_backend_t fake_backend(fake_backend_t *f)
{
    static const plugin_backend_ops_t ops = {
        .ctx_state = fake_ctx_state,
        .request = fake_request,
        .cache_get = fake_cache_get,
        .cache_list = fake_cache_list,
        .cursor_next = fake_cursor_next,
        .cursor_back = fake_cursor_back,
        .cursor_names = fake_cursor_names,
        .cursor_free = fake_cursor_free,
        .enqueue = fake_enqueue,
        .event = fake_event,
        .metric = fake_metric,
        .log = fake_log,
        .set_ready = fake_set_ready,
        .complete = fake_complete,
    };

    return (plugin_backend_t){&ops, f};
}

#endif
