/* SPDX-License-Identifier: Apache-2.0 */
#include "lease/record.h"

#include "base/clock.h"
#include "support/expect.h"
#include "support/fake_clock.h"

#include <cjson/cJSON.h>

#define INSTANCE "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

static void record_destroyp(lease_record_t **r)
{
    lease_record_destroy(*r);
}

#define RECORD host_cleanup(record_destroyp) lease_record_t *

static lease_record_t *parse(const char *text)
{
    lease_record_t *r = NULL;
    lh_error_t err = {0};

    ASSERT_OK(lease_record_parse(text, strlen(text), &r, &err), err);
    return r;
}

/* The error's text; ends the test when text is taken for a Lease. */
static const char *refusal(const char *text)
{
    static lh_error_t err;
    lease_record_t *r = NULL;

    EXPECT_INT(lease_record_parse(text, strlen(text), &r, &err), LH_EPARSE);
    cr_assert(r == NULL);
    return err.text;
}

static const char full[] =
    "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"l\","
    "\"namespace\":\"ns\",\"uid\":\"u-1\",\"resourceVersion\":\"42\",\"labels\":{\"team\":\"x\"},"
    "\"annotations\":{\"leasehold.dev/seq\":\"7/" INSTANCE "/me\",\"other\":\"kept\"},"
    "\"managedFields\":[{\"manager\":\"m\"}],\"ownerReferences\":[{\"name\":\"o\"}]},"
    "\"spec\":{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15,\"leaseTransitions\":3,"
    "\"acquireTime\":\"2026-01-01T00:00:00.000001Z\",\"renewTime\":\"2026-01-01T00:00:09.000002Z\","
    "\"strategy\":\"OldestEmulationVersion\",\"preferredHolder\":\"p\"}}";

Test(record, k2_parse_gives_every_field)
{
    RECORD r = parse(full);

    EXPECT_STR(r->uid, "u-1");
    EXPECT_STR(r->resource_version, "42");
    EXPECT_STR(r->holder, "me");
    EXPECT_INT(r->duration, 15 * CLOCK_S);
    EXPECT_INT(r->transitions, 3);
    EXPECT_INT(r->was_held, true);
    EXPECT_STR(r->seq, "7/" INSTANCE "/me");
    EXPECT_INT(r->released, false);
    EXPECT_INT(r->holding, false);
}

Test(record, absent_and_null_fields_are_empty)
{
    RECORD r = parse("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"1\"},"
                     "\"spec\":{\"holderIdentity\":null,\"leaseDurationSeconds\":null}}");

    EXPECT_STR(r->holder, "");
    EXPECT_INT(r->duration, 0);
    EXPECT_INT(r->transitions, 0);
    EXPECT_INT(r->was_held, false);
    EXPECT_STR(r->seq, "");
}

Test(record, a_lease_without_spec_was_never_held)
{
    RECORD r = parse("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"1\"}}");

    EXPECT_INT(r->was_held, false);
    EXPECT_STR(r->holder, "");
}

Test(record, what_is_no_lease_is_refused)
{
    EXPECT_HAS(refusal("[]"), "no JSON object");
    EXPECT_HAS(refusal("{\"kind\":\"Status\"}"), "kind is 'Status'");
    EXPECT_HAS(refusal("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\"}}"), "resourceVersion");
    EXPECT_HAS(refusal("{\"kind\":\"Lease\""), "no JSON object");
}

Test(record, a_spec_of_wrong_types_is_refused)
{
    static const char *const specs[] = {
        "{\"holderIdentity\":7}",         "{\"leaseDurationSeconds\":\"15\"}",
        "{\"leaseDurationSeconds\":1.5}", "{\"leaseDurationSeconds\":-1}",
        "{\"leaseTransitions\":1e300}",   "{\"renewTime\":{}}",
    };

    for (size_t i = 0; i < HOST_LEN(specs); i++) {
        host_cleanup(host_freep) char *text =
            host_xprintf("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":"
                         "\"1\"},\"spec\":%s}",
                         specs[i]);

        EXPECT_HAS(refusal(text), "wrong types");
    }
}

Test(record, the_text_is_bounded)
{
    host_cleanup(host_freep) char *text = host_xcalloc(1, LEASE_MAX_SIZE + 2);

    memset(text, ' ', LEASE_MAX_SIZE + 1);
    memcpy(text, "{}", 2);
    EXPECT_HAS(refusal(text), "bytes");
}

Test(record, rule_5_the_release_mark_counts_only_for_its_own_write)
{
    static const char form[] =
        "{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"1\",\"annotations\":"
        "{\"leasehold.dev/seq\":\"%s\",\"leasehold.dev/released\":\"%s\"}}}";
    host_cleanup(host_freep) char *same = host_xprintf(form, "5/x", "5/x");
    host_cleanup(host_freep) char *older = host_xprintf(form, "6/x", "5/x");
    host_cleanup(host_freep) char *empty = host_xprintf(form, "", "");
    RECORD a = parse(same);
    RECORD b = parse(older);
    RECORD c = parse(empty);

    EXPECT_INT(a->released, true);
    EXPECT_INT(b->released, false);
    EXPECT_INT(c->released, false);
}

/* --- seq --- */

Test(record, rule_1_seq_names_counter_instance_and_name)
{
    lease_seq_t seq;

    cr_assert(lease_seq_parse("18/" INSTANCE "/pod/with/slashes", &seq));
    EXPECT_INT(seq.counter, 18);
    EXPECT_STR(seq.instance, INSTANCE);
    EXPECT_STR(seq.name, "pod/with/slashes");
}

Test(record, rule_1_a_seq_of_another_form_is_nobodys)
{
    static const char *const bad[] = {
        "",
        "7",
        "0/" INSTANCE "/me",
        "07/" INSTANCE "/me",
        "-7/" INSTANCE "/me",
        "7/" INSTANCE "/",
        "7/" INSTANCE,
        "7/short/me",
        "7/0123456789ABCDEF0123456789ABCDEF/me",
        "7/" INSTANCE "0/me",
        "12345678901234567890/" INSTANCE "/me",
    };
    lease_seq_t seq;

    for (size_t i = 0; i < HOST_LEN(bad); i++)
        cr_expect(!lease_seq_parse(bad[i], &seq), "'%s' was taken for a seq", bad[i]);
}

Test(record, rule_1_own_is_my_name_with_my_instance)
{
    RECORD r = parse(full);

    EXPECT_INT(lease_record_own(r, "me", INSTANCE), 7);
    EXPECT_INT(lease_record_own(r, "me", OTHER), 0);
    EXPECT_INT(lease_record_own(r, "you", INSTANCE), 0);
}

Test(record, rule_1_a_lease_that_somebody_else_took_over_is_not_own_for_its_old_seq)
{
    RECORD r = parse("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"1\","
                     "\"annotations\":{\"leasehold.dev/seq\":\"7/" INSTANCE "/me\"}},"
                     "\"spec\":{\"holderIdentity\":\"client-go\"}}");

    EXPECT_INT(lease_record_own(r, "me", INSTANCE), 0);
    EXPECT_INT(lease_record_own(r, "client-go", INSTANCE), 0);
}

Test(record, versions_are_compared_as_numbers)
{
    cr_expect(lease_version_compare("9", "10") < 0);
    cr_expect(lease_version_compare("10", "9") > 0);
    cr_expect(lease_version_compare("99999999999999999999", "100000000000000000000") < 0);
    EXPECT_INT(lease_version_compare("12", "12"), 0);
    cr_expect(lease_version_compare("abc", "12") > 0, "what has no order counts as newer");
}

/* --- formatting --- */

static cJSON *formatted(const lease_record_t *base, const lease_write_t *w)
{
    host_cleanup(buf_fini) buf_t out = BUF_INIT;

    EXPECT_INT(lease_record_format(base, w, &out), 0);
    cJSON *object = cJSON_Parse(buf_text(&out));

    cr_assert(object != NULL, "no JSON: %s", buf_text(&out));
    return object;
}

/* The value at a path of keys that ends with NULL, as text; "(absent)". */
static const char *at(cJSON *object, const char *const *path)
{
    static char number[32];

    for (; *path != NULL; path++)
        object = cJSON_GetObjectItemCaseSensitive(object, *path);
    if (cJSON_IsNumber(object)) {
        snprintf(number, sizeof(number), "%.0f", object->valuedouble);
        return number;
    }
    return object == NULL ? "(absent)" : cJSON_GetStringValue(object);
}
#define AT(object, ...) at(object, (const char *const[]){__VA_ARGS__, NULL})

static void json_deletep(cJSON **object)
{
    cJSON_Delete(*object);
}

#define JSON host_cleanup(json_deletep) cJSON *

static const lease_write_t renewal = {.namespace = "ns",
                                      .name = "l",
                                      .holder = "me",
                                      .seq = "8/" INSTANCE "/me",
                                      .duration = 20 * CLOCK_S,
                                      .transitions = 3,
                                      .wall = FAKE_CLOCK_WALL_START};

Test(record, l11_k8_foreign_fields_survive_a_renewal)
{
    RECORD r = parse(full);
    JSON o = formatted(r, &renewal);

    EXPECT_STR(AT(o, "spec", "strategy"), "OldestEmulationVersion");
    EXPECT_STR(AT(o, "spec", "preferredHolder"), "p");
    EXPECT_STR(AT(o, "metadata", "labels", "team"), "x");
    EXPECT_STR(AT(o, "metadata", "annotations", "other"), "kept");
    EXPECT_INT(cJSON_GetArraySize(
                   cJSON_GetObjectItem(cJSON_GetObjectItem(o, "metadata"), "ownerReferences")),
               1);
    EXPECT_STR(AT(o, "spec", "acquireTime"), "2026-01-01T00:00:00.000001Z");
}

Test(record, rule_2_a_put_carries_uid_and_resource_version)
{
    RECORD r = parse(full);
    JSON o = formatted(r, &renewal);

    EXPECT_STR(AT(o, "metadata", "uid"), "u-1");
    EXPECT_STR(AT(o, "metadata", "resourceVersion"), "42");
    EXPECT_STR(AT(o, "metadata", "managedFields"), "(absent)");
}

Test(record, a_renewal_sets_what_is_its_own)
{
    RECORD r = parse(full);
    JSON o = formatted(r, &renewal);

    EXPECT_STR(AT(o, "metadata", "annotations", "leasehold.dev/seq"), "8/" INSTANCE "/me");
    EXPECT_STR(AT(o, "spec", "holderIdentity"), "me");
    EXPECT_STR(AT(o, "spec", "leaseDurationSeconds"), "20");
    EXPECT_STR(AT(o, "spec", "leaseTransitions"), "3");
    EXPECT_STR(AT(o, "spec", "renewTime"), "2026-01-02T03:04:05.000006Z");
}

Test(record, a_create_names_the_lease)
{
    lease_write_t w = renewal;

    w.acquire = true;
    JSON o = formatted(NULL, &w);

    EXPECT_STR(AT(o, "apiVersion"), "coordination.k8s.io/v1");
    EXPECT_STR(AT(o, "kind"), "Lease");
    EXPECT_STR(AT(o, "metadata", "namespace"), "ns");
    EXPECT_STR(AT(o, "metadata", "name"), "l");
    EXPECT_STR(AT(o, "metadata", "uid"), "(absent)");
    EXPECT_STR(AT(o, "spec", "acquireTime"), "2026-01-02T03:04:05.000006Z");
}

Test(record, rule_12_a_release_is_marked_and_every_other_write_removes_the_mark)
{
    RECORD r = parse(full);
    lease_write_t w = renewal;

    w.holder = "";
    w.release = true;
    w.duration = CLOCK_S;
    JSON released = formatted(r, &w);

    EXPECT_STR(AT(released, "metadata", "annotations", "leasehold.dev/released"),
               "8/" INSTANCE "/me");
    EXPECT_STR(AT(released, "spec", "holderIdentity"), "");
    EXPECT_STR(AT(released, "spec", "leaseDurationSeconds"), "1");
    EXPECT_STR(AT(released, "spec", "leaseTransitions"), "3");

    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(released);
    RECORD again = parse(text);
    JSON taken = formatted(again, &renewal);

    EXPECT_STR(AT(taken, "metadata", "annotations", "leasehold.dev/released"), "(absent)");
}

Test(record, rule_6_a_holder_that_has_not_led_is_marked)
{
    RECORD r = parse(full);
    lease_write_t w = renewal;

    w.holding = true;
    JSON o = formatted(r, &w);
    host_cleanup(host_freep) char *text = cJSON_PrintUnformatted(o);
    RECORD again = parse(text);
    JSON next = formatted(again, &renewal);

    EXPECT_INT(again->holding, true);
    EXPECT_STR(AT(next, "metadata", "annotations", "leasehold.dev/holding"), "(absent)");
}

Test(record, k9_k10_a_lease_without_labels_and_annotations_can_be_written)
{
    RECORD r = parse("{\"kind\":\"Lease\",\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"1\","
                     "\"annotations\":null,\"labels\":null},\"spec\":null}");
    JSON o = formatted(r, &renewal);

    EXPECT_STR(AT(o, "metadata", "annotations", "leasehold.dev/seq"), "8/" INSTANCE "/me");
    EXPECT_STR(AT(o, "spec", "holderIdentity"), "me");
}
