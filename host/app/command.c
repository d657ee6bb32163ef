/* SPDX-License-Identifier: Apache-2.0 */
/* What the control socket's commands do, and GET /status. */
#include "app/app_impl.h"
#include "base/error.h"
#include "config/nearest.h"

#include <string.h>

static bool is_instance(const app_t *app, const char *name)
{
    for (size_t i = 0; i < app->instance_count; i++) {
        if (strcmp(plugin_instance_name(app->instances[i].instance), name) == 0)
            return true;
    }
    return false;
}

static int no_instance(const app_t *app, const char *name, lh_error_t *err)
{
    nearest_t nearest = NEAREST_INIT(name);
    char hint[NEAREST_MAX + 32];

    for (size_t i = 0; i < app->instance_count; i++) {
        const char *known = plugin_instance_name(app->instances[i].instance);

        config_nearest_offer(&nearest, known, known);
    }
    return host_fail(err, LH_ENOTFOUND, "no plugin instance '%s' runs%s", name,
                     config_nearest_text(&nearest, hint, sizeof(hint)));
}

/* A level stays until the host ends, or is told another. */
static int set_log_level(app_t *app, const char *plugin, const char *word, lh_error_t *err)
{
    const bool as_the_rest = plugin != NULL && strcmp(word, "default") == 0;
    const int level = as_the_rest ? LOG_AS_THE_REST : log_level_of(word);

    if (plugin != NULL && !is_instance(app, plugin))
        return no_instance(app, plugin, err);
    if (level < 0 && !as_the_rest)
        return host_fail(err, LH_EINVAL, "level '%s': not one of " LOG_LEVEL_WORDS "%s", word,
                         plugin != NULL ? ", default" : "");
    log_set_level(app->log, plugin, level);
    log_write(app->log, LOG_WARN, "log level%s%s is %s now", plugin != NULL ? " of " : "",
              plugin != NULL ? plugin : "", word);
    return 0;
}

static void put_levels(const app_t *app, buf_t *out)
{
    buf_printf(out, "{\"level\":\"%s\",\"plugins\":[",
               log_level_word((enum log_level) log_get_level(app->log, NULL)));
    for (size_t i = 0; i < app->instance_count; i++) {
        const char *name = plugin_instance_name(app->instances[i].instance);
        const int level = log_get_level(app->log, name);

        buf_puts(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        buf_json_string(out, name, strlen(name));
        if (level == LOG_AS_THE_REST)
            buf_puts(out, ",\"level\":null}");
        else
            buf_printf(out, ",\"level\":\"%s\"}", log_level_word((enum log_level) level));
    }
    buf_puts(out, "]}");
}

static int log_level(void *arg, const char *plugin, const char *level, buf_t *out, lh_error_t *err)
{
    const int ret = *level != '\0' ? set_log_level(arg, plugin, level, err) : 0;

    if (ret == 0)
        put_levels(arg, out);
    return ret;
}

static int step_down(void *arg, lh_error_t *err)
{
    app_t *app = arg;

    if (app->lease == NULL)
        return host_fail(err, LH_EINVAL,
                         "leader election is disabled: there is nobody to hand over to");
    return app_step_down(app) ? 1 : 0;
}

void app_commands_open(app_t *app)
{
    const app_control_options_t options = {.loop = app->loop,
                                           .dir = app->config->state_dir,
                                           .log = app->log,
                                           .status = app_status,
                                           .log_level = log_level,
                                           .step_down = step_down,
                                           .arg = app};
    lh_error_t err = {0};

    health_publish_fn(app->health, "/status", app_status, app);
    if (app_control_open(&options, &app->control, &err) < 0)
        log_warn(app->log, "no control socket: %s", err.text);
}
