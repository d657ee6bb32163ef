/* SPDX-License-Identifier: Apache-2.0 */
/* The watch of the Lease (rule 13): one stream, from what is known, opened again when it ends. */
#include "lease/state.h"

#include <string.h>

#define REFUSED_FOR (300 * CLOCK_S) /* polling, until the watch is tried again */

static int64_t silence(const lease_elector_t *e)
{
    return 2 * e->retry_period + CLOCK_S;
}

void lease_stream_open(lease_elector_t *e, const lease_time_t *t, const char *version, bool fresh)
{
    char *copy = host_xstrdup(version);

    free(e->stream_version);
    e->stream_version = copy;
    e->watching = true;
    e->polling = false;
    e->opened_at = t->now;
    if (!fresh)
        e->heard_at = t->now; /* one that was silent or failed still has to speak */
    e->act->watch(e->arg, copy, fresh);
}

void lease_stream_close(lease_elector_t *e)
{
    e->watching = false;
    e->act->watch(e->arg, NULL, false);
}

int64_t lease_stream_silent_at(const lease_elector_t *e)
{
    return e->heard_at + silence(e);
}

void lease_stream_renew(lease_elector_t *e, const lease_time_t *t)
{
    if (t->now >= lease_stream_silent_at(e) && t->now >= e->opened_at + silence(e))
        lease_stream_open(e, t, e->record->resource_version, true);
}

static void forget_version(lease_elector_t *e)
{
    free(e->stream_version);
    e->stream_version = NULL;
}

void lease_stream_ended(lease_elector_t *e, const lease_time_t *t, int status, int64_t retry_after,
                        const char *text)
{
    bool lasted = t->now - e->opened_at >= CLOCK_S;
    int64_t delay = e->watch_failed ? e->retry_period : CLOCK_S / 10;

    e->watching = false;
    switch (status) {
    case 200:
        e->watch_at = lasted ? t->now : t->now + e->retry_period;
        return;
    case 410: /* what was missed cannot be told: ask */
        forget_version(e);
        e->watch_at = lasted ? t->now : t->now + e->retry_period;
        e->known = e->known && e->state != LEASE_STANDBY;
        if (e->state != LEASE_STANDBY || !e->resting)
            lease_ask(e, t);
        return;
    case 403:
    case 405:
    case 501:
        lease_say(e, LOG_WARN, "watch lease: %s: asking every %.1f s instead", text,
                  (double) e->retry_period / CLOCK_S);
        e->polling = true;
        e->watch_at = t->now + REFUSED_FOR;
        return;
    default:
        lease_say(e, e->watch_failed ? LOG_DEBUG : LOG_INFO, "watch lease: %s", text);
        delay += e->act->random(e->arg, delay);
        if (e->watch_failed)
            forget_version(e); /* it may be one that the server does not know (any more) */
        e->watch_failed = true;
        e->watch_at = t->now + HOST_MAX(delay, HOST_MIN(retry_after, 60 * CLOCK_S));
        return;
    }
}

/* From where the stream goes on without a gap; NULL: that is not known. */
static const char *next_version(const lease_elector_t *e)
{
    const char *known = e->record != NULL ? e->record->resource_version : NULL;

    if (e->get_at != CLOCK_NEVER || !e->known)
        return NULL; /* first the answer */
    if (known == NULL)
        return e->vanished ? e->stream_version : NULL;
    if (e->stream_version == NULL || lease_version_compare(known, e->stream_version) > 0)
        return known;
    return e->stream_version;
}

int64_t lease_stream_settle(lease_elector_t *e, const lease_time_t *t)
{
    const char *version = next_version(e);

    if (e->watching || version == NULL || e->state == LEASE_RELEASING)
        return CLOCK_NEVER;
    if (t->now < e->watch_at)
        return e->watch_at;
    lease_stream_open(e, t, version, e->watch_failed);
    return CLOCK_NEVER;
}
