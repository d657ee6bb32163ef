/* SPDX-License-Identifier: Apache-2.0 */
#include "support/forward_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, ASKED_MAX = 8192 };

/* The client's side; ssl NULL: in clear. */
typedef struct connection {
    struct forward_proxy *proxy;
    pthread_t thread;
    int fd;
    SSL *ssl;
} connection_t;

struct forward_proxy {
    int listener, port, server_port;
    const char *password;
    SSL_CTX *tls; /* NULL: none */
    pthread_t thread;
    connection_t connections[CONNECTIONS_MAX];
    size_t count; /* of the accepting thread until it has ended */

    pthread_mutex_t lock; /* what follows */
    size_t tunnels, refused;
    char asked[ASKED_MAX];
};

static void die(const char *what)
{
    fprintf(stderr, "forward_proxy: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void note(forward_proxy_t *p, const char *asked, bool refused)
{
    pthread_mutex_lock(&p->lock);
    snprintf(p->asked, sizeof(p->asked), "%s", asked);
    p->refused += refused;
    p->tunnels += !refused;
    pthread_mutex_unlock(&p->lock);
}

static bool send_all(const connection_t *c, const void *data, size_t len)
{
    if (c->ssl != NULL)
        return SSL_write(c->ssl, data, (int) len) == (int) len;
    return send(c->fd, data, len, MSG_NOSIGNAL) == (ssize_t) len;
}

static ssize_t read_some(const connection_t *c, void *data, size_t len)
{
    return c->ssl != NULL ? SSL_read(c->ssl, data, (int) len) : recv(c->fd, data, len, 0);
}

static bool read_exactly(const connection_t *c, void *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        const ssize_t n = read_some(c, (char *) data + done, len - done);
        if (n <= 0)
            return false;
        done += (size_t) n;
    }
    return true;
}

static int connect_server(const forward_proxy_t *p)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t) p->server_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *) &at, sizeof(at)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void tunnel(const connection_t *c, int server)
{
    struct pollfd fds[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    char bytes[16384];
    bool alive = true;

    while (alive && ((c->ssl != NULL && SSL_pending(c->ssl) > 0) || poll(fds, 2, -1) >= 0)) {
        const bool pending = c->ssl != NULL && SSL_pending(c->ssl) > 0;
        if (pending || fds[0].revents != 0) {
            const ssize_t n = read_some(c, bytes, sizeof(bytes));
            alive = n > 0 && send(server, bytes, (size_t) n, MSG_NOSIGNAL) == n;
        }
        if (alive && !pending && fds[1].revents != 0) {
            const ssize_t n = recv(server, bytes, sizeof(bytes), 0);
            alive = n > 0 && send_all(c, bytes, (size_t) n);
        }
    }
}

/* -- CONNECT -- */

static bool shows_password(const char *head, const char *password)
{
    unsigned char wanted[256];
    const char *line = strcasestr(head, "\r\nProxy-Authorization: Basic ");

    EVP_EncodeBlock(wanted, (const unsigned char *) password, (int) strlen(password));
    const size_t len = strlen((char *) wanted);

    return line != NULL && strncmp(line + 29, (char *) wanted, len) == 0 && line[29 + len] == '\r';
}

static bool accept_connect(const connection_t *c)
{
    forward_proxy_t *p = c->proxy;
    static const char good[] = "HTTP/1.1 200 Connection established\r\nRetry-After: 77\r\n\r\n";
    static const char bad[] =
        "HTTP/1.1 407 Proxy Authentication Required\r\n"
        "Proxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n";
    char head[ASKED_MAX] = "";
    size_t len = 0;

    while (len + 1 < sizeof(head) && strstr(head, "\r\n\r\n") == NULL) {
        if (!read_exactly(c, head + len, 1))
            return false;
        head[++len] = '\0';
    }
    const bool refused = p->password != NULL && !shows_password(head, p->password);

    note(p, head, refused);
    return send_all(c, refused ? bad : good, strlen(refused ? bad : good)) && !refused;
}

/* -- SOCKS5 -- */

/* One byte of length, then as many. */
static bool read_text(const connection_t *c, char out[256])
{
    unsigned char len;

    if (!read_exactly(c, &len, 1) || !read_exactly(c, out, len))
        return false;
    out[len] = '\0';
    return true;
}

static bool accept_password(const connection_t *c)
{
    forward_proxy_t *p = c->proxy;
    char user[256], password[256], both[520], version;

    if (!send_all(c, "\x05\x02", 2) || !read_exactly(c, &version, 1) || !read_text(c, user) ||
        !read_text(c, password))
        return false;
    snprintf(both, sizeof(both), "%s:%s", user, password);
    const bool good = strcmp(both, p->password) == 0;

    if (!good)
        note(p, "SOCKS5", true);
    return send_all(c, good ? "\x01\x00" : "\x01\x01", 2) && good;
}

static bool accept_socks(const connection_t *c)
{
    forward_proxy_t *p = c->proxy;
    static const unsigned char good[] = {5, 0, 0, 1, 127, 0, 0, 1, 0, 0};
    char methods[256], version, host[256], asked[300];
    unsigned char request[4], port[2];
    struct in_addr address;

    if (!read_exactly(c, &version, 1) || !read_text(c, methods) ||
        !(p->password != NULL ? accept_password(c) : send_all(c, "\x05\x00", 2)) ||
        !read_exactly(c, request, sizeof(request)))
        return false;
    if (request[3] == 1) { /* an IPv4 address, not a name */
        if (!read_exactly(c, &address, sizeof(address)))
            return false;
        inet_ntop(AF_INET, &address, host, sizeof(host));
    } else if (!read_text(c, host)) {
        return false;
    }
    if (!read_exactly(c, port, sizeof(port)))
        return false;
    snprintf(asked, sizeof(asked), "SOCKS5 %s:%d", host, port[0] * 256 + port[1]);
    note(p, asked, false);
    return send_all(c, good, sizeof(good));
}

/* -- Connections -- */

static bool accept_tunnel(connection_t *c)
{
    char first = 0;

    if (c->proxy->tls != NULL) {
        c->ssl = SSL_new(c->proxy->tls);
        SSL_set_fd(c->ssl, c->fd);
        return SSL_accept(c->ssl) == 1 && accept_connect(c);
    }
    return recv(c->fd, &first, 1, MSG_PEEK) == 1 &&
           (first == 5 ? accept_socks(c) : accept_connect(c));
}

static void *serve(void *arg)
{
    connection_t *c = arg;
    const int server = accept_tunnel(c) ? connect_server(c->proxy) : -1;

    if (server >= 0) {
        tunnel(c, server);
        close(server);
    }
    SSL_free(c->ssl);
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *arg)
{
    forward_proxy_t *p = arg;
    int fd;

    while ((fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (p->count == CONNECTIONS_MAX)
            die("too many connections");
        connection_t *c = &p->connections[p->count++];
        c->proxy = p;
        c->fd = fd;
        if (pthread_create(&c->thread, NULL, serve, c) != 0)
            die("thread");
    }
    return NULL;
}

/* A context with the server's certificate of tls. */
static SSL_CTX *make_tls(const http_tls_t *tls)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *cert = BIO_new_mem_buf(tls->cert, -1), *key = BIO_new_mem_buf(tls->key, -1);
    X509 *x509 = PEM_read_bio_X509(cert, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

    if (ctx == NULL || SSL_CTX_use_certificate(ctx, x509) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, pkey) != 1)
        die("certificate");
    EVP_PKEY_free(pkey);
    X509_free(x509);
    BIO_free(key);
    BIO_free(cert);
    return ctx;
}

forward_proxy_t *forward_proxy_start(int server_port, const char *password, const http_tls_t *tls)
{
    forward_proxy_t *p = calloc(1, sizeof(*p));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    if (p == NULL)
        die("memory");
    p->server_port = server_port;
    p->password = password;
    p->tls = tls != NULL ? make_tls(tls) : NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *) &at, sizeof(at)) < 0 ||
        listen(p->listener, 64) < 0 ||
        getsockname(p->listener, (struct sockaddr *) &at, &len) < 0 ||
        pthread_create(&p->thread, NULL, accept_all, p) != 0)
        die("start");
    p->port = ntohs(at.sin_port);
    return p;
}

void forward_proxy_stop(forward_proxy_t *p)
{
    if (p == NULL)
        return;
    shutdown(p->listener, SHUT_RDWR); /* accept() returns */
    pthread_join(p->thread, NULL);
    close(p->listener);
    for (size_t i = 0; i < p->count; i++) {
        shutdown(p->connections[i].fd, SHUT_RDWR);
        pthread_join(p->connections[i].thread, NULL);
        close(p->connections[i].fd);
    }
    SSL_CTX_free(p->tls);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int forward_proxy_port(const forward_proxy_t *p)
{
    return p->port;
}

static size_t locked(forward_proxy_t *p, const size_t *value)
{
    pthread_mutex_lock(&p->lock);
    const size_t n = *value;
    pthread_mutex_unlock(&p->lock);
    return n;
}

size_t forward_proxy_tunnels(forward_proxy_t *p)
{
    return locked(p, &p->tunnels);
}

size_t forward_proxy_refused(forward_proxy_t *p)
{
    return locked(p, &p->refused);
}

char *forward_proxy_asked(forward_proxy_t *p)
{
    pthread_mutex_lock(&p->lock);
    char *asked = strdup(p->asked);
    pthread_mutex_unlock(&p->lock);
    return asked;
}
