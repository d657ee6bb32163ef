/* SPDX-License-Identifier: Apache-2.0 */
/* The client on the fake host. tests/e2e/client_test.c runs it against API servers. */
#include "support/expect.h"
#include "support/plain_plugin.h"

#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

LH_MANIFEST_JSON({
    "abi" : 0,
    "id" : "client",
    "version" : "1",
    "watches" : [ {"version" : "v1", "resource" : "configmaps", "kind" : "ConfigMap"} ]
});

#define COLLECTION "/api/v1/namespaces/ns/configmaps"
#define WEB COLLECTION "/web"

/* What a test does inside of a reconcile. */
typedef struct step {
    const lh_host_t *host;
    lh_ctx_t ctx;
    lh_ref_t web;
    lh_fake_t *fake;
    lh_error_t err;
} step_t;

/* One test's step; Criterion runs each in a process of its own. */
static void (*step)(step_t *s);
static lh_fake_t *step_fake;

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    step_t s = {.host = self->host,
                .ctx = request->ctx,
                .web = lh_ref_of("v1", "configmaps", "ns", "web"),
                .fake = step_fake};

    (void) result;
    (void) err;
    step(&s);
    return 0;
}

LH_SYNC(reconcile, host)

static void run(lh_fake_t *fake, void (*fn)(step_t *s))
{
    step = fn;
    step_fake = fake;
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "driver");
    EXPECT_INT(result.action, LH_DONE);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

static lh_fake_t *with_web(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0,
                "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'namespace': 'ns',"
                " 'name': 'web'}, 'data': {'a': '1', 'b': '2'}}");
    return fake;
}

static lh_json_t web_json(const step_t *s)
{
    const char *text = lh_fake_object(s->fake, WEB);

    return lh_json_text(text, strlen(text));
}

/* -- Paths -- */

static void expect_path(lh_ref_t ref, const char *sub, const char *expected)
{
    char path[256];
    lh_error_t err = {0};

    ref.sub = sub;
    ASSERT_OK(lh_ref_path(&ref, path, sizeof(path), &err), err);
    EXPECT_STR(path, expected);
}

Test(client, writes_paths)
{
    char path[16];
    lh_ref_t empty = lh_ref_of("v1", "pods", "ns", "");

    expect_path(lh_ref_of("v1", "pods", NULL, NULL), NULL, "/api/v1/pods");
    expect_path(lh_ref_of("v1", "pods", "", NULL), NULL, "/api/v1/pods");
    expect_path(lh_ref_of("v1", "pods", "ns", "a"), NULL, "/api/v1/namespaces/ns/pods/a");
    expect_path(lh_ref_of("apps/v1", "deployments", "ns", "a"), "scale",
                "/apis/apps/v1/namespaces/ns/deployments/a/scale");
    expect_path(lh_ref_of("rbac.authorization.k8s.io/v1", "clusterroles", NULL, "system:a b/%?"),
                NULL, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%20b%2F%25%3F");
    EXPECT_INT(lh_ref_path(&empty, path, sizeof(path), NULL), LH_EINVAL);
    empty.name = "long";
    EXPECT_INT(lh_ref_path(&empty, path, sizeof(path), NULL), LH_ETOOBIG);
}

static void expect_no_path(lh_ref_t ref, const char *expected)
{
    char path[256];
    lh_error_t err = {0};

    EXPECT_INT(lh_ref_path(&ref, path, sizeof(path), &err), LH_EINVAL);
    EXPECT_STR(err.text, expected);
}

/* A proxy, or the server, would take them for a way up: names come out of annotations, too. */
Test(client, writes_no_path_that_leads_elsewhere)
{
    expect_no_path(lh_ref_of("v1", "secrets", "..", "a"),
                   "path '/api/v1/namespaces/../secrets/a': '.' and '..' are no names");
    expect_no_path(lh_ref_of("v1", "secrets", "ns", ".."),
                   "path '/api/v1/namespaces/ns/secrets/..': '.' and '..' are no names");
    expect_no_path(lh_ref_of("v1", "secrets", ".", NULL),
                   "path '/api/v1/namespaces/./secrets': '.' and '..' are no names");
    expect_path(lh_ref_of("v1", "secrets", "ns", "..."), NULL, "/api/v1/namespaces/ns/secrets/...");
}

/* -- Verbs -- */

static void verbs(step_t *s)
{
    lh_response_t *answer = NULL;

    ASSERT_OK(lh_create(s->host, s->ctx, &s->web,
                        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                        "\"metadata\":{\"name\":\"web\"},\"data\":{\"a\":\"1\"}}",
                        &answer, &s->err),
              s->err);
    cr_expect(lh_json_equals(lh_response_json(s->host, answer), "/data/a", "1"));
    lh_response_release(s->host, answer);
    EXPECT_INT(lh_create(s->host, s->ctx, &s->web, lh_fake_object(s->fake, WEB), NULL, NULL),
               LH_EEXISTS);
    ASSERT_OK(lh_get(s->host, s->ctx, &s->web, &answer, &s->err), s->err);
    char *next = lh_json_with(lh_response_json(s->host, answer), "/data/a", "\"2\"");
    lh_response_release(s->host, answer);
    ASSERT_OK(lh_update(s->host, s->ctx, &s->web, next, NULL, &s->err), s->err);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "2");
    EXPECT_INT(lh_update(s->host, s->ctx, &s->web, next, NULL, NULL), LH_ECONFLICT);
    free(next);
    ASSERT_OK(lh_patch(s->host, s->ctx, &s->web, LH_PATCH_MERGE, "{\"data\":{\"a\":\"3\"}}", NULL,
                       &s->err),
              s->err);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "3");
    EXPECT_INT(lh_patch(s->host, s->ctx, &s->web, 9, "{}", NULL, NULL), LH_EINVAL);
    ASSERT_OK(lh_delete(s->host, s->ctx, &s->web, NULL, &s->err), s->err);
    EXPECT_INT(lh_delete(s->host, s->ctx, &s->web, NULL, NULL), LH_ENOTFOUND);
    EXPECT_INT(lh_get(s->host, s->ctx, &s->web, &answer, NULL), LH_ENOTFOUND);
}

Test(client, has_the_verbs)
{
    run(lh_fake_lead(NULL), verbs);
}

static void deletions(step_t *s)
{
    const lh_delete_options_t another = {.uid = "another"};
    const lh_delete_options_t old = {.resource_version = "0"};
    const lh_delete_options_t odd = {.propagation = 9};
    const lh_delete_options_t orphan = {.propagation = LH_PROPAGATION_ORPHAN};
    lh_ref_t all = s->web;

    EXPECT_INT(lh_delete(s->host, s->ctx, &s->web, &another, NULL), LH_ECONFLICT);
    EXPECT_INT(lh_delete(s->host, s->ctx, &s->web, &old, NULL), LH_ECONFLICT);
    EXPECT_INT(lh_delete(s->host, s->ctx, &s->web, &odd, NULL), LH_EINVAL);
    all.name = NULL;
    EXPECT_INT(lh_delete(s->host, s->ctx, &all, NULL, NULL), LH_EINVAL);
    ASSERT_OK(lh_delete(s->host, s->ctx, &s->web, &orphan, &s->err), s->err);
    EXPECT_STR(lh_fake_call(s->fake, "DELETE", WEB, 2)->body,
               "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Orphan\","
               "\"preconditions\":{\"uid\":null,\"resourceVersion\":null}}");
}

Test(client, deletes_what_it_means)
{
    run(with_web(), deletions);
}

/* -- Lists -- */

typedef struct seen {
    char names[64];
    int stop_at, fail_at;
} seen_t;

static int see(void *arg, lh_json_t item, lh_error_t *err)
{
    seen_t *seen = arg;
    const size_t len = strlen(seen->names);

    EXPECT_INT(lh_json_string(item, "/metadata/name", seen->names + len, sizeof(seen->names) - len),
               0);
    if (--seen->fail_at == 0)
        return lh_errorf(err, LH_EIO, "enough");
    return --seen->stop_at == 0 ? LH_STOP : 0;
}

static void pages(step_t *s)
{
    const lh_ref_t all = lh_ref_of("v1", "configmaps", "ns", NULL);
    const lh_list_options_t options = {"app=web,tier in (a)", "metadata.name!=x", 2};
    seen_t seen = {0}, stopped = {.stop_at = 3}, failed = {.fail_at = 1};

    ASSERT_OK(lh_list(s->host, s->ctx, &all, &options, see, &seen, &s->err), s->err);
    EXPECT_STR(seen.names, "abc");
    EXPECT_STR(lh_fake_call(s->fake, "GET", COLLECTION, 0)->path,
               COLLECTION "?limit=2&labelSelector=app%3Dweb%2Ctier%20in%20%28a%29"
                          "&fieldSelector=metadata.name%21%3Dx");
    EXPECT_STR(lh_fake_call(s->fake, "GET", COLLECTION, 1)->path,
               COLLECTION "?limit=2&labelSelector=app%3Dweb%2Ctier%20in%20%28a%29"
                          "&fieldSelector=metadata.name%21%3Dx&continue=to%2Bken");
    ASSERT_OK(lh_list(s->host, s->ctx, &all, NULL, see, &stopped, &s->err), s->err);
    EXPECT_STR(stopped.names, "abc");
    EXPECT_INT(lh_list(s->host, s->ctx, &all, NULL, see, &failed, &s->err), LH_EIO);
    EXPECT_STR(s->err.text, "enough");
    EXPECT_STR(failed.names, "a");
    EXPECT_INT(lh_list(s->host, s->ctx, &all, NULL, see, &seen, &s->err), LH_EGONE);
}

Test(client, lists_page_by_page)
{
    lh_fake_t *fake = lh_fake_lead(NULL);
    static const char first[] = "{\"metadata\":{\"continue\":\"to+ken\"},\"items\":[{\"metadata\":{"
                                "\"name\":\"a\"}},{\"metadata\":{\"name\":\"b\"}}]}";
    static const char last[] = "{\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"c\"}},"
                               "{\"metadata\":{\"name\":\"d\"}}]}";
    static const char only[] = "{\"metadata\":{},\"items\":[{\"metadata\":{\"name\":\"c\"}}]}";

    lh_fake_answer(fake, "GET", COLLECTION, 200, first, 1);
    lh_fake_answer(fake, "GET", COLLECTION, 200, only, 1);
    lh_fake_answer(fake, "GET", COLLECTION, 200, first, 1);
    lh_fake_answer(fake, "GET", COLLECTION, 200, last, 1);
    lh_fake_answer(fake, "GET", COLLECTION, 200, first, 1);
    lh_fake_answer(fake, "GET", COLLECTION, 410, NULL, 1);
    run(fake, pages);
}

/* -- Create or patch -- */

#define WANTED                                                                                     \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\"},"               \
    "\"data\":{\"a\":\"1\"}}"

static void ensures(step_t *s)
{
    uint32_t outcome = 9;

    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, WANTED, &outcome, &s->err), s->err);
    EXPECT_INT(outcome, LH_CREATED);
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, WANTED, &outcome, &s->err), s->err);
    EXPECT_INT(outcome, LH_UNCHANGED);
    EXPECT_INT(lh_fake_writes(s->fake), 1);
    EXPECT_INT(lh_fake_calls(s->fake, NULL, "/"), 1); /* the creation; then the cache has it */
    lh_fake_patch(s->fake, WEB, "{'data': {'a': '2', 'others': 'x'}}");
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, LH_NO_WATCH, WANTED, &outcome, &s->err),
              s->err);
    EXPECT_INT(outcome, LH_CHANGED);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "1");
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/others"), "x");
    EXPECT_INT(lh_create_or_patch(s->host, s->ctx, &s->web, 0, NULL, NULL, NULL), LH_ENOMEM);
}

Test(client, creates_or_patches_what_differs)
{
    run(lh_fake_lead(NULL), ensures);
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

static void ensures_in_a_race(step_t *s)
{
    uint32_t outcome = 9;
    int changes = 0;

    lh_fake_patch(s->fake, WEB, "{'data': {'a': '2'}}");
    lh_fake_on_call(s->fake, races, &changes);
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, WANTED, &outcome, &s->err), s->err);
    EXPECT_INT(changes, 2);
    EXPECT_INT(outcome, LH_CHANGED);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "1");
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/theirs"), "x");
}

Test(client, creates_or_patches_whatever_others_do_meanwhile)
{
    run(with_web(), ensures_in_a_race);
}

static void appears(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    if (strcmp(call->method, "POST") == 0)
        lh_fake_put(fake, 0, arg);
}

/* It is there, but the cache does not say so: the watch has a selector, or is behind. */
static void ensures_uncached(step_t *s)
{
    static char same[] =
        "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'namespace': 'ns', "
        "'name': 'web'}, 'data': {'a': '1'}}";
    uint32_t outcome = 9;

    lh_fake_on_call(s->fake, appears, same);
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, WANTED, &outcome, &s->err), s->err);
    EXPECT_INT(outcome, LH_UNCHANGED);
    EXPECT_INT(lh_fake_calls(s->fake, "POST", COLLECTION), 1);
    EXPECT_INT(lh_fake_calls(s->fake, "GET", WEB), 1);
    EXPECT_INT(lh_fake_calls(s->fake, NULL, "/"), 2);
}

Test(client, looks_at_what_the_cache_does_not_have_when_it_cannot_be_created)
{
    run(lh_fake_lead(NULL), ensures_uncached);
}

/* Without a cache the server is asked first: a creation in vain at each run would cost it more. */
static void ensures_without_a_watch(step_t *s)
{
    uint32_t outcome = 9;

    for (uint32_t i = 0; i < 2; i++) {
        ASSERT_OK(
            lh_create_or_patch(s->host, s->ctx, &s->web, LH_NO_WATCH, WANTED, &outcome, &s->err),
            s->err);
        EXPECT_INT(outcome, i == 0 ? LH_CREATED : LH_UNCHANGED);
    }
    EXPECT_INT(lh_fake_calls(s->fake, "GET", WEB), 2);
    EXPECT_INT(lh_fake_calls(s->fake, "POST", COLLECTION), 1);
}

Test(client, asks_before_it_creates_without_a_watch)
{
    run(lh_fake_lead(NULL), ensures_without_a_watch);
}

static void namesake(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    (void) arg;
    if (strcmp(call->method, "PATCH") != 0)
        return;
    lh_fake_remove(fake, 0, "ns", "web");
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'ns', 'name': 'web'}, 'data': {'a': '5'}}");
}

static void once_a_namesake(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    if (strcmp(call->method, "PATCH") == 0 && (*(int *) arg)++ == 0)
        namesake(fake, call, NULL);
}

/* A real server made an empty string of a null in a map of strings, which differed for ever. */
static void ensures_without_nulls(step_t *s)
{
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0,
                                 "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
                                 "\"name\":\"web\"},\"data\":{\"a\":\"1\",\"gone\":null}}",
                                 NULL, &s->err),
              s->err);
    EXPECT_STR(lh_fake_call(s->fake, "POST", COLLECTION, 0)->body,
               "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"web\"},"
               "\"data\":{\"a\":\"1\"}}");
}

Test(client, creates_without_the_nulls_that_mean_absent)
{
    run(lh_fake_lead(NULL), ensures_without_nulls);
}

/* The cache still had the old one: its uid in the patch is refused as invalid, not as a conflict. */
static void ensures_a_namesake(step_t *s)
{
    lh_fake_patch(s->fake, WEB, "{'data': {'a': '2'}}");
    lh_fake_on_call(s->fake, namesake, NULL);
    EXPECT_INT(lh_create_or_patch(s->host, s->ctx, &s->web, 0, WANTED, NULL, &s->err), LH_EAPI);
    lh_fake_on_call(s->fake, once_a_namesake, &(int){0});
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, WANTED, NULL, &s->err), s->err);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "1");
}

Test(client, patches_what_has_taken_the_place_of_the_cached_object)
{
    run(with_web(), ensures_a_namesake);
}

#define OWNER(uid_)                                                                                \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"o\",\"uid\":\"" uid_   \
    "\"}}"

static void ensures_its_own(step_t *s)
{
    char *wanted = lh_json_printf("%s", WANTED), *foreign = lh_json_printf("%s", WANTED);

    ASSERT_OK(
        lh_owner_set_controller(&wanted, lh_json_text(OWNER("u1"), strlen(OWNER("u1"))), &s->err),
        s->err);
    ASSERT_OK(
        lh_owner_set_controller(&foreign, lh_json_text(OWNER("u2"), strlen(OWNER("u2"))), &s->err),
        s->err);
    EXPECT_INT(lh_create_or_patch(s->host, s->ctx, &s->web, 0, wanted, NULL, &s->err), LH_EEXISTS);
    EXPECT_STR(s->err.text, "configmaps/web exists and belongs to somebody else");
    EXPECT_INT(lh_fake_writes(s->fake), 0);
    ASSERT_OK(lh_delete(s->host, s->ctx, &s->web, NULL, &s->err), s->err);
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, wanted, NULL, &s->err), s->err);
    EXPECT_INT(lh_create_or_patch(s->host, s->ctx, &s->web, 0, foreign, NULL, &s->err), LH_EEXISTS);
    lh_fake_patch(s->fake, WEB,
                  "{'data': null, 'metadata': {'ownerReferences': [{'uid': 'x'}, {'uid': 'u1',"
                  " 'controller': true}]}}");
    ASSERT_OK(lh_create_or_patch(s->host, s->ctx, &s->web, 0, wanted, NULL, &s->err), s->err);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "1");
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/metadata/ownerReferences/0/uid"), "x");
    free(wanted);
    free(foreign);
}

Test(client, leaves_alone_what_it_does_not_control)
{
    run(with_web(), ensures_its_own);
}

/* -- Retry -- */

static int count_up(void *arg, lh_json_t object, char **patch, lh_error_t *err)
{
    char old[8] = "";

    (void) err;
    ++*(int *) arg;
    EXPECT_INT(lh_json_string(object, "/data/a", old, sizeof(old)), 0);
    *patch = lh_json_printf("{'data':{'a':'%s1'}}", old);
    return 0;
}

static void faster(lh_fake_t *fake, const lh_fake_call_t *call, void *arg)
{
    int *left = arg;

    if (strcmp(call->method, "PATCH") == 0 && (*left)-- > 0)
        lh_fake_patch(fake, WEB, *left % 2 != 0 ? "{'data': {'a': '7'}}" : "{'data': {'a': '8'}}");
}

static void retries(step_t *s)
{
    int tries = 0, conflicts = 2;
    uint32_t outcome = 9;
    const lh_json_t none = {NULL, 0};

    lh_fake_on_call(s->fake, faster, &conflicts);
    ASSERT_OK(lh_retry_on_conflict(s->host, s->ctx, &s->web, web_json(s), count_up, &tries,
                                   &outcome, &s->err),
              s->err);
    EXPECT_INT(tries, 3);
    EXPECT_INT(outcome, LH_CHANGED);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "81");
    EXPECT_INT(lh_fake_calls(s->fake, "GET", WEB), 2);
    tries = 0;
    conflicts = 99;
    EXPECT_INT(
        lh_retry_on_conflict(s->host, s->ctx, &s->web, none, count_up, &tries, NULL, &s->err),
        LH_ECONFLICT);
    EXPECT_INT(tries, LH_RETRIES);
}

Test(client, makes_a_change_anew_after_a_conflict)
{
    run(with_web(), retries);
}

static int nothing(void *arg, lh_json_t object, char **patch, lh_error_t *err)
{
    (void) object;
    (void) err;
    *patch = arg != NULL ? lh_json_printf("{}") : NULL;
    return 0;
}

static int refuse(void *arg, lh_json_t object, char **patch, lh_error_t *err)
{
    (void) arg;
    (void) object;
    (void) patch;
    return lh_errorf(err, LH_EBUSY, "not now");
}

static void retries_nothing(step_t *s)
{
    uint32_t outcome = 9;
    const lh_json_t none = {NULL, 0};
    const lh_ref_t absent = lh_ref_of("v1", "configmaps", "ns", "absent");

    ASSERT_OK(
        lh_retry_on_conflict(s->host, s->ctx, &s->web, web_json(s), nothing, s, &outcome, &s->err),
        s->err);
    EXPECT_INT(outcome, LH_UNCHANGED);
    EXPECT_INT(lh_fake_calls(s->fake, NULL, "/"), 0);
    EXPECT_INT(lh_retry_on_conflict(s->host, s->ctx, &s->web, none, nothing, NULL, NULL, NULL),
               LH_ENOMEM);
    EXPECT_INT(lh_retry_on_conflict(s->host, s->ctx, &s->web, none, refuse, NULL, NULL, &s->err),
               LH_EBUSY);
    EXPECT_STR(s->err.text, "not now");
    EXPECT_INT(lh_retry_on_conflict(s->host, s->ctx, &absent, none, nothing, s, NULL, NULL),
               LH_ENOTFOUND);
}

Test(client, sends_nothing_when_nothing_differs)
{
    run(with_web(), retries_nothing);
}

static void retries_a_namesake(step_t *s)
{
    int tries = 0;

    lh_fake_on_call(s->fake, namesake, NULL);
    EXPECT_INT(lh_retry_on_conflict(s->host, s->ctx, &s->web, web_json(s), count_up, &tries, NULL,
                                    &s->err),
               LH_ENOTFOUND);
    EXPECT_STR(s->err.text, "configmaps/web is another object now");
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/data/a"), "5");
}

Test(client, does_not_change_another_object_of_the_same_name)
{
    run(with_web(), retries_a_namesake);
}

/* -- Finalizers -- */

static void finalizers(step_t *s)
{
    uint32_t outcome = 9;
    int conflicts = 1;

    ASSERT_OK(
        lh_finalizer_add(s->host, s->ctx, &s->web, web_json(s), "example.com/a", &outcome, &s->err),
        s->err);
    EXPECT_INT(outcome, LH_CHANGED);
    lh_fake_patch(s->fake, WEB, "{'metadata': {'finalizers': ['example.com/a', 'example.com/b']}}");
    ASSERT_OK(
        lh_finalizer_add(s->host, s->ctx, &s->web, web_json(s), "example.com/a", &outcome, &s->err),
        s->err);
    EXPECT_INT(outcome, LH_UNCHANGED);
    cr_expect(!lh_is_being_deleted(web_json(s)));
    lh_fake_patch(s->fake, WEB, "{'metadata': {'deletionTimestamp': '2026-02-03T04:05:06Z'}}");
    cr_expect(lh_is_being_deleted(web_json(s)) && lh_finalizer_has(web_json(s), "example.com/a"));
    lh_fake_on_call(s->fake, faster, &conflicts);
    ASSERT_OK(lh_finalizer_remove(s->host, s->ctx, &s->web, web_json(s), "example.com/a", &outcome,
                                  &s->err),
              s->err);
    EXPECT_STR(lh_fake_value(s->fake, WEB, "/metadata/finalizers"), "[\"example.com/b\"]");
    ASSERT_OK(lh_finalizer_remove(s->host, s->ctx, &s->web, web_json(s), "example.com/b", &outcome,
                                  &s->err),
              s->err);
    cr_expect_null(lh_fake_object(s->fake, WEB), "it is still there");
    ASSERT_OK(lh_finalizer_remove(s->host, s->ctx, &s->web, (lh_json_t){NULL, 0}, "example.com/b",
                                  &outcome, &s->err),
              s->err);
    EXPECT_INT(outcome, LH_UNCHANGED);
}

Test(client, adds_and_removes_finalizers)
{
    run(with_web(), finalizers);
}

/* -- Status -- */

static void status(step_t *s)
{
    const lh_ref_t ref = lh_sub(&s->web, "status");
    const lh_condition_t ready = {"Ready", "True", "Fine", "yes", 0};
    uint32_t outcome = 9;

    for (int i = 0; i < 2; i++) {
        char *list = lh_conditions_set(web_json(s), &ready, 1, lh_time_now() + i * LH_MINUTE);
        char *patch = lh_json_printf("{'status':{'conditions':%s}}", list);
        ASSERT_OK(lh_patch_if_changed(s->host, s->ctx, &ref, web_json(s), patch, &outcome, &s->err),
                  s->err);
        EXPECT_INT(outcome, i == 0 ? LH_CHANGED : LH_UNCHANGED);
        free(list);
        free(patch);
    }
    EXPECT_STR(lh_fake_call(s->fake, "PATCH", WEB, 0)->path, WEB "/status");
    EXPECT_INT(lh_condition_is_true(web_json(s), "Ready"), 1);
}

Test(client, writes_a_status_once)
{
    run(with_web(), status);
}
