/* SPDX-License-Identifier: Apache-2.0 */
/* The service account of a pod, with its files replaced as kubelet does it: the host's own client on
 * the API server, in this process, for the folder of a pod is not to be had. */
#include "base/base.h"
#include "base/clock.h"
#include "e2e/e2e.h"
#include "kube/client.h"
#include "support/http_server.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct pod {
    e2e_t *e;
    loop_t *loop;
    kube_credentials_t *credentials;
    kube_client_t *client;
    int version; /* of the files */
    int code;
    char user[192]; /* as the API server sees it */
} pod_t;

/* -- The folder: token -> ..data/token, ..data -> ..1, and so on -- */

static void put(const pod_t *p, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/..%d/%s", p->e->dir, p->version, name);
    FILE *f = fopen(path, "w");
    REQUIRE_TRUE(f != NULL);
    fputs(text, f);
    fclose(f);
}

static void link_to(const pod_t *p, const char *name, const char *target)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", p->e->dir, name);
    REQUIRE_INT(symlink(target, path), 0);
}

/* One new folder, and one link that leads to it from now on. */
static void project(pod_t *p, const char *token, const char *ca)
{
    char path[256], data[256], target[16];

    p->version++;
    snprintf(target, sizeof(target), "..%d", p->version);
    snprintf(path, sizeof(path), "%s/%s", p->e->dir, target);
    REQUIRE_INT(mkdir(path, 0700), 0);
    put(p, "token", token);
    put(p, "ca.crt", ca);
    put(p, "namespace", p->e->ns);
    link_to(p, "..new", target);
    snprintf(path, sizeof(path), "%s/..new", p->e->dir);
    snprintf(data, sizeof(data), "%s/..data", p->e->dir);
    REQUIRE_INT(rename(path, data), 0);
    if (p->version > 1)
        return;
    link_to(p, "token", "..data/token");
    link_to(p, "ca.crt", "..data/ca.crt");
    link_to(p, "namespace", "..data/namespace");
}

/* -- Who the API server says it is -- */

static void on_done(void *arg, const kube_result_t *result)
{
    pod_t *p = arg;
    cJSON *json = cJSON_ParseWithLength(result->body, result->body_len);

    p->code = result->code;
    snprintf(p->user, sizeof(p->user), "%s", api_str(json, "/status/userInfo/username"));
    cJSON_Delete(json);
    loop_stop(p->loop);
}

static void ask(pod_t *p)
{
    static const char body[] =
        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"SelfSubjectReview\"}";
    lh_error_t err;

    p->user[0] = '\0';
    REQUIRE_INT(kube_client_send(
                    p->client,
                    &(kube_request_t){.method = "POST",
                                      .path = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                                      .body = body,
                                      .body_len = sizeof(body) - 1,
                                      .timeout = 10 * CLOCK_S,
                                      .on_done = on_done,
                                      .arg = p},
                    NULL, &err),
                0);
    loop_run(p->loop);
}

static void open_pod(pod_t *p)
{
    const char *server = api_credentials(p->e->api)->server;
    char host[128], port[128];
    const char *const env[] = {host, port, NULL};
    const char *at = strstr(server, "://") + 3, *colon = strrchr(at, ':');
    lh_error_t err;

    REQUIRE_TRUE(colon != NULL);
    snprintf(host, sizeof(host), "KUBERNETES_SERVICE_HOST=%.*s", (int) (colon - at), at);
    snprintf(port, sizeof(port), "KUBERNETES_SERVICE_PORT=%s", colon + 1);
    const kube_credentials_source_t source = {.env = env, .service_account_dir = p->e->dir};
    REQUIRE_INT(loop_create(&p->loop, &err), 0);
    REQUIRE_INT(kube_credentials_load(&source, &p->credentials, &err), 0);
    EXPECT_STR(p->credentials->namespace, p->e->ns);
    REQUIRE_INT(kube_client_create(&(kube_client_options_t){.loop = p->loop,
                                                            .credentials = p->credentials,
                                                            .kind = KUBE_CLIENT_LEASE},
                                   &p->client, &err),
                0);
}

static char *read_ca(const e2e_t *e)
{
    const kube_credentials_t *c = api_credentials(e->api);
    char *text = calloc(1, 65536);

    if (c->ca_data != NULL) {
        snprintf(text, 65536, "%s", c->ca_data);
        return text;
    }
    FILE *f = fopen(c->ca_file, "r");
    REQUIRE_TRUE(f != NULL);
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

static void rotates(void *arg)
{
    e2e_t *e = arg;
    pod_t p = {.e = e};
    http_tls_t *other = http_tls_create("IP:127.0.0.1");
    char *ca = read_ca(e), *one = e2e_make_token(e, "pod-one"), *two = e2e_make_token(e, "pod-two");

    project(&p, one, ca);
    open_pod(&p);
    ask(&p);
    EXPECT_INT(p.code, 0);
    EXPECT_STR(p.user, e2e_user_name(e, "pod-one"));
    project(&p, two, ca);
    ask(&p);
    EXPECT_STR(p.user, e2e_user_name(e, "pod-two"));
    project(&p, two, other->ca);
    ask(&p);
    EXPECT_INT(p.code, LH_EUNAVAILABLE);
    project(&p, one, ca);
    ask(&p);
    EXPECT_INT(p.code, 0);
    EXPECT_STR(p.user, e2e_user_name(e, "pod-one"));
    kube_client_destroy(p.client);
    kube_credentials_destroy(p.credentials);
    loop_destroy(p.loop);
    http_tls_destroy(other);
    free(ca);
    free(one);
    free(two);
}

static const tap_test_t tests[] = {
    {"credentials_in_cluster: token and CA of the service account are read again when they change",
     rotates},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "in-cluster", tests, sizeof(tests) / sizeof(tests[0]));
}
