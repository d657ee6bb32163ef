/* SPDX-License-Identifier: Apache-2.0 */
/* Reads each ConfigMap out of the cache and looks for one annotation, as the benchmarks' programs do. */
#include <leasehold/leasehold.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0,
    "id": "reader",
    "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap"}]
});
/* clang-format on */

struct lh_plugin {
    const lh_host_t *host;
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    (void) instance;
    if (self == NULL)
        lh_errorf(err, LH_ENOMEM, "out of memory");
    else
        self->host = host;
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    lh_snapshot_t *object = NULL;
    char seq[32];
    const int ret = lh_cache_get(self->host, request->ctx, request->key, &object, err);

    (void) result;
    if (ret < 0)
        return ret == LH_ENOTFOUND ? 0 : ret;
    (void) lh_json_string(lh_snapshot_json(self->host, object), "/metadata/annotations/bench~1seq",
                          seq, sizeof(seq));
    lh_snapshot_release(self->host, object);
    return 0;
}

LH_SYNC(reconcile, host)

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
