/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON by its grammar (RFC 8259), strictly; deeper values by recursion, bounded. */
#include "base/error.h"
#include "json/skim_text.h"

#include <string.h>

static bool refuse(skim_cursor_t *c, const char *why)
{
    c->why = why;
    return false;
}

static bool is_digit(const skim_cursor_t *c)
{
    return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

char skim_peek(skim_cursor_t *c)
{
    c->p = skim_skip_space(c->p, c->end);
    if (c->p == c->end)
        return 0;
    return is_digit(c) || *c->p == '-' ? '0' : *c->p;
}

static bool take_byte(skim_cursor_t *c, char byte, const char *why)
{
    if (skim_peek(c) == 0 || *c->p != byte)
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

        c->p = skim_plain(c->p, c->end);
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

static bool take_array(skim_cursor_t *c)
{
    skim_value_t ignored;

    if (++c->depth > SKIM_MAX_DEPTH)
        return refuse(c, "nested too deeply");
    c->p++;
    if (skim_peek(c) != ']') {
        for (;;) {
            if (!skim_take_value(c, &ignored))
                return false;
            if (skim_peek(c) != ',')
                break;
            c->p++;
        }
    }
    c->depth--;
    return take_byte(c, ']', "',' or ']' is missing");
}

bool skim_take_object(skim_cursor_t *c, skim_member_fn member, void *arg)
{
    skim_span_t key;
    skim_value_t ignored;

    if (!take_byte(c, '{', "an object is missing"))
        return false;
    if (++c->depth > SKIM_MAX_DEPTH)
        return refuse(c, "nested too deeply");
    if (skim_peek(c) != '}') {
        for (;;) {
            if (!take_string(c, &key) || !take_byte(c, ':', "':' is missing"))
                return false;
            if (!(member != NULL ? member(c, arg, key) : skim_take_value(c, &ignored)))
                return false;
            if (skim_peek(c) != ',')
                break;
            c->p++;
        }
    }
    c->depth--;
    return take_byte(c, '}', "',' or '}' is missing");
}

static bool take_typed(skim_cursor_t *c, skim_value_t *out)
{
    switch (out->type) {
    case '{':
        return skim_take_object(c, NULL, NULL);
    case '[':
        return take_array(c);
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

bool skim_take_value(skim_cursor_t *c, skim_value_t *out)
{
    *out = (skim_value_t){.type = skim_peek(c)};
    if (out->type == '"')
        return take_string(c, &out->text);
    out->text.p = c->p;
    if (!take_typed(c, out))
        return false;
    out->text.len = (size_t) (c->p - out->text.p);
    return true;
}

bool skim_take_end(skim_cursor_t *c)
{
    return skim_peek(c) == 0 && c->p == c->end ? true : refuse(c, "something follows the object");
}

int skim_cursor_fail(const skim_cursor_t *c, lh_error_t *err)
{
    return host_fail(err, LH_EPARSE, "byte %zu: %s", (size_t) (c->p - c->start),
                     c->p == c->end ? "the text ends early" : c->why);
}
