/* SPDX-License-Identifier: Apache-2.0 */
/* From the plugin directory to instances. A plugin that cannot be used is told and left out. */
#include "app/app_impl.h"
#include "app/fencing_names.h"
#include "app/roster.h"
#include "base/error.h"
#include "plugin/state.h"

#include <string.h>

/* Shows in /readyz?verbose what is not running for as long as the host lives. */
static void show_trouble(app_t *app, const char *check, const char *reason)
{
    health_set(health_add(app->health, check, app->shared.counts, HEALTH_READYZ), false, reason);
}

/* Shows a file or an instance that is not running; files are told from instances by their dot. */
static void show_refusal(app_t *app, const char *what, const char *name, const char *reason)
{
    host_cleanup(host_freep) char *check = host_xprintf("%s-%s", what, name);

    show_trouble(app, check, reason);
    plugin_state_refused(app->metrics, name);
}

static void show_file(app_t *app, const plugin_file_t *file)
{
    const char *name = strrchr(file->path, '/') + 1; /* a file of plugins.dir */

    if (file->state == PLUGIN_SUPERSEDED) {
        log_info(app->log, "plugin file '%s' is not used: %s", file->path, file->reason);
        return;
    }
    log_error(app->log, "plugin file '%s' is refused: %s", file->path, file->reason);
    show_refusal(app, "file", name, file->reason);
}

static void instance_settled(void *arg)
{
    app_instance_t *mine = arg;
    app_t *app = mine->app;

    mine->settled = true;
    for (size_t i = 0; i < app->instance_count; i++) {
        if (!app->instances[i].settled)
            return;
    }
    health_set(app->started, true, NULL);
}

static void add_instance(app_t *app, const plugin_file_t *file, const config_instance_t *c,
                         plugin_manifest_t *manifest)
{
    const config_t *config = app->config;
    app_instance_t *mine = &app->instances[app->instance_count];
    char **namespaces = app_roster_namespaces(config, c);
    host_cleanup(host_freep) char *user = NULL;

    if (app->fencing != NULL) {
        user = fencing_user(app->lease_namespace, c->service_account);
        app_fencing_add_user(app->fencing, user);
    }
    const plugin_instance_options_t options = {
        .shared = &app->shared,
        .hub = app->hub,
        .name = c->name,
        .file = file,
        .manifest = manifest,
        .user = user,
        .config = c->config_json,
        .process = c->isolation == CONFIG_ISOLATION_PROCESS,
        .warm = config->standby == CONFIG_STANDBY_WARM,
        .workers = (uint32_t) c->workers,
        .max_in_flight = (uint32_t) c->max_in_flight,
        .qps = c->qps,
        .burst = c->burst,
        .retry_qps = c->retry_qps,
        .retry_burst = c->retry_burst,
        .namespaces = (const char *const *) namespaces,
        .on_settled = instance_settled,
        .on_rested = app_instance_rested,
        .on_ended = app_instance_ended,
        .arg = mine,
    };

    log_set_level(app->log, c->name, c->log_level == 0 ? LOG_AS_THE_REST : c->log_level - 1);
    *mine = (app_instance_t){
        .app = app, .manifest = file->manifest, .isolated = options.process, .rested = true};
    app->instance_count++;
    mine->instance = plugin_instance_create(&options);
}

static int check_instance(const app_t *app, const config_instance_t *c, const plugin_file_t *file,
                          plugin_manifest_t **out, lh_error_t *err)
{
    char reason[640];

    if (file != NULL && c->isolation == CONFIG_ISOLATION_THREAD &&
        plugin_blackbox_quarantined(app->box, file->digest, reason, sizeof(reason)))
        return host_fail(err, LH_EPLUGIN, "%s", reason);
    return app_roster_check(c, file, out, err);
}

/* What is wrong with an instance is its own problem. */
static void add(void *arg, const config_instance_t *c, const plugin_file_t *file)
{
    app_t *app = arg;
    plugin_manifest_t *manifest = NULL;
    lh_error_t err = {0};

    if (check_instance(app, c, file, &manifest, &err) == 0)
        return add_instance(app, file, c, manifest);
    log_error(app->log, "instance '%s' is not started: %s", c->name, err.text);
    show_refusal(app, "plugin", c->name, err.text);
}

int app_plugins_start(app_t *app, lh_error_t *err)
{
    const config_t *config = app->config;
    const char *dir = config->plugins.dir;

    if (dir[0] != '\0') {
        const int ret = plugin_scan(dir, &app->scan, err);
        if (ret < 0)
            return host_error_wrap(err, ret, "plugins.dir");
    } else {
        app->scan = host_xcalloc(1, sizeof(*app->scan));
        log_warn(app->log, "no plugin directory is configured (plugins.dir or --plugins)");
    }
    plugin_scan_prepare(app->scan, config->state_dir);
    for (size_t i = 0; i < app->scan->count; i++) {
        if (app->scan->files[i].state != PLUGIN_FOUND)
            show_file(app, &app->scan->files[i]);
    }
    app->instances = host_xcalloc(app->scan->count + config->plugins.instance_count + 1,
                                  sizeof(*app->instances));
    app_roster(config, app->scan, add, app);
    if (app->instance_count == 0) {
        log_warn(app->log, "no plugin is running%s",
                 app->scan->count > 0 ? "" : ": there is no *.so file in plugins.dir itself");
        show_trouble(app, "plugins", "no plugin is running");
        health_set(app->started, true, NULL);
    }
    return 0;
}

bool app_plugins_destroy(app_t *app)
{
    bool inside = false;

    for (size_t i = 0; i < app->instance_count; i++)
        inside = plugin_instance_destroy(app->instances[i].instance) || inside;
    free(app->instances);
    app->instance_count = 0;
    if (!inside)
        plugin_scan_destroy(app->scan);
    return inside;
}
