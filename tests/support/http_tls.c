/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for the test server: a CA and three leaves, P-256, valid for a day. */
#include "support/http_server.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void check(bool ok)
{
    if (!ok)
        abort();
}

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t) len);

    check(text != NULL);
    BIO_free(bio);
    return text;
}

static char *cert_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    check(PEM_write_bio_X509(bio, cert) == 1);
    return bio_text(bio);
}

static char *key_pem(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    check(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    return bio_text(bio);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    check(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

/* A certificate for key, signed by issuer (NULL: by itself, as a CA). */
static X509 *make_cert(const char *cn, const char *names, EVP_PKEY *key, X509 *issuer,
                       EVP_PKEY *issuer_key, long serial)
{
    X509 *cert = X509_new();

    check(cert != NULL && X509_set_version(cert, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
    X509_NAME *subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *) cn, -1, -1, 0);
    X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    X509_set_pubkey(cert, key);
    add_extension(cert, issuer != NULL ? issuer : cert, NID_basic_constraints,
                  issuer != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names != NULL)
        add_extension(cert, issuer, NID_subject_alt_name, names);
    check(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

http_tls_t *http_tls_create(const char *names)
{
    http_tls_t *tls = calloc(1, sizeof(*tls));
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
    EVP_PKEY *client_key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");

    check(tls != NULL && ca_key != NULL && key != NULL && client_key != NULL && other_key != NULL);
    X509 *ca = make_cert("test-ca", NULL, ca_key, NULL, ca_key, 1);
    X509 *cert = make_cert("test-server", names, key, ca, ca_key, 2);
    X509 *client_cert = make_cert("test-client", NULL, client_key, ca, ca_key, 3);
    X509 *other_cert = make_cert("other-client", NULL, other_key, ca, ca_key, 4);
    tls->ca = cert_pem(ca);
    tls->cert = cert_pem(cert);
    tls->key = key_pem(key);
    tls->client_cert = cert_pem(client_cert);
    tls->client_key = key_pem(client_key);
    tls->other_client_cert = cert_pem(other_cert);
    tls->other_client_key = key_pem(other_key);
    X509_free(ca);
    X509_free(cert);
    X509_free(client_cert);
    X509_free(other_cert);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(client_key);
    EVP_PKEY_free(other_key);
    return tls;
}

void http_tls_destroy(http_tls_t *tls)
{
    if (tls == NULL)
        return;
    free(tls->ca);
    free(tls->cert);
    free(tls->key);
    free(tls->client_cert);
    free(tls->client_key);
    free(tls->other_client_cert);
    free(tls->other_client_key);
    free(tls);
}
