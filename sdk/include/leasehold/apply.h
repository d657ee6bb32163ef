/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-side apply: the manager says all that it wants of an object; the server keeps whose field is
 * whose, takes away what the manager does not name any more, and refuses what is another manager's.
 *
 *   static const lh_apply_options_t as_site = {"site-controller", 0};
 *   ret = lh_apply(host, ctx, &ref, &as_site, wanted, NULL, err);
 *   if (ret == LH_ECONFLICT)
 *       ... // err->text: ... conflict with "kubectl-edit" using apps/v1: .spec.replicas
 *
 * Unlike a merge patch it merges lists that have keys (containers, ports, conditions), and undoes what
 * is not wanted any more. The calls wait as those of client.h do. RBAC: patch, and create for what is
 * not there yet.
 */
#ifndef LEASEHOLD_APPLY_H
#define LEASEHOLD_APPLY_H

#include <leasehold/ensure.h>
#include <leasehold/managed_fields.h>

/* Borrowed during the call. */
typedef struct lh_apply_options {
    const char *manager; /* its name, the same each time; at most 128 bytes */
    int force;           /* 1: what others manage is taken from them; 0: LH_ECONFLICT */
} lh_apply_options_t;

/* The path with what goes behind it. [any-thread] */
static inline int lh_apply_path_(const lh_ref_t *ref, const lh_apply_options_t *as, char *path,
                                 lh_error_t *err)
{
    lh_json_out_t out = {path, LH_PATH_SIZE, 0, 0, 0};
    char mark = '?';

    if (ref->name == NULL || as->manager == NULL || *as->manager == '\0')
        return lh_errorf(err, LH_EINVAL, "apply: no name, or no manager");
    lh_ref_put_(&out, ref);
    lh_ref_query_(&out, &mark, "fieldManager", as->manager);
    lh_ref_query_(&out, &mark, "force", as->force ? "true" : NULL);
    return lh_ref_end_(&out, err);
}

/*
 * Applies wanted, with its apiVersion, kind and metadata.name, and creates the object when there is
 * none. It changes nothing, not even the resourceVersion, when all is so already. LH_ECONFLICT: fields
 * are managed by others with other values; err names them, as many as fit. out as in client.h.
 * [worker-thread] [plugin-thread]
 */
static inline int lh_apply(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                           const lh_apply_options_t *as, const char *wanted, lh_response_t **out,
                           lh_error_t *err)
{
    char path[LH_PATH_SIZE];
    const int ret = wanted != NULL ? lh_apply_path_(ref, as, path, err)
                                   : lh_errorf(err, LH_ENOMEM, "out of memory");

    return ret < 0 ? ret
                   : lh_client_send_(host, ctx, "PATCH", path, "application/apply-patch+yaml",
                                     wanted, out, err);
}

/*
 * Reads the object and applies wanted unless the manager has applied just this and the values are still
 * there (lh_is_applied()), so that nothing but the read reaches the server. What is cached will not do
 * for the object: snapshots have no managedFields. outcome as in ensure.h. [worker-thread]
 * [plugin-thread]
 */
static inline int lh_apply_if_changed(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                      const lh_apply_options_t *as, const char *wanted,
                                      uint32_t *outcome, lh_error_t *err)
{
    lh_response_t *response = NULL;
    lh_error_t why;
    int same = 0, ret;

    if (wanted == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    ret = lh_get(host, ctx, ref, &response, &why);
    if (ret == 0) {
        same = lh_is_applied(lh_response_json(host, response), ref->api_version, ref->sub,
                             as->manager, lh_json_text(wanted, strlen(wanted)));
        lh_response_release(host, response);
        if (same)
            return lh_outcome_(outcome, LH_UNCHANGED);
    }
    if (ret == 0 || ret == LH_ENOTFOUND)
        ret = lh_apply(host, ctx, ref, as, wanted, &response, &why);
    if (ret == 0) {
        same = lh_response_status(host, response) == 201;
        lh_response_release(host, response);
        return lh_outcome_(outcome, same ? LH_CREATED : LH_CHANGED);
    }
    if (err != NULL)
        *err = why;
    return ret;
}

#endif
