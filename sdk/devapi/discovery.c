/* SPDX-License-Identifier: Apache-2.0 */
/* /api, /apis and what is below, legacy and aggregated (KEP-3352). */
#include "devapi/http_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char aggregated_v2[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/* All kinds: those that are stored, and those that are only asked. */
static void each_kind(dev_core_t *core, void (*each)(void *arg, const dev_kind_t *kind), void *arg)
{
    size_t count;
    const dev_kind_t *reviews = dev_review_kinds(&count);

    dev_core_kinds(core, each, arg);
    for (size_t i = 0; i < count; i++)
        each(arg, &reviews[i]);
}

typedef struct group_version {
    const char *group, *version;
    size_t order; /* of the group */
} group_version_t;

/* Groups in the order in which they are first met, their versions by priority. */
typedef struct groups {
    group_version_t seen[256];
    size_t count;
} groups_t;

static size_t order_of(const groups_t *g, const char *group)
{
    for (size_t i = 0; i < g->count; i++) {
        if (strcmp(g->seen[i].group, group) == 0)
            return g->seen[i].order;
    }
    return g->count;
}

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
        g->seen[g->count].order = order_of(g, k->group);
        g->seen[g->count].group = k->group;
        g->seen[g->count++].version = k->versions[v].name;
    }
}

/* The parts of "v2beta1": 2, 'b', 1. False for what is no such version. */
static bool parse_version(const char *text, long *major, int *stage, long *minor)
{
    char *end;

    *minor = 0;
    if (text[0] != 'v' || text[1] < '1' || text[1] > '9')
        return false;
    *major = strtol(text + 1, &end, 10);
    *stage = *end == '\0' ? 'z' : *end;
    if (*end == '\0')
        return true;
    const size_t len = strncmp(end, "alpha", 5) == 0 ? 5 : strncmp(end, "beta", 4) == 0 ? 4 : 0;
    if (len == 0 || end[len] < '1' || end[len] > '9')
        return false;
    *minor = strtol(end + len, &end, 10);
    return *end == '\0';
}

/* Stable before beta before alpha, high before low, then what is no version by its text. */
static int by_priority(const char *a, const char *b)
{
    long major[2], minor[2];
    int stage[2];
    const bool one = parse_version(a, &major[0], &stage[0], &minor[0]);
    const bool two = parse_version(b, &major[1], &stage[1], &minor[1]);

    if (!one || !two)
        return one != two ? two - one : strcmp(a, b);
    if (stage[0] != stage[1])
        return stage[1] - stage[0];
    if (major[0] != major[1])
        return major[1] > major[0] ? 1 : -1;
    return minor[1] > minor[0] ? 1 : minor[1] < minor[0] ? -1 : 0;
}

static int by_group(const void *pa, const void *pb)
{
    const group_version_t *a = pa, *b = pb;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    return by_priority(a->version, b->version);
}

static void collect(dev_core_t *core, groups_t *g)
{
    g->count = 0;
    each_kind(core, see, g);
    qsort(g->seen, g->count, sizeof(g->seen[0]), by_group);
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

/* -- What a kind takes -- */

static const char *verbs_of(const dev_kind_t *k)
{
    if ((k->flags & DEV_CREATE_ONLY) != 0)
        return "[\"create\"]";
    if ((k->flags & DEV_NO_COLLECTION_DELETE) != 0)
        return "[\"create\",\"delete\",\"get\",\"list\",\"patch\",\"update\",\"watch\"]";
    return "[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\","
           "\"watch\"]";
}

typedef struct sub {
    const char *name, *verbs;
    const char *group, *version, *kind; /* of what it takes; kind NULL: the kind itself */
} sub_t;

enum { MAX_SUBS = 3 };

/* The subresources of a version, in order; their number. */
static size_t subs_of(const dev_kind_t *k, const dev_version_t *v, sub_t out[MAX_SUBS])
{
    static const char all[] = "[\"get\",\"patch\",\"update\"]";
    size_t n = 0;

    if (k->group[0] == '\0' && strcmp(k->resource, "namespaces") == 0)
        out[n++] = (sub_t){.name = "finalize", .verbs = "[\"update\"]"};
    if (v->scale && (k->flags & DEV_CUSTOM) == 0)
        out[n++] = (sub_t){"scale", all, "autoscaling", "v1", "Scale"};
    if (v->status)
        out[n++] = (sub_t){.name = "status", .verbs = all};
    if (v->scale && (k->flags & DEV_CUSTOM) != 0)
        out[n++] = (sub_t){"scale", all, "autoscaling", "v1", "Scale"};
    return n;
}

/* -- Legacy -- */

typedef struct resources {
    buf_t *out;
    const char *group, *version;
    bool any;
} resources_t;

static void put_sub(const dev_kind_t *k, const sub_t *sub, buf_t *out)
{
    buf_printf(out, ",{\"name\":\"%s/%s\",\"singularName\":\"\",\"namespaced\":%s,", k->resource,
               sub->name, (k->flags & DEV_NAMESPACED) != 0 ? "true" : "false");
    if (sub->kind != NULL)
        buf_printf(out, "\"group\":\"%s\",\"version\":\"%s\",", sub->group, sub->version);
    buf_printf(out, "\"kind\":\"%s\",\"verbs\":%s}", sub->kind != NULL ? sub->kind : k->kind,
               sub->verbs);
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
               "\"verbs\":%s",
               r->any ? "," : "", k->resource, k->singular,
               (k->flags & DEV_NAMESPACED) != 0 ? "true" : "false", k->kind, verbs_of(k));
    put_words(r->out, "shortNames", k->short_names, HOST_LEN(k->short_names));
    put_words(r->out, "categories", k->categories, HOST_LEN(k->categories));
    buf_puts(r->out, "}");
    sub_t subs[MAX_SUBS];
    const size_t n = subs_of(k, v, subs);
    for (size_t i = 0; i < n; i++)
        put_sub(k, &subs[i], r->out);
    r->any = true;
}

static bool put_resource_list(dev_core_t *core, const char *group, const char *version, buf_t *out)
{
    resources_t r = {out, group, version, false};

    buf_printf(out,
               "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"%s%s%s\","
               "\"resources\":[",
               group, group[0] != '\0' ? "/" : "", version);
    each_kind(core, put_resource, &r);
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
    buf_printf(r->out, ",\"scope\":\"%s\",\"singularResource\":\"%s\",\"verbs\":%s",
               (k->flags & DEV_NAMESPACED) != 0 ? "Namespaced" : "Cluster", k->singular,
               verbs_of(k));
    put_words(r->out, "shortNames", k->short_names, HOST_LEN(k->short_names));
    put_words(r->out, "categories", k->categories, HOST_LEN(k->categories));
    sub_t subs[MAX_SUBS];
    const size_t n = subs_of(k, v, subs);
    for (size_t i = 0; i < n; i++) {
        buf_printf(r->out, "%s{\"subresource\":\"%s\",", i == 0 ? ",\"subresources\":[" : ",",
                   subs[i].name);
        put_response_kind(subs[i].kind != NULL ? subs[i].group : k->group,
                          subs[i].kind != NULL ? subs[i].version : r->version,
                          subs[i].kind != NULL ? subs[i].kind : k->kind, r->out);
        buf_printf(r->out, ",\"verbs\":%s}", subs[i].verbs);
    }
    buf_puts(r->out, n > 0 ? "]" : "");
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
        each_kind(core, put_aggregated_resource, &r);
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

enum dev_known dev_discovery_knows(dev_core_t *core, const char *group, const char *version)
{
    enum dev_known known = DEV_KNOWN_NOTHING;
    groups_t g;

    collect(core, &g);
    for (size_t i = 0; i < g.count; i++) {
        if (strcmp(g.seen[i].group, group) != 0)
            continue;
        known = HOST_MAX(known, strcmp(g.seen[i].version, version) == 0 ? DEV_KNOWN_VERSION
                                                                        : DEV_KNOWN_GROUP);
    }
    return known;
}

static int put_version(dev_core_t *core, const char *group, const char *version, buf_t *out)
{
    switch (dev_discovery_knows(core, group, version)) {
    case DEV_KNOWN_VERSION:
        (void) put_resource_list(core, group, version, out);
        return 200;
    case DEV_KNOWN_GROUP:
        return 404;
    default:
        return 0;
    }
}

static void put_paths(const groups_t *g, buf_t *out)
{
    buf_puts(out, "{\"paths\":[\"/api\",\"/api/v1\",\"/apis\"");
    for (size_t i = 0; i < g->count; i++) {
        if (g->seen[i].group[0] == '\0')
            continue;
        if (is_first(g, i))
            buf_printf(out, ",\"/apis/%s\"", g->seen[i].group);
        buf_printf(out, ",\"/apis/%s/%s\"", g->seen[i].group, g->seen[i].version);
    }
    buf_puts(out, ",\"/healthz\",\"/livez\",\"/openapi/v2\",\"/openapi/v3\",\"/readyz\","
                  "\"/version\"]}");
}

/* "/", "/api", "/apis": false for others. */
static bool put_root(dev_core_t *core, const char *path, bool aggregated, buf_t *out,
                     const char **content_type)
{
    const bool api = strcmp(path, "/api") == 0, apis = strcmp(path, "/apis") == 0;
    groups_t g;

    collect(core, &g);
    if ((api || apis) && aggregated) {
        *content_type = aggregated_v2;
        put_aggregated(core, &g, api, out);
    } else if (api) {
        buf_puts(out, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
                      "\"serverAddressByClientCIDRs\":[]}");
    } else if (apis) {
        put_group_list(&g, out);
    } else if (strcmp(path, "/") == 0) {
        put_paths(&g, out);
    }
    return api || apis || strcmp(path, "/") == 0;
}

int dev_discovery(dev_core_t *core, const char *path, bool aggregated, buf_t *out,
                  const char **content_type)
{
    groups_t g;
    dev_target_t t;
    int code = 0;

    if (put_root(core, path, aggregated, out, content_type))
        return 200;
    dev_target_parse(path, &t);
    if (t.resource && t.plural == NULL) {
        code = put_version(core, t.group, t.version, out);
    } else if (!t.resource && strncmp(path, "/apis/", 6) == 0) {
        collect(core, &g);
        code = put_one_group(&g, path + 6, out) ? 200 : 0;
    }
    dev_target_fini(&t);
    return code;
}
