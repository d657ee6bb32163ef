/* SPDX-License-Identifier: Apache-2.0 */
/* How the sources put their values into the configuration. */
#ifndef CONFIG_SOURCES_H
#define CONFIG_SOURCES_H

#include "config/table.h"

#define CONFIG_PLACE_MAX 512

/* A value on its way. */
typedef struct config_input {
    const char *key; /* full path, "plugins.instances.hello.workers" */
    const config_node_t *node;
    const char *place;  /* begins error texts: "leasehold.yaml:12:5", "environment LEASEHOLD_X" */
    const char *origin; /* "leasehold.yaml:12" */
} config_input_t;

/* Sets what key names. (set.c) */
HOST_MUST_USE int config_set(config_t *c, const config_input_t *in, lh_error_t *err);

/* LH_EINVAL: "PLACE: unknown key 'KEY'; did you mean ...". (set.c) */
int config_unknown_key(const char *place, const char *key, lh_error_t *err);
/* True when settings stand below key. (set.c) */
bool config_is_group(const char *key);

/* The instance called name, made with its defaults when it is not there. Borrowed until the next
 * call, which may move it. (instances.c) */
HOST_MUST_USE int config_instance_get(config_t *c, const char *name, const char *origin,
                                      config_instance_t **out, lh_error_t *err);
/* What stands there when nobody says otherwise. (defaults.c) */
HOST_MUST_USE int config_set_defaults(config_t *c, lh_error_t *err);
HOST_MUST_USE int config_set_instance_defaults(config_instance_t *i, lh_error_t *err);
/* The defaults that come from the surroundings: name, stateDir, and the plugins of instances.
 * system_dir is "/var/lib/leasehold". (defaults.c) */
HOST_MUST_USE int config_complete(config_t *c, const char *const *env, const char *system_dir,
                                  lh_error_t *err);

/* (file.c, env.c, flags.c) */
HOST_MUST_USE int config_set_from_file(config_t *c, const char *path, lh_error_t *err);
/* The name of path says which form the text has. */
HOST_MUST_USE int config_set_from_text(config_t *c, const char *path, const char *text, size_t len,
                                       lh_error_t *err);
HOST_MUST_USE int config_set_from_env(config_t *c, const char *const *env, lh_error_t *err);
/* KubeOps__Name and its like; given: by which settings LEASEHOLD_... has set already. (env_dotnet.c) */
HOST_MUST_USE int config_set_from_dotnet_env(config_t *c, const char *const *env, const bool *given,
                                             lh_error_t *err);
HOST_MUST_USE int config_set_from_flags(config_t *c, const char *const *flags, lh_error_t *err);

/* The value of a variable, NULL when it is not there or empty. Borrowed. (defaults.c) */
const char *config_env_get(const char *const *env, const char *name);

/* The rules that tie several values together. (rules.c) */
HOST_MUST_USE int config_check_rules(const config_t *c, lh_error_t *err);

#endif
