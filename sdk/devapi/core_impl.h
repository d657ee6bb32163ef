/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the core share. Everything: [loop-thread] */
#ifndef DEVAPI_CORE_IMPL_H
#define DEVAPI_CORE_IMPL_H

#include "base/list.h"
#include "devapi/core.h"
#include "devapi/managed.h"
#include "devapi/selector.h"
#include "devapi/store.h"
#include "devapi/tree.h"

enum { DEV_MAX_VERSIONS = 8 }; /* as dev_kind_t has room for */

/* A kind of a CustomResourceDefinition with what its dev_kind_t points to. */
typedef struct dev_custom {
    dev_kind_t kind;
    cJSON *crd; /* the texts and columns lie in it */
    dev_schema_t *schemas[DEV_MAX_VERSIONS];
    char *list_kind;
    bool served; /* false: kept until its watches have ended */
    bool ending; /* its definition is being deleted: nothing is created any more */
    struct dev_custom *next;
} dev_custom_t;

typedef struct dev_owned dev_owned_t; /* gc.c */

struct dev_core {
    dev_core_options_t o;
    dev_store_t *store;
    dev_custom_t *customs;
    list_t watches;
    int64_t shift; /* of the clock */
    char *root_ca; /* the text of each namespace's kube-root-ca.crt; NULL: they have none */

    /* gc.c: chores that a change leads to; they run as a task, until none is left */
    loop_timer_t chores;
    dev_owned_t *owned;         /* dependents by the uid of their owner */
    struct dev_place *suspects; /* what is to be looked at */
    int64_t turn_ends;          /* of the chores that run */
};

/* core.c */
void dev_core_now(const dev_core_t *c, char out[32]); /* RFC 3339, seconds */
void dev_core_later(const dev_core_t *c, int64_t seconds, char out[32]);
dev_table_t *dev_core_table(dev_core_t *c, const dev_kind_t *kind);
/* The kind that a table is of; NULL when it is not served. */
const dev_kind_t *dev_core_kind_of(dev_core_t *c, const dev_table_t *t);
const dev_kind_t *dev_core_kind_named(dev_core_t *c, const char *group, const char *kind);
const dev_version_t *dev_kind_version(const dev_kind_t *kind, const char *name); /* NULL: none */

/* gc.c: chores must leave the loop to others; asked after each change. */
bool dev_turn_is_over(const dev_core_t *c);

/* crd.c */
void dev_crd_changed(dev_core_t *c, const dev_event_t *e); /* registers, replaces, withdraws */
/* What a chore is left to do with a CRD: conditions, the end of its objects. False: the turn was over
 * before all of it was done. */
bool dev_crd_tend(dev_core_t *c, const dev_object_t *crd);
/* Ends the watches of kinds that are served no more, and frees those that no watch holds. */
void dev_customs_tidy(dev_core_t *c);
void dev_customs_destroy(dev_core_t *c);
void dev_crd_mark(const dev_core_t *c, cJSON *crd); /* its deletion begins */
/* The condition of that type is "True". */
bool dev_condition_holds(const cJSON *object, const char *type);
/* crd_kind.c: caller owns. */
dev_custom_t *dev_custom_create(const dev_object_t *crd);
/* crd_check.c: defaults (old NULL: creation), and mistakes as causes. */
void dev_crd_prepare(cJSON *crd, const cJSON *old);
void dev_crd_validate(const cJSON *crd, const cJSON *old, dev_status_t *st);

/* gc.c */
void dev_gc_event(dev_core_t *c, const dev_event_t *e);
void dev_gc_restored(dev_core_t *c); /* what is in the store has come without events */
void dev_gc_start(dev_core_t *c);    /* the namespaces that are always there */
void dev_gc_destroy(dev_core_t *c);

/* render.c: an object in the shape and version that is asked for, as an item of a list (without kind
 * and apiVersion for built-in kinds) or alone. */
typedef struct dev_view {
    const dev_kind_t *kind;
    const char *version;
    enum dev_shape shape;
    const dev_core_t *core; /* for its clock */
    const char *include;    /* of Tables: include_object */
    bool headless;          /* a Table without columnDefinitions */
} dev_view_t;
void dev_render(const dev_view_t *v, const dev_object_t *o, bool item, buf_t *out);
/* An object that is not stored; tree is changed. */
void dev_render_tree(const dev_view_t *v, cJSON *tree, buf_t *out);
void dev_render_json(const cJSON *tree, buf_t *out);
dev_view_t dev_view_of(const dev_core_t *c, const dev_request_t *r);
/* {"kind":"ConfigMapList",...,"items":[: finish with "]}". */
void dev_render_list_head(const dev_view_t *v, int64_t version, const char *token,
                          int64_t remaining, buf_t *out);
/* table.c: "columnDefinitions":[...], and a row. */
void dev_table_columns(const dev_view_t *v, buf_t *out);
void dev_table_row(const dev_view_t *v, const dev_object_t *o, buf_t *out);
/* age.c: "3d4h"; now in seconds. */
void dev_age_print(const char *time, int64_t now, buf_t *out);
/* Appends "kind":"K","apiVersion":"G/V". */
void dev_render_kind(const dev_view_t *v, buf_t *out);

/* Neither NULL nor "". */
static inline bool dev_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* verb.c */
void dev_reply_refuse(dev_reply_t *reply, const dev_status_t *st);
void dev_warn(dev_reply_t *reply, const char *text); /* one more Warning header */
bool dev_is_dry(const dev_request_t *r);
bool dev_is_sub(const dev_request_t *r, const char *subresource);
const char *dev_ns(const dev_request_t *r); /* "" for none */
/* The stored object that the path names; borrowed. NULL: none. */
dev_object_t *dev_named_object(dev_core_t *c, const dev_request_t *r);
/* True for this built-in kind. */
bool dev_is_kind(const dev_kind_t *kind, const char *group, const char *name);
/* "configmaps", "deployments.apps"; "v1", "apps/v1". Caller owns the text. */
char *dev_resource_text(const dev_kind_t *kind);
char *dev_api_version(const dev_kind_t *kind, const char *version);
int dev_not_found(dev_status_t *st, const dev_kind_t *kind, const char *name); /* 404 */
int dev_conflict(dev_status_t *st, const dev_kind_t *kind, const char *name, const char *why);
int dev_modified(dev_status_t *st, const dev_kind_t *kind, const char *name); /* 409 */
int dev_no_method(dev_status_t *st);                                          /* 405 */
/* dryRun and fieldValidation of Create-, Update- and PatchOptions. 422. */
int dev_check_options(const dev_request_t *r, const char *options, dev_status_t *st);
int dev_check_dry_run(const char *value, const char *options, dev_status_t *st);
/* The verb on this kind, its version and subresource is served at all: 404, 405. */
int dev_check_served(const dev_request_t *r, dev_status_t *st);

/* body.c: mistakes that fieldValidation is about, unknown and duplicate fields. */
typedef struct dev_strict {
    cJSON *list; /* of texts; NULL: none. Owned */
} dev_strict_t;
void dev_strict_fini(dev_strict_t *s);
bool dev_strict_is_full(const dev_strict_t *s); /* what else is noted gets lost */
void dev_strict_note(dev_strict_t *s, const char *what, const char *path);
/* Of members that come more than once the last one stays. */
void dev_drop_duplicates(cJSON *object, dev_strict_t *strict);
/* The body as a JSON object, each member once. 400, 415. Caller owns *out. */
int dev_read_body(const dev_request_t *r, cJSON **out, dev_strict_t *strict, dev_status_t *st);
bool dev_is_protobuf(const char *type); /* a media type without parameters; NULL: false */
/* Its kind and apiVersion are those of the request, or are filled in; those of a Scale for that
 * subresource. 400, 422. */
int dev_check_type(const dev_request_t *r, cJSON *object, dev_status_t *st);
/* What decoding does: types, pruning, defaults of a schema, the form that is stored. Then strict is
 * judged. 400. */
int dev_decode(const dev_request_t *r, cJSON *object, dev_strict_t *strict, dev_reply_t *reply,
               dev_status_t *st);
/* fields.c: drops members that a built-in kind does not have, and writes quantities as Kubernetes does. */
void dev_prune_builtin(const dev_request_t *r, cJSON *object, dev_strict_t *strict);
/* Namespace and (for existing objects) name are those of the path. 400. */
int dev_check_place(const dev_request_t *r, cJSON *object, dev_status_t *st);

/* One file each. *reply is filled in on success. */
int dev_verb_get(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_list(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_create(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_update(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_patch(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_delete(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
int dev_verb_delete_all(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply,
                        dev_status_t *st);

int dev_verb_apply(dev_core_t *c, const dev_request_t *r, dev_reply_t *reply, dev_status_t *st);
/* verb_patch.c: the object as a patch sees it; old is what is stored. Caller owns *out. 500. */
int dev_patch_current(const dev_request_t *r, const dev_object_t *old, cJSON **out,
                      dev_status_t *st);
/* next, which a patch made, in the place of old: decoded, checked, stored. */
int dev_patch_finish(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                     dev_reply_t *reply, dev_status_t *st);

/* create.c: stores a decoded tree, which is changed. */
int dev_create(dev_core_t *c, const dev_request_t *r, cJSON *object, dev_reply_t *reply,
               dev_status_t *st);
/* Defaults; old is NULL on creation. */
void dev_complete(const dev_request_t *r, cJSON *object, const cJSON *old);
/* Checks what is about to be stored; old is NULL on creation. 422. */
int dev_admit(const dev_request_t *r, const cJSON *object, const cJSON *old, dev_status_t *st);

/* update.c: puts a decoded tree, which is changed, in the place of old. *stored is what is stored
 * now, the caller owns the reference; NULL: next is to be shown, for it is not stored (dry run, or
 * the end of a deletion). */
int dev_replace(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                dev_object_t **stored, dev_status_t *st);
int dev_check_uid(const dev_request_t *r, const char *uid, const char *present, dev_status_t *st);
/* Stores tree (changed) in the place of old unless they are the same; or removes old when nothing
 * holds a deletion any more. The stored object, borrowed; NULL when it is gone. */
const dev_object_t *dev_settle(dev_core_t *c, dev_table_t *t, const dev_object_t *old, cJSON *tree);

/* scale.c */
int dev_get_scale(const dev_request_t *r, const dev_object_t *o, dev_reply_t *reply,
                  dev_status_t *st);
/* Caller owns *out; 500 when the object has no replicas. */
int dev_scale_of(const dev_request_t *r, const cJSON *object, cJSON **out, dev_status_t *st);
int dev_put_scale(dev_core_t *c, const dev_request_t *r, dev_object_t *old, const cJSON *scale,
                  dev_reply_t *reply, dev_status_t *st);
/* The replicas as a set; caller frees by field_set_fini. */
field_set_t dev_scale_fields(const dev_request_t *r);
bool dev_scale_is_zero(const dev_request_t *r, const cJSON *object);
bool dev_scale_owned(const dev_request_t *r, const managed_t *m); /* somebody owns them */
/* An applied Scale, changed into the part of the object that it is about. 400. */
int dev_scale_patch(const dev_request_t *r, cJSON *patch, dev_status_t *st);
/* next, which may differ from old in its replicas, in the place of old; the Scale is shown. */
int dev_put_scaled(dev_core_t *c, const dev_request_t *r, dev_object_t *old, cJSON *next,
                   dev_reply_t *reply, dev_status_t *st);
/* labels.c: a metav1.LabelSelector, or a map of labels, as text; "" for none. Caller owns it. */
char *dev_selector_text(const cJSON *selector);

/* delete.c */
typedef struct dev_delete_options {
    const char *policy;   /* "", "Background", "Foreground", "Orphan" */
    const char *uid, *rv; /* preconditions; NULL or "": none */
    int64_t grace;        /* seconds; negative: not given */
    bool dry;
} dev_delete_options_t;
/* What is left of the object: stored, or (gone) its last state. Caller owns *left's reference. */
int dev_delete(dev_core_t *c, dev_table_t *t, dev_object_t *o, const dev_delete_options_t *how,
               dev_object_t **left, bool *gone, dev_status_t *st);
/* For controllers. Returns the object that stays, borrowed; NULL when it is gone. */
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
/* Of one kind; false: frozen ones stay until they are thawed. */
bool dev_watches_end_of(dev_core_t *c, const dev_kind_t *kind);

#endif
