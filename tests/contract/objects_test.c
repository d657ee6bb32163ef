/* SPDX-License-Identifier: Apache-2.0 */
/* Create, read, update: status codes, versions, preconditions. */
#include "contract/contract.h"

static void create_answers_201_with_server_fields(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->configmaps,
                           "{\"metadata\":{\"name\":\"fields\"},\"data\":{\"k\":\"v\"}}");

    REQUIRE_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/kind"), "ConfigMap");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "v1");
    EXPECT_STR(api_str(r.json, "/metadata/namespace"), c->ns);
    EXPECT_INT(strlen(api_str(r.json, "/metadata/uid")), 36);
    EXPECT_TRUE(api_str(r.json, "/metadata/resourceVersion")[0] != '\0');
    EXPECT_HAS(api_str(r.json, "/metadata/creationTimestamp"), "T");
}

static void create_of_an_existing_name_is_409_already_exists(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "twice", NULL, "1");
    API_REPLY r = api_post(c->api, c->configmaps, "{\"metadata\":{\"name\":\"twice\"}}");
    EXPECT_INT(r.status, 409);
    EXPECT_STR(api_str(r.json, "/kind"), "Status");
    EXPECT_STR(api_str(r.json, "/reason"), "AlreadyExists");
    EXPECT_STR(api_str(r.json, "/details/name"), "twice");
    EXPECT_STR(api_str(r.json, "/details/kind"), "configmaps");
}

static void create_with_generate_name_adds_a_suffix(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->configmaps, "{\"metadata\":{\"generateName\":\"gen-\"}}");

    EXPECT_INT(r.status, 201);
    EXPECT_HAS(api_str(r.json, "/metadata/name"), "gen-");
    EXPECT_INT(strlen(api_str(r.json, "/metadata/name")), strlen("gen-") + 5);
}

static void create_without_a_name_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->configmaps, "{\"metadata\":{}}");

    EXPECT_INT(r.status, 422);
    EXPECT_STR(api_str(r.json, "/reason"), "Invalid");
}

static void create_with_a_bad_name_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->configmaps, "{\"metadata\":{\"name\":\"Not_A_Name\"}}");

    EXPECT_INT(r.status, 422);
    EXPECT_STR(api_str(r.json, "/details/causes/0/field"), "metadata.name");
}

static void create_with_a_resource_version_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, c->configmaps,
                           "{\"metadata\":{\"name\":\"rv\",\"resourceVersion\":\"5\"}}");

    EXPECT_INT(r.status, 500);
    EXPECT_HAS(api_str(r.json, "/message"), "resourceVersion should not be set");
}

static void create_in_a_missing_namespace_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_post(c->api, "/api/v1/namespaces/no-such-namespace/configmaps",
                           "{\"metadata\":{\"name\":\"x\"}}");

    EXPECT_INT(r.status, 404);
    EXPECT_STR(api_str(r.json, "/details/name"), "no-such-namespace");
}

static void create_of_broken_json_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_do(c->api, "POST", c->configmaps, NULL, "{\"metadata\":");

    EXPECT_INT(r.status, 400);
    EXPECT_STR(api_str(r.json, "/reason"), "BadRequest");
}

static void get_of_a_missing_object_is_a_status_that_names_it(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s/nobody", c->configmaps);

    EXPECT_INT(r.status, 404);
    EXPECT_STR(api_str(r.json, "/kind"), "Status");
    EXPECT_STR(api_str(r.json, "/reason"), "NotFound");
    EXPECT_STR(api_str(r.json, "/details/name"), "nobody");
    EXPECT_INT(api_int(r.json, "/code"), 404);
}

static void put_replaces_and_moves_the_version(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "put", NULL, "1");
    API_REPLY r = api_put(c->api, contract_path(c->configmaps, "put"),
                          "{\"metadata\":{\"name\":\"put\"},\"data\":{\"k\":\"2\"}}");

    REQUIRE_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
    EXPECT_TRUE(strtol(api_str(r.json, "/metadata/resourceVersion"), NULL, 10) >
                strtol(before, NULL, 10));
}

static void put_with_an_old_version_is_409_conflict(void *arg)
{
    contract_t *c = arg;
    const char *old = contract_create(c, "conflict", NULL, "1");
    API_REPLY first = api_put(c->api, contract_path(c->configmaps, "conflict"),
                              "{\"metadata\":{\"name\":\"conflict\"},\"data\":{\"k\":\"2\"}}");
    REQUIRE_INT(first.status, 200);
    API_REPLY r = api_put(
        c->api, contract_path(c->configmaps, "conflict"),
        "{\"metadata\":{\"name\":\"conflict\",\"resourceVersion\":\"%s\"},\"data\":{\"k\":\"3\"}}",
        old);

    EXPECT_INT(r.status, 409);
    EXPECT_STR(api_str(r.json, "/reason"), "Conflict");
}

static void put_with_another_uid_is_409_conflict(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "other-uid", NULL, "1");
    API_REPLY r = api_put(c->api, contract_path(c->configmaps, "other-uid"),
                          "{\"metadata\":{\"name\":\"other-uid\",\"uid\":"
                          "\"00000000-0000-0000-0000-000000000000\"}}");
    EXPECT_INT(r.status, 409);
    EXPECT_STR(api_str(r.json, "/reason"), "Conflict");
    EXPECT_HAS(api_str(r.json, "/message"), "UID");
}

static void put_of_identical_content_keeps_the_version(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "same", NULL, "1");
    API_REPLY r = api_put(c->api, contract_path(c->configmaps, "same"),
                          "{\"metadata\":{\"name\":\"same\"},\"data\":{\"k\":\"1\"}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), before);
}

static void put_of_a_missing_configmap_without_a_version_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_put(c->api, contract_path(c->configmaps, "never"),
                          "{\"metadata\":{\"name\":\"never\"}}");

    EXPECT_INT(r.status, 404);
}

static void put_under_another_name_than_the_path_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "here", NULL, "1");
    API_REPLY r = api_put(c->api, contract_path(c->configmaps, "here"),
                          "{\"metadata\":{\"name\":\"there\"}}");
    EXPECT_INT(r.status, 400);
}

static void create_of_another_kind_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps,
                                "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'kind'}}");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "Secret in version \"v1\" cannot be handled as a ConfigMap");
}

static void create_of_another_version_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(
        c, c->configmaps, "{'apiVersion':'v2','kind':'ConfigMap','metadata':{'name':'version'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "cannot be handled as a ConfigMap");
}

static void create_for_another_namespace_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->configmaps, "{'metadata':{'name':'x','namespace':'elsewhere'}}");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "the namespace of the provided object does not match the namespace sent on the "
                 "request");
}

static void create_with_an_empty_body_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_do(c->api, "POST", c->configmaps, NULL, "");

    EXPECT_INT(r.status, 400);
}

static void create_of_an_array_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_do(c->api, "POST", c->configmaps, NULL, "[]");

    EXPECT_ERROR(&r, 400, "BadRequest", "");
}

static void create_replaces_uid_and_time_by_its_own(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps,
                                "{'metadata':{'name':'own-fields','uid':'x','creationTimestamp':"
                                "'2001-02-03T04:05:06Z'}}");

    REQUIRE_INT(r.status, 201);
    EXPECT_INT(strlen(api_str(r.json, "/metadata/uid")), 36);
    EXPECT_TRUE(strncmp(api_str(r.json, "/metadata/creationTimestamp"), "2001", 4) != 0);
}

static void create_drops_a_deletion_timestamp(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps,
                                "{'metadata':{'name':'no-deletion','deletionTimestamp':"
                                "'2001-02-03T04:05:06Z','deletionGracePeriodSeconds':3}}");

    REQUIRE_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/metadata/deletionTimestamp") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/deletionGracePeriodSeconds") == NULL);
}

static void a_name_wins_over_generate_name(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->configmaps, "{'metadata':{'name':'named','generateName':'gen-'}}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/name"), "named");
    EXPECT_STR(api_str(r.json, "/metadata/generateName"), "gen-");
}

static void a_long_generate_name_is_cut_to_58(void *arg)
{
    contract_t *c = arg;
    char base[101];

    memset(base, 'a', sizeof(base) - 1);
    base[sizeof(base) - 1] = '\0';
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'generateName':'%s'}}", base);
    EXPECT_INT(r.status, 201);
    EXPECT_INT(strlen(api_str(r.json, "/metadata/name")), 63);
    EXPECT_INT(strspn(api_str(r.json, "/metadata/name"), "a") >= 58, 1);
}

static void a_name_may_have_253_bytes_and_no_more(void *arg)
{
    contract_t *c = arg;
    char name[255];

    memset(name, 'n', sizeof(name));
    name[253] = '\0';
    API_REPLY fits = contract_post(c, c->configmaps, "{'metadata':{'name':'%s'}}", name);
    EXPECT_INT(fits.status, 201);
    name[253] = 'n';
    name[254] = '\0';
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'%s'}}", name);
    EXPECT_ERROR(&r, 422, "Invalid", "must be no more than 253 ");
}

static void a_name_with_a_slash_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'a/b'}}");

    EXPECT_ERROR(&r, 422, "Invalid", "metadata.name: Invalid value: \"a/b\"");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.name");
}

static void an_invalid_object_says_kind_name_and_causes(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'Bad'}}");

    EXPECT_ERROR(&r, 422, "Invalid", "ConfigMap \"Bad\" is invalid: metadata.name: ");
    EXPECT_STR(api_str(r.json, "/details/kind"), "ConfigMap");
    EXPECT_STR(api_str(r.json, "/details/name"), "Bad");
    EXPECT_STR(api_str(r.json, "/details/causes/0/reason"), "FieldValueInvalid");
    EXPECT_HAS(api_str(r.json, "/details/causes/0/message"), "a lowercase RFC 1123 subdomain");
}

static void a_wrong_type_of_a_field_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->configmaps, "{'metadata':{'name':'typed'},'data':{'k':1}}");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "json: cannot unmarshal number into Go struct field ConfigMap.data of type "
                 "string");
}

static void get_at_version_0_finds_the_object(void *arg)
{
    contract_t *c = arg;
    const char *version = contract_create(c, "get-0", NULL, "v");
    /* a cache may lag behind, but not behind what it was asked for */
    API_REPLY at = api_get(c->api, "%s/get-0?resourceVersion=%s", c->configmaps, version);
    API_REPLY r = api_get(c->api, "%s/get-0?resourceVersion=0", c->configmaps);

    EXPECT_INT(at.status, 200);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "v");
}

static void get_at_a_bad_version_is_500(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "get-bad", NULL, "v");
    API_REPLY r = api_get(c->api, "%s/get-bad?resourceVersion=abc", c->configmaps);
    EXPECT_ERROR(&r, 500, "", "resourceVersion: Invalid value: \"abc\"");
}

static void get_at_a_future_version_is_504(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "get-future", NULL, "v");
    API_REPLY r = api_get(c->api, "%s/get-future?resourceVersion=999999999", c->configmaps);
    EXPECT_ERROR(&r, 504, "Timeout", "Too large resource version: 999999999");
    EXPECT_CAUSE(&r, "ResourceVersionTooLarge", "");
}

static void a_missing_object_says_resource_and_name(void *arg)
{
    contract_t *c = arg;
    API_REPLY core = api_get(c->api, "%s/nobody", c->secrets);
    API_REPLY apps = api_get(c->api, "%s/nobody", c->deployments);

    EXPECT_ERROR(&core, 404, "NotFound", "secrets \"nobody\" not found");
    EXPECT_STR(api_str(core.json, "/details/kind"), "secrets");
    EXPECT_TRUE(api_at(core.json, "/details/group") == NULL);
    EXPECT_ERROR(&apps, 404, "NotFound", "deployments.apps \"nobody\" not found");
    EXPECT_STR(api_str(apps.json, "/details/group"), "apps");
    EXPECT_STR(api_str(apps.json, "/details/kind"), "deployments");
}

static void put_without_a_name_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-noname", NULL, "1");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-noname"), "{'metadata':{}}");
    EXPECT_ERROR(&r, 400, "BadRequest", "");
}

static void put_for_another_namespace_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-ns", NULL, "1");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-ns"),
                               "{'metadata':{'name':'put-ns','namespace':'elsewhere'}}");
    EXPECT_ERROR(&r, 400, "BadRequest", "the namespace of the provided object does not match");
}

static void put_keeps_uid_and_creation_time(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-keeps", NULL, "1");
    API_REPLY before = api_get(c->api, "%s/put-keeps", c->configmaps);
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-keeps"),
                               "{'metadata':{'name':'put-keeps','creationTimestamp':"
                               "'2001-02-03T04:05:06Z'},'data':{'k':'2'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/uid"), api_str(before.json, "/metadata/uid"));
    EXPECT_STR(api_str(r.json, "/metadata/creationTimestamp"),
               api_str(before.json, "/metadata/creationTimestamp"));
}

static void put_removes_what_it_does_not_send(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-less", "{\"a\":\"b\"}", "1");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-less"),
                               "{'metadata':{'name':'put-less'},'data':{'other':'x'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/data/k") == NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels") == NULL);
    EXPECT_STR(api_str(r.json, "/data/other"), "x");
}

static void put_with_a_bad_version_is_500(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-garbage", NULL, "1");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-garbage"),
                               "{'metadata':{'name':'put-garbage','resourceVersion':'abc'}}");
    EXPECT_ERROR(&r, 500, "", "parsing \"abc\": invalid syntax");
}

static void put_with_version_0_is_unconditional(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "put-zero", NULL, "1");
    API_REPLY r =
        contract_put(c, contract_path(c->configmaps, "put-zero"),
                     "{'metadata':{'name':'put-zero','resourceVersion':'0'},'data':{'k':'2'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
}

static void put_with_a_version_on_a_missing_object_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "put-missing"),
                               "{'metadata':{'name':'put-missing','resourceVersion':'1'}}");

    EXPECT_ERROR(&r, 404, "NotFound", "configmaps \"put-missing\" not found");
}

static void a_conflict_tells_to_try_again(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "conflict-text", NULL, "1");
    API_REPLY r = contract_put(c, contract_path(c->configmaps, "conflict-text"),
                               "{'metadata':{'name':'conflict-text','resourceVersion':'1'}}");
    EXPECT_ERROR(&r, 409, "Conflict",
                 "Operation cannot be fulfilled on configmaps \"conflict-text\": the object has "
                 "been modified; please apply your changes to the latest version and try again");
    EXPECT_STR(api_str(r.json, "/details/name"), "conflict-text");
    EXPECT_STR(api_str(r.json, "/details/kind"), "configmaps");
}

static void put_of_the_read_object_is_no_change(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "round-trip");
    API_REPLY before = api_get(c->api, "%s", path);
    API_REPLY r = api_do(c->api, "PUT", path, NULL, before.text);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"),
               api_str(before.json, "/metadata/resourceVersion"));
}

static const tap_test_t tests[] = {
    {"create answers 201 with the fields of the server", create_answers_201_with_server_fields},
    {"create of an existing name is 409 AlreadyExists",
     create_of_an_existing_name_is_409_already_exists},
    {"create with generateName adds a suffix of five", create_with_generate_name_adds_a_suffix},
    {"create without a name is 422", create_without_a_name_is_422},
    {"create with a bad name is 422 and names the field", create_with_a_bad_name_is_422},
    {"create with a resourceVersion is refused", create_with_a_resource_version_is_refused},
    {"create in a missing namespace is 404", create_in_a_missing_namespace_is_404},
    {"create of broken JSON is 400", create_of_broken_json_is_400},
    {"get of a missing object is a Status that names it",
     get_of_a_missing_object_is_a_status_that_names_it},
    {"put replaces and moves the resourceVersion", put_replaces_and_moves_the_version},
    {"put with an old resourceVersion is 409 Conflict", put_with_an_old_version_is_409_conflict},
    {"put with another uid is 409 Conflict", put_with_another_uid_is_409_conflict},
    {"put of identical content keeps the resourceVersion",
     put_of_identical_content_keeps_the_version},
    {"put of a missing ConfigMap is 404", put_of_a_missing_configmap_without_a_version_is_404},
    {"put under another name than the path is 400", put_under_another_name_than_the_path_is_400},
    {"create of another kind is 400", create_of_another_kind_is_400},
    {"create of another apiVersion is 400", create_of_another_version_is_400},
    {"create for another namespace is 400", create_for_another_namespace_is_400},
    {"create with an empty body is 400", create_with_an_empty_body_is_400},
    {"create of an array is 400", create_of_an_array_is_400},
    {"create replaces uid and time by its own", create_replaces_uid_and_time_by_its_own},
    {"create drops a deletionTimestamp", create_drops_a_deletion_timestamp},
    {"a name wins over generateName", a_name_wins_over_generate_name},
    {"a long generateName is cut to 58", a_long_generate_name_is_cut_to_58},
    {"a name may have 253 bytes and no more", a_name_may_have_253_bytes_and_no_more},
    {"a name with a slash is 422", a_name_with_a_slash_is_422},
    {"an invalid object says its kind, its name and the causes",
     an_invalid_object_says_kind_name_and_causes},
    {"a wrong type of a field is 400", a_wrong_type_of_a_field_is_400},
    {"get at resourceVersion 0 finds the object", get_at_version_0_finds_the_object},
    {"get at a malformed resourceVersion is 500", get_at_a_bad_version_is_500},
    {"get at a future resourceVersion is 504", get_at_a_future_version_is_504},
    {"a missing object says resource and name", a_missing_object_says_resource_and_name},
    {"put without a name is 400", put_without_a_name_is_400},
    {"put for another namespace is 400", put_for_another_namespace_is_400},
    {"put keeps uid and creation time", put_keeps_uid_and_creation_time},
    {"put removes what it does not send", put_removes_what_it_does_not_send},
    {"put with a malformed resourceVersion is 500", put_with_a_bad_version_is_500},
    {"put with resourceVersion 0 is unconditional", put_with_version_0_is_unconditional},
    {"put with a resourceVersion on a missing object is 404",
     put_with_a_version_on_a_missing_object_is_404},
    {"a conflict tells to try again", a_conflict_tells_to_try_again},
    {"put of the read object is no change", put_of_the_read_object_is_no_change},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "objects", tests, sizeof(tests) / sizeof(tests[0]));
}
