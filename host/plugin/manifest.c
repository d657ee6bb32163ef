/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/manifest.h"

#include "base/error.h"
#include "plugin/schema.h"
#include "watch/fields.h"
#include "watch/selector.h"

#include <math.h>
#include <string.h>

enum { VERSION_MAX = 64 };

/* -- Members of an object -- */

/* One object of the document and where it stands ("watches[0]."), for messages. */
typedef struct node {
    const cJSON *json;
    const char *at;
} node_t;

static const cJSON *get(const node_t *n, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(n->json, key);
}

/* The string, or fallback when it is not there; fallback NULL: it is required. */
static int get_string(const node_t *n, const char *key, const char *fallback, const char **out,
                      lh_error_t *err)
{
    const cJSON *item = get(n, key);

    if (item != NULL && !cJSON_IsString(item))
        return host_fail(err, LH_EINVAL, "%s%s: must be a string", n->at, key);
    if (item == NULL && fallback == NULL)
        return host_fail(err, LH_EINVAL, "%s%s: is missing", n->at, key);
    *out = item != NULL ? item->valuestring : fallback;
    return 0;
}

/* A copy of a string that may be absent, then *out stays NULL. */
static int copy_optional(const node_t *n, const char *key, char **out, lh_error_t *err)
{
    const char *value = NULL;

    if (get(n, key) == NULL)
        return 0;
    const int ret = get_string(n, key, NULL, &value, err);

    if (ret < 0)
        return ret;
    if (value[0] == '\0')
        return host_fail(err, LH_EINVAL, "%s%s: is empty; leave it out", n->at, key);
    *out = host_xstrdup(value);
    return 0;
}

/* An integer from 0 to max; *out is left alone when it is not there. */
static int get_uint(const node_t *n, const char *key, uint32_t max, uint32_t *out, lh_error_t *err)
{
    const cJSON *item = get(n, key);

    if (item == NULL)
        return 0;
    if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
        item->valuedouble < 0 || item->valuedouble > max)
        return host_fail(err, LH_EINVAL, "%s%s: must be an integer from 0 to %u", n->at, key, max);
    *out = (uint32_t) item->valuedouble;
    return 0;
}

/* The index of the string among count names. */
static int get_choice(const node_t *n, const char *key, const char *fallback,
                      const char *const *names, size_t count, uint32_t *out, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t list = BUF_INIT;
    const char *value = NULL;
    const int ret = get_string(n, key, fallback, &value, err);

    if (ret < 0)
        return ret;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(value, names[i]) == 0) {
            *out = (uint32_t) i;
            return 0;
        }
        (void) buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return host_fail(err, LH_EINVAL, "%s%s: '%s' is none of %s", n->at, key, value,
                     buf_text(&list));
}

static int known(const node_t *n, const char *const *names, size_t count, lh_error_t *err)
{
    if (cJSON_IsObject(n->json))
        return plugin_json_known(n->json, n->at, names, count, err);
    const size_t len = strlen(n->at);

    return host_fail(err, LH_EINVAL, "%.*s: must be an object", (int) (len > 0 ? len - 1 : 0),
                     n->at);
}

/* -- Watches -- */

static const char *const roles[] = {"primary", "owned", "mapped", "cached"};
static const char *const projections[] = {"full", "metadata"};
static const char *const map_kinds[] = {"label", "annotation", "field", "owner"};

static bool is_kind(const char *s)
{
    const size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    return s[0] >= 'A' && s[0] <= 'Z' && s[len] == '\0' && len <= 63;
}

static int parse_type(const node_t *n, plugin_watch_t *w, lh_error_t *err)
{
    const char *group = NULL, *version = NULL, *resource = NULL, *kind = NULL;
    int ret = get_string(n, "group", "", &group, err);

    if (ret == 0)
        ret = get_string(n, "version", NULL, &version, err);
    if (ret == 0)
        ret = get_string(n, "resource", NULL, &resource, err);
    if (ret == 0)
        ret = get_string(n, "kind", NULL, &kind, err);
    if (ret < 0)
        return ret;
    if (group[0] != '\0' && !kube_is_dns_subdomain(group))
        return host_fail(err, LH_EINVAL, "%sgroup: '%s' is not an API group", n->at, group);
    if (!kube_is_dns_label(version))
        return host_fail(err, LH_EINVAL, "%sversion: '%s' is not an API version", n->at, version);
    if (!kube_is_dns_label(resource))
        return host_fail(err, LH_EINVAL,
                         "%sresource: '%s' is not a resource (the plural, lower "
                         "case)",
                         n->at, resource);
    if (!is_kind(kind))
        return host_fail(err, LH_EINVAL, "%skind: '%s' is not a kind (CamelCase)", n->at, kind);
    w->gvr = (kube_gvr_t){.group = host_xstrdup(group),
                          .version = host_xstrdup(version),
                          .resource = host_xstrdup(resource)};
    w->kind = host_xstrdup(kind);
    return 0;
}

static int parse_pointer(const node_t *n, const char *key, bool required, char **out,
                         lh_error_t *err)
{
    const int ret = copy_optional(n, key, out, err);

    if (ret < 0)
        return ret;
    if (*out == NULL && required)
        return host_fail(err, LH_EINVAL, "%s%s: is missing", n->at, key);
    if (*out != NULL && (*out)[0] != '/')
        return host_fail(err, LH_EINVAL, "%s%s: '%s' is not a JSON Pointer, which begins with '/'",
                         n->at, key, *out);
    return 0;
}

static int parse_map(const node_t *n, plugin_map_t *map, lh_error_t *err)
{
    static const char *const by_key[] = {"by", "primary", "key"};
    static const char *const by_field[] = {"by", "primary", "path", "namespacePath"};
    uint32_t by = 0;

    if (!cJSON_IsObject(n->json))
        return known(n, NULL, 0, err);
    int ret = get_choice(n, "by", NULL, map_kinds, HOST_LEN(map_kinds), &by, err);

    if (ret < 0)
        return ret;
    map->by = (enum plugin_map_by) by;
    if (map->by == PLUGIN_MAP_FIELD) {
        ret = known(n, by_field, HOST_LEN(by_field), err);
        if (ret == 0)
            ret = parse_pointer(n, "path", true, &map->path, err);
        if (ret == 0)
            ret = parse_pointer(n, "namespacePath", false, &map->ns_path, err);
        return ret;
    }
    if (map->by == PLUGIN_MAP_OWNER)
        return known(n, by_key, 2, err);
    ret = known(n, by_key, HOST_LEN(by_key), err);
    if (ret == 0)
        ret = copy_optional(n, "key", &map->key, err);
    if (ret == 0 && map->key == NULL)
        ret = host_fail(err, LH_EINVAL, "%skey: is missing", n->at);
    return ret;
}

static int parse_selectors(const node_t *n, plugin_watch_t *w, lh_error_t *err)
{
    watch_selector_t *selector = NULL;
    int ret = copy_optional(n, "labelSelector", &w->label_selector, err);

    if (ret == 0)
        ret = copy_optional(n, "fieldSelector", &w->field_selector, err);
    if (ret == 0 && w->label_selector != NULL) {
        ret = watch_selector_parse(w->label_selector, &selector, err);
        watch_selector_destroy(selector);
        if (ret < 0)
            return host_error_wrap(err, ret, "%slabelSelector", n->at);
    }
    if (ret == 0 && w->field_selector != NULL) {
        ret = watch_field_selector_check(w->field_selector, err);
        if (ret < 0)
            return host_error_wrap(err, ret, "%sfieldSelector", n->at);
    }
    return ret;
}

static bool is_before(const cJSON *item, const cJSON *end, const char *text)
{
    for (; item != end; item = item->next) {
        if (strcmp(item->valuestring, text) == 0)
            return true;
    }
    return false;
}

/* An array of 1 to max strings, each of which `is` allows and none of which comes twice, in the form in
 * which watches take it: with commas between them. */
static int join_strings(const node_t *n, const char *key, int max, bool (*is)(const char *),
                        const char *what, char **out, lh_error_t *err)
{
    const cJSON *array = get(n, key), *item;
    const int count = cJSON_GetArraySize(array);
    host_cleanup(buf_fini) buf_t joined = BUF_INIT;

    if (!cJSON_IsArray(array) || count == 0 || count > max)
        return host_fail(err, LH_EINVAL, "%s%s: must be an array of 1 to %d, each %s", n->at, key,
                         max, what);
    cJSON_ArrayForEach (item, array) {
        if (!cJSON_IsString(item))
            return host_fail(err, LH_EINVAL, "%s%s: an element is no string, each must be %s",
                             n->at, key, what);
        if (!is(item->valuestring))
            return host_fail(err, LH_EINVAL, "%s%s: '%s' is not %s", n->at, key, item->valuestring,
                             what);
        if (is_before(array->child, item, item->valuestring))
            return host_fail(err, LH_EINVAL, "%s%s: '%s' comes twice", n->at, key,
                             item->valuestring);
        (void) buf_printf(&joined, "%s%s", joined.len > 0 ? "," : "", item->valuestring);
    }
    *out = buf_steal(&joined);
    return *out != NULL ? 0 : host_fail(err, LH_ENOMEM, "%s%s: out of memory", n->at, key);
}

static bool is_path(const char *text)
{
    return text[0] == '/' && strchr(text, ',') == NULL;
}

static int parse_fields(const node_t *n, plugin_watch_t *w, lh_error_t *err)
{
    watch_fields_t *parsed = NULL;

    if (get(n, "fields") == NULL)
        return 0;
    if (w->metadata_only)
        return host_fail(err, LH_EINVAL, "%sfields: there are none in projection: metadata", n->at);
    int ret =
        join_strings(n, "fields", PLUGIN_FIELDS_MAX, is_path,
                     "a JSON Pointer, which begins with '/', without a comma", &w->fields, err);
    if (ret < 0)
        return ret;
    ret = watch_fields_parse(w->fields, &parsed, err);
    watch_fields_destroy(parsed);
    return ret < 0 ? host_error_wrap(err, ret, "%sfields", n->at) : 0;
}

static int parse_index_labels(const node_t *n, plugin_watch_t *w, lh_error_t *err)
{
    if (get(n, "indexLabels") == NULL)
        return 0;
    return join_strings(n, "indexLabels", PLUGIN_INDEX_LABELS_MAX, watch_selector_is_key,
                        "a label's name", &w->index_labels, err);
}

/* What leads to the primary must be there. */
static int check_map_fields(const node_t *map, const plugin_watch_t *w, lh_error_t *err)
{
    const char *const paths[] = {w->map.path, w->map.ns_path};
    watch_fields_t *fields = NULL;
    int ret = watch_fields_parse(w->fields, &fields, err);

    for (size_t i = 0; ret == 0 && i < HOST_LEN(paths); i++) {
        if (paths[i] != NULL && !watch_fields_keep(fields, paths[i]))
            ret = host_fail(err, LH_EINVAL, "%s'%s' is not among the fields of its watch", map->at,
                            paths[i]);
    }
    watch_fields_destroy(fields);
    return ret;
}

static int parse_watch(const node_t *n, plugin_watch_t *w, lh_error_t *err)
{
    static const char *const fields[] = {"group", "version",       "resource",      "kind",
                                         "role",  "labelSelector", "fieldSelector", "projection",
                                         "map",   "primary",       "fields",        "indexLabels"};
    uint32_t role = 0, projection = 0;
    int ret = known(n, fields, HOST_LEN(fields), err);

    if (ret == 0)
        ret = parse_type(n, w, err);
    if (ret == 0)
        ret = get_choice(n, "role", "primary", roles, HOST_LEN(roles), &role, err);
    if (ret == 0)
        ret = get_choice(n, "projection", "full", projections, HOST_LEN(projections), &projection,
                         err);
    if (ret == 0)
        ret = parse_selectors(n, w, err);
    w->role = (enum plugin_role) role;
    w->metadata_only = projection == 1;
    if (ret == 0)
        ret = parse_fields(n, w, err);
    if (ret == 0)
        ret = parse_index_labels(n, w, err);
    if (ret < 0)
        return ret;
    if (w->role != PLUGIN_ROLE_OWNED && get(n, "primary") != NULL)
        return host_fail(err, LH_EINVAL, "%sprimary: is for role owned only", n->at);
    if (w->role != PLUGIN_ROLE_MAPPED && get(n, "map") != NULL)
        return host_fail(err, LH_EINVAL, "%smap: is for role mapped only", n->at);
    if (w->role != PLUGIN_ROLE_MAPPED)
        return 0;
    if (get(n, "map") == NULL)
        return host_fail(err, LH_EINVAL, "%smap: is missing; role mapped needs it", n->at);

    host_cleanup(host_freep) char *at = host_xprintf("%smap.", n->at);
    const node_t map = {get(n, "map"), at};

    if (w->metadata_only && cJSON_IsObject(map.json) &&
        cJSON_GetObjectItemCaseSensitive(map.json, "path") != NULL)
        return host_fail(err, LH_EINVAL, "%sprojection: metadata has no fields to map by", n->at);
    ret = parse_map(&map, &w->map, err);
    return ret < 0 ? ret : check_map_fields(&map, w, err);
}

/* Where an owned or mapped watch leads: to a primary, the first one unless the document says. */
static int parse_target(const node_t *n, const plugin_manifest_t *m, uint32_t first, uint32_t *out,
                        lh_error_t *err)
{
    *out = first;
    const int ret = get_uint(n, "primary", PLUGIN_WATCHES_MAX, out, err);

    if (ret < 0)
        return ret;
    if (*out >= m->watch_count || m->watches[*out].role != PLUGIN_ROLE_PRIMARY)
        return host_fail(err, LH_EINVAL, "%sprimary: watches[%u] is not a primary watch", n->at,
                         *out);
    return 0;
}

/* Where a watch stands: in the manifest, or in the configuration that it was taken from. */
static char *watch_at(const plugin_watches_added_t *added, size_t i)
{
    if (added != NULL && i >= added->own)
        return host_xprintf("%s[%zu].", added->at, i - added->own);
    return host_xprintf("watches[%zu].", i);
}

static int parse_targets(const cJSON *watches, const plugin_watches_added_t *added,
                         plugin_manifest_t *m, lh_error_t *err)
{
    uint32_t first = 0;
    size_t i = 0;
    const cJSON *item;

    while (first < m->watch_count && m->watches[first].role != PLUGIN_ROLE_PRIMARY)
        first++;
    if (first == m->watch_count && first > 0)
        return host_fail(err, LH_EINVAL, "watches: none has the role primary");
    cJSON_ArrayForEach (item, watches) {
        host_cleanup(host_freep) char *at = watch_at(added, i);
        host_cleanup(host_freep) char *map_at = host_xprintf("%smap.", at);
        plugin_watch_t *w = &m->watches[i++];
        const node_t node = {item, at};
        const node_t map = {get(&node, "map"), map_at};
        int ret = 0;

        if (w->role == PLUGIN_ROLE_OWNED)
            ret = parse_target(&node, m, first, &w->primary, err);
        if (w->role == PLUGIN_ROLE_MAPPED)
            ret = parse_target(&map, m, first, &w->map.primary, err);
        if (ret < 0)
            return ret;
    }
    return 0;
}

static int parse_watches(const node_t *top, const plugin_watches_added_t *added,
                         plugin_manifest_t *m, lh_error_t *err)
{
    const cJSON *watches = get(top, "watches");
    const int count = cJSON_GetArraySize(watches);
    const cJSON *item;

    if (!cJSON_IsArray(watches) || (count == 0 && m->watches_from == NULL && added == NULL))
        return host_fail(err, LH_EINVAL, "watches: must be an array with at least one watch");
    if (count > (int) PLUGIN_WATCHES_MAX)
        return host_fail(err, LH_EINVAL, "watches: %d, at most %u are allowed", count,
                         PLUGIN_WATCHES_MAX);
    m->watches = host_xcalloc((size_t) count + 1, sizeof(*m->watches));
    cJSON_ArrayForEach (item, watches) {
        host_cleanup(host_freep) char *at = watch_at(added, m->watch_count);
        const node_t node = {item, at};
        const int ret = parse_watch(&node, &m->watches[m->watch_count++], err);

        if (ret < 0)
            return ret;
    }
    /* The primaries may be among those that the configuration brings. */
    return m->watches_from != NULL ? 0 : parse_targets(watches, added, m, err);
}

/* -- The rest -- */

static bool is_strings(const cJSON *array)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, array) {
        if (!cJSON_IsString(item))
            return false;
    }
    return cJSON_IsArray(array);
}

/* The rule that stands for the kinds of the configuration: {"watchesFrom": true, "verbs": [...]}. */
static int check_rule_of_added(const node_t *rule, const plugin_manifest_t *m, lh_error_t *err)
{
    static const char *const fields[] = {"watchesFrom", "verbs"};
    const int ret = known(rule, fields, HOST_LEN(fields), err);

    if (ret < 0)
        return ret;
    if (!cJSON_IsTrue(get(rule, "watchesFrom")) || m->watches_from == NULL)
        return host_fail(err, LH_EINVAL,
                         "%swatchesFrom: must be true, and the manifest must have a watchesFrom",
                         rule->at);
    if (!is_strings(get(rule, "verbs")))
        return host_fail(err, LH_EINVAL, "%sverbs: must be an array of strings", rule->at);
    return 0;
}

static int check_rule(const node_t *rule, lh_error_t *err)
{
    static const char *const fields[] = {"apiGroups", "resources", "verbs", "resourceNames"};
    const int ret = known(rule, fields, HOST_LEN(fields), err);

    for (size_t f = 0; ret == 0 && f < HOST_LEN(fields); f++) {
        const cJSON *list = get(rule, fields[f]);
        const bool optional = f == 3;

        if (list == NULL ? !optional : !is_strings(list))
            return host_fail(err, LH_EINVAL, "%s%s: must be an array of strings", rule->at,
                             fields[f]);
    }
    return ret;
}

/* Rules as in a Kubernetes Role, for whoever has to grant them. */
static int check_permissions(const cJSON *permissions, const plugin_manifest_t *m, lh_error_t *err)
{
    const cJSON *rule;
    size_t i = 0;

    if (permissions != NULL && !cJSON_IsArray(permissions))
        return host_fail(err, LH_EINVAL, "permissions: must be an array of rules");
    cJSON_ArrayForEach (rule, permissions) {
        host_cleanup(host_freep) char *at = host_xprintf("permissions[%zu].", i++);
        const node_t node = {rule, at};
        const int ret = get(&node, "watchesFrom") != NULL ? check_rule_of_added(&node, m, err)
                                                          : check_rule(&node, err);

        if (ret < 0)
            return ret;
    }
    return 0;
}

static bool is_version(const char *s)
{
    const size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 ".+-_~");

    return len > 0 && len <= VERSION_MAX && s[len] == '\0';
}

static int parse_identity(const node_t *top, plugin_manifest_t *m, lh_error_t *err)
{
    const char *id = NULL, *version = NULL;

    if (get(top, "abi") == NULL)
        return host_fail(err, LH_EINVAL, "abi: is missing");
    int ret = get_uint(top, "abi", UINT32_MAX, &m->abi, err);

    if (ret == 0)
        ret = get_string(top, "id", NULL, &id, err);
    if (ret == 0)
        ret = get_string(top, "version", NULL, &version, err);
    if (ret < 0)
        return ret;
    if (!kube_is_dns_label(id))
        return host_fail(err, LH_EINVAL,
                         "id: '%s' is not a DNS label (lower-case letters, digits "
                         "and '-', at most 63)",
                         id);
    if (!is_version(version))
        return host_fail(err, LH_EINVAL,
                         "version: must be 1 to %d letters, digits, '.', '-', '+', "
                         "'_' or '~'",
                         VERSION_MAX);
    m->id = host_xstrdup(id);
    m->version = host_xstrdup(version);
    return 0;
}

static int parse(const cJSON *json, const plugin_watches_added_t *added, plugin_manifest_t *m,
                 lh_error_t *err)
{
    static const char *const fields[] = {"abi",         "id",          "version", "watches",
                                         "watchesFrom", "permissions", "config"};
    const node_t top = {json, ""};

    if (!cJSON_IsObject(json))
        return host_fail(err, LH_EINVAL, "must be an object");
    int ret = plugin_json_known(json, "", fields, HOST_LEN(fields), err);

    if (ret == 0)
        ret = parse_identity(&top, m, err);
    if (ret == 0)
        ret = parse_pointer(&top, "watchesFrom", false, &m->watches_from, err);
    if (ret == 0)
        ret = parse_watches(&top, added, m, err);
    if (ret == 0)
        ret = check_permissions(get(&top, "permissions"), m, err);
    if (ret == 0 && get(&top, "config") != NULL)
        ret = plugin_schema_check(get(&top, "config"), "config", err);
    return ret;
}

static void destroyp(plugin_manifest_t **m)
{
    plugin_manifest_destroy(*m);
}

int plugin_manifest_from_json(const cJSON *json, const char *text, size_t len,
                              const plugin_watches_added_t *added, plugin_manifest_t **out,
                              lh_error_t *err)
{
    host_cleanup(destroyp) plugin_manifest_t *m = host_xcalloc(1, sizeof(*m));

    m->text = strndup(text, len);
    if (m->text == NULL)
        return host_fail(err, LH_ENOMEM, "manifest: out of memory");
    const int ret = parse(json, added, m, err);

    if (ret < 0)
        return ret;
    *out = host_steal(m);
    return 0;
}

int plugin_manifest_parse(const char *text, size_t len, plugin_manifest_t **out, lh_error_t *err)
{
    host_cleanup(plugin_json_deletep) cJSON *json = NULL;

    if (len > PLUGIN_MANIFEST_MAX)
        return host_fail(err, LH_ETOOBIG, "manifest: %zu bytes, at most %u are allowed", len,
                         PLUGIN_MANIFEST_MAX);
    int ret = plugin_json_parse(text, len, &json, err);

    if (ret == 0)
        ret = plugin_manifest_from_json(json, text, len, NULL, out, err);
    return ret < 0 ? host_error_wrap(err, ret, "manifest") : 0;
}

void plugin_manifest_destroy(plugin_manifest_t *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->watch_count; i++) {
        plugin_watch_t *w = &m->watches[i];

        free((char *) w->gvr.group);
        free((char *) w->gvr.version);
        free((char *) w->gvr.resource);
        free(w->kind);
        free(w->label_selector);
        free(w->field_selector);
        free(w->fields);
        free(w->index_labels);
        free(w->map.key);
        free(w->map.path);
        free(w->map.ns_path);
    }
    free(m->watches);
    free(m->watches_from);
    free(m->id);
    free(m->version);
    free(m->text);
    free(m);
}

int plugin_manifest_check_config(const plugin_manifest_t *m, const char *config, lh_error_t *err)
{
    host_cleanup(plugin_json_deletep) cJSON *manifest = NULL;
    host_cleanup(plugin_json_deletep) cJSON *value = NULL;
    int ret = plugin_json_parse(config, strlen(config), &value, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "config");
    if (!cJSON_IsObject(value))
        return host_fail(err, LH_EINVAL, "config: must be an object");
    ret = plugin_json_parse(m->text, strlen(m->text), &manifest, err);
    if (ret < 0)
        return host_error_wrap(err, ret, "manifest");
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(manifest, "config");

    return schema != NULL ? plugin_schema_match(schema, value, "config", err) : 0;
}
