/* SPDX-License-Identifier: Apache-2.0 */
/* CustomResourceDefinitions: the kinds that they make, their conditions and their end. */
#include "devapi/core_impl.h"

#include <string.h>

#define CLEANUP "customresourcecleanup.apiextensions.k8s.io"

/* -- The kind -- */

static void take_names(dev_custom_t *k)
{
    const cJSON *spec = tree_get(k->crd, "spec"), *names = tree_get(spec, "names"), *item;
    size_t n = 0;

    k->kind.group = tree_text(spec, "group");
    k->kind.resource = tree_text(names, "plural");
    k->kind.singular = tree_text(names, "singular");
    k->kind.kind = tree_text(names, "kind");
    k->list_kind = tree_text(names, "listKind")[0] != '\0'
                       ? host_xstrdup(tree_text(names, "listKind"))
                       : host_xprintf("%sList", k->kind.kind);
    k->kind.list_kind = k->list_kind;
    k->kind.flags =
        DEV_CUSTOM | (strcmp(tree_text(spec, "scope"), "Namespaced") == 0 ? DEV_NAMESPACED : 0);
    cJSON_ArrayForEach (item, tree_get(names, "shortNames")) {
        if (cJSON_IsString(item) && n < HOST_LEN(k->kind.short_names))
            k->kind.short_names[n++] = item->valuestring;
    }
    n = 0;
    cJSON_ArrayForEach (item, tree_get(names, "categories")) {
        if (cJSON_IsString(item) && n < HOST_LEN(k->kind.categories))
            k->kind.categories[n++] = item->valuestring;
    }
}

static const char *path_or_null(const cJSON *scale, const char *key)
{
    const char *path = tree_text(scale, key);

    return path[0] != '\0' ? path : NULL;
}

static void take_version(dev_custom_t *k, size_t n, const cJSON *v)
{
    const cJSON *subs = tree_get(v, "subresources"), *scale = tree_get(subs, "scale");
    const cJSON *schema = tree_at(v, "schema.openAPIV3Schema");
    dev_status_t st = {0};

    if (schema != NULL)
        k->schemas[n] = dev_schema_create(schema, "", &st); /* it was checked when it was stored */
    dev_status_fini(&st);
    k->kind.versions[n] = (dev_version_t){
        .name = tree_text(v, "name"),
        .status = tree_get(subs, "status") != NULL,
        .scale = scale != NULL,
        .schema = k->schemas[n],
        .spec_replicas_path = path_or_null(scale, "specReplicasPath"),
        .status_replicas_path = path_or_null(scale, "statusReplicasPath"),
        .label_selector_path = path_or_null(scale, "labelSelectorPath"),
        .columns = tree_get(v, "additionalPrinterColumns"),
    };
}

static dev_custom_t *make_custom(const dev_object_t *crd)
{
    dev_custom_t *k = host_xcalloc(1, sizeof(*k));
    const cJSON *v;
    size_t n = 0;

    k->crd = dev_object_tree(crd);
    take_names(k);
    cJSON_ArrayForEach (v, tree_at(k->crd, "spec.versions")) {
        if (tree_true(v, "served") && n + 1 < HOST_LEN(k->schemas))
            take_version(k, n++, v);
    }
    k->served = true;
    return k;
}

void dev_crd_changed(dev_core_t *c, const dev_event_t *e)
{
    for (dev_custom_t *k = c->customs; k != NULL; k = k->next) {
        if (k->served &&
            strcmp(tree_text(tree_get(k->crd, "metadata"), "name"), e->object->name) == 0)
            k->served = false; /* whoever holds it may go on */
    }
    if (e->gone)
        return;
    dev_custom_t *k = make_custom(e->object);
    k->next = c->customs;
    c->customs = k;
}

void dev_customs_destroy(dev_core_t *c)
{
    for (dev_custom_t *k = c->customs, *next; k != NULL; k = next) {
        next = k->next;
        for (size_t i = 0; i < HOST_LEN(k->schemas); i++)
            dev_schema_destroy(k->schemas[i]);
        cJSON_Delete(k->crd);
        free(k->list_kind);
        free(k);
    }
}

/* -- Conditions -- */

static void add_condition(const dev_core_t *c, cJSON *status, const char *type, const char *reason,
                          const char *message)
{
    cJSON *condition = cJSON_CreateObject();
    char now[32];

    dev_core_now(c, now);
    cJSON_AddStringToObject(condition, "type", type);
    cJSON_AddStringToObject(condition, "status", "True");
    cJSON_AddStringToObject(condition, "lastTransitionTime", now);
    cJSON_AddStringToObject(condition, "reason", reason);
    cJSON_AddStringToObject(condition, "message", message);
    cJSON_AddItemToArray(tree_array(status, "conditions"), condition);
}

static bool establish(dev_core_t *c, dev_table_t *t, const dev_object_t *o, cJSON *tree)
{
    cJSON *status = tree_object(tree, "status");
    const cJSON *v;

    if (!tree_empty(tree_get(status, "conditions")))
        return false;
    add_condition(c, status, "NamesAccepted", "NoConflicts", "no conflicts found");
    add_condition(c, status, "Established", "InitialNamesAccepted",
                  "the initial names have been accepted");
    tree_set(status, "acceptedNames", cJSON_Duplicate(tree_at(tree, "spec.names"), true));
    cJSON *stored = cJSON_CreateArray();
    cJSON_ArrayForEach (v, tree_at(tree, "spec.versions")) {
        if (tree_true(v, "storage"))
            cJSON_AddItemToArray(stored, cJSON_CreateString(tree_text(v, "name")));
    }
    tree_set(status, "storedVersions", stored);
    dev_put_finalizer(tree, CLEANUP);
    (void) dev_settle(c, t, o, tree);
    return true;
}

/* -- The end -- */

/* Deletes what is left of the kind; how many stay. */
static size_t delete_instances(dev_core_t *c, const cJSON *crd)
{
    const cJSON *spec = tree_get(crd, "spec");
    const dev_kind_t *kind = dev_core_kind_named(c, tree_text(spec, "group"),
                                                 tree_text(tree_get(spec, "names"), "kind"));
    size_t i = 0;

    if (kind == NULL)
        return 0;
    dev_table_t *t = dev_core_table(c, kind);
    while (i < dev_table_count(t)) {
        const dev_object_t *o = dev_table_at(t, i);
        if (o->deleting || dev_delete_object(c, t, o, "Background") != NULL)
            i++;
    }
    return dev_table_count(t);
}

bool dev_crd_tend(dev_core_t *c, const dev_object_t *o)
{
    dev_table_t *t = dev_store_table(c->store, "apiextensions.k8s.io/customresourcedefinitions");
    cJSON *tree = dev_object_tree(o);
    bool changed = false;

    if (tree_at(tree, "metadata.deletionTimestamp") == NULL) {
        changed = establish(c, t, o, tree);
    } else if (tree_has_text(tree_at(tree, "metadata.finalizers"), CLEANUP) &&
               delete_instances(c, tree) == 0) {
        dev_take_finalizer(tree, CLEANUP);
        (void) dev_settle(c, t, o, tree);
        changed = true;
    }
    cJSON_Delete(tree);
    return changed;
}
