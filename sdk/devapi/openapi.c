/* SPDX-License-Identifier: Apache-2.0 */
/* As much of OpenAPI as lets kubectl leave validation to the server. Version 2 is an empty document:
 * old clients then check nothing. Version 3 says of each kind that its requests take
 * fieldValidation, and the fields, for kubectl explain. */
#include "devapi/http_impl.h"
#include "devapi/openapi_builtin.h"
#include "devapi/tree.h"

#include <stdio.h>
#include <string.h>

typedef struct doc {
    buf_t *out;
    const char *group, *version;
    bool any;
    openapi_builtin_t builtin;
} doc_t;

/* -- The index -- */

static void put_entry(buf_t *out, const char *group, const char *version, bool first)
{
    const char *root = group[0] != '\0' ? "apis/" : "api", *slash = "/";

    buf_printf(out, "%s\"%s%s%s%s\":{\"serverRelativeURL\":\"/openapi/v3/%s%s%s%s\"}",
               first ? "" : ",", root, group, slash, version, root, group, slash, version);
}

typedef struct index {
    buf_t *out;
    dev_core_t *core;
    const dev_kind_t *kind; /* at hand */
    const char *version;
    bool seen, any;
} index_t;

/* Notes whether an earlier kind has the same group version. */
static void look(void *arg, const dev_kind_t *k)
{
    index_t *i = arg;

    if (i->kind == NULL || strcmp(k->group, i->kind->group) != 0)
        return;
    if (k == i->kind) {
        i->kind = NULL; /* later ones do not count */
        return;
    }
    for (size_t v = 0; v < HOST_LEN(k->versions) && k->versions[v].name != NULL; v++)
        i->seen |= strcmp(k->versions[v].name, i->version) == 0;
}

static void put_kind_entries(void *arg, const dev_kind_t *k)
{
    index_t *i = arg;

    for (size_t v = 0; v < HOST_LEN(k->versions) && k->versions[v].name != NULL; v++) {
        i->kind = k;
        i->version = k->versions[v].name;
        i->seen = false;
        dev_core_kinds(i->core, look, i);
        if (!i->seen)
            put_entry(i->out, k->group, i->version, !i->any);
        i->any = true;
    }
}

/* -- A document -- */

static void put_operation(doc_t *d, const dev_kind_t *k, const char *method, const char *action)
{
    buf_printf(d->out,
               "\"%s\":{\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":{"
               "\"group\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\"},\"responses\":{\"200\":{"
               "\"description\":\"OK\"}},\"parameters\":[",
               method, action, k->group, d->version, k->kind);
    static const char *const parameters[] = {"dryRun", "fieldManager", "fieldValidation"};
    for (size_t i = 0; i < HOST_LEN(parameters); i++)
        buf_printf(d->out, "%s{\"name\":\"%s\",\"in\":\"query\",\"schema\":{\"type\":\"string\"}}",
                   i > 0 ? "," : "", parameters[i]);
    buf_puts(d->out, "]}");
}

/* The version of a kind that the document is of; NULL: none. */
static const dev_version_t *version_in(const doc_t *d, const dev_kind_t *k)
{
    if (strcmp(k->group, d->group) != 0)
        return NULL;
    for (size_t v = 0; v < HOST_LEN(k->versions) && k->versions[v].name != NULL; v++) {
        if (strcmp(k->versions[v].name, d->version) == 0)
            return &k->versions[v];
    }
    return NULL;
}

/* The fields that every object has, unless the schema has its own words for them. */
static void add_common(cJSON *properties)
{
    static const struct {
        const char *name, *json;
    } common[] = {
        {"apiVersion", "{\"type\":\"string\",\"description\":\"The version of this schema of an "
                       "object.\"}"},
        {"kind", "{\"type\":\"string\",\"description\":\"The kind of the object.\"}"},
        {"metadata", "{\"type\":\"object\",\"description\":\"Standard object's metadata.\"}"},
    };

    for (size_t i = 0; i < HOST_LEN(common); i++) {
        if (tree_get(properties, common[i].name) == NULL)
            tree_set(properties, common[i].name, cJSON_Parse(common[i].json));
    }
}

static void put_schemas(void *arg, const dev_kind_t *k)
{
    doc_t *d = arg;
    const dev_version_t *v = version_in(d, k);

    if (v != NULL && (k->flags & DEV_CUSTOM) == 0)
        openapi_add_kind(&d->builtin, k->group, d->version, k->kind);
    if (v == NULL || v->openapi == NULL)
        return;
    cJSON *schema = cJSON_Duplicate(v->openapi, true);
    cJSON *kinds = tree_array(schema, "x-kubernetes-group-version-kind");
    cJSON *gvk = cJSON_CreateObject();
    cJSON_AddStringToObject(gvk, "group", k->group);
    cJSON_AddStringToObject(gvk, "kind", k->kind);
    cJSON_AddStringToObject(gvk, "version", d->version);
    tree_insert(kinds, 0, gvk);
    add_common(tree_object(schema, "properties"));
    char *text = cJSON_PrintUnformatted(schema);
    buf_printf(d->out, "%s\"%s.%s.%s\":", d->any ? "," : "", k->group, d->version, k->kind);
    buf_puts(d->out, text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(schema);
    d->any = true;
}

static void put_paths(void *arg, const dev_kind_t *k)
{
    doc_t *d = arg;

    if (version_in(d, k) == NULL)
        return;
    host_cleanup(host_freep) char *base = host_xprintf(
        "/%s%s/%s/%s%s", d->group[0] != '\0' ? "apis/" : "api", d->group, d->version,
        (k->flags & DEV_NAMESPACED) != 0 ? "namespaces/{namespace}/" : "", k->resource);
    buf_printf(d->out, "%s\"%s\":{", d->any ? "," : "", base);
    put_operation(d, k, "post", "post");
    buf_printf(d->out, "},\"%s/{name}\":{", base);
    put_operation(d, k, "put", "put");
    buf_puts(d->out, ",");
    put_operation(d, k, "patch", "patch");
    buf_puts(d->out, "}");
    d->any = true;
}

static void answer_index(exchange_t *x)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    index_t i = {.out = &out, .core = x->http->o.core};

    buf_puts(&out, "{\"paths\":{");
    dev_core_kinds(x->http->o.core, put_kind_entries, &i);
    buf_puts(&out, "}}");
    exchange_json(x, 200, "application/json", &out);
}

static void answer_document(exchange_t *x, const char *path)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    dev_target_t t;
    doc_t d = {.out = &out};

    dev_target_parse(path, &t);
    buf_puts(&out, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":"
                   "\"v1.34.0\"},\"components\":{\"schemas\":{");
    if (t.resource && t.plural == NULL) {
        d.group = t.group;
        d.version = t.version;
        dev_core_kinds(x->http->o.core, put_schemas, &d);
        openapi_put(&d.builtin, d.any, &out);
        buf_puts(&out, "}},\"paths\":{");
        d.any = false;
        dev_core_kinds(x->http->o.core, put_paths, &d);
    }
    buf_puts(&out, "}}");
    dev_target_fini(&t);
    if (d.any)
        exchange_json(x, 200, "application/json", &out);
    else
        exchange_not_found(x);
}

bool exchange_openapi(exchange_t *x)
{
    const char *path = x->head->path;

    if (strcmp(path, "/openapi/v2") == 0)
        exchange_answer(x, 200, "application/octet-stream", NULL, "", 0);
    else if (strcmp(path, "/openapi/v3") == 0)
        answer_index(x);
    else if (strncmp(path, "/openapi/v3/", 12) == 0)
        answer_document(x, path + 11);
    else
        return false;
    return true;
}
