/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/field_type.h"
#include "devapi/field_set.h"
#include "devapi/tree.h"

#include <stdlib.h>
#include <string.h>

/* -- Forms -- */

static enum field_form form_of_value(const cJSON *value)
{
    if (cJSON_IsObject(value))
        return FIELD_MAP;
    return cJSON_IsArray(value) ? FIELD_LIST : FIELD_SCALAR;
}

/* What may be any of the three is a map when there is no value to tell. */
static enum field_form form_of_any(const cJSON *value)
{
    return value == NULL || cJSON_IsNull(value) ? FIELD_MAP : form_of_value(value);
}

static enum field_form form_of_field(const field_type_t *t, const cJSON *value)
{
    const unsigned flags = t->source == FIELD_OF_FIELD ? t->field->flags : 0;

    if ((flags & DEV_FIELD_LIST) != 0)
        return FIELD_LIST;
    if ((flags & DEV_FIELD_MAP) != 0 || t->field->type == DEV_FIELD_MESSAGE)
        return FIELD_MAP;
    if (t->field->type == DEV_FIELD_RAW || t->field->type == DEV_FIELD_EITHER)
        return form_of_any(value);
    return FIELD_SCALAR;
}

static enum field_form form_of_schema(const cJSON *schema, const cJSON *value)
{
    const char *type = tree_text(schema, "type");

    if (strcmp(type, "object") == 0)
        return FIELD_MAP;
    if (strcmp(type, "array") == 0)
        return FIELD_LIST;
    return type[0] == '\0' ? form_of_any(value) : FIELD_SCALAR;
}

enum field_form field_form_of(const field_type_t *t, const cJSON *value)
{
    switch (t->source) {
    case FIELD_OF_MESSAGE:
        return FIELD_MAP;
    case FIELD_OF_FIELD:
    case FIELD_OF_ELEMENT:
        return form_of_field(t, value);
    case FIELD_OF_SCHEMA:
        return form_of_schema(t->schema, value);
    case FIELD_DEDUCED:
    case FIELD_OPAQUE:
        break;
    }
    return form_of_any(value);
}

static const char *list_type(const cJSON *schema)
{
    return tree_text(schema, "x-kubernetes-list-type");
}

/* A flag of a list is about its elements. */
static bool is_atomic_field(const field_type_t *t, enum field_form form)
{
    const unsigned flags = t->field->flags;

    if (t->field->type == DEV_FIELD_RAW || t->field->type == DEV_FIELD_EITHER)
        return true;
    if (form == FIELD_LIST)
        return t->field->keys == NULL && (flags & DEV_FIELD_SET) == 0;
    return (flags & DEV_FIELD_ATOMIC) != 0;
}

bool field_is_atomic(const field_type_t *t, enum field_form form)
{
    switch (t->source) {
    case FIELD_OF_MESSAGE:
        return false;
    case FIELD_OF_FIELD:
    case FIELD_OF_ELEMENT:
        return is_atomic_field(t, form);
    case FIELD_OF_SCHEMA:
        if (form == FIELD_LIST)
            return strcmp(list_type(t->schema), "set") != 0 &&
                   strcmp(list_type(t->schema), "map") != 0;
        return strcmp(tree_text(t->schema, "x-kubernetes-map-type"), "atomic") == 0;
    case FIELD_DEDUCED:
        return form == FIELD_LIST;
    case FIELD_OPAQUE:
        break;
    }
    return true;
}

/* -- Members and elements -- */

static bool member_of_message(const dev_message_t *m, const char *name, field_type_t *out)
{
    const dev_field_t *f = dev_message_field(m, name);

    if (f != NULL)
        *out = (field_type_t){.source = FIELD_OF_FIELD, .field = f};
    return f != NULL;
}

static field_type_t type_of_schema(const cJSON *schema, bool preserve)
{
    return (field_type_t){.source = FIELD_OF_SCHEMA,
                          .schema = schema,
                          .whole = tree_true(schema, "x-kubernetes-embedded-resource"),
                          .preserve = preserve ||
                                      tree_true(schema, "x-kubernetes-preserve-unknown-fields")};
}

/* What every whole object has, whatever its schema says. */
static bool member_of_whole(const char *name, field_type_t *out)
{
    static const dev_field_t text = {.name = "", .type = DEV_FIELD_TEXT};

    if (strcmp(name, "metadata") == 0)
        *out = (field_type_t){.source = FIELD_OF_MESSAGE, .message = dev_message_of_meta()};
    else if (strcmp(name, "kind") == 0 || strcmp(name, "apiVersion") == 0)
        *out = (field_type_t){.source = FIELD_OF_FIELD, .field = &text};
    else
        return false;
    return true;
}

static bool member_of_schema(const field_type_t *t, const char *name, field_type_t *out,
                             bool *named)
{
    const cJSON *properties = tree_get(t->schema, "properties"), *own = tree_get(properties, name);
    const cJSON *others = tree_get(t->schema, "additionalProperties");

    *named = true;
    if (t->whole && member_of_whole(name, out))
        return true;
    if (own != NULL) {
        *out = type_of_schema(own, t->preserve);
        return true;
    }
    *named = false;
    if (cJSON_IsObject(others)) {
        *out = type_of_schema(others, t->preserve);
        return true;
    }
    *out = (field_type_t){.source = FIELD_DEDUCED};
    return cJSON_IsTrue(others) || (others == NULL && (t->preserve || tree_empty(properties)));
}

static bool member_of_field(const field_type_t *t, const char *name, field_type_t *out, bool *named)
{
    if (t->field->type == DEV_FIELD_RAW || t->field->type == DEV_FIELD_EITHER) {
        *out = (field_type_t){.source = FIELD_OPAQUE};
        return true;
    }
    if (t->source == FIELD_OF_FIELD && (t->field->flags & DEV_FIELD_MAP) != 0) {
        *out = (field_type_t){.source = FIELD_OF_ELEMENT, .field = t->field};
        return true;
    }
    *named = true;
    return t->field->of != NULL && member_of_message(t->field->of, name, out);
}

bool field_member_of(const field_type_t *t, const char *name, field_type_t *out, bool *named)
{
    *named = false;
    switch (t->source) {
    case FIELD_OF_MESSAGE:
        *named = true;
        return (t->whole && member_of_whole(name, out)) || member_of_message(t->message, name, out);
    case FIELD_OF_FIELD:
    case FIELD_OF_ELEMENT:
        return member_of_field(t, name, out, named);
    case FIELD_OF_SCHEMA:
        return member_of_schema(t, name, out, named);
    case FIELD_DEDUCED:
    case FIELD_OPAQUE:
        break;
    }
    *out = (field_type_t){.source = t->source};
    return true;
}

field_type_t field_element_of(const field_type_t *t)
{
    const cJSON *items = t->source == FIELD_OF_SCHEMA ? tree_get(t->schema, "items") : NULL;

    if (t->source == FIELD_OF_FIELD && t->field->type != DEV_FIELD_RAW)
        return (field_type_t){.source = FIELD_OF_ELEMENT, .field = t->field};
    if (items != NULL)
        return type_of_schema(items, t->preserve);
    return (field_type_t){.source = FIELD_OPAQUE};
}

/* -- Steps -- */

/* The default of a key as a new value; NULL: none. */
static cJSON *default_in_text(const char *text, const char *end, bool number)
{
    host_cleanup(host_freep) char *value = host_xprintf("%.*s", (int) (end - text), text);

    return number ? cJSON_CreateNumber(strtod(value, NULL)) : cJSON_CreateString(value);
}

static bool is_number(const dev_message_t *m, const char *name)
{
    const dev_field_t *f = m == NULL ? NULL : dev_message_field(m, name);

    return f != NULL && (f->type == DEV_FIELD_INT32 || f->type == DEV_FIELD_INT64);
}

static void take_key(cJSON *keys, const cJSON *element, const char *name, cJSON *otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(element, name);

    if (value != NULL)
        cJSON_AddItemToObject(keys, name, cJSON_Duplicate(value, true));
    else if (otherwise != NULL)
        cJSON_AddItemToObject(keys, name, cJSON_Duplicate(otherwise, true));
    cJSON_Delete(otherwise);
}

/* "port protocol=TCP" */
static void take_keys(const dev_field_t *f, const cJSON *element, cJSON *keys)
{
    for (const char *at = f->keys, *end; *at != '\0'; at = end + (*end == ' ')) {
        end = strchrnul(at, ' ');
        const char *sign = memchr(at, '=', (size_t) (end - at));
        const char *stop = sign == NULL ? end : sign;
        host_cleanup(host_freep) char *name = host_xprintf("%.*s", (int) (stop - at), at);

        take_key(keys, element, name,
                 sign == NULL ? NULL : default_in_text(sign + 1, end, is_number(f->of, name)));
    }
}

static void take_schema_keys(const cJSON *schema, const cJSON *element, cJSON *keys)
{
    const cJSON *properties = tree_at(schema, "items.properties"), *key;

    cJSON_ArrayForEach (key, tree_list(tree_get(schema, "x-kubernetes-list-map-keys"))) {
        if (cJSON_IsString(key))
            take_key(
                keys, element, key->valuestring,
                cJSON_Duplicate(tree_get(tree_get(properties, key->valuestring), "default"), true));
    }
}

/* As Go's %q shows the list of their names. */
static void print_names(const field_type_t *list, buf_t *out)
{
    const cJSON *keys = tree_get(list->schema, "x-kubernetes-list-map-keys"), *key;

    buf_puts(out, "[");
    cJSON_ArrayForEach (key, keys)
        buf_printf(out, "%s\"%s\"", key == keys->child ? "" : " ",
                   cJSON_IsString(key) ? key->valuestring : "");
    for (const char *at = list->field == NULL ? "" : list->field->keys, *end; *at != '\0';
         at = end + (*end == ' ')) {
        end = strchrnul(at, ' ');
        buf_printf(out, "\"%.*s\"%s", (int) strcspn(at, "= "), at, *end == ' ' ? " " : "");
    }
    buf_puts(out, "]");
}

static int step_of_keys(const field_type_t *list, const cJSON *element, buf_t *step,
                        const char **why)
{
    *why = cJSON_IsNull(element)      ? "associative list with keys may not have a null element"
           : !cJSON_IsObject(element) ? "associative list with keys may not have non-map elements"
                                      : NULL;
    if (*why != NULL)
        return -1;
    cJSON *keys = cJSON_CreateObject();
    if (list->source == FIELD_OF_SCHEMA)
        take_schema_keys(list->schema, element, keys);
    else
        take_keys(list->field, element, keys);
    const bool any = keys->child != NULL;
    if (any)
        field_step_keys(keys, step);
    cJSON_Delete(keys);
    if (any)
        return 0;
    buf_puts(step, "associative list with keys has an element that omits all key fields ");
    print_names(list, step);
    buf_puts(step, " (and doesn't have default values for any key fields)");
    return -1;
}

static int step_of_value(const cJSON *element, buf_t *step, const char **why)
{
    if (cJSON_IsObject(element))
        *why = "associative list without keys has an element that's a map type";
    else if (cJSON_IsArray(element))
        *why = "not supported: associative list with lists as elements";
    else if (cJSON_IsNull(element))
        *why = "associative list without keys has an element that's an explicit null";
    else
        *why = NULL;
    if (*why != NULL)
        return -1;
    field_step_value(element, step);
    return 0;
}

int field_step_of(const field_type_t *list, const cJSON *element, buf_t *step, const char **why)
{
    const bool keyed = list->source == FIELD_OF_SCHEMA ? strcmp(list_type(list->schema), "map") == 0
                                                       : list->field->keys != NULL;

    return keyed ? step_of_keys(list, element, step, why) : step_of_value(element, step, why);
}

const char *field_scalar_of(const field_type_t *t)
{
    if (t->source == FIELD_OF_SCHEMA) {
        const char *type = tree_text(t->schema, "type"), *format = tree_text(t->schema, "format");
        const bool plain = format[0] == '\0' || strcmp(format, "byte") == 0;

        if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
            return "numeric (int or float)";
        if (strcmp(type, "boolean") == 0)
            return "boolean";
        return strcmp(type, "string") == 0 && plain ? "string" : NULL;
    }
    if (t->source != FIELD_OF_FIELD && t->source != FIELD_OF_ELEMENT)
        return NULL;
    switch (t->field->type) {
    case DEV_FIELD_TEXT:
    case DEV_FIELD_BYTES:
        return "string";
    case DEV_FIELD_BOOL:
        return "boolean";
    case DEV_FIELD_INT32:
    case DEV_FIELD_INT64:
    case DEV_FIELD_DOUBLE:
        return "numeric (int or float)";
    default:
        return NULL;
    }
}
