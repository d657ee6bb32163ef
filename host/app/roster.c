/* SPDX-License-Identifier: Apache-2.0 */
#include "app/roster.h"

#include "base/error.h"

#include <string.h>

static const plugin_file_t *find_file(const plugin_scan_t *scan, const char *id)
{
    for (size_t i = 0; i < scan->count; i++) {
        const plugin_file_t *f = &scan->files[i];
        if (f->state == PLUGIN_FOUND && strcmp(f->manifest->id, id) == 0)
            return f;
    }
    return NULL;
}

static bool has_instance(const config_t *config, const char *id)
{
    for (size_t i = 0; i < config->plugins.instance_count; i++) {
        if (strcmp(config->plugins.instances[i].plugin, id) == 0)
            return true;
    }
    return false;
}

static void add_plain(const plugin_file_t *file, app_roster_fn *fn, void *arg)
{
    const config_instance_t plain = {
        .name = file->manifest->id,
        .enabled = true,
        .plugin = file->manifest->id,
        .workers = CONFIG_WORKERS_DEFAULT,
        .max_in_flight = CONFIG_MAX_IN_FLIGHT_DEFAULT,
        .qps = CONFIG_QPS_DEFAULT,
        .burst = CONFIG_BURST_DEFAULT,
        .retry_qps = CONFIG_RETRY_QPS_DEFAULT,
        .retry_burst = CONFIG_RETRY_BURST_DEFAULT,
        .service_account = config_service_account(file->manifest->id),
        .config_json = "{}",
        .where = file->path,
    };

    fn(arg, &plain, file);
    free(plain.service_account);
}

void app_roster(const config_t *config, const plugin_scan_t *scan, app_roster_fn *fn, void *arg)
{
    for (size_t i = 0; i < config->plugins.instance_count; i++) {
        const config_instance_t *c = &config->plugins.instances[i];
        if (c->enabled)
            fn(arg, c, find_file(scan, c->plugin));
    }
    for (size_t i = 0; i < scan->count; i++) {
        const plugin_file_t *f = &scan->files[i];
        if (f->state == PLUGIN_FOUND && !has_instance(config, f->manifest->id))
            add_plain(f, fn, arg);
    }
}

int app_roster_check(const config_instance_t *c, const plugin_file_t *file, plugin_manifest_t **out,
                     lh_error_t *err)
{
    if (file == NULL)
        return host_fail(err, LH_ENOTFOUND, "%s: no usable plugin file has id '%s'", c->where,
                         c->plugin);
    int ret = plugin_manifest_check_config(file->manifest, c->config_json, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "%s: config", c->where);
    ret = plugin_manifest_for_instance(file->manifest, c->config_json, out, err);
    return ret < 0 ? host_error_wrap(err, ret, "%s", c->where) : 0;
}

char **app_roster_namespaces(const config_t *config, const config_instance_t *c)
{
    return c->namespaces != NULL && c->namespaces[0] != NULL ? c->namespaces : config->namespaces;
}
