/* SPDX-License-Identifier: Apache-2.0 */
/* Watches all ConfigMaps, and logs the first reconcile of each term, "first reconcile". */
#include <leasehold/leasehold.h>

#include <stdatomic.h>
#include <stdbool.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0,
    "id": "first",
    "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap"}]
});
/* clang-format on */

struct lh_plugin {
    const lh_host_t *host;
    _Atomic bool begun;
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

static int activate(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    (void) ctx;
    (void) err;
    self->begun = false;
    return 0;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    (void) result;
    (void) err;
    if (!atomic_exchange(&self->begun, true))
        lh_logf(self->host, request->ctx, LH_LOG_INFO, "first reconcile");
    return 0;
}

LH_SYNC(reconcile, host)

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
    .activate = activate,
};
