/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leasehold as a program of the benchmark's contract (../README.md): starts `leasehold run` on the
 * plugin of bench.c, prints the lines that the plugin sends, and asks it for its statistics on SIGUSR1.
 *
 * usage: bench_leasehold [process]      where the plugin runs; else in a thread of the host
 *
 * BENCH_INSTANCES=N: N plugins in one host, each a file with an id of its own; every line of the
 * contract but `start` comes N times then. `start` names the host's pid, which is what is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLUGIN_ID "\"bench-00\"" /* as it stands in the manifest of BENCH_PLUGIN, once */

enum { MAX_INSTANCES = 100, LISTENER = 0, SIGNALS = 1, FIRST_PLUGIN = 2 };

typedef struct bench {
    char dir[64]; /* everything that the host needs; removed at the end */
    int instances;
    const char *isolation;
    pid_t host;
    struct pollfd polled[FIRST_PLUGIN + MAX_INSTANCES];
    nfds_t count;
} bench_t;

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...)
{
    va_list args;

    (void) fputs("bench_leasehold: ", stderr);
    va_start(args, format);
    (void) vfprintf(stderr, format, args);
    va_end(args);
    (void) fprintf(stderr, ": %s\n", strerror(errno));
    exit(1);
}

static const char *env(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : otherwise;
}

// -- The host's files --

static char *read_file(const char *path, size_t *size)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        give_up("open '%s'", path);
    char *data = malloc((size_t) st.st_size);
    if (data == NULL || read(fd, data, (size_t) st.st_size) != st.st_size)
        give_up("read '%s'", path);
    (void) close(fd);
    *size = (size_t) st.st_size;
    return data;
}

/* Copies of the plugin that differ in their id, so that each is a library of its own. */
static void write_plugins(const bench_t *b)
{
    char path[128], id[32];
    size_t size;
    char *data = read_file(BENCH_PLUGIN, &size);
    char *const at = memmem(data, size, PLUGIN_ID, strlen(PLUGIN_ID));

    (void) snprintf(path, sizeof(path), "%s/plugins", b->dir);
    if (at == NULL || mkdir(path, 0700) < 0)
        give_up("find the id of the plugin, make '%s'", path);
    for (int i = 0; i < b->instances; i++) {
        (void) snprintf(id, sizeof(id), "\"bench-%02d\"", i);
        memcpy(at, id, strlen(PLUGIN_ID));
        (void) snprintf(path, sizeof(path), "%s/plugins/bench-%02d.so", b->dir, i);
        const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
        if (fd < 0 || write(fd, data, size) != (ssize_t) size)
            give_up("write '%s'", path);
        (void) close(fd);
    }
    free(data);
}

/* The watches of the contract: the resource, and in mode child the same as owned. */
static void print_kinds(FILE *out, bool child)
{
    const bool widgets = strcmp(env("BENCH_RESOURCE", "configmaps"), "widgets") == 0;
    const char *kind =
        widgets ? "group: bench.example.com, version: v1, resource: widgets, kind: Widget"
                : "version: v1, resource: configmaps, kind: ConfigMap";

    (void) fprintf(out, "kinds: [{%s}", kind);
    if (child)
        (void) fprintf(out, ", {%s, role: owned}", kind);
    (void) fputs("]", out);
}

/* Only what differs from the defaults. */
static void write_settings(const bench_t *b)
{
    const char *lease = env("BENCH_LEASE", NULL), *workers = env("BENCH_WORKERS", NULL);
    const bool child = strcmp(env("BENCH_MODE", "observe"), "child") == 0;
    char path[128];

    (void) snprintf(path, sizeof(path), "%s/leasehold.yaml", b->dir);
    FILE *out = fopen(path, "we");
    if (out == NULL)
        give_up("write '%s'", path);
    (void) fprintf(out, "name: %s-%d\nhealth: {address: \"0\"}\nstateDir: %s/state\n",
                   env("BENCH_ID", "bench"), (int) getpid(), b->dir);
    if (lease != NULL)
        (void) fprintf(out, "leaderElection: {id: %s, namespace: default}\n", lease);
    else
        (void) fputs("leaderElection: {enabled: false}\n", out);
    (void) fprintf(out, "plugins:\n  dir: %s/plugins\n  instances:\n", b->dir);
    for (int i = 0; i < b->instances; i++) {
        (void) fprintf(out, "    bench-%02d: {", i);
        if (b->isolation != NULL)
            (void) fprintf(out, "isolation: %s, ", b->isolation);
        if (workers != NULL)
            (void) fprintf(out, "maxInFlight: %s, ", workers);
        (void) fprintf(out, "config: {socket: %s/socket, child: %s, lease: %s, ", b->dir,
                       child ? "true" : "false", lease != NULL ? "true" : "false");
        print_kinds(out, child);
        (void) fputs("}}\n", out);
    }
    if (fclose(out) != 0)
        give_up("write '%s'", path);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void) st;
    (void) type;
    (void) at;
    return remove(path);
}

// -- The host and its plugins --

static int open_socket(const bench_t *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", b->dir);
    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ||
        listen(fd, MAX_INSTANCES) < 0)
        give_up("socket '%s'", address.sun_path);
    return fd;
}

static int block_signals(void)
{
    static const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGUSR1};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaddset(&set, signals[i]);
    (void) sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The host ends with this process, and writes to standard error alone. */
static pid_t start_host(const bench_t *b)
{
    char settings[128];
    const pid_t pid = fork();
    sigset_t none;

    if (pid < 0)
        give_up("fork");
    if (pid > 0)
        return pid;
    (void) snprintf(settings, sizeof(settings), "%s/leasehold.yaml", b->dir);
    sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void) dup2(STDERR_FILENO, STDOUT_FILENO);
    execl(LEASEHOLD_BINARY, LEASEHOLD_BINARY, "run", "--config", settings, NULL);
    give_up("exec '%s'", LEASEHOLD_BINARY);
}

static void add_plugin(bench_t *b)
{
    const int fd = accept4(b->polled[LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        give_up("accept");
    if (b->count == FIRST_PLUGIN + MAX_INSTANCES) {
        (void) close(fd);
        return;
    }
    b->polled[b->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

/* Prints one line of a plugin; one that has ended is polled no more. */
static void relay(struct pollfd *plugin)
{
    char line[512];
    const ssize_t len = recv(plugin->fd, line, sizeof(line), 0);

    if (len <= 0) {
        (void) close(plugin->fd);
        plugin->fd = -1;
        return;
    }
    (void) printf("%.*s\n", (int) len, line);
}

/* Returns the exit status once the host has ended, else -1. */
static int take_signal(const bench_t *b)
{
    struct signalfd_siginfo info;
    int status;

    if (read(b->polled[SIGNALS].fd, &info, sizeof(info)) != (ssize_t) sizeof(info))
        return -1;
    if (info.ssi_signo == SIGUSR1) {
        for (nfds_t i = FIRST_PLUGIN; i < b->count; i++)
            (void) send(b->polled[i].fd, "stats", 5, MSG_NOSIGNAL);
    } else if (info.ssi_signo != SIGCHLD) {
        (void) kill(b->host, (int) info.ssi_signo);
    } else if (waitpid(b->host, &status, WNOHANG) == b->host) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    return -1;
}

static int serve(bench_t *b)
{
    for (;;) {
        if (poll(b->polled, b->count, -1) < 0 && errno != EINTR)
            give_up("poll");
        for (nfds_t i = b->count; i-- > FIRST_PLUGIN;) {
            if (b->polled[i].fd >= 0 && b->polled[i].revents != 0)
                relay(&b->polled[i]);
        }
        if (b->polled[LISTENER].revents != 0)
            add_plugin(b);
        const int status = b->polled[SIGNALS].revents != 0 ? take_signal(b) : -1;
        if (status >= 0)
            return status;
    }
}

int main(int argc, char **argv)
{
    bench_t b = {.count = FIRST_PLUGIN};

    b.isolation = argc > 1 ? argv[1] : NULL;
    b.instances = (int) strtol(env("BENCH_INSTANCES", "1"), NULL, 10);
    if (b.instances < 1 || b.instances > MAX_INSTANCES) {
        (void) fprintf(stderr, "BENCH_INSTANCES: 1 to %d\n", MAX_INSTANCES);
        return 2;
    }
    (void) setvbuf(stdout, NULL, _IOLBF, 0);
    (void) snprintf(b.dir, sizeof(b.dir), "/tmp/bench-leasehold.XXXXXX");
    if (mkdtemp(b.dir) == NULL)
        give_up("mkdtemp");
    write_plugins(&b);
    write_settings(&b);
    b.polled[LISTENER] = (struct pollfd){.fd = open_socket(&b), .events = POLLIN};
    b.polled[SIGNALS] = (struct pollfd){.fd = block_signals(), .events = POLLIN};
    b.host = start_host(&b);
    (void) printf("{\"event\":\"start\",\"id\":\"%s\",\"pid\":%d}\n", env("BENCH_ID", ""),
                  (int) b.host);
    const int status = serve(&b);
    (void) nftw(b.dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}
