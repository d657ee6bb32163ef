/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs each reconcile with all that it was told:
 *   witness NAME reason=gone object=no last=17 uid=yes attempt=0
 * where object and last are the value of data.n or spec.n there ("-": it has none, "no": no snapshot). Which kind
 * is watched is said by the manifest that it is built with.
 */
#include "support/plain_plugin.h"

static void read_n(const lh_host_t *host, const lh_snapshot_t *snapshot, char out[32])
{
    (void) snprintf(out, 32, snapshot != NULL ? "-" : "no");
    if (snapshot == NULL)
        return;
    if (lh_json_string(lh_snapshot_json(host, snapshot), "/data/n", out, 32) < 0)
        (void) lh_json_string(lh_snapshot_json(host, snapshot), "/spec/n", out, 32);
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    static const char *const reasons[] = {"changed", "gone", "left", "requeued", "initial"};
    char object[32], last[32];

    (void) result;
    (void) err;
    read_n(self->host, request->object, object);
    read_n(self->host, request->last, last);
    lh_logf(self->host, request->ctx, LH_LOG_INFO,
            "witness %s/%s reason=%s object=%s last=%s uid=%s attempt=%u", request->key->ns,
            request->key->name, reasons[request->reason], object, last,
            request->uid[0] != '\0' ? "yes" : "no", (unsigned) request->attempt);
    return 0;
}

LH_SYNC(reconcile, host)
