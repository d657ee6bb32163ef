/* SPDX-License-Identifier: Apache-2.0 */
/* lh_create_or_patch() without waiting. What is wanted and sent is that of client_test.c. */
#include "support/expect.h"
#include "support/plain_plugin.h"

#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

LH_MANIFEST_JSON({
    "abi" : 0,
    "id" : "ensure",
    "version" : "1",
    "watches" : [ {"version" : "v1", "resource" : "configmaps", "kind" : "ConfigMap"} ]
});

#define COLLECTION "/api/v1/namespaces/ns/configmaps"
#define WEB COLLECTION "/web"
#define WANTED                                                                                     \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\"},"               \
    "\"data\":{\"a\":\"1\"}}"

/* What the test asks for, and what its reconcile heard. Criterion runs each test in a process of its own. */
static struct run {
    uint32_t watch;
    const char *wanted, *name;
    bool completes; /* the reconcile ends with it */
    const lh_host_t *host;
    lh_completion_t completion;
    int calls, code;
    uint32_t outcome;
    char text[512];
} r;

static void ensured(void *arg, int code, uint32_t outcome, const lh_error_t *err)
{
    r.calls++;
    r.code = code;
    r.outcome = outcome;
    snprintf(r.text, sizeof(r.text), "%s", err != NULL ? err->text : "");
    cr_expect(arg == &r);
    lh_done(r.host, r.completion);
}

LH_EXPORT void reconcile_async(lh_plugin_t *self, const lh_request_t *request,
                               lh_completion_t completion)
{
    char *wanted = r.wanted != NULL ? strdup(r.wanted) : NULL, *name = strdup(r.name);
    const lh_ref_t ref = lh_ref_of("v1", "configmaps", "ns", *name != '\0' ? name : NULL);

    r.host = self->host;
    r.completion = completion;
    if (r.completes)
        lh_complete_when_ensured(self->host, request->ctx, &ref, r.watch, wanted, completion);
    else
        lh_create_or_patch_async(self->host, request->ctx, &ref, r.watch, wanted, ensured, &r);
    free(wanted);
    free(name);
}

/* "web" is there, and differs from WANTED. */
static lh_fake_t *with_web(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0,
                "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'namespace': 'ns',"
                " 'name': 'web'}, 'data': {'a': '9', 'b': '2'}}");
    return fake;
}

/* One reconcile that wants WANTED of the object "web". */
static void ensure(lh_fake_t *fake, uint32_t watch)
{
    r.watch = watch;
    r.wanted = r.wanted != NULL ? r.wanted : WANTED;
    r.name = r.name != NULL ? r.name : "web";
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "driver");
    EXPECT_INT(result.action, LH_DONE);
}

static void expect(int code, uint32_t outcome)
{
    EXPECT_INT(r.calls, 1);
    EXPECT_INT(r.code, code);
    EXPECT_INT(r.outcome, outcome);
    r.calls = 0;
}

Test(ensure_async, creates_what_the_cache_does_not_have)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    ensure(fake, 0);
    expect(0, LH_CREATED);
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/a"), "1");
    ensure(fake, 0); /* by the answer, it is in the cache */
    expect(0, LH_UNCHANGED);
    EXPECT_INT(lh_fake_calls(fake, NULL, "/"), 1);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, patches_what_differs)
{
    lh_fake_t *fake = with_web();

    ensure(fake, 0);
    expect(0, LH_CHANGED);
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/a"), "1");
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/b"), "2");
    EXPECT_INT(lh_fake_calls(fake, NULL, "/"), 1);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, reads_first_without_a_watch)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    ensure(fake, LH_NO_WATCH);
    expect(0, LH_CREATED);
    ensure(fake, LH_NO_WATCH);
    expect(0, LH_UNCHANGED);
    EXPECT_INT(lh_fake_calls(fake, "GET", WEB), 2);
    EXPECT_INT(lh_fake_calls(fake, "POST", COLLECTION), 1);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* Somebody deletes it before the patch, and creates it before the creation. */
static void races(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    int *changes = arg;

    if (strcmp(call->method, "PATCH") == 0 && *changes == 0) {
        ++*changes;
        lh_fake_remove(fake, 0, "ns", "web");
    } else if (strcmp(call->method, "POST") == 0 && *changes == 1) {
        ++*changes;
        lh_fake_put(fake, 0,
                    "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {"
                    "'namespace': 'ns', 'name': 'web'}, 'data': {'theirs': 'x'}}");
    }
}

Test(ensure_async, ends_as_wanted_whatever_others_do_meanwhile)
{
    lh_fake_t *fake = with_web();
    int changes = 0;

    lh_fake_on_call(fake, races, &changes);
    ensure(fake, 0);
    expect(0, LH_CHANGED);
    EXPECT_INT(changes, 2);
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/a"), "1");
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/theirs"), "x");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

/* Once: another one has taken its place, whose uid is not that of the cached one. */
static void namesake(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    if (strcmp(call->method, "PATCH") != 0 || (*(int *) arg)++ > 0)
        return;
    lh_fake_remove(fake, 0, "ns", "web");
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'ns', 'name': 'web'}, 'data': {'a': '5'}}");
}

Test(ensure_async, patches_what_has_taken_the_place_of_the_cached_object)
{
    lh_fake_t *fake = with_web();
    int patches = 0;

    lh_fake_on_call(fake, namesake, &patches);
    ensure(fake, 0);
    expect(0, LH_CHANGED);
    EXPECT_INT(patches, 2);
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/a"), "1");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, gives_up_after_five_tries)
{
    lh_fake_t *fake = with_web();

    lh_fake_answer(fake, "PATCH", WEB, 409,
                   "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"changed\"}", 9);
    ensure(fake, 0);
    expect(LH_ECONFLICT, LH_UNCHANGED);
    EXPECT_STR(r.text, "PATCH " WEB ": changed");
    EXPECT_INT(lh_fake_calls(fake, "PATCH", WEB), 5);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static void end_term(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) call;
    (void) arg;
    lh_fake_end_term(fake);
}

/* Between the answer to the patch, a conflict, and the read that would follow. */
Test(ensure_async, sends_nothing_more_when_the_term_is_over)
{
    lh_fake_t *fake = with_web();

    lh_fake_answer(fake, "PATCH", WEB, 409,
                   "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"changed\"}", 1);
    lh_fake_on_call(fake, end_term, NULL);
    r.watch = 0;
    r.wanted = WANTED;
    r.name = "web";
    (void) lh_fake_reconcile(fake, 0, "ns", "driver");
    expect(LH_EFENCED, LH_UNCHANGED);
    EXPECT_INT(lh_fake_calls(fake, NULL, "/"), 1);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, tells_what_the_server_refused)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_answer(fake, "POST", COLLECTION, 403,
                   "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no quota\"}", 1);
    ensure(fake, 0);
    expect(LH_EFORBIDDEN, LH_UNCHANGED);
    EXPECT_STR(r.text, "POST " COLLECTION ": no quota");
    EXPECT_INT(lh_fake_calls(fake, NULL, "/"), 1);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, leaves_alone_what_it_does_not_control)
{
    lh_fake_t *fake = with_web();
    static const char owner[] = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                                "\"name\":\"o\",\"uid\":\"u1\"}}";
    char *wanted = lh_json_printf("%s", WANTED);
    lh_error_t err;

    ASSERT_OK(lh_owner_set_controller(&wanted, lh_json_text(owner, sizeof(owner) - 1), &err), err);
    r.wanted = wanted;
    ensure(fake, 0);
    expect(LH_EEXISTS, LH_UNCHANGED);
    EXPECT_STR(r.text, "configmaps/web exists and belongs to somebody else");
    EXPECT_INT(lh_fake_writes(fake), 0);
    free(wanted);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, refuses_what_has_no_name_or_was_not_made)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    r.name = "";
    ensure(fake, 0);
    expect(LH_EINVAL, LH_UNCHANGED);
    EXPECT_STR(r.text, "create or patch: no name");
    r.name = "..";
    ensure(fake, LH_NO_WATCH);
    expect(LH_EINVAL, LH_UNCHANGED);
    r.name = "web";
    r.wanted = "{";
    ensure(fake, 0);
    expect(LH_ENOMEM, LH_UNCHANGED);
    EXPECT_STR(r.text, "out of memory, or no JSON");
    EXPECT_INT(lh_fake_calls(fake, NULL, "/"), 0);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(ensure_async, ends_a_reconcile)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    r.completes = true;
    ensure(fake, 0);
    EXPECT_INT(r.calls, 0);
    EXPECT_STR(lh_fake_value(fake, WEB, "/data/a"), "1");
    r.wanted = NULL; /* could not be made */
    const lh_fake_result_t no_memory = lh_fake_reconcile(fake, 0, "ns", "driver");
    EXPECT_INT(no_memory.action, LH_RETRY);
    EXPECT_STR(no_memory.text, "create or patch: out of memory");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}
