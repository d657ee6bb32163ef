/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_walk.h"

int cache_walk(const lh_host_t *host, lh_ctx_t ctx, uint32_t watch, const char *ns,
               cache_visit_t visit, void *arg, lh_error_t *err)
{
    const lh_query_t query = {sizeof(query), watch, ns, NULL, NULL};
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *object = NULL;
    int ret = lh_cache_list(host, ctx, &query, &cursor, err), failed = 0;

    while (ret == 0 &&
           (ret = lh_cursor_next(host, cursor, &object, failed == 0 ? err : NULL)) == 0 &&
           object != NULL) {
        const int one = visit(arg, object, failed == 0 ? err : NULL);
        failed = failed == 0 ? one : failed;
        lh_snapshot_release(host, object);
        if (failed == LH_EFENCED || failed == LH_ECANCELED)
            break;
    }
    lh_cursor_release(host, cursor);
    return failed < 0 ? failed : ret;
}
