/* SPDX-License-Identifier: Apache-2.0 */
/* Patches, deletion, finalizers, propagation, CRDs. */
#include "contract/contract.h"

/* -- Patches -- */

static void a_merge_patch_merges_and_null_removes(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "merge", "{\"a\":\"1\",\"b\":\"2\"}", "v");
    API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "merge"), "merge",
                            "{\"metadata\":{\"labels\":{\"a\":null,\"c\":\"3\"}}}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels/a") == NULL);
    EXPECT_STR(api_str(r.json, "/metadata/labels/b"), "2");
    EXPECT_STR(api_str(r.json, "/metadata/labels/c"), "3");
}

static void an_empty_merge_patch_keeps_the_version(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "empty-merge", NULL, "v");
    API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "empty-merge"), "merge", "{}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), before);
}

static void a_merge_patch_with_an_old_version_is_409(void *arg)
{
    contract_t *c = arg;
    const char *old = contract_create(c, "merge-old", NULL, "v");
    API_REPLY first = api_patch(c->api, contract_path(c->configmaps, "merge-old"), "merge",
                                "{\"data\":{\"k\":\"2\"}}");
    REQUIRE_INT(first.status, 200);
    API_REPLY r =
        api_patch(c->api, contract_path(c->configmaps, "merge-old"), "merge",
                  "{\"metadata\":{\"resourceVersion\":\"%s\"},\"data\":{\"k\":\"3\"}}", old);
    EXPECT_INT(r.status, 409);
}

static void a_json_patch_adds_replaces_removes(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "json", "{\"a\":\"1\"}", "v");
    API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "json"), "json",
                            "[{\"op\":\"add\",\"path\":\"/data/new\",\"value\":\"x\"},"
                            "{\"op\":\"replace\",\"path\":\"/data/k\",\"value\":\"y\"},"
                            "{\"op\":\"remove\",\"path\":\"/metadata/labels/a\"}]");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/new"), "x");
    EXPECT_STR(api_str(r.json, "/data/k"), "y");
    EXPECT_TRUE(api_at(r.json, "/metadata/labels/a") == NULL);
}

static void a_failed_json_patch_test_is_422(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "json-test", NULL, "v");
    API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "json-test"), "json",
                            "[{\"op\":\"test\",\"path\":\"/data/k\",\"value\":\"other\"}]");
    EXPECT_INT(r.status, 422);
}

static void a_strategic_patch_merges_lists_by_key(void *arg)
{
    contract_t *c = arg;
    char path[256], one[300];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/services", c->ns);
    snprintf(one, sizeof(one), "%s/strategic", path);
    API_REPLY made = api_post(c->api, path,
                              "{\"metadata\":{\"name\":\"strategic\"},\"spec\":{\"ports\":["
                              "{\"name\":\"a\",\"port\":80},{\"name\":\"b\",\"port\":81}]}}");
    REQUIRE_INT(made.status, 201);
    API_REPLY r = api_patch(c->api, one, "strategic",
                            "{\"spec\":{\"ports\":[{\"port\":82,\"name\":\"c\"}]}}");
    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/spec/ports")), 3);
}

static void an_unknown_patch_type_is_415(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "odd-patch", NULL, "v");
    API_REPLY r =
        api_do(c->api, "PATCH", contract_path(c->configmaps, "odd-patch"), "text/plain", "{}");
    EXPECT_INT(r.status, 415);
}

static void a_patch_of_a_missing_object_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_patch(c->api, contract_path(c->configmaps, "nobody"), "merge", "{}");

    EXPECT_INT(r.status, 404);
}

/* -- Deletion -- */

static void delete_answers_a_status_with_the_uid(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "del", NULL, "v");
    API_REPLY r = api_delete(c->api, "%s/del", c->configmaps);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Status");
    EXPECT_STR(api_str(r.json, "/status"), "Success");
    EXPECT_STR(api_str(r.json, "/details/name"), "del");
    EXPECT_INT(strlen(api_str(r.json, "/details/uid")), 36);
}

static void delete_of_a_missing_object_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_delete(c->api, "%s/nobody", c->configmaps);

    EXPECT_INT(r.status, 404);
}

static void delete_with_a_wrong_uid_precondition_is_409(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "pre", NULL, "v");
    API_REPLY r = api_do(c->api, "DELETE", contract_path(c->configmaps, "pre"), NULL,
                         "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{"
                         "\"uid\":\"00000000-0000-0000-0000-000000000000\"}}");
    EXPECT_INT(r.status, 409);
    API_REPLY still = api_get(c->api, "%s/pre", c->configmaps);
    EXPECT_INT(still.status, 200);
}

static void delete_with_a_stale_version_precondition_is_409(void *arg)
{
    contract_t *c = arg;
    char body[200];

    snprintf(body, sizeof(body),
             "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{"
             "\"resourceVersion\":\"%s\"}}",
             contract_create(c, "pre-rv", NULL, "v"));
    API_REPLY changed = api_patch(c->api, contract_path(c->configmaps, "pre-rv"), "merge",
                                  "{\"data\":{\"k\":\"2\"}}");
    REQUIRE_INT(changed.status, 200);
    API_REPLY r = api_do(c->api, "DELETE", contract_path(c->configmaps, "pre-rv"), NULL, body);
    EXPECT_INT(r.status, 409);
}

static void a_finalizer_holds_the_object_until_it_is_removed(void *arg)
{
    contract_t *c = arg;
    API_REPLY made =
        api_post(c->api, c->configmaps,
                 "{\"metadata\":{\"name\":\"fin\",\"finalizers\":[\"example.dev/f\"]}}");
    REQUIRE_INT(made.status, 201);
    API_REPLY del = api_delete(c->api, "%s/fin", c->configmaps);
    EXPECT_INT(del.status, 200);
    EXPECT_STR(api_str(del.json, "/kind"), "ConfigMap");
    EXPECT_HAS(api_str(del.json, "/metadata/deletionTimestamp"), "T");
    API_REPLY still = api_get(c->api, "%s/fin", c->configmaps);
    EXPECT_INT(still.status, 200);
    API_REPLY last = api_patch(c->api, contract_path(c->configmaps, "fin"), "merge",
                               "{\"metadata\":{\"finalizers\":null}}");
    EXPECT_INT(last.status, 200);
    API_REPLY gone = api_get(c->api, "%s/fin", c->configmaps);
    EXPECT_INT(gone.status, 404);
}

static void no_finalizer_can_be_added_while_deleting(void *arg)
{
    contract_t *c = arg;
    API_REPLY made =
        api_post(c->api, c->configmaps,
                 "{\"metadata\":{\"name\":\"fin2\",\"finalizers\":[\"example.dev/f\"]}}");
    API_REPLY del = api_delete(c->api, "%s/fin2", c->configmaps);
    API_REPLY r =
        api_patch(c->api, contract_path(c->configmaps, "fin2"), "merge",
                  "{\"metadata\":{\"finalizers\":[\"example.dev/f\",\"example.dev/g\"]}}");
    EXPECT_INT(r.status, 422);
    API_REPLY end = api_patch(c->api, contract_path(c->configmaps, "fin2"), "merge",
                              "{\"metadata\":{\"finalizers\":null}}");
    EXPECT_INT(end.status, 200);
}

static void foreground_deletion_sets_its_finalizer(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "fore", NULL, "v");
    API_REPLY r = api_do(c->api, "DELETE", contract_path(c->configmaps, "fore"), NULL,
                         "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":"
                         "\"Foreground\"}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "foregroundDeletion");
}

static bool is_gone(const api_reply_t *r, void *arg)
{
    (void) arg;
    return r->status == 404;
}

static void dependents_of_a_deleted_owner_are_collected(void *arg)
{
    contract_t *c = arg;
    API_REPLY owner = api_post(c->api, c->configmaps, "{\"metadata\":{\"name\":\"owner\"}}");
    REQUIRE_INT(owner.status, 201);
    API_REPLY child = api_post(c->api, c->configmaps,
                               "{\"metadata\":{\"name\":\"child\",\"ownerReferences\":[{"
                               "\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"owner\","
                               "\"uid\":\"%s\",\"controller\":true}]}}",
                               api_str(owner.json, "/metadata/uid"));
    REQUIRE_INT(child.status, 201);
    API_REPLY gone = api_delete(c->api, "%s/owner?propagationPolicy=Background", c->configmaps);
    EXPECT_TRUE(api_until(c->api, contract_path(c->configmaps, "child"), 30000, is_gone, NULL));
}

static void orphaned_dependents_stay(void *arg)
{
    contract_t *c = arg;
    API_REPLY owner = api_post(c->api, c->configmaps, "{\"metadata\":{\"name\":\"owner2\"}}");
    API_REPLY child = api_post(c->api, c->configmaps,
                               "{\"metadata\":{\"name\":\"child2\",\"ownerReferences\":[{"
                               "\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"owner2\","
                               "\"uid\":\"%s\"}]}}",
                               api_str(owner.json, "/metadata/uid"));
    API_REPLY del = api_delete(c->api, "%s/owner2?propagationPolicy=Orphan", c->configmaps);
    EXPECT_TRUE(api_until(c->api, contract_path(c->configmaps, "owner2"), 30000, is_gone, NULL));
    API_REPLY still = api_get(c->api, "%s/child2", c->configmaps);
    EXPECT_INT(still.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(still.json, "/metadata/ownerReferences")), 0);
}

static void delete_collection_deletes_what_is_selected(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "coll-1", "{\"coll\":\"yes\"}", "v");
    contract_create(c, "coll-2", "{\"coll\":\"yes\"}", "v");
    contract_create(c, "coll-3", NULL, "v");
    API_REPLY r = api_delete(c->api, "%s?labelSelector=coll%%3Dyes", c->configmaps);
    EXPECT_INT(r.status, 200);
    API_REPLY left = api_get(c->api, "%s?labelSelector=coll%%3Dyes", c->configmaps);
    EXPECT_INT(cJSON_GetArraySize(api_at(left.json, "/items")), 0);
    API_REPLY other = api_get(c->api, "%s/coll-3", c->configmaps);
    EXPECT_INT(other.status, 200);
}

static void a_deleted_namespace_takes_its_objects(void *arg)
{
    contract_t *c = arg;
    char ns[80], path[160];

    snprintf(ns, sizeof(ns), "%s-inner", c->ns);
    API_REPLY made = api_post(c->api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}", ns);
    REQUIRE_INT(made.status, 201);
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", ns);
    API_REPLY cm = api_post(c->api, path, "{\"metadata\":{\"name\":\"x\"}}");
    REQUIRE_INT(cm.status, 201);
    API_REPLY del = api_delete(c->api, "/api/v1/namespaces/%s", ns);
    EXPECT_STR(api_str(del.json, "/status/phase"), "Terminating");
    API_REPLY late = api_post(c->api, path, "{\"metadata\":{\"name\":\"y\"}}");
    EXPECT_INT(late.status, 403);
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s", ns);
    EXPECT_TRUE(api_until(c->api, path, 60000, is_gone, NULL));
}

/* -- CRDs -- */

#define CRDS "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

static void make_crd(contract_t *c, const char *plural, const char *kind)
{
    API_REPLY r = api_post(
        c->api, CRDS,
        "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
        "\"metadata\":{\"name\":\"%s.%s.dev\"},\"spec\":{\"group\":\"%s.dev\",\"scope\":"
        "\"Namespaced\",\"names\":{\"plural\":\"%s\",\"kind\":\"%s\"},\"versions\":[{\"name\":"
        "\"v1\","
        "\"served\":true,\"storage\":true,\"subresources\":{\"status\":{}},\"schema\":{"
        "\"openAPIV3Schema\":{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\","
        "\"required\":[\"size\"],\"properties\":{\"size\":{\"type\":\"integer\"},\"mode\":{"
        "\"type\":"
        "\"string\",\"enum\":[\"a\",\"b\"],\"default\":\"a\"}}},\"status\":{\"type\":\"object\","
        "\"x-kubernetes-preserve-unknown-fields\":true}}}}}]}}",
        plural, c->ns, c->ns, plural, kind);

    REQUIRE_INT(r.status, 201);
}

static bool is_served(const api_reply_t *r, void *arg)
{
    (void) arg;
    return r->status == 200;
}

static void a_crd_is_served_soon_after_its_creation(void *arg)
{
    contract_t *c = arg;
    char path[256];

    make_crd(c, "things", "Thing");
    snprintf(path, sizeof(path), "/apis/%s.dev/v1/namespaces/%s/things", c->ns, c->ns);
    EXPECT_TRUE(api_until(c->api, path, 10000, is_served, NULL));
    API_REPLY discovery = api_get(c->api, "/apis/%s.dev/v1", c->ns);
    EXPECT_HAS(discovery.text, "\"name\":\"things\"");
}

static void a_custom_resource_is_validated_defaulted_and_pruned(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "/apis/%s.dev/v1/namespaces/%s/things", c->ns, c->ns);
#define THING                                                                                      \
    "{\"apiVersion\":\"%s.dev/v1\",\"kind\":\"Thing\",\"metadata\":{\"name\":\"%s\"},\"spec\":%s}"
    API_REPLY missing = api_post(c->api, path, THING, c->ns, "t1", "{}");
    EXPECT_INT(missing.status, 422);
    API_REPLY type = api_post(c->api, path, THING, c->ns, "t2", "{\"size\":\"big\"}");
    EXPECT_INT(type.status, 422);
    API_REPLY mode = api_post(c->api, path, THING, c->ns, "t3", "{\"size\":1,\"mode\":\"c\"}");
    EXPECT_INT(mode.status, 422);
    API_REPLY good = api_post(c->api, path, THING, c->ns, "t4", "{\"size\":1,\"odd\":true}");
    EXPECT_INT(good.status, 201);
    EXPECT_STR(api_str(good.json, "/spec/mode"), "a");
    EXPECT_TRUE(api_at(good.json, "/spec/odd") == NULL);
    EXPECT_INT(api_int(good.json, "/metadata/generation"), 1);
}

static void a_custom_resource_status_is_apart(void *arg)
{
    contract_t *c = arg;
    char path[256], one[300];

    snprintf(path, sizeof(path), "/apis/%s.dev/v1/namespaces/%s/things", c->ns, c->ns);
    API_REPLY made = api_post(c->api, path, THING, c->ns, "t5", "{\"size\":1}");
    REQUIRE_INT(made.status, 201);
    snprintf(one, sizeof(one), "%s/t5", path);
    API_REPLY ignored = api_patch(c->api, one, "merge", "{\"status\":{\"phase\":\"x\"}}");
    EXPECT_TRUE(api_at(ignored.json, "/status") == NULL);
    snprintf(one, sizeof(one), "%s/t5/status", path);
    API_REPLY r = api_patch(c->api, one, "merge", "{\"status\":{\"phase\":\"x\"}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/status/phase"), "x");
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 1);
}

static void a_strategic_patch_of_a_custom_resource_is_415(void *arg)
{
    contract_t *c = arg;
    char one[300];

    snprintf(one, sizeof(one), "/apis/%s.dev/v1/namespaces/%s/things/t4", c->ns, c->ns);
    API_REPLY r = api_patch(c->api, one, "strategic", "{\"spec\":{\"size\":2}}");
    EXPECT_INT(r.status, 415);
}

static void a_deleted_crd_takes_its_objects_and_its_path(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "/apis/%s.dev/v1/namespaces/%s/things", c->ns, c->ns);
    api_watch_t *w = api_watch(c->api, "%s?watch=1&fieldSelector=metadata.name%%3Dt4", path);
    API_EVENT there = contract_next(w);
    EXPECT_STR(there.type, "ADDED");
    API_REPLY del = api_delete(c->api, CRDS "/things.%s.dev", c->ns);
    EXPECT_INT(del.status, 200);
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "DELETED");
    EXPECT_TRUE(api_until(c->api, path, 10000, is_gone, NULL));
    api_watch_close(w);
}

static const tap_test_t tests[] = {
    {"a merge patch merges, and null removes", a_merge_patch_merges_and_null_removes},
    {"an empty merge patch keeps the resourceVersion", an_empty_merge_patch_keeps_the_version},
    {"a merge patch with an old resourceVersion is 409", a_merge_patch_with_an_old_version_is_409},
    {"a JSON patch adds, replaces, removes", a_json_patch_adds_replaces_removes},
    {"a failed JSON patch test is 422", a_failed_json_patch_test_is_422},
    {"a strategic patch merges lists by key", a_strategic_patch_merges_lists_by_key},
    {"an unknown patch type is 415", an_unknown_patch_type_is_415},
    {"a patch of a missing object is 404", a_patch_of_a_missing_object_is_404},
    {"delete answers a Status with the uid", delete_answers_a_status_with_the_uid},
    {"delete of a missing object is 404", delete_of_a_missing_object_is_404},
    {"delete with a wrong uid as precondition is 409", delete_with_a_wrong_uid_precondition_is_409},
    {"delete with a stale resourceVersion as precondition is 409",
     delete_with_a_stale_version_precondition_is_409},
    {"a finalizer holds the object until it is removed",
     a_finalizer_holds_the_object_until_it_is_removed},
    {"no finalizer can be added while deleting", no_finalizer_can_be_added_while_deleting},
    {"foreground deletion sets its finalizer", foreground_deletion_sets_its_finalizer},
    {"dependents of a deleted owner are collected", dependents_of_a_deleted_owner_are_collected},
    {"orphaned dependents stay", orphaned_dependents_stay},
    {"deletecollection deletes what is selected", delete_collection_deletes_what_is_selected},
    {"a deleted namespace takes its objects", a_deleted_namespace_takes_its_objects},
    {"a CRD is served soon after its creation", a_crd_is_served_soon_after_its_creation},
    {"a custom resource is validated, defaulted and pruned",
     a_custom_resource_is_validated_defaulted_and_pruned},
    {"a custom resource's status is apart", a_custom_resource_status_is_apart},
    {"a strategic patch of a custom resource is 415",
     a_strategic_patch_of_a_custom_resource_is_415},
    {"a deleted CRD takes its objects and its path", a_deleted_crd_takes_its_objects_and_its_path},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "change", tests, sizeof(tests) / sizeof(tests[0]));
}
