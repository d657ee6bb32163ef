/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Says what is in its cache: when the ConfigMap "check" changes it logs
 *   ledger n=<data.n> count=<objects> sum=<of the hashes of "name/uid/resourceVersion">
 */
#include "support/plain_plugin.h"

#include <inttypes.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0,
    "id": "ledger",
    "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap"}]
});
/* clang-format on */

static uint64_t add(uint64_t hash, const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        hash = (hash ^ (unsigned char) *p) * UINT64_C(1099511628211);
    return (hash ^ '/') * UINT64_C(1099511628211);
}

static uint64_t hash_of(const lh_host_t *host, const lh_snapshot_t *object)
{
    const lh_json_t json = lh_snapshot_json(host, object);
    uint64_t hash = UINT64_C(14695981039346656037);
    char text[256];

    static const char *const places[] = {"/metadata/name", "/metadata/uid",
                                         "/metadata/resourceVersion"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        hash = add(hash, lh_json_string(json, places[i], text, sizeof(text)) < 0 ? "?" : text);
    return hash;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    const lh_host_t *h = self->host;
    const lh_query_t query = {.struct_size = sizeof(query)};
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *object = NULL;
    uint64_t sum = 0;
    int count = 0;
    char n[32] = "";

    (void) result;
    if (strcmp(request->key->name, "check") != 0 || request->object == NULL)
        return 0;
    (void) lh_json_string(lh_snapshot_json(h, request->object), "/data/n", n, sizeof(n));
    int ret = h->cache_list(h, request->ctx, &query, &cursor, err);
    while (ret == 0 && (ret = h->cursor_next(h, cursor, &object, err)) == 0 && object != NULL) {
        sum += hash_of(h, object);
        count++;
        h->snapshot_release(h, object);
    }
    h->cursor_release(h, cursor);
    if (ret == 0)
        lh_logf(h, request->ctx, LH_LOG_INFO, "ledger n=%s count=%d sum=%016" PRIx64, n, count,
                sum);
    return ret;
}

LH_SYNC(reconcile, host)
