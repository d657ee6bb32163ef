/* SPDX-License-Identifier: Apache-2.0 */
/* An object as Go writes its type: what is never left out is there, what is left out when it is
 * empty is not. */
#include "devapi/field_fill.h"
#include "devapi/tree.h"

#include <string.h>

static bool is_single(const dev_field_t *f)
{
    return (f->flags & (DEV_FIELD_LIST | DEV_FIELD_MAP | DEV_FIELD_POINTER)) == 0;
}

static cJSON *zero_of(const dev_field_t *f)
{
    if (!is_single(f))
        return cJSON_CreateNull();
    switch (f->type) {
    case DEV_FIELD_TEXT:
        return cJSON_CreateString("");
    case DEV_FIELD_BOOL:
        return cJSON_CreateFalse();
    case DEV_FIELD_INT32:
    case DEV_FIELD_INT64:
    case DEV_FIELD_DOUBLE:
    case DEV_FIELD_INT_OR_TEXT:
        return cJSON_CreateNumber(0);
    case DEV_FIELD_QUANTITY:
        return cJSON_CreateString("0");
    case DEV_FIELD_MESSAGE:
        return cJSON_CreateObject();
    default:
        return cJSON_CreateNull();
    }
}

static bool is_zero(const dev_field_t *f, const cJSON *value)
{
    if (tree_empty(value))
        return (f->flags & (DEV_FIELD_LIST | DEV_FIELD_MAP)) != 0 || cJSON_IsNull(value) ||
               value == NULL;
    if (!is_single(f))
        return false;
    if (f->type == DEV_FIELD_TEXT || f->type == DEV_FIELD_BYTES)
        return cJSON_IsString(value) && value->valuestring[0] == '\0';
    if (f->type == DEV_FIELD_BOOL)
        return cJSON_IsFalse(value);
    return cJSON_IsNumber(value) && value->valuedouble == 0 && f->type != DEV_FIELD_INT_OR_TEXT;
}

/* A value of a map that is null is the zero of its type. */
static void fill_texts(const dev_field_t *f, cJSON *map)
{
    const dev_field_t element = {.name = "", .type = f->type};

    for (cJSON *it = map == NULL ? NULL : map->child, *next; it != NULL; it = next) {
        next = it->next;
        if (cJSON_IsNull(it) && f->type == DEV_FIELD_TEXT)
            tree_set(map, it->string, zero_of(&element));
    }
}

static void fill_field(const dev_field_t *f, cJSON *object)
{
    cJSON *value = cJSON_GetObjectItemCaseSensitive(object, f->name), *item;
    const bool zero = is_zero(f, value), always = (f->flags & DEV_FIELD_ALWAYS) != 0;

    if (zero && !always) {
        tree_remove(object, f->name);
        return;
    }
    if (zero && (value == NULL || cJSON_IsNull(value))) {
        tree_set(object, f->name, zero_of(f));
        value = cJSON_GetObjectItemCaseSensitive(object, f->name);
    }
    if (f->type != DEV_FIELD_MESSAGE) {
        if ((f->flags & DEV_FIELD_MAP) != 0)
            fill_texts(f, value);
        return;
    }
    if ((f->flags & (DEV_FIELD_LIST | DEV_FIELD_MAP)) == 0) {
        field_fill(f->of, value);
        return;
    }
    cJSON_ArrayForEach (item, value)
        field_fill(f->of, item);
}

void field_fill(const dev_message_t *m, cJSON *object)
{
    for (size_t i = 0; cJSON_IsObject(object) && i < m->count; i++) {
        if ((m->fields[i].flags & DEV_FIELD_INLINE) != 0)
            field_fill(m->fields[i].of, object);
        else
            fill_field(&m->fields[i], object);
    }
}
