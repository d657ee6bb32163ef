/* SPDX-License-Identifier: Apache-2.0 */
/* Pruning and defaults. */
#include "devapi/schema_node.h"

#include <string.h>

typedef struct pruner {
    void (*unknown)(void *arg, const char *path); /* NULL: nobody asks */
    void *arg;
} pruner_t;

static void prune(const pruner_t *p, const schema_node_t *n, cJSON *value, const dev_path_t *at,
                  bool whole);

static void remove_unknown(const pruner_t *p, cJSON *object, cJSON *item, const dev_path_t *at)
{
    buf_t path = BUF_INIT;

    if (p->unknown != NULL) {
        dev_path_print(at, &path);
        p->unknown(p->arg, buf_text(&path));
        buf_fini(&path);
    }
    cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
}

/* Of an embedded object; those of a whole one are pruned elsewhere. */
static void prune_metadata(const pruner_t *p, cJSON *metadata, const dev_path_t *at)
{
    static const char *const known[] = {
        "name",       "generateName",    "namespace",         "selfLink",
        "uid",        "resourceVersion", "generation",        "creationTimestamp",
        "labels",     "annotations",     "deletionTimestamp", "deletionGracePeriodSeconds",
        "finalizers", "ownerReferences", "managedFields",
    };
    cJSON *next;

    if (!cJSON_IsObject(metadata))
        return;
    for (cJSON *it = metadata->child; it != NULL; it = next) {
        bool found = false;

        next = it->next;
        for (size_t i = 0; i < HOST_LEN(known); i++)
            found = found || strcmp(known[i], it->string) == 0;
        if (!found)
            remove_unknown(p, metadata, it, DEV_AT(at, it->string));
    }
}

static bool is_meta(const char *key)
{
    return strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0 ||
           strcmp(key, "metadata") == 0;
}

static void prune_object(const pruner_t *p, const schema_node_t *n, cJSON *object,
                         const dev_path_t *at, bool whole)
{
    cJSON *next;

    for (cJSON *it = object->child; it != NULL; it = next) {
        const dev_path_t *here = DEV_AT(at, it->string);
        const schema_node_t *known = schema_property(n, it->string);

        next = it->next;
        if ((whole || n->embedded) && is_meta(it->string)) {
            if (!whole && strcmp(it->string, "metadata") == 0)
                prune_metadata(p, it, here);
        } else if (known != NULL || n->additional != NULL) {
            prune(p, known != NULL ? known : n->additional, it, here, false);
        } else if (!n->preserve) {
            remove_unknown(p, object, it, here);
        }
    }
}

static void prune(const pruner_t *p, const schema_node_t *n, cJSON *value, const dev_path_t *at,
                  bool whole)
{
    cJSON *it;
    int i = 0;

    if (cJSON_IsObject(value)) {
        prune_object(p, n, value, at, whole);
    } else if (cJSON_IsArray(value) && n->items != NULL) {
        cJSON_ArrayForEach (it, value)
            prune(p, n->items, it, DEV_NTH(at, i++), false);
    }
}

void dev_schema_prune(const dev_schema_t *s, cJSON *object,
                      void (*unknown)(void *arg, const char *path), void *arg)
{
    const pruner_t p = {unknown, arg};

    prune(&p, s->root, object, NULL, true);
}

static void note_unknown(void *arg, const char *path)
{
    (void) path;
    *(bool *) arg = false;
}

bool schema_knows(const schema_node_t *n, const cJSON *value)
{
    bool knows = true;
    const pruner_t p = {note_unknown, &knows};
    cJSON *copy = cJSON_Duplicate(value, true);

    prune(&p, n, copy, NULL, false);
    cJSON_Delete(copy);
    return knows;
}

/* -- Defaults -- */

static void fill(const schema_node_t *n, cJSON *value);

/* Fills in missing members; null where none is allowed counts as missing. */
static void fill_object(const schema_node_t *n, cJSON *object)
{
    schema_property_t *p, *tmp;
    cJSON *next;

    HASH_ITER (hh, n->properties, p, tmp) {
        const cJSON *have = cJSON_GetObjectItemCaseSensitive(object, p->name);

        if (p->node->otherwise != NULL &&
            (have == NULL || (cJSON_IsNull(have) && !p->node->nullable)))
            tree_set(object, p->name, cJSON_Duplicate(p->node->otherwise, true));
    }
    for (cJSON *it = object->child; it != NULL; it = next) {
        const schema_node_t *known = schema_property(n, it->string);

        next = it->next;
        if (known == NULL)
            known = n->additional;
        if (known == NULL)
            continue;
        if (cJSON_IsNull(it) && !known->nullable && known->types != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(object, it));
        else
            fill(known, it);
    }
}

static void fill(const schema_node_t *n, cJSON *value)
{
    cJSON *it;

    if (cJSON_IsObject(value)) {
        fill_object(n, value);
    } else if (cJSON_IsArray(value) && n->items != NULL) {
        cJSON_ArrayForEach (it, value)
            fill(n->items, it);
    }
}

void dev_schema_default(const dev_schema_t *s, cJSON *object)
{
    fill(s->root, object);
}
