/* SPDX-License-Identifier: Apache-2.0 */
/* A warm standby: the caches follow while reconciles stay closed. */
#include "runtime_rig.h"

#define CM "configmaps?"
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void answer_lookups(rig_t *r)
{
    for (int i = 0; i < 5; i++) {
        loop_turn(r->loop);
        fake_kube_answer_lookups(r->kube);
    }
}

/* The first list of a warm standby: two ConfigMaps. */
static rig_t *warm(void)
{
    rig_t *r = rig_create_with(&(rig_options_t){.warm = true});

    (void) rig_stream(r, CM);
    rig_event(r, "ADDED", "a", 1);
    rig_event(r, "ADDED", "b", 2);
    rig_synced(r, CM);
    return r;
}

static bool asks(rig_t *r, const void *arg)
{
    (void) arg;
    return fake_kube_find(r->kube, "limit=") != NULL;
}

/* Answers the list that a term asks for; versions of a and b, 0: it is not there. */
static void confirm(rig_t *r, int a, int b, int version)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    const int versions[] = {a, b};

    rig_until(r, asks, NULL, "a list is asked for");
    kube_call_t *call = fake_kube_find(r->kube, "limit=");

    buf_printf(&out, "{\"metadata\":{\"resourceVersion\":\"%d\"},\"items\":[", version);
    for (int i = 0; i < 2; i++) {
        if (versions[i] != 0)
            buf_printf(&out,
                       "%s{\"metadata\":{\"name\":\"%c\",\"namespace\":\"ns\",\"uid\":\"uid-%c\","
                       "\"resourceVersion\":\"%d\"}}",
                       out.data[out.len - 1] == '[' ? "" : ",", 'a' + i, 'a' + i, versions[i]);
    }
    buf_puts(&out, "]}");
    cr_assert(fake_kube_data(call, buf_text(&out)));
    fake_kube_end(call, 200, "");
}

static void end(rig_t *r, bool forced)
{
    rig_end(r, forced, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
}

static double runs(rig_t *r, const char *name)
{
    return rig_count(r, "runs", name, "reason 4");
}

static double objects(rig_t *r)
{
    return rig_series(r,
                      "leasehold_watch_objects{group=\"\",version=\"v1\",resource=\"configmaps\","
                      "namespace=\"\",selector=\"\",projection=\"full\"}");
}

Test(keeper, a_cold_standby_has_no_stream)
{
    rig_t *r = rig_create_with(&(rig_options_t){0});

    answer_lookups(r);
    EXPECT_INT(fake_kube_sent(r->kube), 0);
    EXPECT_INT(fake_kube_lookups(r->kube), 0);
    rig_lead(r, 1, NAMES("a"));
    end(r, true);
    EXPECT_INT(fake_kube_open(r->kube), 0);
    rig_destroy(r);
}

Test(keeper, a_warm_standby_follows_and_reconciles_nothing)
{
    rig_t *r = warm();

    rig_event(r, "MODIFIED", "a", 101);
    rig_event(r, "ADDED", "c", 102);
    rig_idle(r);
    EXPECT_INT(objects(r), 3);
    EXPECT_STR(plugin_instance_state(r->instance), "standby");
    EXPECT_INT(runs(r, "a") + runs(r, "b") + runs(r, "c"), 0);
    rig_destroy(r);
}

Test(keeper, reconciles_begin_with_the_lists_confirmation_and_without_another_list)
{
    rig_t *r = warm();

    rig_begin(r, 1);
    rig_until(r, asks, NULL, "a list is asked for");
    rig_idle(r);
    EXPECT_STR(plugin_instance_state(r->instance), "active");
    EXPECT_INT(runs(r, "a"), 0);
    confirm(r, 1, 2, 120);
    rig_until_count(r, "runs", "a", "reason 4", 1);
    rig_until_count(r, "runs", "b", "reason 4", 1);
    EXPECT_INT(fake_kube_sent(r->kube), 2);
    end(r, true);
    rig_destroy(r);
}

/* The deletion was seen on the standby only as a cache that lost an object: what the old leader did about
 * it nobody knows, but the object is not there, and so is no run for it. */
Test(keeper, what_changed_before_the_term_is_seen_in_its_last_state)
{
    rig_t *r = warm();

    rig_event(r, "DELETED", "a", 101);
    rig_event(r, "MODIFIED", "b", 102);
    rig_begin(r, 1);
    confirm(r, 0, 102, 120);
    rig_until_count(r, "runs", "b", "reason 4", 1);
    rig_idle(r);
    EXPECT_INT(runs(r, "a"), 0);
    end(r, true);
    rig_destroy(r);
}

Test(keeper, what_comes_between_acquisition_and_confirmation_is_not_lost)
{
    rig_t *r = warm();

    rig_begin(r, 1);
    rig_until(r, asks, NULL, "a list is asked for");
    rig_idle(r);
    rig_event(r, "ADDED", "c", 115);
    rig_event(r, "DELETED", "a", 116);
    confirm(r, 0, 2, 116);
    rig_until_count(r, "runs", "b", "reason 4", 1);
    rig_until_count(r, "runs", "c", "reason 0", 1);
    rig_until_count(r, "runs", "a", "reason 1", 1);
    end(r, true);
    rig_destroy(r);
}

Test(keeper, a_term_that_ends_leaves_the_streams_and_the_next_asks_anew)
{
    rig_t *r = warm();

    for (int term = 1; term <= 3; term++) {
        rig_begin(r, (uint64_t) term);
        rig_idle(r);
        EXPECT_INT(runs(r, "a"), term - 1);
        confirm(r, 1, 2, 120);
        rig_until_count(r, "runs", "a", "reason 4", term);
        end(r, term % 2 == 0);
        rig_idle(r);
        EXPECT_INT(fake_kube_open(r->kube), 1);
        EXPECT_INT(objects(r), 2);
    }
    EXPECT_INT(fake_kube_sent(r->kube), 4); /* one stream, three lists */
    rig_destroy(r);
}

Test(keeper, a_term_that_ends_before_the_confirmation_has_run_nothing)
{
    rig_t *r = warm();

    rig_begin(r, 1);
    rig_until(r, asks, NULL, "a list is asked for");
    end(r, true);
    confirm(r, 1, 2, 120);
    rig_idle(r);
    EXPECT_INT(runs(r, "a"), 0);
    rig_destroy(r);
}

Test(keeper, has_one_stream_of_a_cluster_scoped_kind_whatever_the_namespaces_are)
{
    static char kind[] = "Site";
    const kube_kind_t site = {.kind = kind, .namespaced = false, .watchable = true};
    rig_t *r = rig_create_with(&(rig_options_t){.warm = true,
                                                .watches = "[{\"version\":\"v1\",\"resource\":"
                                                           "\"sites\",\"kind\":\"Site\"}]",
                                                .namespaces = NAMES("a", "b")});

    fake_kube_set_kind(r->kube, &site);
    (void) rig_stream(r, "/sites?");
    EXPECT_INT(fake_kube_open(r->kube), 2);
    rig_synced(r, "/sites?");
    rig_idle(r);
    EXPECT_INT(fake_kube_open(r->kube), 1);
    rig_destroy(r);
}

Test(keeper, has_a_stream_for_each_namespace)
{
    rig_t *r = rig_create_with(&(rig_options_t){.warm = true, .namespaces = NAMES("a", "b")});

    rig_synced(r, "namespaces/a/" CM);
    rig_synced(r, "namespaces/b/" CM);
    rig_idle(r);
    EXPECT_INT(fake_kube_open(r->kube), 2);
    rig_destroy(r);
}

Test(keeper, a_plugin_that_refuses_keeps_no_stream)
{
    rig_t *r = rig_create_with(&(rig_options_t){.warm = true, .config = "{\"create\":\"refuse\"}"});

    answer_lookups(r);
    EXPECT_STR(plugin_instance_state(r->instance), "failed");
    EXPECT_INT(fake_kube_sent(r->kube), 0);
    rig_destroy(r);
}
