/* SPDX-License-Identifier: Apache-2.0 */
#include "support/expect.h"

#include <leasehold/managed_fields.h>
#include <stdio.h>

/* A Deployment as the API server returned it, cut down: "web" has applied all but the others' parts. */
#define OBJECT                                                                                     \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\","            \
    "\"namespace\":\"ns\",\"uid\":\"u\",\"labels\":{\"a\":\"1\",\"theirs\":\"x\"},"                \
    "\"finalizers\":[\"example.com/a\",\"example.com/b\"],\"managedFields\":["                     \
    "{\"manager\":\"web\",\"operation\":\"Update\",\"apiVersion\":\"apps/v1\",\"fieldsV1\":{}},"   \
    "{\"manager\":\"web\",\"operation\":\"Apply\",\"apiVersion\":\"apps/v1\",\"fieldsV1\":{"       \
    "\"f:metadata\":{\"f:labels\":{\"f:a\":{}},\"f:finalizers\":{\"v:\\\"example.com/"             \
    "a\\\"\":{}}},"                                                                                \
    "\"f:spec\":{\"f:replicas\":{},\"f:selector\":{},\"f:template\":{\"f:spec\":{"                 \
    "\"f:containers\":{\"k:{\\\"name\\\":\\\"c\\\"}\":{\".\":{},\"f:image\":{},\"f:name\":{},"     \
    "\"f:ports\":{\"k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{\".\":{},"        \
    "\"f:containerPort\":{}}}}}}}}}},"                                                             \
    "{\"manager\":\"web\",\"operation\":\"Apply\",\"apiVersion\":\"apps/v1\",\"subresource\":"     \
    "\"status\",\"fieldsV1\":{\"f:status\":{\"f:replicas\":{}}}}]},"                               \
    "\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{\"a\":\"1\"}},\"template\":{"         \
    "\"spec\":"                                                                                    \
    "{\"containers\":[{\"name\":\"sidecar\",\"image\":\"s\"},{\"name\":\"c\",\"image\":\"i\","     \
    "\"imagePullPolicy\":\"Always\",\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}]}]}}}," \
    "\"status\":{\"replicas\":2}}"

static int is_applied(const char *sub, const char *manager, const char *version,
                      const char *metadata, const char *spec)
{
    char wanted[1024];

    (void) snprintf(wanted, sizeof(wanted),
                    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{%s},%s}",
                    metadata, spec);
    return lh_is_applied(lh_json_text(OBJECT, strlen(OBJECT)), version, sub, manager,
                         lh_json_text(wanted, strlen(wanted)));
}

#define META "\"name\":\"d\",\"labels\":{\"a\":\"1\"},\"finalizers\":[\"example.com/a\"]"
#define CONTAINER "{\"image\":\"i\",\"name\":\"c\",\"ports\":[{\"containerPort\":80}]}"
#define SPEC(replicas, selector, containers)                                                       \
    "\"spec\":{\"replicas\":" replicas ",\"selector\":{\"matchLabels\":{" selector                 \
    "}},\"template\":{\"spec\":{\"containers\":[" containers "]}}}"
#define SAME SPEC("2", "\"a\":\"1\"", CONTAINER)

static void expect(const char *metadata, const char *spec, int expected)
{
    const int same = is_applied(NULL, "web", "apps/v1", metadata, spec);

    cr_expect(same == expected, "{%s},%s: %d, expected %d", metadata, spec, same, expected);
}

Test(managed_fields, show_that_all_is_applied)
{
    expect(META, SAME, 1);
    expect("\"namespace\":\"ns\"," META, SAME, 1);
    EXPECT_INT(
        is_applied("status", "web", "apps/v1", "\"name\":\"d\"", "\"status\":{\"replicas\":2}"), 1);
}

Test(managed_fields, show_a_value_that_differs)
{
    expect(META, SPEC("3", "\"a\":\"1\"", CONTAINER), 0);
    expect(META, SPEC("2", "\"a\":\"2\"", CONTAINER), 0);
    expect(META,
           SPEC("2", "\"a\":\"1\"",
                "{\"name\":\"c\",\"image\":\"j\",\"ports\":[{"
                "\"containerPort\":80}]}"),
           0);
    EXPECT_INT(
        is_applied("status", "web", "apps/v1", "\"name\":\"d\"", "\"status\":{\"replicas\":3}"), 0);
}

/* A value that is there, but by somebody else's hand: it would be lost with them. */
Test(managed_fields, show_what_is_not_managed_yet)
{
    expect("\"name\":\"d\",\"labels\":{\"a\":\"1\",\"theirs\":\"x\"},\"finalizers\":"
           "[\"example.com/a\"]",
           SAME, 0);
    expect("\"name\":\"d\",\"labels\":{\"a\":\"1\"},\"finalizers\":[\"example.com/a\","
           "\"example.com/b\"]",
           SAME, 0);
    expect(META, SPEC("2", "\"a\":\"1\"", CONTAINER ",{\"name\":\"sidecar\",\"image\":\"s\"}"), 0);
}

/* What is no longer wanted is to be removed. */
Test(managed_fields, show_what_is_not_wanted_any_more)
{
    expect("\"name\":\"d\",\"finalizers\":[\"example.com/a\"]", SAME, 0);
    expect("\"name\":\"d\"", SAME, 0);
    expect("\"name\":\"d\",\"labels\":{},\"finalizers\":[\"example.com/a\"]", SAME, 0);
    expect(META, SPEC("2", "", CONTAINER), 0);
    expect(META, SPEC("2", "\"a\":\"1\"", "{\"name\":\"c\",\"image\":\"i\"}"), 0);
    expect(META, "\"spec\":{\"replicas\":2}", 0);
    expect(META,
           SPEC("2", "\"a\":\"1\"",
                "{\"name\":\"other\",\"image\":\"i\",\"ports\":[{"
                "\"containerPort\":80}]}"),
           0);
}

Test(managed_fields, are_those_of_one_manager)
{
    EXPECT_INT(is_applied(NULL, "other", "apps/v1", META, SAME), 0);
    EXPECT_INT(is_applied(NULL, "web", "apps/v2", META, SAME), 0);
    EXPECT_INT(is_applied("scale", "web", "apps/v1", META, SAME), 0);
    EXPECT_INT(lh_is_applied(lh_json_text("{}", 2), "v1", NULL, "web", lh_json_text("{}", 2)), 0);
    EXPECT_INT(lh_is_applied(lh_json_text("{", 1), "v1", NULL, "web", lh_json_text("{}", 2)), 0);
}
