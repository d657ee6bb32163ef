/* SPDX-License-Identifier: Apache-2.0 */
#include "e2e/fenced.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KIND_LIMIT = 60000 };

#define NO_TERM 2147483648 /* no Lease has it */

/* Runs a program with its standard output in file. */
static void run(const char *file, const char *const *argv)
{
    int status = -1;

    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        const int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        dup2(fd, STDOUT_FILENO);
        execvp(argv[0], (char *const *) argv);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    REQUIRE_INT(status, 0);
}

static void kubectl(const char *verb, const char *flag, const char *file)
{
    char log[256];

    snprintf(log, sizeof(log), "%s.log", file);
    run(log,
        (const char *const[]){getenv("LEASEHOLD_TEST_KUBECTL"), "--kubeconfig",
                              getenv("LEASEHOLD_TEST_KUBECONFIG"), verb, flag, "-f", file, NULL});
}

static void print_rights(const fenced_t *f)
{
    char dir[192], to[256], ns[128], lease[128], namespaces[128];

    snprintf(dir, sizeof(dir), "%s/%s", f->e->dir, f->lease);
    snprintf(to, sizeof(to), "%s/%s.so", dir, f->id);
    snprintf(ns, sizeof(ns), "leaderElection.namespace=%s", f->e->ns);
    snprintf(namespaces, sizeof(namespaces), "namespaces=%s", f->e->ns);
    snprintf(lease, sizeof(lease), "leaderElection.id=%s", f->lease);
    REQUIRE_INT(mkdir(dir, 0700), 0);
    REQUIRE_INT(symlink(f->plugin, to), 0);
    run(f->file, (const char *const[]){LEASEHOLD_BINARY, "rbac", "--plugins", dir, "--set", ns,
                                       "--set", lease, "--set", "fencing=server", "--set",
                                       namespaces, "--service-account", f->lease, NULL});
}

/* API servers look for new kinds of parameters every 30 s; until then no policy refuses anything. */
static void wait_for_kind(const fenced_t *f)
{
    char path[256];

    snprintf(path, sizeof(path), "%.*s", (int) (strrchr(f->fence, '/') - f->fence), f->fence);
    API_REPLY made = api_post(f->e->api, path,
                              "{\"apiVersion\":\"leasehold.dev/v1\",\"kind\":\"Fence\","
                              "\"metadata\":{\"name\":\"%s\"},\"spec\":{"
                              "\"holderIdentity\":\"nobody\",\"leaseTransitions\":0}}",
                              f->lease);
    REQUIRE_INT(made.status, 201);
    REQUIRE_TRUE(fenced_wait_refused(f, true, KIND_LIMIT));
}

void fenced_open_for(fenced_t *f, e2e_t *e, const char *lease, const char *plugin, const char *id)
{
    char name[64];

    *f = (fenced_t){.e = e, .lease = lease, .plugin = plugin, .id = id};
    snprintf(f->fence, sizeof(f->fence), "/apis/leasehold.dev/v1/namespaces/%s/fences/%s", e->ns,
             lease);
    snprintf(f->out, sizeof(f->out), "%s/%s-out", e->configmaps, lease);
    snprintf(f->file, sizeof(f->file), "%s/%s.yaml", e->dir, lease);
    e2e_make_lease(e, lease);
    snprintf(name, sizeof(name), "%s-out", lease);
    e2e_make_configmap(e, name, NULL);
    e2e_make_configmap(e, lease, "{\"journal\":\"yes\"}");
    f->kubeconfig = e2e_make_account(e, lease);
    f->token = e2e_make_token(e, lease);
    print_rights(f);
    kubectl("apply", "--server-side=false", f->file);
    if (e->crd[0] == '\0')
        wait_for_kind(f);
    snprintf(e->crd, sizeof(e->crd), "fences.leasehold.dev"); /* deleted with the run */
}

void fenced_open(fenced_t *f, e2e_t *e, const char *lease)
{
    fenced_open_for(f, e, lease, JOURNAL_PLUGIN, "journal");
}

/* A kind that is deleted and made again is watched again by the policies half a minute later only. */
static void copy_without_kind(const char *from, const char *to)
{
    char line[4096], *text = NULL;
    size_t size = 0;
    bool kind = false;
    FILE *in = fopen(from, "r"), *out = fopen(to, "w"), *document = open_memstream(&text, &size);

    REQUIRE_TRUE(in != NULL && out != NULL && document != NULL);
    while (fgets(line, sizeof(line), in) != NULL) {
        if (strcmp(line, "---\n") == 0) {
            fclose(document);
            fprintf(out, "%s---\n", kind ? "" : text);
            free(text);
            document = open_memstream(&text, &size);
            kind = false;
        } else {
            kind |= strcmp(line, "kind: CustomResourceDefinition\n") == 0;
            fputs(line, document);
        }
    }
    fclose(document);
    fputs(text, out);
    free(text);
    fclose(in);
    fclose(out);
}

void fenced_close(fenced_t *f)
{
    char file[256];

    snprintf(file, sizeof(file), "%s.close", f->file);
    copy_without_kind(f->file, file);
    kubectl("delete", "--ignore-not-found", file);
    API_REPLY done = api_delete(f->e->api, "%s/%s", f->e->configmaps, f->lease);
    free((void *) f->token);
}

replica_t *fenced_replica(const fenced_t *f, const char *name, const char *kubeconfig,
                          const char *config)
{
    char yaml[512];

    snprintf(yaml, sizeof(yaml), "fencing: server\n%s", config != NULL ? config : "");
    return replica_start(
        &(replica_options_t){.name = name,
                             .lease = f->lease,
                             .ns = f->e->ns,
                             .kubeconfig = kubeconfig != NULL ? kubeconfig : f->kubeconfig,
                             .plugins = (const char *const[]){JOURNAL_PLUGIN, NULL},
                             .config = yaml});
}

static bool is_term(const api_reply_t *r, void *arg)
{
    const char *term = api_str(r->json, "/data/term");

    return *term != '\0' && strtol(term, NULL, 10) >= *(const long *) arg;
}

bool fenced_wrote(const fenced_t *f, long term, int ms)
{
    return api_until(f->e->api, f->out, ms, is_term, &term);
}

long fenced_term(const fenced_t *f)
{
    API_REPLY r = api_get(f->e->api, "%s", f->fence);

    return r.status == 200 ? api_int(r.json, "/spec/leaseTransitions") : -1;
}

api_reply_t fenced_write(const fenced_t *f, api_t *api, const char *holder, long term)
{
    char user[256], number[96], who[160];

    snprintf(user, sizeof(user), "Impersonate-User: system:serviceaccount:%s:leasehold-%s",
             f->e->ns, f->id);
    snprintf(number, sizeof(number), "Impersonate-Extra-leasehold.dev%%2Fterm: %ld", term);
    snprintf(who, sizeof(who), "Impersonate-Extra-leasehold.dev%%2Fholder: %s",
             holder != NULL ? holder : "");
    return api_ask(api,
                   &(api_request_t){.method = "PATCH",
                                    .path = f->out,
                                    .content_type = "application/merge-patch+json",
                                    .body = "{\"metadata\":{\"labels\":{\"raw\":\"x\"}}}",
                                    .headers = holder != NULL
                                                   ? (const char *const[]){user, number, who, NULL}
                                                   : (const char *const[]){user, NULL}});
}

bool fenced_wait_refused(const fenced_t *f, bool refused, int ms)
{
    for (int i = 0; i < ms / 50; i++) {
        API_REPLY r = fenced_write(f, f->e->api, "nobody", NO_TERM);
        if ((r.status == 403) == refused)
            return true;
        usleep(50000);
    }
    return false;
}

api_t *fenced_second(e2e_t *e)
{
    char path[512], port[16] = "", server[64];

    e2e_script("second", NULL);
    snprintf(path, sizeof(path), "%s/api2.port", getenv("LEASEHOLD_TEST_CLUSTER_DIR"));
    FILE *file = fopen(path, "r");
    REQUIRE_TRUE(file != NULL && fgets(port, sizeof(port), file) != NULL);
    fclose(file);
    port[strcspn(port, "\n")] = '\0';
    snprintf(server, sizeof(server), "https://127.0.0.1:%s", port);
    return api_open(e2e_kubeconfig(e, "second", server, NULL));
}
