/* SPDX-License-Identifier: Apache-2.0 */
/* Every refusal of a value, with its exact text. */
#include "loading.h"

TestSuite(errors, .init = loading_enter, .fini = loading_leave);

struct row {
    const char *yaml, *want;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        loading_refused(rows[i].yaml, NULL, NULL, rows[i].want);
    }
}

Test(errors, unknown_keys_name_the_nearest)
{
    static const struct row rows[] = {
        {"leaderElecton:\n  id: x\n",
         "leasehold.yaml:1:1: unknown key 'leaderElecton'; did you mean 'leaderElection'?"},
        {"name: a\nleaderElection:\n  leaseDuratoin: 5s\n",
         "leasehold.yaml:3:3: unknown key 'leaderElection.leaseDuratoin'; did you mean "
         "'leaderElection.leaseDuration'?"},
        {"leaseDuration: 5s\n", "leasehold.yaml:1:1: unknown key 'leaseDuration'; did you mean "
                                "'leaderElection.leaseDuration'?"},
        {"log: {Level: info}\n",
         "leasehold.yaml:1:7: unknown key 'log.Level'; did you mean 'log.level'?"},
        {"xyzzy: 1\n", "leasehold.yaml:1:1: unknown key 'xyzzy'"},
        {"leaderElection.id: x\n",
         "leasehold.yaml:1:1: unknown key 'leaderElection.id'; did you mean 'leaderElection.id'?"},
        {"plugins: {instances: {web: {worker: 2}}}\n",
         "leasehold.yaml:1:29: unknown key 'plugins.instances.web.worker'; did you mean "
         "'workers'?"},
        {"plugins: {instance: {}}\n",
         "leasehold.yaml:1:11: unknown key 'plugins.instance'; did you mean 'plugins.instances'?"},
        {"'': 1\n", "leasehold.yaml:1:1: unknown key ''"},
    };

    expect_rows(rows, HOST_LEN(rows));
}

Test(errors, wrong_types_say_what_is_expected)
{
    static const struct row rows[] = {
        {"leaderElection:\n  enabled: yes\n",
         "leasehold.yaml:2:12: leaderElection.enabled: 'yes' is no boolean: write true or false"},
        {"leaderElection: true\n",
         "leasehold.yaml:1:17: leaderElection: a mapping of keys is expected"},
        {"- name: a\n", "leasehold.yaml:1:1: a mapping of keys is expected"},
        {"just text\n", "leasehold.yaml:1:1: a mapping of keys is expected"},
        {"name: [a]\n", "leasehold.yaml:1:7: name: one value is expected, not a list"},
        {"name: {a: b}\n", "leasehold.yaml:1:7: name: one value is expected, not a mapping"},
        {"namespaces: default\n", "leasehold.yaml:1:13: namespaces: a list is expected"},
        {"namespaces: [a, [b]]\n",
         "leasehold.yaml:1:13: namespaces: entry 2 of the list is no text"},
        {"namespaces: [a, ~]\n", "leasehold.yaml:1:13: namespaces: entry 2 of the list is no text"},
        {"plugins: {instances: [a]}\n",
         "leasehold.yaml:1:22: plugins.instances: a mapping of keys is expected"},
        {"plugins: {instances: {a: 1}}\n",
         "leasehold.yaml:1:26: plugins.instances.a: a mapping of keys is expected"},
        {"plugins: {instances: {a: {config: [1]}}}\n",
         "leasehold.yaml:1:35: plugins.instances.a.config: a mapping of keys is expected"},
        {"plugins: {instances: {a: {config: text}}}\n",
         "leasehold.yaml:1:35: plugins.instances.a.config: a mapping of keys is expected"},
        {"plugins: {instances: {a: {config: {x: .inf}}}}\n",
         "leasehold.yaml:1:35: plugins.instances.a.config: line 1, column 39: .inf has no JSON "
         "form; quote it"},
    };

    expect_rows(rows, HOST_LEN(rows));
}

Test(errors, bad_values_are_shown)
{
    static const struct row rows[] = {
        {"drainTimeout: soon\n", "leasehold.yaml:1:15: drainTimeout: 'soon' is no duration: write "
                                 "15s, 500ms, 1m30s or a number of seconds"},
        {"drainTimeout: 2h\n", "leasehold.yaml:1:15: drainTimeout: 2h is not between 0s and 1h"},
        {"stopBudget: 49ms\n", "leasehold.yaml:1:13: stopBudget: 49ms is not between 50ms and 1h"},
        {"leaderElection: {retryPeriod: 99ms}\n",
         "leasehold.yaml:1:31: leaderElection.retryPeriod: 99ms is not between 100ms and 12h"},
        {"leaderElection: {clockSkew: 0.3}\n",
         "leasehold.yaml:1:29: leaderElection.clockSkew: 0.3 is not between 0 and 0.25"},
        {"leaderElection: {clockSkew: nan}\n",
         "leasehold.yaml:1:29: leaderElection.clockSkew: 'nan' is no number"},
        {"leaderElection: {clockSkew: 1e999}\n",
         "leasehold.yaml:1:29: leaderElection.clockSkew: 1e999 is not between 0 and 0.25"},
        {"leaderElection: {id: My_Lease}\n",
         "leasehold.yaml:1:22: leaderElection.id: 'My_Lease' cannot name a Lease: lower-case "
         "letters, digits, '-' and '.', at most 253"},
        {"leaderElection: {namespace: a.b}\n",
         "leasehold.yaml:1:29: leaderElection.namespace: 'a.b' cannot name a namespace: lower-case "
         "letters, digits and '-', at most 63"},
        {"namespaces: [a, '']\n",
         "leasehold.yaml:1:13: namespaces: '' cannot name a namespace: lower-case letters, digits "
         "and '-', at most 63"},
        {"namespaces: [a, b, a]\n",
         "leasehold.yaml:1:13: namespaces: 'a' stands in the list twice"},
        {"name: ''\n", "leasehold.yaml:1:7: name: a name has 1 to 253 bytes, this one 0"},
        {"name: \"a\\nb\"\n", "leasehold.yaml:1:7: name: the text holds a control character"},
        {"log: {level: wran}\n", "leasehold.yaml:1:14: log.level: 'wran' is none of debug, "
                                 "info, warn, error; did you mean 'warn'?"},
        {"log: {format: xml}\n", "leasehold.yaml:1:15: log.format: 'xml' is none of text, json"},
        {"plugins: {instances: {a: {workers: 0}}}\n",
         "leasehold.yaml:1:36: plugins.instances.a.workers: 0 is not between 1 and 256"},
        {"plugins: {instances: {a: {workers: 1.5}}}\n",
         "leasehold.yaml:1:36: plugins.instances.a.workers: '1.5' is no whole number"},
        {"plugins: {instances: {a: {maxInFlight: 99999999999999999999}}}\n",
         "leasehold.yaml:1:40: plugins.instances.a.maxInFlight: 99999999999999999999 is not "
         "between 1 and 65536"},
        {"plugins: {instances: {A: {}}}\n",
         "leasehold.yaml:1:23: 'A' cannot name an instance: lower-case letters, digits and '-', at "
         "most 63"},
    };

    expect_rows(rows, HOST_LEN(rows));
}

/* As run takes them: names are not looked up. */
Test(errors, addresses_that_run_refuses_are_refused)
{
    static const char *const good[] = {"0",       ":8081",           ":0",       "0.0.0.0:80",
                                       "[::1]:9", "127.0.0.1:65535", "[::]:8081"};
    static const char *const bad[] = {
        "",       "8081",       ":",     "a:",      ":65536",         ":80a",
        "::1:80", ":-1",        "[::1]", ":000081", "localhost:8081", "junk:1",
        "[zz]:1", "[1.2.3.4]:1"};

    for (size_t i = 0; i < HOST_LEN(good); i++) {
        char flag[64];
        const char *const flags[] = {flag, NULL};

        snprintf(flag, sizeof(flag), "health.address=%s", good[i]);
        config_destroy(loading_ok(NULL, NULL, flags));
    }
    for (size_t i = 0; i < HOST_LEN(bad); i++) {
        char flag[64], want[200];
        const char *const flags[] = {flag, NULL};

        snprintf(flag, sizeof(flag), "health.address=%s", bad[i]);
        snprintf(want, sizeof(want),
                 "--set health.address: '%s' is no address: write IPV4:PORT, [IPV6]:PORT, :PORT, "
                 "or 0 for none",
                 bad[i]);
        loading_refused(NULL, NULL, flags, want);
    }
}

Test(errors, names_have_up_to_253_bytes)
{
    char flag[300] = "name=";
    const char *const flags[] = {flag, NULL};

    memset(flag + 5, 'n', 253);
    config_destroy(loading_ok(NULL, NULL, flags));
    flag[5 + 253] = 'n';
    loading_refused(NULL, NULL, flags, "--set name: a name has 1 to 253 bytes, this one 254");
}

Test(errors, long_texts_are_refused)
{
    char *flag = calloc(1, 6000);
    const char *const flags[] = {flag, NULL};

    memset(flag, 'x', 5000);
    memcpy(flag, "kubeconfig=", 11);
    loading_refused(NULL, NULL, flags, "--set kubeconfig: longer than 4096 bytes");
    free(flag);
}

Test(errors, flags_need_key_and_value)
{
    static const struct {
        const char *flag, *want;
    } rows[] = {
        {"name", "--set name: write key=value"},
        {"=x", "--set =x: write key=value"},
        {"nam=x", "--set: unknown key 'nam'; did you mean 'name'?"},
        {"health=:80", "--set: 'health' is a group of settings"},
        {"plugins.instances=x",
         "--set plugins.instances: 'plugins.instances' is a group of settings"},
        {"plugins.instances.x=1", "--set plugins.instances.x: unknown key 'plugins.instances.x'"},
        {"plugins.instances.x.isolation=proces",
         "--set plugins.instances.x.isolation: 'proces' is none of thread, process; did you mean "
         "'process'?"},
        {"plugins.instances.X.workers=1",
         "--set plugins.instances.X.workers: 'X' cannot name an instance: lower-case letters, "
         "digits and '-', at most 63"},
        {"plugins.instances.x.serviceAccount=A",
         "--set plugins.instances.x.serviceAccount: 'A' cannot name a service account: lower-case "
         "letters, digits, '-' and '.', at most 253"},
        {"apiServers=10.0.0.1:6443,kube:6443",
         "--set apiServers: 'kube:6443' is no address: write IPV4:PORT or [IPV6]:PORT"},
        {"plugins.instances.x.config={a: [}", "--set plugins.instances.x.config: value:1:6: while "
                                              "parsing a flow node, did not find expected "
                                              "node content"},
        {"stopBudget=x",
         "--set stopBudget: 'x' is no duration: write 15s, 500ms, 1m30s or a number "
         "of seconds"},
        {"kubeconfig=\x01", "--set kubeconfig: the text holds a control character"},
        {"--kubeconfig=\x01", "--kubeconfig: the text holds a control character"},
        {"--nme=x", "--set: unknown key '--nme'"},
    };

    for (size_t i = 0; i < HOST_LEN(rows); i++) {
        const char *const flags[] = {rows[i].flag, NULL};

        loading_refused(NULL, NULL, flags, rows[i].want);
    }
}

Test(errors, texts_of_a_secret_section_are_not_shown)
{
    config_t *c = NULL;
    lh_error_t err = {0};

    cr_assert(loading_try("plugins: {instances: {a: {config: {password: [hunter2}}}}\n", NULL, NULL,
                          &c, &err) < 0);
    cr_expect_null(strstr(err.text, "hunter2"), "%s", err.text);
}
