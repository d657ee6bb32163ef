/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/map.h"

#include "json/skim.h"

#include <string.h>

typedef struct target {
    const plugin_manifest_t *manifest;
    const watch_snapshot_t *object;
    uint32_t primary;
    void (*add)(void *arg, uint32_t primary, const char *ns, const char *name);
    void *arg;
} target_t;

/* "group/version" or "version": its group equals that of gvr. */
static bool same_group(skim_span_t api_version, const kube_gvr_t *gvr)
{
    if (api_version.p == NULL)
        return false;
    const char *slash = memchr(api_version.p, '/', api_version.len);
    const size_t len = slash != NULL ? (size_t) (slash - api_version.p) : 0;

    return strlen(gvr->group) == len && memcmp(gvr->group, api_version.p, len) == 0;
}

static void add_name(const target_t *t, const char *ns, const char *name)
{
    if (name[0] != '\0' && strlen(name) <= 253 && strlen(ns) <= 253)
        t->add(t->arg, t->primary, ns, name);
}

/* Owner references to the primary's kind: all, or only the controller. An owner lives in the
 * object's namespace or in none; which of the two, the primary's cache knows: both keys would be
 * looked up, so the namespace of the object is taken (garbage collection demands as much of
 * namespaced owners) and the controller drops it for cluster-scoped primaries. */
static void map_owners(const target_t *t, const skim_meta_t *meta, bool controller_only)
{
    const plugin_watch_t *primary = &t->manifest->watches[t->primary];
    skim_span_t owner;

    for (const char *at = NULL; skim_element_next(meta->owner_references, &at, &owner);) {
        if (controller_only && !skim_equal(skim_get(owner, "controller"), "true"))
            continue;
        if (!skim_equal(skim_get(owner, "kind"), primary->kind) ||
            !same_group(skim_get(owner, "apiVersion"), &primary->gvr))
            continue;
        host_cleanup(host_freep) char *name = skim_dup(skim_get(owner, "name"));
        if (name != NULL)
            add_name(t, watch_snapshot_ns(t->object), name);
    }
}

/* "name" or "namespace/name". */
static void map_text(const target_t *t, skim_span_t value)
{
    host_cleanup(host_freep) char *text = skim_dup(value);

    if (text == NULL)
        return;
    char *slash = strchr(text, '/');
    if (slash == NULL) {
        add_name(t, watch_snapshot_ns(t->object), text);
        return;
    }
    *slash = '\0';
    add_name(t, text, slash + 1);
}

/* Follows a JSON Pointer (RFC 6901) through objects; arrays are not walked. */
static skim_span_t follow(skim_span_t value, const char *pointer)
{
    while (value.p != NULL && *pointer == '/') {
        char key[256];
        size_t len = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/' && len + 1 < sizeof(key); pointer++) {
            if (*pointer == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                key[len++] = *++pointer == '0' ? '~' : '/';
            else
                key[len++] = *pointer;
        }
        key[len] = '\0';
        value = skim_get(value, key);
    }
    return value;
}

/* The string at a pointer, NULL when there is none; caller owns, free(). */
static char *string_at(skim_span_t object, const char *pointer)
{
    const skim_span_t value = follow(object, pointer);

    /* Of a string the span begins behind its quote; null or 7 names nothing. */
    return value.p != NULL && value.p[-1] == '"' ? skim_dup(value) : NULL;
}

static void map_field(const target_t *t, const plugin_map_t *map)
{
    size_t len;
    const char *text = watch_snapshot_text(t->object, &len);
    const skim_span_t object = {.p = text, .len = len};
    host_cleanup(host_freep) char *name = string_at(object, map->path);
    host_cleanup(host_freep) char *ns =
        map->ns_path != NULL ? string_at(object, map->ns_path) : NULL;

    if (name != NULL)
        add_name(t, ns != NULL ? ns : watch_snapshot_ns(t->object), name);
}

void plugin_map(const plugin_manifest_t *m, uint32_t watch, const watch_snapshot_t *object,
                void (*add)(void *arg, uint32_t primary, const char *ns, const char *name),
                void *arg)
{
    const plugin_watch_t *w = &m->watches[watch];
    skim_meta_t meta;
    size_t len;
    const char *text = watch_snapshot_text(object, &len);

    if (w->role == PLUGIN_ROLE_PRIMARY) {
        add(arg, watch, watch_snapshot_ns(object), watch_snapshot_name(object));
        return;
    }
    if (w->role == PLUGIN_ROLE_CACHED || skim_meta(text, len, &meta, NULL) < 0)
        return; /* a snapshot has passed this once; nothing to lead anywhere */
    target_t t = {.manifest = m, .object = object, .add = add, .arg = arg};
    if (w->role == PLUGIN_ROLE_OWNED) {
        t.primary = w->primary;
        map_owners(&t, &meta, true);
        return;
    }
    t.primary = w->map.primary;
    switch (w->map.by) {
    case PLUGIN_MAP_LABEL:
        map_text(&t, skim_get(meta.labels, w->map.key));
        break;
    case PLUGIN_MAP_ANNOTATION:
        map_text(&t, skim_get(meta.annotations, w->map.key));
        break;
    case PLUGIN_MAP_FIELD:
        map_field(&t, &w->map);
        break;
    case PLUGIN_MAP_OWNER:
        map_owners(&t, &meta, false);
        break;
    }
}
