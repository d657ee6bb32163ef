/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/schema.h"

#include "base/buf.h"
#include "base/error.h"
#include "config/nearest.h"

#include <math.h>
#include <string.h>

enum { AROUND = 16 }; /* bytes that are quoted before and after a mistake */

/* -- Documents -- */

/* cJSON's own limit (1000) is for its stack; ours is for the walks over what it has read. */
static bool too_deep(const cJSON *json, unsigned depth)
{
    const cJSON *child;

    if (depth > PLUGIN_JSON_DEPTH)
        return true;
    cJSON_ArrayForEach (child, json) {
        if (too_deep(child, depth + 1))
            return true;
    }
    return false;
}

/* Quotes what stands around the place. */
static int not_json(const char *text, size_t len, size_t at, const char *what, lh_error_t *err)
{
    const size_t from = at - HOST_MIN(at, (size_t) AROUND), to = HOST_MIN(len, at + AROUND);
    host_cleanup(buf_fini) buf_t quote = BUF_INIT;

    buf_printable(&quote, text + from, to - from);
    return host_fail(err, LH_EPARSE, "not JSON: byte %zu%s, in '%s'", at, what, buf_text(&quote));
}

int plugin_json_parse(const char *text, size_t len, cJSON **out, lh_error_t *err)
{
    const char *end = NULL;
    host_cleanup(plugin_json_deletep) cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    size_t at = end != NULL ? (size_t) (end - text) : 0;

    if (json == NULL)
        return not_json(text, len, at, "", err);
    while (at < len && memchr(" \t\r\n", text[at], 4) != NULL)
        at++;
    if (at < len)
        return not_json(text, len, at, ": more after the document", err);
    if (too_deep(json, 0))
        return host_fail(err, LH_EPARSE, "nested deeper than %u levels", PLUGIN_JSON_DEPTH);
    *out = host_steal(json);
    return 0;
}

/* -- Unknown fields -- */

static int unknown(const char *at, const char *name, const char *const *known, size_t count,
                   lh_error_t *err)
{
    nearest_t nearest = NEAREST_INIT(name);
    char hint[128];

    for (size_t i = 0; i < count; i++) {
        config_nearest_offer(&nearest, known[i], known[i]);
    }
    return host_fail(err, LH_EINVAL, "%s%s: unknown field%s", at, name,
                     config_nearest_text(&nearest, hint, sizeof(hint)));
}

int plugin_json_known(const cJSON *object, const char *at, const char *const *known, size_t count,
                      lh_error_t *err)
{
    const cJSON *member;

    cJSON_ArrayForEach (member, object) {
        size_t i = 0;

        while (i < count && strcmp(member->string, known[i]) != 0)
            i++;
        if (i == count)
            return unknown(at, member->string, known, count, err);
        if (cJSON_GetObjectItemCaseSensitive(object, member->string) != member)
            return host_fail(err, LH_EINVAL, "%s%s: stands there twice", at, member->string);
    }
    return 0;
}

/* -- Types -- */

static const char *const type_names[] = {"object",  "array",   "string", "number",
                                         "integer", "boolean", "null"};

static bool is_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble);
    return (strcmp(type, "object") == 0 && cJSON_IsObject(value)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(value)) ||
           (strcmp(type, "string") == 0 && cJSON_IsString(value)) ||
           (strcmp(type, "number") == 0 && cJSON_IsNumber(value)) ||
           (strcmp(type, "boolean") == 0 && cJSON_IsBool(value)) ||
           (strcmp(type, "null") == 0 && cJSON_IsNull(value));
}

static const char *type_of(const cJSON *value)
{
    for (size_t i = 0; i < HOST_LEN(type_names); i++) {
        if (is_type(value, type_names[i]))
            return type_names[i];
    }
    return "nothing";
}

static bool known_type(const cJSON *type)
{
    for (size_t i = 0; cJSON_IsString(type) && i < HOST_LEN(type_names); i++) {
        if (strcmp(type->valuestring, type_names[i]) == 0)
            return true;
    }
    return false;
}

/* -- The schema itself -- */

/* What only people read: allowed, not looked at. */
static const char *const keywords[] = {
    "type",  "properties", "required",    "enum",    "minimum",  "maximum", "additionalProperties",
    "items", "title",      "description", "default", "examples", "$schema", "$comment"};

static int check_type(const cJSON *type, const char *at, lh_error_t *err)
{
    const cJSON *one;

    if (!cJSON_IsArray(type))
        return known_type(type) ? 0 : host_fail(err, LH_EINVAL, "%s.type: not a JSON type", at);
    cJSON_ArrayForEach (one, type) {
        if (!known_type(one))
            return host_fail(err, LH_EINVAL, "%s.type: not a JSON type", at);
    }
    return 0;
}

static int check_properties(const cJSON *properties, const char *at, lh_error_t *err)
{
    const cJSON *one;

    if (!cJSON_IsObject(properties))
        return host_fail(err, LH_EINVAL, "%s.properties: must be an object", at);
    cJSON_ArrayForEach (one, properties) {
        host_cleanup(host_freep) char *below = host_xprintf("%s.properties.%s", at, one->string);
        const int ret = plugin_schema_check(one, below, err);

        if (ret < 0)
            return ret;
    }
    return 0;
}

static int check_required(const cJSON *required, const char *at, lh_error_t *err)
{
    const cJSON *one;

    if (!cJSON_IsArray(required))
        return host_fail(err, LH_EINVAL, "%s.required: must be an array of names", at);
    cJSON_ArrayForEach (one, required) {
        if (!cJSON_IsString(one))
            return host_fail(err, LH_EINVAL, "%s.required: must be an array of names", at);
    }
    return 0;
}

static int check_below(const cJSON *schema, const char *key, const char *at, lh_error_t *err)
{
    const cJSON *below = cJSON_GetObjectItemCaseSensitive(schema, key);
    host_cleanup(host_freep) char *place = host_xprintf("%s.%s", at, key);

    if (below == NULL || (cJSON_IsBool(below) && strcmp(key, "additionalProperties") == 0))
        return 0;
    return plugin_schema_check(below, place, err);
}

int plugin_schema_check(const cJSON *schema, const char *at, lh_error_t *err)
{
    host_cleanup(host_freep) char *prefix = host_xprintf("%s.", at);
    const cJSON *item;
    int ret = 0;

    if (!cJSON_IsObject(schema))
        return host_fail(err, LH_EINVAL, "%s: a schema must be an object", at);
    ret = plugin_json_known(schema, prefix, keywords, HOST_LEN(keywords), err);
    if (ret == 0 && (item = cJSON_GetObjectItemCaseSensitive(schema, "type")) != NULL)
        ret = check_type(item, at, err);
    if (ret == 0 && (item = cJSON_GetObjectItemCaseSensitive(schema, "properties")) != NULL)
        ret = check_properties(item, at, err);
    if (ret == 0 && (item = cJSON_GetObjectItemCaseSensitive(schema, "required")) != NULL)
        ret = check_required(item, at, err);
    if (ret == 0 && (item = cJSON_GetObjectItemCaseSensitive(schema, "enum")) != NULL &&
        !cJSON_IsArray(item))
        ret = host_fail(err, LH_EINVAL, "%s.enum: must be an array", at);
    for (size_t i = 0; ret == 0 && i < 2; i++) {
        static const char *const bounds[] = {"minimum", "maximum"};

        item = cJSON_GetObjectItemCaseSensitive(schema, bounds[i]);
        if (item != NULL && !cJSON_IsNumber(item))
            ret = host_fail(err, LH_EINVAL, "%s.%s: must be a number", at, bounds[i]);
    }
    if (ret == 0)
        ret = check_below(schema, "items", at, err);
    if (ret == 0)
        ret = check_below(schema, "additionalProperties", at, err);
    return ret;
}

/* -- Values -- */

static int match_type(const cJSON *type, const cJSON *value, const char *at, lh_error_t *err)
{
    const cJSON *one;

    if (cJSON_IsString(type)) {
        if (is_type(value, type->valuestring))
            return 0;
        return host_fail(err, LH_EINVAL, "%s: must be of type %s, is %s", at, type->valuestring,
                         type_of(value));
    }
    cJSON_ArrayForEach (one, type) {
        if (is_type(value, one->valuestring))
            return 0;
    }
    return host_fail(err, LH_EINVAL, "%s: %s is not one of its types", at, type_of(value));
}

static int match_bounds(const cJSON *schema, const cJSON *value, const char *at, lh_error_t *err)
{
    const cJSON *min = cJSON_GetObjectItemCaseSensitive(schema, "minimum");
    const cJSON *max = cJSON_GetObjectItemCaseSensitive(schema, "maximum");

    if (!cJSON_IsNumber(value))
        return 0;
    if (min != NULL && value->valuedouble < min->valuedouble)
        return host_fail(err, LH_EINVAL, "%s: %.15g is less than the minimum, %.15g", at,
                         value->valuedouble, min->valuedouble);
    if (max != NULL && value->valuedouble > max->valuedouble)
        return host_fail(err, LH_EINVAL, "%s: %.15g is more than the maximum, %.15g", at,
                         value->valuedouble, max->valuedouble);
    return 0;
}

static int match_enum(const cJSON *allowed, const cJSON *value, const char *at, lh_error_t *err)
{
    const cJSON *one;

    cJSON_ArrayForEach (one, allowed) {
        if (cJSON_Compare(one, value, true))
            return 0;
    }
    host_cleanup(host_freep) char *list = cJSON_PrintUnformatted(allowed);

    return host_fail(err, LH_EINVAL, "%s: must be one of %s", at, list != NULL ? list : "its enum");
}

/* A member that the schema has no property for. */
static int match_additional(const cJSON *schema, const cJSON *member, const char *at,
                            const char *place, lh_error_t *err)
{
    const cJSON *extra = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    const char *names[64];
    size_t count = 0;
    const cJSON *one;

    if (extra == NULL || cJSON_IsTrue(extra))
        return 0;
    if (cJSON_IsObject(extra))
        return plugin_schema_match(extra, member, place, err);
    cJSON_ArrayForEach (one, properties) {
        if (count < HOST_LEN(names))
            names[count++] = one->string;
    }
    host_cleanup(host_freep) char *prefix = host_xprintf("%s.", at);

    return unknown(prefix, member->string, names, count, err);
}

static int match_object(const cJSON *schema, const cJSON *value, const char *at, lh_error_t *err)
{
    const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
    const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
    const cJSON *one;

    cJSON_ArrayForEach (one, value) {
        host_cleanup(host_freep) char *place = host_xprintf("%s.%s", at, one->string);
        const cJSON *below = cJSON_GetObjectItemCaseSensitive(properties, one->string);
        int ret;

        if (cJSON_GetObjectItemCaseSensitive(value, one->string) != one)
            return host_fail(err, LH_EINVAL, "%s: stands there twice", place);
        if (below != NULL)
            ret = plugin_schema_match(below, one, place, err);
        else
            ret = match_additional(schema, one, at, place, err);
        if (ret < 0)
            return ret;
    }
    cJSON_ArrayForEach (one, required) {
        if (cJSON_GetObjectItemCaseSensitive(value, one->valuestring) == NULL)
            return host_fail(err, LH_EINVAL, "%s.%s: is required", at, one->valuestring);
    }
    return 0;
}

static int match_array(const cJSON *schema, const cJSON *value, const char *at, lh_error_t *err)
{
    const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
    const cJSON *one;
    size_t i = 0;

    if (items == NULL)
        return 0;
    cJSON_ArrayForEach (one, value) {
        host_cleanup(host_freep) char *place = host_xprintf("%s[%zu]", at, i++);
        const int ret = plugin_schema_match(items, one, place, err);

        if (ret < 0)
            return ret;
    }
    return 0;
}

int plugin_schema_match(const cJSON *schema, const cJSON *value, const char *at, lh_error_t *err)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
    const cJSON *allowed = cJSON_GetObjectItemCaseSensitive(schema, "enum");
    int ret = type != NULL ? match_type(type, value, at, err) : 0;

    if (ret == 0 && allowed != NULL)
        ret = match_enum(allowed, value, at, err);
    if (ret == 0)
        ret = match_bounds(schema, value, at, err);
    if (ret == 0 && cJSON_IsObject(value))
        ret = match_object(schema, value, at, err);
    if (ret == 0 && cJSON_IsArray(value))
        ret = match_array(schema, value, at, err);
    return ret;
}
