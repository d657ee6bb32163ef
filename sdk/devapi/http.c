/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/http.h"

#include "base/error.h"
#include "base/list.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define MAX_BODY (3u << 20) /* as the real server's request limit */
#define MAX_HEADERS 65536
#define MAX_WAITING (16u << 20) /* bytes that a watch may leave unread before it is cut */
#define IDLE_SECONDS 300

struct dev_http {
    dev_http_options_t o;
    char *token, *version;
    struct evhttp *server;
    uint16_t port;
    list_t streams;
};

/* One watch that is being answered. */
typedef struct stream {
    list_t link;
    dev_http_t *http;
    struct evhttp_request *request;
    dev_watch_t *watch;
    struct evbuffer *frame;
} stream_t;

/* -- Answers -- */

static void answer(struct evhttp_request *req, int code, const char *type, const char *text,
                   size_t len)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-cache, private");
    evbuffer_add(evhttp_request_get_output_buffer(req), text, len);
    evhttp_send_reply(req, code, NULL, NULL);
}

/* As RFC 7234 has it: a quoted string. */
static void add_warning(struct evkeyvalq *headers, const char *text)
{
    host_cleanup(buf_fini) buf_t line = BUF_INIT;

    buf_puts(&line, "299 - \"");
    for (const char *c = text; *c != '\0'; c++)
        buf_printf(&line, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c < ' ' && *c > 0 ? ' ' : *c);
    buf_puts(&line, "\"");
    evhttp_add_header(headers, "Warning", buf_text(&line));
}

static void answer_reply(struct evhttp_request *req, dev_reply_t *reply)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
    char number[16];

    if (reply->retry_after > 0) {
        snprintf(number, sizeof(number), "%d", reply->retry_after);
        evhttp_add_header(headers, "Retry-After", number);
    }
    for (char *at = reply->warning, *one; (one = strsep(&at, "\n")) != NULL;)
        add_warning(headers, one);
    answer(req, reply->code, "application/json", buf_text(&reply->body), reply->body.len);
}

static void answer_status(struct evhttp_request *req, int code, const char *reason,
                          const char *message)
{
    dev_status_t st = {0};
    buf_t out = BUF_INIT;

    (void) dev_refuse(&st, code, reason, "%s", message);
    dev_status_print(&st, &out);
    answer(req, code, "application/json", buf_text(&out), out.len);
    buf_fini(&out);
    dev_status_fini(&st);
}

static void not_found(struct evhttp_request *req)
{
    answer(req, 404, "text/plain; charset=utf-8", "404 page not found\n", 19);
}

/* -- Watches -- */

static void stream_free(stream_t *s)
{
    list_remove(&s->link);
    evbuffer_free(s->frame);
    free(s);
}

static void on_closed(struct evhttp_connection *connection, void *arg)
{
    stream_t *s = arg;

    (void) connection;
    dev_watch_close(s->watch);
    /* A request that is still being answered is cut off from its connection, and then ours to free. */
    if (evhttp_request_get_connection(s->request) == NULL)
        evhttp_send_reply_end(s->request);
    stream_free(s);
}

static void on_frame(void *arg, const char *data, size_t len)
{
    stream_t *s = arg;
    struct evhttp_connection *connection = evhttp_request_get_connection(s->request);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);

    if (evbuffer_get_length(bufferevent_get_output(bev)) > MAX_WAITING) {
        shutdown(bufferevent_getfd(bev), SHUT_RDWR); /* its end comes by on_closed */
        return;
    }
    evbuffer_add(s->frame, data, len);
    evhttp_send_reply_chunk(s->request, s->frame);
}

static void on_ended(void *arg)
{
    stream_t *s = arg;
    struct evhttp_connection *connection = evhttp_request_get_connection(s->request);

    evhttp_connection_set_closecb(connection, NULL, NULL);
    evhttp_send_reply_end(s->request);
    stream_free(s);
}

static void open_watch(dev_http_t *h, struct evhttp_request *req, const dev_request_t *r)
{
    stream_t *s = host_xcalloc(1, sizeof(*s));
    const dev_sink_t sink = {on_frame, on_ended, s};
    dev_reply_t reply;

    if (dev_watch_open(h->o.core, r, &sink, &s->watch, &reply) < 0) {
        free(s);
        answer_reply(req, &reply);
        dev_reply_fini(&reply);
        return;
    }
    struct evhttp_connection *connection = evhttp_request_get_connection(req);
    s->http = h;
    s->request = req;
    s->frame = evbuffer_new();
    list_append(&h->streams, &s->link);
    evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type", "application/json");
    evhttp_connection_set_closecb(connection, on_closed, s);
    evhttp_send_reply_start(req, 200, NULL);
    /* libevent stops reading while it answers, and would not notice the end of the client. */
    struct bufferevent *bev = evhttp_connection_get_bufferevent(connection);
    bufferevent_set_timeouts(bev, NULL, NULL);
    bufferevent_enable(bev, EV_READ);
}

/* -- Requests -- */

typedef struct target {
    char *text; /* of the segments */
    const char *group, *version, *ns, *resource, *name, *sub;
} target_t;

/* The decoded segments of a path; their number, or 0 when there are too many. */
static size_t split(char *path, char **segments, size_t max)
{
    size_t n = 0;

    for (char *rest = path + 1, *one; (one = strsep(&rest, "/")) != NULL;) {
        if (n == max)
            return 0;
        segments[n++] = one;
    }
    for (size_t i = 0; i < n; i++) {
        size_t len;
        char *decoded = evhttp_uridecode(segments[i], 0, &len);
        if (decoded != NULL && len <= strlen(segments[i]))
            memcpy(segments[i], decoded, len + 1);
        free(decoded);
    }
    return n;
}

/* /api/V/... or /apis/G/V/...: [namespaces/NS/]RESOURCE[/NAME[/SUB]] */
static bool parse_target(char *path, target_t *t)
{
    char *s[10];
    size_t n = split(path, s, HOST_LEN(s)), i = 0;

    if (n >= 3 && strcmp(s[0], "api") == 0)
        *t = (target_t){.group = "", .version = s[1]}, i = 2;
    else if (n >= 4 && strcmp(s[0], "apis") == 0)
        *t = (target_t){.group = s[1], .version = s[2]}, i = 3;
    else
        return false;
    const bool itself = n - i == 3 && t->group[0] == '\0' &&
                        (strcmp(s[i + 2], "status") == 0 || strcmp(s[i + 2], "finalize") == 0);
    if (n - i >= 3 && strcmp(s[i], "namespaces") == 0 && !itself) {
        t->ns = s[i + 1];
        i += 2;
    }
    t->resource = s[i];
    t->name = n - i > 1 ? s[i + 1] : NULL;
    t->sub = n - i > 2 ? s[i + 2] : NULL;
    return n - i <= 3 && t->resource[0] != '\0' && (t->name == NULL || t->name[0] != '\0');
}

static enum dev_shape shape_of(const char *accept)
{
    for (const char *at = accept; at != NULL && *at != '\0';) {
        const size_t len = strcspn(at, ",");
        host_cleanup(host_freep) char *one = host_xprintf("%.*s", (int) len, at);
        if (strstr(one, "as=Table") != NULL && strstr(one, "v=v1;") != NULL)
            return DEV_SHAPE_TABLE;
        if (strstr(one, "as=PartialObjectMetadata") != NULL)
            return DEV_SHAPE_METADATA;
        if (strstr(one, "json") != NULL && strstr(one, "as=") == NULL)
            return DEV_SHAPE_FULL;
        at += len + (at[len] == ',');
    }
    return DEV_SHAPE_FULL;
}

static bool accepts_json(const char *accept)
{
    return accept == NULL || accept[0] == '\0' || strstr(accept, "json") != NULL ||
           strstr(accept, "*/*") != NULL || strstr(accept, "application/*") != NULL;
}

static bool take_verb(struct evhttp_request *req, const target_t *t, bool watch,
                      enum dev_verb *verb)
{
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET:
        *verb = t->name != NULL && !watch ? DEV_GET : watch ? DEV_WATCH : DEV_LIST;
        return true;
    case EVHTTP_REQ_POST:
        *verb = DEV_CREATE;
        return t->name == NULL;
    case EVHTTP_REQ_PUT:
        *verb = DEV_UPDATE;
        return t->name != NULL;
    case EVHTTP_REQ_PATCH:
        *verb = DEV_PATCH;
        return t->name != NULL;
    case EVHTTP_REQ_DELETE:
        *verb = t->name != NULL ? DEV_DELETE : DEV_DELETE_COLLECTION;
        return t->sub == NULL;
    default:
        return false;
    }
}

static void take_query(const struct evkeyvalq *q, dev_request_t *r)
{
    struct evkeyvalq *query = (struct evkeyvalq *) q;

    r->label_selector = evhttp_find_header(query, "labelSelector");
    r->field_selector = evhttp_find_header(query, "fieldSelector");
    r->field_manager = evhttp_find_header(query, "fieldManager");
    r->field_validation = evhttp_find_header(query, "fieldValidation");
    r->dry_run = evhttp_find_header(query, "dryRun");
    r->resource_version = evhttp_find_header(query, "resourceVersion");
    r->resource_version_match = evhttp_find_header(query, "resourceVersionMatch");
    r->limit = evhttp_find_header(query, "limit");
    r->continue_token = evhttp_find_header(query, "continue");
    r->timeout_seconds = evhttp_find_header(query, "timeoutSeconds");
    r->allow_bookmarks = evhttp_find_header(query, "allowWatchBookmarks");
    r->send_initial_events = evhttp_find_header(query, "sendInitialEvents");
    r->propagation_policy = evhttp_find_header(query, "propagationPolicy");
    r->grace_period = evhttp_find_header(query, "gracePeriodSeconds");
    r->include_object = evhttp_find_header(query, "includeObject");
}

static bool serves_sub(const dev_request_t *r)
{
    for (size_t i = 0; i < HOST_LEN(r->kind->versions) && r->kind->versions[i].name != NULL; i++) {
        const dev_version_t *v = &r->kind->versions[i];
        if (strcmp(v->name, r->version) == 0)
            return r->subresource == NULL || (strcmp(r->subresource, "status") == 0 && v->status) ||
                   (strcmp(r->subresource, "scale") == 0 && v->scale) ||
                   (strcmp(r->subresource, "finalize") == 0 && strcmp(r->kind->group, "") == 0 &&
                    strcmp(r->kind->kind, "Namespace") == 0);
    }
    return false;
}

static void serve_resource(dev_http_t *h, struct evhttp_request *req, const target_t *t,
                           const struct evkeyvalq *query)
{
    struct evkeyvalq *in = evhttp_request_get_input_headers(req);
    struct evbuffer *body = evhttp_request_get_input_buffer(req);
    const char *watch = evhttp_find_header((struct evkeyvalq *) query, "watch");
    const char *accept = evhttp_find_header(in, "Accept");
    const char *type = evhttp_find_header(in, "Content-Type");
    host_cleanup(host_freep) char *media =
        type != NULL ? host_xprintf("%.*s", (int) strcspn(type, "; "), type) : NULL;
    dev_request_t r = {.kind = dev_core_kind(h->o.core, t->group, t->version, t->resource),
                       .version = t->version,
                       .ns = t->ns,
                       .name = t->name,
                       .subresource = t->sub,
                       .content_type = media,
                       .body_len = evbuffer_get_length(body),
                       .shape = shape_of(accept),
                       .user = "admin"};
    dev_reply_t reply;

    r.body = (const char *) evbuffer_pullup(body, -1);
    take_query(query, &r);
    if (r.kind == NULL || ((r.kind->flags & DEV_NAMESPACED) == 0 && t->ns != NULL) ||
        ((r.kind->flags & DEV_NAMESPACED) != 0 && t->ns == NULL && t->name != NULL)) {
        not_found(req);
    } else if (!accepts_json(accept)) {
        answer_status(req, 406, "NotAcceptable",
                      "only the following media types are accepted: application/json");
    } else if (!serves_sub(&r)) {
        answer_status(req, 404, "NotFound", "the server could not find the requested resource");
    } else if (!take_verb(req, t,
                          watch != NULL && (strcmp(watch, "1") == 0 || strcmp(watch, "true") == 0),
                          &r.verb)) {
        answer_status(req, 405, "MethodNotAllowed",
                      "the server does not allow this method on the requested resource");
    } else if (r.verb == DEV_WATCH) {
        open_watch(h, req, &r);
    } else {
        dev_core_serve(h->o.core, &r, &reply);
        answer_reply(req, &reply);
        dev_reply_fini(&reply);
    }
}

/* -- What needs no kind -- */

static bool serve_plain(const dev_http_t *h, struct evhttp_request *req, const char *path)
{
    static const char *const health[] = {"/healthz", "/livez", "/readyz"};

    for (size_t i = 0; i < HOST_LEN(health); i++) {
        if (strcmp(path, health[i]) == 0) {
            answer(req, 200, "text/plain; charset=utf-8", "ok", 2);
            return true;
        }
    }
    if (strcmp(path, "/version") != 0)
        return false;
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"major\":\"1\",\"minor\":\"34\",\"gitVersion\":\"v1.34.0+leasehold-%s\","
                     "\"platform\":\"linux\"}",
                     h->version);
    answer(req, 200, "application/json", text, strlen(text));
    return true;
}

static bool is_allowed(const dev_http_t *h, struct evhttp_request *req)
{
    const char *given = evhttp_find_header(evhttp_request_get_input_headers(req), "Authorization");
    const size_t len = strlen(h->token);

    return given != NULL && strncmp(given, "Bearer ", 7) == 0 && strlen(given) == 7 + len &&
           CRYPTO_memcmp(given + 7, h->token, len) == 0;
}

static void serve_path(dev_http_t *h, struct evhttp_request *req, char *path,
                       const struct evkeyvalq *query)
{
    const char *type = "application/json";
    buf_t out = BUF_INIT;
    target_t t;

    if (dev_discovery(h->o.core, path,
                      evhttp_find_header(evhttp_request_get_input_headers(req), "Accept"), &out,
                      &type))
        answer(req, 200, type, buf_text(&out), out.len);
    else if (strcmp(path, "/openapi/v2") == 0)
        answer(req, 200, "application/octet-stream", "", 0); /* kubectl then validates nothing */
    else if (parse_target(path, &t))
        serve_resource(h, req, &t, query);
    else
        not_found(req);
    buf_fini(&out);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    dev_http_t *h = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
    const char *raw = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
    const char *search = uri != NULL ? evhttp_uri_get_query(uri) : NULL;
    host_cleanup(host_freep) char *path = host_xstrdup(raw != NULL ? raw : "/");
    struct evkeyvalq query = {0};

    if (serve_plain(h, req, path))
        return;
    if (!is_allowed(h, req)) {
        answer_status(req, 401, "Unauthorized", "Unauthorized");
        return;
    }
    if (search != NULL && evhttp_parse_query_str(search, &query) < 0) {
        answer_status(req, 400, "BadRequest", "the query string cannot be parsed");
        return;
    }
    serve_path(h, req, path, &query);
    evhttp_clear_headers(&query);
}

/* -- Life -- */

static struct bufferevent *secure(struct event_base *base, void *arg)
{
    return bufferevent_openssl_socket_new(base, -1, SSL_new(arg), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

static uint16_t port_of(evutil_socket_t fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } at = {.six = {0}};
    socklen_t len = sizeof(at);

    if (getsockname(fd, &at.any, &len) < 0)
        return 0;
    return ntohs(at.any.sa_family == AF_INET6 ? at.six.sin6_port : at.four.sin_port);
}

int dev_http_start(const dev_http_options_t *o, dev_http_t **out, lh_error_t *err)
{
    dev_http_t *h = host_xcalloc(1, sizeof(*h));

    h->o = *o;
    h->token = host_xstrdup(o->token);
    h->version = host_xstrdup(o->version);
    list_init(&h->streams);
    h->server = evhttp_new(loop_base(o->loop));
    evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                              EVHTTP_REQ_DELETE | EVHTTP_REQ_PATCH);
    evhttp_set_max_body_size(h->server, MAX_BODY);
    evhttp_set_max_headers_size(h->server, MAX_HEADERS);
    evhttp_set_timeout(h->server, IDLE_SECONDS);
    evhttp_set_gencb(h->server, on_request, h);
    if (o->tls != NULL)
        evhttp_set_bevcb(h->server, secure, o->tls);
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(h->server, o->address, o->port);
    if (bound == NULL) {
        dev_http_stop(h);
        return host_fail(err, LH_EIO, "listen on %s:%u: the port is taken or not allowed",
                         o->address, o->port);
    }
    h->port = port_of(evhttp_bound_socket_get_fd(bound));
    *out = h;
    return 0;
}

void dev_http_stop(dev_http_t *h)
{
    if (h == NULL)
        return;
    LIST_EACH (&h->streams, it, tmp)
        dev_watch_cut(LIST_ENTRY(it, stream_t, link)->watch);
    evhttp_free(h->server);
    free(h->token);
    free(h->version);
    free(h);
}

uint16_t dev_http_port(const dev_http_t *h)
{
    return h->port;
}
