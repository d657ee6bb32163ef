/* SPDX-License-Identifier: Apache-2.0 */
#include "app/lease_namespace.h"
#include "app/roster.h"
#include "cli/verb.h"

static void config_destroyp(config_t **c)
{
    config_destroy(*c);
}

static void credentials_destroyp(kube_credentials_t **c)
{
    kube_credentials_destroy(*c);
}

static int print(const cli_args_t *args, const config_t *config, const config_derived_t *lease)
{
    buf_t out = BUF_INIT;
    const int rc =
        args->json ? config_print_json(config, lease, &out) : config_print(config, lease, &out);

    out.failed |= rc < 0;
    return cli_print(&out);
}

/* The Lease that run would use now. */
static int print_with_lease(const cli_args_t *args, const config_t *config)
{
    const kube_credentials_source_t source = {
        .path = config->kubeconfig, .context = config->context, .env = args->env};
    host_cleanup(credentials_destroyp) kube_credentials_t *credentials = NULL;
    host_cleanup(host_freep) char *value = NULL;
    config_derived_t lease = {.key = "lease"};
    lh_error_t err = {0};

    if (!config->leader_election.enabled) {
        lease.value = "none";
        lease.origin = "leaderElection.enabled";
        return print(args, config, &lease);
    }
    const char *namespace = app_lease_namespace_told(config, args->env, &lease.origin);

    if (namespace == NULL) {
        if (kube_credentials_load(&source, &credentials, &err) < 0) {
            lease.origin = err.text;
            return print(args, config, &lease);
        }
        namespace = app_lease_namespace(config, args->env, credentials, &lease.origin);
    }
    value = host_xprintf("%s/%s", namespace, config->leader_election.id);
    lease.value = value;
    return print(args, config, &lease);
}

/* What needs no configuration. */
static int print_reference(const cli_args_t *args)
{
    buf_t out = BUF_INIT;
    const int rc = args->defaults ? config_template(&out) : config_schema(args->config_file, &out);

    out.failed |= rc < 0;
    return cli_print(&out);
}

static void check_instance(void *arg, const config_instance_t *c, const plugin_file_t *file)
{
    int *status = arg;
    plugin_manifest_t *manifest = NULL;
    lh_error_t err = {0};

    if (app_roster_check(c, file, &manifest, &err) < 0)
        *status = cli_fail(CLI_USAGE, "instance '%s' cannot be started: %s", c->name, err.text);
    plugin_manifest_destroy(manifest);
}

/* Every file and instance that run would refuse, as far as that shows without running the plugin. */
static int check_plugins(const config_t *config)
{
    plugin_scan_t none = {0}, *scan = NULL;
    lh_error_t err = {0};
    int status = CLI_FINE;

    if (config->plugins.dir[0] != '\0' && plugin_scan(config->plugins.dir, &scan, &err) < 0)
        return cli_fail(CLI_USAGE, "plugins.dir: %s", err.text);
    for (size_t i = 0; scan != NULL && i < scan->count; i++) {
        if (scan->files[i].state == PLUGIN_REFUSED)
            status = cli_fail(CLI_USAGE, "plugin file '%s' is refused: %s", scan->files[i].path,
                              scan->files[i].reason);
    }
    app_roster(config, scan != NULL ? scan : &none, check_instance, &status);
    plugin_scan_destroy(scan);
    return status;
}

int cli_config(const cli_args_t *args)
{
    host_cleanup(config_destroyp) config_t *config = NULL;

    if (args->check + args->defaults + args->schema > 1)
        return cli_fail(CLI_USAGE, "config: one of --check, --defaults, --schema at a time");
    if (args->defaults || args->schema)
        return print_reference(args);
    const int status = cli_load(args, &config);

    if (status != CLI_FINE)
        return status;
    return args->check ? check_plugins(config) : print_with_lease(args, config);
}
