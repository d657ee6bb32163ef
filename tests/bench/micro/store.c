/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots, and a store of MICRO_OBJECTS of them. */
#include "watch/store.h"
#include "bench/micro/micro.h"

typedef struct objects {
    buf_t texts[MICRO_OBJECTS];
    watch_store_t *store;
    watch_snapshot_t *snapshots[MICRO_OBJECTS];
    char names[MICRO_OBJECTS][2][24];
} objects_t;

static watch_snapshot_t *snapshot(const buf_t *text)
{
    watch_snapshot_t *s = NULL;

    MICRO_REQUIRE(watch_snapshot_create(text->data, text->len, "v1", "ConfigMap", &s, NULL) == 0);
    return s;
}

static void *create(void)
{
    objects_t *o = host_xcalloc(1, sizeof(*o));

    o->store = watch_store_create();
    for (unsigned i = 0; i < MICRO_OBJECTS; i++) {
        micro_object(&o->texts[i], i, 100000 + i, true);
        o->snapshots[i] = snapshot(&o->texts[i]);
        snprintf(o->names[i][0], sizeof(o->names[i][0]), "bench-%u", i % 10);
        snprintf(o->names[i][1], sizeof(o->names[i][1]), "object-%05u", i);
    }
    return o;
}

static void destroy(void *state)
{
    objects_t *o = state;

    watch_store_unref(o->store);
    for (size_t i = 0; i < MICRO_OBJECTS; i++) {
        watch_snapshot_unref(o->snapshots[i]);
        buf_fini(&o->texts[i]);
    }
    free(o);
}

static size_t bytes(const void *state)
{
    return ((const objects_t *) state)->texts[0].len;
}

static void run_snapshot(void *state, size_t n)
{
    objects_t *o = state;

    for (size_t i = 0; i < n; i++)
        watch_snapshot_unref(snapshot(&o->texts[i % MICRO_OBJECTS]));
}

/* So that the store is filled and emptied over and over. */
static void run_put(void *state, size_t n)
{
    objects_t *o = state;

    for (size_t i = 0; i < n; i++) {
        const size_t at = i % MICRO_OBJECTS;

        MICRO_REQUIRE(watch_store_put(o->store, o->snapshots[at], NULL) == WATCH_ADDED);
        if (at + 1 < MICRO_OBJECTS)
            continue;
        for (size_t k = 0; k < MICRO_OBJECTS; k++)
            watch_snapshot_unref(watch_store_remove(o->store, o->names[k][0], o->names[k][1],
                                                    watch_snapshot_uid(o->snapshots[k]), ""));
    }
}

static void *create_filled(void)
{
    objects_t *o = create();

    for (size_t i = 0; i < MICRO_OBJECTS; i++)
        (void) watch_store_put(o->store, o->snapshots[i], NULL);
    return o;
}

/* Its objects are compressed. */
static void *create_packed(void)
{
    objects_t *o = create();
    watch_codec_t *codec = watch_codec_create();
    watch_dict_t *dict = NULL;
    buf_t samples = BUF_INIT;
    size_t sizes[MICRO_OBJECTS];

    for (size_t i = 0; i < MICRO_OBJECTS; i++) {
        const char *text = watch_snapshot_text(o->snapshots[i], &sizes[i]);

        buf_append(&samples, text, sizes[i]);
    }
    MICRO_REQUIRE(watch_dict_train(samples.data, sizes, MICRO_OBJECTS, &dict, NULL) == 0);
    MICRO_REQUIRE(codec != NULL);
    watch_store_set_codec(o->store, codec, NULL, NULL);
    watch_store_set_dict(o->store, dict);
    for (size_t i = 0; i < MICRO_OBJECTS; i++)
        (void) watch_store_put(o->store, o->snapshots[i], NULL);
    MICRO_REQUIRE(watch_store_usage(o->store).bytes < watch_store_usage(o->store).text_bytes);
    watch_codec_unref(codec);
    watch_dict_unref(dict);
    buf_fini(&samples);
    return o;
}

/* As the reconcile of a plugin does that asks the cache for what the host has handed it. */
static void run_again(void *state, size_t n)
{
    objects_t *o = state;

    for (size_t i = 0; i < n; i++) {
        const unsigned at = (unsigned) (i % MICRO_OBJECTS);
        const char *ns = o->names[at][0], *name = o->names[at][1];
        watch_snapshot_t *s = watch_store_get(o->store, ns, name), *again = NULL;

        MICRO_REQUIRE(s != NULL && watch_store_read(o->store, ns, name, s, &again) == 0);
        watch_snapshot_unref(again);
        watch_snapshot_unref(s);
    }
}

static void run_get(void *state, size_t n)
{
    objects_t *o = state;

    for (size_t i = 0; i < n; i++) {
        const unsigned at = (unsigned) (i % MICRO_OBJECTS);
        watch_snapshot_t *s = watch_store_get(o->store, o->names[at][0], o->names[at][1]);

        MICRO_REQUIRE(s != NULL);
        watch_snapshot_unref(s);
    }
}

const micro_case_t micro_snapshot = {"snapshot", "a snapshot made of an object's text, and freed",
                                     create,     run_snapshot,
                                     destroy,    bytes};
const micro_case_t micro_store_put = {
    "store-put", "an object put into a store, and taken out", create, run_put, destroy, bytes};
const micro_case_t micro_store_get = {
    "store-get", "an object got from a store by its name", create_filled, run_get, destroy, bytes};
const micro_case_t micro_store_open = {
    "store-open", "a compressed object got from a store", create_packed, run_get, destroy, bytes};
const micro_case_t micro_store_again = {"store-again", "the same, and got once more by who has it",
                                        create_packed, run_again,
                                        destroy,       bytes};
