/* SPDX-License-Identifier: Apache-2.0 */
/* Creation, and what every object must pass before it is stored. */
#include "devapi/core_impl.h"

#include "base/rand.h"

#include <string.h>

/* -- Checks and defaults -- */

/* fieldValidation (KEP-2885): what pruning drops is an error, a warning, or nothing. */
typedef struct unknowns {
    buf_t text;
    unsigned count;
} unknowns_t;

static void note_unknown(void *arg, const char *path)
{
    unknowns_t *u = arg;

    if (u->count++ < 10)
        buf_printf(&u->text, "%sunknown field \"%s\"", u->count > 1 ? ", " : "", path);
}

static int judge_unknowns(const dev_request_t *r, unknowns_t *u, char **warning, dev_status_t *st)
{
    const char *rule = r->field_validation != NULL ? r->field_validation : "";

    if (u->count == 0 || strcmp(rule, "Ignore") == 0)
        return 0;
    if (strcmp(rule, "Strict") == 0)
        return dev_refuse(
            st, 400, "BadRequest",
            "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
            r->kind->kind, r->version, r->kind->kind, buf_text(&u->text));
    if (warning != NULL && *warning == NULL)
        *warning = host_xstrdup(buf_text(&u->text));
    return 0;
}

static int apply_schema(const dev_request_t *r, cJSON *object, char **warning, dev_status_t *st)
{
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    unknowns_t unknown = {0};
    int ret = 0;

    if (v == NULL || v->schema == NULL)
        return 0;
    dev_schema_prune(v->schema, object, note_unknown, &unknown);
    ret = judge_unknowns(r, &unknown, warning, st);
    buf_fini(&unknown.text);
    if (ret < 0)
        return ret;
    dev_schema_default(v->schema, object);
    dev_schema_validate(v->schema, object, st);
    return 0;
}

int dev_admit(const dev_request_t *r, cJSON *object, const cJSON *old, char **warning,
              dev_status_t *st)
{
    const dev_kind_t *kind = r->kind;
    int ret = apply_schema(r, object, warning, st);

    if (ret < 0)
        return ret;
    if (kind->complete != NULL)
        kind->complete(object, old);
    dev_validate_meta(kind, object, st);
    if (kind->validate != NULL)
        kind->validate(object, old, st);
    return dev_judge(st, kind->group, kind->kind, tree_text(tree_get(object, "metadata"), "name"));
}

int dev_decode(const dev_request_t *r, cJSON *object, dev_status_t *st)
{
    const dev_kind_t *k = r->kind;
    host_cleanup(host_freep) char *version =
        host_xprintf("%s%s%s", k->group, k->group[0] != '\0' ? "/" : "", r->version);
    int ret = 0;

    tree_set_text(object, "kind", k->kind);
    tree_set_text(object, "apiVersion", version);
    if ((k->flags & DEV_CUSTOM) != 0)
        ret = dev_decode_meta(object, st);
    else if (k->decode != NULL)
        ret = k->decode(object, st);
    if (ret < 0)
        return ret;
    dev_tidy_meta(object);
    if (strcmp(k->group, "events.k8s.io") == 0)
        dev_event_to_core(object);
    return 0;
}

/* -- Creation -- */

static int check_place(const dev_request_t *r, cJSON *meta, dev_status_t *st)
{
    const char *ns = tree_text(meta, "namespace"), *name = tree_text(meta, "name");

    if (ns[0] != '\0' && r->ns != NULL && strcmp(ns, r->ns) != 0)
        return dev_refuse(
            st, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on "
            "the request");
    if (r->name != NULL && name[0] != '\0' && strcmp(name, r->name) != 0)
        return dev_refuse(st, 400, "BadRequest",
                          "the name of the object (%s) does not match the name on the URL (%s)",
                          name, r->name);
    if (tree_text(meta, "resourceVersion")[0] != '\0')
        return dev_refuse(st, 500, "InternalError",
                          "resourceVersion should not be set on objects to be created");
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
    if (strstr(ns->text, "\"deletionTimestamp\":\"") == NULL)
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

static void set_uid(cJSON *meta)
{
    char hex[33], uid[37];

    rand_hex(hex, 16);
    snprintf(uid, sizeof(uid), "%.8s-%.4s-4%.3s-%c%.3s-%.12s", hex, hex + 8, hex + 13,
             "89ab"[hex[16] % 4], hex + 17, hex + 20);
    tree_set_text(meta, "uid", uid);
}

/* Five letters of the alphabet that the real one takes: no vowels, so no words. */
static void generate_name(cJSON *meta)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    const char *prefix = tree_text(meta, "generateName");
    char suffix[6] = "";

    if (tree_text(meta, "name")[0] != '\0' || prefix[0] == '\0')
        return;
    for (int i = 0; i < 5; i++)
        suffix[i] = letters[rand_below(sizeof(letters) - 1)];
    host_cleanup(host_freep) char *name = host_xprintf("%.58s%s", prefix, suffix);
    tree_set_text(meta, "name", name);
}

/* What the server alone writes. */
static void stamp(dev_core_t *c, const dev_request_t *r, cJSON *object)
{
    static const char *const not_yours[] = {"deletionTimestamp", "deletionGracePeriodSeconds",
                                            "managedFields", "selfLink", "generation"};
    const dev_version_t *v = dev_kind_version(r->kind, r->version);
    cJSON *meta = tree_object(object, "metadata");
    char now[32];

    for (size_t i = 0; i < HOST_LEN(not_yours); i++)
        tree_remove(meta, not_yours[i]);
    dev_core_now(c, now);
    generate_name(meta);
    if (r->name != NULL)
        tree_default_text(meta, "name", r->name);
    if (r->ns != NULL)
        tree_set_text(meta, "namespace", r->ns);
    else
        tree_remove(meta, "namespace");
    set_uid(meta);
    tree_set_text(meta, "creationTimestamp", now);
    if ((r->kind->flags & (DEV_GENERATION | DEV_CUSTOM)) != 0)
        tree_set(meta, "generation", cJSON_CreateNumber(1));
    if (v != NULL && v->status)
        tree_remove(object, "status");
}

static int already_exists(const dev_request_t *r, const char *name, dev_status_t *st)
{
    const dev_kind_t *k = r->kind;

    dev_status_about(st, k->group, k->resource, name);
    return dev_refuse(st, 409, "AlreadyExists", "%s%s%s \"%s\" already exists", k->resource,
                      k->group[0] != '\0' ? "." : "", k->group, name);
}

int dev_create_tree(dev_core_t *c, const dev_request_t *r, cJSON *object, dev_reply_t *reply,
                    dev_status_t *st)
{
    const dev_view_t view = {r->kind, r->version, r->shape};
    cJSON *meta = tree_object(object, "metadata");
    dev_table_t *t = dev_core_table(c, r->kind);
    int ret = check_place(r, meta, st);

    if (ret < 0)
        return ret;
    stamp(c, r, object); /* decoding and defaults look at kind, namespace and uid */
    ret = dev_decode(r, object, st);
    if (ret < 0)
        return ret;
    meta = tree_object(object, "metadata");
    const char *name = tree_text(meta, "name");
    ret = check_namespace(c, r, name, st);
    if (ret == 0)
        ret = dev_admit(r, object, NULL, &reply->warning, st);
    if (ret < 0)
        return ret;
    meta = tree_get(object, "metadata");
    name = tree_text(meta, "name");
    if (dev_table_find(t, r->ns != NULL ? r->ns : "", name) != NULL)
        return already_exists(r, name, st);
    if (dev_store_full(c->store, r->body_len))
        return dev_refuse(st, 507, "InsufficientStorage",
                          "this server's memory for objects is used up");
    reply->code = 201;
    if (dev_is_dry(r))
        dev_render_tree(&view, object, &reply->body);
    else
        dev_render(&view, dev_store_put(c->store, t, object), false, &reply->body);
    return 0;
}

int dev_verb_create(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    cJSON *object = NULL;
    int ret = dev_take_body(r, &object, st);

    if (ret == 0)
        ret = dev_create_tree(c, r, object, reply, st);
    cJSON_Delete(object);
    return ret;
}
