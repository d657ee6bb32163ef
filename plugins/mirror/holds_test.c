/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that have to wait. */
#include "mirror_test.h"

#define ONLY_A AUTO AUTO_IN("a")
#define HELD(reason) "mirror_held_total{resource=\"configmaps\",reason=\"" reason "\"}"

/* A look that leads to so many writes, and to another one after so long (0: to none). */
static void expect_look(lh_fake_t *fake, const char *ns, const char *name, size_t writes,
                        int64_t again)
{
    const size_t before = lh_fake_writes(fake);
    const lh_fake_result_t result = lh_fake_reconcile(fake, WATCH_CONFIG_MAPS, ns, name);
    const uint32_t action = again > 0 ? LH_REQUEUE_AFTER : LH_DONE;

    cr_expect(lh_fake_writes(fake) - before == writes, "%s/%s: %zu writes, expected %zu", ns, name,
              lh_fake_writes(fake) - before, writes);
    cr_expect(result.action == action && (again == 0 || result.after_ns == again),
              "%s/%s: action %u after %lld ms, expected %u after %lld ms: %s", ns, name,
              result.action, (long long) (result.after_ns / LH_MILLISECOND), action,
              (long long) (again / LH_MILLISECOND), result.text);
}

static void undo(lh_fake_t *fake)
{
    lh_fake_patch(fake, IN_A, "{'data': {'k': 'mine'}}");
}

#define EXPECT_EVENTS(first, second)                                                               \
    do {                                                                                           \
        const char *event_ = lh_fake_event(fake, 0), *more_ = lh_fake_event(fake, 1);              \
        cr_expect(event_ != NULL && strncmp(event_, first, strlen(first)) == 0,                    \
                  "the first Event is '%s', expected '%s'", event_ != NULL ? event_ : "(none)",    \
                  first);                                                                          \
        cr_expect((more_ != NULL) == (second), "the second Event is '%s'",                         \
                  more_ != NULL ? more_ : "(none)");                                               \
    } while (0)
#define EXPECT_METRIC(series, expected)                                                            \
    cr_expect(lh_fake_metric(fake, series) == (expected), "%s is %g, expected %d", series,         \
              lh_fake_metric(fake, series), expected)

Test(mirror, a_mirror_that_is_changed_back_was_written_at_full_speed)
{
    static const int64_t waits[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    lh_fake_t *fake = lead();

    put_source(fake, ONLY_A, "'k': 'v'");
    undo(fake);
    expect_look(fake, "a", "conf", 1, 0);
    cr_expect_null(lh_fake_logged(fake, "undoes"), "one change is no fight");
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        undo(fake);
        expect_look(fake, "a", "conf", 0, waits[i] * LH_SECOND);
        expect_look(fake, "src", "conf", 0, waits[i] * LH_SECOND);
        lh_fake_advance(fake, waits[i] * LH_SECOND);
        expect_look(fake, "a", "conf", 1, 0);
    }
    EXPECT_VALUE(IN_A, "/data/k", "v");
    EXPECT_EVENTS("Warning MirrorUndone a/conf: mirror configmaps a/conf: somebody undoes", 0);
    cr_expect_not_null(lh_fake_logged(fake, "a/conf: somebody undoes each write"));
    EXPECT_METRIC(HELD("undone"), 1);
    end(fake);
}

Test(mirror, a_source_comes_back_for_the_first_of_its_mirrors_that_wait)
{
    lh_fake_t *fake = lead();

    lh_fake_answer(fake, "POST", "/api/v1/namespaces/a/", 403, NULL, 1);
    put(fake, "src", "conf", AUTO, "'k': 'v'");
    expect_look(fake, "src", "conf", 2, REFUSAL_DELAY);
    for (int i = 0; i < 2; i++) {
        lh_fake_patch(fake, IN_B, "{'data': {'k': 'mine'}}");
        expect_look(fake, "src", "conf", i == 0, i == 0 ? REFUSAL_DELAY : LH_SECOND);
    }
    end(fake);
}

Test(mirror, a_new_state_of_the_source_waits_for_no_fight)
{
    lh_fake_t *fake = lead();

    put_source(fake, ONLY_A, "'k': 'v'");
    undo(fake);
    settle(fake, "a", "conf");
    undo(fake);
    expect_look(fake, "a", "conf", 0, LH_SECOND);
    put(fake, "src", "conf", ONLY_A, "'k': 'w'");
    expect_look(fake, "src", "conf", 1, 0);
    EXPECT_VALUE(IN_A, "/data/k", "w");
    end(fake);
}

Test(mirror, after_a_fight_that_is_over_a_change_is_put_back_at_once)
{
    lh_fake_t *fake = lead();

    put_source(fake, ONLY_A, "'k': 'v'");
    undo(fake);
    settle(fake, "a", "conf");
    undo(fake);
    expect_look(fake, "a", "conf", 0, LH_SECOND);
    lh_fake_advance(fake, LH_SECOND);
    expect_look(fake, "a", "conf", 1, 0);
    lh_fake_advance(fake, 2 * LH_SECOND + LH_MINUTE + 1);
    undo(fake);
    expect_look(fake, "a", "conf", 1, 0);
    undo(fake);
    expect_look(fake, "a", "conf", 0, LH_SECOND);
    end(fake);
}

Test(mirror, a_mirror_that_is_deleted_each_time_was_made_at_full_speed)
{
    lh_fake_t *fake = lead();

    put_source(fake, ONLY_A, "'k': 'v'");
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "a", "conf");
    expect_look(fake, "src", "conf", 1, 0);
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "a", "conf");
    expect_look(fake, "src", "conf", 0, LH_SECOND);
    EXPECT_EVENTS("Warning MirrorUndone src/conf: mirror configmaps a/conf: somebody undoes", 0);
    lh_fake_advance(fake, LH_SECOND);
    expect_look(fake, "src", "conf", 1, 0);
    end(fake);
}

/* Notes a write to each of the copies a/N. */
static void note_many(lh_fake_t *fake, unsigned first, unsigned count)
{
    const work_t w = {lh_fake_plugin(fake), {0}, WATCH_CONFIG_MAPS, NULL};
    char name[32];

    for (unsigned i = first; i < first + count; i++) {
        const attempt_t attempt = {.ns = "a", .name = name, .contents = 7};
        (void) snprintf(name, sizeof(name), "%u", i);
        holds_note(&w.self->holds, &w, &attempt, ATTEMPT_WRITTEN);
    }
}

Test(mirror, many_mirrors_do_not_end_a_fight_and_are_not_remembered_for_ever)
{
    lh_fake_t *fake = lead();
    const holds_t *holds = &lh_fake_plugin(fake)->holds;

    put_source(fake, ONLY_A, "'k': 'v'");
    undo(fake);
    settle(fake, "a", "conf");
    note_many(fake, 0, 5000);
    undo(fake);
    expect_look(fake, "a", "conf", 0, LH_SECOND);
    cr_expect(holds->many == 8192, "%u, expected 8192", holds->many);
    lh_fake_advance(fake, LH_HOUR);
    note_many(fake, 5000, 3192);
    cr_expect(holds->many < 8192, "%u: those of an hour ago are still there", holds->many);
    end(fake);
}

/* The API server's answer to a change of an immutable ConfigMap or Secret. */
Test(mirror, an_immutable_mirror_was_tried_for_ever)
{
    lh_fake_t *fake = lead();

    put_source(fake, ONLY_A, "'k': 'v'");
    lh_fake_patch(fake, IN_A, "{'immutable': true}");
    lh_fake_answer(fake, "PUT", IN_A, 422, NULL, 0);
    put(fake, "src", "conf", ONLY_A, "'k': 'w'");
    expect_look(fake, "src", "conf", 1, REFUSAL_DELAY);
    lh_fake_advance(fake, REFUSAL_DELAY / 2);
    expect_look(fake, "src", "conf", 0, REFUSAL_DELAY / 2);
    expect_look(fake, "a", "conf", 0, REFUSAL_DELAY / 2);
    EXPECT_EVENTS("Warning MirrorRefused a/conf: mirror configmaps a/conf: it is tried again when "
                  "it or its source changes",
                  0);
    cr_expect_not_null(lh_fake_logged(fake, "every 10 minutes: PUT " IN_A ": scripted"));
    EXPECT_METRIC(HELD("refused"), 1);
    lh_fake_patch(fake, IN_A, "{'metadata': {'labels': {'x': 'y'}}}");
    expect_look(fake, "a", "conf", 1, REFUSAL_DELAY);
    expect_look(fake, "a", "conf", 0, REFUSAL_DELAY);
    lh_fake_advance(fake, REFUSAL_DELAY); /* a policy may have changed */
    expect_look(fake, "src", "conf", 1, REFUSAL_DELAY);
    EXPECT_METRIC(HELD("refused"), 1);
    put(fake, "src", "conf", ONLY_A, "'k': 'x'");
    expect_look(fake, "src", "conf", 1, REFUSAL_DELAY);
    expect_look(fake, "src", "conf", 0, REFUSAL_DELAY);
    EXPECT_METRIC(HELD("refused"), 2);
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "a", "conf");
    expect_look(fake, "src", "conf", 1, 0);
    EXPECT_VALUE(IN_A, "/data/k", "x");
    end(fake);
}

#define OTHER "/api/v1/namespaces/b/configmaps/other"

Test(mirror, namespaces_that_are_not_its_own_were_tried_for_ever)
{
    lh_fake_t *fake = lead();

    lh_fake_answer(fake, "POST", "/api/v1/namespaces/b/", 403, NULL, 2);
    put(fake, "src", "conf", AUTO, "'k': 'v'");
    put(fake, "src", "other", AUTO, "'k': 'v'");
    expect_look(fake, "src", "conf", 2, REFUSAL_DELAY);
    EXPECT_THERE(IN_A, 1);
    expect_look(fake, "src", "other", 1, REFUSAL_DELAY);
    EXPECT_METRIC(HELD("forbidden"), 1);
    cr_expect_not_null(lh_fake_logged(fake, "mirror configmaps b/*: tried again every 10 minutes"));
    lh_fake_advance(fake, REFUSAL_DELAY);
    expect_look(fake, "src", "conf", 1, REFUSAL_DELAY);
    EXPECT_METRIC(HELD("forbidden"), 1);
    lh_fake_advance(fake, REFUSAL_DELAY);
    expect_look(fake, "src", "conf", 1, 0);
    expect_look(fake, "src", "other", 1, 0);
    EXPECT_THERE(IN_B, 1);
    EXPECT_THERE(OTHER, 1);
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "b", "conf");
    lh_fake_remove(fake, WATCH_CONFIG_MAPS, "b", "other");
    lh_fake_answer(fake, "POST", "/api/v1/namespaces/b/", 403, NULL, 1);
    expect_look(fake, "src", "conf", 1, REFUSAL_DELAY);
    EXPECT_METRIC(HELD("forbidden"), 2);
    cr_expect_null(lh_fake_event(fake, 0));
    end(fake);
}

/* A quota, or a policy for objects like this one. */
Test(mirror, one_mirror_that_is_forbidden_does_not_hold_up_the_others_of_its_namespace)
{
    lh_fake_t *fake = lead();

    put(fake, "b", "kube-root-ca.crt", "", "");
    lh_fake_answer(fake, "POST", "/api/v1/namespaces/b/", 403, NULL, 1);
    put(fake, "src", "conf", AUTO, "'k': 'v'");
    put(fake, "src", "other", AUTO, "'k': 'v'");
    expect_look(fake, "src", "conf", 2, REFUSAL_DELAY);
    expect_look(fake, "src", "other", 2, 0);
    EXPECT_THERE(OTHER, 1);
    EXPECT_EVENTS("Warning MirrorForbidden src/conf: mirror configmaps b/conf: tried again", 0);
    end(fake);
}

/* Namespace b answers so once, and then changes; a change of another one is none. */
static void expect_forgiven(int status, const char *labels)
{
    lh_fake_t *fake = lead();

    lh_fake_answer(fake, "POST", "/api/v1/namespaces/b/", status, NULL, 1);
    put(fake, "src", "conf", AUTO, "'k': 'v'");
    expect_look(fake, "src", "conf", 2, REFUSAL_DELAY);
    change_namespace(fake, "a", "");
    expect_look(fake, "src", "conf", 0, REFUSAL_DELAY);
    change_namespace(fake, "b", labels);
    expect_look(fake, "src", "conf", 1, 0);
    EXPECT_THERE(IN_B, 1);
    end(fake);
}

/* A namespace that is going forbids creations, and is soon made again. */
Test(mirror, a_namespace_that_is_new_does_not_wait_for_the_old_one_of_its_name)
{
    expect_forgiven(403, "");
}

/* A ValidatingAdmissionPolicy answers 422 unless it says otherwise, and may look at the namespace. */
Test(mirror, what_a_namespace_refused_was_not_made_in_the_next_one_of_its_name)
{
    expect_forgiven(422, "'tier': 'free'");
}

Test(mirror, a_source_that_may_not_be_read_was_asked_for_for_ever)
{
    lh_fake_t *fake = lead();

    put(fake, "a", "copy", REFLECTS, "'mine': 'x'");
    lh_fake_answer(fake, "GET", SOURCE, 403, NULL, 0);
    expect_look(fake, "a", "copy", 0, REFUSAL_DELAY);
    expect_look(fake, "a", "copy", 0, REFUSAL_DELAY);
    cr_expect(lh_fake_calls(fake, "GET", SOURCE) == 1, "%zu", lh_fake_calls(fake, "GET", SOURCE));
    lh_fake_advance(fake, REFUSAL_DELAY);
    expect_look(fake, "a", "copy", 0, REFUSAL_DELAY);
    cr_expect(lh_fake_calls(fake, "GET", SOURCE) == 2, "%zu", lh_fake_calls(fake, "GET", SOURCE));
    EXPECT_EVENTS("Warning MirrorForbidden a/copy: mirror configmaps a/copy: tried again", 0);
    EXPECT_METRIC(HELD("forbidden"), 1);
    end(fake);
}
