/* SPDX-License-Identifier: Apache-2.0 */
#include "e2e/e2e.h"

#include "base/rand.h"
#include "kube/credentials.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- Texts -- */

/* A text that lasts as long as the run. */
typedef struct e2e_text {
    struct e2e_text *next;
    char text[512];
} e2e_text_t;

__attribute__((format(printf, 2, 3))) static const char *lasting_text(e2e_t *e, const char *fmt,
                                                                      ...)
{
    e2e_text_t *t = calloc(1, sizeof(*t));
    va_list args;

    REQUIRE_TRUE(t != NULL);
    va_start(args, fmt);
    vsnprintf(t->text, sizeof(t->text), fmt, args);
    va_end(args);
    t->next = e->texts;
    e->texts = t;
    return t->text;
}

static void free_texts(e2e_t *e)
{
    while (e->texts != NULL) {
        e2e_text_t *t = e->texts;
        e->texts = t->next;
        free(t);
    }
}

/* -- Objects -- */

void e2e_make_lease(e2e_t *e, const char *name)
{
    API_REPLY r = api_post(e->api, e->leases, "{\"metadata\":{\"name\":\"%s\"}}", name);

    REQUIRE_INT(r.status, 201);
}

const char *e2e_holder(e2e_t *e, const char *lease)
{
    static char holder[256];
    API_REPLY r = api_get(e->api, "%s/%s", e->leases, lease);

    snprintf(holder, sizeof(holder), "%s", api_str(r.json, "/spec/holderIdentity"));
    return holder;
}

bool e2e_wait_holder(e2e_t *e, const char *lease, const char *holder, int ms)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", e->leases, lease);
    return e2e_wait_value(e, path, "/spec/holderIdentity", holder, ms);
}

void e2e_make_configmap(e2e_t *e, const char *name, const char *labels_json)
{
    API_REPLY r = api_post(e->api, e->configmaps,
                           "{\"metadata\":{\"name\":\"%s\",\"labels\":%s},\"data\":{\"k\":\"v\"}}",
                           name, labels_json != NULL ? labels_json : "{}");

    REQUIRE_INT(r.status, 201);
}

typedef struct value {
    const char *pointer, *value;
    int status;
} value_t;

static bool has_value(const api_reply_t *r, void *arg)
{
    const value_t *v = arg;

    return r->status == 200 && strcmp(api_str(r->json, v->pointer), v->value) == 0;
}

bool e2e_wait_value(e2e_t *e, const char *path, const char *pointer, const char *value, int ms)
{
    return api_until(e->api, path, ms, has_value, &(value_t){pointer, value, 200});
}

static bool has_status(const api_reply_t *r, void *arg)
{
    return r->status == ((const value_t *) arg)->status;
}

bool e2e_wait_status(e2e_t *e, const char *path, int status, int ms)
{
    return api_until(e->api, path, ms, has_status, &(value_t){.status = status});
}

const char *e2e_make_namespace(e2e_t *e, const char *suffix)
{
    const char *name = lasting_text(e, "%s-%s", e->ns, suffix);

    API_REPLY r =
        api_post(e->api, "/api/v1/namespaces",
                 "{\"metadata\":{\"name\":\"%s\",\"labels\":{\"e2e\":\"%s\"}}}", name, e->ns);
    REQUIRE_INT(r.status, 201);
    return name;
}

void e2e_make_crd(e2e_t *e, const char *file, const char *resource)
{
    char path[512], text[16384]; /* a CRD has a few thousand bytes */

    snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, file);
    FILE *f = fopen(path, "r");
    REQUIRE_TRUE(f != NULL);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    API_REPLY r = api_do(e->api, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                         "application/yaml", text);
    if (r.status != 409) {
        REQUIRE_INT(r.status, 201);
        snprintf(e->crd, sizeof(e->crd), "%s", api_str(r.json, "/metadata/name"));
    }
    REQUIRE_TRUE(e2e_wait_status(e, resource, 200, 30000));
}

/* -- Many ConfigMaps -- */

typedef struct batch {
    pthread_t thread;
    const char *ns, *prefix;
    int from, to, failed;
} batch_t;

static void *make_batch(void *arg)
{
    batch_t *b = arg;
    api_t *api = api_open(NULL);
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/configmaps", b->ns);
    for (int i = b->from; i < b->to; i++) {
        API_REPLY r = api_post(
            api, path, "{\"metadata\":{\"name\":\"%s-%d\"},\"data\":{\"k\":\"v\"}}", b->prefix, i);
        b->failed += r.status != 201;
    }
    api_close(api);
    return NULL;
}

void e2e_make_many(e2e_t *e, const char *ns, const char *prefix, int count)
{
    enum { BATCHES = 4 };
    batch_t batches[BATCHES];
    int failed = 0;

    (void) e;
    for (int i = 0; i < BATCHES; i++) {
        batches[i] = (batch_t){.ns = ns,
                               .prefix = prefix,
                               .from = count * i / BATCHES,
                               .to = count * (i + 1) / BATCHES};
        REQUIRE_INT(pthread_create(&batches[i].thread, NULL, make_batch, &batches[i]), 0);
    }
    for (int i = 0; i < BATCHES; i++) {
        pthread_join(batches[i].thread, NULL);
        failed += batches[i].failed;
    }
    REQUIRE_INT(failed, 0);
}

/* -- Replicas -- */

replica_t *e2e_replica(e2e_t *e, const char *name, const char *lease, const char *const *plugins)
{
    static const char *const hello[] = {HELLO_PLUGIN, NULL};

    return replica_start(&(replica_options_t){
        .name = name, .lease = lease, .ns = e->ns, .plugins = plugins != NULL ? plugins : hello});
}

/* A path for a value that the kubeconfig names by file; data is written to one. */
static const char *pem_file(e2e_t *e, const char *name, const char *file, const char *data)
{
    if (file != NULL || data == NULL)
        return file;
    const char *path = lasting_text(e, "%s/%s.pem", e->dir, name);
    FILE *f = fopen(path, "w");
    REQUIRE_TRUE(f != NULL);
    fputs(data, f);
    fclose(f);
    return path;
}

static void print_field(FILE *f, const char *key, const char *value)
{
    if (value != NULL)
        fprintf(f, "    %s: \"%s\"\n", key, value);
}

/* Without the port. */
static void host_of(const char *server, char *out, size_t size)
{
    const char *host = strstr(server, "://");

    host = host != NULL ? host + 3 : server;
    snprintf(out, size, "%.*s", (int) strcspn(host, ":/"), host);
}

const char *e2e_kubeconfig(e2e_t *e, const char *name, const char *server, const char *token)
{
    const kube_credentials_t *c = api_credentials(e->api);
    const char *path = lasting_text(e, "%s/%s.kubeconfig", e->dir, name);
    char host[256];

    FILE *f = fopen(path, "w");
    REQUIRE_TRUE(f != NULL);
    host_of(c->server, host, sizeof(host));
    fprintf(f, "apiVersion: v1\nkind: Config\ncurrent-context: e2e\n"
               "contexts:\n- name: e2e\n  context: {cluster: e2e, user: e2e}\n"
               "clusters:\n- name: e2e\n  cluster:\n");
    print_field(f, "server", server != NULL ? server : c->server);
    print_field(f, "certificate-authority", pem_file(e, "ca", c->ca_file, c->ca_data));
    print_field(f, "tls-server-name", c->tls_server_name != NULL ? c->tls_server_name : host);
    fprintf(f, "users:\n- name: e2e\n  user:\n");
    print_field(f, "token", token != NULL ? token : c->token);
    if (token == NULL) {
        print_field(f, "tokenFile", c->token_file);
        print_field(f, "client-certificate",
                    pem_file(e, "cert", c->client_cert_file, c->client_cert_data));
        print_field(f, "client-key", pem_file(e, "key", c->client_key_file, c->client_key_data));
    }
    fclose(f);
    return path;
}

const char *e2e_user_name(const e2e_t *e, const char *name)
{
    static char names[4][192];
    static unsigned next;
    char *out = names[next++ % 4];

    snprintf(out, sizeof(names[0]), "system:serviceaccount:%s:%s", e->ns, name);
    return out;
}

/* NULL: this server gives none. Caller owns. */
static char *ask_token(const e2e_t *e, const char *account)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/serviceaccounts/%s/token", e->ns, account);
    API_REPLY r = api_post(e->api, path, "{\"spec\":{\"expirationSeconds\":7200}}");
    return r.status == 201 ? strdup(api_str(r.json, "/status/token")) : NULL;
}

const char *e2e_make_account(e2e_t *e, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s/serviceaccounts", e->ns);
    API_REPLY made = api_post(e->api, path, "{\"metadata\":{\"name\":\"%s\"}}", name);
    REQUIRE_INT(made.status, 201);
    char *token = ask_token(e, name);
    const char *kubeconfig = token != NULL ? e2e_kubeconfig(e, name, NULL, token) : NULL;

    free(token);
    return kubeconfig;
}

const char *e2e_make_user(e2e_t *e, const char *name)
{
    const char *kubeconfig = e2e_make_account(e, name);

    REQUIRE_TRUE(kubeconfig != NULL);
    API_REPLY bound = api_post(
        e->api, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "{\"metadata\":{\"name\":\"%s-%s\",\"labels\":{\"e2e\":\"%s\"}},"
        "\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","
        "\"name\":\"cluster-admin\"},"
        "\"subjects\":[{\"kind\":\"ServiceAccount\",\"namespace\":\"%s\",\"name\":\"%s\"}]}",
        e->ns, name, e->ns, e->ns, name);
    REQUIRE_INT(bound.status, 201);
    e->users++;
    return kubeconfig;
}

char *e2e_make_token(e2e_t *e, const char *account)
{
    API_REPLY there = api_get(e->api, "/api/v1/namespaces/%s/serviceaccounts/%s", e->ns, account);
    if (there.status == 404)
        e2e_make_user(e, account);
    char *token = ask_token(e, account);

    REQUIRE_TRUE(token != NULL);
    return token;
}

/* -- The program -- */

static void run_child(const char *path, const char *const *argv)
{
    int status = -1;

    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(path, (char *const *) argv);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    REQUIRE_INT(status, 0);
}

void e2e_script(const char *script, const char *arg)
{
    const char *dir = getenv("LEASEHOLD_TEST_CLUSTER_DIR");
    const char *scripts = getenv("LEASEHOLD_TEST_CLUSTER_SCRIPTS"); /* of another server */
    char path[512];

    REQUIRE_TRUE(dir != NULL);
    if (scripts != NULL)
        snprintf(path, sizeof(path), "%s/%s", scripts, script);
    else
        snprintf(path, sizeof(path), "%s/tests/cluster/%s", SOURCE_DIR, script);
    run_child(path, (const char *const[]){path, dir, arg, NULL});
}

void e2e_open(e2e_t *e, const char *program)
{
    const char *tmp = getenv("TMPDIR");
    char tail[9];

    *e = (e2e_t){0};
    curl_global_init(CURL_GLOBAL_ALL);
    e->api = api_open(NULL);
    rand_hex(tail, 4);
    snprintf(e->ns, sizeof(e->ns), "e2e-%s-%s", program, tail);
    snprintf(e->configmaps, sizeof(e->configmaps), "/api/v1/namespaces/%s/configmaps", e->ns);
    snprintf(e->leases, sizeof(e->leases), "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
             e->ns);
    snprintf(e->dir, sizeof(e->dir), "%s/leasehold-e2e.XXXXXX", tmp != NULL ? tmp : "/tmp");
    API_REPLY made =
        api_post(e->api, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"%s\"}}", e->ns);
    if (made.status != 201 || mkdtemp(e->dir) == NULL) {
        printf("not ok 1 - a namespace can be made\n# status %d: %.300s\n1..1\n", made.status,
               made.text);
        exit(1);
    }
}

void e2e_close(e2e_t *e)
{
    char all[256];

    snprintf(all, sizeof(all), "/api/v1/namespaces?labelSelector=e2e=%s", e->ns);
    API_REPLY others = api_do(e->api, "GET", all, NULL, NULL);
    for (int i = 0; i < cJSON_GetArraySize(api_at(others.json, "/items")); i++) {
        const cJSON *ns = cJSON_GetArrayItem(api_at(others.json, "/items"), i);
        API_REPLY r = api_delete(e->api, "/api/v1/namespaces/%s", api_str(ns, "/metadata/name"));
    }
    API_REPLY gone = api_delete(e->api, "/api/v1/namespaces/%s", e->ns);
    if (e->crd[0] != '\0') {
        API_REPLY kind = api_delete(
            e->api, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s", e->crd);
    }
    if (e->users > 0) {
        API_REPLY unbound = api_delete(
            e->api, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=e2e=%s",
            e->ns);
    }
    api_close(e->api);
    free_texts(e);
    curl_global_cleanup();
    run_child("rm", (const char *const[]){"rm", "-rf", e->dir, NULL});
}

int e2e_main(int argc, char **argv, const char *program, const tap_test_t *tests, size_t count)
{
    e2e_t e;

    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return tap_main(argc, argv, tests, count, NULL);
    e2e_open(&e, program);
    const int status = tap_main(argc, argv, tests, count, &e);
    e2e_close(&e);
    return status;
}
