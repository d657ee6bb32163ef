/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/path.h"

#include <string.h>

enum { MAX_LABEL = 63, MAX_SUBDOMAIN = 253 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_unreserved(char c)
{
    return is_alnum(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
}

static int encode(buf_t *out, const char *s)
{
    int ret = 0;

    for (; *s != '\0' && ret == 0; s++)
        ret = is_unreserved(*s) ? buf_append(out, s, 1)
                                : buf_printf(out, "%%%02X", (unsigned) (unsigned char) *s);
    return ret;
}

static int part(buf_t *out, const char *s)
{
    int ret = buf_append(out, "/", 1);
    return ret < 0 ? ret : encode(out, s);
}

int kube_path(buf_t *out, const kube_gvr_t *gvr, const char *ns, const char *name)
{
    int ret = buf_puts(out, gvr->group[0] != '\0' ? "/apis" : "/api");

    if (ret == 0 && gvr->group[0] != '\0')
        ret = part(out, gvr->group);
    if (ret == 0)
        ret = part(out, gvr->version);
    if (ret == 0 && ns != NULL && ns[0] != '\0') {
        ret = buf_puts(out, "/namespaces");
        if (ret == 0)
            ret = part(out, ns);
    }
    if (ret == 0)
        ret = part(out, gvr->resource);
    if (ret == 0 && name != NULL && name[0] != '\0')
        ret = part(out, name);
    return ret;
}

int kube_query(buf_t *out, const char *key, const char *value)
{
    int ret = buf_puts(out, strchr(buf_text(out), '?') == NULL ? "?" : "&");

    if (ret == 0)
        ret = encode(out, key);
    if (ret == 0)
        ret = buf_puts(out, "=");
    if (ret == 0)
        ret = encode(out, value);
    return ret;
}

/* One label of at most max bytes, len long. */
static bool is_label(const char *s, size_t len, size_t max)
{
    if (len == 0 || len > max || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(s[i]) && s[i] != '-')
            return false;
    }
    return true;
}

bool kube_is_dns_label(const char *s)
{
    return is_label(s, strnlen(s, MAX_LABEL + 1), MAX_LABEL);
}

bool kube_is_dns_subdomain(const char *s)
{
    if (strnlen(s, MAX_SUBDOMAIN + 1) > MAX_SUBDOMAIN)
        return false;
    for (;;) {
        size_t len = strcspn(s, ".");
        if (!is_label(s, len, MAX_SUBDOMAIN)) /* the API limits the whole, not its labels */
            return false;
        if (s[len] == '\0')
            return true;
        s += len + 1;
    }
}
