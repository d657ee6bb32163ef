/* SPDX-License-Identifier: Apache-2.0 */
/* What deleting does to an object: preconditions, grace, propagation, finalizers. */
#include "devapi/core_impl.h"

#include <string.h>

enum { POD_GRACE = 30 };

void dev_take_finalizer(cJSON *tree, const char *name)
{
    cJSON *meta = tree_get(tree, "metadata"), *list = tree_get(meta, "finalizers");
    bool dropped = false;

    for (cJSON *item = cJSON_IsArray(list) ? list->child : NULL, *next; item != NULL; item = next) {
        next = item->next;
        if (!cJSON_IsString(item) || strcmp(item->valuestring, name) != 0)
            continue;
        cJSON_Delete(cJSON_DetachItemViaPointer(list, item));
        dropped = true;
    }
    if (dropped && tree_empty(list))
        tree_remove(meta, "finalizers");
}

void dev_put_finalizer(cJSON *tree, const char *name)
{
    cJSON *list = tree_array(tree_get(tree, "metadata"), "finalizers");

    if (!tree_has_text(list, name))
        cJSON_AddItemToArray(list, cJSON_CreateString(name));
}

/* -- Preconditions -- */

/* Here the real one names the kind where elsewhere the resource stands. */
static int conflict(const dev_kind_t *kind, const char *name, const char *why, dev_status_t *st)
{
    dev_status_about(st, kind->group, kind->kind, name);
    return dev_refuse(st, 409, "Conflict", "Operation cannot be fulfilled on %s%s%s \"%s\": %s",
                      kind->kind, kind->group[0] == '\0' ? "" : ".", kind->group, name, why);
}

static int check(const dev_kind_t *kind, const dev_object_t *o, const dev_delete_options_t *how,
                 dev_status_t *st)
{
    host_cleanup(host_freep) char *version = host_xprintf("%lld", (long long) o->version);
    host_cleanup(host_freep) char *why = NULL;

    if (dev_given(how->uid) && strcmp(how->uid, o->uid) != 0)
        why = host_xprintf("the UID in the precondition (%s) does not match the UID in record "
                           "(%s). The object might have been deleted and then recreated",
                           how->uid, o->uid);
    else if (dev_given(how->rv) && strcmp(how->rv, version) != 0)
        why = host_xprintf("the ResourceVersion in the precondition (%s) does not match the "
                           "ResourceVersion in record (%s). The object might have been modified",
                           how->rv, version);
    return why == NULL ? 0 : conflict(kind, o->name, why, st);
}

/* -- Propagation: finalizers that the collector takes off again -- */

static bool orphans_by_default(const dev_kind_t *kind)
{
    return dev_is_kind(kind, "batch", "Job") || dev_is_kind(kind, "", "ReplicationController");
}

static void set_policy(const dev_kind_t *kind, const char *policy, cJSON *tree)
{
    const cJSON *list = tree_at(tree, "metadata.finalizers");
    const bool given = dev_given(policy);
    const bool had_orphan = tree_has_text(list, "orphan");
    const bool had_foreground = tree_has_text(list, "foregroundDeletion");
    const bool orphan = given ? strcmp(policy, "Orphan") == 0
                              : had_orphan || (!had_foreground && orphans_by_default(kind));
    const bool foreground = given ? strcmp(policy, "Foreground") == 0 : had_foreground;

    if (orphan == had_orphan && foreground == had_foreground)
        return;
    dev_take_finalizer(tree, "orphan");
    dev_take_finalizer(tree, "foregroundDeletion");
    if (orphan)
        dev_put_finalizer(tree, "orphan");
    if (foreground)
        dev_put_finalizer(tree, "foregroundDeletion");
}

/* -- Marks -- */

static void mark(const dev_core_t *c, cJSON *meta, int64_t grace)
{
    const double generation = tree_number(meta, "generation", 0);
    char at[32];

    dev_core_later(c, grace, at);
    tree_set_text(meta, "deletionTimestamp", at);
    tree_set(meta, "deletionGracePeriodSeconds", cJSON_CreateNumber((double) grace));
    if (generation > 0)
        tree_set(meta, "generation", cJSON_CreateNumber(generation + 1));
}

/* A pod that runs nowhere has nothing to wind up. */
static int64_t pod_grace(const cJSON *pod, int64_t asked)
{
    const char *phase = tree_text(tree_get(pod, "status"), "phase");
    const cJSON *spec = tree_get(pod, "spec");

    if (tree_text(spec, "nodeName")[0] == '\0' || strcmp(phase, "Succeeded") == 0 ||
        strcmp(phase, "Failed") == 0)
        return 0;
    return asked >= 0 ? asked
                      : (int64_t) tree_number(spec, "terminationGracePeriodSeconds", POD_GRACE);
}

/* False when the pod's deletion is under way and this one does not hasten it. */
static bool mark_pod(const dev_core_t *c, cJSON *pod, int64_t asked)
{
    cJSON *meta = tree_get(pod, "metadata");
    const double given = tree_number(meta, "deletionGracePeriodSeconds", 0);
    char at[32];

    if (tree_get(meta, "deletionTimestamp") == NULL) {
        mark(c, meta, pod_grace(pod, asked));
        return true;
    }
    if (asked < 0 || (double) asked >= given)
        return false;
    dev_core_later(c, asked, at);
    tree_set_text(meta, "deletionTimestamp", at);
    tree_set(meta, "deletionGracePeriodSeconds", cJSON_CreateNumber((double) asked));
    return true;
}

/* -- Deleting -- */

/* What a deletion makes of the object, in tree; *go: it is removed. False: nothing is to be done. */
static bool decide(dev_core_t *c, const dev_kind_t *kind, const dev_delete_options_t *how,
                   cJSON *tree, bool *go)
{
    cJSON *meta = tree_get(tree, "metadata");
    const bool deleting = tree_get(meta, "deletionTimestamp") != NULL;

    *go = false;
    if (dev_is_kind(kind, "", "Pod") && !mark_pod(c, tree, how->grace))
        return false;
    set_policy(kind, how->policy, tree);
    if (dev_is_kind(kind, "", "Namespace")) {
        *go = tree_empty(tree_get(meta, "finalizers")) &&
              tree_empty(tree_at(tree, "spec.finalizers"));
        if (!deleting)
            mark(c, meta, 0);
        tree_remove(meta, "deletionGracePeriodSeconds");
        tree_set_text(tree_object(tree, "status"), "phase", "Terminating");
        return true;
    }
    if (dev_is_kind(kind, "apiextensions.k8s.io", "CustomResourceDefinition") && !deleting) {
        mark(c, meta, 0);
        tree_remove(meta, "deletionGracePeriodSeconds");
        tree_set(meta, "generation", cJSON_CreateNumber(tree_number(meta, "generation", 2) - 1));
        dev_crd_mark(c, tree);
    }
    *go = tree_empty(tree_get(meta, "finalizers")) &&
          tree_number(meta, "deletionGracePeriodSeconds", 0) == 0;
    if (!*go && tree_get(meta, "deletionTimestamp") == NULL)
        mark(c, meta, 0);
    return true;
}

static bool is_immortal(const char *ns)
{
    return strcmp(ns, "default") == 0 || strcmp(ns, "kube-system") == 0 ||
           strcmp(ns, "kube-public") == 0;
}

static int check_immortal(const dev_kind_t *kind, const char *name, dev_status_t *st)
{
    if (!dev_is_kind(kind, "", "Namespace") || !is_immortal(name))
        return 0;
    dev_status_about(st, "", "namespaces", name);
    return dev_refuse(st, 403, "Forbidden",
                      "namespaces \"%s\" is forbidden: this namespace may not be deleted", name);
}

static dev_object_t *carry_out(dev_core_t *c, dev_table_t *t, dev_object_t *o,
                               const dev_delete_options_t *how, cJSON *tree, bool go)
{
    cJSON *before = dev_object_tree(o);
    const bool same = cJSON_Compare(before, tree, true);

    cJSON_Delete(before);
    if (how->dry)
        return same || go ? dev_object_ref(o) : dev_object_create(tree, o->version);
    if (!same && (!go || dev_is_kind(dev_core_kind_of(c, t), "", "Pod")))
        o = dev_store_put(c->store, t, tree);
    return dev_object_ref(go ? dev_store_remove(c->store, t, o) : o);
}

int dev_delete(dev_core_t *c, dev_table_t *t, dev_object_t *o, const dev_delete_options_t *how,
               dev_object_t **left, bool *gone, dev_status_t *st)
{
    const dev_kind_t *kind = dev_core_kind_of(c, t);
    int ret = check_immortal(kind, o->name, st);

    if (ret == 0)
        ret = check(kind, o, how, st);
    if (ret < 0)
        return ret;
    cJSON *tree = dev_object_tree(o);
    *gone = false;
    *left =
        decide(c, kind, how, tree, gone) ? carry_out(c, t, o, how, tree, *gone) : dev_object_ref(o);
    cJSON_Delete(tree);
    return 0;
}

const dev_object_t *dev_delete_object(dev_core_t *c, dev_table_t *t, const dev_object_t *o,
                                      const char *policy)
{
    const dev_delete_options_t how = {.policy = policy, .grace = -1};
    dev_status_t st = {0};
    dev_object_t *left = NULL;
    bool gone = false;
    const int ret = dev_delete(c, t, (dev_object_t *) o, &how, &left, &gone, &st);

    dev_object_unref(left); /* the table has one, too */
    dev_status_fini(&st);
    return gone ? NULL : ret < 0 ? o : left;
}
