/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of client_probe.h on the fake host: what it answers is what an API server answers. */
#include "support/expect.h"

#include <leasehold/testing.h>
#include <stdlib.h>

static void expect_case(const char *name)
{
    lh_fake_t *fake = lh_fake_lead(NULL);
    char text[300], path[300];

    (void) snprintf(text, sizeof(text),
                    "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'namespace': 'ns', "
                    "'name': '%s', 'labels': {'client-probe': '%s'}}}",
                    name, name);
    lh_fake_put(fake, 0, text);
    const lh_fake_result_t result = lh_fake_reconcile(fake, 0, "ns", name);
    EXPECT_INT(result.action, LH_DONE);
    (void) snprintf(path, sizeof(path), "/api/v1/namespaces/ns/configmaps/%s-result", name);
    EXPECT_STR(lh_fake_value(fake, path, "/data/failed"), "");
    const char *checks = lh_fake_value(fake, path, "/data/checks");
    cr_expect(checks != NULL && strtol(checks, NULL, 10) >= 3, "%s checks", checks);
    EXPECT_INT(lh_fake_destroy(fake), 0);
}

#define CASE(function, name)                                                                       \
    Test(client_probe, function)                                                                   \
    {                                                                                              \
        expect_case(name);                                                                         \
    }

CASE(has_the_verbs, "verbs")
CASE(patches, "patches")
CASE(patches_strategically, "strategic")
CASE(deletes_with_preconditions, "preconditions")
CASE(lists, "lists")
CASE(creates_or_patches, "creates-or-patches")
CASE(owns, "owns")
CASE(knows_the_kind_of_a_snapshot, "references")
CASE(retries, "retries")
CASE(has_finalizers, "finalizers")
CASE(has_a_status, "statuses")
CASE(applies, "applies")
CASE(names_the_managers_of_conflicts, "conflicts")
CASE(applies_lists, "applies-lists")
CASE(tells_events, "events")
CASE(selects, "selectors")
CASE(selects_by_objects, "label-selectors")
CASE(does_not_wait, "async")
