/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/managed_view.h"
#include "devapi/field_fill.h"

#include <stdlib.h>
#include <string.h>

/* -- Versions -- */

static bool is_event(const char *api_version)
{
    return strcmp(api_version, "v1") == 0 || strcmp(api_version, "events.k8s.io/v1") == 0;
}

/* The version of the kind that an apiVersion names; NULL: none. */
static const dev_version_t *version_in(const dev_kind_t *kind, const char *api_version)
{
    for (size_t i = 0; i < HOST_LEN(kind->versions) && kind->versions[i].name != NULL; i++) {
        host_cleanup(host_freep) char *text = dev_api_version(kind, kind->versions[i].name);
        if (strcmp(text, api_version) == 0)
            return &kind->versions[i];
    }
    return NULL;
}

bool managed_type_of(const dev_kind_t *kind, const char *api_version, field_type_t *out)
{
    const dev_version_t *v = version_in(kind, api_version);

    if ((kind->flags & DEV_CUSTOM) != 0) {
        *out = (field_type_t){.source = FIELD_OF_SCHEMA,
                              .schema = v == NULL ? NULL : v->openapi,
                              .whole = true,
                              .preserve = v != NULL &&
                                          tree_true(v->openapi, "x-kubernetes-preserve-unknown-"
                                                                "fields")};
        return v != NULL;
    }
    /* The two kinds of events share their objects. */
    if (v == NULL && !(strcmp(kind->kind, "Event") == 0 && is_event(api_version)))
        return false;
    *out = (field_type_t){.source = FIELD_OF_MESSAGE,
                          .message = dev_message_of(api_version, kind->kind),
                          .whole = true};
    return out->message != NULL;
}

cJSON *managed_shape(const field_type_t *t, const char *api_version, const cJSON *object)
{
    cJSON *tree = object == NULL ? cJSON_CreateObject() : cJSON_Duplicate(object, true);

    tree_remove(tree, "kind");
    tree_remove(tree, "apiVersion");
    tree_remove(tree_get(tree, "metadata"), "managedFields");
    if (t->source == FIELD_OF_MESSAGE && t->message == dev_message_of("v1", "Event"))
        dev_event_to_core(tree);
    else if (strcmp(api_version, "events.k8s.io/v1") == 0)
        dev_event_from_core(tree);
    if (t->source == FIELD_OF_MESSAGE)
        field_fill(t->message, tree);
    return tree;
}

/* -- What nobody manages -- */

static void insert_member(field_set_t *s, const char *first, const char *second)
{
    const field_path_t *path = FIELD_STEP(NULL, first);

    field_set_insert(s, second == NULL ? path : FIELD_STEP(path, second));
}

void managed_strip(field_set_t *s)
{
    static const char *const meta[] = {
        "f:name", "f:namespace",  "f:creationTimestamp", "f:selfLink",
        "f:uid",  "f:generation", "f:managedFields",     "f:resourceVersion"};
    field_set_t what = {0};

    insert_member(&what, "f:apiVersion", NULL);
    insert_member(&what, "f:kind", NULL);
    insert_member(&what, "f:metadata", NULL);
    for (size_t i = 0; i < HOST_LEN(meta); i++)
        insert_member(&what, "f:metadata", meta[i]);
    field_set_subtract(s, &what);
    field_set_fini(&what);
}

void managed_reset_fields(const dev_request_t *r, field_set_t *out)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);

    if (!dev_is_sub(r, "status")) {
        if (v != NULL && v->status)
            insert_member(out, "f:status", NULL);
        return;
    }
    insert_member(out, "f:spec", NULL);
    if (dev_is_kind(r->kind, "apps", "Deployment"))
        insert_member(out, "f:metadata", "f:labels");
    if (dev_is_kind(r->kind, "apiextensions.k8s.io", "CustomResourceDefinition"))
        insert_member(out, "f:metadata", NULL);
    if (dev_is_kind(r->kind, "", "Pod")) {
        insert_member(out, "f:metadata", "f:deletionTimestamp");
        insert_member(out, "f:metadata", "f:ownerReferences");
    }
}

/* -- Changes, by version -- */

managed_views_t managed_views_of(const dev_request_t *r, const cJSON *before, const cJSON *after)
{
    managed_views_t v = {.r = r, .before = before, .after = after};

    managed_reset_fields(r, &v.reset);
    return v;
}

void managed_views_fini(managed_views_t *v)
{
    for (size_t i = 0; i < v->n; i++) {
        free(v->at[i].version);
        field_changes_fini(&v->at[i].changes);
    }
    free(v->at);
    field_set_fini(&v->reset);
    *v = (managed_views_t){0};
}

static void look(managed_views_t *v, managed_view_t *view)
{
    view->known = managed_type_of(v->r->kind, view->version, &view->type);
    if (!view->known)
        return;
    if (v->shaped != NULL && strcmp(v->shaped, view->version) == 0) {
        field_compare(&view->type, v->before, v->after, &view->changes);
    } else {
        cJSON *before = managed_shape(&view->type, view->version, v->before);
        cJSON *after = managed_shape(&view->type, view->version, v->after);
        field_compare(&view->type, before, after, &view->changes);
        cJSON_Delete(before);
        cJSON_Delete(after);
    }
    field_set_subtract_deep(&view->changes.removed, &v->reset);
    field_set_subtract_deep(&view->changes.modified, &v->reset);
    field_set_subtract_deep(&view->changes.added, &v->reset);
}

const managed_view_t *managed_view_in(managed_views_t *v, const char *api_version)
{
    for (size_t i = 0; i < v->n; i++) {
        if (strcmp(v->at[i].version, api_version) == 0)
            return &v->at[i];
    }
    managed_view_t *more = host_xcalloc(v->n + 1, sizeof(*more));
    if (v->n > 0)
        memcpy(more, v->at, v->n * sizeof(*more));
    free(v->at);
    v->at = more;
    more[v->n].version = host_xstrdup(api_version);
    look(v, &more[v->n]);
    return &more[v->n++];
}

/* -- The others -- */

managed_t managed_conflicts(managed_views_t *v, const managed_t *m, const managed_entry_t *self)
{
    managed_t found = {0};

    for (size_t i = 0; i < m->n; i++) {
        const managed_entry_t *e = &m->at[i];
        const managed_view_t *view = managed_view_in(v, e->version);
        managed_entry_t *conflict = e == self ? NULL : managed_reach(&found, e);

        if (conflict == NULL || !view->known)
            continue;
        conflict->fields = field_set_copy(&view->changes.modified);
        field_set_unite(&conflict->fields, &view->changes.added);
        field_set_intersect(&conflict->fields, &e->fields);
    }
    managed_drop_empty(&found);
    return found;
}

void managed_yield(managed_views_t *v, managed_t *m, const managed_entry_t *self)
{
    for (size_t i = 0; i < m->n; i++) {
        managed_entry_t *e = &m->at[i];
        const managed_view_t *view = managed_view_in(v, e->version);

        if (e == self)
            continue;
        if (!view->known) {
            field_set_fini(&e->fields);
            continue;
        }
        field_set_subtract(&e->fields, &view->changes.modified);
        field_set_subtract(&e->fields, &view->changes.added);
        field_set_subtract(&e->fields, &view->changes.removed);
    }
    managed_drop_empty(m);
}

void managed_reconcile(const dev_kind_t *kind, managed_t *m)
{
    for (size_t i = 0; i < m->n; i++) {
        field_type_t type;

        if (managed_type_of(kind, m->at[i].version, &type))
            field_set_reconcile(&type, &m->at[i].fields);
    }
}

/* -- Updates -- */

void managed_count(managed_views_t *v, managed_t *m, const char *manager, const char *now)
{
    host_cleanup(host_freep) char *version = dev_api_version(v->r->kind, v->r->version);
    const managed_entry_t key = {.name = (char *) (dev_given(manager) ? manager : "unknown"),
                                 .version = version,
                                 .subresource =
                                     (char *) (v->r->subresource == NULL ? "" : v->r->subresource)};
    const managed_view_t *view = managed_view_in(v, version);
    field_set_t set = field_set_copy(&view->changes.modified);

    managed_reconcile(v->r->kind, m);
    field_set_unite(&set, &view->changes.added);
    managed_strip(&set);
    /* Zero replicas are not in a Scale, so nobody has set them. */
    if (dev_is_sub(v->r, "scale") && dev_scale_is_zero(v->r, v->after))
        field_set_fini(&set);
    managed_yield(v, m, NULL);
    if (!field_set_is_empty(&set)) {
        managed_entry_t *e = managed_reach(m, &key);
        field_set_unite(&e->fields, &set);
        if (!dev_is_sub(v->r,
                        "scale")) /* the real one counts these elsewhere, and loses the time */
            managed_set_time(e, now);
    }
    field_set_fini(&set);
    managed_cap(m);
}
