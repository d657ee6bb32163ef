/* SPDX-License-Identifier: Apache-2.0 */
/* A user of a kubeconfig: as whom to talk to the API server. */
#include "kube/kubeconfig_internal.h"
#include "kube/pem.h"
#include "kube/token.h"

#include <string.h>

static int refuse_provider(const kubeconfig_entry_t *at, lh_error_t *err)
{
    static const char key[] = "auth-provider";
    const config_node_t *node = kubeconfig_get(at->node, key);

    if (node == NULL || kubeconfig_is_empty(node))
        return 0;
    return kubeconfig_fail(err, at, node, key,
                           "authentication providers are not supported; give an exec plugin, a "
                           "token, a tokenFile or a client certificate");
}

/* -- Certificates, tokens, passwords -- */

static int read_certificate(const kubeconfig_entry_t *at, kube_credentials_t *c, lh_error_t *err)
{
    int ret =
        kubeconfig_pem(at, "client-certificate", &c->client_cert_file, &c->client_cert_data, err);

    if (ret == 0)
        ret = kubeconfig_pem(at, "client-key", &c->client_key_file, &c->client_key_data, err);
    if (ret < 0)
        return ret;
    const bool cert = c->client_cert_file != NULL || c->client_cert_data != NULL;
    const bool key = c->client_key_file != NULL || c->client_key_data != NULL;

    if (cert != key)
        return kubeconfig_fail(err, at, at->node, cert ? "client-key" : "client-certificate",
                               "it is missing; certificate and key belong together");
    return 0;
}

static int read_token(const kubeconfig_entry_t *at, kube_credentials_t *c, lh_error_t *err)
{
    const char *token = NULL, *file = NULL;
    lh_error_t why;
    int ret = kubeconfig_text(at, "token", &token, err);

    if (ret == 0)
        ret = kubeconfig_text(at, "tokenFile", &file, err);
    if (ret < 0)
        return ret;
    if (token != NULL)
        c->token = host_xstrdup(token);
    if (file != NULL)
        c->token_file = kubeconfig_resolve(at, file);
    if (token != NULL && kube_token_check(token, strlen(token), &why) < 0)
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, "token"), "token", "%.300s",
                               why.text);
    if (file != NULL && kube_token_check_file(c->token_file, &why) < 0)
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, "tokenFile"), "tokenFile",
                               "%.300s", why.text);
    return 0;
}

static int read_basic(const kubeconfig_entry_t *at, kube_credentials_t *c, lh_error_t *err)
{
    const char *user = NULL, *password = NULL;
    int ret = kubeconfig_text(at, "username", &user, err);

    if (ret == 0)
        ret = kubeconfig_text(at, "password", &password, err);
    if (ret < 0 || (user == NULL && password == NULL))
        return ret;
    if (user == NULL)
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, "password"), "username",
                               "it is missing; a password belongs to it");
    if (strchr(user, ':') != NULL)
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, "username"), "username",
                               "it must not hold a ':'");
    if (c->token != NULL || c->token_file != NULL)
        return kubeconfig_fail(err, at, kubeconfig_get(at->node, "username"), "username",
                               "a token is given, too; only one of them can be sent");
    host_cleanup(kube_wipep) char *both =
        host_xprintf("%s:%s", user, password != NULL ? password : "");

    c->basic = kube_base64(both, strlen(both));
    return c->basic != NULL ? 0 : host_fail(err, LH_ENOMEM, "password: out of memory");
}

static int read_exec(const kubeconfig_reading_t *r, lh_error_t *err)
{
    const config_node_t *exec = kubeconfig_get(r->user.node, "exec");

    if (exec == NULL || kubeconfig_is_empty(exec))
        return 0;
    if (r->c->token != NULL || r->c->token_file != NULL || r->c->basic != NULL ||
        r->c->client_cert_file != NULL || r->c->client_cert_data != NULL)
        return 0; /* these win, as in client-go: Authenticator.UpdateTransportConfig */
    return kubeconfig_read_exec(r, exec, err);
}

/* -- Impersonation -- */

/* The headers, as they are made. */
typedef struct headers {
    const kubeconfig_entry_t *at;
    char **lines;
    size_t count;
} headers_t;

static int add_line(headers_t *h, const char *field, const char *name, const char *value,
                    lh_error_t *err)
{
    for (const char *s = value; *s != '\0'; s++) {
        if ((unsigned char) *s < ' ' || *s == 0x7f)
            return kubeconfig_fail(err, h->at, kubeconfig_get(h->at->node, field), field,
                                   "it holds a control character");
    }
    h->lines = realloc(h->lines, (h->count + 2) * sizeof(*h->lines));
    if (h->lines == NULL)
        return host_fail(err, LH_ENOMEM, "%s: out of memory", field);
    h->lines[h->count++] = host_xprintf("%s: %s", name, value);
    h->lines[h->count] = NULL;
    return 0;
}

static int add_groups(headers_t *h, lh_error_t *err)
{
    host_cleanup(host_freep) const char **groups = NULL;
    int ret = kubeconfig_texts(h->at, h->at->node, "as-groups", &groups, err);

    for (size_t i = 0; ret == 0 && groups[i] != NULL; i++)
        ret = add_line(h, "as-groups", "Impersonate-Group", groups[i], err);
    return ret;
}

/* The key is part of a header's name: what a name cannot hold is percent-encoded. Caller owns the
 * result. */
static char *extra_name(const char *key)
{
    static const char legal[] = "!#$&'*+-.^_`|~"; /* and letters and digits; not '%' itself */
    buf_t name = BUF_INIT;

    buf_puts(&name, "Impersonate-Extra-");
    for (const char *s = key; *s != '\0'; s++) {
        if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
            strchr(legal, *s) != NULL)
            buf_append(&name, s, 1);
        else
            buf_printf(&name, "%%%02X", (unsigned char) *s);
    }
    return buf_steal(&name);
}

static int add_extras(headers_t *h, lh_error_t *err)
{
    static const char field[] = "as-user-extra";
    const config_node_t *map = kubeconfig_get(h->at->node, field);
    int ret = 0;

    if (map == NULL || kubeconfig_is_empty(map))
        return 0;
    if (map->kind != CONFIG_MAPPING)
        return kubeconfig_fail(err, h->at, map, field, "a mapping of lists is expected");
    for (size_t i = 0; ret == 0 && i + 1 < map->count; i += 2) {
        host_cleanup(host_freep) const char **values = NULL;
        host_cleanup(host_freep) char *name = extra_name(map->items[i].text);
        if (name == NULL)
            return host_fail(err, LH_ENOMEM, "%s: out of memory", field);
        ret = kubeconfig_texts(h->at, map, map->items[i].text, &values, err);
        for (size_t k = 0; ret == 0 && values[k] != NULL; k++)
            ret = add_line(h, field, name, values[k], err);
    }
    return ret;
}

static int read_impersonation(const kubeconfig_entry_t *at, kube_credentials_t *c, lh_error_t *err)
{
    static const char *const more[] = {"as-uid", "as-groups", "as-user-extra"};
    headers_t h = {.at = at};
    const char *user = NULL, *uid = NULL;
    int ret = kubeconfig_text(at, "as", &user, err);

    for (size_t i = 0; ret == 0 && user == NULL && i < HOST_LEN(more); i++) {
        const config_node_t *node = kubeconfig_get(at->node, more[i]);
        if (node != NULL && !kubeconfig_is_empty(node))
            return kubeconfig_fail(err, at, node, more[i], "it needs a user to impersonate: as");
    }
    if (ret < 0 || user == NULL)
        return ret;
    ret = kubeconfig_text(at, "as-uid", &uid, err);
    if (ret == 0)
        ret = add_line(&h, "as", "Impersonate-User", user, err);
    if (ret == 0 && uid != NULL)
        ret = add_line(&h, "as-uid", "Impersonate-Uid", uid, err);
    if (ret == 0)
        ret = add_groups(&h, err);
    if (ret == 0)
        ret = add_extras(&h, err);
    c->impersonate = h.lines; /* also what there is of them */
    return ret;
}

int kubeconfig_read_user(const kubeconfig_reading_t *r, lh_error_t *err)
{
    const kubeconfig_entry_t *at = &r->user;
    int ret = refuse_provider(at, err);

    if (ret == 0)
        ret = read_certificate(at, r->c, err);
    if (ret == 0)
        ret = read_token(at, r->c, err);
    if (ret == 0)
        ret = read_basic(at, r->c, err);
    if (ret == 0)
        ret = read_impersonation(at, r->c, err);
    if (ret == 0)
        ret = read_exec(r, err);
    return ret;
}
