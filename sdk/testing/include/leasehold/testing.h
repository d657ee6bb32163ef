/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake host: unit tests of a plugin without a host and without a cluster. The plugin is linked
 * into the test program (lh_add_plugin_test() does it):
 *
 *   lh_fake_t *fake = lh_fake_lead("{}");              // create, activate
 *   lh_fake_put(fake, 0, "{'metadata': ...}");         // an object of the manifest's watch 0
 *   lh_fake_result_t result = lh_fake_settle(fake, 0, "default", "site");
 *   cr_expect(result.action == LH_DONE);
 *   cr_expect_str_eq(lh_fake_value(fake, "/apis/apps/v1/namespaces/default/deployments/site",
 *                                  "/spec/replicas"), "2");
 *   cr_expect(lh_fake_destroy(fake) == 0);             // deactivate, destroy; 0 faults
 *
 * Behind it is a small API server in memory: objects put there by the test or written by the plugin
 * are read back, in the cache too if the manifest watches them. It checks resourceVersion and uid,
 * keeps status apart from the rest, holds what has finalizers, lists by pages and selectors, and knows
 * the verbs and patches of client.h. It has no schemas, so no validation and no defaults. A strategic
 * patch and an apply know the keys of lists by their names, such as "containers" and "ports"; other
 * lists are replaced. managedFields are kept of applies only: what a plain write changes belongs to
 * nobody. There are no subresources but status, no collection by owner references, and no field
 * selectors but metadata.name and .namespace. lh_fake_answer() scripts what else a test needs.
 *
 * Plugin code runs on the thread that calls lh_fake_*(), which is its worker and its plugin thread.
 * A wrong use by the test (text that is no JSON, an unknown watch) ends the program with a message.
 * Strings that are returned belong to the fake and live until it is destroyed, unless it says
 * otherwise. In JSON that is given to the fake and has no double quotes, single ones stand for them.
 */
#ifndef LEASEHOLD_TESTING_H
#define LEASEHOLD_TESTING_H

#include <leasehold/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lh_fake lh_fake_t;
typedef void (*lh_fake_reconcile_t)(lh_plugin_t *, const lh_request_t *, lh_completion_t);

/* -- Life -- */

/* manifest is JSON; NULL: the one that is linked into this program. */
lh_fake_t *lh_fake_create(const char *manifest);
/* Ends the plugin, if there is one, and frees all. Returns the number of faults that the plugin has
 * committed, after printing them on stderr: handles not released, completions missing, doubled or
 * unknown, handles used after their release, structs without struct_size. NULL is allowed. */
size_t lh_fake_destroy(lh_fake_t *fake);
const lh_host_t *lh_fake_host(lh_fake_t *fake);

/* The plugin's own functions, with the life of a real host around them. config NULL: "{}". Watches that
 * the manifest takes from the configuration (watchesFrom) are there from now on. */
int lh_fake_start(lh_fake_t *fake, const lh_plugin_entry_t *entry, lh_fake_reconcile_t reconcile,
                  const char *config, lh_error_t *err);
int lh_fake_activate(lh_fake_t *fake, lh_error_t *err); /* a new term begins */
void lh_fake_deactivate(lh_fake_t *fake);               /* the term ends, if there is one */
void lh_fake_stop(lh_fake_t *fake);                     /* destroy() */
lh_plugin_t *lh_fake_plugin(lh_fake_t *fake);           /* what create() returned */
lh_fake_t *lh_fake_lead_(const lh_plugin_entry_t *entry, lh_fake_reconcile_t reconcile,
                         const char *config);
/* The usual beginning: create, start and activate the plugin that is linked into this program. */
#define lh_fake_lead(config) lh_fake_lead_(&lh_plugin, reconcile_async, (config))

/* -- Reconciling -- */

typedef struct lh_fake_result {
    uint32_t action;      /* LH_DONE, ...; LH_FAKE_NONE when it was not completed in time */
    uint32_t completions; /* how often it was completed */
    int64_t after_ns;
    char text[1025];
} lh_fake_result_t;
#define LH_FAKE_NONE UINT32_MAX

/* One reconcile of a key, with what it posts and requests. The reason is initial, changed, requeued
 * or gone, as the objects are. */
lh_fake_result_t lh_fake_reconcile(lh_fake_t *fake, uint32_t watch, const char *ns,
                                   const char *name);
/* The same with a reason of the test's choice (LH_REASON_LEFT). */
lh_fake_result_t lh_fake_reconcile_as(lh_fake_t *fake, uint32_t reason, uint32_t watch,
                                      const char *ns, const char *name);
/* Again and again until it is done and has written nothing; at most 20 times. The last result. */
lh_fake_result_t lh_fake_settle(lh_fake_t *fake, uint32_t watch, const char *ns, const char *name);
/* Runs what is waiting for the plugin thread now: posted functions, callbacks of requests. */
void lh_fake_run(lh_fake_t *fake);
/* How long a reconcile that completes on another thread is waited for (real time); 5 s. */
void lh_fake_set_patience(lh_fake_t *fake, int64_t ns);

/* -- Objects -- */

/* Adds or replaces an object of a watch; fills in uid, resourceVersion and creationTimestamp. */
void lh_fake_put(lh_fake_t *fake, uint32_t watch, const char *json);
/* The same for a kind that is not watched; path of its collection. */
void lh_fake_put_at(lh_fake_t *fake, const char *collection, const char *json);
/* Changes an object by a merge patch, as somebody else would; status and deletionTimestamp too. */
void lh_fake_patch(lh_fake_t *fake, const char *path, const char *json);
/* Takes an object away, finalizers or not. */
void lh_fake_remove(lh_fake_t *fake, uint32_t watch, const char *ns, const char *name);
/* JSON of the object at a path, NULL when there is none. */
const char *lh_fake_object(lh_fake_t *fake, const char *path);
/* One value of it by JSON Pointer: strings plain, all else as JSON; NULL when there is none. */
const char *lh_fake_value(lh_fake_t *fake, const char *path, const char *pointer);
/* How many objects have a path that begins like this. */
size_t lh_fake_objects(lh_fake_t *fake, const char *prefix);
/* synced 0: the cache of this watch answers LH_EUNAVAILABLE, as it does inside activate(), for a term's
 * watches are opened after it. */
void lh_fake_set_synced(lh_fake_t *fake, uint32_t watch, int synced);

/* -- Calls -- */

typedef struct lh_fake_sent {
    const char *method, *path, *content_type;
    const char *body;     /* "" if none */
    int32_t status, code; /* the answer: HTTP status (0: none) and what the plugin was told */
} lh_fake_call_t;

/* Scripts the answer to the next `times` calls (0: all) with this method (NULL: any) and a path that
 * begins like this. status is HTTP's; less than 0 it is the LH_E* code of a call without an answer.
 * body NULL: a Status made from status. Of several that fit the oldest is taken. */
void lh_fake_answer(lh_fake_t *fake, const char *method, const char *path_prefix, int status,
                    const char *body, unsigned times);
/* hook runs before each call is answered, and may use all of this header: to change an object behind
 * the plugin's back, to cancel, to end the term. NULL: none. */
typedef void (*lh_fake_hook_t)(lh_fake_t *fake, const lh_fake_call_t *call, void *arg);
void lh_fake_on_call(lh_fake_t *fake, lh_fake_hook_t hook, void *arg);
/* Calls so far (or since lh_fake_forget) by method (NULL: any) and beginning of their path. */
size_t lh_fake_calls(lh_fake_t *fake, const char *method, const char *path_prefix);
/* The index-th of them, NULL when there are fewer. */
const lh_fake_call_t *lh_fake_call(lh_fake_t *fake, const char *method, const char *path_prefix,
                                   size_t index);
size_t lh_fake_writes(lh_fake_t *fake); /* calls that are not GET */
void lh_fake_forget(lh_fake_t *fake);

/* -- The world -- */

void lh_fake_advance(lh_fake_t *fake, int64_t ns); /* moves now() */
void lh_fake_cancel(lh_fake_t *fake);    /* reconciles under way: their ctx gives LH_ECANCELED */
void lh_fake_step_down(lh_fake_t *fake); /* the term is being given up: all ctx LH_ECANCELED */
void lh_fake_end_term(lh_fake_t *fake);  /* the term is over: all ctx LH_EFENCED */
void lh_fake_set_extension(lh_fake_t *fake, const char *id, const void *extension);

/* -- What the plugin has told -- */

/* The first line of the log with this part, NULL when there is none. */
const char *lh_fake_logged(lh_fake_t *fake, const char *part);
size_t lh_fake_logged_count(lh_fake_t *fake, const char *part); /* lines with this part */
/* The index-th Event as "Normal Created website/default: note", NULL when there are fewer. */
const char *lh_fake_event(lh_fake_t *fake, size_t index);
/* The value of a series ("sites", "sites{zone=\"a\"}"); of a histogram the number of observations;
 * NAN when there is none. */
double lh_fake_metric(lh_fake_t *fake, const char *series);
/* How often a key was enqueued. */
size_t lh_fake_enqueued(lh_fake_t *fake, uint32_t watch, const char *ns, const char *name);
/* The last set_ready(): 1, 0, or -1 when there was none; *text (may be NULL) is its text or "". */
int lh_fake_ready(lh_fake_t *fake, const char **text);
/* The faults so far, as lh_fake_destroy() would print them. */
size_t lh_fake_faults(lh_fake_t *fake);
const char *lh_fake_fault(lh_fake_t *fake, size_t index);
/* Says that so many faults were expected: they count no more (a test of misbehaviour). */
void lh_fake_forgive(lh_fake_t *fake);

#ifdef __cplusplus
}
#endif

#endif
