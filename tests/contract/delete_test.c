/* SPDX-License-Identifier: Apache-2.0 */
/* Deletion: preconditions, finalizers, owners, collections. */
#include "contract/contract.h"

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
    EXPECT_TRUE(
        api_until(c->api, contract_path(c->configmaps, "child"), 30000, contract_is_gone, NULL));
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
    EXPECT_TRUE(
        api_until(c->api, contract_path(c->configmaps, "owner2"), 30000, contract_is_gone, NULL));
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

/* -- One object -- */

static void delete_with_the_right_preconditions_deletes(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "pre-right", NULL, "v");
    API_REPLY now = api_get(c->api, "%s/pre-right", c->configmaps);
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "pre-right"),
                                  "'preconditions':{'uid':'%s','resourceVersion':'%s'}",
                                  api_str(now.json, "/metadata/uid"),
                                  api_str(now.json, "/metadata/resourceVersion"));
    EXPECT_INT(r.status, 200);
    API_REPLY gone = api_get(c->api, "%s/pre-right", c->configmaps);
    EXPECT_INT(gone.status, 404);
}

static void a_failed_precondition_says_both_uids(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "pre-text", NULL, "v");
    API_REPLY now = api_get(c->api, "%s/pre-text", c->configmaps);
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "pre-text"),
                                  "'preconditions':{'uid':'other'}");
    EXPECT_ERROR(&r, 409, "Conflict",
                 contract_text("Operation cannot be fulfilled on ConfigMap \"pre-text\": the UID "
                               "in the precondition (other) does not match the UID in record (%s)",
                               api_str(now.json, "/metadata/uid")));
}

static void a_held_object_says_its_grace_period(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held");
    API_REPLY made = contract_post(c, c->configmaps,
                                   "{'metadata':{'name':'held','finalizers':['example.dev/f']}}");
    API_REPLY r = api_delete(c->api, "%s", path);

    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/metadata/deletionGracePeriodSeconds"), 0);
    EXPECT_TRUE(strtol(api_str(r.json, "/metadata/resourceVersion"), NULL, 10) >
                strtol(api_str(made.json, "/metadata/resourceVersion"), NULL, 10));
    API_REPLY last = contract_patch(c, path, "merge", "{'metadata':{'finalizers':null}}");
    EXPECT_INT(last.status, 200);
}

static void a_second_delete_of_a_held_object_is_no_change(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held-twice");
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'held-twice','finalizers':['example.dev/f']}}");
    API_REPLY one = api_delete(c->api, "%s", path);
    API_REPLY two = api_delete(c->api, "%s", path);

    EXPECT_INT(two.status, 200);
    EXPECT_STR(api_str(two.json, "/metadata/resourceVersion"),
               api_str(one.json, "/metadata/resourceVersion"));
    EXPECT_STR(api_str(two.json, "/metadata/deletionTimestamp"),
               api_str(one.json, "/metadata/deletionTimestamp"));
    API_REPLY last = contract_patch(c, path, "merge", "{'metadata':{'finalizers':null}}");
    EXPECT_INT(last.status, 200);
}

static void a_held_object_can_still_be_changed(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held-change");
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'held-change','finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s", path);
    API_REPLY r = contract_patch(c, path, "merge", "{'data':{'k':'2'}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
    EXPECT_STR(api_str(r.json, "/metadata/deletionTimestamp"),
               api_str(del.json, "/metadata/deletionTimestamp"));
    API_REPLY last = contract_patch(c, path, "merge", "{'metadata':{'finalizers':null}}");
    EXPECT_INT(last.status, 200);
}

static void the_last_of_two_finalizers_lets_go(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held-by-two");
    API_REPLY made = contract_post(
        c, c->configmaps,
        "{'metadata':{'name':'held-by-two','finalizers':['example.dev/f','example.dev/g']}}");
    API_REPLY del = api_delete(c->api, "%s", path);
    API_REPLY one =
        contract_patch(c, path, "merge", "{'metadata':{'finalizers':['example.dev/g']}}");
    API_REPLY still = api_get(c->api, "%s", path);
    API_REPLY two =
        contract_patch(c, path, "json", "[{'op':'remove','path':'/metadata/finalizers/0'}]");
    API_REPLY gone = api_get(c->api, "%s", path);

    EXPECT_INT(one.status, 200);
    EXPECT_INT(still.status, 200);
    EXPECT_INT(two.status, 200);
    EXPECT_INT(gone.status, 404);
}

static void a_put_that_removes_the_last_finalizer_deletes(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held-put");
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'held-put','finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s", path);
    API_REPLY r = contract_put(c, path, "{'metadata':{'name':'held-put'},'data':{'k':'last'}}");
    API_REPLY gone = api_get(c->api, "%s", path);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "last");
    EXPECT_INT(gone.status, 404);
}

static void a_name_is_taken_while_its_object_is_held(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_path(c->configmaps, "held-name");
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'held-name','finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s", path);
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'held-name'}}");

    EXPECT_ERROR(&r, 409, "AlreadyExists",
                 "object is being deleted: configmaps \"held-name\" already exists");
    API_REPLY last = contract_patch(c, path, "merge", "{'metadata':{'finalizers':null}}");
    EXPECT_INT(last.status, 200);
}

static void delete_with_a_broken_body_is_500(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "del-broken", NULL, "v");
    API_REPLY r = api_do(c->api, "DELETE", contract_path(c->configmaps, "del-broken"), NULL, "{");
    EXPECT_ERROR(&r, 500, "", "couldn't get version/kind; json parse error");
    API_REPLY still = api_get(c->api, "%s/del-broken", c->configmaps);
    EXPECT_INT(still.status, 200);
}

static void an_unknown_propagation_policy_is_422(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "del-policy", NULL, "v");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "del-policy"),
                                  "'propagationPolicy':'Sideways'");
    EXPECT_ERROR(&r, 422, "Invalid", "propagationPolicy: Unsupported value: \"Sideways\"");
}

static void two_ways_to_orphan_exclude_each_other(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "del-both", NULL, "v");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "del-both"),
                                  "'propagationPolicy':'Orphan','orphanDependents':true");
    EXPECT_ERROR(&r, 422, "Invalid", "orphanDependents and deletionPropagation cannot be both set");
}

static void orphan_deletion_sets_its_finalizer(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "orphaning", NULL, "v");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "orphaning"),
                                  "'propagationPolicy':'Orphan'");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "ConfigMap");
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "orphan");
    EXPECT_HAS(api_str(r.json, "/metadata/deletionTimestamp"), "T");
}

/* -- Owners and dependents -- */

#define SOON 30000 /* ms, for the collector */

static const char *make_owner(contract_t *c, const char *name)
{
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'%s'}}", name);

    REQUIRE_INT(r.status, 201);
    return contract_text("%s", api_str(r.json, "/metadata/uid"));
}

/* One ownerReference; more: "" or ",'blockOwnerDeletion':true". */
static const char *owned_by(const char *name, const char *uid, const char *more)
{
    return contract_text(
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"name\":\"%s\",\"uid\":\"%s\"%s}", name,
        uid, more);
}

static const char *make_child(contract_t *c, const char *name, const char *owners,
                              const char *finalizers)
{
    API_REPLY r = contract_post(c, c->configmaps,
                                "{'metadata':{'name':'%s','ownerReferences':[%s],'finalizers':%s}}",
                                name, owners, finalizers);

    REQUIRE_INT(r.status, 201);
    return contract_text("%s", api_str(r.json, "/metadata/uid"));
}

static bool soon_gone(contract_t *c, const char *name)
{
    return api_until(c->api, contract_path(c->configmaps, name), SOON, contract_is_gone, NULL);
}

static void release(contract_t *c, const char *name)
{
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, name), "merge",
                                 "{'metadata':{'finalizers':null}}");

    EXPECT_INT(r.status, 200);
}

static void delete_without_a_policy_takes_the_dependents(void *arg)
{
    contract_t *c = arg;
    const char *uid = make_owner(c, "plain-owner");

    make_child(c, "plain-child", owned_by("plain-owner", uid, ""), "[]");
    API_REPLY r = api_delete(c->api, "%s/plain-owner", c->configmaps);
    EXPECT_STR(api_str(r.json, "/status"), "Success");
    EXPECT_TRUE(soon_gone(c, "plain-child"));
}

static void dependents_of_dependents_are_collected(void *arg)
{
    contract_t *c = arg;
    const char *uid = make_owner(c, "grand-owner");
    const char *child = make_child(c, "grand-middle", owned_by("grand-owner", uid, ""), "[]");

    make_child(c, "grand-child", owned_by("grand-middle", child, ""), "[]");
    API_REPLY r = api_delete(c->api, "%s/grand-owner", c->configmaps);
    EXPECT_TRUE(soon_gone(c, "grand-child"));
    EXPECT_TRUE(soon_gone(c, "grand-middle"));
}

static bool has_one_owner(const api_reply_t *r, void *arg)
{
    return cJSON_GetArraySize(api_at(r->json, "/metadata/ownerReferences")) == 1 &&
           strcmp(api_str(r->json, "/metadata/ownerReferences/0/name"), arg) == 0;
}

static void a_dependent_of_two_owners_stays_with_the_second(void *arg)
{
    contract_t *c = arg;
    const char *one = make_owner(c, "first-owner");
    const char *two = make_owner(c, "second-owner");

    make_child(
        c, "shared-child",
        contract_text("%s,%s", owned_by("first-owner", one, ""), owned_by("second-owner", two, "")),
        "[]");
    API_REPLY first = api_delete(c->api, "%s/first-owner", c->configmaps);
    EXPECT_TRUE(api_until(c->api, contract_path(c->configmaps, "shared-child"), SOON, has_one_owner,
                          "second-owner"));
    API_REPLY second = api_delete(c->api, "%s/second-owner", c->configmaps);
    EXPECT_TRUE(soon_gone(c, "shared-child"));
}

static void a_dependent_of_an_absent_owner_is_collected(void *arg)
{
    contract_t *c = arg;

    make_child(c, "no-owner-child",
               owned_by("never-was", "11111111-2222-3333-4444-555555555555", ""), "[]");
    EXPECT_TRUE(soon_gone(c, "no-owner-child"));
}

static void an_owner_with_another_uid_is_an_absent_owner(void *arg)
{
    contract_t *c = arg;

    make_owner(c, "reborn-owner");
    make_child(c, "reborn-child",
               owned_by("reborn-owner", "11111111-2222-3333-4444-666666666666", ""), "[]");
    EXPECT_TRUE(soon_gone(c, "reborn-child"));
    API_REPLY owner = api_get(c->api, "%s/reborn-owner", c->configmaps);
    EXPECT_INT(owner.status, 200);
}

static void foreground_deletion_without_dependents_is_soon_done(void *arg)
{
    contract_t *c = arg;

    make_owner(c, "lone-owner");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "lone-owner"),
                                  "'propagationPolicy':'Foreground'");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(soon_gone(c, "lone-owner"));
}

static bool is_being_deleted(const api_reply_t *r, void *arg)
{
    (void) arg;
    return api_at(r->json, "/metadata/deletionTimestamp") != NULL;
}

static void foreground_deletion_waits_for_a_blocking_dependent(void *arg)
{
    contract_t *c = arg;
    const char *uid = make_owner(c, "waiting-owner");

    make_child(c, "blocking-child", owned_by("waiting-owner", uid, ",\"blockOwnerDeletion\":true"),
               "[\"example.dev/f\"]");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "waiting-owner"),
                                  "'propagationPolicy':'Foreground'");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_until(c->api, contract_path(c->configmaps, "blocking-child"), SOON,
                          is_being_deleted, NULL));
    API_REPLY owner = api_get(c->api, "%s/waiting-owner", c->configmaps);
    EXPECT_INT(owner.status, 200);
    EXPECT_STR(api_str(owner.json, "/metadata/finalizers/0"), "foregroundDeletion");
    release(c, "blocking-child");
    EXPECT_TRUE(soon_gone(c, "waiting-owner"));
}

static void foreground_deletion_does_not_wait_for_other_dependents(void *arg)
{
    contract_t *c = arg;
    const char *uid = make_owner(c, "hasty-owner");

    make_child(c, "other-child", owned_by("hasty-owner", uid, ""), "[\"example.dev/f\"]");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "hasty-owner"),
                                  "'propagationPolicy':'Foreground'");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(soon_gone(c, "hasty-owner"));
    EXPECT_TRUE(api_until(c->api, contract_path(c->configmaps, "other-child"), SOON,
                          is_being_deleted, NULL));
    release(c, "other-child");
    EXPECT_TRUE(soon_gone(c, "other-child"));
}

static void background_deletion_does_not_wait_for_dependents(void *arg)
{
    contract_t *c = arg;
    const char *uid = make_owner(c, "back-owner");

    make_child(c, "back-child", owned_by("back-owner", uid, ",\"blockOwnerDeletion\":true"),
               "[\"example.dev/f\"]");
    API_REPLY r = contract_delete(c, contract_path(c->configmaps, "back-owner"),
                                  "'propagationPolicy':'Background'");
    API_REPLY gone = api_get(c->api, "%s/back-owner", c->configmaps);
    EXPECT_INT(gone.status, 404);
    EXPECT_TRUE(api_until(c->api, contract_path(c->configmaps, "back-child"), SOON,
                          is_being_deleted, NULL));
    release(c, "back-child");
}

/* -- Collections -- */

static void delete_collection_answers_what_it_deleted(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "coll-answer", 2);
    API_REPLY r = api_delete(c->api, "%s?labelSelector=set=coll-answer", c->configmaps);
    EXPECT_ITEMS(&r, "coll-answer-0,coll-answer-1");
    EXPECT_STR(api_str(r.json, "/kind"), "ConfigMapList");
}

static void delete_collection_selects_by_field(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "coll-field", 2);
    API_REPLY r = api_delete(c->api, "%s?fieldSelector=metadata.name=coll-field-1", c->configmaps);
    EXPECT_INT(r.status, 200);
    API_REPLY left = api_get(c->api, "%s?labelSelector=set=coll-field", c->configmaps);
    EXPECT_ITEMS(&left, "coll-field-0");
}

static void delete_collection_of_nothing_is_an_empty_list(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_delete(c->api, "%s?labelSelector=set=coll-none", c->configmaps);

    EXPECT_ITEMS(&r, "");
    EXPECT_TRUE(cJSON_IsArray(api_at(r.json, "/items")));
}

static void delete_collection_with_a_bad_selector_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "coll-bad", NULL, "v");
    API_REPLY r = api_delete(c->api, "%s?labelSelector=a==(", c->configmaps);
    EXPECT_INT(r.status, 400);
    API_REPLY still = api_get(c->api, "%s/coll-bad", c->configmaps);
    EXPECT_INT(still.status, 200);
}

static void delete_collection_leaves_held_objects_terminating(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(c, c->configmaps,
                                   "{'metadata':{'name':'coll-held','labels':{'set':'coll-held'},"
                                   "'finalizers':['example.dev/f']}}");
    API_REPLY r = api_delete(c->api, "%s?labelSelector=set=coll-held", c->configmaps);
    API_REPLY still = api_get(c->api, "%s/coll-held", c->configmaps);

    EXPECT_INT(r.status, 200);
    EXPECT_INT(still.status, 200);
    EXPECT_HAS(api_str(still.json, "/metadata/deletionTimestamp"), "T");
    release(c, "coll-held");
}

static void delete_collection_keeps_to_its_namespace_and_kind(void *arg)
{
    contract_t *c = arg;
    API_REPLY secret = contract_post(
        c, c->secrets, "{'metadata':{'name':'coll-kind','labels':{'set':'coll-kind'}}}");

    contract_create(c, "coll-kind", "{\"set\":\"coll-kind\"}", "v");
    API_REPLY r = api_delete(c->api, "%s?labelSelector=set=coll-kind", c->configmaps);
    EXPECT_INT(r.status, 200);
    API_REPLY still = api_get(c->api, "%s/coll-kind", c->secrets);
    EXPECT_INT(still.status, 200);
}

static void namespaces_have_no_delete_collection(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_delete(c->api, "/api/v1/namespaces?labelSelector=none=%s", c->id);

    EXPECT_ERROR(&r, 405, "MethodNotAllowed", "the server does not allow this method");
}

static const tap_test_t tests[] = {
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
    {"delete with the right preconditions deletes", delete_with_the_right_preconditions_deletes},
    {"a failed precondition says both uids", a_failed_precondition_says_both_uids},
    {"a held object says its grace period", a_held_object_says_its_grace_period},
    {"a second delete of a held object is no change",
     a_second_delete_of_a_held_object_is_no_change},
    {"a held object can still be changed", a_held_object_can_still_be_changed},
    {"the last of two finalizers lets go", the_last_of_two_finalizers_lets_go},
    {"a put that removes the last finalizer deletes",
     a_put_that_removes_the_last_finalizer_deletes},
    {"a name is taken while its object is held", a_name_is_taken_while_its_object_is_held},
    {"delete with a broken body is 500", delete_with_a_broken_body_is_500},
    {"an unknown propagation policy is 422", an_unknown_propagation_policy_is_422},
    {"two ways to orphan exclude each other", two_ways_to_orphan_exclude_each_other},
    {"orphan deletion sets its finalizer", orphan_deletion_sets_its_finalizer},
    {"delete without a policy takes the dependents", delete_without_a_policy_takes_the_dependents},
    {"dependents of dependents are collected", dependents_of_dependents_are_collected},
    {"a dependent of two owners stays with the second",
     a_dependent_of_two_owners_stays_with_the_second},
    {"a dependent of an absent owner is collected", a_dependent_of_an_absent_owner_is_collected},
    {"an owner with another uid is an absent owner", an_owner_with_another_uid_is_an_absent_owner},
    {"foreground deletion without dependents is soon done",
     foreground_deletion_without_dependents_is_soon_done},
    {"foreground deletion waits for a blocking dependent",
     foreground_deletion_waits_for_a_blocking_dependent},
    {"foreground deletion does not wait for other dependents",
     foreground_deletion_does_not_wait_for_other_dependents},
    {"background deletion does not wait for dependents",
     background_deletion_does_not_wait_for_dependents},
    {"deletecollection answers what it deleted", delete_collection_answers_what_it_deleted},
    {"deletecollection selects by field", delete_collection_selects_by_field},
    {"deletecollection of nothing is an empty list", delete_collection_of_nothing_is_an_empty_list},
    {"deletecollection with a bad selector is 400", delete_collection_with_a_bad_selector_is_400},
    {"deletecollection leaves held objects terminating",
     delete_collection_leaves_held_objects_terminating},
    {"deletecollection keeps to its namespace and kind",
     delete_collection_keeps_to_its_namespace_and_kind},
    {"namespaces have no deletecollection", namespaces_have_no_delete_collection},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "delete", tests, sizeof(tests) / sizeof(tests[0]));
}
