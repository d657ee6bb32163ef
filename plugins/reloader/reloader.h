/* SPDX-License-Identifier: Apache-2.0 */
/* Rolls Deployments, DaemonSets and StatefulSets when a ConfigMap or Secret that they use changes. */
#ifndef RELOADER_H
#define RELOADER_H

#include <leasehold/leasehold.h>

#include <pthread.h>

#define DIGEST_SIZE 41 /* of a SHA-1 in hexadecimal, with its end */

/* The watches of manifest.json, in its order. */
enum {
    WATCH_CONFIG_MAPS,
    WATCH_SECRETS,
    WATCH_DEPLOYMENTS,
    WATCH_DAEMON_SETS,
    WATCH_STATEFUL_SETS
};

/* The instance's configuration. Slices point into text. */
typedef struct settings {
    char *text;
    int annotations; /* the strategy: annotations instead of env-vars */
    int all, on_create, on_delete;
    lh_json_t ignored;  /* namespaces */
    char selector[512]; /* of ConfigMaps and Secrets; "": all */
} settings_t;

/* What each ConfigMap and Secret held when it was last dealt with, in this term. */
typedef struct memory {
    pthread_mutex_t lock;
    struct seen *seen;
} memory_t;

struct lh_plugin {
    const lh_host_t *host;
    settings_t settings;
    memory_t memory;
};

/* The ConfigMap or Secret of a reconcile. */
typedef struct source {
    lh_plugin_t *self;
    lh_ctx_t ctx;
    int is_secret;
    const char *ns, *name;
    lh_json_t object; /* the last known state when it is gone; text NULL: none */
    char digest[DIGEST_SIZE];
} source_t;

/* A Deployment, DaemonSet or StatefulSet. */
typedef struct workload {
    const char *resource, *kind;
    const lh_snapshot_t *snapshot;
    lh_json_t object;
} workload_t;

/* Which of the workloads that ask for it are rolled. */
enum {
    ROLL_CHANGED, /* all but those that have been rolled for this content */
    ROLL_MISSED,  /* those that have been rolled for other content of it */
    ROLL_GONE     /* those that have been rolled for it, as it is not there any more */
};

/* settings.c [plugin-thread] */
int settings_init(settings_t *out, const char *config, lh_error_t *err);

/* memory.c: key is copied. 1 when it is known, with its digest. [worker-thread] */
int memory_get(memory_t *m, const char *key, char digest[DIGEST_SIZE]);
int memory_put(memory_t *m, const char *key, const char *digest);
void memory_drop(memory_t *m, const char *key);
void memory_clear(memory_t *m); /* [plugin-thread] */

/* digest.c: of the data, whatever the order of its keys. [worker-thread] */
int digest(lh_json_t object, int is_secret, char out[DIGEST_SIZE], lh_error_t *err);

/* workload.c: whether its annotations ask to be rolled for this source; *named: by a list of names, so
 * that it need not be used in the template. [worker-thread] */
int is_wanted(const source_t *source, const workload_t *workload, int *named);
/* The container to mark: one that uses the source, else, if the workload names it, the first. 0: none.
 * [worker-thread] */
int find_container(const source_t *source, const workload_t *workload, int named, lh_json_t *out);

/* roll.c: rolls the workloads of the source's namespace; how is ROLL_*. The first failure is returned,
 * after all have been tried. [worker-thread] */
int roll_all(const source_t *source, int how, lh_error_t *err);

#endif
