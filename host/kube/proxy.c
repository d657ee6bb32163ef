/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/proxy.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* An address in the form of IPv6, with an IPv4 address mapped into it. */
typedef struct address {
    unsigned char bytes[16];
} address_t;

/* Where a connection is to go. */
typedef struct place {
    char *host, *port; /* host without brackets */
    bool is_address;
    address_t address;
} place_t;

static const unsigned char v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

const char *kube_env_get(const char *const *env, const char *name)
{
    const size_t len = strlen(name);

    for (; env != NULL && *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    }
    return "";
}

static bool parse_address(const char *text, address_t *out)
{
    memcpy(out->bytes, v4_prefix, sizeof(v4_prefix));
    return inet_pton(AF_INET, text, out->bytes + sizeof(v4_prefix)) == 1 ||
           inet_pton(AF_INET6, text, out->bytes) == 1;
}

static bool is_v4(const address_t *a)
{
    return memcmp(a->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

static bool same_start(const address_t *a, const address_t *b, unsigned bits)
{
    const unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a->bytes, b->bytes, whole) == 0 &&
           (rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0);
}

/* -- Proxies -- */

static const struct {
    const char *scheme, *port, *written;
} schemes[] = {
    {"http", "80", "http"},
    {"https", "443", "https"},
    {"socks5", "1080", "socks5h"},
    {"socks5h", "1080", "socks5h"},
};

static CURLU *open_url(const char *text)
{
    CURLU *url = curl_url();

    if (url != NULL &&
        curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
        curl_url_cleanup(url);
        return NULL;
    }
    return url;
}

/* Caller frees with curl_free(); NULL: it has none. */
static char *part(CURLU *url, CURLUPart what)
{
    char *text = NULL;

    return curl_url_get(url, what, &text, 0) == CURLUE_OK ? text : NULL;
}

static int write_proxy(CURLU *url, size_t scheme, char **out)
{
    char *port = part(url, CURLUPART_PORT), *text = NULL;
    int ret = LH_EINVAL;

    if ((port != NULL || curl_url_set(url, CURLUPART_PORT, schemes[scheme].port, 0) == CURLUE_OK) &&
        curl_url_set(url, CURLUPART_SCHEME, schemes[scheme].written, CURLU_NON_SUPPORT_SCHEME) ==
            CURLUE_OK &&
        curl_url_set(url, CURLUPART_PATH, "/", 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_QUERY, NULL, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        *out = host_xprintf("%.*s", (int) (strlen(text) - 1), text); /* without the '/' */
        explicit_bzero(text, strlen(text));
        ret = 0;
    }
    curl_free(port);
    curl_free(text);
    return ret;
}

int kube_proxy_parse(const char *text, char **out, const char **why)
{
    CURLU *url = strstr(text, "://") != NULL ? open_url(text) : NULL;
    char *scheme = url != NULL ? part(url, CURLUPART_SCHEME) : NULL;
    int ret = LH_EINVAL;

    *why = url == NULL ? "it must be like http://host:port"
                       : "a proxy is reached by http, https or socks5";
    for (size_t i = 0; scheme != NULL && i < HOST_LEN(schemes); i++) {
        if (strcmp(scheme, schemes[i].scheme) == 0) {
            *why = "it must be like http://host:port";
            ret = write_proxy(url, i, out);
        }
    }
    curl_free(scheme);
    curl_url_cleanup(url);
    return ret;
}

char *kube_proxy_label(const char *proxy)
{
    const char *host = strstr(proxy, "://");
    const char *at = strrchr(proxy, '@'); /* the host of a parsed one holds none */

    if (host == NULL)
        return host_xstrdup(proxy);
    host += 3;
    return host_xprintf("%.*s%s", (int) (host - proxy), proxy, at != NULL ? at + 1 : host);
}

/* -- NO_PROXY -- */

static bool place_init(place_t *p, const char *server)
{
    CURLU *url = open_url(server);
    char *host = url != NULL ? part(url, CURLUPART_HOST) : NULL, *port = NULL;
    bool good =
        host != NULL && curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;

    if (good) {
        const size_t len = strlen(host);
        p->host =
            host[0] == '[' ? host_xprintf("%.*s", (int) len - 2, host + 1) : host_xstrdup(host);
        p->port = host_xstrdup(port);
        p->is_address = parse_address(p->host, &p->address);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return good;
}

static void place_fini(place_t *p)
{
    free(p->host);
    free(p->port);
}

static bool is_this_machine(const place_t *p)
{
    static const address_t v4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}};
    static const address_t v6 = {{[15] = 1}};

    if (!p->is_address)
        return strcasecmp(p->host, "localhost") == 0;
    return same_start(&p->address, &v4, 96 + 8) || same_start(&p->address, &v6, 128);
}

/* "10.0.0.0/8". False when entry is no such thing, too. */
static bool matches_network(const char *entry, const place_t *p)
{
    const char *slash = strchr(entry, '/');
    char network[64], *end;
    address_t a;

    if (slash == NULL || !p->is_address || (size_t) (slash - entry) >= sizeof(network))
        return false;
    snprintf(network, sizeof(network), "%.*s", (int) (slash - entry), entry);
    const unsigned long bits = strtoul(slash + 1, &end, 10);

    if (!parse_address(network, &a) || slash[1] < '0' || slash[1] > '9' || *end != '\0' ||
        bits > (is_v4(&a) ? 32u : 128u) || is_v4(&a) != is_v4(&p->address))
        return false;
    return same_start(&a, &p->address, (unsigned) bits + (is_v4(&a) ? 96u : 0u));
}

/* "example.com" is that name and all below it, ".example.com" and "*.example.com" only these. */
static bool matches_name(const char *name, const char *host)
{
    if (strncmp(name, "*.", 2) == 0)
        name++;
    const bool itself = name[0] != '.';
    const size_t len = strlen(name), host_len = strlen(host);

    if (itself && strcasecmp(name, host) == 0)
        return true;
    if (host_len <= len || strcasecmp(host + host_len - len, name) != 0)
        return false;
    return !itself || host[host_len - len - 1] == '.';
}

/* Parts "host:port", "[address]:port", or without the port: *port is "" then. */
static void split(char *entry, const char **host, const char **port)
{
    char *colon = strrchr(entry, ':');
    const size_t len = strlen(entry);

    *host = entry;
    *port = "";
    if (entry[0] == '[') {
        char *close = strchr(entry, ']');
        *host = entry + 1;
        if (close != NULL && close[1] == ':')
            *port = close + 2;
        if (close != NULL)
            *close = '\0';
    } else if (colon != NULL && colon == strchr(entry, ':') && colon + 1 < entry + len) {
        *port = colon + 1;
        *colon = '\0';
    }
}

static bool matches(char *entry, const place_t *p)
{
    const char *host, *port;
    address_t a;

    if (strcmp(entry, "*") == 0 || matches_network(entry, p))
        return true;
    split(entry, &host, &port);
    if (host[0] == '\0' || (*port != '\0' && strcmp(port, p->port) != 0))
        return false;
    if (parse_address(host, &a))
        return p->is_address && same_start(&a, &p->address, 128);
    return !p->is_address && matches_name(host, p->host);
}

static bool is_listed(const char *list, const place_t *p)
{
    host_cleanup(host_freep) char *copy = host_xstrdup(list);
    char *rest = copy, *entry;

    while ((entry = strsep(&rest, ",")) != NULL) {
        entry += strspn(entry, " \t");
        size_t len = strlen(entry);
        while (len > 0 && strchr(" \t", entry[len - 1]) != NULL)
            entry[--len] = '\0';
        if (len > 0 && matches(entry, p))
            return true;
    }
    return false;
}

/* -- The environment -- */

/* Upper case first, as Go reads it. */
static const char *env_any(const char *const *env, const char *upper, const char *lower,
                           const char **name)
{
    const char *value = kube_env_get(env, upper);

    *name = value[0] != '\0' ? upper : lower;
    return value[0] != '\0' ? value : kube_env_get(env, lower);
}

int kube_proxy_from_env(const char *const *env, const char *server, char **out, lh_error_t *err)
{
    const char *name, *why;
    const char *proxy = env_any(env, "HTTPS_PROXY", "https_proxy", &name);
    const char *list = env_any(env, "NO_PROXY", "no_proxy", &(const char *){NULL});
    host_cleanup(host_freep) char *url = NULL;
    host_cleanup(place_fini) place_t place = {0};

    *out = NULL;
    if (proxy[0] == '\0' || strncmp(server, "https://", 8) != 0 || !place_init(&place, server) ||
        is_this_machine(&place) || is_listed(list, &place))
        return 0;
    url = host_xprintf("%s%s", strstr(proxy, "://") == NULL ? "http://" : "", proxy);
    int ret = kube_proxy_parse(url, out, &why);

    explicit_bzero(url, strlen(url));
    return ret < 0 ? host_fail(err, ret, "%s: %s", name, why) : 0;
}
