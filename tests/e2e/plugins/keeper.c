/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For each ConfigMap labelled keeper=parent it keeps a child "<name>-child" with the same data.want; a
 * parent goes only after its child, by a finalizer. So it has a state to reach in every case, and what is
 * missed leaves it wrong for ever.
 */
#include "support/plain_plugin.h"

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

/* Keeps the child of a parent that stays; completes when it is right. */
static void keep(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *child, lh_json_t parent,
                 lh_completion_t completion)
{
    char want[64] = "";
    lh_error_t err = {0};

    (void) lh_json_string(parent, "/data/want", want, sizeof(want));
    char *wanted = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s',"
                                  "'labels':{'keeper':'child'}},'data':{'want':'%s'}}",
                                  child->name, want);
    const int ret = lh_owner_set_controller(&wanted, parent, &err);

    if (ret == 0)
        lh_complete_when_ensured(host, ctx, child, CHILDREN, wanted, completion);
    else
        lh_complete_code(host, completion, ret, &err);
    free(wanted);
}

/* Deletes the child, and lets the parent go. */
static int let_go(const lh_host_t *host, lh_ctx_t ctx, const lh_ref_t *ref, const lh_ref_t *child,
                  lh_json_t parent, lh_error_t *err)
{
    const int ret = lh_delete(host, ctx, child, NULL, err);

    return ret < 0 && ret != LH_ENOTFOUND
               ? ret
               : lh_finalizer_remove(host, ctx, ref, parent, FINALIZER, NULL, err);
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    const lh_host_t *host = self->host;
    const lh_ctx_t ctx = request->ctx;
    const lh_ref_t ref = lh_ref_of("v1", "configmaps", request->key->ns, request->key->name);
    char name[260];
    lh_error_t err = {0};
    lh_ref_t child = ref;

    if (request->object == NULL) {
        lh_done(host, completion);
        return;
    }
    const lh_json_t parent = lh_snapshot_json(host, request->object);
    (void) snprintf(name, sizeof(name), "%s-child", request->key->name);
    child.name = name;
    if (lh_is_being_deleted(parent))
        lh_complete_code(host, completion, let_go(host, ctx, &ref, &child, parent, &err), &err);
    else if (!lh_finalizer_has(parent, FINALIZER)) /* this change brings us back */
        lh_complete_code(host, completion,
                         lh_finalizer_add(host, ctx, &ref, parent, FINALIZER, NULL, &err), &err);
    else
        keep(host, ctx, &child, parent, completion);
}
