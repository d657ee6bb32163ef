/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the fake host. One mutex guards all of it; plugin code and the test's hook run
 * without it. What is found by index is an array of pointers, so that nothing moves.
 */
#ifndef FAKE_H
#define FAKE_H

#include <leasehold/testing.h>

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdbool.h>

typedef struct fake_list {
    void **items;
    size_t count;
} fake_list_t;

typedef struct fake_watch {
    char *collection;  /* "/apis/apps/v1" */
    char *resource;    /* "deployments" */
    char *api_version; /* "apps/v1" */
    char *kind;
    bool primary, synced;
} fake_watch_t;

/* A ctx and, in a reconcile, the completion with the same id: 1 + its index. */
typedef struct fake_ctx {
    uint64_t term;
    bool is_reconcile, dead;
    lh_fake_result_t result;
} fake_ctx_t;

/* A path of the API, taken apart. "" where there is none. */
typedef struct fake_path {
    char *api; /* "/apis/apps/v1" */
    char *ns, *resource, *name, *sub;
} fake_path_t;

typedef struct fake_object {
    char *path;
    fake_path_t at;
    char *text; /* kept as long as the fake lives, like all earlier ones */
    bool gone;  /* text is the last state */
} fake_object_t;

/* What is known of a key over several reconciles. */
typedef struct fake_key {
    uint32_t watch;
    char *ns, *name;
    uint64_t term; /* of the last reconcile; 0: none yet */
    uint32_t attempt;
    bool requeued;
    size_t enqueued;
} fake_key_t;

typedef struct fake_script {
    char *method, *prefix, *body;
    int status;
    unsigned left; /* 0: for ever */
    bool used_up;
} fake_script_t;

typedef enum { FAKE_SNAPSHOT, FAKE_RESPONSE, FAKE_CURSOR } fake_kind_t;

/* A handle of any kind. Kept after its release, without its content, to notice misuse. */
typedef struct fake_handle {
    fake_kind_t kind;
    uint32_t refs;
    int32_t status; /* response */
    char *text;     /* snapshot, response */
    size_t len;
    fake_list_t keys; /* cursor: paths */
    size_t at;
    lh_ctx_t ctx;
} fake_handle_t;

/* Something for the plugin thread: a posted function, or a request with its callback. */
typedef struct fake_task {
    void (*fn)(void *arg);
    void (*free_arg)(void *arg);
    void *arg;
    lh_callback_t callback;
    lh_ctx_t ctx;
    lh_api_request_t request; /* with texts of its own */
} fake_task_t;

typedef struct fake_metric {
    char *name, *series;
    uint32_t type, label_count;
    double value;
} fake_metric_t;

typedef struct fake_pair {
    char *name;
    const void *value;
} fake_pair_t;

struct lh_fake {
    lh_host_t host; /* first: the table is the fake */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a completion or a task has come */
    pthread_t thread;       /* the one that plays worker and plugin thread */
    bool in_plugin;
    fake_list_t watches, contexts, objects, keys, scripts, handles, tasks, calls, logs, events,
        metrics, extensions, faults, strings;
    size_t calls_from, forgiven;
    const lh_plugin_entry_t *entry;
    lh_fake_reconcile_t reconcile;
    lh_plugin_t *plugin;
    bool active, stepping_down;
    bool activating, ending;   /* inside activate(); destroy() is next or under way */
    uint64_t term, ended_term; /* terms up to ended_term are over */
    int64_t now, patience;
    uint64_t version, uids; /* counters of the store */
    lh_fake_hook_t hook;
    void *hook_arg;
    int ready;
    char *ready_text;
    char *manifest_id;
    char *watches_from; /* JSON Pointer into the configuration; "": none */
    size_t own_watches; /* the manifest's; those from the configuration come behind */
};

/* util.c: ends the program when memory is out or the test is wrong. [any-thread] */
void *fake_alloc(size_t size);
char *fake_dup(const char *text);
char *fake_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fake_push(fake_list_t *list, void *item);
_Noreturn void fake_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *fake_keep(lh_fake_t *f, char *text); /* takes text, freed with the fake */
cJSON *fake_parse(const char *json);       /* with single quotes for double ones */
lh_fake_t *fake_of(const lh_host_t *host);

/* life.c, under the lock. [any-thread] */
int fake_ctx_state(lh_fake_t *f, lh_ctx_t ctx);
int fake_ctx_check(lh_fake_t *f, lh_ctx_t ctx, lh_error_t *err);
void fake_fault(lh_fake_t *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
lh_ctx_t fake_new_ctx(lh_fake_t *f, bool is_reconcile); /* takes the lock itself */

/* cache.c: what every key must be. [any-thread] */
int fake_key_check(const lh_key_t *key, lh_error_t *err);

/* reconcile.c, under the lock: what is known of a key, made on first sight. */
fake_key_t *fake_key(lh_fake_t *f, uint32_t watch, const char *ns, const char *name);

/* manifest.c */
void fake_read_manifest(lh_fake_t *f, const char *manifest);
void fake_read_config(lh_fake_t *f, const cJSON *config); /* watchesFrom */
void fake_watch_free(void *watch);
fake_watch_t *fake_watch(lh_fake_t *f, uint32_t watch); /* ends the program when unknown */
/* Path of an object of a watch; name NULL: of the collection. Caller owns, free with free(). */
char *fake_watch_path(const fake_watch_t *w, const char *ns, const char *name);

/* path.c: out is freed with fake_path_free(); false when it is no path of the API. */
bool fake_path_parse(const char *text, fake_path_t *out);
void fake_path_free(fake_path_t *path);
char *fake_path_text(const fake_path_t *path, const char *name); /* caller frees with free() */
/* A parameter of the query, decoded; NULL: none. Caller frees with free(). */
char *fake_path_query(const char *path, const char *name);
bool fake_path_within(const fake_path_t *object, const fake_path_t *collection);

/* store.c, under the lock. */
typedef struct fake_answer {
    int status;
    char *body; /* caller owns, free with free() */
} fake_answer_t;
fake_answer_t fake_serve(lh_fake_t *f, const lh_api_request_t *request);
fake_answer_t fake_status(int status, const char *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
fake_object_t *fake_find(lh_fake_t *f, const char *path);      /* NULL: none, or gone */
fake_object_t *fake_find_last(lh_fake_t *f, const char *path); /* also what is gone */
/* Both take the tree. */
void fake_put_object(lh_fake_t *f, const char *collection, cJSON *object);
void fake_patch_object(lh_fake_t *f, const char *path, cJSON *body);

/* merge.c. [any-thread] */
typedef enum { FAKE_MERGE, FAKE_STRATEGIC, FAKE_APPLY } fake_merge_t;
void fake_merge(cJSON *target, const cJSON *patch, fake_merge_t how);
bool fake_json_patch(cJSON *target, const cJSON *steps); /* false: a step does not fit */
/* The name of the member that tells the items of a list apart, by the list's name; NULL: none. */
const char *fake_list_key(const char *name, const cJSON *list);
/* The item that is like this one in its key, or with key NULL as a whole. */
cJSON *fake_list_find(const cJSON *list, const char *key, const cJSON *like);

/* apply.c: NULL, or the text of a conflict, then object is to be thrown away; caller frees. */
char *fake_apply(cJSON *object, const cJSON *wanted, const char *manager, const char *sub,
                 bool force);

/* handles.c, under the lock. */
fake_handle_t *fake_handle_create(lh_fake_t *f, fake_kind_t kind, const char *text);
void fake_check_leaks(lh_fake_t *f);
void fake_handle_free(void *handle);

/* What fills the table. */
void fake_table_api(lh_host_t *host);
void fake_table_cache(lh_host_t *host);
void fake_table_handles(lh_host_t *host);
void fake_table_report(lh_host_t *host);
void fake_table_threads(lh_host_t *host);

/* api.c: sends for ctx, hook and scripts included; *out gets a response on success. */
int fake_send(lh_fake_t *f, lh_ctx_t ctx, const lh_api_request_t *request, lh_response_t **out,
              lh_error_t *err);
int fake_request_check(lh_fake_t *f, const lh_api_request_t *request, lh_error_t *err);

/* threads.c, without the lock. */
void fake_run_tasks(lh_fake_t *f);
void fake_wait(lh_fake_t *f, const fake_ctx_t *ctx);
void fake_drop_tasks(lh_fake_t *f);

#endif
