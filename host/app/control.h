/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket, stateDir/control-<pid>.sock: commands of the person who runs the host.
 *
 * A connection carries one command, a line of at most 127 bytes:
 *   status           answered by one line of JSON
 *   log-level [[PLUGIN ]LEVEL]
 *                    sets a level, if one is given; answered by all: {"level":LEVEL,"plugins":
 *                    [{"name":PLUGIN,"level":LEVEL or null}]}, null: none of its own
 *   step-down        answered by {"leading":BOOL}: whether there was a term to hand over
 *   step-down wait   the same, and when the term has ended a second line, {"ended":REASON}
 * What goes wrong is answered by {"error":TEXT}. Root and the user of the host may ask.
 *
 * All functions are the loop thread's. A client costs it bounded work: at most 8 are served, each
 * with 5 s for its command and for reading the answer; only the wait itself has no limit of its own.
 */
#ifndef APP_CONTROL_H
#define APP_CONTROL_H

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"

#include <sys/types.h>

typedef struct app_control app_control_t;

typedef struct app_control_options {
    loop_t *loop;     /* borrowed until app_control_close */
    const char *dir;  /* stateDir; copied */
    const log_t *log; /* borrowed until app_control_close */
    /* Appends a JSON object without a line end. [loop-thread] */
    void (*status)(void *arg, buf_t *out);
    /* Sets a level and appends all levels, a JSON object without a line end; on failure nothing.
     * plugin NULL: the host's; level "": none is set. [loop-thread] */
    int (*log_level)(void *arg, const char *plugin, const char *level, buf_t *out, lh_error_t *err);
    /* Begins to hand over; 0 when there is no term to hand over, 1 when one is coming to its end.
     * [loop-thread] */
    int (*step_down)(void *arg, lh_error_t *err);
    void *arg;
} app_control_options_t;

/* Removes the sockets of hosts that are gone and listens. Caller owns *out, free with
 * app_control_close. [loop-thread] */
HOST_MUST_USE int app_control_open(const app_control_options_t *options, app_control_t **out,
                                   lh_error_t *err);
/* Answers who waits for it. NULL is allowed, here and below. [loop-thread] */
void app_control_ended(app_control_t *c, const char *reason);
/* Removes the socket. [loop-thread] */
void app_control_close(app_control_t *c);

/* A connection to the control socket of the process pid below dir, a blocking descriptor that the
 * caller closes, or -1 with errno set: ECONNREFUSED when that process is gone. [any-thread] */
int app_control_connect(const char *dir, pid_t pid);
/* The pid that the name of a control socket holds; 0: it is none. [any-thread] */
pid_t app_control_pid(const char *name);

#endif
