/* SPDX-License-Identifier: Apache-2.0 */
/* A store with an index gives the same names as one without, whatever happens to both. */
#include "objects.h"
#include "watch/store.h"

#include <stdio.h>

enum { SEEDS = 200, STEPS = 120, NAMES = 5 };

typedef struct pair {
    watch_store_t *plain, *indexed;
    watch_store_walk_t walk; /* of the indexed one */
    bool walking;
    unsigned random;
    int version;
} pair_t;

static unsigned below(pair_t *p, unsigned bound)
{
    p->random = p->random * 1103515245u + 12345u;
    return (p->random >> 16) % bound;
}

#define ONE_OF(p, array) array[below(p, HOST_LEN(array))]

static watch_snapshot_t *random_object(pair_t *p, int version)
{
    static const char *const values[] = {"a", "b", "", "\\u0061"};
    static const char *const tiers[] = {"a", "b"};
    static const char *const namespaces[] = {"", "x", "y", "z"};
    char name[8], uid[8], labels[96] = "", owners[96] = "";
    watch_snapshot_t *object = NULL;
    lh_error_t err;

    snprintf(name, sizeof(name), "n%u", below(p, NAMES));
    snprintf(uid, sizeof(uid), "u%u", below(p, 3));
    if (below(p, 4) > 0)
        snprintf(labels, sizeof(labels), ",\"labels\":{\"app\":\"%s\",\"tier\":\"%s\"}",
                 ONE_OF(p, values), ONE_OF(p, tiers));
    if (below(p, 2) > 0)
        snprintf(owners, sizeof(owners), ",\"ownerReferences\":[{\"uid\":\"o%u\"},{\"uid\":\"p\"}]",
                 below(p, 3));
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\","
                     "\"resourceVersion\":\"%d\"%s%s}}",
                     name, ONE_OF(p, namespaces), uid, version, labels, owners);

    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &object, &err), err);
    return object;
}

/* -- What happens -- */

static void sweep(watch_store_t *s, const char *version)
{
    watch_snapshot_t *swept;

    while ((swept = watch_store_sweep(s)) != NULL)
        watch_snapshot_unref(swept);
    watch_store_list_end(s, version);
}

static void happen(watch_store_t *s, unsigned what, watch_snapshot_t *o, const char *version)
{
    const char *ns = watch_snapshot_ns(o), *name = watch_snapshot_name(o);
    const char *uid = watch_snapshot_uid(o);

    switch (what) {
    case 0:
    case 1:
        watch_snapshot_unref(watch_store_remove(s, ns, name, uid, version));
        return;
    case 2:
        watch_snapshot_unref(watch_store_touch(s, ns, name, uid));
        return;
    case 3:
    case 4:
        watch_store_note_write(s, o);
        return;
    case 5:
        watch_store_note_left(s, o);
        return;
    case 6:
        watch_store_note_delete(s, ns, name, uid);
        return;
    case 7:
        watch_store_passed(s, version);
        return;
    case 8:
        watch_store_forget_notes(s);
        return;
    case 9:
        watch_store_list_begin(s);
        return;
    case 10:
        sweep(s, version);
        return;
    case 11:
        watch_store_rewind(s);
        return;
    default:
        watch_store_put(s, o, NULL);
    }
}

static void end_walk(pair_t *p)
{
    if (p->walking)
        watch_store_walk_end(p->indexed, &p->walk);
    p->walking = false;
}

/* Labels are asked for, and walks begin, go on, and are given up. */
static void index_more(pair_t *p)
{
    static const char *const keys[] = {"app", "tier"};

    if (below(p, 40) == 0)
        watch_store_index_labels(p->indexed, ONE_OF(p, keys));
    if (below(p, 60) == 0)
        end_walk(p);
    if (!p->walking && below(p, 15) == 0) {
        watch_store_walk_begin(p->indexed, &p->walk);
        p->walking = true;
    }
    if (!p->walking || below(p, 2) > 0)
        return;
    watch_snapshot_t *object = watch_store_walk_next(p->indexed, &p->walk);

    if (object == NULL)
        end_walk(p);
    watch_snapshot_unref(object);
}

static void step(pair_t *p)
{
    p->version += (int) below(p, 3);
    const int version = below(p, 5) > 0 ? p->version : 1 + (int) below(p, (unsigned) p->version);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = random_object(p, version);
    const unsigned what = below(p, 24);

    happen(p->plain, what, object, watch_snapshot_version(object));
    happen(p->indexed, what, object, watch_snapshot_version(object));
    index_more(p);
}

/* -- What is found -- */

typedef struct question {
    const char *ns, *labels, *owner;
} question_t;

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* "ns/name ns/name", sorted. Caller frees. */
static char *answer(watch_store_t *s, const question_t *q)
{
    watch_selector_t *labels = NULL;
    watch_name_t *names = NULL;
    char *texts[4 * NAMES];
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    size_t count = 0;
    lh_error_t err;

    if (q->labels != NULL)
        ASSERT_OK(watch_selector_parse(q->labels, &labels, &err), err);
    ASSERT_OK(watch_store_names(s, q->ns, labels, q->owner, &names, &count, &err), err);
    cr_assert(count <= HOST_LEN(texts), "%zu names", count);
    for (size_t i = 0; i < count; i++)
        texts[i] = host_xprintf("%s/%s ", names[i].ns, names[i].name);
    qsort(texts, count, sizeof(texts[0]), by_text);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&out, texts[i]);
        free(texts[i]);
    }
    watch_names_free(names, count);
    watch_selector_destroy(labels);
    return host_xstrdup(buf_text(&out));
}

static void compare(pair_t *p, unsigned seed, int at)
{
    static const char *const selectors[] = {
        "app=a", "app=b", "app=",   "tier=a",      "app=a,tier=b",  "app in (a)", "app in (a,b)",
        "app",   "!app",  "app!=a", "app=a,app=b", "tier=b,app!=a", "none=1",     NULL};
    static const char *const namespaces[] = {NULL, "", "x", "y", "none"};
    static const char *const owners[] = {NULL, NULL, NULL, "o0", "p", "none"};
    const question_t q = {ONE_OF(p, namespaces), ONE_OF(p, selectors), ONE_OF(p, owners)};
    host_cleanup(host_freep) char *expected = answer(p->plain, &q);
    host_cleanup(host_freep) char *actual = answer(p->indexed, &q);

    cr_assert(strcmp(actual, expected) == 0,
              "seed %u, step %d, namespace %s, labels %s, owner %s:\n  \"%s\"\nexpected\n  \"%s\"",
              seed, at, q.ns, q.labels, q.owner, actual, expected);
}

static void run(unsigned seed)
{
    pair_t p = {.plain = watch_store_create(),
                .indexed = watch_store_create(),
                .random = seed * 7919u + 1,
                .version = 1};

    if (seed % 3 == 0)
        watch_store_index_labels(p.indexed, "app,tier");
    for (int i = 0; i < STEPS; i++) {
        step(&p);
        for (int k = 0; k < 4; k++)
            compare(&p, seed, i);
    }
    end_walk(&p);
    watch_store_unref(p.plain);
    watch_store_unref(p.indexed);
}

Test(index, finds_what_is_found_without_it)
{
    for (unsigned seed = 0; seed < SEEDS; seed++)
        run(seed);
}
