/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

#define META "'metadata':{'name':'%s','labels':{'app.kubernetes.io/name':'%s'," WEBSITE_LABEL "}}"
#define META_ARGS(site) (site)->name, (site)->name

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

static void tell_creation(const site_t *site, const char *resource)
{
    char note[512];

    (void) snprintf(note, sizeof(note), "created %s/%s", resource, site->name);
    (void) lh_emit_event(site->host, site->ctx, site->object, LH_EVENT_NORMAL, "Created", note,
                         NULL);
}

int children_ensure(const site_t *site, lh_error_t *err)
{
    static const struct {
        uint32_t watch;
        const char *api_version, *resource;
        char *(*wanted)(const site_t *site);
    } children[] = {{WATCH_CONFIG_MAPS, "v1", "configmaps", config_map},
                    {WATCH_DEPLOYMENTS, "apps/v1", "deployments", deployment},
                    {WATCH_SERVICES, "v1", "services", service}};
    int ret = 0;

    for (size_t i = 0; ret == 0 && i < sizeof(children) / sizeof(children[0]); i++) {
        const lh_ref_t ref =
            lh_ref_of(children[i].api_version, children[i].resource, site->ns, site->name);
        char *wanted = children[i].wanted(site);
        uint32_t outcome = LH_UNCHANGED;
        ret = lh_owner_set_controller(&wanted, site->json, err);
        if (ret == 0)
            ret = lh_create_or_patch(site->host, site->ctx, &ref, children[i].watch, wanted,
                                     &outcome, err);
        if (outcome == LH_CREATED)
            tell_creation(site, ref.resource);
        free(wanted);
    }
    return ret;
}
