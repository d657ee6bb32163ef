/* SPDX-License-Identifier: Apache-2.0 */
#include "loading.h"

#include "base/buf.h"
#include "base/clock.h"
#include "config/sources.h"

#include <sys/stat.h>

TestSuite(load, .init = loading_enter, .fini = loading_leave);

Test(load, defaults_are_those_of_the_documentation)
{
    config_t *c = loading_ok(NULL, NULL, NULL);

    EXPECT_STR(c->name, "pod-0");
    cr_expect(c->leader_election.enabled);
    EXPECT_STR(c->leader_election.id, "leasehold-leader");
    EXPECT_STR(c->leader_election.namespace, "");
    EXPECT_INT(c->leader_election.lease_duration, 15 * CLOCK_S);
    EXPECT_INT(c->leader_election.renew_deadline, 10 * CLOCK_S);
    EXPECT_INT(c->leader_election.retry_period, 2 * CLOCK_S);
    cr_expect_float_eq(c->leader_election.clock_skew, 0.02, 1e-12);
    EXPECT_STR(c->kubeconfig, "");
    EXPECT_STR(c->context, "");
    EXPECT_STR(c->plugins.dir, "");
    EXPECT_INT(c->plugins.instance_count, 0);
    cr_expect(c->namespaces == NULL || c->namespaces[0] == NULL);
    EXPECT_STR(c->health.address, ":8081");
    EXPECT_INT(c->health.ready, CONFIG_READY_ALL);
    EXPECT_INT(c->health.plugins, CONFIG_PLUGINS_SHOWN);
    EXPECT_INT(c->log.level, LOG_INFO);
    EXPECT_INT(c->log.format, LOG_TEXT);
    EXPECT_INT(c->drain_timeout, 10 * CLOCK_S);
    EXPECT_INT(c->stop_budget, 200 * CLOCK_MS);
    EXPECT_STR(c->state_dir, "/state");
    config_destroy(c);
}

Test(load, every_setting_can_be_written_in_a_file)
{
    config_t *c = loading_ok("name: a\n"
                             "leaderElection:\n"
                             "  enabled: false\n"
                             "  id: my-lease\n"
                             "  namespace: ops\n"
                             "  leaseDuration: 30s\n"
                             "  renewDeadline: 00:00:20\n"
                             "  retryPeriod: 1500ms\n"
                             "  clockSkew: 0.1\n"
                             "kubeconfig: /k\n"
                             "context: kind\n"
                             "namespaces: [a, b]\n"
                             "plugins:\n"
                             "  dir: /plugins\n"
                             "  instances:\n"
                             "    hello:\n"
                             "    web:\n"
                             "      plugin: website\n"
                             "      isolation: process\n"
                             "      workers: 4\n"
                             "      maxInFlight: 8\n"
                             "      namespaces:\n"
                             "      - c\n"
                             "      config: {image: nginx, replicas: 2}\n"
                             "health: {address: '127.0.0.1:0', ready: leader, plugins: required}\n"
                             "log: {level: debug, format: json}\n"
                             "drainTimeout: 1m30s\n"
                             "stopBudget: 0.5\n"
                             "stateDir: /s\n",
                             NULL, NULL);

    EXPECT_STR(c->name, "a");
    cr_expect_not(c->leader_election.enabled);
    EXPECT_STR(c->leader_election.id, "my-lease");
    EXPECT_STR(c->leader_election.namespace, "ops");
    EXPECT_INT(c->leader_election.lease_duration, 30 * CLOCK_S);
    EXPECT_INT(c->leader_election.renew_deadline, 20 * CLOCK_S);
    EXPECT_INT(c->leader_election.retry_period, 1500 * CLOCK_MS);
    cr_expect_float_eq(c->leader_election.clock_skew, 0.1, 1e-12);
    EXPECT_STR(c->kubeconfig, "/k");
    EXPECT_STR(c->context, "kind");
    EXPECT_STR(c->namespaces[0], "a");
    EXPECT_STR(c->namespaces[1], "b");
    cr_expect_null(c->namespaces[2]);
    EXPECT_STR(c->plugins.dir, "/plugins");
    EXPECT_STR(c->health.address, "127.0.0.1:0");
    EXPECT_INT(c->health.ready, CONFIG_READY_LEADER);
    EXPECT_INT(c->health.plugins, CONFIG_PLUGINS_REQUIRED);
    EXPECT_INT(c->log.level, LOG_DEBUG);
    EXPECT_INT(c->log.format, LOG_JSON);
    EXPECT_INT(c->drain_timeout, 90 * CLOCK_S);
    EXPECT_INT(c->stop_budget, 500 * CLOCK_MS);
    EXPECT_STR(c->state_dir, "/s");

    cr_assert_eq(c->plugins.instance_count, 2);
    const config_instance_t *hello = &c->plugins.instances[0], *web = &c->plugins.instances[1];

    EXPECT_STR(hello->name, "hello");
    EXPECT_STR(hello->plugin, "hello");
    EXPECT_INT(hello->isolation, CONFIG_ISOLATION_THREAD);
    EXPECT_INT(hello->workers, 1);
    EXPECT_INT(hello->max_in_flight, 64);
    EXPECT_STR(hello->config_json, "{}");
    EXPECT_STR(hello->where, "leasehold.yaml:16");
    EXPECT_STR(web->plugin, "website");
    EXPECT_INT(web->isolation, CONFIG_ISOLATION_PROCESS);
    EXPECT_INT(web->workers, 4);
    EXPECT_INT(web->max_in_flight, 8);
    EXPECT_STR(web->namespaces[0], "c");
    cr_expect_null(web->namespaces[1]);
    EXPECT_STR(web->config_json, "{\"image\":\"nginx\",\"replicas\":2}");
    config_destroy(c);
}

Test(load, an_empty_file_a_null_group_and_a_null_value_change_nothing)
{
    static const char *const yamls[] = {"", "# nothing\n", "---\n", "leaderElection:\n",
                                        "health: {address: , ready: ~}\nplugins: {instances: }\n"};

    for (size_t i = 0; i < HOST_LEN(yamls); i++) {
        config_t *c = loading_ok(yamls[i], NULL, NULL);

        EXPECT_STR(c->health.address, ":8081");
        EXPECT_STR(c->leader_election.id, "leasehold-leader");
        config_destroy(c);
    }
}

Test(load, later_sources_win)
{
    static const char *const env[] = {LOADING_ENV, "LEASEHOLD_LEADER_ELECTION_ID=env",
                                      "LEASEHOLD_DRAIN_TIMEOUT=3s", NULL};
    static const char *const flags[] = {"drainTimeout=4s", "drainTimeout=5s", NULL};
    config_t *c =
        loading_ok("leaderElection: {id: file, namespace: file}\ndrainTimeout: 2s\n", env, flags);

    EXPECT_STR(c->leader_election.namespace, "file");
    EXPECT_STR(c->leader_election.id, "env");
    EXPECT_INT(c->drain_timeout, 5 * CLOCK_S);
    config_destroy(c);
}

Test(load, lists_of_a_later_source_replace_the_earlier_ones)
{
    static const char *const flags[] = {"namespaces=x,y", "plugins.instances.h.namespaces=z", NULL};
    config_t *c = loading_ok("namespaces: [a, b, c]\n", NULL, flags);

    EXPECT_STR(c->namespaces[0], "x");
    EXPECT_STR(c->namespaces[1], "y");
    cr_expect_null(c->namespaces[2]);
    EXPECT_STR(c->plugins.instances[0].namespaces[0], "z");
    config_destroy(c);
}

Test(load, an_empty_text_empties_a_list_and_a_string)
{
    static const char *const flags[] = {"namespaces=", "kubeconfig=", "leaderElection.id=", NULL};
    config_t *c =
        loading_ok("namespaces: [a]\nkubeconfig: /k\nleaderElection: {id: x}\n", NULL, flags);

    cr_expect_null(c->namespaces[0]);
    EXPECT_STR(c->kubeconfig, "");
    EXPECT_STR(c->leader_election.id, "leasehold-leader");
    config_destroy(c);
}

Test(load, flags_reach_into_instances)
{
    static const char *const flags[] = {"plugins.instances.hello.workers=2",
                                        "plugins.instances.other.plugin=hello",
                                        "plugins.instances.other.config={a: [1, \"2\"]}", NULL};
    config_t *c =
        loading_ok("plugins: {instances: {hello: {workers: 7, maxInFlight: 9}}}\n", NULL, flags);

    cr_assert_eq(c->plugins.instance_count, 2);
    EXPECT_INT(c->plugins.instances[0].workers, 2);
    EXPECT_INT(c->plugins.instances[0].max_in_flight, 9);
    EXPECT_STR(c->plugins.instances[1].name, "other");
    EXPECT_STR(c->plugins.instances[1].plugin, "hello");
    EXPECT_STR(c->plugins.instances[1].where, "--set");
    EXPECT_STR(c->plugins.instances[1].config_json, "{\"a\":[1,\"2\"]}");
    config_destroy(c);
}

/* They stand in an array that grows. */
Test(load, a_thousand_instances_keep_what_was_said_of_them_and_one_more_is_refused)
{
    enum { MOST = 1000 };
    host_cleanup(buf_fini) buf_t yaml = BUF_INIT;

    buf_puts(&yaml, "plugins:\n  instances:\n");
    for (int i = 0; i < MOST; i++)
        buf_printf(&yaml, "    p%d: {maxInFlight: %d}\n", i, i + 1);
    config_t *c = loading_ok(buf_text(&yaml), NULL, NULL);

    cr_assert_eq(c->plugins.instance_count, MOST);
    for (int i = 0; i < MOST; i++) {
        const config_instance_t *instance = &c->plugins.instances[i];
        char name[16], where[32];

        snprintf(name, sizeof(name), "p%d", i);
        snprintf(where, sizeof(where), "leasehold.yaml:%d", i + 3);
        EXPECT_STR(instance->name, name);
        EXPECT_STR(instance->where, where);
        EXPECT_INT(instance->max_in_flight, i + 1);
        EXPECT_INT(instance->workers, 1);
    }
    config_destroy(c);
    buf_puts(&yaml, "    more: {}\n");
    loading_refused(buf_text(&yaml), NULL, NULL, "leasehold.yaml:1003:5: more than 1000 instances");
}

Test(load, section_config_follows_the_core_schema)
{
    config_t *c =
        loading_ok("plugins:\n"
                   "  instances:\n"
                   "    x:\n"
                   "      config:\n"
                   "        null1: null\n"
                   "        null2:\n"
                   "        null3: ~\n"
                   "        bools: [true, False, TRUE, yes, 'true']\n"
                   "        ints: [0, -12, +7, 007, 0x1F, 0o17, 12345678901234567890123, 08]\n"
                   "        floats: [1.50, .5, -.5, 5., 1e3, 1.E-2, 2E+0]\n"
                   "        texts: ['1', \"2\", 1.2.3, 0x, 1_000, 12:30, '', -, '~', e5]\n"
                   "        block: |\n"
                   "          a \"b\"\n"
                   "          c\n"
                   "        deep: {a: [{b: {}}, []]}\n"
                   "        \"5\": \"\\u00e9\\t\"\n",
                   NULL, NULL);

    EXPECT_STR(
        c->plugins.instances[0].config_json,
        "{\"null1\":null,\"null2\":null,\"null3\":null,"
        "\"bools\":[true,false,true,\"yes\",\"true\"],"
        "\"ints\":[0,-12,7,7,31,15,12345678901234567890123,8],"
        "\"floats\":[1.50,0.5,-0.5,5,1e3,1E-2,2E+0],"
        "\"texts\":[\"1\",\"2\",\"1.2.3\",\"0x\",\"1_000\",\"12:30\",\"\",\"-\",\"~\",\"e5\"],"
        "\"block\":\"a \\\"b\\\"\\nc\\n\",\"deep\":{\"a\":[{\"b\":{}},[]]},"
        "\"5\":\"\xc3\xa9\\t\"}");
    config_destroy(c);
}

Test(load, byte_order_mark_and_crlf_are_accepted)
{
    config_t *c = loading_ok("\xef\xbb\xbfname: bom\r\nlog:\r\n  level: warn\r\n", NULL, NULL);

    EXPECT_STR(c->name, "bom");
    EXPECT_INT(c->log.level, LOG_WARN);
    config_destroy(c);
}

Test(load, a_named_file_is_read_alone)
{
    config_t *c = NULL;
    lh_error_t err = {0};
    const config_sources_t sources = {.file = "./other.yaml", .env = loading_env};

    loading_write("leasehold.yaml", "name: wrong\n", 12);
    loading_write("appsettings.json", "{}", 2);
    loading_write("other.yaml", "name: right\nplugins: {instances: {x: }}\n", 40);
    ASSERT_OK(config_load(&sources, &c, &err), err);
    EXPECT_STR(c->name, "right");
    EXPECT_STR(c->plugins.instances[0].where, "./other.yaml:2");
    config_destroy(c);
}

Test(load, a_named_file_that_is_missing_is_an_error)
{
    const config_sources_t sources = {.file = "none.yaml", .env = loading_env};
    config_t *c = NULL;
    lh_error_t err = {0};

    EXPECT_INT(config_load(&sources, &c, &err), LH_ENOTFOUND);
    EXPECT_STR(err.text, "configuration file: open 'none.yaml': No such file or directory");
}

Test(load, a_named_appsettings_has_its_overlay_beside_it)
{
    static const char base[] = "{\"KubeOps\": {\"Name\": \"a\", \"Context\": \"x\"}}";
    static const char over[] = "{\"KubeOps\": {\"Name\": \"b\"}}";
    const config_sources_t sources = {.file = "./appsettings.json", .env = loading_env};
    const config_sources_t overlay = {.file = "./appsettings.Production.json", .env = loading_env};
    config_t *c = NULL;
    lh_error_t err = {0};

    loading_write("appsettings.json", base, sizeof(base) - 1);
    loading_write("appsettings.Production.json", over, sizeof(over) - 1);
    ASSERT_OK(config_load(&sources, &c, &err), err);
    EXPECT_STR(c->name, "b");
    EXPECT_STR(c->context, "x");
    EXPECT_STR(c->origins->of[0], "./appsettings.Production.json:1");
    config_destroy(c);
    ASSERT_OK(config_load(&overlay, &c, &err), err);
    EXPECT_STR(c->name, "b");
    EXPECT_STR(c->context, "");
    config_destroy(c);
}

Test(load, name_is_the_host_name_without_pod_name)
{
    static const char *const env[] = {"POD_NAME=", "STATE_DIRECTORY=/s", NULL};
    char host[256] = "";
    config_t *c = loading_ok(NULL, env, NULL);

    cr_assert_eq(gethostname(host, sizeof(host) - 1), 0);
    EXPECT_STR(c->name, host);
    config_destroy(c);
}

static void expect_state_dir(const char *const *env, const char *system_dir, const char *want,
                             const char *origin)
{
    config_t *c = loading_ok(NULL, NULL, NULL);
    lh_error_t err = {0};
    const int row = config_setting_find(config_settings, CONFIG_SETTINGS, "stateDir");

    c->state_dir[0] = '\0'; /* as before it was completed */
    ASSERT_OK(config_complete(c, env, system_dir, &err), err);
    EXPECT_STR(c->state_dir, want);
    EXPECT_STR(c->origins->of[row], origin);
    config_destroy(c);
}

Test(load, state_directory_is_the_first_that_can_be)
{
    static const char *const systemd[] = {"STATE_DIRECTORY=/a:/b", "HOME=/h", NULL};
    static const char *const xdg[] = {"XDG_STATE_HOME=/x", "HOME=/h", NULL};
    static const char *const relative[] = {"XDG_STATE_HOME=x", "HOME=/h", NULL};
    static const char *const none[] = {NULL};

    expect_state_dir(systemd, "/tmp/leasehold", "/a", "environment STATE_DIRECTORY");
    expect_state_dir(xdg, "/tmp", "/tmp", "default");
    expect_state_dir(xdg, "/tmp/leasehold-not-there", "/tmp/leasehold-not-there", "default");
    expect_state_dir(xdg, "/proc/no/leasehold", "/x/leasehold", "environment XDG_STATE_HOME");
    expect_state_dir(relative, "/proc/no/leasehold", "/h/.local/state/leasehold",
                     "environment HOME");
    expect_state_dir(none, "/proc/no/leasehold", "/proc/no/leasehold", "default");
}

Test(load, destroy_takes_null)
{
    config_destroy(NULL);
}

Test(load, a_dangling_link_is_not_taken_for_no_file)
{
    cr_assert_eq(symlink("nowhere", "leasehold.yaml"), 0);
    loading_refused(NULL, NULL, NULL,
                    "configuration file: open 'leasehold.yaml': No such file or directory");
}

Test(load, a_file_that_cannot_be_looked_at_is_not_taken_for_no_file)
{
    const bool root = geteuid() == 0;

    cr_assert_eq(chmod(".", 0), 0);
    cr_assert(!root || seteuid(65534) == 0);
    loading_refused(NULL, NULL, NULL,
                    "leasehold.yaml: Permission denied; name the file with --config");
    cr_assert(!root || seteuid(0) == 0);
    cr_assert_eq(chmod(".", 0700), 0);
}

Test(load, the_files_that_were_read_are_named)
{
    static const char *const env[] = {LOADING_ENV, "DOTNET_ENVIRONMENT=Staging", NULL};
    config_t *none = loading_ok(NULL, NULL, NULL), *one = loading_ok("name: a\n", NULL, NULL);

    cr_expect_null(none->files, "%s", none->files);
    EXPECT_STR(one->files, "leasehold.yaml");
    config_destroy(none);
    config_destroy(one);
    cr_assert_eq(unlink("leasehold.yaml"), 0);
    loading_write("appsettings.json", "{}", 2);
    loading_write("appsettings.Staging.json", "{}", 2);
    config_t *two = loading_ok(NULL, env, NULL);

    EXPECT_STR(two->files, "appsettings.json, appsettings.Staging.json");
    config_destroy(two);
}
