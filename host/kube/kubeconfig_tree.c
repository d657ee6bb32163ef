/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the tree of a kubeconfig. */
#include "kube/kubeconfig_internal.h"
#include "kube/pem.h"

#include <arpa/inet.h>
#include <string.h>

const config_node_t *kubeconfig_get(const config_node_t *map, const char *key)
{
    if (map == NULL || map->kind != CONFIG_MAPPING)
        return NULL;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const config_node_t *value = &map->items[i + 1];
        if (strcmp(map->items[i].text, key) == 0)
            return config_node_is_null(value) ? NULL : value;
    }
    return NULL;
}

int kubeconfig_text(const kubeconfig_entry_t *entry, const char *key, const char **out,
                    lh_error_t *err)
{
    const config_node_t *node = kubeconfig_get(entry->node, key);

    *out = NULL;
    if (node == NULL)
        return 0;
    if (node->kind != CONFIG_SCALAR)
        return kubeconfig_fail(err, entry, node, key, "a text is expected");
    if (node->text[0] != '\0')
        *out = node->text;
    return 0;
}

int kubeconfig_texts(const kubeconfig_entry_t *entry, const config_node_t *map, const char *key,
                     const char ***out, lh_error_t *err)
{
    const config_node_t *list = kubeconfig_get(map, key);
    const size_t count = list != NULL ? list->count : 0;

    if (list != NULL && list->kind != CONFIG_SEQUENCE && !kubeconfig_is_empty(list))
        return kubeconfig_fail(err, entry, list, key, "a list of texts is expected");
    for (size_t i = 0; i < count; i++) {
        if (list->items[i].kind != CONFIG_SCALAR)
            return kubeconfig_fail(err, entry, &list->items[i], key, "a list of texts is expected");
    }
    *out = host_xcalloc(count + 1, sizeof(**out));
    for (size_t i = 0; i < count; i++)
        (*out)[i] = list->items[i].text;
    return 0;
}

bool kubeconfig_is_empty(const config_node_t *node)
{
    return node->kind == CONFIG_SCALAR ? node->text[0] == '\0' : node->count == 0;
}

bool kubeconfig_is_address(const char *s)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1;
}

char *kubeconfig_resolve(const kubeconfig_entry_t *entry, const char *path)
{
    const char *slash = strrchr(entry->path, '/');

    if (path[0] == '/' || slash == NULL)
        return host_xstrdup(path);
    return host_xprintf("%.*s/%s", (int) (slash - entry->path), entry->path, path);
}

int kubeconfig_pem(const kubeconfig_entry_t *entry, const char *key, char **file, char **data,
                   lh_error_t *err)
{
    host_cleanup(host_freep) char *data_key = host_xprintf("%s-data", key);
    host_cleanup(kube_wipep) char *text = NULL;
    const char *by_data = NULL, *by_file = NULL;
    lh_error_t why;
    int ret = kubeconfig_text(entry, data_key, &by_data, err);

    if (ret == 0)
        ret = kubeconfig_text(entry, key, &by_file, err);
    if (ret < 0)
        return ret;
    if (by_data != NULL) {
        *data = kube_pem_decode(by_data);
        if (*data == NULL)
            return kubeconfig_fail(err, entry, kubeconfig_get(entry->node, data_key), data_key,
                                   "not PEM in base64");
    } else if (by_file != NULL) {
        *file = kubeconfig_resolve(entry, by_file);
        if (kube_pem_read(*file, &text, &why) < 0)
            return kubeconfig_fail(err, entry, kubeconfig_get(entry->node, key), key, "%.300s",
                                   why.text);
    }
    return 0;
}
