/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb takes: dryRun, fieldValidation, media types, methods. */
#include "contract/contract.h"

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

/* -- dryRun -- */

static void an_unknown_dry_run_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?dryRun=Some", c->configmaps),
                                "{'metadata':{'name':'dry-some'}}");

    EXPECT_ERROR(&r, 422, "Invalid", "dryRun: Unsupported value: [\"Some\"]");
    API_REPLY none = api_get(c->api, "%s/dry-some", c->configmaps);
    EXPECT_INT(none.status, 404);
}

static void a_dry_run_create_still_checks(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_text("%s?dryRun=All", c->configmaps);

    contract_create(c, "dry-exists", NULL, "v");
    API_REPLY exists = contract_post(c, path, "{'metadata':{'name':'dry-exists'}}");
    EXPECT_ERROR(&exists, 409, "AlreadyExists", "configmaps \"dry-exists\" already exists");
    API_REPLY invalid = contract_post(c, path, "{'metadata':{'name':'Dry'}}");
    EXPECT_INT(invalid.status, 422);
}

static void a_dry_run_create_answers_the_whole_object(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?dryRun=All", c->configmaps),
                                "{'metadata':{'generateName':'dry-'},'data':{'k':'v'}}");

    EXPECT_INT(r.status, 201);
    EXPECT_INT(strlen(api_str(r.json, "/metadata/uid")), 36);
    EXPECT_INT(strlen(api_str(r.json, "/metadata/name")), strlen("dry-") + 5);
    EXPECT_TRUE(api_at(r.json, "/metadata/resourceVersion") == NULL);
}

static void a_dry_run_put_changes_nothing(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "dry-put", NULL, "1");
    API_REPLY r = contract_put(c, contract_text("%s/dry-put?dryRun=All", c->configmaps),
                               "{'metadata':{'name':'dry-put'},'data':{'k':'2'}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), before);
    API_REPLY after = api_get(c->api, "%s/dry-put", c->configmaps);
    EXPECT_STR(api_str(after.json, "/data/k"), "1");
}

static void a_dry_run_put_still_conflicts(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "dry-conflict", NULL, "1");
    API_REPLY r = contract_put(c, contract_text("%s/dry-conflict?dryRun=All", c->configmaps),
                               "{'metadata':{'name':'dry-conflict','resourceVersion':'1'}}");
    EXPECT_ERROR(&r, 409, "Conflict", "the object has been modified");
}

static void a_dry_run_patch_changes_nothing(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "dry-patch", NULL, "1");
    API_REPLY r = contract_patch(c, contract_text("%s/dry-patch?dryRun=All", c->configmaps),
                                 "merge", "{'data':{'k':'2'}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
    API_REPLY after = api_get(c->api, "%s/dry-patch", c->configmaps);
    EXPECT_STR(api_str(after.json, "/metadata/resourceVersion"), before);
}

static void a_dry_run_delete_by_query_deletes_nothing(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "dry-delete", NULL, "1");
    API_REPLY r = api_delete(c->api, "%s/dry-delete?dryRun=All", c->configmaps);
    EXPECT_INT(r.status, 200);
    API_REPLY after = api_get(c->api, "%s/dry-delete", c->configmaps);
    EXPECT_INT(after.status, 200);
    EXPECT_TRUE(api_at(after.json, "/metadata/deletionTimestamp") == NULL);
}

static void a_dry_run_delete_by_body_deletes_nothing(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "dry-delete-body", NULL, "1");
    API_REPLY r =
        contract_delete(c, contract_path(c->configmaps, "dry-delete-body"), "'dryRun':['All']");
    EXPECT_INT(r.status, 200);
    API_REPLY after = api_get(c->api, "%s/dry-delete-body", c->configmaps);
    EXPECT_INT(after.status, 200);
}

static void a_dry_run_delete_collection_deletes_nothing(void *arg)
{
    contract_t *c = arg;

    contract_fill(c, "dry-coll", 2);
    API_REPLY r = api_delete(c->api, "%s?labelSelector=set=dry-coll&dryRun=All", c->configmaps);
    EXPECT_INT(r.status, 200);
    API_REPLY after = api_get(c->api, "%s?labelSelector=set=dry-coll", c->configmaps);
    EXPECT_ITEMS(&after, "dry-coll-0,dry-coll-1");
}

static void a_dry_run_that_removes_the_last_finalizer_deletes_nothing(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'dry-final','finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s/dry-final", c->configmaps);
    API_REPLY r = contract_patch(c, contract_text("%s/dry-final?dryRun=All", c->configmaps),
                                 "merge", "{'metadata':{'finalizers':null}}");

    EXPECT_INT(r.status, 200);
    API_REPLY after = api_get(c->api, "%s/dry-final", c->configmaps);
    EXPECT_STR(api_str(after.json, "/metadata/finalizers/0"), "example.dev/f");
    API_REPLY last = contract_patch(c, contract_path(c->configmaps, "dry-final"), "merge",
                                    "{'metadata':{'finalizers':null}}");
    EXPECT_INT(last.status, 200);
}

/* -- fieldValidation -- */

static void strict_refuses_an_unknown_field(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldValidation=Strict", c->configmaps),
                                "{'metadata':{'name':'strict','odd':1},'other':2}");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "strict decoding error: unknown field \"metadata.odd\", unknown field \"other\"");
}

static void strict_refuses_a_field_given_twice(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldValidation=Strict", c->configmaps),
                                "{'metadata':{'name':'strict-2'},'data':{'k':'1','k':'2'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "strict decoding error: duplicate field \"data.k\"");
}

static void strict_refuses_an_unknown_field_of_a_put(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "strict-put", NULL, "v");
    API_REPLY r =
        contract_put(c, contract_text("%s/strict-put?fieldValidation=Strict", c->configmaps),
                     "{'metadata':{'name':'strict-put'},'odd':1}");
    EXPECT_ERROR(&r, 400, "BadRequest", "strict decoding error: unknown field \"odd\"");
}

static void strict_refuses_an_unknown_field_of_a_patch(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "strict-patch", NULL, "v");
    API_REPLY r =
        contract_patch(c, contract_text("%s/strict-patch?fieldValidation=Strict", c->configmaps),
                       "merge", "{'odd':1}");
    EXPECT_INT(r.status, 422);
    EXPECT_HAS(api_str(r.json, "/message"), "unknown field \"odd\"");
}

/* A Pod with members that no Pod has, below its top. */
#define ODD_POD                                                                                    \
    "{'metadata':{'name':'%s','ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'o'" \
    ","                                                                                            \
    "'uid':'u','odd':1}]},'spec':{'containers':[{'name':'c','image':'i','odd':{'deep':1},'ports':" \
    "[{"                                                                                           \
    "'containerPort':80,'odd':2}]}],'volumes':[{'name':'v','emptyDir':{'odd':3}}],'odd':4}}"

static void strict_refuses_unknown_fields_at_every_depth(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldValidation=Strict", c->pods), ODD_POD,
                                "strict-deep");

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown "
                 "field \"metadata.ownerReferences[0].odd\", unknown field "
                 "\"spec.containers[0].odd\", unknown field \"spec.containers[0].ports[0].odd\", "
                 "unknown field \"spec.volumes[0].emptyDir.odd\", unknown field \"spec.odd\"");
}

static void unknown_fields_are_dropped_at_every_depth(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, c->pods, ODD_POD, "warned-deep");

    EXPECT_INT(r.status, 201);
    EXPECT_HAS(r.warning, "299 - \"unknown field \\\"spec.odd\\\"\"");
    EXPECT_INT(api_int(r.json, "/spec/containers/0/ports/0/containerPort"), 80);
    EXPECT_TRUE(api_at(r.json, "/spec/volumes/0/emptyDir") != NULL);
    EXPECT_TRUE(api_at(r.json, "/metadata/ownerReferences/0/odd") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/containers/0/odd") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/containers/0/ports/0/odd") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/volumes/0/emptyDir/odd") == NULL);
    EXPECT_TRUE(api_at(r.json, "/spec/odd") == NULL);
}

/* items can be a schema or a list of them: its decoder tells nobody. */
static void unknown_fields_of_a_schema_are_told_where_it_has_one_form(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post_all(
        c,
        "/apis/apiextensions.k8s.io/v1/"
        "customresourcedefinitions?fieldValidation=Strict&dryRun=All",
        "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{"
        "'name':'odds.%s.example.dev'},'spec':{'group':'%s.example.dev','scope':'Namespaced',"
        "'names':{'plural':'odds','kind':'Odd'},'versions':[{'name':'v1','served':true,'storage':"
        "true,'schema':{'openAPIV3Schema':{'type':'object','properties':{'list':{'type':'array',"
        "'items':{'type':'string','odd':1},'odd':2}}}}}]}}",
        c->id, c->id);

    EXPECT_ERROR(&r, 400, "BadRequest",
                 "strict decoding error: unknown field "
                 "\"spec.versions[0].schema.openAPIV3Schema.properties.list.odd\"");
    EXPECT_TRUE(strstr(api_str(r.json, "/message"), "items") == NULL);
}

static void an_unknown_field_is_dropped_with_a_warning(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, c->configmaps, "{'metadata':{'name':'warned'},'odd':{'deep':1}}");

    EXPECT_INT(r.status, 201);
    EXPECT_HAS(r.warning, "299 - \"unknown field \\\"odd\\\"\"");
    EXPECT_TRUE(api_at(r.json, "/odd") == NULL);
}

static void warn_takes_the_last_of_a_field_given_twice(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldValidation=Warn", c->configmaps),
                                "{'metadata':{'name':'warned-2'},'data':{'k':'1','k':'2'}}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
    EXPECT_HAS(r.warning, "duplicate field \\\"data.k\\\"");
}

static void ignore_drops_an_unknown_field_in_silence(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldValidation=Ignore", c->configmaps),
                                "{'metadata':{'name':'ignored'},'odd':1}");

    EXPECT_INT(r.status, 201);
    EXPECT_STR(r.warning, "");
    EXPECT_TRUE(api_at(r.json, "/odd") == NULL);
}

static void an_unknown_field_validation_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, contract_text("%s?fieldValidation=Loose", c->configmaps),
                                "{'metadata':{'name':'loose'}}");

    EXPECT_ERROR(&r, 422, "Invalid", "fieldValidation: Unsupported value: \"Loose\"");
}

/* -- What a request may be -- */

static void an_unknown_media_type_of_a_body_is_415(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_do(c->api, "POST", c->configmaps, "text/plain", "{}");

    EXPECT_ERROR(&r, 415, "UnsupportedMediaType",
                 "the body of the request was in an unknown format - accepted media types "
                 "include: application/json");
}

static void an_unknown_media_type_asked_for_is_406(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(c, c->configmaps, "image/png");

    EXPECT_ERROR(&r, 406, "NotAcceptable",
                 "406: Not Acceptable\n\nAvailable representations: application/json");
}

static void a_wildcard_media_type_gets_json(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(c, c->configmaps, "text/html, */*;q=0.1");

    EXPECT_INT(r.status, 200);
    EXPECT_HAS(r.type, "application/json");
}

static void a_body_of_more_than_3_mib_is_413(void *arg)
{
    contract_t *c = arg;
    const size_t len = 3 * 1024 * 1024 + 200;
    char *body = malloc(len + 1);

    memset(body, ' ', len);
    body[len] = '\0';
    memcpy(body, "{\"metadata\":{\"name\":\"large\"}}", 29);
    API_REPLY r = api_do(c->api, "POST", c->configmaps, NULL, body);
    free(body);
    EXPECT_ERROR(&r, 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
}

static void a_post_to_an_object_is_405(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "post-to", NULL, "v");
    API_REPLY r = contract_post(c, contract_path(c->configmaps, "post-to"), "{}");
    EXPECT_ERROR(&r, 405, "MethodNotAllowed",
                 "the server does not allow this method on the requested resource");
}

static void a_put_to_a_collection_is_405(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_put(c, c->configmaps, "{}");

    EXPECT_ERROR(&r, 405, "MethodNotAllowed", "the server does not allow this method");
}

static void a_patch_of_a_collection_is_405(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, c->configmaps, "merge", "{}");

    EXPECT_ERROR(&r, 405, "MethodNotAllowed", "the server does not allow this method");
}

static void a_namespaced_create_outside_of_a_namespace_is_405(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, "/api/v1/configmaps", "{'metadata':{'name':'x'}}");

    EXPECT_INT(r.status, 405);
}

static void an_unknown_subresource_is_404(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "sub", NULL, "v");
    API_REPLY get = api_get(c->api, "%s/sub/status", c->configmaps);
    API_REPLY put = contract_put(c, contract_text("%s/sub/odd", c->configmaps), "{}");
    EXPECT_ERROR(&get, 404, "NotFound", "the server could not find the requested resource");
    EXPECT_ERROR(&put, 404, "NotFound", "the server could not find the requested resource");
}

static void an_unknown_resource_of_a_known_version_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/api/v1/namespaces/%s/things", c->ns);

    EXPECT_ERROR(&r, 404, "NotFound", "the server could not find the requested resource");
}

static void an_unknown_path_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/no/such/path");

    EXPECT_INT(r.status, 404);
}

static void get_of_an_unknown_resource_is_404_in_plain_text(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/apis/no.such.group/v1/things");

    EXPECT_INT(r.status, 404);
    EXPECT_HAS(r.text, "404 page not found");
}

static const tap_test_t tests[] = {
    {"create with dryRun stores nothing", create_with_dry_run_stores_nothing},
    {"an unknown dryRun is refused", an_unknown_dry_run_is_refused},
    {"a dryRun create still checks", a_dry_run_create_still_checks},
    {"a dryRun create answers the whole object", a_dry_run_create_answers_the_whole_object},
    {"a dryRun put changes nothing", a_dry_run_put_changes_nothing},
    {"a dryRun put still conflicts", a_dry_run_put_still_conflicts},
    {"a dryRun patch changes nothing", a_dry_run_patch_changes_nothing},
    {"a dryRun delete by query deletes nothing", a_dry_run_delete_by_query_deletes_nothing},
    {"a dryRun delete by body deletes nothing", a_dry_run_delete_by_body_deletes_nothing},
    {"a dryRun deletecollection deletes nothing", a_dry_run_delete_collection_deletes_nothing},
    {"a dryRun that removes the last finalizer deletes nothing",
     a_dry_run_that_removes_the_last_finalizer_deletes_nothing},
    {"fieldValidation Strict refuses unknown fields", strict_refuses_an_unknown_field},
    {"fieldValidation Strict refuses a field given twice", strict_refuses_a_field_given_twice},
    {"fieldValidation Strict refuses an unknown field of a put",
     strict_refuses_an_unknown_field_of_a_put},
    {"fieldValidation Strict refuses an unknown field of a patch with 422",
     strict_refuses_an_unknown_field_of_a_patch},
    {"fieldValidation Strict refuses unknown fields at every depth",
     strict_refuses_unknown_fields_at_every_depth},
    {"unknown fields of a schema are told where it has one form",
     unknown_fields_of_a_schema_are_told_where_it_has_one_form},
    {"unknown fields are dropped at every depth", unknown_fields_are_dropped_at_every_depth},
    {"an unknown field is dropped with a warning", an_unknown_field_is_dropped_with_a_warning},
    {"fieldValidation Warn takes the last of a field given twice",
     warn_takes_the_last_of_a_field_given_twice},
    {"fieldValidation Ignore drops an unknown field in silence",
     ignore_drops_an_unknown_field_in_silence},
    {"an unknown fieldValidation is refused", an_unknown_field_validation_is_refused},
    {"an unknown media type of a body is 415", an_unknown_media_type_of_a_body_is_415},
    {"an unknown media type asked for is 406", an_unknown_media_type_asked_for_is_406},
    {"a wildcard media type gets JSON", a_wildcard_media_type_gets_json},
    {"a body of more than 3 MiB is 413", a_body_of_more_than_3_mib_is_413},
    {"a post to an object is 405", a_post_to_an_object_is_405},
    {"a put to a collection is 405", a_put_to_a_collection_is_405},
    {"a patch of a collection is 405", a_patch_of_a_collection_is_405},
    {"a namespaced create outside of a namespace is 405",
     a_namespaced_create_outside_of_a_namespace_is_405},
    {"an unknown subresource is 404", an_unknown_subresource_is_404},
    {"an unknown resource of a known version is 404",
     an_unknown_resource_of_a_known_version_is_404},
    {"an unknown path is 404", an_unknown_path_is_404},
    {"get of an unknown resource is 404 in plain text",
     get_of_an_unknown_resource_is_404_in_plain_text},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "options", tests, sizeof(tests) / sizeof(tests[0]));
}
