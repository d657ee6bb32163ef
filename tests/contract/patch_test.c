/* SPDX-License-Identifier: Apache-2.0 */
/* Merge patches and JSON patches; those by strategy have a program of their own. */
#include "contract/contract.h"

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

/* -- Merge patch (RFC 7386) -- */

static void a_merge_patch_replaces_arrays(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(
        c, c->configmaps, "{'metadata':{'name':'m-array','finalizers':['a.dev/1','a.dev/2']}}");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-array"), "merge",
                                 "{'metadata':{'finalizers':['a.dev/3']}}");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/finalizers")), 1);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "a.dev/3");
    API_REPLY none = contract_patch(c, contract_path(c->configmaps, "m-array"), "merge",
                                    "{'metadata':{'finalizers':[]}}");
    EXPECT_TRUE(api_at(none.json, "/metadata/finalizers") == NULL);
}

static void a_merge_patch_makes_what_is_missing(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "m-new", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-new"), "merge",
                                 "{'metadata':{'annotations':{'a':'b'}},'data':{'n':'1'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/annotations/a"), "b");
    EXPECT_STR(api_str(r.json, "/data/n"), "1");
    EXPECT_STR(api_str(r.json, "/data/k"), "v");
}

static void a_merge_patch_null_removes_a_whole_map(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "m-null", "{\"a\":\"b\"}", "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-null"), "merge",
                                 "{'metadata':{'labels':null},'data':null}");
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels") == NULL);
    EXPECT_TRUE(api_at(r.json, "/data") == NULL);
}

static void a_merge_patch_null_of_what_is_missing_is_no_change(void *arg)
{
    contract_t *c = arg;
    const char *before = contract_create(c, "m-null-missing", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-null-missing"), "merge",
                                 "{'metadata':{'labels':{'x':null}},'data':{'y':null}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/resourceVersion"), before);
}

static void a_merge_patch_replaces_list_elements_of_a_deployment(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "m-deploy");
    API_REPLY r = contract_patch(c, path, "merge",
                                 "{'spec':{'template':{'spec':{'containers':[{'name':'d','image':"
                                 "'j'}]}}}}");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/spec/template/spec/containers")), 1);
    EXPECT_STR(api_str(r.json, "/spec/template/spec/containers/0/name"), "d");
}

static void a_merge_patch_with_the_current_version_is_taken(void *arg)
{
    contract_t *c = arg;
    const char *version = contract_create(c, "m-current", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-current"), "merge",
                                 "{'metadata':{'resourceVersion':'%s'},'data':{'k':'2'}}", version);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
}

static void a_merge_patch_that_is_an_array_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "m-list", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-list"), "merge", "[]");
    EXPECT_ERROR(&r, 400, "BadRequest", "error decoding patch: json: cannot unmarshal array");
}

static void a_merge_patch_of_broken_json_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "m-broken", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "m-broken"), "merge", "{'data':");
    EXPECT_ERROR(&r, 400, "BadRequest", "error decoding patch: unexpected end of JSON input");
}

static void a_patch_with_an_empty_body_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-empty", NULL, "v");
    API_REPLY r = api_do(c->api, "PATCH", contract_path(c->configmaps, "p-empty"),
                         "application/merge-patch+json", "");
    EXPECT_ERROR(&r, 400, "BadRequest", "error decoding patch: unexpected end of JSON input");
}

static void a_patch_that_removes_the_name_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-noname", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "p-noname"), "json",
                                 "[{'op':'remove','path':'/metadata/name'}]");
    EXPECT_ERROR(&r, 400, "BadRequest", "undeterminable: name must be provided");
}

static void a_patch_that_changes_the_namespace_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-namespace", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "p-namespace"), "merge",
                                 "{'metadata':{'namespace':'elsewhere'}}");
    EXPECT_ERROR(&r, 400, "BadRequest", "the namespace of the provided object does not match");
}

static void a_patch_with_version_0_is_unconditional(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-zero", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "p-zero"), "merge",
                                 "{'metadata':{'resourceVersion':'0'},'data':{'k':'2'}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
}

static void a_patch_that_changes_the_name_is_400(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-name", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "p-name"), "merge",
                                 "{'metadata':{'name':'other'}}");
    EXPECT_ERROR(&r, 400, "BadRequest",
                 "the name of the object (other) does not match the name on the URL (p-name)");
}

static void a_patch_with_another_uid_is_422(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-uid", NULL, "v");
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "p-uid"), "merge",
                                 "{'metadata':{'uid':'00000000-0000-0000-0000-000000000000'}}");
    EXPECT_ERROR(&r, 422, "Invalid", "metadata.uid: Invalid value: ");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.uid");
}

static void a_patch_with_the_right_uid_is_taken(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-own-uid", NULL, "v");
    API_REPLY now = api_get(c->api, "%s/p-own-uid", c->configmaps);
    API_REPLY r = contract_patch(c, contract_path(c->configmaps, "p-own-uid"), "merge",
                                 "{'metadata':{'uid':'%s'},'data':{'k':'2'}}",
                                 api_str(now.json, "/metadata/uid"));
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
}

static void a_patch_cannot_change_kind_or_version(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-kind", NULL, "v");
    API_REPLY r =
        contract_patch(c, contract_path(c->configmaps, "p-kind"), "merge", "{'kind':'Secret'}");
    EXPECT_INT(r.status, 422);
    EXPECT_CAUSE(&r, "FieldValueInvalid", "patch");
}

static void a_patch_to_an_invalid_object_is_422(void *arg)
{
    contract_t *c = arg;
    const char *path = contract_deploy(c, "p-invalid");
    API_REPLY r = contract_patch(c, path, "merge", "{'spec':{'replicas':-1}}");

    EXPECT_ERROR(&r, 422, "Invalid",
                 "spec.replicas: Invalid value: -1: must be greater than or equal to 0");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "spec.replicas");
}

static void a_patch_to_a_wrong_type_is_refused(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-type", NULL, "v");
    API_REPLY merge =
        contract_patch(c, contract_path(c->configmaps, "p-type"), "merge", "{'data':{'k':1}}");
    EXPECT_ERROR(
        &merge, 422, "Invalid",
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type string");
    EXPECT_CAUSE(&merge, "FieldValueInvalid", "patch");
}

static void patches_ignore_the_media_types_charset(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-charset", NULL, "v");
    API_REPLY r = api_do(c->api, "PATCH", contract_path(c->configmaps, "p-charset"),
                         "application/merge-patch+json; charset=utf-8", "{\"data\":{\"k\":\"2\"}}");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "2");
}

static void a_patch_as_plain_json_is_415(void *arg)
{
    contract_t *c = arg;

    contract_create(c, "p-plain", NULL, "v");
    API_REPLY r =
        api_do(c->api, "PATCH", contract_path(c->configmaps, "p-plain"), "application/json", "{}");
    EXPECT_ERROR(&r, 415, "UnsupportedMediaType", "415: Unsupported Media Type");
}

/* -- JSON patch (RFC 6902) -- */

#define REJECTED "the server rejected our request due to an error in our request"

/* Applies operations to a fresh ConfigMap with data k=v and two finalizers, which stay. */
static api_reply_t json_patch(contract_t *c, const char *name, const char *operations)
{
    API_REPLY made = contract_post(c, c->configmaps,
                                   "{'metadata':{'name':'%s','finalizers':['a.dev/1','a.dev/2'],"
                                   "'labels':{'x.dev/y':'z'}},'data':{'k':'v'}}",
                                   name);

    REQUIRE_INT(made.status, 201);
    char *json = contract_quote(strdup(operations));
    const api_reply_t r = api_do(c->api, "PATCH", contract_path(c->configmaps, name),
                                 "application/json-patch+json", json);
    free(json);
    return r;
}

static void a_json_patch_inserts_at_an_index(void *arg)
{
    API_REPLY r = json_patch(arg, "j-insert",
                             "[{'op':'add','path':'/metadata/finalizers/1','value':'a.dev/new'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "a.dev/1");
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/1"), "a.dev/new");
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/2"), "a.dev/2");
}

static void a_json_patch_appends_at_a_dash(void *arg)
{
    API_REPLY r = json_patch(arg, "j-dash",
                             "[{'op':'add','path':'/metadata/finalizers/-','value':'a.dev/new'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/finalizers")), 3);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/2"), "a.dev/new");
}

static void a_json_patch_add_replaces_a_member(void *arg)
{
    API_REPLY r = json_patch(arg, "j-add", "[{'op':'add','path':'/data/k','value':'new'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "new");
}

static void a_json_patch_replaces_and_removes_at_an_index(void *arg)
{
    API_REPLY r = json_patch(arg, "j-index",
                             "[{'op':'replace','path':'/metadata/finalizers/1','value':'b.dev/2'},"
                             "{'op':'remove','path':'/metadata/finalizers/0'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/finalizers")), 1);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "b.dev/2");
}

static void a_json_patch_copies(void *arg)
{
    API_REPLY r = json_patch(arg, "j-copy", "[{'op':'copy','from':'/data/k','path':'/data/l'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "v");
    EXPECT_STR(api_str(r.json, "/data/l"), "v");
}

static void a_json_patch_moves(void *arg)
{
    API_REPLY r = json_patch(arg, "j-move", "[{'op':'move','from':'/data/k','path':'/data/l'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/data/k") == NULL);
    EXPECT_STR(api_str(r.json, "/data/l"), "v");
}

static void a_json_patch_test_that_holds_lets_the_rest_through(void *arg)
{
    API_REPLY r = json_patch(arg, "j-test",
                             "[{'op':'test','path':'/data/k','value':'v'},"
                             "{'op':'test','path':'/metadata/finalizers','value':['a.dev/1',"
                             "'a.dev/2']},{'op':'replace','path':'/data/k','value':'w'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/k"), "w");
}

static void a_json_patch_test_sees_earlier_operations(void *arg)
{
    API_REPLY r = json_patch(arg, "j-test-fails",
                             "[{'op':'replace','path':'/data/k','value':'w'},{'op':"
                             "'test','path':'/data/k','value':'v'}]");

    EXPECT_ERROR(&r, 422, "Invalid", REJECTED);
}

static void a_json_patch_test_of_an_absent_value_is_null(void *arg)
{
    API_REPLY r =
        json_patch(arg, "j-test-null", "[{'op':'test','path':'/data/absent','value':null}]");

    EXPECT_INT(r.status, 200);
}

static void a_json_patch_changes_all_or_nothing(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = json_patch(c, "j-all",
                             "[{'op':'replace','path':'/data/k','value':'w'},{'op':'remove',"
                             "'path':'/data/absent'}]");

    EXPECT_INT(r.status, 422);
    API_REPLY after = api_get(c->api, "%s/j-all", c->configmaps);
    EXPECT_STR(api_str(after.json, "/data/k"), "v");
}

static void a_json_patch_reads_escaped_names(void *arg)
{
    API_REPLY r = json_patch(arg, "j-escape",
                             "[{'op':'replace','path':'/metadata/labels/x.dev~1y','value':'new'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/labels/x.dev~1y"), "new");
}

static void a_json_patch_replace_of_an_absent_member_adds_it(void *arg)
{
    API_REPLY r =
        json_patch(arg, "j-replace-absent", "[{'op':'replace','path':'/data/absent','value':'x'}]");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/data/absent"), "x");
}

static void a_json_patch_remove_of_an_absent_path_is_422(void *arg)
{
    API_REPLY r = json_patch(arg, "j-remove-absent", "[{'op':'remove','path':'/data/absent'}]");

    EXPECT_ERROR(&r, 422, "Invalid", REJECTED);
}

static void a_json_patch_add_below_an_absent_path_is_422(void *arg)
{
    API_REPLY r = json_patch(arg, "j-add-below",
                             "[{'op':'add','path':'/metadata/annotations/a','value':'b'}]");

    EXPECT_ERROR(&r, 422, "Invalid", REJECTED);
}

static void a_json_patch_beyond_the_end_of_a_list_is_422(void *arg)
{
    API_REPLY r = json_patch(arg, "j-beyond",
                             "[{'op':'add','path':'/metadata/finalizers/5','value':'a.dev/new'}]");

    EXPECT_ERROR(&r, 422, "Invalid", REJECTED);
}

static void a_json_patch_of_an_unknown_operation_is_refused(void *arg)
{
    API_REPLY r = json_patch(arg, "j-odd", "[{'op':'odd','path':'/data/k','value':'x'}]");

    EXPECT_ERROR(&r, 422, "Invalid", REJECTED);
}

static void a_json_patch_that_is_an_object_is_400(void *arg)
{
    API_REPLY r = json_patch(arg, "j-object", "{'data':{'k':'x'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "error decoding patch: json: cannot unmarshal object");
}

static void a_json_patch_guards_by_a_test_of_the_version(void *arg)
{
    contract_t *c = arg;
    const char *version = contract_create(c, "j-version", NULL, "v");
    const char *path = contract_path(c->configmaps, "j-version");

    for (int i = 0; i < 2; i++) {
        API_REPLY r = contract_patch(
            c, path, "json",
            "[{'op':'test','path':'/metadata/resourceVersion','value':'%s'},{'op':'replace',"
            "'path':'/data/k','value':'w'}]",
            version);
        EXPECT_INT(r.status, i == 0 ? 200 : 422);
    }
}

static const tap_test_t tests[] = {
    {"a merge patch merges, and null removes", a_merge_patch_merges_and_null_removes},
    {"an empty merge patch keeps the resourceVersion", an_empty_merge_patch_keeps_the_version},
    {"a merge patch with an old resourceVersion is 409", a_merge_patch_with_an_old_version_is_409},
    {"a JSON patch adds, replaces, removes", a_json_patch_adds_replaces_removes},
    {"a failed JSON patch test is 422", a_failed_json_patch_test_is_422},
    {"an unknown patch type is 415", an_unknown_patch_type_is_415},
    {"a patch of a missing object is 404", a_patch_of_a_missing_object_is_404},
    {"a merge patch replaces arrays", a_merge_patch_replaces_arrays},
    {"a merge patch makes what is missing", a_merge_patch_makes_what_is_missing},
    {"a merge patch null removes a whole map", a_merge_patch_null_removes_a_whole_map},
    {"a merge patch null of what is missing is no change",
     a_merge_patch_null_of_what_is_missing_is_no_change},
    {"a merge patch replaces list elements of a Deployment",
     a_merge_patch_replaces_list_elements_of_a_deployment},
    {"a merge patch with the current resourceVersion is taken",
     a_merge_patch_with_the_current_version_is_taken},
    {"a merge patch that is an array is 400", a_merge_patch_that_is_an_array_is_400},
    {"a merge patch of broken JSON is 400", a_merge_patch_of_broken_json_is_400},
    {"a patch with an empty body is 400", a_patch_with_an_empty_body_is_400},
    {"a patch that removes the name is 400", a_patch_that_removes_the_name_is_400},
    {"a patch that changes the namespace is 400", a_patch_that_changes_the_namespace_is_400},
    {"a patch with resourceVersion 0 is unconditional", a_patch_with_version_0_is_unconditional},
    {"a patch that changes the name is 400", a_patch_that_changes_the_name_is_400},
    {"a patch with another uid is 422", a_patch_with_another_uid_is_422},
    {"a patch with the right uid is taken", a_patch_with_the_right_uid_is_taken},
    {"a patch of the kind is 422", a_patch_cannot_change_kind_or_version},
    {"a patch to an invalid object is 422", a_patch_to_an_invalid_object_is_422},
    {"a patch to a wrong type is refused", a_patch_to_a_wrong_type_is_refused},
    {"a patch's media type may have a charset", patches_ignore_the_media_types_charset},
    {"a patch as plain JSON is 415", a_patch_as_plain_json_is_415},
    {"a JSON patch inserts at an index", a_json_patch_inserts_at_an_index},
    {"a JSON patch appends at -", a_json_patch_appends_at_a_dash},
    {"a JSON patch add replaces a member", a_json_patch_add_replaces_a_member},
    {"a JSON patch replaces and removes at an index",
     a_json_patch_replaces_and_removes_at_an_index},
    {"a JSON patch copies", a_json_patch_copies},
    {"a JSON patch moves", a_json_patch_moves},
    {"a JSON patch test that holds lets the rest through",
     a_json_patch_test_that_holds_lets_the_rest_through},
    {"a JSON patch test sees earlier operations", a_json_patch_test_sees_earlier_operations},
    {"a JSON patch test of an absent value is null", a_json_patch_test_of_an_absent_value_is_null},
    {"a JSON patch changes all or nothing", a_json_patch_changes_all_or_nothing},
    {"a JSON patch reads escaped names", a_json_patch_reads_escaped_names},
    {"a JSON patch replace of an absent member adds it",
     a_json_patch_replace_of_an_absent_member_adds_it},
    {"a JSON patch remove of an absent path is 422", a_json_patch_remove_of_an_absent_path_is_422},
    {"a JSON patch add below an absent path is 422", a_json_patch_add_below_an_absent_path_is_422},
    {"a JSON patch beyond the end of a list is 422", a_json_patch_beyond_the_end_of_a_list_is_422},
    {"a JSON patch of an unknown operation is refused",
     a_json_patch_of_an_unknown_operation_is_refused},
    {"a JSON patch that is an object is 400", a_json_patch_that_is_an_object_is_400},
    {"a JSON patch guards by a test of the resourceVersion",
     a_json_patch_guards_by_a_test_of_the_version},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "patch", tests, sizeof(tests) / sizeof(tests[0]));
}
