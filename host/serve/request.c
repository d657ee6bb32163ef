/* SPDX-License-Identifier: Apache-2.0 */
#include "base/percent.h"
#include "serve/internal.h"

#include <string.h>

bool serve_request_parse(char *text, serve_request_t *out)
{
    out->headers = text + strcspn(text, "\n");
    out->headers += *out->headers != '\0';
    text[strcspn(text, "\r\n")] = '\0';
    out->method = text;
    char *target = strchr(text, ' ');

    if (target == NULL || target == text)
        return false;
    *target++ = '\0';
    char *version = strchr(target, ' ');

    if (version == NULL || strncmp(version + 1, "HTTP/1.", 7) != 0)
        return false;
    *version = '\0';
    out->query = target + strcspn(target, "?");
    if (*out->query != '\0')
        *out->query++ = '\0';
    out->path = target;
    return percent_decode(target, false);
}

char *serve_request_parameter(char **query, char **value)
{
    while (**query != '\0') {
        char *name = *query;

        *query += strcspn(name, "&");
        if (**query != '\0')
            *(*query)++ = '\0';
        *value = name + strcspn(name, "=");
        if (**value != '\0')
            *(*value)++ = '\0';
        if (*name != '\0' && percent_decode(name, true) && percent_decode(*value, true))
            return name;
    }
    return NULL;
}
