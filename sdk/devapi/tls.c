/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/tls.h"

#include "base/error.h"
#include "base/file.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define YEAR (365L * 24 * 3600)

static void pkey_freep(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}

static void x509_freep(X509 **c)
{
    X509_free(*c);
}

static int failed(lh_error_t *err, const char *what)
{
    return host_fail(err, LH_EIO, "TLS: %s cannot be made", what);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (e != NULL)
        X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

/* A certificate of the key, to be signed; caller owns. NULL without memory. */
static X509 *draft(EVP_PKEY *key, const char *name, long seconds)
{
    unsigned char serial[8];
    X509 *cert = X509_new();

    if (cert == NULL || RAND_bytes(serial, sizeof(serial)) != 1)
        return cert;
    serial[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    X509_set_version(cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *) name, -1, -1, 0);
    return cert;
}

static X509 *make_ca(EVP_PKEY *key)
{
    X509 *cert = draft(key, "leasehold-dev CA", 10 * YEAR);

    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(cert, cert, NID_subject_key_identifier, "hash");
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

static X509 *make_server(EVP_PKEY *key, const char *address, X509 *ca, EVP_PKEY *ca_key)
{
    host_cleanup(host_freep) char *names =
        host_xprintf("DNS:localhost,IP:127.0.0.1,IP:::1,IP:%s", address);
    X509 *cert = draft(key, "leasehold-dev", YEAR);

    X509_set_issuer_name(cert, X509_get_subject_name(ca));
    add_extension(cert, ca, NID_subject_alt_name, names);
    add_extension(cert, ca, NID_ext_key_usage, "serverAuth");
    add_extension(cert, ca, NID_authority_key_identifier, "keyid");
    X509_sign(cert, ca_key, EVP_sha256());
    return cert;
}

/* -- Files -- */

static int take_text(BIO *bio, buf_t *out)
{
    char *data;
    const long len = BIO_get_mem_data(bio, &data);
    const int ret = buf_append(out, data, (size_t) len);

    BIO_free(bio);
    return ret;
}

static int save(const char *path, BIO *bio, lh_error_t *err)
{
    buf_t text = BUF_INIT;
    int ret = take_text(bio, &text);

    if (ret == 0)
        ret = file_write_atomic(path, buf_text(&text), text.len, 0600, err);
    OPENSSL_cleanse(text.data, text.len);
    buf_fini(&text);
    return ret;
}

static int save_ca(const char *crt, const char *key_path, X509 *ca, EVP_PKEY *key, lh_error_t *err)
{
    BIO *cert = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(cert, ca);
    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    int ret = save(key_path, secret, err);
    if (ret == 0)
        return save(crt, cert, err);
    BIO_free(cert);
    return ret;
}

static BIO *open_pem(const char *path)
{
    return access(path, R_OK) == 0 ? BIO_new_file(path, "r") : NULL;
}

/* True when it outlives the server's certificate, which is made at each start. */
static bool lives(const X509 *ca)
{
    time_t then = time(NULL) + YEAR;

    return X509_cmp_time(X509_get0_notAfter(ca), &then) > 0;
}

/* The kept CA, or a new one. */
static int open_ca(const char *dir, X509 **ca, EVP_PKEY **key, lh_error_t *err)
{
    host_cleanup(host_freep) char *crt = host_xprintf("%s/ca.crt", dir);
    host_cleanup(host_freep) char *key_path = host_xprintf("%s/ca.key", dir);
    BIO *cert_file = open_pem(crt), *key_file = open_pem(key_path);

    *ca = cert_file != NULL ? PEM_read_bio_X509(cert_file, NULL, NULL, NULL) : NULL;
    *key = key_file != NULL ? PEM_read_bio_PrivateKey(key_file, NULL, NULL, NULL) : NULL;
    BIO_free(cert_file);
    BIO_free(key_file);
    if (*ca != NULL && *key != NULL && X509_check_private_key(*ca, *key) == 1 && lives(*ca))
        return 0;
    X509_free(*ca);
    EVP_PKEY_free(*key);
    *ca = NULL;
    *key = EVP_EC_gen("P-256");
    if (*key == NULL)
        return failed(err, "a key");
    *ca = make_ca(*key);
    return *ca != NULL ? save_ca(crt, key_path, *ca, *key, err) : failed(err, "the CA");
}

int dev_tls_open(const char *dir, const char *address, SSL_CTX **out, buf_t *ca_pem,
                 lh_error_t *err)
{
    host_cleanup(x509_freep) X509 *ca = NULL;
    host_cleanup(pkey_freep) EVP_PKEY *ca_key = NULL;
    const int ret = open_ca(dir, &ca, &ca_key, err);

    if (ret < 0)
        return host_error_wrap(err, ret, "'%s'", dir);
    host_cleanup(pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    host_cleanup(x509_freep) X509 *cert =
        key != NULL ? make_server(key, address, ca, ca_key) : NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *pem = BIO_new(BIO_s_mem());

    if (cert == NULL || ctx == NULL || pem == NULL || SSL_CTX_use_certificate(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, key) != 1) {
        SSL_CTX_free(ctx);
        BIO_free(pem);
        return failed(err, "the server's certificate");
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    PEM_write_bio_X509(pem, ca);
    *out = ctx;
    return take_text(pem, ca_pem);
}
