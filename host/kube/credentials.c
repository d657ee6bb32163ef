/* SPDX-License-Identifier: Apache-2.0 */
/* Finds credentials: which kubeconfig, or the pod's service account. */
#include "kube/credentials.h"

#include "base/error.h"
#include "base/file.h"
#include "kube/kubeconfig.h"
#include "kube/path.h"

#include <string.h>
#include <sys/stat.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

/* The value of name in env; "" when it is not there. */
static const char *env_get(const char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; env != NULL && *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    }
    return "";
}

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

static int load_in_cluster(const char *dir, const char *host, const char *port,
                           kube_credentials_t **out, lh_error_t *err)
{
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
    ret = read_namespace(dir, &c->namespace, err);
    if (ret < 0)
        return ret;
    *out = host_steal(c);
    return 0;
}

/* KUBECONFIG may name a list of files to be merged; that is not done. */
static int load_env_kubeconfig(const char *value, const char *context, kube_credentials_t **out,
                               lh_error_t *err)
{
    if (strchr(value, ':') != NULL)
        return host_fail(err, LH_EINVAL,
                         "KUBECONFIG names several files ('%.200s'), and only one is read: merge "
                         "them (kubectl config view --flatten > FILE) and give that one",
                         value);
    int ret = kube_kubeconfig_load(value, context, out, err);
    return ret < 0 ? host_error_wrap(err, ret, "KUBECONFIG") : 0;
}

int kube_credentials_load(const kube_credentials_source_t *source, kube_credentials_t **out,
                          lh_error_t *err)
{
    const char *kubeconfig = env_get(source->env, "KUBECONFIG");
    const char *host = env_get(source->env, "KUBERNETES_SERVICE_HOST");
    const char *port = env_get(source->env, "KUBERNETES_SERVICE_PORT");
    const char *home = env_get(source->env, "HOME");
    const char *dir =
        source->service_account_dir != NULL ? source->service_account_dir : SERVICE_ACCOUNT_DIR;
    host_cleanup(host_freep) char *token = host_xprintf("%s/token", dir);
    host_cleanup(host_freep) char *in_home = host_xprintf("%s/.kube/config", home);

    if (source->path != NULL && source->path[0] != '\0')
        return kube_kubeconfig_load(source->path, source->context, out, err);
    if (kubeconfig[0] != '\0')
        return load_env_kubeconfig(kubeconfig, source->context, out, err);
    if (host[0] != '\0' && port[0] != '\0' && exists(token)) {
        int ret = load_in_cluster(dir, host, port, out, err);
        return ret < 0 ? host_error_wrap(err, ret, "in-cluster credentials") : 0;
    }
    if (home[0] != '\0' && exists(in_home))
        return kube_kubeconfig_load(in_home, source->context, out, err);
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

static void wipe(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
    free(s);
}

void kube_credentials_destroy(kube_credentials_t *c)
{
    if (c == NULL)
        return;
    free(c->server);
    free(c->tls_server_name);
    free(c->ca_file);
    free(c->ca_data);
    free(c->client_cert_file);
    free(c->client_cert_data);
    free(c->client_key_file);
    wipe(c->client_key_data);
    wipe(c->token);
    free(c->token_file);
    free(c->namespace);
    free(c->origin);
    free(c);
}
