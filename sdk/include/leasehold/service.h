/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host table as plain functions: queue, Events, metrics, log, clock and threads. Contracts
 * stand in host.h; a function that the host is too old to have fails with LH_ENOSYS, or does
 * nothing where it has no result.
 */
#ifndef LEASEHOLD_SERVICE_H
#define LEASEHOLD_SERVICE_H

#include <leasehold/api.h>
#include <leasehold/time.h>

/* Puts a key of a primary watch on the queue. [any-thread] */
static inline int lh_enqueue(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key,
                             lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, enqueue))
        return lh_absent_(err, "enqueue");
    return host->enqueue(host, ctx, key, err);
}

/* Records a Kubernetes Event about an object; type is LH_EVENT_*, reason is CamelCase, note is for
 * people. [any-thread] */
static inline int lh_emit_event(const lh_host_t *host, lh_ctx_t ctx, const lh_snapshot_t *regarding,
                                uint32_t type, const char *reason, const char *note,
                                lh_error_t *err)
{
    const lh_event_t event = {sizeof(event), type, regarding, reason, NULL, note};

    if (!LH_HAS_FIELD(host, event))
        return lh_absent_(err, "event");
    return host->event(host, ctx, &event, err);
}

/* Adds to, sets or observes a metric. [any-thread] */
static inline int lh_emit_metric(const lh_host_t *host, const lh_metric_t *metric, lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, metric))
        return lh_absent_(err, "metric");
    return host->metric(host, metric, err);
}

/* One line of the log; level is LH_LOG_*. {0} is the ctx where there is none. [any-thread] */
static inline void lh_log(const lh_host_t *host, lh_ctx_t ctx, uint32_t level, const char *text)
{
    if (LH_HAS_FIELD(host, log))
        host->log(host, ctx, level, text);
}

/* The same, printed; cut after 4 KiB. [any-thread] */
__attribute__((format(printf, 4, 5))) static inline void
lh_logf(const lh_host_t *host, lh_ctx_t ctx, uint32_t level, const char *format, ...)
{
    char text[4097];
    va_list args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lh_log(host, ctx, level, text);
}

/* Nanoseconds of CLOCK_BOOTTIME. [any-thread] */
static inline int64_t lh_now(const lh_host_t *host)
{
    return LH_HAS_FIELD(host, now) ? host->now(host) : 0;
}

/* 0 while ctx is live, else LH_ECANCELED or LH_EFENCED. [any-thread] */
static inline int lh_cancelled(const lh_host_t *host, lh_ctx_t ctx)
{
    return LH_HAS_FIELD(host, cancelled) ? host->cancelled(host, ctx) : LH_ENOSYS;
}

/* This instance's line in /readyz?verbose. text may be NULL. [any-thread] */
static inline void lh_set_ready(const lh_host_t *host, uint32_t ready, const char *text)
{
    if (LH_HAS_FIELD(host, set_ready))
        host->set_ready(host, ready, text);
}

/* Runs fn(arg) on the plugin thread; free_arg may be NULL. [any-thread] */
static inline int lh_post(const lh_host_t *host, void (*fn)(void *arg), void *arg,
                          void (*free_arg)(void *arg), lh_error_t *err)
{
    if (!LH_HAS_FIELD(host, post))
        return lh_absent_(err, "post");
    return host->post(host, fn, arg, free_arg, err);
}

/* An optional part of the host, NULL when it has none of that name. [any-thread] */
static inline const void *lh_extension(const lh_host_t *host, const char *id)
{
    return LH_HAS_FIELD(host, get_extension) ? host->get_extension(host, id) : NULL;
}

#endif
