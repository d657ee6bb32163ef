/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of tests/bad_plugins in both modes, by the promises of its README.md, beside hello and
 * good, which must come to no harm. */
#include "e2e/e2e.h"

#include <sys/stat.h>
#include <unistd.h>

#define BAD(name) BAD_PLUGINS "/" name ".so"

enum { LIMIT = 15000, MODES = 2, FILES_MAX = 48 };

static const char *const modes[MODES] = {"thread", "process"};

/* -- Steps -- */

/* A lease, and a replica with these plugins beside hello and good. */
static replica_t *start(e2e_t *e, const char *lease, const char *const *plugins,
                        const char *instances, const char *config)
{
    const char *all[FILES_MAX] = {HELLO_PLUGIN, BAD("good")};
    size_t n = 2;

    for (; *plugins != NULL && n < FILES_MAX - 1; plugins++)
        all[n++] = *plugins;
    e2e_make_lease(e, lease);
    return replica_start(&(replica_options_t){.name = "a",
                                              .lease = lease,
                                              .ns = e->ns,
                                              .plugins = all,
                                              .instances = instances,
                                              .config = config});
}

/* hello sees every ConfigMap, good those with its label; both must be reconciled now. */
static void expect_reconciled(e2e_t *e, replica_t *r, const char *tag)
{
    char name[128], text[192];

    snprintf(name, sizeof(name), "good-%s", tag);
    e2e_make_configmap(e, name, "{\"bad-plugin\":\"good\"}");
    snprintf(text, sizeof(text), "/%s is here", name);
    EXPECT_TRUE(replica_logged(r, text, LIMIT));
    snprintf(text, sizeof(text), "reconciled %s", name);
    EXPECT_TRUE(replica_logged(r, text, LIMIT));
    EXPECT_INT(replica_get(r, "/livez", NULL), 200);
}

static void expect_unharmed(e2e_t *e, replica_t *r, const char *tag)
{
    expect_reconciled(e, r, tag);
    EXPECT_INT(replica_get(r, "/readyz", NULL), 200);
}

/* The first line of the log that holds `part` must hold `text` too. */
static void expect_line(replica_t *r, const char *part, const char *text)
{
    char *log = replica_log(r), *at = strstr(log, part);

    if (at != NULL) {
        while (at > log && at[-1] != '\n')
            at--;
        at[strcspn(at, "\n")] = '\0';
    }
    if (at == NULL)
        tap_fail(__FILE__, __LINE__, "no line of the log holds \"%s\"", part);
    else if (strstr(at, text) == NULL)
        tap_fail(__FILE__, __LINE__, "\"%s\" is without \"%s\"", at, text);
    free(log);
}

static void lose_the_lease(e2e_t *e, const char *lease)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", e->leases, lease);
    API_REPLY r = api_patch(e->api, path, "merge",
                            "{\"spec\":{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":1}}");
    EXPECT_INT(r.status, 200);
}

/* What makes a plugin misbehave: its own ConfigMap. */
static void make_trigger(e2e_t *e, const char *id)
{
    char labels[128];

    snprintf(labels, sizeof(labels), "{\"bad-plugin\":\"%s\"}", id);
    e2e_make_configmap(e, id, labels);
}

static void remove_trigger(e2e_t *e, const char *id)
{
    API_REPLY r = api_delete(e->api, "%s/%s", e->configmaps, id);

    EXPECT_INT(r.status, 200);
}

/* -- Refused -- */

typedef struct refusal {
    const char *name, *reason;
} refusal_t;

static const refusal_t refusals[] = {
    /* by the scan */
    {"no_note", "no manifest"},
    {"note_foreign", "no manifest"},
    {"note_truncated", "malformed note"},
    {"note_overflow", "malformed note"},
    {"note_huge", "malformed note"},
    {"note_bad_json", "manifest: not JSON"},
    {"note_deep_json", "manifest: not JSON"},
    {"note_unknown_field", "did you mean 'watches'"},
    {"note_twice", "two manifests"},
    {"wrong_major_manifest", "built for ABI 99"},
    {"not_elf", "not an ELF file"},
    {"empty", "not an ELF file"},
    {"cut_off_early", "ELF file"},
    {"wrong_architecture", "this host runs on"},
    {"directory", "a directory"},
    {"dangling", "dangling symlink"},
    {"group_writable", "chmod go-w"},
    {"world_writable", "chmod go-w"},
    /* by the probe */
    {"cut_off", "refused"},
    {"undefined_symbol", "undefined symbol: nobody_has_this"},
    {"no_symbol", "'lh_plugin'"},
    {"no_reconcile", "'reconcile_async'"},
    {"wrong_major", "built for ABI 99"},
    {"short_struct", "8 bytes"},
    {"null_create", "create()"},
    {"null_destroy", "destroy()"},
    {"aborting_constructor", "goodbye"},
    {"exiting_constructor", "refused"},
    {"hanging_constructor", "5 s"},
};
enum { REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

static void copy_good(const char *path, mode_t mode)
{
    char bytes[65536];
    FILE *from = fopen(BAD("good"), "r"), *to = fopen(path, "w");

    REQUIRE_TRUE(from != NULL && to != NULL);
    for (size_t n; (n = fread(bytes, 1, sizeof(bytes), from)) > 0;)
        fwrite(bytes, 1, n, to);
    fclose(from);
    fclose(to);
    REQUIRE_INT(chmod(path, mode), 0);
}

/* The file of a refusal; those that only a file system can make wrong are made here. */
static const char *file_of(const e2e_t *e, const char *name)
{
    char *path = NULL;
    const bool group = strcmp(name, "group_writable") == 0;

    if (group || strcmp(name, "world_writable") == 0 || strcmp(name, "dangling") == 0) {
        if (asprintf(&path, "%s/%s.so", e->dir, name) < 0)
            return NULL;
        if (strcmp(name, "dangling") != 0)
            copy_good(path, group ? 0775 : 0757);
    } else if (asprintf(&path, "%s/%s.so", BAD_PLUGINS, name) < 0) {
        return NULL;
    }
    return path;
}

static void expect_refusal(replica_t *r, const char *verbose, const refusal_t *f)
{
    char part[128], check[128], series[160];

    snprintf(part, sizeof(part), "/%s.so' is refused: ", f->name);
    expect_line(r, part, f->reason);
    snprintf(check, sizeof(check), "file-%s.so", f->name);
    EXPECT_HAS(verbose, check);
    snprintf(series, sizeof(series),
             "leasehold_plugin_state{controller=\"%s.so\",state=\"failed\"}", f->name);
    EXPECT_INT(replica_metric(r, series), 1);
}

/* Instances of the ids that the files would have had, in process mode. */
static void print_instances(char *out, size_t size, const char *mode)
{
    size_t n = (size_t) snprintf(out, size, "    good: {isolation: %s}\n    hello: {isolation: %s}",
                                 mode, mode);

    for (size_t i = 0; i < REFUSALS && strcmp(mode, "process") == 0 && n < size; i++) {
        char id[64];
        snprintf(id, sizeof(id), "%s", refusals[i].name);
        for (char *c = id; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        n += (size_t) snprintf(out + n, size - n, "\n    %s: {isolation: process}", id);
    }
}

static void files_are_refused(e2e_t *e, const char *mode)
{
    const char *files[REFUSALS + 1] = {NULL};
    char instances[4096], lease[64];
    char *verbose = NULL;

    for (size_t i = 0; i < REFUSALS; i++)
        files[i] = file_of(e, refusals[i].name);
    print_instances(instances, sizeof(instances), mode);
    snprintf(lease, sizeof(lease), "refused-%s", mode);
    const int64_t begin = replica_now_ms();
    replica_t *r = start(e, lease, files, instances, NULL);
    EXPECT_TRUE(replica_answers(r, "/readyz", 200, 30000));
    tap_note("ready beside %d bad files after %lld ms", (int) REFUSALS,
             (long long) (replica_now_ms() - begin));
    replica_get(r, "/readyz?verbose", &verbose);
    for (size_t i = 0; i < REFUSALS; i++)
        expect_refusal(r, verbose, &refusals[i]);
    expect_unharmed(e, r, lease);
    replica_signal(r, SIGTERM);
    EXPECT_INT(replica_wait(r, LIMIT), 0);
    free(verbose);
    replica_free(r);
    for (size_t i = 0; i < REFUSALS; i++)
        free((char *) files[i]);
}

/* -- Failed in its life -- */

static void lives_fail(e2e_t *e, const char *mode)
{
    static const char *const plugins[] = {BAD("refusing_create"),
                                          BAD("silent_create"),
                                          BAD("slow_create"),
                                          BAD("failing_activate"),
                                          BAD("hanging_activate"),
                                          BAD("hanging_deactivate"),
                                          NULL};
    static const char *const ids[] = {"refusing-create",  "silent-create",    "slow-create",
                                      "failing-activate", "hanging-activate", "hanging-deactivate"};
    char instances[1024], lease[64], early[80];
    size_t n = 0;

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        n += (size_t) snprintf(instances + n, sizeof(instances) - n, "%s    %s: {isolation: %s}",
                               i > 0 ? "\n" : "", ids[i], mode);
    snprintf(lease, sizeof(lease), "lives-%s", mode);
    replica_t *r = start(e, lease, plugins, instances, "drainTimeout: 2s");
    EXPECT_TRUE(e2e_wait_holder(e, lease, "a", LIMIT)); /* which no plugin can delay */
    snprintf(early, sizeof(early), "%s-early", lease);  /* the start waits for create() */
    expect_reconciled(e, r, early);
    EXPECT_TRUE(replica_logged(r, "create has not returned after 10 s", 20000));
    EXPECT_TRUE(replica_logged(r, "activate has not returned after 10 s", 20000));
    expect_line(r, "ERROR create: I will not work on a Tuesday", "controller=refusing-create");
    expect_line(r, "controller=silent-create", "ERROR create: refused without a reason");
    expect_line(r, "ERROR create has not returned after 10 s", "controller=slow-create");
    if (strcmp(mode, "process") == 0) /* of a worker nothing is left: it is tried again */
        expect_line(r, "create has not returned after 10 s; tried again in",
                    "controller=slow-create");
    expect_line(r, "the moon is not full; tried again in 1 s", "controller=failing-activate");
    expect_line(r, "the moon is not full; tried again in 2 s", "controller=failing-activate");
    expect_line(r, "ERROR activate has not returned after 10 s", "controller=hanging-activate");
    if (strcmp(mode, "process") == 0)
        expect_line(r, "activate has not returned after 10 s; tried again in",
                    "controller=hanging-activate");
    EXPECT_INT(replica_log_count(r, "synced: reconciles begin controller=failing-activate"), 0);
    expect_unharmed(e, r, lease);

    const int64_t begin = replica_now_ms();
    replica_signal(r, SIGTERM);
    EXPECT_TRUE(e2e_wait_holder(e, lease, "", 5000)); /* given back, and not left to expire */
    tap_note("%s: released %lld ms after SIGTERM (drainTimeout 2 s)", mode,
             (long long) (replica_now_ms() - begin));
    EXPECT_INT(replica_wait(r, 5000), 0);
    expect_line(r, "not drained and deactivated when the time for it was over",
                "controller=hanging-deactivate");
    replica_free(r);
}

/* -- Signals to a host that takes long to end -- */

static replica_t *start_slow_to_end(e2e_t *e, const char *lease)
{
    static const char *const plugins[] = {BAD("hanging_deactivate"), NULL};
    replica_t *r =
        start(e, lease, plugins, "    hanging-deactivate: {isolation: thread}", "drainTimeout: 3s");

    EXPECT_TRUE(replica_logged(r, "synced: reconciles begin controller=hanging-deactivate", LIMIT));
    return r;
}

/* timeout(1) sends one to the process and one to its group: the Lease was left to expire. */
static void a_signal_that_comes_twice_at_once_is_one(void *arg)
{
    e2e_t *e = arg;
    replica_t *r = start_slow_to_end(e, "signalled-twice");

    replica_signal(r, SIGTERM);
    EXPECT_TRUE(replica_logged(r, "SIGTERM: stopping", LIMIT));
    replica_signal(r, SIGTERM);
    EXPECT_TRUE(e2e_wait_holder(e, "signalled-twice", "", 6000));
    EXPECT_INT(replica_wait(r, 6000), 0);
    replica_free(r);
}

static void a_later_signal_ends_at_once(void *arg)
{
    e2e_t *e = arg;
    replica_t *r = start_slow_to_end(e, "signalled-again");
    int status = -1;

    replica_signal(r, SIGTERM);
    EXPECT_TRUE(replica_logged(r, "SIGTERM: stopping", LIMIT));
    const int64_t begin = replica_now_ms();
    while (status < 0 && replica_now_ms() - begin < 2500) {
        replica_signal(r, SIGTERM);
        status = replica_wait(r, 50);
    }
    EXPECT_INT(status, 1);
    EXPECT_TRUE(replica_logged(r, "second signal: ending at once; the Lease is left", 0));
    EXPECT_STR(e2e_holder(e, "signalled-again"), "a");
    replica_free(r);
}

/* -- In a reconcile -- */

static double strays(replica_t *r, const char *controller)
{
    char series[160];

    snprintf(series, sizeof(series), "leasehold_plugin_stray_completions_total{controller=\"%s\"}",
             controller);
    return replica_metric(r, series);
}

static bool wait_series(replica_t *r, const char *series, double least, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (replica_metric(r, series) < least) {
        if (replica_now_ms() > until || !replica_running(r))
            return false;
        usleep(20000);
    }
    return true;
}

static void completions_that_are_too_many(e2e_t *e, const char *mode)
{
    static const char *const plugins[] = {BAD("double_completion"), BAD("completion_after_destroy"),
                                          NULL};
    char instances[256], lease[64];

    snprintf(instances, sizeof(instances),
             "    double-completion: {isolation: %s}\n"
             "    completion-after-destroy: {isolation: %s}",
             mode, mode);
    snprintf(lease, sizeof(lease), "too-many-%s", mode);
    replica_t *r = start(e, lease, plugins, instances, NULL);
    EXPECT_TRUE(replica_answers(r, "/leader", 200, LIMIT));
    make_trigger(e, "double-completion");
    make_trigger(e, "completion-after-destroy");
    EXPECT_TRUE(wait_series(r,
                            "leasehold_plugin_stray_completions_total{"
                            "controller=\"double-completion\"}",
                            2, LIMIT));
    EXPECT_TRUE(wait_series(r,
                            "controller_runtime_reconcile_total{"
                            "controller=\"completion-after-destroy\",result=\"success\"}",
                            1, LIMIT));
    EXPECT_INT(strays(r, "double-completion"), 2);
    EXPECT_INT(replica_metric(r, "controller_runtime_reconcile_total{"
                                 "controller=\"double-completion\",result=\"success\"}"),
               1);
    expect_unharmed(e, r, lease);
    replica_signal(r, SIGTERM);
    EXPECT_INT(replica_wait(r, LIMIT), 0);
    replica_free(r);
    remove_trigger(e, "double-completion");
    remove_trigger(e, "completion-after-destroy");
}

/* Both leave the key busy; the term's end gives them up, the next term has a fresh instance. */
static void reconciles_without_end(e2e_t *e, const char *mode)
{
    static const char *const plugins[] = {BAD("never_completing"), BAD("hanging_reconcile"), NULL};
    char instances[256], lease[64];

    snprintf(instances, sizeof(instances),
             "    never-completing: {isolation: %s}\n    hanging-reconcile: {isolation: %s}", mode,
             mode);
    snprintf(lease, sizeof(lease), "endless-%s", mode);
    make_trigger(e, "never-completing");
    make_trigger(e, "hanging-reconcile");
    replica_t *r = start(e, lease, plugins, instances, "drainTimeout: 1s");
    for (int term = 1; term <= 2; term++) {
        EXPECT_TRUE(replica_answers(r, "/leader", 200, LIMIT));
        EXPECT_TRUE(replica_logged(r, "forgetting never-completing", LIMIT));
        EXPECT_TRUE(replica_logged(r, "hanging on hanging-reconcile", LIMIT));
        replica_mark(r);
        lose_the_lease(e, lease);
        EXPECT_TRUE(replica_logged(r,
                                   "given up, 0 call(s) have not returned "
                                   "controller=never-completing",
                                   3000));
        EXPECT_TRUE(replica_logged(r,
                                   "given up, 1 call(s) have not returned "
                                   "controller=hanging-reconcile",
                                   3000));
    }
    EXPECT_TRUE(replica_answers(r, "/leader", 200, LIMIT));
    EXPECT_TRUE(replica_logged(r, "forgetting never-completing", LIMIT));
    if (strcmp(mode, "thread") == 0)
        expect_line(r, "ERROR too many calls never returned", "controller=hanging-reconcile");
    else
        EXPECT_TRUE(replica_logged(r, "hanging on hanging-reconcile", LIMIT));
    expect_unharmed(e, r, lease);
    replica_signal(r, SIGTERM);
    EXPECT_INT(replica_wait(r, LIMIT), 0);
    replica_free(r);
    remove_trigger(e, "never-completing");
    remove_trigger(e, "hanging-reconcile");
}

/* Both modes at a time: they have to wait. */
static void a_late_completion_counts_within_its_term(void *arg)
{
    e2e_t *e = arg;
    replica_t *r[MODES];

    make_trigger(e, "late-reconcile");
    for (int i = 0; i < MODES; i++) {
        char instances[128], lease[64];
        snprintf(instances, sizeof(instances), "    late-reconcile: {isolation: %s}", modes[i]);
        snprintf(lease, sizeof(lease), "late-%s", modes[i]);
        r[i] = start(e, lease, (const char *const[]){BAD("late_reconcile"), NULL}, instances, NULL);
        EXPECT_TRUE(replica_answers(r[i], "/leader", 200, LIMIT));
    }
    for (int i = 0; i < MODES; i++) {
        EXPECT_TRUE(wait_series(r[i],
                                "controller_runtime_reconcile_total{"
                                "controller=\"late-reconcile\",result=\"success\"}",
                                1, 45000));
        EXPECT_INT(strays(r[i], "late-reconcile"), 0);
        expect_unharmed(e, r[i], i == 0 ? "late-thread" : "late-process");
        replica_free(r[i]);
    }
}

static void a_crash_ends_only_the_process(e2e_t *e, const char *name, const char *file,
                                          const char *reason)
{
    char instances[128], line[192], series[128], lease[64];

    snprintf(instances, sizeof(instances), "    %s: {isolation: process}", name);
    snprintf(lease, sizeof(lease), "%s-process", name);
    make_trigger(e, name);
    replica_t *r = start(e, lease, (const char *const[]){file, NULL}, instances, NULL);
    EXPECT_TRUE(replica_answers(r, "/leader", 200, LIMIT));
    EXPECT_TRUE(replica_answers(r, "/readyz", 200, LIMIT)); /* every create() has answered */
    expect_unharmed(e, r, lease);
    /* Only its key makes it crash: a second death shows that the key was queued again. */
    snprintf(series, sizeof(series), "leasehold_plugin_restarts_total{controller=\"%s\"}", name);
    EXPECT_TRUE(wait_series(r, series, 3, 20000));
    snprintf(line, sizeof(line), "the worker process %s; tried again in 1 s controller=%s", reason,
             name);
    EXPECT_INT(replica_log_count(r, line), 1);
    snprintf(line, sizeof(line), "the worker process %s; tried again in 2 s controller=%s", reason,
             name);
    EXPECT_INT(replica_log_count(r, line), 1);
    snprintf(line, sizeof(line), "again-%s", name);
    expect_unharmed(e, r, line);
    EXPECT_INT(replica_get(r, "/leader", NULL), 200);
    replica_signal(r, SIGTERM);
    EXPECT_INT(replica_wait(r, LIMIT), 0);
    replica_free(r);
    remove_trigger(e, name);
}

static void a_segfault_in_process_mode(void *arg)
{
    a_crash_ends_only_the_process(arg, "segfault", BAD("segfault"),
                                  "killed by signal 11 (Segmentation fault)");
}

static void an_exit_in_process_mode(void *arg)
{
    a_crash_ends_only_the_process(arg, "exiting", BAD("exiting"), "exited with status 0");
}

/* In thread mode these two end the host; the follower, without the plugin, takes over. */
static void crash_in_thread_mode(void *arg)
{
    static const struct {
        const char *id, *file;
        int status;
    } crashes[] = {{"segfault", BAD("segfault"), 128 + SIGSEGV}, {"exiting", BAD("exiting"), 0}};
    e2e_t *e = arg;

    for (size_t i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s-thread", crashes[i].id);
        replica_t *a = start(e, name, (const char *const[]){crashes[i].file, NULL}, NULL, NULL);
        EXPECT_TRUE(replica_answers(a, "/leader", 200, LIMIT));
        replica_t *b = e2e_replica(e, "b", name, NULL);
        make_trigger(e, crashes[i].id);
        EXPECT_INT(replica_wait(a, LIMIT), crashes[i].status);
        EXPECT_TRUE(e2e_wait_holder(e, name, "b", LIMIT));
        replica_free(a);
        replica_free(b);
        remove_trigger(e, crashes[i].id);
    }
}

/* Twice the same file, then the host goes on without it. */
static void a_file_that_ends_the_host_twice_is_quarantined(void *arg)
{
    e2e_t *e = arg;

    make_trigger(e, "segfault");
    replica_t *r = start(e, "quarantine", (const char *const[]){BAD("segfault"), NULL}, NULL, NULL);
    EXPECT_INT(replica_wait(r, LIMIT), 128 + SIGSEGV);
    replica_mark(r);
    replica_restart(r);
    EXPECT_TRUE(replica_logged(r,
                               "the last process of this identity was ended by a plugin: signal 11 "
                               "(SIGSEGV) in reconcile of instance 'segfault', key ",
                               LIMIT));
    EXPECT_INT(replica_wait(r, LIMIT), 128 + SIGSEGV);
    replica_restart(r);
    EXPECT_TRUE(replica_answers(r, "/leader", 200, LIMIT));
    EXPECT_TRUE(replica_says(r, "/readyz?verbose",
                             "[-]plugin-segfault failed: quarantined: this file has ended the host "
                             "2 times, the last time by signal 11 (SIGSEGV) in reconcile",
                             LIMIT));
    EXPECT_INT(
        replica_metric(r, "leasehold_plugin_state{controller=\"segfault\",state=\"failed\"}"), 1);
    expect_unharmed(e, r, "quarantine");
    replica_free(r);
    remove_trigger(e, "segfault");
}

/* -- The table -- */

#define IN_BOTH(fn)                                                                                \
    static void fn##_thread(void *arg)                                                             \
    {                                                                                              \
        fn(arg, "thread");                                                                         \
    }                                                                                              \
    static void fn##_process(void *arg)                                                            \
    {                                                                                              \
        fn(arg, "process");                                                                        \
    }

IN_BOTH(files_are_refused)
IN_BOTH(lives_fail)
IN_BOTH(completions_that_are_too_many)
IN_BOTH(reconciles_without_end)

static const tap_test_t tests[] = {
    {"files that cannot be used are refused with their own text (thread)",
     files_are_refused_thread},
    {"files that cannot be used are refused with their own text (process)",
     files_are_refused_process},
    {"what fails or hangs in create, activate, deactivate stays alone (thread)", lives_fail_thread},
    {"what fails or hangs in create, activate, deactivate stays alone (process)",
     lives_fail_process},
    {"a signal that comes twice at once is one", a_signal_that_comes_twice_at_once_is_one},
    {"a later signal ends at once", a_later_signal_ends_at_once},
    {"completions too many are counted and ignored (thread)", completions_that_are_too_many_thread},
    {"completions too many are counted and ignored (process)",
     completions_that_are_too_many_process},
    {"reconciles without end are given up with their term (thread)", reconciles_without_end_thread},
    {"reconciles without end are given up with their term (process)",
     reconciles_without_end_process},
    {"a completion after 30 s counts within its term", a_late_completion_counts_within_its_term},
    {"a segfault in process mode restarts the worker with a doubled delay",
     a_segfault_in_process_mode},
    {"exit() in process mode restarts the worker with a doubled delay", an_exit_in_process_mode},
    {"a segfault and exit() in thread mode end the host, and the follower leads",
     crash_in_thread_mode},
    {"a file that ends the host twice in thread mode is quarantined",
     a_file_that_ends_the_host_twice_is_quarantined},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "bad", tests, sizeof(tests) / sizeof(tests[0]));
}
