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

static void create_with_dry_run_stores_nothing(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "%s?dryRun=All", c->configmaps);
    API_REPLY made = api_post(c->api, path, "{\"metadata\":{\"name\":\"dry\"}}");
    EXPECT_INT(made.status, 201);
    API_REPLY r = api_get(c->api, "%s/dry", c->configmaps);
    EXPECT_INT(r.status, 404);
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

static void get_of_an_unknown_resource_is_404_in_plain_text(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/apis/no.such.group/v1/things");

    EXPECT_INT(r.status, 404);
    EXPECT_HAS(r.text, "404 page not found");
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

static void managed_fields_name_the_field_manager(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "%s?fieldManager=contract", c->configmaps);
    API_REPLY r = api_post(c->api, path, "{\"metadata\":{\"name\":\"mf\"},\"data\":{\"k\":\"v\"}}");
    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/metadata/managedFields/0/manager"), "contract");
}

static void deployment_generation_moves_with_the_spec_only(void *arg)
{
    contract_t *c = arg;
    char path[256], one[300];

    snprintf(path, sizeof(path), "/apis/apps/v1/namespaces/%s/deployments", c->ns);
    snprintf(one, sizeof(one), "%s/gen", path);
    API_REPLY made = api_post(c->api, path,
                              "{\"metadata\":{\"name\":\"gen\"},\"spec\":{\"replicas\":1,"
                              "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
                              "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
                              "\"name\":\"c\",\"image\":\"i\"}]}}}}");
    REQUIRE_INT(made.status, 201);
    EXPECT_INT(api_int(made.json, "/metadata/generation"), 1);
    API_REPLY label = api_patch(c->api, one, "merge", "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}");
    EXPECT_INT(api_int(label.json, "/metadata/generation"), 1);
    API_REPLY spec = api_patch(c->api, one, "merge", "{\"spec\":{\"replicas\":2}}");
    EXPECT_INT(api_int(spec.json, "/metadata/generation"), 2);
}

static void status_subresource_changes_status_only(void *arg)
{
    contract_t *c = arg;
    char path[256], one[300];

    snprintf(path, sizeof(path), "/apis/apps/v1/namespaces/%s/deployments", c->ns);
    API_REPLY made = api_post(c->api, path,
                              "{\"metadata\":{\"name\":\"st\"},\"spec\":{\"replicas\":1,"
                              "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
                              "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
                              "\"name\":\"c\",\"image\":\"i\"}]}}}}");
    REQUIRE_INT(made.status, 201);
    snprintf(one, sizeof(one), "%s/st/status", path);
    API_REPLY r = api_patch(c->api, one, "merge",
                            "{\"spec\":{\"replicas\":7},\"status\":{\"readyReplicas\":1,"
                            "\"replicas\":1}}");
    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/status/readyReplicas"), 1);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 1);
}

static void event_v1_can_be_created(void *arg)
{
    contract_t *c = arg;
    char path[256];

    snprintf(path, sizeof(path), "/apis/events.k8s.io/v1/namespaces/%s/events", c->ns);
    API_REPLY r = api_post(
        c->api, path,
        "{\"metadata\":{\"name\":\"e.17ab\",\"namespace\":\"%s\"},\"eventTime\":"
        "\"2026-01-02T03:04:05.000006Z\",\"type\":\"Normal\",\"reason\":\"Tested\",\"action\":"
        "\"Test\",\"reportingController\":\"leasehold.dev/contract\",\"reportingInstance\":\"one\","
        "\"regarding\":{\"kind\":\"ConfigMap\",\"namespace\":\"%s\",\"name\":\"x\"},\"note\":"
        "\"n\"}",
        c->ns, c->ns);
    EXPECT_INT(r.status, 201);
}

static void discovery_lists_core_resources(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/api/v1");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "APIResourceList");
    EXPECT_HAS(r.text, "\"name\":\"configmaps\"");
}

static void discovery_of_a_missing_group_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/apis/no.such.group/v1");

    EXPECT_INT(r.status, 404);
}

static void version_is_served(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/version");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/major"), "1");
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
    {"create with dryRun stores nothing", create_with_dry_run_stores_nothing},
    {"get of a missing object is a Status that names it",
     get_of_a_missing_object_is_a_status_that_names_it},
    {"get of an unknown resource is 404 in plain text",
     get_of_an_unknown_resource_is_404_in_plain_text},
    {"put replaces and moves the resourceVersion", put_replaces_and_moves_the_version},
    {"put with an old resourceVersion is 409 Conflict", put_with_an_old_version_is_409_conflict},
    {"put with another uid is 409 Conflict", put_with_another_uid_is_409_conflict},
    {"put of identical content keeps the resourceVersion",
     put_of_identical_content_keeps_the_version},
    {"put of a missing ConfigMap is 404", put_of_a_missing_configmap_without_a_version_is_404},
    {"put under another name than the path is 400", put_under_another_name_than_the_path_is_400},
    {"managedFields name the field manager", managed_fields_name_the_field_manager},
    {"a Deployment's generation moves with its spec only",
     deployment_generation_moves_with_the_spec_only},
    {"the status subresource changes status only", status_subresource_changes_status_only},
    {"an events.k8s.io/v1 Event can be created", event_v1_can_be_created},
    {"discovery lists core resources", discovery_lists_core_resources},
    {"discovery of a missing group is 404", discovery_of_a_missing_group_is_404},
    {"/version is served", version_is_served},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "objects", tests, sizeof(tests) / sizeof(tests[0]));
}
