/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <leasehold/testing.h>

Test(hello, logs_a_config_map_that_is_here)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'default', 'name': 'settings'}}");
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "default", "settings");

    cr_expect(result.action == LH_DONE, "action is %u: %s", result.action, result.text);
    cr_expect_str_eq(lh_fake_logged(fake, "settings"), "info: ConfigMap default/settings is here");
    cr_expect(lh_fake_calls(fake, NULL, "/") == 0, "it called the API server");
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(hello, logs_a_config_map_that_is_gone)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'default', 'name': 'settings'}}");
    lh_fake_remove(fake, 0, "default", "settings");
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "default", "settings");

    cr_expect(result.action == LH_DONE, "action is %u: %s", result.action, result.text);
    cr_expect_str_eq(lh_fake_logged(fake, "settings"), "info: ConfigMap default/settings is gone");
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(hello, works_in_a_second_term)
{
    lh_fake_t *fake = lh_fake_lead(NULL);
    lh_error_t err;

    lh_fake_deactivate(fake);
    cr_assert(lh_fake_activate(fake, &err) == 0, "%s", err.text);
    cr_expect(lh_fake_reconcile(fake, 0, "default", "a").action == LH_DONE);
    cr_expect_not_null(lh_fake_logged(fake, "default/a is gone"));
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}
