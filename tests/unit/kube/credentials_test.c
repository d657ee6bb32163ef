/* SPDX-License-Identifier: Apache-2.0 */
/* Where credentials come from, and every rule and refusal of a kubeconfig. */
#include "kube/credentials.h"

#include "base/buf.h"
#include "base/file.h"
#include "support/expect.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
/* PEM in base64 */
#define PEM64 "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

static char dir[] = "/tmp/kube-credentials-test-XXXXXX";
static kube_credentials_t *c;
static lh_error_t err;

static void start(void)
{
    cr_assert_not_null(mkdtemp(dir));
}

static void finish(void)
{
    char command[128];

    kube_credentials_destroy(c);
    snprintf(command, sizeof(command), "%s", dir);
    /* files of a test are few and flat */
    static const char *const names[] = {"config", "ca.pem",    "cert.pem",     "key.pem", "token",
                                        "ca.crt", "namespace", ".kube/config", ".kube"};
    for (size_t i = 0; i < HOST_LEN(names); i++) {
        snprintf(command, sizeof(command), "%s/%s", dir, names[i]);
        if (unlink(command) < 0)
            rmdir(command);
    }
    rmdir(dir);
}

TestSuite(credentials, .init = start, .fini = finish, .timeout = 20);

/* Writes a file of the test's folder and gives its path; the caller frees it. */
static char *put(const char *name, const char *text)
{
    char *path = host_xprintf("%s/%s", dir, name);

    ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, &err), err);
    return path;
}

/* A kubeconfig with these lines in its cluster and its user. */
static char *config(const char *cluster, const char *user)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("apiVersion: v1\n"                                           /* 1 */
                     "kind: Config\n"                                             /* 2 */
                     "current-context: dev\n"                                     /* 3 */
                     "contexts:\n"                                                /* 4 */
                     "- name: dev\n"                                              /* 5 */
                     "  context: {cluster: home, user: admin, namespace: apps}\n" /* 6 */
                     "- name: bare\n"                                             /* 7 */
                     "  context: {cluster: home}\n"                               /* 8 */
                     "- name: lost\n"                                             /* 9 */
                     "  context: {cluster: nowhere, user: admin}\n"               /* 10 */
                     "- name: nobody\n"                                           /* 11 */
                     "  context: {cluster: home, user: ghost}\n"                  /* 12 */
                     "users:\n"                                                   /* 13 */
                     "- name: admin\n"                                            /* 14 */
                     "  user:\n"                                                  /* 15 */
                     "    dummy: 1\n"                                             /* 16 */
                     "%s"                                                         /* 17 */
                     "clusters:\n"
                     "- name: home\n"
                     "  cluster:\n"
                     "%s",
                     user, cluster);

    return put("config", text);
}

#define SERVER "    server: https://10.0.0.1:6443\n"

static int load(const char *path, const char *context)
{
    const kube_credentials_source_t source = {.path = path, .context = context};

    kube_credentials_destroy(c);
    c = NULL;
    return kube_credentials_load(&source, &c, &err);
}

static void expect_loads(const char *cluster, const char *user)
{
    host_cleanup(host_freep) char *path = config(cluster, user);

    ASSERT_OK(load(path, NULL), err);
}

/* want: the end of the text after the file's path. */
static void expect_refused(const char *cluster, const char *user, const char *want)
{
    host_cleanup(host_freep) char *path = config(cluster, user);
    host_cleanup(host_freep) char *text = host_xprintf("kubeconfig: %s:%s", path, want);

    EXPECT_INT(load(path, NULL), LH_EINVAL);
    EXPECT_HAS(err.text, text);
}

/* -- What is read -- */

Test(credentials, current_context_is_taken)
{
    expect_loads(SERVER, "    token: abc\n");
    EXPECT_STR(c->server, "https://10.0.0.1:6443");
    EXPECT_STR(c->token, "abc");
    EXPECT_STR(c->namespace, "apps");
    host_cleanup(host_freep) char *origin =
        host_xprintf("kubeconfig '%s/config', context 'dev'", dir);
    EXPECT_STR(c->origin, origin);
    cr_expect_null(c->tls_server_name);
    cr_expect_null(c->ca_file);
    cr_expect_null(c->ca_data);
}

Test(credentials, a_named_context_is_taken)
{
    host_cleanup(host_freep) char *path = config(SERVER, "    token: abc\n");

    ASSERT_OK(load(path, "bare"), err);
    cr_expect_null(c->token);
    EXPECT_STR(c->namespace, "");
}

Test(credentials, certificates_by_data_are_decoded)
{
    expect_loads(SERVER "    certificate-authority-data: " PEM64 "\n",
                 "    client-certificate-data: " PEM64 "\n    client-key-data: " PEM64 "\n");
    EXPECT_STR(c->ca_data, PEM);
    EXPECT_STR(c->client_cert_data, PEM);
    EXPECT_STR(c->client_key_data, PEM);
    cr_expect_null(c->ca_file);
}

Test(credentials, relative_files_count_from_the_kubeconfigs_folder)
{
    host_cleanup(host_freep) char *ca = put("ca.pem", PEM);
    host_cleanup(host_freep) char *cert = put("cert.pem", PEM);
    host_cleanup(host_freep) char *key = put("key.pem", PEM);
    host_cleanup(host_freep) char *token = put("token", "t");

    expect_loads(SERVER "    certificate-authority: ca.pem\n",
                 "    client-certificate: cert.pem\n    client-key: key.pem\n"
                 "    tokenFile: token\n");
    EXPECT_STR(c->ca_file, ca);
    EXPECT_STR(c->client_cert_file, cert);
    EXPECT_STR(c->client_key_file, key);
    EXPECT_STR(c->token_file, token);
    cr_expect_null(c->ca_data);
}

Test(credentials, absolute_files_are_taken_as_they_are)
{
    host_cleanup(host_freep) char *ca = put("ca.pem", PEM);
    host_cleanup(host_freep) char *line =
        host_xprintf(SERVER "    certificate-authority: %s\n", ca);

    expect_loads(line, "");
    EXPECT_STR(c->ca_file, ca);
}

Test(credentials, data_wins_over_a_file)
{
    expect_loads(SERVER "    certificate-authority: /nowhere.pem\n"
                        "    certificate-authority-data: " PEM64 "\n",
                 "");
    EXPECT_STR(c->ca_data, PEM);
    cr_expect_null(c->ca_file);
}

Test(credentials, tls_server_name_is_read)
{
    expect_loads(SERVER "    tls-server-name: api.example.test\n", "");
    EXPECT_STR(c->tls_server_name, "api.example.test");
}

Test(credentials, slashes_at_the_servers_end_are_dropped)
{
    expect_loads("    server: https://10.0.0.1:6443/k8s/clusters/c-1//\n", "");
    EXPECT_STR(c->server, "https://10.0.0.1:6443/k8s/clusters/c-1");
}

Test(credentials, plain_http_to_this_machine_is_allowed)
{
    expect_loads("    server: http://127.0.0.1:8080\n", "");
    expect_loads("    server: http://localhost:8080\n", "");
    expect_loads("    server: http://[::1]:8080\n", "");
}

Test(credentials, what_is_empty_or_null_counts_as_absent)
{
    expect_loads(SERVER "    proxy-url: \"\"\n    insecure-skip-tls-verify: false\n"
                        "    tls-server-name:\n",
                 "    exec: null\n    as: \"\"\n    as-groups: []\n    username:\n    token: x\n");
    EXPECT_STR(c->token, "x");
    cr_expect_null(c->tls_server_name);
}

Test(credentials, keys_of_others_are_ignored)
{
    expect_loads(SERVER "    extensions:\n    - name: minikube\n      extension: {a: b}\n"
                        "    disable-compression: true\n",
                 "    token: x\n");
}

/* -- What is refused in a user -- */

Test(credentials, auth_provider_is_refused)
{
    expect_refused(SERVER, "    auth-provider: {name: oidc}\n",
                   "17: user 'admin': auth-provider: authentication providers are not supported");
}

Test(credentials, half_a_client_certificate_is_refused)
{
    expect_refused(SERVER, "    client-certificate-data: " PEM64 "\n",
                   "16: user 'admin': client-key: it is missing");
    expect_refused(SERVER, "    client-key-data: " PEM64 "\n",
                   "16: user 'admin': client-certificate: it is missing");
}

Test(credentials, data_that_is_no_base64_of_pem_is_refused)
{
    expect_refused(SERVER, "    client-key-data: '%%%%'\n    client-certificate-data: YWJj\n",
                   "18: user 'admin': client-certificate-data: not PEM in base64");
    expect_refused(SERVER "    certificate-authority-data: abcde\n", "",
                   "21: cluster 'home': certificate-authority-data: not PEM in base64");
}

Test(credentials, a_field_of_the_wrong_kind_is_refused)
{
    expect_refused(SERVER, "    token: [a]\n", "17: user 'admin': token: a text is expected");
    expect_refused("    server: {a: b}\n", "", "20: cluster 'home': server: a text is expected");
}

/* -- What is refused in a cluster -- */

Test(credentials, skipping_verification_is_refused)
{
    expect_refused(SERVER "    insecure-skip-tls-verify: true\n", "",
                   "21: cluster 'home': insecure-skip-tls-verify: TLS is verified always; remove "
                   "it and give certificate-authority");
}

Test(credentials, a_server_must_be_there_and_encrypted)
{
    expect_refused("    dummy: 1\n", "", "20: cluster 'home': server: it is missing");
    expect_refused("    server: http://10.0.0.1:8080\n", "",
                   "20: cluster 'home': server: only https is spoken");
    expect_refused("    server: http://127.example.com:8080\n", "",
                   "20: cluster 'home': server: only https is spoken");
    expect_refused("    server: ftp://10.0.0.1\n", "",
                   "20: cluster 'home': server: only https is spoken");
    expect_refused("    server: 10.0.0.1:6443\n", "",
                   "20: cluster 'home': server: it must be like https://host:port");
    expect_refused("    server: https://me:pw@10.0.0.1\n", "",
                   "20: cluster 'home': server: it must not hold a user");
    expect_refused("    server: https://10.0.0.1/?a=b\n", "",
                   "20: cluster 'home': server: it must not hold a user, a query");
}

Test(credentials, a_bad_tls_server_name_is_refused)
{
    expect_refused(SERVER "    tls-server-name: 'a b'\n", "",
                   "21: cluster 'home': tls-server-name: neither a host name nor an address");
}

Test(credentials, certificate_files_must_exist_and_be_pem)
{
    free(put("ca.pem", "not pem"));

    expect_refused(SERVER "    certificate-authority: missing.pem\n", "",
                   "21: cluster 'home': certificate-authority: open '");
    EXPECT_HAS(err.text, "missing.pem': No such file or directory");
    expect_refused(SERVER "    certificate-authority: ca.pem\n", "",
                   "21: cluster 'home': certificate-authority: '");
    EXPECT_HAS(err.text, "ca.pem' is not in PEM form");
}

/* Each request failed, for ever, and what of a kubeconfig it was had no name. */
Test(credentials, a_token_with_a_line_break_was_retried_for_ever)
{
    expect_refused(SERVER, "    token: \"hush\\nhush\"\n",
                   "17: user 'admin': token: the token holds a line break after 4 characters");
    free(put("t", "hush\x1bhush\n"));
    expect_refused(SERVER, "    tokenFile: t\n", "17: user 'admin': tokenFile: token file '");
    EXPECT_HAS(err.text, "/t': the token holds a control character after 4 characters");
    cr_expect_null(strstr(err.text, "hush"));
}

Test(credentials, a_line_break_at_the_end_of_a_token_is_left_out)
{
    free(put("t", "hush\r\n"));
    free(put("empty", ""));
    expect_loads(SERVER, "    tokenFile: t\n");
    expect_loads(SERVER, "    tokenFile: empty\n"); /* it may be written yet */
    expect_loads(SERVER, "    tokenFile: missing\n");
    expect_loads(SERVER, "    token: \"hush\\n\"\n");
}

/* -- Contexts -- */

Test(credentials, a_context_must_exist)
{
    host_cleanup(host_freep) char *path = config(SERVER, "");

    EXPECT_INT(load(path, "prod"), LH_EINVAL);
    EXPECT_HAS(err.text, "config:5: context 'prod' is not in the list 'contexts'");
    EXPECT_INT(load(path, "lost"), LH_EINVAL);
    EXPECT_HAS(err.text, "cluster 'nowhere' is not in the list 'clusters'");
    EXPECT_INT(load(path, "nobody"), LH_EINVAL);
    EXPECT_HAS(err.text, "user 'ghost' is not in the list 'users'");
}

static void expect_text_refused(const char *text, int code, const char *want)
{
    host_cleanup(host_freep) char *path = put("config", text);

    EXPECT_INT(load(path, NULL), code);
    EXPECT_HAS(err.text, want);
}

Test(credentials, a_file_that_is_no_kubeconfig_is_refused)
{
    expect_text_refused("", LH_EINVAL, "config: not a kubeconfig: no mapping");
    expect_text_refused("- a\n", LH_EINVAL, "config: not a kubeconfig: no mapping");
    expect_text_refused("kind: Config\n", LH_EINVAL, "it has no current-context");
    EXPECT_HAS(err.text, "kubectl config use-context NAME");
    host_cleanup(host_freep) char *path = put("config", "a: [\n");
    cr_expect(load(path, NULL) < 0, "broken YAML was loaded");
    EXPECT_HAS(err.text, "kubeconfig: ");
}

Test(credentials, a_file_that_is_too_large_is_refused)
{
    enum { SIZE = 1024 * 1024 + 2 };
    host_cleanup(host_freep) char *text = malloc(SIZE);

    memset(text, '\n', SIZE - 1);
    text[SIZE - 1] = '\0';
    expect_text_refused(text, LH_ETOOBIG, "larger than");
}

/* -- Where they come from -- */

static int load_env(const char *const *env)
{
    const kube_credentials_source_t source = {.env = env, .service_account_dir = dir};

    kube_credentials_destroy(c);
    c = NULL;
    return kube_credentials_load(&source, &c, &err);
}

static void put_service_account(void)
{
    free(put("token", "t"));
    free(put("ca.crt", PEM));
    free(put("namespace", "team-a\n"));
}

Test(credentials, of_the_pod_are_its_service_accounts)
{
    put_service_account();
    ASSERT_OK(load_env((const char *const[]){"KUBERNETES_SERVICE_HOST=10.96.0.1",
                                             "KUBERNETES_SERVICE_PORT=443", NULL}),
              err);
    EXPECT_STR(c->server, "https://10.96.0.1:443");
    host_cleanup(host_freep) char *token = host_xprintf("%s/token", dir);
    host_cleanup(host_freep) char *ca = host_xprintf("%s/ca.crt", dir);
    EXPECT_STR(c->token_file, token);
    EXPECT_STR(c->ca_file, ca);
    EXPECT_STR(c->namespace, "team-a");
    EXPECT_STR(c->origin, "in-cluster");
}

Test(credentials, of_the_pod_with_a_token_of_two_lines_are_refused)
{
    put_service_account();
    free(put("token", "hush\nhush\n"));
    EXPECT_INT(load_env((const char *const[]){"KUBERNETES_SERVICE_HOST=10.96.0.1",
                                              "KUBERNETES_SERVICE_PORT=443", NULL}),
               LH_EINVAL);
    EXPECT_HAS(err.text, "in-cluster credentials: token file '");
    EXPECT_HAS(err.text, "/token': the token holds a line break after 4 characters");
}

Test(credentials, of_the_pod_may_lead_to_an_ipv6_address)
{
    put_service_account();
    ASSERT_OK(load_env((const char *const[]){"KUBERNETES_SERVICE_HOST=fd00::1",
                                             "KUBERNETES_SERVICE_PORT=443", NULL}),
              err);
    EXPECT_STR(c->server, "https://[fd00::1]:443");
}

Test(credentials, of_the_pod_go_by_the_proxy_of_the_environment)
{
    put_service_account();
    ASSERT_OK(load_env((const char *const[]){"KUBERNETES_SERVICE_HOST=10.96.0.1",
                                             "KUBERNETES_SERVICE_PORT=443",
                                             "HTTPS_PROXY=http://proxy:3128", NULL}),
              err);
    EXPECT_STR(c->proxy, "http://proxy:3128");
    ASSERT_OK(load_env((const char *const[]){
                  "KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443",
                  "HTTPS_PROXY=http://proxy:3128", "NO_PROXY=.svc,10.96.0.0/12", NULL}),
              err);
    cr_expect_null(c->proxy);
}

Test(credentials, of_the_pod_need_its_ca)
{
    free(put("token", "t"));
    EXPECT_INT(load_env((const char *const[]){"KUBERNETES_SERVICE_HOST=10.96.0.1",
                                              "KUBERNETES_SERVICE_PORT=443", NULL}),
               LH_ENOTFOUND);
    EXPECT_HAS(err.text, "in-cluster credentials: '");
    EXPECT_HAS(err.text, "ca.crt' is missing beside the token");
}

Test(credentials, kubeconfig_variable_wins_over_the_pod)
{
    host_cleanup(host_freep) char *path = config(SERVER, "");
    host_cleanup(host_freep) char *variable = host_xprintf("KUBECONFIG=%s", path);

    put_service_account();
    ASSERT_OK(load_env((const char *const[]){variable, "KUBERNETES_SERVICE_HOST=10.96.0.1",
                                             "KUBERNETES_SERVICE_PORT=443", NULL}),
              err);
    EXPECT_STR(c->server, "https://10.0.0.1:6443");
}

Test(credentials, a_missing_kubeconfig_is_named)
{
    EXPECT_INT(load("/nowhere/config", NULL), LH_ENOTFOUND);
    EXPECT_STR(err.text, "kubeconfig: open '/nowhere/config': No such file or directory");
}

Test(credentials, of_the_home_folder_come_last)
{
    host_cleanup(host_freep) char *kube = host_xprintf("%s/.kube", dir);
    host_cleanup(host_freep) char *home = host_xprintf("HOME=%s", dir);
    host_cleanup(host_freep) char *from = config(SERVER, "");
    host_cleanup(host_freep) char *to = host_xprintf("%s/config", kube);

    cr_assert_eq(mkdir(kube, 0700), 0);
    cr_assert_eq(rename(from, to), 0);
    ASSERT_OK(load_env((const char *const[]){home, NULL}), err);
    EXPECT_STR(c->server, "https://10.0.0.1:6443");
}

Test(credentials, none_at_all_are_an_error_that_says_what_was_tried)
{
    EXPECT_INT(load_env((const char *const[]){"HOME=/nowhere", NULL}), LH_ENOTFOUND);
    EXPECT_STR(err.text,
               "no credentials: no kubeconfig is given, KUBECONFIG is not set, this is no "
               "pod, and '/nowhere/.kube/config' does not exist");
    EXPECT_INT(load_env((const char *const[]){"KUBERNETES_SERVICE_HOST=10.96.0.1",
                                              "KUBERNETES_SERVICE_PORT=443", NULL}),
               LH_ENOTFOUND);
    EXPECT_HAS(err.text, "is automountServiceAccountToken off?");
}
