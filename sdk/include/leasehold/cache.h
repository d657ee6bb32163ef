/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host table as plain functions: the cache and its snapshots. Contracts stand in host.h; a
 * function that the host is too old to have fails with LH_ENOSYS.
 */
#ifndef LEASEHOLD_CACHE_H
#define LEASEHOLD_CACHE_H

#include <leasehold/api.h>

/* A key for lh_cache_get() and lh_enqueue(); ns and name are borrowed as long as the key is used.
 * [any-thread] */
static inline lh_key_t lh_key_of(uint32_t watch, const char *ns, const char *name)
{
    const lh_key_t key = {sizeof(key), watch, ns, name};

    return key;
}

/* One cached object. Caller owns *out, free with lh_snapshot_release(). [any-thread] */
static inline int lh_cache_get(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key,
                               lh_snapshot_t **out, lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, cache_get))
        return lh_absent_(err, "cache_get");
    return host->cache_get(host, ctx, key, out, err);
}

/*
 * Starts a walk over cached objects. Those of a namespace, of an owner, and with one value of a label
 * that the manifest names in "indexLabels" are found without a look at the others. Caller owns *out,
 * free with lh_cursor_release().
 *   while ((ret = lh_cursor_next(host, cursor, &object, err)) == 0 && object != NULL) {
 *       ...
 *       lh_snapshot_release(host, object);
 *   }
 * [any-thread]
 */
static inline int lh_cache_list(const lh_host_t *host, lh_ctx_t ctx, const lh_query_t *query,
                                lh_cursor_t **out, lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, cache_list))
        return lh_absent_(err, "cache_list");
    return host->cache_list(host, ctx, query, out, err);
}

/* The next object, NULL at the end. Caller owns *out, free with lh_snapshot_release().
 * [any-thread] */
static inline int lh_cursor_next(const lh_host_t *host, lh_cursor_t *cursor, lh_snapshot_t **out,
                                 lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, cursor_next))
        return lh_absent_(err, "cursor_next");
    return host->cursor_next(host, cursor, out, err);
}

/* NULL is allowed. [any-thread] */
static inline void lh_cursor_release(const lh_host_t *host, lh_cursor_t *cursor)
{
    if (LH_HAS_FIELD(host, cursor_release))
        host->cursor_release(host, cursor);
}

/* The object as JSON, terminated; len may be NULL. Borrowed until the snapshot is released.
 * [any-thread] */
static inline const char *lh_snapshot_text(const lh_host_t *host, const lh_snapshot_t *snapshot,
                                           size_t *len)
{
    if (LH_HAS_FIELD(host, snapshot_text))
        return host->snapshot_text(host, snapshot, len);
    if (len != NULL)
        *len = 0;
    return "";
}

/* The object for json.h. Borrowed until the snapshot is released. [any-thread] */
static inline lh_json_t lh_snapshot_json(const lh_host_t *host, const lh_snapshot_t *snapshot)
{
    size_t len = 0;
    const char *text = lh_snapshot_text(host, snapshot, &len);

    return lh_json_text(text, len);
}

/* One more reference, to keep a snapshot of a request; NULL when the host cannot. Caller owns the
 * result, free with lh_snapshot_release(). [any-thread] */
static inline lh_snapshot_t *lh_snapshot_retain(const lh_host_t *host,
                                                const lh_snapshot_t *snapshot)
{
    return LH_HAS_FIELD(host, snapshot_retain) ? host->snapshot_retain(host, snapshot) : NULL;
}

/* NULL is allowed. [any-thread] */
static inline void lh_snapshot_release(const lh_host_t *host, lh_snapshot_t *snapshot)
{
    if (LH_HAS_FIELD(host, snapshot_release))
        host->snapshot_release(host, snapshot);
}

#endif
