/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that every host table must refuse, the real one and the fake one: a plugin whose unit
 * tests pass on the fake must not be refused by the host. */
#ifndef SUPPORT_BAD_ARGUMENTS_H
#define SUPPORT_BAD_ARGUMENTS_H

#include "support/expect.h"

#include <leasehold/leasehold.h>
#include <math.h>

#define BAD_METRIC(...) (&(const lh_metric_t){.struct_size = sizeof(lh_metric_t), __VA_ARGS__})
#define BAD_LABELS(...)                                                                            \
    .label_names = (const char *const[])                                                           \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define BAD_VALUES(...)                                                                            \
    .label_values = (const char *const[])                                                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static inline void expect_bad_metrics(const lh_host_t *h)
{
    const lh_metric_t *const bad[] = {
        BAD_METRIC(.name = NULL),
        BAD_METRIC(.name = "Upper"),
        BAD_METRIC(.name = "restarts_total"),
        BAD_METRIC(.name = "state", .type = LH_METRIC_GAUGE),
        BAD_METRIC(.name = "a_total", .type = LH_METRIC_GAUGE),
        BAD_METRIC(.name = "a_count", .type = LH_METRIC_COUNTER),
        BAD_METRIC(.name = "a_bucket", .type = LH_METRIC_GAUGE),
        BAD_METRIC(.name = "a_sum", .type = LH_METRIC_HISTOGRAM),
        BAD_METRIC(.name = "_created", .type = LH_METRIC_GAUGE),
        BAD_METRIC(.name = "a", .type = 99),
        BAD_METRIC(.name = "a", .type = LH_METRIC_COUNTER, .value = -1),
        BAD_METRIC(.name = "a", .type = LH_METRIC_COUNTER, .value = INFINITY),
        BAD_METRIC(.name = "a", .type = LH_METRIC_HISTOGRAM, .value = NAN),
        BAD_METRIC(.name = "a", .label_count = 1),
        BAD_METRIC(.name = "a", .label_count = 9),
        BAD_METRIC(.name = "a", .label_count = 1, BAD_LABELS("le"), BAD_VALUES("x")),
        BAD_METRIC(.name = "a", .label_count = 1, BAD_LABELS("__x"), BAD_VALUES("x")),
        BAD_METRIC(.name = "a", .label_count = 1, BAD_LABELS("x"), BAD_VALUES(NULL)),
        BAD_METRIC(.name = "a", .label_count = 2, BAD_LABELS("x", "x"), BAD_VALUES("1", "2")),
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const int code = h->metric(h, bad[i], NULL);
        cr_expect(code == LH_EINVAL, "metric %zu: %d, expected %d", i, code, LH_EINVAL);
    }
}

static inline void expect_bad_requests(const lh_host_t *h, lh_ctx_t ctx)
{
    static const struct {
        const char *method, *path, *content_type;
    } bad[] = {{NULL, "/api/v1/pods", NULL},
               {"HEAD", "/api/v1/pods", NULL},
               {"GET", NULL, NULL},
               {"GET", "/healthz", NULL},
               {"GET", "/api/v1/a b", NULL},
               {"GET", "/api/v1/a\r\nHost: b", NULL},
               {"PUT", "/api/v1/pods", "a/b\r\nX: y"}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const lh_api_request_t r = {.struct_size = sizeof(r),
                                    .method = bad[i].method,
                                    .path = bad[i].path,
                                    .content_type = bad[i].content_type};
        lh_response_t *out = NULL;
        const int code = h->call(h, ctx, &r, &out, NULL);
        cr_expect(code == LH_EINVAL, "request %zu: %d, expected %d", i, code, LH_EINVAL);
    }
}

static inline void expect_bad_events(const lh_host_t *h, lh_ctx_t ctx,
                                     const lh_snapshot_t *regarding)
{
    char word[130];
    const lh_event_t bad[] = {
        {.struct_size = sizeof(bad[0]), .reason = "Why"},
        {.struct_size = sizeof(bad[0]), .regarding = regarding},
        {.struct_size = sizeof(bad[0]), .regarding = regarding, .reason = ""},
        {.struct_size = sizeof(bad[0]), .regarding = regarding, .reason = word},
        {.struct_size = sizeof(bad[0]), .regarding = regarding, .reason = "Why", .action = word},
        {.struct_size = sizeof(bad[0]), .regarding = regarding, .reason = "Why", .type = 99},
    };

    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    EXPECT_INT(h->event(h, ctx, NULL, NULL), LH_EINVAL);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const int code = h->event(h, ctx, &bad[i], NULL);
        cr_expect(code == LH_EINVAL, "event %zu: %d, expected %d", i, code, LH_EINVAL);
    }
}

/* watch 0 is a primary one, `owned` is owned; may_call: on a thread that may block. */
static inline void expect_bad_arguments(const lh_host_t *h, lh_ctx_t ctx, uint32_t owned,
                                        const lh_snapshot_t *regarding, int may_call)
{
    char name[300];
    lh_snapshot_t *out = NULL;
    const lh_key_t of_owned = {sizeof(of_owned), owned, "ns", "a"};
    const lh_key_t keys[] = {{sizeof(lh_key_t), 0, NULL, "a"},
                             {sizeof(lh_key_t), 0, "ns", NULL},
                             {sizeof(lh_key_t), 0, "ns", ""},
                             {sizeof(lh_key_t), 0, "ns", name},
                             {sizeof(lh_key_t), 77, "ns", "a"}};

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const int get = h->cache_get(h, ctx, &keys[i], &out, NULL);
        const int add = h->enqueue(h, ctx, &keys[i], NULL);
        cr_expect(get == LH_EINVAL, "cache_get %zu: %d, expected %d", i, get, LH_EINVAL);
        cr_expect(add == LH_EINVAL, "enqueue %zu: %d, expected %d", i, add, LH_EINVAL);
    }
    EXPECT_INT(h->enqueue(h, ctx, &of_owned, NULL), LH_EINVAL);
    expect_bad_events(h, ctx, regarding);
    EXPECT_INT(h->post(h, NULL, NULL, NULL, NULL), LH_EINVAL);
    expect_bad_metrics(h);
    if (may_call)
        expect_bad_requests(h, ctx);
}

#endif
