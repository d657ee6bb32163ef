/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of the server's tests: plain blocking sockets, so that every byte is chosen. */
#ifndef UNIT_SERVE_CLIENT_H
#define UNIT_SERVE_CLIENT_H

#include "support/expect.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int client_connect_fd(int fd, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (struct sockaddr *) &address, sizeof(address));
}

static inline int client_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(fd >= 0 && client_connect_fd(fd, port) == 0, "connect: %s", strerror(errno));
    return fd;
}

static inline void client_send(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);

    cr_assert(n == (ssize_t) strlen(text), "send: %zd, %s", n, strerror(errno));
}

/* True when something can be read from fd, or its end, within ms. */
static inline bool client_wait(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) == 1;
}

/* Reads to the end, at most 10 s; closes fd. Caller owns the result. */
static inline char *client_read(int fd)
{
    buf_t out = BUF_INIT;
    char data[4096];
    ssize_t n = -1;

    while (client_wait(fd, 10000) && (n = recv(fd, data, sizeof(data), 0)) > 0)
        buf_append(&out, data, (size_t) n);
    cr_expect(n == 0, "the answer ended with %zd, %s", n, strerror(errno));
    close(fd);
    return buf_steal(&out);
}

/* The whole answer to one request as it is on the wire. Caller owns the result. */
static inline char *client_talk(uint16_t port, const char *request)
{
    int fd = client_connect(port);

    client_send(fd, request);
    return client_read(fd);
}

#endif
