/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/token.h"

#include "base/error.h"
#include "base/file.h"
#include "kube/exec.h"
#include "kube/pem.h"

#include <errno.h>
#include <string.h>

enum { MAX_TOKEN = 64 * 1024 };
#define BEARER "Authorization: Bearer "
#define BASIC "Authorization: Basic "

void kube_token_init(kube_token_t *t, const kube_credentials_t *credentials, const log_t *log)
{
    *t = (kube_token_t){.credentials = credentials, .log = log};
}

void kube_token_fini(kube_token_t *t)
{
    kube_wipe(t->header);
    t->header = NULL;
}

static const char *what_is(unsigned char c)
{
    return c == '\n' || c == '\r'  ? "a line break"
           : c == ' ' || c == '\t' ? "a blank"
           : c < ' ' || c == 0x7f  ? "a control character"
                                   : "a character beyond ASCII";
}

/* Leaves out the white space around it. */
static const char *trim(const char *text, size_t *len)
{
    while (*len > 0 && strchr(" \t\r\n", text[*len - 1]) != NULL)
        --*len;
    while (*len > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        --*len;
    }
    return text;
}

int kube_token_check(const char *token, size_t len, lh_error_t *err)
{
    token = trim(token, &len);
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char) token[i];

        if (c <= ' ' || c >= 0x7f) /* it becomes a header line */
            return host_fail(err, LH_EINVAL, "the token holds %s after %zu characters", what_is(c),
                             i);
    }
    return 0;
}

int kube_token_check_file(const char *path, lh_error_t *err)
{
    host_cleanup(kube_wipe_buf) buf_t text = BUF_INIT_MAX(MAX_TOKEN);
    int ret = file_read(path, MAX_TOKEN, &text, NULL);

    if (ret < 0)
        return 0;
    ret = kube_token_check(buf_text(&text), text.len, err);
    return ret < 0 ? host_error_wrap(err, ret, "token file '%.300s'", path) : 0;
}

/* Takes over the token in text, len bytes. */
static int set_token(kube_token_t *t, const char *text, size_t len, lh_error_t *err)
{
    const int ret = kube_token_check(text, len, err);

    if (ret < 0)
        return ret;
    text = trim(text, &len);
    if (len == 0)
        return host_fail(err, LH_EINVAL, "the token is empty");
    char *header = malloc(sizeof(BEARER) + len);

    if (header == NULL)
        return host_fail(err, LH_ENOMEM, "token: out of memory");
    memcpy(header, BEARER, sizeof(BEARER) - 1);
    memcpy(header + sizeof(BEARER) - 1, text, len);
    header[sizeof(BEARER) - 1 + len] = '\0';
    if (t->header == NULL || strcmp(t->header, header) != 0)
        t->generation++;
    kube_wipe(t->header);
    t->header = header;
    return 0;
}

/* The stat comes before the reading: a change in between is seen by the next stat. */
static int read_file(kube_token_t *t, const struct stat *st, lh_error_t *err)
{
    const char *path = t->credentials->token_file;
    buf_t text = BUF_INIT_MAX(MAX_TOKEN);
    int ret = file_read(path, MAX_TOKEN, &text, err);

    if (ret == 0) {
        ret = set_token(t, buf_text(&text), text.len, err);
        if (ret < 0)
            host_error_wrap(err, ret, "token file '%s'", path);
    }
    if (ret == 0)
        t->seen = *st;
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    buf_fini(&text);
    return ret;
}

/* The token beside a file that cannot be read yet; the file wins as soon as it can. */
static bool fall_back(kube_token_t *t)
{
    const char *token = t->credentials->token;

    return token != NULL && set_token(t, token, strlen(token), NULL) == 0;
}

static int load_file(kube_token_t *t, lh_error_t *err)
{
    const char *path = t->credentials->token_file;
    struct stat st;
    lh_error_t e;
    int ret;

    if (stat(path, &st) < 0)
        ret = host_fail(&e, LH_EIO, "token file '%s': %s", path, strerror(errno));
    else if (t->loaded && file_same(&st, &t->seen))
        return 0;
    else
        ret = read_file(t, &st, &e);
    if (ret == 0) {
        t->loaded = true;
        t->failing = false;
        return 0;
    }
    if (t->header == NULL && !fall_back(t))
        return host_fail(err, ret, "%s", e.text);
    if (!t->failing)
        log_warn(t->log, "%s; the last token stays in use", e.text);
    t->failing = true;
    return 0;
}

/* Without a token its certificate is what it has given. */
static int load_exec(kube_token_t *t, lh_error_t *err)
{
    host_cleanup(kube_exec_credential_fini) kube_exec_credential_t new = {0};
    uint64_t generation = t->generation;
    int ret = 0;

    if (!kube_exec_take(t->credentials->exec, &generation, &new))
        return 0;
    if (new.token != NULL)
        ret = set_token(t, new.token, strlen(new.token), err);
    else
        kube_wipe(host_steal(t->header));
    if (ret == 0)
        t->generation = generation;
    return ret;
}

int kube_token_get(kube_token_t *t, const char **header, lh_error_t *err)
{
    const kube_credentials_t *c = t->credentials;
    int ret = 0;

    if (c->token_file != NULL)
        ret = load_file(t, err);
    else if (c->exec != NULL)
        ret = load_exec(t, err);
    else if (c->token != NULL && t->header == NULL)
        ret = set_token(t, c->token, strlen(c->token), err);
    else if (c->basic != NULL && t->header == NULL)
        t->header = host_xprintf(BASIC "%s", c->basic);
    if (ret == 0)
        *header = t->header;
    return ret;
}

void kube_token_refused(kube_token_t *t)
{
    t->loaded = false;
}
