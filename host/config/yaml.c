/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include "base/error.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    const char *source, *text;
    size_t len;
    size_t nodes;
    lh_error_t *err;
};

#define FAIL_AT(r, mark, code, ...) fail_at((r), (mark), host_fail((r)->err, (code), __VA_ARGS__))

static int fail_at(const struct reader *r, const yaml_mark_t *mark, int code)
{
    return host_error_wrap(r->err, code, "%s:%zu:%zu", r->source, mark->line + 1, mark->column + 1);
}

static bool is_tab(const struct reader *r, const yaml_mark_t *mark)
{
    const char *at = r->text, *end = r->text + r->len;

    for (size_t line = 0; line < mark->line && at != NULL; line++) {
        at = memchr(at, '\n', (size_t) (end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL && mark->column < (size_t) (end - at) && at[mark->column] == '\t';
}

/* libyaml's own refusal. */
static int refused(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;

    if (p->error == YAML_MEMORY_ERROR)
        return host_fail(r->err, LH_ENOMEM, "%s: out of memory", r->source);
    if (p->error == YAML_READER_ERROR) { /* before any mark: UTF-8, control characters */
        config_mark_t mark = CONFIG_MARK_INIT;

        config_mark_move(&mark, r->text, p->problem_offset);
        return host_fail(r->err, LH_EPARSE, "%s:%u:%u: not YAML text: %s", r->source, mark.line,
                         mark.column, p->problem);
    }
    return FAIL_AT(r, &p->problem_mark, LH_EPARSE, "%s%s%s%s", p->context ? p->context : "",
                   p->context ? ", " : "", p->problem,
                   is_tab(r, &p->problem_mark) ? " (a tab: indent with blanks)" : "");
}

static int next_event(struct reader *r, yaml_event_t *event)
{
    return yaml_parser_parse(&r->parser, event) ? 0 : refused(r);
}

static int read_scalar(struct reader *r, const yaml_event_t *event, config_node_t *node)
{
    const char *value = (const char *) event->data.scalar.value;
    const size_t len = event->data.scalar.length;

    if (memchr(value, '\0', len) != NULL)
        return FAIL_AT(r, &event->start_mark, LH_EPARSE, "a text holds a NUL character");
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text = strndup(value, len);
    return node->text != NULL ? 0 : FAIL_AT(r, &event->start_mark, LH_ENOMEM, "out of memory");
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                     config_node_t *node);

/* The items of a collection, up to its end. */
static int read_items(struct reader *r, unsigned depth, config_node_t *node)
{
    const yaml_event_type_t end =
        node->kind == CONFIG_MAPPING ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;

    for (;;) {
        host_cleanup(yaml_event_delete) yaml_event_t event = {0};
        config_node_t *item = NULL;
        int rc = next_event(r, &event);

        if (rc < 0 || event.type == end)
            return rc;
        const bool is_key = node->kind == CONFIG_MAPPING && node->count % 2 == 0;

        if (is_key && event.type != YAML_SCALAR_EVENT && event.type != YAML_ALIAS_EVENT)
            return FAIL_AT(r, &event.start_mark, LH_EPARSE, "a key must be a plain text");
        item = config_node_add(node);
        rc = item != NULL ? read_node(r, &event, depth, item)
                          : FAIL_AT(r, &event.start_mark, LH_ENOMEM, "out of memory");
        if (rc < 0)
            return rc;
    }
}

static bool is_tagged(const yaml_event_t *event)
{
    return (event->type == YAML_SCALAR_EVENT && event->data.scalar.tag != NULL) ||
           (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.tag != NULL) ||
           (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag != NULL);
}

static bool is_anchored(const yaml_event_t *event)
{
    return event->type == YAML_ALIAS_EVENT ||
           (event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor != NULL) ||
           (event->type == YAML_SEQUENCE_START_EVENT &&
            event->data.sequence_start.anchor != NULL) ||
           (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.anchor != NULL);
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
                     config_node_t *node)
{
    const yaml_mark_t *mark = &event->start_mark;

    if (is_anchored(event))
        return FAIL_AT(r, mark, LH_EPARSE,
                       "anchors and aliases (&name, *name) are not read; write the value out");
    if (is_tagged(event))
        return FAIL_AT(r, mark, LH_EPARSE, "tags (!name) are not read");
    if (++r->nodes > CONFIG_MAX_NODES)
        return FAIL_AT(r, mark, LH_ETOOBIG, "more than %d values", CONFIG_MAX_NODES);
    node->line = (unsigned) mark->line + 1;
    node->column = (unsigned) mark->column + 1;
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(r, event, node);
    if (depth == CONFIG_YAML_MAX_DEPTH)
        return FAIL_AT(r, mark, LH_ETOOBIG, "nested more than %d deep", CONFIG_YAML_MAX_DEPTH);
    node->kind = event->type == YAML_MAPPING_START_EVENT ? CONFIG_MAPPING : CONFIG_SEQUENCE;
    const int rc = read_items(r, depth + 1, node);

    if (rc < 0 || node->kind != CONFIG_MAPPING)
        return rc;
    return config_node_check_keys(r->source, node, strcmp, r->err);
}

/* An empty stream. */
static int read_nothing(const struct reader *r, config_node_t *out)
{
    *out = (config_node_t){.plain = true, .line = 1, .column = 1, .text = calloc(1, 1)};
    return out->text != NULL ? 0 : host_fail(r->err, LH_ENOMEM, "%s: out of memory", r->source);
}

static int read_stream(struct reader *r, config_node_t *out)
{
    bool has_document = false;

    for (;;) {
        host_cleanup(yaml_event_delete) yaml_event_t event = {0};
        int rc = next_event(r, &event);

        if (rc < 0)
            return rc;
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            return has_document ? 0 : read_nothing(r, out);
        case YAML_DOCUMENT_START_EVENT:
            if (has_document)
                return FAIL_AT(r, &event.start_mark, LH_EPARSE, "a second document begins");
            has_document = true;
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        default:
            rc = read_node(r, &event, 0, out);
            if (rc < 0)
                return rc;
            break;
        }
    }
}

int config_yaml_parse(const char *source, const char *text, size_t len, config_node_t *out,
                      lh_error_t *err)
{
    struct reader r = {.source = source, .err = err};

    *out = (config_node_t){0};
    if (len > CONFIG_MAX_BYTES)
        return host_fail(err, LH_ETOOBIG, "%s: larger than %u bytes", source, CONFIG_MAX_BYTES);
    if (!yaml_parser_initialize(&r.parser))
        return host_fail(err, LH_ENOMEM, "%s: out of memory", source);
    /* Set, so that a byte order mark of UTF-16 is not obeyed; one of UTF-8 is then skipped here. */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    const size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    r.text = text + mark;
    r.len = len - mark;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *) r.text, r.len);
    const int rc = read_stream(&r, out);

    yaml_parser_delete(&r.parser);
    if (rc < 0)
        config_node_fini(out);
    return rc;
}
