/* SPDX-License-Identifier: Apache-2.0 */
#include "loading.h"

#include "config/table.h"

TestSuite(env, .init = loading_enter, .fini = loading_leave);

Test(env, names_are_the_key_in_upper_snake_case)
{
    static const struct {
        const char *key, *want;
    } rows[] = {
        {"name", "LEASEHOLD_NAME"},
        {"leaderElection.id", "LEASEHOLD_LEADER_ELECTION_ID"},
        {"leaderElection.leaseDuration", "LEASEHOLD_LEADER_ELECTION_LEASE_DURATION"},
        {"plugins.dir", "LEASEHOLD_PLUGINS_DIR"},
        {"stateDir", "LEASEHOLD_STATE_DIR"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        char name[CONFIG_ENV_MAX];

        config_env_name(rows[i].key, name);
        EXPECT_STR(name, rows[i].want);
    }
}

Test(env, names_of_all_settings_differ)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        for (size_t j = 0; j < i; j++) {
            char a[CONFIG_ENV_MAX], b[CONFIG_ENV_MAX];

            config_env_name(config_settings[i].key, a);
            config_env_name(config_settings[j].key, b);
            cr_expect(strcmp(a, b) != 0, "%s and %s are both %s", config_settings[i].key,
                      config_settings[j].key, a);
        }
    }
}

Test(env, values_of_every_type)
{
    static const char *const env[] = {LOADING_ENV,
                                      "PATH=/bin",
                                      "no equals sign",
                                      "leasehold_name=x",
                                      "LEASEHOLD_NAME=a=b",
                                      "LEASEHOLD_LEADER_ELECTION_ENABLED=false",
                                      "LEASEHOLD_LEADER_ELECTION_CLOCK_SKEW=0",
                                      "LEASEHOLD_NAMESPACES=x,y",
                                      "LEASEHOLD_HEALTH_READY=leader",
                                      "LEASEHOLD_DRAIN_TIMEOUT=7",
                                      "LEASEHOLD_KUBECONFIG=",
                                      NULL};
    config_t *c = loading_ok("kubeconfig: /k\n", env, NULL);

    EXPECT_STR(c->name, "a=b");
    cr_expect_not(c->leader_election.enabled);
    cr_expect_float_eq(c->leader_election.clock_skew, 0, 1e-12);
    EXPECT_STR(c->namespaces[1], "y");
    EXPECT_INT(c->health.ready, CONFIG_READY_LEADER);
    EXPECT_INT(c->drain_timeout, 7000000000);
    EXPECT_STR(c->kubeconfig, "");
    config_destroy(c);
}

Test(env, values_are_taken_as_they_are)
{
    static const char *const env[] = {LOADING_ENV, "LEASEHOLD_NAME=a: [b] #{c}\\n$(id) 'x' \"y\"",
                                      "LEASEHOLD_CONTEXT=null", "LEASEHOLD_STATE_DIR=~", NULL};
    config_t *c = loading_ok(NULL, env, NULL);

    EXPECT_STR(c->name, "a: [b] #{c}\\n$(id) 'x' \"y\"");
    EXPECT_STR(c->context, "null");
    EXPECT_STR(c->state_dir, "~");
    config_destroy(c);
}

Test(env, refusals_name_the_variable)
{
    static const struct {
        const char *variable, *want;
    } rows[] = {
        {"LEASEHOLD_LEADER_ELECTON_ID=x",
         "environment LEASEHOLD_LEADER_ELECTON_ID: unknown setting; did you mean "
         "'LEASEHOLD_LEADER_ELECTION_ID'?"},
        {"LEASEHOLD_XYZZY=secret", "environment LEASEHOLD_XYZZY: unknown setting"},
        {"LEASEHOLD_=x", "environment LEASEHOLD_: unknown setting"},
        {"LEASEHOLD_PLUGINS_INSTANCES_X_WORKERS=2",
         "environment LEASEHOLD_PLUGINS_INSTANCES_X_WORKERS: unknown setting"},
        {"LEASEHOLD_LOG_LEVEL=loud",
         "environment LEASEHOLD_LOG_LEVEL: 'loud' is none of debug, info, warn, error"},
        {"LEASEHOLD_NAME=", "environment LEASEHOLD_NAME: a name has 1 to 253 bytes, this one 0"},
        {"LEASEHOLD_NAME=a\nb", "environment LEASEHOLD_NAME: the text holds a control character"},
        {"LEASEHOLD_LEADER_ELECTION_ENABLED=",
         "environment LEASEHOLD_LEADER_ELECTION_ENABLED: '' is no boolean: write true or false"},
        {"POD_NAME=a\nb", "environment POD_NAME: the text holds a control character"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        const char *const env[] = {rows[i].variable, LOADING_ENV, NULL};

        loading_refused(NULL, env, NULL, rows[i].want);
    }
}

Test(env, variables_of_tests_and_of_kubernetes_services_are_left_alone)
{
    static const char *const env[] = {LOADING_ENV,
                                      "LEASEHOLD_TEST_ANYTHING=1",
                                      "LEASEHOLD_SERVICE_HOST=10.0.0.1",
                                      "LEASEHOLD_SERVICE_PORT=80",
                                      "LEASEHOLD_SERVICE_PORT_HTTP=80",
                                      "LEASEHOLD_PORT=tcp://10.0.0.1:80",
                                      "LEASEHOLD_PORT_80_TCP=tcp://10.0.0.1:80",
                                      "LEASEHOLD_PORT_80_TCP_PROTO=tcp",
                                      "LEASEHOLD_PORT_80_TCP_PORT=80",
                                      "LEASEHOLD_PORT_80_TCP_ADDR=10.0.0.1",
                                      "LEASEHOLD_METRICS_SERVICE_HOST=10.0.0.2",
                                      "LEASEHOLD_METRICS_SERVICE_PORT=80",
                                      "LEASEHOLD_METRICS_PORT=tcp://10.0.0.2:80",
                                      "LEASEHOLD_DNS_PORT=udp://10.0.0.3:53",
                                      "LEASEHOLD_DNS_PORT_53_UDP=udp://10.0.0.3:53",
                                      "LEASEHOLD_SIP_PORT=sctp://10.0.0.3:5060",
                                      NULL};

    config_destroy(loading_ok(NULL, env, NULL));
}

/* .NET's ConfigurationBinder takes the entries in the order of their keys, whichever these are. */
Test(env, gaps_between_the_entries_of_a_list_do_not_count_as_in_dotnet)
{
    static const char *const env[] = {LOADING_ENV, "KubeOps__Namespaces__10=c",
                                      "KubeOps__Namespaces__2=b", "KubeOps__Namespaces__0=a", NULL};
    static const char *const expected[] = {"a", "b", "c"};
    config_t *c = loading_ok(NULL, env, NULL);

    for (size_t i = 0; i < HOST_LEN(expected); i++)
        EXPECT_STR(c->namespaces[i], expected[i]);
    cr_expect_null(c->namespaces[HOST_LEN(expected)]);
    config_destroy(c);
}

Test(env, a_list_with_too_many_entries_is_refused_and_not_cut)
{
    static char texts[1001][48];
    const char *env[1004] = {LOADING_ENV};

    for (size_t i = 0; i < 1001; i++) {
        snprintf(texts[i], sizeof(texts[i]), "KubeOps__Namespaces__%zu=ns-%zu", i, i);
        env[2 + i] = texts[i];
    }
    loading_refused(NULL, env, NULL, "environment KubeOps__Namespaces__0: more than 1000 entries");
}

Test(env, a_misspelt_setting_is_not_taken_for_a_variable_of_a_service)
{
    static const char *const variables[] = {
        "LEASEHOLD_HEALTH_PORT=8081",        "LEASEHOLD_PORT=8081",     "LEASEHOLD_PORT=",
        "LEASEHOLD_METRICS_SERVICE_PORT=no", "LEASEHOLD_SERVICE_PORT=", "LEASEHOLD_PORT_8=8",
        "LEASEHOLD_SERVICE_PORT_HTTP=x",
    };

    for (size_t i = 0; i < HOST_LEN(variables); i++) {
        const char *const env[] = {variables[i], LOADING_ENV, NULL};
        config_t *c = NULL;
        lh_error_t err = {0};

        cr_expect(loading_try(NULL, env, NULL, &c, &err) < 0, "accepted: %s", variables[i]);
        EXPECT_HAS(err.text, "unknown setting");
        config_destroy(c);
    }
}
