/* SPDX-License-Identifier: Apache-2.0 */
#include "devapi/store.h"

#include "base/error.h"
#include "devapi/tree.h"
#include "json/skim.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct dev_table {
    char *key;
    dev_object_t **objects; /* by (ns, name); moving pointers is cheaper than any tree up to 10^5 */
    size_t count, cap;
    UT_hash_handle hh;
};

struct dev_store {
    dev_store_options_t o;
    dev_table_t *tables;
    int64_t version, oldest;
    dev_event_t *events; /* a ring of max_events */
    size_t first, event_count;
    size_t bytes, objects;
    managed_texts_t *managed;
};

enum { MAX_TIMES = 64 }; /* of entries of managedFields that are kept apart */

/* -- Objects -- */

static size_t weight(const dev_object_t *o)
{
    return sizeof(*o) + o->len + strlen(o->ns) + strlen(o->name) + 64 +
           (o->managed != NULL ? managed_text_times(o->managed) * sizeof(int64_t) : 0);
}

dev_object_t *dev_object_ref(dev_object_t *o)
{
    o->refs++;
    return o;
}

void dev_object_unref(dev_object_t *o)
{
    if (o == NULL || --o->refs > 0)
        return;
    cJSON_Delete(o->labels);
    managed_text_unref(o->managed);
    free(o);
}

/* Of the entries of managedFields that are kept apart. */
static const int64_t *times_of(const dev_object_t *o)
{
    return (const int64_t *) (o + 1);
}

cJSON *dev_object_tree(const dev_object_t *o)
{
    cJSON *tree = cJSON_ParseWithLength(o->text, o->len);
    host_cleanup(buf_fini) buf_t managed = BUF_INIT;

    if (o->managed == NULL)
        return tree;
    managed_text_put(o->managed, times_of(o), &managed);
    cJSON_AddItemToObject(cJSON_GetObjectItemCaseSensitive(tree, "metadata"), "managedFields",
                          cJSON_ParseWithLength(buf_text(&managed), managed.len));
    return tree;
}

/* How each text begins. */
static const char beginning[] = "{\"metadata\":";

enum { META_AT = sizeof(beginning) - 1 };

void dev_object_put_meta(const dev_object_t *o, buf_t *out)
{
    buf_append(out, o->text + META_AT, o->meta_len - 1);
    if (o->managed != NULL) { /* never alone: there is a resourceVersion */
        buf_puts(out, ",\"managedFields\":");
        managed_text_put(o->managed, times_of(o), out);
    }
    buf_puts(out, "}");
}

void dev_object_put(const dev_object_t *o, bool behind_brace, buf_t *out)
{
    const size_t end = META_AT + o->meta_len;

    buf_puts(out, beginning + behind_brace);
    dev_object_put_meta(o, out);
    buf_append(out, o->text + end, o->len - end);
}

static const char *text_of(const cJSON *meta, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(meta, key));

    return text != NULL ? text : "";
}

static const char *put_text(char **at, const char *text, size_t len)
{
    char *start = *at;

    memcpy(start, text, len);
    start[len] = '\0';
    *at += len + 1;
    return start;
}

/* What is kept apart of an object's metadata. */
typedef struct apart {
    managed_text_t *managed;
    int64_t times[MAX_TIMES];
} apart_t;

/* One block: the record, its times and its texts. tree has no kind and apiVersion. */
static dev_object_t *make_object(const cJSON *tree, int64_t version, const apart_t *apart)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(tree, "metadata");
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(meta, "labels");
    const char *ns = text_of(meta, "namespace"), *name = text_of(meta, "name");
    const char *uid = text_of(meta, "uid");
    char *text = cJSON_PrintUnformatted(tree);
    const size_t len = strlen(text);
    const size_t times =
        apart->managed != NULL ? managed_text_times(apart->managed) * sizeof(int64_t) : 0;
    dev_object_t *o =
        host_xcalloc(1, sizeof(*o) + times + len + strlen(ns) + strlen(name) + strlen(uid) + 4);
    char *at = (char *) (o + 1) + times;

    memcpy(o + 1, apart->times, times);
    o->managed = apart->managed;
    o->refs = 1;
    o->version = version;
    o->len = len;
    o->text = put_text(&at, text, len);
    o->meta_len = skim_get((skim_span_t){.p = o->text, .len = len}, "metadata").len;
    o->ns = put_text(&at, ns, strlen(ns));
    o->name = put_text(&at, name, strlen(name));
    o->uid = put_text(&at, uid, strlen(uid));
    o->owned = !tree_empty(tree_get(meta, "ownerReferences"));
    o->deleting = tree_get(meta, "deletionTimestamp") != NULL;
    if (cJSON_IsObject(labels) && labels->child != NULL)
        o->labels = cJSON_Duplicate(labels, true);
    cJSON_free(text);
    return o;
}

/* The members in the order that people know. */
static void sort_meta(cJSON *meta)
{
    static const char *const order[] = {"name",
                                        "generateName",
                                        "namespace",
                                        "uid",
                                        "resourceVersion",
                                        "generation",
                                        "creationTimestamp",
                                        "deletionTimestamp",
                                        "deletionGracePeriodSeconds",
                                        "labels",
                                        "annotations",
                                        "ownerReferences",
                                        "finalizers",
                                        "managedFields"};

    for (size_t i = 0; i < HOST_LEN(order); i++) {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(meta, order[i]);
        if (item != NULL)
            cJSON_AddItemToArray(meta, item); /* it keeps its name */
    }
}

/* Takes kind and apiVersion away, sets the version, and prints with metadata first. */
static dev_object_t *create_object(managed_texts_t *texts, cJSON *tree, int64_t version)
{
    char number[24];
    apart_t apart = {0};
    cJSON *meta = cJSON_DetachItemFromObjectCaseSensitive(tree, "metadata");
    const cJSON *managed = cJSON_GetObjectItemCaseSensitive(meta, "managedFields");

    snprintf(number, sizeof(number), "%lld", (long long) version);
    cJSON_DeleteItemFromObjectCaseSensitive(tree, "kind");
    cJSON_DeleteItemFromObjectCaseSensitive(tree, "apiVersion");
    cJSON_DeleteItemFromObjectCaseSensitive(meta, "resourceVersion");
    cJSON_AddStringToObject(meta, "resourceVersion", number);
    if (texts != NULL && managed != NULL)
        apart.managed = managed_text_of(texts, managed, apart.times, MAX_TIMES);
    if (apart.managed != NULL)
        cJSON_DeleteItemFromObjectCaseSensitive(meta, "managedFields");
    sort_meta(meta);
    if (tree->child == NULL)
        cJSON_AddItemToObject(tree, "metadata", meta);
    else
        cJSON_InsertItemInArray(tree, 0, meta); /* it keeps its key */
    return make_object(tree, version, &apart);
}

dev_object_t *dev_object_create(cJSON *tree, int64_t version)
{
    return create_object(NULL, tree, version);
}

/* -- Tables -- */

dev_table_t *dev_store_table(dev_store_t *s, const char *key)
{
    dev_table_t *t = NULL;

    HASH_FIND_STR(s->tables, key, t);
    if (t != NULL)
        return t;
    t = host_xcalloc(1, sizeof(*t));
    t->key = host_xstrdup(key);
    HASH_ADD_KEYPTR(hh, s->tables, t->key, strlen(t->key), t);
    return t;
}

const char *dev_table_key(const dev_table_t *t)
{
    return t->key;
}

size_t dev_table_count(const dev_table_t *t)
{
    return t->count;
}

dev_object_t *dev_table_at(const dev_table_t *t, size_t i)
{
    return t->objects[i];
}

static int compare(const dev_object_t *o, const char *ns, const char *name)
{
    const int by_ns = strcmp(o->ns, ns);

    return by_ns != 0 ? by_ns : strcmp(o->name, name);
}

size_t dev_table_lower(const dev_table_t *t, const char *ns, const char *name)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(t->objects[middle], ns, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

dev_object_t *dev_table_find(const dev_table_t *t, const char *ns, const char *name)
{
    const size_t i = dev_table_lower(t, ns, name);

    return i < t->count && compare(t->objects[i], ns, name) == 0 ? t->objects[i] : NULL;
}

void dev_store_each_table(dev_store_t *s, void (*each)(void *arg, dev_table_t *t), void *arg)
{
    dev_table_t *t, *next;

    HASH_ITER (hh, s->tables, t, next) {
        each(arg, t);
    }
}

/* Puts o, whose reference is taken, into its place; the one that stood there is returned with its
 * reference. */
static dev_object_t *table_put(dev_table_t *t, dev_object_t *o)
{
    const size_t i = dev_table_lower(t, o->ns, o->name);

    if (i < t->count && compare(t->objects[i], o->ns, o->name) == 0) {
        dev_object_t *before = t->objects[i];
        t->objects[i] = o;
        return before;
    }
    if (t->count == t->cap) {
        t->cap = t->cap == 0 ? 16 : 2 * t->cap;
        t->objects = realloc(t->objects, t->cap * sizeof(*t->objects));
        if (t->objects == NULL)
            abort(); /* as host_xcalloc does; max_bytes is there to keep it from happening */
    }
    memmove(t->objects + i + 1, t->objects + i, (t->count - i) * sizeof(*t->objects));
    t->objects[i] = o;
    t->count++;
    return NULL;
}

static dev_object_t *table_take(dev_table_t *t, const dev_object_t *o)
{
    const size_t i = dev_table_lower(t, o->ns, o->name);
    dev_object_t *taken = t->objects[i];

    t->count--;
    memmove(t->objects + i, t->objects + i + 1, (t->count - i) * sizeof(*t->objects));
    return taken;
}

/* -- Changes -- */

int64_t dev_store_version(const dev_store_t *s)
{
    return s->version;
}

int64_t dev_store_oldest(const dev_store_t *s)
{
    return s->oldest;
}

bool dev_store_full(const dev_store_t *s, size_t more)
{
    return s->bytes + managed_texts_bytes(s->managed) + more > s->o.max_bytes;
}

static void forget_oldest(dev_store_t *s)
{
    dev_event_t *e = &s->events[s->first];

    s->oldest = e->version;
    if (e->before != NULL)
        s->bytes -= weight(e->before);
    if (e->gone)
        s->bytes -= weight(e->object);
    dev_object_unref(e->before);
    dev_object_unref(e->object);
    s->first = (s->first + 1) % s->o.max_events;
    s->event_count--;
}

/* The event's references are taken. History weighs what the tables have no more. */
static void add_event(dev_store_t *s, const dev_event_t *e)
{
    if (s->event_count == s->o.max_events)
        forget_oldest(s);
    s->events[(s->first + s->event_count++) % s->o.max_events] = *e;
    while (s->event_count > 1 && dev_store_full(s, 0))
        forget_oldest(s);
    s->o.on_event(s->o.arg, e);
}

dev_object_t *dev_store_put(dev_store_t *s, dev_table_t *t, cJSON *tree)
{
    dev_object_t *o = create_object(s->managed, tree, ++s->version);
    dev_object_t *before = table_put(t, o);

    s->bytes += weight(o);
    s->objects += before == NULL;
    add_event(s, &(dev_event_t){s->version, t, before, dev_object_ref(o), false});
    return o;
}

dev_object_t *dev_store_remove(dev_store_t *s, dev_table_t *t, const dev_object_t *o)
{
    dev_object_t *before = table_take(t, o);
    cJSON *tree = dev_object_tree(before);
    dev_object_t *last = create_object(s->managed, tree, ++s->version);

    cJSON_Delete(tree);
    s->bytes += weight(last);
    s->objects--;
    add_event(s, &(dev_event_t){s->version, t, before, last, true});
    return last;
}

void dev_store_restore(dev_store_t *s, dev_table_t *t, const cJSON *object)
{
    cJSON *tree = cJSON_Duplicate(object, true);
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(tree, "metadata");
    const int64_t version = strtoll(text_of(meta, "resourceVersion"), NULL, 10);
    dev_object_t *o = create_object(s->managed, tree, version);

    cJSON_Delete(tree);
    s->version = HOST_MAX(s->version, version);
    s->oldest = s->version;
    s->bytes += weight(o);
    s->objects++;
    dev_object_unref(table_put(t, o));
}

void dev_store_skip(dev_store_t *s, int64_t versions)
{
    dev_store_compact(s);
    s->version += versions;
    s->oldest = s->version;
}

/* -- The past -- */

void dev_store_events(dev_store_t *s, int64_t version,
                      bool (*each)(void *arg, const dev_event_t *e), void *arg)
{
    size_t low = 0, high = s->event_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (s->events[(s->first + middle) % s->o.max_events].version <= version)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < s->event_count && each(arg, &s->events[(s->first + low) % s->o.max_events]))
        low++;
}

/* A key that has changed since, and what it was. */
typedef struct earlier {
    const dev_object_t *key; /* for its ns and name */
    dev_object_t *was;       /* NULL: it was not there */
} earlier_t;

static int by_key(const void *a, const void *b)
{
    const earlier_t *x = a, *y = b;

    return compare(x->key, y->key->ns, y->key->name);
}

/* The first change of each key behind the version tells what it was. */
static earlier_t *changed_keys(dev_store_t *s, const dev_table_t *t, int64_t version, size_t *count)
{
    earlier_t *list = host_xcalloc(s->event_count + 1, sizeof(*list));
    size_t n = 0, kept = 0;

    for (size_t i = 0; i < s->event_count; i++) {
        const dev_event_t *e = &s->events[(s->first + i) % s->o.max_events];
        if (e->table == t && e->version > version)
            list[n++] = (earlier_t){e->object, e->before};
    }
    /* qsort is no stable sort, so the order of events is part of the key: the older object's
     * version is lower. */
    qsort(list, n, sizeof(*list), by_key);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && by_key(&list[kept - 1], &list[i]) == 0) {
            if (list[i].key->version < list[kept - 1].key->version)
                list[kept - 1] = list[i];
            continue;
        }
        list[kept++] = list[i];
    }
    *count = kept;
    return list;
}

dev_object_t **dev_store_past(dev_store_t *s, const dev_table_t *t, int64_t version, size_t *count)
{
    size_t changed, n = 0, i = 0, j = 0;
    host_cleanup(host_freep) earlier_t *earlier = changed_keys(s, t, version, &changed);
    dev_object_t **out = host_xcalloc(t->count + changed + 1, sizeof(*out));

    while (i < t->count || j < changed) {
        const int order = i == t->count ? 1
                          : j == changed
                              ? -1
                              : compare(t->objects[i], earlier[j].key->ns, earlier[j].key->name);
        dev_object_t *o = order < 0 ? t->objects[i] : earlier[j].was;
        i += order <= 0;
        j += order >= 0;
        if (o != NULL)
            out[n++] = dev_object_ref(o);
    }
    *count = n;
    return out;
}

void dev_store_compact(dev_store_t *s)
{
    while (s->event_count > 0)
        forget_oldest(s);
    s->oldest = s->version;
}

/* -- Life -- */

void dev_store_stats(const dev_store_t *s, dev_store_stats_t *out)
{
    *out =
        (dev_store_stats_t){s->objects, s->bytes + managed_texts_bytes(s->managed), s->event_count};
}

dev_store_t *dev_store_create(const dev_store_options_t *o)
{
    dev_store_t *s = host_xcalloc(1, sizeof(*s));

    s->o = *o;
    s->events = host_xcalloc(o->max_events, sizeof(*s->events));
    s->managed = managed_texts_create();
    return s;
}

void dev_store_destroy(dev_store_t *s)
{
    dev_table_t *t, *next;

    if (s == NULL)
        return;
    dev_store_compact(s);
    HASH_ITER (hh, s->tables, t, next) {
        HASH_DEL(s->tables, t);
        for (size_t i = 0; i < t->count; i++)
            dev_object_unref(t->objects[i]);
        free(t->objects);
        free(t->key);
        free(t);
    }
    managed_texts_destroy(s->managed);
    free(s->events);
    free(s);
}
