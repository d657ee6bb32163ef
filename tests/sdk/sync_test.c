/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain function returns, and what the host hears. */
#include "support/expect.h"
#include "support/plain_plugin.h"

#include <leasehold/leasehold.h>
#include <leasehold/testing.h>

LH_MANIFEST_JSON({
    "abi" : 0,
    "id" : "sync",
    "version" : "1",
    "watches" : [ {"version" : "v1", "resource" : "pods", "kind" : "Pod"} ]
});

/* The name of the object says how it ends. */
static int reconcile(lh_plugin_t *self, const lh_request_t *request, lh_result_t *result,
                     lh_error_t *err)
{
    (void) self;
    if (strcmp(request->key->name, "again") == 0)
        return lh_again(result, 30 * LH_SECOND);
    if (strcmp(request->key->name, "failed") == 0)
        return lh_errorf(err, LH_EIO, "the disk is full");
    if (strcmp(request->key->name, "silent") == 0)
        return LH_ECONFLICT;
    if (strcmp(request->key->name, "positive") == 0)
        return 404;
    if (strcmp(request->key->name, "hopeless") == 0)
        return lh_give_up(result, lh_errorf(err, LH_EINVAL, "no such colour"));
    result->text = "all is well";
    return 0;
}

LH_SYNC(reconcile, host)

static void expect(const char *name, uint32_t action, int64_t after_ns, const char *text)
{
    lh_fake_t *fake = lh_fake_lead(NULL);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", name);

    EXPECT_INT(result.action, action);
    EXPECT_INT(result.after_ns, after_ns);
    EXPECT_INT(result.completions, 1);
    EXPECT_STR(result.text, text);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

Test(sync, is_done_after_0)
{
    expect("fine", LH_DONE, 0, "all is well");
}

Test(sync, comes_again_when_asked_to)
{
    expect("again", LH_REQUEUE_AFTER, INT64_C(30000000000), "");
}

Test(sync, tries_again_after_an_error_with_its_text)
{
    expect("failed", LH_RETRY, 0, "the disk is full");
}

Test(sync, names_the_code_when_there_is_no_text)
{
    expect("silent", LH_RETRY, 0, "conflict");
}

Test(sync, gives_up_when_told_so)
{
    expect("hopeless", LH_FAIL, 0, "no such colour");
}

/* It counted as done: a reconcile that returned an HTTP status lost its failure. */
Test(sync, fails_on_a_positive_number)
{
    expect("positive", LH_FAIL, 0, "reconcile returned a positive number, which is no error code");
}
