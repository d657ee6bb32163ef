/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for kinds without a namespace, which no Role can grant. */
#include "cli/objects.h"

#include <string.h>

#define get cJSON_GetObjectItemCaseSensitive

/* Those of Kubernetes 1.34 (kubectl api-resources --namespaced=false); what custom kinds are only a
 * cluster knows. */
static const struct {
    const char *group, *resources; /* with a space on both sides */
} unbound[] = {
    {"", " componentstatuses namespaces nodes persistentvolumes "},
    {"admissionregistration.k8s.io",
     " mutatingadmissionpolicies mutatingadmissionpolicybindings mutatingwebhookconfigurations "
     "validatingadmissionpolicies validatingadmissionpolicybindings "
     "validatingwebhookconfigurations "},
    {"apiextensions.k8s.io", " customresourcedefinitions "},
    {"apiregistration.k8s.io", " apiservices "},
    {"authentication.k8s.io", " selfsubjectreviews tokenreviews "},
    {"authorization.k8s.io",
     " selfsubjectaccessreviews selfsubjectrulesreviews subjectaccessreviews "},
    {"certificates.k8s.io", " certificatesigningrequests clustertrustbundles "},
    {"flowcontrol.apiserver.k8s.io", " flowschemas prioritylevelconfigurations "},
    {"internal.apiserver.k8s.io", " storageversions "},
    {"networking.k8s.io", " ingressclasses ipaddresses servicecidrs "},
    {"node.k8s.io", " runtimeclasses "},
    {"rbac.authorization.k8s.io", " clusterrolebindings clusterroles "},
    {"resource.k8s.io", " deviceclasses devicetaintrules resourceslices "},
    {"scheduling.k8s.io", " priorityclasses "},
    {"storage.k8s.io",
     " csidrivers csinodes storageclasses volumeattachments volumeattributesclasses "},
    {"storagemigration.k8s.io", " storageversionmigrations "},
};

/* resource may be a subresource, "nodes/status". */
static bool is_unbound(const char *group, const char *resource)
{
    host_cleanup(host_freep) char *word =
        host_xprintf(" %.*s ", (int) strcspn(resource, "/"), resource);

    for (size_t i = 0; i < HOST_LEN(unbound); i++) {
        if (strcmp(unbound[i].group, group) == 0)
            return strstr(unbound[i].resources, word) != NULL;
    }
    return false;
}

static bool is_unbound_in_any(const cJSON *groups, const char *resource)
{
    const cJSON *group;

    cJSON_ArrayForEach (group, groups) {
        if (cJSON_IsString(group) && is_unbound(group->valuestring, resource))
            return true;
    }
    return false;
}

/* Appends the rule with these of its resources alone; owns them. */
static void add_rule(cJSON *rules, const cJSON *rule, cJSON *resources)
{
    cJSON *copy = NULL;

    if (cJSON_GetArraySize(resources) == 0) {
        cJSON_Delete(resources);
        return;
    }
    copy = cJSON_Duplicate(rule, true);
    cJSON_ReplaceItemInObjectCaseSensitive(copy, "resources", resources);
    cJSON_AddItemToArray(rules, copy);
}

void cli_rules_split(const cJSON *rules, cJSON *cluster, cJSON *in_namespace)
{
    const cJSON *rule, *resource;

    cJSON_ArrayForEach (rule, rules) {
        cJSON *everywhere = cJSON_CreateArray(), *here = cJSON_CreateArray();

        cJSON_ArrayForEach (resource, get(rule, "resources")) {
            const char *name = cJSON_IsString(resource) ? resource->valuestring : "";

            cJSON_AddItemToArray(is_unbound_in_any(get(rule, "apiGroups"), name) ? everywhere
                                                                                 : here,
                                 cJSON_CreateString(name));
        }
        add_rule(cluster, rule, everywhere);
        add_rule(in_namespace, rule, here);
    }
}
