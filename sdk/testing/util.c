/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void) fputs("fake host: ", stderr);
    (void) vfprintf(stderr, format, args);
    (void) fputc('\n', stderr);
    va_end(args);
    abort();
}

void *fake_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (p == NULL)
        fake_die("out of memory");
    return p;
}

char *fake_dup(const char *text)
{
    const size_t size = strlen(text) + 1;

    return memcpy(fake_alloc(size), text, size);
}

char *fake_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        fake_die("out of memory");
    va_end(args);
    return text;
}

void fake_push(fake_list_t *list, void *item)
{
    void **items = realloc(list->items, (list->count + 1) * sizeof(*items));

    if (items == NULL)
        fake_die("out of memory");
    list->items = items;
    list->items[list->count++] = item;
}

char *fake_keep(lh_fake_t *f, char *text)
{
    fake_push(&f->strings, text);
    return text;
}

cJSON *fake_parse(const char *json)
{
    char *text = fake_dup(json);

    if (strchr(text, '"') == NULL) {
        for (char *p = text; (p = strchr(p, '\'')) != NULL;)
            *p = '"';
    }
    cJSON *tree = cJSON_Parse(text);
    if (tree == NULL)
        fake_die("this is no JSON: %s", json);
    free(text);
    return tree;
}

lh_fake_t *fake_of(const lh_host_t *host)
{
    return (lh_fake_t *) host;
}
