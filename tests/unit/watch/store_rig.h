/* SPDX-License-Identifier: Apache-2.0 */
/* A store for a test; one that compresses all it can where STORE_PACKED is defined. */
#ifndef UNIT_WATCH_STORE_RIG_H
#define UNIT_WATCH_STORE_RIG_H

#include "watch/store.h"

#include "packing.h"

#include <stdio.h>

static inline void unrefp(watch_store_t **s)
{
    watch_store_unref(*s);
}

static inline watch_store_t *create(void)
{
    watch_store_t *s = watch_store_create();

#ifdef STORE_PACKED
    CODEC(c);
    DICT(d);
    watch_store_set_codec(s, c, NULL, NULL);
    watch_store_set_dict(s, d);
#endif
    return s;
}

#define STORE(s) host_cleanup(unrefp) watch_store_t *s = create()
#define OBJECT(o, ...) host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = object(__VA_ARGS__)

static inline enum watch_change put(watch_store_t *s, const char *name, const char *uid,
                                    int version)
{
    OBJECT(o, name, uid, version);
    return watch_store_put(s, o, NULL);
}

static inline void note(watch_store_t *s, const char *name, const char *uid, int version)
{
    OBJECT(o, name, uid, version);
    watch_store_note_write(s, o);
}

/* "uid@version" of the removed state, or "". */
#define EXPECT_REMOVED(s, name, uid, version, expected)                                            \
    do {                                                                                           \
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *r_ =                                 \
            watch_store_remove((s), "ns", (name), (uid), (version));                               \
        host_cleanup(host_freep) char *t_ = describe(r_);                                          \
        EXPECT_STR(t_, (expected));                                                                \
    } while (0)

static inline char *describe(const watch_snapshot_t *s)
{
    return s == NULL ? host_xstrdup("")
                     : host_xprintf("%s@%s", watch_snapshot_uid(s), watch_snapshot_version(s));
}

/* What a reader sees under the name is "uid@version", or "". */
static inline void expect_view(watch_store_t *s, const char *name, const char *expected)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *seen = watch_store_get(s, "ns", name);
    host_cleanup(host_freep) char *text = describe(seen);

    EXPECT_STR(text, expected);
}

/* How many objects have the owner. */
static inline size_t owned_by(watch_store_t *s, const char *uid)
{
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    ASSERT_OK(watch_store_names(s, NULL, NULL, uid, &names, &count, &err), err);
    watch_names_free(names, count);
    return count;
}

#endif
