/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "config/nearest.h"
#include "config/table.h"
#include "config/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_STRING 4096
#define MAX_ENTRIES 1000

/* The value's place, as a pointer to its type. */
#define PLACE(type, setting, base) ((type *) ((char *) (base) + (setting)->offset))
#define PLACE_CONST(type, setting, base)                                                           \
    ((type const *) ((const char *) (base) + (setting)->offset))

static int check_string(const config_setting_t *s, const char *text, lh_error_t *err)
{
    if (strlen(text) > MAX_STRING)
        return host_fail(err, LH_ETOOBIG, "longer than %d bytes", MAX_STRING);
    for (const unsigned char *p = (const unsigned char *) text; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return host_fail(err, LH_EINVAL, "the text holds a control character");
    }
    return s->check != NULL ? s->check(text, err) : 0;
}

static int set_string(const config_setting_t *s, char **place, const char *text, lh_error_t *err)
{
    const int rc = check_string(s, text, err);

    if (rc < 0)
        return rc;
    free(*place);
    *place = host_xstrdup(text);
    return 0;
}

static int set_bool(bool *place, const char *text, lh_error_t *err)
{
    if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0) { /* as .NET reads it */
        *place = strcasecmp(text, "true") == 0;
        return 0;
    }
    return host_fail(err, LH_EINVAL, "'%.64s' is no boolean: write true or false", text);
}

static int out_of_range(const config_setting_t *s, const char *text, lh_error_t *err)
{
    return host_fail(err, LH_EINVAL, "%.64s is not between %s and %s", text, s->min, s->max);
}

static int set_duration(const config_setting_t *s, int64_t *place, const char *text,
                        lh_error_t *err)
{
    int64_t ns = 0, min = 0, max = 0;
    int rc = config_duration_parse(text, &ns, err);

    if (rc == 0)
        rc = config_duration_parse(s->min, &min, err);
    if (rc == 0)
        rc = config_duration_parse(s->max, &max, err);
    if (rc < 0)
        return rc;
    if (ns < min || ns > max)
        return out_of_range(s, text, err);
    *place = ns;
    return 0;
}

static int set_integer(const config_setting_t *s, int64_t *place, const char *text, lh_error_t *err)
{
    char *end;

    errno = 0;
    const long long v = strtoll(text, &end, 10);

    if (strspn(text, "-0123456789") != strlen(text) || end == text || *end != '\0')
        return host_fail(err, LH_EINVAL, "'%.64s' is no whole number", text);
    if (errno != 0 || v < strtoll(s->min, NULL, 10) || v > strtoll(s->max, NULL, 10))
        return out_of_range(s, text, err);
    *place = v;
    return 0;
}

static int set_fraction(const config_setting_t *s, double *place, const char *text, lh_error_t *err)
{
    char *end;
    const double v = strtod(text, &end);

    if (strspn(text, "-+.eE0123456789") != strlen(text) || end == text || *end != '\0')
        return host_fail(err, LH_EINVAL, "'%.64s' is no number", text);
    if (!isfinite(v) || v < strtod(s->min, NULL) || v > strtod(s->max, NULL))
        return out_of_range(s, text, err);
    *place = v;
    return 0;
}

static int set_choice(const config_setting_t *s, int *place, const char *text, lh_error_t *err)
{
    nearest_t nearest = NEAREST_INIT(text);
    char hint[80], all[128] = "";

    for (int i = 0; s->choices[i] != NULL; i++) {
        if (strcmp(text, s->choices[i]) == 0) {
            *place = i;
            return 0;
        }
        config_nearest_offer(&nearest, s->choices[i], s->choices[i]);
        const size_t used = strlen(all);

        snprintf(all + used, sizeof(all) - used, "%s%s", i > 0 ? ", " : "", s->choices[i]);
    }
    return host_fail(err, LH_EINVAL, "'%.64s' is none of %s%s", text, all,
                     config_nearest_text(&nearest, hint, sizeof(hint)));
}

static void free_list(char **list)
{
    for (char **p = list; p != NULL && *p != NULL; p++) {
        free(*p);
    }
    free(list);
}

static void free_listp(char ***list)
{
    free_list(*list);
}

/* Takes a copy of text[0..len) as the next entry. */
static int add_entry(const config_setting_t *s, char **list, size_t at, const char *text,
                     size_t len, lh_error_t *err)
{
    list[at] = strndup(text, len);
    if (list[at] == NULL)
        return host_fail(err, LH_ENOMEM, "out of memory");
    const int rc = check_string(s, list[at], err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < at; i++) {
        if (strcmp(list[i], list[at]) == 0)
            return host_fail(err, LH_EINVAL, "'%s' stands in the list twice", list[at]);
    }
    return 0;
}

/* "a,b": the form of environment and flags. */
static int split(const config_setting_t *s, char **list, const char *text, lh_error_t *err)
{
    size_t n = 0;
    int rc = 0;

    for (const char *p = text; rc == 0 && *text != '\0'; p++) {
        const size_t len = strcspn(p, ",");

        if (n == MAX_ENTRIES)
            return host_fail(err, LH_ETOOBIG, "more than %d entries", MAX_ENTRIES);
        rc = add_entry(s, list, n++, p, len, err);
        p += len;
        if (*p == '\0')
            break;
    }
    return rc;
}

static int set_list(const config_setting_t *s, char ***place, const config_node_t *node,
                    lh_error_t *err)
{
    host_cleanup(free_listp) char **list = host_xcalloc(MAX_ENTRIES + 1, sizeof(*list));
    int rc = 0;

    if (node->kind == CONFIG_SCALAR && node->line == 0)
        rc = split(s, list, node->text, err);
    else if (node->kind != CONFIG_SEQUENCE)
        return host_fail(err, LH_EINVAL, "a list is expected");
    else if (node->count > MAX_ENTRIES)
        return host_fail(err, LH_ETOOBIG, "more than %d entries", MAX_ENTRIES);
    for (size_t i = 0; rc == 0 && i < node->count; i++) {
        const config_node_t *item = &node->items[i];

        if (item->kind != CONFIG_SCALAR || config_node_is_null(item))
            return host_fail(err, LH_EINVAL, "entry %zu of the list is no text", i + 1);
        rc = add_entry(s, list, i, item->text, strlen(item->text), err);
    }
    if (rc < 0)
        return rc;
    free_list(*place);
    *place = host_steal(list);
    return 0;
}

static int set_object(char **place, const config_node_t *node, lh_error_t *err)
{
    host_cleanup(buf_fini) buf_t json = BUF_INIT;
    host_cleanup(config_node_fini) config_node_t parsed = {0};
    int rc = 0;

    if (node->kind == CONFIG_SCALAR && node->line == 0) { /* from a flag: YAML, so JSON too */
        rc = config_yaml_parse("value", node->text, strlen(node->text), &parsed, err);
        node = &parsed;
    }
    if (rc == 0 && node->kind != CONFIG_MAPPING)
        return host_fail(err, LH_EINVAL, "a mapping of keys is expected");
    if (rc == 0)
        rc = config_node_json(node, &json, err);
    if (rc < 0)
        return rc;
    free(*place);
    *place = buf_steal(&json);
    return 0;
}

int config_value_set(const config_setting_t *s, void *base, const config_node_t *node,
                     lh_error_t *err)
{
    if (s->type == CONFIG_LIST)
        return set_list(s, PLACE(char **, s, base), node, err);
    if (s->type == CONFIG_OBJECT)
        return set_object(PLACE(char *, s, base), node, err);
    if (node->kind != CONFIG_SCALAR)
        return host_fail(err, LH_EINVAL, "one value is expected, not a %s",
                         node->kind == CONFIG_SEQUENCE ? "list" : "mapping");
    switch (s->type) {
    case CONFIG_BOOL:
        return set_bool(PLACE(bool, s, base), node->text, err);
    case CONFIG_DURATION:
        return set_duration(s, PLACE(int64_t, s, base), node->text, err);
    case CONFIG_INTEGER:
        return set_integer(s, PLACE(int64_t, s, base), node->text, err);
    case CONFIG_FRACTION:
        return set_fraction(s, PLACE(double, s, base), node->text, err);
    case CONFIG_CHOICE:
        return set_choice(s, PLACE(int, s, base), node->text, err);
    default:
        return set_string(s, PLACE(char *, s, base), node->text, err);
    }
}

static void print_list(char *const *list, bool json, buf_t *out)
{
    buf_puts(out, "[");
    for (char *const *p = list; p != NULL && *p != NULL; p++) {
        if (p != list)
            buf_puts(out, json ? "," : ", ");
        if (json)
            buf_json_string(out, *p, strlen(*p));
        else
            buf_puts(out, *p);
    }
    buf_puts(out, "]");
}

void config_value_print(const config_setting_t *s, const void *base, buf_t *out)
{
    const char *text;

    if (s->secret) {
        buf_puts(out, "***");
        return;
    }
    switch (s->type) {
    case CONFIG_BOOL:
        buf_puts(out, *PLACE_CONST(bool, s, base) ? "true" : "false");
        break;
    case CONFIG_DURATION:
        config_duration_print(*PLACE_CONST(int64_t, s, base), out);
        break;
    case CONFIG_INTEGER:
        buf_printf(out, "%lld", (long long) *PLACE_CONST(int64_t, s, base));
        break;
    case CONFIG_FRACTION:
        buf_printf(out, "%g", *PLACE_CONST(double, s, base));
        break;
    case CONFIG_CHOICE:
        buf_puts(out, s->choices[*PLACE_CONST(int, s, base)]);
        break;
    case CONFIG_LIST:
        print_list(*PLACE_CONST(char **, s, base), false, out);
        break;
    default:
        text = *PLACE_CONST(char *, s, base);
        buf_puts(out, text != NULL && *text != '\0' ? text : "\"\"");
        break;
    }
}

void config_value_json(const config_setting_t *s, const void *base, buf_t *out)
{
    if (!s->secret && s->type == CONFIG_LIST) {
        print_list(*PLACE_CONST(char **, s, base), true, out);
    } else if (!s->secret && (s->type == CONFIG_BOOL || s->type == CONFIG_INTEGER ||
                              s->type == CONFIG_FRACTION)) {
        config_value_print(s, base, out);
    } else if (!s->secret && s->type == CONFIG_STRING) {
        const char *text = *PLACE_CONST(char *, s, base);

        buf_json_string(out, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
    } else {
        buf_t text = BUF_INIT;

        config_value_print(s, base, &text);
        buf_json_string(out, buf_text(&text), text.len);
        buf_fini(&text);
    }
}

void config_value_free(const config_setting_t *s, void *base)
{
    if (s->type == CONFIG_LIST)
        free_list(*PLACE(char **, s, base));
    else if (s->type == CONFIG_STRING || s->type == CONFIG_OBJECT)
        free(*PLACE(char *, s, base));
}
