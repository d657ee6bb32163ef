/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/nearest.h"
#include "config/sources.h"

#include <stdio.h>
#include <string.h>

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');

    return dot != NULL ? dot + 1 : key;
}

/* True when a and b stand in the same group. */
static bool are_siblings(const char *a, const char *b)
{
    const size_t len = (size_t) (last_part(a) - a);

    return (size_t) (last_part(b) - b) == len && strncmp(a, b, len) == 0;
}

bool config_is_group(const char *key)
{
    const size_t len = strlen(key);

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        if (strncmp(config_settings[i].key, key, len) == 0 && config_settings[i].key[len] == '.')
            return true;
    }
    return false;
}

/* Offers the key of a setting and the group that it stands in. */
static void offer(nearest_t *n, const char *key, const char *typed, bool siblings)
{
    char group[NEAREST_MAX];
    const size_t len = (size_t) (last_part(key) - key);

    if (are_siblings(key, typed) == siblings)
        config_nearest_offer(n, key, last_part(key));
    if (len > 0) {
        snprintf(group, sizeof(group), "%.*s", (int) len - 1, key);
        if (are_siblings(group, typed) == siblings)
            config_nearest_offer(n, group, group);
    }
}

int config_unknown_key(const char *place, const char *key, lh_error_t *err)
{
    static const char instances[] = CONFIG_INSTANCES_KEY ".";
    const bool of_instance = strncmp(key, instances, sizeof(instances) - 1) == 0;
    nearest_t nearest = NEAREST_INIT(last_part(key));
    char hint[NEAREST_MAX + 32];

    if (config_is_group(key) || strcmp(key, CONFIG_INSTANCES_KEY) == 0)
        return host_fail(err, LH_EINVAL, "%s: '%s' is a group of settings", place, key);
    for (size_t i = 0; of_instance && i < CONFIG_INSTANCE_SETTINGS; i++) {
        const char *known = config_instance_settings[i].key;

        config_nearest_offer(&nearest, known, known);
    }
    /* First those beside it, so that they win over a name elsewhere that is as near. */
    for (size_t i = 0; !of_instance && i < 2 * CONFIG_SETTINGS; i++) {
        offer(&nearest, config_settings[i % CONFIG_SETTINGS].key, key, i < CONFIG_SETTINGS);
    }
    if (!of_instance)
        config_nearest_offer(&nearest, CONFIG_INSTANCES_KEY, last_part(CONFIG_INSTANCES_KEY));
    return host_fail(err, LH_EINVAL, "%s: unknown key '%.96s'%s", place, key,
                     config_nearest_text(&nearest, hint, sizeof(hint)));
}

static int set_value(const config_setting_t *setting, void *base, char **origin,
                     const config_input_t *in, lh_error_t *err)
{
    const int rc = config_value_set(setting, base, in->node, err);

    if (rc < 0)
        return host_error_wrap(err, rc, "%s", in->place);
    free(*origin);
    *origin = host_xstrdup(in->origin);
    return 0;
}

static int set_of_instance(config_t *c, const config_input_t *in, lh_error_t *err)
{
    const char *name = in->key + strlen(CONFIG_INSTANCES_KEY) + 1, *dot = strchr(name, '.');
    config_instance_t *instance;
    char copy[64];

    if (dot == NULL || (size_t) (dot - name) >= sizeof(copy))
        return config_unknown_key(in->place, in->key, err);
    snprintf(copy, sizeof(copy), "%.*s", (int) (dot - name), name);
    const int field =
        config_setting_find(config_instance_settings, CONFIG_INSTANCE_SETTINGS, dot + 1);

    if (field < 0)
        return config_unknown_key(in->place, in->key, err);
    const int rc = config_instance_get(c, copy, in->origin, &instance, err);

    if (rc < 0)
        return host_error_wrap(err, rc, "%s", in->place);
    char **origin = &c->origins->instances[instance - c->plugins.instances].of[field];

    return set_value(&config_instance_settings[field], instance, origin, in, err);
}

int config_set(config_t *c, const config_input_t *in, lh_error_t *err)
{
    static const char instances[] = CONFIG_INSTANCES_KEY ".";
    const int i = config_setting_find(config_settings, CONFIG_SETTINGS, in->key);

    if (i >= 0)
        return set_value(&config_settings[i], c, &c->origins->of[i], in, err);
    if (strncmp(in->key, instances, sizeof(instances) - 1) == 0)
        return set_of_instance(c, in, err);
    return config_unknown_key(in->place, in->key, err);
}
