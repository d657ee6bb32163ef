/* SPDX-License-Identifier: Apache-2.0 */
/* Loose reading: follows brackets and quotes, never leaves the text, whatever it is. */
#include "base/error.h"
#include "json/skim_ops.h"

#include <string.h>

static bool ends_literal(char c)
{
    return skim_is_space(c) || c == ',' || c == '}' || c == ']' || c == ':';
}

/* Inside a string: the byte after its closing quote, NULL when it is not there. */
static const char *scan_string(skim_scan_t *s, const char *p, const char *end)
{
    while (p < end) {
        if (s->escape) {
            s->escape = false;
            p++;
            continue;
        }
        p = skim_plain(p, end);
        if (p == end)
            break;
        if (*p == '"') {
            s->in_string = false;
            return p + 1;
        }
        s->escape = *p == '\\';
        p++;
    }
    return NULL;
}

static const char *scan_literal(const char *p, const char *end)
{
    while (p < end && !ends_literal(*p)) {
        p++;
    }
    return p < end ? p : NULL;
}

const char *skim_nested_plain(skim_scan_t *s, const char *p, const char *end)
{
    while (p < end) {
        if (s->in_string) {
            p = scan_string(s, p, end);
            if (p == NULL)
                return NULL;
            continue;
        }
        switch (*p++) {
        case '"':
            s->in_string = true;
            break;
        case '{':
        case '[':
            s->depth++;
            break;
        case '}':
        case ']':
            if (--s->depth == 0)
                return p;
            break;
        default:
            break;
        }
    }
    return NULL;
}

const char *skim_scan(skim_scan_t *s, const char *p, const char *end)
{
    if (!s->started && p < end) {
        s->started = true;
        s->in_string = *p == '"';
        s->depth = *p == '{' || *p == '[';
        s->literal = !s->in_string && s->depth == 0;
        p += !s->literal;
    }
    if (s->literal)
        return scan_literal(p, end);
    return s->depth == 0 ? scan_string(s, p, end) : skim_ops()->nested(s, p, end);
}

/* The value at *p, which moves past it; a string without its quotes. False when there is none.
 * *type is its first byte. */
static bool walk_value(const char **p, const char *end, skim_span_t *out, char *type)
{
    skim_scan_t scan = {0};
    const char *from = *p = skim_skip_space(*p, end);

    if (from == end || ends_literal(*from))
        return false;
    *type = *from;
    *p = skim_scan(&scan, from, end);
    if (*p == NULL && scan.literal)
        *p = end;
    if (*p == NULL)
        return false;
    *out = (skim_span_t){.p = from, .len = (size_t) (*p - from)};
    if (*type == '"') {
        out->p++;
        out->len -= 2;
        out->escaped = memchr(out->p, '\\', out->len) != NULL;
    }
    return true;
}

enum walk { WALK_BAD, WALK_END, WALK_NEXT };

/* Steps into text's brackets, or over the comma to the next element. */
static enum walk walk_next(const char **p, const char *end, skim_span_t text, char open, char close)
{
    const bool first = *p == NULL;

    *p = skim_skip_space(first ? text.p : *p, end);
    if (*p == end || (first && **p != open))
        return WALK_BAD;
    if (first)
        *p = skim_skip_space(*p + 1, end);
    if (*p < end && **p == close) {
        ++*p;
        return WALK_END;
    }
    if (!first && (*p == end || *(*p)++ != ','))
        return WALK_BAD;
    return WALK_NEXT;
}

static enum walk walk_member(skim_span_t object, const char **at, skim_span_t *key,
                             skim_span_t *value, char *type)
{
    if (object.p == NULL)
        return WALK_BAD;
    const char *end = object.p + object.len, *p = *at;
    enum walk step = walk_next(&p, end, object, '{', '}');

    if (step == WALK_NEXT) {
        step = WALK_BAD;
        if (walk_value(&p, end, key, type) && *type == '"') {
            p = skim_skip_space(p, end);
            if (p < end && *p++ == ':' && walk_value(&p, end, value, type))
                step = WALK_NEXT;
        }
    }
    *at = step == WALK_BAD ? end : p;
    return step;
}

bool skim_pair_next(skim_span_t object, const char **at, skim_span_t *key, skim_span_t *value)
{
    char type;

    return walk_member(object, at, key, value, &type) == WALK_NEXT;
}

skim_span_t skim_get(skim_span_t object, const char *key)
{
    skim_span_t found = {0}, name, value;
    const char *at = NULL;

    while (skim_pair_next(object, &at, &name, &value)) {
        if (skim_equal(name, key))
            found = value;
    }
    return found;
}

bool skim_element_next(skim_span_t array, const char **at, skim_span_t *element)
{
    char type;

    if (array.p == NULL)
        return false;
    const char *end = array.p + array.len, *p = *at;

    if (walk_next(&p, end, array, '[', ']') != WALK_NEXT || !walk_value(&p, end, element, &type)) {
        *at = end;
        return false;
    }
    *at = p;
    return true;
}

int skim_event_loosely(const char *text, size_t len, skim_event_t *out, lh_error_t *err)
{
    const skim_span_t frame = {.p = text, .len = len};
    skim_event_t event = {0};
    skim_span_t key, value;
    const char *at = NULL;
    enum walk step;
    char type;

    while ((step = walk_member(frame, &at, &key, &value, &type)) == WALK_NEXT) {
        if (skim_equal(key, "type"))
            event.type = type == '"' ? value : (skim_span_t){0};
        else if (skim_equal(key, "object"))
            event.object = type == '{' ? value : (skim_span_t){0};
    }
    if (step == WALK_BAD || skim_skip_space(at, text + len) != text + len)
        return host_fail(err, LH_EPARSE, "a watch event is not a JSON object");
    if (event.type.p == NULL || event.object.p == NULL)
        return host_fail(err, LH_EPARSE, "a watch event has no %s",
                         event.type.p == NULL ? "type" : "object");
    *out = event;
    return 0;
}
