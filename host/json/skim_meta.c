/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "json/skim_text.h"

#include <string.h>

/* Where a member's value goes. A value of another type counts as absent, as null does. */
struct field {
    const char *key;
    size_t offset; /* of the span in skim_meta_t */
    char type;
};

static const struct field object_fields[] = {
    {"apiVersion", offsetof(skim_meta_t, api_version), '"'},
    {"kind", offsetof(skim_meta_t, kind), '"'},
    {NULL, 0, 0},
};

static const struct field metadata_fields[] = {
    {"name", offsetof(skim_meta_t, name), '"'},
    {"namespace", offsetof(skim_meta_t, ns), '"'},
    {"uid", offsetof(skim_meta_t, uid), '"'},
    {"resourceVersion", offsetof(skim_meta_t, resource_version), '"'},
    {"deletionTimestamp", offsetof(skim_meta_t, deletion_timestamp), '"'},
    {"labels", offsetof(skim_meta_t, labels), '{'},
    {"annotations", offsetof(skim_meta_t, annotations), '{'},
    {"ownerReferences", offsetof(skim_meta_t, owner_references), '['},
    {"finalizers", offsetof(skim_meta_t, finalizers), '['},
    {"continue", offsetof(skim_meta_t, continue_token), '"'},
    {NULL, 0, 0},
};

static void keep(skim_meta_t *meta, const struct field *fields, skim_span_t key,
                 const skim_value_t *value)
{
    for (const struct field *f = fields; f->key != NULL; f++) {
        if (!skim_equal(key, f->key))
            continue;
        skim_span_t *out = (skim_span_t *) ((char *) meta + f->offset);

        *out = value->type == f->type ? value->text : (skim_span_t){0};
        return;
    }
}

/* 0 for what is not an integer of 64 bits. */
static int64_t integer(const skim_value_t *value)
{
    int64_t v = 0;

    for (size_t i = 0; i < value->text.len; i++) {
        const char c = value->text.p[i];

        if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, c - '0', &v))
            return 0;
    }
    return value->type == '0' ? v : 0;
}

static bool metadata_member(skim_cursor_t *c, void *arg, skim_span_t key)
{
    skim_meta_t *meta = arg;
    skim_value_t value;

    if (!skim_take_value(c, &value))
        return false;
    if (skim_equal(key, "managedFields")) {
        const char *quote = key.p - 1;

        meta->managed_fields = (skim_span_t){.p = quote, .len = (size_t) (c->p - quote)};
    } else if (skim_equal(key, "generation")) {
        meta->generation = integer(&value);
    } else {
        keep(meta, metadata_fields, key, &value);
    }
    return true;
}

static bool object_member(skim_cursor_t *c, void *arg, skim_span_t key)
{
    skim_meta_t *meta = arg;
    skim_value_t value;

    if (!skim_equal(key, "metadata")) {
        if (!skim_take_value(c, &value))
            return false;
        keep(meta, object_fields, key, &value);
        return true;
    }
    *meta = (skim_meta_t){.api_version = meta->api_version, .kind = meta->kind};
    return skim_peek(c) == '{' ? skim_take_object(c, metadata_member, meta)
                               : skim_take_value(c, &value);
}

int skim_meta(const char *text, size_t len, skim_meta_t *out, lh_error_t *err)
{
    skim_cursor_t c = {.p = text, .start = text, .end = text + len};
    skim_meta_t meta = {0};

    if (!skim_take_object(&c, object_member, &meta) || !skim_take_end(&c))
        return skim_cursor_fail(&c, err);
    *out = meta;
    return 0;
}

int skim_strip(const char *text, size_t len, const skim_meta_t *meta, buf_t *out)
{
    const char *end = text + len, *from = meta->managed_fields.p, *to;
    int rc;

    if (from == NULL)
        return buf_append(out, text, len);
    /* One comma goes too: the one after the member, or, when it is the last, the one before. */
    to = skim_skip_space(from + meta->managed_fields.len, end);
    if (to < end && *to == ',') {
        to++;
    } else {
        const char *before = from;

        while (before > text && skim_is_space(before[-1])) {
            before--;
        }
        if (before > text && before[-1] == ',')
            from = before - 1;
    }
    rc = buf_append(out, text, (size_t) (from - text));
    return rc < 0 ? rc : buf_append(out, to, (size_t) (end - to));
}
