/* SPDX-License-Identifier: Apache-2.0 */
/* Strategic merge patches: keys of lists and directives. */
#include "contract/contract.h"

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

/* A Deployment whose pod template has two containers with env, ports and mounts, and two volumes. */
static const char *make(contract_t *c, const char *name)
{
    API_REPLY r = contract_post(
        c, c->deployments,
        "{'metadata':{'name':'%s','finalizers':['a.dev/1','a.dev/2'],'labels':{'x':'1'}},'spec':{"
        "'replicas':1,'selector':{'matchLabels':{'app':'%s'}},'template':{'metadata':{'labels':{"
        "'app':'%s'}},'spec':{'volumes':[{'name':'one','emptyDir':{}},{'name':'two','emptyDir':{}}"
        "],'containers':[{'name':'a','image':'i','env':[{'name':'E','value':'1'},{'name':'F',"
        "'value':'2'}],'ports':[{'containerPort':80,'protocol':'TCP'}],'volumeMounts':[{'name':"
        "'one','mountPath':'/one'}],'args':['x','y']},{'name':'b','image':'j'}]}}}}",
        name, name, name);

    REQUIRE_INT(r.status, 201);
    return contract_text("%s/%s", c->deployments, name);
}

#define POD "/spec/template/spec"
#define PATCH_POD(spec) "{'spec':{'template':{'spec':" spec "}}}"

static void a_strategic_patch_merges_a_container_by_its_name(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-container"), "strategic",
                                 PATCH_POD("{'containers':[{'name':'b','image':'new'}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers")), 2);
    EXPECT_STR(api_str(r.json, POD "/containers/0/image"), "i");
    EXPECT_STR(api_str(r.json, POD "/containers/1/image"), "new");
}

static void a_strategic_patch_puts_a_new_container_first(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-new"), "strategic",
                                 PATCH_POD("{'containers':[{'name':'new','image':'k'}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers")), 3);
    EXPECT_STR(api_str(r.json, POD "/containers/0/name"), "new");
    EXPECT_STR(api_str(r.json, POD "/containers/1/name"), "a");
    EXPECT_STR(api_str(r.json, POD "/containers/2/name"), "b");
}

static void a_strategic_patch_merges_env_by_name(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, make(c, "s-env"), "strategic",
        PATCH_POD("{'containers':[{'name':'a','env':[{'name':'F','value':'3'},{'name':'G','value':"
                  "'4'}]}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers/0/env")), 3);
    EXPECT_STR(api_str(r.json, POD "/containers/0/image"), "i");
    const cJSON *env;
    cJSON_ArrayForEach (env, api_at(r.json, POD "/containers/0/env")) {
        const char *name = api_str(env, "/name");
        EXPECT_STR(api_str(env, "/value"), name[0] == 'E' ? "1" : name[0] == 'F' ? "3" : "4");
    }
}

static void a_strategic_patch_merges_volumes_by_name(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, make(c, "s-volumes"), "strategic",
                       PATCH_POD("{'volumes':[{'name':'two','emptyDir':{'medium':'Memory'}}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/volumes")), 2);
    EXPECT_STR(api_str(r.json, POD "/volumes/1/emptyDir/medium"), "Memory");
}

static void a_strategic_patch_merges_mounts_by_path(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, make(c, "s-mounts"), "strategic",
        PATCH_POD("{'containers':[{'name':'a','volumeMounts':[{'mountPath':'/one','name':'two'},{"
                  "'mountPath':'/two','name':'two'}]}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers/0/volumeMounts")), 2);
    EXPECT_STR(api_str(r.json, POD "/containers/0/volumeMounts/0/name"), "two");
}

static void a_strategic_patch_merges_container_ports_by_number(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, make(c, "s-ports"), "strategic",
        PATCH_POD("{'containers':[{'name':'a','ports':[{'containerPort':80,'name':'http'}]}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers/0/ports")), 1);
    EXPECT_STR(api_str(r.json, POD "/containers/0/ports/0/name"), "http");
    EXPECT_STR(api_str(r.json, POD "/containers/0/ports/0/protocol"), "TCP");
}

static void a_strategic_patch_replaces_plain_lists(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-args"), "strategic",
                                 PATCH_POD("{'containers':[{'name':'a','args':['z']}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers/0/args")), 1);
    EXPECT_STR(api_str(r.json, POD "/containers/0/args/0"), "z");
}

static void a_strategic_patch_merges_finalizers_as_a_set(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-finalizers"), "strategic",
                                 "{'metadata':{'finalizers':['a.dev/3','a.dev/1']}}");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/finalizers")), 3);
}

static void a_strategic_patch_deletes_an_element_by_its_key(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-delete"), "strategic",
                                 PATCH_POD("{'containers':[{'name':'b','$patch':'delete'}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers")), 1);
    EXPECT_STR(api_str(r.json, POD "/containers/0/name"), "a");
}

static void a_strategic_patch_deletes_an_absent_element_in_silence(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-delete-absent"), "strategic",
                                 PATCH_POD("{'containers':[{'name':'none','$patch':'delete'}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers")), 2);
}

static void a_strategic_patch_replaces_a_list_on_demand(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, make(c, "s-replace"), "strategic",
        PATCH_POD("{'containers':[{'name':'new','image':'k'},{'$patch':'replace'}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/containers")), 1);
    EXPECT_STR(api_str(r.json, POD "/containers/0/name"), "new");
}

static void a_strategic_patch_replaces_a_map_on_demand(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-replace-map"), "strategic",
                                 "{'metadata':{'labels':{'$patch':'replace','y':'2'}}}");

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels/x") == NULL);
    EXPECT_STR(api_str(r.json, "/metadata/labels/y"), "2");
}

static void a_strategic_patch_deletes_a_map_on_demand(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-delete-map"), "strategic",
                                 "{'metadata':{'labels':{'$patch':'delete'}}}");

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels") == NULL);
}

static void a_strategic_patch_deletes_from_a_plain_set(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, make(c, "s-primitive"), "strategic",
                       "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a.dev/1']}}");

    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/finalizers")), 1);
    EXPECT_STR(api_str(r.json, "/metadata/finalizers/0"), "a.dev/2");
}

static void a_strategic_patch_orders_elements_on_demand(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, make(c, "s-order"), "strategic",
                       PATCH_POD("{'$setElementOrder/containers':[{'name':'b'},{'name':'a'}],"
                                 "'containers':[{'name':'a','image':'new'}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, POD "/containers/0/name"), "b");
    EXPECT_STR(api_str(r.json, POD "/containers/1/name"), "a");
    EXPECT_STR(api_str(r.json, POD "/containers/1/image"), "new");
}

static void a_strategic_patch_retains_only_the_keys_named(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_patch(c, make(c, "s-retain"), "strategic",
                       "{'spec':{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}}");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/strategy/type"), "Recreate");
    EXPECT_TRUE(api_at(r.json, "/spec/strategy/rollingUpdate") == NULL);
}

static void a_strategic_patch_swaps_a_volume_by_retain_keys(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(
        c, make(c, "s-retain-volume"), "strategic",
        PATCH_POD("{'volumes':[{'name':'one','$retainKeys':['name','configMap'],'configMap':{"
                  "'name':'x'}}]}"));

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, POD "/volumes/0/emptyDir") == NULL);
    EXPECT_STR(api_str(r.json, POD "/volumes/0/configMap/name"), "x");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, POD "/volumes")), 2);
}

static void a_strategic_patch_null_removes(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-null"), "strategic",
                                 "{'metadata':{'labels':{'x':null}},'spec':{'template':{'spec':{"
                                 "'containers':[{'name':'a','env':null}]}}}}");

    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/metadata/labels") == NULL);
    EXPECT_TRUE(api_at(r.json, POD "/containers/0/env") == NULL);
    EXPECT_STR(api_str(r.json, POD "/containers/0/image"), "i");
}

static void a_strategic_patch_element_without_its_key_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-no-key"), "strategic",
                                 PATCH_POD("{'containers':[{'image':'new'}]}"));

    EXPECT_ERROR(&r, 500, "", "does not contain declared merge key: name");
}

static void a_strategic_patch_with_an_unknown_directive_is_refused(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-directive"), "strategic",
                                 PATCH_POD("{'containers':[{'name':'a','$patch':'odd'}]}"));

    EXPECT_ERROR(&r, 500, "", "");
}

static void a_strategic_patch_with_an_old_version_is_409(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_patch(c, make(c, "s-old"), "strategic",
                                 "{'metadata':{'resourceVersion':'1','labels':{'x':'2'}}}");

    EXPECT_ERROR(&r, 409, "Conflict",
                 "Operation cannot be fulfilled on deployments.apps \"s-old\": the object has been "
                 "modified");
}

static void a_strategic_patch_merges_conditions_by_type(void *arg)
{
    contract_t *c = arg;
    const char *status = contract_text("%s/status", make(c, "s-conditions"));
    API_REPLY one = contract_patch(c, status, "strategic",
                                   "{'status':{'conditions':[{'type':'Available','status':'False'},"
                                   "{'type':'Progressing','status':'True'}]}}");
    API_REPLY r = contract_patch(
        c, status, "strategic",
        "{'status':{'conditions':[{'type':'Available','status':'True','reason':'Up'}]}}");

    EXPECT_INT(one.status, 200);
    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/status/conditions")), 2);
    EXPECT_STR(api_str(r.json, "/status/conditions/0/type"), "Available");
    EXPECT_STR(api_str(r.json, "/status/conditions/0/status"), "True");
    EXPECT_STR(api_str(r.json, "/status/conditions/1/status"), "True");
}

static void a_strategic_patch_merges_owner_references_by_uid(void *arg)
{
    contract_t *c = arg;
    /* owners outside of the collector's reach: it has no kind of that name */
    API_REPLY made = contract_post(
        c, c->configmaps,
        "{'metadata':{'name':'s-owners','ownerReferences':[{'apiVersion':'none.dev/v1','kind':"
        "'None','name':'a','uid':'11111111-0000-0000-0000-000000000001'}]}}");
    API_REPLY r = contract_patch(
        c, contract_path(c->configmaps, "s-owners"), "strategic",
        "{'metadata':{'ownerReferences':[{'uid':'11111111-0000-0000-0000-000000000001',"
        "'controller':true},{'apiVersion':'none.dev/v1','kind':'None','name':'b','uid':"
        "'11111111-0000-0000-0000-000000000002'}]}}");

    EXPECT_INT(made.status, 201);
    EXPECT_INT(r.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/metadata/ownerReferences")), 2);
    const cJSON *owner;
    cJSON_ArrayForEach (owner, api_at(r.json, "/metadata/ownerReferences")) {
        const bool first = strcmp(api_str(owner, "/name"), "a") == 0;
        EXPECT_STR(api_str(owner, "/controller"), first ? "true" : "");
    }
}

static void a_strategic_patch_of_a_secret_merges_its_data(void *arg)
{
    contract_t *c = arg;
    API_REPLY made = contract_post(
        c, c->secrets, "{'metadata':{'name':'s-secret'},'data':{'a':'YQ==','b':'Yg=='}}");
    API_REPLY r = contract_patch(c, contract_path(c->secrets, "s-secret"), "strategic",
                                 "{'data':{'a':null},'stringData':{'c':'c'}}");

    EXPECT_INT(made.status, 201);
    EXPECT_INT(r.status, 200);
    EXPECT_TRUE(api_at(r.json, "/data/a") == NULL);
    EXPECT_STR(api_str(r.json, "/data/b"), "Yg==");
    EXPECT_STR(api_str(r.json, "/data/c"), "Yw==");
}

static const tap_test_t tests[] = {
    {"a strategic patch merges lists by key", a_strategic_patch_merges_lists_by_key},
    {"a strategic patch merges a container by its name",
     a_strategic_patch_merges_a_container_by_its_name},
    {"a strategic patch puts a new container first", a_strategic_patch_puts_a_new_container_first},
    {"a strategic patch merges env by name", a_strategic_patch_merges_env_by_name},
    {"a strategic patch merges volumes by name", a_strategic_patch_merges_volumes_by_name},
    {"a strategic patch merges mounts by path", a_strategic_patch_merges_mounts_by_path},
    {"a strategic patch merges container ports by number",
     a_strategic_patch_merges_container_ports_by_number},
    {"a strategic patch replaces plain lists", a_strategic_patch_replaces_plain_lists},
    {"a strategic patch merges finalizers as a set", a_strategic_patch_merges_finalizers_as_a_set},
    {"a strategic patch deletes an element by $patch and key",
     a_strategic_patch_deletes_an_element_by_its_key},
    {"a strategic patch deletes an absent element in silence",
     a_strategic_patch_deletes_an_absent_element_in_silence},
    {"a strategic patch replaces a list by $patch", a_strategic_patch_replaces_a_list_on_demand},
    {"a strategic patch replaces a map by $patch", a_strategic_patch_replaces_a_map_on_demand},
    {"a strategic patch deletes a map by $patch", a_strategic_patch_deletes_a_map_on_demand},
    {"a strategic patch deletes by $deleteFromPrimitiveList",
     a_strategic_patch_deletes_from_a_plain_set},
    {"a strategic patch orders elements by $setElementOrder",
     a_strategic_patch_orders_elements_on_demand},
    {"a strategic patch retains only the $retainKeys",
     a_strategic_patch_retains_only_the_keys_named},
    {"a strategic patch swaps a volume by $retainKeys",
     a_strategic_patch_swaps_a_volume_by_retain_keys},
    {"a strategic patch null removes", a_strategic_patch_null_removes},
    {"a strategic patch element without its key is refused",
     a_strategic_patch_element_without_its_key_is_refused},
    {"a strategic patch with an unknown directive is refused",
     a_strategic_patch_with_an_unknown_directive_is_refused},
    {"a strategic patch with an old resourceVersion is 409",
     a_strategic_patch_with_an_old_version_is_409},
    {"a strategic patch merges conditions by type", a_strategic_patch_merges_conditions_by_type},
    {"a strategic patch merges ownerReferences by uid",
     a_strategic_patch_merges_owner_references_by_uid},
    {"a strategic patch of a Secret merges its data",
     a_strategic_patch_of_a_secret_merges_its_data},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "strategic", tests, sizeof(tests) / sizeof(tests[0]));
}
