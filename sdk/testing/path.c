/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the API taken apart: /apis/GROUP/VERSION[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]] */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 8 };

void fake_path_free(fake_path_t *path)
{
    free(path->api);
    free(path->ns);
    free(path->resource);
    free(path->name);
    free(path->sub);
    *path = (fake_path_t){0};
}

/* Cuts the text at its slashes, and off at the query. Returns the number of parts. */
static size_t split(char *text, char *parts[PARTS_MAX])
{
    size_t count = 0;

    text[strcspn(text, "?")] = '\0';
    while (*text == '/' && count < PARTS_MAX) {
        *text++ = '\0';
        parts[count++] = text;
        text += strcspn(text, "/");
    }
    return count;
}

bool fake_path_parse(const char *text, fake_path_t *out)
{
    char *copy = fake_dup(text), *parts[PARTS_MAX] = {0};
    const size_t count = split(copy, parts);
    const bool core = count > 0 && strcmp(parts[0], "api") == 0;
    size_t at = core ? 2 : 3;

    if (at >= count || (!core && strcmp(parts[0], "apis") != 0)) {
        free(copy);
        return false;
    }
    *out = (fake_path_t){0};
    out->api =
        core ? fake_printf("/api/%s", parts[1]) : fake_printf("/apis/%s/%s", parts[1], parts[2]);
    /* .../namespaces/NS/status is a subresource, .../namespaces/NS/pods is not */
    if (strcmp(parts[at], "namespaces") == 0 && count > at + 2 &&
        strcmp(parts[at + 2], "status") != 0 && strcmp(parts[at + 2], "finalize") != 0) {
        out->ns = fake_dup(parts[at + 1]);
        at += 2;
    }
    if (out->ns == NULL)
        out->ns = fake_dup("");
    out->resource = fake_dup(parts[at]);
    out->name = fake_dup(at + 1 < count ? parts[at + 1] : "");
    out->sub = fake_dup(at + 2 < count ? parts[at + 2] : "");
    free(copy);
    return true;
}

char *fake_path_text(const fake_path_t *path, const char *name)
{
    return fake_printf("%s%s%s/%s%s%s", path->api, path->ns[0] != '\0' ? "/namespaces/" : "",
                       path->ns, path->resource, name[0] != '\0' ? "/" : "", name);
}

bool fake_path_within(const fake_path_t *object, const fake_path_t *collection)
{
    return strcmp(object->api, collection->api) == 0 &&
           strcmp(object->resource, collection->resource) == 0 &&
           (collection->ns[0] == '\0' || strcmp(object->ns, collection->ns) == 0);
}

char *fake_path_query(const char *path, const char *name)
{
    const char *p = strchr(path, '?');
    const size_t len = strlen(name);

    while (p != NULL && (strncmp(p + 1, name, len) != 0 || p[1 + len] != '='))
        p = strchr(p + 1, '&');
    if (p == NULL)
        return NULL;
    char *out = fake_dup(p + 1 + len + 1), *to = out;
    out[strcspn(out, "&")] = '\0';
    for (const char *from = out; *from != '\0'; to++) {
        char code[3] = "";
        if (*from == '%' && from[1] != '\0' && from[2] != '\0') {
            (void) memcpy(code, from + 1, 2);
            *to = (char) strtol(code, NULL, 16);
            from += 3;
        } else {
            *to = *from == '+' ? ' ' : *from;
            from++;
        }
    }
    *to = '\0';
    return out;
}
