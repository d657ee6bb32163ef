/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE: preconditions, propagation, finalizers. */
#include "devapi/core_impl.h"

#include <stdlib.h>
#include <string.h>

/* metav1.DeleteOptions, from the body or the query. */
typedef struct options {
    cJSON *body; /* owns the texts; NULL: none */
    const char *policy;
    bool dry;
} options_t;

static int take_policy(const dev_request_t *r, options_t *o, dev_status_t *st)
{
    const char *policy = tree_text(o->body, "propagationPolicy");

    if (policy[0] == '\0' && r->propagation_policy != NULL)
        policy = r->propagation_policy;
    if (policy[0] == '\0' && tree_get(o->body, "orphanDependents") != NULL)
        policy = tree_true(o->body, "orphanDependents") ? "Orphan" : "Background";
    o->policy = policy;
    if (policy[0] == '\0' || strcmp(policy, "Background") == 0 ||
        strcmp(policy, "Foreground") == 0 || strcmp(policy, "Orphan") == 0)
        return 0;
    dev_cause(st, "propagationPolicy", "FieldValueNotSupported",
              "Unsupported value: \"%s\": supported values: \"Foreground\", \"Background\", "
              "\"Orphan\", \"nil\"",
              policy);
    return dev_judge(st, "meta.k8s.io", "DeleteOptions", "");
}

/* body is to be freed with cJSON_Delete. */
static int take_options(const dev_request_t *r, options_t *o, dev_status_t *st)
{
    if (r->body_len > 0) {
        o->body = cJSON_ParseWithLength(r->body, r->body_len);
        if (!cJSON_IsObject(o->body))
            return dev_refuse(st, 400, "BadRequest", "couldn't get version/kind; json parse error");
    }
    o->dry = dev_is_dry(r) || tree_has_text(tree_get(o->body, "dryRun"), "All");
    return take_policy(r, o, st);
}

static int check_preconditions(const dev_request_t *r, const options_t *o, const dev_object_t *old,
                               dev_status_t *st)
{
    const cJSON *pre = tree_get(o->body, "preconditions");
    const char *uid = tree_text(pre, "uid"), *version = tree_text(pre, "resourceVersion");
    host_cleanup(host_freep) char *present = host_xprintf("%lld", (long long) old->version);
    host_cleanup(host_freep) char *why = NULL;

    if (uid[0] != '\0' && strcmp(uid, old->uid) != 0)
        why =
            host_xprintf("the UID in the precondition (%s) does not match the UID in record (%s). "
                         "The object might have been deleted and then recreated",
                         uid, old->uid);
    else if (version[0] != '\0' && strcmp(version, present) != 0)
        why = host_xprintf("the ResourceVersion in the precondition (%s) does not match the "
                           "ResourceVersion in record (%s). The object might have been modified",
                           version, present);
    return why == NULL ? 0 : dev_conflict(st, r->kind, old->name, why);
}

/* -- Deleting -- */

void dev_take_finalizer(cJSON *tree, const char *name)
{
    cJSON *meta = tree_get(tree, "metadata"), *list = tree_get(meta, "finalizers");

    for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--) {
        const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(list, i));
        if (text != NULL && strcmp(text, name) == 0)
            cJSON_DeleteItemFromArray(list, i);
    }
    if (list != NULL && list->child == NULL)
        tree_remove(meta, "finalizers");
}

void dev_put_finalizer(cJSON *tree, const char *name)
{
    cJSON *list = tree_array(tree_get(tree, "metadata"), "finalizers");

    if (!tree_has_text(list, name))
        cJSON_AddItemToArray(list, cJSON_CreateString(name));
}

/* What the policy asks for stands as finalizers, which the collector takes off again. */
static void set_policy(cJSON *tree, const char *policy)
{
    if (policy[0] == '\0')
        return;
    dev_take_finalizer(tree, "orphan");
    dev_take_finalizer(tree, "foregroundDeletion");
    if (strcmp(policy, "Orphan") == 0)
        dev_put_finalizer(tree, "orphan");
    else if (strcmp(policy, "Foreground") == 0)
        dev_put_finalizer(tree, "foregroundDeletion");
}

static void mark(dev_core_t *c, cJSON *tree)
{
    cJSON *meta = tree_get(tree, "metadata");
    const double generation = tree_number(meta, "generation", 0);
    char now[32];

    if (tree_get(meta, "deletionTimestamp") != NULL)
        return;
    dev_core_now(c, now);
    tree_set_text(meta, "deletionTimestamp", now);
    tree_set(meta, "deletionGracePeriodSeconds", cJSON_CreateNumber(0));
    if (generation > 0)
        tree_set(meta, "generation", cJSON_CreateNumber(generation + 1));
}

const dev_object_t *dev_delete_object(dev_core_t *c, dev_table_t *t, const dev_object_t *o,
                                      const char *policy)
{
    const bool space = strcmp(dev_table_key(t), "/namespaces") == 0;
    cJSON *tree = dev_object_tree(o);

    set_policy(tree, policy);
    const bool held = !tree_empty(tree_at(tree, "metadata.finalizers")) ||
                      !tree_empty(tree_at(tree, "spec.finalizers"));
    if (held)
        mark(c, tree);
    if (held && space)
        tree_set_text(tree_object(tree, "status"), "phase", "Terminating");
    const dev_object_t *left = NULL;
    if (held)
        left = dev_settle(c, t, o, tree);
    else
        dev_store_remove(c->store, t, o);
    cJSON_Delete(tree);
    return left;
}

/* -- The verbs -- */

static void reply_gone(const dev_request_t *r, const dev_object_t *old, dev_reply_t *reply)
{
    dev_status_t st = {.code = 200};

    dev_status_about(&st, r->kind->group, r->kind->resource, old->name);
    snprintf(st.uid, sizeof(st.uid), "%s", old->uid);
    dev_status_print(&st, &reply->body);
    dev_status_fini(&st);
}

static int delete_one(dev_core_t *c, const dev_request_t *r, dev_object_t *old, dev_reply_t *reply,
                      dev_status_t *st)
{
    options_t o = {.policy = ""};
    int ret = take_options(r, &o, st);

    if (ret == 0)
        ret = check_preconditions(r, &o, old, st);
    if (ret == 0) {
        const dev_view_t view = {r->kind, r->version, r->shape};
        const dev_object_t *left =
            o.dry ? NULL : dev_delete_object(c, dev_core_table(c, r->kind), old, o.policy);
        if (left != NULL)
            dev_render(&view, left, false, &reply->body);
        else
            reply_gone(r, old, reply);
    }
    cJSON_Delete(o.body);
    return ret;
}

int dev_verb_delete(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_object_t *old =
        dev_table_find(dev_core_table(c, r->kind), r->ns != NULL ? r->ns : "", r->name);

    if (old == NULL)
        return dev_not_found(st, r->kind, r->name);
    dev_object_ref(old);
    const int ret = delete_one(c, r, old, reply, st);
    dev_object_unref(old);
    return ret;
}

/* What a list with the same selectors shows; then each of them is deleted. */
int dev_verb_delete_all(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st)
{
    dev_table_t *t = dev_core_table(c, r->kind);
    dev_request_t list = *r;
    options_t o = {.policy = ""};

    list.verb = DEV_LIST;
    list.shape = DEV_SHAPE_FULL;
    int ret = take_options(r, &o, st);
    if (ret == 0)
        ret = dev_verb_list(c, &list, reply, st);
    cJSON *shown = ret == 0 && !o.dry ? cJSON_Parse(buf_text(&reply->body)) : NULL;
    const cJSON *item;
    cJSON_ArrayForEach (item, tree_get(shown, "items")) {
        const cJSON *meta = tree_get(item, "metadata");
        const dev_object_t *old =
            dev_table_find(t, tree_text(meta, "namespace"), tree_text(meta, "name"));
        if (old != NULL)
            (void) dev_delete_object(c, t, old, o.policy);
    }
    cJSON_Delete(shown);
    cJSON_Delete(o.body);
    return ret;
}
