/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/sources.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int set_fallbacks(const config_setting_t *table, size_t count, void *base, lh_error_t *err)
{
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *s = &table[i];

        if (s->fallback == NULL) {
            if (s->type == CONFIG_STRING)
                *(char **) ((char *) base + s->offset) = host_xstrdup("");
            continue;
        }
        const config_node_t node = config_text_node(s->fallback);
        const int rc = config_value_set(s, base, &node, err);

        if (rc < 0)
            return host_error_wrap(err, rc, "default of %s", s->key);
    }
    return 0;
}

int config_set_defaults(config_t *c, lh_error_t *err)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        c->origins->of[i] = host_xstrdup("default");
    }
    return set_fallbacks(config_settings, CONFIG_SETTINGS, c, err);
}

int config_set_instance_defaults(config_instance_t *i, lh_error_t *err)
{
    return set_fallbacks(config_instance_settings, CONFIG_INSTANCE_SETTINGS, i, err);
}

const char *config_env_get(const char *const *env, const char *name)
{
    const size_t len = strlen(name);

    for (; env != NULL && *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=' && (*env)[len + 1] != '\0')
            return *env + len + 1;
    }
    return NULL;
}

static int set(config_t *c, const char *key, const char *value, const char *place,
               const char *origin, lh_error_t *err)
{
    const config_node_t node = config_text_node(value);
    const config_input_t in = {.key = key, .node = &node, .place = place, .origin = origin};

    return config_set(c, &in, err);
}

static int complete_name(config_t *c, const char *const *env, lh_error_t *err)
{
    const char *pod = config_env_get(env, "POD_NAME");
    char host[256] = "";

    if (pod != NULL)
        return set(c, "name", pod, "environment POD_NAME", "environment POD_NAME", err);
    if (gethostname(host, sizeof(host) - 1) < 0)
        return host_fail(err, LH_EIO, "host name: %s", strerror(errno));
    return set(c, "name", host, "host name", "host name", err);
}

static bool is_usable(const char *dir)
{
    return access(dir, W_OK | X_OK) == 0;
}

/* Usable, or missing in a directory where it can be made. */
static bool can_be_made(const char *dir)
{
    if (access(dir, F_OK) == 0 || errno != ENOENT)
        return is_usable(dir);
    host_cleanup(host_freep) char *parent = host_xstrdup(dir);
    char *slash = strrchr(parent, '/');

    if (slash == NULL)
        return is_usable(".");
    slash[slash == parent] = '\0';
    return is_usable(parent);
}

static int complete_state_dir(config_t *c, const char *const *env, const char *system_dir,
                              lh_error_t *err)
{
    const char *given = config_env_get(env, "STATE_DIRECTORY"), *home;
    host_cleanup(host_freep) char *dir = NULL;
    const char *origin = "default";

    if (given != NULL) { /* systemd gives several separated by ':' */
        dir = host_xprintf("%.*s", (int) strcspn(given, ":"), given);
        origin = "environment STATE_DIRECTORY";
    } else if (can_be_made(system_dir)) {
        dir = host_xstrdup(system_dir);
    } else if ((home = config_env_get(env, "XDG_STATE_HOME")) != NULL && *home == '/') {
        dir = host_xprintf("%s/leasehold", home);
        origin = "environment XDG_STATE_HOME";
    } else if ((home = config_env_get(env, "HOME")) != NULL) {
        dir = host_xprintf("%s/.local/state/leasehold", home);
        origin = "environment HOME";
    } else {
        dir = host_xstrdup(system_dir);
    }
    return set(c, "stateDir", dir, origin, origin, err);
}

char *config_service_account(const char *instance)
{
    return host_xprintf("leasehold-%s", instance);
}

int config_complete(config_t *c, const char *const *env, const char *system_dir, lh_error_t *err)
{
    int rc = 0;

    /* An empty text that was set on purpose asks for the default too, but for the name, which
     * refuses it. */
    if (*c->name == '\0')
        rc = complete_name(c, env, err);
    if (rc == 0 && *c->leader_election.id == '\0')
        rc = set(c, "leaderElection.id", "leasehold-leader", "default", "default", err);
    if (rc == 0 && *c->state_dir == '\0')
        rc = complete_state_dir(c, env, system_dir, err);
    for (size_t i = 0; i < c->plugins.instance_count; i++) {
        config_instance_t *instance = &c->plugins.instances[i];

        if (*instance->plugin == '\0') {
            free(instance->plugin);
            instance->plugin = host_xstrdup(instance->name);
        }
        if (*instance->service_account == '\0') {
            free(instance->service_account);
            instance->service_account = config_service_account(instance->name);
        }
    }
    return rc;
}
