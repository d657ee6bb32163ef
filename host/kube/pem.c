/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/pem.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

#define BEGIN "-----BEGIN "

void kube_wipe(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
    free(s);
}

void kube_wipe_buf(buf_t *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->len);
    buf_fini(text);
}

char *kube_pem_decode(const char *base64)
{
    size_t len = strlen(base64), n = 0;
    host_cleanup(kube_wipep) char *packed = malloc(len + 1);
    host_cleanup(host_freep) char *out = malloc(len + 1);

    if (packed == NULL || out == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r\n", base64[i]) == NULL)
            packed[n++] = base64[i];
    }
    packed[n] = '\0';
    if (n == 0 || n % 4 != 0 || n > INT32_MAX)
        return NULL;
    int decoded = EVP_DecodeBlock((unsigned char *) out, (const unsigned char *) packed, (int) n);
    if (decoded < 0)
        return NULL;
    out[decoded] = '\0'; /* '=' at the end became NULs: they end the text, too */
    return strstr(out, BEGIN) != NULL ? host_steal(out) : NULL;
}

char *kube_base64(const char *text, size_t len)
{
    char *out = len < INT32_MAX / 2 ? malloc((len + 2) / 3 * 4 + 1) : NULL;

    if (out != NULL)
        EVP_EncodeBlock((unsigned char *) out, (const unsigned char *) text, (int) len);
    return out;
}

int kube_pem_read(const char *path, char **out, lh_error_t *err)
{
    host_cleanup(kube_wipe_buf) buf_t text = BUF_INIT;
    int ret = file_read(path, KUBE_MAX_PEM, &text, err);

    if (ret < 0)
        return ret;
    if (strstr(buf_text(&text), BEGIN) == NULL)
        return host_fail(err, LH_EINVAL, "'%.300s' is not in PEM form", path);
    *out = buf_steal(&text);
    return *out != NULL ? 0 : host_fail(err, LH_ENOMEM, "'%.300s': out of memory", path);
}

/* A key that asks for a passphrase has none: nobody is there to type it. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void) out, (void) size, (void) writing, (void) arg;
    return -1;
}

int kube_pem_check_pair(const char *cert, const char *key, lh_error_t *err)
{
    BIO *cert_text = BIO_new_mem_buf(cert, -1), *key_text = BIO_new_mem_buf(key, -1);
    X509 *x509 = cert_text != NULL ? PEM_read_bio_X509(cert_text, NULL, no_passphrase, NULL) : NULL;
    EVP_PKEY *pkey =
        key_text != NULL ? PEM_read_bio_PrivateKey(key_text, NULL, no_passphrase, NULL) : NULL;
    int ret = 0;

    if (x509 == NULL)
        ret = host_fail(err, LH_EINVAL, "the client certificate cannot be read");
    else if (pkey == NULL && strstr(key, "PRIVATE KEY-----") == NULL)
        ret = host_fail(err, LH_EINVAL, "there is no private key where the client key should be");
    else if (pkey == NULL)
        ret = host_fail(err, LH_EINVAL, "the client key cannot be read (an encrypted one neither)");
    else if (X509_check_private_key(x509, pkey) != 1)
        ret = host_fail(err, LH_EINVAL, "client certificate and client key do not belong together");
    ERR_clear_error();
    EVP_PKEY_free(pkey);
    X509_free(x509);
    BIO_free(key_text);
    BIO_free(cert_text);
    return ret;
}

int64_t kube_pem_expiry(const char *cert)
{
    const int64_t last = CLOCK_NEVER / CLOCK_S, first = -last;
    BIO *text = BIO_new_mem_buf(cert, -1);
    X509 *x509 = text != NULL ? PEM_read_bio_X509(text, NULL, no_passphrase, NULL) : NULL;
    struct tm at;
    int64_t expiry = CLOCK_NEVER;

    if (x509 != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(x509), &at) == 1) {
        const int64_t seconds = timegm(&at);
        if (seconds < last)
            expiry = HOST_MAX(seconds, first) * CLOCK_S;
    }
    ERR_clear_error();
    X509_free(x509);
    BIO_free(text);
    return expiry;
}
