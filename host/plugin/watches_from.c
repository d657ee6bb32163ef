/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin whose kinds are its users' choice: watches out of an instance's configuration. */
#include "base/error.h"
#include "plugin/manifest.h"
#include "plugin/schema.h"

#include <string.h>

#define get cJSON_GetObjectItemCaseSensitive

/* "/spec/kinds" as messages name it: "config.spec.kinds". Caller owns, free(). */
static char *place_of(const char *pointer)
{
    char *place = host_xprintf("config%s", pointer);

    for (char *c = place; *c != '\0'; c++) {
        if (*c == '/')
            *c = '.';
    }
    return place;
}

/* Follows the pointer through objects; names with '~' or of arrays' items are not for this. */
static const cJSON *follow(const cJSON *value, const char *pointer)
{
    while (value != NULL && *pointer == '/') {
        const size_t len = strcspn(++pointer, "/");
        host_cleanup(host_freep) char *name = host_xprintf("%.*s", (int) len, pointer);

        value = get(value, name);
        pointer += len;
    }
    return value;
}

/* Appends the watches to those of the manifest. */
static int add_watches(cJSON *manifest, const cJSON *list, const char *place, lh_error_t *err)
{
    const cJSON *item;

    if (list != NULL && !cJSON_IsArray(list))
        return host_fail(err, LH_EINVAL, "%s: must be an array of watches", place);
    cJSON_ArrayForEach (item, list) {
        cJSON_AddItemToArray(get(manifest, "watches"), cJSON_Duplicate(item, true));
    }
    return 0;
}

static void add_rule(cJSON *rules, const cJSON *watch, const cJSON *verbs)
{
    const char *group = cJSON_GetStringValue(get(watch, "group"));
    const char *resource = cJSON_GetStringValue(get(watch, "resource"));
    cJSON *rule = cJSON_CreateObject();

    cJSON_AddItemToArray(cJSON_AddArrayToObject(rule, "apiGroups"),
                         cJSON_CreateString(group != NULL ? group : ""));
    cJSON_AddItemToArray(cJSON_AddArrayToObject(rule, "resources"),
                         cJSON_CreateString(resource != NULL ? resource : ""));
    cJSON_AddItemToObject(rule, "verbs", cJSON_Duplicate(verbs, true));
    cJSON_AddItemToArray(rules, rule);
}

/* A rule for "watchesFrom" becomes one for each of the kinds. */
static void expand_permissions(cJSON *manifest, const cJSON *list)
{
    cJSON *old = cJSON_DetachItemFromObjectCaseSensitive(manifest, "permissions");
    cJSON *rules = cJSON_AddArrayToObject(manifest, "permissions");
    const cJSON *rule, *watch;

    cJSON_ArrayForEach (rule, old) {
        if (get(rule, "watchesFrom") == NULL) {
            cJSON_AddItemToArray(rules, cJSON_Duplicate(rule, true));
            continue;
        }
        cJSON_ArrayForEach (watch, list) {
            add_rule(rules, watch, get(rule, "verbs"));
        }
    }
    cJSON_Delete(old);
}

int plugin_manifest_for_instance(const plugin_manifest_t *m, const char *config,
                                 plugin_manifest_t **out, lh_error_t *err)
{
    host_cleanup(plugin_json_deletep) cJSON *manifest = NULL;
    host_cleanup(plugin_json_deletep) cJSON *values = NULL;
    host_cleanup(host_freep) char *place = NULL;
    host_cleanup(host_freep) char *text = NULL;

    if (m->watches_from == NULL)
        return plugin_manifest_parse(m->text, strlen(m->text), out, err);
    int ret = plugin_json_parse(m->text, strlen(m->text), &manifest, err);

    if (ret == 0)
        ret = plugin_json_parse(config, strlen(config), &values, err);
    if (ret < 0)
        return host_error_wrap(err, ret, "config");
    place = place_of(m->watches_from);
    const cJSON *list = follow(values, m->watches_from);
    ret = add_watches(manifest, list, place, err);
    if (ret < 0)
        return ret;
    expand_permissions(manifest, list);
    cJSON_DeleteItemFromObjectCaseSensitive(manifest, "watchesFrom");
    text = cJSON_PrintUnformatted(manifest);
    if (text == NULL)
        return host_fail(err, LH_ENOMEM, "manifest: out of memory");

    const plugin_watches_added_t added = {m->watch_count, place};
    return plugin_manifest_from_json(manifest, text, strlen(text), &added, out, err);
}
