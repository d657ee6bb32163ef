/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/names.h"

#include <string.h>

#define QNAME "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define QNAME_ERROR                                                                                \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '" QNAME "')"
#define LABEL "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define SUBDOMAIN LABEL "(\\." LABEL ")*"
#define SUBDOMAIN_ERROR                                                                            \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '" SUBDOMAIN "')"
#define LABEL_ERROR                                                                                \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "   \
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "     \
    "used for validation is '" LABEL "')"
#define LABEL_1035_ERROR                                                                           \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "   \
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "           \
    "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
#define LABEL_VALUE_ERROR                                                                          \
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "    \
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value', " \
    " or '12345', regex used for validation is '(" QNAME ")?')"
#define CONFIG_KEY_ERROR                                                                           \
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "           \
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "                    \
    "'[-._a-zA-Z0-9]+')"

#define MAX_63 "must be no more than 63 characters"
#define MAX_253 "must be no more than 253 characters"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char lower_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char config_key[] =
    "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

typedef struct mistakes {
    const char **out;
    int n;
} mistakes_t;

static void add(mistakes_t *m, const char *text)
{
    if (m->n < DEV_NAME_MISTAKES)
        m->out[m->n++] = text;
}

/* At least one character; the first of `first`, the last of `ends`, all of `ends` or `also`. */
static bool enclosed(const char *s, size_t len, const char *first, const char *ends,
                     const char *also)
{
    if (len == 0 || strchr(first, s[0]) == NULL || strchr(ends, s[len - 1]) == NULL)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (strchr(ends, s[i]) == NULL && strchr(also, s[i]) == NULL)
            return false;
    }
    return true;
}

static bool is_subdomain(const char *s)
{
    for (;;) {
        size_t len = strcspn(s, ".");

        if (!enclosed(s, len, lower_digits, lower_digits, "-"))
            return false;
        if (s[len] == '\0')
            return true;
        s += len + 1;
    }
}

static void check_subdomain(const char *s, mistakes_t *m)
{
    if (strlen(s) > 253)
        add(m, MAX_253);
    if (!is_subdomain(s))
        add(m, SUBDOMAIN_ERROR);
}

static void check_prefix(const char *s, mistakes_t *m)
{
    if (s[0] == '\0') {
        add(m, "prefix part must be non-empty");
        return;
    }
    if (strlen(s) > 253)
        add(m, "prefix part " MAX_253);
    if (!is_subdomain(s))
        add(m, "prefix part " SUBDOMAIN_ERROR);
}

static void check_label(const char *s, mistakes_t *m)
{
    if (strlen(s) > 63)
        add(m, MAX_63);
    if (!enclosed(s, strlen(s), lower_digits, lower_digits, "-"))
        add(m, is_subdomain(s) ? "must not contain dots" : LABEL_ERROR);
}

static void check_1035(const char *s, mistakes_t *m)
{
    if (strlen(s) > 63)
        add(m, MAX_63);
    if (!enclosed(s, strlen(s), lower, lower_digits, "-"))
        add(m, LABEL_1035_ERROR);
}

static void check_path_prefix(const char *s, mistakes_t *m)
{
    if (strchr(s, '/') != NULL)
        add(m, "may not contain '/'");
    if (strchr(s, '%') != NULL)
        add(m, "may not contain '%'");
}

static void check_path_segment(const char *s, mistakes_t *m)
{
    if (strcmp(s, ".") == 0)
        add(m, "may not be '.'");
    else if (strcmp(s, "..") == 0)
        add(m, "may not be '..'");
    else
        check_path_prefix(s, m);
}

static void check_qualified(const char *s, mistakes_t *m)
{
    const char *slash = strchr(s, '/'), *name = slash == NULL ? s : slash + 1;

    if (slash != NULL && strchr(slash + 1, '/') != NULL) {
        add(m, "a qualified name " QNAME_ERROR " with an optional DNS subdomain prefix and '/' "
               "(e.g. 'example.com/MyName')");
        return;
    }
    if (slash != NULL) {
        host_cleanup(host_freep) char *prefix = strndup(s, (size_t) (slash - s));

        check_prefix(prefix == NULL ? "" : prefix, m);
    }
    if (name[0] == '\0')
        add(m, "name part must be non-empty");
    else if (strlen(name) > 63)
        add(m, "name part " MAX_63);
    if (!enclosed(name, strlen(name), alnum, alnum, "-_."))
        add(m, "name part " QNAME_ERROR);
}

static void check_label_value(const char *s, mistakes_t *m)
{
    if (strlen(s) > 63)
        add(m, MAX_63);
    if (s[0] != '\0' && !enclosed(s, strlen(s), alnum, alnum, "-_."))
        add(m, LABEL_VALUE_ERROR);
}

static void check_up(const char *s, mistakes_t *m)
{
    if (strcmp(s, ".") == 0)
        add(m, "must not be '.'");
    else if (strcmp(s, "..") == 0)
        add(m, "must not be '..'");
    else if (strncmp(s, "..", 2) == 0)
        add(m, "must not start with '..'");
}

static void check_config_key(const char *s, mistakes_t *m)
{
    if (strlen(s) > 253)
        add(m, MAX_253);
    if (s[0] == '\0' || s[strspn(s, config_key)] != '\0')
        add(m, CONFIG_KEY_ERROR);
    check_up(s, m);
}

static void check_port(const char *s, mistakes_t *m)
{
    size_t len = strlen(s);

    if (len > 15)
        add(m, "must be no more than 15 characters");
    if (len == 0 || s[strspn(s, "-abcdefghijklmnopqrstuvwxyz0123456789")] != '\0')
        add(m, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (strpbrk(s, lower) == NULL)
        add(m, "must contain at least one letter (a-z)");
    if (strstr(s, "--") != NULL)
        add(m, "must not contain consecutive hyphens");
    if (len > 0 && (s[0] == '-' || s[len - 1] == '-'))
        add(m, "must not begin or end with a hyphen");
}

static void check_env(const char *s, mistakes_t *m)
{
    if (s[0] == '\0')
        add(m, "environment variable name must be non-empty");
    for (; *s != '\0'; s++) {
        if (*s < ' ' || *s > '~' || *s == '=') {
            add(m, "a valid environment variable name must consist only of printable ASCII "
                   "characters other than '='");
            return;
        }
    }
}

static void check_none(const char *s, mistakes_t *m)
{
    (void) s;
    (void) m;
}

static void (*const rules[])(const char *s, mistakes_t *m) = {
    [DEV_NAME_SUBDOMAIN] = check_subdomain,
    [DEV_NAME_LABEL] = check_label,
    [DEV_NAME_1035] = check_1035,
    [DEV_NAME_PATH_SEGMENT] = check_path_segment,
    [DEV_NAME_PATH_PREFIX] = check_path_prefix,
    [DEV_NAME_QUALIFIED] = check_qualified,
    [DEV_NAME_LABEL_VALUE] = check_label_value,
    [DEV_NAME_CONFIG_KEY] = check_config_key,
    [DEV_NAME_PORT] = check_port,
    [DEV_NAME_ENV] = check_env,
    [DEV_NAME_NONE] = check_none,
};

int dev_name_mistakes(enum dev_name rule, const char *text, const char *out[DEV_NAME_MISTAKES])
{
    mistakes_t m = {out, 0};

    rules[rule](text, &m);
    return m.n;
}

bool dev_name_valid(enum dev_name rule, const char *text)
{
    const char *texts[DEV_NAME_MISTAKES];

    return dev_name_mistakes(rule, text, texts) == 0;
}

void dev_name_check(dev_status_t *st, const dev_path_t *at, enum dev_name rule, const char *text)
{
    const char *texts[DEV_NAME_MISTAKES];
    int n = dev_name_mistakes(rule, text, texts);

    for (int i = 0; i < n; i++)
        dev_invalid_text(st, at, text, texts[i]);
}

int dev_name_explain(enum dev_name rule, const char *text, buf_t *out)
{
    const char *texts[DEV_NAME_MISTAKES];
    int n = dev_name_mistakes(rule, text, texts);

    for (int i = 0; i < n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : "; ", texts[i]);
    return n;
}
