/* SPDX-License-Identifier: Apache-2.0 */
/* A good plugin in pieces, for files that are bad in one place only. */
#ifndef BAD_H
#define BAD_H

#include <leasehold/leasehold.h>

/* A manifest whose watch sees the ConfigMaps with the label bad-plugin=ID. */
#define BAD_JSON(abi, id)                                                                          \
    "{\"abi\": " abi ", \"id\": \"" id "\", \"version\": \"1.0.0\", \"watches\": [{"               \
    "\"version\": \"v1\", \"resource\": \"configmaps\", \"kind\": \"ConfigMap\", "                 \
    "\"labelSelector\": \"bad-plugin=" id "\"}]}"
#define BAD_MANIFEST(id) LH_MANIFEST(BAD_JSON("0", id))

struct lh_plugin {
    const lh_host_t *host;
    lh_completion_t last;
};

__attribute__((unused)) static lh_plugin_t *
good_create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = calloc(1, sizeof(*self));

    (void) instance;
    if (self == NULL)
        lh_errorf(err, LH_ENOMEM, "out of memory");
    else
        self->host = host;
    return self;
}

__attribute__((unused)) static void good_destroy(lh_plugin_t *self)
{
    free(self);
}

#define GOOD_ENTRY                                                                                 \
    LH_EXPORT const lh_plugin_entry_t lh_plugin = {                                                \
        .abi_major = LH_ABI_MAJOR,                                                                 \
        .struct_size = sizeof(lh_plugin_entry_t),                                                  \
        .create = good_create,                                                                     \
        .destroy = good_destroy,                                                                   \
    }

#define GOOD_RECONCILE                                                                             \
    LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,                 \
                                   lh_completion_t completion)                                     \
    {                                                                                              \
        lh_logf(self->host, request->ctx, LH_LOG_INFO, "reconciled %s", request->key->name);       \
        lh_done(self->host, completion);                                                           \
    }

#endif
