/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/schema_node.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where a value is: messages say `at`, fields are named base.at. */
typedef struct spot {
    const dev_path_t *base, *at;
    dev_status_t *st;
} spot_t;

static void validate(const spot_t *s, const schema_node_t *n, const cJSON *value);

static void print_field(const spot_t *s, buf_t *out)
{
    dev_path_print(s->base, out);
    if (s->base != NULL && s->at != NULL && !(s->at->name == NULL && s->at->up == NULL))
        buf_puts(out, ".");
    dev_path_print(s->at, out);
}

static void note(const spot_t *s, const char *reason, const char *fmt, ...) HOST_PRINTF(3, 4);
static void note(const spot_t *s, const char *reason, const char *fmt, ...)
{
    host_cleanup(host_freep) char *text = NULL;
    buf_t field = BUF_INIT;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    print_field(s, &field);
    dev_cause(s->st, buf_text(&field), reason, "%s", text == NULL ? "" : text);
    buf_fini(&field);
}

/* "Invalid value: <value>: <path> in body <detail>" */
static void note_invalid(const spot_t *s, const char *value, const char *fmt, ...)
    HOST_PRINTF(3, 4);
static void note_invalid(const spot_t *s, const char *value, const char *fmt, ...)
{
    host_cleanup(host_freep) char *text = NULL;
    buf_t path = BUF_INIT;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        text = NULL;
    va_end(args);
    dev_path_print(s->at, &path);
    note(s, "FieldValueInvalid", "Invalid value: %s: %s in body %s", value, buf_text(&path),
         text == NULL ? "" : text);
    buf_fini(&path);
}

static char *shown(const cJSON *value)
{
    buf_t out = BUF_INIT;

    dev_value_print(value, &out);
    return buf_steal(&out);
}

/* -- Types -- */

static bool is_integer(const cJSON *value)
{
    return floor(value->valuedouble) == value->valuedouble;
}

static unsigned types_of(const cJSON *value)
{
    if (cJSON_IsObject(value))
        return SCHEMA_OBJECT;
    if (cJSON_IsArray(value))
        return SCHEMA_ARRAY;
    if (cJSON_IsString(value))
        return SCHEMA_STRING;
    if (cJSON_IsBool(value))
        return SCHEMA_BOOLEAN;
    if (!cJSON_IsNumber(value))
        return 0;
    return is_integer(value) ? SCHEMA_INTEGER | SCHEMA_NUMBER : SCHEMA_NUMBER;
}

static const char *type_text(const cJSON *value)
{
    if (cJSON_IsObject(value))
        return "object";
    if (cJSON_IsArray(value))
        return "array";
    if (cJSON_IsString(value))
        return "string";
    if (cJSON_IsBool(value))
        return "boolean";
    if (!cJSON_IsNumber(value))
        return "null";
    return is_integer(value) ? "integer" : "number";
}

static void note_type(const spot_t *s, const char *value, const char *wanted)
{
    buf_t path = BUF_INIT;

    dev_path_print(s->at, &path);
    note(s, "FieldValueTypeInvalid", "Invalid value: %s: %s in body must be of type %s: %s", value,
         buf_text(&path), wanted, value);
    buf_fini(&path);
}

static void check_type(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    char quoted[16];

    if (n->types == 0 || (types_of(value) & n->types) != 0)
        return;
    snprintf(quoted, sizeof(quoted), "\"%s\"", type_text(value));
    note_type(s, quoted, n->type_text);
}

/* -- Junctors -- */

/* Validates into a status of its own; true when nothing was noted. */
static bool holds(const spot_t *s, const schema_node_t *n, const cJSON *value, dev_status_t *apart)
{
    const spot_t there = {s->base, s->at, apart};

    validate(&there, n, value);
    return apart->causes == NULL;
}

static void move_causes(dev_status_t *from, dev_status_t *to)
{
    const cJSON *cause;

    cJSON_ArrayForEach (cause, from->causes)
        dev_cause(to, tree_text(cause, "field"), tree_text(cause, "reason"), "%s",
                  tree_text(cause, "message"));
}

/* The real one has no path for these. */
static void note_junctor(const spot_t *s, const char *detail)
{
    buf_t path = BUF_INIT;

    dev_path_print(s->at, &path);
    dev_cause(s->st, "<nil>", "FieldValueInvalid", "Invalid value: \"\": \"%s\" %s",
              buf_text(&path), detail);
    buf_fini(&path);
}

/* Counts the alternatives that hold; keeps the mistakes of the first that does not. */
static int count_valid(const spot_t *s, const schema_nodes_t *nodes, const cJSON *value,
                       dev_status_t *first)
{
    int valid = 0;

    for (int i = 0; i < nodes->n; i++) {
        host_cleanup(dev_status_fini) dev_status_t apart = {0};

        if (holds(s, nodes->at[i], value, first->causes == NULL ? first : &apart))
            valid++;
    }
    return valid;
}

static void check_any(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    host_cleanup(dev_status_fini) dev_status_t first = {0};

    if (n->any.n == 0 || count_valid(s, &n->any, value, &first) > 0)
        return;
    note_junctor(s, "must validate at least one schema (anyOf)");
    move_causes(&first, s->st);
}

static void check_one(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    host_cleanup(dev_status_fini) dev_status_t first = {0};
    char detail[128];
    int valid;

    if (n->one.n == 0)
        return;
    valid = count_valid(s, &n->one, value, &first);
    if (valid == 1)
        return;
    if (valid > 1) {
        snprintf(detail, sizeof(detail),
                 "must validate one and only one schema (oneOf). Found %d valid alternatives",
                 valid);
        note_junctor(s, detail);
        return;
    }
    note_junctor(s, "must validate one and only one schema (oneOf). Found none valid");
    move_causes(&first, s->st);
}

static void check_all(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    int valid = 0;

    for (int i = 0; i < n->all.n; i++) {
        host_cleanup(dev_status_fini) dev_status_t apart = {0};

        if (holds(s, n->all.at[i], value, &apart))
            valid++;
        move_causes(&apart, s->st);
    }
    if (valid < n->all.n)
        note_junctor(s, valid == 0 ? "must validate all the schemas (allOf). None validated"
                                   : "must validate all the schemas (allOf)");
}

static void check_not(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    host_cleanup(dev_status_fini) dev_status_t apart = {0};

    if (n->not != NULL && holds(s, n->not, value, &apart))
        note_junctor(s, "must not validate the schema (not)");
}

/* -- Values -- */

/* Characters, not bytes. */
static int64_t length_of(const char *s)
{
    int64_t n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char) *s & 0xc0) != 0x80;
    return n;
}

static void check_string(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    host_cleanup(host_freep) char *text = shown(value);
    int64_t length = length_of(value->valuestring);
    const char *v = text == NULL ? "\"\"" : text;

    if (n->max_length >= 0 && length > n->max_length)
        note(s, "FieldValueTooLong", "Too long: may not be more than %lld byte%s",
             (long long) n->max_length, n->max_length == 1 ? "" : "s");
    else if (n->min_length >= 0 && length < n->min_length)
        note_invalid(s, v, "should be at least %lld chars long", (long long) n->min_length);
    else if (n->regex != NULL && regexec(n->regex, value->valuestring, 0, NULL, 0) != 0)
        note_invalid(s, v, "should match '%s'", n->pattern);
    if (n->format != NULL && !schema_format_holds(n->format, value->valuestring))
        note_type(s, v, n->format);
}

static bool is_multiple(double value, double of)
{
    double share = value / of;

    return of <= 0 || floor(share) == share;
}

static void note_limit(const spot_t *s, const cJSON *value, const char *what, const cJSON *limit)
{
    host_cleanup(host_freep) char *v = shown(value), *l = shown(limit);

    if (v != NULL && l != NULL)
        note_invalid(s, v, "should be %s %s", what, l);
}

static void check_number(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    double number = value->valuedouble;

    if (n->multiple != NULL && !is_multiple(number, n->multiple->valuedouble))
        note_limit(s, value, "a multiple of", n->multiple);
    if (n->maximum != NULL && n->exclusive_maximum && number >= n->maximum->valuedouble)
        note_limit(s, value, "less than", n->maximum);
    if (n->maximum != NULL && !n->exclusive_maximum && number > n->maximum->valuedouble)
        note_limit(s, value, "less than or equal to", n->maximum);
    if (n->minimum != NULL && n->exclusive_minimum && number <= n->minimum->valuedouble)
        note_limit(s, value, "greater than", n->minimum);
    if (n->minimum != NULL && !n->exclusive_minimum && number < n->minimum->valuedouble)
        note_limit(s, value, "greater than or equal to", n->minimum);
}

static void check_count(const spot_t *s, int have, int64_t least, int64_t most, const char *what)
{
    char number[16];

    snprintf(number, sizeof(number), "%d", have);
    if (most >= 0 && have > most)
        note(s, "FieldValueTooMany", "Too many: %d: must have at most %lld item%s", have,
             (long long) most, most == 1 ? "" : "s");
    if (least >= 0 && have < least)
        note_invalid(s, number, "should have at least %lld %s", (long long) least, what);
}

static void check_enum(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    host_cleanup(host_freep) char *v = NULL;
    buf_t list = BUF_INIT;
    const cJSON *it;

    if (n->values == NULL)
        return;
    cJSON_ArrayForEach (it, n->values) {
        host_cleanup(host_freep) char *allowed = shown(it);

        if (cJSON_Compare(it, value, true)) {
            buf_fini(&list);
            return;
        }
        buf_printf(&list, cJSON_IsString(it) ? "%s%s" : "%s\"%s\"",
                   list.len == 0 ? "supported values: " : ", ", allowed == NULL ? "" : allowed);
    }
    v = shown(value);
    note(s, "FieldValueNotSupported", "Unsupported value: %s: %s", v == NULL ? "" : v,
         buf_text(&list));
    buf_fini(&list);
}

/* -- Lists -- */

typedef struct seen {
    char *text;
    UT_hash_handle hh;
} seen_t;

/* What tells an element from the others: itself, or its key members. */
static char *identity(const schema_node_t *n, const cJSON *element)
{
    cJSON *keys;
    const cJSON *key;
    char *text;

    if (n->list == SCHEMA_SET)
        return shown(element);
    keys = cJSON_CreateObject();
    cJSON_ArrayForEach (key, n->keys) {
        const cJSON *member = cJSON_IsString(key) ? tree_get(element, key->valuestring) : NULL;

        if (member != NULL)
            cJSON_AddItemToObject(keys, key->valuestring, cJSON_Duplicate(member, true));
    }
    text = cJSON_PrintUnformatted(keys);
    cJSON_Delete(keys);
    return text;
}

static void check_unique(const spot_t *s, const schema_node_t *n, const cJSON *list)
{
    seen_t *all = NULL, *one, *tmp;
    const cJSON *element;
    int i = 0;

    cJSON_ArrayForEach (element, list) {
        const spot_t there = {s->base, DEV_NTH(s->at, i++), s->st};
        char *text = identity(n, element);

        if (text == NULL)
            continue;
        HASH_FIND_STR(all, text, one);
        if (one != NULL) {
            note(&there, "FieldValueDuplicate", "Duplicate value: %s", text);
            free(text);
            continue;
        }
        one = host_xcalloc(1, sizeof(*one));
        one->text = text;
        HASH_ADD_KEYPTR(hh, all, one->text, strlen(one->text), one);
    }
    HASH_ITER (hh, all, one, tmp) {
        HASH_DEL(all, one);
        free(one->text);
        free(one);
    }
}

static void check_array(const spot_t *s, const schema_node_t *n, const cJSON *list)
{
    const cJSON *element;
    int i = 0;

    if (n->items != NULL) {
        cJSON_ArrayForEach (element, list) {
            const spot_t there = {s->base, DEV_NTH(s->at, i++), s->st};

            validate(&there, n->items, element);
        }
    }
    check_count(s, cJSON_GetArraySize(list), n->min_items, n->max_items, "items");
    if (n->list != SCHEMA_ATOMIC)
        check_unique(s, n, list);
}

/* -- Objects -- */

static void check_required(const spot_t *s, const char *name, const cJSON *object)
{
    const spot_t there = {s->base, DEV_AT(s->at, name), s->st};

    if (cJSON_GetObjectItemCaseSensitive(object, name) == NULL)
        note(&there, "FieldValueRequired", "Required value");
}

static void check_object(const spot_t *s, const schema_node_t *n, const cJSON *object)
{
    const cJSON *it;

    check_count(s, cJSON_GetArraySize(object), n->min_members, n->max_members, "properties");
    cJSON_ArrayForEach (it, object) {
        const spot_t there = {s->base, DEV_AT(s->at, it->string), s->st};
        const schema_node_t *known = schema_property(n, it->string);

        if (known != NULL || n->additional != NULL)
            validate(&there, known != NULL ? known : n->additional, it);
    }
    cJSON_ArrayForEach (it, n->required) {
        if (cJSON_IsString(it))
            check_required(s, it->valuestring, object);
    }
    if (n->embedded) {
        check_required(s, "apiVersion", object);
        check_required(s, "kind", object);
    }
}

static void validate(const spot_t *s, const schema_node_t *n, const cJSON *value)
{
    if (cJSON_IsNull(value) && n->nullable)
        return;
    check_type(s, n, value);
    check_any(s, n, value);
    check_one(s, n, value);
    check_all(s, n, value);
    check_not(s, n, value);
    if (cJSON_IsString(value))
        check_string(s, n, value);
    else if (cJSON_IsNumber(value))
        check_number(s, n, value);
    else if (cJSON_IsArray(value))
        check_array(s, n, value);
    check_enum(s, n, value);
    if (cJSON_IsObject(value))
        check_object(s, n, value);
}

void schema_validate_node(const schema_node_t *n, const cJSON *value, const dev_path_t *base,
                          const dev_path_t *at, dev_status_t *st)
{
    const spot_t s = {base, at, st};

    validate(&s, n, value);
}

void dev_schema_validate(const dev_schema_t *s, const cJSON *object, dev_status_t *st)
{
    schema_validate_node(s->root, object, NULL, NULL, st);
}

void dev_schema_validate_status(const dev_schema_t *s, const cJSON *object, dev_status_t *st)
{
    const schema_node_t *n = schema_property(s->root, "status");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(object, "status");

    if (n != NULL && status != NULL)
        schema_validate_node(n, status, DEV_AT(NULL, "status"), NULL, st);
}
