/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as its user sees it: output, messages, exit status. */
#include "cli/cli.h"

#include "app/app.h"
#include "support/expect.h"
#include "unit/cli/outcome.h"

#include <sys/stat.h>

/* Stands in for host/app: says what it was given. */
int app_run(const config_t *config, const app_options_t *options)
{
    printf("app_run %s %s %s %d\n", config->name, config->kubeconfig, config->health.address,
           options->version[0] != '\0');
    fflush(stdout);
    return 1;
}

static char dir[] = "/tmp/leasehold-cli-XXXXXX";

static void enter(void)
{
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
}

static void leave(void)
{
    (void) unlink("bad.yaml");
    (void) unlink("kubeconfig");
    (void) unlink("leasehold.yaml");
    (void) unlink("appsettings.json");
    (void) unlink("appsettings.Staging.json");
    (void) unlink("junk.so");
    (void) unlink("good.so");
    (void) unlink("janitor.so");
    (void) unlink("not_elf.so");
    (void) unlink("note_bad_json.so");
    (void) unlink("wrong_major_manifest.so");
    (void) rmdir(dir);
}

TestSuite(cli, .init = enter, .fini = leave);

/* Runs `leasehold line`, its words separated by single spaces. */
static outcome_t run(const char *line)
{
    char *env[] = {"POD_NAME=pod-0", "STATE_DIRECTORY=/state", NULL};

    return outcome_of(line, env);
}

Test(cli, mistakes_of_usage_end_with_2_and_a_hint)
{
    static const struct {
        const char *line, *err;
    } rows[] = {
        {"", "leasehold: a verb is missing (see 'leasehold help')\n"},
        {"rnu", "leasehold: unknown verb 'rnu'; did you mean 'run'? (see 'leasehold help')\n"},
        {"plugins",
         "leasehold: unknown verb 'plugins'; did you mean 'plugins ls'? (see 'leasehold help')\n"},
        {"plugins sl", "leasehold: unknown verb 'plugins sl'; did you mean 'plugins ls'? (see "
                       "'leasehold help')\n"},
        {"help xyzzy", "leasehold: unknown verb 'xyzzy' (see 'leasehold help')\n"},
        {"config -x", "leasehold: config: unknown flag '-x' (see 'leasehold config --help')\n"},
        {"config --", "leasehold: config: unknown flag '--' (see 'leasehold config --help')\n"},
        {"run -o json", "leasehold: run: unknown flag '-o' (see 'leasehold run --help')\n"},
        {"version --set name=a",
         "leasehold: version: unknown flag '--set' (see 'leasehold version --help')\n"},
        {"version --name a",
         "leasehold: version: unknown flag '--name' (see 'leasehold version --help')\n"},
        {"run extra", "leasehold: run: unexpected 'extra' (see 'leasehold run --help')\n"},
        {"config --set", "leasehold: config: --set needs a value\n"},
        {"config --check --schema",
         "leasehold: config: one of --check, --defaults, --schema at a time\n"},
        {"config --check=1", "leasehold: config: --check takes no value\n"},
        {"version -o yaml", "leasehold: version: --output is text or json, not 'yaml'\n"},
        {"worker x", "leasehold: worker: 'x' is no file descriptor\n"},
        {"plugins ls", "leasehold: no plugin directory: give --plugins DIR or set plugins.dir\n"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        const outcome_t o = run(rows[i].line);

        cr_expect_eq(o.status, CLI_USAGE, "'%s' ends with %d", rows[i].line, o.status);
        EXPECT_STR(o.err, rows[i].err);
        EXPECT_STR(o.out, "");
    }
}

Test(cli, mistakes_of_configuration_end_with_2_for_every_verb_that_reads_it)
{
    static const char *const verbs[] = {"run", "config", "config --check", "plugins ls"};

    for (size_t i = 0; i < HOST_LEN(verbs); i++) {
        char line[100];

        snprintf(line, sizeof(line), "%s --set stopBudget=1ms", verbs[i]);
        const outcome_t o = run(line);

        cr_expect_eq(o.status, CLI_USAGE, "'%s' ends with %d", line, o.status);
        EXPECT_STR(o.err, "leasehold: --set stopBudget: 1ms is not between 50ms and 1h\n");
        EXPECT_STR(o.out, "");
    }
}

Test(cli, run_gives_flags_and_returns_the_status_of_the_host)
{
    const outcome_t o = run("run --name a --kubeconfig=/k --set health.address=:1 --health :2");

    EXPECT_INT(o.status, 1);
    EXPECT_STR(o.out, "app_run a /k :2 1\n");
    EXPECT_STR(o.err, "");
}

Test(cli, mistakes_in_set_named_a_flag_that_was_not_given)
{
    EXPECT_STR(run("config --set name=").err,
               "leasehold: --set name: a name has 1 to 253 bytes, this one 0\n");
    EXPECT_STR(run("config --name=").err,
               "leasehold: --name: a name has 1 to 253 bytes, this one 0\n");
    EXPECT_HAS(run("config --set name=a").out, " --set\nleaderElection.enabled ");
}

Test(cli, check_is_silent_about_a_good_configuration)
{
    const outcome_t o = run("config --check");

    EXPECT_INT(o.status, CLI_FINE);
    EXPECT_STR(o.out, "");
    EXPECT_STR(o.err, "");
}

/* Puts the plugin at path into the directory of the test. */
static void take(const char *path)
{
    cr_assert_eq(symlink(path, strrchr(path, '/') + 1), 0, "%s", path);
}

Test(cli, check_names_every_plugin_file_that_would_be_refused)
{
    take(BAD_PLUGINS "/good.so");
    take(BAD_PLUGINS "/note_bad_json.so");
    take(BAD_PLUGINS "/not_elf.so");
    take(BAD_PLUGINS "/wrong_major_manifest.so");
    const outcome_t o = run("config --check --plugins .");

    EXPECT_INT(o.status, CLI_USAGE);
    EXPECT_STR(o.out, "");
    EXPECT_HAS(o.err, "leasehold: plugin file './not_elf.so' is refused: not an ELF file");
    EXPECT_HAS(o.err,
               "\nleasehold: plugin file './note_bad_json.so' is refused: manifest: not JSON");
    EXPECT_HAS(o.err, "\nleasehold: plugin file './wrong_major_manifest.so' is refused: built for "
                      "ABI 99");
    cr_expect_null(strstr(o.err, "good.so"), "%s", o.err);
}

Test(cli, check_names_instances_that_would_not_start)
{
    take(BAD_PLUGINS "/good.so");
    const outcome_t fine = run("config --check --plugins . --set plugins.instances.good.workers=2"),
                    lost = run("config --check --plugins . --set plugins.instances.web.workers=2"),
                    none = run("config --check --set plugins.instances.good.workers=2");

    EXPECT_INT(fine.status, CLI_FINE);
    EXPECT_STR(fine.err, "");
    EXPECT_INT(lost.status, CLI_USAGE);
    EXPECT_STR(lost.err, "leasehold: instance 'web' cannot be started: --set: "
                         "no usable plugin file has id 'web'\n");
    EXPECT_INT(none.status, CLI_USAGE);
    EXPECT_HAS(none.err, "no usable plugin file has id 'good'\n");
}

Test(cli, check_refuses_an_instance_whose_config_does_not_fit_its_plugin)
{
    take(JANITOR_PLUGIN);
    const outcome_t o = run("config --check --plugins . --set "
                            "plugins.instances.janitor.config={\"no-such-key\":1}");

    EXPECT_INT(o.status, CLI_USAGE);
    EXPECT_HAS(o.err, "leasehold: instance 'janitor' cannot be started: ");
    EXPECT_HAS(o.err, ": config: ");
    EXPECT_HAS(o.err, "no-such-key");
}

Test(cli, check_refuses_a_plugin_directory_that_is_missing)
{
    const outcome_t o = run("config --check --plugins none");

    EXPECT_INT(o.status, CLI_USAGE);
    EXPECT_STR(o.err, "leasehold: plugins.dir: scan 'none': No such file or directory\n");
}

Test(cli, check_shows_the_place_in_the_named_file)
{
    FILE *f = fopen("bad.yaml", "w");

    cr_assert(f != NULL && fputs("log:\n  levle: info\n", f) >= 0 && fclose(f) == 0);
    const outcome_t o = run("config --check --config bad.yaml");

    EXPECT_INT(o.status, CLI_USAGE);
    EXPECT_STR(o.err,
               "leasehold: bad.yaml:2:3: unknown key 'log.levle'; did you mean 'log.level'?\n");
}

Test(cli, config_prints_for_people_and_for_programs)
{
    const outcome_t text = run("config --name a"), json = run("config --name a -o json");

    EXPECT_INT(text.status, CLI_FINE);
    EXPECT_HAS(text.out, "--name\nleaderElection.enabled ");
    EXPECT_INT(json.status, CLI_FINE);
    EXPECT_HAS(json.out, "[{\"key\":\"name\",\"value\":\"a\",\"origin\":\"--name\"},\n");
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* The line of the Lease in what `leasehold config` prints, with single spaces. */
static void expect_lease(const char *flags, char **env, const char *value, const char *origin)
{
    char line[200];

    snprintf(line, sizeof(line), "config %s", flags);
    const outcome_t o = outcome_of(line, env);
    const char *at = strstr(o.out, "\nlease ");

    EXPECT_INT(o.status, CLI_FINE);
    cr_assert_not_null(at, "no lease in\n%s%s", o.out, o.err);
    at += 7 + strspn(at + 7, " ");
    cr_expect(strncmp(at, value, strlen(value)) == 0, "the lease is %s, expected %s", at, value);
    at += strlen(value) + strspn(at + strlen(value), " ");
    EXPECT_STR(at, origin);
}

Test(cli, config_shows_the_lease_that_run_would_use)
{
    char *plain[] = {"POD_NAME=pod-0", "STATE_DIRECTORY=/s", NULL};
    char *pod[] = {"POD_NAME=pod-0", "STATE_DIRECTORY=/s", "POD_NAMESPACE=ops", NULL};

    write_file("kubeconfig",
               "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
               "users: [{name: u, user: {token: hunter2}}]\n"
               "contexts: [{name: x, context: {cluster: c, user: u, namespace: shop}},\n"
               "  {name: y, context: {cluster: c, user: u}}]\n");
    expect_lease("", pod, "ops/leasehold-leader", "environment POD_NAMESPACE\n");
    expect_lease("--set leaderElection.namespace=web --set leaderElection.id=shop", pod, "web/shop",
                 "leaderElection.namespace\n");
    expect_lease("--kubeconfig kubeconfig --context x", plain, "shop/leasehold-leader",
                 "kubeconfig 'kubeconfig', context 'x'\n");
    expect_lease("--kubeconfig kubeconfig --context y", plain, "kube-system/leasehold-leader",
                 "default\n");
    expect_lease("--set leaderElection.enabled=false", pod, "none", "leaderElection.enabled\n");
    expect_lease("--kubeconfig none", plain, "unknown",
                 "kubeconfig: open 'none': No such file or directory\n");
    const outcome_t json = outcome_of("config -o json", pod);

    EXPECT_HAS(json.out, ",\n {\"key\":\"lease\",\"value\":\"ops/leasehold-leader\",\"origin\":"
                         "\"environment POD_NAMESPACE\"}]\n");
    EXPECT_HAS(outcome_of("config -o json --kubeconfig none", plain).out,
               "{\"key\":\"lease\",\"value\":null,");
}

Test(cli, config_reads_appsettings_and_what_lies_over_it)
{
    char *env[] = {"POD_NAME=pod-0", "STATE_DIRECTORY=/s", "DOTNET_ENVIRONMENT=Staging",
                   "KUBEOPS__LEASEDURATION=00:00:45", NULL};

    write_file("appsettings.json", "{\n  \"KubeOps\": {\n    \"Name\": \"a\", // who\n"
                                   "    \"RenewDeadline\": \"20s\",\n  },\n}\n");
    write_file("appsettings.Staging.json", "{\"KubeOps\": {\"LeaderElectionId\": \"staging\"}}");
    const outcome_t o = outcome_of("config -o json", env);

    EXPECT_HAS(o.out, "\"key\":\"name\",\"value\":\"a\",\"origin\":\"appsettings.json:3\"}");
    EXPECT_HAS(o.out, "\"value\":\"20s\",\"origin\":\"appsettings.json:4\"}");
    EXPECT_HAS(o.out, "\"value\":\"staging\",\"origin\":\"appsettings.Staging.json:1\"}");
    EXPECT_HAS(o.out, "\"value\":\"45s\",\"origin\":\"environment KUBEOPS__LEASEDURATION\"}");
    write_file("appsettings.Staging.json",
               "{\"KubeOps\": {\"LeaderElectionID\": \"a\",\n \"Nmae\": 1}}");
    const outcome_t bad = outcome_of("config --check", env);

    EXPECT_INT(bad.status, CLI_USAGE);
    EXPECT_STR(bad.err,
               "leasehold: appsettings.Staging.json:2:2: unknown key 'KubeOps:Nmae'; did you "
               "mean 'KubeOps:Name'?\n");
}

Test(cli, config_prints_defaults_and_schemas_whatever_the_configuration)
{
    write_file("leasehold.yaml", "- bad\n");
    const outcome_t defaults = run("config --defaults"), schema = run("config --schema"),
                    dotnet = run("config --schema --config appsettings.json");

    EXPECT_INT(defaults.status, CLI_FINE);
    EXPECT_HAS(defaults.out, "\n  # name of the Lease, the same for all replicas\n  id: "
                             "leasehold-leader\n");
    EXPECT_INT(schema.status, CLI_FINE);
    EXPECT_HAS(schema.out, "\"title\": \"leasehold.yaml\"");
    EXPECT_INT(dotnet.status, CLI_FINE);
    EXPECT_HAS(dotnet.out, "\"title\": \"appsettings.json\"");
    write_file("leasehold.yaml", defaults.out);
    EXPECT_STR(run("config --check").err, "");
}

Test(cli, version_names_what_matters)
{
    const outcome_t text = run("version"), json = run("version --output=json"),
                    flag = run("--version");

    EXPECT_INT(text.status, CLI_FINE);
    EXPECT_HAS(text.out, "leasehold ");
    EXPECT_HAS(text.out, ", plugin ABI 0, libcurl ");
    EXPECT_HAS(text.out, ", OpenSSL 3.");
    EXPECT_STR(flag.out, text.out);
    EXPECT_HAS(json.out, "{\"version\":\"");
    EXPECT_HAS(json.out, "\"abi\":0,");
}

Test(cli, help_lists_verbs_and_the_flags_of_each)
{
    const outcome_t all = run("help"), flag = run("--help"), one = run("help run"),
                    same = run("run --help"), two = run("help plugins");

    EXPECT_INT(all.status, CLI_FINE);
    EXPECT_HAS(all.out, "  plugins ls ");
    cr_expect_null(strstr(all.out, "worker"), "children are not shown");
    EXPECT_STR(flag.out, all.out);
    EXPECT_HAS(one.out, "usage: leasehold run [FLAG...]\n");
    EXPECT_HAS(one.out, "  --kubeconfig FILE ");
    EXPECT_HAS(one.out, "  --set KEY=VALUE ");
    cr_expect_null(strstr(one.out, "--check"), "of another verb");
    EXPECT_STR(same.out, one.out);
    EXPECT_HAS(two.out, "usage: leasehold plugins ls [FLAG...]\n");
}

/* True when each stands in text, one after the other. */
static bool in_order(const char *text, const char *const *parts)
{
    for (; text != NULL && *parts != NULL; parts++)
        text = strstr(text, *parts);
    return text != NULL;
}

Test(cli, help_hid_the_flags_of_a_verb_behind_those_of_all)
{
    static const struct {
        const char *line, *parts[8];
    } rows[] = {
        {"run --help",
         {"--name ", "--config ", "--help",
          "\nAll settings: 'leasehold config --defaults' and docs/configuration.md\n"}},
        {"status --help", {"\n\n  --pid ", "--url ", "--lease ", "--name ", "--set ", "--output "}},
        {"log-level -h", {"\n\n  --pid ", "--name ", "--set "}},
        {"step-down -h", {"\n\n  --pid ", "--wait ", "--name ", "--set "}},
        {"rbac --help", {"\n\n  --service-account ", "--name ", "--set "}},
        {"config --help", {"\n\n  --check ", "--schema ", "--name ", "--set ", "--output "}},
        {"dev --help", {"--plugins ", "  --config FILE ", "  --set KEY=VALUE ", "--apply "}},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        const outcome_t o = run(rows[i].line);

        EXPECT_INT(o.status, CLI_FINE);
        cr_expect(in_order(o.out, rows[i].parts), "%s gives\n%s", rows[i].line, o.out);
    }
}

Test(cli, help_of_plugins_was_an_unknown_verb)
{
    const outcome_t full = run("plugins ls --help"), first = run("plugins --help"),
                    brief = run("plugins -h");

    EXPECT_INT(first.status, CLI_FINE);
    EXPECT_HAS(first.out, "usage: leasehold plugins ls [FLAG...]\n");
    EXPECT_STR(first.out, full.out);
    EXPECT_STR(brief.out, full.out);
}

Test(cli, plugins_ls_shows_why_a_file_is_refused)
{
    FILE *f = fopen("junk.so", "w");

    cr_assert(f != NULL && fputs("junk", f) >= 0 && fclose(f) == 0);
    cr_assert_eq(chmod("junk.so", 0644), 0);
    const outcome_t text = run("plugins ls --plugins ."),
                    json = run("plugins ls --plugins . -o json");

    EXPECT_INT(text.status, CLI_FINE);
    EXPECT_HAS(text.out, "ID  VERSION  ABI  STATE    FILE");
    EXPECT_HAS(text.out, "-   -        -    refused  ");
    EXPECT_HAS(text.out, "junk.so  not an ELF file");
    EXPECT_HAS(json.out,
               "[{\"id\":null,\"version\":null,\"abi\":null,\"state\":\"refused\",\"file\":\"");
    EXPECT_HAS(json.out, "\"reason\":\"not an ELF file");
}

Test(cli, plugins_ls_printed_control_characters_of_a_file_name)
{
    const char *name = "a\x1b[2J\nb.so";
    FILE *f = fopen(name, "w");

    cr_assert(f != NULL && fputs("junk", f) >= 0 && fclose(f) == 0);
    cr_assert_eq(chmod(name, 0644), 0);
    const outcome_t text = run("plugins ls --plugins ."),
                    json = run("plugins ls --plugins . -o json"),
                    rbac = run("rbac --plugins . --set leaderElection.namespace=n");

    EXPECT_HAS(text.out, "refused  ./a\\u001b[2J\\nb.so  not an ELF file");
    EXPECT_HAS(json.out, "\"file\":\"./a\\u001b[2J\\nb.so\"");
    EXPECT_HAS(rbac.err,
               "leasehold: plugin file './a\\u001b[2J\\nb.so' is refused: not an ELF file");
    cr_expect_null(strchr(text.out, '\x1b'));
    cr_expect_null(strchr(rbac.err, '\x1b'));
}

Test(cli, plugins_ls_of_a_directory_that_is_missing_fails)
{
    const outcome_t o = run("plugins ls --plugins none");

    EXPECT_INT(o.status, CLI_FAILED);
    EXPECT_STR(o.err, "leasehold: scan 'none': No such file or directory\n");
    EXPECT_STR(o.out, "");
}

Test(cli, output_that_cannot_be_written_is_a_failure)
{
    char *env[] = {"POD_NAME=p", NULL}, *argv[] = {"leasehold", "version", NULL};
    const int old = dup(STDOUT_FILENO);

    fflush(NULL);
    cr_assert_not_null(freopen("/dev/full", "w", stdout));
    const int status = cli_main(2, argv, env);

    cr_assert(dup2(old, STDOUT_FILENO) >= 0);
    close(old);
    EXPECT_INT(status, CLI_FAILED);
}
