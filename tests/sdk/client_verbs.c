/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs: client.h and list.h. */
#include "client_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPLOYMENT                                                                                 \
    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'%s'},'spec':{'replicas':0,"   \
    "'selector':{'matchLabels':{'app':'%s'}},'template':{'metadata':{'labels':{'app':'%s'}},"      \
    "'spec':{'containers':[{'name':'a','image':'a'},{'name':'b','image':'b'}]}}}}"

static void make_deployment(probe_t *p, const lh_ref_t *ref)
{
    char *body = lh_json_printf(DEPLOYMENT, ref->name, p->name, p->name);

    probe_int(p, "deployment", lh_create(p->host, p->ctx, ref, body, NULL, &p->err), 0);
    free(body);
}

static void verbs(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    lh_response_t *answer = NULL;
    char *body = probe_configmap(&ref, "\"k\":\"1\"");

    probe_int(p, "get before", lh_get(p->host, p->ctx, &ref, NULL, &p->err), LH_ENOTFOUND);
    probe_int(p, "update before", lh_update(p->host, p->ctx, &ref, body, NULL, &p->err),
              LH_ENOTFOUND);
    probe_int(p, "create", lh_create(p->host, p->ctx, &ref, body, &answer, &p->err), 0);
    probe_value(p, lh_response_json(p->host, answer), "/data/k", "1");
    lh_response_release(p->host, answer);
    probe_int(p, "create again", lh_create(p->host, p->ctx, &ref, body, NULL, &p->err), LH_EEXISTS);
    probe_has(p, "its text", p->err.text, "already exists");
    char *old = probe_get(p, &ref);
    char *next = lh_json_with(probe_json(old), "/data/k", "\"2\"");
    probe_int(p, "update", lh_update(p->host, p->ctx, &ref, next, &answer, &p->err), 0);
    probe_value(p, lh_response_json(p->host, answer), "/data/k", "2");
    lh_response_release(p->host, answer);
    probe_int(p, "update of what is old", lh_update(p->host, p->ctx, &ref, next, NULL, &p->err),
              LH_ECONFLICT);
    probe_has(p, "its text", p->err.text, "the object has been modified");
    probe_int(p, "update without a version", lh_update(p->host, p->ctx, &ref, body, NULL, &p->err),
              0);
    probe_at(p, &ref, "/data/k", "1");
    probe_int(p, "delete", lh_delete(p->host, p->ctx, &ref, NULL, &p->err), 0);
    probe_int(p, "delete again", lh_delete(p->host, p->ctx, &ref, NULL, &p->err), LH_ENOTFOUND);
    free(next);
    free(old);
    free(body);
}

static int patch(probe_t *p, const lh_ref_t *ref, uint32_t type, const char *body)
{
    return lh_patch(p->host, p->ctx, ref, type, body, NULL, &p->err);
}

static void patches(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");

    probe_int(p, "before", patch(p, &ref, LH_PATCH_MERGE, "{}"), LH_ENOTFOUND);
    probe_make(p, &ref, "\"a\":\"1\",\"b\":\"2\"");
    probe_int(p, "merge", patch(p, &ref, LH_PATCH_MERGE, "{\"data\":{\"a\":null,\"c\":\"3\"}}"), 0);
    probe_at(p, &ref, "/data/a", NULL);
    probe_at(p, &ref, "/data/c", "3");
    probe_int(p, "of an old version",
              patch(p, &ref, LH_PATCH_MERGE, "{\"metadata\":{\"resourceVersion\":\"1\"}}"),
              LH_ECONFLICT);
    probe_int(p, "of another object",
              patch(p, &ref, LH_PATCH_MERGE,
                    "{\"metadata\":{\"uid\":\"00000000-0000-0000-0000-000000000000\"}}"),
              LH_EAPI);
    probe_int(p, "json",
              patch(p, &ref, LH_PATCH_JSON,
                    "[{\"op\":\"test\",\"path\":\"/data/b\",\"value\":\"2\"},"
                    "{\"op\":\"replace\",\"path\":\"/data/b\",\"value\":\"4\"},"
                    "{\"op\":\"remove\",\"path\":\"/data/c\"},"
                    "{\"op\":\"add\",\"path\":\"/data/d\",\"value\":\"5\"}]"),
              0);
    probe_at(p, &ref, "/data/b", "4");
    probe_at(p, &ref, "/data/c", NULL);
    probe_at(p, &ref, "/data/d", "5");
    probe_int(
        p, "json test",
        patch(p, &ref, LH_PATCH_JSON, "[{\"op\":\"test\",\"path\":\"/data/b\",\"value\":\"2\"}]"),
        LH_EAPI);
    probe_int(p, "a type that is none", patch(p, &ref, 3, "{}"), LH_EINVAL);
}

static void strategic(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "apps/v1", "deployments", "d");

    make_deployment(p, &ref);
    probe_int(p, "strategic",
              patch(p, &ref, LH_PATCH_STRATEGIC,
                    "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"b\",\"image\":"
                    "\"new\"},{\"name\":\"a\",\"$patch\":\"delete\"}]}}}}"),
              0);
    probe_at(p, &ref, "/spec/template/spec/containers/0/name", "b");
    probe_at(p, &ref, "/spec/template/spec/containers/0/image", "new");
    probe_at(p, &ref, "/spec/template/spec/containers/1", NULL);
}

static void scale(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "apps/v1", "deployments", "d");
    const lh_ref_t its_scale = lh_sub(&ref, "scale");
    const lh_ref_t none = lh_sub(&ref, "none");

    make_deployment(p, &ref);
    probe_at(p, &its_scale, "/spec/replicas", NULL); /* 0 is left out */
    probe_int(p, "scale", patch(p, &its_scale, LH_PATCH_MERGE, "{\"spec\":{\"replicas\":2}}"), 0);
    probe_at(p, &its_scale, "/spec/replicas", "2");
    probe_at(p, &ref, "/spec/replicas", "2");
    probe_int(p, "no subresource", lh_get(p->host, p->ctx, &none, NULL, &p->err), LH_ENOTFOUND);
    probe_int(p, "delete", lh_delete(p->host, p->ctx, &ref, NULL, &p->err), 0);
}

static void preconditions(probe_t *p)
{
    const lh_ref_t ref = probe_ref(p, "v1", "configmaps", "a");
    const lh_delete_options_t another = {.uid = "00000000-0000-0000-0000-000000000000"};
    const lh_delete_options_t old = {.resource_version = "1"};
    char uid[64] = "", version[64] = "";
    const lh_delete_options_t right = {
        .uid = uid, .resource_version = version, .propagation = LH_PROPAGATION_BACKGROUND};

    probe_make(p, &ref, "");
    probe_int(p, "of another", lh_delete(p->host, p->ctx, &ref, &another, &p->err), LH_ECONFLICT);
    probe_int(p, "of an old one", lh_delete(p->host, p->ctx, &ref, &old, &p->err), LH_ECONFLICT);
    char *text = probe_get(p, &ref);
    (void) lh_json_string(probe_json(text), "/metadata/uid", uid, sizeof(uid));
    (void) lh_json_string(probe_json(text), "/metadata/resourceVersion", version, sizeof(version));
    free(text);
    probe_int(p, "of this one", lh_delete(p->host, p->ctx, &ref, &right, &p->err), 0);
    probe_int(p, "gone", lh_get(p->host, p->ctx, &ref, NULL, &p->err), LH_ENOTFOUND);
}

/* Its parent goes and takes nothing with it. */
static void orphans(probe_t *p)
{
    const lh_ref_t parent = probe_ref(p, "v1", "configmaps", "parent");
    const lh_ref_t child = probe_ref(p, "v1", "configmaps", "child");
    const lh_delete_options_t orphan = {.propagation = LH_PROPAGATION_ORPHAN};
    char *body = probe_configmap(&child, "");
    int ret = 0;

    probe_make(p, &parent, "");
    char *owner = probe_get(p, &parent);
    probe_int(p, "owner", lh_owner_add(&body, probe_json(owner), &p->err), 0);
    probe_int(p, "child", lh_create(p->host, p->ctx, &child, body, NULL, &p->err), 0);
    probe_at(p, &child, "/metadata/ownerReferences/0/name", parent.name);
    probe_int(p, "delete", lh_delete(p->host, p->ctx, &parent, &orphan, &p->err), 0);
    const int64_t until = lh_now(p->host) + 60 * LH_SECOND; /* the collector takes its time */
    while (ret == 0 && lh_now(p->host) < until)
        ret = lh_get(p->host, p->ctx, &parent, NULL, &p->err);
    probe_int(p, "parent", ret, LH_ENOTFOUND);
    probe_at(p, &child, "/metadata/name", child.name);
    probe_at(p, &child, "/metadata/ownerReferences", NULL);
    free(owner);
    free(body);
}

/* -- Lists -- */

typedef struct seen {
    char names[256];
    int left; /* until it stops */
} seen_t;

static int see(void *arg, lh_json_t item, lh_error_t *err)
{
    seen_t *const seen = arg;
    char name[254] = "";
    const size_t len = strlen(seen->names);

    (void) err;
    (void) lh_json_string(item, "/metadata/name", name, sizeof(name));
    (void) snprintf(seen->names + len, sizeof(seen->names) - len, "%s ", strrchr(name, '-') + 1);
    return --seen->left == 0 ? LH_STOP : 0;
}

static void lists(probe_t *p)
{
    const lh_ref_t all = lh_ref_of("v1", "configmaps", p->ns, NULL);
    char selector[128], field[300];
    const lh_list_options_t options = {.label_selector = selector, .limit = 2};
    const lh_list_options_t one = {.label_selector = selector, .field_selector = field};
    const lh_list_options_t bad = {.label_selector = "a in"};
    seen_t every = {0}, some = {.left = 3}, single = {0};

    (void) snprintf(selector, sizeof(selector), "list in (%s,x),!skipped", p->name);
    for (int i = 0; i < 6; i++) {
        char suffix[2] = {(char) ('a' + i), '\0'};
        const lh_ref_t ref = probe_ref(p, "v1", "configmaps", suffix);
        char *body = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'%s',"
                                    "'labels':{'list':'%s','%s':''}}}",
                                    ref.name, p->name, i == 5 ? "skipped" : "kept");
        probe_int(p, "item", lh_create(p->host, p->ctx, &ref, body, NULL, &p->err), 0);
        free(body);
    }
    probe_int(p, "list", lh_list(p->host, p->ctx, &all, &options, see, &every, &p->err), 0);
    probe_str(p, "all", every.names, "a b c d e ");
    probe_int(p, "stopped", lh_list(p->host, p->ctx, &all, &options, see, &some, &p->err), 0);
    probe_str(p, "some", some.names, "a b c ");
    (void) snprintf(field, sizeof(field), "metadata.name=%s-c", p->name);
    probe_int(p, "field", lh_list(p->host, p->ctx, &all, &one, see, &single, &p->err), 0);
    probe_str(p, "one", single.names, "c ");
    probe_int(p, "bad", lh_list(p->host, p->ctx, &all, &bad, see, &single, &p->err), LH_EAPI);
}

const probe_case_t probe_verb_cases[] = {{"verbs", verbs},
                                         {"patches", patches},
                                         {"strategic", strategic},
                                         {"scale", scale},
                                         {"preconditions", preconditions},
                                         {"orphans", orphans},
                                         {"lists", lists},
                                         {NULL, NULL}};
