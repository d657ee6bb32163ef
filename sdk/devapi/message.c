/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/message.h"

#include <string.h>

#define TEXT DEV_FIELD_TEXT
#define BOOL DEV_FIELD_BOOL
#define INT32 DEV_FIELD_INT32
#define INT64 DEV_FIELD_INT64
#define DOUBLE DEV_FIELD_DOUBLE
#define BYTES DEV_FIELD_BYTES
#define TIME DEV_FIELD_TIME
#define MICRO_TIME DEV_FIELD_MICRO_TIME
#define QUANTITY DEV_FIELD_QUANTITY
#define INT_OR_TEXT DEV_FIELD_INT_OR_TEXT
#define RAW DEV_FIELD_RAW
#define EITHER DEV_FIELD_EITHER
#define MESSAGE DEV_FIELD_MESSAGE
#define L DEV_FIELD_LIST
#define M DEV_FIELD_MAP
#define P DEV_FIELD_POINTER
#define I DEV_FIELD_INLINE
#define R DEV_FIELD_REQUIRED
#define Z DEV_FIELD_ALWAYS
#define S DEV_FIELD_SET
#define A DEV_FIELD_ATOMIC

#define DEFINE(id, text, ...)                                                                      \
    static const dev_field_t f_##id[] = {__VA_ARGS__};                                             \
    static const dev_message_t m_##id = {text, f_##id, HOST_LEN(f_##id)};
#define KIND(version, kind, id) {version, kind, &m_##id},

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* what a field has not is 0 */
#include "devapi/message_table.inc"
#pragma GCC diagnostic pop

const dev_message_t *dev_message_of(const char *version, const char *kind)
{
    for (size_t i = 0; i < HOST_LEN(roots); i++) {
        if (strcmp(roots[i].kind, kind) == 0 && strcmp(roots[i].version, version) == 0)
            return roots[i].message;
    }
    return NULL;
}

const dev_message_t *dev_message_of_meta(void)
{
    return &m_ObjectMeta;
}

const dev_field_t *dev_message_field(const dev_message_t *m, const char *name)
{
    for (size_t i = 0; i < m->count; i++) {
        const dev_field_t *f = &m->fields[i];
        const bool is_inline = (f->flags & DEV_FIELD_INLINE) != 0;

        if (!is_inline && strcmp(f->name, name) == 0)
            return f;
        const dev_field_t *inner = is_inline ? dev_message_field(f->of, name) : NULL;
        if (inner != NULL)
            return inner;
    }
    return NULL;
}
