/* SPDX-License-Identifier: Apache-2.0 */
#include "website.h"

#include <criterion/criterion.h>
#include <leasehold/testing.h>

#define SITE "/apis/example.leasehold.dev/v1/namespaces/shop/websites/front"
#define CONFIG_MAP "/api/v1/namespaces/shop/configmaps/front"
#define DEPLOYMENT "/apis/apps/v1/namespaces/shop/deployments/front"
#define SERVICE "/api/v1/namespaces/shop/services/front"
#define REGISTRY "/api/v1/namespaces/shop/configmaps/website-registry"
#define CONTAINER "/spec/template/spec/containers/0"
#define FINALIZERS "[\"example.leasehold.dev/registry\"]"

#define EXPECT_VALUE(path, pointer, expected)                                                      \
    do {                                                                                           \
        const char *value_ = lh_fake_value(fake, path, pointer);                                   \
        cr_expect(value_ != NULL && strcmp(value_, expected) == 0, "%s %s is '%s', expected '%s'", \
                  path, pointer, value_ != NULL ? value_ : "(absent)", expected);                  \
    } while (0)
#define EXPECT_ACTION(result, expected)                                                            \
    do {                                                                                           \
        const lh_fake_result_t result_ = (result);                                                 \
        cr_expect(result_.action == (expected), "action is %u, expected %u: %s", result_.action,   \
                  (unsigned) (expected), result_.text);                                            \
    } while (0)
#define EXPECT_WRITES(expected)                                                                    \
    do {                                                                                           \
        const size_t writes_ = lh_fake_writes(fake);                                               \
        cr_expect(writes_ == (expected), "%zu writes, expected %u", writes_, expected);            \
    } while (0)

static lh_fake_result_t reconcile(lh_fake_t *fake)
{
    return lh_fake_reconcile(fake, WATCH_WEBSITES, "shop", "front");
}

static lh_fake_result_t settle(lh_fake_t *fake)
{
    return lh_fake_settle(fake, WATCH_WEBSITES, "shop", "front");
}

/* A leader, and one site that it has not seen yet. */
static lh_fake_t *new_site(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, WATCH_WEBSITES,
                "{'metadata': {'namespace': 'shop', 'name': 'front', 'uid': 'u-1'},"
                " 'spec': {'html': '<p>hi</p>', 'replicas': 2}}");
    return fake;
}

/* The same when all is in place. */
static lh_fake_t *settled_site(void)
{
    lh_fake_t *fake = new_site();

    EXPECT_ACTION(settle(fake), LH_DONE);
    lh_fake_forget(fake);
    return fake;
}

static void end(lh_fake_t *fake)
{
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}

Test(website, takes_its_finalizer_before_anything_else)
{
    lh_fake_t *fake = new_site();

    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_VALUE(SITE, "/metadata/finalizers", FINALIZERS);
    EXPECT_WRITES(1);
    end(fake);
}

Test(website, creates_the_children_with_a_controller_owner)
{
    lh_fake_t *fake = settled_site();
    const char *const children[] = {CONFIG_MAP, DEPLOYMENT, SERVICE};

    for (size_t i = 0; i < 3; i++) {
        EXPECT_VALUE(children[i], "/metadata/ownerReferences/0/uid", "u-1");
        EXPECT_VALUE(children[i], "/metadata/ownerReferences/0/kind", "Website");
        EXPECT_VALUE(children[i], "/metadata/ownerReferences/0/controller", "true");
        EXPECT_VALUE(children[i], "/metadata/labels/app.kubernetes.io~1managed-by", "website");
    }
    EXPECT_VALUE(CONFIG_MAP, "/data/index.html", "<p>hi</p>");
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "2");
    EXPECT_VALUE(DEPLOYMENT, CONTAINER "/image", "nginx:1.27-alpine");
    EXPECT_VALUE(DEPLOYMENT, "/spec/template/spec/volumes/0/configMap/name", "front");
    EXPECT_VALUE(SERVICE, "/spec/ports/0/port", "80");
    EXPECT_VALUE(REGISTRY, "/data/front", "http://front.shop.svc");
    cr_expect(strstr(lh_fake_event(fake, 0),
                     "Normal Created shop/front: created configmaps/front") != NULL,
              "event is '%s'", lh_fake_event(fake, 0));
    end(fake);
}

Test(website, writes_nothing_when_all_is_in_place)
{
    lh_fake_t *fake = settled_site();

    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_WRITES(0);
    cr_expect(lh_fake_calls(fake, "GET", "/") == 0, "it read past the cache");
    end(fake);
}

Test(website, ignores_what_the_server_and_others_fill_in)
{
    lh_fake_t *fake = settled_site();

    lh_fake_patch(fake, SERVICE,
                  "{'metadata': {'labels': {'team': 'a'}}, 'spec': {"
                  "'clusterIP': '10.0.0.7', 'ports': [{'port': 80,"
                  " 'targetPort': 80, 'protocol': 'TCP'}]}}");
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_WRITES(0);
    end(fake);
}

Test(website, puts_back_what_was_changed_and_no_more)
{
    lh_fake_t *fake = settled_site();

    lh_fake_patch(fake, DEPLOYMENT, "{'spec': {'replicas': 7}}");
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "2");
    EXPECT_WRITES(1);
    end(fake);
}

Test(website, creates_a_child_that_was_deleted)
{
    lh_fake_t *fake = settled_site();

    lh_fake_remove(fake, WATCH_SERVICES, "shop", "front");
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_VALUE(SERVICE, "/spec/ports/0/port", "80");
    EXPECT_WRITES(1);
    end(fake);
}

Test(website, follows_its_spec)
{
    lh_fake_t *fake = settled_site();
    const char *page = "/spec/template/metadata/annotations/example.leasehold.dev~1page";
    const char *before = lh_fake_value(fake, DEPLOYMENT, page);

    lh_fake_patch(fake, SITE, "{'spec': {'html': 'new', 'replicas': 5, 'image': 'caddy:2'}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    EXPECT_VALUE(CONFIG_MAP, "/data/index.html", "new");
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "5");
    EXPECT_VALUE(DEPLOYMENT, CONTAINER "/image", "caddy:2");
    cr_expect_str_neq(lh_fake_value(fake, DEPLOYMENT, page), before, "a new page, no roll-out");
    EXPECT_VALUE(SITE, "/status/observedGeneration", "2");
    end(fake);
}

Test(website, becomes_ready_with_its_deployment)
{
    lh_fake_t *fake = settled_site();

    EXPECT_VALUE(SITE, "/status/conditions/0/type", "Ready");
    EXPECT_VALUE(SITE, "/status/conditions/0/status", "False");
    EXPECT_VALUE(SITE, "/status/conditions/0/reason", "Starting");
    EXPECT_VALUE(SITE, "/status/conditions/0/message", "0 of 2 replicas are ready");
    lh_fake_patch(fake, DEPLOYMENT, "{'status': {'readyReplicas': 2}}");
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_VALUE(SITE, "/status/readyReplicas", "2");
    EXPECT_VALUE(SITE, "/status/conditions/0/status", "True");
    EXPECT_VALUE(SITE, "/status/conditions/0/observedGeneration", "1");
    EXPECT_VALUE(SITE, "/metadata/generation", "1");
    end(fake);
}

Test(website, moves_the_transition_time_only_with_the_status)
{
    lh_fake_t *fake = settled_site();
    const char *since = "/status/conditions/0/lastTransitionTime";

    lh_fake_patch(fake, SITE,
                  "{'status': {'conditions': [{'type': 'Ready', 'status': 'False',"
                  " 'lastTransitionTime': '2001-01-01T00:00:00Z'}]}}");
    lh_fake_patch(fake, DEPLOYMENT, "{'status': {'readyReplicas': 1}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    EXPECT_VALUE(SITE, "/status/conditions/0/message", "1 of 2 replicas are ready");
    EXPECT_VALUE(SITE, since, "2001-01-01T00:00:00Z");
    lh_fake_patch(fake, DEPLOYMENT, "{'status': {'readyReplicas': 2}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    cr_expect_str_neq(lh_fake_value(fake, SITE, since), "2001-01-01T00:00:00Z");
    end(fake);
}

Test(website, leaves_a_foreign_child_alone_and_says_so)
{
    lh_fake_t *fake = new_site();

    lh_fake_put_at(fake, "/api/v1/namespaces/shop/services",
                   "{'metadata': {'namespace': 'shop', 'name': 'front'}, 'spec': {'ports': []}}");
    const lh_fake_result_t result = settle(fake);
    EXPECT_ACTION(result, LH_RETRY);
    cr_expect(strstr(result.text, "services/front exists and belongs to somebody else") != NULL,
              "text is '%s'", result.text);
    EXPECT_VALUE(SERVICE, "/spec/ports", "[]");
    EXPECT_VALUE(SITE, "/status/conditions/0/status", "False");
    EXPECT_VALUE(SITE, "/status/conditions/0/reason", "Failed");
    end(fake);
}

Test(website, finds_a_child_that_has_lost_its_label)
{
    lh_fake_t *fake = settled_site();

    lh_fake_patch(fake, SERVICE, "{'metadata': {'labels': null}}");
    lh_fake_answer(fake, "GET", SERVICE, 200, lh_fake_object(fake, SERVICE), 1);
    lh_fake_remove(fake, WATCH_SERVICES, "shop", "front"); /* out of the watch, not of the world */
    lh_fake_answer(fake, "POST", "/api/v1/namespaces/shop/services", 409,
                   "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\"}", 1);
    lh_fake_answer(fake, "PATCH", SERVICE, 200, "{}", 1);
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    cr_expect(lh_fake_calls(fake, "PATCH", SERVICE) == 1, "%zu patches of the service, expected 1",
              lh_fake_calls(fake, "PATCH", SERVICE));
    end(fake);
}

Test(website, tries_again_after_a_conflict)
{
    lh_fake_t *fake = new_site();

    lh_fake_answer(fake, "PATCH", SITE, 409, NULL, 1);
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_VALUE(SITE, "/metadata/finalizers", FINALIZERS);
    lh_fake_answer(fake, "PATCH", SITE, 409, NULL, 1); /* of the status */
    const lh_fake_result_t second = reconcile(fake);
    EXPECT_ACTION(second, LH_RETRY);
    EXPECT_ACTION(settle(fake), LH_DONE);
    EXPECT_VALUE(DEPLOYMENT, "/spec/replicas", "2");
    end(fake);
}

Test(website, keeps_finalizers_of_others)
{
    lh_fake_t *fake = new_site();

    lh_fake_patch(fake, SITE, "{'metadata': {'finalizers': ['example.com/backup']}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    EXPECT_VALUE(SITE, "/metadata/finalizers",
                 "[\"example.com/backup\",\"example.leasehold.dev/registry\"]");
    lh_fake_patch(fake, SITE, "{'metadata': {'deletionTimestamp': '2026-02-03T04:05:06Z'}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    EXPECT_VALUE(SITE, "/metadata/finalizers", "[\"example.com/backup\"]");
    end(fake);
}

Test(website, leaves_the_registry_when_it_is_deleted)
{
    lh_fake_t *fake = settled_site();

    lh_fake_patch(fake, REGISTRY, "{'data': {'other': 'http://other.shop.svc'}}");
    lh_fake_patch(fake, SITE, "{'metadata': {'deletionTimestamp': '2026-02-03T04:05:06Z'}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    cr_expect_null(lh_fake_object(fake, SITE), "the finalizer holds it");
    cr_expect_null(lh_fake_value(fake, REGISTRY, "/data/front"), "it is still in the registry");
    EXPECT_VALUE(REGISTRY, "/data/other", "http://other.shop.svc");
    end(fake);
}

Test(website, keeps_the_finalizer_until_the_registry_is_clean)
{
    lh_fake_t *fake = settled_site();

    lh_fake_patch(fake, SITE, "{'metadata': {'deletionTimestamp': '2026-02-03T04:05:06Z'}}");
    lh_fake_answer(fake, "PATCH", REGISTRY, 503, NULL, 1);
    EXPECT_ACTION(reconcile(fake), LH_RETRY);
    EXPECT_VALUE(SITE, "/metadata/finalizers", FINALIZERS);
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    cr_expect_null(lh_fake_object(fake, SITE), "the finalizer holds it");
    end(fake);
}

static void fence(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) arg;
    if (strcmp(call->method, "POST") == 0)
        lh_fake_end_term(fake);
}

Test(website, stops_when_its_term_ends)
{
    lh_fake_t *fake = new_site();

    EXPECT_ACTION(reconcile(fake), LH_DONE);
    lh_fake_on_call(fake, fence, NULL);
    EXPECT_ACTION(reconcile(fake), LH_RETRY);
    cr_expect(lh_fake_calls(fake, "POST", "/") == 1, "%zu creations, expected the one under way",
              lh_fake_calls(fake, "POST", "/"));
    end(fake);
}

Test(website, has_nothing_to_do_for_a_site_that_is_gone)
{
    lh_fake_t *fake = settled_site();

    lh_fake_remove(fake, WATCH_WEBSITES, "shop", "front");
    EXPECT_ACTION(reconcile(fake), LH_DONE);
    EXPECT_WRITES(0);
    end(fake);
}

Test(website, gives_up_on_an_object_that_is_no_website)
{
    lh_fake_t *fake = new_site();

    lh_fake_patch(fake, SITE, "{'spec': {'replicas': 'many'}}");
    EXPECT_ACTION(reconcile(fake), LH_FAIL);
    end(fake);
}

Test(website, serves_any_page_as_it_is)
{
    lh_fake_t *fake = new_site();

    lh_fake_patch(fake, SITE, "{\"spec\": {\"html\": \"'a' \\\"b\\\" \\\\ \\u00e9 %s\\n\"}}");
    EXPECT_ACTION(settle(fake), LH_DONE);
    EXPECT_VALUE(CONFIG_MAP, "/data/index.html", "'a' \"b\" \\ \xc3\xa9 %s\n");
    end(fake);
}
