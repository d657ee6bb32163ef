/* SPDX-License-Identifier: Apache-2.0 */
#include "config/table.h"

#include <string.h>

static const char *const isolations[] = {"thread", "process", NULL};
static const char *const fencings[] = {"client", "server", NULL};
static const char *const standbys[] = {"cold", "warm", NULL};
static const char *const readies[] = {"all", "leader", NULL};
static const char *const needs[] = {"shown", "required", NULL};
static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const own_levels[] = {"default", "debug", "info", "warn", "error", NULL};
static const char *const formats[] = {"text", "json", NULL};

#define AT(member) .offset = offsetof(config_t, member)
#define AT_INSTANCE(member) .offset = offsetof(config_instance_t, member)

const config_setting_t config_settings[CONFIG_SETTINGS] = {
    {"name", CONFIG_STRING, AT(name), .check = config_check_name, .flag = "name", .metavar = "NAME",
     .help = "identity, unique per replica (default: POD_NAME, else the host name)"},
    {"leaderElection.enabled", CONFIG_BOOL, AT(leader_election.enabled), "true",
     .help = "false: lead at once, without a Lease", .dotnet = "EnableLeaderElection"},
    {"leaderElection.id", CONFIG_STRING, AT(leader_election.id), "leasehold-leader",
     .check = config_check_lease_name, .help = "name of the Lease, the same for all replicas",
     .dotnet = "LeaderElectionId"},
    {"leaderElection.namespace", CONFIG_STRING, AT(leader_election.namespace),
     .check = config_check_namespace_or_empty,
     .help = "of the Lease; empty: POD_NAMESPACE, the service account's, the kubeconfig context's, "
             "else kube-system",
     .dotnet = "LeaderElectionNamespace"},
    {"leaderElection.leaseDuration", CONFIG_DURATION, AT(leader_election.lease_duration), "15s",
     "1s", "24h", .help = "how long others wait for a silent leader; whole seconds",
     .dotnet = "LeaseDuration", .dotnet_alias = "LeaderElectionLeaseDuration"},
    {"leaderElection.renewDeadline", CONFIG_DURATION, AT(leader_election.renew_deadline), "10s",
     "200ms", "24h",
     .help = "how long a leader goes on after its last acknowledged renewal was sent",
     .dotnet = "RenewDeadline", .dotnet_alias = "LeaderElectionRenewDeadline"},
    {"leaderElection.retryPeriod", CONFIG_DURATION, AT(leader_election.retry_period), "2s", "100ms",
     "12h", .help = "time between two renewals", .dotnet = "RetryPeriod",
     .dotnet_alias = "LeaderElectionRetryPeriod"},
    {"leaderElection.clockSkew", CONFIG_FRACTION, AT(leader_election.clock_skew), "0.02", "0",
     "0.25", .help = "rate error of any one clock, as a fraction", .dotnet = "ClockSkew"},
    {"kubeconfig", CONFIG_STRING, AT(kubeconfig), .flag = "kubeconfig", .metavar = "FILE",
     .help = "kubeconfig file; empty: $KUBECONFIG, else in-cluster credentials, else "
             "~/.kube/config"},
    {"context", CONFIG_STRING, AT(context), .flag = "context", .metavar = "NAME",
     .help = "context of the kubeconfig; empty: its current-context"},
    {"plugins.dir", CONFIG_STRING, AT(plugins.dir), .flag = "plugins", .metavar = "DIR",
     .help = "directory whose .so files are loaded; empty: none"},
    {"namespaces", CONFIG_LIST, AT(namespaces), .check = config_check_namespace,
     .help = "what instances watch that name no namespaces; empty: all",
     .dotnet_alias = "Namespace"},
    {"watch.maxLists", CONFIG_INTEGER, AT(watch.max_lists), "8", "1", "1000",
     .help = "lists that are read at a time; more wait for their turn"},
    {"health.address", CONFIG_STRING, AT(health.address), ":8081", .check = config_check_address,
     .flag = "health", .metavar = "ADDR:PORT",
     .help = "where health and metrics are served; 0: nowhere"},
    {"health.ready", CONFIG_CHOICE, AT(health.ready), "all", .choices = readies,
     .help = "leader: only the leader is ready"},
    {"health.plugins", CONFIG_CHOICE, AT(health.plugins), "shown", .choices = needs,
     .help = "required: a replica is not ready while one of its plugins does not work"},
    {"log.level", CONFIG_CHOICE, AT(log.level), "info", .choices = levels,
     .help = "lowest level that is logged"},
    {"log.format", CONFIG_CHOICE, AT(log.format), "text", .choices = formats,
     .help = "form of a log line"},
    {"drainTimeout", CONFIG_DURATION, AT(drain_timeout), "10s", "0s", "1h",
     .help = "how long a voluntary stop waits for reconciles and writes, all together"},
    {"stopBudget", CONFIG_DURATION, AT(stop_budget), "200ms", "50ms", "1h",
     .help = "how long a forced stop waits for reconciles"},
    {"standby", CONFIG_CHOICE, AT(standby), "cold", .choices = standbys,
     .help = "warm: the caches follow while another replica leads (docs/standby.md)"},
    {"fencing", CONFIG_CHOICE, AT(fencing), "client", .choices = fencings,
     .help = "server: the API server too refuses writes of a former term (docs/fencing.md)"},
    {"apiServers", CONFIG_LIST, AT(api_servers), .check = config_check_api_server,
     .help = "ADDR:PORT of API servers behind a load balancer, which fencing: server asks as well"},
    {"stateDir", CONFIG_STRING, AT(state_dir),
     .help = "directory for state (default: STATE_DIRECTORY, else /var/lib/leasehold, else "
             "leasehold in XDG_STATE_HOME)"},
};

const config_setting_t config_instance_settings[CONFIG_INSTANCE_SETTINGS] = {
    {"enabled", CONFIG_BOOL, AT_INSTANCE(enabled), "true",
     .help = "false: it does not run, nor does its plugin without it"},
    {"plugin", CONFIG_STRING, AT_INSTANCE(plugin),
     .help = "manifest id; empty: the instance's name"},
    {"isolation", CONFIG_CHOICE, AT_INSTANCE(isolation), "thread", .choices = isolations,
     .help = "process: in a process of its own"},
    {"workers", CONFIG_INTEGER, AT_INSTANCE(workers), "1", "1", "256",
     .help = "threads that reconcile"},
    {"maxInFlight", CONFIG_INTEGER, AT_INSTANCE(max_in_flight), "64", "1", "65536",
     .help = "reconciles begun and not completed"},
    {"qps", CONFIG_FRACTION, AT_INSTANCE(qps), "1000", "0", "1000000",
     .help = "requests of the plugin a second; 0: no limit"},
    {"burst", CONFIG_INTEGER, AT_INSTANCE(burst), "2000", "1", "1000000",
     .help = "requests of the plugin at once, before qps holds them back"},
    {"retryQPS", CONFIG_FRACTION, AT_INSTANCE(retry_qps), "100", "0", "1000000",
     .help = "failed keys that are tried again a second, beside the back-off of each; 0: no limit"},
    {"retryBurst", CONFIG_INTEGER, AT_INSTANCE(retry_burst), "1000", "1", "1000000",
     .help = "failed keys at once, before retryQPS holds them back"},
    {"namespaces", CONFIG_LIST, AT_INSTANCE(namespaces), .check = config_check_namespace,
     .help = "what is watched; empty: as the host's namespaces"},
    {"serviceAccount", CONFIG_STRING, AT_INSTANCE(service_account),
     .check = config_check_service_account,
     .help = "as which it asks with fencing: server; empty: leasehold-<instance>"},
    {"logLevel", CONFIG_CHOICE, AT_INSTANCE(log_level), "default", .choices = own_levels,
     .help = "lowest level of it that is logged; default: log.level"},
    {"config", CONFIG_OBJECT, AT_INSTANCE(config_json), "{}", .secret = true,
     .help = "the plugin's own section"},
};

int config_setting_find(const config_setting_t *table, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].key, key) == 0)
            return (int) i;
    }
    return -1;
}

void config_env_name(const char *key, char out[CONFIG_ENV_MAX])
{
    static const char prefix[] = "LEASEHOLD_";
    size_t n = sizeof(prefix) - 1;

    memcpy(out, prefix, n);
    for (; *key != '\0' && n < CONFIG_ENV_MAX - 2; key++) {
        if (*key >= 'A' && *key <= 'Z')
            out[n++] = '_';
        out[n++] = *key == '.' ? '_' : *key >= 'a' && *key <= 'z' ? (char) (*key - 32) : *key;
    }
    out[n] = '\0';
}
