/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <leasehold/testing.h>

#define POLICIES "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"
#define POLICY POLICIES "/default-deny"

static lh_fake_t *with_namespace(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0,
                "{'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'shop',"
                " 'labels': {'network': 'closed'}}}");
    return fake;
}

static void expect_policy(lh_fake_t *fake)
{
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "", "shop");

    cr_expect(result.action == LH_DONE, "action is %u: %s", result.action, result.text);
    cr_expect_str_eq(lh_fake_value(fake, POLICY, "/spec/policyTypes/0"), "Ingress");
    cr_expect_str_eq(lh_fake_value(fake, POLICY, "/metadata/ownerReferences/0/name"), "shop");
}

Test(default_deny, closes_a_namespace_once)
{
    lh_fake_t *fake = with_namespace();

    expect_policy(fake);
    expect_policy(fake);
    cr_expect(lh_fake_writes(fake) == 1, "%u writes", (unsigned) lh_fake_writes(fake));
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

/* Somebody opens the policy; then it is closed, and has no such field. */
static void opens(const char *patch, const char *field)
{
    lh_fake_t *fake = with_namespace();

    expect_policy(fake);
    lh_fake_patch(fake, POLICY, patch);
    cr_expect_not_null(lh_fake_value(fake, POLICY, field));
    expect_policy(fake);
    cr_expect_null(lh_fake_value(fake, POLICY, field));
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(default_deny, puts_back_what_was_changed)
{
    opens("{'spec': {'policyTypes': ['Ingress', 'Egress']}}", "/spec/policyTypes/1");
}

Test(default_deny, takes_away_what_was_added)
{
    opens("{'spec': {'ingress': [{}]}}", "/spec/ingress");
    opens("{'spec': {'podSelector': {'matchLabels': {'app': 'db'}}}}",
          "/spec/podSelector/matchLabels");
    opens("{'spec': {'podSelector': {'matchExpressions': [{'key': 'app', 'operator': 'Exists'}]}}}",
          "/spec/podSelector/matchExpressions");
}

Test(default_deny, leaves_a_namespace_alone_that_is_gone)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    cr_expect(lh_fake_reconcile(fake, 0, "", "shop").action == LH_DONE);
    cr_expect(lh_fake_calls(fake, NULL, "/") == 0, "it called the API server");
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(default_deny, fails_when_the_policy_is_refused)
{
    lh_fake_t *fake = with_namespace();

    lh_fake_answer(fake, "POST", POLICIES, 403, NULL, 1);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "", "shop");

    cr_expect(result.action == LH_RETRY, "action is %u", result.action);
    cr_expect(strncmp(result.text, "POST " POLICIES ": ", strlen("POST " POLICIES ": ")) == 0,
              "text is '%s'", result.text);
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}
