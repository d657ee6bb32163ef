/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>

cJSON *tree_get(const cJSON *object, const char *key)
{
    cJSON *item = cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;

    return cJSON_IsNull(item) ? NULL : item;
}

cJSON *tree_at(const cJSON *object, const char *path)
{
    cJSON *at = NULL;
    char key[64];

    for (const char *p = path; p != NULL;) {
        const char *dot = strchrnul(p, '.');
        size_t len = HOST_MIN((size_t) (dot - p), sizeof(key) - 1);

        memcpy(key, p, len);
        key[len] = '\0';
        at = tree_get(at == NULL ? object : at, key);
        if (at == NULL)
            return NULL;
        p = *dot == '.' ? dot + 1 : NULL;
    }
    return at;
}

const cJSON *tree_map(const cJSON *node)
{
    return cJSON_IsObject(node) ? node : NULL;
}

const cJSON *tree_list(const cJSON *node)
{
    return cJSON_IsArray(node) ? node : NULL;
}

const char *tree_text(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(tree_get(object, key));

    return text == NULL ? "" : text;
}

double tree_number(const cJSON *object, const char *key, double otherwise)
{
    const cJSON *item = tree_get(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

bool tree_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(tree_get(object, key));
}

bool tree_empty(const cJSON *node)
{
    return node == NULL || cJSON_IsNull(node) ||
           ((cJSON_IsObject(node) || cJSON_IsArray(node)) && node->child == NULL);
}

static int by_name(const void *a, const void *b)
{
    const tree_member_t *x = a, *y = b;
    const int order = strcmp(x->item->string, y->item->string);

    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

tree_member_t *tree_sort(const cJSON *object, size_t *count)
{
    const size_t n = (size_t) cJSON_GetArraySize(object);
    tree_member_t *list = host_xcalloc(n + 1, sizeof(*list));
    cJSON *item;

    *count = 0;
    cJSON_ArrayForEach (item, object) {
        list[*count] = (tree_member_t){item, *count};
        ++*count;
    }
    qsort(list, n, sizeof(*list), by_name);
    return list;
}

static void sort_members(cJSON *object)
{
    size_t n;
    host_cleanup(host_freep) tree_member_t *members = tree_sort(object, &n);

    for (size_t i = 0; i < n; i++)
        cJSON_DetachItemViaPointer(object, members[i].item);
    for (size_t i = 0; i < n; i++)
        cJSON_AddItemToArray(object, members[i].item); /* it keeps its name */
}

void tree_sort_deep(cJSON *node)
{
    if (cJSON_IsObject(node))
        sort_members(node);
    for (cJSON *it = node == NULL ? NULL : node->child; it != NULL; it = it->next)
        tree_sort_deep(it);
}

/* Each has every member of the other, with the same value. */
static bool same_objects(const cJSON *a, const cJSON *b)
{
    size_t an, bn, i = 0, j = 0;
    host_cleanup(host_freep) tree_member_t *x = tree_sort(a, &an);
    host_cleanup(host_freep) tree_member_t *y = tree_sort(b, &bn);

    while (i < an || j < bn) {
        const int order = i == an ? 1 : j == bn ? -1 : strcmp(x[i].item->string, y[j].item->string);

        if (!tree_same(order <= 0 ? x[i].item : NULL, order >= 0 ? y[j].item : NULL))
            return false;
        i += order <= 0;
        j += order >= 0;
    }
    return true;
}

static bool same_arrays(const cJSON *a, const cJSON *b)
{
    const cJSON *x = a->child, *y = b->child;

    for (; x != NULL && y != NULL; x = x->next, y = y->next) {
        if (!tree_same(x, y))
            return false;
    }
    return x == NULL && y == NULL;
}

bool tree_same(const cJSON *a, const cJSON *b)
{
    if (tree_empty(a) || tree_empty(b))
        return tree_empty(a) && tree_empty(b);
    if ((a->type & 0xff) != (b->type & 0xff))
        return false;
    if (cJSON_IsObject(a))
        return same_objects(a, b);
    if (cJSON_IsArray(a))
        return same_arrays(a, b);
    if (cJSON_IsString(a))
        return strcmp(a->valuestring, b->valuestring) == 0;
    return !cJSON_IsNumber(a) || a->valuedouble == b->valuedouble;
}

bool tree_has_text(const cJSON *array, const char *text)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, array) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, text) == 0)
            return true;
    }
    return false;
}

static cJSON *member(cJSON *object, const char *key, cJSON *(*make)(void) )
{
    cJSON *item = tree_get(object, key);

    if (item == NULL && cJSON_IsObject(object)) {
        item = make();
        tree_set(object, key, item);
    }
    return item;
}

cJSON *tree_object(cJSON *object, const char *key)
{
    return member(object, key, cJSON_CreateObject);
}

cJSON *tree_array(cJSON *object, const char *key)
{
    return member(object, key, cJSON_CreateArray);
}

void tree_set(cJSON *object, const char *key, cJSON *item)
{
    bool taken = false;

    if (cJSON_IsObject(object) && item != NULL)
        taken = cJSON_GetObjectItemCaseSensitive(object, key) != NULL
                    ? cJSON_ReplaceItemInObjectCaseSensitive(object, key, item)
                    : cJSON_AddItemToObject(object, key, item);
    if (!taken)
        cJSON_Delete(item);
}

void tree_set_text(cJSON *object, const char *key, const char *text)
{
    tree_set(object, key, cJSON_CreateString(text));
}

void tree_default_text(cJSON *object, const char *key, const char *text)
{
    const cJSON *item = tree_get(object, key);

    if (item == NULL || (cJSON_IsString(item) && item->valuestring[0] == '\0'))
        tree_set_text(object, key, text);
}

void tree_default_number(cJSON *object, const char *key, double number)
{
    if (tree_get(object, key) == NULL)
        tree_set(object, key, cJSON_CreateNumber(number));
}

void tree_default_bool(cJSON *object, const char *key, bool value)
{
    if (tree_get(object, key) == NULL)
        tree_set(object, key, cJSON_CreateBool(value));
}

void tree_insert(cJSON *array, int at, cJSON *item)
{
    cJSON *after = cJSON_GetArrayItem(array, at);

    if (after == NULL || item == NULL) {
        cJSON_AddItemToArray(array, item);
        return;
    }
    item->next = after;
    item->prev = after->prev; /* of the first: the last */
    after->prev = item;
    if (array->child == after)
        array->child = item;
    else
        item->prev->next = item;
}

static void fill_one(cJSON *object, const tree_default_t *row)
{
    const char *p = row->path, *dot;
    char key[64];

    while ((dot = strchr(p, '.')) != NULL) {
        size_t len = HOST_MIN((size_t) (dot - p), sizeof(key) - 1);

        memcpy(key, p, len);
        key[len] = '\0';
        object = tree_object(object, key);
        p = dot + 1;
    }
    if (tree_get(object, p) == NULL)
        tree_set(object, p, cJSON_Parse(row->json));
}

void tree_fill(cJSON *object, const tree_default_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fill_one(object, &rows[i]);
}

void tree_remove(cJSON *object, const char *key)
{
    if (cJSON_IsObject(object))
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}
