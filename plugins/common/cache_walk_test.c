/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_walk.h"

#include <criterion/criterion.h>
#include <leasehold/testing.h>

typedef struct visits {
    int answer; /* to the first one; 0 to the others */
    int count;
} visits_t;

static int visit(void *arg, const lh_snapshot_t *object, lh_error_t *err)
{
    visits_t *v = arg;

    (void) object;
    return v->count++ == 0 && v->answer < 0 ? lh_errorf(err, v->answer, "the first one") : 0;
}

static void expect_walk(lh_fake_t *fake, lh_ctx_t ctx, int answer, int count)
{
    visits_t v = {answer, 0};
    lh_error_t err = {0};
    const int ret = cache_walk(lh_fake_host(fake), ctx, 0, "a", visit, &v, &err);

    cr_expect(ret == answer && v.count == count, "%d after %d visits, expected %d after %d", ret,
              v.count, answer, count);
    cr_expect(answer == 0 || strcmp(err.text, "the first one") == 0, "%s", err.text);
}

/* activate() is given no place of the test's. */
static lh_ctx_t term; /* NOLINT(cppcoreguidelines-avoid-non-const-global-variables) */

static int activate(lh_plugin_t *plugin, lh_ctx_t ctx, lh_error_t *err)
{
    (void) plugin;
    (void) err;
    term = ctx;
    return 0;
}

Test(cache_walk, one_failure_does_not_end_it_but_the_end_of_the_term_does)
{
    lh_plugin_entry_t entry = lh_plugin;
    lh_fake_t *fake = lh_fake_create(NULL);
    lh_error_t err = {0};

    entry.activate = activate;
    cr_assert(lh_fake_start(fake, &entry, reconcile_async, "{}", &err) == 0, "%s", err.text);
    cr_assert(lh_fake_activate(fake, &err) == 0, "%s", err.text);
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'a', 'name': 'x'}}");
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'a', 'name': 'y'}}");
    lh_fake_put(fake, 0, "{'metadata': {'namespace': 'b', 'name': 'z'}}");
    expect_walk(fake, term, 0, 2);
    expect_walk(fake, term, LH_EIO, 2);
    expect_walk(fake, term, LH_EFENCED, 1);
    expect_walk(fake, term, LH_ECANCELED, 1);
    cr_expect(lh_fake_destroy(fake) == 0, "it misbehaved; see stderr");
}
