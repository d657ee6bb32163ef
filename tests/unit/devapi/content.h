/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of devapi's content share: kinds by name, JSON in C strings, expectations. */
#ifndef UNIT_DEVAPI_CONTENT_H
#define UNIT_DEVAPI_CONTENT_H

#include "devapi/kind.h"
#include "devapi/tree.h"
#include "support/expect.h"

/* JSON with ' for ", for texts in C. Caller owns it; ends the test when it is none. */
static inline cJSON *json_of(const char *text)
{
    char *copy = host_xstrdup(text);
    cJSON *json;

    for (char *p = copy; *p != '\0'; p++) {
        if (*p == '\'')
            *p = '"';
    }
    json = cJSON_Parse(copy);
    cr_assert(json != NULL, "no JSON: %s", text);
    free(copy);
    return json;
}

static inline const dev_kind_t *kind_of(const char *group, const char *name)
{
    size_t n;
    const dev_kind_t *kinds = dev_builtin_kinds(&n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(kinds[i].group, group) == 0 && strcmp(kinds[i].kind, name) == 0)
            return &kinds[i];
    }
    cr_assert_fail("no kind %s of group '%s'", name, group);
    return NULL;
}

/* Expects JSON equal to expected (with ' for "); members in any order. */
static inline void expect_json(const cJSON *actual, const char *expected, const char *what)
{
    cJSON *want = json_of(expected);
    char *shown = actual == NULL ? NULL : cJSON_PrintUnformatted(actual);

    cr_expect(actual != NULL && cJSON_Compare(actual, want, true), "%s is\n  %s\nexpected\n  %s",
              what, shown == NULL ? "(null)" : shown, expected);
    free(shown);
    cJSON_Delete(want);
}
#define EXPECT_JSON(actual, expected) expect_json(actual, expected, #actual)

/* All causes as lines "field: message"; caller owns the text. */
static inline char *causes_of(const dev_status_t *st)
{
    buf_t out = BUF_INIT;
    const cJSON *cause;

    buf_puts(&out, "");
    cJSON_ArrayForEach (cause, st->causes)
        buf_printf(&out, "%s%s: %s", out.len == 0 ? "" : "\n", tree_text(cause, "field"),
                   tree_text(cause, "message"));
    return out.data == NULL ? host_xstrdup("") : buf_steal(&out);
}

#define EXPECT_CAUSES(st, expected)                                                                \
    do {                                                                                           \
        char *causes_ = causes_of(st);                                                             \
        EXPECT_STR(causes_, expected);                                                             \
        free(causes_);                                                                             \
    } while (0)

#endif
