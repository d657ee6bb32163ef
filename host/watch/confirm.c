/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a comparison that ends in equality is right, though the stream goes on meanwhile: an object
 * that has the uid and version of the list when its page comes keeps them up to the list's moment,
 * for a later version would be in the list. So when every listed object was found, and the store has
 * no more than these, the store is the list; or the stream has passed the list already.
 */
#include "watch/confirm.h"

#include "base/clock.h"
#include "base/error.h"
#include "watch/backoff.h"
#include "json/skim.h"

#include <string.h>

#define SILENCE (10 * CLOCK_S) /* of a list, until it is asked again on a new connection */
#define GRACE (200 * CLOCK_MS) /* a busy stream passes the list by itself */
#define HURRY (4 * CLOCK_S)    /* for the bookmark of a watch with a short timeout */
#define LAG (500 * CLOCK_MS)   /* before what did not compare equal is compared again */

/* Up to FEW objects a comparison costs less than the second or two until a bookmark comes. */
enum { PAGE_SIZE = 500, FEW = 5000, TRIES = 4, MAX_VERSION = 32 };

enum state {
    IDLE,
    ASKING,    /* for the version of a consistent list */
    WAITING,   /* for the stream to pass it; step() comes when it has, or when it should have */
    COMPARING, /* with a list of metadata */
    BETWEEN    /* two requests */
};

struct watch_confirm {
    loop_t *loop;
    watch_store_t *store;
    const watch_confirm_handler_t *handler;
    void *arg;
    watch_stream_options_t what;
    enum state state;
    watch_stream_t *stream;
    loop_timer_t timer;
    watch_backoff_t backoff;
    char seen[MAX_VERSION];   /* how far the stream has come */
    char before[MAX_VERSION]; /* how far it had come when the list was asked for */
    char listed[MAX_VERSION]; /* of the list; "" before it is known */
    char *page;               /* continue token; NULL: the first page */
    size_t items, found;      /* of the list being compared; those that the store has */
    int tries;                /* comparisons so far */
    bool hurried, fresh, compares;
    bool troubled; /* a problem was told */
};

static void copy_version(char out[MAX_VERSION], const char *version)
{
    snprintf(out, MAX_VERSION, "%s", strlen(version) < MAX_VERSION ? version : "");
}

static bool passed(const watch_confirm_t *c)
{
    const int order = watch_version_compare(c->listed, c->seen);

    return c->listed[0] != '\0' && (order == -1 || order == 0);
}

void watch_confirm_end(watch_confirm_t *c)
{
    c->state = IDLE;
    loop_timer_clear(&c->timer);
    watch_stream_destroy(host_steal(c->stream));
    free(host_steal(c->page));
}

static void finish(watch_confirm_t *c, enum watch_confirmed result)
{
    watch_confirm_end(c);
    c->handler->on_done(c->arg, result);
}

static void tell(watch_confirm_t *c, const char *problem)
{
    if (problem != NULL || c->troubled)
        c->handler->on_problem(c->arg, problem);
    c->troubled = problem != NULL;
}

static void wait_for(watch_confirm_t *c, enum state state, int64_t delay)
{
    c->state = state;
    loop_timer_set(&c->timer, clock_now() + delay);
}

/* -- What a list brings -- */

static int compare_object(watch_confirm_t *c, const skim_meta_t *meta)
{
    host_cleanup(host_freep) char *ns = skim_dup(meta->ns);
    host_cleanup(host_freep) char *name = skim_dup(meta->name);
    host_cleanup(host_freep) char *uid = skim_dup(meta->uid);
    host_cleanup(host_freep) char *version = skim_dup(meta->resource_version);

    if (name == NULL || uid == NULL || version == NULL)
        return LH_ENOMEM;
    c->found += watch_store_has(c->store, ns != NULL ? ns : "", name, uid, version);
    return 0;
}

static int on_object(void *arg, enum watch_news news, const char *text, size_t len, lh_error_t *err)
{
    watch_confirm_t *c = arg;
    skim_meta_t meta;

    (void) news;
    if (c->state != COMPARING)
        return 0;
    c->items++;
    if (skim_meta(text, len, &meta, NULL) < 0 || meta.name.p == NULL || meta.uid.p == NULL ||
        meta.resource_version.p == NULL)
        return 0; /* what cannot be read is not found: a full list has to tell */
    if (compare_object(c, &meta) < 0)
        return host_fail(err, LH_ENOMEM, "out of memory");
    return 0;
}

/* -- The end of a list -- */

static void ask(watch_confirm_t *c);

static void compared(watch_confirm_t *c)
{
    if (c->found == c->items && c->items == watch_store_count(c->store))
        finish(c, WATCH_CONFIRMED_COMPARED);
    else if (++c->tries == TRIES)
        finish(c, WATCH_NOT_CONFIRMED);
    else
        wait_for(c, WAITING, LAG);
}

static void complete(watch_confirm_t *c, watch_stream_end_t *end)
{
    tell(c, NULL);
    copy_version(c->listed, end->version);
    if (watch_version_compare(c->listed, c->before) == -1) {
        finish(c, WATCH_WENT_BACK);
    } else if (passed(c)) {
        finish(c, WATCH_CONFIRMED_VERSION);
    } else if (!c->compares) {
        wait_for(c, WAITING, GRACE);
    } else if (end->next != NULL && *end->next != '\0') {
        c->page = host_steal(end->next);
        ask(c);
    } else {
        compared(c);
    }
}

static void on_end(void *arg, watch_stream_end_t *end)
{
    watch_confirm_t *c = arg;
    watch_stream_t *ended = host_steal(c->stream);

    free(host_steal(c->page));
    c->fresh = end->why == WATCH_END_FROZEN;
    if (end->why == WATCH_END_DONE) {
        complete(c, end);
    } else {
        const int64_t delay = watch_backoff_next(&c->backoff, clock_now());

        tell(c, end->error.text);
        wait_for(c, BETWEEN, HOST_MAX(delay, end->retry_after));
    }
    watch_stream_destroy(ended);
}

static const watch_stream_handler_t list_handler = {.on_object = on_object, .on_end = on_end};

/* -- Asking -- */

/* Asks for the next page, or for the only object. */
static void ask(watch_confirm_t *c)
{
    watch_stream_options_t o = c->what;
    lh_error_t err;

    o.loop = c->loop;
    o.mode = WATCH_STREAM_PAGE;
    o.metadata_only = true;
    o.version = NULL;
    o.next = c->page;
    o.limit = c->compares ? PAGE_SIZE : 1;
    o.idle = SILENCE;
    o.fresh = c->fresh;
    c->state = c->compares ? COMPARING : ASKING;
    if (watch_stream_open(&o, &list_handler, c, &c->stream, &err) < 0) {
        tell(c, err.text);
        wait_for(c, BETWEEN, watch_backoff_next(&c->backoff, clock_now()));
    }
}

static void begin_list(watch_confirm_t *c)
{
    memcpy(c->before, c->seen, sizeof(c->before));
    c->listed[0] = '\0';
    c->items = c->found = 0;
    ask(c);
}

static void step(loop_timer_t *timer)
{
    watch_confirm_t *c = HOST_CONTAINER(timer, watch_confirm_t, timer);

    if (passed(c)) {
        finish(c, WATCH_CONFIRMED_VERSION);
    } else if (c->state == WAITING && !c->compares && !c->hurried) {
        c->hurried = true;
        wait_for(c, WAITING, HURRY);
        c->handler->on_hurry(c->arg);
    } else {
        c->compares = c->compares || c->state == WAITING;
        begin_list(c);
    }
}

void watch_confirm_passed(watch_confirm_t *c, const char *version)
{
    if (c->state == IDLE)
        return;
    copy_version(c->seen, version);
    if (passed(c))
        loop_timer_set(&c->timer, clock_now());
}

void watch_confirm_begin(watch_confirm_t *c, const watch_stream_options_t *what)
{
    watch_confirm_end(c);
    c->what = *what;
    copy_version(c->seen, what->version);
    c->tries = 0;
    c->hurried = c->fresh = c->troubled = false;
    c->compares = watch_store_count(c->store) <= FEW ||
                  watch_version_compare(c->seen, "1") == 2; /* no number */
    begin_list(c);
}

/* -- Life -- */

watch_confirm_t *watch_confirm_create(loop_t *loop, watch_store_t *store,
                                      const watch_confirm_handler_t *handler, void *arg)
{
    watch_confirm_t *c = host_xcalloc(1, sizeof(*c));

    c->loop = loop;
    c->store = store;
    c->handler = handler;
    c->arg = arg;
    loop_timer_init(&c->timer, loop, step);
    return c;
}

void watch_confirm_destroy(watch_confirm_t *c)
{
    if (c == NULL)
        return;
    watch_confirm_end(c);
    free(c);
}
