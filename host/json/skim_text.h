/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this folder share. Two ways to read: the checked one (skim_check.c) knows the
 * grammar and refuses what is not JSON; the loose one only follows brackets and quotes, is what
 * cuts streams into objects, and leaves the judgement of an object to the checked one, so that one
 * bad object does not end a stream.
 */
#ifndef JSON_SKIM_TEXT_H
#define JSON_SKIM_TEXT_H

#include "json/skim.h"

#include <string.h>

/* -- Characters (skim_text.c) -- */

static inline bool skim_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const char *skim_skip_space(const char *p, const char *end)
{
    while (p < end && skim_is_space(*p)) {
        p++;
    }
    return p;
}

/* skim_equal with a literal. */
#define SKIM_IS(span, literal) skim_is((span), (literal), sizeof(literal) - 1)
static inline bool skim_is(skim_span_t span, const char *s, size_t len)
{
    if (span.escaped)
        return skim_equal(span, s);
    return span.p != NULL && span.len == len && memcmp(span.p, s, len) == 0;
}

/* The first byte that is a quote, a backslash, a control character or not ASCII; else end. */
const char *skim_plain(const char *p, const char *end);

/* Decodes the character at *p of a string's inside and moves *p past it: its UTF-8 goes to out.
 * Returns its length; 0 when it is not valid (UTF-8, escape, lone surrogate, control character). */
size_t skim_char(const char **p, const char *end, char out[4]);

/* -- Loose reading (skim_walk.c) -- */

/* Where a value stands that is read in pieces; zeroed at its start. */
typedef struct skim_scan {
    size_t depth;
    bool started, in_string, escape, literal;
} skim_scan_t;

/* Goes on with a value (first byte: its first); the byte after its end, NULL when it does not end
 * before `end`. A number or word ends at the delimiter after it. */
const char *skim_scan(skim_scan_t *s, const char *p, const char *end);

/* skim_event() of what need not be JSON. */
HOST_MUST_USE int skim_event_loosely(const char *text, size_t len, skim_event_t *out,
                                     lh_error_t *err);

/* -- Checked reading (skim_check.c) -- */

typedef struct skim_cursor {
    const char *p, *start, *end;
    const struct skim_ops *ops;
    unsigned depth;
    const char *why; /* set on failure; p is where */
} skim_cursor_t;

typedef struct skim_value {
    char type;        /* '{', '[', '"', 't', 'f', 'n', or '0' for numbers */
    skim_span_t text; /* strings: without quotes */
} skim_value_t;

/* Called at each member of an object, with the cursor on the value, which it must take. */
typedef bool (*skim_member_fn)(skim_cursor_t *c, void *arg, skim_span_t key);

skim_cursor_t skim_cursor(const char *text, size_t len); /* borrows text */
/* All of these: white space, then what the name says; false and c->why when it is not there. */
bool skim_take_value(skim_cursor_t *c, skim_value_t *out);
bool skim_take_object(skim_cursor_t *c, skim_member_fn member, void *arg);
bool skim_take_end(skim_cursor_t *c);
/* The type of the value that comes next (as skim_value_t), 0 at the end of the text. */
char skim_peek(skim_cursor_t *c);
/* LH_EPARSE with place and reason of c. */
int skim_cursor_fail(const skim_cursor_t *c, lh_error_t *err);

#endif
