/* SPDX-License-Identifier: Apache-2.0 */
/* The jsonPath of a column, as client-go's package jsonpath reads it. Understood are fields (".a", ".*",
 * "['a']"; in both a dot of the name is escaped, "a\.b"), elements ("[1]", "[-1]", "[*]") and those whose
 * field has a value ("[?(@.a=="b")]", "!=") or is there ("[?(@.a)]"). */
#include "devapi/core_impl.h"
#include "devapi/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct search {
    const cJSON *first;
    size_t found;
    bool failed; /* the real server shows nothing then, whatever was found before */
} search_t;

static void walk(const char *p, const char *end, const cJSON *node, search_t *s);

/* Goes on from every member or element. */
static void walk_all(const char *p, const char *end, const cJSON *node, search_t *s)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, node)
        walk(p, end, item, s);
}

/* Behind ".". */
static void walk_field(const char *p, const char *end, const cJSON *node, search_t *s)
{
    host_cleanup(buf_fini) buf_t key = BUF_INIT;

    for (; p < end && strchr(" \t\r\n.,[]$@{}", *p) == NULL; p++) {
        p += *p == '\\' && p + 1 < end;
        buf_append(&key, p, 1);
    }
    if (strcmp(buf_text(&key), "*") == 0) {
        walk_all(p, end, node, s);
        return;
    }
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(node, buf_text(&key));
    if (member != NULL)
        walk(p, end, member, s);
}

/* Behind "[", up to "]"; an index behind the end is a failure there, not a gap. */
static void walk_nth(const char *p, const char *close, const char *end, const cJSON *list,
                     search_t *s)
{
    char *stop;
    const int size = cJSON_GetArraySize(list);
    long n = strtol(p, &stop, 10);

    n += n < 0 ? size : 0;
    if (stop == p || stop != close || n < 0 || n >= size)
        s->failed = true;
    else
        walk(close + 1, end, cJSON_GetArrayItem(list, (int) n), s);
}

/* Behind "[". */
static void walk_brackets(const char *p, const char *end, const cJSON *node, search_t *s)
{
    const char *close = memchr(p, ']', (size_t) (end - p));

    if (close == NULL) {
        s->failed = true;
    } else if (close - p >= 2 && *p == '\'' && close[-1] == '\'') {
        host_cleanup(host_freep) char *rest = host_xprintf(
            ".%.*s%.*s", (int) (close - p - 2), p + 1, (int) (end - close - 1), close + 1);

        walk(rest, rest + strlen(rest), node, s);
    } else if (cJSON_IsNull(node)) {
        return;
    } else if (!cJSON_IsArray(node)) {
        s->failed = true;
    } else if (close - p == 1 && *p == '*') {
        walk_all(close + 1, end, node, s);
    } else {
        walk_nth(p, close, end, node, s);
    }
}

/* -- Filters -- */

/* The ")]" of a filter, but not one in quotes; NULL: there is none. */
static const char *filter_end(const char *p, const char *end)
{
    char quote = '\0';

    for (; p < end; p++) {
        if (quote != '\0')
            quote = *p == quote && p[-1] != '\\' ? '\0' : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == ')')
            return p + 1 < end && p[1] == ']' ? p : NULL;
    }
    return NULL;
}

/* What a filter compares with: a text in either quotes, a number, true or false. NULL: it is none. */
static cJSON *literal(const char *p, const char *end)
{
    while (p < end && *p == ' ')
        p++;
    while (p < end && end[-1] == ' ')
        end--;
    if (end - p < 2 || *p != '\'')
        return cJSON_ParseWithLength(p, (size_t) (end - p));
    host_cleanup(host_freep) char *text = host_xprintf("%.*s", (int) (end - p - 2), p + 1);
    return cJSON_CreateString(text);
}

/* Values of two types cannot be compared: a failure. */
static bool equal(const cJSON *a, const cJSON *b, search_t *s)
{
    const char *x = cJSON_GetStringValue(a), *y = cJSON_GetStringValue(b);

    if (x != NULL && y != NULL)
        return strcmp(x, y) == 0;
    if (cJSON_IsNumber(a) && cJSON_IsNumber(b))
        return tree_same(a, b);
    if (cJSON_IsBool(a) && cJSON_IsBool(b))
        return cJSON_IsTrue(a) == cJSON_IsTrue(b);
    s->failed = true;
    return false;
}

/* That what p leads to from an element is there (no operator) or compares so with wanted. */
static bool passes(const char *p, const char *op, const cJSON *element, const cJSON *wanted,
                   search_t *s)
{
    search_t left = {0};

    walk(p, op, element, &left);
    if (*op == ')')
        return left.found > 0 || left.failed; /* so does the real one */
    s->failed = s->failed || left.failed || left.found > 1;
    return left.found == 1 && equal(left.first, wanted, s) == (*op == '=');
}

/* Behind "[?(". */
static void walk_filter(const char *p, const char *end, const cJSON *node, search_t *s)
{
    const char *close = filter_end(p, end);
    const char *op = close == NULL ? NULL : p + strcspn(p, "!<>=)");
    const cJSON *element;
    cJSON *wanted = NULL;

    if (op != NULL && op < close && (*op == '=' || *op == '!') && op[1] == '=')
        wanted = literal(op + 2, close);
    if (op == NULL || (op != close && wanted == NULL) || !cJSON_IsArray(node))
        s->failed = true;
    else
        cJSON_ArrayForEach (element, node) {
            if (passes(p, op, element, wanted, s))
                walk(close + 2, end, element, s);
        }
    cJSON_Delete(wanted);
}

/* -- The whole -- */

/* Goes from node by the path from p up to end. Each "[" and "." leads a level down, so the depth of the
 * object limits that of the calls. */
static void walk(const char *p, const char *end, const cJSON *node, search_t *s)
{
    static const char filter[] = "[?(";

    while (p < end && strchr(" @$", *p) != NULL)
        p++;
    if (p == end)
        s->first = s->found++ == 0 ? node : s->first;
    else if (*p == '.')
        walk_field(p + 1, end, node, s);
    else if (strncmp(p, filter, sizeof(filter) - 1) == 0)
        walk_filter(p + sizeof(filter) - 1, end, node, s);
    else if (*p == '[')
        walk_brackets(p + 1, end, node, s);
    else
        s->failed = true;
}

const cJSON *table_path(const cJSON *object, const char *path)
{
    search_t s = {0};

    walk(path, path + strlen(path), object, &s);
    return s.failed ? NULL : s.first;
}
