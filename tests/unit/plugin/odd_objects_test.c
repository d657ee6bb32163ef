/* SPDX-License-Identifier: Apache-2.0 */
/* Objects at the edges of JSON and of size, all the way from the bytes of a watch to a plugin. */
#include "runtime_rig.h"

#define REEXEC_WORKER plugin_worker_main
#include "plugin/runner.h"
#include "support/reexec.h"

#include <leasehold/cache.h>

#include <pthread.h>
#include <stdio.h>

enum { MOST = 4 };

#define QUEUED "workqueue_depth{name=\"puppet\",controller=\"puppet\",priority=\"0\"}"

/* What the plugin was given at its last run for each name, and what its cache had then. */
typedef struct seen {
    pthread_mutex_t lock;
    char *name[MOST], *given[MOST], *cached[MOST];
} seen_t;

static char *text_of(const lh_host_t *host, const lh_snapshot_t *s)
{
    size_t len = 0;
    const char *text = s != NULL ? host->snapshot_text(host, s, &len) : "gone";

    cr_assert(s == NULL || strlen(text) == len, "%zu bytes, and a NUL after %zu", len,
              strlen(text));
    return host_xstrdup(text);
}

static void replace(char **at, char *text)
{
    free(*at);
    *at = text;
}

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    const lh_result_t done = {.struct_size = sizeof(done)};
    seen_t *seen = h->arg;
    lh_snapshot_t *cached = NULL;
    size_t i = 0;

    if (h->host->cache_get(h->host, request->ctx, request->key, &cached, NULL) < 0)
        cached = NULL;
    pthread_mutex_lock(&seen->lock);
    while (seen->name[i] != NULL && strcmp(seen->name[i], request->key->name) != 0) {
        i++;
    }
    cr_assert(i < MOST);
    replace(&seen->name[i], host_xstrdup(request->key->name));
    replace(&seen->given[i], text_of(h->host, request->object));
    replace(&seen->cached[i], text_of(h->host, cached));
    pthread_mutex_unlock(&seen->lock);
    if (cached != NULL)
        h->host->snapshot_release(h->host, cached);
    h->host->complete(h->host, completion, &done);
}

typedef struct world {
    seen_t seen;
    hooks_t hooks;
    rig_t *rig;
} world_t;

static void world_open(world_t *w)
{
    pthread_mutex_init(&w->seen.lock, NULL);
    w->hooks = (hooks_t){.reconcile = reconcile, .arg = &w->seen};
    w->rig = rig_create_with(&(rig_options_t){.hooks = &w->hooks});
    rig_lead(w->rig, 1, NULL);
}

static void world_close(world_t *w)
{
    rig_end(w->rig, true, CLOCK_S);
    rig_until_flag(w->rig, &w->rig->rested, "rested");
    rig_destroy(w->rig);
    for (size_t i = 0; i < MOST; i++) {
        free(w->seen.name[i]);
        free(w->seen.given[i]);
        free(w->seen.cached[i]);
    }
    pthread_mutex_destroy(&w->seen.lock);
}

#define WORLD(w)                                                                                   \
    host_cleanup(world_close) world_t w = {0};                                                     \
    world_open(&w)

/* An object with this in metadata, after its name, and this after metadata. */
static char *object(const char *name, int version, const char *metadata, const char *rest)
{
    return host_xprintf(
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\","
        "\"namespace\":\"ns\",\"uid\":\"%s\",\"resourceVersion\":\"%d\"%s}%s}",
        name, name, version, metadata, rest);
}

/* "last" was run, and nothing runs or waits. */
static bool is_quiet(rig_t *r, const void *arg)
{
    world_t *w = (world_t *) arg;
    bool ran = false;

    pthread_mutex_lock(&w->seen.lock);
    for (size_t i = 0; i < MOST; i++) {
        ran = ran || (w->seen.name[i] != NULL && strcmp(w->seen.name[i], "last") == 0);
    }
    pthread_mutex_unlock(&w->seen.lock);
    return ran && rig_series(r, QUEUED) == 0 &&
           rig_series(r, "controller_runtime_active_workers{controller=\"puppet\"}") == 0;
}

/* Sends an event of this object in pieces as a network cuts them. */
static void send(world_t *w, const char *text)
{
    host_cleanup(host_freep) char *event =
        host_xprintf("{\"type\":\"MODIFIED\",\"object\":%s}\n", text);

    cr_assert(fake_kube_pieces(rig_stream(w->rig, "configmaps?"), event, 16384),
              "an event ended the stream");
}

/* Waits until everything sent so far has come to the plugin. */
static void flush(world_t *w)
{
    host_cleanup(host_freep) char *last = object("last", 9000, "", "");

    send(w, last);
    rig_until(w->rig, is_quiet, w, "all is run");
}

static const char *find(char *const *names, char *const *texts, const char *name)
{
    for (size_t i = 0; i < MOST && names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return texts[i];
    }
    return "never run";
}

static double unreadable(world_t *w)
{
    return rig_series(w->rig, "leasehold_watch_unparsable_objects_total{group=\"\",version=\"v1\","
                              "resource=\"configmaps\",namespace=\"\",selector=\"\",projection="
                              "\"full\"}");
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* That the plugin was given, and its cache had, this text. */
static void expect_given(world_t *w, const char *name, const char *text)
{
    const char *given = find(w->seen.name, w->seen.given, name),
               *cached = find(w->seen.name, w->seen.cached, name);

    cr_expect(same(given, text), "%s was given %zu bytes, expected %zu: %.200s", name,
              strlen(given), strlen(text), given);
    cr_expect(same(cached, text), "%s: the cache had %zu bytes, expected %zu: %.200s", name,
              strlen(cached), strlen(text), cached);
}

/* An object whose second state is odd comes as it was sent. */
static void expect_taken(const char *metadata, const char *rest)
{
    WORLD(w);
    host_cleanup(host_freep) char *first = object("a", 101, "", "");
    host_cleanup(host_freep) char *odd = object("a", 102, metadata, rest);

    send(&w, first);
    send(&w, odd);
    flush(&w);
    expect_given(&w, "a", odd);
    EXPECT_INT(unreadable(&w), 0);
}

/* It is skipped and counted; the state before it stays, and what follows comes. */
static void expect_skipped(const char *metadata, const char *rest)
{
    WORLD(w);
    host_cleanup(host_freep) char *first = object("a", 101, "", "");
    host_cleanup(host_freep) char *odd = object("a", 102, metadata, rest);

    send(&w, first);
    send(&w, odd);
    flush(&w);
    expect_given(&w, "a", first);
    EXPECT_INT(unreadable(&w), 1);
}

static char *repeat(const char *part, size_t times)
{
    buf_t out = BUF_INIT;

    for (size_t i = 0; i < times; i++) {
        buf_puts(&out, part);
    }
    return out.data;
}

Test(odd_objects, invalid_utf8_is_skipped)
{
    expect_skipped("", ",\"data\":{\"k\":\"\xff\"}");
    expect_skipped("", ",\"data\":{\"\xc0\xaf\":\"overlong\"}");
    expect_skipped(",\"labels\":{\"k\":\"\xe2\x82\"}", "");
    expect_skipped("", ",\"data\":{\"k\":\"\\ud800 alone\"}");
}

Test(odd_objects, all_of_unicode_comes_as_it_was_sent)
{
    expect_taken("",
                 ",\"data\":{\"k\":\"\xf0\x9f\x98\x80 \\ud83d\\ude00 \\u0000 \\/ \xef\xbf\xbd\"}");
    expect_taken(",\"labels\":{\"\\u0061\":\"\\u00e4\"}", "");
}

Test(odd_objects, of_duplicate_keys_the_last_counts_and_all_are_shown)
{
    WORLD(w);
    host_cleanup(host_freep) char *twice =
        object("a", 101, ",\"resourceVersion\":\"103\",\"name\":\"b\",\"uid\":\"b\"",
               ",\"data\":{\"k\":1,\"k\":2}");
    host_cleanup(host_freep) char *older = object("b", 102, "", "");

    send(&w, twice);
    send(&w, older);
    flush(&w);
    expect_given(&w, "b", twice);
    EXPECT_STR(find(w.seen.name, w.seen.given, "a"), "never run");
}

Test(odd_objects, nesting_up_to_512_is_taken_and_deeper_is_skipped)
{
    host_cleanup(host_freep) char *open = repeat("[", 511), *close = repeat("]", 511);
    host_cleanup(host_freep) char *deep = host_xprintf(",\"data\":%s%s", open, close);
    host_cleanup(host_freep) char *deeper = host_xprintf(",\"data\":[%s%s]", open, close);
    host_cleanup(host_freep) char *many = repeat("[", 1000000);
    host_cleanup(host_freep) char *unclosed = repeat("]", 1000000);
    host_cleanup(host_freep) char *deepest = host_xprintf(",\"data\":%s%s", many, unclosed);

    expect_taken("", deep);
    expect_skipped("", deeper);
    expect_skipped("", deepest);
}

Test(odd_objects, numbers_of_any_size_come_as_they_were_sent)
{
    host_cleanup(host_freep) char *digits = repeat("9", 100000);
    host_cleanup(host_freep) char *huge =
        host_xprintf(",\"data\":[1e999999,-0.0,1E-400,%s,0.%s]", digits, digits);

    expect_taken("", huge);
    expect_taken(",\"generation\":99999999999999999999", "");
    expect_skipped("", ",\"data\":[01]");
    expect_skipped("", ",\"data\":[NaN]");
}

/* Beyond 64 bits versions are still compared as numbers. */
Test(odd_objects, versions_of_forty_digits_are_in_order)
{
    static const char newer[] =
        "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"a\","
        "\"resourceVersion\":\"1000000000000000000000000000000000000002\"}}";
    static const char older[] = "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\",\"uid\":\"a\","
                                "\"resourceVersion\":\"999999999999999999999999999999999999999\"}}";
    WORLD(w);

    send(&w, newer);
    send(&w, older);
    flush(&w);
    EXPECT_HAS(find(w.seen.name, w.seen.given, "a"), "1000000000000000000000000000000000000002");
}

static char *padded(size_t size)
{
    host_cleanup(host_freep) char *text = repeat("0123456789abcdef", size / 16);
    host_cleanup(host_freep) char *rest =
        host_xprintf(",\"data\":{\"do\":\"one\",\"pad\":\"%s\"}", text);

    return object("one", 101, "", rest);
}

#define TEN_MIB ((size_t) 10 << 20)

Test(odd_objects, ten_megabytes_come_whole)
{
    WORLD(w);
    host_cleanup(host_freep) char *large = padded(TEN_MIB);

    send(&w, large);
    flush(&w);
    expect_given(&w, "one", large);
}

Test(odd_objects, ten_megabytes_come_to_a_worker_process)
{
    host_cleanup(host_freep) char *large = padded(TEN_MIB);
    rig_t *r =
        rig_create_with(&(rig_options_t){.config = "{}", .process = true, .unsettled = true});

    rig_until_flag(r, &r->settled, "settled");
    rig_lead(r, 1, NULL);
    rig_object(r, "configmaps?", "ADDED", large);
    rig_until_count(r, "runs", "one", "reason 0", 1);
    rig_end(r, true, CLOCK_S);
    rig_until_flag(r, &r->rested, "rested");
    rig_destroy(r);
}

/* What is larger than any object of the API server ends the watch; a list follows, and says what is
 * there without it. */
Test(odd_objects, twenty_megabytes_end_the_watch_and_the_others_come_by_the_list_that_follows)
{
    WORLD(w);
    host_cleanup(host_freep) char *large = padded(2 * TEN_MIB);
    host_cleanup(host_freep) char *event =
        host_xprintf("{\"type\":\"ADDED\",\"object\":%s}\n", large);
    host_cleanup(host_freep) char *last = object("last", 9000, "", "");

    cr_assert(!fake_kube_pieces(rig_stream(w.rig, "configmaps?"), event, 1 << 20),
              "the stream must end");
    fake_clock_advance(2 * CLOCK_S);
    EXPECT_HAS(fake_kube_request(rig_stream(w.rig, "configmaps?"))->path, "sendInitialEvents");
    rig_object(w.rig, "configmaps?", "ADDED", last);
    rig_synced(w.rig, "configmaps?");
    rig_until(w.rig, is_quiet, &w, "all is run");
    EXPECT_STR(find(w.seen.name, w.seen.given, "one"), "never run");
}
