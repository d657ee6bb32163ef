/* SPDX-License-Identifier: Apache-2.0 */
#include "janitor.h"

#define EMPTY lh_json_text("[]", 2)

static lh_json_t list_or(lh_json_t config, const char *pointer, lh_json_t fallback)
{
    lh_json_t list;

    return lh_json_at(config, pointer, &list) == 0 ? list : fallback;
}

static size_t count_of(lh_json_t list)
{
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t name, item;
    size_t n = 0;

    while (lh_json_next(&it, &name, &item))
        n++;
    return n;
}

/* -- Kinds -- */

/* The host has checked that these are a watch's fields; only their length is open. */
static int read_kind(lh_json_t item, kind_t *out, lh_error_t *err)
{
    char group[sizeof(out->api_version) - 64] = "", version[63];
    int ret = lh_json_string(item, "/group", group, sizeof(group));

    if (ret == 0 || ret == LH_ENOTFOUND)
        ret = lh_json_string(item, "/version", version, sizeof(version));
    if (ret == 0)
        ret = lh_json_string(item, "/resource", out->resource, sizeof(out->resource));
    if (ret == 0)
        ret = lh_json_string(item, "/kind", out->kind, sizeof(out->kind));
    if (ret < 0)
        return lh_errorf(err, LH_EINVAL, "kinds: %s: %.*s", lh_strerror(ret), (int) item.len,
                         item.text);
    (void) snprintf(out->api_version, sizeof(out->api_version), "%s%s%s", group,
                    group[0] != '\0' ? "/" : "", version);
    return 0;
}

static size_t group_len(const kind_t *kind)
{
    const char *slash = strchr(kind->api_version, '/');

    return slash != NULL ? (size_t) (slash - kind->api_version) : 0;
}

/* Two watches of one kind would delete everything twice. */
static int check_twins(const settings_t *s, lh_error_t *err)
{
    const kind_t *last = &s->kinds[s->kind_count - 1];

    for (size_t i = 0; i + 1 < s->kind_count; i++) {
        const kind_t *kind = &s->kinds[i];
        if (strcmp(kind->resource, last->resource) == 0 && group_len(kind) == group_len(last) &&
            strncmp(kind->api_version, last->api_version, group_len(last)) == 0)
            return lh_errorf(err, LH_EINVAL, "kinds: %s stand there twice", last->resource);
    }
    return 0;
}

static int read_kinds(settings_t *s, lh_json_t config, lh_error_t *err)
{
    const lh_json_t list = list_or(config, "/kinds", EMPTY);
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t name, item;
    int ret = 0;

    s->kinds = calloc(count_of(list) + 1, sizeof(*s->kinds));
    if (s->kinds == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    while (ret == 0 && lh_json_next(&it, &name, &item)) {
        ret = read_kind(item, &s->kinds[s->kind_count++], err);
        if (ret == 0)
            ret = check_twins(s, err);
    }
    return ret;
}

/* -- Rules -- */

static int is_rule_id(const char *id)
{
    return id[0] >= 'a' && id[0] <= 'z' &&
           id[strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static int read_condition(lh_json_t item, rule_t *out, lh_error_t *err)
{
    lh_json_t quoted;
    int ret = lh_json_at(item, "/jmespath", &quoted);

    if (ret < 0)
        return lh_errorf(err, ret, "rules: '%s': jmespath: %s", out->id, lh_strerror(ret));
    char *expression = malloc(quoted.len + 1);
    if (expression == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    ret = lh_json_string(quoted, "", expression, quoted.len + 1);
    if (ret == 0)
        ret = condition_compile(expression, &out->condition, err);
    else
        (void) lh_errorf(err, ret, "rules: '%s': jmespath: %s", out->id, lh_strerror(ret));
    free(expression);
    return ret;
}

static int read_rule(lh_json_t item, rule_t *out, lh_error_t *err)
{
    lh_error_t inner = {0};

    if (lh_json_string(item, "/id", out->id, sizeof(out->id)) < 0 || !is_rule_id(out->id))
        return lh_errorf(err, LH_EINVAL,
                         "rules: an id must be at most 63 lower-case letters, digits and '-', and "
                         "begin with a letter: %.*s",
                         (int) item.len, item.text);
    if (lh_json_string(item, "/ttl", out->ttl_text, sizeof(out->ttl_text)) < 0 ||
        ttl_parse(out->ttl_text, &out->ttl) < 0)
        return lh_errorf(err, LH_EINVAL, "rules: '%s': ttl is none (60s, 5m, 8h, 7d, 2w, forever)",
                         out->id);
    if (lh_json_at(item, "/resources", &out->resources) < 0)
        return lh_errorf(err, LH_EINVAL, "rules: '%s': resources are missing", out->id);
    const int ret = read_condition(item, out, &inner);

    return ret < 0 ? lh_errorf(err, ret, "rules: '%s': %s", out->id, inner.text) : 0;
}

static int read_rules(settings_t *s, lh_json_t config, lh_error_t *err)
{
    const lh_json_t list = list_or(config, "/rules", EMPTY);
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t name, item;
    int ret = 0;

    s->rules = calloc(count_of(list) + 1, sizeof(*s->rules));
    if (s->rules == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    while (ret == 0 && lh_json_next(&it, &name, &item))
        ret = read_rule(item, &s->rules[s->rule_count++], err);
    if (ret == 0 && s->rule_count > 0 && s->kind_count == 0)
        ret = lh_errorf(err, LH_EINVAL, "rules: there are no kinds that they could be for");
    return ret;
}

/* -- All -- */

static int read_settings(settings_t *s, lh_error_t *err)
{
    const lh_json_t config = lh_json_text(s->text, strlen(s->text));
    int ret = read_kinds(s, config, err);

    if (ret == 0)
        ret = read_rules(s, config, err);
    if (ret < 0)
        return ret;
    s->include = list_or(config, "/includeNamespaces", EMPTY);
    s->exclude = list_or(config, "/excludeNamespaces", lh_json_text("[\"kube-system\"]", 15));
    (void) lh_json_bool(config, "/dryRun", &s->dry_run);
    ret = lh_json_string(config, "/deploymentTimeAnnotation", s->deployment_time,
                         sizeof(s->deployment_time));
    if (ret < 0 && ret != LH_ENOTFOUND)
        return lh_errorf(err, ret, "deploymentTimeAnnotation: %s", lh_strerror(ret));
    return 0;
}

int settings_init(settings_t *out, const char *config, lh_error_t *err)
{
    memset(out, 0, sizeof(*out));
    out->text = strdup(config);
    if (out->text == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const int ret = read_settings(out, err);

    if (ret < 0)
        settings_fini(out);
    return ret;
}

void settings_fini(settings_t *s)
{
    for (size_t i = 0; i < s->rule_count; i++)
        free(s->rules[i].condition);
    free(s->rules);
    free(s->kinds);
    free(s->text);
}
