/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of package labels: tokens as its lexer cuts them, texts as its parser says them. */
#include "devapi/selector_label.h"
#include "devapi/names.h"
#include "devapi/tree.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum token {
    T_ERROR,
    T_END,
    T_CLOSE,
    T_COMMA,
    T_NOT,
    T_EQUALS2,
    T_EQUALS,
    T_GREATER,
    T_WORD,
    T_IN,
    T_LESS,
    T_NOT_EQUALS,
    T_NOT_IN,
    T_OPEN
};

enum op { OP_IN, OP_NOT_IN, OP_EXISTS, OP_NOT_EXISTS, OP_GREATER, OP_LESS };

typedef struct term {
    struct term *next;
    char *key;
    enum op op;
    cJSON *values; /* array of strings, sorted, each once */
} term_t;

struct dev_labels {
    term_t *first;
};

/* The token at hand and its text; `next` is where the lexer goes on. */
typedef struct parser {
    const char *next;
    enum token token;
    char *text; /* owned */
    dev_status_t *st;
} parser_t;

static const struct {
    const char *text;
    enum token token;
} words[] = {
    {")", T_CLOSE},       {",", T_COMMA},      {"!", T_NOT},  {"==", T_EQUALS2},
    {"=", T_EQUALS},      {">", T_GREATER},    {"in", T_IN},  {"<", T_LESS},
    {"!=", T_NOT_EQUALS}, {"notin", T_NOT_IN}, {"(", T_OPEN},
};

static enum token token_of(const char *text, size_t len)
{
    for (size_t i = 0; i < HOST_LEN(words); i++) {
        if (strlen(words[i].text) == len && memcmp(words[i].text, text, len) == 0)
            return words[i].token;
    }
    return T_WORD;
}

static void set_token(parser_t *p, enum token token, const char *text, size_t len)
{
    free(p->text);
    p->text = strndup(text, len);
    p->token = p->text == NULL ? T_ERROR : token;
}

/* Moves to the next token; "==" and "!=" before "=" and "!". */
static void advance(parser_t *p)
{
    const char *at = p->next + strspn(p->next, " \t\r\n");
    size_t len = 1;

    if (*at == '\0') {
        p->next = at;
        set_token(p, T_END, "", 0);
        return;
    }
    if (strchr("=!(),><", *at) == NULL) {
        len = strcspn(at, "=!(),>< \t\r\n");
        set_token(p, token_of(at, len), at, len);
    } else {
        if (at[1] != '\0' && token_of(at, 2) != T_WORD)
            len = 2;
        set_token(p, token_of(at, len), at, len);
    }
    p->next = at + len;
}

/* Where a value may stand, "in" and "notin" are words like others. */
static enum token value_token(const parser_t *p)
{
    return p->token == T_IN || p->token == T_NOT_IN ? T_WORD : p->token;
}

/* The mistakes below are part of a requirement; those of the list around it have no prefix. */
#define REFUSE(p, ...) dev_refuse((p)->st, 400, "BadRequest", __VA_ARGS__)
#define REFUSE_TERM(p, fmt, ...)                                                                   \
    REFUSE(p, "unable to parse requirement: " fmt __VA_OPT__(, ) __VA_ARGS__)

static void term_destroy(term_t *t)
{
    if (t == NULL)
        return;
    free(t->key);
    cJSON_Delete(t->values);
    free(t);
}

static void term_destroyp(term_t **t)
{
    term_destroy(*t);
}

/* Keeps values sorted and each once, as the set of the real one lists them. */
static void add_value(cJSON *values, const char *text)
{
    int at = 0;
    const cJSON *item;

    cJSON_ArrayForEach (item, values) {
        int order = strcmp(item->valuestring, text);

        if (order == 0)
            return;
        if (order > 0)
            break;
        at++;
    }
    tree_insert(values, at, cJSON_CreateString(text));
}

/* [!] key */
static int parse_key(parser_t *p, term_t *t, bool *negated)
{
    buf_t why = BUF_INIT;
    int ret = 0;

    *negated = p->token == T_NOT;
    if (*negated)
        advance(p);
    if (value_token(p) != T_WORD)
        return REFUSE_TERM(p, "found '%s', expected: identifier", p->text);
    if (dev_name_explain(DEV_NAME_QUALIFIED, p->text, &why) > 0)
        ret = REFUSE_TERM(p, "<nil>: Invalid value: \"%s\": %s", p->text, buf_text(&why));
    buf_fini(&why);
    t->key = host_steal(p->text);
    advance(p);
    return ret;
}

/* Inside the parentheses: words and commas; an empty place is the value "". */
static int parse_list(parser_t *p, cJSON *values)
{
    for (;;) {
        if (value_token(p) == T_WORD) {
            add_value(values, p->text);
            advance(p);
            if (p->token == T_CLOSE)
                return 0;
            if (p->token != T_COMMA)
                return REFUSE_TERM(p, "found '%s', expected: ',' or ')'", p->text);
        } else if (p->token == T_COMMA) {
            if (values->child == NULL)
                add_value(values, "");
            advance(p);
            if (p->token == T_CLOSE || p->token == T_COMMA)
                add_value(values, "");
            if (p->token == T_CLOSE)
                return 0;
            if (p->token == T_COMMA)
                advance(p);
        } else {
            return REFUSE_TERM(p, "found '%s', expected: ',', or identifier", p->text);
        }
    }
}

static int parse_set(parser_t *p, cJSON *values)
{
    int ret = 0;

    if (p->token != T_OPEN)
        return REFUSE_TERM(p, "found '%s' expected: '('", p->text);
    advance(p);
    if (p->token == T_CLOSE)
        add_value(values, "");
    else if (value_token(p) == T_WORD || p->token == T_COMMA)
        ret = parse_list(p, values);
    else
        ret = REFUSE_TERM(p, "found '%s', expected: ',', ')' or identifier", p->text);
    if (ret == 0)
        advance(p);
    return ret;
}

static int parse_exact(parser_t *p, cJSON *values)
{
    if (p->token == T_END || p->token == T_COMMA) {
        add_value(values, "");
        return 0;
    }
    if (value_token(p) != T_WORD)
        return REFUSE_TERM(p, "found '%s', expected: identifier", p->text);
    add_value(values, p->text);
    advance(p);
    return 0;
}

static bool to_integer(const char *text, long long *out)
{
    char *end;

    if (!isdigit((unsigned char) text[text[0] == '-' || text[0] == '+']))
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static int check_values(parser_t *p, const term_t *t)
{
    bool number = t->op == OP_GREATER || t->op == OP_LESS;
    host_cleanup(dev_status_fini) dev_status_t found = {0};
    const dev_path_t *values = DEV_AT(NULL, "values");
    const cJSON *value;
    const char *text;
    long long ignored;
    int i = 0;

    cJSON_ArrayForEach (value, t->values) {
        buf_t why = BUF_INIT;

        if (number && !to_integer(value->valuestring, &ignored))
            dev_invalid_text(&found, DEV_NTH(values, i), value->valuestring,
                             "for 'Gt', 'Lt' operators, the value must be an integer");
        if (dev_name_explain(DEV_NAME_LABEL_VALUE, value->valuestring, &why) > 0)
            dev_invalid_text(&found, DEV_KEY(DEV_NTH(values, i), t->key), value->valuestring,
                             buf_text(&why));
        buf_fini(&why);
        i++;
    }
    if (dev_judge(&found, "", "", "") == 0)
        return 0;
    text = found.message == NULL ? NULL : strstr(found.message, ": ");
    return REFUSE_TERM(p, "%s", text == NULL ? "" : text + 2);
}

static int parse_operator(parser_t *p, term_t *t)
{
    enum token token = p->token;
    int ret;

    switch (token) {
    case T_IN:
    case T_EQUALS:
    case T_EQUALS2:
        t->op = OP_IN;
        break;
    case T_NOT_IN:
    case T_NOT_EQUALS:
        t->op = OP_NOT_IN;
        break;
    case T_GREATER:
    case T_LESS:
        t->op = token == T_GREATER ? OP_GREATER : OP_LESS;
        break;
    default:
        return REFUSE_TERM(p, "found '%s', expected: in, notin, =, ==, !=, gt, lt", p->text);
    }
    advance(p);
    ret = token == T_IN || token == T_NOT_IN ? parse_set(p, t->values) : parse_exact(p, t->values);
    return ret < 0 ? ret : check_values(p, t);
}

static int parse_term(parser_t *p, term_t **out)
{
    host_cleanup(term_destroyp) term_t *t = host_xcalloc(1, sizeof(*t));
    bool negated;
    int ret;

    t->values = cJSON_CreateArray();
    ret = parse_key(p, t, &negated);
    if (ret < 0)
        return ret;
    if (negated)
        t->op = OP_NOT_EXISTS;
    else if (p->token == T_END || p->token == T_COMMA)
        t->op = OP_EXISTS;
    else
        ret = parse_operator(p, t);
    if (ret < 0)
        return ret;
    *out = host_steal(t);
    return 0;
}

static int parse_terms(parser_t *p, term_t **end)
{
    while (p->token != T_END) {
        int ret;

        if (value_token(p) != T_WORD && p->token != T_NOT)
            return REFUSE(p, "found '%s', expected: !, identifier, or 'end of string'", p->text);
        ret = parse_term(p, end);
        if (ret < 0)
            return ret;
        end = &(*end)->next;
        if (p->token == T_END)
            break;
        if (p->token != T_COMMA)
            return REFUSE(p, "found '%s', expected: ',' or 'end of string'", p->text);
        advance(p);
        if (value_token(p) != T_WORD && p->token != T_NOT)
            return REFUSE(p, "found '%s', expected: identifier after ','", p->text);
    }
    return 0;
}

int dev_labels_parse(const char *text, dev_labels_t **out, dev_status_t *st)
{
    dev_labels_t *l = host_xcalloc(1, sizeof(*l));
    parser_t p = {.next = text, .st = st};
    int ret;

    advance(&p);
    ret = parse_terms(&p, &l->first);
    free(p.text);
    if (ret < 0) {
        dev_labels_destroy(l);
        return ret;
    }
    *out = l;
    return 0;
}

void dev_labels_destroy(dev_labels_t *l)
{
    if (l == NULL)
        return;
    for (term_t *t = l->first, *next; t != NULL; t = next) {
        next = t->next;
        term_destroy(t);
    }
    free(l);
}

static bool compares(const term_t *t, const char *text)
{
    long long a, b;

    if (!to_integer(text, &a) || !to_integer(t->values->child->valuestring, &b))
        return false;
    return t->op == OP_GREATER ? a > b : a < b;
}

static bool term_matches(const term_t *t, const cJSON *labels)
{
    const char *value = cJSON_GetStringValue(tree_get(labels, t->key));

    switch (t->op) {
    case OP_IN:
        return value != NULL && tree_has_text(t->values, value);
    case OP_NOT_IN:
        return value == NULL || !tree_has_text(t->values, value);
    case OP_EXISTS:
        return value != NULL;
    case OP_NOT_EXISTS:
        return value == NULL;
    default:
        return value != NULL && compares(t, value);
    }
}

bool dev_labels_match(const dev_labels_t *l, const cJSON *labels)
{
    for (const term_t *t = l->first; t != NULL; t = t->next) {
        if (!term_matches(t, labels))
            return false;
    }
    return true;
}
