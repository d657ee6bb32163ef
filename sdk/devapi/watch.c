/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: what is there, what has been missed, then each event as it comes. */
#include "devapi/core_impl.h"

#include "base/clock.h"
#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

#define BOOKMARK_EVERY (60 * CLOCK_S)
#define DEFAULT_TIMEOUT (1800 * CLOCK_S) /* up to twice that, as the real one */

struct dev_watch {
    list_t link;
    dev_core_t *core;
    dev_table_t *table;
    dev_view_t view;
    char *version_name, *include; /* of the view */
    char *ns;                     /* NULL: all namespaces */
    dev_selector_t *selector;
    dev_sink_t sink;
    int64_t from; /* events up to this version have been sent, or need not be */
    bool initial; /* begins with what is there */
    bool bookmarks, ends_initial;
    bool started, frozen, ended;
    list_t held_frames; /* of a frozen watch */
    loop_task_t start;
    loop_timer_t bookmark, deadline;
};

typedef struct held {
    list_t link;
    size_t len;
    char text[];
} held_t;

/* -- Frames -- */

static void send_frame(dev_watch_t *w, const char *text, size_t len)
{
    if (!w->frozen) {
        w->sink.frame(w->sink.arg, text, len);
        return;
    }
    held_t *h = host_xcalloc(1, sizeof(*h) + len);

    h->len = len;
    memcpy(h->text, text, len);
    list_append(&w->held_frames, &h->link);
}

static void drop_held(dev_watch_t *w, bool send)
{
    for (list_t *n; (n = list_pop(&w->held_frames)) != NULL;) {
        held_t *h = LIST_ENTRY(n, held_t, link);
        if (send)
            w->sink.frame(w->sink.arg, h->text, h->len);
        free(h);
    }
}

static void send_object(dev_watch_t *w, const char *type, const dev_object_t *o)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    buf_printf(&out, "{\"type\":\"%s\",\"object\":", type);
    dev_render(&w->view, o, false, &out);
    w->view.headless = true;
    buf_puts(&out, "}\n");
    send_frame(w, out.data, out.len);
}

/* The previous state under the version of the event that ends it. */
static void send_as_deleted(dev_watch_t *w, const dev_object_t *before, int64_t version)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    cJSON *tree = dev_object_tree(before);
    host_cleanup(host_freep) char *number = host_xprintf("%lld", (long long) version);

    tree_set_text(tree_get(tree, "metadata"), "resourceVersion", number);
    char *text = cJSON_PrintUnformatted(tree);
    const dev_object_t shown = {.version = version,
                                .ns = before->ns,
                                .name = before->name,
                                .text = text,
                                .len = strlen(text)};
    buf_puts(&out, "{\"type\":\"DELETED\",\"object\":");
    dev_render(&w->view, &shown, false, &out);
    w->view.headless = true;
    buf_puts(&out, "}\n");
    send_frame(w, out.data, out.len);
    cJSON_free(text);
    cJSON_Delete(tree);
}

static void send_bookmark(dev_watch_t *w, bool end_of_initial)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    const int64_t version = dev_store_version(w->core->store);

    buf_puts(&out, "{\"type\":\"BOOKMARK\",\"object\":{");
    if (w->view.shape == DEV_SHAPE_METADATA)
        buf_puts(&out, "\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\"");
    else
        dev_render_kind(&w->view, &out);
    buf_printf(&out,
               ",\"metadata\":{\"resourceVersion\":\"%lld\",\"creationTimestamp\":null%s}}}\n",
               (long long) version,
               end_of_initial ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");
    send_frame(w, out.data, out.len);
}

static void send_error(dev_watch_t *w, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    buf_puts(&out, "{\"type\":\"ERROR\",\"object\":");
    dev_status_print(st, &out);
    buf_puts(&out, "}\n");
    send_frame(w, out.data, out.len);
}

/* -- Events -- */

static bool matches(const dev_watch_t *w, const dev_object_t *o)
{
    if (o == NULL || (w->ns != NULL && strcmp(w->ns, o->ns) != 0))
        return false;
    cJSON *tree = dev_selector_needs_object(w->selector) ? dev_object_tree(o) : NULL;
    const bool yes = dev_selector_matches(w->selector, o->ns, o->name, o->labels, tree);

    cJSON_Delete(tree);
    return yes;
}

static bool deliver(void *arg, const dev_event_t *e)
{
    dev_watch_t *w = arg;

    if (e->table != w->table || e->version <= w->from)
        return true;
    const bool was = matches(w, e->before), is = !e->gone && matches(w, e->object);

    w->from = e->version;
    if (is)
        send_object(w, was ? "MODIFIED" : "ADDED", e->object);
    else if (was)
        send_as_deleted(w, e->before, e->version);
    return true;
}

void dev_watch_event(dev_core_t *c, const dev_event_t *e)
{
    LIST_EACH (&c->watches, it, tmp) {
        dev_watch_t *w = LIST_ENTRY(it, dev_watch_t, link);
        if (w->started && !w->ended)
            (void) deliver(w, e);
    }
}

/* -- Life -- */

static void watch_free(dev_watch_t *w)
{
    loop_withdraw(w->core->o.loop, &w->start);
    loop_timer_clear(&w->bookmark);
    loop_timer_clear(&w->deadline);
    list_remove(&w->link);
    drop_held(w, false);
    dev_selector_destroy(w->selector);
    free(w->version_name);
    free(w->include);
    free(w->ns);
    free(w);
}

void dev_watch_close(dev_watch_t *w)
{
    watch_free(w);
}

void dev_watch_cut(dev_watch_t *w)
{
    const dev_sink_t sink = w->sink;

    watch_free(w);
    sink.ended(sink.arg);
}

void dev_watches_end(dev_core_t *c)
{
    LIST_EACH (&c->watches, it, tmp)
        dev_watch_cut(LIST_ENTRY(it, dev_watch_t, link));
}

void dev_watch_freeze(dev_watch_t *w, bool frozen)
{
    w->frozen = frozen;
    if (!frozen)
        drop_held(w, true);
}

static void on_bookmark(loop_timer_t *timer)
{
    dev_watch_t *w = HOST_CONTAINER(timer, dev_watch_t, bookmark);

    send_bookmark(w, false);
    loop_timer_set(timer, clock_now() + BOOKMARK_EVERY);
}

static void on_deadline(loop_timer_t *timer)
{
    dev_watch_t *w = HOST_CONTAINER(timer, dev_watch_t, deadline);

    if (w->bookmarks && !w->frozen)
        send_bookmark(w, false);
    dev_watch_cut(w);
}

static void send_initial(dev_watch_t *w)
{
    const char *ns = w->ns != NULL ? w->ns : "";

    w->from = dev_store_version(w->core->store);
    for (size_t i = dev_table_lower(w->table, ns, ""); i < dev_table_count(w->table); i++) {
        const dev_object_t *o = dev_table_at(w->table, i);
        if (w->ns != NULL && strcmp(o->ns, w->ns) > 0)
            break;
        if (matches(w, o))
            send_object(w, "ADDED", o);
    }
    if (w->ends_initial)
        send_bookmark(w, true);
}

static void on_start(loop_task_t *task)
{
    dev_watch_t *w = HOST_CONTAINER(task, dev_watch_t, start);
    dev_status_t st = {0};

    w->started = true;
    if (w->initial) {
        send_initial(w);
    } else if (w->from < dev_store_oldest(w->core->store)) {
        (void) dev_refuse(&st, 410, "Expired", "too old resource version: %lld (%lld)",
                          (long long) w->from, (long long) dev_store_oldest(w->core->store));
        send_error(w, &st);
        dev_status_fini(&st);
        dev_watch_cut(w);
    } else {
        dev_store_events(w->core->store, w->from, deliver, w);
    }
}

static int64_t timeout_of(const dev_request_t *r)
{
    const long long seconds =
        r->timeout_seconds != NULL ? strtoll(r->timeout_seconds, NULL, 10) : 0;

    if (seconds > 0 && seconds < 86400)
        return seconds * CLOCK_S;
    return DEFAULT_TIMEOUT + rand_below(DEFAULT_TIMEOUT);
}

static dev_watch_t *make(dev_core_t *c, const dev_request_t *r, const dev_sink_t *sink)
{
    dev_watch_t *w = host_xcalloc(1, sizeof(*w));

    w->core = c;
    w->table = dev_core_table(c, r->kind);
    w->version_name = host_xstrdup(r->version);
    w->ns = r->ns != NULL ? host_xstrdup(r->ns) : NULL;
    w->include = r->include_object == NULL ? NULL : host_xstrdup(r->include_object);
    w->view = dev_view_of(c, r);
    w->view.version = w->version_name;
    w->view.include = w->include;
    w->sink = *sink;
    w->start.fn = on_start;
    w->bookmarks = dev_flag(r->allow_bookmarks);
    list_init(&w->held_frames);
    loop_timer_init(&w->bookmark, c->o.loop, on_bookmark);
    loop_timer_init(&w->deadline, c->o.loop, on_deadline);
    return w;
}

int dev_watch_open(dev_core_t *c, const dev_request_t *r, const dev_sink_t *sink, dev_watch_t **out,
                   dev_reply_t *reply)
{
    dev_status_t st = {0};
    dev_selector_t *selector = NULL;
    int64_t version = 0;
    bool exact;
    int ret = dev_check_version(c, r, &version, &exact, &st);

    *reply = (dev_reply_t){.code = 200};
    if (ret == 0)
        ret = dev_selector_parse(r->kind, r->label_selector, r->field_selector, &selector, &st);
    if (ret < 0) {
        dev_reply_refuse(reply, &st);
        dev_status_fini(&st);
        return ret;
    }
    dev_watch_t *w = make(c, r, sink);

    w->selector = selector;
    w->from = version;
    w->ends_initial = w->bookmarks && dev_flag(r->send_initial_events);
    w->initial =
        dev_flag(r->send_initial_events) || (version == 0 && r->send_initial_events == NULL);
    if (version == 0 && !w->initial)
        w->from = dev_store_version(c->store);
    list_append(&c->watches, &w->link);
    loop_post(c->o.loop, &w->start);
    loop_timer_set(&w->deadline, clock_now() + timeout_of(r));
    if (w->bookmarks)
        loop_timer_set(&w->bookmark, clock_now() + BOOKMARK_EVERY);
    *out = w;
    return 0;
}
