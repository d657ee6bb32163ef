/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery, health, identity. */
#include "contract/contract.h"

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

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

/* The element of a list whose member has this text; NULL when there is none. */
static const cJSON *find(const cJSON *list, const char *member, const char *text)
{
    const cJSON *each;

    cJSON_ArrayForEach (each, list) {
        if (strcmp(api_str(each, member), text) == 0)
            return each;
    }
    return NULL;
}

/* -- Groups, versions, resources -- */

static void the_core_version_is_listed_at_api(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/api");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "APIVersions");
    EXPECT_INT(cJSON_GetArraySize(api_at(r.json, "/versions")), 1);
    EXPECT_STR(api_str(r.json, "/versions/0"), "v1");
}

static void groups_are_listed_at_apis(void *arg)
{
    contract_t *c = arg;
    static const char *const groups[] = {"apps",
                                         "batch",
                                         "events.k8s.io",
                                         "coordination.k8s.io",
                                         "apiextensions.k8s.io",
                                         "autoscaling",
                                         "authorization.k8s.io",
                                         "rbac.authorization.k8s.io"};
    API_REPLY r = api_get(c->api, "/apis");

    EXPECT_STR(api_str(r.json, "/kind"), "APIGroupList");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "v1");
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (find(api_at(r.json, "/groups"), "/name", groups[i]) == NULL)
            tap_fail(__FILE__, __LINE__, "no group %s", groups[i]);
    }
    const cJSON *apps = find(api_at(r.json, "/groups"), "/name", "apps");
    EXPECT_STR(api_str(apps, "/preferredVersion/groupVersion"), "apps/v1");
    EXPECT_TRUE(find(api_at(r.json, "/groups"), "/name", "") == NULL);
}

static void a_group_lists_its_versions(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/apis/apps");

    EXPECT_STR(api_str(r.json, "/kind"), "APIGroup");
    EXPECT_STR(api_str(r.json, "/name"), "apps");
    EXPECT_STR(api_str(r.json, "/versions/0/groupVersion"), "apps/v1");
    EXPECT_STR(api_str(r.json, "/versions/0/version"), "v1");
    EXPECT_STR(api_str(r.json, "/preferredVersion/version"), "v1");
}

static void a_resource_says_verbs_and_names(void *arg)
{
    contract_t *c = arg;
    static const char *const verbs[] = {"create", "delete", "deletecollection", "get",
                                        "list",   "patch",  "update",           "watch"};
    API_REPLY r = api_get(c->api, "/api/v1");
    const cJSON *one = find(api_at(r.json, "/resources"), "/name", "configmaps");

    EXPECT_STR(api_str(r.json, "/groupVersion"), "v1");
    EXPECT_STR(api_str(one, "/kind"), "ConfigMap");
    EXPECT_STR(api_str(one, "/singularName"), "configmap");
    EXPECT_STR(api_str(one, "/namespaced"), "true");
    EXPECT_STR(api_str(one, "/shortNames/0"), "cm");
    EXPECT_TRUE(api_at(one, "/categories") == NULL);
    EXPECT_INT(cJSON_GetArraySize(api_at(one, "/verbs")), 8);
    for (size_t i = 0; i < 8; i++)
        EXPECT_STR(api_str(one, contract_text("/verbs/%zu", i)), verbs[i]);
}

static void a_cluster_scoped_resource_says_so(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/api/v1");
    const cJSON *one = find(api_at(r.json, "/resources"), "/name", "namespaces");

    EXPECT_STR(api_str(one, "/namespaced"), "false");
    EXPECT_STR(api_str(one, "/shortNames/0"), "ns");
    EXPECT_TRUE(strstr(r.text, "\"namespaces/finalize\"") != NULL);
    EXPECT_INT(cJSON_GetArraySize(api_at(one, "/verbs")), 7); /* no deletecollection */
}

static void subresources_are_resources_with_a_slash(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/apis/apps/v1");
    const cJSON *deployments = find(api_at(r.json, "/resources"), "/name", "deployments");
    const cJSON *status = find(api_at(r.json, "/resources"), "/name", "deployments/status");
    const cJSON *scale = find(api_at(r.json, "/resources"), "/name", "deployments/scale");

    EXPECT_STR(api_str(r.json, "/groupVersion"), "apps/v1");
    EXPECT_STR(api_str(deployments, "/categories/0"), "all");
    EXPECT_STR(api_str(deployments, "/shortNames/0"), "deploy");
    EXPECT_STR(api_str(status, "/kind"), "Deployment");
    EXPECT_STR(api_str(status, "/singularName"), "");
    EXPECT_INT(cJSON_GetArraySize(api_at(status, "/verbs")), 3);
    EXPECT_STR(api_str(scale, "/kind"), "Scale");
    EXPECT_STR(api_str(scale, "/group"), "autoscaling");
    EXPECT_STR(api_str(scale, "/version"), "v1");
}

static void an_unknown_version_of_a_known_group_is_a_status_of_404(void *arg)
{
    contract_t *c = arg;
    API_REPLY apps = api_get(c->api, "/apis/apps/v2");
    API_REPLY core = api_get(c->api, "/api/v2");

    EXPECT_ERROR(&apps, 404, "NotFound", "the server could not find the requested resource");
    EXPECT_ERROR(&core, 404, "NotFound", "the server could not find the requested resource");
}

static void discovery_can_be_had_in_one_answer(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(c, "/apis", AGGREGATED);
    const cJSON *apps = find(api_at(r.json, "/items"), "/metadata/name", "apps");
    const cJSON *one = find(api_at(apps, "/versions/0/resources"), "/resource", "deployments");
    const cJSON *scale = find(api_at(one, "/subresources"), "/subresource", "scale");

    EXPECT_INT(r.status, 200);
    EXPECT_HAS(r.type, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    EXPECT_STR(api_str(r.json, "/kind"), "APIGroupDiscoveryList");
    EXPECT_STR(api_str(r.json, "/apiVersion"), "apidiscovery.k8s.io/v2");
    EXPECT_STR(api_str(apps, "/versions/0/version"), "v1");
    EXPECT_STR(api_str(one, "/responseKind/kind"), "Deployment");
    EXPECT_STR(api_str(one, "/scope"), "Namespaced");
    EXPECT_STR(api_str(one, "/singularResource"), "deployment");
    EXPECT_STR(api_str(one, "/shortNames/0"), "deploy");
    EXPECT_STR(api_str(one, "/categories/0"), "all");
    EXPECT_INT(cJSON_GetArraySize(api_at(one, "/verbs")), 8);
    EXPECT_STR(api_str(scale, "/responseKind/kind"), "Scale");
    EXPECT_STR(api_str(scale, "/responseKind/group"), "autoscaling");
    EXPECT_INT(cJSON_GetArraySize(api_at(scale, "/verbs")), 3);
}

static void the_core_group_has_its_own_one_answer(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(c, "/api", AGGREGATED);
    const cJSON *resources = api_at(r.json, "/items/0/versions/0/resources");
    const cJSON *namespaces = find(resources, "/resource", "namespaces");

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "APIGroupDiscoveryList");
    EXPECT_STR(api_str(r.json, "/items/0/metadata/name"), "");
    EXPECT_STR(api_str(r.json, "/items/0/versions/0/version"), "v1");
    EXPECT_STR(api_str(namespaces, "/scope"), "Cluster");
    EXPECT_TRUE(find(resources, "/resource", "configmaps") != NULL);
}

static void one_answer_may_be_asked_for_with_a_fallback(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_accept(
        c, "/apis",
        "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList," AGGREGATED
        ",application/json");
    API_REPLY plain = contract_accept(
        c, "/apis",
        "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,application/json");

    EXPECT_STR(api_str(r.json, "/kind"), "APIGroupDiscoveryList");
    EXPECT_STR(api_str(plain.json, "/kind"), "APIGroupList");
}

static void a_crd_appears_in_the_one_answer(void *arg)
{
    contract_t *c = arg;
    const char *group =
        contract_crd(c, "finds", "Find", ",'shortNames':['fi']",
                     "[{'name':'v1','served':true,'storage':true,'schema':{'openAPIV3Schema':{"
                     "'type':'object'}},'subresources':{'status':{}}}]");
    bool found = false;

    for (int i = 0; i < 200 && !found; i++) {
        API_REPLY r = contract_accept(c, "/apis", AGGREGATED);
        const cJSON *item = find(api_at(r.json, "/items"), "/metadata/name", group);
        const cJSON *one = find(api_at(item, "/versions/0/resources"), "/resource", "finds");
        if (one == NULL)
            continue;
        found = true;
        EXPECT_STR(api_str(one, "/responseKind/group"), group);
        EXPECT_STR(api_str(one, "/responseKind/version"), "v1");
        EXPECT_STR(api_str(one, "/responseKind/kind"), "Find");
        EXPECT_STR(api_str(one, "/shortNames/0"), "fi");
        EXPECT_STR(api_str(one, "/subresources/0/subresource"), "status");
    }
    EXPECT_TRUE(found);
    API_REPLY list = api_get(c->api, "/apis");
    EXPECT_TRUE(find(api_at(list.json, "/groups"), "/name", group) != NULL);
}

/* -- The server itself -- */

static void health_is_ok_as_text(void *arg)
{
    contract_t *c = arg;
    static const char *const paths[] = {"/healthz", "/livez", "/readyz"};

    for (size_t i = 0; i < 3; i++) {
        API_REPLY r = api_get(c->api, "%s", paths[i]);
        EXPECT_INT(r.status, 200);
        EXPECT_STR(r.text, "ok");
        EXPECT_HAS(r.type, "text/plain");
    }
}

static void the_version_says_major_minor_and_git_version(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/version");

    EXPECT_STR(api_str(r.json, "/major"), "1");
    EXPECT_TRUE(strtol(api_str(r.json, "/minor"), NULL, 10) >= 34);
    EXPECT_HAS(api_str(r.json, "/gitVersion"), contract_text("v1.%s", api_str(r.json, "/minor")));
    EXPECT_HAS(api_str(r.json, "/platform"), "/");
}

static void a_post_to_the_version_is_405(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, "/version", "{}");

    EXPECT_ERROR(&r, 405, "MethodNotAllowed", "the server does not allow this method");
}

/* -- Who asks -- */

static void a_wrong_token_is_401(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_ask(
        c->api, &(api_request_t){.method = "GET", .path = c->configmaps, .token = "no-such-token"});
    API_REPLY version = api_ask(
        c->api, &(api_request_t){.method = "GET", .path = "/version", .token = "no-such-token"});

    EXPECT_ERROR(&r, 401, "Unauthorized", "Unauthorized");
    EXPECT_TRUE(api_at(r.json, "/details") == NULL);
    EXPECT_INT(version.status, 401);
}

static void a_request_without_a_token_is_anonymous_and_403(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_ask(
        c->api, &(api_request_t){.method = "GET", .path = c->configmaps, .anonymous = true});

    EXPECT_ERROR(&r, 403, "Forbidden",
                 contract_text("configmaps is forbidden: User \"system:anonymous\" cannot list "
                               "resource \"configmaps\" in API group \"\" in the namespace \"%s\"",
                               c->ns));
    EXPECT_STR(api_str(r.json, "/details/kind"), "configmaps");
}

static void health_and_version_need_no_token(void *arg)
{
    contract_t *c = arg;
    static const char *const paths[] = {"/healthz", "/livez", "/readyz", "/version"};

    for (size_t i = 0; i < 4; i++) {
        API_REPLY r =
            api_ask(c->api, &(api_request_t){.method = "GET", .path = paths[i], .anonymous = true});
        EXPECT_INT(r.status, 200);
    }
}

static void a_selfsubjectaccessreview_says_what_is_allowed(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = contract_post(c, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                "{'apiVersion':'authorization.k8s.io/v1','kind':"
                                "'SelfSubjectAccessReview','spec':{'resourceAttributes':{'verb':"
                                "'create','resource':'configmaps','namespace':'%s'}}}",
                                c->ns);

    EXPECT_INT(r.status, 201);
    EXPECT_STR(api_str(r.json, "/kind"), "SelfSubjectAccessReview");
    EXPECT_STR(api_str(r.json, "/status/allowed"), "true");
    EXPECT_STR(api_str(r.json, "/spec/resourceAttributes/verb"), "create");
}

static void a_selfsubjectaccessreview_needs_something_to_review(void *arg)
{
    contract_t *c = arg;
    API_REPLY r =
        contract_post(c, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "{'spec':{}}");

    EXPECT_INT(r.status, 422);
    EXPECT_HAS(api_str(r.json, "/message"),
               "exactly one of nonResourceAttributes or resourceAttributes must be specified");
}

static void a_selfsubjectaccessreview_can_only_be_created(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");

    EXPECT_ERROR(&r, 405, "MethodNotAllowed", "the server does not allow this method");
}

static void openapi_v3_has_the_fields_of_built_in_kinds(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_get(c->api, "/openapi/v3/apis/apps/v1");
#define SPEC "/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"

    REQUIRE_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, SPEC "/properties/replicas/type"), "integer");
    EXPECT_STR(api_str(r.json, SPEC "/properties/replicas/format"), "int32");
    EXPECT_STR(api_str(r.json, SPEC "/required/0"), "selector");
    EXPECT_STR(api_str(r.json, SPEC "/required/1"), "template");
    EXPECT_STR(
        api_str(r.json, "/components/schemas/io.k8s.api.core.v1.Volume/properties/name/type"),
        "string");
    EXPECT_STR(api_str(r.json, "/components/schemas/io.k8s.api.apps.v1.Deployment/"
                               "x-kubernetes-group-version-kind/0/kind"),
               "Deployment");
}

static const tap_test_t tests[] = {
    {"OpenAPI v3 has the fields of built-in kinds", openapi_v3_has_the_fields_of_built_in_kinds},
    {"discovery lists core resources", discovery_lists_core_resources},
    {"discovery of a missing group is 404", discovery_of_a_missing_group_is_404},
    {"/version is served", version_is_served},
    {"the core version is listed at /api", the_core_version_is_listed_at_api},
    {"groups are listed at /apis", groups_are_listed_at_apis},
    {"a group lists its versions", a_group_lists_its_versions},
    {"a resource says verbs and names", a_resource_says_verbs_and_names},
    {"a cluster-scoped resource says so", a_cluster_scoped_resource_says_so},
    {"subresources are resources with a slash", subresources_are_resources_with_a_slash},
    {"an unknown version of a known group is a status of 404",
     an_unknown_version_of_a_known_group_is_a_status_of_404},
    {"aggregated discovery has all groups in one answer", discovery_can_be_had_in_one_answer},
    {"aggregated discovery of the core group is at /api", the_core_group_has_its_own_one_answer},
    {"aggregated discovery may be asked for with a fallback",
     one_answer_may_be_asked_for_with_a_fallback},
    {"a CRD appears in aggregated discovery", a_crd_appears_in_the_one_answer},
    {"health is ok as text", health_is_ok_as_text},
    {"/version says major, minor and gitVersion", the_version_says_major_minor_and_git_version},
    {"a post to /version is 405", a_post_to_the_version_is_405},
    {"a wrong token is 401", a_wrong_token_is_401},
    {"a request without a token is anonymous and 403",
     a_request_without_a_token_is_anonymous_and_403},
    {"health and version need no token", health_and_version_need_no_token},
    {"a SelfSubjectAccessReview says what is allowed",
     a_selfsubjectaccessreview_says_what_is_allowed},
    {"a SelfSubjectAccessReview needs something to review",
     a_selfsubjectaccessreview_needs_something_to_review},
    {"a SelfSubjectAccessReview can only be created",
     a_selfsubjectaccessreview_can_only_be_created},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "discovery", tests, sizeof(tests) / sizeof(tests[0]));
}
