/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of one controller that fail again and again (QUEUE_POISON): the worst of them stand on the
 * health board at "/poison/<controller>", for `leasehold status`, and each gets Events, as many as do no
 * harm. Everything here is of the loop thread.
 */
#ifndef PLUGIN_POISON_H
#define PLUGIN_POISON_H

#include "base/bucket.h"
#include "plugin/services.h"
#include "queue/queue.h"

enum { PLUGIN_POISON_SHOWN = 5 };

typedef struct plugin_poison_key {
    uint32_t watch, failures;
    char *ns, *name, *why;
    const char *resource;
} plugin_poison_key_t;

typedef struct plugin_poison {
    health_t *health;
    char *path; /* on the board */
    plugin_services_t *services;
    plugin_poison_key_t worst[PLUGIN_POISON_SHOWN]; /* most failures first */
    size_t count;
    bucket_t events;
} plugin_poison_t;

/* services and health are borrowed until plugin_poison_fini; name is the controller's. */
void plugin_poison_init(plugin_poison_t *p, health_t *health, const char *name,
                        plugin_services_t *services);
void plugin_poison_fini(plugin_poison_t *p);

/* A key of the watch of this resource has failed, for this reason, so often in a row. resource is borrowed
 * for as long as p; object: what the Event is about; NULL: there is none. */
void plugin_poison_failed(plugin_poison_t *p, const queue_key_t *key, uint32_t failures,
                          const char *resource, const char *why, const watch_snapshot_t *object);
/* The key has not failed this time. */
void plugin_poison_over(plugin_poison_t *p, const queue_key_t *key);
void plugin_poison_clear(plugin_poison_t *p); /* the term is over */

#endif
