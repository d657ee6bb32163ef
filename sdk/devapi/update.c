/* SPDX-License-Identifier: Apache-2.0 */
/* PUT, and what every change of an object goes through. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"

#include <stdio.h>
#include <string.h>

/* -- Preconditions -- */

int dev_check_uid(const dev_request_t *r, const char *uid, const char *present, dev_status_t *st)
{
    if (uid[0] == '\0' || strcmp(uid, present) == 0)
        return 0;
    host_cleanup(host_freep) char *why = host_xprintf(
        "StorageError: invalid object, Code: 4, Key: /registry/%s%s%s/%s, ResourceVersion: 0, "
        "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
        r->kind->resource, r->ns == NULL ? "" : "/", dev_ns(r), r->name, uid, present);
    return dev_conflict(st, r->kind, r->name, why);
}

static int check_version(const dev_request_t *r, const char *text, const dev_object_t *old,
                         dev_status_t *st)
{
    int64_t version;

    if (dev_parse_version(text, &version) < 0)
        return dev_refuse(st, 500, "", "strconv.ParseUint: parsing \"%s\": invalid syntax", text);
    if (version == 0 && (r->kind->flags & (DEV_PUT_NEEDS_VERSION | DEV_CUSTOM)) != 0) {
        dev_cause(st, "metadata.resourceVersion", "FieldValueInvalid",
                  "Invalid value: 0: must be specified for an update");
        /* The real one names the resource where elsewhere the kind stands. */
        return dev_judge(st, r->kind->group, r->kind->resource, r->name);
    }
    return version != 0 && version != old->version ? dev_modified(st, r->kind, r->name) : 0;
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
    static const char *const kept[] = {"generation", "creationTimestamp", "resourceVersion"};
    static const char *const if_absent[] = {"uid", "deletionGracePeriodSeconds", "namespace"};

    for (size_t i = 0; i < HOST_LEN(kept); i++)
        keep(next, old, kept[i]);
    for (size_t i = 0; i < HOST_LEN(if_absent); i++) {
        if (tree_get(next, if_absent[i]) == NULL)
            keep(next, old, if_absent[i]);
    }
    if (tree_get(old, "deletionTimestamp") != NULL)
        keep(next, old, "deletionTimestamp");
}

/* Everything but metadata and status stays. */
static void keep_spec(cJSON *next, const cJSON *old)
{
    const cJSON *item;

    for (cJSON *it = next->child, *after; it != NULL; it = after) {
        after = it->next;
        if (strcmp(it->string, "metadata") != 0 && strcmp(it->string, "status") != 0)
            cJSON_Delete(cJSON_DetachItemViaPointer(next, it));
    }
    cJSON_ArrayForEach (item, old) {
        if (strcmp(item->string, "metadata") != 0 && strcmp(item->string, "status") != 0)
            tree_set(next, item->string, cJSON_Duplicate(item, true));
    }
}

/* What the status subresource leaves alone, kind by kind. */
static void confine_status(const dev_request_t *r, cJSON *next, const cJSON *old)
{
    cJSON *meta = tree_get(next, "metadata");
    const cJSON *old_meta = tree_get(old, "metadata");

    keep_spec(next, old);
    if ((r->kind->flags & DEV_CUSTOM) != 0)
        tree_set(next, "metadata", cJSON_Duplicate(old_meta, true));
    else if (dev_is_kind(r->kind, "apps", "Deployment"))
        keep(meta, old_meta, "labels");
    else if (dev_is_kind(r->kind, "", "Pod"))
        keep(meta, old_meta, "ownerReferences");
}

static void confine(const dev_request_t *r, cJSON *next, const cJSON *old)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    const cJSON *finalizers = tree_at(old, "spec.finalizers");

    if (dev_is_sub(r, "status")) {
        confine_status(r, next, old);
        return;
    }
    if (v != NULL && v->status &&
        !dev_is_kind(r->kind, "apiextensions.k8s.io", "CustomResourceDefinition"))
        keep(next, old, "status");
    if (!dev_is_kind(r->kind, "", "Namespace") || dev_is_sub(r, "finalize"))
        return;
    if (finalizers != NULL)
        tree_set(tree_object(next, "spec"), "finalizers", cJSON_Duplicate(finalizers, true));
    else
        tree_remove(tree_get(next, "spec"), "finalizers");
}

/* -- Generation -- */

static bool is_apart(const dev_request_t *r, const char *key)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    const bool custom = (r->kind->flags & DEV_CUSTOM) != 0;

    return strcmp(key, "metadata") == 0 || strcmp(key, "kind") == 0 ||
           strcmp(key, "apiVersion") == 0 ||
           (strcmp(key, "status") == 0 && (!custom || (v != NULL && v->status)));
}

/* Built-in kinds do not know what is absent from what is empty; custom ones do. */
static bool same(const dev_request_t *r, const cJSON *a, const cJSON *b)
{
    return (r->kind->flags & DEV_CUSTOM) != 0 ? cJSON_Compare(a, b, true) : tree_same(a, b);
}

static bool covers(const dev_request_t *r, const cJSON *a, const cJSON *b)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, a) {
        if (!is_apart(r, item->string) &&
            !same(r, item, cJSON_GetObjectItemCaseSensitive(b, item->string)))
            return false;
    }
    return true;
}

static void count_generation(const dev_request_t *r, cJSON *next, const cJSON *old)
{
    cJSON *meta = tree_get(next, "metadata");
    bool changed = !covers(r, next, old) || !covers(r, old, next);

    if ((r->kind->flags & (DEV_GENERATION | DEV_CUSTOM)) == 0 || dev_is_sub(r, "status"))
        return;
    if (dev_is_kind(r->kind, "apps", "Deployment"))
        changed = changed ||
                  !tree_same(tree_get(meta, "annotations"), tree_at(old, "metadata.annotations"));
    if (changed)
        tree_set(meta, "generation", cJSON_CreateNumber(tree_number(meta, "generation", 0) + 1));
}

/* -- Checks of metadata -- */

static void check_finalizers(const cJSON *meta, const cJSON *old, dev_status_t *st)
{
    host_cleanup(buf_fini) buf_t added = BUF_INIT;
    const cJSON *item;

    if (tree_get(old, "deletionTimestamp") == NULL)
        return;
    cJSON_ArrayForEach (item, tree_get(meta, "finalizers")) {
        if (cJSON_IsString(item) && !tree_has_text(tree_get(old, "finalizers"), item->valuestring))
            buf_printf(&added, "%s\"%s\"", added.len > 0 ? ", " : "", item->valuestring);
    }
    if (added.len > 0)
        dev_cause(st, "metadata.finalizers", "FieldValueForbidden",
                  "Forbidden: no new finalizers can be added if the object is being deleted, found "
                  "new finalizers []string{%s}",
                  buf_text(&added));
}

static void check_immutable(const cJSON *meta, const cJSON *old, dev_status_t *st)
{
    static const char *const fixed[] = {"name",
                                        "namespace",
                                        "uid",
                                        "creationTimestamp",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds"};

    for (size_t i = 0; i < HOST_LEN(fixed); i++) {
        const cJSON *now = tree_get(meta, fixed[i]);
        host_cleanup(host_freep) char *field = host_xprintf("metadata.%s", fixed[i]);
        host_cleanup(host_freep) char *shown = now == NULL ? NULL : cJSON_PrintUnformatted(now);

        if (!tree_same(now, tree_get(old, fixed[i])))
            dev_cause(st, field, "FieldValueInvalid", "Invalid value: %s: field is immutable",
                      shown == NULL ? "null" : shown);
    }
}

/* Most kinds check metadata twice, once for all kinds and once for their own, and so list each
 * mistake twice. */
static void check_meta(const dev_request_t *r, const cJSON *next, const cJSON *old,
                       dev_status_t *st)
{
    const bool once =
        dev_is_kind(r->kind, "coordination.k8s.io", "Lease") || strcmp(r->kind->kind, "Event") == 0;
    const cJSON *meta = tree_get(next, "metadata"), *old_meta = tree_get(old, "metadata");

    for (int i = 0; i < (once ? 1 : 2); i++) {
        check_finalizers(meta, old_meta, st);
        check_immutable(meta, old_meta, st);
    }
}

/* -- Storing -- */

static bool may_go(const dev_table_t *t, const cJSON *tree)
{
    const cJSON *meta = tree_get(tree, "metadata");

    return tree_get(meta, "deletionTimestamp") != NULL &&
           tree_empty(tree_get(meta, "finalizers")) &&
           tree_number(meta, "deletionGracePeriodSeconds", 0) == 0 &&
           (strcmp(dev_table_key(t), "/namespaces") != 0 ||
            tree_empty(tree_at(tree, "spec.finalizers")));
}

static dev_object_t *settle(dev_core_t *c, dev_table_t *t, const dev_object_t *old, cJSON *tree)
{
    if (!may_go(t, tree))
        return dev_store_put(c->store, t, tree);
    (void) dev_store_remove(c->store, t, old);
    return NULL;
}

const dev_object_t *dev_settle(dev_core_t *c, dev_table_t *t, const dev_object_t *old, cJSON *tree)
{
    cJSON *before = dev_object_tree(old);
    const bool equal = cJSON_Compare(before, tree, true);

    cJSON_Delete(before);
    return equal && !may_go(t, tree) ? old : settle(c, t, old, tree);
}

/* A change of times in managedFields is none. */
static bool same_meta(const cJSON *next, const cJSON *old)
{
    cJSON *a, *b;

    if (!managed_same_but_times(tree_get(next, "managedFields"), tree_get(old, "managedFields")))
        return false;
    a = cJSON_Duplicate(next, true);
    b = cJSON_Duplicate(old, true);
    tree_remove(a, "managedFields");
    tree_remove(b, "managedFields");
    const bool same = tree_same(a, b);
    cJSON_Delete(a);
    cJSON_Delete(b);
    return same;
}

/* kind and apiVersion are not stored. */
static bool is_same(const dev_request_t *r, const cJSON *next, const cJSON *old)
{
    return covers(r, next, old) && covers(r, old, next) &&
           same_meta(tree_get(next, "metadata"), tree_get(old, "metadata")) &&
           same(r, tree_get(next, "status"), tree_get(old, "status"));
}

static int store(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                 const cJSON *before, dev_object_t **stored, dev_status_t *st)
{
    dev_table_t *t = dev_core_table(c, r->kind);

    if (dev_is_dry(r))
        return 0;
    if (!may_go(t, next) && is_same(r, next, before)) {
        *stored = dev_object_ref(old);
        return 0;
    }
    if (dev_store_full(c->store, r->body_len) && !may_go(t, next))
        return dev_refuse(st, 507, "InsufficientStorage",
                          "the memory for objects is used up (see max_bytes)");
    dev_object_t *now = settle(c, t, old, next);
    *stored = now == NULL ? NULL : dev_object_ref(now);
    return 0;
}

int dev_replace(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                dev_object_t **stored, dev_status_t *st)
{
    cJSON *before = dev_object_tree(old), *meta = tree_get(next, "metadata");
    int ret = 0;

    *stored = NULL;
    if (r->verb == DEV_UPDATE)
        ret = dev_check_uid(r, tree_text(meta, "uid"), old->uid, st);
    if (ret == 0)
        ret = check_version(r, tree_text(meta, "resourceVersion"), old, st);
    if (ret == 0) {
        cJSON *claimed = cJSON_DetachItemFromObjectCaseSensitive(meta, "managedFields");
        keep_meta(meta, tree_get(before, "metadata"));
        dev_complete(r, next, before);
        confine(r, next, before);
        count_generation(r, next, before);
        managed_write(c, r, before, next, claimed);
        check_meta(r, next, before, st);
        ret = dev_admit(r, next, before, st);
    }
    if (ret == 0)
        ret = store(c, r, old, next, before, stored, st);
    cJSON_Delete(before);
    return ret;
}

/* -- PUT -- */

static int put_missing(dev_core_t *c, const dev_request_t *r, cJSON *object, dev_reply_t *reply,
                       dev_status_t *st)
{
    cJSON *meta = tree_get(object, "metadata");

    if ((r->kind->flags & DEV_CREATE_ON_PUT) == 0 || r->subresource != NULL)
        return dev_not_found(st, r->kind, r->name);
    const int ret = dev_check_uid(r, tree_text(meta, "uid"), "", st);
    if (ret < 0)
        return ret;
    tree_remove(meta, "resourceVersion");
    return dev_create(c, r, object, reply, st);
}

static int put(dev_core_t *c, const dev_request_t *r, cJSON *object, dev_reply_t *reply,
               dev_status_t *st)
{
    dev_object_t *old = dev_named_object(c, r), *stored = NULL;
    const dev_view_t view = dev_view_of(c, r);

    if (old == NULL)
        return put_missing(c, r, object, reply, st);
    dev_object_ref(old);
    const int ret = dev_replace(c, r, old, object, &stored, st);
    if (ret == 0 && stored != NULL)
        dev_render(&view, stored, false, &reply->body);
    else if (ret == 0)
        dev_render_tree(&view, object, &reply->body);
    dev_object_unref(stored);
    dev_object_unref(old);
    return ret;
}

static int put_scale(dev_core_t *c, const dev_request_t *r, const cJSON *scale, dev_reply_t *reply,
                     dev_status_t *st)
{
    dev_object_t *old = dev_named_object(c, r);

    if (old == NULL)
        return dev_not_found(st, r->kind, r->name);
    dev_object_ref(old);
    const int ret = dev_put_scale(c, r, old, scale, reply, st);
    dev_object_unref(old);
    return ret;
}

int dev_verb_update(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    host_cleanup(dev_strict_fini) dev_strict_t strict = {0};
    const bool scale = dev_is_sub(r, "scale");
    cJSON *object = NULL;
    int ret = dev_check_options(r, "UpdateOptions", st);

    if (ret == 0)
        ret = dev_read_body(r, &object, &strict, st);
    if (ret == 0)
        ret = dev_check_type(r, object, st);
    if (ret == 0 && !scale)
        ret = dev_decode(r, object, &strict, reply, st);
    if (ret == 0)
        ret = dev_check_place(r, object, st);
    if (ret == 0)
        ret = scale ? put_scale(c, r, object, reply, st) : put(c, r, object, reply, st);
    cJSON_Delete(object);
    return ret;
}
