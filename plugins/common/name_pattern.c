/* SPDX-License-Identifier: Apache-2.0 */
#include "name_pattern.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 500, DEEPEST = 32 };

/* glibc writes repeats out ("a{9}" nine times, "a+" as "aa*"), those inside of others as often as the
 * product, and follows back-references by trying everything. */
typedef struct scan {
    const char *p;
    unsigned depth;
    int refused;
} scan_t;

static size_t bounded(scan_t *s, size_t cost)
{
    s->refused |= cost > MOST;
    return s->refused ? MOST : cost;
}

/* Behind the ']' that ends the bracket expression at p; a ']' at its begin is a member. */
static const char *skip_brackets(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']';
    while (*p != '\0' && *p != ']') {
        const char kind = *p == '[' && p[1] != '\0' && strchr(":.=", p[1]) != NULL ? p[1] : '\0';

        p += kind != '\0' ? 2 : 1;
        while (kind != '\0' && *p != '\0' && !(p[0] == kind && p[1] == ']'))
            p++;
        p += kind != '\0' && *p != '\0' ? 2 : 0;
    }
    return p + (*p == ']');
}

/* The greatest number in the braces at p, which moves behind them. */
static size_t take_repeats(scan_t *s)
{
    size_t most = 1;

    for (s->p++; *s->p != '\0' && *s->p != '}'; s->p++) {
        size_t n = strtoul(s->p, NULL, 10);

        if (*s->p >= '0' && *s->p <= '9' && n > most)
            most = bounded(s, n);
    }
    s->p += *s->p == '}';
    return most;
}

static size_t cost_of(scan_t *s);

/* One character, class or group, without what repeats it. */
static size_t take_atom(scan_t *s)
{
    size_t cost = 1;

    if (*s->p == '[') {
        s->p = skip_brackets(s->p);
    } else if (*s->p == '(') {
        s->p++;
        if (++s->depth > DEEPEST)
            s->refused = 1;
        else
            cost += cost_of(s);
        s->depth--;
        s->p += *s->p == ')';
    } else if (*s->p == '\\' && s->p[1] != '\0') {
        s->refused |= s->p[1] >= '1' && s->p[1] <= '9';
        s->p += 2;
    } else {
        s->p++;
    }
    return cost;
}

/* Of everything up to the end of the group. */
static size_t cost_of(scan_t *s)
{
    size_t sum = 0;

    while (!s->refused && *s->p != '\0' && *s->p != ')') {
        size_t cost = take_atom(s);

        while (!s->refused && *s->p != '\0' && strchr("*+?{", *s->p) != NULL) {
            const size_t times = *s->p == '{' ? take_repeats(s) : *s->p++ == '+' ? 2 : 1;

            cost = bounded(s, cost * times);
        }
        sum = bounded(s, sum + cost);
    }
    return sum;
}

/* A ')' without its '(' ends nothing. */
static int is_cheap(const char *pattern)
{
    scan_t s = {pattern, 0, 0};
    size_t sum = 0;

    s.refused = strlen(pattern) > MOST;
    while (!s.refused && *s.p != '\0') {
        sum = bounded(&s, sum + 1 + cost_of(&s));
        s.p += *s.p == ')';
    }
    return !s.refused;
}

int name_pattern_matches(const char *pattern, const char *name, lh_error_t *err)
{
    char whole[MOST + 8];
    regex_t regex;

    if (!is_cheap(pattern))
        return lh_errorf(
            err, LH_ETOOBIG,
            "'%.128s' costs too much: no back-references, groups nested at most %d deep, "
            "at most %d characters with all repeats written out",
            pattern, DEEPEST, MOST);
    (void) snprintf(whole, sizeof(whole), "^(%s)$", pattern);
    if (regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB) != 0)
        return lh_errorf(err, LH_EINVAL, "'%.128s' is no regular expression", pattern);
    const int found = regexec(&regex, name, 0, NULL, 0) == 0;

    regfree(&regex);
    return found;
}
