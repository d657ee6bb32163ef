/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata.managedFields of an object: has a manager applied just this? Below apply.h; plugins rarely
 * need it by itself.
 */
#ifndef LEASEHOLD_MANAGED_FIELDS_H
#define LEASEHOLD_MANAGED_FIELDS_H

#include <leasehold/json_covers.h>

/* How deep in the object: fields of the object and of its metadata that nobody manages are skipped. */
enum { LH_MANAGED_TOP_ = 0, LH_MANAGED_META_ = 1, LH_MANAGED_DEEP_ = 2 };

/* 1 when a member is not among the managed ones. [any-thread] */
static inline int lh_managed_skips_(lh_json_t name, int level)
{
    static const char *const names[2][4] = {{"apiVersion", "kind", NULL, NULL},
                                            {"name", "namespace", "uid", "resourceVersion"}};

    for (int i = 0; i < 4 && level < LH_MANAGED_DEEP_; i++) {
        if (names[level][i] != NULL && lh_json_equals(name, "", names[level][i]))
            return 1;
    }
    return 0;
}

/* The node "f:NAME" of a node of fieldsV1. [any-thread] */
static inline int lh_managed_field_(lh_json_t fields, lh_json_t name, lh_json_t *out)
{
    lh_json_iter_t it = lh_json_each(fields);
    lh_json_t key, node;

    while (lh_json_next(&it, &key, &node)) {
        const lh_json_t rest = {key.text + 2, key.len - 2}; /* its ':' in the place of a quote */
        if (key.len > 3 && key.text[1] == 'f' && lh_json_same_string_(rest, name)) {
            *out = node;
            return 1;
        }
    }
    return 0;
}

/* How many members a node has beside "."; *self: whether it has that. [any-thread] */
static inline int lh_managed_count_(lh_json_t fields, int *self)
{
    lh_json_iter_t it = lh_json_each(fields);
    lh_json_t key, node;
    int count = 0;

    *self = 0;
    while (lh_json_next(&it, &key, &node)) {
        if (lh_json_equals(key, "", "."))
            *self = 1;
        else
            count++;
    }
    return count;
}

/* 1 when an item is the one that "k:{...}" or "v:..." means; lax: keys that it leaves out are the
 * server's defaults. [any-thread] */
static inline int lh_managed_is_item_(lh_json_t key, lh_json_t item, int lax)
{
    char text[1024];
    lh_json_t name, value, other;
    int found = 0;

    if (lh_json_string(key, "", text, sizeof(text)) < 0 || strlen(text) < 3)
        return 0;
    const lh_json_t meant = {text + 2, strlen(text + 2)};
    if (text[0] != 'k')
        return text[0] == 'v' && lh_json_same(meant, item);
    lh_json_iter_t it = lh_json_each(meant);
    while (lh_json_next(&it, &name, &value)) {
        if (lh_json_member_of_(item, name, &other)) {
            found++;
            if (!lh_json_same(value, other))
                return 0;
        } else if (!lax) {
            return 0;
        }
    }
    return found > 0;
}

/* The item of a list that a key means. [any-thread] */
static inline int lh_managed_item_(lh_json_t list, lh_json_t key, int lax, lh_json_t *out)
{
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t name, item;

    while (lh_json_next(&it, &name, &item)) {
        if (lh_managed_is_item_(key, item, lax)) {
            *out = item;
            return 1;
        }
    }
    return 0;
}

/* How many members or items the wanted value has that can be managed. [any-thread] */
static inline int lh_managed_wants_(lh_json_t wanted, int level)
{
    lh_json_iter_t it = lh_json_each(wanted);
    lh_json_t name, item;
    int count = 0;

    while (lh_json_next(&it, &name, &item)) {
        if (level == LH_MANAGED_TOP_ && lh_json_equals(name, "", "metadata"))
            count += lh_managed_wants_(item, LH_MANAGED_META_) > 0;
        else
            count += name.len == 0 || !lh_managed_skips_(name, level);
    }
    return count;
}

/* 1 when wanted has just what the node of fieldsV1 names, and the object has it with these values.
 * [any-thread] */
static inline int lh_managed_same_(lh_json_t fields, lh_json_t wanted, lh_json_t actual, int level)
{
    const char type = lh_json_type(wanted);
    lh_json_iter_t it = lh_json_each(type == '[' ? fields : wanted);
    lh_json_t name, item, node, other;
    int self, count = lh_managed_count_(fields, &self), wants = lh_managed_wants_(wanted, level);

    if (count == 0 && !self) /* managed as a whole */
        return lh_json_same(wanted, actual);
    if (lh_json_type(actual) != type || count != wants)
        return 0;
    while (lh_json_next(&it, &name, &item)) {
        const int meta = level == LH_MANAGED_TOP_ && lh_json_equals(name, "", "metadata");
        const int next = meta ? LH_MANAGED_META_ : LH_MANAGED_DEEP_;
        if (type == '[') {
            node = item;
            if (!lh_json_equals(name, "", ".") && (!lh_managed_item_(wanted, name, 1, &item) ||
                                                   !lh_managed_item_(actual, name, 0, &other) ||
                                                   !lh_managed_same_(node, item, other, next)))
                return 0;
        } else if (!lh_managed_skips_(name, level) &&
                   !(meta && lh_managed_wants_(item, LH_MANAGED_META_) == 0) &&
                   (!lh_managed_field_(fields, name, &node) ||
                    !lh_json_member_of_(actual, name, &other) ||
                    !lh_managed_same_(node, item, other, next))) {
            return 0;
        }
    }
    return 1;
}

/*
 * 1 when a manager has applied just wanted to the object, and all of it is still as it was applied; then
 * applying it once more changes nothing. 0 when something differs, and also when that cannot be told:
 * a value that the server writes in another way ("0.5" of a CPU), or fills in inside of a value that
 * is managed as a whole. sub: the subresource that it was applied to, NULL: none. [any-thread]
 */
static inline int lh_is_applied(lh_json_t object, const char *api_version, const char *sub,
                                const char *manager, lh_json_t wanted)
{
    lh_json_t list, name, entry, fields;

    if (lh_json_at(wanted, "", &wanted) < 0 || lh_json_at(object, "", &object) < 0 ||
        lh_json_at(object, "/metadata/managedFields", &list) < 0)
        return 0;
    lh_json_iter_t it = lh_json_each(list);
    while (lh_json_next(&it, &name, &entry)) {
        if (lh_json_equals(entry, "/manager", manager) &&
            lh_json_equals(entry, "/operation", "Apply") &&
            lh_json_equals(entry, "/apiVersion", api_version) &&
            (sub != NULL ? lh_json_equals(entry, "/subresource", sub)
                         : lh_json_at(entry, "/subresource", &fields) == LH_ENOTFOUND) &&
            lh_json_at(entry, "/fieldsV1", &fields) == 0)
            return lh_managed_same_(fields, wanted, object, LH_MANAGED_TOP_);
    }
    return 0;
}

#endif
