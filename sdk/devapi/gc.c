/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from a change, as the controllers of a cluster do it: dependents of what is gone,
 * deletions that wait for their dependents, the end of a namespace, a new CRD. Each change puts what it
 * touches among the suspects; a task looks at them until none is left.
 */
#include "devapi/core_impl.h"

#include "base/clock.h"

#include <string.h>
#include <uthash.h>

#define SLICE 200                        /* suspects looked at in one turn of the loop */
#define TURN (20 * CLOCK_MS)             /* for which chores keep the loop from others */
#define NAMESPACE_DELAY (300 * CLOCK_MS) /* in which a namespace is seen to be terminating */

/* Where an object stands: a dependent of one owner, or a suspect. */
typedef struct dev_place {
    dev_table_t *table;
    char *ns, *name;
    char *key;              /* all of these */
    int64_t at;             /* when a suspect is to be looked at */
    struct dev_place *next; /* of a copied list */
    UT_hash_handle hh;      /* of the owner, or of the suspects */
} place_t;

enum { UID_SIZE = 40 };

struct dev_owned {
    char uid[UID_SIZE]; /* of the owner */
    place_t *all;
    UT_hash_handle hh;
};

/* -- The index of dependents -- */

static const cJSON *owners_of(const cJSON *tree)
{
    return tree_at(tree, "metadata.ownerReferences");
}

static char *key_of(const dev_table_t *t, const char *ns, const char *name)
{
    return host_xprintf("%s %s/%s", dev_table_key(t), ns, name);
}

static place_t *make_place(dev_table_t *t, const char *ns, const char *name)
{
    place_t *d = host_xcalloc(1, sizeof(*d));

    d->table = t;
    d->ns = host_xstrdup(ns);
    d->name = host_xstrdup(name);
    return d;
}

static void place_free(place_t *d)
{
    free(d->ns);
    free(d->name);
    free(d->key);
    free(d);
}

static void index_add(dev_core_t *c, dev_table_t *t, const dev_object_t *o, const char *uid)
{
    host_cleanup(host_freep) char *key = key_of(t, o->ns, o->name);
    dev_owned_t *owned = NULL;
    place_t *d = NULL;

    HASH_FIND_STR(c->owned, uid, owned);
    if (owned == NULL) {
        owned = host_xcalloc(1, sizeof(*owned));
        snprintf(owned->uid, sizeof(owned->uid), "%s", uid);
        HASH_ADD_STR(c->owned, uid, owned);
    }
    HASH_FIND_STR(owned->all, key, d);
    if (d != NULL)
        return;
    d = make_place(t, o->ns, o->name);
    d->key = host_steal(key);
    HASH_ADD_KEYPTR(hh, owned->all, d->key, strlen(d->key), d);
}

static void index_remove(dev_core_t *c, const dev_table_t *t, const dev_object_t *o,
                         const char *uid)
{
    host_cleanup(host_freep) char *key = key_of(t, o->ns, o->name);
    dev_owned_t *owned = NULL;
    place_t *d = NULL;

    HASH_FIND_STR(c->owned, uid, owned);
    if (owned != NULL)
        HASH_FIND_STR(owned->all, key, d);
    if (d == NULL)
        return;
    HASH_DEL(owned->all, d);
    place_free(d);
    if (owned->all == NULL) {
        HASH_DEL(c->owned, owned);
        free(owned);
    }
}

static void index_object(dev_core_t *c, dev_table_t *t, const dev_object_t *o, bool add)
{
    const cJSON *ref;

    if (!o->owned)
        return;
    cJSON *tree = dev_object_tree(o);
    cJSON_ArrayForEach (ref, owners_of(tree)) {
        const char *uid = tree_text(ref, "uid");
        if (strlen(uid) >= UID_SIZE)
            continue; /* nobody has it */
        if (add)
            index_add(c, t, o, uid);
        else
            index_remove(c, t, o, uid);
    }
    cJSON_Delete(tree);
}

/* -- Suspects -- */

/* To be looked at after so many nanoseconds, once: whoever waits already is not put in line again. */
static void suspect_later(dev_core_t *c, dev_table_t *t, const char *ns, const char *name,
                          int64_t delay)
{
    host_cleanup(host_freep) char *key = key_of(t, ns, name);
    const int64_t at = clock_now() + delay;
    place_t *p = NULL;

    HASH_FIND_STR(c->suspects, key, p);
    if (p == NULL) {
        p = make_place(t, ns, name);
        p->key = host_steal(key);
        p->at = at;
        HASH_ADD_KEYPTR(hh, c->suspects, p->key, strlen(p->key), p);
    }
    p->at = HOST_MIN(p->at, at);
    if (at < c->chores.at)
        loop_timer_set(&c->chores, at);
}

static void suspect(dev_core_t *c, dev_table_t *t, const char *ns, const char *name)
{
    suspect_later(c, t, ns, name, 0);
}

static void suspect_dependents(dev_core_t *c, const char *uid)
{
    dev_owned_t *owned = NULL;

    HASH_FIND_STR(c->owned, uid, owned);
    for (const place_t *d = owned != NULL ? owned->all : NULL; d != NULL; d = d->hh.next)
        suspect(c, d->table, d->ns, d->name);
}

static void suspect_owners(dev_core_t *c, const dev_object_t *o)
{
    cJSON *tree = dev_object_tree(o);
    const cJSON *ref;

    cJSON_ArrayForEach (ref, owners_of(tree)) {
        char group[128] = "";
        const char *version = tree_text(ref, "apiVersion"), *slash = strchr(version, '/');
        if (slash != NULL)
            snprintf(group, sizeof(group), "%.*s", (int) (slash - version), version);
        const dev_kind_t *kind = dev_core_kind_named(c, group, tree_text(ref, "kind"));
        if (kind != NULL)
            suspect(c, dev_core_table(c, kind), (kind->flags & DEV_NAMESPACED) != 0 ? o->ns : "",
                    tree_text(ref, "name"));
    }
    cJSON_Delete(tree);
}

/* It may wait for the end of its objects. key: "group/resource" */
static void suspect_crd(dev_core_t *c, const char *key)
{
    dev_table_t *crds = dev_store_table(c->store, "apiextensions.k8s.io/customresourcedefinitions");
    const char *slash = strchr(key, '/');
    host_cleanup(host_freep) char *name =
        host_xprintf("%s.%.*s", slash + 1, (int) (slash - key), key);

    if (dev_table_find(crds, "", name) != NULL)
        suspect(c, crds, "", name);
}

static bool is_ending(const dev_object_t *o)
{
    return o->deleting;
}

static bool begins_to_end(const dev_event_t *e)
{
    return strcmp(dev_table_key(e->table), "/namespaces") == 0 && e->before != NULL &&
           is_ending(e->object) && !is_ending(e->before);
}

static void restore_table(void *arg, dev_table_t *t)
{
    dev_core_t *c = arg;

    for (size_t i = 0; i < dev_table_count(t); i++) {
        const dev_object_t *o = dev_table_at(t, i);

        index_object(c, t, o, true);
        suspect(c, t, o->ns, o->name);
    }
}

void dev_gc_restored(dev_core_t *c)
{
    dev_store_each_table(c->store, restore_table, c);
}

static bool is_crd(const dev_event_t *e)
{
    return strcmp(dev_table_key(e->table), "apiextensions.k8s.io/customresourcedefinitions") == 0;
}

/* An owner of a kind that nobody knew may turn out not to be there. */
static void suspect_all_dependents(dev_core_t *c)
{
    for (const dev_owned_t *owned = c->owned; owned != NULL; owned = owned->hh.next)
        suspect_dependents(c, owned->uid);
}

void dev_gc_event(dev_core_t *c, const dev_event_t *e)
{
    if (e->before != NULL)
        index_object(c, e->table, e->before, false);
    if (!e->gone) {
        index_object(c, e->table, e->object, true);
        if (is_crd(e))
            suspect_all_dependents(c);
        suspect_later(c, e->table, e->object->ns, e->object->name,
                      begins_to_end(e) ? NAMESPACE_DELAY : 0);
        return;
    }
    suspect_dependents(c, e->object->uid);
    if (e->object->owned)
        suspect_owners(c, e->object);
    if (e->object->ns[0] != '\0')
        suspect(c, dev_store_table(c->store, "/namespaces"), "", e->object->ns);
    suspect_crd(c, dev_table_key(e->table));
    /* Its names are free. */
    if (is_crd(e)) {
        for (size_t i = 0; i < dev_table_count(e->table); i++)
            suspect(c, e->table, "", dev_table_at(e->table, i)->name);
    }
}

/* -- Owners -- */

/* The owner that a reference names is there under that uid; true for kinds that nobody knows. */
static bool owner_lives(dev_core_t *c, const cJSON *ref, const char *ns)
{
    char group[128] = "";
    const char *version = tree_text(ref, "apiVersion"), *slash = strchr(version, '/');

    if (slash != NULL)
        snprintf(group, sizeof(group), "%.*s", (int) (slash - version), version);
    const dev_kind_t *kind = dev_core_kind_named(c, group, tree_text(ref, "kind"));
    if (kind == NULL || ((kind->flags & DEV_NAMESPACED) != 0 && ns[0] == '\0'))
        return true; /* nor can one be looked for that no namespace is said of */
    const dev_object_t *owner =
        dev_table_find(dev_core_table(c, kind), (kind->flags & DEV_NAMESPACED) != 0 ? ns : "",
                       tree_text(ref, "name"));
    return owner != NULL && strcmp(owner->uid, tree_text(ref, "uid")) == 0;
}

/* Every owner is gone: so is the object. Only some: their references are. */
static bool collect(dev_core_t *c, dev_table_t *t, const dev_object_t *o, const cJSON *tree)
{
    const cJSON *ref;
    int alive = 0, all = 0;

    cJSON_ArrayForEach (ref, owners_of(tree)) {
        all++;
        alive += owner_lives(c, ref, o->ns);
    }
    if (all == 0 || alive == all || tree_at(tree, "metadata.deletionTimestamp") != NULL)
        return false;
    if (alive == 0) {
        (void) dev_delete_object(c, t, o, "Background");
        return true;
    }
    cJSON *next = cJSON_Duplicate(tree, true);
    cJSON *left = cJSON_CreateArray();
    cJSON_ArrayForEach (ref, owners_of(tree)) {
        if (owner_lives(c, ref, o->ns))
            cJSON_AddItemToArray(left, cJSON_Duplicate(ref, true));
    }
    tree_set(tree_get(next, "metadata"), "ownerReferences", left);
    (void) dev_settle(c, t, o, next);
    cJSON_Delete(next);
    return true;
}

/* Without the references to this owner. */
static void orphan(dev_core_t *c, const place_t *d, const char *uid)
{
    const dev_object_t *o = dev_table_find(d->table, d->ns, d->name);
    cJSON *tree = o != NULL ? dev_object_tree(o) : NULL;
    cJSON *meta = tree_get(tree, "metadata"), *refs = tree_get(meta, "ownerReferences");

    for (int i = cJSON_GetArraySize(refs) - 1; i >= 0; i--) {
        if (strcmp(tree_text(cJSON_GetArrayItem(refs, i), "uid"), uid) == 0)
            cJSON_DeleteItemFromArray(refs, i);
    }
    if (tree_empty(refs))
        tree_remove(meta, "ownerReferences");
    if (o != NULL)
        (void) dev_settle(c, d->table, o, tree);
    cJSON_Delete(tree);
}

static bool blocks(const place_t *d, const char *uid)
{
    const dev_object_t *o = dev_table_find(d->table, d->ns, d->name);
    cJSON *tree = o != NULL ? dev_object_tree(o) : NULL;
    const cJSON *ref;
    bool yes = false;

    cJSON_ArrayForEach (ref, owners_of(tree))
        yes = yes ||
              (strcmp(tree_text(ref, "uid"), uid) == 0 && tree_true(ref, "blockOwnerDeletion"));
    cJSON_Delete(tree);
    return yes;
}

/* Somebody else owns it, too, and is not about to go with this one. */
static bool has_other_owner(dev_core_t *c, const place_t *d, const char *uid)
{
    const dev_object_t *o = dev_table_find(d->table, d->ns, d->name);
    cJSON *tree = o != NULL ? dev_object_tree(o) : NULL;
    const cJSON *ref;
    bool yes = false;

    cJSON_ArrayForEach (ref, owners_of(tree))
        yes = yes || (strcmp(tree_text(ref, "uid"), uid) != 0 && owner_lives(c, ref, d->ns));
    cJSON_Delete(tree);
    return yes;
}

/* A copy of the dependents' list, since each step changes it. */
static place_t *dependents_of(dev_core_t *c, const char *uid)
{
    dev_owned_t *owned = NULL;
    place_t *copy = NULL;

    HASH_FIND_STR(c->owned, uid, owned);
    for (const place_t *d = owned != NULL ? owned->all : NULL; d != NULL; d = d->hh.next) {
        place_t *one = make_place(d->table, d->ns, d->name);
        one->next = copy;
        copy = one;
    }
    return copy;
}

static void dependents_free(place_t *list)
{
    for (place_t *next; list != NULL; list = next) {
        next = list->next;
        place_free(list);
    }
}

/* Takes the owner's reference from the dependents that stay, and deletes the others; false when the
 * turn is over before all of them were seen. */
static bool release_dependents(dev_core_t *c, const place_t *list, const char *uid, bool orphans)
{
    for (const place_t *d = list; d != NULL; d = d->next) {
        const dev_object_t *one = dev_table_find(d->table, d->ns, d->name);

        if (one == NULL || (one->deleting && !orphans))
            continue;
        if (orphans || has_other_owner(c, d, uid))
            orphan(c, d, uid);
        else
            (void) dev_delete_object(c, d->table, one,
                                     blocks(d, uid) ? "Foreground" : "Background");
        if (dev_turn_is_over(c))
            return d->next == NULL;
    }
    return true;
}

static bool is_blocked(dev_core_t *c, const place_t *list, const char *uid)
{
    for (const place_t *d = list; d != NULL; d = d->next) {
        if (blocks(d, uid) && !has_other_owner(c, d, uid))
            return true;
    }
    return false;
}

static bool tend_deletion(dev_core_t *c, dev_table_t *t, const dev_object_t *o, cJSON *tree)
{
    const cJSON *finalizers = tree_at(tree, "metadata.finalizers");
    const bool orphans = tree_has_text(finalizers, "orphan");
    const bool foreground = tree_has_text(finalizers, "foregroundDeletion");

    if (tree_at(tree, "metadata.deletionTimestamp") == NULL || !(orphans || foreground))
        return false;
    place_t *list = dependents_of(c, o->uid);
    const bool all = release_dependents(c, list, o->uid, orphans);
    const bool blocked = !all || (!orphans && is_blocked(c, list, o->uid));

    dependents_free(list);
    if (!all)
        suspect(c, t, o->ns, o->name);
    if (!blocked) {
        dev_take_finalizer(tree, orphans ? "orphan" : "foregroundDeletion");
        (void) dev_settle(c, t, o, tree);
    }
    return !blocked;
}

/* -- Namespaces -- */

typedef struct sweep {
    dev_core_t *core;
    const char *ns;
    size_t left;
    bool cut; /* the turn was over before all were seen */
} sweep_t;

static void sweep_table(void *arg, dev_table_t *t)
{
    sweep_t *s = arg;

    for (size_t i = dev_table_lower(t, s->ns, ""); i < dev_table_count(t) && !s->cut;) {
        dev_object_t *o = dev_table_at(t, i);
        if (strcmp(o->ns, s->ns) != 0)
            return;
        const dev_object_t *left = o;
        if (!o->deleting) {
            left = dev_delete_object(s->core, t, o, "Background");
            s->cut = dev_turn_is_over(s->core);
        }
        s->left += left != NULL;
        i += left != NULL;
    }
}

/* Creates it unless it is there; object is taken. */
static void furnish_with(dev_core_t *c, const char *ns, const char *resource, cJSON *object)
{
    const dev_kind_t *kind = dev_core_kind(c, "", "v1", resource);
    const char *name = tree_text(tree_get(object, "metadata"), "name");

    if (dev_table_find(dev_core_table(c, kind), ns, name) == NULL) {
        host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(object);
        const dev_request_t r = {.verb = DEV_CREATE,
                                 .kind = kind,
                                 .version = "v1",
                                 .ns = ns,
                                 .field_manager = "kube-controller-manager",
                                 .body = text,
                                 .body_len = strlen(text)};
        dev_reply_t reply;
        dev_core_serve(c, &r, &reply);
        dev_reply_fini(&reply);
    }
    cJSON_Delete(object);
}

static cJSON *make_named(const char *name)
{
    cJSON *object = cJSON_CreateObject();

    tree_set_text(tree_object(object, "metadata"), "name", name);
    return object;
}

/* Every namespace gets these. */
static void furnish(dev_core_t *c, const char *ns)
{
    furnish_with(c, ns, "serviceaccounts", make_named("default"));
    if (c->root_ca == NULL)
        return;
    cJSON *ca = make_named("kube-root-ca.crt");
    tree_set_text(tree_object(ca, "data"), "ca.crt", c->root_ca);
    furnish_with(c, ns, "configmaps", ca);
}

static void tend_namespace(dev_core_t *c, dev_table_t *t, const dev_object_t *o, cJSON *tree)
{
    sweep_t s = {.core = c, .ns = o->name};

    if (tree_at(tree, "metadata.deletionTimestamp") == NULL) {
        furnish(c, o->name);
        return;
    }
    dev_store_each_table(c->store, sweep_table, &s);
    if (s.cut)
        suspect(c, t, "", o->name);
    if (s.cut || s.left > 0)
        return;
    tree_remove(tree_get(tree, "spec"), "finalizers");
    (void) dev_settle(c, t, o, tree);
}

/* -- The task -- */

bool dev_turn_is_over(const dev_core_t *c)
{
    return clock_now() >= c->turn_ends;
}

static void tend(dev_core_t *c, dev_table_t *t, const char *ns, const char *name)
{
    const char *key = dev_table_key(t);
    dev_object_t *o = dev_table_find(t, ns, name);

    if (o == NULL)
        return;
    dev_object_ref(o);
    cJSON *tree = dev_object_tree(o);
    if (!collect(c, t, o, tree) && !tend_deletion(c, t, o, tree)) {
        if (strcmp(key, "/namespaces") == 0)
            tend_namespace(c, t, o, tree);
        else if (strcmp(key, "apiextensions.k8s.io/customresourcedefinitions") == 0 &&
                 !dev_crd_tend(c, o))
            suspect(c, t, ns, name);
    }
    cJSON_Delete(tree);
    dev_object_unref(o);
}

static void on_chores(loop_timer_t *timer)
{
    dev_core_t *c = HOST_CONTAINER(timer, dev_core_t, chores);
    const int64_t now = clock_now();
    int64_t next = CLOCK_NEVER;
    int looked = 0;

    c->turn_ends = now + TURN;
    dev_customs_tidy(c);
    for (size_t i = HASH_COUNT(c->suspects); i > 0 && c->suspects != NULL; i--) {
        place_t *p = c->suspects; /* the one that waits longest */

        if (p->at <= now && (looked == SLICE || dev_turn_is_over(c))) {
            next = now;
            break;
        }
        HASH_DEL(c->suspects, p);
        if (p->at > now) { /* back in line */
            next = HOST_MIN(next, p->at);
            HASH_ADD_KEYPTR(hh, c->suspects, p->key, strlen(p->key), p);
            continue;
        }
        looked++;
        tend(c, p->table, p->ns, p->name);
        place_free(p);
    }
    if (next < c->chores.at)
        loop_timer_set(&c->chores, next);
}

/* -- Life -- */

void dev_gc_start(dev_core_t *c)
{
    static const char *const always[] = {"default", "kube-node-lease", "kube-public",
                                         "kube-system"};

    loop_timer_init(&c->chores, c->o.loop, on_chores);
    for (size_t i = 0; i < HOST_LEN(always); i++) {
        host_cleanup(host_freep) char *body =
            host_xprintf("{\"metadata\":{\"name\":\"%s\"}}", always[i]);
        const dev_request_t r = {.verb = DEV_CREATE,
                                 .kind = dev_core_kind(c, "", "v1", "namespaces"),
                                 .version = "v1",
                                 .field_manager = "kube-apiserver",
                                 .body = body,
                                 .body_len = strlen(body)};
        dev_reply_t reply;
        dev_core_serve(c, &r, &reply);
        dev_reply_fini(&reply);
    }
}

void dev_gc_destroy(dev_core_t *c)
{
    dev_owned_t *owned, *next;
    place_t *p, *after;

    loop_timer_clear(&c->chores);
    HASH_ITER (hh, c->suspects, p, after) {
        HASH_DEL(c->suspects, p);
        place_free(p);
    }
    HASH_ITER (hh, c->owned, owned, next) {
        place_t *d, *following;

        HASH_ITER (hh, owned->all, d, following) {
            HASH_DEL(owned->all, d);
            place_free(d);
        }
        HASH_DEL(c->owned, owned);
        free(owned);
    }
}
