/* SPDX-License-Identifier: Apache-2.0 */
/* /devapi/faults, and what its rules do to requests; faults.h says what it takes. */
#include "devapi/http_impl.h"

#include "base/clock.h"

#include <string.h>

static dev_fault_subject_t subject_of(const exchange_t *x)
{
    const dev_target_t *t = &x->target;

    return (dev_fault_subject_t){.verb = x->verb,
                                 .group = t->group,
                                 .resource = t->plural,
                                 .subresource = t->sub,
                                 .ns = t->ns,
                                 .name = t->name,
                                 .user_agent = http_head_get(x->head, "User-Agent")};
}

/* -- Rules -- */

static void answer_status(exchange_t *x)
{
    static const struct {
        int code;
        const char *reason;
    } reasons[] = {{401, "Unauthorized"},    {403, "Forbidden"},     {404, "NotFound"},
                   {409, "Conflict"},        {410, "Expired"},       {422, "Invalid"},
                   {429, "TooManyRequests"}, {500, "InternalError"}, {503, "ServiceUnavailable"},
                   {504, "Timeout"}};
    dev_status_t st = {.retry_after = x->fault.retry_after};
    const char *reason = "";

    for (size_t i = 0; i < HOST_LEN(reasons); i++)
        reason = reasons[i].code == x->fault.status ? reasons[i].reason : reason;
    (void) dev_refuse(&st, x->fault.status, reason, "a fault on demand: %d", x->fault.status);
    exchange_refuse(x, &st);
}

static void go_on(exchange_t *x)
{
    if (x->fault.refuse)
        exchange_cut(x);
    else if (x->fault.status != 0)
        answer_status(x);
    else
        exchange_serve(x);
}

static void on_delay_over(loop_timer_t *timer)
{
    go_on(HOST_CONTAINER(timer, exchange_t, timer));
}

bool exchange_disturb(exchange_t *x)
{
    const dev_fault_subject_t subject = subject_of(x);

    if (x->http->faults == NULL || !x->target.resource || x->target.plural == NULL ||
        !dev_faults_match(x->http->faults, &subject, &x->fault))
        return true;
    if (x->fault.before > 0) {
        loop_timer_init(&x->timer, x->http->o.loop, on_delay_over);
        loop_timer_set(&x->timer, clock_now() + x->fault.before);
    } else {
        go_on(x);
    }
    return false;
}

/* -- What is done at once -- */

static void answer_done(exchange_t *x, int watches)
{
    host_cleanup(host_freep) char *text =
        watches >= 0 ? host_xprintf("{\"watches\":%d}\n", watches) : host_xstrdup("{}\n");

    exchange_answer(x, 200, "application/json", NULL, text, strlen(text));
}

static void do_compact(exchange_t *x)
{
    dev_core_compact(x->http->o.core);
    answer_done(x, -1);
}

static void do_bookmarks(exchange_t *x)
{
    answer_done(x, dev_core_bookmarks(x->http->o.core));
}

static void do_clock(exchange_t *x)
{
    const buf_t *body = http_conn_body(x->conn);
    cJSON *json = cJSON_ParseWithLength(buf_text(body), body->len);
    const cJSON *shift = cJSON_GetObjectItemCaseSensitive(json, "shiftSeconds");
    const bool fine =
        cJSON_IsNumber(shift) && shift->valuedouble > -1e9 && shift->valuedouble < 1e9;

    if (fine)
        dev_core_shift_clock(x->http->o.core, (int64_t) (shift->valuedouble * (double) CLOCK_S));
    cJSON_Delete(json);
    if (fine)
        answer_done(x, -1);
    else
        exchange_fail(x, 400, "BadRequest", "{\"shiftSeconds\": NUMBER} is expected");
}

static void cut(exchange_t *watch)
{
    exchange_cut(watch);
}

static void freeze(exchange_t *watch)
{
    dev_watch_freeze(watch->watch, true);
}

static void thaw(exchange_t *watch)
{
    dev_watch_freeze(watch->watch, false);
}

static void each_watch(exchange_t *x, void (*act)(exchange_t *watch))
{
    const buf_t *body = http_conn_body(x->conn);
    dev_status_t st = {0};
    int count = 0, ret = 0;

    LIST_EACH (&x->http->exchanges, it, tmp) {
        exchange_t *other = LIST_ENTRY(it, exchange_t, link);
        const dev_fault_subject_t subject = subject_of(other);

        if (other->watch == NULL || ret < 0)
            continue;
        ret = dev_faults_fits(buf_text(body), body->len, &subject, &st);
        if (ret > 0) {
            act(other);
            count++;
        }
    }
    if (ret < 0)
        exchange_refuse(x, &st);
    else
        answer_done(x, count);
}

static void do_cut(exchange_t *x)
{
    each_watch(x, cut);
}

static void do_freeze(exchange_t *x)
{
    each_watch(x, freeze);
}

static void do_thaw(exchange_t *x)
{
    each_watch(x, thaw);
}

/* -- The rules' document -- */

static void show(exchange_t *x)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    dev_faults_print(x->http->faults, &out);
    exchange_json(x, 200, "application/json", &out);
}

static void set(exchange_t *x)
{
    const buf_t *body = http_conn_body(x->conn);
    dev_status_t st = {0};

    if (dev_faults_set(x->http->faults, buf_text(body), body->len, &st) < 0)
        exchange_refuse(x, &st);
    else
        show(x);
}

static void clear(exchange_t *x)
{
    dev_faults_clear(x->http->faults);
    show(x);
}

void exchange_faults(exchange_t *x)
{
    static const struct {
        const char *method, *path;
        void (*act)(exchange_t *x);
    } routes[] = {
        {"GET", "/devapi/faults", show},
        {"PUT", "/devapi/faults", set},
        {"DELETE", "/devapi/faults", clear},
        {"POST", "/devapi/faults/compact", do_compact},
        {"POST", "/devapi/faults/cut-watches", do_cut},
        {"POST", "/devapi/faults/freeze-watches", do_freeze},
        {"POST", "/devapi/faults/thaw-watches", do_thaw},
        {"POST", "/devapi/faults/bookmarks", do_bookmarks},
        {"POST", "/devapi/faults/clock", do_clock},
    };
    bool known = false;

    for (size_t i = 0; i < HOST_LEN(routes); i++) {
        if (strcmp(routes[i].path, x->head->path) != 0)
            continue;
        known = true;
        if (strcmp(routes[i].method, x->head->method) == 0) {
            routes[i].act(x);
            return;
        }
    }
    if (known)
        exchange_no_method(x);
    else
        exchange_not_found(x);
}
