/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream (informer and store) has subscribers. A subscriber that comes late is shown the store in
 * slices, while events already go to it. Subscribers may come and go from within callbacks, which
 * may run inside the HTTP client: then what is to be freed waits for the hub's timer.
 */
#include "watch/hub.h"

#include "base/clock.h"
#include "watch/fields.h"
#include "watch/informer.h"
#include "watch/pace.h"
#include "watch/packer.h"
#include "watch/spec.h"
#include "watch/view.h"

#include <malloc.h>
#include <string.h>

#define SLICE (10 * CLOCK_MS)
#define SHARED_FOR (20 * CLOCK_MS) /* until a reader of an old store is asked after again */

enum { SHRINK_BY = 1000, TRIM_AFTER = 50 /* times that: some 20 MB */ };

typedef struct stream {
    list_t link;
    watch_hub_t *hub;
    watch_spec_t spec; /* its strings are ours */
    watch_informer_t *informer;
    watch_packing_t *packing;
    list_t subs;
} stream_t;

struct watch_sub {
    list_t link;
    stream_t *stream;
    watch_spec_t spec;  /* its strings are ours */
    watch_view_t *view; /* of the stream's store */
    const watch_handler_t *handler;
    void *arg;
    loop_timer_t replay;
    watch_store_walk_t walk;
    bool replayed; /* has seen all that was in the store */
    bool scoped;   /* the view knows whether the kind has namespaces */
    bool ended;
};

/* A store whose stream has ended. To free a large one at once would hold the loop for long. */
typedef struct remains {
    list_t link;
    watch_store_t *store;
} remains_t;

/* What somebody will subscribe to. */
struct watch_plan {
    list_t link;
    watch_spec_t spec; /* its strings are ours */
};

struct watch_hub {
    watch_hub_options_t options;
    watch_pace_t pace;
    watch_packer_t *packer;
    list_t streams;
    list_t plans;
    loop_timer_t split;
    list_t remains;
    loop_timer_t shrink;
    int shrunk;  /* times, since memory was given back to the system */
    int calling; /* depth of calls to subscribers */
    loop_timer_t tidy;
};

/* -- What is no longer used -- */

static void free_sub(watch_sub_t *sub)
{
    list_remove(&sub->link);
    watch_view_unref(sub->view);
    watch_spec_fini(&sub->spec);
    free(sub);
}

static void free_remains(remains_t *r)
{
    list_remove(&r->link);
    watch_store_unref(r->store);
    free(r);
}

/* A host that leads no more, or watches less, is small again. To give all back at once would hold the
 * loop as well. */
static void shrunk_by_one(watch_hub_t *hub)
{
    if (++hub->shrunk < TRIM_AFTER)
        return;
    hub->shrunk = 0;
    malloc_trim(0);
}

/* A slice of the work. Who still reads a store goes on reading it. */
static void shrink(loop_timer_t *timer)
{
    watch_hub_t *hub = HOST_CONTAINER(timer, watch_hub_t, shrink);
    const int64_t until = clock_now() + SLICE;

    LIST_EACH (&hub->remains, it, next) {
        remains_t *r = LIST_ENTRY(it, remains_t, link);
        bool more = true;

        if (watch_store_is_shared(r->store))
            continue;
        while (more && clock_now() < until) {
            more = watch_store_shrink(r->store, SHRINK_BY);
            shrunk_by_one(hub);
        }
        if (more) {
            loop_timer_set(&hub->shrink, clock_now());
            return;
        }
        free_remains(r);
    }
    if (!list_empty(&hub->remains))
        loop_timer_set(&hub->shrink, clock_now() + SHARED_FOR);
    else
        malloc_trim(0);
}

static void free_stream(stream_t *s)
{
    remains_t *r = host_xcalloc(1, sizeof(*r));

    r->store = watch_store_ref(watch_informer_store(s->informer));
    list_append(&s->hub->remains, &r->link);
    loop_timer_set(&s->hub->shrink, clock_now());
    list_remove(&s->link);
    watch_packing_end(s->packing);
    watch_informer_destroy(s->informer);
    watch_spec_fini(&s->spec);
    free(s);
}

static void tidy_stream(stream_t *s)
{
    LIST_EACH (&s->subs, it, next) {
        watch_sub_t *sub = LIST_ENTRY(it, watch_sub_t, link);

        if (sub->ended)
            free_sub(sub);
    }
    if (list_empty(&s->subs))
        free_stream(s);
}

static void tidy(loop_timer_t *timer)
{
    watch_hub_t *hub = HOST_CONTAINER(timer, watch_hub_t, tidy);

    LIST_EACH (&hub->streams, it, next) {
        tidy_stream(LIST_ENTRY(it, stream_t, link));
    }
}

/* -- Calls to subscribers -- */

/* There is news, so it is known by now whether the kind has namespaces. */
static void learn_scope(watch_sub_t *sub)
{
    if (!sub->scoped && !watch_informer_namespaced(sub->stream->informer))
        watch_view_set_cluster_scoped(sub->view);
    sub->scoped = true;
}

static void tell_event(watch_sub_t *sub, const watch_event_t *event)
{
    watch_view_event_t shown;

    if (sub->ended)
        return;
    learn_scope(sub);
    if (!watch_view_show(sub->view, event, &shown))
        return;
    sub->stream->hub->calling++;
    sub->handler->on_event(sub->arg, &shown.event);
    sub->stream->hub->calling--;
    watch_view_event_fini(&shown);
}

static void tell_synced(watch_sub_t *sub)
{
    if (sub->ended || !sub->replayed || !watch_informer_synced(sub->stream->informer))
        return;
    learn_scope(sub);
    sub->stream->hub->calling++;
    sub->handler->on_synced(sub->arg);
    sub->stream->hub->calling--;
}

static void tell_state(watch_sub_t *sub, const char *problem)
{
    if (sub->ended)
        return;
    sub->stream->hub->calling++;
    sub->handler->on_state(sub->arg, problem);
    sub->stream->hub->calling--;
}

/* -- From the informer -- */

static void on_event(void *arg, const watch_event_t *event)
{
    stream_t *s = arg;

    LIST_EACH (&s->subs, it, next) {
        tell_event(LIST_ENTRY(it, watch_sub_t, link), event);
    }
}

static void on_synced(void *arg, bool synced)
{
    stream_t *s = arg;

    if (!synced)
        return; /* on_state has told why */
    LIST_EACH (&s->subs, it, next) {
        tell_synced(LIST_ENTRY(it, watch_sub_t, link));
    }
}

static void on_state(void *arg, const char *problem)
{
    stream_t *s = arg;

    LIST_EACH (&s->subs, it, next) {
        tell_state(LIST_ENTRY(it, watch_sub_t, link), problem);
    }
    if (watch_informer_denied(s->informer))
        loop_timer_set(&s->hub->split, clock_now());
}

static const watch_informer_handler_t informer_handler = {
    .on_event = on_event,
    .on_synced = on_synced,
    .on_state = on_state,
};

/* Shows a newcomer a slice of what was there before it. */
static void replay(loop_timer_t *timer)
{
    watch_sub_t *sub = HOST_CONTAINER(timer, watch_sub_t, replay);
    watch_informer_t *informer = sub->stream->informer;
    int64_t until = clock_now() + SLICE;

    while (!sub->ended && clock_now() < until) {
        host_cleanup(watch_snapshot_unrefp) watch_snapshot_t *object =
            watch_store_walk_next(watch_informer_store(informer), &sub->walk);

        if (object == NULL) {
            watch_store_walk_end(watch_informer_store(informer), &sub->walk);
            sub->replayed = true;
            tell_synced(sub);
            return;
        }
        const watch_event_t event = {
            .type = WATCH_EVENT_CHANGED, .initial = true, .object = object};

        tell_event(sub, &event);
    }
    if (!sub->ended)
        loop_timer_set(&sub->replay, clock_now());
}

static void begin_replay(loop_timer_t *timer)
{
    watch_sub_t *sub = HOST_CONTAINER(timer, watch_sub_t, replay);
    const char *problem = watch_informer_problem(sub->stream->informer);

    timer->fn = replay;
    if (problem != NULL)
        tell_state(sub, problem);
    if (!sub->ended)
        replay(timer);
}

/* -- Subscriptions -- */

static bool same(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool same_resource(const watch_spec_t *a, const watch_spec_t *b)
{
    return same(a->gvr.group, b->gvr.group) && same(a->gvr.version, b->gvr.version) &&
           same(a->gvr.resource, b->gvr.resource);
}

static bool same_spec(const watch_spec_t *a, const watch_spec_t *b)
{
    return same_resource(a, b) && same(a->ns, b->ns) &&
           same(a->label_selector, b->label_selector) &&
           same(a->field_selector, b->field_selector) && same(a->fields, b->fields) &&
           a->metadata_only == b->metadata_only;
}

static bool given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* What w brings holds all that n asks for, and tells which of it that is. Only the server can apply field
 * selectors, and a view leaves out no fields. */
static bool covers(const watch_spec_t *w, const watch_spec_t *n)
{
    return same_resource(w, n) && same(w->field_selector, n->field_selector) &&
           (!given(w->ns) || same(w->ns, n->ns)) &&
           (!given(w->label_selector) || same(w->label_selector, n->label_selector)) &&
           same(w->fields, n->fields) && (!w->metadata_only || n->metadata_only);
}

static stream_t *find_exact(watch_hub_t *hub, const watch_spec_t *spec)
{
    LIST_EACH (&hub->streams, it, next) {
        stream_t *s = LIST_ENTRY(it, stream_t, link);

        if (same_spec(&s->spec, spec))
            return s;
    }
    return NULL;
}

/* The stream of just this, else one that is open and brings more. */
static stream_t *find_stream(watch_hub_t *hub, const watch_spec_t *spec)
{
    stream_t *exact = find_exact(hub, spec);

    if (exact != NULL)
        return exact;
    LIST_EACH (&hub->streams, it, next) {
        stream_t *s = LIST_ENTRY(it, stream_t, link);

        if (covers(&s->spec, spec) && !watch_informer_denied(s->informer))
            return s;
    }
    return NULL;
}

/* The widest that is announced and covers spec; else spec. One whose stream is open already was not
 * found good for it. */
static const watch_spec_t *widest(watch_hub_t *hub, const watch_spec_t *spec)
{
    LIST_EACH (&hub->plans, it, next) {
        const watch_plan_t *plan = LIST_ENTRY(it, watch_plan_t, link);

        if (covers(&plan->spec, spec) && find_exact(hub, &plan->spec) == NULL)
            spec = &plan->spec;
    }
    return spec;
}

static stream_t *create_stream(watch_hub_t *hub, const watch_spec_t *spec)
{
    stream_t *s = host_xcalloc(1, sizeof(*s));

    s->hub = hub;
    watch_spec_copy(&s->spec, spec);
    list_init(&s->subs);
    list_append(&hub->streams, &s->link);
    s->informer = watch_informer_create(&hub->options, spec, &informer_handler, s);
    s->packing = watch_packing_begin(hub->packer, watch_informer_store(s->informer));
    return s;
}

/* Labels are the view's matter. */
static int check_spec(const watch_spec_t *spec, lh_error_t *err)
{
    watch_fields_t *fields = NULL;
    const int ret = watch_fields_parse(spec->fields, &fields, err);

    watch_fields_destroy(fields);
    if (ret < 0 || spec->field_selector == NULL)
        return ret;
    return watch_field_selector_check(spec->field_selector, err);
}

static void attach(watch_sub_t *sub, stream_t *s)
{
    watch_store_t *store = watch_informer_store(s->informer);

    sub->stream = s;
    sub->replayed = sub->scoped = false;
    list_append(&s->subs, &sub->link);
    watch_view_set(sub->view, &s->spec, store);
    if (sub->spec.index_labels != NULL)
        watch_store_index_labels(store, sub->spec.index_labels);
    watch_store_walk_begin(store, &sub->walk);
    sub->replay.fn = begin_replay;
    loop_timer_set(&sub->replay, clock_now());
}

/* Nobody who asks for less is held up by a plugin that asks for more than the host may see. What the new
 * stream brings comes as to a newcomer; nothing was synced yet. */
static void split_stream(stream_t *s)
{
    LIST_EACH (&s->subs, it, next) {
        watch_sub_t *sub = LIST_ENTRY(it, watch_sub_t, link);

        if (sub->ended || same_spec(&sub->spec, &s->spec))
            continue;
        stream_t *own = find_stream(s->hub, &sub->spec);

        if (own == NULL)
            own = create_stream(s->hub, &sub->spec);
        loop_timer_clear(&sub->replay);
        watch_store_walk_end(watch_informer_store(s->informer), &sub->walk);
        list_remove(&sub->link);
        attach(sub, own);
        /* Without one nothing is known of the new stream yet: the old problem stays until it has synced. */
        if (watch_informer_problem(own->informer) != NULL)
            tell_state(sub, watch_informer_problem(own->informer));
    }
}

static void split(loop_timer_t *timer)
{
    watch_hub_t *hub = HOST_CONTAINER(timer, watch_hub_t, split);

    LIST_EACH (&hub->streams, it, next) {
        stream_t *s = LIST_ENTRY(it, stream_t, link);

        if (watch_informer_denied(s->informer) &&
            watch_store_count(watch_informer_store(s->informer)) == 0)
            split_stream(s);
    }
    tidy(&hub->tidy);
}

watch_plan_t *watch_announce(watch_hub_t *hub, const watch_spec_t *spec)
{
    watch_plan_t *plan = host_xcalloc(1, sizeof(*plan));

    watch_spec_copy(&plan->spec, spec);
    list_append(&hub->plans, &plan->link);
    return plan;
}

void watch_withdraw(watch_plan_t *plan)
{
    if (plan == NULL)
        return;
    list_remove(&plan->link);
    watch_spec_fini(&plan->spec);
    free(plan);
}

int watch_subscribe(watch_hub_t *hub, const watch_spec_t *spec, const watch_handler_t *handler,
                    void *arg, watch_sub_t **out, lh_error_t *err)
{
    HOST_ASSERT_LOOP(hub->options.loop);
    watch_view_t *view = NULL;
    int ret = check_spec(spec, err);

    if (ret == 0)
        ret = watch_view_create(spec, &view, err);
    if (ret < 0)
        return ret;
    stream_t *s = find_stream(hub, spec);
    watch_sub_t *sub = host_xcalloc(1, sizeof(*sub));

    if (s == NULL)
        s = create_stream(hub, widest(hub, spec));
    watch_spec_copy(&sub->spec, spec);
    sub->handler = handler;
    sub->arg = arg;
    sub->view = view;
    loop_timer_init(&sub->replay, hub->options.loop, begin_replay);
    attach(sub, s);
    *out = sub;
    return 0;
}

void watch_unsubscribe(watch_sub_t *sub)
{
    watch_hub_t *hub = sub->stream->hub;

    HOST_ASSERT_LOOP(hub->options.loop);
    sub->ended = true;
    loop_timer_clear(&sub->replay);
    watch_store_walk_end(watch_informer_store(sub->stream->informer), &sub->walk);
    if (hub->calling > 0)
        loop_timer_set(&hub->tidy, clock_now());
    else
        tidy_stream(sub->stream);
}

void watch_hub_begin_term(watch_hub_t *hub)
{
    LIST_EACH (&hub->streams, it, next) {
        watch_informer_begin_term(LIST_ENTRY(it, stream_t, link)->informer);
    }
}

watch_view_t *watch_sub_view(watch_sub_t *sub)
{
    return watch_view_ref(sub->view);
}

bool watch_sub_namespaced(const watch_sub_t *sub)
{
    return watch_informer_namespaced(sub->stream->informer);
}

/* -- Life -- */

watch_hub_t *watch_hub_create(const watch_hub_options_t *options)
{
    watch_hub_t *hub = host_xcalloc(1, sizeof(*hub));

    hub->options = *options;
    hub->options.pace = &hub->pace;
    watch_pace_init(&hub->pace, options->loop, options->max_lists);
    hub->packer = watch_packer_create(options->loop);
    list_init(&hub->streams);
    list_init(&hub->plans);
    list_init(&hub->remains);
    loop_timer_init(&hub->split, options->loop, split);
    loop_timer_init(&hub->shrink, options->loop, shrink);
    loop_timer_init(&hub->tidy, options->loop, tidy);
    return hub;
}

void watch_hub_destroy(watch_hub_t *hub)
{
    if (hub == NULL)
        return;
    loop_timer_clear(&hub->split);
    loop_timer_clear(&hub->tidy);
    tidy(&hub->tidy);
    loop_timer_clear(&hub->shrink);
    LIST_EACH (&hub->remains, it, next) {
        free_remains(LIST_ENTRY(it, remains_t, link));
    }
    watch_pace_fini(&hub->pace);
    watch_packer_destroy(hub->packer);
    free(hub);
}
