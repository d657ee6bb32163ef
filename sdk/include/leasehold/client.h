/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of the API server: get, create, update, patch, delete. (list.h lists, apply.h has
 * server-side apply; ensure.h and retry.h write only what differs.)
 *
 *   const lh_ref_t web = lh_ref_of("apps/v1", "deployments", ns, "web");
 *   lh_response_t *answer = NULL;
 *   ret = lh_get(host, ctx, &web, &answer, err);
 *   ...
 *   lh_response_release(host, answer);
 *
 * All of them wait for the answer, at most 30 s, and so are for worker and plugin threads (LH_ESTATE
 * elsewhere). They return 0 or what lh_call() returns: LH_ENOTFOUND, LH_ECONFLICT, LH_EEXISTS,
 * LH_EFENCED, LH_EUNKNOWN, ..., with the server's sentence in err. A body is the text of one JSON
 * object, borrowed during the call. out may be NULL; otherwise it is set on success only, to the
 * object as the server has it now, and the caller owns it: free with lh_response_release(). Without
 * waiting: lh_call_async() with the path of lh_ref_path().
 */
#ifndef LEASEHOLD_CLIENT_H
#define LEASEHOLD_CLIENT_H

#include <leasehold/api.h>
#include <leasehold/ref.h>

#define LH_PATH_SIZE 8192 /* the longest path, query included, with its end */

/* Kinds of patches. */
enum {
    LH_PATCH_MERGE = 0,    /* RFC 7386: objects are merged, lists replaced, null removes */
    LH_PATCH_JSON = 1,     /* RFC 6902: a list of operations */
    LH_PATCH_STRATEGIC = 2 /* lists are merged by their keys; not for custom resources */
};

/* What becomes of the objects that a deleted one owns. */
enum {
    LH_PROPAGATION_DEFAULT = 0, /* as the kind has it; background for nearly all */
    LH_PROPAGATION_BACKGROUND = 1,
    LH_PROPAGATION_FOREGROUND = 2, /* they go first */
    LH_PROPAGATION_ORPHAN = 3      /* they stay */
};

/* Borrowed during the call. All 0: no conditions, the kind's own propagation. */
typedef struct lh_delete_options {
    const char *uid;              /* NULL: any; else LH_ECONFLICT when it is another object */
    const char *resource_version; /* NULL: any; else LH_ECONFLICT when it has changed */
    uint32_t propagation;         /* LH_PROPAGATION_* */
} lh_delete_options_t;

/* Sends a request to a path that is written already. [worker-thread] [plugin-thread] */
static inline int lh_client_send_(const lh_host_t *host, lh_ctx_t ctx, const char *method,
                                  const char *path, const char *content_type, const char *body,
                                  lh_response_t **out, lh_error_t *err)
{
    lh_api_request_t request;
    lh_response_t *response = NULL;
    int ret;

    memset(&request, 0, sizeof(request));
    request.struct_size = sizeof(request);
    request.method = method;
    request.path = path;
    request.content_type = content_type;
    request.body = body;
    request.body_len = body != NULL ? strlen(body) : 0;
    ret = lh_call(host, ctx, &request, &response, err);
    if (ret == 0 && out != NULL)
        *out = response;
    else
        lh_response_release(host, response);
    return ret;
}

/* The same to the path of a ref. [worker-thread] [plugin-thread] */
static inline int lh_client_call_(const lh_host_t *host, lh_ctx_t ctx, const char *method,
                                  const lh_ref_t *ref, const char *content_type, const char *body,
                                  lh_response_t **out, lh_error_t *err)
{
    char path[LH_PATH_SIZE];
    const int ret = lh_ref_path(ref, path, sizeof(path), err);

    return ret < 0 ? ret : lh_client_send_(host, ctx, method, path, content_type, body, out, err);
}

/* Reads an object or a subresource from the server, not from the cache. [worker-thread]
 * [plugin-thread] */
static inline int lh_get(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                         lh_response_t **out, lh_error_t *err)
{
    return lh_client_call_(host, ctx, "GET", ref, NULL, NULL, out, err);
}

/* Creates an object; body has its apiVersion, kind and metadata.name or generateName, and ref need
 * only be its collection. With ref->sub ("eviction", "token", "binding") that is asked for. LH_EEXISTS:
 * there is one of this name. [worker-thread] [plugin-thread] */
static inline int lh_create(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                            const char *body, lh_response_t **out, lh_error_t *err)
{
    lh_ref_t to = *ref;

    if (to.sub == NULL)
        to.name = NULL;
    return lh_client_call_(host, ctx, "POST", &to, NULL, body, out, err);
}

/* Replaces an object as a whole, or its status or scale. LH_ECONFLICT: metadata.resourceVersion of
 * body is not the present one; without one there the last writer wins. [worker-thread]
 * [plugin-thread] */
static inline int lh_update(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                            const char *body, lh_response_t **out, lh_error_t *err)
{
    return lh_client_call_(host, ctx, "PUT", ref, NULL, body, out, err);
}

/* Changes an object or a subresource; type is LH_PATCH_*. LH_ECONFLICT: the patch names a
 * metadata.resourceVersion that is not the present one. LH_EAPI: it names another metadata.uid, or it
 * is a JSON patch that does not fit or whose test fails. [worker-thread] [plugin-thread] */
static inline int lh_patch(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref, uint32_t type,
                           const char *body, lh_response_t **out, lh_error_t *err)
{
    static const char *const types[] = {"application/merge-patch+json",
                                        "application/json-patch+json",
                                        "application/strategic-merge-patch+json"};

    if (type > LH_PATCH_STRATEGIC)
        return lh_errorf(err, LH_EINVAL, "a patch of the unknown type %d", (int) type);
    return lh_client_call_(host, ctx, "PATCH", ref, types[type], body, out, err);
}

/* A member of DeleteOptions' preconditions; value NULL: null. [any-thread] */
static inline char *lh_client_condition_(const char *value)
{
    return value != NULL ? lh_json_printf("'%s'", value) : lh_json_printf("null");
}

/* Deletes an object; options NULL: none. It is gone when this returns unless it has finalizers or a
 * grace period. LH_ENOTFOUND: it was gone before; LH_ECONFLICT: it is not the one that options
 * mean, and it stays. [worker-thread] [plugin-thread] */
static inline int lh_delete(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                            const lh_delete_options_t *options, lh_error_t *err)
{
    static const char *const policies[] = {"null", "\"Background\"", "\"Foreground\"",
                                           "\"Orphan\""};
    static const lh_delete_options_t none = {NULL, NULL, LH_PROPAGATION_DEFAULT};
    const lh_delete_options_t *const o = options != NULL ? options : &none;

    if (o->propagation > LH_PROPAGATION_ORPHAN || ref->name == NULL)
        return lh_errorf(err, LH_EINVAL, "delete: an unknown propagation, or no name");
    char *const uid = lh_client_condition_(o->uid);
    char *const version = lh_client_condition_(o->resource_version);
    char *const body = lh_json_printf(
        "{'apiVersion':'v1','kind':'DeleteOptions','propagationPolicy':%s,"
        "'preconditions':{'uid':%s,'resourceVersion':%s}}",
        policies[o->propagation], uid != NULL ? uid : "", version != NULL ? version : "");
    const int ret = body == NULL ? lh_errorf(err, LH_ENOMEM, "out of memory")
                                 : lh_client_call_(host, ctx, "DELETE", ref, NULL, body, NULL, err);

    free(uid);
    free(version);
    free(body);
    return ret;
}

#endif
