/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol side of the test server: reads requests, writes replies. */
#include "support/http_server_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { MAX_HEADERS = 256 * 1024, MAX_BODY = 256 * 1024 * 1024 };

/* -- Bytes -- */

long http_conn_read(http_conn_t *c, void *data, size_t size)
{
    if (c->ssl == NULL)
        return recv(c->fd, data, size, 0);
    int n = SSL_read(c->ssl, data, size > INT32_MAX ? INT32_MAX : (int) size);
    if (n > 0)
        return n;
    return SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

bool http_conn_write(http_conn_t *c, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        long n = c->ssl != NULL ? SSL_write(c->ssl, at, len > 16384 ? 16384 : (int) len)
                                : send(c->fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t) n;
    }
    return true;
}

size_t http_conn_number(const http_conn_t *c)
{
    return c->number;
}

/* Reads more into c->in; false at the end. */
static bool fill(http_conn_t *c)
{
    if (c->in_len + 1 >= c->in_cap) {
        size_t cap = c->in_cap == 0 ? 65536 : c->in_cap * 2;
        char *in = realloc(c->in, cap);
        http_must_(in != NULL, "memory");
        c->in = in;
        c->in_cap = cap;
    }
    long n = http_conn_read(c, c->in + c->in_len, c->in_cap - c->in_len - 1);
    if (n <= 0)
        return false;
    c->in_len += (size_t) n;
    c->in[c->in_len] = '\0';
    return true;
}

static void consume(http_conn_t *c, size_t n)
{
    memmove(c->in, c->in + n, c->in_len - n);
    c->in_len -= n;
    c->in[c->in_len] = '\0';
}

/* -- Requests -- */

void http_record_free_(struct http_record *r)
{
    free(r->line);
    free(r->method);
    free(r->path);
    free(r->headers);
    free(r->body);
    free(r);
}

const char *http_record_header_(const struct http_record *r, const char *name)
{
    size_t len = strlen(name);

    for (const char *h = r->headers; *h != '\0'; h += strlen(h) + 1) {
        if (strncasecmp(h, name, len) == 0 && h[len] == ':') {
            const char *value = h + len + 1;
            return value + strspn(value, " ");
        }
    }
    return NULL;
}

/* Makes a record of the header block at the beginning of c->in, len bytes with the empty line. */
static struct http_record *take_headers(http_conn_t *c, size_t len)
{
    struct http_record *r = calloc(1, sizeof(*r));
    char *path_end, *space;

    http_must_(r != NULL && (r->headers = calloc(1, len + 2)) != NULL, "memory");
    char *line_end = strstr(c->in, "\r\n");
    *line_end = '\0';
    space = strchr(c->in, ' ');
    path_end = space != NULL ? strchr(space + 1, ' ') : NULL;
    if (path_end != NULL) {
        r->method = strndup(c->in, (size_t) (space - c->in));
        r->path = strndup(space + 1, (size_t) (path_end - space - 1));
        r->line = strndup(c->in, (size_t) (path_end - c->in));
    }
    char *out = r->headers;
    for (char *h = line_end + 2; h < c->in + len - 2;) {
        char *end = strstr(h, "\r\n");
        memcpy(out, h, (size_t) (end - h));
        out += end - h + 1;
        h = end + 2;
    }
    consume(c, len);
    r->conn_number = c->number;
    return r;
}

static bool take_bytes(http_conn_t *c, struct http_record *r, size_t n)
{
    if (r->body_len + n > MAX_BODY)
        return false;
    while (c->in_len < n) {
        if (!fill(c))
            return false;
    }
    char *body = realloc(r->body, r->body_len + n + 1);
    http_must_(body != NULL, "memory");
    r->body = body;
    memcpy(r->body + r->body_len, c->in, n);
    r->body_len += n;
    r->body[r->body_len] = '\0';
    consume(c, n);
    return true;
}

static bool take_chunks(http_conn_t *c, struct http_record *r)
{
    for (;;) {
        char *end;
        while (c->in_len == 0 || (end = strstr(c->in, "\r\n")) == NULL) {
            if (!fill(c))
                return false;
        }
        size_t n = strtoul(c->in, NULL, 16);
        consume(c, (size_t) (end - c->in) + 2);
        if (!take_bytes(c, r, n))
            return false;
        while (c->in_len < 2) {
            if (!fill(c))
                return false;
        }
        consume(c, 2);
        if (n == 0)
            return true;
    }
}

static struct http_record *read_request(http_conn_t *c)
{
    char *end;

    while (c->in_len == 0 || (end = strstr(c->in, "\r\n\r\n")) == NULL) {
        if (c->in_len > MAX_HEADERS || !fill(c))
            return NULL;
    }
    struct http_record *r = take_headers(c, (size_t) (end - c->in) + 4);
    const char *length = http_record_header_(r, "Content-Length");
    const char *coding = http_record_header_(r, "Transfer-Encoding");
    bool good = r->line != NULL;

    if (good && coding != NULL && strcasecmp(coding, "chunked") == 0)
        good = take_bytes(c, r, 0) && take_chunks(c, r);
    else if (good)
        good = take_bytes(c, r, length != NULL ? strtoul(length, NULL, 10) : 0);
    if (!good) {
        http_record_free_(r);
        return NULL;
    }
    return r;
}

bool http_serve_one_(http_conn_t *c)
{
    struct http_record *r = read_request(c);
    http_exchange_t x = {.conn = c, .record = r, .keep = true};

    if (r == NULL)
        return false;
    http_record_add_(c->server, r);
    if (c->server->options.handler != NULL)
        c->server->options.handler(c->server->options.arg, &x);
    else
        http_reply(&x, 200, "application/json", "{}");
    return x.replied && x.keep;
}

const char *http_method(const http_exchange_t *x)
{
    return x->record->method;
}

const char *http_path(const http_exchange_t *x)
{
    return x->record->path;
}

const char *http_header(const http_exchange_t *x, const char *name)
{
    return http_record_header_(x->record, name);
}

const char *http_body(const http_exchange_t *x)
{
    return x->record->body;
}

size_t http_body_len(const http_exchange_t *x)
{
    return x->record->body_len;
}

bool http_client_is(const http_exchange_t *x, const char *cn)
{
    X509 *cert = x->conn->ssl != NULL ? SSL_get1_peer_certificate(x->conn->ssl) : NULL;
    char name[64] = "";

    if (cert != NULL)
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof(name));
    X509_free(cert);
    return strcmp(name, cn) == 0;
}

size_t http_number(const http_exchange_t *x)
{
    return x->record->number;
}

/* -- Replies -- */

static bool begin(http_exchange_t *x, int status, const char *type, const char *header,
                  const char *framing)
{
    char head[1024];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Text\r\nContent-Type: %s\r\n%s%s%s\r\n\r\n",
                     status, type, header, *header != '\0' ? "\r\n" : "", framing);

    x->replied = true;
    if (!http_wait_release_(x->conn) || !http_conn_write(x->conn, head, (size_t) n))
        x->keep = false;
    return x->keep;
}

void http_reply_with(http_exchange_t *x, int status, const char *type, const char *header,
                     const char *body)
{
    char framing[64];

    snprintf(framing, sizeof(framing), "Content-Length: %zu", strlen(body));
    if (begin(x, status, type, header, framing) && !http_conn_write(x->conn, body, strlen(body)))
        x->keep = false;
}

void http_reply(http_exchange_t *x, int status, const char *type, const char *body)
{
    http_reply_with(x, status, type, "", body);
}

void http_reply_status(http_exchange_t *x, int status, const char *reason, const char *message)
{
    char body[2048];

    snprintf(body, sizeof(body),
             "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
             "\"message\":\"%s\",\"reason\":\"%s\",\"code\":%d}",
             message, reason, status);
    http_reply(x, status, "application/json", body);
}

bool http_chunk_begin(http_exchange_t *x, int status, const char *type)
{
    return begin(x, status, type, "", "Transfer-Encoding: chunked");
}

bool http_chunk(http_exchange_t *x, const void *data, size_t len)
{
    char head[32];
    int n = snprintf(head, sizeof(head), "%zx\r\n", len);

    if (len == 0)
        return x->keep;
    if (!http_conn_write(x->conn, head, (size_t) n) || !http_conn_write(x->conn, data, len) ||
        !http_conn_write(x->conn, "\r\n", 2))
        x->keep = false;
    return x->keep;
}

bool http_chunk_end(http_exchange_t *x)
{
    if (!http_conn_write(x->conn, "0\r\n\r\n", 5))
        x->keep = false;
    return x->keep;
}

void http_drop(http_exchange_t *x, bool reset)
{
    http_server_t *s = x->conn->server;

    x->keep = false;
    pthread_mutex_lock(&s->lock);
    x->conn->dropped = true;
    x->conn->reset = reset;
    pthread_mutex_unlock(&s->lock);
}

void http_wait_closed(http_exchange_t *x)
{
    char waste[4096];

    x->keep = false;
    while (http_conn_read(x->conn, waste, sizeof(waste)) > 0)
        continue;
}
