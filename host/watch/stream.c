/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/stream.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/rand.h"
#include "json/skim.h"

#include <string.h>

/* The API server refuses objects of more than 3 MiB. */
#define MAX_OBJECT ((size_t) 16 << 20)
#define LIVED CLOCK_S

#define METADATA_ONLY                                                                              \
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
#define METADATA_LIST                                                                              \
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

struct watch_stream {
    const watch_stream_handler_t *handler;
    void *arg;
    enum watch_stream_mode mode;
    kube_call_t *call; /* NULL when it has ended */
    skim_stream_t *skim;
    loop_timer_t idle_timer;
    int64_t idle, opened_at, last_byte;
    bool brought_event;
    bool stopped; /* by an ERROR event, which says why */
    watch_stream_end_t end;
};

/* -- The request -- */

static int add_timeout(buf_t *url, const watch_stream_options_t *o)
{
    char seconds[16];

    snprintf(seconds, sizeof(seconds), "%d",
             o->seconds > 0 ? o->seconds : 300 + (int) rand_below(301));
    return kube_query(url, "timeoutSeconds", seconds);
}

static int add_watch(buf_t *url, const watch_stream_options_t *o)
{
    int ret = kube_query(url, "watch", "1");

    if (ret == 0)
        ret = kube_query(url, "allowWatchBookmarks", "true");
    if (ret == 0 && o->mode == WATCH_STREAM_LIST)
        ret = kube_query(url, "sendInitialEvents", "true");
    if (ret == 0 && o->mode == WATCH_STREAM_LIST)
        ret = kube_query(url, "resourceVersionMatch", "NotOlderThan");
    if (ret == 0 && o->mode == WATCH_STREAM_EVENTS)
        ret = kube_query(url, "resourceVersion", o->version);
    return ret < 0 ? ret : add_timeout(url, o);
}

static int add_page(buf_t *url, const watch_stream_options_t *o)
{
    char limit[16];
    int ret = 0;

    snprintf(limit, sizeof(limit), "%d", o->limit);
    if (o->limit > 0)
        ret = kube_query(url, "limit", limit);
    if (ret == 0 && o->next != NULL)
        ret = kube_query(url, "continue", o->next);
    return ret;
}

static int build_url(buf_t *url, const watch_stream_options_t *o)
{
    int ret = kube_path(url, &o->gvr, o->ns, NULL);

    if (ret == 0)
        ret = o->mode == WATCH_STREAM_PAGE ? add_page(url, o) : add_watch(url, o);
    if (ret == 0 && o->label_selector != NULL)
        ret = kube_query(url, "labelSelector", o->label_selector);
    if (ret == 0 && o->field_selector != NULL)
        ret = kube_query(url, "fieldSelector", o->field_selector);
    return ret;
}

/* -- The body -- */

static void stop(watch_stream_t *s, enum watch_end why)
{
    s->stopped = true;
    s->end.why = why;
}

/* What the handler could not take ends the stream: skipped, it would be missing from then on. */
static int give_object(watch_stream_t *s, enum watch_news news, skim_span_t object, lh_error_t *err)
{
    int ret = s->handler->on_object(s->arg, news, object.p, object.len, err);

    if (ret < 0)
        stop(s, WATCH_END_MEMORY);
    return ret;
}

/* Servers since 1.19 say it by the reason of a cause, older ones by the text of one or of the whole. */
static bool is_too_large(const char *text, size_t len)
{
    static const char reason[] = "ResourceVersionTooLarge", words[] = "Too large resource version";

    return memmem(text, len, reason, sizeof(reason) - 1) != NULL ||
           memmem(text, len, words, sizeof(words) - 1) != NULL;
}

/* The Status of an ERROR event ends the stream. */
static int on_error_event(watch_stream_t *s, skim_span_t status, lh_error_t *err)
{
    host_cleanup(host_freep) char *code = skim_dup(skim_get(status, "code"));
    host_cleanup(host_freep) char *message = skim_dup(skim_get(status, "message"));

    if (message == NULL || code == NULL)
        stop(s, WATCH_END_ERROR);
    else if (strcmp(code, "410") == 0)
        stop(s, WATCH_END_EXPIRED);
    else if (strcmp(code, "429") == 0)
        stop(s, WATCH_END_THROTTLED);
    else
        stop(s, is_too_large(status.p, status.len) ? WATCH_END_TOO_LARGE : WATCH_END_ERROR);
    return host_fail(err, LH_EAPI, "the server ended the watch: %s: %s", code != NULL ? code : "?",
                     message != NULL ? message : "no message");
}

static int on_bookmark_event(watch_stream_t *s, skim_span_t object)
{
    skim_meta_t meta;
    lh_error_t err;
    int ret = skim_meta(object.p, object.len, &meta, &err);
    host_cleanup(host_freep) char *version = ret == 0 ? skim_dup(meta.resource_version) : NULL;

    if (version == NULL || *version == '\0') {
        host_error_set(&err, LH_EPARSE, "a bookmark has no resourceVersion");
        s->handler->on_unreadable(s->arg, &err);
        return 0;
    }
    bool listed = skim_equal(skim_get(meta.annotations, "k8s.io/initial-events-end"), "true");

    s->handler->on_bookmark(s->arg, version, listed);
    return 0;
}

/* One frame of a watch. */
static int on_frame(void *arg, const char *text, size_t len, lh_error_t *err)
{
    watch_stream_t *s = arg;
    skim_event_t event;
    lh_error_t problem;

    s->brought_event = true;
    if (skim_event(text, len, &event, &problem) < 0) {
        s->handler->on_unreadable(s->arg, &problem);
        return 0;
    }
    if (skim_equal(event.type, "ERROR"))
        return on_error_event(s, event.object, err);
    if (skim_equal(event.type, "BOOKMARK"))
        return on_bookmark_event(s, event.object);
    if (skim_equal(event.type, "ADDED"))
        return give_object(s, WATCH_NEWS_ADDED, event.object, err);
    if (skim_equal(event.type, "MODIFIED"))
        return give_object(s, WATCH_NEWS_MODIFIED, event.object, err);
    if (skim_equal(event.type, "DELETED"))
        return give_object(s, WATCH_NEWS_DELETED, event.object, err);
    host_error_set(&problem, LH_EPARSE, "a watch event of type '%.*s'",
                   (int) HOST_MIN(event.type.len, 40), event.type.p);
    s->handler->on_unreadable(s->arg, &problem);
    return 0;
}

/* One element of a page. */
static int on_item(void *arg, const char *text, size_t len, lh_error_t *err)
{
    watch_stream_t *s = arg;

    s->brought_event = true;
    return give_object(s, WATCH_NEWS_ADDED, (skim_span_t){.p = text, .len = len}, err);
}

static const skim_handler_t frame_handler = {.on_object = on_frame};
static const skim_handler_t item_handler = {.on_object = on_item};

static int on_data(void *arg, const char *data, size_t len, lh_error_t *err)
{
    watch_stream_t *s = arg;

    s->last_byte = clock_now();
    int ret = skim_stream_feed(s->skim, data, len, err);

    if (ret < 0 && !s->stopped)
        stop(s, WATCH_END_GARBLED);
    return ret;
}

/* -- The end -- */

static enum watch_end end_of_status(const kube_result_t *result)
{
    switch (result->status) {
    case 401:
    case 403:
        return WATCH_END_DENIED;
    case 404:
        return WATCH_END_MISSING;
    case 410:
        return WATCH_END_EXPIRED;
    case 429:
        return WATCH_END_THROTTLED;
    default:
        if (result->status < 400)
            return WATCH_END_CUT;
        if (is_too_large(result->body, result->body_len))
            return WATCH_END_TOO_LARGE;
        return result->status < 500 ? WATCH_END_REFUSED : WATCH_END_FAILED;
    }
}

/* The body has ended in good order as far as HTTP goes. */
static void finish_body(watch_stream_t *s)
{
    skim_span_t rest = {0};
    skim_meta_t meta;

    if (skim_stream_finish(s->skim, &rest, &s->end.error) < 0) {
        /* A watch that ends inside an event was cut by something between the server and us. */
        s->end.why = s->mode == WATCH_STREAM_PAGE ? WATCH_END_GARBLED : WATCH_END_CUT;
        return;
    }
    s->end.why = WATCH_END_DONE;
    if (s->mode != WATCH_STREAM_PAGE)
        return;
    if (skim_meta(rest.p, rest.len, &meta, &s->end.error) < 0) {
        s->end.why = WATCH_END_GARBLED;
        return;
    }
    s->end.version = skim_dup(meta.resource_version);
    s->end.next = skim_dup(meta.continue_token);
    if (s->end.version == NULL) {
        host_error_set(&s->end.error, LH_EPARSE, "a list has no resourceVersion");
        s->end.why = WATCH_END_GARBLED;
    }
}

static void report_end(watch_stream_t *s)
{
    loop_timer_clear(&s->idle_timer);
    s->handler->on_end(s->arg, &s->end);
}

static void on_done(void *arg, const kube_result_t *result)
{
    watch_stream_t *s = arg;

    s->call = NULL;
    s->end.lived = result->status >= 200 && result->status < 300 &&
                   (s->brought_event || clock_now() - s->opened_at >= LIVED);
    s->end.error = result->error;
    s->end.retry_after = result->retry_after;
    if (result->code == 0)
        finish_body(s);
    else if (!s->stopped)
        s->end.why = end_of_status(result);
    report_end(s);
}

static void on_idle(loop_timer_t *timer)
{
    watch_stream_t *s = HOST_CONTAINER(timer, watch_stream_t, idle_timer);

    if (clock_now() < s->last_byte + s->idle) {
        loop_timer_set(&s->idle_timer, s->last_byte + s->idle);
        return;
    }
    s->end.lived = kube_call_status(s->call) == 200;
    kube_call_cancel(host_steal(s->call));
    s->end.why = WATCH_END_FROZEN;
    host_error_set(&s->end.error, LH_ETIMEDOUT, "nothing came for %d s", (int) (s->idle / CLOCK_S));
    report_end(s);
}

/* -- Life -- */

static void destroyp(watch_stream_t **s)
{
    watch_stream_destroy(*s);
}

int watch_stream_open(const watch_stream_options_t *o, const watch_stream_handler_t *handler,
                      void *arg, watch_stream_t **out, lh_error_t *err)
{
    host_cleanup(destroyp) watch_stream_t *s = host_xcalloc(1, sizeof(*s));
    host_cleanup(buf_fini) buf_t url = BUF_INIT;
    bool page = o->mode == WATCH_STREAM_PAGE;

    s->handler = handler;
    s->arg = arg;
    s->mode = o->mode;
    s->idle = o->idle;
    s->opened_at = s->last_byte = clock_now();
    loop_timer_init(&s->idle_timer, o->loop, on_idle);
    if (build_url(&url, o) < 0)
        return host_fail(err, LH_ENOMEM, "watch: out of memory");
    int ret = skim_stream_create(page ? SKIM_LIST : SKIM_FRAMES, MAX_OBJECT,
                                 page ? &item_handler : &frame_handler, s, &s->skim, err);

    if (ret < 0)
        return ret;
    const kube_request_t request = {
        .method = "GET",
        .path = buf_text(&url),
        .accept = !o->metadata_only ? NULL : (page ? METADATA_LIST : METADATA_ONLY),
        .fresh_connection = o->fresh,
        .on_data = on_data,
        .on_done = on_done,
        .arg = s,
    };
    ret = kube_client_send(o->client, &request, &s->call, err);
    if (ret < 0)
        return ret;
    loop_timer_set(&s->idle_timer, s->last_byte + s->idle);
    *out = host_steal(s);
    return 0;
}

void watch_stream_set_idle(watch_stream_t *s, int64_t idle)
{
    s->idle = idle;
    loop_timer_set(&s->idle_timer, s->last_byte + idle);
}

void watch_stream_destroy(watch_stream_t *s)
{
    if (s == NULL)
        return;
    if (s->call != NULL)
        kube_call_cancel(s->call);
    loop_timer_clear(&s->idle_timer);
    skim_stream_destroy(s->skim);
    free(s->end.version);
    free(s->end.next);
    free(s);
}
