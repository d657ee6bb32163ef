/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers: on a host that has everything, and on one that is older than the plugin. */
#include "support/expect.h"

#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

static const char manifest[] = "{'abi': 0, 'id': 'api', 'version': '1', 'watches': ["
                               "{'version': 'v1', 'resource': 'pods', 'kind': 'Pod'}]}";
static const lh_ctx_t no_ctx = {0};

/* What an older host gives: the two numbers and complete(). */
static lh_host_t old_host(void)
{
    return (lh_host_t){.abi_major = LH_ABI_MAJOR,
                       .struct_size = offsetof(lh_host_t, complete) + sizeof(void *)};
}

static void ignore(void *arg)
{
    (void) arg;
}

static void on_answer(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    (void) arg;
    (void) code;
    (void) response;
    (void) err;
}

#define EXPECT_ABSENT(call, name)                                                                  \
    do {                                                                                           \
        lh_error_t err = {0};                                                                      \
        EXPECT_INT(call, LH_ENOSYS);                                                               \
        EXPECT_INT(err.code, LH_ENOSYS);                                                           \
        EXPECT_STR(err.text, "this host does not offer '" name "'; it is older than the plugin");  \
    } while (0)

Test(api, says_enosys_where_the_host_is_older)
{
    const lh_host_t host = old_host();
    const lh_key_t key = lh_key_of(0, "ns", "name");
    const lh_api_request_t request = {.struct_size = sizeof(request)};
    const lh_query_t query = {.struct_size = sizeof(query)};
    const lh_metric_t metric = {.struct_size = sizeof(metric)};
    lh_response_t *response;
    lh_snapshot_t *snapshot;
    lh_cursor_t *cursor;

    EXPECT_ABSENT(lh_call(&host, no_ctx, &request, &response, &err), "call");
    EXPECT_ABSENT(lh_callf(&host, no_ctx, "GET", NULL, NULL, &err, "/api/v1"), "call");
    EXPECT_ABSENT(lh_call_async(&host, no_ctx, &request, on_answer, NULL, &err), "request");
    EXPECT_ABSENT(lh_cache_get(&host, no_ctx, &key, &snapshot, &err), "cache_get");
    EXPECT_ABSENT(lh_cache_list(&host, no_ctx, &query, &cursor, &err), "cache_list");
    EXPECT_ABSENT(lh_cursor_next(&host, NULL, &snapshot, &err), "cursor_next");
    EXPECT_ABSENT(lh_enqueue(&host, no_ctx, &key, &err), "enqueue");
    EXPECT_ABSENT(lh_emit_event(&host, no_ctx, NULL, 0, "A", "b", &err), "event");
    EXPECT_ABSENT(lh_emit_metric(&host, &metric, &err), "metric");
    EXPECT_ABSENT(lh_post(&host, ignore, NULL, NULL, &err), "post");
}

Test(api, does_nothing_where_an_older_host_has_no_result_to_give)
{
    const lh_host_t host = old_host();
    size_t len = 7;

    EXPECT_INT(lh_cancelled(&host, no_ctx), LH_ENOSYS);
    EXPECT_INT(lh_now(&host), 0);
    EXPECT_INT(lh_response_status(&host, NULL), 0);
    EXPECT_STR(lh_response_text(&host, NULL, &len), "");
    EXPECT_INT(len, 0);
    EXPECT_STR(lh_snapshot_text(&host, NULL, NULL), "");
    cr_expect_null(lh_snapshot_retain(&host, NULL));
    cr_expect_null(lh_extension(&host, "lh.any/1"));
    lh_log(&host, no_ctx, LH_LOG_INFO, "nobody hears it");
    lh_set_ready(&host, 1, NULL);
    lh_snapshot_release(&host, NULL);
    lh_response_release(&host, NULL);
    lh_cursor_release(&host, NULL);
    lh_done(&host, (lh_completion_t){0}); /* NULL in the table */
}

Test(api, prints_logs_and_cuts_them)
{
    lh_fake_t *fake = lh_fake_create(manifest);
    char longest[6000];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    lh_logf(lh_fake_host(fake), no_ctx, LH_LOG_WARN, "%d sites", 3);
    lh_logf(lh_fake_host(fake), no_ctx, LH_LOG_DEBUG, "%s", longest);
    EXPECT_STR(lh_fake_logged(fake, "sites"), "warning: 3 sites");
    EXPECT_INT(strlen(lh_fake_logged(fake, "xxx")), 4096 + strlen("debug: "));
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(api, refuses_a_path_that_is_too_long)
{
    lh_fake_t *fake = lh_fake_create(manifest);
    char longest[3000];
    lh_error_t err = {0};

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    EXPECT_INT(lh_callf(lh_fake_host(fake), no_ctx, "GET", NULL, NULL, &err, "/api/%s", longest),
               LH_ETOOBIG);
    EXPECT_HAS(err.text, "is too long");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(error, is_set_in_one_line)
{
    lh_error_t err = {.status = 500};
    char longest[600];

    EXPECT_INT(lh_errorf(&err, LH_EINVAL, "replicas is %d", 3), LH_EINVAL);
    EXPECT_INT(err.code, LH_EINVAL);
    EXPECT_INT(err.status, 0);
    EXPECT_STR(err.text, "replicas is 3");
    EXPECT_INT(lh_errorf(NULL, LH_EIO, "nobody asks"), LH_EIO);
    (void) lh_errorf(&err, LH_EIO, "first");
    (void) lh_errorf(&err, LH_EIO, "second, after %s",
                     err.text); /* what it was, not what it becomes */
    EXPECT_STR(err.text, "second, after first");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    (void) lh_errorf(&err, LH_EIO, "%s", longest);
    EXPECT_INT(strlen(err.text), sizeof(err.text) - 1);
}

Test(error, has_a_text_for_every_code)
{
    for (int code = LH_EPLUGIN; code <= 0; code++)
        cr_expect_str_neq(lh_strerror(code), "unknown error", "code %d", code);
    EXPECT_STR(lh_strerror(LH_EPLUGIN - 1), "unknown error");
    EXPECT_STR(lh_strerror(1), "unknown error");
}
