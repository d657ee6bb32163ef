/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror_test.h"

lh_fake_t *lead_with(const char *config)
{
    lh_fake_t *fake = lh_fake_lead(config);

    lh_fake_put(fake, WATCH_NAMESPACES, "{'metadata': {'name': 'src'}}");
    lh_fake_put(fake, WATCH_NAMESPACES, "{'metadata': {'name': 'a', 'labels': {'env': 'prod'}}}");
    lh_fake_put(fake, WATCH_NAMESPACES, "{'metadata': {'name': 'b', 'labels': {'env': 'test'}}}");
    return fake;
}

lh_fake_t *lead(void)
{
    return lead_with("{}");
}

void end(lh_fake_t *fake)
{
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

void put(lh_fake_t *fake, const char *ns, const char *name, const char *annotations,
         const char *data)
{
    char json[2048];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': '%s', 'name': '%s', 'annotations': {%s}},"
                    " 'data': {%s}}",
                    ns, name, annotations, data);
    lh_fake_put(fake, WATCH_CONFIG_MAPS, json);
}

void settle(lh_fake_t *fake, const char *ns, const char *name)
{
    const lh_fake_result_t result = lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, ns, name);

    cr_expect(result.action == LH_DONE, "%s/%s: action %u: %s", ns, name, result.action,
              result.text);
}

void put_source(lh_fake_t *fake, const char *annotations, const char *data)
{
    put(fake, "src", "conf", annotations, data);
    settle(fake, "src", "conf");
}

/* -- Automatic mirrors -- */

Test(mirror, makes_mirrors_in_all_namespaces_that_are_allowed)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v'");
    EXPECT_VALUE(IN_A, "/data", "{\"k\":\"v\"}");
    EXPECT_VALUE(IN_B, "/data", "{\"k\":\"v\"}");
    EXPECT_VALUE(IN_A, NOTE("reflects"), "src/conf");
    EXPECT_VALUE(IN_A, NOTE("auto-reflects"), "True");
    EXPECT_VALUE(IN_A, NOTE("reflected-version"),
                 lh_fake_value(fake, SOURCE, "/metadata/resourceVersion"));
    cr_expect_null(lh_fake_value(fake, IN_A, NOTE("reflection-allowed")));
    EXPECT_WRITES(2);
    settle(fake, "src", "conf");
    settle(fake, "a", "conf");
    EXPECT_WRITES(2);
    cr_expect(lh_fake_metric(
                  fake, "mirror_writes_total{resource=\"configmaps\",action=\"created\"}") == 2);
    end(fake);
}

/* Where src/conf with these annotations is copied to: 1 for a, 2 for b. */
static int copied_to(const char *annotations)
{
    lh_fake_t *fake = lead();

    put_source(fake, annotations, "'k': 'v'");
    const int where =
        (lh_fake_object(fake, IN_A) != NULL) + 2 * (lh_fake_object(fake, IN_B) != NULL);
    end(fake);
    return where;
}

#define EXPECT_COPIED(annotations, expected)                                                       \
    do {                                                                                           \
        const int where_ = copied_to(annotations);                                                 \
        cr_expect(where_ == (expected), "%s: copied to %d, expected %d", annotations, where_,      \
                  expected);                                                                       \
    } while (0)

Test(mirror, lists_and_selectors_say_where)
{
    EXPECT_COPIED("", 0);
    EXPECT_COPIED(ALLOWED, 0);
    EXPECT_COPIED("'" PREFIX "reflection-auto-enabled': 'true'", 0);
    EXPECT_COPIED(AUTO, 3);
    EXPECT_COPIED(AUTO ALLOWED_IN(""), 3);
    EXPECT_COPIED(AUTO ALLOWED_IN("a"), 1);
    EXPECT_COPIED(AUTO ALLOWED_IN("x, b"), 2);
    EXPECT_COPIED(AUTO ALLOWED_IN("[a-c]"), 3);
    EXPECT_COPIED(AUTO ALLOWED_IN("x|b"), 2);
    EXPECT_COPIED(AUTO ALLOWED_IN("("), 0);
    EXPECT_COPIED(AUTO AUTO_IN("a"), 1);
    EXPECT_COPIED(AUTO ALLOWED_IN("a") AUTO_IN("b"), 0);
    EXPECT_COPIED(AUTO ALLOWED_BY("env=prod"), 1);
    EXPECT_COPIED(AUTO ALLOWED_BY("env in (prod,test)"), 3);
    EXPECT_COPIED(AUTO ALLOWED_BY("!env"), 0);
    EXPECT_COPIED(AUTO ALLOWED_BY("env=("), 0);
    EXPECT_COPIED(AUTO AUTO_BY("env=test"), 2);
    EXPECT_COPIED(AUTO ALLOWED_IN("b") ALLOWED_BY("env=prod"), 3);
    EXPECT_COPIED(AUTO ALLOWED_BY("env=prod") AUTO_IN("a,b"), 1);
    EXPECT_COPIED(
        "'" PREFIX "reflection-allowed': 'True', '" PREFIX "reflection-auto-enabled': 'TRUE'", 3);
}

Test(mirror, a_pattern_that_would_end_the_host_is_told)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO ALLOWED_IN("((.{255}){255}){255}"), "'k': 'v'");
    cr_expect_not_null(lh_fake_logged(fake, "costs too much"));
    EXPECT_WRITES(0);
    end(fake);
}

#define EXPECT_WARNED(fake, source, times)                                                         \
    cr_expect(lh_fake_logged_count(fake, "source " source ": '") == (times), "%zu times",          \
              lh_fake_logged_count(fake, "source " source ": '"))

/* It was told again for every namespace and pattern, and by every mirror. */
Test(mirror, a_bad_pattern_is_told_once_for_each_state_of_its_source)
{
    lh_fake_t *fake = lead();

    put(fake, "a", "conf", REFLECTS, "'k': 'w'");
    put_source(fake, AUTO ALLOWED_IN("(,[,(b"), "'k': 'v'");
    settle(fake, "a", "conf");
    EXPECT_WARNED(fake, "configmaps src/conf", 1);
    put_source(fake, AUTO ALLOWED_IN("("), "'k': 'x'");
    EXPECT_WARNED(fake, "configmaps src/conf", 2);
    end(fake);
}

Test(mirror, a_bad_pattern_is_told_of_every_source_and_in_every_term)
{
    lh_fake_t *fake = lead();
    lh_error_t err = {0};

    put_source(fake, AUTO ALLOWED_IN("("), "'k': 'v'");
    put(fake, "src", "other", AUTO ALLOWED_IN("("), "'k': 'v'");
    settle(fake, "src", "other");
    put(fake, "b", "conf", AUTO ALLOWED_IN("("), "'k': 'v'");
    settle(fake, "b", "conf");
    EXPECT_WARNED(fake, "configmaps src/conf", 1);
    EXPECT_WARNED(fake, "configmaps src/other", 1);
    EXPECT_WARNED(fake, "configmaps b/conf", 1);
    lh_fake_deactivate(fake);
    cr_assert(lh_fake_activate(fake, &err) == 0);
    settle(fake, "src", "conf");
    EXPECT_WARNED(fake, "configmaps src/conf", 2);
    end(fake);
}

Test(mirror, follows_changes_of_the_source)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v', 'old': 'x'");
    lh_fake_patch(fake, IN_A, "{'metadata': {'labels': {'team': 'a'}}}");
    put_source(fake, AUTO, "'k': 'w'");
    EXPECT_VALUE(IN_A, "/data", "{\"k\":\"w\"}");
    EXPECT_VALUE(IN_A, "/metadata/labels/team", "a");
    EXPECT_VALUE(IN_B, NOTE("reflected-version"),
                 lh_fake_value(fake, SOURCE, "/metadata/resourceVersion"));
    end(fake);
}

Test(mirror, a_change_of_the_sources_labels_writes_nothing)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_forget(fake);
    lh_fake_patch(fake, SOURCE, "{'metadata': {'labels': {'x': 'y'}}}");
    settle(fake, "src", "conf");
    EXPECT_WRITES(0);
    end(fake);
}

Test(mirror, puts_back_what_was_changed_in_a_mirror)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_patch(fake, IN_A, "{'data': {'k': 'mine', 'more': 'x'}}");
    settle(fake, "a", "conf");
    EXPECT_VALUE(IN_A, "/data", "{\"k\":\"v\"}");
    end(fake);
}

Test(mirror, a_mirror_that_was_deleted_queues_its_source)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "a", "conf");
    settle(fake, "a", "conf");
    cr_expect(lh_fake_enqueued(fake, WATCH_CONFIG_MAPS, "src", "conf") == 1);
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 1);
    end(fake);
}

Test(mirror, leaves_a_foreign_object_of_that_name_alone)
{
    lh_fake_t *fake = lead();

    put(fake, "a", "conf", "", "'mine': 'x'");
    put_source(fake, AUTO, "'k': 'v'");
    EXPECT_VALUE(IN_A, "/data", "{\"mine\":\"x\"}");
    EXPECT_THERE(IN_B, 1);
    cr_expect_not_null(lh_fake_logged(fake, "no mirror in namespace a: it has an object"));
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "src", "conf");
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 1);
    EXPECT_THERE(IN_B, 0);
    end(fake);
}

Test(mirror, mirrors_go_with_their_source)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "src", "conf");
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 0);
    EXPECT_THERE(IN_B, 0);
    const lh_fake_call_t *call = lh_fake_call(fake, "DELETE", IN_A, 0);
    cr_assert_not_null(call);
    cr_expect(strstr(call->body, "\"resourceVersion\":\"") != NULL, "%s", call->body);
    end(fake);
}

Test(mirror, mirrors_go_when_they_are_asked_for_no_more)
{
    static const char *const later[] = {ALLOWED, "", AUTO ALLOWED_IN("b"), AUTO AUTO_IN("b"),
                                        AUTO ALLOWED_BY("env=test")};

    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        lh_fake_t *fake = lead();
        put_source(fake, AUTO, "'k': 'v'");
        put_source(fake, later[i], "'k': 'v'");
        cr_expect_null(lh_fake_object(fake, IN_A), "%s: a mirror is left", later[i]);
        cr_expect((lh_fake_object(fake, IN_B) != NULL) == (i > 1), "%s: b is wrong", later[i]);
        end(fake);
    }
}

Test(mirror, a_mirror_finds_after_a_new_term_that_its_source_is_gone)
{
    lh_fake_t *fake = lead();
    lh_error_t err = {0};

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_deactivate(fake);
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "src", "conf");
    cr_assert(lh_fake_activate(fake, &err) == 0);
    settle(fake, "a", "conf");
    EXPECT_THERE(IN_A, 0);
    end(fake);
}

Test(mirror, a_mirror_finds_after_a_new_term_that_it_is_asked_for_no_more)
{
    lh_fake_t *fake = lead();
    lh_error_t err = {0};

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_deactivate(fake);
    lh_fake_patch(fake, SOURCE, "{'metadata': {'annotations': null}}");
    cr_assert(lh_fake_activate(fake, &err) == 0);
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 1);
    settle(fake, "a", "conf");
    EXPECT_THERE(IN_A, 0);
    end(fake);
}

/* In a new term, the mirror's turn comes before its source's. */
static lh_fake_t *with_a_mirror_that_has_looked(void)
{
    lh_fake_t *fake = lead();
    lh_error_t err = {0};

    put_source(fake, AUTO, "'k': 'v'");
    lh_fake_deactivate(fake);
    cr_assert(lh_fake_activate(fake, &err) == 0);
    settle(fake, "a", "conf");
    EXPECT_THERE(IN_A, 1);
    return fake;
}

Test(mirror, a_source_that_goes_before_its_first_turn_takes_its_mirrors_along)
{
    lh_fake_t *fake = with_a_mirror_that_has_looked();

    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "src", "conf");
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 0);
    EXPECT_THERE(IN_B, 0);
    end(fake);
}

Test(mirror, a_source_that_asks_for_no_more_before_its_first_turn_takes_its_mirrors_along)
{
    lh_fake_t *fake = with_a_mirror_that_has_looked();

    lh_fake_patch(fake, SOURCE, "{'metadata': {'annotations': null}}");
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 0);
    end(fake);
}

Test(mirror, no_mirror_is_deleted_because_the_cache_lacks_its_source)
{
    lh_fake_t *fake = lead();

    put(fake, "a", "conf", REFLECTS ", '" PREFIX "auto-reflects': 'True'", "'k': 'v'");
    lh_fake_answer(fake, "GET", SOURCE, 200, "{}", 1);
    settle(fake, "a", "conf");
    EXPECT_THERE(IN_A, 1);
    lh_fake_answer(fake, "GET", SOURCE, 503, NULL, 1);
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "a", "conf").action == LH_RETRY);
    EXPECT_THERE(IN_A, 1);
    end(fake);
}

/* -- Namespaces -- */

void change_namespace(lh_fake_t *fake, const char *name, const char *labels)
{
    char json[256];

    (void) snprintf(json, sizeof(json), "{'metadata': {'name': '%s', 'labels': {%s}}}", name,
                    labels);
    lh_fake_put(fake, WATCH_NAMESPACES, json);
    const lh_fake_result_t result =
        lh_fake_reconcile_as(fake, LH_REASON_CHANGED, WATCH_NAMESPACES, "", name);
    cr_expect(result.action == LH_DONE, "%s", result.text);
}

Test(mirror, a_new_namespace_queues_the_sources)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO, "'k': 'v'");
    change_namespace(fake, "c", "");
    cr_expect(lh_fake_enqueued(fake, WATCH_CONFIG_MAPS, "src", "conf") == 1);
    settle(fake, "src", "conf");
    EXPECT_THERE("/api/v1/namespaces/c/configmaps/conf", 1);
    end(fake);
}

Test(mirror, a_label_that_is_changed_moves_mirrors)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO ALLOWED_BY("env=prod"), "'k': 'v'");
    EXPECT_THERE(IN_A, 1);
    change_namespace(fake, "a", "'env': 'test'");
    change_namespace(fake, "b", "'env': 'prod'");
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 0);
    EXPECT_THERE(IN_B, 1);
    end(fake);
}

Test(mirror, a_changed_namespace_queues_its_direct_mirrors)
{
    lh_fake_t *fake = lead();

    put(fake, "a", "copy", REFLECTS, "");
    put(fake, "a", "other", "", "");
    change_namespace(fake, "a", "'env': 'test'");
    cr_expect(lh_fake_enqueued(fake, WATCH_CONFIG_MAPS, "a", "copy") == 1);
    cr_expect(lh_fake_enqueued(fake, WATCH_CONFIG_MAPS, "a", "other") == 0);
    end(fake);
}

Test(mirror, nothing_is_made_in_a_namespace_that_is_going)
{
    lh_fake_t *fake = lead();

    lh_fake_put(fake, WATCH_NAMESPACES,
                "{'metadata': {'name': 'a', 'deletionTimestamp': '2026-01-02T03:04:05Z'}}");
    put_source(fake, AUTO, "'k': 'v'");
    EXPECT_THERE(IN_A, 0);
    EXPECT_THERE(IN_B, 1);
    end(fake);
}

Test(mirror, excluded_namespaces_are_left_alone)
{
    lh_fake_t *fake = lead_with("{'excludedNamespaces': ['a*', 'x']}");

    put_source(fake, AUTO, "'k': 'v'");
    EXPECT_THERE(IN_A, 0);
    EXPECT_THERE(IN_B, 1);
    put(fake, "a", "copy", REFLECTS, "'mine': 'x'");
    settle(fake, "a", "copy");
    EXPECT_VALUE("/api/v1/namespaces/a/configmaps/copy", "/data", "{\"mine\":\"x\"}");
    end(fake);
}

Test(mirror, a_source_in_an_excluded_namespace_is_none)
{
    lh_fake_t *fake = lead_with("{'excludedNamespaces': ['sr?']}");

    put_source(fake, AUTO, "'k': 'v'");
    put(fake, "a", "conf", REFLECTS ", '" PREFIX "auto-reflects': 'True'", "'mine': 'x'");
    settle(fake, "a", "conf");
    EXPECT_VALUE(IN_A, "/data", "{\"mine\":\"x\"}");
    EXPECT_THERE(IN_B, 0);
    end(fake);
}

/* -- Direct mirrors -- */

#define COPY "/api/v1/namespaces/a/configmaps/copy"

Test(mirror, a_direct_mirror_gets_the_sources_data)
{
    lh_fake_t *fake = lead();

    put_source(fake, ALLOWED, "'k': 'v'");
    put(fake, "a", "copy", REFLECTS, "'mine': 'x'");
    settle(fake, "a", "copy");
    EXPECT_VALUE(COPY, "/data", "{\"k\":\"v\"}");
    put(fake, "src", "conf", ALLOWED, "'k': 'w'");
    settle(fake, "src", "conf");
    cr_expect(lh_fake_enqueued(fake, WATCH_CONFIG_MAPS, "a", "copy") == 1);
    settle(fake, "a", "copy");
    EXPECT_VALUE(COPY, "/data", "{\"k\":\"w\"}");
    end(fake);
}

Test(mirror, a_direct_mirror_without_permission_stays_as_it_is)
{
    static const char *const annotations[] = {"", AUTO ALLOWED_IN("b"), ALLOWED_BY("env=test")};

    for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++) {
        lh_fake_t *fake = lead();
        put(fake, "src", "conf",
            annotations[i][0] == ',' ? ALLOWED ALLOWED_BY("env=test") : annotations[i], "'k': 'v'");
        put(fake, "a", "copy", REFLECTS, "'mine': 'x'");
        settle(fake, "a", "copy");
        EXPECT_VALUE(COPY, "/data", "{\"mine\":\"x\"}");
        end(fake);
    }
}

Test(mirror, a_direct_mirror_outlives_its_source)
{
    lh_fake_t *fake = lead();

    put(fake, "a", "copy", REFLECTS, "'mine': 'x'");
    settle(fake, "a", "copy");
    EXPECT_VALUE(COPY, "/data", "{\"mine\":\"x\"}");
    cr_expect_not_null(lh_fake_logged(fake, "its source src/conf is not there"));
    end(fake);
}

Test(mirror, names_that_are_none_make_no_mirror)
{
    static const char *const names[] = {"conf", "/conf", "src/", "", "../conf", "src/.", "src/a/b"};
    char annotation[128];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        lh_fake_t *fake = lead();
        put(fake, "src", "conf", ALLOWED, "'k': 'v'");
        (void) snprintf(annotation, sizeof(annotation), "'" PREFIX "reflects': '%s'", names[i]);
        put(fake, "a", "copy", annotation, "'mine': 'x'");
        settle(fake, "a", "copy");
        EXPECT_VALUE(COPY, "/data", "{\"mine\":\"x\"}");
        cr_expect(lh_fake_calls(fake, "GET", "/") == 0, "'%s' is asked for", names[i]);
        end(fake);
    }
}

Test(mirror, a_mirror_of_itself_is_left_alone)
{
    lh_fake_t *fake = lead();

    put(fake, "src", "conf", ALLOWED ", " REFLECTS, "'k': 'v'");
    settle(fake, "src", "conf");
    EXPECT_WRITES(0);
    end(fake);
}

/* -- Contents -- */

Test(mirror, binary_data_is_copied_too)
{
    lh_fake_t *fake = lead();

    put(fake, "src", "conf", AUTO, "'k': 'v'");
    lh_fake_patch(fake, SOURCE, "{'binaryData': {'b': 'AAE='}}");
    settle(fake, "src", "conf");
    EXPECT_VALUE(IN_A, "/binaryData", "{\"b\":\"AAE=\"}");
    lh_fake_patch(fake, SOURCE, "{'binaryData': null}");
    settle(fake, "src", "conf");
    EXPECT_VALUE(IN_A, "/binaryData", "{}");
    EXPECT_VALUE(IN_A, "/data", "{\"k\":\"v\"}");
    end(fake);
}

Test(mirror, secrets_keep_their_type)
{
    lh_fake_t *fake = lead();

    lh_fake_put(fake, WATCH_SECRETS,
                "{'metadata': {'namespace': 'src', 'name': 'tls', 'annotations': {" AUTO "}},"
                " 'type': 'kubernetes.io/tls', 'data': {'tls.crt': 'AA==', 'tls.key': 'AQ=='}}");
    cr_expect(lh_fake_reconcile(fake, WATCH_SECRETS, "src", "tls").action == LH_DONE);
    EXPECT_VALUE("/api/v1/namespaces/a/secrets/tls", "/type", "kubernetes.io/tls");
    EXPECT_VALUE("/api/v1/namespaces/a/secrets/tls", "/data/tls.crt", "AA==");
    EXPECT_VALUE("/api/v1/namespaces/a/secrets/tls", "/kind", "Secret");
    end(fake);
}

/* -- Failures -- */

static void change_mirror(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) arg;
    if (strcmp(call->method, "PUT") == 0)
        lh_fake_patch(fake, IN_A, "{'metadata': {'labels': {'x': 'y'}}}");
}

Test(mirror, a_conflict_is_left_to_the_newer_state)
{
    lh_fake_t *fake = lead();

    put_source(fake, AUTO AUTO_IN("a"), "'k': 'v'");
    put(fake, "src", "conf", AUTO AUTO_IN("a"), "'k': 'w'");
    lh_fake_on_call(fake, change_mirror, NULL);
    settle(fake, "src", "conf");
    EXPECT_VALUE(IN_A, "/data", "{\"k\":\"v\"}");
    lh_fake_on_call(fake, NULL, NULL);
    settle(fake, "a", "conf");
    EXPECT_VALUE(IN_A, "/data", "{\"k\":\"w\"}");
    EXPECT_VALUE(IN_A, "/metadata/labels/x", "y");
    end(fake);
}

Test(mirror, one_namespace_that_fails_does_not_hold_up_the_others)
{
    lh_fake_t *fake = lead();

    put(fake, "src", "conf", AUTO, "'k': 'v'");
    lh_fake_answer(fake, "POST", "/api/v1/namespaces/a/", 503, NULL, 1);
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "src", "conf").action == LH_RETRY);
    EXPECT_THERE(IN_A, 0);
    EXPECT_THERE(IN_B, 1);
    settle(fake, "src", "conf");
    EXPECT_THERE(IN_A, 1);
    end(fake);
}

static void cut_term(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) arg;
    if (strcmp(call->method, "POST") == 0)
        lh_fake_end_term(fake);
}

Test(mirror, stops_when_its_term_ends)
{
    lh_fake_t *fake = lead();

    put(fake, "src", "conf", AUTO, "'k': 'v'");
    lh_fake_on_call(fake, cut_term, NULL);
    cr_expect(lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, "src", "conf").action == LH_RETRY);
    cr_expect(lh_fake_calls(fake, "POST", "/") == 1, "%zu creations",
              lh_fake_calls(fake, "POST", "/"));
    end(fake);
}
