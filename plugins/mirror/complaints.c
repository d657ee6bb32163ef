/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

/* With its end: what follows begins anew. */
static uint64_t add(uint64_t sum, const char *text)
{
    return sum_add(sum, lh_json_text(text, strlen(text) + 1));
}

static int is_new(complaints_t *c, uint64_t sum)
{
    int known = 0;

    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < COMPLAINTS; i++)
        known |= c->told[i] == sum;
    if (!known)
        c->told[c->next++ % COMPLAINTS] = sum;
    pthread_mutex_unlock(&c->lock);
    return !known;
}

void complain(const work_t *w, const object_t *source, const char *what)
{
    char version[64];

    version_of(source->json, version);
    const uint64_t sum =
        add(add(add(add(SUM_SEED, resource_of(w)), source->ns), source->name), version);
    if (is_new(&w->self->complaints, sum))
        lh_logf(w->self->host, w->ctx, LH_LOG_WARN, "source %s %s/%s: %s", resource_of(w),
                source->ns, source->name, what);
}

void complaints_clear(complaints_t *c)
{
    pthread_mutex_lock(&c->lock);
    memset(c->told, 0, sizeof(c->told));
    pthread_mutex_unlock(&c->lock);
}
