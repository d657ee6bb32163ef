/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 6902 as the real server has it, with the liberties of its library: negative indices count
 * from the end, "replace" of a missing member adds it, "test" of a missing member passes for null,
 * a path's text before its first slash is skipped.
 */
#include "devapi/patch_parts.h"
#include "devapi/tree.h"

#include <errno.h>
#include <string.h>

/* Where an operation works: a member of an object, or an element of an array. */
typedef struct place {
    cJSON *in; /* the container */
    char *key; /* unescaped, owned */
} place_t;

typedef struct patcher {
    cJSON **object;
    size_t copied;
} patcher_t;

static void place_fini(place_t *p)
{
    free(p->key);
}

/* A copy of len characters with ~1 and ~0 replaced. */
static char *unescape(const char *token, size_t len)
{
    char *key = malloc(len + 1), *to = key;

    if (key == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (token[i] == '~' && i + 1 < len && (token[i + 1] == '0' || token[i + 1] == '1'))
            *to++ = token[++i] == '1' ? '/' : '~';
        else
            *to++ = token[i];
    }
    *to = '\0';
    return key;
}

/* The index that key means among `size` places; -1: none. */
static int index_of(const char *key, int size)
{
    char *end;
    long at;

    errno = 0;
    at = strtol(key, &end, 10);
    if (errno != 0 || end == key || *end != '\0' || key[0] == ' ')
        return -1;
    if (at < 0)
        at += size;
    return at < 0 || at >= size ? -1 : (int) at;
}

/* The value at a place; NULL when there is none (*found false), or when a member is missing. */
static cJSON *value_at(const place_t *p, bool *found)
{
    int at;

    *found = true;
    if (cJSON_IsObject(p->in))
        return cJSON_GetObjectItemCaseSensitive(p->in, p->key);
    at = index_of(p->key, cJSON_GetArraySize(p->in));
    *found = at >= 0;
    return at < 0 ? NULL : cJSON_GetArrayItem(p->in, at);
}

/* False when the path's container does not exist. *out is freed with place_fini if true. */
static bool find_place(const patcher_t *p, const char *path, place_t *out)
{
    const char *at = strchr(path, '/');
    place_t place = {.in = *p->object};

    while (at != NULL) {
        const char *next = strchr(at + 1, '/');
        size_t len = next == NULL ? strlen(at + 1) : (size_t) (next - at - 1);
        bool found;

        place.key = unescape(at + 1, len);
        if (place.key == NULL)
            return false;
        if (next == NULL) {
            *out = place;
            return true;
        }
        place.in = value_at(&place, &found);
        place_fini(&place);
        if (!cJSON_IsObject(place.in) && !cJSON_IsArray(place.in))
            return false;
        at = next;
    }
    return false;
}

/* Takes value. */
static bool add_at(const place_t *p, cJSON *value)
{
    int size, at;

    if (value == NULL)
        return false;
    if (cJSON_IsObject(p->in)) {
        tree_set(p->in, p->key, value);
        return true;
    }
    size = cJSON_GetArraySize(p->in);
    at = strcmp(p->key, "-") == 0 ? size : index_of(p->key, size + 1);
    if (at < 0) {
        cJSON_Delete(value);
        return false;
    }
    tree_insert(p->in, at, value);
    return true;
}

static cJSON *copy_or_null(const cJSON *value)
{
    return value == NULL ? cJSON_CreateNull() : cJSON_Duplicate(value, true);
}

static bool apply_add(patcher_t *p, const cJSON *op, const place_t *at)
{
    (void) p;
    return add_at(at, copy_or_null(cJSON_GetObjectItemCaseSensitive(op, "value")));
}

static bool apply_remove(patcher_t *p, const cJSON *op, const place_t *at)
{
    bool found;
    cJSON *value = value_at(at, &found);

    (void) p;
    (void) op;
    if (value == NULL)
        return false;
    cJSON_Delete(cJSON_DetachItemViaPointer(at->in, value));
    return true;
}

static bool apply_replace(patcher_t *p, const cJSON *op, const place_t *at)
{
    bool found;
    cJSON *old = value_at(at, &found);

    if (!found)
        return false;
    if (old == NULL || cJSON_IsObject(at->in))
        return apply_add(p, op, at);
    return cJSON_ReplaceItemViaPointer(at->in, old,
                                       copy_or_null(cJSON_GetObjectItemCaseSensitive(op, "value")));
}

static bool apply_test(patcher_t *p, const cJSON *op, const place_t *at)
{
    const cJSON *want = cJSON_GetObjectItemCaseSensitive(op, "value");
    bool found, want_null = want == NULL || cJSON_IsNull(want);
    const cJSON *have = value_at(at, &found);

    (void) p;
    if (!found)
        return false;
    if (have == NULL || cJSON_IsNull(have) || want_null)
        return want_null && (have == NULL || cJSON_IsNull(have));
    return cJSON_Compare(have, want, true);
}

/* The path is looked up after the removal, which may move it; so `at` is NULL here. */
static bool apply_move(patcher_t *p, const cJSON *op, const place_t *at)
{
    place_t from, to;
    bool found, ok = false;
    cJSON *value;

    (void) at;
    if (!find_place(p, tree_text(op, "from"), &from))
        return false;
    value = value_at(&from, &found);
    if (value != NULL) {
        value = cJSON_DetachItemViaPointer(from.in, value);
        if (find_place(p, tree_text(op, "path"), &to)) {
            ok = add_at(&to, value);
            place_fini(&to);
        } else {
            cJSON_Delete(value);
        }
    }
    place_fini(&from);
    return ok;
}

/* About the length of a value's text. */
static size_t size_of(const cJSON *value)
{
    size_t size = 4 + (value->string == NULL ? 0 : strlen(value->string)) +
                  (cJSON_IsString(value) ? strlen(value->valuestring) : 0);

    for (const cJSON *it = value->child; it != NULL; it = it->next)
        size += size_of(it);
    return size;
}

static bool apply_copy(patcher_t *p, const cJSON *op, const place_t *at)
{
    place_t from;
    bool found;
    const cJSON *value;

    if (!find_place(p, tree_text(op, "from"), &from))
        return false;
    value = value_at(&from, &found);
    place_fini(&from);
    if (!found)
        return false;
    p->copied += value == NULL ? 4 : size_of(value);
    return p->copied <= PATCH_MAX_COPIED && add_at(at, copy_or_null(value));
}

static const struct {
    const char *name;
    bool (*apply)(patcher_t *p, const cJSON *op, const place_t *at);
    bool finds; /* its place itself */
} operations_known[] = {
    {"add", apply_add, false},  {"remove", apply_remove, false}, {"replace", apply_replace, false},
    {"move", apply_move, true}, {"copy", apply_copy, false},     {"test", apply_test, false},
};

/* The path "": the whole document. Only "replace" and "test" can do something with it. */
static bool apply_whole(patcher_t *p, const char *name, const cJSON *op)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(op, "value");
    cJSON *copy;

    if (strcmp(name, "test") == 0)
        return cJSON_Compare(*p->object, value, true);
    if (strcmp(name, "replace") != 0)
        return false;
    if (!cJSON_IsObject(value))
        return !cJSON_IsArray(value);
    copy = cJSON_Duplicate(value, true);
    if (copy == NULL)
        return false;
    cJSON_Delete(*p->object);
    *p->object = copy;
    return true;
}

static bool apply_one(patcher_t *p, const cJSON *op)
{
    const char *name = tree_text(op, "op");
    const char *path = cJSON_GetStringValue(tree_get(op, "path"));

    if (path == NULL)
        return false;
    if (path[0] == '\0')
        return apply_whole(p, name, op);
    for (size_t i = 0; i < HOST_LEN(operations_known); i++) {
        place_t at;
        bool ok;

        if (strcmp(operations_known[i].name, name) != 0)
            continue;
        if (operations_known[i].finds)
            return operations_known[i].apply(p, op, NULL);
        if (!find_place(p, path, &at))
            return false;
        ok = operations_known[i].apply(p, op, &at);
        place_fini(&at);
        return ok;
    }
    return false;
}

static const char *type_word(const cJSON *node)
{
    if (cJSON_IsNumber(node))
        return "number";
    if (cJSON_IsObject(node))
        return "object";
    return cJSON_IsArray(node) ? "array" : "bool";
}

static int check_texts(const cJSON *op, dev_status_t *st)
{
    static const char *const texts[] = {"op", "path", "from"};

    for (size_t i = 0; i < HOST_LEN(texts); i++) {
        const cJSON *field = tree_get(op, texts[i]);

        if (field != NULL && !cJSON_IsString(field))
            return dev_refuse(st, 400, "BadRequest",
                              "error decoding patch: json: cannot unmarshal %s into Go struct "
                              "field jsonPatchOp.%s of type string",
                              type_word(field), texts[i]);
    }
    return 0;
}

int patch_json(cJSON **object, const cJSON *operations, dev_status_t *st)
{
    patcher_t p = {.object = object};
    const cJSON *op;
    int ret = 0;

    cJSON_ArrayForEach (op, operations) {
        ret = check_texts(op, st);
        if (ret < 0)
            return ret;
    }
    cJSON_ArrayForEach (op, operations) {
        if (!apply_one(&p, op))
            return dev_refuse(st, 422, "Invalid",
                              "the server rejected our request due to an error in our request");
    }
    return 0;
}
