/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For plugins that use cJSON: objects and answers as trees, and calls with a tree as their body.
 * Not part of leasehold.h; link the plugin with cJSON (lh_add_plugin(... LIBS ...)).
 *
 * cJSON keeps numbers as double: whole numbers beyond 2^53 lose digits. json.h does not.
 */
#ifndef LEASEHOLD_CJSON_H
#define LEASEHOLD_CJSON_H

#include <leasehold/api.h>
#include <leasehold/cache.h>

#include <cjson/cJSON.h>

/* Text to tree. LH_EPARSE when it is no JSON. Caller owns *out, free with cJSON_Delete().
 * [any-thread] */
static inline int lh_cjson_parse(const char *text, size_t len, cJSON **out, lh_error_t *err)
{
    cJSON *const tree = cJSON_ParseWithLength(text, len);

    if (tree == NULL)
        return lh_errorf(err, LH_EPARSE, "%zu bytes that are no JSON, or out of memory", len);
    *out = tree;
    return 0;
}

/* A cached object as a tree of its own, independent of the snapshot. Caller owns *out, free with
 * cJSON_Delete(). [any-thread] */
static inline int lh_cjson_snapshot(const lh_host_t *host, const lh_snapshot_t *snapshot,
                                    cJSON **out, lh_error_t *err)
{
    size_t len = 0;
    const char *const text = lh_snapshot_text(host, snapshot, &len);

    return lh_cjson_parse(text, len, out, err);
}

/* An answer as a tree of its own, independent of the response. Caller owns *out, free with
 * cJSON_Delete(). [any-thread] */
static inline int lh_cjson_response(const lh_host_t *host, const lh_response_t *response,
                                    cJSON **out, lh_error_t *err)
{
    size_t len = 0;
    const char *const text = lh_response_text(host, response, &len);

    return lh_cjson_parse(text, len, out, err);
}

/*
 * lh_callf() with trees: body is printed (borrowed; NULL: none), the answer is parsed. out may be
 * NULL when the answer does not matter; otherwise caller owns *out, free with cJSON_Delete(). When
 * the answer to a write cannot be parsed, the write was carried out all the same. [worker-thread]
 * [plugin-thread]
 */
static inline int lh_cjson_call(const lh_host_t *host, lh_ctx_t ctx, const char *method,
                                const char *path, const cJSON *body, cJSON **out, lh_error_t *err)
{
    char *const text = body != NULL ? cJSON_PrintUnformatted(body) : NULL;
    lh_response_t *response = NULL;
    int ret;

    if (body != NULL && text == NULL)
        return lh_errorf(err, LH_ENOMEM, "%s %s: out of memory", method, path);
    ret = lh_callf(host, ctx, method, text, &response, err, "%s", path);
    cJSON_free(text);
    if (ret == 0 && out != NULL)
        ret = lh_cjson_response(host, response, out, err);
    lh_response_release(host, response);
    return ret;
}

#endif
