/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a plugin. The same one again within six minutes becomes a series: the Event of the first is
 * patched with how often and when last, at once for the second, every half hour after that, and when it
 * has been quiet for six minutes. (client-go's recorder does so too, but takes Events with other notes for
 * the same.) New ones about one object are limited to 25 and one more every five minutes.
 */
#include "base/clock.h"
#include "base/error.h"
#include "plugin/services_impl.h"
#include "json/skim.h"

#include <string.h>

#define EVENT_WORD_MAX 128u
#define EVENT_NOTE_MAX 1024u
#define SERIES_MAX 1024u
#define SERIES_QUIET (360 * CLOCK_S)
#define SERIES_REFRESH (1800 * CLOCK_S)
#define SWEEP_EVERY (60 * CLOCK_S)
#define BURST 25
#define REFILL (300 * CLOCK_S)
#define OBJECTS_MAX 1024u

/* An Event that was told, and how often since. */
typedef struct event_series {
    uint64_t id;
    char *key;  /* all that makes it the same */
    char *path; /* of its Event */
    uint64_t count;
    int64_t last, last_wall; /* when it was told last */
    uint64_t written;        /* the count that the server has; 0: the Event is under way */
    int64_t written_at;
    UT_hash_handle hh;
} event_series_t;

/* How many new Events an object may still have. */
typedef struct event_budget {
    char *object; /* its path */
    int left;
    int64_t since; /* that it has been refilled */
    UT_hash_handle hh;
} event_budget_t;

/* -- The object -- */

static void put_span(buf_t *out, const char *key, skim_span_t span)
{
    host_cleanup(host_freep) char *text = skim_dup(span);

    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void put_text(buf_t *out, const char *key, const char *text, size_t max)
{
    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, text, services_cut_length(text, max));
}

/* Unique by the time, as client-go names them. An object's name may hold what an Event's must not:
 * that of a ClusterRole is no DNS name. */
static void put_name(buf_t *out, const char *object, int64_t wall)
{
    char name[201];
    size_t len = 0;

    for (; object[len] != '\0' && len + 1 < sizeof(name); len++)
        name[len] = strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", object[len]) != NULL
                        ? object[len]
                        : 'x';
    while (len > 0 && (name[len - 1] == '-' || name[len - 1] == '.'))
        len--;
    buf_printf(out, "%.*s.%llx", (int) len, name, (unsigned long long) wall);
}

/* events.k8s.io/v1: eventTime, reportingController, reportingInstance, action, reason and type are
 * required. (API reference, Event v1 events.k8s.io) */
static int format_event(const plugin_services_t *s, const lh_event_t *e, const skim_meta_t *meta,
                        const char *ns, const char *name, int64_t wall, buf_t *out)
{
    char when[32];

    clock_format(wall, when);
    buf_puts(out, "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{");
    buf_printf(out, "\"name\":\"%s\"", name);
    put_text(out, "namespace", ns, 253);
    buf_printf(out, "},\"eventTime\":\"%s\",\"type\":\"%s\"", when,
               e->type == LH_EVENT_WARNING ? "Warning" : "Normal");
    buf_printf(out, ",\"reportingController\":\"leasehold.dev/%s\"", s->manifest->id);
    put_text(out, "reportingInstance", s->shared->identity, 128);
    put_text(out, "reason", e->reason, EVENT_WORD_MAX);
    put_text(out, "action", e->action != NULL ? e->action : e->reason, EVENT_WORD_MAX);
    put_text(out, "note", e->note != NULL ? e->note : "", EVENT_NOTE_MAX);
    buf_puts(out, ",\"regarding\":{\"fieldPath\":\"\"");
    put_span(out, "apiVersion", meta->api_version);
    put_span(out, "kind", meta->kind);
    put_span(out, "namespace", meta->ns);
    put_span(out, "name", meta->name);
    put_span(out, "uid", meta->uid);
    return buf_puts(out, "}}");
}

static int check_event(const lh_event_t *e, lh_error_t *err)
{
    if (e->type > LH_EVENT_WARNING)
        return host_fail(err, LH_EINVAL, "event: unknown type %u", e->type);
    if (strnlen(e->reason, EVENT_WORD_MAX + 1) > EVENT_WORD_MAX ||
        (e->action != NULL && strnlen(e->action, EVENT_WORD_MAX + 1) > EVENT_WORD_MAX))
        return host_fail(err, LH_EINVAL, "event: reason or action is longer than %u bytes",
                         EVENT_WORD_MAX);
    return 0;
}

/* -- Series, under the lock -- */

static void series_free(plugin_services_t *s, event_series_t *series)
{
    HASH_DEL(s->series_by_key, series);
    free(series->key);
    free(series->path);
    free(series);
}

static event_series_t *series_by_id(plugin_services_t *s, uint64_t id)
{
    event_series_t *series, *next;

    HASH_ITER (hh, s->series_by_key, series, next) {
        if (series->id == id)
            return series;
    }
    return NULL;
}

/* Takes one from what the object may have; false: it has none left. */
static bool take_budget(plugin_services_t *s, const char *object, int64_t now)
{
    event_budget_t *b = NULL;

    HASH_FIND_STR(s->budgets, object, b);
    if (b == NULL) {
        if (HASH_COUNT(s->budgets) >= OBJECTS_MAX) {
            event_budget_t *oldest = s->budgets;
            HASH_DEL(s->budgets, oldest);
            free(oldest->object);
            free(oldest);
        }
        b = host_xcalloc(1, sizeof(*b));
        *b = (event_budget_t){.object = host_xstrdup(object), .left = BURST, .since = now};
        HASH_ADD_KEYPTR(hh, s->budgets, b->object, strlen(b->object), b);
    }
    const int64_t more = (now - b->since) / REFILL;
    b->left = (int) HOST_MIN((int64_t) b->left + more, (int64_t) BURST);
    b->since += more * REFILL;
    if (b->left == 0)
        return false;
    b->left--;
    return true;
}

/* The patch that tells the server of a series; false when it need not be told now. */
static bool take_patch(event_series_t *series, bool must, buf_t *path, buf_t *body)
{
    const int64_t now = clock_now();
    char when[32];

    if (series->written == 0 || series->written == series->count ||
        (!must && series->written > 1 && now - series->written_at < SERIES_REFRESH))
        return false;
    clock_format(series->last_wall, when);
    buf_puts(path, series->path);
    buf_printf(body, "{\"series\":{\"count\":%llu,\"lastObservedTime\":\"%s\"}}",
               (unsigned long long) series->count, when);
    series->written = series->count;
    series->written_at = now;
    return true;
}

/* -- Sending -- */

typedef struct sent {
    plugin_services_t *services;
    uint64_t series;
    bool is_patch;
} sent_t;

static void event_done(void *arg, int code, plugin_response_t *response, const lh_error_t *err);

static int send_event(plugin_services_t *s, fence_t *fence, uint64_t series, bool is_patch,
                      const char *path, const buf_t *body, lh_error_t *err)
{
    sent_t *sent = host_xcalloc(1, sizeof(*sent));
    const lh_api_request_t request = {.struct_size = sizeof(request),
                                      .method = is_patch ? "PATCH" : "POST",
                                      .path = path,
                                      .content_type =
                                          is_patch ? "application/merge-patch+json" : NULL,
                                      .body = body->data,
                                      .body_len = body->len};

    *sent = (sent_t){.services = s, .series = series, .is_patch = is_patch};
    const int ret = services_send_event(s, fence, &request, event_done, sent, err);
    if (ret == 0)
        return 0;
    free(sent);
    pthread_mutex_lock(&s->lock);
    event_series_t *mine = series_by_id(s, series);
    if (mine != NULL && !is_patch)
        series_free(s, mine);
    pthread_mutex_unlock(&s->lock);
    if (ret == LH_EBUSY)
        metric_add(s->events_dropped, 1);
    return ret == LH_EBUSY ? 0 : ret; /* an Event is never a reason to fail a reconcile */
}

/* Tells the server of a series if it is to be told. */
static void send_patch(plugin_services_t *s, uint64_t id, bool must)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT, body = BUF_INIT;
    host_cleanup(fence_unrefp) fence_t *fence = NULL;
    bool is_due = false;

    pthread_mutex_lock(&s->lock);
    event_series_t *series = series_by_id(s, id);
    if (series != NULL && s->fence != NULL) {
        fence = fence_ref(s->fence);
        is_due = take_patch(series, must, &path, &body);
    }
    pthread_mutex_unlock(&s->lock);
    if (is_due)
        (void) send_event(s, fence, id, true, buf_text(&path), &body, NULL);
}

static void event_done(void *arg, int code, plugin_response_t *response, const lh_error_t *err)
{
    sent_t *sent = arg;
    plugin_services_t *s = sent->services;
    const uint64_t id = sent->series;

    if (code != 0) {
        metric_add(s->events_dropped, 1);
        log_debug(s->log, "an Event was not recorded: %s", err != NULL ? err->text : "");
    }
    pthread_mutex_lock(&s->lock);
    event_series_t *series = series_by_id(s, id);
    if (series != NULL && code != 0 && (!sent->is_patch || code == LH_ENOTFOUND))
        series_free(s, series); /* it is told anew the next time */
    else if (series != NULL && code == 0 && !sent->is_patch)
        series->written = 1;
    pthread_mutex_unlock(&s->lock);
    free(response);
    free(sent);
    if (code == 0)
        send_patch(s, id, false);
    if (s->sweep.at == CLOCK_NEVER)
        loop_timer_set(&s->sweep, clock_now() + SWEEP_EVERY);
}

/* The next series that the server is to be told of; one that has become quiet is forgotten. False: there
 * is none. */
static bool sweep_one(plugin_services_t *s)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT, body = BUF_INIT;
    host_cleanup(fence_unrefp) fence_t *fence = NULL;
    event_series_t *series, *next;
    uint64_t id = 0;
    bool is_due = false, is_quiet = false;

    pthread_mutex_lock(&s->lock);
    HASH_ITER (hh, s->series_by_key, series, next) {
        is_quiet = clock_now() - series->last > SERIES_QUIET;
        is_due = s->fence != NULL && take_patch(series, is_quiet, &path, &body);
        id = series->id;
        if (is_quiet)
            series_free(s, series);
        if (is_due || is_quiet)
            break;
    }
    if (is_due)
        fence = fence_ref(s->fence);
    pthread_mutex_unlock(&s->lock);
    if (is_due)
        (void) send_event(s, fence, id, true, buf_text(&path), &body, NULL);
    return is_due || is_quiet;
}

void services_sweep_events(loop_timer_t *timer) /* [loop-thread] */
{
    plugin_services_t *s = HOST_CONTAINER(timer, plugin_services_t, sweep);

    while (sweep_one(s))
        ;
    pthread_mutex_lock(&s->lock);
    const bool more = s->series_by_key != NULL;
    pthread_mutex_unlock(&s->lock);
    if (more)
        loop_timer_set(timer, clock_now() + SWEEP_EVERY);
}

/* -- Telling -- */

/* All that makes an Event the same as another one. */
static char *key_of(const lh_event_t *e, const watch_snapshot_t *object)
{
    const char *note = e->note != NULL ? e->note : "";

    return host_xprintf("%u\n%s\n%s\n%s/%s/%s\n%.*s", e->type, e->reason,
                        e->action != NULL ? e->action : "", watch_snapshot_ns(object),
                        watch_snapshot_name(object), watch_snapshot_uid(object),
                        (int) services_cut_length(note, EVENT_NOTE_MAX), note);
}

typedef enum { TOLD_NEW, TOLD_AGAIN, TOLD_TOO_OFTEN } told_t;

/* Counts the Event; *id: its series, made for a new one, whose Event will be at path. */
static told_t count_event(plugin_services_t *s, const char *key, const char *object,
                          const char *path, int64_t wall, uint64_t *id)
{
    const int64_t now = clock_now();
    event_series_t *series = NULL;

    HASH_FIND_STR(s->series_by_key, key, series);
    if (series != NULL && now - series->last > SERIES_QUIET) {
        series_free(s, series);
        series = NULL;
    }
    const told_t told = series != NULL                ? TOLD_AGAIN
                        : take_budget(s, object, now) ? TOLD_NEW
                                                      : TOLD_TOO_OFTEN;
    if (told == TOLD_TOO_OFTEN)
        return told;
    if (told == TOLD_NEW) {
        if (HASH_COUNT(s->series_by_key) >= SERIES_MAX)
            series_free(s, s->series_by_key); /* the oldest */
        series = host_xcalloc(1, sizeof(*series));
        *series = (event_series_t){
            .id = ++s->series_made, .key = host_xstrdup(key), .path = host_xstrdup(path)};
        HASH_ADD_KEYPTR(hh, s->series_by_key, series->key, strlen(series->key), series);
    }
    series->count++;
    series->last = now;
    series->last_wall = wall;
    *id = series->id;
    return told;
}

/* What is needed of a live ctx; the rest is the same for every Event. */
static int post_event(plugin_services_t *s, fence_t *fence, const lh_event_t *event,
                      const skim_meta_t *meta, lh_error_t *err)
{
    static const kube_gvr_t events = {"events.k8s.io", "v1", "events"};
    host_cleanup(buf_fini) buf_t body = BUF_INIT, path = BUF_INIT, name = BUF_INIT, of = BUF_INIT;
    const watch_snapshot_t *object = (const watch_snapshot_t *) event->regarding;
    /* Events about cluster-scoped objects live in "default", as client-go has it. */
    const char *ns = watch_snapshot_ns(object)[0] != '\0' ? watch_snapshot_ns(object) : "default";
    host_cleanup(host_freep) char *key = key_of(event, object);
    const int64_t wall = clock_wall();
    uint64_t id = 0;

    put_name(&name, watch_snapshot_name(object), wall);
    buf_printf(&of, "%s/%s/%s", watch_snapshot_ns(object), watch_snapshot_name(object),
               watch_snapshot_uid(object));
    if (kube_path(&path, &events, ns, buf_text(&name)) < 0 ||
        format_event(s, event, meta, ns, buf_text(&name), wall, &body) < 0)
        return host_fail(err, LH_ENOMEM, "event: out of memory");
    pthread_mutex_lock(&s->lock);
    const told_t told = count_event(s, key, buf_text(&of), buf_text(&path), wall, &id);
    pthread_mutex_unlock(&s->lock);
    if (told == TOLD_TOO_OFTEN)
        metric_add(s->events_dropped, 1);
    if (told == TOLD_AGAIN)
        send_patch(s, id, false);
    if (told != TOLD_NEW)
        return 0;
    path.len = 0;
    if (kube_path(&path, &events, ns, NULL) < 0)
        return host_fail(err, LH_ENOMEM, "event: out of memory");
    return send_event(s, fence, id, false, buf_text(&path), &body, err);
}

int services_event(void *self, lh_ctx_t ctx, const lh_event_t *event, lh_error_t *err)
{
    plugin_services_t *s = self;
    host_cleanup(fence_unrefp) fence_t *fence = NULL;
    skim_meta_t meta;
    size_t len;
    const char *text = watch_snapshot_text((const watch_snapshot_t *) event->regarding, &len);
    ctx_entry_t *e = NULL;
    int ret = check_event(event, err);

    if (ret < 0)
        return ret;
    pthread_mutex_lock(&s->lock);
    const int code = services_ctx_state(s, ctx, &e);
    if (code == 0)
        fence = fence_ref(e->fence);
    pthread_mutex_unlock(&s->lock);
    if (code < 0)
        return services_ctx_fail(err, code);
    ret = skim_meta(text, len, &meta, err);
    if (ret < 0)
        return host_error_wrap(err, ret, "event");
    return post_event(s, fence, event, &meta, err);
}

void plugin_services_warn(plugin_services_t *s, const watch_snapshot_t *object, const char *reason,
                          const char *note)
{
    host_cleanup(fence_unrefp) fence_t *fence = NULL;
    const lh_event_t event = {.struct_size = sizeof(event),
                              .type = LH_EVENT_WARNING,
                              .regarding = (const lh_snapshot_t *) object,
                              .reason = reason,
                              .action = "Reconcile",
                              .note = note};
    skim_meta_t meta;
    size_t len;
    const char *text = watch_snapshot_text(object, &len);

    pthread_mutex_lock(&s->lock);
    if (s->fence != NULL)
        fence = fence_ref(s->fence);
    pthread_mutex_unlock(&s->lock);
    if (fence != NULL && skim_meta(text, len, &meta, NULL) == 0)
        (void) post_event(s, fence, &event, &meta, NULL);
}

void services_events_forget(plugin_services_t *s)
{
    event_budget_t *b, *tmp;

    loop_timer_clear(&s->sweep);
    pthread_mutex_lock(&s->lock);
    while (s->series_by_key != NULL)
        series_free(s, s->series_by_key);
    HASH_ITER (hh, s->budgets, b, tmp) {
        HASH_DEL(s->budgets, b);
        free(b->object);
        free(b);
    }
    pthread_mutex_unlock(&s->lock);
}
