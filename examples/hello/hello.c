/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest controller: it logs each ConfigMap that it sees. */
#include <leasehold/leasehold.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0, "id": "hello", "version": "1.0.0",
    "watches": [{"version": "v1", "resource": "configmaps", "kind": "ConfigMap"}],
    "permissions": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}]
});
/* clang-format on */

struct lh_plugin {
    const lh_host_t *host;
};

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = malloc(sizeof(*self));

    (void) instance; /* its configuration; hello has none */
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
    (void) result;
    (void) err;
    lh_logf(self->host, request->ctx, LH_LOG_INFO, "ConfigMap %s/%s %s", request->key->ns,
            request->key->name, request->object != NULL ? "is here" : "is gone");
    return 0;
}

LH_SYNC(reconcile, host)

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
