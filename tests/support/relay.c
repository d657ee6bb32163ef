/* SPDX-License-Identifier: Apache-2.0 */
#include "support/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS_MAX = 256 };

typedef struct pair {
    int fd[2]; /* the program's side, the server's */
} pair_t;

struct relay {
    struct addrinfo *server;
    int port, wake[2];
    pthread_t thread;
    pthread_mutex_t lock; /* state, reached, ended */
    pthread_cond_t changed;
    enum relay_state state, reached;
    bool ended;
    /* of the thread */
    int listener;
    pair_t pairs[PAIRS_MAX];
    size_t count;
    struct pollfd fds[2 + 2 * PAIRS_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* -- The thread -- */

/* The port is bound all the time; away means that nobody listens on it. */
static void listen_on(relay_t *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t) r->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    const int one = 1;

    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(r->listener, (struct sockaddr *) &at, sizeof(at)) < 0)
        die("bind");
    getsockname(r->listener, (struct sockaddr *) &at, &len);
    r->port = ntohs(at.sin_port);
}

static void close_pair(relay_t *r, size_t i)
{
    const struct linger reset = {1, 0};

    setsockopt(r->pairs[i].fd[0], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(r->pairs[i].fd[0]);
    close(r->pairs[i].fd[1]);
    r->pairs[i] = r->pairs[--r->count];
}

static void go_away(relay_t *r)
{
    close(r->listener);
    while (r->count > 0)
        close_pair(r, 0);
    listen_on(r);
}

static void reach(relay_t *r, enum relay_state wanted)
{
    if (wanted == RELAY_AWAY && r->reached != RELAY_AWAY)
        go_away(r);
    else if (wanted != RELAY_AWAY && r->reached == RELAY_AWAY && listen(r->listener, 64) < 0)
        die("listen");
    pthread_mutex_lock(&r->lock);
    r->reached = wanted;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void take_connection(relay_t *r)
{
    const int one = 1;
    pair_t p = {{accept4(r->listener, NULL, NULL, SOCK_CLOEXEC), -1}};

    if (p.fd[0] < 0)
        return;
    p.fd[1] = socket(r->server->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->count == PAIRS_MAX || connect(p.fd[1], r->server->ai_addr, r->server->ai_addrlen) < 0) {
        close(p.fd[0]);
        close(p.fd[1]);
        return;
    }
    setsockopt(p.fd[0], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(p.fd[1], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    r->pairs[r->count++] = p;
}

static bool carry(int from, int to)
{
    char bytes[65536];
    const ssize_t n = read(from, bytes, sizeof(bytes));

    for (ssize_t done = 0; done < n;) {
        const ssize_t sent = send(to, bytes + done, (size_t) (n - done), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        done += sent;
    }
    return n > 0;
}

static bool turn(relay_t *r)
{
    struct pollfd *fds = r->fds;
    const size_t pairs = r->reached == RELAY_OPEN ? r->count : 0;
    char drop[16];

    fds[0] = (struct pollfd){.fd = r->wake[0], .events = POLLIN};
    fds[1] = (struct pollfd){.fd = r->reached != RELAY_AWAY ? r->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < 2 * pairs; i++)
        fds[2 + i] = (struct pollfd){.fd = r->pairs[i / 2].fd[i % 2], .events = POLLIN};
    poll(fds, 2 + 2 * pairs, -1);
    for (size_t i = pairs; i-- > 0;) {
        bool alive = true;
        for (size_t side = 0; side < 2 && alive; side++) {
            if (fds[2 + 2 * i + side].revents != 0)
                alive = carry(r->pairs[i].fd[side], r->pairs[i].fd[1 - side]);
        }
        if (!alive)
            close_pair(r, i);
    }
    if (fds[1].revents != 0)
        take_connection(r);
    if (fds[0].revents != 0 && read(r->wake[0], drop, sizeof(drop)) < 0)
        die("pipe");
    pthread_mutex_lock(&r->lock);
    const enum relay_state wanted = r->state;
    const bool ended = r->ended;
    pthread_mutex_unlock(&r->lock);
    if (wanted != r->reached)
        reach(r, wanted);
    return !ended;
}

static void *relay_main(void *arg)
{
    relay_t *r = arg;

    while (turn(r))
        ;
    while (r->count > 0)
        close_pair(r, 0);
    close(r->listener);
    return NULL;
}

/* -- The owner -- */

relay_t *relay_open(const char *server, enum relay_state state)
{
    relay_t *r = calloc(1, sizeof(*r));
    const char *host = strstr(server, "://") != NULL ? strstr(server, "://") + 3 : server;
    const char *colon = strrchr(host, ':');
    char name[256], port[8];

    snprintf(name, sizeof(name), "%.*s",
             (int) (colon != NULL ? (size_t) (colon - host) : strcspn(host, "/")), host);
    snprintf(port, sizeof(port), "%.*s", colon != NULL ? (int) strcspn(colon + 1, "/") : 3,
             colon != NULL ? colon + 1 : "443");
    if (getaddrinfo(name, port, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &r->server) != 0 ||
        pipe(r->wake) < 0)
        die(server);
    listen_on(r);
    r->state = state;
    r->reached = RELAY_AWAY;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    reach(r, state);
    if (pthread_create(&r->thread, NULL, relay_main, r) != 0)
        die("thread");
    return r;
}

int relay_port(const relay_t *r)
{
    return r->port;
}

static void wake(relay_t *r)
{
    if (write(r->wake[1], "", 1) < 0)
        die("pipe");
}

void relay_set(relay_t *r, enum relay_state state)
{
    pthread_mutex_lock(&r->lock);
    r->state = state;
    wake(r);
    while (r->reached != state)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

void relay_close(relay_t *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    wake(r);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    close(r->wake[0]);
    close(r->wake[1]);
    freeaddrinfo(r->server);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
