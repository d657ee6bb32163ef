/* SPDX-License-Identifier: Apache-2.0 */
/* An informer on a scripted API server and a clock that stands still. What it reports is kept as
 * text, one word for an event: "+a@5" changed, "-a@5" gone, "~a@5" left, with "*" when initial;
 * "synced", "lost". */
#ifndef UNIT_WATCH_FIXTURE_H
#define UNIT_WATCH_FIXTURE_H

#include "objects.h"
#include "support/fake_clock.h"
#include "support/fake_kube.h"
#include "watch/informer.h"

#include <inttypes.h>

typedef struct fixture {
    loop_t *loop;
    fake_kube_t *kube;
    metrics_t *metrics;
    watch_hub_options_t options;
    watch_informer_t *informer;
    buf_t seen;
    buf_t problem;
} fixture_t;

static inline void see(buf_t *out, const watch_event_t *e)
{
    const watch_snapshot_t *s = e->object != NULL ? e->object : e->old;

    buf_printf(out, "%c%s@%s%s ", "+-~"[e->type], watch_snapshot_name(s), watch_snapshot_version(s),
               e -> initial ? "*" : "");
}

static inline void fixture_on_event(void *arg, const watch_event_t *e)
{
    see(&((fixture_t *) arg)->seen, e);
}

static inline void fixture_on_synced(void *arg, bool synced)
{
    buf_puts(&((fixture_t *) arg)->seen, synced ? "synced " : "lost ");
}

static inline void fixture_on_state(void *arg, const char *problem)
{
    fixture_t *f = arg;

    buf_clear(&f->problem);
    buf_puts(&f->problem, problem != NULL ? problem : "none");
}

static inline void turn(fixture_t *f)
{
    for (int i = 0; i < 4; i++) {
        loop_turn(f->loop);
        fake_kube_answer_lookups(f->kube);
    }
}

static inline void pass(fixture_t *f, int64_t time)
{
    fake_clock_advance(time);
    turn(f);
}

static const watch_informer_handler_t fixture_handler = {fixture_on_event, fixture_on_synced,
                                                         fixture_on_state};

static inline void fixture_open(fixture_t *f, const watch_spec_t *spec)
{
    watch_spec_t s = *spec;
    lh_error_t err;

    ASSERT_OK(loop_create(&f->loop, &err), err);
    f->kube = fake_kube_create();
    f->metrics = metrics_create();
    f->options = (watch_hub_options_t){.loop = f->loop,
                                       .client = fake_kube_client(f->kube),
                                       .discovery = fake_kube_discovery(f->kube),
                                       .metrics = f->metrics};
    if (s.gvr.resource == NULL)
        s.gvr = (kube_gvr_t){"", "v1", "configmaps"};
    f->informer = watch_informer_create(&f->options, &s, &fixture_handler, f);
}

static inline void fixture_close(fixture_t *f)
{
    watch_informer_destroy(f->informer);
    EXPECT_INT(fake_kube_open(f->kube), 0);
    fake_kube_destroy(f->kube);
    metrics_destroy(f->metrics);
    loop_destroy(f->loop);
    buf_fini(&f->seen);
    buf_fini(&f->problem);
}

/* A fixture whose informer has not had its first turn. */
#define FIXTURE(f, ...)                                                                            \
    host_cleanup(fixture_close) fixture_t f = {0};                                                 \
    fixture_open(&f, &(const watch_spec_t){__VA_ARGS__})

/* What was reported since the last time. */
#define EXPECT_SEEN(f, expected)                                                                   \
    do {                                                                                           \
        EXPECT_STR(buf_text(&(f)->seen), expected);                                                \
        buf_clear(&(f)->seen);                                                                     \
    } while (0)

/* The open request whose URL contains part. */
static inline kube_call_t *call(fixture_t *f, const char *part)
{
    kube_call_t *c = fake_kube_find(f->kube, part);

    cr_assert(c != NULL, "no open request with '%s'; the last was '%s'", part,
              fake_kube_last_path(f->kube));
    return c;
}

static inline void send_event(fixture_t *f, const char *type, const char *text)
{
    host_cleanup(host_freep) char *event =
        host_xprintf("{\"type\":\"%s\",\"object\":%s}\n", type, text);

    fake_kube_data(call(f, "watch=1"), event);
}

static inline void event(fixture_t *f, const char *type, const char *name, const char *uid,
                         int version)
{
    host_cleanup(host_freep) char *text = object_text(name, uid, version, "");

    send_event(f, type, text);
}

static inline void bookmark(fixture_t *f, int64_t version, bool listed)
{
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"kind\":\"ConfigMap\",\"metadata\":{\"resourceVersion\":\"%" PRId64 "\"%s}}", version,
        listed ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "");

    send_event(f, "BOOKMARK", text);
}

static inline void error_event(fixture_t *f, int code, const char *message)
{
    host_cleanup(host_freep) char *text =
        host_xprintf("{\"kind\":\"Status\",\"code\":%d,\"message\":\"%s\"}", code, message);

    send_event(f, "ERROR", text);
}

/* Lists these objects (name and uid are the same) as a streaming list that ends at version. */
static inline void list_stream(fixture_t *f, const char *names, int version)
{
    turn(f);
    for (const char *p = names; *p != '\0'; p++) {
        char name[] = {*p, '\0'};

        event(f, "ADDED", name, name, 1);
    }
    bookmark(f, version, true);
    turn(f);
}

/* Answers the open page with these objects. */
static inline void list_page(fixture_t *f, const char *names, int version, const char *next)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;
    kube_call_t *c = call(f, "/configmaps");

    buf_printf(&out,
               "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"%d\",\"continue\":\"%s\"},"
               "\"items\":[",
               version, next);
    for (const char *p = names; *p != '\0'; p++) {
        char name[] = {*p, '\0'};
        host_cleanup(host_freep) char *text = object_text(name, name, 1, "");

        buf_printf(&out, "%s%s", p != names ? "," : "", text);
    }
    buf_puts(&out, "]}");
    if (fake_kube_data(c, buf_text(&out)))
        fake_kube_end(c, 200, "");
    turn(f);
}

/* A server that knows no streaming lists: the informer asks for the first page. */
static inline void refuse_streaming(fixture_t *f)
{
    turn(f);
    fake_kube_end(call(f, "sendInitialEvents"), 422, "");
    turn(f);
}

/* Turns until a further request is sent; the time that it took. */
static inline int64_t time_to_next(fixture_t *f)
{
    size_t sent = fake_kube_sent(f->kube);
    int64_t start = clock_now();

    turn(f);
    while (fake_kube_sent(f->kube) == sent && clock_now() - start < 200 * CLOCK_S) {
        pass(f, 100 * CLOCK_MS);
    }
    return clock_now() - start;
}

static inline void expect_backoff(fixture_t *f, int64_t base_ms)
{
    int64_t took = time_to_next(f);

    cr_expect(took >= base_ms * CLOCK_MS && took <= (2 * base_ms + 100) * CLOCK_MS,
              "waited %lld ms, expected %lld to twice that", (long long) (took / CLOCK_MS),
              (long long) base_ms);
}

/* A list and a watch that have worked for a while. */
static inline void settle(fixture_t *f, const char *names)
{
    list_stream(f, names, 10);
    bookmark(f, 11, false);
    fake_clock_advance(60 * CLOCK_S);
    buf_clear(&f->seen);
}

static inline void expect_list(fixture_t *f)
{
    EXPECT_HAS(fake_kube_last_path(f->kube), "sendInitialEvents=true");
}

static inline void expect_watch_from(fixture_t *f, const char *version)
{
    host_cleanup(host_freep) char *part = host_xprintf("&resourceVersion=%s&", version);

    EXPECT_HAS(fake_kube_last_path(f->kube), part);
}

static inline double metric(fixture_t *f, const char *series)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    metrics_render(f->metrics, METRICS_TEXT, &out);
    for (const char *line = buf_text(&out); *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, series, strlen(series)) == 0 && line[strlen(series)] == ' ')
            return strtod(line + strlen(series), NULL);
    }
    return 0;
}

#define LABELS                                                                                     \
    "group=\"\",version=\"v1\",resource=\"configmaps\",namespace=\"\",selector=\"\",projection="   \
    "\"full\""

#endif
