/* SPDX-License-Identifier: Apache-2.0 */
#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

static bool parse_port(const char *s, uint16_t *out)
{
    unsigned port = 0;
    size_t len = strlen(s);

    if (len == 0 || len > 5 || strspn(s, "0123456789") != len)
        return false;
    for (; *s != '\0'; s++)
        port = port * 10 + (unsigned) (*s - '0');
    *out = htons((uint16_t) port);
    return port <= UINT16_MAX;
}

bool address_parse(const char *text, address_t *out)
{
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN];
    size_t len = colon != NULL ? (size_t) (colon - text) : 0;
    bool brackets = len >= 2 && text[0] == '[' && colon[-1] == ']';

    *out = (address_t){0};
    if (colon == NULL)
        return false;
    if (len == 0) {
        out->v6.sin6_family = AF_INET6;
        return parse_port(colon + 1, &out->v6.sin6_port);
    }
    if (brackets) {
        text++;
        len -= 2;
    }
    if (len >= sizeof(host))
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (brackets) {
        out->v6.sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 &&
               parse_port(colon + 1, &out->v6.sin6_port);
    }
    out->v4.sin_family = AF_INET;
    return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 &&
           parse_port(colon + 1, &out->v4.sin_port);
}
