/* SPDX-License-Identifier: Apache-2.0 */
#include "store_rig.h"

#include <pthread.h>
#include <stdatomic.h>

Test(store, put_tells_what_changed)
{
    STORE(s);
    EXPECT_INT(put(s, "a", "1", 5), WATCH_ADDED);
    EXPECT_INT(put(s, "a", "1", 6), WATCH_MODIFIED);
    EXPECT_INT(put(s, "a", "2", 7), WATCH_REPLACED);
    EXPECT_INT(put(s, "a", "2", 7), WATCH_SAME);
    EXPECT_INT(watch_store_count(s), 1);
    expect_view(s, "a", "2@7");
}

Test(store, put_gives_back_what_it_replaced)
{
    STORE(s);
    OBJECT(o, "a", "1", 6);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *old = NULL;

    put(s, "a", "1", 5);
    watch_store_put(s, o, &old);
    host_cleanup(host_freep) char *text = describe(old);

    EXPECT_STR(text, "1@5");
}

Test(store, a_lower_version_of_the_same_uid_never_replaces)
{
    STORE(s);
    put(s, "a", "1", 10);
    EXPECT_INT(put(s, "a", "1", 9), WATCH_OLDER);
    expect_view(s, "a", "1@10");
}

Test(store, names_are_apart_by_namespace)
{
    STORE(s);
    OBJECT(o, "a", "1", 1);
    watch_store_put(s, o, NULL);
    cr_expect(watch_store_get(s, "other", "a") == NULL, "another namespace must be empty");
    cr_expect(watch_store_get(s, "", "nsa") == NULL, "names must not run together");
    expect_view(s, "a", "1@1");
}

Test(store, remove_gives_the_last_state)
{
    STORE(s);
    put(s, "a", "1", 5);
    EXPECT_REMOVED(s, "a", "1", "6", "1@5");
    EXPECT_REMOVED(s, "a", "1", "6", "");
    EXPECT_INT(watch_store_count(s), 0);
    expect_view(s, "a", "");
}

Test(store, a_late_deletion_does_not_remove_a_newer_object)
{
    STORE(s);
    put(s, "a", "2", 10);
    EXPECT_REMOVED(s, "a", "1", "9", "");
    EXPECT_REMOVED(s, "a", "1", "", "");
    expect_view(s, "a", "2@10");
}

Test(store, a_deletion_of_the_name_later_than_what_stands_there_removes_it)
{
    STORE(s);
    put(s, "a", "1", 10);
    EXPECT_REMOVED(s, "a", "2", "12", "1@10");
}

Test(store, sweep_takes_out_what_the_list_did_not_bring)
{
    STORE(s);
    put(s, "a", "1", 1);
    put(s, "b", "2", 2);
    put(s, "c", "3", 3);
    watch_store_list_begin(s);
    put(s, "b", "2", 2);
    put(s, "d", "4", 4);
    size_t swept = 0;

    for (watch_snapshot_t *o; (o = watch_store_sweep(s)) != NULL; swept++) {
        cr_expect(strcmp(watch_snapshot_name(o), "a") == 0 ||
                      strcmp(watch_snapshot_name(o), "c") == 0,
                  "swept '%s'", watch_snapshot_name(o));
        watch_snapshot_unref(o);
    }
    EXPECT_INT(swept, 2);
    EXPECT_INT(watch_store_count(s), 2);
}

Test(store, events_between_the_slices_of_a_sweep_are_respected)
{
    STORE(s);
    put(s, "a", "1", 1);
    put(s, "b", "2", 2);
    watch_store_list_begin(s);
    put(s, "b", "2", 3); /* an event, after the list's end */
    EXPECT_REMOVED(s, "a", "1", "4", "1@1");
    cr_expect(watch_store_sweep(s) == NULL, "nothing must be left to sweep");
    expect_view(s, "b", "2@3");
}

Test(store, a_list_that_is_begun_again_forgets_the_first)
{
    STORE(s);
    put(s, "a", "1", 1);
    watch_store_list_begin(s);
    put(s, "a", "1", 1);
    watch_store_list_begin(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *swept = watch_store_sweep(s);
    cr_expect(swept != NULL, "'a' was not in the second list");
}

Test(store, names_select_by_namespace_label_and_owner)
{
    STORE(s);
    watch_selector_t *labels = NULL;
    lh_error_t err;
    watch_name_t *names = NULL;
    size_t count = 0;
    const char *const more[] = {
        ",\"labels\":{\"app\":\"web\"}", ",\"ownerReferences\":[{\"uid\":\"o\"},{\"uid\":\"p\"}]",
        ",\"labels\":{\"app\":\"web\"},\"ownerReferences\":[{\"uid\":\"o\"}]"};

    for (size_t i = 0; i < HOST_LEN(more); i++) {
        char name[] = {(char) ('a' + i), '\0'};
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
            object_with(name, name, 1, more[i]);

        watch_store_put(s, o, NULL);
    }
    ASSERT_OK(watch_selector_parse("app=web", &labels, &err), err);
#define EXPECT_NAMES(ns, labels, owner, expected)                                                  \
    do {                                                                                           \
        ASSERT_OK(watch_store_names(s, ns, labels, owner, &names, &count, &err), err);             \
        EXPECT_INT(count, expected);                                                               \
        watch_names_free(names, count);                                                            \
    } while (0)
    EXPECT_NAMES(NULL, NULL, NULL, 3);
    EXPECT_NAMES("ns", NULL, NULL, 3);
    EXPECT_NAMES("other", NULL, NULL, 0);
    EXPECT_NAMES(NULL, labels, NULL, 2);
    EXPECT_NAMES(NULL, NULL, "o", 2);
    EXPECT_NAMES(NULL, NULL, "p", 1);
    EXPECT_NAMES("other", NULL, "o", 0);
    EXPECT_NAMES(NULL, NULL, "nobody", 0);
    ASSERT_OK(watch_store_names(s, "ns", labels, "o", &names, &count, &err), err);
    EXPECT_INT(count, 1);
    EXPECT_STR(names[0].name, "c");
    EXPECT_STR(names[0].ns, "ns");
    watch_names_free(names, count);
    watch_selector_destroy(labels);
}

Test(store, the_index_of_owners_follows_changes)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *first =
        object_with("a", "1", 1, ",\"ownerReferences\":[{\"uid\":\"o\"}]");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *second =
        object_with("a", "1", 2, ",\"ownerReferences\":[{\"uid\":\"p\"}]");

    watch_store_put(s, first, NULL);
    EXPECT_INT(owned_by(s, "o"), 1);
    watch_store_put(s, second, NULL);
    EXPECT_INT(owned_by(s, "o"), 0);
    EXPECT_INT(owned_by(s, "p"), 1);
    EXPECT_REMOVED(s, "a", "1", "3", "1@2");
    EXPECT_INT(owned_by(s, "p"), 0);
}

Test(store, a_noted_write_is_seen_at_once)
{
    STORE(s);
    put(s, "a", "1", 5);
    note(s, "a", "1", 7);
    note(s, "new", "9", 8);
    expect_view(s, "a", "1@7");
    expect_view(s, "new", "9@8");
    EXPECT_INT(watch_store_count(s), 2);
}

Test(store, a_noted_write_is_found_by_its_owner)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with("a", "1", 1, ",\"ownerReferences\":[{\"uid\":\"o\"}]");

    watch_store_note_write(s, o);
    EXPECT_INT(owned_by(s, "o"), 1);
}

Test(store, a_noted_write_yields_only_to_a_version_not_lower)
{
    STORE(s);
    put(s, "a", "1", 5);
    note(s, "a", "1", 10);
    EXPECT_INT(put(s, "a", "1", 7), WATCH_MODIFIED);
    expect_view(s, "a", "1@10");
    EXPECT_INT(put(s, "a", "1", 10), WATCH_MODIFIED);
    EXPECT_INT(put(s, "a", "1", 12), WATCH_MODIFIED);
    expect_view(s, "a", "1@12");
}

Test(store, an_older_deletion_does_not_remove_a_noted_write)
{
    STORE(s);
    put(s, "a", "1", 5);
    note(s, "a", "2", 10); /* we deleted it and made it again */
    EXPECT_REMOVED(s, "a", "1", "8", "1@5");
    expect_view(s, "a", "2@10");
}

Test(store, a_deletion_older_than_a_noted_write_of_the_same_uid_does_not_remove_it)
{
    STORE(s);
    put(s, "a", "1", 5);
    note(s, "a", "1", 10); /* it left the selector, and our write brought it back */
    EXPECT_REMOVED(s, "a", "1", "8", "1@5");
    expect_view(s, "a", "1@10");
    put(s, "a", "1", 10);
    EXPECT_REMOVED(s, "a", "1", "12", "1@10");
    expect_view(s, "a", "");
}

Test(store, an_older_list_does_not_remove_a_noted_write)
{
    STORE(s);
    put(s, "a", "1", 5);
    note(s, "b", "2", 10);
    watch_store_list_begin(s);
    put(s, "a", "1", 5);
    cr_expect(watch_store_sweep(s) == NULL, "nothing to sweep");
    watch_store_list_end(s, "9");
    expect_view(s, "b", "2@10");
    watch_store_list_end(s, "10");
    expect_view(s, "b", "");
}

Test(store, a_noted_write_that_the_stream_never_shows_ends_when_it_is_passed)
{
    STORE(s);
    note(s, "outside", "1", 10);
    watch_store_passed(s, "9");
    expect_view(s, "outside", "1@10");
    watch_store_passed(s, "11");
    expect_view(s, "outside", "");
    EXPECT_INT(watch_store_count(s), 0);
}

Test(store, a_reply_that_comes_after_its_event_is_not_noted)
{
    STORE(s);
    put(s, "a", "1", 10);
    watch_store_passed(s, "10");
    EXPECT_REMOVED(s, "a", "1", "12", "1@10");
    watch_store_passed(s, "12");
    note(s, "a", "1", 10);
    expect_view(s, "a", "");
}

Test(store, a_reply_older_than_a_new_object_of_the_name_is_not_noted)
{
    STORE(s);
    put(s, "a", "1", 1);
    put(s, "a", "1", 2);
    EXPECT_REMOVED(s, "a", "1", "3", "1@2");
    put(s, "a", "2", 4);
    note(s, "a", "1", 2);
    expect_view(s, "a", "2@4");
}

Test(store, a_noted_write_that_was_never_shown_ends_with_the_deletion)
{
    STORE(s);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
        object_with("a", "1", 2, ",\"ownerReferences\":[{\"uid\":\"o\"}]");

    watch_store_note_write(s, o);
    EXPECT_INT(owned_by(s, "o"), 1);
    EXPECT_REMOVED(s, "a", "1", "3", "");
    watch_store_passed(s, "3");
    expect_view(s, "a", "");
    EXPECT_INT(owned_by(s, "o"), 0);
}

Test(store, of_two_noted_writes_the_later_counts)
{
    STORE(s);
    note(s, "a", "1", 10);
    note(s, "a", "1", 9);
    expect_view(s, "a", "1@10");
}

Test(store, a_noted_deletion_hides_the_object_until_the_stream_shows_it)
{
    STORE(s);
    put(s, "a", "1", 5);
    watch_store_note_delete(s, "ns", "a", "1");
    expect_view(s, "a", "");
    EXPECT_INT(watch_store_count(s), 0);
    put(s, "a", "1", 6); /* an event from before the deletion */
    expect_view(s, "a", "");
    EXPECT_REMOVED(s, "a", "1", "7", "1@6");
    put(s, "a", "2", 8);
    expect_view(s, "a", "2@8");
}

Test(store, a_noted_deletion_of_a_noted_object_hides_its_late_event)
{
    STORE(s);
    note(s, "a", "1", 5);
    watch_store_note_delete(s, "ns", "a", "1");
    expect_view(s, "a", "");
    put(s, "a", "1", 5);
    expect_view(s, "a", "");
    EXPECT_REMOVED(s, "a", "1", "6", "1@5");
    put(s, "a", "2", 7);
    expect_view(s, "a", "2@7");
}

/* It was seen again until the stream had shown the deletion. */
Test(store, a_reply_that_comes_after_that_to_the_deletion_shows_nothing)
{
    STORE(s);
    note(s, "a", "1", 5);
    watch_store_note_delete(s, "ns", "a", "1");
    note(s, "a", "1", 6);
    expect_view(s, "a", "");
    put(s, "b", "2", 5);
    watch_store_note_delete(s, "ns", "b", "2");
    note(s, "b", "2", 6);
    expect_view(s, "b", "");
    note(s, "b", "3", 8); /* made again */
    expect_view(s, "b", "3@8");
}

Test(store, a_noted_deletion_of_another_uid_changes_nothing)
{
    STORE(s);
    put(s, "a", "2", 5);
    watch_store_note_delete(s, "ns", "a", "1");
    watch_store_note_delete(s, "ns", "none", "1");
    expect_view(s, "a", "2@5");
}

static watch_snapshot_t *odd(const char *uid, const char *version)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"%s\","
                     "\"resourceVersion\":\"%s\"}}",
                     uid, version);
    watch_snapshot_t *s = NULL;
    lh_error_t err;

    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &s, &err), err);
    return s;
}

#define ODD(o, ...) host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = odd(__VA_ARGS__)

Test(store, a_reply_that_cannot_be_compared_does_not_cover_a_live_state)
{
    STORE(s);
    ODD(later, "1", "x-later");
    ODD(written, "1", "x-written");
    watch_store_put(s, later, NULL); /* the event overtook the reply */
    watch_store_note_write(s, written);
    expect_view(s, "a", "1@x-later");
}

Test(store, any_event_of_its_uid_ends_a_note_that_cannot_be_compared)
{
    STORE(s);
    ODD(written, "1", "x-written");
    ODD(later, "1", "x-later");
    ODD(next, "1", "x-next");
    watch_store_note_write(s, written);
    expect_view(s, "a", "1@x-written");
    watch_store_put(s, later, NULL);
    expect_view(s, "a", "1@x-later");
    watch_store_put(s, next, NULL);
    expect_view(s, "a", "1@x-next");
    ODD(other, "2", "x-other");
    watch_store_note_write(s, other);
    expect_view(s, "a", "2@x-other");
    EXPECT_REMOVED(s, "a", "1", "x-gone", "1@x-next");
    expect_view(s, "a", "2@x-other");
    watch_store_put(s, other, NULL);
    EXPECT_REMOVED(s, "a", "2", "x-gone", "2@x-other");
    expect_view(s, "a", "");
}

Test(store, a_note_that_cannot_be_compared_does_not_keep_later_ones)
{
    STORE(s);
    ODD(written, "1", "x-written");
    watch_store_note_write(s, written);
    note(s, "b", "2", 20);
    watch_store_passed(s, "21");
    expect_view(s, "a", "1@x-written");
    expect_view(s, "b", "");
}

Test(store, after_a_rewind_nothing_known_before_outlives_the_list)
{
    STORE(s);
    put(s, "a", "1", 990);
    put(s, "b", "2", 991);
    note(s, "a", "1", 995);
    note(s, "c", "3", 996); /* lost by the restore */
    watch_store_note_delete(s, "ns", "b", "2");
    watch_store_passed(s, "992");
    watch_store_rewind(s);
    watch_store_list_begin(s);
    expect_view(s, "a", "1@995"); /* readers see what they saw */
    EXPECT_INT(put(s, "a", "1", 850), WATCH_MODIFIED);
    EXPECT_INT(put(s, "b", "2", 991), WATCH_SAME); /* and not deleted any more */
    note(s, "d", "4", 905);                        /* a new write, before the list ends */
    cr_expect(watch_store_sweep(s) == NULL);
    watch_store_list_end(s, "900");
    expect_view(s, "a", "1@850");
    expect_view(s, "b", "2@991");
    expect_view(s, "c", "");
    expect_view(s, "d", "4@905");
}

Test(store, a_version_given_twice_is_told_apart_after_a_rewind)
{
    STORE(s);
    OBJECT(before, "a", "1", 5);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *after =
        object_with("a", "1", 5, ",\"labels\":{\"x\":\"y\"}");

    watch_store_put(s, before, NULL);
    watch_store_rewind(s);
    EXPECT_INT(watch_store_put(s, after, NULL), WATCH_MODIFIED);
}

Test(store, a_walk_sees_every_object_that_stays)
{
    STORE(s);
    enum { OBJECTS = 300 };
    bool seen[OBJECTS] = {false};
    watch_store_walk_t walk, other;
    char name[8];

    for (int i = 0; i < OBJECTS; i++) {
        snprintf(name, sizeof(name), "%d", i);
        put(s, name, name, 1);
    }
    watch_store_walk_begin(s, &walk);
    watch_store_walk_begin(s, &other);
    int step = 0;

    for (watch_snapshot_t *o; (o = watch_store_walk_next(s, &walk)) != NULL; step++) {
        seen[strtol(watch_snapshot_name(o), NULL, 10)] = true;
        watch_snapshot_unref(o);
        if (step < 100) { /* half of them change or go meanwhile */
            snprintf(name, sizeof(name), "%d", step * 3);
            put(s, name, name, 2);
            snprintf(name, sizeof(name), "%d", step * 3 + 1);
            watch_snapshot_unref(watch_store_remove(s, "ns", name, name, "9"));
        }
    }
    watch_store_walk_end(s, &walk);
    for (int i = 0; i < OBJECTS; i++) {
        cr_expect(seen[i] || i % 3 == 1, "object %d was not seen", i);
    }
    watch_store_walk_end(s, &other);
    watch_store_walk_end(s, &other);
}

Test(store, clear_empties_and_snapshots_stay_readable)
{
    STORE(s);
    put(s, "a", "1", 1);
    note(s, "b", "2", 2);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *kept = watch_store_get(s, "ns", "a");

    watch_store_clear(s);
    EXPECT_INT(watch_store_count(s), 0);
    expect_view(s, "a", "");
    EXPECT_STR(watch_snapshot_name(kept), "a");
}

Test(store, a_large_store_is_freed_in_parts)
{
    STORE(s);
    watch_store_t *other = watch_store_ref(s);

    for (int i = 0; i < 2500; i++) {
        char name[16];

        snprintf(name, sizeof(name), "o%d", i);
        put(s, name, name, 1);
    }
    cr_expect(watch_store_is_shared(s), "there is another reader");
    watch_store_unref(other);
    cr_expect(!watch_store_is_shared(s), "there is none");
    cr_expect(watch_store_shrink(s, 1000), "1500 are left");
    EXPECT_INT(watch_store_count(s), 1500);
    cr_expect(watch_store_shrink(s, 1000), "500 are left");
    cr_expect(!watch_store_shrink(s, 1000), "none are left");
    EXPECT_INT(watch_store_count(s), 0);
}

Test(store, synced_is_what_was_set)
{
    STORE(s);
    cr_expect(!watch_store_synced(s), "a new store is not synced");
    watch_store_set_synced(s, true);
    cr_expect(watch_store_synced(s), "it was set");
}

static watch_store_usage_t put_settings(watch_store_t *s, const char *name, int version)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = settings(name, name, version);

    watch_store_put(s, o, NULL);
    return watch_store_usage(s);
}

Test(store, usage_follows_what_comes_and_goes)
{
    STORE(s);
    const watch_store_usage_t empty = watch_store_usage(s);

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3000; i++) {
            char name[16];

            snprintf(name, sizeof(name), "o%d", i);
            if (i % 3 == 0)
                put_settings(s, name, i + 1);
            else if (i % 3 == 1)
                note(s, name, name, i + 1);
            else
                watch_snapshot_unref(watch_store_remove(s, "ns", name, name, ""));
        }
    }
    EXPECT_INT(watch_store_usage(s).objects, 2000);
    watch_store_clear(s);
    const watch_store_usage_t u = watch_store_usage(s);

    EXPECT_INT(u.objects, 0);
    EXPECT_INT(u.text_bytes, 0);
    EXPECT_INT(u.bytes, empty.bytes);
}

Test(store, every_object_is_found_while_the_table_grows)
{
    STORE(s);
    enum { OBJECTS = 3000 };
    char name[16];
    int missing = 0;

    for (int i = 0; i < OBJECTS; i++) {
        snprintf(name, sizeof(name), "o%d", i);
        put(s, name, name, 1);
        if (i % 5 == 4) { /* one goes that came while another table was in use */
            snprintf(name, sizeof(name), "o%d", i / 2);
            watch_snapshot_unref(watch_store_remove(s, "ns", name, name, ""));
            put(s, name, name, 2);
        }
        if (i % 50 != 0)
            continue;
        for (int k = 0; k <= i; k++) {
            snprintf(name, sizeof(name), "o%d", k);
            watch_snapshot_t *o = watch_store_get(s, "ns", name);

            missing += o == NULL;
            watch_snapshot_unref(o);
        }
    }
    EXPECT_INT(missing, 0);
    EXPECT_INT(watch_store_count(s), OBJECTS);
}

struct reader {
    watch_store_t *store;
    _Atomic bool stop;
    size_t wrong;
};

static void *read_all_the_time(void *arg)
{
    struct reader *r = arg;
    lh_error_t err;

    while (!atomic_load(&r->stop)) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o =
            watch_store_get(r->store, "ns", "5");
        watch_name_t *names = NULL;
        size_t count = 0;

        if (o != NULL && strcmp(watch_snapshot_name(o), "5") != 0)
            r->wrong++;
        if (watch_store_names(r->store, "ns", NULL, NULL, &names, &count, &err) != 0 || count > 10)
            r->wrong++;
        watch_names_free(names, count);
    }
    return NULL;
}

Test(store, readers_on_other_threads_see_whole_objects)
{
    STORE(s);
    struct reader r = {.store = s};
    pthread_t thread;
    char name[8];

    cr_assert_eq(pthread_create(&thread, NULL, read_all_the_time, &r), 0);
    for (int i = 1; i < 20000; i++) {
        snprintf(name, sizeof(name), "%d", i % 10);
        put(s, name, name, i);
        if (i % 7 == 0)
            watch_snapshot_unref(watch_store_remove(s, "ns", name, name, ""));
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    EXPECT_INT(r.wrong, 0);
}
