/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_kube.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>

struct kube_client {
    fake_kube_t *fake;
};

struct kube_discovery {
    fake_kube_t *fake;
};

struct kube_call {
    list_t link;
    kube_request_t request; /* its path and accept are ours */
    kube_actor_t actor;     /* of request.as */
    size_t number;
    bool in_callback, answered;
};

struct kube_lookup {
    list_t link;
    char *resource;
    void (*fn)(void *arg, int code, const kube_kind_t *kind, const lh_error_t *err,
               int64_t retry_after);
    void *arg;
};

struct fake_kube {
    kube_client_t client;
    kube_discovery_t discovery;
    list_t calls, lookups;
    size_t sent, open, lookup_count, fresh_count;
    unsigned minor;
    char *last_path;
    bool installed;
    int lookup_code;
    int64_t lookup_retry_after;
    kube_kind_t kind;
    const char *other; /* a resource with a kind of its own */
    kube_kind_t other_kind;
};

fake_kube_t *fake_kube_create(void)
{
    static char kind[] = "ConfigMap";
    fake_kube_t *f = host_xcalloc(1, sizeof(*f));

    f->client.fake = f->discovery.fake = f;
    f->installed = true;
    f->kind = (kube_kind_t){.kind = kind, .namespaced = true, .watchable = true};
    list_init(&f->calls);
    list_init(&f->lookups);
    return f;
}

static fake_kube_t *owner_of(kube_call_t *call)
{
    return (fake_kube_t *) call->request.fence; /* unused by reads: keeps the owner */
}

static void free_call(kube_call_t *call)
{
    owner_of(call)->open--;
    list_remove(&call->link);
    free((void *) call->request.path);
    free((void *) call->request.accept);
    free((void *) call->actor.user);
    free((void *) call->actor.holder);
    free(call);
}

static void free_lookup(kube_lookup_t *l)
{
    free(l->resource);
    free(l);
}

void fake_kube_destroy(fake_kube_t *f)
{
    LIST_EACH (&f->calls, it, next) {
        free_call(LIST_ENTRY(it, kube_call_t, link));
    }
    LIST_EACH (&f->lookups, it, next) {
        free_lookup(LIST_ENTRY(it, kube_lookup_t, link));
    }
    free(f->last_path);
    free(f);
}

kube_client_t *fake_kube_client(fake_kube_t *f)
{
    return &f->client;
}

kube_discovery_t *fake_kube_discovery(fake_kube_t *f)
{
    return &f->discovery;
}

/* -- What the code under test calls -- */

int kube_client_send(kube_client_t *c, const kube_request_t *request, kube_call_t **out,
                     lh_error_t *err)
{
    fake_kube_t *f = c->fake;
    kube_call_t *call = host_xcalloc(1, sizeof(*call));

    (void) err;
    call->request = *request;
    call->request.path = host_xstrdup(request->path);
    call->request.accept = request->accept != NULL ? host_xstrdup(request->accept) : NULL;
    if (request->as != NULL) {
        call->actor = (kube_actor_t){.user = host_xstrdup(request->as->user),
                                     .holder = host_xstrdup(request->as->holder),
                                     .term = request->as->term};
        call->request.as = &call->actor;
    }
    call->request.fence = (fence_t *) f;
    list_append(&f->calls, &call->link);
    call->number = ++f->sent;
    f->open++;
    free(f->last_path);
    f->last_path = host_xstrdup(request->path);
    *out = call;
    return 0;
}

void kube_call_cancel(kube_call_t *call)
{
    if (call->in_callback)
        abort();
    free_call(call);
}

int kube_call_status(const kube_call_t *call)
{
    return call->answered ? 200 : 0;
}

int kube_discovery_lookup(kube_discovery_t *d, const kube_gvr_t *gvr, bool fresh,
                          void (*fn)(void *arg, int code, const kube_kind_t *kind,
                                     const lh_error_t *err, int64_t retry_after),
                          void *arg, kube_lookup_t **out, lh_error_t *err)
{
    kube_lookup_t *l = host_xcalloc(1, sizeof(*l));

    (void) err;
    l->resource = host_xstrdup(gvr->resource);
    l->fn = fn;
    l->arg = arg;
    list_append(&d->fake->lookups, &l->link);
    d->fake->lookup_count++;
    d->fake->fresh_count += fresh;
    *out = l;
    return 0;
}

unsigned kube_discovery_minor(const kube_discovery_t *d)
{
    return d->fake->minor;
}

void kube_lookup_cancel(kube_lookup_t *l)
{
    list_remove(&l->link);
    free_lookup(l);
}

/* -- What the test calls -- */

void fake_kube_set_kind(fake_kube_t *f, const kube_kind_t *kind)
{
    f->installed = kind != NULL;
    if (kind != NULL)
        f->kind = *kind;
}

void fake_kube_set_kind_of(fake_kube_t *f, const char *resource, const kube_kind_t *kind)
{
    f->other = resource;
    f->other_kind = *kind;
}

void fake_kube_set_minor(fake_kube_t *f, unsigned minor)
{
    f->minor = minor;
}

void fake_kube_fail_lookups(fake_kube_t *f, int code, int64_t retry_after)
{
    f->lookup_code = code;
    f->lookup_retry_after = retry_after;
}

size_t fake_kube_lookups(const fake_kube_t *f)
{
    return f->lookup_count;
}

size_t fake_kube_fresh_lookups(const fake_kube_t *f)
{
    return f->fresh_count;
}

void fake_kube_answer_lookups(fake_kube_t *f)
{
    list_t *node;

    while ((node = list_pop(&f->lookups)) != NULL) {
        kube_lookup_t *l = LIST_ENTRY(node, kube_lookup_t, link);
        int code = f->lookup_code != 0 ? f->lookup_code : f->installed ? 0 : LH_ENOTFOUND;
        bool other = f->other != NULL && strcmp(l->resource, f->other) == 0;
        lh_error_t err;

        if (code == LH_ENOTFOUND)
            host_error_set(&err, code, "resource '%s' is not installed", l->resource);
        else
            host_error_set(&err, code, "lookup: %s", lh_strerror(code));
        l->fn(l->arg, code,
              code != 0 ? NULL
              : other   ? &f->other_kind
                        : &f->kind,
              &err, f->lookup_retry_after);
        free_lookup(l);
    }
}

size_t fake_kube_sent(const fake_kube_t *f)
{
    return f->sent;
}

size_t fake_kube_open(const fake_kube_t *f)
{
    return f->open;
}

const char *fake_kube_last_path(const fake_kube_t *f)
{
    return f->last_path != NULL ? f->last_path : "";
}

kube_call_t *fake_kube_next(fake_kube_t *f, kube_call_t *before, const char *part)
{
    for (list_t *it = before != NULL ? before->link.next : f->calls.next; it != &f->calls;
         it = it->next) {
        kube_call_t *call = LIST_ENTRY(it, kube_call_t, link);

        if (strstr(call->request.path, part) != NULL)
            return call;
    }
    return NULL;
}

kube_call_t *fake_kube_find(fake_kube_t *f, const char *part)
{
    return fake_kube_next(f, NULL, part);
}

const kube_request_t *fake_kube_request(const kube_call_t *call)
{
    return &call->request;
}

size_t fake_kube_number(const kube_call_t *call)
{
    return call->number;
}

static void finish(kube_call_t *call, kube_result_t *result)
{
    call->in_callback = true;
    call->request.on_done(call->request.arg, result);
    free_call(call);
}

static bool give(kube_call_t *call, const char *data, size_t len)
{
    kube_result_t result = {.status = 200, .reason = "", .body = "", .sent_at = clock_now()};

    call->in_callback = call->answered = true;
    result.code = call->request.on_data(call->request.arg, data, len, &result.error);
    call->in_callback = false;
    if (result.code < 0)
        finish(call, &result);
    return result.code == 0;
}

void fake_kube_head(kube_call_t *call)
{
    call->answered = true;
}

bool fake_kube_data(kube_call_t *call, const char *text)
{
    return give(call, text, strlen(text));
}

bool fake_kube_pieces(kube_call_t *call, const char *text, size_t n)
{
    for (size_t len = strlen(text); len > 0;) {
        size_t piece = HOST_MIN(n, len);

        if (!give(call, text, piece))
            return false;
        text += piece;
        len -= piece;
    }
    return true;
}

static int code_of(int status)
{
    switch (status) {
    case 401:
        return LH_EUNAUTHORIZED;
    case 403:
        return LH_EFORBIDDEN;
    case 404:
        return LH_ENOTFOUND;
    case 410:
        return LH_EGONE;
    case 429:
        return LH_ETHROTTLED;
    default:
        return status < 300 ? 0 : status < 500 ? LH_EAPI : LH_EUNAVAILABLE;
    }
}

static void end_with(kube_call_t *call, int status, const char *body, int64_t retry_after)
{
    kube_result_t result = {.code = code_of(status),
                            .status = status,
                            .reason = "",
                            .body = body,
                            .body_len = strlen(body),
                            .sent_at = clock_now(),
                            .named_status = strstr(body, "\"kind\":\"Status\"") != NULL,
                            .retry_after = retry_after};

    if (result.code != 0)
        host_error_set(&result.error, result.code, "the server answered %d", status);
    finish(call, &result);
}

void fake_kube_end(kube_call_t *call, int status, const char *body)
{
    end_with(call, status, body, 0);
}

void fake_kube_end_later(kube_call_t *call, int status, int64_t retry_after)
{
    end_with(call, status, "", retry_after);
}

void fake_kube_cut(kube_call_t *call)
{
    kube_result_t result = {.code = LH_EIO, .status = 200, .reason = "", .body = ""};

    host_error_set(&result.error, LH_EIO, "the connection broke");
    finish(call, &result);
}

void fake_kube_refuse(kube_call_t *call)
{
    kube_result_t result = {.code = LH_EUNAVAILABLE, .reason = "", .body = ""};

    host_error_set(&result.error, LH_EUNAVAILABLE, "connection refused");
    finish(call, &result);
}
