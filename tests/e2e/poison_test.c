/* SPDX-License-Identifier: Apache-2.0 */
/* An object that fails again and again is shown everywhere, and still reached when its trouble is over. */
#include "e2e/e2e.h"

enum { SHOWN = 30000, REACHED = 60000 };

#define FAILING "leasehold_workqueue_poison_keys{name=\"keeper\",controller=\"keeper\"} 1"
#define FINE "leasehold_workqueue_poison_keys{name=\"keeper\",controller=\"keeper\"} 0"

static bool has_event(const api_reply_t *r, void *arg)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, api_at(r->json, "/items")) {
        if (strcmp(api_str(item, "/regarding/name"), arg) == 0 &&
            strcmp(api_str(item, "/reason"), "BackOff") == 0 &&
            strcmp(api_str(item, "/type"), "Warning") == 0 &&
            strstr(api_str(item, "/note"), "belongs to somebody else") != NULL)
            return true;
    }
    return false;
}

static void make_parent(e2e_t *e, const char *name)
{
    API_REPLY r = api_post(e->api, e->configmaps,
                           "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"keeper\":\"parent\"}},"
                           "\"data\":{\"want\":\"x\"}}",
                           name);

    REQUIRE_INT(r.status, 201);
}

static void what_fails_again_and_again_is_shown_and_reached_in_the_end(void *arg)
{
    e2e_t *e = arg;
    static const char *const plugins[] = {KEEPER_PLUGIN, NULL};
    char path[200], shown[256], *status = NULL;

    e2e_make_configmap(e, "bad-child", NULL); /* somebody else's */
    make_parent(e, "bad");
    make_parent(e, "good");
    replica_t *host = e2e_replica(e, "keeper", NULL, plugins);

    EXPECT_TRUE(replica_says(host, "/metrics", FAILING, SHOWN));
    snprintf(path, sizeof(path), "%s/good-child", e->configmaps);
    EXPECT_TRUE(e2e_wait_value(e, path, "/data/want", "x", 5000)); /* it holds up nobody */
    EXPECT_INT(replica_ask(host, (const char *const[]){"status", NULL}, &status), 0);
    EXPECT_HAS(status, "keeper: 1 failing again and again\n");
    snprintf(shown, sizeof(shown), "x  configmaps %s/bad: ", e->ns);
    EXPECT_HAS(status, shown);
    EXPECT_HAS(status, "belongs to somebody else");
    free(status);
    snprintf(path, sizeof(path), "/apis/events.k8s.io/v1/namespaces/%s/events", e->ns);
    EXPECT_TRUE(api_until(e->api, path, 5000, has_event, "bad"));

    API_REPLY r = api_delete(e->api, "%s/bad-child", e->configmaps);
    REQUIRE_INT(r.status, 200);
    snprintf(path, sizeof(path), "%s/bad-child", e->configmaps);
    EXPECT_TRUE(e2e_wait_value(e, path, "/data/want", "x", REACHED));
    EXPECT_TRUE(replica_says(host, "/metrics", FINE, 5000));
    replica_free(host);
}

static const tap_test_t tests[] = {
    {"what fails again and again is shown, and reached in the end",
     what_fails_again_and_again_is_shown_and_reached_in_the_end},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "poison", tests, sizeof(tests) / sizeof(tests[0]));
}
