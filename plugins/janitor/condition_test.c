/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of rules, against what JMESPath says of the same expression. */
#include "janitor.h"

#include <criterion/criterion.h>

static const char object[] =
    "{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"pr-17\",\"namespace\":\"temp\","
    "\"creationTimestamp\":\"2026-05-06T07:08:09Z\",\"labels\":{\"app\":\"x\",\"empty\":\"\","
    "\"app.kubernetes.io/name\":\"web\",\"na\\u00efve\":\"1\"}},"
    "\"spec\":{\"replicas\":3,\"paused\":false,\"ports\":[{\"port\":80},{\"port\":443}],"
    "\"tags\":[\"a\",\"b\"],\"none\":null,\"zero\":0,\"list\":[],\"object\":{}}}";

static void expect(const char *expression, int expected)
{
    char *condition = NULL;
    lh_error_t err = {0};

    cr_assert(condition_compile(expression, &condition, &err) == 0, "%s: %s", expression, err.text);
    const int result = condition_is_true(condition, lh_json_text(object, sizeof(object) - 1));
    cr_expect(result == expected, "%s is %d, expected %d", expression, result, expected);
    free(condition);
}

static void refused(const char *expression, const char *why)
{
    char *condition = NULL;
    lh_error_t err = {0};

    const int ret = condition_compile(expression, &condition, &err);
    cr_expect(ret == LH_EINVAL, "%s: %d, expected %d", expression, ret, LH_EINVAL);
    cr_expect(strstr(err.text, why) != NULL, "%s: '%s', expected '%s'", expression, err.text, why);
    cr_expect_null(condition);
}

Test(condition, rules_of_the_documentation_are_understood)
{
    expect("!(spec.template.metadata.labels.application)", 1);
    expect("starts_with(metadata.name, 'pr-')", 1);
    expect("metadata.namespace == 'temp'", 1);
    expect("!(spec.template.metadata.labels.foo) && metadata.creationTimestamp > '2026-04-01'", 1);
    expect("metadata.labels.app", 1);
}

Test(condition, values_are_true_as_in_jmespath)
{
    expect("metadata.labels.empty", 0);
    expect("metadata.labels.missing", 0);
    expect("spec.paused", 0);
    expect("spec.none", 0);
    expect("spec.list", 0);
    expect("spec.object", 0);
    expect("spec.replicas", 1);
    expect("spec.tags", 1);
    expect("metadata", 1);
    expect("!(spec.zero)", 0);
}

/* kube-janitor asks bool() of Python of what JMESPath gives: a rule for `spec.replicas` is none for
 * what is scaled to nothing. */
Test(condition, zero_deletes_nothing)
{
    expect("spec.zero", 0);
    expect("`0`", 0);
    expect("`-0.0`", 0);
    expect("`0.5`", 1);
    expect("`-1`", 1);
    expect("length(spec.list)", 0);
    expect("length(spec.tags)", 1);
    expect("spec.zero && 'x'", 1);
    expect("spec.missing || spec.zero", 0);
}

Test(condition, paths_go_through_objects_and_arrays)
{
    expect("spec.ports[1].port == `443`", 1);
    expect("spec.ports[2].port", 0);
    expect("spec.tags[0] == 'a'", 1);
    expect("metadata.labels.\"app.kubernetes.io/name\" == 'web'", 1);
    expect("metadata.labels.\"na\\u00efve\"", 1);
    expect("metadata.name.first", 0);
    expect("@.kind == 'Deployment'", 1);
    expect("(metadata).name == 'pr-17'", 1);
}

Test(condition, operators_bind_as_in_jmespath)
{
    expect("`false` && `false` || `true`", 1);
    expect("`true` || `false` && `false`", 1);
    expect("(`true` || `true`) && `false`", 0);
    expect("!(`true`) || `true`", 1);
    expect("!!(`true`)", 1);
    expect("spec.replicas > `2` && spec.replicas <= `3`", 1);
    expect("spec.replicas != `3`", 0);
    expect("spec.replicas >= `3` && spec.replicas < `4`", 1);
    expect("spec.none == `null`", 1);
    expect("spec.missing == spec.none", 1);
    expect("spec.tags == `[\"a\",\"b\"]`", 1);
    expect("spec.tags == `[\"a\"]`", 0);
    expect("metadata.name == `\"pr-17\"`", 1);
}

Test(condition, what_has_no_order_compares_as_null)
{
    expect("metadata.name > `1`", 0);
    expect("spec.missing < `1`", 0);
    expect("!(spec.missing < `1`)", 1);
}

Test(condition, functions_know_strings_and_arrays)
{
    expect("ends_with(metadata.name, '17')", 1);
    expect("ends_with(metadata.name, 'long-pr-17')", 0);
    expect("contains(metadata.name, 'r-1')", 1);
    expect("contains(spec.tags, 'b')", 1);
    expect("contains(spec.tags, 'c')", 0);
    expect("length(spec.tags) == length(spec.ports)", 1);
    expect("length(metadata.name) > length(spec.tags)", 1);
    expect("(length(spec.list) || length(spec.tags)) == `0`", 1);
    expect("length('na\xc3\xafve') == `5`", 1);
    expect("starts_with(spec.missing, 'x')", 0);
    expect("starts_with(spec.replicas, '3')", 0);
}

Test(condition, raw_strings_hold_anything)
{
    expect("'it\\'s' == 'it\\'s'", 1);
    expect("'a`b\"c\\d' == `\"a`b\\\"c\\\\d\"`", 1);
    expect("'' == metadata.labels.empty", 1);
}

Test(condition, what_is_not_offered_is_refused_by_name)
{
    refused("spec.ports[*].port", "only [number] is offered");
    refused("spec.ports[?port == `80`]", "only [number] is offered");
    refused("spec | metadata", "not offered");
    refused("_context.pvc_is_not_mounted", "'_context' is not offered");
    refused("!metadata.labels.app", "needs parentheses, !(a.b)");
    refused("sum(spec.ports)", "offered are starts_with");
    refused("starts_with(metadata.name)", "offered are starts_with");
}

Test(condition, mistakes_are_found_behind_what_decides)
{
    refused("`false` && (", "must stand here");
    refused("`true` || nope(", "must stand here");
}

Test(condition, malformed_expressions_are_refused)
{
    refused("", "must stand here");
    refused("metadata.", "a name must follow the dot");
    refused("metadata name", "not offered, or no operator");
    refused("'open", "does not end");
    refused("`{`", "must be JSON");
    refused("(metadata", "')' is missing");
    refused("starts_with(metadata.name, 'x'", "')' is missing");
    refused("`1", "backtick");
}

Test(condition, nesting_is_bounded)
{
    char deep[201];

    memset(deep, '(', 200);
    deep[200] = '\0';
    refused(deep, "nested too deep");
}
