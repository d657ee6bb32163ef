/* SPDX-License-Identifier: Apache-2.0 */
/* The section exec of a user: which credential plugin is run, and what it is told. */
#include "kube/exec.h"
#include "kube/kubeconfig_internal.h"
#include "kube/pem.h"

#include <string.h>

#define GROUP "client.authentication.k8s.io/"
#define INFO "KUBERNETES_EXEC_INFO"

/* An array that grows and ends with NULL; texts are owned. */
typedef struct texts {
    char **items;
    size_t count;
} texts_t;

static void texts_add(texts_t *t, char *text)
{
    char **items = realloc(t->items, (t->count + 2) * sizeof(*items));

    if (items == NULL)
        abort(); /* a few bytes, as in host_xcalloc */
    t->items = items;
    items[t->count++] = text;
    items[t->count] = NULL;
}

static void texts_fini(texts_t *t)
{
    for (size_t i = 0; i < t->count; i++)
        kube_wipe(t->items[i]);
    free(t->items);
}

/* -- Its environment -- */

static bool has_name(const char *entry, const char *name)
{
    const size_t len = strlen(name);

    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

static void put_env(texts_t *env, const char *name, const char *value)
{
    char *entry = host_xprintf("%s=%s", name, value);

    for (size_t i = 0; i < env->count; i++) {
        if (has_name(env->items[i], name)) {
            kube_wipe(env->items[i]);
            env->items[i] = entry;
            return;
        }
    }
    texts_add(env, entry);
}

static int add_env(const kubeconfig_entry_t *at, const config_node_t *exec, texts_t *env,
                   lh_error_t *err)
{
    static const char field[] = "exec.env";
    const config_node_t *list = kubeconfig_get(exec, "env");

    if (list != NULL && list->kind != CONFIG_SEQUENCE && !kubeconfig_is_empty(list))
        return kubeconfig_fail(err, at, list, field, "a list of name and value is expected");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const kubeconfig_entry_t item = {at->path, at->what, at->name, &list->items[i]};
        const char *name = NULL, *value = NULL;
        int ret = kubeconfig_text(&item, "name", &name, err);
        if (ret == 0)
            ret = kubeconfig_text(&item, "value", &value, err);
        if (ret < 0)
            return ret;
        if (name == NULL || strchr(name, '=') != NULL)
            return kubeconfig_fail(err, at, item.node, field,
                                   "a list of name and value is expected");
        put_env(env, name, value != NULL ? value : "");
    }
    return 0;
}

static bool sounds_secret(const char *name, size_t len)
{
    static const char *const words[] = {"secret", "token", "password", "key", "credential"};
    host_cleanup(host_freep) char *copy = strndup(name, len);

    for (size_t i = 0; copy != NULL && i < HOST_LEN(words); i++) {
        if (strcasestr(copy, words[i]) != NULL)
            return true;
    }
    return false;
}

/* The values of what is called a secret, in the environment and among the arguments: "--password x"
 * and "--password=x". */
static void find_secrets(const texts_t *env, const char *const *args, texts_t *secrets)
{
    for (size_t i = 0; i < env->count; i++) {
        const char *value = strchr(env->items[i], '=');
        if (value != NULL && !has_name(env->items[i], INFO) &&
            sounds_secret(env->items[i], (size_t) (value - env->items[i])))
            texts_add(secrets, host_xstrdup(value + 1));
    }
    for (size_t i = 0; args[i] != NULL; i++) {
        const size_t len = strcspn(args[i], "=");
        if (args[i][0] != '-' || !sounds_secret(args[i], len))
            continue;
        if (args[i][len] == '=')
            texts_add(secrets, host_xstrdup(args[i] + len + 1));
        else if (args[i + 1] != NULL)
            texts_add(secrets, host_xstrdup(args[i + 1]));
    }
}

/* -- What it is told of the cluster -- */

static int put_field(buf_t *out, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return 0;
    if (out->data[out->len - 1] != '{')
        buf_puts(out, ",");
    buf_printf(out, "\"%s\":", key);
    return buf_json_string(out, value, strlen(value));
}

/* The CA in base64; *out stays NULL when there is none. */
static int ca_data(const kube_credentials_t *c, char **out, lh_error_t *err)
{
    host_cleanup(kube_wipep) char *file = NULL;
    int ret = c->ca_file != NULL ? kube_pem_read(c->ca_file, &file, err) : 0;
    const char *pem = c->ca_data != NULL ? c->ca_data : file;

    if (ret == 0 && pem != NULL && (*out = kube_base64(pem, strlen(pem))) == NULL)
        ret = host_fail(err, LH_ENOMEM, "certificate-authority: out of memory");
    return ret;
}

/* The cluster's extension that is meant for the plugin. */
static int put_config(const kubeconfig_entry_t *cluster, buf_t *out, lh_error_t *err)
{
    const config_node_t *list = kubeconfig_get(cluster->node, "extensions");

    for (size_t i = 0; list != NULL && list->kind == CONFIG_SEQUENCE && i < list->count; i++) {
        const config_node_t *name = kubeconfig_get(&list->items[i], "name");
        const config_node_t *extension = kubeconfig_get(&list->items[i], "extension");
        if (extension == NULL || name == NULL || name->kind != CONFIG_SCALAR ||
            strcmp(name->text, GROUP "exec") != 0)
            continue;
        buf_puts(out, ",\"config\":");
        int ret = config_node_json(extension, out, err);
        return ret < 0 ? host_error_wrap(err, ret, "%s", cluster->path) : 0;
    }
    return 0;
}

static int put_cluster(const kubeconfig_reading_t *r, buf_t *out, lh_error_t *err)
{
    host_cleanup(host_freep) char *ca = NULL;
    const char *proxy = NULL;
    int ret = ca_data(r->c, &ca, err);

    if (ret == 0)
        ret = kubeconfig_text(&r->cluster, "proxy-url", &proxy, err);
    if (ret < 0)
        return ret;
    buf_puts(out, "\"cluster\":{");
    put_field(out, "server", r->c->server);
    put_field(out, "tls-server-name", r->c->tls_server_name);
    put_field(out, "certificate-authority-data", ca);
    put_field(out, "proxy-url", proxy);
    ret = put_config(&r->cluster, out, err);
    buf_puts(out, "},");
    return ret;
}

static int make_info(const kubeconfig_reading_t *r, const char *version, bool with_cluster,
                     texts_t *env, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t info = BUF_INIT;
    int ret = 0;

    buf_printf(&info, "{\"kind\":\"ExecCredential\",\"apiVersion\":\"%s\",\"spec\":{", version);
    if (with_cluster)
        ret = put_cluster(r, &info, err);
    buf_puts(&info, "\"interactive\":false}}");
    if (ret == 0 && info.failed)
        ret = host_fail(err, LH_ENOMEM, "exec: out of memory");
    if (ret == 0)
        put_env(env, INFO, buf_text(&info));
    return ret;
}

/* -- The section -- */

static int check_mode(const kubeconfig_entry_t *at, const config_node_t *exec, const char *mode,
                      bool is_v1, lh_error_t *err)
{
    const config_node_t *node = kubeconfig_get(exec, "interactiveMode");

    if (mode == NULL && is_v1)
        return kubeconfig_fail(err, at, exec, "exec.interactiveMode",
                               "it is missing; give Never or IfAvailable");
    if (mode == NULL || strcmp(mode, "Never") == 0 || strcmp(mode, "IfAvailable") == 0)
        return 0;
    if (strcmp(mode, "Always") == 0)
        return kubeconfig_fail(err, at, node, "exec.interactiveMode",
                               "Always: the plugin asks somebody, and nobody sits at a host; use "
                               "credentials that need no terminal");
    return kubeconfig_fail(err, at, node, "exec.interactiveMode",
                           "'%.40s': not one of Never, IfAvailable, Always", mode);
}

static int check_version(const kubeconfig_entry_t *at, const config_node_t *exec,
                         const char *version, lh_error_t *err)
{
    const config_node_t *node = kubeconfig_get(exec, "apiVersion");

    if (version != NULL &&
        (strcmp(version, GROUP "v1") == 0 || strcmp(version, GROUP "v1beta1") == 0))
        return 0;
    return kubeconfig_fail(err, at, node != NULL ? node : exec, "exec.apiVersion",
                           "it must be " GROUP "v1 or " GROUP "v1beta1");
}

static int wants_cluster(const kubeconfig_entry_t *at, const config_node_t *exec, bool *out,
                         lh_error_t *err)
{
    const config_node_t *node = kubeconfig_get(exec, "provideClusterInfo");

    *out = node != NULL && node->kind == CONFIG_SCALAR && strcmp(node->text, "true") == 0;
    if (node == NULL || *out || (node->kind == CONFIG_SCALAR && strcmp(node->text, "false") == 0))
        return 0;
    return kubeconfig_fail(err, at, node, "exec.provideClusterInfo", "true or false is expected");
}

/* The texts of the section; borrowed from the tree. */
typedef struct section {
    const char *command, *version, *mode, *hint;
    bool with_cluster;
} section_t;

static int read_section(const kubeconfig_entry_t *at, const config_node_t *exec, section_t *s,
                        lh_error_t *err)
{
    const kubeconfig_entry_t inner = {at->path, at->what, at->name, exec};
    int ret = kubeconfig_text(&inner, "command", &s->command, err);

    if (ret == 0)
        ret = kubeconfig_text(&inner, "apiVersion", &s->version, err);
    if (ret == 0)
        ret = kubeconfig_text(&inner, "interactiveMode", &s->mode, err);
    if (ret == 0)
        ret = kubeconfig_text(&inner, "installHint", &s->hint, err);
    if (ret == 0)
        ret = wants_cluster(at, exec, &s->with_cluster, err);
    if (ret < 0)
        return ret;
    if (s->command == NULL)
        return kubeconfig_fail(err, at, exec, "exec.command", "it is missing");
    ret = check_version(at, exec, s->version, err);
    return ret < 0 ? ret : check_mode(at, exec, s->mode, strcmp(s->version, GROUP "v1") == 0, err);
}

int kubeconfig_read_exec(const kubeconfig_reading_t *r, const config_node_t *exec, lh_error_t *err)
{
    const kubeconfig_entry_t *at = &r->user;
    const char *const *inherited = r->source->env;
    host_cleanup(texts_fini) texts_t env = {0}, secrets = {0};
    host_cleanup(host_freep) const char **args = NULL;
    host_cleanup(host_freep) char *command = NULL;
    section_t s = {0};
    int ret = read_section(at, exec, &s, err);

    for (; inherited != NULL && *inherited != NULL; inherited++)
        texts_add(&env, host_xstrdup(*inherited));
    if (ret == 0)
        ret = kubeconfig_texts(at, exec, "args", &args, err);
    if (ret == 0)
        ret = add_env(at, exec, &env, err);
    if (ret == 0)
        ret = make_info(r, s.version, s.with_cluster, &env, err);
    if (ret < 0)
        return ret;
    find_secrets(&env, args, &secrets);
    command = strchr(s.command, '/') != NULL ? kubeconfig_resolve(at, s.command)
                                             : host_xstrdup(s.command);
    r->c->exec =
        kube_exec_create(&(kube_exec_options_t){.command = command,
                                                .args = args,
                                                .env = (const char *const *) env.items,
                                                .secrets = (const char *const *) secrets.items,
                                                .api_version = s.version,
                                                .install_hint = s.hint,
                                                .log = r->source->log,
                                                .metrics = r->source->metrics});
    return 0;
}
