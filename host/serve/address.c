/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/internal.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
} address_t;

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

/* Names are not looked up: a listening address is one of this machine's own. An empty host is the
 * wildcard of IPv6, which takes IPv4 as well. */
static bool parse(const char *text, address_t *out)
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

/* -1 with errno. */
static int bind_socket(const address_t *address, bool only_v6)
{
    const int on = 1, v6 = only_v6;
    bool is_v6 = address->any.sa_family == AF_INET6;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6, sizeof(v6)) < 0) ||
        bind(fd, &address->any, is_v6 ? sizeof(address->v6) : sizeof(address->v4)) < 0 ||
        listen(fd, BACKLOG) < 0)
        host_closep(&fd);
    return fd;
}

static const char *advice(int saved_errno)
{
    switch (saved_errno) {
    case EADDRINUSE:
        return "; set health.address (--health) to a free port, or to \"0\" to serve nothing";
    case EADDRNOTAVAIL:
        return "; set health.address to an address of this machine, or to \":PORT\" for all";
    case EACCES:
        return "; set health.address to a port above 1023";
    default:
        return "";
    }
}

int serve_listen(const char *text, int *out, uint16_t *port, lh_error_t *err)
{
    address_t address;
    bool wildcard = text[0] == ':';

    if (!parse(text, &address))
        return host_fail(err, LH_EINVAL,
                         "listen on '%s': not an address; write \"ADDRESS:PORT\", "
                         "\"[IPV6]:PORT\" or \":PORT\"",
                         text);
    int fd = bind_socket(&address, !wildcard);

    if (fd < 0 && wildcard && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        in_port_t same = address.v6.sin6_port; /* a machine without IPv6 */

        address = (address_t){.v4 = {.sin_family = AF_INET, .sin_port = same}};
        fd = bind_socket(&address, false);
    }
    if (fd < 0) {
        int saved = errno;

        return host_fail(err, saved == EACCES ? LH_EPERM : LH_EIO, "listen on '%s': %s%s", text,
                         strerror(saved), advice(saved));
    }
    socklen_t len = sizeof(address);

    getsockname(fd, &address.any, &len);
    *port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    *out = fd;
    return 0;
}
