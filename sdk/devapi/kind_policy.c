/* SPDX-License-Identifier: Apache-2.0 */
/* Disruption budgets, autoscalers, storage and priority classes, quotas. */
#include "devapi/builtin.h"

#include <string.h>

#define SPEC DEV_AT(NULL, "spec")

void budget_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"status.disruptionsAllowed", "0"},
        {"status.currentHealthy", "0"},
        {"status.desiredHealthy", "0"},
        {"status.expectedPods", "0"},
    };

    (void) old;
    tree_object(object, "spec");
    tree_fill(object, defaults, HOST_LEN(defaults));
}

/* The real one prints the whole spec, in Go's names. */
static void refuse_both(const cJSON *spec, dev_status_t *st)
{
    static const char *const keys[][2] = {
        {"minAvailable", "MinAvailable"},
        {"selector", "Selector"},
        {"maxUnavailable", "MaxUnavailable"},
        {"unhealthyPodEvictionPolicy", "UnhealthyPodEvictionPolicy"},
    };
    buf_t shown = BUF_INIT;

    for (size_t i = 0; i < HOST_LEN(keys); i++) {
        buf_printf(&shown, "%s\"%s\":", i == 0 ? "{" : ",", keys[i][1]);
        dev_value_print(tree_get(spec, keys[i][0]), &shown);
    }
    dev_cause(st, "spec", "FieldValueInvalid",
              "Invalid value: %s}: minAvailable and maxUnavailable cannot be both set",
              buf_text(&shown));
    buf_fini(&shown);
}

void budget_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const cJSON *spec = tree_get(object, "spec");

    (void) old;
    if (tree_get(spec, "minAvailable") != NULL && tree_get(spec, "maxUnavailable") != NULL)
        refuse_both(spec, st);
    builtin_check_not_negative(SPEC, spec, "minAvailable", st);
    builtin_check_not_negative(SPEC, spec, "maxUnavailable", st);
    builtin_check_selector(DEV_AT(SPEC, "selector"), tree_get(spec, "selector"), st);
}

/* -- Autoscalers -- */

void autoscaler_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {{"spec.minReplicas", "1"},
                                              {"status.desiredReplicas", "0"}};
    static const tree_default_t v1[] = {{"spec.targetCPUUtilizationPercentage", "80"},
                                        {"status.currentReplicas", "0"}};
    static const tree_default_t v2[] = {
        {"spec.metrics", "[{\"type\":\"Resource\",\"resource\":{\"name\":\"cpu\",\"target\":{"
                         "\"type\":\"Utilization\",\"averageUtilization\":80}}}]"},
    };

    (void) old;
    tree_fill(object, defaults, HOST_LEN(defaults));
    if (strcmp(tree_text(object, "apiVersion"), "autoscaling/v1") == 0) {
        tree_fill(object, v1, HOST_LEN(v1));
        return;
    }
    tree_fill(object, v2, HOST_LEN(v2));
    if (tree_at(object, "status.currentMetrics") == NULL)
        tree_set(tree_get(object, "status"), "currentMetrics", cJSON_CreateNull());
}

static void check_target(const dev_path_t *at, const cJSON *target, dev_status_t *st)
{
    static const char *const names[] = {"kind", "name"};
    const cJSON *version = tree_get(target, "apiVersion");

    for (size_t i = 0; i < HOST_LEN(names); i++) {
        const char *text = tree_text(target, names[i]);

        if (text[0] == '\0')
            dev_required(st, DEV_AT(at, names[i]), "");
        else
            dev_name_check(st, DEV_AT(at, names[i]), DEV_NAME_PATH_SEGMENT, text);
    }
    if (!cJSON_IsString(version) || version->valuestring[0] == '\0')
        dev_invalid_text(st, DEV_AT(at, "apiVersion"), "", "apiVersion must specify API group");
}

void autoscaler_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *max_at = DEV_AT(SPEC, "maxReplicas");
    const cJSON *spec = tree_get(object, "spec"), *min = tree_get(spec, "minReplicas");
    double least = tree_number(spec, "minReplicas", 1), most = tree_number(spec, "maxReplicas", 0);
    cJSON *max = cJSON_CreateNumber(most); /* as shown when it is absent, too */

    (void) old;
    if (least < 1)
        dev_invalid(st, DEV_AT(SPEC, "minReplicas"), min, "must be greater than or equal to 1");
    if (most < 1)
        dev_invalid(st, max_at, max, "must be greater than 0");
    if (most < least)
        dev_invalid(st, max_at, max, "must be greater than or equal to `minReplicas`");
    check_target(DEV_AT(SPEC, "scaleTargetRef"), tree_get(spec, "scaleTargetRef"), st);
    cJSON_Delete(max);
}

/* -- Classes -- */

void storageclass_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    tree_default_text(object, "reclaimPolicy", "Delete");
    tree_default_text(object, "volumeBindingMode", "Immediate");
}

void storageclass_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const reclaims[] = {"Delete", "Retain", NULL};
    static const char *const bindings[] = {"Immediate", "WaitForFirstConsumer", NULL};
    static const struct {
        const char *key, *detail;
    } fixed[] = {
        {"parameters", "updates to parameters are forbidden."},
        {"provisioner", "updates to provisioner are forbidden."},
        {"reclaimPolicy", "updates to reclaimPolicy are forbidden."},
    };
    const char *provisioner = tree_text(object, "provisioner");

    for (size_t i = 0; old != NULL && i < HOST_LEN(fixed); i++) {
        if (!tree_same(tree_get(object, fixed[i].key), tree_get(old, fixed[i].key)))
            dev_forbidden(st, DEV_AT(NULL, fixed[i].key), fixed[i].detail);
    }
    if (old != NULL) {
        builtin_check_immutable(DEV_AT(NULL, "volumeBindingMode"),
                                tree_get(object, "volumeBindingMode"),
                                tree_get(old, "volumeBindingMode"), st);
        return;
    }
    if (provisioner[0] == '\0')
        dev_required(st, DEV_AT(NULL, "provisioner"), "");
    else
        dev_name_check(st, DEV_AT(NULL, "provisioner"), DEV_NAME_QUALIFIED, provisioner);
    builtin_check_word(NULL, object, "reclaimPolicy", true, reclaims, st);
    builtin_check_word(NULL, object, "volumeBindingMode", true, bindings, st);
}

void priorityclass_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    tree_default_number(object, "value", 0);
    tree_default_text(object, "preemptionPolicy", "PreemptLowerPriority");
}

void priorityclass_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const policies[] = {"PreemptLowerPriority", "Never", NULL};
    const char *name = tree_text(tree_get(object, "metadata"), "name");
    buf_t detail = BUF_INIT;

    if (old != NULL) {
        if (!tree_same(tree_get(object, "value"), tree_get(old, "value")))
            dev_forbidden(st, DEV_AT(NULL, "value"), "may not be changed in an update.");
        builtin_check_immutable(DEV_AT(NULL, "preemptionPolicy"),
                                tree_get(object, "preemptionPolicy"),
                                tree_get(old, "preemptionPolicy"), st);
        return;
    }
    if (strncmp(name, "system-", strlen("system-")) == 0) {
        buf_printf(&detail,
                   "priority class names with 'system-' prefix are reserved for system use only. "
                   "error: %s is not a known system priority class",
                   name);
        dev_forbidden(st, DEV_AT(DEV_AT(NULL, "metadata"), "name"), buf_text(&detail));
        buf_fini(&detail);
    } else if (tree_number(object, "value", 0) > 1000000000) {
        dev_forbidden(st, DEV_AT(NULL, "value"),
                      "maximum allowed value of a user defined priority is 1000000000");
    }
    builtin_check_word(NULL, object, "preemptionPolicy", true, policies, st);
}

/* -- Limits and quotas, which nobody enforces -- */

/* default comes from max, defaultRequest from default or min. */
static void complete_limit(cJSON *limit)
{
    static const char *const from[][2] = {
        {"max", "default"}, {"default", "defaultRequest"}, {"min", "defaultRequest"}};
    const cJSON *item;

    if (strcmp(tree_text(limit, "type"), "Container") != 0)
        return;
    for (size_t i = 0; i < HOST_LEN(from); i++) {
        cJSON_ArrayForEach (item, tree_map(tree_get(limit, from[i][0]))) {
            cJSON *to = tree_object(limit, from[i][1]);

            if (tree_get(to, item->string) == NULL)
                tree_set(to, item->string, cJSON_Duplicate(item, true));
        }
    }
}

void limitrange_complete(cJSON *object, const cJSON *old)
{
    cJSON *spec = tree_object(object, "spec"), *limit;

    (void) old;
    if (tree_get(spec, "limits") == NULL)
        tree_set(spec, "limits", cJSON_CreateNull());
    cJSON_ArrayForEach (limit, tree_get(spec, "limits"))
        complete_limit(limit);
}

void quota_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    tree_object(object, "spec");
    tree_object(object, "status");
}
