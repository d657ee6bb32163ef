/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

static uint64_t mix(uint64_t sum, const char *text)
{
    for (; *text != '\0'; text++)
        sum = (sum ^ (unsigned char) *text) * 1099511628211U; /* FNV-1a */
    return (sum ^ '/') * 1099511628211U;
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
    uint64_t sum = 14695981039346656037U;
    char version[64];

    version_of(source->json, version);
    sum = mix(mix(mix(mix(sum, resource_of(w)), source->ns), source->name), version);
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
