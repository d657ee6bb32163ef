/* SPDX-License-Identifier: Apache-2.0 */
/* Memcached: a Deployment of the size that is asked for, and a condition that says so. */
#include <leasehold/leasehold.h>

enum { WATCH_MEMCACHEDS, WATCH_DEPLOYMENTS }; /* of manifest.json, in its order */

struct lh_plugin {
    const lh_host_t *host;
};

static char *deployment(const char *name, int64_t size)
{
    return lh_json_printf(
        "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'%s'},'spec':{"
        "'replicas':%lld,'selector':{'matchLabels':{'app.kubernetes.io/instance':'%s'}},"
        "'template':{'metadata':{'labels':{'app.kubernetes.io/instance':'%s'}},'spec':{"
        "'securityContext':{'runAsNonRoot':true,'seccompProfile':{'type':'RuntimeDefault'}},"
        "'containers':[{'name':'memcached','image':'memcached:1.6.26-alpine3.19',"
        "'imagePullPolicy':'IfNotPresent','securityContext':{'runAsNonRoot':true,"
        "'runAsUser':1001,'allowPrivilegeEscalation':false,'capabilities':{'drop':['ALL']}},"
        "'ports':[{'name':'memcached','containerPort':11211}],"
        "'command':['memcached','--memory-limit=64','-o','modern','-v']}]}}}}",
        name, (long long) size, name, name);
}

/* failure NULL: the Deployment is as it should be. */
static int tell(const lh_plugin_t *self, const lh_request_t *request, lh_json_t memcached,
                int64_t size, const lh_error_t *failure, lh_error_t *err)
{
    const lh_ref_t ref =
        lh_ref_of("cache.example.com/v1alpha1", "memcacheds", request->key->ns, request->key->name);
    const lh_ref_t its_status = lh_sub(&ref, "status");
    char message[600];
    lh_condition_t available = {"Available", failure == NULL ? "True" : "False", "Reconciling",
                                message, 0};

    (void) lh_json_int64(memcached, "/metadata/generation", &available.observed_generation);
    if (failure == NULL)
        (void) snprintf(message, sizeof(message), "the Deployment has %lld replicas",
                        (long long) size);
    else
        (void) snprintf(message, sizeof(message), "the Deployment: %s", failure->text);
    char *conditions = lh_conditions_set(memcached, &available, 1, lh_time_now());
    char *patch = lh_json_printf("{'status':{'conditions':%s}}", conditions);
    const int ret =
        lh_patch_if_changed(self->host, request->ctx, &its_status, memcached, patch, NULL, err);

    free(patch);
    free(conditions);
    return ret;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    const lh_ref_t ref = lh_ref_of("apps/v1", "deployments", request->key->ns, request->key->name);
    int64_t size = 1;

    (void) result;
    if (request->object == NULL)
        return 0; /* gone; the cluster collects its Deployment */
    const lh_json_t memcached = lh_snapshot_json(self->host, request->object);
    (void) lh_json_int64(memcached, "/spec/size", &size);
    char *wanted = deployment(request->key->name, size);
    int ret = lh_owner_set_controller(&wanted, memcached, err);
    if (ret == 0)
        ret = lh_create_or_patch(self->host, request->ctx, &ref, WATCH_DEPLOYMENTS, wanted, NULL,
                                 err);
    free(wanted);
    if (ret == 0)
        return tell(self, request, memcached, size, NULL, err);
    (void) tell(self, request, memcached, size, err, NULL); /* the failure itself is what counts */
    return ret;
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
