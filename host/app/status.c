/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica says of itself: all of it from the registries and from what never changes, so that the
 * HTTP thread can tell it while the loop is stuck. */
#include "app/app_impl.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const char *phase_word(const app_t *app)
{
    switch (atomic_load(&app->phase)) {
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

/* A whole number; what is not measured is 0. */
static void put_number(buf_t *out, const char *key, double value)
{
    buf_printf(out, ",\"%s\":%.0f", key, isfinite(value) ? value : 0);
}

/* -- Plugins -- */

static double of_plugin(const app_t *app, const char *family, const char *name)
{
    return metrics_read(app->metrics, family, (const char *const[]){name});
}

static double queued(const app_t *app, const char *name)
{
    double sum = 0;

    for (size_t i = 0; i < 2; i++) { /* its two priorities */
        const char *const labels[] = {name, name, i == 0 ? "0" : "-100"};
        const double depth = metrics_read(app->metrics, "workqueue_depth", labels);

        sum += isfinite(depth) ? depth : 0;
    }
    return sum;
}

/* Keys that fail again and again. */
static double poison_of(const app_t *app, const char *name)
{
    return metrics_read(app->metrics, "leasehold_workqueue_poison_keys",
                        (const char *const[]){name, name});
}

static void put_worst(const app_t *app, const char *name, buf_t *out)
{
    host_cleanup(host_freep) char *path = host_xprintf("/poison/%s", name);
    host_cleanup(buf_fini) buf_t worst = BUF_INIT;

    if (health_document(app->health, path, &worst) == 200)
        buf_printf(out, ",\"worst\":%s", buf_text(&worst));
}

static void put_plugin(const app_t *app, const app_instance_t *i, buf_t *out)
{
    const char *name = plugin_instance_name(i->instance);

    buf_puts(out, "{\"name\":");
    buf_json_string(out, name, strlen(name));
    put(out, "plugin", i->manifest->id);
    put(out, "version", i->manifest->version);
    put(out, "isolation", i->isolated ? "process" : "thread");
    put(out, "state", plugin_instance_state(i->instance));
    put_number(out, "queued", queued(app, name));
    put_number(out, "running", of_plugin(app, "controller_runtime_active_workers", name));
    put_number(out, "reconciles",
               of_plugin(app, "controller_runtime_reconcile_time_seconds", name));
    put_number(out, "errors", of_plugin(app, "controller_runtime_reconcile_errors_total", name));
    put_number(out, "restarts", of_plugin(app, "leasehold_plugin_restarts_total", name));
    put_number(out, "abandonedCalls", of_plugin(app, "leasehold_plugin_abandoned_calls", name));
    put_number(out, "poisonKeys", poison_of(app, name));
    put_worst(app, name, out);
    buf_puts(out, "}");
}

/* -- Caches -- */

typedef struct caches {
    buf_t *out;
    bool some;
} caches_t;

static void put_cache(void *arg, const char *const *labels, double objects)
{
    static const char *const names[] = {"group",     "version",  "resource",
                                        "namespace", "selector", "projection"};
    caches_t *c = arg;

    buf_printf(c->out, "%s{\"objects\":%.0f", c->some ? "," : "", objects);
    for (size_t i = 0; i < HOST_LEN(names); i++)
        put(c->out, names[i], labels[i]);
    buf_puts(c->out, "}");
    c->some = true;
}

void app_status(void *arg, buf_t *out)
{
    const app_t *app = arg;
    host_cleanup(buf_fini) buf_t leader = BUF_INIT;
    caches_t caches = {.out = out};

    buf_printf(out, "{\"pid\":%d", (int) getpid());
    put(out, "version", app->options->version);
    put(out, "identity", app->config->name);
    put(out, "state", phase_word(app));
    health_document(app->health, "/leader", &leader);
    buf_puts(out, ",\"election\":");
    buf_append(out, buf_text(&leader), strcspn(buf_text(&leader), "\n"));
    if (leader.len == 0)
        buf_puts(out, "null");
    buf_puts(out, ",\"plugins\":[");
    for (size_t i = 0; i < app->instance_count; i++) {
        buf_puts(out, i == 0 ? "" : ",");
        put_plugin(app, &app->instances[i], out);
    }
    buf_puts(out, "],\"caches\":[");
    metrics_each(app->metrics, "leasehold_watch_objects", put_cache, &caches);
    buf_puts(out, "],\"checks\":");
    health_list(app->health, out);
    buf_puts(out, "}");
}
