/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/sources.h"

#include <string.h>

#define MAX_INSTANCES 1000

int config_instance_get(config_t *c, const char *name, const char *origin, config_instance_t **out,
                        lh_error_t *err)
{
    const size_t n = c->plugins.instance_count;
    int rc = config_check_instance_name(name, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(c->plugins.instances[i].name, name) == 0) {
            *out = &c->plugins.instances[i];
            return 0;
        }
    }
    if (n == MAX_INSTANCES)
        return host_fail(err, LH_ETOOBIG, "more than %d instances", MAX_INSTANCES);
    if (n == 0) {
        c->plugins.instances = host_xcalloc(MAX_INSTANCES, sizeof(config_instance_t));
        c->origins->instances = host_xcalloc(MAX_INSTANCES, sizeof(struct config_instance_origins));
    }
    config_instance_t *i = &c->plugins.instances[n];

    c->plugins.instance_count++;
    i->name = host_xstrdup(name);
    i->where = host_xstrdup(origin);
    for (size_t s = 0; s < CONFIG_INSTANCE_SETTINGS; s++) {
        c->origins->instances[n].of[s] = host_xstrdup("default");
    }
    *out = i;
    return config_set_instance_defaults(i, err);
}
