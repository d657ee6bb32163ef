/* SPDX-License-Identifier: Apache-2.0 */
/* What clients send to the embedded API server: patches, selectors, schemas and objects of every
 * built-in kind. The first byte says which; a refusal has a code and a text. */
#include "devapi/patch.h"
#include "devapi/schema.h"
#include "devapi/selector.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char object_text[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"K\",\"metadata\":{\"name\":\"n\",\"finalizers\":[\"a/b\","
    "\"c/"
    "d\"],\"labels\":{\"a\":\"b\"}},\"spec\":{\"ports\":[{\"port\":1,\"name\":\"x\"},{\"port\":2}],"
    "\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"E\"}]}]}}}}";

/* A code below 0 goes with a whole status, 0 with none. */
static void require_told(int ret, const dev_status_t *st)
{
    buf_t out = BUF_INIT;

    if (ret > 0 || (ret < 0) != (st->code != 0) || (ret < 0 && ret != -st->code))
        abort();
    dev_status_print(st, &out);
    buf_fini(&out);
}

static const dev_kind_t *kind_at(size_t i)
{
    size_t n;
    const dev_kind_t *kinds = dev_builtin_kinds(&n);

    return &kinds[i % n];
}

static void patch(uint8_t choice, const char *text, size_t len)
{
    dev_status_t st = {0};
    cJSON *object = cJSON_Parse(object_text), *out = NULL;
    int ret = dev_patch_apply(choice % 3, kind_at(choice), object, text, len, &out, &st);

    require_told(ret, &st);
    if ((ret == 0) != (out != NULL))
        abort();
    cJSON_Delete(object);
    cJSON_Delete(out);
    dev_status_fini(&st);
}

static void select_by(uint8_t choice, const char *text)
{
    dev_status_t st = {0};
    cJSON *object = cJSON_Parse(object_text);
    dev_selector_t *s = NULL;
    int ret = dev_selector_parse(kind_at(choice), choice % 2 == 0 ? text : NULL,
                                 choice % 2 == 0 ? NULL : text, &s, &st);

    require_told(ret, &st);
    dev_selector_matches(s, "ns", "n", object->child, object);
    dev_selector_destroy(s);
    cJSON_Delete(object);
    dev_status_fini(&st);
}

/* {"schema": ..., "object": ...} */
static void validate(const cJSON *both)
{
    dev_status_t st = {0};
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(both, "schema");
    cJSON *object = cJSON_GetObjectItemCaseSensitive(both, "object");
    dev_schema_t *s = schema == NULL ? NULL : dev_schema_create(schema, "s", &st);

    if (s != NULL && object != NULL) {
        dev_schema_prune(s, object, NULL, NULL);
        dev_schema_default(s, object);
        dev_schema_validate(s, object, &st);
    }
    require_told(dev_judge(&st, "g", "K", "n"), &st);
    dev_schema_destroy(s);
    dev_status_fini(&st);
}

static void make(const dev_kind_t *kind, cJSON *object)
{
    dev_status_t st = {0};
    int ret = kind->decode == NULL ? 0 : kind->decode(object, &st);
    cJSON *old = cJSON_Duplicate(object, true);

    if (ret == 0) {
        if (kind->complete != NULL)
            kind->complete(object, old);
        dev_tidy_meta(object);
        dev_validate_meta(kind, object, &st);
        if (kind->validate != NULL)
            kind->validate(object, old, &st);
        ret = dev_judge(&st, kind->group, kind->kind, "n");
    }
    require_told(ret, &st);
    cJSON_Delete(old);
    dev_status_fini(&st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t choice = size > 1 ? data[1] : 0;
    char *text;
    cJSON *json;

    if (size < 2)
        return 0;
    text = strndup((const char *) data + 2, size - 2);
    if (text == NULL)
        return 0;
    json = cJSON_Parse(text);
    if (data[0] % 4 == 0)
        patch(choice, text, strlen(text));
    else if (data[0] % 4 == 1)
        select_by(choice, text);
    else if (data[0] % 4 == 2 && cJSON_IsObject(json))
        validate(json);
    else if (data[0] % 4 == 3 && cJSON_IsObject(json))
        make(kind_at(choice), json);
    cJSON_Delete(json);
    free(text);
    return 0;
}
