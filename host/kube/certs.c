/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/certs.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "kube/exec.h"
#include "kube/pem.h"

#include <string.h>

/* -- Files -- */

/* The stat comes before the reading: a change in between is seen by the next stat. */
static int read_pem(kube_pem_file_t *file, char **out, lh_error_t *err)
{
    if (file->path == NULL)
        return 0;
    (void) stat(file->path, &file->seen);
    return kube_pem_read(file->path, out, err);
}

/* True when the file is another one than was read. One that has gone may come back. */
static bool is_changed(const kube_pem_file_t *file)
{
    struct stat st;

    return file->path != NULL && stat(file->path, &st) == 0 && !file_same(&st, &file->seen);
}

static char *copy_text(const char *text)
{
    return text != NULL ? host_xstrdup(text) : NULL;
}

/* Its file, or the field that holds it. */
static const char *where(const kube_pem_file_t *file, const char *field)
{
    return file->path != NULL ? file->path : field;
}

static int check_pair(const kube_certs_t *c, const char *cert, const char *key, lh_error_t *err)
{
    const int ret = kube_pem_check_pair(cert, key, err);

    return ret < 0 ? host_error_wrap(err, ret, "client-certificate '%.200s', client-key '%.200s'",
                                     where(&c->cert_file, "client-certificate-data"),
                                     where(&c->key_file, "client-key-data"))
                   : 0;
}

/* Libcurl would have OpenSSL ask for the passphrase of a key, on the terminal and on the loop's
 * thread. */
static int check_first(const kube_certs_t *c, lh_error_t *err)
{
    if (c->key == NULL)
        return host_fail(err, LH_EINVAL, "a client certificate without a key");
    return check_pair(c, c->cert, c->key, err);
}

int kube_certs_init(kube_certs_t *c, const kube_credentials_t *credentials, const log_t *log,
                    lh_error_t *err)
{
    *c = (kube_certs_t){.credentials = credentials,
                        .log = log,
                        .ca_file = {.path = credentials->ca_file},
                        .cert_file = {.path = credentials->client_cert_file},
                        .key_file = {.path = credentials->client_key_file},
                        .ca = copy_text(credentials->ca_data),
                        .cert = copy_text(credentials->client_cert_data),
                        .key = copy_text(credentials->client_key_data)};
    int ret = c->ca != NULL ? 0 : read_pem(&c->ca_file, &c->ca, err);

    if (ret == 0 && c->cert == NULL)
        ret = read_pem(&c->cert_file, &c->cert, err);
    if (ret == 0 && c->key == NULL)
        ret = read_pem(&c->key_file, &c->key, err);
    if (ret == 0 && c->cert != NULL)
        ret = check_first(c, err);
    if (ret < 0)
        kube_certs_fini(c);
    return ret;
}

void kube_certs_fini(kube_certs_t *c)
{
    free(c->ca);
    kube_wipe(c->cert);
    kube_wipe(c->key);
    free(c->trouble);
    *c = (kube_certs_t){0};
}

/* -- What has changed -- */

static void warn(kube_certs_t *c, const lh_error_t *err)
{
    if (c->trouble == NULL || strcmp(c->trouble, err->text) != 0)
        log_warn(c->log, "%s; the last one stays in use", err->text);
    free(c->trouble);
    c->trouble = host_xstrdup(err->text);
}

/* Takes over *new, and says whether it is another one. */
static bool replace(char **old, char **new)
{
    const bool other = *old == NULL || strcmp(*old, *new) != 0;

    kube_wipe(*old);
    *old = host_steal(*new);
    return other;
}

static int refresh_ca(kube_certs_t *c, bool *other, lh_error_t *err)
{
    host_cleanup(kube_wipep) char *ca = NULL;

    if (!is_changed(&c->ca_file))
        return 0;
    int ret = read_pem(&c->ca_file, &ca, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "certificate-authority");
    *other |= replace(&c->ca, &ca);
    return 0;
}

static void take_pair(kube_certs_t *c, char **cert, char **key, bool *other)
{
    *other |= replace(&c->cert, cert);
    *other |= replace(&c->key, key);
}

/* Both are read anew when one has changed: the other one follows. */
static int refresh_pair(kube_certs_t *c, bool *other, lh_error_t *err)
{
    host_cleanup(kube_wipep) char *cert = NULL, *key = NULL;

    if (c->cert == NULL || (!is_changed(&c->cert_file) && !is_changed(&c->key_file)))
        return 0;
    int ret = read_pem(&c->cert_file, &cert, err);

    if (ret == 0)
        ret = read_pem(&c->key_file, &key, err);
    if (ret < 0)
        return host_error_wrap(err, ret, "client-certificate");
    ret = check_pair(c, cert != NULL ? cert : c->cert, key != NULL ? key : c->key, err);
    if (ret < 0)
        return ret;
    if (cert == NULL)
        cert = host_xstrdup(c->cert);
    if (key == NULL)
        key = host_xstrdup(c->key);
    take_pair(c, &cert, &key, other);
    return 0;
}

/* There is no plugin beside a certificate of the kubeconfig. */
static void refresh_exec(kube_certs_t *c, bool *other)
{
    kube_exec_t *exec = c->credentials->exec;
    host_cleanup(kube_exec_credential_fini) kube_exec_credential_t new = {0};

    if (exec == NULL || !kube_exec_take(exec, &c->generation, &new))
        return;
    if (new.cert != NULL) {
        take_pair(c, &new.cert, &new.key, other);
    } else if (c->cert != NULL) {
        kube_wipe(host_steal(c->cert));
        kube_wipe(host_steal(c->key));
        *other = true;
    }
}

bool kube_certs_refresh(kube_certs_t *c)
{
    bool other = false, fine = true;
    lh_error_t err;

    if (refresh_ca(c, &other, &err) < 0) {
        fine = false;
        warn(c, &err);
    }
    if (refresh_pair(c, &other, &err) < 0) { /* whatever became of the CA */
        fine = false;
        warn(c, &err);
    }
    if (fine && other)
        free(host_steal(c->trouble));
    refresh_exec(c, &other);
    return other;
}

/* -- Their use -- */

char *kube_certs_expired(const kube_certs_t *c)
{
    const kube_exec_t *exec = c->credentials->exec;
    const int64_t expiry = c->cert != NULL ? kube_pem_expiry(c->cert) : CLOCK_NEVER;
    char at[32];

    if (expiry > clock_wall())
        return NULL;
    clock_format(expiry, at);
    if (exec != NULL)
        return host_xprintf("the client certificate of %s has expired: notAfter %.19sZ",
                            kube_exec_name(exec), at);
    return host_xprintf("client-certificate '%.200s' has expired: notAfter %.19sZ",
                        where(&c->cert_file, "client-certificate-data"), at);
}

/* libcurl keeps a copy: they may be replaced while easy is in use. */
static void set_pem(CURL *easy, CURLoption option, const char *text)
{
    struct curl_blob blob = {(void *) text, strlen(text), CURL_BLOB_COPY};

    curl_easy_setopt(easy, option, &blob);
}

void kube_certs_apply(const kube_certs_t *c, CURL *easy)
{
    const char *proxy = c->credentials->proxy;

    if (c->ca != NULL) { /* this alone: not the system's as well */
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        set_pem(easy, CURLOPT_CAINFO_BLOB, c->ca);
    }
    if (c->ca != NULL && proxy != NULL && strncmp(proxy, "https://", 8) == 0) {
        curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
        set_pem(easy, CURLOPT_PROXY_CAINFO_BLOB, c->ca);
    }
    if (c->cert != NULL) {
        set_pem(easy, CURLOPT_SSLCERT_BLOB, c->cert);
        set_pem(easy, CURLOPT_SSLKEY_BLOB, c->key);
    }
}
