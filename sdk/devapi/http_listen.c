/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/http_listen.h"

#include "base/clock.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESUME_DELAY (100 * CLOCK_MS)

struct http_listener {
    int fd;
    uint16_t port;
    struct event *readable;
    loop_timer_t resume; /* accepting goes on then */
    void (*client)(void *arg, int fd);
    void *arg;
};

typedef union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} address_t;

static bool parse_address(const char *text, uint16_t port, address_t *out, socklen_t *len)
{
    *out = (address_t){.six = {0}};
    if (inet_pton(AF_INET, text, &out->four.sin_addr) == 1) {
        out->four.sin_family = AF_INET;
        out->four.sin_port = htons(port);
        *len = sizeof(out->four);
        return true;
    }
    out->six.sin6_family = AF_INET6;
    out->six.sin6_port = htons(port);
    *len = sizeof(out->six);
    return inet_pton(AF_INET6, text, &out->six.sin6_addr) == 1;
}

static int open_socket(const char *text, uint16_t port, int *out, uint16_t *real, lh_error_t *err)
{
    static const int on = 1;
    address_t at;
    socklen_t len;

    if (!parse_address(text, port, &at, &len))
        return host_fail(err, LH_EINVAL, "'%s' is not a numeric address", text);
    host_cleanup(host_closep) int fd =
        socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, &at.any, len) < 0 || listen(fd, 512) < 0 ||
        getsockname(fd, &at.any, &len) < 0)
        return host_fail(err, LH_EIO, "listen on '%s', port %u: %s%s", text, port, strerror(errno),
                         errno == EADDRINUSE ? "; port 0 takes a free one" : "");
    *real = ntohs(at.any.sa_family == AF_INET6 ? at.six.sin6_port : at.four.sin_port);
    *out = fd;
    fd = -1;
    return 0;
}

/* Finds peers that are gone without a word, and sends small frames at once. */
static void tune(int fd)
{
    static const int on = 1, idle = 30, interval = 10, count = 3;

    (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void) setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void on_readable(evutil_socket_t listening, short what, void *arg)
{
    http_listener_t *l = arg;
    const int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void) what;
    if (fd >= 0) {
        tune(fd);
        l->client(l->arg, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        event_del(l->readable); /* the client stays in the queue, and would wake us for ever */
        loop_timer_set(&l->resume, clock_now() + RESUME_DELAY);
    }
}

static void on_resume(loop_timer_t *t)
{
    event_add(HOST_CONTAINER(t, http_listener_t, resume)->readable, NULL);
}

int http_listen(loop_t *loop, const char *address, uint16_t port, void (*client)(void *arg, int fd),
                void *arg, http_listener_t **out, lh_error_t *err)
{
    http_listener_t *l = host_xcalloc(1, sizeof(*l));

    l->fd = -1;
    l->client = client;
    l->arg = arg;
    loop_timer_init(&l->resume, loop, on_resume);
    int ret = open_socket(address, port, &l->fd, &l->port, err);
    if (ret == 0) {
        l->readable = event_new(loop_base(loop), l->fd, EV_READ | EV_PERSIST, on_readable, l);
        if (l->readable == NULL || event_add(l->readable, NULL) < 0)
            ret = host_fail(err, LH_ENOMEM, "listen on '%s': out of memory", address);
    }
    if (ret < 0) {
        http_listener_destroy(l);
        return ret;
    }
    *out = l;
    return 0;
}

void http_listener_destroy(http_listener_t *l)
{
    if (l == NULL)
        return;
    loop_timer_clear(&l->resume);
    if (l->readable != NULL)
        event_free(l->readable);
    host_closep(&l->fd);
    free(l);
}

uint16_t http_listener_port(const http_listener_t *l)
{
    return l->port;
}
