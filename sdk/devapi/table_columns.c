/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of the built-in kinds, as the real server's printers have them. */
#include "devapi/core_impl.h"
#include "devapi/table.h"

enum { MAX_COLUMNS = 12 };

#define AGE                                                                                        \
    {                                                                                              \
        "Age", "string", 0, CELL_AGE, NULL                                                         \
    }
#define PODS(path_)                                                                                \
    {"Containers", "string", 1, CELL_CONTAINERS, path_},                                           \
    {                                                                                              \
        "Images", "string", 1, CELL_IMAGES, path_                                                  \
    }
#define SELECTOR(path_)                                                                            \
    {                                                                                              \
        "Selector", "string", 1, CELL_SELECTOR, path_                                              \
    }
#define ROLE                                                                                       \
    {"Role", "string", 0, CELL_ROLE, NULL}, AGE, {"Users", "string", 1, CELL_SUBJECTS, "User"},    \
        {"Groups", "string", 1, CELL_SUBJECTS, "Group"},                                           \
    {                                                                                              \
        "ServiceAccounts", "string", 1, CELL_SUBJECTS, "ServiceAccount"                            \
    }

static const struct {
    const char *group, *kind;
    column_t columns[MAX_COLUMNS];
} tables[] = {
    {"", "Namespace", {{"Status", "string", 0, CELL_TEXT, "status.phase"}, AGE}},
    {"", "ConfigMap", {{"Data", "string", 0, CELL_DATA, NULL}, AGE}},
    {"",
     "Secret",
     {{"Type", "string", 0, CELL_TEXT, "type"}, {"Data", "string", 0, CELL_DATA, NULL}, AGE}},
    {"", "ServiceAccount", {{"Secrets", "string", 0, CELL_COUNT, "secrets"}, AGE}},
    {"",
     "Pod",
     {{"Ready", "string", 0, CELL_POD_READY, NULL},
      {"Status", "string", 0, CELL_POD_STATUS, NULL},
      {"Restarts", "string", 0, CELL_POD_RESTARTS, NULL},
      AGE,
      {"IP", "string", 1, CELL_NONE, "status.podIP"},
      {"Node", "string", 1, CELL_NONE, "spec.nodeName"},
      {"Nominated Node", "string", 1, CELL_NONE, "status.nominatedNodeName"},
      {"Readiness Gates", "string", 1, CELL_NONE, ""}}},
    {"",
     "Service",
     {{"Type", "string", 0, CELL_TEXT, "spec.type"},
      {"Cluster-IP", "string", 0, CELL_NONE, "spec.clusterIP"},
      {"External-IP", "string", 0, CELL_ADDRESS, NULL},
      {"Port(s)", "string", 0, CELL_PORTS, NULL},
      AGE,
      {"Selector", "string", 1, CELL_SELECTOR, "spec.selector"}}},
    {"apps",
     "Deployment",
     {{"Ready", "string", 0, CELL_READY, NULL},
      {"Up-to-date", "string", 0, CELL_NUMBER, "status.updatedReplicas"},
      {"Available", "string", 0, CELL_NUMBER, "status.availableReplicas"},
      AGE,
      PODS("spec.template.spec.containers"),
      SELECTOR("spec.selector")}},
    {"apps",
     "ReplicaSet",
     {{"Desired", "integer", 0, CELL_NUMBER, "spec.replicas"},
      {"Current", "integer", 0, CELL_NUMBER, "status.replicas"},
      {"Ready", "integer", 0, CELL_NUMBER, "status.readyReplicas"},
      AGE,
      PODS("spec.template.spec.containers"),
      SELECTOR("spec.selector")}},
    {"apps",
     "StatefulSet",
     {{"Ready", "string", 0, CELL_READY, NULL}, AGE, PODS("spec.template.spec.containers")}},
    {"coordination.k8s.io",
     "Lease",
     {{"Holder", "string", 0, CELL_TEXT, "spec.holderIdentity"}, AGE}},
    {"",
     "ReplicationController",
     {{"Desired", "integer", 0, CELL_NUMBER, "spec.replicas"},
      {"Current", "integer", 0, CELL_NUMBER, "status.replicas"},
      {"Ready", "integer", 0, CELL_NUMBER, "status.readyReplicas"},
      AGE,
      PODS("spec.template.spec.containers"),
      SELECTOR("spec.selector")}},
    {"",
     "PodTemplate",
     {{"Containers", "string", 0, CELL_CONTAINERS, "template.spec.containers"},
      {"Images", "string", 0, CELL_IMAGES, "template.spec.containers"},
      {"Pod Labels", "string", 0, CELL_SELECTOR, "template.metadata.labels"}}},
    {"apps",
     "DaemonSet",
     {{"Desired", "integer", 0, CELL_NUMBER, "status.desiredNumberScheduled"},
      {"Current", "integer", 0, CELL_NUMBER, "status.currentNumberScheduled"},
      {"Ready", "integer", 0, CELL_NUMBER, "status.numberReady"},
      {"Up-to-date", "integer", 0, CELL_NUMBER, "status.updatedNumberScheduled"},
      {"Available", "integer", 0, CELL_NUMBER, "status.numberAvailable"},
      {"Node Selector", "string", 0, CELL_SELECTOR, "spec.template.spec.nodeSelector"},
      AGE,
      PODS("spec.template.spec.containers"),
      SELECTOR("spec.selector")}},
    {"batch",
     "Job",
     {{"Status", "string", 0, CELL_JOB_STATUS, NULL},
      {"Completions", "string", 0, CELL_JOB_COMPLETIONS, NULL},
      {"Duration", "string", 0, CELL_JOB_DURATION, NULL},
      AGE,
      PODS("spec.template.spec.containers"),
      SELECTOR("spec.selector")}},
    {"batch",
     "CronJob",
     {{"Schedule", "string", 0, CELL_TEXT, "spec.schedule"},
      {"Timezone", "string", 0, CELL_NONE, "spec.timeZone"},
      {"Suspend", "boolean", 0, CELL_BOOL_TEXT, "spec.suspend"},
      {"Active", "integer", 0, CELL_COUNT, "status.active"},
      {"Last Schedule", "string", 0, CELL_LAST_SCHEDULE, NULL},
      AGE,
      PODS("spec.jobTemplate.spec.template.spec.containers"),
      SELECTOR("spec.jobTemplate.spec.selector")}},
    {"autoscaling",
     "HorizontalPodAutoscaler",
     {{"Reference", "string", 0, CELL_SCALES, NULL},
      {"Targets", "string", 0, CELL_TARGETS, NULL},
      {"MinPods", "string", 0, CELL_MIN_PODS, NULL},
      {"MaxPods", "string", 0, CELL_NUMBER, "spec.maxReplicas"},
      {"Replicas", "string", 0, CELL_NUMBER, "status.currentReplicas"},
      AGE}},
    {"networking.k8s.io",
     "Ingress",
     {{"Class", "string", 0, CELL_NONE, "spec.ingressClassName"},
      {"Hosts", "string", 0, CELL_HOSTS, NULL},
      {"Address", "string", 0, CELL_HOST_ADDRESS, NULL},
      {"Ports", "string", 0, CELL_HOST_PORTS, NULL},
      AGE}},
    {"networking.k8s.io",
     "NetworkPolicy",
     {{"Pod-Selector", "string", 0, CELL_SELECTOR, "spec.podSelector"}, AGE}},
    {"policy",
     "PodDisruptionBudget",
     {{"Min Available", "string", 0, CELL_LIMIT, "spec.minAvailable"},
      {"Max Unavailable", "string", 0, CELL_LIMIT, "spec.maxUnavailable"},
      {"Allowed Disruptions", "integer", 0, CELL_NUMBER, "status.disruptionsAllowed"},
      AGE}},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", {ROLE}},
    {"rbac.authorization.k8s.io", "RoleBinding", {ROLE}},
    {"scheduling.k8s.io",
     "PriorityClass",
     {{"Value", "integer", 0, CELL_NUMBER, "value"},
      {"Global-Default", "boolean", 0, CELL_BOOL, "globalDefault"},
      AGE,
      {"PreemptionPolicy", "string", 0, CELL_TEXT, "preemptionPolicy"}}},
    {"storage.k8s.io",
     "StorageClass",
     {{"Provisioner", "string", 0, CELL_TEXT, "provisioner"},
      {"ReclaimPolicy", "string", 0, CELL_TEXT, "reclaimPolicy"},
      {"VolumeBindingMode", "string", 0, CELL_TEXT, "volumeBindingMode"},
      {"AllowVolumeExpansion", "string", 0, CELL_BOOL, "allowVolumeExpansion"},
      AGE}},
};

const column_t *table_columns(const dev_kind_t *kind)
{
    for (size_t i = 0; i < HOST_LEN(tables); i++) {
        if (dev_is_kind(kind, tables[i].group, tables[i].kind))
            return tables[i].columns;
    }
    return NULL;
}
