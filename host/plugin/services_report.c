/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin tells people: metrics, logs, readiness. (services_events.c has Events.) */
#include "base/error.h"
#include "base/utf8.h"
#include "plugin/run_log.h"
#include "plugin/services_impl.h"

#include <math.h>
#include <string.h>

#define METRIC_NAMES_MAX 64u
#define METRIC_SERIES_MAX 1000u
#define METRIC_LABELS_MAX 8u
#define METRIC_HELP_MAX 1024
#define LABEL_VALUE_MAX 128u
#define LOG_TEXT_MAX 4096u

/* The length of text, cut after max bytes. */
size_t services_cut_length(const char *text, size_t max)
{
    const size_t len = strnlen(text, max + 1);

    return len <= max ? len : utf8_cut(text, max);
}

/* -- Metrics -- */

static bool good_metric_name(const char *name)
{
    const size_t len = strlen(name);

    if (len == 0 || len > 64 || (name[0] >= '0' && name[0] <= '9'))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
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

    if (m->label_count > METRIC_LABELS_MAX)
        return host_fail(err, LH_EINVAL, "metric '%s': %u labels, at most %u", m->name,
                         m->label_count, METRIC_LABELS_MAX);
    if (m->label_count > 0 && (m->label_names == NULL || m->label_values == NULL))
        return host_fail(err, LH_EINVAL, "metric '%s': its labels are missing", m->name);
    for (uint32_t i = 0; i < m->label_count; i++) {
        const char *name = m->label_names[i];
        if (name == NULL || m->label_values[i] == NULL || !good_metric_name(name) ||
            strncmp(name, "__", 2) == 0 || is_one_of(name, taken))
            return host_fail(err, LH_EINVAL, "metric '%s': label %u is missing or has a bad name",
                             m->name, i);
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(m->label_names[j], name) == 0)
                return host_fail(err, LH_EINVAL, "metric '%s': label '%s' comes twice", m->name,
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
    /* leasehold_plugin_... of the host itself. */
    static const char *const taken[] = {
        "restarts_total",       "abandoned_calls", "stray_completions_total",
        "events_dropped_total", "state",           NULL};

    if (m->name == NULL || !good_metric_name(m->name))
        return host_fail(err, LH_EINVAL, "metric: name is not of the form [a-z_][a-z0-9_]{0,63}");
    if (is_one_of(m->name, taken))
        return host_fail(err, LH_EINVAL, "metric '%s': the host has one of this name", m->name);
    if (m->type > LH_METRIC_HISTOGRAM)
        return host_fail(err, LH_EINVAL, "metric '%s': unknown type %u", m->name, m->type);
    if (has_taken_ending(m))
        return host_fail(
            err, LH_EINVAL,
            "metric '%s': _bucket, _sum, _count, _created, and _total but of a counter, "
            "are no endings of its own",
            m->name);
    if (m->type == LH_METRIC_COUNTER && (!isfinite(m->value) || m->value < 0))
        return host_fail(err, LH_EINVAL, "metric '%s': a counter only grows", m->name);
    if (m->type == LH_METRIC_HISTOGRAM && !isfinite(m->value))
        return host_fail(err, LH_EINVAL, "metric '%s': a duration is a finite number", m->name);
    return check_labels(m, err);
}

static metric_t *make_family(plugin_services_t *s, const lh_metric_t *m)
{
    /* controller-runtime's buckets of controller_runtime_reconcile_time_seconds, thinned. */
    static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                     1,     2.5,  5,     10,   30,  60};
    const char *labels[METRIC_LABELS_MAX + 2] = {"controller"};
    host_cleanup(host_freep) char *name = host_xprintf("leasehold_plugin_%s", m->name);
    const char *told = m->help != NULL && *m->help != '\0' ? m->help : "Of a plugin.";
    host_cleanup(host_freep) char *help = host_xprintf("%.*s", METRIC_HELP_MAX, told);

    for (uint32_t i = 0; i < m->label_count; i++)
        labels[i + 1] = m->label_names[i];
    if (m->type == LH_METRIC_COUNTER)
        return metrics_counter(s->shared->metrics, name, help, labels);
    if (m->type == LH_METRIC_GAUGE)
        return metrics_gauge(s->shared->metrics, name, help, labels);
    return metrics_histogram(s->shared->metrics, name, help, labels, buckets, HOST_LEN(buckets));
}

static metric_use_t *make_use(plugin_services_t *s, const lh_metric_t *m)
{
    metric_use_t *u = host_xcalloc(1, sizeof(*u));

    u->name = host_xstrdup(m->name);
    u->type = m->type;
    u->label_count = m->label_count;
    u->label_names = host_xcalloc(m->label_count + 1, sizeof(*u->label_names));
    for (uint32_t i = 0; i < m->label_count; i++)
        u->label_names[i] = host_xstrdup(m->label_names[i]);
    u->family = make_family(s, m);
    HASH_ADD_KEYPTR(hh, s->metrics, u->name, strlen(u->name), u);
    return u;
}

/* The family of this name, made on its first use. */
static int find_family(plugin_services_t *s, const lh_metric_t *m, metric_t **family,
                       lh_error_t *err)
{
    metric_use_t *u = NULL;

    HASH_FIND_STR(s->metrics, m->name, u);
    if (u == NULL && HASH_COUNT(s->metrics) >= METRIC_NAMES_MAX)
        return host_fail(err, LH_ETOOBIG, "metric '%s': this instance has %u metrics already",
                         m->name, METRIC_NAMES_MAX);
    if (u == NULL)
        u = make_use(s, m);
    /* No family: another instance has this name, with or without "_total", with another type or other
     * labels. */
    bool same = u->family != NULL && u->type == m->type && u->label_count == m->label_count;
    for (uint32_t i = 0; same && i < m->label_count; i++)
        same = strcmp(u->label_names[i], m->label_names[i]) == 0;
    if (!same)
        return host_fail(err, LH_EINVAL, "metric '%s': type or labels differ from its first use",
                         m->name);
    *family = u->family;
    return 0;
}

/* The series, made on its first use. */
static int find_series(plugin_services_t *s, const lh_metric_t *m, const char *const *values,
                       metric_cell_t **cell, lh_error_t *err)
{
    metric_t *family = NULL;
    const int ret = find_family(s, m, &family, err);

    if (ret < 0)
        return ret;
    *cell = metric_cell_find(family, values);
    if (*cell != NULL)
        return 0;
    if (s->series >= METRIC_SERIES_MAX)
        return host_fail(err, LH_ETOOBIG, "metric '%s': this instance has %u series already",
                         m->name, METRIC_SERIES_MAX);
    s->series++;
    *cell = metric_cell(family, values);
    return 0;
}

int services_metric(void *self, const lh_metric_t *m, lh_error_t *err)
{
    plugin_services_t *s = self;
    const char *values[METRIC_LABELS_MAX + 1] = {s->name};
    char cut[METRIC_LABELS_MAX][LABEL_VALUE_MAX + 1];
    metric_cell_t *cell = NULL;
    int ret = check_metric(m, err);

    if (ret < 0)
        return ret;
    for (uint32_t i = 0; i < m->label_count; i++) {
        const size_t len = services_cut_length(m->label_values[i], LABEL_VALUE_MAX);
        memcpy(cut[i], m->label_values[i], len);
        cut[i][len] = '\0';
        values[i + 1] = cut[i];
    }
    pthread_mutex_lock(&s->lock);
    ret = find_series(s, m, values, &cell, err);
    pthread_mutex_unlock(&s->lock);
    if (ret < 0)
        return ret;
    if (m->type == LH_METRIC_COUNTER)
        metric_add(cell, m->value);
    else if (m->type == LH_METRIC_GAUGE)
        metric_set(cell, m->value);
    else
        metric_observe(cell, m->value);
    return 0;
}

void services_metrics_free(plugin_services_t *s)
{
    metric_use_t *u, *tmp;

    HASH_ITER (hh, s->metrics, u, tmp) {
        HASH_DEL(s->metrics, u);
        for (uint32_t i = 0; i < u->label_count; i++)
            free(u->label_names[i]);
        free(u->label_names);
        free(u->name);
        free(u);
    }
}

/* -- Logs and readiness -- */

void services_log(void *self, lh_ctx_t ctx, uint32_t level, const char *text)
{
    plugin_services_t *s = self;
    const enum log_level l = level <= LH_LOG_ERROR ? (enum log_level) level : LOG_ERROR;
    ctx_entry_t *e = NULL;
    log_t *of_run = NULL;

    if (!log_enabled(s->log, l))
        return;
    pthread_mutex_lock(&s->lock);
    HASH_FIND(hh, s->open, &ctx.id, sizeof(ctx.id), e); /* cancelled or not: drains are told too */
    if (e != NULL)
        of_run = plugin_run_log(s->log, s->shared, e->id, e->fence->term, e->ns, e->name);
    pthread_mutex_unlock(&s->lock);
    log_write(of_run != NULL ? of_run : s->log, l, "%.*s",
              (int) services_cut_length(text, LOG_TEXT_MAX), text);
    log_destroy(of_run);
}

void services_set_ready(void *self, bool ready, const char *text)
{
    plugin_services_t *s = self;

    pthread_mutex_lock(&s->lock);
    if (s->ready == NULL) {
        /* No instance's name holds a dot, so no other instance's check can be called this. */
        host_cleanup(host_freep) char *name = host_xprintf("plugin-%s.ready", s->name);
        s->ready = health_add(s->shared->health, name, s->shared->counts, HEALTH_READYZ);
    }
    pthread_mutex_unlock(&s->lock);
    health_set(s->ready, ready, text != NULL ? text : (ready ? NULL : "not ready"));
}
