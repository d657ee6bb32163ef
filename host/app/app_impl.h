/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of app/ share. */
#ifndef APP_APP_IMPL_H
#define APP_APP_IMPL_H

#include "app/app.h"
#include "app/control.h"
#include "app/events.h"
#include "app/fencing.h"
#include "kube/discovery.h"
#include "lease/lease.h"
#include "plugin/instance.h"
#include "serve/serve.h"
#include "watch/hub.h"

#include <stdatomic.h>

struct event;

typedef struct app app_t;

/* One instance, and whether it still owes an answer. */
typedef struct app_instance {
    app_t *app;
    plugin_instance_t *instance;
    const plugin_manifest_t *manifest; /* of its plugin */
    bool isolated;                     /* in a process of its own */
    char *config;
    bool settled, rested, ended; /* rested: nothing of a term is in it */
} app_instance_t;

/* Where the replica stands between leading and not. */
enum app_phase {
    APP_STANDBY,
    APP_LEADING,
    APP_RESTING,   /* the term has ended by force: instances are being torn down */
    APP_HANDING,   /* voluntary stop: instances drain, renewals go on */
    APP_FLUSHING,  /* drained; the answers of the last writes are awaited */
    APP_RELEASING, /* the elector gives the Lease back */
    APP_ENDING     /* instances are destroyed */
};

struct app {
    const config_t *config;
    const app_options_t *options;
    int status; /* exit status */

    log_t *log;
    metrics_t *metrics;
    health_t *health;
    loop_t *loop;
    serve_t *serve;
    kube_credentials_t *credentials;
    const char *lease_namespace;
    kube_client_t *reads, *writes;
    kube_discovery_t *discovery;
    watch_hub_t *hub;
    plugin_shared_t shared;
    plugin_blackbox_t *box; /* NULL: none */
    plugin_scan_t *scan;
    app_instance_t *instances;
    size_t instance_count;
    lease_t *lease;         /* NULL when election is disabled */
    app_control_t *control; /* NULL: none could be opened */
    app_events_t *events;   /* NULL when election is disabled */
    app_fencing_t *fencing; /* NULL: not on the server */

    _Atomic(enum app_phase) phase; /* read by any thread */
    fence_t *fence;                /* of the present term */
    bool stop_asked;
    int64_t signalled;  /* when the first of the signals that end it came */
    bool stepping_down; /* the term is handed over, and the host stands back */
    bool giving_back;   /* ending, and the answer to a release is awaited */
    int64_t drain_until;
    loop_timer_t flush_timer, beat_timer, contact_timer;
    _Atomic int64_t beat; /* clock_now() of the loop's last turn */
    struct event *signals;
    int signal_fd;
    health_check_t *started, *observed, *leading;
};

/* state.c: directories under stateDir, made and checked. *dir (caller owns, free()) is this
 * identity's own. LH_EPERM with a text that says what to do. */
HOST_MUST_USE int app_state_open(const config_t *config, const char *lease_namespace, char **dir,
                                 lh_error_t *err);

/* plugins.c */
HOST_MUST_USE int app_plugins_start(app_t *app, lh_error_t *err);
/* Destroys every instance; true when threads of a plugin are still inside. */
bool app_plugins_destroy(app_t *app);

/* term.c */
/* How long bytes of a write may stay unacknowledged: what the kernel holds dies before another holder
 * can lead, although nobody cuts it. */
int64_t app_write_user_timeout(const config_t *config);
extern const lease_events_t app_lease_events;      /* without arg */
void app_term_begin(app_t *app, fence_t *fence);   /* takes the reference */
void app_begin_proved(void *app, size_t instance); /* app_fencing_options_t.on_proved */
void app_stop(app_t *app);                         /* SIGTERM */
/* Hands the term over and stands back; false when there is none that has not begun to end. */
bool app_step_down(app_t *app);
void app_instance_rested(void *instance); /* plugin_instance_options_t.on_rested */
void app_instance_ended(void *instance);
void app_flush_timer(loop_timer_t *timer);

/* status.c: appends what `leasehold status` shows, a JSON object. arg: the app, with every instance
 * made and none destroyed. [any-thread] */
void app_status(void *arg, buf_t *out);

/* command.c: listens for commands; a host without works as well. */
void app_commands_open(app_t *app);

#endif
