/* SPDX-License-Identifier: Apache-2.0 */
/* YAML nodes to JSON text, by the core schema of YAML 1.2. */
#include "base/error.h"
#include "config/node.h"

#include <errno.h>
#include <string.h>

static bool is_one_of(const char *s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(s, *words) == 0)
            return true;
    }
    return false;
}

static size_t digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* A decimal number of the core schema, with a fraction and exponent or not, as JSON writes it: no
 * '+', no leading zeros, a digit on both sides of the point. False when s is none. */
static bool put_decimal(const char *s, buf_t *out)
{
    const bool minus = *s == '-';

    s += *s == '-' || *s == '+';
    const size_t whole = digits(s), frac = s[whole] == '.' ? digits(s + whole + 1) : 0;
    const char *e = s + whole + (s[whole] == '.') + frac, *exponent = e;

    if (whole + frac == 0)
        return false;
    if (*e == 'e' || *e == 'E') {
        e++;
        e += *e == '-' || *e == '+';
        if (digits(e) == 0)
            return false;
        e += digits(e);
    }
    if (*e != '\0')
        return false;
    const size_t zeros = HOST_MIN(strspn(s, "0"), whole);
    const size_t kept = whole - zeros;

    buf_printf(out, "%s%.*s", minus ? "-" : "", (int) (kept ? kept : 1), kept ? s + zeros : "0");
    if (frac > 0)
        buf_printf(out, ".%.*s", (int) frac, s + whole + 1);
    buf_puts(out, exponent);
    return true;
}

/* 0x1f and 0o17. */
static bool put_based(const char *s, buf_t *out)
{
    const bool hex = strncmp(s, "0x", 2) == 0;
    const char *set = hex ? "0123456789abcdefABCDEF" : "01234567";

    if ((!hex && strncmp(s, "0o", 2) != 0) || s[2] == '\0' || s[2 + strspn(s + 2, set)] != '\0')
        return false;
    errno = 0;
    const unsigned long long v = strtoull(s + 2, NULL, hex ? 16 : 8);

    if (errno != 0)
        return false; /* beyond 64 bits: stays a text */
    buf_printf(out, "%llu", v);
    return true;
}

static bool is_infinite(const char *s)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};

    return is_one_of(s, nans) || is_one_of(s + (*s == '-' || *s == '+'), infinities);
}

static int put_scalar(const config_node_t *node, buf_t *out, lh_error_t *err)
{
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    const char *s = node->text;

    if (!node->plain)
        buf_json_string(out, s, strlen(s));
    else if (config_node_is_null(node))
        buf_puts(out, "null");
    else if (is_one_of(s, trues) || is_one_of(s, falses))
        buf_puts(out, is_one_of(s, trues) ? "true" : "false");
    else if (is_infinite(s))
        return host_fail(err, LH_EINVAL, "line %u, column %u: %s has no JSON form; quote it",
                         node->line, node->column, s);
    else if (!put_decimal(s, out) && !put_based(s, out))
        buf_json_string(out, s, strlen(s));
    return 0;
}

static int put_node(const config_node_t *node, buf_t *out, lh_error_t *err)
{
    if (node->kind == CONFIG_SCALAR)
        return put_scalar(node, out, err);
    const bool mapping = node->kind == CONFIG_MAPPING;

    buf_puts(out, mapping ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        const config_node_t *item = &node->items[i];
        int rc = 0;

        if (i > 0)
            buf_puts(out, mapping && i % 2 == 1 ? ":" : ",");
        if (mapping && i % 2 == 0)
            buf_json_string(out, item->text, strlen(item->text));
        else
            rc = put_node(item, out, err);
        if (rc < 0)
            return rc;
    }
    buf_puts(out, mapping ? "}" : "]");
    return 0;
}

int config_node_json(const config_node_t *node, buf_t *out, lh_error_t *err)
{
    const int rc = put_node(node, out, err);

    if (rc == 0 && out->failed)
        return host_fail(err, LH_ENOMEM, "out of memory");
    return rc;
}
