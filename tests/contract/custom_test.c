/* SPDX-License-Identifier: Apache-2.0 */
/* Custom resources: status, scale, columns, verbs. */
#include "contract/contract.h"

/* -- Subresources, columns, verbs of custom resources -- */

#define ANY                                                                                        \
    "'schema':{'openAPIV3Schema':{'type':'object','x-kubernetes-preserve-unknown-fields':true}}"

/* The collection of "gadgets": status and scale, and columns. Made once. */
static const char *gadgets(contract_t *c)
{
    static char path[256];
    static const char versions[] =
        "[{'name':'v1','served':true,'storage':true," ANY ",'subresources':{'status':{},'scale':{"
        "'specReplicasPath':'.spec.replicas','statusReplicasPath':'.status.replicas',"
        "'labelSelectorPath':'.status.selector'}},'additionalPrinterColumns':[{'name':'Replicas',"
        "'type':'integer','jsonPath':'.spec.replicas'},{'name':'Phase','type':'string','jsonPath':"
        "'.status.phase','priority':1,'description':'How it is'},{'name':'Age','type':'date',"
        "'jsonPath':'.metadata.creationTimestamp'}]}]";

    if (path[0] == '\0') {
        const char *group = contract_crd(c, "gadgets", "Gadget", "", versions);
        snprintf(path, sizeof(path), "%s", contract_custom(c, group, "v1", "gadgets"));
    }
    return path;
}

/* Makes a gadget with spec.replicas 2; returns its path. */
static const char *gadget(contract_t *c, const char *name)
{
    API_REPLY r = contract_post(c, gadgets(c),
                                "{'apiVersion':'gadgets.%s.example.dev/v1','kind':'Gadget',"
                                "'metadata':{'name':'%s'},'spec':{'replicas':2}}",
                                c->id, name);

    REQUIRE_INT(r.status, 201);
    return contract_text("%s/%s", gadgets(c), name);
}

static void a_custom_resource_status_is_apart(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "apart");
    API_REPLY ignored = contract_patch(c, path, "merge", "{'status':{'phase':'x'}}");
    API_REPLY r =
        contract_patch(c, contract_text("%s/status", path), "merge", "{'status':{'phase':'x'}}");

    EXPECT_INT(ignored.status, 200);
    EXPECT_TRUE(api_at(ignored.json, "/status") == NULL);
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/status/phase"), "x");
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 1);
}

static void a_status_sent_at_creation_is_dropped(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, gadgets(c),
                                "{'apiVersion':'gadgets.%s.example.dev/v1','kind':'Gadget',"
                                "'metadata':{'name':'born'},'status':{'phase':'x'}}",
                                c->id);

    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/status") == NULL);
}

static void a_status_put_changes_neither_spec_nor_labels(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "status-put");
    API_REPLY now = api_get(c->api, "%s", path);
    API_REPLY r = contract_put(c, contract_text("%s/status", path),
                               "{'apiVersion':'gadgets.%s.example.dev/v1','kind':'Gadget',"
                               "'metadata':{'name':'status-put','resourceVersion':'%s','labels':{"
                               "'a':'b'}},'spec':{'replicas':9},'status':{'phase':'y'}}",
                               c->id, api_str(now.json, "/metadata/resourceVersion"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 2);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels") == NULL);
    EXPECT_STR(api_str(r.json, "/status/phase"), "y");
    EXPECT_INT(api_int(r.json, "/metadata/generation"), 1);
}

static void a_status_get_is_the_whole_object(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "%s/status", gadget(c, "status-get"));

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Gadget");
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 2);
}

static void a_custom_resource_generation_moves_with_its_spec_only(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "generation");
    API_REPLY label = contract_patch(c, path, "merge", "{'metadata':{'labels':{'a':'b'}}}");
    API_REPLY spec = contract_patch(c, path, "merge", "{'spec':{'replicas':3}}");
    API_REPLY other = contract_patch(c, path, "merge", "{'beside':1}");

    EXPECT_INT(api_int(label.json, "/metadata/generation"), 1);
    EXPECT_INT(api_int(spec.json, "/metadata/generation"), 2);
    EXPECT_INT(api_int(other.json, "/metadata/generation"), 3);
}

static void a_custom_resource_scale_can_be_read(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "scale-read");
    API_REPLY status = contract_patch(c, contract_text("%s/status", path), "merge",
                                      "{'status':{'replicas':1,'selector':'a=b'}}");
    API_REPLY r = api_get(c->api, "%s/scale", path);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Scale");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "autoscaling/v1");
    EXPECT_STR(api_str(r.json, "/metadata/name"), "scale-read");
    EXPECT_STR(api_str(r.json, "/metadata/uid"), api_str(status.json, "/metadata/uid"));
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 2);
    EXPECT_INT(api_int(r.json, "/status/replicas"), 1);
    EXPECT_STR(api_str(r.json, "/status/selector"), "a=b");
}

static void a_custom_resource_scale_can_be_patched(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "scale-patch");
    API_REPLY r =
        contract_patch(c, contract_text("%s/scale", path), "merge", "{'spec':{'replicas':5}}");
    API_REPLY now = api_get(c->api, "%s", path);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Scale");
    EXPECT_INT(api_int(r.json, "/spec/replicas"), 5);
    EXPECT_INT(api_int(now.json, "/spec/replicas"), 5);
    EXPECT_INT(api_int(now.json, "/metadata/generation"), 2);
}

static void a_custom_resource_scale_with_an_old_version_is_409(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "scale-old");
    API_REPLY r = contract_put(c, contract_text("%s/scale", path),
                               "{'apiVersion':'autoscaling/v1','kind':'Scale','metadata':{'name':"
                               "'scale-old','resourceVersion':'1'},'spec':{'replicas':5}}");

    EXPECT_ERROR(&r, 409, "Conflict", "the object has been modified");
}

static void a_negative_scale_of_a_custom_resource_is_422(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, contract_text("%s/scale", gadget(c, "scale-negative")), "merge",
                                 "{'spec':{'replicas':-1}}");

    EXPECT_ERROR(&r, 422, "Invalid", "spec.replicas: Invalid value: -1");
}

static void a_subresource_that_is_not_declared_is_404(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "plains", "Plain", "",
                                     "[{'name':'v1','served':true,'storage':true," ANY "}]");
    const char *path = contract_custom(c, group, "v1", "plains");
    API_REPLY made = contract_post(c, path,
                                   "{'apiVersion':'%s/v1','kind':'Plain','metadata':{'name':'a'},"
                                   "'status':{'phase':'x'}}",
                                   group);
    API_REPLY status = api_get(c->api, "%s/a/status", path);
    API_REPLY scale = api_get(c->api, "%s/a/scale", path);

    EXPECT_STR(api_str(made.json, "/status/phase"), "x");
    EXPECT_INT(status.status, 404);
    EXPECT_INT(scale.status, 404);
}

static void a_table_has_a_custom_resources_columns(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "table");
    API_REPLY status =
        contract_patch(c, contract_text("%s/status", path), "merge", "{'status':{'phase':'Up'}}");
    API_REPLY r = contract_accept(c, path, CONTRACT_TABLE);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Table");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/0/name"), "Name");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/0/format"), "name");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/1/name"), "Replicas");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/1/type"), "integer");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/2/name"), "Phase");
    EXPECT_INT(api_int(r.json, "/columnDefinitions/2/priority"), 1);
    EXPECT_STR(api_str(r.json, "/columnDefinitions/2/description"), "How it is");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/3/type"), "date");
    EXPECT_STR(api_str(r.json, "/rows/0/cells/0"), "table");
    EXPECT_INT(api_int(r.json, "/rows/0/cells/1"), 2);
    EXPECT_STR(api_str(r.json, "/rows/0/cells/2"), "Up");
    EXPECT_TRUE(cJSON_IsString(api_at(r.json, "/rows/0/cells/3")));
}

static void an_absent_column_of_a_custom_resource_is_null(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(c, gadget(c, "table-null"), CONTRACT_TABLE);

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(cJSON_IsNull(api_at(r.json, "/rows/0/cells/2")));
}

static void a_custom_resource_without_columns_shows_name_and_age(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_crd(c, "bares", "Bare", "",
                                     "[{'name':'v1','served':true,'storage':true," ANY "}]");
    API_REPLY r = contract_accept(c, contract_custom(c, group, "v1", "bares"), CONTRACT_TABLE);

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/columnDefinitions")), 2);
    EXPECT_STR(api_str(r.json, "/columnDefinitions/0/name"), "Name");
    EXPECT_STR(api_str(r.json, "/columnDefinitions/1/name"), "Age");
    EXPECT_TRUE(cJSON_IsArray(api_at(r.json, "/rows")));
}

static void a_strategic_patch_of_a_custom_resource_is_415(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, gadget(c, "strategic"), "strategic", "{'spec':{'replicas':2}}");

    EXPECT_ERROR(&r, 415, "UnsupportedMediaType", "");
}

static void a_put_of_a_custom_resource_needs_a_version(void *arg)
{
    contract_t *c = arg;
    const char *path = gadget(c, "put");
    API_REPLY r = contract_put(c, path,
                               "{'apiVersion':'gadgets.%s.example.dev/v1','kind':'Gadget',"
                               "'metadata':{'name':'put'},'spec':{'replicas':3}}",
                               c->id);

    EXPECT_ERROR(&r, 422, "Invalid",
                 "metadata.resourceVersion: Invalid value: 0: must be specified for an update");
    EXPECT_CAUSE(&r, "FieldValueInvalid", "metadata.resourceVersion");
}

static void a_put_on_a_missing_custom_resource_is_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_put(c, contract_path(gadgets(c), "missing"),
                               "{'apiVersion':'gadgets.%s.example.dev/v1','kind':'Gadget',"
                               "'metadata':{'name':'missing'}}",
                               c->id);

    EXPECT_ERROR(&r, 404, "NotFound",
                 contract_text("gadgets.gadgets.%s.example.dev \"missing\" not found", c->id));
}

static void an_object_of_a_version_not_asked_is_400(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, gadgets(c),
                                "{'apiVersion':'gadgets.%s.example.dev/v9','kind':'Gadget',"
                                "'metadata':{'name':'x'}}",
                                c->id);

    EXPECT_ERROR(&r, 400, "BadRequest", "the API version in the data");
}

static void a_custom_resource_needs_kind_and_version(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, gadgets(c), "{'metadata':{'name':'x'}}");

    EXPECT_ERROR(&r, 400, "BadRequest", "Object 'Kind' is missing");
}

static void a_custom_resource_has_no_other_field_selectors(void *arg)
{
    contract_t *c = arg;
    API_REPLY name = api_get(c->api, "%s?fieldSelector=metadata.name=none", gadgets(c));
    API_REPLY r = api_get(c->api, "%s?fieldSelector=spec.replicas=2", gadgets(c));

    EXPECT_INT(name.status, 200);
    EXPECT_ERROR(&r, 400, "BadRequest", "field label not supported: spec.replicas");
}

static void a_cluster_scoped_kind_has_no_namespaces(void *arg)
{
    contract_t *c = arg;
    const char *group = contract_text("wides.%s.example.dev", c->id);
    const char *path = contract_text("/apis/%s/v1/wides", group);
    API_REPLY crd = contract_post(
        c, CONTRACT_CRDS,
        "{'metadata':{'name':'wides.%s','labels':{'contract':'%s'}},'spec':{'group':'%s','scope':"
        "'Cluster','names':{'plural':'wides','kind':'Wide'},'versions':[{'name':'v1','served':true,"
        "'storage':true," ANY "}]}}",
        group, c->id, group);

    REQUIRE_INT(crd.status, 201);
    REQUIRE_TRUE(api_until(c->api, path, 10000, contract_is_served, NULL));
    API_REPLY r = contract_post(
        c, path, "{'apiVersion':'%s/v1','kind':'Wide','metadata':{'name':'one'}}", group);
    EXPECT_INT(r.status, 201);
    EXPECT_TRUE(api_at(r.json, "/metadata/namespace") == NULL);
    API_REPLY namespaced = api_get(c->api, "%s", contract_custom(c, group, "v1", "wides"));
    EXPECT_INT(namespaced.status, 404);
}

static const tap_test_t tests[] = {
    {"a custom resource status is apart", a_custom_resource_status_is_apart},
    {"a status sent at creation is dropped", a_status_sent_at_creation_is_dropped},
    {"a status put changes neither spec nor labels", a_status_put_changes_neither_spec_nor_labels},
    {"a status get is the whole object", a_status_get_is_the_whole_object},
    {"a custom resource generation moves with its spec only",
     a_custom_resource_generation_moves_with_its_spec_only},
    {"a custom resource scale can be read", a_custom_resource_scale_can_be_read},
    {"a custom resource scale can be patched", a_custom_resource_scale_can_be_patched},
    {"a custom resource scale with an old resourceVersion is 409",
     a_custom_resource_scale_with_an_old_version_is_409},
    {"a negative scale of a custom resource is 422", a_negative_scale_of_a_custom_resource_is_422},
    {"a subresource that is not declared is 404", a_subresource_that_is_not_declared_is_404},
    {"a Table has a custom resource's columns", a_table_has_a_custom_resources_columns},
    {"an absent column of a custom resource is null",
     an_absent_column_of_a_custom_resource_is_null},
    {"a custom resource without columns shows name and age",
     a_custom_resource_without_columns_shows_name_and_age},
    {"a strategic patch of a custom resource is 415",
     a_strategic_patch_of_a_custom_resource_is_415},
    {"a put of a custom resource needs a resourceVersion",
     a_put_of_a_custom_resource_needs_a_version},
    {"a put on a missing custom resource is 404", a_put_on_a_missing_custom_resource_is_404},
    {"a custom resource of another apiVersion than the path is 400",
     an_object_of_a_version_not_asked_is_400},
    {"a custom resource needs kind and apiVersion", a_custom_resource_needs_kind_and_version},
    {"a custom resource has no other field selectors",
     a_custom_resource_has_no_other_field_selectors},
    {"a cluster-scoped kind has no namespaces", a_cluster_scoped_kind_has_no_namespaces},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "custom", tests, sizeof(tests) / sizeof(tests[0]));
}
