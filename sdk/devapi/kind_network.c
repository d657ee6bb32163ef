/* SPDX-License-Identifier: Apache-2.0 */
/* Ingresses, network policies, endpoint slices. */
#include "devapi/builtin.h"

#include <arpa/inet.h>
#include <string.h>

#define SPEC DEV_AT(NULL, "spec")

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

void ingress_complete(cJSON *object, const cJSON *old)
{
    static const tree_default_t defaults[] = {{"status.loadBalancer", "{}"}};

    (void) old;
    tree_fill(object, defaults, HOST_LEN(defaults));
}

static void check_backend(const dev_path_t *at, const cJSON *backend, dev_status_t *st)
{
    const cJSON *service = tree_get(backend, "service"), *port = tree_get(service, "port");

    if (service == NULL) {
        if (tree_get(backend, "resource") == NULL)
            dev_invalid_text(st, at, "", "resource or service backend is required");
        return;
    }
    if (tree_text(service, "name")[0] == '\0')
        dev_required(st, DEV_AT(DEV_AT(at, "service"), "name"), "");
    else
        dev_name_check(st, DEV_AT(DEV_AT(at, "service"), "name"), DEV_NAME_1035,
                       tree_text(service, "name"));
    if (tree_text(port, "name")[0] == '\0' && tree_number(port, "number", 0) == 0)
        dev_required(st, at, "port name or number is required");
}

static void check_http_path(const dev_path_t *at, const cJSON *path, dev_status_t *st)
{
    static const char *const types[] = {"Exact", "ImplementationSpecific", "Prefix", NULL};
    const char *type = tree_text(path, "pathType"), *text = tree_text(path, "path");

    if (type[0] == '\0') {
        dev_required(st, DEV_AT(at, "pathType"), "pathType must be specified");
        return;
    }
    builtin_check_word(at, path, "pathType", true, types, st);
    if (text[0] != '/' && (text[0] != '\0' || strcmp(type, "ImplementationSpecific") != 0))
        dev_invalid_text(st, DEV_AT(at, "path"), text, "must be an absolute path");
    check_backend(DEV_AT(at, "backend"), tree_get(path, "backend"), st);
}

static void check_ingress_rule(const dev_path_t *at, const cJSON *rule, dev_status_t *st)
{
    const char *host = tree_text(rule, "host");
    const dev_path_t *paths_at = DEV_AT(DEV_AT(at, "http"), "paths");
    const cJSON *http = tree_get(rule, "http"), *path;
    int i = 0;

    if (host[0] != '\0' && host[0] != '*')
        dev_name_check(st, DEV_AT(at, "host"), DEV_NAME_SUBDOMAIN, host);
    if (http != NULL && tree_empty(tree_get(http, "paths")))
        dev_required(st, paths_at, "");
    cJSON_ArrayForEach (path, tree_get(http, "paths"))
        check_http_path(DEV_NTH(paths_at, i++), path, st);
}

void ingress_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const cJSON *spec = tree_get(object, "spec"), *backend = tree_get(spec, "defaultBackend");
    const cJSON *rules = tree_get(spec, "rules"), *rule;
    int i = 0;

    (void) old;
    if (backend == NULL && tree_empty(rules))
        dev_invalid(st, SPEC, NULL, "either `defaultBackend` or `rules` must be specified");
    if (backend != NULL)
        check_backend(DEV_AT(SPEC, "defaultBackend"), backend, st);
    cJSON_ArrayForEach (rule, rules)
        check_ingress_rule(DEV_NTH(DEV_AT(SPEC, "rules"), i++), rule, st);
}

void ingressclass_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_path_t *at = DEV_AT(SPEC, "controller");
    const cJSON *controller = tree_at(object, "spec.controller");

    if (!cJSON_IsString(controller) || controller->valuestring[0] == '\0')
        dev_required(st, at, "");
    if (old != NULL)
        builtin_check_immutable(at, controller, tree_at(old, "spec.controller"), st);
}

/* -- Network policies -- */

static void complete_policy_ports(cJSON *rules)
{
    cJSON *rule, *port;

    cJSON_ArrayForEach (rule, rules) {
        cJSON_ArrayForEach (port, tree_get(rule, "ports"))
            tree_default_text(port, "protocol", "TCP");
    }
}

void networkpolicy_complete(cJSON *object, const cJSON *old)
{
    cJSON *spec = tree_object(object, "spec"), *types;

    (void) old;
    tree_object(spec, "podSelector");
    complete_policy_ports(tree_get(spec, "ingress"));
    complete_policy_ports(tree_get(spec, "egress"));
    if (!tree_empty(tree_get(spec, "policyTypes")))
        return;
    types = tree_array(spec, "policyTypes");
    cJSON_AddItemToArray(types, cJSON_CreateString("Ingress"));
    if (!tree_empty(tree_get(spec, "egress")))
        cJSON_AddItemToArray(types, cJSON_CreateString("Egress"));
}

static void check_policy_rules(const char *key, const char *peers, const cJSON *spec,
                               dev_status_t *st)
{
    const cJSON *rule, *item;
    int i = 0;

    cJSON_ArrayForEach (rule, tree_get(spec, key)) {
        const dev_path_t *here = DEV_NTH(DEV_AT(SPEC, key), i++);
        int k = 0;

        cJSON_ArrayForEach (item, tree_get(rule, "ports")) {
            const dev_path_t *at = DEV_NTH(DEV_AT(here, "ports"), k++);

            builtin_check_word(at, item, "protocol", true, protocols, st);
            builtin_check_port(at, item, "port", st);
        }
        k = 0;
        cJSON_ArrayForEach (item, tree_get(rule, peers)) {
            if (tree_empty(item))
                dev_required(st, DEV_NTH(DEV_AT(here, peers), k), "must specify a peer");
            k++;
        }
    }
}

void networkpolicy_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const types[] = {"Ingress", "Egress", NULL};
    const cJSON *spec = tree_get(object, "spec"), *type;
    int i = 0;

    (void) old;
    builtin_check_selector(DEV_AT(SPEC, "podSelector"), tree_get(spec, "podSelector"), st);
    check_policy_rules("ingress", "from", spec, st);
    check_policy_rules("egress", "to", spec, st);
    cJSON_ArrayForEach (type, tree_get(spec, "policyTypes")) {
        if (cJSON_IsString(type) && strcmp(type->valuestring, types[0]) != 0 &&
            strcmp(type->valuestring, types[1]) != 0)
            dev_unsupported(st, DEV_NTH(DEV_AT(SPEC, "policyTypes"), i), type->valuestring, types);
        i++;
    }
}

/* -- Endpoint slices -- */

void slice_complete(cJSON *object, const cJSON *old)
{
    cJSON *item;

    (void) old;
    cJSON_ArrayForEach (item, tree_get(object, "ports")) {
        tree_default_text(item, "name", "");
        tree_default_text(item, "protocol", "TCP");
    }
    cJSON_ArrayForEach (item, tree_get(object, "endpoints"))
        tree_object(item, "conditions");
    if (tree_get(object, "endpoints") == NULL)
        tree_set(object, "endpoints", cJSON_CreateNull());
    if (tree_get(object, "ports") == NULL)
        tree_set(object, "ports", cJSON_CreateNull());
}

static void check_slice_ports(const cJSON *ports, dev_status_t *st)
{
    const cJSON *port, *it;
    int i = 0;

    cJSON_ArrayForEach (port, ports) {
        const dev_path_t *here = DEV_NTH(DEV_AT(NULL, "ports"), i++);

        builtin_check_word(here, port, "protocol", true, protocols, st);
        for (it = ports->child; it != port; it = it->next) {
            if (strcmp(tree_text(it, "name"), tree_text(port, "name")) == 0) {
                dev_duplicate(st, DEV_AT(here, "name"), tree_get(port, "name"));
                break;
            }
        }
    }
}

static void check_endpoint(const dev_path_t *at, const cJSON *endpoint, int family,
                           dev_status_t *st)
{
    const cJSON *addresses = tree_get(endpoint, "addresses"), *address;
    unsigned char parsed[16];
    int i = 0;

    if (tree_empty(addresses))
        dev_required(st, DEV_AT(at, "addresses"), "must contain at least 1 address");
    cJSON_ArrayForEach (address, addresses) {
        if (family != AF_UNSPEC && cJSON_IsString(address) &&
            inet_pton(family, address->valuestring, parsed) != 1)
            dev_invalid(st, DEV_NTH(DEV_AT(at, "addresses"), i), address,
                        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
        i++;
    }
}

void slice_validate(const cJSON *object, const cJSON *old, dev_status_t *st)
{
    static const char *const types[] = {"FQDN", "IPv4", "IPv6", NULL};
    const char *type = tree_text(object, "addressType");
    int family = strcmp(type, "IPv4") == 0   ? AF_INET
                 : strcmp(type, "IPv6") == 0 ? AF_INET6
                                             : AF_UNSPEC;
    const cJSON *endpoint;
    int i = 0;

    builtin_check_word(NULL, object, "addressType", true, types, st);
    check_slice_ports(tree_get(object, "ports"), st);
    cJSON_ArrayForEach (endpoint, tree_get(object, "endpoints"))
        check_endpoint(DEV_NTH(DEV_AT(NULL, "endpoints"), i++), endpoint, family, st);
    if (old != NULL)
        builtin_check_immutable(DEV_AT(NULL, "addressType"), tree_get(object, "addressType"),
                                tree_get(old, "addressType"), st);
}
