/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label selectors in the form of list requests and kubectl: "app=web,tier in (a,b),!old,n>3".
 *
 *   if (lh_selector_matches("app=web,!old", pod, err) == 1)
 *       ...
 */
#ifndef LEASEHOLD_SELECTOR_H
#define LEASEHOLD_SELECTOR_H

#include <leasehold/json_write.h>
#include <leasehold/labels.h>

#define LH_SELECTOR_ENDS_ "=!(),>< \t\r\n" /* what a word ends at */

/* A selector that is being read, and the object that it is held against. */
typedef struct lh_selector_ {
    const char *p;
    lh_json_t object;
    int has, hit;              /* the object has the label; its value is one of those named */
    char value[LH_LABEL_SIZE]; /* of that label */
    const char *expected;      /* set by what went wrong */
} lh_selector_t_;

/* Moves behind a word and white space; its length, 0 when there is none. [any-thread] */
static inline size_t lh_selector_word_(lh_selector_t_ *s, const char **word)
{
    *word = s->p;
    s->p += strcspn(s->p, LH_SELECTOR_ENDS_);
    const size_t len = (size_t) (s->p - *word);
    s->p += strspn(s->p, " \t\r\n");
    return len;
}

/* 1 when the text goes on with this mark, which is then behind. [any-thread] */
static inline int lh_selector_mark_(lh_selector_t_ *s, const char *mark)
{
    if (strncmp(s->p, mark, strlen(mark)) != 0)
        return 0;
    s->p += strlen(mark);
    s->p += strspn(s->p, " \t\r\n");
    return 1;
}

/* [!]key; looks the label up. [any-thread] */
static inline int lh_selector_key_(lh_selector_t_ *s, int *negated)
{
    char key[318];
    const char *word;
    size_t len;

    *negated = lh_selector_mark_(s, "!");
    len = lh_selector_word_(s, &word);
    if (len >= sizeof(key) || !lh_label_is_key_(word, len)) {
        s->expected = "the key of a label";
        return LH_EPARSE;
    }
    memcpy(key, word, len);
    key[len] = '\0';
    const int ret = lh_label(s->object, key, s->value, sizeof(s->value));
    s->has = ret != LH_ENOTFOUND;
    if (ret < 0)
        s->value[0] = '\0';
    s->hit = 0;
    return 0;
}

/* A value, which may be empty. [any-thread] */
static inline int lh_selector_value_(lh_selector_t_ *s)
{
    const char *word;
    const size_t len = lh_selector_word_(s, &word);

    if (!lh_label_is_word_(word, len, LH_LABEL_SIZE - 1, "-_.")) {
        s->expected = "the value of a label";
        return LH_EPARSE;
    }
    if (strlen(s->value) == len && memcmp(word, s->value, len) == 0)
        s->hit = 1;
    return 0;
}

/* "(a,b)". [any-thread] */
static inline int lh_selector_set_(lh_selector_t_ *s)
{
    int more = lh_selector_mark_(s, "("), ret = 0;

    s->expected = more ? NULL : "'('";
    while (ret == 0 && more) {
        ret = lh_selector_value_(s);
        more = ret == 0 && lh_selector_mark_(s, ",");
    }
    if (ret == 0 && s->expected == NULL && !lh_selector_mark_(s, ")"))
        s->expected = "',' or ')'";
    return s->expected != NULL ? LH_EPARSE : ret;
}

/* 1 and the number when the text is one of at most 18 digits, else 0. [any-thread] */
static inline int lh_selector_number_(const char *text, size_t len, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < len && len <= 18; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        *out = *out * 10 + (text[i] - '0');
    }
    return len > 0 && len <= 18;
}

/* "> 3"; greater: 1 or 0. Sets hit. [any-thread] */
static inline int lh_selector_compare_(lh_selector_t_ *s, int greater)
{
    const char *word;
    const size_t len = lh_selector_word_(s, &word);
    int64_t limit = 0, value = 0;

    if (!lh_selector_number_(word, len, &limit)) {
        s->expected = "a whole number";
        return LH_EPARSE;
    }
    s->hit = lh_selector_number_(s->value, strlen(s->value), &value) &&
             (greater ? value > limit : value < limit);
    return 0;
}

/* What stands behind a key; *holds: whether it is so. [any-thread] */
static inline int lh_selector_operator_(lh_selector_t_ *s, int *holds)
{
    const char *word;
    int ret, negated = lh_selector_mark_(s, "!=");

    if (*s->p == '>' || *s->p == '<') {
        const int greater = lh_selector_mark_(s, ">");
        (void) lh_selector_mark_(s, "<");
        ret = lh_selector_compare_(s, greater);
    } else if (negated || lh_selector_mark_(s, "==") || lh_selector_mark_(s, "=")) {
        ret = lh_selector_value_(s);
    } else {
        const size_t len = lh_selector_word_(s, &word);
        negated = len == 5 && memcmp(word, "notin", 5) == 0;
        if (!negated && (len != 2 || memcmp(word, "in", 2) != 0)) {
            s->expected = "in, notin, =, ==, !=, < or >";
            return LH_EPARSE;
        }
        ret = lh_selector_set_(s);
    }
    *holds = negated ? !s->has || !s->hit : s->has && s->hit;
    return ret;
}

/* One requirement. [any-thread] */
static inline int lh_selector_term_(lh_selector_t_ *s, int *holds)
{
    int negated, ret = lh_selector_key_(s, &negated);

    if (ret < 0)
        return ret;
    *holds = negated ? !s->has : s->has;
    return negated || *s->p == ',' || *s->p == '\0' ? 0 : lh_selector_operator_(s, holds);
}

/* 1 when the object's labels match, 0 when they do not; the empty selector matches all. LH_EPARSE: it
 * is no selector, with what is wrong in err. [any-thread] */
static inline int lh_selector_matches(const char *selector, lh_json_t object, lh_error_t *err)
{
    lh_selector_t_ s = {selector + strspn(selector, " \t\r\n"), object, 0, 0, "", NULL};
    int matches = 1, holds = 1, ret = 0;

    while (ret == 0 && *s.p != '\0') {
        ret = lh_selector_term_(&s, &holds);
        matches = matches && holds;
        if (ret == 0 && *s.p != '\0' && (!lh_selector_mark_(&s, ",") || *s.p == '\0')) {
            s.expected = *s.p == '\0' ? "a key" : "','";
            ret = LH_EPARSE;
        }
    }
    if (ret < 0)
        return lh_errorf(err, ret, "selector '%.128s': expected %s at byte %d", selector,
                         s.expected, (int) (s.p - selector));
    return matches;
}

#endif
