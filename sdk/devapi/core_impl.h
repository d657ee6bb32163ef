/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the core share. Everything: [loop-thread] */
#ifndef DEVAPI_CORE_IMPL_H
#define DEVAPI_CORE_IMPL_H

#include "base/list.h"
#include "devapi/core.h"
#include "devapi/selector.h"
#include "devapi/store.h"
#include "devapi/tree.h"

/* A kind of a CustomResourceDefinition with what its dev_kind_t points to. */
typedef struct dev_custom {
    dev_kind_t kind;
    cJSON *crd; /* the texts and columns lie in it */
    dev_schema_t *schemas[8];
    char *list_kind;
    bool served; /* false: kept for those who still hold it */
    struct dev_custom *next;
} dev_custom_t;

typedef struct dev_owned dev_owned_t; /* gc.c */

struct dev_core {
    dev_core_options_t o;
    dev_store_t *store;
    dev_custom_t *customs;
    list_t watches;
    int64_t shift; /* of the clock */

    /* gc.c: chores that a change leads to; they run as a task, until none is left */
    loop_timer_t chores;
    dev_owned_t *owned; /* dependents by the uid of their owner */
    cJSON *suspects;    /* what is to be looked at: array of [table, ns, name, time in ns] */
};

/* core.c */
void dev_core_now(const dev_core_t *c, char out[32]); /* RFC 3339, seconds */
dev_table_t *dev_core_table(dev_core_t *c, const dev_kind_t *kind);
/* The kind that a table is of; NULL when it is not served. */
const dev_kind_t *dev_core_kind_of(dev_core_t *c, const dev_table_t *t);
const dev_kind_t *dev_core_kind_named(dev_core_t *c, const char *group, const char *kind);
const dev_version_t *dev_kind_version(const dev_kind_t *kind, const char *name); /* NULL: none */

/* crd.c */
void dev_crd_changed(dev_core_t *c, const dev_event_t *e); /* registers, replaces, withdraws */
/* What a chore is left to do with a CRD: conditions, the end of its objects. True: it was changed. */
bool dev_crd_tend(dev_core_t *c, const dev_object_t *crd);
void dev_customs_destroy(dev_core_t *c);

/* gc.c */
void dev_gc_event(dev_core_t *c, const dev_event_t *e);
void dev_gc_start(dev_core_t *c); /* the namespaces that are always there */
void dev_gc_destroy(dev_core_t *c);

/* render.c: an object in the shape and version that is asked for, as an item of a list (without kind
 * and apiVersion for built-in kinds) or alone. */
typedef struct dev_view {
    const dev_kind_t *kind;
    const char *version;
    enum dev_shape shape;
} dev_view_t;
void dev_render(const dev_view_t *v, const dev_object_t *o, bool item, buf_t *out);
void dev_render_tree(const dev_view_t *v, cJSON *tree,
                     buf_t *out); /* of a dry run; tree is changed */
/* {"kind":"ConfigMapList",...,"items":[: finish with "]}". */
void dev_render_list_head(const dev_view_t *v, int64_t version, const char *token,
                          int64_t remaining, buf_t *out);
/* Appends "kind":"K","apiVersion":"G/V". */
void dev_render_kind(const dev_view_t *v, buf_t *out);

/* verb.c */
void dev_reply_refuse(dev_reply_t *reply, dev_status_t *st); /* takes st's content */
int dev_not_found(dev_status_t *st, const dev_kind_t *kind, const char *name);
int dev_conflict(dev_status_t *st, const dev_kind_t *kind, const char *name, const char *why);
/* The body as a JSON object of this kind; 400, 415. Caller owns *out. */
int dev_take_body(const dev_request_t *r, cJSON **out, dev_status_t *st);
bool dev_is_dry(const dev_request_t *r);

/* One file each. *reply is filled in on success. */
int dev_verb_get(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_list(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_create(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_update(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_patch(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_delete(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_delete_all(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply,
                        dev_status_t *st);

/* create.c: what decoding does: types, empty members, the storage's form. 400. */
int dev_decode(const dev_request_t *r, cJSON *object, dev_status_t *st);
/* Defaults, pruning, checks of an object that is about to be stored. 422. */
int dev_admit(const dev_request_t *r, cJSON *object, const cJSON *old, char **warning,
              dev_status_t *st);
/* Creates from a tree, which is changed: for update's CREATE_ON_PUT and for chores. */
int dev_create_tree(dev_core_t *c, const dev_request_t *r, cJSON *object, dev_reply_t *reply,
                    dev_status_t *st);
/* update.c: what follows a change of an object that is stored: put, or removed when it was being
 * deleted and nothing holds it any more. Returns the object that is stored now, borrowed; NULL when it was removed. tree is changed. */
const dev_object_t *dev_settle(dev_core_t *c, dev_table_t *t, const dev_object_t *old, cJSON *tree);
int dev_get_scale(const dev_request_t *r, const dev_object_t *o, dev_reply_t *reply);
/* delete.c: deletes, or marks for deletion. policy: "", "Background", "Foreground", "Orphan". Returns
 * the object that stays, borrowed; NULL when it is gone. */
const dev_object_t *dev_delete_object(dev_core_t *c, dev_table_t *t, const dev_object_t *o,
                                      const char *policy);
void dev_take_finalizer(cJSON *tree, const char *name);
void dev_put_finalizer(cJSON *tree, const char *name);
/* versions.c */
bool dev_flag(const char *text); /* as Go reads a boolean parameter: all but "false" and "0" */
int dev_parse_number(const char *text, int64_t *out, dev_status_t *st); /* 400; absent: 0 */
int dev_parse_version(const char *text, int64_t *out);                  /* -1: none; absent: 0 */
int dev_too_new(dev_core_t *c, int64_t version, dev_status_t *st);      /* 504 */
/* The options of a list or a watch. *exact: at that version only. 400, 422, 500, 504. */
int dev_check_version(dev_core_t *c, const dev_request_t *r, int64_t *version, bool *exact,
                      dev_status_t *st);

/* watch.c */
void dev_watch_event(dev_core_t *c, const dev_event_t *e);
void dev_watches_end(dev_core_t *c);

#endif
