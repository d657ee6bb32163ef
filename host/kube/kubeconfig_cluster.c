/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster of a kubeconfig: where the API server is, and how it is verified. */
#include "kube/kubeconfig_internal.h"
#include "kube/path.h"
#include "kube/proxy.h"

#include <curl/curl.h>
#include <string.h>

/* "https://..." to anywhere, "http://..." to this machine: a token must not travel in clear. */
static int check_server(const char *server, const char **why)
{
    CURLU *url = curl_url();
    char *host = NULL, *scheme = NULL, *extra = NULL;
    int ret = LH_EINVAL;

    *why = "it must be like https://host:port";
    if (url != NULL && curl_url_set(url, CURLUPART_URL, server, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        bool local = strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
                     (strncmp(host, "127.", 4) == 0 && kubeconfig_is_address(host));
        if (curl_url_get(url, CURLUPART_USER, &extra, 0) == CURLUE_OK ||
            curl_url_get(url, CURLUPART_QUERY, &extra, 0) == CURLUE_OK ||
            curl_url_get(url, CURLUPART_FRAGMENT, &extra, 0) == CURLUE_OK)
            *why = "it must not hold a user, a query or a fragment";
        else if (strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && local))
            ret = 0;
        else
            *why = "only https is spoken (http to this machine alone, as it is not encrypted)";
    }
    curl_free(host);
    curl_free(scheme);
    curl_free(extra);
    curl_url_cleanup(url);
    return ret;
}

static int read_server(const kubeconfig_entry_t *at, kube_credentials_t *c, lh_error_t *err)
{
    const char *server, *why;
    int ret = kubeconfig_text(at, "server", &server, err);

    if (ret < 0)
        return ret;
    if (server == NULL)
        return kubeconfig_fail(err, at, at->node, "server", "it is missing");
    if (check_server(server, &why) < 0)
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, "server"), "server", "%s", why);
    c->server = host_xstrdup(server);
    for (size_t len = strlen(c->server); len > 0 && c->server[len - 1] == '/';)
        c->server[--len] = '\0';
    return 0;
}

static int read_tls_name(const kubeconfig_entry_t *at, kube_credentials_t *c, lh_error_t *err)
{
    static const char key[] = "tls-server-name";
    const char *name;
    int ret = kubeconfig_text(at, key, &name, err);

    if (ret < 0 || name == NULL)
        return ret;
    if (!kube_is_dns_subdomain(name) && !kubeconfig_is_address(name))
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, key), key,
                               "neither a host name nor an address");
    c->tls_server_name = host_xstrdup(name);
    return 0;
}

static int refuse_insecure(const kubeconfig_entry_t *at, lh_error_t *err)
{
    static const char key[] = "insecure-skip-tls-verify";
    const config_node_t *node = kubeconfig_get(at->node, key);

    if (node == NULL || (node->kind == CONFIG_SCALAR && strcmp(node->text, "false") == 0))
        return 0;
    return kubeconfig_fail(err, at, node, key,
                           "TLS is verified always; remove it and give certificate-authority or "
                           "certificate-authority-data");
}

/* That of the kubeconfig, else of the environment. */
static int read_proxy(const kubeconfig_reading_t *r, lh_error_t *err)
{
    static const char key[] = "proxy-url";
    const kubeconfig_entry_t *at = &r->cluster;
    const char *proxy, *why;
    int ret = kubeconfig_text(at, key, &proxy, err);

    if (ret < 0)
        return ret;
    if (proxy == NULL)
        return kube_proxy_from_env(r->source->env, r->c->server, &r->c->proxy, err);
    const config_node_t *node = kubeconfig_get(at->node, key);

    if (strncmp(r->c->server, "https://", 8) != 0)
        return kubeconfig_fail(err, at, node, key,
                               "a proxy is used with a server of https only, as http is not "
                               "encrypted");
    if (kube_proxy_parse(proxy, &r->c->proxy, &why) < 0)
        return kubeconfig_fail(err, at, node, key, "%s", why);
    return 0;
}

int kubeconfig_read_cluster(const kubeconfig_reading_t *r, lh_error_t *err)
{
    const kubeconfig_entry_t *at = &r->cluster;
    int ret = refuse_insecure(at, err);

    if (ret == 0)
        ret = read_server(at, r->c, err);
    if (ret == 0)
        ret = read_proxy(r, err);
    if (ret == 0)
        ret = read_tls_name(at, r->c, err);
    if (ret == 0)
        ret = kubeconfig_pem(at, "certificate-authority", &r->c->ca_file, &r->c->ca_data, err);
    return ret;
}
