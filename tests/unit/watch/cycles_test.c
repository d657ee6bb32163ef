/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 200 times the API server restarts, forgets its history or ends a watch or a page, with 10,000 objects
 * that change meanwhile: after each the store is what the server has, and no memory is left of it.
 */
#include "fixture.h"

#include <malloc.h>

#ifdef LEASEHOLD_SANITIZED
enum { OBJECTS = 1000 };
#else
enum { OBJECTS = 10000 };
#endif
enum {
    CYCLES = 200,
    SLOTS = OBJECTS + OBJECTS / 10,
    WARM_UP = 40,
    CHANGES = 20,
    MOST_GROWTH = 64 << 10
};

/* The API server's objects: version 0 when there is none of that name; uid counts the objects that a name
 * has had. */
typedef struct server {
    int version[SLOTS], uid[SLOTS];
    int last, count;
} server_t;

static void names_of(const server_t *s, int i, char name[16], char uid[32])
{
    snprintf(name, 16, "o%d", i);
    snprintf(uid, 32, "o%d-%d", i, s->uid[i]);
}

/* One in four makes or deletes an object, or both at once; each is one version. */
static void change(server_t *s, int n)
{
    const int i = (n * 7919) % SLOTS;

    if (s->version[i] == 0 || n % 4 == 1) { /* anew, with another uid */
        s->count += s->version[i] == 0;
        s->uid[i]++;
        s->version[i] = ++s->last;
    } else if (n % 4 == 0) {
        s->count--;
        s->last++;
        s->version[i] = 0;
    } else {
        s->version[i] = ++s->last;
    }
}

static void append_objects(const server_t *s, int from, int to, const char *before,
                           const char *after, buf_t *out)
{
    char name[16], uid[32];

    for (int i = from; i < to; i++) {
        if (s->version[i] == 0)
            continue;
        names_of(s, i, name, uid);
        host_cleanup(host_freep) char *text = object_text(name, uid, s->version[i], "");
        buf_printf(out, "%s%s%s", before, text, after);
    }
}

static void answer_streaming_list(fixture_t *f, const server_t *s)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    append_objects(s, 0, SLOTS, "{\"type\":\"ADDED\",\"object\":", "}\n", &out);
    cr_assert(fake_kube_data(call(f, "sendInitialEvents"), buf_text(&out)));
    bookmark(f, s->last, true);
    turn(f);
}

/* In two pages; of those the second expires the first time. */
static void answer_pages(fixture_t *f, const server_t *s)
{
    for (int page = 0; page < 3; page++) {
        host_cleanup(buf_fini) buf_t items = BUF_INIT, out = BUF_INIT;
        kube_call_t *c = call(f, "limit=");

        if (page == 1) {
            fake_kube_end(c, 410, "");
            turn(f);
            append_objects(s, 0, SLOTS / 2, ",", "", &items);
            c = call(f, "limit=");
            cr_assert(strstr(fake_kube_request(c)->path, "continue") == NULL);
        } else {
            append_objects(s, page == 0 ? 0 : SLOTS / 2, page == 0 ? SLOTS / 2 : SLOTS, ",", "",
                           &items);
        }
        buf_printf(&out,
                   "{\"metadata\":{\"resourceVersion\":\"%d\",\"continue\":\"%s\"},\"items\":[%s]}",
                   s->last, page < 2 ? "more" : "", buf_text(&items) + 1);
        cr_assert(fake_kube_data(c, buf_text(&out)));
        fake_kube_end(c, 200, "");
        turn(f);
    }
}

static bool watches(fixture_t *f)
{
    kube_call_t *c = fake_kube_find(f->kube, "watch=1");

    return c != NULL && strstr(fake_kube_request(c)->path, "resourceVersion=") != NULL;
}

static void reach(fixture_t *f, const char *part)
{
    for (int i = 0; i < 100 && fake_kube_find(f->kube, part) == NULL; i++)
        pass(f, CLOCK_S);
    (void) call(f, part);
}

/* What changed is lost with the history. */
static void relist(fixture_t *f, const server_t *s, bool restarts, bool paged)
{
    if (restarts) {
        fake_kube_cut(call(f, "watch=1"));
        reach(f, "watch=1");
        fake_kube_refuse(call(f, "watch=1"));
        reach(f, "watch=1");
        fake_kube_head(call(f, "watch=1"));
    }
    error_event(f, 410, "too old resource version");
    turn(f);
    reach(f, "sendInitialEvents");
    if (paged) {
        fake_kube_end(call(f, "sendInitialEvents"), 200, "");
        turn(f);
        answer_pages(f, s);
    } else {
        answer_streaming_list(f, s);
    }
}

static void expect_equal(fixture_t *f, const server_t *s, int cycle)
{
    watch_store_t *store = watch_informer_store(f->informer);
    char name[16], uid[32], version[16];

    for (int i = 0; i < SLOTS; i++) {
        names_of(s, i, name, uid);
        snprintf(version, sizeof(version), "%d", s->version[i]);
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *seen =
            watch_store_get(store, "ns", name);
        const bool same = s->version[i] == 0
                              ? seen == NULL
                              : seen != NULL && strcmp(watch_snapshot_uid(seen), uid) == 0 &&
                                    strcmp(watch_snapshot_version(seen), version) == 0;
        cr_assert(same, "cycle %d: %s is %s@%s, the server has %s@%s", cycle, name,
                  seen != NULL ? watch_snapshot_uid(seen) : "nothing",
                  seen != NULL ? watch_snapshot_version(seen) : "", uid, version);
    }
    EXPECT_INT(watch_store_count(store), s->count);
    EXPECT_INT(watch_informer_synced(f->informer), true);
}

Test(cycles, after_each_the_store_is_what_the_server_has_and_nothing_is_left, .timeout = 300)
{
    static server_t s;
    FIXTURE(f);
    size_t before = 0;

    for (int i = 0; i < OBJECTS; i++) {
        s.version[i] = ++s.last;
        s.count++;
    }
    turn(&f);
    answer_streaming_list(&f, &s);
    for (int cycle = 0; cycle < CYCLES; cycle++) {
        for (int n = 0; n < CHANGES; n++)
            change(&s, cycle * CHANGES + n);
        relist(&f, &s, cycle % 3 == 0, cycle % 4 == 3);
        if (!watches(&f))
            (void) call(&f, "watch=1");
        expect_equal(&f, &s, cycle);
        buf_clear(&f.seen);
        if (cycle == WARM_UP)
            before = mallinfo2().uordblks;
    }
    const size_t after = mallinfo2().uordblks;
    cr_expect(after <= before + MOST_GROWTH, "%zu bytes after %d cycles, %zu after %d", before,
              WARM_UP, after, CYCLES);
    EXPECT_INT(fake_kube_open(f.kube), 1);
}
