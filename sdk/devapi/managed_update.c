/* SPDX-License-Identifier: Apache-2.0 */
/* managedFields of every write but server-side apply. */
#include "devapi/managed_write.h"

#include "devapi/managed_view.h"

#include <stdlib.h>
#include <string.h>

bool managed_is_apply(const dev_request_t *r)
{
    static const char type[] = "application/apply-patch+yaml";

    return r->verb == DEV_PATCH && r->content_type != NULL && strcmp(r->content_type, type) == 0;
}

/* What is printable ASCII of the user agent before the slash, as much of it as fits. Caller owns. */
static char *manager_of(const dev_request_t *r)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    if (dev_given(r->field_manager))
        return host_xstrdup(r->field_manager);
    for (const char *at = r->user_agent == NULL ? "" : r->user_agent;
         *at != '\0' && *at != '/' && out.len < MANAGED_MAX_NAME; at++) {
        if (*at >= ' ' && *at <= '~')
            buf_append(&out, at, 1);
    }
    return host_xstrdup(buf_text(&out));
}

/* What the object's entries are before the write: those of the request when it may and can say them,
 * else those of the object. */
static void start(const dev_request_t *r, const cJSON *before, const cJSON *claimed, managed_t *out)
{
    const bool whole = r->subresource == NULL;

    *out = (managed_t){0};
    if (whole && managed_is_reset(claimed))
        return;
    if (whole && managed_read(claimed, out) == 0 && out->n > 0)
        return;
    managed_fini(out);
    (void) managed_read(tree_at(before, "metadata.managedFields"), out);
}

static void put(cJSON *object, managed_t *m)
{
    cJSON *meta = tree_get(object, "metadata"), *json = managed_json(m);

    tree_remove(meta, "managedFields");
    if (json != NULL)
        tree_set(meta, "managedFields", json);
}

static void count(const dev_core_t *c, const dev_request_t *r, const cJSON *before, cJSON *after,
                  const cJSON *claimed)
{
    host_cleanup(managed_fini) managed_t m = {0};
    host_cleanup(host_freep) char *manager = manager_of(r);
    char now[32];

    start(r, before, claimed, &m);
    const bool scale = dev_is_sub(r, "scale");
    /* Who has got rid of them does not get them again. */
    if (scale ? dev_scale_owned(r, &m) : m.n > 0 || before == NULL) {
        managed_views_t views = managed_views_of(r, before, after);
        dev_core_now(c, now);
        managed_count(&views, &m, manager, now);
        managed_views_fini(&views);
    }
    put(after, &m);
}

void managed_write(const dev_core_t *c, const dev_request_t *r, const cJSON *before, cJSON *after,
                   cJSON *claimed)
{
    if (!managed_is_apply(r))
        count(c, r, before, after, claimed);
    else if (claimed != NULL)
        tree_set(tree_get(after, "metadata"), "managedFields", host_steal(claimed));
    cJSON_Delete(claimed);
}

void managed_chore(const dev_core_t *c, const dev_kind_t *kind, const char *manager,
                   const cJSON *before, cJSON *after)
{
    const dev_request_t r = {.verb = DEV_UPDATE,
                             .kind = kind,
                             .version = kind->versions[0].name,
                             .subresource = "status",
                             .field_manager = manager};

    managed_write(c, &r, before, after, NULL);
}

/* -- What the server alone fills in -- */

/* Defaults are counted for who creates the object; what is allocated to it, and what admission adds,
 * is not. */
static const struct {
    const char *group, *kind, *path;
} allocated[] = {
    {"", "Namespace", "spec.finalizers"},
    {"", "Service", "spec.clusterIP"},
    {"", "Service", "spec.clusterIPs"},
    {"", "Service", "spec.ipFamilies"},
    {"", "Service", "spec.ipFamilyPolicy"},
    {"", "PersistentVolume", "metadata.finalizers"},
    {"", "PersistentVolumeClaim", "metadata.finalizers"},
    {"", "Pod", "spec.priority"},
    {"", "Pod", "spec.preemptionPolicy"},
    {"batch", "Job", "metadata.labels"},
    {"batch", "Job", "spec.selector"},
    {"batch", "Job", "spec.template.metadata"},
};

static bool is_allocated(const dev_request_t *r, size_t i)
{
    return dev_is_kind(r->kind, allocated[i].group, allocated[i].kind);
}

cJSON *managed_given(const dev_request_t *r, const cJSON *object)
{
    for (size_t i = 0; i < HOST_LEN(allocated); i++) {
        if (is_allocated(r, i))
            return cJSON_Duplicate(object, true);
    }
    return NULL;
}

/* Makes the member of a copy what it was. */
static void put_back(cJSON *copy, const char *path, const cJSON *given)
{
    const char *dot = strrchr(path, '.');
    host_cleanup(host_freep) char *above = host_xprintf("%.*s", (int) (dot - path), path);
    const cJSON *value = tree_at(given, path);

    tree_remove(tree_at(copy, above), dot + 1);
    if (value != NULL)
        tree_set(tree_at(copy, above), dot + 1, cJSON_Duplicate(value, true));
}

void managed_create(const dev_core_t *c, const dev_request_t *r, const cJSON *given, cJSON *after,
                    cJSON *claimed)
{
    cJSON *copy, *meta;

    if (given == NULL) {
        managed_write(c, r, NULL, after, claimed);
        return;
    }
    copy = cJSON_Duplicate(after, true);
    for (size_t i = 0; i < HOST_LEN(allocated); i++) {
        if (is_allocated(r, i))
            put_back(copy, allocated[i].path, given);
    }
    managed_write(c, r, NULL, copy, claimed);
    meta = tree_get(copy, "metadata");
    tree_set(tree_get(after, "metadata"), "managedFields",
             cJSON_DetachItemFromObjectCaseSensitive(meta, "managedFields"));
    cJSON_Delete(copy);
}

/* -- Comparing -- */

/* Caller owns; NULL when there are none. */
static char *text_without_times(const cJSON *managed)
{
    cJSON *copy = cJSON_Duplicate(managed, true), *item;
    char *text;

    cJSON_ArrayForEach (item, copy)
        tree_remove(item, "time");
    text = copy == NULL ? NULL : cJSON_PrintUnformatted(copy);
    cJSON_Delete(copy);
    return text;
}

/* Both are as managed_json writes them. */
bool managed_same_but_times(const cJSON *a, const cJSON *b)
{
    host_cleanup(host_freep) char *x = text_without_times(a), *y = text_without_times(b);

    return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}
