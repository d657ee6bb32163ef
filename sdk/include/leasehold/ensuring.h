/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind ensure_async.h: an operation that goes from answer to answer. */
#ifndef LEASEHOLD_ENSURING_H
#define LEASEHOLD_ENSURING_H

#include <leasehold/ensure.h>

/* How it ended: code 0, what was done (LH_UNCHANGED, LH_CREATED, LH_CHANGED) and err NULL, or an
 * error with its text, borrowed. Called exactly once: on the thread that began it before that call
 * returns, when no request was needed or it could not be sent, else on the plugin thread, also when
 * the term or the instance ends (LH_ECANCELED, LH_EFENCED, LH_EUNKNOWN). [any-thread] */
typedef void (*lh_ensured_t)(void *arg, int code, uint32_t outcome, const lh_error_t *err);

/* One that is under way; its texts follow it. */
typedef struct lh_ensuring_ {
    const lh_host_t *host;
    lh_ctx_t ctx;
    lh_ref_t ref;
    uint32_t watch;
    const char *wanted;
    lh_ensured_t done; /* NULL: completion is what waits for it */
    void *arg;
    lh_completion_t completion;
    int tries, cached;
    int planned; /* what was sent; LH_ENSURE_READ_: a GET */
} lh_ensuring_t_;

enum { LH_ENSURE_READ_ = -1 };

/* Tells whoever waits. [any-thread] */
static inline void lh_ensuring_tell_(const lh_ensuring_t_ *op, int code, const lh_error_t *err)
{
    if (op->done == NULL)
        lh_complete_code(op->host, op->completion, code, code < 0 ? err : NULL);
    else if (code < 0)
        op->done(op->arg, code, LH_UNCHANGED, err);
    else
        op->done(op->arg, 0, (uint32_t) op->planned, NULL);
}

/* The end; frees op. [any-thread] */
static inline void lh_ensuring_end_(lh_ensuring_t_ *op, int code, const lh_error_t *err)
{
    lh_ensuring_tell_(op, code, err);
    free(op);
}

/* Defined below: what follows the answer. [plugin-thread] */
static inline void lh_ensuring_answered_(void *arg, int code, lh_response_t *response,
                                         const lh_error_t *err);

/* Sends op's next request; op is not the caller's any more. [any-thread] */
static inline void lh_ensuring_send_(lh_ensuring_t_ *op, int planned, const char *body)
{
    lh_api_request_t request;
    lh_ref_t to = op->ref;
    char path[LH_PATH_SIZE];
    lh_error_t err;

    memset(&request, 0, sizeof(request));
    request.struct_size = sizeof(request);
    request.method = planned == LH_CREATED ? "POST" : planned == LH_CHANGED ? "PATCH" : "GET";
    request.path = path;
    request.content_type = planned == LH_CHANGED ? "application/merge-patch+json" : NULL;
    request.body = body;
    request.body_len = body != NULL ? strlen(body) : 0;
    if (planned == LH_CREATED && to.sub == NULL)
        to.name = NULL;
    op->planned = planned;
    int ret = lh_ref_path(&to, path, sizeof(path), &err);
    if (ret == 0)
        ret = lh_call_async(op->host, op->ctx, &request, lh_ensuring_answered_, op, &err);
    if (ret < 0)
        lh_ensuring_end_(op, ret, &err);
}

/* actual is what there is, as in lh_ensure_plan_(). op is not the caller's any more. [any-thread] */
static inline void lh_ensuring_by_(lh_ensuring_t_ *op, lh_json_t actual, int cached)
{
    char *body = NULL;
    lh_error_t err;
    const int planned = lh_ensure_plan_(&op->ref, actual,
                                        lh_json_text(op->wanted, strlen(op->wanted)), &body, &err);

    op->cached = cached;
    op->planned = planned;
    if (planned > LH_UNCHANGED)
        lh_ensuring_send_(op, planned, body);
    else
        lh_ensuring_end_(op, planned, planned < 0 ? &err : NULL); /* LH_UNCHANGED is 0 */
    free(body);
}

/* The first try, by the cache. op is not the caller's any more. [any-thread] */
static inline void lh_ensuring_cached_(lh_ensuring_t_ *op)
{
    const lh_key_t key = lh_key_of(op->watch, op->ref.ns != NULL ? op->ref.ns : "", op->ref.name);
    const lh_host_t *const host = op->host;
    const lh_json_t nothing = {NULL, 0};
    lh_snapshot_t *object = NULL;
    lh_error_t err;
    const int ret = lh_cache_get(host, op->ctx, &key, &object, &err);

    if (ret == 0)
        lh_ensuring_by_(op, lh_snapshot_json(host, object), 1);
    else if (ret == LH_ENOTFOUND)
        lh_ensuring_by_(op, nothing, 0);
    else
        lh_ensuring_end_(op, ret, &err);
    lh_snapshot_release(host, object);
}

static inline void lh_ensuring_answered_(void *arg, int code, lh_response_t *response,
                                         const lh_error_t *err)
{
    lh_ensuring_t_ *const op = (lh_ensuring_t_ *) arg;
    const lh_host_t *const host = op->host;
    const lh_json_t nothing = {NULL, 0};

    if (op->planned == LH_ENSURE_READ_ && (code == 0 || code == LH_ENOTFOUND))
        lh_ensuring_by_(op, code == 0 ? lh_response_json(host, response) : nothing, 0);
    else if (lh_ensure_missed_(op->planned, op->cached, code) && ++op->tries < LH_ENSURE_TRIES_)
        lh_ensuring_send_(op, LH_ENSURE_READ_, NULL);
    else
        lh_ensuring_end_(op, code, err);
    lh_response_release(host, response);
}

/* Copies a text to *at, which moves on; NULL stays NULL. [any-thread] */
static inline const char *lh_ensuring_text_(char **at, const char *text)
{
    const size_t size = text != NULL ? strlen(text) + 1 : 0;
    char *const copy = *at;

    if (text == NULL)
        return NULL;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

/* A copy of `how` with texts of its own, or NULL. Caller owns, free(). [any-thread] */
static inline lh_ensuring_t_ *lh_ensuring_copy_(const lh_ensuring_t_ *how)
{
    const char *const texts[] = {how->ref.api_version, how->ref.resource, how->ref.ns,
                                 how->ref.name,        how->ref.sub,      how->wanted};
    size_t size = sizeof(*how);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        size += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
    lh_ensuring_t_ *const op = (lh_ensuring_t_ *) malloc(size);
    if (op == NULL)
        return NULL;
    char *at = (char *) (op + 1);
    *op = *how;
    op->ref.api_version = lh_ensuring_text_(&at, how->ref.api_version);
    op->ref.resource = lh_ensuring_text_(&at, how->ref.resource);
    op->ref.ns = lh_ensuring_text_(&at, how->ref.ns);
    op->ref.name = lh_ensuring_text_(&at, how->ref.name);
    op->ref.sub = lh_ensuring_text_(&at, how->ref.sub);
    op->wanted = lh_ensuring_text_(&at, how->wanted);
    return op;
}

/* Begins what `how` says; its texts are borrowed. [any-thread] */
static inline void lh_ensuring_begin_(const lh_ensuring_t_ *how)
{
    const int complete = how->wanted != NULL && how->ref.name != NULL;
    lh_ensuring_t_ *const op = complete ? lh_ensuring_copy_(how) : NULL;
    lh_error_t err;

    if (op == NULL) {
        const int code = how->ref.name == NULL ? LH_EINVAL : LH_ENOMEM;
        (void) lh_errorf(&err, code, "create or patch: %s",
                         how->ref.name == NULL ? "no name" : "out of memory");
        lh_ensuring_tell_(how, code, &err);
    } else if (op->watch != LH_NO_WATCH) {
        lh_ensuring_cached_(op);
    } else {
        lh_ensuring_send_(op, LH_ENSURE_READ_, NULL);
    }
}

#endif
