/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/sockets.h"

#include "base/clock.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A dead peer is found within 5 + 3 * 2 seconds. */
enum { KEEPALIVE_IDLE = 5, KEEPALIVE_INTERVAL = 2, KEEPALIVE_COUNT = 3 };

/* libcurl 7.88 closes a socket whose connect it gives up without telling. So an entry has a
 * descriptor of its own for the same socket, which nobody else closes or reuses, and is dropped
 * once libcurl's number no longer stands for that socket: when libcurl stops watching the number,
 * at the latest when the next socket is opened. Until then epoll still reports the socket. */
struct entry {
    list_t node;
    int fd;  /* libcurl's */
    int own; /* for the cut */
};

static bool is_same_socket(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Under the lock. */
static void drop(struct entry *e)
{
    list_remove(&e->node);
    close(e->own);
    free(e);
}

/* Under the lock, on the thread that drives libcurl. */
static void drop_given_up(kube_sockets_t *s)
{
    LIST_EACH (&s->list, it, tmp) {
        struct entry *e = LIST_ENTRY(it, struct entry, node);

        if (!is_same_socket(e->fd, e->own))
            drop(e);
    }
}

void kube_sockets_init(kube_sockets_t *s, int64_t user_timeout, bool drop_unsent)
{
    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->list);
    s->drop_unsent = drop_unsent;
    s->user_timeout_ms = (unsigned) HOST_MIN(user_timeout / CLOCK_MS, (int64_t) INT32_MAX);
}

void kube_sockets_fini(kube_sockets_t *s)
{
    drop_given_up(s);
    assert(list_empty(&s->list));
    pthread_mutex_destroy(&s->lock);
}

static void set_options(const kube_sockets_t *s, int fd)
{
    const int on = 1, idle = KEEPALIVE_IDLE, interval = KEEPALIVE_INTERVAL, count = KEEPALIVE_COUNT;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    if (s->user_timeout_ms != 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &s->user_timeout_ms,
                   sizeof(s->user_timeout_ms));
}

static struct entry *find(kube_sockets_t *s, int fd)
{
    LIST_EACH (&s->list, it, tmp) {
        struct entry *e = LIST_ENTRY(it, struct entry, node);

        if (e->fd == fd)
            return e;
    }
    return NULL;
}

/* The number of a socket that was given up may come back at once, and libcurl then believes that it
 * is still watched: the new socket gets a number that is none of those in the list. */
static int renumber(kube_sockets_t *s, int fd)
{
    int highest = fd;

    pthread_mutex_lock(&s->lock);
    bool taken = find(s, fd) != NULL;
    LIST_EACH (&s->list, it, tmp) {
        highest = HOST_MAX(highest, LIST_ENTRY(it, struct entry, node)->fd);
    }
    pthread_mutex_unlock(&s->lock);
    if (!taken)
        return fd;
    int other = fcntl(fd, F_DUPFD_CLOEXEC, highest + 1);
    close(fd);
    return other;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
    kube_sockets_t *s = arg;

    (void) purpose;
    int fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (addr->family == AF_INET || addr->family == AF_INET6)
        set_options(s, fd);
    fd = renumber(s, fd);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    struct entry *e = host_xcalloc(1, sizeof(*e));

    e->fd = fd;
    e->own = own;
    pthread_mutex_lock(&s->lock);
    drop_given_up(s);
    list_append(&s->list, &e->node);
    pthread_mutex_unlock(&s->lock);
    return fd;
}

/* The kernel drops what is queued and sends a reset. Fails only on a socket that is not connected:
 * nothing is queued there. */
static void disconnect(int fd)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};

    (void) connect(fd, &none, sizeof(none));
}

/* True while the peer has not acknowledged every byte: what is lost on the way is sent again, so it
 * counts like what was never sent. An empty queue leaves nothing to drop, and a server that is left
 * in peace gets a plain end, no reset. */
static bool has_unsent(int fd)
{
    int queued = 0;

    return ioctl(fd, SIOCOUTQ, &queued) < 0 || queued > 0;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    kube_sockets_t *s = arg;

    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, fd);
    if (s->drop_unsent && has_unsent(fd))
        disconnect(fd);
    if (e != NULL)
        drop(e);
    int ret = close(fd);
    pthread_mutex_unlock(&s->lock);
    return ret;
}

void kube_sockets_apply(kube_sockets_t *s, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, s);
}

void kube_sockets_unwatched(kube_sockets_t *s, int fd)
{
    pthread_mutex_lock(&s->lock);
    struct entry *e = find(s, fd);
    if (e != NULL && !is_same_socket(fd, e->own))
        drop(e);
    pthread_mutex_unlock(&s->lock);
}

void kube_sockets_cut(kube_sockets_t *s)
{
    pthread_mutex_lock(&s->lock);
    LIST_EACH (&s->list, it, tmp) {
        disconnect(LIST_ENTRY(it, struct entry, node)->own);
    }
    pthread_mutex_unlock(&s->lock);
}
