/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to the Lease and to watches: S2, S4, S15, S17. */
#include "chaos/scenario.h"

#include <unistd.h>

/* -- S2 -- */

static void edited(void *arg, const char *name, const char *patch)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = name});

    edit(&c, patch);
    wait_ms(&c, LD / 2);
    EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    const verdict_t v = scenario_close(&c);
    tap_note("the last write was sent %.1f ms after the edit", v.after_edit_ms);
    EXPECT_TRUE(v.after_edit_ms < 100);
    EXPECT_INT(v.transitions, 1);
}

static void edited_to_another_holder(void *arg)
{
    edited(arg, "s2-holder",
           "{\"spec\":{\"holderIdentity\":\"somebody\",\"leaseDurationSeconds\":1}}");
}

static void emptied(void *arg)
{
    edited(arg, "s2-emptied", "{\"spec\":{\"holderIdentity\":\"\"}}");
}

static void edited_to_a_standbys_name(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s2-name"});
    char patch[128];

    snprintf(patch, sizeof(patch), "{\"spec\":{\"holderIdentity\":\"%s\"}}",
             c.side[1 - contest_leader(&c)].name);
    edit(&c, patch);
    wait_ms(&c, LD / 2);
    EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    const verdict_t v = scenario_close(&c);
    EXPECT_TRUE(v.after_edit_ms < 100);
}

static void cut_to_a_second(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s2-short", .durations = SLOW});
    const uint64_t then = newest(&c);

    edit(&c, "{\"spec\":{\"leaseDurationSeconds\":1}}");
    wait_ms(&c, SLOW_LD);
    keeps_its_term(&c, then);
    scenario_close(&c);
}

static void annotated(void *arg)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s2-note", .durations = SLOW});
    const uint64_t then = newest(&c);
    char patch[128];

    for (int i = 0; i < SLOW_LD * 3 / 2 / 200; i++) {
        snprintf(patch, sizeof(patch), "{\"metadata\":{\"annotations\":{\"note\":\"%d\"}}}", i);
        edit(&c, patch);
        wait_ms(&c, 200);
    }
    keeps_its_term(&c, then);
    scenario_close(&c);
}

/* -- S4 -- */

static void deleted(void *arg, const char *name, int sides, bool restart_others)
{
    contest_t c = scenario_open(arg, &(contest_options_t){.name = name, .sides = sides});
    const int old = contest_leader(&c);

    API_REPLY r = api_delete(c.w->e.api, "%s", c.lease_path);
    EXPECT_INT(r.status, 200);
    const int64_t then = contest_now();
    for (int i = 0; i < sides && restart_others; i++) {
        if (i == old)
            continue;
        side_kill(&c.side[i]);
        side_restart(&c.side[i]);
    }
    wait_ms(&c, RP);
    EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    const int took = (int) ((contest_now() - then) / MS);
    const verdict_t v = scenario_close(&c);
    tap_note("written again after %d ms; the last write before was sent %.1f ms after the deletion",
             took, v.after_edit_ms);
    EXPECT_TRUE(v.after_edit_ms < 100);
    EXPECT_TRUE(took > LD - 2 * RP); /* since the last renewal, not since the deletion */
}

static void deleted_with_a_standby(void *arg)
{
    deleted(arg, "s4-standby", 2, false);
}

static void deleted_without_a_standby(void *arg)
{
    deleted(arg, "s4-alone", 1, false);
}

static void deleted_while_all_others_restart(void *arg)
{
    deleted(arg, "s4-restart", 3, true);
}

/* -- S15: the other parts of it are unit tests -- */

static void make_ballast(contest_t *c, int count, int size)
{
    char *text = malloc((size_t) size + 1);

    REQUIRE_TRUE(text != NULL);
    memset(text, 'x', (size_t) size);
    text[size] = '\0';
    for (int i = 0; i < count; i++) {
        API_REPLY r = api_post(c->w->e.api, c->w->e.configmaps,
                               "{\"metadata\":{\"name\":\"ballast-%d\",\"labels\":"
                               "{\"chaos\":\"ballast\"}},\"data\":{\"k\":\"%s\"}}",
                               i, text);
        REQUIRE_INT(r.status, 201);
    }
    free(text);
}

/* 30 MB of objects come to a leader's cache at once: first as a new leader's, then, on the embedded API
 * server, because its watch is too old to go on. */
static void a_big_list_comes_to_a_leader(void *arg)
{
    enum { OBJECTS = 300, SIZE = 100000 };
    contest_t c = scenario_open(arg, &(contest_options_t){.name = "s15", .durations = SLOW});
    world_t *w = arg;
    const int old = contest_leader(&c);

    make_ballast(&c, OBJECTS, SIZE);
    side_kill(&c.side[old]);
    REQUIRE_TRUE(contest_writes(&c, old, LIMIT));
    side_t *s = leader(&c);
    const uint64_t then = newest(&c);
    REQUIRE_TRUE(replica_logged(s->replica, "watch: 300 objects listed", LIMIT));
    if (w->server != NULL) {
        server_relists(w->e.api, "configmaps");
        REQUIRE_TRUE(replica_logged(s->replica, "watch: lists again", LIMIT));
    }
    wait_ms(&c, SLOW_LD);
    keeps_its_term(&c, then);
    API_REPLY gone = api_delete(w->e.api, "%s?labelSelector=chaos%%3Dballast", w->e.configmaps);
    EXPECT_INT(gone.status, 200);
    scenario_close(&c);
}

/* -- S17: on the embedded API server -- */

static void the_watch_of_a_leader_is_frozen(void *arg)
{
    world_t *w = arg;
    contest_t c = scenario_open(w, &(contest_options_t){.name = "s17-leader", .durations = SLOW});
    const uint64_t then = newest(&c);

    server_watches(w->e.api, "freeze-watches", "leases");
    wait_ms(&c, SLOW_LD);
    keeps_its_term(&c, then);
    for (int i = 0; i < c.sides; i++)
        side_disturbed(&c.side[i]); /* its next renewal tells, not its watch */
    server_watches(w->e.api, "freeze-watches", "leases"); /* a silent one was opened anew */
    edit(&c, "{\"spec\":{\"holderIdentity\":\"somebody\",\"leaseDurationSeconds\":1}}");
    wait_ms(&c, SLOW_LD / 2);
    EXPECT_TRUE(contest_writes(&c, -1, LIMIT));
    server_watches(w->e.api, "thaw-watches", "leases"); /* an old record is delivered */
    wait_ms(&c, RP);
    const verdict_t v = scenario_close(&c);
    tap_note("the last write was sent %.1f ms after the edit", v.after_edit_ms);
    EXPECT_TRUE(v.after_edit_ms < SLOW_RP + 100);
}

static void the_watch_of_a_standby_is_frozen(void *arg)
{
    world_t *w = arg;
    contest_t c = scenario_open(w, &(contest_options_t){.name = "s17-standby"});
    const int old = contest_leader(&c);

    server_watches(w->e.api, "freeze-watches", "leases");
    side_kill(&c.side[old]);
    const int64_t from = contest_now();
    EXPECT_TRUE(contest_writes(&c, old, LIMIT));
    const int took = (int) ((contest_now() - from) / MS);
    tap_note("written again %d ms after the kill", took);
    EXPECT_TRUE(took < LD + 2 * RP + 2000);
    server_watches(w->e.api, "thaw-watches", "leases");
    wait_ms(&c, RP);
    scenario_close(&c);
}

/* -- The judge itself -- */

/* A server that was restarted answers 410 to a watch from before. */
static void a_restarted_server_hides_nothing_from_the_judge(void *arg)
{
    world_t *w = arg;
    char path[256];
    size_t count = 0;

    snprintf(path, sizeof(path), "%s/judged", w->e.leases);
    API_REPLY made = api_post(w->e.api, w->e.leases, "{\"metadata\":{\"name\":\"judged\"}}");
    REQUIRE_INT(made.status, 201);
    history_t *h = history_open(w->e.api, w->e.leases, "judged", w->e.configmaps);
    for (int i = 0; count < 1 && i < LIMIT / 10; i++) {
        usleep(10000);
        history_read(h);
        history_leases(h, &count);
    }
    EXPECT_INT(count, 1);
    world_restart_server(w, false);
    for (int i = 1; i <= 3; i++) {
        API_REPLY r = api_patch(w->e.api, path, "merge", "{\"spec\":{\"leaseTransitions\":%d}}", i);
        REQUIRE_INT(r.status, 200);
    }
    for (int i = 0; count < 4 && i < LIMIT / 10; i++) {
        usleep(10000);
        history_read(h);
        history_leases(h, &count);
    }
    const lease_seen_t *seen = history_leases(h, &count);
    REQUIRE_INT(count, 4);
    for (int i = 1; i <= 3; i++)
        EXPECT_INT(seen[i].term, i);
    history_close(h);
}

int main(int argc, char **argv)
{
    static const scenario_t all[] = {
        {{"S2: the Lease is edited to another holder", edited_to_another_holder}, ON_BOTH},
        {{"S2: the Lease is edited to a standby's name", edited_to_a_standbys_name}, ON_BOTH},
        {{"S2: the Lease is emptied", emptied}, ON_BOTH},
        {{"S2: its duration is cut to a second", cut_to_a_second}, ON_BOTH},
        {{"S2: it is annotated for longer than its duration", annotated}, ON_BOTH},
        {{"S4: the Lease is deleted, with a standby", deleted_with_a_standby}, ON_BOTH},
        {{"S4: the Lease is deleted, without a standby", deleted_without_a_standby}, ON_BOTH},
        {{"S4: the Lease is deleted while all others restart", deleted_while_all_others_restart},
         ON_BOTH},
        {{"S15: a big list comes to a leader", a_big_list_comes_to_a_leader}, ON_BOTH},
        {{"S17: the leader's watch is frozen", the_watch_of_a_leader_is_frozen}, ON_DEVAPI},
        {{"S17: the standby's watch is frozen", the_watch_of_a_standby_is_frozen}, ON_DEVAPI},
        {{"the judge: a restarted API server hides nothing from it",
          a_restarted_server_hides_nothing_from_the_judge},
         ON_CLUSTER},
    };

    return scenario_main(argc, argv, all, sizeof(all) / sizeof(*all));
}
