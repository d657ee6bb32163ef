/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes that are sent only when something differs.
 *
 *   char *wanted = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap',...}", ...);
 *   ret = lh_owner_set_controller(&wanted, site, err);
 *   if (ret == 0)
 *       ret = lh_create_or_patch(host, ctx, &ref, WATCH_CONFIG_MAPS, wanted, NULL, err);
 *   free(wanted);
 *
 * What differs is said by lh_json_covers(): members that only the server or others have do not count,
 * lists count as a whole, and null means "absent". So write values as the server returns them: "500m"
 * and not "0.5". Patches are merge patches (RBAC: patch). Errors are those of client.h.
 */
#ifndef LEASEHOLD_ENSURE_H
#define LEASEHOLD_ENSURE_H

#include <leasehold/cache.h>
#include <leasehold/client.h>
#include <leasehold/json_covers.h>
#include <leasehold/owner.h>

/* What was done; *outcome of the functions here, which may be NULL and is set on success only. */
enum {
    LH_UNCHANGED = 0, /* nothing was sent but reads */
    LH_CREATED = 1,
    LH_CHANGED = 2
};

enum { LH_ENSURE_TRIES_ = 5 }; /* while others change the object as well */

#define LH_NO_WATCH UINT32_MAX /* instead of a watch's index: the server is asked, not the cache */

/* *outcome = value; returns 0. [any-thread] */
static inline int lh_outcome_(uint32_t *outcome, uint32_t value)
{
    if (outcome != NULL)
        *outcome = value;
    return 0;
}

/* Sends a merge patch unless object, as read before, has all of it already. With ref a subresource
 * ("status") it goes there. Name metadata.resourceVersion in the patch where nothing may have happened
 * in between: LH_ECONFLICT tells that it has. [worker-thread] [plugin-thread] */
static inline int lh_patch_if_changed(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                      lh_json_t object, const char *patch, uint32_t *outcome,
                                      lh_error_t *err)
{
    if (patch == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    if (lh_json_covers(object, lh_json_text(patch, strlen(patch))))
        return lh_outcome_(outcome, LH_UNCHANGED);
    const int ret = lh_patch(host, ctx, ref, LH_PATCH_MERGE, patch, NULL, err);
    return ret < 0 ? ret : lh_outcome_(outcome, LH_CHANGED);
}

/* wanted as a patch of the object that is there: this very one (uid), and with its other owners. NULL
 * when memory is out. Caller owns. [any-thread] */
static inline char *lh_ensure_patch_(lh_json_t actual, lh_json_t wanted)
{
    lh_json_t uid = {"null", 4};
    char *rest = lh_json_without(wanted, "/metadata/ownerReferences"), *quoted, *patch = NULL;

    (void) lh_json_at(actual, "/metadata/uid", &uid);
    quoted = lh_json_printf("%.*s", (int) uid.len, uid.text);
    if (rest != NULL && quoted != NULL)
        patch = lh_json_with(lh_json_text(rest, strlen(rest)), "/metadata/uid", quoted);
    free(rest);
    free(quoted);
    return patch;
}

/* What is to be done that an object becomes as wanted, LH_UNCHANGED, LH_CREATED or LH_CHANGED with *body to be
 * sent (caller frees), or an error. actual is what is there; its text NULL: nothing. [any-thread] */
static inline int lh_ensure_plan_(const lh_ref_t *ref, lh_json_t actual, lh_json_t wanted,
                                  char **body, lh_error_t *err)
{
    lh_json_t controller;
    char uid[64] = "";

    if (actual.text == NULL) {
        *body = lh_json_without_nulls(wanted); /* a null label would be created as "" */
        return *body != NULL ? LH_CREATED : lh_errorf(err, LH_ENOMEM, "out of memory, or no JSON");
    }
    if (lh_owner_controller(wanted, &controller) == 0) {
        (void) lh_json_string(controller, "/uid", uid, sizeof(uid));
        if (!lh_owner_controls(actual, uid))
            return lh_errorf(err, LH_EEXISTS, "%s/%s exists and belongs to somebody else",
                             ref->resource, ref->name);
    }
    *body = lh_ensure_patch_(actual, wanted);
    if (*body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    if (!lh_json_covers(actual, lh_json_text(*body, strlen(*body))))
        return LH_CHANGED;
    free(*body);
    *body = NULL;
    return LH_UNCHANGED;
}

/* That code, the answer to what was planned, says that something else was there than it was planned for:
 * it has changed, gone or come meanwhile. The uid of one that was cached is refused as invalid when it is
 * another one now. [any-thread] */
static inline int lh_ensure_missed_(int planned, int cached, int code)
{
    if (planned == LH_CREATED)
        return code == LH_EEXISTS;
    return planned == LH_CHANGED &&
           (code == LH_ENOTFOUND || code == LH_ECONFLICT || (code == LH_EAPI && cached));
}

/* One try, by what the cache (with cached set) or the server has. *again: something else was there than it
 * was made for. [worker-thread] [plugin-thread] */
static inline int lh_ensure_by_(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                lh_json_t actual, int cached, const char *wanted, uint32_t *outcome,
                                int *again, lh_error_t *err)
{
    char *body = NULL;
    const int planned =
        lh_ensure_plan_(ref, actual, lh_json_text(wanted, strlen(wanted)), &body, err);
    int ret = planned < 0 ? planned : 0;

    if (planned == LH_CREATED)
        ret = lh_create(host, ctx, ref, body, NULL, err);
    if (planned == LH_CHANGED)
        ret = lh_patch(host, ctx, ref, LH_PATCH_MERGE, body, NULL, err);
    free(body);
    *again = lh_ensure_missed_(planned, cached, ret);
    return ret < 0 ? ret : lh_outcome_(outcome, (uint32_t) planned);
}

/* The same, and reads before. [worker-thread] [plugin-thread] */
static inline int lh_ensure_once_(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                  uint32_t watch, const char *wanted, uint32_t *outcome, int *again,
                                  lh_error_t *err)
{
    const lh_key_t key = lh_key_of(watch, ref->ns != NULL ? ref->ns : "", ref->name);
    lh_snapshot_t *cached = NULL;
    lh_response_t *fetched = NULL;
    lh_json_t actual = {NULL, 0};
    int ret;

    *again = 0;
    ret = watch != LH_NO_WATCH ? lh_cache_get(host, ctx, &key, &cached, err)
                               : lh_get(host, ctx, ref, &fetched, err);
    if (ret < 0 && ret != LH_ENOTFOUND)
        return ret;
    if (ret == 0)
        actual = cached != NULL ? lh_snapshot_json(host, cached) : lh_response_json(host, fetched);
    ret = lh_ensure_by_(host, ctx, ref, actual, cached != NULL, wanted, outcome, again, err);
    lh_snapshot_release(host, cached);
    lh_response_release(host, fetched);
    return ret;
}

/*
 * Brings an object to where it is as wanted: creates it, or patches what differs, or sends nothing.
 * wanted is all that the caller cares for, with apiVersion, kind and metadata.name. watch is the index
 * of the watch that caches such objects (whole ones, not only their metadata), or LH_NO_WATCH. What
 * the cache does not have is created at once and read only when it is there after all; so objects
 * that the watch's selector leaves out are better made with LH_NO_WATCH, which reads first: a quota or
 * a policy may refuse the creation before the API server finds that the object exists. When
 * wanted names a controller (owner.h), an object that this one does not control is left alone:
 * LH_EEXISTS. Others' owner references are kept. [worker-thread] [plugin-thread]
 */
static inline int lh_create_or_patch(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                     uint32_t watch, const char *wanted, uint32_t *outcome,
                                     lh_error_t *err)
{
    lh_error_t why;
    int again = 1, ret = LH_EINVAL;

    if (wanted == NULL || ref->name == NULL)
        return lh_errorf(err, wanted == NULL ? LH_ENOMEM : LH_EINVAL,
                         wanted == NULL ? "out of memory" : "create or patch: no name");
    for (int i = 0; again && i < LH_ENSURE_TRIES_; i++)
        ret = lh_ensure_once_(host, ctx, ref, i == 0 ? watch : LH_NO_WATCH, wanted, outcome, &again,
                              &why);
    if (ret < 0 && err != NULL)
        *err = why;
    return ret;
}

#endif
