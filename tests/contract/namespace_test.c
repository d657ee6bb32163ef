/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces and their life. */
#include "contract/contract.h"

static void a_deleted_namespace_takes_its_objects(void *arg)
{
    contract_t *c = arg;
    char ns[80], path[160];

    snprintf(ns, sizeof(ns), "%s-inner", c->ns);
    API_REPLY made = api_post(c->api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}", ns);
    REQUIRE_INT(made.status, 201);
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", ns);
    API_REPLY cm = api_post(c->api, path, "{\"metadata\":{\"name\":\"x\"}}");
    REQUIRE_INT(cm.status, 201);
    API_REPLY del = api_delete(c->api, "/api/v1/namespaces/%s", ns);
    EXPECT_STR(api_str(del.json, "/status/phase"), "Terminating");
    API_REPLY late = api_post(c->api, path, "{\"metadata\":{\"name\":\"y\"}}");
    EXPECT_INT(late.status, 403);
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s", ns);
    EXPECT_TRUE(api_until(c->api, path, 60000, contract_is_gone, NULL));
}

/* Makes <ns>-<tail>; returns its path. */
static const char *make(contract_t *c, const char *tail)
{
    API_REPLY r =
        contract_post(c, "/api/v1/namespaces", "{'metadata':{'name':'%s-%s'}}", c->ns, tail);

    REQUIRE_INT(r.status, 201);
    return contract_text("/api/v1/namespaces/%s-%s", c->ns, tail);
}

/* -- Namespaces -- */

static void a_new_namespace_is_active_and_named_by_a_label(void *arg)
{
    contract_t *c = arg;
    const char *path = make(c, "label");
    API_REPLY r = api_get(c->api, "%s", path);
    API_REPLY gone = api_delete(c->api, "%s", path);

    EXPECT_STR(api_str(r.json, "/metadata/labels/kubernetes.io~1metadata.name"),
               contract_text("%s-label", c->ns));
    EXPECT_STR(api_str(r.json, "/status/phase"), "Active");
    EXPECT_STR(api_str(r.json, "/spec/finalizers/0"), "kubernetes");
}

static void a_namespaces_name_label_comes_back(void *arg)
{
    contract_t *c = arg;
    const char *path = make(c, "label-back");
    API_REPLY r = contract_patch(c, path, "merge",
                                 "{'metadata':{'labels':{'kubernetes.io/metadata.name':null,'a':"
                                 "'b'}}}");
    API_REPLY gone = api_delete(c->api, "%s", path);

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/metadata/labels/kubernetes.io~1metadata.name"),
               contract_text("%s-label-back", c->ns));
    EXPECT_STR(api_str(r.json, "/metadata/labels/a"), "b");
}

static void a_deleted_namespace_answers_itself_terminating(void *arg)
{
    contract_t *c = arg;
    API_REPLY r = api_delete(c->api, "%s", make(c, "terminating"));

    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/kind"), "Namespace");
    EXPECT_STR(api_str(r.json, "/status/phase"), "Terminating");
    EXPECT_HAS(api_str(r.json, "/metadata/deletionTimestamp"), "T");
}

static void create_in_a_terminating_namespace_is_403(void *arg)
{
    contract_t *c = arg;
    const char *path = make(c, "closing");
    const char *configmaps = contract_text("%s/configmaps", path);
    API_REPLY held =
        contract_post(c, configmaps, "{'metadata':{'name':'held','finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s", path);
    API_REPLY r = contract_post(c, configmaps, "{'metadata':{'name':'late'}}");
    API_REPLY change =
        contract_patch(c, contract_path(configmaps, "held"), "merge", "{'data':{'k':'v'}}");
    API_REPLY last = contract_patch(c, contract_path(configmaps, "held"), "merge",
                                    "{'metadata':{'finalizers':null}}");

    EXPECT_ERROR(&r, 403, "Forbidden",
                 contract_text("configmaps \"late\" is forbidden: unable to create new content in "
                               "namespace %s-closing because it is being terminated",
                               c->ns));
    EXPECT_CAUSE(&r, "NamespaceTerminating", "metadata.namespace");
    EXPECT_INT(change.status, 200);
    EXPECT_INT(last.status, 200);
}

static bool is_being_deleted(const api_reply_t *r, void *arg)
{
    (void) arg;
    return api_at(r->json, "/metadata/deletionTimestamp") != NULL;
}

static void a_namespace_waits_for_the_finalizers_in_it(void *arg)
{
    contract_t *c = arg;
    const char *path = make(c, "waiting");
    const char *one = contract_text("%s/configmaps/held", path);
    API_REPLY held = contract_post(c, contract_text("%s/configmaps", path),
                                   "{'metadata':{'name':'held','finalizers':['example.dev/f']}}");
    API_REPLY del = api_delete(c->api, "%s", path);

    EXPECT_TRUE(api_until(c->api, one, 20000, is_being_deleted, NULL));
    API_REPLY still = api_get(c->api, "%s", path);
    EXPECT_STR(api_str(still.json, "/status/phase"), "Terminating");
    API_REPLY last = contract_patch(c, one, "merge", "{'metadata':{'finalizers':null}}");
    EXPECT_INT(last.status, 200);
}

static void a_second_delete_of_a_namespace_answers_it_again(void *arg)
{
    contract_t *c = arg;
    const char *path = make(c, "twice");
    API_REPLY held = contract_post(c, contract_text("%s/configmaps", path),
                                   "{'metadata':{'name':'held','finalizers':['example.dev/f']}}");
    API_REPLY one = api_delete(c->api, "%s", path);
    API_REPLY two = api_delete(c->api, "%s", path);
    API_REPLY last = contract_patch(c, contract_text("%s/configmaps/held", path), "merge",
                                    "{'metadata':{'finalizers':null}}");

    EXPECT_INT(one.status, 200);
    EXPECT_INT(two.status, 200);
    EXPECT_STR(api_str(two.json, "/kind"), "Namespace");
    EXPECT_STR(api_str(two.json, "/metadata/deletionTimestamp"),
               api_str(one.json, "/metadata/deletionTimestamp"));
}

static void a_namespaces_finalizers_change_by_finalize_only(void *arg)
{
    contract_t *c = arg;
    const char *path = make(c, "finalize");
    API_REPLY ignored = contract_patch(c, path, "merge", "{'spec':{'finalizers':['x.dev/y']}}");
    API_REPLY r = contract_put(c, contract_text("%s/finalize", path),
                               "{'metadata':{'name':'%s-finalize'},'spec':{'finalizers':["
                               "'kubernetes','x.dev/y']}}",
                               c->ns);
    API_REPLY back = contract_put(c, contract_text("%s/finalize", path),
                                  "{'metadata':{'name':'%s-finalize'},'spec':{'finalizers':["
                                  "'kubernetes']}}",
                                  c->ns);
    API_REPLY gone = api_delete(c->api, "%s", path);

    EXPECT_INT(ignored.status, 200);
    EXPECT_INT(cJSON_GetArraySize(api_at(ignored.json, "/spec/finalizers")), 1);
    EXPECT_STR(api_str(ignored.json, "/spec/finalizers/0"), "kubernetes");
    EXPECT_INT(r.status, 200);
    EXPECT_STR(api_str(r.json, "/spec/finalizers/1"), "x.dev/y");
    EXPECT_INT(cJSON_GetArraySize(api_at(back.json, "/spec/finalizers")), 1);
}

static void namespaces_are_listed_and_watched_like_others(void *arg)
{
    contract_t *c = arg;
    API_REPLY list = api_get(c->api, "/api/v1/namespaces?limit=1");
    api_watch_t *w = api_watch(c->api,
                               "/api/v1/namespaces?watch=1&fieldSelector=metadata.name=%s-watched"
                               "&resourceVersion=%s",
                               c->ns, api_str(list.json, "/metadata/resourceVersion"));
    const char *path = make(c, "watched");
    API_EVENT one = contract_next(w);
    API_REPLY gone = api_delete(c->api, "%s", path);
    API_EVENT two = contract_next(w);

    EXPECT_STR(api_str(list.json, "/kind"), "NamespaceList");
    EXPECT_STR(one.type, "ADDED");
    EXPECT_STR(two.type, "MODIFIED");
    api_watch_close(w);
}

static const tap_test_t tests[] = {
    {"a deleted namespace takes its objects", a_deleted_namespace_takes_its_objects},
    {"a new namespace is active and named by a label",
     a_new_namespace_is_active_and_named_by_a_label},
    {"a namespace's name label comes back", a_namespaces_name_label_comes_back},
    {"a deleted namespace answers itself terminating",
     a_deleted_namespace_answers_itself_terminating},
    {"create in a terminating namespace is 403", create_in_a_terminating_namespace_is_403},
    {"a namespace waits for the finalizers in it", a_namespace_waits_for_the_finalizers_in_it},
    {"a second delete of a namespace answers it again",
     a_second_delete_of_a_namespace_answers_it_again},
    {"a namespace's finalizers change by finalize only",
     a_namespaces_finalizers_change_by_finalize_only},
    {"namespaces are listed and watched like others",
     namespaces_are_listed_and_watched_like_others},
};

int main(int argc, char **argv)
{
    return contract_main(argc, argv, "namespace", tests, sizeof(tests) / sizeof(tests[0]));
}
