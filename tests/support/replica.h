/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host binary as a child process, for end-to-end tests: each replica has a folder of its own
 * with its configuration, plugins, state and log. Waiting is for events (a line in the log, an
 * answer of the health port), with a limit; nothing sleeps for a time.
 */
#ifndef SUPPORT_REPLICA_H
#define SUPPORT_REPLICA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct replica replica_t;

typedef struct replica_options {
    const char *name;           /* identity */
    const char *lease;          /* Lease name; NULL: election disabled */
    const char *ns;             /* namespace of the Lease, and the only one watched; "*": all */
    const char *kubeconfig;     /* NULL: $LEASEHOLD_TEST_KUBECONFIG */
    const char *const *plugins; /* paths of .so files, NULL-terminated; linked into the folder */
    const char *durations;      /* "LD/RD/RP", e.g. "3s/2s/500ms"; NULL: that */
    const char *plugins_dir;    /* instead of a folder made of them; NULL: that */
    const char *health;         /* address of the health port; NULL: a free one */
    const char *state_dir;      /* NULL: in the replica's folder */
    const char *config;         /* more YAML, appended at top level; NULL: none */
    const char *instances;      /* YAML under plugins.instances, indented by four; NULL: none */
    const char *binary;         /* instead of the host as built; borrowed; NULL: that */
    const char *env;            /* "NAME=VALUE" more in its environment; borrowed; NULL: none */
} replica_options_t;

/* Writes the folder and starts the process. Ends the program with a text when it cannot. */
replica_t *replica_start(const replica_options_t *options);
/* The same folder, a new process. */
void replica_restart(replica_t *r);
/* From the next restart on the host is run by this program (valgrind) with its arguments, at most 8
 * in all; borrowed. */
void replica_wrap(replica_t *r, const char *const *program);
/* Kills it if it runs, removes the folder. NULL is allowed. */
void replica_free(replica_t *r);

pid_t replica_pid(const replica_t *r);
const char *replica_dir(const replica_t *r);
void replica_signal(replica_t *r, int signal);
/* Waits for its end at most ms; its exit status, 128 + signal, or -1 when it still runs. A replica
 * whose configuration is refused ends at once with its text in the log. */
int replica_wait(replica_t *r, int ms);
bool replica_running(replica_t *r);

int replica_port(replica_t *r); /* of health, once it is told in the log; 0: it never was */

/* True as soon as the log holds text (after the place that replica_mark left), within ms. */
bool replica_logged(replica_t *r, const char *text, int ms);
void replica_mark(replica_t *r); /* later searches begin at the log's present end */
char *replica_log(replica_t *r); /* all of it; caller frees */
int replica_log_count(replica_t *r, const char *text);

/* GET on the health port: HTTP status (0: no answer); *body (may be NULL) is freed by the caller. */
int replica_get(replica_t *r, const char *path, char **body);
/* Asks every 10 ms until the status is `status`, within ms. */
bool replica_answers(replica_t *r, const char *path, int status, int ms);
/* Asks every 10 ms until the body holds text, within ms. */
bool replica_says(replica_t *r, const char *path, const char *text, int ms);
/* The value of a metric's line that begins with `series`, -1 when there is none. */
double replica_metric(replica_t *r, const char *series);

/* Runs `leasehold VERB... --config <the replica's>` beside it and waits for its end: its exit status, -1
 * when it is killed by a signal. *out is its standard output and error; the caller frees it. */
int replica_ask(const replica_t *r, const char *const *verb, char **out);

/* Milliseconds of a clock that never steps. */
int64_t replica_now_ms(void);

#endif
