/* SPDX-License-Identifier: Apache-2.0 */
/* Each way to the API server and to an identity there, with the host binary. Who has asked is told by
 * the audit log. */
#include "e2e/e2e.h"
#include "kube/credentials.h"
#include "support/forward_proxy.h"

#include <sys/stat.h>
#include <unistd.h>

enum { LIMIT = 30000 };

/* -- Files of the run -- */

static const char *in_dir(const e2e_t *e, const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, sizeof(paths[0]), "%s/%s", e->dir, name);
    return out;
}

/* As rotation does it: the new file takes the place of the old one. */
static void put(const e2e_t *e, const char *name, const char *text)
{
    char path[256], new_path[300];

    snprintf(path, sizeof(path), "%s", in_dir(e, name));
    snprintf(new_path, sizeof(new_path), "%s.new", path);
    FILE *f = fopen(new_path, "w");
    REQUIRE_TRUE(f != NULL);
    fputs(text, f);
    fclose(f);
    REQUIRE_INT(chmod(new_path, 0700), 0);
    REQUIRE_INT(rename(new_path, path), 0);
}

static char *read_file(const char *path)
{
    char *text = calloc(1, 65536);
    FILE *f = fopen(path, "r");

    REQUIRE_TRUE(f != NULL && text != NULL);
    text[fread(text, 1, 65535, f)] = '\0';
    fclose(f);
    return text;
}

static void copy_file(const e2e_t *e, const char *from, const char *name)
{
    char *text = read_file(from);

    put(e, name, text);
    free(text);
}

/* What it has written, one line a run. */
static int count_lines(const e2e_t *e, const char *name)
{
    FILE *f = fopen(in_dir(e, name), "r");
    int n = 0, c;

    while (f != NULL && (c = fgetc(f)) != EOF)
        n += c == '\n';
    if (f != NULL)
        fclose(f);
    return n;
}

static bool wait_lines(const e2e_t *e, const char *name, int n, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (count_lines(e, name) < n && replica_now_ms() < until)
        usleep(10000);
    return count_lines(e, name) >= n;
}

/* A kubeconfig with these lines in its cluster and its user. The lines of the cluster are all but the
 * CA; NULL: the run's own server. */
static const char *put_config(const e2e_t *e, const char *name, const char *cluster,
                              const char *user)
{
    const kube_credentials_t *c = api_credentials(e->api);
    char text[4096], server[256];

    snprintf(server, sizeof(server), "    server: %s\n", c->server);
    snprintf(text, sizeof(text),
             "current-context: one\n"
             "contexts:\n- {name: one, context: {cluster: c, user: u}}\n"
             "clusters:\n- name: c\n  cluster:\n    certificate-authority: %s\n%s"
             "users:\n- name: u\n  user:\n%s",
             c->ca_file, cluster != NULL ? cluster : server, user);
    put(e, name, text);
    return in_dir(e, name);
}

/* -- Tokens -- */

/* Writes a token of the service account, as of e2e_make_token. */
static void put_token(e2e_t *e, const char *account, const char *file)
{
    char *token = e2e_make_token(e, account);

    put(e, file, token);
    free(token);
}

/* -- Replicas -- */

static replica_t *start(e2e_t *e, const char *lease, const char *kubeconfig, const char *env)
{
    static const char *const none[] = {NULL};

    e2e_make_lease(e, lease);
    return replica_start(&(replica_options_t){.name = lease,
                                              .lease = lease,
                                              .ns = e->ns,
                                              .kubeconfig = kubeconfig,
                                              .plugins = none,
                                              .durations = "15s/10s/1s",
                                              .env = env});
}

static void expect_leads(e2e_t *e, replica_t *r, const char *lease)
{
    const bool leads = e2e_wait_holder(e, lease, lease, LIMIT);

    if (!EXPECT_TRUE(leads)) {
        char *log = replica_log(r);
        tap_note("%.2000s", log);
        free(log);
    }
}

/* Waits for an acknowledged renewal by that user, in the log from `from`. */
static bool wait_renewal(long from, const char *user, const char *lease, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (replica_now_ms() < until) {
        long at = from;
        size_t count;
        e2e_audit_t *all = e2e_audit(&at, user, &count);
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found = found || (strcmp(all[i].user, user) == 0 && strcmp(all[i].name, lease) == 0 &&
                              strcmp(all[i].verb, "update") == 0 && all[i].code == 200);
        free(all);
        if (found)
            return true;
        usleep(20000);
    }
    return false;
}

static void expect_not_logged(replica_t *r, const char *secret)
{
    char *log = replica_log(r);

    if (!EXPECT_TRUE(strstr(log, secret) == NULL))
        tap_note("the log shows '%s':\n%.2000s", secret, log);
    free(log);
}

/* One term since the start, and it goes on. */
static void expect_unbroken(replica_t *r)
{
    EXPECT_INT(replica_log_count(r, "leading, term "), 1);
    EXPECT_INT(replica_log_count(r, "has ended"), 0);
}

static void stop(replica_t *r)
{
    replica_signal(r, SIGTERM);
    EXPECT_INT(replica_wait(r, LIMIT), 0);
    replica_free(r);
}

/* A host that ends at once for its kubeconfig. */
static void expect_refused(e2e_t *e, const char *name, const char *cluster, const char *user,
                           const char *text)
{
    replica_t *r = start(e, name, put_config(e, name, cluster, user), NULL);

    EXPECT_INT(replica_wait(r, LIMIT), 2);
    char *log = replica_log(r);
    EXPECT_HAS(log, text);
    free(log);
    replica_free(r);
}

/* -- exec -- */

#define EXEC                                                                                       \
    "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"                               \
    "      interactiveMode: Never\n      command: ./%s.plugin\n"

/* A plugin NAME.plugin: `before`, a line in NAME.runs, and then the token in NAME.token with
 * $expires for what follows it. */
static const char *put_exec(const e2e_t *e, const char *name, const char *before)
{
    char file[64], text[2048], user[512];

    snprintf(file, sizeof(file), "%s.plugin", name);
    snprintf(
        text, sizeof(text),
        "#!/bin/sh\ncd '%s' || exit 9\n%s\necho x >> %s.runs\n"
        "printf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"%%s\",\"status\":{\"token\":\"%%s\""
        "%%s}}' client.authentication.k8s.io/v1 \"$(cat %s.token)\" \"$expires\"\n",
        e->dir, before, name, name);
    put(e, file, text);
    snprintf(user, sizeof(user), EXEC, name);
    return put_config(e, name, NULL, user);
}

#define EXPIRES_IN(s)                                                                              \
    "expires=,\\\"expirationTimestamp\\\":\\\"$(date -u -d '" s " seconds' +%FT%TZ)\\\""

static void exec_token(void *arg)
{
    e2e_t *e = arg;
    const long from = e2e_audit_end();

    put_token(e, "exec-token", "exec-token.token");
    replica_t *r = start(e, "exec-token", put_exec(e, "exec-token", ""), NULL);
    expect_leads(e, r, "exec-token");
    EXPECT_TRUE(wait_renewal(from, e2e_user_name(e, "exec-token"), "exec-token", LIMIT));
    EXPECT_INT(count_lines(e, "exec-token.runs"), 1); /* for all clients of the host */
    char *token = read_file(in_dir(e, "exec-token.token"));
    expect_not_logged(r, token);
    free(token);
    stop(r);
}

static void exec_renewed_before_it_expires(void *arg)
{
    e2e_t *e = arg;

    put_token(e, "exec-expiry", "exec-expiry.token");
    replica_t *r = start(e, "exec-expiry", put_exec(e, "exec-expiry", EXPIRES_IN("3")), NULL);
    expect_leads(e, r, "exec-expiry");
    EXPECT_TRUE(wait_lines(e, "exec-expiry.runs", 4, LIMIT));
    expect_unbroken(r);
    EXPECT_INT(replica_log_count(r, "has expired"), 0);
    stop(r);
}

static void exec_renewed_after_401(void *arg)
{
    e2e_t *e = arg;

    put_token(e, "exec-old", "exec-401.token");
    replica_t *r = start(e, "exec-401", put_exec(e, "exec-401", ""), NULL);
    expect_leads(e, r, "exec-401");
    put_token(e, "exec-new", "exec-401.token");
    const long from = e2e_audit_end();
    API_REPLY gone = api_delete(e->api, "/api/v1/namespaces/%s/serviceaccounts/exec-old", e->ns);
    REQUIRE_INT(gone.status, 200); /* its token is refused within 10 s */
    EXPECT_TRUE(wait_renewal(from, e2e_user_name(e, "exec-new"), "exec-401", 2 * LIMIT));
    EXPECT_INT(count_lines(e, "exec-401.runs"), 2);
    expect_unbroken(r);
    stop(r);
}

static void exec_that_hangs_costs_no_renewal(void *arg)
{
    e2e_t *e = arg;

    put_token(e, "exec-hang", "exec-hang.token");
    replica_t *r =
        start(e, "exec-hang",
              put_exec(e, "exec-hang",
                       "while [ -e hang ]; do echo x >> hangs; sleep 0.1; done\n" EXPIRES_IN("3")),
              NULL);
    expect_leads(e, r, "exec-hang");
    put(e, "hang", "");
    REQUIRE_TRUE(wait_lines(e, "hangs", 150, 2 * LIMIT)); /* longer than the renewDeadline */
    expect_unbroken(r);
    EXPECT_TRUE(wait_renewal(e2e_audit_end(), e2e_user_name(e, "exec-hang"), "exec-hang", LIMIT));
    unlink(in_dir(e, "hang"));
    stop(r);
}

static void exec_that_fails_is_waited_for(void *arg)
{
    e2e_t *e = arg;

    put_token(e, "exec-fail", "exec-fail.token");
    replica_t *r = start(
        e, "exec-fail",
        put_exec(e, "exec-fail", "[ -e luck ] || { echo 'no luck: password=hush' >&2; exit 3; }"),
        NULL);
    EXPECT_TRUE(replica_logged(r,
                               "exec plugin 'exec-fail.plugin': it exited with status 3; it says: "
                               "no luck: password=***",
                               LIMIT));
    put(e, "luck", "");
    expect_leads(e, r, "exec-fail");
    expect_not_logged(r, "hush");
    stop(r);
}

static void exec_that_is_missing_says_how_to_get_it(void *arg)
{
    e2e_t *e = arg;
    replica_t *r = start(e, "exec-missing",
                         put_config(e, "exec-missing", NULL,
                                    "    exec:\n"
                                    "      apiVersion: client.authentication.k8s.io/v1beta1\n"
                                    "      command: no-such-plugin-here\n"
                                    "      installHint: apt install it\n"),
                         NULL);

    EXPECT_TRUE(replica_logged(r,
                               "exec plugin 'no-such-plugin-here': there is no such program: apt "
                               "install it",
                               LIMIT));
    stop(r);
}

static void exec_that_asks_is_refused(void *arg)
{
    expect_refused(arg, "exec-asks", NULL,
                   "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
                   "      command: x\n      interactiveMode: Always\n",
                   "interactiveMode: Always: the plugin asks somebody");
}

/* Writes DIR/NAME.crt and .key of the cluster, and gives the path without its end. */
static const char *make_cert(const char *name)
{
    static char base[256];

    e2e_script("client-cert", name);
    snprintf(base, sizeof(base), "%s/%s", getenv("LEASEHOLD_TEST_CLUSTER_DIR"), name);
    return base;
}

static void copy_cert(const e2e_t *e, const char *user, const char *cert, const char *key)
{
    char path[300];
    const char *base = make_cert(user);

    snprintf(path, sizeof(path), "%s.crt", base);
    copy_file(e, path, cert);
    snprintf(path, sizeof(path), "%s.key", base);
    copy_file(e, path, key);
}

static void exec_client_certificate(void *arg)
{
    e2e_t *e = arg;
    const long from = e2e_audit_end();
    char text[2048], user[512];

    copy_cert(e, "exec-cert", "exec-cert.crt", "exec-cert.key");
    snprintf(
        text, sizeof(text),
        "#!/bin/sh\ncd '%s' || exit 9\n"
        "json() { awk '{printf \"%%s\\\\n\", $0}' \"$1\"; }\n" /* ends of lines as JSON writes them */
        "printf %%s "
        "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\","
        "\"status\":{\"clientCertificateData\":\"'\"$(json exec-cert.crt)\"'\","
        "\"clientKeyData\":\"'\"$(json exec-cert.key)\"'\"}}'\n",
        e->dir);
    put(e, "exec-cert.plugin", text);
    snprintf(user, sizeof(user), EXEC, "exec-cert");
    replica_t *r = start(e, "exec-cert", put_config(e, "exec-cert", NULL, user), NULL);
    expect_leads(e, r, "exec-cert");
    EXPECT_TRUE(wait_renewal(from, "exec-cert", "exec-cert", LIMIT));
    stop(r);
}

/* -- Certificates and tokens in files -- */

static void client_certificate_rotated(void *arg)
{
    e2e_t *e = arg;
    const long from = e2e_audit_end();

    copy_cert(e, "cert-one", "rotated.crt", "rotated.key");
    replica_t *r = start(e, "rotated",
                         put_config(e, "rotated", NULL,
                                    "    client-certificate: rotated.crt\n"
                                    "    client-key: rotated.key\n"),
                         NULL);
    expect_leads(e, r, "rotated");
    EXPECT_TRUE(wait_renewal(from, "cert-one", "rotated", LIMIT));
    copy_cert(e, "cert-two", "rotated.crt", "rotated.key");
    EXPECT_TRUE(wait_renewal(from, "cert-two", "rotated", LIMIT));
    expect_unbroken(r);
    stop(r);
}

static void ca_file_rotated(void *arg)
{
    e2e_t *e = arg;
    char cluster[512], path[300];

    snprintf(path, sizeof(path), "%s/client-ca.crt", getenv("LEASEHOLD_TEST_CLUSTER_DIR"));
    put_token(e, "ca", "ca.token");
    copy_file(e, path, "ca.crt"); /* of somebody else */
    snprintf(cluster, sizeof(cluster),
             "current-context: one\ncontexts: [{name: one, context: {cluster: c, user: u}}]\n"
             "clusters: [{name: c, cluster: {server: '%s', certificate-authority: ca.crt}}]\n"
             "users: [{name: u, user: {tokenFile: ca.token}}]\n",
             api_credentials(e->api)->server);
    put(e, "ca-rotated", cluster);
    replica_t *r = start(e, "ca-rotated", in_dir(e, "ca-rotated"), NULL);
    EXPECT_TRUE(replica_logged(r, "certificate", LIMIT));
    EXPECT_INT(replica_log_count(r, "leading, term "), 0);
    copy_file(e, api_credentials(e->api)->ca_file, "ca.crt");
    expect_leads(e, r, "ca-rotated");
    stop(r);
}

static void token_file_reread(void *arg)
{
    e2e_t *e = arg;
    const long from = e2e_audit_end();

    put_token(e, "file-one", "file.token");
    replica_t *r = start(e, "token-file",
                         put_config(e, "token-file", NULL, "    tokenFile: file.token\n"), NULL);
    expect_leads(e, r, "token-file");
    EXPECT_TRUE(wait_renewal(from, e2e_user_name(e, "file-one"), "token-file", LIMIT));
    put_token(e, "file-two", "file.token");
    EXPECT_TRUE(wait_renewal(from, e2e_user_name(e, "file-two"), "token-file", LIMIT));
    expect_unbroken(r);
    stop(r);
}

/* kube-apiserver knows no passwords: to it that is nobody. */
static void basic_authentication(void *arg)
{
    e2e_t *e = arg;
    replica_t *r =
        start(e, "basic",
              put_config(e, "basic", NULL, "    username: jane\n    password: hush-hush\n"), NULL);

    EXPECT_TRUE(replica_logged(r, "system:anonymous", LIMIT));
    expect_not_logged(r, "hush-hush");
    expect_not_logged(r, "amFuZTpodXNoLWh1c2g="); /* both in base64 */
    EXPECT_INT(replica_log_count(r, "leading, term "), 0);
    stop(r);
}

/* -- Impersonation -- */

/* True when a line of the audit log since `from` holds all the texts. */
static bool audit_holds(long from, const char *const *texts)
{
    char path[256], *line = NULL;
    size_t cap = 0;
    bool found = false;

    snprintf(path, sizeof(path), "%s/audit.log", getenv("LEASEHOLD_TEST_CLUSTER_DIR"));
    FILE *f = fopen(path, "r");
    REQUIRE_TRUE(f != NULL);
    fseek(f, from, SEEK_SET);
    while (!found && getline(&line, &cap, f) > 0) {
        found = true;
        for (size_t i = 0; texts[i] != NULL; i++)
            found = found && strstr(line, texts[i]) != NULL;
    }
    free(line);
    fclose(f);
    return found;
}

static void impersonation(void *arg)
{
    e2e_t *e = arg;
    const long from = e2e_audit_end();

    put_token(e, "real", "real.token");
    replica_t *r = start(e, "impersonation",
                         put_config(e, "impersonation", NULL,
                                    "    tokenFile: real.token\n    as: jane\n    as-uid: '42'\n"
                                    "    as-groups: ['system:masters', devs]\n"
                                    "    as-user-extra: {example.com/scope: [a b]}\n"),
                         NULL);
    expect_leads(e, r, "impersonation");
    EXPECT_TRUE(wait_renewal(from, e2e_user_name(e, "real"), "impersonation", LIMIT));
    EXPECT_TRUE(audit_holds(
        from, (const char *const[]){"\"verb\":\"update\"",
                                    "\"impersonatedUser\":{\"username\":\"jane\",\"uid\":\"42\"",
                                    "\"system:masters\"", "\"devs\"",
                                    "\"example.com/scope\":[\"a b\"]", NULL}));
    stop(r);
}

static void impersonation_of_somebody_without_rights(void *arg)
{
    e2e_t *e = arg;

    put_token(e, "real", "real.token");
    replica_t *r =
        start(e, "powerless",
              put_config(e, "powerless", NULL, "    tokenFile: real.token\n    as: joe\n"), NULL);
    EXPECT_TRUE(replica_logged(r, "User \"joe\" cannot", LIMIT));
    stop(r);
}

static void impersonation_is_no_match_for_fencing(void *arg)
{
    static const char *const none[] = {NULL};
    e2e_t *e = arg;

    put_token(e, "real", "real.token");
    const char *kubeconfig =
        put_config(e, "unfenced", NULL, "    tokenFile: real.token\n    as: jane\n");
    replica_t *r = replica_start(&(replica_options_t){.name = "unfenced",
                                                      .lease = "unfenced",
                                                      .ns = e->ns,
                                                      .kubeconfig = kubeconfig,
                                                      .plugins = none,
                                                      .config = "fencing: server"});
    EXPECT_INT(replica_wait(r, LIMIT), 2);
    EXPECT_TRUE(replica_logged(r, "must not impersonate somebody else", 0));
    replica_free(r);
}

/* -- Proxies -- */

static int server_port(const e2e_t *e)
{
    return (int) strtol(strrchr(api_credentials(e->api)->server, ':') + 1, NULL, 10);
}

/* Leads through the proxy to a name that only the proxy knows. */
static void expect_proxied(e2e_t *e, const char *name, const char *proxy_line, const char *env,
                           forward_proxy_t *proxy, const char *asked)
{
    char cluster[512];

    put_token(e, "proxied", "proxied.token");
    snprintf(cluster, sizeof(cluster),
             "    server: https://kube.example.test:6443\n    tls-server-name: 127.0.0.1\n%s",
             proxy_line);
    replica_t *r =
        start(e, name, put_config(e, name, cluster, "    tokenFile: proxied.token\n"), env);
    expect_leads(e, r, name);
    EXPECT_TRUE(forward_proxy_tunnels(proxy) > 0);
    char *text = forward_proxy_asked(proxy), *token = read_file(in_dir(e, "proxied.token"));
    EXPECT_HAS(text, asked);
    EXPECT_TRUE(strstr(text, token) == NULL);
    free(text);
    free(token);
    expect_not_logged(r, "hush");
    EXPECT_TRUE(replica_logged(r, ", by proxy ", 0));
    stop(r);
}

static void proxy_url_http(void *arg)
{
    e2e_t *e = arg;
    forward_proxy_t *proxy = forward_proxy_start(server_port(e), "me:hush", NULL);
    char line[128];

    snprintf(line, sizeof(line), "    proxy-url: http://me:hush@127.0.0.1:%d\n",
             forward_proxy_port(proxy));
    expect_proxied(e, "proxy-http", line, NULL, proxy, "CONNECT kube.example.test:6443 HTTP/1.1");
    forward_proxy_stop(proxy);
}

static void proxy_url_socks5(void *arg)
{
    e2e_t *e = arg;
    forward_proxy_t *proxy = forward_proxy_start(server_port(e), NULL, NULL);
    char line[128];

    snprintf(line, sizeof(line), "    proxy-url: socks5://127.0.0.1:%d\n",
             forward_proxy_port(proxy));
    expect_proxied(e, "proxy-socks5", line, NULL, proxy, "SOCKS5 kube.example.test:6443");
    forward_proxy_stop(proxy);
}

static void https_proxy(void *arg)
{
    e2e_t *e = arg;
    forward_proxy_t *proxy = forward_proxy_start(server_port(e), "me:hush", NULL);
    char variable[128];

    snprintf(variable, sizeof(variable), "HTTPS_PROXY=http://me:hush@127.0.0.1:%d",
             forward_proxy_port(proxy));
    expect_proxied(e, "https-proxy", "", variable, proxy,
                   "CONNECT kube.example.test:6443 HTTP/1.1");
    forward_proxy_stop(proxy);
}

static void https_proxy_leaves_this_machine_out(void *arg)
{
    e2e_t *e = arg;
    forward_proxy_t *proxy = forward_proxy_start(server_port(e), NULL, NULL);
    char variable[128];

    snprintf(variable, sizeof(variable), "HTTPS_PROXY=http://127.0.0.1:%d",
             forward_proxy_port(proxy));
    put_token(e, "local", "local.token");
    replica_t *r =
        start(e, "local", put_config(e, "local", NULL, "    tokenFile: local.token\n"), variable);
    expect_leads(e, r, "local");
    EXPECT_INT(forward_proxy_tunnels(proxy), 0);
    stop(r);
    forward_proxy_stop(proxy);
}

/* -- Kubeconfigs -- */

static void kubeconfig_list_merged(void *arg)
{
    e2e_t *e = arg;
    const long from = e2e_audit_end();
    char variable[1024], text[1024];
    const kube_credentials_t *c = api_credentials(e->api);

    put_token(e, "merged", "merged.token");
    put(e, "list-users",
        "users: [{name: u, user: {tokenFile: merged.token}}]\n"
        "contexts: [{name: one, context: {cluster: c, user: u}}]\n");
    snprintf(text, sizeof(text),
             "current-context: one\n"
             "clusters: [{name: c, cluster: {server: '%s', certificate-authority: '%s'}}]\n"
             "users: [{name: u, user: {token: of-nobody}}]\n",
             c->server, c->ca_file);
    put(e, "list-clusters", text);
    snprintf(variable, sizeof(variable), "KUBECONFIG=%s/nowhere:%s/list-users:%s/list-clusters",
             e->dir, e->dir, e->dir);
    replica_t *r = start(e, "merged", "", variable);
    expect_leads(e, r, "merged");
    EXPECT_TRUE(wait_renewal(from, e2e_user_name(e, "merged"), "merged", LIMIT));
    stop(r);
}

static void context_chosen(void *arg)
{
    static const char *const none[] = {NULL};
    e2e_t *e = arg;
    char text[1024];
    const kube_credentials_t *c = api_credentials(e->api);

    put_token(e, "chosen", "chosen.token");
    snprintf(text, sizeof(text),
             "current-context: wrong\n"
             "contexts:\n- {name: wrong, context: {cluster: wrong}}\n"
             "- {name: right, context: {cluster: right, user: u}}\n"
             "clusters:\n- {name: wrong, cluster: {server: 'https://127.0.0.1:1'}}\n"
             "- {name: right, cluster: {server: '%s', certificate-authority: '%s'}}\n"
             "users: [{name: u, user: {tokenFile: chosen.token}}]\n",
             c->server, c->ca_file);
    put(e, "contexts", text);
    e2e_make_lease(e, "chosen");
    replica_t *r = replica_start(&(replica_options_t){.name = "chosen",
                                                      .lease = "chosen",
                                                      .ns = e->ns,
                                                      .kubeconfig = in_dir(e, "contexts"),
                                                      .plugins = none,
                                                      .config = "context: right"});
    expect_leads(e, r, "chosen");
    stop(r);
}

static void tls_server_name(void *arg)
{
    e2e_t *e = arg;
    char cluster[512];

    put_token(e, "named", "named.token");
    snprintf(cluster, sizeof(cluster),
             "    server: %s\n    tls-server-name: kubernetes.default.svc\n",
             api_credentials(e->api)->server);
    replica_t *r =
        start(e, "named", put_config(e, "named", cluster, "    tokenFile: named.token\n"), NULL);
    expect_leads(e, r, "named");
    stop(r);
    snprintf(cluster, sizeof(cluster), "    server: %s\n    tls-server-name: nobody.example.test\n",
             api_credentials(e->api)->server);
    r = start(e, "misnamed", put_config(e, "misnamed", cluster, "    tokenFile: named.token\n"),
              NULL);
    EXPECT_TRUE(replica_logged(r, "nobody.example.test", LIMIT));
    stop(r);
}

static void insecure_is_refused(void *arg)
{
    expect_refused(arg, "insecure",
                   "    server: https://127.0.0.1:1\n    insecure-skip-tls-verify: true\n",
                   "    token: t\n", "insecure-skip-tls-verify: TLS is verified always");
}

static const tap_test_t tests[] = {
    {"credentials_exec_token: a plugin's token leads, and it runs once for the host", exec_token},
    {"credentials_exec_expiry: a plugin runs again before its token expires",
     exec_renewed_before_it_expires},
    {"credentials_exec_401: a plugin runs again when its token is refused, and the term goes on",
     exec_renewed_after_401},
    {"credentials_exec_hanging: a plugin that hangs costs no renewal",
     exec_that_hangs_costs_no_renewal},
    {"credentials_exec_failing: a plugin that fails is told of without its secrets and waited for",
     exec_that_fails_is_waited_for},
    {"credentials_exec_missing: a plugin that is not there says how to get it",
     exec_that_is_missing_says_how_to_get_it},
    {"credentials_exec_interactive: a plugin that must ask somebody is refused",
     exec_that_asks_is_refused},
    {"credentials_exec_client_certificate: a plugin's certificate leads", exec_client_certificate},
    {"credentials_client_certificate: replaced files are shown, and the term goes on",
     client_certificate_rotated},
    {"credentials_ca_file: a replaced CA is trusted in the same process", ca_file_rotated},
    {"credentials_token_file: a replaced token is used, and the term goes on", token_file_reread},
    {"credentials_basic: a password is nothing to kube-apiserver and never shown",
     basic_authentication},
    {"credentials_impersonation: user, uid, groups and extras arrive", impersonation},
    {"credentials_impersonation_rights: the rights are those of the impersonated user",
     impersonation_of_somebody_without_rights},
    {"credentials_impersonation_fencing: server-side fencing refuses impersonation",
     impersonation_is_no_match_for_fencing},
    {"credentials_proxy_url_http: the host leads through a proxy with a password", proxy_url_http},
    {"credentials_proxy_url_socks5: the host leads through a SOCKS5 proxy", proxy_url_socks5},
    {"credentials_https_proxy: the proxy of the environment is used", https_proxy},
    {"credentials_https_proxy_loopback: this machine is reached without it",
     https_proxy_leaves_this_machine_out},
    {"credentials_kubeconfig_list: several files are merged, the first wins",
     kubeconfig_list_merged},
    {"credentials_context: a context other than the current one is taken", context_chosen},
    {"credentials_tls_server_name: the certificate is checked for that name", tls_server_name},
    {"credentials_insecure: skipping the verification is refused", insecure_is_refused},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "credentials", tests, sizeof(tests) / sizeof(tests[0]));
}
