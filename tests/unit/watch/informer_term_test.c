/* SPDX-License-Identifier: Apache-2.0 */
/* A stream that was open before the term: when does its store count as consistent in it? */
#include "fixture.h"

#define COMPARED "leasehold_watch_confirmations_total{" LABELS ",how=\"comparison\"}"
#define BY_VERSION "leasehold_watch_confirmations_total{" LABELS ",how=\"version\"}"
#define RELISTS(cause) "leasehold_watch_relists_total{" LABELS ",cause=\"" cause "\"}"

/* Answers the open list: words "name/uid/version". */
static void answer_list(fixture_t *f, const char *words, int version, const char *next)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    host_cleanup(host_freep) char *copy = host_xstrdup(words);
    kube_call_t *c = call(f, "limit=");
    char *save = NULL;

    buf_printf(&out,
               "{\"kind\":\"PartialObjectMetadataList\",\"metadata\":{\"resourceVersion\":\"%d\","
               "\"continue\":\"%s\"},\"items\":[",
               version, next);
    for (char *w = strtok_r(copy, " ", &save), *first = w; w != NULL;
         w = strtok_r(NULL, " ", &save)) {
        char *uid = strchr(w, '/'), *of = strchr(uid + 1, '/');

        *uid++ = *of++ = '\0';
        host_cleanup(host_freep) char *text = object_text(w, uid, (int) strtol(of, NULL, 10), "");

        buf_printf(&out, "%s%s", w != first ? "," : "", text);
    }
    buf_puts(&out, "]}");
    cr_assert(fake_kube_data(c, buf_text(&out)));
    fake_kube_end(c, 200, "");
    turn(f);
}

static void begin_term(fixture_t *f)
{
    watch_informer_begin_term(f->informer);
    turn(f);
}

static bool asks(fixture_t *f)
{
    return fake_kube_find(f->kube, "limit=") != NULL;
}

static void expect_synced(fixture_t *f, bool synced)
{
    EXPECT_INT(watch_informer_synced(f->informer), synced);
    EXPECT_INT(watch_store_synced(watch_informer_store(f->informer)), synced);
}

/* A fixture whose stream has brought these objects, each of version 1, as of version 10. */
#define WARM(f, names)                                                                             \
    FIXTURE(f);                                                                                    \
    list_stream(&f, names, 10);                                                                    \
    buf_clear(&f.seen)

/* -- Few objects -- */

Test(informer_term, a_store_is_not_consistent_until_a_list_of_the_term_says_so)
{
    WARM(f, "xy");
    expect_synced(&f, true);
    begin_term(&f);
    expect_synced(&f, false);
    EXPECT_SEEN(&f, "");
    answer_list(&f, "x/x/1 y/y/1", 20, "");
    expect_synced(&f, true);
    EXPECT_SEEN(&f, "synced ");
    EXPECT_INT(metric(&f, COMPARED), 1);
    EXPECT_INT(fake_kube_sent(f.kube), 2); /* the stream, which goes on, and this list */
    EXPECT_INT(fake_kube_open(f.kube), 1);
}

Test(informer_term, the_list_is_of_metadata_alone_and_past_every_cache)
{
    WARM(f, "x");
    begin_term(&f);
    const kube_request_t *r = fake_kube_request(call(&f, "limit="));

    EXPECT_STR(r->path, "/api/v1/configmaps?limit=500");
    EXPECT_HAS(r->accept, "as=PartialObjectMetadataList");
}

Test(informer_term, the_list_has_the_namespace_and_selectors_of_the_stream)
{
    FIXTURE(f, .ns = "a", .label_selector = "l=m", .field_selector = "metadata.name=x");
    list_stream(&f, "x", 10);
    begin_term(&f);
    EXPECT_STR(fake_kube_request(call(&f, "limit="))->path,
               "/api/v1/namespaces/a/configmaps?limit=500&labelSelector=l%3Dm&fieldSelector="
               "metadata.name%3Dx");
}

Test(informer_term, a_store_without_objects_is_confirmed_too)
{
    WARM(f, "");
    begin_term(&f);
    answer_list(&f, "", 20, "");
    EXPECT_SEEN(&f, "synced ");
}

/* Each list differs from the store, which holds x/x/1 and y/y/1. */
Test(informer_term, a_store_that_differs_from_the_list_is_not_consistent)
{
    static const char *const lists[] = {
        "x/x/1", "x/x/1 y/y/2", "x/x/1 y/other/1", "x/x/1 y/y/1 z/z/1", "x/x/1 z/z/1", ""};

    for (size_t i = 0; i < HOST_LEN(lists); i++) {
        WARM(f, "xy");
        begin_term(&f);
        answer_list(&f, lists[i], 20, "");
        cr_expect(!watch_informer_synced(f.informer), "list %zu counts", i);
        pass(&f, 500 * CLOCK_MS);
        answer_list(&f, "x/x/1 y/y/1", 21, ""); /* it is compared again */
        cr_expect(watch_informer_synced(f.informer), "list %zu: not compared again", i);
    }
}

Test(informer_term, a_stream_that_lags_is_waited_for)
{
    WARM(f, "x");
    begin_term(&f);
    answer_list(&f, "x/x/1 z/z/15", 20, "");
    event(&f, "ADDED", "z", "z", 15);
    turn(&f);
    EXPECT_SEEN(&f, "+z@15 ");
    pass(&f, 500 * CLOCK_MS);
    answer_list(&f, "x/x/1 z/z/15", 20, "");
    EXPECT_SEEN(&f, "synced ");
}

Test(informer_term, a_stream_that_passes_the_list_need_not_be_compared)
{
    WARM(f, "x");
    begin_term(&f);
    answer_list(&f, "z/z/15", 20, "");
    event(&f, "ADDED", "z", "z", 15);
    event(&f, "DELETED", "x", "x", 20);
    turn(&f);
    EXPECT_SEEN(&f, "+z@15 -x@20 synced ");
    EXPECT_INT(metric(&f, BY_VERSION), 1);
    pass(&f, 10 * CLOCK_S);
    cr_expect(!asks(&f), "nothing more is asked");
}

Test(informer_term, one_that_had_passed_the_list_before_its_answer_came_is_consistent_at_once)
{
    WARM(f, "x");
    begin_term(&f);
    bookmark(&f, 30, false);
    answer_list(&f, "z/z/15", 20, "");
    EXPECT_SEEN(&f, "synced ");
    EXPECT_INT(metric(&f, BY_VERSION), 1);
}

Test(informer_term, pages_are_compared_as_one_list)
{
    WARM(f, "xy");
    begin_term(&f);
    answer_list(&f, "x/x/1", 20, "token");
    EXPECT_STR(fake_kube_request(call(&f, "limit="))->path,
               "/api/v1/configmaps?limit=500&continue=token");
    answer_list(&f, "y/y/1", 20, "");
    EXPECT_SEEN(&f, "synced ");
}

Test(informer_term, a_page_that_expires_begins_the_comparison_anew)
{
    WARM(f, "xy");
    begin_term(&f);
    answer_list(&f, "x/x/1", 20, "token");
    fake_kube_end(call(&f, "continue="), 410, "");
    turn(&f);
    pass(&f, 2 * CLOCK_S);
    answer_list(&f, "x/x/1 y/y/1", 30, "");
    EXPECT_SEEN(&f, "synced ");
}

Test(informer_term, what_never_compares_equal_is_listed)
{
    WARM(f, "x");
    pass(&f, 30 * CLOCK_S);
    begin_term(&f);
    for (int i = 0; i < 4; i++) {
        answer_list(&f, "x/x/1 z/z/15", 20, "");
        pass(&f, 500 * CLOCK_MS);
    }
    cr_expect(!asks(&f), "it is listed");
    EXPECT_INT(metric(&f, RELISTS("unconfirmed")), 1);
    event(&f, "ADDED", "x", "x", 1);
    event(&f, "ADDED", "z", "z", 15);
    bookmark(&f, 20, true);
    turn(&f);
    EXPECT_SEEN(&f, "+z@15 synced ");
}

/* Versions that are no numbers are equal or not. */
Test(informer_term, versions_that_are_no_numbers_are_compared_as_texts)
{
    FIXTURE(f);
    turn(&f);
    send_event(&f, "ADDED",
               "{\"metadata\":{\"name\":\"x\",\"namespace\":\"ns\",\"uid\":\"x\","
               "\"resourceVersion\":\"abc\"}}");
    send_event(&f, "BOOKMARK",
               "{\"metadata\":{\"resourceVersion\":\"abd\",\"annotations\":{"
               "\"k8s.io/initial-events-end\":\"true\"}}}");
    turn(&f);
    buf_clear(&f.seen);
    begin_term(&f);
    answer_list(&f, "x/x/7", 20, "");
    EXPECT_SEEN(&f, "");
    pass(&f, 500 * CLOCK_MS);
    kube_call_t *c = call(&f, "limit=");
    cr_assert(
        fake_kube_data(c, "{\"metadata\":{\"resourceVersion\":\"abe\"},\"items\":[{\"metadata\":{"
                          "\"name\":\"x\",\"namespace\":\"ns\",\"uid\":\"x\","
                          "\"resourceVersion\":\"abc\"}}]}"));
    fake_kube_end(c, 200, "");
    turn(&f);
    EXPECT_SEEN(&f, "synced ");
}

/* -- Many objects -- */

enum { MANY = 5001 };

static void list_many(fixture_t *f)
{
    char name[16];

    turn(f);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "o%d", i);
        event(f, "ADDED", name, name, 1);
    }
    bookmark(f, 10, true);
    turn(f);
    buf_clear(&f->seen);
}

#define MANY_OBJECTS(f)                                                                            \
    FIXTURE(f);                                                                                    \
    list_many(&f)

Test(informer_term, of_many_objects_one_is_listed_for_the_version)
{
    MANY_OBJECTS(f);
    begin_term(&f);
    EXPECT_STR(fake_kube_request(call(&f, "limit="))->path, "/api/v1/configmaps?limit=1");
    answer_list(&f, "o0/o0/1", 30, "token");
    EXPECT_SEEN(&f, "");
    event(&f, "MODIFIED", "o7", "o7", 29);
    turn(&f);
    EXPECT_SEEN(&f, "+o7@29 ");
    event(&f, "MODIFIED", "o8", "o8", 31);
    turn(&f);
    EXPECT_SEEN(&f, "+o8@31 synced ");
    EXPECT_INT(fake_kube_sent(f.kube), 2);
    EXPECT_INT(metric(&f, BY_VERSION), 1);
}

/* The bookmark of an open watch may be a minute away; that of one that ends soon is not. */
Test(informer_term, of_a_quiet_kind_the_watch_is_opened_anew_for_a_bookmark)
{
    MANY_OBJECTS(f);
    begin_term(&f);
    answer_list(&f, "o0/o0/1", 30, "token");
    pass(&f, 200 * CLOCK_MS);
    EXPECT_HAS(fake_kube_request(call(&f, "watch=1"))->path, "resourceVersion=10&timeoutSeconds=3");
    EXPECT_INT(fake_kube_open(f.kube), 1);
    bookmark(&f, 30, false);
    turn(&f);
    EXPECT_SEEN(&f, "synced ");
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    cr_expect(strstr(fake_kube_last_path(f.kube), "timeoutSeconds=3&") == NULL &&
                  strstr(fake_kube_last_path(f.kube), "resourceVersion=30") != NULL,
              "the next watch was '%s'", fake_kube_last_path(f.kube));
    EXPECT_INT(fake_kube_sent(f.kube), 4);
    EXPECT_INT(metric(&f, "leasehold_watch_restarts_total{" LABELS ",cause=\"term\"}"), 1);
}

Test(informer_term, without_a_bookmark_many_objects_are_compared_too)
{
    host_cleanup(buf_fini) buf_t words = BUF_INIT;
    MANY_OBJECTS(f);
    begin_term(&f);
    answer_list(&f, "o0/o0/1", 30, "token");
    pass(&f, 200 * CLOCK_MS);
    pass(&f, 4 * CLOCK_S);
    EXPECT_STR(fake_kube_request(call(&f, "limit="))->path, "/api/v1/configmaps?limit=500");
    for (int i = 0; i < MANY; i++) {
        buf_printf(&words, "o%d/o%d/1 ", i, i);
    }
    answer_list(&f, buf_text(&words), 30, "");
    EXPECT_SEEN(&f, "synced ");
    EXPECT_INT(metric(&f, COMPARED), 1);
}

/* -- Trouble -- */

Test(informer_term, a_list_that_is_refused_is_told_and_tried_again)
{
    WARM(f, "x");
    begin_term(&f);
    fake_kube_end(call(&f, "limit="), 403, "{\"kind\":\"Status\",\"message\":\"no\"}");
    turn(&f);
    cr_expect(buf_text(&f.problem)[0] != '\0' && strcmp(buf_text(&f.problem), "none") != 0,
              "the problem is '%s'", buf_text(&f.problem));
    cr_expect(!asks(&f), "not at once");
    pass(&f, 2 * CLOCK_S);
    answer_list(&f, "x/x/1", 20, "");
    EXPECT_STR(buf_text(&f.problem), "none");
    EXPECT_SEEN(&f, "synced ");
}

Test(informer_term, a_list_that_never_answers_is_asked_on_a_new_connection)
{
    WARM(f, "x");
    begin_term(&f);
    cr_expect(!fake_kube_request(call(&f, "limit="))->fresh_connection);
    pass(&f, 10 * CLOCK_S);
    pass(&f, 2 * CLOCK_S);
    cr_expect(fake_kube_request(call(&f, "limit="))->fresh_connection);
}

/* A server restored from a backup: the store has what never was. */
Test(informer_term, a_server_that_went_back_is_listed_as_the_truth)
{
    WARM(f, "xy");
    begin_term(&f);
    answer_list(&f, "x/x/1 y/y/1", 9, "");
    EXPECT_SEEN(&f, "");
    EXPECT_INT(metric(&f, RELISTS("rewound")), 1);
    pass(&f, 30 * CLOCK_S);
    event(&f, "ADDED", "x", "x", 1);
    bookmark(&f, 9, true);
    turn(&f);
    EXPECT_SEEN(&f, "-y@1 synced ");
}

Test(informer_term, a_list_that_begins_in_the_term_confirms_by_itself)
{
    WARM(f, "xy");
    begin_term(&f);
    pass(&f, 30 * CLOCK_S);
    error_event(&f, 410, "too old");
    turn(&f);
    cr_expect(!asks(&f), "the question is settled by the list");
    event(&f, "ADDED", "x", "x", 1);
    EXPECT_SEEN(&f, "");
    bookmark(&f, 20, true);
    turn(&f);
    EXPECT_SEEN(&f, "-y@1 synced ");
    expect_synced(&f, true);
}

/* What a list that was begun before the acquisition brings may be older than it. */
Test(informer_term, a_list_that_was_begun_before_the_term_does_not_count)
{
    FIXTURE(f);
    turn(&f);
    event(&f, "ADDED", "x", "x", 1);
    begin_term(&f);
    cr_expect(!asks(&f), "the list goes on");
    bookmark(&f, 10, true);
    turn(&f);
    EXPECT_SEEN(&f, "+x@1* ");
    expect_synced(&f, false);
    answer_list(&f, "x/x/1", 20, "");
    EXPECT_SEEN(&f, "synced ");
}

/* Its end brings a version before what vanished is reported. */
Test(informer_term, a_list_under_way_is_not_taken_for_confirmed_by_its_version)
{
    WARM(f, "xy");
    pass(&f, 30 * CLOCK_S);
    error_event(&f, 410, "too old");
    turn(&f);
    begin_term(&f);
    cr_expect(!asks(&f), "the list goes on");
    event(&f, "ADDED", "x", "x", 1);
    bookmark(&f, 40, true);
    expect_synced(&f, false);
    turn(&f);
    EXPECT_SEEN(&f, "-y@1 ");
    answer_list(&f, "x/x/1", 50, "");
    EXPECT_SEEN(&f, "synced ");
}

Test(informer_term, every_term_asks_for_itself)
{
    WARM(f, "x");
    begin_term(&f);
    begin_term(&f);
    EXPECT_INT(fake_kube_open(f.kube), 2); /* the first question is withdrawn */
    answer_list(&f, "x/x/1", 20, "");
    EXPECT_SEEN(&f, "synced ");
    begin_term(&f);
    expect_synced(&f, false);
    answer_list(&f, "x/x/1", 30, "");
    EXPECT_SEEN(&f, "synced ");
}

Test(informer_term, a_kind_that_goes_meanwhile_ends_the_question)
{
    WARM(f, "x");
    fake_kube_set_kind(f.kube, NULL);
    begin_term(&f);
    fake_kube_end(call(&f, "limit="), 404, "");
    bookmark(&f, 11, false);
    fake_kube_end(call(&f, "watch=1"), 200, "");
    turn(&f);
    fake_kube_end(call(&f, "watch=1"), 404, "");
    turn(&f);
    pass(&f, 4 * CLOCK_S);
    EXPECT_SEEN(&f, "-x@1 ");
    pass(&f, 60 * CLOCK_S);
    EXPECT_INT(fake_kube_open(f.kube), 0);
}

Test(informer_term, the_first_list_of_a_term_without_streams_is_not_asked_about)
{
    FIXTURE(f);
    list_stream(&f, "x", 10);
    EXPECT_SEEN(&f, "+x@1* synced ");
    EXPECT_INT(fake_kube_sent(f.kube), 1);
}

/* -- Writes of an earlier term -- */

Test(informer_term, writes_of_an_earlier_term_are_forgotten)
{
    WARM(f, "x");
    watch_store_t *store = watch_informer_store(f.informer);
    watch_snapshot_t *changed = object("x", "x", 15), *made = object("n", "n", 16);

    watch_store_note_write(store, changed);
    watch_store_note_write(store, made);
    EXPECT_INT(watch_store_count(store), 2);
    begin_term(&f);
    EXPECT_INT(watch_store_count(store), 1);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *seen = watch_store_get(store, "ns", "x");
    EXPECT_STR(watch_snapshot_version(seen), "1");
    watch_snapshot_unref(changed);
    watch_snapshot_unref(made);
}
