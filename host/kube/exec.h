/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A credential plugin (client.authentication.k8s.io): a program that prints a token or a client
 * certificate. It runs on a thread of its own, so neither a loop nor a renewal of the Lease waits
 * for it: clients take what it gave last, and are told when there is something new.
 *
 * It runs when the first client is there, again before what it gave expires, and when the API server
 * has refused that. After a failure, or when what it just gave is refused, it runs again after a
 * delay that doubles from 1 s to 30 s.
 */
#ifndef KUBE_EXEC_H
#define KUBE_EXEC_H

#include "base/buf.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metrics.h"

typedef struct kube_exec kube_exec_t;

/* What a plugin prints. */
typedef struct kube_exec_credential {
    char *token;      /* NULL: none */
    char *cert, *key; /* PEM; both or neither */
    int64_t expires;  /* on the wall clock; CLOCK_NEVER: it does not say */
} kube_exec_credential_t;

typedef struct kube_exec_options {
    const char *command;        /* a path, or a name that is looked up in PATH */
    const char *const *args;    /* NULL-terminated, without the command; NULL: none */
    const char *const *env;     /* all of it, KUBERNETES_EXEC_INFO included; NULL-terminated */
    const char *const *secrets; /* that must not be shown; NULL-terminated; NULL: none */
    const char *api_version;    /* that its answer must have */
    const char *install_hint;   /* shown when there is no such program; NULL: none */
    int64_t time_limit;         /* for one run; 0: a minute */
    int64_t patience;           /* before the log says that a run takes long; 0: 5 s */
    const log_t *log;           /* borrowed until kube_exec_destroy; may be NULL */
    metrics_t *metrics;         /* rest_client_exec_plugin_*; likewise */
} kube_exec_options_t;

/* Starts nothing yet. Everything is copied. Caller owns the result. [any-thread] */
kube_exec_t *kube_exec_create(const kube_exec_options_t *options);
/* Ends a run that is under way. No client is left. NULL is allowed. [any-thread] */
void kube_exec_destroy(kube_exec_t *e);

/* Of a client, embedded in it. */
typedef struct kube_exec_listener {
    list_t node;
    loop_t *loop;
    loop_task_t task; /* posted after each run, whatever came of it */
} kube_exec_listener_t;

/* loop and task.fn are set. Starts the thread when it is the first. [loop's thread] */
void kube_exec_listen(kube_exec_t *e, kube_exec_listener_t *listener);
void kube_exec_unlisten(kube_exec_t *e, kube_exec_listener_t *listener);

/* Whether there is a credential: 1, also when it has expired, for the API server has the last word;
 * 0: the first run is still to end; else none, and err says why the last run gave none. Never
 * blocks. [any-thread] */
HOST_MUST_USE int kube_exec_ready(kube_exec_t *e, lh_error_t *err);
/* True while a run is under way, or is due at once: listeners are told when it has ended.
 * [any-thread] */
bool kube_exec_busy(kube_exec_t *e);
/* Copies the credential unless *generation is its number; then *generation is set, and true is
 * returned. Caller frees *out with kube_exec_credential_fini. [any-thread] */
bool kube_exec_take(kube_exec_t *e, uint64_t *generation, kube_exec_credential_t *out);
/* The API server has refused the credential of that number: it is to be replaced. As kube_exec_busy.
 * [any-thread] */
bool kube_exec_refused(kube_exec_t *e, uint64_t generation);
/* "exec plugin 'aws'", for texts; borrowed until kube_exec_destroy. */
const char *kube_exec_name(const kube_exec_t *e);

/* -- exec_credential.c -- */
/* Reads what a plugin has printed. *out needs no freeing after a failure. [any-thread] */
HOST_MUST_USE int kube_exec_parse(const char *text, size_t len, const char *api_version,
                                  kube_exec_credential_t *out, lh_error_t *err);
void kube_exec_credential_fini(kube_exec_credential_t *c); /* wipes; also a zeroed one */

/* -- exec_run.c -- */
typedef struct kube_exec_run {
    const char *path;        /* of the program */
    const char *const *argv; /* NULL-terminated */
    const char *const *env;
    int64_t time_limit;
    int stop_fd; /* readable: end it */
    int64_t patience;
    void (*on_slow)(void *arg); /* called once, after patience; NULL: never */
    void *arg;
} kube_exec_run_t;

enum { KUBE_EXEC_NOT_STARTED = -2, KUBE_EXEC_KILLED = -1 }; /* instead of an exit status */

/* Runs a program to its end: stdin is /dev/null, what it prints goes to out (up to the limit of that
 * buffer; more ends it) and, of its errors, the last 4 KiB to errors. *status is its exit status, or one
 * of the above. LH_ENOTFOUND: there is no such program; LH_ECANCELED: it was stopped. On failure err says
 * what it did, without its errors. [any-thread] */
HOST_MUST_USE int kube_exec_run(const kube_exec_run_t *run, buf_t *out, buf_t *errors, int *status,
                                lh_error_t *err);
/* The program that command means: itself when it holds a '/', else in the absolute folders of PATH in
 * env. Caller owns the result, free with free(); NULL: none. [any-thread] */
char *kube_exec_find(const char *command, const char *const *env);

#endif
