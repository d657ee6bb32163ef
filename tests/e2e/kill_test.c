/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Level-triggered to the end: objects change all the time while the host is killed (SIGKILL) at random
 * points, and in the end every one is as it was last wanted. Each kill has an object that is not touched
 * afterwards, so that nothing later repairs what was lost with it. LEASEHOLD_TEST_KILLS: how often (KILLS);
 * LEASEHOLD_TEST_SEED: of the points and changes.
 */
#include "e2e/e2e.h"

#include <poll.h>

#ifdef LEASEHOLD_SANITIZED /* its hosts start and stop slowly */
enum { KILLS = 60 };
#else
enum { KILLS = 200 };
#endif

#define SYNCED "synced: reconciles begin"

enum { WINDOW = 20, BURST = 30 };
enum { SHORTEST_LIFE = 5, LONGEST_LIFE = 200, PAUSE = 40, REACHED = 60000 }; /* ms */

typedef struct world {
    e2e_t *e;
    uint64_t state;        /* of the dice */
    unsigned first, count; /* of the objects; WINDOW of them, from first on, are being changed */
    char (*want)[24]; /* as the last change that was acknowledged asked for; "": not to be there */
    unsigned changes;
} world_t;

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 10) : fallback;
}

/* splitmix64 */
static unsigned dice(world_t *w, unsigned sides)
{
    uint64_t z = (w->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned) ((z ^ (z >> 31)) % sides);
}

/* -- Changes -- */

static void create(world_t *w, unsigned i, const char *want)
{
    API_REPLY r = api_post(w->e->api, w->e->configmaps,
                           "{\"metadata\":{\"name\":\"p%u\",\"labels\":{\"keeper\":\"parent\"}},"
                           "\"data\":{\"want\":\"%s\"}}",
                           i, want);

    if (r.status == 201)
        snprintf(w->want[i], sizeof(w->want[i]), "%s", want);
    else
        REQUIRE_INT(r.status, 409); /* it is there, or still going */
}

static void change(world_t *w, const char *path, unsigned i, const char *want)
{
    API_REPLY r = api_patch(w->e->api, path, "merge", "{\"data\":{\"want\":\"%s\"}}", want);

    if (r.status != 200)
        REQUIRE_INT(r.status, 404);
    else if (api_at(r.json, "/metadata/deletionTimestamp") == NULL)
        snprintf(w->want[i], sizeof(w->want[i]), "%s", want);
}

static void spoil(world_t *w, const char *path)
{
    API_REPLY r = api_patch(w->e->api, path, "merge", "{\"data\":{\"want\":\"spoilt\"}}");

    EXPECT_TRUE(r.status == 200 || r.status == 404);
}

static void change_something(world_t *w)
{
    const unsigned i = w->first + dice(w, WINDOW);
    char parent[200], child[200], want[24];

    snprintf(parent, sizeof(parent), "%s/p%u", w->e->configmaps, i);
    snprintf(child, sizeof(child), "%s/p%u-child", w->e->configmaps, i);
    snprintf(want, sizeof(want), "w%u", ++w->changes);
    switch (dice(w, 8)) {
    case 0: {
        API_REPLY r = api_delete(w->e->api, "%s", parent);

        EXPECT_TRUE(r.status == 200 || r.status == 404);
        w->want[i][0] = '\0';
        break;
    }
    case 1: {
        API_REPLY r = api_delete(w->e->api, "%s", child);

        EXPECT_TRUE(r.status == 200 || r.status == 404);
        break;
    }
    case 2:
        spoil(w, child);
        break;
    case 3:
    case 4:
        create(w, i, want);
        break;
    default:
        change(w, parent, i, want);
        break;
    }
}

static void change_some(world_t *w)
{
    for (unsigned n = dice(w, BURST); n > 0; n--)
        change_something(w);
}

/* In bursts, so that there may be nothing to do for a while; the end comes after one. */
static void change_for(world_t *w, int ms)
{
    const int64_t until = replica_now_ms() + ms;

    while (replica_now_ms() < until) {
        change_some(w);
        poll(NULL, 0, (int) dice(w, PAUSE));
    }
    change_some(w);
}

/* -- The end -- */

static const cJSON *find(const cJSON *list, const char *name)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, api_at(list, "/items")) {
        if (strcmp(api_str(item, "/metadata/name"), name) == 0)
            return item;
    }
    return NULL;
}

/* What is not as it should be, in out; "": nothing. */
static void compare(const world_t *w, const cJSON *list, char *out, size_t size)
{
    out[0] = '\0';
    for (unsigned i = 0; i < w->count && out[0] == '\0'; i++) {
        char parent[24], child[32], uid[64];

        snprintf(parent, sizeof(parent), "p%u", i);
        snprintf(child, sizeof(child), "p%u-child", i);
        const cJSON *p = find(list, parent), *c = find(list, child);
        const char *has = c != NULL ? api_str(c, "/data/want") : "(none)";
        snprintf(uid, sizeof(uid), "%s", p != NULL ? api_str(p, "/metadata/uid") : "");

        if (w->want[i][0] == '\0' && (p != NULL || c != NULL))
            snprintf(out, size, "%s is to go: %s%s", parent, p != NULL ? "it is there " : "",
                     c != NULL ? "its child is there" : "");
        else if (w->want[i][0] != '\0' && strcmp(has, w->want[i]) != 0)
            snprintf(out, size, "%s wants '%s', its child has '%s'", parent, w->want[i], has);
        else if (c != NULL && strcmp(api_str(c, "/metadata/ownerReferences/0/uid"), uid) != 0)
            snprintf(out, size, "%s has another uid than its child's owner", parent);
    }
}

typedef struct verdict {
    const world_t *world;
    char text[200];
} verdict_t;

static bool is_reached(const api_reply_t *r, void *arg)
{
    verdict_t *v = arg;

    snprintf(v->text, sizeof(v->text), "status %d", r->status);
    if (r->status == 200)
        compare(v->world, r->json, v->text, sizeof(v->text));
    return v->text[0] == '\0';
}

/* True when something is left to do while the host is dead. */
static bool is_undone(world_t *w)
{
    API_REPLY r = api_get(w->e->api, "%s", w->e->configmaps);
    char text[200];

    REQUIRE_INT(r.status, 200);
    compare(w, r.json, text, sizeof(text));
    return text[0] != '\0';
}

static void every_object_reaches_its_state_whenever_the_host_is_killed(void *arg)
{
    world_t w = {.e = arg, .state = setting("LEASEHOLD_TEST_SEED", 20261128)};
    const unsigned kills = (unsigned) setting("LEASEHOLD_TEST_KILLS", KILLS);
    static const char *const plugins[] = {KEEPER_PLUGIN, NULL};
    verdict_t v = {.world = &w};
    unsigned undone = 0;

    w.count = kills + WINDOW;
    w.want = calloc(w.count, sizeof(*w.want));
    tap_note("LEASEHOLD_TEST_SEED=%llu LEASEHOLD_TEST_KILLS=%u", (unsigned long long) w.state,
             kills);
    replica_t *host = e2e_replica(w.e, "keeper", NULL, plugins);
    for (; w.first < kills; w.first++) {
        if (dice(&w, 3) == 0) /* a slow machine would die in its first list each time */
            EXPECT_TRUE(replica_logged(host, SYNCED, REACHED));
        change_for(&w, SHORTEST_LIFE + (int) dice(&w, LONGEST_LIFE - SHORTEST_LIFE));
        replica_signal(host, SIGKILL);
        REQUIRE_INT(replica_wait(host, 5000), 128 + SIGKILL);
        undone += is_undone(&w);
        replica_restart(host);
    }
    const unsigned synced = (unsigned) replica_log_count(host, SYNCED);
    const int64_t begun = replica_now_ms();
    api_until(w.e->api, w.e->configmaps, REACHED, is_reached, &v);
    EXPECT_STR(v.text, "");
    tap_note("%u changes; of %u kills %u came after it had begun to reconcile, %u with work undone",
             w.changes, kills, synced, undone);
    tap_note("all reached %lld ms after the last", (long long) (replica_now_ms() - begun));
    /* points where nothing happens prove little */
    EXPECT_TRUE(synced >= kills / 10);
    EXPECT_TRUE(undone >= kills / 4);
    replica_free(host);
    free(w.want);
}

static const tap_test_t tests[] = {
    {"every object reaches its state whenever the host is killed",
     every_object_reaches_its_state_whenever_the_host_is_killed},
};

int main(int argc, char **argv)
{
    return e2e_main(argc, argv, "kill", tests, sizeof(tests) / sizeof(tests[0]));
}
