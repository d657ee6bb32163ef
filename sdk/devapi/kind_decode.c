/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an object could be decoded into its Go type; words as Go's decoder has them. */
#include "devapi/base64.h"
#include "devapi/builtin.h"
#include "devapi/kind_types.h"
#include "devapi/times.h"

#include <stdio.h>
#include <string.h>

typedef struct decoder {
    const char *kind, *version;
    dev_status_t *st;
} decoder_t;

static int refuse(const decoder_t *d, const char *what)
{
    return dev_refuse(d->st, 400, "BadRequest",
                      "%s in version \"%s\" cannot be handled as a %s: %s", d->kind, d->version,
                      d->kind, what);
}

static const char *json_word(const cJSON *value)
{
    if (cJSON_IsString(value))
        return "string";
    if (cJSON_IsObject(value))
        return "object";
    if (cJSON_IsArray(value))
        return "array";
    return cJSON_IsBool(value) ? "bool" : "number";
}

/* "json: cannot unmarshal string into Go struct field LeaseSpec.spec.renewTime of type string" */
static int refuse_type(const decoder_t *d, const dev_path_t *at, int of, const cJSON *value,
                       bool shown, const char *list, const char *go)
{
    host_cleanup(host_freep) char *number = shown ? cJSON_PrintUnformatted(value) : NULL;
    const char *owner = kind_type_name(of);
    buf_t text = BUF_INIT;
    int ret;

    buf_printf(&text, "json: cannot unmarshal %s%s%s into Go struct field %s.", json_word(value),
               number == NULL ? "" : " ", number == NULL ? "" : number,
               owner == NULL ? d->kind : owner);
    dev_path_print(at, &text);
    buf_printf(&text, " of type %s%s", list, go);
    ret = refuse(d, buf_text(&text));
    buf_fini(&text);
    return ret;
}

static int check_integer(const decoder_t *d, const dev_path_t *at, int of, const cJSON *value,
                         bool wide)
{
    const char *go = wide ? "int64" : "int32";
    double n = value->valuedouble, limit = wide ? 9223372036854775808.0 : 2147483648.0;

    if (!cJSON_IsNumber(value))
        return refuse_type(d, at, of, value, false, "", go);
    if (n < -limit || n >= limit || n != (double) (int64_t) n)
        return refuse_type(d, at, of, value, true, "", go);
    return 0;
}

static int check_time(const decoder_t *d, const dev_path_t *at, int of, const cJSON *value,
                      bool micro)
{
    buf_t mistake = BUF_INIT;
    int ret = 0;

    if (!cJSON_IsString(value))
        return refuse_type(d, at, of, value, false, "", "string");
    if (!times_check(value->valuestring, micro, &mistake))
        ret = refuse(d, buf_text(&mistake));
    buf_fini(&mistake);
    return ret;
}

static int check_base64(const decoder_t *d, const cJSON *value)
{
    long at = base64_mistake(value->valuestring);
    buf_t text = BUF_INIT;
    int ret;

    if (at < 0)
        return 0;
    buf_printf(&text, "illegal base64 data at input byte %ld", at);
    ret = refuse(d, buf_text(&text));
    buf_fini(&text);
    return ret;
}

/* "100m", "1.5Gi", "1e3"; NULL when it is one, else what the real one says. */
static const char *quantity_mistake(const char *s)
{
    static const char no_quantity[] = "quantities must match the regular expression "
                                      "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    static const char no_suffix[] = "unable to parse quantity's suffix";
    const char *rest;
    static const char *const suffixes[] = {"",  "n", "u",  "m",  "k",  "M",  "G",  "T",
                                           "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    size_t whole, part = 0;

    s += *s == '+' || *s == '-';
    whole = strspn(s, "0123456789");
    s += whole;
    if (*s == '.') {
        part = strspn(s + 1, "0123456789");
        s += 1 + part;
    }
    if (whole + part == 0)
        return no_quantity;
    for (size_t i = 0; i < HOST_LEN(suffixes); i++) {
        if (strcmp(s, suffixes[i]) == 0)
            return NULL;
    }
    rest = s + strspn(s, "eEinumkKMGTP");
    rest += *rest == '+' || *rest == '-';
    if (rest[strspn(rest, "0123456789")] != '\0')
        return no_quantity;
    if (*s != 'e' && *s != 'E')
        return no_suffix;
    s += 1 + (s[1] == '+' || s[1] == '-');
    return *s != '\0' && s[strspn(s, "0123456789")] == '\0' ? NULL : no_suffix;
}

static int check_quantity(const decoder_t *d, const cJSON *value)
{
    const char *mistake = cJSON_IsNumber(value)
                              ? NULL
                              : quantity_mistake(cJSON_IsString(value) ? value->valuestring : "x");

    return mistake == NULL ? 0 : refuse(d, mistake);
}

/* A map whose values are texts, bytes or quantities. */
static int check_map(const decoder_t *d, const dev_path_t *at, const kind_field_t *field,
                     const cJSON *value)
{
    bool bytes = field->value == KIND_BYTES;
    const char *go = field->go != NULL ? field->go
                     : bytes           ? "map[string][]uint8"
                                       : "map[string]string";
    const cJSON *item;
    int ret = 0;

    if (!cJSON_IsObject(value))
        return refuse_type(d, at, field->of, value, false, "", go);
    cJSON_ArrayForEach (item, value) {
        if (cJSON_IsNull(item))
            continue;
        if (field->value == KIND_QUANTITIES)
            ret = check_quantity(d, item);
        else if (!cJSON_IsString(item))
            ret = refuse_type(d, at, field->of, item, false, "", bytes ? "[]uint8" : "string");
        else if (bytes)
            ret = check_base64(d, item);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int check_object(const decoder_t *d, const dev_path_t *at, int type, const cJSON *object);

static int check_object_map(const decoder_t *d, const dev_path_t *at, const kind_field_t *field,
                            const cJSON *value)
{
    const cJSON *item;
    int ret = 0;

    if (!cJSON_IsObject(value))
        return refuse_type(d, at, field->of, value, false, "map[string]", field->go);
    cJSON_ArrayForEach (item, value) {
        if (!cJSON_IsObject(item) && !cJSON_IsNull(item))
            ret = refuse_type(d, at, field->of, item, false, "", field->go);
        else
            ret = check_object(d, at, field->type, item);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int check_list(const decoder_t *d, const dev_path_t *at, const kind_field_t *field,
                      const cJSON *value)
{
    const char *go = field->go == NULL ? "string" : field->go;
    bool objects = field->value == KIND_OBJECTS;
    const cJSON *item;
    int ret = 0;

    if (!cJSON_IsArray(value))
        return refuse_type(d, at, field->of, value, false, "[]", go);
    cJSON_ArrayForEach (item, value) {
        if (cJSON_IsNull(item))
            continue;
        if (objects ? !cJSON_IsObject(item) : !cJSON_IsString(item))
            ret = refuse_type(d, at, field->of, item, false, "", go);
        else if (objects)
            ret = check_object(d, at, field->type, item);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int check_field(const decoder_t *d, const dev_path_t *at, const kind_field_t *field,
                       const cJSON *value)
{
    const char *go = field->go == NULL ? "string" : field->go;

    switch (field->value) {
    case KIND_TEXT:
        return cJSON_IsString(value) ? 0 : refuse_type(d, at, field->of, value, false, "", go);
    case KIND_BOOL:
        return cJSON_IsBool(value) ? 0 : refuse_type(d, at, field->of, value, false, "", "bool");
    case KIND_INT32:
    case KIND_INT64:
        return check_integer(d, at, field->of, value, field->value == KIND_INT64);
    case KIND_INT_OR_TEXT:
        return cJSON_IsString(value) ? 0 : check_integer(d, at, field->of, value, false);
    case KIND_TIME:
    case KIND_MICROTIME:
        return check_time(d, at, field->of, value, field->value == KIND_MICROTIME);
    case KIND_MAP:
    case KIND_BYTES:
    case KIND_QUANTITIES:
        return check_map(d, at, field, value);
    case KIND_TEXTS:
    case KIND_OBJECTS:
        return check_list(d, at, field, value);
    case KIND_OBJECT:
        if (!cJSON_IsObject(value))
            return refuse_type(d, at, field->of, value, false, "", go);
        return check_object(d, at, field->type, value);
    case KIND_MAYBE_OBJECT:
        return cJSON_IsObject(value) ? check_object(d, at, field->type, value) : 0;
    case KIND_OBJECT_MAP:
        return check_object_map(d, at, field, value);
    case KIND_ANY_LIST:
        return cJSON_IsArray(value) ? 0 : refuse_type(d, at, field->of, value, false, "[]", go);
    case KIND_NUMBER:
        return cJSON_IsNumber(value) ? 0
                                     : refuse_type(d, at, field->of, value, false, "", "float64");
    }
    return 0;
}

static int check_object(const decoder_t *d, const dev_path_t *at, int type, const cJSON *object)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, object) {
        const kind_field_t *field = kind_field_of(type, item->string);
        int ret;

        if (field == NULL || cJSON_IsNull(item))
            continue;
        ret = check_field(d, DEV_AT(at, item->string), field, item);
        if (ret < 0)
            return ret;
    }
    return 0;
}

/* The version behind the slash of apiVersion; *group is the caller's. */
static decoder_t decoder_of(const cJSON *object, char **group, dev_status_t *st)
{
    const char *version = tree_text(object, "apiVersion"), *slash = strchr(version, '/');

    *group = slash == NULL ? NULL : strndup(version, (size_t) (slash - version));
    return (decoder_t){tree_text(object, "kind"), slash == NULL ? version : slash + 1, st};
}

static int type_of(const cJSON *object)
{
    host_cleanup(host_freep) char *group = NULL;
    decoder_t d = decoder_of(object, &group, NULL);

    return kind_type_of(group == NULL ? "" : group, d.kind);
}

int builtin_decode(const cJSON *object, dev_status_t *st)
{
    host_cleanup(host_freep) char *group = NULL;
    decoder_t d = decoder_of(object, &group, st);

    return check_object(&d, NULL, type_of(object), object);
}

static void tidy_object(int type, cJSON *object);

static void tidy_field(const kind_field_t *field, cJSON *value)
{
    const bool micro = field->value == KIND_MICROTIME;
    char text[TIMES_SIZE];
    cJSON *item;

    if ((micro || field->value == KIND_TIME) && cJSON_IsString(value)) {
        times_print(value->valuestring, micro, text);
        cJSON_SetValuestring(value, text);
    } else if (field->value == KIND_OBJECTS || field->value == KIND_OBJECT_MAP) {
        cJSON_ArrayForEach (item, value)
            tidy_object(field->type, item);
    } else if (field->value == KIND_OBJECT || field->value == KIND_MAYBE_OBJECT) {
        tidy_object(field->type, value);
    }
}

static void tidy_object(int type, cJSON *object)
{
    cJSON *item;

    cJSON_ArrayForEach (item, object) {
        const kind_field_t *field = item->string == NULL ? NULL : kind_field_of(type, item->string);

        if (field != NULL)
            tidy_field(field, item);
    }
}

void dev_tidy_times(cJSON *object)
{
    tidy_object(type_of(object), object);
}

int dev_decode_meta(const cJSON *object, dev_status_t *st)
{
    host_cleanup(host_freep) char *group = NULL;
    decoder_t d = decoder_of(object, &group, st);
    const cJSON *metadata = tree_get(object, "metadata");
    char text[80];

    if (metadata == NULL || cJSON_IsObject(metadata))
        return check_object(&d, NULL, kind_type_of_meta(), metadata);
    snprintf(text, sizeof(text), "json: cannot unmarshal %s into Go value of type v1.ObjectMeta",
             json_word(metadata));
    return refuse(&d, text);
}
