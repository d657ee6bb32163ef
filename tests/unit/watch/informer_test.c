/* SPDX-License-Identifier: Apache-2.0 */
/* The informer when all goes well: lists, watches, what subscribers are told. */
#include "fixture.h"

#include <stdio.h>

Test(informer, first_list_is_a_consistent_streaming_list)
{
    FIXTURE(f);
    turn(&f);
    const char *path = fake_kube_last_path(f.kube);

    EXPECT_HAS(path, "/api/v1/configmaps?watch=1");
    EXPECT_HAS(path, "sendInitialEvents=true");
    EXPECT_HAS(path, "resourceVersionMatch=NotOlderThan");
    EXPECT_HAS(path, "allowWatchBookmarks=true");
    cr_expect(strstr(path, "resourceVersion=") == NULL, "no version may be named: %s", path);
}

Test(informer, is_synced_only_after_the_bookmark_that_ends_the_list)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "1", 5);
    bookmark(&f, 6, false);
    send_event(&f, "BOOKMARK",
               "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":"
               "{\"k8s.io/initial-events-end\":\"false\"}}}");
    turn(&f);
    EXPECT_SEEN(&f, "+a@5* ");
    cr_expect(!watch_store_synced(watch_informer_store(f.informer)), "not complete yet");
    bookmark(&f, 8, true);
    turn(&f);
    EXPECT_SEEN(&f, "synced ");
    cr_expect(watch_store_synced(watch_informer_store(f.informer)), "complete now");
}

Test(informer, an_empty_list_is_synced_too)
{
    FIXTURE(f);
    list_stream(&f, "", 10);
    EXPECT_SEEN(&f, "synced ");
}

Test(informer, goes_on_with_the_same_stream_after_the_list)
{
    FIXTURE(f);
    list_stream(&f, "ab", 10);
    event(&f, "MODIFIED", "a", "a", 11);
    event(&f, "ADDED", "c", "3", 12);
    event(&f, "DELETED", "b", "b", 13);
    EXPECT_SEEN(&f, "+a@1* +b@1* synced +a@11 +c@12 -b@13 ");
    EXPECT_INT(fake_kube_sent(f.kube), 1);
}

Test(informer, updates_and_deletions_before_the_end_of_the_list_are_applied)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "1", 5);
    event(&f, "MODIFIED", "a", "1", 7);
    event(&f, "ADDED", "b", "2", 6);
    event(&f, "DELETED", "b", "2", 8);
    bookmark(&f, 9, true);
    turn(&f);
    EXPECT_SEEN(&f, "+a@5* +a@7* +b@6* -b@8* synced ");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), 1);
}

Test(informer, a_server_that_refuses_streaming_lists_is_asked_for_pages)
{
    FIXTURE(f);
    refuse_streaming(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    list_page(&f, "ab", 10, "token+1");
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500&continue=token%2B1");
    EXPECT_SEEN(&f, "+a@1* +b@1* ");
    list_page(&f, "c", 10, "");
    EXPECT_SEEN(&f, "+c@1* synced ");
    EXPECT_HAS(fake_kube_last_path(f.kube), "watch=1");
    EXPECT_HAS(fake_kube_last_path(f.kube), "resourceVersion=10");
}

Test(informer, a_refusal_is_remembered_for_the_next_list)
{
    FIXTURE(f);
    refuse_streaming(&f);
    list_page(&f, "a", 10, "");
    fake_clock_advance(60 * CLOCK_S);
    error_event(&f, 410, "too old");
    turn(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
}

Test(informer, a_server_that_does_not_end_a_streaming_list_is_asked_for_pages)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    event(&f, "ADDED", "b", "b", 1);
    pass(&f, 10 * CLOCK_S);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    EXPECT_INT(fake_kube_open(f.kube), 1);
    list_page(&f, "a", 10, ""); /* b went between the two lists */
    EXPECT_SEEN(&f, "+a@1* +b@1* -b@1* synced ");
}

Test(informer, a_server_that_is_never_silent_instead_of_ending_the_list_is_asked_for_pages)
{
    FIXTURE(f);
    turn(&f);
    for (int version = 10; version < 16; version++) {
        event(&f, version == 10 ? "ADDED" : "MODIFIED", "a", "a", version);
        EXPECT_HAS(fake_kube_last_path(f.kube), "sendInitialEvents");
        pass(&f, 5 * CLOCK_S);
    }
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    EXPECT_INT(fake_kube_open(f.kube), 1);
    list_page(&f, "b", 20, "");
    cr_expect(watch_informer_synced(f.informer), "must be synced");
}

Test(informer, a_long_streaming_list_may_take_its_time)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "b", "b", 1);
    event(&f, "MODIFIED", "b", "b", 2);
    pass(&f, 9 * CLOCK_S);
    event(&f, "ADDED", "c", "c", 1);
    bookmark(&f, 20, true);
    for (int i = 0; i < 10; i++) {
        pass(&f, 5 * CLOCK_S);
        event(&f, "MODIFIED", "a", "a", 21 + i);
    }
    EXPECT_INT(fake_kube_sent(f.kube), 1);
}

Test(informer, a_server_that_closes_a_streaming_list_is_asked_for_pages)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
}

Test(informer, a_list_is_read_however_its_bytes_are_cut)
{
    FIXTURE(f);
    turn(&f);
    fake_kube_pieces(
        call(&f, "watch=1"),
        "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"uid\":\"1\","
        "\"resourceVersion\":\"5\"}}}\n{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":"
        "{\"resourceVersion\":\"6\",\"annotations\":{\"k8s.io/initial-events-end\":"
        "\"true\"}}}}\n",
        1);
    turn(&f);
    EXPECT_SEEN(&f, "+a@5* synced ");
}

Test(informer, each_object_is_reported_as_soon_as_it_is_there)
{
    FIXTURE(f);
    refuse_streaming(&f);
    fake_kube_data(call(&f, "limit"),
                   "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":["
                   "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}},{\"me");
    EXPECT_SEEN(&f, "+a@5* ");
}

Test(informer, a_clean_close_is_followed_by_a_watch_from_the_last_version)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    event(&f, "MODIFIED", "a", "a", 15);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    const char *path = fake_kube_last_path(f.kube);

    EXPECT_HAS(path, "resourceVersion=15");
    EXPECT_HAS(path, "allowWatchBookmarks=true");
    cr_expect(strstr(path, "sendInitialEvents") == NULL, "no second list: %s", path);
    EXPECT_SEEN(&f, "+a@1* synced +a@15 ");
}

Test(informer, the_initial_events_of_a_list_do_not_advance_the_version)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "1", 99);
    event(&f, "ADDED", "b", "2", 5);
    bookmark(&f, 100, true);
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    EXPECT_HAS(fake_kube_last_path(f.kube), "resourceVersion=100&");
}

Test(informer, bookmarks_advance_the_version)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    bookmark(&f, 77, false);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    EXPECT_HAS(fake_kube_last_path(f.kube), "resourceVersion=77&");
    EXPECT_SEEN(&f, "+a@1* synced ");
}

Test(informer, watches_ask_to_be_closed_after_five_to_ten_minutes)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    long least = 1000, most = 0;

    for (int i = 0; i < 100; i++) {
        const char *at = strstr(fake_kube_last_path(f.kube), "timeoutSeconds=");

        cr_assert(at != NULL, "no timeoutSeconds in %s", fake_kube_last_path(f.kube));
        long seconds = strtol(at + strlen("timeoutSeconds="), NULL, 10);

        least = HOST_MIN(least, seconds);
        most = HOST_MAX(most, seconds);
        bookmark(&f, 10 + i, false);
        fake_kube_end(call(&f, "watch=1"), 200, "");
        turn(&f);
    }
    cr_expect(least >= 300 && most <= 600 && most > least, "from %ld to %ld s", least, most);
}

Test(informer, an_older_version_of_an_object_is_not_reported)
{
    FIXTURE(f);
    list_stream(&f, "", 10);
    event(&f, "ADDED", "a", "1", 20);
    event(&f, "MODIFIED", "a", "1", 19);
    event(&f, "MODIFIED", "a", "1", 20);
    EXPECT_SEEN(&f, "synced +a@20 ");
}

Test(informer, another_uid_under_one_name_is_a_deletion_and_a_creation)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    event(&f, "MODIFIED", "a", "other", 20);
    EXPECT_SEEN(&f, "+a@1* synced -a@1 +a@20 ");
}

Test(informer, a_deletion_of_what_was_never_there_is_not_reported)
{
    FIXTURE(f);
    list_stream(&f, "", 10);
    event(&f, "DELETED", "a", "1", 20);
    EXPECT_SEEN(&f, "synced ");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    EXPECT_HAS(fake_kube_last_path(f.kube), "resourceVersion=20&");
}

Test(informer, what_cannot_be_read_is_counted_and_skipped)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    send_event(&f, "ADDED", "{\"metadata\":{\"name\":\"broken\",}}");
    send_event(&f, "ADDED", "{\"metadata\":{}}");
    send_event(&f, "PAINTED", "{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"99\"}}");
    send_event(&f, "BOOKMARK", "{\"metadata\":{}}");
    fake_kube_data(call(&f, "watch=1"), "{\"no\":\"event\"}\n");
    event(&f, "ADDED", "c", "3", 12);
    EXPECT_SEEN(&f, "+a@1* synced +c@12 ");
    EXPECT_INT(metric(&f, "leasehold_watch_unparsable_objects_total{" LABELS "}"), 5);
    EXPECT_INT(fake_kube_sent(f.kube), 1);
}

Test(informer, an_object_of_a_page_that_cannot_be_read_is_skipped)
{
    FIXTURE(f);
    refuse_streaming(&f);
    kube_call_t *page = call(&f, "limit");

    fake_kube_data(page,
                   "{\"items\":[{\"metadata\":{\"name\":\"a\"}},{\"metadata\":7},{\"metadata\":"
                   "{\"name\":\"b\"}}],\"metadata\":{\"resourceVersion\":\"9\"}}");
    fake_kube_end(page, 200, "");
    turn(&f);
    EXPECT_SEEN(&f, "+a@* +b@* synced ");
}

Test(informer, selectors_and_namespace_are_part_of_the_request)
{
    FIXTURE(f, .ns = "team", .label_selector = "app in (a,b)", .field_selector = "metadata.name=x");
    turn(&f);
    const char *path = fake_kube_last_path(f.kube);

    EXPECT_HAS(path, "/api/v1/namespaces/team/configmaps?");
    EXPECT_HAS(path, "labelSelector=app%20in%20%28a%2Cb%29");
    EXPECT_HAS(path, "fieldSelector=metadata.name%3Dx");
}

Test(informer, the_namespace_is_left_out_for_a_cluster_scoped_kind)
{
    static char kind[] = "Node";
    FIXTURE(f, .ns = "team");
    fake_kube_set_kind(f.kube, &(const kube_kind_t){.kind = kind, .watchable = true});
    turn(&f);
    EXPECT_HAS(fake_kube_last_path(f.kube), "/api/v1/configmaps?");
    cr_expect(!watch_informer_namespaced(f.informer), "discovery says so");
}

Test(informer, metadata_only_asks_for_partial_objects)
{
    FIXTURE(f, .metadata_only = true);
    turn(&f);
    EXPECT_HAS(fake_kube_request(call(&f, "watch=1"))->accept, "as=PartialObjectMetadata;");
    fake_kube_end(call(&f, "sendInitialEvents"), 400, "");
    turn(&f);
    EXPECT_HAS(fake_kube_request(call(&f, "limit"))->accept, "as=PartialObjectMetadataList;");
}

Test(informer, only_the_fields_that_are_asked_for_are_kept)
{
    FIXTURE(f, .fields = "/data/a");
    turn(&f);
    send_event(&f, "ADDED", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"a\":\"1\",\"b\":\"2\"}}");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s =
        watch_store_get(watch_informer_store(f.informer), "", "a");
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    EXPECT_HAS(watch_snapshot_text(s, NULL),
               "\"metadata\":{\"name\":\"a\"},\"data\":{\"a\":\"1\"}}");
    metrics_render(f.metrics, METRICS_TEXT, &out);
    EXPECT_HAS(buf_text(&out), "projection=\"/data/a\"");
}

Test(informer, stored_objects_have_their_type_and_no_managed_fields)
{
    FIXTURE(f);
    turn(&f);
    send_event(&f, "ADDED", "{\"metadata\":{\"name\":\"a\",\"managedFields\":[{}]},\"data\":{}}");
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s =
        watch_store_get(watch_informer_store(f.informer), "", "a");

    cr_assert(s != NULL);
    EXPECT_STR(watch_snapshot_text(s, NULL), "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                                             "\"metadata\":{\"name\":\"a\"},\"data\":{}}");
}

Test(informer, noted_writes_end_when_the_stream_has_passed_them)
{
    FIXTURE(f);
    watch_store_t *store = watch_informer_store(f.informer);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = object("w", "9", 20);

    list_stream(&f, "a", 10);
    watch_store_note_write(store, o);
    EXPECT_INT(watch_store_count(store), 2);
    event(&f, "MODIFIED", "a", "a", 19);
    EXPECT_INT(watch_store_count(store), 2);
    bookmark(&f, 21, false);
    EXPECT_INT(watch_store_count(store), 1);
}

Test(informer, noted_writes_do_not_end_amid_a_list)
{
    FIXTURE(f);
    watch_store_t *store = watch_informer_store(f.informer);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = object("w", "9", 20);

    turn(&f);
    watch_store_note_write(store, o);
    event(&f, "ADDED", "a", "a", 99); /* w is still to come */
    EXPECT_INT(watch_store_count(store), 2);
    event(&f, "ADDED", "w", "9", 20);
    bookmark(&f, 100, true);
    turn(&f);
    EXPECT_INT(watch_store_count(store), 2);
}

static void expect_reads_counted(fixture_t *f, watch_store_t *store)
{
    static const struct {
        const char *ns, *owner, *series;
    } reads[] = {
        {NULL, "o", "leasehold_watch_cache_lists_total{" LABELS ",by=\"owner\"}"},
        {"ns", NULL, "leasehold_watch_cache_lists_total{" LABELS ",by=\"namespace\"}"},
        {NULL, NULL, "leasehold_watch_cache_lists_total{" LABELS ",by=\"all\"}"},
    };
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    EXPECT_INT(metric(f, "leasehold_watch_cache_lists_total{" LABELS ",by=\"label\"}"), 0);
    for (size_t i = 0; i < HOST_LEN(reads); i++) {
        EXPECT_INT(metric(f, reads[i].series), 0);
        ASSERT_OK(watch_store_names(store, reads[i].ns, NULL, reads[i].owner, &names, &count, &err),
                  err);
        watch_names_free(names, count);
        EXPECT_INT(metric(f, reads[i].series), 1);
    }
}

Test(informer, metrics_tell_lists_watches_objects_and_times)
{
    FIXTURE(f);
    list_stream(&f, "abc", 10);
    EXPECT_INT(metric(&f, "leasehold_watch_lists_total{" LABELS ",mode=\"stream\"}"), 1);
    EXPECT_INT(metric(&f, "leasehold_watch_objects{" LABELS "}"), 3);
    expect_reads_counted(&f, watch_informer_store(f.informer));
    event(&f, "DELETED", "a", "a", 11);
    EXPECT_INT(metric(&f, "leasehold_watch_objects{" LABELS "}"), 2);
    fake_clock_set_wall(5000 * CLOCK_S);
    event(&f, "MODIFIED", "b", "b", 12);
    EXPECT_INT(metric(&f, "leasehold_watch_last_event_time_seconds{" LABELS "}"), 5000);
    fake_clock_set_wall(6000 * CLOCK_S);
    bookmark(&f, 13, false);
    EXPECT_INT(metric(&f, "leasehold_watch_last_bookmark_time_seconds{" LABELS "}"), 6000);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    EXPECT_INT(metric(&f, "leasehold_watch_watches_total{" LABELS "}"), 1);
    EXPECT_INT(metric(&f, "leasehold_watch_restarts_total{" LABELS ",cause=\"closed\"}"), 1);
}

Test(informer, client_gos_metrics_tell_its_version_and_how_long_events_take)
{
#define INFORMER "{name=\"all\",group=\"\",version=\"v1\",resource=\"configmaps\"}"
    FIXTURE(f);
    list_stream(&f, "abc", 10);
    EXPECT_INT(metric(&f, "informer_store_resource_version" INFORMER), 10);
    EXPECT_INT(metric(&f, "informer_processing_latency_seconds_count" INFORMER), 3);
    event(&f, "MODIFIED", "b", "b", 12);
    EXPECT_INT(metric(&f, "informer_store_resource_version" INFORMER), 12);
    EXPECT_INT(metric(&f, "informer_processing_latency_seconds_count" INFORMER), 4);
    bookmark(&f, 1234567890123456789, false);
    EXPECT_INT(metric(&f, "informer_store_resource_version" INFORMER), 567890123456789);
    EXPECT_INT(metric(&f, "informer_queued_items" INFORMER), 0);
}

Test(informer, its_series_end_with_it)
{
    FIXTURE(f);
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    watch_informer_t *other = watch_informer_create(
        &f.options, &(const watch_spec_t){.gvr = {"", "v1", "configmaps"}, .metadata_only = true},
        &fixture_handler, &f);

    list_stream(&f, "a", 10);
    watch_informer_destroy(other);
    metrics_render(f.metrics, METRICS_TEXT, &out);
    EXPECT_HAS(buf_text(&out), "projection=\"full\"");
    cr_expect(strstr(buf_text(&out), "projection=\"metadata\"") == NULL, "%s", buf_text(&out));
    EXPECT_HAS(buf_text(&out), "{name=\"all\",");
    cr_expect(strstr(buf_text(&out), "{name=\"all metadata\",") == NULL, "%s", buf_text(&out));
}

Test(informer, ends_its_requests_whenever_it_is_destroyed)
{
    { /* before its first turn */
        FIXTURE(f);
    }
    { /* during a lookup */
        FIXTURE(f);
        loop_turn(f.loop);
        EXPECT_INT(fake_kube_lookups(f.kube), 1);
    }
    { /* in the middle of a list, of a page, and of a watch */
        FIXTURE(f);
        turn(&f);
        event(&f, "ADDED", "a", "1", 5);
    }
    {
        FIXTURE(f);
        refuse_streaming(&f);
        EXPECT_INT(fake_kube_open(f.kube), 1);
    }
    {
        FIXTURE(f);
        list_stream(&f, "a", 10);
        EXPECT_INT(fake_kube_open(f.kube), 1);
    }
}
