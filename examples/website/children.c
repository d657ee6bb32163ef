/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

#define META                                                                                       \
    "'metadata':{'name':'%s','labels':{'app.kubernetes.io/name':'%s'," WEBSITE_LABEL "},"          \
    "'ownerReferences':[{'apiVersion':'example.leasehold.dev/v1','kind':'Website','name':'%s',"    \
    "'uid':'%s','controller':true,'blockOwnerDeletion':true}]}"
#define META_ARGS(site) (site)->name, (site)->name, (site)->name, (site)->uid

/* -- What is wanted -- */

static char *config_map(const site_t *site)
{
    return lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap'," META ","
                          "'data':{'index.html':%.*s}}",
                          META_ARGS(site), (int) site->html.len, site->html.text);
}

static char *service(const site_t *site)
{
    return lh_json_printf("{'apiVersion':'v1','kind':'Service'," META ","
                          "'spec':{'selector':{'app.kubernetes.io/name':'%s'},"
                          "'ports':[{'port':80,'targetPort':80}]}}",
                          META_ARGS(site), site->name);
}

/* FNV-1a. In the Pods' template it makes a new page a new roll-out. */
static uint64_t hash(lh_json_t text)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char) text.text[i]) * UINT64_C(1099511628211);
    return h;
}

static char *deployment(const site_t *site)
{
    char page[24];

    (void) snprintf(page, sizeof(page), "%016llx", (unsigned long long) hash(site->html));
    return lh_json_printf(
        "{'apiVersion':'apps/v1','kind':'Deployment'," META ","
        "'spec':{'replicas':%lld,'selector':{'matchLabels':{'app.kubernetes.io/name':'%s'}},"
        "'template':{'metadata':{'labels':{'app.kubernetes.io/name':'%s'},"
        "'annotations':{'example.leasehold.dev/page':'%s'}},"
        "'spec':{'containers':[{'name':'web','image':'%s','ports':[{'containerPort':80}],"
        "'volumeMounts':[{'name':'page','mountPath':'/usr/share/nginx/html'}]}],"
        "'volumes':[{'name':'page','configMap':{'name':'%s'}}]}}}}",
        META_ARGS(site), (long long) site->replicas, site->name, site->name, page, site->image,
        site->name);
}

/* -- What is there -- */

static int is_ours(const site_t *site, lh_json_t object)
{
    lh_json_t owners, name, owner;
    int controller = 0;

    if (lh_json_at(object, "/metadata/ownerReferences", &owners) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(owners);
    while (lh_json_next(&it, &name, &owner)) {
        if (lh_json_equals(owner, "/uid", site->uid) &&
            lh_json_bool(owner, "/controller", &controller) == 0 && controller)
            return 1;
    }
    return 0;
}

static int create_child(const site_t *site, const char *collection, const char *wanted,
                        lh_error_t *err)
{
    const int ret = lh_callf(site->host, site->ctx, "POST", wanted, NULL, err, "%s", collection);
    char note[512];

    if (ret == 0) {
        (void) snprintf(note, sizeof(note), "created %s/%s", collection, site->name);
        (void) lh_emit_event(site->host, site->ctx, site->object, LH_EVENT_NORMAL, "Created", note,
                             NULL);
    }
    return ret;
}

/* Creates the child when it is missing, updates it when it differs, else leaves it alone. */
static int ensure(const site_t *site, uint32_t watch, const char *collection, const char *wanted,
                  lh_error_t *err)
{
    const lh_key_t key = lh_key_of(watch, site->ns, site->name);
    lh_snapshot_t *cached = NULL;
    lh_response_t *fetched = NULL;
    int ret = lh_cache_get(site->host, site->ctx, &key, &cached, err);

    if (ret == LH_ENOTFOUND) /* the watch does not see it either when it has lost its label */
        ret = lh_callf(site->host, site->ctx, "GET", NULL, &fetched, err, "%s/%s", collection,
                       site->name);
    if (ret == LH_ENOTFOUND)
        return create_child(site, collection, wanted, err);
    if (ret < 0)
        return ret;
    const lh_json_t actual = cached != NULL ? lh_snapshot_json(site->host, cached)
                                            : lh_response_json(site->host, fetched);
    if (!is_ours(site, actual))
        ret = lh_errorf(err, LH_EEXISTS, "%s/%s exists and belongs to somebody else", collection,
                        site->name);
    else if (!lh_json_covers(actual, lh_json_text(wanted, strlen(wanted))))
        ret = lh_callf(site->host, site->ctx, "PATCH", wanted, NULL, err, "%s/%s", collection,
                       site->name);
    lh_snapshot_release(site->host, cached);
    lh_response_release(site->host, fetched);
    return ret;
}

int children_ensure(const site_t *site, lh_error_t *err)
{
    static const struct {
        uint32_t watch;
        const char *api, *resource;
        char *(*wanted)(const site_t *site);
    } children[] = {{WATCH_CONFIG_MAPS, "/api/v1", "configmaps", config_map},
                    {WATCH_DEPLOYMENTS, "/apis/apps/v1", "deployments", deployment},
                    {WATCH_SERVICES, "/api/v1", "services", service}};
    int ret = 0;

    for (size_t i = 0; ret == 0 && i < sizeof(children) / sizeof(children[0]); i++) {
        char collection[256], *wanted = children[i].wanted(site);
        if (wanted == NULL)
            return lh_errorf(err, LH_ENOMEM, "out of memory");
        (void) snprintf(collection, sizeof(collection), "%s/namespaces/%s/%s", children[i].api,
                        site->ns, children[i].resource);
        ret = ensure(site, children[i].watch, collection, wanted, err);
        free(wanted);
    }
    return ret;
}
