/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies: which one is taken, and requests through one. */
#include "kube/proxy.h"

#include "kube/resolve.h"
#include "rig.h"
#include "support/forward_proxy.h"

#include <stdio.h>

/* -- Which one -- */

static void expect_parsed(const char *text, const char *expected)
{
    host_cleanup(host_freep) char *out = NULL;
    const char *why = "";

    cr_expect(kube_proxy_parse(text, &out, &why) == 0, "'%s': %s", text, why);
    EXPECT_STR(out, expected);
}

Test(proxy, gets_the_port_of_its_scheme)
{
    expect_parsed("http://proxy", "http://proxy:80");
    expect_parsed("http://proxy:3128/", "http://proxy:3128");
    expect_parsed("HTTPS://proxy", "https://proxy:443");
    expect_parsed("http://[fd00::1]", "http://[fd00::1]:80");
    expect_parsed("http://me:p%40ss@proxy/x?y#z", "http://me:p%40ss@proxy:80");
}

Test(proxy, of_socks5_looks_names_up_itself_as_in_go)
{
    expect_parsed("socks5://proxy", "socks5h://proxy:1080");
    expect_parsed("socks5h://me:pw@proxy:9", "socks5h://me:pw@proxy:9");
}

static void expect_refused(const char *text, const char *part)
{
    host_cleanup(host_freep) char *out = NULL;
    const char *why = "";

    EXPECT_INT(kube_proxy_parse(text, &out, &why), LH_EINVAL);
    EXPECT_HAS(why, part);
    cr_expect(strstr(why, "hush") == NULL, "the text shows the password: %s", why);
}

Test(proxy, of_another_kind_is_refused)
{
    expect_refused("ftp://me:hush@proxy", "http, https or socks5");
    expect_refused("socks4://proxy", "http, https or socks5");
    expect_refused("proxy:3128", "like http://host:port");
    expect_refused("http://", "like http://host:port");
    expect_refused("http://me:hush@proxy:99999", "like http://host:port");
}

Test(proxy, is_shown_without_its_password)
{
    host_cleanup(host_freep) char *with = kube_proxy_label("http://me:hush@proxy:80");
    host_cleanup(host_freep) char *without = kube_proxy_label("socks5h://proxy:1080");

    EXPECT_STR(with, "http://proxy:80");
    EXPECT_STR(without, "socks5h://proxy:1080");
}

/* The proxy to server with NO_PROXY as given; "" for none. */
static void expect_no_proxy(const char *list, const char *server, bool direct)
{
    host_cleanup(host_freep) char *variable = host_xprintf("NO_PROXY=%s", list);
    host_cleanup(host_freep) char *out = NULL;
    lh_error_t err = {0};

    ASSERT_OK(kube_proxy_from_env((const char *const[]){"HTTPS_PROXY=http://p:1", variable, NULL},
                                  server, &out, &err),
              err);
    cr_expect((out == NULL) == direct, "NO_PROXY=%s, %s: %s", list, server,
              out != NULL ? out : "direct");
}

static void expect_direct(const char *list, const char *server)
{
    expect_no_proxy(list, server, true);
}

static void expect_proxied(const char *list, const char *server)
{
    expect_no_proxy(list, server, false);
}

Test(proxy, is_passed_by_names_that_no_proxy_lists)
{
    expect_direct("example.com", "https://example.com");
    expect_direct("example.com", "https://api.example.com:6443");
    expect_direct("a.org, EXAMPLE.com ,b.org", "https://api.Example.COM");
    expect_proxied("example.com", "https://badexample.com");
    expect_proxied("example.com", "https://example.com.evil.org");
    expect_direct(".example.com", "https://api.example.com");
    expect_proxied(".example.com", "https://example.com");
    expect_direct("*.example.com", "https://api.example.com");
    expect_proxied("*.example.com", "https://example.com");
    expect_direct("*", "https://example.com");
    expect_proxied("", "https://example.com");
    expect_proxied(" , ,", "https://example.com");
}

Test(proxy, is_passed_by_ports_that_no_proxy_lists)
{
    expect_direct("example.com:6443", "https://api.example.com:6443");
    expect_proxied("example.com:6443", "https://api.example.com:443");
    expect_direct("example.com:443", "https://example.com");
    expect_direct("10.0.0.1:6443", "https://10.0.0.1:6443");
    expect_proxied("10.0.0.1:6443", "https://10.0.0.1");
    expect_direct("[fd00::1]:6443", "https://[fd00::1]:6443");
    expect_proxied(":6443", "https://example.com:6443");
}

Test(proxy, is_passed_by_addresses_that_no_proxy_lists)
{
    expect_direct("10.0.0.1", "https://10.0.0.1:6443");
    expect_proxied("10.0.0.1", "https://10.0.0.11:6443");
    expect_direct("fd00::1", "https://[fd00::1]:6443");
    expect_direct("[fd00::1]", "https://[fd00:0::1]:6443");
    expect_direct("10.0.0.0/8", "https://10.9.8.7:6443");
    expect_proxied("10.0.0.0/8", "https://11.0.0.1:6443");
    expect_direct("10.96.0.0/12", "https://10.111.255.255");
    expect_proxied("10.96.0.0/12", "https://10.112.0.0");
    expect_direct("0.0.0.0/0", "https://8.8.8.8");
    expect_proxied("0.0.0.0/0", "https://[fd00::1]");
    expect_direct("fd00::/8", "https://[fdff::1]");
    expect_proxied("::/0", "https://8.8.8.8");
    expect_proxied("10.0.0.0/33", "https://10.0.0.1");
    expect_proxied("10.0.0.0/8", "https://node-10.example.com");
    expect_proxied("0.1", "https://10.0.0.1"); /* no suffix of an address */
}

Test(proxy, is_passed_by_this_machine)
{
    expect_direct("", "https://localhost:6443");
    expect_direct("", "https://127.1.2.3:6443");
    expect_direct("", "https://[::1]:6443");
    expect_proxied("", "https://localhost.example.com");
}

static char *from(const char *const *env)
{
    char *out = NULL;
    lh_error_t err = {0};

    ASSERT_OK(kube_proxy_from_env(env, "https://example.com", &out, &err), err);
    return out;
}

Test(proxy, of_the_environment_is_that_of_https_in_either_case)
{
    host_cleanup(host_freep) char *lower = from((const char *const[]){"https_proxy=low:1", NULL});
    host_cleanup(host_freep) char *upper =
        from((const char *const[]){"https_proxy=low:1", "HTTPS_PROXY=up:2", NULL});
    host_cleanup(host_freep) char *none = from((const char *const[]){
        "HTTP_PROXY=http://p:1", "ALL_PROXY=http://p:2", "HTTPS_PROXY=", NULL});
    host_cleanup(host_freep) char *listed =
        from((const char *const[]){"HTTPS_PROXY=http://p:1", "no_proxy=example.com", NULL});

    EXPECT_STR(lower, "http://low:1");
    EXPECT_STR(upper, "http://up:2");
    cr_expect_null(none);
    cr_expect_null(listed);
}

Test(proxy, of_the_environment_that_is_none_is_an_error_without_its_password)
{
    static const char *const env[] = {"HTTPS_PROXY=ftp://me:hush@p", NULL};
    char *out = NULL;
    lh_error_t err = {0};

    EXPECT_INT(kube_proxy_from_env(env, "https://example.com", &out, &err), LH_EINVAL);
    EXPECT_STR(err.text, "HTTPS_PROXY: a proxy is reached by http, https or socks5");
}

/* -- Through one -- */

static rig_t rig;
static http_tls_t *tls;
static forward_proxy_t *proxy;
static http_tls_t *other;
static bool by_other; /* a proxy of https shows a certificate of that CA, not of the server's */
static const char *names = "DNS:api.example.test,IP:127.0.0.1"; /* in the certificates */
static char url[128];

static void start(const char *scheme, const char *shown, const char *password)
{
    tls = http_tls_create(names);
    other = http_tls_create(names);
    rig_start(&rig, &(http_server_options_t){.tls = tls}, KUBE_CLIENT_READS);
    proxy = forward_proxy_start(http_server_port(rig.server), password,
                                strcmp(scheme, "https") != 0 ? NULL
                                : by_other                   ? other
                                                             : tls);
    snprintf(url, sizeof(url), "%s://%s127.0.0.1:%d", scheme, shown, forward_proxy_port(proxy));
    rig.credentials.server = (char *) "https://api.example.test:6443";
    rig.credentials.ca_data = tls->ca;
    rig.credentials.token = (char *) "top-secret";
    rig.credentials.proxy = url;
    rig_client(&rig, &(kube_client_options_t){.kind = KUBE_CLIENT_LEASE});
}

static void finish(void)
{
    rig_stop(&rig);
    forward_proxy_stop(proxy);
    http_tls_destroy(tls);
    http_tls_destroy(other);
}

TestSuite(proxied, .fini = finish, .timeout = 30);

static void expect_answered(const char *asked)
{
    answer_t a;

    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, 0);
    EXPECT_INT(a.status, 200);
    EXPECT_INT(a.retry_after, 0); /* that of the proxy is none of the answer's */
    host_cleanup(host_freep) char *text = forward_proxy_asked(proxy);
    EXPECT_HAS(text, asked);
    cr_expect(strstr(text, "top-secret") == NULL, "the proxy was shown the token: %s", text);
    EXPECT_STR(http_server_header(rig.server, 0, "Authorization"), "Bearer top-secret");
    cr_expect_null(http_server_header(rig.server, 0, "Proxy-Authorization"));
}

Test(proxied, requests_go_through_a_tunnel_and_the_server_is_verified)
{
    start("http", "", NULL);
    expect_answered("CONNECT api.example.test:6443 HTTP/1.1");
    EXPECT_INT(forward_proxy_tunnels(proxy), 1);
}

Test(proxied, requests_show_the_password_to_the_proxy_alone)
{
    start("http", "me:p%40ss@", "me:p@ss");
    expect_answered("CONNECT api.example.test:6443 HTTP/1.1");
}

Test(proxied, requests_go_through_socks5_with_the_name_as_it_is)
{
    start("socks5h", "", NULL);
    expect_answered("SOCKS5 api.example.test:6443");
}

Test(proxied, requests_show_the_password_to_socks5)
{
    start("socks5h", "me:pw@", "me:pw");
    expect_answered("SOCKS5 api.example.test:6443");
}

Test(proxied, requests_keep_the_tls_server_name)
{
    start("http", "", NULL);
    rig.credentials.server = (char *) "https://10.0.0.1:6443";
    rig.credentials.tls_server_name = (char *) "api.example.test";
    rig_client(&rig, &(kube_client_options_t){0});
    expect_answered("CONNECT 10.0.0.1:6443 HTTP/1.1");
    EXPECT_STR(http_server_header(rig.server, 0, "Host"), "10.0.0.1:6443");
}

Test(proxied, a_write_counts_as_sent_only_behind_the_tunnel)
{
    answer_t a;

    start("http", "", NULL);
    rig_send(&rig, &a,
             (kube_request_t){.method = "PUT", .path = "/x", .body = "{}", .body_len = 2});
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, 0);
    EXPECT_STR(http_server_body(rig.server, 0), "{}");
}

Test(proxied, requests_go_through_a_proxy_that_is_verified_by_the_servers_ca)
{
    start("https", "me:pw@", "me:pw");
    expect_answered("CONNECT api.example.test:6443 HTTP/1.1");
}

static void expect_proxy_untrusted(void)
{
    answer_t a;

    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(forward_proxy_tunnels(proxy), 0);
    EXPECT_INT(forward_proxy_refused(proxy), 0); /* no password was shown */
}

Test(proxied, requests_do_not_go_through_a_proxy_of_another_ca)
{
    by_other = true;
    start("https", "me:pw@", "me:pw");
    expect_proxy_untrusted();
}

Test(proxied, requests_do_not_go_through_a_proxy_of_another_name)
{
    names = "DNS:api.example.test";
    start("https", "me:pw@", "me:pw");
    expect_proxy_untrusted();
}

Test(proxied, a_refusal_of_the_proxy_is_told_without_the_password)
{
    answer_t a;

    start("http", "me:hush@", "me:other");
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(a.status, 0);
    EXPECT_INT(a.sent_at, 0);
    EXPECT_HAS(a.error.text,
               "cannot reach https://api.example.test:6443 by proxy http://127.0.0.1:");
    EXPECT_HAS(a.error.text, "407");
    cr_expect(strstr(a.error.text, "hush") == NULL, "text is %s", a.error.text);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(proxied, a_server_with_another_certificate_is_refused)
{
    answer_t a;

    start("http", "", NULL);
    rig.credentials.server = (char *) "https://other.example.test:6443";
    rig_client(&rig, &(kube_client_options_t){0});
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

static char *looked_up;

static void on_resolved(void *arg, const kube_resolve_result_t *result)
{
    looked_up = host_xstrdup(result->count == 1 ? result->addresses[0] : "");
    loop_stop(arg);
}

Test(proxied, a_name_is_left_to_the_proxy)
{
    start("http", "", NULL);
    (void) kube_resolve_start(rig.loop, &rig.credentials, on_resolved, rig.loop);
    loop_run(rig.loop);
    EXPECT_STR(looked_up, "api.example.test:6443");
    free(looked_up);
}
