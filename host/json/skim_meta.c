/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "json/skim_text.h"

#include <string.h>

/* Where a member's value goes. A value of another type counts as absent, as null does. */
struct field {
    const char *key;
    size_t len, offset; /* of the span in skim_meta_t */
    char type;
};

#define FIELD(key, span, type)                                                                     \
    {                                                                                              \
        key, sizeof(key) - 1, offsetof(skim_meta_t, span), type                                    \
    }
static const struct field object_fields[] = {
    FIELD("apiVersion", api_version, '"'),
    FIELD("kind", kind, '"'),
    {NULL, 0, 0, 0},
};

static const struct field metadata_fields[] = {
    FIELD("name", name, '"'),
    FIELD("namespace", ns, '"'),
    FIELD("uid", uid, '"'),
    FIELD("resourceVersion", resource_version, '"'),
    FIELD("deletionTimestamp", deletion_timestamp, '"'),
    FIELD("labels", labels, '{'),
    FIELD("annotations", annotations, '{'),
    FIELD("ownerReferences", owner_references, '['),
    FIELD("finalizers", finalizers, '['),
    FIELD("continue", continue_token, '"'),
    {NULL, 0, 0, 0},
};

static void keep(skim_meta_t *meta, const struct field *fields, skim_span_t key,
                 const skim_value_t *value)
{
    for (const struct field *f = fields; f->key != NULL; f++) {
        if (!skim_is(key, f->key, f->len))
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
    if (SKIM_IS(key, "managedFields")) {
        const char *quote = key.p - 1;

        meta->managed_fields = (skim_span_t){.p = quote, .len = (size_t) (c->p - quote)};
    } else if (SKIM_IS(key, "generation")) {
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

    if (!SKIM_IS(key, "metadata")) {
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
    skim_cursor_t c = skim_cursor(text, len);
    skim_meta_t meta = {0};

    if (!skim_take_object(&c, object_member, &meta) || !skim_take_end(&c))
        return skim_cursor_fail(&c, err);
    *out = meta;
    return 0;
}

static bool event_member(skim_cursor_t *c, void *arg, skim_span_t key)
{
    skim_event_t *event = arg;
    skim_value_t value;

    if (SKIM_IS(key, "object") && skim_peek(c) == '{') {
        const char *from = c->p;

        event->meta = (skim_meta_t){0};
        if (!skim_take_object(c, object_member, &event->meta))
            return false;
        event->object = (skim_span_t){.p = from, .len = (size_t) (c->p - from)};
        return true;
    }
    if (!skim_take_value(c, &value))
        return false;
    if (SKIM_IS(key, "type"))
        event->type = value.type == '"' ? value.text : (skim_span_t){0};
    else if (SKIM_IS(key, "object"))
        event->object = (skim_span_t){0};
    return true;
}

int skim_event(const char *text, size_t len, skim_event_t *out, lh_error_t *err)
{
    skim_cursor_t c = skim_cursor(text, len);
    skim_event_t event = {.judged = true};

    if (!skim_take_object(&c, event_member, &event) || !skim_take_end(&c) || event.type.p == NULL ||
        event.object.p == NULL)
        return skim_event_loosely(text, len, out, err);
    *out = event;
    return 0;
}

skim_span_t skim_managed(const char *text, size_t len, const skim_meta_t *meta)
{
    const char *end = text + len, *from = meta->managed_fields.p, *to;

    if (from == NULL)
        return (skim_span_t){0};
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
    return (skim_span_t){.p = from, .len = (size_t) (to - from)};
}
