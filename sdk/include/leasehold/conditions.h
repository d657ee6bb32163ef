/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of a status (metav1.Condition), with the rules that they come with: one of each type, and
 * lastTransitionTime moves only when status does.
 *
 *   const lh_condition_t ready = {"Ready", "True", "Serving", "3 of 3 replicas", generation};
 *   char *conditions = lh_conditions_set(site, &ready, 1, lh_time_now());
 *   char *patch = lh_json_printf("{'status':{'conditions':%s}}", conditions);
 *   ret = lh_patch_if_changed(host, ctx, &status, site, patch, NULL, err);
 *
 * A NULL of the first makes the second NULL, and that is LH_ENOMEM in the end.
 */
#ifndef LEASEHOLD_CONDITIONS_H
#define LEASEHOLD_CONDITIONS_H

#include <leasehold/json_edit.h>
#include <leasehold/time.h>

/* The strings are borrowed during the call. */
typedef struct lh_condition {
    const char *type;            /* "Ready" */
    const char *status;          /* "True", "False" or "Unknown" */
    const char *reason;          /* CamelCase, not empty */
    const char *message;         /* for people; NULL: "" */
    int64_t observed_generation; /* metadata.generation of what it was judged by; 0: left out */
} lh_condition_t;

/* The condition of a type in a list of them, and its index. [any-thread] */
static inline int lh_condition_in_(lh_json_t list, const char *type, lh_json_t *out, int *index)
{
    lh_json_iter_t it = lh_json_each(list);
    lh_json_t name, item;

    for (*index = 0; lh_json_next(&it, &name, &item); ++*index) {
        if (lh_json_equals(item, "/type", type)) {
            *out = item;
            return 0;
        }
    }
    return LH_ENOTFOUND;
}

/* The condition of a type in status.conditions of an object, borrowed from its text. LH_ENOTFOUND: it
 * has none. [any-thread] */
static inline int lh_condition_find(lh_json_t object, const char *type, lh_json_t *out)
{
    lh_json_t list;
    int index;

    if (lh_json_at(object, "/status/conditions", &list) < 0)
        return LH_ENOTFOUND;
    return lh_condition_in_(list, type, out, &index);
}

/* 1 when the object has this condition with status "True", else 0. [any-thread] */
static inline int lh_condition_is_true(lh_json_t object, const char *type)
{
    lh_json_t condition;

    return lh_condition_find(object, type, &condition) == 0 &&
           lh_json_equals(condition, "/status", "True");
}

/* The condition as JSON; old: that of its type, or an empty text. Caller owns. [any-thread] */
static inline char *lh_condition_print_(const lh_condition_t *c, lh_json_t old, int64_t now)
{
    char since[64];
    const char *const message = c->message != NULL ? c->message : "";

    lh_time_print(now, since);
    if (lh_json_equals(old, "/status", c->status))
        (void) lh_json_string(old, "/lastTransitionTime", since, sizeof(since));
    if (c->observed_generation == 0)
        return lh_json_printf("{'type':'%s','status':'%s','lastTransitionTime':'%s','reason':'%s',"
                              "'message':'%s'}",
                              c->type, c->status, since, c->reason, message);
    return lh_json_printf("{'type':'%s','status':'%s','observedGeneration':%lld,"
                          "'lastTransitionTime':'%s','reason':'%s','message':'%s'}",
                          c->type, c->status, (long long) c->observed_generation, since, c->reason,
                          message);
}

/* The list with the condition instead of the one of its type, or at its end. [any-thread] */
static inline char *lh_conditions_put_(lh_json_t list, const lh_condition_t *c, int64_t now)
{
    lh_json_t old = {"{}", 2};
    char pointer[24] = "/-", *text, *out;
    int index;

    if (lh_condition_in_(list, c->type, &old, &index) == 0)
        (void) snprintf(pointer, sizeof(pointer), "/%d", index);
    text = lh_condition_print_(c, old, now);
    out = text != NULL ? lh_json_with(list, pointer, text) : NULL;
    free(text);
    return out;
}

/*
 * The conditions of an object's status with these set, as a JSON array; others are kept, and so is the
 * order. Where status stays as it was, lastTransitionTime does, else it becomes now (lh_time_now()).
 * NULL when memory is out or a condition has no type, status or reason. Caller owns, free with free().
 * [any-thread]
 */
static inline char *lh_conditions_set(lh_json_t object, const lh_condition_t *conditions,
                                      size_t count, int64_t now)
{
    lh_json_t list = {"[]", 2};
    char *out, *next;

    (void) lh_json_at(object, "/status/conditions", &list);
    if (lh_json_type(list) != '[')
        list = lh_json_text("[]", 2);
    out = lh_json_printf("%.*s", (int) list.len, list.text);
    for (size_t i = 0; i < count && out != NULL; i++) {
        const int complete = conditions[i].type != NULL && conditions[i].status != NULL &&
                             conditions[i].reason != NULL;
        next = complete ? lh_conditions_put_(lh_json_text(out, strlen(out)), &conditions[i], now)
                        : NULL;
        free(out);
        out = next;
    }
    return out;
}

#endif
