/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host table as plain functions, first half: finishing a reconcile and talking to the API
 * server. (cache.h has the cache, service.h the rest.)
 *
 * Contracts stand in host.h. The wrappers add one thing: a function that this host is too old to
 * have fails with LH_ENOSYS and a text instead of a crash.
 */
#ifndef LEASEHOLD_API_H
#define LEASEHOLD_API_H

#include <leasehold/host.h>
#include <leasehold/json.h>

#include <string.h>

/* For the wrappers: the host has no function of this name. [any-thread] */
static inline int lh_absent_(lh_error_t *err, const char *name)
{
    return lh_errorf(err, LH_ENOSYS, "this host does not offer '%s'; it is older than the plugin",
                     name);
}

/* Completes a reconcile; the shorthands below read better. [any-thread] */
static inline void lh_complete(const lh_host_t *host, lh_completion_t completion, uint32_t action,
                               int64_t after_ns, const char *text)
{
    const lh_result_t result = {sizeof(result), action, after_ns, text};

    if (LH_HAS_FIELD(host, complete))
        host->complete(host, completion, &result);
}

/* Nothing more to do until something changes. [any-thread] */
static inline void lh_done(const lh_host_t *host, lh_completion_t completion)
{
    lh_complete(host, completion, LH_DONE, 0, NULL);
}

/* Once more after so many nanoseconds. [any-thread] */
static inline void lh_requeue_after(const lh_host_t *host, lh_completion_t completion,
                                    int64_t after_ns)
{
    lh_complete(host, completion, LH_REQUEUE_AFTER, after_ns, NULL);
}

/* Failed because of text: once more with back-off. [any-thread] */
static inline void lh_retry(const lh_host_t *host, lh_completion_t completion, const char *text)
{
    lh_complete(host, completion, LH_RETRY, 0, text);
}

/* Failed because of text, and not again until something changes. [any-thread] */
static inline void lh_fail(const lh_host_t *host, lh_completion_t completion, const char *text)
{
    lh_complete(host, completion, LH_FAIL, 0, text);
}

/* Done when code is 0; else, code being an error, failed because of err's text (err may be NULL) or
 * what the code says: once more with back-off. [any-thread] */
static inline void lh_complete_code(const lh_host_t *host, lh_completion_t completion, int code,
                                    const lh_error_t *err)
{
    if (code == 0)
        lh_done(host, completion);
    else
        lh_retry(host, completion, lh_error_reason_(code, err));
}

/* Sends a request and waits. Caller owns *out, free with lh_response_release(). [worker-thread]
 * [plugin-thread] */
static inline int lh_call(const lh_host_t *host, lh_ctx_t ctx, const lh_api_request_t *request,
                          lh_response_t **out, lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, call))
        return lh_absent_(err, "call");
    return host->call(host, ctx, request, out, err);
}

/* Sends a request; callback gets the answer on the plugin thread. [any-thread] */
static inline int lh_call_async(const lh_host_t *host, lh_ctx_t ctx,
                                const lh_api_request_t *request, lh_callback_t callback, void *arg,
                                lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, request))
        return lh_absent_(err, "request");
    return host->request(host, ctx, request, callback, arg, err);
}

/* HTTP status of an answer. [any-thread] */
static inline int32_t lh_response_status(const lh_host_t *host, const lh_response_t *response)
{
    return LH_HAS_FIELD(host, response_status) ? host->response_status(host, response) : 0;
}

/* The body, terminated; len may be NULL. Borrowed until the response is released. [any-thread] */
static inline const char *lh_response_text(const lh_host_t *host, const lh_response_t *response,
                                           size_t *len)
{
    if (LH_HAS_FIELD(host, response_text))
        return host->response_text(host, response, len);
    if (len != NULL)
        *len = 0;
    return "";
}

/* The body for json.h. Borrowed until the response is released. [any-thread] */
static inline lh_json_t lh_response_json(const lh_host_t *host, const lh_response_t *response)
{
    size_t len = 0;
    const char *text = lh_response_text(host, response, &len);

    return lh_json_text(text, len);
}

/* NULL is allowed. [any-thread] */
static inline void lh_response_release(const lh_host_t *host, lh_response_t *response)
{
    if (LH_HAS_FIELD(host, response_release))
        host->response_release(host, response);
}

/*
 * The short form of lh_call(): the path is printed, body is JSON text or NULL, a PATCH is a JSON
 * merge patch, time-out and all else are the defaults. out may be NULL when the answer does not
 * matter; otherwise caller owns *out, free with lh_response_release().
 *   lh_callf(host, ctx, "GET", NULL, &pod, err, "/api/v1/namespaces/%s/pods/%s", ns, name);
 * [worker-thread] [plugin-thread]
 */
__attribute__((format(printf, 7, 8))) static inline int
lh_callf(const lh_host_t *host, lh_ctx_t ctx, const char *method, const char *body,
         lh_response_t **out, lh_error_t *err, const char *path_format, ...)
{
    char path[2048];
    lh_api_request_t request;
    lh_response_t *response = NULL;
    va_list args;
    int ret;

    va_start(args, path_format);
    ret = vsnprintf(path, sizeof(path), path_format, args);
    va_end(args);
    if (ret < 0 || (size_t) ret >= sizeof(path))
        return lh_errorf(err, LH_ETOOBIG, "path '%.60s...' is too long", path);
    memset(&request, 0, sizeof(request));
    request.struct_size = sizeof(request);
    request.method = method;
    request.path = path;
    request.content_type = strcmp(method, "PATCH") == 0 ? "application/merge-patch+json" : NULL;
    request.body = body;
    request.body_len = body != NULL ? strlen(body) : 0;
    ret = lh_call(host, ctx, &request, &response, err);
    if (ret < 0)
        return ret;
    if (out != NULL)
        *out = response;
    else
        lh_response_release(host, response);
    return 0;
}

#endif
