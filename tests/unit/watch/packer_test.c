/* SPDX-License-Identifier: Apache-2.0 */
/* When stores are compressed, and that nobody waits for it. */
#include "watch/packer.h"

#include "packing.h"
#include "support/fake_clock.h"
#include "watch/packed.h"

enum { OBJECTS = 4000 }; /* more than a megabyte of settings */

/* The trainings so far, which a test lets fail. */
static struct trainings {
    bool fail;
    int count;
    unsigned samples; /* of the last one */
    size_t bytes;
    bool first, last; /* o0 and o3999 are among them, or one next to it */
} trainings;

int __real_watch_dict_train(const char *texts, const size_t *sizes, unsigned count,
                            watch_dict_t **out, lh_error_t *err);
int __wrap_watch_dict_train(const char *texts, const size_t *sizes, unsigned count,
                            watch_dict_t **out, lh_error_t *err);

int __wrap_watch_dict_train(const char *texts, const size_t *sizes, unsigned count,
                            watch_dict_t **out, lh_error_t *err)
{
    trainings.count++;
    trainings.samples = count;
    trainings.bytes = 0;
    for (unsigned i = 0; i < count; i++)
        trainings.bytes += sizes[i];
    trainings.first = memmem(texts, trainings.bytes, "\"name\":\"o1", 10) != NULL;
    trainings.last = memmem(texts, trainings.bytes, "\"name\":\"o39", 11) != NULL;
    return trainings.fail ? LH_EINVAL : __real_watch_dict_train(texts, sizes, count, out, err);
}

static int64_t per_object; /* time that compressing one takes, by the fake clock */

watch_packed_t *__real_watch_packed_create(watch_codec_t *c, const watch_dict_t *dict,
                                           const watch_snapshot_t *object);
watch_packed_t *__wrap_watch_packed_create(watch_codec_t *c, const watch_dict_t *dict,
                                           const watch_snapshot_t *object);

watch_packed_t *__wrap_watch_packed_create(watch_codec_t *c, const watch_dict_t *dict,
                                           const watch_snapshot_t *object)
{
    fake_clock_advance(per_object);
    return __real_watch_packed_create(c, dict, object);
}

typedef struct rig {
    loop_t *loop;
    watch_packer_t *packer;
    watch_store_t *store;
    watch_packing_t *packing;
} rig_t;

static void rig_open(rig_t *r)
{
    lh_error_t err;

    trainings = (struct trainings){0};
    ASSERT_OK(loop_create(&r->loop, &err), err);
    r->packer = watch_packer_create(r->loop);
    r->store = watch_store_create();
    r->packing = watch_packing_begin(r->packer, r->store);
}

static void rig_close(rig_t *r)
{
    watch_packing_end(r->packing);
    watch_store_unref(r->store);
    watch_packer_destroy(r->packer);
    loop_destroy(r->loop);
}

#define RIG(r)                                                                                     \
    host_cleanup(rig_close) rig_t r = {0};                                                         \
    rig_open(&r)

static void put_some(rig_t *r, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        char name[16];

        snprintf(name, sizeof(name), "o%d", i);
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = settings(name, name, i);

        watch_store_put(r->store, o, NULL);
    }
}

static size_t bytes_per_text(rig_t *r)
{
    const watch_store_usage_t u = watch_store_usage(r->store);

    return u.bytes * 100 / u.text_bytes;
}

/* Turns the loop for the training and its slices. */
static void await_packed(rig_t *r)
{
    while (bytes_per_text(r) > 70) {
        loop_turn(r->loop);
    }
}

Test(packer, objects_are_compressed_once_there_are_enough)
{
    RIG(r);
    put_some(&r, 0, OBJECTS);
    await_packed(&r);
    EXPECT_INT(trainings.count, 1);
    const watch_store_usage_t before = watch_store_usage(r.store);

    put_some(&r, OBJECTS, 5 * OBJECTS); /* from now on all but the most recent megabyte */
    const watch_store_usage_t after = watch_store_usage(r.store);

    cr_expect(after.bytes - before.bytes < (after.text_bytes - before.text_bytes) * 7 / 10,
              "%zu bytes for a text of %zu", after.bytes - before.bytes,
              after.text_bytes - before.text_bytes);
    EXPECT_INT(trainings.count, 1);
}

Test(packer, few_objects_are_left_alone)
{
    RIG(r);
    put_some(&r, 0, OBJECTS / 2);
    loop_turn(r.loop);
    EXPECT_INT(trainings.count, 0);
    cr_expect(bytes_per_text(&r) > 100, "%zu %%", bytes_per_text(&r));
}

/* It is put a thousand times, but it is one. */
Test(packer, changes_of_one_object_are_not_many_objects)
{
    RIG(r);
    for (int i = 1; i < 2 * OBJECTS; i++) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = settings("a", "a", i);

        watch_store_put(r.store, o, NULL);
    }
    EXPECT_INT(trainings.count, 0);
}

Test(packer, some_of_all_objects_are_trained_on)
{
    enum { LEAST = 256 << 10, MOST = LEAST + LEAST / 4 };
    RIG(r);
    put_some(&r, 0, OBJECTS);
    EXPECT_INT(trainings.count, 0); /* a put does not wait for it */
    await_packed(&r);
    cr_expect(trainings.samples >= 100, "%u samples", trainings.samples);
    cr_expect(trainings.bytes > LEAST && trainings.bytes < MOST, "%zu bytes", trainings.bytes);
    cr_expect(trainings.first && trainings.last, "the first: %d, the last: %d", trainings.first,
              trainings.last);
}

/* Each large one counts for a thousand small ones, which alone need a dictionary. */
Test(packer, few_large_objects_do_not_hide_the_small_ones)
{
    enum { LARGE = 60, TEXT = 300 << 10 };
    RIG(r);
    host_cleanup(host_freep) char *filler = calloc(1, TEXT + 1);

    memset(filler, 'x', TEXT);
    for (int i = 0; i < LARGE; i++) {
        host_cleanup(host_freep) char *name = host_xprintf("large%d", i);
        host_cleanup(host_freep) char *more = host_xprintf("},\"data\":{\"v\":\"%s\"", filler);
        host_cleanup(host_freep) char *text = object_text(name, name, i, more);
        watch_snapshot_t *o = NULL;
        lh_error_t err;

        ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &o, &err), err);
        watch_store_put(r.store, o, NULL);
        watch_snapshot_unref(o);
    }
    put_some(&r, 0, 1000);
    loop_turn(r.loop);
    EXPECT_INT(trainings.count, 1);
    cr_expect(trainings.samples >= 100, "%u samples", trainings.samples);
}

Test(packer, what_is_there_is_compressed_in_slices)
{
    RIG(r);
    put_some(&r, 0, OBJECTS);
    per_object = CLOCK_MS;
    while (bytes_per_text(&r) > 99) { /* until the first slice */
        loop_turn(r.loop);
    }
    const size_t first = bytes_per_text(&r);

    cr_expect(first > 90, "%zu %% of the text after one slice", first);
    await_packed(&r);
    per_object = 0;
}

Test(packer, a_training_that_fails_is_tried_again_with_twice_as_much)
{
    RIG(r);
    trainings.fail = true;
    put_some(&r, 0, OBJECTS);
    loop_turn(r.loop);
    EXPECT_INT(trainings.count, 1);
    const size_t text = watch_store_usage(r.store).text_bytes;

    for (int n = OBJECTS; trainings.count < 2 && n < 4 * OBJECTS; n++) {
        put_some(&r, n, 1);
        loop_turn(r.loop);
    }
    cr_expect(watch_store_usage(r.store).text_bytes >= 2 * text, "%zu bytes, then %zu", text,
              watch_store_usage(r.store).text_bytes);
    trainings.fail = false;
    put_some(&r, 4 * OBJECTS, 4 * OBJECTS);
    await_packed(&r);
    EXPECT_INT(trainings.count, 3);
}

Test(packer, a_packing_may_end_before_its_training)
{
    RIG(r);
    put_some(&r, 0, OBJECTS);
    watch_packing_end(host_steal(r.packing));
    loop_turn(r.loop);
    put_some(&r, 0, 10);
    EXPECT_INT(watch_store_count(r.store), OBJECTS);
    EXPECT_INT(trainings.count, 0);
}

Test(packer, each_store_of_a_hub_has_its_training)
{
    RIG(r);
    watch_store_t *store = watch_store_create();
    rig_t other = {.loop = r.loop, .packer = r.packer, .store = store};

    other.packing = watch_packing_begin(r.packer, store);
    put_some(&r, 0, OBJECTS);
    put_some(&other, 0, OBJECTS);
    await_packed(&r);
    await_packed(&other);
    EXPECT_INT(trainings.count, 2);
    watch_packing_end(other.packing);
    watch_store_unref(store);
}
