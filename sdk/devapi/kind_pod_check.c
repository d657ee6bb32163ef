/* SPDX-License-Identifier: Apache-2.0 */
/* What pods and pod templates must obey: the fields that controllers write most. */
#include "devapi/builtin.h"

#include <string.h>

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

/* True when an earlier member of item's list has the same text under key. */
static bool seen_before(const cJSON *list, const cJSON *item, const char *key)
{
    const cJSON *it = list->child;

    while (it != item && strcmp(tree_text(it, key), tree_text(item, key)) != 0)
        it = it->next;
    return it != item;
}

/* A list's elements have a name each, of its own. */
static void check_label_name(const dev_path_t *at, const cJSON *list, const cJSON *item,
                             dev_status_t *st)
{
    const dev_path_t *name_at = DEV_AT(at, "name");
    const char *name = tree_text(item, "name");

    if (name[0] == '\0')
        dev_required(st, name_at, "");
    else if (!dev_name_valid(DEV_NAME_LABEL, name))
        dev_name_check(st, name_at, DEV_NAME_LABEL, name);
    else if (seen_before(list, item, "name"))
        dev_duplicate(st, name_at, tree_get(item, "name"));
}

void builtin_check_volume_names(const dev_path_t *at, const cJSON *volumes, dev_status_t *st)
{
    const cJSON *volume;
    int i = 0;

    cJSON_ArrayForEach (volume, volumes)
        check_label_name(DEV_NTH(at, i++), volumes, volume, st);
}

static void check_ports(const dev_path_t *at, const cJSON *ports, dev_status_t *st)
{
    const cJSON *port;
    int i = 0;

    cJSON_ArrayForEach (port, ports) {
        const dev_path_t *here = DEV_NTH(at, i++), *name_at = DEV_AT(here, "name");
        const char *name = tree_text(port, "name");

        if (name[0] != '\0' && !dev_name_valid(DEV_NAME_PORT, name))
            dev_name_check(st, name_at, DEV_NAME_PORT, name);
        else if (name[0] != '\0' && seen_before(ports, port, "name"))
            dev_duplicate(st, name_at, tree_get(port, "name"));
        if (tree_number(port, "containerPort", 0) == 0)
            dev_required(st, DEV_AT(here, "containerPort"), "");
        else
            builtin_check_port(here, port, "containerPort", st);
        if (tree_number(port, "hostPort", 0) != 0)
            builtin_check_port(here, port, "hostPort", st);
        builtin_check_word(here, port, "protocol", true, protocols, st);
    }
}

static void check_env(const dev_path_t *at, const cJSON *env, dev_status_t *st)
{
    const cJSON *var;
    int i = 0;

    cJSON_ArrayForEach (var, env) {
        const dev_path_t *here = DEV_NTH(at, i++), *from_at = DEV_AT(here, "valueFrom");
        const char *name = tree_text(var, "name");
        const cJSON *from = tree_get(var, "valueFrom");

        if (name[0] == '\0')
            dev_required(st, DEV_AT(here, "name"), "");
        else
            dev_name_check(st, DEV_AT(here, "name"), DEV_NAME_ENV, name);
        if (from == NULL)
            continue;
        if (tree_empty(from))
            dev_invalid_text(st, from_at, "",
                             "must specify one of: `fieldRef`, `resourceFieldRef`, "
                             "`configMapKeyRef` or `secretKeyRef`");
        else if (tree_text(var, "value")[0] != '\0')
            dev_invalid_text(st, from_at, "", "may not be specified when `value` is not empty");
    }
}

static bool has_volume(const cJSON *spec, const char *name)
{
    const cJSON *volume;

    cJSON_ArrayForEach (volume, tree_get(spec, "volumes")) {
        if (strcmp(tree_text(volume, "name"), name) == 0)
            return true;
    }
    return false;
}

static void check_mounts(const dev_path_t *at, const cJSON *mounts, const cJSON *spec,
                         dev_status_t *st)
{
    const cJSON *mount;
    int i = 0;

    cJSON_ArrayForEach (mount, mounts) {
        const dev_path_t *here = DEV_NTH(at, i++), *path_at = DEV_AT(here, "mountPath");
        const char *name = tree_text(mount, "name");

        if (name[0] == '\0')
            dev_required(st, DEV_AT(here, "name"), "");
        else if (!has_volume(spec, name))
            dev_dangling(st, DEV_AT(here, "name"), name);
        if (tree_text(mount, "mountPath")[0] == '\0')
            dev_required(st, path_at, "");
        else if (seen_before(mounts, mount, "mountPath"))
            dev_invalid(st, path_at, tree_get(mount, "mountPath"), "must be unique");
    }
}

static void check_container(const dev_path_t *at, const cJSON *list, const cJSON *container,
                            const cJSON *spec, dev_status_t *st)
{
    static const char *const pulls[] = {"Always", "IfNotPresent", "Never", NULL};
    static const char *const ends[] = {"FallbackToLogsOnError", "File", NULL};
    const char *image = tree_text(container, "image");

    check_label_name(at, list, container, st);
    if (image[0] == '\0')
        dev_required(st, DEV_AT(at, "image"), "");
    check_ports(DEV_AT(at, "ports"), tree_get(container, "ports"), st);
    check_env(DEV_AT(at, "env"), tree_get(container, "env"), st);
    check_mounts(DEV_AT(at, "volumeMounts"), tree_get(container, "volumeMounts"), spec, st);
    builtin_check_word(at, container, "imagePullPolicy", true, pulls, st);
    builtin_check_word(at, container, "terminationMessagePolicy", false, ends, st);
}

static void check_containers(const dev_path_t *at, const char *key, const cJSON *spec,
                             dev_status_t *st)
{
    const cJSON *list = tree_get(spec, key), *container;
    int i = 0;

    cJSON_ArrayForEach (container, list)
        check_container(DEV_NTH(DEV_AT(at, key), i++), list, container, spec, st);
}

/* Containers and init containers share one space of names. */
static void check_init_names(const dev_path_t *at, const cJSON *spec, dev_status_t *st)
{
    const cJSON *init, *container;
    int i = 0;

    cJSON_ArrayForEach (init, tree_get(spec, "initContainers")) {
        const dev_path_t *here = DEV_NTH(DEV_AT(at, "initContainers"), i++);

        cJSON_ArrayForEach (container, tree_get(spec, "containers")) {
            if (tree_text(init, "name")[0] != '\0' &&
                strcmp(tree_text(init, "name"), tree_text(container, "name")) == 0)
                dev_duplicate(st, DEV_AT(here, "name"), tree_get(init, "name"));
        }
    }
}

/* What the owner of a template allows. */
static void check_restarts(const dev_path_t *at, const cJSON *spec, int restarts, dev_status_t *st)
{
    static const char *const always[] = {"Always", NULL};
    const char *policy = tree_text(spec, "restartPolicy");

    if (restarts == POD_RESTARTS_ALWAYS)
        builtin_check_word(at, spec, "restartPolicy", false, always, st);
    if (restarts == POD_RESTARTS_JOB && (policy[0] == '\0' || strcmp(policy, "Always") == 0))
        dev_required(st, DEV_AT(at, "restartPolicy"), "valid values: \"OnFailure\", \"Never\"");
}

static void check_spec(const dev_path_t *at, const cJSON *spec, int restarts, dev_status_t *st)
{
    static const char *const dns[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None",
                                      NULL};
    static const char *const all[] = {"Always", "OnFailure", "Never", NULL};
    const cJSON *deadline = tree_get(spec, "activeDeadlineSeconds");

    builtin_check_volume_names(DEV_AT(at, "volumes"), tree_get(spec, "volumes"), st);
    if (tree_empty(tree_get(spec, "containers")))
        dev_required(st, DEV_AT(at, "containers"), "");
    check_containers(at, "containers", spec, st);
    check_containers(at, "initContainers", spec, st);
    check_init_names(at, spec, st);
    builtin_check_word(at, spec, "restartPolicy", restarts != POD_RESTARTS_JOB, all, st);
    builtin_check_word(at, spec, "dnsPolicy", true, dns, st);
    builtin_check_labels(DEV_AT(at, "nodeSelector"), tree_get(spec, "nodeSelector"), st);
    if (cJSON_IsNumber(deadline) &&
        (deadline->valuedouble < 1 || deadline->valuedouble > INT32_MAX))
        dev_invalid(st, DEV_AT(at, "activeDeadlineSeconds"), deadline,
                    "must be between 1 and 2147483647, inclusive");
    check_restarts(at, spec, restarts, st);
    if (deadline != NULL && restarts == POD_RESTARTS_ALWAYS)
        dev_forbidden(st, DEV_AT(at, "activeDeadlineSeconds"),
                      "activeDeadlineSeconds in ReplicaSet is not Supported");
}

void builtin_check_template(const dev_path_t *at, const cJSON *template, int restarts,
                            dev_status_t *st)
{
    /* Without "metadata": so the real one says it. */
    builtin_check_labels(DEV_AT(at, "labels"), tree_at(template, "metadata.labels"), st);
    check_spec(DEV_AT(at, "spec"), tree_get(template, "spec"), restarts, st);
}

void podtemplate_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    (void) old;
    builtin_check_template(DEV_AT(NULL, "template"), tree_get(object, "template"), POD_RESTARTS_ANY,
                           st);
}

/* The specs without what may change; caller owns the copy. */
static cJSON *fixed_part(const cJSON *spec)
{
    static const char *const lists[] = {"containers", "initContainers"};
    static const char *const keys[] = {"activeDeadlineSeconds", "terminationGracePeriodSeconds",
                                       "tolerations", "schedulingGates"};
    cJSON *copy = cJSON_Duplicate(spec, true), *container;

    for (size_t i = 0; i < HOST_LEN(keys); i++)
        tree_remove(copy, keys[i]);
    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        cJSON_ArrayForEach (container, tree_get(copy, lists[i]))
            tree_remove(container, "image");
    }
    return copy;
}

void pod_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(NULL, "spec");
    cJSON *now, *before;

    check_spec(at, tree_get(object, "spec"), POD_RESTARTS_ANY, st);
    if (old == NULL)
        return;
    now = fixed_part(tree_get(object, "spec"));
    before = fixed_part(tree_get(old, "spec"));
    if (tree_text(before, "nodeName")[0] == '\0')
        tree_remove(now, "nodeName"); /* the scheduler's binding */
    if (!tree_same(now, before))
        dev_forbidden(st, at,
                      "pod updates may not change fields other than "
                      "`spec.containers[*].image`,`spec.initContainers[*].image`,"
                      "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                      "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 "
                      "if it was previously negative)");
    cJSON_Delete(now);
    cJSON_Delete(before);
}
