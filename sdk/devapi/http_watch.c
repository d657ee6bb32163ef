/* SPDX-License-Identifier: Apache-2.0 */
/* Watches as answers that do not end. */
#include "devapi/http_impl.h"

static void on_frame(void *arg, const char *data, size_t len)
{
    http_conn_send(((exchange_t *) arg)->conn, data, len);
}

static void on_ended(void *arg)
{
    exchange_t *x = arg;
    http_conn_t *conn = x->conn;

    x->watch = NULL;
    http_conn_hold(conn, NULL, NULL);
    exchange_free(x);
    http_conn_end(conn);
}

void exchange_watch(exchange_t *x, const dev_request_t *r)
{
    const dev_sink_t sink = {on_frame, on_ended, x};
    dev_reply_t reply = {0};

    if (dev_watch_open(x->http->o.core, r, &sink, &x->watch, &reply) < 0) {
        x->watch = NULL;
        exchange_reply(x, &reply);
        return;
    }
    if (x->fault.cut) {
        exchange_cut(x);
        return;
    }
    if (x->fault.freeze)
        dev_watch_freeze(x->watch, true);
    http_conn_stream(x->conn, &(http_answer_t){.code = 200,
                                               .type = "application/json",
                                               .headers = "Cache-Control: no-cache, private\r\n"});
}
