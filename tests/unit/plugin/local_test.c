/* SPDX-License-Identifier: Apache-2.0 */
/* A runner of this process, without an instance around it. */
#include "base/error.h"
#include "hooks.h"
#include "plugin/runner.h"
#include "support/expect.h"

#include <openssl/err.h>

/* One instance of fixtures/hooked.so. */
typedef struct life {
    hooks_t hooks; /* first */
    plugin_runner_t *runner;
    plugin_table_t table;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool created, returned, destroyed;
    int created_code;
    unsigned long error_at_end;
    const watch_snapshot_t *held; /* by the latest cache_get, as the backend was told */
} life_t;

static void tell(life_t *l, bool *flag)
{
    pthread_mutex_lock(&l->lock);
    *flag = true;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void await(life_t *l, const bool *flag)
{
    pthread_mutex_lock(&l->lock);
    while (!*flag)
        pthread_cond_wait(&l->changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

static void on_created(void *arg, int code, const lh_error_t *err) /* [plugin-thread] */
{
    (void) err;
    ((life_t *) arg)->created_code = code;
    ERR_raise(ERR_LIB_USER, ERR_R_PASSED_NULL_PARAMETER); /* into the state of this thread */
    tell(arg, &((life_t *) arg)->created);
}

static void on_destroyed(void *arg) /* [plugin-thread] */
{
    life_t *l = arg;

    l->error_at_end = ERR_peek_error();
    OPENSSL_thread_stop(); /* of the state that this look has made */
    tell(l, &l->destroyed);
}

static int cache_get(void *self, lh_ctx_t ctx, const lh_key_t *key, const watch_snapshot_t *held,
                     watch_snapshot_t **out, lh_error_t *err)
{
    (void) ctx;
    (void) key;
    (void) out;
    ((life_t *) self)->held = held;
    return host_fail(err, LH_ENOTFOUND, "cache: none");
}

static const watch_snapshot_t *held_of(life_t *l, lh_key_t key)
{
    lh_snapshot_t *out = NULL;

    key.struct_size = sizeof(key);
    EXPECT_INT(l->hooks.host->cache_get(l->hooks.host, (lh_ctx_t){1}, &key, &out, NULL),
               LH_ENOTFOUND);
    return l->held;
}

static void on_returned(void *arg, uint64_t ctx, bool ran, int64_t entered) /* [worker-thread] */
{
    life_t *l = arg;

    (void) ctx;
    (void) ran;
    (void) entered;
    cr_expect(held_of(l, (lh_key_t){.ns = "ns", .name = "a"}) == NULL, "after the reconcile");
    tell(l, &l->returned);
}

static void begin(life_t *l)
{
    static const plugin_backend_ops_t ops = {.cache_get = cache_get};
    char config[64];
    lh_error_t err = {0};

    snprintf(config, sizeof(config), "{\"hooks\":%llu}", (unsigned long long) (uintptr_t) l);
    const plugin_runner_options_t options = {.path = FIXTURES "/hooked.so",
                                             .name = "hooked",
                                             .config = config,
                                             .workers = 1,
                                             .table = &l->table,
                                             .backend = {.ops = &ops, .self = l},
                                             .sink = {.on_created = on_created,
                                                      .on_returned = on_returned,
                                                      .on_destroyed = on_destroyed,
                                                      .arg = l}};

    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    ASSERT_OK(plugin_local_create(&options, &l->runner, &err), err);
    await(l, &l->created);
    cr_assert(l->created_code == 0, "create: %d, expected 0", l->created_code);
}

static void end(life_t *l)
{
    l->runner->ops->destroy(l->runner);
    await(l, &l->destroyed);
}

/* Whoever hears of the end may end the process. OpenSSL's cleanup at exit does not reach the state of
 * a thread that ends after it: LeakSanitizer saw the 904 bytes once in many thousand processes. */
Test(local, a_plugin_thread_has_no_state_of_openssl_left_when_its_end_is_told)
{
    life_t l = {0};

    begin(&l);
    end(&l);
    EXPECT_INT(l.error_at_end, 0);
}

static void read_keys(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    life_t *l = (life_t *) h;

    (void) completion;
    cr_expect(held_of(l, *request->key) == (const watch_snapshot_t *) request->object, "its own");
    cr_expect(held_of(l, (lh_key_t){.ns = "ns", .name = "b"}) == NULL, "another name");
    cr_expect(held_of(l, (lh_key_t){.ns = "other", .name = "a"}) == NULL, "another namespace");
    cr_expect(held_of(l, (lh_key_t){.watch = 1, .ns = "ns", .name = "a"}) == NULL, "another kind");
}

Test(local, a_read_of_the_reconciles_own_key_tells_of_the_object_that_came_with_it)
{
    static const char text[] = "{\"metadata\":{\"namespace\":\"ns\",\"name\":\"a\"}}";
    life_t l = {.hooks = {.reconcile = read_keys}};
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;
    lh_error_t err = {0};

    ASSERT_OK(watch_snapshot_create(text, sizeof(text) - 1, NULL, NULL, &object, &err), err);
    begin(&l);
    const plugin_job_t job = {.ctx = 1, .ns = "ns", .name = "a", .uid = "", .object = object};

    l.runner->ops->reconcile(l.runner, &job);
    await(&l, &l.returned);
    cr_expect(held_of(&l, (lh_key_t){.ns = "ns", .name = "a"}) == NULL, "on another thread");
    end(&l);
}
