/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_server.h"

#include "support/http_server_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void http_must_(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "http_server: %s: %s\n", what, strerror(errno));
        abort();
    }
}

/* -- Waiting and steering -- */

static struct timespec deadline_in(int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long) (ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static bool wait_for(http_server_t *s, bool (*reached)(const http_server_t *s, size_t n), size_t n,
                     int ms)
{
    struct timespec until = deadline_in(ms);
    bool ok = true;

    pthread_mutex_lock(&s->lock);
    while (!reached(s, n) && ok)
        ok = pthread_cond_timedwait(&s->changed, &s->lock, &until) != ETIMEDOUT;
    ok = reached(s, n);
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static bool requests_reached(const http_server_t *s, size_t n)
{
    return s->record_count >= n;
}

static bool connections_reached(const http_server_t *s, size_t n)
{
    return s->accepted >= n;
}

static bool is_idle(const http_server_t *s, size_t n)
{
    return s->open <= n;
}

bool http_server_wait_requests(http_server_t *s, size_t n, int ms)
{
    return wait_for(s, requests_reached, n, ms);
}

bool http_server_wait_connections(http_server_t *s, size_t n, int ms)
{
    return wait_for(s, connections_reached, n, ms);
}

bool http_server_wait_idle(http_server_t *s, int ms)
{
    return wait_for(s, is_idle, 0, ms);
}

static size_t locked_value(http_server_t *s, const size_t *value)
{
    pthread_mutex_lock(&s->lock);
    size_t n = *value;
    pthread_mutex_unlock(&s->lock);
    return n;
}

size_t http_server_connections(http_server_t *s)
{
    return locked_value(s, &s->accepted);
}

size_t http_server_open_connections(http_server_t *s)
{
    return locked_value(s, &s->open);
}

size_t http_server_requests(http_server_t *s)
{
    return locked_value(s, &s->record_count);
}

static const struct http_record *record_at(http_server_t *s, size_t i)
{
    pthread_mutex_lock(&s->lock);
    const struct http_record *r = i < s->record_count ? s->records[i] : NULL;
    pthread_mutex_unlock(&s->lock);
    return r;
}

const char *http_server_line(http_server_t *s, size_t i)
{
    const struct http_record *r = record_at(s, i);
    return r != NULL ? r->line : NULL;
}

const char *http_server_body(http_server_t *s, size_t i)
{
    const struct http_record *r = record_at(s, i);
    return r != NULL ? r->body : NULL;
}

const char *http_server_header(http_server_t *s, size_t i, const char *name)
{
    const struct http_record *r = record_at(s, i);
    return r != NULL ? http_record_header_(r, name) : NULL;
}

size_t http_server_connection_of(http_server_t *s, size_t i)
{
    const struct http_record *r = record_at(s, i);
    return r != NULL ? r->conn_number : SIZE_MAX;
}

static void set_held(http_server_t *s, bool held)
{
    pthread_mutex_lock(&s->lock);
    s->held = held;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void http_server_hold(http_server_t *s)
{
    set_held(s, true);
}

void http_server_release(http_server_t *s)
{
    set_held(s, false);
}

void http_server_drop_all(http_server_t *s, bool reset)
{
    pthread_mutex_lock(&s->lock);
    for (http_conn_t *c = s->conns; c != NULL; c = c->next) {
        c->dropped = true;
        c->reset = reset;
        if (reset) {
            struct sockaddr none = {.sa_family = AF_UNSPEC};
            (void) connect(c->fd, &none, sizeof(none)); /* sends a reset, wakes its thread */
        } else {
            shutdown(c->fd, SHUT_RDWR);
        }
    }
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

uint16_t http_server_port(const http_server_t *s)
{
    return s->port;
}

const char *http_server_url(const http_server_t *s)
{
    return s->url;
}

/* -- Connections -- */

static void conn_close(http_conn_t *c)
{
    http_server_t *s = c->server;

    if (c->ssl != NULL)
        SSL_free(c->ssl);
    pthread_mutex_lock(&s->lock);
    if (c->reset) {
        struct linger now = {.l_onoff = 1};
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    close(c->fd);
    for (http_conn_t **at = &s->conns; *at != NULL; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    s->open--;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    free(c->in);
    free(c);
}

static void *conn_main(void *arg)
{
    http_conn_t *c = arg;
    http_server_t *s = c->server;
    bool good = true;
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL); /* SSL_write has no MSG_NOSIGNAL */
    if (c->ssl != NULL)
        good = SSL_accept(c->ssl) == 1;
    if (good && s->options.on_connection != NULL)
        good = s->options.on_connection(s->options.arg, c);
    while (good && http_serve_one_(c))
        continue;
    if (c->ssl != NULL && !c->dropped)
        SSL_shutdown(c->ssl);
    conn_close(c);
    return NULL;
}

static void conn_start(http_server_t *s, int fd)
{
    http_conn_t *c = calloc(1, sizeof(*c));
    pthread_t *threads;
    int one = 1;

    http_must_(c != NULL, "memory");
    c->server = s;
    c->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (s->ctx != NULL) {
        c->ssl = SSL_new(s->ctx);
        http_must_(c->ssl != NULL && SSL_set_fd(c->ssl, fd) == 1, "SSL_new");
    }
    pthread_mutex_lock(&s->lock);
    threads = realloc(s->threads, (s->accepted + 1) * sizeof(*threads));
    http_must_(threads != NULL, "memory");
    s->threads = threads;
    c->number = s->accepted++;
    s->open++;
    c->next = s->conns;
    s->conns = c;
    http_must_(pthread_create(&s->threads[c->number], NULL, conn_main, c) == 0, "pthread_create");
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *accept_main(void *arg)
{
    http_server_t *s = arg;
    struct pollfd fds[2] = {{.fd = s->listener, .events = POLLIN},
                            {.fd = s->stop_event, .events = POLLIN}};

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents != 0)
            break;
        if (fds[0].revents != 0) {
            int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0)
                conn_start(s, fd);
        }
    }
    return NULL;
}

/* -- Start and stop -- */

static SSL_CTX *make_ctx(const http_server_options_t *o)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *cert_bio = BIO_new_mem_buf(o->tls->cert, -1), *key_bio = BIO_new_mem_buf(o->tls->key, -1);
    BIO *ca_bio = BIO_new_mem_buf(o->tls->ca, -1);
    X509 *cert = PEM_read_bio_X509(cert_bio, NULL, NULL, NULL);
    X509 *ca = PEM_read_bio_X509(ca_bio, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);

    http_must_(ctx != NULL && SSL_CTX_use_certificate(ctx, cert) == 1 &&
                   SSL_CTX_use_PrivateKey(ctx, key) == 1,
               "certificate of the test server");
    if (o->demand_client_cert) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    BIO_free(ca_bio);
    return ctx;
}

static void open_listener(http_server_t *s)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                               .sin_port = htons(s->options.port)};
    socklen_t len = sizeof(addr);
    int one = 1;

    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    http_must_(s->listener >= 0, "socket");
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (s->options.receive_buffer > 0)
        setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &s->options.receive_buffer, sizeof(int));
    http_must_(bind(s->listener, (struct sockaddr *) &addr, sizeof(addr)) == 0, "bind");
    http_must_(listen(s->listener, 256) == 0, "listen");
    http_must_(getsockname(s->listener, (struct sockaddr *) &addr, &len) == 0, "getsockname");
    s->port = ntohs(addr.sin_port);
    snprintf(s->url, sizeof(s->url), "%s://127.0.0.1:%u", s->ctx != NULL ? "https" : "http",
             s->port);
}

http_server_t *http_server_start(const http_server_options_t *options)
{
    http_server_t *s = calloc(1, sizeof(*s));
    pthread_condattr_t attr;

    http_must_(s != NULL, "memory");
    s->options = *options;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (options->tls != NULL)
        s->ctx = make_ctx(options);
    open_listener(s);
    s->stop_event = eventfd(0, EFD_CLOEXEC);
    http_must_(s->stop_event >= 0, "eventfd");
    http_must_(pthread_create(&s->acceptor, NULL, accept_main, s) == 0, "pthread_create");
    return s;
}

void http_server_stop(http_server_t *s)
{
    uint64_t one = 1;

    if (s == NULL)
        return;
    http_must_(write(s->stop_event, &one, sizeof(one)) == sizeof(one), "eventfd");
    pthread_join(s->acceptor, NULL);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    http_server_drop_all(s, false);
    for (size_t i = 0; i < s->accepted; i++)
        pthread_join(s->threads[i], NULL);
    for (size_t i = 0; i < s->record_count; i++)
        http_record_free_(s->records[i]);
    free(s->records);
    free(s->threads);
    close(s->listener);
    close(s->stop_event);
    SSL_CTX_free(s->ctx);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}

/* -- For http_exchange.c -- */

bool http_wait_release_(http_conn_t *c)
{
    http_server_t *s = c->server;

    pthread_mutex_lock(&s->lock);
    while (s->held && !s->stopping && !c->dropped)
        pthread_cond_wait(&s->changed, &s->lock);
    bool go = !s->stopping && !c->dropped;
    pthread_mutex_unlock(&s->lock);
    return go;
}

bool http_sleep(http_exchange_t *x, int ms)
{
    http_server_t *s = x->conn->server;
    struct timespec until = deadline_in(ms);

    pthread_mutex_lock(&s->lock);
    while (!s->stopping && pthread_cond_timedwait(&s->changed, &s->lock, &until) != ETIMEDOUT)
        continue;
    bool go_on = !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

void http_record_add_(http_server_t *s, struct http_record *r)
{
    pthread_mutex_lock(&s->lock);
    struct http_record **records =
        realloc(s->records, (s->record_count + 1) * sizeof(struct http_record *));
    http_must_(records != NULL, "memory");
    s->records = records;
    r->number = s->record_count;
    s->records[s->record_count++] = r;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}
