/* SPDX-License-Identifier: Apache-2.0 */
/* The Prometheus text format, version 0.0.4. */
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

/* In help texts a quote stands for itself, in label values it is escaped. What is not UTF-8 would
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

static void put_histogram(buf_t *out, const metric_cell_t *c)
{
    const metric_t *f = c->family;
    uint64_t total = 0;

    for (size_t i = 0; i <= f->bucket_count; i++) {
        host_cleanup(buf_fini) buf_t le = BUF_INIT;

        put_number(&le, i < f->bucket_count ? f->buckets[i] : INFINITY);
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

static void put_family(buf_t *out, const metric_t *f)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};

    if (f->cell_count == 0)
        return;
    if (f->help[0] != '\0') {
        buf_printf(out, "# HELP %s ", f->name);
        put_escaped(out, f->help, false);
        buf_puts(out, "\n");
    }
    buf_printf(out, "# TYPE %s %s\n", f->name, types[f->type]);
    for (size_t i = 0; i < f->cell_count; i++) {
        const metric_cell_t *c = f->cells[i];

        if (f->type == METRIC_HISTOGRAM) {
            put_histogram(out, c);
            continue;
        }
        buf_puts(out, f->name);
        put_labels(out, c, NULL);
        buf_puts(out, " ");
        put_number(out, atomic_load_explicit(&c->value, memory_order_relaxed));
        buf_puts(out, "\n");
    }
}

int metrics_render(metrics_t *m, buf_t *out)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->family_count; i++)
        put_family(out, m->families[i]);
    pthread_mutex_unlock(&m->lock);
    return out->failed ? LH_ENOMEM : 0;
}
