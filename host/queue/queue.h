/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work queue of one controller: keys, never objects. One entry per key; a key is never handed
 * out twice at a time; whatever happens to it meanwhile means exactly one more run. Ready keys are
 * ordered by priority (raised by waiting), then fairly between namespaces, then by arrival. Delays
 * keep the earliest time, and an event ends a delay. Nothing is ever dropped.
 *
 * No clock, no thread, no I/O of its own: `now` comes with each call. Owned by the loop thread.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "base/metrics.h"
#include "watch/snapshot.h"

typedef struct queue queue_t;

typedef struct queue_key {
    uint32_t watch;
    const char *ns, *name;
} queue_key_t;

/* A key that has failed so often in a row is poison: its back-off is seconds by now. It is shown, not
 * dropped. */
#define QUEUE_POISON 10u

/* Smaller is more urgent. */
enum queue_priority { QUEUE_LIVE, QUEUE_INITIAL };

typedef struct queue_options {
    int64_t backoff_base, backoff_cap; /* ns; 0: 5 ms and 1000 s */
    double retry_qps; /* of all keys together: what fails takes a token of a bucket, and comes back
                            when it is there and its own back-off is over; 0: no limit */
    int64_t retry_burst; /* of that bucket */
    int64_t aging; /* ns after which waiting keys of the initial list get every second turn: neither
                      class starves the other; 0: 30 s */
    int64_t (*rand_below)(int64_t bound); /* for jitter; NULL: rand_below() */
    metrics_t *metrics;                   /* workqueue_*; may be NULL */
    const char *name;                     /* the controller's, label of the metrics */
} queue_options_t;

queue_t *queue_create(const queue_options_t *options); /* caller owns, free with queue_destroy */
void queue_destroy(queue_t *q);                        /* NULL is allowed */

/* Makes key ready. reason is LH_REASON_*; of several, the one that says most is kept (changed over
 * initial over requeued). key is copied. 0 or LH_ENOMEM. */
HOST_MUST_USE int queue_add(queue_t *q, const queue_key_t *key, uint32_t reason,
                            enum queue_priority priority, int64_t now);
/* queue_add with LH_REASON_REQUEUED for a key that has no object: nothing bounds how many there are,
 * so they are counted, until queue_add or queue_add_tombstone brings the key or its entry ends. */
HOST_MUST_USE int queue_add_guest(queue_t *q, const queue_key_t *key, int64_t now);
/* The same with a tombstone: the object of this uid is gone (LH_REASON_GONE) or left
 * (LH_REASON_LEFT). Up to 8 are kept per key, each is delivered in a run of its own before the
 * present object; more are counted and merged into the oldest (its uid is forgotten, the next one
 * stands for both). A left uid that turns out to be gone stays one tombstone. A tombstone takes the
 * place of a run for the present object that is still waiting: that object is the one it buries. A
 * run that asks to be repeated gets its tombstone again, before the present object. last may be
 * NULL; a reference is taken. 0 or LH_ENOMEM. */
HOST_MUST_USE int queue_add_tombstone(queue_t *q, const queue_key_t *key, uint32_t reason,
                                      const char *uid, const watch_snapshot_t *last, int64_t now);
/* Makes key ready at `at`, or earlier if it is due earlier already. */
HOST_MUST_USE int queue_add_at(queue_t *q, const queue_key_t *key, int64_t at, int64_t now);

/* One run. Borrowed until queue_finish. */
typedef struct queue_run {
    queue_key_t key;
    uint32_t reason;              /* LH_REASON_* */
    uint32_t attempt;             /* failures in a row so far */
    const char *uid;              /* of the tombstone; "" without one */
    const watch_snapshot_t *last; /* of the tombstone; NULL without one */
    void *entry;                  /* names the run for queue_finish */
} queue_run_t;

/* Makes the keys that are due ready and brings the gauges of unfinished work up to now. To be
 * called by the owner's timer: at queue_next(), and every 500 ms while runs are handed out. */
void queue_tick(queue_t *q, int64_t now);

/* Takes the next ready key; false when there is none. Does queue_tick's work first. */
bool queue_take(queue_t *q, int64_t now, queue_run_t *out);
/* The run that was handed out has really begun, at `at`: until then its time counts as waiting, from
 * then on as work. May be called again to mend the time. */
void queue_started(queue_t *q, void *entry, int64_t at);
/* The run is over; result is what the plugin said. QUEUE_PUT_BACK: it never ran: ready again at
 * once, in front of its priority and namespace, with the age that it had; nothing is counted. */
enum queue_verdict {
    QUEUE_DONE,
    QUEUE_REQUEUE, /* after `after` ns; resets the back-off */
    QUEUE_RETRY, /* with back-off: base * 2^failures up to the cap, less up to half at random; later
                      if the rate of retries wants it */
    QUEUE_FAIL,  /* not again by itself; the count of failures stays */
    QUEUE_PUT_BACK
};
void queue_finish(queue_t *q, void *entry, enum queue_verdict verdict, int64_t after, int64_t now);

/* When a waiting key becomes ready; CLOCK_NEVER: none. May be past unless queue_tick or queue_take
 * has just been called: an owner without room for a run calls queue_tick before it sets its timer.
 */
int64_t queue_next(const queue_t *q);
size_t queue_ready(const queue_t *q);   /* keys that queue_take could give */
size_t queue_waiting(const queue_t *q); /* delayed keys */
size_t queue_running(const queue_t *q); /* keys handed out */
size_t queue_guests(const queue_t *q);  /* keys of queue_add_guest, whatever their state */
/* Forgets every key; runs handed out stay valid until their queue_finish, which then only frees
 * (or until queue_destroy). */
void queue_clear(queue_t *q);
/* The same for up to `most` keys, so that it can be done in slices; true when some are left. Nothing
 * may be added or taken before it has said false. */
bool queue_clear_some(queue_t *q, size_t most);

#endif
