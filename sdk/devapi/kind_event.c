/* SPDX-License-Identifier: Apache-2.0 */
/* Events of both groups; checks see the stored form, core's. */
#include "devapi/builtin.h"

#include <string.h>

static const struct {
    const char *core, *new;
} renamed[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
};

static void rename_member(cJSON *object, const char *from, const char *to)
{
    cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(object, from);

    if (item != NULL)
        tree_set(object, to, item);
}

void dev_event_to_core(cJSON *object)
{
    for (size_t i = 0; i < HOST_LEN(renamed); i++)
        rename_member(object, renamed[i].new, renamed[i].core);
    if (strcmp(tree_text(object, "apiVersion"), "events.k8s.io/v1") == 0)
        tree_set_text(object, "apiVersion", "v1");
}

void dev_event_from_core(cJSON *object)
{
    for (size_t i = 0; i < HOST_LEN(renamed); i++)
        rename_member(object, renamed[i].core, renamed[i].new);
    if (strcmp(tree_text(object, "apiVersion"), "v1") == 0)
        tree_set_text(object, "apiVersion", "events.k8s.io/v1");
}

/* Fields that the real one always shows. */
void event_complete(cJSON *object, const cJSON *old)
{
    static const char *const times[] = {"firstTimestamp", "lastTimestamp", "eventTime"};
    static const char *const texts[] = {"reportingComponent", "reportingInstance"};

    (void) old;
    tree_object(object, "involvedObject");
    tree_object(object, "source");
    for (size_t i = 0; i < HOST_LEN(times); i++) {
        if (tree_get(object, times[i]) == NULL)
            tree_set(object, times[i], cJSON_CreateNull());
    }
    for (size_t i = 0; i < HOST_LEN(texts); i++)
        tree_default_text(object, texts[i], "");
}

static void check_namespace(const cJSON *object, bool timed, dev_status_t *st)
{
    const char *ns = tree_text(tree_get(object, "metadata"), "namespace");
    const char *about = tree_text(tree_get(object, "involvedObject"), "namespace");
    bool common = strcmp(ns, "") == 0 || strcmp(ns, "default") == 0 ||
                  (timed && strcmp(ns, "kube-system") == 0);

    if (about[0] == '\0' ? !common : !timed && strcmp(ns, about) != 0)
        dev_invalid_text(st, DEV_AT(DEV_AT(NULL, "involvedObject"), "namespace"), about,
                         "does not match event.namespace");
}

static void check_reporter(const dev_path_t *at, const cJSON *object, dev_status_t *st)
{
    const char *reporter = tree_text(object, "reportingComponent");

    if (reporter[0] == '\0')
        dev_required(st, at, "");
    dev_name_check(st, at, DEV_NAME_QUALIFIED, reporter);
}

static void check_texts(const cJSON *object, dev_status_t *st)
{
    static const struct {
        const char *key;
        size_t max;
        bool required;
        const char *too_long;
    } texts[] = {
        {"reportingInstance", 128, true, "can have at most 128 characters"},
        {"action", 128, true, "can have at most 128 characters"},
        {"reason", 128, true, "can have at most 128 characters"},
        {"message", 1024, false, "can have at most 1024 characters"},
    };

    for (size_t i = 0; i < HOST_LEN(texts); i++) {
        const dev_path_t *at = DEV_AT(NULL, texts[i].key);
        const char *text = tree_text(object, texts[i].key);

        if (texts[i].required && text[0] == '\0')
            dev_required(st, at, "");
        if (strlen(text) > texts[i].max)
            dev_invalid_text(st, at, "", texts[i].too_long);
    }
}

static void check_common(const cJSON *object, const char *reporter, dev_status_t *st)
{
    bool timed = tree_get(object, "eventTime") != NULL;

    check_namespace(object, timed, st);
    if (!timed)
        return;
    check_reporter(DEV_AT(NULL, reporter), object, st);
    check_texts(object, st);
}

void event_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    (void) old;
    check_common(object, "reportingComponent", st);
}

static void check_series(const cJSON *series, dev_status_t *st)
{
    if (series == NULL)
        return;
    if (tree_number(series, "count", 0) < 2)
        dev_invalid_text(st, DEV_AT(NULL, "series.count"), "", "should be at least 2");
    if (tree_get(series, "lastObservedTime") == NULL)
        dev_required(st, DEV_AT(NULL, "series.lastObservedTime"), "");
}

static void check_new(const cJSON *object, dev_status_t *st)
{
    static const char *const unset[] = {"firstTimestamp", "lastTimestamp", "count"};
    const char *type = tree_text(object, "type");
    const cJSON *source = tree_get(object, "source");

    check_series(tree_get(object, "series"), st);
    if (tree_get(object, "eventTime") == NULL)
        dev_required(st, DEV_AT(NULL, "eventTime"), "");
    if (strcmp(type, "Normal") != 0 && strcmp(type, "Warning") != 0)
        dev_cause(st, "type", "FieldValueInvalid", "Invalid value: \"\": has invalid value: %s",
                  type);
    for (size_t i = 0; i < HOST_LEN(unset); i++) {
        if (tree_get(object, unset[i]) != NULL && tree_number(object, unset[i], 1) != 0)
            dev_invalid_text(st, DEV_AT(NULL, unset[i]), "", "needs to be unset");
    }
    if (tree_text(source, "component")[0] != '\0' || tree_text(source, "host")[0] != '\0')
        dev_invalid_text(st, DEV_AT(NULL, "source"), "", "needs to be unset");
}

void event_new_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const fixed[] = {
        "involvedObject",   "reason",        "message", "source",
        "firstTimestamp",   "lastTimestamp", "count",   "type",
        "eventTime",        "action",        "related", "reportingComponent",
        "reportingInstance"};

    check_common(object, "reportingController", st);
    if (old == NULL) {
        check_new(object, st);
        return;
    }
    if (!tree_same(tree_get(object, "series"), tree_get(old, "series")))
        check_series(tree_get(object, "series"), st);
    for (size_t i = 0; i < HOST_LEN(fixed); i++)
        builtin_check_immutable(DEV_AT(NULL, strcmp(fixed[i], "reportingComponent") == 0
                                                 ? "reportingController"
                                                 : fixed[i]),
                                tree_get(object, fixed[i]), tree_get(old, fixed[i]), st);
}
