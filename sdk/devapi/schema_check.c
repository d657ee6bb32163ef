/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a schema structural: types everywhere, and no types where only values are checked. */
#include "devapi/schema_node.h"

#include <string.h>

static const char *const types[] = {"array",  "boolean", "integer", "number",
                                    "object", "string",  NULL};

static bool is_one_of(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0)
            return true;
    }
    return false;
}

/* -- Schemas below allOf, anyOf, oneOf and not: values only -- */

static const struct {
    const char *key;
    const char *detail;
} not_for_values[] = {
    {"default", "must be undefined to be structural"},
    {"title", "must be empty to be structural"},
    {"description", "must be empty to be structural"},
    {"nullable", "must be false to be structural"},
    {"additionalProperties", "must be undefined to be structural"},
    {"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
    {"x-kubernetes-embedded-resource", "must be false to be structural"},
    {"x-kubernetes-int-or-string", "must be false to be structural"},
    {"x-kubernetes-list-map-keys", "must be empty to be structural"},
    {"x-kubernetes-list-type", "must be undefined to be structural"},
};

static void check_value_schema(const cJSON *json, const dev_path_t *at, bool typed, int depth,
                               dev_status_t *st);

/* Below a schema that is int-or-string, anyOf may say so again. */
static void check_junctors(const cJSON *json, const dev_path_t *at, bool int_or_string, int depth,
                           dev_status_t *st)
{
    static const char *const keys[] = {"allOf", "anyOf", "oneOf"};
    const cJSON *item, *not = tree_get(json, "not");

    for (size_t i = 0; i < HOST_LEN(keys); i++) {
        int k = 0;

        cJSON_ArrayForEach (item, tree_list(tree_get(json, keys[i])))
            check_value_schema(item, DEV_NTH(DEV_AT(at, keys[i]), k++), int_or_string, depth, st);
    }
    if (not != NULL)
        check_value_schema(not, DEV_AT(at, "not"), false, depth, st);
}

static void check_value_schema(const cJSON *json, const dev_path_t *at, bool typed, int depth,
                               dev_status_t *st)
{
    const cJSON *item, *items = tree_get(json, "items");

    if (depth >= SCHEMA_MAX_DEPTH)
        return;
    if (!typed && tree_text(json, "type")[0] != '\0')
        dev_forbidden(st, DEV_AT(at, "type"), "must be empty to be structural");
    for (size_t i = 0; i < HOST_LEN(not_for_values); i++) {
        item = tree_get(json, not_for_values[i].key);
        if (item != NULL && !cJSON_IsFalse(item))
            dev_forbidden(st, DEV_AT(at, not_for_values[i].key), not_for_values[i].detail);
    }
    cJSON_ArrayForEach (item, tree_map(tree_get(json, "properties")))
        check_value_schema(item, DEV_KEY(DEV_AT(at, "properties"), item->string), false, depth + 1,
                           st);
    if (items != NULL)
        check_value_schema(items, DEV_AT(at, "items"), false, depth + 1, st);
    check_junctors(json, at, typed, depth + 1, st);
}

/* -- Structural schemas -- */

static void check_type(const cJSON *json, const dev_path_t *at, bool root, dev_status_t *st)
{
    const dev_path_t *here = DEV_AT(at, "type");
    const char *type = tree_text(json, "type");

    if (root && type[0] == '\0')
        dev_required(st, here, "must not be empty at the root");
    else if (root && strcmp(type, "object") != 0)
        dev_invalid_text(st, here, type, "must be object at the root");
    else if (type[0] != '\0' && !is_one_of(type, types))
        dev_unsupported(st, here, type, types);
    else if (type[0] == '\0' && !tree_true(json, "x-kubernetes-int-or-string") &&
             !tree_true(json, "x-kubernetes-preserve-unknown-fields"))
        dev_required(st, here, "must not be empty for specified object fields");
}

static void check_forbidden(const cJSON *json, const dev_path_t *at, dev_status_t *st)
{
    static const struct {
        const char *key, *detail;
    } forbidden[] = {
        {"$ref", "$ref is not supported"},
        {"definitions", "definitions is not supported"},
        {"dependencies", "dependencies is not supported"},
        {"id", "id is not supported"},
        {"patternProperties", "patternProperties is not supported"},
        {"additionalItems", "additionalItems is not supported"},
    };
    const cJSON *preserve = tree_get(json, "x-kubernetes-preserve-unknown-fields");

    for (size_t i = 0; i < HOST_LEN(forbidden); i++) {
        if (!tree_empty(tree_get(json, forbidden[i].key)))
            dev_forbidden(st, DEV_AT(at, forbidden[i].key), forbidden[i].detail);
    }
    if (tree_true(json, "uniqueItems"))
        dev_forbidden(st, DEV_AT(at, "uniqueItems"),
                      "uniqueItems cannot be set to true since the runtime complexity becomes "
                      "quadratic");
    if (cJSON_IsFalse(preserve))
        dev_invalid(st, DEV_AT(at, "x-kubernetes-preserve-unknown-fields"), preserve,
                    "must be true or undefined");
    if (!tree_empty(tree_get(json, "properties")) && tree_get(json, "additionalProperties") != NULL)
        dev_forbidden(st, DEV_AT(at, "additionalProperties"),
                      "additionalProperties and properties are mutual exclusive");
    if (tree_true(json, "x-kubernetes-embedded-resource") && preserve == NULL &&
        tree_empty(tree_get(json, "properties")))
        dev_required(st, DEV_AT(at, "properties"),
                     "must not be empty if x-kubernetes-embedded-resource is true without "
                     "x-kubernetes-preserve-unknown-fields");
}

/* The keys of a map list are required or have a default. */
static void check_keys(const cJSON *json, const dev_path_t *at, dev_status_t *st)
{
    const cJSON *keys = tree_get(json, "x-kubernetes-list-map-keys"), *key;
    const cJSON *items = tree_get(json, "items");
    const dev_path_t *properties = DEV_AT(DEV_AT(at, "items"), "properties");

    if (tree_empty(keys))
        dev_required(st, DEV_AT(at, "x-kubernetes-list-map-keys"),
                     "must not be empty if x-kubernetes-list-type is map");
    cJSON_ArrayForEach (key, keys) {
        const cJSON *property;

        if (!cJSON_IsString(key))
            continue;
        property = tree_get(tree_get(items, "properties"), key->valuestring);
        if (property == NULL)
            dev_invalid(st, DEV_AT(at, "x-kubernetes-list-map-keys"), key,
                        "entries must all be names of item properties");
        else if (tree_get(property, "default") == NULL &&
                 !tree_has_text(tree_get(items, "required"), key->valuestring))
            dev_required(st, DEV_AT(DEV_KEY(properties, key->valuestring), "default"),
                         "this property is in x-kubernetes-list-map-keys, so it must have a "
                         "default or be a required property");
    }
}

static void check_array(const cJSON *json, const dev_path_t *at, dev_status_t *st)
{
    static const char *const lists[] = {"atomic", "set", "map", NULL};
    const cJSON *items = tree_get(json, "items");
    const char *list = tree_text(json, "x-kubernetes-list-type");

    if (cJSON_IsArray(items))
        dev_forbidden(st, DEV_AT(at, "items"), "items must be a schema object and not an array");
    else if (items == NULL && strcmp(tree_text(json, "type"), "array") == 0)
        dev_required(st, DEV_AT(at, "items"), "must be specified");
    if (list[0] != '\0' && !is_one_of(list, lists))
        dev_unsupported(st, DEV_AT(at, "x-kubernetes-list-type"), list, lists);
    if (strcmp(list, "map") == 0)
        check_keys(json, at, st);
    if (strcmp(list, "set") == 0 && strcmp(tree_text(items, "type"), "object") == 0 &&
        strcmp(tree_text(items, "x-kubernetes-map-type"), "atomic") != 0)
        dev_invalid(st, DEV_AT(DEV_AT(at, "items"), "x-kubernetes-map-type"), NULL,
                    "must be atomic as item of a list with x-kubernetes-list-type=set");
}

/* apiVersion, kind and metadata of a whole object belong to the server. */
static void check_root(const cJSON *json, const dev_path_t *at, dev_status_t *st)
{
    static const char *const texts[] = {"apiVersion", "kind"};
    const dev_path_t *properties = DEV_AT(at, "properties");
    const cJSON *known = tree_get(json, "properties"), *metadata = tree_get(known, "metadata");
    const cJSON *it;

    for (size_t i = 0; i < HOST_LEN(texts); i++) {
        const char *type = tree_text(tree_get(known, texts[i]), "type");

        if (type[0] != '\0' && strcmp(type, "string") != 0)
            dev_invalid_text(st, DEV_AT(DEV_KEY(properties, texts[i]), "type"), type,
                             "must be string");
    }
    cJSON_ArrayForEach (it, tree_map(metadata)) {
        const cJSON *name;
        bool fine = strcmp(it->string, "type") == 0 || strcmp(it->string, "description") == 0;

        if (strcmp(it->string, "properties") == 0) {
            fine = true;
            cJSON_ArrayForEach (name, tree_map(it))
                fine = fine && (strcmp(name->string, "name") == 0 ||
                                strcmp(name->string, "generateName") == 0);
        }
        if (fine)
            continue;
        dev_forbidden(st, DEV_KEY(properties, "metadata"),
                      "must not specify anything other than name and generateName, but metadata "
                      "is implicitly specified");
        break;
    }
}

static void check_node(const cJSON *json, const dev_path_t *at, bool root, int depth,
                       dev_status_t *st)
{
    const cJSON *item, *items = tree_get(json, "items");
    const cJSON *additional = tree_get(json, "additionalProperties");

    if (depth >= SCHEMA_MAX_DEPTH)
        return;
    check_type(json, at, root, st);
    check_forbidden(json, at, st);
    check_array(json, at, st);
    if (root && tree_true(json, "nullable"))
        dev_forbidden(st, DEV_AT(at, "nullable"), "nullable cannot be true at the root");
    if (root || tree_true(json, "x-kubernetes-embedded-resource"))
        check_root(json, at, st);
    cJSON_ArrayForEach (item, tree_map(tree_get(json, "properties")))
        check_node(item, DEV_KEY(DEV_AT(at, "properties"), item->string), false, depth + 1, st);
    if (cJSON_IsObject(items))
        check_node(items, DEV_AT(at, "items"), false, depth + 1, st);
    if (cJSON_IsObject(additional))
        check_node(additional, DEV_AT(at, "additionalProperties"), false, depth + 1, st);
    check_junctors(json, at, tree_true(json, "x-kubernetes-int-or-string"), depth + 1, st);
}

void schema_check(const cJSON *json, const dev_path_t *at, dev_status_t *st)
{
    check_node(json, at, true, 0, st);
}
