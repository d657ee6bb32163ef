/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/path.h"

#include "support/expect.h"

static const kube_gvr_t pods = {"", "v1", "pods"};
static const kube_gvr_t leases = {"coordination.k8s.io", "v1", "leases"};

static void expect_path(const kube_gvr_t *gvr, const char *ns, const char *name, const char *want)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    EXPECT_INT(kube_path(&out, gvr, ns, name), 0);
    EXPECT_STR(buf_text(&out), want);
}

Test(path, of_the_core_group_begins_with_api)
{
    expect_path(&pods, NULL, NULL, "/api/v1/pods");
    expect_path(&pods, "default", NULL, "/api/v1/namespaces/default/pods");
    expect_path(&pods, "default", "web-0", "/api/v1/namespaces/default/pods/web-0");
}

Test(path, of_another_group_begins_with_apis)
{
    expect_path(&leases, "kube-system", "x",
                "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x");
}

Test(path, empty_namespace_and_name_count_as_absent)
{
    expect_path(&leases, "", "", "/apis/coordination.k8s.io/v1/leases");
}

Test(path, parts_are_percent_encoded)
{
    expect_path(&pods, "a/b", "c?d#e f", "/api/v1/namespaces/a%2Fb/pods/c%3Fd%23e%20f");
    expect_path(&pods, NULL, "\xc3\xa4", "/api/v1/pods/%C3%A4");
}

Test(path, query_begins_with_a_question_mark_and_goes_on_with_ampersands)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    EXPECT_INT(kube_path(&out, &pods, NULL, NULL), 0);
    EXPECT_INT(kube_query(&out, "limit", "500"), 0);
    EXPECT_INT(kube_query(&out, "labelSelector", "a in (b,c),d=e"), 0);
    EXPECT_STR(buf_text(&out), "/api/v1/pods?limit=500&labelSelector=a%20in%20%28b%2Cc%29%2Cd%3De");
}

Test(path, a_full_buffer_is_reported)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(10);

    EXPECT_INT(kube_path(&out, &leases, NULL, NULL), LH_ETOOBIG);
}

Test(path, dns_labels_are_told_from_other_names)
{
    char long_name[65];

    memset(long_name, 'a', 64);
    long_name[64] = '\0';
    EXPECT_INT(kube_is_dns_label("kube-system"), true);
    EXPECT_INT(kube_is_dns_label("0a"), true);
    EXPECT_INT(kube_is_dns_label(long_name + 1), true); /* 63 */
    EXPECT_INT(kube_is_dns_label(long_name), false);    /* 64 */
    EXPECT_INT(kube_is_dns_label(""), false);
    EXPECT_INT(kube_is_dns_label("-a"), false);
    EXPECT_INT(kube_is_dns_label("a-"), false);
    EXPECT_INT(kube_is_dns_label("A"), false);
    EXPECT_INT(kube_is_dns_label("a.b"), false);
    EXPECT_INT(kube_is_dns_label("a_b"), false);
}

Test(path, dns_subdomains_are_told_from_other_names)
{
    char long_name[255];

    memset(long_name, 'a', 254);
    long_name[254] = '\0';
    EXPECT_INT(kube_is_dns_subdomain("coordination.k8s.io"), true);
    EXPECT_INT(kube_is_dns_subdomain("a"), true);
    EXPECT_INT(kube_is_dns_subdomain(long_name + 1), true); /* 253 */
    EXPECT_INT(kube_is_dns_subdomain(long_name), false);    /* 254 */
    EXPECT_INT(kube_is_dns_subdomain(""), false);
    EXPECT_INT(kube_is_dns_subdomain("a..b"), false);
    EXPECT_INT(kube_is_dns_subdomain(".a"), false);
    EXPECT_INT(kube_is_dns_subdomain("a."), false);
    EXPECT_INT(kube_is_dns_subdomain("a-.b"), false);
    EXPECT_INT(kube_is_dns_subdomain("a.B"), false);
}
