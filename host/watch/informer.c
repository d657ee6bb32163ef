/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes next is always one of four steps (enum step), taken at once or by the timer `wait`.
 * Nothing is started from within a stream's callbacks but on_end, which is the HTTP client's
 * on_done: there requests may be started.
 */
#include "watch/informer.h"

#include "base/clock.h"
#include "base/error.h"
#include "watch/informer_impl.h"
#include "watch/spec.h"

#include <string.h>

#define LIST_WITH_CHANGES (30 * CLOCK_S)
/* At common times, so that streams that wait for kinds of one group version share their requests. */
#define LOOKUP_EVERY (700 * CLOCK_MS)
#define MISSING_FOR (3 * CLOCK_S) /* until a kind that lookups do not find has gone */
#define UNWATCHABLE_EVERY (30 * CLOCK_S)
#define SLICE (10 * CLOCK_MS)
#define TOLERATED (10 * CLOCK_S)    /* a watch may fail for so long before anybody is told */
#define LONGEST_WISH (60 * CLOCK_S) /* of Retry-After: a proxy may ask for an hour */
#define RECENT (10 * CLOCK_S)       /* a list that expires sooner is not repeated at once */

/* HURRIED_SECONDS: the API server sends a bookmark two seconds before a watch's end. */
enum { HURRIED_SECONDS = 3 };

static void take_step(watch_informer_t *w, enum step step);

/* -- State that others see -- */

static void set_problem(watch_informer_t *w, const char *problem)
{
    if (problem == w->problem ||
        (problem != NULL && w->problem != NULL && strcmp(problem, w->problem) == 0))
        return;
    free(w->problem);
    w->problem = problem != NULL ? host_xstrdup(problem) : NULL;
    log_debug(w->log, "watch: %s", problem != NULL ? problem : "works"); /* who is told it warns */
    w->handler->on_state(w->arg, w->problem);
}

/* Something came: the watch works. */
static void set_working(watch_informer_t *w)
{
    w->failing_since = 0;
    set_problem(w, NULL);
}

static void emit(watch_informer_t *w, enum watch_event_type type, const watch_snapshot_t *object,
                 const watch_snapshot_t *old)
{
    const watch_event_t event = {.type = type, .initial = !w->synced, .object = object, .old = old};

    w->handler->on_event(w->arg, &event);
}

static void set_version(watch_informer_t *w, const char *version)
{
    buf_clear(&w->version);
    if (*version != '\0')
        buf_puts(&w->version, version);
    watch_gauges_version(&w->gauges, version);
    watch_confirm_passed(w->confirm, version);
}

static void step_after(watch_informer_t *w, enum step step, int64_t delay)
{
    watch_turn_end(w->options->pace, &w->turn);
    w->phase = PHASE_WAIT;
    w->next = step;
    loop_timer_set(&w->wait, clock_now() + delay);
}

static void step_later(watch_informer_t *w, enum step step, int64_t at_least)
{
    int64_t delay = watch_backoff_next(&w->backoff, clock_now());

    step_after(w, step, HOST_MAX(delay, at_least));
}

/* At the next of the times at which all streams look for kinds that are not installed. */
static void look_up_later(watch_informer_t *w)
{
    step_after(w, STEP_LOOK_UP, LOOKUP_EVERY - clock_now() % LOOKUP_EVERY);
}

static void on_wait(loop_timer_t *timer)
{
    watch_informer_t *w = HOST_CONTAINER(timer, watch_informer_t, wait);

    take_step(w, w->next);
}

/* -- Objects -- */

/* An object that was in the store and is not any more. */
static void report_removed(watch_informer_t *w, watch_snapshot_t *last)
{
    if (w->verify == NULL || w->vanished) {
        emit(w, WATCH_EVENT_GONE, NULL, last);
        return;
    }
    emit(w, WATCH_EVENT_LEFT, NULL, last);
    watch_verify_add(w->verify, last);
}

static void on_verified_gone(void *arg, const watch_snapshot_t *last)
{
    emit(arg, WATCH_EVENT_GONE, NULL, last);
}

static void put(watch_informer_t *w, watch_snapshot_t *object)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *old = NULL;

    if (w->verify != NULL)
        watch_verify_seen(w->verify, object);
    switch (watch_store_put(w->store, object, &old)) {
    case WATCH_SAME:
        break;
    case WATCH_OLDER:
        w->older |= w->phase != PHASE_WATCH;
        break;
    case WATCH_ADDED:
    case WATCH_MODIFIED:
        emit(w, WATCH_EVENT_CHANGED, object, old);
        break;
    case WATCH_REPLACED:
        emit(w, WATCH_EVENT_GONE, NULL, old);
        emit(w, WATCH_EVENT_CHANGED, object, NULL);
        break;
    }
}

static void take_out(watch_informer_t *w, watch_snapshot_t *object)
{
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *removed =
        watch_store_remove(w->store, watch_snapshot_ns(object), watch_snapshot_name(object),
                           watch_snapshot_uid(object), watch_snapshot_version(object));

    if (removed == NULL)
        return;
    bool same = strcmp(watch_snapshot_uid(removed), watch_snapshot_uid(object)) == 0;

    report_removed(w, same ? object : removed); /* the event has the later state */
}

static void on_unreadable(void *arg, const lh_error_t *err)
{
    watch_informer_t *w = arg;

    watch_gauges_unparsable(&w->gauges);
    log_warn(w->log, "watch: skipped what cannot be read: %s", err->text);
    if (w->phase != PHASE_WATCH)
        w->blind = true; /* it may have been any object */
}

/* An object that cannot be read is there, or has gone, all the same. */
static void take_names(watch_informer_t *w, skim_span_t object, bool deleted, const lh_error_t *err)
{
    host_cleanup(watch_loose_fini) watch_loose_t l = {0};
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *removed = NULL;

    if (watch_loose_read(object, &l) < 0 || *l.name == '\0' || (w->namespaced && *l.ns == '\0')) {
        on_unreadable(w, err);
        return;
    }
    watch_gauges_unparsable(&w->gauges);
    log_warn(w->log, "watch: '%s%s%s' cannot be read, its state stays as it was: %s", l.ns,
             *l.ns != '\0' ? "/" : "", l.name, err->text);
    removed = deleted ? watch_store_remove(w->store, l.ns, l.name, l.uid, l.version)
                      : watch_store_touch(w->store, l.ns, l.name, l.uid);
    if (removed != NULL)
        report_removed(w, removed);
}

/* A server that ignores sendInitialEvents gives a plain watch: it never ends the list, nor is it ever
 * silent where much happens. Changes show it, though a few may come within a true list. */
static void expect_end_of_list(watch_informer_t *w)
{
    if (w->limit.at == CLOCK_NEVER)
        loop_timer_set(&w->limit, HOST_MAX(clock_now(), w->list_began + LIST_WITH_CHANGES));
}

static int on_object(void *arg, enum watch_news news, skim_span_t text, const skim_meta_t *meta,
                     lh_error_t *err)
{
    watch_informer_t *w = arg;
    const bool deleted = news == WATCH_NEWS_DELETED;
    const int64_t begun = clock_now();
    host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object = NULL;
    lh_error_t problem;
    int ret = w->fields == NULL
                  ? watch_snapshot_from(text, meta, w->api_version, w->kind, &object, &problem)
                  : watch_fields_snapshot(w->fields, text.p, text.len, w->api_version, w->kind,
                                          &object, &problem);

    if (ret == LH_ENOMEM)
        return host_fail(err, LH_ENOMEM, "%s", problem.text);
    if (w->phase == PHASE_STREAM_LIST && news != WATCH_NEWS_ADDED)
        expect_end_of_list(w);
    if (ret < 0) {
        take_names(w, text, deleted, &problem);
        return 0;
    }
    if (deleted)
        take_out(w, object);
    else
        put(w, object);
    watch_gauges_event(&w->gauges, begun);
    /* The first part of a streaming list is not in the order of versions. */
    if (w->phase == PHASE_WATCH) {
        set_working(w);
        set_version(w, watch_snapshot_version(object));
        watch_store_passed(w->store, watch_snapshot_version(object));
    }
    return 0;
}

/* -- The end of a list -- */

static void become_synced(watch_informer_t *w)
{
    const bool first = !watch_informer_synced(w);

    watch_store_list_end(w->store, buf_text(&w->version));
    w->listing = false;
    w->synced = true;
    w->confirmed = w->confirmed || w->list_counts;
    if (!w->confirmed)
        watch_informer_confirm(w);
    if (!first || !w->confirmed)
        return;
    watch_store_set_synced(w->store, true);
    log_info(w->log, "watch: %zu objects listed in %d ms", watch_store_count(w->store),
             (int) ((clock_now() - w->list_began) / CLOCK_MS));
    w->handler->on_synced(w->arg, true);
}

static void become_missing(watch_informer_t *w)
{
    bool was_synced = watch_informer_synced(w);

    w->listing = false;
    set_version(w, "");
    watch_store_list_end(w->store, "");
    watch_store_set_synced(w->store, false);
    w->synced = false;
    if (was_synced)
        w->handler->on_synced(w->arg, false);
    look_up_later(w);
}

static void relist(watch_informer_t *w, const char *cause, bool at_once)
{
    watch_gauges_relist(&w->gauges, cause);
    log_info(w->log, "watch: lists again: %s", cause);
    if (at_once && clock_now() - w->list_began >= RECENT)
        step_after(w, STEP_LIST, watch_pace_again(w->options->pace));
    else
        step_later(w, STEP_LIST, 0);
}

/* The server went back in time; no version known so far means anything now. */
static void rewind_store(watch_informer_t *w)
{
    watch_store_rewind(w->store);
    set_version(w, "");
}

/* A server that went back may have come so far again that it does not say so: then a list shows it,
 * which ends before what was seen already, or has states from before that. */
static bool went_back(const watch_informer_t *w, const char *version)
{
    return w->older || watch_version_compare(version, buf_text(&w->version)) == -1;
}

/* Reports a slice of what the list did not bring. */
static void sweep(loop_timer_t *timer)
{
    watch_informer_t *w = HOST_CONTAINER(timer, watch_informer_t, slice);
    int64_t until = clock_now() + SLICE;

    if (w->list_again != NULL) {
        if (w->lookup != NULL)
            kube_lookup_cancel(host_steal(w->lookup));
        watch_stream_destroy(host_steal(w->stream));
        relist(w, w->list_again, true);
        return;
    }
    while (clock_now() < until) {
        const bool keep = w->blind && !w->vanished;
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *swept =
            keep ? NULL : watch_store_sweep(w->store);

        if (swept == NULL) {
            if (w->vanished)
                become_missing(w);
            else
                become_synced(w);
            return;
        }
        report_removed(w, swept);
    }
    loop_timer_set(&w->slice, clock_now());
}

static void list_complete(watch_informer_t *w, const char *version)
{
    watch_turn_end(w->options->pace, &w->turn);
    set_version(w, version);
    w->page_tries = w->cuts = 0;
    w->appeared = false;
    set_working(w);
    loop_timer_set(&w->slice, clock_now());
}

static void on_bookmark(void *arg, const char *version, bool listed)
{
    watch_informer_t *w = arg;

    watch_gauges_bookmark(&w->gauges);
    if (w->phase == PHASE_STREAM_LIST) {
        if (!listed)
            return;
        if (went_back(w, version)) { /* a stream is not ended from here */
            rewind_store(w);
            w->list_again = "rewound";
            loop_timer_set(&w->slice, clock_now());
            return;
        }
        loop_timer_clear(&w->limit);
        w->phase = PHASE_WATCH;
        watch_stream_set_idle(w->stream, watch_informer_silence(w, WATCH_STREAM_EVENTS));
        list_complete(w, version);
        return;
    }
    set_working(w);
    set_version(w, version);
    watch_store_passed(w->store, version);
}

/* -- The end of a stream -- */

static void on_kind_missing(watch_informer_t *w, const lh_error_t *err)
{
    set_problem(w, err->text);
    if (w->vanished) {
        look_up_later(w);
        return;
    }
    /* One of several API servers may not have come to know the kind yet: that deletes nothing. */
    if (w->missing_since == 0)
        w->missing_since = clock_now();
    if (w->kind != NULL && clock_now() - w->missing_since < MISSING_FOR) {
        look_up_later(w);
        return;
    }
    w->vanished = true;
    w->list_again = NULL;
    watch_confirm_end(w->confirm);
    if (w->verify != NULL)
        watch_verify_all_gone(w->verify);
    watch_store_list_begin(w->store);
    loop_timer_set(&w->slice, clock_now()); /* ends in become_missing() */
}

static void rewatch(watch_informer_t *w, const char *cause, bool at_once, int64_t at_least)
{
    watch_gauges_restart(&w->gauges, cause);
    log_debug(w->log, "watch: opened again: %s", cause);
    if (at_once)
        step_after(w, STEP_WATCH, watch_pace_again(w->options->pace));
    else
        step_later(w, STEP_WATCH, at_least);
}

/* A watch that ends is nothing to tell; that no watch has worked for a while is. */
static void note_failure(watch_informer_t *w, const watch_stream_end_t *end)
{
    const int64_t now = clock_now();

    if (end->lived) {
        set_working(w);
        return;
    }
    if (w->failing_since == 0)
        w->failing_since = now;
    if (now - w->failing_since > TOLERATED)
        set_problem(w, end->why != WATCH_END_DONE
                           ? end->error.text
                           : "the API server ends every watch as soon as it has begun");
}

static void after_watch(watch_informer_t *w, const watch_stream_end_t *end)
{
    note_failure(w, end);
    switch (end->why) {
    case WATCH_END_DONE:
        rewatch(w, "closed", end->lived, 0);
        break;
    case WATCH_END_FROZEN:
        rewatch(w, "frozen", true, 0);
        break;
    case WATCH_END_CUT:
    case WATCH_END_FAILED:
        rewatch(w, "cut", end->lived, end->retry_after);
        break;
    case WATCH_END_THROTTLED:
        rewatch(w, "throttled", false, end->retry_after);
        break;
    case WATCH_END_DENIED:
        set_problem(w, end->error.text);
        rewatch(w, "denied", false, 0);
        break;
    case WATCH_END_MEMORY:
        set_problem(w, end->error.text);
        rewatch(w, "memory", false, 0);
        break;
    case WATCH_END_EXPIRED:
        relist(w, "expired", true);
        break;
    case WATCH_END_TOO_LARGE:
        rewind_store(w);
        relist(w, "too_large", true);
        break;
    case WATCH_END_GARBLED:
        relist(w, "garbled", false);
        break;
    case WATCH_END_ERROR:
    case WATCH_END_REFUSED:
        relist(w, "error", false);
        break;
    case WATCH_END_MISSING:
        take_step(w, STEP_LOOK_UP);
        break;
    }
}

/* A streaming list that ended before its first part was complete: it is begun again, or paged. */
static void after_stream_list(watch_informer_t *w, const watch_stream_end_t *end)
{
    watch_informer_list_ended(w, end);
    switch (end->why) {
    case WATCH_END_MISSING:
        take_step(w, STEP_LOOK_UP);
        break;
    case WATCH_END_REFUSED:
        w->no_streaming = true;
        take_step(w, STEP_LIST);
        break;
    case WATCH_END_FROZEN:
    case WATCH_END_DONE:
        w->page_once = true;
        take_step(w, STEP_LIST);
        break;
    case WATCH_END_FAILED:
    case WATCH_END_ERROR:
    case WATCH_END_GARBLED:
        w->page_once = true; /* it may fail at streaming lists alone */
        /* fall through */
    default:
        /* A new kind's watches answer 429 for a second while a paged list works already. */
        if (w->appeared && end->why == WATCH_END_THROTTLED) {
            w->page_once = true;
            w->appeared = false;
            take_step(w, STEP_LIST);
            return;
        }
        set_problem(w, end->error.text);
        step_later(w, STEP_LIST, end->retry_after);
        break;
    }
}

static void next_page(watch_informer_t *w, watch_stream_end_t *end)
{
    free(w->page);
    w->page = NULL;
    if (end->next != NULL && *end->next != '\0') {
        w->page = host_steal(end->next);
        take_step(w, STEP_PAGE);
        return;
    }
    if (went_back(w, end->version)) {
        rewind_store(w);
        relist(w, "rewound", true);
        return;
    }
    list_complete(w, end->version);
    take_step(w, STEP_WATCH);
}

static void after_page(watch_informer_t *w, watch_stream_end_t *end)
{
    /* A token names one state of the list; without it what was read may be out of date by now. */
    enum step again = w->page != NULL ? STEP_PAGE : STEP_LIST;

    watch_informer_list_ended(w, end);
    switch (end->why) {
    case WATCH_END_DONE:
        next_page(w, end);
        break;
    case WATCH_END_MISSING:
        take_step(w, STEP_LOOK_UP);
        break;
    case WATCH_END_EXPIRED: /* what a later page brought would not fit the first */
        w->page_tries++;
        watch_gauges_relist(&w->gauges, "page_expired");
        if (w->page_tries == 1)
            take_step(w, STEP_LIST);
        else
            step_later(w, STEP_LIST, 0);
        break;
    case WATCH_END_FROZEN:
    case WATCH_END_CUT:
    case WATCH_END_FAILED:
    case WATCH_END_THROTTLED:
        set_problem(w, end->error.text);
        step_later(w, again, end->retry_after);
        break;
    default:
        set_problem(w, end->error.text);
        step_later(w, STEP_LIST, end->retry_after);
        break;
    }
}

static void on_end(void *arg, watch_stream_end_t *end)
{
    watch_informer_t *w = arg;
    enum phase phase = w->phase;
    watch_stream_t *ended = host_steal(w->stream);

    w->phase = PHASE_WAIT;
    w->denied = end->why == WATCH_END_DENIED;
    end->retry_after = HOST_MIN(end->retry_after, LONGEST_WISH);
    w->froze = end->why == WATCH_END_FROZEN && phase != PHASE_STREAM_LIST;
    if (end->why != WATCH_END_DONE)
        log_debug(w->log, "watch: stream ended: %s", end->error.text);
    if (phase == PHASE_WATCH)
        after_watch(w, end);
    else if (phase == PHASE_STREAM_LIST)
        after_stream_list(w, end);
    else
        after_page(w, end);
    watch_stream_destroy(ended);
}

static const watch_stream_handler_t stream_handler = {
    .on_object = on_object,
    .on_bookmark = on_bookmark,
    .on_unreadable = on_unreadable,
    .on_end = on_end,
};

/* -- Steps -- */

static void open_stream(watch_informer_t *w, enum watch_stream_mode mode, enum phase phase,
                        enum step again)
{
    const watch_stream_options_t options = {
        .loop = w->options->loop,
        .client = w->options->client,
        .mode = mode,
        .gvr = w->spec.gvr,
        .ns = w->namespaced ? w->spec.ns : NULL,
        .label_selector = w->spec.label_selector,
        .field_selector = w->spec.field_selector,
        .metadata_only = w->spec.metadata_only,
        .version = buf_text(&w->version),
        .next = w->page,
        .limit = watch_informer_page_limit(w),
        .idle = watch_informer_silence(w, mode),
        .seconds = mode == WATCH_STREAM_EVENTS && w->hurries ? HURRIED_SECONDS : 0,
        .fresh = w->froze,
    };
    lh_error_t err;

    w->froze = w->hurries = false;
    w->phase = phase;
    if (watch_stream_open(&options, &stream_handler, w, &w->stream, &err) < 0) {
        set_problem(w, err.text);
        step_later(w, again, 0);
    }
}

static void begin_list(watch_turn_t *turn)
{
    watch_informer_t *w = HOST_CONTAINER(turn, watch_informer_t, turn);

    loop_timer_clear(&w->slice);
    loop_timer_clear(&w->limit);
    w->list_again = NULL;
    w->blind = w->older = false;
    w->listing = w->list_counts = true;
    watch_confirm_end(w->confirm);
    w->list_began = clock_now();
    free(host_steal(w->page));
    watch_store_list_begin(w->store);
    watch_gauges_list(&w->gauges, watch_informer_choose_list(w));
    if (w->list == LIST_STREAM)
        open_stream(w, WATCH_STREAM_LIST, PHASE_STREAM_LIST, STEP_LIST);
    else
        take_step(w, STEP_PAGE);
}

static void on_limit(loop_timer_t *timer)
{
    watch_informer_t *w = HOST_CONTAINER(timer, watch_informer_t, limit);

    if (w->phase != PHASE_STREAM_LIST)
        return;
    watch_stream_destroy(host_steal(w->stream));
    w->page_once = true;
    take_step(w, STEP_LIST);
}

static void on_lookup(void *arg, int code, const kube_kind_t *kind, const lh_error_t *err,
                      int64_t retry_after)
{
    watch_informer_t *w = arg;

    w->lookup = NULL;
    if (code == LH_ENOTFOUND) {
        on_kind_missing(w, err);
        return;
    }
    if (code != 0) {
        set_problem(w, err->text);
        step_later(w, STEP_LOOK_UP, HOST_MIN(retry_after, LONGEST_WISH));
        return;
    }
    w->missing_since = 0;
    if (!kind->watchable) {
        set_problem(w, "the API server offers no list and watch for this kind");
        step_after(w, STEP_LOOK_UP, UNWATCHABLE_EVERY);
        return;
    }
    if (w->vanished || w->kind == NULL) {
        free(w->kind);
        w->kind = host_xstrdup(kind->kind);
        w->namespaced = kind->namespaced;
        w->appeared = w->vanished;
        w->vanished = false;
        take_step(w, STEP_LIST);
    } else {
        /* A 404 although the kind is there: it is being set up, or taken down, or broken. */
        watch_gauges_relist(&w->gauges, "missing");
        if (w->appeared) {
            w->appeared = false;
            step_after(w, STEP_LIST, LOOKUP_EVERY);
        } else {
            set_problem(w, "the API server answers 404 although the kind is installed");
            step_later(w, STEP_LIST, 0);
        }
    }
}

static void look_up(watch_informer_t *w)
{
    /* The first time an answer to another watch will do; later there is a doubt. */
    bool fresh = w->kind != NULL || w->vanished;
    lh_error_t err;

    if (kube_discovery_lookup(w->options->discovery, &w->spec.gvr, fresh, on_lookup, w, &w->lookup,
                              &err) < 0) {
        set_problem(w, err.text);
        step_later(w, STEP_LOOK_UP, 0);
    }
}

static void take_step(watch_informer_t *w, enum step step)
{
    switch (step) {
    case STEP_LOOK_UP:
        watch_turn_end(w->options->pace, &w->turn);
        look_up(w);
        break;
    case STEP_LIST:
        watch_turn_take(w->options->pace, &w->turn);
        break;
    case STEP_PAGE:
        open_stream(w, WATCH_STREAM_PAGE, PHASE_PAGE, STEP_PAGE);
        break;
    case STEP_WATCH:
        watch_gauges_watch(&w->gauges);
        open_stream(w, WATCH_STREAM_EVENTS, PHASE_WATCH, STEP_WATCH);
        break;
    }
}

/* -- Life -- */

static void on_confirm_problem(void *arg, const char *problem)
{
    set_problem(arg, problem);
}

static const watch_confirm_handler_t confirm_handler = {
    .on_hurry = watch_informer_on_hurry,
    .on_done = watch_informer_on_confirmed,
    .on_problem = on_confirm_problem,
};

watch_informer_t *watch_informer_create(const watch_hub_options_t *options,
                                        const watch_spec_t *spec,
                                        const watch_informer_handler_t *handler, void *arg)
{
    watch_informer_t *w = host_xcalloc(1, sizeof(*w));

    w->options = options;
    w->handler = handler;
    w->arg = arg;
    watch_spec_copy(&w->spec, spec);
    if (watch_fields_parse(w->spec.fields, &w->fields, NULL) < 0)
        w->fields = NULL; /* watch_subscribe refuses them */
    w->api_version = watch_spec_api_version(&w->spec);
    w->selectors = watch_spec_selectors(&w->spec);
    if (options->log != NULL)
        w->log = watch_spec_log(&w->spec, options->log);
    watch_gauges_init(&w->gauges, options->metrics, &w->spec, w->selectors);
    w->store = watch_store_create();
    watch_store_set_meters(w->store, &w->gauges.store);
    w->confirm = watch_confirm_create(options->loop, w->store, &confirm_handler, w);
    w->confirmed = true;
    if (*w->selectors != '\0')
        w->verify =
            watch_verify_create(options->loop, options->client, &w->spec.gvr, on_verified_gone, w);
    watch_turn_init(&w->turn, begin_list);
    loop_timer_init(&w->wait, options->loop, on_wait);
    loop_timer_init(&w->slice, options->loop, sweep);
    loop_timer_init(&w->limit, options->loop, on_limit);
    step_after(w, STEP_LOOK_UP, 0);
    return w;
}

void watch_informer_destroy(watch_informer_t *w)
{
    if (w == NULL)
        return;
    loop_timer_clear(&w->wait);
    loop_timer_clear(&w->slice);
    loop_timer_clear(&w->limit);
    if (w->lookup != NULL)
        kube_lookup_cancel(w->lookup);
    watch_stream_destroy(w->stream);
    watch_turn_end(w->options->pace, &w->turn);
    watch_verify_destroy(w->verify);
    watch_confirm_destroy(w->confirm);
    watch_store_set_meters(w->store, &(watch_store_meters_t){0});
    watch_gauges_fini(&w->gauges);
    watch_store_set_synced(w->store, false);
    watch_store_unref(w->store);
    log_destroy(w->log);
    buf_fini(&w->version);
    free(w->page);
    free(w->problem);
    watch_fields_destroy(w->fields);
    watch_spec_fini(&w->spec);
    free(w->api_version);
    free(w->kind);
    free(w->selectors);
    free(w);
}

watch_store_t *watch_informer_store(watch_informer_t *w)
{
    return w->store;
}

bool watch_informer_synced(const watch_informer_t *w)
{
    return w->synced && w->confirmed;
}

bool watch_informer_denied(const watch_informer_t *w)
{
    return w->denied;
}

bool watch_informer_namespaced(const watch_informer_t *w)
{
    return w->namespaced;
}

const char *watch_informer_problem(const watch_informer_t *w)
{
    return w->problem;
}
