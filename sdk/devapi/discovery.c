/* SPDX-License-Identifier: Apache-2.0 */
/* /api, /apis and what is below, legacy and aggregated (KEP-3352). */
#include "devapi/http.h"

#include <stdio.h>
#include <string.h>

static const char aggregated_v2[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/* Group versions in the order in which they are first met. */
typedef struct groups {
    struct {
        const char *group, *version;
    } seen[256];
    size_t count;
} groups_t;

static void see(void *arg, const dev_kind_t *k)
{
    groups_t *g = arg;

    for (size_t v = 0; v < HOST_LEN(k->versions) && k->versions[v].name != NULL; v++) {
        size_t i = 0;
        while (i < g->count && (strcmp(g->seen[i].group, k->group) != 0 ||
                                strcmp(g->seen[i].version, k->versions[v].name) != 0))
            i++;
        if (i < g->count || g->count == HOST_LEN(g->seen))
            continue;
        g->seen[g->count].group = k->group;
        g->seen[g->count++].version = k->versions[v].name;
    }
}

static void collect(dev_core_t *core, groups_t *g)
{
    g->count = 0;
    dev_core_kinds(core, see, g);
}

static bool is_first(const groups_t *g, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (strcmp(g->seen[j].group, g->seen[i].group) == 0)
            return false;
    }
    return true;
}

static void put_words(buf_t *out, const char *key, const char *const *words, size_t max)
{
    if (words[0] == NULL)
        return;
    buf_printf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < max && words[i] != NULL; i++)
        buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", words[i]);
    buf_puts(out, "]");
}

#define VERBS                                                                                      \
    "[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\",\"watch\"]"
#define SUB_VERBS "[\"get\",\"patch\",\"update\"]"

/* -- Legacy -- */

typedef struct resources {
    buf_t *out;
    const char *group, *version;
    bool any;
} resources_t;

static void put_sub(const dev_kind_t *k, const char *sub, buf_t *out)
{
    const bool scale = strcmp(sub, "scale") == 0;

    buf_printf(out, ",{\"name\":\"%s/%s\",\"singularName\":\"\",\"namespaced\":%s,", k->resource,
               sub, (k->flags & DEV_NAMESPACED) != 0 ? "true" : "false");
    if (scale)
        buf_puts(out, "\"group\":\"autoscaling\",\"version\":\"v1\",");
    buf_printf(out, "\"kind\":\"%s\",\"verbs\":" SUB_VERBS "}", scale ? "Scale" : k->kind);
}

static const dev_version_t *version_of(const dev_kind_t *k, const char *group, const char *version)
{
    if (strcmp(k->group, group) != 0)
        return NULL;
    for (size_t i = 0; i < HOST_LEN(k->versions) && k->versions[i].name != NULL; i++) {
        if (strcmp(k->versions[i].name, version) == 0)
            return &k->versions[i];
    }
    return NULL;
}

static void put_resource(void *arg, const dev_kind_t *k)
{
    resources_t *r = arg;
    const dev_version_t *v = version_of(k, r->group, r->version);

    if (v == NULL)
        return;
    buf_printf(r->out,
               "%s{\"name\":\"%s\",\"singularName\":\"%s\",\"namespaced\":%s,\"kind\":\"%s\","
               "\"verbs\":" VERBS,
               r->any ? "," : "", k->resource, k->singular,
               (k->flags & DEV_NAMESPACED) != 0 ? "true" : "false", k->kind);
    put_words(r->out, "shortNames", k->short_names, HOST_LEN(k->short_names));
    put_words(r->out, "categories", k->categories, HOST_LEN(k->categories));
    buf_puts(r->out, "}");
    if (v->status)
        put_sub(k, "status", r->out);
    if (v->scale)
        put_sub(k, "scale", r->out);
    r->any = true;
}

static bool put_resource_list(dev_core_t *core, const char *group, const char *version, buf_t *out)
{
    resources_t r = {out, group, version, false};

    buf_printf(out,
               "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"%s%s%s\","
               "\"resources\":[",
               group, group[0] != '\0' ? "/" : "", version);
    dev_core_kinds(core, put_resource, &r);
    buf_puts(out, "]}");
    return r.any;
}

static void put_group(const groups_t *g, size_t first, buf_t *out)
{
    const char *group = g->seen[first].group;
    bool any = false;

    buf_printf(out, "\"name\":\"%s\",\"versions\":[", group);
    for (size_t i = first; i < g->count; i++) {
        if (strcmp(g->seen[i].group, group) != 0)
            continue;
        buf_printf(out, "%s{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}", any ? "," : "", group,
                   g->seen[i].version, g->seen[i].version);
        any = true;
    }
    buf_printf(out, "],\"preferredVersion\":{\"groupVersion\":\"%s/%s\",\"version\":\"%s\"}", group,
               g->seen[first].version, g->seen[first].version);
}

static void put_group_list(const groups_t *g, buf_t *out)
{
    bool any = false;

    buf_puts(out, "{\"kind\":\"APIGroupList\",\"apiVersion\":\"v1\",\"groups\":[");
    for (size_t i = 0; i < g->count; i++) {
        if (g->seen[i].group[0] == '\0' || !is_first(g, i))
            continue;
        buf_puts(out, any ? ",{" : "{");
        put_group(g, i, out);
        buf_puts(out, "}");
        any = true;
    }
    buf_puts(out, "]}");
}

/* -- Aggregated -- */

static void put_response_kind(const char *group, const char *version, const char *kind, buf_t *out)
{
    buf_printf(out, "\"responseKind\":{\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\"}", group,
               version, kind);
}

static void put_aggregated_resource(void *arg, const dev_kind_t *k)
{
    resources_t *r = arg;
    const dev_version_t *v = version_of(k, r->group, r->version);

    if (v == NULL)
        return;
    buf_printf(r->out, "%s{\"resource\":\"%s\",", r->any ? "," : "", k->resource);
    put_response_kind(k->group, r->version, k->kind, r->out);
    buf_printf(r->out, ",\"scope\":\"%s\",\"singularResource\":\"%s\",\"verbs\":" VERBS,
               (k->flags & DEV_NAMESPACED) != 0 ? "Namespaced" : "Cluster", k->singular);
    put_words(r->out, "shortNames", k->short_names, HOST_LEN(k->short_names));
    put_words(r->out, "categories", k->categories, HOST_LEN(k->categories));
    if (v->status || v->scale) {
        buf_puts(r->out, ",\"subresources\":[");
        if (v->status) {
            buf_puts(r->out, "{\"subresource\":\"status\",");
            put_response_kind(k->group, r->version, k->kind, r->out);
            buf_puts(r->out, ",\"verbs\":" SUB_VERBS "}");
        }
        if (v->scale) {
            buf_puts(r->out,
                     v->status ? ",{\"subresource\":\"scale\"," : "{\"subresource\":\"scale\",");
            put_response_kind("autoscaling", "v1", "Scale", r->out);
            buf_puts(r->out, ",\"verbs\":" SUB_VERBS "}");
        }
        buf_puts(r->out, "]");
    }
    buf_puts(r->out, "}");
    r->any = true;
}

static void put_aggregated_group(dev_core_t *core, const groups_t *g, size_t first, buf_t *out)
{
    const char *group = g->seen[first].group;
    bool any = false;

    buf_puts(out, "{\"metadata\":{");
    if (group[0] != '\0')
        buf_printf(out, "\"name\":\"%s\",", group);
    buf_puts(out, "\"creationTimestamp\":null},\"versions\":[");
    for (size_t i = first; i < g->count; i++) {
        if (strcmp(g->seen[i].group, group) != 0)
            continue;
        resources_t r = {out, group, g->seen[i].version, false};
        buf_printf(out, "%s{\"version\":\"%s\",\"resources\":[", any ? "," : "",
                   g->seen[i].version);
        dev_core_kinds(core, put_aggregated_resource, &r);
        buf_puts(out, "],\"freshness\":\"Current\"}");
        any = true;
    }
    buf_puts(out, "]}");
}

static void put_aggregated(dev_core_t *core, const groups_t *g, bool core_group, buf_t *out)
{
    bool any = false;

    buf_puts(out, "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\","
                  "\"metadata\":{},\"items\":[");
    for (size_t i = 0; i < g->count; i++) {
        if ((g->seen[i].group[0] == '\0') != core_group || !is_first(g, i))
            continue;
        buf_puts(out, any ? "," : "");
        put_aggregated_group(core, g, i, out);
        any = true;
    }
    buf_puts(out, "]}");
}

/* -- The paths -- */

static bool wants_aggregated(const char *accept)
{
    return accept != NULL && strstr(accept, "as=APIGroupDiscoveryList") != NULL &&
           strstr(accept, "v=v2") != NULL;
}

static bool put_one_group(const groups_t *g, const char *name, buf_t *out)
{
    for (size_t i = 0; i < g->count; i++) {
        if (strcmp(g->seen[i].group, name) != 0)
            continue;
        buf_puts(out, "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",");
        put_group(g, i, out);
        buf_puts(out, "}");
        return true;
    }
    return false;
}

bool dev_discovery(dev_core_t *core, const char *path, const char *accept, buf_t *out,
                   const char **content_type)
{
    const bool roots = strcmp(path, "/api") == 0 || strcmp(path, "/apis") == 0;
    groups_t g;
    char group[256], *slash;

    collect(core, &g);
    if (roots && wants_aggregated(accept)) {
        *content_type = aggregated_v2;
        put_aggregated(core, &g, path[4] == '\0', out);
        return true;
    }
    if (strcmp(path, "/api") == 0) {
        buf_puts(out, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
                      "\"serverAddressByClientCIDRs\":[]}");
        return true;
    }
    if (strcmp(path, "/apis") == 0) {
        put_group_list(&g, out);
        return true;
    }
    if (strcmp(path, "/api/v1") == 0)
        return put_resource_list(core, "", "v1", out);
    if (strncmp(path, "/apis/", 6) != 0 || strlen(path) >= sizeof(group))
        return false;
    snprintf(group, sizeof(group), "%s", path + 6);
    slash = strchr(group, '/');
    if (slash == NULL)
        return put_one_group(&g, group, out);
    *slash = '\0';
    return strchr(slash + 1, '/') == NULL && put_resource_list(core, group, slash + 1, out);
}
