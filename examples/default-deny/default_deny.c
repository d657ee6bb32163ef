/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each Namespace labelled network=closed has a NetworkPolicy "default-deny" that lets nothing in. Its
 * reconcile waits for nothing, so that many namespaces are brought in order at a time, on one thread.
 */
#include <leasehold/leasehold.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0, "id": "default-deny", "version": "1.0.0",
    "watches": [
        {"version": "v1", "resource": "namespaces", "kind": "Namespace", "labelSelector": "network=closed"},
        {"group": "networking.k8s.io", "version": "v1", "resource": "networkpolicies", "kind": "NetworkPolicy",
         "labelSelector": "app.kubernetes.io/managed-by=default-deny", "role": "owned"}
    ],
    "permissions": [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["namespaces/finalizers"], "verbs": ["update"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"],
         "verbs": ["get", "list", "watch", "create", "patch"]}
    ]
});
/* clang-format on */

#define WATCH_POLICIES 1

struct lh_plugin {
    const lh_host_t *host;
};

/* Caller frees; NULL when memory is out. What is null is wanted absent: what others add would open it. */
static char *policy(void)
{
    return lh_json_printf("{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy',"
                          "'metadata':{'name':'default-deny','labels':{'app.kubernetes.io/"
                          "managed-by':'default-deny'}},"
                          "'spec':{'podSelector':{'matchLabels':null,'matchExpressions':null},"
                          "'policyTypes':['Ingress'],'ingress':null}}");
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    const lh_ref_t ref =
        lh_ref_of("networking.k8s.io/v1", "networkpolicies", request->key->name, "default-deny");
    lh_error_t err = {0};

    if (request->object == NULL ||
        lh_is_being_deleted(lh_snapshot_json(self->host, request->object))) {
        lh_done(self->host, completion);
        return;
    }
    char *wanted = policy();
    const int ret =
        lh_owner_set_controller(&wanted, lh_snapshot_json(self->host, request->object), &err);
    if (ret == 0)
        lh_complete_when_ensured(self->host, request->ctx, &ref, WATCH_POLICIES, wanted,
                                 completion);
    else
        lh_complete_code(self->host, completion, ret, &err);
    free(wanted);
}

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = malloc(sizeof(*self));

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

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
