/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON by its grammar (RFC 8259), strictly. */
#include "base/error.h"
#include "json/skim_ops.h"

#include <string.h>

static bool refuse(skim_cursor_t *c, const char *why)
{
    c->why = why;
    return false;
}

/* The next byte that is no white space, 0 at the end of the text. */
static inline char next_byte(skim_cursor_t *c)
{
    if (c->p<c->end && * c->p> ' ')
        return *c->p;
    c->p = skim_skip_space(c->p, c->end);
    return c->p < c->end ? *c->p : 0;
}

char skim_peek(skim_cursor_t *c)
{
    const char byte = next_byte(c);

    return (byte >= '0' && byte <= '9') || byte == '-' ? '0' : byte;
}

static inline bool take_byte(skim_cursor_t *c, char byte, const char *why)
{
    if (next_byte(c) != byte)
        return refuse(c, why);
    c->p++;
    return true;
}

static bool take_string(skim_cursor_t *c, skim_span_t *out)
{
    if (!take_byte(c, '"', "a string is missing"))
        return false;
    *out = (skim_span_t){.p = c->p};
    for (;;) {
        char decoded[4];

        c->p = c->ops->string(c->p, c->end, &out->escaped);
        if (c->p == c->end)
            return refuse(c, "the text ends inside a string");
        if (*c->p == '"')
            break;
        const char *at = c->p;

        out->escaped |= *at == '\\';
        if (skim_char(&c->p, c->end, decoded) == 0) {
            c->p = at;
            return refuse(c, *at == '\\' ? "bad escape in a string" : "bad character in a string");
        }
    }
    out->len = (size_t) (c->p - out->p);
    c->p++;
    return true;
}

static bool take_key(skim_cursor_t *c, skim_span_t *out)
{
    return take_string(c, out) && take_byte(c, ':', "':' is missing");
}

static bool is_digit(const skim_cursor_t *c)
{
    return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool take_digits(skim_cursor_t *c)
{
    if (!is_digit(c))
        return refuse(c, "bad number");
    while (is_digit(c)) {
        c->p++;
    }
    return true;
}

static bool take_number(skim_cursor_t *c)
{
    if (*c->p == '-')
        c->p++;
    if (c->p < c->end && *c->p == '0')
        c->p++;
    else if (!take_digits(c))
        return false;
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!take_digits(c))
            return false;
    }
    if (c->p < c->end && (*c->p | 0x20) == 'e') {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
            c->p++;
        return take_digits(c);
    }
    return true;
}

static bool take_word(skim_cursor_t *c, const char *word)
{
    const size_t len = strlen(word);

    if ((size_t) (c->end - c->p) < len || memcmp(c->p, word, len) != 0)
        return refuse(c, "a value is missing");
    c->p += len;
    return true;
}

static bool take_scalar(skim_cursor_t *c, char type)
{
    skim_span_t ignored;

    switch (type) {
    case '"':
        return take_string(c, &ignored);
    case 't':
        return take_word(c, "true");
    case 'f':
        return take_word(c, "false");
    case 'n':
        return take_word(c, "null");
    case '0':
        return take_number(c);
    default:
        return refuse(c, "a value is missing");
    }
}

/* The brackets that are open: a bit each, set for braces. */
typedef struct nest {
    uint64_t braces[SKIM_MAX_DEPTH / 64];
    unsigned depth;
} nest_t;

static bool in_braces(const nest_t *n)
{
    return (n->braces[(n->depth - 1) / 64] >> (n->depth - 1) % 64 & 1) != 0;
}

static bool enter(skim_cursor_t *c, nest_t *n, bool brace)
{
    const uint64_t bit = UINT64_C(1) << n->depth % 64;
    uint64_t *word = &n->braces[n->depth / 64];

    if (c->depth + n->depth >= SKIM_MAX_DEPTH)
        return refuse(c, "nested too deeply");
    *word = brace ? *word | bit : *word & ~bit;
    n->depth++;
    c->p++;
    return true;
}

/* After a value: takes the brackets that end here. */
static void leave(skim_cursor_t *c, nest_t *n)
{
    while (n->depth > 0 && next_byte(c) == (in_braces(n) ? '}' : ']')) {
        c->p++;
        n->depth--;
    }
}

/* An object or array; c stands on its bracket. */
static bool take_nested(skim_cursor_t *c)
{
    skim_span_t key;
    nest_t n = {.depth = 0};

    do {
        const char type = skim_peek(c);

        if (type == '{' || type == '[') {
            if (!enter(c, &n, type == '{'))
                return false;
            if (next_byte(c) != (type == '{' ? '}' : ']')) {
                if (type == '{' && !take_key(c, &key))
                    return false;
                continue; /* with its first value */
            }
        } else if (!take_scalar(c, type)) {
            return false;
        }
        leave(c, &n);
        if (n.depth > 0 &&
            !take_byte(c, ',', in_braces(&n) ? "',' or '}' is missing" : "',' or ']' is missing"))
            return false;
        if (n.depth > 0 && in_braces(&n) && !take_key(c, &key))
            return false;
    } while (n.depth > 0);
    return true;
}

bool skim_take_object(skim_cursor_t *c, skim_member_fn member, void *arg)
{
    skim_span_t key;

    if (!take_byte(c, '{', "an object is missing"))
        return false;
    c->depth++;
    if (next_byte(c) != '}') {
        for (;;) {
            if (!take_key(c, &key) || !member(c, arg, key))
                return false;
            if (next_byte(c) != ',')
                break;
            c->p++;
        }
    }
    c->depth--;
    return take_byte(c, '}', "',' or '}' is missing");
}

bool skim_take_value(skim_cursor_t *c, skim_value_t *out)
{
    *out = (skim_value_t){.type = skim_peek(c)};
    if (out->type == '"')
        return take_string(c, &out->text);
    out->text.p = c->p;
    if (!(out->type == '{' || out->type == '[' ? take_nested(c) : take_scalar(c, out->type)))
        return false;
    out->text.len = (size_t) (c->p - out->text.p);
    return true;
}

skim_cursor_t skim_cursor(const char *text, size_t len)
{
    return (skim_cursor_t){.p = text, .start = text, .end = text + len, .ops = skim_ops()};
}

bool skim_take_end(skim_cursor_t *c)
{
    return next_byte(c) == 0 && c->p == c->end ? true : refuse(c, "something follows the object");
}

int skim_cursor_fail(const skim_cursor_t *c, lh_error_t *err)
{
    return host_fail(err, LH_EPARSE, "byte %zu: %s", (size_t) (c->p - c->start),
                     c->p == c->end ? "the text ends early" : c->why);
}
