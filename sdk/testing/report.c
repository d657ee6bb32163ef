/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin tells: queue, Events, metrics, log, readiness. */
#include "fake.h"

#include <leasehold/json.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, SERIES_MAX = 1000, LABELS_MAX = 8, WORD_MAX = 128 };

static int enqueue(const lh_host_t *host, lh_ctx_t ctx, const lh_key_t *key, lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);

    int ret = fake_key_check(key, err);

    if (ret < 0)
        return ret;
    if (key->watch >= f->watches.count || !fake_watch(f, key->watch)->primary)
        return lh_errorf(err, LH_EINVAL, "enqueue: watch %u is not a primary watch of the manifest",
                         key->watch);
    pthread_mutex_lock(&f->lock);
    ret = fake_ctx_check(f, ctx, err);
    if (ret == 0)
        fake_key(f, key->watch, key->ns, key->name)->enqueued++;
    pthread_mutex_unlock(&f->lock);
    return ret;
}

static int event(const lh_host_t *host, lh_ctx_t ctx, const lh_event_t *e, lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);
    char name[256] = "", ns[256] = "";
    size_t len = 0;

    if (e == NULL || e->regarding == NULL || e->reason == NULL || e->reason[0] == '\0')
        return lh_errorf(err, LH_EINVAL, "event: regarding or reason is missing");
    if (e->type > LH_EVENT_WARNING)
        return lh_errorf(err, LH_EINVAL, "event: unknown type %u", e->type);
    if (strlen(e->reason) > WORD_MAX || (e->action != NULL && strlen(e->action) > WORD_MAX))
        return lh_errorf(err, LH_EINVAL, "event: reason or action is longer than %d bytes",
                         WORD_MAX);
    const char *text = f->host.snapshot_text(host, e->regarding, &len);
    (void) lh_json_string(lh_json_text(text, len), "/metadata/name", name, sizeof(name));
    (void) lh_json_string(lh_json_text(text, len), "/metadata/namespace", ns, sizeof(ns));
    pthread_mutex_lock(&f->lock);
    const int ret = fake_ctx_check(f, ctx, err);
    if (ret == 0)
        fake_push(&f->events,
                  fake_printf("%s %s %s%s%s: %s",
                              e->type == LH_EVENT_WARNING ? "Warning" : "Normal", e->reason, ns,
                              ns[0] != '\0' ? "/" : "", name, e->note != NULL ? e->note : ""));
    pthread_mutex_unlock(&f->lock);
    return ret;
}

/* -- Metrics -- */

static bool good_name(const char *name)
{
    const size_t len = strlen(name);

    return len > 0 && len <= 64 && (name[0] < '0' || name[0] > '9') &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

static int check_labels(const lh_metric_t *m, lh_error_t *err)
{
    static const char *const taken[] = {"controller", "le", "quantile", NULL};

    if (m->label_count > LABELS_MAX)
        return lh_errorf(err, LH_EINVAL, "metric '%s': %u labels, at most %d", m->name,
                         m->label_count, LABELS_MAX);
    if (m->label_count > 0 && (m->label_names == NULL || m->label_values == NULL))
        return lh_errorf(err, LH_EINVAL, "metric '%s': its labels are missing", m->name);
    for (uint32_t i = 0; i < m->label_count; i++) {
        const char *name = m->label_names[i];
        if (name == NULL || m->label_values[i] == NULL || !good_name(name) ||
            strncmp(name, "__", 2) == 0 || is_one_of(name, taken))
            return lh_errorf(err, LH_EINVAL, "metric '%s': label %u is missing or has a bad name",
                             m->name, i);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(m->label_names[j], name) == 0)
                return lh_errorf(err, LH_EINVAL, "metric '%s': label '%s' comes twice", m->name,
                                 name);
        }
    }
    return 0;
}

static bool ends_with(const char *name, const char *ending)
{
    const size_t len = strlen(name), n = strlen(ending);

    return len >= n && strcmp(name + len - n, ending) == 0;
}

/* True for a name that is also that of a series of another metric: of a histogram, or of a counter. */
static bool has_taken_ending(const lh_metric_t *m)
{
    return ends_with(m->name, "_bucket") || ends_with(m->name, "_sum") ||
           ends_with(m->name, "_count") || ends_with(m->name, "_created") ||
           (ends_with(m->name, "_total") && m->type != LH_METRIC_COUNTER);
}

static int check_metric(const lh_metric_t *m, lh_error_t *err)
{
    static const char *const taken[] = {
        "restarts_total",       "abandoned_calls", "stray_completions_total",
        "events_dropped_total", "state",           NULL};

    if (m->name == NULL || !good_name(m->name))
        return lh_errorf(err, LH_EINVAL, "metric: name is not of the form [a-z_][a-z0-9_]{0,63}");
    if (is_one_of(m->name, taken))
        return lh_errorf(err, LH_EINVAL, "metric '%s': the host has one of this name", m->name);
    if (m->type > LH_METRIC_HISTOGRAM)
        return lh_errorf(err, LH_EINVAL, "metric '%s': unknown type %u", m->name, m->type);
    if (has_taken_ending(m))
        return lh_errorf(
            err, LH_EINVAL,
            "metric '%s': _bucket, _sum, _count, _created, and _total but of a counter, "
            "are no endings of its own",
            m->name);
    if (m->type == LH_METRIC_COUNTER && (!isfinite(m->value) || m->value < 0))
        return lh_errorf(err, LH_EINVAL, "metric '%s': a counter only grows", m->name);
    if (m->type == LH_METRIC_HISTOGRAM && !isfinite(m->value))
        return lh_errorf(err, LH_EINVAL, "metric '%s': a duration is a finite number", m->name);
    return check_labels(m, err);
}

/* "name{label="value",...}", the value cut after 128 bytes. */
static char *series_of(const lh_metric_t *m)
{
    char *text = fake_dup(m->name);

    for (uint32_t i = 0; i < m->label_count; i++) {
        char *longer =
            fake_printf("%s%s%s=\"%.128s\"%s", text, i == 0 ? "{" : ",", m->label_names[i],
                        m->label_values[i], i + 1 == m->label_count ? "}" : "");
        free(text);
        text = longer;
    }
    return text;
}

/* The series, made on its first use; NULL with *code set when it does not fit the others. */
static fake_metric_t *find_series(lh_fake_t *f, const lh_metric_t *m, int *code, lh_error_t *err)
{
    char *series = series_of(m);
    fake_metric_t *found = NULL;
    size_t names = 0;
    bool known = false;

    for (size_t i = 0; i < f->metrics.count && *code == 0; i++) {
        fake_metric_t *s = f->metrics.items[i];
        const bool same = strcmp(s->name, m->name) == 0;
        if (same && (s->type != m->type || s->label_count != m->label_count))
            *code = lh_errorf(err, LH_EINVAL,
                              "metric '%s': type or labels differ from its first "
                              "use",
                              m->name);
        if (strcmp(s->series, series) == 0)
            found = s;
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && strcmp(((fake_metric_t *) f->metrics.items[j])->name, s->name) != 0;
        names += first;
        known = known || same;
    }
    if (*code == 0 && found == NULL &&
        (f->metrics.count >= SERIES_MAX || (!known && names >= NAMES_MAX)))
        *code = lh_errorf(err, LH_ETOOBIG, "metric '%s': this instance has too many", m->name);
    if (*code == 0 && found == NULL) {
        found = fake_alloc(sizeof(*found));
        *found = (fake_metric_t){fake_dup(m->name), fake_dup(series), m->type, m->label_count, 0};
        fake_push(&f->metrics, found);
    }
    free(series);
    return *code == 0 ? found : NULL;
}

static int metric(const lh_host_t *host, const lh_metric_t *m, lh_error_t *err)
{
    lh_fake_t *f = fake_of(host);

    if (m == NULL)
        return lh_errorf(err, LH_EINVAL, "metric: metric is NULL");
    int code = check_metric(m, err);
    if (code < 0)
        return code;
    pthread_mutex_lock(&f->lock);
    fake_metric_t *series = find_series(f, m, &code, err);
    if (series != NULL) {
        if (m->type == LH_METRIC_GAUGE)
            series->value = m->value;
        else
            series->value += m->type == LH_METRIC_COUNTER ? m->value : 1;
    }
    pthread_mutex_unlock(&f->lock);
    return code;
}

/* -- Log, clock, readiness -- */

static void log_line(const lh_host_t *host, lh_ctx_t ctx, uint32_t level, const char *text)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    lh_fake_t *f = fake_of(host);

    (void) ctx;
    pthread_mutex_lock(&f->lock);
    fake_push(&f->logs, fake_printf("%s: %.4096s", levels[level < 4 ? level : 3], text));
    pthread_mutex_unlock(&f->lock);
}

static int64_t now(const lh_host_t *host)
{
    return fake_of(host)->now;
}

static void set_ready(const lh_host_t *host, uint32_t ready, const char *text)
{
    lh_fake_t *f = fake_of(host);

    pthread_mutex_lock(&f->lock);
    f->ready = ready != 0;
    f->ready_text = fake_keep(f, fake_dup(text != NULL ? text : ""));
    pthread_mutex_unlock(&f->lock);
}

static const void *get_extension(const lh_host_t *host, const char *id)
{
    const lh_fake_t *f = fake_of(host);

    for (size_t i = f->extensions.count; i > 0; i--) {
        const fake_pair_t *pair = f->extensions.items[i - 1];
        if (strcmp(pair->name, id) == 0)
            return pair->value;
    }
    return NULL;
}

void fake_table_report(lh_host_t *host)
{
    host->enqueue = enqueue;
    host->event = event;
    host->metric = metric;
    host->log = log_line;
    host->now = now;
    host->set_ready = set_ready;
    host->get_extension = get_extension;
}

/* -- The test's side -- */

void lh_fake_advance(lh_fake_t *f, int64_t ns)
{
    f->now += ns;
}

void lh_fake_set_extension(lh_fake_t *f, const char *id, const void *extension)
{
    fake_pair_t *pair = fake_alloc(sizeof(*pair));

    *pair = (fake_pair_t){fake_keep(f, fake_dup(id)), extension};
    fake_push(&f->extensions, pair);
}

const char *lh_fake_logged(lh_fake_t *f, const char *part)
{
    for (size_t i = 0; i < f->logs.count; i++) {
        if (strstr(f->logs.items[i], part) != NULL)
            return f->logs.items[i];
    }
    return NULL;
}

size_t lh_fake_logged_count(lh_fake_t *f, const char *part)
{
    size_t n = 0;

    for (size_t i = 0; i < f->logs.count; i++)
        n += strstr(f->logs.items[i], part) != NULL;
    return n;
}

const char *lh_fake_event(lh_fake_t *f, size_t index)
{
    return index < f->events.count ? f->events.items[index] : NULL;
}

double lh_fake_metric(lh_fake_t *f, const char *series)
{
    for (size_t i = 0; i < f->metrics.count; i++) {
        const fake_metric_t *m = f->metrics.items[i];
        if (strcmp(m->series, series) == 0)
            return m->value;
    }
    return NAN;
}

size_t lh_fake_enqueued(lh_fake_t *f, uint32_t watch, const char *ns, const char *name)
{
    return fake_key(f, watch, ns, name)->enqueued;
}

int lh_fake_ready(lh_fake_t *f, const char **text)
{
    if (text != NULL)
        *text = f->ready_text != NULL ? f->ready_text : "";
    return f->ready;
}
