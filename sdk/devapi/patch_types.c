/* SPDX-License-Identifier: Apache-2.0 */
/* The merge keys of the built-in kinds: the patchStrategy and patchMergeKey tags of k8s.io/api 1.34,
 * and the fields that lead to them. */
#include "devapi/patch_parts.h"

#include <string.h>

enum type {
    ANY = PATCH_ANY_TYPE,
    META,
    PLAIN,       /* metadata only */
    CONDITIONED, /* status.conditions */
    CONDITIONS,
    POD, /* and a pod template */
    POD_SPEC,
    POD_STATUS,
    CONTAINER,
    WORKLOAD, /* spec.template is a pod template */
    WORKLOAD_SPEC,
    CRON_JOB,
    CRON_JOB_SPEC,
    JOB_TEMPLATE,
    POD_TEMPLATE,
    SERVICE,
    SERVICE_SPEC,
    SERVICE_ACCOUNT,
    NODE,
    NODE_SPEC,
    NODE_STATUS,
    BUDGET,
    BUDGET_SPEC,
};

static const struct {
    const char *group, *kind;
    enum type type;
} kinds[] = {
    {"", "Pod", POD},
    {"", "PodTemplate", POD_TEMPLATE},
    {"", "ReplicationController", WORKLOAD},
    {"", "Service", SERVICE},
    {"", "ServiceAccount", SERVICE_ACCOUNT},
    {"", "Node", NODE},
    {"", "Namespace", CONDITIONED},
    {"", "PersistentVolumeClaim", CONDITIONED},
    {"apps", "Deployment", WORKLOAD},
    {"apps", "ReplicaSet", WORKLOAD},
    {"apps", "StatefulSet", WORKLOAD},
    {"apps", "DaemonSet", WORKLOAD},
    {"batch", "Job", WORKLOAD},
    {"batch", "CronJob", CRON_JOB},
    {"policy", "PodDisruptionBudget", BUDGET},
    {"autoscaling", "HorizontalPodAutoscaler", CONDITIONED},
};

typedef struct row {
    enum type of;
    patch_field_t field;
} row_t;

#define INTO(of_, name_, type_)                                                                    \
    {                                                                                              \
        of_,                                                                                       \
        {                                                                                          \
            name_, type_, false, false, NULL                                                       \
        }                                                                                          \
    }
#define LIST(of_, name_, type_, key_)                                                              \
    {                                                                                              \
        of_,                                                                                       \
        {                                                                                          \
            name_, type_, true, false, key_                                                        \
        }                                                                                          \
    }

static const row_t rows[] = {
    LIST(META, "ownerReferences", ANY, "uid"),
    LIST(META, "finalizers", ANY, NULL),
    INTO(PLAIN, "metadata", META),
    INTO(CONDITIONED, "metadata", META),
    INTO(CONDITIONED, "status", CONDITIONS),
    LIST(CONDITIONS, "conditions", ANY, "type"),
    INTO(POD, "metadata", META),
    INTO(POD, "spec", POD_SPEC),
    INTO(POD, "status", POD_STATUS),
    LIST(POD_SPEC, "containers", CONTAINER, "name"),
    LIST(POD_SPEC, "initContainers", CONTAINER, "name"),
    LIST(POD_SPEC, "ephemeralContainers", CONTAINER, "name"),
    LIST(POD_SPEC, "volumes", ANY, "name"),
    LIST(POD_SPEC, "imagePullSecrets", ANY, "name"),
    LIST(POD_SPEC, "hostAliases", ANY, "ip"),
    LIST(POD_SPEC, "topologySpreadConstraints", ANY, "topologyKey"),
    LIST(POD_SPEC, "schedulingGates", ANY, "name"),
    LIST(POD_SPEC, "resourceClaims", ANY, "name"),
    LIST(CONTAINER, "ports", ANY, "containerPort"),
    LIST(CONTAINER, "env", ANY, "name"),
    LIST(CONTAINER, "volumeMounts", ANY, "mountPath"),
    LIST(CONTAINER, "volumeDevices", ANY, "devicePath"),
    LIST(POD_STATUS, "conditions", ANY, "type"),
    LIST(POD_STATUS, "hostIPs", ANY, "ip"),
    LIST(POD_STATUS, "podIPs", ANY, "ip"),
    LIST(POD_STATUS, "resourceClaimStatuses", ANY, "name"),
    INTO(WORKLOAD, "metadata", META),
    INTO(WORKLOAD, "spec", WORKLOAD_SPEC),
    INTO(WORKLOAD, "status", CONDITIONS),
    INTO(WORKLOAD_SPEC, "template", POD),
    INTO(CRON_JOB, "metadata", META),
    INTO(CRON_JOB, "spec", CRON_JOB_SPEC),
    INTO(CRON_JOB_SPEC, "jobTemplate", JOB_TEMPLATE),
    INTO(JOB_TEMPLATE, "metadata", META),
    INTO(JOB_TEMPLATE, "spec", WORKLOAD_SPEC),
    INTO(POD_TEMPLATE, "metadata", META),
    INTO(POD_TEMPLATE, "template", POD),
    INTO(SERVICE, "metadata", META),
    INTO(SERVICE, "spec", SERVICE_SPEC),
    INTO(SERVICE, "status", CONDITIONS),
    LIST(SERVICE_SPEC, "ports", ANY, "port"),
    INTO(SERVICE_ACCOUNT, "metadata", META),
    LIST(SERVICE_ACCOUNT, "secrets", ANY, "name"),
    INTO(NODE, "metadata", META),
    INTO(NODE, "spec", NODE_SPEC),
    INTO(NODE, "status", NODE_STATUS),
    LIST(NODE_SPEC, "podCIDRs", ANY, NULL),
    LIST(NODE_STATUS, "conditions", ANY, "type"),
    LIST(NODE_STATUS, "addresses", ANY, "type"),
    INTO(BUDGET, "metadata", META),
    INTO(BUDGET, "spec", BUDGET_SPEC),
    INTO(BUDGET, "status", CONDITIONS),
    {BUDGET_SPEC, {"selector", ANY, false, true, NULL}},
};

int patch_type_of(const dev_kind_t *kind)
{
    for (size_t i = 0; i < HOST_LEN(kinds); i++) {
        if (strcmp(kinds[i].kind, kind->kind) == 0 && strcmp(kinds[i].group, kind->group) == 0)
            return (int) kinds[i].type;
    }
    return PLAIN;
}

const patch_field_t *patch_field_of(int type, const char *name)
{
    static const patch_field_t other = {"", ANY, false, false, NULL};

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        if ((int) rows[i].of == type && strcmp(rows[i].field.name, name) == 0)
            return &rows[i].field;
    }
    return &other;
}
