/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finalizers: while an object has one, deleting it only sets metadata.deletionTimestamp, so that there
 * is time to clean up what no owner reference reaches.
 *
 *   if (lh_is_being_deleted(site)) {
 *       ...
 *       return lh_finalizer_remove(host, ctx, &ref, site, "example.com/registry", NULL, err);
 *   }
 *   ret = lh_finalizer_add(host, ctx, &ref, site, "example.com/registry", NULL, err);
 */
#ifndef LEASEHOLD_FINALIZER_H
#define LEASEHOLD_FINALIZER_H

#include <leasehold/retry.h>

/* 1 when the object is being deleted and waits for its finalizers or its grace period. [any-thread] */
static inline int lh_is_being_deleted(lh_json_t object)
{
    lh_json_t when;

    return lh_json_at(object, "/metadata/deletionTimestamp", &when) == 0 &&
           lh_json_type(when) == 's';
}

/* 1 when the object has this finalizer, else 0. [any-thread] */
static inline int lh_finalizer_has(lh_json_t object, const char *finalizer)
{
    lh_json_t list, name, item;

    if (lh_json_at(object, "/metadata/finalizers", &list) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &name, &item)) {
        if (lh_json_equals(item, "", finalizer))
            return 1;
    }
    return 0;
}

/* What lh_finalizer_change_() is to do. */
typedef struct lh_finalizer_ {
    const char *name;
    int with;
} lh_finalizer_t_;

/* The list with the finalizer as its last, or without it. NULL when memory is out. Caller owns.
 * [any-thread] */
static inline char *lh_finalizer_list_(lh_json_t list, const char *finalizer, int with)
{
    char pointer[24], *quoted, *out;
    lh_json_t name, item;
    int index = 0;

    if (with) {
        quoted = lh_json_printf("'%s'", finalizer);
        out = quoted != NULL ? lh_json_with(list, "/-", quoted) : NULL;
        free(quoted);
        return out;
    }
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &name, &item) && !lh_json_equals(item, "", finalizer))
        index++;
    (void) snprintf(pointer, sizeof(pointer), "/%d", index);
    return lh_json_without(list, pointer);
}

/* An lh_change_t. [worker-thread] [plugin-thread] */
static inline int lh_finalizer_change_(void *arg, lh_json_t object, char **patch, lh_error_t *err)
{
    const lh_finalizer_t_ *const f = (const lh_finalizer_t_ *) arg;
    lh_json_t list = lh_owner_at_(object, "/metadata/finalizers", "[]");
    char *next;

    (void) err;
    if (lh_finalizer_has(object, f->name) == f->with) {
        *patch = lh_json_printf("{}");
        return 0;
    }
    if (lh_json_type(list) != '[')
        list = lh_json_text("[]", 2);
    next = lh_finalizer_list_(list, f->name, f->with);
    if (next != NULL)
        *patch = lh_json_printf("{'metadata':{'finalizers':%s}}", next);
    free(next);
    return 0;
}

/*
 * Adds a finalizer ("example.com/registry") to the object that ref names; object is its text as last
 * read, so that nothing is sent when it is there already. Others' finalizers are kept, conflicts are
 * retried. LH_EAPI: the object is being deleted, and gets no new ones; LH_ENOTFOUND: it is gone.
 * outcome as in ensure.h. [worker-thread] [plugin-thread]
 */
static inline int lh_finalizer_add(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                   lh_json_t object, const char *finalizer, uint32_t *outcome,
                                   lh_error_t *err)
{
    lh_finalizer_t_ f = {finalizer, 1};

    return lh_retry_on_conflict(host, ctx, ref, object, lh_finalizer_change_, &f, outcome, err);
}

/* Removes a finalizer, as above; 0 also when the object is gone already. With its last one an object
 * that is being deleted goes. [worker-thread] [plugin-thread] */
static inline int lh_finalizer_remove(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref,
                                      lh_json_t object, const char *finalizer, uint32_t *outcome,
                                      lh_error_t *err)
{
    lh_finalizer_t_ f = {finalizer, 0};
    lh_error_t why;
    const int ret =
        lh_retry_on_conflict(host, ctx, ref, object, lh_finalizer_change_, &f, outcome, &why);

    if (ret == LH_ENOTFOUND)
        return lh_outcome_(outcome, LH_UNCHANGED);
    if (ret < 0 && err != NULL)
        *err = why;
    return ret;
}

#endif
