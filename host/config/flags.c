/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/sources.h"

#include <stdio.h>
#include <string.h>

#define KEY_MAX 256

static int set_flag(config_t *c, const char *flag, lh_error_t *err)
{
    const char *eq = strchr(flag, '='), *named = NULL;
    const config_node_t node = config_text_node(eq != NULL ? eq + 1 : "");
    char key[KEY_MAX], place[KEY_MAX + 8];

    if (eq == NULL || eq == flag)
        return host_fail(err, LH_EINVAL, "--set %.96s: write key=value", flag);
    if ((size_t) (eq - flag) >= sizeof(key))
        return host_fail(err, LH_EINVAL, "--set: the key is longer than %d bytes", KEY_MAX - 1);
    snprintf(key, sizeof(key), "%.*s", (int) (eq - flag), flag);
    if (strncmp(key, "--", 2) == 0)
        named = config_flag_key(key + 2);
    const bool is_known = named != NULL ||
                          config_setting_find(config_settings, CONFIG_SETTINGS, key) >= 0 ||
                          strncmp(key, CONFIG_INSTANCES_KEY, strlen(CONFIG_INSTANCES_KEY)) == 0;

    if (named != NULL)
        snprintf(place, sizeof(place), "%s", key);
    else /* of an unknown key the text names it */
        snprintf(place, sizeof(place), "--set%s%s", is_known ? " " : "", is_known ? key : "");
    const config_input_t in = {.key = named != NULL ? named : key,
                               .node = &node,
                               .place = place,
                               .origin = named != NULL ? key : "--set"};

    return config_set(c, &in, err);
}

int config_set_from_flags(config_t *c, const char *const *flags, lh_error_t *err)
{
    int rc = 0;

    for (; rc == 0 && flags != NULL && *flags != NULL; flags++) {
        rc = set_flag(c, *flags, err);
    }
    return rc;
}

const char *config_flag_key(const char *name)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        if (config_settings[i].flag != NULL && strcmp(config_settings[i].flag, name) == 0)
            return config_settings[i].key;
    }
    return NULL;
}
