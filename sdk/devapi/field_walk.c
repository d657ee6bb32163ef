/* SPDX-License-Identifier: Apache-2.0 */
/* Which fields there are, and what differs. */
#include "devapi/field_walk.h"
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>

void field_changes_fini(field_changes_t *c)
{
    field_set_fini(&c->removed);
    field_set_fini(&c->modified);
    field_set_fini(&c->added);
}

/* -- Elements of lists -- */

void field_items_fini(field_items_t *items)
{
    for (size_t i = 0; i < items->n; i++)
        free(items->at[i].step);
    free(items->at);
    *items = (field_items_t){0};
}

field_items_t field_items_of(const field_type_t *list, const cJSON *node)
{
    field_items_t items = {host_xcalloc((size_t) cJSON_GetArraySize(node) + 1, sizeof(*items.at)),
                           0};
    cJSON *item;

    cJSON_ArrayForEach (item, tree_list(node)) {
        host_cleanup(buf_fini) buf_t step = BUF_INIT;
        const char *why;

        if (field_step_of(list, item, &step, &why) < 0)
            continue;
        items.at[items.n] = (field_item_t){host_xstrdup(buf_text(&step)), item, items.n};
        items.n++;
    }
    return items;
}

static int by_step(const void *a, const void *b)
{
    const field_item_t *x = a, *y = b;
    const int order = field_step_compare(x->step, y->step);

    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

void field_items_sort(field_items_t *items)
{
    qsort(items->at, items->n, sizeof(*items->at), by_step);
}

/* How many from i on have the same step. */
static size_t run_of(const field_items_t *items, size_t i)
{
    size_t n = 0;

    while (i + n < items->n && field_step_compare(items->at[i].step, items->at[i + n].step) == 0)
        n++;
    return n;
}

/* -- Comparison -- */

/* A NULL value is none; JSON's null is a value. */
static bool compare(const field_type_t *t, const cJSON *before, const cJSON *after,
                    const field_path_t *path, field_changes_t *out);

/* Of one value together; unlike in tree_same null differs from what is empty. */
static bool same_value(const cJSON *a, const cJSON *b)
{
    return cJSON_IsNull(a) == cJSON_IsNull(b) && tree_same(a, b);
}

static void compare_leaf(const cJSON *before, const cJSON *after, const field_path_t *path,
                         field_changes_t *out)
{
    if (before == NULL)
        field_set_insert(&out->added, path);
    else if (after == NULL)
        field_set_insert(&out->removed, path);
    else if (!same_value(before, after))
        field_set_insert(&out->modified, path);
}

static void compare_member(const field_type_t *map, const char *name, const cJSON *before,
                           const cJSON *after, const field_path_t *path, field_changes_t *out)
{
    host_cleanup(host_freep) char *step = host_xprintf("f:%s", name);
    field_type_t type;
    bool named;

    if (field_member_of(map, name, &type, &named))
        (void) compare(&type, before, after, FIELD_STEP(path, step), out);
}

static void compare_maps(const field_type_t *t, const cJSON *before, const cJSON *after,
                         const field_path_t *path, field_changes_t *out)
{
    size_t an, bn, i = 0, j = 0;
    host_cleanup(host_freep) tree_member_t *a = tree_sort(tree_map(before), &an);
    host_cleanup(host_freep) tree_member_t *b = tree_sort(tree_map(after), &bn);

    while (i < an || j < bn) {
        const int order = i == an ? 1 : j == bn ? -1 : strcmp(a[i].item->string, b[j].item->string);

        compare_member(t, order <= 0 ? a[i].item->string : b[j].item->string,
                       order <= 0 ? a[i].item : NULL, order >= 0 ? b[j].item : NULL, path, out);
        i += order <= 0;
        j += order >= 0;
    }
}

static bool same_run(const field_item_t *a, const field_item_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!same_value(a[i].node, b[i].node))
            return false;
    }
    return true;
}

/* Elements that share a step are one value together. a has an of them, b bn. */
static void compare_run(const field_type_t *element, const field_item_t *a, size_t an,
                        const field_item_t *b, size_t bn, const field_path_t *path,
                        field_changes_t *out)
{
    const cJSON *before = an > 0 ? a->node : NULL, *after = bn > 0 ? b->node : NULL;

    if (an <= 1 && bn <= 1) {
        (void) compare(element, before, after, path, out);
    } else if (an >= 2 && bn >= 2) {
        if (an != bn || !same_run(a, b, an))
            field_set_insert(&out->modified, path);
    } else if (an >= 2) {
        if (after != NULL)
            (void) compare(element, NULL, after, path, out);
        field_set_insert(&out->removed, path);
    } else {
        if (before != NULL)
            (void) compare(element, before, NULL, path, out);
        field_set_insert(&out->added, path);
    }
}

static void compare_lists(const field_type_t *t, const cJSON *before, const cJSON *after,
                          const field_path_t *path, field_changes_t *out)
{
    const field_type_t element = field_element_of(t);
    host_cleanup(field_items_fini) field_items_t a = field_items_of(t, before);
    host_cleanup(field_items_fini) field_items_t b = field_items_of(t, after);
    size_t i = 0, j = 0;

    field_items_sort(&a);
    field_items_sort(&b);
    while (i < a.n || j < b.n) {
        const int order = i == a.n   ? 1
                          : j == b.n ? -1
                                     : field_step_compare(a.at[i].step, b.at[j].step);
        const size_t an = order <= 0 ? run_of(&a, i) : 0, bn = order >= 0 ? run_of(&b, j) : 0;
        const char *step = an > 0 ? a.at[i].step : b.at[j].step;

        compare_run(&element, a.at + i, an, b.at + j, bn, FIELD_STEP(path, step), out);
        i += an;
        j += bn;
    }
}

/* True when the value was taken as one. */
static bool compare_as(const field_type_t *t, enum field_form form, const cJSON *before,
                       const cJSON *after, const field_path_t *path, field_changes_t *out)
{
    const bool map = form == FIELD_MAP;
    const bool empty = tree_empty(map ? tree_map(before) : tree_list(before)) &&
                       tree_empty(map ? tree_map(after) : tree_list(after));

    if (form == FIELD_SCALAR || empty || field_is_atomic(t, form)) {
        compare_leaf(before, after, path, out);
        return true;
    }
    if (map)
        compare_maps(t, before, after, path, out);
    else
        compare_lists(t, before, after, path, out);
    return false;
}

static bool compare(const field_type_t *t, const cJSON *before, const cJSON *after,
                    const field_path_t *path, field_changes_t *out)
{
    const enum field_form a = field_form_of(t, before), b = field_form_of(t, after);
    bool one;

    if (before != NULL && after != NULL && a != b)
        (void) compare_as(t, a, before, after, path, out);
    one = compare_as(t, after == NULL ? a : b, before, after, path, out);
    if (!one && before == NULL)
        field_set_insert(&out->added, path);
    else if (!one && after == NULL)
        field_set_insert(&out->removed, path);
    return one;
}

void field_compare(const field_type_t *t, const cJSON *before, const cJSON *after,
                   field_changes_t *out)
{
    (void) compare(t, before, after, NULL, out);
}

/* -- The fields of a value -- */

static void collect(const field_type_t *t, const cJSON *value, const field_path_t *path,
                    field_set_t *out);

static void collect_map(const field_type_t *t, const cJSON *map, const field_path_t *path,
                        field_set_t *out)
{
    size_t n;
    host_cleanup(host_freep) tree_member_t *members = tree_sort(map, &n);

    for (size_t i = 0; i < n; i++) {
        const cJSON *item = members[i].item;
        host_cleanup(host_freep) char *step = host_xprintf("f:%s", item->string);
        field_type_t type;
        bool named;

        if (!field_member_of(t, item->string, &type, &named))
            continue;
        collect(&type, item, FIELD_STEP(path, step), out);
        if (!named || cJSON_IsNull(item) || (cJSON_IsObject(item) && item->child == NULL))
            field_set_insert(out, FIELD_STEP(path, step));
    }
}

static void collect_list(const field_type_t *t, const cJSON *list, const field_path_t *path,
                         field_set_t *out)
{
    const field_type_t element = field_element_of(t);
    host_cleanup(field_items_fini) field_items_t items = field_items_of(t, list);

    field_items_sort(&items);
    for (size_t i = 0, n; i < items.n; i += n) {
        n = run_of(&items, i);
        if (n == 1)
            collect(&element, items.at[i].node, FIELD_STEP(path, items.at[i].step), out);
        field_set_insert(out, FIELD_STEP(path, items.at[i].step));
    }
}

static void collect(const field_type_t *t, const cJSON *value, const field_path_t *path,
                    field_set_t *out)
{
    const enum field_form form = field_form_of(t, value);

    if (form == FIELD_SCALAR || field_is_atomic(t, form))
        field_set_insert(out, path);
    else if (form == FIELD_MAP && cJSON_IsObject(value))
        collect_map(t, value, path, out);
    else if (form == FIELD_LIST && cJSON_IsArray(value))
        collect_list(t, value, path, out);
}

void field_set_of(const field_type_t *t, const cJSON *object, field_set_t *out)
{
    collect(t, object, NULL, out);
}

/* -- Sets by type -- */

/* The type behind a step; false: the type does not know. */
static bool type_behind(const field_type_t *t, const char *step, field_type_t *out, bool *named)
{
    *named = false;
    if (step[0] == 'f')
        return field_form_of(t, NULL) == FIELD_MAP && field_member_of(t, step + 2, out, named);
    *out = field_element_of(t);
    return step[0] == 'k';
}

void field_set_name(const field_type_t *t, field_set_t *s)
{
    static const field_type_t unknown = {.source = FIELD_OPAQUE};

    for (size_t i = 0; i < s->n; i++) {
        field_node_t *node = &s->nodes[i];
        field_type_t type;
        bool named;

        if (node->below.n == 0)
            continue;
        if (!type_behind(t, node->step, &type, &named))
            type = unknown;
        node->member = node->member || named;
        field_set_name(&type, &node->below);
    }
}

void field_set_reconcile(const field_type_t *t, field_set_t *s)
{
    for (size_t i = 0; i < s->n; i++) {
        field_node_t *node = &s->nodes[i];
        field_type_t type;
        bool named;

        if (node->below.n == 0 || !type_behind(t, node->step, &type, &named) ||
            type.source == FIELD_DEDUCED)
            continue;
        if (field_is_atomic(&type, field_form_of(&type, NULL))) {
            field_set_fini(&node->below);
            node->member = true;
        } else {
            field_set_reconcile(&type, &node->below);
        }
    }
}
