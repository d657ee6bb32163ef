/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/patch_list.h"
#include "devapi/tree.h"

#include <string.h>

/* An element on its way into the merged list. */
typedef struct item {
    cJSON *node;  /* owned until it is in the list */
    int asked_at; /* its place in the order that is asked for; -1: none */
    int had_at;   /* its place in the old list; -1: new */
} item_t;

typedef struct items {
    item_t *at;
    int n;
} items_t;

static int by_name(const void *a, const void *b)
{
    const cJSON *const *x = a, *const *y = b;

    return strcmp((*x)->string, (*y)->string);
}

/* "map[a:1 b:2]", by key. */
static void show_map(const cJSON *map, buf_t *out)
{
    int size = cJSON_GetArraySize(map), n = 0;
    host_cleanup(host_freep) const cJSON **members = calloc((size_t) size + 1, sizeof(*members));
    const cJSON *it;

    if (members == NULL)
        return;
    cJSON_ArrayForEach (it, map)
        members[n++] = it;
    qsort(members, (size_t) n, sizeof(*members), by_name);
    buf_puts(out, "map[");
    for (int i = 0; i < n; i++) {
        buf_printf(out, "%s%s:", i == 0 ? "" : " ", members[i]->string);
        dev_go_print(members[i], out);
    }
    buf_puts(out, "]");
}

void dev_go_print(const cJSON *node, buf_t *out)
{
    host_cleanup(host_freep) char *text = NULL;

    if (cJSON_IsString(node)) {
        buf_puts(out, node->valuestring);
        return;
    }
    if (cJSON_IsObject(node)) {
        show_map(node, out);
    } else if (cJSON_IsArray(node)) {
        buf_puts(out, "[");
        for (const cJSON *it = node->child; it != NULL; it = it->next) {
            dev_go_print(it, out);
            buf_puts(out, it->next == NULL ? "" : " ");
        }
        buf_puts(out, "]");
    } else {
        text = cJSON_PrintUnformatted(node);
        buf_puts(out, cJSON_IsNull(node) || text == NULL ? "<nil>" : text);
    }
}

static char *shown(const cJSON *node)
{
    buf_t out = BUF_INIT;

    if (node != NULL)
        dev_go_print(node, &out);
    return buf_steal(&out);
}

int patch_list_refuse_marker(const cJSON *marker, const cJSON *in, dev_status_t *st)
{
    host_cleanup(host_freep) char *what = shown(marker), *map = shown(in);

    return dev_refuse(st, 500, NULL, "unknown patch type: %s in map: %s", what == NULL ? "" : what,
                      map == NULL ? "" : map);
}

int patch_list_refuse_array(const cJSON *node, dev_status_t *st)
{
    const char *type = cJSON_IsString(node)   ? "string"
                       : cJSON_IsNumber(node) ? "int64"
                       : cJSON_IsObject(node) ? "map[string]interface {}"
                       : cJSON_IsBool(node)   ? "bool"
                                              : "%!s(<nil>)";

    return dev_refuse(st, 500, NULL, "expected a []interface {}, but received a %s", type);
}

static int refuse_key(const cJSON *element, const char *key, dev_status_t *st)
{
    host_cleanup(host_freep) char *map = shown(element);

    return dev_refuse(st, 500, NULL, "map: %s does not contain declared merge key: %s",
                      map == NULL ? "" : map, key);
}

/* All elements of both lists have one type, which is not a list. */
static int check_types(const cJSON *have, const cJSON *patch, const patch_field_t *field,
                       dev_status_t *st)
{
    const cJSON *lists[] = {have, patch}, *first = NULL, *it;

    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        cJSON_ArrayForEach (it, lists[i]) {
            host_cleanup(host_freep) char *old = NULL, *new = NULL;

            if (first == NULL)
                first = it;
            if (cJSON_IsArray(first))
                return dev_refuse(st, 422, "Invalid",
                                  "the server rejected our request due to an error in our request");
            if ((it->type & 0xff) == (first->type & 0xff))
                continue;
            old = shown(have);
            new = shown(patch);
            return dev_refuse(st, 500, NULL, "list element types are not identical: [%s %s]",
                              old == NULL ? "" : old, new == NULL ? "" : new);
        }
    }
    if (first != NULL && cJSON_IsObject(first) != (field->key != NULL))
        return dev_refuse(st, 500, NULL, "cannot merge lists without merge key for %s",
                          field->name);
    return 0;
}

/* What identifies an element: its key's value, or itself. */
static const cJSON *identity(const cJSON *element, const patch_field_t *field)
{
    return field->key == NULL ? element : cJSON_GetObjectItemCaseSensitive(element, field->key);
}

static bool same_identity(const cJSON *a, const cJSON *b, const patch_field_t *field)
{
    const cJSON *x = identity(a, field), *y = identity(b, field);

    return x != NULL && y != NULL && (x->type & 0xff) == (y->type & 0xff) && tree_same(x, y);
}

static int place_in(const cJSON *list, const cJSON *element, const patch_field_t *field)
{
    const cJSON *it;
    int at = 0;

    cJSON_ArrayForEach (it, list) {
        if (same_identity(it, element, field))
            return at;
        at++;
    }
    return -1;
}

static int find_item(const items_t *items, const cJSON *element, const patch_field_t *field)
{
    for (int i = 0; i < items->n; i++) {
        if (same_identity(items->at[i].node, element, field))
            return i;
    }
    return -1;
}

static void remove_item(items_t *items, int at)
{
    cJSON_Delete(items->at[at].node);
    memmove(items->at + at, items->at + at + 1, (size_t) (items->n - at - 1) * sizeof(item_t));
    items->n--;
}

/* An element with "$patch": "delete" removes its counterpart, "replace" all that was there. */
static int apply_marker(items_t *items, const cJSON *element, const patch_field_t *field,
                        bool *replace, dev_status_t *st)
{
    const cJSON *marker = cJSON_GetObjectItemCaseSensitive(element, "$patch");
    const char *what = cJSON_IsString(marker) ? marker->valuestring : "";
    int at;

    if (strcmp(what, "replace") == 0) {
        *replace = true;
        return 0;
    }
    if (strcmp(what, "merge") == 0)
        return dev_refuse(st, 500, NULL, "merging lists cannot yet be specified in the patch");
    if (strcmp(what, "delete") != 0)
        return patch_list_refuse_marker(marker, element, st);
    if (identity(element, field) == NULL)
        return refuse_key(element, field->key, st);
    while ((at = find_item(items, element, field)) >= 0)
        remove_item(items, at);
    return 0;
}

static int apply_markers(items_t *items, const cJSON *patch, const patch_field_t *field,
                         bool *replace, dev_status_t *st)
{
    const cJSON *it;
    int ret = 0;

    cJSON_ArrayForEach (it, patch) {
        if (cJSON_GetObjectItemCaseSensitive(it, "$patch") != NULL)
            ret = apply_marker(items, it, field, replace, st);
        if (ret < 0)
            return ret;
    }
    while (*replace && items->n > 0)
        remove_item(items, items->n - 1);
    return 0;
}

static void append(items_t *items, const cJSON *element)
{
    items->at[items->n++] = (item_t){patch_cleaned(element), -1, -1};
}

/* Merges one element of the patch, or appends it. */
static int apply_element(items_t *items, const cJSON *element, const patch_field_t *field,
                         int (*merge)(cJSON *have, cJSON *patch, int type, dev_status_t *st),
                         dev_status_t *st)
{
    int at, ret;
    cJSON *copy;

    if (identity(element, field) == NULL)
        return refuse_key(element, field->key, st);
    at = find_item(items, element, field);
    if (at < 0) {
        append(items, element);
        return 0;
    }
    if (field->key == NULL)
        return 0;
    copy = cJSON_Duplicate(element, true);
    ret = merge(items->at[at].node, copy, field->type, st);
    cJSON_Delete(copy);
    return ret;
}

static int by_asked(const void *a, const void *b)
{
    const item_t *x = a, *y = b;

    return x->asked_at != y->asked_at ? x->asked_at - y->asked_at : x->had_at - y->had_at;
}

/* Puts the items into list: those that the patch orders in that order, the others in their old one,
 * interleaved by the old places of both where these are known. */
static int fill(cJSON *list, items_t *items, const cJSON *order, const patch_field_t *field)
{
    item_t *asked = calloc((size_t) items->n + 1, sizeof(*asked));
    int n = 0, rest = 0, a = 0, r = 0;

    if (asked == NULL)
        return -1;
    for (int i = 0; i < items->n; i++) {
        item_t item = items->at[i];

        item.asked_at = place_in(order, item.node, field);
        if (item.asked_at >= 0)
            asked[n++] = item;
        else
            items->at[rest++] = item;
    }
    qsort(asked, (size_t) n, sizeof(*asked), by_asked);
    while (a < n || r < rest) {
        bool old_first = a >= n || (r < rest && items->at[r].had_at >= 0 && asked[a].had_at >= 0 &&
                                    items->at[r].had_at < asked[a].had_at);

        cJSON_AddItemToArray(list, old_first ? items->at[r++].node : asked[a++].node);
    }
    free(asked);
    items->n = 0;
    return 0;
}

static int merge_items(items_t *items, const cJSON *patch, const patch_field_t *field,
                       int (*merge)(cJSON *have, cJSON *patch, int type, dev_status_t *st),
                       dev_status_t *st)
{
    const cJSON *it;
    bool replace = false;
    int ret = field->key == NULL ? 0 : apply_markers(items, patch, field, &replace, st);

    cJSON_ArrayForEach (it, patch) {
        if (ret < 0)
            return ret;
        if (!cJSON_IsObject(it) || cJSON_GetObjectItemCaseSensitive(it, "$patch") == NULL)
            ret = replace ? (append(items, it), 0) : apply_element(items, it, field, merge, st);
    }
    return ret;
}

/* Takes the elements out of list. */
static int take_items(cJSON *list, const cJSON *patch, items_t *items, dev_status_t *st)
{
    int size = cJSON_GetArraySize(list) + cJSON_GetArraySize(patch);

    if (size > PATCH_MAX_LIST)
        return dev_refuse(st, 413, "RequestEntityTooLarge", "a list of %d elements is not merged",
                          size);
    items->at = calloc((size_t) size + 1, sizeof(*items->at));
    if (items->at == NULL)
        return dev_refuse(st, 500, "InternalError", "out of memory");
    while (list->child != NULL) {
        items->at[items->n] = (item_t){cJSON_DetachItemViaPointer(list, list->child), -1, items->n};
        items->n++;
    }
    return 0;
}

int patch_list_merge(cJSON *have, const cJSON *patch, const cJSON *order,
                     const patch_field_t *field,
                     int (*merge)(cJSON *have, cJSON *patch, int type, dev_status_t *st),
                     dev_status_t *st)
{
    items_t items = {0};
    int ret = check_types(have, patch, field, st);

    if (ret == 0)
        ret = take_items(have, patch, &items, st);
    if (ret == 0 && patch != NULL && !field->merge)
        while (items.n > 0)
            remove_item(&items, items.n - 1);
    if (ret == 0)
        ret = merge_items(&items, patch, field, merge, st);
    if (ret == 0 && fill(have, &items, order == NULL ? patch : order, field) < 0)
        ret = dev_refuse(st, 500, "InternalError", "out of memory");
    for (int i = 0; i < items.n; i++)
        cJSON_Delete(items.at[i].node);
    free(items.at);
    return ret;
}

int patch_list_check_order(const cJSON *patch, const cJSON *order, const patch_field_t *field,
                           dev_status_t *st)
{
    host_cleanup(host_freep) char *asked = NULL, *have = NULL;
    const cJSON *at, *it;

    cJSON_ArrayForEach (it, order) {
        if (identity(it, field) == NULL)
            return refuse_key(it, field->key, st);
    }
    at = tree_empty(order) || tree_empty(patch) ? NULL : order->child;
    if (at == NULL)
        return 0;
    cJSON_ArrayForEach (it, patch) {
        if (cJSON_GetObjectItemCaseSensitive(it, "$patch") != NULL)
            continue;
        if (identity(it, field) == NULL)
            return refuse_key(it, field->key, st);
        while (at != NULL && !same_identity(at, it, field))
            at = at->next;
        if (at == NULL)
            break;
        at = at->next;
    }
    if (it == NULL)
        return 0;
    asked = shown(order);
    have = shown(patch);
    return dev_refuse(st, 500, NULL,
                      "The order in patch list:\n%s\n doesn't match $setElementOrder list:\n%s\n",
                      have == NULL ? "" : have, asked == NULL ? "" : asked);
}

void patch_list_without(cJSON *list, const cJSON *values)
{
    static const patch_field_t plain = {"", PATCH_ANY_TYPE, true, false, NULL};
    cJSON *next;

    if (!cJSON_IsArray(list) || !cJSON_IsArray(values))
        return;
    for (cJSON *it = list->child; it != NULL; it = next) {
        next = it->next;
        if (place_in(values, it, &plain) >= 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(list, it));
    }
}
