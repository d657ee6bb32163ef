/* SPDX-License-Identifier: Apache-2.0 */
/* Good and bad configurations, each with its answer. */
#ifndef TESTS_UNIT_CONFIG_CASES_H
#define TESTS_UNIT_CONFIG_CASES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct config_case {
    const char *what;
    const char *yaml;        /* leasehold.yaml */
    const char *appsettings; /* appsettings.json */
    const char *overlay[2];  /* another file: name, text */
    const char *env[4];
    const char *error; /* NULL: it loads, and */
    const char *want;  /* has these values, as `leasehold config` prints them: "key value\n..." */
    /* Of a bad file: a JSON Schema takes it all the same, since it cannot compare values, read ranges of
     * durations that are texts, or see keys twice. */
    bool fits_schema;
} config_case_t;

#define X8(x) x x x x x x x x
#define X64(x) X8(X8(x))
#define K(body) "{\"KubeOps\": {" body "}}"

static const config_case_t config_cases[] = {
    /* -- leasehold.yaml, good -- */
    {"an empty file", .yaml = "", .want = "leaderElection.id leasehold-leader\nname pod-0\n"},
    {"comments alone", .yaml = "# nothing\n---\n# nothing\n", .want = "log.level info\n"},
    {"groups and values without a value", .yaml = "name:\nhealth:\nlog: {level: ~, format: null}\n",
     .want = "name pod-0\nhealth.address :8081\nlog.format text\n"},
    {"what most write",
     .yaml = "name: a\nleaderElection:\n  id: shop\n  namespace: ops\nplugins:\n  dir: /p\n",
     .want = "name a\nleaderElection.id shop\nleaderElection.namespace ops\nplugins.dir /p\n"},
    {"an empty id", .yaml = "leaderElection: {id: ''}\n",
     .want = "leaderElection.id leasehold-leader\n"},
    {"an empty id with another name", .yaml = "name: shop\nleaderElection: {id: \"\"}\n",
     .want = "name shop\nleaderElection.id leasehold-leader\n"},
    {"durations in every form",
     .yaml = "leaderElection: {leaseDuration: 00:01:00, renewDeadline: 30, retryPeriod: 1.5s}\n"
             "drainTimeout: 1m30s\nstopBudget: '0.5'\n",
     .want = "leaderElection.leaseDuration 1m\nleaderElection.renewDeadline 30s\n"
             "leaderElection.retryPeriod 1s500ms\ndrainTimeout 1m30s\nstopBudget 500ms\n"},
    {"texts that look like something else", .yaml = "name: 5\ncontext: true\nkubeconfig: 1e3\n",
     .want = "name 5\ncontext true\nkubeconfig 1e3\n"},
    {"numbers and booleans in quotes",
     .yaml = "leaderElection: {enabled: 'false', clockSkew: \"0.1\", leaseDuration: 20s}\n"
             "plugins: {instances: {web: {workers: '2'}}}\n",
     .want = "leaderElection.enabled false\nleaderElection.clockSkew 0.1\n"
             "plugins.instances.web.workers 2\n"},
    {"a byte order mark and CRLF", .yaml = "\xef\xbb\xbfname: a\r\nlog:\r\n  level: warn\r\n",
     .want = "name a\nlog.level warn\n"},
    {"limits of an instance",
     .yaml = "plugins:\n  instances:\n    web: {qps: 0, burst: 1, retryQPS: 0.5, retryBurst: '7'}\n"
             "    api: {}\nwatch: {maxLists: 1}\n",
     .want = "plugins.instances.web.qps 0\nplugins.instances.web.burst 1\n"
             "plugins.instances.web.retryQPS 0.5\nplugins.instances.web.retryBurst 7\n"
             "plugins.instances.api.qps 1000\nplugins.instances.api.burst 2000\n"
             "plugins.instances.api.retryQPS 100\nplugins.instances.api.retryBurst 1000\n"
             "watch.maxLists 1\n"},
    {"an instance with all that it has",
     .yaml = "plugins:\n  instances:\n    web:\n      plugin: website\n      isolation: process\n"
             "      workers: 256\n      maxInFlight: 1\n      namespaces: [a, b]\n"
             "      serviceAccount: web.v2\n      config: {image: nginx, n: [1, 0x1f, ~]}\n",
     .want =
         "plugins.instances.web.plugin website\nplugins.instances.web.isolation process\n"
         "plugins.instances.web.workers 256\nplugins.instances.web.maxInFlight 1\n"
         "plugins.instances.web.namespaces [a, b]\nplugins.instances.web.serviceAccount web.v2\n"
         "plugins.instances.web.config {\"image\":\"nginx\",\"n\":[1,31,null]}\n"},
    {"addresses",
     .yaml = "health: {address: '[::1]:0'}\napiServers: ['10.0.0.1:6443', '[::1]:6443']\n",
     .want = "health.address [::1]:0\napiServers [10.0.0.1:6443, [::1]:6443]\n"},
    {"no address", .yaml = "health:\n  address: 0\n", .want = "health.address 0\n"},
    {"the bounds of ranges",
     .yaml = "leaderElection: {leaseDuration: 24h, retryPeriod: 100ms, clockSkew: 0.25}\n"
             "drainTimeout: 0\nstopBudget: 50ms\n",
     .want =
         "leaderElection.leaseDuration 24h\nleaderElection.retryPeriod 100ms\ndrainTimeout 0s\n"},
    {"a warm standby", .yaml = "standby: warm\n", .want = "standby warm\n"},
    {"a document of JSON", .yaml = "{\"name\": \"a\", \"namespaces\": [\"x\"]}\n",
     .want = "name a\nnamespaces [x]\n"},

    /* -- leasehold.yaml, bad -- */
    {"a misspelt key", .yaml = "leaderElection:\n  leaseDuratoin: 5s\n",
     .error = "leasehold.yaml:2:3: unknown key 'leaderElection.leaseDuratoin'; did you mean "
              "'leaderElection.leaseDuration'?"},
    {"a misspelt group", .yaml = "name: a\nplugin: {dir: /p}\n",
     .error = "leasehold.yaml:2:1: unknown key 'plugin'; did you mean 'plugins'?"},
    {"a key in the wrong group", .yaml = "level: debug\n",
     .error = "leasehold.yaml:1:1: unknown key 'level'; did you mean 'log.level'?"},
    {"a misspelt key of an instance", .yaml = "plugins:\n  instances:\n    web: {worker: 2}\n",
     .error = "leasehold.yaml:3:11: unknown key 'plugins.instances.web.worker'; did you mean "
              "'workers'?"},
    {"a key in the other file's form", .yaml = "LeaseDuration: 20s\n",
     .error = "leasehold.yaml:1:1: unknown key 'LeaseDuration'; did you mean "
              "'leaderElection.leaseDuration'?"},
    {"a misspelt key after a byte order mark and CRLF",
     .yaml = "\xef\xbb\xbfname: a\r\nlog:\r\n  levle: warn\r\n",
     .error = "leasehold.yaml:3:3: unknown key 'log.levle'; did you mean 'log.level'?"},
    {"a list for a text", .yaml = "name: [a]\n",
     .error = "leasehold.yaml:1:7: name: one value is expected, not a list"},
    {"a mapping for a text", .yaml = "name: {a: b}\n",
     .error = "leasehold.yaml:1:7: name: one value is expected, not a mapping"},
    {"a text for a list", .yaml = "namespaces: a\n",
     .error = "leasehold.yaml:1:13: namespaces: a list is expected"},
    {"a text for a group", .yaml = "log: debug\n",
     .error = "leasehold.yaml:1:6: log: a mapping of keys is expected"},
    {"a list for the file", .yaml = "- name: a\n",
     .error = "leasehold.yaml:1:1: a mapping of keys is expected"},
    {"a text for a boolean", .yaml = "leaderElection: {enabled: yes}\n",
     .error = "leasehold.yaml:1:27: leaderElection.enabled: 'yes' is no boolean: write true or "
              "false"},
    {"a text for a number", .yaml = "leaderElection: {clockSkew: small}\n",
     .error = "leasehold.yaml:1:29: leaderElection.clockSkew: 'small' is no number"},
    {"a fraction for a whole number", .yaml = "plugins: {instances: {a: {workers: 1.5}}}\n",
     .error = "leasehold.yaml:1:36: plugins.instances.a.workers: '1.5' is no whole number"},
    {"a duration with no such unit", .yaml = "drainTimeout: 5 min\n",
     .error =
         "leasehold.yaml:1:15: drainTimeout: '5 min' is no duration: write 15s, 500ms, 1m30s or "
         "a number of seconds"},
    {"a duration below zero", .yaml = "drainTimeout: -1\n",
     .error =
         "leasehold.yaml:1:15: drainTimeout: '-1' is no duration: write 15s, 500ms, 1m30s or a "
         "number of seconds"},
    {"seconds out of range", .yaml = "drainTimeout: 3601\n",
     .error = "leasehold.yaml:1:15: drainTimeout: 3601 is not between 0s and 1h"},
    {"a duration out of range", .yaml = "drainTimeout: 2h\n", .fits_schema = true,
     .error = "leasehold.yaml:1:15: drainTimeout: 2h is not between 0s and 1h"},
    {"a number out of range", .yaml = "plugins: {instances: {a: {maxInFlight: 65537}}}\n",
     .error = "leasehold.yaml:1:40: plugins.instances.a.maxInFlight: 65537 is not between 1 and "
              "65536"},
    {"a standby that is neither", .yaml = "standby: hot\n",
     .error = "leasehold.yaml:1:10: standby: 'hot' is none of cold, warm"},
    {"no lists at all", .yaml = "watch: {maxLists: 0}\n",
     .error = "leasehold.yaml:1:19: watch.maxLists: 0 is not between 1 and 1000"},
    {"a rate below zero", .yaml = "plugins: {instances: {a: {qps: -1}}}\n",
     .error = "leasehold.yaml:1:32: plugins.instances.a.qps: -1 is not between 0 and 1000000"},
    {"a burst of nothing", .yaml = "plugins: {instances: {a: {retryBurst: 0}}}\n",
     .error =
         "leasehold.yaml:1:39: plugins.instances.a.retryBurst: 0 is not between 1 and 1000000"},
    {"a rate in the wrong case", .yaml = "plugins: {instances: {a: {retryQps: 1}}}\n",
     .error = "leasehold.yaml:1:27: unknown key 'plugins.instances.a.retryQps'; did you mean "
              "'retryQPS'?"},
    {"a misspelt choice", .yaml = "log: {level: wran}\n",
     .error = "leasehold.yaml:1:14: log.level: 'wran' is none of debug, info, warn, error; did you "
              "mean 'warn'?"},
    {"a name that no Lease can have", .yaml = "leaderElection: {id: My_Lease}\n",
     .error = "leasehold.yaml:1:22: leaderElection.id: 'My_Lease' cannot name a Lease: lower-case "
              "letters, digits, '-' and '.', at most 253"},
    {"a name that no namespace can have", .yaml = "namespaces: [a, b.c]\n",
     .error = "leasehold.yaml:1:13: namespaces: 'b.c' cannot name a namespace: lower-case letters, "
              "digits and '-', at most 63"},
    {"a name that no instance can have", .yaml = "plugins: {instances: {Web: {}}}\n",
     .error = "leasehold.yaml:1:23: 'Web' cannot name an instance: lower-case letters, digits and "
              "'-', at most 63"},
    {"an entry twice", .yaml = "namespaces: [a, a]\n",
     .error = "leasehold.yaml:1:13: namespaces: 'a' stands in the list twice"},
    {"an empty name", .yaml = "name: ''\n",
     .error = "leasehold.yaml:1:7: name: a name has 1 to 253 bytes, this one 0"},
    {"an address without a port", .yaml = "health: {address: 127.0.0.1}\n",
     .error = "leasehold.yaml:1:19: health.address: '127.0.0.1' is no address: write IPV4:PORT, "
              "[IPV6]:PORT, :PORT, or 0 for none"},
    {"a deadline that the lease does not cover", .yaml = "leaderElection: {leaseDuration: 10s}\n",
     .fits_schema = true,
     .error =
         "leaderElection: leaseDuration * (1 - 2 * clockSkew) must be at least renewDeadline + "
         "stopBudget: 10s (leasehold.yaml:1) * (1 - 2 * 0.02) is less than 10s (default) + "
         "200ms (default)"},
    {"a deadline too short for two tries", .yaml = "leaderElection:\n  renewDeadline: 3s\n",
     .fits_schema = true,
     .error = "leaderElection: renewDeadline must be at least 2 * retryPeriod: 3s "
              "(leasehold.yaml:2) is less than 2 * 2s (default)"},
    {"a lease of half a second", .yaml = "leaderElection: {leaseDuration: 15500ms}\n",
     .fits_schema = true,
     .error = "leaderElection.leaseDuration must be a whole number of seconds: it is 15s500ms "
              "(leasehold.yaml:1)"},
    {"a key twice", .yaml = "name: a\nlog: {level: info}\nname: b\n",
     .error = "leasehold.yaml:3:1: key 'name' stands here again, after line 1"},
    {"an anchor that holds itself", .yaml = "name: a\nplugins: &p [*p]\n",
     .error =
         "leasehold.yaml:2:10: anchors and aliases (&name, *name) are not read; write the value "
         "out"},
    {"an alias bomb",
     .yaml = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]\n",
     .error =
         "leasehold.yaml:1:4: anchors and aliases (&name, *name) are not read; write the value "
         "out"},
    {"a tag", .yaml = "name: !!str 5\n", .error = "leasehold.yaml:1:7: tags (!name) are not read"},
    {"lists too deep", .yaml = "name: " X64("["),
     .error = "leasehold.yaml:1:38: nested more than 32 deep"},
    {"binary",
     .yaml = "name: a\nlog: \x7f"
             "ELF\x02\x01\n",
     .error = "leasehold.yaml:2:6: not YAML text: control characters are not allowed"},
    {"not UTF-8", .yaml = "name: \xe9\n",
     .error = "leasehold.yaml:1:7: not YAML text: incomplete UTF-8 octet sequence"},
    {"UTF-16", .yaml = "\xff\xfen",
     .error = "leasehold.yaml:1:1: the file is UTF-16: save it as UTF-8"},
    {"a tab that indents", .yaml = "log:\n\tlevel: info\n",
     .error = "leasehold.yaml:2:1: while scanning for the next token, found character that cannot "
              "start any token (a tab: indent with blanks)"},
    {"a quote without an end", .yaml = "name: 'a\n",
     .error = "leasehold.yaml:2:1: while scanning a quoted scalar, found unexpected end of stream"},

    /* -- appsettings.json, good -- */
    {"an empty object", .appsettings = "{}", .want = "leaderElection.id leasehold-leader\n"},
    {"a section without a value", .appsettings = "{\"KubeOps\": null}", .want = "name pod-0\n"},
    {"every name that KubeOps has",
     .appsettings =
         K("\"Name\": \"a\", \"EnableLeaderElection\": true, \"LeaderElectionId\": \"shop\","
           "\"LeaderElectionNamespace\": \"ops\", \"LeaseDuration\": \"00:00:30\","
           "\"RenewDeadline\": \"20s\", \"RetryPeriod\": 5, \"Namespace\": \"web\""),
     .want = "name a\nleaderElection.enabled true\nleaderElection.id shop\n"
             "leaderElection.namespace ops\nleaderElection.leaseDuration 30s\n"
             "leaderElection.renewDeadline 20s\nleaderElection.retryPeriod 5s\nnamespaces [web]\n"},
    {"KubeOps' long names of durations",
     .appsettings = K("\"LeaderElectionLeaseDuration\": 30, \"LeaderElectionRenewDeadline\": 20, "
                      "\"LeaderElectionRetryPeriod\": 1"),
     .want = "leaderElection.leaseDuration 30s\nleaderElection.renewDeadline 20s\n"
             "leaderElection.retryPeriod 1s\n"},
    {"limits in appsettings",
     .appsettings = K("\"Watch\": {\"MaxLists\": 2}, \"Plugins\": {\"Instances\": {\"a\": "
                      "{\"QPS\": 5, \"Burst\": 10, \"RetryQPS\": \"2.5\", \"retryburst\": 3}}}"),
     .want = "watch.maxLists 2\nplugins.instances.a.qps 5\nplugins.instances.a.burst 10\n"
             "plugins.instances.a.retryQPS 2.5\nplugins.instances.a.retryBurst 3\n"},
    {"an empty id in appsettings", .appsettings = K("\"Name\": \"x\", \"LeaderElectionId\": \"\""),
     .want = "name x\nleaderElection.id leasehold-leader\n"},
    {"several namespaces", .appsettings = K("\"Namespaces\": [\"a\", \"b\"]"),
     .want = "namespaces [a, b]\n"},
    {"an empty namespace", .appsettings = K("\"Namespace\": \"\""), .want = "namespaces []\n"},
    {"what KubeOps has no name for",
     .appsettings =
         K("\"Health\": {\"Address\": \"0\", \"Ready\": \"leader\"}, \"Log\": {\"Level\": "
           "\"debug\"}, \"DrainTimeout\": \"1m\", \"ClockSkew\": 0.01, \"Plugins\": "
           "{\"Dir\": \"/p\"}"),
     .want = "health.address 0\nhealth.ready leader\nlog.level debug\ndrainTimeout 1m\n"
             "leaderElection.clockSkew 0.01\nplugins.dir /p\n"},
    {"instances",
     .appsettings = K("\"Plugins\": {\"Instances\": {\"web\": {\"Workers\": 2, \"Config\": "
                      "{\"image\": \"nginx\", \"Sizes\": [1, 2.50, 1e3, true, null]}}}}"),
     .want = "plugins.instances.web.workers 2\n"
             "plugins.instances.web.config "
             "{\"image\":\"nginx\",\"Sizes\":[1,2.50,1e3,true,null]}\n"},
    {"comments everywhere",
     .appsettings =
         "// first\n/* and */{ // behind\n  /* before */ \"KubeOps\": /* between */ {\n"
         "    \"Name\": \"a\", // who\n    // on its own line\n    /* over\n       lines */\n"
         "    \"Log\": {\"Level\": \"warn\" /* ! */}\n  } /**/\n} // last",
     .want = "name a\nlog.level warn\n"},
    {"no comments inside of texts", .appsettings = K("\"Kubeconfig\": \"//k/*x*/\""),
     .want = "kubeconfig //k/*x*/\n"},
    {"commas behind the last",
     .appsettings =
         "{\"KubeOps\": {\"Name\": \"a\", \"Namespaces\": [\"x\", \"y\",], /* c */},\n}\n",
     .want = "name a\nnamespaces [x, y]\n"},
    {"other sections",
     .appsettings =
         "{\"Logging\": {\"LogLevel\": {\"Default\": \"Information\"}}, \"AllowedHosts\": "
         "\"*\", \"KubeOps\": {\"Name\": \"a\"}, \"Kestrel\": [{\"x\": {}}]}",
     .want = "name a\n"},
    {"names in another case",
     .appsettings =
         "{\"kubeops\": {\"NAME\": \"a\", \"leaseduration\": 20, \"HEALTH\": {\"ready\": "
         "\"leader\"}, \"plugins\": {\"instances\": {\"web\": {\"workers\": 3}}}}}",
     .want = "name a\nleaderElection.leaseDuration 20s\nhealth.ready leader\n"
             "plugins.instances.web.workers 3\n"},
    {"values as texts, as .NET keeps them",
     .appsettings = K("\"EnableLeaderElection\": \"False\", \"ClockSkew\": \"0.1\", "
                      "\"LeaseDuration\": \"20\""),
     .want = "leaderElection.enabled false\nleaderElection.clockSkew 0.1\n"
             "leaderElection.leaseDuration 20s\n"},
    {"an instance that is not enabled",
     .yaml = "plugins:\n  instances:\n    web: {enabled: false}\n    api: {}\n",
     .want = "plugins.instances.web.enabled false\nplugins.instances.api.enabled true\n"},
    {"a boolean in any case", .appsettings = K("\"EnableLeaderElection\": \"tRUE\""),
     .env = {"KubeOps__Name=a"}, .want = "leaderElection.enabled true\nname a\n"},
    {"values without a value", .appsettings = K("\"Name\": null, \"Health\": null, \"Log\": {}"),
     .want = "name pod-0\nhealth.address :8081\n"},
    {"a byte order mark and CRLF in appsettings",
     .appsettings = "\xef\xbb\xbf{\r\n  \"KubeOps\": { // c\r\n    \"Name\": \"a\"\r\n  }\r\n}\r\n",
     .want = "name a\n"},
    {"escapes", .appsettings = K("\"N\\u0061me\": \"\\u00e9\\ud83d\\ude00\\/\\\"\""),
     .want = "name \xc3\xa9\xf0\x9f\x98\x80/\"\n"},
    {"deep in another section", .appsettings = "{\"Other\": " X8("[[[[") X8("]]]]") "}",
     .want = "name pod-0\n"},

    /* -- appsettings.<Environment>.json -- */
    {"Production without a variable", .appsettings = K("\"Name\": \"a\", \"DrainTimeout\": 3"),
     .overlay = {"appsettings.Production.json", K("\"Name\": \"b\"")},
     .want = "name b\ndrainTimeout 3s\n"},
    {"the environment of DOTNET_ENVIRONMENT before ASPNETCORE_ENVIRONMENT's",
     .appsettings = K("\"Name\": \"a\""),
     .overlay = {"appsettings.Staging.json", K("\"Name\": \"b\"")},
     .env = {"DOTNET_ENVIRONMENT=Staging", "ASPNETCORE_ENVIRONMENT=Other"}, .want = "name b\n"},
    {"the environment of ASPNETCORE_ENVIRONMENT", .appsettings = K("\"Name\": \"a\""),
     .overlay = {"appsettings.Staging.json", K("\"Namespaces\": [\"x\"]")},
     .env = {"ASPNETCORE_ENVIRONMENT=Staging", "DOTNET_ENVIRONMENT="},
     .want = "name a\nnamespaces [x]\n"},
    {"an environment without a file", .appsettings = K("\"Name\": \"a\""),
     .overlay = {"appsettings.Production.json", K("\"Name\": \"b\"")},
     .env = {"DOTNET_ENVIRONMENT=Development"}, .want = "name a\n"},
    {"a list in the overlay replaces", .appsettings = K("\"Namespaces\": [\"a\", \"b\"]"),
     .overlay = {"appsettings.Production.json", K("\"Namespaces\": [\"c\"]")},
     .want = "namespaces [c]\n"},
    {"an instance in the overlay is completed",
     .appsettings =
         K("\"Plugins\": {\"Instances\": {\"web\": {\"Workers\": 2, \"MaxInFlight\": 9}}}"),
     .overlay = {"appsettings.Production.json",
                 K("\"Plugins\": {\"Instances\": {\"web\": {\"Workers\": 4}}}")},
     .want = "plugins.instances.web.workers 4\nplugins.instances.web.maxInFlight 9\n"},
    {"no overlay beside leasehold.yaml", .yaml = "name: a\n",
     .overlay = {"appsettings.Production.json", K("\"Name\": \"b\"")}, .want = "name a\n"},
    {"a mistake in the overlay", .appsettings = K("\"Name\": \"a\""), .fits_schema = true,
     .overlay = {"appsettings.Production.json", "{\n  \"KubeOps\": {\n    \"Nam\": \"b\"}}"},
     .error = "appsettings.Production.json:3:5: unknown key 'KubeOps:Nam'; did you mean "
              "'KubeOps:Name'?"},
    {"an environment that is a path", .appsettings = "{}", .env = {"DOTNET_ENVIRONMENT=../x"},
     .fits_schema = true,
     .error =
         "environment DOTNET_ENVIRONMENT or ASPNETCORE_ENVIRONMENT: '../x' cannot be part of a "
         "file's name"},

    /* -- appsettings.json, bad -- */
    {"a misspelt key of KubeOps", .appsettings = "{\n  \"KubeOps\": {\n    \"LeaseDuratoin\": 20}}",
     .error = "appsettings.json:3:5: unknown key 'KubeOps:LeaseDuratoin'; did you mean "
              "'KubeOps:LeaseDuration'?"},
    {"a misspelt key in a group", .appsettings = K("\"Health\": {\"Adress\": \":1\"}"),
     .error = "appsettings.json:1:25: unknown key 'KubeOps:Health:Adress'; did you mean "
              "'KubeOps:Health:Address'?"},
    {"a misspelt key of an instance in appsettings",
     .appsettings = K("\"Plugins\": {\"Instances\": {\"web\": {\"Worker\": 2}}}"),
     .error = "appsettings.json:1:48: unknown key 'KubeOps:Plugins:Instances:web:Worker'; did you "
              "mean 'Workers'?"},
    {"a misspelt section", .appsettings = "{\"Logging\": {}, \"KubeOp\": {\"Name\": \"a\"}}",
     .fits_schema = true,
     .error = "appsettings.json:1:17: unknown section 'KubeOp'; did you mean 'KubeOps'?"},
    {"a section in the key", .appsettings = "{\"KubeOps:Name\": \"a\"}",
     .error = "appsettings.json:1:2: write 'KubeOps:Name' inside a section \"KubeOps\": {...}"},
    {"a setting by its names both",
     .appsettings = K("\"LeaseDuration\": 20,\n"
                      "\"LeaderElectionLeaseDuration\": 30"),
     .fits_schema = true,
     .error = "appsettings.json:2:1: KubeOps:LeaderElectionLeaseDuration sets the same as "
              "'LeaseDuration' in line 1"},
    {"a key twice in another case", .appsettings = K("\"Name\": \"a\",\n  \"name\": \"b\""),
     .fits_schema = true,
     .error = "appsettings.json:2:3: key 'name' stands here again, after line 1"},
    {"a key twice deep in a plugin's section",
     .appsettings = K("\"Plugins\": {\"Instances\": {\"web\": {\"Config\": {\"a\": {\"x\": 1,\n"
                      "\"x\": 2}}}}}"),
     .fits_schema = true, .error = "appsettings.json:2:1: key 'x' stands here again, after line 1"},
    {"the section twice", .appsettings = "{\"KubeOps\": {},\n\"kubeops\": {}}", .fits_schema = true,
     .error = "appsettings.json:2:1: key 'kubeops' stands here again, after line 1"},
    {"a list for the section", .appsettings = "{\"KubeOps\": []}",
     .error = "appsettings.json:1:13: KubeOps: an object is expected"},
    {"a text for a group in appsettings", .appsettings = K("\"Log\": \"debug\""),
     .error = "appsettings.json:1:21: KubeOps:Log: an object is expected"},
    {"a text for a list in appsettings", .appsettings = K("\"Namespaces\": \"a\""),
     .error = "appsettings.json:1:28: KubeOps:Namespaces: a list is expected"},
    {"an object for a text", .appsettings = K("\"Name\": {}"),
     .error = "appsettings.json:1:22: KubeOps:Name: one value is expected, not a mapping"},
    {"a text for a boolean in appsettings", .appsettings = K("\"EnableLeaderElection\": 1"),
     .error =
         "appsettings.json:1:38: KubeOps:EnableLeaderElection: '1' is no boolean: write true or "
         "false"},
    {"days in a duration", .appsettings = K("\"LeaseDuration\": \"1.00:00:15\""),
     .error =
         "appsettings.json:1:31: KubeOps:LeaseDuration: '1.00:00:15' is no duration: write 15s, "
         "500ms, 1m30s or a number of seconds"},
    {"hours and minutes alone", .appsettings = K("\"LeaseDuration\": \"00:15\""),
     .error = "appsettings.json:1:31: KubeOps:LeaseDuration: '00:15' is no duration: write 15s, "
              "500ms, 1m30s or a number of seconds"},
    {"an empty file of appsettings", .appsettings = "",
     .error = "appsettings.json:1:1: a JSON object is expected"},
    {"a list for the file of appsettings", .appsettings = "// c\n[]",
     .error = "appsettings.json:2:1: a JSON object is expected"},
    {"something behind the object", .appsettings = "{}\n{}",
     .error = "appsettings.json:2:1: something follows the end of the object"},
    {"a comma alone", .appsettings = "{,}",
     .error = "appsettings.json:1:2: a key in double quotes or '}' is expected"},
    {"two commas", .appsettings = K("\"Namespaces\": [\"a\",,]"),
     .error = "appsettings.json:1:33: a value of JSON is expected"},
    {"a comma that is missing", .appsettings = "{\"a\": 1\n \"b\": 2}",
     .error = "appsettings.json:2:2: ',' or '}' is expected"},
    {"a colon that is missing", .appsettings = "{\"a\" 1}",
     .error = "appsettings.json:1:6: ':' is expected"},
    {"single quotes", .appsettings = "{'KubeOps': {}}",
     .error = "appsettings.json:1:2: a key in double quotes or '}' is expected"},
    {"a word that is no value", .appsettings = K("\"Name\": abc"),
     .error = "appsettings.json:1:22: a value of JSON is expected"},
    {"a number that JSON does not have", .appsettings = K("\"LeaseDuration\": 015"),
     .error = "appsettings.json:1:31: a value of JSON is expected"},
    {"an end that is missing", .appsettings = "{\"KubeOps\": {\r\n  \"Name\": \"a\"",
     .error = "appsettings.json:2:14: ',' or '}' is expected"},
    {"a text without an end", .appsettings = "{\"KubeOps\": {\"Name\": \"a\n}}",
     .error = "appsettings.json:1:24: the text has no closing quote on its line"},
    {"a comment without an end", .appsettings = "{\n/* \"KubeOps\": {}}",
     .error = "appsettings.json:2:1: the comment that begins here has no end"},
    {"half of a comment's beginning", .appsettings = "{/ \"a\": 1}",
     .error = "appsettings.json:1:2: a key in double quotes or '}' is expected"},
    {"half of a surrogate pair", .appsettings = K("\"Name\": \"\\ud83dx\""),
     .error = "appsettings.json:1:23: half of a surrogate pair stands alone"},
    {"a NUL character", .appsettings = K("\"Name\": \"\\u0000\""),
     .error = "appsettings.json:1:23: a text holds a NUL character"},
    {"an escape of another language", .appsettings = K("\"Name\": \"\\x41\""),
     .error = "appsettings.json:1:23: no escape that JSON has"},
    {"a tab in a text", .appsettings = K("\"Name\": \"a\tb\""),
     .error = "appsettings.json:1:24: a text holds a control character"},
    {"not UTF-8 in appsettings", .appsettings = K("\"Name\": \"\xc3\xa9\xff\""),
     .error = "appsettings.json:1:24: the text is not UTF-8"},
    {"UTF-16 in appsettings", .appsettings = "\xff\xfe{",
     .error = "appsettings.json:1:1: the file is UTF-16: save it as UTF-8"},
    {"binary in appsettings",
     .appsettings = "\x7f"
                    "ELF\x02\x01",
     .error = "appsettings.json:1:1: a JSON object is expected"},
    {"lists too deep in another section", .appsettings = "{\"Other\": " X64("["),
     .error = "appsettings.json:1:74: nested more than 64 deep"},

    /* -- Both, and the environment -- */
    {"both files", .yaml = "name: a\n", .appsettings = "{}", .fits_schema = true,
     .error =
         "both leasehold.yaml and appsettings.json are there: name one with --config or remove "
         "one"},
    {"a warm standby in appsettings", .appsettings = K("\"Standby\": \"warm\""),
     .want = "standby warm\n"},
    {"a warm standby by a variable", .env = {"LEASEHOLD_STANDBY=warm"}, .want = "standby warm\n"},
    {"a variable of .NET over appsettings", .appsettings = K("\"Name\": \"a\""),
     .env = {"KubeOps__Name=b"}, .want = "name b\n"},
    {"variables of .NET without a file",
     .env = {"KubeOps__EnableLeaderElection=False", "KubeOps__Health__Address=0",
             "KubeOps__LeaseDuration=00:00:20"},
     .want = "leaderElection.enabled false\nhealth.address 0\nleaderElection.leaseDuration 20s\n"},
    {"variables of .NET in another case",
     .env = {"KUBEOPS__LEADERELECTIONID=shop", "kubeops__log__level=debug",
             "KubeOps:RetryPeriod=1"},
     .want = "leaderElection.id shop\nlog.level debug\nleaderElection.retryPeriod 1s\n"},
    {"a list by its entries",
     .env = {"KubeOps__Namespaces__10=c", "KubeOps__Namespaces__9=b", "kubeops__namespaces__0=a"},
     .want = "namespaces [a, b, c]\n"},
    {"a list by commas", .env = {"KubeOps__Namespaces=a,b"}, .want = "namespaces [a, b]\n"},
    {"one namespace by a variable", .env = {"KubeOps__Namespace=a"}, .want = "namespaces [a]\n"},
    {"an empty id by a variable", .yaml = "leaderElection: {id: x}\n",
     .env = {"KubeOps__LeaderElectionId="}, .want = "leaderElection.id leasehold-leader\n"},
    {"other variables", .env = {"KubeOps_Name=x", "KUBEOPS_SERVICE_HOST=10.0.0.1", "KubeOpsX__A=1"},
     .want = "name pod-0\n"},
    {"a misspelt variable of .NET", .env = {"KUBEOPS__HEALTH__ADRESS=:1"},
     .error = "environment: unknown key 'KubeOps__HEALTH__ADRESS'; did you mean "
              "'KubeOps__Health__Address'?"},
    {"a bad value in a variable of .NET", .env = {"kubeops__leaseduration=soon"},
     .error =
         "environment kubeops__leaseduration: 'soon' is no duration: write 15s, 500ms, 1m30s or "
         "a number of seconds"},
    {"a limit by the environment", .env = {"LEASEHOLD_WATCH_MAX_LISTS=3"},
     .want = "watch.maxLists 3\n"},
    {"two variables for a setting", .env = {"LEASEHOLD_NAME=a", "KubeOps__Name=b"},
     .error = "environment KubeOps__Name: LEASEHOLD_NAME sets the same"},
    {"a variable in two cases", .env = {"KubeOps__Name=a", "KUBEOPS__NAME=b"},
     .error = "environment KUBEOPS__NAME: KubeOps__Name sets the same"},
    {"an entry of a list twice", .env = {"KubeOps__Namespaces__1=a", "KubeOps__Namespaces__01=b"},
     .error = "environment KubeOps__Namespaces__01: KubeOps__Namespaces__1 sets the same"},
    {"a list whole and by its entries",
     .env = {"KubeOps__Namespaces__0=a", "KubeOps__Namespaces=b"},
     .error = "environment KubeOps__Namespaces: a variable for each entry sets the same"},
    {"an entry of what is no list", .env = {"KubeOps__Name__0=a"},
     .error = "environment: unknown key 'KubeOps__Name__0'"},
    {"an instance in the environment", .env = {"KubeOps__Plugins__Instances__web__Workers=2"},
     .error = "environment KubeOps__Plugins__Instances__web__Workers: instances are not set by the "
              "environment"},
    {"a group in the environment", .env = {"KubeOps__Health=x"},
     .error = "environment: 'Health' is a group of settings"},
};

#define CONFIG_CASES (sizeof(config_cases) / sizeof(config_cases[0]))

#endif
