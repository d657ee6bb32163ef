/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_rig.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void on_settled(void *arg)
{
    ((rig_t *) arg)->settled = true;
}

static void on_rested(void *arg)
{
    ((rig_t *) arg)->rested = true;
}

static void on_ended(void *arg)
{
    ((rig_t *) arg)->ended = true;
}

static void parse_manifest(rig_t *r, const rig_options_t *o)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"abi\": 0, \"id\": \"%s\", \"version\": \"1.0.0\", \"watches\": %s}",
                     o->hooks != NULL ? "hooked" : "puppet",
                     o->watches != NULL ? o->watches
                                        : "[{\"version\": \"v1\", \"resource\": \"configmaps\", "
                                          "\"kind\": \"ConfigMap\"}]");
    lh_error_t err = {0};

    ASSERT_OK(plugin_manifest_parse(text, strlen(text), &r->file.manifest, &err), err);
    r->file.path = r->file.copy =
        host_xstrdup(o->hooks != NULL ? FIXTURES "/hooked.so" : FIXTURES "/puppet.so");
}

static char *config_of(const rig_t *r, const rig_options_t *o)
{
    if (o->hooks != NULL)
        return host_xprintf("{\"hooks\":%llu}", (unsigned long long) (uintptr_t) o->hooks);
    if (o->config != NULL)
        return host_xstrdup(o->config);
    return host_xprintf("{\"fd\":%d}", r->pipe[0]);
}

rig_t *rig_create(const char *config)
{
    return rig_create_with(&(rig_options_t){.config = config});
}

rig_t *rig_create_with(const rig_options_t *o)
{
    rig_t *r = host_xcalloc(1, sizeof(*r));
    lh_error_t err = {0};

    cr_assert(pipe(r->pipe) == 0);
    ASSERT_OK(loop_create(&r->loop, &err), err);
    r->kube = fake_kube_create();
    r->shared = (plugin_shared_t){.loop = r->loop,
                                  .reads = fake_kube_client(r->kube),
                                  .writes = fake_kube_client(r->kube),
                                  .log = NULL,
                                  .metrics = metrics_create(),
                                  .health = health_create(),
                                  .counts = o->counts,
                                  .identity = "rig",
                                  .next_ctx = 1};
    r->shared.log = o->log_fd != 0 ? log_create(o->log_fd, LOG_TEXT, LOG_INFO)
                                   : log_create(STDERR_FILENO, LOG_TEXT, LOG_ERROR);
    r->hub = watch_hub_create(&(watch_hub_options_t){.loop = r->loop,
                                                     .client = fake_kube_client(r->kube),
                                                     .discovery = fake_kube_discovery(r->kube),
                                                     .log = r->shared.log,
                                                     .metrics = r->shared.metrics});
    parse_manifest(r, o);
    host_cleanup(host_freep) char *config = config_of(r, o);
    plugin_manifest_t *manifest = NULL;
    ASSERT_OK(plugin_manifest_for_instance(r->file.manifest, config, &manifest, &err), err);
    r->instance = plugin_instance_create(
        &(plugin_instance_options_t){.shared = &r->shared,
                                     .hub = r->hub,
                                     .name = "puppet",
                                     .file = &r->file,
                                     .manifest = manifest,
                                     .config = config,
                                     .process = o->process,
                                     .warm = o->warm,
                                     .workers = o->workers != 0 ? o->workers : 2,
                                     .max_in_flight = o->max_in_flight != 0 ? o->max_in_flight : 64,
                                     .namespaces = o->namespaces,
                                     .on_settled = on_settled,
                                     .on_rested = on_rested,
                                     .on_ended = on_ended,
                                     .arg = r});
    if (!o->unsettled)
        rig_until_flag(r, &r->settled, "settled");
    return r;
}

/* What was given up on the way may still be ending. */
static bool is_destroyed(rig_t *r, const void *arg)
{
    (void) arg;
    return !plugin_instance_destroy(r->instance);
}

void rig_destroy(rig_t *r)
{
    if (!r->ended)
        plugin_instance_stop(r->instance, clock_now() + 60 * CLOCK_S);
    rig_until_flag(r, &r->ended, "ended");
    rig_until(r, is_destroyed, NULL, "no runner is inside");
    watch_hub_destroy(r->hub);
    fence_unref(r->fence);
    fake_kube_destroy(r->kube);
    plugin_manifest_destroy(r->file.manifest);
    free(r->file.path);
    metrics_destroy(r->shared.metrics);
    health_destroy(r->shared.health);
    log_destroy((log_t *) r->shared.log);
    loop_destroy(r->loop);
    close(r->pipe[0]);
    close(r->pipe[1]);
    free(r);
}

static double real_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

void rig_until(rig_t *r, bool (*done)(rig_t *r, const void *arg), const void *arg, const char *what)
{
    const double until = real_seconds() + 5;

    loop_turn(r->loop);
    while (!done(r, arg)) {
        cr_assert(real_seconds() < until, "waited 5 s in vain: %s", what);
        poll(NULL, 0, 1);
        loop_turn(r->loop);
    }
}

static bool flag_set(rig_t *r, const void *arg)
{
    (void) r;
    return *(const bool *) arg;
}

void rig_until_flag(rig_t *r, const bool *flag, const char *what)
{
    rig_until(r, flag_set, flag, what);
}

double rig_series(rig_t *r, const char *series)
{
    buf_t text = BUF_INIT;
    double value = -1;

    cr_assert(metrics_render(r->shared.metrics, METRICS_TEXT, &text) == 0);
    for (const char *at = buf_text(&text); (at = strstr(at, series)) != NULL; at++) {
        if (at[strlen(series)] == ' ')
            value = strtod(at + strlen(series), NULL);
    }
    buf_fini(&text);
    return value;
}

double rig_count(rig_t *r, const char *metric, const char *a, const char *b)
{
    char series[256];

    snprintf(series, sizeof(series), "leasehold_plugin_%s{controller=\"puppet\",a=\"%s\",b=\"%s\"}",
             metric, a, b);
    const double value = rig_series(r, series);
    return value < 0 ? 0 : value;
}

typedef struct wanted {
    const char *metric, *a, *b;
    double value;
} wanted_t;

static bool has_count(rig_t *r, const void *arg)
{
    const wanted_t *w = arg;

    return rig_count(r, w->metric, w->a, w->b) == w->value;
}

void rig_until_count(rig_t *r, const char *metric, const char *a, const char *b, double value)
{
    const wanted_t w = {metric, a, b, value};
    char what[200];

    snprintf(what, sizeof(what), "%s{%s,%s} is %g", metric, a, b, value);
    rig_until(r, has_count, &w, what);
}

static bool has_series(rig_t *r, const void *arg)
{
    const wanted_t *w = arg;

    return rig_series(r, w->metric) == w->value;
}

void rig_until_series(rig_t *r, const char *series, double value)
{
    const wanted_t w = {.metric = series, .value = value};

    rig_until(r, has_series, &w, series);
}

void rig_idle(rig_t *r)
{
    for (int i = 0; i < 20; i++) {
        poll(NULL, 0, 1);
        loop_turn(r->loop);
    }
}

static bool health_holds(rig_t *r, const void *arg)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    health_report(r->shared.health, HEALTH_READYZ, NULL, true, NULL, 0, &text);
    return strstr(buf_text(&text), arg) != NULL;
}

void rig_until_health(rig_t *r, const char *part)
{
    rig_until(r, health_holds, part, part);
}

/* -- The API server -- */

static kube_call_t *find_stream(rig_t *r, const char *part)
{
    kube_call_t *call = fake_kube_find(r->kube, part);

    return call != NULL && strstr(fake_kube_request(call)->path, "watch=") != NULL ? call : NULL;
}

static bool stream_open(rig_t *r, const void *arg)
{
    fake_kube_answer_lookups(r->kube);
    return find_stream(r, arg) != NULL;
}

kube_call_t *rig_stream(rig_t *r, const char *part)
{
    rig_until(r, stream_open, part, part);
    return find_stream(r, part);
}

void rig_object(rig_t *r, const char *part, const char *type, const char *object)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"type\":\"%s\",\"object\":%s}\n", type, object);

    cr_assert(fake_kube_data(rig_stream(r, part), text));
}

void rig_synced(rig_t *r, const char *part)
{
    rig_object(r, part, "BOOKMARK",
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
               "\"resourceVersion\":\"100\",\"annotations\":{"
               "\"k8s.io/initial-events-end\":\"true\"}}}");
}

void rig_event(rig_t *r, const char *type, const char *word, int version)
{
    host_cleanup(host_freep) char *object =
        host_xprintf("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\","
                     "\"namespace\":\"ns\",\"uid\":\"uid-%s\",\"resourceVersion\":\"%d\"},"
                     "\"data\":{\"do\":\"%s\"}}",
                     word, word, version, word);

    rig_object(r, "configmaps?", type, object);
}

void rig_begin(rig_t *r, uint64_t term)
{
    r->rested = false;
    fence_unref(r->fence);
    r->fence = fence_create(term, CLOCK_NEVER);
    watch_hub_begin_term(r->hub);
    plugin_instance_begin(r->instance, r->fence);
}

void rig_lead(rig_t *r, uint64_t term, const char *const *words)
{
    rig_begin(r, term);
    (void) rig_stream(r, "configmaps?");
    for (int version = 1; words != NULL && *words != NULL; words++)
        rig_event(r, "ADDED", *words, version++);
    rig_synced(r, "configmaps?");
}

void rig_end(rig_t *r, bool forced, int64_t budget)
{
    r->rested = false;
    if (forced)
        fence_close(r->fence);
    else
        fence_close_gate(r->fence);
    plugin_instance_end(r->instance, clock_now() + budget);
}
