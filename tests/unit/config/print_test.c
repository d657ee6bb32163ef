/* SPDX-License-Identifier: Apache-2.0 */
#include "loading.h"

#include "config/table.h"

#include <regex.h>

TestSuite(print, .init = loading_enter, .fini = loading_leave);

static const char yaml[] = "name: a\n"
                           "leaderElection:\n"
                           "  retryPeriod: 1.5\n"
                           "namespaces: [x, y]\n"
                           "plugins:\n"
                           "  instances:\n"
                           "    web:\n"
                           "      workers: 3\n"
                           "      config: {password: hunter2}\n";
static const char *const env[] = {LOADING_ENV, "LEASEHOLD_LOG_LEVEL=warn", NULL};
static const char *const flags[] = {"--health=0", "drainTimeout=70",
                                    "plugins.instances.web.maxInFlight=5", NULL};

static void expect_line(const char *text, const char *key, const char *value, const char *origin)
{
    host_cleanup(host_freep) char *want = host_xprintf("(^|\n)%s  *%s  *%s\n", key, value, origin);
    regex_t re;

    cr_assert_eq(regcomp(&re, want, REG_EXTENDED | REG_NOSUB), 0);
    cr_expect(regexec(&re, text, 0, NULL, 0) == 0, "no line for '%s' in\n%s", want, text);
    regfree(&re);
}

Test(print, every_value_stands_with_its_origin)
{
    config_t *c = loading_ok(yaml, env, flags);
    buf_t out = BUF_INIT;

    cr_assert_eq(config_print(c, NULL, &out), 0);
    expect_line(out.data, "name", "a", "leasehold.yaml:1");
    expect_line(out.data, "leaderElection.id", "leasehold-leader", "default");
    expect_line(out.data, "leaderElection.retryPeriod", "1s500ms", "leasehold.yaml:3");
    expect_line(out.data, "leaderElection.clockSkew", "0.02", "default");
    expect_line(out.data, "kubeconfig", "\"\"", "default");
    expect_line(out.data, "namespaces", "\\[x, y\\]", "leasehold.yaml:4");
    expect_line(out.data, "log.level", "warn", "environment LEASEHOLD_LOG_LEVEL");
    expect_line(out.data, "health.address", "0", "--health");
    expect_line(out.data, "drainTimeout", "1m10s", "--set");
    expect_line(out.data, "stateDir", "/state", "environment STATE_DIRECTORY");
    expect_line(out.data, "plugins.instances.web.plugin", "web", "default");
    expect_line(out.data, "plugins.instances.web.workers", "3", "leasehold.yaml:8");
    expect_line(out.data, "plugins.instances.web.maxInFlight", "5", "--set");
    expect_line(out.data, "plugins.instances.web.config", "\\*\\*\\*", "leasehold.yaml:9");
    cr_expect_null(strstr(out.data, "hunter2"), "%s", out.data);
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        EXPECT_HAS(out.data, config_settings[i].key);
    }
    buf_fini(&out);
    config_destroy(c);
}

Test(print, json_has_typed_values)
{
    config_t *c = loading_ok(yaml, env, flags);
    buf_t out = BUF_INIT;

    cr_assert_eq(config_print_json(c, NULL, &out), 0);
    EXPECT_HAS(out.data, "[{\"key\":\"name\",\"value\":\"a\",\"origin\":\"leasehold.yaml:1\"},\n");
    EXPECT_HAS(out.data,
               "{\"key\":\"leaderElection.enabled\",\"value\":true,\"origin\":\"default\"}");
    EXPECT_HAS(out.data, "{\"key\":\"namespaces\",\"value\":[\"x\",\"y\"],");
    EXPECT_HAS(out.data, "{\"key\":\"drainTimeout\",\"value\":\"1m10s\",");
    EXPECT_HAS(out.data, "{\"key\":\"plugins.instances.web.workers\",\"value\":3,");
    EXPECT_HAS(out.data, "{\"key\":\"plugins.instances.web.config\",\"value\":\"***\",");
    cr_expect_null(strstr(out.data, "hunter2"), "%s", out.data);
    buf_fini(&out);
    config_destroy(c);
}

Test(print, a_full_buffer_is_an_error)
{
    config_t *c = loading_ok(NULL, NULL, NULL);
    buf_t out = BUF_INIT_MAX(100);

    EXPECT_INT(config_print(c, NULL, &out), LH_ENOMEM);
    buf_fini(&out);
    out = BUF_INIT_MAX(100);
    EXPECT_INT(config_print_json(c, NULL, &out), LH_ENOMEM);
    buf_fini(&out);
    config_destroy(c);
}

Test(print, help_lists_the_flags_and_each_leads_to_its_key)
{
    static const char *const own[][2] = {{"name", "name"},
                                         {"kubeconfig", "kubeconfig"},
                                         {"context", "context"},
                                         {"plugins", "plugins.dir"},
                                         {"health", "health.address"}};
    buf_t out = BUF_INIT;

    cr_assert_eq(config_help(&out), 0);
    for (size_t i = 0; i < HOST_LEN(own); i++) {
        host_cleanup(host_freep) char *flag = host_xprintf("  --%s ", own[i][0]);

        EXPECT_HAS(out.data, flag);
        EXPECT_STR(config_flag_key(own[i][0]), own[i][1]);
    }
    cr_expect_null(config_flag_key("log"));
    buf_fini(&out);
}
