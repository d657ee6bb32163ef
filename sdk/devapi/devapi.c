/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/devapi.h"

#include "base/error.h"
#include "base/file.h"
#include "base/rand.h"
#include "devapi/base64.h"
#include "devapi/http.h"
#include "devapi/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct devapi {
    dev_core_t *core;
    dev_http_t *http;
    SSL_CTX *tls;
    log_t *log;
    char *dir, *kubeconfig, *url, *snapshot;
    char address[INET6_ADDRSTRLEN];
    uint16_t port;
    char token[65];
    int lock; /* of the folder; -1: none */
};

/* -- Address -- */

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* "ADDRESS:PORT", "[ADDRESS]:PORT" */
static int take_address(devapi_t *d, const devapi_options_t *o, lh_error_t *err)
{
    const char *listen = o->listen != NULL ? o->listen : "127.0.0.1:0";
    const char *colon = strrchr(listen, ':');
    const bool brackets = listen[0] == '[' && colon != NULL && colon > listen && colon[-1] == ']';
    const size_t len = colon != NULL ? (size_t) (colon - listen) - 2 * brackets : 0;
    unsigned char binary[16];
    char *end = NULL;
    const unsigned long port = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;

    if (colon == NULL || len == 0 || len >= sizeof(d->address) || *end != '\0' ||
        end == colon + 1 || port > 65535)
        return host_fail(err, LH_EINVAL, "'%s' is not of the form ADDRESS:PORT", listen);
    snprintf(d->address, sizeof(d->address), "%.*s", (int) len, listen + brackets);
    d->port = (uint16_t) port;
    if (inet_pton(AF_INET, d->address, binary) != 1 && inet_pton(AF_INET6, d->address, binary) != 1)
        return host_fail(err, LH_EINVAL, "'%s' is not a numeric address", d->address);
    if (!o->any_address && !is_loopback(d->address))
        return host_fail(err, LH_EINVAL,
                         "'%s' is not loopback: the embedded API server has one user, who may do "
                         "everything; --any-address allows it",
                         d->address);
    return 0;
}

/* -- Files -- */

/* Of two servers the second would overwrite the first one's kubeconfig. */
static int lock_dir(devapi_t *d, lh_error_t *err)
{
    d->lock = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->lock < 0)
        return host_fail(err, LH_EINVAL, "open '%s': %s", d->dir, strerror(errno));
    if (flock(d->lock, LOCK_EX | LOCK_NB) < 0)
        return host_fail(err, LH_EINVAL,
                         "another embedded API server uses '%s'; --dir gives this one its own",
                         d->dir);
    return 0;
}

/* Written at once: who asks for a snapshot is to learn now, not at the end, that there can be none. */
static int open_snapshot(devapi_t *d, const char *path, lh_error_t *err)
{
    const int ret = access(path, F_OK) == 0 ? dev_core_load(d->core, path, err) : 0;

    return ret < 0 ? ret : dev_core_save(d->core, path, err);
}

static int take_token(devapi_t *d, lh_error_t *err)
{
    host_cleanup(host_freep) char *path = host_xprintf("%s/token", d->dir);
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    if (file_read(path, 128, &text, NULL) == 0 && text.len >= 64 &&
        strspn(buf_text(&text), "0123456789abcdef") == 64) {
        memcpy(d->token, text.data, 64);
        return 0;
    }
    rand_hex(d->token, 32);
    return file_write_atomic(path, d->token, 64, 0600, err);
}

static int write_kubeconfig(devapi_t *d, const buf_t *ca, lh_error_t *err)
{
    host_cleanup(host_freep) char *ca64 = base64_encode(buf_text(ca), ca->len);
    host_cleanup(host_freep) char *authority =
        d->tls != NULL ? host_xprintf(", certificate-authority-data: %s", ca64) : host_xstrdup("");
    host_cleanup(host_freep) char *text = host_xprintf(
        "apiVersion: v1\nkind: Config\ncurrent-context: leasehold-dev\n"
        "clusters:\n- name: leasehold-dev\n  cluster: {server: \"%s\"%s}\n"
        "users:\n- name: leasehold-dev\n  user: {token: %s}\n"
        "contexts:\n- name: leasehold-dev\n"
        "  context: {cluster: leasehold-dev, user: leasehold-dev, namespace: default}\n",
        d->url, authority, d->token);

    return file_write_atomic(d->kubeconfig, text, strlen(text), 0600, err);
}

/* -- Life -- */

static int open_server(devapi_t *d, const devapi_options_t *o, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t ca = BUF_INIT;
    int ret = file_make_dirs(d->dir, 0700, err);

    if (ret == 0)
        ret = lock_dir(d, err);
    if (ret == 0)
        ret = take_token(d, err);
    if (ret == 0 && !o->plain)
        ret = dev_tls_open(d->dir, d->address, &d->tls, &ca, err);
    if (ret == 0)
        ret = dev_core_create(&(dev_core_options_t){.loop = o->loop,
                                                    .ca = ca.len > 0 ? buf_text(&ca) : NULL,
                                                    .log = o->log,
                                                    .max_bytes = o->max_bytes,
                                                    .read_yaml = o->read_yaml,
                                                    .on_change = o->on_change,
                                                    .arg = o->arg},
                              &d->core, err);
    if (ret == 0 && o->snapshot != NULL)
        ret = open_snapshot(d, o->snapshot, err);
    if (ret == 0)
        ret = dev_http_start(&(dev_http_options_t){.loop = o->loop,
                                                   .log = o->log,
                                                   .core = d->core,
                                                   .address = d->address,
                                                   .port = d->port,
                                                   .token = d->token,
                                                   .version = o->version,
                                                   .tls = d->tls,
                                                   .faults = o->faults,
                                                   .max_connections = o->max_connections},
                             &d->http, err);
    if (ret < 0)
        return ret;
    const bool six = strchr(d->address, ':') != NULL;
    d->port = dev_http_port(d->http);
    d->url = host_xprintf("%s://%s%s%s:%u", d->tls != NULL ? "https" : "http", six ? "[" : "",
                          d->address, six ? "]" : "", d->port);
    return write_kubeconfig(d, &ca, err);
}

int devapi_start(const devapi_options_t *o, devapi_t **out, lh_error_t *err)
{
    devapi_t *d = host_xcalloc(1, sizeof(*d));

    d->lock = -1;
    d->dir = host_xstrdup(o->dir);
    d->kubeconfig = host_xprintf("%s/kubeconfig", o->dir);
    d->snapshot = o->snapshot != NULL ? host_xstrdup(o->snapshot) : NULL;
    d->log = o->log;
    int ret = take_address(d, o, err);
    if (ret == 0)
        ret = open_server(d, o, err);
    if (ret < 0) {
        free(d->snapshot);
        d->snapshot = NULL; /* it is not to be overwritten */
        devapi_stop(d);
        return ret;
    }
    *out = d;
    return 0;
}

int devapi_stop(devapi_t *d)
{
    lh_error_t err = {0};
    int ret = 0;

    if (d == NULL)
        return 0;
    dev_http_stop(d->http);
    if (d->snapshot != NULL)
        ret = dev_core_save(d->core, d->snapshot, &err);
    if (ret < 0)
        log_error(d->log, "the snapshot is not written, what has changed is lost: %s", err.text);
    dev_core_destroy(d->core);
    SSL_CTX_free(d->tls);
    OPENSSL_cleanse(d->token, sizeof(d->token));
    host_closep(&d->lock);
    free(d->dir);
    free(d->kubeconfig);
    free(d->url);
    free(d->snapshot);
    free(d);
    return ret;
}

dev_core_t *devapi_core(devapi_t *d)
{
    return d->core;
}

int devapi_port(const devapi_t *d)
{
    return d->port;
}

const char *devapi_kubeconfig(const devapi_t *d)
{
    return d->kubeconfig;
}

const char *devapi_url(const devapi_t *d)
{
    return d->url;
}
