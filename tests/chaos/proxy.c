/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/proxy.h"

#include "base/list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

enum { CHUNK = 16384, MOST_QUEUED = 1 << 20 };

typedef struct chunk {
    list_t node;
    int64_t due;
    size_t len, sent;
    char data[CHUNK];
} chunk_t;

typedef struct pair pair_t;

/* One direction of a connection. */
typedef struct way {
    pair_t *pair;
    enum proxy_way which;
    int from, to;
    list_t queue;
    size_t queued;
    int64_t last_due;
    bool ended, passed_on; /* the sender has closed; the receiver was told */
    struct event *readable, *writable, *timer;
} way_t;

struct pair {
    list_t node;
    proxy_t *proxy;
    bool open_then; /* when the present fault began */
    bool lossy;     /* bytes are missing */
    bool dead;      /* and always will be */
    way_t ways[PROXY_WAYS];
};

struct proxy {
    list_t node;
    proxies_t *all;
    struct addrinfo *server;
    int listener, port;
    struct event *accepting;
    list_t pairs;
    proxy_fault_t fault;
    /* asked for by another thread, under the lock of `all` */
    proxy_fault_t wanted;
    bool asked, reset;
};

struct proxies {
    struct event_base *base;
    struct event *wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done;
    list_t list;
    bool ended;
};

static void die(const char *what)
{
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* -- Connections -- */

static void close_way(way_t *w)
{
    list_t *node;

    event_free(w->readable);
    event_free(w->writable);
    event_free(w->timer);
    while ((node = list_pop(&w->queue)) != NULL)
        free(LIST_ENTRY(node, chunk_t, node));
}

static void close_pair(pair_t *pair, bool reset)
{
    const struct linger at_once = {1, 0};

    for (int i = 0; i < PROXY_WAYS; i++)
        close_way(&pair->ways[i]);
    for (int i = 0; i < PROXY_WAYS; i++) {
        if (reset)
            setsockopt(pair->ways[i].from, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(pair->ways[i].from);
    }
    list_remove(&pair->node);
    free(pair);
}

static bool concerns(const pair_t *pair)
{
    return !pair->proxy->fault.open_flows || pair->open_then;
}

static void wait_for(way_t *w, int64_t due)
{
    const int64_t ns = due - now_ns();
    const struct timeval t = {ns > 0 ? ns / NS_PER_S : 0, ns > 0 ? ns % NS_PER_S / 1000 + 1 : 0};

    event_add(w->timer, &t);
}

/* Sends what is due. False: the pair is gone. */
static bool flush_way(way_t *w)
{
    pair_t *pair = w->pair;

    while (!list_empty(&w->queue)) {
        chunk_t *c = LIST_ENTRY(w->queue.next, chunk_t, node);
        if (concerns(pair) && pair->proxy->fault.held[w->which])
            return true;
        if (c->due > now_ns()) {
            wait_for(w, c->due);
            return true;
        }
        const ssize_t n = send(w->to, c->data + c->sent, c->len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            event_add(w->writable, NULL);
            return true;
        }
        if (n < 0) {
            close_pair(pair, true);
            return false;
        }
        c->sent += (size_t) n;
        w->queued -= (size_t) n;
        if (c->sent == c->len) {
            list_remove(&c->node);
            free(c);
        }
    }
    if (!w->ended) {
        event_add(w->readable, NULL);
    } else if (!w->passed_on) {
        w->passed_on = true;
        shutdown(w->to, SHUT_WR);
        if (pair->ways[1 - w->which].passed_on) {
            close_pair(pair, false);
            return false;
        }
    }
    return true;
}

static void take(way_t *w, chunk_t *c, size_t len)
{
    const proxy_fault_t *f = &w->pair->proxy->fault;
    const bool concerned = concerns(w->pair);

    if (w->pair->dead || (concerned && f->lost[w->which])) {
        w->pair->lossy = true;
        w->pair->dead = w->pair->dead || f->silent;
        free(c);
        return;
    }
    c->len = len;
    c->due = now_ns();
    if (concerned)
        c->due += f->delay_ms[w->which] * INT64_C(1000000);
    if (c->due < w->last_due)
        c->due = w->last_due; /* bytes do not overtake */
    if (concerned && f->bytes_per_s[w->which] > 0)
        c->due += (int64_t) len * NS_PER_S / f->bytes_per_s[w->which];
    w->last_due = c->due;
    w->queued += len;
    list_append(&w->queue, &c->node);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    way_t *w = arg;
    chunk_t *c = calloc(1, sizeof(*c));

    (void) what;
    const ssize_t n = recv(fd, c->data, sizeof(c->data), 0);
    if (n > 0) {
        take(w, c, (size_t) n);
    } else {
        free(c);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            close_pair(w->pair, true);
            return;
        }
        w->ended = true;
    }
    if (w->ended || w->queued >= MOST_QUEUED)
        event_del(w->readable);
    if (!w->ended || (!w->pair->dead && !w->pair->lossy))
        flush_way(w);
    else if (w->which == PROXY_UP) /* the server's end is not told: nothing is */
        close_pair(w->pair, true);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void) fd;
    (void) what;
    flush_way(arg);
}

static void open_way(pair_t *pair, enum proxy_way which, int from, int to)
{
    struct event_base *base = pair->proxy->all->base;
    way_t *w = &pair->ways[which];
    const int one = 1;

    setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    fcntl(from, F_SETFL, fcntl(from, F_GETFL) | O_NONBLOCK);
    *w = (way_t){.pair = pair, .which = which, .from = from, .to = to};
    list_init(&w->queue);
    w->readable = event_new(base, from, EV_READ | EV_PERSIST, on_readable, w);
    w->writable = event_new(base, to, EV_WRITE, on_due, w);
    w->timer = evtimer_new(base, on_due, w);
    event_add(w->readable, NULL);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    proxy_t *p = arg;
    const int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    const int server = socket(p->server->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void) what;
    if (client < 0 || server < 0 ||
        connect(server, p->server->ai_addr, p->server->ai_addrlen) < 0) {
        close(client);
        close(server);
        return;
    }
    pair_t *pair = calloc(1, sizeof(*pair));

    pair->proxy = p;
    list_append(&p->pairs, &pair->node);
    open_way(pair, PROXY_UP, client, server);
    open_way(pair, PROXY_DOWN, server, client);
}

/* -- Orders -- */

static void change(proxy_t *p)
{
    const bool reset = p->reset;

    p->fault = p->wanted;
    p->reset = p->asked = false;
    LIST_EACH (&p->pairs, it, tmp) {
        pair_t *pair = LIST_ENTRY(it, pair_t, node);
        pair->open_then = true;
        if (reset || (pair->lossy && !pair->dead))
            close_pair(pair, true);
        else if (flush_way(&pair->ways[PROXY_UP]))
            flush_way(&pair->ways[PROXY_DOWN]);
    }
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    proxies_t *all = arg;

    (void) fd;
    (void) what;
    pthread_mutex_lock(&all->lock);
    LIST_EACH (&all->list, it, tmp) {
        proxy_t *p = LIST_ENTRY(it, proxy_t, node);
        if (p->accepting == NULL) {
            p->accepting = event_new(all->base, p->listener, EV_READ | EV_PERSIST, on_accept, p);
            event_add(p->accepting, NULL);
        }
        if (p->asked)
            change(p);
    }
    if (all->ended)
        event_base_loopbreak(all->base);
    pthread_cond_broadcast(&all->done);
    pthread_mutex_unlock(&all->lock);
}

static void *run(void *arg)
{
    proxies_t *all = arg;

    event_base_loop(all->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static void order(proxy_t *p, const proxy_fault_t *fault, bool reset)
{
    proxies_t *all = p->all;

    pthread_mutex_lock(&all->lock);
    if (fault != NULL)
        p->wanted = *fault;
    p->reset = reset;
    p->asked = true;
    event_active(all->wake, 0, 0);
    while (p->asked)
        pthread_cond_wait(&all->done, &all->lock);
    pthread_mutex_unlock(&all->lock);
}

void proxy_set(proxy_t *p, const proxy_fault_t *fault)
{
    order(p, fault, false);
}

void proxy_reset(proxy_t *p)
{
    order(p, NULL, true);
}

/* -- Life -- */

proxies_t *proxies_open(void)
{
    proxies_t *all = calloc(1, sizeof(*all));

    evthread_use_pthreads();
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->done, NULL);
    list_init(&all->list);
    all->base = event_base_new();
    all->wake = event_new(all->base, -1, EV_PERSIST, on_wake, all);
    if (all->wake == NULL || pthread_create(&all->thread, NULL, run, all) != 0)
        die("thread");
    return all;
}

static void listen_on(proxy_t *p)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(p->listener, (struct sockaddr *) &at, sizeof(at)) < 0 || listen(p->listener, 64) < 0)
        die("listen");
    getsockname(p->listener, (struct sockaddr *) &at, &len);
    p->port = ntohs(at.sin_port);
}

proxy_t *proxy_open(proxies_t *all, const char *server)
{
    proxy_t *p = calloc(1, sizeof(*p));
    const char *host = strstr(server, "://") != NULL ? strstr(server, "://") + 3 : server;
    const char *colon = strrchr(host, ':');
    char name[256], port[8];

    snprintf(name, sizeof(name), "%.*s",
             (int) (colon != NULL ? (size_t) (colon - host) : strcspn(host, "/")), host);
    snprintf(port, sizeof(port), "%.*s", colon != NULL ? (int) strcspn(colon + 1, "/") : 3,
             colon != NULL ? colon + 1 : "443");
    if (getaddrinfo(name, port, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &p->server) != 0)
        die(server);
    p->all = all;
    list_init(&p->pairs);
    listen_on(p);
    pthread_mutex_lock(&all->lock);
    list_append(&all->list, &p->node);
    pthread_mutex_unlock(&all->lock);
    order(p, NULL, false);
    return p;
}

int proxy_port(const proxy_t *p)
{
    return p->port;
}

static void close_proxy(proxy_t *p)
{
    LIST_EACH (&p->pairs, it, tmp) {
        close_pair(LIST_ENTRY(it, pair_t, node), true);
    }
    event_free(p->accepting);
    close(p->listener);
    freeaddrinfo(p->server);
    list_remove(&p->node);
    free(p);
}

void proxies_close(proxies_t *all)
{
    if (all == NULL)
        return;
    pthread_mutex_lock(&all->lock);
    all->ended = true;
    event_active(all->wake, 0, 0);
    pthread_mutex_unlock(&all->lock);
    pthread_join(all->thread, NULL);
    LIST_EACH (&all->list, it, tmp) {
        close_proxy(LIST_ENTRY(it, proxy_t, node));
    }
    event_free(all->wake);
    event_base_free(all->base);
    pthread_cond_destroy(&all->done);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
