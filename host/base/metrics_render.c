/* SPDX-License-Identifier: Apache-2.0 */
/* The Prometheus text format, version 0.0.4, and OpenMetrics 1.0.0, which differs in the names of
 * counters, in escapes and bounds, and in its last line. Its _created series are left out: scrapers
 * see a restart by the counter that falls, and there would be twice as many series. */
#include "base/metrics_internal.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <leasehold/error.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The shortest text that reads back as v. */
static void put_number(buf_t *out, double v)
{
    char text[32];

    if (isnan(v)) {
        buf_puts(out, "NaN");
        return;
    }
    if (isinf(v)) {
        buf_puts(out, v > 0 ? "+Inf" : "-Inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_puts(out, text);
}

/* A bucket's bound: OpenMetrics wants that 1 is written as a float. */
static void put_bound(buf_t *out, double v, metrics_format_t format)
{
    host_cleanup(buf_fini) buf_t text = BUF_INIT;

    put_number(&text, v);
    buf_puts(out, buf_text(&text));
    if (format == METRICS_OPENMETRICS && strpbrk(buf_text(&text), ".eIN") == NULL)
        buf_puts(out, ".0");
}

/* In help texts of Prometheus a quote stands for itself, elsewhere it is escaped. What is not UTF-8 would
 * cost the whole scrape, so it is replaced. */
static void put_escaped(buf_t *out, const char *s, bool quotes)
{
    for (size_t len = strlen(s), n; len > 0; s += n, len -= n) {
        n = utf8_char(s, len);
        if (n == 0) {
            n = 1;
            buf_puts(out, UTF8_REPLACEMENT);
        } else if (*s == '\n') {
            buf_puts(out, "\\n");
        } else if (*s == '\\' || (quotes && *s == '"')) {
            buf_printf(out, "\\%c", *s);
        } else {
            buf_append(out, s, n);
        }
    }
}

/* {name="value",...}; le is a histogram's last label, NULL for none. */
static void put_labels(buf_t *out, const metric_cell_t *c, const char *le)
{
    const metric_t *f = c->family;

    if (f->label_count == 0 && le == NULL)
        return;
    for (size_t i = 0; i < f->label_count; i++) {
        buf_printf(out, "%s%s=\"", i == 0 ? "{" : ",", f->label_names[i]);
        put_escaped(out, c->label_values[i], true);
        buf_puts(out, "\"");
    }
    if (le != NULL)
        buf_printf(out, "%sle=\"%s\"", f->label_count == 0 ? "{" : ",", le);
    buf_puts(out, "}");
}

static void put_histogram(buf_t *out, const metric_cell_t *c, metrics_format_t format)
{
    const metric_t *f = c->family;
    uint64_t total = 0;

    for (size_t i = 0; i <= f->bucket_count; i++) {
        host_cleanup(buf_fini) buf_t le = BUF_INIT;

        put_bound(&le, i < f->bucket_count ? f->buckets[i] : INFINITY, format);
        total += atomic_load_explicit(&c->hits[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket", f->name);
        put_labels(out, c, buf_text(&le));
        buf_printf(out, " %" PRIu64 "\n", total);
    }
    buf_printf(out, "%s_sum", f->name);
    put_labels(out, c, NULL);
    buf_puts(out, " ");
    put_number(out, atomic_load_explicit(&c->value, memory_order_relaxed));
    buf_printf(out, "\n%s_count", f->name);
    put_labels(out, c, NULL);
    buf_printf(out, " %" PRIu64 "\n", total);
}

/* "# HELP name text" and "# TYPE name type". */
static void put_head(buf_t *out, const metric_t *f, int name_len, metrics_format_t format)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};

    if (f->help[0] != '\0') {
        buf_printf(out, "# HELP %.*s ", name_len, f->name);
        put_escaped(out, f->help, format == METRICS_OPENMETRICS);
        buf_puts(out, "\n");
    }
    buf_printf(out, "# TYPE %.*s %s\n", name_len, f->name, types[f->type]);
}

static void put_family(buf_t *out, const metric_t *f, metrics_format_t format)
{
    const bool strip = format == METRICS_OPENMETRICS && f->type == METRIC_COUNTER;
    const int name_len = (int) (strip ? metrics_base_length(f->name) : strlen(f->name));

    if (f->cell_count == 0)
        return;
    put_head(out, f, name_len, format);
    for (size_t i = 0; i < f->cell_count; i++) {
        const metric_cell_t *c = f->cells[i];

        if (f->type == METRIC_HISTOGRAM) {
            put_histogram(out, c, format);
            continue;
        }
        buf_printf(out, "%.*s%s", name_len, f->name, strip ? "_total" : "");
        put_labels(out, c, NULL);
        buf_puts(out, " ");
        put_number(out, atomic_load_explicit(&c->value, memory_order_relaxed));
        buf_puts(out, "\n");
    }
}

int metrics_render(metrics_t *m, metrics_format_t format, buf_t *out)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->family_count; i++)
        put_family(out, m->families[i], format);
    pthread_mutex_unlock(&m->lock);
    if (format == METRICS_OPENMETRICS)
        buf_puts(out, "# EOF\n");
    return out->failed ? LH_ENOMEM : 0;
}
