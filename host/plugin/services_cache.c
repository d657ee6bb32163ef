/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the cache from the plugin's threads. Never waits for the network or for the loop. */
#include "base/error.h"
#include "plugin/services_impl.h"

#include <string.h>

/* A view with a reference of its own; NULL ns: for all namespaces. */
static bool slot_covers(const plugin_cache_slot_t *slot, uint32_t watch, const char *ns)
{
    return slot->watch == watch && (ns == NULL || slot->ns == NULL || strcmp(slot->ns, ns) == 0);
}

static int check_watch(const plugin_services_t *s, uint32_t watch, lh_error_t *err)
{
    if (watch < s->manifest->watch_count)
        return 0;
    return host_fail(err, LH_EINVAL, "cache: watch %u, but the manifest has %zu", watch,
                     s->manifest->watch_count);
}

static int not_ready(const plugin_services_t *s, uint32_t watch, const char *ns, lh_error_t *err)
{
    const kube_gvr_t *gvr = &s->manifest->watches[watch].gvr;
    const bool somewhere = ns != NULL && ns[0] != '\0';

    return host_fail(err, LH_EUNAVAILABLE,
                     "cache: %s%s%s%s%s has not synced yet, or is not watched", gvr->resource,
                     gvr->group[0] != '\0' ? "." : "", gvr->group,
                     somewhere ? " in namespace " : "", somewhere ? ns : "");
}

int services_cache_get(void *self, lh_ctx_t ctx, const lh_key_t *key, const watch_snapshot_t *held,
                       watch_snapshot_t **out, lh_error_t *err)
{
    plugin_services_t *s = self;
    watch_view_t *view = NULL;
    int code = check_watch(s, key->watch, err);

    if (code < 0)
        return code;
    pthread_mutex_lock(&s->lock);
    code = services_ctx_state(s, ctx, NULL);
    for (size_t i = 0; code == 0 && view == NULL && i < s->slot_count; i++) {
        if (slot_covers(&s->slots[i], key->watch, key->ns))
            view = watch_view_ref(s->slots[i].view);
    }
    pthread_mutex_unlock(&s->lock);
    if (code < 0)
        return services_ctx_fail(err, code);
    if (view == NULL || !watch_view_synced(view)) {
        watch_view_unref(view);
        return not_ready(s, key->watch, key->ns, err);
    }
    watch_snapshot_t *object = NULL;

    code = watch_view_read(view, key->ns, key->name, held, &object);
    watch_view_unref(view);
    if (code < 0)
        return host_fail(err, code, "cache: out of memory");
    if (object != NULL) {
        *out = object;
        return 0;
    }
    return host_fail(err, LH_ENOTFOUND, "cache: no %s '%s%s%s'",
                     s->manifest->watches[key->watch].gvr.resource, key->ns,
                     key->ns[0] != '\0' ? "/" : "", key->name);
}

/* -- Walks -- */

typedef struct walk_part {
    watch_view_t *view;
    watch_name_t *names; /* name NULL: was gone when the walk came to it, and stays so */
    size_t count;
} walk_part_t;

struct plugin_cursor {
    walk_part_t *parts; /* one per view */
    size_t part_count, part, at;
};

void services_cursor_free(void *self, plugin_cursor_t *c)
{
    (void) self;
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->part_count; i++) {
        watch_names_free(c->parts[i].names, c->parts[i].count);
        watch_view_unref(c->parts[i].view);
    }
    free(c->parts);
    free(c);
}

static void cursor_freep(plugin_cursor_t **c)
{
    services_cursor_free(NULL, *c);
}

/* Takes the views of the query under the lock; their names are read without it. */
static int walk_views(plugin_services_t *s, lh_ctx_t ctx, const lh_query_t *q, plugin_cursor_t *c)
{
    pthread_mutex_lock(&s->lock);
    const int code = services_ctx_state(s, ctx, NULL);
    if (code == 0 && s->slot_count > 0) {
        c->parts = host_xcalloc(s->slot_count, sizeof(*c->parts));
        for (size_t i = 0; i < s->slot_count; i++) {
            if (slot_covers(&s->slots[i], q->watch, q->ns))
                c->parts[c->part_count++].view = watch_view_ref(s->slots[i].view);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return code;
}

bool services_has_object(plugin_services_t *s, const lh_key_t *key)
{
    watch_view_t *view = NULL;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; view == NULL && i < s->slot_count; i++) {
        if (slot_covers(&s->slots[i], key->watch, key->ns))
            view = watch_view_ref(s->slots[i].view);
    }
    pthread_mutex_unlock(&s->lock);
    if (view == NULL)
        return false;
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
        watch_view_get(view, key->ns, key->name);

    watch_view_unref(view);
    return object != NULL;
}

int services_cache_list(void *self, lh_ctx_t ctx, const lh_query_t *q, plugin_cursor_t **out,
                        lh_error_t *err)
{
    plugin_services_t *s = self;
    host_cleanup(cursor_freep) plugin_cursor_t *c = calloc(1, sizeof(*c));
    int code = check_watch(s, q->watch, err);

    if (code < 0)
        return code;
    if (c == NULL)
        return host_fail(err, LH_ENOMEM, "cache_list: out of memory");
    code = walk_views(s, ctx, q, c);
    if (code < 0)
        return services_ctx_fail(err, code);
    if (c->part_count == 0)
        return not_ready(s, q->watch, q->ns, err);
    for (size_t i = 0; i < c->part_count; i++) {
        walk_part_t *p = &c->parts[i];
        if (!watch_view_synced(p->view))
            return not_ready(s, q->watch, q->ns, err);
        code = watch_view_names(p->view, q->ns, q->label_selector, q->owner_uid, &p->names,
                                &p->count, err);
        if (code < 0)
            return host_error_wrap(err, code, "cache_list");
    }
    *out = host_steal(c);
    return 0;
}

int services_cursor_next(void *self, plugin_cursor_t *c, watch_snapshot_t **out, lh_error_t *err)
{
    (void) self;
    *out = NULL;
    while (c->part < c->part_count) {
        const walk_part_t *p = &c->parts[c->part];
        if (c->at == p->count) {
            c->part++;
            c->at = 0;
            continue;
        }
        watch_name_t *n = &p->names[c->at];
        if (n->name != NULL && watch_view_read(p->view, n->ns, n->name, NULL, out) < 0)
            return host_fail(err, LH_ENOMEM, "cache: out of memory"); /* the same one comes again */
        c->at++;
        if (*out != NULL)
            return 0;
        n->name = NULL; /* part of what ns points to */
    }
    return 0;
}

void services_cursor_back(void *self, plugin_cursor_t *c, uint32_t count)
{
    (void) self;
    while (count > 0 && (c->part > 0 || c->at > 0)) {
        if (c->at == 0) {
            c->at = c->parts[--c->part].count;
            continue;
        }
        if (c->parts[c->part].names[--c->at].name != NULL)
            count--;
    }
}

size_t services_cursor_names(void *self, const plugin_cursor_t *c)
{
    size_t count = 0;

    (void) self;
    for (size_t i = 0; i < c->part_count; i++)
        count += c->parts[i].count;
    return count;
}

void plugin_services_set_cache(plugin_services_t *s, const plugin_cache_slot_t *slots, size_t count)
{
    plugin_cache_slot_t *fresh = count > 0 ? host_xcalloc(count, sizeof(*fresh)) : NULL;

    for (size_t i = 0; i < count; i++) {
        fresh[i] = (plugin_cache_slot_t){
            .watch = slots[i].watch,
            .ns = slots[i].ns != NULL ? host_xstrdup(slots[i].ns) : NULL,
            .view = watch_view_ref(slots[i].view),
        };
    }
    pthread_mutex_lock(&s->lock);
    plugin_cache_slot_t *old = s->slots;
    const size_t old_count = s->slot_count;
    s->slots = fresh;
    s->slot_count = count;
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < old_count; i++) {
        watch_view_unref(old[i].view);
        free((char *) old[i].ns);
    }
    free(old);
}
