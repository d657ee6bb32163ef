/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app_impl.h"
#include "app/lease_namespace.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/rand.h"
#include "kube/proxy.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define BEAT_MIN (CLOCK_S / 2)
#define BEAT_MAX (5 * CLOCK_S / 2)
#define BEAT_LATE (10 * CLOCK_S) /* a loop this late is wedged */
#define CONTACT_RETRY (1 * CLOCK_S)
/* timeout(1) and terminals send one to the process and one to its group. */
#define SAME_SIGNAL (CLOCK_S / 2)

/* -- Signals -- */

static void on_signal(evutil_socket_t fd, short what, void *arg) /* [loop-thread] */
{
    app_t *app = arg;
    struct signalfd_siginfo info;

    (void) what;
    if (read(fd, &info, sizeof(info)) != (ssize_t) sizeof(info))
        return;
    if (app->stop_asked && (info.ssi_signo == SIGHUP || clock_now() - app->signalled < SAME_SIGNAL))
        return; /* a terminal that closes sends two, too */
    if (app->stop_asked) {
        log_warn(app->log, "second signal: ending at once; the Lease is left to expire");
        _exit(1);
    }
    app->signalled = clock_now();
    log_info(app->log, "SIG%s: stopping", sigabbrev_np((int) info.ssi_signo));
    app_stop(app);
}

/* Before the first thread, so that every thread inherits it. */
static void block_signals(sigset_t *set)
{
    struct sigaction hangup;

    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    /* A leader that it ended on the spot would keep the Lease. Under nohup it stays ignored. */
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(set, SIGHUP);
    sigprocmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int open_signals(app_t *app, lh_error_t *err)
{
    sigset_t set;

    block_signals(&set);
    app->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (app->signal_fd >= 0)
        app->signals =
            event_new(loop_base(app->loop), app->signal_fd, EV_READ | EV_PERSIST, on_signal, app);
    if (app->signals == NULL || event_add(app->signals, NULL) < 0)
        return host_fail(err, LH_EIO, "signals cannot be set up");
    return 0;
}

/* -- Health of the loop -- */

/* The elector renews for a loop that has beaten within half a renewDeadline, or 2 s: at least half of
 * that is left for a beat that comes late. Each beat wakes an idle host, so there are no more. */
static int64_t beat_period(const app_t *app)
{
    const int64_t period = app->config->leader_election.renew_deadline / 4;

    return HOST_MAX(BEAT_MIN, HOST_MIN(period, BEAT_MAX));
}

static void on_beat(loop_timer_t *timer)
{
    app_t *app = HOST_CONTAINER(timer, app_t, beat_timer);

    atomic_store(&app->beat, clock_now());
    loop_timer_set(timer, clock_now() + beat_period(app));
}

static bool loop_alive(void *arg, char *reason, size_t size) /* [serve-thread] */
{
    app_t *app = arg;
    const int64_t late = clock_now() - atomic_load(&app->beat);

    if (late < BEAT_LATE)
        return true;
    snprintf(reason, size, "the loop thread has not turned for %lld s",
             (long long) (late / CLOCK_S));
    return false;
}

static void open_health(app_t *app)
{
    const bool leader_only = app->config->health.ready == CONFIG_READY_LEADER;
    const bool elects = app->config->leader_election.enabled;

    atomic_store(&app->beat, clock_now());
    app->started = health_add(app->health, "started", HEALTH_READYZ | HEALTH_STARTUPZ, 0);
    app->observed = health_add(app->health, elects ? "lease-observed" : "api", HEALTH_READYZ, 0);
    app->leading =
        health_add(app->health, "leading", leader_only ? HEALTH_READYZ : 0, HEALTH_READYZ);
    health_set(app->started, false, "plugins are being loaded");
    health_set(app->observed, false,
               elects ? "the Lease has not been seen yet"
                      : "the API server has not been reached yet");
    health_set(app->leading, false, "not the leader");
    health_add_fn(app->health, "loop", HEALTH_LIVEZ, loop_alive, app);
    loop_timer_init(&app->beat_timer, app->loop, on_beat);
    loop_timer_init(&app->flush_timer, app->loop, app_flush_timer);
    on_beat(&app->beat_timer);
}

/* -- Without election -- */

static void contact(app_t *app);

static void contact_done(void *arg, const kube_result_t *result)
{
    app_t *app = arg;

    if (result->status != 0) { /* any answer shows that the API server is there */
        log_info(app->log, "the API server answers");
        health_set(app->observed, true, NULL);
        return;
    }
    log_warn(app->log, "waiting for the API server: %s", result->error.text);
    loop_timer_set(&app->contact_timer, clock_now() + CONTACT_RETRY);
}

static void contact_again(loop_timer_t *timer)
{
    contact(HOST_CONTAINER(timer, app_t, contact_timer));
}

static void contact(app_t *app)
{
    const kube_request_t request = {.method = "GET",
                                    .path = "/version",
                                    .timeout = 10 * CLOCK_S,
                                    .on_done = contact_done,
                                    .arg = app};

    if (kube_client_send(app->reads, &request, NULL, NULL) < 0)
        loop_timer_set(&app->contact_timer, clock_now() + CONTACT_RETRY);
}

/* Leads at once and for good; no Lease is touched. (docs/election.md) */
static void lead_without_election(app_t *app)
{
    log_info(app->log, "leader election is disabled: leading at once; run one replica only");
    health_publish(app->health, "/leader", 200,
                   "{\"state\":\"election disabled\",\"leader\":true}");
    loop_timer_init(&app->contact_timer, app->loop, contact_again);
    contact(app);
    app_term_begin(app, fence_create(1, CLOCK_NEVER));
}

/* -- Opening, in order -- */

static void on_outnumbered(void *arg, uint64_t term, int64_t seen)
{
    app_t *app = arg;

    lease_outnumbered(app->lease, term, seen);
}

static void on_fenced(void *arg)
{
    app_t *app = arg;

    app_fencing_check(app->fencing);
}

static void open_fencing(app_t *app)
{
    const config_t *c = app->config;

    if (c->fencing != CONFIG_FENCING_SERVER)
        return;
    app->fencing = app_fencing_create(
        &(app_fencing_options_t){.loop = app->loop,
                                 .credentials = app->credentials,
                                 .reads = app->reads,
                                 .writes = app->writes,
                                 .log = app->log,
                                 .health = app->health,
                                 .namespace = app->lease_namespace,
                                 .name = c->leader_election.id,
                                 .identity = c->name,
                                 .addresses = (const char *const *) c->api_servers,
                                 .lease_duration = c->leader_election.lease_duration,
                                 .on_proved = app_begin_proved,
                                 .on_outnumbered = on_outnumbered,
                                 .arg = app});
    app->shared.policy = app_fencing_policy(app->fencing);
    app->shared.on_fenced = on_fenced;
    app->shared.fenced_arg = app;
}

static int open_kube(app_t *app, lh_error_t *err)
{
    const config_t *c = app->config;
    const bool required = c->health.plugins == CONFIG_PLUGINS_REQUIRED;
    kube_client_options_t options = {.loop = app->loop,
                                     .credentials = app->credentials,
                                     .kind = KUBE_CLIENT_READS,
                                     .log = app->log,
                                     .metrics = app->metrics};
    int ret = kube_client_create(&options, &app->reads, err);

    if (ret < 0)
        return ret;
    options.kind = KUBE_CLIENT_WRITES;
    options.write_user_timeout = app_write_user_timeout(c);
    ret = kube_client_create(&options, &app->writes, err);
    if (ret < 0)
        return ret;
    app->discovery = kube_discovery_create(app->reads, app->log);
    app->hub = watch_hub_create(
        &(watch_hub_options_t){.loop = app->loop,
                               .client = app->reads,
                               .discovery = app->discovery,
                               .log = app->log,
                               .metrics = app->metrics,
                               .max_lists = (size_t) app->config->watch.max_lists});
    app->shared = (plugin_shared_t){.loop = app->loop,
                                    .reads = app->reads,
                                    .writes = app->writes,
                                    .log = app->log,
                                    .metrics = app->metrics,
                                    .health = app->health,
                                    .counts = required ? HEALTH_READYZ : 0,
                                    .identity = c->name,
                                    .box = app->box,
                                    .next_ctx = 1};
    rand_bytes(&app->shared.run_seed, sizeof(app->shared.run_seed));
    open_fencing(app);
    return 0;
}

/* A host without one works as well; it only cannot say who took it down. */
static void open_blackbox(app_t *app, const char *state_dir)
{
    lh_error_t err = {0};

    if (plugin_blackbox_open(state_dir, app->log, &app->box, &err) < 0)
        log_warn(app->log, "no black box: %s", err.text);
}

static int open_election(app_t *app, const char *state_dir, lh_error_t *err)
{
    const config_t *c = app->config;
    lease_options_t options = {
        .owner = app->loop,
        .credentials = app->credentials,
        .namespace = app->lease_namespace,
        .name = c->leader_election.id,
        .identity = c->name,
        .lease_duration = c->leader_election.lease_duration,
        .renew_deadline = c->leader_election.renew_deadline,
        .retry_period = c->leader_election.retry_period,
        .stop_budget = c->stop_budget,
        .clock_skew = c->leader_election.clock_skew,
        .state_dir = state_dir,
        .owner_beat = &app->beat,
        .log = app->log,
        .metrics = app->metrics,
        .health = app->health,
        .events = app_lease_events,
    };

    if (!c->leader_election.enabled) {
        lead_without_election(app);
        return 0;
    }
    options.events.arg = app;
    app->events = app_events_create(&(app_events_options_t){.loop = app->loop,
                                                            .credentials = app->credentials,
                                                            .log = app->log,
                                                            .metrics = app->metrics,
                                                            .namespace = options.namespace,
                                                            .lease = c->leader_election.id,
                                                            .identity = c->name});
    return lease_start(&options, &app->lease, err);
}

/* A request is made as one other user: those of plugins as their own, to be fenced. */
static int check_impersonation(const app_t *app, lh_error_t *err)
{
    if (app->config->fencing != CONFIG_FENCING_SERVER || app->credentials->impersonate == NULL)
        return 0;
    return host_fail(
        err, LH_EINVAL,
        "fencing: server: the requests of plugins are made as service accounts, so the "
        "credentials (%s) must not impersonate somebody else",
        app->credentials->origin);
}

static void tell_server(const app_t *app)
{
    const kube_credentials_t *c = app->credentials;
    host_cleanup(host_freep) char *proxy = c->proxy != NULL ? kube_proxy_label(c->proxy) : NULL;

    log_info(app->log, "API server %s (%s)%s%s", c->server, c->origin,
             proxy != NULL ? ", by proxy " : "", proxy != NULL ? proxy : "");
}

/* 2 where a restart does not help, for what failed is the user's to mend. */
static int exit_status(int ret)
{
    switch (ret) {
    case LH_EINVAL:
    case LH_EPERM:
    case LH_ENOTFOUND:
    case LH_ETOOBIG:
        return 2;
    default:
        return 1;
    }
}

/* Everything up to the running loop; what fails here is the user's to mend. */
static int open_all(app_t *app, lh_error_t *err)
{
    const config_t *c = app->config;
    const kube_credentials_source_t source = {.path = c->kubeconfig,
                                              .context = c->context,
                                              .env = app->options->env,
                                              .log = app->log,
                                              .metrics = app->metrics};
    host_cleanup(host_freep) char *state_dir = NULL;
    int ret = kube_credentials_load(&source, &app->credentials, err);

    app->status = 2;
    if (ret == 0)
        ret = check_impersonation(app, err);
    if (ret < 0)
        return ret;
    app->lease_namespace = app_lease_namespace(c, app->options->env, app->credentials, NULL);
    ret = app_state_open(c, app->lease_namespace, &state_dir, err);
    if (ret < 0)
        return ret;
    app->status = 1;
    ret = loop_create(&app->loop, err);
    if (ret == 0)
        ret = open_signals(app, err);
    if (ret < 0)
        return ret;
    open_health(app);
    if (strcmp(c->health.address, "0") != 0) {
        ret = serve_start(&(serve_options_t){.address = c->health.address,
                                             .health = app->health,
                                             .metrics = app->metrics,
                                             .log = app->log},
                          &app->serve, err);
        if (ret < 0) {
            app->status = exit_status(ret);
            return ret;
        }
        log_info(app->log, "health and metrics on port %u", (unsigned) serve_port(app->serve));
    }
    tell_server(app);
    open_blackbox(app, state_dir);
    ret = open_kube(app, err);
    if (ret == 0)
        ret = app_plugins_start(app, err);
    if (ret == 0)
        ret = open_election(app, state_dir, err);
    if (ret == 0)
        app_commands_open(app);
    else
        app->status = exit_status(ret);
    return ret;
}

/* -- Closing, in reverse -- */

static void close_all(app_t *app)
{
    app_control_close(app->control);
    serve_stop(app->serve);
    lease_stop(app->lease);
    app_events_destroy(app->events);
    if (app_plugins_destroy(app)) {
        log_warn(app->log, "threads of a plugin never returned; ending without them");
        _exit(app->status);
    }
    plugin_blackbox_close(app->box);
    app_fencing_destroy(app->fencing);
    fence_unref(app->fence);
    watch_hub_destroy(app->hub);
    if (app->discovery != NULL)
        kube_discovery_destroy(app->discovery);
    kube_client_destroy(app->writes);
    kube_client_destroy(app->reads);
    if (app->signals != NULL)
        event_free(app->signals);
    host_closep(&app->signal_fd);
    loop_destroy(app->loop);
    kube_credentials_destroy(app->credentials);
}

int app_run(const config_t *config, const app_options_t *options)
{
    app_t app = {.config = config, .options = options, .signal_fd = -1};
    lh_error_t err = {0};

    app.log = log_create(STDERR_FILENO, (enum log_format) config->log.format,
                         (enum log_level) config->log.level);
    app.metrics = metrics_create();
    app.health = health_create();
    metric_set(
        metric_cell(metrics_gauge(app.metrics, "leasehold_build_info", "Version of the host.",
                                  (const char *const[]){"version", NULL}),
                    (const char *const[]){options->version, NULL}),
        1);
    log_info(app.log, "leasehold %s, identity '%s'", options->version, config->name);
    log_info(app.log, "configuration: %s", config->files != NULL ? config->files : "no file");
    curl_global_init(CURL_GLOBAL_ALL);

    if (open_all(&app, &err) == 0) {
        app.status = 0;
        loop_run(app.loop);
    } else {
        log_error(app.log, "%s", err.text);
        if (app.instance_count > 0) { /* they end by the loop only */
            app_stop(&app);
            loop_run(app.loop);
        }
    }
    close_all(&app);
    curl_global_cleanup();
    health_destroy(app.health);
    metrics_destroy(app.metrics);
    if (app.status == 0)
        log_info(app.log, "stopped");
    log_destroy(app.log);
    return app.status;
}
