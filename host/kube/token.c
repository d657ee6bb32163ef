/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/token.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>

enum { MAX_TOKEN = 64 * 1024 };
#define PREFIX "Authorization: Bearer "

void kube_token_init(kube_token_t *t, const kube_credentials_t *credentials, const log_t *log)
{
    *t = (kube_token_t){.credentials = credentials, .log = log};
}

static void wipe(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
    free(s);
}

void kube_token_fini(kube_token_t *t)
{
    wipe(t->header);
    t->header = NULL;
}

/* Takes over the token in text, len bytes; white space around it does not count. */
static int set_token(kube_token_t *t, const char *text, size_t len, lh_error_t *err)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        len--;
    while (len > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        len--;
    }
    if (len == 0)
        return host_fail(err, LH_EINVAL, "the token is empty");
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f) /* it becomes a header line */
            return host_fail(err, LH_EINVAL, "the token holds a character that no token has");
    }
    char *header = malloc(sizeof(PREFIX) + len);

    if (header == NULL)
        return host_fail(err, LH_ENOMEM, "token: out of memory");
    memcpy(header, PREFIX, sizeof(PREFIX) - 1);
    memcpy(header + sizeof(PREFIX) - 1, text, len);
    header[sizeof(PREFIX) - 1 + len] = '\0';
    if (t->header == NULL || strcmp(t->header, header) != 0)
        t->generation++;
    wipe(t->header);
    t->header = header;
    return 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
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

static int load_file(kube_token_t *t, lh_error_t *err)
{
    const char *path = t->credentials->token_file;
    struct stat st;
    lh_error_t e;
    int ret;

    if (stat(path, &st) < 0)
        ret = host_fail(&e, LH_EIO, "token file '%s': %s", path, strerror(errno));
    else if (t->loaded && same_file(&st, &t->seen))
        return 0;
    else
        ret = read_file(t, &st, &e);
    if (ret == 0) {
        t->loaded = true;
        t->failing = false;
        return 0;
    }
    if (t->header == NULL)
        return host_fail(err, ret, "%s", e.text);
    if (!t->failing)
        log_warn(t->log, "%s; the last token stays in use", e.text);
    t->failing = true;
    return 0;
}

int kube_token_get(kube_token_t *t, const char **header, lh_error_t *err)
{
    const kube_credentials_t *c = t->credentials;
    int ret = 0;

    if (c->token_file != NULL)
        ret = load_file(t, err);
    else if (c->token != NULL && t->header == NULL)
        ret = set_token(t, c->token, strlen(c->token), err);
    if (ret == 0)
        *header = t->header;
    return ret;
}

void kube_token_refused(kube_token_t *t)
{
    t->loaded = false;
}
