/* SPDX-License-Identifier: Apache-2.0 */
/* The Lease facts that the elector is built on. */
#include "contract/contract.h"

static void make(contract_t *c, const char *name, char *uid, char *version)
{
    API_REPLY r = api_post(c->api, c->leases, LEASE_BODY, name, "one", 0);

    REQUIRE_INT(r.status, 201);
    if (uid != NULL)
        snprintf(uid, 64, "%s", api_str(r.json, "/metadata/uid"));
    if (version != NULL)
        snprintf(version, 64, "%s", api_str(r.json, "/metadata/resourceVersion"));
}

/* Puts the Lease with this version. */
static api_reply_t put(contract_t *c, const char *name, const char *version, const char *holder,
                       int transitions)
{
    return api_put(c->api, contract_path(c->leases, name),
                   "{\"metadata\":{\"name\":\"%s\",\"resourceVersion\":\"%s\"},\"spec\":{"
                   "\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":15,\"leaseTransitions\":"
                   "%d}}",
                   name, version, holder, transitions);
}

static void a_put_of_a_lease_without_a_version_is_422(void *arg)
{
    contract_t *c = arg;

    make(c, "no-version", NULL, NULL);
    API_REPLY r =
        api_put(c->api, contract_path(c->leases, "no-version"), LEASE_BODY, "no-version", "two", 1);
    EXPECT_INT(r.status, 422);
    EXPECT_STR(api_str(r.json, "/details/causes/0/field"), "metadata.resourceVersion");
}

static void a_put_on_a_missing_lease_creates_it(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        api_put(c->api, contract_path(c->leases, "absent"), LEASE_BODY, "absent", "me", 0);

    EXPECT_INT(r.status, 201);
}

static void a_put_with_a_uid_on_a_missing_lease_is_409(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        api_put(c->api, contract_path(c->leases, "absent-uid"),
                "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":"
                "{\"name\":\"absent-uid\",\"uid\":\"11111111-1111-1111-1111-111111111111\"}"
                ",\"spec\":{\"holderIdentity\":\"me\"}}");

    EXPECT_INT(r.status, 409);
}

static void a_put_with_uid_and_version_after_deletion_is_409(void *arg)
{
    contract_t *c = arg;
    char uid[64], version[64];

    make(c, "deleted", uid, version);
    API_REPLY gone = api_delete(c->api, "%s/deleted", c->leases);
    REQUIRE_INT(gone.status, 200);
    API_REPLY r = api_put(c->api, contract_path(c->leases, "deleted"),
                          "{\"metadata\":{\"name\":\"deleted\",\"uid\":\"%s\",\"resourceVersion\":"
                          "\"%s\"},\"spec\":{\"holderIdentity\":\"\"}}",
                          uid, version);
    EXPECT_INT(r.status, 409);
}

static void an_identical_put_is_no_change(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "identical", NULL, version);
    API_REPLY r = put(c, "identical", version, "one", 0);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), version);
}

static void a_put_with_a_stale_version_is_409_conflict(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "stale", NULL, version);
    API_REPLY renewed = put(c, "stale", version, "two", 1);
    REQUIRE_INT(renewed.status, 200);
    API_REPLY r = put(c, "stale", version, "three", 2);
    EXPECT_INT(r.status, 409);
    EXPECT_STR(api_str(r.json, "/reason"), "Conflict");
    API_REPLY now = api_get(c->api, "%s/stale", c->leases);
    EXPECT_STR(api_str(now.json, "/spec/holderIdentity"), "two");
}

static void two_creates_one_winner(void *arg)
{
    contract_t *c = arg;

    make(c, "race", NULL, NULL);
    API_REPLY r = api_post(c->api, c->leases, LEASE_BODY, "race", "two", 0);
    EXPECT_INT(r.status, 409);
    EXPECT_STR(api_str(r.json, "/reason"), "AlreadyExists");
}

static void an_empty_holder_can_be_stored(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "empty", NULL, version);
    API_REPLY r = put(c, "empty", version, "", 0);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/holderIdentity"), "");
}

static void a_duration_of_zero_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        api_post(c->api, c->leases,
                 "{\"metadata\":{\"name\":\"zero\"},\"spec\":{\"leaseDurationSeconds\":0}}");

    EXPECT_INT(r.status, 422);
}

static void negative_transitions_are_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->leases, LEASE_BODY, "negative", "x", -1);

    EXPECT_INT(r.status, 422);
}

static void transitions_beyond_int32_are_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->leases,
                           "{\"metadata\":{\"name\":\"big\"},\"spec\":{\"leaseTransitions\":"
                           "2147483648}}");

    EXPECT_INT(r.status, 400);
}

static void micro_times_keep_six_digits(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->leases,
                           "{\"metadata\":{\"name\":\"micro\"},\"spec\":{\"renewTime\":"
                           "\"2026-01-02T03:04:05.000006Z\"}}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/renewTime"), "2026-01-02T03:04:05.000006Z");
}

static void annotations_are_lost_by_a_put_without_them(void *arg)
{
    contract_t *c = arg;

    make(c, "annotated", NULL, NULL);
    API_REPLY patched = api_patch(c->api, contract_path(c->leases, "annotated"), "merge",
                                  "{\"metadata\":{\"annotations\":{\"a/b\":\"c\"}}}");
    EXPECT_STR(api_str(patched.json, "/metadata/annotations/a~1b"), "c");
    API_REPLY r = put(c, "annotated", api_str(patched.json, "/metadata/resourceVersion"), "two", 1);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/annotations/a~1b"), "");
}

static void a_watch_by_name_sees_only_that_lease(void *arg)
{
    contract_t *c = arg;
    char mine_version[64], other_version[64];

    make(c, "watched", NULL, mine_version);
    make(c, "unwatched", NULL, other_version);
    API_REPLY list = api_get(c->api, "%s?fieldSelector=metadata.name%%3Dwatched", c->leases);
    REQUIRE_INT(cJSON_GetArraySize(api_at(list.json, "/items")), 1);
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&fieldSelector=metadata.name%%3Dwatched&"
                               "resourceVersion=%s",
                               c->leases, api_str(list.json, "/metadata/resourceVersion"));
    API_REPLY other = put(c, "unwatched", other_version, "x", 1);
    API_REPLY mine = put(c, "watched", mine_version, "y", 1);
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "MODIFIED");
    EXPECT_STR(api_str(e.object, "/metadata/name"), "watched");
    EXPECT_STR(api_str(e.object, "/spec/holderIdentity"), "y");
    api_watch_close(w);
}

static void a_watch_from_a_put_begins_after_it(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "from-put", NULL, version);
    API_REPLY two = put(c, "from-put", version, "two", 1);
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&fieldSelector=metadata.name%%3Dfrom-put&"
                               "resourceVersion=%s",
                               c->leases, api_str(two.json, "/metadata/resourceVersion"));
    API_REPLY next = put(c, "from-put", api_str(two.json, "/metadata/resourceVersion"), "three", 2);
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "MODIFIED");
    EXPECT_STR(api_str(e.object, "/spec/holderIdentity"), "three");
    api_watch_close(w);
}

static void a_lease_watch_sees_its_deletion(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "dying", NULL, version);
    api_watch_t *w = api_watch(c->api,
                               "%s?watch=1&fieldSelector=metadata.name%%3Ddying&"
                               "resourceVersion=%s",
                               c->leases, version);
    API_REPLY gone = api_delete(c->api, "%s/dying", c->leases);
    API_EVENT e = contract_next(w);
    EXPECT_STR(e.type, "DELETED");
    EXPECT_STR(api_str(e.object, "/spec/holderIdentity"), "one");
    api_watch_close(w);
}

static const tap_test_t tests[] = {
    {"a PUT of a Lease without a resourceVersion is 422",
     a_put_of_a_lease_without_a_version_is_422},
    {"a PUT on a missing Lease creates it with 201", a_put_on_a_missing_lease_creates_it},
    {"a PUT with a uid on a missing Lease is 409", a_put_with_a_uid_on_a_missing_lease_is_409},
    {"a PUT with uid and resourceVersion after deletion is 409",
     a_put_with_uid_and_version_after_deletion_is_409},
    {"an identical PUT of a Lease is no change", an_identical_put_is_no_change},
    {"a PUT of a Lease with a stale resourceVersion is 409 Conflict",
     a_put_with_a_stale_version_is_409_conflict},
    {"of two creates of a Lease one is 409 AlreadyExists", two_creates_one_winner},
    {"an empty holder can be stored", an_empty_holder_can_be_stored},
    {"a lease duration of zero is refused", a_duration_of_zero_is_refused},
    {"negative transitions are refused", negative_transitions_are_refused},
    {"transitions beyond int32 are refused", transitions_beyond_int32_are_refused},
    {"times of a Lease keep six digits", micro_times_keep_six_digits},
    {"annotations are lost by a PUT that does not send them",
     annotations_are_lost_by_a_put_without_them},
    {"a watch by name sees only that Lease", a_watch_by_name_sees_only_that_lease},
    {"a watch from a PUT's resourceVersion begins after it", a_watch_from_a_put_begins_after_it},
    {"a watch of a Lease sees its deletion with the last state", a_lease_watch_sees_its_deletion},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "lease", tests, sizeof(tests) / sizeof(tests[0]));
}
