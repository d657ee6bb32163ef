/* SPDX-License-Identifier: Apache-2.0 */
#include "chaos/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_LIMIT_MS = 20000 };

struct server {
    char dir[64], kubeconfig[128];
    pid_t pid;
    long lease_requests; /* counted by rules that are gone */
};

static void run(const server_t *s)
{
    char log[128];

    snprintf(log, sizeof(log), "%s/log", s->dir);
    const int fd = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execl(LEASEHOLD_BINARY, "leasehold", "dev", "--faults", "--quiet", "--listen", "127.0.0.1:0",
          "--dir", s->dir, (char *) NULL);
    _exit(127);
}

server_t *server_start(void)
{
    server_t *s = calloc(1, sizeof(*s));
    struct stat st;

    snprintf(s->dir, sizeof(s->dir), "/tmp/leasehold-chaos.XXXXXX");
    if (mkdtemp(s->dir) == NULL) {
        perror("chaos: mkdtemp");
        exit(1);
    }
    snprintf(s->kubeconfig, sizeof(s->kubeconfig), "%s/kubeconfig", s->dir);
    s->pid = fork();
    if (s->pid == 0)
        run(s);
    for (int i = 0; stat(s->kubeconfig, &st) < 0 || st.st_size == 0; i++) {
        if (i == START_LIMIT_MS / 10 || waitpid(s->pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "chaos: leasehold dev did not start; see %s/log\n", s->dir);
            exit(1);
        }
        usleep(10000);
    }
    return s;
}

const char *server_kubeconfig(const server_t *s)
{
    return s->kubeconfig;
}

void server_stop(server_t *s)
{
    if (s == NULL)
        return;
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", s->dir, (char *) NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    free(s);
}

static void expect(const api_reply_t *r, const char *what)
{
    if (r->status == 200)
        return;
    fprintf(stderr, "chaos: %s: %d %.300s\n", what, r->status, r->text);
    exit(1);
}

static void count(server_t *s, api_t *api)
{
    API_REPLY r = api_get(api, "/devapi/faults");

    expect(&r, "GET faults");
    for (int i = 0; i < cJSON_GetArraySize(api_at(r.json, "/rules")); i++) {
        const cJSON *rule = cJSON_GetArrayItem(api_at(r.json, "/rules"), i);
        if (strcmp(api_str(rule, "/resource"), "leases") == 0)
            s->lease_requests += api_int(rule, "/hits");
    }
}

void server_rule(server_t *s, api_t *api, const char *members, bool everything)
{
    const char *comma = *members != '\0' ? "," : "";

    count(s, api);
    /* The second rule counts what the first one leaves, the third is only there for everything. */
    API_REPLY r =
        api_put(api, "/devapi/faults",
                "{\"rules\":[{\"userAgent\":\"leasehold\",\"resource\":\"leases\"%s%s},"
                "{\"userAgent\":\"leasehold\",\"resource\":\"leases\"}"
                "%s%s%s%s]}",
                comma, members, everything ? ",{\"userAgent\":\"leasehold\"" : "",
                everything ? comma : "", everything ? members : "", everything ? "}" : "");
    expect(&r, "PUT faults");
}

long server_lease_requests(server_t *s, api_t *api)
{
    server_rule(s, api, "", false);
    const long requests = s->lease_requests;

    s->lease_requests = 0;
    return requests;
}

void server_watches(api_t *api, const char *what, const char *resource)
{
    char path[64];

    snprintf(path, sizeof(path), "/devapi/faults/%s", what);
    API_REPLY r =
        api_post(api, path, "{\"userAgent\":\"leasehold\",\"resource\":\"%s\"}", resource);
    expect(&r, what);
}

void server_relists(api_t *api, const char *resource)
{
    API_REPLY r = api_post(api, "/devapi/faults/compact", "{}");

    expect(&r, "compact");
    server_watches(api, "cut-watches", resource);
}
