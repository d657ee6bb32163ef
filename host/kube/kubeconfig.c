/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include "base/error.h"
#include "base/file.h"
#include "config/yaml.h"
#include "kube/path.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* What is being read: one entry ("user 'admin'") of one file. */
struct place {
    const char *path;
    const char *what, *name;
};

/* "path:line: user 'admin': field: text". */
#define fail_at(err, place, node, field, ...)                                                      \
    __extension__({                                                                                \
        char text_[320];                                                                           \
        snprintf(text_, sizeof(text_), __VA_ARGS__);                                               \
        host_fail((err), LH_EINVAL, "%s:%u: %s '%s': %s: %s", (place)->path, (node)->line,         \
                  (place)->what, (place)->name, (field), text_);                                   \
    })

/* -- Walking the tree -- */

/* The value of key; NULL when map is none, or has no such key, or it is null. */
static const config_node_t *get(const config_node_t *map, const char *key)
{
    if (map == NULL || map->kind != CONFIG_MAPPING)
        return NULL;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const config_node_t *value = &map->items[i + 1];
        if (strcmp(map->items[i].text, key) == 0)
            return config_node_is_null(value) ? NULL : value;
    }
    return NULL;
}

/* The scalar at key in *out, NULL when it is absent or empty. */
static int get_text(const struct place *at, const config_node_t *map, const char *key,
                    const char **out, lh_error_t *err)
{
    const config_node_t *node = get(map, key);

    *out = NULL;
    if (node == NULL)
        return 0;
    if (node->kind != CONFIG_SCALAR)
        return fail_at(err, at, node, key, "a text is expected");
    if (node->text[0] != '\0')
        *out = node->text;
    return 0;
}

/* The entry `name` of the list `list` ("clusters"), in it the mapping `field` ("cluster"). */
static int find_entry(const char *path, const config_node_t *root, const char *list,
                      const char *field, const char *name, const config_node_t **out,
                      lh_error_t *err)
{
    const config_node_t *entries = get(root, list);

    for (size_t i = 0; entries != NULL && entries->kind == CONFIG_SEQUENCE && i < entries->count;
         i++) {
        const config_node_t *entry = &entries->items[i], *found = get(entry, "name");
        if (found == NULL || found->kind != CONFIG_SCALAR || strcmp(found->text, name) != 0)
            continue;
        *out = get(entry, field);
        if (*out != NULL && (*out)->kind == CONFIG_MAPPING)
            return 0;
        return host_fail(err, LH_EINVAL, "%s:%u: %s '%s': it has no mapping '%s'", path,
                         entry->line, field, name, field);
    }
    return host_fail(err, LH_EINVAL, "%s:%u: %s '%s' is not in the list '%s'", path,
                     entries != NULL ? entries->line : root->line, field, name, list);
}

/* -- What is refused -- */

struct refusal {
    const char *key, *advice;
};

static const struct refusal refused_in_user[] = {
    {"exec", "credential plugins are not run; give a token, a tokenFile or a client certificate "
             "(kubectl create token makes a token for a service account)"},
    {"auth-provider", "authentication providers are not supported; give a token, a tokenFile or a "
                      "client certificate"},
    {"username", "basic authentication is not supported; give a token, a tokenFile or a client "
                 "certificate"},
    {"password", "basic authentication is not supported; give a token, a tokenFile or a client "
                 "certificate"},
    {"as", "impersonation is not supported; give the credentials of that identity itself"},
    {"as-uid", "impersonation is not supported; give the credentials of that identity itself"},
    {"as-groups", "impersonation is not supported; give the credentials of that identity itself"},
    {"as-user-extra",
     "impersonation is not supported; give the credentials of that identity itself"},
};

static const struct refusal refused_in_cluster[] = {
    {"proxy-url", "proxies are not supported; give a server that is reached directly"},
};

static bool is_empty(const config_node_t *node)
{
    return node->kind == CONFIG_SCALAR ? node->text[0] == '\0' : node->count == 0;
}

static int refuse(const struct place *at, const config_node_t *map, const struct refusal *table,
                  size_t count, lh_error_t *err)
{
    for (size_t i = 0; i < count; i++) {
        const config_node_t *node = get(map, table[i].key);
        if (node != NULL && !is_empty(node))
            return fail_at(err, at, node, table[i].key, "%s", table[i].advice);
    }
    return 0;
}

static int refuse_insecure(const struct place *at, const config_node_t *cluster, lh_error_t *err)
{
    static const char key[] = "insecure-skip-tls-verify";
    const config_node_t *node = get(cluster, key);

    if (node == NULL || (node->kind == CONFIG_SCALAR && strcmp(node->text, "false") == 0))
        return 0;
    return fail_at(err, at, node, key,
                   "the server's certificate is always verified; remove it and give "
                   "certificate-authority or certificate-authority-data");
}

/* -- Values -- */

static bool is_address(const char *s)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1;
}

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
                     (strncmp(host, "127.", 4) == 0 && is_address(host));
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

static int read_server(const struct place *at, const config_node_t *cluster, kube_credentials_t *c,
                       lh_error_t *err)
{
    const char *server, *why;
    int ret = get_text(at, cluster, "server", &server, err);

    if (ret < 0)
        return ret;
    if (server == NULL)
        return fail_at(err, at, cluster, "server", "it is missing");
    if (check_server(server, &why) < 0)
        return fail_at(err, at, get(cluster, "server"), "server", "%s", why);
    c->server = host_xstrdup(server);
    for (size_t len = strlen(c->server); len > 0 && c->server[len - 1] == '/';)
        c->server[--len] = '\0';
    return 0;
}

static int read_tls_name(const struct place *at, const config_node_t *cluster,
                         kube_credentials_t *c, lh_error_t *err)
{
    const char *name;
    int ret = get_text(at, cluster, "tls-server-name", &name, err);

    if (ret < 0 || name == NULL)
        return ret;
    if (!kube_is_dns_subdomain(name) && !is_address(name))
        return fail_at(err, at, get(cluster, "tls-server-name"), "tls-server-name",
                       "neither a host name nor an address");
    c->tls_server_name = host_xstrdup(name);
    return 0;
}

/* path as seen from the folder of the kubeconfig. Caller owns the result, free with free(). */
static char *resolve(const char *kubeconfig, const char *path)
{
    const char *slash = strrchr(kubeconfig, '/');

    if (path[0] == '/' || slash == NULL)
        return host_xstrdup(path);
    return host_xprintf("%.*s/%s", (int) (slash - kubeconfig), kubeconfig, path);
}

/* Decodes base64 (white space allowed) that holds PEM. NULL when it does not. Caller owns the
 * result, free with free(). */
static char *decode_pem(const char *text)
{
    size_t len = strlen(text), n = 0;
    host_cleanup(host_freep) char *packed = malloc(len + 1);
    host_cleanup(host_freep) char *out = malloc(len + 1);

    if (packed == NULL || out == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r\n", text[i]) == NULL)
            packed[n++] = text[i];
    }
    if (n == 0 || n % 4 != 0 || n > INT32_MAX)
        return NULL;
    int decoded = EVP_DecodeBlock((unsigned char *) out, (const unsigned char *) packed, (int) n);
    explicit_bzero(packed, n);
    if (decoded < 0)
        return NULL;
    out[decoded] = '\0'; /* '=' at the end became NULs: they end the text, too */
    return strstr(out, "-----BEGIN ") != NULL ? host_steal(out) : NULL;
}

/* The tree of a file that may hold a token or a key. */
static void wipe_tree(config_node_t *node)
{
    for (size_t i = 0; i < node->count; i++)
        wipe_tree(&node->items[i]);
    if (node->text != NULL)
        explicit_bzero(node->text, strlen(node->text));
}

/* For host_cleanup: the text of a file that may hold a key. */
static void wipe_text(buf_t *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->len);
    buf_fini(text);
}

static int check_pem_file(const struct place *at, const config_node_t *node, const char *key,
                          const char *path, lh_error_t *err)
{
    host_cleanup(wipe_text) buf_t text = BUF_INIT;
    lh_error_t why;

    if (file_read(path, KUBE_MAX_PEM, &text, &why) < 0)
        return fail_at(err, at, node, key, "%.250s", why.text);
    if (strstr(buf_text(&text), "-----BEGIN ") == NULL)
        return fail_at(err, at, node, key, "'%.200s' is not in PEM form", path);
    return 0;
}

/* PEM by `key`-data (wins, as in kubectl) or by the file `key`. */
static int read_pem(const struct place *at, const config_node_t *map, const char *key, char **file,
                    char **data, lh_error_t *err)
{
    host_cleanup(host_freep) char *data_key = host_xprintf("%s-data", key);
    const char *by_data = NULL, *by_file = NULL;
    int ret = get_text(at, map, data_key, &by_data, err);

    if (ret == 0)
        ret = get_text(at, map, key, &by_file, err);
    if (ret < 0)
        return ret;
    if (by_data != NULL) {
        *data = decode_pem(by_data);
        if (*data == NULL)
            return fail_at(err, at, get(map, data_key), data_key, "not PEM in base64");
    } else if (by_file != NULL) {
        *file = resolve(at->path, by_file);
        return check_pem_file(at, get(map, key), key, *file, err);
    }
    return 0;
}

/* -- Entries -- */

static int read_cluster(const struct place *at, const config_node_t *cluster, kube_credentials_t *c,
                        lh_error_t *err)
{
    int ret = refuse(at, cluster, refused_in_cluster, HOST_LEN(refused_in_cluster), err);

    if (ret == 0)
        ret = refuse_insecure(at, cluster, err);
    if (ret == 0)
        ret = read_server(at, cluster, c, err);
    if (ret == 0)
        ret = read_tls_name(at, cluster, c, err);
    if (ret == 0)
        ret = read_pem(at, cluster, "certificate-authority", &c->ca_file, &c->ca_data, err);
    return ret;
}

static int read_user(const struct place *at, const config_node_t *user, kube_credentials_t *c,
                     lh_error_t *err)
{
    const char *token = NULL, *token_file = NULL;
    int ret = refuse(at, user, refused_in_user, HOST_LEN(refused_in_user), err);

    if (ret == 0)
        ret = read_pem(at, user, "client-certificate", &c->client_cert_file, &c->client_cert_data,
                       err);
    if (ret == 0)
        ret = read_pem(at, user, "client-key", &c->client_key_file, &c->client_key_data, err);
    if (ret == 0)
        ret = get_text(at, user, "token", &token, err);
    if (ret == 0)
        ret = get_text(at, user, "tokenFile", &token_file, err);
    if (ret < 0)
        return ret;
    bool cert = c->client_cert_file != NULL || c->client_cert_data != NULL;
    bool key = c->client_key_file != NULL || c->client_key_data != NULL;
    if (cert != key)
        return fail_at(err, at, user, cert ? "client-key" : "client-certificate",
                       "it is missing; certificate and key belong together");
    if (token != NULL)
        c->token = host_xstrdup(token);
    if (token_file != NULL)
        c->token_file = resolve(at->path, token_file);
    return 0;
}

static int read_context(const char *path, const config_node_t *root, const char *name,
                        kube_credentials_t *c, lh_error_t *err)
{
    struct place at = {path, "context", name};
    const config_node_t *context, *cluster, *user;
    const char *cluster_name = NULL, *user_name = NULL, *ns = NULL;
    int ret = find_entry(path, root, "contexts", "context", name, &context, err);

    if (ret == 0)
        ret = get_text(&at, context, "cluster", &cluster_name, err);
    if (ret == 0)
        ret = get_text(&at, context, "user", &user_name, err);
    if (ret == 0)
        ret = get_text(&at, context, "namespace", &ns, err);
    if (ret < 0)
        return ret;
    if (cluster_name == NULL)
        return fail_at(err, &at, context, "cluster", "it is missing");
    if (ns != NULL && !kube_is_dns_label(ns))
        return fail_at(err, &at, get(context, "namespace"), "namespace",
                       "not the name of a namespace");
    c->namespace = host_xstrdup(ns != NULL ? ns : "");
    c->origin = host_xprintf("kubeconfig '%s', context '%s'", path, name);
    ret = find_entry(path, root, "clusters", "cluster", cluster_name, &cluster, err);
    if (ret == 0)
        ret = read_cluster(&(struct place){path, "cluster", cluster_name}, cluster, c, err);
    if (ret < 0 || user_name == NULL) /* without a user: anonymous */
        return ret;
    ret = find_entry(path, root, "users", "user", user_name, &user, err);
    if (ret == 0)
        ret = read_user(&(struct place){path, "user", user_name}, user, c, err);
    return ret;
}

static void destroyp(kube_credentials_t **c)
{
    kube_credentials_destroy(*c);
}

static int read_root(const char *path, const config_node_t *root, const char *context,
                     kube_credentials_t **out, lh_error_t *err)
{
    host_cleanup(destroyp) kube_credentials_t *c = host_xcalloc(1, sizeof(*c));
    const config_node_t *current = get(root, "current-context");
    int ret;

    if (root->kind != CONFIG_MAPPING)
        return host_fail(err, LH_EINVAL, "%s: not a kubeconfig: no mapping", path);
    if (context == NULL || context[0] == '\0') {
        if (current == NULL || current->kind != CONFIG_SCALAR || current->text[0] == '\0')
            return host_fail(err, LH_EINVAL,
                             "%s: no context is given and it has no current-context (kubectl "
                             "config use-context NAME sets one)",
                             path);
        context = current->text;
    }
    ret = read_context(path, root, context, c, err);
    if (ret < 0)
        return ret;
    *out = host_steal(c);
    return 0;
}

int kube_kubeconfig_load(const char *path, const char *context, kube_credentials_t **out,
                         lh_error_t *err)
{
    host_cleanup(wipe_text) buf_t text = BUF_INIT;
    config_node_t root = {0};
    int ret = file_read(path, CONFIG_MAX_BYTES, &text, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "kubeconfig");
    ret = config_yaml_parse(path, buf_text(&text), text.len, &root, err);
    if (ret == 0)
        ret = read_root(path, &root, context, out, err);
    wipe_tree(&root);
    config_node_fini(&root);
    return ret < 0 ? host_error_wrap(err, ret, "kubeconfig") : 0;
}
