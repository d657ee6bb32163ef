/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/overlay.h"

#include "watch/fields.h"
#include "watch/selector.h"
#include "json/skim.h"

#include <string.h>

#define NAMESPACES "namespaces/"

/* "/api/v1/..." or "/apis/<group>/<version>/...": the path names the resource of gvr. */
static bool path_names(const char *path, const kube_gvr_t *gvr)
{
    host_cleanup(buf_fini) buf_t all = BUF_INIT;
    const size_t resource = strlen(gvr->resource);

    if (kube_path(&all, gvr, NULL, NULL) < 0)
        return false;
    const size_t before = all.len - resource;
    if (strncmp(path, buf_text(&all), before) != 0)
        return false;
    const char *rest = path + before;
    if (strncmp(rest, NAMESPACES, strlen(NAMESPACES)) == 0 &&
        strcmp(gvr->resource, "namespaces") != 0) {
        rest = strchr(rest + strlen(NAMESPACES), '/');
        if (rest == NULL)
            return false;
        rest++;
    }
    return strncmp(rest, gvr->resource, resource) == 0 &&
           (rest[resource] == '\0' || rest[resource] == '/' || rest[resource] == '?');
}

/* "" when the path has none; false when it has none that can be. */
static bool path_namespace(const char *path, char *ns, size_t size)
{
    const char *at = strstr(path, "/" NAMESPACES);
    size_t len = 0;

    if (at != NULL) {
        at += 1 + strlen(NAMESPACES);
        len = strcspn(at, "/?");
        if (len >= size)
            return false;
        memcpy(ns, at, len);
    }
    ns[len] = '\0';
    return true;
}

static bool holds(const plugin_overlay_target_t *t, const char *ns)
{
    return t->ns == NULL || strcmp(t->ns, ns) == 0;
}

enum selection { SELECTED, NOT_SELECTED, UNKNOWN };

static enum selection select_object(const plugin_watch_t *w, skim_span_t labels)
{
    watch_selector_t *selector = NULL;
    bool match = true;

    if (w->label_selector != NULL) {
        if (watch_selector_parse(w->label_selector, &selector, NULL) < 0)
            return UNKNOWN;
        match = watch_selector_match(selector, labels);
        watch_selector_destroy(selector);
    }
    if (!match)
        return NOT_SELECTED;
    return w->field_selector != NULL ? UNKNOWN : SELECTED;
}

static void destroy_fields(watch_fields_t **f)
{
    watch_fields_destroy(*f);
}

/* The object as the store of this watch holds it: whole, its fields, or its metadata alone. A stream
 * that brings more than the watch asks for has the same fields. */
static int read_object(const plugin_overlay_target_t *t, const plugin_reply_t *reply,
                       watch_snapshot_t **out)
{
    host_cleanup(destroy_fields) watch_fields_t *fields = NULL;

    if (!watch_view_holds_whole(t->view))
        return watch_view_metadata(reply->body, reply->len, t->watch->kind, out);
    if (watch_fields_parse(t->watch->fields, &fields, NULL) < 0)
        return LH_EINVAL;
    return watch_fields_snapshot(fields, reply->body, reply->len, NULL, NULL, out, NULL);
}

/* A Status that says that a deletion is complete: its details name the object, and as kind the
 * resource. */
static void note_deletion(const plugin_overlay_target_t *t, const plugin_reply_t *reply)
{
    const skim_span_t body = {.p = reply->body, .len = reply->len};
    const skim_span_t details = skim_get(body, "details");
    host_cleanup(host_freep) char *name = skim_dup(skim_get(details, "name"));
    host_cleanup(host_freep) char *uid = skim_dup(skim_get(details, "uid"));
    char ns[254] = "";

    if (name == NULL || uid == NULL ||
        !skim_equal(skim_get(details, "kind"), t->watch->gvr.resource))
        return;
    if (t->namespaced && !path_namespace(reply->path, ns, sizeof(ns)))
        return;
    if (holds(t, ns))
        watch_view_note_delete(t->view, ns, name, uid);
}

static void note_object(const plugin_overlay_target_t *t, const plugin_reply_t *reply,
                        const skim_meta_t *meta)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;

    /* A subresource may answer with another kind. */
    if (!skim_equal(meta->kind, t->watch->kind))
        return;
    const enum selection selection = select_object(t->watch, meta->labels);

    if (selection == UNKNOWN || read_object(t, reply, &object) < 0 ||
        !holds(t, watch_snapshot_ns(object)))
        return;
    if (selection == SELECTED)
        watch_view_note_write(t->view, object);
    else
        watch_view_note_left(t->view, object);
}

void plugin_overlay_note(const plugin_overlay_target_t *t, const plugin_reply_t *reply)
{
    skim_meta_t meta;

    if (!path_names(reply->path, &t->watch->gvr) ||
        skim_meta(reply->body, reply->len, &meta, NULL) < 0)
        return;
    if (!skim_equal(meta.kind, "Status"))
        note_object(t, reply, &meta);
    else if (strcmp(reply->method, "DELETE") == 0)
        note_deletion(t, reply);
}
