/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: whom the client trusts, and how it shows itself. */
#include "rig.h"

#include "base/clock.h"
#include "base/file.h"
#include "kube/pem.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

static rig_t rig;
static http_tls_t *tls, *other;
static _Atomic(const char *) wanted_client; /* CN of the one client that is served; NULL: all are */

static void handle(void *arg, http_exchange_t *x)
{
    (void) arg;
    if (wanted_client != NULL && !http_client_is(x, wanted_client))
        http_reply_status(x, 401, "Unauthorized", "Unauthorized");
    else
        http_reply(x, 200, "application/json", "{}");
}

static void start_with(const char *names, bool demand_client_cert)
{
    tls = http_tls_create(names);
    other = http_tls_create("IP:127.0.0.1");
    rig_start(&rig,
              &(http_server_options_t){
                  .handler = handle, .tls = tls, .demand_client_cert = demand_client_cert},
              KUBE_CLIENT_READS);
    rig.credentials.ca_data = tls->ca;
}

static void finish(void)
{
    rig_stop(&rig);
    http_tls_destroy(tls);
    http_tls_destroy(other);
}

TestSuite(tls, .fini = finish, .timeout = 30);

static void get(answer_t *a)
{
    rig_client(&rig, &(kube_client_options_t){0});
    rig_get(&rig, a, "/x");
}

/* Writes text to a file of this test; the path is borrowed until the next call with this name. */
static char *in_file(char path[64], const char *name, const char *text)
{
    lh_error_t err = {0};

    snprintf(path, 64, "/tmp/kube-tls-test-%d-%s", (int) getpid(), name);
    ASSERT_OK(file_write_atomic(path, text, strlen(text), 0600, &err), err);
    return path;
}

Test(tls, a_server_of_the_given_ca_is_trusted)
{
    answer_t a;

    start_with("IP:127.0.0.1", false);
    get(&a);
    EXPECT_INT(a.code, 0);
    EXPECT_INT(a.status, 200);
}

Test(tls, the_ca_may_come_from_a_file)
{
    answer_t a;
    char path[64];

    start_with("IP:127.0.0.1", false);
    rig.credentials.ca_data = NULL;
    rig.credentials.ca_file = in_file(path, "ca", tls->ca);
    get(&a);
    EXPECT_INT(a.code, 0);
    unlink(path);
}

static void expect_untrusted(const answer_t *a, const char *part)
{
    EXPECT_INT(a->code, LH_EUNAVAILABLE);
    EXPECT_INT(a->status, 0);
    EXPECT_INT(a->sent_at, 0);
    EXPECT_HAS(a->error.text, "GET /x: cannot reach https://127.0.0.1:");
    EXPECT_HAS(a->error.text, part);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(tls, a_server_of_another_ca_is_refused)
{
    answer_t a;

    start_with("IP:127.0.0.1", false);
    rig.credentials.ca_data = other->ca; /* of the same name, with another key */
    get(&a);
    expect_untrusted(&a, "TLS handshake: ");
}

Test(tls, a_server_of_an_unknown_ca_is_refused_when_none_is_given)
{
    answer_t a;

    start_with("IP:127.0.0.1", false);
    rig.credentials.ca_data = NULL;
    get(&a);
    expect_untrusted(&a, "certificate");
}

Test(tls, a_certificate_for_another_name_is_refused)
{
    answer_t a;

    start_with("DNS:api.example.test", false);
    get(&a);
    expect_untrusted(&a, "127.0.0.1");
}

Test(tls, a_certificate_for_the_tls_server_name_is_accepted)
{
    answer_t a;

    start_with("DNS:api.example.test", false);
    rig.credentials.tls_server_name = (char *) "api.example.test";
    get(&a);
    EXPECT_INT(a.code, 0);
    const char *host = http_server_header(rig.server, 0, "Host");
    EXPECT_STR(host, http_server_url(rig.server) + strlen("https://"));
}

Test(tls, a_certificate_that_lacks_the_tls_server_name_is_refused)
{
    answer_t a;

    start_with("IP:127.0.0.1", false);
    rig.credentials.tls_server_name = (char *) "api.example.test";
    get(&a);
    expect_untrusted(&a, "api.example.test");
}

Test(tls, a_client_certificate_by_data_opens_the_door)
{
    answer_t a;

    start_with("IP:127.0.0.1", true);
    rig.credentials.client_cert_data = tls->client_cert;
    rig.credentials.client_key_data = tls->client_key;
    get(&a);
    EXPECT_INT(a.code, 0);
}

Test(tls, a_client_certificate_by_file_opens_the_door)
{
    answer_t a;
    char cert[64], key[64];

    start_with("IP:127.0.0.1", true);
    rig.credentials.client_cert_file = in_file(cert, "cert", tls->client_cert);
    rig.credentials.client_key_file = in_file(key, "key", tls->client_key);
    get(&a);
    EXPECT_INT(a.code, 0);
    unlink(cert);
    unlink(key);
}

/* A client with the first pair in files, and one answer on its first connection. */
static void start_with_files(answer_t *a, char cert[64], char key[64])
{
    start_with("IP:127.0.0.1", true);
    rig.credentials.client_cert_file = in_file(cert, "cert", tls->client_cert);
    rig.credentials.client_key_file = in_file(key, "key", tls->client_key);
    wanted_client = "test-client";
    get(a);
    EXPECT_INT(a->status, 200);
}

Test(tls, a_rotated_client_certificate_file_is_shown_at_the_next_request)
{
    answer_t a;
    char cert[64], key[64];

    start_with_files(&a, cert, key);
    wanted_client = "other-client"; /* as if the first one had expired */
    in_file(cert, "cert", tls->other_client_cert);
    in_file(key, "key", tls->other_client_key);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    EXPECT_INT(http_server_connections(rig.server), 2);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(http_server_connections(rig.server), 2);
    unlink(cert);
    unlink(key);
}

Test(tls, a_client_certificate_whose_key_is_still_the_old_one_is_not_shown)
{
    answer_t a;
    char cert[64], key[64];

    start_with_files(&a, cert, key);
    in_file(cert, "cert", tls->other_client_cert);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200); /* by the old one, on the old connection */
    EXPECT_INT(http_server_connections(rig.server), 1);
    in_file(key, "key", "no key");
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    wanted_client = "other-client";
    in_file(key, "key", tls->other_client_key);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    EXPECT_INT(http_server_connections(rig.server), 2);
    unlink(cert);
    unlink(key);
}

Test(tls, a_client_certificate_file_that_is_gone_leaves_the_last_one_in_use)
{
    answer_t a;
    char cert[64], key[64];

    start_with_files(&a, cert, key);
    unlink(cert);
    unlink(key);
    http_server_drop_all(rig.server, false);
    cr_assert(http_server_wait_idle(rig.server, 5000));
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    EXPECT_INT(http_server_connections(rig.server), 2);
}

Test(tls, a_rotated_ca_file_is_trusted_at_the_next_request)
{
    answer_t a;
    char path[64];

    start_with("IP:127.0.0.1", false);
    rig.credentials.ca_data = NULL;
    rig.credentials.ca_file = in_file(path, "ca", other->ca);
    get(&a);
    expect_untrusted(&a, "TLS handshake: ");
    in_file(path, "ca", tls->ca);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    in_file(path, "ca", other->ca); /* what is trusted no more is left */
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.code, LH_EUNAVAILABLE);
    unlink(path);
}

Test(tls, a_client_certificate_is_renewed_while_the_ca_file_is_broken)
{
    answer_t a;
    char ca[64], cert[64], key[64];

    start_with("IP:127.0.0.1", true);
    rig.credentials.ca_data = NULL;
    rig.credentials.ca_file = in_file(ca, "ca", tls->ca);
    rig.credentials.client_cert_file = in_file(cert, "cert", tls->client_cert);
    rig.credentials.client_key_file = in_file(key, "key", tls->client_key);
    get(&a);
    EXPECT_INT(a.status, 200);
    wanted_client = "other-client";
    in_file(ca, "ca", "half a f");
    in_file(cert, "cert", tls->other_client_cert);
    in_file(key, "key", tls->other_client_key);
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    unlink(ca);
    unlink(cert);
    unlink(key);
}

/* The key with a passphrase. The caller frees it. */
static char *encrypted(const char *key)
{
    BIO *in = BIO_new_mem_buf(key, -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    char *text = NULL;

    cr_assert(PEM_write_bio_PKCS8PrivateKey(out, pkey, EVP_aes_128_cbc(), "pass", 4, NULL, NULL));
    const long len = BIO_get_mem_data(out, &text);
    char *copy = strndup(text, (size_t) len);

    EVP_PKEY_free(pkey);
    BIO_free(in);
    BIO_free(out);
    return copy;
}

static void expect_no_client(const char *expected)
{
    kube_client_t *client = NULL;
    lh_error_t err = {0};

    EXPECT_INT(kube_client_create(
                   &(kube_client_options_t){.loop = rig.loop, .credentials = &rig.credentials},
                   &client, &err),
               LH_EINVAL);
    EXPECT_HAS(err.text, expected);
}

/* OpenSSL would ask for it, on the terminal, while the loop waits. */
Test(tls, a_client_key_that_asks_for_a_passphrase_is_refused_at_once)
{
    host_cleanup(host_freep) char *key = NULL;

    start_with("IP:127.0.0.1", true);
    key = encrypted(tls->client_key);
    rig.credentials.client_cert_data = tls->client_cert;
    rig.credentials.client_key_data = key;
    expect_no_client("client-certificate 'client-certificate-data', client-key 'client-key-data': "
                     "the client key cannot be read (an encrypted one neither)");
    rig.credentials.client_key_data = tls->other_client_key;
    expect_no_client("do not belong together");
}

/* The file was read as far as its first line, and the first request failed. */
Test(tls, a_client_key_file_that_holds_no_key_was_found_by_the_first_request)
{
    char cert[64], key[64];

    start_with("IP:127.0.0.1", true);
    rig.credentials.client_cert_file = in_file(cert, "cert", tls->client_cert);
    rig.credentials.client_key_file = in_file(key, "key", tls->client_cert);
    host_cleanup(host_freep) char *expected =
        host_xprintf("client-certificate '%s', client-key '%s': there is no private key where the "
                     "client key should be",
                     cert, key);
    expect_no_client(expected);
    unlink(cert);
    unlink(key);
}

/* The certificate with another end. The caller frees it. */
static char *expired_at(const char *cert, const char *key, const char *time)
{
    BIO *cert_text = BIO_new_mem_buf(cert, -1), *key_text = BIO_new_mem_buf(key, -1);
    BIO *out = BIO_new(BIO_s_mem());
    X509 *x509 = PEM_read_bio_X509(cert_text, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key_text, NULL, NULL, NULL);
    ASN1_TIME *end = ASN1_TIME_new();
    char *text = NULL;

    cr_assert(ASN1_TIME_set_string(end, time));
    cr_assert(X509_set1_notAfter(x509, end));
    cr_assert(X509_sign(x509, pkey, EVP_sha256()));
    cr_assert(PEM_write_bio_X509(out, x509));
    const long len = BIO_get_mem_data(out, &text);
    char *copy = strndup(text, (size_t) len);

    ASN1_TIME_free(end);
    EVP_PKEY_free(pkey);
    X509_free(x509);
    BIO_free(cert_text);
    BIO_free(key_text);
    BIO_free(out);
    return copy;
}

static char *expired(const char *cert, const char *key)
{
    return expired_at(cert, key, "19991231235959Z");
}

/* Its nanoseconds do not fit into 64 bits. */
Test(tls, a_client_certificate_that_expired_before_the_clock_began_overflowed)
{
    start_with("IP:127.0.0.1", false);
    host_cleanup(host_freep) char *ancient =
        expired_at(tls->client_cert, tls->client_key, "00010101000000Z");
    host_cleanup(host_freep) char *endless =
        expired_at(tls->client_cert, tls->client_key, "99991231235959Z");

    cr_expect(kube_pem_expiry(ancient) < 0, "expires at %lld, expected a time before 1970",
              (long long) kube_pem_expiry(ancient));
    EXPECT_INT(kube_pem_expiry(endless), CLOCK_NEVER);
    EXPECT_INT(kube_pem_expiry("no certificate"), CLOCK_NEVER);
}

/* "Unauthorized" was all that was said, and of a handshake even less. */
Test(tls, a_client_certificate_that_has_expired_had_no_name_in_an_error)
{
    static const char date[] = "' has expired: notAfter 1999-12-31T23:59:59Z";
    answer_t a;
    char cert[64], key[64];

    start_with("IP:127.0.0.1", true);
    host_cleanup(host_freep) char *old = expired(tls->client_cert, tls->client_key);

    rig.credentials.client_cert_file = in_file(cert, "cert", old);
    rig.credentials.client_key_file = in_file(key, "key", tls->client_key);
    host_cleanup(host_freep) char *expected =
        host_xprintf("; client-certificate '%s%s", cert, date);
    get(&a);
    EXPECT_INT(a.status, 0);
    EXPECT_HAS(a.error.text, expected);
    in_file(cert, "cert", tls->client_cert); /* as a rotation */
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 200);
    wanted_client = "nobody";
    rig_get(&rig, &a, "/x");
    EXPECT_INT(a.status, 401);
    EXPECT_STR(a.error.text, "GET /x: 401 Unauthorized: Unauthorized");
    unlink(cert);
    unlink(key);
}

Test(tls, a_401_for_a_client_certificate_that_has_expired_did_not_say_so)
{
    answer_t a;

    start_with("IP:127.0.0.1", false);
    host_cleanup(host_freep) char *old = expired(tls->client_cert, tls->client_key);

    rig.credentials.client_cert_data = old;
    rig.credentials.client_key_data = tls->client_key;
    wanted_client = "nobody";
    get(&a);
    EXPECT_INT(a.status, 401);
    EXPECT_STR(a.error.text,
               "GET /x: 401 Unauthorized: Unauthorized; client-certificate "
               "'client-certificate-data' has expired: notAfter 1999-12-31T23:59:59Z");
}

Test(tls, without_a_client_certificate_the_door_stays_shut)
{
    answer_t a;

    start_with("IP:127.0.0.1", true);
    get(&a);
    cr_expect(a.code == LH_EIO || a.code == LH_EUNAVAILABLE, "code is %d: %s", a.code,
              a.error.text);
    EXPECT_INT(http_server_requests(rig.server), 0);
}

Test(tls, a_stream_over_tls_is_cut_with_the_connection)
{
    answer_t a;

    start_with("IP:127.0.0.1", false);
    http_server_hold(rig.server);
    rig_client(&rig, &(kube_client_options_t){0});
    rig_send(&rig, &a, (kube_request_t){.method = "GET", .path = "/x"});
    for (int i = 0; i < 500 && http_server_requests(rig.server) == 0; i++)
        rig_run(&rig, 5);
    http_server_drop_all(rig.server, true);
    rig_wait(&rig, &a);
    EXPECT_INT(a.code, LH_EIO);
}
