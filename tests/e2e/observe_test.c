/* SPDX-License-Identifier: Apache-2.0 */
/* What people and scrapers see of running replicas: metrics, log, status. Brings its own API server,
 * leasehold dev. */
#include "support/api.h"
#include "support/replica.h"
#include "support/tap.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 15000 }; /* ms */

#define CONFIGMAPS "/api/v1/namespaces/default/configmaps"

typedef struct observe {
    char dir[64];
    char kubeconfig[128];
    pid_t server;
    api_t *api;
    replica_t *a, *b; /* a leads */
} observe_t;

/* -- Processes -- */

/* Starts argv with in and out as standard input and output (and error); in NULL: none. */
static pid_t spawn(const char *const *argv, const char *in, const char *out)
{
    fflush(stdout);
    const pid_t pid = fork();

    if (pid == 0) {
        const int from = open(in != NULL ? in : "/dev/null", O_RDONLY | O_CLOEXEC);
        const int to = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        dup2(from, STDIN_FILENO);
        dup2(to, STDOUT_FILENO);
        dup2(to, STDERR_FILENO);
        execvp(argv[0], (char *const *) argv);
        _exit(127);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 20);

    if (f != NULL) {
        text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
        fclose(f);
    }
    return text;
}

static void spill(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    REQUIRE_TRUE(f != NULL);
    fputs(text, f);
    fclose(f);
}

static void remove_dir(const char *dir)
{
    const char *const argv[] = {"rm", "-rf", dir, NULL};

    wait_for(spawn(argv, NULL, "/dev/null"));
}

/* -- The replicas -- */

static bool start_server(observe_t *o)
{
    const char *const argv[] = {LEASEHOLD_BINARY, "dev",     "--listen", "127.0.0.1:0", "--dir",
                                o->dir,           "--plain", "--quiet",  NULL};
    char out[128];

    snprintf(out, sizeof(out), "%s/out", o->dir);
    snprintf(o->kubeconfig, sizeof(o->kubeconfig), "%s/kubeconfig", o->dir);
    o->server = spawn(argv, NULL, out);
    for (int i = 0; i < LIMIT / 10; i++) {
        char *text = slurp(out);
        const bool up = strstr(text, "export KUBECONFIG=") != NULL;

        free(text);
        if (up)
            return true;
        usleep(10000);
    }
    return false;
}

static replica_t *start_replica(const observe_t *o, const char *name)
{
    static const char *const plugins[] = {SPEAKER_PLUGIN, NULL};

    return replica_start(&(replica_options_t){
        .name = name,
        .lease = "observed",
        .ns = "default",
        .kubeconfig = o->kubeconfig,
        .plugins = plugins,
        .instances = "    speaker: {}\n    quiet: {plugin: speaker, logLevel: warn}\n"
                     "    apart: {plugin: speaker, isolation: process}",
        .config = "log: {format: json}"});
}

static bool made(observe_t *o, const char *name)
{
    API_REPLY r = api_post(o->api, CONFIGMAPS, "{\"metadata\":{\"name\":\"%s\"}}", name);

    return r.status == 201;
}

static void a_leader_and_a_standby_come_up(void *arg)
{
    observe_t *o = arg;

    snprintf(o->dir, sizeof(o->dir), "/tmp/leasehold-observe-XXXXXX");
    REQUIRE_TRUE(mkdtemp(o->dir) != NULL);
    REQUIRE_TRUE(start_server(o));
    o->api = api_open(o->kubeconfig);
    API_REPLY lease = api_post(o->api, "/apis/coordination.k8s.io/v1/namespaces/default/leases",
                               "{\"metadata\":{\"name\":\"observed\"}}");
    REQUIRE_INT(lease.status, 201);
    o->a = start_replica(o, "a");
    REQUIRE_TRUE(replica_answers(o->a, "/leader", 200, LIMIT));
    o->b = start_replica(o, "b");
    REQUIRE_TRUE(replica_answers(o->b, "/readyz", 200, LIMIT));
    REQUIRE_TRUE(made(o, "good"));
    REQUIRE_TRUE(made(o, "bad"));
    REQUIRE_TRUE(replica_says(o->a, "/metrics",
                              "controller_runtime_reconcile_errors_total{controller=\"apart\"} 1",
                              LIMIT));
    REQUIRE_TRUE(replica_logged(o->a, "speaker informs of good", LIMIT));
}

static void stop(observe_t *o)
{
    replica_free(o->a);
    replica_free(o->b);
    if (o->api != NULL)
        api_close(o->api);
    if (o->server > 0) {
        kill(o->server, SIGTERM);
        EXPECT_INT(wait_for(o->server), 0);
    }
    if (o->dir[0] != '\0')
        remove_dir(o->dir);
}

/* -- Metrics -- */

static const char *promtool(void)
{
    const char *path = getenv("LEASEHOLD_TEST_PROMTOOL");

    return path != NULL ? path : "promtool"; /* ./dev test fetches it */
}

/* The page of r in the file "page" of the folder; accept NULL: for whoever asks. */
static char *take_page(const observe_t *o, replica_t *r, const char *accept, char path[128])
{
    char kubeconfig[128], text[256];

    snprintf(kubeconfig, sizeof(kubeconfig), "%s/scraper", o->dir);
    snprintf(
        text, sizeof(text),
        "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
        "clusters: [{name: x, cluster: {server: \"http://127.0.0.1:%d\"}}]\n"
        "users: [{name: x, user: {}}]\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n",
        replica_port(r));
    spill(kubeconfig, text);
    api_t *scraper = api_open(kubeconfig);
    API_REPLY page =
        api_ask(scraper, &(api_request_t){.method = "GET", .path = "/metrics", .accept = accept});

    EXPECT_INT(page.status, 200);
    EXPECT_HAS(page.type, accept != NULL ? accept : "text/plain; version=0.0.4");
    api_close(scraper);
    snprintf(path, 128, "%s/page", o->dir);
    spill(path, page.text);
    return strdup(page.text);
}

static void expect_clean(const observe_t *o, replica_t *r)
{
    const char *const argv[] = {promtool(), "check", "metrics", NULL};
    char page[128], out[128];
    char *text = take_page(o, r, NULL, page);

    snprintf(out, sizeof(out), "%s/found", o->dir);
    EXPECT_INT(wait_for(spawn(argv, page, out)), 0);
    char *found = slurp(out);
    EXPECT_STR(found, "");
    free(found);
    free(text);
}

static void promtool_finds_nothing_in_the_pages_of_leader_and_standby(void *arg)
{
    const observe_t *o = arg;
    const char *const argv[] = {promtool(), "check", "metrics", NULL};
    char page[128], out[128];

    expect_clean(o, o->a);
    expect_clean(o, o->b);
    /* and it does find what is wrong */
    snprintf(page, sizeof(page), "%s/page", o->dir);
    snprintf(out, sizeof(out), "%s/found", o->dir);
    spill(page, "# TYPE x counter\nx 1\n");
    EXPECT_INT(wait_for(spawn(argv, page, out)), 3);
}

/* Every sample with a time, which is what promtool's reader of OpenMetrics asks for. */
static void add_times(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    REQUIRE_TRUE(f != NULL);
    for (const char *end; *text != '\0'; text = end + 1) {
        end = strchr(text, '\n');
        REQUIRE_TRUE(end != NULL);
        fprintf(f, "%.*s%s\n", (int) (end - text), text, *text != '#' ? " 1700000000" : "");
    }
    fclose(f);
}

static void prometheus_reads_the_openmetrics_page(void *arg)
{
    const observe_t *o = arg;
    char page[128], blocks[128], out[128];
    const char *const argv[] = {promtool(), "tsdb", "create-blocks-from", "openmetrics", page,
                                blocks,     NULL};
    char *text = take_page(o, o->a, "application/openmetrics-text; version=1.0.0", page);

    snprintf(blocks, sizeof(blocks), "%s/blocks", o->dir);
    snprintf(out, sizeof(out), "%s/found", o->dir);
    EXPECT_HAS(text, "\n# TYPE controller_runtime_reconcile counter\n");
    EXPECT_HAS(text,
               "\nleasehold_plugin_speaker_words_total{controller=\"speaker\",of=\"good\"} 0.5\n");
    EXPECT_HAS(text, "of=\"quote \\\" slash \\\\ line\\nend \xef\xbf\xbd \xc3\xa9\"}");
    add_times(page, text);
    EXPECT_INT(wait_for(spawn(argv, NULL, out)), 0);
    char *found = slurp(out);
    EXPECT_HAS(found, "SAMPLES");
    free(found);
    free(text);
}

static void the_page_names_everything_that_dashboards_ask_for(void *arg)
{
    static const char *const series[] = {
        "leader_election_master_status{name=\"observed\"} 1\n",
        "leasehold_lease_gate_open{name=\"observed\"} 1\n",
        "leasehold_lease_age_seconds{name=\"observed\"} ",
        "leasehold_plugin_state{controller=\"quiet\",state=\"active\"} 1\n",
        "controller_runtime_reconcile_total{controller=\"speaker\",result=\"success\"} ",
        "controller_runtime_reconcile_total{controller=\"speaker\",result=\"requeue\"} 0\n",
        "controller_runtime_reconcile_panics_total{controller=\"speaker\"} 0\n",
        "controller_runtime_reconcile_timeouts_total{controller=\"speaker\"} 0\n",
        "controller_runtime_reconcile_time_seconds_bucket{controller=\"speaker\",le=\"0.005\"} ",
        "controller_runtime_max_concurrent_reconciles{controller=\"speaker\"} 1\n",
        "workqueue_depth{name=\"speaker\",controller=\"speaker\",priority=\"0\"} ",
        "workqueue_queue_duration_seconds_bucket{name=\"speaker\",controller=\"speaker\",le=\"1e-"
        "08\"} ",
        "rest_client_requests_total{code=\"200\",method=\"PUT\",host=\"127.0.0.1:",
        "rest_client_request_size_bytes_bucket{verb=\"PUT\",host=\"127.0.0.1:",
        "rest_client_response_size_bytes_bucket{verb=\"GET\",host=\"127.0.0.1:",
        "informer_store_resource_version{name=\"default\",group=\"\",version=\"v1\",resource="
        "\"configmaps\"} ",
    };
    observe_t *o = arg;
    char *page = NULL;

    EXPECT_INT(replica_get(o->a, "/metrics", &page), 200);
    for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++)
        EXPECT_HAS(page, series[i]);
    free(page);
}

/* -- Logs -- */

/* The first line of r's log whose msg begins with text and whose controller is this one. Caller frees. */
static cJSON *line_of(replica_t *r, const char *controller, const char *text)
{
    char *log = replica_log(r), *rest = log;
    cJSON *found = NULL;

    for (char *line; found == NULL && (line = strsep(&rest, "\n")) != NULL;) {
        cJSON *json = cJSON_Parse(line);

        if (json != NULL && strcmp(api_str(json, "/controller"), controller) == 0 &&
            strncmp(api_str(json, "/msg"), text, strlen(text)) == 0)
            found = json;
        else
            cJSON_Delete(json);
    }
    free(log);
    return found;
}

static void expect_fields(replica_t *r, const char *controller, const char *text, const char *name,
                          char id[64])
{
    cJSON *line = line_of(r, controller, text);

    if (!EXPECT_TRUE(line != NULL)) {
        tap_note("no line '%s' of %s", text, controller);
        return;
    }
    EXPECT_STR(api_str(line, "/namespace"), "default");
    EXPECT_STR(api_str(line, "/name"), name);
    EXPECT_STR(api_str(line, "/term"), "1");
    EXPECT_INT(strlen(api_str(line, "/reconcileID")), 36);
    snprintf(id, 64, "%s", api_str(line, "/reconcileID"));
    cJSON_Delete(line);
}

static void every_line_of_a_reconcile_has_its_fields(void *arg)
{
    static const char *const controllers[] = {"speaker", "apart"};
    observe_t *o = arg;

    for (size_t i = 0; i < 2; i++) {
        char good[64] = "", bad[64] = "", failed[64] = "";

        expect_fields(o->a, controllers[i], "speaker informs of good", "good", good);
        expect_fields(o->a, controllers[i], "speaker informs of bad", "bad", bad);
        expect_fields(o->a, controllers[i], "reconcile failed, will be tried again", "bad", failed);
        EXPECT_TRUE(strcmp(good, bad) != 0);
        EXPECT_STR(failed, bad);
        cJSON *activated = line_of(o->a, controllers[i], "speaker is activated");
        EXPECT_STR(api_str(activated, "/term"), "1");
        EXPECT_TRUE(api_at(activated, "/reconcileID") == NULL);
        cJSON_Delete(activated);
    }
    EXPECT_TRUE(line_of(o->a, "quiet", "speaker informs of good") == NULL);
    cJSON *failed = line_of(o->a, "quiet", "reconcile failed, will be tried again");
    EXPECT_TRUE(failed != NULL);
    cJSON_Delete(failed);
}

/* Runs a verb beside the replica; true when it ends with status and prints text. */
static bool asks(const replica_t *r, const char *const *verb, int status, const char *text)
{
    char *out = NULL;
    const int got = replica_ask(r, verb, &out);
    const bool fine = got == status && strstr(out, text) != NULL;

    if (!fine)
        tap_note("'%s' ends with %d and says: %s", verb[0], got, out);
    free(out);
    return fine;
}

#define VERB(...) ((const char *const[]){__VA_ARGS__, NULL})

static void levels_change_at_run_time(void *arg)
{
    observe_t *o = arg;

    EXPECT_TRUE(asks(o->a, VERB("log-level"), 0, "warn    quiet\n"));
    EXPECT_TRUE(asks(o->a, VERB("log-level", "speaker", "debug"), 0, "debug   speaker\n"));
    EXPECT_TRUE(made(o, "second"));
    EXPECT_TRUE(replica_logged(o->a, "speaker debugs second", LIMIT));
    EXPECT_TRUE(replica_logged(o->a, "speaker informs of second", LIMIT));
    EXPECT_TRUE(line_of(o->a, "apart", "speaker debugs") == NULL);
    EXPECT_TRUE(
        asks(o->a, VERB("log-level", "speaker", "default"), 0, "info    speaker, as the host\n"));
    EXPECT_TRUE(asks(o->a, VERB("log-level", "error"), 0, "error   (host)\n"));
    EXPECT_TRUE(made(o, "bad-third")); /* an error: its line marks the end of the lines before */
    EXPECT_TRUE(replica_logged(o->a, "speaker fails for bad-third", LIMIT));
    EXPECT_TRUE(line_of(o->a, "speaker", "speaker informs of bad-third") == NULL);
    EXPECT_TRUE(asks(o->a, VERB("log-level", "info"), 0, "info    (host)\n"));
    EXPECT_TRUE(asks(o->a, VERB("log-level", "none", "info"), 1, "no plugin instance 'none' runs"));
    EXPECT_TRUE(asks(o->a, VERB("log-level", "speakr", "info"), 1, "; did you mean 'speaker'?"));
    EXPECT_TRUE(asks(o->a, VERB("log-level", "speaker", "loud"), 1,
                     "level 'loud': not one of debug, info, warn, error, default"));
}

/* -- Status -- */

static cJSON *ask_json(const replica_t *r, const char *const *verb, int status)
{
    char *out = NULL;

    EXPECT_INT(replica_ask(r, verb, &out), status);
    cJSON *json = cJSON_Parse(out);
    if (json == NULL)
        tap_note("no JSON: %s", out);
    free(out);
    REQUIRE_TRUE(json != NULL);
    return json;
}

static void expect_leader(const cJSON *status)
{
    EXPECT_STR(api_str(status, "/identity"), "a");
    EXPECT_STR(api_str(status, "/state"), "leading");
    EXPECT_STR(api_str(status, "/election/holder"), "a");
    EXPECT_STR(api_str(status, "/election/term"), "1");
    EXPECT_INT(strlen(api_str(status, "/election/since")), strlen("2026-01-02T03:04:05.000006Z"));
    EXPECT_STR(api_str(status, "/plugins/0/name"), "speaker");
    EXPECT_STR(api_str(status, "/plugins/0/state"), "active");
    EXPECT_STR(api_str(status, "/plugins/2/name"), "apart");
    EXPECT_STR(api_str(status, "/plugins/2/isolation"), "process");
    EXPECT_TRUE(api_int(status, "/plugins/2/reconciles") >= 2);
    EXPECT_TRUE(api_int(status, "/plugins/2/errors") >= 1);
    EXPECT_STR(api_str(status, "/caches/0/resource"), "configmaps");
    EXPECT_STR(api_str(status, "/caches/0/namespace"), "default");
    EXPECT_TRUE(api_int(status, "/caches/0/objects") >= 2);
}

static void status_of_the_host_itself(void *arg)
{
    const observe_t *o = arg;
    cJSON *leader = ask_json(o->a, VERB("status", "-o", "json"), 0);
    cJSON *standby = ask_json(o->b, VERB("status", "-o", "json"), 0);

    expect_leader(leader);
    EXPECT_STR(api_str(standby, "/state"), "standby");
    EXPECT_STR(api_str(standby, "/election/holder"), "a");
    EXPECT_STR(api_str(standby, "/election/leaseDuration"), "3");
    const double wait = cJSON_GetNumberValue(api_at(standby, "/election/secondsToWait"));
    EXPECT_TRUE(wait > 0 && wait <= 3);
    EXPECT_STR(api_str(standby, "/plugins/0/state"), "standby");
    EXPECT_TRUE(api_at(standby, "/caches/0") == NULL);
    EXPECT_TRUE(asks(o->a, VERB("status"), 0, "\nspeaker  active "));
    cJSON_Delete(leader);
    cJSON_Delete(standby);
}

static void status_of_replicas_by_their_health_ports(void *arg)
{
    const observe_t *o = arg;
    char a[64], b[64], line[128];

    snprintf(a, sizeof(a), "http://127.0.0.1:%d", replica_port(o->a));
    snprintf(b, sizeof(b), "127.0.0.1:%d/", replica_port(o->b));
    cJSON *both = ask_json(o->a, VERB("status", "-o", "json", "--url", a, "--url", b), 0);
    expect_leader(api_at(both, "/replicas/0/status"));
    EXPECT_STR(api_str(both, "/replicas/1/url"), b);
    EXPECT_STR(api_str(both, "/replicas/1/status/identity"), "b");
    cJSON_Delete(both);
    snprintf(line, sizeof(line), "%s  a             leading       a  ", a);
    EXPECT_TRUE(asks(o->a, VERB("status", "--url", a, "--url", b), 0, line));
    EXPECT_TRUE(asks(o->a, VERB("status", "--url", a), 0, "deadline in "));
    EXPECT_TRUE(asks(o->a, VERB("status", "--url", a, "--url", "http://127.0.0.1:1"), 1, line));
    EXPECT_TRUE(asks(o->a, VERB("status", "--url", "http://127.0.0.1:1"), 1, "no answer: "));
}

static void status_by_the_lease_alone(void *arg)
{
    const observe_t *o = arg;
    cJSON *lease = ask_json(o->b, VERB("status", "-o", "json", "--lease"), 0);

    EXPECT_STR(api_str(lease, "/lease"), "observed");
    EXPECT_STR(api_str(lease, "/namespace"), "default");
    EXPECT_STR(api_str(lease, "/state"), "held");
    EXPECT_STR(api_str(lease, "/holder"), "a");
    EXPECT_STR(api_str(lease, "/term"), "1");
    EXPECT_STR(api_str(lease, "/leaseDuration"), "3");
    EXPECT_INT(strlen(api_str(lease, "/since")), strlen("2026-01-02T03:04:05.000006Z"));
    EXPECT_TRUE(cJSON_IsNumber(api_at(lease, "/leaseAge")) &&
                api_at(lease, "/leaseAge")->valuedouble < 3);
    const double left = cJSON_GetNumberValue(api_at(lease, "/secondsToExpiry"));
    EXPECT_TRUE(left > 0 && left <= 3);
    cJSON_Delete(lease);
    EXPECT_TRUE(asks(o->b, VERB("status", "--lease"), 0, "holder      a\n"));
    EXPECT_TRUE(asks(o->b, VERB("status", "--lease", "--set", "leaderElection.id=none"), 0,
                     "state       absent\n"));
    API_REPLY free = api_post(o->api, "/apis/coordination.k8s.io/v1/namespaces/default/leases",
                              "{\"metadata\":{\"name\":\"idle\"},\"spec\":{\"holderIdentity\":"
                              "\"old\",\"renewTime\":\"2026-01-02T03:04:05.000006Z\","
                              "\"leaseDurationSeconds\":15}}");
    EXPECT_INT(free.status, 201);
    EXPECT_TRUE(asks(o->b, VERB("status", "--lease", "--set", "leaderElection.id=idle"), 0,
                     "state       expired\n"));
    EXPECT_TRUE(asks(o->b, VERB("status", "--lease", "--set", "leaderElection.id=idle"), 0,
                     "expires in  -\n"));
    EXPECT_TRUE(
        asks(o->b, VERB("status", "--lease", "--kubeconfig", "/nonexistent"), 1, "/nonexistent"));
}

/* -- Plugins that are refused -- */

#define ODD "odd \"file\".so"

/* A replica that leads without election. Its directory holds a text, and of its instances one has no
 * plugin. */
static replica_t *start_refused(const observe_t *o, const char *env)
{
    char dir[96], path[128];

    snprintf(dir, sizeof(dir), "%s/refused", o->dir);
    snprintf(path, sizeof(path), "%s/" ODD, dir);
    mkdir(dir, 0700);
    spill(path, "no plugin");
    return replica_start(&(replica_options_t){.name = "refused",
                                              .ns = "default",
                                              .kubeconfig = o->kubeconfig,
                                              .plugins_dir = dir,
                                              .instances = "    lost: {}",
                                              .env = env});
}

static void a_host_whose_plugins_are_all_refused_has_series_to_alert_on(void *arg)
{
    replica_t *r = start_refused(arg, NULL);

    EXPECT_TRUE(replica_answers(r, "/readyz", 200, LIMIT));
    EXPECT_INT(replica_get(r, "/leader", NULL), 200);
    EXPECT_INT(replica_metric(r, "leasehold_plugin_state{controller=\"odd \\\"file\\\".so\","
                                 "state=\"failed\"}"),
               1);
    EXPECT_INT(replica_metric(r, "leasehold_plugin_state{controller=\"lost\",state=\"failed\"}"),
               1);
    replica_free(r);
}

static void with_plugins_required_a_refused_file_makes_its_host_unready(void *arg)
{
    replica_t *r = start_refused(arg, "LEASEHOLD_HEALTH_PLUGINS=required");
    char *body = NULL;

    EXPECT_TRUE(replica_answers(r, "/leader", 200, LIMIT)); /* which it is all the same */
    EXPECT_TRUE(replica_says(r, "/readyz", "[+]api ok\n", LIMIT));
    EXPECT_INT(replica_get(r, "/readyz?verbose", &body), 500);
    EXPECT_HAS(body, "[-]file-" ODD " failed: not an ELF file");
    EXPECT_HAS(body, "[-]plugin-lost failed: ");
    EXPECT_HAS(body, "[-]plugins failed: no plugin is running\n");
    EXPECT_INT(replica_get(r, "/livez", NULL), 200);
    free(body);
    replica_free(r);
}

static void with_plugins_required_a_host_whose_plugins_work_is_ready(void *arg)
{
    const observe_t *o = arg;
    static const char *const plugins[] = {SPEAKER_PLUGIN, NULL};
    replica_t *r = replica_start(&(replica_options_t){.name = "required",
                                                      .ns = "default",
                                                      .kubeconfig = o->kubeconfig,
                                                      .plugins = plugins,
                                                      .env = "LEASEHOLD_HEALTH_PLUGINS=required"});

    EXPECT_TRUE(replica_answers(r, "/readyz", 200, LIMIT));
    EXPECT_TRUE(replica_says(r, "/readyz?verbose", "[+]plugin-speaker ok\n", LIMIT));
    replica_free(r);
}

static const tap_test_t tests[] = {
    {"a leader and a standby come up", a_leader_and_a_standby_come_up},
    {"promtool finds nothing in the pages of leader and standby",
     promtool_finds_nothing_in_the_pages_of_leader_and_standby},
    {"Prometheus reads the OpenMetrics page", prometheus_reads_the_openmetrics_page},
    {"the page names everything that dashboards ask for",
     the_page_names_everything_that_dashboards_ask_for},
    {"every line of a reconcile has its fields", every_line_of_a_reconcile_has_its_fields},
    {"levels change at run time", levels_change_at_run_time},
    {"status of the host itself", status_of_the_host_itself},
    {"status of replicas by their health ports", status_of_replicas_by_their_health_ports},
    {"status by the Lease alone", status_by_the_lease_alone},
    {"a host whose plugins are all refused has series to alert on",
     a_host_whose_plugins_are_all_refused_has_series_to_alert_on},
    {"with plugins required a refused file makes its host unready",
     with_plugins_required_a_refused_file_makes_its_host_unready},
    {"with plugins required a host whose plugins work is ready",
     with_plugins_required_a_host_whose_plugins_work_is_ready},
};

int main(int argc, char **argv)
{
    observe_t o = {0};

    signal(SIGPIPE, SIG_IGN);
    const int status = tap_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]), &o);
    stop(&o);
    return status;
}
