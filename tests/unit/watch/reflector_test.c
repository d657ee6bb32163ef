/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios of client-go's reflector and FIFO that the other tests of the informer do not have;
 * CONFORMANCE.md says which stands for which. */
#include "fixture.h"

#include <stdio.h>

/* -- Lists -- */

static void expect_no_version(fixture_t *f)
{
    const char *path = fake_kube_last_path(f->kube);

    cr_expect(strstr(path, "resourceVersion=") == NULL, "a version is named: %s", path);
}

Test(reflector, a_list_after_an_expired_version_names_none_either)
{
    FIXTURE(f);
    settle(&f, "a");
    error_event(&f, 410, "too old");
    turn(&f);
    expect_list(&f);
    expect_no_version(&f);
    fake_kube_end(call(&f, "watch=1"), 400, "");
    turn(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
}

Test(reflector, a_first_page_that_is_said_to_be_expired_is_asked_for_again_at_once_and_then_whole)
{
    FIXTURE(f);
    refuse_streaming(&f);
    fake_kube_end(call(&f, "limit"), 410, "");
    EXPECT_INT(fake_kube_open(f.kube), 1);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    fake_kube_end(call(&f, "limit"), 410, "");
    expect_backoff(&f, 800);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps");
    list_page(&f, "a", 10, "");
    EXPECT_SEEN(&f, "+a@1* synced ");
}

Test(reflector, a_page_of_null_items_is_empty)
{
    FIXTURE(f);
    refuse_streaming(&f);
    kube_call_t *page = call(&f, "limit");

    fake_kube_data(page, "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":null}");
    fake_kube_end(page, 200, "");
    turn(&f);
    EXPECT_SEEN(&f, "synced ");
}

Test(reflector, an_object_that_is_listed_twice_is_reported_once)
{
    FIXTURE(f);
    list_stream(&f, "aa", 10);
    EXPECT_SEEN(&f, "+a@1* synced ");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), 1);
}

Test(reflector, everything_of_a_large_page_and_its_successor_is_there)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    FIXTURE(f);
    refuse_streaming(&f);
    list_page(&f, letters, 10, "C1");
    list_page(&f, "0123456789", 10, "C2");
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500&continue=C2");
    list_page(&f, "-", 10, "");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), sizeof(letters) - 1 + 10 + 1);
    expect_watch_from(&f, "10");
}

/* The server went back to 12 and has come to 30 since, while we were away: it did not know the state
 * that the cache kept for ever. */
Test(reflector, a_list_with_an_older_state_than_was_seen_is_read_again)
{
    FIXTURE(f);
    settle(&f, "ab");
    event(&f, "MODIFIED", "a", "a", 20);
    error_event(&f, 410, "too old");
    turn(&f);
    event(&f, "ADDED", "a", "a", 12);
    event(&f, "ADDED", "b", "b", 1);
    bookmark(&f, 30, true);
    turn(&f);
    EXPECT_SEEN(&f, "+a@20 ");
    EXPECT_INT(metric(&f, "leasehold_watch_relists_total{" LABELS ",cause=\"rewound\"}"), 1);
    time_to_next(&f);
    expect_list(&f);
    event(&f, "ADDED", "a", "a", 12);
    event(&f, "ADDED", "b", "b", 1);
    bookmark(&f, 30, true);
    turn(&f);
    EXPECT_SEEN(&f, "+a@12 ");
    EXPECT_INT(fake_kube_sent(f.kube), 3); /* and this one counts */
}

/* -- Streaming lists -- */

/* Ends the open streaming list like this; the next list is to be paged, the one after it not. */
static void expect_fallback(fixture_t *f, void (*end)(fixture_t *f))
{
    expect_list(f);
    end(f);
    time_to_next(f);
    EXPECT_STR(fake_kube_last_path(f->kube), "/api/v1/configmaps?limit=500");
    fake_kube_refuse(call(f, "limit"));
    time_to_next(f);
    expect_list(f);
}

static void fail_500(fixture_t *f)
{
    fake_kube_end(call(f, "watch=1"), 500, "");
}

static void fail_by_event(fixture_t *f)
{
    event(f, "ADDED", "a", "a", 1);
    error_event(f, 500, "etcdserver: leader changed");
}

static void fail_by_garbage(fixture_t *f)
{
    fake_kube_data(call(f, "watch=1"), "<html>");
}

/* It was asked for again and again, and never paged. */
Test(reflector, a_streaming_list_that_fails_in_any_other_way_is_paged_once)
{
    FIXTURE(f);
    turn(&f);
    expect_fallback(&f, fail_500);
    expect_fallback(&f, fail_by_event);
    expect_fallback(&f, fail_by_garbage);
    fake_kube_end(call(&f, "watch=1"), 503, "");
    time_to_next(&f);
    list_page(&f, "b", 10, "");
    EXPECT_SEEN(&f, "+a@1* +b@1* -a@1* synced ");
    expect_watch_from(&f, "10");
}

Test(reflector, a_streaming_list_that_is_throttled_or_refused_a_connection_is_asked_for_again)
{
    FIXTURE(f);
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 429, "");
    expect_backoff(&f, 800);
    expect_list(&f);
    fake_kube_end_later(call(&f, "watch=1"), 429, 20 * CLOCK_S);
    EXPECT_INT(time_to_next(&f) / CLOCK_S, 20);
    expect_list(&f);
    fake_kube_refuse(call(&f, "watch=1"));
    time_to_next(&f);
    expect_list(&f);
    list_stream(&f, "a", 10);
    EXPECT_SEEN(&f, "+a@1* synced ");
}

Test(reflector, a_streaming_list_that_is_said_to_be_expired_or_too_large_is_asked_for_again)
{
    FIXTURE(f);
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 410, "");
    expect_backoff(&f, 800);
    expect_list(&f);
    error_event(&f, 504, "Too large resource version: 9, current: 8");
    expect_backoff(&f, 1600);
    expect_list(&f);
    expect_no_version(&f);
    list_stream(&f, "a", 10);
    EXPECT_SEEN(&f, "+a@1* synced ");
}

/* -- Watches -- */

/* Where the next watch would begin. */
static void expect_version(fixture_t *f, const char *version)
{
    fake_kube_end(call(f, "watch=1"), 200, "");
    turn(f);
    expect_watch_from(f, version);
}

Test(reflector, added_modified_deleted_and_bookmarks_advance_the_version)
{
    FIXTURE(f);
    list_stream(&f, "", 10);
    event(&f, "ADDED", "a", "a", 11);
    expect_version(&f, "11");
    event(&f, "MODIFIED", "a", "a", 20);
    expect_version(&f, "20");
    bookmark(&f, 30, false);
    expect_version(&f, "30");
    event(&f, "DELETED", "a", "a", 40);
    expect_version(&f, "40");
    EXPECT_INT(fake_kube_sent(f.kube), 5);
}

Test(reflector, what_is_of_another_kind_is_skipped_and_does_not_advance_the_version)
{
    FIXTURE(f);
    list_stream(&f, "ab", 10);
    send_event(&f, "ADDED",
               "{\"kind\":\"Service\",\"metadata\":{\"name\":\"rejected\","
               "\"namespace\":\"ns\",\"resourceVersion\":\"50\"}}");
    send_event(&f, "MODIFIED",
               "{\"kind\":\"Table\",\"metadata\":{\"resourceVersion\":\"51\"},"
               "\"rows\":[]}");
    event(&f, "DELETED", "a", "a", 12);
    send_event(&f, "ADDED",
               "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\",\"namespace\":"
               "\"ns\",\"resourceVersion\":\"13\"}}");
    send_event(&f, "ADDED",
               "{\"kind\":\"Service\",\"metadata\":{\"name\":\"late\","
               "\"namespace\":\"ns\",\"resourceVersion\":\"52\"}}");
    EXPECT_SEEN(&f, "+a@1* +b@1* synced -a@12 +c@13 ");
    expect_version(&f, "13");
    EXPECT_INT(metric(&f, "leasehold_watch_unparsable_objects_total{" LABELS "}"), 3);
}

Test(reflector, what_cannot_be_read_does_not_advance_the_version)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    event(&f, "MODIFIED", "a", "a", 11);
    send_event(&f, "ADDED",
               "{\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\","
               "\"resourceVersion\":\"50\"},\"data\":tru}");
    expect_version(&f, "11");
}

Test(reflector, text_that_is_no_event_lists_again_after_a_while)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_data(call(&f, "watch=1"), "<html>");
    expect_backoff(&f, 800);
    expect_list(&f);
    EXPECT_INT(metric(&f, "leasehold_watch_relists_total{" LABELS ",cause=\"garbled\"}"), 1);
}

/* It would have taken all that follow for a part of itself, for as long as the watch lives. */
Test(reflector, an_event_that_was_cut_short_does_not_make_the_host_deaf)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_data(call(&f, "watch=1"),
                   "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\n"
                   "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\"}}}\n");
    expect_backoff(&f, 800);
    expect_list(&f);
    EXPECT_INT(metric(&f, "leasehold_watch_relists_total{" LABELS ",cause=\"garbled\"}"), 1);
}

/* The object could not be decoded, so its deletion came as an error. */
Test(reflector, an_object_that_was_deleted_unsafely_has_gone_after_the_list_that_follows)
{
    FIXTURE(f);
    settle(&f, "abc");
    event(&f, "ADDED", "corrupt", "corrupt", 12);
    buf_clear(&f.seen);
    error_event(&f, 500,
                "failed to prepare current and previous objects: corrupt object has been "
                "deleted");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), 4);
    expect_backoff(&f, 800);
    list_stream(&f, "abc", 14);
    EXPECT_SEEN(&f, "-corrupt@12 ");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), 3);
}

Test(reflector, refused_connections_in_a_row_wait_ever_longer_and_list_nothing)
{
    static const int64_t base[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    for (size_t i = 0; i < HOST_LEN(base); i++) {
        fake_kube_refuse(call(&f, "watch=1"));
        expect_backoff(&f, base[i]);
        expect_watch_from(&f, "11");
    }
    EXPECT_INT(metric(&f, "leasehold_watch_lists_total{" LABELS ",mode=\"stream\"}"), 1);
}

Test(reflector, the_wait_is_short_again_after_two_calm_minutes)
{
    FIXTURE(f);
    settle(&f, "a");
    error_event(&f, 429, "slow down");
    expect_backoff(&f, 800);
    fake_kube_end(call(&f, "watch=1"), 429, "");
    expect_backoff(&f, 1600);
    for (int i = 0; i < 3; i++) {
        bookmark(&f, 20 + i, false);
        pass(&f, 60 * CLOCK_S);
    }
    error_event(&f, 429, "slow down");
    expect_backoff(&f, 800);
}

/* -- FIFO -- */

Test(reflector, an_object_deleted_before_the_gap_and_made_again_in_it_is_reported_as_new)
{
    FIXTURE(f);
    settle(&f, "a");
    event(&f, "DELETED", "a", "a", 12);
    error_event(&f, 410, "too old");
    turn(&f);
    event(&f, "ADDED", "a", "new", 13);
    bookmark(&f, 14, true);
    turn(&f);
    EXPECT_SEEN(&f, "-a@12 +a@13 ");
}

Test(reflector, objects_that_only_a_broken_list_brought_are_gone_once)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    fake_kube_cut(call(&f, "watch=1"));
    time_to_next(&f);
    list_stream(&f, "", 10);
    EXPECT_SEEN(&f, "+a@1* -a@1* synced ");
    fake_clock_advance(60 * CLOCK_S);
    error_event(&f, 410, "too old");
    turn(&f);
    list_stream(&f, "", 11);
    EXPECT_SEEN(&f, "");
}

Test(reflector, what_is_gone_is_told_before_synced_with_its_last_state)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    event(&f, "ADDED", "b", "b", 1);
    event(&f, "MODIFIED", "b", "b", 5);
    fake_kube_cut(call(&f, "watch=1"));
    time_to_next(&f);
    event(&f, "ADDED", "a", "a", 1);
    cr_expect(!watch_informer_synced(f.informer), "b is not told yet");
    bookmark(&f, 10, true);
    turn(&f);
    EXPECT_SEEN(&f, "+a@1* +b@1* +b@5* -b@5* synced ");
}

Test(reflector, replaced_modified_added_and_deleted_in_one_list)
{
    FIXTURE(f);
    settle(&f, "abc"); /* c goes, d comes, a and b change */
    error_event(&f, 410, "too old");
    turn(&f);
    event(&f, "ADDED", "d", "d", 16);
    event(&f, "ADDED", "a", "a", 14);
    event(&f, "ADDED", "b", "b", 15);
    bookmark(&f, 16, true);
    turn(&f);
    EXPECT_SEEN(&f, "+d@16 +a@14 +b@15 -c@1 ");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), 3);
}
