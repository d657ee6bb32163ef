/* SPDX-License-Identifier: Apache-2.0 */
/* Threads post to an instance while it ends, by destroy or because it is given up: what was accepted
 * is freed once, run once at most, and nothing is run after destroy(). */
#include "plugin/runner.h"
#include "stress.h"
#include "unit/plugin/hooks.h"

enum { POSTERS = 3 };

typedef struct round {
    hooks_t hooks; /* first */
    plugin_runner_t *runner;
    plugin_table_t table;
    pthread_t posters[POSTERS];
    _Atomic long accepted, ran, freed;
    _Atomic bool created, destroyed, gone;
} round_t;

static void run(void *arg)
{
    round_t *r = arg;

    CHECK(!atomic_load(&r->destroyed), "run after destroy");
    atomic_fetch_add(&r->ran, 1);
}

static void count_free(void *arg)
{
    atomic_fetch_add(&((round_t *) arg)->freed, 1);
}

static void *post(void *arg)
{
    round_t *r = arg;
    const lh_host_t *host = r->hooks.host;

    while (host->post(host, run, r, count_free, NULL) == 0)
        atomic_fetch_add(&r->accepted, 1);
    return NULL;
}

static int create(hooks_t *h, lh_error_t *err)
{
    round_t *r = (round_t *) h;

    (void) err;
    for (int i = 0; i < POSTERS; i++)
        r->posters[i] = stress_spawn(post, r);
    return 0;
}

/* Its threads are the plugin's own to end: they do so when their posts are refused. */
static void destroy(hooks_t *h)
{
    round_t *r = (round_t *) h;

    for (int i = 0; i < POSTERS; i++)
        pthread_join(r->posters[i], NULL);
    atomic_store(&r->destroyed, true);
}

static void on_created(void *arg, int code, const lh_error_t *err)
{
    CHECK(code == 0, "create: %s", err->text);
    atomic_store(&((round_t *) arg)->created, true);
}

static void on_code(void *arg, int code, const lh_error_t *err)
{
    (void) arg;
    (void) code;
    (void) err;
}

static void on_deactivated(void *arg)
{
    (void) arg;
}

static void on_returned(void *arg, uint64_t ctx, bool ran, int64_t entered)
{
    (void) entered;
    (void) arg;
    (void) ctx;
    (void) ran;
}

static void on_destroyed(void *arg)
{
    atomic_store(&((round_t *) arg)->gone, true);
}

static void await(const _Atomic bool *flag)
{
    while (!atomic_load(flag))
        sched_yield();
}

static void play(round_t *r, int number, const plugin_backend_ops_t *none)
{
    char config[64];
    lh_error_t err = {0};

    r->hooks = (hooks_t){.create = create, .destroy = destroy};
    snprintf(config, sizeof(config), "{\"hooks\":%llu}", (unsigned long long) (uintptr_t) r);
    const plugin_runner_options_t options = {.path = HOOKED,
                                             .name = "post",
                                             .config = config,
                                             .workers = 2,
                                             .table = &r->table,
                                             .backend = {.ops = none},
                                             .sink = {.on_created = on_created,
                                                      .on_activated = on_code,
                                                      .on_deactivated = on_deactivated,
                                                      .on_returned = on_returned,
                                                      .on_destroyed = on_destroyed,
                                                      .arg = r}};
    CHECK(plugin_local_create(&options, &r->runner, &err) == 0, "%s", err.text);
    await(&r->created);
    if (number % 2 == 0)
        r->runner->ops->destroy(r->runner);
    else
        r->runner->ops->abandon(r->runner);
    await(&r->gone);
    const long accepted = r->accepted, freed = r->freed;
    CHECK(accepted == freed, "%ld accepted, %ld freed", accepted, freed);
    CHECK(r->ran <= freed, "%ld accepted, %ld run", accepted, r->ran);
    CHECK(number % 2 == 1 || r->ran == accepted, "%ld of %ld run", r->ran, accepted);
}

int main(void)
{
    static const plugin_backend_ops_t none;
    const int64_t end = clock_now() + STRESS_TIME;
    long accepted = 0;
    int rounds = 0;

    for (; clock_now() < end; rounds++) {
        round_t *r = calloc(1, sizeof(*r));

        CHECK(r != NULL, "out of memory");
        play(r, rounds, &none);
        accepted += r->accepted;
        free(r);
    }
    printf("%d rounds, %ld posts\n", rounds, accepted);
    CHECK(rounds > 1 && accepted > 0, "no time for two rounds");
    return 0;
}
