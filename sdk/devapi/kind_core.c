/* SPDX-License-Identifier: Apache-2.0 */
/* Core kinds without a file of their own. */
#include "devapi/builtin.h"

#include <string.h>

void namespace_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.finalizers", "[\"kubernetes\"]"},
        {"status.phase", "\"Active\""},
    };
    cJSON *labels = tree_object(tree_object(object, "metadata"), "labels");

    if (old == NULL)
        tree_fill(object, defaults, HOST_LEN(defaults));
    tree_set_text(labels, "kubernetes.io/metadata.name",
                  tree_text(tree_get(object, "metadata"), "name"));
}

void namespace_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(DEV_AT(NULL, "spec"), "finalizers");
    const cJSON *item;
    int i = 0;

    (void) old;
    cJSON_ArrayForEach (item, tree_at(object, "spec.finalizers")) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, "kubernetes") != 0)
            dev_name_check(st, DEV_NTH(at, i), DEV_NAME_QUALIFIED, item->valuestring);
        i++;
    }
}

void node_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.taints", "[{\"key\":\"node.kubernetes.io/not-ready\",\"effect\":\"NoSchedule\"}]"},
        {"status.daemonEndpoints.kubeletEndpoint.Port", "0"},
    };
    static const char *const infos[] = {"machineID",       "systemUUID",
                                        "bootID",          "kernelVersion",
                                        "osImage",         "containerRuntimeVersion",
                                        "kubeletVersion",  "kubeProxyVersion",
                                        "operatingSystem", "architecture"};
    cJSON *info;

    if (old != NULL)
        return;
    tree_fill(object, defaults, HOST_LEN(defaults));
    info = tree_object(tree_get(object, "status"), "nodeInfo");
    for (size_t i = 0; i < HOST_LEN(infos); i++)
        tree_default_text(info, infos[i], "");
}

static void add_finalizer(cJSON *object, const char *name)
{
    cJSON *finalizers = tree_array(tree_object(object, "metadata"), "finalizers");

    if (!tree_has_text(finalizers, name))
        cJSON_AddItemToArray(finalizers, cJSON_CreateString(name));
}

void claim_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.volumeMode", "\"Filesystem\""},
        {"status.phase", "\"Pending\""},
    };

    tree_fill(object, defaults, HOST_LEN(defaults));
    if (old == NULL)
        add_finalizer(object, "kubernetes.io/pvc-protection");
}

void claim_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, "spec");
    const cJSON *spec = tree_get(object, "spec");

    (void) old;
    if (tree_empty(tree_get(spec, "accessModes")))
        dev_required(st, DEV_AT(at, "accessModes"), "at least 1 access mode is required");
    if (tree_at(spec, "resources.requests.storage") == NULL)
        dev_required(st, DEV_KEY(DEV_AT(at, "resources"), "storage"), "");
}

void volume_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, "spec");
    const cJSON *spec = tree_get(object, "spec");

    (void) old;
    if (tree_empty(tree_get(spec, "accessModes")))
        dev_required(st, DEV_AT(at, "accessModes"), "");
    if (tree_empty(tree_get(spec, "capacity")))
        dev_required(st, DEV_AT(at, "capacity"), "");
}

void volume_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.persistentVolumeReclaimPolicy", "\"Retain\""},
        {"spec.volumeMode", "\"Filesystem\""},
        {"status.phase", "\"Pending\""},
    };
    cJSON *host_path;

    tree_fill(object, defaults, HOST_LEN(defaults));
    host_path = tree_at(object, "spec.hostPath");
    if (host_path != NULL && tree_get(host_path, "type") == NULL)
        tree_set_text(host_path, "type", "");
    if (old == NULL)
        add_finalizer(object, "kubernetes.io/pv-protection");
}

void endpoints_complete(cJSON *object, const cJSON *old)
{
    cJSON *subset, *port;

    (void) old;
    cJSON_ArrayForEach (subset, tree_get(object, "subsets")) {
        cJSON_ArrayForEach (port, tree_get(subset, "ports"))
            tree_default_text(port, "protocol", "TCP");
    }
}

void endpoints_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
    const dev_path_t *at = DEV_AT(NULL, "subsets");
    const cJSON *subset, *port;
    int i = 0;

    (void) old;
    cJSON_ArrayForEach (subset, tree_get(object, "subsets")) {
        const dev_path_t *one = DEV_NTH(at, i++), *ports = DEV_AT(one, "ports");
        int n = cJSON_GetArraySize(tree_get(subset, "ports")), k = 0;

        if (tree_empty(tree_get(subset, "addresses")) &&
            tree_empty(tree_get(subset, "notReadyAddresses")))
            dev_required(st, one, "must specify `addresses` or `notReadyAddresses`");
        cJSON_ArrayForEach (port, tree_get(subset, "ports")) {
            const dev_path_t *here = DEV_NTH(ports, k++);

            if (n > 1 && tree_text(port, "name")[0] == '\0')
                dev_required(st, DEV_AT(here, "name"), "");
            builtin_check_port(here, port, "port", st);
            builtin_check_word(here, port, "protocol", true, protocols, st);
        }
    }
}
