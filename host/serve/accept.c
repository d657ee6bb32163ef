/* SPDX-License-Identifier: Apache-2.0 */
/* What a scraper wants to read: RFC 9110, 12.5.1. */
#include "serve/internal.h"

#include <string.h>
#include <strings.h>

/* How much a media range is wanted, in thousandths; each -1 while it was not named. */
typedef struct wishes {
    int openmetrics, text, rest;
} wishes_t;

static const char *skip_space(const char *s, const char *end)
{
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    return s;
}

static bool is_word(const char *s, const char *end, const char *word)
{
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return strlen(word) == (size_t) (end - s) && strncasecmp(s, word, (size_t) (end - s)) == 0;
}

/* "0.75" is 750; what is no weight counts as 1. */
static int read_weight(const char *s, const char *end)
{
    int weight = 0, scale = 1000;

    if (s == end || (*s != '0' && *s != '1'))
        return 1000;
    weight = (*s++ - '0') * scale;
    for (s += s < end && *s == '.'; s < end && *s >= '0' && *s <= '9' && scale > 1; s++) {
        scale /= 10;
        weight += (*s - '0') * scale;
    }
    return HOST_MIN(weight, 1000);
}

/* Reads one range of the list, "type/subtype;name=value;q=0.5". */
static void take_range(wishes_t *w, const char *s, const char *end)
{
    const char *semicolon = memchr(s, ';', (size_t) (end - s));
    const char *type_end = semicolon != NULL ? semicolon : end;
    int weight = 1000;
    bool known = true; /* the version */

    for (const char *p = semicolon, *next; p != NULL; p = next) {
        p = skip_space(p + 1, end);
        next = memchr(p, ';', (size_t) (end - p));
        const char *stop = next != NULL ? next : end;

        if (stop - p > 2 && strncasecmp(p, "q=", 2) == 0)
            weight = read_weight(p + 2, stop);
        else if (stop - p > 8 && strncasecmp(p, "version=", 8) == 0)
            known = is_word(p + 8, stop, "1.0.0") || is_word(p + 8, stop, "\"1.0.0\"");
    }
    if (is_word(s, type_end, "application/openmetrics-text") && known)
        w->openmetrics = HOST_MAX(w->openmetrics, weight);
    else if (is_word(s, type_end, "text/plain"))
        w->text = HOST_MAX(w->text, weight);
    else if (is_word(s, type_end, "text/*") || is_word(s, type_end, "*/*"))
        w->rest = HOST_MAX(w->rest, weight);
}

bool serve_prefers_openmetrics(const char *headers)
{
    static const char name[] = "Accept:";
    wishes_t w = {-1, -1, -1};

    for (const char *line = headers; *line != '\0'; line += strspn(line, "\r\n")) {
        const char *line_end = line + strcspn(line, "\r\n");

        if (strncasecmp(line, name, sizeof(name) - 1) == 0) {
            for (const char *s = line + sizeof(name) - 1, *end; s < line_end; s = end + 1) {
                const char *comma = memchr(s, ',', (size_t) (line_end - s));

                end = comma != NULL ? comma : line_end;
                take_range(&w, skip_space(s, end), end);
            }
        }
        line = line_end;
    }
    /* A wildcard asks for nothing in particular: it is the text that everybody reads. */
    return w.openmetrics > 0 && w.openmetrics >= (w.text >= 0 ? w.text : w.rest);
}
