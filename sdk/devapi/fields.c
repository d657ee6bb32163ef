/* SPDX-License-Identifier: Apache-2.0 */
/* The members that objects of built-in kinds have, at every depth, and the one form of their quantities. */
#include "devapi/core_impl.h"
#include "devapi/field.h"
#include "devapi/message.h"

#include <leasehold/quantity_math.h>
#include <string.h>

static void prune_message(const dev_message_t *m, cJSON *object, const dev_path_t *at,
                          dev_strict_t *strict);

/* What has a decoder of its own is pruned without a word. */
static void prune_either(const dev_message_t *m, cJSON *value)
{
    cJSON *item;

    for (size_t i = 0; i < m->count; i++) {
        const dev_field_t *f = &m->fields[i];
        const bool is_list = (f->flags & DEV_FIELD_LIST) != 0;

        if (f->type != DEV_FIELD_MESSAGE || is_list != cJSON_IsArray(value))
            continue;
        if (!is_list)
            prune_message(f->of, value, NULL, NULL);
        cJSON_ArrayForEach (item, tree_list(value))
            prune_message(f->of, item, NULL, NULL);
    }
}

/* "0.5" is kept as "500m", 1 as "1"; what is no quantity was refused before. */
static void canonicalize(cJSON *value)
{
    char text[LH_QUANTITY_SIZE];
    lh_quantity_t quantity = {0};
    lh_error_t err;

    if (!cJSON_IsNumber(value) && !cJSON_IsString(value))
        return;
    (void) snprintf(text, sizeof(text), "%.15g", value->valuedouble);
    if (lh_quantity_parse(cJSON_IsString(value) ? value->valuestring : text, &quantity, &err) < 0)
        return;
    lh_quantity_print(quantity, text);
    free(value->valuestring);
    value->valuestring = host_xstrdup(text);
    value->type = cJSON_String;
}

static void prune_one(const dev_field_t *f, cJSON *value, const dev_path_t *at,
                      dev_strict_t *strict)
{
    if (f->type == DEV_FIELD_QUANTITY)
        canonicalize(value);
    else if (f->type == DEV_FIELD_EITHER)
        prune_either(f->of, value);
    else
        prune_message(f->of, value, at, strict);
}

static void prune_field(const dev_field_t *f, cJSON *value, const dev_path_t *at,
                        dev_strict_t *strict)
{
    cJSON *item;
    int i = 0;

    if (f->type != DEV_FIELD_MESSAGE && f->type != DEV_FIELD_EITHER &&
        f->type != DEV_FIELD_QUANTITY)
        return;
    if ((f->flags & DEV_FIELD_LIST) != 0) {
        cJSON_ArrayForEach (item, tree_list(value))
            prune_one(f, item, DEV_NTH(at, i++), strict);
    } else if ((f->flags & DEV_FIELD_MAP) != 0) {
        for (item = cJSON_IsObject(value) ? value->child : NULL; item != NULL; item = item->next)
            prune_one(f, item, DEV_AT(at, item->string), strict);
    } else {
        prune_one(f, value, at, strict);
    }
}

/* strict is NULL where nobody asks. */
static void note_unknown(const dev_path_t *at, dev_strict_t *strict)
{
    host_cleanup(buf_fini) buf_t path = BUF_INIT;

    if (strict == NULL || dev_strict_is_full(strict))
        return;
    dev_path_print(at, &path);
    dev_strict_note(strict, "unknown", buf_text(&path));
}

/* Of a whole object; no message names them. */
static bool is_type(const char *name)
{
    return strcmp(name, "kind") == 0 || strcmp(name, "apiVersion") == 0;
}

static void prune_message(const dev_message_t *m, cJSON *object, const dev_path_t *at,
                          dev_strict_t *strict)
{
    const bool whole = at == NULL && strict != NULL;

    for (cJSON *item = cJSON_IsObject(object) ? object->child : NULL, *next; item != NULL;
         item = next) {
        const dev_field_t *f = dev_message_field(m, item->string);

        next = item->next;
        if (f != NULL) {
            prune_field(f, item, DEV_AT(at, item->string), strict);
        } else if (!(whole && is_type(item->string))) {
            note_unknown(DEV_AT(at, item->string), strict);
            cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
        }
    }
}

void dev_prune_builtin(const dev_request_t *r, cJSON *object, dev_strict_t *strict)
{
    const char *group = r->kind->group;
    host_cleanup(host_freep) char *version =
        host_xprintf("%s%s%s", group, group[0] == '\0' ? "" : "/", r->version);
    const dev_message_t *m = dev_message_of(version, r->kind->kind);

    if (m != NULL)
        prune_message(m, object, NULL, strict);
}
