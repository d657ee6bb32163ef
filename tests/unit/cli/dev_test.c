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

static int changes;
static char changed_name[64];

static void on_changed(void *arg, const char *name)
{
    (void) arg;
    changes++;
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

Test(dev, plugins_that_change_are_told_once_they_rest)
{
    lh_error_t err = {0};
    dev_dir_t *d = NULL;

    ASSERT_OK(dev_dir_watch(rig.loop, rig.dir, on_changed, NULL, &d, &err), err);
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
    EXPECT_INT(dev_dir_watch(rig.loop, "/no/such/dir", on_changed, NULL, &d, &err), LH_ENOTFOUND);
}

Test(dev, a_directory_may_be_removed_and_made_again)
{
    host_cleanup(host_freep) char *sub = host_xprintf("%s/sub", rig.dir);
    lh_error_t err = {0};
    dev_dir_t *d = NULL;

    ASSERT_OK(file_make_dirs(sub, 0700, &err), err);
    ASSERT_OK(dev_dir_watch(rig.loop, sub, on_changed, NULL, &d, &err), err);
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
