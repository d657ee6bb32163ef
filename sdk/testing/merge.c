/* SPDX-License-Identifier: Apache-2.0 */
/* Patches: RFC 7386, RFC 6902, and the strategic one as far as names of lists tell their keys. */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

#define get cJSON_GetObjectItemCaseSensitive

const char *fake_list_key(const char *name, const cJSON *list)
{
    static const char *const keys[][2] = {{"containers", "name"},
                                          {"initContainers", "name"},
                                          {"volumes", "name"},
                                          {"env", "name"},
                                          {"volumeMounts", "mountPath"},
                                          {"ports", "containerPort"},
                                          {"ports", "port"},
                                          {"conditions", "type"},
                                          {"ownerReferences", "uid"},
                                          {"imagePullSecrets", "name"},
                                          {"volumeDevices", "devicePath"},
                                          {"hostAliases", "ip"}};

    for (size_t i = 0; name != NULL && i < sizeof(keys) / sizeof(keys[0]); i++) {
        const cJSON *item = list->child;
        while (item != NULL && get(item, keys[i][1]) != NULL)
            item = item->next;
        if (strcmp(name, keys[i][0]) == 0 && list->child != NULL && item == NULL)
            return keys[i][1];
    }
    return NULL;
}

cJSON *fake_list_find(const cJSON *list, const char *key, const cJSON *like)
{
    cJSON *item;

    cJSON_ArrayForEach (item, list) {
        if (cJSON_Compare(key != NULL ? get(item, key) : item, key != NULL ? get(like, key) : like,
                          1))
            return item;
    }
    return NULL;
}

static void set(cJSON *object, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    if (value != NULL)
        cJSON_AddItemToObject(object, name, value);
}

static bool is_directive(const cJSON *patch, const char *word)
{
    const cJSON *directive = get(patch, "$patch");

    return cJSON_IsString(directive) && strcmp(directive->valuestring, word) == 0;
}

static void merge_list(cJSON *target, const cJSON *patch, const char *key, fake_merge_t how)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, patch) {
        cJSON *old = fake_list_find(target, key, item);
        if (is_directive(item, "delete")) {
            cJSON_Delete(cJSON_DetachItemViaPointer(target, old));
        } else if (old == NULL) {
            cJSON_AddItemToArray(target, cJSON_Duplicate(item, 1));
        } else if (key != NULL) {
            fake_merge(old, item, how);
        }
    }
}

/* A list is merged by its key, or as a set; otherwise it is replaced. */
static bool merges_list(const cJSON *old, const cJSON *item, fake_merge_t how, const char **key)
{
    if (how == FAKE_MERGE || !cJSON_IsArray(old) || !cJSON_IsArray(item))
        return false;
    *key = fake_list_key(item->string, item);
    return *key != NULL || strcmp(item->string, "finalizers") == 0;
}

void fake_merge(cJSON *target, const cJSON *patch, fake_merge_t how)
{
    const cJSON *item;
    const char *key;

    if (how == FAKE_STRATEGIC && is_directive(patch, "replace")) {
        while (target->child != NULL)
            cJSON_Delete(cJSON_DetachItemViaPointer(target, target->child));
    }
    cJSON_ArrayForEach (item, patch) {
        cJSON *old = get(target, item->string);
        if (how == FAKE_STRATEGIC && item->string[0] == '$')
            continue;
        if (cJSON_IsNull(item)) {
            set(target, item->string, NULL);
        } else if (cJSON_IsObject(item)) {
            if (!cJSON_IsObject(old)) {
                set(target, item->string, cJSON_CreateObject());
                old = get(target, item->string);
            }
            fake_merge(old, item, how);
        } else if (merges_list(old, item, how, &key)) {
            merge_list(old, item, key, how);
        } else {
            set(target, item->string, cJSON_Duplicate(item, 1));
        }
    }
}

/* -- RFC 6902 -- */

/* The container of a path's last name, and that name, decoded; false when there is none. */
static bool find_place(cJSON *root, const char *path, cJSON **container, char name[256])
{
    *container = root;
    while (*path == '/') {
        size_t len = 0;
        for (path++; *path != '\0' && *path != '/' && len < 255; path++) {
            const bool escape = *path == '~' && (path[1] == '0' || path[1] == '1');
            name[len++] = (char) (!escape ? *path : path[1] == '1' ? '/' : '~');
            path += escape;
        }
        name[len] = '\0';
        if (*path != '/')
            return *path == '\0' && (cJSON_IsObject(*container) || cJSON_IsArray(*container));
        *container = cJSON_IsArray(*container)
                         ? cJSON_GetArrayItem(*container, (int) strtol(name, NULL, 10))
                         : get(*container, name);
    }
    return false;
}

static cJSON *item_at(cJSON *container, const char *name)
{
    return cJSON_IsArray(container) ? cJSON_GetArrayItem(container, (int) strtol(name, NULL, 10))
                                    : get(container, name);
}

static void add_at(cJSON *container, const char *name, cJSON *value)
{
    if (!cJSON_IsArray(container))
        set(container, name, value);
    else if (strcmp(name, "-") == 0 || strtol(name, NULL, 10) >= cJSON_GetArraySize(container))
        cJSON_AddItemToArray(container, value);
    else
        cJSON_InsertItemInArray(container, (int) strtol(name, NULL, 10), value);
}

/* move and copy: where the value comes from. */
static cJSON *taken_from(cJSON *root, const char *op, const char *from)
{
    cJSON *container;
    char name[256];
    cJSON *value = find_place(root, from, &container, name) ? item_at(container, name) : NULL;

    if (value != NULL && strcmp(op, "copy") == 0)
        return cJSON_Duplicate(value, 1);
    return value != NULL ? cJSON_DetachItemViaPointer(container, value) : NULL;
}

static bool apply_op(cJSON *root, const cJSON *step)
{
    const char *op = cJSON_GetStringValue(get(step, "op"));
    const char *path = cJSON_GetStringValue(get(step, "path"));
    const char *from = cJSON_GetStringValue(get(step, "from"));
    cJSON *container, *value = NULL;
    char name[256];

    if (op == NULL || path == NULL)
        return false;
    if (strcmp(op, "move") == 0 || strcmp(op, "copy") == 0)
        value = from != NULL ? taken_from(root, op, from) : NULL;
    else if (strcmp(op, "add") == 0 || strcmp(op, "replace") == 0)
        value = cJSON_Duplicate(get(step, "value"), 1);
    if (!find_place(root, path, &container, name)) {
        cJSON_Delete(value);
        return false;
    }
    cJSON *old = strcmp(name, "-") != 0 ? item_at(container, name) : NULL;
    if (strcmp(op, "test") == 0)
        return old != NULL && cJSON_Compare(old, get(step, "value"), 1);
    if (strcmp(op, "remove") == 0 || strcmp(op, "replace") == 0) {
        if (old == NULL) {
            cJSON_Delete(value);
            return false;
        }
        if (value != NULL && cJSON_IsObject(container))
            cJSON_ReplaceItemInObjectCaseSensitive(container, name, value);
        else if (value != NULL)
            cJSON_ReplaceItemViaPointer(container, old, value);
        else
            cJSON_Delete(cJSON_DetachItemViaPointer(container, old));
        return true;
    }
    if (value != NULL)
        add_at(container, name, value);
    return value != NULL;
}

bool fake_json_patch(cJSON *target, const cJSON *steps)
{
    const cJSON *step;

    cJSON_ArrayForEach (step, steps) {
        if (!apply_op(target, step))
            return false;
    }
    return cJSON_IsArray(steps);
}
