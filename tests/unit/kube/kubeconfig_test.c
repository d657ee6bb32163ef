/* SPDX-License-Identifier: Apache-2.0 */
/* Kubeconfigs: several files, credential plugins, impersonation, passwords, proxies. */
#include "base/buf.h"
#include "base/file.h"
#include "kube/credentials.h"
#include "kube/exec.h"
#include "support/expect.h"
#include "support/temp_dir.h"

#include <sys/stat.h>

#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define PEM64 "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="

static char *dir;
static kube_credentials_t *c;
static lh_error_t err;

static void start(void)
{
    dir = temp_dir_make();
}

static void finish(void)
{
    kube_credentials_destroy(c);
    temp_dir_remove(dir);
}

TestSuite(kubeconfig, .init = start, .fini = finish, .timeout = 60);

/* Writes a file of the test's folder; the caller frees its path. */
static char *put(const char *name, const char *text)
{
    char *path = host_xprintf("%s/%s", dir, name);

    ASSERT_OK(file_write_atomic(path, text, strlen(text), 0700, &err), err);
    return path;
}

/* -- Several files -- */

/* Loads the files that value names, "DIR" standing for the test's folder. */
static int load_list(const char *value, const char *context)
{
    host_cleanup(buf_fini) buf_t variable = BUF_INIT;
    const char *at = value, *next;

    buf_puts(&variable, "KUBECONFIG=");
    for (; (next = strstr(at, "DIR")) != NULL; at = next + 3) {
        buf_append(&variable, at, (size_t) (next - at));
        buf_puts(&variable, dir);
    }
    buf_puts(&variable, at);
    kube_credentials_destroy(host_steal(c));
    return kube_credentials_load(
        &(kube_credentials_source_t){.context = context,
                                     .env = (const char *const[]){buf_text(&variable), NULL}},
        &c, &err);
}

static void put_three(void)
{
    host_cleanup(host_freep) char *sub = host_xprintf("%s/sub", dir);

    cr_assert_eq(mkdir(sub, 0700), 0);
    free(put("one", "clusters: [{name: red, cluster: {server: 'https://one:1'}}]\n"
                    "users: [{name: jane, user: {}}]\n"));
    free(put("sub/two",
             "current-context: b\n"
             "contexts: [{name: b, context: {cluster: red, user: jane, namespace: two}}]\n"
             "users: [{name: jane, user: {token: two}}, {name: joe, user: {tokenFile: t}}]\n"));
    free(put("three",
             "current-context: c\n"
             "contexts: [{name: b, context: {cluster: blue, user: joe, namespace: three}},\n"
             "           {name: c, context: {cluster: blue, user: joe}}]\n"
             "clusters: [{name: red, cluster: {server: 'https://three:3'}},\n"
             "           {name: blue, cluster: {server: 'https://blue:3'}}]\n"));
}

Test(kubeconfig, of_several_files_the_first_wins_by_name)
{
    put_three();
    ASSERT_OK(load_list("DIR/one:DIR/sub/two:DIR/three", NULL), err);
    EXPECT_STR(c->namespace, "two"); /* context b of the second file */
    EXPECT_STR(c->server, "https://one:1");
    cr_expect_null(c->token); /* jane of the first file, whatever the second says of her */
    host_cleanup(host_freep) char *origin =
        host_xprintf("kubeconfig '%s/one:%s/sub/two:%s/three', context 'b'", dir, dir, dir);
    EXPECT_STR(c->origin, origin);
}

Test(kubeconfig, of_several_files_the_first_current_context_counts)
{
    put_three();
    ASSERT_OK(load_list("DIR/three:DIR/sub/two:DIR/one", NULL), err);
    EXPECT_STR(c->server, "https://blue:3");
    ASSERT_OK(load_list("DIR/one:DIR/sub/two:DIR/three", "c"), err); /* unless one is given */
    EXPECT_STR(c->server, "https://blue:3");
}

Test(kubeconfig, of_several_files_each_has_paths_of_its_own)
{
    put_three();
    ASSERT_OK(load_list("DIR/three:DIR/sub/two", "c"), err);
    host_cleanup(host_freep) char *path = host_xprintf("%s/sub/t", dir);
    EXPECT_STR(c->token_file, path);
}

Test(kubeconfig, of_several_files_missing_and_empty_ones_are_left_out)
{
    put_three();
    free(put("empty", ""));
    ASSERT_OK(load_list(":DIR/nowhere:DIR/empty::DIR/one:DIR/sub/two:", NULL), err);
    EXPECT_STR(c->server, "https://one:1");
    EXPECT_INT(load_list("/nowhere/a:/nowhere/b", NULL), LH_ENOTFOUND);
    EXPECT_STR(err.text, "KUBECONFIG: kubeconfig: none of its files exists, the first being "
                         "'/nowhere/a'");
    EXPECT_INT(load_list(":", NULL), LH_EINVAL);
    EXPECT_STR(err.text, "KUBECONFIG: it names no file");
}

Test(kubeconfig, of_several_files_a_broken_one_is_an_error)
{
    put_three();
    free(put("broken", "a: [\n"));
    free(put("list", "- a\n"));
    cr_expect(load_list("DIR/one:DIR/sub/two:DIR/broken", NULL) < 0);
    EXPECT_HAS(err.text, "/broken:");
    cr_expect(load_list("DIR/one:DIR/sub/two:DIR/list", NULL) < 0);
    EXPECT_HAS(err.text, "/list: not a kubeconfig: no mapping");
}

Test(kubeconfig, of_several_files_an_error_names_the_one_it_is_in)
{
    put_three();
    EXPECT_INT(load_list("DIR/one:DIR/sub/two", "lost"), LH_EINVAL);
    EXPECT_HAS(err.text, "sub/two: context 'lost' is in none of their lists 'contexts'");
    free(put("bad", "clusters: [{name: blue, cluster: {server: 'ftp://x'}}]\n"));
    EXPECT_INT(load_list("DIR/bad:DIR/sub/two:DIR/three", "c"), LH_EINVAL);
    EXPECT_HAS(err.text, "/bad:1: cluster 'blue': server: only https is spoken");
}

Test(kubeconfig, a_name_given_twice_in_one_file_is_refused)
{
    free(
        put("one",
            "current-context: a\n"
            "contexts:\n- {name: a, context: {cluster: x}}\n- {name: a, context: {cluster: y}}\n"));
    EXPECT_INT(load_list("DIR/one", NULL), LH_EINVAL);
    EXPECT_HAS(err.text, "/one:4: context 'a' is given twice");
}

/* -- One file with these lines in its cluster and its user -- */

static int load_env(const char *cluster, const char *user, const char *const *env)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("current-context: dev\n"                                        /* 1 */
                     "contexts: [{name: dev, context: {cluster: home, user: me}}]\n" /* 2 */
                     "users:\n"                                                      /* 3 */
                     "- name: me\n"                                                  /* 4 */
                     "  user:\n"                                                     /* 5 */
                     "    dummy: 1\n"                                                /* 6 */
                     "%s"                                                            /* 7 */
                     "clusters:\n"
                     "- name: home\n"
                     "  cluster:\n"
                     "    server: https://10.0.0.1:6443\n"
                     "%s",
                     user, cluster);
    host_cleanup(host_freep) char *path = put("config", text);

    kube_credentials_destroy(host_steal(c));
    return kube_credentials_load(&(kube_credentials_source_t){.path = path, .env = env}, &c, &err);
}

static void expect_loads(const char *cluster, const char *user)
{
    ASSERT_OK(load_env(cluster, user, NULL), err);
}

/* want: the end of the text, after the file's path. */
static void expect_refused(const char *cluster, const char *user, const char *want)
{
    host_cleanup(host_freep) char *text = host_xprintf("kubeconfig: %s/config:%s", dir, want);

    EXPECT_INT(load_env(cluster, user, NULL), LH_EINVAL);
    EXPECT_HAS(err.text, text);
    cr_expect(strstr(err.text, "hush") == NULL, "text is %s", err.text);
}

/* -- Passwords -- */

Test(kubeconfig, a_user_name_and_password_are_one_text_in_base64)
{
    expect_loads("", "    username: Aladdin\n    password: open sesame\n");
    EXPECT_STR(c->basic, "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    expect_loads("", "    username: a\n");
    EXPECT_STR(c->basic, "YTo=");
}

Test(kubeconfig, a_password_that_cannot_be_sent_is_refused)
{
    expect_refused("", "    password: hush\n", "7: user 'me': username: it is missing");
    expect_refused("", "    username: a:b\n    password: hush\n",
                   "7: user 'me': username: it must not hold a ':'");
    expect_refused("", "    username: a\n    password: hush\n    token: hush\n",
                   "7: user 'me': username: a token is given, too");
    expect_refused("", "    username: a\n    password: hush\n    tokenFile: t\n",
                   "7: user 'me': username: a token is given, too");
}

/* -- Impersonation -- */

Test(kubeconfig, impersonation_becomes_headers)
{
    static const char *const expected[] = {"Impersonate-User: jane",
                                           "Impersonate-Uid: 42",
                                           "Impersonate-Group: devs",
                                           "Impersonate-Group: system:authenticated",
                                           "Impersonate-Extra-example.com%2Fscope: a",
                                           "Impersonate-Extra-example.com%2Fscope: b",
                                           "Impersonate-Extra-50%25: c"};

    expect_loads("",
                 "    as: jane\n    as-uid: '42'\n    as-groups: [devs, 'system:authenticated']\n"
                 "    as-user-extra: {example.com/scope: [a, b], '50%': [c], none: []}\n");
    for (size_t i = 0; i < HOST_LEN(expected); i++)
        EXPECT_STR(c->impersonate[i], expected[i]);
    cr_expect_null(c->impersonate[HOST_LEN(expected)]);
}

Test(kubeconfig, impersonation_of_nobody_is_refused)
{
    static const char want[] = ": it needs a user to impersonate: as";
    host_cleanup(host_freep) char *uid = host_xprintf("7: user 'me': as-uid%s", want);
    host_cleanup(host_freep) char *groups = host_xprintf("7: user 'me': as-groups%s", want);
    host_cleanup(host_freep) char *extra = host_xprintf("7: user 'me': as-user-extra%s", want);

    expect_refused("", "    as-uid: u\n", uid);
    expect_refused("", "    as-groups: [g]\n", groups);
    expect_refused("", "    as-user-extra: {a: [b]}\n", extra);
    expect_loads("", "    as: ''\n    as-groups: []\n    as-user-extra: {}\n");
    cr_expect_null(c->impersonate);
}

Test(kubeconfig, impersonation_that_would_break_a_header_is_refused)
{
    expect_refused("", "    as: \"a\\r\\nX: y\"\n",
                   "7: user 'me': as: it holds a control character");
    expect_refused("", "    as: a\n    as-groups: [\"g\\n\"]\n",
                   "8: user 'me': as-groups: it holds a control character");
    expect_refused("", "    as: a\n    as-groups: g\n", "8: user 'me': as-groups: a list of texts");
    expect_refused("", "    as: a\n    as-user-extra: {x: y}\n",
                   "8: user 'me': x: a list of texts");
}

/* -- Proxies -- */

Test(kubeconfig, a_proxy_of_the_cluster_wins_over_the_environment)
{
    static const char *const env[] = {"HTTPS_PROXY=http://env:1", "NO_PROXY=*", NULL};

    ASSERT_OK(load_env("    proxy-url: socks5://proxy\n", "", env), err);
    EXPECT_STR(c->proxy, "socks5h://proxy:1080");
}

Test(kubeconfig, a_proxy_of_the_environment_is_taken_without_one_of_the_cluster)
{
    static const char *const env[] = {"HTTPS_PROXY=http://env:1", NULL};
    static const char *const listed[] = {"HTTPS_PROXY=http://env:1", "NO_PROXY=10.0.0.0/8", NULL};

    ASSERT_OK(load_env("    proxy-url: ''\n", "", env), err);
    EXPECT_STR(c->proxy, "http://env:1");
    ASSERT_OK(load_env("", "", listed), err);
    cr_expect_null(c->proxy);
}

Test(kubeconfig, a_bad_proxy_is_refused_without_its_password)
{
    expect_refused("    proxy-url: ftp://me:hush@x\n", "",
                   "11: cluster 'home': proxy-url: a proxy is reached by http, https or socks5");
    expect_refused("    proxy-url: x:1\n", "",
                   "11: cluster 'home': proxy-url: it must be like http://host:port");
}

/* -- Credential plugins -- */

#define V1 "client.authentication.k8s.io/v1"

static loop_t *loop;
static bool done;

static void on_run(loop_task_t *task)
{
    (void) task;
    done = true;
    loop_stop(loop);
}

/* Runs the plugin of c once; what it gives as its token. The caller frees it. */
static char *run_plugin(void)
{
    kube_exec_listener_t listener = {.task = {.fn = on_run}};
    kube_exec_credential_t got = {0};
    uint64_t generation = 0;

    cr_assert_not_null(c->exec);
    ASSERT_OK(loop_create(&loop, &err), err);
    listener.loop = loop;
    done = false;
    kube_exec_listen(c->exec, &listener);
    while (!done)
        loop_run(loop);
    const int ready = kube_exec_ready(c->exec, &err);
    cr_assert(ready == 1, "%s", err.text);
    (void) kube_exec_take(c->exec, &generation, &got);
    kube_exec_unlisten(c->exec, &listener);
    loop_destroy(loop);
    char *token = host_xstrdup(got.token);
    kube_exec_credential_fini(&got);
    return token;
}

/* A plugin that gives, as its token, what the shell command prints. */
static void put_plugin(const char *command)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("#!/bin/sh\n"
                     "t=$(%s) || exit 1\n"
                     "printf "
                     "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\",\"status\":{\"token\":\"%"
                     "%s\"}}' \"$t\"\n",
                     command, V1);

    free(put("plugin", text));
}

#define EXEC "    exec:\n      apiVersion: " V1 "\n      interactiveMode: Never\n"

Test(kubeconfig, exec_gets_its_arguments_and_environment)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", "KEPT=k", "SET=old",
                                      "KUBERNETES_EXEC_INFO=old", NULL};

    put_plugin("echo \"$KEPT-$SET-$MORE-$1-$2-$#\" | tr ' ' _");
    ASSERT_OK(load_env("",
                       EXEC "      command: ./plugin\n      args: [a, 'b c']\n"
                            "      env: [{name: SET, value: new}, {name: MORE, value: m}]\n",
                       env),
              err);
    host_cleanup(host_freep) char *token = run_plugin();
    EXPECT_STR(token, "k-new-m-a-b_c-2");
}

Test(kubeconfig, exec_is_found_in_path)
{
    host_cleanup(host_freep) char *path = host_xprintf("PATH=/usr/bin:/bin:%s", dir);
    const char *const env[] = {path, NULL};

    put_plugin("echo found");
    ASSERT_OK(load_env("", EXEC "      command: plugin\n", env), err);
    host_cleanup(host_freep) char *token = run_plugin();
    EXPECT_STR(token, "found");
}

static void expect_info(const char *cluster, const char *exec, const char *expected)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    host_cleanup(host_freep) char *user = host_xprintf(EXEC "      command: ./plugin\n%s", exec);
    host_cleanup(host_freep) char *token = NULL;

    put_plugin("printf %s \"$KUBERNETES_EXEC_INFO\" | sed 's/\"/~/g'");
    ASSERT_OK(load_env(cluster, user, env), err);
    token = run_plugin();
    for (char *s = token; *s != '\0'; s++) {
        if (*s == '~')
            *s = '"';
    }
    EXPECT_STR(token, expected);
}

Test(kubeconfig, exec_is_told_its_version_and_that_nobody_is_there)
{
    expect_info("", "",
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{"
                "\"interactive\":false}}");
}

Test(kubeconfig, exec_is_told_of_the_cluster_when_it_asks)
{
    static const char cluster[] =
        "    certificate-authority-data: " PEM64 "\n    tls-server-name: api.test\n"
        "    proxy-url: http://proxy:3128\n"
        "    extensions:\n    - {name: other, extension: {x: y}}\n"
        "    - {name: client.authentication.k8s.io/exec, extension: {audience: a, n: 1}}\n";

    expect_info(
        cluster, "      provideClusterInfo: true\n",
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{"
        "\"cluster\":{\"server\":\"https://10.0.0.1:6443\",\"tls-server-name\":\"api.test\","
        "\"certificate-authority-data\":\"" PEM64 "\",\"proxy-url\":\"http://proxy:3128\","
        "\"config\":{\"audience\":\"a\",\"n\":1}},\"interactive\":false}}");
    expect_info(cluster, "      provideClusterInfo: false\n",
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{"
                "\"interactive\":false}}");
}

Test(kubeconfig, exec_is_told_the_ca_of_a_file)
{
    free(put("ca.pem", PEM));
    expect_info("    certificate-authority: ca.pem\n", "      provideClusterInfo: true\n",
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{"
                "\"cluster\":{\"server\":\"https://10.0.0.1:6443\",\"certificate-authority-data\":"
                "\"" PEM64 "\"},\"interactive\":false}}");
}

Test(kubeconfig, exec_is_not_run_beside_a_token)
{
    expect_loads("", EXEC "      command: x\n    token: t\n");
    cr_expect_null(c->exec);
    expect_loads("", EXEC "      command: x\n    tokenFile: t\n");
    cr_expect_null(c->exec);
}

/* PEM64 is no pair of keys, but nobody looks at that before a client is made. */
Test(kubeconfig, exec_is_not_run_beside_a_client_certificate_or_a_password)
{
    expect_loads("", EXEC "      command: x\n    client-certificate-data: " PEM64
                          "\n    client-key-data: " PEM64 "\n");
    cr_expect_null(c->exec);
    expect_loads("", EXEC "      command: x\n    username: u\n");
    cr_expect_null(c->exec);
}

/* A shell takes the last of two variables of one name, getenv() the first. */
Test(kubeconfig, exec_is_told_by_the_host_alone_that_nobody_is_there)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};

    put_plugin("tr '\\0' '\\n' < /proc/$$/environ | grep -c ^KUBERNETES_EXEC_INFO=");
    ASSERT_OK(load_env("",
                       EXEC "      command: ./plugin\n"
                            "      env: [{name: KUBERNETES_EXEC_INFO, value: mine}]\n",
                       env),
              err);
    host_cleanup(host_freep) char *token = run_plugin();
    EXPECT_STR(token, "1");
    expect_info("", "      env: [{name: KUBERNETES_EXEC_INFO, value: mine}]\n",
                "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{"
                "\"interactive\":false}}");
}

Test(kubeconfig, exec_that_cannot_be_run_is_refused)
{
    expect_refused("", "    exec: {command: x}\n", "7: user 'me': exec.apiVersion: it must be");
    expect_refused("",
                   "    exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}\n",
                   "7: user 'me': exec.apiVersion: it must be " V1 " or " V1 "beta1");
    expect_refused("", "    exec: {apiVersion: " V1 ", interactiveMode: Never}\n",
                   "7: user 'me': exec.command: it is missing");
    expect_refused("", "    exec: {command: x, apiVersion: " V1 "}\n",
                   "7: user 'me': exec.interactiveMode: it is missing; give Never or IfAvailable");
    expect_refused("", "    exec: {command: x, apiVersion: " V1 ", interactiveMode: Sometimes}\n",
                   "7: user 'me': exec.interactiveMode: 'Sometimes': not one of");
    expect_refused("", EXEC "      command: x\n      provideClusterInfo: maybe\n",
                   "11: user 'me': exec.provideClusterInfo: true or false is expected");
    expect_refused("", EXEC "      command: x\n      args: a\n",
                   "11: user 'me': args: a list of texts is expected");
    expect_refused("", EXEC "      command: x\n      env: A=hush\n",
                   "11: user 'me': exec.env: a list of name and value is expected");
    expect_refused("", EXEC "      command: x\n      env: [{value: hush}]\n",
                   "11: user 'me': exec.env: a list of name and value is expected");
    expect_loads("", "    exec: {command: x, apiVersion: " V1 "beta1}\n"); /* IfAvailable there */
    cr_expect_not_null(c->exec);
}

Test(kubeconfig, exec_that_must_ask_somebody_is_refused)
{
    expect_refused(
        "", "    exec: {command: x, apiVersion: " V1 ", interactiveMode: Always}\n",
        "7: user 'me': exec.interactiveMode: Always: the plugin asks somebody, and nobody "
        "sits at a host; use credentials that need no terminal");
}
