/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each ConfigMap labelled role=team tells in data.members how many ConfigMaps of its namespace name it in
 * their label `team`. They are counted in the cache, which finds them by an index of that label.
 */
#include <leasehold/leasehold.h>

/* clang-format off */
LH_MANIFEST_JSON({
    "abi": 0, "id": "team", "version": "1.0.0",
    "watches": [
        {"version": "v1", "resource": "configmaps", "kind": "ConfigMap", "labelSelector": "role=team"},
        {"version": "v1", "resource": "configmaps", "kind": "ConfigMap", "labelSelector": "team", "projection": "metadata",
         "role": "mapped", "map": {"by": "label", "key": "team"}, "indexLabels": ["team"]}
    ],
    "permissions": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch", "patch"]}
    ]
});
/* clang-format on */

#define WATCH_MEMBERS 1

struct lh_plugin {
    const lh_host_t *host;
};

static int count_members(lh_plugin_t *self, const lh_request_t *request, int *count,
                         lh_error_t *err)
{
    char selector[512];
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *member = NULL;

    (void) snprintf(selector, sizeof(selector), "team=%s", request->key->name);
    const lh_query_t query = {.struct_size = sizeof(query),
                              .watch = WATCH_MEMBERS,
                              .ns = request->key->ns,
                              .label_selector = selector};
    int ret = lh_cache_list(self->host, request->ctx, &query, &cursor, err);

    while (ret == 0 && (ret = lh_cursor_next(self->host, cursor, &member, err)) == 0 &&
           member != NULL) {
        (*count)++;
        lh_snapshot_release(self->host, member);
    }
    lh_cursor_release(self->host, cursor);
    return ret;
}

/* Members may name a team that is not there: then it is called for a key without an object. */
static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    const lh_ref_t ref = lh_ref_of("v1", "configmaps", request->key->ns, request->key->name);
    int count = 0;

    (void) result;
    if (request->object == NULL)
        return 0;
    int ret = strlen(request->key->name) <= 63 /* a longer one can be no label's value */
                  ? count_members(self, request, &count, err)
                  : 0;

    if (ret < 0)
        return ret;
    char *patch = lh_json_printf("{'data':{'members':'%d'}}", count);
    ret = lh_patch_if_changed(self->host, request->ctx, &ref,
                              lh_snapshot_json(self->host, request->object), patch, NULL, err);
    free(patch);
    return ret == LH_ENOTFOUND ? 0 : ret; /* deleted meanwhile */
}

LH_SYNC(reconcile, host)

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
