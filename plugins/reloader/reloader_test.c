/* SPDX-License-Identifier: Apache-2.0 */
#include "reloader.h"

#include <criterion/criterion.h>
#include <leasehold/testing.h>

#define WEB "/apis/apps/v1/namespaces/shop/deployments/web"
#define ENV "/spec/template/spec/containers/0/env"
#define MARK "STAKATER_WEB_CONFIG_CONFIGMAP"
#define LAST "/spec/template/metadata/annotations/reloader.stakater.com~1last-reloaded-from"

#define USES_CONFIG "'envFrom': [{'configMapRef': {'name': 'web-config'}}]"
#define USES_SECRET "'env': [{'name': 'X', 'valueFrom': {'secretKeyRef': {'name': 'tls'}}}]"
#define AUTO "'reloader.stakater.com/auto': 'true'"

static lh_fake_t *lead(const char *config)
{
    return lh_fake_lead(config);
}

static void end(lh_fake_t *fake)
{
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

/* A Deployment shop/web with one container. */
static void put_web(lh_fake_t *fake, const char *annotations, const char *container)
{
    char json[2048];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': 'shop', 'name': 'web', 'annotations': {%s}}, "
                    "'spec': {'template': {'metadata': {}, 'spec': {'containers': "
                    "[{'name': 'app', 'image': 'nginx', %s}]}}}}",
                    annotations, container);
    lh_fake_put(fake, WATCH_DEPLOYMENTS, json);
}

static void put_source(lh_fake_t *fake, uint32_t watch, const char *name, const char *annotations,
                       const char *data)
{
    char json[1024];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': 'shop', 'name': '%s', 'annotations': {%s}}, "
                    "'data': {%s}}",
                    name, annotations, data);
    lh_fake_put(fake, watch, json);
    const lh_fake_result_t result = lh_fake_reconcile(fake, watch, "shop", name);
    cr_expect(result.action == LH_DONE, "action %u: %s", result.action, result.text);
}

static void put_config(lh_fake_t *fake, const char *annotations, const char *data)
{
    put_source(fake, WATCH_CONFIG_MAPS, "web-config", annotations, data);
}

static size_t patches(lh_fake_t *fake)
{
    return lh_fake_calls(fake, "PATCH", "/apis/apps/v1");
}

/* web-config is seen, and changes; how many workloads are rolled. */
static size_t rolled(const char *config, const char *annotations, const char *container,
                     const char *source_annotations)
{
    lh_fake_t *fake = lead(config);

    put_web(fake, annotations, container);
    put_config(fake, source_annotations, "'a': '1'");
    cr_expect(patches(fake) == 0, "%s: rolled at first sight", annotations);
    put_config(fake, source_annotations, "'a': '2'");
    const size_t n = patches(fake);
    end(fake);
    return n;
}

#define EXPECT_ROLLED(expected, ...)                                                               \
    do {                                                                                           \
        const size_t n_ = rolled(__VA_ARGS__);                                                     \
        cr_expect(n_ == (expected), "%s: %zu rolled, expected %d", #__VA_ARGS__, n_, expected);    \
    } while (0)

/* -- Which workloads -- */

Test(reloader, auto_rolls_what_uses_it)
{
    EXPECT_ROLLED(1, "{}", AUTO, USES_CONFIG, "");
    EXPECT_ROLLED(1, "{}", "'configmap.reloader.stakater.com/auto': 'true'", USES_CONFIG, "");
    EXPECT_ROLLED(0, "{}", "'secret.reloader.stakater.com/auto': 'true'", USES_CONFIG, "");
    EXPECT_ROLLED(0, "{}", AUTO, "'env': []", "");
    EXPECT_ROLLED(0, "{}", AUTO, USES_SECRET, "");
    EXPECT_ROLLED(0, "{}", "", USES_CONFIG, "");
    EXPECT_ROLLED(0, "{}", "'reloader.stakater.com/auto': 'yes'", USES_CONFIG, "");
    EXPECT_ROLLED(1, "{}",
                  "'reloader.stakater.com/auto': 'false', "
                  "'configmap.reloader.stakater.com/auto': 'true'",
                  USES_CONFIG, "");
}

Test(reloader, auto_reload_all_needs_no_annotation)
{
    EXPECT_ROLLED(1, "{'autoReloadAll': true}", "", USES_CONFIG, "");
    EXPECT_ROLLED(0, "{'autoReloadAll': true}", "'reloader.stakater.com/auto': 'false'",
                  USES_CONFIG, "");
    EXPECT_ROLLED(0, "{'autoReloadAll': true}", "", "'env': []", "");
}

#define NAMES "'configmap.reloader.stakater.com/reload': "

Test(reloader, names_roll_whether_used_or_not)
{
    EXPECT_ROLLED(1, "{}", NAMES "'web-config'", "'env': []", "");
    EXPECT_ROLLED(1, "{}", NAMES "'other, web-config'", "'env': []", "");
    EXPECT_ROLLED(1, "{}", NAMES "'web-.*'", "'env': []", "");
    EXPECT_ROLLED(0, "{}", NAMES "'web'", USES_CONFIG, "");
    EXPECT_ROLLED(0, "{}", NAMES "'config'", USES_CONFIG, "");
    EXPECT_ROLLED(1, "{}", NAMES "'[, web-config'", "'env': []", "");
    EXPECT_ROLLED(0, "{}", NAMES "'((.{255}){255}){255}'", "'env': []", "");
    EXPECT_ROLLED(0, "{}", "'secret.reloader.stakater.com/reload': 'web-config'", USES_CONFIG, "");
}

Test(reloader, a_list_of_names_that_is_too_long_is_told)
{
    lh_fake_t *fake = lead("{}");
    char *json = malloc(8192);

    (void) snprintf(json, 8192,
                    "{'metadata': {'namespace': 'shop', 'name': 'web', 'annotations': {"
                    "'configmap.reloader.stakater.com/reload': '%04096d'}}, "
                    "'spec': {'template': {'spec': {'containers': [{'name': 'app'}]}}}}",
                    1);
    lh_fake_put(fake, WATCH_DEPLOYMENTS, json);
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    cr_expect_not_null(lh_fake_logged(fake, "Deployment shop/web: annotation "
                                            "configmap.reloader.stakater.com/reload is ignored: it "
                                            "has more than 4095 bytes"));
    free(json);
    end(fake);
}

Test(reloader, search_needs_a_match_on_the_source)
{
    const char *const search = "'reloader.stakater.com/search': 'true'",
                      *const match = "'reloader.stakater.com/match': 'true'";

    EXPECT_ROLLED(1, "{}", search, USES_CONFIG, match);
    EXPECT_ROLLED(0, "{}", search, USES_CONFIG, "");
    EXPECT_ROLLED(0, "{}", search, "'env': []", match);
    EXPECT_ROLLED(0, "{}", "", USES_CONFIG, match);
    EXPECT_ROLLED(1, "{}", AUTO ", 'reloader.stakater.com/search': 'true'", USES_CONFIG, "");
}

Test(reloader, ignored_and_excluded_sources_roll_nothing)
{
    EXPECT_ROLLED(0, "{}", AUTO, USES_CONFIG, "'reloader.stakater.com/ignore': 'true'");
    EXPECT_ROLLED(0, "{}",
                  AUTO ", 'configmaps.exclude.reloader.stakater.com/reload': 'x, web-config'",
                  USES_CONFIG, "");
    EXPECT_ROLLED(1, "{}", AUTO ", 'configmaps.exclude.reloader.stakater.com/reload': 'web'",
                  USES_CONFIG, "");
    EXPECT_ROLLED(0, "{'namespacesToIgnore': ['shop']}", AUTO, USES_CONFIG, "");
    EXPECT_ROLLED(0, "{'resourceLabelSelector': 'reload=yes'}", AUTO, USES_CONFIG, "");
    EXPECT_ROLLED(1, "{'resourceLabelSelector': '!reload'}", AUTO, USES_CONFIG, "");
}

Test(reloader, annotations_of_the_template_count_where_the_workload_has_none)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, "'team': 'a'", USES_CONFIG);
    lh_fake_patch(fake, WEB, "{'spec': {'template': {'metadata': {'annotations': {" AUTO "}}}}}");
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    cr_expect(patches(fake) == 1, "%zu rolled", patches(fake));
    end(fake);
}

/* -- Ways to use a source -- */

Test(reloader, knows_every_way_to_use_a_config_map)
{
    static const char *const specs[] = {
        "{'containers': [{'name': 'app', " USES_CONFIG "}]}",
        "{'containers': [{'name': 'app', 'env': [{'name': 'A', 'valueFrom': {'configMapKeyRef': "
        "{'name': 'web-config'}}}]}]}",
        "{'containers': [{'name': 'app', 'volumeMounts': [{'name': 'v'}]}],"
        " 'volumes': [{'name': 'v', 'configMap': {'name': 'web-config'}}]}",
        "{'containers': [{'name': 'app', 'volumeMounts': [{'name': 'v'}]}], 'volumes': [{'name': "
        "'v', 'projected': {'sources': [{'configMap': {'name': 'web-config'}}]}}]}",
        "{'containers': [{'name': 'app'}], 'initContainers': [{'name': 'i', " USES_CONFIG "}]}",
        "{'containers': [{'name': 'app'}], 'initContainers': [{'name': 'i', 'volumeMounts': "
        "[{'name': 'v'}]}], 'volumes': [{'name': 'v', 'configMap': {'name': 'web-config'}}]}",
    };

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        lh_fake_t *fake = lead("{}");
        char json[1024];
        (void) snprintf(json, sizeof(json),
                        "{'metadata': {'namespace': 'shop', 'name': 'web', 'annotations': {" AUTO
                        "}}, 'spec': {'template': {'spec': %s}}}",
                        specs[i]);
        lh_fake_put(fake, WATCH_STATEFUL_SETS, json);
        put_config(fake, "", "'a': '1'");
        put_config(fake, "", "'a': '2'");
        const char *path = "/apis/apps/v1/namespaces/shop/statefulsets/web";
        const char *env = lh_fake_value(fake, path, ENV);
        cr_expect(env != NULL && strstr(env, MARK) != NULL, "%s: env is %s", specs[i],
                  env != NULL ? env : "(none)");
        end(fake);
    }
}

Test(reloader, a_volume_that_no_container_mounts_is_no_use)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, "'env': []");
    lh_fake_patch(fake, WEB,
                  "{'spec': {'template': {'spec': {'volumes': [{'name': 'v', 'configMap': {'name': "
                  "'web-config'}}]}}}}");
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    cr_expect(patches(fake) == 0, "%zu rolled", patches(fake));
    end(fake);
}

Test(reloader, rolls_for_secrets)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, USES_SECRET);
    put_source(fake, WATCH_SECRETS, "tls", "", "'key': 'b25l'");
    put_source(fake, WATCH_SECRETS, "tls", "", "'key': 'dHdv'");
    const char *env = lh_fake_value(fake, WEB, ENV "/1");
    /* printf 'key=two' | sha1sum */
    cr_expect_str_eq(env, "{\"name\":\"STAKATER_TLS_SECRET\",\"value\":"
                          "\"68905cce09c6c98a2611d094ef042696e983d2f8\"}");
    end(fake);
}

Test(reloader, rolls_all_three_kinds_in_the_namespace_only)
{
    static const struct {
        uint32_t watch;
        const char *ns;
    } all[] = {{WATCH_DEPLOYMENTS, "shop"},
               {WATCH_DAEMON_SETS, "shop"},
               {WATCH_STATEFUL_SETS, "shop"},
               {WATCH_DEPLOYMENTS, "other"}};
    lh_fake_t *fake = lead("{}");
    char json[1024];

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        (void) snprintf(
            json, sizeof(json),
            "{'metadata': {'namespace': '%s', 'name': 'w', 'annotations': {" AUTO
            "}}, 'spec': {'template': {'spec': {'containers': [{'name': 'a', " USES_CONFIG "}]}}}}",
            all[i].ns);
        lh_fake_put(fake, all[i].watch, json);
    }
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    cr_expect(lh_fake_calls(fake, "PATCH", "/apis/apps/v1/namespaces/shop/deployments/w") == 1);
    cr_expect(lh_fake_calls(fake, "PATCH", "/apis/apps/v1/namespaces/shop/daemonsets/w") == 1);
    cr_expect(lh_fake_calls(fake, "PATCH", "/apis/apps/v1/namespaces/shop/statefulsets/w") == 1);
    cr_expect(patches(fake) == 3, "%zu rolled", patches(fake));
    end(fake);
}

/* -- When -- */

Test(reloader, labels_and_annotations_of_a_source_are_no_change)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1', 'b': '2'");
    put_config(fake, "'x': 'y'", "'b': '2', 'a': '1'");
    cr_expect(patches(fake) == 0, "%zu rolled", patches(fake));
    end(fake);
}

Test(reloader, each_change_rolls_once)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    put_config(fake, "", "'a': '3'");
    put_config(fake, "", "'a': '3'");
    cr_expect(patches(fake) == 2, "%zu rolled", patches(fake));
    const char *env = lh_fake_value(fake, WEB, ENV);
    cr_expect(strstr(env, MARK) == strrchr(env, 'S'), "two marks: %s", env);
    end(fake);
}

Test(reloader, a_change_while_nobody_led_is_made_up_for)
{
    lh_fake_t *fake = lead("{}");
    lh_error_t err = {0};

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    lh_fake_deactivate(fake);
    lh_fake_put(fake, WATCH_CONFIG_MAPS,
                "{'metadata': {'namespace': 'shop', 'name': 'web-config'}, 'data': {'a': '3'}}");
    cr_assert(lh_fake_activate(fake, &err) == 0);
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config").action == LH_DONE);
    cr_expect(patches(fake) == 2, "%zu rolled", patches(fake));
    lh_fake_deactivate(fake);
    cr_assert(lh_fake_activate(fake, &err) == 0);
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config").action == LH_DONE);
    cr_expect(patches(fake) == 2, "a new leader rolls again");
    end(fake);
}

Test(reloader, a_workload_that_fails_is_tried_again_and_the_others_are_not)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, USES_CONFIG);
    lh_fake_put(fake, WATCH_STATEFUL_SETS,
                "{'metadata': {'namespace': 'shop', 'name': 'db', 'annotations': {" AUTO
                "}}, 'spec': {'template': {'spec': {'containers': [{'name': 'a', " USES_CONFIG
                "}]}}}}");
    put_config(fake, "", "'a': '1'");
    lh_fake_put(fake, WATCH_CONFIG_MAPS,
                "{'metadata': {'namespace': 'shop', 'name': 'web-config'}, 'data': {'a': '2'}}");
    lh_fake_answer(fake, "PATCH", WEB, 503, NULL, 1);
    const lh_fake_result_t result =
        lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config");
    cr_expect(result.action == LH_RETRY, "action %u", result.action);
    cr_expect(strstr(result.text, "deployments: ") != NULL, "'%s'", result.text);
    cr_expect(patches(fake) == 2, "%zu tried", patches(fake));
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config").action == LH_DONE);
    cr_expect(patches(fake) == 3, "%zu tried", patches(fake));
    cr_expect(lh_fake_metric(fake, "reload_executed_total{success=\"true\"}") == 2);
    cr_expect(lh_fake_metric(fake, "reload_executed_total{success=\"false\"}") == 1);
    end(fake);
}

Test(reloader, tells_by_events_on_the_workload)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    const char *event = lh_fake_event(fake, 0);
    cr_expect_str_eq(event, "Normal Reloaded shop/web: ConfigMap web-config has changed: rolled "
                            "Deployment web");
    end(fake);
}

static void cut_term(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) arg;
    if (strcmp(call->method, "PATCH") == 0)
        lh_fake_end_term(fake);
}

Test(reloader, stops_when_its_term_ends)
{
    lh_fake_t *fake = lead("{}");

    put_web(fake, AUTO, USES_CONFIG);
    lh_fake_put(fake, WATCH_DEPLOYMENTS,
                "{'metadata': {'namespace': 'shop', 'name': 'web2', 'annotations': {" AUTO
                "}}, 'spec': {'template': {'spec': {'containers': [{'name': 'a', " USES_CONFIG
                "}]}}}}");
    put_config(fake, "", "'a': '1'");
    lh_fake_put(fake, WATCH_CONFIG_MAPS,
                "{'metadata': {'namespace': 'shop', 'name': 'web-config'}, 'data': {'a': '2'}}");
    lh_fake_on_call(fake, cut_term, NULL);
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config").action == LH_RETRY);
    cr_expect(patches(fake) == 1, "%zu tried", patches(fake));
    end(fake);
}

/* -- Creation and deletion -- */

/* Created after the first sight of all. */
static size_t rolled_by_creation(const char *config)
{
    lh_fake_t *fake = lead(config);

    put_web(fake, AUTO, USES_CONFIG);
    lh_fake_put(fake, WATCH_CONFIG_MAPS,
                "{'metadata': {'namespace': 'shop', 'name': 'web-config'}, 'data': {'a': '1'}}");
    const lh_fake_result_t result =
        lh_fake_reconcile_as(fake, LH_REASON_CHANGED, WATCH_CONFIG_MAPS, "shop", "web-config");
    cr_expect(result.action == LH_DONE, "%s", result.text);
    const size_t n = patches(fake);
    end(fake);
    return n;
}

Test(reloader, a_creation_rolls_only_when_that_is_wanted)
{
    cr_expect(rolled_by_creation("{}") == 0);
    cr_expect(rolled_by_creation("{'reloadOnCreate': true}") == 1);
}

Test(reloader, a_creation_whose_roll_failed_is_tried_again)
{
    lh_fake_t *fake = lead("{'reloadOnCreate': true}");

    put_web(fake, AUTO, USES_CONFIG);
    lh_fake_put(fake, WATCH_CONFIG_MAPS,
                "{'metadata': {'namespace': 'shop', 'name': 'web-config'}, 'data': {'a': '1'}}");
    lh_fake_answer(fake, "PATCH", WEB, 500, NULL, 1);
    (void) lh_fake_reconcile_as(fake, LH_REASON_CHANGED, WATCH_CONFIG_MAPS, "shop", "web-config");
    (void) lh_fake_reconcile_as(fake, LH_REASON_REQUEUED, WATCH_CONFIG_MAPS, "shop", "web-config");
    cr_expect(lh_fake_value(fake, WEB, ENV "/0/value") != NULL, "not rolled by the second try");
    end(fake);
}

/* Changed once, then deleted. */
static lh_fake_t *deleted(const char *config)
{
    lh_fake_t *fake = lead(config);

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "shop", "web-config");
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config").action == LH_DONE);
    return fake;
}

Test(reloader, a_deletion_takes_the_mark_away_when_that_is_wanted)
{
    lh_fake_t *kept = deleted("{}"), *fake = deleted("{'reloadOnDelete': true}");

    cr_expect(patches(kept) == 1, "%zu rolled", patches(kept));
    cr_expect(patches(fake) == 2, "%zu rolled", patches(fake));
    cr_expect_str_eq(lh_fake_value(fake, WEB, ENV), "[]");
    (void) lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config");
    cr_expect(patches(fake) == 2, "rolled again");
    end(kept);
    end(fake);
}

/* Two names give one variable: each takeover rolled for the one, and then for the other. */
Test(reloader, a_takeover_rolls_nothing_where_two_names_share_a_variable)
{
    lh_fake_t *fake = lead("{}");
    lh_error_t err = {0};

    put_web(fake, AUTO,
            "'envFrom': [{'configMapRef': {'name': 'web-config'}}, "
            "{'configMapRef': {'name': 'web.config'}}]");
    put_source(fake, WATCH_CONFIG_MAPS, "web.config", "", "'b': '1'");
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    cr_expect(patches(fake) == 1, "%zu rolled", patches(fake));
    lh_fake_deactivate(fake);
    cr_assert(lh_fake_activate(fake, &err) == 0);
    (void) lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web.config");
    (void) lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config");
    cr_expect(patches(fake) == 1, "%zu rolled", patches(fake));
    end(fake);
}

/* -- The other strategy -- */

#define BY_ANNOTATIONS "'reloadStrategy': 'annotations'"

Test(reloader, annotations_tell_what_was_rolled_for)
{
    lh_fake_t *fake = lead("{" BY_ANNOTATIONS "}");

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1'");
    put_config(fake, "", "'a': '2'");
    const char *last = lh_fake_value(fake, WEB, LAST);
    cr_assert_not_null(last);
    cr_expect(strstr(last, "{\"type\":\"CONFIGMAP\",\"name\":\"web-config\",\"namespace\":\"shop\","
                           "\"hash\":\"") == last,
              "%s", last);
    cr_expect(strstr(last, "\"containerRefs\":[\"app\"]}") != NULL, "%s", last);
    cr_expect(strstr(lh_fake_value(fake, WEB, "/spec/template/spec/containers"), "STAKATER") ==
              NULL);
    put_config(fake, "", "'a': '3'");
    cr_expect(patches(fake) == 2, "%zu rolled", patches(fake));
    end(fake);
}

/* The answer is lost and the cache is late: what is sent again must be what has been carried out. */
Test(reloader, a_second_try_rolled_once_more_because_of_the_time_in_its_annotation)
{
    static const char sent[] =
        "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{"
        "\"reloader.stakater.com/last-reloaded-from\":\"{\\\"type\\\":\\\"CONFIGMAP\\\","
        "\\\"name\\\":\\\"web-config\\\",\\\"namespace\\\":\\\"shop\\\","
        "\\\"hash\\\":\\\"d6dbf8a400e3e00c352f9ceeca960bdf64ab6377\\\","
        "\\\"containerRefs\\\":[\\\"app\\\"]}\"}}}}}";
    lh_fake_t *fake = lead("{" BY_ANNOTATIONS "}");

    put_web(fake, AUTO, USES_CONFIG);
    put_config(fake, "", "'a': '1'");
    lh_fake_patch(fake, "/api/v1/namespaces/shop/configmaps/web-config", "{'data': {'a': '2'}}");
    lh_fake_answer(fake, "PATCH", WEB, LH_EUNKNOWN, NULL, 1);
    for (size_t i = 0; i < 2; i++) {
        (void) lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "shop", "web-config");
        const lh_fake_call_t *call = lh_fake_call(fake, "PATCH", WEB, i);
        cr_assert_not_null(call);
        cr_expect_str_eq(call->body, sent);
    }
    cr_expect(strstr(lh_fake_event(fake, 0), "Deployment web may not be rolled: ") != NULL);
    end(fake);
}

Test(reloader, annotations_find_a_missed_change_and_a_deletion)
{
    lh_fake_t *fake = deleted("{" BY_ANNOTATIONS ", 'reloadOnDelete': true}");

    cr_expect(patches(fake) == 2, "%zu rolled", patches(fake));
    cr_expect(strstr(lh_fake_value(fake, WEB, LAST),
                     "\"hash\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"") != NULL);
    put_config(fake, "", "'a': '2'");
    cr_expect(patches(fake) == 2, "what was created again was taken for missed");
    end(fake);
}

/* -- The digest -- */

static void expect_digest(const char *json, int is_secret, const char *expected)
{
    char out[DIGEST_SIZE] = "";
    lh_error_t err = {0};

    cr_expect(digest(lh_json_text(json, strlen(json)), is_secret, out, &err) == 0, "%s", err.text);
    cr_expect_str_eq(out, expected);
}

/* Each is what sha1sum says of the text behind it. */
Test(reloader, digests_are_those_of_stakaters_reloader)
{
    expect_digest("{}", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"); /* nothing */
    expect_digest("{\"data\":{\"b\":\"2\",\"a\":\"1\"}}", 0,
                  "f83e99e324ba68ccc373a58ef1eb42f8ab88646a"); /* a=1;b=2 */
    expect_digest("{\"data\":{\"a\":\"1\"},\"binaryData\":{\"B\":\"AAE=\"}}", 0,
                  "30e58c383ad626753cc9f8de2627de3a26780430"); /* B=AAE=;a=1 */
    expect_digest("{\"data\":{\"a\":\"dHdv\",\"b\":\"eA==\",\"c\":\"\"}}", 1,
                  "e5b30651b95ed2b9ec510f872ee5dcfe24fcc77f"); /* a=two;b=x;c= */
    expect_digest("{\"data\":{\"a\":\"l1\\nl2 \\u00e9\"}}", 0,
                  "708648d191d69fd0c96f6a2482239249f6e27027"); /* a=l1<newline>l2 é */
}

Test(reloader, refuses_a_selector_that_is_none)
{
    lh_error_t err = {0};
    lh_fake_t *fake = lh_fake_create(NULL);

    cr_expect(lh_fake_start(fake, &lh_plugin, reconcile_async, "{'resourceLabelSelector': 'a=('}",
                            &err) < 0);
    cr_expect(strstr(err.text, "selector") != NULL, "%s", err.text);
    end(fake);
}
