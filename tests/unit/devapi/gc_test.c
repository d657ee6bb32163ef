/* SPDX-License-Identifier: Apache-2.0 */
/* The chores of many objects: they leave the loop to others, and end. */
#include "served.h"

#include "devapi/core_impl.h"
#include "support/temp_dir.h"

enum { MANY = 100, MANY_A_TURN = 20 };

#define CRDS "apiextensions.k8s.io", "customresourcedefinitions"

static int deleted;

/* As if each change took 5 ms. */
static void on_change(void *arg, const dev_change_t *change)
{
    (void) arg;
    deleted += strcmp(change->what, "deleted") == 0;
    fake_clock_advance(5 * CLOCK_MS);
}

static void start(void)
{
    deleted = 0;
    served_start_with((dev_core_options_t){.on_change = on_change});
}

TestSuite(gc, .init = start, .fini = served_finish, .timeout = 20);

/* Creates n-0, n-1, ...; more: other members of their metadata. */
static void make_many(dev_request_t r, const char *ns, const char *more)
{
    r.ns = ns;
    for (int i = 0; i < MANY; i++) {
        host_cleanup(host_freep) char *body =
            host_xprintf("{'apiVersion':'%s%sv1','kind':'%s','metadata':{'name':'n-%d'%s}}",
                         r.kind->group, r.kind->group[0] == '\0' ? "" : "/", r.kind->kind, i, more);
        cJSON_Delete(serve_as(201, r, body));
    }
    settle();
}

/* Turns until that many more are deleted; no turn may delete too many. */
static void expect_sliced(int count)
{
    deleted = 0;
    for (int turns = 0; turns < 1000 && deleted < count; turns++) {
        const int before = deleted;

        fake_clock_advance(CLOCK_MS);
        loop_turn(served.loop);
        cr_assert_leq(deleted - before, MANY_A_TURN, "%d deleted in one turn", deleted - before);
    }
    EXPECT_INT(deleted, count);
}

static void make_namespace(void)
{
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, "", "namespaces", NULL),
                          "{'metadata':{'name':'full'}}"));
    settle();
}

static void begin_to_end_namespace(void)
{
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, "", "namespaces", "full"), NULL));
    fake_clock_advance(CLOCK_S);
}

Test(gc, the_end_of_a_full_namespace_leaves_the_loop_to_others)
{
    make_namespace();
    make_many(request_of(DEV_CREATE, CONFIGMAPS, NULL), "full", "");
    begin_to_end_namespace();
    expect_sliced(MANY + 2); /* and its ServiceAccount, and itself */
    EXPECT_INT(code_of_get("", "namespaces", "full"), 404);
}

/* It waits for the last of them without looking at them again and again. */
Test(gc, a_namespace_waits_for_finalizers_without_turning)
{
    make_namespace();
    make_many(request_of(DEV_CREATE, CONFIGMAPS, NULL), "full", ",'finalizers':['x.dev/f']");
    begin_to_end_namespace();
    for (int i = 0; i < 500 && served.core->chores.at != CLOCK_NEVER; i++) {
        fake_clock_advance(CLOCK_MS);
        loop_turn(served.loop);
    }
    cr_expect(served.core->chores.at == CLOCK_NEVER);
    EXPECT_INT(code_of_get("", "namespaces", "full"), 200);
    dev_request_t r = request_of(DEV_GET, CONFIGMAPS, "n-99");
    r.ns = "full";
    cJSON *last = serve_as(200, r, NULL);
    cr_expect(tree_at(last, "metadata.deletionTimestamp") != NULL);
    cJSON_Delete(last);
}

static void make_things(void)
{
    cJSON_Delete(serve_as(
        201, request_of(DEV_CREATE, CRDS, NULL),
        "{'metadata':{'name':'things.x.dev'},'spec':{'group':'x.dev','scope':'Namespaced','names':{"
        "'plural':'things','kind':'Thing'},'versions':[{'name':'v1','served':true,'storage':true,"
        "'schema':{'openAPIV3Schema':{'type':'object'}}}]}}"));
    settle();
}

Test(gc, the_end_of_a_full_crd_leaves_the_loop_to_others)
{
    make_things();
    make_many(request_of(DEV_CREATE, "x.dev", "things", NULL), "default", "");
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, CRDS, "things.x.dev"), NULL));
    expect_sliced(MANY + 1);
}

Test(gc, a_foreground_deletion_of_many_leaves_the_loop_to_others)
{
    dev_request_t r = request_of(DEV_DELETE, CONFIGMAPS, "owner");

    make_configmap("owner", "");
    cJSON *owner = serve_as(200, request_of(DEV_GET, CONFIGMAPS, "owner"), NULL);
    host_cleanup(host_freep) char *refs = host_xprintf(
        ",'ownerReferences':[{'apiVersion':'v1','kind':'ConfigMap','name':'owner','uid':'%s',"
        "'blockOwnerDeletion':true}]",
        tree_text(tree_get(owner, "metadata"), "uid"));
    cJSON_Delete(owner);
    make_many(request_of(DEV_CREATE, CONFIGMAPS, NULL), "default", refs);
    r.propagation_policy = "Foreground";
    cJSON_Delete(serve_as(200, r, NULL));
    expect_sliced(MANY + 1);
}

static char *owned_by(const char *api_version, const char *kind, const char *name, const char *uid)
{
    return host_xprintf(
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'child',"
        "'ownerReferences':[{'apiVersion':'%s','kind':'%s','name':'%s','uid':'%s'}]}}",
        api_version, kind, name, uid);
}

Test(gc, dependents_that_a_snapshot_brought_go_with_their_owner)
{
    char *dir = temp_dir_make();
    lh_error_t err = {0};
    host_cleanup(host_freep) char *path = host_xprintf("%s/snapshot", dir);

    make_configmap("owner", "");
    host_cleanup(host_freep) char *uid = uid_of("owner");
    host_cleanup(host_freep) char *child = owned_by("v1", "ConfigMap", "owner", uid);
    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CONFIGMAPS, NULL), child));
    settle();
    ASSERT_OK(dev_core_save(served.core, path, &err), err);
    served_finish();
    served_start();
    ASSERT_OK(dev_core_load(served.core, path, &err), err);
    settle();
    EXPECT_INT(code_of_get(CONFIGMAPS, "child"), 200);
    cJSON_Delete(serve_as(200, request_of(DEV_DELETE, CONFIGMAPS, "owner"), NULL));
    settle();
    EXPECT_INT(code_of_get(CONFIGMAPS, "child"), 404);
    temp_dir_remove(dir);
}

/* Until then it may be anywhere: the kind is not known. */
Test(gc, a_dependent_of_an_owner_that_is_not_there_goes_when_its_kind_is_installed)
{
    host_cleanup(host_freep) char *child =
        owned_by("x.dev/v1", "Thing", "absent", "00000000-0000-0000-0000-000000000001");

    cJSON_Delete(serve_as(201, request_of(DEV_CREATE, CONFIGMAPS, NULL), child));
    settle();
    EXPECT_INT(code_of_get(CONFIGMAPS, "child"), 200);
    make_things();
    EXPECT_INT(code_of_get(CONFIGMAPS, "child"), 404);
}

/* The real one's root-ca publisher does so; pods and tools read it. */
Test(gc, every_namespace_has_the_ca_of_the_server)
{
    served_finish();
    served_start_with((dev_core_options_t){.ca = "-----BEGIN CERTIFICATE-----\n"});
    make_namespace();
    dev_request_t r = request_of(DEV_GET, CONFIGMAPS, "kube-root-ca.crt");
    cJSON *there = serve_as(200, r, NULL);
    EXPECT_STR(tree_text(tree_get(there, "data"), "ca.crt"), "-----BEGIN CERTIFICATE-----\n");
    cJSON_Delete(there);
    r.ns = "full";
    cJSON_Delete(serve_as(200, r, NULL));
}

Test(gc, a_server_without_tls_publishes_no_ca)
{
    EXPECT_INT(code_of_get(CONFIGMAPS, "kube-root-ca.crt"), 404);
}
