/* SPDX-License-Identifier: Apache-2.0 */
#include "janitor.h"

#include <criterion/criterion.h>
#include <leasehold/testing.h>
#include <time.h>

#define KINDS                                                                                      \
    "'kinds': [{'group': 'apps', 'version': 'v1', 'resource': 'deployments', 'kind': "             \
    "'Deployment'}, {'version': 'v1', 'resource': 'namespaces', 'kind': 'Namespace'},"             \
    " {'group': 'rbac.authorization.k8s.io', 'version': 'v1', 'resource': 'roles', 'kind': "       \
    "'Role'}]"
#define TEMP "/apis/apps/v1/namespaces/shop/deployments/temp"

enum { DEPLOYMENTS, NAMESPACES, ROLES };

#define EXPECT_DELETED(fake, path, expected)                                                       \
    cr_expect((lh_fake_object(fake, path) == NULL) == (expected), "%s is %s", path,                \
              lh_fake_object(fake, path) == NULL ? "deleted" : "still there")
#define EXPECT_HAS(text, part)                                                                     \
    do {                                                                                           \
        const char *text_ = (text);                                                                \
        cr_expect(text_ != NULL && strstr(text_, part) != NULL, "'%s' has no '%s'",                \
                  text_ != NULL ? text_ : "(null)", part);                                         \
    } while (0)

static lh_fake_t *lead(const char *more)
{
    char config[4096];

    (void) snprintf(config, sizeof(config), "{" KINDS "%s}", more);
    return lh_fake_lead(config);
}

static void end(lh_fake_t *fake)
{
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

/* The time so many seconds from now, as the API server writes it. */
static const char *from_now(int64_t seconds)
{
    static char texts[4][32];
    static unsigned next;
    const time_t t = time(NULL) + (time_t) seconds;
    char *text = texts[next++ % 4];
    struct tm utc;

    (void) strftime(text, sizeof(texts[0]), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    return text;
}

/* The Deployment shop/temp, so many seconds old, with these annotations (JSON members). */
static void put(lh_fake_t *fake, int64_t age, const char *annotations)
{
    char json[1024];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': 'shop', 'name': 'temp', 'creationTimestamp': '%s',"
                    " 'annotations': {%s}}, 'spec': {'replicas': 1}}",
                    from_now(-age), annotations);
    lh_fake_put(fake, DEPLOYMENTS, json);
}

static lh_fake_result_t reconcile(lh_fake_t *fake)
{
    return lh_fake_reconcile(fake, DEPLOYMENTS, "shop", "temp");
}

static void expect_again(const lh_fake_result_t result, int64_t low, int64_t high)
{
    cr_expect(result.action == LH_REQUEUE_AFTER && result.after_ns >= low * LH_SECOND &&
                  result.after_ns <= high * LH_SECOND,
              "action %u after %lld s, expected %u after %lld to %lld s", result.action,
              (long long) (result.after_ns / LH_SECOND), (unsigned) LH_REQUEUE_AFTER,
              (long long) low, (long long) high);
}

Test(janitor, deletes_what_is_older_than_its_ttl)
{
    lh_fake_t *fake = lead("");

    put(fake, 301, "'janitor/ttl': '5m'");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 1);
    EXPECT_HAS(lh_fake_event(fake, 0),
               "Normal TimeToLiveExpired shop/temp: deleted: older than its "
               "TTL of 5m (annotation janitor/ttl)");
    cr_expect(lh_fake_metric(fake, "deletions_total{resource=\"deployments\",reason=\"ttl\","
                                   "dry_run=\"false\"}") == 1);
    end(fake);
}

Test(janitor, comes_back_when_a_ttl_ends)
{
    lh_fake_t *fake = lead("");

    put(fake, 200, "'janitor/ttl': '5m'");
    expect_again(reconcile(fake), 98, 100);
    EXPECT_DELETED(fake, TEMP, 0);
    end(fake);
}

Test(janitor, looks_once_an_hour_at_what_has_long_to_live)
{
    lh_fake_t *fake = lead("");

    put(fake, 0, "'janitor/ttl': '2w'");
    expect_again(reconcile(fake), 3600, 3600);
    end(fake);
}

Test(janitor, leaves_alone_what_has_no_ttl_or_one_for_ever)
{
    static const char *const values[] = {"",
                                         "'janitor/ttl': 'forever'",
                                         "'janitor/ttl': 'Forever'",
                                         "'janitor/ttl': '0s'",
                                         "'janitor/ttl': ''",
                                         "'janitor/notified': 'yes'"};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        lh_fake_t *fake = lead("");
        put(fake, 1000000, values[i]);
        const lh_fake_result_t result = reconcile(fake);
        cr_expect(result.action == LH_DONE, "%s: action %u", values[i], result.action);
        cr_expect(lh_fake_writes(fake) == 0, "%s: %zu writes", values[i], lh_fake_writes(fake));
        end(fake);
    }
}

Test(janitor, says_which_annotation_it_cannot_read)
{
    lh_fake_t *fake = lead("");

    put(fake, 1000000, "'janitor/ttl': '1y', 'janitor/expires': '2010-12-12 09:26:11'");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 0);
    EXPECT_HAS(lh_fake_logged(fake, "janitor/ttl"),
               "annotation janitor/ttl is ignored: '1y' is not");
    EXPECT_HAS(lh_fake_logged(fake, "janitor/expires"), "'2010-12-12 09:26:11' is not a time");
    end(fake);
}

Test(janitor, deletes_what_has_expired)
{
    char annotation[128];
    lh_fake_t *fake = lead("");

    (void) snprintf(annotation, sizeof(annotation), "'janitor/expires': '%s'", from_now(-1));
    put(fake, 10, annotation);
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 1);
    EXPECT_HAS(lh_fake_event(fake, 0), "Normal ExpiryTimeReached shop/temp: deleted: expired on ");
    cr_expect(lh_fake_metric(fake, "deletions_total{resource=\"deployments\",reason=\"expires\","
                                   "dry_run=\"false\"}") == 1);
    end(fake);
}

Test(janitor, takes_the_earlier_of_ttl_and_expiry)
{
    char annotation[128];
    lh_fake_t *fake = lead("");

    (void) snprintf(annotation, sizeof(annotation), "'janitor/ttl': '1m', 'janitor/expires': '%s'",
                    from_now(30));
    put(fake, 0, annotation);
    expect_again(reconcile(fake), 28, 30);
    (void) snprintf(annotation, sizeof(annotation), "'janitor/ttl': '1m', 'janitor/expires': '%s'",
                    from_now(90));
    put(fake, 0, annotation);
    expect_again(reconcile(fake), 58, 60);
    end(fake);
}

Test(janitor, reads_the_three_forms_of_an_expiry)
{
    static const struct {
        const char *text;
        int64_t at; /* seconds; -1: none */
    } cases[] = {{"2008-09-26T01:51:42Z", 1222393902},
                 {"2008-09-26T01:51", 1222393860},
                 {"2008-09-26", 1222387200},
                 {"99-06-02T12:12:59", -1},
                 {"2010-12-12 09:26:11", -1},
                 {"2010-12-12T09:26:11Zx", -1},
                 {"2010-12-12T09:26:11+01:00", -1},
                 {"2010-13-12", -1},
                 {"", -1}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t at = -LH_SECOND;
        const int ret = expiry_parse(cases[i].text, &at);
        cr_expect(ret == (cases[i].at < 0 ? LH_EINVAL : 0) && at == cases[i].at * LH_SECOND,
                  "'%s' is %lld, expected %lld s", cases[i].text, (long long) at,
                  (long long) cases[i].at);
    }
}

Test(janitor, reads_ttls)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: none, 0: for ever */
    } cases[] = {{"1s", 1},      {"08s", 8},     {"5m", 300}, {"2h", 7200}, {"7d", 604800},
                 {"1w", 604800}, {"forever", 0}, {"foo", -1}, {"1y", -1},   {"", -1},
                 {"s", -1},      {"-1s", -1},    {"1ms", -1}, {"1 s", -1},  {"1234567890s", -1}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int64_t s = cases[i].seconds, expected = s == 0 ? JANITOR_FOREVER : s * LH_SECOND;
        int64_t ns = -LH_SECOND;
        const int ret = ttl_parse(cases[i].text, &ns);
        cr_expect(ret == (s < 0 ? LH_EINVAL : 0) && ns == expected, "'%s' is %lld, expected %lld",
                  cases[i].text, (long long) ns, (long long) expected);
    }
}

Test(janitor, a_dry_run_only_tells)
{
    lh_fake_t *fake = lead(", 'dryRun': true");

    put(fake, 301, "'janitor/ttl': '5m'");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 0);
    cr_expect(lh_fake_writes(fake) == 0);
    cr_expect_null(lh_fake_event(fake, 0));
    EXPECT_HAS(lh_fake_logged(fake, "dry run"), "dry run: Deployment would be deleted: older than");
    cr_expect(lh_fake_metric(fake, "deletions_total{resource=\"deployments\",reason=\"ttl\","
                                   "dry_run=\"true\"}") == 1);
    end(fake);
}

/* One object for each way to an end, in a namespace and without one. */
Test(janitor, a_dry_run_sends_nothing_for_whatever_reason_and_place)
{
    static const char *const annotations[] = {"'janitor/ttl': '5m'",
                                              "'janitor/expires': '2020-01-02'", ""};
    lh_fake_t *fake = lead(", 'dryRun': true, 'rules': [{'id': 'all', 'resources': ['*'],"
                           " 'jmespath': '@', 'ttl': '1s'}]");
    char json[512];

    for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++) {
        for (uint32_t watch = DEPLOYMENTS; watch <= ROLES; watch++) {
            const char *ns = watch == NAMESPACES ? "" : "default";
            (void) snprintf(json, sizeof(json),
                            "{'metadata': {%s 'name': 'default', 'creationTimestamp': '%s',"
                            " 'annotations': {%s}}}",
                            watch == NAMESPACES ? "" : "'namespace': 'default',", from_now(-301),
                            annotations[i]);
            lh_fake_put(fake, watch, json);
            cr_expect(lh_fake_reconcile(fake, watch, ns, "default").action == LH_DONE, "%s", json);
        }
    }
    cr_expect(lh_fake_calls(fake, NULL, "/") == 0, "%zu calls", lh_fake_calls(fake, NULL, "/"));
    cr_expect_null(lh_fake_event(fake, 0), "%s", lh_fake_event(fake, 0));
    const double told = lh_fake_metric(
        fake, "deletions_total{resource=\"namespaces\",reason=\"expires\",dry_run=\"true\"}");
    cr_expect(told == 1, "%g, expected 1", told);
    end(fake);
}

Test(janitor, deletes_in_the_background_and_only_what_it_saw)
{
    lh_fake_t *fake = lead("");

    put(fake, 301, "'janitor/ttl': '5m'");
    cr_expect(reconcile(fake).action == LH_DONE);
    const lh_fake_call_t *call = lh_fake_call(fake, "DELETE", TEMP, 0);
    cr_assert_not_null(call);
    EXPECT_HAS(call->body, "\"propagationPolicy\":\"Background\"");
    EXPECT_HAS(call->body, "\"preconditions\":{\"uid\":\"");
    EXPECT_HAS(call->body, "\"resourceVersion\":\"");
    end(fake);
}

static void take_annotation_away(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) arg;
    if (strcmp(call->method, "DELETE") == 0)
        lh_fake_patch(fake, TEMP, "{'metadata': {'annotations': null}}");
}

Test(janitor, an_annotation_taken_away_in_the_last_moment_saves_the_object)
{
    lh_fake_t *fake = lead("");

    put(fake, 301, "'janitor/ttl': '5m'");
    lh_fake_on_call(fake, take_annotation_away, NULL);
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 0);
    cr_expect_null(lh_fake_event(fake, 0), "an Event tells of a deletion that was none");
    lh_fake_on_call(fake, NULL, NULL);
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 0);
    end(fake);
}

Test(janitor, does_not_delete_twice_what_waits_for_a_finalizer)
{
    lh_fake_t *fake = lead("");

    put(fake, 301, "'janitor/ttl': '5m'");
    lh_fake_patch(fake, TEMP, "{'metadata': {'finalizers': ['example.com/wait']}}");
    cr_expect(reconcile(fake).action == LH_DONE);
    cr_expect(reconcile(fake).action == LH_DONE);
    cr_expect(lh_fake_calls(fake, "DELETE", TEMP) == 1, "%zu deletions",
              lh_fake_calls(fake, "DELETE", TEMP));
    end(fake);
}

Test(janitor, tries_again_when_the_server_cannot)
{
    lh_fake_t *fake = lead("");

    put(fake, 301, "'janitor/ttl': '5m'");
    lh_fake_answer(fake, "DELETE", TEMP, 503, NULL, 1);
    cr_expect(reconcile(fake).action == LH_RETRY);
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 1);
    end(fake);
}

/* -- Namespaces -- */

static void put_namespace(lh_fake_t *fake, const char *name)
{
    char json[512];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'name': '%s', 'creationTimestamp': '%s',"
                    " 'annotations': {'janitor/ttl': '7d'}}}",
                    name, from_now(-604801));
    lh_fake_put(fake, NAMESPACES, json);
    (void) lh_fake_reconcile(fake, NAMESPACES, "", name);
}

Test(janitor, deletes_namespaces_but_not_kube_system)
{
    lh_fake_t *fake = lead("");

    put_namespace(fake, "proto");
    put_namespace(fake, "kube-system");
    EXPECT_DELETED(fake, "/api/v1/namespaces/proto", 1);
    EXPECT_DELETED(fake, "/api/v1/namespaces/kube-system", 0);
    end(fake);
}

/* As kube-janitor has it. */
Test(janitor, by_default_only_kube_system_is_left_alone)
{
    static const struct {
        const char *ns;
        int deleted;
    } cases[] = {{"default", 1}, {"kube-public", 1}, {"kube-node-lease", 1}, {"kube-system", 0}};
    lh_fake_t *fake = lead("");
    char json[512], path[128];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void) snprintf(json, sizeof(json),
                        "{'metadata': {'namespace': '%s', 'name': 'temp', 'creationTimestamp': "
                        "'%s', 'annotations': {'janitor/ttl': '5m'}}}",
                        cases[i].ns, from_now(-301));
        (void) snprintf(path, sizeof(path), "/apis/apps/v1/namespaces/%s/deployments/temp",
                        cases[i].ns);
        lh_fake_put(fake, DEPLOYMENTS, json);
        cr_expect(lh_fake_reconcile(fake, DEPLOYMENTS, cases[i].ns, "temp").action == LH_DONE);
        EXPECT_DELETED(fake, path, cases[i].deleted);
    }
    end(fake);
}

Test(janitor, excluded_namespaces_win_over_included_ones)
{
    lh_fake_t *fake = lead(", 'includeNamespaces': ['a', 'shop'], 'excludeNamespaces': ['shop']");

    put(fake, 301, "'janitor/ttl': '5m'");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 0);
    put_namespace(fake, "a");
    put_namespace(fake, "b");
    put_namespace(fake, "shop");
    EXPECT_DELETED(fake, "/api/v1/namespaces/a", 1);
    EXPECT_DELETED(fake, "/api/v1/namespaces/b", 0);
    EXPECT_DELETED(fake, "/api/v1/namespaces/shop", 0);
    end(fake);
}

/* -- Rules -- */

#define PR_RULE                                                                                    \
    ", 'rules': [{'id': 'other', 'resources': ['pods'], 'jmespath': '@', 'ttl': '1s'},"            \
    "{'id': 'pr', 'resources': ['deployments'], 'jmespath': 'spec.replicas == `1`', 'ttl': '4h'}," \
    "{'id': 'later', 'resources': ['*'], 'jmespath': '@', 'ttl': '1s'}]"

Test(janitor, the_first_rule_that_matches_gives_the_ttl)
{
    lh_fake_t *fake = lead(PR_RULE);

    put(fake, 4 * 3600 - 60, "");
    expect_again(reconcile(fake), 58, 60);
    put(fake, 4 * 3600 + 1, "");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 1);
    EXPECT_HAS(lh_fake_event(fake, 0), "TTL of 4h (rule pr)");
    cr_expect(lh_fake_metric(fake, "deletions_total{resource=\"deployments\",reason=\"rule\","
                                   "dry_run=\"false\"}") == 1);
    end(fake);
}

Test(janitor, an_annotation_wins_over_rules)
{
    lh_fake_t *fake = lead(PR_RULE);

    put(fake, 1000000, "'janitor/ttl': 'forever'");
    cr_expect(reconcile(fake).action == LH_DONE);
    put(fake, 1000000, "'janitor/ttl': 'nonsense'");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_DELETED(fake, TEMP, 0);
    end(fake);
}

Test(janitor, a_later_deployment_makes_an_object_young)
{
    char annotation[128];
    lh_fake_t *fake = lead(", 'deploymentTimeAnnotation': 'deployed-at'");

    (void) snprintf(annotation, sizeof(annotation), "'janitor/ttl': '5m', 'deployed-at': '%s'",
                    from_now(-100));
    put(fake, 1000, annotation);
    expect_again(reconcile(fake), 198, 200);
    (void) snprintf(annotation, sizeof(annotation), "'janitor/ttl': '5m', 'deployed-at': '%s'",
                    from_now(-1000));
    put(fake, 100, annotation);
    expect_again(reconcile(fake), 198, 200);
    put(fake, 301, "'janitor/ttl': '5m', 'deployed-at': 'yesterday'");
    cr_expect(reconcile(fake).action == LH_DONE);
    EXPECT_HAS(lh_fake_logged(fake, "deployed-at"), "'yesterday' is not a time");
    EXPECT_DELETED(fake, TEMP, 1);
    end(fake);
}

Test(janitor, names_are_encoded_in_paths)
{
    char json[256];
    lh_fake_t *fake = lead("");

    (void) snprintf(
        json, sizeof(json),
        "{'metadata': {'namespace': 'shop', 'name': 'a:b c?', 'creationTimestamp': '%s',"
        " 'annotations': {'janitor/ttl': '1s'}}}",
        from_now(-2));
    lh_fake_put(fake, ROLES, json);
    lh_fake_answer(fake, "DELETE", "/apis/rbac", 200, "{}", 1);
    (void) lh_fake_reconcile(fake, ROLES, "shop", "a:b c?");
    const lh_fake_call_t *call = lh_fake_call(fake, "DELETE", "/apis/rbac", 0);
    cr_assert_not_null(call);
    EXPECT_HAS(call->path, "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/a:b%20c%3F");
    end(fake);
}

/* -- Configuration -- */

Test(janitor, without_kinds_it_was_a_failed_plugin)
{
    lh_fake_t *fake = lh_fake_lead("{}");

    EXPECT_HAS(lh_fake_logged(fake, "idle"), "names no kinds, so nothing is deleted");
    end(fake);
    fake = lead("");
    cr_expect_null(lh_fake_logged(fake, "idle"));
    end(fake);
}

static void refused(const char *more, const char *why)
{
    char config[2048];
    lh_error_t err = {0};
    lh_fake_t *fake = lh_fake_create(NULL);

    (void) snprintf(config, sizeof(config), "{" KINDS "%s}", more);
    const int ret = lh_fake_start(fake, &lh_plugin, reconcile_async, config, &err);
    cr_expect(ret < 0, "%s was taken", more);
    EXPECT_HAS(err.text, why);
    end(fake);
}

Test(janitor, refuses_rules_that_it_cannot_follow)
{
    refused(", 'rules': [{'id': 'A', 'resources': ['*'], 'jmespath': '@', 'ttl': '1s'}]",
            "an id must be");
    refused(", 'rules': [{'id': 'a', 'resources': ['*'], 'jmespath': '@', 'ttl': '1y'}]",
            "rules: 'a': ttl is none");
    refused(", 'rules': [{'id': 'a', 'resources': ['*'], 'jmespath': 'x[*]', 'ttl': '1s'}]",
            "rules: 'a': jmespath: only [number] is offered");
}

Test(janitor, refuses_rules_without_kinds)
{
    lh_error_t err = {0};
    lh_fake_t *fake = lh_fake_create(NULL);
    const int ret = lh_fake_start(
        fake, &lh_plugin, reconcile_async,
        "{'rules': [{'id': 'a', 'resources': ['*'], 'jmespath': '@', 'ttl': '1s'}]}", &err);

    cr_expect(ret == LH_EINVAL, "%d", ret);
    EXPECT_HAS(err.text, "there are no kinds that they could be for");
    end(fake);
}

Test(janitor, refuses_a_kind_that_stands_there_twice)
{
    lh_error_t err = {0};
    lh_fake_t *fake = lh_fake_create(NULL);

    const int ret = lh_fake_start(
        fake, &lh_plugin, reconcile_async,
        "{'kinds': [{'group': 'apps', 'version': 'v1', 'resource': 'deployments', 'kind': "
        "'Deployment'}, {'group': 'apps', 'version': 'v1beta1', 'resource': 'deployments', 'kind':"
        " 'Deployment'}]}",
        &err);
    cr_expect(ret == LH_EINVAL, "%d", ret);
    EXPECT_HAS(err.text, "deployments stand there twice");
    end(fake);
}
