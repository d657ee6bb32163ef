/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/sources.h"

#include <string.h>

enum { MAX_INSTANCES = 1000, GROW_BY = 8 };

/* For one more; what is added is zero. */
static void *make_room(void *array, size_t count, size_t size)
{
    if (count % GROW_BY != 0)
        return array;
    void *grown = host_xcalloc(count + GROW_BY, size);

    if (count > 0)
        memcpy(grown, array, count * size);
    free(array);
    return grown;
}

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
    c->plugins.instances = make_room(c->plugins.instances, n, sizeof(config_instance_t));
    c->origins->instances =
        make_room(c->origins->instances, n, sizeof(struct config_instance_origins));
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
