/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker process may send: any bytes are carried out, or end the worker with a text. The first
 * byte chooses: a stream of frames, cut somewhere, or the body of one message. */
#include "base/error.h"
#include "plugin/remote.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX = 1 << 20, WINDOW = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- A backend that checks that it may read what it gets -- */

static size_t weigh(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static int ctx_state(void *self, lh_ctx_t ctx)
{
    (void) self;
    return ctx.id % 2 == 0 ? 0 : LH_ECANCELED;
}

static int request(void *self, lh_ctx_t ctx, const lh_api_request_t *r, plugin_done_fn done,
                   void *arg, lh_error_t *err)
{
    (void) self;
    if (ctx.id % 2 != 0)
        return host_fail(err, LH_ECANCELED, "%zu", weigh(r->path) + weigh(r->content_type));
    plugin_response_t *response = calloc(1, sizeof(*response) + 1);
    done(arg, 0, response, NULL);
    return 0;
}

static int cache_get(void *self, lh_ctx_t ctx, const lh_key_t *key, const watch_snapshot_t *held,
                     watch_snapshot_t **out, lh_error_t *err)
{
    static const char object[] = "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"1\"}}";

    (void) self;
    (void) held;
    if (ctx.id % 2 != 0)
        return host_fail(err, LH_ENOTFOUND, "%zu", weigh(key->ns) + weigh(key->name));
    return watch_snapshot_create(object, sizeof(object) - 1, NULL, NULL, out, err);
}

struct plugin_cursor {
    uint32_t given; /* of 3 */
};

static int cache_list(void *self, lh_ctx_t ctx, const lh_query_t *q, plugin_cursor_t **out,
                      lh_error_t *err)
{
    (void) self;
    if (ctx.id % 2 != 0)
        return host_fail(err, LH_EINVAL, "%zu", weigh(q->ns) + weigh(q->label_selector));
    *out = host_xcalloc(1, sizeof(**out));
    return 0;
}

static int cursor_next(void *self, plugin_cursor_t *cursor, watch_snapshot_t **out, lh_error_t *err)
{
    *out = NULL;
    if (cursor->given == 3)
        return 0;
    cursor->given++;
    return cache_get(self, (lh_ctx_t){0}, NULL, NULL, out, err);
}

static void cursor_back(void *self, plugin_cursor_t *cursor, uint32_t count)
{
    (void) self;
    if (count > cursor->given)
        abort(); /* more than it has given */
    cursor->given -= count;
}

static size_t cursor_names(void *self, const plugin_cursor_t *cursor)
{
    (void) self;
    (void) cursor;
    return 3;
}

static void cursor_free(void *self, plugin_cursor_t *cursor)
{
    (void) self;
    free(cursor);
}

static int enqueue(void *self, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err)
{
    (void) self;
    return ctx.id % 2 == 0 ? 0 : host_fail(err, LH_EINVAL, "%zu", weigh(key->name));
}

static int event(void *self, lh_ctx_t ctx, const lh_event_t *e, lh_error_t *err)
{
    (void) self;
    (void) ctx;
    return host_fail(err, LH_EINVAL, "%zu", weigh(e->reason) + weigh(e->action) + weigh(e->note));
}

static int metric(void *self, const lh_metric_t *m, lh_error_t *err)
{
    size_t sum = weigh(m->name) + weigh(m->help);

    (void) self;
    for (uint32_t i = 0; i < m->label_count; i++)
        sum += weigh(m->label_names[i]) + weigh(m->label_values[i]);
    return host_fail(err, LH_EINVAL, "%zu", sum);
}

static void log_line(void *self, lh_ctx_t ctx, uint32_t level, const char *text)
{
    (void) self;
    (void) ctx;
    if (weigh(text) == SIZE_MAX - level)
        abort();
}

static void set_ready(void *self, bool ready, const char *text)
{
    log_line(self, (lh_ctx_t){0}, ready, text);
}

static void complete(void *self, lh_completion_t completion, const lh_result_t *result)
{
    log_line(self, (lh_ctx_t){completion.id}, result->action, result->text);
}

static const plugin_backend_ops_t ops = {
    .ctx_state = ctx_state,
    .request = request,
    .cache_get = cache_get,
    .cache_list = cache_list,
    .cursor_next = cursor_next,
    .cursor_back = cursor_back,
    .cursor_names = cursor_names,
    .cursor_free = cursor_free,
    .enqueue = enqueue,
    .event = event,
    .metric = metric,
    .log = log_line,
    .set_ready = set_ready,
    .complete = complete,
};

/* -- One input -- */

static int on_message(void *arg, plugin_incoming_t *in, lh_error_t *err)
{
    return plugin_remote_call(arg, in, err);
}

static plugin_remote_t *remote_on(int fd)
{
    plugin_remote_t *r = host_xcalloc(1, sizeof(*r));

    r->backend.ops = &ops;
    r->wire = plugin_wire_create(fd, MAX, WINDOW);
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&r->refs, 1);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

static int receive(plugin_remote_t *r, int fd, const uint8_t *data, size_t size, lh_error_t *err)
{
    const size_t cut = data[0] / 2 % size;
    int ret = 0;

    if (write(fd, data, cut) == (ssize_t) cut)
        ret = plugin_wire_receive(r->wire, on_message, r, err);
    if (ret == 0 && write(fd, data + cut, size - cut) == (ssize_t) (size - cut))
        ret = plugin_wire_receive(r->wire, on_message, r, err);
    return ret;
}

static int take(plugin_remote_t *r, const uint8_t *data, size_t size, lh_error_t *err)
{
    const char *body = (const char *) data + 2;
    plugin_incoming_t in = {.type = data[0], .id = data[1], .at = body, .end = body + size - 2};

    return plugin_remote_call(r, &in, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    lh_error_t err = {0};

    if (size < 3 || size > 65536)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        abort();
    plugin_remote_t *r = remote_on(pair[0]);
    const int ret = data[0] % 2 == 0 ? receive(r, pair[1], data + 1, size - 1, &err)
                                     : take(r, data + 1, size - 1, &err);
    if (ret == LH_EPARSE && err.text[0] == '\0')
        abort();
    (void) !plugin_wire_flush(r->wire);
    plugin_remote_drop_walks(r);
    plugin_remote_unref(r);
    close(pair[1]);
    return 0;
}
