/* SPDX-License-Identifier: Apache-2.0 */
/* The members that objects of built-in kinds have besides kind, apiVersion and metadata. Deeper ones
 * are not known. */
#include "devapi/core_impl.h"

#include <string.h>

enum { MAX_FIELDS = 17 };

/* Kinds that are not here have spec and status. */
static const struct {
    const char *group, *kind;
    const char *fields[MAX_FIELDS];
} kinds[] = {
    {"", "ConfigMap", {"data", "binaryData", "immutable"}},
    {"", "Secret", {"data", "stringData", "type", "immutable"}},
    {"", "ServiceAccount", {"secrets", "imagePullSecrets", "automountServiceAccountToken"}},
    {"", "Endpoints", {"subsets"}},
    {"", "PodTemplate", {"template"}},
    {"",
     "Event",
     {"involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count",
      "type", "eventTime", "series", "action", "related", "reportingComponent",
      "reportingInstance"}},
    {"events.k8s.io",
     "Event",
     {"eventTime", "series", "reportingController", "reportingInstance", "action", "reason",
      "regarding", "related", "note", "type", "deprecatedSource", "deprecatedFirstTimestamp",
      "deprecatedLastTimestamp", "deprecatedCount"}},
    {"apps", "ControllerRevision", {"data", "revision"}},
    {"discovery.k8s.io", "EndpointSlice", {"addressType", "endpoints", "ports"}},
    {"rbac.authorization.k8s.io", "Role", {"rules"}},
    {"rbac.authorization.k8s.io", "ClusterRole", {"rules", "aggregationRule"}},
    {"rbac.authorization.k8s.io", "RoleBinding", {"subjects", "roleRef"}},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", {"subjects", "roleRef"}},
    {"scheduling.k8s.io",
     "PriorityClass",
     {"value", "globalDefault", "description", "preemptionPolicy"}},
    {"storage.k8s.io",
     "StorageClass",
     {"provisioner", "parameters", "reclaimPolicy", "mountOptions", "allowVolumeExpansion",
      "volumeBindingMode", "allowedTopologies"}},
};

static const char *const usual[MAX_FIELDS] = {"spec", "status"};

static const char *const *fields_of(const dev_kind_t *kind)
{
    for (size_t i = 0; i < HOST_LEN(kinds); i++) {
        if (dev_is_kind(kind, kinds[i].group, kinds[i].kind))
            return kinds[i].fields;
    }
    return usual;
}

static bool is_known(const char *const *fields, const char *name)
{
    static const char *const common[] = {"kind", "apiVersion", "metadata"};

    for (size_t i = 0; i < HOST_LEN(common); i++) {
        if (strcmp(name, common[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < MAX_FIELDS && fields[i] != NULL; i++) {
        if (strcmp(name, fields[i]) == 0)
            return true;
    }
    return false;
}

void dev_prune_builtin(const dev_kind_t *kind, cJSON *object, dev_strict_t *strict)
{
    const char *const *fields = fields_of(kind);

    for (cJSON *item = object->child, *next; item != NULL; item = next) {
        next = item->next;
        if (is_known(fields, item->string))
            continue;
        dev_strict_note(strict, "unknown", item->string);
        cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
    }
}
