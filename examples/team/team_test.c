/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <leasehold/testing.h>

#define TEAM "/api/v1/namespaces/shop/configmaps/red"

static lh_fake_t *with_team(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0,
                "{'metadata': {'namespace': 'shop', 'name': 'red', 'labels': {'role': 'team'}}}");
    return fake;
}

static void put_member(lh_fake_t *fake, const char *ns, const char *name, const char *team)
{
    char json[256];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': '%s', 'name': '%s', 'labels': {'team': '%s'}}}", ns,
                    name, team);
    lh_fake_put(fake, 1, json);
}

static void expect_members(lh_fake_t *fake, const char *expected)
{
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "shop", "red");
    const char *members = lh_fake_value(fake, TEAM, "/data/members");

    cr_expect(result.action == LH_DONE, "action is %u: %s", result.action, result.text);
    cr_expect(members != NULL && strcmp(members, expected) == 0, "'%s' members, expected '%s'",
              members != NULL ? members : "(none)", expected);
}

static void end(lh_fake_t *fake)
{
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(team, counts_its_members_in_its_namespace)
{
    lh_fake_t *fake = with_team();

    put_member(fake, "shop", "ann", "red");
    put_member(fake, "shop", "bob", "red");
    put_member(fake, "shop", "cid", "blue");
    put_member(fake, "bank", "dee", "red");
    expect_members(fake, "2");
    lh_fake_remove(fake, 1, "shop", "bob");
    expect_members(fake, "1");
    end(fake);
}

Test(team, writes_only_what_has_changed)
{
    lh_fake_t *fake = with_team();

    expect_members(fake, "0");
    expect_members(fake, "0");
    cr_expect(lh_fake_writes(fake) == 1, "%zu writes", lh_fake_writes(fake));
    end(fake);
}

Test(team, that_is_not_there_is_no_work)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    put_member(fake, "shop", "ann", "red");
    cr_expect(lh_fake_reconcile(fake, 0, "shop", "red").action == LH_DONE);
    cr_expect(lh_fake_writes(fake) == 0, "%zu writes", lh_fake_writes(fake));
    end(fake);
}

Test(team, with_a_name_that_no_label_can_have_has_no_members)
{
#define LONG_NAME "a-name-of-more-than-sixty-three-characters-is-the-name-of-no-team"
    lh_fake_t *fake = lh_fake_lead(NULL);
    char json[256];

    (void) snprintf(json, sizeof(json),
                    "{'metadata': {'namespace': 'shop', 'name': '%s', 'labels': {'role': 'team'}}}",
                    LONG_NAME);
    lh_fake_put(fake, 0, json);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "shop", LONG_NAME);
    cr_expect(result.action == LH_DONE, "action is %u: %s", result.action, result.text);
    cr_expect_str_eq(
        lh_fake_value(fake, "/api/v1/namespaces/shop/configmaps/" LONG_NAME, "/data/members"), "0");
    end(fake);
}

Test(team, that_is_deleted_meanwhile_is_done)
{
    lh_fake_t *fake = with_team();

    lh_fake_answer(fake, "PATCH", TEAM, 404, NULL, 1);
    cr_expect(lh_fake_reconcile(fake, 0, "shop", "red").action == LH_DONE);
    end(fake);
}

Test(team, tries_again_what_is_refused)
{
    lh_fake_t *fake = with_team();

    lh_fake_answer(fake, "PATCH", TEAM, 403, NULL, 1);
    cr_expect(lh_fake_reconcile(fake, 0, "shop", "red").action == LH_RETRY);
    end(fake);
}
