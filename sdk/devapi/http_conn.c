/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/http_conn.h"

#include "base/clock.h"
#include "base/error.h"
#include "devapi/http_listen.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define REQUEST_TIME (30 * CLOCK_S) /* from its first byte to its last, however it drips */
#define IDLE_TIME (300 * CLOCK_S)   /* between requests */
#define WRITE_TIME 60               /* seconds in which an answer must get on */
#define LINGER_TIME (5 * CLOCK_S)   /* for the client to close after the last answer */
#define MAX_SURPLUS 64u             /* connections beyond the limit that are told so */
#define MAX_SKIPPED                                                                                \
    (16u << 20) /* proxies do not read an answer that comes before their body's end */
#define MAX_AHEAD (2 * HTTP_MAX_HEAD) /* bytes that are read before they are taken */
#define MAX_BEHIND 65536u /* bytes of earlier answers that are unread when a request is taken */

struct http_server {
    http_server_options_t o;
    http_listener_t *listener;
    list_t conns;
    unsigned count;
    size_t bodies; /* bytes of all conns' bodies */
};

enum state {
    HEAD,      /* a request is awaited */
    BODY,      /* its head is there */
    BUSY,      /* it is being answered */
    STREAMING, /* likewise, piece by piece */
    CLOSING    /* nothing more is taken; what is to be sent goes out first */
};

struct http_conn {
    list_t link;
    http_server_t *server;
    struct bufferevent *bev;
    enum state state;
    bool surplus;   /* beyond max_connections: its request is refused */
    bool started;   /* the first bytes of a head are there */
    bool shut;      /* our side has been closed */
    bool cut;       /* it is to go at the next turn */
    bool unchunked; /* the stream ends with the connection */
    http_head_t head;
    buf_t body;
    http_chunks_t chunks;
    size_t skip; /* bytes of a body that is too large, and is thrown away before it is refused */
    loop_timer_t deadline;
    void (*gone)(void *arg);
    void *arg;
};

static struct evbuffer *input(const http_conn_t *c)
{
    return bufferevent_get_input(c->bev);
}

static struct evbuffer *output(const http_conn_t *c)
{
    return bufferevent_get_output(c->bev);
}

/* -- The end -- */

static void drop_request(http_conn_t *c)
{
    c->server->bodies -= c->body.len;
    http_head_fini(&c->head);
    buf_fini(&c->body);
}

static void conn_free(http_conn_t *c)
{
    SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

    if (c->gone != NULL)
        c->gone(c->arg);
    loop_timer_clear(&c->deadline);
    list_remove(&c->link);
    c->server->count--;
    drop_request(c);
    /* Tells libssl that the session was no failure: no alert may be left in its error queue. */
    if (ssl != NULL)
        SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
    bufferevent_free(c->bev);
    free(c);
}

static void set_deadline(http_conn_t *c, int64_t time)
{
    loop_timer_set(&c->deadline, clock_now() + time);
}

/* Closes our side, and waits for the client's: closing with unread input would reset the connection,
 * and the answer with it. */
static void shut(http_conn_t *c)
{
    SSL *ssl = bufferevent_openssl_get_ssl(c->bev);

    if (c->shut)
        return;
    c->shut = true;
    if (ssl != NULL)
        (void) SSL_shutdown(ssl);
    ERR_clear_error(); /* libevent would take it for the next connection's */
    shutdown(bufferevent_getfd(c->bev), SHUT_WR);
    set_deadline(c, LINGER_TIME);
}

void http_conn_cut(http_conn_t *c)
{
    c->cut = true;
    bufferevent_trigger_event(c->bev, BEV_EVENT_EOF, BEV_OPT_DEFER_CALLBACKS);
}

/* -- Requests -- */

static void deliver(http_conn_t *c, int mistake)
{
    c->state = BUSY;
    c->started = false;
    loop_timer_clear(&c->deadline);
    if (mistake != 0)
        c->head.keep_alive = false;
    if (mistake == 0 && c->surplus) {
        c->head.keep_alive = false;
        mistake = 503;
    }
    c->server->o.on_request(c->server->o.arg, c, mistake);
}

static int begin_body(http_conn_t *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    const http_server_options_t *o = &c->server->o;

    c->skip = 0;
    if (c->head.length > o->max_body && (c->head.length > MAX_SKIPPED || c->head.expects_100))
        return 413;
    if (c->head.length > o->max_body) {
        c->skip = c->head.length;
        c->state = BODY;
        return 0;
    }
    if (c->server->bodies + c->head.length > o->max_bodies)
        return 503;
    c->body = BUF_INIT_MAX(o->max_body);
    c->chunks = (http_chunks_t){0};
    c->state = BODY;
    if (c->head.expects_100 && (c->head.chunked || c->head.length > 0))
        bufferevent_write(c->bev, go_on, sizeof(go_on) - 1);
    return 0;
}

/* The length of the head with its empty line; 0: it is not whole yet. */
static size_t head_size(struct evbuffer *in)
{
    struct evbuffer_ptr end = evbuffer_search(in, "\n\r\n", 3, NULL);

    if (end.pos >= 0)
        return (size_t) end.pos + 3;
    end = evbuffer_search(in, "\n\n", 2, NULL);
    return end.pos >= 0 ? (size_t) end.pos + 2 : 0;
}

static void skip_empty_lines(struct evbuffer *in)
{
    char first[2];

    while (evbuffer_copyout(in, first, 2) == 2 && first[0] == '\r' && first[1] == '\n')
        evbuffer_drain(in, 2);
}

/* True when there is more to do. */
static bool take_head(http_conn_t *c)
{
    struct evbuffer *in = input(c);

    skip_empty_lines(in);
    const size_t have = evbuffer_get_length(in), size = have > 0 ? head_size(in) : 0;
    int status = 0;

    if (have > 0 && !c->started) {
        c->started = true;
        set_deadline(c, REQUEST_TIME);
    }
    if (size == 0 && have <= HTTP_MAX_HEAD)
        return false;
    if (size == 0 || size > HTTP_MAX_HEAD) {
        status = 431;
    } else {
        status =
            http_head_parse((const char *) evbuffer_pullup(in, (ev_ssize_t) size), size, &c->head);
        evbuffer_drain(in, size);
    }
    if (status == 0)
        status = begin_body(c);
    if (status != 0)
        deliver(c, status);
    return status == 0;
}

/* 1 when the body is whole, 0 when not, or the negative status that refuses it. */
static int take_sized(http_conn_t *c)
{
    struct evbuffer *in = input(c);
    const size_t size = HOST_MIN(evbuffer_get_length(in), c->head.length - c->body.len);

    if (size > 0 && buf_append(&c->body, evbuffer_pullup(in, (ev_ssize_t) size), size) < 0)
        return -413;
    evbuffer_drain(in, size);
    return c->body.len == c->head.length ? 1 : 0;
}

static int take_chunked(http_conn_t *c)
{
    struct evbuffer *in = input(c);
    const size_t have = evbuffer_get_length(in);
    size_t taken = 0;
    const char *data = have > 0 ? (const char *) evbuffer_pullup(in, -1) : "";
    const int ret = http_chunks_take(&c->chunks, data, have, &taken, &c->body);

    evbuffer_drain(in, taken);
    return ret;
}

static int skip_body(http_conn_t *c)
{
    const size_t size = HOST_MIN(evbuffer_get_length(input(c)), c->skip);

    evbuffer_drain(input(c), size);
    c->skip -= size;
    return c->skip == 0 ? -413 : 0;
}

static void take_body(http_conn_t *c)
{
    const size_t before = c->body.len;
    int ret = c->skip > 0 ? skip_body(c) : c->head.chunked ? take_chunked(c) : take_sized(c);

    c->server->bodies += c->body.len - before;
    if (ret == 0 && c->server->bodies > c->server->o.max_bodies)
        ret = -503;
    if (ret != 0)
        deliver(c, ret < 0 ? -ret : 0); /* on_read comes again after the answer */
}

static void on_read(struct bufferevent *bev, void *arg)
{
    http_conn_t *c = arg;

    (void) bev;
    if (c->cut)
        return;
    if (c->state == HEAD && evbuffer_get_length(output(c)) > MAX_BEHIND)
        return; /* its client asks without reading; on_write goes on */
    if (c->state == HEAD && take_head(c))
        take_body(c);
    else if (c->state == BODY)
        take_body(c);
    else if (c->state == CLOSING)
        evbuffer_drain(input(c), evbuffer_get_length(input(c)));
}

static void on_write(struct bufferevent *bev, void *arg) /* the output is empty */
{
    http_conn_t *c = arg;

    if (c->state == CLOSING)
        shut(c);
    else if (c->state == HEAD)
        on_read(bev, c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void) bev;
    if ((what & BEV_EVENT_CONNECTED) == 0)
        conn_free(arg);
}

static void on_deadline(loop_timer_t *timer)
{
    conn_free(HOST_CONTAINER(timer, http_conn_t, deadline));
}

/* -- Answers -- */

static const char *reason_of(int code)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {406, "Not Acceptable"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {413, "Request Entity Too Large"},
                   {415, "Unsupported Media Type"},
                   {422, "Unprocessable Entity"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"},
                   {507, "Insufficient Storage"}};

    for (size_t i = 0; i < HOST_LEN(reasons); i++) {
        if (reasons[i].code == code)
            return reasons[i].text;
    }
    return "Status";
}

static void send_head(http_conn_t *c, const http_answer_t *a, const char *framing)
{
    struct evbuffer *out = output(c);
    char date[64];
    const time_t now = (time_t) (clock_wall() / CLOCK_S);
    struct tm tm;

    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", a->code, reason_of(a->code), date);
    if (a->type != NULL)
        evbuffer_add_printf(out, "Content-Type: %s\r\n", a->type);
    if (a->headers != NULL)
        evbuffer_add(out, a->headers, strlen(a->headers));
    evbuffer_add_printf(out, "%s%s\r\n", framing,
                        c->head.keep_alive ? "" : "Connection: close\r\n");
}

/* The answer is on its way: the next request may come. */
static void answered(http_conn_t *c)
{
    const bool more = c->head.keep_alive;

    c->gone = NULL;
    drop_request(c);
    c->state = more ? HEAD : CLOSING;
    set_deadline(c, more ? IDLE_TIME : WRITE_TIME * CLOCK_S);
    bufferevent_trigger(c->bev, more ? EV_READ : EV_WRITE,
                        BEV_OPT_DEFER_CALLBACKS | (more ? BEV_TRIG_IGNORE_WATERMARKS : 0));
}

void http_conn_answer(http_conn_t *c, const http_answer_t *a)
{
    const bool headless = c->head.method != NULL && strcmp(c->head.method, "HEAD") == 0;
    char framing[48];

    snprintf(framing, sizeof(framing), "Content-Length: %zu\r\n", a->len);
    send_head(c, a, framing);
    if (!headless)
        evbuffer_add(output(c), a->body, a->len);
    answered(c);
}

void http_conn_stream(http_conn_t *c, const http_answer_t *a)
{
    c->unchunked = c->head.old;
    if (c->unchunked)
        c->head.keep_alive = false;
    c->state = STREAMING;
    /* It may rest as long as it likes; what it leaves unread is limited instead. */
    bufferevent_set_timeouts(c->bev, NULL, NULL);
    send_head(c, a, c->unchunked ? "" : "Transfer-Encoding: chunked\r\n");
    http_conn_send(c, a->body, a->len);
}

void http_conn_send(http_conn_t *c, const char *data, size_t len)
{
    struct evbuffer *out = output(c);

    if (c->cut || len == 0)
        return;
    if (evbuffer_get_length(out) > c->server->o.max_unread) {
        log_warn(c->server->o.log, "a watch is cut: its client leaves %zu bytes unread",
                 evbuffer_get_length(out));
        http_conn_cut(c);
        return;
    }
    if (!c->unchunked)
        evbuffer_add_printf(out, "%zx\r\n", len);
    evbuffer_add(out, data, len);
    if (!c->unchunked)
        evbuffer_add(out, "\r\n", 2);
}

static void limit_writing(http_conn_t *c)
{
    bufferevent_set_timeouts(c->bev, NULL, &(struct timeval){.tv_sec = WRITE_TIME});
}

void http_conn_end(http_conn_t *c)
{
    if (!c->unchunked && !c->cut)
        evbuffer_add(output(c), "0\r\n\r\n", 5);
    limit_writing(c);
    answered(c);
}

const http_head_t *http_conn_head(const http_conn_t *c)
{
    return &c->head;
}

const buf_t *http_conn_body(const http_conn_t *c)
{
    return &c->body;
}

void http_conn_hold(http_conn_t *c, void (*gone)(void *arg), void *arg)
{
    c->gone = gone;
    c->arg = arg;
}

/* -- The server -- */

static struct bufferevent *make_bufferevent(http_server_t *s, int fd)
{
    struct event_base *base = loop_base(s->o.loop);
    SSL *ssl = s->o.tls != NULL ? SSL_new(s->o.tls) : NULL;

    if (s->o.tls == NULL)
        return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (ssl == NULL)
        return NULL;
    struct bufferevent *bev = bufferevent_openssl_socket_new(
        base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL)
        SSL_free(ssl);
    else
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
    return bev;
}

static void on_client(void *arg, int fd)
{
    http_server_t *s = arg;
    struct bufferevent *bev =
        s->count < s->o.max_connections + MAX_SURPLUS ? make_bufferevent(s, fd) : NULL;

    if (bev == NULL) {
        host_closep(&fd);
        return;
    }
    http_conn_t *c = host_xcalloc(1, sizeof(*c));
    c->server = s;
    c->bev = bev;
    c->surplus = s->count >= s->o.max_connections;
    s->count++;
    list_append(&s->conns, &c->link);
    loop_timer_init(&c->deadline, s->o.loop, on_deadline);
    set_deadline(c, REQUEST_TIME);
    limit_writing(c);
    bufferevent_setcb(bev, on_read, on_write, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, MAX_AHEAD);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

int http_server_start(const http_server_options_t *o, http_server_t **out, lh_error_t *err)
{
    http_server_t *s = host_xcalloc(1, sizeof(*s));

    s->o = *o;
    list_init(&s->conns);
    const int ret = http_listen(o->loop, o->address, o->port, on_client, s, &s->listener, err);
    if (ret < 0) {
        free(s);
        return ret;
    }
    *out = s;
    return 0;
}

void http_server_stop(http_server_t *s)
{
    if (s == NULL)
        return;
    http_listener_destroy(s->listener);
    LIST_EACH (&s->conns, it, tmp)
        conn_free(LIST_ENTRY(it, http_conn_t, link));
    free(s);
}

uint16_t http_server_port(const http_server_t *s)
{
    return http_listener_port(s->listener);
}
