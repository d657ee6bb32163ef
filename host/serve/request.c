/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/internal.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char) (c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX in place; false for what is no text. */
static bool decode(char *s, bool plus_is_space)
{
    char *to = s;

    for (; *s != '\0'; s++) {
        char c = *s;

        if (c == '%') {
            int high = hex_digit(s[1]);
            int low = high >= 0 ? hex_digit(s[2]) : -1;

            if (low < 0 || (high == 0 && low == 0))
                return false;
            c = (char) (high << 4 | low);
            s += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}

bool serve_request_parse(char *text, serve_request_t *out)
{
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
    return decode(target, false);
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
        if (*name != '\0' && decode(name, true) && decode(*value, true))
            return name;
    }
    return NULL;
}
