/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owner references, by which the cluster collects what a deleted object has owned, and references to
 * objects. An object has at most one controller: the owner that decides what it looks like.
 *
 *   char *child = lh_json_printf("{'apiVersion':'v1','kind':'ConfigMap',...}", ...);
 *   ret = lh_owner_set_controller(&child, lh_snapshot_json(host, request->object), err);
 */
#ifndef LEASEHOLD_OWNER_H
#define LEASEHOLD_OWNER_H

#include <leasehold/json_edit.h>

/* The reference in ownerReferences with this uid, "" for the controller's, and its index. LH_ENOTFOUND:
 * none. [any-thread] */
static inline int lh_owner_find_(lh_json_t object, const char *uid, lh_json_t *out, int *index)
{
    lh_json_t list, name, item;
    int controller;

    if (lh_json_at(object, "/metadata/ownerReferences", &list) < 0)
        return LH_ENOTFOUND;
    lh_json_iter_t it = lh_json_each(list);
    for (*index = 0; lh_json_next(&it, &name, &item); ++*index) {
        controller = 0;
        (void) lh_json_bool(item, "/controller", &controller);
        if (*uid != '\0' ? lh_json_equals(item, "/uid", uid) : controller) {
            *out = item;
            return 0;
        }
    }
    return LH_ENOTFOUND;
}

/* The owner reference of an object's controller, borrowed from its text. LH_ENOTFOUND: it has none.
 * [any-thread] */
static inline int lh_owner_controller(lh_json_t object, lh_json_t *out)
{
    int index;

    return lh_owner_find_(object, "", out, &index);
}

/* 1 when the owner with this uid is the object's controller, else 0. [any-thread] */
static inline int lh_owner_controls(lh_json_t object, const char *uid)
{
    lh_json_t controller;

    return lh_owner_controller(object, &controller) == 0 && lh_json_equals(controller, "/uid", uid);
}

/* The value at a path, or this one. [any-thread] */
static inline lh_json_t lh_owner_at_(lh_json_t object, const char *pointer, const char *otherwise)
{
    lh_json_t out = {otherwise, strlen(otherwise)};

    (void) lh_json_at(object, pointer, &out);
    return out;
}

/* A reference to an object (the type ObjectReference) as JSON; object has its apiVersion and kind. NULL
 * when memory is out or it is no object. Caller owns, free with free(). [any-thread] */
static inline char *lh_object_reference(lh_json_t object)
{
    const lh_json_t version = lh_owner_at_(object, "/apiVersion", "");
    const lh_json_t kind = lh_owner_at_(object, "/kind", "");
    const lh_json_t ns = lh_owner_at_(object, "/metadata/namespace", "\"\"");
    const lh_json_t name = lh_owner_at_(object, "/metadata/name", "");
    const lh_json_t uid = lh_owner_at_(object, "/metadata/uid", "\"\"");

    return lh_json_printf("{'apiVersion':%.*s,'kind':%.*s,'namespace':%.*s,'name':%.*s,'uid':%.*s}",
                          (int) version.len, version.text, (int) kind.len, kind.text, (int) ns.len,
                          ns.text, (int) name.len, name.text, (int) uid.len, uid.text);
}

/* An owner reference to an object as JSON; controller: 1 or 0. NULL as above. Caller owns, free with
 * free(). [any-thread] */
static inline char *lh_owner_reference(lh_json_t owner, int controller)
{
    const lh_json_t version = lh_owner_at_(owner, "/apiVersion", "");
    const lh_json_t kind = lh_owner_at_(owner, "/kind", "");
    const lh_json_t name = lh_owner_at_(owner, "/metadata/name", "");
    const lh_json_t uid = lh_owner_at_(owner, "/metadata/uid", "");
    const char *const flag = controller ? "true" : "false";

    return lh_json_printf("{'apiVersion':%.*s,'kind':%.*s,'name':%.*s,'uid':%.*s,"
                          "'controller':%s,'blockOwnerDeletion':%s}",
                          (int) version.len, version.text, (int) kind.len, kind.text,
                          (int) name.len, name.text, (int) uid.len, uid.text, flag, flag);
}

/* Replaces *object by a copy with this reference instead of the one with the same uid, or as one more.
 * [any-thread] */
static inline int lh_owner_put_(char **object, const char *uid, const char *reference,
                                lh_error_t *err)
{
    const lh_json_t old = lh_json_text(*object, strlen(*object));
    lh_json_t there;
    char pointer[48], *list, *next;
    int index = 0;

    if (lh_json_type(lh_owner_at_(old, "/metadata/ownerReferences", "")) != '[') {
        list = lh_json_printf("[%s]", reference);
        next = list != NULL ? lh_json_with(old, "/metadata/ownerReferences", list) : NULL;
        free(list);
    } else {
        if (lh_owner_find_(old, uid, &there, &index) == 0)
            (void) snprintf(pointer, sizeof(pointer), "/metadata/ownerReferences/%d", index);
        else
            (void) snprintf(pointer, sizeof(pointer), "/metadata/ownerReferences/-");
        next = lh_json_with(old, pointer, reference);
    }
    if (next == NULL)
        return lh_errorf(err, LH_ENOMEM, "owner reference: out of memory, or *object is no JSON");
    free(*object);
    *object = next;
    return 0;
}

/* Adds or renews an owner reference. [any-thread] */
static inline int lh_owner_set_(char **object, lh_json_t owner, int controller, lh_error_t *err)
{
    char uid[64] = "", ns[254] = "", other[254] = "", *reference;
    lh_json_t present;
    int ret;

    if (*object == NULL)
        return lh_errorf(err, LH_ENOMEM, "out of memory");
    const lh_json_t text = lh_json_text(*object, strlen(*object));
    (void) lh_json_string(owner, "/metadata/uid", uid, sizeof(uid));
    (void) lh_json_string(owner, "/metadata/namespace", ns, sizeof(ns));
    (void) lh_json_string(text, "/metadata/namespace", other, sizeof(other));
    if (uid[0] == '\0')
        return lh_errorf(err, LH_EINVAL, "the owner has no uid");
    if (ns[0] != '\0' && other[0] != '\0' && strcmp(ns, other) != 0)
        return lh_errorf(err, LH_EINVAL, "the owner is in namespace '%s', the object in '%s'", ns,
                         other);
    if (controller && lh_owner_controller(text, &present) == 0 &&
        !lh_json_equals(present, "/uid", uid)) {
        (void) lh_json_string(present, "/name", other, sizeof(other));
        return lh_errorf(err, LH_EEXISTS, "the object is controlled by '%s' already", other);
    }
    reference = lh_owner_reference(owner, controller);
    ret = reference != NULL ? lh_owner_put_(object, uid, reference, err)
                            : lh_errorf(err, LH_EINVAL, "an owner without apiVersion or kind");
    free(reference);
    return ret;
}

/*
 * Makes owner the controller of the object whose JSON text is *object; the text is freed and replaced.
 * *object NULL, as lh_json_printf() leaves it, is LH_ENOMEM. On failure *object stays as it was.
 * LH_EEXISTS: it has another controller; LH_EINVAL: owner is not in the object's namespace, or without
 * uid, apiVersion or kind. [any-thread]
 */
static inline int lh_owner_set_controller(char **object, lh_json_t owner, lh_error_t *err)
{
    return lh_owner_set_(object, owner, 1, err);
}

/* The same for an owner that does not control it, of which there may be several. [any-thread] */
static inline int lh_owner_add(char **object, lh_json_t owner, lh_error_t *err)
{
    return lh_owner_set_(object, owner, 0, err);
}

#endif
