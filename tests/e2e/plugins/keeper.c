/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each ConfigMap labelled keeper=parent it keeps a child "<name>-child" with the same data.want; a
 * parent goes only after its child, by a finalizer. So it has a state to reach in every case, and what is
 * missed leaves it wrong for ever.
 */
#include <leasehold/leasehold.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0, "id": "keeper", "version": "1.0.0",
    "watches": [
        {"version": "v1", "resource": "configmaps", "kind": "ConfigMap", "labelSelector": "keeper=parent"},
        {"version": "v1", "resource": "configmaps", "kind": "ConfigMap", "labelSelector": "keeper=child",
         "role": "owned"}
    ],
    "permissions": [{"apiGroups": [""], "resources": ["configmaps"],
                     "verbs": ["get", "list", "watch", "create", "patch", "delete"]}]
});
/* clang-format on */

#define CHILDREN 1
#define FINALIZER "example.leasehold.dev/keeper"

struct lh_plugin {
    const lh_host_t *host;
};

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

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    const lh_host_t *host = self->host;
    const lh_ctx_t ctx = request->ctx;
    char name[260], want[64] = "";

    (void) result;
    if (request->object == NULL)
        return 0;
    const lh_json_t parent = lh_snapshot_json(host, request->object);
    const lh_ref_t ref = {.api_version = "v1",
                          .resource = "configmaps",
                          .ns = request->key->ns,
                          .name = request->key->name};
    lh_ref_t child = ref;

    (void) snprintf(name, sizeof(name), "%s-child", request->key->name);
    child.name = name;
    (void) lh_json_string(parent, "/data/want", want, sizeof(want));
    if (lh_is_being_deleted(parent)) {
        const int ret = lh_delete(host, ctx, &child, NULL, err);

        return ret < 0 && ret != LH_ENOTFOUND
                   ? ret
                   : lh_finalizer_remove(host, ctx, &ref, parent, FINALIZER, NULL, err);
    }
    if (!lh_finalizer_has(parent, FINALIZER)) /* this change brings us back */
        return lh_finalizer_add(host, ctx, &ref, parent, FINALIZER, NULL, err);
    char *wanted = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s',"
                                  "'labels':{'keeper':'child'}},'data':{'want':'%s'}}",
                                  name, want);
    int ret = lh_owner_set_controller(&wanted, parent, err);

    if (ret == 0)
        ret = lh_create_or_patch(host, ctx, &child, CHILDREN, wanted, NULL, err);
    free(wanted);
    return ret;
}

LH_SYNC(reconcile, host)

LH_EXPORT const lh_plugin_entry_t lh_plugin = {
    .abi_major = LH_ABI_MAJOR,
    .struct_size = sizeof(lh_plugin_entry_t),
    .create = create,
    .destroy = destroy,
};
