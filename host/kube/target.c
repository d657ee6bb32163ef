/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/target.h"

#include "base/error.h"

#include <string.h>

/* How long one address may take to accept a connection and finish TLS; in all, for all addresses.
 * Bounds what has no timeout of its own, such as a watch. */
#define CONNECT_TIMEOUT_MS 10000L

/* The authority of an URL: what stands between "://" and the next '/'. */
static char *authority_of(const char *url)
{
    const char *at = strstr(url, "://") + 3;
    return strndup(at, strcspn(at, "/"));
}

/* tls-server-name: the URL carries that name, so that SNI and the certificate's check use it, and
 * CONNECT_TO leads to the real place. */
static int rename_host(kube_target_t *t, CURLU *url, lh_error_t *err)
{
    host_cleanup(host_freep) char *to = NULL;
    char *host = NULL, *port = NULL, *base = NULL;
    int ret = LH_EINVAL;

    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        to = host_xprintf("::%s:%s", host, port);
        t->connect_to = curl_slist_append(NULL, to);
        if (t->connect_to != NULL &&
            curl_url_set(url, CURLUPART_HOST, t->credentials->tls_server_name, 0) == CURLUE_OK &&
            curl_url_get(url, CURLUPART_URL, &base, 0) == CURLUE_OK) {
            free(t->base);
            t->base = strdup(base);
            ret = t->base != NULL ? 0 : LH_ENOMEM;
        }
    }
    curl_free(host);
    curl_free(port);
    curl_free(base);
    if (ret < 0)
        return host_fail(err, ret, "tls-server-name '%s' with server '%s': %s",
                         t->credentials->tls_server_name, t->credentials->server, lh_strerror(ret));
    return 0;
}

/* The name, for TLS and Host, stays. */
static int move_to(kube_target_t *t, const char *address, lh_error_t *err)
{
    host_cleanup(host_freep) char *to = host_xprintf("::%s", address);

    curl_slist_free_all(t->connect_to);
    t->connect_to = curl_slist_append(NULL, to);
    return t->connect_to != NULL ? 0 : host_fail(err, LH_ENOMEM, "%s: out of memory", address);
}

int kube_target_init(kube_target_t *t, const kube_credentials_t *credentials, const char *address,
                     lh_error_t *err)
{
    const char *server = credentials->server;
    int ret = 0;

    *t = (kube_target_t){.credentials = credentials};
    CURLU *url = curl_url();
    if (url == NULL)
        return host_fail(err, LH_ENOMEM, "server '%s': out of memory", server);
    if (curl_url_set(url, CURLUPART_URL, server, 0) != CURLUE_OK || strstr(server, "://") == NULL) {
        ret = host_fail(err, LH_EINVAL, "server '%s': not an URL", server);
    } else {
        t->tls = strncmp(server, "https:", 6) == 0;
        t->base = strdup(server);
        t->host = authority_of(server);
        if (t->base == NULL || t->host == NULL)
            ret = host_fail(err, LH_ENOMEM, "server '%s': out of memory", server);
        else if (credentials->tls_server_name != NULL)
            ret = rename_host(t, url, err);
        if (ret == 0 && address != NULL)
            ret = move_to(t, address, err);
    }
    curl_url_cleanup(url);
    if (ret < 0) {
        kube_target_fini(t);
        return ret;
    }
    size_t len = strlen(t->base);
    while (len > 0 && t->base[len - 1] == '/')
        t->base[--len] = '\0';
    return 0;
}

void kube_target_fini(kube_target_t *t)
{
    free(t->base);
    free(t->host);
    curl_slist_free_all(t->connect_to);
    *t = (kube_target_t){0};
}

static void apply_tls(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
}

/* The environment was looked at when the credentials were loaded: libcurl is not to look again. */
static void apply_proxy(const char *proxy, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy != NULL ? proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, proxy != NULL ? "" : "*");
    if (proxy == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* no answer to the request */
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE); /* no token for it */
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
}

void kube_target_apply(const kube_target_t *t, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, t->tls ? "https" : "http");
    apply_proxy(t->credentials->proxy, easy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* else a timeout waits for the resolver */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    if (t->connect_to != NULL)
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, t->connect_to);
    if (!t->tls) {
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* the first ones share the first connection */
    apply_tls(easy);
}
