/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of rules: JMESPath without what makes lists (projections, slices, filters, pipes,
 * multi-selects). Each value is then a piece of the object's text, of the expression's, or a boolean,
 * so nothing is copied; and both sides of an operator are evaluated always, so that one run over any
 * object finds every mistake in an expression.
 *
 * The compiled form is the expression with each raw string ('x') as the literal that it stands for.
 */
#include "janitor.h"

#include <ctype.h>

enum { DEPTH = 32, NAME = 256, NUMBERS = 16 };

typedef struct eval {
    const char *p;
    lh_json_t root;
    unsigned depth;
    char numbers[NUMBERS][24]; /* results of length() */
    size_t number_count;
    int failed;
    char why[160];
} eval_t;

static const lh_json_t null_value = {"null", 4}, true_value = {"true", 4},
                       false_value = {"false", 5};

static lh_json_t fail(eval_t *e, const char *why)
{
    if (!e->failed)
        (void) snprintf(e->why, sizeof(e->why), "%s at '%.40s'", why, e->p);
    e->failed = 1;
    return null_value;
}

static char peek(eval_t *e)
{
    while (isspace((unsigned char) *e->p))
        e->p++;
    return e->failed ? '\0' : *e->p;
}

static int take(eval_t *e, const char *token)
{
    const size_t len = strlen(token);

    if (peek(e) == '\0' || strncmp(e->p, token, len) != 0)
        return 0;
    e->p += len;
    return 1;
}

static int is_true(lh_json_t v)
{
    lh_json_iter_t it = lh_json_each(v);
    lh_json_t name, item;

    switch (lh_json_type(v)) {
    case 's':
        return v.len > 2;
    case '{':
    case '[':
        return lh_json_next(&it, &name, &item);
    case '0':
    case 't':
        return 1;
    default:
        return 0;
    }
}

static lh_json_t boolean(int value)
{
    return value ? true_value : false_value;
}

/* -- Names and paths -- */

/* The member of value that is called name; null when it has none, as for what is no object. */
static lh_json_t member(lh_json_t value, const char *name)
{
    lh_json_iter_t it = lh_json_each(value);
    lh_json_t key, item;

    if (lh_json_type(value) != '{')
        return null_value;
    while (lh_json_next(&it, &key, &item)) {
        if (lh_json_equals(key, "", name))
            return item;
    }
    return null_value;
}

/* name or "quoted name" */
static int take_name(eval_t *e, char name[NAME])
{
    size_t len = 0;

    if (peek(e) == '"') {
        const char *const end = lh_json_skip_(e->p, e->p + strlen(e->p));
        if (end == NULL ||
            lh_json_string(lh_json_text(e->p, (size_t) (end - e->p)), "", name, NAME) < 0)
            return 0;
        e->p = end;
        return 1;
    }
    while (isalnum((unsigned char) e->p[len]) || e->p[len] == '_')
        len++;
    if (len == 0 || len >= NAME || isdigit((unsigned char) e->p[0]))
        return 0;
    memcpy(name, e->p, len);
    name[len] = '\0';
    e->p += len;
    return 1;
}

static lh_json_t item_at(eval_t *e, lh_json_t list)
{
    char pointer[16];
    lh_json_t item;
    const size_t digits = strspn(e->p, "0123456789");

    if (digits == 0 || digits > 6 || e->p[digits] != ']')
        return fail(e, "only [number] is offered, no projections, slices or filters");
    (void) snprintf(pointer, sizeof(pointer), "/%.*s", (int) digits, e->p);
    e->p += digits + 1;
    if (lh_json_type(list) != '[' || lh_json_at(list, pointer, &item) < 0)
        return null_value;
    return item;
}

static lh_json_t path(eval_t *e, lh_json_t value)
{
    char name[NAME];

    while (!e->failed) {
        if (take(e, "[")) {
            value = item_at(e, value);
        } else if (take(e, ".")) {
            if (!take_name(e, name))
                return fail(e, "a name must follow the dot");
            value = member(value, name);
        } else {
            break;
        }
    }
    return value;
}

/* -- Functions -- */

/* The decoded text of a string, NULL of anything else. Caller owns, free with free(). */
static char *text_of(lh_json_t value)
{
    char *text = lh_json_type(value) == 's' ? malloc(value.len + 1) : NULL;

    if (text != NULL && lh_json_string(value, "", text, value.len + 1) < 0) {
        free(text);
        text = NULL;
    }
    return text;
}

typedef int (*text_test_t)(const char *text, const char *part);

static int begins(const char *text, const char *part)
{
    return strncmp(text, part, strlen(part)) == 0;
}

static int ends(const char *text, const char *part)
{
    const size_t len = strlen(text), part_len = strlen(part);

    return len >= part_len && strcmp(text + len - part_len, part) == 0;
}

static int holds(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* False of what are no strings: JMESPath makes that an error, and no rule matches by an error. */
static int test_texts(lh_json_t a, lh_json_t b, text_test_t test)
{
    char *text = text_of(a), *part = text_of(b);
    const int result = text != NULL && part != NULL && test(text, part);

    free(text);
    free(part);
    return result;
}

static int contains(lh_json_t a, lh_json_t b)
{
    lh_json_iter_t it = lh_json_each(a);
    lh_json_t name, item;

    if (lh_json_type(a) != '[')
        return test_texts(a, b, holds);
    while (lh_json_next(&it, &name, &item)) {
        if (lh_json_same(item, b))
            return 1;
    }
    return 0;
}

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char) *text & 0xC0) != 0x80; /* not inside a UTF-8 sequence */
    return n;
}

static lh_json_t length(eval_t *e, lh_json_t value)
{
    lh_json_iter_t it = lh_json_each(value);
    lh_json_t name, item;
    size_t n = 0;

    if (e->number_count == NUMBERS)
        return fail(e, "too many calls of length()");
    if (lh_json_type(value) == 's') {
        char *text = text_of(value);
        n = text != NULL ? characters(text) : 0;
        free(text);
    } else if (lh_json_type(value) == '{' || lh_json_type(value) == '[') {
        while (lh_json_next(&it, &name, &item))
            n++;
    } else {
        return null_value;
    }
    char *number = e->numbers[e->number_count++];
    (void) snprintf(number, sizeof(e->numbers[0]), "%zu", n);
    return lh_json_text(number, strlen(number));
}

static lh_json_t expression(eval_t *e);

static lh_json_t call(eval_t *e, const char *name)
{
    const lh_json_t a = expression(e);
    const int two = take(e, ",");
    const lh_json_t b = two ? expression(e) : null_value;

    if (!take(e, ")"))
        return fail(e, "')' is missing");
    if (!two && strcmp(name, "length") == 0)
        return length(e, a);
    if (two && strcmp(name, "starts_with") == 0)
        return boolean(test_texts(a, b, begins));
    if (two && strcmp(name, "ends_with") == 0)
        return boolean(test_texts(a, b, ends));
    if (two && strcmp(name, "contains") == 0)
        return boolean(contains(a, b));
    return fail(e, "offered are starts_with(a, b), ends_with(a, b), contains(a, b), length(a); not "
                   "the function before this");
}

/* -- Expressions -- */

static lh_json_t literal(eval_t *e)
{
    const char *const from = e->p, *const end = lh_json_skip_(from, from + strlen(from));

    if (end == NULL)
        return fail(e, "a literal between backticks must be JSON");
    e->p = end;
    if (!take(e, "`"))
        return fail(e, "the backtick that ends a literal is missing");
    return lh_json_text(from, (size_t) (end - from));
}

static lh_json_t group(eval_t *e)
{
    lh_json_t value;

    if (++e->depth > DEPTH)
        return fail(e, "nested too deep");
    value = expression(e);
    e->depth--;
    return take(e, ")") ? value : fail(e, "')' is missing");
}

static lh_json_t atom(eval_t *e)
{
    char name[NAME];

    if (take(e, "("))
        return group(e);
    if (take(e, "`"))
        return literal(e);
    if (take(e, "@"))
        return e->root;
    if (!take_name(e, name))
        return fail(e, "a name, a literal or '(' must stand here");
    if (take(e, "(")) {
        if (++e->depth > DEPTH)
            return fail(e, "nested too deep");
        const lh_json_t value = call(e, name);
        e->depth--;
        return value;
    }
    if (strcmp(name, "_context") == 0)
        return fail(e, "'_context' is not offered");
    return member(e->root, name);
}

/* In JMESPath !a.b is (!a).b, which nobody means: it is refused rather than understood. */
static lh_json_t unary(eval_t *e)
{
    unsigned nots = 0;

    while (peek(e) == '!' && e->p[1] != '=') {
        e->p++;
        nots++;
    }
    const lh_json_t value = atom(e);
    if (nots == 0)
        return path(e, value);
    if (peek(e) == '.' || peek(e) == '[')
        return fail(e, "a path behind '!' needs parentheses, !(a.b),");
    return boolean(is_true(value) != (int) (nots % 2));
}

/* Less than 0, 0, more than 0 in *order; 0 when these have no order. */
static int compare(lh_json_t a, lh_json_t b, int *order)
{
    double x, y;
    char *s = text_of(a), *t = text_of(b);
    int ordered = s != NULL && t != NULL;

    if (ordered)
        *order = strcmp(s, t);
    free(s);
    free(t);
    if (!ordered && lh_json_double(a, "", &x) == 0 && lh_json_double(b, "", &y) == 0) {
        *order = (x > y) - (x < y);
        ordered = 1;
    }
    return ordered;
}

static lh_json_t comparison(eval_t *e)
{
    static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">"};
    const lh_json_t a = unary(e);
    size_t i = 0;
    int order = 0;

    while (i < 6 && !take(e, operators[i]))
        i++;
    if (i == 6)
        return a;
    const lh_json_t b = unary(e);
    if (i < 2)
        return boolean(lh_json_same(a, b) == (i == 0));
    if (!compare(a, b, &order))
        return null_value;
    return boolean(i == 2 ? order <= 0 : i == 3 ? order >= 0 : i == 4 ? order < 0 : order > 0);
}

static lh_json_t conjunction(eval_t *e)
{
    lh_json_t a = comparison(e);

    while (take(e, "&&")) {
        const lh_json_t b = comparison(e);
        a = is_true(a) ? b : a;
    }
    return a;
}

static lh_json_t expression(eval_t *e)
{
    lh_json_t a = conjunction(e);

    while (take(e, "||")) {
        const lh_json_t b = conjunction(e);
        a = is_true(a) ? a : b;
    }
    return a;
}

/* In the end kube-janitor asks bool() of Python, which takes 0 for false; JMESPath does not. */
static int evaluate(eval_t *e)
{
    const lh_json_t value = expression(e);
    double number;

    if (!e->failed && peek(e) != '\0')
        (void) fail(e, "not offered, or no operator:");
    if (lh_json_double(value, "", &number) == 0)
        return !e->failed && (number < 0 || number > 0);
    return !e->failed && is_true(value);
}

int condition_is_true(const char *condition, lh_json_t object)
{
    eval_t e = {.p = condition, .root = object};

    return evaluate(&e);
}

/* -- The compiled form -- */

/* 'it\'s' as `"it's"`; p stands behind the first quote, the result behind the last; NULL: it does not
 * end. */
static const char *put_raw_string(lh_json_out_t *out, const char *p)
{
    lh_json_put_(out, "`\"", 2);
    for (; *p != '\0' && *p != '\''; p++) {
        if (*p == '\\' && p[1] == '\'')
            p++;
        lh_json_put_escaped_(out, p, 1);
    }
    lh_json_put_(out, "\"`", 2);
    return *p == '\'' ? p + 1 : NULL;
}

/* What stands between double quotes or backticks, as it is. */
static const char *put_quoted(lh_json_out_t *out, const char *p)
{
    const char quote = *p;
    const char *const from = p++;

    while (*p != '\0' && *p != quote)
        p += *p == '\\' && p[1] != '\0' ? 2 : 1;
    if (*p == quote)
        p++;
    lh_json_put_(out, from, (size_t) (p - from));
    return p;
}

static int put_all(lh_json_out_t *out, const char *p)
{
    while (p != NULL && *p != '\0') {
        if (*p == '\'')
            p = put_raw_string(out, p + 1);
        else if (*p == '"' || *p == '`')
            p = put_quoted(out, p);
        else
            lh_json_put_(out, p++, 1);
    }
    return p != NULL;
}

int condition_compile(const char *expression_text, char **out, lh_error_t *err)
{
    lh_json_out_t text = {NULL, 0, 0, 0, 0};

    if (!put_all(&text, expression_text))
        return lh_errorf(err, LH_EINVAL, "jmespath: a string in '%.100s' does not end",
                         expression_text);
    text.text = malloc(text.len + 1);
    if (text.text == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    text.size = text.len;
    text.len = 0;
    (void) put_all(&text, expression_text);
    text.text[text.size] = '\0';

    eval_t e = {.p = text.text, .root = {"{}", 2}};
    (void) evaluate(&e);
    if (e.failed) {
        free(text.text);
        return lh_errorf(err, LH_EINVAL, "jmespath: %s", e.why);
    }
    *out = text.text;
    return 0;
}
