/* SPDX-License-Identifier: Apache-2.0 */
/* When the object that came with a job may answer a read in the worker. */
#include "plugin/worker.h"

#include "support/expect.h"
#include "support/fake_clock.h"

static plugin_worker_t worker;

static void start(void)
{
    worker = (plugin_worker_t){.lock = PTHREAD_MUTEX_INITIALIZER, .room = PTHREAD_COND_INITIALIZER};
    list_init(&worker.brought);
}

static void finish(void)
{
    plugin_worker_ctx_end_all(&worker);
}

TestSuite(worker_ctx, .init = start, .fini = finish, .timeout = 20);

/* A job came for object default/`name`, of watch 1. */
static void come(uint64_t ctx, const char *name)
{
    watch_snapshot_t *object = NULL;
    lh_error_t err = {0};
    char text[160];

    snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"default\"}}",
             name);
    ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", "ConfigMap", &object, &err), err);
    plugin_worker_ctx_begin(&worker, ctx);
    plugin_worker_ctx_bring(&worker, &(plugin_job_t){.ctx = ctx,
                                                     .watch = 1,
                                                     .ns = "default",
                                                     .name = name,
                                                     .object = object,
                                                     .read_at = clock_now()});
    watch_snapshot_unref(object);
}

static lh_key_t key_of(uint32_t watch, const char *ns, const char *name)
{
    return (lh_key_t){sizeof(lh_key_t), watch, ns, name};
}

/* Whether a read of the key need not ask the host. */
static bool answered(uint64_t ctx, uint32_t watch, const char *ns, const char *name)
{
    const lh_key_t key = key_of(watch, ns, name);
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
        plugin_worker_ctx_object(&worker, (lh_ctx_t){ctx}, &key);

    if (object != NULL)
        EXPECT_STR(watch_snapshot_name(object), name);
    return object != NULL;
}

Test(worker_ctx, the_first_read_is_answered_and_no_other)
{
    come(7, "a");
    EXPECT_INT(answered(7, 1, "default", "a"), true);
    EXPECT_INT(answered(7, 1, "default", "a"), false);
}

Test(worker_ctx, only_the_jobs_own_key_by_its_own_ctx_is_answered)
{
    come(7, "a");
    come(8, "b");
    EXPECT_INT(answered(7, 0, "default", "a"), false);
    EXPECT_INT(answered(7, 1, "other", "a"), false);
    EXPECT_INT(answered(7, 1, "default", "b"), false);
    EXPECT_INT(answered(8, 1, "default", "a"), false);
    EXPECT_INT(answered(9, 1, "default", "a"), false);
    EXPECT_INT(answered(7, 1, "default", "a"), true);
    EXPECT_INT(answered(8, 1, "default", "b"), true);
}

Test(worker_ctx, a_job_without_an_object_answers_nothing)
{
    plugin_worker_ctx_begin(&worker, 7);
    plugin_worker_ctx_bring(&worker,
                            &(plugin_job_t){.ctx = 7, .watch = 1, .ns = "default", .name = "a"});
    EXPECT_INT(answered(7, 1, "default", "a"), false);
}

/* A call that waits for its object to change, in a loop, must see it change. */
Test(worker_ctx, a_read_is_not_answered_after_20_ms)
{
    come(7, "a");
    come(8, "b");
    fake_clock_advance(20 * CLOCK_MS);
    EXPECT_INT(answered(7, 1, "default", "a"), true);
    fake_clock_advance(1);
    EXPECT_INT(answered(8, 1, "default", "b"), false);
}

Test(worker_ctx, an_answer_or_a_walk_outdates_every_object)
{
    come(7, "a");
    come(8, "b");
    plugin_worker_ctx_outdate(&worker);
    EXPECT_INT(answered(7, 1, "default", "a"), false);
    EXPECT_INT(answered(8, 1, "default", "b"), false);
}

/* Another call has read the key of one job, and its own job's object may be older than that. */
Test(worker_ctx, a_question_outdates_the_objects_of_its_key_and_of_who_asks)
{
    const lh_key_t key = key_of(1, "default", "a");

    come(7, "a");
    come(8, "b");
    come(9, "c");
    plugin_worker_ctx_asked(&worker, (lh_ctx_t){8}, &key);
    EXPECT_INT(answered(7, 1, "default", "a"), false);
    EXPECT_INT(answered(8, 1, "default", "b"), false);
    EXPECT_INT(answered(9, 1, "default", "c"), true);
}

Test(worker_ctx, a_call_that_has_returned_keeps_no_object_but_stays_live_until_it_is_completed)
{
    come(7, "a");
    plugin_worker_ctx_returned(&worker, 7);
    EXPECT_INT(answered(7, 1, "default", "a"), false);
    EXPECT_INT(plugin_worker_ctx_live(&worker, (lh_ctx_t){7}), true);
    plugin_worker_ctx_end(&worker, 7);
    EXPECT_INT(plugin_worker_ctx_live(&worker, (lh_ctx_t){7}), false);
}

Test(worker_ctx, a_cancelled_term_leaves_nothing)
{
    come(7, "a");
    come(8, "b");
    plugin_worker_ctx_end_all(&worker);
    EXPECT_INT(answered(7, 1, "default", "a"), false);
    EXPECT_INT(plugin_worker_ctx_live(&worker, (lh_ctx_t){8}), false);
}
