/* SPDX-License-Identifier: Apache-2.0 */
/* Server-side apply: an object and what somebody wants of it become one. */
#include "devapi/managed_write.h"

#include "devapi/field_fill.h"
#include "devapi/managed_view.h"

#include <stdlib.h>
#include <string.h>

#define BEFORE "before-first-apply"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

enum {
    MAX_ANNOTATIONS = 256 * 1024,
    MAX_CONFLICTS = 1000, /* that are listed; all are counted */
};

typedef struct applying {
    const dev_request_t *r;
    const cJSON *live, *patch; /* live NULL: there is none */
    const cJSON *base;         /* live in the form in which fields are counted */
    char *version;             /* apiVersion of the request; owned */
    field_type_t type;
    char now[32];
} applying_t;

static managed_entry_t key_of(const applying_t *a)
{
    return (managed_entry_t){.name = (char *) a->r->field_manager,
                             .version = a->version,
                             .subresource =
                                 (char *) (a->r->subresource == NULL ? "" : a->r->subresource),
                             .applied = true};
}

/* -- What the manager does not want any more -- */

static void collect_named(const field_type_t *t, const cJSON *object, field_set_t *out)
{
    field_set_of(t, object, out);
    field_set_name(t, out);
}

/* What the managers of one version own. */
static void collect_owned(const field_type_t *t, const managed_t *m, const char *version,
                          field_set_t *out)
{
    for (size_t i = 0; i < m->n; i++) {
        if (strcmp(m->at[i].version, version) == 0)
            field_set_unite(out, &m->at[i].fields);
    }
    field_set_name(t, out);
}

/* Replaces *pruned by merged without those of its fields that pruned and owned have not. */
static void add_back(const field_type_t *t, const cJSON *merged, const field_set_t *owned,
                     cJSON **pruned)
{
    host_cleanup(field_set_fini) field_set_t gone = {0};
    host_cleanup(field_set_fini) field_set_t kept = {0};

    collect_named(t, merged, &gone);
    collect_named(t, *pruned, &kept);
    field_set_unite(&kept, owned);
    field_set_subtract(&gone, &kept);
    cJSON_Delete(*pruned);
    *pruned = field_remove(t, merged, &gone);
}

static void add_back_owned(const applying_t *a, const managed_t *m, const field_type_t *last,
                           const char *last_version, const cJSON *merged, cJSON **pruned)
{
    host_cleanup(field_set_fini) field_set_t first = {0};

    collect_owned(last, m, last_version, &first);
    add_back(last, merged, &first, pruned);
    for (size_t i = 0; i < m->n; i++) {
        const char *version = m->at[i].version;
        host_cleanup(field_set_fini) field_set_t owned = {0};
        field_type_t type;
        bool seen = strcmp(version, last_version) == 0;

        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(m->at[k].version, version) == 0;
        if (seen || !managed_type_of(a->r->kind, version, &type))
            continue;
        collect_owned(&type, m, version, &owned);
        add_back(&type, merged, &owned, pruned);
    }
}

/* Only what the manager has applied before goes. */
static void add_back_dangling(const field_type_t *t, const field_set_t *last, const cJSON *merged,
                              cJSON **pruned)
{
    host_cleanup(field_set_fini) field_set_t gone = {0};
    host_cleanup(field_set_fini) field_set_t kept = {0};

    collect_named(t, merged, &gone);
    collect_named(t, *pruned, &kept);
    field_set_subtract(&gone, &kept);
    field_set_intersect(&gone, last);
    cJSON_Delete(*pruned);
    *pruned = field_remove(t, merged, &gone);
}

/* Takes from merged what the manager applied last, in that version, and nobody has now. Caller owns
 * the result; merged is taken. m has the manager's new fields. */
static cJSON *prune(const applying_t *a, const managed_t *m, field_set_t *last,
                    const char *last_version, cJSON *merged)
{
    field_type_t type;
    cJSON *pruned;

    if (field_set_is_empty(last) || !managed_type_of(a->r->kind, last_version, &type))
        return merged;
    field_set_name(&type, last);
    pruned = field_remove(&type, merged, last);
    add_back_owned(a, m, &type, last_version, merged, &pruned);
    add_back_dangling(&type, last, merged, &pruned);
    cJSON_Delete(merged);
    return pruned;
}

/* A member that is null is none, in a built-in kind. */
static void drop_nulls(cJSON *node)
{
    for (cJSON *it = node == NULL ? NULL : node->child, *next; it != NULL; it = next) {
        next = it->next;
        if (cJSON_IsNull(it) && cJSON_IsObject(node))
            cJSON_Delete(cJSON_DetachItemViaPointer(node, it));
        else
            drop_nulls(it);
    }
}

/* -- Conflicts -- */

static int by_name(const void *a, const void *b)
{
    const managed_entry_t *x = a, *y = b;
    const int orders[] = {strcmp(x->name, y->name), y->applied - x->applied,
                          strcmp(x->version, y->version), strcmp(x->subresource, y->subresource)};

    for (size_t i = 0; i < HOST_LEN(orders); i++) {
        if (orders[i] != 0)
            return orders[i];
    }
    return 0;
}

/* Who scales sees the managers of a Scale. */
static void print_manager(const managed_entry_t *e, bool scale, buf_t *out)
{
    buf_json_string(out, e->name, strlen(e->name));
    if (e->subresource[0] != '\0') {
        buf_puts(out, " with subresource ");
        buf_json_string(out, e->subresource, strlen(e->subresource));
    }
    if (!e->applied)
        buf_printf(out, " using %s", scale ? "autoscaling/v1" : e->version);
}

typedef struct report {
    dev_status_t *st;
    const char *manager;
    buf_t *lines; /* of one manager */
    char *first;  /* the first path; owned */
    size_t n;     /* those that were listed */
} report_t;

static bool note_conflict(void *arg, const char *path)
{
    report_t *report = arg;

    dev_cause(report->st, path, "FieldManagerConflict", "conflict with %s", report->manager);
    buf_printf(report->lines, "\n- %s", path);
    if (report->n++ == 0)
        report->first = host_xstrdup(path);
    return report->n < MAX_CONFLICTS;
}

static int refuse_conflicts(managed_t *conflicts, bool scale, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t all = BUF_INIT;
    host_cleanup(host_freep) char *last = NULL;
    report_t report = {.st = st, .lines = &all};
    size_t number = 0;
    int ret;

    qsort(conflicts->at, conflicts->n, sizeof(*conflicts->at), by_name);
    for (size_t i = 0; i < conflicts->n; i++) {
        host_cleanup(buf_fini) buf_t manager = BUF_INIT;

        print_manager(&conflicts->at[i], scale, &manager);
        report.manager = buf_text(&manager);
        buf_printf(&all, "%sconflicts with %s:", i == 0 ? "" : "\n", report.manager);
        number += field_set_size(&conflicts->at[i].fields);
        if (report.n < MAX_CONFLICTS)
            field_set_each(&conflicts->at[i].fields, note_conflict, &report);
        free(last);
        last = host_xstrdup(report.manager);
    }
    if (number == 1)
        ret = dev_refuse(st, 409, "Conflict", "Apply failed with 1 conflict: conflict with %s: %s",
                         last, report.first);
    else
        ret = dev_refuse(st, 409, "Conflict", "Apply failed with %zu conflicts: %s", number,
                         buf_text(&all));
    free(report.first);
    return ret;
}

/* -- Who comes from kubectl's client-side apply -- */

static bool is_kubectl(const applying_t *a)
{
    return strcmp(a->r->field_manager, "kubectl") == 0;
}

static const char *last_applied_of(const cJSON *object)
{
    return tree_text(tree_at(object, "metadata.annotations"), LAST_APPLIED);
}

/* The fields of the last client-side apply that still are as it left them: kubectl may take those
 * from whomever. */
static void collect_last_applied(const applying_t *a, field_set_t *out)
{
    cJSON *last = cJSON_Parse(last_applied_of(a->live));
    field_changes_t changes = {0};

    if (!cJSON_IsObject(last) || strcmp(tree_text(last, "apiVersion"), a->version) != 0) {
        cJSON_Delete(last);
        return;
    }
    field_set_of(&a->type, last, out);
    field_compare(&a->type, last, a->base, &changes);
    field_set_subtract(out, &changes.modified);
    field_set_subtract(out, &changes.added);
    field_set_subtract(out, &changes.removed);
    field_changes_fini(&changes);
    cJSON_Delete(last);
}

/* Conflicts that are none for kubectl are taken off. */
static void allow_last_applied(const applying_t *a, managed_t *conflicts)
{
    field_set_t allowed = {0};

    if (conflicts->n == 0 || !is_kubectl(a))
        return;
    collect_last_applied(a, &allowed);
    for (size_t i = 0; i < conflicts->n; i++)
        field_set_subtract(&conflicts->at[i].fields, &allowed);
    managed_drop_empty(conflicts);
    field_set_fini(&allowed);
}

/* kubectl's annotation stays up to date where there is one. */
static void renew_last_applied(const applying_t *a, cJSON *object)
{
    cJSON *annotations = tree_at(object, "metadata.annotations"), *config;
    const cJSON *item;
    size_t size = 0;

    if (!is_kubectl(a) || last_applied_of(object)[0] == '\0')
        return;
    config = cJSON_Duplicate(a->patch, true);
    tree_remove(tree_at(config, "metadata.annotations"), LAST_APPLIED);
    tree_sort_deep(config);
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(config);
    host_cleanup(host_freep) char *line = host_xprintf("%s\n", text == NULL ? "" : text);
    tree_set_text(annotations, LAST_APPLIED, line);
    cJSON_ArrayForEach (item, annotations)
        size += strlen(item->string) + strlen(cJSON_IsString(item) ? item->valuestring : "");
    if (size > MAX_ANNOTATIONS)
        tree_remove(annotations, LAST_APPLIED);
    cJSON_Delete(config);
}

/* -- Applying -- */

/* Of a Scale that is its replicas. */
static void count_scale_before(const applying_t *a, managed_t *m)
{
    managed_entry_t key = key_of(a);
    field_set_t replicas = dev_scale_fields(a->r), have = {0};

    key.name = (char *) BEFORE;
    key.applied = false;
    field_set_of(&a->type, a->base, &have);
    field_set_intersect(&replicas, &have);
    if (!dev_scale_owned(a->r, m))
        field_set_unite(&managed_reach(m, &key)->fields, &replicas);
    managed_drop_empty(m);
    field_set_fini(&replicas);
    field_set_fini(&have);
}

/* What somebody has written before managedFields were counted is an update of its own. */
static void count_before(const applying_t *a, managed_t *m)
{
    managed_views_t views;

    if (dev_is_sub(a->r, "scale")) {
        count_scale_before(a, m);
        return;
    }
    if (m->n > 0 || a->live == NULL)
        return;
    views = managed_views_of(a->r, NULL, a->live);
    managed_count(&views, m, BEFORE, a->now);
    managed_views_fini(&views);
}

int managed_check(const cJSON *patch, const field_type_t *type, const char *api_version,
                  const char *kind, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t mistakes = BUF_INIT;
    const cJSON *meta = tree_get(patch, "metadata");
    const char *given = tree_text(patch, "kind"), *version = tree_text(patch, "apiVersion");
    const char *group = strchr(version, '/') == NULL ? "/" : ""; /* of core: none */

    if (strcmp(given, kind) != 0 || strcmp(version, api_version) != 0)
        return dev_refuse(st, 400, "BadRequest", "invalid object type: %s%s, Kind=%s", group,
                          version, given);
    if (tree_get(meta, "managedFields") != NULL)
        return dev_refuse(st, 400, "BadRequest", "metadata.managedFields must be nil");
    field_check(type, patch, &mistakes);
    if (mistakes.len == 0)
        return 0;
    return dev_refuse(st, 500, "", "failed to create typed patch object (%s/%s; %s%s, Kind=%s): %s",
                      tree_text(meta, "namespace"), tree_text(meta, "name"), group, version, kind,
                      buf_text(&mistakes));
}

/* The applied object, with *m what is managed then. Caller owns. */
static cJSON *merge_patch(const applying_t *a, managed_t *m)
{
    const managed_entry_t key = key_of(a);
    managed_entry_t *self = managed_reach(m, &key);
    host_cleanup(host_freep) char *last_version = host_xstrdup(self->version);
    host_cleanup(field_set_fini) field_set_t last = self->fields;
    host_cleanup(field_set_fini) field_set_t reset = {0};
    cJSON *merged = field_merge(&a->type, a->base, a->patch);

    self->fields = (field_set_t){0};
    field_set_of(&a->type, a->patch, &self->fields);
    managed_reset_fields(a->r, &reset);
    field_set_subtract_deep(&self->fields, &reset);
    free(self->version);
    self->version = host_xstrdup(a->version);
    return prune(a, m, &last, last_version, merged);
}

static int settle(const applying_t *a, managed_t *m, const cJSON *merged, dev_status_t *st)
{
    const managed_entry_t key = key_of(a);
    managed_views_t views = managed_views_of(a->r, a->base, merged);
    managed_t conflicts;
    int ret = 0;

    views.shaped = a->version;
    conflicts = managed_conflicts(&views, m, managed_find(m, &key));
    if (!dev_given(a->r->force) || !dev_flag(a->r->force)) {
        allow_last_applied(a, &conflicts);
        if (conflicts.n > 0)
            ret = refuse_conflicts(&conflicts, dev_is_sub(a->r, "scale"), st);
    }
    if (ret == 0)
        managed_yield(&views, m, managed_find(m, &key));
    managed_fini(&conflicts);
    managed_views_fini(&views);
    return ret;
}

static bool is_changed(const applying_t *a, const cJSON *merged)
{
    field_changes_t changes = {0};

    field_compare(&a->type, a->base, merged, &changes);
    const bool changed = !tree_same(a->base, merged) || !field_set_is_empty(&changes.added) ||
                         !field_set_is_empty(&changes.modified) ||
                         !field_set_is_empty(&changes.removed);
    field_changes_fini(&changes);
    return changed;
}

static void finish(const applying_t *a, managed_t *m, cJSON *merged)
{
    const managed_entry_t key = key_of(a);
    managed_entry_t *self = managed_find(m, &key);
    cJSON *json;

    if (self != NULL) {
        managed_strip(&self->fields);
        if (is_changed(a, merged) && !dev_is_sub(a->r, "scale"))
            managed_set_time(self, a->now);
        managed_drop_empty(m);
    }
    if (a->type.source == FIELD_OF_MESSAGE) {
        field_fill(a->type.message, merged);
        drop_nulls(merged);
    }
    renew_last_applied(a, merged);
    json = managed_json(m);
    if (json != NULL)
        tree_set(tree_object(merged, "metadata"), "managedFields", json);
}

int managed_apply(const dev_core_t *c, const dev_request_t *r, const cJSON *live,
                  const cJSON *patch, cJSON **out, dev_status_t *st)
{
    host_cleanup(host_freep) char *version = dev_api_version(r->kind, r->version);
    host_cleanup(managed_fini) managed_t m = {0};
    applying_t a = {.r = r, .live = live, .patch = patch, .version = version};
    cJSON *base, *merged;
    int ret;

    dev_core_now(c, a.now);
    if (!managed_type_of(r->kind, version, &a.type))
        return dev_refuse(st, 500, "InternalError", "no type for %s", version);
    base = managed_shape(&a.type, version, live);
    tree_set_text(base, "kind", r->kind->kind);
    tree_set_text(base, "apiVersion", version);
    a.base = base;
    (void) managed_read(tree_at(live, "metadata.managedFields"), &m);
    ret = managed_check(patch, &a.type, version, r->kind->kind, st);
    if (ret == 0) {
        count_before(&a, &m);
        managed_reconcile(r->kind, &m);
        merged = merge_patch(&a, &m);
        ret = settle(&a, &m, merged, st);
        if (ret == 0) {
            finish(&a, &m, merged);
            *out = host_steal(merged);
        }
        cJSON_Delete(merged);
    }
    cJSON_Delete(base);
    return ret;
}
