/* SPDX-License-Identifier: Apache-2.0 */
#include "reloader.h"

#include "name_pattern.h"

#define PREFIX "reloader.stakater.com/"
#define AUTO PREFIX "auto"
#define SEARCH PREFIX "search"
#define MATCH PREFIX "match"
#define IGNORE PREFIX "ignore"

enum { VALUE = 4096 };

/* -- Annotations -- */

/* The value of an annotation, "" when there is none. LH_ETOOBIG: it has one that does not fit. */
static int annotation(lh_json_t object, const char *name, char value[VALUE])
{
    value[0] = '\0';
    return object.text != NULL ? lh_annotation(object, name, value, VALUE) : LH_ENOTFOUND;
}

static void warn(const source_t *s, const workload_t *w, const char *what)
{
    char name[256] = "";

    (void) lh_json_string(w->object, "/metadata/name", name, sizeof(name));
    lh_logf(s->self->host, s->ctx, LH_LOG_WARN, "%s %s/%s: %s", w->kind, s->ns, name, what);
}

/* A list of names in an annotation of the workload or its template. */
static void names(const source_t *s, const workload_t *w, lh_json_t object, const char *name,
                  char value[VALUE])
{
    char what[160];

    if (annotation(object, name, value) != LH_ETOOBIG)
        return;
    (void) snprintf(what, sizeof(what), "annotation %s is ignored: it has more than %d bytes", name,
                    VALUE - 1);
    warn(s, w, what);
}

static int says(lh_json_t object, const char *name, const char *expected)
{
    char value[VALUE];

    (void) annotation(object, name, value);
    return strcmp(value, expected) == 0;
}

/* What Go's strconv.ParseBool takes for true. */
static int is_true(const char *value)
{
    static const char *const words[] = {"true", "True", "TRUE", "t", "T", "1"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(value, words[i]) == 0)
            return 1;
    }
    return 0;
}

/* The next item of a list with commas, without the white space around it; NULL at the end. */
static char *next_item(char **list)
{
    char *item = *list;

    if (item == NULL)
        return NULL;
    char *comma = strchr(item, ',');
    *list = comma != NULL ? comma + 1 : NULL;
    if (comma != NULL)
        *comma = '\0';
    item += strspn(item, " \t");
    for (size_t len = strlen(item); len > 0 && strchr(" \t", item[len - 1]) != NULL; len--)
        item[len - 1] = '\0';
    return item;
}

/* Is the name excluded? Only the workload's own annotation is asked, by names as they are. */
static int is_excluded(const source_t *s, const workload_t *w)
{
    char value[VALUE], *list = value, *item;

    names(s, w, w->object,
          s->is_secret ? "secrets.exclude." PREFIX "reload" : "configmaps.exclude." PREFIX "reload",
          value);
    while ((item = next_item(&list)) != NULL) {
        if (strcmp(item, s->name) == 0)
            return 1;
    }
    return 0;
}

/* One item of a list of names: a regular expression for the whole name. */
static int matches(const source_t *s, const workload_t *w, const char *item)
{
    lh_error_t err = {0};
    const int found = *item != '\0' ? name_pattern_matches(item, s->name, &err) : 0;

    if (found < 0)
        warn(s, w, err.text);
    return found == 1;
}

static int is_named(const source_t *s, const workload_t *w, char *list)
{
    const char *item;

    while ((item = next_item(&list)) != NULL) {
        if (matches(s, w, item))
            return 1;
    }
    return 0;
}

/* What the annotations of one place, the workload or its template, say. */
typedef struct wish {
    char names[VALUE], all[VALUE], typed[VALUE], search[VALUE];
} wish_t;

static int read_wish(const source_t *s, const workload_t *w, lh_json_t object, wish_t *out)
{
    names(s, w, object, s->is_secret ? "secret." PREFIX "reload" : "configmap." PREFIX "reload",
          out->names);
    (void) annotation(object, s->is_secret ? "secret." AUTO : "configmap." AUTO, out->typed);
    (void) annotation(object, AUTO, out->all);
    (void) annotation(object, SEARCH, out->search);
    return out->names[0] != '\0' || out->typed[0] != '\0' || out->all[0] != '\0' ||
           out->search[0] != '\0';
}

static int is_wished(const source_t *s, const workload_t *w, wish_t *wish, int *named)
{
    *named = is_named(s, w, wish->names);
    if (*named || (strcmp(wish->search, "true") == 0 && says(s->object, MATCH, "true")))
        return 1;
    if (wish->all[0] == '\0' && wish->typed[0] == '\0')
        return s->self->settings.all;
    return is_true(wish->all) || is_true(wish->typed);
}

int is_wanted(const source_t *s, const workload_t *w, int *named)
{
    lh_json_t template = {"{}", 2};
    wish_t *wish = malloc(sizeof(*wish));

    *named = 0;
    if (wish == NULL || says(s->object, IGNORE, "true") || is_excluded(s, w)) {
        free(wish);
        return 0;
    }
    if (!read_wish(s, w, w->object, wish)) {
        (void) lh_json_at(w->object, "/spec/template", &template);
        (void) read_wish(s, w, template, wish);
    }
    const int wanted = is_wished(s, w, wish, named);
    free(wish);
    return wanted;
}

/* -- Use in the template -- */

typedef int (*use_t)(const source_t *s, lh_json_t spec, lh_json_t container);

/* 1 when an item of the list at pointer passes the test. */
static int any(const source_t *s, lh_json_t object, const char *pointer,
               int (*test)(const source_t *s, lh_json_t item, lh_json_t arg), lh_json_t arg)
{
    lh_json_t list, name, item;

    if (lh_json_at(object, pointer, &list) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &name, &item)) {
        if (test(s, item, arg))
            return 1;
    }
    return 0;
}

static int is_projection(const source_t *s, lh_json_t item, lh_json_t arg)
{
    (void) arg;
    return lh_json_equals(item, s->is_secret ? "/secret/name" : "/configMap/name", s->name);
}

/* Is the volume of this name (a JSON string) made of the source? */
static int is_volume(const source_t *s, lh_json_t volume, lh_json_t name)
{
    lh_json_t own;

    return lh_json_at(volume, "/name", &own) == 0 && lh_json_same(own, name) &&
           (lh_json_equals(volume, s->is_secret ? "/secret/secretName" : "/configMap/name",
                           s->name) ||
            any(s, volume, "/projected/sources", is_projection, name));
}

static int is_mount(const source_t *s, lh_json_t mount, lh_json_t spec)
{
    lh_json_t name;

    return lh_json_at(mount, "/name", &name) == 0 && any(s, spec, "/volumes", is_volume, name);
}

static int mounts(const source_t *s, lh_json_t spec, lh_json_t container)
{
    return any(s, container, "/volumeMounts", is_mount, spec);
}

static int is_variable(const source_t *s, lh_json_t variable, lh_json_t arg)
{
    (void) arg;
    return lh_json_equals(
        variable, s->is_secret ? "/valueFrom/secretKeyRef/name" : "/valueFrom/configMapKeyRef/name",
        s->name);
}

static int is_environment(const source_t *s, lh_json_t item, lh_json_t arg)
{
    (void) arg;
    return lh_json_equals(item, s->is_secret ? "/secretRef/name" : "/configMapRef/name", s->name);
}

static int reads(const source_t *s, lh_json_t spec, lh_json_t container)
{
    return any(s, container, "/env", is_variable, spec) ||
           any(s, container, "/envFrom", is_environment, spec);
}

/* The first container of the list that uses the source this way; use NULL: the first. */
static int first(const source_t *s, lh_json_t spec, const char *list, use_t use, lh_json_t *out)
{
    lh_json_t containers, name, container;

    if (lh_json_at(spec, list, &containers) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(containers);
    while (lh_json_next(&it, &name, &container)) {
        if (use == NULL || use(s, spec, container)) {
            *out = container;
            return 1;
        }
    }
    return 0;
}

/* What only an init container uses is marked at the first container: a change there rolls as well. */
int find_container(const source_t *s, const workload_t *w, int named, lh_json_t *out)
{
    static const use_t uses[] = {mounts, reads};
    lh_json_t spec, used;

    if (lh_json_at(w->object, "/spec/template/spec", &spec) < 0)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        if (first(s, spec, "/containers", uses[i], out))
            return 1;
        if (first(s, spec, "/initContainers", uses[i], &used))
            return first(s, spec, "/containers", NULL, out);
    }
    return named && first(s, spec, "/containers", NULL, out);
}
