/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that clients accept, and that outlive the server. */
#include "base/file.h"
#include "devapi/tls.h"
#include "support/expect.h"
#include "support/temp_dir.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

static SSL_CTX *open_tls(const char *dir, buf_t *ca)
{
    SSL_CTX *ctx = NULL;
    lh_error_t err = {0};

    ASSERT_OK(dev_tls_open(dir, "127.0.0.9", &ctx, ca, &err), err);
    return ctx;
}

/* A handshake in memory of a client that trusts ca and asks for this name; true when it is done. */
static bool shakes(SSL_CTX *server_ctx, const buf_t *ca, const char *name, bool is_ip, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    BIO *pem = BIO_new_mem_buf(buf_text(ca), (int) ca->len), *to_client, *to_server;
    X509 *root = PEM_read_bio_X509(pem, NULL, NULL, NULL);
    SSL *client, *server = SSL_new(server_ctx);
    int done[2] = {0, 0};

    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_security_level(ctx, 0);
    client = SSL_new(ctx);
    if (is_ip)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(client), name);
    else
        SSL_set1_host(client, name);
    BIO_new_bio_pair(&to_client, 0, &to_server, 0);
    SSL_set_bio(client, to_client, to_client);
    SSL_set_bio(server, to_server, to_server);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 10 && done[0] + done[1] < 2; i++) {
        done[0] = SSL_do_handshake(client) == 1;
        done[1] = SSL_do_handshake(server) == 1;
    }
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(ctx);
    X509_free(root);
    BIO_free(pem);
    return done[0] + done[1] == 2;
}

Test(tls, clients_that_trust_the_ca_accept_the_server)
{
    char *dir = temp_dir_make();
    buf_t ca = BUF_INIT;
    SSL_CTX *ctx = open_tls(dir, &ca);

    cr_expect(shakes(ctx, &ca, "localhost", false, TLS1_3_VERSION));
    cr_expect(shakes(ctx, &ca, "127.0.0.1", true, TLS1_2_VERSION));
    cr_expect(shakes(ctx, &ca, "::1", true, TLS1_3_VERSION));
    cr_expect(shakes(ctx, &ca, "127.0.0.9", true, TLS1_3_VERSION));
    cr_expect(!shakes(ctx, &ca, "example.com", false, TLS1_3_VERSION));
    cr_expect(!shakes(ctx, &ca, "localhost", false, TLS1_1_VERSION));
    SSL_CTX_free(ctx);
    buf_fini(&ca);
    temp_dir_remove(dir);
}

Test(tls, the_ca_is_kept_and_its_key_is_private)
{
    char *dir = temp_dir_make();
    char *key = host_xprintf("%s/ca.key", dir);
    buf_t first = BUF_INIT, second = BUF_INIT;
    struct stat st = {0};

    SSL_CTX_free(open_tls(dir, &first));
    SSL_CTX *ctx = open_tls(dir, &second);
    EXPECT_STR(buf_text(&second), buf_text(&first));
    cr_expect(shakes(ctx, &first, "localhost", false, TLS1_3_VERSION));
    cr_expect_eq(stat(key, &st), 0);
    EXPECT_INT(st.st_mode & 0777, 0600);
    SSL_CTX_free(ctx);
    buf_fini(&first);
    buf_fini(&second);
    free(key);
    temp_dir_remove(dir);
}

Test(tls, a_ca_that_cannot_be_read_is_made_anew)
{
    char *dir = temp_dir_make();
    char *crt = host_xprintf("%s/ca.crt", dir);
    buf_t first = BUF_INIT, second = BUF_INIT;
    lh_error_t err = {0};

    SSL_CTX_free(open_tls(dir, &first));
    ASSERT_OK(file_write_atomic(crt, "junk", 4, 0600, &err), err);
    SSL_CTX *ctx = open_tls(dir, &second);
    cr_expect_str_neq(buf_text(&second), buf_text(&first));
    cr_expect(shakes(ctx, &second, "localhost", false, TLS1_3_VERSION));
    SSL_CTX_free(ctx);
    buf_fini(&first);
    buf_fini(&second);
    free(crt);
    temp_dir_remove(dir);
}
