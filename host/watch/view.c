/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/view.h"

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* A store, and what of a view's wishes its stream does not fulfil itself. */
typedef struct sight {
    _Atomic uint32_t refs;
    watch_store_t *store;
    bool by_ns, by_labels; /* the store has objects that are not shown */
    bool projects;         /* it has them whole, metadata is shown */
    _Atomic bool cluster_scoped;
} sight_t;

struct watch_view {
    _Atomic uint32_t refs;
    char *ns;                   /* NULL: all */
    char *labels;               /* NULL: any */
    watch_selector_t *selector; /* the same, parsed */
    bool metadata_only;
    pthread_mutex_t lock; /* guards the pointer, which the loop alone changes */
    sight_t *sight;
};

/* -- Sights -- */

static void sight_unref(sight_t *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
        return;
    watch_store_unref(s->store);
    free(s);
}

static void sight_unrefp(sight_t **s)
{
    sight_unref(*s);
}

static sight_t *sight_of(watch_view_t *v)
{
    pthread_mutex_lock(&v->lock);
    sight_t *s = v->sight;

    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&v->lock);
    return s;
}

#define SIGHT(name, view) host_cleanup(sight_unrefp) sight_t *name = sight_of(view)

static bool shows(const watch_view_t *v, const sight_t *s, const watch_snapshot_t *object)
{
    if (s->by_ns && !s->cluster_scoped && strcmp(v->ns, watch_snapshot_ns(object)) != 0)
        return false;
    return !s->by_labels || watch_selector_match(v->selector, watch_snapshot_labels(object));
}

int watch_view_metadata(const char *text, size_t len, const char *kind, watch_snapshot_t **out)
{
    const skim_span_t object = {.p = text, .len = len}, metadata = skim_get(object, "metadata");
    host_cleanup(host_freep) char *api_version = skim_dup(skim_get(object, "apiVersion"));
    host_cleanup(buf_fini) buf_t partial = BUF_INIT;

    buf_puts(&partial, "{\"metadata\":");
    buf_append(&partial, metadata.p, metadata.len);
    buf_puts(&partial, "}");
    if (partial.failed)
        return LH_ENOMEM;
    return watch_snapshot_create(partial.data, partial.len, api_version, kind, out, NULL);
}

/* The object as it is shown; a reference of the caller's. Without memory for its metadata alone, it is
 * shown whole. */
static watch_snapshot_t *look(const sight_t *s, watch_snapshot_t *object)
{
    watch_snapshot_t *partial = NULL;
    size_t len;

    if (!s->projects)
        return watch_snapshot_ref(object);
    const char *text = watch_snapshot_text(object, &len);
    host_cleanup(host_freep) char *kind =
        skim_dup(skim_get((skim_span_t){.p = text, .len = len}, "kind"));

    return watch_view_metadata(text, len, kind, &partial) < 0 ? watch_snapshot_ref(object)
                                                              : partial;
}

/* -- Readers -- */

watch_view_t *watch_view_ref(watch_view_t *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}

void watch_view_unref(watch_view_t *v)
{
    if (v == NULL || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) > 1)
        return;
    sight_unref(v->sight);
    pthread_mutex_destroy(&v->lock);
    watch_selector_destroy(v->selector);
    free(v->ns);
    free(v->labels);
    free(v);
}

bool watch_view_synced(watch_view_t *v)
{
    SIGHT(s, v);

    return watch_store_synced(s->store);
}

int watch_view_read(watch_view_t *v, const char *ns, const char *name, const watch_snapshot_t *held,
                    watch_snapshot_t **out)
{
    SIGHT(s, v);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;
    const int ret = watch_store_read(s->store, ns, name, held, &object);

    if (ret < 0)
        return ret;
    *out = object != NULL && shows(v, s, object) ? look(s, object) : NULL;
    return 0;
}

watch_snapshot_t *watch_view_get(watch_view_t *v, const char *ns, const char *name)
{
    watch_snapshot_t *object = NULL;

    return watch_view_read(v, ns, name, NULL, &object) == 0 ? object : NULL;
}

static void selector_destroyp(watch_selector_t **s)
{
    watch_selector_destroy(*s);
}

int watch_view_names(watch_view_t *v, const char *ns, const char *labels, const char *owner_uid,
                     watch_name_t **out, size_t *count, lh_error_t *err)
{
    SIGHT(s, v);
    const bool asked = labels != NULL && *labels != '\0', own = s->by_labels;
    host_cleanup(host_freep) char *both =
        host_xprintf("%s%s%s", own ? v->labels : "", own && asked ? "," : "", asked ? labels : "");
    host_cleanup(selector_destroyp) watch_selector_t *selector = NULL;
    const int ret = *both != '\0' ? watch_selector_parse(both, &selector, err) : 0;

    if (ret < 0)
        return ret;
    if (ns == NULL && s->by_ns && !s->cluster_scoped)
        ns = v->ns;
    return watch_store_names(s->store, ns, selector, owner_uid, out, count, err);
}

/* -- The loop -- */

static bool given(const char *text)
{
    return text != NULL && *text != '\0';
}

int watch_view_create(const watch_spec_t *spec, watch_view_t **out, lh_error_t *err)
{
    watch_selector_t *selector = NULL;
    const bool labels = given(spec->label_selector);
    const int ret = labels ? watch_selector_parse(spec->label_selector, &selector, err) : 0;

    if (ret < 0)
        return ret;
    watch_view_t *v = host_xcalloc(1, sizeof(*v));

    atomic_init(&v->refs, 1);
    pthread_mutex_init(&v->lock, NULL);
    v->ns = given(spec->ns) ? host_xstrdup(spec->ns) : NULL;
    v->labels = labels ? host_xstrdup(spec->label_selector) : NULL;
    v->selector = selector;
    v->metadata_only = spec->metadata_only;
    *out = v;
    return 0;
}

void watch_view_set(watch_view_t *v, const watch_spec_t *wider, watch_store_t *store)
{
    sight_t *s = host_xcalloc(1, sizeof(*s)), *before = v->sight;

    atomic_init(&s->refs, 1);
    s->store = watch_store_ref(store);
    s->by_ns = v->ns != NULL && !given(wider->ns);
    s->by_labels = v->labels != NULL && !given(wider->label_selector);
    s->projects = v->metadata_only && !wider->metadata_only;
    pthread_mutex_lock(&v->lock);
    v->sight = s;
    pthread_mutex_unlock(&v->lock);
    sight_unref(before);
}

void watch_view_set_cluster_scoped(watch_view_t *v)
{
    v->sight->cluster_scoped = true;
}

bool watch_view_show(watch_view_t *v, const watch_event_t *event, watch_view_event_t *shown)
{
    const sight_t *s = v->sight;

    *shown = (watch_view_event_t){.event = *event};
    const bool is = event->object != NULL && shows(v, s, event->object);
    const bool was = event->old != NULL && shows(v, s, event->old);

    if (!is && !was)
        return false;
    if (is)
        shown->object = look(s, (watch_snapshot_t *) event->object);
    if (was)
        shown->old = look(s, (watch_snapshot_t *) event->old);
    shown->event.object = shown->object;
    shown->event.old = shown->old;
    if (!is && event->type == WATCH_EVENT_CHANGED)
        shown->event.type = WATCH_EVENT_LEFT; /* it is there, as the event says */
    return true;
}

void watch_view_event_fini(watch_view_event_t *shown)
{
    watch_snapshot_unref(shown->object);
    watch_snapshot_unref(shown->old);
}

bool watch_view_holds_whole(const watch_view_t *v)
{
    return v->sight->projects || !v->metadata_only;
}

void watch_view_note_write(watch_view_t *v, watch_snapshot_t *object)
{
    watch_store_note_write(v->sight->store, object);
}

void watch_view_note_left(watch_view_t *v, watch_snapshot_t *object)
{
    /* Others see it still, when the store is wider than this view, which hides it by its labels. */
    if (v->sight->by_labels)
        watch_store_note_write(v->sight->store, object);
    else
        watch_store_note_left(v->sight->store, object);
}

void watch_view_note_delete(watch_view_t *v, const char *ns, const char *name, const char *uid)
{
    watch_store_note_delete(v->sight->store, ns, name, uid);
}
