/* SPDX-License-Identifier: Apache-2.0 */
/* Go's regular expressions by way of POSIX's. Flags and classes of Unicode have no counterpart: such
 * a pattern is accepted and not checked. Texts are bytes. */
#include "devapi/schema_node.h"

#include <ctype.h>
#include <string.h>

enum {
    MAX_PATTERN = 4096,
    MAX_REPEAT = 1000, /* as in Go */
    MAX_GROUPS = 50,   /* within each other */
    MAX_NODES =
        10000, /* of the pattern with its repetitions unrolled, which is what regcomp does */
};

/* A group: nodes before its last atom, and those of that atom. */
typedef struct group {
    long before, last;
} group_t;

typedef struct translation {
    const char *at;
    buf_t out;
    group_t groups[MAX_GROUPS];
    int depth;
    bool repeated;     /* a repetition came last */
    bool unknown;      /* something without a counterpart, or too much of it */
    const char *wrong; /* why it is no expression at all */
} translation_t;

static void add_atom(translation_t *t)
{
    group_t *g = &t->groups[t->depth];

    g->before += g->last;
    g->last = 1;
    t->repeated = false;
}

static void repeat(translation_t *t, long times)
{
    group_t *g = &t->groups[t->depth];

    if (t->repeated)
        t->wrong = "invalid nested repetition operator";
    t->repeated = true;
    g->last *= times;
    t->unknown = t->unknown || g->before + g->last > MAX_NODES;
}

static void open_group(translation_t *t)
{
    t->repeated = false;
    if (t->depth + 1 == MAX_GROUPS)
        t->unknown = true;
    else
        t->groups[++t->depth] = (group_t){0};
}

static void close_group(translation_t *t)
{
    long inner = t->groups[t->depth].before + t->groups[t->depth].last;

    if (t->depth > 0)
        t->depth--;
    add_atom(t);
    t->groups[t->depth].last += inner;
    t->unknown = t->unknown || inner > MAX_NODES;
}

typedef struct class
{
    char letter;
    const char *members; /* inside brackets */
} class_t;

static const class_t classes[] = {
    {'d', "0-9"}, {'w', "A-Za-z0-9_"}, {'s', " \t\n\r\f\v"}, {'t', "\t"},
    {'n', "\n"},  {'r', "\r"},         {'f', "\f"},          {'v', "\v"},
};

static const char *class_of(char letter)
{
    for (size_t i = 0; i < HOST_LEN(classes); i++) {
        if (classes[i].letter == letter)
            return classes[i].members;
    }
    return NULL;
}

/* A backslash and what it escapes, outside brackets. */
static void translate_escape(translation_t *t)
{
    char c = t->at[1];
    const char *members = class_of(c), *negated = class_of((char) tolower(c));

    t->at += c == '\0' ? 1 : 2;
    if (members != NULL)
        buf_printf(&t->out, "[%s]", members);
    else if (c == 'D' || c == 'W' || c == 'S')
        buf_printf(&t->out, "[^%s]", negated);
    else if (c == 'A' || c == 'z')
        buf_puts(&t->out, c == 'A' ? "^" : "$");
    else if (c == 'b' || c == 'B')
        buf_printf(&t->out, "\\%c", c);
    else if (isalnum((unsigned char) c))
        t->unknown = true;
    else if (c == '\0')
        buf_puts(&t->out, "\\");
    else
        buf_printf(&t->out, strchr("\\.^$|()[]{}*+?", c) != NULL ? "\\%c" : "%c", c);
}

/* The contents of brackets, with what is special by its place kept apart. */
typedef struct bracket {
    buf_t members;
    bool closing, dash, caret;
} bracket_t;

static void add_member(bracket_t *b, char c)
{
    if (c == ']')
        b->closing = true;
    else if (c == '-')
        b->dash = true;
    else if (c == '^' && b->members.len == 0)
        b->caret = true;
    else
        buf_append(&b->members, &c, 1);
}

static void take_member(translation_t *t, bracket_t *b, bool first)
{
    const char *p = t->at, *end;

    if (*p == '\\' && p[1] != '\0') {
        const char *members = class_of(p[1]);

        if (members != NULL)
            buf_puts(&b->members, members);
        else if (isalnum((unsigned char) p[1]))
            t->unknown = true;
        else
            add_member(b, p[1]);
        t->at += 2;
    } else if (*p == '[' && p[1] == ':' && (end = strstr(p, ":]")) != NULL) {
        buf_append(&b->members, p, (size_t) (end + 2 - p));
        t->at = end + 2;
    } else if (*p == '-' && !first && p[1] != ']') {
        buf_puts(&b->members, "-"); /* of a range */
        t->at++;
    } else {
        add_member(b, *p);
        t->at++;
    }
}

static void translate_bracket(translation_t *t)
{
    bracket_t b = {0};
    bool negated = t->at[1] == '^', first = true;

    t->at += negated ? 2 : 1;
    while (*t->at != '\0' && (*t->at != ']' || first)) {
        take_member(t, &b, first);
        first = false;
    }
    /* Left open: POSIX' complaint is as good. */
    buf_printf(&t->out, "[%s%s%s%s%s%s", negated ? "^" : "", b.closing ? "]" : "",
               buf_text(&b.members), b.caret ? "^" : "", b.dash ? "-" : "",
               *t->at == ']' ? "]" : "");
    if (*t->at == ']')
        t->at++;
    buf_fini(&b.members);
}

/* "(?:", "(?P<name>" and "(?<name>" are plain groups here. */
static void translate_group(translation_t *t)
{
    const char *p = t->at + 1, *end;

    open_group(t);
    buf_puts(&t->out, "(");
    t->at = p;
    if (*p != '?')
        return;
    if (p[1] == ':') {
        t->at = p + 2;
        return;
    }
    p += p[1] == 'P' ? 2 : 1;
    end = *p == '<' ? strchr(p, '>') : NULL;
    t->unknown = t->unknown || end == NULL;
    t->at = end == NULL ? p : end + 1;
}

/* {n}, {n,}, {n,m}; any other brace is itself. */
static void translate_count(translation_t *t)
{
    const char *p = t->at + 1;
    size_t len = strspn(p, "0123456789,");
    const char *comma = memchr(p, ',', len);
    long most;

    if (len == 0 || !isdigit((unsigned char) p[0]) || p[len] != '}') {
        add_atom(t);
        buf_puts(&t->out, "\\{");
        t->at++;
        return;
    }
    most = strtol(p, NULL, 10);
    if (comma != NULL && isdigit((unsigned char) comma[1]))
        most = HOST_MAX(most, strtol(comma + 1, NULL, 10));
    if (most > MAX_REPEAT) {
        t->wrong = "invalid repeat count";
        return;
    }
    repeat(t, most + 1);
    buf_append(&t->out, t->at, len + 2);
    t->at = p + len + 1;
    t->at += *t->at == '?';
}

static void translate_one(translation_t *t)
{
    switch (*t->at) {
    case '\\':
        add_atom(t);
        translate_escape(t);
        break;
    case '[':
        add_atom(t);
        translate_bracket(t);
        break;
    case '(':
        translate_group(t);
        break;
    case '{':
        translate_count(t);
        break;
    case '*':
    case '+':
    case '?':
        repeat(t, *t->at == '+' ? 2 : 1);
        buf_append(&t->out, t->at, 1);
        t->at += t->at[1] == '?' ? 2 : 1; /* lazy or not: the same texts match */
        break;
    default:
        if (*t->at == ')')
            close_group(t);
        else
            add_atom(t);
        buf_append(&t->out, t->at, 1);
        t->at++;
    }
}

static int compile(const translation_t *t, regex_t **out, buf_t *reason)
{
    regex_t *regex = host_xcalloc(1, sizeof(*regex));
    int code = regcomp(regex, buf_text(&t->out), REG_EXTENDED | REG_NOSUB);
    char text[128];

    if (code == 0) {
        *out = regex;
        return 0;
    }
    regerror(code, regex, text, sizeof(text));
    buf_puts(reason, text);
    free(regex);
    return -1;
}

int schema_pattern_compile(const char *pattern, regex_t **out, buf_t *reason)
{
    translation_t t = {.at = pattern};
    int ret = 0;

    *out = NULL;
    if (strlen(pattern) > MAX_PATTERN)
        return 0;
    while (t.wrong == NULL && !t.unknown && *t.at != '\0')
        translate_one(&t);
    if (t.wrong != NULL) {
        buf_puts(reason, t.wrong);
        ret = -1;
    } else if (!t.unknown && !t.out.failed) {
        ret = compile(&t, out, reason);
    }
    buf_fini(&t.out);
    return ret;
}

void schema_pattern_destroy(regex_t *regex)
{
    if (regex == NULL)
        return;
    regfree(regex);
    free(regex);
}
