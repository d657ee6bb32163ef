/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been written to each copy in this term, and why some are left alone for a while. A write that
 * has been undone is repeated at once; one that is undone again waits, each time twice as long.
 */
#include "mirror.h"

#include <uthash.h>

#define FIRST LH_SECOND         /* between the first repeated write and the next one */
#define LONGEST (5 * LH_MINUTE) /* between any two */
#define CALM LH_MINUTE          /* untouched for so long after a wait: peace */

enum { KEY = 576, FEW = 1024 };

typedef struct hold {
    char *key; /* "watch/namespace/name" */
    uint32_t outcome;
    uint64_t contents;
    char version[64];
    int64_t until, delay;
    int told;
    UT_hash_handle hh;
} hold_t;

static hold_t *find(const holds_t *h, const work_t *w, const attempt_t *a, char key[KEY])
{
    hold_t *hold = NULL;

    (void) snprintf(key, KEY, "%u/%s/%s", w->watch, a->ns, a->name);
    HASH_FIND_STR(h->known, key, hold);
    return hold;
}

static void drop(holds_t *h, hold_t *hold)
{
    HASH_DEL(h->known, hold);
    free(hold->key);
    free(hold);
}

/* -- Asking -- */

static int64_t left_of(const hold_t *hold, const attempt_t *a, int64_t now)
{
    const int same = hold->contents == a->contents;
    const int64_t left = hold->until > now ? hold->until - now : 0;

    switch (hold->outcome) {
    case ATTEMPT_REFUSED:
        return same && strcmp(hold->version, a->version) == 0 ? left : 0;
    case ATTEMPT_FORBIDDEN:
        return left;
    default:
        return same ? left : 0;
    }
}

int64_t holds_left(holds_t *h, const work_t *w, const attempt_t *a, int *is_news)
{
    const int64_t now = lh_now(w->self->host);
    int64_t left = 0;
    char key[KEY];

    *is_news = 0;
    pthread_mutex_lock(&h->lock);
    hold_t *hold = find(h, w, a, key);
    if (hold != NULL)
        left = left_of(hold, a, now);
    if (left > 0) {
        *is_news = !hold->told;
        hold->told = 1;
    }
    pthread_mutex_unlock(&h->lock);
    return left;
}

/* -- Noting -- */

/* Those that are at peace say nothing any more. */
static void prune(holds_t *h, int64_t now)
{
    hold_t *hold, *next;

    HASH_ITER (hh, h->known, hold, next) {
        if (hold->outcome == ATTEMPT_WRITTEN && now - hold->until > CALM)
            drop(h, hold);
    }
    h->many = HASH_COUNT(h->known) < FEW / 2 ? FEW : 2 * HASH_COUNT(h->known);
}

static hold_t *add(holds_t *h, const char *key, const attempt_t *a, int64_t now)
{
    hold_t *hold;

    if (HASH_COUNT(h->known) >= h->many)
        prune(h, now);
    hold = calloc(1, sizeof(*hold));
    if (hold == NULL || (hold->key = strdup(key)) == NULL) {
        free(hold);
        return NULL;
    }
    hold->contents = ~a->contents; /* anything is news to it */
    HASH_ADD_KEYPTR(hh, h->known, hold->key, strlen(hold->key), hold);
    return hold;
}

static int64_t delay_after(const hold_t *hold, int is_repeated, int64_t now)
{
    if (!is_repeated)
        return 0;
    if (hold->delay == 0 || now - hold->until > CALM)
        return FIRST;
    return 2 * hold->delay < LONGEST ? 2 * hold->delay : LONGEST;
}

static void note(hold_t *hold, const attempt_t *a, uint32_t outcome, int64_t now)
{
    const int same = hold->outcome == outcome && hold->contents == a->contents;

    hold->delay = outcome == ATTEMPT_WRITTEN ? delay_after(hold, same, now) : REFUSAL_DELAY;
    if (!same || (outcome == ATTEMPT_WRITTEN && hold->delay <= FIRST))
        hold->told = 0;
    hold->outcome = outcome;
    hold->contents = a->contents;
    hold->until = now + hold->delay;
    (void) snprintf(hold->version, sizeof(hold->version), "%s", a->version);
}

void holds_note(holds_t *h, const work_t *w, const attempt_t *a, uint32_t outcome)
{
    const int64_t now = lh_now(w->self->host);
    char key[KEY];

    pthread_mutex_lock(&h->lock);
    hold_t *hold = find(h, w, a, key);
    if (hold == NULL)
        hold = add(h, key, a, now);
    if (hold != NULL)
        note(hold, a, outcome, now);
    pthread_mutex_unlock(&h->lock);
}

void holds_forget(holds_t *h, const work_t *w, const attempt_t *a)
{
    char key[KEY];

    pthread_mutex_lock(&h->lock);
    hold_t *hold = find(h, w, a, key);
    if (hold != NULL)
        drop(h, hold);
    pthread_mutex_unlock(&h->lock);
}

void holds_forgive(holds_t *h, const char *ns)
{
    const size_t len = strlen(ns);
    hold_t *hold, *next;

    pthread_mutex_lock(&h->lock);
    HASH_ITER (hh, h->known, hold, next) {
        const char *at = strchr(hold->key, '/') + 1;
        if (hold->outcome != ATTEMPT_WRITTEN && strncmp(at, ns, len) == 0 && at[len] == '/')
            drop(h, hold);
    }
    pthread_mutex_unlock(&h->lock);
}

void holds_clear(holds_t *h)
{
    hold_t *hold, *next;

    pthread_mutex_lock(&h->lock);
    HASH_ITER (hh, h->known, hold, next) {
        drop(h, hold);
    }
    pthread_mutex_unlock(&h->lock);
}
