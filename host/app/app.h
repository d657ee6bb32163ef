/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the host together: configuration in, one running replica, an exit status out.
 *
 *   state directory -> HTTP server -> scan, probe, create plugins -> elector
 *   term begins: activate, open subscriptions
 *   term ends:   close subscriptions, clear queues, cancel, drain, deactivate (in this order)
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "config/config.h"

typedef struct app_options {
    const char *const *env; /* "NAME=value", NULL-terminated; borrowed */
    const char *version;    /* of the product */
} app_options_t;

/* Runs until SIGTERM, SIGINT or SIGHUP, then hands over and ends. Called before any thread is made:
 * it blocks these signals (SIGHUP unless it is ignored) and ignores SIGPIPE. Returns the exit
 * status: 0 fine, 1 failed, 2 configuration. With plugin threads that never returned it does not
 * return but ends the process by _exit. [loop-thread] */
int app_run(const config_t *config, const app_options_t *options);

#endif
