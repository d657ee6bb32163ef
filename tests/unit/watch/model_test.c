/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random servers (model_server.h) against what docs/watch.md promises those who subscribe and those
 * who read the cache. A failure names its seed: LEASEHOLD_TEST_SEED=N repeats that one alone and
 * shows what happened.
 */
#include "model_server.h"
#include "watch/view.h"

#include <stdio.h>

enum { SEQUENCES = 3000, STEPS = 150, REPLIES = 8 };

enum fate { NEVER_SEEN, THERE, LEFT, GONE };

typedef struct run run_t;

/* Somebody who subscribes, and what it was told of each uid. */
typedef struct plugin {
    run_t *run;
    watch_sub_t *sub;
    enum fate fates[CHANGES];
    int versions[CHANGES];
    bool may_fall[CHANGES]; /* a restored server may tell a lower version */
    int uids[NAMES];        /* of what is there by name; 0: nothing */
    int synced;
    bool late; /* came after the stream had begun */
} plugin_t;

/* The reply to a write; after.uid 0: to a delete. */
typedef struct reply {
    int name, version;
    thing_t before, after;
} reply_t;

struct run {
    unsigned seed;
    server_t server;
    fixture_t f;
    watch_hub_t *hub;
    watch_view_t *view;
    plugin_t first, second;
    reply_t replies[REPLIES]; /* on their way */
    uint32_t reply_count;
    reply_t known[NAMES]; /* the latest reply that came */
    bool wrote;
    int quiet; /* turns at the end in which nothing was to be done */
};

#define CHECK(r, condition, format, ...)                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert(false, "seed %u: " format, (r)->seed, __VA_ARGS__);                          \
    } while (0)

/* Jitter is drawn from the seed too, by the linker's --wrap. */
static server_t *jitter;
int64_t drawn_below(int64_t bound) __asm__("__wrap_rand_below");
int64_t drawn_below(int64_t bound)
{
    return bound < 1 ? 0 : (int64_t) pick(jitter, (uint32_t) HOST_MIN(bound, UINT32_MAX));
}

/* -- What subscribers are told -- */

static void hear_changed(plugin_t *p, int name, int uid, int version)
{
    CHECK(p->run, p->uids[name] == 0 || p->uids[name] == uid,
          "%c: %d is told to be there, and that %d is gone is not", 'a' + name, uid, p->uids[name]);
    /* With a selector a GET may tell of the end before the watch tells what came before it. */
    CHECK(p->run, p->fates[uid] != GONE || p->run->server.selects,
          "%c: %d@%d is told after it was told to be gone", 'a' + name, uid, version);
    CHECK(p->run,
          version > p->versions[uid] || (p->late && version == p->versions[uid]) ||
              p->may_fall[uid],
          "%c: %d@%d is told after %d@%d", 'a' + name, uid, version, uid, p->versions[uid]);
    p->may_fall[uid] = p->may_fall[uid] && p->run->server.unlisted;
    p->uids[name] = uid;
    p->versions[uid] = version;
    p->fates[uid] = THERE;
}

static void hear_removed(plugin_t *p, int name, int uid, bool gone)
{
    const server_t *s = &p->run->server;

    CHECK(p->run, p->late || p->fates[uid] == THERE || (gone && p->fates[uid] == LEFT),
          "%c: %d is told to have %s after fate %d", 'a' + name, uid, gone ? "gone" : "left",
          (int) p->fates[uid]);
    CHECK(p->run, !gone || !s->exists[uid], "%c: %d is told to be gone, but is there", 'a' + name,
          uid);
    CHECK(p->run, gone || s->selects, "%c: %d left no selector", 'a' + name, uid);
    if (p->uids[name] == uid)
        p->uids[name] = 0;
    p->fates[uid] = gone ? GONE : LEFT;
}

static void on_event(void *arg, const watch_event_t *e)
{
    plugin_t *p = arg;
    const watch_snapshot_t *o = e->object != NULL ? e->object : e->old;
    const int name = watch_snapshot_name(o)[0] - 'a';
    const int uid = (int) strtol(watch_snapshot_uid(o), NULL, 10);
    const int version = (int) strtol(watch_snapshot_version(o), NULL, 10);

    TRACE(&p->run->server, "      %s %c%c %d@%d\n", p->late ? "second" : "first", "+-~"[e->type],
          'a' + name, uid, version);
    if (e->type == WATCH_EVENT_CHANGED)
        hear_changed(p, name, uid, version);
    else
        hear_removed(p, name, uid, e->type == WATCH_EVENT_GONE);
}

static void on_synced(void *arg)
{
    ((plugin_t *) arg)->synced++;
}

static void on_state(void *arg, const char *problem)
{
    (void) arg;
    (void) problem;
}

static const watch_handler_t handler = {on_event, on_synced, on_state};

static void join(run_t *r, plugin_t *p, bool late)
{
    const watch_spec_t spec = {.gvr = {"", "v1", "configmaps"},
                               .label_selector = r->server.selects ? "app=web" : NULL};
    lh_error_t err;

    *p = (plugin_t){.run = r, .late = late};
    memset(p->may_fall, r->server.unlisted, sizeof(p->may_fall));
    ASSERT_OK(watch_subscribe(r->hub, &spec, &handler, p, &p->sub, &err), err);
}

static void leave(plugin_t *p)
{
    if (p->sub != NULL)
        watch_unsubscribe(host_steal(p->sub));
}

/* -- Writes of our own -- */

static thing_t read_thing(run_t *r, int name)
{
    const char text[] = {(char) ('a' + name), '\0'};
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *o = watch_view_get(r->view, "ns", text);

    if (o == NULL)
        return (thing_t){0};
    return (thing_t){.uid = (int) strtol(watch_snapshot_uid(o), NULL, 10),
                     .version = (int) strtol(watch_snapshot_version(o), NULL, 10)};
}

static void write_object(run_t *r)
{
    server_t *s = &r->server;
    const int name = (int) pick(s, NAMES);
    const thing_t before = s->now[name];

    if (r->reply_count == REPLIES || !server_change(s, name))
        return;
    r->replies[r->reply_count++] = (reply_t){name, s->revision, before, s->now[name]};
}

static bool is_watching(server_t *s)
{
    const flow_t *flow = look(s);

    return flow->call != NULL && flow->begun && !flow->paged && !flow->listing;
}

/* One of the replies comes, in any order. */
static void hear_reply(run_t *r)
{
    server_t *s = &r->server;

    if (r->reply_count == 0)
        return;
    const uint32_t at = pick(s, r->reply_count);
    const reply_t reply = r->replies[at];
    /* What the cache has not it need not hide, and will show when the stream does. */
    const int cached = read_thing(r, reply.name).uid;
    const bool known = !s->unlisted && ((reply.after.uid != 0 && reply.after.selected) ||
                                        (cached != 0 && cached == reply.before.uid));

    r->replies[at] = r->replies[--r->reply_count];
    /* Amid a list the cache does not know how far the server has come. */
    if (reply.version < r->known[reply.name].version && !is_watching(s))
        return;
    TRACE(s, "  reply: %c %d@%d\n", 'a' + reply.name, reply.after.uid, reply.after.version);
    if (reply.after.uid == 0) {
        host_cleanup(host_freep) char *uid = host_xprintf("%d", reply.before.uid);
        const char name[] = {(char) ('a' + reply.name), '\0'};

        watch_view_note_delete(r->view, "ns", name, uid);
    } else {
        host_cleanup(host_freep) char *text =
            thing_text(reply.name, reply.after, reply.after.version);
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;
        lh_error_t err;

        ASSERT_OK(watch_snapshot_create(text, strlen(text), "v1", NULL, &object, &err), err);
        if (reply.after.selected)
            watch_view_note_write(r->view, object);
        else
            watch_view_note_left(r->view, object);
    }
    r->wrote = true;
    if (reply.version > r->known[reply.name].version)
        r->known[reply.name] = known ? reply : (reply_t){.version = reply.version};
}

/* -- What readers see -- */

/* That the client was told of a change after this version which took the object away. */
static bool was_taken_away(const server_t *s, int name, int version)
{
    for (int i = 0; i < s->changes; i++) {
        const change_t *c = &s->log[i];

        if (c->name == name && c->version > version && c->version <= s->told &&
            (c->after.uid == 0 || !c->after.selected))
            return true;
    }
    return false;
}

static void check_reads(run_t *r)
{
    for (int name = 0; name < NAMES; name++) {
        const reply_t *known = &r->known[name];
        const thing_t seen = read_thing(r, name), after = known->after;

        if (after.uid == 0)
            CHECK(r,
                  known->before.uid == 0 || seen.uid != known->before.uid ||
                      r->server.left[seen.uid], /* leaving the selector looks like the deletion */
                  "%c: %d is seen after our deletion", 'a' + name, seen.uid);
        else if (seen.uid == 0)
            CHECK(r, !after.selected || was_taken_away(&r->server, name, after.version),
                  "%c: %d@%d was written and is not seen", 'a' + name, after.uid, after.version);
        else
            CHECK(r,
                  seen.uid > after.uid || (seen.uid == after.uid && seen.version >= after.version),
                  "%c: %d@%d is seen after %d@%d was written", 'a' + name, seen.uid, seen.version,
                  after.uid, after.version);
    }
}

/* -- Sequences -- */

/* Not amid a list when there are noted writes: that the server went back before those alone, nothing
 * tells before it has come so far again. */
static void restore(run_t *r)
{
    plugin_t *const plugins[] = {&r->first, &r->second};

    if (r->wrote && !is_watching(&r->server))
        return;
    server_restore(&r->server);
    r->reply_count = 0;
    memset(r->known, 0, sizeof(r->known));
    for (size_t i = 0; i < HOST_LEN(plugins); i++) {
        for (int uid = 0; uid < CHANGES; uid++) {
            plugins[i]->may_fall[uid] = true;
            if (plugins[i]->fates[uid] == GONE)
                plugins[i]->fates[uid] = NEVER_SEEN;
        }
    }
}

static void wait_a_while(run_t *r)
{
    static const int64_t times[] = {CLOCK_MS, 100 * CLOCK_MS, CLOCK_S, 5 * CLOCK_S, 91 * CLOCK_S};
    const int64_t time = times[pick(&r->server, HOST_LEN(times))];

    TRACE(&r->server, "wait %d ms\n", (int) (time / CLOCK_MS));
    fake_clock_advance(time);
}

static void step(run_t *r)
{
    server_t *s = &r->server;
    const uint32_t what = pick(s, 100);

    if (what < 20)
        server_change(s, (int) pick(s, NAMES));
    else if (what < 28)
        write_object(r);
    else if (what < 36)
        hear_reply(r);
    else if (what < 70)
        server_serve(s);
    else if (what < 75)
        server_repeat(s);
    else if (what < 80)
        server_answer(s, true);
    else if (what < 84)
        server_break(s);
    else if (what < 87)
        server_compact(s);
    else if (what < 96)
        wait_a_while(r);
    else if (what == 96)
        leave(&r->second);
    else if (what < 99 && r->second.sub == NULL)
        join(r, &r->second, true);
    else if (what == 99 && r->first.synced > 0)
        restore(r);
    loop_turn(r->f.loop); /* once: what takes several turns is interrupted by what comes next */
    fake_kube_answer_lookups(r->f.kube);
}

/* That the client has been told everything, and asks for nothing. */
static bool is_settled(run_t *r)
{
    server_t *s = &r->server;

    return is_watching(s) && s->flow.position == s->revision && find_call(s, true) == NULL &&
           r->quiet++ > 8;
}

/* Everything comes that is on its way. */
static void settle_down(run_t *r)
{
    server_t *s = &r->server;

    while (r->reply_count > 0) {
        hear_reply(r);
    }
    for (int i = 0; i < 400 && !is_settled(r); i++) {
        server_serve(s);
        server_answer(s, false);
        pass(&r->f, 10 * CLOCK_S);
    }
    if (is_watching(s))
        send_bookmark(s, false);
    turn(&r->f);
}

static void check_plugin(run_t *r, const plugin_t *p)
{
    const server_t *s = &r->server;

    for (int name = 0; name < NAMES; name++) {
        const thing_t now = s->now[name];
        const int uid = now.selected ? now.uid : 0;

        CHECK(r, p->uids[name] == uid, "%c is %d at the end, and %s was told %d", 'a' + name, uid,
              p->late ? "the second" : "the first", p->uids[name]);
        CHECK(r, uid == 0 || p->versions[uid] == now.version,
              "%c is %d@%d at the end, and version %d was told", 'a' + name, uid, now.version,
              p->versions[uid]);
    }
    for (int uid = 1; uid <= s->last_uid; uid++) {
        const enum fate fate = p->fates[uid];

        CHECK(r, fate != THERE || s->exists[uid], "%d is not there and was not told to be", uid);
        CHECK(r, fate != LEFT || s->exists[uid] || s->left[uid],
              "%d is gone and was told to have left", uid);
    }
}

static size_t count_shown(const run_t *r)
{
    watch_name_t *names = NULL;
    size_t count = 0;
    lh_error_t err;

    ASSERT_OK(watch_view_names(r->view, NULL, NULL, NULL, &names, &count, &err), err);
    watch_names_free(names, count);
    return count;
}

static void check_end(run_t *r)
{
    size_t count = 0;

    CHECK(r, r->first.synced == 1, "synced %d times", r->first.synced);
    check_plugin(r, &r->first);
    if (r->second.sub != NULL)
        check_plugin(r, &r->second);
    for (int name = 0; name < NAMES; name++) {
        const thing_t now = r->server.now[name], seen = read_thing(r, name);
        const thing_t expected = now.selected ? now : (thing_t){0};

        count += expected.uid != 0;
        CHECK(r, seen.uid == expected.uid && seen.version == expected.version,
              "%c is %d@%d at the end, and readers see %d@%d", 'a' + name, expected.uid,
              expected.version, seen.uid, seen.version);
    }
    CHECK(r, count_shown(r) == count, "%zu objects counted, %zu are there", count_shown(r), count);
}

static void run_seed(unsigned seed, bool trace)
{
    run_t *r = host_xcalloc(1, sizeof(*r));
    server_t *s = &r->server;

    r->seed = seed;
    *s = (server_t){.f = &r->f, .random = seed * 2654435761u + 1, .trace = trace};
    jitter = s;
    s->selects = pick(s, 2) == 0;
    fixture_open(&r->f, &(const watch_spec_t){0});
    fake_kube_set_minor(r->f.kube, seed % 2 == 0 ? 33 : 34); /* lists are streaming, or whole */
    watch_informer_destroy(host_steal(r->f.informer));
    r->hub = watch_hub_create(&r->f.options);
    join(r, &r->first, false);
    r->view = watch_sub_view(r->first.sub);
    turn(&r->f);
    for (int i = 0; i < STEPS; i++) {
        step(r);
        if (!s->unlisted)
            check_reads(r);
    }
    settle_down(r);
    check_end(r);
    leave(&r->first);
    leave(&r->second);
    watch_view_unref(r->view);
    watch_hub_destroy(r->hub);
    fixture_close(&r->f);
    free(r);
}

Test(model, a_random_server_is_followed_to_its_last_state)
{
    const char *one = getenv("LEASEHOLD_TEST_SEED");

    if (one != NULL) {
        run_seed((unsigned) strtoul(one, NULL, 10), true);
        return;
    }
    for (unsigned seed = 1; seed <= SEQUENCES; seed++) {
        run_seed(seed, false);
    }
}
