/* SPDX-License-Identifier: Apache-2.0 */
/* How a replica starts, and what it says when it cannot. */
#include "e2e/e2e.h"
#include "kube/credentials.h"
#include "support/relay.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REFUSED = 5000 };

/* Starts with more configuration; expects the end with this status and this text in the log. */
static void expect_refusal(e2e_t *e, replica_options_t o, int status, const char *text)
{
    o.name = "refused";
    o.ns = e->ns;
    replica_t *r = replica_start(&o);
    EXPECT_INT(replica_wait(r, REFUSED), status);
    char *log = replica_log(r);
    EXPECT_HAS(log, text);
    free(log);
    replica_free(r);
}

static void configuration_errors(void *arg)
{
    e2e_t *e = arg;

    expect_refusal(e, (replica_options_t){.lease = "x", .config = "drainTimeot: 3s"}, 2,
                   "unknown key 'drainTimeot'; did you mean 'drainTimeout'?");
    expect_refusal(e, (replica_options_t){.lease = "x", .config = "log: {level: loud}"}, 2,
                   "log.level");
    expect_refusal(e, (replica_options_t){.lease = "x", .durations = "3s/2900ms/500ms"}, 2,
                   "leaseDuration * (1 - 2 * clockSkew) must be at least");
    expect_refusal(e, (replica_options_t){.lease = "x", .durations = "2500ms/1s/200ms"}, 2,
                   "leaderElection.leaseDuration");
    expect_refusal(e, (replica_options_t){.lease = "x", .config = "name: twice"}, 2, "name");
    expect_refusal(e, (replica_options_t){.lease = "x", .kubeconfig = "/nowhere/kubeconfig"}, 2,
                   "/nowhere/kubeconfig");
}

static void an_unwritable_state_directory(void *arg)
{
    e2e_t *e = arg;

    /* /proc is writable for nobody, root included. */
    expect_refusal(e, (replica_options_t){.lease = "x", .state_dir = "/proc/leasehold"}, 2,
                   "emptyDir");
    expect_refusal(e, (replica_options_t){.lease = "x", .state_dir = "/dev/null/state"}, 2,
                   "stateDir");
}

static void an_address_of_another_machine(void *arg)
{
    expect_refusal(arg, (replica_options_t){.lease = "x", .health = "192.0.2.1:8081"}, 2,
                   "192.0.2.1:8081");
}

static void a_port_in_use(void *arg)
{
    e2e_t *e = arg;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    char address[64];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    REQUIRE_INT(bind(fd, (struct sockaddr *) &at, sizeof(at)), 0);
    REQUIRE_INT(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *) &at, &len);
    snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(at.sin_port));
    expect_refusal(e, (replica_options_t){.lease = "x", .health = address}, 1, address);
    close(fd);
}

static void a_plugin_directory_that_cannot_be_read(void *arg)
{
    e2e_t *e = arg;

    expect_refusal(e, (replica_options_t){.lease = "x", .plugins_dir = "/nowhere/plugins"}, 2,
                   "plugins.dir: scan '/nowhere/plugins': No such file or directory");
    expect_refusal(e, (replica_options_t){.lease = "x", .plugins_dir = "/dev/null"}, 2,
                   "plugins.dir: scan '/dev/null': Not a directory");
}

static void an_instance_without_a_plugin_leaves_the_others_alone(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "orphan");
    replica_t *a = replica_start(
        &(replica_options_t){.name = "a",
                             .lease = "orphan",
                             .ns = e->ns,
                             .plugins = (const char *const[]){HELLO_PLUGIN, NULL},
                             .instances = "    nobody: {plugin: nothing-has-this-id}\n"
                                          "    hello: {config: {unknown: 1}}"});
    EXPECT_TRUE(replica_answers(a, "/readyz", 200, 10000));
    EXPECT_TRUE(replica_logged(a, "no usable plugin file has id 'nothing-has-this-id'", 1000));
    EXPECT_TRUE(replica_says(a, "/readyz?verbose", "plugin-nobody", 1000));
    replica_free(a);
}

/* -- Without an API server -- */

typedef struct away {
    relay_t *relay;
    replica_t *replica;
} away_t;

static away_t start_away(e2e_t *e, const char *lease, enum relay_state state)
{
    away_t a = {.relay = relay_open(api_credentials(e->api)->server, state)};
    char server[64];

    snprintf(server, sizeof(server), "https://127.0.0.1:%d", relay_port(a.relay));
    a.replica = replica_start(&(replica_options_t){
        .name = "a",
        .lease = lease,
        .ns = e->ns,
        .kubeconfig = e2e_kubeconfig(e, lease != NULL ? lease : "none", server, NULL),
        .plugins = (const char *const[]){HELLO_PLUGIN, NULL}});
    return a;
}

static void end_away(away_t *a)
{
    replica_free(a->replica);
    relay_close(a->relay);
}

static void expect_waiting(replica_t *r, const char *why)
{
    EXPECT_TRUE(replica_logged(r, why, 15000));
    EXPECT_TRUE(replica_says(r, "/readyz?verbose", "[-]lease-requests failed: get lease: ", 2000));
    EXPECT_TRUE(replica_says(r, "/readyz?verbose", "the Lease has not been seen yet", 2000));
    EXPECT_INT(replica_get(r, "/readyz", NULL), 500);
    EXPECT_INT(replica_get(r, "/livez", NULL), 200);
    EXPECT_INT(replica_get(r, "/leader", NULL), 503);
    EXPECT_TRUE(replica_running(r));
}

static void expect_recovery(e2e_t *e, away_t *a, const char *object)
{
    char text[128];
    const int64_t start = replica_now_ms();

    relay_set(a->relay, RELAY_OPEN);
    EXPECT_TRUE(replica_answers(a->replica, "/readyz", 200, 15000));
    tap_note("ready %lld ms after the API server was there",
             (long long) (replica_now_ms() - start));
    e2e_make_configmap(e, object, NULL);
    snprintf(text, sizeof(text), "/%s is here", object);
    EXPECT_TRUE(replica_logged(a->replica, text, 35000));
    tap_note("first reconcile %lld ms after the API server was there",
             (long long) (replica_now_ms() - start));
}

static void an_api_server_that_is_away_is_waited_for(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "away");
    away_t a = start_away(e, "away", RELAY_AWAY);
    expect_waiting(a.replica, "onnect"); /* "connection refused", "could not connect" */
    expect_recovery(e, &a, "after-away");
    end_away(&a);
}

static void an_api_server_that_is_silent_is_waited_for(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "silent");
    away_t a = start_away(e, "silent", RELAY_FROZEN);
    expect_waiting(a.replica, "WARN");
    expect_recovery(e, &a, "after-silence");
    end_away(&a);
}

static void without_election_an_api_server_is_waited_for_too(void *arg)
{
    e2e_t *e = arg;
    away_t a = start_away(e, NULL, RELAY_AWAY);

    EXPECT_TRUE(replica_logged(a.replica, "waiting for the API server", 10000));
    EXPECT_TRUE(replica_says(a.replica, "/readyz?verbose",
                             "the API server has not been reached yet", 2000));
    EXPECT_INT(replica_get(a.replica, "/readyz", NULL), 500);
    expect_recovery(e, &a, "after-none");
    end_away(&a);
}

static void sigterm_ends_a_replica_that_waits_for_an_api_server(void *arg)
{
    e2e_t *e = arg;
    away_t a = start_away(e, "wait-end", RELAY_AWAY);

    EXPECT_TRUE(replica_logged(a.replica, "onnect", 15000));
    const int64_t start = replica_now_ms();
    replica_signal(a.replica, SIGTERM);
    EXPECT_INT(replica_wait(a.replica, 5000), 0);
    tap_note("ended %lld ms after SIGTERM", (long long) (replica_now_ms() - start));
    end_away(&a);
}

/* Found in plugin/instance.c: the answer of create() undid the state of the end, and the host waited
 * for its drain timeout. */
static void sigterm_at_any_moment_of_the_start(void *arg)
{
    e2e_t *e = arg;

    for (int wait_ms = 0; wait_ms <= 60; wait_ms += 5) {
        replica_t *a = e2e_replica(e, "a", NULL, NULL);
        REQUIRE_TRUE(replica_logged(a, "API server https", 5000)); /* signals are blocked by now */
        usleep((unsigned) wait_ms * 1000);
        const int64_t start = replica_now_ms();
        replica_signal(a, SIGTERM);
        EXPECT_INT(replica_wait(a, 15000), 0);
        EXPECT_TRUE(replica_now_ms() - start < 2000);
        replica_free(a);
    }
}

/* -- Two of a name -- */

static void two_replicas_of_one_name(void *arg)
{
    e2e_t *e = arg;

    e2e_make_lease(e, "twins");
    replica_t *a = e2e_replica(e, "twin", "twins", NULL);
    EXPECT_TRUE(replica_answers(a, "/leader", 200, 10000));
    replica_t *b = e2e_replica(e, "twin", "twins", NULL);
    EXPECT_TRUE(replica_logged(b, "ERROR", 10000));
    EXPECT_TRUE(replica_says(b, "/readyz?verbose",
                             "another live process holds the lease under the name 'twin'", 5000));
    EXPECT_TRUE(replica_metric(b, "leasehold_lease_duplicate_names_total{name=\"twins\"}") >= 1);
    EXPECT_INT(replica_get(b, "/leader", NULL), 503);
    EXPECT_INT(replica_get(a, "/leader", NULL), 200);
    replica_free(a);
    replica_free(b);
}

static const tap_test_t tests[] = {
    {"errors of configuration end it with status 2 and a text", configuration_errors},
    {"a state directory that cannot be written ends it with status 2",
     an_unwritable_state_directory},
    {"a health address of another machine ends it with status 2", an_address_of_another_machine},
    {"a health port in use ends it with status 1", a_port_in_use},
    {"a plugin directory that cannot be read ends it with status 2 (it was 1)",
     a_plugin_directory_that_cannot_be_read},
    {"an instance without a plugin leaves the others alone",
     an_instance_without_a_plugin_leaves_the_others_alone},
    {"an API server that is away at start is waited for", an_api_server_that_is_away_is_waited_for},
    {"an API server that is silent at start is waited for",
     an_api_server_that_is_silent_is_waited_for},
    {"without election an API server is waited for too",
     without_election_an_api_server_is_waited_for_too},
    {"SIGTERM ends a replica that waits for an API server",
     sigterm_ends_a_replica_that_waits_for_an_api_server},
    {"SIGTERM ends it at any moment of the start", sigterm_at_any_moment_of_the_start},
    {"two replicas of one name: the second one says so and does not lead",
     two_replicas_of_one_name},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "startup", tests, sizeof(tests) / sizeof(tests[0]));
}
