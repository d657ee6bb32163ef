/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection carries one request: read its header section, write the answer, wait for the
 * client to close. The deadline runs from accept to close, so a client that sends or reads a byte
 * at a time gains nothing.
 *
 * libevent's own HTTP server is not used here: it tells neither when it accepts nor when it closes
 * a connection, so they could not be counted, timed, or turned away.
 */
#include "serve/internal.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIME_LIMIT (5 * CLOCK_S)
#define RESUME_DELAY (100 * CLOCK_MS)
#define WARN_INTERVAL (60 * CLOCK_S)

typedef struct connection {
    list_t link;
    serve_listener_t *listener;
    int fd;
    struct event *event;
    loop_timer_t deadline;
    char in[SERVE_MAX_REQUEST + 1];
    size_t in_len;
    buf_t out;
    size_t sent;
} connection_t;

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_trailing(evutil_socket_t fd, short what, void *arg);

static void connection_close(connection_t *c)
{
    serve_listener_t *l = c->listener;

    loop_timer_clear(&c->deadline);
    list_remove(&c->link);
    if (c->event != NULL)
        event_free(c->event);
    close(c->fd);
    buf_fini(&c->out);
    free(c);
    l->count--;
}

/* Resets the connection: else the kernel would go on to offer what a client does not read. */
static void cut(connection_t *c)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    connection_close(c);
}

static void on_deadline(loop_timer_t *t)
{
    cut(HOST_CONTAINER(t, connection_t, deadline));
}

/* Waits for something else from now on. Closes c when it cannot. */
static void wait_for(connection_t *c, short what, event_callback_fn fn)
{
    if (c->event != NULL)
        event_free(c->event);
    c->event = event_new(loop_base(c->listener->loop), c->fd, what | EV_PERSIST, fn, c);
    if (c->event == NULL || event_add(c->event, NULL) < 0)
        connection_close(c);
}

static bool would_block(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* What the client sends after its request is thrown away: closing with unread input would reset
 * the connection, and the answer with it. */
static void on_trailing(evutil_socket_t fd, short what, void *arg)
{
    connection_t *c = arg;
    ssize_t n = recv(fd, c->in, SERVE_MAX_REQUEST, 0);

    (void) what;
    if (n <= 0 && !would_block(n))
        connection_close(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    connection_t *c = arg;
    ssize_t n = send(fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

    (void) what;
    if (would_block(n))
        return;
    if (n < 0) {
        connection_close(c);
        return;
    }
    c->sent += (size_t) n;
    if (c->sent == c->out.len) {
        shutdown(fd, SHUT_WR);
        wait_for(c, EV_READ, on_trailing);
    }
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "";
    }
}

static void send_answer(connection_t *c, const serve_answer_t *answer, bool with_body)
{
    buf_printf(&c->out,
               "HTTP/1.1 %d %s\r\n"
               "Content-Type: %s\r\n"
               "Content-Length: %zu\r\n"
               "%s%s"
               "Cache-Control: no-store\r\n"
               "X-Content-Type-Options: nosniff\r\n"
               "Connection: close\r\n\r\n",
               answer->status, reason_of(answer->status), answer->content_type, answer->body.len,
               answer->status == 405 ? "Allow: GET, HEAD\r\n" : "",
               answer->varies ? "Vary: Accept\r\n" : "");
    if (with_body)
        buf_append(&c->out, answer->body.data, answer->body.len);
    if (c->out.failed || answer->body.failed)
        connection_close(c);
    else
        wait_for(c, EV_WRITE, on_writable);
}

static void refuse(connection_t *c, int status)
{
    serve_answer_t answer = {.status = status, .content_type = "text/plain; charset=utf-8"};

    send_answer(c, &answer, true);
}

static void handle(connection_t *c)
{
    serve_request_t request;
    serve_answer_t answer = {0};

    if (!serve_request_parse(c->in, &request)) {
        refuse(c, 400);
        return;
    }
    serve_route(c->listener->options, &request, &answer);
    send_answer(c, &answer, strcmp(request.method, "HEAD") != 0);
    buf_fini(&answer.body);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    connection_t *c = arg;
    ssize_t n = recv(fd, c->in + c->in_len, SERVE_MAX_REQUEST - c->in_len, 0);

    (void) what;
    if (would_block(n))
        return;
    if (n <= 0) {
        connection_close(c);
        return;
    }
    c->in_len += (size_t) n;
    c->in[c->in_len] = '\0';
    if (strlen(c->in) < c->in_len)
        refuse(c, 400);
    else if (strstr(c->in, "\r\n\r\n") != NULL || strstr(c->in, "\n\n") != NULL)
        handle(c);
    else if (c->in_len == SERVE_MAX_REQUEST)
        refuse(c, 431);
}

static void connection_open(serve_listener_t *l, int fd)
{
    connection_t *c = host_xcalloc(1, sizeof(*c));

    c->listener = l;
    c->fd = fd;
    /* Clients that are slow must not keep the kubelet's probe waiting until it kills us. */
    if (l->count == SERVE_MAX_CONNECTIONS)
        cut(LIST_ENTRY(l->open.next, connection_t, link));
    list_append(&l->open, &c->link);
    l->count++;
    loop_timer_init(&c->deadline, l->loop, on_deadline);
    loop_timer_set(&c->deadline, clock_now() + TIME_LIMIT);
    wait_for(c, EV_READ, on_readable);
}

/* --- the listener --- */

static void fill_reserve(serve_listener_t *l)
{
    for (size_t i = 0; i < SERVE_RESERVE; i++) {
        if (l->reserve[i] < 0)
            l->reserve[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

/* With a spare fd the client at the head of the queue can be taken and turned away; left there, it
 * would wake us for ever. */
static bool turn_away(serve_listener_t *l)
{
    for (size_t i = 0; i < SERVE_RESERVE; i++) {
        if (l->reserve[i] < 0)
            continue;
        host_closep(&l->reserve[i]);
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        bool accepted = fd >= 0;

        host_closep(&fd);
        fill_reserve(l);
        return accepted;
    }
    return false;
}

static void out_of_fds(serve_listener_t *l)
{
    int saved = errno;
    int64_t now = clock_now();

    if (l->warned == 0 || now - l->warned >= WARN_INTERVAL) {
        log_warn(l->options->log, "clients of '%s' are turned away: %s", l->options->address,
                 strerror(saved));
        l->warned = now;
    }
    if (turn_away(l))
        return;
    fill_reserve(l);
    event_del(l->readable);
    loop_timer_set(&l->resume, now + RESUME_DELAY);
}

static void on_resume(loop_timer_t *t)
{
    serve_listener_t *l = HOST_CONTAINER(t, serve_listener_t, resume);

    event_add(l->readable, NULL);
}

static void on_client(evutil_socket_t listening, short what, void *arg)
{
    serve_listener_t *l = arg;
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void) what;
    if (fd >= 0)
        connection_open(l, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        out_of_fds(l); /* anything else is the trouble of one client, who is gone */
}

int serve_listener_init(serve_listener_t *l, loop_t *loop, const serve_options_t *options, int fd,
                        lh_error_t *err)
{
    *l = (serve_listener_t){.options = options, .loop = loop, .fd = fd};
    list_init(&l->open);
    memset(l->reserve, -1, sizeof(l->reserve));
    fill_reserve(l);
    loop_timer_init(&l->resume, loop, on_resume);
    l->readable = event_new(loop_base(loop), fd, EV_READ | EV_PERSIST, on_client, l);
    if (l->readable == NULL || event_add(l->readable, NULL) < 0)
        return host_fail(err, LH_ENOMEM, "listen on '%s': out of memory", options->address);
    return 0;
}

void serve_listener_fini(serve_listener_t *l)
{
    LIST_EACH (&l->open, it, tmp)
        connection_close(LIST_ENTRY(it, connection_t, link));
    loop_timer_clear(&l->resume);
    if (l->readable != NULL)
        event_free(l->readable);
    for (size_t i = 0; i < SERVE_RESERVE; i++)
        host_closep(&l->reserve[i]);
    host_closep(&l->fd);
}
