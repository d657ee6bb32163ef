/* SPDX-License-Identifier: Apache-2.0 */
/* Paths into what they name, as the real server's RequestInfo has it. */
#include "devapi/http_impl.h"

#include <string.h>

enum { MAX_SEGMENTS = 10 };

/* The segments of text; their number, MAX_SEGMENTS + 1 when there are more. */
static size_t split(char *text, const char *segments[MAX_SEGMENTS])
{
    size_t n = 0;

    for (char *rest = text + 1, *one; (one = strsep(&rest, "/")) != NULL;) {
        if (n == MAX_SEGMENTS)
            return n + 1;
        if (*one == '\0' && rest == NULL)
            break; /* a slash at the end is no segment */
        segments[n++] = one;
    }
    return n;
}

static bool is_own_subresource(const char *word)
{
    return strcmp(word, "status") == 0 || strcmp(word, "finalize") == 0;
}

/* s: [namespaces/NS/]RESOURCE[/NAME[/SUB]] */
static void take_resource(dev_target_t *t, const char *const *s, size_t n)
{
    if (n > 2 && strcmp(s[0], "namespaces") == 0 && !is_own_subresource(s[2])) {
        t->ns = s[1];
        s += 2;
        n -= 2;
    }
    t->plural = n > 0 ? s[0] : NULL;
    t->name = n > 1 ? s[1] : NULL;
    t->sub = n > 2 ? s[2] : NULL;
    t->too_long = n > 3;
}

void dev_target_parse(const char *path, dev_target_t *out)
{
    const char *s[MAX_SEGMENTS];

    *out = (dev_target_t){.text = host_xstrdup(path)};
    if (path[0] != '/' || strstr(path, "//") != NULL)
        return;
    const size_t n = split(out->text, s);
    const bool core = n >= 2 && strcmp(s[0], "api") == 0;
    if (n > MAX_SEGMENTS || (!core && (n < 3 || strcmp(s[0], "apis") != 0)))
        return;
    out->resource = true;
    out->group = core ? "" : s[1];
    out->version = core ? s[1] : s[2];
    const size_t head = core ? 2 : 3;
    out->watch = n > head + 1 && strcmp(s[head], "watch") == 0; /* the deprecated form */
    take_resource(out, s + head + out->watch, n - head - out->watch);
}

void dev_target_fini(dev_target_t *t)
{
    free(t->text);
    *t = (dev_target_t){0};
}

const char *dev_target_verb(const dev_target_t *t, const char *method, bool watch)
{
    static const struct {
        const char *method, *one, *all;
    } verbs[] = {{"GET", "get", "list"},       {"HEAD", "get", "list"},
                 {"POST", "create", "create"}, {"PUT", "update", "update"},
                 {"PATCH", "patch", "patch"},  {"DELETE", "delete", "deletecollection"}};

    for (size_t i = 0; i < HOST_LEN(verbs); i++) {
        if (strcmp(verbs[i].method, method) == 0)
            return watch && i == 0 ? "watch" : t->name != NULL ? verbs[i].one : verbs[i].all;
    }
    return "";
}

/* "get", for what is no resource. */
static void put_lower(const char *method, char *out, size_t size)
{
    size_t i = 0;

    for (; method[i] != '\0' && i + 1 < size; i++)
        out[i] = (char) (method[i] >= 'A' && method[i] <= 'Z' ? method[i] | 0x20 : method[i]);
    out[i] = '\0';
}

void dev_target_forbid(const dev_target_t *t, const char *verb, const char *user, const char *path,
                       dev_status_t *st)
{
    const bool itself = t->resource && t->plural != NULL && t->ns == NULL && t->name != NULL &&
                        strcmp(t->plural, "namespaces") == 0;
    const char *ns = itself ? t->name : t->ns;
    host_cleanup(host_freep) char *named = NULL, *where = NULL;
    char lower[32];

    if (!t->resource || t->plural == NULL) {
        put_lower(verb, lower, sizeof(lower));
        (void) dev_refuse(st, 403, "Forbidden", "forbidden: User \"%s\" cannot %s path \"%s\"",
                          user, lower, path);
        return;
    }
    named = t->name != NULL ? host_xprintf(" \"%s\"", t->name) : host_xstrdup("");
    where = ns != NULL ? host_xprintf("in the namespace \"%s\"", ns)
                       : host_xstrdup("at the cluster scope");
    dev_status_about(st, t->group, t->plural, t->name);
    (void) dev_refuse(st, 403, "Forbidden",
                      "%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API "
                      "group \"%s\" %s",
                      t->plural, t->group[0] != '\0' ? "." : "", t->group, named, user, verb,
                      t->plural, t->sub != NULL ? "/" : "", t->sub != NULL ? t->sub : "", t->group,
                      where);
}
