/* SPDX-License-Identifier: Apache-2.0 */
/* One instance of a fixture on a scripted API server and a fake clock. */
#ifndef UNIT_PLUGIN_RUNTIME_RIG_H
#define UNIT_PLUGIN_RUNTIME_RIG_H

#include "base/clock.h"
#include "hooks.h"
#include "plugin/instance.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/fake_kube.h"

typedef struct rig {
    loop_t *loop;
    fake_kube_t *kube;
    watch_hub_t *hub;
    plugin_shared_t shared;
    plugin_file_t file;
    plugin_instance_t *instance;
    fence_t *fence;
    int pipe[2]; /* what "hang" reads */
    bool settled, rested, ended;
} rig_t;

/* Of fixtures/puppet. config NULL: {"fd": the pipe's}. */
rig_t *rig_create(const char *config);

typedef struct rig_options {
    hooks_t *hooks;      /* of fixtures/hooked; NULL: fixtures/puppet */
    const char *config;  /* of puppet */
    const char *watches; /* of the manifest, a JSON array; NULL: ConfigMaps */
    const char *const *namespaces;
    uint32_t workers, max_in_flight; /* 0: 2 and 64 */
    unsigned counts;                 /* endpoints that fail with its checks */
    bool process, warm;
    bool unsettled; /* does not wait until it is created */
    int log_fd;     /* takes the lines from INFO on; 0: errors go to stderr */
} rig_options_t;
rig_t *rig_create_with(const rig_options_t *options);
void rig_destroy(rig_t *r);

/* Turns the loop until done; fails the test after 5 s of real time. */
void rig_until(rig_t *r, bool (*done)(rig_t *r, const void *arg), const void *arg,
               const char *what);
void rig_until_flag(rig_t *r, const bool *flag, const char *what);
/* Until the series of an puppet's metric has this value: rig_until_count(r, "runs", "x", "reason 4", 1). */
void rig_until_count(rig_t *r, const char *metric, const char *a, const char *b, double value);
double rig_count(rig_t *r, const char *metric, const char *a, const char *b);
/* The value of any series, -1 when it is not there. */
double rig_series(rig_t *r, const char *series);
void rig_until_series(rig_t *r, const char *series, double value);
/* Turns the loop for a while: for things that must not happen. */
void rig_idle(rig_t *r);
/* Until /readyz?verbose holds this. */
void rig_until_health(rig_t *r, const char *part);

/* Begins a term and gives the first list: one ConfigMap per `do` word, named after it. */
void rig_lead(rig_t *r, uint64_t term, const char *const *words);
void rig_event(rig_t *r, const char *type, const char *word, int version);
/* In pieces, for other watches: begins a term; waits for the stream whose URL holds part; gives it an
 * object; ends its first list. */
void rig_begin(rig_t *r, uint64_t term);
kube_call_t *rig_stream(rig_t *r, const char *part);
void rig_object(rig_t *r, const char *part, const char *type, const char *object);
void rig_synced(rig_t *r, const char *part);
void rig_end(rig_t *r, bool forced, int64_t budget);

#endif
