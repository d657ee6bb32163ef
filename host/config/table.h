/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of settings, and values of its types: text in, text out. */
#ifndef CONFIG_TABLE_H
#define CONFIG_TABLE_H

#include "config/config.h"
#include "config/node.h"

enum config_type {
    CONFIG_STRING,   /* char * */
    CONFIG_BOOL,     /* bool */
    CONFIG_DURATION, /* int64_t, ns */
    CONFIG_INTEGER,  /* int64_t */
    CONFIG_FRACTION, /* double */
    CONFIG_CHOICE,   /* int, index into choices */
    CONFIG_LIST,     /* char **, NULL-terminated */
    CONFIG_OBJECT    /* char *, a JSON object */
};

typedef struct config_setting {
    const char *key; /* path; for settings of an instance the name alone */
    enum config_type type;
    size_t offset;              /* of the value in config_t or config_instance_t */
    const char *fallback;       /* the default, written as in a file; NULL: empty */
    const char *min, *max;      /* numbers and durations */
    const char *const *choices; /* ends with NULL */
    /* A further rule for a string, or for each entry of a list. */
    int (*check)(const char *text, lh_error_t *err);
    const char *flag;    /* its own flag without dashes; NULL: --set only */
    const char *metavar; /* of the flag */
    bool secret;         /* never printed */
    const char *help;
    /* Its name in appsettings.json where that is not the key in upper camel case, and another one
     * that means the same; NULL: none. */
    const char *dotnet, *dotnet_alias;
} config_setting_t;

#define CONFIG_SETTINGS 24
#define CONFIG_INSTANCE_SETTINGS 13
#define CONFIG_INSTANCES_KEY "plugins.instances"

extern const config_setting_t config_settings[CONFIG_SETTINGS];
extern const config_setting_t config_instance_settings[CONFIG_INSTANCE_SETTINGS];

/* Who set a value; strings are owned. */
struct config_origins {
    char *of[CONFIG_SETTINGS];
    struct config_instance_origins {
        char *of[CONFIG_INSTANCE_SETTINGS];
    } * instances; /* as many as config_t has */
};

static inline config_node_t config_text_node(const char *text)
{
    return (config_node_t){.text = (char *) (uintptr_t) text};
}

/* The index of key, -1 when there is none. */
int config_setting_find(const config_setting_t *table, size_t count, const char *key);

/* "LEASEHOLD_LEADER_ELECTION_ID" for "leaderElection.id". */
#define CONFIG_ENV_MAX 128
void config_env_name(const char *key, char out[CONFIG_ENV_MAX]);

/* -- Checks of the table (checks.c) -- */

int config_check_name(const char *text, lh_error_t *err);
int config_check_lease_name(const char *text, lh_error_t *err); /* or empty */
int config_check_namespace(const char *text, lh_error_t *err);
int config_check_namespace_or_empty(const char *text, lh_error_t *err);
int config_check_instance_name(const char *text, lh_error_t *err);
int config_check_service_account(const char *text, lh_error_t *err); /* or empty */
int config_check_api_server(const char *text, lh_error_t *err);
int config_check_address(const char *text, lh_error_t *err);

/* -- Values (value.c, duration.c) -- */

/* Sets the value of `setting` in base (a config_t or config_instance_t) from node; on failure the
 * old value stays. Text that is not from a file (line 0) is split at commas for a list and read as
 * YAML for an object. Error texts say what is wrong, not where. */
HOST_MUST_USE int config_value_set(const config_setting_t *setting, void *base,
                                   const config_node_t *node, lh_error_t *err);
/* Appends the value, as it could be written in a file. */
void config_value_print(const config_setting_t *setting, const void *base, buf_t *out);
/* Appends the value as JSON. */
void config_value_json(const config_setting_t *setting, const void *base, buf_t *out);
void config_value_free(const config_setting_t *setting, void *base);

/* "15s", "500ms", "1m30s", "1.5h", "15" (seconds), "00:00:15". */
HOST_MUST_USE int config_duration_parse(const char *text, int64_t *ns, lh_error_t *err);
/* The shortest form of units, "1m30s". */
void config_duration_print(int64_t ns, buf_t *out);

#endif
