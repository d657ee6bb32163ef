/* SPDX-License-Identifier: Apache-2.0 */
/* Which rights to grant: those of the host, and those that the manifests of its plugins ask for. */
#include "app/lease_namespace.h"
#include "app/roster.h"
#include "cli/objects.h"
#include "cli/verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define API "'apiVersion':'rbac.authorization.k8s.io/v1',"

typedef struct rbac {
    const config_t *config;
    cli_deployment_t to;
    cJSON *objects;
    int status;
} rbac_t;

cJSON *cli_objects_add(cJSON *list, const char *format, ...)
{
    host_cleanup(host_freep) char *text = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        abort();
    va_end(ap);
    for (char *c = text; *c != '\0'; c++)
        *c = (char) (*c == '\'' ? '"' : *c == '`' ? '\'' : *c);
    cJSON *object = cJSON_Parse(text);

    assert(object != NULL);
    cJSON_AddItemToArray(list, object);
    return object;
}

void cli_objects_bind(cJSON *list, const cli_deployment_t *d, const char *name, const char *ns,
                      const char *account)
{
    const char *kind = ns != NULL ? "Role" : "ClusterRole";
    cJSON *object =
        cli_objects_add(list,
                        "{" API "'kind':'%sBinding','metadata':{'name':'%s'},'roleRef':{"
                        "'apiGroup':'rbac.authorization.k8s.io','kind':'%s','name':'%s'},"
                        "'subjects':[{'kind':'ServiceAccount','name':'%s','namespace':'%s'}]}",
                        kind, name, kind, name, account, d->namespace);

    if (ns != NULL)
        cJSON_AddStringToObject(cJSON_GetObjectItem(object, "metadata"), "namespace", ns);
}

/* The rules of the host itself. `create` cannot be bound to a name. */
static void add_host(rbac_t *r)
{
    const cli_deployment_t *d = &r->to;

    cli_objects_add(r->objects,
                    "{" API "'kind':'Role','metadata':{'name':'%s','namespace':'%s'},'rules':["
                    "{'apiGroups':['coordination.k8s.io'],'resources':['leases'],"
                    "'verbs':['create']},"
                    "{'apiGroups':['coordination.k8s.io'],'resources':['leases'],"
                    "'resourceNames':['%s'],'verbs':['get','watch','update','delete']},"
                    "{'apiGroups':['events.k8s.io'],'resources':['events'],"
                    "'verbs':['create']}]}", /* on the Lease: who became leader, who stopped */
                    d->base, d->namespace, d->lease);
    cli_objects_bind(r->objects, d, d->base, d->namespace, d->account);
}

/* One role and its binding; ns NULL: for the whole cluster. */
static void add_role(rbac_t *r, const char *name, const char *ns, const cJSON *rules,
                     const char *account)
{
    cJSON *role = cli_objects_add(r->objects, "{" API "'kind':'%s','metadata':{'name':'%s'}}",
                                  ns != NULL ? "Role" : "ClusterRole", name);

    if (ns != NULL)
        cJSON_AddStringToObject(cJSON_GetObjectItem(role, "metadata"), "namespace", ns);
    cJSON_AddItemToObject(role, "rules", cJSON_Duplicate(rules, true));
    cli_objects_bind(r->objects, &r->to, name, ns, account);
}

/* A Role in each namespace grants no kind that has none: for those there is a ClusterRole beside them,
 * of the same name. */
static void add_narrow_roles(rbac_t *r, const char *name, char **namespaces, const cJSON *rules,
                             const char *account)
{
    cJSON *cluster = cJSON_CreateArray(), *in_namespace = cJSON_CreateArray();

    cli_rules_split(rules, cluster, in_namespace);
    if (cJSON_GetArraySize(cluster) > 0)
        add_role(r, name, NULL, cluster, account);
    for (; cJSON_GetArraySize(in_namespace) > 0 && *namespaces != NULL; namespaces++)
        add_role(r, name, *namespaces, in_namespace, account);
    cJSON_Delete(cluster);
    cJSON_Delete(in_namespace);
}

static void add_roles(rbac_t *r, const char *name, char **namespaces, const cJSON *rules,
                      const char *account)
{
    if (cJSON_GetArraySize(rules) == 0)
        return;
    if (namespaces != NULL && namespaces[0] != NULL)
        add_narrow_roles(r, name, namespaces, rules, account);
    else
        add_role(r, name, NULL, rules, account);
}

/* The watches are the host's own whoever the plugin is: one serves all plugins. */
static cJSON *watch_rules(const plugin_manifest_t *m)
{
    cJSON *rules = cJSON_CreateArray();

    for (size_t i = 0; i < m->watch_count; i++) {
        const kube_gvr_t *gvr = &m->watches[i].gvr;
        cli_objects_add(rules, "{'apiGroups':['%s'],'resources':['%s'],'verbs':['list','watch']}",
                        gvr->group, gvr->resource);
    }
    return rules;
}

/* What the manifest asks for; and Events, which the host too records as this plugin. */
static cJSON *permission_rules(const plugin_manifest_t *m)
{
    cJSON *manifest = cJSON_Parse(m->text);
    cJSON *rules = cJSON_DetachItemFromObjectCaseSensitive(manifest, "permissions");

    cJSON_Delete(manifest);
    if (rules == NULL)
        rules = cJSON_CreateArray();
    char *text = cJSON_PrintUnformatted(rules);
    if (text != NULL && strstr(text, "\"events.k8s.io\"") == NULL)
        cli_objects_add(rules, "{'apiGroups':['events.k8s.io'],'resources':['events'],"
                               "'verbs':['create','patch']}");
    cJSON_free(text);
    return rules;
}

static void add_instance(void *arg, const config_instance_t *c, const plugin_file_t *file)
{
    rbac_t *r = arg;
    plugin_manifest_t *manifest = NULL;
    lh_error_t err = {0};

    if (app_roster_check(c, file, &manifest, &err) < 0) {
        r->status = cli_fail(CLI_FAILED, "%s", err.text);
        return;
    }
    const bool own = r->config->fencing == CONFIG_FENCING_SERVER;
    char **namespaces = app_roster_namespaces(r->config, c);
    host_cleanup(host_freep) char *name = host_xprintf("%s:%s", r->to.base, c->name);
    host_cleanup(host_freep) char *watches = host_xprintf("%s:watches", name);
    cJSON *watched = watch_rules(manifest), *asked = permission_rules(manifest);

    add_roles(r, watches, namespaces, watched, r->to.account);
    add_roles(r, name, namespaces, asked, own ? c->service_account : r->to.account);
    cJSON_AddItemToArray(r->to.accounts, cJSON_CreateString(c->service_account));
    cJSON_Delete(watched);
    cJSON_Delete(asked);
    plugin_manifest_destroy(manifest);
}

static int add_plugins(rbac_t *r)
{
    plugin_scan_t *scan = NULL;
    lh_error_t err = {0};

    if (r->config->plugins.dir[0] == '\0')
        return cli_fail(CLI_USAGE, "no plugin directory: give --plugins DIR or set plugins.dir");
    if (plugin_scan(r->config->plugins.dir, &scan, &err) < 0)
        return cli_fail(CLI_FAILED, "%s", err.text);
    for (size_t i = 0; i < scan->count; i++) {
        if (scan->files[i].state == PLUGIN_REFUSED)
            r->status = cli_fail(CLI_FAILED, "plugin file '%s' is refused: %s", scan->files[i].path,
                                 scan->files[i].reason);
    }
    app_roster(r->config, scan, add_instance, r);
    plugin_scan_destroy(scan);
    return r->status;
}

static int print(const cJSON *objects, bool json)
{
    buf_t out = BUF_INIT;
    const cJSON *object;

    if (json) {
        char *text = cJSON_PrintUnformatted(objects);

        out.failed = text == NULL;
        buf_printf(&out, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":%s}\n",
                   text != NULL ? text : "");
        cJSON_free(text);
        return cli_print(&out);
    }
    cJSON_ArrayForEach (object, objects) {
        buf_puts(&out, object != objects->child ? "---\n" : "");
        cli_yaml(&out, object);
    }
    return cli_print(&out);
}

/* Labels by which `kubectl apply --prune` finds what an earlier configuration was granted. The kind
 * Fence belongs to all deployments. A label has 63 bytes, the name of a Lease may have more. */
static void add_labels(const rbac_t *r)
{
    enum { LABEL_MAX = 63 };
    cJSON *object;

    if (strlen(r->to.lease) > LABEL_MAX)
        return;
    cJSON_ArrayForEach (object, r->objects) {
        const cJSON *kind = cJSON_GetObjectItem(object, "kind");
        cJSON *labels = NULL;

        if (strcmp(kind->valuestring, "CustomResourceDefinition") == 0)
            continue;
        labels = cJSON_AddObjectToObject(cJSON_GetObjectItem(object, "metadata"), "labels");
        cJSON_AddStringToObject(labels, "leasehold.dev/lease", r->to.lease);
        cJSON_AddStringToObject(labels, "leasehold.dev/lease-namespace", r->to.namespace);
    }
}

static int print_all(const cli_args_t *args, const config_t *config, const char *namespace)
{
    host_cleanup(host_freep) char *base =
        host_xprintf("leasehold:%s:%s", namespace, config->leader_election.id);
    rbac_t r = {.config = config,
                .to = {.namespace = namespace,
                       .lease = config->leader_election.id,
                       .account = args->account != NULL ? args->account : "leasehold",
                       .base = base,
                       .accounts = cJSON_CreateArray()},
                .objects = cJSON_CreateArray()};

    add_host(&r);
    r.status = add_plugins(&r);
    if (config->fencing == CONFIG_FENCING_SERVER)
        cli_fencing_objects(r.objects, &r.to);
    add_labels(&r);
    if (r.status == CLI_FINE)
        r.status = print(r.objects, args->json);
    cJSON_Delete(r.objects);
    cJSON_Delete(r.to.accounts);
    return r.status;
}

int cli_rbac(const cli_args_t *args)
{
    config_t *config = NULL;
    int status = cli_load(args, &config);

    if (status != CLI_FINE)
        return status;
    const char *origin, *namespace = app_lease_namespace_told(config, args->env, &origin);

    if (!config->leader_election.enabled)
        status = cli_fail(CLI_USAGE, "rbac: leader election is disabled");
    else if (namespace == NULL) /* without a cluster at hand nothing else says which it will be */
        status = cli_fail(CLI_USAGE, "rbac: set leaderElection.namespace to where the host runs");
    else if (args->account != NULL && !kube_is_dns_subdomain(args->account))
        status = cli_fail(CLI_USAGE, "rbac: '%s' cannot name a service account", args->account);
    else
        status = print_all(args, config, namespace);
    config_destroy(config);
    return status;
}
