/* SPDX-License-Identifier: Apache-2.0 */
/* Creation, and the checks that every object passes before it is stored. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"

#include "base/rand.h"

#include <stdio.h>
#include <string.h>

enum { NAME_TRIES = 8, GENERATED_PREFIX = 58, GENERATED_SUFFIX = 5 };

/* -- Checks and defaults -- */

void dev_complete(const dev_request_t *r, cJSON *object, const cJSON *old)
{
    if (dev_is_kind(r->kind, "apiextensions.k8s.io", "CustomResourceDefinition"))
        dev_crd_prepare(object, old);
    if (r->kind->complete != NULL)
        r->kind->complete(object, old);
}

int dev_admit(const dev_request_t *r, const cJSON *object, const cJSON *old, dev_status_t *st)
{
    const dev_kind_t *kind = r->kind;
    const dev_version_t *v = dev_kind_version(kind, r->version);

    dev_validate_meta(kind, object, st);
    if (v != NULL && v->schema != NULL && dev_is_sub(r, "status"))
        dev_schema_validate_status(v->schema, object, st);
    else if (v != NULL && v->schema != NULL)
        dev_schema_validate(v->schema, object, st);
    if (dev_is_kind(kind, "apiextensions.k8s.io", "CustomResourceDefinition"))
        dev_crd_validate(object, old, st);
    if (kind->validate != NULL)
        kind->validate(object, old, st);
    return dev_judge(st, kind->group, kind->kind, tree_text(tree_get(object, "metadata"), "name"));
}

/* -- What the server alone writes -- */

static void set_uid(cJSON *meta)
{
    char hex[33], uid[37];

    rand_hex(hex, 16);
    snprintf(uid, sizeof(uid), "%.8s-%.4s-4%.3s-%c%.3s-%.12s", hex, hex + 8, hex + 13,
             "89ab"[hex[16] % 4], hex + 17, hex + 20);
    tree_set_text(meta, "uid", uid);
}

/* The real one's alphabet: no vowels, so no words. */
static void generate_name(cJSON *meta)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char suffix[GENERATED_SUFFIX + 1] = "";

    for (int i = 0; i < GENERATED_SUFFIX; i++)
        suffix[i] = letters[rand_below(sizeof(letters) - 1)];
    host_cleanup(host_freep) char *name =
        host_xprintf("%.*s%s", GENERATED_PREFIX, tree_text(meta, "generateName"), suffix);
    tree_set_text(meta, "name", name);
}

/* An unused name when one is to be made. */
static void settle_name(const dev_request_t *r, const dev_table_t *t, cJSON *meta)
{
    if (tree_text(meta, "name")[0] != '\0' || tree_text(meta, "generateName")[0] == '\0')
        return;
    for (int i = 0; i < NAME_TRIES; i++) {
        generate_name(meta);
        if (dev_table_find(t, dev_ns(r), tree_text(meta, "name")) == NULL)
            return;
    }
}

static void prepare(dev_core_t *c, const dev_request_t *r, const dev_table_t *t, cJSON *object)
{
    static const char *const not_yours[] = {"uid", "creationTimestamp", "deletionTimestamp",
                                            "deletionGracePeriodSeconds"};
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    cJSON *meta = tree_get(object, "metadata");
    char now[32];

    for (size_t i = 0; i < HOST_LEN(not_yours); i++)
        tree_remove(meta, not_yours[i]);
    settle_name(r, t, meta);
    if (r->ns != NULL)
        tree_set_text(meta, "namespace", r->ns);
    set_uid(meta);
    dev_core_later(c, 0, now);
    tree_set_text(meta, "creationTimestamp", now);
    if ((r->kind->flags & (DEV_GENERATION | DEV_CUSTOM)) != 0)
        tree_set(meta, "generation", cJSON_CreateNumber(1));
    if (v == NULL || !v->status)
        return;
    tree_remove(object, "status");
    if ((r->kind->flags & DEV_CUSTOM) == 0)
        tree_set(object, "status", cJSON_CreateObject());
}

/* -- Storing -- */

static int check_free(dev_core_t *c, const dev_request_t *r, const dev_table_t *t,
                      const cJSON *object, dev_status_t *st)
{
    const cJSON *meta = tree_get(object, "metadata");
    const char *name = tree_text(meta, "name");
    const dev_object_t *there = dev_table_find(t, dev_ns(r), name);
    host_cleanup(host_freep) char *resource = dev_resource_text(r->kind);

    if (tree_text(meta, "resourceVersion")[0] != '\0')
        return dev_refuse(st, 500, "",
                          "resourceVersion should not be set on objects to be created");
    if (there != NULL) {
        dev_status_about(st, r->kind->group, r->kind->resource, name);
        return dev_refuse(st, 409, "AlreadyExists", "%s%s \"%s\" already exists",
                          there->deleting ? "object is being deleted: " : "", resource, name);
    }
    if (dev_store_full(c->store, r->body_len))
        return dev_refuse(st, 507, "InsufficientStorage",
                          "the memory for objects is used up (see max_bytes)");
    return 0;
}

static int check_namespace(dev_core_t *c, const dev_request_t *r, const char *name,
                           dev_status_t *st)
{
    dev_table_t *spaces = dev_store_table(c->store, "/namespaces");
    const dev_object_t *ns = r->ns != NULL ? dev_table_find(spaces, "", r->ns) : NULL;

    if (r->ns == NULL)
        return 0;
    if (ns == NULL) {
        dev_status_about(st, "", "namespaces", r->ns);
        return dev_refuse(st, 404, "NotFound", "namespaces \"%s\" not found", r->ns);
    }
    if (!ns->deleting)
        return 0;
    dev_status_about(st, r->kind->group, r->kind->resource, name);
    dev_cause(st, "metadata.namespace", "NamespaceTerminating", "namespace %s is being terminated",
              r->ns);
    return dev_refuse(st, 403, "Forbidden",
                      "%s%s%s \"%s\" is forbidden: unable to create new content in namespace %s "
                      "because it is being terminated",
                      r->kind->resource, r->kind->group[0] != '\0' ? "." : "", r->kind->group, name,
                      r->ns);
}

static int check_kind_lives(const dev_request_t *r, const char *name, dev_status_t *st)
{
    host_cleanup(host_freep) char *resource = dev_resource_text(r->kind);

    if ((r->kind->flags & DEV_CUSTOM) == 0 ||
        !HOST_CONTAINER((dev_kind_t *) r->kind, dev_custom_t, kind)->ending)
        return 0;
    dev_status_about(st, r->kind->group, r->kind->resource, name);
    return dev_refuse(st, 403, "Forbidden",
                      "%s \"%s\" is forbidden: create not allowed while custom resource definition "
                      "is terminating",
                      resource, name);
}

int dev_create(dev_core_t *c, const dev_request_t *r, cJSON *object, dev_reply_t *reply,
               dev_status_t *st)
{
    const dev_view_t view = dev_view_of(c, r);
    const char *name = tree_text(tree_get(object, "metadata"), "name");
    dev_table_t *t = dev_core_table(c, r->kind);
    int ret = check_namespace(c, r, name, st);

    if (ret == 0)
        ret = check_kind_lives(r, name, st);
    if (ret < 0)
        return ret;
    cJSON *claimed =
        cJSON_DetachItemFromObjectCaseSensitive(tree_get(object, "metadata"), "managedFields");
    prepare(c, r, t, object);
    cJSON *given = managed_given(r, object);
    dev_complete(r, object, NULL);
    managed_create(c, r, given, object, claimed);
    cJSON_Delete(given);
    ret = dev_admit(r, object, NULL, st);
    if (ret == 0)
        ret = check_free(c, r, t, object, st);
    if (ret < 0)
        return ret;
    reply->code = 201;
    if (dev_is_dry(r))
        dev_render_tree(&view, object, &reply->body);
    else
        dev_render(&view, dev_store_put(c->store, t, object), false, &reply->body);
    return 0;
}

int dev_verb_create(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    host_cleanup(dev_strict_fini) dev_strict_t strict = {0};
    cJSON *object = NULL;
    int ret = dev_check_options(r, "CreateOptions", st);

    if (ret == 0)
        ret = dev_read_body(r, &object, &strict, st);
    if (ret == 0)
        ret = dev_check_type(r, object, st);
    if (ret == 0)
        ret = dev_decode(r, object, &strict, reply, st);
    if (ret == 0)
        ret = dev_check_place(r, object, st);
    if (ret == 0)
        ret = dev_create(c, r, object, reply, st);
    cJSON_Delete(object);
    return ret;
}
