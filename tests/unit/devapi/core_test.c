/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs and controllers of the core; tests/contract compares them with the real server. */
#include "served.h"

#include "support/temp_dir.h"

TestSuite(core, .init = served_start, .fini = served_finish, .timeout = 20);

static dev_request_t configmap(enum dev_verb verb, const char *name)
{
    return request_of(verb, CONFIGMAPS, name);
}

static dev_request_t merge(const char *name)
{
    dev_request_t r = configmap(DEV_PATCH, name);

    r.content_type = "application/merge-patch+json";
    return r;
}

/* A ConfigMap that owner owns; more: members of the reference. */
static void make_owned(const char *name, const char *owner, const char *more)
{
    host_cleanup(host_freep) char *uid = uid_of(owner);
    host_cleanup(host_freep) char *refs =
        host_xprintf(",'ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'%s','uid':"
                     "'%s'%s}]",
                     owner, uid, more);

    make_configmap(name, refs);
}

static int code_of(const char *name)
{
    return code_of_get(CONFIGMAPS, name);
}

static void delete_as(const char *name, const char *policy)
{
    dev_request_t r = configmap(DEV_DELETE, name);

    r.propagation_policy = policy;
    cJSON_Delete(serve_as(200, r, NULL));
}

/* -- Verbs -- */

Test(core, the_namespaces_of_a_cluster_are_there)
{
    EXPECT_INT(code_of_get("", "namespaces", "default"), 200);
    EXPECT_INT(code_of_get("", "namespaces", "kube-system"), 200);
    EXPECT_INT(code_of_get("", "namespaces", "kube-public"), 200);
    EXPECT_INT(code_of_get("", "namespaces", "kube-node-lease"), 200);
    EXPECT_INT(code_of_get("", "serviceaccounts", "default"), 200);
    cJSON_Delete(serve_as(403, request_of(DEV_DELETE, "", "namespaces", "default"), NULL));
    cJSON_Delete(serve_as(405, request_of(DEV_DELETE_COLLECTION, "", "namespaces", NULL), NULL));
}

Test(core, a_put_of_the_same_is_no_change)
{
    make_configmap("a", "");
    const int64_t before = dev_core_version(served.core);

    cJSON_Delete(
        serve_as(200, configmap(DEV_UPDATE, "a"), "{'metadata':{'name':'a'},'data':{'k':'v'}}"));
    EXPECT_INT(dev_core_version(served.core), before);
    cJSON_Delete(serve_as(409, configmap(DEV_UPDATE, "a"),
                          "{'metadata':{'name':'a','resourceVersion':'1'}}"));
    cJSON_Delete(serve_as(400, configmap(DEV_UPDATE, "a"), "{'metadata':{'name':'b'}}"));
}

Test(core, the_last_finalizer_ends_a_deletion)
{
    make_configmap("a", ",'finalizers':['x.dev/f']");
    delete_as("a", NULL);
    EXPECT_INT(code_of("a"), 200);
    cJSON_Delete(
        serve_as(422, merge("a"), "{\"metadata\":{\"finalizers\":[\"x.dev/f\",\"x.dev/g\"]}}"));
    cJSON_Delete(serve_as(200, merge("a"), "{\"metadata\":{\"finalizers\":null}}"));
    EXPECT_INT(code_of("a"), 404);
}

Test(core, a_scheduled_pod_has_its_grace)
{
    static const char pod[] = "{'metadata':{'name':'p'},'spec':{'nodeName':'n','containers':[{"
                              "'name':'c','image':'i'}]}}";
    dev_request_t r = request_of(DEV_DELETE, "", "pods", "p");
    cJSON *o;

    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, "", "pods", NULL), pod));
    o = serve_as(200, r, NULL);
    EXPECT_INT(tree_number(tree_get(o, "metadata"), "deletionGracePeriodSeconds", -1), 30);
    cJSON_Delete(o);
    EXPECT_INT(code_of_get("", "pods", "p"), 200);
    cJSON_Delete(serve_as(200, r, "{'gracePeriodSeconds':0}"));
    EXPECT_INT(code_of_get("", "pods", "p"), 404);
}

Test(core, a_page_of_a_compacted_version_can_be_gone_on_with)
{
    dev_request_t r = configmap(DEV_LIST, NULL);
    cJSON *one, *expired, *rest;

    make_configmap("a", "");
    make_configmap("b", "");
    make_configmap("c", "");
    r.limit = "1";
    one = serve_as(200, r, NULL);
    make_configmap("d", "");
    dev_core_compact(served.core);
    r.continue_token = tree_text(tree_get(one, "metadata"), "continue");
    expired = serve_as(410, r, NULL);
    r.limit = NULL;
    r.continue_token = tree_text(tree_get(expired, "metadata"), "continue");
    rest = serve_as(200, r, NULL);
    EXPECT_INT(cJSON_GetArraySize(tree_get(rest, "items")), 3);
    cJSON_Delete(one);
    cJSON_Delete(expired);
    cJSON_Delete(rest);
}

Test(core, more_than_fits_is_507)
{
    served_finish();
    served_start_with((dev_core_options_t){.max_bytes = 20000, .max_events = 10});
    char big[15001] = "";
    memset(big, 'x', sizeof(big) - 1);
    host_cleanup(host_freep) char *body =
        host_xprintf("{'metadata':{'generateName':'g-'},'data':{'k':'%s'}}", big);
    int code = 0;

    for (int i = 0; i < 3 && code != 507; i++)
        cJSON_Delete(serve(configmap(DEV_CREATE, NULL), body, &code));
    EXPECT_INT(code, 507);
}

/* -- Garbage -- */

Test(core, dependents_go_after_their_owner)
{
    make_configmap("owner", "");
    make_owned("child", "owner", "");
    make_owned("grandchild", "child", "");
    delete_as("owner", "Background");
    EXPECT_INT(code_of("owner"), 404);
    EXPECT_INT(code_of("child"), 200);
    settle();
    EXPECT_INT(code_of("child"), 404);
    EXPECT_INT(code_of("grandchild"), 404);
}

Test(core, dependents_that_block_go_before_their_owner)
{
    make_configmap("owner", "");
    make_owned("child", "owner", ",'blockOwnerDeletion':true");
    cJSON_Delete(serve_as(200, merge("child"), "{\"metadata\":{\"finalizers\":[\"x.dev/f\"]}}"));
    delete_as("owner", "Foreground");
    settle();
    EXPECT_INT(code_of("owner"), 200);
    cJSON_Delete(serve_as(200, merge("child"), "{\"metadata\":{\"finalizers\":null}}"));
    settle();
    EXPECT_INT(code_of("child"), 404);
    EXPECT_INT(code_of("owner"), 404);
}

/* Kept by one of its owners, whichever way the other goes. */
static void expect_shared_stays(const char *policy)
{
    make_configmap("one", "");
    make_configmap("two", "");
    host_cleanup(host_freep) char *one = uid_of("one"), *two = uid_of("two");
    host_cleanup(host_freep) char *refs = host_xprintf(
        ",'ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'one','uid':'%s',"
        "'blockOwnerDeletion':true},{'apiVersion':'v1','kind':'ConfigMap','name':'two','uid':'%s'}"
        "]",
        one, two);
    make_configmap("shared", refs);
    delete_as("one", policy);
    settle();
    EXPECT_INT(code_of("one"), 404);
    cJSON *shared = serve_as(200, configmap(DEV_GET, "shared"), NULL);
    cr_expect_eq(cJSON_GetArraySize(tree_at(shared, "metadata.ownerReferences")), 1,
                 "%s: %d references, expected 1", policy,
                 cJSON_GetArraySize(tree_at(shared, "metadata.ownerReferences")));
    cJSON_Delete(shared);
}

Test(core, a_dependent_with_another_owner_stays)
{
    expect_shared_stays("Foreground");
}

Test(core, a_dependent_loses_the_owner_that_is_gone)
{
    expect_shared_stays("Background");
}

Test(core, orphans_stay_without_their_owner)
{
    make_configmap("owner", "");
    make_owned("child", "owner", "");
    delete_as("owner", "Orphan");
    settle();
    EXPECT_INT(code_of("owner"), 404);
    cJSON *child = serve_as(200, configmap(DEV_GET, "child"), NULL);
    cr_expect(tree_at(child, "metadata.ownerReferences") == NULL, "the reference is still there");
    cJSON_Delete(child);
}

Test(core, a_dependent_of_nobody_is_collected)
{
    make_configmap("lost", ",'ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'no',"
                           "'uid':'u'}]");
    make_configmap("kept", ",'ownerReferences':[{'apiVersion':'no.such/v1','kind':'Thing','name':"
                           "'no','uid':'u'}]");
    fake_clock_advance(60 * CLOCK_S);
    settle();
    EXPECT_INT(code_of("lost"), 404);
    EXPECT_INT(code_of("kept"), 200); /* nobody knows that kind */
}

/* -- Namespaces -- */

Test(core, a_namespace_ends_when_it_is_empty)
{
    dev_request_t r = configmap(DEV_CREATE, NULL);

    cJSON_Delete(
        serve_as(201, request_of(DEV_CREATE, "", "namespaces", NULL), "{'metadata':{'name':'n'}}"));
    r.ns = "n";
    cJSON_Delete(serve_as(201, r, "{'metadata':{'name':'a','finalizers':['x.dev/f']}}"));
    cJSON_Delete(serve_as(201, r, "{'metadata':{'name':'b'},'data':{'deletionTimestamp':'x'}}"));
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, "", "namespaces", "n"), NULL));
    cJSON_Delete(serve_as(403, r, "{'metadata':{'name':'late'}}"));
    fake_clock_advance(60 * CLOCK_S);
    settle();
    EXPECT_INT(code_of_get("", "namespaces", "n"), 200);
    r = merge("a");
    r.ns = "n";
    cJSON_Delete(serve_as(200, r, "{\"metadata\":{\"finalizers\":null}}"));
    fake_clock_advance(60 * CLOCK_S);
    settle();
    EXPECT_INT(code_of_get("", "namespaces", "n"), 404);
}

/* -- Custom kinds -- */

#define CRD                                                                                        \
    "{'metadata':{'name':'things.x.dev'},'spec':{'group':'x.dev','scope':'Namespaced','names':{"   \
    "'plural':'things','kind':'Thing'},'versions':[{'name':'v1','served':true,'storage':true,"     \
    "'schema':{'openAPIV3Schema':{'type':'object','x-kubernetes-preserve-unknown-fields':true}}}"  \
    "]}}"
#define THING "{'apiVersion':'x.dev/v1','kind':'Thing','metadata':{'name':'t'}}"
#define CRDS "apiextensions.k8s.io", "customresourcedefinitions"

Test(core, a_definition_serves_its_kind_and_takes_its_objects)
{
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CRDS, NULL), CRD));
    settle();
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, "x.dev", "things", NULL), THING));
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, CRDS, "things.x.dev"), NULL));
    cJSON_Delete(serve_as(403, request_of(DEV_CREATE, "x.dev", "things", NULL),
                          "{'apiVersion':'x.dev/v1','kind':'Thing','metadata':{'name':'late'}}"));
    settle();
    cr_expect(dev_core_kind(served.core, "x.dev", "v1", "things") == NULL, "still served");
    EXPECT_INT(code_of_get(CRDS, "things.x.dev"), 404);
}

/* -- Snapshots -- */

Test(core, a_snapshot_brings_everything_back)
{
    char *dir = temp_dir_make();
    lh_error_t err = {0};
    host_cleanup(host_freep) char *path = host_xprintf("%s/snapshot", dir);

    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CRDS, NULL), CRD));
    settle();
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, "x.dev", "things", NULL), THING));
    make_configmap("a", "");
    host_cleanup(host_freep) char *uid = uid_of("a");
    const int64_t version = dev_core_version(served.core);
    ASSERT_OK(dev_core_save(served.core, path, &err), err);
    served_finish();

    served_start();
    ASSERT_OK(dev_core_load(served.core, path, &err), err);
    settle();
    host_cleanup(host_freep) char *again = uid_of("a");
    EXPECT_STR(again, uid);
    EXPECT_INT(code_of_get("x.dev", "things", "t"), 200);
    /* A client's version may be of a change that the snapshot has not seen; a watch from there would
     * miss what comes until that number is reached again. */
    cr_expect(dev_core_version(served.core) >= version + 1000000, "%lld is not far behind %lld",
              (long long) dev_core_version(served.core), (long long) version);
    temp_dir_remove(dir);
}

/* (The real one loses the connection over it.) */
Test(core, a_custom_object_in_protobuf_is_415)
{
    cJSON_Delete(serve_as(
        201, request_of(DEV_CREATE, "apiextensions.k8s.io", "customresourcedefinitions", NULL),
        "{'metadata':{'name':'things.example.dev'},'spec':{'group':'example.dev','scope':"
        "'Namespaced','names':{'plural':'things','kind':'Thing'},'versions':[{'name':'v1',"
        "'served':true,'storage':true,'schema':{'openAPIV3Schema':{'type':'object'}}}]}}"));
    settle();
    dev_request_t r = request_of(DEV_CREATE, "example.dev", "things", NULL);
    r.content_type = "application/vnd.kubernetes.protobuf";
    cJSON_Delete(serve_as(415, r, "{}"));
}
