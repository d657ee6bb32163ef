/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that depend on what is there: made anew from the fresh object when somebody was faster.
 *
 *   static int add_one(void *arg, lh_json_t object, char **patch, lh_error_t *err)
 *   {
 *       int64_t n = 0;
 *       (void) lh_json_int64(object, "/spec/count", &n);
 *       *patch = lh_json_printf("{'spec':{'count':%lld}}", (long long) n + 1);
 *       return 0;
 *   }
 *
 *   ret = lh_retry_on_conflict(host, ctx, &ref, object, add_one, NULL, NULL, err);
 */
#ifndef LEASEHOLD_RETRY_H
#define LEASEHOLD_RETRY_H

#include <leasehold/ensure.h>

#define LH_RETRIES 5 /* tries in all */

/*
 * Makes a merge patch of the object, which is borrowed until it returns. 0 with *patch, which is freed
 * by the caller with free(); left NULL it is LH_ENOMEM; "{}" or what the object has already sends
 * nothing. Or a negative code with err set, which ends it. Called again after a conflict.
 * [worker-thread] [plugin-thread]
 */
typedef int (*lh_change_t)(void *arg, lh_json_t object, char **patch, lh_error_t *err);

/* The patch, held to the version of the object that it was made of. NULL when memory is out or it is no
 * JSON. Caller owns. [any-thread] */
static inline char *lh_retry_hold_(lh_json_t object, const char *patch)
{
    lh_json_t version = {"null", 4};
    char *quoted, *out;

    (void) lh_json_at(object, "/metadata/resourceVersion", &version);
    quoted = lh_json_printf("%.*s", (int) version.len, version.text);
    out = quoted != NULL ? lh_json_with(lh_json_text(patch, strlen(patch)),
                                        "/metadata/resourceVersion", quoted)
                         : NULL;
    free(quoted);
    return out;
}

/* One try. [worker-thread] [plugin-thread] */
static inline int lh_retry_once_(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                 lh_json_t object, lh_change_t change, void *arg, uint32_t *outcome,
                                 lh_error_t *err)
{
    char *patch = NULL, *held = NULL;
    int ret = change(arg, object, &patch, err);

    if (ret == 0) {
        held = patch != NULL ? lh_retry_hold_(object, patch) : NULL;
        ret = lh_patch_if_changed(host, ctx, ref, object, held, outcome, err);
    }
    free(patch);
    free(held);
    return ret;
}

/*
 * Changes an object by what change makes of it, and nobody else's write is lost: when the object is
 * not that of `object` any more, it is read from the server and change is called again, five times at
 * most; then LH_ECONFLICT. object is what the first try starts from (lh_snapshot_json()); with no text,
 * {NULL, 0}, it is read first. With ref a subresource that is read and written. LH_ENOTFOUND: it is
 * gone, or its name is that of another one now. outcome as in ensure.h. [worker-thread] [plugin-thread]
 */
static inline int lh_retry_on_conflict(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                       lh_json_t object, lh_change_t change, void *arg,
                                       uint32_t *outcome, lh_error_t *err)
{
    lh_response_t *fresh = NULL;
    lh_error_t why;
    char uid[64] = "";
    int tries = 0, ret = LH_ECONFLICT;

    if (object.text != NULL) {
        (void) lh_json_string(object, "/metadata/uid", uid, sizeof(uid));
        ret = lh_retry_once_(host, ctx, ref, object, change, arg, outcome, &why);
        tries++;
    }
    for (; ret == LH_ECONFLICT && tries < LH_RETRIES; tries++) {
        ret = lh_get(host, ctx, ref, &fresh, &why);
        if (ret < 0)
            break;
        object = lh_response_json(host, fresh);
        if (uid[0] == '\0')
            (void) lh_json_string(object, "/metadata/uid", uid, sizeof(uid));
        if (uid[0] != '\0' && !lh_json_equals(object, "/metadata/uid", uid))
            ret = lh_errorf(&why, LH_ENOTFOUND, "%s/%s is another object now", ref->resource,
                            ref->name);
        else
            ret = lh_retry_once_(host, ctx, ref, object, change, arg, outcome, &why);
        lh_response_release(host, fresh);
    }
    if (ret < 0 && err != NULL)
        *err = why;
    return ret;
}

#endif
