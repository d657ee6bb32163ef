/* SPDX-License-Identifier: Apache-2.0 */
/* Strategic merge: package strategicpatch of apimachinery, mistakes and orders included. */
#include "devapi/patch_list.h"
#include "devapi/patch_parts.h"
#include "devapi/tree.h"

#include <string.h>

#define MARKER "$patch"
#define RETAIN "$retainKeys"
#define ORDER "$setElementOrder"
#define DELETE "$deleteFromPrimitiveList"

static bool is_directive(const char *key, const char *prefix)
{
    return strncmp(key, prefix, strlen(prefix)) == 0;
}

static bool is_any_directive(const char *key)
{
    return is_directive(key, ORDER) || is_directive(key, DELETE) || strcmp(key, RETAIN) == 0;
}

/* The name behind "directive/"; NULL: none. */
static const char *named(const char *key, const char *prefix)
{
    return key[strlen(prefix)] == '/' ? key + strlen(prefix) + 1 : NULL;
}

cJSON *patch_cleaned(const cJSON *value)
{
    cJSON *copy, *next;

    if (cJSON_IsObject(value) && cJSON_GetObjectItemCaseSensitive(value, MARKER) != NULL)
        return NULL;
    copy = cJSON_Duplicate(value, true);
    if (!cJSON_IsObject(copy) && !cJSON_IsArray(copy))
        return copy;
    for (cJSON *it = copy->child; it != NULL; it = next) {
        cJSON *kept = NULL;

        next = it->next;
        if (cJSON_IsArray(copy) || (!cJSON_IsNull(it) && !is_any_directive(it->string)))
            kept = patch_cleaned(it);
        if (kept == NULL)
            cJSON_Delete(cJSON_DetachItemViaPointer(copy, it));
        else if (cJSON_IsArray(copy))
            cJSON_ReplaceItemViaPointer(copy, it, kept);
        else
            cJSON_ReplaceItemInObjectCaseSensitive(copy, it->string, kept);
    }
    return copy;
}

static void put_cleaned(cJSON *object, const char *key, const cJSON *value)
{
    cJSON *kept = patch_cleaned(value);

    if (kept == NULL)
        tree_remove(object, key);
    else
        tree_set(object, key, kept);
}

static void empty(cJSON *object)
{
    cJSON_Delete(object->child);
    object->child = NULL;
}

/* {"$patch": ...} in an object: "replace" it by the rest of the patch, or "delete" its members. */
static int apply_marker(cJSON *object, cJSON *patch, const cJSON *marker, dev_status_t *st)
{
    const char *what = cJSON_IsString(marker) ? marker->valuestring : "";

    if (strcmp(what, "replace") == 0) {
        tree_remove(patch, MARKER);
        empty(object);
        object->child = patch->child;
        patch->child = NULL;
        return 0;
    }
    if (strcmp(what, "delete") == 0) {
        empty(object);
        return 0;
    }
    return patch_list_refuse_marker(marker, patch, st);
}

/* {"$retainKeys": [...]}: members of the object that are not named go. */
static int apply_retain(cJSON *object, cJSON *patch, dev_status_t *st)
{
    const cJSON *keys = cJSON_GetObjectItemCaseSensitive(patch, RETAIN), *it;
    cJSON *next;
    bool fine = cJSON_IsArray(keys);

    if (keys == NULL)
        return 0;
    cJSON_ArrayForEach (it, patch) {
        if (!cJSON_IsNull(it) && !is_any_directive(it->string) && !tree_has_text(keys, it->string))
            fine = false;
    }
    if (!fine)
        return dev_refuse(st, 400, "BadRequest", "invalid patch format of retainKeys");
    for (cJSON *have = object->child; have != NULL; have = next) {
        next = have->next;
        if (!tree_has_text(keys, have->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(object, have));
    }
    tree_remove(patch, RETAIN);
    return 0;
}

static int merge_object(cJSON *object, cJSON *patch, int type, dev_status_t *st);

/* One "$setElementOrder/<list>", together with the patch of that list; both leave the patch. */
static int apply_order(cJSON *object, cJSON *patch, cJSON *order, int type, dev_status_t *st)
{
    const char *name = named(order->string, ORDER);
    const patch_field_t *field;
    cJSON *list, *have;
    int ret = 0;

    if (!cJSON_IsArray(order))
        return patch_list_refuse_array(order, st);
    if (name == NULL)
        return dev_refuse(st, 400, "BadRequest", "invalid patch format of setElementOrder list");
    field = patch_field_of(type, name);
    list = tree_get(patch, name);
    have = tree_get(object, name);
    if (have != NULL && !cJSON_IsArray(have))
        return patch_list_refuse_array(have, st);
    if (list != NULL && !cJSON_IsArray(list))
        return patch_list_refuse_array(list, st);
    if (list == NULL && have == NULL)
        return 0;
    ret = patch_list_check_order(list, order, field, st);
    if (ret == 0 && have == NULL) {
        put_cleaned(object, name, list);
        have = tree_get(object, name);
        list = NULL;
    }
    if (ret == 0)
        ret = patch_list_merge(have, list, order, field, merge_object, st);
    if (ret == 0)
        tree_remove(patch, name);
    return ret;
}

static cJSON *first_order(const cJSON *patch)
{
    cJSON *it = patch->child;

    while (it != NULL && !is_directive(it->string, ORDER))
        it = it->next;
    return it;
}

static int apply_orders(cJSON *object, cJSON *patch, int type, dev_status_t *st)
{
    cJSON *order;
    int ret = 0;

    while (ret == 0 && (order = first_order(patch)) != NULL) {
        order = cJSON_DetachItemViaPointer(patch, order);
        ret = apply_order(object, patch, order, type, st);
        cJSON_Delete(order);
    }
    return ret;
}

/* One member of the patch whose counterpart exists. */
static int merge_field(cJSON *object, cJSON *have, cJSON *patch, int type, dev_status_t *st)
{
    const patch_field_t *field = patch_field_of(type, patch->string);

    if (cJSON_IsObject(have) && cJSON_IsObject(patch) && !field->replace)
        return merge_object(have, patch, field->type, st);
    if (cJSON_IsArray(have) && cJSON_IsArray(patch) && field->merge)
        return patch_list_merge(have, patch, NULL, field, merge_object, st);
    put_cleaned(object, patch->string, patch);
    return 0;
}

/* "$deleteFromPrimitiveList/<list>": [values] */
static int apply_delete(cJSON *object, const cJSON *values, dev_status_t *st)
{
    const char *name = named(values->string, DELETE);

    if (name == NULL)
        return dev_refuse(st, 400, "BadRequest", "invalid patch format of primitive list");
    if (cJSON_IsNull(values))
        tree_remove(object, name);
    patch_list_without(tree_get(object, name), values);
    return 0;
}

static int merge_object(cJSON *object, cJSON *patch, int type, dev_status_t *st)
{
    const cJSON *marker = cJSON_GetObjectItemCaseSensitive(patch, MARKER);
    int ret;

    if (marker != NULL)
        return apply_marker(object, patch, marker, st);
    ret = apply_retain(object, patch, st);
    if (ret == 0)
        ret = apply_orders(object, patch, type, st);
    for (cJSON *it = patch->child; ret == 0 && it != NULL; it = it->next) {
        cJSON *have = tree_get(object, it->string);

        if (is_directive(it->string, DELETE))
            ret = apply_delete(object, it, st);
        else if (cJSON_IsNull(it))
            tree_remove(object, it->string);
        else if (have == NULL)
            put_cleaned(object, it->string, it);
        else
            ret = merge_field(object, have, it, type, st);
    }
    return ret;
}

int patch_strategic(const dev_kind_t *kind, cJSON *object, cJSON *patch, dev_status_t *st)
{
    return merge_object(object, patch, patch_type_of(kind), st);
}
