/* SPDX-License-Identifier: Apache-2.0 */
/* The kind that a CustomResourceDefinition makes. */
#include "devapi/core_impl.h"

#include <stdlib.h>
#include <string.h>

static void take_names(dev_custom_t *k)
{
    const cJSON *spec = tree_get(k->crd, "spec"), *names = tree_get(spec, "names"), *item;
    size_t n = 0;

    k->kind.group = tree_text(spec, "group");
    k->kind.resource = tree_text(names, "plural");
    k->kind.singular = tree_text(names, "singular");
    k->kind.kind = tree_text(names, "kind");
    k->list_kind = tree_text(names, "listKind")[0] != '\0'
                       ? host_xstrdup(tree_text(names, "listKind"))
                       : host_xprintf("%sList", k->kind.kind);
    k->kind.list_kind = k->list_kind;
    k->kind.flags =
        DEV_CUSTOM | (strcmp(tree_text(spec, "scope"), "Namespaced") == 0 ? DEV_NAMESPACED : 0);
    cJSON_ArrayForEach (item, tree_get(names, "shortNames")) {
        if (cJSON_IsString(item) && n < HOST_LEN(k->kind.short_names))
            k->kind.short_names[n++] = item->valuestring;
    }
    n = 0;
    cJSON_ArrayForEach (item, tree_get(names, "categories")) {
        if (cJSON_IsString(item) && n < HOST_LEN(k->kind.categories))
            k->kind.categories[n++] = item->valuestring;
    }
}

static const char *path_or_null(const cJSON *scale, const char *key)
{
    const char *path = tree_text(scale, key);

    return path[0] != '\0' ? path : NULL;
}

static void take_version(dev_custom_t *k, size_t n, const cJSON *v)
{
    const cJSON *subs = tree_get(v, "subresources"), *scale = tree_get(subs, "scale");
    const cJSON *schema = tree_at(v, "schema.openAPIV3Schema");
    dev_status_t st = {0};

    if (schema != NULL)
        k->schemas[n] = dev_schema_create(schema, "", &st); /* it was checked when it was stored */
    dev_status_fini(&st);
    k->kind.versions[n] = (dev_version_t){
        .name = tree_text(v, "name"),
        .status = tree_get(subs, "status") != NULL,
        .scale = scale != NULL,
        .schema = k->schemas[n],
        .openapi = schema,
        .spec_replicas_path = path_or_null(scale, "specReplicasPath"),
        .status_replicas_path = path_or_null(scale, "statusReplicasPath"),
        .label_selector_path = path_or_null(scale, "labelSelectorPath"),
        .columns = tree_get(v, "additionalPrinterColumns"),
    };
}

/* -- Versions: stable ones first, then beta, then alpha, and the highest first of each -- */

typedef struct rank {
    int stage; /* 2: stable, 1: beta, 0: alpha, -1: no such name */
    long major, minor;
} rank_t;

static rank_t rank_of(const char *name)
{
    rank_t r = {-1, 0, 0};
    char *end;

    if (name[0] != 'v' || name[1] < '1' || name[1] > '9')
        return r;
    r.major = strtol(name + 1, &end, 10);
    if (*end == '\0')
        r.stage = 2;
    else if (strncmp(end, "beta", 4) == 0 && end[4] >= '1' && end[4] <= '9')
        r.stage = 1;
    else if (strncmp(end, "alpha", 5) == 0 && end[5] >= '1' && end[5] <= '9')
        r.stage = 0;
    if (r.stage == 0 || r.stage == 1) {
        r.minor = strtol(end + (r.stage == 1 ? 4 : 5), &end, 10);
        r.stage = *end == '\0' ? r.stage : -1;
    }
    return r;
}

static int by_rank(const void *a, const void *b)
{
    const char *x = tree_text(*(const cJSON *const *) a, "name");
    const char *y = tree_text(*(const cJSON *const *) b, "name");
    const rank_t p = rank_of(x), q = rank_of(y);

    if (p.stage != q.stage)
        return q.stage - p.stage;
    if (p.stage < 0 || (p.major == q.major && p.minor == q.minor))
        return strcmp(x, y);
    return p.major != q.major ? (p.major < q.major ? 1 : -1) : p.minor < q.minor ? 1 : -1;
}

dev_custom_t *dev_custom_create(const dev_object_t *crd)
{
    dev_custom_t *k = host_xcalloc(1, sizeof(*k));
    const cJSON *served[DEV_MAX_VERSIONS], *v;
    size_t n = 0;

    k->crd = dev_object_tree(crd);
    take_names(k);
    cJSON_ArrayForEach (v, tree_at(k->crd, "spec.versions")) {
        if (tree_true(v, "served") && n < DEV_MAX_VERSIONS)
            served[n++] = v;
    }
    qsort(served, n, sizeof(served[0]), by_rank);
    for (size_t i = 0; i < n; i++)
        take_version(k, i, served[i]);
    k->ending = crd->deleting;
    k->served = true;
    return k;
}
