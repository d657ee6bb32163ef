/* SPDX-License-Identifier: Apache-2.0 */
/* The informer when something fails: nothing is lost, nothing is asked for too often. */
#include "fixture.h"

#include "base/error.h"

#include <stdio.h>
#include <unistd.h>

static void expect_diff(fixture_t *f)
{
    EXPECT_INT(time_to_next(f), 0);
    expect_list(f);
    event(f, "ADDED", "a", "a", 1);    /* as it was */
    event(f, "ADDED", "b", "b", 20);   /* changed */
    event(f, "ADDED", "c", "new", 21); /* deleted and made again */
    event(f, "ADDED", "e", "e", 22);   /* new; d is missing */
    EXPECT_SEEN(f, "+b@20 -c@1 +c@21 +e@22 ");
    bookmark(f, 23, true);
    turn(f);
    EXPECT_SEEN(f, "-d@1 ");
    EXPECT_INT(watch_store_count(watch_informer_store(f->informer)), 4);
}

Test(recovery, expired_by_http_lists_again_and_reports_the_difference)
{
    FIXTURE(f);
    settle(&f, "abcd");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 410, "");
    expect_diff(&f);
    EXPECT_INT(metric(&f, "leasehold_watch_relists_total{" LABELS ",cause=\"expired\"}"), 1);
}

Test(recovery, expired_by_an_event_lists_again_and_reports_the_difference)
{
    FIXTURE(f);
    settle(&f, "abcd");
    error_event(&f, 410, "too old resource version");
    expect_diff(&f);
}

Test(recovery, a_server_that_always_says_expired_is_not_asked_at_once_each_time)
{
    FIXTURE(f);
    settle(&f, "a");
    error_event(&f, 410, "too old");
    turn(&f);
    bookmark(&f, 20, true);
    turn(&f);
    error_event(&f, 410, "too old");
    expect_backoff(&f, 800);
    expect_list(&f);
}

Test(recovery, the_store_stays_synced_while_it_lists_again)
{
    FIXTURE(f);
    settle(&f, "a");
    error_event(&f, 410, "too old");
    turn(&f);
    cr_expect(watch_store_synced(watch_informer_store(f.informer)), "it serves what it has");
    event(&f, "ADDED", "a", "a", 1);
    bookmark(&f, 20, true);
    turn(&f);
    EXPECT_SEEN(&f, ""); /* and is not told again */
}

Test(recovery, no_relist_on_too_many_requests)
{
    FIXTURE(f);
    settle(&f, "a");
    const int64_t base[] = {800, 1600, 3200, 6400};

    error_event(&f, 429, "slow down");
    for (size_t i = 0; i < HOST_LEN(base); i++) {
        expect_backoff(&f, base[i]);
        expect_watch_from(&f, "11");
        fake_kube_end(call(&f, "watch=1"), 429, "");
    }
    EXPECT_INT(metric(&f, "leasehold_watch_lists_total{" LABELS ",mode=\"stream\"}"), 1);
    EXPECT_INT(metric(&f, "leasehold_watch_restarts_total{" LABELS ",cause=\"throttled\"}"), 5);
}

Test(recovery, retry_after_is_honoured)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end_later(call(&f, "watch=1"), 429, 20 * CLOCK_S);
    EXPECT_INT(time_to_next(&f) / CLOCK_S, 20);
}

Test(recovery, retry_after_of_an_hour_is_not)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end_later(call(&f, "watch=1"), 503, 3600 * CLOCK_S);
    EXPECT_INT(time_to_next(&f) / CLOCK_S, 60);
}

Test(recovery, a_watch_that_fails_for_long_is_told_until_one_works)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_cut(call(&f, "watch=1")); /* it had worked */
    int64_t failing = clock_now();

    time_to_next(&f);
    while (clock_now() - failing <= 10 * CLOCK_S) {
        EXPECT_STR(buf_text(&f.problem), "");
        fake_kube_refuse(call(&f, "watch=1"));
        time_to_next(&f);
    }
    fake_kube_refuse(call(&f, "watch=1"));
    EXPECT_HAS(buf_text(&f.problem), "connection refused");
    time_to_next(&f);
    bookmark(&f, 12, false);
    EXPECT_STR(buf_text(&f.problem), "none");
}

/* The subscriber, which says whose watch it is, does: a problem was logged twice. */
Test(recovery, a_problem_is_not_logged_as_a_warning_here)
{
    int pipe_fd[2];
    char text[4096] = "";

    cr_assert_eq(pipe(pipe_fd), 0);
    log_t *log = log_create(pipe_fd[1], LOG_TEXT, LOG_INFO);
    FIXTURE(f);
    f.options.log = log;
    watch_informer_destroy(f.informer);
    f.informer = watch_informer_create(
        &f.options, &(const watch_spec_t){.gvr = {"", "v1", "configmaps"}}, &fixture_handler, &f);
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 403, "");
    EXPECT_HAS(buf_text(&f.problem), "403");
    watch_informer_destroy(host_steal(f.informer));
    log_destroy(log);
    close(pipe_fd[1]);
    cr_assert(read(pipe_fd[0], text, sizeof(text) - 1) >= 0);
    EXPECT_STR(text, "");
    close(pipe_fd[0]);
}

Test(recovery, a_watch_that_is_never_answered_is_told)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    pass(&f, 90 * CLOCK_S);
    fake_kube_head(call(&f, "watch=1")); /* nothing happens: no failure */
    pass(&f, 90 * CLOCK_S);
    pass(&f, 90 * CLOCK_S);
    EXPECT_STR(buf_text(&f.problem), "");
    pass(&f, 90 * CLOCK_S);
    EXPECT_HAS(buf_text(&f.problem), "nothing came");
}

Test(recovery, a_refused_connection_backs_off_and_watches_again_without_a_list)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_cut(call(&f, "watch=1"));
    EXPECT_INT(time_to_next(&f), 0); /* it had lived: at once */
    fake_kube_refuse(call(&f, "watch=1"));
    expect_backoff(&f, 800);
    fake_kube_refuse(call(&f, "watch=1"));
    expect_backoff(&f, 1600);
    expect_watch_from(&f, "11");
    event(&f, "MODIFIED", "a", "a", 30);
    EXPECT_SEEN(&f, "+a@30 ");
}

Test(recovery, a_server_error_on_open_backs_off_and_watches_again)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 503, "");
    expect_backoff(&f, 800);
    expect_watch_from(&f, "11");
}

Test(recovery, a_very_short_watch_backs_off)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    EXPECT_INT(time_to_next(&f), 0);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    expect_backoff(&f, 800);
    expect_watch_from(&f, "11");
}

Test(recovery, a_watch_cut_within_an_event_goes_on_from_the_last_whole_one)
{
    FIXTURE(f);
    settle(&f, "a");
    event(&f, "MODIFIED", "a", "a", 15);
    fake_kube_data(call(&f, "watch=1"),
                   "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    expect_watch_from(&f, "15");
    event(&f, "MODIFIED", "a", "a", 16);
    EXPECT_SEEN(&f, "+a@15 +a@16 ");
}

Test(recovery, a_frozen_watch_is_opened_again_on_a_new_connection)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    size_t sent = fake_kube_sent(f.kube);

    pass(&f, 89 * CLOCK_S);
    EXPECT_INT(fake_kube_sent(f.kube), sent);
    pass(&f, CLOCK_S);
    EXPECT_INT(fake_kube_sent(f.kube), sent + 1);
    EXPECT_INT(fake_kube_open(f.kube), 1);
    expect_watch_from(&f, "10");
    EXPECT_INT(fake_kube_request(call(&f, "watch=1"))->fresh_connection, 1);
    EXPECT_INT(metric(&f, "leasehold_watch_restarts_total{" LABELS ",cause=\"frozen\"}"), 1);
}

Test(recovery, bookmarks_keep_a_quiet_watch_open)
{
    FIXTURE(f);
    list_stream(&f, "a", 10);
    for (int i = 0; i < 10; i++) {
        pass(&f, 60 * CLOCK_S);
        bookmark(&f, 20 + i, false);
    }
    pass(&f, 89 * CLOCK_S);
    EXPECT_INT(fake_kube_sent(f.kube), 1);
}

Test(recovery, a_version_that_the_server_does_not_know_lists_again)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 504, "{\"message\":\"Too large resource version: 11\"}");
    turn(&f);
    expect_list(&f);
    EXPECT_INT(metric(&f, "leasehold_watch_relists_total{" LABELS ",cause=\"too_large\"}"), 1);
}

/* What readers of the cache see of "a". */
static void expect_cached(fixture_t *f, const char *version)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *s =
        watch_store_get(watch_informer_store(f->informer), "ns", "a");

    EXPECT_STR(s != NULL ? watch_snapshot_version(s) : "none", version);
}

/* "a" at 990 and a write noted at 1005; the stream stands at 1000. */
static void before_restore(fixture_t *f)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *written = object("a", "a", 1005);

    turn(f);
    event(f, "ADDED", "a", "a", 990);
    bookmark(f, 1000, true);
    turn(f);
    watch_store_note_write(watch_informer_store(f->informer), written);
    fake_clock_advance(60 * CLOCK_S);
    buf_clear(&f->seen);
}

Test(recovery, after_an_etcd_restore_the_cache_has_the_restored_states)
{
    FIXTURE(f);
    before_restore(&f);
    error_event(&f, 504, "Too large resource version: 1000, current: 900");
    turn(&f);
    event(&f, "ADDED", "a", "a", 850);
    expect_cached(&f, "850");
    bookmark(&f, 900, true);
    turn(&f);
    event(&f, "MODIFIED", "a", "a", 905);
    event(&f, "MODIFIED", "a", "a", 904); /* compared as ever */
    EXPECT_SEEN(&f, "+a@850 +a@905 ");
    expect_cached(&f, "905");
}

Test(recovery, after_a_restore_that_the_list_alone_shows_it_is_read_again)
{
    FIXTURE(f);
    before_restore(&f);
    error_event(&f, 410, "too old");
    turn(&f);
    event(&f, "ADDED", "a", "a", 850);
    bookmark(&f, 900, true);
    turn(&f);
    EXPECT_INT(metric(&f, "leasehold_watch_relists_total{" LABELS ",cause=\"rewound\"}"), 1);
    time_to_next(&f);
    expect_list(&f);
    EXPECT_INT(fake_kube_open(f.kube), 1);
    EXPECT_SEEN(&f, "");
    event(&f, "ADDED", "a", "a", 850);
    bookmark(&f, 900, true);
    turn(&f);
    EXPECT_SEEN(&f, "+a@850 ");
    expect_cached(&f, "850");
    EXPECT_INT(fake_kube_open(f.kube), 1);
}

Test(recovery, after_a_restore_that_a_paged_list_shows_it_is_read_again)
{
    FIXTURE(f);
    refuse_streaming(&f);
    list_page(&f, "a", 1000, "");
    fake_clock_advance(60 * CLOCK_S);
    event(&f, "MODIFIED", "a", "a", 1001);
    error_event(&f, 410, "too old");
    turn(&f);
    list_page(&f, "a", 900, "");
    time_to_next(&f);
    buf_clear(&f.seen);
    list_page(&f, "a", 900, "");
    EXPECT_SEEN(&f, "+a@1 ");
    expect_watch_from(&f, "900");
}

Test(recovery, another_error_event_lists_again_after_a_while)
{
    FIXTURE(f);
    settle(&f, "a");
    error_event(&f, 500, "etcd is ill");
    expect_backoff(&f, 800);
    expect_list(&f);
}

/* A text that nests too deeply to be an object; its metadata can be read. */
static void deep_event(fixture_t *f, const char *type, const char *metadata)
{
    host_cleanup(buf_fini) buf_t t = BUF_INIT;

    buf_printf(&t, "{\"metadata\":%s,\"spec\":", metadata);
    for (int i = 0; i < 600; i++) {
        buf_puts(&t, "[");
    }
    for (int i = 0; i < 600; i++) {
        buf_puts(&t, "]");
    }
    buf_puts(&t, "}");
    send_event(f, type, buf_text(&t));
}

#define UNREADABLE(name, uid)                                                                      \
    "{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"" uid "\",\"resourceVersion\":\"15\"}"

Test(recovery, an_object_that_a_new_list_cannot_read_is_not_gone)
{
    FIXTURE(f);
    settle(&f, "abc");
    error_event(&f, 410, "too old");
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    deep_event(&f, "ADDED", UNREADABLE("b", "b"));
    bookmark(&f, 20, true);
    turn(&f);
    EXPECT_SEEN(&f, "-c@1 ");
    event(&f, "MODIFIED", "b", "b", 21);
    EXPECT_SEEN(&f, "+b@21 ");
}

Test(recovery, a_deletion_that_cannot_be_read_is_a_deletion)
{
    FIXTURE(f);
    settle(&f, "ab");
    deep_event(&f, "DELETED", UNREADABLE("a", "a"));
    deep_event(&f, "MODIFIED", UNREADABLE("b", "new")); /* so the old one has gone */
    EXPECT_SEEN(&f, "-a@1 -b@1 ");
}

Test(recovery, a_list_with_something_nameless_reports_nothing_as_gone)
{
    FIXTURE(f);
    settle(&f, "ab");
    error_event(&f, 410, "too old");
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    deep_event(&f, "ADDED", "{\"labels\":{}}");
    bookmark(&f, 20, true);
    turn(&f);
    EXPECT_SEEN(&f, "");
    fake_clock_advance(60 * CLOCK_S);
    error_event(&f, 410, "too old"); /* the next list is not blind */
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    bookmark(&f, 30, true);
    turn(&f);
    EXPECT_SEEN(&f, "-b@1 ");
}

/* Stands in for the real one by the linker's --wrap. */
static bool no_memory;
int real_from(skim_span_t object, const skim_meta_t *meta, const char *api_version,
              const char *kind, watch_snapshot_t **out,
              lh_error_t *err) __asm__("__real_watch_snapshot_from");
int wrap_from(skim_span_t object, const skim_meta_t *meta, const char *api_version,
              const char *kind, watch_snapshot_t **out,
              lh_error_t *err) __asm__("__wrap_watch_snapshot_from");
int wrap_from(skim_span_t object, const skim_meta_t *meta, const char *api_version,
              const char *kind, watch_snapshot_t **out, lh_error_t *err)
{
    if (no_memory)
        return host_fail(err, LH_ENOMEM, "object: out of memory");
    return real_from(object, meta, api_version, kind, out, err);
}

Test(recovery, an_event_for_which_there_is_no_memory_is_asked_for_again)
{
    FIXTURE(f);
    settle(&f, "a");
    no_memory = true;
    event(&f, "MODIFIED", "a", "a", 12);
    no_memory = false;
    EXPECT_HAS(buf_text(&f.problem), "out of memory");
    expect_backoff(&f, 800);
    expect_watch_from(&f, "11");
    event(&f, "MODIFIED", "a", "a", 12);
    EXPECT_SEEN(&f, "+a@12 ");
    EXPECT_STR(buf_text(&f.problem), "none");
}

Test(recovery, an_event_beyond_all_measure_lists_again)
{
    FIXTURE(f);
    settle(&f, "a");
    size_t size = (size_t) 17 << 20;
    char *huge = host_xcalloc(size + 1, 1);

    memset(huge, ' ', size);
    huge[0] = '{';
    fake_kube_data(call(&f, "watch=1"), huge);
    free(huge);
    expect_backoff(&f, 800);
    expect_list(&f);
}

Test(recovery, a_page_that_expires_begins_the_list_anew)
{
    FIXTURE(f);
    refuse_streaming(&f);
    list_page(&f, "ab", 10, "t1");
    fake_kube_end(call(&f, "continue=t1"), 410, "");
    turn(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    list_page(&f, "b", 20, "t2");
    list_page(&f, "c", 20, "");
    EXPECT_SEEN(&f, "+a@1* +b@1* +c@1* -a@1* synced ");
    expect_watch_from(&f, "20");
}

Test(recovery, pages_that_expire_twice_are_given_up_for_one_list)
{
    FIXTURE(f);
    refuse_streaming(&f);
    list_page(&f, "ab", 10, "t1");
    fake_kube_end(call(&f, "continue=t1"), 410, "");
    turn(&f);
    list_page(&f, "ab", 11, "t2");
    fake_kube_end(call(&f, "continue=t2"), 410, "");
    expect_backoff(&f, 800);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps");
    list_page(&f, "abc", 12, "");
    EXPECT_SEEN(&f, "+a@1* +b@1* +c@1* synced ");
}

Test(recovery, a_later_page_that_breaks_is_asked_for_again)
{
    FIXTURE(f);
    refuse_streaming(&f);
    list_page(&f, "ab", 10, "t1");
    fake_kube_cut(call(&f, "continue=t1"));
    expect_backoff(&f, 800);
    EXPECT_HAS(fake_kube_last_path(f.kube), "continue=t1");
}

Test(recovery, a_first_page_that_breaks_begins_the_list_anew)
{
    FIXTURE(f);
    refuse_streaming(&f);
    fake_kube_data(call(&f, "limit"), "{\"items\":[{\"metadata\":{\"name\":\"a\"}},");
    fake_kube_cut(call(&f, "limit"));
    expect_backoff(&f, 800);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    list_page(&f, "b", 10, ""); /* a went meanwhile */
    EXPECT_SEEN(&f, "+a@* +b@1* -a@* synced ");
}

Test(recovery, a_page_that_is_no_list_is_asked_for_again)
{
    FIXTURE(f);
    refuse_streaming(&f);
    kube_call_t *page = call(&f, "limit");

    fake_kube_data(page, "{\"items\":[]");
    fake_kube_end(page, 200, "");
    expect_backoff(&f, 800);
    list_page(&f, "a", 10, "");
    EXPECT_SEEN(&f, "+a@1* synced ");
}

Test(recovery, a_streaming_list_that_breaks_is_begun_anew)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "a", "a", 1);
    event(&f, "ADDED", "b", "b", 2);
    fake_kube_cut(call(&f, "watch=1"));
    expect_backoff(&f, 800);
    expect_list(&f);
    event(&f, "ADDED", "b", "b", 2);
    bookmark(&f, 9, true);
    turn(&f);
    EXPECT_SEEN(&f, "+a@1* +b@2* -a@1* synced ");
}

static void cut_streaming_list(fixture_t *f)
{
    expect_list(f);
    event(f, "ADDED", "a", "a", 1);
    fake_kube_cut(call(f, "watch=1"));
    (void) time_to_next(f);
}

/* It was begun anew for ever: what ends it on the way, after a minute, ends each. */
Test(recovery, a_streaming_list_that_is_cut_twice_in_a_row_is_asked_for_in_pages)
{
    FIXTURE(f);
    turn(&f);
    cut_streaming_list(&f);
    cut_streaming_list(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    fake_kube_refuse(call(&f, "limit"));
    (void) time_to_next(&f);
    cut_streaming_list(&f); /* the third */
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    list_page(&f, "a", 10, "");
    EXPECT_SEEN(&f, "+a@1* synced ");
    error_event(&f, 410, "too old");
    (void) time_to_next(&f);
    cut_streaming_list(&f); /* the first since one was complete */
    expect_list(&f);
}

Test(recovery, a_streaming_list_that_never_began_to_come_is_not_paged)
{
    FIXTURE(f);
    turn(&f);
    for (int i = 0; i < 3; i++) {
        expect_list(&f);
        fake_kube_refuse(call(&f, "watch=1"));
        (void) time_to_next(&f);
    }
    expect_list(&f);
}

Test(recovery, an_api_server_that_is_away_at_the_start_is_waited_for)
{
    FIXTURE(f);
    fake_kube_fail_lookups(f.kube, LH_EUNAVAILABLE, 0);
    pass(&f, 0);
    EXPECT_HAS(buf_text(&f.problem), "unavailable");
    pass(&f, 5 * CLOCK_S);
    fake_kube_fail_lookups(f.kube, 0, 0);
    time_to_next(&f);
    fake_kube_refuse(call(&f, "watch=1"));
    EXPECT_HAS(buf_text(&f.problem), "connection refused");
    time_to_next(&f);
    list_stream(&f, "a", 10);
    EXPECT_SEEN(&f, "+a@1* synced ");
    EXPECT_STR(buf_text(&f.problem), "none");
}

static void expect_next_lookup_after(int64_t wish, int64_t wait)
{
    FIXTURE(f);
    fake_kube_fail_lookups(f.kube, LH_EUNAVAILABLE, wish);
    pass(&f, 0);
    EXPECT_INT(fake_kube_lookups(f.kube), 1);
    pass(&f, wait - CLOCK_MS);
    EXPECT_INT(fake_kube_lookups(f.kube), 1);
    pass(&f, CLOCK_MS);
    EXPECT_INT(fake_kube_lookups(f.kube), 2);
}

Test(recovery, retry_after_of_discovery_was_ignored)
{
    expect_next_lookup_after(20 * CLOCK_S, 20 * CLOCK_S);
}

Test(recovery, retry_after_of_an_hour_is_not_honoured_for_discovery_either)
{
    expect_next_lookup_after(3600 * CLOCK_S, 60 * CLOCK_S);
}

Test(recovery, what_is_forbidden_is_told_and_tried_again)
{
    FIXTURE(f);
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 403, "");
    EXPECT_HAS(buf_text(&f.problem), "403");
    expect_backoff(&f, 800);
    list_stream(&f, "a", 10);
    EXPECT_STR(buf_text(&f.problem), "none");
}

Test(recovery, a_watch_that_becomes_forbidden_is_told_until_it_works_again)
{
    FIXTURE(f);
    settle(&f, "a");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 403, "");
    EXPECT_HAS(buf_text(&f.problem), "403");
    expect_backoff(&f, 800);
    expect_watch_from(&f, "11");
    bookmark(&f, 12, false);
    EXPECT_STR(buf_text(&f.problem), "none");
}

Test(recovery, a_missing_kind_is_looked_up_until_it_is_there)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};
    FIXTURE(f);
    fake_kube_set_kind(f.kube, NULL);
    turn(&f);
    EXPECT_HAS(buf_text(&f.problem), "resource 'configmaps' is not installed");
    EXPECT_INT(fake_kube_sent(f.kube), 0);
    size_t lookups = fake_kube_lookups(f.kube);

    for (int i = 0; i < 70; i++) {
        pass(&f, 100 * CLOCK_MS);
    }
    EXPECT_INT(fake_kube_lookups(f.kube) - lookups, 10);
    EXPECT_INT(fake_kube_fresh_lookups(f.kube), fake_kube_lookups(f.kube) - 1);
    fake_kube_set_kind(f.kube, &kind);
    cr_expect(time_to_next(&f) <= CLOCK_S, "must start within a second");
    list_stream(&f, "a", 10);
    EXPECT_SEEN(&f, "+a@1* synced ");
    EXPECT_STR(buf_text(&f.problem), "none");
}

Test(recovery, streams_that_wait_for_kinds_look_at_the_same_times)
{
    FIXTURE(f);
    fake_kube_set_kind(f.kube, NULL);
    turn(&f);
    pass(&f, 300 * CLOCK_MS);
    watch_informer_t *late = watch_informer_create(
        &f.options, &(const watch_spec_t){.gvr = {"", "v1", "secrets"}}, &fixture_handler, &f);

    turn(&f);
    for (int i = 0; i < 70; i++) {
        size_t lookups = fake_kube_lookups(f.kube);

        pass(&f, 100 * CLOCK_MS);
        lookups = fake_kube_lookups(f.kube) - lookups;
        cr_expect(lookups == 0 || lookups == 2, "%zu at once", lookups);
    }
    watch_informer_destroy(late);
}

Test(recovery, a_new_kind_whose_watches_do_not_work_yet_is_listed_in_pages_once)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};
    FIXTURE(f);
    fake_kube_set_kind(f.kube, NULL);
    turn(&f);
    fake_kube_set_kind(f.kube, &kind);
    pass(&f, 700 * CLOCK_MS);
    fake_kube_end_later(call(&f, "watch=1"), 429, CLOCK_S);
    EXPECT_STR(fake_kube_last_path(f.kube), "/api/v1/configmaps?limit=500");
    fake_kube_end_later(call(&f, "limit"), 429, 0);
    expect_backoff(&f, 800);
    expect_list(&f);
    fake_kube_end_later(call(&f, "watch=1"), 429, 0);
    expect_backoff(&f, 1600);
    expect_list(&f);
}

Test(recovery, the_objects_of_a_kind_that_is_removed_are_gone)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};
    FIXTURE(f);
    settle(&f, "ab");
    fake_kube_set_kind(f.kube, NULL);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 404, "");
    turn(&f);
    EXPECT_SEEN(&f, "");
    pass(&f, 3 * CLOCK_S);
    EXPECT_SEEN(&f, "-a@1 -b@1 lost ");
    EXPECT_HAS(buf_text(&f.problem), "not installed");
    EXPECT_INT(watch_store_count(watch_informer_store(f.informer)), 0);
    cr_expect(!watch_store_synced(watch_informer_store(f.informer)), "nothing is known now");

    fake_kube_set_kind(f.kube, &kind);
    cr_expect(time_to_next(&f) <= CLOCK_S, "must start within a second");
    list_stream(&f, "c", 20);
    EXPECT_SEEN(&f, "+c@1* synced ");
}

Test(recovery, a_kind_that_one_lookup_does_not_find_has_not_gone)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};
    FIXTURE(f);
    settle(&f, "ab");
    fake_kube_set_kind(f.kube, NULL);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 404, "");
    turn(&f);
    fake_kube_set_kind(f.kube, &kind);
    time_to_next(&f);
    list_stream(&f, "ab", 20);
    EXPECT_SEEN(&f, "");
    EXPECT_STR(buf_text(&f.problem), "none");
}

Test(recovery, a_404_although_the_kind_is_there_backs_off_and_is_told)
{
    FIXTURE(f);
    turn(&f);
    for (int base = 800; base <= 3200; base *= 2) {
        fake_kube_end(call(&f, "watch=1"), 404, "");
        expect_backoff(&f, base);
        expect_list(&f);
        EXPECT_HAS(buf_text(&f.problem), "404 although the kind is installed");
    }
    list_stream(&f, "a", 10);
    EXPECT_SEEN(&f, "+a@1* synced ");
    EXPECT_STR(buf_text(&f.problem), "none");
}

Test(recovery, a_new_kind_that_is_not_served_yet_is_listed_again_soon)
{
    static char name[] = "ConfigMap";
    const kube_kind_t kind = {.kind = name, .namespaced = true, .watchable = true};
    FIXTURE(f);
    fake_kube_set_kind(f.kube, NULL);
    turn(&f);
    fake_kube_set_kind(f.kube, &kind);
    pass(&f, 700 * CLOCK_MS);
    fake_kube_end(call(&f, "watch=1"), 404, "");
    cr_expect(time_to_next(&f) <= CLOCK_S, "must start within a second");
}

Test(recovery, a_kind_without_watch_is_told)
{
    static char name[] = "Binding";
    FIXTURE(f);
    fake_kube_set_kind(f.kube, &(const kube_kind_t){.kind = name, .namespaced = true});
    turn(&f);
    EXPECT_HAS(buf_text(&f.problem), "no list and watch");
    EXPECT_INT(fake_kube_sent(f.kube), 0);
}
