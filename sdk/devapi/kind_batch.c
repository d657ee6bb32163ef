/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and cron jobs. */
#include "devapi/builtin.h"

#include <string.h>

#define SPEC DEV_AT(NULL, "spec")

#define UID_LABEL "batch.kubernetes.io/controller-uid"
#define NAME_LABEL "batch.kubernetes.io/job-name"

static void add_labels(cJSON *labels, const char *uid, const char *name)
{
    tree_default_text(labels, UID_LABEL, uid);
    tree_default_text(labels, NAME_LABEL, name);
    tree_default_text(labels, "controller-uid", uid);
    tree_default_text(labels, "job-name", name);
}

/* A job without manualSelector selects its pods by its own uid. */
static void complete_selector(cJSON *object, cJSON *spec)
{
    const cJSON *metadata = tree_get(object, "metadata");
    const char *uid = tree_text(metadata, "uid"), *name = tree_text(metadata, "name");
    cJSON *labels = tree_object(tree_object(tree_object(spec, "template"), "metadata"), "labels");

    add_labels(labels, uid, name);
    if (tree_empty(tree_get(metadata, "labels")))
        add_labels(tree_object(tree_get(object, "metadata"), "labels"), uid, name);
    tree_default_text(tree_object(tree_object(spec, "selector"), "matchLabels"), UID_LABEL, uid);
}

void job_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.backoffLimit", "6"},
        {"spec.completionMode", "\"NonIndexed\""},
        {"spec.suspend", "false"},
        {"spec.manualSelector", "false"},
        {"spec.podReplacementPolicy", "\"TerminatingOrFailed\""},
        {"status", "{}"},
    };
    cJSON *spec = tree_object(object, "spec");

    builtin_complete_template(tree_object(spec, "template"));
    if (tree_get(spec, "completions") == NULL && tree_get(spec, "parallelism") == NULL)
        tree_default_number(spec, "completions", 1);
    tree_default_number(spec, "parallelism", 1);
    if (tree_get(spec, "podFailurePolicy") != NULL)
        tree_default_text(spec, "podReplacementPolicy", "Failed");
    tree_fill(object, defaults, HOST_LEN(defaults));
    if (old == NULL && !tree_true(spec, "manualSelector"))
        complete_selector(object, spec);
}

static void check_job_spec(const dev_path_t *at, const cJSON *spec, dev_status_t *st)
{
    static const char *const counts[] = {"parallelism", "completions", "activeDeadlineSeconds",
                                         "backoffLimit", "ttlSecondsAfterFinished"};
    static const char *const modes[] = {"NonIndexed", "Indexed", NULL};

    for (size_t i = 0; i < HOST_LEN(counts); i++)
        builtin_check_not_negative(at, spec, counts[i], st);
    builtin_check_word(at, spec, "completionMode", false, modes, st);
    builtin_check_template(DEV_AT(at, "template"), tree_get(spec, "template"), POD_RESTARTS_JOB,
                           st);
}

static void check_job_selector(const cJSON *object, const cJSON *spec, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(SPEC, "selector");
    const cJSON *selector = tree_get(spec, "selector");
    const cJSON *matched = tree_get(selector, "matchLabels");

    if (selector == NULL)
        dev_required(st, at, "");
    else if (!tree_true(spec, "manualSelector") &&
             (cJSON_GetArraySize(matched) != 1 ||
              strcmp(tree_text(matched, UID_LABEL),
                     tree_text(tree_get(object, "metadata"), "uid")) != 0))
        dev_invalid(st, at, selector, "`selector` not auto-generated");
}

static void check_job_labels(const cJSON *spec, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(DEV_AT(DEV_AT(SPEC, "template"), "metadata"), "labels");
    const cJSON *selector = tree_get(spec, "selector");
    const cJSON *labels = tree_at(spec, "template.metadata.labels");

    if (selector == NULL || !builtin_selector_holds(selector, labels))
        dev_invalid(st, at, labels, "`selector` does not match template `labels`");
}

void job_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const fixed[] = {"completions",      "selector",
                                        "template",         "completionMode",
                                        "podFailurePolicy", "backoffLimitPerIndex"};
    const cJSON *spec = tree_get(object, "spec"), *before = tree_get(old, "spec");
    bool suspended = tree_true(before, "suspend");
    bool indexed = strcmp(tree_text(spec, "completionMode"), "Indexed") == 0;

    check_job_selector(object, spec, st);
    check_job_spec(SPEC, spec, st);
    check_job_labels(spec, st);
    for (size_t i = 0; old != NULL && i < HOST_LEN(fixed); i++) {
        /* A suspended job's pods do not exist yet; an indexed one may be scaled. */
        if ((suspended && strcmp(fixed[i], "template") == 0) ||
            (indexed && strcmp(fixed[i], "completions") == 0))
            continue;
        builtin_check_immutable(DEV_AT(SPEC, fixed[i]), tree_get(spec, fixed[i]),
                                tree_get(before, fixed[i]), st);
    }
}

void cronjob_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.concurrencyPolicy", "\"Allow\""},
        {"spec.suspend", "false"},
        {"spec.successfulJobsHistoryLimit", "3"},
        {"spec.failedJobsHistoryLimit", "1"},
        {"spec.jobTemplate.metadata", "{}"},
        {"spec.jobTemplate.spec.template.metadata", "{}"},
        {"status", "{}"},
    };

    (void) old;
    tree_fill(object, defaults, HOST_LEN(defaults));
    builtin_complete_template(tree_at(object, "spec.jobTemplate.spec.template"));
}

/* Five fields, or a macro such as "@daily"; values are the scheduler's business. */
static void check_schedule(const dev_path_t *at, const cJSON *schedule, dev_status_t *st)
{
    static const char space[] = " \t";
    const char *text = cJSON_IsString(schedule) ? schedule->valuestring : "";
    buf_t fields = BUF_INIT;
    int n = 0;

    if (text[0] == '\0') {
        dev_required(st, at, "");
        return;
    }
    for (const char *p = text + strspn(text, space); *p != '\0'; n++) {
        size_t len = strcspn(p, space);

        buf_printf(&fields, "%s%.*s", n == 0 ? "" : " ", (int) len, p);
        p += len;
        p += strspn(p, space);
    }
    if (n != 5 && text[0] != '@')
        dev_invalid(st, at, schedule, "expected exactly 5 fields, found %d: [%s]", n,
                    buf_text(&fields));
    buf_fini(&fields);
}

void cronjob_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const policies[] = {"Allow", "Forbid", "Replace", NULL};
    const cJSON *spec = tree_get(object, "spec");
    const char *name = tree_text(tree_get(object, "metadata"), "name");

    check_schedule(DEV_AT(SPEC, "schedule"), tree_get(spec, "schedule"), st);
    builtin_check_not_negative(SPEC, spec, "startingDeadlineSeconds", st);
    builtin_check_word(SPEC, spec, "concurrencyPolicy", true, policies, st);
    check_job_spec(DEV_AT(DEV_AT(SPEC, "jobTemplate"), "spec"), tree_at(spec, "jobTemplate.spec"),
                   st);
    builtin_check_not_negative(SPEC, spec, "successfulJobsHistoryLimit", st);
    builtin_check_not_negative(SPEC, spec, "failedJobsHistoryLimit", st);
    if (old == NULL && strlen(name) > 52)
        dev_invalid_text(st, DEV_AT(DEV_AT(NULL, "metadata"), "name"), name,
                         "must be no more than 52 characters");
}
