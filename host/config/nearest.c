/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool same(char a, char b)
{
    return tolower((unsigned char) a) == tolower((unsigned char) b);
}

/* Levenshtein's distance, with two swapped neighbours counted as one change. */
static size_t distance(const char *a, const char *b)
{
    const size_t len = strlen(b);
    size_t rows[3][NEAREST_MAX] = {0};
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= len; j++) {
        last[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            const size_t change = last[j - 1] + !same(a[i - 1], b[j - 1]);
            const size_t gap = HOST_MIN(last[j], row[j - 1]) + 1;

            row[j] = HOST_MIN(change, gap);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                row[j] = HOST_MIN(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;

        before = last;
        last = row;
        row = oldest;
    }
    return last[len];
}

void config_nearest_offer(nearest_t *n, const char *known, const char *by)
{
    if (strlen(n->typed) >= NEAREST_MAX || strlen(known) >= NEAREST_MAX)
        return;
    const size_t d = distance(n->typed, by), allowed = HOST_MAX(strlen(by) / 3, (size_t) 1);

    if (d <= allowed && (n->best[0] == '\0' || d < n->distance)) {
        snprintf(n->best, sizeof(n->best), "%s", known);
        n->distance = d;
    }
}

const char *config_nearest_text(const nearest_t *n, char *out, size_t size)
{
    out[0] = '\0';
    if (n->best[0] != '\0')
        snprintf(out, size, "; did you mean '%s'?", n->best);
    return out;
}
