/* SPDX-License-Identifier: Apache-2.0 */
/* One instance of fixtures/hooked.so on a scripted API server and the real clock; the program's main
 * thread is the loop's. */
#ifndef STRESS_RIG_H
#define STRESS_RIG_H

#include "plugin/instance.h"
#include "stress.h"
#include "support/fake_kube.h"
#include "unit/plugin/hooks.h"

typedef struct rig {
    loop_t *loop;
    fake_kube_t *kube;
    watch_hub_t *hub;
    plugin_shared_t shared;
    plugin_file_t file;
    plugin_instance_t *instance;
    fence_t *fence;
    char *config;
    bool settled, rested, ended;
} rig_t;

rig_t *rig_create(hooks_t *hooks, uint32_t workers);
void rig_destroy(rig_t *r); /* after stopping it; fails when something is left */

/* Turns the loop until *flag, for 30 s at most. */
void rig_until(rig_t *r, const bool *flag, const char *what);
void rig_turn(rig_t *r, int64_t ns); /* for so long */

/* Begins a term whose first list has `count` ConfigMaps, ns/key-0 and on. */
void rig_begin(rig_t *r, uint64_t term, int count);
void rig_change(rig_t *r, int key, int version);
/* Ends it, by force or voluntarily, and waits until nothing of it is left. */
void rig_end(rig_t *r, bool forced);
double rig_metric(rig_t *r, const char *series);

#endif
