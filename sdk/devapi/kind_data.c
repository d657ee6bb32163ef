/* SPDX-License-Identifier: Apache-2.0 */
/* ConfigMaps and Secrets. */
#include "devapi/base64.h"
#include "devapi/builtin.h"

#include <string.h>

enum { MAX_DATA = 1024 * 1024 };

/* Checks the keys, adds the sizes of the values; other (may be NULL) must have none of the keys. */
static void check_keys(const dev_path_t *at, const cJSON *data, const cJSON *other, bool base64,
                       size_t *size, dev_status_t *st)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, tree_map(data)) {
        dev_name_check(st, DEV_KEY(at, item->string), DEV_NAME_CONFIG_KEY, item->string);
        if (cJSON_IsString(item))
            *size += base64 ? base64_size(item->valuestring) : strlen(item->valuestring);
    }
    cJSON_ArrayForEach (item, tree_map(other)) {
        if (tree_get(data, item->string) != NULL)
            dev_invalid_text(st, DEV_KEY(at, item->string), item->string,
                             "duplicate of key present in binaryData");
    }
}

/* Of an immutable object nothing may change. */
static void check_frozen(const cJSON *object, const cJSON *old, const char *const *keys,
                         dev_status_t *st)
{
    if (old == NULL || !tree_true(old, "immutable"))
        return;
    if (!tree_true(object, "immutable"))
        dev_forbidden(st, DEV_AT(NULL, "immutable"), "field is immutable when `immutable` is set");
    for (size_t i = 0; keys[i] != NULL; i++) {
        if (!tree_same(tree_get(object, keys[i]), tree_get(old, keys[i])))
            dev_forbidden(st, DEV_AT(NULL, keys[i]), "field is immutable when `immutable` is set");
    }
}

void configmap_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const frozen[] = {"data", "binaryData", NULL};
    const cJSON *data = tree_get(object, "data"), *binary = tree_get(object, "binaryData");
    size_t size = 0;

    check_keys(DEV_AT(NULL, "data"), data, binary, false, &size, st);
    check_keys(DEV_AT(NULL, "binaryData"), binary, NULL, true, &size, st);
    if (size > MAX_DATA)
        dev_too_long(st, DEV_AT(NULL, "[]"), MAX_DATA);
    check_frozen(object, old, frozen, st);
}

void secret_complete(cJSON *object, const cJSON *old)
{
    const cJSON *text = tree_get(object, "stringData"), *item;

    (void) old;
    tree_default_text(object, "type", "Opaque");
    cJSON_ArrayForEach (item, tree_map(text)) {
        host_cleanup(host_freep) char *encoded = NULL;

        if (cJSON_IsString(item))
            encoded = base64_encode(item->valuestring, strlen(item->valuestring));
        if (encoded != NULL)
            tree_set_text(tree_object(object, "data"), item->string, encoded);
    }
    tree_remove(object, "stringData");
}

static void check_type(const cJSON *object, const cJSON *data, dev_status_t *st)
{
    static const struct {
        const char *type;
        const char *keys[2]; /* each required */
    } types[] = {
        {"kubernetes.io/dockercfg", {".dockercfg"}},
        {"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}},
        {"kubernetes.io/ssh-auth", {"ssh-privatekey"}},
        {"kubernetes.io/tls", {"tls.crt", "tls.key"}},
    };
    const dev_path_t *at = DEV_AT(NULL, "data");

    if (strcmp(tree_text(object, "type"), "kubernetes.io/basic-auth") == 0 &&
        tree_get(data, "username") == NULL && tree_get(data, "password") == NULL) {
        dev_required(st, DEV_KEY(at, "username"), "");
        dev_required(st, DEV_KEY(at, "password"), "");
    }
    for (size_t i = 0; i < HOST_LEN(types); i++) {
        if (strcmp(types[i].type, tree_text(object, "type")) != 0)
            continue;
        for (size_t k = 0; k < 2 && types[i].keys[k] != NULL; k++) {
            if (tree_get(data, types[i].keys[k]) == NULL)
                dev_required(st, DEV_KEY(at, types[i].keys[k]), "");
        }
    }
}

void secret_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const frozen[] = {"data", NULL};
    const dev_path_t *at = DEV_AT(NULL, "data");
    const cJSON *data = tree_get(object, "data");
    size_t size = 0;

    check_keys(at, data, NULL, true, &size, st);
    if (size > MAX_DATA)
        dev_too_long(st, at, MAX_DATA);
    check_type(object, data, st);
    if (old != NULL)
        builtin_check_immutable(DEV_AT(NULL, "type"), tree_get(object, "type"),
                                tree_get(old, "type"), st);
    check_frozen(object, old, frozen, st);
}
