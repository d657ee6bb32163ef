/* SPDX-License-Identifier: Apache-2.0 */
/* Rule 3: which answer says that a write has landed. */
#include "lease/state.h"
#include "sim.h"

static sim_t *s;
static sim_host_t *a; /* leads */

static void setup(void)
{
    s = sim_create();
    sim_create_lease(s, "{}", NULL);
    a = sim_start(s, "a");
    cr_assert(sim_until_leading(a, S(1)) >= 0);
}

static void teardown(void)
{
    EXPECT_INT(s->overlap, 0);
    sim_destroy(s);
}

TestSuite(acknowledged, .init = setup, .fini = teardown);

static int64_t deadline(void)
{
    return a->elector->deadline;
}

Test(acknowledged, rule_3_a_reply_that_does_not_say_what_was_sent_acknowledges_nothing)
{
    int64_t before = deadline();

    a->net.fail_status = 200; /* an empty 200 */
    sim_run(s, S(4));
    EXPECT_INT(deadline(), before);
    EXPECT_INT(a->ends, 0);
}

/* Runs until a has sent another write, whose answer it will have to be given. */
static void until_unanswered_write(void)
{
    size_t writes = a->writes;

    a->net.cut = true;
    while (a->writes == writes)
        sim_run(s, MS(1));
}

/* The answer to the last request: the Lease as it is, with this resourceVersion, spec and seq. */
static void answer(int status, const char *uid, const char *version, const char *holder,
                   int duration, const char *seq)
{
    cJSON *lease = cJSON_Duplicate(s->lease, true);
    cJSON *metadata = cJSON_GetObjectItem(lease, "metadata");
    cJSON *spec = cJSON_GetObjectItem(lease, "spec");
    lease_reply_t reply = {.id = a->elector->last_id, .status = status, .text = ""};
    lease_time_t t = sim_time(a);

    cJSON_ReplaceItemInObject(metadata, "uid", cJSON_CreateString(uid));
    cJSON_ReplaceItemInObject(metadata, "resourceVersion", cJSON_CreateString(version));
    cJSON_ReplaceItemInObject(spec, "holderIdentity", cJSON_CreateString(holder));
    cJSON_ReplaceItemInObject(spec, "leaseDurationSeconds", cJSON_CreateNumber(duration));
    cJSON_ReplaceItemInObject(cJSON_GetObjectItem(metadata, "annotations"), LEASE_ANNOTATION_SEQ,
                              cJSON_CreateString(seq));
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(lease);

    cr_assert(lease_record_parse(text, strlen(text), &reply.record, NULL) == 0);
    lease_elector_reply(a->elector, &t, &reply);
    cJSON_Delete(lease);
}

/* What a right answer would hold. */
static char *sent_seq(void)
{
    return host_xprintf("%llu/%s/a", (unsigned long long) a->elector->counter, a->instance);
}

Test(acknowledged, rule_3_an_answer_with_the_same_resource_version_acknowledges_nothing)
{
    int64_t before = deadline();

    until_unanswered_write();
    host_cleanup(host_freep) char *seq = sent_seq();

    /* what a server says that took the PUT for a change of nothing */
    answer(200, a->elector->record->uid, a->elector->record->resource_version, "a", 15, seq);
    EXPECT_INT(deadline(), before);
}

Test(acknowledged, rule_3_acknowledged_means_uid_holder_duration_and_seq_as_they_were_sent)
{
    static const struct {
        const char *uid, *holder;
        int duration;
        const char *seq; /* NULL: the right one */
    } wrong[] = {
        {"other", "a", 15, NULL},  {NULL, "b", 15, NULL},
        {NULL, "", 15, NULL},      {NULL, "a", 1, NULL},
        {NULL, "a", 16, NULL},     {NULL, "a", 15, ""},
        {NULL, "a", 15, "1/%s/a"}, {NULL, "a", 15, "99/%s/a"},
        {NULL, "a", 15, "0/%s/a"}, {NULL, "a", 15, "%llu/ffffffffffffffffffffffffffffffff/a"}};

    for (size_t i = 0; i < HOST_LEN(wrong); i++) {
        int64_t before = deadline();

        until_unanswered_write();
        host_cleanup(host_freep) char *right = sent_seq();
        host_cleanup(host_freep) char *uid = host_xstrdup(a->elector->record->uid);
        const char *seq = wrong[i].seq != NULL ? wrong[i].seq : right;
        host_cleanup(host_freep) char *made =
            strstr(seq, "%s") != NULL
                ? host_xprintf("%.*s%s/a", (int) strcspn(seq, "%"), seq, a->instance)
            : strstr(seq, "%llu") != NULL
                ? host_xprintf("%llu%s", (unsigned long long) a->elector->counter, strchr(seq, '/'))
                : host_xstrdup(seq);

        answer(200, wrong[i].uid != NULL ? wrong[i].uid : uid, "900", wrong[i].holder,
               wrong[i].duration, made);
        cr_expect(deadline() == before && a->ends == 0, "row %zu counts as acknowledged", i);
        a->net.cut = false;
        sim_run(s, S(3)); /* and the next renewals are good */
        cr_expect(sim_leads(a), "row %zu ended the term", i);
    }
    int64_t before = deadline();

    until_unanswered_write();
    host_cleanup(host_freep) char *seq = sent_seq();

    answer(200, a->elector->record->uid, "900", "a", 15, seq);
    cr_expect(deadline() > before, "the right answer is not believed");
}

Test(acknowledged, rule_3_a_release_is_acknowledged_by_an_empty_holder_and_a_second)
{
    static const struct {
        const char *holder;
        int duration;
    } wrong[] = {{"a", 1}, {"", 15}, {"b", 1}};

    a->teardown = CLOCK_NEVER;
    a->net.cut = true;
    sim_release(a, true, true);
    host_cleanup(host_freep) char *uid = host_xstrdup(a->elector->record->uid);

    for (size_t i = 0; i < HOST_LEN(wrong); i++) {
        until_unanswered_write(); /* it is tried again */
        host_cleanup(host_freep) char *seq = sent_seq();

        answer(200, uid, "900", wrong[i].holder, wrong[i].duration, seq);
        cr_expect(a->ends == 0, "row %zu counts as acknowledged", i);
    }
    until_unanswered_write();
    host_cleanup(host_freep) char *seq = sent_seq();

    answer(200, uid, "900", "", 1, seq);
    EXPECT_INT(a->ends, 1);
    EXPECT_INT(a->end, LEASE_END_RELEASED);
}

/* The state after a POST whose only answer had this status. */
static enum lease_state created_with(int status)
{
    sim_t *world = sim_create();
    sim_host_t *b = sim_start(world, "b");

    b->net.lose_write_replies = true;
    b->net.freeze_watch = true;
    while (world->lease == NULL)
        sim_run(world, MS(1));
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(world->lease);
    lease_reply_t reply = {.id = b->elector->last_id, .status = status, .text = ""};
    lease_time_t t = sim_time(b);

    cr_assert(lease_record_parse(text, strlen(text), &reply.record, NULL) == 0);
    host_cleanup(host_freep) char *uid = host_xstrdup(reply.record->uid);

    lease_elector_reply(b->elector, &t, &reply);
    const enum lease_state state = b->elector->state;

    if (state == LEASE_HOLDING)
        EXPECT_STR(b->elector->record->uid, uid);
    sim_destroy(world);
    return state;
}

Test(acknowledged, rule_3_a_create_is_acknowledged_by_201_alone_and_its_uid_is_ours)
{
    EXPECT_INT(created_with(200), LEASE_STANDBY);
    EXPECT_INT(created_with(201), LEASE_HOLDING);
}
