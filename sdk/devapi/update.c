/* SPDX-License-Identifier: Apache-2.0 */
/* PUT and PATCH, of objects and of their subresources status and scale. */
#include "devapi/core_impl.h"
#include "devapi/patch.h"

#include <stdlib.h>
#include <string.h>

static bool is_sub(const dev_request_t *r, const char *name)
{
    return r->subresource != NULL && strcmp(r->subresource, name) == 0;
}

/* -- Preconditions -- */

static int check_uid(const dev_request_t *r, const cJSON *meta, const char *present,
                     dev_status_t *st)
{
    const char *uid = tree_text(meta, "uid");

    if (uid[0] == '\0' || strcmp(uid, present) == 0)
        return 0;
    host_cleanup(host_freep) char *why =
        host_xprintf("StorageError: invalid object, Code: 4, Key: /registry/%s/%s, "
                     "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in "
                     "precondition: %s, UID in object meta: %s",
                     r->kind->resource, r->name, uid, present);
    return dev_conflict(st, r->kind, r->name, why);
}

static int check_precondition(const dev_request_t *r, const cJSON *meta, const dev_object_t *old,
                              dev_status_t *st)
{
    const char *version = tree_text(meta, "resourceVersion"), *name = tree_text(meta, "name");
    const char *space = tree_text(meta, "namespace");
    char present[24];

    if (name[0] != '\0' && strcmp(name, r->name) != 0)
        return dev_refuse(st, 400, "BadRequest",
                          "the name of the object (%s) does not match the name on the URL (%s)",
                          name, r->name);
    if (name[0] == '\0' && r->verb == DEV_UPDATE)
        return dev_refuse(st, 400, "BadRequest",
                          "the name of the object (based on URL) was undeterminable: name must be "
                          "provided");
    if (space[0] != '\0' && r->ns != NULL && strcmp(space, r->ns) != 0)
        return dev_refuse(
            st, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on "
            "the request");
    if (strspn(version, "0123456789") != strlen(version))
        return dev_refuse(st, 500, "", "strconv.ParseUint: parsing \"%s\": invalid syntax",
                          version);
    snprintf(present, sizeof(present), "%lld", (long long) old->version);
    if (version[0] == '\0' && r->verb == DEV_UPDATE &&
        (r->kind->flags & (DEV_PUT_NEEDS_VERSION | DEV_CUSTOM)) != 0) {
        dev_cause(st, "metadata.resourceVersion", "FieldValueInvalid",
                  "Invalid value: 0: must be specified for an update");
        return dev_judge(st, r->kind->group, r->kind->kind, r->name);
    }
    if (version[0] != '\0' && strcmp(version, present) != 0 && strcmp(version, "0") != 0)
        return dev_conflict(st, r->kind, r->name,
                            "the object has been modified; please apply your changes to the latest "
                            "version and try again");
    return check_uid(r, meta, old->uid, st);
}

/* -- What an update may not change -- */

static void keep(cJSON *next, const cJSON *old, const char *key)
{
    const cJSON *value = tree_get(old, key);

    if (value != NULL)
        tree_set(next, key, cJSON_Duplicate(value, true));
    else
        tree_remove(next, key);
}

static void keep_meta(cJSON *next, const cJSON *old)
{
    static const char *const server[] = {
        "name",           "namespace",         "uid",          "creationTimestamp",
        "generation",     "deletionTimestamp", "generateName", "deletionGracePeriodSeconds",
        "resourceVersion"};

    for (size_t i = 0; i < HOST_LEN(server); i++)
        keep(next, old, server[i]);
    tree_remove(next, "managedFields");
    tree_remove(next, "selfLink");
}

/* Anything but metadata and status differs. */
static bool spec_differs(const cJSON *a, const cJSON *b)
{
    static const char *const apart[] = {"metadata", "status", "kind", "apiVersion"};
    cJSON *x = cJSON_Duplicate(a, true), *y = cJSON_Duplicate(b, true);

    for (size_t i = 0; i < HOST_LEN(apart); i++) {
        tree_remove(x, apart[i]);
        tree_remove(y, apart[i]);
    }
    const bool same = tree_same(x, y);
    cJSON_Delete(x);
    cJSON_Delete(y);
    return !same;
}

/* next becomes what the subresource may make of old. */
static void confine(const dev_request_t *r, cJSON *next, const cJSON *old)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);

    if (is_sub(r, "status")) {
        cJSON *status = cJSON_DetachItemFromObjectCaseSensitive(next, "status");
        cJSON *whole = cJSON_Duplicate(old, true);
        cJSON_Delete(next->child);
        next->child = whole->child;
        whole->child = NULL;
        cJSON_Delete(whole);
        tree_remove(next, "status");
        if (status != NULL)
            tree_set(next, "status", status);
        return;
    }
    if (v != NULL && v->status)
        keep(next, old, "status");
    keep_meta(tree_object(next, "metadata"), tree_get(old, "metadata"));
    if ((r->kind->flags & (DEV_GENERATION | DEV_CUSTOM)) != 0 && spec_differs(next, old)) {
        cJSON *meta = tree_get(next, "metadata");
        tree_set(meta, "generation", cJSON_CreateNumber(tree_number(meta, "generation", 0) + 1));
    }
}

static void check_finalizers(const cJSON *next, const cJSON *old, dev_status_t *st)
{
    const cJSON *before = tree_at(old, "metadata.finalizers"), *f;

    if (tree_at(old, "metadata.deletionTimestamp") == NULL)
        return;
    cJSON_ArrayForEach (f, tree_at(next, "metadata.finalizers")) {
        if (cJSON_IsString(f) && !tree_has_text(before, f->valuestring))
            dev_cause(st, "metadata.finalizers", "FieldValueForbidden",
                      "Forbidden: no new finalizers can be added if the object is being deleted, "
                      "found new finalizers []string{\"%s\"}",
                      f->valuestring);
    }
}

/* -- Storing -- */

static bool may_go(const cJSON *tree)
{
    return tree_at(tree, "metadata.deletionTimestamp") != NULL &&
           tree_empty(tree_at(tree, "metadata.finalizers")) &&
           tree_empty(tree_at(tree, "spec.finalizers"));
}

const dev_object_t *dev_settle(dev_core_t *c, dev_table_t *t, const dev_object_t *old, cJSON *tree)
{
    cJSON *before = dev_object_tree(old);

    tree_remove(tree, "kind");
    tree_remove(tree, "apiVersion");
    const bool same = tree_same(before, tree);
    cJSON_Delete(before);
    if (may_go(tree)) {
        dev_store_remove(c->store, t, old);
        return NULL;
    }
    return same ? old : dev_store_put(c->store, t, tree);
}

static void show_gone(const dev_view_t *view, cJSON *tree, dev_reply_t *reply)
{
    dev_render_tree(view, tree, &reply->body);
}

/* next is owned by the caller and changed. */
static int replace(dev_core_t *c, const dev_request_t *r, const dev_object_t *old, cJSON *next,
                   dev_reply_t *reply, dev_status_t *st)
{
    const dev_view_t view = {r->kind, r->version, r->shape};
    cJSON *before = dev_object_tree(old);
    int ret = check_precondition(r, tree_get(next, "metadata"), old, st);

    if (ret == 0)
        ret = dev_decode(r, next, st);
    if (ret == 0) {
        confine(r, next, before);
        check_finalizers(next, before, st);
        ret = dev_admit(r, next, before, &reply->warning, st);
    }
    if (ret == 0 && dev_is_dry(r)) {
        dev_render_tree(&view, next, &reply->body);
    } else if (ret == 0) {
        const dev_object_t *now = dev_settle(c, dev_core_table(c, r->kind), old, next);
        if (now != NULL)
            dev_render(&view, now, false, &reply->body);
        else
            show_gone(&view, next, reply);
    }
    cJSON_Delete(before);
    return ret;
}

/* -- Scale: autoscaling/v1 Scale of spec.replicas -- */

static const char *path_or(const char *path, const char *otherwise)
{
    return path != NULL ? path + (path[0] == '.') : otherwise;
}

static void render_scale(const dev_request_t *r, const cJSON *tree, buf_t *out)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    const cJSON *meta = tree_get(tree, "metadata");
    const cJSON *wanted = tree_at(tree, path_or(v->spec_replicas_path, "spec.replicas"));
    const cJSON *actual = tree_at(tree, path_or(v->status_replicas_path, "status.replicas"));
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion",
                                       "creationTimestamp"};
    cJSON *scale = cJSON_CreateObject();

    cJSON_AddStringToObject(scale, "kind", "Scale");
    cJSON_AddStringToObject(scale, "apiVersion", "autoscaling/v1");
    for (size_t i = 0; i < HOST_LEN(kept); i++)
        keep(tree_object(scale, "metadata"), meta, kept[i]);
    tree_set(tree_object(scale, "spec"), "replicas",
             cJSON_CreateNumber(cJSON_IsNumber(wanted) ? wanted->valuedouble : 0));
    tree_set(tree_object(scale, "status"), "replicas",
             cJSON_CreateNumber(cJSON_IsNumber(actual) ? actual->valuedouble : 0));
    char *text = cJSON_PrintUnformatted(scale);
    buf_puts(out, text);
    cJSON_free(text);
    cJSON_Delete(scale);
}

/* The parent of the last step of a dotted path, made where absent. */
static cJSON *parent_at(cJSON *tree, const char *path, const char **last)
{
    char step[128];

    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        snprintf(step, sizeof(step), "%.*s", (int) (dot - path), path);
        tree = tree_object(tree, step);
    }
    *last = path;
    return tree;
}

static int put_scale(dev_core_t *c, const dev_request_t *r, const dev_object_t *old,
                     const cJSON *scale, dev_reply_t *reply, dev_status_t *st)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    const cJSON *replicas = tree_at(scale, "spec.replicas");
    cJSON *next = dev_object_tree(old);
    dev_request_t whole = *r;
    const char *last;

    whole.subresource = NULL;
    tree_default_text(tree_object(next, "metadata"), "name", r->name);
    cJSON *parent = parent_at(next, path_or(v->spec_replicas_path, "spec.replicas"), &last);
    tree_set(parent, last,
             cJSON_CreateNumber(cJSON_IsNumber(replicas) ? replicas->valuedouble : 0));
    keep(tree_object(next, "metadata"), tree_get(scale, "metadata"), "resourceVersion");
    int ret = replace(c, &whole, old, next, reply, st);
    cJSON_Delete(next);
    if (ret < 0)
        return ret;
    buf_clear(&reply->body);
    const dev_object_t *now = dev_table_find(dev_core_table(c, r->kind), old->ns, old->name);
    cJSON *tree = dev_object_tree(now != NULL ? now : old);
    render_scale(r, tree, &reply->body);
    cJSON_Delete(tree);
    return 0;
}

int dev_get_scale(const dev_request_t *r, const dev_object_t *o, dev_reply_t *reply)
{
    cJSON *tree = dev_object_tree(o);

    render_scale(r, tree, &reply->body);
    cJSON_Delete(tree);
    return 0;
}

/* -- PUT -- */

static int put_missing(dev_core_t *c, const dev_request_t *r, cJSON *body, dev_reply_t *reply,
                       dev_status_t *st)
{
    cJSON *meta = tree_get(body, "metadata");

    if ((r->kind->flags & DEV_CREATE_ON_PUT) == 0 || r->subresource != NULL)
        return dev_not_found(st, r->kind, r->name);
    const int ret = check_uid(r, meta, "", st);
    if (ret < 0)
        return ret;
    if (tree_text(meta, "resourceVersion")[0] != '\0')
        return dev_not_found(st, r->kind, r->name);
    return dev_create_tree(c, r, body, reply, st);
}

int dev_verb_update(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *old =
        dev_table_find(dev_core_table(c, r->kind), r->ns != NULL ? r->ns : "", r->name);
    cJSON *body = NULL;
    int ret = dev_take_body(r, &body, st);

    if (ret < 0)
        return ret;
    if (old == NULL) {
        ret = put_missing(c, r, body, reply, st);
    } else {
        dev_object_ref(old);
        ret = is_sub(r, "scale") ? put_scale(c, r, old, body, reply, st)
                                 : replace(c, r, old, body, reply, st);
        dev_object_unref(old);
    }
    cJSON_Delete(body);
    return ret;
}

/* -- PATCH -- */

static int patch_type(const dev_request_t *r, enum dev_patch *type, dev_status_t *st)
{
    static const struct {
        const char *media;
        enum dev_patch type;
    } known[] = {{"application/json-patch+json", DEV_PATCH_JSON},
                 {"application/merge-patch+json", DEV_PATCH_MERGE},
                 {"application/strategic-merge-patch+json", DEV_PATCH_STRATEGIC}};
    const bool custom = (r->kind->flags & DEV_CUSTOM) != 0;

    for (size_t i = 0; i < HOST_LEN(known); i++) {
        if (r->content_type == NULL || strcmp(r->content_type, known[i].media) != 0 ||
            (custom && known[i].type == DEV_PATCH_STRATEGIC))
            continue;
        *type = known[i].type;
        return 0;
    }
    return dev_refuse(st, 415, "UnsupportedMediaType",
                      "the body of the request was in an unknown format - accepted media types "
                      "include: application/json-patch+json, application/merge-patch+json%s",
                      custom ? "" : ", application/strategic-merge-patch+json");
}

static int patch_object(dev_core_t *c, const dev_request_t *r, const dev_object_t *old,
                        enum dev_patch type, dev_reply_t *reply, dev_status_t *st)
{
    const bool scale = is_sub(r, "scale");
    cJSON *current = NULL, *next = NULL;

    if (scale) {
        dev_reply_t shown = {0};
        (void) dev_get_scale(r, old, &shown);
        current = cJSON_Parse(buf_text(&shown.body));
        dev_reply_fini(&shown);
    } else {
        current = dev_object_tree(old);
        if (strcmp(r->kind->group, "events.k8s.io") == 0)
            dev_event_from_core(current);
    }
    int ret = dev_patch_apply(type, r->kind, current, r->body != NULL ? r->body : "", r->body_len,
                              &next, st);
    if (ret == 0)
        ret = scale ? put_scale(c, r, old, next, reply, st) : replace(c, r, old, next, reply, st);
    cJSON_Delete(current);
    cJSON_Delete(next);
    return ret;
}

int dev_verb_patch(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *old =
        dev_table_find(dev_core_table(c, r->kind), r->ns != NULL ? r->ns : "", r->name);
    enum dev_patch type = DEV_PATCH_MERGE;
    int ret = patch_type(r, &type, st);

    if (ret < 0)
        return ret;
    if (old == NULL)
        return dev_not_found(st, r->kind, r->name);
    dev_object_ref(old);
    ret = patch_object(c, r, old, type, reply, st);
    dev_object_unref(old);
    return ret;
}
