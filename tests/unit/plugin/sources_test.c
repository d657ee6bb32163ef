/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of the state of an instance's watches. */
#include "runtime_rig.h"

#include <sys/mman.h>
#include <unistd.h>

static rig_t *rig;
static int fd;

static void start_with(const char *watches)
{
    static const char *const namespaces[] = {"a", "b", NULL};

    fd = memfd_create("log", MFD_CLOEXEC);
    rig = rig_create_with(
        &(rig_options_t){.watches = watches, .namespaces = namespaces, .log_fd = fd});
}

static void start(void)
{
    start_with(NULL);
}

static void finish(void)
{
    rig_end(rig, true, CLOCK_S);
    rig_until_flag(rig, &rig->rested, "rested");
    rig_destroy(rig);
    close(fd);
}

TestSuite(sources, .init = start, .fini = finish);
TestSuite(sources_of, .fini = finish);

/* How many lines of the log have this part. */
static int told(const char *part)
{
    static char text[65536];
    const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    int count = 0;

    cr_assert(n >= 0);
    text[n] = '\0';
    for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
        count++;
    return count;
}

static bool is_told(rig_t *r, const void *part)
{
    fake_kube_answer_lookups(r->kube);
    return told(part) > 0;
}

/* The kind is looked up again, for both namespaces. */
static void look_again(void)
{
    const size_t before = fake_kube_lookups(rig->kube);

    rig_idle(rig);
    fake_clock_advance(CLOCK_S);
    rig_idle(rig);
    EXPECT_INT(fake_kube_lookups(rig->kube) - before, 2);
    fake_kube_answer_lookups(rig->kube);
    rig_idle(rig);
}

static void sync_both(void)
{
    rig_begin(rig, 1);
    rig_synced(rig, "namespaces/a/configmaps?");
    rig_synced(rig, "namespaces/b/configmaps?");
    rig_until(rig, is_told, "synced: reconciles begin", "synced");
}

static void expect_works_when_both_have_synced(void)
{
    rig_synced(rig, "namespaces/a/configmaps?");
    rig_idle(rig);
    EXPECT_INT(told("configmaps: works now"), 0);
    rig_synced(rig, "namespaces/b/configmaps?");
    rig_until(rig, is_told, "synced: reconciles begin", "synced");
    EXPECT_INT(told("configmaps: works now"), 1);
}

Test(sources, what_is_wrong_with_a_kind_in_every_namespace_is_told_once_and_that_it_works_again)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};

    fake_kube_set_kind(rig->kube, NULL);
    rig_begin(rig, 1);
    rig_until(rig, is_told, "is not installed", "told that it is missing");
    look_again();
    EXPECT_INT(told("configmaps: resource 'configmaps' is not installed"), 1);
    EXPECT_INT(told("configmaps: works now"), 0);

    fake_kube_set_kind(rig->kube, &kind);
    look_again();
    expect_works_when_both_have_synced();
}

/* Two streams of one resource could not be told apart. */
Test(sources, a_list_is_told_with_what_it_is_of)
{
    sync_both();
    EXPECT_INT(told("objects listed"), 2);
    EXPECT_INT(told("resource=configmaps namespace=a"), 1);
    EXPECT_INT(told("resource=configmaps namespace=b"), 1);
}

Test(sources_of, a_list_is_told_with_its_selector_and_projection)
{
    start_with("[{\"version\":\"v1\",\"resource\":\"configmaps\",\"kind\":\"ConfigMap\","
               "\"labelSelector\":\"app\",\"projection\":\"metadata\"}]");
    sync_both();
    EXPECT_INT(told("namespace=a selector=app projection=metadata"), 1);
}

/* -- A kind works when all of its streams do -- */

static void deny(const char *part)
{
    fake_kube_end(rig_stream(rig, part), 403, "");
    rig_idle(rig);
}

/* The streams that were refused are opened again. */
static void try_again(void)
{
    fake_clock_advance(60 * CLOCK_S);
    rig_idle(rig);
}

Test(sources, a_kind_works_again_when_it_does_in_all_namespaces)
{
    rig_begin(rig, 1);
    deny("namespaces/a/configmaps?");
    fake_kube_end(rig_stream(rig, "namespaces/b/configmaps?"), 401, "");
    rig_idle(rig);
    EXPECT_INT(told("WARN"), 2);
    try_again();
    expect_works_when_both_have_synced();
}

/* When the host may not see all that another plugin asks for, each gets a stream of its own: nothing was
 * known of it yet, and it was said to work. */
Test(sources, a_stream_of_its_own_in_place_of_a_refused_one_works_when_it_has_synced)
{
    const watch_spec_t all = {.gvr = {.group = "", .version = "v1", .resource = "configmaps"}};
    watch_plan_t *plan = watch_announce(rig->hub, &all);

    rig_begin(rig, 1);
    deny("/api/v1/configmaps?");
    EXPECT_INT(told("configmaps: "), 1);
    expect_works_when_both_have_synced();
    watch_withdraw(plan);
}

Test(sources_of, a_cluster_scoped_kind_that_was_missing_is_told_to_work)
{
    static char name[] = "Site";
    const kube_kind_t kind = {.kind = name, .namespaced = false, .watchable = true};

    start_with("[{\"version\":\"v1\",\"resource\":\"sites\",\"kind\":\"Site\"}]");
    fake_kube_set_kind(rig->kube, NULL);
    rig_begin(rig, 1);
    rig_until(rig, is_told, "is not installed", "told that it is missing");
    fake_kube_set_kind(rig->kube, &kind);
    look_again();
    rig_object(rig, "/sites?", "BOOKMARK",
               "{\"apiVersion\":\"v1\",\"kind\":\"Site\",\"metadata\":{"
               "\"resourceVersion\":\"100\",\"annotations\":{"
               "\"k8s.io/initial-events-end\":\"true\"}}}");
    rig_until(rig, is_told, "synced: reconciles begin", "synced");
    EXPECT_INT(told("sites: works now"), 1);
}
