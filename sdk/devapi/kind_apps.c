/* SPDX-License-Identifier: Apache-2.0 */
/* The workloads of group apps, and replication controllers. */
#include "devapi/builtin.h"

#include <stdlib.h>
#include <string.h>

#define SPEC DEV_AT(NULL, "spec")
#define TEMPLATE DEV_AT(SPEC, "template")

/* The words for `Unsupported value` of a whole strategy, which the real one prints in Go's names. */
static void refuse_strategy(const dev_path_t *at, const char *type, const char *detail,
                            const char *reason, const char *what, dev_status_t *st)
{
    buf_t field = BUF_INIT;

    dev_path_print(at, &field);
    dev_cause(st, buf_text(&field), reason, "%s: {\"Type\":\"%s\",\"RollingUpdate\":null}: %s",
              what, type, detail);
    buf_fini(&field);
}

/* -- "25%" or a number -- */

/* The percentage; -1 when it is none. */
static int percent_of(const cJSON *value)
{
    char *end;
    long n;

    if (!cJSON_IsString(value) || value->valuestring[0] < '0' || value->valuestring[0] > '9')
        return -1;
    n = strtol(value->valuestring, &end, 10);
    return strcmp(end, "%") == 0 && n <= 1000000 ? (int) n : -1;
}

static void check_share(const dev_path_t *at, const cJSON *value, bool at_most_all,
                        dev_status_t *st)
{
    if (cJSON_IsString(value) && percent_of(value) < 0)
        dev_invalid(st, at, value,
                    "a valid percent string must be a numeric string followed by an ending '%%' "
                    "(e.g. '1%%',  or '93%%', regex used for validation is '[0-9]+%%')");
    else if (at_most_all && percent_of(value) > 100)
        dev_invalid(st, at, value, "must not be greater than 100%%");
    else if (cJSON_IsNumber(value) && value->valuedouble < 0)
        dev_invalid(st, at, value, "must be greater than or equal to 0");
}

static bool is_zero(const cJSON *value)
{
    return cJSON_IsNumber(value) ? value->valuedouble == 0 : percent_of(value) == 0;
}

static void check_rolling(const dev_path_t *at, const cJSON *rolling, dev_status_t *st)
{
    const cJSON *surge = tree_get(rolling, "maxSurge"), *down = tree_get(rolling, "maxUnavailable");
    const dev_path_t *down_at = DEV_AT(at, "maxUnavailable");

    check_share(DEV_AT(at, "maxSurge"), surge, false, st);
    check_share(down_at, down, true, st);
    if (is_zero(surge) && is_zero(down))
        dev_invalid(st, down_at, down, "may not be 0 when `maxSurge` is 0");
}

/* -- Status -- */

/* keys (NULL ends them) name numbers that must not exceed status.replicas. */
static void check_counts(const cJSON *object, const char *const *keys, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, "status");
    const cJSON *status = tree_get(object, "status");
    const double replicas = tree_number(status, "replicas", 0);
    const cJSON *available = tree_get(status, "availableReplicas");

    builtin_check_not_negative(at, status, "replicas", st);
    builtin_check_not_negative(at, status, "observedGeneration", st);
    builtin_check_not_negative(at, status, "collisionCount", st);
    for (size_t i = 0; keys[i] != NULL; i++) {
        const cJSON *count = tree_get(status, keys[i]);

        builtin_check_not_negative(at, status, keys[i], st);
        if (cJSON_IsNumber(count) && count->valuedouble > replicas)
            dev_invalid(st, DEV_AT(at, keys[i]), count, "cannot be greater than status.replicas");
    }
    if (cJSON_IsNumber(available) &&
        available->valuedouble > tree_number(status, "readyReplicas", 0))
        dev_invalid(st, DEV_AT(at, "availableReplicas"), available,
                    "cannot be greater than readyReplicas");
}

/* -- Deployments -- */

void deployment_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.replicas", "1"},
        {"spec.strategy.type", "\"RollingUpdate\""},
        {"spec.revisionHistoryLimit", "10"},
        {"spec.progressDeadlineSeconds", "600"},
        {"status", "{}"},
    };
    static const tree_default_t rolling[] = {
        {"spec.strategy.rollingUpdate.maxUnavailable", "\"25%\""},
        {"spec.strategy.rollingUpdate.maxSurge", "\"25%\""},
    };

    (void) old;
    builtin_complete_template(tree_object(tree_object(object, "spec"), "template"));
    tree_fill(object, defaults, HOST_LEN(defaults));
    if (strcmp(tree_text(tree_at(object, "spec.strategy"), "type"), "RollingUpdate") == 0)
        tree_fill(object, rolling, HOST_LEN(rolling));
}

static void check_strategy(const cJSON *strategy, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(SPEC, "strategy"), *rolling = DEV_AT(at, "rollingUpdate");
    const char *type = tree_text(strategy, "type");

    if (strcmp(type, "RollingUpdate") == 0)
        check_rolling(rolling, tree_get(strategy, "rollingUpdate"), st);
    else if (strcmp(type, "Recreate") != 0)
        refuse_strategy(at, type, "supported values: \"Recreate\", \"RollingUpdate\"",
                        "FieldValueNotSupported", "Unsupported value", st);
    else if (tree_get(strategy, "rollingUpdate") != NULL)
        dev_forbidden(st, rolling, "may not be specified when strategy `type` is 'Recreate'");
}

void deployment_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const counts[] = {"updatedReplicas", "readyReplicas", "availableReplicas",
                                         NULL};
    const cJSON *spec = tree_get(object, "spec");
    const cJSON *deadline = tree_get(spec, "progressDeadlineSeconds");

    builtin_check_not_negative(SPEC, spec, "replicas", st);
    builtin_check_workload(object, old, "deployment", st);
    builtin_check_template(TEMPLATE, tree_get(spec, "template"), POD_RESTARTS_ALWAYS, st);
    check_strategy(tree_get(spec, "strategy"), st);
    builtin_check_not_negative(SPEC, spec, "minReadySeconds", st);
    builtin_check_not_negative(SPEC, spec, "revisionHistoryLimit", st);
    builtin_check_not_negative(SPEC, spec, "progressDeadlineSeconds", st);
    if (cJSON_IsNumber(deadline) && deadline->valuedouble > 0 &&
        deadline->valuedouble <= tree_number(spec, "minReadySeconds", 0))
        dev_invalid(st, DEV_AT(SPEC, "progressDeadlineSeconds"), deadline,
                    "must be greater than minReadySeconds");
    builtin_check_not_negative(DEV_AT(NULL, "status"), tree_get(object, "status"),
                               "unavailableReplicas", st);
    check_counts(object, counts, st);
}

/* -- Replica sets and replication controllers -- */

static const tree_default_t replica_defaults[] = {
    {"spec.replicas", "1"},
    {"status.replicas", "0"},
};

void replicaset_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    builtin_complete_template(tree_object(tree_object(object, "spec"), "template"));
    tree_fill(object, replica_defaults, HOST_LEN(replica_defaults));
}

void replicaset_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const counts[] = {"fullyLabeledReplicas", "readyReplicas",
                                         "availableReplicas", NULL};
    const cJSON *spec = tree_get(object, "spec");

    builtin_check_not_negative(SPEC, spec, "replicas", st);
    builtin_check_not_negative(SPEC, spec, "minReadySeconds", st);
    builtin_check_workload(object, old, "deployment", st);
    builtin_check_template(TEMPLATE, tree_get(spec, "template"), POD_RESTARTS_ALWAYS, st);
    check_counts(object, counts, st);
}

/* Labels and selector come from the template's labels. */
void replication_complete(cJSON *object, const cJSON *old)
{
    cJSON *spec = tree_object(object, "spec"), *metadata = tree_object(object, "metadata");
    const cJSON *labels = tree_at(spec, "template.metadata.labels");

    (void) old;
    builtin_complete_template(tree_get(spec, "template"));
    if (labels != NULL && tree_empty(tree_get(spec, "selector")))
        tree_set(spec, "selector", cJSON_Duplicate(labels, true));
    if (labels != NULL && tree_empty(tree_get(metadata, "labels")))
        tree_set(metadata, "labels", cJSON_Duplicate(labels, true));
    tree_fill(object, replica_defaults, HOST_LEN(replica_defaults));
}

void replication_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *labels_at = DEV_AT(DEV_AT(TEMPLATE, "metadata"), "labels");
    const cJSON *spec = tree_get(object, "spec"), *template = tree_get(spec, "template");
    const cJSON *selector = tree_get(spec, "selector"), *item;
    const cJSON *labels = tree_at(template, "metadata.labels");

    (void) old;
    builtin_check_not_negative(SPEC, spec, "minReadySeconds", st);
    if (tree_empty(selector))
        dev_required(st, DEV_AT(SPEC, "selector"), "");
    builtin_check_not_negative(SPEC, spec, "replicas", st);
    if (template == NULL) {
        dev_required(st, TEMPLATE, "");
        return;
    }
    cJSON_ArrayForEach (item, tree_map(selector)) {
        if (strcmp(tree_text(labels, item->string), tree_text(selector, item->string)) != 0) {
            dev_invalid(st, labels_at, labels, "`selector` does not match template `labels`");
            break;
        }
    }
    builtin_check_template(TEMPLATE, template, POD_RESTARTS_ALWAYS, st);
}

/* -- Stateful sets -- */

void statefulset_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.replicas", "1"},
        {"spec.podManagementPolicy", "\"OrderedReady\""},
        {"spec.updateStrategy.type", "\"RollingUpdate\""},
        {"spec.revisionHistoryLimit", "10"},
        {"spec.persistentVolumeClaimRetentionPolicy.whenDeleted", "\"Retain\""},
        {"spec.persistentVolumeClaimRetentionPolicy.whenScaled", "\"Retain\""},
        {"status.replicas", "0"},
        {"status.availableReplicas", "0"},
    };
    static const tree_default_t claim_defaults[] = {
        {"kind", "\"PersistentVolumeClaim\""},
        {"apiVersion", "\"v1\""},
        {"spec.volumeMode", "\"Filesystem\""},
        {"status.phase", "\"Pending\""},
    };
    cJSON *strategy, *claim;

    (void) old;
    builtin_complete_template(tree_object(tree_object(object, "spec"), "template"));
    tree_fill(object, defaults, HOST_LEN(defaults));
    strategy = tree_at(object, "spec.updateStrategy");
    if (strcmp(tree_text(strategy, "type"), "RollingUpdate") == 0)
        tree_default_number(tree_object(strategy, "rollingUpdate"), "partition", 0);
    cJSON_ArrayForEach (claim, tree_at(object, "spec.volumeClaimTemplates"))
        tree_fill(claim, claim_defaults, HOST_LEN(claim_defaults));
}

/* Everything but a few fields is fixed. */
static void check_statefulset_update(const cJSON *spec, const cJSON *old_spec, dev_status_t *st)
{
    static const char *const free_keys[] = {"replicas",
                                            "ordinals",
                                            "template",
                                            "updateStrategy",
                                            "revisionHistoryLimit",
                                            "minReadySeconds",
                                            "persistentVolumeClaimRetentionPolicy"};
    cJSON *now = cJSON_Duplicate(spec, true), *before = cJSON_Duplicate(old_spec, true);

    for (size_t i = 0; i < HOST_LEN(free_keys); i++) {
        tree_remove(now, free_keys[i]);
        tree_remove(before, free_keys[i]);
    }
    if (!tree_same(now, before))
        dev_forbidden(st, SPEC,
                      "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                      "'template', 'updateStrategy', 'revisionHistoryLimit', "
                      "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    cJSON_Delete(now);
    cJSON_Delete(before);
}

void statefulset_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const cJSON *spec = tree_get(object, "spec");
    const char *policy = tree_text(spec, "podManagementPolicy");
    const char *update = tree_text(tree_get(spec, "updateStrategy"), "type");

    if (strcmp(policy, "OrderedReady") != 0 && strcmp(policy, "Parallel") != 0)
        dev_invalid_text(st, DEV_AT(SPEC, "podManagementPolicy"), policy,
                         "must be 'OrderedReady' or 'Parallel'");
    if (strcmp(update, "RollingUpdate") != 0 && strcmp(update, "OnDelete") != 0)
        refuse_strategy(DEV_AT(SPEC, "updateStrategy"), update,
                        "must be 'RollingUpdate' or 'OnDelete'", "FieldValueInvalid",
                        "Invalid value", st);
    builtin_check_not_negative(SPEC, spec, "replicas", st);
    builtin_check_not_negative(SPEC, spec, "minReadySeconds", st);
    builtin_check_workload(object, NULL, "statefulset", st);
    builtin_check_template(TEMPLATE, tree_get(spec, "template"), POD_RESTARTS_ALWAYS, st);
    if (old != NULL)
        check_statefulset_update(spec, tree_get(old, "spec"), st);
}

/* -- Daemon sets -- */

void daemonset_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.updateStrategy.type", "\"RollingUpdate\""},
        {"spec.revisionHistoryLimit", "10"},
        {"status.currentNumberScheduled", "0"},
        {"status.numberMisscheduled", "0"},
        {"status.desiredNumberScheduled", "0"},
        {"status.numberReady", "0"},
    };
    static const tree_default_t rolling[] = {
        {"spec.updateStrategy.rollingUpdate.maxUnavailable", "1"},
        {"spec.updateStrategy.rollingUpdate.maxSurge", "0"},
    };

    builtin_complete_template(tree_object(tree_object(object, "spec"), "template"));
    tree_fill(object, defaults, HOST_LEN(defaults));
    if (strcmp(tree_text(tree_at(object, "spec.updateStrategy"), "type"), "RollingUpdate") == 0)
        tree_fill(object, rolling, HOST_LEN(rolling));
    if (old == NULL)
        tree_default_text(tree_object(tree_object(object, "metadata"), "annotations"),
                          "deprecated.daemonset.template.generation", "1");
}

void daemonset_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const cJSON *spec = tree_get(object, "spec");
    const char *update = tree_text(tree_get(spec, "updateStrategy"), "type");

    builtin_check_workload(object, old, "daemonset", st);
    builtin_check_template(TEMPLATE, tree_get(spec, "template"), POD_RESTARTS_ALWAYS, st);
    builtin_check_not_negative(SPEC, spec, "minReadySeconds", st);
    builtin_check_not_negative(SPEC, spec, "revisionHistoryLimit", st);
    if (strcmp(update, "RollingUpdate") != 0 && strcmp(update, "OnDelete") != 0)
        refuse_strategy(DEV_AT(SPEC, "updateStrategy"), update,
                        "supported values: \"RollingUpdate\", \"OnDelete\"",
                        "FieldValueNotSupported", "Unsupported value", st);
}

void revision_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    builtin_check_not_negative(NULL, object, "revision", st);
    if (tree_get(object, "data") == NULL)
        dev_required(st, DEV_AT(NULL, "data"), "data is mandatory");
    if (old != NULL)
        builtin_check_immutable(DEV_AT(NULL, "data"), tree_get(object, "data"),
                                tree_get(old, "data"), st);
}
