/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/internal.h"

#include "base/address.h"
#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

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

/* What is wrong with the address itself is not cured by a restart. */
static int code_of(int saved_errno)
{
    switch (saved_errno) {
    case EADDRNOTAVAIL:
        return LH_EINVAL;
    case EACCES:
        return LH_EPERM;
    default:
        return LH_EIO;
    }
}

int serve_listen(const char *text, int *out, uint16_t *port, lh_error_t *err)
{
    address_t address;
    bool wildcard = text[0] == ':';

    if (!address_parse(text, &address))
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

        return host_fail(err, code_of(saved), "listen on '%s': %s%s", text, strerror(saved),
                         advice(saved));
    }
    socklen_t len = sizeof(address);

    getsockname(fd, &address.any, &len);
    *port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    *out = fd;
    return 0;
}
