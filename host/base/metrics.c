/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include "base/metrics_internal.h"

#include <math.h>
#include <string.h>

static_assert(sizeof(double) == 8 && ATOMIC_LLONG_LOCK_FREE == 2, "values must be lock-free");

metrics_t *metrics_create(void)
{
    metrics_t *m = host_xcalloc(1, sizeof(*m));

    pthread_mutex_init(&m->lock, NULL);
    return m;
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

static char **copy_strings(const char *const *strings, size_t count)
{
    char **copy = host_xcalloc(count, sizeof(char *));

    for (size_t i = 0; i < count; i++)
        copy[i] = host_xstrdup(strings[i]);
    return copy;
}

static void cell_free(metric_cell_t *c)
{
    free_strings(c->label_values, c->family->label_count);
    free(c);
}

static void family_free(metric_t *f)
{
    for (size_t i = 0; i < f->cell_count; i++)
        cell_free(f->cells[i]);
    free(f->cells);
    free_strings(f->label_names, f->label_count);
    free(f->buckets);
    free(f->name);
    free(f->help);
    free(f);
}

void metrics_destroy(metrics_t *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->family_count; i++)
        family_free(m->families[i]);
    pthread_mutex_destroy(&m->lock);
    free(m->families);
    free(m);
}

/* Opens a gap at index i of an array of *count pointers. Returns the array, perhaps moved. */
static void *insert_gap(void *array, size_t *count, size_t *cap, size_t i)
{
    void **p = array;

    if (*count == *cap) {
        *cap = HOST_MAX(2 * *cap, (size_t) 4);
        p = host_xcalloc(*cap, sizeof(void *));
        if (*count != 0)
            memcpy(p, array, *count * sizeof(void *));
        free(array);
    }
    memmove(p + i + 1, p + i, (*count - i) * sizeof(void *));
    (*count)++;
    return p;
}

static metric_t *family_create(metrics_t *m, metric_type_t type, const char *name, const char *help,
                               const char *const *label_names)
{
    metric_t *f = host_xcalloc(1, sizeof(*f));

    f->registry = m;
    f->type = type;
    f->name = host_xstrdup(name);
    f->help = host_xstrdup(help != NULL ? help : "");
    while (label_names != NULL && label_names[f->label_count] != NULL)
        f->label_count++;
    f->label_names = copy_strings(label_names, f->label_count);
    return f;
}

static bool same_shape(const metric_t *f, metric_type_t type, const char *const *label_names)
{
    size_t i = 0;

    while (i < f->label_count && label_names != NULL && label_names[i] != NULL &&
           strcmp(f->label_names[i], label_names[i]) == 0)
        i++;
    return f->type == type && i == f->label_count &&
           (label_names == NULL || label_names[i] == NULL);
}

size_t metrics_base_length(const char *name)
{
    static const char suffix[] = "_total";
    const size_t len = strlen(name), cut = sizeof(suffix) - 1;

    return len > cut && strcmp(name + len - cut, suffix) == 0 ? len - cut : len;
}

static bool name_is_taken(const metrics_t *m, const char *name)
{
    const size_t len = metrics_base_length(name);

    for (size_t i = 0; i < m->family_count; i++) {
        const char *other = m->families[i]->name;

        if (metrics_base_length(other) == len && strncmp(other, name, len) == 0)
            return true;
    }
    return false;
}

static metric_t *family(metrics_t *m, metric_type_t type, const char *name, const char *help,
                        const char *const *label_names, const double *buckets, size_t count)
{
    metric_t *f = NULL;
    size_t i = 0;

    pthread_mutex_lock(&m->lock);
    while (i < m->family_count && strcmp(m->families[i]->name, name) < 0)
        i++;
    if (i < m->family_count && strcmp(m->families[i]->name, name) == 0) {
        f = same_shape(m->families[i], type, label_names) ? m->families[i] : NULL;
    } else if (!name_is_taken(m, name)) {
        f = family_create(m, type, name, help, label_names);
        f->buckets = host_xcalloc(count, sizeof(double));
        f->bucket_count = count;
        if (count != 0)
            memcpy(f->buckets, buckets, count * sizeof(double));
        m->families = insert_gap(m->families, &m->family_count, &m->family_cap, i);
        m->families[i] = f;
    }
    pthread_mutex_unlock(&m->lock);
    return f;
}

metric_t *metrics_counter(metrics_t *m, const char *name, const char *help,
                          const char *const *label_names)
{
    return family(m, METRIC_COUNTER, name, help, label_names, NULL, 0);
}

metric_t *metrics_gauge(metrics_t *m, const char *name, const char *help,
                        const char *const *label_names)
{
    return family(m, METRIC_GAUGE, name, help, label_names, NULL, 0);
}

metric_t *metrics_histogram(metrics_t *m, const char *name, const char *help,
                            const char *const *label_names, const double *buckets, size_t count)
{
    return family(m, METRIC_HISTOGRAM, name, help, label_names, buckets, count);
}

static int compare_labels(const metric_cell_t *c, const char *const *label_values)
{
    for (size_t i = 0; i < c->family->label_count; i++) {
        int order = strcmp(c->label_values[i], label_values[i]);

        if (order != 0)
            return order;
    }
    return 0;
}

/* Where the series with these values stands, or would stand. With the registry's lock held. */
static size_t find_place(const metric_t *f, const char *const *label_values)
{
    size_t low = 0;

    for (size_t high = f->cell_count; low < high;) {
        size_t mid = low + (high - low) / 2;

        if (compare_labels(f->cells[mid], label_values) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static metric_cell_t *cell_at(const metric_t *f, size_t place, const char *const *label_values)
{
    metric_cell_t *c = place < f->cell_count ? f->cells[place] : NULL;

    return c != NULL && compare_labels(c, label_values) == 0 ? c : NULL;
}

metric_cell_t *metric_cell_find(metric_t *f, const char *const *label_values)
{
    pthread_mutex_lock(&f->registry->lock);
    metric_cell_t *c = cell_at(f, find_place(f, label_values), label_values);
    pthread_mutex_unlock(&f->registry->lock);
    return c;
}

metric_cell_t *metric_cell(metric_t *f, const char *const *label_values)
{
    pthread_mutex_lock(&f->registry->lock);
    const size_t place = find_place(f, label_values);
    metric_cell_t *c = cell_at(f, place, label_values);

    if (c == NULL) {
        size_t hits = f->type == METRIC_HISTOGRAM ? f->bucket_count + 1 : 0;

        c = host_xcalloc(1, sizeof(*c) + hits * sizeof(c->hits[0]));
        c->family = f;
        c->label_values = copy_strings(label_values, f->label_count);
        f->cells = insert_gap(f->cells, &f->cell_count, &f->cell_cap, place);
        f->cells[place] = c;
    }
    pthread_mutex_unlock(&f->registry->lock);
    return c;
}

static void drop_cells(metric_t *f, size_t label, const char *value)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->cell_count; i++) {
        if (strcmp(f->cells[i]->label_values[label], value) == 0)
            cell_free(f->cells[i]);
        else
            f->cells[kept++] = f->cells[i];
    }
    f->cell_count = kept;
}

void metrics_drop(metrics_t *m, const char *name, const char *value)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->family_count; i++) {
        metric_t *f = m->families[i];

        for (size_t label = 0; label < f->label_count; label++) {
            if (strcmp(f->label_names[label], name) == 0)
                drop_cells(f, label, value);
        }
    }
    pthread_mutex_unlock(&m->lock);
}

void metric_drop(metric_t *f, const char *const *label_values, size_t count)
{
    size_t kept = 0;

    pthread_mutex_lock(&f->registry->lock);
    for (size_t i = 0; i < f->cell_count; i++) {
        size_t same = 0;

        while (same < count && strcmp(f->cells[i]->label_values[same], label_values[same]) == 0)
            same++;
        if (same == count)
            cell_free(f->cells[i]);
        else
            f->cells[kept++] = f->cells[i];
    }
    f->cell_count = kept;
    pthread_mutex_unlock(&f->registry->lock);
}

void metric_add(metric_cell_t *c, double v)
{
    double old = atomic_load_explicit(&c->value, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(&c->value, &old, old + v, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

void metric_set(metric_cell_t *c, double v)
{
    atomic_store_explicit(&c->value, v, memory_order_relaxed);
}

void metric_observe(metric_cell_t *c, double v)
{
    const metric_t *f = c->family;
    size_t i = 0;

    while (i < f->bucket_count && v > f->buckets[i])
        i++;
    atomic_fetch_add_explicit(&c->hits[i], 1, memory_order_relaxed);
    metric_add(c, v);
}

double metric_value(metric_cell_t *c)
{
    uint64_t total = 0;

    if (c->family->type != METRIC_HISTOGRAM)
        return atomic_load_explicit(&c->value, memory_order_relaxed);
    for (size_t i = 0; i <= c->family->bucket_count; i++)
        total += atomic_load_explicit(&c->hits[i], memory_order_relaxed);
    return (double) total;
}

/* With the registry's lock held. */
static const metric_t *find_family(const metrics_t *m, const char *name)
{
    for (size_t i = 0; i < m->family_count; i++) {
        if (strcmp(m->families[i]->name, name) == 0)
            return m->families[i];
    }
    return NULL;
}

double metrics_read(metrics_t *m, const char *name, const char *const *label_values)
{
    double value = (double) NAN;

    pthread_mutex_lock(&m->lock);
    const metric_t *f = find_family(m, name);
    metric_cell_t *c = f != NULL ? cell_at(f, find_place(f, label_values), label_values) : NULL;

    if (c != NULL)
        value = metric_value(c);
    pthread_mutex_unlock(&m->lock);
    return value;
}

void metrics_each(metrics_t *m, const char *name,
                  void (*fn)(void *arg, const char *const *label_values, double value), void *arg)
{
    pthread_mutex_lock(&m->lock);
    const metric_t *f = find_family(m, name);

    for (size_t i = 0; f != NULL && i < f->cell_count; i++)
        fn(arg, (const char *const *) f->cells[i]->label_values, metric_value(f->cells[i]));
    pthread_mutex_unlock(&m->lock);
}
