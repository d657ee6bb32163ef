/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#include "name_pattern.h"

#include <fnmatch.h>
#include <strings.h>

enum { VALUE = 4096 };

/* -- Annotations -- */

static int flag(lh_json_t object, const char *name)
{
    char value[16];

    return lh_annotation(object, name, value, sizeof(value)) == 0 && strcasecmp(value, "true") == 0;
}

/* May it be the name of an object? It becomes a part of a path. */
static int is_name(const char *text)
{
    return text[0] != '\0' && text[0] != '.' &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0';
}

int read_reflects(lh_json_t object, reflects_t *out)
{
    char value[sizeof(out->ns) + sizeof(out->name)];

    memset(out, 0, sizeof(*out));
    if (lh_annotation(object, PREFIX "reflects", value, sizeof(value)) < 0)
        return 0;
    char *slash = strchr(value, '/');
    if (slash == NULL)
        return 0;
    *slash = '\0';
    if (!is_name(value) || !is_name(slash + 1))
        return 0;
    if (strlen(value) >= sizeof(out->ns) || strlen(slash + 1) >= sizeof(out->name))
        return 0;
    memcpy(out->ns, value, strlen(value) + 1);
    memcpy(out->name, slash + 1, strlen(slash + 1) + 1);
    out->automatic = flag(object, PREFIX "auto-reflects");
    return 1;
}

int is_mirror_of(lh_json_t mirror, const object_t *source, int automatic)
{
    reflects_t r;

    return read_reflects(mirror, &r) && !r.automatic == !automatic &&
           strcmp(r.ns, source->ns) == 0 && strcmp(r.name, source->name) == 0;
}

int is_allowed(lh_json_t source)
{
    return flag(source, PREFIX "reflection-allowed");
}

int is_automatic(lh_json_t source)
{
    return is_allowed(source) && flag(source, PREFIX "reflection-auto-enabled");
}

/* -- Namespaces -- */

int is_excluded(const work_t *w, const char *ns)
{
    lh_json_iter_t it = lh_json_each(w->self->excluded);
    lh_json_t name, item;
    char glob[256];

    while (lh_json_next(&it, &name, &item)) {
        if (lh_json_string(item, "", glob, sizeof(glob)) == 0 && fnmatch(glob, ns, 0) == 0)
            return 1;
    }
    return 0;
}

/* One item of a list: a regular expression for the whole name. */
static int matches_name(const work_t *w, const object_t *source, const char *item, const char *ns)
{
    lh_error_t err = {0};
    const int found = name_pattern_matches(item, ns, &err);

    if (found < 0)
        complain(w, source, err.text);
    return found == 1;
}

static int matches_list(const work_t *w, const object_t *source, char *list, const char *ns)
{
    for (char *item = list, *next; item != NULL; item = next) {
        next = strchr(item, ',');
        if (next != NULL)
            *next++ = '\0';
        item += strspn(item, " \t");
        for (size_t len = strlen(item); len > 0 && strchr(" \t", item[len - 1]) != NULL; len--)
            item[len - 1] = '\0';
        if (*item != '\0' && matches_name(w, source, item, ns))
            return 1;
    }
    return 0;
}

/* Without the namespace at hand, and with a selector that is none, nothing matches. */
static int matches_selector(const work_t *w, const object_t *source, const char *selector,
                            const char *ns)
{
    const lh_key_t key = lh_key_of(WATCH_NAMESPACES, "", ns);
    lh_snapshot_t *object = NULL;
    lh_error_t err = {0};

    if (lh_cache_get(w->self->host, w->ctx, &key, &object, NULL) < 0)
        return 0;
    const int ret = lh_selector_matches(selector, lh_snapshot_json(w->self->host, object), &err);
    if (ret < 0)
        complain(w, source, err.text);
    lh_snapshot_release(w->self->host, object);
    return ret == 1;
}

/* Both annotations empty: every namespace; else one of the two must match. */
static int matches(const work_t *w, const object_t *source, const char *list_name,
                   const char *selector_name, const char *ns)
{
    char list[VALUE] = "", selector[VALUE] = "", what[256];
    const int listed = lh_annotation(source->json, list_name, list, sizeof(list));
    const int selected = lh_annotation(source->json, selector_name, selector, sizeof(selector));

    if (listed == LH_ETOOBIG || selected == LH_ETOOBIG) {
        (void) snprintf(what, sizeof(what), "%s or %s has more than %d bytes", list_name,
                        selector_name, VALUE - 1);
        complain(w, source, what);
        return 0;
    }
    if (list[0] == '\0' && selector[0] == '\0')
        return 1;
    return (list[0] != '\0' && matches_list(w, source, list, ns)) ||
           (selector[0] != '\0' && matches_selector(w, source, selector, ns));
}

int permits(const work_t *w, const object_t *source, const char *ns, int automatic)
{
    if (!is_allowed(source->json) || !matches(w, source, PREFIX "reflection-allowed-namespaces",
                                              PREFIX "reflection-allowed-namespaces-selector", ns))
        return 0;
    return !automatic || (is_automatic(source->json) &&
                          matches(w, source, PREFIX "reflection-auto-namespaces",
                                  PREFIX "reflection-auto-namespaces-selector", ns));
}
