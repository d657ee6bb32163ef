/* SPDX-License-Identifier: Apache-2.0 */
/* The fake host keeps the promises of leasehold/testing.h, and sees what a plugin does wrong. */
#include "support/bad_arguments.h"
#include "support/expect.h"

#include <leasehold/leasehold.h>
#include <leasehold/testing.h>
#include <math.h>
#include <pthread.h>

#define PODS "/api/v1/namespaces/ns/pods"
#define POD PODS "/a"

struct lh_plugin {
    const lh_host_t *host;
};

/* What the reconcile of this test does; the plugin finds it as an extension of the host. */
typedef struct behaviour {
    void (*fn)(const lh_host_t *host, const lh_request_t *request, lh_completion_t completion);
} behaviour_t;

static void reconcile(lh_plugin_t *self, const lh_request_t *request, lh_completion_t completion)
{
    const behaviour_t *b = lh_extension(self->host, "test.behaviour/1");

    b->fn(self->host, request, completion);
}

static lh_plugin_t *create(const lh_host_t *host, const lh_instance_t *instance, lh_error_t *err)
{
    if (strcmp(instance->config, "{\"refuse\":true}") == 0) {
        lh_errorf(err, LH_EINVAL, "I refuse");
        return NULL;
    }
    lh_plugin_t *self = malloc(sizeof(*self));
    self->host = host;
    return self;
}

static void destroy(lh_plugin_t *self)
{
    free(self);
}

static const lh_plugin_entry_t entry = {
    .abi_major = LH_ABI_MAJOR, .struct_size = sizeof(entry), .create = create, .destroy = destroy};

static lh_fake_t *new_fake(void)
{
    return lh_fake_create("{'abi': 0, 'id': 'test', 'version': '1', 'watches': ["
                          "{'version': 'v1', 'resource': 'pods', 'kind': 'Pod'},"
                          "{'version': 'v1', 'resource': 'nodes', 'kind': 'Node'},"
                          "{'version': 'v1', 'resource': 'secrets', 'kind': 'Secret', 'role': "
                          "'owned'}]}");
}

static lh_fake_t *leader(const behaviour_t *b)
{
    lh_fake_t *fake = new_fake();
    lh_error_t err;

    ASSERT_OK(lh_fake_start(fake, &entry, reconcile, NULL, &err), err);
    ASSERT_OK(lh_fake_activate(fake, &err), err);
    lh_fake_set_extension(fake, "test.behaviour/1", b);
    lh_fake_put(fake, 0,
                "{'metadata': {'namespace': 'ns', 'name': 'a', 'labels': {'app': 'x'}},"
                " 'spec': {'n': 1}}");
    return fake;
}

/* Runs one reconcile of ns/a that does this, and expects so many faults. */
static void run(void (*fn)(const lh_host_t *, const lh_request_t *, lh_completion_t), size_t faults,
                const char *fault)
{
    const behaviour_t b = {fn};
    lh_fake_t *fake = leader(&b);

    lh_fake_set_patience(fake, 50 * LH_MILLISECOND);
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    lh_fake_deactivate(fake);
    lh_fake_stop(fake);
    EXPECT_INT(lh_fake_faults(fake), faults);
    if (fault != NULL)
        EXPECT_HAS(lh_fake_fault(fake, 0), fault);
    lh_fake_forgive(fake);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* -- Misbehaviour -- */

static void leak(const lh_host_t *host, const lh_request_t *request, lh_completion_t completion)
{
    const lh_query_t query = {.struct_size = sizeof(query)};
    lh_response_t *response = NULL;
    lh_cursor_t *cursor = NULL;

    EXPECT_INT(lh_callf(host, request->ctx, "GET", NULL, &response, NULL, POD), 0);
    EXPECT_INT(lh_cache_list(host, request->ctx, &query, &cursor, NULL), 0);
    (void) lh_snapshot_retain(host, request->object);
    lh_done(host, completion);
}

Test(fake, sees_handles_that_are_not_released)
{
    run(leak, 3, "a snapshot was not released");
}

static void complete_twice(const lh_host_t *host, const lh_request_t *request,
                           lh_completion_t completion)
{
    (void) request;
    lh_done(host, completion);
    lh_retry(host, completion, "once more");
}

Test(fake, counts_double_completions_and_keeps_the_first)
{
    const behaviour_t b = {complete_twice};
    lh_fake_t *fake = leader(&b);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "a");

    EXPECT_INT(result.action, LH_DONE);
    EXPECT_INT(result.completions, 2);
    EXPECT_STR(lh_fake_fault(fake, 0), "a reconcile was completed 2 times");
    lh_fake_forgive(fake);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void never(const lh_host_t *host, const lh_request_t *request, lh_completion_t completion)
{
    (void) host;
    (void) request;
    (void) completion;
}

Test(fake, sees_a_reconcile_that_is_never_completed)
{
    run(never, 1, "a reconcile was never completed");
}

static void complete_nothing(const lh_host_t *host, const lh_request_t *request,
                             lh_completion_t completion)
{
    (void) request;
    lh_done(host, (lh_completion_t){completion.id + 100});
    lh_done(host, completion);
}

Test(fake, sees_a_completion_that_is_none)
{
    run(complete_nothing, 1, "a completion that is none");
}

static void release_twice(const lh_host_t *host, const lh_request_t *request,
                          lh_completion_t completion)
{
    const lh_key_t key = lh_key_of(0, "ns", "a");
    lh_snapshot_t *snapshot = NULL;

    EXPECT_INT(lh_cache_get(host, request->ctx, &key, &snapshot, NULL), 0);
    lh_snapshot_release(host, snapshot);
    lh_snapshot_release(host, snapshot);
    EXPECT_STR(lh_snapshot_text(host, snapshot, NULL), "");
    lh_done(host, completion);
}

Test(fake, sees_the_use_of_a_handle_after_its_release)
{
    run(release_twice, 2, "a snapshot was used after its release");
}

static void forget_size(const lh_host_t *host, const lh_request_t *request,
                        lh_completion_t completion)
{
    const lh_api_request_t get = {.method = "GET", .path = POD};
    lh_response_t *response = NULL;

    EXPECT_INT(lh_call(host, request->ctx, &get, &response, NULL), LH_EINVAL);
    lh_done(host, completion);
}

Test(fake, sees_a_struct_without_its_size)
{
    run(forget_size, 1, "lh_api_request_t without its struct_size");
}

/* -- Life -- */

Test(fake, hands_on_the_refusal_of_create)
{
    lh_fake_t *fake = new_fake();
    lh_error_t err = {0};

    EXPECT_INT(lh_fake_start(fake, &entry, reconcile, "{'refuse': true}", &err), LH_EINVAL);
    EXPECT_STR(err.text, "I refuse");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void log_reason(const lh_host_t *host, const lh_request_t *request,
                       lh_completion_t completion)
{
    static const char *const reasons[] = {"changed", "gone", "left", "requeued", "initial"};

    lh_logf(host, request->ctx, LH_LOG_INFO, "%s%s%s %u in term %d of '%s'",
            reasons[request->reason], request->object != NULL ? " object" : "",
            request->last != NULL ? " last" : "", request->attempt, (int) request->term,
            request->uid);
    lh_retry(host, completion, NULL);
}

Test(fake, gives_reasons_as_the_objects_are)
{
    const behaviour_t b = {log_reason};
    lh_fake_t *fake = leader(&b);
    lh_error_t err;

    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    (void) lh_fake_reconcile_as(fake, LH_REASON_LEFT, 0, "ns", "a");
    lh_fake_remove(fake, 0, "ns", "a");
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    (void) lh_fake_reconcile(fake, 0, "ns", "unseen");
    lh_fake_deactivate(fake);
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'ns', 'name': 'a', 'uid': 'u2'}}");
    ASSERT_OK(lh_fake_activate(fake, &err), err);
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    const char *const uid = "00000000-0000-4000-8000-000000000001";
    char line[128];
    (void) snprintf(line, sizeof(line), "initial object 0 in term 1 of '%s'", uid);
    EXPECT_HAS(lh_fake_logged(fake, "initial"), line);
    (void) snprintf(line, sizeof(line), "requeued object 1 in term 1 of '%s'", uid);
    EXPECT_HAS(lh_fake_logged(fake, "requeued"), line);
    EXPECT_HAS(lh_fake_logged(fake, "left"), "left last 2 in term 1");
    EXPECT_HAS(lh_fake_logged(fake, "gone last"), "gone last 3 in term 1");
    EXPECT_HAS(lh_fake_logged(fake, "of ''"), "gone 0 in term 1");
    EXPECT_HAS(lh_fake_logged(fake, "term 2"), "initial object 4 in term 2 of 'u2'");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void *complete_later(void *arg)
{
    const struct timespec nap = {0, 10 * 1000 * 1000};
    void **args = arg;

    (void) nanosleep(&nap, NULL);
    lh_requeue_after(args[0], (lh_completion_t){(uint64_t) (uintptr_t) args[1]}, LH_SECOND);
    free(args);
    return NULL;
}

static void complete_on_a_thread(const lh_host_t *host, const lh_request_t *request,
                                 lh_completion_t completion)
{
    void **args = malloc(2 * sizeof(void *));
    pthread_t thread;

    (void) request;
    args[0] = (void *) host;
    args[1] = (void *) (uintptr_t) completion.id;
    cr_assert(pthread_create(&thread, NULL, complete_later, args) == 0);
    (void) pthread_detach(thread);
}

Test(fake, waits_for_a_completion_on_another_thread)
{
    const behaviour_t b = {complete_on_a_thread};
    lh_fake_t *fake = leader(&b);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "a");

    EXPECT_INT(result.action, LH_REQUEUE_AFTER);
    EXPECT_INT(result.after_ns, LH_SECOND);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* -- The API server -- */

/* A call as the plugin would make it, told as "STATUS CODE" or the value asked for. */
typedef struct api_call {
    const char *method, *path, *body;
    int32_t status;
    int code;
} api_call_t;

static void check_calls(lh_fake_t *fake, const lh_host_t *host, lh_ctx_t ctx,
                        const api_call_t *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int code =
            lh_callf(host, ctx, calls[i].method, calls[i].body, NULL, NULL, "%s", calls[i].path);
        const lh_fake_call_t *last = lh_fake_call(fake, NULL, "/", i);
        cr_expect(code == calls[i].code && last->status == calls[i].status,
                  "%s %s %s: %d, status %d, expected %d and %d", calls[i].method, calls[i].path,
                  calls[i].body, code, last->status, calls[i].code, calls[i].status);
    }
}

static void crud(const lh_host_t *host, const lh_request_t *request, lh_completion_t completion)
{
    static const api_call_t calls[] = {
        {"GET", POD, NULL, 200, 0},
        {"GET", PODS "/b", NULL, 404, LH_ENOTFOUND},
        {"GET", PODS, NULL, 200, 0},
        {"GET", "/api/v1/pods?limit=5", NULL, 200, 0},
        {"GET", "/healthz", NULL, 0, LH_EINVAL},
        {"POST", PODS, "{\"metadata\":{\"name\":\"b\"}}", 400, LH_EAPI},
        {"POST", PODS, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{}}", 422, LH_EAPI},
        {"POST", PODS, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}",
         201, 0},
        {"POST", PODS, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}",
         409, LH_EEXISTS},
        {"PUT", PODS "/c", "{\"metadata\":{\"name\":\"c\"}}", 404, LH_ENOTFOUND},
        {"PUT", PODS "/b", "{\"metadata\":{\"name\":\"c\"}}", 400, LH_EAPI},
        {"PUT", PODS "/b", "{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"1\"}}", 409,
         LH_ECONFLICT},
        {"PUT", PODS "/b", "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"},\"spec\":{}}", 200, 0},
        {"PATCH", PODS "/b", "{\"spec\":{\"n\":2,\"m\":null}}", 200, 0},
        {"PATCH", PODS "/b", "no JSON", 400, LH_EAPI},
        {"DELETE", PODS "/b", "{\"preconditions\":{\"uid\":\"other\"}}", 409, LH_ECONFLICT},
        {"DELETE", PODS "/b", NULL, 200, 0},
        {"DELETE", PODS "/b", NULL, 404, LH_ENOTFOUND},
        {"PATCH", POD "/scale", "{}", 404, LH_ENOTFOUND},
    };

    check_calls((lh_fake_t *) host, host, request->ctx, calls, 4);
    lh_fake_forget((lh_fake_t *) host);
    check_calls((lh_fake_t *) host, host, request->ctx, calls + 5,
                sizeof(calls) / sizeof(calls[0]) - 5);
    lh_done(host, completion);
}

Test(fake, answers_as_an_api_server)
{
    run(crud, 0, NULL);
}

static void write_status(const lh_host_t *host, const lh_request_t *request,
                         lh_completion_t completion)
{
    EXPECT_INT(lh_callf(host, request->ctx, "PATCH",
                        "{\"spec\":{\"n\":9},\"status\":{\"phase\":\"Up\"}}", NULL, NULL,
                        POD "/status"),
               0);
    EXPECT_INT(lh_callf(host, request->ctx, "PATCH",
                        "{\"spec\":{\"n\":2},\"status\":{\"phase\":\"Down\"}}", NULL, NULL, POD),
               0);
    lh_done(host, completion);
}

Test(fake, keeps_status_and_spec_apart)
{
    const behaviour_t b = {write_status};
    lh_fake_t *fake = leader(&b);

    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_STR(lh_fake_value(fake, POD, "/status/phase"), "Up");
    EXPECT_STR(lh_fake_value(fake, POD, "/spec/n"), "2");
    EXPECT_STR(lh_fake_value(fake, POD, "/metadata/generation"), "2");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void write_nothing_new(const lh_host_t *host, const lh_request_t *request,
                              lh_completion_t completion)
{
    EXPECT_INT(lh_callf(host, request->ctx, "PATCH", "{\"spec\":{\"n\":1}}", NULL, NULL, POD), 0);
    lh_done(host, completion);
}

Test(fake, keeps_the_version_when_nothing_changes)
{
    const behaviour_t b = {write_nothing_new};
    lh_fake_t *fake = leader(&b);
    const char *before = lh_fake_value(fake, POD, "/metadata/resourceVersion");

    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_STR(lh_fake_value(fake, POD, "/metadata/resourceVersion"), before);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void delete_it(const lh_host_t *host, const lh_request_t *request,
                      lh_completion_t completion)
{
    EXPECT_INT(lh_callf(host, request->ctx, "DELETE", "{}", NULL, NULL, POD), 0);
    lh_done(host, completion);
}

Test(fake, holds_what_has_a_finalizer)
{
    const behaviour_t b = {delete_it};
    lh_fake_t *fake = leader(&b);

    lh_fake_patch(fake, POD, "{'metadata': {'finalizers': ['x/y']}}");
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    cr_expect_not_null(lh_fake_value(fake, POD, "/metadata/deletionTimestamp"));
    lh_fake_patch(fake, POD, "{'metadata': {'finalizers': []}}");
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    cr_expect_null(lh_fake_object(fake, POD));
    EXPECT_INT(lh_fake_objects(fake, PODS), 0);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void get_once(const lh_host_t *host, const lh_request_t *request, lh_completion_t completion)
{
    lh_response_t *response = NULL;
    lh_error_t err = {0};
    const int code = lh_callf(host, request->ctx, "GET", NULL, &response, &err, POD);

    lh_logf(host, request->ctx, LH_LOG_INFO, "code %d status %d: %s", code, err.status, err.text);
    lh_response_release(host, response);
    lh_done(host, completion);
}

Test(fake, answers_by_script_before_it_answers_itself)
{
    const behaviour_t b = {get_once};
    lh_fake_t *fake = leader(&b);

    lh_fake_answer(fake, "GET", PODS, 503, NULL, 1);
    lh_fake_answer(fake, NULL, "/", LH_EUNKNOWN, NULL, 1);
    lh_fake_answer(fake, "PUT", "/", 500, NULL, 0);
    lh_fake_answer(fake, "GET", PODS, 418, "{'message': 'I am a teapot'}", 1);
    for (int i = 0; i < 4; i++)
        (void) lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_STR(lh_fake_logged(fake, "code -15"),
               "info: code -15 status 503: GET " POD ": scripted: GET " POD);
    EXPECT_STR(lh_fake_logged(fake, "code -7"), "info: code -7 status 0: GET " POD ": cut while in "
                                                "flight; the outcome is unknown");
    EXPECT_STR(lh_fake_logged(fake, "code -23"),
               "info: code -23 status 418: GET " POD ": I am a teapot");
    EXPECT_STR(lh_fake_logged(fake, "code 0"), "info: code 0 status 0: ");
    EXPECT_INT(lh_fake_calls(fake, "GET", "/"), 4);
    EXPECT_INT(lh_fake_writes(fake), 0);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* -- Cache -- */

static void count_pods(const lh_host_t *host, const lh_request_t *request,
                       lh_completion_t completion)
{
    static const char *const selectors[] = {NULL,   "app=x",    "app!=x", "app",
                                            "!app", "app=x,!b", "app==y"};
    char line[64] = "";

    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        const lh_query_t query = {sizeof(query), 0, "ns", selectors[i], NULL};
        lh_cursor_t *cursor = NULL;
        lh_snapshot_t *snapshot = NULL;
        int count = 0;
        EXPECT_INT(lh_cache_list(host, request->ctx, &query, &cursor, NULL), 0);
        while (lh_cursor_next(host, cursor, &snapshot, NULL) == 0 && snapshot != NULL) {
            count++;
            lh_snapshot_release(host, snapshot);
        }
        lh_cursor_release(host, cursor);
        const size_t len = strlen(line);
        (void) snprintf(line + len, sizeof(line) - len, "%d,", count);
    }
    lh_log(host, request->ctx, LH_LOG_INFO, line);
    lh_done(host, completion);
}

Test(fake, selects_by_label_and_namespace)
{
    const behaviour_t b = {count_pods};
    lh_fake_t *fake = leader(&b);

    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'ns', 'name': 'b', 'labels': {'app': 'y'}}}");
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'ns', 'name': 'c'}}");
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'other', 'name': 'd'}}");
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_STR(lh_fake_logged(fake, ","), "info: 3,1,2,2,1,1,1,");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void walk_while_it_changes(const lh_host_t *host, const lh_request_t *request,
                                  lh_completion_t completion)
{
    const lh_query_t query = {sizeof(query), 0, NULL, NULL, "owner-1"};
    lh_fake_t *fake = (lh_fake_t *) host;
    lh_cursor_t *cursor = NULL;
    lh_snapshot_t *snapshot = NULL;

    EXPECT_INT(lh_cache_list(host, request->ctx, &query, &cursor, NULL), 0);
    lh_fake_remove(fake, 0, "ns", "o1");
    lh_fake_patch(fake, PODS "/o2", "{'spec': 'new'}");
    EXPECT_INT(lh_cursor_next(host, cursor, &snapshot, NULL), 0);
    EXPECT_INT(lh_json_equals(lh_snapshot_json(host, snapshot), "/spec", "new"), 1);
    lh_snapshot_release(host, snapshot);
    EXPECT_INT(lh_cursor_next(host, cursor, &snapshot, NULL), 0);
    cr_expect_null(snapshot);
    lh_cursor_release(host, cursor);
    lh_done(host, completion);
}

Test(fake, shows_objects_as_they_are_when_the_walk_comes_to_them)
{
    const behaviour_t b = {walk_while_it_changes};
    lh_fake_t *fake = leader(&b);

    lh_fake_put(fake, 0,
                "{'metadata': {'namespace': 'ns', 'name': 'o1',"
                " 'ownerReferences': [{'uid': 'owner-1'}]}}");
    lh_fake_put(fake, 0,
                "{'metadata': {'namespace': 'ns', 'name': 'o2',"
                " 'ownerReferences': [{'uid': 'owner-1'}]}}");
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void get_node(const lh_host_t *host, const lh_request_t *request, lh_completion_t completion)
{
    const lh_key_t key = lh_key_of(1, "", "n1");
    lh_snapshot_t *snapshot = NULL;

    lh_logf(host, request->ctx, LH_LOG_INFO, "code %d",
            lh_cache_get(host, request->ctx, &key, &snapshot, NULL));
    lh_snapshot_release(host, snapshot);
    lh_done(host, completion);
}

Test(fake, answers_unavailable_until_a_watch_has_synced)
{
    const behaviour_t b = {get_node};
    lh_fake_t *fake = leader(&b);

    lh_fake_put(fake, 1, "{'metadata': {'name': 'n1'}}");
    lh_fake_set_synced(fake, 1, 0);
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    lh_fake_set_synced(fake, 1, 1);
    (void) lh_fake_reconcile(fake, 0, "ns", "a");
    cr_expect_not_null(lh_fake_logged(fake, "code -15"));
    cr_expect_not_null(lh_fake_logged(fake, "code 0"));
    EXPECT_STR(lh_fake_value(fake, "/api/v1/nodes/n1", "/kind"), "Node");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* -- The plugin thread -- */

typedef struct posted {
    const lh_host_t *host;
    lh_completion_t completion;
} posted_t;

static void on_answer(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    posted_t *p = arg;

    EXPECT_INT(code, LH_ENOTFOUND);
    cr_expect_null(response);
    EXPECT_INT(err->status, 404);
    lh_done(p->host, p->completion);
    free(p);
}

static void ask(void *arg)
{
    posted_t *p = arg;

    lh_log(p->host, (lh_ctx_t){0}, LH_LOG_INFO, "posted");
}

static void post_and_request(const lh_host_t *host, const lh_request_t *request,
                             lh_completion_t completion)
{
    const lh_api_request_t get = {.struct_size = sizeof(get), .method = "GET", .path = PODS "/no"};
    posted_t *p = malloc(sizeof(*p)), *q = malloc(sizeof(*q));

    *p = *q = (posted_t){host, completion};
    EXPECT_INT(lh_post(host, ask, q, free, NULL), 0);
    EXPECT_INT(lh_call_async(host, request->ctx, &get, on_answer, p, NULL), 0);
    cr_expect_null(lh_fake_logged((lh_fake_t *) host, "posted"));
}

Test(fake, runs_posts_and_callbacks_after_the_reconcile)
{
    const behaviour_t b = {post_and_request};
    lh_fake_t *fake = leader(&b);

    EXPECT_INT(lh_fake_reconcile(fake, 0, "ns", "a").action, LH_DONE);
    cr_expect_not_null(lh_fake_logged(fake, "posted"));
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* -- What the plugin tells -- */

static int metric(const lh_host_t *host, uint32_t type, const char *name, const char *zone,
                  double value)
{
    const char *const names[] = {"zone"}, *const values[] = {zone};
    const lh_metric_t m = {sizeof(m), type, name, NULL, names, values, zone != NULL, 0, value};

    return lh_emit_metric(host, &m, NULL);
}

Test(fake, keeps_metrics_by_type_and_label)
{
    lh_fake_t *fake = new_fake();
    const lh_host_t *host = lh_fake_host(fake);
    char name[16];

    EXPECT_INT(metric(host, LH_METRIC_COUNTER, "sites", "a", 2), 0);
    EXPECT_INT(metric(host, LH_METRIC_COUNTER, "sites", "a", 3), 0);
    EXPECT_INT(metric(host, LH_METRIC_COUNTER, "sites", "b", 1), 0);
    EXPECT_INT(metric(host, LH_METRIC_COUNTER, "sites", NULL, 1), LH_EINVAL);
    EXPECT_INT(metric(host, LH_METRIC_GAUGE, "sites", "a", 1), LH_EINVAL);
    EXPECT_INT(metric(host, LH_METRIC_COUNTER, "sites", "a", -1), LH_EINVAL);
    EXPECT_INT(metric(host, LH_METRIC_GAUGE, "Bad", NULL, 1), LH_EINVAL);
    EXPECT_INT(metric(host, LH_METRIC_GAUGE, "level", NULL, 5), 0);
    EXPECT_INT(metric(host, LH_METRIC_GAUGE, "level", NULL, 4), 0);
    EXPECT_INT(metric(host, LH_METRIC_HISTOGRAM, "took", NULL, 0.5), 0);
    EXPECT_INT(lh_fake_metric(fake, "sites{zone=\"a\"}"), 5);
    EXPECT_INT(lh_fake_metric(fake, "sites{zone=\"b\"}"), 1);
    EXPECT_INT(lh_fake_metric(fake, "level"), 4);
    EXPECT_INT(lh_fake_metric(fake, "took"), 1);
    cr_expect(isnan(lh_fake_metric(fake, "none")));
    for (int i = 3; i < 64; i++) {
        (void) snprintf(name, sizeof(name), "m%d", i);
        EXPECT_INT(metric(host, LH_METRIC_GAUGE, name, NULL, 1), 0);
    }
    EXPECT_INT(metric(host, LH_METRIC_GAUGE, "one_too_many", NULL, 1), LH_ETOOBIG);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(fake, keeps_readiness_and_moves_its_clock_when_told)
{
    lh_fake_t *fake = new_fake();
    const lh_host_t *host = lh_fake_host(fake);
    const int64_t before = lh_now(host);
    const char *text = NULL;

    EXPECT_INT(lh_fake_ready(fake, NULL), -1);
    lh_set_ready(host, 0, "warming up");
    EXPECT_INT(lh_fake_ready(fake, &text), 0);
    EXPECT_STR(text, "warming up");
    EXPECT_INT(lh_now(host), before);
    lh_fake_advance(fake, LH_MINUTE);
    EXPECT_INT(lh_now(host) - before, LH_MINUTE);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* -- As the host does it -- */

static void give_bad_arguments(const lh_host_t *host, const lh_request_t *request,
                               lh_completion_t completion)
{
    expect_bad_arguments(host, request->ctx, 2, request->object, 1);
    lh_complete(host, completion, LH_DONE, 0, NULL);
}

/* Each was taken, so that a plugin's unit tests passed and the host refused it. */
Test(fake, refuses_what_the_host_refuses)
{
    run(give_bad_arguments, 0, NULL);
}

typedef struct asked {
    const lh_host_t *host;
    lh_completion_t completion;
} asked_t;

/* Completes with what it was given. */
static void note_err(void *arg, int code, lh_response_t *response, const lh_error_t *err)
{
    const asked_t *a = arg;

    lh_complete(a->host, a->completion, code == 0 && err == NULL ? LH_DONE : LH_FAIL, 0, NULL);
    lh_response_release(a->host, response);
}

static void ask_by_request(const lh_host_t *host, const lh_request_t *request,
                           lh_completion_t completion)
{
    static asked_t a;
    const lh_api_request_t get = {.struct_size = sizeof(get), .method = "GET", .path = POD};

    a = (asked_t){host, completion};
    EXPECT_INT(host->request(host, request->ctx, &get, note_err, &a, NULL), 0);
}

/* It was a text in tests and a crash in the host. */
Test(fake, gives_a_callback_no_error_when_there_is_none)
{
    const behaviour_t b = {ask_by_request};
    lh_fake_t *fake = leader(&b);

    EXPECT_INT(lh_fake_reconcile(fake, 0, "ns", "a").action, LH_DONE);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static int late;

static void do_nothing(void *arg)
{
    (void) arg;
}

static void destroy_and_post(lh_plugin_t *self)
{
    late = self->host->post(self->host, do_nothing, NULL, NULL, NULL);
    free(self);
}

/* The host has no thread any more to run it on. */
Test(fake, refuses_a_post_after_the_end)
{
    const lh_plugin_entry_t posting = {.abi_major = LH_ABI_MAJOR,
                                       .struct_size = sizeof(posting),
                                       .create = create,
                                       .destroy = destroy_and_post};
    lh_fake_t *fake = new_fake();
    lh_error_t err;

    ASSERT_OK(lh_fake_start(fake, &posting, reconcile, NULL, &err), err);
    EXPECT_INT(lh_fake_destroy(fake), 0);
    EXPECT_INT(late, LH_ESTATE);
}

static int early;

static int activate_early(lh_plugin_t *self, lh_ctx_t ctx, lh_error_t *err)
{
    const lh_key_t key = {sizeof(key), 0, "ns", "a"};
    lh_snapshot_t *out = NULL;

    (void) err;
    early = self->host->cache_get(self->host, ctx, &key, &out, NULL);
    return 0;
}

/* The host opens a term's watches after activate(). */
Test(fake, has_no_cache_inside_activate)
{
    const lh_plugin_entry_t eager = {.abi_major = LH_ABI_MAJOR,
                                     .struct_size = sizeof(eager),
                                     .create = create,
                                     .destroy = destroy,
                                     .activate = activate_early};
    lh_fake_t *fake = new_fake();
    lh_error_t err;

    ASSERT_OK(lh_fake_start(fake, &eager, reconcile, NULL, &err), err);
    ASSERT_OK(lh_fake_activate(fake, &err), err);
    EXPECT_INT(early, LH_EUNAVAILABLE);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}
