/* SPDX-License-Identifier: Apache-2.0 */
/* The fake host: watches that the manifest takes from the configuration. */
#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

#include "support/expect.h"

#include <stdlib.h>

#define DEPLOYMENT "/apis/apps/v1/namespaces/ns/deployments/d"

struct lh_plugin {
    const lh_host_t *host;
};

static void reconcile(lh_plugin_t *plugin, const lh_request_t *request, lh_completion_t completion)
{
    (void) request;
    lh_done(plugin->host, completion);
}

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    lh_plugin_t *self = malloc(sizeof(*self));

    (void) instance;
    (void) err;
    self->host = host;
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

static const lh_plugin_entry_t entry = {
    .abi_major = LH_ABI_MAJOR, .struct_size = sizeof(entry), .create = create, .destroy = destroy};

static lh_fake_t *leader(const char *config)
{
    lh_fake_t *fake = lh_fake_create("{'abi': 0, 'id': 'test', 'version': '1', 'watches': ["
                                     "{'version': 'v1', 'resource': 'pods', 'kind': 'Pod'}],"
                                     " 'watchesFrom': '/a/kinds'}");
    lh_error_t err = {0};

    ASSERT_OK(lh_fake_start(fake, &entry, reconcile, config, &err), err);
    ASSERT_OK(lh_fake_activate(fake, &err), err);
    return fake;
}

#define DEPLOYMENTS                                                                                \
    "{'a': {'kinds': [{'group': 'apps', 'version': 'v1', 'resource': 'deployments',"               \
    " 'kind': 'Deployment'}]}}"

Test(fake_watches, watches_of_the_configuration_come_behind_the_manifests)
{
    lh_fake_t *fake = leader(DEPLOYMENTS);

    lh_fake_put(fake, 1, "{'metadata': {'namespace': 'ns', 'name': 'd'}, 'spec': {}}");
    EXPECT_STR(lh_fake_value(fake, DEPLOYMENT, "/metadata/name"), "d");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(fake_watches, another_configuration_brings_other_watches)
{
    lh_fake_t *fake = leader(DEPLOYMENTS);
    lh_error_t err = {0};

    lh_fake_stop(fake);
    ASSERT_OK(lh_fake_start(fake, &entry, reconcile,
                            "{'a': {'kinds': [{'version': 'v1', 'resource': 'secrets',"
                            " 'kind': 'Secret'}]}}",
                            &err),
              err);
    lh_fake_put(fake, 1, "{'metadata': {'namespace': 'ns', 'name': 's'}}");
    EXPECT_STR(lh_fake_value(fake, "/api/v1/namespaces/ns/secrets/s", "/metadata/name"), "s");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}
