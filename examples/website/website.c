/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

#define FINALIZER "example.leasehold.dev/registry"
#define REGISTRY "website-registry" /* a ConfigMap that lists the sites of its namespace */

struct lh_plugin {
    const lh_host_t *host;
};

static int read_site(const lh_plugin_t *self, const lh_request_t *request, site_t *site,
                     lh_error_t *err)
{
    *site = (site_t){.host = self->host,
                     .ctx = request->ctx,
                     .object = request->object,
                     .ns = request->key->ns,
                     .name = request->key->name,
                     .replicas = 1,
                     .image = "nginx:1.27-alpine"};
    site->json = lh_snapshot_json(self->host, request->object);
    int ret = lh_json_int64(site->json, "/metadata/generation", &site->generation);

    if (ret == 0)
        ret = lh_json_at(site->json, "/spec/html", &site->html);
    if (ret < 0)
        return lh_errorf(err, ret, "not a Website: %s", lh_strerror(ret));
    ret = lh_json_int64(site->json, "/spec/replicas", &site->replicas);
    if (ret == 0 || ret == LH_ENOTFOUND)
        ret = lh_json_string(site->json, "/spec/image", site->image, sizeof(site->image));
    if (ret < 0 && ret != LH_ENOTFOUND)
        return lh_errorf(err, ret, "spec.replicas or spec.image: %s", lh_strerror(ret));
    return 0;
}

/* -- The finalizer, and what it is for -- */

/* Enters the site into the registry, which belongs to no single site, so that no owner reference cleans
 * it up. */
static int enter_registry(const site_t *site, lh_error_t *err)
{
    const lh_ref_t ref = lh_ref_of("v1", "configmaps", site->ns, REGISTRY);
    char *wanted =
        lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" REGISTRY
                       "','labels':{" WEBSITE_LABEL "}},'data':{'%s':'http://%s.%s.svc'}}",
                       site->name, site->name, site->ns);
    const int ret =
        lh_create_or_patch(site->host, site->ctx, &ref, WATCH_CONFIG_MAPS, wanted, NULL, err);

    free(wanted);
    return ret;
}

static int leave_registry(const site_t *site, lh_error_t *err)
{
    const lh_ref_t ref = lh_ref_of("v1", "configmaps", site->ns, REGISTRY);
    char *patch = lh_json_printf("{'data':{'%s':null}}", site->name);
    int ret = LH_ENOMEM;

    if (patch == NULL)
        return lh_errorf(err, ret, "out of memory");
    ret = lh_patch(site->host, site->ctx, &ref, LH_PATCH_MERGE, patch, NULL, err);
    free(patch);
    return ret == LH_ENOTFOUND ? 0 : ret;
}

/* -- Reconcile -- */

static int finish(const site_t *site, lh_error_t *err)
{
    const lh_ref_t ref = website_ref(site);

    if (!lh_finalizer_has(site->json, FINALIZER))
        return 0;
    const int ret = leave_registry(site, err);

    return ret == 0
               ? lh_finalizer_remove(site->host, site->ctx, &ref, site->json, FINALIZER, NULL, err)
               : ret;
}

static int bring_up(const site_t *site, lh_error_t *err)
{
    const int ret = enter_registry(site, err);

    return ret == 0 ? children_ensure(site, err) : ret;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    site_t site;

    if (request->object == NULL)
        return 0; /* gone; the cluster collects what it owned */
    int ret = read_site(self, request, &site, err);
    if (ret < 0)
        return lh_give_up(result, ret); /* no use before somebody edits it */
    const lh_ref_t ref = website_ref(&site);
    if (lh_is_being_deleted(site.json))
        return finish(&site, err);
    if (!lh_finalizer_has(site.json, FINALIZER)) /* this change brings us back */
        return lh_finalizer_add(site.host, site.ctx, &ref, site.json, FINALIZER, NULL, err);
    ret = bring_up(&site, err);
    if (ret == 0)
        return status_write(&site, NULL, err);
    if (lh_cancelled(self->host, request->ctx) == 0)
        (void) status_write(&site, err, NULL); /* the failure itself is what counts */
    return ret;
}

LH_SYNC(reconcile, host)

/* -- Life -- */

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
