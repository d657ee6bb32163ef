/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is stored, and what has happened to it. One version counter for everything, as etcd has it;
 * each change is an event of the history, which answers watches and lists at an older version until
 * it is compacted. Objects never change: a change puts a new one in the place of the old one.
 */
#ifndef DEVAPI_STORE_H
#define DEVAPI_STORE_H

#include "base/buf.h"
#include "devapi/managed_text.h"

#include <cjson/cJSON.h>

/* An object as JSON text without kind and apiVersion, which depend on who asks: it begins with
 * {"metadata":. A stored one's managedFields are kept apart; dev_object_put has them. References are
 * counted. */
typedef struct dev_object {
    unsigned refs;
    bool owned, deleting; /* its metadata has ownerReferences, a deletionTimestamp */
    int64_t version;
    const char *ns, *name, *uid; /* "" for a cluster-scoped object's ns */
    cJSON *labels;               /* of its metadata; NULL: none */
    const char *text;
    size_t len, meta_len;    /* of the text, and of its metadata with the braces */
    managed_text_t *managed; /* NULL: none, or they are in the text */
} dev_object_t;

dev_object_t *dev_object_ref(dev_object_t *o);
void dev_object_unref(dev_object_t *o);        /* NULL is allowed */
cJSON *dev_object_tree(const dev_object_t *o); /* caller owns */
/* Appends the whole text, or that behind its first brace. */
void dev_object_put(const dev_object_t *o, bool behind_brace, buf_t *out);
void dev_object_put_meta(const dev_object_t *o, buf_t *out); /* the value of "metadata" */

typedef struct dev_store dev_store_t;
/* The objects of one kind; lives as long as the store. */
typedef struct dev_table dev_table_t;

/* One change: creation (before is NULL), change, or deletion (gone: object is the last state, under the
 * deletion's version). */
typedef struct dev_event {
    int64_t version;
    dev_table_t *table;
    dev_object_t *before, *object;
    bool gone;
} dev_event_t;

typedef struct dev_store_options {
    size_t max_bytes, max_events;
    /* After each change; borrowed. */
    void (*on_event)(void *arg, const dev_event_t *e);
    void *arg;
} dev_store_options_t;

dev_store_t *dev_store_create(const dev_store_options_t *o);
void dev_store_destroy(dev_store_t *s);

/* The table of this key ("apps/deployments"), made on first sight. */
dev_table_t *dev_store_table(dev_store_t *s, const char *key);
const char *dev_table_key(const dev_table_t *t);
size_t dev_table_count(const dev_table_t *t);
dev_object_t *dev_table_at(const dev_table_t *t, size_t i); /* in order of (ns, name); borrowed */
/* The first that is not before (ns, name); the count when there is none. */
size_t dev_table_lower(const dev_table_t *t, const char *ns, const char *name);
dev_object_t *dev_table_find(const dev_table_t *t, const char *ns, const char *name); /* borrowed */
void dev_store_each_table(dev_store_t *s, void (*each)(void *arg, dev_table_t *t), void *arg);

int64_t dev_store_version(const dev_store_t *s);
/* The oldest version whose state can still be told; older watches and lists are refused. */
int64_t dev_store_oldest(const dev_store_t *s);
bool dev_store_full(const dev_store_t *s, size_t more); /* max_bytes would be passed */

/* Puts the object under the next version, which is set in its metadata. object is changed and
 * not kept: it loses kind and apiVersion. Returns the stored one, borrowed. */
dev_object_t *dev_store_put(dev_store_t *s, dev_table_t *t, cJSON *object);
/* Returns the last state, under the version of its deletion; borrowed until the next change. */
dev_object_t *dev_store_remove(dev_store_t *s, dev_table_t *t, const dev_object_t *o);
/* An object that is not stored. tree is changed as by dev_store_put; the caller owns a reference. */
dev_object_t *dev_object_create(cJSON *tree, int64_t version);
/* As it was, without an event: for a snapshot that is read into an empty store. */
void dev_store_restore(dev_store_t *s, dev_table_t *t, const cJSON *object);
/* Leaves out so many versions; those before are too old then. */
void dev_store_skip(dev_store_t *s, int64_t versions);

/* Events behind a version, in order; each() returns false to stop. version >= dev_store_oldest(). */
void dev_store_events(dev_store_t *s, int64_t version,
                      bool (*each)(void *arg, const dev_event_t *e), void *arg);
/* The objects of a table as they were at a version >= dev_store_oldest(), in order. Caller owns the
 * array and a reference to each of *count. */
dev_object_t **dev_store_past(dev_store_t *s, const dev_table_t *t, int64_t version, size_t *count);
void dev_store_compact(dev_store_t *s);

typedef struct dev_store_stats {
    size_t objects, bytes, events;
} dev_store_stats_t;
void dev_store_stats(const dev_store_t *s, dev_store_stats_t *out);

#endif
