/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests into the embedded API server, and the directory that it watches. */
#include "base/file.h"
#include "cli/dev.h"
#include "support/expect.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

#include <unistd.h>

typedef struct rig {
    loop_t *loop;
    dev_core_t *core;
    char *dir, *file;
} rig_t;

static rig_t rig;

static void set_up(void)
{
    lh_error_t err = {0};

    rig.dir = temp_dir_make();
    rig.file = host_xprintf("%s/manifest", rig.dir);
    ASSERT_OK(loop_create(&rig.loop, &err), err);
    ASSERT_OK(dev_core_create(&(dev_core_options_t){.loop = rig.loop}, &rig.core, &err), err);
}

static void tear_down(void)
{
    dev_core_destroy(rig.core);
    loop_destroy(rig.loop);
    free(rig.file);
    temp_dir_remove(rig.dir);
}

TestSuite(dev, .init = set_up, .fini = tear_down);

static int apply(const char *text, lh_error_t *err)
{
    lh_error_t ignored = {0};

    ASSERT_OK(file_write_atomic(rig.file, text, strlen(text), 0600, &ignored), ignored);
    return dev_apply_file(rig.loop, rig.core, rig.file, err);
}

/* The code of a GET; *text, unless NULL, becomes the answer, for the caller to free. */
static int get(const char *group, const char *resource, const char *ns, const char *name,
               char **text)
{
    dev_request_t r = {.verb = DEV_GET, .version = "v1", .ns = ns, .name = name};
    dev_reply_t reply;

    r.kind = dev_core_kind(rig.core, group, "v1", resource);
    if (r.kind == NULL)
        return -1;
    dev_core_serve(rig.core, &r, &reply);
    const int code = reply.code;
    if (text != NULL)
        *text = host_xstrdup(buf_text(&reply.body));
    dev_reply_fini(&reply);
    return code;
}

static const char crd[] =
    "# a comment before\n"
    "---\n"
    "apiVersion: apiextensions.k8s.io/v1\n"
    "kind: CustomResourceDefinition\n"
    "metadata: {name: things.example.dev}\n"
    "spec:\n"
    "  group: example.dev\n"
    "  scope: Namespaced\n"
    "  names: {plural: things, singular: thing, kind: Thing, listKind: ThingList}\n"
    "  versions:\n"
    "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n"
    "--- # the next one\n"
    "apiVersion: example.dev/v1\n"
    "kind: Thing\n"
    "metadata: {name: one}\n"
    "---\n"
    "---\n"
    "apiVersion: v1\n"
    "kind: ConfigMap\n"
    "metadata: {name: two, namespace: kube-system}\n"
    "data:\n"
    "  text: |\n"
    "    --- no marker\n";

Test(dev, documents_are_applied_in_order)
{
    lh_error_t err = {0};
    char *text = NULL;

    ASSERT_OK(apply(crd, &err), err);
    EXPECT_INT(get("example.dev", "things", "default", "one", NULL), 200);
    EXPECT_INT(get("", "configmaps", "kube-system", "two", &text), 200);
    EXPECT_HAS(text, "\"text\":\"--- no marker\\n\"");
    free(text);
}

Test(dev, json_and_lists_are_applied)
{
    lh_error_t err = {0};

    ASSERT_OK(
        apply("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
              "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}},"
              "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"b\"}}]}",
              &err),
        err);
    EXPECT_INT(get("", "configmaps", "default", "a", NULL), 200);
    EXPECT_INT(get("", "namespaces", NULL, "b", NULL), 200);
}

Test(dev, what_is_there_is_merged)
{
    lh_error_t err = {0};
    char *text = NULL;

    ASSERT_OK(
        apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: x, b: y}\n", &err),
        err);
    ASSERT_OK(apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {b: z}\n", &err),
              err);
    EXPECT_INT(get("", "configmaps", "default", "a", &text), 200);
    EXPECT_HAS(text, "\"data\":{\"a\":\"x\",\"b\":\"z\"}");
    free(text);
}

typedef struct mistake {
    const char *text, *part;
} mistake_t;

static const mistake_t mistakes[] = {
    {"kind: ConfigMap\n", "an object has no apiVersion or no kind"},
    {"apiVersion: v9\nkind: Odd\nmetadata: {name: a}\n",
     "Odd 'a': no kind 'Odd' of 'v9' is served"},
    {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_B}\n",
     "ConfigMap 'A_B': ConfigMap \"A_B\" is invalid: metadata.name: Invalid value"},
    {"a: b\n---\n- x\n", "an object has no apiVersion or no kind"},
    {"---\n---\n- x\n", "a document is no object"},
    {"---\n\n---\na: 1\na: 2\n", "manifest:5:1: key 'a' stands here again, after line 4"},
    {"{\"kind\":", "not JSON"},
};

Test(dev, mistakes_in_manifests_are_named)
{
    for (size_t i = 0; i < HOST_LEN(mistakes); i++) {
        lh_error_t err = {0};

        cr_expect(apply(mistakes[i].text, &err) < 0, "%s", mistakes[i].text);
        EXPECT_HAS(err.text, mistakes[i].part);
    }
    lh_error_t err = {0};
    EXPECT_INT(dev_apply_file(rig.loop, rig.core, "/no/such/file", &err), LH_ENOTFOUND);
}

Test(dev, the_lease_is_put_there_and_freed)
{
    lh_error_t err = {0};
    char *text = NULL;

    dev_apply_lease(rig.core, "default", "l");
    ASSERT_OK(apply("{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":"
                    "{\"name\":\"l\"},\"spec\":{\"holderIdentity\":\"x\"}}",
                    &err),
              err);
    dev_apply_lease(rig.core, "default", "l");
    EXPECT_INT(get("coordination.k8s.io", "leases", "default", "l", &text), 200);
    EXPECT_HAS(text, "\"holderIdentity\":\"\"");
    free(text);
}

/* -- The directory -- */

static int changes, gone;
static char changed_name[64];

static void on_changed(void *arg, const char *name, bool there)
{
    (void) arg;
    if (there)
        changes++;
    else
        gone++;
    snprintf(changed_name, sizeof(changed_name), "%s", name);
}

static void write_plugin(const char *name)
{
    host_cleanup(host_freep) char *path = host_xprintf("%s/%s", rig.dir, name);
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, "x", 1, 0600, &err), err);
}

static void let_pass(int64_t time)
{
    loop_turn(rig.loop);
    fake_clock_advance(time);
    loop_turn(rig.loop);
}

static int watch(const char *dir, const char *const *names, dev_dir_t **out, lh_error_t *err)
{
    return dev_dir_watch(
        &(dev_dir_options_t){.loop = rig.loop, .dir = dir, .names = names, .changed = on_changed},
        out, err);
}

Test(dev, plugins_that_change_are_told_once_they_rest)
{
    lh_error_t err = {0};
    dev_dir_t *d = NULL;

    ASSERT_OK(watch(rig.dir, NULL, &d, &err), err);
    write_plugin("notes.txt");
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 0);
    write_plugin("a.so");
    let_pass(200 * CLOCK_MS);
    write_plugin("b.so");
    let_pass(200 * CLOCK_MS);
    EXPECT_INT(changes, 0);
    let_pass(200 * CLOCK_MS);
    EXPECT_INT(changes, 1);
    EXPECT_STR(changed_name, "b.so");
    dev_dir_destroy(d);
    EXPECT_INT(watch("/no/such/dir", NULL, &d, &err), LH_ENOTFOUND);
}

Test(dev, a_plugin_that_a_failed_link_took_away_was_told_as_changed)
{
    host_cleanup(host_freep) char *path = host_xprintf("%s/a.so", rig.dir);
    lh_error_t err = {0};
    dev_dir_t *d = NULL;

    write_plugin("a.so");
    ASSERT_OK(watch(rig.dir, NULL, &d, &err), err);
    write_plugin("a.so");
    cr_assert_eq(unlink(path), 0);
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 0);
    EXPECT_INT(gone, 1);
    EXPECT_STR(changed_name, "a.so");
    write_plugin("a.so");
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 1);
    EXPECT_INT(gone, 1);
    dev_dir_destroy(d);
}

Test(dev, of_named_files_no_others_count)
{
    static const char *const names[] = {"a.yaml", "b.json", NULL};
    lh_error_t err = {0};
    dev_dir_t *d = NULL;

    ASSERT_OK(watch(rig.dir, names, &d, &err), err);
    write_plugin("a.so");
    write_plugin("a.yaml~");
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 0);
    write_plugin("b.json");
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 1);
    EXPECT_STR(changed_name, "b.json");
    dev_dir_destroy(d);
}

Test(dev, a_directory_may_be_removed_and_made_again)
{
    host_cleanup(host_freep) char *sub = host_xprintf("%s/sub", rig.dir);
    lh_error_t err = {0};
    dev_dir_t *d = NULL;

    ASSERT_OK(file_make_dirs(sub, 0700, &err), err);
    ASSERT_OK(watch(sub, NULL, &d, &err), err);
    cr_assert_eq(rmdir(sub), 0);
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 0);
    ASSERT_OK(file_make_dirs(sub, 0700, &err), err);
    let_pass(2 * CLOCK_S);
    EXPECT_INT(changes, 1);
    write_plugin("sub/c.so");
    let_pass(CLOCK_S);
    EXPECT_INT(changes, 2);
    dev_dir_destroy(d);
}

/* -- What the host is started with -- */

Test(dev, settings_reach_the_host_and_what_dev_decides_wins)
{
    const char *settings[] = {"log.level=debug", "plugins.instances.a.workers=2", NULL};
    const cli_args_t args = {
        .plugins = "/p", .config_file = "c.yaml", .settings = settings, .setting_count = 2};
    static const char *const first[] = {"leasehold", "run",
                                        "--config",  "c.yaml",
                                        "--set",     "log.level=debug",
                                        "--set",     "plugins.instances.a.workers=2",
                                        "--set",     "kubeconfig=/k",
                                        "--set",     "plugins.dir=/p",
                                        "--set",     "stateDir=/s",
                                        "--set",     "context=",
                                        "--set",     "name=dev"};
    host_cleanup(dev_argv_freep) char **argv = dev_argv(&args, "/k", "/s");
    config_t *config = NULL;
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(rig.file, "context: prod\nname: a\n", 22, 0600, &err), err);
    EXPECT_INT(dev_argv_check(&args, &err), 0);
    for (size_t i = 0; i < HOST_LEN(first); i++)
        EXPECT_STR(argv[i], first[i]);
    size_t flags = 0;
    const char *given[64] = {NULL};
    for (char **p = argv + 4; *p != NULL; p += 2) {
        EXPECT_STR(p[0], "--set");
        given[flags++] = p[1];
    }
    ASSERT_OK(config_load(&(config_sources_t){.file = rig.file, .flags = given}, &config, &err),
              err);
    EXPECT_STR(config->context, "");
    EXPECT_STR(config->name, "dev");
    EXPECT_STR(config->leader_election.id, "leasehold-leader");
    EXPECT_INT(config->leader_election.lease_duration, 4 * CLOCK_S);
    EXPECT_STR(config->health.address, "0");
    EXPECT_INT(config->log.level, LOG_DEBUG);
    EXPECT_INT(config->plugins.instances[0].workers, 2);
    config_destroy(config);
}

Test(dev, settings_that_dev_decides_are_refused)
{
    static const struct {
        const char *plugins, *setting, *text;
    } rows[] = {
        {"/p", "kubeconfig=/k", "--set kubeconfig: dev itself decides that"},
        {"/p", "leaderElection.leaseDuration=9s",
         "--set leaderElection.leaseDuration: dev itself decides that"},
        {"/p", "health.address=:1", "--set health.address: dev itself decides that"},
        {NULL, "log.level=debug", "--config and --set are for the host, which needs --plugins"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        const char *settings[] = {rows[i].setting, NULL};
        const cli_args_t args = {
            .plugins = rows[i].plugins, .settings = settings, .setting_count = 1};
        lh_error_t err = {0};

        EXPECT_INT(dev_argv_check(&args, &err), LH_EINVAL);
        EXPECT_STR(err.text, rows[i].text);
    }
}
