/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, with the headers that the real server gives them. */
#include "devapi/http_impl.h"

#include "base/clock.h"
#include "base/rand.h"

#include <string.h>

/* -- Indents -- */

typedef struct indenter {
    const char *start, *end;
    int depth;
    buf_t *out;
} indenter_t;

static void break_line(const indenter_t *i)
{
    buf_puts(i->out, "\n");
    for (int n = 0; n < i->depth; n++)
        buf_puts(i->out, "  ");
}

/* A bracket, comma or colon at *at. */
static void put_mark(indenter_t *i, const char *at)
{
    const bool opens = *at == '{' || *at == '[', closes = *at == '}' || *at == ']';
    const bool empty = opens && at + 1 < i->end && at[1] == *at + 2; /* "{}", "[]" in ASCII */
    const bool was_empty = closes && at > i->start && at[-1] == *at - 2;

    i->depth -= closes && i->depth > 0;
    if (closes && !was_empty)
        break_line(i);
    buf_append(i->out, at, 1);
    i->depth += opens;
    if ((opens && !empty) || *at == ',')
        break_line(i);
    else if (*at == ':')
        buf_puts(i->out, " ");
}

/* The end of what has no marks in it: a string, or anything else. */
static const char *skip_value(const char *at, const char *end)
{
    if (*at != '"') {
        while (at < end && strchr("{}[],:\"", *at) == NULL)
            at++;
        return at;
    }
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\' && at + 1 < end;
    return at + (at < end);
}

void dev_pretty(const char *json, size_t len, buf_t *out)
{
    indenter_t i = {.start = json, .end = json + len, .out = out};

    for (const char *at = json, *from; at < i.end && !out->failed;) {
        if (strchr("{}[],:", *at) != NULL) {
            put_mark(&i, at++);
            continue;
        }
        from = at;
        at = skip_value(at, i.end);
        buf_append(out, from, (size_t) (at - from));
    }
}

/* -- Sending -- */

/* The headers of every answer, after extra. Caller owns the text. */
static char *with_common(const char *extra)
{
    char id[33];

    rand_hex(id, 16);
    return host_xprintf("Audit-Id: %.8s-%.4s-4%.3s-%.4s-%.12s\r\n"
                        "Cache-Control: no-cache, private\r\n%s",
                        id, id + 8, id + 13, id + 16, id + 20, extra != NULL ? extra : "");
}

static void send_now(exchange_t *x, const http_answer_t *a)
{
    host_cleanup(host_freep) char *headers = with_common(a->headers);
    http_answer_t whole = *a;
    http_conn_t *conn = x->conn;
    const bool drop = x->fault.drop;

    whole.headers = headers;
    http_conn_hold(conn, NULL, NULL);
    if (drop)
        http_conn_cut(conn);
    else
        http_conn_answer(conn, &whole);
    exchange_free(x);
}

static void on_delay_over(loop_timer_t *timer)
{
    exchange_t *x = HOST_CONTAINER(timer, exchange_t, timer);

    send_now(x, &(http_answer_t){.code = x->code,
                                 .type = x->type,
                                 .headers = x->headers,
                                 .body = buf_text(&x->body),
                                 .len = x->body.len});
}

void exchange_answer(exchange_t *x, int code, const char *type, const char *headers,
                     const char *text, size_t len)
{
    const http_answer_t a = {code, type, headers, text, len};

    if (x->fault.after == 0) {
        send_now(x, &a);
        return;
    }
    x->code = code;
    x->type = host_xstrdup(type);
    x->headers = headers != NULL ? host_xstrdup(headers) : NULL;
    buf_append(&x->body, text, len);
    loop_timer_init(&x->timer, x->http->o.loop, on_delay_over);
    loop_timer_set(&x->timer, clock_now() + x->fault.after);
}

static void answer_json(exchange_t *x, int code, const char *type, const char *headers,
                        const buf_t *body)
{
    /* Indents can be a thousand times what they indent; such a text is shown without. */
    host_cleanup(buf_fini) buf_t pretty = BUF_INIT_MAX(16 * body->len + 4096);

    if (x->pretty)
        dev_pretty(buf_text(body), body->len, &pretty);
    const buf_t *shown = x->pretty && !pretty.failed ? &pretty : body;
    if (body->failed)
        exchange_answer(x, 500, "text/plain; charset=utf-8", NULL, "out of memory\n", 14);
    else
        exchange_answer(x, code, type, headers, buf_text(shown), shown->len);
}

void exchange_json(exchange_t *x, int code, const char *type, const buf_t *body)
{
    answer_json(x, code, type, NULL, body);
}

/* Appends `Warning: 299 - "text"`; the text is one line of printable characters. */
static void put_warning(const char *text, buf_t *out)
{
    buf_puts(out, "Warning: 299 - \"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            buf_puts(out, "\\");
        buf_append(out, (unsigned char) *c < ' ' ? " " : c, 1);
    }
    buf_puts(out, "\"\r\n");
}

void exchange_reply(exchange_t *x, dev_reply_t *reply)
{
    host_cleanup(buf_fini) buf_t headers = BUF_INIT;

    if (reply->retry_after > 0)
        buf_printf(&headers, "Retry-After: %d\r\n", reply->retry_after);
    for (char *at = reply->warning, *one; (one = strsep(&at, "\n")) != NULL;)
        put_warning(one, &headers);
    if (reply->code == 403)
        buf_puts(&headers, "X-Content-Type-Options: nosniff\r\n");
    answer_json(x, reply->code, "application/json", buf_text(&headers), &reply->body);
    dev_reply_fini(reply);
}

void exchange_refuse(exchange_t *x, dev_status_t *st)
{
    dev_reply_t reply = {.code = st->code, .retry_after = st->retry_after};

    dev_status_print(st, &reply.body);
    dev_status_fini(st);
    exchange_reply(x, &reply);
}

void exchange_fail(exchange_t *x, int code, const char *reason, const char *message)
{
    dev_status_t st = {0};

    (void) dev_refuse(&st, code, reason, "%s", message);
    exchange_refuse(x, &st);
}

void exchange_not_found(exchange_t *x)
{
    exchange_answer(x, 404, "text/plain; charset=utf-8", "X-Content-Type-Options: nosniff\r\n",
                    "404 page not found\n", 19);
}

void exchange_no_resource(exchange_t *x)
{
    exchange_fail(x, 404, "NotFound", "the server could not find the requested resource");
}

void exchange_no_method(exchange_t *x)
{
    exchange_fail(x, 405, "MethodNotAllowed",
                  "the server does not allow this method on the requested resource");
}

void exchange_not_acceptable(exchange_t *x, const char *message)
{
    exchange_fail(x, 406, "NotAcceptable", message);
}

void exchange_cut(exchange_t *x)
{
    http_conn_hold(x->conn, NULL, NULL);
    http_conn_cut(x->conn);
    exchange_free(x);
}

void exchange_free(exchange_t *x)
{
    loop_timer_clear(&x->timer);
    list_remove(&x->link);
    if (x->watch != NULL)
        dev_watch_close(x->watch);
    http_query_fini(&x->query);
    dev_target_fini(&x->target);
    free(x->type);
    free(x->headers);
    buf_fini(&x->body);
    free(x);
}
