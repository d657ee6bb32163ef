/* SPDX-License-Identifier: Apache-2.0 */
/* What `leasehold rbac` prints for the example website. */
#include "cli/cli.h"

#include "app/app.h"
#include "cli/objects.h"
#include "support/expect.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLUGINS "--plugins", WEBSITE_DIR, "--set", "leaderElection.namespace=shop"

/* Stands in for host/app, which this verb does not run. */
int app_run(const config_t *config, const app_options_t *options)
{
    (void) config, (void) options;
    return 1;
}

/* Standard output of the verb; caller frees. */
static char *print(int status, const char *const *args)
{
    char *env[] = {"POD_NAME=pod-0", "STATE_DIRECTORY=/state", NULL};
    char *argv[20] = {"leasehold", "rbac"};
    const int old = dup(STDOUT_FILENO), file = memfd_create("out", MFD_CLOEXEC);
    int argc = 2;

    for (; args[argc - 2] != NULL; argc++)
        argv[argc] = (char *) (uintptr_t) args[argc - 2];
    fflush(NULL);
    cr_assert(dup2(file, STDOUT_FILENO) >= 0);
    const int ended = cli_main(argc, argv, env);

    fflush(NULL);
    cr_assert(dup2(old, STDOUT_FILENO) >= 0);
    close(old);
    EXPECT_INT(ended, status);
    const off_t size = lseek(file, 0, SEEK_END);
    char *text = calloc(1, (size_t) size + 1);

    cr_assert_eq(pread(file, text, (size_t) size, 0), size);
    close(file);
    return text;
}

static cJSON *print_json(const char *const *args)
{
    char *text = print(CLI_FINE, args);
    cJSON *json = cJSON_Parse(text);

    cr_assert_not_null(json, "%s", text);
    free(text);
    return json;
}

/* The object as text, found by kind, name and namespace (NULL: it has none); "" when it is not there.
 * Caller frees. */
static char *find(const cJSON *list, const char *kind, const char *name, const char *ns)
{
    const cJSON *o;

    cJSON_ArrayForEach (o, cJSON_GetObjectItem(list, "items")) {
        const cJSON *meta = cJSON_GetObjectItem(o, "metadata");
        const char *in = cJSON_GetStringValue(cJSON_GetObjectItem(meta, "namespace"));

        if (strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(o, "kind")), kind) == 0 &&
            strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(meta, "name")), name) == 0 &&
            (in == NULL ? ns == NULL : ns != NULL && strcmp(in, ns) == 0))
            return cJSON_PrintUnformatted(o);
    }
    return strdup("");
}

static void expect(const cJSON *list, const char *kind, const char *name, const char *ns,
                   const char *part)
{
    char *text = find(list, kind, name, ns);

    cr_expect(strstr(text, part) != NULL, "%s %s is\n  %s\nwithout\n  %s", kind, name, text, part);
    free(text);
}

#define BASE "leasehold:shop:leasehold-leader"
#define HOST                                                                                       \
    "\"subjects\":[{\"kind\":\"ServiceAccount\",\"name\":\"robot\",\"namespace\":\"shop\"}]"
#define OWN "\"name\":\"leasehold-website\",\"namespace\":\"shop\"}]"

Test(rbac, without_fencing_the_host_gets_what_the_manifests_ask_for)
{
    cJSON *list = print_json(
        (const char *const[]){PLUGINS, "-o", "json", "--service-account", "robot", NULL});

    expect(list, "Role", BASE, "shop",
           "\"resourceNames\":[\"leasehold-leader\"],\"verbs\":[\"get\",\"watch\",\"update\","
           "\"delete\"]");
    expect(list, "Role", BASE, "shop",
           "{\"apiGroups\":[\"events.k8s.io\"],\"resources\":[\"events\"],\"verbs\":[\"create\"]}");
    expect(list, "RoleBinding", BASE, "shop", HOST);
    expect(list, "ClusterRole", BASE ":website", NULL,
           "{\"apiGroups\":[\"events.k8s.io\"],\"resources\":[\"events\"],\"verbs\":[\"create\","
           "\"patch\"]}");
    expect(list, "ClusterRoleBinding", BASE ":website", NULL, HOST);
    expect(list, "ClusterRole", BASE ":website:watches", NULL,
           "{\"apiGroups\":[\"apps\"],\"resources\":[\"deployments\"],\"verbs\":[\"list\","
           "\"watch\"]}");
    EXPECT_INT(cJSON_GetArraySize(cJSON_GetObjectItem(list, "items")), 6);
    cJSON_Delete(list);
}

/* The host records them on what fails again and again, as that plugin. */
Test(rbac, a_plugin_that_asks_for_no_events_may_record_them_all_the_same)
{
    cJSON *list = print_json((const char *const[]){
        "--plugins", HELLO_DIR, "--set", "leaderElection.namespace=shop", "-o", "json", NULL});

    expect(list, "ClusterRole", BASE ":hello", NULL,
           "\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"verbs\":[\"list\","
           "\"watch\"]},{\"apiGroups\":[\"events.k8s.io\"],\"resources\":[\"events\"],\"verbs\":["
           "\"create\",\"patch\"]}]");
    cJSON_Delete(list);
}

Test(rbac, namespaces_make_a_role_in_each)
{
    cJSON *list =
        print_json((const char *const[]){PLUGINS, "-o", "json", "--set", "namespaces=a,b", NULL});

    expect(list, "Role", BASE ":website", "a", "\"websites/status\"");
    expect(list, "Role", BASE ":website", "b", "\"websites/status\"");
    expect(list, "RoleBinding", BASE ":website", "b", "\"kind\":\"Role\"");
    char *cluster = find(list, "ClusterRole", BASE ":website", NULL);

    EXPECT_STR(cluster, "");
    free(cluster);
    cJSON_Delete(list);
}

#define SHIPPED                                                                                    \
    "--plugins", SHIPPED_DIR, "--set", "leaderElection.namespace=shop", "--set",                   \
        "plugins.instances.janitor.config={kinds: [{version: v1, resource: namespaces, "           \
        "kind: Namespace}]}"

/* No Role grants what has no namespace: mirror, which watches Namespaces, waited for ever. */
Test(rbac, kinds_without_a_namespace_have_a_cluster_role_beside_the_roles)
{
    static const char watches[] = BASE ":mirror:watches";
    cJSON *list = print_json((const char *const[]){SHIPPED, "-o", "json", "--service-account",
                                                   "robot", "--set", "namespaces=a", NULL});

    expect(list, "ClusterRole", watches, NULL,
           "\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"namespaces\"],\"verbs\":[\"list\","
           "\"watch\"]}]");
    expect(list, "ClusterRoleBinding", watches, NULL, HOST);
    expect(list, "Role", watches, "a",
           "\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"configmaps\"],\"verbs\":[\"list\","
           "\"watch\"]},{\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"verbs\":[\"list\","
           "\"watch\"]}]");
    expect(list, "Role", BASE ":mirror", "a", "\"resources\":[\"configmaps\",\"secrets\"]");
    char *rest = find(list, "ClusterRole", BASE ":mirror", NULL);

    EXPECT_STR(rest, "");
    free(rest);
    expect(
        list, "ClusterRole", BASE ":janitor", NULL,
        "\"rules\":[{\"apiGroups\":[\"\"],\"resources\":[\"namespaces\"],\"verbs\":[\"delete\"]}]");
    expect(list, "Role", BASE ":janitor", "a", "\"resources\":[\"events\"]");
    cJSON_Delete(list);
}

Test(rbac, a_janitor_that_nobody_has_configured_ended_it)
{
    cJSON *list = print_json((const char *const[]){
        "--plugins", SHIPPED_DIR, "--set", "leaderElection.namespace=shop", "-o", "json", NULL});

    expect(list, "ClusterRole", BASE ":janitor", NULL,
           "\"rules\":[{\"apiGroups\":[\"events.k8s.io\"],\"resources\":[\"events\"],");
    expect(list, "ClusterRole", BASE ":mirror", NULL, "\"resources\":[\"configmaps\",\"secrets\"]");
    cJSON_Delete(list);
}

/* Every file in the directory ran: who wanted one of a directory's plugins granted the rights of all. */
Test(rbac, an_instance_that_is_not_enabled_gets_nothing)
{
    cJSON *list = print_json((const char *const[]){SHIPPED, "-o", "json", "--set",
                                                   "plugins.instances.mirror.enabled=false", NULL});
    char *mirror = find(list, "ClusterRole", BASE ":mirror", NULL);

    EXPECT_STR(mirror, "");
    expect(list, "ClusterRole", BASE ":reloader", NULL, "\"resources\":[\"deployments\"");
    free(mirror);
    cJSON_Delete(list);
}

/* What rules become: those of the cluster, '|', and the others. */
static void expect_split(const char *rules, const char *expected)
{
    cJSON *in = cJSON_Parse(rules), *cluster = cJSON_CreateArray(), *rest = cJSON_CreateArray();

    cli_rules_split(in, cluster, rest);
    char *a = cJSON_PrintUnformatted(cluster), *b = cJSON_PrintUnformatted(rest);
    host_cleanup(host_freep) char *both = host_xprintf("%s|%s", a, b);

    EXPECT_STR(both, expected);
    free(a);
    free(b);
    cJSON_Delete(in);
    cJSON_Delete(cluster);
    cJSON_Delete(rest);
}

Test(rbac, a_rule_for_kinds_of_both_sorts_is_split)
{
    expect_split("[{\"apiGroups\":[\"\",\"apps\"],\"resources\":[\"nodes/status\",\"pods\"],"
                 "\"verbs\":[\"get\"]}]",
                 "[{\"apiGroups\":[\"\",\"apps\"],\"resources\":[\"nodes/status\"],\"verbs\":"
                 "[\"get\"]}]|[{\"apiGroups\":[\"\",\"apps\"],\"resources\":[\"pods\"],"
                 "\"verbs\":[\"get\"]}]");
    expect_split("[{\"apiGroups\":[\"example.com\"],\"resources\":[\"nodes\",\"node\"]}]",
                 "[]|[{\"apiGroups\":[\"example.com\"],\"resources\":[\"nodes\",\"node\"]}]");
    expect_split("[{\"apiGroups\":[\"\"],\"resources\":[\"node\",\"\"]}]",
                 "[]|[{\"apiGroups\":[\"\"],\"resources\":[\"node\",\"\"]}]");
    expect_split("[{\"apiGroups\":[\"storage.k8s.io\"],\"resources\":[\"csidrivers\"],"
                 "\"resourceNames\":[\"x\"]}]",
                 "[{\"apiGroups\":[\"storage.k8s.io\"],\"resources\":[\"csidrivers\"],"
                 "\"resourceNames\":[\"x\"]}]|[]");
}

Test(rbac, with_fencing_each_plugin_has_an_account_of_its_own)
{
    cJSON *list = print_json((const char *const[]){PLUGINS, "-o", "json", "--set", "fencing=server",
                                                   "--service-account", "robot", NULL});

    expect(list, "ClusterRoleBinding", BASE ":website", NULL, OWN);
    expect(list, "ClusterRoleBinding", BASE ":website:watches", NULL, HOST);
    expect(list, "Role", BASE ":fencing", "shop",
           "\"resources\":[\"serviceaccounts\"],\"verbs\":[\"impersonate\"],"
           "\"resourceNames\":[\"leasehold-website\"]");
    expect(list, "ClusterRole", BASE ":fencing", NULL,
           "\"userextras/leasehold.dev/term\",\"userextras/leasehold.dev/holder\"");
    expect(list, "RoleBinding", BASE ":proof", "shop", OWN);
    expect(list, "CustomResourceDefinition", "fences.leasehold.dev", NULL,
           "self.leaseTransitions > oldSelf.leaseTransitions || self == oldSelf");
    cJSON_Delete(list);
}

Test(rbac, the_policies_match_these_accounts_alone)
{
    static const char policy[] = "leasehold-fencing.shop.leasehold-leader";
    cJSON *list =
        print_json((const char *const[]){PLUGINS, "-o", "json", "--set", "fencing=server", "--set",
                                         "plugins.instances.one.plugin=website", "--set",
                                         "plugins.instances.one.serviceAccount=robot-one", NULL});
    static const char who[] = "request.userInfo.username in "
                              "['system:serviceaccount:shop:robot-one']";

    expect(list, "ValidatingAdmissionPolicy", policy, NULL, who);
    expect(list, "ValidatingAdmissionPolicy", policy, NULL,
           "has(request.userInfo.extra) && 'leasehold.dev/term' in request.userInfo.extra");
    /* Otherwise every write of everybody is denied while an API server does not know the kind, or
     * while there is no Fence. */
    expect(list, "ValidatingAdmissionPolicy", policy, NULL, "\"failurePolicy\":\"Ignore\"");
    expect(list, "ValidatingAdmissionPolicyBinding", policy, NULL,
           "\"parameterNotFoundAction\":\"Allow\"");
    expect(list, "ValidatingAdmissionPolicy", "leasehold-fencing.shop.leasehold-leader.required",
           NULL, who);
    expect(list, "ValidatingAdmissionPolicy", "leasehold-fencing.shop.leasehold-leader.kept", NULL,
           "\"operations\":[\"DELETE\"]");
    cJSON_Delete(list);
}

Test(rbac, prints_yaml_whose_texts_are_texts)
{
    char *text = print(CLI_FINE, (const char *const[]){PLUGINS, NULL});

    EXPECT_HAS(text, "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n"
                     "  name: \"leasehold:shop:leasehold-leader\"\n  namespace: shop\n  labels:\n"
                     "    leasehold.dev/lease: leasehold-leader\n"
                     "    leasehold.dev/lease-namespace: shop\nrules:\n"
                     "- apiGroups: [coordination.k8s.io]\n  resources: [leases]\n"
                     "  verbs: [create]\n- apiGroups:");
    EXPECT_HAS(text, "\n---\napiVersion: ");
    EXPECT_HAS(text, "- apiGroups: [\"\"]\n  resources: [configmaps]\n");
    free(text);
}

/* What an earlier configuration was granted stayed for ever: `kubectl apply --prune` finds by labels. */
Test(rbac, what_is_of_this_deployment_alone_is_labelled)
{
    cJSON *list =
        print_json((const char *const[]){PLUGINS, "-o", "json", "--set", "fencing=server", NULL});
    const cJSON *object;
    int shared = 0;

    cJSON_ArrayForEach (object, cJSON_GetObjectItem(list, "items")) {
        const cJSON *kind = cJSON_GetObjectItem(object, "kind");
        const cJSON *labels =
            cJSON_GetObjectItem(cJSON_GetObjectItem(object, "metadata"), "labels");

        if (strcmp(kind->valuestring, "CustomResourceDefinition") == 0) {
            cr_assert_null(labels, "all deployments use it");
            shared++;
            continue;
        }
        cr_assert_not_null(labels, "%s has no labels", kind->valuestring);
        EXPECT_STR(cJSON_GetStringValue(cJSON_GetObjectItem(labels, "leasehold.dev/lease")),
                   "leasehold-leader");
        EXPECT_STR(
            cJSON_GetStringValue(cJSON_GetObjectItem(labels, "leasehold.dev/lease-namespace")),
            "shop");
    }
    EXPECT_INT(shared, 1);
    cJSON_Delete(list);
}

Test(rbac, the_name_of_a_lease_that_no_label_can_hold_is_left_out)
{
    char id[80];

    memset(id, 'a', sizeof(id));
    memcpy(id, "leaderElection.id=", 18);
    id[18 + 60] = '\0'; /* a label of 60 */
    char *text = print(CLI_FINE, (const char *const[]){PLUGINS, "--set", id, NULL});

    EXPECT_HAS(text, "leasehold.dev/lease: aaa");
    free(text);
    char longer[128];

    memset(longer, 'a', sizeof(longer));
    memcpy(longer, "leaderElection.id=", 18);
    longer[18 + 64] = '\0';
    text = print(CLI_FINE, (const char *const[]){PLUGINS, "--set", longer, NULL});
    cr_assert_null(strstr(text, "labels:"), "%s", text);
    free(text);
}

Test(rbac, what_cannot_be_told_is_an_error)
{
    char *text = print(CLI_USAGE, (const char *const[]){"--plugins", WEBSITE_DIR, NULL});

    EXPECT_STR(text, "");
    free(text);
    text = print(CLI_FAILED,
                 (const char *const[]){PLUGINS, "--set", "plugins.instances.x.workers=1", NULL});
    EXPECT_STR(text, "");
    free(text);
    text = print(CLI_USAGE, (const char *const[]){PLUGINS, "--service-account", "A b", NULL});
    EXPECT_STR(text, "");
    free(text);
}
