/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/patch_parts.h"
#include "devapi/tree.h"

#include <string.h>

static bool deeper_than(const cJSON *node, int depth)
{
    if (depth == 0)
        return true;
    for (const cJSON *it = node->child; it != NULL; it = it->next) {
        if (deeper_than(it, depth - 1))
            return true;
    }
    return false;
}

/* True when brackets or a string are still open at the end. */
static bool is_cut(const char *text, size_t len)
{
    bool quoted = false;
    long open = 0;

    for (size_t i = 0; i < len; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted)
            open += (strchr("{[", text[i]) != NULL) - (strchr("}]", text[i]) != NULL);
    }
    return quoted || open > 0;
}

/* The real one says where it met what; here it is where cJSON stopped. */
static int refuse_text(const char *prefix, const char *text, const char *end, size_t len,
                       dev_status_t *st)
{
    size_t at = end == NULL || end < text ? 0 : (size_t) (end - text);

    while (at < len && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    if (at >= len || text[at] == '\0' || is_cut(text, len))
        return dev_refuse(st, 400, "BadRequest", "%sunexpected end of JSON input", prefix);
    return dev_refuse(st, 400, "BadRequest",
                      "%sinvalid character '%c' looking for beginning of value", prefix, text[at]);
}

static int parse(const char *prefix, const char *text, size_t len, cJSON **out, dev_status_t *st)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, 0);

    if (json == NULL)
        return refuse_text(prefix, text, end, len, st);
    while (end < text + len && strchr(" \t\r\n", *end) != NULL)
        end++;
    if (end < text + len && *end != '\0') {
        cJSON_Delete(json);
        return dev_refuse(st, 400, "BadRequest", "%sinvalid character '%c' after top-level value",
                          prefix, *end);
    }
    if (deeper_than(json, PATCH_MAX_DEPTH)) {
        cJSON_Delete(json);
        return dev_refuse(st, 400, "BadRequest", "%sexceeded max depth", prefix);
    }
    *out = json;
    return 0;
}

const char *dev_json_word(const cJSON *node)
{
    if (cJSON_IsObject(node))
        return "object";
    if (cJSON_IsArray(node))
        return "array";
    if (cJSON_IsString(node))
        return "string";
    return cJSON_IsNumber(node) ? "number" : "bool";
}

static int refuse_type(const char *prefix, const cJSON *patch, const char *want, dev_status_t *st)
{
    return dev_refuse(st, 400, "BadRequest", "%sjson: cannot unmarshal %s into Go value of type %s",
                      prefix, dev_json_word(patch), want);
}

static int apply_json(cJSON **object, const cJSON *patch, dev_status_t *st)
{
    static const char prefix[] = "error decoding patch: ";
    const cJSON *op;
    int n = cJSON_GetArraySize(patch);

    if (cJSON_IsNull(patch))
        return 0;
    if (!cJSON_IsArray(patch))
        return refuse_type(prefix, patch, "[]handlers.jsonPatchOp", st);
    cJSON_ArrayForEach (op, patch) {
        if (!cJSON_IsObject(op) && !cJSON_IsNull(op))
            return refuse_type(prefix, op, "handlers.jsonPatchOp", st);
    }
    if (n > PATCH_MAX_OPERATIONS)
        return dev_refuse(st, 413, "RequestEntityTooLarge",
                          "Request entity too large: The allowed maximum operations in a JSON "
                          "patch is %d, got %d",
                          PATCH_MAX_OPERATIONS, n);
    return patch_json(object, patch, st);
}

static int apply_merge(cJSON *object, const cJSON *patch, dev_status_t *st)
{
    if (cJSON_IsNull(patch))
        return dev_refuse(st, 400, "BadRequest", "Invalid JSON Patch");
    if (!cJSON_IsObject(patch))
        return refuse_type("error decoding patch: ", patch, "map[string]interface {}", st);
    patch_merge(object, patch);
    return 0;
}

static int apply_strategic(const dev_kind_t *kind, cJSON *object, cJSON *patch, dev_status_t *st)
{
    if (cJSON_IsNull(patch))
        return 0;
    if (!cJSON_IsObject(patch))
        return refuse_type("", patch, "map[string]interface {}", st);
    return patch_strategic(kind, object, patch, st);
}

int dev_patch_apply(enum dev_patch type, const dev_kind_t *kind, const cJSON *current,
                    const char *body, size_t len, cJSON **out, dev_status_t *st)
{
    cJSON *patch = NULL, *object;
    int ret =
        parse(type == DEV_PATCH_STRATEGIC ? "" : "error decoding patch: ", body, len, &patch, st);

    if (ret < 0)
        return ret;
    object = cJSON_Duplicate(current, true);
    if (type == DEV_PATCH_JSON)
        ret = apply_json(&object, patch, st);
    else if (type == DEV_PATCH_MERGE)
        ret = apply_merge(object, patch, st);
    else
        ret = apply_strategic(kind, object, patch, st);
    cJSON_Delete(patch);
    if (ret == 0 && (object == NULL || deeper_than(object, PATCH_MAX_DEPTH)))
        ret = dev_refuse(st, 422, "Invalid",
                         "the server rejected our request due to an error in our request");
    if (ret < 0)
        cJSON_Delete(object);
    else
        *out = object;
    return ret;
}

/* -- RFC 7386 -- */

static void drop_nulls(cJSON *object)
{
    for (cJSON *it = object->child, *next; it != NULL; it = next) {
        next = it->next;
        if (cJSON_IsNull(it))
            cJSON_Delete(cJSON_DetachItemViaPointer(object, it));
        else if (cJSON_IsObject(it))
            drop_nulls(it);
    }
}

/* A copy without null members, as a merge into nothing gives. Nulls in lists stay. */
static cJSON *without_nulls(const cJSON *value)
{
    cJSON *copy = cJSON_Duplicate(value, true);

    if (cJSON_IsObject(copy))
        drop_nulls(copy);
    return copy;
}

void patch_merge(cJSON *object, const cJSON *patch)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, patch) {
        cJSON *have = tree_get(object, item->string);

        if (cJSON_IsNull(item))
            tree_remove(object, item->string);
        else if (cJSON_IsObject(have) && cJSON_IsObject(item))
            patch_merge(have, item);
        else
            tree_set(object, item->string, without_nulls(item));
    }
}
