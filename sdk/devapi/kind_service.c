/* SPDX-License-Identifier: Apache-2.0 */
/* Services: defaults, addresses that nobody answers at, checks. */
#include "devapi/builtin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SPEC DEV_AT(NULL, "spec")

enum {
    NET = 0x0a600000,   /* 10.96.0.0/12 */
    NET_SIZE = 1 << 20, /* of it */
    NET_KEPT = 256,     /* low addresses are for the cluster's own */
    NODE_PORT_MIN = 30000,
    NODE_PORT_MAX = 32767,
};

static bool is_type(const cJSON *spec, const char *type)
{
    return strcmp(tree_text(spec, "type"), type) == 0;
}

static bool has_node_ports(const cJSON *spec)
{
    return is_type(spec, "NodePort") ||
           (is_type(spec, "LoadBalancer") &&
            !cJSON_IsFalse(tree_get(spec, "allocateLoadBalancerNodePorts")));
}

static bool is_external(const cJSON *spec)
{
    return is_type(spec, "NodePort") || is_type(spec, "LoadBalancer");
}

/* FNV-1a; the same service has the same address in every run. */
static uint32_t hash(uint32_t h, const char *s)
{
    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char) *s) * 16777619u;
    return (h ^ '/') * 16777619u;
}

static uint32_t hash_of(const cJSON *object)
{
    const cJSON *metadata = tree_get(object, "metadata");

    return hash(hash(2166136261u, tree_text(metadata, "namespace")), tree_text(metadata, "name"));
}

static void complete_ports(cJSON *spec)
{
    cJSON *port;

    cJSON_ArrayForEach (port, tree_get(spec, "ports")) {
        const cJSON *target = tree_get(port, "targetPort");

        tree_default_number(port, "port", 0); /* and refused for it */
        tree_default_text(port, "protocol", "TCP");
        if (tree_empty(target) || (cJSON_IsNumber(target) && target->valuedouble == 0) ||
            (cJSON_IsString(target) && target->valuestring[0] == '\0'))
            tree_set(port, "targetPort", cJSON_CreateNumber(tree_number(port, "port", 0)));
    }
}

/* The old service's port of the same number and protocol. */
static const cJSON *same_port(const cJSON *old_ports, const cJSON *port)
{
    const cJSON *it;

    cJSON_ArrayForEach (it, old_ports) {
        if (tree_number(it, "port", 0) == tree_number(port, "port", 0) &&
            strcmp(tree_text(it, "protocol"), tree_text(port, "protocol")) == 0)
            return it;
    }
    return NULL;
}

static void complete_node_ports(const cJSON *object, cJSON *spec, const cJSON *old)
{
    uint32_t at = hash_of(object);
    cJSON *port;

    cJSON_ArrayForEach (port, tree_get(spec, "ports")) {
        const cJSON *before = same_port(tree_at(old, "spec.ports"), port);
        double kept = tree_number(before, "nodePort", 0);

        if (tree_number(port, "nodePort", 0) != 0)
            continue;
        if (kept == 0)
            kept = NODE_PORT_MIN + at++ % (NODE_PORT_MAX - NODE_PORT_MIN + 1);
        tree_set(port, "nodePort", cJSON_CreateNumber(kept));
    }
}

/* A field that goes with the old type and was not touched goes with it. */
static void drop_same(cJSON *spec, const cJSON *before, const char *key)
{
    if (tree_same(tree_get(spec, key), tree_get(before, key)))
        tree_remove(spec, key);
}

static void drop_unused(cJSON *spec, const cJSON *before)
{
    static const char *const cluster[] = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy",
                                          "internalTrafficPolicy"};
    cJSON *port;

    for (size_t i = 0; is_type(spec, "ExternalName") && i < HOST_LEN(cluster); i++)
        drop_same(spec, before, cluster[i]);
    if (!is_type(spec, "ExternalName"))
        drop_same(spec, is_type(before, "ExternalName") ? before : NULL, "externalName");
    if (!is_external(spec))
        drop_same(spec, before, "externalTrafficPolicy");
    if (!is_type(spec, "LoadBalancer"))
        drop_same(spec, before, "allocateLoadBalancerNodePorts");
    cJSON_ArrayForEach (port, tree_get(spec, "ports")) {
        if (!has_node_ports(spec) && has_node_ports(before))
            drop_same(port, same_port(tree_get(before, "ports"), port), "nodePort");
    }
}

/* clusterIP: what is given, what the old service had, or a new one; clusterIPs follows. */
static void complete_address(const cJSON *object, cJSON *spec, const cJSON *old)
{
    const char *given = tree_text(spec, "clusterIP");
    const cJSON *list = tree_get(spec, "clusterIPs"), *before = tree_get(old, "spec");
    char text[16];

    if (given[0] != '\0' && strcmp(given, tree_text(before, "clusterIP")) != 0 &&
        tree_same(list, tree_get(before, "clusterIPs"))) {
        tree_remove(spec, "clusterIPs");
        list = NULL;
    }
    if (given[0] == '\0' && cJSON_IsString(cJSON_GetArrayItem(list, 0)))
        tree_set_text(spec, "clusterIP", cJSON_GetArrayItem(list, 0)->valuestring);
    else if (given[0] == '\0')
        tree_default_text(spec, "clusterIP", tree_text(before, "clusterIP"));
    if (tree_text(spec, "clusterIP")[0] == '\0') {
        uint32_t at = NET + NET_KEPT + hash_of(object) % (NET_SIZE - NET_KEPT);

        snprintf(text, sizeof(text), "%u.%u.%u.%u", at >> 24, at >> 16 & 255, at >> 8 & 255,
                 at & 255);
        tree_set_text(spec, "clusterIP", text);
    }
    if (tree_empty(list))
        cJSON_AddItemToArray(tree_array(spec, "clusterIPs"),
                             cJSON_CreateString(tree_text(spec, "clusterIP")));
}

static void complete_cluster(cJSON *object, cJSON *spec, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"ipFamilies", "[\"IPv4\"]"},
        {"ipFamilyPolicy", "\"SingleStack\""},
        {"internalTrafficPolicy", "\"Cluster\""},
    };

    complete_address(object, spec, old);
    tree_fill(spec, defaults, HOST_LEN(defaults));
    if (is_external(spec))
        tree_default_text(spec, "externalTrafficPolicy", "Cluster");
    if (is_type(spec, "LoadBalancer"))
        tree_default_bool(spec, "allocateLoadBalancerNodePorts", true);
    if (has_node_ports(spec))
        complete_node_ports(object, spec, old);
}

void service_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {
        {"spec.type", "\"ClusterIP\""},
        {"spec.sessionAffinity", "\"None\""},
        {"status.loadBalancer", "{}"},
    };
    cJSON *spec = tree_object(object, "spec");

    tree_fill(object, defaults, HOST_LEN(defaults));
    complete_ports(spec);
    if (old != NULL)
        drop_unused(spec, tree_get(old, "spec"));
    if (is_type(spec, "ExternalName"))
        return;
    complete_cluster(object, spec, old);
    if (strcmp(tree_text(spec, "sessionAffinity"), "ClientIP") == 0)
        tree_default_number(tree_object(tree_object(spec, "sessionAffinityConfig"), "clientIP"),
                            "timeoutSeconds", 10800);
}

/* -- Checks -- */

static void check_target(const dev_path_t *at, const cJSON *port, dev_status_t *st)
{
    const cJSON *target = tree_get(port, "targetPort");

    if (cJSON_IsString(target))
        dev_name_check(st, DEV_AT(at, "targetPort"), DEV_NAME_PORT, target->valuestring);
    else
        builtin_check_port(at, port, "targetPort", st);
}

static void check_port_name(const dev_path_t *at, const cJSON *ports, const cJSON *port,
                            dev_status_t *st)
{
    const dev_path_t *name_at = DEV_AT(at, "name");
    const char *name = tree_text(port, "name");

    if (name[0] == '\0') {
        if (cJSON_GetArraySize(ports) > 1)
            dev_required(st, name_at, "");
        return;
    }
    dev_name_check(st, name_at, DEV_NAME_LABEL, name);
    for (const cJSON *it = ports->child; it != port; it = it->next) {
        if (strcmp(tree_text(it, "name"), name) == 0) {
            dev_duplicate(st, name_at, tree_get(port, "name"));
            break;
        }
    }
}

/* The real one prints the port in Go's names. */
static void refuse_twin(const dev_path_t *at, const cJSON *port, dev_status_t *st)
{
    buf_t field = BUF_INIT;

    dev_path_print(at, &field);
    dev_cause(st, buf_text(&field), "FieldValueDuplicate",
              "Duplicate value: {\"Name\":\"\",\"Protocol\":\"%s\",\"AppProtocol\":null,"
              "\"Port\":%.0f,\"TargetPort\":0,\"NodePort\":0}",
              tree_text(port, "protocol"), tree_number(port, "port", 0));
    buf_fini(&field);
}

static void check_ports(const cJSON *spec, dev_status_t *st)
{
    static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
    const dev_path_t *at = DEV_AT(SPEC, "ports");
    const cJSON *ports = tree_get(spec, "ports"), *port;
    int i = 0;

    cJSON_ArrayForEach (port, ports) {
        const dev_path_t *here = DEV_NTH(at, i++);

        check_port_name(here, ports, port, st);
        builtin_check_port(here, port, "port", st);
        builtin_check_word(here, port, "protocol", true, protocols, st);
        check_target(here, port, st);
        if (!is_external(spec) && tree_number(port, "nodePort", 0) != 0)
            dev_forbidden(st, DEV_AT(here, "nodePort"),
                          is_type(spec, "ExternalName")
                              ? "may not be used when `type` is 'ExternalName'"
                              : "may not be used when `type` is 'ClusterIP'");
    }
    i = 0;
    cJSON_ArrayForEach (port, ports) {
        if (same_port(ports, port) != port)
            refuse_twin(DEV_NTH(at, i), port, st);
        i++;
    }
}

static void check_address(const cJSON *spec, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_NTH(DEV_AT(SPEC, "clusterIPs"), 0);
    const char *text = tree_text(spec, "clusterIP");
    const char *before = tree_text(tree_get(old, "spec"), "clusterIP");
    unsigned char address[16];

    if (strcmp(text, "None") != 0 && inet_pton(AF_INET, text, address) != 1 &&
        inet_pton(AF_INET6, text, address) != 1)
        dev_invalid_text(st, at, text,
                         "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    if (before[0] != '\0' && !is_type(tree_get(old, "spec"), "ExternalName") &&
        strcmp(before, text) != 0)
        dev_invalid(st, at, tree_get(spec, "clusterIPs"), "may not change once set");
}

static void check_external_name(const cJSON *spec, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(SPEC, "externalName");
    const char *name = tree_text(spec, "externalName");

    if (name[0] == '\0')
        dev_required(st, at, "");
    else
        dev_name_check(st, at, DEV_NAME_SUBDOMAIN, name);
}

void service_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort",
                                        NULL};
    static const char *const affinities[] = {"ClientIP", "None", NULL};
    static const char *const policies[] = {"Cluster", "Local", NULL};
    const cJSON *spec = tree_get(object, "spec");
    bool named = is_type(spec, "ExternalName");

    if (named)
        check_external_name(spec, st);
    else if (tree_empty(tree_get(spec, "ports")) &&
             strcmp(tree_text(spec, "clusterIP"), "None") != 0)
        dev_required(st, DEV_AT(SPEC, "ports"), "");
    check_ports(spec, st);
    builtin_check_labels(DEV_AT(SPEC, "selector"), tree_get(spec, "selector"), st);
    builtin_check_word(SPEC, spec, "sessionAffinity", true, affinities, st);
    builtin_check_word(SPEC, spec, "type", true, types, st);
    if (!named)
        check_address(spec, old, st);
    if (!is_external(spec) && tree_text(spec, "externalTrafficPolicy")[0] != '\0')
        dev_invalid(st, DEV_AT(SPEC, "externalTrafficPolicy"),
                    tree_get(spec, "externalTrafficPolicy"),
                    "may only be set for externally-accessible services");
    builtin_check_word(SPEC, spec, "internalTrafficPolicy", !named, policies, st);
}
