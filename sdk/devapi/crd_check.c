/* SPDX-License-Identifier: Apache-2.0 */
/* What a CustomResourceDefinition is filled in with, and what it must be. */
#include "devapi/core_impl.h"
#include "devapi/field.h"
#include "devapi/names.h"

#include <string.h>

/* -- Defaults -- */

static void default_names(cJSON *names)
{
    const char *kind = tree_text(names, "kind");
    host_cleanup(host_freep) char *singular = host_xstrdup(kind);
    host_cleanup(host_freep) char *list = host_xprintf("%sList", kind);

    if (kind[0] == '\0')
        return;
    for (char *p = singular; *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
    tree_default_text(names, "singular", singular);
    tree_default_text(names, "listKind", list);
}

void dev_crd_prepare(cJSON *crd, const cJSON *old)
{
    cJSON *spec = tree_get(crd, "spec"), *status, *stored, *accepted;
    const cJSON *version;

    default_names(tree_get(spec, "names"));
    tree_default_text(tree_object(spec, "conversion"), "strategy", "None");
    if (old != NULL)
        return;
    status = cJSON_CreateObject();
    tree_set(status, "conditions", cJSON_CreateNull());
    accepted = tree_object(status, "acceptedNames");
    tree_set_text(accepted, "plural", "");
    tree_set_text(accepted, "kind", "");
    stored = tree_array(status, "storedVersions");
    cJSON_ArrayForEach (version, tree_list(tree_get(spec, "versions"))) {
        if (tree_true(version, "storage"))
            cJSON_AddItemToArray(stored, cJSON_CreateString(tree_text(version, "name")));
    }
    tree_set(crd, "status", status);
}

/* -- Versions -- */

static void check_columns(const dev_path_t *at, const cJSON *columns, dev_status_t *st)
{
    static const char *const types[] = {"boolean", "date", "integer", "number", "string"};
    const cJSON *column;
    int i = 0;

    cJSON_ArrayForEach (column, tree_list(columns)) {
        const dev_path_t *here = DEV_NTH(at, i++);
        const char *type = tree_text(column, "type"), *path = tree_text(column, "jsonPath");
        bool known = false;

        for (size_t k = 0; k < HOST_LEN(types); k++)
            known = known || strcmp(type, types[k]) == 0;
        if (tree_text(column, "name")[0] == '\0')
            dev_required(st, DEV_AT(here, "name"), "");
        if (type[0] == '\0')
            dev_required(st, DEV_AT(here, "type"),
                         "must be one of boolean,date,integer,number,string");
        else if (!known)
            dev_invalid_text(st, DEV_AT(here, "type"), type,
                             "must be one of boolean,date,integer,number,string");
        if (path[0] == '\0')
            dev_required(st, DEV_AT(here, "JSONPath"), "");
        else if (path[0] != '.')
            dev_invalid_text(st, DEV_AT(here, "JSONPath"), path,
                             "must be a simple json path starting with .");
    }
}

static void check_path(const dev_path_t *at, const cJSON *scale, const char *key, const char *root,
                       bool required, dev_status_t *st)
{
    const char *path = tree_text(scale, key);
    host_cleanup(host_freep) char *prefix = host_xprintf(".%s.", root);
    host_cleanup(host_freep) char *why = host_xprintf("should be a json path under .%s", root);

    if (path[0] == '\0' && required)
        dev_required(st, DEV_AT(at, key), "");
    else if (path[0] != '\0' && path[0] != '.')
        dev_invalid_text(st, DEV_AT(at, key), path, "must be a simple json path starting with .");
    else if (path[0] != '\0' && strncmp(path, prefix, strlen(prefix)) != 0)
        dev_invalid_text(st, DEV_AT(at, key), path, why);
}

static void check_schema(const dev_path_t *at, const cJSON *schema, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t field = BUF_INIT;

    dev_path_print(at, &field);
    dev_schema_destroy(dev_schema_create(schema, buf_text(&field), st));
}

/* Parts that all versions share are named as if they stood above them. */
static bool is_shared(const cJSON *versions, const char *key)
{
    const cJSON *version;

    cJSON_ArrayForEach (version, versions) {
        if (!cJSON_Compare(tree_get(version, key), tree_get(versions->child, key), true) &&
            tree_get(version, key) != tree_get(versions->child, key))
            return false;
    }
    return true;
}

static void check_version(const dev_path_t *at, const cJSON *versions, const cJSON *version,
                          bool first, dev_status_t *st)
{
    const dev_path_t *spec = at->up->up;
    const cJSON *schema = tree_at(version, "schema.openAPIV3Schema");
    const cJSON *scale = tree_at(version, "subresources.scale");
    const bool schema_shared = is_shared(versions, "schema");
    const bool subs_shared = is_shared(versions, "subresources");
    const bool columns_shared = is_shared(versions, "additionalPrinterColumns");
    const dev_path_t *schema_at = schema_shared ? DEV_AT(spec, "validation") : DEV_AT(at, "schema");
    const dev_path_t *scale_at = DEV_AT(DEV_AT(subs_shared ? spec : at, "subresources"), "scale");

    dev_name_check(st, DEV_AT(at, "name"), DEV_NAME_1035, tree_text(version, "name"));
    if (schema == NULL)
        dev_required(st, DEV_AT(DEV_AT(at, "schema"), "openAPIV3Schema"), "");
    else if (first || !schema_shared)
        check_schema(DEV_AT(schema_at, "openAPIV3Schema"), schema, st);
    if (scale != NULL && (first || !subs_shared)) {
        check_path(scale_at, scale, "specReplicasPath", "spec", true, st);
        check_path(scale_at, scale, "statusReplicasPath", "status", true, st);
        check_path(scale_at, scale, "labelSelectorPath", "status", false, st);
    }
    if (first || !columns_shared)
        check_columns(DEV_AT(columns_shared ? spec : at, "additionalPrinterColumns"),
                      tree_get(version, "additionalPrinterColumns"), st);
}

static void check_versions(const dev_path_t *spec, const cJSON *versions, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(spec, "versions");
    const cJSON *version;
    int i = 0, stored = 0;

    cJSON_ArrayForEach (version, versions) {
        for (const cJSON *earlier = versions->child; earlier != version; earlier = earlier->next) {
            if (strcmp(tree_text(earlier, "name"), tree_text(version, "name")) == 0)
                dev_invalid(st, DEV_AT(DEV_NTH(at, i), "name"), tree_get(version, "name"),
                            "must be unique");
        }
        check_version(DEV_NTH(at, i), versions, version, i == 0, st);
        stored += tree_true(version, "storage");
        i++;
    }
    if (stored != 1)
        dev_invalid(st, at, versions, "must have exactly one version marked as storage version");
    if (i > DEV_MAX_VERSIONS)
        dev_too_many(st, at, i, DEV_MAX_VERSIONS);
}

/* -- Names -- */

static void check_name(const dev_path_t *at, const cJSON *names, const char *key, bool lower,
                       dev_status_t *st)
{
    const char *name = tree_text(names, key);
    host_cleanup(host_freep) char *small = host_xstrdup(name);

    for (char *p = small; !lower && *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
    if (name[0] == '\0')
        dev_required(st, DEV_AT(at, key), "");
    else
        dev_name_check(st, DEV_AT(at, key), DEV_NAME_1035, small);
}

static void check_names(const dev_path_t *spec, const cJSON *names, dev_status_t *st)
{
    static const char *const lists[] = {"shortNames", "categories"};
    const dev_path_t *at = DEV_AT(spec, "names");

    check_name(at, names, "plural", true, st);
    check_name(at, names, "singular", true, st);
    check_name(at, names, "kind", false, st);
    check_name(at, names, "listKind", false, st);
    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        const cJSON *item;
        int k = 0;

        cJSON_ArrayForEach (item, tree_list(tree_get(names, lists[i])))
            dev_name_check(st, DEV_NTH(DEV_AT(at, lists[i]), k++), DEV_NAME_1035,
                           cJSON_IsString(item) ? item->valuestring : "");
    }
}

/* -- The whole -- */

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), tail = strlen(end);

    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static void check_approval(const cJSON *crd, const char *group, dev_status_t *st)
{
    static const char key[] = "api-approved.kubernetes.io";
    const cJSON *notes = tree_at(crd, "metadata.annotations");
    const bool guarded = strcmp(group, "k8s.io") == 0 || strcmp(group, "kubernetes.io") == 0 ||
                         ends_with(group, ".k8s.io") || ends_with(group, ".kubernetes.io");

    if (guarded && tree_text(notes, key)[0] == '\0')
        dev_required(st, DEV_KEY(DEV_AT(DEV_AT(NULL, "metadata"), "annotations"), key),
                     "protected groups must have approval annotation "
                     "\"api-approved.kubernetes.io\", see "
                     "https://github.com/kubernetes/enhancements/pull/1111");
}

static void check_conversion(const dev_path_t *spec, const cJSON *conversion, dev_status_t *st)
{
    const char *strategy = tree_text(conversion, "strategy");

    if (strcmp(strategy, "None") != 0)
        dev_invalid_text(st, DEV_AT(DEV_AT(spec, "conversion"), "strategy"), strategy,
                         "only None is supported by this server");
}

/* Once the kind is served, these stay. */
static void check_kept(const dev_path_t *at, const cJSON *spec, const cJSON *old, dev_status_t *st)
{
    static const char *const kept[] = {"group", "scope", "names.kind", "names.plural"};

    for (size_t i = 0; i < HOST_LEN(kept); i++) {
        const cJSON *now = tree_at(spec, kept[i]);
        if (!tree_same(now, tree_at(old, kept[i])))
            dev_invalid(st, DEV_AT(at, kept[i]), now, "field is immutable");
    }
}

void dev_crd_validate(const cJSON *crd, const cJSON *old, dev_status_t *st)
{
    static const char *const scopes[] = {"Cluster", "Namespaced", NULL};
    const dev_path_t *at = DEV_AT(NULL, "spec");
    const cJSON *spec = tree_get(crd, "spec");
    const cJSON *versions = tree_list(tree_get(spec, "versions"));
    const char *group = tree_text(spec, "group"), *scope = tree_text(spec, "scope");
    const char *name = tree_text(tree_get(crd, "metadata"), "name");
    host_cleanup(host_freep) char *wanted =
        host_xprintf("%s.%s", tree_text(tree_get(spec, "names"), "plural"), group);

    if (strcmp(name, wanted) != 0)
        dev_invalid_text(st, DEV_AT(DEV_AT(NULL, "metadata"), "name"), name,
                         "must be spec.names.plural+\".\"+spec.group");
    check_approval(crd, group, st);
    if (group[0] == '\0')
        dev_required(st, DEV_AT(at, "group"), "");
    else
        dev_name_check(st, DEV_AT(at, "group"), DEV_NAME_SUBDOMAIN, group);
    if (scope[0] == '\0')
        dev_required(st, DEV_AT(at, "scope"), "");
    else if (strcmp(scope, scopes[0]) != 0 && strcmp(scope, scopes[1]) != 0)
        dev_unsupported(st, DEV_AT(at, "scope"), scope, scopes);
    check_versions(at, versions, st);
    check_names(at, tree_get(spec, "names"), st);
    check_conversion(at, tree_get(spec, "conversion"), st);
    if (tree_true(spec, "preserveUnknownFields"))
        dev_invalid(st, DEV_AT(at, "preserveUnknownFields"),
                    tree_get(spec, "preserveUnknownFields"),
                    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                    "spec.versions[*].schema instead");
    if (tree_empty(tree_at(crd, "status.storedVersions")))
        dev_invalid(st, DEV_AT(DEV_AT(NULL, "status"), "storedVersions"), NULL,
                    "must have at least one stored version");
    if (old != NULL && dev_condition_holds(old, "Established"))
        check_kept(at, spec, tree_get(old, "spec"), st);
}
