/* SPDX-License-Identifier: Apache-2.0 */
/* The table of built-in kinds; flags, names and subresources are those of the real server's
 * registry (1.34). */
#include "devapi/builtin.h"

#define NS DEV_NAMESPACED
#define PUT_MAKES DEV_CREATE_ON_PUT
#define PUT_VERSION DEV_PUT_NEEDS_VERSION
#define GEN DEV_GENERATION

#define NAMES(resource_, singular_, kind_)                                                         \
    .resource = resource_, .singular = singular_, .kind = kind_, .list_kind = kind_ "List"

/* clang-format off */
#define PLAIN(version_) {{.name = version_}}
#define STATUS(version_) {{.name = version_, .status = true}}
#define SCALED(version_) {{.name = version_, .status = true, .scale = true}}

static const dev_kind_t kinds[] = {
    /* core */
    {.group = "", NAMES("configmaps", "configmap", "ConfigMap"), .short_names = {"cm"},
     .flags = NS, .versions = PLAIN("v1"), .validate = configmap_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("endpoints", "endpoints", "Endpoints"), .short_names = {"ep"},
     .flags = NS | PUT_MAKES, .versions = PLAIN("v1"), .complete = endpoints_complete,
     .validate = endpoints_validate, .decode = builtin_decode},
    {.group = "", NAMES("events", "event", "Event"), .short_names = {"ev"},
     .flags = NS | PUT_MAKES, .versions = PLAIN("v1"), .complete = event_complete,
     .validate = event_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("limitranges", "limitrange", "LimitRange"), .short_names = {"limits"},
     .flags = NS | PUT_MAKES, .versions = PLAIN("v1"), .complete = limitrange_complete,
     .decode = builtin_decode},
    {.group = "", NAMES("namespaces", "namespace", "Namespace"), .short_names = {"ns"},
     .flags = DEV_NO_COLLECTION_DELETE, .versions = STATUS("v1"), .complete = namespace_complete, .validate = namespace_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("nodes", "node", "Node"), .short_names = {"no"},
     .versions = STATUS("v1"), .complete = node_complete, .decode = builtin_decode},
    {.group = "", NAMES("persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim"),
     .short_names = {"pvc"}, .flags = NS, .versions = STATUS("v1"), .complete = claim_complete,
     .validate = claim_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("persistentvolumes", "persistentvolume", "PersistentVolume"),
     .short_names = {"pv"}, .versions = STATUS("v1"), .complete = volume_complete,
     .validate = volume_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("pods", "pod", "Pod"), .short_names = {"po"}, .categories = {"all"},
     .flags = NS | GEN, .versions = STATUS("v1"), .complete = pod_complete,
     .validate = pod_validate, .decode = builtin_decode},
    {.group = "", NAMES("podtemplates", "podtemplate", "PodTemplate"), .flags = NS | GEN,
     .versions = PLAIN("v1"), .complete = podtemplate_complete, .validate = podtemplate_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("replicationcontrollers", "replicationcontroller", "ReplicationController"),
     .short_names = {"rc"}, .categories = {"all"}, .flags = NS | GEN, .versions = SCALED("v1"),
     .complete = replication_complete, .validate = replication_validate,
     .decode = builtin_decode},
    {.group = "", NAMES("resourcequotas", "resourcequota", "ResourceQuota"),
     .short_names = {"quota"}, .flags = NS, .versions = STATUS("v1"), .complete = quota_complete,
     .decode = builtin_decode},
    {.group = "", NAMES("secrets", "secret", "Secret"), .flags = NS, .versions = PLAIN("v1"),
     .complete = secret_complete, .validate = secret_validate, .decode = builtin_decode},
    {.group = "", NAMES("serviceaccounts", "serviceaccount", "ServiceAccount"),
     .short_names = {"sa"}, .flags = NS, .versions = PLAIN("v1"), .decode = builtin_decode},
    {.group = "", NAMES("services", "service", "Service"), .short_names = {"svc"},
     .categories = {"all"}, .flags = NS | PUT_MAKES, .versions = STATUS("v1"),
     .complete = service_complete, .validate = service_validate, .decode = builtin_decode},
    /* apps */
    {.group = "apps", NAMES("controllerrevisions", "controllerrevision", "ControllerRevision"),
     .flags = NS, .versions = PLAIN("v1"), .validate = revision_validate,
     .decode = builtin_decode},
    {.group = "apps", NAMES("daemonsets", "daemonset", "DaemonSet"), .short_names = {"ds"},
     .categories = {"all"}, .flags = NS | GEN, .versions = STATUS("v1"),
     .complete = daemonset_complete, .validate = daemonset_validate, .decode = builtin_decode},
    {.group = "apps", NAMES("deployments", "deployment", "Deployment"), .short_names = {"deploy"},
     .categories = {"all"}, .flags = NS | GEN, .versions = SCALED("v1"),
     .complete = deployment_complete, .validate = deployment_validate, .decode = builtin_decode},
    {.group = "apps", NAMES("replicasets", "replicaset", "ReplicaSet"), .short_names = {"rs"},
     .categories = {"all"}, .flags = NS | GEN, .versions = SCALED("v1"),
     .complete = replicaset_complete, .validate = replicaset_validate, .decode = builtin_decode},
    {.group = "apps", NAMES("statefulsets", "statefulset", "StatefulSet"), .short_names = {"sts"},
     .categories = {"all"}, .flags = NS | GEN, .versions = SCALED("v1"),
     .complete = statefulset_complete, .validate = statefulset_validate,
     .decode = builtin_decode},
    /* batch */
    {.group = "batch", NAMES("cronjobs", "cronjob", "CronJob"), .short_names = {"cj"},
     .categories = {"all"}, .flags = NS | GEN, .versions = STATUS("v1"),
     .complete = cronjob_complete, .validate = cronjob_validate, .decode = builtin_decode},
    {.group = "batch", NAMES("jobs", "job", "Job"), .categories = {"all"}, .flags = NS | GEN,
     .versions = STATUS("v1"), .complete = job_complete, .validate = job_validate,
     .decode = builtin_decode},
    /* the others, by group */
    {.group = "apiextensions.k8s.io",
     NAMES("customresourcedefinitions", "customresourcedefinition", "CustomResourceDefinition"),
     .short_names = {"crd", "crds"}, .categories = {"api-extensions"},
     .flags = PUT_VERSION | GEN, .versions = STATUS("v1"), .decode = builtin_decode},
    {.group = "autoscaling",
     NAMES("horizontalpodautoscalers", "horizontalpodautoscaler", "HorizontalPodAutoscaler"),
     .short_names = {"hpa"}, .categories = {"all"}, .flags = NS,
     .versions = {{.name = "v2", .status = true}, {.name = "v1", .status = true}},
     .complete = autoscaler_complete, .validate = autoscaler_validate, .decode = builtin_decode},
    {.group = "coordination.k8s.io", NAMES("leases", "lease", "Lease"),
     .flags = NS | PUT_MAKES | PUT_VERSION, .versions = PLAIN("v1"), .complete = lease_complete,
     .validate = lease_validate, .decode = builtin_decode},
    {.group = "discovery.k8s.io", NAMES("endpointslices", "endpointslice", "EndpointSlice"),
     .flags = NS | GEN, .versions = PLAIN("v1"), .complete = slice_complete,
     .validate = slice_validate, .decode = builtin_decode},
    {.group = "events.k8s.io", NAMES("events", "event", "Event"), .short_names = {"ev"},
     .flags = NS | PUT_MAKES, .versions = PLAIN("v1"), .complete = event_complete,
     .validate = event_new_validate,
     .decode = builtin_decode},
    {.group = "networking.k8s.io", NAMES("ingressclasses", "ingressclass", "IngressClass"),
     .flags = GEN, .versions = PLAIN("v1"), .validate = ingressclass_validate,
     .decode = builtin_decode},
    {.group = "networking.k8s.io", NAMES("ingresses", "ingress", "Ingress"),
     .short_names = {"ing"}, .flags = NS | GEN, .versions = STATUS("v1"),
     .complete = ingress_complete, .validate = ingress_validate, .decode = builtin_decode},
    {.group = "networking.k8s.io", NAMES("networkpolicies", "networkpolicy", "NetworkPolicy"),
     .short_names = {"netpol"}, .flags = NS | GEN, .versions = PLAIN("v1"),
     .complete = networkpolicy_complete, .validate = networkpolicy_validate,
     .decode = builtin_decode},
    {.group = "policy", NAMES("poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget"),
     .short_names = {"pdb"}, .flags = NS | PUT_VERSION | GEN, .versions = STATUS("v1"),
     .complete = budget_complete, .validate = budget_validate, .decode = builtin_decode},
    {.group = "rbac.authorization.k8s.io",
     NAMES("clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding"),
     .flags = PUT_MAKES, .versions = PLAIN("v1"), .complete = rolebinding_complete,
     .validate = clusterrolebinding_validate, .decode = builtin_decode},
    {.group = "rbac.authorization.k8s.io", NAMES("clusterroles", "clusterrole", "ClusterRole"),
     .flags = PUT_MAKES, .versions = PLAIN("v1"), .complete = role_complete,
     .validate = clusterrole_validate,
     .decode = builtin_decode},
    {.group = "rbac.authorization.k8s.io", NAMES("rolebindings", "rolebinding", "RoleBinding"),
     .flags = NS | PUT_MAKES, .versions = PLAIN("v1"), .complete = rolebinding_complete,
     .validate = rolebinding_validate, .decode = builtin_decode},
    {.group = "rbac.authorization.k8s.io", NAMES("roles", "role", "Role"),
     .flags = NS | PUT_MAKES, .versions = PLAIN("v1"), .complete = role_complete,
     .validate = role_validate,
     .decode = builtin_decode},
    {.group = "scheduling.k8s.io", NAMES("priorityclasses", "priorityclass", "PriorityClass"),
     .short_names = {"pc"}, .flags = GEN, .versions = PLAIN("v1"),
     .complete = priorityclass_complete, .validate = priorityclass_validate,
     .decode = builtin_decode},
    {.group = "storage.k8s.io", NAMES("storageclasses", "storageclass", "StorageClass"),
     .short_names = {"sc"}, .versions = PLAIN("v1"), .complete = storageclass_complete,
     .validate = storageclass_validate, .decode = builtin_decode},
};
/* clang-format on */

const dev_kind_t *dev_builtin_kinds(size_t *count)
{
    *count = HOST_LEN(kinds);
    return kinds;
}
