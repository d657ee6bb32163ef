/* SPDX-License-Identifier: Apache-2.0 */
/* What the control socket's commands do. */
#include "app/app_impl.h"
#include "base/error.h"

#include <string.h>
#include <unistd.h>

static const char *phase_word(const app_t *app)
{
    switch (app->phase) {
    case APP_STANDBY:
        return "standby";
    case APP_LEADING:
        return "leading";
    case APP_RESTING:
        return "tearing down";
    case APP_ENDING:
        return "ending";
    default:
        return "handing over";
    }
}

static void put(buf_t *out, const char *key, const char *value)
{
    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, value, strlen(value));
}

static void status(void *arg, buf_t *out)
{
    const app_t *app = arg;
    host_cleanup(buf_fini) buf_t leader = BUF_INIT;

    buf_printf(out, "{\"pid\":%d", (int) getpid());
    put(out, "version", app->options->version);
    put(out, "identity", app->config->name);
    put(out, "state", phase_word(app));
    health_document(app->health, "/leader", &leader);
    buf_puts(out, ",\"election\":");
    buf_append(out, buf_text(&leader), strcspn(buf_text(&leader), "\n"));
    if (leader.len == 0)
        buf_puts(out, "null");
    buf_puts(out, ",\"checks\":");
    health_list(app->health, out);
    buf_puts(out, "}");
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
                                           .status = status,
                                           .step_down = step_down,
                                           .arg = app};
    lh_error_t err = {0};

    if (app_control_open(&options, &app->control, &err) < 0)
        log_warn(app->log, "no control socket: %s", err.text);
}
