/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

#define WEBSITE_PATH "/apis/example.leasehold.dev/v1/namespaces/%s/websites/%s"
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
                     .uid = request->uid,
                     .replicas = 1,
                     .image = "nginx:1.27-alpine"};
    site->json = lh_snapshot_json(self->host, request->object);
    int ret = lh_json_string(site->json, "/metadata/resourceVersion", site->version,
                             sizeof(site->version));

    if (ret == 0)
        ret = lh_json_int64(site->json, "/metadata/generation", &site->generation);
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

/* Enters the site into the registry (address: a JSON string) or takes it out (address: "null"). The
 * registry belongs to no single site, so no owner reference cleans it up. */
static int write_registry(const site_t *site, const char *address, lh_error_t *err)
{
    const lh_key_t key = lh_key_of(WATCH_CONFIG_MAPS, site->ns, REGISTRY);
    lh_snapshot_t *cached = NULL;
    char *wanted =
        lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'" REGISTRY
                       "','labels':{" WEBSITE_LABEL "}},'data':{'%s':%s}}",
                       site->name, address);

    if (wanted == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    int ret = lh_cache_get(site->host, site->ctx, &key, &cached, err);
    const int is_there = ret == 0 && lh_json_covers(lh_snapshot_json(site->host, cached),
                                                    lh_json_text(wanted, strlen(wanted)));

    lh_snapshot_release(site->host, cached);
    if (!is_there) {
        ret = lh_callf(site->host, site->ctx, "PATCH", wanted, NULL, err,
                       "/api/v1/namespaces/%s/configmaps/" REGISTRY, site->ns);
        if (ret == LH_ENOTFOUND && strcmp(address, "null") == 0)
            ret = 0;
        else if (ret == LH_ENOTFOUND)
            ret = lh_callf(site->host, site->ctx, "POST", wanted, NULL, err,
                           "/api/v1/namespaces/%s/configmaps", site->ns);
    }
    free(wanted);
    return ret;
}

/* The finalizers of the site, with ours or without, as a JSON array in list. */
static int print_finalizers(const site_t *site, int with_ours, char *list, size_t size)
{
    lh_json_t others = {"[]", 2}, name, item;
    size_t len = (size_t) snprintf(list, size, "[%s", with_ours ? "\"" FINALIZER "\"" : "");

    (void) lh_json_at(site->json, "/metadata/finalizers", &others);
    lh_json_iter_t it = lh_json_each(others);
    while (lh_json_next(&it, &name, &item)) {
        if (lh_json_equals(item, "", FINALIZER))
            continue;
        if (len + item.len + 3 > size)
            return LH_ETOOBIG;
        len += (size_t) snprintf(list + len, size - len, "%s%.*s", len > 1 ? "," : "",
                                 (int) item.len, item.text);
    }
    (void) snprintf(list + len, size - len, "]");
    return it.code;
}

/* A list is replaced as a whole, so the patch names the resourceVersion that it was read from: when
 * somebody was faster the answer is LH_ECONFLICT, and the reconcile is tried again. */
static int write_finalizer(const site_t *site, int with_ours, lh_error_t *err)
{
    char list[2048];
    int ret = print_finalizers(site, with_ours, list, sizeof(list));

    if (ret < 0)
        return lh_errorf(err, ret, "finalizers: %s", lh_strerror(ret));
    char *body = lh_json_printf("{'metadata':{'resourceVersion':'%s','finalizers':%s}}",
                                site->version, list);
    if (body == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    ret = lh_callf(site->host, site->ctx, "PATCH", body, NULL, err, WEBSITE_PATH, site->ns,
                   site->name);
    free(body);
    return ret;
}

static int has_finalizer(const site_t *site)
{
    lh_json_t list, name, item;

    if (lh_json_at(site->json, "/metadata/finalizers", &list) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &name, &item)) {
        if (lh_json_equals(item, "", FINALIZER))
            return 1;
    }
    return 0;
}

/* -- Reconcile -- */

static int finish(const site_t *site, lh_error_t *err)
{
    if (!has_finalizer(site))
        return 0;
    const int ret = write_registry(site, "null", err);

    return ret == 0 ? write_finalizer(site, 0, err) : ret;
}

static int bring_up(const site_t *site, lh_error_t *err)
{
    char *address = lh_json_printf("'http://%s.%s.svc'", site->name, site->ns);

    if (address == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = write_registry(site, address, err);

    free(address);
    return ret == 0 ? children_ensure(site, err) : ret;
}

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    site_t site;
    lh_json_t when;

    if (request->object == NULL)
        return 0; /* gone; the cluster collects what it owned */
    int ret = read_site(self, request, &site, err);
    if (ret < 0)
        return lh_give_up(result, ret); /* no use before somebody edits it */
    if (lh_json_at(site.json, "/metadata/deletionTimestamp", &when) == 0)
        return finish(&site, err);
    if (!has_finalizer(&site))
        return write_finalizer(&site, 1, err); /* this change brings us back */
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
