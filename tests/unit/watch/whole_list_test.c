/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of API servers that answer one without limit at little cost: since 1.34. */
#include "fixture.h"

#define WHOLE "/api/v1/configmaps"

/* An informer on a server of this version, with its first list asked for. */
#define FIXTURE_OF(f, minor)                                                                       \
    FIXTURE(f);                                                                                    \
    fake_kube_set_minor(f.kube, minor);                                                            \
    turn(&f)

Test(whole_list, is_read_without_limit_and_version_and_then_watched_from)
{
    FIXTURE_OF(f, 34);
    EXPECT_STR(fake_kube_last_path(f.kube), WHOLE);
    list_page(&f, "ab", 10, "");
    EXPECT_SEEN(&f, "+a@1* +b@1* synced ");
    expect_watch_from(&f, "10");
    EXPECT_INT(metric(&f, "leasehold_watch_lists_total{" LABELS ",mode=\"whole\"}"), 1);
}

/* They would hold the whole answer in memory. */
Test(whole_list, is_not_asked_of_older_servers)
{
    FIXTURE_OF(f, 33);
    expect_list(&f);
}

Test(whole_list, is_read_again_after_410_with_what_vanished)
{
    FIXTURE_OF(f, 35);
    list_page(&f, "ab", 10, "");
    bookmark(&f, 11, false);
    pass(&f, 60 * CLOCK_S);
    error_event(&f, 410, "too old");
    turn(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), WHOLE);
    list_page(&f, "b", 20, "");
    EXPECT_SEEN(&f, "+a@1* +b@1* synced -a@1 ");
    expect_watch_from(&f, "20");
}

/* The next one is a streaming list, the one after that whole again. */
Test(whole_list, that_fails_is_followed_by_a_streaming_list)
{
    for (int way = 0; way < 4; way++) {
        FIXTURE_OF(f, 34);
        kube_call_t *c = call(&f, WHOLE);

        if (way == 0)
            fake_kube_end(c, 503, "");
        else if (way == 1)
            fake_kube_cut(c);
        else if (way == 2)
            fake_kube_end(c, 400, "");
        else if (fake_kube_data(c, "[]"))
            fake_kube_end(c, 200, "");
        (void) time_to_next(&f);
        cr_expect(strstr(fake_kube_last_path(f.kube), "sendInitialEvents") != NULL,
                  "way %d: '%s', expected a streaming list", way, fake_kube_last_path(f.kube));
        error_event(&f, 410, "too old");
        (void) time_to_next(&f);
        EXPECT_STR(fake_kube_last_path(f.kube), WHOLE);
    }
}

/* The two took turns for ever. */
Test(whole_list, that_is_cut_as_the_streaming_list_after_it_is_followed_by_pages)
{
    FIXTURE_OF(f, 34);
    host_cleanup(host_freep) char *a = object_text("a", "a", 1, "");
    host_cleanup(host_freep) char *half = host_xprintf("{\"kind\":\"List\",\"items\":[%s,", a);

    cr_assert(fake_kube_data(call(&f, WHOLE), half));
    fake_kube_cut(call(&f, WHOLE));
    (void) time_to_next(&f);
    expect_list(&f);
    event(&f, "ADDED", "b", "b", 1);
    fake_kube_cut(call(&f, "watch=1"));
    (void) time_to_next(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), WHOLE "?limit=500");
    list_page(&f, "b", 10, "");
    EXPECT_SEEN(&f, "+a@1* +b@1* -a@1* synced ");
}

/* It held up the start of a term for 90 s. */
Test(whole_list, that_freezes_for_ten_seconds_is_followed_by_a_streaming_list)
{
    FIXTURE_OF(f, 34);
    host_cleanup(host_freep) char *a = object_text("a", "a", 1, "");
    host_cleanup(host_freep) char *half = host_xprintf("{\"kind\":\"List\",\"items\":[%s,", a);

    pass(&f, 9 * CLOCK_S);
    cr_assert(fake_kube_data(call(&f, WHOLE), half));
    pass(&f, 9 * CLOCK_S);
    EXPECT_STR(fake_kube_last_path(f.kube), WHOLE);
    pass(&f, CLOCK_S);
    (void) time_to_next(&f);
    expect_list(&f);
}

/* A busy server has said when to come again; nothing is wrong with the list. */
Test(whole_list, that_is_throttled_is_asked_for_again)
{
    FIXTURE_OF(f, 34);
    fake_kube_end(call(&f, WHOLE), 429, "");
    (void) time_to_next(&f);
    EXPECT_STR(fake_kube_last_path(f.kube), WHOLE);
}

/* What an interrupted list brought stays; what the next one does not bring is gone. */
Test(whole_list, that_breaks_off_deletes_nothing)
{
    FIXTURE_OF(f, 34);
    kube_call_t *c = call(&f, WHOLE);
    host_cleanup(host_freep) char *a = object_text("a", "a", 1, "");
    host_cleanup(host_freep) char *half = host_xprintf("{\"kind\":\"List\",\"items\":[%s,", a);

    cr_assert(fake_kube_data(c, half));
    fake_kube_cut(c);
    EXPECT_SEEN(&f, "+a@1* ");
    (void) time_to_next(&f);
    list_stream(&f, "b", 10);
    EXPECT_SEEN(&f, "+b@1* -a@1* synced ");
}
