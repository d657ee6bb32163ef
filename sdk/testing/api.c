/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the plugin: checked, recorded, answered by a script or by the store. */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};

static bool printable(const char *s, bool blanks)
{
    for (; *s != '\0'; s++) {
        if ((*s < '!' || *s > '~') && !(blanks && *s == ' '))
            return false;
    }
    return true;
}

int fake_request_check(lh_fake_t *f, const lh_api_request_t *r, lh_error_t *err)
{
    size_t i = 0;

    if (r->struct_size < sizeof(*r)) {
        fake_fault(f, "an lh_api_request_t without its struct_size");
        return lh_errorf(err, LH_EINVAL, "request: struct_size is %u", r->struct_size);
    }
    while (methods[i] != NULL && (r->method == NULL || strcmp(methods[i], r->method) != 0))
        i++;
    if (methods[i] == NULL)
        return lh_errorf(err, LH_EINVAL,
                         "request: method is none of GET, POST, PUT, PATCH, DELETE");
    if (r->path == NULL ||
        (strncmp(r->path, "/api/", 5) != 0 && strncmp(r->path, "/apis/", 6) != 0))
        return lh_errorf(err, LH_EINVAL, "request: path does not begin with /api/ or /apis/");
    if (strlen(r->path) > 8192 || !printable(r->path, false))
        return lh_errorf(err, LH_EINVAL,
                         "request: path is too long or holds characters that must be "
                         "percent-encoded");
    if (r->content_type != NULL &&
        (strlen(r->content_type) > 256 || !printable(r->content_type, true)))
        return lh_errorf(err, LH_EINVAL, "request: content_type is not a media type");
    if (r->body == NULL && r->body_len > 0)
        return lh_errorf(err, LH_EINVAL, "request: body is NULL but body_len is not 0");
    if (r->body_len > UINT64_C(3) << 20)
        return lh_errorf(err, LH_ETOOBIG, "request: body is larger than 3 MiB");
    return 0;
}

/* -- Answers -- */

static bool matches(const char *method, const char *prefix, const char *of_method,
                    const char *of_path)
{
    return (method == NULL || strcmp(method, of_method) == 0) &&
           strncmp(of_path, prefix, strlen(prefix)) == 0;
}

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{400, "BadRequest"}, {401, "Unauthorized"},      {403, "Forbidden"},
                   {404, "NotFound"},   {409, "Conflict"},          {410, "Expired"},
                   {422, "Invalid"},    {429, "TooManyRequests"},   {500, "InternalError"},
                   {504, "Timeout"},    {503, "ServiceUnavailable"}};

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

/* The script for this request, used up by one; NULL: none. */
static fake_script_t *take_script(lh_fake_t *f, const lh_api_request_t *r)
{
    for (size_t i = 0; i < f->scripts.count; i++) {
        fake_script_t *s = f->scripts.items[i];
        if (s->used_up || !matches(s->method, s->prefix, r->method, r->path))
            continue;
        s->used_up = s->left == 1;
        if (s->left > 1)
            s->left--;
        return s;
    }
    return NULL;
}

static fake_answer_t answer(lh_fake_t *f, const lh_api_request_t *r)
{
    const fake_script_t *s = take_script(f, r);

    if (s == NULL)
        return fake_serve(f, r);
    if (s->status < 0)
        return (fake_answer_t){s->status, fake_dup("")};
    if (s->body != NULL)
        return (fake_answer_t){s->status, fake_dup(s->body)};
    return fake_status(s->status, reason_of(s->status), "scripted: %s %s", r->method, r->path);
}

/* What the host makes of an HTTP status and a reason. */
static int code_of(int status, const char *reason)
{
    static const struct {
        int status, code;
    } codes[] = {{401, LH_EUNAUTHORIZED}, {403, LH_EFORBIDDEN},   {404, LH_ENOTFOUND},
                 {408, LH_ETIMEDOUT},     {409, LH_ECONFLICT},    {410, LH_EGONE},
                 {413, LH_ETOOBIG},       {429, LH_ETHROTTLED},   {500, LH_EUNAVAILABLE},
                 {502, LH_EUNAVAILABLE},  {503, LH_EUNAVAILABLE}, {504, LH_ETIMEDOUT}};

    if (status < 0)
        return status;
    if (status >= 200 && status < 300)
        return 0;
    if (status == 409 && strcmp(reason, "AlreadyExists") == 0)
        return LH_EEXISTS;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].status == status)
            return codes[i].code;
    }
    return LH_EAPI;
}

static int judge(const lh_api_request_t *r, const fake_answer_t *a, lh_error_t *err)
{
    cJSON *tree = a->status >= 0 ? cJSON_Parse(a->body) : NULL;
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(tree, "reason");
    const cJSON *message = cJSON_GetObjectItemCaseSensitive(tree, "message");
    const int code = code_of(a->status, cJSON_IsString(reason) ? reason->valuestring : "");

    if (code < 0) {
        (void) lh_errorf(err, code, "%s %.200s: %s", r->method, r->path,
                         cJSON_IsString(message) ? message->valuestring : lh_strerror(code));
        if (err != NULL)
            err->status = a->status > 0 ? a->status : 0;
    }
    cJSON_Delete(tree);
    return code;
}

static lh_fake_call_t *record(lh_fake_t *f, const lh_api_request_t *r)
{
    lh_fake_call_t *call = fake_alloc(sizeof(*call));

    call->method = fake_keep(f, fake_dup(r->method));
    call->path = fake_keep(f, fake_dup(r->path));
    call->content_type =
        fake_keep(f, fake_dup(r->content_type != NULL ? r->content_type : "application/json"));
    call->body =
        fake_keep(f, fake_printf("%.*s", (int) r->body_len, r->body != NULL ? r->body : ""));
    fake_push(&f->calls, call);
    return call;
}

/* Under the lock, which is let go for the hook. */
int fake_send(lh_fake_t *f, lh_ctx_t ctx, const lh_api_request_t *r, lh_response_t **out,
              lh_error_t *err)
{
    int ret = fake_request_check(f, r, err);

    if (ret == 0)
        ret = fake_ctx_check(f, ctx, err);
    if (ret < 0)
        return ret;
    lh_fake_call_t *call = record(f, r);
    if (f->hook != NULL) {
        pthread_mutex_unlock(&f->lock);
        f->hook(f, call, f->hook_arg);
        pthread_mutex_lock(&f->lock);
        /* Dead by now: a read is cut off; a write would have been sent already. */
        if (strcmp(r->method, "GET") == 0)
            call->code = fake_ctx_check(f, ctx, err);
        if (call->code < 0)
            return call->code;
    }
    const fake_answer_t a = answer(f, r);
    call->status = a.status > 0 ? a.status : 0;
    call->code = judge(r, &a, err);
    if (call->code == 0) {
        fake_handle_t *h = fake_handle_create(f, FAKE_RESPONSE, a.body);
        h->status = a.status;
        *out = (lh_response_t *) h;
    }
    free(a.body);
    return call->code;
}

static int call(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *request,
                lh_response_t **out, lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);

    if (out == NULL || request == NULL)
        return lh_errorf(err, LH_EINVAL, "call: request or out is NULL");
    pthread_mutex_lock(&f->lock);
    const int ret = f->in_plugin && pthread_equal(pthread_self(), f->thread)
                        ? fake_send(f, ctx, request, out, err)
                        : lh_errorf(err, LH_ESTATE,
                                    "call: blocks, so it is for worker and plugin "
                                    "threads; use request()");
    pthread_mutex_unlock(&f->lock);
    return ret;
}

void fake_table_api(lh_host_t *host)
{
    host->call = call;
}

/* -- The test's side -- */

void lh_fake_answer(lh_fake_t *f, const char *method, const char *path_prefix, int status,
                    const char *body, unsigned times)
{
    fake_script_t *s = fake_alloc(sizeof(*s));

    s->method = method != NULL ? fake_keep(f, fake_dup(method)) : NULL;
    s->prefix = fake_keep(f, fake_dup(path_prefix));
    if (body != NULL) {
        cJSON *tree = fake_parse(body);
        s->body = fake_keep(f, cJSON_PrintUnformatted(tree));
        cJSON_Delete(tree);
    }
    s->status = status;
    s->left = times;
    fake_push(&f->scripts, s);
}

void lh_fake_on_call(lh_fake_t *f, lh_fake_hook_t hook, void *arg)
{
    f->hook = hook;
    f->hook_arg = arg;
}

const lh_fake_call_t *lh_fake_call(lh_fake_t *f, const char *method, const char *path_prefix,
                                   size_t index)
{
    for (size_t i = f->calls_from; i < f->calls.count; i++) {
        const lh_fake_call_t *c = f->calls.items[i];
        if (matches(method, path_prefix, c->method, c->path) && index-- == 0)
            return c;
    }
    return NULL;
}

size_t lh_fake_calls(lh_fake_t *f, const char *method, const char *path_prefix)
{
    size_t count = 0;

    while (lh_fake_call(f, method, path_prefix, count) != NULL)
        count++;
    return count;
}

size_t lh_fake_writes(lh_fake_t *f)
{
    return lh_fake_calls(f, NULL, "/") - lh_fake_calls(f, "GET", "/");
}

void lh_fake_forget(lh_fake_t *f)
{
    f->calls_from = f->calls.count;
}
