/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

enum { WATCH_MEMCACHEDS, WATCH_DEPLOYMENTS };

#define MEMCACHED "/apis/cache.example.com/v1alpha1/namespaces/shop/memcacheds/sample"
#define DEPLOYMENT "/apis/apps/v1/namespaces/shop/deployments/sample"

#define EXPECT_VALUE(path, pointer, expected)                                                      \
    do {                                                                                           \
        const char *value_ = lh_fake_value(fake, path, pointer);                                   \
        cr_expect(value_ != NULL && strcmp(value_, expected) == 0, "%s %s is '%s', expected '%s'", \
                  path, pointer, value_ != NULL ? value_ : "(absent)", expected);                  \
    } while (0)

static lh_fake_t *new_memcached(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, WATCH_MEMCACHEDS,
                "{'metadata': {'namespace': 'shop', 'name': 'sample', 'uid': 'u-1'},"
                " 'spec': {'size': 2}}");
    return fake;
}

static void settle(lh_fake_t *fake, uint32_t action)
{
    const lh_fake_result_t result = lh_fake_settle(fake, WATCH_MEMCACHEDS, "shop", "sample");

    cr_expect(result.action == action, "action is %u, expected %u: %s", result.action,
              (unsigned) action, result.text);
}

static void end(lh_fake_t *fake)
{
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(memcached, has_a_deployment_of_its_size)
{
    lh_fake_t *fake = new_memcached();

    settle(fake, LH_DONE);
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "2");
    EXPECT_VALUE(DEPLOYMENT, "/metadata/ownerReferences/0/uid", "u-1");
    EXPECT_VALUE(DEPLOYMENT, "/metadata/ownerReferences/0/controller", "true");
    EXPECT_VALUE(MEMCACHED, "/status/conditions/0/type", "Available");
    EXPECT_VALUE(MEMCACHED, "/status/conditions/0/status", "True");
    EXPECT_VALUE(MEMCACHED, "/status/conditions/0/observedGeneration", "1");
    EXPECT_VALUE(MEMCACHED, "/status/conditions/0/message", "the Deployment has 2 replicas");
    lh_fake_forget(fake);
    settle(fake, LH_DONE);
    cr_expect(lh_fake_calls(fake, NULL, "/") == 0, "%zu calls, expected none",
              lh_fake_calls(fake, NULL, "/"));
    end(fake);
}

Test(memcached, is_resized)
{
    lh_fake_t *fake = new_memcached();

    settle(fake, LH_DONE);
    lh_fake_patch(fake, MEMCACHED, "{'spec': {'size': 3}}");
    settle(fake, LH_DONE);
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "3");
    lh_fake_patch(fake, DEPLOYMENT, "{'spec': {'replicas': 7}}");
    settle(fake, LH_DONE);
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "3");
    end(fake);
}

Test(memcached, tells_what_went_wrong)
{
    lh_fake_t *fake = new_memcached();

    lh_fake_answer(fake, "POST", "/apis/apps/v1", 403, NULL, 0);
    settle(fake, LH_RETRY);
    EXPECT_VALUE(MEMCACHED, "/status/conditions/0/status", "False");
    cr_expect(strstr(lh_fake_value(fake, MEMCACHED, "/status/conditions/0/message"),
                     "/apis/apps/v1/namespaces/shop/deployments") != NULL,
              "message is '%s'", lh_fake_value(fake, MEMCACHED, "/status/conditions/0/message"));
    end(fake);
}

Test(memcached, has_nothing_to_do_when_it_is_gone)
{
    lh_fake_t *fake = new_memcached();

    settle(fake, LH_DONE);
    lh_fake_remove(fake, WATCH_MEMCACHEDS, "shop", "sample");
    lh_fake_forget(fake);
    settle(fake, LH_DONE);
    cr_expect(lh_fake_writes(fake) == 0, "%zu writes, expected none", lh_fake_writes(fake));
    end(fake);
}
