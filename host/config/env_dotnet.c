/* SPDX-License-Identifier: Apache-2.0 */
/* Variables as .NET reads them: "__" or ":" between the parts of a name, in any case, and a list entry
 * by entry (KubeOps__Namespaces__0). */
#include "base/error.h"
#include "config/dotnet.h"
#include "config/sources.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 256 /* of any name; a longer one is unknown */
#define MAX_ENTRIES 1000

struct variable {
    char typed[NAME_MAX_LEN]; /* "KubeOps__Namespaces__0", cut */
    char path[NAME_MAX_LEN];  /* "Namespaces" */
    const char *value;        /* borrowed */
    long index;               /* -1: no entry of a list */
    int row;                  /* in config_settings; -1: none */
};

struct reader {
    config_t *config;
    const char *const *env;
    char by[CONFIG_SETTINGS][NAME_MAX_LEN]; /* the variable that set the row; "": none */
};

/* Cuts ":12" off the end of path; -1 when there is none. */
static long take_index(char *path)
{
    char *colon = strrchr(path, ':'), *end;

    if (colon == NULL || colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
        strlen(colon) > 7)
        return -1;
    const long index = strtol(colon + 1, &end, 10);

    *colon = '\0';
    return index;
}

/* False for a variable that is none of ours. */
static bool parse(const char *entry, struct variable *v)
{
    static const char section[] = CONFIG_DOTNET_SECTION ":";
    const char *eq = strchr(entry, '=');
    char name[NAME_MAX_LEN];
    size_t n = 0;

    if (eq == NULL)
        return false;
    snprintf(v->typed, sizeof(v->typed), "%.*s",
             (int) HOST_MIN((size_t) (eq - entry), sizeof(v->typed) - 1), entry);
    for (const char *p = v->typed; *p != '\0'; p++) {
        const bool separator = p[0] == '_' && p[1] == '_';

        name[n++] = separator ? ':' : *p;
        p += separator;
    }
    name[n] = '\0';
    if (strncasecmp(name, section, sizeof(section) - 1) != 0)
        return false;
    snprintf(v->path, sizeof(v->path), "%s", name + sizeof(section) - 1);
    v->value = eq + 1;
    v->index = -1;

    bool alias;

    v->row = config_dotnet_find(v->path, &alias);
    if (v->row < 0) {
        v->index = take_index(v->path);
        v->row = v->index >= 0 ? config_dotnet_find(v->path, &alias) : -1;
        if (v->row >= 0 && (alias || config_settings[v->row].type != CONFIG_LIST))
            v->row = -1;
    }
    return true;
}

static int unknown(const struct variable *v, lh_error_t *err)
{
    static const char instances[] = CONFIG_DOTNET_INSTANCES ":";

    if (strncasecmp(v->path, instances, sizeof(instances) - 1) == 0)
        return host_fail(err, LH_EINVAL, "environment %s: instances are not set by the environment",
                         v->typed);
    const char *rest = v->typed + strlen(CONFIG_DOTNET_SECTION);

    return config_dotnet_unknown("environment", rest + (*rest == ':' ? 1 : 2), "__", err);
}

static int by_index(const void *a, const void *b)
{
    const long x = ((const struct variable *) a)->index, y = ((const struct variable *) b)->index;

    return (x > y) - (x < y);
}

/* All variables that are entries of the same list as v; one more than MAX_ENTRIES at most. */
static size_t collect(const struct reader *r, const struct variable *v, struct variable *out)
{
    size_t n = 0;

    for (const char *const *e = r->env; *e != NULL && n <= MAX_ENTRIES; e++) {
        if (parse(*e, &out[n]) && out[n].row == v->row && out[n].index >= 0)
            n++;
    }
    qsort(out, n, sizeof(*out), by_index);
    return n;
}

static int set_list(struct reader *r, const struct variable *v, const char *place, lh_error_t *err)
{
    host_cleanup(host_freep) struct variable *entries =
        host_xcalloc(MAX_ENTRIES + 1, sizeof(*entries));
    host_cleanup(host_freep) config_node_t *items = host_xcalloc(MAX_ENTRIES + 1, sizeof(*items));
    const size_t n = collect(r, v, entries);
    const config_node_t list = {.kind = CONFIG_SEQUENCE, .items = items, .count = n};
    const config_input_t in = {
        .key = config_settings[v->row].key, .node = &list, .place = place, .origin = place};

    for (size_t i = 0; i < n; i++) {
        if (i > 0 && entries[i].index == entries[i - 1].index)
            return host_fail(err, LH_EINVAL, "environment %s: %s sets the same", entries[i].typed,
                             entries[i - 1].typed);
        items[i] = config_text_node(entries[i].value);
    }
    return config_set(r->config, &in, err);
}

static int set_variable(struct reader *r, const struct variable *v, lh_error_t *err)
{
    char place[NAME_MAX_LEN + 16], *by = r->by[v->row];
    const bool entry = v->index >= 0;

    if (entry && strcmp(by, "entries") == 0)
        return 0;
    if (*by != '\0')
        return host_fail(err, LH_EINVAL, "environment %s: %s sets the same", v->typed,
                         strcmp(by, "entries") == 0 ? "a variable for each entry" : by);
    snprintf(by, NAME_MAX_LEN, "%s", entry ? "entries" : v->typed);
    snprintf(place, sizeof(place), "environment %s", v->typed);
    if (entry)
        return set_list(r, v, place, err);
    const config_node_t node = config_text_node(v->value);
    const config_input_t in = {
        .key = config_settings[v->row].key, .node = &node, .place = place, .origin = place};

    return config_set(r->config, &in, err);
}

int config_set_from_dotnet_env(config_t *c, const char *const *env, const bool *given,
                               lh_error_t *err)
{
    struct reader r = {.config = c, .env = env};
    int rc = 0;

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        if (given[i])
            config_env_name(config_settings[i].key, r.by[i]);
    }
    for (; rc == 0 && env != NULL && *env != NULL; env++) {
        struct variable v;

        if (!parse(*env, &v))
            continue;
        rc = v.row >= 0 ? set_variable(&r, &v, err) : unknown(&v, err);
    }
    return rc;
}
