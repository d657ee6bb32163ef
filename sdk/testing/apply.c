/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-side apply. Fields are kept in metadata.managedFields as on a real server, but of Apply only:
 * what is written otherwise belongs to nobody. Lists have keys as fake_list_key() tells; all others, but
 * finalizers, are managed as a whole.
 */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

#define get cJSON_GetObjectItemCaseSensitive

typedef enum { TOP, META, DEEP } level_t;

static bool is_unmanaged(const char *name, level_t level)
{
    static const char *const names[2][6] = {
        {"apiVersion", "kind", NULL},
        {"name", "namespace", "uid", "resourceVersion", "managedFields", NULL}};

    for (size_t i = 0; level != DEEP && names[level][i] != NULL; i++) {
        if (strcmp(names[level][i], name) == 0)
            return true;
    }
    return false;
}

static level_t below(const char *name, level_t level)
{
    return level == TOP && strcmp(name, "metadata") == 0 ? META : DEEP;
}

/* "f:NAME", "k:{...}" or "v:..."; caller frees. */
static char *key_of(const cJSON *item, const char *list_key, bool in_list)
{
    if (!in_list)
        return fake_printf("f:%s", item->string);
    cJSON *part = list_key != NULL ? cJSON_CreateObject() : NULL;
    if (part != NULL)
        cJSON_AddItemToObject(part, list_key, cJSON_Duplicate(get(item, list_key), 1));
    char *text = cJSON_PrintUnformatted(part != NULL ? part : item);
    char *key = fake_printf("%s:%s", part != NULL ? "k" : "v", text);
    free(text);
    cJSON_Delete(part);
    return key;
}

static bool has_fields(const cJSON *value, const char **list_key)
{
    *list_key = cJSON_IsArray(value) ? fake_list_key(value->string, value) : NULL;
    return cJSON_IsObject(value) || *list_key != NULL ||
           (cJSON_IsArray(value) && value->string != NULL &&
            strcmp(value->string, "finalizers") == 0);
}

/* The node of fieldsV1 for a value. */
static cJSON *fields_of(const cJSON *value, level_t level)
{
    cJSON *node = cJSON_CreateObject();
    const char *list_key;
    const cJSON *item;

    if (!has_fields(value, &list_key))
        return node;
    if (value->string == NULL && level == DEEP) /* an item of a list */
        cJSON_AddItemToObject(node, ".", cJSON_CreateObject());
    cJSON_ArrayForEach (item, value) {
        if (cJSON_IsObject(value) && is_unmanaged(item->string, level))
            continue;
        char *key = key_of(item, list_key, cJSON_IsArray(value));
        cJSON *child = fields_of(item, cJSON_IsObject(value) ? below(item->string, level) : DEEP);
        if (cJSON_IsObject(value) && below(item->string, level) == META && child->child == NULL)
            cJSON_Delete(child);
        else
            cJSON_AddItemToObject(node, key, child);
        free(key);
    }
    if (node->child == NULL && level == DEEP && cJSON_IsObject(value))
        cJSON_AddItemToObject(node, ".", cJSON_CreateObject());
    return node;
}

/* The value that a key of a node means, in a value of the same place. */
static cJSON *value_of(const cJSON *value, const char *key)
{
    if (key[0] == 'f')
        return get(value, key + 2);
    cJSON *meant = cJSON_Parse(key + 2);
    cJSON *found = key[0] == 'k' && meant->child != NULL
                       ? fake_list_find(value, meant->child->string, meant)
                       : fake_list_find(value, NULL, meant);
    cJSON_Delete(meant);
    return found;
}

static bool is_leaf(const cJSON *node)
{
    return node->child == NULL || (strcmp(node->child->string, ".") == 0 && !node->child->next);
}

/* -- Conflicts -- */

typedef struct conflicts {
    const char *manager;
    char *text;
    size_t count;
} conflicts_t;

static void add_conflict(conflicts_t *c, const char *path)
{
    char *next = fake_printf("%s%sconflict with \"%s\": %s", c->text, c->count > 0 ? ", " : "",
                             c->manager, path);

    free(c->text);
    c->text = next;
    c->count++;
}

/* Fields in both nodes whose value in the object is not the wanted one; with force they are taken out of
 * theirs. */
static void compare(conflicts_t *c, const cJSON *mine, cJSON *theirs, const cJSON *wanted,
                    const cJSON *live, const char *path, bool force)
{
    const cJSON *node;

    cJSON_ArrayForEach (node, mine) {
        cJSON *other = get(theirs, node->string);
        const cJSON *want = value_of(wanted, node->string);
        const cJSON *have = value_of(live, node->string);
        if (other == NULL || want == NULL || have == NULL || strcmp(node->string, ".") == 0)
            continue;
        char *deeper = node->string[0] == 'f' ? fake_printf("%s.%s", path, node->string + 2)
                                              : fake_printf("%s[%s]", path, node->string + 2);
        if (!is_leaf(node) && !is_leaf(other)) {
            compare(c, node, other, want, have, deeper, force);
        } else if (!cJSON_Compare(want, have, 1)) {
            add_conflict(c, deeper);
            if (force)
                cJSON_DeleteItemFromObjectCaseSensitive(theirs, node->string);
        }
        free(deeper);
    }
}

/* -- What is not applied any more -- */

static bool owned(const cJSON *const *nodes, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (get(nodes[i], key) != NULL)
            return true;
    }
    return false;
}

/* Removes from live what old names and none of the others does. */
static void drop(const cJSON *old, const cJSON *const *others, size_t count, cJSON *live)
{
    const cJSON *node;

    cJSON_ArrayForEach (node, old) {
        cJSON *value = strcmp(node->string, ".") != 0 ? value_of(live, node->string) : NULL;
        const cJSON *below_them[64];
        size_t n = 0;
        if (value == NULL)
            continue;
        if (!owned(others, count, node->string) && (is_leaf(node) || node->string[0] != 'f')) {
            cJSON_Delete(cJSON_DetachItemViaPointer(live, value));
            continue;
        }
        for (size_t i = 0; i < count && n < 64; i++) {
            if (get(others[i], node->string) != NULL)
                below_them[n++] = get(others[i], node->string);
        }
        drop(node, below_them, n, value);
        if (value->child == NULL && n == 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(live, value));
    }
}

/* -- Entries of managedFields -- */

static bool is_entry(const cJSON *entry, const char *manager, const char *sub)
{
    const char *name = cJSON_GetStringValue(get(entry, "manager"));
    const char *of = cJSON_GetStringValue(get(entry, "subresource"));

    return name != NULL && (manager == NULL || strcmp(name, manager) == 0) &&
           strcmp(of != NULL ? of : "", sub) == 0;
}

static void add_entry(cJSON *list, const cJSON *wanted, const char *manager, const char *sub,
                      cJSON *fields)
{
    cJSON *entry = cJSON_CreateObject();

    cJSON_AddStringToObject(entry, "manager", manager);
    cJSON_AddStringToObject(entry, "operation", "Apply");
    cJSON_AddItemToObject(entry, "apiVersion", cJSON_Duplicate(get(wanted, "apiVersion"), 1));
    cJSON_AddStringToObject(entry, "time", "2026-01-02T03:04:05Z");
    cJSON_AddStringToObject(entry, "fieldsType", "FieldsV1");
    cJSON_AddItemToObject(entry, "fieldsV1", fields);
    if (sub[0] != '\0')
        cJSON_AddStringToObject(entry, "subresource", sub);
    cJSON_AddItemToArray(list, entry);
}

char *fake_apply(cJSON *object, const cJSON *wanted, const char *manager, const char *sub,
                 bool force)
{
    cJSON *meta = get(object, "metadata"), *list = get(meta, "managedFields"), *entry;
    cJSON *fields = fields_of(wanted, TOP), *old = NULL;
    const cJSON *kept[64] = {fields};
    size_t count = 1;
    conflicts_t found = {NULL, fake_dup(""), 0};

    if (list == NULL)
        list = cJSON_AddArrayToObject(meta, "managedFields");
    cJSON_ArrayForEach (entry, list) {
        if (is_entry(entry, manager, sub)) {
            old = entry;
            continue;
        }
        found.manager = cJSON_GetStringValue(get(entry, "manager"));
        compare(&found, fields, get(entry, "fieldsV1"), wanted, object, "", force);
        if (count < 64)
            kept[count++] = get(entry, "fieldsV1");
    }
    if (found.count > 0 && !force) {
        char *text = fake_printf("Apply failed with %zu conflict%s: %s", found.count,
                                 found.count > 1 ? "s" : "", found.text);
        free(found.text);
        cJSON_Delete(fields);
        return text;
    }
    free(found.text);
    fake_merge(object, wanted, FAKE_APPLY);
    if (old != NULL) {
        drop(get(old, "fieldsV1"), kept, count, object);
        cJSON_ReplaceItemInObjectCaseSensitive(old, "fieldsV1", fields);
    } else {
        add_entry(list, wanted, manager, sub, fields);
    }
    return NULL;
}
