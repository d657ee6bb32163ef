/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include "support/expect.h"

#include <math.h>

#define LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void metrics_destroyp(metrics_t **m)
{
    metrics_destroy(*m);
}

static void expect_format(metrics_t *m, metrics_format_t format, const char *expected)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    EXPECT_INT(metrics_render(m, format, &out), 0);
    EXPECT_STR(buf_text(&out), expected);
}

static void expect_text(metrics_t *m, const char *expected)
{
    expect_format(m, METRICS_TEXT, expected);
}

Test(metrics, nothing_renders_as_nothing)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();

    metrics_counter(m, "unused_total", "Has no series", NULL);
    expect_text(m, "");
}

Test(metrics, families_are_sorted_by_name_and_series_by_labels)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    metric_t *z = metrics_counter(m, "z_total", "Last", LABELS("controller", "result"));
    metric_t *a = metrics_gauge(m, "a", "First", NULL);

    metric_add(metric_cell(z, LABELS("b", "error")), 1);
    metric_add(metric_cell(z, LABELS("a", "success")), 2);
    metric_add(metric_cell(z, LABELS("a", "error")), 3);
    metric_set(metric_cell(a, NULL), -1.5);
    expect_text(m, "# HELP a First\n"
                   "# TYPE a gauge\n"
                   "a -1.5\n"
                   "# HELP z_total Last\n"
                   "# TYPE z_total counter\n"
                   "z_total{controller=\"a\",result=\"error\"} 3\n"
                   "z_total{controller=\"a\",result=\"success\"} 2\n"
                   "z_total{controller=\"b\",result=\"error\"} 1\n");
}

Test(metrics, the_same_name_and_labels_are_the_same_cell)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    metric_t *f = metrics_counter(m, "x_total", "X", LABELS("a"));
    metric_cell_t *one = metric_cell(f, LABELS("1"));

    cr_expect_eq(metrics_counter(m, "x_total", "X", LABELS("a")), f);
    metric_cell(f, LABELS("2"));
    metric_cell(f, LABELS("0"));
    cr_expect_eq(metric_cell(f, LABELS("1")), one);
    metric_add(one, 2);
    metric_add(metric_cell(f, LABELS("1")), 0.5);
    cr_expect(metric_value(one) == 2.5, "%g", metric_value(one));
}

Test(metrics, many_series_are_each_found_again)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    metric_t *f = metrics_gauge(m, "x", "X", LABELS("i"));

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 500; i++) {
            host_cleanup(host_freep) char *value = host_xprintf("%d", i * 7919 % 500);

            metric_add(metric_cell(f, LABELS(value)), i * 7919 % 500);
        }
    }
    for (int i = 0; i < 500; i++) {
        host_cleanup(host_freep) char *value = host_xprintf("%d", i);

        EXPECT_INT(metric_value(metric_cell(f, LABELS(value))), 2 * i);
    }
}

Test(metrics, histogram_buckets_are_cumulated_and_include_their_bound)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    const double bounds[] = {0.005, 0.1, 1, 10};
    metric_t *f = metrics_histogram(m, "h_seconds", "H", LABELS("c"), bounds, 4);
    metric_cell_t *c = metric_cell(f, LABELS("x"));

    metric_observe(c, 0.005);
    metric_observe(c, 0.0625);
    metric_observe(c, 0.5);
    metric_observe(c, 1);
    metric_observe(c, 100);
    EXPECT_INT(metric_value(c), 5);
    expect_text(m, "# HELP h_seconds H\n"
                   "# TYPE h_seconds histogram\n"
                   "h_seconds_bucket{c=\"x\",le=\"0.005\"} 1\n"
                   "h_seconds_bucket{c=\"x\",le=\"0.1\"} 2\n"
                   "h_seconds_bucket{c=\"x\",le=\"1\"} 4\n"
                   "h_seconds_bucket{c=\"x\",le=\"10\"} 4\n"
                   "h_seconds_bucket{c=\"x\",le=\"+Inf\"} 5\n"
                   "h_seconds_sum{c=\"x\"} 101.5675\n"
                   "h_seconds_count{c=\"x\"} 5\n");
}

Test(metrics, a_histogram_without_labels_has_le_alone)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    metric_t *f = metrics_histogram(m, "h", "", NULL, (const double[]){1}, 1);

    metric_observe(metric_cell(f, NULL), 2);
    expect_text(m, "# TYPE h histogram\n"
                   "h_bucket{le=\"1\"} 0\n"
                   "h_bucket{le=\"+Inf\"} 1\n"
                   "h_sum 2\n"
                   "h_count 1\n");
}

Test(metrics, help_and_labels_are_escaped)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    metric_t *f = metrics_gauge(m, "x", "a \"b\"\\\nc", LABELS("l"));

    metric_set(metric_cell(f, LABELS("\"q\"\\\né\xff")), 1);
    expect_text(m, "# HELP x a \"b\"\\\\\\nc\n"
                   "# TYPE x gauge\n"
                   "x{l=\"\\\"q\\\"\\\\\\né\xef\xbf\xbd\"} 1\n");
}

Test(metrics, openmetrics_names_counters_without_total_and_ends_with_eof)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    const double bounds[] = {1e-8, 0.5, 1, 1000};

    expect_format(m, METRICS_OPENMETRICS, "# EOF\n");
    metric_add(metric_cell(metrics_counter(m, "b_total", "a \"b\"\\\nc", LABELS("l")), LABELS("v")),
               2);
    metric_add(metric_cell(metrics_counter(m, "c", "", NULL), NULL), 3);
    metric_set(metric_cell(metrics_gauge(m, "d", "D", NULL), NULL), -1);
    metric_observe(metric_cell(metrics_histogram(m, "e", "", LABELS("l"), bounds, 4), LABELS("v")),
                   1);
    expect_format(m, METRICS_OPENMETRICS,
                  "# HELP b a \\\"b\\\"\\\\\\nc\n"
                  "# TYPE b counter\n"
                  "b_total{l=\"v\"} 2\n"
                  "# TYPE c counter\n"
                  "c_total 3\n"
                  "# HELP d D\n"
                  "# TYPE d gauge\n"
                  "d -1\n"
                  "# TYPE e histogram\n"
                  "e_bucket{l=\"v\",le=\"1e-08\"} 0\n"
                  "e_bucket{l=\"v\",le=\"0.5\"} 0\n"
                  "e_bucket{l=\"v\",le=\"1.0\"} 1\n"
                  "e_bucket{l=\"v\",le=\"1000.0\"} 1\n"
                  "e_bucket{l=\"v\",le=\"+Inf\"} 1\n"
                  "e_sum{l=\"v\"} 1\n"
                  "e_count{l=\"v\"} 1\n"
                  "# EOF\n");
}

Test(metrics, two_families_never_have_one_name_in_openmetrics)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();

    cr_expect_not_null(metrics_counter(m, "a_total", "", NULL));
    cr_expect_null(metrics_gauge(m, "a", "", NULL));
    cr_expect_null(metrics_counter(m, "a", "", NULL));
    cr_expect_not_null(metrics_gauge(m, "b", "", NULL));
    cr_expect_null(metrics_counter(m, "b_total", "", NULL));
    cr_expect_not_null(metrics_counter(m, "a_total", "", NULL));
    cr_expect_not_null(metrics_counter(m, "_total", "", NULL));
}

Test(metrics, numbers_are_short_and_exact)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1000000, "1000000"},
        {1e15, "1e+15"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {(double) NAN, "NaN"},
        {123456789012, "123456789012"},
    };

    for (size_t i = 0; i < HOST_LEN(cases); i++) {
        host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
        host_cleanup(host_freep) char *expected =
            host_xprintf("# TYPE x gauge\nx %s\n", cases[i].text);

        metric_set(metric_cell(metrics_gauge(m, "x", "", NULL), NULL), cases[i].value);
        expect_text(m, expected);
    }
}

Test(metrics, drop_removes_the_series_of_one_label_value_everywhere)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    metric_t *a = metrics_gauge(m, "a", "", LABELS("controller", "x"));
    metric_t *b = metrics_gauge(m, "b", "", LABELS("x", "controller"));
    metric_t *c = metrics_gauge(m, "c", "", LABELS("x"));

    metric_set(metric_cell(a, LABELS("gone", "1")), 1);
    metric_set(metric_cell(a, LABELS("stays", "gone")), 2);
    metric_set(metric_cell(b, LABELS("1", "gone")), 3);
    metric_set(metric_cell(b, LABELS("2", "gone")), 4);
    metric_set(metric_cell(c, LABELS("gone")), 5);
    metrics_drop(m, "controller", "gone");
    expect_text(m, "# TYPE a gauge\n"
                   "a{controller=\"stays\",x=\"gone\"} 2\n"
                   "# TYPE c gauge\n"
                   "c{x=\"gone\"} 5\n");
    metric_set(metric_cell(a, LABELS("gone", "1")), 6);
    EXPECT_INT(metric_value(metric_cell(a, LABELS("gone", "1"))), 6);
}

Test(metrics, rendering_reports_a_full_buffer)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    host_cleanup(buf_fini) buf_t out = BUF_INIT_MAX(5);

    metric_set(metric_cell(metrics_gauge(m, "x", "", NULL), NULL), 1);
    EXPECT_INT(metrics_render(m, METRICS_TEXT, &out), LH_ENOMEM);
}

static void add_up(void *arg, const char *const *labels, double value)
{
    buf_printf(arg, "%s/%s=%g ", labels[0], labels[1], value);
}

Test(metrics, series_can_be_read_by_name)
{
    host_cleanup(metrics_destroyp) metrics_t *m = metrics_create();
    host_cleanup(buf_fini) buf_t seen = BUF_INIT;
    metric_t *f = metrics_counter(m, "x_total", "", LABELS("a", "b"));
    metric_t *h = metrics_histogram(m, "h", "", NULL, (const double[]){1}, 1);

    metric_add(metric_cell(f, LABELS("1", "2")), 7);
    metric_add(metric_cell(f, LABELS("0", "2")), 8);
    metric_observe(metric_cell(h, NULL), 9);
    EXPECT_INT(metrics_read(m, "x_total", LABELS("1", "2")), 7);
    EXPECT_INT(metrics_read(m, "h", NULL), 1);
    cr_expect(isnan(metrics_read(m, "x_total", LABELS("2", "2"))));
    cr_expect(isnan(metrics_read(m, "y", LABELS("2", "2"))));
    metrics_each(m, "x_total", add_up, &seen);
    metrics_each(m, "y", add_up, &seen);
    EXPECT_STR(buf_text(&seen), "0/2=8 1/2=7 ");
}
