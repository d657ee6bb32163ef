/* SPDX-License-Identifier: Apache-2.0 */
#include "support/replica.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct replica {
    char dir[256];
    char kubeconfig[512];
    pid_t pid;
    int status;       /* once ended, else -1 */
    long mark, start; /* places in the log: of searches, of this process */
    int port;         /* 0: not known yet */
    const char *const *wrapper;
    const char *binary, *env;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "replica: %s: %s\n", what, why);
    exit(1);
}

int64_t replica_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* -- The folder -- */

static void write_election(FILE *f, const replica_options_t *o)
{
    char ld[16] = "3s", rd[16] = "2s", rp[16] = "500ms";

    if (o->lease == NULL) {
        fprintf(f, "leaderElection: {enabled: false}\n");
        return;
    }
    if (o->durations != NULL) {
        const char *one = strchr(o->durations, '/'), *two = strrchr(o->durations, '/');
        snprintf(ld, sizeof(ld), "%.*s", (int) (one - o->durations), o->durations);
        snprintf(rd, sizeof(rd), "%.*s", (int) (two - one - 1), one + 1);
        snprintf(rp, sizeof(rp), "%s", two + 1);
    }
    fprintf(f, "leaderElection:\n  id: %s\n  namespace: %s\n  leaseDuration: %s\n", o->lease,
            strcmp(o->ns, "*") == 0 ? "default" : o->ns, ld);
    fprintf(f, "  renewDeadline: %s\n  retryPeriod: %s\n", rd, rp);
}

static void write_config(const replica_t *r, const replica_options_t *o)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/leasehold.yaml", r->dir);
    FILE *f = fopen(path, "w");
    if (f == NULL)
        die(path, strerror(errno));
    fprintf(f, "name: %s\nkubeconfig: %s\n", o->name, r->kubeconfig);
    fprintf(f, "stateDir: %s%s\n", o->state_dir != NULL ? o->state_dir : r->dir,
            o->state_dir != NULL ? "" : "/state");
    if (strcmp(o->ns, "*") != 0)
        fprintf(f, "namespaces: [%s]\n", o->ns);
    write_election(f, o);
    fprintf(f, "health: {address: \"%s\"}\n", o->health != NULL ? o->health : "127.0.0.1:0");
    fprintf(f, "plugins:\n  dir: %s%s\n", o->plugins_dir != NULL ? o->plugins_dir : r->dir,
            o->plugins_dir != NULL ? "" : "/plugins");
    if (o->instances != NULL)
        fprintf(f, "  instances:\n%s\n", o->instances);
    if (o->config != NULL)
        fprintf(f, "%s\n", o->config);
    fclose(f);
}

static void link_plugins(const replica_t *r, const char *const *plugins)
{
    char path[512], real[512];

    snprintf(path, sizeof(path), "%s/plugins", r->dir);
    mkdir(path, 0755);
    for (; plugins != NULL && *plugins != NULL; plugins++) {
        const char *slash = strrchr(*plugins, '/');
        snprintf(path, sizeof(path), "%s/plugins/%s", r->dir, slash != NULL ? slash + 1 : *plugins);
        snprintf(real, sizeof(real), "%s", *plugins);
        if (symlink(real, path) < 0)
            die(path, strerror(errno));
    }
}

/* -- The process -- */

static void run(const replica_t *r, const char *config)
{
    const char *argv[16] = {NULL};
    size_t n = 0;

    for (; r->wrapper != NULL && r->wrapper[n] != NULL && n < 8; n++)
        argv[n] = r->wrapper[n];
    argv[n++] = r->binary;
    argv[n++] = "run";
    argv[n++] = "--config";
    argv[n] = config;
    execvp(argv[0], (char *const *) argv);
    _exit(127);
}

void replica_wrap(replica_t *r, const char *const *program)
{
    r->wrapper = program;
}

void replica_restart(replica_t *r)
{
    char config[512], log[512];

    snprintf(config, sizeof(config), "%s/leasehold.yaml", r->dir);
    snprintf(log, sizeof(log), "%s/log", r->dir);
    r->port = 0;
    r->status = -1;
    replica_mark(r);
    r->start = r->mark;
    fflush(stdout);
    r->pid = fork();
    if (r->pid < 0)
        die("fork", strerror(errno));
    if (r->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    unsetenv("POD_NAMESPACE");
    if (r->env != NULL)
        putenv((char *) r->env);
    run(r, config);
}

replica_t *replica_start(const replica_options_t *o)
{
    const char *tmp = getenv("TMPDIR");
    const char *kubeconfig =
        o->kubeconfig != NULL ? o->kubeconfig : getenv("LEASEHOLD_TEST_KUBECONFIG");
    replica_t *r = calloc(1, sizeof(*r));

    if (kubeconfig == NULL)
        die("start", "LEASEHOLD_TEST_KUBECONFIG is not set; run ./dev test --cluster");
    r->binary = o->binary != NULL ? o->binary : LEASEHOLD_BINARY;
    r->env = o->env;
    snprintf(r->kubeconfig, sizeof(r->kubeconfig), "%s", kubeconfig);
    snprintf(r->dir, sizeof(r->dir), "%s/leasehold-%.40s.XXXXXX", tmp != NULL ? tmp : "/tmp",
             o->name);
    if (mkdtemp(r->dir) == NULL)
        die(r->dir, strerror(errno));
    link_plugins(r, o->plugins);
    write_config(r, o);
    replica_restart(r);
    return r;
}

static void set_status(replica_t *r, int status)
{
    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool replica_running(replica_t *r)
{
    int status;

    if (r->status < 0 && waitpid(r->pid, &status, WNOHANG) == r->pid)
        set_status(r, status);
    return r->status < 0;
}

int replica_wait(replica_t *r, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (replica_running(r) && replica_now_ms() < until)
        pause_ms(2);
    return r->status;
}

void replica_signal(replica_t *r, int signal)
{
    if (r->status < 0)
        kill(r->pid, signal);
}

static void remove_tree(const char *dir)
{
    const pid_t pid = fork();

    if (pid == 0) {
        execlp("rm", "rm", "-rf", dir, (char *) NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

void replica_free(replica_t *r)
{
    if (r == NULL)
        return;
    if (replica_running(r)) {
        replica_signal(r, SIGCONT);
        replica_signal(r, SIGKILL);
        replica_wait(r, 5000);
    }
    if (getenv("LEASEHOLD_TEST_KEEP") == NULL)
        remove_tree(r->dir);
    free(r);
}

pid_t replica_pid(const replica_t *r)
{
    return r->pid;
}

const char *replica_dir(const replica_t *r)
{
    return r->dir;
}

/* -- The log -- */

char *replica_log(replica_t *r)
{
    char path[512];
    size_t len = 0;
    char *text = calloc(1, 1);

    snprintf(path, sizeof(path), "%s/log", r->dir);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return text;
    fseek(f, 0, SEEK_END);
    const long size = ftell(f);
    rewind(f);
    free(text);
    text = calloc(1, (size_t) size + 1);
    len = fread(text, 1, (size_t) size, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

void replica_mark(replica_t *r)
{
    char *text = replica_log(r);

    r->mark = (long) strlen(text);
    free(text);
}

bool replica_logged(replica_t *r, const char *needle, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    for (;;) {
        char *text = replica_log(r);
        const bool found =
            strlen(text) >= (size_t) r->mark && strstr(text + r->mark, needle) != NULL;
        free(text);
        if (found)
            return true;
        if (replica_now_ms() > until || !replica_running(r))
            return false;
        pause_ms(5);
    }
}

int replica_log_count(replica_t *r, const char *needle)
{
    char *text = replica_log(r);
    int count = 0;

    for (const char *at = text; (at = strstr(at, needle)) != NULL; at += strlen(needle))
        count++;
    free(text);
    return count;
}

/* -- The health port -- */

int replica_port(replica_t *r)
{
    static const char line[] = "health and metrics on port ";
    const long mark = r->mark;

    if (r->port != 0)
        return r->port;
    r->mark = r->start;
    if (replica_logged(r, line, 5000)) {
        char *text = replica_log(r);
        r->port = (int) strtol(strstr(text + r->start, line) + sizeof(line) - 1, NULL, 10);
        free(text);
    }
    r->mark = mark;
    return r->port;
}

static int fetch(int port, const char *path, char **body)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t) port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char request[512];
    size_t len = 0, cap = 65536;
    char *text = calloc(1, cap + 1);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = 0;

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
             path);
    if (connect(fd, (struct sockaddr *) &to, sizeof(to)) == 0 &&
        write(fd, request, strlen(request)) > 0) {
        for (ssize_t n; (n = read(fd, text + len, cap - len)) > 0; len += (size_t) n) {
            if (len + (size_t) n + 4096 > cap)
                text = realloc(text, (cap *= 2) + 1);
        }
        text[len] = '\0';
        if (strncmp(text, "HTTP/1.1 ", 9) == 0)
            status = (int) strtol(text + 9, NULL, 10);
    }
    close(fd);
    const char *end = strstr(text, "\r\n\r\n");
    if (body != NULL)
        *body = strdup(end != NULL ? end + 4 : "");
    free(text);
    return status;
}

int replica_get(replica_t *r, const char *path, char **body)
{
    const int port = replica_port(r);

    if (body != NULL)
        *body = NULL;
    return port == 0 ? 0 : fetch(port, path, body);
}

bool replica_answers(replica_t *r, const char *path, int status, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (replica_get(r, path, NULL) != status) {
        if (replica_now_ms() > until || !replica_running(r))
            return false;
        pause_ms(10);
    }
    return true;
}

bool replica_says(replica_t *r, const char *path, const char *text, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    for (;;) {
        char *body = NULL;

        replica_get(r, path, &body);
        const bool found = body != NULL && strstr(body, text) != NULL;
        free(body);
        if (found)
            return true;
        if (replica_now_ms() > until || !replica_running(r))
            return false;
        pause_ms(10);
    }
}

double replica_metric(replica_t *r, const char *series)
{
    char *body = NULL;
    double value = -1;

    replica_get(r, "/metrics", &body);
    for (const char *at = body; at != NULL && (at = strstr(at, series)) != NULL; at++) {
        if ((at == body || at[-1] == '\n') && at[strlen(series)] == ' ') {
            value = strtod(at + strlen(series) + 1, NULL);
            break;
        }
    }
    free(body);
    return value;
}

static char *read_all(int fd)
{
    size_t len = 0, size = 4096;
    char *text = malloc(size);
    ssize_t n;

    while (text != NULL && (n = read(fd, text + len, size - len - 1)) > 0) {
        len += (size_t) n;
        if (size - len < 1024)
            text = realloc(text, size *= 2);
    }
    if (text == NULL)
        die("read", "out of memory");
    text[len] = '\0';
    return text;
}

int replica_ask(const replica_t *r, const char *const *verb, char **out)
{
    const char *argv[16] = {LEASEHOLD_BINARY};
    char config[512];
    int fds[2], status = 0;
    size_t n = 1;

    snprintf(config, sizeof(config), "%s/leasehold.yaml", r->dir);
    for (; verb[n - 1] != NULL && n < 12; n++)
        argv[n] = verb[n - 1];
    argv[n++] = "--config";
    argv[n] = config;
    if (pipe2(fds, O_CLOEXEC) < 0)
        die("pipe", strerror(errno));
    fflush(stdout);
    const pid_t pid = fork();

    if (pid < 0)
        die("fork", strerror(errno));
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execv(argv[0], (char *const *) argv);
        _exit(127);
    }
    close(fds[1]);
    *out = read_all(fds[0]);
    close(fds[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
