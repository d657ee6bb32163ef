/* SPDX-License-Identifier: Apache-2.0 */
/* What an applied object makes of another, what is left without some fields, and mistakes. */
#include "devapi/field_walk.h"
#include "devapi/patch.h"
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>

/* -- Merging -- */

/* A NULL value is none. Caller owns the result; NULL: nothing is left. */
static cJSON *merge(const field_type_t *t, const cJSON *have, const cJSON *patch);

static void merge_member(const field_type_t *map, const char *name, const cJSON *have,
                         const cJSON *patch, cJSON *out)
{
    field_type_t type;
    bool named;
    cJSON *merged = field_member_of(map, name, &type, &named)
                        ? merge(&type, have, patch)
                        : cJSON_Duplicate(patch != NULL ? patch : have, true);

    if (merged != NULL)
        cJSON_AddItemToObject(out, name, merged);
}

/* The members stay in their order, new ones follow. */
static cJSON *merge_maps(const field_type_t *t, const cJSON *have, const cJSON *patch)
{
    size_t hn, pn;
    host_cleanup(host_freep) tree_member_t *a = tree_sort(have, &hn);
    host_cleanup(host_freep) tree_member_t *b = tree_sort(patch, &pn);
    host_cleanup(host_freep) const cJSON **with = host_xcalloc(hn + 1, sizeof(*with));
    host_cleanup(host_freep) bool *taken = host_xcalloc(pn + 1, sizeof(*taken));
    cJSON *out = cJSON_CreateObject();
    const cJSON *item;
    size_t place = 0;

    for (size_t i = 0, j = 0; i < hn && j < pn;) {
        const int order = strcmp(a[i].item->string, b[j].item->string);
        if (order == 0) {
            with[a[i].place] = b[j].item;
            taken[b[j].place] = true;
        }
        i += order <= 0;
        j += order >= 0;
    }
    cJSON_ArrayForEach (item, have)
        merge_member(t, item->string, item, with[place++], out);
    place = 0;
    cJSON_ArrayForEach (item, patch) {
        if (!taken[place++])
            merge_member(t, item->string, NULL, item, out);
    }
    if (out->child != NULL)
        return out;
    cJSON_Delete(out);
    return NULL;
}

/* An element of one list and what the other has at the same step. */
typedef struct paired {
    field_item_t *item;
    struct paired *other; /* the first of the other list; NULL: none */
    bool twice;           /* the step comes again in this list */
    bool merged;
} paired_t;

typedef struct side {
    field_items_t items; /* sorted by step */
    paired_t *at;        /* in the list's order */
    size_t n;
} side_t;

static void side_fini(side_t *s)
{
    field_items_fini(&s->items);
    free(s->at);
}

static side_t side_of(const field_type_t *list, const cJSON *node)
{
    side_t s = {.items = field_items_of(list, node)};

    s.n = s.items.n;
    s.at = host_xcalloc(s.n + 1, sizeof(*s.at));
    field_items_sort(&s.items);
    for (size_t i = 0; i < s.n; i++) {
        field_item_t *item = &s.items.at[i];
        const bool same = i > 0 && field_step_compare(item[-1].step, item->step) == 0;

        s.at[item->place].item = item;
        s.at[item->place].twice = same;
        if (same)
            s.at[item[-1].place].twice = true;
    }
    return s;
}

static paired_t *find(const side_t *s, const char *step)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (field_step_compare(s->items.at[middle].step, step) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n && field_step_compare(s->items.at[low].step, step) == 0
               ? &s->at[s->items.at[low].place]
               : NULL;
}

static void pair_up(const side_t *s, const side_t *with)
{
    for (size_t i = 0; i < s->n; i++)
        s->at[i].other = find(with, s->at[i].item->step);
}

static void put_merged(const field_type_t *element, const cJSON *have, const cJSON *patch,
                       cJSON *out)
{
    cJSON *merged = merge(element, have, patch);

    if (merged != NULL)
        cJSON_AddItemToArray(out, merged);
}

/* What the object has at a step that comes once; elements that share one are not merged. */
static const cJSON *counterpart(const paired_t *p)
{
    return p->other == NULL ? NULL : p->other->twice ? NULL : p->other->item->node;
}

/* The next element of the patch that the object has, too. */
static const paired_t *next_shared(const side_t *patch, size_t *at)
{
    while (*at < patch->n) {
        const paired_t *p = &patch->at[(*at)++];
        if (p->other != NULL)
            return p;
    }
    return NULL;
}

/* Elements of both come in the patch's order; those of the object alone stay before the elements
 * that they stood before. */
static void interleave(const field_type_t *element, const side_t *have, const side_t *patch,
                       cJSON *out)
{
    size_t l = 0, r = 0, at = 0;
    const paired_t *shared = next_shared(patch, &at);

    while (l < have->n || r < patch->n) {
        paired_t *left = l < have->n ? &have->at[l] : NULL;
        paired_t *right = r < patch->n ? &patch->at[r] : NULL;

        if (left != NULL && left->other == NULL) {
            put_merged(element, left->item->node, NULL, out);
            l++;
            continue;
        }
        if (left != NULL && right != NULL && left->other == right) {
            put_merged(element, left->twice ? NULL : left->item->node, right->item->node, out);
            right->merged = true;
            l++;
            r++;
            shared = next_shared(patch, &at);
            continue;
        }
        if (left != NULL && right != NULL && shared != NULL && left->other != shared) {
            l++; /* it comes when the patch's order has it */
            continue;
        }
        if (left != NULL && left->other->merged)
            l++;
        if (right == NULL)
            continue;
        put_merged(element, counterpart(right), right->item->node, out);
        right->merged = true;
        r++;
        if (right == shared)
            shared = next_shared(patch, &at);
    }
}

static cJSON *merge_lists(const field_type_t *t, const cJSON *have, const cJSON *patch)
{
    const field_type_t element = field_element_of(t);
    host_cleanup(side_fini) side_t left = side_of(t, have);
    host_cleanup(side_fini) side_t right = side_of(t, patch);
    cJSON *out = cJSON_CreateArray();

    pair_up(&left, &right);
    pair_up(&right, &left);
    interleave(&element, &left, &right, out);
    if (out->child != NULL)
        return out;
    cJSON_Delete(out);
    return NULL;
}

static cJSON *merge(const field_type_t *t, const cJSON *have, const cJSON *patch)
{
    const enum field_form form = field_form_of(t, patch != NULL ? patch : have);
    const bool map = form == FIELD_MAP;
    const cJSON *a = map ? tree_map(have) : tree_list(have);
    const cJSON *b = map ? tree_map(patch) : tree_list(patch);

    if (form == FIELD_SCALAR || field_is_atomic(t, form) || (tree_empty(a) && tree_empty(b)))
        return cJSON_Duplicate(patch != NULL ? patch : have, true);
    return map ? merge_maps(t, a, b) : merge_lists(t, a, b);
}

cJSON *field_merge(const field_type_t *t, const cJSON *object, const cJSON *patch)
{
    cJSON *merged = merge(t, object, patch);

    return merged != NULL ? merged : cJSON_CreateObject();
}

/* -- Taking fields away -- */

/* Caller owns the result; null when nothing is left of a map or a list. */
static cJSON *without(const field_type_t *t, const cJSON *value, const field_set_t *fields);

static cJSON *map_without(const field_type_t *t, const cJSON *map, const field_set_t *fields)
{
    cJSON *out = cJSON_CreateObject();
    const cJSON *item;

    cJSON_ArrayForEach (item, map) {
        host_cleanup(host_freep) char *step = host_xprintf("f:%s", item->string);
        const field_set_t *below = field_set_below(fields, step);
        field_type_t type = {.source = FIELD_OPAQUE};
        bool named;

        if (field_set_has(fields, step))
            continue;
        (void) field_member_of(t, item->string, &type, &named);
        cJSON_AddItemToObject(out, item->string,
                              field_set_is_empty(below) ? cJSON_Duplicate(item, true)
                                                        : without(&type, item, below));
    }
    return out;
}

static cJSON *list_without(const field_type_t *t, const cJSON *list, const field_set_t *fields)
{
    const field_type_t element = field_element_of(t);
    host_cleanup(field_items_fini) field_items_t items = field_items_of(t, list);
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < items.n; i++) {
        const field_set_t *below = field_set_below(fields, items.at[i].step);

        if (!field_set_has(fields, items.at[i].step))
            cJSON_AddItemToArray(out, field_set_is_empty(below)
                                          ? cJSON_Duplicate(items.at[i].node, true)
                                          : without(&element, items.at[i].node, below));
    }
    return out;
}

static cJSON *without(const field_type_t *t, const cJSON *value, const field_set_t *fields)
{
    const enum field_form form = field_form_of(t, value);
    cJSON *out;

    if (form == FIELD_SCALAR)
        return cJSON_Duplicate(value, true);
    if (field_is_atomic(t, form) || value->child == NULL)
        return cJSON_CreateNull();
    out = form == FIELD_MAP ? map_without(t, value, fields) : list_without(t, value, fields);
    if (out->child != NULL)
        return out;
    cJSON_Delete(out);
    return cJSON_CreateNull();
}

cJSON *field_remove(const field_type_t *t, const cJSON *object, const field_set_t *fields)
{
    cJSON *left = without(t, object, fields);

    if (cJSON_IsObject(left))
        return left;
    cJSON_Delete(left);
    return cJSON_CreateObject();
}

/* -- Mistakes -- */

typedef struct checker {
    buf_t *lines; /* each ends with a newline */
    size_t n;
} checker_t;

/* A path as text; chained on the stack. */
typedef struct place {
    const struct place *up;
    const char *step; /* as in sets */
} place_t;

static void put_place(const place_t *at, buf_t *out)
{
    if (at == NULL)
        return;
    put_place(at->up, out);
    field_step_print(at->step, out);
}

static void note(checker_t *c, const place_t *at, const char *what)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;

    put_place(at, &path);
    buf_printf(c->lines, "%s%s%s\n", buf_text(&path), path.len > 0 ? ": " : "", what);
    c->n++;
}

static void check(checker_t *c, const field_type_t *t, const cJSON *value, const place_t *at);

/* Stops at the first unknown member, as the real one does. */
static void check_map(checker_t *c, const field_type_t *t, const cJSON *map, const place_t *at)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, map) {
        host_cleanup(host_freep) char *step = host_xprintf("f:%s", item->string);
        const place_t here = {at, step};
        field_type_t type;
        bool named;

        if (!field_member_of(t, item->string, &type, &named)) {
            note(c, &here, "field not declared in schema");
            return;
        }
        check(c, &type, item, &here);
    }
}

static void note_step(checker_t *c, const place_t *at, size_t i, const char *what)
{
    host_cleanup(host_freep) char *text = host_xprintf("element %zu: %s", i, what);

    note(c, at, text);
}

static bool check_steps(checker_t *c, const field_type_t *t, const cJSON *list, const place_t *at)
{
    const cJSON *item;
    size_t i = 0;

    cJSON_ArrayForEach (item, list) {
        host_cleanup(buf_fini) buf_t step = BUF_INIT;
        const char *why;

        if (field_step_of(t, item, &step, &why) < 0) {
            note_step(c, at, i, why != NULL ? why : buf_text(&step));
            return false;
        }
        i++;
    }
    return true;
}

static void check_elements(checker_t *c, const field_type_t *t, const cJSON *list,
                           const place_t *at)
{
    const field_type_t element = field_element_of(t);
    side_t side = side_of(t, list);

    for (size_t i = 0; i < side.n; i++) {
        const place_t here = {at, side.at[i].item->step};

        if (find(&side, here.step) != &side.at[i]) {
            host_cleanup(buf_fini) buf_t key = BUF_INIT;
            buf_puts(&key, "duplicate entries for key ");
            field_step_print(here.step, &key);
            note(c, at, buf_text(&key));
        }
        check(c, &element, side.at[i].item->node, &here);
    }
    side_fini(&side);
}

static void check_list(checker_t *c, const field_type_t *t, const cJSON *list, const place_t *at)
{
    const field_type_t element = field_element_of(t);
    const cJSON *item;
    size_t i = 0;

    if (!field_is_atomic(t, FIELD_LIST)) {
        if (check_steps(c, t, list, at))
            check_elements(c, t, list, at);
        return;
    }
    cJSON_ArrayForEach (item, list) {
        host_cleanup(host_freep) char *step = host_xprintf("i:%zu", i++);
        const place_t here = {at, step};

        check(c, &element, item, &here);
    }
}

static void note_value(checker_t *c, const place_t *at, const char *expected, const cJSON *value)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    buf_printf(&text, "expected %s, got &{", expected);
    dev_go_print(value, &text);
    buf_puts(&text, "}");
    note(c, at, buf_text(&text));
}

/* The real one shows its own record of the value. */
static void note_no_string(checker_t *c, const place_t *at, const cJSON *value)
{
    host_cleanup(host_freep) char *shown = cJSON_PrintUnformatted(value);
    host_cleanup(host_freep) char *text =
        host_xprintf("expected string, got &value.valueUnstructured{Value:%s%s}",
                     cJSON_IsObject(value)  ? "map[string]interface {}"
                     : cJSON_IsArray(value) ? "[]interface {}"
                                            : "",
                     shown == NULL ? "" : shown);

    note(c, at, text);
}

static const char *go_type(const cJSON *value)
{
    if (cJSON_IsString(value))
        return "string";
    if (cJSON_IsBool(value))
        return "bool";
    return cJSON_IsObject(value) ? "map[string]interface {}" : "[]interface {}";
}

static void check_scalar(checker_t *c, const field_type_t *t, const cJSON *value, const place_t *at)
{
    const char *want = field_scalar_of(t);
    const bool plain = !cJSON_IsObject(value) && !cJSON_IsArray(value);

    if (want == NULL && !plain) {
        note_value(c, at, "any scalar", value);
    } else if (want != NULL && strncmp(want, "numeric", 7) == 0 && !cJSON_IsNumber(value)) {
        host_cleanup(host_freep) char *text =
            host_xprintf("expected %s, got %s", want, go_type(value));
        note(c, at, text);
    } else if (want != NULL && strcmp(want, "string") == 0 && !cJSON_IsString(value)) {
        note_no_string(c, at, value);
    } else if (want != NULL && strcmp(want, "boolean") == 0 && !cJSON_IsBool(value)) {
        note_value(c, at, want, value);
    }
}

static void check(checker_t *c, const field_type_t *t, const cJSON *value, const place_t *at)
{
    const enum field_form form = field_form_of(t, value);

    if (cJSON_IsNull(value))
        return;
    if (form == FIELD_SCALAR)
        check_scalar(c, t, value, at);
    else if (form == FIELD_MAP && !cJSON_IsObject(value))
        note_value(c, at, "map", value);
    else if (form == FIELD_LIST && !cJSON_IsArray(value))
        note_value(c, at, "list", value);
    else if (form == FIELD_MAP)
        check_map(c, t, value, at);
    else
        check_list(c, t, value, at);
}

void field_check(const field_type_t *t, const cJSON *object, buf_t *mistakes)
{
    host_cleanup(buf_fini) buf_t lines = BUF_INIT;
    checker_t c = {&lines, 0};

    check(&c, t, object, NULL);
    if (c.n == 0)
        return;
    lines.data[lines.len - 1] = '\0';
    if (c.n == 1) {
        buf_puts(mistakes, buf_text(&lines));
        return;
    }
    buf_puts(mistakes, "errors:");
    for (char *at = lines.data, *line; (line = strsep(&at, "\n")) != NULL;)
        buf_printf(mistakes, "\n  %s", line);
}
