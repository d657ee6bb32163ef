/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/builtin.h"

#include <string.h>

void builtin_check_not_negative(const dev_path_t *at, const cJSON *object, const char *key,
                                dev_status_t *st)
{
    const cJSON *item = tree_get(object, key);

    if (cJSON_IsNumber(item) && item->valuedouble < 0)
        dev_invalid(st, DEV_AT(at, key), item, "must be greater than or equal to 0");
}

void builtin_check_word(const dev_path_t *at, const cJSON *object, const char *key, bool required,
                        const char *const *words, dev_status_t *st)
{
    const char *text = tree_text(object, key);

    if (text[0] == '\0') {
        if (required)
            dev_required(st, DEV_AT(at, key), "");
        return;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], text) == 0)
            return;
    }
    dev_unsupported(st, DEV_AT(at, key), text, words);
}

void builtin_check_immutable(const dev_path_t *at, const cJSON *now, const cJSON *old,
                             dev_status_t *st)
{
    if (!tree_same(now, old))
        dev_invalid(st, at, now, "field is immutable");
}

void builtin_check_labels(const dev_path_t *at, const cJSON *labels, dev_status_t *st)
{
    const cJSON *label;

    cJSON_ArrayForEach (label, tree_map(labels)) {
        dev_name_check(st, at, DEV_NAME_QUALIFIED, label->string);
        if (cJSON_IsString(label))
            dev_name_check(st, at, DEV_NAME_LABEL_VALUE, label->valuestring);
    }
}

static void check_requirement(const dev_path_t *at, const cJSON *r, dev_status_t *st)
{
    const char *op = tree_text(r, "operator");
    const cJSON *values = tree_get(r, "values"), *value;
    int i = 0;

    if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
        if (tree_empty(values))
            dev_required(st, DEV_AT(at, "values"),
                         "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
        if (!tree_empty(values))
            dev_forbidden(st, DEV_AT(at, "values"),
                          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
        dev_invalid_text(st, DEV_AT(at, "operator"), op, "not a valid selector operator");
    }
    dev_name_check(st, DEV_AT(at, "key"), DEV_NAME_QUALIFIED, tree_text(r, "key"));
    cJSON_ArrayForEach (value, values) {
        if (cJSON_IsString(value))
            dev_name_check(st, DEV_NTH(DEV_AT(at, "values"), i), DEV_NAME_LABEL_VALUE,
                           value->valuestring);
        i++;
    }
}

void builtin_check_selector(const dev_path_t *at, const cJSON *selector, dev_status_t *st)
{
    const cJSON *r;
    int i = 0;

    builtin_check_labels(DEV_AT(at, "matchLabels"), tree_get(selector, "matchLabels"), st);
    cJSON_ArrayForEach (r, tree_get(selector, "matchExpressions"))
        check_requirement(DEV_NTH(DEV_AT(at, "matchExpressions"), i++), r, st);
}

static bool requirement_holds(const cJSON *r, const cJSON *labels)
{
    const char *op = tree_text(r, "operator");
    const char *have = cJSON_GetStringValue(tree_get(labels, tree_text(r, "key")));
    bool in = have != NULL && tree_has_text(tree_get(r, "values"), have);

    if (strcmp(op, "In") == 0)
        return in;
    if (strcmp(op, "NotIn") == 0)
        return !in;
    return (have != NULL) == (strcmp(op, "Exists") == 0);
}

bool builtin_selector_holds(const cJSON *selector, const cJSON *labels)
{
    const cJSON *it;

    cJSON_ArrayForEach (it, tree_map(tree_get(selector, "matchLabels"))) {
        const char *have = cJSON_GetStringValue(tree_get(labels, it->string));

        if (have == NULL || !cJSON_IsString(it) || strcmp(have, it->valuestring) != 0)
            return false;
    }
    cJSON_ArrayForEach (it, tree_get(selector, "matchExpressions")) {
        if (!requirement_holds(it, labels))
            return false;
    }
    return true;
}

static bool has_valid_requirements(const cJSON *selector)
{
    host_cleanup(dev_status_fini) dev_status_t found = {0};

    builtin_check_selector(NULL, selector, &found);
    return found.causes == NULL;
}

void builtin_check_workload(const cJSON *object, const cJSON *old, const char *what,
                            dev_status_t *st)
{
    const dev_path_t *spec = DEV_AT(NULL, "spec"), *at = DEV_AT(spec, "selector");
    const dev_path_t *labels_at = DEV_AT(DEV_AT(DEV_AT(spec, "template"), "metadata"), "labels");
    const cJSON *selector = tree_at(object, "spec.selector");
    const cJSON *labels = tree_at(object, "spec.template.metadata.labels");

    if (selector == NULL && strcmp(what, "daemonset") != 0)
        dev_required(st, at, "");
    builtin_check_selector(at, selector, st);
    if (!has_valid_requirements(selector))
        dev_invalid(st, at, selector, "invalid label selector");
    else if (selector != NULL && tree_empty(tree_get(selector, "matchLabels")) &&
             tree_empty(tree_get(selector, "matchExpressions")))
        dev_invalid(st, at, selector, "empty selector is invalid for %s", what);
    else if (selector == NULL || !builtin_selector_holds(selector, labels))
        dev_invalid(st, labels_at, labels, "`selector` does not match template `labels`");
    if (old != NULL)
        builtin_check_immutable(at, selector, tree_at(old, "spec.selector"), st);
}

void builtin_check_port(const dev_path_t *at, const cJSON *object, const char *key,
                        dev_status_t *st)
{
    const cJSON *item = tree_get(object, key);

    if (cJSON_IsNumber(item) && (item->valuedouble < 1 || item->valuedouble > 65535))
        dev_invalid(st, DEV_AT(at, key), item, "must be between 1 and 65535, inclusive");
}
