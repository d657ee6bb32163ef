/* SPDX-License-Identifier: Apache-2.0 */
/* What store_test.c and store_index_test.c say of stores holds as well for one that compresses all it
 * can; and this. */
#define STORE_PACKED
#include "store_index_test.c"
#include "store_test.c"

Test(store_packed, objects_are_compressed_once_there_is_a_dictionary)
{
    STORE(s);
    put_settings(s, "a", 1);
    const watch_store_usage_t one = watch_store_usage(s), two = put_settings(s, "b", 1);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *seen = watch_store_get(s, "ns", "b");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *same = settings("b", "b", 1);
    const size_t text = strlen(watch_snapshot_text(same, NULL));

    EXPECT_STR(watch_snapshot_text(seen, NULL), watch_snapshot_text(same, NULL));
    EXPECT_INT(two.text_bytes - one.text_bytes, text);
    cr_expect(two.bytes - one.bytes < text / 2, "%zu bytes for a text of %zu",
              two.bytes - one.bytes, text);
}

/* What a read gives that holds `held` already; a reference of the caller's. */
static watch_snapshot_t *read_again(watch_store_t *s, const char *name,
                                    const watch_snapshot_t *held)
{
    watch_snapshot_t *object = NULL;

    EXPECT_INT(watch_store_read(s, "ns", name, held, &object), 0);
    return object;
}

Test(store_packed, a_state_that_the_reader_holds_is_given_again_while_it_is_the_present_one)
{
    STORE(s);
    put_settings(s, "a", 1);
    put_settings(s, "b", 2);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *first = watch_store_get(s, "ns", "a");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *same = read_again(s, "a", first);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *other = read_again(s, "b", first);

    put_settings(s, "a", 3);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *newer = read_again(s, "a", first);

    cr_expect(same == first, "another snapshot of the same state");
    EXPECT_STR(watch_snapshot_name(other), "b");
    EXPECT_STR(watch_snapshot_version(newer), "3");
    EXPECT_STR(watch_snapshot_version(first), "1");
    cr_expect(read_again(s, "none", first) == NULL, "there is none");
}

Test(store_packed, what_was_written_since_counts_more_than_a_state_that_the_reader_holds)
{
    STORE(s);
    put_settings(s, "a", 1);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *first = watch_store_get(s, "ns", "a");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *written = settings("a", "a", 5);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *left = settings("a", "a", 6);

    watch_store_note_write(s, written);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *newer = read_again(s, "a", first);

    EXPECT_STR(watch_snapshot_version(newer), "5");
    watch_store_note_left(s, left);
    cr_expect(read_again(s, "a", first) == NULL, "it has left");
    put_settings(s, "b", 2);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *second = watch_store_get(s, "ns", "b");

    watch_store_note_delete(s, "ns", "b", watch_snapshot_uid(second));
    cr_expect(read_again(s, "b", second) == NULL, "it is deleted");
}

/* That readers get the very object that was put, as it is not compressed. */
static bool is_raw(watch_store_t *s, const char *name)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *a = watch_store_get(s, "ns", name);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *b = watch_store_get(s, "ns", name);

    return a != NULL && a == b;
}

Test(store_packed, the_most_recent_states_wait_to_be_compressed_together)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *sample = settings("a", "a", 1);

    watch_store_keep_recent(s, 4 * watch_snapshot_size(sample) + 64);
    put_settings(s, "a", 1);
    put_settings(s, "b", 2);
    put_settings(s, "c", 3);
    put_settings(s, "a", 4); /* is the latest now */
    put_settings(s, "d", 5);
    cr_expect(is_raw(s, "a") && is_raw(s, "b") && is_raw(s, "c") && is_raw(s, "d"));
    put_settings(s, "e", 6); /* one too many: two stay */
    cr_expect(!is_raw(s, "b") && !is_raw(s, "c") && !is_raw(s, "a"));
    cr_expect(is_raw(s, "d") && is_raw(s, "e"));
    put_settings(s, "b", 7); /* is recent again */
    cr_expect(is_raw(s, "b"));
    expect_view(s, "a", "a@4");
    expect_view(s, "c", "c@3");
}

Test(store_packed, what_is_taken_out_is_recent_no_more)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *sample = settings("a", "a", 1);

    watch_store_keep_recent(s, 4 * watch_snapshot_size(sample) + 64);
    put_settings(s, "a", 1);
    put_settings(s, "b", 2);
    EXPECT_REMOVED(s, "a", "a", "3", "a@1");
    put_settings(s, "c", 4);
    put_settings(s, "d", 5);
    put_settings(s, "e", 6);
    cr_expect(is_raw(s, "b") && is_raw(s, "c") && is_raw(s, "d") && is_raw(s, "e"));
    put_settings(s, "f", 7);
    cr_expect(!is_raw(s, "b") && !is_raw(s, "d") && is_raw(s, "e") && is_raw(s, "f"));
}

static void count(void *arg)
{
    ++*(int *) arg;
}

/* It had a dictionary trained that nothing could use. */
Test(store_packed, without_a_codec_nobody_is_told_of_what_is_not_compressed)
{
    CODEC(c);
    host_cleanup(unrefp) watch_store_t *without = watch_store_create();
    host_cleanup(unrefp) watch_store_t *with = watch_store_create();
    int told = 0;

    watch_store_set_codec(without, NULL, count, &told);
    put_settings(without, "a", 1);
    EXPECT_INT(told, 0);
    watch_store_set_codec(with, c, count, &told);
    put_settings(with, "a", 1);
    EXPECT_INT(told, 1);
}

/* One of a megabyte had all others compressed each time that it changed. */
Test(store_packed, a_large_state_is_compressed_at_once_and_leaves_the_others_alone)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *sample = settings("a", "a", 1);
    host_cleanup(host_freep) char *zeros = host_xprintf(",\"x\":\"%09000d\"", 0);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *large = object_with("l", "l", 2, zeros);

    watch_store_keep_recent(s, 5 * watch_snapshot_size(sample));
    put_settings(s, "a", 1);
    watch_store_put(s, large, NULL);
    cr_expect(is_raw(s, "a"));
    cr_expect(!is_raw(s, "l"));
}

Test(store_packed, what_was_there_before_the_dictionary_is_compressed_by_a_walk)
{
    host_cleanup(unrefp) watch_store_t *s = watch_store_create();
    CODEC(c);
    DICT(d);
    watch_store_walk_t walk;
    int steps = 0;

    watch_store_set_codec(s, c, NULL, NULL);
    for (int i = 0; i < 50; i++) {
        char name[16];

        snprintf(name, sizeof(name), "o%d", i);
        put_settings(s, name, i);
    }
    const watch_store_usage_t raw = watch_store_usage(s);

    watch_store_set_dict(s, d);
    watch_store_walk_begin(s, &walk);
    while (watch_store_pack(s, &walk)) {
        steps++;
    }
    watch_store_walk_end(s, &walk);
    EXPECT_INT(steps, 50);
    const watch_store_usage_t u = watch_store_usage(s);
    const size_t saved = raw.bytes + watch_dict_size(d) - u.bytes;

    cr_expect(saved > raw.text_bytes / 2, "%zu bytes were saved of %zu", saved, raw.text_bytes);
    EXPECT_INT(u.text_bytes, raw.text_bytes);
    EXPECT_INT(u.objects, 50);
    expect_view(s, "o49", "o49@49");
}

/* A dictionary in which nothing of an object is found. */
static watch_dict_t *foreign_dict(void)
{
    enum { SAMPLES = 200, EACH = 20 };
    host_cleanup(buf_fini) buf_t texts = BUF_INIT;
    size_t sizes[SAMPLES];
    watch_dict_t *dict = NULL;
    lh_error_t err;

    for (int i = 0; i < SAMPLES; i++) {
        const size_t begin = texts.len;

        for (int k = 0; k < EACH; k++) {
            buf_printf(&texts, "%d;", (i * 31 + k * 17) % 97 * 1000003);
        }
        sizes[i] = texts.len - begin;
    }
    ASSERT_OK(watch_dict_train(texts.data, sizes, SAMPLES, &dict, &err), err);
    return dict;
}

Test(store_packed, what_does_not_shrink_stays_as_it_is)
{
    host_cleanup(unrefp) watch_store_t *s = watch_store_create();
    CODEC(c);
    host_cleanup(unref_dict) watch_dict_t *foreign = foreign_dict();
    OBJECT(o, "a", "1", 1);

    watch_store_set_codec(s, c, NULL, NULL);
    watch_store_set_dict(s, foreign);
    watch_store_put(s, o, NULL);
    host_cleanup(host_freep) char *zeros = host_xprintf(",\"x\":\"%0400d\"", 0);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *shrinks = object_with("b", "2", 2, zeros);

    watch_store_put(s, shrinks, NULL);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *a = watch_store_get(s, "ns", "a");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *b = watch_store_get(s, "ns", "b");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *again = watch_store_get(s, "ns", "b");

    cr_expect(a == o, "readers get the very object that was put");
    cr_expect(b != again, "while the next one is expanded for each reader");
}

Test(store_packed, a_large_object_needs_no_dictionary)
{
    CODEC(c);
    host_cleanup(unrefp) watch_store_t *s = watch_store_create();
    host_cleanup(host_freep) char *zeros = host_xprintf("},\"data\":{\"x\":\"%020000d\"", 0);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *large = object_with("a", "1", 1, zeros);

    watch_store_set_codec(s, c, NULL, NULL);
    const size_t before = watch_store_usage(s).bytes;

    watch_store_put(s, large, NULL);
    cr_expect(watch_store_usage(s).bytes - before < 50000);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *seen = watch_store_get(s, "ns", "a");

    EXPECT_STR(watch_snapshot_text(seen, NULL), watch_snapshot_text(large, NULL));
}

Test(store_packed, a_reader_keeps_its_object_while_the_writer_replaces_and_removes_it)
{
    STORE(s);
    put_settings(s, "a", 1);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *seen = watch_store_get(s, "ns", "a");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *first = settings("a", "a", 1);

    put_settings(s, "a", 2);
    EXPECT_REMOVED(s, "a", "a", "3", "a@2");
    watch_store_clear(s);
    EXPECT_STR(watch_snapshot_text(seen, NULL), watch_snapshot_text(first, NULL));
}

static bool no_memory;
static int reserved; /* how often */

int __real_watch_lazy_reserve(watch_lazy_t *l, watch_codec_t *c);
int __wrap_watch_lazy_reserve(watch_lazy_t *l, watch_codec_t *c);

int __wrap_watch_lazy_reserve(watch_lazy_t *l, watch_codec_t *c)
{
    reserved++;
    return no_memory ? LH_ENOMEM : __real_watch_lazy_reserve(l, c);
}

Test(store_packed, lack_of_memory_is_not_taken_for_absence)
{
    STORE(s);
    watch_snapshot_t *object = NULL;
    watch_selector_t *labels = NULL;
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    put_settings(s, "a", 1);
    ASSERT_OK(watch_selector_parse("app", &labels, &err), err);
    no_memory = true;
    EXPECT_INT(watch_store_read(s, "ns", "a", NULL, &object), LH_ENOMEM);
    EXPECT_INT(watch_store_read(s, "ns", "none", NULL, &object), 0);
    cr_expect(object == NULL, "there is none");
    EXPECT_INT(watch_store_names(s, NULL, labels, NULL, &names, &count, &err), LH_ENOMEM);
    no_memory = false;
    EXPECT_INT(watch_store_read(s, "ns", "a", NULL, &object), 0);
    EXPECT_STR(watch_snapshot_name(object), "a");
    watch_snapshot_unref(object);
    watch_selector_destroy(labels);
}

Test(store_packed, labels_select_among_compressed_objects)
{
    STORE(s);
    watch_selector_t *labels = NULL;
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    for (int i = 0; i < 300; i++) {
        char name[16];

        snprintf(name, sizeof(name), "o%d", i);
        put_settings(s, name, i);
    }
    ASSERT_OK(watch_selector_parse("app=web,n=7", &labels, &err), err);
    ASSERT_OK(watch_store_names(s, "ns", labels, NULL, &names, &count, &err), err);
    EXPECT_INT(count, 30); /* 7, 17, ... */
    cr_expect(reserved < 100, "%d of 300 were expanded for it", reserved);
    watch_names_free(names, count);
    watch_selector_destroy(labels);
}
