/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry is in the table while there is anything to know about its key. `pending` says that it
 * wants a run; it stands in the line (line.c) while pending and not handed out, in the heap
 * (heap.c) while delayed. Memory is taken when an entry is made, so that queue_finish cannot fail.
 */
#include "queue/queue.h"

#include "base/bucket.h"
#include "base/clock.h"
#include "base/rand.h"
#include "queue/heap.h"
#include "queue/line.h"
#include "queue/meter.h"
#include "queue/slab.h"

#include <leasehold/types.h>
#include <string.h>

enum { MAX_TOMBSTONES = 8 };

struct queue {
    hash_table_t entries; /* by key */
    queue_slabs_t slabs;  /* their memory */
    queue_line_t line;
    queue_heap_t heap;
    queue_meter_t meter;
    list_t running; /* begun, by start time */
    list_t stale;
    size_t running_count; /* handed out */
    size_t started_count; /* of these, begun */
    size_t guest_count;
    size_t poison_count; /* keys with QUEUE_POISON failures or more */
    bucket_t retries;
    uint64_t started_sum; /* of those begun, modulo 2^64, as only the difference to now counts */
    int64_t backoff_base, backoff_cap;
    int64_t (*rand_below)(int64_t bound);
};

/* -- Keys and entries -- */

static bool key_equal(const queue_key_t *a, const queue_key_t *b)
{
    return a->watch == b->watch && strcmp(a->name, b->name) == 0 && strcmp(a->ns, b->ns) == 0;
}

static uint32_t key_hash(const queue_key_t *key)
{
    return hash_table_hash(hash_table_hash(HASH_TABLE_SEED ^ key->watch, key->ns), key->name);
}

static queue_entry_t *entry_create(queue_t *q, const queue_key_t *key, uint32_t hash)
{
    size_t ns_size = strlen(key->ns) + 1, name_size = strlen(key->name) + 1;
    queue_entry_t *e = queue_slabs_alloc(&q->slabs, sizeof(*e) + ns_size + name_size);

    if (e == NULL)
        return NULL;
    memcpy(e->text, key->ns, ns_size);
    memcpy(e->text + ns_size, key->name, name_size);
    e->key = (queue_key_t){key->watch, e->text, e->text + ns_size};
    e->reason = QUEUE_NO_REASON;
    e->priority = QUEUE_INITIAL;
    e->at = CLOCK_NEVER;
    list_init(&e->link);
    list_init(&e->oldest);
    if (queue_heap_reserve(&q->heap, q->entries.count + 1) < 0)
        goto fail;
    e->space = queue_line_space(&q->line, e->key.ns);
    if (e->space == NULL)
        goto fail;
    hash_table_add(&q->entries, &e->node, hash);
    return e;

fail:
    queue_slabs_free(&q->slabs, e);
    return NULL;
}

static queue_entry_t *entry_get(queue_t *q, const queue_key_t *key)
{
    const uint32_t hash = key_hash(key);
    hash_node_t *n = hash_table_first(&q->entries, hash);

    for (; n != NULL; n = hash_table_next(n)) {
        queue_entry_t *e = HASH_TABLE_ENTRY(n, queue_entry_t, node);

        if (key_equal(&e->key, key))
            return e;
    }
    return entry_create(q, key, hash);
}

static void tombstone_free(queue_tombstone_t *t)
{
    if (t == NULL)
        return;
    watch_snapshot_unref(t->last);
    free(t);
}

/* Frees what an entry holds; it is in no list, heap or table any more. */
static void entry_free(queue_t *q, queue_entry_t *e)
{
    while (e->tombs != NULL) {
        queue_tombstone_t *t = e->tombs;

        e->tombs = t->next;
        tombstone_free(t);
    }
    tombstone_free(e->current);
    queue_slabs_free(&q->slabs, e);
}

/* -- Metrics -- */

static void show_depth(const queue_t *q)
{
    queue_meter_depth(&q->meter, q->line.count);
}

static void show_running(const queue_t *q, int64_t now)
{
    int64_t longest = 0;

    if (!list_empty(&q->running))
        longest = now - LIST_ENTRY(q->running.next, queue_entry_t, link)->started_at;
    queue_meter_running(&q->meter, (int64_t) (q->started_count * (uint64_t) now - q->started_sum),
                        longest);
}

/* -- Moves of an entry -- */

/* Of two reasons for one run the one that says more. */
static uint32_t stronger(uint32_t a, uint32_t b)
{
    static const uint32_t order[] = {LH_REASON_CHANGED, LH_REASON_INITIAL, LH_REASON_REQUEUED};

    for (size_t i = 0; i < HOST_LEN(order); i++) {
        if (a == order[i] || b == order[i])
            return order[i];
    }
    return b;
}

static void make_pending(queue_t *q, queue_entry_t *e, int64_t now)
{
    queue_heap_remove(&q->heap, e);
    if (e->pending)
        return;
    e->pending = true;
    e->added_at = now;
    queue_meter_added(&q->meter);
}

static void raise_priority(queue_t *q, queue_entry_t *e, enum queue_priority priority)
{
    if (priority >= e->priority)
        return;
    if (e->ready)
        queue_line_remove(&q->line, e); /* settle() puts it at the end of the higher class */
    e->priority = priority;
}

static void delay_until(queue_t *q, queue_entry_t *e, int64_t at)
{
    queue_meter_retried(&q->meter);
    if (!e->pending && at < e->at)
        queue_heap_set(&q->heap, e, at);
}

static void set_guest(queue_t *q, queue_entry_t *e, bool guest)
{
    q->guest_count += guest;
    q->guest_count -= e->guest;
    e->guest = guest;
}

static void set_failures(queue_t *q, queue_entry_t *e, uint32_t failures)
{
    const bool was = e->failures >= QUEUE_POISON, is = failures >= QUEUE_POISON;

    e->failures = failures;
    if (was == is)
        return;
    q->poison_count += is;
    q->poison_count -= was;
    queue_meter_poison(&q->meter, q->poison_count);
}

/* Puts an entry where its fields say that it belongs. */
static void settle(queue_t *q, queue_entry_t *e, bool front)
{
    if (e->running)
        return;
    if (e->pending && !e->ready) {
        queue_line_push(&q->line, e, front);
    } else if (!e->pending && e->at == CLOCK_NEVER) {
        e->priority = QUEUE_INITIAL; /* the next add chooses */
        if (e->failures == 0) {
            hash_table_remove(&q->entries, &e->node);
            queue_line_unref(&q->line, e->space);
            set_guest(q, e, false);
            entry_free(q, e);
        }
    }
    show_depth(q);
}

/* -- Adding -- */

static void add(queue_t *q, queue_entry_t *e, uint32_t reason, enum queue_priority priority,
                int64_t now)
{
    e->reason = stronger(e->reason, reason);
    raise_priority(q, e, priority);
    make_pending(q, e, now);
    settle(q, e, false);
}

int queue_add(queue_t *q, const queue_key_t *key, uint32_t reason, enum queue_priority priority,
              int64_t now)
{
    queue_entry_t *e = entry_get(q, key);

    if (e == NULL)
        return LH_ENOMEM;
    set_guest(q, e, false);
    add(q, e, reason, priority, now);
    return 0;
}

int queue_add_guest(queue_t *q, const queue_key_t *key, int64_t now)
{
    const size_t before = q->entries.count;
    queue_entry_t *e = entry_get(q, key);

    if (e == NULL)
        return LH_ENOMEM;
    if (q->entries.count > before)
        set_guest(q, e, true);
    add(q, e, LH_REASON_REQUEUED, QUEUE_LIVE, now);
    return 0;
}

static queue_tombstone_t *tombstone_create(uint32_t reason, const char *uid,
                                           const watch_snapshot_t *last)
{
    size_t size = strlen(uid) + 1;
    queue_tombstone_t *t = calloc(1, sizeof(*t) + size);

    if (t == NULL)
        return NULL;
    memcpy(t->uid, uid, size);
    t->reason = reason;
    t->last = last != NULL ? watch_snapshot_ref(last) : NULL;
    return t;
}

/* Appends t, in the place of one for the same uid when that still waits. */
static void tombstone_append(queue_t *q, queue_entry_t *e, queue_tombstone_t *t)
{
    queue_tombstone_t **at = &e->tombs;

    while (*at != NULL && strcmp((*at)->uid, t->uid) != 0) {
        at = &(*at)->next;
    }
    queue_tombstone_t *same = *at;

    *at = t;
    if (same != NULL) {
        t->next = same->next;
        tombstone_free(same);
        return;
    }
    if (e->tomb_count < MAX_TOMBSTONES) {
        e->tomb_count++;
        return;
    }
    queue_tombstone_t *oldest = e->tombs;

    e->tombs = oldest->next;
    tombstone_free(oldest);
    queue_meter_merged(&q->meter);
}

int queue_add_tombstone(queue_t *q, const queue_key_t *key, uint32_t reason, const char *uid,
                        const watch_snapshot_t *last, int64_t now)
{
    queue_tombstone_t *t = tombstone_create(reason, uid, last);
    queue_entry_t *e = t != NULL ? entry_get(q, key) : NULL;

    if (e == NULL) {
        tombstone_free(t);
        return LH_ENOMEM;
    }
    set_guest(q, e, false);
    tombstone_append(q, e, t);
    e->reason = QUEUE_NO_REASON;
    raise_priority(q, e, QUEUE_LIVE);
    make_pending(q, e, now);
    settle(q, e, false);
    return 0;
}

int queue_add_at(queue_t *q, const queue_key_t *key, int64_t at, int64_t now)
{
    if (at <= now)
        return queue_add(q, key, LH_REASON_REQUEUED, QUEUE_LIVE, now);
    queue_entry_t *e = entry_get(q, key);

    if (e == NULL)
        return LH_ENOMEM;
    if (!e->pending && e->at == CLOCK_NEVER && !e->running)
        e->priority = QUEUE_LIVE;
    e->reason = stronger(e->reason, LH_REASON_REQUEUED);
    delay_until(q, e, at);
    return 0;
}

/* -- Handing out -- */

static void wake_due(queue_t *q, int64_t now)
{
    queue_entry_t *e;

    while ((e = queue_heap_first(&q->heap)) != NULL && e->at <= now) {
        make_pending(q, e, now);
        settle(q, e, false);
    }
}

void queue_tick(queue_t *q, int64_t now)
{
    wake_due(q, now);
    show_running(q, now);
}

bool queue_take(queue_t *q, int64_t now, queue_run_t *out)
{
    wake_due(q, now);
    queue_entry_t *e = queue_line_pop(&q->line, now);

    if (e == NULL)
        return false;
    e->pending = false;
    e->running = true;
    e->run_added_at = e->added_at;
    e->started_at = 0;
    q->running_count++;
    if (e->tombs != NULL) {
        e->current = e->tombs;
        e->tombs = e->current->next;
        e->tomb_count--;
        e->run_reason = e->current->reason;
        e->object_waits = e->reason != QUEUE_NO_REASON;
    } else {
        e->run_reason = e->reason;
        e->reason = QUEUE_NO_REASON;
        e->object_waits = false;
    }
    show_depth(q);
    show_running(q, now);
    *out = (queue_run_t){
        .key = e->key,
        .reason = e->run_reason,
        .attempt = e->failures,
        .uid = e->current != NULL ? e->current->uid : "",
        .last = e->current != NULL ? e->current->last : NULL,
        .entry = e,
    };
    return true;
}

void queue_started(queue_t *q, void *entry, int64_t at)
{
    queue_entry_t *e = entry;

    if (e->stale)
        return;
    if (e->started_at == 0) {
        list_append(&q->running, &e->link);
        q->started_count++;
        queue_meter_taken(&q->meter, HOST_MAX(at - e->run_added_at, 0));
    }
    q->started_sum += (uint64_t) (at - e->started_at);
    e->started_at = at;
}

/* -- The end of a run -- */

/* Puts what the run was about back in front. */
static void restore_run(queue_entry_t *e, uint32_t reason)
{
    if (e->current == NULL) {
        e->reason = stronger(e->reason, reason);
        return;
    }
    e->current->next = e->tombs;
    e->tombs = host_steal(e->current);
    e->tomb_count++;
}

static void repeat_at(queue_t *q, queue_entry_t *e, int64_t at, int64_t now)
{
    restore_run(e, LH_REASON_REQUEUED);
    if (at <= now)
        make_pending(q, e, now);
    else
        delay_until(q, e, at);
}

/* What the run was about waits again, as long as it has, with what has come meanwhile: a tombstone
 * buries the present object that it was to see. */
static void put_back(queue_t *q, queue_entry_t *e)
{
    if (e->current != NULL || e->tombs == NULL)
        restore_run(e, e->run_reason);
    e->pending = true;
    e->added_at = e->run_added_at;
    queue_heap_remove(&q->heap, e);
}

/* The run has delivered what it was about; there may be more. */
static void complete(queue_t *q, queue_entry_t *e, int64_t now)
{
    tombstone_free(host_steal(e->current));
    if (e->tombs != NULL || e->object_waits)
        make_pending(q, e, now);
}

/* The longer of the key's own back-off and what the rate of all retries asks for, as client-go's default
 * limiter has it: each takes its token, also when its back-off is longer. */
static int64_t backoff(queue_t *q, uint32_t failures, int64_t now)
{
    const int64_t turn = bucket_take(&q->retries, now);
    int64_t delay = q->backoff_cap;

    if (failures < 62 && q->backoff_base <= q->backoff_cap >> failures)
        delay = q->backoff_base << failures;
    return HOST_MAX(delay - q->rand_below(delay / 2 + 1), turn);
}

static void apply(queue_t *q, queue_entry_t *e, enum queue_verdict verdict, int64_t after,
                  int64_t now)
{
    switch (verdict) {
    case QUEUE_DONE:
        set_failures(q, e, 0);
        complete(q, e, now);
        break;
    case QUEUE_REQUEUE:
        set_failures(q, e, 0);
        repeat_at(q, e, after > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + after, now);
        break;
    case QUEUE_RETRY:
        repeat_at(q, e, now + backoff(q, e->failures, now), now);
        set_failures(q, e, HOST_MAX(e->failures, e->failures + 1)); /* does not wrap */
        break;
    case QUEUE_FAIL:
        if (e->current != NULL)
            set_failures(q, e, 0); /* they were the failures of an object that is gone */
        complete(q, e, now);
        break;
    case QUEUE_PUT_BACK:
        put_back(q, e);
        break;
    }
}

void queue_finish(queue_t *q, void *entry, enum queue_verdict verdict, int64_t after, int64_t now)
{
    queue_entry_t *e = entry;

    list_remove(&e->link);
    if (e->stale) {
        entry_free(q, e);
        return;
    }
    e->running = false;
    q->running_count--;
    if (e->started_at != 0) {
        q->started_count--;
        q->started_sum -= (uint64_t) e->started_at;
        if (verdict != QUEUE_PUT_BACK)
            queue_meter_worked(&q->meter, now - e->started_at);
    }
    apply(q, e, verdict, HOST_MAX(after, 0), now);
    settle(q, e, verdict == QUEUE_PUT_BACK);
    show_running(q, now);
}

/* -- The queue itself -- */

int64_t queue_next(const queue_t *q)
{
    const queue_entry_t *e = queue_heap_first(&q->heap);

    return e != NULL ? e->at : CLOCK_NEVER;
}

size_t queue_ready(const queue_t *q)
{
    return q->line.count[QUEUE_LIVE] + q->line.count[QUEUE_INITIAL];
}

size_t queue_waiting(const queue_t *q)
{
    return q->heap.count;
}

size_t queue_running(const queue_t *q)
{
    return q->running_count;
}

size_t queue_guests(const queue_t *q)
{
    return q->guest_count;
}

bool queue_clear_some(queue_t *q, size_t most)
{
    hash_node_t *node;

    for (; most > 0 && (node = hash_table_pop(&q->entries)) != NULL; most--) {
        queue_entry_t *e = HASH_TABLE_ENTRY(node, queue_entry_t, node);

        if (e->ready)
            queue_line_remove(&q->line, e);
        queue_heap_remove(&q->heap, e);
        queue_line_unref(&q->line, host_steal(e->space));
        set_guest(q, e, false);
        set_failures(q, e, 0);
        if (e->running) {
            e->stale = true;
            list_remove(&e->link);
            list_append(&q->stale, &e->link);
        } else {
            entry_free(q, e);
        }
    }
    show_depth(q);
    if (q->entries.count > 0)
        return true;
    q->running_count = q->started_count = 0;
    q->started_sum = 0;
    queue_heap_fini(&q->heap);
    show_running(q, 0);
    return false;
}

void queue_clear(queue_t *q)
{
    (void) queue_clear_some(q, SIZE_MAX);
}

queue_t *queue_create(const queue_options_t *options)
{
    queue_t *q = host_xcalloc(1, sizeof(*q));

    q->backoff_base = options->backoff_base > 0 ? options->backoff_base : 5 * CLOCK_MS;
    q->backoff_cap = options->backoff_cap > 0 ? options->backoff_cap : 1000 * CLOCK_S;
    q->rand_below = options->rand_below != NULL ? options->rand_below : rand_below;
    bucket_init(&q->retries, options->retry_qps, options->retry_burst);
    queue_line_init(&q->line, options->aging > 0 ? options->aging : 30 * CLOCK_S);
    queue_meter_init(&q->meter, options->metrics, options->name);
    list_init(&q->running);
    list_init(&q->stale);
    queue_slabs_init(&q->slabs);
    return q;
}

void queue_destroy(queue_t *q)
{
    if (q == NULL)
        return;
    queue_clear(q);
    list_t *node;

    while ((node = list_pop(&q->stale)) != NULL) {
        entry_free(q, LIST_ENTRY(node, queue_entry_t, link));
    }
    queue_slabs_fini(&q->slabs);
    hash_table_fini(&q->entries);
    free(q);
}
