/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/openapi_builtin.h"

#include "base/base.h"

#include <stdio.h>
#include <string.h>

#define QUANTITY "io.k8s.apimachinery.pkg.api.resource.Quantity"
#define INT_OR_TEXT "io.k8s.apimachinery.pkg.util.intstr.IntOrString"

static void need(openapi_builtin_t *o, const dev_message_t *m)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->messages[i] == m)
            return;
    }
    if (o->count < HOST_LEN(o->messages))
        o->messages[o->count++] = m;
}

void openapi_add_kind(openapi_builtin_t *o, const char *group, const char *version,
                      const char *kind)
{
    host_cleanup(host_freep) char *whole =
        host_xprintf("%s%s%s", group, group[0] == '\0' ? "" : "/", version);
    const dev_message_t *m = dev_message_of(whole, kind);

    if (m == NULL || o->kind_count == HOST_LEN(o->kinds))
        return;
    o->kinds[o->kind_count].message = m;
    o->kinds[o->kind_count].group = group;
    o->kinds[o->kind_count].version = version;
    o->kinds[o->kind_count++].kind = kind;
    need(o, m);
}

static void put_type(openapi_builtin_t *o, const dev_field_t *f, buf_t *out)
{
    static const char *const plain[] = {
        [DEV_FIELD_TEXT] = "{\"type\":\"string\"}",
        [DEV_FIELD_BOOL] = "{\"type\":\"boolean\"}",
        [DEV_FIELD_INT32] = "{\"type\":\"integer\",\"format\":\"int32\"}",
        [DEV_FIELD_INT64] = "{\"type\":\"integer\",\"format\":\"int64\"}",
        [DEV_FIELD_DOUBLE] = "{\"type\":\"number\",\"format\":\"double\"}",
        [DEV_FIELD_BYTES] = "{\"type\":\"string\",\"format\":\"byte\"}",
        [DEV_FIELD_TIME] = "{\"type\":\"string\",\"format\":\"date-time\"}",
        [DEV_FIELD_MICRO_TIME] = "{\"type\":\"string\",\"format\":\"date-time\"}",
        [DEV_FIELD_RAW] = "{\"type\":\"object\"}",
        [DEV_FIELD_EITHER] = "{\"type\":\"object\"}",
    };

    const char *name = f->type == DEV_FIELD_MESSAGE       ? f->of->name
                       : f->type == DEV_FIELD_QUANTITY    ? QUANTITY
                       : f->type == DEV_FIELD_INT_OR_TEXT ? INT_OR_TEXT
                                                          : NULL;

    if (f->type == DEV_FIELD_MESSAGE)
        need(o, f->of);
    if (name != NULL)
        buf_printf(out, "{\"$ref\":\"#/components/schemas/%s\"}", name);
    else if ((size_t) f->type < HOST_LEN(plain))
        buf_puts(out, plain[f->type]);
}

/* The members that a message's fields are, those of inline ones too. */
static void put_properties(openapi_builtin_t *o, const dev_message_t *m, bool *any, buf_t *out)
{
    for (size_t i = 0; i < m->count; i++) {
        const dev_field_t *f = &m->fields[i];
        const bool list = (f->flags & DEV_FIELD_LIST) != 0, map = (f->flags & DEV_FIELD_MAP) != 0;

        if ((f->flags & DEV_FIELD_INLINE) != 0) {
            put_properties(o, f->of, any, out);
            continue;
        }
        buf_printf(out, "%s\"%s\":%s", *any ? "," : "", f->name,
                   list  ? "{\"type\":\"array\",\"items\":"
                   : map ? "{\"type\":\"object\",\"additionalProperties\":"
                         : "");
        put_type(o, f, out);
        buf_puts(out, list || map ? "}" : "");
        *any = true;
    }
}

static void put_required(const dev_message_t *m, bool *any, buf_t *out)
{
    for (size_t i = 0; i < m->count; i++) {
        if ((m->fields[i].flags & DEV_FIELD_INLINE) != 0) {
            put_required(m->fields[i].of, any, out);
        } else if ((m->fields[i].flags & DEV_FIELD_REQUIRED) != 0) {
            buf_printf(out, "%s\"%s\"", *any ? "," : ",\"required\":[", m->fields[i].name);
            *any = true;
        }
    }
}

static void put_message(openapi_builtin_t *o, const dev_message_t *m, buf_t *out)
{
    bool any = false, required = false;

    buf_printf(out, "\"%s\":{\"type\":\"object\",\"properties\":{", m->name);
    for (size_t i = 0; i < o->kind_count; i++) {
        if (o->kinds[i].message != m)
            continue;
        buf_puts(out, "\"apiVersion\":{\"type\":\"string\"},\"kind\":{\"type\":\"string\"}");
        any = true;
    }
    put_properties(o, m, &any, out);
    buf_puts(out, "}");
    put_required(m, &required, out);
    buf_puts(out, required ? "]" : "");
    for (size_t i = 0; i < o->kind_count; i++) {
        if (o->kinds[i].message == m)
            buf_printf(out,
                       ",\"x-kubernetes-group-version-kind\":[{\"group\":\"%s\",\"version\":\"%s\","
                       "\"kind\":\"%s\"}]",
                       o->kinds[i].group, o->kinds[i].version, o->kinds[i].kind);
    }
    buf_puts(out, "}");
}

void openapi_put(openapi_builtin_t *o, bool behind_others, buf_t *out)
{
    if (o->count == 0)
        return;
    buf_printf(out,
               "%s\"" QUANTITY "\":{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]},"
               "\"" INT_OR_TEXT "\":{\"format\":\"int-or-string\",\"oneOf\":[{\"type\":"
               "\"integer\"},{\"type\":\"string\"}]}",
               behind_others ? "," : "");
    for (size_t i = 0; i < o->count; i++) { /* it grows */
        buf_puts(out, ",");
        put_message(o, o->messages[i], out);
    }
}
