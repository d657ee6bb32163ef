/* SPDX-License-Identifier: Apache-2.0 */
/* The controllers of plugins/ on an API server, with the rights that `leasehold rbac` prints. */
#ifndef E2E_SHIPPED_H
#define E2E_SHIPPED_H

#include "e2e/e2e.h"

typedef struct shipped {
    e2e_t *e;
    char lease[96];
    replica_t *replica;
    int refused; /* before it had its rights */
} shipped_t;

/* Starts a leader of the plugin, with `instances` as its YAML under plugins.instances (four spaces), for
 * all namespaces, and waits until it reconciles. Where the server has authorization and issues tokens, it
 * acts as a service account with the rights that `leasehold rbac` prints for it, and no others. */
void shipped_start(shipped_t *s, e2e_t *e, const char *plugin, const char *instances);
void shipped_stop(shipped_t *s);
/* Waits until nothing is queued or under way: what was there at the start has been looked at. For an
 * instance with namespaces of its own: elsewhere other tests keep it busy. */
bool shipped_rests(shipped_t *s, int ms);

/* A kind that is gone with the run, "<plural>.<group>", of version v1, namespaced, without a schema. */
void shipped_make_kind(e2e_t *e, const char *group, const char *plural, const char *kind);

/* Waits until an Event of `reason` is about the object of that name. */
bool shipped_event(e2e_t *e, const char *ns, const char *reason, const char *name, int ms);

#endif
