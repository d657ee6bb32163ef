/* SPDX-License-Identifier: Apache-2.0 */
/* `leasehold dev` as an author uses it: the API server with the host beside it, its output, and how
 * both end. Needs no cluster. */
#include "support/api.h"
#include "support/tap.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 15000 }; /* ms */

typedef struct dev {
    char dir[64];       /* of this test: out, api/, plugins/ */
    char out[128];      /* path of what it prints */
    char plugins[128];  /* path */
    char snapshot[160]; /* likewise, of a file in it */
    char config[128];   /* path of a configuration file */
    pid_t pid;
} dev_run_t;

/* -- Files -- */

static char *slurp(const char *path)
{
    char *text = calloc(1, 1 << 20);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, text, (1 << 20) - 1) : 0;

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* Writes the plugin there as a build does: under another name, then renamed. */
static void install(const char *plugin, const char *dir, const char *name)
{
    char to[256], path[256], chunk[65536];
    const int in = open(plugin, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    snprintf(to, sizeof(to), "%s/.new", dir);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    REQUIRE_TRUE(in >= 0 && out >= 0);
    while ((n = read(in, chunk, sizeof(chunk))) > 0)
        REQUIRE_INT(write(out, chunk, (size_t) n), n);
    close(in);
    close(out);
    REQUIRE_INT(rename(to, path), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;
    return remove(path);
}

static void remove_all(dev_run_t *d)
{
    EXPECT_INT(nftw(d->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* -- The process -- */

static int count(dev_run_t *d, const char *text)
{
    char *out = slurp(d->out);
    int n = 0;

    for (const char *at = out; (at = strstr(at, text)) != NULL; at++)
        n++;
    free(out);
    return n;
}

/* Waits until it has printed text so many times. */
static bool printed(dev_run_t *d, const char *text, int times)
{
    for (int i = 0; i < LIMIT / 10; i++) {
        if (count(d, text) >= times)
            return true;
        usleep(10000);
    }
    char *out = slurp(d->out);
    tap_note("without \"%s\":\n%s", text, out);
    free(out);
    return false;
}

/* Its exit status; 128 + signal; -1 when it still runs after the limit. */
static int end(dev_run_t *d, int sig)
{
    int status = 0;

    kill(d->pid, sig);
    for (int i = 0; i < LIMIT / 10; i++) {
        if (waitpid(d->pid, &status, WNOHANG) == d->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        usleep(10000);
    }
    kill(d->pid, SIGKILL);
    waitpid(d->pid, &status, 0);
    return -1;
}

static void write_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    REQUIRE_TRUE(fd >= 0);
    REQUIRE_INT(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    close(fd);
}

/* Starts it with these arguments after "dev --listen 127.0.0.1:0 --dir ...". */
static dev_run_t start(const char *const *args)
{
    dev_run_t d = {.dir = "/tmp/leasehold-dev-XXXXXX"};
    char api[128];
    const char *argv[20] = {"leasehold", "dev", "--listen", "127.0.0.1:0", "--dir", api};

    REQUIRE_TRUE(mkdtemp(d.dir) != NULL);
    snprintf(d.out, sizeof(d.out), "%s/out", d.dir);
    snprintf(d.plugins, sizeof(d.plugins), "%s/plugins", d.dir);
    snprintf(d.snapshot, sizeof(d.snapshot), "%s/snapshot", d.plugins);
    snprintf(d.config, sizeof(d.config), "%s/host.yaml", d.dir);
    write_file(d.config, "leaderElection: {id: of-the-file}\nlog: {fromat: json}\n");
    snprintf(api, sizeof(api), "%s/api", d.dir);
    REQUIRE_INT(mkdir(d.plugins, 0700), 0);
    for (int i = 0; args[i] != NULL; i++)
        argv[6 + i] = strcmp(args[i], "PLUGINS") == 0    ? d.plugins
                      : strcmp(args[i], "SNAPSHOT") == 0 ? d.snapshot
                      : strcmp(args[i], "CONFIG") == 0   ? d.config
                                                         : args[i];
    install(HELLO_PLUGIN, d.plugins, "hello.so");
    d.pid = fork();
    if (d.pid == 0) {
        const int fd = open(d.out, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(LEASEHOLD_BINARY, (char *const *) argv);
        _exit(127);
    }
    return d;
}

static api_t *open_api(const dev_run_t *d)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/api/kubeconfig", d->dir);
    return api_open(path);
}

/* The one child of a process; 0: none. */
static pid_t child_of(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) pid, (int) pid);
    char *text = slurp(path);
    const pid_t child = (pid_t) strtol(text, NULL, 10);
    free(text);
    return child;
}

/* -- Tests -- */

static void it_says_how_to_go_on_and_ends_cleanly(void *arg)
{
    dev_run_t d = start((const char *const[]){"--faults", NULL});

    (void) arg;
    EXPECT_TRUE(printed(&d, "Kubernetes API in memory at https://127.0.0.1:", 1));
    EXPECT_TRUE(printed(&d, "export KUBECONFIG=/tmp/leasehold-dev-", 1));
    EXPECT_TRUE(printed(&d, "Ctrl-C ends it", 1));
    api_t *api = open_api(&d);
    API_REPLY made = api_post(api, "/api/v1/namespaces/default/configmaps",
                              "{\"metadata\":{\"name\":\"seen\"}}");
    EXPECT_INT(made.status, 201);
    EXPECT_TRUE(printed(&d, "api  | created configmaps/seen in default\n", 1));
    API_REPLY rules = api_get(api, "/devapi/faults");
    EXPECT_STR(rules.text, "{\"rules\":[]}");
    api_close(api);
    EXPECT_INT(count(&d, "\033["), 0); /* no terminal, no colour */
    EXPECT_INT(end(&d, SIGINT), 0);
    remove_all(&d);
}

static void a_changed_plugin_takes_over(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", NULL});

    (void) arg;
    EXPECT_TRUE(printed(&d, "host | INFO  elector: leading, term 1", 1));
    install(HELLO_PLUGIN, d.plugins, "hello.so");
    EXPECT_TRUE(printed(&d, "dev  | hello.so has changed: the host is started again", 1));
    EXPECT_TRUE(printed(&d, "elector: term 1 has ended: the lease was released", 1));
    EXPECT_TRUE(printed(&d, "host | INFO  elector: leading, term 2", 1));
    EXPECT_INT(end(&d, SIGTERM), 0);
    EXPECT_INT(count(&d, "elector: term 2 has ended: the lease was released"), 1);
    remove_all(&d);
}

static void a_crash_is_told_and_survived(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", "--quiet", NULL});

    (void) arg;
    REQUIRE_TRUE(printed(&d, "the host runs the plugins of", 1));
    for (int i = 0; i < LIMIT / 10 && child_of(d.pid) == 0; i++)
        usleep(10000);
    const pid_t first = child_of(d.pid);
    REQUIRE_TRUE(first > 0);
    kill(first, SIGKILL);
    EXPECT_TRUE(printed(&d, "dev  | the host has ended: killed by signal 9 (Killed)", 1));
    install(HELLO_PLUGIN, d.plugins, "hello.so"); /* does not wait for the delay's end */
    EXPECT_TRUE(printed(&d, "dev  | hello.so has changed: the host is started\n", 1));
    for (int i = 0; i < LIMIT / 10 && child_of(d.pid) == 0; i++)
        usleep(10000);
    EXPECT_TRUE(child_of(d.pid) > 0 && child_of(d.pid) != first);
    EXPECT_INT(count(&d, "host | INFO"), 0);
    EXPECT_INT(end(&d, SIGTERM), 0);
    remove_all(&d);
}

static void a_bad_configuration_was_tried_again_for_ever(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", "--config", "CONFIG", "--set",
                                              "plugins.instances.hello.workers=2", NULL});

    (void) arg;
    EXPECT_TRUE(printed(&d, "host.yaml:2:7: unknown key 'log.fromat'", 1));
    EXPECT_TRUE(printed(&d,
                        "dev  | the host has ended: exited with status 2 (configuration): it is "
                        "started again when a plugin or its configuration file changes\n",
                        1));
    write_file(d.config, "leaderElection: {id: of-the-file}\nlog: {format: json}\n");
    EXPECT_TRUE(printed(&d, "dev  | host.yaml has changed: the host is started\n", 1));
    EXPECT_TRUE(printed(&d, "configuration: /tmp/leasehold-dev-", 1));
    EXPECT_TRUE(printed(&d, "leading, term 1", 1));
    EXPECT_TRUE(printed(&d, "host | {", 1));
    api_t *api = open_api(&d);
    API_REPLY lease =
        api_get(api, "/apis/coordination.k8s.io/v1/namespaces/default/leases/leasehold-leader");
    EXPECT_INT(lease.status, 200);
    api_close(api);
    EXPECT_INT(count(&d, "the host has ended"), 1);
    EXPECT_INT(end(&d, SIGTERM), 0);
    remove_all(&d);
}

static void a_plugin_that_is_gone_ended_the_host(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", NULL});
    char path[160];

    (void) arg;
    EXPECT_TRUE(printed(&d, "host | INFO  elector: leading, term 1", 1));
    const pid_t host = child_of(d.pid);
    snprintf(path, sizeof(path), "%s/hello.so", d.plugins);
    REQUIRE_INT(unlink(path), 0);
    EXPECT_TRUE(printed(&d,
                        "dev  | hello.so is gone: the host is left as it is until the file is "
                        "there again\n",
                        1));
    EXPECT_INT(child_of(d.pid), host);
    install(HELLO_PLUGIN, d.plugins, "hello.so");
    EXPECT_TRUE(printed(&d, "dev  | hello.so has changed: the host is started again", 1));
    EXPECT_TRUE(printed(&d, "host | INFO  elector: leading, term 2", 1));
    EXPECT_INT(end(&d, SIGTERM), 0);
    remove_all(&d);
}

/* A host beside it, with its output in the same file. */
static pid_t start_host(const dev_run_t *d)
{
    char kubeconfig[128], state[128];

    snprintf(kubeconfig, sizeof(kubeconfig), "%s/api/kubeconfig", d->dir);
    snprintf(state, sizeof(state), "stateDir=%s/state", d->dir);
    const pid_t pid = fork();
    if (pid == 0) {
        const int fd = open(d->out, O_WRONLY | O_APPEND | O_CLOEXEC);
        dup2(fd, STDERR_FILENO);
        execl(LEASEHOLD_BINARY, "leasehold", "run", "--kubeconfig", kubeconfig, "--plugins",
              d->plugins, "--health", "0", "--set", state, "--set", "fencing=server", "--set",
              "leaderElection.namespace=default", NULL);
        _exit(127);
    }
    return pid;
}

static void server_side_fencing_says_that_there_is_none(void *arg)
{
    dev_run_t d = start((const char *const[]){"--quiet", NULL});
    int status = -1;

    (void) arg;
    REQUIRE_TRUE(printed(&d, "Kubernetes API in memory at https://127.0.0.1:", 1));
    api_t *api = open_api(&d);
    API_REPLY lease = api_post(api, "/apis/coordination.k8s.io/v1/namespaces/default/leases",
                               "{\"metadata\":{\"name\":\"leasehold-leader\"}}");
    EXPECT_INT(lease.status, 201);
    const pid_t host = start_host(&d);
    EXPECT_TRUE(printed(&d, "fencing: the kind Fence is not installed: apply what", 1));
    API_REPLY kind = api_post(
        api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "{\"metadata\":{\"name\":\"fences.leasehold.dev\"},\"spec\":{\"group\":\"leasehold.dev\","
        "\"scope\":\"Namespaced\",\"names\":{\"kind\":\"Fence\",\"plural\":\"fences\"},"
        "\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{"
        "\"status\":{}},\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
        "\"x-kubernetes-preserve-unknown-fields\":true}}}]}}");
    EXPECT_INT(kind.status, 201);
    EXPECT_TRUE(printed(&d, "under a term that never was, so it does not fence", 1));
    EXPECT_INT(count(&d, "synced: reconciles begin"), 0);
    kill(host, SIGTERM);
    EXPECT_INT(waitpid(host, &status, 0), host);
    EXPECT_INT(status, 0);
    api_close(api);
    EXPECT_INT(end(&d, SIGTERM), 0);
    remove_all(&d);
}

/* The host's process once it leads for this term. */
static pid_t leading(dev_run_t *d, int term)
{
    char text[64];

    snprintf(text, sizeof(text), "host | INFO  elector: leading, term %d", term);
    REQUIRE_TRUE(printed(d, text, 1));
    return child_of(d->pid);
}

static void one_that_is_started_early_is_left_alone(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", NULL});

    (void) arg;
    kill(leading(&d, 1), SIGKILL);
    EXPECT_TRUE(printed(&d, "or in 2 s", 1));
    install(HELLO_PLUGIN, d.plugins, "hello.so");
    const pid_t second = leading(&d, 2);
    usleep(2500 * 1000); /* beyond the end of the delay */
    EXPECT_INT(child_of(d.pid), second);
    EXPECT_INT(count(&d, "it is killed"), 0);
    EXPECT_INT(end(&d, SIGTERM), 0);
    remove_all(&d);
}

static void a_flood_of_log_lines_stops_nothing(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", NULL});
    char path[64], lines[65536];

    (void) arg;
    snprintf(path, sizeof(path), "/proc/%d/fd/1", (int) leading(&d, 1));
    memset(lines, '\n', sizeof(lines));
    const pid_t flood = fork();
    if (flood == 0) {
        const int fd = open(path, O_WRONLY | O_CLOEXEC);
        while (write(fd, lines, sizeof(lines)) > 0)
            ;
        _exit(0);
    }
    EXPECT_TRUE(printed(&d, "host | \nhost | \n", 1));
    EXPECT_INT(end(&d, SIGTERM), 0);
    kill(flood, SIGKILL);
    waitpid(flood, NULL, 0);
    remove_all(&d);
}

static void one_that_cannot_be_started_is_tried_again(void *arg)
{
    dev_run_t d = start((const char *const[]){"--plugins", "PLUGINS", NULL});
    struct rlimit usual, none;

    (void) arg;
    const pid_t first = leading(&d, 1);
    REQUIRE_INT(prlimit(d.pid, RLIMIT_NOFILE, NULL, &usual), 0);
    none = usual;
    none.rlim_cur = 3;
    REQUIRE_INT(prlimit(d.pid, RLIMIT_NOFILE, &none, NULL), 0);
    kill(first, SIGKILL);
    EXPECT_TRUE(printed(&d, "dev  | the host cannot be started: Too many open files", 1));
    REQUIRE_INT(prlimit(d.pid, RLIMIT_NOFILE, &usual, NULL), 0);
    leading(&d, 2);
    EXPECT_INT(end(&d, SIGTERM), 0);
    remove_all(&d);
}

static void a_snapshot_that_is_not_written_is_status_1(void *arg)
{
    dev_run_t d = start((const char *const[]){"--snapshot", "SNAPSHOT", NULL});
    char away[160];

    (void) arg;
    EXPECT_TRUE(printed(&d, "Ctrl-C ends it; the objects are kept in the snapshot.", 1));
    snprintf(away, sizeof(away), "%s/away", d.dir);
    REQUIRE_INT(rename(d.plugins, away), 0);
    EXPECT_INT(end(&d, SIGTERM), 1);
    EXPECT_TRUE(printed(&d, "the snapshot is not written, what has changed is lost: ", 1));
    remove_all(&d);
}

static void mistakes_end_it_with_2(void *arg)
{
    static const struct {
        const char *args[4], *text;
    } cases[] = {
        {{"--apply", "/no/such/file", NULL}, "/no/such/file"},
        {{"--listen", "0.0.0.0:0", NULL}, "is not loopback"},
        {{"--listen", "odd", NULL}, "'odd' is not of the form ADDRESS:PORT"},
        {{"--odd", NULL}, "unknown flag '--odd'"},
        {{"--set", "log.level=debug", NULL}, "dev: --config and --set are for the host"},
    };

    (void) arg;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dev_run_t d = start(cases[i].args);

        EXPECT_TRUE(printed(&d, cases[i].text, 1));
        EXPECT_INT(end(&d, 0), 2);
        remove_all(&d);
    }
}

static const tap_test_t tests[] = {
    {"dev says how to go on and ends cleanly", it_says_how_to_go_on_and_ends_cleanly},
    {"a changed plugin takes over", a_changed_plugin_takes_over},
    {"a crash of the host is told and survived", a_crash_is_told_and_survived},
    {"a bad configuration waits for its correction", a_bad_configuration_was_tried_again_for_ever},
    {"a plugin that is gone leaves the host alone", a_plugin_that_is_gone_ended_the_host},
    {"server-side fencing on it says that it does not fence",
     server_side_fencing_says_that_there_is_none},
    {"a host that is started before its delay ends is left alone",
     one_that_is_started_early_is_left_alone},
    {"a flood of log lines stops nothing", a_flood_of_log_lines_stops_nothing},
    {"a host that cannot be started is tried again", one_that_cannot_be_started_is_tried_again},
    {"a snapshot that is not written is status 1", a_snapshot_that_is_not_written_is_status_1},
    {"mistakes end dev with status 2", mistakes_end_it_with_2},
};

int main(int argc, char **argv)
{
    return tap_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]), NULL);
}
