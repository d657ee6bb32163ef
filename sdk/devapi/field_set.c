/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/field_set.h"
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>

/* -- Order -- */

/* Members come first, then elements by keys, by value, by index. */
static int rank(const char *step)
{
    static const char order[] = "fkvi";
    const char *at = strchr(order, step[0]);

    return at == NULL ? (int) sizeof(order) : (int) (at - order);
}

static bool begins_number(const char *p)
{
    return *p == '-' || (*p >= '0' && *p <= '9');
}

/* Where the number begins that p stands in; NULL: p stands in none. */
static const char *number_at(const char *start, const char *p)
{
    while (p > start && strchr("0123456789.+-eE", p[-1]) != NULL)
        p--;
    return begins_number(p) && p > start && strchr(":,[", p[-1]) != NULL ? p : NULL;
}

/* Values as JSON texts of one form: numbers by value and before strings, strings by their bytes. */
static int compare_values(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] != '\0' && a[i] == b[i])
        i++;
    if (a[i] == b[i])
        return 0;
    const char *x = number_at(a, a + i), *y = number_at(b, b + i);
    if (x != NULL && y != NULL) {
        const double left = strtod(x, NULL), right = strtod(y, NULL);
        return left < right ? -1 : 1;
    }
    if (x != NULL || y != NULL)
        return x != NULL ? -1 : 1;
    /* The end of a string comes before whatever may be in one. */
    if (a[i] == '"' || b[i] == '"')
        return a[i] == '"' ? -1 : 1;
    return (unsigned char) a[i] < (unsigned char) b[i] ? -1 : 1;
}

int field_step_compare(const char *a, const char *b)
{
    if (a[0] == 'f' && b[0] == 'f')
        return strcmp(a, b);
    return a[0] == b[0] ? compare_values(a + 1, b + 1) : rank(a) - rank(b);
}

/* -- Nodes -- */

void field_set_fini(field_set_t *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->nodes[i].step);
        field_set_fini(&s->nodes[i].below);
    }
    free(s->nodes);
    *s = (field_set_t){0};
}

/* The first node that is not before the step. */
static size_t lower(const field_set_t *s, const char *step)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (field_step_compare(s->nodes[middle].step, step) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static field_node_t *find(const field_set_t *s, const char *step)
{
    const size_t i = lower(s, step);

    return i < s->n && field_step_compare(s->nodes[i].step, step) == 0 ? &s->nodes[i] : NULL;
}

static void grow(field_set_t *s, size_t cap)
{
    if (cap <= s->cap)
        return;
    s->cap = HOST_MAX(cap, 2 * s->cap);
    field_node_t *nodes = host_xcalloc(s->cap, sizeof(*nodes));
    if (s->n > 0)
        memcpy(nodes, s->nodes, s->n * sizeof(*nodes));
    free(s->nodes);
    s->nodes = nodes;
}

/* The node of a step, made when there is none. */
static field_node_t *reach(field_set_t *s, const char *step)
{
    const size_t i = lower(s, step);

    if (i < s->n && field_step_compare(s->nodes[i].step, step) == 0)
        return &s->nodes[i];
    grow(s, s->n + 1);
    memmove(s->nodes + i + 1, s->nodes + i, (s->n - i) * sizeof(*s->nodes));
    s->nodes[i] = (field_node_t){.step = host_xstrdup(step)};
    s->n++;
    return &s->nodes[i];
}

/* Drops nodes that hold nothing. */
static void tidy(field_set_t *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        field_node_t *node = &s->nodes[i];
        if (node->member || node->below.n > 0) {
            s->nodes[kept++] = *node;
            continue;
        }
        free(node->step);
        field_set_fini(&node->below);
    }
    s->n = kept;
}

static field_node_t copy_node(const field_node_t *node)
{
    return (field_node_t){.step = host_xstrdup(node->step),
                          .member = node->member,
                          .below = field_set_copy(&node->below)};
}

field_set_t field_set_copy(const field_set_t *s)
{
    field_set_t copy = {0};

    grow(&copy, s->n);
    for (size_t i = 0; i < s->n; i++)
        copy.nodes[copy.n++] = copy_node(&s->nodes[i]);
    return copy;
}

bool field_set_is_empty(const field_set_t *s)
{
    return s->n == 0;
}

static field_set_t *descend(field_set_t *s, const field_path_t *path)
{
    return path == NULL ? s : &reach(descend(s, path->up), path->step)->below;
}

void field_set_insert(field_set_t *s, const field_path_t *path)
{
    if (path != NULL)
        reach(descend(s, path->up), path->step)->member = true;
}

bool field_set_has(const field_set_t *s, const char *step)
{
    const field_node_t *node = find(s, step);

    return node != NULL && node->member;
}

const field_set_t *field_set_below(const field_set_t *s, const char *step)
{
    static const field_set_t empty = {0};
    const field_node_t *node = find(s, step);

    return node == NULL ? &empty : &node->below;
}

/* -- Algebra -- */

/* In one pass: a node at a time would move the others each time. */
void field_set_unite(field_set_t *s, const field_set_t *with)
{
    const size_t most = s->n + with->n;
    size_t i = 0, j = 0;

    if (with->n == 0)
        return;
    field_set_t both = {.nodes = host_xcalloc(most, sizeof(*both.nodes)), .cap = most};
    while (i < s->n || j < with->n) {
        const int order = i == s->n ? 1
                          : j == with->n
                              ? -1
                              : field_step_compare(s->nodes[i].step, with->nodes[j].step);
        field_node_t *node = &both.nodes[both.n++];

        *node = order <= 0 ? s->nodes[i] : copy_node(&with->nodes[j]);
        if (order == 0) {
            node->member = node->member || with->nodes[j].member;
            field_set_unite(&node->below, &with->nodes[j].below);
        }
        i += order <= 0;
        j += order >= 0;
    }
    free(s->nodes);
    *s = both;
}

void field_set_intersect(field_set_t *s, const field_set_t *with)
{
    for (size_t i = 0; i < s->n; i++) {
        const field_node_t *other = find(with, s->nodes[i].step);
        s->nodes[i].member = s->nodes[i].member && other != NULL && other->member;
        if (other == NULL)
            field_set_fini(&s->nodes[i].below);
        else
            field_set_intersect(&s->nodes[i].below, &other->below);
    }
    tidy(s);
}

static void subtract(field_set_t *s, const field_set_t *what, bool deep)
{
    for (size_t i = 0; i < what->n; i++) {
        field_node_t *node = find(s, what->nodes[i].step);
        if (node == NULL)
            continue;
        if (what->nodes[i].member) {
            node->member = false;
            if (deep)
                field_set_fini(&node->below);
        }
        subtract(&node->below, &what->nodes[i].below, deep);
    }
    tidy(s);
}

void field_set_subtract(field_set_t *s, const field_set_t *what)
{
    subtract(s, what, false);
}

void field_set_subtract_deep(field_set_t *s, const field_set_t *what)
{
    subtract(s, what, true);
}

/* -- Paths as text -- */

static void print_value(const cJSON *value, buf_t *out)
{
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(value);

    buf_puts(out, text == NULL ? "null" : text);
}

static void print_keys(const char *json, buf_t *out)
{
    cJSON *keys = cJSON_Parse(json);
    const cJSON *key;

    buf_puts(out, "[");
    cJSON_ArrayForEach (key, keys) {
        buf_printf(out, "%s%s=", key == keys->child ? "" : ",", key->string);
        print_value(key, out);
    }
    buf_puts(out, "]");
    cJSON_Delete(keys);
}

void field_step_print(const char *step, buf_t *out)
{
    if (step[0] == 'f')
        buf_printf(out, ".%s", step + 2);
    else if (step[0] == 'k')
        print_keys(step + 2, out);
    else
        buf_printf(out, step[0] == 'v' ? "[=%s]" : "[%s]", step + 2);
}

typedef struct visit {
    bool (*each)(void *arg, const char *path);
    void *arg;
} visit_t;

static bool walk(const field_set_t *s, const char *above, const visit_t *v);

static bool walk_node(const field_node_t *node, bool below, const char *above, const visit_t *v)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;

    if (below ? node->below.n == 0 : !node->member)
        return true;
    buf_puts(&path, above);
    field_step_print(node->step, &path);
    return below ? walk(&node->below, buf_text(&path), v) : v->each(v->arg, buf_text(&path));
}

/* As the real one walks: the fields of a level, then what is below them. */
static bool walk(const field_set_t *s, const char *above, const visit_t *v)
{
    bool more = true;

    if (s->nodes == NULL)
        return true;
    for (size_t i = 0; more && i < s->n; i++)
        more = walk_node(&s->nodes[i], false, above, v);
    for (size_t i = 0; more && i < s->n; i++)
        more = walk_node(&s->nodes[i], true, above, v);
    return more;
}

void field_set_each(const field_set_t *s, bool (*each)(void *arg, const char *path), void *arg)
{
    const visit_t v = {each, arg};

    (void) walk(s, "", &v);
}

size_t field_set_size(const field_set_t *s)
{
    size_t size = 0;

    for (size_t i = 0; i < s->n; i++)
        size += s->nodes[i].member + field_set_size(&s->nodes[i].below);
    return size;
}

/* -- FieldsV1 -- */

void field_step_keys(cJSON *keys, buf_t *out)
{
    tree_sort_deep(keys);
    buf_puts(out, "k:");
    print_value(keys, out);
}

void field_step_value(const cJSON *value, buf_t *out)
{
    buf_puts(out, "v:");
    print_value(value, out);
}

/* Into the one form that steps are compared in. 0, 1 when its sort is unknown, -1. */
static int read_step(const char *text, buf_t *out)
{
    cJSON *value;

    if (text[0] == '\0' || text[1] != ':')
        return -1;
    if (strchr("fkvi", text[0]) == NULL)
        return 1;
    if (text[0] == 'f') {
        buf_puts(out, text);
        return 0;
    }
    value = cJSON_Parse(text + 2);
    const bool fine = text[0] == 'k'   ? cJSON_IsObject(value)
                      : text[0] == 'i' ? cJSON_IsNumber(value)
                                       : value != NULL;
    if (fine && text[0] == 'k') {
        field_step_keys(value, out);
    } else if (fine) {
        buf_printf(out, "%.2s", text);
        print_value(value, out);
    }
    cJSON_Delete(value);
    return fine ? 0 : -1;
}

static int by_step(const void *a, const void *b)
{
    const field_node_t *x = a, *y = b;

    return field_step_compare(x->step, y->step);
}

/* Sorts nodes as they came; of equal ones the first stays. */
static void settle(field_set_t *s)
{
    size_t kept = 0;

    if (s->n > 1)
        qsort(s->nodes, s->n, sizeof(*s->nodes), by_step);
    for (size_t i = 0; i < s->n; i++) {
        if (kept == 0 || field_step_compare(s->nodes[kept - 1].step, s->nodes[i].step) != 0) {
            s->nodes[kept++] = s->nodes[i];
            continue;
        }
        free(s->nodes[i].step);
        field_set_fini(&s->nodes[i].below);
    }
    s->n = kept;
}

/* *member: the object says of itself that it is in the set. */
static int read_set(const cJSON *json, field_set_t *out, bool *member)
{
    const cJSON *item;

    if (!cJSON_IsObject(json))
        return -1;
    cJSON_ArrayForEach (item, json) {
        host_cleanup(buf_fini) buf_t step = BUF_INIT;
        const bool self = strcmp(item->string, ".") == 0;
        const int ret = self ? 1 : read_step(item->string, &step);
        bool inner = false;

        if (ret < 0)
            return -1;
        *member = *member || self;
        if (ret > 0)
            continue;
        grow(out, out->n + 1);
        field_node_t *node = &out->nodes[out->n++];
        *node = (field_node_t){.step = host_xstrdup(buf_text(&step))};
        if (read_set(item, &node->below, &inner) < 0)
            return -1;
        node->member = inner || node->below.n == 0;
    }
    settle(out);
    return 0;
}

int field_set_read(const cJSON *json, field_set_t *out)
{
    bool member = false;

    *out = (field_set_t){0};
    if (read_set(json, out, &member) == 0)
        return 0;
    field_set_fini(out);
    return -1;
}

static cJSON *write_set(const field_set_t *s, bool member)
{
    cJSON *json = cJSON_CreateObject();

    if (member && s->n > 0)
        cJSON_AddItemToObject(json, ".", cJSON_CreateObject());
    for (size_t i = 0; i < s->n; i++)
        cJSON_AddItemToObject(json, s->nodes[i].step,
                              write_set(&s->nodes[i].below, s->nodes[i].member));
    return json;
}

cJSON *field_set_json(const field_set_t *s)
{
    return write_set(s, false);
}
