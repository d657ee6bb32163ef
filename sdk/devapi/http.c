/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from their arrival to their identity; http_serve.c goes on from there. */
#include "devapi/http_impl.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

#define MAX_BODY (3u << 20)     /* as the real server's */
#define MAX_BODIES (256u << 20) /* of all connections together */
#define MAX_UNREAD (16u << 20)  /* bytes that a watch may leave unread before it is cut */
#define MAX_CONNECTIONS 1000

/* -- Who asks -- */

enum who { USER, ANONYMOUS, STRANGER };

static enum who who_asks(const exchange_t *x)
{
    const char *given = http_head_get(x->head, "Authorization");
    const char *token = x->http->token;
    const size_t len = strlen(token);

    if (given == NULL || strncasecmp(given, "Bearer ", 7) != 0)
        return ANONYMOUS;
    return strlen(given) == 7 + len && CRYPTO_memcmp(given + 7, token, len) == 0 ? USER : STRANGER;
}

/* What the real server shows to anybody. */
static bool is_open(const char *path)
{
    static const char *const open[] = {"/healthz", "/livez", "/readyz", "/version", "/version/"};

    for (size_t i = 0; i < HOST_LEN(open); i++) {
        if (strcmp(path, open[i]) == 0)
            return true;
    }
    return false;
}

static void forbid(exchange_t *x)
{
    const char *verb = x->target.resource && x->target.plural != NULL ? x->verb : x->head->method;
    dev_status_t st = {0};

    dev_target_forbid(&x->target, verb, "system:anonymous", x->head->path, &st);
    exchange_refuse(x, &st);
}

/* -- Arrival -- */

static void refuse_mistake(exchange_t *x, int code)
{
    static const struct {
        int code;
        const char *reason, *text;
    } mistakes[] = {
        {413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"},
        {431, "RequestEntityTooLarge", "the request's headers are too large"},
        {501, "NotImplemented", "the transfer coding of the request is not served"},
        {503, "ServiceUnavailable", "too many connections, or too many bytes in flight"},
        {505, "NotImplemented", "HTTP/1.1 is served"},
    };

    for (size_t i = 0; i < HOST_LEN(mistakes); i++) {
        if (mistakes[i].code == code) {
            exchange_fail(x, code, mistakes[i].reason, mistakes[i].text);
            return;
        }
    }
    exchange_fail(x, 400, "BadRequest", "the request is not HTTP/1.1");
}

/* As the real server: for people, or when asked for. */
static bool wants_pretty(const exchange_t *x)
{
    static const char *const people[] = {"curl", "Wget", "Mozilla/5.0"};
    const char *agent = http_head_get(x->head, "User-Agent");

    if (http_query_get(&x->query, "pretty") != NULL)
        return http_query_true(&x->query, "pretty");
    for (size_t i = 0; agent != NULL && i < HOST_LEN(people); i++) {
        if (strncmp(agent, people[i], strlen(people[i])) == 0)
            return true;
    }
    return false;
}

static void begin(exchange_t *x)
{
    const enum who who = who_asks(x);
    const bool fine = http_query_parse(x->head->query, &x->query);

    dev_target_parse(x->head->path, &x->target);
    x->pretty = wants_pretty(x);
    x->watches = x->target.watch || http_query_true(&x->query, "watch");
    x->verb = dev_target_verb(&x->target, x->head->method, x->watches);
    if (who == STRANGER)
        exchange_fail(x, 401, "Unauthorized", "Unauthorized");
    else if (who == ANONYMOUS && !is_open(x->head->path))
        forbid(x);
    else if (!fine)
        exchange_fail(x, 400, "BadRequest", "the query has too many parameters");
    else if (x->http->faults != NULL && strncmp(x->head->path, "/devapi/", 8) == 0)
        exchange_faults(x);
    else if (exchange_disturb(x))
        exchange_serve(x);
}

static void on_gone(void *arg)
{
    exchange_free(arg);
}

static void on_request(void *arg, http_conn_t *conn, int mistake)
{
    dev_http_t *h = arg;
    exchange_t *x = host_xcalloc(1, sizeof(*x));

    x->http = h;
    x->conn = conn;
    x->head = http_conn_head(conn);
    loop_timer_init(&x->timer, h->o.loop, NULL);
    list_append(&h->exchanges, &x->link);
    http_conn_hold(conn, on_gone, x);
    if (mistake != 0)
        refuse_mistake(x, mistake);
    else
        begin(x);
}

/* -- Life -- */

int dev_http_start(const dev_http_options_t *o, dev_http_t **out, lh_error_t *err)
{
    dev_http_t *h = host_xcalloc(1, sizeof(*h));
    const unsigned max = o->max_connections > 0 ? o->max_connections : MAX_CONNECTIONS;

    h->o = *o;
    h->token = host_xstrdup(o->token);
    h->version = host_xstrdup(o->version);
    h->faults = o->faults ? dev_faults_create() : NULL;
    list_init(&h->exchanges);
    const int ret = http_server_start(&(http_server_options_t){.loop = o->loop,
                                                               .log = o->log,
                                                               .address = o->address,
                                                               .port = o->port,
                                                               .tls = o->tls,
                                                               .max_connections = max,
                                                               .max_body = MAX_BODY,
                                                               .max_bodies = MAX_BODIES,
                                                               .max_unread = MAX_UNREAD,
                                                               .on_request = on_request,
                                                               .arg = h},
                                      &h->server, err);
    if (ret < 0) {
        dev_http_stop(h);
        return ret;
    }
    *out = h;
    return 0;
}

void dev_http_stop(dev_http_t *h)
{
    if (h == NULL)
        return;
    http_server_stop(h->server);
    dev_faults_destroy(h->faults);
    OPENSSL_cleanse(h->token, strlen(h->token));
    free(h->token);
    free(h->version);
    free(h);
}

uint16_t dev_http_port(const dev_http_t *h)
{
    return http_server_port(h->server);
}
