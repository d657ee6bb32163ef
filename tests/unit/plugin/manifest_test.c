/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/manifest.h"
#include "plugin/watch_spec.h"

#include "support/expect.h"

#include <stdio.h>

#define WATCH_CM "{\"version\": \"v1\", \"resource\": \"configmaps\", \"kind\": \"ConfigMap\"}"
#define TOP(rest) "{\"abi\": 0, \"id\": \"hello\", \"version\": \"1.2.3\", " rest "}"
#define MINIMAL TOP("\"watches\": [" WATCH_CM "]")

static plugin_manifest_t *parsed(const char *text)
{
    plugin_manifest_t *m = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_manifest_parse(text, strlen(text), &m, &err), err);
    return m;
}

static void refused(const char *text, int code, const char *why)
{
    plugin_manifest_t *m = NULL;
    lh_error_t err = {0};

    EXPECT_INT(plugin_manifest_parse(text, strlen(text), &m, &err), code);
    EXPECT_HAS(err.text, why);
    cr_expect(m == NULL, "a refused manifest was handed out");
}

Test(manifest, minimal_one_has_defaults)
{
    plugin_manifest_t *m = parsed(MINIMAL);

    EXPECT_INT(m->abi, 0);
    EXPECT_STR(m->id, "hello");
    EXPECT_STR(m->version, "1.2.3");
    EXPECT_INT(m->watch_count, 1);
    EXPECT_STR(m->watches[0].gvr.group, "");
    EXPECT_STR(m->watches[0].gvr.version, "v1");
    EXPECT_STR(m->watches[0].gvr.resource, "configmaps");
    EXPECT_STR(m->watches[0].kind, "ConfigMap");
    EXPECT_INT(m->watches[0].role, PLUGIN_ROLE_PRIMARY);
    cr_expect(m->watches[0].label_selector == NULL, "a selector from nowhere");
    cr_expect(!m->watches[0].metadata_only, "projection is full by default");
    EXPECT_STR(m->text, MINIMAL);
    plugin_manifest_destroy(m);
}

Test(manifest, all_roles_and_maps_are_read)
{
    plugin_manifest_t *m = parsed(TOP(
        "\"watches\": ["
        "{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\", \"role\": \"owned\"},"
        "{\"group\": \"example.com\", \"version\": \"v1\", \"resource\": \"websites\","
        " \"kind\": \"Website\", \"labelSelector\": \"tier in (a,b)\","
        " \"fieldSelector\": \"metadata.name=x\"},"
        "{\"version\": \"v1\", \"resource\": \"secrets\", \"kind\": \"Secret\", \"role\": "
        "\"mapped\","
        " \"projection\": \"metadata\", \"map\": {\"by\": \"label\", \"key\": \"site\"}},"
        "{\"version\": \"v1\", \"resource\": \"services\", \"kind\": \"Service\","
        " \"role\": \"mapped\", \"map\": {\"by\": \"field\", \"path\": \"/spec/site\","
        " \"namespacePath\": \"/spec/ns\", \"primary\": 1}},"
        "{\"version\": \"v1\", \"resource\": \"nodes\", \"kind\": \"Node\", \"role\": \"mapped\","
        " \"map\": {\"by\": \"owner\"}}],"
        "\"permissions\": [{\"apiGroups\": [\"\"], \"resources\": [\"pods\"], \"verbs\": "
        "[\"get\"]}]"));

    EXPECT_INT(m->watch_count, 5);
    EXPECT_INT(m->watches[0].role, PLUGIN_ROLE_OWNED);
    EXPECT_INT(m->watches[0].primary, 1);
    EXPECT_STR(m->watches[1].label_selector, "tier in (a,b)");
    EXPECT_STR(m->watches[1].field_selector, "metadata.name=x");
    EXPECT_INT(m->watches[2].map.by, PLUGIN_MAP_LABEL);
    EXPECT_STR(m->watches[2].map.key, "site");
    EXPECT_INT(m->watches[2].map.primary, 1);
    cr_expect(m->watches[2].metadata_only, "projection metadata was not read");
    EXPECT_INT(m->watches[3].map.by, PLUGIN_MAP_FIELD);
    EXPECT_STR(m->watches[3].map.path, "/spec/site");
    EXPECT_STR(m->watches[3].map.ns_path, "/spec/ns");
    EXPECT_INT(m->watches[4].map.by, PLUGIN_MAP_OWNER);
    plugin_manifest_destroy(m);
}

#define WATCH(more)                                                                                \
    TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\"},"          \
        "{\"version\": \"v1\", \"resource\": \"services\", \"kind\": \"Service\", " more "}]")

Test(manifest, fields_are_read)
{
    plugin_manifest_t *m =
        parsed(WATCH("\"role\": \"cached\", \"fields\": [\"/spec/a\", \"/status\"]"));

    cr_expect(m->watches[0].fields == NULL, "all is kept by default");
    EXPECT_STR(m->watches[1].fields, "/spec/a,/status");
    plugin_manifest_destroy(m);
}

Test(manifest, fields_that_cannot_be_kept_are_refused)
{
    refused(WATCH("\"fields\": \"/spec\""), LH_EINVAL,
            "watches[1].fields: must be an array of 1 to 256, each a JSON Pointer");
    refused(WATCH("\"fields\": []"), LH_EINVAL, "watches[1].fields: must be an array of 1 to 256");
    refused(WATCH("\"fields\": [\"/a\", 7]"), LH_EINVAL,
            "watches[1].fields: an element is no string, each must be a JSON Pointer");
    refused(
        WATCH("\"fields\": [\"/a,b\"]"), LH_EINVAL,
        "watches[1].fields: '/a,b' is not a JSON Pointer, which begins with '/', without a comma");
    refused(WATCH("\"fields\": [\"spec\"]"), LH_EINVAL, "watches[1].fields: 'spec' is not a JSON");
    refused(WATCH("\"fields\": [\"/a\", \"/b\", \"/a\"]"), LH_EINVAL,
            "watches[1].fields: '/a' comes twice");
    refused(WATCH("\"fields\": [\"/spec\"], \"projection\": \"metadata\""), LH_EINVAL,
            "watches[1].fields: there are none in projection: metadata");
    refused(WATCH("\"fields\": [\"/spec/a\"], \"role\": \"mapped\","
                  "\"map\": {\"by\": \"field\", \"path\": \"/spec/b\"}"),
            LH_EINVAL, "watches[1].map.'/spec/b' is not among the fields of its watch");
}

Test(manifest, labels_to_index_are_read)
{
    plugin_manifest_t *m = parsed(WATCH("\"indexLabels\": [\"app.kubernetes.io/name\", \"tier\"]"));

    cr_expect(m->watches[0].index_labels == NULL, "none is indexed by default");
    EXPECT_STR(m->watches[1].index_labels, "app.kubernetes.io/name,tier");
    EXPECT_STR(plugin_watch_spec(&m->watches[1], NULL).index_labels, "app.kubernetes.io/name,tier");
    plugin_manifest_destroy(m);
}

Test(manifest, what_is_no_label_is_not_indexed)
{
    refused(WATCH("\"indexLabels\": \"app\""), LH_EINVAL,
            "watches[1].indexLabels: must be an array of 1 to 8, each a label's name");
    refused(WATCH("\"indexLabels\": []"), LH_EINVAL, "watches[1].indexLabels: must be an array");
    refused(WATCH("\"indexLabels\": [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]"),
            LH_EINVAL, "watches[1].indexLabels: must be an array of 1 to 8, each a label's name");
    refused(WATCH("\"indexLabels\": [\"a\", 7]"), LH_EINVAL,
            "watches[1].indexLabels: an element is no string, each must be a label's name");
    refused(WATCH("\"indexLabels\": [\"a=b\"]"), LH_EINVAL,
            "watches[1].indexLabels: 'a=b' is not a label's name");
    refused(WATCH("\"indexLabels\": [\"a\", \"b\", \"b\"]"), LH_EINVAL,
            "watches[1].indexLabels: 'b' comes twice");
}

/* They were found by the scan, and then refused when the watch was opened. */
Test(manifest, a_selector_that_is_none_is_refused)
{
    refused(WATCH("\"labelSelector\": \"a=(\""), LH_EINVAL, "watches[1].labelSelector: ");
    refused(WATCH("\"fieldSelector\": \"spec.nodeName\""), LH_EINVAL, "watches[1].fieldSelector: ");
}

Test(manifest, an_unknown_field_is_refused_with_the_nearest_one)
{
    refused(TOP("\"wathces\": []"), LH_EINVAL, "wathces: unknown field; did you mean 'watches'?");
    refused(TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\","
                " \"rolle\": \"primary\"}]"),
            LH_EINVAL, "watches[0].rolle: unknown field; did you mean 'role'?");
}

Test(manifest, a_field_that_stands_there_twice_is_refused)
{
    refused(TOP("\"id\": \"other\", \"watches\": [" WATCH_CM "]"), LH_EINVAL,
            "id: stands there twice");
}

Test(manifest, what_is_not_json_is_refused)
{
    refused("", LH_EPARSE, "not JSON");
    refused("{\"abi\": 0,", LH_EPARSE, "not JSON: byte 9, in '{\"abi\": 0,'");
    refused("{\"abi\": 0, \"id\": \"a\",\n \"version\" \"1\", \"watches\": []}", LH_EPARSE,
            "not JSON: byte 33, in '\"a\",\\n \"version\" \"1\", \"watches\": '");
    refused(MINIMAL " {}", LH_EPARSE, ": more after the document, in '");
    refused("[]", LH_EINVAL, "must be an object");
}

Test(manifest, missing_parts_are_named)
{
    refused("{\"id\": \"a\", \"version\": \"1\"}", LH_EINVAL, "abi: is missing");
    refused("{\"abi\": 0, \"version\": \"1\"}", LH_EINVAL, "id: is missing");
    refused("{\"abi\": 0, \"id\": \"a\"}", LH_EINVAL, "version: is missing");
    refused("{\"abi\": 0, \"id\": \"a\", \"version\": \"1\"}", LH_EINVAL,
            "watches: must be an array");
}

Test(manifest, bad_values_are_named_with_their_place)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{\"abi\": -1, \"id\": \"a\", \"version\": \"1\"}", "abi: must be an integer"},
        {"{\"abi\": 0, \"id\": \"Hello\", \"version\": \"1\"}", "id: 'Hello' is not a DNS label"},
        {"{\"abi\": 0, \"id\": \"a\", \"version\": \"1 2\"}", "version: must be 1 to 64 letters"},
        {"{\"abi\": 0, \"id\": \"a\", \"version\": 1}", "version: must be a string"},
        {TOP("\"watches\": [7]"), "watches[0]: must be an object"},
        {TOP("\"watches\": []"), "at least one watch"},
        {TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"Pods\", \"kind\": \"Pod\"}]"),
         "watches[0].resource: 'Pods'"},
        {TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"pod\"}]"),
         "watches[0].kind: 'pod'"},
        {TOP("\"watches\": [{\"group\": \"a b\", \"version\": \"v1\", \"resource\": \"pods\","
             " \"kind\": \"Pod\"}]"),
         "watches[0].group: 'a b'"},
        {TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\","
             " \"role\": \"boss\"}]"),
         "watches[0].role: 'boss' is none of primary, owned, mapped"},
        {TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\","
             " \"labelSelector\": \"a in (\"}]"),
         "watches[0].labelSelector"},
        {TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\","
             " \"role\": \"owned\"}]"),
         "watches: none has the role primary"},
        {TOP("\"watches\": [" WATCH_CM ", {\"version\": \"v1\", \"resource\": \"pods\","
             " \"kind\": \"Pod\", \"role\": \"owned\", \"primary\": 1}]"),
         "watches[1].primary: watches[1] is not a primary watch"},
        {TOP("\"watches\": [" WATCH_CM ", {\"version\": \"v1\", \"resource\": \"pods\","
             " \"kind\": \"Pod\", \"role\": \"mapped\"}]"),
         "watches[1].map: is missing"},
        {TOP("\"watches\": [" WATCH_CM ", {\"version\": \"v1\", \"resource\": \"pods\","
             " \"kind\": \"Pod\", \"role\": \"mapped\", \"map\": {\"by\": \"field\","
             " \"path\": \"spec\"}}]"),
         "watches[1].map.path: 'spec' is not a JSON Pointer"},
        {TOP("\"watches\": [" WATCH_CM ", {\"version\": \"v1\", \"resource\": \"pods\","
             " \"kind\": \"Pod\", \"role\": \"mapped\", \"map\": {\"by\": \"label\"}}]"),
         "watches[1].map.key: is missing"},
        {TOP("\"watches\": [" WATCH_CM "], \"permissions\": [{\"resources\": []}]"),
         "permissions[0].apiGroups: must be an array of strings"},
        {TOP("\"watches\": [" WATCH_CM "], \"config\": {\"type\": \"objekt\"}"),
         "config.type: not a JSON type"},
    };

    for (size_t i = 0; i < HOST_LEN(cases); i++) {
        refused(cases[i].text, LH_EINVAL, cases[i].why);
    }
}

Test(manifest, too_many_watches_are_refused)
{
    buf_t text = BUF_INIT;

    buf_puts(&text, "{\"abi\": 0, \"id\": \"a\", \"version\": \"1\", \"watches\": [" WATCH_CM);
    for (unsigned i = 0; i < PLUGIN_WATCHES_MAX; i++) {
        buf_puts(&text, "," WATCH_CM);
    }
    buf_puts(&text, "]}");
    refused(buf_text(&text), LH_EINVAL, "watches: 65, at most 64 are allowed");
    buf_fini(&text);
}

Test(manifest, a_huge_document_is_refused_before_it_is_parsed)
{
    char *text = malloc(PLUGIN_MANIFEST_MAX + 2);

    memset(text, ' ', PLUGIN_MANIFEST_MAX + 1);
    text[PLUGIN_MANIFEST_MAX + 1] = '\0';
    refused(text, LH_ETOOBIG, "262145 bytes");
    free(text);
}

Test(manifest, deep_nesting_is_refused)
{
    char text[512];

    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    text[200] = '\0';
    refused(text, LH_EPARSE, "nested deeper than 32 levels");
}

Test(manifest, every_cut_of_a_good_document_is_refused)
{
    for (size_t len = 0; len < strlen(MINIMAL); len++) {
        plugin_manifest_t *m = NULL;
        lh_error_t err = {0};
        char *cut = strndup(MINIMAL, len); /* its end is the end of its memory, for ASan */
        int ret = plugin_manifest_parse(cut, len, &m, &err);

        cr_expect(ret < 0, "the first %zu bytes were accepted", len);
        plugin_manifest_destroy(m);
        free(cut);
    }
}

/* -- Watches out of the configuration -- */

#define FROM_CONFIG                                                                                \
    TOP("\"watches\": [{\"version\": \"v1\", \"resource\": \"namespaces\", \"kind\": "             \
        "\"Namespace\", \"role\": \"cached\"}], \"watchesFrom\": \"/scope/kinds\", "               \
        "\"permissions\": [{\"watchesFrom\": true, \"verbs\": [\"delete\"]}, "                     \
        "{\"apiGroups\": [\"\"], \"resources\": [\"events\"], \"verbs\": [\"create\"]}]")

static void refused_config(const char *manifest, const char *config, const char *why)
{
    plugin_manifest_t *m = parsed(manifest), *own = NULL;
    lh_error_t err = {0};

    EXPECT_INT(plugin_manifest_for_instance(m, config, &own, &err), LH_EINVAL);
    EXPECT_HAS(err.text, why);
    cr_expect(own == NULL, "a refused manifest was handed out");
    plugin_manifest_destroy(m);
}

Test(watches_from, come_behind_the_plugins_own)
{
    plugin_manifest_t *m = parsed(FROM_CONFIG), *own = NULL;
    lh_error_t err = {0};

    EXPECT_STR(m->watches_from, "/scope/kinds");
    EXPECT_INT(m->watch_count, 1);
    ASSERT_OK(plugin_manifest_for_instance(
                  m,
                  "{\"scope\": {\"kinds\": ["
                  "{\"version\": \"v1\", \"resource\": \"pods\", \"kind\": \"Pod\","
                  " \"role\": \"owned\", \"primary\": 2},"
                  "{\"group\": \"apps\", \"version\": \"v1\", \"resource\": \"deployments\","
                  " \"kind\": \"Deployment\", \"projection\": \"metadata\"}]}}",
                  &own, &err),
              err);
    EXPECT_INT(own->watch_count, 3);
    EXPECT_INT(own->watches[0].role, PLUGIN_ROLE_CACHED);
    EXPECT_STR(own->watches[1].kind, "Pod");
    EXPECT_INT(own->watches[1].primary, 2);
    EXPECT_STR(own->watches[2].gvr.group, "apps");
    cr_expect(own->watches[2].metadata_only, "projection metadata was not read");
    cr_expect(own->watches_from == NULL, "an instance's manifest asks for more watches");
    EXPECT_STR(own->id, "hello");
    plugin_manifest_destroy(own);
    plugin_manifest_destroy(m);
}

Test(watches_from, become_permissions_of_their_kinds)
{
    plugin_manifest_t *m = parsed(FROM_CONFIG), *own = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_manifest_for_instance(
                  m,
                  "{\"scope\": {\"kinds\": [{\"version\": \"v1\", \"resource\": \"pods\","
                  " \"kind\": \"Pod\"}, {\"group\": \"apps\", \"version\": \"v1\","
                  " \"resource\": \"deployments\", \"kind\": \"Deployment\"}]}}",
                  &own, &err),
              err);
    EXPECT_HAS(own->text,
               "\"permissions\":["
               "{\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"delete\"]},"
               "{\"apiGroups\":[\"apps\"],\"resources\":[\"deployments\"],"
               "\"verbs\":[\"delete\"]},"
               "{\"apiGroups\":[\"\"],\"resources\":[\"events\"],\"verbs\":[\"create\"]}]");
    plugin_manifest_destroy(own);
    plugin_manifest_destroy(m);
}

Test(watches_from, are_refused_with_their_place_in_the_configuration)
{
    refused_config(FROM_CONFIG, "{\"scope\": {\"kinds\": {}}}",
                   "config.scope.kinds: must be an array of watches");
    refused_config(FROM_CONFIG,
                   "{\"scope\": {\"kinds\": [{\"version\": \"v1\", \"resource\": \"pods\"}]}}",
                   "config.scope.kinds[0].kind: is missing");
    refused_config(FROM_CONFIG,
                   "{\"scope\": {\"kinds\": [{\"version\": \"v1\", \"resource\": \"pods\","
                   " \"kind\": \"Pod\", \"primary\": 0, \"role\": \"owned\"}]}}",
                   "watches: none has the role primary");
}

/* A directory of plugins with one that nobody has configured had a red check, and no rights at all. */
Test(watches_from, an_instance_may_name_no_kinds)
{
    static const char *const configs[] = {"{}", "{\"kinds\": []}"};

    for (size_t i = 0; i < HOST_LEN(configs); i++) {
        plugin_manifest_t *m = parsed(TOP("\"watches\": [], \"watchesFrom\": \"/kinds\"")),
                          *own = NULL;
        lh_error_t err = {0};

        ASSERT_OK(plugin_manifest_for_instance(m, configs[i], &own, &err), err);
        EXPECT_INT(own->watch_count, 0);
        plugin_manifest_destroy(own);
        plugin_manifest_destroy(m);
    }
}

Test(watches_from, leaves_a_plugin_without_it_as_it_is)
{
    plugin_manifest_t *m = parsed(MINIMAL), *own = NULL;
    lh_error_t err = {0};

    ASSERT_OK(plugin_manifest_for_instance(m, "{}", &own, &err), err);
    EXPECT_STR(own->text, MINIMAL);
    EXPECT_INT(own->watch_count, 1);
    plugin_manifest_destroy(own);
    plugin_manifest_destroy(m);
}

Test(watches_from, permissions_for_them_need_them)
{
    refused(TOP("\"watches\": [" WATCH_CM "],"
                " \"permissions\": [{\"watchesFrom\": true, \"verbs\": [\"get\"]}]"),
            LH_EINVAL, "permissions[0].watchesFrom: must be true, and the manifest must have a");
    refused(TOP("\"watches\": [" WATCH_CM "], \"watchesFrom\": \"kinds\""), LH_EINVAL,
            "watchesFrom: 'kinds' is not a JSON Pointer");
}
