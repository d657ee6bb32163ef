/* SPDX-License-Identifier: Apache-2.0 */
/* From events to runs: namespaces, scopes, capacity, keys that the plugin asks for. */
#include "runtime_rig.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Every run is written down as "REASON ns/name "; it waits for `go` when `blocking` and is completed
 * unless `keeping`. */
typedef struct seen {
    hooks_t hooks; /* first */
    rig_t *rig;
    sem_t go;
    _Atomic bool blocking, keeping;
    _Atomic int inside;
    pthread_mutex_t lock; /* the three below */
    char runs[2000];
    lh_completion_t kept[16];
    int count;
} seen_t;

static void complete(seen_t *s, lh_completion_t completion, uint32_t action)
{
    const lh_result_t result = {.struct_size = sizeof(result), .action = action};

    s->hooks.host->complete(s->hooks.host, completion, &result);
}

static void reconcile(hooks_t *h, const lh_request_t *request, lh_completion_t completion)
{
    static const char *const reasons[] = {"changed", "gone", "left", "requeued", "initial"};
    seen_t *s = (seen_t *) h;

    s->inside++;
    pthread_mutex_lock(&s->lock);
    const size_t len = strlen(s->runs);
    snprintf(s->runs + len, sizeof(s->runs) - len, "%s %s/%s ", reasons[request->reason],
             request->key->ns, request->key->name);
    s->kept[s->count++] = completion;
    pthread_mutex_unlock(&s->lock);
    if (s->blocking) {
        while (sem_wait(&s->go) < 0 && errno == EINTR)
            ;
    }
    s->inside--;
    if (!s->keeping)
        complete(s, completion, LH_DONE);
}

static seen_t *seen_create(rig_options_t options)
{
    seen_t *s = host_xcalloc(1, sizeof(*s));

    s->hooks = (hooks_t){.reconcile = reconcile};
    sem_init(&s->go, 0, 0);
    pthread_mutex_init(&s->lock, NULL);
    options.hooks = &s->hooks;
    s->rig = rig_create_with(&options);
    return s;
}

/* Ends the term and all. */
static void seen_destroy(seen_t *s)
{
    rig_end(s->rig, true, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_destroy(s->rig);
    sem_destroy(&s->go);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static char *runs(seen_t *s)
{
    pthread_mutex_lock(&s->lock);
    char *copy = host_xstrdup(s->runs);
    pthread_mutex_unlock(&s->lock);
    return copy;
}

typedef struct wanted {
    seen_t *seen;
    const char *runs; /* NULL: the count alone */
    int count;
} wanted_t;

static bool has_runs(rig_t *r, const void *arg)
{
    const wanted_t *w = arg;

    (void) r;
    host_cleanup(host_freep) char *text = runs(w->seen);
    pthread_mutex_lock(&w->seen->lock);
    const int count = w->seen->count;
    pthread_mutex_unlock(&w->seen->lock);
    return w->runs != NULL ? strlen(text) >= strlen(w->runs) : count >= w->count;
}

/* These runs, in this order, and no more. */
static void expect_runs(seen_t *s, const char *expected)
{
    const wanted_t w = {s, expected, 0};

    rig_until(s->rig, has_runs, &w, expected);
    rig_idle(s->rig);
    host_cleanup(host_freep) char *text = runs(s);
    EXPECT_STR(text, expected);
}

/* So many runs, and no more. */
static void expect_count(seen_t *s, int expected)
{
    const wanted_t w = {s, NULL, expected};

    rig_until(s->rig, has_runs, &w, "so many runs");
    rig_idle(s->rig);
    pthread_mutex_lock(&s->lock);
    EXPECT_INT(s->count, expected);
    pthread_mutex_unlock(&s->lock);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void object(seen_t *s, const char *stream, const char *type, const char *kind,
                   const char *ns, const char *name, int version, const char *more)
{
    host_cleanup(host_freep) char *text = host_xprintf(
        "{\"apiVersion\":\"v1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\",\"uid\":\"uid-%s%s\","
        "\"resourceVersion\":\"%d\"%s%s%s%s}}",
        kind, name, ns, name, version, ns[0] != '\0' ? ",\"namespace\":\"" : "", ns,
        ns[0] != '\0' ? "\"" : "", more);

    rig_object(s->rig, stream, type, text);
}

#define CM "configmaps?"

/* -- Namespaces -- */

Test(controller, every_namespace_has_its_stream_and_all_must_have_synced)
{
    seen_t *s = seen_create((rig_options_t){.namespaces = NAMES("a", "b")});

    rig_begin(s->rig, 1);
    object(s, "namespaces/a/" CM, "ADDED", "ConfigMap", "a", "one", 1, "");
    rig_synced(s->rig, "namespaces/a/" CM);
    expect_runs(s, "");
    object(s, "namespaces/b/" CM, "ADDED", "ConfigMap", "b", "one", 2, "");
    rig_synced(s->rig, "namespaces/b/" CM);
    expect_count(s, 2);
    host_cleanup(host_freep) char *text = runs(s);
    EXPECT_HAS(text, "initial a/one ");
    EXPECT_HAS(text, "initial b/one ");
    seen_destroy(s);
}

#define OWNED                                                                                      \
    "[{\"group\":\"example.com\",\"version\":\"v1\",\"resource\":\"sites\",\"kind\":\"Site\"},"    \
    "{\"version\":\"v1\",\"resource\":\"configmaps\",\"kind\":\"ConfigMap\",\"role\":\"owned\"}]"
#define OWNER(name)                                                                                \
    ",\"ownerReferences\":[{\"apiVersion\":\"example.com/v1\",\"kind\":\"Site\",\"name\":\"" name  \
    "\",\"uid\":\"u\",\"controller\":true}]"

/* What discovery says of "sites". */
static kube_kind_t site(bool namespaced)
{
    static char kind[] = "Site";

    return (kube_kind_t){.kind = kind, .namespaced = namespaced, .watchable = true};
}

Test(controller, an_owned_object_brings_its_owner_and_a_lost_owner_too)
{
    seen_t *s = seen_create((rig_options_t){.watches = OWNED, .workers = 1});
    const kube_kind_t kind = site(true);

    fake_kube_set_kind_of(s->rig->kube, "sites", &kind);
    rig_begin(s->rig, 1);
    rig_synced(s->rig, "sites?");
    rig_synced(s->rig, CM);
    object(s, "sites?", "ADDED", "Site", "ns", "a", 101, "");
    expect_runs(s, "changed ns/a ");
    object(s, CM, "ADDED", "ConfigMap", "ns", "c", 101, OWNER("a"));
    expect_runs(s, "changed ns/a changed ns/a ");
    object(s, CM, "MODIFIED", "ConfigMap", "ns", "c", 102, ""); /* the reference was taken away */
    expect_runs(s, "changed ns/a changed ns/a changed ns/a ");
    object(s, CM, "MODIFIED", "ConfigMap", "ns", "c", 103, "");
    expect_runs(s, "changed ns/a changed ns/a changed ns/a ");
    object(s, CM, "ADDED", "ConfigMap", "ns", "d", 104,
           OWNER("b")); /* an owner that is not there */
    expect_runs(s, "changed ns/a changed ns/a changed ns/a gone ns/b ");
    seen_destroy(s);
}

/* -- Cluster-scoped kinds -- */

#define SITES "[{\"version\":\"v1\",\"resource\":\"sites\",\"kind\":\"Site\"}]"

static int walk(seen_t *s, lh_ctx_t ctx)
{
    const lh_query_t query = {.struct_size = sizeof(query)};
    const lh_host_t *h = s->hooks.host;
    lh_snapshot_t *object_ = NULL;
    lh_cursor_t *cursor = NULL;
    int n = 0;

    EXPECT_INT(h->cache_list(h, ctx, &query, &cursor, NULL), 0);
    while (h->cursor_next(h, cursor, &object_, NULL) == 0 && object_ != NULL) {
        h->snapshot_release(h, object_);
        n++;
    }
    h->cursor_release(h, cursor);
    return n;
}

static lh_ctx_t term_ctx; /* of the test program's one process */

static int keep_ctx(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) h;
    (void) err;
    term_ctx = ctx;
    return 0;
}

/* The kind is opened once for each namespace, before anybody knows that it has none. */
Test(controller, a_cluster_scoped_primary_is_reconciled_once_however_many_namespaces_there_are)
{
    seen_t *s = seen_create((rig_options_t){.watches = SITES, .namespaces = NAMES("a", "b")});
    const lh_key_t key = {sizeof(key), 0, "", "one"};
    const kube_kind_t kind = site(false);
    lh_snapshot_t *found = NULL;

    s->hooks.activate = keep_ctx;
    fake_kube_set_kind_of(s->rig->kube, "sites", &kind);
    rig_begin(s->rig, 1);
    kube_call_t *first = rig_stream(s->rig, "/sites?");
    static const char *const lines[] = {
        "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Site\",\"metadata\":{"
        "\"name\":\"one\",\"uid\":\"u\",\"resourceVersion\":\"1\"}}}\n",
        "{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Site\",\"metadata\":{"
        "\"resourceVersion\":\"100\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n",
        "{\"type\":\"DELETED\",\"object\":{\"apiVersion\":\"v1\",\"kind\":\"Site\",\"metadata\":{"
        "\"name\":\"one\",\"uid\":\"u\",\"resourceVersion\":\"101\"}}}\n"};
    kube_call_t *second = fake_kube_next(s->rig->kube, first, "/sites?");
    cr_assert(second != NULL);
    cr_assert(fake_kube_data(second, lines[0]));
    cr_assert(fake_kube_data(first, lines[0]));
    cr_assert(fake_kube_data(second, lines[1]));
    expect_runs(s, "initial /one ");
    /* The other one is closed: each kept a stream and a cache of the whole kind. */
    first = fake_kube_find(s->rig->kube, "/sites?");
    cr_assert(first == second && fake_kube_next(s->rig->kube, first, "/sites?") == NULL);
    EXPECT_INT(walk(s, term_ctx), 1);
    EXPECT_INT(s->hooks.host->cache_get(s->hooks.host, term_ctx, &key, &found, NULL), 0);
    s->hooks.host->snapshot_release(s->hooks.host, found);
    cr_assert(fake_kube_data(first, lines[2]));
    expect_runs(s, "initial /one gone /one ");
    seen_destroy(s);
}

Test(controller,
     an_owned_object_that_comes_before_its_cluster_scoped_owner_makes_no_key_of_its_namespace)
{
    seen_t *s = seen_create((rig_options_t){.watches = OWNED});
    const kube_kind_t kind = site(false);

    fake_kube_set_kind_of(s->rig->kube, "sites", &kind);
    rig_begin(s->rig, 1);
    object(s, CM, "ADDED", "ConfigMap", "ns", "c", 1, OWNER("a"));
    rig_synced(s->rig, CM);
    object(s, "sites?", "ADDED", "Site", "", "a", 1, "");
    rig_synced(s->rig, "sites?");
    expect_runs(s, "initial /a ");
    object(s, CM, "MODIFIED", "ConfigMap", "ns", "c", 101, OWNER("a"));
    expect_runs(s, "initial /a changed /a ");
    seen_destroy(s);
}

/* -- Capacity -- */

Test(controller, no_more_than_max_in_flight_are_under_way)
{
    seen_t *s = seen_create((rig_options_t){.max_in_flight = 3, .workers = 8});

    s->keeping = true;
    rig_lead(s->rig, 1, NAMES("a", "b", "c", "d", "e"));
    expect_count(s, 3);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_active_workers{controller=\"puppet\"}"), 3);
    complete(s, s->kept[1], LH_DONE);
    expect_count(s, 4);
    complete(s, s->kept[0], LH_FAIL);
    expect_count(s, 5);
    for (int i = 2; i < 5; i++)
        complete(s, s->kept[i], LH_DONE);
    seen_destroy(s);
}

Test(controller, no_more_than_the_workers_are_inside_and_one_key_never_twice)
{
    seen_t *s = seen_create((rig_options_t){.workers = 2});

    s->blocking = true;
    rig_lead(s->rig, 1, NAMES("a", "b", "c", "d", "e", "f", "g"));
    expect_count(s, 2);
    EXPECT_INT(s->inside, 2);
    rig_event(s->rig, "MODIFIED", "a", 101); /* inside already, so it waits */
    sem_post(&s->go);
    expect_count(s, 3);
    EXPECT_INT(s->inside, 2);
    s->blocking = false;
    for (int i = 0; i < 2; i++)
        sem_post(&s->go);
    expect_count(s, 8);
    host_cleanup(host_freep) char *text = runs(s);
    EXPECT_HAS(text, "changed ns/a ");
    seen_destroy(s);
}

#define PUPPET "{controller=\"puppet\"}"

/* One more job for each worker is handed over early: it counted as active, and its waiting as work. */
Test(controller, what_waits_for_a_worker_is_not_active)
{
    seen_t *s = seen_create((rig_options_t){.workers = 1});

    s->blocking = true;
    EXPECT_INT(rig_series(s->rig, "controller_runtime_max_concurrent_reconciles" PUPPET), 1);
    rig_lead(s->rig, 1, NAMES("a", "b", "c"));
    expect_count(s, 1);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_active_workers" PUPPET), 1);
    fake_clock_advance(10 * CLOCK_S);
    sem_post(&s->go);
    expect_count(s, 2);
    fake_clock_advance(CLOCK_S);
    sem_post(&s->go);
    expect_count(s, 3);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_active_workers" PUPPET), 1);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_reconcile_time_seconds_sum" PUPPET), 11);
    EXPECT_INT(rig_series(s->rig, "workqueue_work_duration_seconds_sum"
                                  "{name=\"puppet\",controller=\"puppet\"}"),
               11);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_max_concurrent_reconciles" PUPPET), 1);
    sem_post(&s->go);
    seen_destroy(s);
}

Test(controller, a_plugin_that_completes_later_may_have_max_in_flight_under_way)
{
    seen_t *s = seen_create((rig_options_t){.max_in_flight = 3, .workers = 1});

    s->keeping = true;
    rig_lead(s->rig, 1, NAMES("a", "b", "c", "d"));
    expect_count(s, 3);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_active_workers" PUPPET), 3);
    EXPECT_INT(rig_series(s->rig, "controller_runtime_max_concurrent_reconciles" PUPPET), 3);
    s->keeping = false;
    for (int i = 0; i < 3; i++)
        complete(s, s->kept[i], LH_DONE);
    seen_destroy(s);
}

Test(controller, a_key_is_not_handed_out_again_before_its_call_has_returned)
{
    seen_t *s = seen_create((rig_options_t){.workers = 2});

    s->blocking = s->keeping = true;
    rig_lead(s->rig, 1, NAMES("a"));
    expect_count(s, 1);
    complete(s, s->kept[0], LH_DONE); /* completed, but still inside */
    rig_event(s->rig, "MODIFIED", "a", 101);
    expect_count(s, 1);
    sem_post(&s->go);
    expect_count(s, 2);
    sem_post(&s->go);
    complete(s, s->kept[1], LH_DONE);
    seen_destroy(s);
}

Test(controller, jobs_that_have_not_begun_at_the_terms_end_never_run)
{
    seen_t *s = seen_create((rig_options_t){.workers = 1});

    s->blocking = true;
    rig_lead(s->rig, 1, NAMES("a", "b", "c"));
    expect_count(s, 1);
    rig_end(s->rig, false, CLOCK_S);
    rig_idle(s->rig);
    sem_post(&s->go);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    expect_count(s, 1);
    s->blocking = false;
    rig_lead(s->rig, 2, NAMES("a"));
    expect_count(s, 2);
    seen_destroy(s);
}

/* -- The fence -- */

Test(controller, a_suspended_fence_that_opens_again_lets_waiting_keys_run)
{
    seen_t *s = seen_create((rig_options_t){0});

    rig_lead(s->rig, 1, NULL);
    rig_idle(s->rig);
    fence_suspend(s->rig->fence);
    rig_event(s->rig, "ADDED", "a", 101);
    expect_runs(s, "");
    cr_assert(fence_extend(s->rig->fence, CLOCK_NEVER)); /* nobody tells the controller */
    fake_clock_advance(CLOCK_S / 2);
    expect_runs(s, "changed ns/a ");
    seen_destroy(s);
}

/* -- enqueue() -- */

static int ask(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    const lh_key_t here = {sizeof(here), 0, "ns", "wanted"},
                   elsewhere = {sizeof(here), 0, "x", "y"};

    term_ctx = ctx;
    EXPECT_INT(h->host->enqueue(h->host, ctx, &here, err), 0);
    EXPECT_INT(h->host->enqueue(h->host, ctx, &elsewhere, err), 0);
    return 0;
}

Test(controller, a_key_asked_for_in_activate_runs_after_the_first_list)
{
    seen_t *s = seen_create((rig_options_t){.namespaces = NAMES("ns")});

    s->hooks.activate = ask;
    rig_begin(s->rig, 1);
    (void) rig_stream(s->rig, CM);
    expect_runs(s, "");
    rig_synced(s->rig, CM);
    expect_runs(
        s, "gone ns/wanted "); /* there is no such object; outside its namespaces nothing runs */
    seen_destroy(s);
}

static int ask_and_fail(hooks_t *h, lh_ctx_t ctx, lh_error_t *err)
{
    (void) ask(h, ctx, err);
    snprintf(err->text, sizeof(err->text), "no");
    return LH_EAPI;
}

Test(controller, a_key_asked_for_in_a_term_that_never_was_is_not_run_in_the_next)
{
    seen_t *s = seen_create((rig_options_t){0});

    s->hooks.activate = ask_and_fail;
    rig_begin(s->rig, 1);
    rig_idle(s->rig);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    s->hooks.activate = NULL;
    rig_lead(s->rig, 2, NULL);
    expect_runs(s, "");
    seen_destroy(s);
}

Test(controller, a_key_that_waits_is_not_added_twice)
{
    seen_t *s = seen_create((rig_options_t){.workers = 1});
    const lh_key_t key = {sizeof(key), 0, "ns", "b"};

    s->hooks.activate = keep_ctx;
    s->blocking = true;
    rig_lead(s->rig, 1, NAMES("a"));
    expect_count(s, 1);
    for (int i = 0; i < 5; i++)
        EXPECT_INT(s->hooks.host->enqueue(s->hooks.host, term_ctx, &key, NULL), 0);
    rig_idle(s->rig);
    s->blocking = false;
    sem_post(&s->go);
    expect_runs(s, "initial ns/a gone ns/b ");
    seen_destroy(s);
}

static int ask_for_names(seen_t *s, const char *prefix, int count)
{
    char name[32];
    const lh_key_t key = {sizeof(key), 0, "ns", name};

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "%s%d", prefix, i);
        const int code = s->hooks.host->enqueue(s->hooks.host, term_ctx, &key, NULL);
        if (code < 0)
            return code;
    }
    return 0;
}

Test(controller, keys_without_an_object_are_bounded)
{
    seen_t *s = seen_create((rig_options_t){0});

    s->hooks.activate = keep_ctx;
    rig_begin(s->rig, 1);
    (void) rig_stream(s->rig, CM);
    EXPECT_INT(ask_for_names(s, "x", 100000), 0);
    EXPECT_INT(ask_for_names(s, "y", 1), LH_EBUSY); /* nothing is queued yet */
    rig_idle(s->rig);
    EXPECT_INT(ask_for_names(s, "y", 1), LH_EBUSY);
    object(s, CM, "ADDED", "ConfigMap", "ns", "y0", 1, "");
    EXPECT_INT(ask_for_names(s, "y", 1), 0);
    rig_end(s->rig, false, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_begin(s->rig, 2);
    (void) rig_stream(s->rig, CM);
    EXPECT_INT(ask_for_names(s, "z", 1), 0);
    seen_destroy(s);
}

/* The queue of the term before is cleared in parts; none of its keys may come in the next. */
Test(controller, keys_of_a_large_queue_do_not_come_in_the_next_term)
{
    seen_t *s = seen_create((rig_options_t){0});

    s->hooks.activate = keep_ctx;
    rig_begin(s->rig, 1);
    (void) rig_stream(s->rig, CM);
    EXPECT_INT(ask_for_names(s, "x", 30000), 0);
    rig_idle(s->rig);
    rig_end(s->rig, true, CLOCK_S);
    rig_until_flag(s->rig, &s->rig->rested, "rested");
    rig_lead(s->rig, 2, NAMES("a"));
    expect_runs(s, "initial ns/a ");
    seen_destroy(s);
}

Test(controller, nothing_is_kept_of_a_key_without_an_object_that_failed_for_good)
{
    seen_t *s = seen_create((rig_options_t){.max_in_flight = 1});

    s->hooks.activate = keep_ctx;
    s->keeping = true;
    rig_lead(s->rig, 1, NULL);
    EXPECT_INT(ask_for_names(s, "x", 1), 0);
    expect_count(s, 1);
    complete(s, s->kept[0], LH_RETRY);
    rig_idle(s->rig);
    fake_clock_advance(CLOCK_S);
    expect_count(s, 2);
    complete(s, s->kept[1], LH_FAIL);
    rig_idle(s->rig);
    EXPECT_INT(ask_for_names(s, "y", 100000), 0); /* as many as without x0 */
    seen_destroy(s);
}

/* -- Selectors -- */

Test(controller, under_a_selector_an_absent_object_has_left)
{
    seen_t *s = seen_create((rig_options_t){
        .watches = "[{\"version\":\"v1\",\"resource\":\"configmaps\",\"kind\":\"ConfigMap\","
                   "\"labelSelector\":\"a=b\"}]"});
    const lh_key_t key = {sizeof(key), 0, "ns", "x"};

    s->hooks.activate = keep_ctx;
    rig_lead(s->rig, 1, NULL);
    EXPECT_INT(s->hooks.host->enqueue(s->hooks.host, term_ctx, &key, NULL), 0);
    expect_runs(s, "left ns/x ");
    seen_destroy(s);
}
