/* SPDX-License-Identifier: Apache-2.0 */
/* Finds credentials: which kubeconfig, or the pod's service account. */
#include "kube/credentials.h"

#include "base/error.h"
#include "base/file.h"
#include "kube/exec.h"
#include "kube/kubeconfig.h"
#include "kube/path.h"
#include "kube/pem.h"
#include "kube/proxy.h"
#include "kube/token.h"

#include <string.h>
#include <sys/stat.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static int read_namespace(const char *dir, char **out, lh_error_t *err)
{
    host_cleanup(host_freep) char *path = host_xprintf("%s/namespace", dir);
    host_cleanup(buf_fini) buf_t text = BUF_INIT;
    int ret = exists(path) ? file_read(path, 256, &text, err) : 0;

    if (ret < 0)
        return ret;
    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL)
        text.data[--text.len] = '\0';
    if (text.len > 0 && !kube_is_dns_label(buf_text(&text)))
        return host_fail(err, LH_EINVAL, "'%s': not the name of a namespace", path);
    *out = host_xstrdup(buf_text(&text));
    return 0;
}

static void destroyp(kube_credentials_t **c)
{
    kube_credentials_destroy(*c);
}

static int load_in_cluster(const char *const *env, const char *dir, kube_credentials_t **out,
                           lh_error_t *err)
{
    const char *host = kube_env_get(env, "KUBERNETES_SERVICE_HOST");
    const char *port = kube_env_get(env, "KUBERNETES_SERVICE_PORT");
    host_cleanup(destroyp) kube_credentials_t *c = host_xcalloc(1, sizeof(*c));
    bool v6 = strchr(host, ':') != NULL;
    int ret;

    c->server = host_xprintf("https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
    c->token_file = host_xprintf("%s/token", dir);
    c->ca_file = host_xprintf("%s/ca.crt", dir);
    c->in_cluster = true;
    c->origin = host_xstrdup("in-cluster");
    if (!exists(c->ca_file))
        return host_fail(err, LH_ENOTFOUND,
                         "'%s' is missing beside the token: the API server cannot be verified",
                         c->ca_file);
    ret = kube_token_check_file(c->token_file, err);
    if (ret == 0)
        ret = read_namespace(dir, &c->namespace, err);
    if (ret == 0)
        ret = kube_proxy_from_env(env, c->server, &c->proxy, err);
    if (ret < 0)
        return ret;
    *out = host_steal(c);
    return 0;
}

/* One path, which may hold a ':'. */
static int load_file(const char *path, const kube_credentials_source_t *source,
                     kube_credentials_t **out, lh_error_t *err)
{
    return kube_kubeconfig_load((const char *const[]){path, NULL}, source, out, err);
}

/* KUBECONFIG is a list of files. */
static int load_list(const char *value, const kube_credentials_source_t *source,
                     kube_credentials_t **out, lh_error_t *err)
{
    host_cleanup(host_freep) char *copy = host_xstrdup(value);
    host_cleanup(host_freep) const char **paths =
        host_xcalloc(strlen(value) / 2 + 2, sizeof(*paths));
    char *rest = copy, *path;
    size_t count = 0;

    while ((path = strsep(&rest, ":")) != NULL) {
        if (path[0] != '\0')
            paths[count++] = path;
    }
    if (count == 0)
        return host_fail(err, LH_EINVAL, "KUBECONFIG: it names no file");
    int ret = kube_kubeconfig_load(paths, source, out, err);
    return ret < 0 ? host_error_wrap(err, ret, "KUBECONFIG") : 0;
}

int kube_credentials_load(const kube_credentials_source_t *source, kube_credentials_t **out,
                          lh_error_t *err)
{
    const char *kubeconfig = kube_env_get(source->env, "KUBECONFIG");
    const char *host = kube_env_get(source->env, "KUBERNETES_SERVICE_HOST");
    const char *port = kube_env_get(source->env, "KUBERNETES_SERVICE_PORT");
    const char *home = kube_env_get(source->env, "HOME");
    const char *dir =
        source->service_account_dir != NULL ? source->service_account_dir : SERVICE_ACCOUNT_DIR;
    host_cleanup(host_freep) char *token = host_xprintf("%s/token", dir);
    host_cleanup(host_freep) char *in_home = host_xprintf("%s/.kube/config", home);

    if (source->path != NULL && source->path[0] != '\0')
        return load_file(source->path, source, out, err);
    if (kubeconfig[0] != '\0')
        return load_list(kubeconfig, source, out, err);
    if (host[0] != '\0' && port[0] != '\0' && exists(token)) {
        int ret = load_in_cluster(source->env, dir, out, err);
        return ret < 0 ? host_error_wrap(err, ret, "in-cluster credentials") : 0;
    }
    if (home[0] != '\0' && exists(in_home))
        return load_file(in_home, source, out, err);
    if (host[0] != '\0')
        return host_fail(err, LH_ENOTFOUND,
                         "no credentials: this is a pod, but '%s' is missing (is "
                         "automountServiceAccountToken off?), and no kubeconfig is given",
                         token);
    return host_fail(err, LH_ENOTFOUND,
                     "no credentials: no kubeconfig is given, KUBECONFIG is not set, this is no "
                     "pod, and '%s' does not exist",
                     in_home);
}

void kube_credentials_destroy(kube_credentials_t *c)
{
    if (c == NULL)
        return;
    kube_exec_destroy(c->exec);
    for (char **line = c->impersonate; line != NULL && *line != NULL; line++)
        free(*line);
    free(c->impersonate);
    free(c->server);
    free(c->tls_server_name);
    kube_wipe(c->proxy);
    free(c->ca_file);
    free(c->ca_data);
    free(c->client_cert_file);
    free(c->client_cert_data);
    free(c->client_key_file);
    kube_wipe(c->client_key_data);
    kube_wipe(c->token);
    kube_wipe(c->basic);
    free(c->token_file);
    free(c->namespace);
    free(c->origin);
    free(c);
}
