/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of the host. One table (config/table.c) declares each setting once: key path,
 * type, default, range, help, secret or not; files, environment and flags are sources that set rows
 * of it, and every value remembers which source set it.
 *
 * Sources, later wins: defaults, file (leasehold.yaml, or section KubeOps of appsettings.json and
 * then of appsettings.<Environment>.json), environment (LEASEHOLD_LEADER_ELECTION_ID or
 * KubeOps__LeaderElectionId), flags. Unknown keys and bad values are errors with file:line:column
 * and the nearest known name.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/log.h"

#include <leasehold/error.h>

enum config_isolation { CONFIG_ISOLATION_THREAD, CONFIG_ISOLATION_PROCESS };
enum config_fencing { CONFIG_FENCING_CLIENT, CONFIG_FENCING_SERVER };
enum config_standby { CONFIG_STANDBY_COLD, CONFIG_STANDBY_WARM };
enum config_ready { CONFIG_READY_ALL, CONFIG_READY_LEADER };
enum config_plugins { CONFIG_PLUGINS_SHOWN, CONFIG_PLUGINS_REQUIRED };

#define CONFIG_WORKERS_DEFAULT 1
#define CONFIG_MAX_IN_FLIGHT_DEFAULT 64
#define CONFIG_QPS_DEFAULT 1000.0
#define CONFIG_BURST_DEFAULT 2000
#define CONFIG_RETRY_QPS_DEFAULT 100.0
#define CONFIG_RETRY_BURST_DEFAULT 1000

/* plugins.instances.<name> */
typedef struct config_instance {
    char *name;
    bool enabled;
    char *plugin;    /* manifest id; the name unless configured */
    int isolation;   /* enum config_isolation */
    int64_t workers; /* default 1 */
    int64_t max_in_flight;
    double qps, retry_qps; /* a second; 0: no limit */
    int64_t burst, retry_burst;
    char **namespaces;     /* NULL-terminated; NULL or empty: all */
    char *service_account; /* of its requests, if fencing is server; never empty after loading */
    int log_level;         /* enum log_level + 1; 0: as the host's */
    char *config_json;     /* section "config" as a JSON object; "{}" when absent */
    char *where;           /* "file:line" of its section, for messages */
} config_instance_t;

typedef struct config {
    char *name; /* identity, unique per replica */

    struct {
        bool enabled;
        char *id;        /* Lease name; never empty after loading */
        char *namespace; /* empty: found at start (docs/configuration.md) */
        int64_t lease_duration, renew_deadline, retry_period; /* ns */
        double clock_skew;
    } leader_election;

    char *kubeconfig; /* empty: $KUBECONFIG, in-cluster, then ~/.kube/config (kube/credentials.h) */
    char *context;    /* of the kubeconfig; empty: its current-context */

    struct {
        char *dir; /* empty: no directory */
        config_instance_t *instances;
        size_t instance_count;
    } plugins;

    char **namespaces; /* of all instances that name none; NULL or empty: all */

    struct {
        int64_t max_lists; /* in flight */
    } watch;

    struct {
        char *address; /* "ADDR:PORT", ":8081"; "0": off */
        int ready;     /* enum config_ready */
        int plugins;   /* enum config_plugins */
    } health;

    struct {
        int level;  /* enum log_level */
        int format; /* enum log_format */
    } log;

    int standby;        /* enum config_standby */
    int fencing;        /* enum config_fencing */
    char **api_servers; /* "ADDR:PORT"; NULL or empty: none are named */

    int64_t drain_timeout, stop_budget; /* ns */
    char *state_dir;                    /* never empty after loading */

    char *files; /* that were read, "appsettings.json, appsettings.Staging.json"; NULL: none */
    struct config_origins *origins; /* of config/: who set each value */
} config_t;

/* Where settings come from. Strings are borrowed during the load. */
typedef struct config_sources {
    const char *file;         /* NULL: ./leasehold.yaml, /etc/leasehold/leasehold.yaml,
                                 ./appsettings.json; two found is an error, none is fine */
    const char *const *env;   /* "NAME=value", NULL-terminated */
    const char *const *flags; /* "key.path=value" of --set, "--health=value" of a flag of its own;
                                 NULL-terminated */
} config_sources_t;

/* Loads and validates. Caller owns *out, free with config_destroy. On failure err names source,
 * place and key. All rules that tie several values together are checked, with the rule in the text
 * (LD*(1-2*skew) >= RD + stopBudget, ...). [any-thread] */
HOST_MUST_USE int config_load(const config_sources_t *sources, config_t **out, lh_error_t *err);
void config_destroy(config_t *c); /* NULL is allowed */

/* The service account of an instance that names none. Caller owns, free(). */
char *config_service_account(const char *instance);

/* What follows from the settings, shown below them; value NULL: nothing. Borrowed. */
typedef struct config_derived {
    const char *key, *value, *origin;
} config_derived_t;

/* One line per setting: key, value, origin ("default", "leasehold.yaml:12", "environment
 * LEASEHOLD_NAME", "--set"). Secrets, and all of an instance's section "config", are shown as
 * "***". derived: one line more, NULL: none. 0 or LH_ENOMEM. */
HOST_MUST_USE int config_print(const config_t *c, const config_derived_t *derived, buf_t *out);
/* The same as a JSON array of {"key", "value", "origin"}. */
HOST_MUST_USE int config_print_json(const config_t *c, const config_derived_t *derived, buf_t *out);

/* A leasehold.yaml with every setting at its default, and comments. */
HOST_MUST_USE int config_template(buf_t *out);
/* A JSON Schema of configuration files; the name of file says of which form, NULL: leasehold.yaml. */
HOST_MUST_USE int config_schema(const char *file, buf_t *out);

/* The settings that have an own flag, for --help: a text with key, default and help. */
HOST_MUST_USE int config_help(buf_t *out);
/* The key that the flag --name sets ("health.address" for "health"), NULL when it is none. Borrowed
 * for ever. */
const char *config_flag_key(const char *name);

#endif
