/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/sources.h"

#include "base/clock.h"
#include "base/error.h"
#include "plugin/map.h"
#include "plugin/overlay.h"
#include "plugin/watch_spec.h"

#include <string.h>

/* One subscription: a watch of the manifest in one namespace (NULL: all). */
typedef struct source {
    plugin_sources_t *all;
    uint32_t watch;
    const char *ns;
    watch_sub_t *sub;
    watch_view_t *view;
    bool known; /* the kind has been found, and with it whether it is namespaced */
    bool spare; /* of a cluster-scoped kind, which another source has whole: without sub and view */
    bool synced;
    char *problem;
} source_t;

struct plugin_sources {
    plugin_sources_options_t o;
    source_t *items;
    size_t count;
};

static source_t *source_of(const plugin_sources_t *all, uint32_t watch, const char *ns)
{
    for (source_t *s = all->items; s < all->items + all->count; s++) {
        if (s->watch == watch && !s->spare && (s->ns == NULL || strcmp(s->ns, ns) == 0))
            return s;
    }
    return NULL;
}

watch_view_t *plugin_sources_view(const plugin_sources_t *all, uint32_t watch, const char *ns)
{
    const source_t *s = source_of(all, watch, ns);

    return s != NULL ? s->view : NULL;
}

static bool is_everywhere(const plugin_sources_t *all)
{
    return all->o.namespaces == NULL || all->o.namespaces[0] == NULL;
}

bool plugin_sources_cover(const plugin_sources_t *all, const char *ns)
{
    if (is_everywhere(all) || ns[0] == '\0')
        return true;
    for (const char *const *n = all->o.namespaces; *n != NULL; n++) {
        if (strcmp(*n, ns) == 0)
            return true;
    }
    return false;
}

/* -- Scope -- */

/* Shows the caches to the plugin. */
static void publish_cache(plugin_sources_t *all)
{
    plugin_cache_slot_t *slots = host_xcalloc(all->count + 1, sizeof(*slots));
    size_t count = 0;

    for (const source_t *s = all->items; s < all->items + all->count; s++) {
        if (!s->spare)
            slots[count++] = (plugin_cache_slot_t){s->watch, s->ns, s->view};
    }
    plugin_services_set_cache(all->o.services, slots, count);
    free(slots);
}

static void set_spare(source_t *s)
{
    s->known = s->spare = s->synced = true;
    watch_unsubscribe(host_steal(s->sub));
    watch_view_unref(host_steal(s->view));
    free(host_steal(s->problem));
}

/* The first news of a source: its kind has been found. Which scope it has was not known when one
 * source was opened for each of the instance's namespaces; a cluster-scoped kind needs only one. */
static void learn_scope(source_t *s)
{
    plugin_sources_t *all = s->all;

    if (s->known)
        return;
    s->known = true;
    if (s->ns == NULL || watch_sub_namespaced(s->sub))
        return;
    s->ns = NULL;
    for (source_t *o = all->items; o < all->items + all->count; o++) {
        if (o != s && o->watch == s->watch)
            set_spare(o);
    }
    publish_cache(all);
}

/* -- From events to keys -- */

typedef struct add {
    plugin_sources_t *all;
    uint32_t reason;
    enum queue_priority priority;
} add_t;

static void add_key(void *arg, uint32_t primary, const char *ns, const char *name)
{
    const add_t *a = arg;
    const source_t *s = source_of(a->all, primary, ns);

    if (s == NULL)
        return; /* outside the namespaces of this instance */
    const bool namespaced = watch_sub_namespaced(s->sub);
    if (!s->known && !namespaced)
        return; /* perhaps only not known yet; the primary's first list will bring this key anyway */
    const queue_key_t key = {.watch = primary, .ns = namespaced ? ns : "", .name = name};
    if (queue_add(a->all->o.queue, &key, a->reason, a->priority, clock_now()) < 0)
        log_error(a->all->o.log, "out of memory: '%s/%s' is not queued", ns, name);
}

static void add_tombstone(plugin_sources_t *all, uint32_t watch, const watch_event_t *event)
{
    const queue_key_t key = {watch, watch_snapshot_ns(event->old), watch_snapshot_name(event->old)};
    const uint32_t reason = event->type == WATCH_EVENT_LEFT ? LH_REASON_LEFT : LH_REASON_GONE;

    if (queue_add_tombstone(all->o.queue, &key, reason, watch_snapshot_uid(event->old), event->old,
                            clock_now()) < 0)
        log_error(all->o.log, "out of memory: the end of '%s/%s' is not queued", key.ns, key.name);
}

static void source_event(void *arg, const watch_event_t *event) /* [loop-thread] */
{
    source_t *s = arg;
    plugin_sources_t *all = s->all;
    const plugin_manifest_t *m = all->o.manifest;
    add_t add = {all, event->initial ? LH_REASON_INITIAL : LH_REASON_CHANGED,
                 event->initial ? QUEUE_INITIAL : QUEUE_LIVE};

    learn_scope(s);
    if (m->watches[s->watch].role == PLUGIN_ROLE_PRIMARY && event->object == NULL) {
        if (event->old != NULL)
            add_tombstone(all, s->watch, event);
    } else {
        if (event->object != NULL)
            plugin_map(m, s->watch, event->object, add_key, &add);
        /* What it led to before matters too: an owner or label may have been taken away. */
        if (event->old != NULL && m->watches[s->watch].role != PLUGIN_ROLE_PRIMARY)
            plugin_map(m, s->watch, event->old, add_key, &add);
    }
    all->o.on_keys(all->o.arg);
}

/* -- State -- */

void plugin_sources_tell(plugin_sources_t *all)
{
    const char *problem = NULL;
    bool ready = true;

    for (const source_t *s = all->items; s < all->items + all->count; s++) {
        if (problem == NULL)
            problem = s->problem;
        ready = ready && s->synced;
    }
    all->o.on_state(all->o.arg, ready, problem);
}

/* Of a kind that is watched twice, or in several namespaces, one line tells. */
static bool is_told(const source_t *s, const char *problem)
{
    const plugin_sources_t *all = s->all;

    for (const source_t *o = all->items; o < all->items + all->count; o++) {
        if (o != s && o->problem != NULL && strcmp(o->problem, problem) == 0)
            return true;
    }
    return false;
}

static const kube_gvr_t *gvr_of(const source_t *s)
{
    return &s->all->o.manifest->watches[s->watch].gvr;
}

static bool kind_fails(const source_t *s)
{
    const plugin_sources_t *all = s->all;

    for (const source_t *o = all->items; o < all->items + all->count; o++) {
        if (o->problem != NULL && strcmp(gvr_of(o)->resource, gvr_of(s)->resource) == 0 &&
            strcmp(gvr_of(o)->group, gvr_of(s)->group) == 0)
            return true;
    }
    return false;
}

/* problem NULL: it is known to work. */
static void set_problem(source_t *s, const char *problem)
{
    const kube_gvr_t *gvr = gvr_of(s);
    const char *dot = gvr->group[0] != '\0' ? "." : "";
    const bool failed = s->problem != NULL;

    free(host_steal(s->problem));
    if (problem != NULL) {
        s->problem = host_xprintf("%s%s%s: %s", gvr->resource, dot, gvr->group, problem);
        if (!is_told(s, s->problem))
            log_warn(s->all->o.log, "%s", s->problem);
    } else if (failed && !kind_fails(s)) {
        log_info(s->all->o.log, "%s%s%s: works now", gvr->resource, dot, gvr->group);
    }
}

static void source_synced(void *arg) /* [loop-thread] */
{
    source_t *s = arg;

    learn_scope(s);
    s->synced = true;
    set_problem(s, NULL);
    plugin_sources_tell(s->all);
}

static void source_state(void *arg, const char *problem) /* [loop-thread] */
{
    source_t *s = arg;

    if (problem == NULL)
        learn_scope(s);
    set_problem(s, problem);
    plugin_sources_tell(s->all);
}

static const watch_handler_t source_handler = {
    .on_event = source_event,
    .on_synced = source_synced,
    .on_state = source_state,
};

/* -- What was written -- */

void plugin_sources_written(plugin_sources_t *all, const char *method, const char *path,
                            const char *body, size_t len)
{
    const plugin_reply_t reply = {method, path, body, len};

    for (const source_t *s = all->items; s < all->items + all->count; s++) {
        if (s->spare)
            continue;
        const plugin_overlay_target_t target = {.watch = &all->o.manifest->watches[s->watch],
                                                .ns = s->ns,
                                                .namespaced = watch_sub_namespaced(s->sub),
                                                .view = s->view};

        plugin_overlay_note(&target, &reply);
    }
}

/* -- Opening and closing -- */

static int open_source(plugin_sources_t *all, uint32_t watch, const char *ns, lh_error_t *err)
{
    const watch_spec_t spec = plugin_watch_spec(&all->o.manifest->watches[watch], ns);
    source_t *s = &all->items[all->count];

    *s = (source_t){.all = all, .watch = watch, .ns = ns};
    const int ret = watch_subscribe(all->o.hub, &spec, &source_handler, s, &s->sub, err);
    if (ret < 0)
        return host_error_wrap(err, ret, "watch %u of the manifest", watch);
    s->view = watch_sub_view(s->sub);
    all->count++;
    return 0;
}

static int open_each(plugin_sources_t *all, lh_error_t *err)
{
    const bool everywhere = is_everywhere(all);
    size_t namespaces = 1;

    while (!everywhere && all->o.namespaces[namespaces] != NULL)
        namespaces++;
    all->items = host_xcalloc(all->o.manifest->watch_count * namespaces + 1, sizeof(*all->items));
    for (uint32_t w = 0; w < all->o.manifest->watch_count; w++) {
        for (size_t n = 0; n < namespaces; n++) {
            const int ret = open_source(all, w, everywhere ? NULL : all->o.namespaces[n], err);
            if (ret < 0)
                return ret;
        }
    }
    return 0;
}

int plugin_sources_open(plugin_sources_t *all, lh_error_t *err)
{
    const int ret = open_each(all, err);

    if (ret < 0)
        plugin_sources_close(all);
    else
        publish_cache(all);
    return ret;
}

void plugin_sources_close(plugin_sources_t *all)
{
    plugin_services_set_cache(all->o.services, NULL, 0);
    for (source_t *s = all->items; s < all->items + all->count; s++) {
        if (s->sub != NULL)
            watch_unsubscribe(s->sub);
        watch_view_unref(s->view);
        free(s->problem);
    }
    free(host_steal(all->items));
    all->count = 0;
}

plugin_sources_t *plugin_sources_create(const plugin_sources_options_t *options)
{
    plugin_sources_t *all = host_xcalloc(1, sizeof(*all));

    all->o = *options;
    return all;
}

void plugin_sources_destroy(plugin_sources_t *all)
{
    if (all == NULL)
        return;
    plugin_sources_close(all);
    free(all);
}
