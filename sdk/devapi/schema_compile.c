/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/schema_node.h"

#include <string.h>

typedef struct compiler {
    dev_status_t *st;
    int nodes;
    bool failed; /* too large or too deep; noted once */
} compiler_t;

static schema_node_t *compile(compiler_t *c, const cJSON *json, const dev_path_t *at, int depth);

void schema_node_destroy(schema_node_t *n)
{
    schema_nodes_t *lists[3];
    schema_property_t *p, *tmp;

    if (n == NULL)
        return;
    lists[0] = &n->all;
    lists[1] = &n->any;
    lists[2] = &n->one;
    HASH_ITER (hh, n->properties, p, tmp) {
        HASH_DEL(n->properties, p);
        schema_node_destroy(p->node);
        free(p);
    }
    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        for (int k = 0; k < lists[i]->n; k++)
            schema_node_destroy(lists[i]->at[k]);
        free(lists[i]->at);
    }
    schema_node_destroy(n->items);
    schema_node_destroy(n->additional);
    schema_node_destroy(n->not );
    schema_pattern_destroy(n->regex);
    free(n);
}

schema_node_t *schema_property(const schema_node_t *n, const char *name)
{
    schema_property_t *p;

    HASH_FIND_STR(n->properties, name, p);
    return p == NULL ? NULL : p->node;
}

/* -- Reading one node -- */

static const struct {
    const char *name;
    unsigned types;
} type_names[] = {
    {"object", SCHEMA_OBJECT},   {"array", SCHEMA_ARRAY},   {"string", SCHEMA_STRING},
    {"integer", SCHEMA_INTEGER}, {"number", SCHEMA_NUMBER}, {"boolean", SCHEMA_BOOLEAN},
};

static void read_type(schema_node_t *n, const cJSON *json)
{
    const char *type = tree_text(json, "type");

    n->int_or_string = tree_true(json, "x-kubernetes-int-or-string");
    if (n->int_or_string) {
        n->types = SCHEMA_INTEGER | SCHEMA_STRING;
        n->type_text = "integer,string";
        return;
    }
    for (size_t i = 0; i < HOST_LEN(type_names); i++) {
        if (strcmp(type_names[i].name, type) == 0) {
            n->types = type_names[i].types;
            n->type_text = type_names[i].name;
        }
    }
}

static const cJSON *number_of(const cJSON *json, const char *key)
{
    const cJSON *item = tree_get(json, key);

    return cJSON_IsNumber(item) ? item : NULL;
}

/* -1: none. Beyond what a text can reach, all are the same. */
static int64_t count_of(const cJSON *json, const char *key)
{
    double n = tree_number(json, key, -1);

    if (n < 0)
        return -1;
    return n < (double) INT32_MAX ? (int64_t) n : INT32_MAX;
}

static void read_limits(schema_node_t *n, const cJSON *json)
{
    n->minimum = number_of(json, "minimum");
    n->maximum = number_of(json, "maximum");
    n->multiple = number_of(json, "multipleOf");
    n->exclusive_minimum = tree_true(json, "exclusiveMinimum");
    n->exclusive_maximum = tree_true(json, "exclusiveMaximum");
    n->min_length = count_of(json, "minLength");
    n->max_length = count_of(json, "maxLength");
    n->min_items = count_of(json, "minItems");
    n->max_items = count_of(json, "maxItems");
    n->min_members = count_of(json, "minProperties");
    n->max_members = count_of(json, "maxProperties");
}

static void read_flags(schema_node_t *n, const cJSON *json)
{
    const char *list = tree_text(json, "x-kubernetes-list-type");

    n->nullable = tree_true(json, "nullable");
    n->preserve = tree_true(json, "x-kubernetes-preserve-unknown-fields");
    n->embedded = tree_true(json, "x-kubernetes-embedded-resource");
    n->list = strcmp(list, "set") == 0   ? SCHEMA_SET
              : strcmp(list, "map") == 0 ? SCHEMA_MAP
                                         : SCHEMA_ATOMIC;
    n->keys = tree_get(json, "x-kubernetes-list-map-keys");
    n->required = tree_get(json, "required");
    n->values = tree_get(json, "enum");
    n->otherwise = tree_get(json, "default");
    n->format = cJSON_GetStringValue(tree_get(json, "format"));
}

static void read_pattern(compiler_t *c, schema_node_t *n, const cJSON *json, const dev_path_t *at)
{
    const cJSON *pattern = tree_get(json, "pattern");
    buf_t reason = BUF_INIT;

    if (!cJSON_IsString(pattern))
        return;
    n->pattern = pattern->valuestring;
    if (schema_pattern_compile(n->pattern, &n->regex, &reason) < 0)
        dev_invalid(c->st, DEV_AT(at, "pattern"), pattern,
                    "must be a valid regular expression, but isn't: error parsing regexp: %s",
                    buf_text(&reason));
    buf_fini(&reason);
}

/* -- Children -- */

static void read_properties(compiler_t *c, schema_node_t *n, const cJSON *json,
                            const dev_path_t *at, int depth)
{
    const dev_path_t *here = DEV_AT(at, "properties");
    const cJSON *item;

    cJSON_ArrayForEach (item, tree_map(tree_get(json, "properties"))) {
        schema_property_t *p;

        if (schema_property(n, item->string) != NULL)
            continue;
        p = host_xcalloc(1, sizeof(*p));
        p->name = item->string;
        p->node = compile(c, item, DEV_KEY(here, item->string), depth);
        HASH_ADD_KEYPTR(hh, n->properties, p->name, strlen(p->name), p);
    }
}

static void read_list(compiler_t *c, schema_nodes_t *out, const cJSON *json, const char *key,
                      const dev_path_t *at, int depth)
{
    const dev_path_t *here = DEV_AT(at, key);
    const cJSON *list = tree_list(tree_get(json, key)), *item;

    if (tree_empty(list))
        return;
    out->at = host_xcalloc((size_t) cJSON_GetArraySize(list), sizeof(*out->at));
    cJSON_ArrayForEach (item, list) {
        schema_node_t *n = compile(c, item, DEV_NTH(here, out->n), depth);

        if (n != NULL)
            out->at[out->n++] = n;
    }
}

static schema_node_t *read_child(compiler_t *c, const cJSON *json, const char *key,
                                 const dev_path_t *at, int depth)
{
    const cJSON *child = tree_get(json, key);

    return cJSON_IsObject(child) ? compile(c, child, DEV_AT(at, key), depth) : NULL;
}

static bool is_within_bounds(compiler_t *c, const dev_path_t *at, int depth)
{
    if (depth < SCHEMA_MAX_DEPTH && ++c->nodes <= SCHEMA_MAX_NODES)
        return true;
    if (!c->failed)
        dev_forbidden(c->st, at, "the schema is too large");
    c->failed = true;
    return false;
}

/* NULL only when a bound is passed. */
static schema_node_t *compile(compiler_t *c, const cJSON *json, const dev_path_t *at, int depth)
{
    schema_node_t *n;

    if (!is_within_bounds(c, at, depth))
        return NULL;
    n = host_xcalloc(1, sizeof(*n));
    read_type(n, json);
    read_limits(n, json);
    read_flags(n, json);
    read_pattern(c, n, json, at);
    read_properties(c, n, json, at, depth + 1);
    n->items = read_child(c, json, "items", at, depth + 1);
    n->additional = read_child(c, json, "additionalProperties", at, depth + 1);
    n->not = read_child(c, json, "not", at, depth + 1);
    read_list(c, &n->all, json, "allOf", at, depth + 1);
    read_list(c, &n->any, json, "anyOf", at, depth + 1);
    read_list(c, &n->one, json, "oneOf", at, depth + 1);
    /* Without a type "true" of additionalProperties knows every field. */
    n->preserve = n->preserve || tree_true(json, "additionalProperties");
    return n;
}

/* Defaults must be valid themselves. */
static void check_defaults(const schema_node_t *n, const dev_path_t *at, dev_status_t *st)
{
    const dev_path_t *properties = DEV_AT(at, "properties");
    schema_property_t *p, *tmp;

    if (n->otherwise != NULL && !schema_knows(n, n->otherwise))
        dev_invalid(st, DEV_AT(at, "default"), n->otherwise, "must not have unknown fields");
    else if (n->otherwise != NULL)
        schema_validate_node(n, n->otherwise, DEV_AT(at, "default"), NULL, st);
    HASH_ITER (hh, n->properties, p, tmp)
        check_defaults(p->node, DEV_KEY(properties, p->name), st);
    if (n->items != NULL)
        check_defaults(n->items, DEV_AT(at, "items"), st);
    if (n->additional != NULL)
        check_defaults(n->additional, DEV_AT(at, "additionalProperties"), st);
}

dev_schema_t *dev_schema_create(const cJSON *json, const char *field, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, field);
    int before = cJSON_GetArraySize(st->causes);
    compiler_t c = {.st = st};
    dev_schema_t *s = host_xcalloc(1, sizeof(*s));

    s->json = cJSON_Duplicate(json, true);
    s->root = s->json == NULL ? NULL : compile(&c, s->json, at, 0);
    if (s->root != NULL && !c.failed) {
        schema_check(s->json, at, st);
        if (cJSON_GetArraySize(st->causes) == before)
            check_defaults(s->root, at, st);
    }
    if (s->root != NULL && !c.failed && cJSON_GetArraySize(st->causes) == before)
        return s;
    dev_schema_destroy(s);
    return NULL;
}

void dev_schema_destroy(dev_schema_t *s)
{
    if (s == NULL)
        return;
    schema_node_destroy(s->root);
    cJSON_Delete(s->json);
    free(s);
}
