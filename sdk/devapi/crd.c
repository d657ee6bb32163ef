/* SPDX-License-Identifier: Apache-2.0 */
/* CustomResourceDefinitions: the kinds that they make, their conditions and their end. */
#include "devapi/core_impl.h"
#include "devapi/managed_write.h"

#include "base/clock.h"

#include <string.h>

#define CLEANUP "customresourcecleanup.apiextensions.k8s.io"

static dev_custom_t *find(const dev_core_t *c, const char *name)
{
    dev_custom_t *k = c->customs;

    while (k != NULL &&
           (!k->served || strcmp(tree_text(tree_get(k->crd, "metadata"), "name"), name) != 0))
        k = k->next;
    return k;
}

/* Nothing that the kind is made of has changed. */
static bool is_current(const dev_custom_t *k, const cJSON *crd)
{
    return k != NULL && cJSON_Compare(tree_get(k->crd, "spec"), tree_get(crd, "spec"), true);
}

/* Whoever holds it may go on until the loop's next turn. */
static void withdraw(dev_core_t *c, dev_custom_t *k)
{
    k->served = false;
    loop_timer_set(&c->chores, HOST_MIN(c->chores.at, clock_now()));
}

void dev_crd_changed(dev_core_t *c, const dev_event_t *e)
{
    dev_custom_t *k = find(c, e->object->name);
    cJSON *crd = dev_object_tree(e->object);
    const bool served = !e->gone && dev_condition_holds(crd, "Established");

    if (served && is_current(k, crd)) {
        k->ending = e->object->deleting; /* its watches go on, to see the end of its objects */
    } else {
        if (k != NULL)
            withdraw(c, k);
        if (served) {
            k = dev_custom_create(e->object);
            k->next = c->customs;
            c->customs = k;
        }
    }
    cJSON_Delete(crd);
}

static void custom_free(dev_custom_t *k)
{
    for (size_t i = 0; i < HOST_LEN(k->schemas); i++)
        dev_schema_destroy(k->schemas[i]);
    cJSON_Delete(k->crd);
    free(k->list_kind);
    free(k);
}

void dev_customs_tidy(dev_core_t *c)
{
    for (dev_custom_t **at = &c->customs; *at != NULL;) {
        dev_custom_t *k = *at;

        if (k->served || !dev_watches_end_of(c, &k->kind)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        custom_free(k);
    }
}

void dev_customs_destroy(dev_core_t *c)
{
    for (dev_custom_t *k = c->customs, *next; k != NULL; k = next) {
        next = k->next;
        custom_free(k);
    }
}

/* -- Conditions -- */

static cJSON *condition_of(const cJSON *object, const char *type)
{
    cJSON *item;

    cJSON_ArrayForEach (item, tree_list(tree_at(object, "status.conditions"))) {
        if (strcmp(tree_text(item, "type"), type) == 0)
            return item;
    }
    return NULL;
}

bool dev_condition_holds(const cJSON *object, const char *type)
{
    return strcmp(tree_text(condition_of(object, type), "status"), "True") == 0;
}

static void set_condition(const dev_core_t *c, cJSON *object, const char *type, bool yes,
                          const char *reason, const char *message)
{
    cJSON *one = condition_of(object, type);
    char now[32];

    dev_core_now(c, now);
    if (one == NULL) {
        one = cJSON_CreateObject();
        cJSON_AddItemToArray(tree_array(tree_object(object, "status"), "conditions"), one);
        tree_set_text(one, "type", type);
    }
    if (strcmp(tree_text(one, "status"), yes ? "True" : "False") != 0) {
        tree_set_text(one, "status", yes ? "True" : "False");
        tree_set_text(one, "lastTransitionTime", now);
    }
    tree_set_text(one, "reason", reason);
    tree_set_text(one, "message", message);
}

/* -- Names: of two definitions that want one, the earlier keeps it -- */

static bool has_name(const cJSON *accepted, const char *name, bool kinds)
{
    static const char *const keys[2][2] = {{"plural", "singular"}, {"kind", "listKind"}};

    for (int i = 0; i < 2; i++) {
        if (name[0] != '\0' && strcmp(tree_text(accepted, keys[kinds][i]), name) == 0)
            return true;
    }
    return !kinds && tree_has_text(tree_get(accepted, "shortNames"), name);
}

/* Another definition of the group has been given that name. */
static bool is_taken(const dev_table_t *t, const cJSON *crd, const char *name, bool kinds)
{
    const char *group = tree_text(tree_get(crd, "spec"), "group");
    const char *self = tree_text(tree_get(crd, "metadata"), "name");
    bool taken = false;

    for (size_t i = 0; i < dev_table_count(t) && !taken; i++) {
        const dev_object_t *o = dev_table_at(t, i);
        const char *dot = strchr(o->name, '.');

        if (strcmp(o->name, self) == 0 || dot == NULL || strcmp(dot + 1, group) != 0)
            continue;
        cJSON *other = dev_object_tree(o);
        taken = has_name(tree_at(other, "status.acceptedNames"), name, kinds);
        cJSON_Delete(other);
    }
    return taken;
}

/* What is accepted of the names; *reason and *taken tell of the last one that is not. */
static cJSON *accept_names(const dev_table_t *t, const cJSON *crd, const char **reason,
                           const char **taken)
{
    static const struct {
        const char *key, *reason;
        bool kinds;
    } parts[] = {{"plural", "PluralConflict", false},
                 {"singular", "SingularConflict", false},
                 {"shortNames", "ShortNamesConflict", false},
                 {"kind", "KindConflict", true},
                 {"listKind", "ListKindConflict", true}};
    const cJSON *names = tree_at(crd, "spec.names"), *item;
    cJSON *accepted = cJSON_Duplicate(names, true);

    *reason = NULL;
    for (size_t i = 0; i < HOST_LEN(parts); i++) {
        const cJSON *wanted = tree_get(names, parts[i].key);
        const char *clash = NULL;

        if (cJSON_IsString(wanted) && is_taken(t, crd, wanted->valuestring, parts[i].kinds))
            clash = wanted->valuestring;
        cJSON_ArrayForEach (item, tree_list(wanted)) {
            if (cJSON_IsString(item) && is_taken(t, crd, item->valuestring, false))
                clash = item->valuestring;
        }
        if (clash == NULL)
            continue;
        *reason = parts[i].reason;
        *taken = clash;
        tree_remove(accepted, parts[i].key);
    }
    tree_default_text(accepted, "plural", "");
    tree_default_text(accepted, "kind", "");
    return accepted;
}

static void note_stored(cJSON *crd)
{
    cJSON *stored = tree_array(tree_object(crd, "status"), "storedVersions");
    const cJSON *version;

    cJSON_ArrayForEach (version, tree_list(tree_at(crd, "spec.versions"))) {
        const char *name = tree_text(version, "name");
        if (tree_true(version, "storage") && !tree_has_text(stored, name))
            cJSON_AddItemToArray(stored, cJSON_CreateString(name));
    }
}

static void establish(dev_core_t *c, dev_table_t *t, const dev_object_t *o, cJSON *tree)
{
    const char *reason, *taken = "";
    cJSON *accepted = accept_names(t, tree, &reason, &taken), *before;
    host_cleanup(host_freep) char *message = host_xprintf("\"%s\" is already in use", taken);

    note_stored(tree); /* as part of the definition, which nobody has written */
    before = cJSON_Duplicate(tree, true);
    tree_set(tree_object(tree, "status"), "acceptedNames", accepted);
    set_condition(c, tree, "NamesAccepted", reason == NULL, reason == NULL ? "NoConflicts" : reason,
                  reason == NULL ? "no conflicts found" : message);
    if (reason == NULL && !dev_condition_holds(tree, "Established"))
        set_condition(c, tree, "Established", true, "InitialNamesAccepted",
                      "the initial names have been accepted");
    else if (!dev_condition_holds(tree, "Established"))
        set_condition(c, tree, "Established", false, "NotAccepted", "not all names are accepted");
    managed_chore(c, dev_core_kind_of(c, t), "kube-apiserver", before, tree);
    cJSON_Delete(before);
    (void) dev_settle(c, t, o, tree);
}

/* -- The end -- */

void dev_crd_mark(const dev_core_t *c, cJSON *crd)
{
    dev_put_finalizer(crd, CLEANUP);
    set_condition(
        c, crd, "Terminating", true, "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin "
        "soon");
}

/* Deletes what is left of the kind; false when the turn is over before. *left: how many stay. */
static bool delete_instances(dev_core_t *c, const cJSON *crd, size_t *left)
{
    const cJSON *spec = tree_get(crd, "spec");
    host_cleanup(host_freep) char *key = host_xprintf("%s/%s", tree_text(spec, "group"),
                                                      tree_text(tree_get(spec, "names"), "plural"));
    dev_table_t *t = dev_store_table(c->store, key);
    bool cut = false;

    *left = 0;
    if (dev_core_kind_of(c, t) == NULL)
        return true;
    for (size_t i = 0; i < dev_table_count(t) && !cut;) {
        const dev_object_t *o = dev_table_at(t, i);
        if (o->deleting) {
            i++;
            continue;
        }
        i += dev_delete_object(c, t, o, "Background") != NULL;
        cut = dev_turn_is_over(c);
    }
    *left = dev_table_count(t);
    return !cut;
}

bool dev_crd_tend(dev_core_t *c, const dev_object_t *o)
{
    dev_table_t *t = dev_store_table(c->store, "apiextensions.k8s.io/customresourcedefinitions");
    cJSON *tree = dev_object_tree(o);
    size_t left = 0;
    bool done = true;

    if (tree_at(tree, "metadata.deletionTimestamp") == NULL) {
        establish(c, t, o, tree);
    } else if (tree_has_text(tree_at(tree, "metadata.finalizers"), CLEANUP)) {
        done = delete_instances(c, tree, &left);
        if (left == 0)
            dev_take_finalizer(tree, CLEANUP);
        else
            set_condition(c, tree, "Terminating", true, "InstanceDeletionInProgress",
                          "CustomResource deletion is in progress");
        (void) dev_settle(c, t, o, tree);
    }
    cJSON_Delete(tree);
    return done;
}
