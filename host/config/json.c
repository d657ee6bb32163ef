/* SPDX-License-Identifier: Apache-2.0 */
#include "config/json.h"

#include "base/error.h"
#include "base/utf8.h"

#include <string.h>

struct reader {
    const char *source, *text, *p, *end;
    config_mark_t mark; /* behind p */
    size_t nodes;
    lh_error_t *err;
};

static const config_mark_t *mark_of(struct reader *r)
{
    config_mark_move(&r->mark, r->text, (size_t) (r->p - r->text));
    return &r->mark;
}

static int fail_at(struct reader *r, int code)
{
    const config_mark_t *mark = mark_of(r);

    return host_error_wrap(r->err, code, "%s:%u:%u", r->source, mark->line, mark->column);
}

/* At r->p. Texts name no content of the file: it may be a secret. */
#define FAIL(r, code, ...) fail_at((r), host_fail((r)->err, (code), __VA_ARGS__))

static bool is_at(const struct reader *r, const char *text)
{
    const size_t len = strlen(text);

    return (size_t) (r->end - r->p) >= len && memcmp(r->p, text, len) == 0;
}

static int skip_block(struct reader *r)
{
    const char *end = memmem(r->p + 2, (size_t) (r->end - r->p) - 2, "*/", 2);

    if (end == NULL)
        return FAIL(r, LH_EPARSE, "the comment that begins here has no end");
    r->p = end + 2;
    return 0;
}

/* White space and comments. */
static int skip(struct reader *r)
{
    int rc = 0;

    while (rc == 0 && r->p < r->end) {
        if (memchr(" \t\r\n", *r->p, 4) != NULL) {
            r->p++;
        } else if (is_at(r, "//")) {
            while (r->p < r->end && *r->p != '\n' && *r->p != '\r') {
                r->p++;
            }
        } else if (is_at(r, "/*")) {
            rc = skip_block(r);
        } else {
            break;
        }
    }
    return rc;
}

/* -- Texts -- */

/* The four digits of \uXXXX at p; -1 when they are none. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;

    for (int i = 0; i < 4; i++, p++) {
        if (p == end || strchr("0123456789abcdefABCDEF", *p) == NULL || *p == '\0')
            return -1;
        v = v * 16 + (*p <= '9' ? *p - '0' : (*p | 0x20) - 'a' + 10);
    }
    return v;
}

static void put_utf8(buf_t *out, uint32_t c)
{
    const char bytes[4][4] = {
        {(char) c},
        {(char) (0xc0 | c >> 6), (char) (0x80 | (c & 0x3f))},
        {(char) (0xe0 | c >> 12), (char) (0x80 | (c >> 6 & 0x3f)), (char) (0x80 | (c & 0x3f))},
        {(char) (0xf0 | c >> 18), (char) (0x80 | (c >> 12 & 0x3f)), (char) (0x80 | (c >> 6 & 0x3f)),
         (char) (0x80 | (c & 0x3f))}};
    const size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    buf_append(out, bytes[len - 1], len);
}

/* \uXXXX, with the second half of a pair. */
static int read_unicode(struct reader *r, buf_t *out)
{
    const int32_t high = hex4(r->p + 2, r->end);
    int32_t low = 0;

    if (high < 0)
        return FAIL(r, LH_EPARSE, "\\u needs four hexadecimal digits");
    if (high == 0)
        return FAIL(r, LH_EPARSE, "a text holds a NUL character");
    const bool paired = high >= 0xd800 && high < 0xdc00;

    if (paired && r->end - r->p > 8 && r->p[6] == '\\' && r->p[7] == 'u')
        low = hex4(r->p + 8, r->end);
    if ((high >= 0xdc00 && high < 0xe000) || (paired && (low < 0xdc00 || low > 0xdfff)))
        return FAIL(r, LH_EPARSE, "half of a surrogate pair stands alone");
    put_utf8(out, paired ? 0x10000u + (((uint32_t) high & 0x3ff) << 10) + ((uint32_t) low & 0x3ff)
                         : (uint32_t) high);
    r->p += paired ? 12 : 6;
    return 0;
}

static int read_escape(struct reader *r, buf_t *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char c = r->end - r->p > 1 ? r->p[1] : '\0';
    const char *at = c != '\0' ? strchr(names, c) : NULL;

    if (c == 'u')
        return read_unicode(r, out);
    if (at == NULL)
        return FAIL(r, LH_EPARSE, "no escape that JSON has");
    buf_append(out, &values[at - names], 1);
    r->p += 2;
    return 0;
}

static int read_char(struct reader *r, buf_t *out)
{
    const size_t len = utf8_char(r->p, (size_t) (r->end - r->p));

    if (*r->p == '\\')
        return read_escape(r, out);
    if (*r->p == '\n' || *r->p == '\r')
        return FAIL(r, LH_EPARSE, "the text has no closing quote on its line");
    if ((unsigned char) *r->p < 0x20)
        return FAIL(r, LH_EPARSE, "a text holds a control character");
    if (len == 0)
        return FAIL(r, LH_EPARSE, "the text is not UTF-8");
    buf_append(out, r->p, len);
    r->p += len;
    return 0;
}

/* r->p is at the opening quote. */
static int read_text(struct reader *r, config_node_t *node)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    int rc = buf_puts(&out, "");

    for (r->p++; rc == 0;) {
        if (r->p == r->end)
            return FAIL(r, LH_EPARSE, "the text has no closing quote");
        if (*r->p == '"')
            break;
        rc = read_char(r, &out);
    }
    if (rc < 0)
        return rc;
    r->p++;
    node->text = out.failed ? NULL : buf_steal(&out);
    return node->text != NULL ? 0 : FAIL(r, LH_ENOMEM, "out of memory");
}

/* -- Numbers and words -- */

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* The end of the number at p; NULL when it is none. */
static const char *end_of_number(const char *p, const char *end)
{
    p += *p == '-';
    const char *digits = p;

    p = skip_digits(p, end);
    if (p == digits || (*digits == '0' && p > digits + 1))
        return NULL;
    if (p < end && *p == '.') {
        digits = p + 1;
        p = skip_digits(digits, end);
        if (p == digits)
            return NULL;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '-' || *p == '+');
        digits = p;
        p = skip_digits(digits, end);
        if (p == digits)
            return NULL;
    }
    return p;
}

static bool ends_word(char c)
{
    return memchr(" \t\r\n,:]}/", c, 9) != NULL;
}

/* true, false, null, or a number. */
static int read_word(struct reader *r, config_node_t *node)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *end = r->p < r->end ? end_of_number(r->p, r->end) : NULL;

    for (size_t i = 0; i < HOST_LEN(words); i++) {
        if (is_at(r, words[i]))
            end = r->p + strlen(words[i]);
    }
    if (end == NULL || (end < r->end && !ends_word(*end)))
        return FAIL(r, LH_EPARSE, "a value of JSON is expected");
    node->plain = true;
    node->text = strndup(r->p, (size_t) (end - r->p));
    if (node->text == NULL)
        return FAIL(r, LH_ENOMEM, "out of memory");
    r->p = end;
    return 0;
}

/* -- Objects and lists -- */

static int read_value(struct reader *r, unsigned depth, config_node_t *node);

static int add_node(struct reader *r, config_node_t *parent, config_node_t **out)
{
    *out = config_node_add(parent);
    if (*out == NULL)
        return FAIL(r, LH_ENOMEM, "out of memory");
    if (++r->nodes > CONFIG_MAX_NODES)
        return FAIL(r, LH_ETOOBIG, "more than %d values", CONFIG_MAX_NODES);
    const config_mark_t *mark = mark_of(r);

    (*out)->line = mark->line;
    (*out)->column = mark->column;
    return 0;
}

static int read_key(struct reader *r, config_node_t *object)
{
    config_node_t *key;

    if (r->p == r->end || *r->p != '"')
        return FAIL(r, LH_EPARSE, "a key in double quotes or '}' is expected");
    int rc = add_node(r, object, &key);

    if (rc == 0)
        rc = read_text(r, key);
    if (rc == 0)
        rc = skip(r);
    if (rc < 0)
        return rc;
    if (r->p == r->end || *r->p != ':')
        return FAIL(r, LH_EPARSE, "':' is expected");
    r->p++;
    return skip(r);
}

/* One member or entry, and the comma behind it. */
static int read_item(struct reader *r, unsigned depth, config_node_t *node)
{
    const bool object = node->kind == CONFIG_MAPPING;
    config_node_t *item;
    int rc = object ? read_key(r, node) : 0;

    if (rc == 0)
        rc = add_node(r, node, &item);
    if (rc == 0)
        rc = read_value(r, depth + 1, item);
    if (rc == 0)
        rc = skip(r);
    if (rc < 0)
        return rc;
    if (r->p < r->end && *r->p == ',') {
        r->p++;
        return skip(r);
    }
    if (r->p == r->end || *r->p != (object ? '}' : ']'))
        return FAIL(r, LH_EPARSE, "',' or '%c' is expected", object ? '}' : ']');
    return 0;
}

static int read_collection(struct reader *r, unsigned depth, config_node_t *node)
{
    if (depth == CONFIG_JSON_MAX_DEPTH)
        return FAIL(r, LH_ETOOBIG, "nested more than %d deep", CONFIG_JSON_MAX_DEPTH);
    node->kind = *r->p == '{' ? CONFIG_MAPPING : CONFIG_SEQUENCE;
    const char close = *r->p++ == '{' ? '}' : ']';
    int rc = skip(r);

    while (rc == 0 && (r->p == r->end || *r->p != close)) {
        rc = read_item(r, depth, node);
    }
    if (rc == 0)
        r->p++;
    return rc;
}

static int read_value(struct reader *r, unsigned depth, config_node_t *node)
{
    if (r->p < r->end && (*r->p == '{' || *r->p == '['))
        return read_collection(r, depth, node);
    if (r->p < r->end && *r->p == '"')
        return read_text(r, node);
    return read_word(r, node);
}

static int read_document(struct reader *r, config_node_t *out)
{
    int rc = skip(r);

    if (rc < 0)
        return rc;
    if (r->p == r->end || *r->p != '{')
        return FAIL(r, LH_EPARSE, "a JSON object is expected");
    out->line = mark_of(r)->line;
    out->column = mark_of(r)->column;
    rc = read_collection(r, 0, out);
    if (rc == 0)
        rc = skip(r);
    if (rc == 0 && r->p < r->end)
        rc = FAIL(r, LH_EPARSE, "something follows the end of the object");
    return rc;
}

int config_json_parse(const char *source, const char *text, size_t len, config_node_t *out,
                      lh_error_t *err)
{
    const size_t bom = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct reader r = {.source = source,
                       .text = text + bom,
                       .p = text + bom,
                       .end = text + len,
                       .mark = CONFIG_MARK_INIT,
                       .err = err};

    *out = (config_node_t){0};
    if (len > CONFIG_MAX_BYTES)
        return host_fail(err, LH_ETOOBIG, "%s: larger than %u bytes", source, CONFIG_MAX_BYTES);
    const int rc = read_document(&r, out);

    if (rc < 0)
        config_node_fini(out);
    return rc;
}
