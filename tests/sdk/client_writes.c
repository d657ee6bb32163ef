/* SPDX-License-Identifier: Apache-2.0 */
/* What controllers do with the verbs: ensure.h, retry.h, owner.h, finalizer.h, conditions.h, apply.h. */
#include "client_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- Create or patch -- */

static void ensure(probe_t *p, const char *what, const lh_ref_t *ref, const char *wanted,
                   uint32_t expected)
{
    uint32_t outcome = 99;

    probe_int(p, what,
              lh_create_or_patch(p->host, p->ctx, ref, LH_NO_WATCH, wanted, &outcome, &p->err), 0);
    probe_int(p, what, outcome, expected);
}

static void creates_or_patches(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    char *wanted = probe_configmap(&ref, "\"a\":\"1\",\"gone\":null");

    ensure(p, "first", &ref, wanted, LH_CREATED);
    ensure(p, "second", &ref, wanted, LH_UNCHANGED);
    probe_int(p, "others",
              lh_patch(p->host, p->ctx, &ref, LH_PATCH_MERGE,
                       "{\"data\":{\"a\":\"2\",\"b\":\"x\",\"gone\":\"y\"}}", NULL, &p->err),
              0);
    ensure(p, "third", &ref, wanted, LH_CHANGED);
    probe_at(p, &ref, "/data/a", "1");
    probe_at(p, &ref, "/data/b", "x");
    probe_at(p, &ref, "/data/gone", NULL);
    ensure(p, "fourth", &ref, wanted, LH_UNCHANGED);
    free(wanted);
}

static void owns(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    const lh_ref_t other_ref = probe_ref(p, "v1", "configmaps", "other");
    const lh_json_t owner = lh_snapshot_json(p->host, p->object);
    char *wanted = probe_configmap(&ref, "\"a\":\"1\"");
    char uid[64] = "";

    probe_make(p, &other_ref, "");
    char *other = probe_get(p, &other_ref);
    (void) lh_json_string(owner, "/metadata/uid", uid, sizeof(uid));
    probe_int(p, "controller", lh_owner_set_controller(&wanted, owner, &p->err), 0);
    ensure(p, "first", &ref, wanted, LH_CREATED);
    char *made = probe_get(p, &ref);
    probe_int(p, "controls", lh_owner_controls(probe_json(made), uid), 1);
    probe_int(p, "another controller", lh_owner_set_controller(&made, probe_json(other), &p->err),
              LH_EEXISTS);
    probe_int(p, "another owner", lh_owner_add(&made, probe_json(other), &p->err), 0);
    probe_int(p, "update", lh_update(p->host, p->ctx, &ref, made, NULL, &p->err), 0);
    ensure(p, "second", &ref, wanted, LH_UNCHANGED);
    probe_at(p, &ref, "/metadata/ownerReferences/1/name", other_ref.name);
    char *taken = probe_configmap(&other_ref, "\"a\":\"1\"");
    probe_int(p, "controller", lh_owner_set_controller(&taken, owner, &p->err), 0);
    probe_int(p, "somebody else's",
              lh_create_or_patch(p->host, p->ctx, &other_ref, LH_NO_WATCH, taken, NULL, &p->err),
              LH_EEXISTS);
    probe_at(p, &other_ref, "/data/a", NULL);
    free(taken);
    free(made);
    free(other);
    free(wanted);
}

/* What stands in host.h about objects: both are there. */
static void references(probe_t *p)
{
    char *reference = lh_object_reference(lh_snapshot_json(p->host, p->object));

    probe_value(p, probe_json(reference), "/apiVersion", "v1");
    probe_value(p, probe_json(reference), "/kind", "ConfigMap");
    probe_value(p, probe_json(reference), "/namespace", p->ns);
    probe_value(p, probe_json(reference), "/name", p->name);
    free(reference);
}

/* -- Retries and finalizers -- */

typedef struct counter {
    probe_t *p;
    const lh_ref_t *ref;
    int tries;
} counter_t;

/* Somebody else is faster the first time. */
static int count(void *arg, lh_json_t object, char **patch, lh_error_t *err)
{
    counter_t *const c = arg;
    char old[32] = "";

    (void) err;
    (void) lh_json_string(object, "/data/n", old, sizeof(old));
    if (c->tries++ == 0)
        probe_int(c->p, "somebody else",
                  lh_patch(c->p->host, c->p->ctx, c->ref, LH_PATCH_MERGE,
                           "{\"data\":{\"n\":\"7\"}}", NULL, &c->p->err),
                  0);
    *patch = lh_json_printf("{'data':{'n':'%s1'}}", old);
    return 0;
}

static void retries(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    const lh_json_t none = {NULL, 0};
    counter_t c = {p, &ref, 0};
    uint32_t outcome = 99;

    probe_int(p, "of none",
              lh_retry_on_conflict(p->host, p->ctx, &ref, none, count, &c, NULL, &p->err),
              LH_ENOTFOUND);
    probe_make(p, &ref, "\"n\":\"0\"");
    char *object = probe_get(p, &ref);
    probe_int(p, "retry",
              lh_retry_on_conflict(p->host, p->ctx, &ref, probe_json(object), count, &c, &outcome,
                                   &p->err),
              0);
    probe_int(p, "tries", c.tries, 2);
    probe_int(p, "outcome", outcome, LH_CHANGED);
    probe_at(p, &ref, "/data/n", "71");
    free(object);
}

static void finalizers(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    const lh_json_t none = {NULL, 0};
    uint32_t outcome = 99;

    probe_make(p, &ref, "");
    probe_int(p, "add",
              lh_finalizer_add(p->host, p->ctx, &ref, none, "example.com/a", &outcome, &p->err), 0);
    probe_int(p, "add", outcome, LH_CHANGED);
    probe_int(p, "add another",
              lh_finalizer_add(p->host, p->ctx, &ref, none, "example.com/b", NULL, &p->err), 0);
    probe_int(p, "add again",
              lh_finalizer_add(p->host, p->ctx, &ref, none, "example.com/a", &outcome, &p->err), 0);
    probe_int(p, "add again", outcome, LH_UNCHANGED);
    probe_int(p, "delete", lh_delete(p->host, p->ctx, &ref, NULL, &p->err), 0);
    char *object = probe_get(p, &ref);
    probe_int(p, "being deleted", lh_is_being_deleted(probe_json(object)), 1);
    probe_int(p, "has", lh_finalizer_has(probe_json(object), "example.com/b"), 1);
    probe_int(p, "add too late",
              lh_finalizer_add(p->host, p->ctx, &ref, none, "example.com/c", NULL, &p->err),
              LH_EAPI);
    probe_int(p, "remove",
              lh_finalizer_remove(p->host, p->ctx, &ref, probe_json(object), "example.com/a",
                                  &outcome, &p->err),
              0);
    probe_at(p, &ref, "/metadata/finalizers", "[\"example.com/b\"]");
    probe_int(p, "remove the last, from what is old",
              lh_finalizer_remove(p->host, p->ctx, &ref, probe_json(object), "example.com/b",
                                  &outcome, &p->err),
              0);
    probe_int(p, "gone", lh_get(p->host, p->ctx, &ref, NULL, &p->err), LH_ENOTFOUND);
    probe_int(p, "remove from nothing",
              lh_finalizer_remove(p->host, p->ctx, &ref, none, "example.com/b", &outcome, &p->err),
              0);
    probe_int(p, "remove from nothing", outcome, LH_UNCHANGED);
    free(object);
}

/* -- Status -- */

static void write_condition(probe_t *p, const lh_ref_t *ref, const char *status, int64_t now,
                            uint32_t expected)
{
    const lh_ref_t its_status = lh_sub(ref, "status");
    const lh_condition_t ready = {"Ready", status, "Probed", "as it is", 1};
    uint32_t outcome = 99;
    char *object = probe_get(p, ref);
    char *list = lh_conditions_set(probe_json(object), &ready, 1, now);
    char *patch = lh_json_printf("{'status':{'conditions':%s}}", list);

    probe_int(p, "status",
              lh_patch_if_changed(p->host, p->ctx, &its_status, probe_json(object), patch, &outcome,
                                  &p->err),
              0);
    probe_int(p, "outcome", outcome, expected);
    free(patch);
    free(list);
    free(object);
}

/* Of a kind with a status of its own, which the suite defines. */
static void statuses(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "client.leasehold.dev/v1", "probes", "a");
    const int64_t now = lh_time_now();
    char since[LH_TIME_SIZE];
    char *body = lh_json_printf("{'apiVersion':'%s','kind':'Probe','metadata':{'name':'%s'},"
                                "'spec':{'page':'x'},'status':{'readyReplicas':9}}",
                                ref.api_version, ref.name);

    probe_int(p, "create", lh_create(p->host, p->ctx, &ref, body, NULL, &p->err), 0);
    probe_at(p, &ref, "/status", NULL);
    write_condition(p, &ref, "False", now, LH_CHANGED);
    write_condition(p, &ref, "False", now + LH_HOUR, LH_UNCHANGED);
    lh_time_print(now, since);
    probe_at(p, &ref, "/status/conditions/0/lastTransitionTime", since);
    write_condition(p, &ref, "True", now + LH_HOUR, LH_CHANGED);
    lh_time_print(now + LH_HOUR, since);
    probe_at(p, &ref, "/status/conditions/0/lastTransitionTime", since);
    char *object = probe_get(p, &ref);
    probe_int(p, "is true", lh_condition_is_true(probe_json(object), "Ready"), 1);
    probe_value(p, probe_json(object), "/metadata/generation", "1");
    probe_value(p, probe_json(object), "/spec/page", "x");
    free(object);
    free(body);
}

/* -- Apply -- */

static const lh_apply_options_t one = {"probe-one", 0}, two = {"probe-two", 0},
                                two_by_force = {"probe-two", 1};

static void apply(probe_t *p, const char *what, const lh_ref_t *ref, const char *data,
                  uint32_t expected)
{
    uint32_t outcome = 99;
    char *wanted = probe_configmap(ref, data);

    probe_int(p, what, lh_apply_if_changed(p->host, p->ctx, ref, &one, wanted, &outcome, &p->err),
              0);
    probe_int(p, what, outcome, expected);
    free(wanted);
}

static void applies(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    char version[64] = "", *wanted = probe_configmap(&ref, "\"a\":\"1\",\"b\":\"1\"");
    lh_response_t *answer = NULL;

    apply(p, "first", &ref, "\"a\":\"1\",\"b\":\"1\"", LH_CREATED);
    char *first = probe_get(p, &ref);
    apply(p, "second", &ref, "\"a\":\"1\",\"b\":\"1\"", LH_UNCHANGED);
    (void) lh_json_string(probe_json(first), "/metadata/resourceVersion", version, sizeof(version));
    probe_int(p, "the same", lh_apply(p->host, p->ctx, &ref, &one, wanted, &answer, &p->err), 0);
    probe_value(p, lh_response_json(p->host, answer), "/metadata/resourceVersion", version);
    lh_response_release(p->host, answer);
    probe_int(
        p, "others'",
        lh_patch(p->host, p->ctx, &ref, LH_PATCH_MERGE, "{\"data\":{\"c\":\"3\"}}", NULL, &p->err),
        0);
    apply(p, "others' fields do not matter", &ref, "\"a\":\"1\",\"b\":\"1\"", LH_UNCHANGED);
    apply(p, "less", &ref, "\"a\":\"1\"", LH_CHANGED);
    probe_at(p, &ref, "/data/a", "1");
    probe_at(p, &ref, "/data/b", NULL);
    probe_at(p, &ref, "/data/c", "3");
    apply(p, "less again", &ref, "\"a\":\"1\"", LH_UNCHANGED);
    probe_int(p, "out of memory", lh_apply(p->host, p->ctx, &ref, &one, NULL, NULL, &p->err),
              LH_ENOMEM);
    free(first);
    free(wanted);
}

static void conflicts(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    char *wanted = probe_configmap(&ref, "\"a\":\"2\"");

    apply(p, "first", &ref, "\"a\":\"1\"", LH_CREATED);
    probe_int(p, "conflict", lh_apply(p->host, p->ctx, &ref, &two, wanted, NULL, &p->err),
              LH_ECONFLICT);
    probe_has(p, "its text", p->err.text, "conflict with \"probe-one\": .data.a");
    probe_int(p, "conflict",
              lh_apply_if_changed(p->host, p->ctx, &ref, &two, wanted, NULL, &p->err),
              LH_ECONFLICT);
    probe_int(p, "by force", lh_apply(p->host, p->ctx, &ref, &two_by_force, wanted, NULL, &p->err),
              0);
    probe_at(p, &ref, "/data/a", "2");
    free(wanted);
}

#define ENV_1 "{\"name\":\"X\",\"value\":\"1\"}"
#define ENV_2 "{\"name\":\"Y\",\"value\":\"2\"}"

static void apply_env(probe_t *p, const lh_ref_t *ref, const char *env, uint32_t expected)
{
    const char *const app = p->name;
    uint32_t outcome = 99;
    char list[256];

    (void) snprintf(list, sizeof(list), "[%s]", env);
    /* what is outside of quotes is one value, so the brackets come with it */
    char *wanted = lh_json_printf(
        "{'apiVersion':'apps/"
        "v1','kind':'Deployment','metadata':{'name':'%s','labels':{'app':'%s'}},"
        "'spec':{'replicas':0,'selector':{'matchLabels':{'app':'%s'}},'template':{'metadata':"
        "{'labels':{'app':'%s'}},'spec':{'containers':[{'name':'a','image':'a','ports':"
        "[{'containerPort':80}],'env':%s}]}}}}",
        ref->name, app, app, app, list);
    probe_int(p, env, lh_apply_if_changed(p->host, p->ctx, ref, &one, wanted, &outcome, &p->err),
              0);
    probe_int(p, env, outcome, expected);
    free(wanted);
}

/* Lists with keys, defaults within them, and another manager's items. */
static void applies_lists(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "apps/v1", "deployments", "d");

    apply_env(p, &ref, ENV_1 "," ENV_2, LH_CREATED);
    apply_env(p, &ref, ENV_1 "," ENV_2, LH_UNCHANGED);
    probe_int(p, "a sidecar",
              lh_patch(p->host, p->ctx, &ref, LH_PATCH_STRATEGIC,
                       "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"sidecar\","
                       "\"image\":\"s\"}]}}}}",
                       NULL, &p->err),
              0);
    apply_env(p, &ref, ENV_1 "," ENV_2, LH_UNCHANGED);
    apply_env(p, &ref, ENV_2, LH_CHANGED);
    apply_env(p, &ref, ENV_2, LH_UNCHANGED);
    char *object = probe_get(p, &ref);
    probe_has(p, "containers", object != NULL ? object : "", "\"sidecar\"");
    probe_int(p, "X is gone", object != NULL && strstr(object, "\"name\":\"X\"") != NULL, 0);
    free(object);
}

/* -- Events -- */

/* Three of one kind; the suite looks for their series. */
static void events(probe_t *p)
{
    for (int i = 0; i < 3; i++)
        probe_int(p, "event",
                  lh_emit_event(p->host, p->ctx, p->object, LH_EVENT_NORMAL, "Probed",
                                "the client's suite was here", &p->err),
                  0);
}

const probe_case_t probe_write_cases[] = {{"creates-or-patches", creates_or_patches},
                                          {"owns", owns},
                                          {"references", references},
                                          {"retries", retries},
                                          {"finalizers", finalizers},
                                          {"statuses", statuses},
                                          {"applies", applies},
                                          {"conflicts", conflicts},
                                          {"applies-lists", applies_lists},
                                          {"events", events},
                                          {NULL, NULL}};
