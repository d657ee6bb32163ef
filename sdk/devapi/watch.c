/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: what is there, what has been missed, then each event as it comes. */
#include "devapi/core_impl.h"

#include "base/clock.h"
#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_HELD = 64 << 20 }; /* bytes that a frozen watch holds back */

#define BOOKMARK_EVERY (60 * CLOCK_S)
#define BOOKMARK_BEFORE_END (2 * CLOCK_S)
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
    bool started, frozen;
    bool over;          /* nothing follows; a frozen one ends when it is thawed */
    list_t held_frames; /* of a frozen watch */
    size_t held_bytes;
    bool gathers; /* frames go out together: the sink would count them as unread one by one */
    buf_t gathered;
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
    if (!w->frozen && w->gathers) {
        buf_append(&w->gathered, text, len);
        return;
    }
    if (!w->frozen) {
        w->sink.frame(w->sink.arg, text, len);
        return;
    }
    /* As a real one gives up on a client that does not read: what follows is lost, and it ends. */
    if (w->held_bytes + len > MAX_HELD) {
        w->over = true;
        return;
    }
    held_t *h = host_xcalloc(1, sizeof(*h) + len);

    h->len = len;
    memcpy(h->text, text, len);
    list_append(&w->held_frames, &h->link);
    w->held_bytes += len;
}

static void gather(dev_watch_t *w)
{
    w->gathers = true;
}

/* Sends what was gathered; without memory for it nothing may follow. */
static void send_gathered(dev_watch_t *w)
{
    w->gathers = false;
    if (w->gathered.failed)
        w->over = true;
    else if (w->gathered.len > 0)
        w->sink.frame(w->sink.arg, w->gathered.data, w->gathered.len);
    buf_fini(&w->gathered);
}

static void send_held(dev_watch_t *w)
{
    gather(w);
    for (list_t *n; (n = list_pop(&w->held_frames)) != NULL;) {
        held_t *h = LIST_ENTRY(n, held_t, link);
        send_frame(w, h->text, h->len);
        free(h);
    }
    w->held_bytes = 0;
    send_gathered(w);
}

static void drop_held(dev_watch_t *w)
{
    for (list_t *n; (n = list_pop(&w->held_frames)) != NULL;)
        free(LIST_ENTRY(n, held_t, link));
}

/* -- Objects: what watches share is printed once for all of them -- */

enum { MAX_PRINTED = 8 };

/* One event as it was printed for the watches so far. */
typedef struct fan {
    size_t n;
    struct printed {
        const dev_watch_t *as; /* one that it was printed for */
        const char *type;
        bool headless;
        buf_t text;
    } at[MAX_PRINTED];
} fan_t;

static void fan_fini(fan_t *fan)
{
    for (size_t i = 0; i < fan->n; i++)
        buf_fini(&fan->at[i].text);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static const buf_t *find_printed(const fan_t *fan, const dev_watch_t *w, const char *type)
{
    for (size_t i = 0; i < fan->n; i++) {
        const struct printed *p = &fan->at[i];
        const dev_view_t *v = &p->as->view;

        if (v->kind == w->view.kind && v->shape == w->view.shape &&
            p->headless == w->view.headless && strcmp(p->type, type) == 0 &&
            strcmp(v->version, w->view.version) == 0 && same_text(v->include, w->view.include))
            return &p->text;
    }
    return NULL;
}

static void print_object(const dev_watch_t *w, const char *type, const dev_object_t *o, buf_t *out)
{
    buf_printf(out, "{\"type\":\"%s\",\"object\":", type);
    dev_render(&w->view, o, false, out);
    buf_puts(out, "}\n");
}

/* The previous state under the version of the event that ends it. */
static void print_deleted(const dev_watch_t *w, const dev_object_t *before, int64_t version,
                          buf_t *out)
{
    cJSON *tree = dev_object_tree(before);
    dev_object_t *o = dev_object_create(tree, version);

    print_object(w, "DELETED", o, out);
    dev_object_unref(o);
    cJSON_Delete(tree);
}

/* fan is NULL for an event of the past. */
static void send_event(dev_watch_t *w, fan_t *fan, const char *type, const dev_event_t *e)
{
    const buf_t *printed = fan == NULL ? NULL : find_printed(fan, w, type);
    buf_t own = BUF_INIT;

    if (printed == NULL) {
        if (strcmp(type, "DELETED") == 0)
            print_deleted(w, e->before, e->version, &own);
        else
            print_object(w, type, e->object, &own);
        printed = &own;
    }
    send_frame(w, printed->data, printed->len);
    if (printed == &own && fan != NULL && fan->n < MAX_PRINTED)
        fan->at[fan->n++] = (struct printed){w, type, w->view.headless, own};
    else
        buf_fini(&own);
    w->view.headless = true;
}

static void send_object(dev_watch_t *w, const dev_object_t *o)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    print_object(w, "ADDED", o, &out);
    send_frame(w, out.data, out.len);
    w->view.headless = true;
}

static void send_bookmark(dev_watch_t *w, bool end_of_initial)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    const int64_t version = dev_store_version(w->core->store);

    buf_puts(&out, "{\"type\":\"BOOKMARK\",\"object\":{");
    if (w->view.shape == DEV_SHAPE_METADATA)
        buf_puts(&out, "\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\"");
    else if (w->view.shape == DEV_SHAPE_TABLE)
        buf_puts(&out, "\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\","
                       "\"columnDefinitions\":null,\"rows\":[]");
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

static void deliver(dev_watch_t *w, fan_t *fan, const dev_event_t *e)
{
    if (e->table != w->table || e->version <= w->from)
        return;
    const bool was = matches(w, e->before), is = !e->gone && matches(w, e->object);

    w->from = e->version;
    if (is || was)
        send_event(w, fan, !is ? "DELETED" : was ? "MODIFIED" : "ADDED", e);
}

static bool deliver_past(void *arg, const dev_event_t *e)
{
    deliver(arg, NULL, e);
    return true;
}

void dev_watch_event(dev_core_t *c, const dev_event_t *e)
{
    fan_t fan = {0};

    LIST_EACH (&c->watches, it, tmp) {
        dev_watch_t *w = LIST_ENTRY(it, dev_watch_t, link);
        if (w->started && !w->over)
            deliver(w, &fan, e);
    }
    fan_fini(&fan);
}

/* -- Life -- */

static void watch_free(dev_watch_t *w)
{
    loop_withdraw(w->core->o.loop, &w->start);
    loop_timer_clear(&w->bookmark);
    loop_timer_clear(&w->deadline);
    list_remove(&w->link);
    drop_held(w);
    buf_fini(&w->gathered);
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
    if (frozen)
        return;
    send_held(w);
    if (w->over)
        dev_watch_cut(w);
}

static void end(dev_watch_t *w)
{
    w->over = true;
    loop_timer_clear(&w->bookmark);
    if (!w->frozen)
        dev_watch_cut(w);
}

bool dev_watches_end_of(dev_core_t *c, const dev_kind_t *kind)
{
    bool all = true;

    LIST_EACH (&c->watches, it, tmp) {
        dev_watch_t *w = LIST_ENTRY(it, dev_watch_t, link);
        if (w->view.kind != kind)
            continue;
        all = all && !w->frozen;
        end(w);
    }
    return all;
}

/* About once a minute, and shortly before the watch's end. */
static void arm_bookmark(dev_watch_t *w)
{
    const int64_t now = clock_now(), last = w->deadline.at - BOOKMARK_BEFORE_END;

    loop_timer_set(&w->bookmark,
                   last > now ? HOST_MIN(now + BOOKMARK_EVERY, last) : now + BOOKMARK_EVERY);
}

static void on_bookmark(loop_timer_t *timer)
{
    dev_watch_t *w = HOST_CONTAINER(timer, dev_watch_t, bookmark);

    send_bookmark(w, false);
    arm_bookmark(w);
}

int dev_core_bookmarks(dev_core_t *c)
{
    int count = 0;

    LIST_EACH (&c->watches, it, tmp) {
        dev_watch_t *w = LIST_ENTRY(it, dev_watch_t, link);
        if (w->bookmarks && w->started && !w->over) {
            send_bookmark(w, false);
            count++;
        }
    }
    return count;
}

static void on_deadline(loop_timer_t *timer)
{
    dev_watch_t *w = HOST_CONTAINER(timer, dev_watch_t, deadline);

    end(w);
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
            send_object(w, o);
    }
    if (w->ends_initial)
        send_bookmark(w, true);
}

static void refuse_old(dev_watch_t *w)
{
    dev_status_t st = {0};

    (void) dev_refuse(&st, 410, "Expired", "too old resource version: %lld (%lld)",
                      (long long) w->from, (long long) dev_store_oldest(w->core->store));
    send_error(w, &st);
    dev_status_fini(&st);
    w->over = true;
}

static void on_start(loop_task_t *task)
{
    dev_watch_t *w = HOST_CONTAINER(task, dev_watch_t, start);

    w->started = true;
    gather(w);
    if (w->initial)
        send_initial(w);
    else if (w->from < dev_store_oldest(w->core->store))
        refuse_old(w);
    else
        dev_store_events(w->core->store, w->from, deliver_past, w);
    send_gathered(w);
    if (w->over)
        end(w);
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
        arm_bookmark(w);
    *out = w;
    return 0;
}
