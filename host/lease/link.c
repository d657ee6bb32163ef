/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/link.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/rand.h"
#include "kube/path.h"
#include "json/skim.h"

#include <stdio.h>
#include <string.h>

/* The server ends a watch after this long; then it goes on from where it was. */
#define WATCH_MIN_SECONDS 300
#define WATCH_SPREAD_SECONDS 300

static const kube_gvr_t leases = {"coordination.k8s.io", "v1", "leases"};

/* A request under way, or one that could not even be started and waits to be told. */
typedef struct request {
    list_t link;
    lease_link_t *owner;
    uint64_t id;
    lh_error_t err; /* why it could not */
} request_t;

/* One watch. It outlives its end by the elector until its call is done. */
typedef struct stream {
    lease_link_t *owner;
    kube_call_t *call;
    skim_stream_t *frames;
    bool over;           /* replaced or closed: what comes is dropped */
    bool feeding;        /* within its on_data: its call must not be cancelled */
    int error_status;    /* of an ERROR event */
    int64_t retry_after; /* of that */
    char text[504];      /* of that */
} stream_t;

struct lease_link {
    lease_link_options_t o;
    kube_client_t *client;
    char *path;            /* of the Lease */
    char *collection;      /* of the Leases in its namespace */
    list_t requests;       /* under way */
    list_t failed;         /* not started */
    stream_t *stream;      /* the one that is not over; NULL: none */
    lh_error_t stream_err; /* it could not be started */
    bool stream_failed;
    loop_task_t tell; /* the failures */
};

/* --- requests --- */

static void request_free(request_t *r)
{
    list_remove(&r->link);
    free(r);
}

/* The name that a Status says is not there. Caller owns, free with free(); NULL: none. */
static char *missing_name(const kube_result_t *result)
{
    skim_span_t body = {.p = result->body, .len = result->body_len};

    if (result->status != 404 || !result->named_status)
        return NULL;
    return skim_dup(skim_get(skim_get(body, "details"), "name"));
}

static void on_done(void *arg, const kube_result_t *result)
{
    request_t *r = arg;
    lease_link_t *l = r->owner;
    host_cleanup(host_freep) char *missing = missing_name(result);
    lease_reply_t reply = {.id = r->id,
                           .status = result->status,
                           .missing = missing,
                           .retry_after = result->retry_after,
                           .text = result->error.text};
    lh_error_t err = {0};

    request_free(r);
    if (result->code == 0 &&
        lease_record_parse(result->body, result->body_len, &reply.record, &err) < 0)
        reply.text = err.text;
    else if (result->code != 0 && result->status >= 200 && result->status < 300)
        reply.status = 0; /* cut in the middle of the answer */
    l->o.events->on_reply(l->o.arg, &reply);
}

static const char *const methods[] = {"GET", "POST", "PUT", "DELETE"};

void lease_link_send(lease_link_t *l, const lease_send_t *s)
{
    request_t *r = host_xcalloc(1, sizeof(*r));
    kube_request_t request = {.method = methods[s->verb],
                              .path = s->verb == LEASE_CREATE ? l->collection : l->path,
                              .body = s->body,
                              .body_len = s->len,
                              .timeout = s->timeout,
                              .fresh_connection = s->fresh,
                              .max_body = LEASE_MAX_SIZE,
                              .on_done = on_done,
                              .arg = r};

    r->owner = l;
    r->id = s->id;
    if (kube_client_send(l->client, &request, NULL, &r->err) == 0) {
        list_append(&l->requests, &r->link);
        return;
    }
    list_append(&l->failed, &r->link);
    loop_post(l->o.loop, &l->tell);
}

/* --- the watch --- */

static void stream_free(stream_t *st)
{
    skim_stream_destroy(st->frames);
    free(st);
}

static void event(lease_link_t *l, enum lease_event kind, lease_record_t *record,
                  const char *version)
{
    l->o.events->on_event(l->o.arg, kind, record, version);
}

static int on_bookmark(lease_link_t *l, skim_span_t object)
{
    host_cleanup(host_freep) char *version = NULL;
    skim_meta_t meta;

    if (skim_meta(object.p, object.len, &meta, NULL) == 0)
        version = skim_dup(meta.resource_version);
    if (version != NULL && version[0] != '\0')
        event(l, LEASE_EVENT_BOOKMARK, NULL, version);
    return 0;
}

/* An ERROR event ends the stream; its Status says why. */
static int on_error(stream_t *st, skim_span_t status, lh_error_t *err)
{
    host_cleanup(host_freep) char *message = skim_dup(skim_get(status, "message"));
    skim_span_t code = skim_get(status, "code");
    skim_span_t seconds = skim_get(skim_get(status, "details"), "retryAfterSeconds");

    st->error_status = 500;
    if (code.p != NULL && code.len == 3)
        st->error_status = (int) strtol(code.p, NULL, 10);
    if (seconds.p != NULL && seconds.len < 6)
        st->retry_after = strtol(seconds.p, NULL, 10) * CLOCK_S;
    snprintf(st->text, sizeof(st->text), "%s", message != NULL ? message : "");
    return host_fail(err, LH_EGONE, "the server has ended the watch");
}

static int on_object(void *arg, const char *text, size_t len, lh_error_t *err)
{
    stream_t *st = arg;
    lease_record_t *record = NULL;
    skim_event_t e;
    int ret = skim_event(text, len, &e, err);

    if (ret < 0)
        return ret;
    if (skim_equal(e.type, "BOOKMARK"))
        return on_bookmark(st->owner, e.object);
    if (skim_equal(e.type, "ERROR"))
        return on_error(st, e.object, err);
    bool deleted = skim_equal(e.type, "DELETED");

    if (!deleted && !skim_equal(e.type, "ADDED") && !skim_equal(e.type, "MODIFIED"))
        return host_fail(err, LH_EPARSE, "a watch event of an unknown type");
    ret = lease_record_parse(e.object.p, e.object.len, &record, err);
    if (ret < 0)
        return ret;
    event(st->owner, deleted ? LEASE_EVENT_DELETED : LEASE_EVENT_SEEN, record, NULL);
    return st->over ? host_fail(err, LH_ECANCELED, "the watch was replaced") : 0;
}

static int on_data(void *arg, const char *data, size_t len, lh_error_t *err)
{
    stream_t *st = arg;

    if (st->over)
        return host_fail(err, LH_ECANCELED, "the watch was replaced");
    st->feeding = true;
    int ret = skim_stream_feed(st->frames, data, len, err);

    st->feeding = false;
    return ret;
}

static void on_stream_done(void *arg, const kube_result_t *result)
{
    stream_t *st = arg;
    lease_link_t *l = st->owner;
    bool over = st->over;
    int status = result->status;
    int64_t retry_after = result->retry_after;
    char text[504];

    snprintf(text, sizeof(text), "%s", st->text[0] != '\0' ? st->text : result->error.text);
    if (st->error_status != 0) {
        status = st->error_status;
        retry_after = st->retry_after;
    } else if (result->code != 0 && status >= 200 && status < 300) {
        status = 0; /* it broke off */
    }
    if (l->stream == st)
        l->stream = NULL;
    stream_free(st);
    if (!over)
        l->o.events->on_watch_ended(l->o.arg, status, retry_after, text);
}

static void stream_close(lease_link_t *l)
{
    stream_t *st = host_steal(l->stream);

    l->stream_failed = false;
    if (st == NULL)
        return;
    st->over = true;
    if (st->feeding)
        return; /* its on_data ends it */
    kube_call_cancel(st->call);
    stream_free(st);
}

static int watch_path(const lease_link_t *l, const char *version, buf_t *out)
{
    host_cleanup(host_freep) char *selector = host_xprintf("metadata.name=%s", l->o.name);
    host_cleanup(host_freep) char *seconds =
        host_xprintf("%d", WATCH_MIN_SECONDS + (int) rand_below(WATCH_SPREAD_SECONDS));

    if (buf_puts(out, l->collection) < 0 || kube_query(out, "watch", "true") < 0 ||
        kube_query(out, "allowWatchBookmarks", "true") < 0 ||
        kube_query(out, "fieldSelector", selector) < 0 ||
        kube_query(out, "resourceVersion", version) < 0 ||
        kube_query(out, "timeoutSeconds", seconds) < 0)
        return LH_ENOMEM;
    return 0;
}

void lease_link_watch(lease_link_t *l, const char *version, bool fresh)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;
    static const skim_handler_t handler = {.on_object = on_object};

    stream_close(l);
    if (version == NULL)
        return;
    stream_t *st = host_xcalloc(1, sizeof(*st));
    int ret =
        skim_stream_create(SKIM_FRAMES, LEASE_MAX_SIZE, &handler, st, &st->frames, &l->stream_err);

    st->owner = l;
    if (ret == 0)
        ret = watch_path(l, version, &path);
    if (ret == 0)
        ret = kube_client_send(l->client,
                               &(kube_request_t){.method = "GET",
                                                 .path = buf_text(&path),
                                                 .fresh_connection = fresh,
                                                 .max_body = LEASE_MAX_SIZE,
                                                 .on_data = on_data,
                                                 .on_done = on_stream_done,
                                                 .arg = st},
                               &st->call, &l->stream_err);
    if (ret == 0) {
        l->stream = st;
        return;
    }
    stream_free(st);
    l->stream_failed = true;
    loop_post(l->o.loop, &l->tell);
}

/* --- what could not be started --- */

static void tell_failures(loop_task_t *task)
{
    lease_link_t *l = HOST_CONTAINER(task, lease_link_t, tell);
    list_t *node;

    while ((node = list_pop(&l->failed)) != NULL) {
        request_t *r = LIST_ENTRY(node, request_t, link);
        uint64_t id = r->id;
        lh_error_t err = r->err;

        free(r);
        l->o.events->on_reply(l->o.arg, &(lease_reply_t){.id = id, .text = err.text});
    }
    if (l->stream_failed) {
        lh_error_t err = l->stream_err;

        l->stream_failed = false;
        l->o.events->on_watch_ended(l->o.arg, 0, 0, err.text);
    }
}

/* --- create and destroy --- */

int lease_link_create(const lease_link_options_t *o, lease_link_t **out, lh_error_t *err)
{
    lease_link_t *l = host_xcalloc(1, sizeof(*l));
    buf_t path = BUF_INIT, collection = BUF_INIT;

    l->o = *o;
    l->tell.fn = tell_failures;
    list_init(&l->requests);
    list_init(&l->failed);
    kube_path(&path, &leases, o->namespace, o->name);
    kube_path(&collection, &leases, o->namespace, NULL);
    l->path = buf_steal(&path);
    l->collection = buf_steal(&collection);
    int ret = l->path == NULL || l->collection == NULL
                  ? host_fail(err, LH_ENOMEM, "lease: out of memory")
                  : kube_client_create(&(kube_client_options_t){.loop = o->loop,
                                                                .credentials = o->credentials,
                                                                .kind = KUBE_CLIENT_LEASE,
                                                                .log = o->log,
                                                                .metrics = o->metrics},
                                       &l->client, err);

    if (ret < 0)
        lease_link_destroy(l);
    else
        *out = l;
    return ret;
}

void lease_link_destroy(lease_link_t *l)
{
    if (l == NULL)
        return;
    loop_withdraw(l->o.loop, &l->tell);
    kube_client_destroy(l->client);
    if (l->stream != NULL)
        stream_free(l->stream);
    LIST_EACH (&l->requests, it, tmp)
        request_free(LIST_ENTRY(it, request_t, link));
    LIST_EACH (&l->failed, it, tmp)
        request_free(LIST_ENTRY(it, request_t, link));
    free(l->path);
    free(l->collection);
    free(l);
}
