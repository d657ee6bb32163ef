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

/* -- What else the elector meets -- */

static void a_lease_is_no_more_than_it_was_sent(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->leases, "{'metadata':{'name':'bare'}}");

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/spec/holderIdentity") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/leaseTransitions") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/generation") == NULL);
    EXPECT_TRUE(cJSON_IsObject(api_at(r.json, "/spec")));
}

static void a_lease_time_without_six_digits_is_400(void *arg)
{
    contract_t *c = arg;
    static const char *const times[] = {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z",
                                        "2026-01-02T03:04:05.123456789Z"};

    for (size_t i = 0; i < 3; i++) {
        API_REPLY r = contract_post(
            c, c->leases, "{'metadata':{'name':'digits'},'spec':{'renewTime':'%s'}}", times[i]);
        EXPECT_ERROR(&r, 400, "BadRequest",
                     "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"");
    }
}

static void a_lease_time_of_another_zone_is_answered_in_utc(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->leases,
        "{'metadata':{'name':'zone'},'spec':{'renewTime':'2026-01-02T05:04:05.100000+02:00'}}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/spec/renewTime"), "2026-01-02T03:04:05.100000Z");
}

static void a_lease_time_keeps_six_digits(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->leases,
                                "{'metadata':{'name':'digits'},'spec':{"
                                "'renewTime':'2025-12-31T23:30:05.123456-01:30'}}");

    EXPECT_STR(api_str(r.json, "/spec/renewTime"), "2026-01-01T01:00:05.123456Z");
}

static void a_lease_time_that_is_none_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->leases, "{'metadata':{'name':'no-time'},'spec':{'renewTime':'now'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "parsing time \"now\"");
}

static void a_patch_of_a_lease_needs_no_version(void *arg)
{
    contract_t *c = arg;

    make(c, "patched", NULL, NULL);
    API_REPLY r = contract_patch(c, contract_path(c->leases, "patched"), "merge",
                                 "{'spec':{'holderIdentity':'two'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/holderIdentity"), "two");
    EXPECT_INT(api_int(r.json, "/spec/leaseDurationSeconds"), 15);
}

static void a_put_with_a_version_on_a_missing_lease_creates_it(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = put(c, "absent-version", "5", "me", 0);

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(strcmp(api_str(r.json, "/metadata/resourceVersion"), "5") != 0);
}

static void a_negative_lease_duration_says_so(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->leases,
                                "{'metadata':{'name':'minus'},'spec':{'leaseDurationSeconds':-1}}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.leaseDurationSeconds");
}

static void a_dry_run_put_of_a_lease_takes_nothing(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "dry", NULL, version);
    API_REPLY r = contract_put(c, contract_text("%s/dry?dryRun=All", c->leases),
                               "{'metadata':{'name':'dry','resourceVersion':'%s'},'spec':{"
                               "'holderIdentity':'two'}}",
                               version);
    API_REPLY now = api_get(c->api, "%s/dry", c->leases);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/holderIdentity"), "two");
    EXPECT_STR(api_str(now.json, "/spec/holderIdentity"), "one");
    EXPECT_STR(api_str(now.json, "/metadata/resourceVersion"), version);
}

static void an_annotation_moves_the_version_of_a_lease(void *arg)
{
    contract_t *c = arg;
    char version[64];

    make(c, "moved", NULL, version);
    API_REPLY note = contract_patch(c, contract_path(c->leases, "moved"), "merge",
                                    "{'metadata':{'annotations':{'a':'b'}}}");
    API_REPLY r = put(c, "moved", version, "two", 1);
    EXPECT_INT(note.status, 200);
    EXPECT_ERROR(
        &r, 409, "Conflict",
        "Operation cannot be fulfilled on leases.coordination.k8s.io \"moved\": the object "
        "has been modified");
}

static void a_lease_recreated_has_another_uid_and_refuses_the_old(void *arg)
{
    contract_t *c = arg;
    char uid[64], version[64], newer[64];

    make(c, "reborn", uid, version);
    API_REPLY gone = api_delete(c->api, "%s/reborn", c->leases);
    make(c, "reborn", NULL, newer);
    API_REPLY r = contract_put(c, contract_path(c->leases, "reborn"),
                               "{'metadata':{'name':'reborn','uid':'%s','resourceVersion':'%s'},"
                               "'spec':{'holderIdentity':'one'}}",
                               uid, newer);
    EXPECT_ERROR(&r, 409, "Conflict", "Precondition failed: UID in precondition: ");
    API_REPLY old = put(c, "reborn", version, "one", 0);
    EXPECT_INT(old.status, 409);
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
    {"a Lease is no more than it was sent", a_lease_is_no_more_than_it_was_sent},
    {"a Lease time without six digits is 400", a_lease_time_without_six_digits_is_400},
    {"a Lease time of another zone is answered in UTC",
     a_lease_time_of_another_zone_is_answered_in_utc},
    {"a Lease time keeps six digits", a_lease_time_keeps_six_digits},
    {"a Lease time that is none is 400", a_lease_time_that_is_none_is_400},
    {"a patch of a Lease needs no resourceVersion", a_patch_of_a_lease_needs_no_version},
    {"a PUT with a resourceVersion on a missing Lease creates it",
     a_put_with_a_version_on_a_missing_lease_creates_it},
    {"a negative Lease duration says so", a_negative_lease_duration_says_so},
    {"a dryRun PUT of a Lease takes nothing", a_dry_run_put_of_a_lease_takes_nothing},
    {"an annotation moves the resourceVersion of a Lease",
     an_annotation_moves_the_version_of_a_lease},
    {"a Lease recreated has another uid and refuses the old",
     a_lease_recreated_has_another_uid_and_refuses_the_old},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "lease", tests, sizeof(tests) / sizeof(tests[0]));
}
