/* SPDX-License-Identifier: Apache-2.0 */
/* A client whose credentials come from a plugin: what waits for it, and what never does. */
#include "rig.h"

#include "base/file.h"
#include "kube/exec.h"
#include "support/temp_dir.h"

#include <stdio.h>
#include <sys/stat.h>

#define V1 "client.authentication.k8s.io/v1"
#define ANSWER "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":"

static rig_t rig;
static char *dir;
static http_tls_t *tls;
static _Atomic(const char *) good = "Bearer token-1"; /* the one header that is served */
static _Atomic(const char *) wanted_client;           /* CN; NULL: no certificate is asked for */

static void handle(void *arg, http_exchange_t *x)
{
    const char *header = http_header(x, "Authorization");
    const bool fine = wanted_client != NULL ? http_client_is(x, wanted_client)
                                            : header != NULL && strcmp(header, good) == 0;

    (void) arg;
    if (fine)
        http_reply(x, 200, "application/json", "{}");
    else
        http_reply_status(x, 401, "Unauthorized", "Unauthorized");
}

static void start_with(bool demand_client_cert)
{
    dir = temp_dir_make();
    tls = http_tls_create("IP:127.0.0.1");
    rig_start(&rig,
              &(http_server_options_t){
                  .handler = handle, .tls = tls, .demand_client_cert = demand_client_cert},
              KUBE_CLIENT_READS);
    rig.credentials.ca_data = tls->ca;
}

static void start(void)
{
    start_with(false);
}

static void finish(void)
{
    kube_client_destroy(host_steal(rig.client));
    kube_exec_destroy(rig.credentials.exec);
    rig_stop(&rig);
    http_tls_destroy(tls);
    temp_dir_remove(dir);
}

TestSuite(exec_client, .init = start, .fini = finish, .timeout = 60);
TestSuite(exec_client_tls, .fini = finish, .timeout = 60);

static char *in_dir(const char *name)
{
    return host_xprintf("%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
    host_cleanup(host_freep) char *path = in_dir(name);
    lh_error_t err = {0};

    ASSERT_OK(file_write_atomic(path, text, strlen(text), 0700, &err), err);
}

static void put_gone(const char *name)
{
    host_cleanup(host_freep) char *path = in_dir(name);

    unlink(path);
}

/* Waits until the plugin has written that file. */
static void wait_file(const char *name)
{
    host_cleanup(host_freep) char *path = in_dir(name);
    struct stat st;

    for (int i = 0; i < 2000 && stat(path, &st) < 0; i++)
        rig_run(&rig, 5);
    cr_assert(stat(path, &st) == 0, "'%s' did not appear", name);
}

/* The plugin prints what the file `answer` holds; while there is a file `wait` it writes `waits` and
 * waits; without an answer it fails. */
static void use_plugin(enum kube_client_kind kind)
{
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    host_cleanup(host_freep) char *text =
        host_xprintf("#!/bin/sh\ncd '%s' || exit 9\necho x >> runs\n"
                     "while [ -e wait ]; do : > waits; sleep 0.02; done\n"
                     "[ -e answer ] || { echo no luck >&2; exit 1; }\ncat answer\n",
                     dir);
    host_cleanup(host_freep) char *path = in_dir("plugin");

    put("plugin", text);
    rig.credentials.exec = kube_exec_create(&(kube_exec_options_t){
        .command = path, .env = env, .api_version = V1, .time_limit = 40 * CLOCK_S});
    rig_client(&rig, &(kube_client_options_t){.kind = kind});
}

static void answer_token(const char *token)
{
    host_cleanup(host_freep) char *text = host_xprintf(ANSWER "{\"token\":\"%s\"}}", token);

    put("answer", text);
}

static const char *sent(size_t i)
{
    return http_server_header(rig.server, i, "Authorization");
}

Test(exec_client, the_first_requests_wait_for_the_plugin_and_the_loop_does_not)
{
    answer_t a, b;

    put("wait", "");
    answer_token("token-1");
    use_plugin(KUBE_CLIENT_READS);
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/a"});
    rig_send(&rig, &b, (kube_request_t){.method = "GET", .path = "/b"});
    wait_file("waits"); /* turns the loop meanwhile */
    EXPECT_INT(a.count, 0);
    EXPECT_INT(http_server_requests(rig.server), 0);
    put_gone("wait");
    rig_wait(&rig, &a);
    rig_wait(&rig, &b);
    EXPECT_INT(a.status, 200);
    EXPECT_INT(b.status, 200);
    EXPECT_INT(http_server_requests(rig.server), 2); /* on two connections: in either order */
    EXPECT_STR(sent(0), "Bearer token-1");
    EXPECT_STR(sent(1), "Bearer token-1");
}

Test(exec_client, a_request_waits_for_the_plugin_no_longer_than_it_may_take)
{
    answer_t a;

    put("wait", "");
    use_plugin(KUBE_CLIENT_READS);
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/a", .timeout = 100 * CLOCK_MS});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_ETIMEDOUT);
    EXPECT_INT(a.sent_at, 0);
    EXPECT_STR(a.error.text, "GET /a: exec plugin 'plugin' has given no credential within 0.1 s");
}

Test(exec_client, requests_fail_with_what_the_plugin_said)
{
    answer_t a;
    lh_error_t err = {0};

    use_plugin(KUBE_CLIENT_READS);
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/a"});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_STR(a.error.text,
               "GET /a: no credentials: exec plugin 'plugin': it exited with status 1; "
               "it says: no luck");
    const int ret =
        kube_client_send(rig.client, &(kube_request_t){.method = "GET", .path = "/b"}, NULL, &err);
    EXPECT_INT(ret, LH_EUNAVAILABLE); /* at once: the next run is a second away */
    EXPECT_HAS(err.text, "GET /b: no credentials: exec plugin 'plugin'");
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(exec_client, a_read_that_is_refused_waits_for_another_credential_and_is_repeated_once)
{
    answer_t a;
    char expires[32];

    clock_format(clock_wall() + 2 * CLOCK_S, expires);
    host_cleanup(host_freep) char *first =
        host_xprintf(ANSWER "{\"token\":\"token-1\",\"expirationTimestamp\":\"%s\"}}", expires);
    put("answer", first);
    use_plugin(KUBE_CLIENT_READS);
    rig_get(&rig, &a, "/a");
    EXPECT_INT(a.status, 200);
    put("wait", "");
    answer_token("token-2");
    wait_file("waits"); /* it is being renewed */
    good = "Bearer token-2";
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/b"});
    for (int i = 0; i < 2000 && http_server_requests(rig.server) < 2; i++)
        rig_run(&rig, 5);
    rig_run(&rig, 50); /* time for an answer that must not come */
    EXPECT_INT(a.count, 0);
    put_gone("wait");
    rig_wait(&rig, &a);
    EXPECT_INT(a.status, 200);
    EXPECT_INT(http_server_requests(rig.server), 3);
    EXPECT_STR(sent(1), "Bearer token-1");
    EXPECT_STR(sent(2), "Bearer token-2");
}

Test(exec_client, a_read_is_told_the_refusal_while_the_next_run_is_delayed)
{
    answer_t a;

    answer_token("token-0");
    use_plugin(KUBE_CLIENT_READS);
    rig_get(&rig, &a, "/a"); /* refused at once: young, so a run follows after a second */
    EXPECT_INT(a.status, 401);
    EXPECT_INT(a.code, LH_EUNAUTHORIZED);
    EXPECT_INT(http_server_requests(rig.server), 1);
}

/* Waits until the plugin has given another credential than that of the number. */
static void wait_other_than(uint64_t generation)
{
    kube_exec_credential_t c = {0};

    for (int i = 0; i < 2000 && !kube_exec_take(rig.credentials.exec, &generation, &c); i++)
        rig_run(&rig, 5);
    cr_assert(c.cert != NULL || c.token != NULL, "it gave no other one");
    kube_exec_credential_fini(&c);
}

static void send_renewal(answer_t *a)
{
    rig_send(&rig, a, (kube_request_t){.method = "PUT", .path = "/lease", .timeout = 5 * CLOCK_S});
}

Test(exec_client, a_renewal_goes_out_with_the_last_credential_while_the_plugin_hangs)
{
    answer_t a;

    answer_token("token-1");
    use_plugin(KUBE_CLIENT_LEASE);
    rig_get(&rig, &a, "/a");
    EXPECT_INT(a.status, 200);
    put("wait", "");
    put_gone("waits");
    (void) kube_exec_refused(rig.credentials.exec, 1);
    wait_file("waits"); /* a run hangs */
    for (int i = 0; i < 3; i++) {
        send_renewal(&a);
        rig_wait(&rig, &a);
        EXPECT_INT(a.status, 200);
    }
    EXPECT_INT(http_server_requests(rig.server), 4);
    EXPECT_STR(sent(3), "Bearer token-1");
}

Test(exec_client, a_renewal_that_is_refused_is_told_so_at_once_and_the_next_shows_the_new_one)
{
    answer_t a;

    answer_token("token-1");
    use_plugin(KUBE_CLIENT_LEASE);
    rig_get(&rig, &a, "/a");
    good = "Bearer token-2";
    answer_token("token-2");
    send_renewal(&a);
    rig_wait(&rig, &a);
    EXPECT_INT(a.status, 401);
    EXPECT_INT(http_server_requests(rig.server), 2); /* a write is never repeated */
    wait_other_than(1);
    send_renewal(&a);
    rig_wait(&rig, &a);
    EXPECT_INT(a.status, 200);
    EXPECT_STR(sent(2), "Bearer token-2");
}

Test(exec_client, a_waiting_request_may_be_cancelled_and_its_client_destroyed)
{
    answer_t a, b;

    put("wait", "");
    use_plugin(KUBE_CLIENT_READS);
    kube_call_t *call = rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/a"});
    rig_send(&rig, &b, (kube_request_t){.method = "GET", .path = "/b"});
    kube_call_cancel(call);
    wait_file("waits");
    kube_client_destroy(host_steal(rig.client));
    EXPECT_INT(a.count, 0);
    EXPECT_INT(b.count, 0);
}

static void answer_cert(const char *cert, const char *key)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    buf_puts(&text, ANSWER "{\"clientCertificateData\":");
    buf_json_string(&text, cert, strlen(cert));
    buf_puts(&text, ",\"clientKeyData\":");
    buf_json_string(&text, key, strlen(key));
    buf_puts(&text, "}}");
    put("answer", buf_text(&text));
}

Test(exec_client_tls, a_client_certificate_is_shown_and_another_one_on_a_new_connection)
{
    answer_t a;

    start_with(true);
    wanted_client = "test-client";
    answer_cert(tls->client_cert, tls->client_key);
    use_plugin(KUBE_CLIENT_READS);
    rig_get(&rig, &a, "/a");
    EXPECT_INT(a.status, 200);
    rig_get(&rig, &a, "/b");
    EXPECT_INT(http_server_connections(rig.server), 1);
    wanted_client = "other-client";
    answer_cert(tls->other_client_cert, tls->other_client_key);
    (void) kube_exec_refused(rig.credentials.exec, 1);
    wait_other_than(1);
    rig_get(&rig, &a, "/c");
    EXPECT_INT(a.status, 200);
    EXPECT_INT(http_server_connections(rig.server), 2);
}
