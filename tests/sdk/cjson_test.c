/* SPDX-License-Identifier: Apache-2.0 */
/* cjson.h, from a plugin that counts the keys of a ConfigMap into an annotation of it. */
#include "support/expect.h"
#include "support/plain_plugin.h"

#include <leasehold/cjson.h>
#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

#define PATH "/api/v1/namespaces/ns/configmaps/a"

LH_MANIFEST_JSON({
    "abi" : 0,
    "id" : "count",
    "version" : "1",
    "watches" : [ {"version" : "v1", "resource" : "configmaps", "kind" : "ConfigMap"} ]
});

static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    cJSON *object = NULL, *answer = NULL, *patch = cJSON_CreateObject();
    int ret = lh_cjson_snapshot(self->host, request->object, &object, err);

    (void) result;
    if (ret == 0) {
        const int keys = cJSON_GetArraySize(cJSON_GetObjectItem(object, "data"));
        cJSON_AddNumberToObject(cJSON_AddObjectToObject(patch, "count"), "keys", keys);
        ret = lh_cjson_call(self->host, request->ctx, "PATCH", PATH, patch, &answer, err);
    }
    if (ret == 0 && cJSON_GetObjectItem(answer, "count") == NULL)
        ret = lh_errorf(err, LH_EIO, "the answer is not the object");
    if (ret == 0)
        ret = lh_cjson_call(self->host, request->ctx, "GET", PATH, NULL, NULL, err);
    cJSON_Delete(object);
    cJSON_Delete(answer);
    cJSON_Delete(patch);
    return ret;
}

LH_SYNC(reconcile, host)

static lh_fake_t *leader(void)
{
    lh_fake_t *fake = lh_fake_lead(NULL);

    lh_fake_put(fake, 0,
                "{'metadata': {'namespace': 'ns', 'name': 'a'}, 'data': {'x': '1', "
                "'y': '2'}}");
    return fake;
}

Test(cjson, reads_snapshots_and_prints_bodies)
{
    lh_fake_t *fake = leader();
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "a");

    cr_expect(result.action == LH_DONE, "action %u: %s", result.action, result.text);
    EXPECT_STR(lh_fake_value(fake, PATH, "/count/keys"), "2");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(cjson, says_when_an_answer_is_no_json)
{
    lh_fake_t *fake = leader();

    lh_fake_answer(fake, "PATCH", PATH, 200, "'just text'", 1);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_INT(result.action, LH_RETRY);
    EXPECT_STR(result.text, "the answer is not the object");
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(cjson, hands_on_the_error_of_a_call)
{
    lh_fake_t *fake = leader();

    lh_fake_answer(fake, "PATCH", PATH, 403, NULL, 1);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", "a");
    EXPECT_INT(result.action, LH_RETRY);
    EXPECT_HAS(result.text, "PATCH " PATH);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(cjson, refuses_text_that_is_no_json)
{
    cJSON *tree = NULL;
    lh_error_t err = {0};

    EXPECT_INT(lh_cjson_parse("{", 1, &tree, &err), LH_EPARSE);
    cr_expect_null(tree);
    EXPECT_HAS(err.text, "1 bytes");
}
