/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/redact.h"

#include "base/utf8.h"

#include <string.h>
#include <strings.h>

enum { SHORTEST_SECRET = 4, LONGEST_WORD = 40 };
#define HIDDEN "***"

static bool is_space(char c)
{
    return (unsigned char) c <= ' ' || c == 0x7f;
}

/* Of base64, JSON web tokens, hexadecimal. */
static bool is_code(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("+/=_-.", c) != NULL);
}

/* How long the known secret is that begins at text; 0: none does. */
static size_t known(const char *text, const char *const *secrets)
{
    size_t longest = 0;

    for (; secrets != NULL && *secrets != NULL; secrets++) {
        const size_t len = strlen(*secrets);
        if (len >= SHORTEST_SECRET && len > longest && strncmp(text, *secrets, len) == 0)
            longest = len;
    }
    return longest;
}

/* How long the word is that announces a secret ("password: "), with what stands before the secret. */
static size_t announced(const char *text)
{
    static const char *const words[] = {"token",      "secret",     "password", "passwd",
                                        "access_key", "access-key", "apikey",   "api_key",
                                        "api-key",    "credential", "assertion"};

    if (strncasecmp(text, "bearer ", 7) == 0 || strncasecmp(text, "basic ", 6) == 0)
        return strcspn(text, " ") + 1;
    for (size_t i = 0; i < HOST_LEN(words); i++) {
        const size_t len = strlen(words[i]);
        if (strncasecmp(text, words[i], len) != 0)
            continue;
        const size_t more = strspn(text + len, "\"' \\:=");
        const char *sign = memchr(text + len, '=', more);
        if (sign == NULL)
            sign = memchr(text + len, ':', more);
        return sign != NULL && !is_space(text[len + more]) ? len + more : 0;
    }
    return 0;
}

static size_t secret_len(const char *text)
{
    return strcspn(text, " \"',;&)}]");
}

/* How long the run of letters and digits is; 0 when it may be a word. In a path it ends at a '/'. */
static size_t coded(const char *text, bool path)
{
    size_t len = 0;

    while (is_code(text[len]) && !(path && text[len] == '/'))
        len++;
    return len > LONGEST_WORD ? len : 0;
}

/* How long the "user:password" of an URL is that begins at text. */
static size_t user_info(const char *line, const char *text)
{
    const size_t len = strcspn(text, "/@ \"'");

    return text - line >= 3 && memcmp(text - 3, "://", 3) == 0 && text[len] == '@' ? len : 0;
}

/* To the end of a PEM block, or of the text. */
static size_t pem(const char *text)
{
    if (strncmp(text, "-----BEGIN ", 11) != 0)
        return 0;
    const char *end = strstr(text, "-----END ");
    const char *close = end != NULL ? strstr(end + 9, "-----") : NULL;

    return close != NULL ? (size_t) (close + 5 - text) : strlen(text);
}

/* One line: what is no text becomes a space, never two. */
static void flatten(const char *text, size_t len, buf_t *out)
{
    for (size_t i = 0; i < len;) {
        const size_t n = utf8_char(text + i, len - i);
        if (n > 0 && !is_space(text[i]))
            buf_append(out, text + i, n);
        else if (out->len > 0 && out->data[out->len - 1] != ' ')
            buf_puts(out, " ");
        i += HOST_MAX(n, (size_t) 1);
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

static void hide(const char *line, const char *const *secrets, buf_t *out)
{
    enum { OUTSIDE, IN_RUN, IN_PATH } where = OUTSIDE;

    for (const char *at = line; *at != '\0';) {
        size_t secret = known(at, secrets), word = 0;
        if (secret == 0)
            secret = pem(at);
        if (secret == 0)
            secret = user_info(line, at);
        if (secret == 0 && (word = announced(at)) > 0)
            secret = secret_len(at + word);
        if (secret == 0 && where == OUTSIDE && *at != '/' && *at != '.')
            secret = coded(at, false);
        else if (secret == 0 && where == IN_PATH && at[-1] == '/')
            secret = coded(at, true);
        if (secret > 0) {
            buf_append(out, at, word);
            buf_puts(out, HIDDEN);
            at += word + secret;
            where = OUTSIDE;
            continue;
        }
        if (!is_code(*at))
            where = OUTSIDE;
        else if (where == OUTSIDE)
            where = *at == '/' || *at == '.' ? IN_PATH : IN_RUN;
        buf_append(out, at++, 1);
    }
}

void kube_redact(const char *text, size_t len, const char *const *secrets, size_t max, buf_t *out)
{
    host_cleanup(buf_fini) buf_t line = BUF_INIT, clean = BUF_INIT;

    flatten(text, len, &line);
    hide(buf_text(&line), secrets, &clean);
    const char *from = buf_text(&clean);

    if (clean.len > max) {
        from += clean.len - max;
        while ((*from & 0xc0) == 0x80) /* no half of a character */
            from++;
        buf_puts(out, "...");
    }
    buf_puts(out, from);
    if (line.data != NULL)
        explicit_bzero(line.data, line.len);
}
