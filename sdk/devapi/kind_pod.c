/* SPDX-License-Identifier: Apache-2.0 */
/* What the real server fills into pods and pod templates. Admission is not part of it: no service
 * account, no tolerations, no token volume. */
#include "devapi/builtin.h"

#include <string.h>

static void complete_probe(cJSON *probe)
{
    static const tree_default_t defaults[] = {
        {"timeoutSeconds", "1"},
        {"periodSeconds", "10"},
        {"successThreshold", "1"},
        {"failureThreshold", "3"},
    };

    if (probe != NULL)
        tree_fill(probe, defaults, HOST_LEN(defaults));
}

static void complete_http(cJSON *handler)
{
    cJSON *http = tree_get(handler, "httpGet");

    tree_default_text(http, "path", "/");
    tree_default_text(http, "scheme", "HTTP");
}

/* The tag, as the part behind a ':' of the last path segment. */
static const char *pull_policy(const char *image)
{
    const char *name = strrchr(image, '/'), *tag;

    if (strchr(image, '@') != NULL)
        return "IfNotPresent";
    tag = strchr(name == NULL ? image : name, ':');
    return tag == NULL || strcmp(tag, ":latest") == 0 ? "Always" : "IfNotPresent";
}

static void complete_container(cJSON *container)
{
    static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
    static const char *const hooks[] = {"postStart", "preStop"};
    static const tree_default_t defaults[] = {
        {"resources", "{}"},
        {"terminationMessagePath", "\"/dev/termination-log\""},
        {"terminationMessagePolicy", "\"File\""},
    };
    cJSON *item;

    tree_fill(container, defaults, HOST_LEN(defaults));
    tree_default_text(container, "imagePullPolicy", pull_policy(tree_text(container, "image")));
    cJSON_ArrayForEach (item, tree_get(container, "ports"))
        tree_default_text(item, "protocol", "TCP");
    cJSON_ArrayForEach (item, tree_get(container, "env"))
        tree_default_text(tree_at(item, "valueFrom.fieldRef"), "apiVersion", "v1");
    for (size_t i = 0; i < HOST_LEN(probes); i++) {
        complete_probe(tree_get(container, probes[i]));
        complete_http(tree_get(container, probes[i]));
    }
    for (size_t i = 0; i < HOST_LEN(hooks); i++)
        complete_http(tree_get(tree_get(container, "lifecycle"), hooks[i]));
}

static void complete_downward(cJSON *volume)
{
    cJSON *item;

    cJSON_ArrayForEach (item, tree_get(volume, "items"))
        tree_default_text(tree_get(item, "fieldRef"), "apiVersion", "v1");
}

static void complete_volume(cJSON *volume)
{
    static const char *const moded[] = {"configMap", "secret", "projected", "downwardAPI"};
    cJSON *path = tree_get(volume, "hostPath"), *source;

    /* A volume that is only a name. */
    if (cJSON_GetArraySize(volume) == 1)
        tree_object(volume, "emptyDir");
    if (path != NULL && tree_get(path, "type") == NULL)
        tree_set_text(path, "type", "");
    for (size_t i = 0; i < HOST_LEN(moded); i++)
        tree_default_number(tree_get(volume, moded[i]), "defaultMode", 0644);
    complete_downward(tree_get(volume, "downwardAPI"));
    cJSON_ArrayForEach (source, tree_at(volume, "projected.sources")) {
        tree_default_number(tree_get(source, "serviceAccountToken"), "expirationSeconds", 3600);
        complete_downward(tree_get(source, "downwardAPI"));
    }
}

static void complete_spec(cJSON *spec)
{
    static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
    static const tree_default_t defaults[] = {
        {"restartPolicy", "\"Always\""},
        {"terminationGracePeriodSeconds", "30"},
        {"dnsPolicy", "\"ClusterFirst\""},
        {"securityContext", "{}"},
        {"schedulerName", "\"default-scheduler\""},
    };
    cJSON *item;

    tree_fill(spec, defaults, HOST_LEN(defaults));
    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        cJSON_ArrayForEach (item, tree_get(spec, lists[i]))
            complete_container(item);
    }
    cJSON_ArrayForEach (item, tree_get(spec, "volumes"))
        complete_volume(item);
    if (tree_get(spec, "serviceAccountName") != NULL)
        tree_default_text(spec, "serviceAccount", tree_text(spec, "serviceAccountName"));
    else if (tree_get(spec, "serviceAccount") != NULL)
        tree_default_text(spec, "serviceAccountName", tree_text(spec, "serviceAccount"));
}

void builtin_complete_template(cJSON *template)
{
    if (template == NULL)
        return;
    tree_object(template, "metadata");
    complete_spec(tree_object(template, "spec"));
}

/* What pods get and templates do not. Limits stand in for requests that are not given. */
static void complete_pod_container(const cJSON *spec, cJSON *container)
{
    cJSON *resources = tree_get(container, "resources"), *limit, *port;

    if (tree_true(spec, "hostNetwork")) {
        cJSON_ArrayForEach (port, tree_get(container, "ports"))
            tree_default_number(port, "hostPort", tree_number(port, "containerPort", 0));
    }
    cJSON_ArrayForEach (limit, tree_map(tree_get(resources, "limits"))) {
        cJSON *requests = tree_object(resources, "requests");

        if (tree_get(requests, limit->string) == NULL)
            tree_set(requests, limit->string, cJSON_Duplicate(limit, true));
    }
}

/* Guaranteed: every container limits cpu and memory to what it requests; BestEffort: none asks for
 * anything. */
static const char *quality_of(const cJSON *spec)
{
    static const char *const names[] = {"cpu", "memory"};
    bool any = false, all = true;
    const cJSON *container;

    cJSON_ArrayForEach (container, tree_get(spec, "containers")) {
        const cJSON *limits = tree_at(container, "resources.limits");
        const cJSON *requests = tree_at(container, "resources.requests");

        for (size_t i = 0; i < HOST_LEN(names); i++) {
            const cJSON *limit = tree_get(limits, names[i]),
                        *request = tree_get(requests, names[i]);

            any = any || limit != NULL || request != NULL;
            all = all && limit != NULL && tree_same(limit, request);
        }
    }
    if (!any)
        return "BestEffort";
    return all ? "Guaranteed" : "Burstable";
}

void pod_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.enableServiceLinks", "true"},
        {"spec.priority", "0"},
        {"spec.preemptionPolicy", "\"PreemptLowerPriority\""},
        {"status.phase", "\"Pending\""},
    };
    cJSON *spec = tree_object(object, "spec"), *container;

    complete_spec(spec);
    cJSON_ArrayForEach (container, tree_get(spec, "containers"))
        complete_pod_container(spec, container);
    cJSON_ArrayForEach (container, tree_get(spec, "initContainers"))
        complete_pod_container(spec, container);
    tree_fill(object, defaults, HOST_LEN(defaults));
    if (old == NULL)
        tree_default_text(tree_get(object, "status"), "qosClass", quality_of(spec));
}

void podtemplate_complete(cJSON *object, const cJSON *old)
{
    (void) old;
    builtin_complete_template(tree_object(object, "template"));
}
